"""The switchboard's own counters of a queue, against the calls of which we have told.

``Completed`` rises when an answered call ends, ``Abandoned`` with each QueueCallerAbandon (``app_queue.c``,
``update_queue`` and ``record_abandoned``); both are zeroed by a restart, a reload of the module and
QueueReset. Callers who leave by a key or are refused entry are in neither.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final, Self

from asterpanel_exporter.history.encoding import encode

UNCERTAIN: Final = 2
"""What the counters lack up to so many was taken for missed once too often, by a list read while app_queue
ended a call, or never counted: Asterisk 22 forgets a call whose member is removed in the course of it."""

RESET_BELOW: Final = 0.9
"""Counters that have fallen further were reset."""


@dataclass(slots=True)
class QueueCounters:
    """What the counters must be, if we have told of every call.

    A call enters in the same moment as its record is made: whatever moment the exporter is killed in, a call
    is either recorded and in here, or neither.
    """

    completed: int = 0
    abandoned: int = 0
    surplus_completed: int = 0
    surplus_abandoned: int = 0

    def rebase(self, completed: int, abandoned: int) -> None:
        """The switchboard tells its counters on an unbroken connection.

        Asterisk 16 counts some calls through Local channels twice, and 22 some not at all, so a difference
        that is there twice in succession is taken for granted; once it may be a call whose events are still
        on their way.
        """
        if self._were_reset(completed, abandoned):
            self.take(completed, abandoned)
            return
        self.completed += _nearer_zero(completed - self.completed, self.surplus_completed)
        self.abandoned += _nearer_zero(abandoned - self.abandoned, self.surplus_abandoned)
        self.surplus_completed, self.surplus_abandoned = (
            completed - self.completed,
            abandoned - self.abandoned,
        )

    def take(self, completed: int, abandoned: int) -> None:
        """From now on they are as told."""
        self.completed, self.abandoned = completed, abandoned
        self.surplus_completed = self.surplus_abandoned = 0

    def missed(self, completed: int, abandoned: int, *, restarted: bool) -> tuple[int, int]:
        """Calls, completed and abandoned, that ended while nobody watched; they are to be added.

        Args:
            completed: as told now.
            abandoned: as told now.
            restarted: the switchboard has restarted meanwhile, so that all that they count was missed.
        """
        if restarted or self._were_reset(completed, abandoned):
            self.take(0, 0)
        self.surplus_completed = self.surplus_abandoned = 0
        self.completed = min(self.completed, completed + UNCERTAIN)
        self.abandoned = min(self.abandoned, abandoned + UNCERTAIN)
        return max(0, completed - self.completed), max(0, abandoned - self.abandoned)

    def _were_reset(self, completed: int, abandoned: int) -> bool:
        return any(
            told < min(ours - UNCERTAIN, ours * RESET_BELOW)
            for ours, told in ((self.completed, completed), (self.abandoned, abandoned))
        )

    def to_json(self) -> str:
        return encode(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


def _nearer_zero(one: int, other: int) -> int:
    """Of two differences the smaller; 0 if they have not the same sign."""
    if one * other <= 0:
        return 0
    return min(one, other, key=abs)
