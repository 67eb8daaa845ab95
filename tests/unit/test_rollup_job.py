"""The roll-up under a running exporter, and by command."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from asterpanel_exporter.cli import main
from asterpanel_exporter.exposition import Exposition, add_rollup
from asterpanel_exporter.history.records import Outcome
from asterpanel_exporter.rollup.job import RollUpJob
from tests.unit.report_journal import call
from tests.unit.rollup_journal import RollUpFolder, folder_with
from tests.waiting import eventually

DAY = "2026-11-18"


@pytest.fixture
def folder(tmp_path: Path) -> RollUpFolder:
    made = folder_with(tmp_path)
    made.write([call("sales", f"{DAY} 09:01", Outcome.ANSWERED, wait_s=2.0, talk_s=60.0)])
    return made


@contextmanager
def running(job: RollUpJob) -> Iterator[RollUpJob]:
    job.start()
    try:
        yield job
    finally:
        job.stop()


def offered(folder: RollUpFolder) -> int:
    return sum(row["offered"] for row in folder.made("queue_interval"))


def exposed(job: RollUpJob) -> dict[str, float]:
    out = Exposition()
    add_rollup(out, job)
    lines = [line.split(" ") for line in out.text(openmetrics=False).splitlines() if not line.startswith("#")]
    return {name.removeprefix("asterpanel_rollup_"): float(value) for name, value in lines}


# --- the job ----------------------------------------------------------------------------------------


async def test_it_keeps_up_with_what_comes(folder: RollUpFolder) -> None:
    told: list[int] = []
    job = RollUpJob(folder.load(), lambda: told.append(1), interval_s=0.05, wall_clock=lambda: 1000.0)
    assert exposed(job) == {"half_hours_due": 0, "errors_total": 0}
    with running(job):
        await eventually(lambda: job.last_success is not None)
        assert offered(folder) == 1
        folder.write([call("sales", f"{DAY} 09:02", Outcome.ABANDONED, wait_s=9.0)])
        await eventually(lambda: offered(folder) == 2)
        await eventually(lambda: len(told) == 2)
    assert exposed(job) == {"last_success_timestamp_seconds": 1000.0, "half_hours_due": 0, "errors_total": 0}


async def test_a_journal_that_fails_is_tried_again(
    folder: RollUpFolder, caplog: pytest.LogCaptureFixture
) -> None:
    away = folder.journal.with_name("away.db")
    folder.journal.rename(away)
    job = RollUpJob(folder.load(), interval_s=0.05)
    with running(job):
        await eventually(lambda: job.errors > 1)
        away.rename(folder.journal)
        await eventually(lambda: job.last_success is not None)
    assert offered(folder) == 1
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "there is no journal" in warnings[0]
    assert "made as soon as it works" in warnings[0]


async def test_an_error_of_ours_is_told_and_ends_nothing(
    folder: RollUpFolder, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(folder.journal)) as db:
        db.execute("UPDATE queue_call_series SET outcome = 'lost in thought'")
        db.commit()
    job = RollUpJob(folder.load(), interval_s=0.05)
    with running(job):
        await eventually(lambda: job.errors > 0)
        with closing(sqlite3.connect(folder.journal)) as db:
            db.execute("UPDATE queue_call_series SET outcome = 'answered'")
            db.commit()
        await eventually(lambda: job.last_success is not None)
    assert offered(folder) == 1
    assert "'lost in thought' is not a valid Outcome" in caplog.text


async def test_it_ends_in_the_midst_of_much_work(folder: RollUpFolder) -> None:
    folder.write([call("sales", "2024-11-18 09:01", Outcome.ANSWERED, wait_s=2.0, talk_s=60.0)])
    job = RollUpJob(folder.load())
    with running(job):
        await eventually(lambda: job.due > 0)
    assert job.last_success is None
    assert job.due > 10_000


# --- the command ------------------------------------------------------------------------------------


def rollup(folder: RollUpFolder, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(folder.config), "rollup", *arguments])


def test_the_command_makes_all(folder: RollUpFolder) -> None:
    done = rollup(folder)
    assert (done.exit_code, done.stdout) == (0, "1 half hours made, 4 points new or different\n")
    assert offered(folder) == 1


def test_the_command_takes_over_what_was_configured_anew(folder: RollUpFolder) -> None:
    rollup(folder)
    settings = folder.config.read_text(encoding="utf-8")
    folder.config.write_text(settings.replace("wrapup_time: 10", "wrapup_time: 30"), encoding="utf-8")
    folder.roll_up()
    assert folder.made("queue_interval")[0]["wrapup_s"] == 10.0
    assert rollup(folder, "--since", "2026-11-19").stdout == "0 half hours made, 0 points new or different\n"
    assert rollup(folder, "--since", "2026-11", "--switchboard", "milano").exit_code == 0
    assert folder.made("queue_interval")[0]["wrapup_s"] == 30.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--switchboard", "roma"], "'roma' is not configured; there are: milano"),
        (["--since", "lately"], "'lately' is no period"),
    ],
)
def test_what_the_command_does_not_take(folder: RollUpFolder, arguments: list[str], message: str) -> None:
    done = rollup(folder, *arguments)
    assert done.exit_code == 2
    assert message in done.output


def test_the_command_without_a_journal(tmp_path: Path) -> None:
    done = rollup(folder_with(tmp_path))
    assert done.exit_code == 1
    assert "`asterpanel-exporter run` makes it when it starts" in done.output


def test_the_journal_counts_half_hours(folder: RollUpFolder) -> None:
    rollup(folder)
    done = CliRunner().invoke(main, ["--config", str(folder.config), "journal", "status", "--format", "json"])
    status: dict[str, Any] = json.loads(done.stdout)
    assert status["points"]["queue_interval"]["count"] == 1
