"""A live state as the exporter tells it, and what is shown of it, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from asterpanel_control_api.access import filtering
from asterpanel_control_api.access.filtering import CommonViews
from asterpanel_control_api.access.scope import Scope
from asterpanel_switchboard.config.targets import QueueTargets
from asterpanel_switchboard.service_level import DEFAULT_FORMULA, ServiceLevelSums

Document = dict[str, Any]

QUEUE_SUMS = {
    "offered": 9, "answered": 7, "abandoned": 2, "short_abandons": 1, "within_sl": 6, "wait_s": 80.5,
    "talk_s": 900.0,
}  # fmt: skip
SERVICE = ServiceLevelSums(
    answered=7, answered_within=6, abandoned=2, abandoned_within=1, short_abandoned=1, flowed_out=0
)
QUEUE_TODAY = {**QUEUE_SUMS, "service_level": 0.75}
"""What is shown of these."""

QUEUE_LEVELS = {
    "waiting": {"warning": 3, "critical": 6},
    "longest_wait_s": {"warning": 60, "critical": 180},
    "service_level": {"warning": 0.8, "critical": 0.7},
}
"""Where the configuration says nothing."""


def common_views() -> CommonViews:
    """With levels and formula of a configuration that says nothing of them."""
    return CommonViews(lambda switchboard, queue: QueueTargets(), DEFAULT_FORMULA)


def filtered(scope: Scope, document: Mapping[str, Any]) -> Document:
    """What is shown of a document, with `common_views`."""
    return filtering.filtered(scope, document, common_views())


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
        "today": {**QUEUE_SUMS, "service": asdict(SERVICE)},
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
