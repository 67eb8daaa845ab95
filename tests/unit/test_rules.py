"""Alerts fire, stay silent and resolve as they should, and are the same for Prometheus and for Grafana."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asterpanel_dashboards import links
from asterpanel_dashboards.frame import SOURCES
from asterpanel_dashboards.queries.variables import PROMETHEUS
from asterpanel_dashboards.rules import files, own
from asterpanel_dashboards.rules.build import (
    ALERTMANAGER,
    GRAFANA_NOTIFICATIONS,
    GRAFANA_RULES,
    PROMETHEUS_RULES,
)
from asterpanel_dashboards.rules.limits import FIGURES
from asterpanel_dashboards.rules.model import Severity
from asterpanel_dashboards.rules.words import duration, share
from asterpanel_exporter.catalogue import CATALOGUE
from asterpanel_switchboard.config.targets import DashboardsConfig, TargetsRule, merged_targets
from asterpanel_switchboard.service_level import FORMULAS
from tests.unit.rules_config import (
    PROVISIONING,
    REPOSITORY,
    SCENARIOS,
    check_rules,
    config,
    run,
    targets_in_head,
)

DEFAULT = dict(files(None))
RULES: dict[str, Any] = yaml.safe_load(DEFAULT[PROMETHEUS_RULES])
GRAFANA: dict[str, Any] = yaml.safe_load(DEFAULT[GRAFANA_RULES])
PER_QUEUE = SCENARIOS / "per_queue.yml"
OF_THE_DEFAULTS = sorted(set(SCENARIOS.glob("*.yml")) - {PER_QUEUE})

EVERYTHING_SET = {
    "targets": [
        {"queues": ["sales*", 'od"d\\q', "a:b:c"], "service_level": {"target": 0.9, "critical": 0.8}},
        {"switchboards": ["mil?no"], "queues": ["[!a-c]*"], "waiting": {"warning": 5, "critical": 9}},
        {"abandon_rate": {"warning": 0.025, "critical": 0.125}, "ring_no_answer_rate": None},
    ],
    "dashboards": {
        "grafana_url": "https://grafana.example/g",
        "runbook_url": "https://wiki.example/alerts",
        "service_level_formula": "late-abandons",
        "agent_pause": {"warning": "10m", "critical": "1h"},
    },
}


def rules(kind: str, content: Mapping[str, Any] = RULES) -> Iterator[dict[str, Any]]:
    """All rules that have the key ``record`` or ``alert``."""
    for group in content["groups"]:
        for rule in group["rules"]:
            if kind in rule:
                yield rule


ALERTS = list(rules("alert"))
NAMES = sorted({alert["alert"] for alert in ALERTS})


def identity(alert: Mapping[str, Any]) -> str:
    return f"{alert['alert']}-{alert['labels']['severity']}"


class TestFiles:
    def test_the_committed_ones_are_what_the_defaults_make(self) -> None:
        for path, text in DEFAULT.items():
            assert (PROVISIONING / path).read_text(encoding="utf-8") == text, f"{path}: rules build"

    def test_they_are_the_same_every_time(self) -> None:
        assert dict(files(config(**EVERYTHING_SET))) == dict(files(config(**EVERYTHING_SET)))

    def test_each_says_how_it_was_made(self) -> None:
        for text in DEFAULT.values():
            assert "asterpanel-grafana rules build" in text.splitlines()[0]

    def test_prometheus_reads_them(self) -> None:
        prometheus = yaml.safe_load((PROVISIONING / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
        [pattern] = prometheus["rule_files"]
        assert Path(PROMETHEUS_RULES).match(pattern)
        jobs = {job["job_name"] for job in prometheus["scrape_configs"]}
        assert jobs >= {own.EXPORTER_JOB, own.CONTROL_API_JOB}


class TestWhatTheySay:
    @pytest.mark.parametrize("alert", ALERTS, ids=identity)
    def test_alert(self, alert: dict[str, Any]) -> None:
        assert alert["labels"]["severity"] in tuple(Severity)
        assert re.fullmatch(r"\d+[sm]", alert["for"])
        texts = alert["annotations"]
        assert len(texts["summary"]) < 300
        assert len(texts["description"]) > len(texts["summary"]) / 2
        assert texts["description"].endswith(".")

    def test_every_alert_has_its_section_in_the_runbook(self) -> None:
        page = (REPOSITORY / "docs/alerts.md").read_text(encoding="utf-8")
        sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL))
        assert sorted(sections) == NAMES
        for name, text in sections.items():
            assert "**What it means.**" in text, name
            assert "**What to do.**" in text, name
        for alert in ALERTS:
            url = urlsplit(alert["annotations"]["runbook_url"])
            assert f"{url.scheme}://{url.netloc}{url.path}" == DashboardsConfig().runbook_url
            assert url.fragment == alert["alert"].lower()

    def test_links_only_where_grafana_is_known(self) -> None:
        variable = r"var-\w+=\{\{ \$labels\.\w+ \| urlquery \}\}"
        assert not any("dashboard_url" in alert["annotations"] for alert in ALERTS)
        made = yaml.safe_load(dict(files(config(**EVERYTHING_SET)))[PROMETHEUS_RULES])
        uids = {getattr(links, name) for name in ("LIVE", "QUEUES", "AGENTS", "SWITCHBOARDS", "HEALTH")}
        for alert in rules("alert", made):
            found = re.fullmatch(
                rf"https://grafana\.example/g/d/([a-z-]+)(\?{variable}(&{variable})*(&from=now-3h&to=now)?)?",
                alert["annotations"]["dashboard_url"],
            )
            assert found, alert["annotations"]["dashboard_url"]
            assert found[1] in uids
            assert alert["annotations"]["runbook_url"].startswith("https://wiki.example/alerts#")

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [(20, "20s"), (90, "1m 30s"), (3600, "1h"), (0.5, "0.5s"), (0, "0s"), (90061, "1d 1h 1m 1s")],
    )
    def test_durations(self, seconds: float, words: str) -> None:
        assert duration(seconds) == words

    def test_shares(self) -> None:
        assert [share(0.8), share(0.125), share(0.07)] == ["80%", "12.5%", "7%"]


class TestWhatTheyAsk:
    def test_metrics_are_the_exporters(self) -> None:
        known = {metric.name for metric in CATALOGUE}
        for rule in (*rules("record"), *rules("alert")):
            expression = re.sub(r"\b[a-z_]+:[a-z_]+:[a-z0-9_]+", "", rule["expr"])
            named = set(re.findall(r"\b(?:asterisk|asterpanel)_\w+", expression))
            assert named <= known, named - known

    def test_records_are_named_by_convention_and_stand_before_their_use(self) -> None:
        known: set[str] = set()
        for group in RULES["groups"]:
            for rule in group["rules"]:
                used = set(re.findall(r"\b[a-z_]+:[a-z_]+:[a-z0-9_]+", rule["expr"]))
                assert used <= known, (
                    f"{used - known} not recorded before {rule.get('alert', rule.get('record'))}"
                )
                if "record" in rule:
                    assert re.fullmatch(r"[a-z_]+:(asterisk|asterpanel)_[a-z_]+:[a-z0-9_]+", rule["record"])
                    known.add(rule["record"])

    @pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.name)
    def test_every_formula_is_promql(self, formula: Any, promtool: Path, tmp_path: Path) -> None:
        made = dict(files(config(dashboards={"service_level_formula": formula.name})))
        check_rules(promtool, made[PROMETHEUS_RULES], tmp_path)

    def test_any_configuration_is_promql(self, promtool: Path, tmp_path: Path) -> None:
        made = dict(files(config(**EVERYTHING_SET)))[PROMETHEUS_RULES]
        check_rules(promtool, made, tmp_path)
        assert ">= 600)" in made


class TestScenarios:
    """promtool runs them; what is checked here is that there are enough."""

    @pytest.mark.parametrize("scenario", OF_THE_DEFAULTS, ids=lambda path: path.stem)
    def test_scenario(self, scenario: Path, promtool: Path) -> None:
        run(promtool, "test", "rules", scenario)

    def test_every_alert_is_seen_silent_firing_and_resolved(self) -> None:
        seen: dict[str, set[str]] = {}
        for scenario in OF_THE_DEFAULTS:
            for test in yaml.safe_load(scenario.read_text(encoding="utf-8"))["tests"]:
                for name in {case["alertname"] for case in test["alert_rule_test"]}:
                    for severity, story in _stories(test, name).items():
                        seen.setdefault(f"{name}-{severity}", set()).add(story)
        for alert in ALERTS:
            assert "silent, firing, silent" in seen[identity(alert)], (
                f"{identity(alert)}: {seen[identity(alert)]}"
            )

    def test_limits_are_each_queues_own(self, promtool: Path, tmp_path: Path) -> None:
        made = dict(files(config(targets=targets_in_head(PER_QUEUE))))[PROMETHEUS_RULES]
        check_rules(promtool, made, tmp_path, [PER_QUEUE])


def _stories(test: Mapping[str, Any], name: str) -> dict[str, str]:
    """Of each severity of an alert, in a test of a scenario: when it fires, in order of time."""
    cases = sorted(
        (
            _seconds(case["eval_time"]),
            [alert["exp_labels"]["severity"] for alert in case.get("exp_alerts", ())],
        )
        for case in test["alert_rule_test"]
        if case["alertname"] == name
    )
    stories = {}
    for severity in Severity:
        states = ["firing" if severity in firing else "silent" for _, firing in cases]
        stories[severity.value] = ", ".join(
            state for at, state in enumerate(states) if at == 0 or states[at - 1] != state
        )
    return stories


def _seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


LEVELS = st.tuples(st.integers(1, 50), st.integers(51, 99)).map(
    lambda pair: {"warning": pair[0], "critical": pair[1]}
)
TARGETS = st.builds(
    lambda queues, switchboards, mentioned: {"queues": queues, "switchboards": switchboards, **mentioned},
    st.lists(st.sampled_from(["*", "a*", "?b", "[!a]*", "ab", "c-[0-9]"]), min_size=1, max_size=2),
    st.lists(st.sampled_from(["*", "milano", "t*"]), min_size=1, max_size=2),
    st.fixed_dictionaries({}, optional={"longest_wait": LEVELS | st.none(), "waiting": LEVELS}),
)
QUEUES = [(board, queue) for board in ("milano", "torino") for queue in ("a", "ab", "cb", "c-1", "c-x")]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TARGETS, max_size=4))
def test_every_queue_has_the_limits_that_the_configuration_gives_it(
    promtool: Path, tmp_path: Path, targets: list[dict[str, Any]]
) -> None:
    entries = [TargetsRule.model_validate(entry) for entry in targets]
    cases = []
    for figure in FIGURES:
        for severity in Severity:
            samples = []
            for board, queue in QUEUES:
                limit = getattr(getattr(merged_targets(entries, board, queue), figure.name), severity)
                labels = f'{{switchboard="{board}", queue="{queue}", limit="{figure.words(limit)}"}}'
                samples.append({"labels": figure.limit(severity) + labels, "value": limit})
            cases.append({"expr": figure.limit(severity), "eval_time": "1m", "exp_samples": samples})
    series = [
        {
            "series": f'asterisk_queue_calls_offered_total{{switchboard="{board}", queue="{queue}"}}',
            "values": "1x6",
        }
        for board, queue in QUEUES
    ]
    scenario = tmp_path / "scenario.yml"
    test = {"interval": "10s", "input_series": series, "promql_expr_test": cases}
    scenario.write_text(
        yaml.safe_dump({"rule_files": ["asterpanel.yml"], "evaluation_interval": "10s", "tests": [test]})
    )
    check_rules(promtool, dict(files(config(targets=targets)))[PROMETHEUS_RULES], tmp_path, [scenario])


GRAFANA_ALERTS = [rule for group in GRAFANA["groups"] for rule in group["rules"]]


class TestGrafana:
    def test_the_same_alerts(self) -> None:
        assert [rule["uid"] for rule in GRAFANA_ALERTS] == [identity(alert) for alert in ALERTS]
        assert len({rule["title"] for rule in GRAFANA_ALERTS}) == len(GRAFANA_ALERTS)
        assert all(len(rule["uid"]) <= 40 for rule in GRAFANA_ALERTS)

    @pytest.mark.parametrize(
        ("rule", "alert"),
        list(zip(GRAFANA_ALERTS, ALERTS, strict=True)),
        ids=lambda rule: rule.get("uid", ""),
    )
    def test_the_same_alert(self, rule: dict[str, Any], alert: dict[str, Any]) -> None:
        query, condition = rule["data"]
        assert query["datasourceUid"] == SOURCES[PROMETHEUS].uid
        assert _plain(query["model"]["expr"]) == _plain(_without_records(alert["expr"]))
        assert query["model"]["instant"] is True
        assert (rule["condition"], condition["model"]["expression"]) == (condition["refId"], "is_number($A)")
        assert (rule["noDataState"], rule["execErrState"]) == ("OK", "Error")
        assert (rule["for"], rule["labels"]) == (alert["for"], alert["labels"])
        said = {name: _of_prometheus(text) for name, text in rule["annotations"].items()}
        assert said == alert["annotations"]
        assert not any(
            "$" in text for text in (rule["title"], *rule["labels"].values())
        )  # Grafana's environment

    def test_groups_keep_their_interval(self) -> None:
        intervals = {group["name"]: group["interval"] for group in RULES["groups"]}
        for group in GRAFANA["groups"]:
            assert group["interval"] == intervals[group["name"]]
            assert _seconds(group["interval"]) % 10 == 0
            assert group["folder"] == "Asterpanel"

    def test_contact_points_are_there_for_every_policy(self) -> None:
        example = yaml.safe_load(DEFAULT[GRAFANA_NOTIFICATIONS])
        named = {point["name"] for point in example["contactPoints"]}
        [policy] = example["policies"]
        assert {policy["receiver"], *(route["receiver"] for route in policy["routes"])} == named
        routes = yaml.safe_load(DEFAULT[ALERTMANAGER])["route"]["routes"]
        assert [route["receiver"] for route in policy["routes"]] == [route["receiver"] for route in routes]


def _of_prometheus(text: str) -> str:
    """A template of Grafana's, where there is a value only while something is wrong."""
    return re.sub(
        r"\{\{ with \$values\.A \}\}\{\{ \.Value \| (.+?) \}\}\{\{ end \}\}", r"{{ $value | \1 }}", text
    )


def _without_records(expression: str) -> str:
    """Every record replaced by what it records, until there is none left."""
    records = {rule["record"]: rule["expr"] for rule in rules("record")}
    while found := re.search(r"\b[a-z_]+:[a-z_]+:[a-z0-9_]+", expression):
        expression = f"{expression[: found.start()]}({records[found[0]]}){expression[found.end() :]}"
    return expression


def _plain(expression: str) -> str:
    return re.sub(r"\s+", "", expression)
