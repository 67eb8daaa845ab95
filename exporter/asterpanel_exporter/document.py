"""The live state as one JSON document.

The same document comes from ``/state``, ``replay --state`` and, filtered, from the control API. Times are
Unix seconds of the switchboard's own clock. A value that is not known is left out, never null, so that a
merge patch can turn any document into any later one (`asterpanel_switchboard.merge_patch`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from asterpanel_exporter.history.today import AgentToday, QueueToday, Today
from asterpanel_exporter.state import Agent, AgentState, Member, Queue, SwitchboardState
from asterpanel_switchboard.config import QueueSettings
from asterpanel_switchboard.merge_patch import Document


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
    """One queue with its waiting callers (in order), calls in progress and members by agent id.

    A second interface of an agent stands under the interface, and names its ``agent``.
    """
    return {
        "strategy": queue.strategy,
        "max_len": queue.max_len,
        "sl_threshold_s": service_level_threshold_s(queue, settings),
        "offered": queue.offered,
        "waiting": [
            {
                "uniqueid": caller.uniqueid,
                "channel": caller.channel,
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
        "members": {
            key: member_document(member) | ({} if key == member.agent else {"agent": member.agent})
            for key, member in members_by_agent(queue)
        },
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
    """One membership. ``name`` is its MemberName; with it and both interfaces it could be added again."""
    document: Document = {
        "interface": member.interface,
        "state": member.state.value,
        "penalty": member.penalty,
        "paused": member.paused,
        "pause_reason": member.paused_reason,
        "dynamic": member.dynamic,
        "calls_taken": member.calls_taken,
    }
    if member.name:
        document["name"] = member.name
    if member.state_interface:
        document["state_interface"] = member.state_interface
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
    return {
        name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(today).items()
    }
