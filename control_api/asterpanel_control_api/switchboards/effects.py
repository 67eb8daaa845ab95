"""The effect of an action, as it shows in the live state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from asterpanel_control_api.access.globs import ascii_lower

Document = Mapping[str, Any]
"""The live state of one switchboard (``/state``), unfiltered, not to be changed."""

Effect = Callable[[Document], bool]
"""Whether an effect is to be seen."""


class LiveState(Protocol):
    """What the exporter tells of the switchboards; `asterpanel_control_api.live.boards.Boards` is one."""

    def current(self, switchboard: str) -> Document | None:
        """The document of a switchboard as it is now; None if that is not known."""

    def wait_until(self, switchboard: str, predicate: Effect, timeout_s: float) -> bool:
        """Wait until a current document satisfies the predicate, the present one counts; whether one did."""


def same_interface(one: str, other: str) -> bool:
    """Whether these are one interface to Asterisk, which does not mind the case of A to Z."""
    return ascii_lower(one) == ascii_lower(other)


def members_with(document: Document, queue: str, interface: str) -> list[Mapping[str, Any]]:
    """The memberships of an interface in a queue."""
    members = document.get("queues", {}).get(queue, {}).get("members", {})
    return [member for member in members.values() if same_interface(member["interface"], interface)]


def is_member(queue: str, interface: str, **values: object) -> Effect:
    """The interface is a member of the queue, with these values of its document."""

    def seen(document: Document) -> bool:
        members = members_with(document, queue, interface)
        return any(all(member.get(key) == value for key, value in values.items()) for member in members)

    return seen


def is_no_member(queue: str, interface: str) -> Effect:
    """The interface is no member of the queue (any more)."""
    return lambda document: not members_with(document, queue, interface)


def has_priority(queue: str, uniqueid: str, priority: int) -> Effect:
    """The caller waits with that priority."""

    def seen(document: Document) -> bool:
        caller = waiting_caller(document, queue, uniqueid)
        return caller is not None and caller.get("priority") == priority

    return seen


def waits_no_more(queue: str, uniqueid: str) -> Effect:
    """The caller has left the queue."""
    return lambda document: waiting_caller(document, queue, uniqueid) is None


def waiting_caller(document: Document, queue: str, uniqueid: str) -> Mapping[str, Any] | None:
    """The caller who waits in the queue; None if he does not."""
    callers = document.get("queues", {}).get(queue, {}).get("waiting", ())
    return next((caller for caller in callers if caller["uniqueid"] == uniqueid), None)
