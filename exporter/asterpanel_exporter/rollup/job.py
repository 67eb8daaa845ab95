"""The roll-up of a running exporter: about once a minute, in a thread of its own."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.journal.opening import JournalError
from asterpanel_exporter.rollup import erlang_c
from asterpanel_exporter.rollup.rollup import RollUp
from asterpanel_switchboard.config import Config

_log = logging.getLogger(__name__)

INTERVAL_S: Final = 60.0

BUSY_SHARE: Final = 0.5
"""How much of the time is worked, where there is much to do: the event loop runs in the same interpreter."""

LONGEST_STEP_S: Final = 1.0
"""No step counts for more than that when the pause after it is measured: the machine may have stood still."""

PROGRESS_EVERY_S: Final = 30.0
MUCH_HALF_HOURS: Final = 500
"""So many half hours take some seconds: the log says when they are begun and done."""

_DONE: Final = object()


class RollUpJob:
    """Keeps the half hours up to date, from `start` to `stop`.

    Args:
        config: the configuration.
        on_written: called in the job's thread when there is something new for InfluxDB.
        interval_s: from one beginning to the next.
        wall_clock: our Unix time.

    Attributes:
        last_success: Unix time at which all that was due had been made; None: not yet.
        errors: attempts that failed; what was due then is made the next time.
        due: half hours of switchboards that are to be made, by the last look.
    """

    def __init__(
        self,
        config: Config,
        on_written: Callable[[], None] = lambda: None,
        *,
        interval_s: float = INTERVAL_S,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.last_success: float | None = None
        self.errors = 0
        self.due = 0
        self._config = config
        self._on_written = on_written
        self._interval_s = interval_s
        self._wall_clock = wall_clock
        self._problem = ""
        self._stopping = threading.Event()
        # A daemon: where the disk hangs, it must not keep the process from its end.
        self._thread = threading.Thread(target=self._run, name="roll-up", daemon=True)

    def start(self) -> None:
        """Begin, with a first time at once. Blocks for a quarter of a second: see `erlang_c.prepare`."""
        erlang_c.prepare()
        self._thread.start()

    def stop(self, within_s: float = 2.0) -> None:
        """End, in the midst of the work too: what is not made is still due. Blocks for at most that time."""
        self._stopping.set()
        self._thread.join(within_s)

    # --- in the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                with Journal.open(self._config.journal.path, create=False) as journal:
                    self._roll_up(RollUp(journal, self._config, self._wall_clock))
            except (JournalError, sqlite3.Error) as error:
                self._failed(str(error))
            except Exception as error:
                _log.exception("roll-up: an error of ours")
                self._failed(f"{type(error).__name__}: {error}")
            self._stopping.wait(max(0.0, began + self._interval_s - time.monotonic()))

    def _roll_up(self, work: RollUp) -> None:
        self._at_leisure(work.look())
        due = self.due = work.due()
        if due >= MUCH_HALF_HOURS:
            _log.info("roll-up: %d half hours are to be made from the points of the journal", due)
        began = told_at = time.monotonic()

        def tell() -> None:
            nonlocal told_at
            self.due = max(0, due - work.progress.half_hours)
            if time.monotonic() - told_at >= PROGRESS_EVERY_S:
                told_at = time.monotonic()
                _log.info("roll-up: %d half hours are left", self.due)

        self._at_leisure(work.make(), tell)
        if self._stopping.is_set():
            return
        if due >= MUCH_HALF_HOURS:
            _log.info("roll-up: all are made, in %.0f s", time.monotonic() - began)
        self._succeeded(work.progress.points)

    def _at_leisure(self, steps: Iterator[None], after_each: Callable[[], None] = lambda: None) -> None:
        """Take the steps, with pauses in between, until there are no more or the end is wanted."""
        while not self._stopping.is_set():
            began = time.monotonic()
            if next(steps, _DONE) is _DONE:
                return
            after_each()
            worked_s = min(time.monotonic() - began, LONGEST_STEP_S)
            self._stopping.wait(worked_s * (1 - BUSY_SHARE) / BUSY_SHARE)

    def _succeeded(self, points: int) -> None:
        self.due = 0
        self.last_success = self._wall_clock()
        if self._problem:
            _log.info("roll-up: it works again")
            self._problem = ""
        if points:
            self._on_written()

    def _failed(self, problem: str) -> None:
        self.errors += 1
        level = logging.DEBUG if problem == self._problem else logging.WARNING
        self._problem = problem
        _log.log(level, "roll-up: %s; half hours are late in reports, and made as soon as it works", problem)
