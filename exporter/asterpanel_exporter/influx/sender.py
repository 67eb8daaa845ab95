"""One tenant's points on their way from the journal to InfluxDB: in order, one request at a time."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from asterpanel_exporter.influx.answers import FailureKind, WriteError
from asterpanel_exporter.influx.client import WriteClient
from asterpanel_exporter.influx.pacing import FIRST_PAUSE_S, Backoff, RequestSize
from asterpanel_exporter.influx.problems import problem
from asterpanel_exporter.journal.journal import Journal, JournalError, Pending
from asterpanel_switchboard.config import InfluxConfig, InfluxTarget

log = logging.getLogger(__name__)

POLL_S: Final = 5.0
"""How often the journal is looked at without being told to: other commands write to it too."""

_NO_ANSWER = frozenset({FailureKind.TIMEOUT, FailureKind.CONNECTION})


class SenderState(Enum):
    """What a sender is doing."""

    IDLE = "idle"
    SENDING = "sending"
    WAITING = "waiting"
    STOPPED = "stopped"


@dataclass(slots=True)
class Progress:
    """How the delivery stands, written by the sender's thread and read by any.

    Attributes:
        state: idle (everything is delivered), sending, waiting (after a failure), stopped.
        delivered: lines that InfluxDB has acknowledged since the start.
        refused: lines that went to the dead letters since the start.
        errors: failed requests since the start, by kind.
        last_success: Unix time of the last acknowledgement.
        oldest_pending: Unix time at which the first line was accepted that is still to be delivered; None if
            there is none. Now less this is the lag.
        failing_since: Unix time of the first failure since the last success; None: all is well.
        problem: what is wrong, for a person; empty: nothing.
    """

    state: SenderState = SenderState.STOPPED
    delivered: int = 0
    refused: int = 0
    errors: Counter[FailureKind] = field(default_factory=Counter)
    last_success: float | None = None
    oldest_pending: float | None = None
    failing_since: float | None = None
    problem: str = ""

    def lag_s(self, now: float) -> float:
        """Seconds since the oldest undelivered line was accepted; 0 if there is none."""
        return 0.0 if self.oldest_pending is None else max(0.0, now - self.oldest_pending)


class Sender:
    """A thread that delivers one tenant's lines. Lines leave the journal when InfluxDB has acknowledged them.

    Args:
        config: the section `influxdb`.
        target: the tenant's bucket.
        journal: path of the journal; the thread opens a connection of its own.
        first_pause_s: the pause after a first failure.
    """

    def __init__(
        self, config: InfluxConfig, target: InfluxTarget, journal: Path, first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self.target = target
        self.progress = Progress()
        self._journal_path = journal
        self._client = WriteClient(config, target)
        self._size = RequestSize(config.batch_size)
        self._backoff = Backoff(config.max_retry_interval, first_pause_s)
        self._told: set[FailureKind] = set()
        self._news = threading.Event()
        self._stopping = threading.Event()
        # A daemon: where even the connecting hangs, it must not keep the process from its end.
        self._thread = threading.Thread(target=self._run, name=f"influx-{target.tenant}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """The journal has something new."""
        self._news.set()

    def request_stop(self) -> None:
        """Have the thread end after its request. What was not acknowledged stays in the journal."""
        self._stopping.set()
        self._news.set()

    def join(self, within_s: float) -> bool:
        """After `request_stop`: wait for the thread's end, its request cut short.

        Returns:
            Whether it has ended within that time; if not, it does when its connecting fails.
        """
        until = time.monotonic() + within_s
        while True:
            self._client.abort()
            self._thread.join(min(0.05, max(0.0, within_s)))
            if not self._thread.is_alive() or time.monotonic() >= until:
                return not self._thread.is_alive()

    # --- in the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    with Journal.open(self._journal_path) as journal:
                        self._deliver_until_stopped(journal)
                except (JournalError, sqlite3.Error) as error:
                    self._failed(WriteError(FailureKind.JOURNAL, str(error)))
                except Exception as error:
                    # Nothing but a restart would deliver again, if this thread ended.
                    log.exception("unexpected error while delivering the points of %s", self.target.tenant)
                    self._failed(WriteError(FailureKind.INTERNAL, type(error).__name__))
        finally:
            self.progress.state = SenderState.STOPPED
            self._client.close()

    def _deliver_until_stopped(self, journal: Journal) -> None:
        while not self._stopping.is_set():
            self._news.clear()
            try:
                batch = self._next_batch(journal)
                if not batch:
                    self._news.wait(POLL_S)
                    continue
                self._deliver(journal, batch)
            except WriteError as error:
                self._failed(error)

    def _next_batch(self, journal: Journal) -> Sequence[Pending]:
        batch = self._size.cut(journal.pending(self.target.tenant, self._size.lines))
        self.progress.oldest_pending = batch[0].accepted_at if batch else None
        self.progress.state = SenderState.SENDING if batch else SenderState.IDLE
        return batch

    def _deliver(self, journal: Journal, batch: Sequence[Pending]) -> None:
        """Send a batch; where lines of it are refused, halve it until only those are left.

        Raises:
            WriteError: InfluxDB takes nothing now. What it had taken before is no longer in the journal.
        """
        parts = [batch]
        refusals: list[WriteError] = []
        while parts and not self._stopping.is_set():
            part = parts.pop()
            try:
                self._client.write([pending.line for pending in part])
            except WriteError as error:
                if error.kind not in (FailureKind.REFUSED, FailureKind.TOO_LARGE):
                    raise
                self.progress.errors[error.kind] += 1
                if error.kind is FailureKind.TOO_LARGE:
                    self._size.too_large(part)
                if len(part) == 1 or error.dropped == len(part):
                    self._refused(journal, part, error)
                    refusals += [error] * len(part)
                else:
                    parts += [part[len(part) // 2 :], part[: len(part) // 2]]
            else:
                self._acknowledged(journal, part)
        if refusals:
            log.warning(
                "InfluxDB refused %d of %d points of tenant %s; they are kept as dead letters; the first: %s",
                len(refusals), len(batch), self.target.tenant, refusals[0].summary,
            )  # fmt: skip

    def _refused(self, journal: Journal, part: Sequence[Pending], error: WriteError) -> None:
        now = time.time()
        for pending in part:
            journal.refused(pending, self.target.tenant, error.message, now)
        self.progress.refused += len(part)

    def _acknowledged(self, journal: Journal, part: Sequence[Pending]) -> None:
        journal.delivered([pending.id for pending in part])
        self.progress.delivered += len(part)
        self.progress.last_success = time.time()
        self._size.succeeded()
        if self.progress.failing_since is not None:
            self._recovered(journal, self.progress.last_success - self.progress.failing_since)

    # --- failures -----------------------------------------------------------------------------------

    def _failed(self, error: WriteError) -> None:
        """Tell of it, and wait."""
        if self._stopping.is_set():
            return
        self.progress.errors[error.kind] += 1
        self.progress.state = SenderState.WAITING
        self.progress.failing_since = self.progress.failing_since or time.time()
        self.progress.problem = problem(self.target, error)
        if error.kind in _NO_ANSWER:
            self._size.failed()
        pause_s = self._backoff.pause_s(error)
        level = logging.DEBUG if error.kind in self._told else logging.WARNING
        self._told.add(error.kind)
        log.log(level, "%s; points are kept in the journal", self.progress.problem)
        log.debug("tenant %s: next attempt in %.1f s", self.target.tenant, pause_s)
        self._stopping.wait(pause_s)

    def _recovered(self, journal: Journal, seconds: float) -> None:
        kept, _ = journal.backlog().get(self.target.tenant, (0, 0.0))
        self.progress.failing_since = None
        self.progress.problem = ""
        self._told.clear()
        self._backoff.reset()
        log.info(
            "InfluxDB takes the points of tenant %s again, after %.0f s; %d more are kept and follow",
            self.target.tenant, seconds, kept,
        )  # fmt: skip
