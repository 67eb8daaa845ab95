"""Writing the journal from an asyncio loop, without ever waiting for the disk.

A thread of its own merges what has been submitted and commits it, a few times a second at most. What it could
not write yet stays in memory, up to a limit.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, Self

from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.journal.lock import ExporterLock
from asterpanel_exporter.journal.retention import Retention
from asterpanel_exporter.journal.waiting import OnWritten, Submission, WaitingBatches
from asterpanel_exporter.points.point import Point

_log = logging.getLogger(__name__)

COMMIT_INTERVAL_S: Final = 0.2
"""Least time from one commit to the next: what comes in between is written in one."""

MAX_WAITING: Final = 200_000
"""Points and batches that memory holds while the disk fails, about 1.5 KB each."""

FIRST_BACKOFF_S: Final = 0.5
LONGEST_BACKOFF_S: Final = 10.0

FIGURES_INTERVAL_S: Final = 10.0
RETENTION_INTERVAL_S: Final = 60.0
RETENTION_PAUSE_S: Final = 0.02
"""Between two steps of the retention, for whoever else writes."""

CLOSE_TIMEOUT_S: Final = 10.0

_ADVICE: Final[Mapping[str, str]] = {
    "SQLITE_FULL": "make room on its disk",
    "SQLITE_BUSY": "another process has been writing to it all the time: end it",
    "SQLITE_READONLY": "give the exporter the right to write it",
    "SQLITE_CANTOPEN": "give the exporter its folder back",
    "SQLITE_IOERR": "look after its disk",
    "SQLITE_CORRUPT": "it is damaged: stop the exporter, move it away and start again with a new one",
    "SQLITE_NOTADB": "it is damaged: stop the exporter, move it away and start again with a new one",
}


class JournalWriter:
    """The exporter's way into its journal. An asynchronous context manager; `submit` is for its event loop.

    Args:
        journal: for this writer, and for users that bear to wait for a commit.
        retention: what is deleted now and then, in the same thread; None: nothing.
        commit_interval_s: least time from one commit to the next.
        max_waiting: points and batches that memory holds while the disk fails. Of more, the oldest points are
            given up: the newest tell most, and `import-queue-log` can bring the others back.
        wall_clock: our Unix time.

    Attributes:
        waiting: what is not in the journal yet.
        points_written: points that were new.
        points_known: points that the journal had already.
        points_lost: points given up: while the disk failed and memory was full, at the end, or because they
            could not be stored at all. Each time the log says how many.
        errors: attempts to write, or to delete what is too old, that failed.
        failing_since: Unix time of the first of the failures that go on; None: all is well.
        problem: what is wrong and what to do about it; "" if all is well.
        last_commit_s: how long the last commit took.
        last_commit_at: Unix time of its end; None before the first.
        size_bytes: of the file and its write-ahead log; some seconds old, as is `backlog`.
        backlog: by tenant, the number of undelivered lines and when the oldest was accepted (Unix time).
    """

    def __init__(
        self,
        journal: Journal,
        retention: Retention | None = None,
        *,
        commit_interval_s: float = COMMIT_INTERVAL_S,
        max_waiting: int = MAX_WAITING,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.waiting = WaitingBatches(max_waiting)
        self.points_written = 0
        self.points_known = 0
        self.points_lost = 0
        self.errors = 0
        self.failing_since: float | None = None
        self.problem = ""
        self.last_commit_s = 0.0
        self.last_commit_at: float | None = None
        self.size_bytes = 0
        self.backlog: Mapping[str, tuple[int, float]] = {}
        self._journal = journal
        self._retention = retention
        self._commit_interval_s = commit_interval_s
        self._wall_clock = wall_clock
        self._told: set[str] = set()
        self._backoff_s = FIRST_BACKOFF_S
        self._commit_at = 0.0
        self._upkeep_at = 0.0
        self._submissions = 0
        self._closed = False
        self._lock: ExporterLock | None = None
        self._loop: asyncio.AbstractEventLoop
        self._ended: asyncio.Event
        self._upkeep = self._upkeep_steps()

    async def __aenter__(self) -> Self:
        """Start.

        Raises:
            JournalError: another exporter writes this journal.
        """
        if self._journal.path is not None:
            self._lock = ExporterLock(self._journal.path)
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        # A daemon: where the disk hangs, it must not keep the process from its end.
        threading.Thread(target=self._run, name="journal-writer", daemon=True).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def submit(self, batch: Batch, on_written: OnWritten | None = None) -> None:
        """Have a batch written; never waits.

        Args:
            batch: it must not be changed afterwards.
            on_written: called in the event loop once the journal has the batch, with the points that are new;
                in the order of submission. Never, if the batch is given up.

        Raises:
            RuntimeError: the writer has ended.
        """
        if self._closed:
            raise RuntimeError("the journal's writer has ended")
        self._submissions += 1
        self.waiting.put(Submission(batch, on_written))

    async def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Write all that was submitted, and what is submitted in the last calls of ``on_written``, and end.

        Where the disk fails, what could not be written within the timeout is given up; the log says how much.
        """
        if self._closed:
            return
        self._commit_interval_s = 0.0
        self._commit_at = 0.0
        self.waiting.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                before = -1
                while self._submissions != before + 1:  # something came besides what waits for the rest
                    before = self._submissions
                    await self._all_written()
        self._closed = True
        self.waiting.wake()
        try:
            await asyncio.wait_for(self._ended.wait(), timeout_s)
        except TimeoutError:
            _log.error("the disk of the journal %s hangs: its last points may be lost", self._journal.path)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def _all_written(self) -> None:
        written = asyncio.Event()
        self.submit(Batch(), lambda _: written.set())
        await written.wait()

    # --- in the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self.waiting or not self._closed:
                now = time.monotonic()
                if self.waiting and now >= self._commit_at:
                    self._commit()
                elif self._closed:
                    break
                elif now >= self._upkeep_at:
                    self._keep_up()
                else:
                    self.waiting.wait(self._upkeep_at, writing_from=self._commit_at)
        finally:
            self._lose(self.waiting.points, "the exporter ends")
            self._in_loop(self._ended.set)

    def _in_loop(self, function: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(function, *arguments)

    def _commit(self) -> None:
        started = time.monotonic()
        try:
            self._write(self.waiting.all())
        except sqlite3.Error as error:
            self._failed(error)
            self._commit_at = time.monotonic() + self._backoff_s
            self._backoff_s = min(2 * self._backoff_s, LONGEST_BACKOFF_S)
            self._lose(self.waiting.give_up_oldest(), "memory holds no more")
        else:
            self._commit_at = started + self._commit_interval_s

    def _write(self, submissions: Sequence[Submission]) -> None:
        """Raises sqlite3.Error if the disk fails. A batch that cannot be stored at all holds up no other."""
        started = time.monotonic()
        try:
            new = self._journal.write_all([each.batch for each in submissions], self._wall_clock())
        except Exception as error:
            if _is_of_the_disk(error):
                raise
            if len(submissions) > 1:
                for submission in submissions:
                    self._write([submission])
                return
            _log.exception("a batch cannot be stored in the journal %s", self._journal.path)
            self._lose(len(submissions[0].batch.points), "they cannot be stored")
            self.waiting.remove(1)
        else:
            self.last_commit_s = time.monotonic() - started
            self._written(submissions, new)

    def _written(self, submissions: Sequence[Submission], new: Sequence[Sequence[Point]]) -> None:
        self.waiting.remove(len(submissions))
        self.last_commit_at = self._wall_clock()
        written = sum(map(len, new))
        self.points_written += written
        self.points_known += sum(len(each.batch.points) for each in submissions) - written
        self._succeeded()
        self._in_loop(self._call_back, submissions, new)

    def _call_back(self, submissions: Sequence[Submission], new: Sequence[Sequence[Point]]) -> None:
        """In the loop; each call on its own, so that an error in one is nobody else's."""
        for submission, points in zip(submissions, new, strict=True):
            if submission.on_written is not None:
                self._loop.call_soon(submission.on_written, points)

    # --- upkeep -------------------------------------------------------------------------------------

    def _keep_up(self) -> None:
        try:
            pause_s = next(self._upkeep)
        except Exception as error:
            if not _is_of_the_disk(error):
                _log.exception("the upkeep of the journal %s failed", self._journal.path)
            self._failed(error)
            self._upkeep = self._upkeep_steps()
            pause_s = FIGURES_INTERVAL_S
        self._upkeep_at = time.monotonic() + pause_s

    def _upkeep_steps(self) -> Iterator[float]:
        """Endless; between the steps, seconds to pause."""
        look_at = retain_at = 0.0
        while True:
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + self._look()
            if self._retention is not None and time.monotonic() >= retain_at:
                for _ in self._retention.steps(self._wall_clock()):
                    yield RETENTION_PAUSE_S
                    if time.monotonic() >= look_at:
                        look_at = time.monotonic() + self._look()
                retain_at = time.monotonic() + RETENTION_INTERVAL_S
            yield max(0.0, look_at - time.monotonic())

    def _look(self) -> float:
        """Take the figures; says in how many seconds to do so again: a large backlog is long to count."""
        started = time.monotonic()
        self.backlog = self._journal.backlog()
        self.size_bytes = self._journal.size_bytes()
        return max(FIGURES_INTERVAL_S, 20 * (time.monotonic() - started))

    # --- failures -----------------------------------------------------------------------------------

    def _failed(self, error: Exception) -> None:
        self.errors += 1
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        advice = next((advice for prefix, advice in _ADVICE.items() if name.startswith(prefix)), name)
        self.problem = f"cannot write the journal {self._journal.path}: {error}; {advice}"
        self.failing_since = self.failing_since or self._wall_clock()
        level = logging.DEBUG if name in self._told else logging.WARNING
        self._told.add(name)
        _log.log(level, "%s; points are kept in memory, %d so far", self.problem, self.waiting.points)

    def _succeeded(self) -> None:
        self._backoff_s = FIRST_BACKOFF_S
        if self.failing_since is not None:
            seconds = self._wall_clock() - self.failing_since
            _log.info("the journal %s is written again, after %.0f s", self._journal.path, seconds)
            self.failing_since = None
            self.problem = ""
            self._told.clear()

    def _lose(self, points: int, reason: str) -> None:
        if points:
            self.points_lost += points
            _log.error(
                "%d points are lost, for the journal %s: %s; import-queue-log brings back those of calls",
                points, self._journal.path, reason,
            )  # fmt: skip


def _is_of_the_disk(error: Exception) -> bool:
    """Full, failing, locked, damaged: not the fault of what was to be written."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError
