"""The live state as one JSON document, and the difference between two such documents.

The same document comes from ``/state``, ``replay --state`` and, filtered, from the control API. Times are
Unix seconds of the switchboard's own clock. A value that is not known is left out, never null, so that a
JSON Merge Patch (RFC 7396), where null removes a key, can turn any document into any later one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from asterpanel_exporter.history.today import AgentToday, QueueToday, Today
from asterpanel_exporter.state import Agent, AgentState, Member, Queue, SwitchboardState
from asterpanel_switchboard.config import QueueSettings

Document = dict[str, Any]


def switchboard_document(
    name: str, up: bool, version: str, state: SwitchboardState, today: Today
) -> Document:
    """The live state of one switchboard.

    Args:
        name: of the switchboard.
        up: whether it is connected and in step; if not, the rest is what was last known, at ``as_of``.
        version: of Asterisk, "" if unknown.
        state: rendered as it is; let time pass first (`SwitchboardState.advance`).
        today: sums since midnight on the switchboard.
    """
    return {
        "switchboard": name,
        "up": up,
        "version": version,
        "as_of": round(state.as_of, 6),
        "queues": {
            queue.name: queue_document(queue, state.settings, today.queues.get(queue.name, QueueToday()))
            for queue in state.queues.values()
        },
        "agents": {
            agent.id: agent_document(agent, today.agents.get(agent.id, AgentToday()))
            for agent in state.agents.values()
        },
    }


def queue_document(queue: Queue, settings: Callable[[str], QueueSettings], today: QueueToday) -> Document:
    """One queue with its waiting callers (in order), calls in progress and members by agent id."""
    return {
        "strategy": queue.strategy,
        "max_len": queue.max_len,
        "sl_threshold_s": service_level_threshold_s(queue, settings),
        "offered": queue.offered,
        "waiting": [
            {
                "uniqueid": caller.uniqueid,
                "caller": caller.number,
                "caller_name": caller.name,
                "position": position,
                "since": round(caller.since, 6),
                **({} if caller.priority is None else {"priority": caller.priority}),
            }
            for position, caller in enumerate(queue.waiting, start=1)
        ],
        "in_progress": [
            {"uniqueid": call.uniqueid, "agent": call.agent, "since": round(call.since, 6)}
            for call in queue.in_progress
        ],
        "members": {key: member_document(member) for key, member in members_by_agent(queue)},
        "today": _sums(today),
    }


def service_level_threshold_s(queue: Queue, settings: Callable[[str], QueueSettings]) -> float:
    """Seconds within which an answer is in time: ours if configured, else the queue's own; 0: none."""
    configured = settings(queue.name).service_level_threshold_s
    return queue.service_level_s if configured is None else configured


def members_by_agent(queue: Queue) -> list[tuple[str, Member]]:
    """Members by what stands for them: the agent, or the interface where he has a second one here."""
    seen: set[str] = set()
    keyed = []
    for member in queue.members.values():
        key = member.interface if member.agent in seen else member.agent
        seen.add(key)
        keyed.append((key, member))
    return keyed


def member_document(member: Member) -> Document:
    """One membership."""
    document: Document = {
        "interface": member.interface,
        "state": member.state.value,
        "penalty": member.penalty,
        "paused": member.paused,
        "pause_reason": member.paused_reason,
        "dynamic": member.dynamic,
        "calls_taken": member.calls_taken,
    }
    if member.ring_in_use is not None:
        document["ring_in_use"] = member.ring_in_use
    if member.since is not None:
        document["since"] = round(member.since, 6)
    if member.last_call:
        document["last_call"] = round(member.last_call, 6)
    return document


def agent_document(agent: Agent, today: AgentToday) -> Document:
    """One agent over all his queues."""
    document: Document = {
        "name": agent.name,
        "state": agent.state.value,
        "since": round(agent.since, 6),
        "paused": agent.paused,
        "pause_reason": agent.pause_reason,
        "queues": sorted({member.queue for member in agent.members.values()}),
        "today": _sums(today),
    }
    if agent.paused_since is not None:
        document["paused_since"] = round(agent.paused_since, 6)
    if agent.state is AgentState.WRAPUP and agent.wrapup_until is not None:
        document["wrapup_until"] = round(agent.wrapup_until, 6)
    return document


def _sums(today: QueueToday | AgentToday) -> Document:
    return {name: round(value, 3) for name, value in asdict(today).items()}


def merge_patch(before: Document, after: Document) -> Document:
    """The JSON Merge Patch that makes ``before`` into ``after``; empty if they are equal."""
    patch: Document = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            inner = merge_patch(old, value)
            if inner:
                patch[key] = inner
        elif key not in before or old != value:
            patch[key] = value
    return patch


def apply_merge_patch(document: Document, patch: Document) -> Document:
    """RFC 7396, section 2: the document with the patch applied; neither argument is changed."""
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            old = result.get(key)
            result[key] = apply_merge_patch(old if isinstance(old, dict) else {}, value)
        else:
            result[key] = value
    return result
