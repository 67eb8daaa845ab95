"""Points a second from records into the journal (checked, rendered as lines, with outbox and series), beside
bare sqlite3 that writes the same rows into one plain table with ``executemany``.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AttemptResult,
    EndedBy,
    Outcome,
    QueueCall,
    Record,
)
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.journal.writer import JournalWriter
from asterpanel_exporter.points.catalogue import CATALOGUE
from asterpanel_exporter.points.point import point_of

POINTS = 50_000
BATCH = 1000
"""What 5,000 points a second make in one commit."""

PAIRS = 7
RATE = 5000
SECONDS = 8
TENANT = "bench"


def run() -> str:
    """Throughput in pairs, then what a steady stream costs, and how long it holds up the event loop."""
    records = [*_records(POINTS)]
    ours, theirs, again = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for pair in range(PAIRS):
            path = Path(folder) / f"{pair}.db"
            theirs.append(_timed(_bare_sqlite, records, path.with_suffix(".bare")))
            ours.append(_timed(_journal, records, path))
            again.append(_timed(_journal, records, path))
        cpu, latest_s, longest_s = asyncio.run(_stream(Path(folder) / "stream.db"))
    ratios = [theirs_s / ours_s for ours_s, theirs_s in zip(ours, theirs, strict=True)]
    return (
        f"records → points → journal with outbox and series, {BATCH} a commit: "
        f"{POINTS / statistics.median(ours):,.0f} points a second; baseline: sqlite3 executemany of the same "
        f"rows into one table without an index {POINTS / statistics.median(theirs):,.0f} a second; ratio "
        f"{statistics.median(ratios):.2f} (min {min(ratios):.2f}, max {max(ratios):.2f}, {PAIRS} pairs)\n"
        f"the same points again, none of them new: {POINTS / statistics.median(again):,.0f} a second\n"
        f"{RATE} points a second through the writer's thread for {SECONDS} s: {cpu:.1%} of one core; "
        f"a point is written within {latest_s * 1e3:.0f} ms; longest pause of the event loop "
        f"{longest_s * 1e3:.1f} ms"
    )


def _records(count: int) -> Sequence[Record]:
    chance = random.Random(1)
    return [_call(number, chance) if number % 3 else _attempt(number, chance) for number in range(count)]


def _call(number: int, chance: random.Random) -> QueueCall:
    agent = chance.randrange(200)
    return QueueCall(
        switchboard="milano",
        queue=f"queue-{agent % 20:02d}",
        outcome=Outcome.ANSWERED,
        joined_at=1795390000.0 + number * 0.0123,
        uniqueid=f"1795390000.{number}",
        linkedid=f"1795390000.{number}",
        caller=f"39055{number:06d}",
        caller_name="Anna Rossi",
        agent=f"{1000 + agent}",
        agent_name=f"Agent {agent}",
        ended_by=chance.choice([EndedBy.CALLER, EndedBy.AGENT]),
        wait_s=chance.random() * 30,
        ring_s=chance.random() * 10,
        talk_s=chance.random() * 300,
        position_in=2,
        position_out=1,
        attempts=1,
        sl_threshold_s=20.0,
        short_abandon_s=5.0,
    )


def _attempt(number: int, chance: random.Random) -> AgentAttempt:
    agent = chance.randrange(200)
    at = 1795390000.0 + number * 0.0123
    return AgentAttempt(
        "milano", f"queue-{agent % 20:02d}", f"{1000 + agent}", f"Agent {agent}", AttemptResult.ANSWERED, at,
        chance.random() * 10, f"1795390000.{number}",
    )  # fmt: skip


def _timed(work: Callable[[Sequence[Record], Path], None], records: Sequence[Record], path: Path) -> float:
    started = time.perf_counter()
    work(records, path)
    return time.perf_counter() - started


def _journal(records: Sequence[Record], path: Path) -> None:
    with Journal.open(path) as journal:
        for start in range(0, len(records), BATCH):
            points = [(TENANT, point_of(record)) for record in records[start : start + BATCH]]
            journal.write(Batch([*points]), 1795390000.0)
        if journal.backlog()[TENANT][0] != len(records):
            raise AssertionError("every point is written once")


def _bare_sqlite(records: Sequence[Record], path: Path) -> None:
    """The tags and fields as they are, missing columns empty; the same journal mode and commits."""
    of_each = [[tag.name for tag in m.tags] + [field.name for field in m.fields] for m in CATALOGUE]
    names = [*dict.fromkeys(name for names in of_each for name in names)]
    marks = ", ".join("?" for _ in range(len(names) + 1))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"CREATE TABLE point (at, {', '.join(names)})")
        for start in range(0, len(records), BATCH):
            rows = [
                (record.at, *(str(v) if isinstance(v := getattr(record, n, ""), str) else v for n in names))
                for record in records[start : start + BATCH]
            ]
            db.execute("BEGIN")
            db.executemany(f"INSERT INTO point VALUES ({marks})", rows)  # noqa: S608
            db.execute("COMMIT")


async def _stream(path: Path) -> tuple[float, float, float]:
    """CPU used, longest time from handing over to being told of it, longest pause of the loop; in seconds."""
    batches = [records[:] for records in _cut(_records(RATE * SECONDS), RATE // 20)]
    latencies: list[float] = []
    ticker = asyncio.create_task(_longest_pause())
    with Journal.open(path) as journal:
        async with JournalWriter(journal) as writer:
            used, started = _cpu_s(), time.perf_counter()
            for number, records in enumerate(batches):
                await asyncio.sleep(max(0.0, started + number / 20 - time.perf_counter()))
                submitted = time.perf_counter()
                writer.submit(
                    Batch([(TENANT, point_of(record)) for record in records]),
                    lambda _, at=submitted: latencies.append(time.perf_counter() - at),  # type: ignore[misc]
                )
            took = time.perf_counter() - started
            used = _cpu_s() - used
    ticker.cancel()
    longest = (await asyncio.gather(ticker))[0]
    return used / took, max(latencies), longest


def _cut(records: Sequence[Record], size: int) -> list[Sequence[Record]]:
    return [records[start : start + size] for start in range(0, len(records), size)]


async def _longest_pause(tick_s: float = 0.005) -> float:
    longest, last = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(tick_s)
            now = time.perf_counter()
            longest, last = max(longest, now - last - tick_s), now
    except asyncio.CancelledError:
        return longest


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    print(run())
