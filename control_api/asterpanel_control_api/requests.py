"""What requests may contain. Whatever else they have is refused."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from asterpanel_control_api.schemas import never_null
from asterpanel_control_api.switchboards.commands import MAX_INFO_BYTES, MAX_NUMBER
from asterpanel_switchboard.config.values import MAX_MEMBER_TEXT_BYTES

MAX_NAME_CHARS: Final = 255
MAX_QUEUES: Final = 500

_UNSAFE: Final = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
"""Control characters, which could end a line of the manager interface and begin another; what else ends
lines; what turns the direction of text around, so that a log reads as something else; the byte order mark."""

_DIVIDERS: Final = "|;"
"""They divide the fields of queue_log and of what Asterisk keeps of its members."""

_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")
"""Which are no characters. JSON Schema's strings have none, so the patterns do not name them."""


def _without(characters: str) -> Any:
    """Text without these characters (of a regular expression's class), as validator and as schema."""
    unwanted = re.compile(f"[{characters}]")

    def check(text: str) -> str:
        found = unwanted.search(text) or _SURROGATES.search(text)
        if found:
            raise PydanticCustomError(
                "character", "must not contain the character {code}", {"code": f"U+{ord(found[0]):04X}"}
            )
        return text

    return AfterValidator(check), Field(json_schema_extra={"pattern": f"^[^{characters}]*$"})


def _at_most_bytes(most: int) -> AfterValidator:
    """Text that is not longer in UTF-8: Asterisk counts bytes, and cuts inside a character."""

    def check(text: str) -> str:
        if len(text.encode()) > most:
            raise PydanticCustomError(
                "too_many_bytes", "must not be longer than {most} bytes in UTF-8", {"most": most}
            )
        return text

    return AfterValidator(check)


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 2.0 is 2."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_check_line, _line_schema = _without(_UNSAFE)
_check_field, _field_schema = _without(_UNSAFE + _DIVIDERS)

Name = Annotated[StrictStr, Field(min_length=1, max_length=MAX_NAME_CHARS), _check_line, _line_schema]
Reason = Annotated[
    StrictStr,
    Field(max_length=MAX_MEMBER_TEXT_BYTES),
    _check_field,
    _field_schema,
    _at_most_bytes(MAX_MEMBER_TEXT_BYTES),
]
Info = Annotated[
    StrictStr, Field(max_length=MAX_INFO_BYTES), _check_field, _field_schema, _at_most_bytes(MAX_INFO_BYTES)
]
Penalty = Annotated[StrictInt, Field(ge=0, le=MAX_NUMBER), BeforeValidator(_whole)]
Priority = Annotated[StrictInt, Field(ge=-MAX_NUMBER, le=MAX_NUMBER), BeforeValidator(_whole)]
Queues = Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_QUEUES)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra=never_null)

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, values: Any) -> Any:
        for name, value in values.items() if isinstance(values, dict) else ():
            if value is None:
                raise PydanticCustomError("null", "{name} must be left out instead of null", {"name": name})
        return values


class SwitchboardPath(_Request):
    switchboard: Name = Field(description="Name of the switchboard.")


class AgentPath(SwitchboardPath):
    agent: Name = Field(description="Id of the agent.")


class MemberPath(SwitchboardPath):
    queue: Name = Field(description="Name of the queue.")
    agent: Name = Field(description="Id of the agent.")


class CallerPath(SwitchboardPath):
    queue: Name = Field(description="Name of the queue.")
    caller: Name = Field(description="Unique id of the waiting caller, from the live state.")


class StreamHeaders(BaseModel):
    last_event_id: str = Field(
        default="",
        alias="Last-Event-ID",
        description="`id` of the last event that arrived, to go on from there. If that is not possible any "
        "more, or it is no such id, the stream begins with a snapshot.",
    )


class PauseBody(_Request):
    reason: Reason = Field(
        default="",
        description="Why; one of the configured reasons, if there are any. At most 79 bytes in UTF-8.",
    )
    queues: Queues | None = Field(
        default=None, description="Only in these queues. Left out: in all in which the right holds."
    )


class UnpauseBody(_Request):
    queues: Queues | None = Field(
        default=None, description="Only in these queues. Left out: in all in which the right holds."
    )


def _needs_pause(schema: dict[str, Any]) -> None:
    never_null(schema)
    paused = {"properties": {"paused": {"const": True}}, "required": ["paused"]}
    schema["anyOf"] = [paused, {"not": {"required": ["reason"]}}]


class MemberBody(_Request):
    model_config = ConfigDict(json_schema_extra=_needs_pause)

    penalty: Penalty | None = Field(
        default=None,
        description="The higher, the later he is called. Left out: as it is, or Asterisk's (0).",
    )
    paused: StrictBool | None = Field(
        default=None, description="Left out: as it is; who joins is paused if he is in all his other queues."
    )
    reason: Reason | None = Field(
        default=None, description="Of the pause; needs `paused: true`. At most 79 bytes in UTF-8."
    )
    ring_in_use: StrictBool | None = Field(
        default=None,
        description="Whether his phone rings while he talks. Left out: as it is, or the queue's.",
    )

    @model_validator(mode="after")
    def _reason_of_pause(self) -> MemberBody:
        if self.reason is not None and not self.paused:
            raise PydanticCustomError("reason", "reason needs paused: true")
        return self


def _at_least_one(schema: dict[str, Any]) -> None:
    _needs_pause(schema)
    schema["minProperties"] = 1


class MemberChangeBody(MemberBody):
    model_config = ConfigDict(json_schema_extra=_at_least_one)

    @model_validator(mode="after")
    def _something(self) -> MemberChangeBody:
        if not self.model_fields_set:
            raise PydanticCustomError(
                "nothing", "there is nothing to change: give penalty, paused or ring_in_use"
            )
        return self


class QueueOfAgent(MemberBody):
    queue: Name = Field(description="Name of the queue.")


class QueuesBody(_Request):
    queues: Annotated[tuple[QueueOfAgent, ...], Field(max_length=MAX_QUEUES)] = Field(
        description="All queues that the agent is to be a member of, of those in which the right holds; each "
        "one once."
    )

    among: Annotated[tuple[Name, ...], Field(max_length=MAX_QUEUES)] | None = Field(
        default=None,
        description="He may be taken out of these queues only: those whose memberships the person who chose "
        "had before him. Left out: of all in which the right holds.",
    )

    @field_validator("queues")
    @classmethod
    def _each_once(cls, queues: tuple[QueueOfAgent, ...]) -> tuple[QueueOfAgent, ...]:
        if any(count > 1 for count in Counter(each.queue for each in queues).values()):
            raise PydanticCustomError("twice", "a queue is named twice")
        return queues


class PriorityBody(_Request):
    priority: Priority = Field(description="The higher, the earlier he is served.")
    immediate: StrictBool = Field(
        default=True, description="Whether he changes places now; Asterisk 16 never does that."
    )


class WithdrawBody(_Request):
    info: Info = Field(
        default="",
        description="For the dialplan, as `QUEUE_WITHDRAW_INFO`. At most 200 bytes in UTF-8.",
    )
