"""Delivery in the background: a bounded queue and a thread for each place that entries go to."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from asterpanel_control_api.audit.entry import Entry

_log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
LAST_SEND_S = 0.2
"""How much longer a delivery may take that has begun in time."""


class NotDelivered(Exception):
    """An attempt has failed; another may succeed. Says why."""


class Refused(Exception):
    """These entries will never be taken. Says why."""


class LossReason(StrEnum):
    """Why an entry was given up."""

    QUEUE_FULL = "queue_full"
    TOO_OLD = "too_old"
    REFUSED = "refused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """Limits: how many entries wait, how many go at once, and for how long one is tried, in seconds."""

    max_waiting: int = 5000
    at_once: int = 50
    keep_trying_s: float = 3600.0


class Delivery:
    """Hands entries to a place, in their order. `put` never waits and never fails.

    Args:
        place: its name, for the log and the metrics.
        send: delivers some entries, and may take its time. Raises `NotDelivered` or `Refused`; told the same
            entries again, it must not double them.
        settings: limits.

    Attributes:
        delivered: entries that arrived.
        lost: entries given up, by reason. Their lines in the log remain.
        problem: what is wrong; "" if the last attempt succeeded.
    """

    def __init__(
        self,
        place: str,
        send: Callable[[Sequence[Entry]], None],
        settings: DeliverySettings | None = None,
    ) -> None:
        self.place = place
        self.delivered = 0
        self.lost: Counter[LossReason] = Counter()
        self.problem = ""
        self._send = send
        self._settings = settings or DeliverySettings()
        self._waiting: deque[tuple[float, Entry]] = deque()
        self._changed = threading.Condition()
        self._end_at: float | None = None
        self._is_closed = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Entries that are still to be delivered."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin. Not before a fork."""
        self._thread = threading.Thread(target=self._run, name=f"audit-{self.place}", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Deliver an entry some time soon. Of too many the oldest is given up."""
        with self._changed:
            if self._is_closed:
                self._lose(1, LossReason.ENDED, "the control API ends")
                return
            if len(self._waiting) >= self._settings.max_waiting:
                self._waiting.popleft()
                self._lose(1, LossReason.QUEUE_FULL, self.problem or "too many at a time")
            self._waiting.append((time.monotonic(), entry))
            self._changed.notify()

    def hurry(self, timeout_s: float) -> None:
        """Deliver what waits, for so long at most from now on, and nothing after it."""
        with self._changed:
            self._end_at = time.monotonic() + timeout_s
            self._changed.notify()

    def close(self, timeout_s: float) -> None:
        """Deliver what waits, for so long at most, and end."""
        self.hurry(timeout_s)
        if self._thread is not None:
            self._thread.join(timeout_s + LAST_SEND_S)
        with self._changed:
            self._is_closed = True
            self._lose(len(self._waiting), LossReason.ENDED, self.problem or "the control API ends")
            self._waiting.clear()

    def _run(self) -> None:
        pause_s = 0.0
        while self._wait(pause_s):
            batch = self._oldest()
            try:
                self._send([entry for _, entry in batch])
            except NotDelivered as error:
                pause_s = min(max(FIRST_PAUSE_S, 2 * pause_s), LONGEST_PAUSE_S)
                self._failed(str(error))
            except Refused as error:
                pause_s = 0.0
                self._refused(batch, str(error))
            except Exception as error:
                _log.exception("audit: delivery to %s failed by an error of ours", self.place)
                pause_s = 0.0
                self._refused(batch, repr(error))
            else:
                pause_s = 0.0
                self._succeeded(batch)

    def _wait(self, pause_s: float) -> bool:
        """Until there is something to send and the pause is over; False at the end."""
        started = time.monotonic()
        with self._changed:
            while True:
                now = time.monotonic()
                if self._end_at is not None and (not self._waiting or now >= self._end_at):
                    return False
                # At the end there is no time for a long pause.
                go_on_at = started + (min(pause_s, FIRST_PAUSE_S) if self._end_at is not None else pause_s)
                if self._waiting and now >= go_on_at:
                    return True
                self._changed.wait(go_on_at - now if self._waiting else None)

    def _oldest(self) -> Sequence[tuple[float, Entry]]:
        with self._changed:
            return [self._waiting[i] for i in range(min(len(self._waiting), self._settings.at_once))]

    def _remove(self, batch: Sequence[tuple[float, Entry]]) -> int:
        """Take out what was sent; what was given up meanwhile is no longer there."""
        with self._changed:
            before = len(self._waiting)
            sent = {id(item) for item in batch}
            while self._waiting and id(self._waiting[0]) in sent:
                self._waiting.popleft()
            return before - len(self._waiting)

    def _succeeded(self, batch: Sequence[tuple[float, Entry]]) -> None:
        self._remove(batch)
        self.delivered += len(batch)
        if self.problem:
            _log.info("audit: %s takes entries again, %d are waiting", self.place, self.waiting)
            self.problem = ""

    def _refused(self, batch: Sequence[tuple[float, Entry]], why: str) -> None:
        """One of several may be the cause: then each goes alone."""
        if len(batch) == 1:
            self._lose(self._remove(batch), LossReason.REFUSED, why)
            return
        for item in batch:
            try:
                self._send([item[1]])
            except NotDelivered as error:
                self._failed(str(error))
                return
            except Exception as error:
                self._lose(self._remove([item]), LossReason.REFUSED, str(error))
            else:
                self._succeeded([item])

    def _failed(self, problem: str) -> None:
        if not self.problem:
            _log.warning("audit: %s takes no entries, they are kept and tried again: %s", self.place, problem)
        self.problem = problem
        oldest = time.monotonic() - self._settings.keep_trying_s
        with self._changed:
            lost = 0
            while self._waiting and self._waiting[0][0] < oldest:
                self._waiting.popleft()
                lost += 1
            self._lose(lost, LossReason.TOO_OLD, problem)

    def _lose(self, count: int, reason: LossReason, why: str) -> None:
        if count:
            self.lost[reason] += count
            _log.error(
                "audit: %d entries are lost for %s (%s): %s; their lines are in this log",
                count, self.place, reason.value, why,
            )  # fmt: skip
