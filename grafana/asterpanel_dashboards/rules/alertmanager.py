"""Alertmanager's configuration: who is told, what is told together, and what goes without saying."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from asterpanel_dashboards.rules import teams
from asterpanel_dashboards.rules.limits import quoted
from asterpanel_dashboards.rules.model import Component, Severity
from asterpanel_dashboards.rules.teams import Matcher, Teams

PASSWORD_FILE: Final = "/run/secrets/smtp-password"  # noqa: S105  # where it is, not what it is


@dataclass(frozen=True, slots=True)
class Receivers:
    """How people are reached: ``global`` and ``receivers`` of the file, as Alertmanager has them."""

    settings: Mapping[str, Any]
    receivers: Sequence[Mapping[str, Any]]

    def missing(self, of: Teams) -> list[str]:
        """Who is told, but cannot be reached."""
        names = {receiver.get("name") for receiver in self.receivers}
        return [name for name in (teams.OPERATIONS, *of) if name not in names]


def example_receivers(of: Teams) -> Receivers:
    """Mail to addresses that there are not."""
    return Receivers(
        {
            "smtp_smarthost": "smtp.example.com:587",
            "smtp_from": "asterpanel@example.com",
            "smtp_auth_username": "asterpanel@example.com",
            "smtp_auth_password_file": PASSWORD_FILE,
        },
        [_receiver(name) for name in (teams.OPERATIONS, *of)],
    )


def configuration(of: Teams, reached: Receivers) -> dict[str, Any]:
    """The whole file."""
    return {
        "global": dict(reached.settings),
        "route": {
            "receiver": teams.OPERATIONS,
            "group_by": list(teams.GROUPED_BY),
            **teams.TIMING,
            "routes": list(_routes(of)),
        },
        "inhibit_rules": list(_inhibitions()),
        "receivers": [dict(receiver) for receiver in reached.receivers],
    }


def _routes(of: Teams) -> Iterator[dict[str, Any]]:
    yield {"receiver": teams.OPERATIONS, "matchers": _lines([teams.FOR_OPERATIONS]), "continue": True}
    for name, team in of.items():
        yield {
            "receiver": name,
            "matchers": _lines(teams.matchers(team)),
            "continue": True,
            "routes": [
                {
                    "matchers": _lines([teams.ABOUT_AGENTS]),
                    "group_by": list(teams.AGENTS_GROUPED_BY),
                }
            ],
        }


def _inhibitions() -> Iterator[Mapping[str, Any]]:
    """A critical alert says what its warning does; of what is not watched, there is nothing else to say."""
    yield {
        "source_matchers": _lines([Matcher("severity", "=", Severity.CRITICAL)]),
        "target_matchers": _lines([Matcher("severity", "=", Severity.WARNING)]),
        "equal": ["alertname", "switchboard", "queue", "agent", "tenant", "instance"],
    }
    yield {
        "source_matchers": _lines([Matcher("alertname", "=", "SwitchboardDown")]),
        "target_matchers": _lines(
            [
                Matcher("component", "=~", f"{Component.QUEUE}|{Component.AGENT}|{Component.SWITCHBOARD}"),
                Matcher("alertname", "!=", "SwitchboardDown"),
            ]
        ),
        "equal": ["switchboard"],
    }


def _receiver(name: str) -> dict[str, Any]:
    return {"name": name, "email_configs": [{"to": f"{name.lower()}@example.com", "send_resolved": True}]}


def _lines(matchers: Iterable[Matcher]) -> list[str]:
    return [f"{matcher.label}{matcher.operator}{quoted(matcher.value)}" for matcher in matchers]
