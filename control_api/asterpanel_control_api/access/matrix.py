"""What everybody is answered everywhere: role × endpoint × place. It follows from the rights' table.

This is what access is meant to be, as ``RIGHTS.md`` tells it, and nothing of how it is enforced: the tests
ask the API for every cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from asterpanel_control_api.access.endpoints import Endpoint, Public, Setup
from asterpanel_control_api.access.rights import ON_ONESELF, ROLE_RIGHTS, Right, Role
from asterpanel_control_api.errors import ErrorId
from asterpanel_control_api.identity.refusals import Reason


class Place(Enum):
    """Where that is which a request names, seen from the profile: a stable name, and what it means."""

    NOWHERE = ("–", "the request names nothing")
    ONESELF = ("oneself", "the agent that the person is, in a queue of the profile")
    INSIDE = ("inside", "another agent of the profile, in a queue where the person is a member too, "
    "and that queue's callers; for the live state, the profile's switchboard")  # fmt: skip
    OUTSIDE = ("outside", "an agent or a queue that the profile does not have, on a switchboard that it has")
    ELSEWHERE = ("elsewhere", "another tenant's switchboard, and everything on it")

    def __init__(self, id_: str, words: str) -> None:
        self.id = id_
        self.words = words


class Answer(Enum):
    """What comes of a request: done (or accepted), or an error."""

    DONE = None
    FORBIDDEN = ErrorId.FORBIDDEN
    NOT_FOUND = ErrorId.NOT_FOUND
    UNAUTHENTICATED = ErrorId.UNAUTHENTICATED

    @property
    def id(self) -> str:
        """``done``, or the error's id."""
        return "done" if self.value is None else self.value.id


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks, and is believed.

    Attributes:
        role: in the profile, or of the token; None: in no profile.
        is_program: whether it is a program with a bearer token, which no person is.
    """

    role: Role | None
    is_program: bool = False

    @property
    def name(self) -> str:
        """For tables and tests."""
        return f"{self.role or 'nobody'}{' (token)' if self.is_program else ''}"

    @property
    def rights(self) -> frozenset[Right]:
        """Of the role."""
        return frozenset() if self.role is None else ROLE_RIGHTS[self.role]

    @property
    def has_whole_tenant(self) -> bool:
        """Whether the profile does not limit him. A token's own limits hold for a master's too."""
        return self.role is Role.MASTER and not self.is_program


PEOPLE: Final = (*map(Asker, Role), Asker(None))
PROGRAMS: Final = tuple(Asker(role, is_program=True) for role in Role if role is not Role.AGENT)
"""There is no token with the role agent: its rights are those of a person about himself."""


def places(asker: Asker, endpoint: Endpoint) -> Iterator[Place]:
    """The places that there are for him. A program is no agent, so it has no `Place.ONESELF`."""
    if not endpoint.names_switchboard:
        yield Place.NOWHERE
        return
    if endpoint.names_agent and not asker.is_program:
        yield Place.ONESELF
    yield Place.INSIDE
    if endpoint.names_agent or endpoint.names_queue:
        yield Place.OUTSIDE
    yield Place.ELSEWHERE


def answer(asker: Asker, endpoint: Endpoint, place: Place) -> Answer:
    """What he is answered."""
    if endpoint.right is None:
        return Answer.DONE
    if not _is_in_sight(asker, endpoint, place):
        return Answer.NOT_FOUND
    return Answer.DONE if _right_here(endpoint, place) & asker.rights else Answer.FORBIDDEN


def answer_to_unproven(endpoint: Endpoint, reason: Reason) -> Answer:
    """What everybody is answered whose identity is not believed, for this reason, whoever he says he is."""
    if isinstance(endpoint, Public) or (isinstance(endpoint, Setup) and not reason.is_of_secret):
        return Answer.DONE
    return Answer.UNAUTHENTICATED


def missing_right(endpoint: Endpoint, place: Place) -> Right | None:
    """The right that `Answer.FORBIDDEN` names: the smallest that would do."""
    right = endpoint.right
    return ON_ONESELF.get(right, right) if right and place is Place.ONESELF else right


def _right_here(endpoint: Endpoint, place: Place) -> frozenset[Right]:
    """The rights of which one is enough."""
    right = endpoint.right
    if right is None:
        return frozenset()
    is_about_oneself = place is Place.ONESELF or not endpoint.names_agent
    return frozenset({right, ON_ONESELF.get(right, right)} if is_about_oneself else {right})


def _is_in_sight(asker: Asker, endpoint: Endpoint, place: Place) -> bool:
    """Whether he may know that there is what the request names."""
    if place is Place.ELSEWHERE:
        return False
    if place is Place.OUTSIDE:
        return asker.has_whole_tenant
    if place is Place.INSIDE and endpoint.names_agent:
        return Right.SEE in asker.rights
    return not asker.rights.isdisjoint({Right.SEE, Right.SEE_OWN})
