"""What reports on the generated month have to say, by plain Python over its calls, rings, pauses and shifts.

Nothing of the roll-up, of the reports or of the dashboards is used: the definitions are written down a second
time here, from ``reference/metric-definitions.md``. Calls belong to the half hour of their join, rings to
that of their start; times are cut at the ends of the half hours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AttemptResult,
    Outcome,
    QueueCall,
    SwitchboardGap,
)
from tests.dashboards.call_centre import SWITCHBOARDS
from tests.dashboards.month import Month
from tests.dashboards.spans import HALF_HOUR_S, Span, common, half_hour, length, parts, union, without

TARGET: Final = 0.8

Key = TypeVar("Key", bound=Hashable)

ZONES: Final = {board.name: board.zone for board in SWITCHBOARDS}
WRAPUP_S: Final = {
    (board.name, queue.name): queue.wrapup_s for board in SWITCHBOARDS for queue in board.queues
}


@dataclass(frozen=True)
class Choice:
    """What is chosen on a dashboard; None: all. Times are Unix seconds, at whole half hours of every zone."""

    since: float
    until: float
    switchboards: frozenset[str] | None = None
    queues: frozenset[str] | None = None
    agents: frozenset[str] | None = None

    def has(self, switchboard: str, queue: str | None = None, agent: str | None = None) -> bool:
        """Whether that is chosen; None: it does not matter."""
        return (
            _is_in(switchboard, self.switchboards)
            and (queue is None or _is_in(queue, self.queues))
            and (agent is None or _is_in(agent, self.agents))
        )

    def at(self, time: float) -> bool:
        """Whether that time is in it."""
        return self.since <= time < self.until

    def before(self) -> Choice:
        """The same in the period before, which is as long."""
        length = self.until - self.since
        return replace(self, since=self.since - length, until=self.since)


def _is_in(value: str, chosen: frozenset[str] | None) -> bool:
    return chosen is None or value in chosen


@dataclass
class QueueWork:
    """Some half hours of some queues: what sums are made of."""

    calls: list[QueueCall] = field(default_factory=list)
    rings: list[AgentAttempt] = field(default_factory=list)
    staffed_s: float = 0.0
    paused_s: float = 0.0
    elsewhere_s: float = 0.0
    lost: float = 0.0
    planned: float = 0.0
    planned_handle_s: float = 0.0
    planned_with_time: float = 0.0
    """Planned calls of half hours with a handle time to go by."""

    def add(self, other: QueueWork) -> None:
        self.calls += other.calls
        self.rings += other.rings
        self.staffed_s += other.staffed_s
        self.paused_s += other.paused_s
        self.elsewhere_s += other.elsewhere_s
        self.lost += other.lost
        self.planned += other.planned
        self.planned_handle_s += other.planned_handle_s
        self.planned_with_time += other.planned_with_time

    @property
    def offered(self) -> int:
        return len(self.calls)

    def ended(self, outcome: Outcome) -> list[QueueCall]:
        return [call for call in self.calls if call.outcome is outcome]

    @property
    def answered(self) -> list[QueueCall]:
        return self.ended(Outcome.ANSWERED)

    @property
    def abandoned(self) -> list[QueueCall]:
        return self.ended(Outcome.ABANDONED)

    @property
    def short_abandons(self) -> int:
        """Abandoned before the configured minimum."""
        return sum(call.wait_s < call.short_abandon_s for call in self.abandoned)

    @property
    def transferred(self) -> int:
        return sum(call.ended_by.value.endswith("_transfer") for call in self.calls)

    @property
    def counted(self) -> int:
        """Answered + abandoned - short abandons, of calls to queues with a threshold."""
        return sum(
            call.sl_threshold_s > 0
            and (
                call.outcome is Outcome.ANSWERED
                or (call.outcome is Outcome.ABANDONED and call.wait_s >= call.short_abandon_s)
            )
            for call in self.calls
        )

    @property
    def good(self) -> int:
        """Answered within the threshold."""
        return sum(call.sl_threshold_s > 0 and call.wait_s <= call.sl_threshold_s for call in self.answered)

    @property
    def service_level(self) -> float | None:
        return _quotient(self.good, self.counted)

    @property
    def abandon_rate(self) -> float | None:
        return _quotient(len(self.abandoned), self.offered)

    @property
    def asa_s(self) -> float | None:
        """Average speed of answer."""
        return mean_wait_s(self.answered)

    @property
    def aht_s(self) -> float | None:
        """Average handle time: talk and wrap-up."""
        handled = sum(call.talk_s + WRAPUP_S[call.switchboard, call.queue] for call in self.answered)
        return _quotient(handled, len(self.answered))

    @property
    def handle_s(self) -> float | None:
        """What an answered call takes an agent, with its ringing."""
        rung = sum(call.ring_s for call in self.answered)
        return None if self.aht_s is None else self.aht_s + rung / len(self.answered)

    @property
    def longest_wait_s(self) -> float | None:
        return max((call.wait_s for call in self.calls), default=None)

    def rung(self, result: AttemptResult) -> int:
        return sum(ring.result is result for ring in self.rings)

    @property
    def planned_time_s(self) -> float | None:
        """Planned handle time of a call."""
        return _quotient(self.planned_handle_s, self.planned_with_time)

    @property
    def no_answer_rate(self) -> float | None:
        return _quotient(self.rung(AttemptResult.NO_ANSWER), len(self.rings))


@dataclass
class AgentTime:
    """Some half hours of some agents over all their queues: seconds."""

    on_duty_s: float = 0.0
    paused_s: float = 0.0
    idle_s: float = 0.0
    on_call_s: float = 0.0
    ringing_s: float = 0.0
    wrapup_s: float = 0.0
    pauses: list[AgentPause] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)

    def add(self, other: AgentTime) -> None:
        self.on_duty_s += other.on_duty_s
        self.paused_s += other.paused_s
        self.idle_s += other.idle_s
        self.on_call_s += other.on_call_s
        self.ringing_s += other.ringing_s
        self.wrapup_s += other.wrapup_s
        self.pauses += other.pauses
        self.moments += other.moments

    @property
    def busy_s(self) -> float:
        return self.on_call_s + self.ringing_s + self.wrapup_s

    @property
    def available_s(self) -> float:
        return self.on_duty_s - self.paused_s

    @property
    def occupancy(self) -> float:
        return _quotient(self.busy_s, self.available_s) or 0.0


QueueHalf = tuple[str, str, float]
"""Switchboard, queue, start."""

AgentHalf = tuple[str, str, str, str, float]
"""Switchboard, queue, agent, his name, start."""

DutyHalf = tuple[str, str, str, float]
"""Switchboard, agent, his name, start."""


class Truth:
    """The month, half hour by half hour."""

    def __init__(self, month: Month) -> None:
        self.month = month
        self.queues: dict[QueueHalf, QueueWork] = defaultdict(QueueWork)
        self.agents: dict[AgentHalf, QueueWork] = defaultdict(QueueWork)
        self.duties: dict[DutyHalf, AgentTime] = defaultdict(AgentTime)
        self._pauses: dict[tuple[str, str], list[Span]] = defaultdict(list)
        self._busy: dict[tuple[str, str], list[tuple[str, Span]]] = defaultdict(list)
        self._add_pauses()
        self._add_calls()
        self._add_rings()
        self._add_shifts()
        since = self._since()
        for half, work in self.queues.items():
            work.lost = max(0.0, TARGET * work.counted - work.good)
            known = self._weeks_before(half, since)
            weeks = [self.queues.get(before, QueueWork()) for before in known] or [work]
            work.planned = sum(week.offered for week in weeks) / len(weeks)
            answered = QueueWork(calls=[call for week in weeks for call in week.calls])
            work.planned_handle_s = work.planned * (answered.handle_s or 0.0)
            work.planned_with_time = work.planned if work.planned_handle_s else 0.0

    def _add_pauses(self) -> None:
        for one in self.month.pauses:
            ended_at = one.started_at + one.duration_s
            self._pauses[one.switchboard, one.agent].append((one.started_at, ended_at))
            named = (one.switchboard, one.agent, one.agent_name)
            self.duties[*named, half_hour(one.started_at)].pauses.append(one)
            for moment in (one.started_at, ended_at):
                self.duties[*named, half_hour(moment)].moments.append(moment)

    def _add_calls(self) -> None:
        for call in self.month.calls:
            self.queues[call.switchboard, call.queue, half_hour(call.joined_at)].calls.append(call)
            if call.outcome is Outcome.ANSWERED:
                self._add_talk(call)

    def _add_talk(self, call: QueueCall) -> None:
        named = (call.switchboard, call.agent, call.agent_name)
        half = half_hour(call.joined_at)
        self.agents[call.switchboard, call.queue, call.agent, call.agent_name, half].calls.append(call)
        connected_at = call.joined_at + call.wait_s
        ended_at = connected_at + call.talk_s
        for start, seconds in parts(connected_at, ended_at):
            self.duties[*named, start].on_call_s += seconds
        free_at = ended_at + WRAPUP_S[call.switchboard, call.queue]
        self._busy[call.switchboard, call.agent].append((call.queue, (connected_at, free_at)))
        for start, seconds in parts(ended_at, free_at):
            self.duties[*named, start].wrapup_s += seconds
        for moment in (connected_at, ended_at):
            self.duties[*named, half_hour(moment)].moments.append(moment)

    def _add_rings(self) -> None:
        for ring in self.month.attempts:
            half = half_hour(ring.started_at)
            self.queues[ring.switchboard, ring.queue, half].rings.append(ring)
            self.agents[ring.switchboard, ring.queue, ring.agent, ring.agent_name, half].rings.append(ring)
            named = (ring.switchboard, ring.agent, ring.agent_name)
            ended_at = ring.started_at + ring.ring_s
            self._busy[ring.switchboard, ring.agent].append((ring.queue, (ring.started_at, ended_at)))
            for start, seconds in parts(ring.started_at, ended_at):
                self.duties[*named, start].ringing_s += seconds
            for moment in (ring.started_at, ended_at):
                self.duties[*named, half_hour(moment)].moments.append(moment)

    def _add_shifts(self) -> None:
        """The month's agents come to all their queues at once, and have their name for a whole shift."""
        for one in self.month.sessions:
            shift = (one.started_at, one.started_at + one.duration_s)
            paused = common([shift], self._pauses[one.switchboard, one.agent])
            queue = (one.switchboard, one.queue)
            named = (one.agent, one.agent_name)
            for moment in shift:
                self.duties[one.switchboard, *named, half_hour(moment)].moments.append(moment)
            for start, seconds in parts(*shift):
                half = common([(start, start + HALF_HOUR_S)], paused)
                for work in (self.queues[*queue, start], self.agents[*queue, *named, start]):
                    work.staffed_s += seconds
                    work.paused_s += length(half)
                duty = self.duties[one.switchboard, *named, start]
                duty.on_duty_s, duty.paused_s = seconds, length(half)
            busy = self._busy[one.switchboard, one.agent]
            idle = without(without([shift], paused), union(span for _, span in busy))
            for start, _ in parts(*shift):
                of_half = length(common([(start, start + HALF_HOUR_S)], idle))
                self.duties[one.switchboard, *named, start].idle_s = of_half
            elsewhere = union(span for of, span in busy if of != one.queue)
            for begin, end in without(common([shift], elsewhere), paused):
                for start, seconds in parts(begin, end):
                    self.queues[*queue, start].elsewhere_s += seconds

    def _since(self) -> dict[tuple[str, str], float]:
        """When the first call of each queue came."""
        return {(call.switchboard, call.queue): call.joined_at for call in reversed(self.month.calls)}

    def _weeks_before(self, half: QueueHalf, since: Mapping[tuple[str, str], float]) -> Iterator[QueueHalf]:
        """The same half hours of local time in the four weeks before, of which something is known."""
        switchboard, queue, start = half
        local = datetime.fromtimestamp(start, ZONES[switchboard]).replace(fold=0)
        for weeks in range(1, 5):
            before = (local - timedelta(weeks=weeks)).timestamp()
            gaps = [(gap.started_at, gap.started_at + gap.duration_s) for gap in self._gaps(switchboard)]
            unwatched_s = length(common([(before, before + HALF_HOUR_S)], gaps))
            if before + HALF_HOUR_S > since[switchboard, queue] and unwatched_s <= 0.1 * HALF_HOUR_S:
                yield switchboard, queue, before

    def _gaps(self, switchboard: str) -> list[SwitchboardGap]:
        return [gap for gap in self.month.gaps if gap.switchboard == switchboard]

    # --- what is asked for ----------------------------------------------------------------------------

    def of_queues(self, choice: Choice, key: Callable[[QueueHalf], Key]) -> dict[Key, QueueWork]:
        """Of the chosen half hours, together by a key."""
        found: dict[Key, QueueWork] = defaultdict(QueueWork)
        for half, work in self.queues.items():
            if choice.at(half[-1]) and choice.has(*half[:2]):
                found[key(half)].add(work)
        return dict(found)

    def of_agents(self, choice: Choice, key: Callable[[AgentHalf], Key]) -> dict[Key, QueueWork]:
        """The same of what agents did for queues: calls are those that they answered."""
        found: dict[Key, QueueWork] = defaultdict(QueueWork)
        for half, work in self.agents.items():
            if choice.at(half[-1]) and choice.has(*half[:3]):
                found[key(half)].add(work)
        return dict(found)

    def of_duty(self, choice: Choice, key: Callable[[DutyHalf], Key]) -> dict[Key, AgentTime]:
        """The same of how their time went."""
        found: dict[Key, AgentTime] = defaultdict(AgentTime)
        for half, time in self.duties.items():
            if choice.at(half[-1]) and choice.has(half[0], agent=half[1]):
                found[key(half)].add(time)
        return dict(found)


def mean_wait_s(calls: Iterable[QueueCall]) -> float | None:
    """Of calls."""
    waits = [call.wait_s for call in calls]
    return _quotient(sum(waits), len(waits))


def _quotient(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def weekday_and_hour(half: QueueHalf) -> tuple[str, str]:
    """As tags of ``queue_interval``: of the switchboard's own local time."""
    local = datetime.fromtimestamp(half[-1], ZONES[half[0]])
    return str(local.isoweekday()), f"{local.hour:02}"
