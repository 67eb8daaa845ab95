"""Every metric of the exporter: name, type, labels, definition. /metrics and METRICS.md are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from asterpanel_exporter.state import AgentState, DriftKind, ResyncReason
from asterpanel_switchboard.intake import WireError
from asterpanel_switchboard.session import DisconnectReason


class Kind(StrEnum):
    """Prometheus metric types in use."""

    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family.

    Attributes:
        name: as in queries; counters end in ``_total``.
        labels: in the order of the exposition.
        help: the definition.
        values: all values of a label that is an enumeration; its children exist from the start.
        while_down: whether it is exposed while its switchboard is not connected and in step. What is not
            known is not shown: a gap, not a number from before.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    while_down: bool = False


AGENT_STATE_CODES: Final[Mapping[AgentState, int]] = {
    AgentState.UNAVAILABLE: 0,
    AgentState.IDLE: 1,
    AgentState.RINGING: 2,
    AgentState.ON_CALL: 3,
    AgentState.ON_HOLD: 4,
    AgentState.WRAPUP: 5,
    AgentState.PAUSED: 6,
}
"""Values of ``asterisk_agent_state``. They are part of the interface: dashboards map them to words."""

_SWITCHBOARD = ("switchboard",)
_QUEUE = ("switchboard", "queue")
_AGENT = ("switchboard", "agent")
_MEMBER = ("switchboard", "queue", "agent")
_STATES = tuple(state.value for state in AgentState)
_CODES = ", ".join(f"{code} {state}" for state, code in AGENT_STATE_CODES.items())

UP = Metric(
    "asterisk_up", Kind.GAUGE, _SWITCHBOARD,
    "1 if the exporter is connected to the switchboard and its whole state has been read on this "
    "connection, else 0.",
    while_down=True,
)  # fmt: skip
INFO = Metric(
    "asterisk_info", Kind.GAUGE, ("switchboard", "version", "ami_version"),
    "Always 1. Major version of Asterisk and version of its manager interface, as its greeting tells them.",
    while_down=True,
)  # fmt: skip
CALLERS_WAITING = Metric(
    "asterisk_queue_callers_waiting", Kind.GAUGE, _QUEUE, "Callers waiting in the queue now."
)
LONGEST_WAIT = Metric(
    "asterisk_queue_longest_wait_seconds", Kind.GAUGE, _QUEUE,
    "Longest wait among the callers waiting now, computed at the scrape; 0 if nobody waits.",
)  # fmt: skip
CALLS_IN_PROGRESS = Metric(
    "asterisk_queue_calls_in_progress", Kind.GAUGE, _QUEUE,
    "Calls of the queue that an agent has answered and that have not ended: until the agent or the caller "
    "hangs up, or the caller is transferred.",
)  # fmt: skip
MEMBERS = Metric(
    "asterisk_queue_members", Kind.GAUGE, (*_QUEUE, "state"),
    "Members of the queue by state. Exactly one each, the first that applies of: "
    + ", ".join(_STATES)
    + ". unavailable and paused are the membership's own here; wrapup is the agent's, in all of his queues.",
    values={"state": _STATES},
)  # fmt: skip
THRESHOLD = Metric(
    "asterisk_queue_service_level_threshold_seconds", Kind.GAUGE, _QUEUE,
    "Calls answered within this time are within the service level: from the configuration, else the "
    "queue's own servicelevel; 0 if there is neither.",
)  # fmt: skip
QUEUE_INFO = Metric(
    "asterisk_queue_info", Kind.GAUGE, (*_QUEUE, "strategy"),
    "Always 1. The queue's ring strategy.",
)  # fmt: skip
OFFERED = Metric(
    "asterisk_queue_calls_offered_total", Kind.COUNTER, _QUEUE,
    "Calls offered to the queue since the exporter started: callers who entered it (those found waiting at "
    "the start included) and those refused entry because it was full or empty.",
    while_down=True,
)  # fmt: skip
AGENT_STATE = Metric("asterisk_agent_state", Kind.GAUGE, _AGENT, f"State of the agent as a code: {_CODES}.")
AGENT_STATE_SINCE = Metric(
    "asterisk_agent_state_since_timestamp_seconds", Kind.GAUGE, _AGENT,
    "Unix time on the switchboard's clock since which the agent has been in his state. For what was so "
    "before the exporter connected: since his last call, pause or log-in, as far as Asterisk tells.",
)  # fmt: skip
AGENT_PAUSED = Metric(
    "asterisk_agent_paused", Kind.GAUGE, _AGENT,
    "1 if the agent is paused in every queue he is a member of (on a call or not), else 0.",
)  # fmt: skip
AGENT_INFO = Metric(
    "asterisk_agent_info", Kind.GAUGE, (*_AGENT, "name", "interface"),
    "Always 1. The agent's name (MemberName) and interface, those in the first of his queues by name.",
)  # fmt: skip
AGENT_PAUSE_INFO = Metric(
    "asterisk_agent_pause_info", Kind.GAUGE, (*_AGENT, "reason"),
    "1 while the agent is paused in every queue, with the reason of the latest pause; absent otherwise.",
)  # fmt: skip
MEMBER_PENALTY = Metric(
    "asterisk_queue_member_penalty", Kind.GAUGE, _MEMBER, "Penalty of the agent in the queue."
)
MEMBER_PAUSED = Metric(
    "asterisk_queue_member_paused", Kind.GAUGE, _MEMBER, "1 if the agent is paused in the queue, else 0."
)
LAST_EVENT = Metric(
    "asterpanel_ami_last_event_timestamp_seconds", Kind.GAUGE, _SWITCHBOARD,
    "Unix time on the switchboard's clock of the newest event; absent before the first.",
    while_down=True,
)  # fmt: skip
EVENTS = Metric(
    "asterpanel_ami_events_total", Kind.COUNTER, _SWITCHBOARD,
    "AMI events that entered the state, items of resync lists included.",
    while_down=True,
)  # fmt: skip
FRAMES = Metric(
    "asterpanel_ami_frames_total", Kind.COUNTER, _SWITCHBOARD,
    "AMI frames received, needed or not: far above the events, the event filter of manager-conf is missing.",
    while_down=True,
)  # fmt: skip
BYTES = Metric(
    "asterpanel_ami_received_bytes_total", Kind.COUNTER, _SWITCHBOARD, "Bytes received from AMI.",
    while_down=True,
)  # fmt: skip
WIRE_ERRORS = Metric(
    "asterpanel_ami_errors_total", Kind.COUNTER, (*_SWITCHBOARD, "kind"),
    "AMI data that could not be used and was skipped.",
    values={"kind": tuple(kind.value for kind in WireError)},
    while_down=True,
)  # fmt: skip
RECONNECTS = Metric(
    "asterpanel_ami_reconnects_total", Kind.COUNTER, (*_SWITCHBOARD, "reason"),
    "Attempts to connect again, by what had ended or prevented the connection before.",
    values={"reason": tuple(reason.value for reason in DisconnectReason)},
    while_down=True,
)  # fmt: skip
ROUND_TRIP = Metric(
    "asterpanel_ami_round_trip_seconds", Kind.GAUGE, _SWITCHBOARD, "Time that the last ping took."
)
CLOCK_OFFSET = Metric(
    "asterpanel_ami_clock_offset_seconds", Kind.GAUGE, _SWITCHBOARD,
    "The switchboard's clock less the exporter's, as its time stamps show.",
)  # fmt: skip
DRIFT = Metric(
    "asterpanel_state_drift_total", Kind.COUNTER, (*_SWITCHBOARD, "kind"),
    "Things that a resync found different although no event had announced it, by kind. Stays 0 but for "
    "changes that Asterisk announces to nobody (static members and queues reloaded from files, positions "
    "and priorities changed by hand).",
    values={"kind": tuple(kind.value for kind in DriftKind)},
    while_down=True,
)  # fmt: skip
RESYNCS = Metric(
    "asterpanel_state_resyncs_total", Kind.COUNTER, (*_SWITCHBOARD, "reason"),
    "Times the whole state was read, by reason.",
    values={"reason": tuple(reason.name.lower() for reason in ResyncReason)},
    while_down=True,
)  # fmt: skip
STATE_ERRORS = Metric(
    "asterpanel_state_errors_total", Kind.COUNTER, _SWITCHBOARD,
    "Events that the exporter failed to apply: an error of its own, healed by a resync and worth a report.",
    while_down=True,
)  # fmt: skip
BUILD_INFO = Metric(
    "asterpanel_build_info", Kind.GAUGE, ("version",), "Always 1. Version of the exporter.", while_down=True
)

CATALOGUE: Final[tuple[Metric, ...]] = (
    UP,
    INFO,
    CALLERS_WAITING,
    LONGEST_WAIT,
    CALLS_IN_PROGRESS,
    MEMBERS,
    THRESHOLD,
    QUEUE_INFO,
    OFFERED,
    AGENT_STATE,
    AGENT_STATE_SINCE,
    AGENT_PAUSED,
    AGENT_INFO,
    AGENT_PAUSE_INFO,
    MEMBER_PENALTY,
    MEMBER_PAUSED,
    LAST_EVENT,
    EVENTS,
    FRAMES,
    BYTES,
    WIRE_ERRORS,
    RECONNECTS,
    ROUND_TRIP,
    CLOCK_OFFSET,
    DRIFT,
    RESYNCS,
    STATE_ERRORS,
    BUILD_INFO,
)
"""In the order of the exposition."""
