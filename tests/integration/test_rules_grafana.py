"""The same alerts in a real Grafana: provisioned, evaluated against a real Prometheus, fired and resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from asterpanel_dashboards.frame import SOURCES
from asterpanel_dashboards.queries.variables import PROMETHEUS
from asterpanel_dashboards.rules import files
from asterpanel_dashboards.rules.build import GRAFANA_NOTIFICATIONS, GRAFANA_RULES
from asterpanel_dashboards.rules.teams import EXAMPLE_TEAMS
from tests.alerting import Metrics, Prometheus
from tests.debian import ProgramUnavailable, program
from tests.grafana_server import GrafanaServer, grafana_server
from tests.unit.rules_config import config, exposition
from tests.waiting import eventually

WITHIN_S = 90.0
UNIFIED = {"unified_alerting": {"enabled": "true", "min_interval": "10s"}}


class Callers:
    """What Prometheus scrapes: a recorded exposition, with a caller who waits in one queue."""

    waits_s = 200.0

    def text(self) -> str:
        return exposition(waits_s=self.waits_s)


@pytest.fixture
def callers() -> Callers:
    return Callers()


@pytest.fixture
def grafana(tmp_path: Path, callers: Callers) -> Iterator[GrafanaServer]:
    """With its data source, all alerts, and the example of contact points and policies."""
    with ExitStack() as stack:
        try:
            binary = program("prometheus", "prometheus")
            scraped = stack.enter_context(Metrics(callers.text))
            job = {"job_name": "asterpanel", "static_configs": [{"targets": [f"127.0.0.1:{scraped.port}"]}]}
            configuration = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
            prometheus = stack.enter_context(Prometheus(binary, tmp_path, configuration))
            folder = provisioned(tmp_path / "provisioning", prometheus.url)
            settings = UNIFIED | {"paths": {"provisioning": folder}}
            (tmp_path / "plugins").mkdir()
            server = grafana_server(tmp_path / "grafana", tmp_path / "plugins", settings=settings)
            yield stack.enter_context(server)
        except ProgramUnavailable as reason:
            pytest.skip(str(reason))


def provisioned(folder: Path, prometheus_url: str) -> Path:
    """The files as `rules build` makes them, all evaluated as often as Grafana does anything."""
    made = dict(files(config(dashboards={"grafana_url": "https://grafana.example"})))
    source = SOURCES[PROMETHEUS]
    datasource = {"name": source.name, "uid": source.uid, "type": "prometheus", "url": prometheus_url}
    contents = {
        "datasources/asterpanel.yml": yaml.safe_dump({"apiVersion": 1, "datasources": [datasource]}),
        "alerting/asterpanel.yml": re.sub(r"interval: 1m", "interval: 10s", made[GRAFANA_RULES]),
        "alerting/notifications.yml": made[GRAFANA_NOTIFICATIONS],
    }
    for name, text in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def rules(grafana: GrafanaServer) -> dict[str, dict[str, Any]]:
    """All rules as Grafana evaluates them, by title."""
    groups = grafana.admin("GET", "/api/prometheus/grafana/api/v1/rules")["data"]["groups"]
    return {rule["name"]: rule for group in groups for rule in group["rules"]}


WANTED = [
    rule for group in yaml.safe_load(dict(files(None))[GRAFANA_RULES])["groups"] for rule in group["rules"]
]
WAITS = "QueueCallerWaitsTooLong (critical)"


async def test_every_alert_is_evaluated_and_one_fires_and_resolves(
    grafana: GrafanaServer, callers: Callers
) -> None:
    assert set(rules(grafana)) == {rule["title"] for rule in WANTED}
    await eventually(lambda: evaluated(grafana), WITHIN_S, "every rule has been evaluated")
    failed = {
        title: rule.get("lastError") for title, rule in rules(grafana).items() if rule["health"] == "error"
    }
    assert not failed

    await eventually(lambda: rules(grafana)[WAITS]["state"] == "firing", WITHIN_S, "the alert fires")
    [alert] = rules(grafana)[WAITS]["alerts"]
    labels = alert["labels"]
    assert (labels["switchboard"], labels["queue"], labels["severity"], labels["limit"]) == (
        "milano", "billing", "critical", "3m",
    )  # fmt: skip
    assert alert["annotations"]["summary"] == "Queue billing of milano: a caller has been waiting for 3m 20s"
    assert alert["annotations"]["dashboard_url"] == (
        "https://grafana.example/d/asterpanel-live?var-switchboard=milano&var-queue=billing"
    )

    callers.waits_s = 0.0
    await eventually(lambda: rules(grafana)[WAITS]["state"] == "inactive", WITHIN_S, "the alert resolves")

    assert "Error in expanding template" not in grafana.tail(100_000)  # of rules with nothing to tell

    policy = grafana.admin("GET", "/api/v1/provisioning/policies")
    assert [route["receiver"] for route in policy["routes"]] == [policy["receiver"], *EXAMPLE_TEAMS]


def evaluated(grafana: GrafanaServer) -> bool:
    return all(not rule["lastEvaluation"].startswith("0001") for rule in rules(grafana).values())
