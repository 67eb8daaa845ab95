"""All that a switchboard's past is made of, kept beside its live state and fed with the same events."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from asterpanel_exporter.history.call_records import agent_attempt, queue_call
from asterpanel_exporter.history.calls import CallTracker
from asterpanel_exporter.history.counters import QueueCounters
from asterpanel_exporter.history.encoding import encode
from asterpanel_exporter.history.intervals import Intervals
from asterpanel_exporter.history.records import AttemptResult, Outcome, Record, SwitchboardGap
from asterpanel_exporter.history.visit import Ringing, Visit
from asterpanel_exporter.state import ResyncReason, Snapshot, SwitchboardState
from asterpanel_exporter.state.snapshot import QueueSnapshot
from asterpanel_switchboard.config import QueueSettings
from asterpanel_switchboard.events import (
    LiveEvent,
    MemberChange,
    MemberChanged,
    ShuttingDown,
)

BOOT_TOLERANCE_S: Final = 5.0
"""Uptime is told in whole seconds, some time before it arrives."""

_OBSERVED: Final = frozenset({MemberChange.PAUSE, MemberChange.ADDED, MemberChange.REMOVED})


@dataclass(slots=True)
class Changes:
    """What is to be written down.

    Attributes:
        records: what has finished, in the order in which it did.
        offered: callers offered to each queue since the last time.
        thresholds_s: of service levels that were found to be in use since the last time.
        open_items: what has begun, changed or (None) ended, as JSON by (kind, key).
    """

    records: list[Record] = field(default_factory=list)
    offered: Counter[str] = field(default_factory=Counter)
    thresholds_s: set[float] = field(default_factory=set)
    open_items: dict[tuple[str, str], str | None] = field(default_factory=dict)


class History:
    """Calls, pauses, memberships, gaps and missed calls of one switchboard.

    Attributes:
        known_at: the last time, on the switchboard's clock, at which it was watched; None before the first.
    """

    def __init__(self, switchboard: str, state: SwitchboardState) -> None:
        self._switchboard = switchboard
        self._state = state
        self._changes = Changes()
        self._calls = CallTracker(
            state.identity, self._call_ended, self._attempt_ended, self._offered, self._completed_late
        )
        self._intervals = Intervals(switchboard, state, self._changes_record)
        self._counters: dict[str, QueueCounters] = {}
        self._counters_changed: set[str] = set()
        self._boot_at: float | None = None
        self._restarted = False
        self._gap: tuple[str, float] | None = None
        self.known_at: float | None = None

    # --- what happens -------------------------------------------------------------------------------

    def apply(self, event: LiveEvent, at: float) -> None:
        """Take one event, after the live state has."""
        self._calls.apply(event, at)
        if type(event) is MemberChanged:
            if event.change in _OBSERVED:
                member = event.member
                self._intervals.observe([self._state.identity(member.interface, member.name)], at)
        elif type(event) is ShuttingDown:
            self._calls.shut_down(at)
        if self.known_at is None or at > self.known_at:
            self.known_at = at

    def advance(self, now: float) -> None:
        """Nothing that is earlier than this time will come any more: decide what is due."""
        self._calls.advance(now)

    def next_due(self) -> float | None:
        """When `advance` may have something to do."""
        return self._calls.visits.next_due()

    def watched(self, at: float) -> None:
        """All up to this time was seen."""
        if self.known_at is None or at > self.known_at:
            self.known_at = at

    def booted(self, boot_at: float) -> None:
        """The switchboard has told how long it has been up: since then, by our clock."""
        if self._boot_at is not None and abs(boot_at - self._boot_at) > BOOT_TOLERANCE_S:
            self._restarted = True
        self._boot_at = boot_at

    def _changes_record(self, record: Record) -> None:
        self._changes.records.append(record)

    def _offered(self, queue: str) -> None:
        self._changes.offered[self._canonical(queue)] += 1

    def _settings(self, queue: str) -> tuple[float, float]:
        settings: QueueSettings = self._state.settings(queue)
        threshold_s = settings.service_level_threshold_s
        if threshold_s is None:
            known = self._state.queues.get(queue)
            threshold_s = 0.0 if known is None else known.service_level_s
        return threshold_s, settings.short_abandon_s

    def _call_ended(self, visit: Visit, outcome: Outcome) -> None:
        queue = self._canonical(visit.queue)
        call = queue_call(self._switchboard, queue, visit, outcome, *self._settings(queue))
        self._changes_record(call)
        if visit.completed or visit.given_up:
            counters = self._counters_of(queue)
            counters.completed += visit.completed
            counters.abandoned += visit.given_up

    def _canonical(self, queue: str) -> str:
        """The dialplan's spelling may be another (``queue_hash_cb`` in ``app_queue.c`` ignores case)."""
        if queue in self._state.queues:
            return queue
        same = (known for known in self._state.queues if known.casefold() == queue.casefold())
        return next(same, queue)

    def _attempt_ended(self, visit: Visit, ringing: Ringing, result: AttemptResult, at: float) -> None:
        self._changes_record(agent_attempt(self._switchboard, visit, ringing, result, at))

    def _completed_late(self, queue: str) -> None:
        self._counters_of(queue).completed += 1

    def _counters_of(self, queue: str) -> QueueCounters:
        self._counters_changed.add(queue)
        return self._counters.setdefault(queue, QueueCounters())

    # --- where events are missing -------------------------------------------------------------------

    def disconnected(self, cause: str) -> None:
        """The connection is lost: from `known_at` on nobody watches."""
        if self._gap is None and self.known_at is not None:
            self._gap = cause, self.known_at
        self._calls.events_missing()

    def take_snapshot(self, snapshot: Snapshot, reason: ResyncReason, now: float) -> None:
        """The whole state was read, and the live state made equal to it.

        Missed calls are those of the queues that were known before: what an unknown one has counted may be
        years old.
        """
        fresh = reason is ResyncReason.CONNECTED
        missed = 0
        if fresh:
            self._calls.advance(now)
        visits = self._calls.visits.by_queue()
        for name, listed in snapshot.queues.items():
            self._changes.thresholds_s.add(self._settings(name)[0])
            here = visits.get(name, [])
            self._calls.reconcile(name, here, listed.callers, _talking(listed), now, fresh=fresh)
            missed += self._count(name, listed, here, fresh=fresh)
        gap_from = self._end_gap(now, missed) if fresh else None
        self._intervals.observe(sorted(self._intervals.agents()), now, gap_from)
        self._calls.visits.forget_lost(now)
        self.watched(now)

    def _count(self, name: str, listed: QueueSnapshot, visits: list[Visit], *, fresh: bool) -> int:
        completed = listed.params.completed - sum(visit.completed for visit in visits)
        abandoned = listed.params.abandoned - sum(visit.given_up for visit in visits)
        known = name in self._counters
        counters = self._counters_of(name)
        if fresh and known:
            return counters.missed(completed, abandoned, restarted=self._restarted)
        if fresh or not known:
            counters.completed, counters.abandoned = completed, abandoned
        else:
            counters.rebase(completed, abandoned)
        return 0

    def _end_gap(self, now: float, missed: int) -> float | None:
        """Tell of the time in which nobody watched; returns its start, None if there was none."""
        gap, self._gap = self._gap, None
        self._restarted = False
        if gap is None:
            return None
        cause, start = gap
        start = min(start, now)
        self._changes_record(SwitchboardGap(self._switchboard, cause, start, now - start, missed))
        return start

    # --- the journal --------------------------------------------------------------------------------

    def restore(self, items: Mapping[tuple[str, str], str]) -> list[str]:
        """Go on from what was open when the exporter stopped; returns what could not be read, in words."""
        unreadable = []
        for (kind, key), text in sorted(items.items()):
            try:
                self._restore_item(kind, key, text)
            except (ValueError, TypeError, KeyError) as error:
                unreadable.append(f"{kind} {key!r}: {error}")
        if self.known_at is not None:
            self.disconnected("exporter_stopped")
        return unreadable

    def _restore_item(self, kind: str, key: str, text: str) -> None:
        match kind:
            case "call":
                self._calls.restore(text)
            case "pause" | "session":
                self._intervals.restore(kind, text)
            case "counters":
                self._counters[key] = QueueCounters.from_json(text)
            case "board":
                board = json.loads(text)
                self.known_at, self._boot_at = board["known_at"], board["boot_at"]
                self._calls.sees_dialplan = board["sees_dialplan"]

    @property
    def has_changes(self) -> bool:
        """Whether `take` has anything to tell but that time has passed."""
        return bool(
            self._changes.records
            or self._changes.offered
            or self._changes.thresholds_s
            or self._calls.visits.changed
            or self._intervals.changed
            or self._counters_changed
        )

    def take(self) -> Changes:
        """What has changed since the last time."""
        changes, self._changes = self._changes, Changes()
        items = changes.open_items
        for key in self._calls.visits.changed:
            items["call", key] = self._calls.visits.open_item(key)
        for kind, key in self._intervals.changed:
            items[kind, key] = self._intervals.open_item(kind, key)
        for queue in self._counters_changed:
            items["counters", queue] = self._counters[queue].to_json()
        self._calls.visits.changed.clear()
        self._intervals.changed.clear()
        self._counters_changed.clear()
        if self.known_at is not None:
            items["board", ""] = encode(
                {
                    "known_at": self.known_at,
                    "boot_at": self._boot_at,
                    "sees_dialplan": self._calls.sees_dialplan,
                }
            )
        return changes


def _talking(listed: QueueSnapshot) -> frozenset[str]:
    return frozenset(member.interface.casefold() for member in listed.members if member.in_call)
