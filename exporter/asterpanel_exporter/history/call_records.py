"""From a visit that is over to its record."""

from __future__ import annotations

from typing import Final

from asterpanel_exporter.history.records import AgentAttempt, AttemptResult, EndedBy, Outcome, QueueCall
from asterpanel_exporter.history.visit import Ringing, Visit

_ROUNDED_S: Final = 1.0
"""Asterisk's own durations are differences of whole seconds."""


def queue_call(
    switchboard: str,
    queue: str,
    visit: Visit,
    outcome: Outcome,
    sl_threshold_s: float,
    short_abandon_s: float,
) -> QueueCall:
    """The record of a visit. ``queue``: as the switchboard itself spells its name."""
    left_at = visit.left_at if visit.connected_at is None else visit.connected_at
    left_at = visit.joined_at if left_at is None else left_at
    ended_at = left_at if visit.ended_at is None else visit.ended_at
    return QueueCall(
        switchboard=switchboard,
        queue=queue,
        outcome=outcome,
        joined_at=visit.joined_at,
        uniqueid=visit.uniqueid,
        linkedid=visit.linkedid,
        caller=visit.number,
        caller_name=visit.name,
        agent=visit.agent,
        agent_name=visit.agent_name,
        ended_by=visit.ended_by or EndedBy.UNKNOWN,
        wait_s=max(0.0, left_at - visit.joined_at),
        ring_s=visit.ring_s,
        talk_s=0.0 if visit.connected_at is None else max(0.0, ended_at - left_at),
        position_in=visit.position_in,
        position_out=visit.position_out,
        attempts=visit.attempts,
        sl_threshold_s=sl_threshold_s,
        short_abandon_s=short_abandon_s,
        transfer_to=visit.transfer_to,
    )


def agent_attempt(
    switchboard: str, visit: Visit, ringing: Ringing, result: AttemptResult, at: float
) -> AgentAttempt:
    """The record of an attempt that ended at a time."""
    return AgentAttempt(
        switchboard=switchboard,
        queue=visit.queue,
        agent=ringing.agent,
        agent_name=ringing.agent_name,
        result=result,
        started_at=ringing.started_at,
        ring_s=max(0.0, at - ringing.started_at),
        uniqueid=visit.uniqueid,
    )


def ring_time_s(measured_s: float, reported_s: float | None) -> float:
    """How long a phone rang that was answered: up to AgentConnect, unless a ``memberdelay`` lay between."""
    if reported_s is None or measured_s - reported_s <= 2 * _ROUNDED_S:
        return measured_s
    return reported_s
