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
"""Counters that have fallen by more were reset. By less, a list was read in between the end of a call and its
being counted."""


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

        Asterisk 16 counts some calls through Local channels twice, so what is above what we know, twice in
        succession, is taken for granted; once it may be a call whose events are still on their way.
        """
        above_completed, above_abandoned = completed - self.completed, abandoned - self.abandoned
        if above_completed < 0 or above_abandoned < 0:
            self.completed, self.abandoned = completed, abandoned
            self.surplus_completed = self.surplus_abandoned = 0
            return
        self.completed += min(above_completed, self.surplus_completed)
        self.abandoned += min(above_abandoned, self.surplus_abandoned)
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
        lacking = max(self.completed - completed, self.abandoned - abandoned)
        if restarted or lacking > UNCERTAIN:
            self.take(0, 0)
        else:
            self.take(min(self.completed, completed), min(self.abandoned, abandoned))
        return completed - self.completed, abandoned - self.abandoned

    def to_json(self) -> str:
        return encode(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))
