"""`asterpanel-grafana`: what somebody who runs it sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from asterpanel_provisioning.cli import main

CONFIG = """\
switchboards:
  milano: {host: 127.0.0.1, username: u, secret_file: nobody-opens-this, time_zone: Europe/Rome}
targets:
  - service_level: {target: 95%, critical: 85%}
  - queues: [vip]
    service_level: {target: 99%, critical: 98%}
dashboards:
  service_level_formula: asterisk2
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "asterpanel.yml"
    file.write_text(CONFIG)
    return file


def test_dashboards_are_written_once(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "dashboards"
    first = run("dashboards", "build", "--defaults", "--output", folder)
    assert first.exit_code == 0, first.output
    assert "missing: asterpanel-live.json" in first.stderr
    written = {file.name for file in folder.iterdir()}
    assert {"asterpanel-live.json", "asterpanel-calls.json"} <= written

    again = run("dashboards", "build", "--defaults", "--output", folder)
    assert again.stdout.endswith(f"{len(written)} files, 0 of them written\n")
    assert run("dashboards", "build", "--defaults", "--output", folder, "--check").exit_code == 0


@pytest.mark.parametrize("what", ["changed", "missing", "superfluous"])
def test_check_tells_a_difference_and_build_mends_it(tmp_path: Path, what: str) -> None:
    run("dashboards", "build", "--defaults", "--output", tmp_path)
    file, others = tmp_path / "asterpanel-live.json", tmp_path / "of-somebody-else.json"
    others.write_text("{}")
    match what:
        case "changed":
            file.write_text(file.read_text() + " ")
        case "missing":
            file.unlink()
        case "superfluous":
            file = tmp_path / "asterpanel-of-last-year.json"
            file.write_text("{}")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    told = run("dashboards", "build", "--defaults", "--output", tmp_path, "--check")
    assert told.exit_code == 1
    assert f"{what}: {file.name}" in told.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before

    run("dashboards", "build", "--defaults", "--output", tmp_path)
    assert run("dashboards", "build", "--defaults", "--output", tmp_path, "--check").exit_code == 0
    assert others.read_text() == "{}"


def test_the_configuration_is_in_the_dashboards(config: Path, tmp_path: Path) -> None:
    built = run("-c", config, "dashboards", "build", "--output", tmp_path)
    assert built.exit_code == 0, built.output
    live = json.loads((tmp_path / "asterpanel-live.json").read_text())
    [level] = [panel for panel in live["panels"] if panel["title"] == "Service level"]
    assert "(A≤T + B≤T) / (A+B)" in level["description"]
    steps = [step["value"] for step in level["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert steps == [None, 0, 0.85, 0.95]  # of all queues; vip has its own in alerts and reports
    assert "tz('Europe/Rome')" in (tmp_path / "asterpanel-queues.json").read_text()


RECEIVERS = """\
global: {smtp_smarthost: mail.example:25, smtp_from: pbx@mail.example}
receivers:
  - name: Operations
    email_configs: [{to: ops@mail.example}]
  - name: billing
    webhook_configs: [{url: http://chat.example/billing}]
"""
PROFILES = """\
tenants:
  default:
    profiles:
      billing: {queues: [billing], members: [{role: supervisor, login: anna}]}
"""


@pytest.fixture
def team(config: Path) -> Path:
    """A configuration with a team."""
    config.write_text(
        f"""{CONFIG}
control_api:
  tenants:
    default:
      route_secret_file: nobody-opens-this
      grafana: {{url: https://grafana.example/}}
"""
    )
    (config.parent / "profiles.yml").write_text(PROFILES)
    return config


def test_people_are_reached_as_they_want(team: Path, tmp_path: Path) -> None:
    (tmp_path / "receivers.yml").write_text(RECEIVERS)
    built = run("-c", team, "rules", "build", "--receivers", tmp_path / "receivers.yml", "--output", tmp_path)
    assert built.exit_code == 0, built.output
    made = yaml.safe_load((tmp_path / "alertmanager/alertmanager.yml").read_text())
    wanted = yaml.safe_load(RECEIVERS)
    assert (made["global"], made["receivers"]) == (wanted["global"], wanted["receivers"])
    assert "billing" in [route["receiver"] for route in made["route"]["routes"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (RECEIVERS.replace("name: billing", "name: sales"), "no receiver for billing"),
        ("receivers: {}", "must have the list `receivers`"),
        ("receivers: [billing]", "must be a mapping with a name"),
        ("receivers: [", "not valid YAML"),
    ],
)
def test_receivers_that_do_not_reach_everybody(team: Path, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "receivers.yml").write_text(text)
    told = run("-c", team, "rules", "build", "--receivers", tmp_path / "receivers.yml", "--output", tmp_path)
    assert told.exit_code == 1
    assert words in told.stderr
    assert not (tmp_path / "alertmanager").exists()


def test_check_sums_up_the_configuration(config: Path) -> None:
    told = run("-c", config, "check")
    assert told.exit_code == 0, told.output
    assert "formula 2, (A≤T + B≤T) / (A+B)" in told.stdout
    assert "days: Europe/Rome" in told.stdout


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("targets: [{service_level: {target: 80%, critical: 90%}}]", "critical must be less than target"),
        ("targets: [{abandon_rate: {warning: 5, critical: 10}}]", "must be a share from 0% to 100%"),
        ("targets: [{longest_wait: {warning: 3m, critical: 1m}}]", "critical must be more than warning"),
        ("targets: [{waiting: {warning: 0, critical: 6}}]", "warning must be more than 0"),
        ("targets: [{longest_wate: {warning: 1m, critical: 3m}}]", "did you mean 'longest_wait'?"),
        ("dashboards: {service_level_formula: 8}", "there is no formula '8'; there are: 1 (asterisk)"),
        ("dashboards: {time_zone: Europe/Rom}", "did you mean 'Europe/Rome'?"),
    ],
)
@pytest.mark.parametrize("command", [("check",), ("dashboards", "build"), ("rules", "build")])
def test_an_invalid_configuration(tmp_path: Path, command: tuple[str, ...], wrong: str, words: str) -> None:
    file = tmp_path / "asterpanel.yml"
    file.write_text(CONFIG.split("targets:", maxsplit=1)[0] + wrong)
    told = run("-c", file, *command)
    assert told.exit_code == 3
    assert f"{file}:3:" in told.stderr
    assert words in told.stderr


def test_without_a_configuration_it_says_so(tmp_path: Path) -> None:
    told = run("-c", tmp_path / "asterpanel.yml", "dashboards", "build", "--output", tmp_path)
    assert told.exit_code == 3
    assert "no such file" in told.stderr
    assert list(tmp_path.iterdir()) == []
