"""What has been submitted and is not in the journal yet: in memory, in order, up to a limit."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asterpanel_exporter.journal.journal import Batch
from asterpanel_exporter.points.point import Point

OnWritten = Callable[[Sequence[Point]], None]


@dataclass(frozen=True, slots=True)
class Submission:
    """A batch, and whom to tell when the journal has it."""

    batch: Batch
    on_written: OnWritten | None = None


class WaitingBatches:
    """Filled by one thread, emptied by another.

    Args:
        limit: how many there may be, points and batches together, before `give_up_oldest` takes some away.

    Attributes:
        points: how many are waiting.
    """

    def __init__(self, limit: int) -> None:
        self.points = 0
        self._limit = limit
        self._changed = threading.Condition()
        self._woken = False
        self._queue: deque[Submission] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, submission: Submission) -> None:
        """Add one at the end."""
        with self._changed:
            self._queue.append(submission)
            self.points += len(submission.batch.points)
            if len(self._queue) == 1:
                self._changed.notify()

    def wake(self) -> None:
        """End the `wait` that goes on, or the next."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def wait(self, until: float, writing_from: float) -> None:
        """Until there is something to write, or `wake` is called.

        Args:
            until: time (of `time.monotonic`) at which to return in any case.
            writing_from: time before which nothing is to be written.
        """
        with self._changed:
            if self._queue:
                until = min(until, writing_from)
            if not self._woken and (pause_s := until - time.monotonic()) > 0:
                self._changed.wait(pause_s)
            self._woken = False

    def all(self) -> list[Submission]:
        """All that wait, which they still do."""
        with self._changed:
            return list(self._queue)

    def remove(self, count: int) -> None:
        """The oldest so many are written."""
        with self._changed:
            for _ in range(count):
                self.points -= len(self._queue.popleft().batch.points)

    def give_up_oldest(self) -> int:
        """Where there are too many, forget the oldest points; says how many.

        What has ended and what was counted stays, merged into one batch: a call whose point is lost must not
        come up again as one that is still going on. Nobody is told of these batches.
        """
        with self._changed:
            rest = Batch()
            lost = 0
            while len(self._queue) + self.points > self._limit and self.points:
                batch = self._queue.popleft().batch
                self.points -= len(batch.points)
                lost += len(batch.points)
                rest.open_items |= batch.open_items
                rest.totals |= batch.totals
            if rest:
                self._queue.appendleft(Submission(rest))
            return lost
