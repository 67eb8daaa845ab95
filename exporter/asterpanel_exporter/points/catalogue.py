"""Every event point: measurement, tags, fields, units, meaning.

The line protocol, the journal's tables and POINTS.md are made from it. A record's attributes
(`asterpanel_exporter.history.records`) have the names of the tags and fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AgentSession,
    AttemptResult,
    ControlAction,
    EndedBy,
    Outcome,
    QueueCall,
    Record,
    SwitchboardGap,
)


class FieldType(Enum):
    """Types of line protocol that are in use: ``1.5``, ``1i``, ``"text"``."""

    FLOAT = "float"
    INTEGER = "integer"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag: indexed, always text. An empty one is left out. ``values``: all of them, of an enumeration."""

    name: str
    help: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A field. An empty text is left out; numbers never are, so that sums and counts agree."""

    name: str
    type: FieldType
    help: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """One kind of point.

    Attributes:
        name: as in queries.
        record: what a point is made of.
        help: what one point stands for.
        time: what its time stamp is.
        identity: fields by which two points of one series and time stamp are the same thing, told twice. If
            they differ, the later one's time stamp moves on by a microsecond.
    """

    name: str
    record: type[Record]
    help: str
    time: str
    tags: tuple[Tag, ...]
    fields: tuple[Field, ...]
    identity: tuple[str, ...]


_SWITCHBOARD = Tag("switchboard", "Name of the switchboard in the configuration.")
_QUEUE = Tag("queue", "Name of the queue.")
_AGENT = Tag("agent", "Id of the agent, by the rule in the configuration.")
_AGENT_NAME = Tag("agent_name", "MemberName of the agent at that time.")


def _float(name: str, help: str) -> Field:
    return Field(name, FieldType.FLOAT, help)


def _integer(name: str, help: str) -> Field:
    return Field(name, FieldType.INTEGER, help)


def _string(name: str, help: str) -> Field:
    return Field(name, FieldType.STRING, help)


_UNIQUEID = _string("uniqueid", "Uniqueid of the caller's channel.")

QUEUE_CALL = Measurement(
    "queue_call",
    QueueCall,
    "A queue call: one visit of one caller to one queue, written when it has ended. A caller who goes on to "
    "a second queue makes a second one with the same linkedid.",
    "The caller's join (QueueCallerJoin); for a caller who was refused entry, the refusal.",
    (
        _SWITCHBOARD,
        _QUEUE,
        Tag("outcome", "How the visit ended.", tuple(outcome.value for outcome in Outcome)),
        Tag("agent", "Id of the agent who answered."),
        Tag("agent_name", "MemberName of the agent who answered."),
        Tag(
            "ended_by",
            "How an answered call ended; left out where that is not known (moved away in mid-talk, cut by a "
            "restart of the PBX).",
            tuple(ended.value for ended in EndedBy if ended.value),
        ),
    ),
    (
        _float("wait_s", "Seconds from the join until an agent was connected, or the caller left."),
        _float("ring_s", "Seconds that the phone of the agent who answered had rung; 0 if none did."),
        _float("talk_s", "Seconds from the connection until either side hung up or the agent transferred the "
               "caller (from the start of his consultation, if there was one); 0 if not answered."),
        _integer("position_in", "Place in the queue at the join; 0 if refused."),
        _integer("position_out", "Place in the queue when the caller left it; 0 if refused."),
        _integer("attempts", "How often an agent's phone rang for the visit."),
        _integer("offered", "Always 1."),
        _integer("answered", "1 if an agent was connected."),
        _integer("abandoned", "1 if the caller hung up while waiting: time-outs, exits by key, withdrawals "
                 "and the like are not abandons."),
        _integer("short_abandon", "1 if abandoned within the queue's short_abandon time; abandoned is 1 "
                 "too."),
        _integer("within_sl", "1 if answered within sl_threshold_s."),
        _integer("abandoned_within_sl", "1 if abandoned within sl_threshold_s."),
        _integer("transferred", "1 if the agent transferred the caller."),
        _float("sl_threshold_s", "Service-level threshold that applied, in seconds; 0: the queue has none."),
        _string("caller", "Number of the caller."),
        _string("caller_name", "Name of the caller."),
        _UNIQUEID,
        _string("linkedid", "Linkedid of the caller's channel: the same for all visits of one phone call."),
        _string("transfer_to", "Extension that the caller was transferred to."),
    ),
    ("uniqueid",),
)  # fmt: skip
AGENT_ATTEMPT = Measurement(
    "agent_attempt",
    AgentAttempt,
    "A ring attempt: an agent's phone rang for a caller of the queue, written when it rings no more.",
    "The start of the ringing (AgentCalled).",
    (
        _SWITCHBOARD,
        _QUEUE,
        _AGENT,
        _AGENT_NAME,
        Tag(
            "result",
            "answered: he picked up (where the queue has a memberdelay he can still hang up before he is "
            "connected). no_answer: it rang for as long as the queue lets it. rejected: the phone refused. "
            "cancelled: the caller left, or another agent was faster.",
            tuple(result.value for result in AttemptResult),
        ),
    ),
    (_float("ring_s", "Seconds that it rang."), _UNIQUEID),
    ("uniqueid",),
)  # fmt: skip
AGENT_PAUSE = Measurement(
    "agent_pause",
    AgentPause,
    "A pause of an agent in every queue that he is a member of, written when it has ended. A pause set anew, "
    "or with another reason, ends the one before.",
    "The start of the pause.",
    (_SWITCHBOARD, _AGENT, _AGENT_NAME, Tag("reason", "The reason given; left out if there was none.")),
    (
        _float("duration_s", "Seconds that it lasted; up to the last moment seen, if it ended in a gap."),
        _string("by", "Who paused him, where that is known: autopause, or a user of the control API."),
    ),
    ("duration_s",),
)
AGENT_SESSION = Measurement(
    "agent_session",
    AgentSession,
    "A membership of an agent in a queue, written when it has ended.",
    "The start of the membership.",
    (_SWITCHBOARD, _QUEUE, _AGENT, _AGENT_NAME),
    (_float("duration_s", "Seconds that it lasted; up to the last moment seen, if it ended in a gap."),),
    ("duration_s",),
)
CONTROL_ACTION = Measurement(
    "control_action",
    ControlAction,
    "An action of the control API, done or denied.",
    "When it was done.",
    (
        _SWITCHBOARD,
        Tag("action", "What was asked for."),
        Tag("agent", "Id of the agent it was about."),
        Tag("queue", "Name of the queue it was about."),
        Tag("result", "What came of it."),
    ),
    (_string("user", "Who asked for it."), _string("detail", "What else there is to tell.")),
    ("user", "detail"),
)
SWITCHBOARD_GAP = Measurement(
    "switchboard_gap",
    SwitchboardGap,
    "A time in which the switchboard could not be watched, written when it is watched again.",
    "The last moment known before.",
    (
        _SWITCHBOARD,
        Tag("cause", "What ended the connection, or that the exporter did not run. unidentified_call, "
            "without duration: a call that had begun in a gap ended, and nothing told which one it was."),
    ),
    (
        _float("duration_s", "Seconds until the whole state had been read again."),
        _integer("calls_missed", "Calls that ended in that time, by the switchboard's own counters: of those "
                 "there are no points. import-queue-log adds them."),
    ),
    ("duration_s", "calls_missed"),
)  # fmt: skip

CATALOGUE: Final = (
    QUEUE_CALL,
    AGENT_ATTEMPT,
    AGENT_PAUSE,
    AGENT_SESSION,
    CONTROL_ACTION,
    SWITCHBOARD_GAP,
)

MEASUREMENT_OF: Final[Mapping[type, Measurement]] = {
    measurement.record: measurement for measurement in CATALOGUE
}
