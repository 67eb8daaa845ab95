"""Hours of the generated month as the AMI events that a switchboard would have sent of them.

Laid out after ``reference/ami.md``; that the exporter makes of them what they were made of, a test checks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentSession,
    AttemptResult,
    EndedBy,
    Outcome,
    QueueCall,
)
from tests.dashboards.call_centre import SwitchboardProfile
from tests.dashboards.month import Month
from tests.unit import ami

NOT_IN_USE, IN_USE, RINGING = 1, 2, 6
NORMAL_CLEARING, BUSY = 16, 17
_REFUSALS: Final = {
    Outcome.FULL: "FULL", Outcome.JOIN_EMPTY: "JOINEMPTY", Outcome.JOIN_UNAVAIL: "JOINUNAVAIL",
}  # fmt: skip
_STATUS: Final = {
    Outcome.TIMEOUT: "TIMEOUT", Outcome.LEAVE_EMPTY: "LEAVEEMPTY", Outcome.LEAVE_UNAVAIL: "LEAVEUNAVAIL",
    Outcome.WITHDRAWN: "WITHDRAW", Outcome.CONTINUE: "CONTINUE",
}  # fmt: skip

_NO_ABANDON: Final = (Outcome.ANSWERED, Outcome.EXIT_KEY, *_REFUSALS)
"""Outcomes without QueueCallerAbandon."""

Told = tuple[float, bytes]
"""When, and what is sent."""


def interface(agent: str) -> str:
    """Of an agent's phone."""
    return f"PJSIP/{agent}"


@dataclass(frozen=True)
class Traffic:
    """What one switchboard tells of some hours.

    Attributes:
        since, until: those hours, Unix seconds; calls and pauses are taken that lie wholly in them.
        told: in the order of time.
    """

    board: SwitchboardProfile
    month: Month
    since: float
    until: float

    @property
    def calls(self) -> list[QueueCall]:
        """Those that are told of."""
        return [
            call
            for call in self.month.calls
            if call.switchboard == self.board.name
            and self.since <= call.joined_at
            and call.joined_at + call.wait_s + call.talk_s < self.until - 60
        ]

    @property
    def attempts(self) -> list[AgentAttempt]:
        """Of these calls."""
        known = {call.uniqueid for call in self.calls}
        return [
            one for one in self.month.attempts if one.switchboard == self.board.name and one.uniqueid in known
        ]

    def snapshot(self, at: float) -> Iterator[bytes]:
        """The items of QueueStatus, at a time at which nobody calls."""
        for queue in self.board.queues:
            completed, abandoned = self._counters(queue.name, at)
            yield ami.queue_params(
                queue.name, ServiceLevel=int(queue.threshold_s), Completed=completed, Abandoned=abandoned
            )
            for session in self._sessions:
                if session.queue == queue.name and session.started_at <= at < _end(session):
                    paused = self._paused(session.agent, at)
                    yield ami.queue_member(
                        queue.name, interface(session.agent), MemberName=session.agent_name,
                        Membership="dynamic", Paused=int(paused is not None), PausedReason=paused or "",
                    )  # fmt: skip

    def told(self) -> list[Told]:
        """All events, in the order of time."""
        attempts: dict[tuple[str, str], list[AgentAttempt]] = defaultdict(list)
        for attempt in self.attempts:
            attempts[attempt.uniqueid, attempt.queue].append(attempt)
        events = [*self._shifts(), *self._pauses()]
        for call in self.calls:
            events += _visit(call, attempts[call.uniqueid, call.queue])
        events += self._phones()
        return sorted(events, key=lambda told: told[0])

    def _counters(self, queue: str, at: float) -> tuple[int, int]:
        """``Completed`` and ``Abandoned``, as app_queue counts, with the calls that nobody saw."""
        ended = [
            call for call in self.calls
            if call.queue == queue and call.joined_at + call.wait_s + call.talk_s <= at
        ]  # fmt: skip
        unseen = 0
        if queue == self.board.queues[0].name:
            unseen = sum(
                gap.calls_missed
                for gap in self.month.gaps
                if gap.switchboard == self.board.name and self.since < gap.started_at < at
            )
        abandons = [call for call in ended if call.outcome not in _NO_ABANDON]
        return len([call for call in ended if call.answered]) + unseen, len(abandons)

    @property
    def _sessions(self) -> list[AgentSession]:
        return [one for one in self.month.sessions if one.switchboard == self.board.name]

    def _paused(self, agent: str, at: float) -> str | None:
        """The reason, if he is."""
        for pause in self.month.pauses:
            if (pause.switchboard, pause.agent) == (
                self.board.name,
                agent,
            ) and pause.started_at <= at < pause.started_at + pause.duration_s:
                return pause.reason
        return None

    def _shifts(self) -> Iterator[Told]:
        for one in self._sessions:
            fields = {"MemberName": one.agent_name, "Membership": "dynamic"}
            if self.since < one.started_at < self.until:
                at = one.started_at
                yield at, ami.member_event(at, "Added", one.queue, interface(one.agent), **fields)
            if self.since < (at := _end(one)) < self.until:
                yield at, ami.member_event(at, "Removed", one.queue, interface(one.agent), **fields)

    def _pauses(self) -> Iterator[Told]:
        for one in self.month.pauses:
            for at, paused in ((one.started_at, 1), (one.started_at + one.duration_s, 0)):
                if one.switchboard == self.board.name and self.since < at < self.until:
                    for queue in self._queues_of(one.agent, at):
                        yield at, ami.member_event(
                            at, "Pause", queue, interface(one.agent), MemberName=one.agent_name,
                            Membership="dynamic", Paused=paused, PausedReason=one.reason if paused else "",
                        )  # fmt: skip

    def _phones(self) -> Iterator[Told]:
        """QueueMemberStatus: a phone rings, is in use, is not in use."""
        changes: list[tuple[float, str, str, int]] = []
        for one in self.attempts:
            changes.append((one.started_at, one.agent, one.agent_name, RINGING))
            if one.result is not AttemptResult.ANSWERED:
                changes.append((one.started_at + one.ring_s, one.agent, one.agent_name, NOT_IN_USE))
        for call in self.calls:
            if call.answered:
                at = call.joined_at + call.wait_s
                changes.append((at, call.agent, call.agent_name, IN_USE))
                changes.append((at + call.talk_s, call.agent, call.agent_name, NOT_IN_USE))
        for at, agent, name, status in changes:
            paused = self._paused(agent, at)
            for queue in self._queues_of(agent, at):
                yield at, ami.member_event(
                    at, "Status", queue, interface(agent), MemberName=name, Membership="dynamic",
                    Status=status, Paused=int(paused is not None), PausedReason=paused or "",
                )  # fmt: skip

    def _queues_of(self, agent: str, at: float) -> list[str]:
        return [
            one.queue for one in self._sessions if one.agent == agent and one.started_at <= at < _end(one)
        ]


def _end(session: AgentSession) -> float:
    return session.started_at + session.duration_s


def _visit(call: QueueCall, attempts: Iterable[AgentAttempt]) -> Iterator[Told]:
    at = call.joined_at
    yield at, ami.newexten(at, call.uniqueid, f"{call.queue},,,,300")
    if call.outcome in _REFUSALS:
        yield at, ami.varset(at, call.uniqueid, _REFUSALS[call.outcome])
        return
    who = {"number": call.caller, "caller": call.caller_name}
    yield at, ami.join(at, call.queue, call.uniqueid, call.position_in, call.position_in, **who)
    dest = ""
    for number, attempt in enumerate(attempts):
        dest = f"{call.uniqueid}-{number}"
        yield from _ringing(call, attempt, dest)
    left_at = call.joined_at + call.wait_s
    if call.outcome is Outcome.ANSWERED:
        yield from _talk(call, dest, left_at)
    else:
        yield from _leaving(call, left_at)


def _ringing(call: QueueCall, attempt: AgentAttempt, dest: str) -> Iterator[Told]:
    phone = interface(attempt.agent)
    at, over_at = attempt.started_at, attempt.started_at + attempt.ring_s
    name = attempt.agent_name

    def told(event: str, at: float, *more: tuple[str, ami.Value]) -> Told:
        return at, ami.agent_event(
            event, at, call.queue, phone, call.uniqueid, dest, more=more, member_name=name
        )

    yield told("AgentCalled", at)
    if attempt.result is AttemptResult.CANCELLED:
        yield over_at, ami.dial_end(over_at, call.uniqueid, dest, "CANCEL")
    elif attempt.result is not AttemptResult.ANSWERED:
        if attempt.result is AttemptResult.REJECTED:
            yield over_at, ami.dial_end(over_at, call.uniqueid, dest, "BUSY")
        yield told("AgentRingNoAnswer", over_at, ("RingTime", round(attempt.ring_s * 1000)))
    if attempt.result is not AttemptResult.ANSWERED:
        cause = BUSY if attempt.result is AttemptResult.REJECTED else NORMAL_CLEARING
        hangup: ami.Pairs = [("Cause", cause), ("Cause-txt", "")]
        yield over_at, ami.frame("Hangup", ami.stamp(over_at, "call,all"), ami.channel(dest), hangup)


def _talk(call: QueueCall, dest: str, at: float) -> Iterator[Told]:
    phone = interface(call.agent)
    over_at = at + call.talk_s
    transfer = call.ended_by in (EndedBy.BLIND_TRANSFER, EndedBy.ATTENDED_TRANSFER)
    yield at, ami.leave(at, call.queue, call.uniqueid, 1, 0)
    yield at, ami.agent_event(
        "AgentConnect", at, call.queue, phone, call.uniqueid, dest, member_name=call.agent_name,
        more=[("HoldTime", round(call.wait_s)), ("RingTime", round(call.ring_s))],
    )  # fmt: skip
    if call.ended_by is EndedBy.BLIND_TRANSFER:
        yield over_at, ami.blind_transfer(over_at, dest, call.uniqueid)
    elif transfer:
        yield over_at, ami.attended_transfer(over_at, dest, f"{dest}-2", call.uniqueid)
    reason = "transfer" if transfer else call.ended_by.value or "agent"
    yield over_at, ami.complete(over_at, call.queue, phone, call.uniqueid, dest, reason)
    yield over_at, ami.hangup(over_at, dest)
    yield over_at, ami.hangup(over_at, call.uniqueid)


def _leaving(call: QueueCall, at: float) -> Iterator[Told]:
    if call.outcome is not Outcome.EXIT_KEY:
        yield at, ami.abandon(at, call.queue, call.uniqueid)
    yield at, ami.leave(at, call.queue, call.uniqueid, 1, 0)
    if call.outcome in _STATUS:
        yield at, ami.varset(at, call.uniqueid, _STATUS[call.outcome])
    elif call.outcome is Outcome.ABANDONED:
        yield at, ami.hangup(at, call.uniqueid)
