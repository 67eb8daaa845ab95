"""A month of calls with known truth: a small simulation of the call centre, the same one at every run.

Callers come at random, wait for the first free member of their queue, and give up, are answered or end
otherwise; agents work in shifts with pauses. What comes of it are the records that the exporter would have
made of such a month.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AgentSession,
    AttemptResult,
    EndedBy,
    Outcome,
    QueueCall,
    Record,
    SwitchboardGap,
)
from tests.dashboards.call_centre import (
    AUTOPAUSE,
    REASONS,
    SHORT_ABANDON_S,
    SWITCHBOARDS,
    AgentProfile,
    QueueProfile,
    SwitchboardProfile,
)
from tests.dashboards.worker import Worker

FIRST_DAY: Final = date(2026, 10, 1)
DAYS: Final = 31
"""October 2026: on the 25th, Rome sets its clocks back by an hour."""

_SHAPE: Final = (0.5, 0.9, 1.3, 1.2, 0.8, 0.9, 1.2, 1.1, 0.7)
"""Traffic over the hours that a queue is open."""

_WEEKDAYS: Final = (1.3, 1.0, 0.9, 1.0, 1.1, 0.35, 0.2)
_ODD_ENDS: Final = (
    Outcome.EXIT_KEY,
    Outcome.WITHDRAWN,
    Outcome.REDIRECTED,
    Outcome.LEAVE_EMPTY,
    Outcome.LEAVE_UNAVAIL,
    Outcome.CONTINUE,
    Outcome.UNKNOWN,
)
_ODD: Final = 0.06
_OVERFLOW: Final = 0.5
_AGAIN: Final = 0.3


@dataclass(frozen=True)
class Month:
    """What has happened, by kind, in the order of the beginnings."""

    calls: list[QueueCall]
    attempts: list[AgentAttempt]
    pauses: list[AgentPause]
    sessions: list[AgentSession]
    gaps: list[SwitchboardGap]

    @property
    def records(self) -> Iterator[Record]:
        return itertools.chain(self.sessions, self.pauses, self.attempts, self.calls, self.gaps)


def month(first_day: date = FIRST_DAY, days: int = DAYS, until: float = math.inf) -> Month:
    """The month, as far as it is over at a time (Unix seconds)."""
    boards = [_Simulation(board, first_day, days).run() for board in SWITCHBOARDS]
    whole = Month(
        sorted((call for board in boards for call in board.calls), key=lambda call: call.joined_at),
        sorted((one for board in boards for one in board.attempts), key=lambda one: one.started_at),
        sorted((one for board in boards for one in board.pauses), key=lambda one: one.started_at),
        sorted((one for board in boards for one in board.sessions), key=lambda one: one.started_at),
        [gap for board in boards for gap in board.gaps],
    )
    return whole if until == math.inf else _as_of(whole, until)


def _as_of(whole: Month, until: float) -> Month:
    """Without what is still going on; sessions, as far as they have gone."""
    return Month(
        [call for call in whole.calls if call.joined_at + call.wait_s + call.talk_s <= until],
        [one for one in whole.attempts if one.started_at + one.ring_s <= until],
        [one for one in whole.pauses if one.started_at + one.duration_s <= until],
        [
            replace(one, duration_s=min(one.duration_s, until - one.started_at))
            for one in whole.sessions
            if one.started_at < until
        ],
        [one for one in whole.gaps if one.started_at + one.duration_s <= until],
    )


@dataclass(order=True)
class _Arrival:
    """A caller who comes to a queue."""

    at: float
    number: int
    queue: str = field(compare=False)
    caller: str = field(compare=False)
    channel: str = field(compare=False)
    linkedid: str = field(compare=False)


class _Simulation:
    """One switchboard's month."""

    def __init__(self, board: SwitchboardProfile, first_day: date, days: int) -> None:
        self._board = board
        self._random = random.Random(f"a month of {board.name}")  # the same at every run
        self._days = [first_day + timedelta(days=number) for number in range(days)]
        self._renamed_at = self._time(self._days[days * 2 // 3], 0)
        self._numbers = itertools.count(1)
        self._arrivals: list[_Arrival] = []
        self._waiting: dict[str, list[float]] = {queue.name: [] for queue in board.queues}
        self.calls: list[QueueCall] = []
        self.attempts: list[AgentAttempt] = []
        self.pauses: list[AgentPause] = []
        self.sessions: list[AgentSession] = []
        self.gaps: list[SwitchboardGap] = []
        self._agents = [self._employed(agent) for agent in board.agents]

    def run(self) -> _Simulation:
        """Let the month happen."""
        for queue in self._board.queues:
            self._arrivals += self._callers(queue)
        heapq.heapify(self._arrivals)
        while self._arrivals:
            arrival = heapq.heappop(self._arrivals)
            self._visit(arrival, self._board.queue(arrival.queue))
        self.pauses = [pause for agent in self._agents for pause in agent.pauses]
        self._lose_sight()
        return self

    def _time(self, day: date, hour: float) -> float:
        """Unix time of an hour of a local day; 24 and more are of the next day."""
        midnight = datetime.combine(day + timedelta(days=hour // 24), datetime.min.time())
        return (midnight + timedelta(hours=hour % 24)).replace(tzinfo=self._board.zone).timestamp()

    # --- agents ---------------------------------------------------------------------------------------

    def _employed(self, profile: AgentProfile) -> Worker:
        shifts = []
        for day in self._days[:-1] if profile.starts + profile.hours > 24 else self._days:
            if day.weekday() in profile.weekdays and self._random.random() > 0.05:
                late = self._random.uniform(-300, 600)
                start = round(self._time(day, profile.starts) + late, 6)
                shifts.append((start, round(self._time(day, profile.starts + profile.hours) + late / 2, 6)))
        agent = Worker(profile, shifts)
        agent.plan([pause for start, end in shifts for pause in self._planned_pauses(profile, start, end)])
        for start, end in shifts:
            self.sessions += [
                AgentSession(
                    self._board.name, queue, profile.id, self._name(profile, start), start, end - start
                )
                for queue in profile.queues
            ]
        return agent

    def _planned_pauses(self, profile: AgentProfile, start: float, end: float) -> Iterator[AgentPause]:
        part = (end - start) / 4
        for number, length in ((1, 600), (2, 1900), (3, 700)):
            at = round(start + number * part + self._random.uniform(-900, 900), 6)
            reason = REASONS[0] if number == 2 else self._random.choice(REASONS[1:])
            duration = round(length * self._random.uniform(0.5, 1.4), 6)
            yield AgentPause(self._board.name, profile.id, self._name(profile, start), reason, at, duration)

    def _name(self, profile: AgentProfile, at: float) -> str:
        return profile.renamed if profile.renamed and at >= self._renamed_at else profile.name

    # --- callers --------------------------------------------------------------------------------------

    def _callers(self, queue: QueueProfile) -> Iterator[_Arrival]:
        for day in self._days:
            span = queue.closes - queue.opens
            for hour in range(queue.opens, queue.closes):
                shape = _SHAPE[(hour - queue.opens) * len(_SHAPE) // span]
                rate = queue.calls * shape * _WEEKDAYS[day.weekday()] / 3600
                at, end = self._time(day, hour), self._time(day, hour + 1)
                while (at := at + self._random.expovariate(rate)) < end:
                    yield self._arrival(at, queue.name, f"+39{self._random.randrange(10**8):08}")

    def _arrival(self, at: float, queue: str, caller: str) -> _Arrival:
        number = next(self._numbers)
        channel = f"{at:.0f}.{number}"
        return _Arrival(round(at, 6), number, queue, caller, channel, channel)

    def _visit(self, arrival: _Arrival, queue: QueueProfile) -> None:
        waiting = [left for left in self._waiting[queue.name] if left > arrival.at]
        members = [agent for agent in self._agents if queue.name in agent.profile.queues]
        call = self._call(arrival, queue, len(waiting) + 1)
        if len(waiting) >= queue.max_waiting:
            call = replace(call, outcome=Outcome.FULL, position_in=0)
        elif min(agent.available_from(arrival.at) for agent in members) > arrival.at + 3600:
            refused = self._random.choice((Outcome.JOIN_EMPTY, Outcome.JOIN_UNAVAIL))
            call = replace(call, outcome=refused, position_in=0)
        else:
            call = self._served(call, queue, members)
            waiting.append(arrival.at + call.wait_s)
        self._waiting[queue.name] = waiting
        self.calls.append(call)
        self._come_again(arrival, call)

    def _call(self, arrival: _Arrival, queue: QueueProfile, position: int) -> QueueCall:
        return QueueCall(
            self._board.name, queue.name, Outcome.ABANDONED, arrival.at, arrival.channel, arrival.linkedid,
            arrival.caller, f"Caller {arrival.number % 97}", position_in=position,
            sl_threshold_s=queue.threshold_s, short_abandon_s=SHORT_ABANDON_S,
        )  # fmt: skip

    def _served(self, call: QueueCall, queue: QueueProfile, members: list[Worker]) -> QueueCall:
        """What becomes of a caller who waits."""
        patience = self._random.expovariate(1 / queue.patience_s)
        outcome = Outcome.ABANDONED
        if self._random.random() < 0.03:
            patience = self._random.uniform(0.2, SHORT_ABANDON_S)
        elif self._random.random() < _ODD:
            outcome = self._random.choice(_ODD_ENDS)
        elif patience > queue.max_wait_s:
            outcome, patience = Outcome.TIMEOUT, queue.max_wait_s
        leaves_at = round(call.joined_at + patience, 6)
        at = call.joined_at
        while True:
            agent = min(members, key=lambda member: (member.available_from(at), member.free_at))
            at = round(max(at, agent.available_from(at)) + self._random.uniform(0.1, 0.6), 6)
            if at >= leaves_at:
                break
            call = replace(call, attempts=call.attempts + 1)
            ended = self._ring(call, queue, agent, at, leaves_at)
            if ended.result is AttemptResult.ANSWERED:
                return self._answered(call, queue, agent, ended)
            at = round(at + ended.ring_s, 6)
            if at >= leaves_at:
                break
        return replace(call, outcome=outcome, wait_s=round(leaves_at - call.joined_at, 6), position_out=1)

    def _ring(
        self, call: QueueCall, queue: QueueProfile, agent: Worker, at: float, leaves_at: float
    ) -> AgentAttempt:
        dice = self._random.random()
        missing = agent.profile.missing
        result, ring_s = AttemptResult.ANSWERED, self._random.uniform(1.5, 9.0)
        if dice < missing:
            result, ring_s = AttemptResult.NO_ANSWER, queue.ring_s
        elif dice < missing + 0.02:
            result, ring_s = AttemptResult.REJECTED, self._random.uniform(0.1, 1.0)
        if at + ring_s >= leaves_at:
            result, ring_s = AttemptResult.CANCELLED, leaves_at - at
        ring_s = round(ring_s, 6)
        attempt = AgentAttempt(
            call.switchboard, call.queue, agent.profile.id, self._name(agent.profile, at), result, at, ring_s,
            call.uniqueid,
        )  # fmt: skip
        self.attempts.append(attempt)
        agent.free_at = at + ring_s + 1.0
        if result is AttemptResult.NO_ANSWER and self._random.random() < 0.3:
            self._autopause(agent, at + ring_s)
        return attempt

    def _autopause(self, agent: Worker, at: float) -> None:
        duration = round(min(self._random.uniform(60, 400), agent.room_for_pause(at) - 1), 6)
        if duration > 0:
            name = self._name(agent.profile, at)
            agent.add(
                AgentPause(
                    self._board.name, agent.profile.id, name, AUTOPAUSE, round(at, 6), duration, "autopause"
                )
            )

    def _answered(
        self, call: QueueCall, queue: QueueProfile, agent: Worker, attempt: AgentAttempt
    ) -> QueueCall:
        wait_s = round(attempt.started_at + attempt.ring_s - call.joined_at, 6)
        talk_s = round(5 + self._random.expovariate(1 / (queue.talk_s - 5)), 6)
        ended_by = self._random.choices(list(EndedBy), (55, 38, 4, 2, 1))[0]
        is_transfer = ended_by in (EndedBy.BLIND_TRANSFER, EndedBy.ATTENDED_TRANSFER)
        agent.free_at = call.joined_at + wait_s + talk_s + queue.wrapup_s
        return replace(
            call, outcome=Outcome.ANSWERED, agent=agent.profile.id, agent_name=attempt.agent_name,
            ended_by=ended_by, wait_s=wait_s, ring_s=attempt.ring_s, talk_s=talk_s, position_out=1,
            transfer_to="3000" if is_transfer else "",
        )  # fmt: skip

    def _come_again(self, arrival: _Arrival, call: QueueCall) -> None:
        """On to another queue with the same phone call, or with another one later."""
        left_at = round(call.joined_at + call.wait_s + 2.0, 6)
        others = [queue.name for queue in self._board.queues if queue.name != call.queue]
        if call.outcome in (Outcome.TIMEOUT, Outcome.EXIT_KEY) and self._random.random() < _OVERFLOW:
            on = replace(
                arrival, at=left_at, number=next(self._numbers), queue=self._random.choice(others[:2])
            )
            heapq.heappush(self._arrivals, on)
        elif call.abandoned and self._random.random() < _AGAIN:
            later = self._arrival(left_at + self._random.uniform(30, 2400), call.queue, call.caller)
            heapq.heappush(self._arrivals, later)

    # --- what was not seen ----------------------------------------------------------------------------

    def _lose_sight(self) -> None:
        """A time in which the switchboard could not be watched, on a busy day: nothing is known of it."""
        start = self._time(self._days[12 % len(self._days)], 11.2)
        end = start + 1500.0
        unseen = {call.uniqueid for call in self.calls if _overlaps(call, start, end)}
        missed = [call for call in self.calls if call.uniqueid in unseen]
        self.calls = [call for call in self.calls if call.uniqueid not in unseen]
        self.attempts = [one for one in self.attempts if one.uniqueid not in unseen]
        self.gaps = [SwitchboardGap(self._board.name, "connection_lost", start, 1500.0, len(missed))]


def _overlaps(call: QueueCall, since: float, until: float) -> bool:
    return call.joined_at < until and call.joined_at + call.wait_s + call.talk_s > since
