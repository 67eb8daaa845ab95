"""As what an agent joins a queue, and how the configuration says it for who is in none."""

from __future__ import annotations

import re
from dataclasses import dataclass

AGENT_MARK = "{agent}"
"""Stands for the agent's id in a template."""

_PLAIN_AGENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
"""What an agent may be called where his name becomes part of an interface. Anything else in ``Local/…`` or
``PJSIP/…`` could lead to another context or trunk: a queue would dial what somebody has typed."""


@dataclass(frozen=True, slots=True)
class NewMember:
    """As what an agent joins a queue. An empty state interface is the interface, an empty name likewise."""

    interface: str
    state_interface: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class NewMemberTemplate:
    """As what agents join who are in no queue: `AGENT_MARK` stands for the agent's id.

    Attributes:
        agents: regular expression that a whole id must match.
    """

    interface: str
    state_interface: str = ""
    name: str = ""
    agents: str = ".+"

    def fits(self, agent: str) -> bool:
        """Whether an agent may be made into a member."""
        return bool(_PLAIN_AGENT.fullmatch(agent) and re.fullmatch(self.agents, agent))

    def fill(self, agent: str) -> NewMember:
        """The member that this agent is. He must fit."""
        texts = (self.interface, self.state_interface, self.name)
        return NewMember(*(text.replace(AGENT_MARK, agent) for text in texts))
