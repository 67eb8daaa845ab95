"""Every metric of the exporter: name, type, labels, definition. /metrics and METRICS.md are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from asterpanel_exporter.history.records import AttemptResult, Outcome
from asterpanel_exporter.history.totals import TALK_BUCKETS_S, WAIT_BUCKETS_S, WAIT_OUTCOMES
from asterpanel_exporter.influx.answers import FailureKind
from asterpanel_exporter.state import AgentState, DriftKind, ResyncReason
from asterpanel_switchboard.intake import WireError
from asterpanel_switchboard.session import DisconnectReason


class Kind(StrEnum):
    """Prometheus metric types in use."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


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
_TENANT = ("tenant",)
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
    "Calls offered to the queue: callers who entered it and those refused entry because it was full or "
    "empty. Like all counters of calls it goes on over restarts of the exporter.",
    while_down=True,
)  # fmt: skip
CALLS = Metric(
    "asterisk_queue_calls_total", Kind.COUNTER, (*_QUEUE, "outcome"),
    "Queue calls that have ended, by outcome: one a visit of a caller to the queue; an answered one when "
    "the agent's talk is over. abandoned: the caller hung up while waiting; the other reasons for leaving "
    "are apart.",
    values={"outcome": tuple(outcome.value for outcome in Outcome)},
    while_down=True,
)  # fmt: skip
WITHIN_SERVICE_LEVEL = Metric(
    "asterisk_queue_calls_within_service_level_total", Kind.COUNTER, (*_QUEUE, "outcome"),
    "Queue calls that were answered, or abandoned, within the service-level threshold that applied to them.",
    values={"outcome": tuple(outcome.value for outcome in WAIT_OUTCOMES)},
    while_down=True,
)  # fmt: skip
SHORT_ABANDONS = Metric(
    "asterisk_queue_short_abandons_total", Kind.COUNTER, _QUEUE,
    "Callers who hung up within the configured short_abandon; they are among the abandoned.",
    while_down=True,
)  # fmt: skip
WAIT = Metric(
    "asterisk_queue_wait_seconds", Kind.HISTOGRAM, (*_QUEUE, "outcome"),
    "Time from the join until an agent was connected (answered), or until the caller hung up (abandoned). "
    f"Buckets: {', '.join(f'{bound:g}' for bound in WAIT_BUCKETS_S)} and the service-level thresholds in "
    "use.",
    values={"outcome": tuple(outcome.value for outcome in WAIT_OUTCOMES)},
    while_down=True,
)  # fmt: skip
TALK = Metric(
    "asterisk_queue_talk_seconds", Kind.HISTOGRAM, _QUEUE,
    "Time from the connection of an agent until one side hung up or the caller was transferred. "
    f"Buckets: {', '.join(f'{bound:g}' for bound in TALK_BUCKETS_S)}.",
    while_down=True,
)  # fmt: skip
RING_ATTEMPTS = Metric(
    "asterisk_queue_ring_attempts_total", Kind.COUNTER, (*_QUEUE, "agent", "result"),
    "Times that an agent's phone rang for the queue. answered: he picked up; no_answer: it rang for as long "
    "as the queue lets it; rejected: the phone refused (busy, declined, unreachable); cancelled: the caller "
    "left, or another agent was faster.",
    values={"result": tuple(result.value for result in AttemptResult)},
)  # fmt: skip
CALLS_MISSED = Metric(
    "asterpanel_calls_missed_total", Kind.COUNTER, _SWITCHBOARD,
    "Calls that ended while the switchboard could not be watched, by its own counters of completed and "
    "abandoned calls. There are no points of them and no other metric counts them.",
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
LAST_SEEN = Metric(
    "asterpanel_ami_last_seen_timestamp_seconds", Kind.GAUGE, _SWITCHBOARD,
    "Unix time on the exporter's clock when the switchboard last told anything, an event or the answer to a "
    "ping, on a connection on which its whole state had been read: the data is as of then. Absent before "
    "the first.",
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
JOURNAL_POINTS = Metric(
    "asterpanel_journal_points_total", Kind.COUNTER, (),
    "Points written to the journal since the exporter started.",
    while_down=True,
)  # fmt: skip
JOURNAL_LOST = Metric(
    "asterpanel_journal_points_lost_total", Kind.COUNTER, (),
    "Points given up since the exporter started, because the disk failed and memory held no more. Stays 0.",
    while_down=True,
)  # fmt: skip
JOURNAL_WAITING = Metric(
    "asterpanel_journal_points_waiting", Kind.GAUGE, (),
    "Points that are not in the journal yet: above 0 for more than a moment, the disk is slow or fails.",
    while_down=True,
)  # fmt: skip
JOURNAL_ERRORS = Metric(
    "asterpanel_journal_errors_total", Kind.COUNTER, (),
    "Failed attempts to write the journal since the exporter started; what could not be written is tried "
    "again.",
    while_down=True,
)  # fmt: skip
JOURNAL_COMMIT = Metric(
    "asterpanel_journal_commit_seconds", Kind.GAUGE, (), "Time that the last commit to the journal took.",
    while_down=True,
)  # fmt: skip
JOURNAL_SIZE = Metric(
    "asterpanel_journal_size_bytes", Kind.GAUGE, (), "Size of the journal, its write-ahead log included.",
    while_down=True,
)  # fmt: skip
ROLLUP_LAST_SUCCESS = Metric(
    "asterpanel_rollup_last_success_timestamp_seconds", Kind.GAUGE, (),
    "Unix time at which all half hours that were due had been made (the points queue_interval, "
    "agent_interval and agent_duty): reports are as of then. Absent before the first time.",
    while_down=True,
)  # fmt: skip
ROLLUP_DUE = Metric(
    "asterpanel_rollup_half_hours_due", Kind.GAUGE, (),
    "Half hours of switchboards that are to be made (anew): many after an import or an upgrade, else a few "
    "once a minute.",
    while_down=True,
)  # fmt: skip
ROLLUP_ERRORS = Metric(
    "asterpanel_rollup_errors_total", Kind.COUNTER, (),
    "Failed attempts to make half hours since the exporter started; they are tried again.",
    while_down=True,
)  # fmt: skip
INFLUX_PENDING = Metric(
    "asterpanel_influx_points_pending", Kind.GAUGE, _TENANT,
    "Points in the journal that InfluxDB has not acknowledged yet.",
    while_down=True,
)  # fmt: skip
INFLUX_OLDEST = Metric(
    "asterpanel_influx_oldest_pending_age_seconds", Kind.GAUGE, _TENANT,
    "Time since the oldest of the pending points was written to the journal; 0 if none is pending.",
    while_down=True,
)  # fmt: skip
INFLUX_DELIVERED = Metric(
    "asterpanel_influx_points_delivered_total", Kind.COUNTER, _TENANT,
    "Points that InfluxDB has acknowledged since the exporter started.",
    while_down=True,
)  # fmt: skip
INFLUX_REFUSED = Metric(
    "asterpanel_influx_points_refused_total", Kind.COUNTER, _TENANT,
    "Points that InfluxDB has refused since the exporter started: `asterpanel-exporter journal dead-letters` "
    "tells which and why.",
    while_down=True,
)  # fmt: skip
INFLUX_DROPPED = Metric(
    "asterpanel_influx_points_dropped_total", Kind.COUNTER, _TENANT,
    "Pending points given up since the exporter started, because the journal was larger than allowed. "
    "Stays 0.",
    while_down=True,
)  # fmt: skip
INFLUX_ERRORS = Metric(
    "asterpanel_influx_errors_total", Kind.COUNTER, (*_TENANT, "kind"),
    "Failed requests to InfluxDB since the exporter started, by what failed; they are tried again.",
    values={"kind": tuple(kind.value for kind in FailureKind)},
    while_down=True,
)  # fmt: skip
INFLUX_LAST_SUCCESS = Metric(
    "asterpanel_influx_last_success_timestamp_seconds", Kind.GAUGE, _TENANT,
    "Unix time of InfluxDB's last acknowledgement; absent before the first.",
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
    CALLS,
    WITHIN_SERVICE_LEVEL,
    SHORT_ABANDONS,
    WAIT,
    TALK,
    RING_ATTEMPTS,
    AGENT_STATE,
    AGENT_STATE_SINCE,
    AGENT_PAUSED,
    AGENT_INFO,
    AGENT_PAUSE_INFO,
    MEMBER_PENALTY,
    MEMBER_PAUSED,
    LAST_EVENT,
    LAST_SEEN,
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
    CALLS_MISSED,
    JOURNAL_POINTS,
    JOURNAL_LOST,
    JOURNAL_WAITING,
    JOURNAL_ERRORS,
    JOURNAL_COMMIT,
    JOURNAL_SIZE,
    ROLLUP_LAST_SUCCESS,
    ROLLUP_DUE,
    ROLLUP_ERRORS,
    INFLUX_PENDING,
    INFLUX_OLDEST,
    INFLUX_DELIVERED,
    INFLUX_REFUSED,
    INFLUX_DROPPED,
    INFLUX_ERRORS,
    INFLUX_LAST_SUCCESS,
    BUILD_INFO,
)
"""In the order of the exposition."""
