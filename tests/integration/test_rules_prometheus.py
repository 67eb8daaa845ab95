"""The committed rules in a real Prometheus, and one alert on its way through Alertmanager to a team."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from asterpanel_dashboards.rules import files
from asterpanel_dashboards.rules.build import ALERTMANAGER, PROMETHEUS_RULES
from tests.alerting import Alertmanager, Metrics, Prometheus, Webhook
from tests.debian import ProgramUnavailable, program
from tests.unit.rules_config import exposition
from tests.waiting import eventually

WITHIN_S = 60.0


@pytest.fixture
def programs() -> tuple[Path, Path]:
    try:
        return (
            program("prometheus", "prometheus"),
            program("prometheus-alertmanager", "prometheus-alertmanager"),
        )
    except ProgramUnavailable as reason:
        pytest.skip(str(reason))


class Callers:
    """What Prometheus scrapes: a recorded exposition, with a caller who waits in one queue."""

    def __init__(self) -> None:
        self.waits_s = 0.0

    def text(self) -> str:
        return exposition(waits_s=self.waits_s)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        yield server


def quick_rules() -> str:
    """The rules, evaluated each second."""
    return re.sub(r"interval: \w+", "interval: 1s", dict(files(None))[PROMETHEUS_RULES])


def to_webhook(url: str) -> dict[str, Any]:
    """The routes as they are, with little waiting, and receivers that tell the webhook their name."""
    content: dict[str, Any] = yaml.safe_load(dict(files(None))[ALERTMANAGER])
    content["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    content["receivers"] = [
        {
            "name": receiver["name"],
            "webhook_configs": [{"url": f"{url}/{receiver['name']}", "send_resolved": True}],
        }
        for receiver in content["receivers"]
    ]
    return content


async def test_an_alert_finds_its_team(programs: tuple[Path, Path], webhook: Webhook, tmp_path: Path) -> None:
    callers = Callers()
    callers.waits_s = 200.0
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/asterpanel.yml").write_text(quick_rules(), encoding="utf-8")
    with (
        Metrics(callers.text) as scraped,
        Alertmanager(programs[1], tmp_path, to_webhook(webhook.url)) as manager,
    ):
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules/*.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{manager.port}"]}]}]},
            "scrape_configs": [
                {
                    "job_name": "asterpanel",
                    "static_configs": [{"targets": [f"127.0.0.1:{scraped.port}"]}],
                }
            ],
        }
        with Prometheus(programs[0], tmp_path, configuration) as prometheus:
            await eventually(
                lambda: told(webhook, "firing") >= {"/billing", "/wallboard", "/management"},
                WITHIN_S,
                "all teams are told",
            )
            assert "/Operations" not in told(webhook, "firing")
            [alert] = [
                alert
                for path, message in webhook.messages
                if path == "/billing"
                for alert in message["alerts"]
                if alert["labels"]["alertname"] == ALERT and alert["labels"]["severity"] == "critical"
            ][:1]
            assert alert["annotations"]["summary"] == (
                "Queue billing of milano: a caller has been waiting for 3m 20s"
            )
            assert alert["labels"]["limit"] == "3m"
            await eventually(
                lambda: warning_goes_without_saying(manager.port), WITHIN_S, "the warning is inhibited"
            )

            rules = prometheus.rules()
            assert len(rules) == len(re.findall(r"- (?:alert|record): ", quick_rules()))
            await eventually(
                lambda: {rule["health"] for rule in prometheus.rules()} == {"ok"},
                WITHIN_S,
                "all rules evaluated",
            )

            callers.waits_s = 0.0
            await eventually(
                lambda: told(webhook, "resolved") >= {"/billing", "/wallboard", "/management"},
                WITHIN_S,
                "all teams are told that it is over",
            )


ALERT = "QueueCallerWaitsTooLong"


def told(webhook: Webhook, status: str) -> set[str]:
    """Who was told that a caller waits too long, or that it is over."""
    return {
        path
        for path, message in list(webhook.messages)
        for alert in message["alerts"]
        if alert["labels"]["alertname"] == ALERT and alert["status"] == status
    }


def warning_goes_without_saying(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=10) as answer:
        alerts = json.loads(answer.read())
    return any(
        alert["status"]["inhibitedBy"]
        for alert in alerts
        if (alert["labels"]["alertname"], alert["labels"]["severity"]) == (ALERT, "warning")
    )
