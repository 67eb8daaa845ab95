"""What is too old or too much leaves the journal, and what was never delivered is the last to go."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from asterpanel_exporter.history.records import AgentPause
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.journal.retention import Retention
from tests.unit.test_journal import NOW, call, lines, points

START = 1795390000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal.open(path) as opened:
        yield opened


def fill(journal: Journal, count: int, tenant: str | None = None, start: int = 0) -> None:
    for n in range(start, start + count, 1000):
        batch = points(*(call(i) for i in range(n, min(n + 1000, start + count))), tenant=tenant)
        journal.write(batch, START + n)


def times(journal: Journal, measurement: str = "queue_call") -> tuple[int, int]:
    """Number of points, and second of the oldest."""
    [[count, oldest]] = journal.rows(f"SELECT count(*), min(time) FROM {measurement}")  # noqa: S608
    return count, round(oldest / 1e6 - START) if oldest else 0


def run(retention: Retention, now: float) -> int:
    return sum(1 for _ in retention.steps(now))


def file_bytes(journal: Journal) -> int:
    assert journal.path is not None
    journal.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return journal.path.stat().st_size


def test_nothing_to_do(journal: Journal) -> None:
    fill(journal, 100)
    assert run(Retention(journal, 1e6, 10**9), START) == 0
    assert run(Retention(journal, None, None), START + 1e9) == 0
    assert times(journal)[0] == 100


def test_by_age_in_small_steps(journal: Journal) -> None:
    fill(journal, 5000, tenant="acme")
    journal.write(points(AgentPause("milano", "1001", "Bob", "lunch", START + 10, 5.0)), NOW)
    [pause] = journal.pending("acme", 9, after=5000)
    journal.refused(pause, "acme", "no", START + 20)
    assert run(Retention(journal, 1000.0, None), START + 4500) >= 4
    assert times(journal) == (1500, 3500)
    assert times(journal, "agent_pause") == (0, 0)
    assert journal.dead_letters() == []
    # Undelivered lines are kept, whatever their age.
    assert journal.backlog()["acme"][0] == 5000


def test_names_go_with_the_last_point_that_has_them(journal: Journal) -> None:
    journal.write(points(call(1, agent_name="Old Agent"), call(2000, agent_name="New Agent")), NOW)
    run(Retention(journal, 1000.0, None), START + 2500)
    assert journal.rows("SELECT agent_name FROM queue_call_series") == [("New Agent",)]


def test_open_items_and_totals_stay(journal: Journal) -> None:
    journal.write(
        Batch(open_items={("milano", "pause", "1001"): "{}"}, totals={("milano", "calls", "[]"): 7.0}), START
    )
    fill(journal, 5000)
    run(Retention(journal, 1.0, 1), START + 1e9)
    assert times(journal)[0] == 0
    assert journal.open_items("milano") == {("pause", "1001"): "{}"}
    assert journal.totals("milano") == {("calls", "[]"): 7.0}


def test_by_size_the_oldest_go_first_and_space_is_given_back(journal: Journal) -> None:
    for n in range(0, 40_000, 500):  # few pauses among many calls
        journal.write(points(AgentPause("milano", "1001", "Bob", "lunch", START + n, 5.0), tenant=None), NOW)
    fill(journal, 40_000)
    before = file_bytes(journal)
    retention = Retention(journal, None, before // 2)
    run(retention, START + 40_000)
    assert retention.used_bytes() <= before // 2
    assert file_bytes(journal) < 0.7 * before
    count, oldest = times(journal)
    assert count == 40_000 - oldest
    assert 15_000 < count < 22_000
    pauses, oldest_pause = times(journal, "agent_pause")
    assert abs(oldest_pause - oldest) <= 500
    assert pauses == (40_000 - oldest_pause) / 500
    assert not retention.undelivered_dropped
    assert journal.rows("PRAGMA quick_check") == [("ok",)]


def test_undelivered_lines_are_the_last_to_go_and_are_counted(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    fill(journal, 10_000, tenant="acme")
    fill(journal, 2_000, tenant="other", start=10_000)
    half = file_bytes(journal) // 3
    retention = Retention(journal, None, half)
    run(retention, START)
    assert times(journal)[0] == 0
    assert retention.used_bytes() <= half
    dropped = retention.undelivered_dropped
    assert dropped["acme"] > 0
    assert journal.backlog()["acme"][0] == 10_000 - dropped["acme"]
    assert len(lines(journal, "other")) == 2_000 - dropped["other"]
    assert dropped["other"] == 0
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert f"{dropped['acme']} points of tenant acme that InfluxDB never took are deleted" in record.message


def test_a_limit_below_what_is_needed_is_told(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    fill(journal, 10)
    run(Retention(journal, None, 10_000), START)
    assert times(journal)[0] == 0
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "raise it" in record.message


def test_many_points_of_one_instant(journal: Journal) -> None:
    for n in range(3):
        batch = points(*(call(1, uniqueid=f"{n}.{i}", queue=f"q{i}") for i in range(1500)), tenant=None)
        journal.write(batch, START)
    run(Retention(journal, None, 1), START)
    assert times(journal)[0] == 0
