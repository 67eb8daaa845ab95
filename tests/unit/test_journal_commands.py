"""`asterpanel-exporter journal …`, as its user meets it."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asterpanel_exporter.cli import main
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.points.point import point_of
from tests.unit.test_journal import call, lines, points

SWITCHBOARDS = """\
switchboards:
  milano: {host: 10.0.0.5, username: asterpanel, secret_env: AMI, tenant: acme, time_zone: Europe/Rome}
  torino: {host: 10.0.0.6, username: asterpanel, secret_env: AMI, tenant: other}
"""
INFLUX = "influxdb: {url: 'http://127.0.0.1:8086', auth: none}\n"
ACCEPTED = 1795390600.0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "asterpanel.yml"
    path.write_text(SWITCHBOARDS + INFLUX, encoding="utf-8")
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "asterpanel-journal.db") as opened:
        yield opened


@pytest.fixture(autouse=True)
def machine_in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def run(config: Path, *arguments: str) -> Result:
    return CliRunner(env={"AMI": "s3cr3t"}).invoke(main, ["-c", str(config), "journal", *arguments])


def refuse_all(journal: Journal, tenant: str) -> None:
    for pending in journal.pending(tenant, 99):
        journal.refused(pending, tenant, "partial write: field type conflict", ACCEPTED + 60)


def test_status(config: Path, journal: Journal) -> None:
    journal.write(points(call(0), call(600)), ACCEPTED)
    refuse_all(journal, "acme")
    journal.write(points(call(1200)), ACCEPTED + 5)
    journal.write(Batch(open_items={("milano", "pause", "1001"): "{}"}), ACCEPTED)
    done = run(config, "status")
    assert done.exit_code == 0, done.output
    head, *rest = done.stdout.splitlines()
    assert head.startswith(f"{journal.path}: ")
    assert head.endswith(" MB, 1 things under way")
    text = "\n".join(rest)
    assert (
        "points:\n  queue_call                 3  2026-11-22 23:26:40+00:00 to 2026-11-22 23:46:40+00:00"
        in text
    )
    assert "not delivered yet:\n  acme                       1  2026-11-22 23:36:45+00:00 to" in text
    assert "refused by InfluxDB:\n  acme                       2  " in text


def test_status_as_json(config: Path, journal: Journal) -> None:
    journal.write(points(call(0)), ACCEPTED)
    found = json.loads(run(config, "status", "--format", "json").stdout)
    assert found["points"]["queue_call"] == {"count": 1, "first": 1795390000.0, "last": 1795390000.0}
    assert found["points"]["agent_pause"] == {"count": 0, "first": None, "last": None}
    assert found["pending"] == {"acme": {"count": 1, "first": ACCEPTED, "last": ACCEPTED}}
    assert found["size_bytes"] > 0


@pytest.mark.parametrize(
    "command", [["status"], ["dead-letters"], ["requeue", "--all"], ["resend", "--since", "2020"]]
)
def test_without_a_journal_every_command_says_what_to_do(config: Path, command: list[str]) -> None:
    done = run(config, *command)
    assert done.exit_code == 1
    assert "there is no journal" in done.stderr
    assert "`asterpanel-exporter run` makes it" in done.stderr


def test_dead_letters_are_listed_sent_again_and_deleted(config: Path, journal: Journal) -> None:
    journal.write(points(call(1), call(2)), ACCEPTED)
    journal.write(points(call(3), tenant="other"), ACCEPTED)
    refuse_all(journal, "acme")
    refuse_all(journal, "other")
    assert run(config, "dead-letters", "--tenant", "acme").stdout.splitlines() == [
        "1  2026-11-22 23:37:40+00:00  acme  partial write: field type conflict",
        f"    {point_of(call(1)).line}",
        "2  2026-11-22 23:37:40+00:00  acme  partial write: field type conflict",
        f"    {point_of(call(2)).line}",
    ]
    done = run(config, "dead-letters", "--limit", "1", "--format", "json")
    assert json.loads(done.stdout) == [
        {
            "id": 1,
            "tenant": "acme",
            "refused_at": ACCEPTED + 60,
            "reason": "partial write: field type conflict",
            "line": point_of(call(1)).line,
        }
    ]
    assert run(config, "dead-letters", "--limit", "1").stderr == "1 of 3 shown; --limit 0 shows all\n"

    done = run(config, "requeue", "2", "77")
    assert (done.exit_code, done.stdout) == (1, "1 put into the outbox again\n")
    assert "there is no dead letter 77" in done.stderr
    assert lines(journal) == [point_of(call(2)).line]
    assert run(config, "discard", "1").stdout == "1 deleted\n"
    assert run(config, "requeue", "--all").stdout == "1 put into the outbox again\n"
    assert lines(journal, "other") == [point_of(call(3)).line]
    assert run(config, "dead-letters").stderr == "there are none\n"


@pytest.mark.parametrize("command", ["requeue", "discard"])
@pytest.mark.parametrize("arguments", [[], ["1", "--all"], ["x"], ["0"]])
def test_which_dead_letters_must_be_said(
    config: Path, journal: Journal, command: str, arguments: list[str]
) -> None:
    assert run(config, command, *arguments).exit_code == 2


def test_a_period_is_sent_again_to_the_tenant_of_each_switchboard(config: Path, journal: Journal) -> None:
    # 2026-11-22 23:26:40 UTC is the 23rd in Rome, and still the 22nd in UTC.
    milano, torino = call(0), replace(call(0), switchboard="torino")
    journal.write(points(milano, torino, tenant=None), ACCEPTED)
    done = run(config, "resend", "--since", "2026-11-23", "--until", "2026-11-23")
    assert done.exit_code == 0, done.output
    day = "2026-11-23 00:00 to 2026-11-24 00:00"
    assert done.stdout.splitlines() == [
        f"milano: 1 points put into the outbox of tenant acme, {day} Europe/Rome",
        f"torino: 0 points put into the outbox of tenant other, {day} UTC",
    ]
    assert lines(journal) == [point_of(milano).line]
    assert (
        run(config, "resend", "--since", "2026-11-22", "--until", "2026-11-22", "--tenant", "other").exit_code
        == 0
    )
    assert lines(journal, "other") == [point_of(torino).line]
    assert lines(journal) == [point_of(milano).line]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "last tuesday"], "'last tuesday' is no period"),
        (["--since", "2026-11-23", "--until", "2026-11-01"], "ends before it begins"),
        (["--since", "2020", "--tenant", "nobody"], "'nobody' is not configured; there are: acme, other"),
        (["--since", "2020", "--switchboard", "roma"], "'roma' is not configured; there are: milano, torino"),
        (["--since", "2020", "--tenant", "acme", "--switchboard", "torino"], "none of these switchboards is"),
        ([], "--since"),
    ],
)
def test_what_cannot_be_sent_again(config: Path, journal: Journal, arguments: list[str], words: str) -> None:
    done = run(config, "resend", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr


def test_without_influxdb_there_is_nobody_to_send_to(config: Path, journal: Journal) -> None:
    config.write_text(SWITCHBOARDS, encoding="utf-8")
    done = run(config, "resend", "--since", "2020")
    assert done.exit_code == 1
    assert "has no section influxdb" in done.stderr


@pytest.mark.parametrize("command", ["status", "dead-letters", "requeue", "discard", "resend"])
def test_help_shows_examples_and_exit_codes(config: Path, command: str) -> None:
    done = run(config, command, "--help")
    assert done.exit_code == 0
    assert "Examples:\n" in done.stdout
    assert "Exit codes:\n" in done.stdout
