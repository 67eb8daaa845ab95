"""AMI actions on queue members and callers, and what their replies mean.

Sources of the replies: ``apps/app_queue.c``, and Asterisk 16.28 and 22.10 asked. Every value is checked
before an action is made of it. Asterisk itself would take more than is good: texts, see
`objection_to_member_text`; a penalty above 2³¹ − 1, as another number (seen in both).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from asterpanel_control_api.switchboards.link import Answer
from asterpanel_switchboard.actions import InvalidActionValue, check_action
from asterpanel_switchboard.config.values import MAX_MEMBER_TEXT_BYTES, objection_to_member_text
from asterpanel_switchboard.errors import AsterpanelError

Action = Mapping[str, str]

MAX_INFO_BYTES = 200
MAX_NUMBER = 2**31 - 1


class InvalidValue(AsterpanelError, ValueError):
    """A value that must not be sent. ``field`` names it; the text says what is wrong, without the value."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}")
        self.field = field


class Reason(StrEnum):
    """Why a switchboard refuses."""

    NOT_A_MEMBER = "not_a_member"
    NO_SUCH_QUEUE = "no_such_queue"
    NO_SUCH_CALLER = "no_such_caller"
    STATIC_MEMBER = "static_member"
    NOT_SUPPORTED = "not_supported"
    NOT_PERMITTED = "not_permitted"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Done:
    """The switchboard has confirmed it."""

    message: str


@dataclass(frozen=True, slots=True)
class AlreadySo:
    """The switchboard says that it was so before."""

    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The switchboard did not do it."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """It never reached the switchboard, nor will it. ``busy``: because of too many others."""

    message: str
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was sent, and nobody knows whether it was done."""

    message: str


Result = Done | AlreadySo | Refused | NotSent | Unknown


# --- the actions ----------------------------------------------------------------------------------------


def pause(interface: str, *, queue: str | None = None, reason: str = "") -> Action:
    """Pause an interface in one queue, or in all that it is a member of. Again: it begins anew."""
    return _action("QueuePause", Interface=interface, Paused="true", Queue=queue, Reason=reason or None)


def unpause(interface: str, *, queue: str | None = None) -> Action:
    """End a pause in one queue, or in all."""
    return _action("QueuePause", Interface=interface, Paused="false", Queue=queue)


def add(queue: str, interface: str, *, state_interface: str, name: str, penalty: int, paused: bool) -> Action:
    """Add a dynamic member.

    Without a reason for the pause: Asterisk 16 takes and drops it here, so a `pause` has to follow.
    """
    return _action(
        "QueueAdd",
        Queue=queue,
        Interface=text("interface", interface),
        StateInterface=text("state_interface", state_interface) or None,
        MemberName=text("name", name) or None,
        Penalty=str(penalty),
        Paused="true" if paused else "false",
    )


def remove(queue: str, interface: str) -> Action:
    """Remove a dynamic member."""
    return _action("QueueRemove", Queue=queue, Interface=interface)


def set_penalty(queue: str, interface: str, penalty: int) -> Action:
    """Change a member's penalty."""
    return _action("QueuePenalty", Queue=queue, Interface=interface, Penalty=str(penalty))


def set_ring_in_use(queue: str, interface: str, ring_in_use: bool) -> Action:
    """Change whether a member's phone rings while it is in use."""
    return _action(
        "QueueMemberRingInUse", Queue=queue, Interface=interface, RingInUse="yes" if ring_in_use else "no"
    )


def change_priority(queue: str, channel: str, priority: int, *, immediate: bool) -> Action:
    """Change a waiting caller's priority; ``immediate``: his place too, which Asterisk 16 never does."""
    return _action(
        "QueueChangePriorityCaller",
        Queue=queue,
        Caller=channel,
        Priority=str(priority),
        Immediate="yes" if immediate else None,
    )


def withdraw(queue: str, channel: str, info: str) -> Action:
    """Send a waiting caller on in the dialplan, behind the queue. From Asterisk 16.25 and 18.11 on."""
    return _action("QueueWithdrawCaller", Queue=queue, Caller=channel, WithdrawInfo=info or None)


def _action(name: str, **headers: str | None) -> Action:
    action = {"Action": name} | {header: value for header, value in headers.items() if value is not None}
    for header, value in action.items():
        if not value.strip():
            raise InvalidValue(header, "is empty")
    try:
        check_action(action)
    except InvalidActionValue as error:
        raise InvalidValue(name, str(error)) from None
    return action


# --- values ---------------------------------------------------------------------------------------------


def text(field: str, value: str, most_bytes: int = MAX_MEMBER_TEXT_BYTES) -> str:
    """The text that Asterisk will have: without blanks around it.

    Raises:
        InvalidValue: it would arrive as something else, or as more than one thing.
    """
    if objection := objection_to_member_text(value, most_bytes):
        raise InvalidValue(field, objection)
    return value.strip()


def whole_number(field: str, value: int, least: int = 0) -> int:
    """The number, if Asterisk will read it as the same. Raises `InvalidValue` if not."""
    if not least <= value <= MAX_NUMBER:
        raise InvalidValue(field, f"must be from {least} to {MAX_NUMBER}")
    return value


# --- the replies ----------------------------------------------------------------------------------------

_ALREADY = ("already there", "not there", "already requested")
_REASONS: Mapping[str, Reason] = {
    "no such queue": Reason.NO_SUCH_QUEUE,
    "no such caller": Reason.NO_SUCH_CALLER,
    "member not dynamic": Reason.STATIC_MEMBER,
    "interface not found": Reason.NOT_A_MEMBER,
    "invalid interface, queuename": Reason.NOT_A_MEMBER,
    "invalid/unknown command": Reason.NOT_SUPPORTED,
    "permission denied": Reason.NOT_PERMITTED,
}


def read(answer: Answer) -> Result:
    """What a switchboard's answer means. Words that are not known are passed on as they are."""
    if answer.success:
        return Done(answer.message)
    said = answer.message.casefold()
    if any(said.endswith(words) for words in _ALREADY):
        return AlreadySo(answer.message)
    reason = next((reason for words, reason in _REASONS.items() if words in said), Reason.OTHER)
    return Refused(reason, answer.message)
