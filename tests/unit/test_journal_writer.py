"""The writer's promises: nobody waits, nothing is told before it is written, nothing is lost in silence."""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from asterpanel_exporter.journal.journal import Batch, Journal, JournalError
from asterpanel_exporter.journal.retention import Retention
from asterpanel_exporter.journal.writer import JournalWriter
from asterpanel_exporter.points.point import Point, point_of
from tests.unit.test_journal import call, lines, points
from tests.waiting import eventually

LOGGER = "asterpanel_exporter.journal.writer"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal.open(path) as opened:
        opened.rows("PRAGMA busy_timeout = 50")
        yield opened


@pytest_asyncio.fixture
async def writer(journal: Journal) -> AsyncIterator[JournalWriter]:
    async with JournalWriter(journal) as started:
        yield started


@contextmanager
def somebody_else_writes(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full_disk(journal: Journal) -> Iterator[None]:
    """What SQLite does when the disk is full, without a disk of our own."""
    [[pages]] = journal.rows("PRAGMA page_count")
    journal.rows(f"PRAGMA max_page_count = {pages}")
    yield
    journal.rows("PRAGMA max_page_count = 1000000")


def told(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    return [
        f"{r.levelname}: {r.message}" for r in caplog.records if r.levelno >= level and "asterpanel" in r.name
    ]


# --- what is promised -------------------------------------------------------------------------------


async def test_everything_is_told_after_it_is_written_and_in_order(writer: JournalWriter, path: Path) -> None:
    seen: list[list[str]] = []

    def note(new: Sequence[Point]) -> None:
        with Journal.open(path, create=False, read_only=True) as reader:
            assert {point.line for point in new} <= set(lines(reader))
        seen.append([point.line for point in new])

    for number in range(20):
        writer.submit(points(call(number)), note)
        if number % 7 == 0:
            await asyncio.sleep(0.05)
    await eventually(lambda: len(seen) == 20)
    assert seen == [[point_of(call(number)).line] for number in range(20)]


async def test_what_the_journal_had_is_not_told_as_new(writer: JournalWriter) -> None:
    seen: list[int] = []
    writer.submit(points(call(1), call(2)), lambda new: seen.append(len(new)))
    writer.submit(points(call(2), call(3)), lambda new: seen.append(len(new)))
    await eventually(lambda: len(seen) == 2)
    assert seen == [2, 1]
    assert (writer.points_written, writer.points_known) == (3, 1)


async def test_what_comes_within_a_moment_is_one_commit(journal: Journal) -> None:
    async with JournalWriter(journal, commit_interval_s=0.3) as writer:
        told: list[int] = []
        writer.submit(points(call(0)), lambda _: told.append(0))
        await eventually(lambda: told == [0])
        first = writer.last_commit_at
        for number in range(1, 50):
            writer.submit(points(call(number)), lambda _: told.append(1))
        assert writer.waiting.points == 49
        await eventually(lambda: len(told) == 50)
        assert writer.last_commit_at is not None
        assert first is not None
        assert writer.last_commit_at - first > 0.25
        assert writer.last_commit_s < 1


async def test_nobody_waits_while_the_disk_does(writer: JournalWriter, journal: Journal, path: Path) -> None:
    journal.rows("PRAGMA busy_timeout = 5000")
    with somebody_else_writes(path):
        started = time.monotonic()
        for number in range(1000):
            writer.submit(points(call(number)))
            await asyncio.sleep(0)
        assert time.monotonic() - started < 1.0
        assert writer.waiting.points == 1000
    await eventually(lambda: not writer.waiting, within=10)
    assert writer.errors == 0
    assert len(lines(journal)) == 1000


async def test_the_end_writes_all_and_what_its_calls_submit(journal: Journal) -> None:
    async with JournalWriter(journal, commit_interval_s=60.0) as writer:
        writer.submit(points(call(0)))
        await eventually(lambda: not writer.waiting)

        def count(_: Sequence[Point]) -> None:
            writer.submit(Batch(totals={("milano", "calls", "[]"): 100.0}))

        for number in range(1, 100):
            writer.submit(points(call(number)), count if number == 99 else None)
    assert len(lines(journal)) == 100
    assert journal.totals("milano") == {("calls", "[]"): 100.0}
    # It has ended, but for its last step.
    await eventually(lambda: all(thread.name != "journal-writer" for thread in threading.enumerate()))


async def test_an_error_in_a_call_is_nobody_elses(writer: JournalWriter) -> None:
    errors: list[str] = []
    seen: list[int] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: errors.append(repr(told["exception"])))
    writer.submit(points(call(1)), lambda _: seen.remove(7))
    writer.submit(points(call(2)), lambda _: seen.append(2))
    await eventually(lambda: seen)
    assert errors == ["ValueError('list.remove(x): x not in list')"]


async def test_one_exporter_at_a_time(writer: JournalWriter, path: Path) -> None:
    with Journal.open(path) as other:
        with pytest.raises(JournalError, match="another exporter"):
            async with JournalWriter(other):
                pass
        assert other.write(points(call(1)), 1.0)  # a command may write


async def test_another_may_follow(journal: Journal) -> None:
    for _ in range(3):
        async with JournalWriter(journal):
            pass


async def test_a_journal_in_memory() -> None:
    with Journal.open(None) as journal:
        async with JournalWriter(journal) as writer:
            writer.submit(points(call(1)))
        assert len(lines(journal)) == 1


# --- failures ---------------------------------------------------------------------------------------


async def test_a_full_disk_loses_nothing_and_is_told_once(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, LOGGER)
    async with JournalWriter(journal) as writer:
        written: list[int] = []
        with full_disk(journal):
            for number in range(2000):
                writer.submit(points(call(number)), lambda new: written.append(len(new)))
            await eventually(lambda: writer.errors >= 2, what="a second attempt")
            assert not written
            assert writer.failing_since
            assert "make room on its disk" in writer.problem
        await eventually(lambda: len(written) == 2000, within=10)
        assert not writer.problem
    [warning, recovery] = told(caplog)
    assert warning.startswith(
        f"WARNING: cannot write the journal {journal.path}: database or disk is full; make room on its disk; "
        "points are kept in memory"
    )
    assert recovery.startswith(f"INFO: the journal {journal.path} is written again, after ")
    assert [pending.line for pending in journal.pending("acme", 9999)] == [
        point_of(call(number)).line for number in range(2000)
    ]


async def test_a_locked_journal_is_told_and_waited_for(
    writer: JournalWriter, journal: Journal, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    with somebody_else_writes(path):
        writer.submit(points(call(1)))
        await eventually(lambda: writer.errors)
    await eventually(lambda: not writer.waiting)
    assert (
        "database is locked; another process has been writing to it all the time: end it" in told(caplog)[0]
    )
    assert len(lines(journal)) == 1


async def test_memory_has_a_limit_and_the_newest_points_stay(
    journal: Journal, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with JournalWriter(journal, max_waiting=100) as writer:
        written: list[int] = []

        def note(number: int) -> Callable[[Sequence[Point]], None]:
            return lambda _: written.append(number)

        with somebody_else_writes(path):
            for number in range(200):
                batch = points(call(number))
                batch.open_items["milano", "call", f"{number}"] = None if number < 190 else "{}"
                batch.totals["milano", "calls", "[]"] = float(number)
                writer.submit(batch, note(number))
            await eventually(lambda: writer.points_lost)
        await eventually(lambda: not writer.waiting)
        await eventually(lambda: written and written[-1] == 199)
        lost = writer.points_lost
    assert 150 <= lost <= 160
    assert len(lines(journal)) == 200 - lost
    assert written == list(range(lost, 200))
    # What is over is over, and what was counted is counted.
    assert len(journal.open_items("milano")) == 10
    assert journal.totals("milano") == {("calls", "[]"): 199.0}
    [message] = told(caplog, logging.ERROR)
    assert message.startswith(f"ERROR: {lost} points are lost, for the journal {path}: memory holds no more")


async def test_a_batch_that_cannot_be_stored_holds_up_no_other(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    async with JournalWriter(journal) as writer:
        seen: list[int] = []
        writer.submit(points(call(1)), lambda _: seen.append(1))
        bad = points(call(2))
        bad.open_items["milano", "call", "half \ud83d"] = "{}"
        writer.submit(bad, lambda _: seen.append(2))
        writer.submit(points(call(3)), lambda _: seen.append(3))
        await eventually(lambda: len(seen) == 2)
        assert seen == [1, 3]
        assert writer.points_lost == 1
    assert len(lines(journal)) == 2
    assert "they cannot be stored" in told(caplog, logging.ERROR)[-1]


async def test_an_end_while_the_disk_fails_is_in_time_and_told(
    journal: Journal, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = JournalWriter(journal)
    with somebody_else_writes(path):
        async with writer:
            for number in range(5):
                writer.submit(points(call(number)))
            started = time.monotonic()
            await writer.close(timeout_s=0.7)
        assert time.monotonic() - started < 5
    assert writer.points_lost == 5
    assert "5 points are lost" in told(caplog, logging.ERROR)[-1]
    assert "the exporter ends" in told(caplog, logging.ERROR)[-1]


async def test_points_wait_for_a_disk_that_comes_back_before_the_end(journal: Journal, path: Path) -> None:
    writer = JournalWriter(journal)
    async with writer:
        with somebody_else_writes(path):
            writer.submit(points(call(1)))
            await eventually(lambda: writer.errors >= 1)
    assert len(lines(journal)) == 1


# --- figures and upkeep -----------------------------------------------------------------------------


async def test_figures(journal: Journal, path: Path) -> None:
    journal.write(points(call(1), call(2)), 1000.0)
    async with JournalWriter(journal) as writer:
        await eventually(lambda: writer.backlog)
        assert writer.backlog == {"acme": (2, 1000.0)}
        assert writer.size_bytes >= path.stat().st_size > 0


async def test_what_is_too_old_goes_while_new_points_come(journal: Journal) -> None:
    now = 1795390000.0 + 100_000
    for start in range(0, 10_000, 2000):
        journal.write(points(*(call(n) for n in range(start, start + 2000)), tenant=None), now)
    async with JournalWriter(journal, Retention(journal, 95_000.0, None), wall_clock=lambda: now) as writer:
        writer.submit(points(call(99_000), tenant=None))
        await eventually(
            lambda: journal.rows("SELECT min(time) FROM queue_call") == [(1795395000 * 1_000_000,)], within=20
        )
    assert journal.rows("SELECT count(*) FROM queue_call") == [(5001,)]
