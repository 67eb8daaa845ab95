"""kill -9 in mid-writing: what was told as written is there, whole, and nothing is there by half.

This file is its own victim: run as a program, it starts one writing process after the other, each with a
journal of its own, and kills each at some random instant.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AttemptResult,
    Outcome,
    QueueCall,
    Record,
)
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.journal.retention import Retention
from asterpanel_exporter.journal.writer import JournalWriter
from asterpanel_exporter.points.point import Point, point_of

KILLS: Final = 50
LONGEST_LIFE_S: Final = 0.25
DELIVERED_AT_ONCE: Final = 20
START: Final = 1795390000.0


def records(number: int) -> list[Record]:
    """What one batch has."""
    at = START + number
    return [
        QueueCall("milano", f"q{number % 7}", Outcome.ANSWERED, at, f"u{number}", agent=f"{number % 50}"),
        AgentAttempt(
            "milano", f"q{number % 7}", f"{number % 50}", "Bob", AttemptResult.ANSWERED, at, 4.0, "u"
        ),
        AgentPause("milano", f"{number % 50}", "Bob", "lunch", at, 60.0),
    ]


def batch(number: int) -> Batch:
    return Batch(
        [("acme", point_of(record)) for record in records(number)],
        {("milano", "call", f"{number}"): "{}", ("milano", "call", f"{number - 3}"): None},
        {("milano", "calls", "[]"): float(number + 1)},
    )


# --- the victim -------------------------------------------------------------------------------------


async def write_until_killed(path: Path, told: int) -> NoReturn:
    """Writes batches 0, 1, 2 …; says "w N" when one is told as written, "d ID" when a line is delivered."""

    def say(text: str) -> None:
        os.write(told, text.encode("ascii"))

    journal = Journal.open(path)
    retention = Retention(journal, 10 * 365 * 86400.0, None)
    async with JournalWriter(journal, retention, commit_interval_s=0.002) as writer:

        def note(number: int, new: Sequence[Point]) -> None:
            assert len(new) == 3
            say(f"w {number}\n")

        for number in range(1_000_000):
            writer.submit(batch(number), lambda new, number=number: note(number, new))  # type: ignore[misc]
            if number % 30 == 29:
                await asyncio.to_thread(deliver, journal, say)
    raise AssertionError("not killed")


def deliver(journal: Journal, say: Any) -> None:
    ids = [pending.id for pending in journal.pending("acme", DELIVERED_AT_ONCE)]
    journal.delivered(ids)
    say("".join(f"d {id_}\n" for id_ in ids))


def kill_one(path: Path, life_s: float) -> list[str]:
    """What a process said before it was killed."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        asyncio.run(write_until_killed(path, writing))
    os.close(writing)
    time.sleep(life_s)
    os.kill(process, signal.SIGKILL)
    with os.fdopen(reading, encoding="ascii") as said:
        lines = said.read().splitlines(keepends=True)
    os.waitpid(process, 0)
    return [line.strip() for line in lines if line.endswith("\n")]


def examine(path: Path, said: list[str]) -> dict[str, Any]:
    """How the journal is after the kill; asserts that it is whole."""
    told = [int(line[2:]) for line in said if line.startswith("w ")]
    delivered = {int(line[2:]) for line in said if line.startswith("d ")}
    assert told == list(range(len(told))), "told in order, each once"
    if not path.exists():
        assert not told
        return {"batches": 0, "told": 0, "delivered": 0}
    with Journal.open(path) as journal:
        assert journal.rows("PRAGMA integrity_check") == [("ok",)]
        batches = journal.rows("SELECT count(*) FROM queue_call")[0][0]
        assert batches >= len(told), "nothing that was told is missing"
        expected = [point_of(record).line for number in range(batches) for record in records(number)]
        journal_lines = {pending.id: pending.line for pending in journal.pending("acme", 10_000_000)}
        first = min(journal_lines, default=len(expected) + 1)
        assert first > max(delivered, default=0), "what was delivered is gone"
        # Ids count from 1 in the order of acceptance, so the outbox is the end of all that was accepted.
        assert list(journal_lines.items()) == list(enumerate(expected, 1))[first - 1 :]
        journal.resend(0, 1 << 60, "all", ["milano"], 0.0)
        assert sorted(p.line for p in journal.pending("all", 10_000_000)) == sorted(expected)
        open_items = {("call", f"{number}"): "{}" for number in range(max(0, batches - 3), batches)}
        assert journal.open_items("milano") == open_items
        assert journal.totals("milano") == ({("calls", "[]"): float(batches)} if batches else {})
        # The next process goes on where it was.
        assert len(journal.write(batch(batches), 0.0)) == 3
    return {"batches": batches, "told": len(told), "delivered": len(delivered)}


def main(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(KILLS):
        path = folder / f"{number}.db"
        said = kill_one(path, chance.uniform(0.0, LONGEST_LIFE_S))
        print(json.dumps(examine(path, said)), flush=True)


# --- the test ---------------------------------------------------------------------------------------


def test_fifty_kills_lose_nothing_that_was_told(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.test_journal_kill", str(tmp_path), str(seed)],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, f"seed {seed}\n{done.stdout}{done.stderr}"
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(figures) == KILLS
    # The kills met processes in the middle of their work.
    assert sum(figure["told"] > 0 for figure in figures) > KILLS // 2
    assert sum(figure["delivered"] > 0 for figure in figures) > KILLS // 3


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
