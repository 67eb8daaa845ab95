"""The entries of a queue_log, in their order, as records of what has finished. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from asterpanel_exporter.history.records import Record
from asterpanel_exporter.queue_log.agents import Agents
from asterpanel_exporter.queue_log.calls import Calls
from asterpanel_exporter.queue_log.entries import (
    Completed,
    Connected,
    Entered,
    Entry,
    Ignored,
    Left,
    MemberChanged,
    PauseChanged,
    Rang,
    Started,
)
from asterpanel_exporter.queue_log.presence import Presence
from asterpanel_exporter.queue_log.queues import Queues

EXPIRE_EVERY_S: Final = 3600

MOST_SILENT_S: Final = 3600
"""A restart so long after the last line does not tell when Asterisk died: the last line does."""

MOST_IGNORED_EVENTS: Final = 200
"""Names of events that are counted apart; the dialplan can make up any number."""

OTHERS: Final = "others"


class LogFollower:
    """Follows one switchboard's log; memory is held only for what has not ended.

    Attributes:
        finished: records in the order in which they ended, for whoever takes them to clear.
        calls: the calls, with those that are still open.
        presence: pauses and memberships.
        ignored: lines that say nothing about either, by event.
        last_at: the latest time told; 0 before the first line.
    """

    def __init__(
        self, switchboard: str, agents: Agents, queues: Queues, members: Iterable[tuple[str, str]] = ()
    ) -> None:
        self.finished: list[Record] = []
        self.calls = Calls(switchboard, agents, queues, self.finished.append)
        self.presence = Presence(switchboard, agents, queues, self.finished.append, members)
        self.ignored: Counter[str] = Counter()
        self.last_at = 0
        self._expire_at = 0
        self._take: dict[type, Callable[[Any], None]] = {
            Entered: self.calls.entered,
            Left: self.calls.left,
            Rang: self._rang,
            Connected: self._connected,
            Completed: self.calls.completed,
            MemberChanged: self.presence.member_changed,
            PauseChanged: self.presence.pause_changed,
            Started: self._started,
            Ignored: self._ignored,
        }

    def take(self, entry: Entry) -> None:
        """Take one line's entry."""
        self._take[type(entry)](entry)
        if entry.at > self.last_at:
            self.last_at = entry.at
            if entry.at >= self._expire_at:
                self._expire_at = entry.at + EXPIRE_EVERY_S
                self.calls.expire(entry.at)

    def end(self) -> None:
        """There are no more lines."""
        self.calls.expire(self.last_at)

    def _rang(self, entry: Rang) -> None:
        self.presence.rung(entry.agent, entry.queue)
        self.calls.rang(entry)

    def _connected(self, entry: Connected) -> None:
        self.presence.rung(entry.agent, entry.queue)
        self.calls.connected(entry)

    def _started(self, entry: Started) -> None:
        silent = entry.at - self.last_at > MOST_SILENT_S
        died_at = self.last_at if silent and self.last_at else entry.at
        self.calls.restarted(died_at)
        self.presence.restarted(died_at)

    def _ignored(self, entry: Ignored) -> None:
        known = entry.event in self.ignored or len(self.ignored) < MOST_IGNORED_EVENTS
        self.ignored[entry.event if known else OTHERS] += 1
