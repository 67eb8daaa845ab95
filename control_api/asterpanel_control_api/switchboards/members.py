"""An agent's memberships in the live state, and as what he joins a further queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from asterpanel_control_api.switchboards.effects import Document
from asterpanel_switchboard.new_member import NewMember, NewMemberTemplate


@dataclass(frozen=True, slots=True)
class Membership:
    """One membership of the agent, as the live state has it. ``ring_in_use`` is None while not known."""

    queue: str
    interface: str
    state_interface: str
    name: str
    dynamic: bool
    penalty: int
    paused: bool
    pause_reason: str
    ring_in_use: bool | None

    @property
    def as_new(self) -> NewMember:
        """What it takes to have the same in another queue. What Asterisk takes by itself is left out."""
        return NewMember(
            self.interface,
            "" if self.state_interface == self.interface else self.state_interface,
            "" if self.name == self.interface else self.name,
        )


def memberships_of(document: Document, agent: str) -> list[Membership]:
    """All memberships of an agent, by queue.

    The live state lists a queue's members by agent; one who is in a queue with a second interface is there by
    that, and names the agent.
    """
    return [
        _membership(queue, member)
        for queue, found in sorted(document["queues"].items())
        for key, member in found["members"].items()
        if member.get("agent", key) == agent
    ]


def _membership(queue: str, member: Mapping[str, Any]) -> Membership:
    return Membership(
        queue=queue,
        interface=member["interface"],
        state_interface=member.get("state_interface", ""),
        name=member.get("name", ""),
        dynamic=member["dynamic"],
        penalty=member["penalty"],
        paused=member["paused"],
        pause_reason=member["pause_reason"],
        ring_in_use=member.get("ring_in_use"),
    )


def new_member(
    agent: str, memberships: Iterable[Membership], template: NewMemberTemplate | None
) -> NewMember | None:
    """As what an agent joins a further queue; None if nothing tells.

    As most of his memberships are, those counting first that were made as this one will be: dynamic ones.
    Else as configured.
    """
    known = list(memberships)
    dynamic = [membership for membership in known if membership.dynamic]
    if known:
        return Counter(membership.as_new for membership in dynamic or known).most_common(1)[0][0]
    return template.fill(agent) if template is not None and template.fits(agent) else None
