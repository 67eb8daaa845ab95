"""One person's view: what he may see and do, and the refusal where he may not.

What is hidden is answered exactly as what does not exist: the same id, message and detail, made of the
request alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from asterpanel_control_api.access.globs import Globs
from asterpanel_control_api.access.profiles import EVERY_SWITCHBOARD, Profiles
from asterpanel_control_api.access.rights import ON_ONESELF, ROLE_RIGHTS, Right, Role
from asterpanel_control_api.access.scope import Part, Scope
from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.people import Person

_EVERYTHING = Globs()


@dataclass(frozen=True, slots=True)
class Grant:
    """What one profile, or a bearer token, gives.

    Attributes:
        profile: its name; "" for a token.
        display_name: for people.
        role: in it.
        rights: of that role there.
        switchboards: where they hold.
        queues: on which they hold.
        agents: on whom they hold.
        own: the agent that the person is, by switchboard or for `EVERY_SWITCHBOARD`.
    """

    profile: str
    display_name: str
    role: Role
    rights: frozenset[Right]
    switchboards: Globs
    queues: Globs
    agents: Globs
    own: Mapping[str, str]

    def own_agent(self, switchboard: str) -> str:
        """The agent that the person is on a switchboard; "" if none."""
        return self.own.get(switchboard) or self.own.get(EVERY_SWITCHBOARD, "")

    def part(self, switchboard: str) -> Part:
        """What it gives on a switchboard that it has."""
        return Part(self.rights, self.queues, self.agents, self.own_agent(switchboard))

    @property
    def document(self) -> dict[str, Any]:
        """For the user interface: which buttons to show where. What counts is what the server says."""
        return {
            "profile": self.profile,
            "display_name": self.display_name,
            "role": self.role.value,
            "rights": _ids(self.rights),
            "switchboards": list(self.switchboards.patterns),
            "queues": list(self.queues.patterns),
            "agents": list(self.agents.patterns),
            "own": dict(self.own),
        }


class Viewpoint:
    """What one person may see and do, as the profiles are now. Made anew for each request.

    Args:
        person: who asks.
        profiles: the content in force.
        switchboards: the person's tenant's own, in the order in which they are shown
            (`Config.switchboards_of`).
    """

    def __init__(self, person: Person, profiles: Profiles, switchboards: Iterable[str]) -> None:
        self.person = person
        self.grants = tuple(_grants(person, profiles))
        scopes = {name: self._scope(name) for name in switchboards}
        self._scopes = {name: scope for name, scope in scopes.items() if scope.parts}

    def profiles(self) -> frozenset[str]:
        """The names of the profiles that the person is in."""
        return frozenset(grant.profile for grant in self.grants if grant.profile)

    def switchboards(self) -> tuple[str, ...]:
        """The switchboards in sight."""
        return tuple(self._scopes)

    def scope(self, switchboard: str) -> Scope:
        """What may be seen and done on a switchboard.

        Raises:
            ApiError: `NOT_FOUND`, if it is hidden or there is none.
        """
        scope = self._scopes.get(switchboard)
        if scope is None:
            _not_found(f"no switchboard {switchboard!r}", switchboard=switchboard)
        return scope

    def own_agent(self, switchboard: str) -> str:
        """The agent that the person is on a switchboard, by the first profile that says it; "" if none."""
        agents = (grant.own_agent(switchboard) for grant in self.grants if self._has(grant, switchboard))
        return next(filter(None, agents), "")

    def may(
        self, right: Right, switchboard: str, *, queue: str | None = None, agent: str | None = None
    ) -> bool:
        """Whether the right holds on what is named, as far as profiles say; not whether it exists."""
        scope = self._scopes.get(switchboard)
        return scope is not None and scope.may(right, queue=queue, agent=agent)

    def require(
        self,
        right: Right,
        switchboard: str,
        document: Mapping[str, Any],
        *,
        queue: str | None = None,
        agent: str | None = None,
        caller: str | None = None,
        new_agent: bool = False,
    ) -> Scope:
        """Let pass who may; the rest of a request may then name what it has named.

        Args:
            right: that the action needs. Who may pause himself may `Right.PAUSE` the agent he is.
            document: the switchboard's live state, unfiltered.
            queue: on which to act.
            agent: on whom to act.
            caller: unique id of a caller who waits in ``queue``.
            new_agent: the agent need not be a member of any queue yet: he is to become one.

        Raises:
            ApiError: `NOT_FOUND` for what does not exist or is hidden; `FORBIDDEN`, with the missing right,
                for what is in sight.
        """
        scope = self.scope(switchboard)
        named: dict[str, Any] = {"switchboard": switchboard}
        if queue is not None:
            named["queue"] = queue
            if not _sees_queue(scope, document, queue):
                _not_found(f"no queue {queue!r} on {switchboard!r}", **named)
        if agent is not None:
            named["agent"] = agent
            if not (_sees_agent(scope, document, agent) or (new_agent and _could_see(scope, agent))):
                _not_found(f"no agent {agent!r} on {switchboard!r}", **named)
        if not scope.may(right, queue=queue, agent=agent):
            _forbidden(right, scope, **named)
        if caller is not None and not _waits(document, queue, caller):
            _not_found(f"no caller {caller!r} waiting in {queue!r}", **named, caller=caller)
        return scope

    def queues_within(
        self, right: Right, switchboard: str, document: Mapping[str, Any], agent: str
    ) -> tuple[str, ...]:
        """The queues that an agent is a member of now, and in which the right holds on him.

        An action on "all" queues of an agent is one on these; his memberships elsewhere stay as they are.
        """
        scope = self.scope(switchboard)
        queues = document.get("agents", {}).get(agent, {}).get("queues", ())
        return tuple(queue for queue in queues if scope.may(right, queue=queue, agent=agent))

    def me(self) -> dict[str, Any]:
        """Who the person is and what he may do, for the user interface."""
        return {
            "tenant": self.person.tenant,
            "subject": self.person.subject,
            "login": self.person.login,
            "email": self.person.email,
            "name": self.person.name,
            "via": self.person.via.value,
            "roles": sorted({grant.role.value for grant in self.grants}),
            "grants": [grant.document for grant in self.grants],
            "switchboards": [
                {"name": name, "agent": self.own_agent(name), "rights": _ids(scope.rights)}
                for name, scope in self._scopes.items()
            ],
        }

    def _scope(self, switchboard: str) -> Scope:
        return Scope.of(grant.part(switchboard) for grant in self.grants if self._has(grant, switchboard))

    @staticmethod
    def _has(grant: Grant, switchboard: str) -> bool:
        return grant.switchboards.match(switchboard)


def _grants(person: Person, profiles: Profiles) -> Iterator[Grant]:
    if person.grant is not None:
        yield from _token_grants(person)
        return
    for name, tenant, profile, member in profiles.memberships(person):
        is_limited = member.role is not Role.MASTER
        yield Grant(
            profile=name,
            display_name=profile.display_name or name,
            role=member.role,
            rights=tenant.rights(profile, member.role),
            switchboards=Globs(profile.switchboards) if is_limited else _EVERYTHING,
            queues=Globs(profile.queues) if is_limited else _EVERYTHING,
            agents=Globs(profile.agents) if is_limited else _EVERYTHING,
            own=member.agent or {},
        )


def _token_grants(person: Person) -> Iterator[Grant]:
    """A token's rights are those of its role, among its own globs: also a master's."""
    grant = person.grant
    if grant is None or grant.role not in list(Role):
        return
    role = Role(grant.role)
    yield Grant(
        profile="",
        display_name="",
        role=role,
        rights=ROLE_RIGHTS[role],
        switchboards=Globs(grant.switchboards),
        queues=Globs(grant.queues),
        agents=Globs(grant.agents),
        own={},
    )


def _sees_queue(scope: Scope, document: Mapping[str, Any], queue: str) -> bool:
    found = document.get("queues", {}).get(queue)
    return found is not None and scope.sees_queue(queue, found["members"])


def _sees_agent(scope: Scope, document: Mapping[str, Any], agent: str) -> bool:
    found = document.get("agents", {}).get(agent)
    return found is not None and scope.sees_agent(agent, found["queues"])


def _could_see(scope: Scope, agent: str) -> bool:
    """Whether an agent of that name would be in sight in one of the profile's queues."""
    return any(part.could_see(agent) for part in scope.parts)


def _waits(document: Mapping[str, Any], queue: str | None, caller: str) -> bool:
    found = document.get("queues", {}).get(queue, {})
    return any(waiting["uniqueid"] == caller for waiting in found.get("waiting", ()))


def _not_found(what: str, **named: str) -> NoReturn:
    raise ApiError(ErrorId.NOT_FOUND, f"there is {what}, or none that you may see", **named)


def _forbidden(right: Right, scope: Scope, **named: str) -> NoReturn:
    if scope.is_own(named.get("agent", "")):
        right = ON_ONESELF.get(right, right)
    raise ApiError(
        ErrorId.FORBIDDEN,
        f"the right {right.id} is missing here ({right.words}); whoever keeps the profiles can give it",
        right=right.id,
        **named,
    )


def _ids(rights: Iterable[Right]) -> list[str]:
    given = frozenset(rights)
    return [right.id for right in Right if right in given]
