"""What follows from what is known of an agent's memberships and calls: his state, his pause, his name."""

from __future__ import annotations

from collections.abc import Collection

from asterpanel_exporter.state.model import Agent, AgentState, Member
from asterpanel_switchboard.events import DeviceStatus, MemberReport

_TALKING = frozenset({DeviceStatus.IN_USE, DeviceStatus.BUSY, DeviceStatus.RINGING_IN_USE})
_AWAY = frozenset({DeviceStatus.INVALID, DeviceStatus.UNAVAILABLE})


def busy_state(agent: Agent) -> AgentState | None:
    """What keeps an agent from taking a call, other than a pause, by precedence; None: nothing."""
    statuses = {member.status for member in agent.members.values()}
    if statuses & _TALKING:
        return AgentState.ON_CALL
    if DeviceStatus.ON_HOLD in statuses:
        return AgentState.ON_HOLD
    if agent.calls:
        return AgentState.ON_CALL  # a device without states of its own (a Local channel, a Custom: state)
    if DeviceStatus.RINGING in statuses:
        return AgentState.RINGING
    if agent.wrapup_until is not None:
        return AgentState.WRAPUP
    return None


def state_in(member: Member, busy: AgentState | None) -> AgentState:
    """State of one membership: its own device and its own pause flag count."""
    if member.status in _AWAY:
        return AgentState.UNAVAILABLE
    return busy or (AgentState.PAUSED if member.paused else AgentState.IDLE)


def state_over(members: Collection[Member], busy: AgentState | None) -> AgentState:
    """State over all memberships: away or paused only where he is so in every one."""
    if members and all(member.status in _AWAY for member in members):
        return AgentState.UNAVAILABLE
    return busy or (AgentState.PAUSED if is_paused(members) else AgentState.IDLE)


def is_paused(members: Collection[Member]) -> bool:
    """Whether an agent is paused in every queue that he is a member of."""
    return bool(members) and all(member.paused for member in members)


def pause_over(members: Collection[Member]) -> tuple[str, float | None]:
    """Reason and start of a pause in every queue: the latest pause completed it, so it tells both."""
    if not is_paused(members):
        return "", None
    latest = max(members, key=lambda member: member.paused_since or 0.0)
    return latest.paused_reason, latest.paused_since


def name_of(agent: Agent) -> str:
    """MemberName is free text in each queue: the first queue by name with a real one names the agent.

    Without memberships (he is still on a call) he keeps the name that he had.
    """
    if not agent.members:
        return agent.name
    members = sorted(agent.members.values(), key=lambda member: member.key)
    named = (member.name for member in members if member.name and member.name != member.interface)
    return next(named, agent.id)


def take_report(member: Member, report: MemberReport, at: float, *, paused_anew: bool) -> bool:
    """Take over what a report tells of a member; what it does not tell stays.

    Args:
        member: changed in place; its name stays, because another agent may follow from it.
        report: newer than what is known.
        at: when it was so.
        paused_anew: a pause began then, even if one was on already.

    Returns:
        Whether anything has changed.
    """
    before = _told(member)
    if report.penalty is not None:
        member.penalty = report.penalty
    if report.ring_in_use is not None:
        member.ring_in_use = report.ring_in_use
    if report.calls_taken is not None:
        member.calls_taken = report.calls_taken
    if report.dynamic is not None:
        member.dynamic = report.dynamic
    if report.last_call is not None:
        member.last_call = report.last_call
    if report.wrapup_s is not None:
        member.wrapup_s = report.wrapup_s
    if report.state_interface:
        member.state_interface = report.state_interface
    if report.status is not None:
        member.status = report.status
    if member.since is None and report.login_time:
        member.since = report.login_time
    _take_pause(member, report, at, paused_anew)
    return before != _told(member)


def _told(member: Member) -> tuple[object, ...]:
    return (
        member.penalty, member.ring_in_use, member.calls_taken, member.dynamic, member.last_call,
        member.since, member.paused, member.paused_reason, member.paused_since,
    )  # fmt: skip


def _take_pause(member: Member, report: MemberReport, at: float, paused_anew: bool) -> None:
    if report.paused is None:
        return
    if not report.paused:
        member.paused, member.paused_reason, member.paused_since = False, "", None
        return
    if paused_anew:
        member.paused_since = at
    elif not member.paused or member.paused_since is None:
        member.paused_since = report.last_pause or at
    elif report.last_pause and abs(member.paused_since - report.last_pause) > 1.0:
        # Whole seconds of another reading of the same clock: up to one apart is the same.
        member.paused_since = report.last_pause
    member.paused = True
    if report.paused_reason is not None:
        member.paused_reason = report.paused_reason
