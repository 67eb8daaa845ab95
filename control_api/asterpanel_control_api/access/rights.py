"""Roles, rights, and the one table that says which role has which right.

What follows from it for each endpoint is in `matrix`; both are in ``RIGHTS.md``, which is made from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final


class Role(StrEnum):
    """What a person is in a profile. Without a role there are no rights."""

    MASTER = "master"
    SUPERVISOR = "supervisor"
    AGENT = "agent"
    VIEWER = "viewer"

    @property
    def reach(self) -> str:
        """Where the role's rights hold."""
        return _REACH[self]


_REACH: Final = {
    Role.MASTER: "the whole tenant",
    Role.SUPERVISOR: "the profile",
    Role.AGENT: "himself, and those of the profile's queues that he is a member of now",
    Role.VIEWER: "the profile",
}


class Right(Enum):
    """One thing that a person may or may not do: its stable name, and what it is.

    `SEE_OWN` and `PAUSE_SELF` are about the agent that the person is; the others are about a profile's
    queues and agents.
    """

    SEE_OWN = ("see_own", "see oneself, and the queues one is a member of, without the other agents")
    SEE = ("see", "see queues, their waiting callers and calls, and agents")
    SEE_CALLERS = ("see_callers", "read callers' numbers and names; without it they are masked")
    PAUSE_SELF = ("pause_self", "pause and unpause oneself")
    PAUSE = ("pause", "pause and unpause agents")
    EDIT_MEMBERS = ("edit_members", "add, change and remove members of queues")
    MOVE_CALLERS = ("move_callers", "change the priority of waiting callers, and withdraw them")

    def __init__(self, id_: str, words: str) -> None:
        self.id = id_
        self.words = words


ROLE_RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.MASTER: frozenset(Right),
    Role.SUPERVISOR: frozenset(Right),
    Role.AGENT: frozenset({Right.SEE_OWN, Right.PAUSE_SELF}),
    Role.VIEWER: frozenset({Right.SEE_OWN, Right.SEE}),
}
"""The rights of each role, as far as it reaches. `SEE_CALLERS` can be given and taken by ``callers``."""

ON_ONESELF: Final[Mapping[Right, Right]] = {Right.SEE: Right.SEE_OWN, Right.PAUSE: Right.PAUSE_SELF}
"""The smaller right that is enough for whoever asks about the agent he is."""


def rights_table() -> str:
    """The table in Markdown: a line for each right, a column for each role."""
    header = ["right", *(role.value for role in Role), "what it lets one do"]
    lines = [
        header,
        ["---", *(":-:" for _ in Role), "---"],
        *(
            [f"`{right.id}`", *("yes" if right in ROLE_RIGHTS[role] else "–" for role in Role), right.words]
            for right in Right
        ),
        ["reach", *(role.reach for role in Role), ""],
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
