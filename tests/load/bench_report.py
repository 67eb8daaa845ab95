"""Time of `report queues` over a month of 1,000,000 calls, from opening the journal to the table, beside bare
`sqlite3`: the same sums from one plain table that has everything in each row.
"""

from __future__ import annotations

import io
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from asterpanel_exporter.history.records import AgentAttempt, AttemptResult, EndedBy, Outcome, QueueCall
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.points.catalogue import QUEUE_CALL
from asterpanel_exporter.points.point import point_of
from asterpanel_exporter.report.assembly import queue_report
from asterpanel_exporter.report.buckets import Bucket
from asterpanel_exporter.report.journal_reader import open_reader
from asterpanel_exporter.report.options import Asked
from asterpanel_exporter.report.rendering import write_tables
from asterpanel_switchboard.config import load_config
from asterpanel_switchboard.service_level import DEFAULT_FORMULA

CALLS = 1_000_000
QUEUES = 20
AGENTS = 100
BATCH_CALLS = 20_000
PAIRS = 5
GOAL_S = 2.0

MONTH = "2026-11"
START = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
MONTH_S = 30 * 86400

CONFIG = """\
journal: {path: journal.db}
queue_settings: [{wrapup_time: 10s}]
switchboards:
  milano: {host: 127.0.0.1, username: asterpanel, secret_file: secret}
"""
_OUTCOMES = [
    *[Outcome.ANSWERED] * 80,
    *[Outcome.ABANDONED] * 12,
    *[Outcome.TIMEOUT] * 4,
    *[Outcome.EXIT_KEY] * 2,
    Outcome.FULL,
    Outcome.JOIN_EMPTY,
]


def run() -> str:
    """Build both, then ask them in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "asterpanel.yml").write_text(CONFIG, encoding="utf-8")
        (folder / "secret").write_text("none", encoding="ascii")
        started = time.perf_counter()
        attempts = build_journal(folder / "journal.db")
        built_s = time.perf_counter() - started
        _build_plain(folder)
        asked = Asked(load_config(folder / "asterpanel.yml"), ("milano",), (), MONTH, "table", time.time())
        ours, theirs, by_day = [], [], []
        for _ in range(PAIRS):
            theirs.append(_timed(lambda: _plain(folder / "plain.db")))
            ours.append(_timed(lambda: _report(asked, None)))
            by_day.append(_timed(lambda: _report(asked, Bucket.DAY)))
    ratios = [theirs_s / ours_s for ours_s, theirs_s in zip(ours, theirs, strict=True)]
    return (
        f"{CALLS:,} calls and {attempts:,} ring attempts of one month, {QUEUES} queues, {AGENTS} agents "
        f"(journal written in {built_s:.0f} s)\n"
        f"report queues {statistics.median(ours):.2f} s (goal {GOAL_S:g} s), --by day "
        f"{statistics.median(by_day):.2f} s; bare sqlite3, one plain table indexed by time: "
        f"{statistics.median(theirs):.2f} s; ratio {statistics.median(ratios):.2f} "
        f"(min {min(ratios):.2f}, max {max(ratios):.2f}, {PAIRS} pairs)"
    )


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _report(asked: Asked, bucket: Bucket | None) -> None:
    with open_reader(asked.config.journal.path) as reader:
        report = queue_report(reader, asked, bucket, DEFAULT_FORMULA, None)
    write_tables(report, io.StringIO())
    if sum(row.offered for row in report.boards[0].rows) != CALLS:
        raise AssertionError("the report has not all calls")


def _calls() -> Iterator[tuple[QueueCall, list[AgentAttempt]]]:
    rng = random.Random(4)
    for number in range(CALLS):
        joined_at = round(START + number * MONTH_S / CALLS, 6)
        queue, agent = f"queue{rng.randrange(QUEUES):02}", str(1001 + rng.randrange(AGENTS))
        outcome = rng.choice(_OUTCOMES)
        uniqueid = f"{joined_at:.0f}.{number}"
        is_answered = outcome is Outcome.ANSWERED
        rings = [AttemptResult.NO_ANSWER] * (rng.random() < 0.25) + [AttemptResult.ANSWERED] * is_answered
        ended_by = rng.choice([EndedBy.CALLER, EndedBy.CALLER, EndedBy.AGENT, EndedBy.BLIND_TRANSFER])
        call = QueueCall(
            "milano", queue, outcome, joined_at, uniqueid, uniqueid, f"02{rng.randrange(10**8):08}",
            agent=agent if is_answered else "", agent_name=f"Agent {agent}" if is_answered else "",
            ended_by=ended_by if is_answered else EndedBy.UNKNOWN,
            wait_s=round(rng.expovariate(1 / 18), 6), ring_s=5.0 * is_answered,
            talk_s=round(rng.expovariate(1 / 180), 6) * is_answered,
            position_in=1, position_out=1, attempts=len(rings), sl_threshold_s=20.0, short_abandon_s=5.0,
        )  # fmt: skip
        yield (
            call,
            [
                AgentAttempt(
                    "milano", queue, agent, f"Agent {agent}", result, joined_at + place, 5.0, uniqueid
                )
                for place, result in enumerate(rings)
            ],
        )


def build_journal(path: Path) -> int:
    """A journal with a month of calls and ring attempts of milano; says how many attempts."""
    attempts = 0
    with Journal.open(path) as journal:
        batch = Batch()
        for number, (call, rings) in enumerate(_calls(), start=1):
            attempts += len(rings)
            batch.points.append((None, point_of(call)))
            batch.points += [(None, point_of(ring)) for ring in rings]
            if number % BATCH_CALLS == 0:
                journal.write(batch, 0.0)
                batch = Batch()
        journal.write(batch, 0.0)
    return attempts


def _build_plain(folder: Path) -> None:
    """The same calls in one table, ring no answers counted in a column of each call."""
    columns = [*(tag.name for tag in QUEUE_CALL.tags), *(field.name for field in QUEUE_CALL.fields)]
    plain = sqlite3.connect(folder / "plain.db")
    plain.execute(f"CREATE TABLE call (time INTEGER, no_answer INTEGER, {', '.join(columns)})")
    plain.execute("ATTACH ? AS journal", (str(folder / "journal.db"),))
    plain.execute(
        f"INSERT INTO call SELECT time, attempts - answered, {', '.join(columns)} "  # noqa: S608
        "FROM journal.queue_call_points ORDER BY time"
    )
    plain.execute("CREATE INDEX call_time ON call (time)")
    plain.commit()
    plain.close()


_PLAIN = """
SELECT queue, outcome, count(*), sum(wait_s), max(wait_s), sum(talk_s), sum(short_abandon), sum(transferred),
    sum(within_sl + abandoned_within_sl), min(sl_threshold_s), max(sl_threshold_s), sum(attempts),
    sum(no_answer)
FROM call WHERE switchboard = 'milano' AND time >= ? AND time < ? GROUP BY queue, outcome
"""


def _plain(path: Path) -> None:
    plain = sqlite3.connect(path)
    rows = plain.execute(_PLAIN, (round(START * 1e6), round((START + MONTH_S) * 1e6))).fetchall()
    plain.close()
    if sum(row[2] for row in rows) != CALLS:
        raise AssertionError("the plain table has not all calls")
