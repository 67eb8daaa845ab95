"""Import of a queue_log into a fresh journal, beside reading it, splitting its lines and inserting them raw
with bare sqlite3.
"""

from __future__ import annotations

import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from operator import itemgetter
from pathlib import Path

from asterpanel_exporter.queue_log.importing import import_logs
from asterpanel_exporter.queue_log.reading import in_order
from asterpanel_switchboard.config import load_config

PAIRS = 3
CALLS = 60_000
QUEUES, AGENTS, QUEUES_OF_AN_AGENT = 40, 400, 3
CALLS_A_SECOND = 2
FIRST_AT = 1_790_000_000
INSERTED_AT_ONCE = 20_000

CONFIG = """\
journal: {path: journal.db}
switchboards:
  milano: {host: 127.0.0.1, username: asterpanel, secret_env: ASTERPANEL_BENCH_SECRET}
"""


def run() -> str:
    """The two in turn."""
    os.environ["ASTERPANEL_BENCH_SECRET"] = "unused"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "queue_log")
        log.write_text("".join(queue_log(CALLS)), encoding="utf-8")
        size, lines = log.stat().st_size, log.read_bytes().count(b"\n")
        ours, theirs = [], []
        for _ in range(PAIRS):
            theirs.append(_timed(_sqlite3, log))
            ours.append(_timed(_import, log))
    ratios = [theirs_s / ours_s for ours_s, theirs_s in zip(ours, theirs, strict=True)]
    ours_s, theirs_s = statistics.median(ours), statistics.median(theirs)
    return (
        f"{lines:,} lines, {size / 1e6:.1f} MB, {CALLS:,} calls; "
        f"import {lines / ours_s:,.0f} lines a second, {size / ours_s / 1e6:.1f} MB a second "
        f"({1e9 * ours_s / size:.0f} s for 1 GB); "
        f"split and bare sqlite3 {lines / theirs_s:,.0f} lines a second; "
        f"ratio {statistics.median(ratios):.2f} (min {min(ratios):.2f}, max {max(ratios):.2f}, {PAIRS} pairs)"
    )


def queue_log(calls: int, seed: int = 4) -> Iterator[str]:
    """A day's work: lines in the order of their time, the same for the same seed."""
    rng = random.Random(seed)
    serial = count(1)
    joins = [FIRST_AT + rng.randrange(calls // CALLS_A_SECOND + 1) for _ in range(calls)]
    told = [_call(rng, joined_at, serial) for joined_at in sorted(joins)]
    for at, line in sorted((line for lines in told for line in lines), key=itemgetter(0)):
        yield f"{at}|{line}\n"


def _call(rng: random.Random, joined_at: int, serial: Iterator[int]) -> list[tuple[int, str]]:
    uniqueid = f"{joined_at}.{next(serial)}"
    queue = rng.randrange(QUEUES)
    head = f"{uniqueid}|queue-{queue:02}"
    at = joined_at
    lines = [(at, f"{head}|NONE|ENTERQUEUE||39055{rng.randrange(10**6):06}|{rng.randint(1, 5)}")]
    while rng.random() < 0.3:
        at += 10
        lines.append((at, f"{head}|{_agent(rng, queue)}|RINGNOANSWER|10000"))
    ring_s = rng.randint(1, 9)
    at += ring_s
    wait_s = at - joined_at
    if rng.random() < 0.2:
        lines.append((at, f"{head}|{_agent(rng, queue)}|RINGCANCELED|{ring_s * 1000 - rng.randrange(999)}"))
        lines.append((at, f"{head}|NONE|ABANDON|1|1|{wait_s}"))
        return lines
    agent, talk_s = _agent(rng, queue), rng.randint(5, 600)
    lines.append((at, f"{head}|{agent}|CONNECT|{wait_s}|{at - ring_s}.{next(serial)}|{ring_s}"))
    ended = rng.choice(["COMPLETECALLER|", "COMPLETEAGENT|", "BLINDTRANSFER|7000|queues|"])
    lines.append((at + talk_s, f"{head}|{agent}|{ended}{wait_s}|{talk_s}|1"))
    return lines


def _agent(rng: random.Random, queue: int) -> str:
    """One of those who belong to it."""
    members = AGENTS * QUEUES_OF_AN_AGENT // QUEUES
    return f"Agent {(queue * 10 + rng.randrange(members)) % AGENTS:03}"


def _timed(work: Callable[[Path, Path], None], log: Path) -> float:
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        work(log, Path(folder))
        return time.perf_counter() - started


def _import(log: Path, folder: Path) -> None:
    path = folder / "asterpanel.yml"
    path.write_text(CONFIG, encoding="utf-8")
    summary = import_logs(load_config(path), "milano", in_order([str(log)]))
    if sum(summary.outcomes.values()) != CALLS or summary.malformed:
        raise AssertionError("not every call was found")


def _sqlite3(log: Path, folder: Path) -> None:
    db = sqlite3.connect(folder / "raw.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("CREATE TABLE line (time, callid, queue, agent, event, data)")
    with log.open(encoding="utf-8") as file:
        while rows := [
            line.rstrip("\n").split("|", 5) for line, _ in zip(file, range(INSERTED_AT_ONCE), strict=False)
        ]:
            db.execute("BEGIN")
            db.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?, ?)", rows)
            db.execute("COMMIT")
    db.close()
