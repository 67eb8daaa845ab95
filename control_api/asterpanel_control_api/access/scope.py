"""What one person may see and do on one switchboard: the union of what his profiles give him there."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass

from asterpanel_control_api.access.globs import Globs
from asterpanel_control_api.access.rights import ON_ONESELF, Right

_ABOUT_ONESELF = frozenset(ON_ONESELF.values())


@dataclass(frozen=True, slots=True)
class Part:
    """What one profile gives on one switchboard. Its rights hold among its own queues and agents only.

    Attributes:
        rights: which.
        queues: of the profile.
        agents: of the profile.
        own: the agent that the person is here; "" if he is none.
    """

    rights: frozenset[Right]
    queues: Globs
    agents: Globs
    own: str = ""

    @property
    def shows_anything(self) -> bool:
        """Whether there can be something to see."""
        return Right.SEE in self.rights or (Right.SEE_OWN in self.rights and bool(self.own))

    def sees_queue(self, queue: str, members: Container[str]) -> bool:
        """Whether a queue with these agents among its members is in sight."""
        if not self.queues.match(queue):
            return False
        return Right.SEE in self.rights or (
            Right.SEE_OWN in self.rights and self.own != "" and self.own in members
        )

    def sees_member(self, queue: str, agent: str) -> bool:
        """Whether this membership is in sight."""
        return self.queues.match(queue) and self.could_see(agent)

    def sees_agent(self, agent: str, queues: Collection[str]) -> bool:
        """Whether an agent who is a member of these queues is in sight."""
        if self._is_own(agent):
            return True
        if not self.could_see(agent):
            return False
        return self.queues.everything or any(self.queues.match(queue) for queue in queues)

    def may(self, right: Right, queue: str | None, agent: str | None) -> bool:
        """Whether the right holds on this queue, this agent, or this agent in this queue."""
        if queue is not None and not self.queues.match(queue):
            return False
        if right not in self.rights and agent is not None:
            right = ON_ONESELF.get(right, right)
        if right not in self.rights:
            return False
        if right in _ABOUT_ONESELF:
            return self.own != "" and agent in (None, self.own)
        return agent is None or agent == self.own or self.agents.match(agent)

    def could_see(self, agent: str) -> bool:
        """Whether an agent of that name is in sight wherever he is in one of the profile's queues."""
        return self._is_own(agent) or (Right.SEE in self.rights and self.agents.match(agent))

    def _is_own(self, agent: str) -> bool:
        return agent == self.own != "" and Right.SEE_OWN in self.rights


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything that one person may see and do on one switchboard. Equal scopes see the same."""

    parts: frozenset[Part] = frozenset()

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Scope:
        """The union of what these give."""
        return cls(frozenset(part for part in parts if part.shows_anything))

    @property
    def rights(self) -> frozenset[Right]:
        """Rights that hold somewhere on the switchboard; those about oneself only for who is an agent."""
        return frozenset(
            right for part in self.parts for right in part.rights if part.own or right not in _ABOUT_ONESELF
        )

    def sees_queue(self, queue: str, members: Container[str]) -> bool:
        """Whether a queue with these agents among its members is in sight."""
        return any(part.sees_queue(queue, members) for part in self.parts)

    def sees_member(self, queue: str, agent: str) -> bool:
        """Whether this membership is in sight: one profile has both its queue and its agent."""
        return any(part.sees_member(queue, agent) for part in self.parts)

    def sees_agent(self, agent: str, queues: Collection[str]) -> bool:
        """Whether an agent who is a member of these queues is in sight."""
        return any(part.sees_agent(agent, queues) for part in self.parts)

    def is_own(self, agent: str) -> bool:
        """Whether the person is this agent."""
        return any(agent == part.own != "" for part in self.parts)

    def reads_callers(self, queue: str, members: Container[str]) -> bool:
        """Whether callers of such a queue are shown with number and name."""
        return self._has_on_seen(queue, members, Right.SEE_CALLERS)

    def tells_callers_apart(self, queue: str, members: Container[str]) -> bool:
        """Whether callers of such a queue are shown with their unique id, by which they are moved."""
        return self.reads_callers(queue, members) or self._has_on_seen(queue, members, Right.MOVE_CALLERS)

    def may(self, right: Right, *, queue: str | None = None, agent: str | None = None) -> bool:
        """Whether the right holds, in one and the same profile, on the queue and the agent that are named.

        It says nothing of whether they exist. Who may pause himself may `Right.PAUSE` the agent he is.
        """
        return any(part.may(right, queue, agent) for part in self.parts)

    def _has_on_seen(self, queue: str, members: Container[str], right: Right) -> bool:
        return any(right in part.rights and part.sees_queue(queue, members) for part in self.parts)
