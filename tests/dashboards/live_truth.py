"""What the switchboards were doing at a moment, by plain Python over what they told of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from asterpanel_exporter.history.records import Outcome, QueueCall
from tests.dashboards.traffic import Traffic
from tests.dashboards.truth import WRAPUP_S, Choice

REFUSED = (Outcome.FULL, Outcome.JOIN_EMPTY, Outcome.JOIN_UNAVAIL)
IDLE, RINGING, ON_CALL, WRAPUP, PAUSED = 1, 2, 3, 5, 6
"""Codes of states, as METRICS.md has them."""

Queue = tuple[str, str]
Agent = tuple[str, str]


def ended_at(call: QueueCall) -> float:
    return call.joined_at + call.wait_s + call.talk_s


@dataclass(frozen=True)
class Moment:
    """What was at a time, on what was told of.

    Attributes:
        traffics: of the switchboards that could be watched then.
        at: Unix seconds.
        choice: of switchboards and queues.
    """

    traffics: tuple[Traffic, ...]
    at: float
    choice: Choice

    def queues(self) -> list[Queue]:
        return [
            (traffic.board.name, queue.name)
            for traffic in self.traffics
            for queue in traffic.board.queues
            if self.choice.has(traffic.board.name, queue.name)
        ]

    def calls(self, queue: Queue) -> list[QueueCall]:
        """All that the queue's switchboard told of."""
        return [
            call
            for traffic in self.traffics
            for call in traffic.calls
            if (call.switchboard, call.queue) == queue
        ]

    def waits_s(self, queue: Queue) -> list[float]:
        """Of those who wait."""
        return [
            self.at - call.joined_at
            for call in self.calls(queue)
            if call.outcome not in REFUSED and call.joined_at <= self.at < call.joined_at + call.wait_s
        ]

    def in_progress(self, queue: Queue) -> int:
        return sum(
            call.outcome is Outcome.ANSWERED and call.joined_at + call.wait_s <= self.at < ended_at(call)
            for call in self.calls(queue)
        )

    def offered(self, queue: Queue) -> int:
        return sum(call.joined_at <= self.at for call in self.calls(queue))

    def ended(self, queue: Queue, since: float = 0.0) -> list[QueueCall]:
        """Calls that ended."""
        return [call for call in self.calls(queue) if since < ended_at(call) <= self.at]

    # --- agents ---------------------------------------------------------------------------------------

    def members(self, queue: Queue) -> list[Agent]:
        return [
            (one.switchboard, one.agent)
            for traffic in self.traffics
            for one in traffic.month.sessions
            if (one.switchboard, one.queue) == queue
            and traffic.board.name == one.switchboard
            and one.started_at <= self.at < one.started_at + one.duration_s
        ]

    def agents(self) -> set[Agent]:
        """Members of the chosen queues."""
        return {agent for queue in self.queues() for agent in self.members(queue)}

    def state(self, agent: Agent) -> int:
        """As the catalogue's codes have it."""
        calls = [
            call
            for traffic in self.traffics
            for call in traffic.calls
            if (call.switchboard, call.agent) == agent
        ]
        if any(call.joined_at + call.wait_s <= self.at < ended_at(call) for call in calls):
            return ON_CALL
        if self._rings(agent):
            return RINGING
        if any(
            ended_at(call) <= self.at < ended_at(call) + WRAPUP_S[call.switchboard, call.queue]
            for call in calls
        ):
            return WRAPUP
        return IDLE if self.pause(agent) is None else PAUSED

    def _rings(self, agent: Agent) -> bool:
        return any(
            (one.switchboard, one.agent) == agent and one.started_at <= self.at < one.started_at + one.ring_s
            for traffic in self.traffics
            for one in traffic.attempts
        )

    def pause(self, agent: Agent) -> str | None:
        """The reason, if he is on pause."""
        for traffic in self.traffics:
            for one in traffic.month.pauses:
                if (
                    one.switchboard,
                    one.agent,
                ) == agent and one.started_at <= self.at < one.started_at + one.duration_s:
                    return one.reason
        return None


def service_level(calls: Iterable[QueueCall]) -> float | None:
    """Answered in time / (answered + abandoned - short abandons), of calls to queues with a threshold."""
    counted = good = 0
    for call in calls:
        if call.sl_threshold_s > 0:
            answered = call.outcome is Outcome.ANSWERED
            abandoned = call.outcome is Outcome.ABANDONED and call.wait_s >= call.short_abandon_s
            counted += answered or abandoned
            good += answered and call.wait_s <= call.sl_threshold_s
    return good / counted if counted else None
