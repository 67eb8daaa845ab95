"""Every event point: measurement, tags, fields, units, meaning.

The line protocol, the journal's tables and POINTS.md are made from it. A record's attributes
(`asterpanel_exporter.history.records`) have the names of the tags and fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from asterpanel_exporter.history.half_hours import AgentDuty, AgentInterval, QueueInterval, QueueLocalHour
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

AnyRecord = Record | QueueInterval | QueueLocalHour | AgentInterval | AgentDuty


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
            they differ, the later one's time stamp moves on by a microsecond. Empty: the later one replaces
            the earlier one.
    """

    name: str
    record: type[AnyRecord]
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

_INTERVAL_START = "The start of the half hour, of local time."
OUTCOME_FIELDS: Final[Mapping[Outcome, str]] = {
    ended: "continued" if ended is Outcome.CONTINUE else ended.value  # the other is a word of Python
    for ended in Outcome
}
"""The field of a half hour that counts the calls of an outcome."""
_OF_INTERVAL = "Written while the half hour goes on, and anew whenever it has changed"
QUEUE_INTERVAL = Measurement(
    "queue_interval",
    QueueInterval,
    "Half an hour of a queue, made from the other points: what reports sum up. Calls belong to the half hour "
    f"of their join, once they have ended. {_OF_INTERVAL}: a call that ended late, an import.",
    _INTERVAL_START,
    (_SWITCHBOARD, _QUEUE),
    (
        _float("watched_s", "Seconds of it, so far, in which the switchboard was watched: but for gaps."),
        _integer("offered", "Calls: callers who entered the queue or were refused entry."),
        _integer("answered", "Calls that an agent answered."),
        _integer("abandoned", "Calls in which the caller hung up while waiting."),
        _integer("short_abandon", "Of the abandoned, those within the queue's short_abandon time."),
        *(
            _integer(OUTCOME_FIELDS[outcome], f"Calls with the outcome {outcome.value}.")
            for outcome in Outcome
            if outcome not in (Outcome.ANSWERED, Outcome.ABANDONED)
        ),
        _integer("transferred", "Answered calls that the agent transferred."),
        _integer("sl_offered", "Calls that had a service-level threshold; the next five are of these."),
        _integer("sl_answered", "Answered."),
        _integer("sl_abandoned", "Abandoned."),
        _integer("sl_short_abandon", "Short abandons."),
        _integer("within_sl", "Answered within the threshold."),
        _integer("abandoned_within_sl", "Abandoned within the threshold."),
        _integer("counted", "Calls that count for the service level, by the configured formula."),
        _integer("good", "Of these, the calls within the service level."),
        _float("answered_wait_s", "Seconds that the answered waited, all together."),
        _float("abandoned_wait_s", "Seconds that the abandoned waited, all together."),
        _float("longest_wait_s", "Seconds of the longest wait, of all calls."),
        _float("answered_ring_s", "Seconds that phones rang until they were answered, all together."),
        _float("talk_s", "Seconds of talk, all together."),
        _float("wrapup_s", "Seconds of wrap-up after the answered calls, as configured, all together."),
        _integer("rings", "Ringings of agents' phones that began in it."),
        _integer("ring_no_answer", "Of these, not answered."),
        _integer("ring_rejected", "Of these, refused by the phone."),
        _float("no_answer_ring_s", "Seconds that phones rang and nobody answered, all together."),
        _float("staffed_s", "Seconds that agents were members, all together."),
        _float("paused_s", "Of these, on pause."),
        _float("elsewhere_s", "Of staffed_s, not on pause, but busy with calls of other queues: ringing, "
               "talk, wrap-up."),
        _float("needed_s", "Seconds of agents whom the calls needed for the target, by Erlang C: from the "
               "calls offered, their mean handle time (talk, wrap-up and answered ringing, of the answered "
               "ones) and the threshold; in hundredths of agents, at least one. 0 if no call had a "
               "threshold."),
        _float("planned_offered", "Calls to be expected: of the same half hour in the four weeks before, on "
               "average over the weeks in which it was watched; as many as came, if there is no such week."),
        _float("planned_handle_s", "Their handle time, if all of them are answered, all together."),
        _float("lost", "Calls that were missing to the service-level target: target times counted, less "
               "good. The next six add up to it. They come from a chain of Erlang C levels that begins with "
               "the calls planned and the agents whom these need, and takes over what really was, one after "
               "the other. By how much the level falls, each has its part; a rise makes good the falls "
               "before it."),
        _float("lost_arrivals", "Of these: as more calls came than planned."),
        _float("lost_handle_time", "Of these: as calls took longer than planned."),
        _float("lost_staffing", "Of these: as fewer agents were there (members, and not busy elsewhere) than "
               "the planned calls need."),
        _float("lost_pauses", "Of these: as agents were on pause."),
        _float("lost_ring_no_answer", "Of these: as phones rang and nobody answered, which takes time of "
               "agents and of callers."),
        _float("lost_other", "Of these: what none of that explains, such as bursts within the half hour."),
    ),
    (),
)  # fmt: skip
_OF_LOCAL_HOUR = (
    "offered", "answered", "abandoned", "sl_offered", "sl_answered", "sl_abandoned", "sl_short_abandon",
    "within_sl", "abandoned_within_sl", "answered_wait_s",
)  # fmt: skip
QUEUE_LOCAL_HOUR = Measurement(
    "queue_local_hour",
    QueueLocalHour,
    "The calls of half an hour of a queue once more, told apart by local hour and weekday, which InfluxQL "
    f"cannot. {_OF_INTERVAL}.",
    _INTERVAL_START,
    (
        _SWITCHBOARD,
        _QUEUE,
        Tag("weekday", "Of local time: 1 is Monday.", tuple("1234567")),
        Tag("hour", "Of local time.", tuple(f"{hour:02}" for hour in range(24))),
    ),
    tuple(field for field in QUEUE_INTERVAL.fields if field.name in _OF_LOCAL_HOUR),
    (),
)
AGENT_INTERVAL = Measurement(
    "agent_interval",
    AgentInterval,
    f"Half an hour of an agent in one queue, made from the other points. {_OF_INTERVAL}.",
    _INTERVAL_START,
    (_SWITCHBOARD, _QUEUE, _AGENT, _AGENT_NAME),
    (
        _integer("answered", "Calls that he answered, by their join."),
        _float("talk_s", "Seconds of talk in these."),
        _float("wrapup_s", "Seconds of wrap-up after these, as configured."),
        _float("answered_ring_s", "Seconds that his phone rang for these."),
        _integer("transferred", "Of these, transferred by him."),
        _integer("rings", "Ringings of his phone that began in it."),
        _integer("ring_no_answer", "Of these, not answered."),
        _integer("ring_rejected", "Of these, refused by the phone."),
        _integer("ring_cancelled", "Of these, ended by the caller, or by another agent who was faster."),
        _float("ring_s", "Seconds of all of these."),
        _float("staffed_s", "Seconds that he was a member of the queue."),
        _float("paused_s", "Of these, on pause."),
    ),
    (),
)
AGENT_DUTY = Measurement(
    "agent_duty",
    AgentDuty,
    f"Half an hour of an agent over all his queues, made from the other points. {_OF_INTERVAL}.",
    _INTERVAL_START,
    (_SWITCHBOARD, _AGENT, _AGENT_NAME),
    (
        _float("on_duty_s", "Seconds that he was a member of any queue."),
        _float("paused_s", "Seconds that he was on pause."),
        _float("available_s", "Seconds that he was a member of any queue and not on pause."),
        _float("idle_s", "Of these, not busy with a talk, a ringing or wrap-up."),
        _float("on_call_s", "Seconds of talk that lie in it."),
        _float("ringing_s", "Seconds of ringing that lie in it."),
        _float("wrapup_s", "Seconds of wrap-up that lie in it, as configured."),
        _integer("pauses", "Pauses that began in it."),
        _float("first_at", "Unix seconds of the first thing of him in it: log-in or log-out, start or end "
               "of a pause, ringing, start or end of a talk; 0: none."),
        _float("last_at", "Unix seconds of the last of those; 0: none."),
    ),
    (),
)  # fmt: skip

CATALOGUE: Final = (
    QUEUE_CALL,
    AGENT_ATTEMPT,
    AGENT_PAUSE,
    AGENT_SESSION,
    CONTROL_ACTION,
    SWITCHBOARD_GAP,
    QUEUE_INTERVAL,
    QUEUE_LOCAL_HOUR,
    AGENT_INTERVAL,
    AGENT_DUTY,
)

MEASUREMENT_OF: Final[Mapping[type, Measurement]] = {
    measurement.record: measurement for measurement in CATALOGUE
}
