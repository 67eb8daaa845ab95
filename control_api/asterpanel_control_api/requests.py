"""What requests may contain. Whatever else they have is refused."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

MAX_NAME_CHARS = 255
MAX_REASON_CHARS = 80
MAX_QUEUES = 500
MAX_PENALTY = 2**31 - 1


def _one_line(text: str) -> str:
    """Refuses control characters: they could end a line of the manager interface and begin another."""
    for char in text:
        if not char.isprintable():
            raise ValueError(f"must not contain the character U+{ord(char):04X}")
    return text


Name = Annotated[StrictStr, Field(min_length=1, max_length=MAX_NAME_CHARS), AfterValidator(_one_line)]
Reason = Annotated[StrictStr, Field(max_length=MAX_REASON_CHARS), AfterValidator(_one_line)]
Penalty = Annotated[StrictInt, Field(ge=0, le=MAX_PENALTY)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


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


class PauseBody(_Request):
    reason: Reason = Field(default="", description="Why; one of the configured reasons, if there are any.")
    queues: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_QUEUES)] | None = Field(
        default=None, description="Only in these queues. Default: in all in which the right holds."
    )


class UnpauseBody(_Request):
    queues: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_QUEUES)] | None = Field(
        default=None, description="Only in these queues. Default: in all in which the right holds."
    )


class MemberBody(_Request):
    penalty: Penalty | None = Field(default=None, description="Default: as it is, or Asterisk's (0).")
    paused: StrictBool | None = Field(
        default=None, description="Default: as it is; who joins is paused as in his other queues."
    )
    reason: Reason | None = Field(default=None, description="Of the pause; needs `paused: true`.")
    ring_in_use: StrictBool | None = Field(
        default=None, description="Whether his phone rings while he talks. Default: as it is, or the queue's."
    )


class QueueOfAgent(MemberBody):
    queue: Name = Field(description="Name of the queue.")


class QueuesBody(_Request):
    queues: Annotated[tuple[QueueOfAgent, ...], Field(max_length=MAX_QUEUES)] = Field(
        description="All queues that the agent is to be a member of, of those in which the right holds."
    )


class PriorityBody(_Request):
    priority: Annotated[StrictInt, Field(ge=-MAX_PENALTY, le=MAX_PENALTY)] = Field(
        description="The higher, the earlier he is served."
    )
    immediate: StrictBool = Field(
        default=True, description="Whether he changes places now (Asterisk 18 and later)."
    )


class WithdrawBody(_Request):
    info: Reason = Field(default="", description="For the dialplan, as QUEUE_WITHDRAW_INFO.")
