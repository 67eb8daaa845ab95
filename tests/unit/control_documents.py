"""A live state as the exporter tells it, for the tests of what is shown of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Document = dict[str, Any]

QUEUE_SUMS = {
    "offered": 9, "answered": 7, "abandoned": 2, "short_abandons": 1, "within_sl": 6, "wait_s": 80.5,
    "talk_s": 900.0,
}  # fmt: skip


def live_state(
    queues: Mapping[str, Sequence[str]], waiting: Mapping[str, Sequence[str]] | None = None
) -> Document:
    """A switchboard's document.

    Args:
        queues: agents by queue.
        waiting: callers' numbers by queue; their names and unique ids are made from these.
    """
    agents = sorted({agent for members in queues.values() for agent in members})
    return {
        "switchboard": "milano",
        "up": True,
        "version": "22.10.1",
        "as_of": 1795390556.2,
        "queues": {name: _queue(members, (waiting or {}).get(name, ())) for name, members in queues.items()},
        "agents": {agent: _agent(agent, queues) for agent in agents},
    }


def _queue(members: Sequence[str], waiting: Sequence[str]) -> Document:
    return {
        "strategy": "ringall",
        "max_len": 0,
        "sl_threshold_s": 20.0,
        "offered": 4,
        "waiting": [
            {
                "uniqueid": f"1795390000.{number}",
                "channel": f"PJSIP/trunk-{number}",
                "caller": number,
                "caller_name": f"Name of {number}",
                "position": position,
                "since": 1795390500.0,
                "priority": 0,
            }
            for position, number in enumerate(waiting, start=1)
        ],
        "in_progress": [
            {"uniqueid": f"1795390001.{number}", "agent": agent, "since": 1795390510.0}
            for number, agent in enumerate(members)
        ],
        "members": {agent: _member(agent) for agent in members},
        "today": dict(QUEUE_SUMS),
    }


def _member(agent: str) -> Document:
    return {
        "interface": f"PJSIP/{agent}",
        "state": "on_call",
        "penalty": 0,
        "paused": False,
        "pause_reason": "",
        "dynamic": True,
        "calls_taken": 3,
        "ring_in_use": True,
        "since": 1795380000.0,
        "last_call": 1795390400.0,
    }


def _agent(agent: str, queues: Mapping[str, Sequence[str]]) -> Document:
    return {
        "name": f"Agent {agent}",
        "state": "on_call",
        "since": 1795390510.0,
        "paused": False,
        "pause_reason": "",
        "queues": sorted(name for name, members in queues.items() if agent in members),
        "today": {"answered": 5, "talk_s": 300.0, "no_answers": 1},
        "wrapup_until": 1795390600.0,
        "paused_since": 1795390300.0,
    }
