"""Who is told of what: amtool asks Alertmanager's own configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from asterpanel_control_api.access.profiles import Profile, load_profiles
from asterpanel_dashboards.rules import files
from asterpanel_dashboards.rules.build import ALERTMANAGER
from asterpanel_dashboards.rules.teams import EXAMPLE_TEAMS, Team, Teams, teams_of
from tests.debian import ProgramUnavailable, program
from tests.unit.rules_config import PROVISIONING, REPOSITORY, run

COMMITTED = PROVISIONING / ALERTMANAGER
EXAMPLE = REPOSITORY / "profiles.example.yml"


@pytest.fixture(scope="module")
def amtool() -> Path:
    try:
        return program("amtool", "prometheus-alertmanager")
    except ProgramUnavailable as reason:
        pytest.skip(str(reason))


def receivers(amtool: Path, file: Path, **labels: str) -> set[str]:
    """Whom an alert with these labels reaches."""
    pairs = [f"{name}={value}" for name, value in labels.items()]
    answer = run(amtool, "config", "routes", "test", f"--config.file={file}", *pairs)
    return set(answer.strip().split(","))


def test_amtool_takes_it(amtool: Path) -> None:
    assert "SUCCESS" in run(amtool, "check-config", COMMITTED)


EVERYBODY = {"billing", "wallboard", "management"}


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"component": "queue", "switchboard": "milano", "queue": "billing-vip"}, EVERYBODY),
        ({"component": "queue", "switchboard": "torino", "queue": "Reminders"}, EVERYBODY),
        ({"component": "queue", "switchboard": "milano", "queue": "sales"}, EVERYBODY - {"billing"}),
        ({"component": "queue", "switchboard": "milano", "queue": "x-billing"}, EVERYBODY - {"billing"}),
        ({"component": "queue", "switchboard": "roma", "queue": "billing"}, EVERYBODY - {"billing"}),
        ({"component": "agent", "switchboard": "milano", "queue": "billing", "agent": "1001"}, EVERYBODY),
        (
            {"component": "agent", "switchboard": "milano", "queue": "billing", "agent": "2001"},
            EVERYBODY - {"billing"},
        ),
        (
            {"component": "agent", "switchboard": "milano", "queue": "sales", "agent": "1001"},
            EVERYBODY - {"billing"},
        ),
        ({"component": "switchboard", "switchboard": "milano"}, EVERYBODY | {"Operations"}),
        ({"component": "switchboard", "switchboard": "roma"}, EVERYBODY - {"billing"} | {"Operations"}),
        ({"component": "asterpanel", "instance": "exporter:9977"}, {"Operations"}),
        ({"component": "asterpanel", "switchboard": "milano", "kind": "member_status"}, {"Operations"}),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_each_team_is_told_of_its_own(amtool: Path, labels: dict[str, str], told: set[str]) -> None:
    assert receivers(amtool, COMMITTED, severity="critical", **labels) == told


def test_without_teams_operations_are_told_of_all(amtool: Path, tmp_path: Path) -> None:
    file = written({}, tmp_path)
    run(amtool, "check-config", file)
    assert receivers(amtool, file, component="queue", switchboard="milano", queue="a") == {"Operations"}
    assert receivers(amtool, file, component="switchboard", switchboard="milano") == {"Operations"}


def test_names_that_are_special_in_expressions(amtool: Path, tmp_path: Path) -> None:
    file = written({"odd": Team(queues=('a.b"c\\', "x|y"))}, tmp_path)
    run(amtool, "check-config", file)
    assert receivers(amtool, file, component="queue", queue="x|y") == {"odd"}
    assert receivers(amtool, file, component="queue", queue="x") == {"Operations"}
    assert receivers(amtool, file, component="queue", queue="axb") == {"Operations"}


def test_the_example_is_that_of_the_profiles() -> None:
    profiles = load_profiles(EXAMPLE)
    tenants = {name: tenant.profiles for name, tenant in profiles.tenants.items()}
    assert teams_of(tenants, {"milano": "default", "torino": "default"}) == EXAMPLE_TEAMS


def test_a_team_is_told_only_of_its_own_tenants_switchboards(amtool: Path, tmp_path: Path) -> None:
    tenants = {"acme": {"support": Profile()}, "globex": {"support": Profile(switchboards=("B*",))}}
    tenant_of = {"a1": "acme", "b1": "globex", "b2": "acme"}
    file = written(teams_of(tenants, tenant_of), tmp_path)
    told = {
        board: receivers(amtool, file, component="queue", switchboard=board, queue="q") for board in tenant_of
    }
    assert told == {"a1": {"acme-support"}, "b1": {"globex-support"}, "b2": {"acme-support"}}


def test_a_team_that_has_no_switchboard_is_told_nothing(amtool: Path, tmp_path: Path) -> None:
    tenants = {"acme": {"support": Profile(switchboards=("zz",))}, "globex": {}}
    file = written(teams_of(tenants, {"a1": "acme", "b1": "globex"}), tmp_path)
    assert receivers(amtool, file, component="queue", switchboard="a1", queue="q") == {"Operations"}
    assert receivers(amtool, file, component="queue", queue="q") == {"Operations"}


def test_what_goes_without_saying() -> None:
    same_alert, not_watched = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))["inhibit_rules"]
    assert {"alertname", "switchboard", "queue", "agent"} <= set(same_alert["equal"])
    assert not_watched["equal"] == ["switchboard"]


def test_secrets_are_in_files() -> None:
    text = COMMITTED.read_text(encoding="utf-8")
    assert "smtp_auth_password_file: /run/secrets/" in text
    for key in ("password:", "api_url:", "routing_key:", "token:"):
        assert key not in text


def written(teams: Teams, folder: Path) -> Path:
    file = folder / "alertmanager.yml"
    file.write_text(dict(files(None, teams))[ALERTMANAGER], encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert {receiver["name"] for receiver in content["receivers"]} == {"Operations", *teams}
    return file
