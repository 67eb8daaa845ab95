"""Calls missed in a gap: how many is known only when the events have come that the first list was ahead of.

AMI may deliver events behind a list whose counters have them already. Whether they do, the list itself tells:
who talks in it is not counted as completed, who waits is not counted as abandoned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from asterpanel_exporter.history.records import SwitchboardGap

SETTLE_S: Final = 2.0
"""So far behind a list events may come that it knows of."""


@dataclass(slots=True)
class QueueAtGapsEnd:
    """A queue in the first list after a gap.

    Attributes:
        completed, abandoned: calls that it has counted and that nobody has told of.
        waiting: Uniqueids of those who wait, then and since.
        talking: interfaces, in lower case, that talk, then and since.
        is_new: it was not known before the gap, so that what it has counted is of any age.
    """

    completed: int
    abandoned: int
    waiting: set[str]
    talking: set[str]
    is_new: bool


@dataclass(slots=True)
class Settlement:
    """A gap that has ended.

    Attributes:
        cause, started_at, ended_at: of the gap.
        queues: by name.
    """

    cause: str
    started_at: float
    ended_at: float
    queues: dict[str, QueueAtGapsEnd]

    @property
    def due_at(self) -> float:
        """When all such events have come."""
        return self.ended_at + SETTLE_S

    @property
    def missed(self) -> int:
        """Calls, as far as it is known now."""
        return sum(q.completed + q.abandoned for q in self.queues.values() if not q.is_new)

    @property
    def new(self) -> bool:
        """Whether a queue was not known before."""
        return any(queue.is_new for queue in self.queues.values())

    def gap(self, switchboard: str) -> SwitchboardGap:
        """Its record."""
        duration_s = self.ended_at - self.started_at
        return SwitchboardGap(switchboard, self.cause, self.started_at, duration_s, self.missed)

    def joined(self, queue: str, uniqueid: str) -> None:
        if queue in self.queues:
            self.queues[queue].waiting.add(uniqueid)

    def connected(self, queue: str, interface: str) -> None:
        if queue in self.queues:
            self.queues[queue].talking.add(interface.casefold())

    def had_abandoned(self, queue: str, uniqueid: str) -> QueueAtGapsEnd | None:
        """The queue, if it had counted this caller as abandoned before the list."""
        found = self.queues.get(queue)
        return None if found is None or uniqueid in found.waiting else found

    def had_completed(self, queue: str, interface: str) -> QueueAtGapsEnd | None:
        """The queue, if it had counted this member's call as completed before the list."""
        found = self.queues.get(queue)
        interface = interface.casefold()
        if found is None:
            return None
        if interface in found.talking:
            found.talking.discard(interface)
            return None
        return found
