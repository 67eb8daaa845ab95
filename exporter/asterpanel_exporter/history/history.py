"""All that a switchboard's past is made of, kept beside its live state and fed with the same events."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from asterpanel_exporter.history.call_records import agent_attempt, queue_call
from asterpanel_exporter.history.calls import CallTracker
from asterpanel_exporter.history.encoding import encode
from asterpanel_exporter.history.intervals import Intervals
from asterpanel_exporter.history.missed import MissedCalls, talking
from asterpanel_exporter.history.records import AttemptResult, Outcome, Record
from asterpanel_exporter.history.visit import Ringing, Visit
from asterpanel_exporter.state import ResyncReason, Snapshot, SwitchboardState
from asterpanel_switchboard.config import QueueSettings
from asterpanel_switchboard.events import (
    AgentEvent,
    LiveEvent,
    MemberChange,
    MemberChanged,
    ShuttingDown,
)

BOOT_TOLERANCE_S: Final = 5.0
"""Uptime is told in whole seconds, some time before it arrives."""

UPTIME_ROUNDED_S: Final = 2.0
"""By the rounding, and by how late it arrives, the same start seems so much later at most."""

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
        seen_at: the same by our clock.
    """

    def __init__(self, switchboard: str, state: SwitchboardState) -> None:
        self._switchboard = switchboard
        self._state = state
        self._changes = Changes()
        self._calls = CallTracker(
            state.identity,
            self._call_ended,
            self._attempt_ended,
            self._offered,
            lambda visit: self._missed.counted(self._canonical(visit.queue), visit),
            self._completed_untold,
            self._was_missed,
        )
        self._missed = MissedCalls(switchboard, self._changes_record)
        self._intervals = Intervals(switchboard, state, self._changes_record)
        self._service_levels: dict[str, float] = {}
        self._service_levels_changed: set[str] = set()
        self._boot_at: float | None = None
        self._watched_until: float | None = None
        self._gap_from: float | None = None
        self.known_at: float | None = None
        self.seen_at: float | None = None

    # --- what happens -------------------------------------------------------------------------------

    def apply(self, event: LiveEvent, at: float) -> None:
        """Take one event, after the live state has."""
        self._missed.before(event, at)
        self._calls.apply(event, at)
        if type(event) is MemberChanged:
            if event.change in _OBSERVED:
                member = event.member
                self._intervals.observe([self._state.identity(member.interface, member.name)], at)
        elif type(event) is ShuttingDown:
            self._missed.settle()
            self._calls.shut_down(at)
            self._missed.shut_down()
        if self.known_at is None or at > self.known_at:
            self.known_at = at

    def advance(self, now: float) -> None:
        """Nothing that is earlier than this time will come any more: decide what is due."""
        self._calls.advance(now)
        self._missed.advance(now)

    @property
    def untold(self) -> int:
        """Calls whose outcome is unknown because the manager user may not read the dialplan's events."""
        return self._calls.untold if self._calls.lacks_dialplan else 0

    def next_due(self) -> float | None:
        """When `advance` may have something to do."""
        times = (self._calls.visits.next_due(), self._missed.next_due())
        return min((time for time in times if time is not None), default=None)

    def watched(self, at: float) -> None:
        """All up to this time was seen."""
        if self.known_at is None or at > self.known_at:
            self.known_at = at

    def booted(self, boot_at: float) -> None:
        """The switchboard has told how long it has been up: since then, by our clock.

        It has restarted only if that is after it was last watched: else a clock was set.
        """
        if self._boot_at is not None and self.seen_at is not None:
            last = max(self._boot_at + UPTIME_ROUNDED_S, self.seen_at - BOOT_TOLERANCE_S)
            if boot_at > last:  # it may say so twice: at the login, and when it has finished starting
                self._restarted()
        self._boot_at = boot_at

    def _restarted(self) -> None:
        """It may be told before the first list, or, if that came before it had finished starting, after."""
        if self._watched_until is not None:
            self._missed.restarted = True
        elif self._gap_from is not None:
            self._calls.restarted(self._gap_from)

    def _changes_record(self, record: Record) -> None:
        self._changes.records.append(record)

    def _offered(self, queue: str) -> None:
        self._changes.offered[self._canonical(queue)] += 1

    def _settings(self, queue: str) -> tuple[float, float]:
        settings: QueueSettings = self._state.settings(queue)
        threshold_s = settings.service_level_threshold_s
        if threshold_s is None:
            known = self._state.queues.get(queue)
            threshold_s = self._service_levels.get(queue, 0.0) if known is None else known.service_level_s
        return threshold_s, settings.short_abandon_s

    def _call_ended(self, visit: Visit, outcome: Outcome) -> None:
        queue = self._canonical(visit.queue)
        call = queue_call(self._switchboard, queue, visit, outcome, *self._settings(queue))
        self._changes_record(call)
        self._missed.told(queue, visit)

    def _canonical(self, queue: str) -> str:
        """The dialplan's spelling may be another (``queue_hash_cb`` in ``app_queue.c`` ignores case)."""
        if queue in self._state.queues:
            return queue
        known = (*self._state.queues, *self._service_levels)
        return next((name for name in known if name.casefold() == queue.casefold()), queue)

    def _attempt_ended(self, visit: Visit, ringing: Ringing, result: AttemptResult, at: float) -> None:
        self._changes_record(agent_attempt(self._switchboard, visit, ringing, result, at))

    def _completed_untold(self, event: AgentEvent, at: float) -> None:
        self._missed.completed_untold(self._canonical(event.queue), event.interface, at)

    def _was_missed(self, event: AgentEvent, at: float) -> bool:
        if event.talk_s is None:
            return False
        return self._missed.was_missed(self._canonical(event.queue), event.interface, at - event.talk_s)

    # --- where events are missing -------------------------------------------------------------------

    def disconnected(self, cause: str) -> None:
        """The connection is lost: from `known_at` on nobody watches."""
        if self.known_at is not None and self._watched_until is None:
            self._watched_until = self.known_at
            self._missed.begin_gap(cause, self.known_at)
        self._calls.events_missing()

    def take_snapshot(self, snapshot: Snapshot, reason: ResyncReason, now: float) -> None:
        """The whole state was read, and the live state made equal to it."""
        fresh = reason is ResyncReason.CONNECTED
        ended_at = None
        if fresh:
            self._calls.advance(now)
            ended_at, self._watched_until = self._watched_until, None
            self._gap_from = ended_at
            if self._missed.restarted and ended_at is not None:  # it has said nothing of that
                self._calls.shut_down(min(ended_at, now))
        visits = self._calls.visits.by_queue()
        for name, listed in snapshot.queues.items():
            self._take_service_level(name, listed.params.service_level_s)
            self._changes.thresholds_s.add(self._settings(name)[0])
            here = visits.get(name, [])
            self._calls.reconcile(name, here, listed.callers, talking(listed), now, fresh=fresh)
        for name in visits.keys() - snapshot.queues.keys():
            self._calls.reconcile(name, visits[name], (), frozenset(), now, fresh=fresh)
        untold = self._calls.visits.by_queue()
        if fresh:
            self._missed.end_gap(snapshot, untold, now)
        else:
            self._missed.rebase(snapshot, untold)
        self._intervals.observe(
            sorted(self._intervals.agents()), now, None if ended_at is None else min(ended_at, now)
        )
        self._calls.forget_lost(now)
        self.watched(now)

    def _take_service_level(self, queue: str, threshold_s: float) -> None:
        """Kept for calls that are told of before the first list after a restart."""
        if self._service_levels.get(queue) != threshold_s:
            self._service_levels[queue] = threshold_s
            self._service_levels_changed.add(queue)

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
            case "service_level":
                self._service_levels[key] = float(text)
            case "counters":
                self._missed.restore(key, text)
            case "board":
                board = json.loads(text)
                self.known_at, self._boot_at = board["known_at"], board["boot_at"]
                self.seen_at = board["seen_at"]
                if board.get("gap") is not None:
                    self._missed.begin_gap(*board["gap"])
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
            or self._missed.changed
            or self._service_levels_changed
        )

    def take(self) -> Changes:
        """What has changed since the last time."""
        changes, self._changes = self._changes, Changes()
        items = changes.open_items
        for key in self._calls.visits.changed:
            items["call", key] = self._calls.visits.open_item(key)
        for kind, key in self._intervals.changed:
            items[kind, key] = self._intervals.open_item(kind, key)
        for queue in self._service_levels_changed:
            items["service_level", queue] = repr(self._service_levels[queue])
        self._service_levels_changed.clear()
        for queue in self._missed.changed:
            items["counters", queue] = self._missed.open_item(queue)
        self._calls.visits.changed.clear()
        self._intervals.changed.clear()
        self._missed.changed.clear()
        if self.known_at is not None:
            items["board", ""] = encode(
                {
                    "known_at": self.known_at,
                    "boot_at": self._boot_at,
                    "seen_at": self.seen_at,
                    "sees_dialplan": self._calls.sees_dialplan,
                    "gap": self._missed.gap,
                }
            )
        return changes
