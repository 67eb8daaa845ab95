"""What agents did in some half hours, from their calls, ringings, memberships and pauses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from asterpanel_exporter.history.half_hours import AgentDuty, AgentInterval
from asterpanel_exporter.history.records import AttemptResult
from asterpanel_exporter.periods import US
from asterpanel_exporter.report.intervals import Interval, clipped, difference, intersection, union
from asterpanel_exporter.rollup.half_hours import Grid

_NOBODY: Final = ""


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """A call that an agent answered. Times are Unix microseconds; ``free_us``: the end of the wrap-up."""

    queue: str
    agent: str
    agent_name: str
    joined_us: int
    connected_us: int
    ended_us: int
    free_us: int
    ring_us: int
    talk_us: int
    wrapup_us: int
    transferred: int


@dataclass(frozen=True, slots=True)
class Ringing:
    """Of an agent's phone."""

    queue: str
    agent: str
    agent_name: str
    result: AttemptResult
    started_us: int
    ring_us: int


@dataclass(frozen=True, slots=True)
class Presence:
    """A membership of a queue, or a pause (of all queues: ``queue`` is "").

    ``is_over``: False if it still went on.
    """

    queue: str
    agent: str
    agent_name: str
    started_us: int
    ended_us: int
    is_over: bool


@dataclass(slots=True)
class Staffing:
    """Microseconds of a queue's members in a half hour, as in `QueueInterval`."""

    staffed: int = 0
    paused: int = 0
    elsewhere: int = 0


@dataclass(slots=True)
class _InQueue:
    """Microseconds and counts of an agent in one queue, as in `AgentInterval`."""

    answered: int = 0
    talk: int = 0
    wrapup: int = 0
    answered_ring: int = 0
    transferred: int = 0
    rings: int = 0
    no_answer: int = 0
    rejected: int = 0
    cancelled: int = 0
    ring: int = 0
    staffed: int = 0
    paused: int = 0


@dataclass(slots=True)
class _Duty:
    """Microseconds and counts of an agent, as in `AgentDuty`.

    ``away``: on duty and on pause; ``idle``: on duty, not on pause and not busy. ``named``: when something
    last told his name, and the name.
    """

    on_duty: int = 0
    paused: int = 0
    away: int = 0
    idle: int = 0
    on_call: int = 0
    ringing: int = 0
    wrapup: int = 0
    pauses: int = 0
    first_us: int = 0
    last_us: int = 0
    named: tuple[int, str] = (-1, _NOBODY)

    def seen(self, moment_us: int) -> None:
        self.first_us = min(self.first_us or moment_us, moment_us)
        self.last_us = max(self.last_us, moment_us)


@dataclass(slots=True)
class _Agent:
    """What is known of an agent."""

    members: dict[str, list[Presence]] = field(default_factory=lambda: defaultdict(list))
    pauses: list[Interval] = field(default_factory=list)
    busy: list[tuple[int, int, str]] = field(default_factory=list)


class AgentTimes:
    """Gathers them for the half hours of a grid.

    Whoever it is told of may reach beyond the grid: calls and ringings count for the half hour in which they
    began, times for those in which they were.
    """

    def __init__(self, switchboard: str, grid: Grid) -> None:
        self._switchboard = switchboard
        self._grid = grid
        self._agents: dict[str, _Agent] = defaultdict(_Agent)
        self._in_queue: dict[tuple[int, str, str, str], _InQueue] = defaultdict(_InQueue)
        self._duty: dict[tuple[int, str], _Duty] = defaultdict(_Duty)
        self._staffing: dict[tuple[int, str], Staffing] = defaultdict(Staffing)

    # --- what happened ------------------------------------------------------------------------------

    def add_call(self, call: AnsweredCall) -> None:
        """He answered it."""
        place = self._grid.place(call.joined_us)
        if place is not None:
            sums = self._in_queue[place, call.queue, call.agent, call.agent_name]
            sums.answered += 1
            sums.talk += call.talk_us
            sums.wrapup += call.wrapup_us
            sums.answered_ring += call.ring_us
            sums.transferred += call.transferred
            self._name(place, call.agent, call.agent_name, call.joined_us)
        self._agents[call.agent].busy.append((call.connected_us, call.free_us, call.queue))
        for place, part in self._grid.split(call.connected_us, call.ended_us):
            self._duty[place, call.agent].on_call += part
            self._name(place, call.agent, call.agent_name, call.joined_us)
        for place, part in self._grid.split(call.ended_us, call.free_us):
            self._duty[place, call.agent].wrapup += part
            self._name(place, call.agent, call.agent_name, call.joined_us)
        self._see(call.agent, call.agent_name, call.joined_us, call.connected_us, call.ended_us)

    def add_ringing(self, ringing: Ringing) -> None:
        """His phone rang."""
        place = self._grid.place(ringing.started_us)
        if place is not None:
            sums = self._in_queue[place, ringing.queue, ringing.agent, ringing.agent_name]
            sums.rings += 1
            sums.ring += ringing.ring_us
            sums.no_answer += ringing.result is AttemptResult.NO_ANSWER
            sums.rejected += ringing.result is AttemptResult.REJECTED
            sums.cancelled += ringing.result is AttemptResult.CANCELLED
        ended_us = ringing.started_us + ringing.ring_us
        self._agents[ringing.agent].busy.append((ringing.started_us, ended_us, ringing.queue))
        for place, part in self._grid.split(ringing.started_us, ended_us):
            self._duty[place, ringing.agent].ringing += part
            self._name(place, ringing.agent, ringing.agent_name, ringing.started_us)
        self._see(ringing.agent, ringing.agent_name, ringing.started_us, ringing.started_us)

    def add_membership(self, membership: Presence) -> None:
        """He was a member of a queue."""
        self._agents[membership.agent].members[membership.queue].append(membership)
        self._see_presence(membership)

    def add_pause(self, pause: Presence) -> None:
        """He was on pause."""
        self._agents[pause.agent].pauses.append((pause.started_us, pause.ended_us))
        place = self._grid.place(pause.started_us)
        if place is not None:
            self._duty[place, pause.agent].pauses += 1
        self._see_presence(pause)

    def _see_presence(self, presence: Presence) -> None:
        for place, _ in self._grid.split(presence.started_us, presence.ended_us):
            self._name(place, presence.agent, presence.agent_name, presence.started_us)
        ends = [presence.ended_us] if presence.is_over else []
        self._see(presence.agent, presence.agent_name, presence.started_us, presence.started_us, *ends)

    def _see(self, agent: str, name: str, named_us: int, *moments_us: int) -> None:
        for moment_us in moments_us:
            place = self._grid.place(moment_us)
            if place is not None:
                self._duty[place, agent].seen(moment_us)
                self._name(place, agent, name, named_us)

    def _name(self, place: int, agent: str, name: str, since_us: int) -> None:
        """The newest thing tells how he is called."""
        duty = self._duty[place, agent]
        duty.named = max(duty.named, (since_us, name))

    # --- what comes of it ---------------------------------------------------------------------------

    def settle(self) -> None:
        """All has been told: work out who was there, for whom."""
        for id_, agent in self._agents.items():
            away = union(clipped(agent.pauses, self._grid.start_us, self._grid.end_us))
            present = {queue: self._inside(members) for queue, members in agent.members.items()}
            on_duty = union(part for parts in present.values() for part in parts)
            busy = sorted(agent.busy)
            self._settle_duty(id_, on_duty, away, _merged(busy))
            for queue, parts in present.items():
                self._settle_queue(queue, parts, away, _merged(busy, queue))
            for queue, members in agent.members.items():
                self._settle_memberships(queue, id_, members, away)

    def _inside(self, members: Iterable[Presence]) -> list[Interval]:
        spans = ((each.started_us, each.ended_us) for each in members)
        return union(clipped(spans, self._grid.start_us, self._grid.end_us))

    def _settle_duty(
        self, agent: str, present: list[Interval], away: list[Interval], busy: list[Interval]
    ) -> None:
        for place, part in self._parts(present):
            self._duty[place, agent].on_duty += part
        for place, part in self._parts(away):
            self._duty[place, agent].paused += part
        for place, part in self._parts(intersection(present, away)):
            self._duty[place, agent].away += part
        for place, part in self._parts(difference(difference(present, away), busy)):
            self._duty[place, agent].idle += part

    def _settle_queue(
        self, queue: str, present: list[Interval], away: list[Interval], busy_elsewhere: list[Interval]
    ) -> None:
        for place, part in self._parts(present):
            self._staffing[place, queue].staffed += part
        for place, part in self._parts(intersection(present, away)):
            self._staffing[place, queue].paused += part
        for place, part in self._parts(intersection(difference(present, away), busy_elsewhere)):
            self._staffing[place, queue].elsewhere += part

    def _settle_memberships(
        self, queue: str, agent: str, members: Sequence[Presence], away: list[Interval]
    ) -> None:
        for name in {each.agent_name for each in members}:
            present = self._inside(each for each in members if each.agent_name == name)
            for place, part in self._parts(present):
                self._in_queue[place, queue, agent, name].staffed += part
            for place, part in self._parts(intersection(present, away)):
                self._in_queue[place, queue, agent, name].paused += part

    def _parts(self, intervals: Iterable[Interval]) -> Iterator[tuple[int, int]]:
        for start, end in intervals:
            yield from self._grid.split(start, end)

    def staffing(self) -> dict[tuple[int, str], Staffing]:
        """By index of the half hour and queue; only where there were members."""
        return self._staffing

    def agent_intervals(self) -> Iterator[AgentInterval]:
        """Of whom there is something to tell."""
        for (place, queue, agent, name), sums in self._in_queue.items():
            yield AgentInterval(
                self._switchboard, queue, agent, name, self._grid.halves[place].start_us / US,
                answered=sums.answered, talk_s=sums.talk / US, wrapup_s=sums.wrapup / US,
                answered_ring_s=sums.answered_ring / US, transferred=sums.transferred, rings=sums.rings,
                ring_no_answer=sums.no_answer, ring_rejected=sums.rejected, ring_cancelled=sums.cancelled,
                ring_s=sums.ring / US, staffed_s=sums.staffed / US, paused_s=sums.paused / US,
            )  # fmt: skip

    def agent_duties(self) -> Iterator[AgentDuty]:
        """Of whom there is something to tell."""
        for (place, agent), duty in self._duty.items():
            yield AgentDuty(
                self._switchboard, agent, duty.named[1], self._grid.halves[place].start_us / US,
                on_duty_s=duty.on_duty / US, paused_s=duty.paused / US,
                available_s=(duty.on_duty - duty.away) / US, idle_s=duty.idle / US,
                on_call_s=duty.on_call / US, ringing_s=duty.ringing / US, wrapup_s=duty.wrapup / US,
                pauses=duty.pauses, first_at=duty.first_us / US, last_at=duty.last_us / US,
            )  # fmt: skip


def _merged(busy: Sequence[tuple[int, int, str]], but_for: str | None = None) -> list[Interval]:
    """The union of intervals in order, or of those that are not of one queue."""
    merged: list[Interval] = []
    for start, end, queue in busy:
        if queue == but_for:
            continue
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        elif start < end:
            merged.append((start, end))
    return merged
