"""The dashboards keep to the conventions (dashboard-linter's rules), and ask only for what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from asterpanel_dashboards.build import files
from asterpanel_dashboards.frame import SOURCES
from asterpanel_dashboards.live import APP_PANEL, ME_PAGE
from asterpanel_dashboards.queries import service_level
from asterpanel_dashboards.settings import DEFAULTS
from asterpanel_exporter.catalogue import CATALOGUE, Kind
from asterpanel_switchboard.service_level import FORMULAS, ServiceLevelSums
from tests.unit.control_app import control_app

REPOSITORY = Path(__file__).parents[2]
DASHBOARDS = {name: json.loads(text) for name, text in files(DEFAULTS)}

NAMES = {
    f"{metric.name}{suffix}"
    for metric in CATALOGUE
    for suffix in (("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",))
}


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Those that ask a data source."""
    for panel in dashboard["panels"]:
        yield from panel.get("panels", [])
        if panel["type"] not in ("row", APP_PANEL):
            yield panel


@pytest.fixture(params=DASHBOARDS)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = DASHBOARDS[request.param]
    return found


def test_dashboard(dashboard: dict[str, Any]) -> None:
    assert re.fullmatch(r"asterpanel-[a-z-]+", dashboard["uid"])
    assert dashboard["title"]
    assert dashboard["description"]
    assert dashboard["editable"] is False
    first, *_ = [one for one in dashboard["templating"]["list"] if one["type"] != "datasource"]
    assert (first["name"], first["label"]) == ("switchboard", "Current switchboard")


def test_panels(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        where = f"{dashboard['title']}: {panel.get('title')}"
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"], where
        assert len(panel["description"]) > 20, where
        assert defaults["unit"], where
        assert defaults["noValue"], where
        assert panel["datasource"]["uid"] in ("${prometheus_datasource}", "${influxdb_datasource}"), where
        assert panel["targets"], where
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]), where


@pytest.fixture(scope="module")
def control_api_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Of its own metrics."""
    with control_app(tmp_path_factory.mktemp("control")) as api:
        text = api.client.get("/metrics").text
    names = set(re.findall(r"^# TYPE (\S+)", text, flags=re.MULTILINE))
    return names | {f"{name}{suffix}" for name in names for suffix in ("_bucket", "_count")}


def test_queries_ask_for_what_there_is(dashboard: dict[str, Any], control_api_names: set[str]) -> None:
    known = NAMES | control_api_names
    for panel in panels(dashboard):
        for target in panel["targets"]:
            named = set(re.findall(r"\b(?:asterisk|asterpanel)_\w+", target.get("expr", "")))
            assert named <= known, f"{panel['title']}: {named - known}"


def test_windows_fit_the_step_or_the_chosen_time(dashboard: dict[str, Any]) -> None:
    """dashboard-linter's target-rate-interval-rule; a figure of now has a window of its own."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            windows = set(re.findall(r"\[(.+?)\]", target.get("expr", "")))
            allowed = {"$__range", "30m"} if target.get("instant") else {"$__rate_interval"}
            assert windows <= allowed, f"{panel['title']}: {windows - allowed}"


def test_choices_follow_the_chosen_time(dashboard: dict[str, Any]) -> None:
    """dashboard-linter's template-on-time-change-reload-rule."""
    for variable in dashboard["templating"]["list"]:
        assert variable["type"] != "query" or variable["refresh"] == 2, variable["name"]


def test_the_app_plugin_joins_the_live_dashboard_where_grafana_has_it() -> None:
    app = json.loads((REPOSITORY / "grafana/plugins/asterpanel-app/src/plugin.json").read_text())
    panel = json.loads((REPOSITORY / "grafana/plugins/asterpanel-app/src/live-panel/plugin.json").read_text())
    with_it = DASHBOARDS["asterpanel-live.json"]
    [shown] = [one for one in with_it["panels"] if one["type"] == panel["id"] == APP_PANEL]
    assert shown["title"]
    assert len(shown["description"]) > 20
    assert [link["url"] for link in with_it["links"] if link["type"] == "link"] == [ME_PAGE]
    assert ME_PAGE in [
        each["path"].replace("%PLUGIN_ID%", app["id"]) for each in app["includes"] if "path" in each
    ]

    [without] = [text for name, text in files(replace(DEFAULTS, app_plugin=False)) if "live" in name]
    assert "asterpanel-app" not in without
    assert APP_PANEL not in without


def test_what_nobody_knows_is_not_told_as_nothing() -> None:
    """Without an exporter there are no series; a wallboard that says "nobody waits" then is wrong."""
    for name in ("asterpanel-live.json", "asterpanel-switchboards.json", "asterpanel-health.json"):
        for panel in panels(DASHBOARDS[name]):
            for target in panel["targets"]:
                assert "vector(" not in target["expr"], panel["title"]
    live = {panel["title"]: panel for panel in panels(DASHBOARDS["asterpanel-live.json"])}
    for title in ("Callers waiting", "Longest wait", "Calls in progress"):
        assert live[title]["fieldConfig"]["defaults"]["noValue"] == "No data"


def urls(panel: dict[str, Any]) -> Iterator[str]:
    """Of the links on its values."""
    config = panel["fieldConfig"]
    own = [one["value"] for each in config["overrides"] for one in each["properties"] if one["id"] == "links"]
    for links in (config["defaults"].get("links", []), *own):
        yield from (link["url"] for link in links)


@pytest.mark.parametrize("name", ["live", "queues", "agents", "calls", "switchboards"])
def test_links_lead_to_dashboards_that_have_these_variables(name: str) -> None:
    variables = {
        one["uid"]: {variable["name"] for variable in one["templating"]["list"]}
        for one in DASHBOARDS.values()
    }
    found = [url for panel in panels(DASHBOARDS[f"asterpanel-{name}.json"]) for url in urls(panel)]
    assert found
    for url in found:
        uid, query = url.removeprefix("/d/").split("?")
        kept = set(re.findall(r"\$\{(\w+):queryparam\}", query))
        given = set(re.findall(r"(?:^|&)var-(\w+)=", query))
        assert kept <= variables[f"asterpanel-{name}"], url
        assert kept | given <= variables[uid], url


def test_the_data_sources_are_those_of_the_provisioning() -> None:
    text = (REPOSITORY / "provisioning/grafana/datasources/asterpanel.yml").read_text()
    provisioned = {(one["type"], one["uid"], one["name"]) for one in yaml.safe_load(text)["datasources"]}
    assert provisioned == {(source.type, source.uid, source.name) for source in SOURCES.values()}


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.name)
def test_a_service_level_is_its_formula(formula: Any) -> None:
    """The query's arithmetic, done with numbers."""
    sums = ServiceLevelSums(
        answered=70, answered_within=50, abandoned=20, abandoned_within=6, short_abandoned=4, flowed_out=10
    )
    values = {
        "sl_answered": 70, "within_sl": 50, "sl_abandoned": 20, "abandoned_within_sl": 6,
        "sl_short_abandon": 4, "sl_offered": 100,
    }  # fmt: skip
    expression = re.sub(
        r'sum\("(\w+)"\)', lambda found: str(values[found[1]]), service_level.influxql(formula)
    )
    assert re.fullmatch(r"[\d ()+/-]+", expression)
    assert eval(expression) == pytest.approx(formula(sums))  # noqa: S307  # digits and operators
