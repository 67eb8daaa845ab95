"""Which team is told of which alerts: the profiles' globs as matchers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Protocol

from asterpanel_dashboards.rules import globs
from asterpanel_dashboards.rules.model import Component


class Profile(Protocol):
    """One of ``profiles.yml``, as far as alerts go: what it has, as globs."""

    @property
    def switchboards(self) -> tuple[str, ...]: ...

    @property
    def queues(self) -> tuple[str, ...]: ...

    @property
    def agents(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Team:
    """What a team is told of, as globs."""

    switchboards: tuple[str, ...] = ("*",)
    queues: tuple[str, ...] = ("*",)
    agents: tuple[str, ...] = ("*",)


Teams = Mapping[str, Team]
"""By name."""

EXAMPLE_TEAMS: Final[Teams] = {
    "billing": Team(("milano", "torino"), ("billing*", "reminders"), ("1*",)),
    "wallboard": Team(),
    "management": Team(),
}
"""The profiles of ``profiles.example.yml``."""


def teams_of(tenants: Mapping[str, Mapping[str, Profile]], tenant_of: Mapping[str, str]) -> Teams:
    """The profiles of all tenants as teams.

    Args:
        tenants: their profiles, each by name.
        tenant_of: whose each switchboard is. With more than one tenant, a team is told only of its own
            tenant's, and has the tenant's name before its own.
    """
    alone = len(set(tenant_of.values()) | tenants.keys()) == 1
    return {
        name if alone else f"{tenant}-{name}": Team(
            profile.switchboards if alone else tuple(_own(profile, tenant, tenant_of)),
            profile.queues,
            profile.agents,
        )
        for tenant, profiles in tenants.items()
        for name, profile in profiles.items()
    }


def _own(profile: Profile, tenant: str, tenant_of: Mapping[str, str]) -> Iterator[str]:
    """The tenant's switchboards that the profile has. Their names hold nothing that is special in a glob."""
    wanted = [glob.lower() for glob in profile.switchboards]
    for name, owner in tenant_of.items():
        if owner == tenant and any(fnmatchcase(name, glob) for glob in wanted):
            yield name


OPERATIONS: Final = "Operations"
"""Who runs switchboards and Asterpanel, and gets what no team does. No profile can have this name."""


GROUPED_BY: Final = ("switchboard", "queue")
"""Labels of what is told in one message: what is the matter with a queue, however many alerts."""

AGENTS_GROUPED_BY: Final = ("alertname", "switchboard", "agent")
"""An agent's alerts come once for each of his queues: that is one message."""

TIMING: Final[Mapping[str, str]] = {
    "group_wait": "10s",
    "group_interval": "1m",
    "repeat_interval": "4h",
}
"""A message waits this long for more of its kind, is sent again so soon when something changes, and so late
when nothing does."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """``label operator "value"``, of Alertmanager and of Grafana's policies."""

    label: str
    operator: str
    value: str


FOR_OPERATIONS: Final = Matcher("component", "=~", f"{Component.SWITCHBOARD}|{Component.ASTERPANEL}")
FOR_TEAMS: Final = Matcher("component", "!=", Component.ASTERPANEL)
ABOUT_AGENTS: Final = Matcher("component", "=", Component.AGENT)


def matchers(team: Team) -> list[Matcher]:
    """What a team is told: of its switchboards, queues and agents.

    A label that an alert does not have, as the queue of one about a whole switchboard, keeps nothing from it.
    """
    return [FOR_TEAMS, *_globs(team)]


def _globs(team: Team) -> Iterator[Matcher]:
    if "*" not in team.switchboards:
        yield Matcher("switchboard", "=~", globs.caseless_regex(team.switchboards))
    for label, names in (("queue", team.queues), ("agent", team.agents)):
        if "*" not in names:
            yield Matcher(label, "=~", f"{globs.caseless_regex(names)}|")
