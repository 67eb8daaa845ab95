"""The live state of a switchboard, field by field, as answers have it.

For the API's description. Which of it somebody sees is decided in `access.filtering`, where every field that
is shown is named; what it is comes from the exporter.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from asterpanel_control_api.schemas import never_null

AgentState = Literal["unavailable", "on_call", "on_hold", "ringing", "wrapup", "paused", "idle"]

_TIME = "Unix time in seconds, of the switchboard's clock."


class _Part(BaseModel):
    """Whatever is not known, or not to be seen by whoever asks, is left out; nothing is ever null."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=never_null)


class WaitingCaller(_Part):
    position: int = Field(ge=1, description="Place in the queue; 1 is the next.")
    since: float = Field(description=f"When he joined. {_TIME}")
    priority: int | None = Field(default=None, description="The higher, the earlier he is served.")
    caller: str = Field(
        description="His number; to who may not read it: `…` and the last two digits, or `…` alone. Empty if "
        "he has none."
    )
    caller_name: str | None = Field(default=None, description="Only for who may read callers.")
    uniqueid: str | None = Field(
        default=None, description="By which he is moved. Only for who may read or move callers."
    )


class CallInProgress(_Part):
    since: float = Field(description=f"When it was answered. {_TIME}")
    agent: str | None = Field(default=None, description="Id of the agent, if he is in sight.")
    uniqueid: str | None = Field(default=None, description="Of the caller. Only for who may read callers.")


class Member(_Part):
    agent: str | None = Field(
        default=None,
        description="Id of the agent, only where the key is not: his second interface in the same queue.",
    )
    interface: str = Field(description="What the queue dials, such as `PJSIP/1001`.")
    state: AgentState = Field(description="Of this membership alone.")
    penalty: int = Field(description="The higher, the later he is called.")
    paused: bool = Field(description="In this queue; also while he is on a call.")
    pause_reason: str = Field(description="Empty without one.")
    ring_in_use: bool | None = Field(default=None, description="Whether his phone rings while he talks.")
    dynamic: bool = Field(description="Whether he can be taken out; if not, the configuration has him.")
    since: float | None = Field(default=None, description=f"When he joined. {_TIME}")
    last_call: float | None = Field(default=None, description=f"When his last call ended. {_TIME}")
    calls_taken: int = Field(description="In this queue, as the switchboard counts.")


class Levels(_Part):
    """From where on a figure is a warning, and from where on it is critical.

    Where small figures are the bad ones, `critical` is the smaller of the two.
    """

    warning: float
    critical: float


class QueueLevels(_Part):
    """What is good and what is bad of a queue, as configured (`targets`)."""

    waiting: Levels = Field(description="Of the number of callers who wait.")
    longest_wait_s: Levels = Field(description="Of the seconds that a caller has waited until now.")
    service_level: Levels = Field(
        description="Of the service level, 0 to 1; below `warning` its target is missed."
    )


class QueueToday(_Part):
    """Calls that joined the queue since midnight on the switchboard, and have ended."""

    offered: int = Field(description="All of them.")
    answered: int = Field(description="By an agent.")
    abandoned: int = Field(description="The caller hung up while he waited.")
    short_abandons: int = Field(description="Those so soon that they do not count.")
    within_sl: int = Field(description="Answered within the service level's threshold.")
    wait_s: float = Field(description="Seconds that the answered ones waited, together.")
    talk_s: float = Field(description="Seconds of talk, together.")
    service_level: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="By the configured formula (`service_level_formula` of `/v1/me`), of the calls to which "
        "a threshold applied; left out while none counts.",
    )


class Queue(_Part):
    strategy: str = Field(description="How it rings its members, such as `ringall`.")
    max_len: int = Field(description="How many callers may wait; 0: any number.")
    sl_threshold_s: float = Field(description="Seconds within which an answer is in time; 0: none is set.")
    offered: int = Field(
        description="Calls that joined, or were refused, since the exporter knows the queue."
    )
    waiting: list[WaitingCaller] = Field(description="Callers who wait, in their order.")
    in_progress: list[CallInProgress] = Field(description="Calls that agents of the queue have now.")
    members: dict[str, Member] = Field(
        description="Members in sight by the agent's id; the second interface of an agent by the interface."
    )
    today: QueueToday
    levels: QueueLevels


class AgentToday(_Part):
    """Since midnight on the switchboard, over all queues."""

    answered: int = Field(description="Calls that he answered and that have ended.")
    talk_s: float = Field(description="Seconds that he talked in them.")
    no_answers: int = Field(description="How often his phone rang in vain.")


class Agent(_Part):
    name: str = Field(description="For people.")
    state: AgentState = Field(description="Over all his queues; the first that applies, in this order.")
    since: float = Field(description=f"When that began. {_TIME}")
    paused: bool = Field(description="In every one of his queues; also while he is on a call.")
    pause_reason: str = Field(description="Empty without one.")
    paused_since: float | None = Field(default=None, description=f"Only while he is paused. {_TIME}")
    wrapup_until: float | None = Field(default=None, description=f"Only in `wrapup`. {_TIME}")
    queues: list[str] = Field(description="Names of his queues, of those in sight.")
    today: AgentToday | None = Field(
        default=None, description="Only if all his queues are in sight, or to himself."
    )


class LiveState(_Part):
    """The live state of one switchboard, as whoever asks may see it."""

    switchboard: str = Field(description="Its name.")
    up: bool = Field(
        description="Whether the exporter is connected to it; if not, the rest is what was last known."
    )
    version: str = Field(description="Of Asterisk; empty if not known.")
    as_of: float = Field(description=f"When the switchboard last told anything. {_TIME}")
    queues: dict[str, Queue] = Field(description="By name.")
    agents: dict[str, Agent] = Field(description="By id.")
