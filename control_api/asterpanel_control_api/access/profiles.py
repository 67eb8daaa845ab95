"""``profiles.yml``: which team sees and operates what, and who is in it.

The control API enforces it, and Grafana's folders, teams and dashboards are made from it. Names of people are
Grafana's. Validated as a whole, as the main configuration is: every problem is told with its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from asterpanel_control_api.access.globs import Globs, ascii_lower
from asterpanel_control_api.access.rights import ROLE_RIGHTS, Right, Role
from asterpanel_control_api.people import Person
from asterpanel_switchboard.config.document import read_document
from asterpanel_switchboard.config.explanation import problems_in
from asterpanel_switchboard.config.section import Section, empty_mapping_for_null
from asterpanel_switchboard.config.values import Glob, Line, Name, SwitchboardName
from asterpanel_switchboard.errors import ConfigError

EVERY_SWITCHBOARD = "*"
"""Key of an agent's id where it is the same on every switchboard."""


class Callers(StrEnum):
    """How callers' numbers and names appear to a role."""

    SHOWN = "shown"
    MASKED = "masked"


def _agent_everywhere(value: object) -> object:
    """`agent: "1001"` is that agent on every switchboard."""
    if isinstance(value, dict | None):
        return value
    if isinstance(value, bool | int | float):
        raise ValueError('must be text: put it in quotes, "1001"')
    if not isinstance(value, str):
        raise ValueError('must be an agent, "1001", or a section with one for each switchboard')
    return {EVERY_SWITCHBOARD: value}


def _every_or_one(value: object, check: ValidatorFunctionWrapHandler) -> object:
    return value if value == EVERY_SWITCHBOARD else check(value)


def _check_email(value: str) -> str:
    name, at, domain = value.rpartition("@")
    if not (name and at and domain) or any(char.isspace() for char in value):
        raise ValueError("must be an e-mail address")
    return value


Email = Annotated[Line, AfterValidator(_check_email)]
SwitchboardOrEvery = Annotated[SwitchboardName, WrapValidator(_every_or_one)]
AgentIds = Annotated[Mapping[SwitchboardOrEvery, Line], BeforeValidator(_agent_everywhere)]
CallersByRole = Annotated[Mapping[Role, Callers], BeforeValidator(empty_mapping_for_null)]


class Member(Section):
    """A person in a profile, by one of the names that Grafana has for him."""

    login: Line | None = Field(
        default=None, description="The login in Grafana. Either this or `email`; A and a are the same."
    )
    email: Email | None = Field(default=None, description="The e-mail address in Grafana.")
    role: Role = Field(description="master, supervisor, agent or viewer.")
    agent: AgentIds | None = Field(
        default=None,
        validate_default=False,
        description="The agent that this person is, for who is one: the same on every switchboard, or one "
        "for each. The role agent needs it.",
    )

    @model_validator(mode="after")
    def _is_one_person(self) -> Self:
        if (self.login is None) == (self.email is None):
            raise ValueError("needs exactly one of login and email")
        if self.role is Role.AGENT and not self.agent:
            raise ValueError('the role agent needs `agent`: which agent this person is, as in agent: "1001"')
        return self

    @property
    def name(self) -> str:
        """The login or the e-mail address."""
        return self.login or self.email or ""

    def is_person(self, person: Person) -> bool:
        """Whether it is who asks. A login is never compared with an e-mail address."""
        named, known = (self.login, person.login) if self.login else (self.email, person.email)
        return bool(named and known) and ascii_lower(named or "") == ascii_lower(known)


class Profile(Section):
    """A team: what it sees, and who is in it with which role."""

    display_name: Line | None = Field(
        default=None, description="Name of the team and its folder in Grafana. Default: the profile's own."
    )
    description: str = Field(default="", description="What it is for, for people.")
    switchboards: tuple[Glob, ...] = Field(
        default=("*",), min_length=1, description="The tenant's switchboards it has, as globs. Default: all."
    )
    queues: tuple[Glob, ...] = Field(
        default=("*",), min_length=1, description="The queues it has there, as globs. Default: all."
    )
    agents: tuple[Glob, ...] = Field(
        default=("*",),
        min_length=1,
        description="The agents it has there, as globs; seen while they are in one of its queues. "
        "Default: all.",
    )
    callers: CallersByRole = Field(
        default_factory=dict,
        description="Whether callers' numbers and names are shown or masked, by role. Default: the tenant's.",
    )
    members: tuple[Member, ...] = Field(default=(), description="Who is in the team.")

    @field_validator("members", mode="before")
    @classmethod
    def _nobody_yet(cls, value: object) -> object:
        return [] if value is None else value

    @field_validator("members")
    @classmethod
    def _each_once(cls, members: tuple[Member, ...]) -> tuple[Member, ...]:
        seen: set[tuple[bool, str]] = set()
        for member in members:
            key = (member.login is None, ascii_lower(member.name))
            if key in seen:
                raise ValueError(f"{member.name!r} is named twice")
            seen.add(key)
        return members


class Tenant(Section):
    """The profiles of one customer."""

    callers: CallersByRole = Field(
        default_factory=dict,
        description="Whether callers' numbers and names are shown or masked, by role. Default: shown to "
        "masters and supervisors, masked for agents and viewers.",
    )
    profiles: Annotated[Mapping[Name, Profile], BeforeValidator(empty_mapping_for_null)] = Field(
        default_factory=dict, description="The profiles, by name."
    )

    def rights(self, profile: Profile, role: Role) -> frozenset[Right]:
        """The rights of a role in a profile."""
        rights = ROLE_RIGHTS[role]
        match profile.callers.get(role) or self.callers.get(role):
            case Callers.SHOWN:
                return rights | {Right.SEE_CALLERS}
            case Callers.MASKED:
                return rights - {Right.SEE_CALLERS}
            case None:
                return rights


class Profiles(Section):
    """The whole of ``profiles.yml``."""

    tenants: Annotated[Mapping[Name, Tenant], BeforeValidator(empty_mapping_for_null)] = Field(
        description="The tenants, by the names that the switchboards have in asterpanel.yml."
    )

    def memberships(self, person: Person) -> Iterator[tuple[str, Tenant, Profile, Member]]:
        """Where the person is a member, with the name of the profile, in the order of the file."""
        tenant = self.tenants.get(person.tenant)
        if tenant is None or person.grant is not None:
            return
        for name, profile in tenant.profiles.items():
            for member in profile.members:
                if member.is_person(person):
                    yield name, tenant, profile, member


def load_profiles(path: Path) -> Profiles:
    """Read and validate the file.

    Raises:
        ConfigError: with every problem of the file, each with its line and column.
    """
    document = read_document(path)
    problems = list(document.problems)
    data = {} if document.data is None else document.data
    try:
        profiles = Profiles.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        problems.extend(problems_in(document, Profiles, error))
    else:
        if not problems:
            return profiles
    raise ConfigError(path, problems)


def profile_warnings(profiles: Profiles, switchboards: Mapping[str, str]) -> Iterator[str]:
    """What is allowed in the file, and probably not meant: one sentence each.

    Args:
        switchboards: the tenant of each one that is configured.
    """
    for tenant_name, tenant in profiles.tenants.items():
        where = f"tenants.{tenant_name}"
        own = [name for name, owner in switchboards.items() if owner == tenant_name]
        if not own:
            yield f"{where}: no configured switchboard has this tenant"
            continue
        for name, profile in tenant.profiles.items():
            yield from _profile_warnings(f"{where}.profiles.{name}", profile, own)


def _profile_warnings(where: str, profile: Profile, switchboards: list[str]) -> Iterator[str]:
    for glob in profile.switchboards:
        if not any(Globs((glob,)).match(name) for name in switchboards):
            yield f"{where}.switchboards: {glob!r} matches no configured switchboard of the tenant"
    limited = any("*" not in globs for globs in (profile.switchboards, profile.queues, profile.agents))
    for index, member in enumerate(profile.members):
        at = f"{where}.members[{index}]"
        if limited and member.role is Role.MASTER:
            yield (
                f"{at}: {member.name!r} is a master and has the whole tenant, not only what this profile "
                "names; a supervisor has the profile"
            )
        for name in member.agent or ():
            if name != EVERY_SWITCHBOARD and name not in switchboards:
                yield f"{at}.agent: {name!r} is no configured switchboard of the tenant"
