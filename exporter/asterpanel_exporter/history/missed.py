"""Calls that ended while nobody watched, by the switchboard's counters, and the gaps in which they did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from asterpanel_exporter.history.counters import QueueCounters
from asterpanel_exporter.history.records import SwitchboardGap
from asterpanel_exporter.history.settlement import QueueAtGapsEnd, Settlement
from asterpanel_exporter.history.visit import Visit
from asterpanel_exporter.state import Snapshot
from asterpanel_exporter.state.snapshot import QueueSnapshot
from asterpanel_switchboard.events import AgentEvent, AgentStep, CallerJoined, LiveEvent

UNIDENTIFIED_CALL = "unidentified_call"
"""Cause of a gap without duration: a call that began in another one ended, and nothing tells which it was."""

ROUNDED_S = 1.0
"""Asterisk tells how long a call was in whole seconds."""


class MissedCalls:
    """Of one switchboard. Names of queues are the canonical ones.

    Attributes:
        changed: queues whose counters have changed since they were last taken.
        gap: (cause, start) of the time in which nobody watches, until it is told of.
        restarted: the switchboard has restarted since it was last watched.
    """

    def __init__(self, switchboard: str, emit: Callable[[SwitchboardGap], None]) -> None:
        self._switchboard = switchboard
        self._emit = emit
        self._counters: dict[str, QueueCounters] = {}
        self._settlement: Settlement | None = None
        self._unidentified: set[tuple[str, str]] = set()
        self._free: set[tuple[str, str]] = set()
        self._listed_at = 0.0
        self.changed: set[str] = set()
        self.gap: tuple[str, float] | None = None
        self.restarted = False

    # --- calls --------------------------------------------------------------------------------------

    def told(self, queue: str, visit: Visit) -> None:
        """The record of a call is made."""
        if visit.completed or visit.given_up:
            counters = self._counters_of(queue)
            counters.completed += visit.completed
            counters.abandoned += visit.given_up

    def counted(self, queue: str, visit: Visit) -> None:
        """The switchboard has counted a call; if the list had it already, it was not missed after all."""
        if visit.completed:
            self._unidentified.discard((queue, visit.interface.casefold()))
        if self._settlement is None:
            return
        if visit.completed:
            found = self._settlement.had_completed(queue, visit.interface)
            self._not_missed(queue, found, completed=1)
        else:
            found = self._settlement.had_abandoned(queue, visit.uniqueid)
            self._not_missed(queue, found, abandoned=1)

    def _not_missed(
        self, queue: str, found: QueueAtGapsEnd | None, *, completed: int = 0, abandoned: int = 0
    ) -> None:
        if found is None:
            return
        if found.is_new:
            counters = self._counters_of(queue)
            counters.completed -= completed
            counters.abandoned -= abandoned
        else:
            found.completed = max(0, found.completed - completed)
            found.abandoned = max(0, found.abandoned - abandoned)

    def completed_untold(self, queue: str, interface: str, at: float) -> None:
        """A call has ended, and nothing tells which one: if it began in a gap, it was missed."""
        call = queue, interface.casefold()
        if call in self._unidentified:
            self._unidentified.discard(call)
            self._counters_of(queue).completed += 1
            self._emit(SwitchboardGap(self._switchboard, UNIDENTIFIED_CALL, at, 0.0, 1))

    def was_missed(self, queue: str, interface: str, began_at: float) -> bool:
        """Whether an answered call whose end is told only now was over, and counted, before the gap was.

        So it is with a talk that was redirected: AgentComplete comes when the caller hangs up at last.

        Args:
            queue: its name.
            interface: of the member.
            began_at: when they were connected, to a second.
        """
        if self._settlement is not None or began_at - ROUNDED_S > self._listed_at:
            return False
        return (queue, interface.casefold()) in self._free

    # --- gaps ---------------------------------------------------------------------------------------

    def begin_gap(self, cause: str, at: float) -> None:
        """From then on nobody watches. One that is not told of yet goes on: its calls are counted anew."""
        self._settlement = None
        if self.gap is None:
            self.gap = cause, at

    def before(self, event: LiveEvent, at: float) -> None:
        """An event is about to be taken."""
        settlement = self._settlement
        if settlement is None:
            return
        self.advance(at)
        if isinstance(event, CallerJoined):
            settlement.joined(event.queue, event.caller.uniqueid)
        elif isinstance(event, AgentEvent) and event.step is AgentStep.CONNECTED:
            settlement.connected(event.queue, event.interface)

    def end_gap(self, snapshot: Snapshot, untold: Mapping[str, list[Visit]], now: float) -> None:
        """The first list after a gap. How many calls were missed shows when the events behind it have come.

        Missed calls are those of the queues that were known before: what an unknown one has counted may be
        years old.

        Args:
            snapshot: the list.
            untold: visits by queue whose record is not made yet.
            now: the switchboard's time.
        """
        cause, start = self.gap or ("", now)
        settlement = self._settlement = Settlement(cause, min(start, now), now, {})
        self._unidentified.clear()
        self._free.clear()
        self._listed_at = now
        for name, listed in snapshot.queues.items():
            is_new = name not in self._counters
            counters = self._counters_of(name)
            told = _told(listed, untold.get(name, ()))
            if is_new:
                counters.take(*told)
            known = {visit.interface.casefold() for visit in untold.get(name, ()) if visit.is_talking}
            self._unidentified |= {(name, interface) for interface in talking(listed) - known}
            self._free |= {(name, m.interface.casefold()) for m in listed.members if m.in_call is False}
            settlement.queues[name] = QueueAtGapsEnd(
                *counters.missed(*told, restarted=self.restarted),
                {caller.caller.uniqueid for caller in listed.callers},
                set(talking(listed)),
                is_new,
            )
        self.restarted = False
        self.advance(now)

    def rebase(self, snapshot: Snapshot, untold: Mapping[str, list[Visit]]) -> None:
        """A later list on the same connection."""
        if self._settlement is not None:
            return
        for name, listed in snapshot.queues.items():
            told = _told(listed, untold.get(name, ()))
            if name in self._counters:
                self._counters_of(name).rebase(*told)
            else:
                self._counters_of(name).take(*told)

    def next_due(self) -> float | None:
        """When `advance` will have something to do."""
        return None if self._settlement is None else self._settlement.due_at

    def advance(self, now: float) -> None:
        """Nothing earlier will come any more. A gap in which nothing was missed is settled at once."""
        settlement = self._settlement
        if settlement is not None and (settlement.due_at <= now or not (settlement.missed or settlement.new)):
            self.settle()

    def settle(self) -> None:
        """Tell of the gap that has ended."""
        settlement, self._settlement = self._settlement, None
        if settlement is None:
            return
        for name, queue in settlement.queues.items():
            if not queue.is_new and (queue.completed or queue.abandoned):
                counters = self._counters_of(name)
                counters.completed += queue.completed
                counters.abandoned += queue.abandoned
        if self.gap is not None:
            self.gap = None
            self._emit(settlement.gap(self._switchboard))

    def shut_down(self) -> None:
        """The switchboard goes down: its counters begin anew."""
        for name in self._counters:
            self._counters_of(name).take(0, 0)

    # --- the journal --------------------------------------------------------------------------------

    def restore(self, queue: str, text: str) -> None:
        """What its counters were when the exporter stopped."""
        self._counters[queue] = QueueCounters.from_json(text)

    def open_item(self, queue: str) -> str:
        """JSON of a queue's counters."""
        return self._counters[queue].to_json()

    def _counters_of(self, queue: str) -> QueueCounters:
        self.changed.add(queue)
        return self._counters.setdefault(queue, QueueCounters())


def talking(listed: QueueSnapshot) -> frozenset[str]:
    """Interfaces, in lower case, that are in a call of the queue."""
    return frozenset(member.interface.casefold() for member in listed.members if member.in_call)


def _told(listed: QueueSnapshot, untold: Iterable[Visit]) -> tuple[int, int]:
    """What the switchboard has counted, completed and abandoned, without the calls whose record waits."""
    completed, abandoned = listed.params.completed, listed.params.abandoned
    for visit in untold:
        completed -= visit.completed
        abandoned -= visit.given_up
    return completed, abandoned
