"""The rules as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asterpanel_dashboards.rules.model import Alert, Group, Record, Rule
from asterpanel_switchboard.config.targets import DashboardsConfig


def rule_file(groups: Iterable[Group], dashboards: DashboardsConfig) -> dict[str, Any]:
    """The content of a rule file."""
    return {"groups": [_group(group, dashboards) for group in groups]}


def _group(group: Group, dashboards: DashboardsConfig) -> dict[str, Any]:
    return {
        "name": group.name,
        "interval": group.interval,
        "rules": [_rule(rule, dashboards) for rule in group.rules],
    }


def _rule(rule: Rule, dashboards: DashboardsConfig) -> dict[str, Any]:
    if isinstance(rule, Record):
        return {"record": rule.name, "expr": rule.expression}
    return _alert(rule, dashboards)


def _alert(alert: Alert, dashboards: DashboardsConfig) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.pending,
        "labels": labels(alert),
        "annotations": annotations_of(alert, dashboards),
    }


def labels(alert: Alert) -> dict[str, str]:
    """Those that the alert adds to what its expression has."""
    return {"severity": alert.severity, "component": alert.component}


def annotations_of(alert: Alert, dashboards: DashboardsConfig) -> dict[str, str]:
    """What it tells people, as templates; the dashboard only where Grafana's address is configured."""
    texts = {
        "summary": alert.summary,
        "description": alert.description,
        "runbook_url": f"{dashboards.runbook_url}#{alert.anchor}",
    }
    if dashboards.grafana_url is not None:
        texts["dashboard_url"] = f"{dashboards.grafana_url}{alert.dashboard}"
    return texts
