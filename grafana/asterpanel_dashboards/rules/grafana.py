"""The same alerts for who lets Grafana evaluate them: provisioning files of Grafana-managed alerting.

Grafana OSS records nothing, so each expression stands in full. It gives only what is wrong, hence: no data
is well (noDataState OK), every series is a firing alert (``is_number``), and a query that fails is told as
such (execErrState Error), as then nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from asterpanel_dashboards.frame import SOURCES
from asterpanel_dashboards.queries.variables import PROMETHEUS
from asterpanel_dashboards.rules import teams
from asterpanel_dashboards.rules.groups import records
from asterpanel_dashboards.rules.model import Alert, Group, expanded
from asterpanel_dashboards.rules.prometheus import annotations_of, labels
from asterpanel_dashboards.rules.teams import Matcher, Teams
from asterpanel_switchboard.config.targets import DashboardsConfig

ORG_ID: Final = 1
FOLDER: Final = "Asterpanel"
LOOKBACK_S: Final = 3600
"""Grafana wants a range even for an instant query; the widest window of an expression."""

_EXPRESSIONS: Final = "__expr__"
_QUERY: Final = "A"
_CONDITION: Final = "B"
_VALUE: Final = re.compile(r"\{\{ \$value \| (.+?) \}\}")


def rule_file(groups: Iterable[Group], dashboards: DashboardsConfig, org_id: int = ORG_ID) -> dict[str, Any]:
    """The content of a provisioning file with all alerts."""
    groups = tuple(groups)
    recorded = records(groups)
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": org_id,
                "name": group.name,
                "folder": FOLDER,
                "interval": group.interval,
                "rules": [_rule(alert, recorded, dashboards) for alert in group.alerts],
            }
            for group in groups
            if any(group.alerts)
        ],
    }


def _rule(alert: Alert, recorded: Mapping[str, str], dashboards: DashboardsConfig) -> dict[str, Any]:
    return {
        "uid": f"{alert.name}-{alert.severity}",
        "title": f"{alert.name} ({alert.severity})",
        "condition": _CONDITION,
        "for": alert.pending,
        "noDataState": "OK",
        "execErrState": "Error",
        "labels": labels(alert),
        "annotations": {name: _filled_in(text) for name, text in annotations_of(alert, dashboards).items()},
        "data": [_query(expanded(alert.expression, recorded)), _condition()],
    }


def _filled_in(text: str) -> str:
    """Prometheus' ``$value`` is a number, Grafana's a sentence; there is none while nothing is wrong, and
    Grafana would log an error at each evaluation."""
    return _VALUE.sub(rf"{{{{ with $values.{_QUERY} }}}}{{{{ .Value | \1 }}}}{{{{ end }}}}", text)


def _query(expression: str) -> dict[str, Any]:
    return {
        "refId": _QUERY,
        "datasourceUid": SOURCES[PROMETHEUS].uid,
        "relativeTimeRange": {"from": LOOKBACK_S, "to": 0},
        "model": {
            "refId": _QUERY,
            "expr": expression,
            "instant": True,
            "range": False,
            "editorMode": "code",
        },
    }


def _condition() -> dict[str, Any]:
    """True of every series that there is."""
    return {
        "refId": _CONDITION,
        "datasourceUid": _EXPRESSIONS,
        "relativeTimeRange": {"from": 0, "to": 0},
        "model": {"refId": _CONDITION, "type": "math", "expression": f"is_number(${_QUERY})"},
    }


def notifications(of: Teams, org_id: int = ORG_ID) -> dict[str, Any]:
    """Contact points and policies, as an example: provisioning them replaces an organisation's whole tree."""
    return {
        "apiVersion": 1,
        "contactPoints": [_contact_point(name, org_id) for name in (teams.OPERATIONS, *of)],
        "policies": [
            {
                "orgId": org_id,
                "receiver": teams.OPERATIONS,
                "group_by": list(teams.GROUPED_BY),
                **teams.TIMING,
                "routes": list(_routes(of)),
            }
        ],
    }


def _contact_point(name: str, org_id: int) -> dict[str, Any]:
    settings = {"addresses": f"{name.lower()}@example.com"}
    receiver = {"uid": f"asterpanel-{name.lower()}", "type": "email", "settings": settings}
    return {"orgId": org_id, "name": name, "receivers": [receiver]}


def _routes(of: Teams) -> Iterator[dict[str, Any]]:
    yield {
        "receiver": teams.OPERATIONS,
        "object_matchers": _objects([teams.FOR_OPERATIONS]),
        "continue": True,
    }
    for name, team in of.items():
        yield {
            "receiver": name,
            "object_matchers": _objects(teams.matchers(team)),
            "continue": True,
            "routes": [
                {
                    "receiver": name,
                    "object_matchers": _objects([teams.ABOUT_AGENTS]),
                    "group_by": list(teams.AGENTS_GROUPED_BY),
                }
            ],
        }


def _objects(matchers: Iterable[Matcher]) -> list[list[str]]:
    return [[matcher.label, matcher.operator, matcher.value] for matcher in matchers]
