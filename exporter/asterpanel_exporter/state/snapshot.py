"""The answer to QueueStatus, put together from its list items."""

from __future__ import annotations

from dataclasses import dataclass, field

from asterpanel_switchboard.events import (
    CallerListed,
    ListItem,
    MemberListed,
    MemberReport,
    QueueListed,
    QueueListEnded,
)

MAX_OPEN_LISTS = 8
"""Security limit: of lists begun and never ended, the oldest is forgotten. Asterisk sends one at a time."""


@dataclass(slots=True)
class QueueSnapshot:
    """One queue as listed: callers in the order of their positions."""

    params: QueueListed
    members: list[MemberReport] = field(default_factory=list)
    callers: list[CallerListed] = field(default_factory=list)


@dataclass(slots=True)
class Snapshot:
    """A finished list. ``action_id`` tells which request it answers."""

    action_id: str
    queues: dict[str, QueueSnapshot]


class SnapshotBuilder:
    """Collects list items, by the action that asked for them (a recording may hold several lists)."""

    def __init__(self) -> None:
        self._open: dict[str, dict[str, QueueSnapshot]] = {}

    def add(self, item: ListItem) -> Snapshot | None:
        """Take one item; return the snapshot when this was the last one of its list.

        A member or caller of a queue that was not listed before it is ignored: nothing can be known of it.
        """
        match item:
            case QueueListed():
                if item.action_id not in self._open and len(self._open) >= MAX_OPEN_LISTS:
                    del self._open[next(iter(self._open))]
                self._open.setdefault(item.action_id, {})[item.queue] = QueueSnapshot(item)
            case MemberListed():
                queue = self._open.get(item.action_id, {}).get(item.member.queue)
                if queue is not None:
                    queue.members.append(item.member)
            case CallerListed():
                queue = self._open.get(item.action_id, {}).get(item.queue)
                if queue is not None:
                    queue.callers.append(item)
            case QueueListEnded():
                queues = self._open.pop(item.action_id, {})
                for queue in queues.values():
                    queue.callers.sort(key=lambda caller: caller.position)
                return Snapshot(item.action_id, queues)
        return None

    def forget(self) -> None:
        """Drop unfinished lists: their connection is gone."""
        self._open.clear()
