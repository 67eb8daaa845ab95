"""The dashboards in a real Grafana, provisioned by the shipped files, on real servers with a month of calls.

In a browser, Grafana has to send what `tests.dashboards.variables` says that it sends, and no panel may fail.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from asterpanel_dashboards.frame import SOURCES
from asterpanel_dashboards.live import APP_PANEL
from tests.dashboards.call_centre import BACK_OFFICE, ONEIL
from tests.dashboards.influx_history import BUCKET
from tests.dashboards.loaded import LIVE, WEEK, Loaded, loaded
from tests.dashboards.panels import DASHBOARDS, Span, Target, Viewer, is_empty, panels_of, targets
from tests.dashboards.recording_proxy import RecordingProxy
from tests.dashboards.variables import influx_format, influxql, prometheus_format
from tests.debian import ProgramUnavailable
from tests.e2e.test_status_page import browser
from tests.grafana_server import HOME_VARIABLE, Browser, GrafanaServer, grafana_server
from tests.waiting import eventually

PROVISIONING: Final = Path(__file__).parents[2] / "provisioning/grafana"
PROVISIONED_WITHIN_S: Final = 60.0
LOADED_WITHIN_S: Final = 60.0
NOT_OURS: Final = "apple-mobile-web-app-capable"
"""What the browser says of Grafana itself."""

UIDS: Final = {source: found.uid for source, found in SOURCES.items()}
KINDS: Final = {"prometheus": LIVE, "influxdb": WEEK}

CHOICE: Final[Mapping[str, Sequence[str]]] = {
    "queue": ["sales", ONEIL, BACK_OFFICE], "agent": ["1001", "2003"]
}  # fmt: skip
"""On each dashboard; all switchboards. (Other choices: ``test_dashboard_queries.py``.)"""


@dataclass(frozen=True)
class Rig:
    """Grafana, what is behind it, and what it asks there."""

    grafana: GrafanaServer
    servers: Loaded
    influxdb: RecordingProxy
    prometheus: RecordingProxy

    def asked(self, kind: str) -> list[str]:
        """The queries that have come."""
        if kind == "influxdb":
            return [one["q"] for one in self.influxdb.asked if "q" in one]
        return [one["query"] for one in self.prometheus.asked if "query" in one]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    if HOME_VARIABLE not in os.environ:  # before the long work of loading servers
        pytest.skip(f"no Grafana: set {HOME_VARIABLE} to its home folder (bin/grafana, conf)")
    folder = tmp_path_factory.mktemp("grafana")
    try:
        with ExitStack() as stack:
            servers = stack.enter_context(loaded(folder))
            influxdb = stack.enter_context(RecordingProxy(servers.influx.process.port))
            prometheus = stack.enter_context(RecordingProxy(servers.prometheus.port))
            environment = {
                "ASTERPANEL_INFLUXDB_URL": influxdb.url,
                "ASTERPANEL_INFLUXDB_DATABASE": BUCKET,
                "ASTERPANEL_INFLUXDB_TOKEN": "none",
                "ASTERPANEL_PROMETHEUS_URL": prometheus.url,
                "ASTERPANEL_DASHBOARDS": str(_dashboards(folder)),
            }
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            for name, value in environment.items():
                patch.setenv(name, value)
            settings = {
                "paths": {"provisioning": _provisioning(folder)},
                "auth.anonymous": {"enabled": "true", "org_role": "Viewer"},
            }
            plugins = folder / "plugins"
            grafana = stack.enter_context(grafana_server(folder / "server", plugins, settings=settings))
            yield Rig(grafana, servers, influxdb, prometheus)
    except ProgramUnavailable as reason:
        pytest.skip(str(reason))


def _dashboards(folder: Path) -> Path:
    """Without the app plugin's panel, which asks no data source: tests/e2e has that one in Grafana."""
    made = folder / "dashboards"
    made.mkdir()
    for uid, dashboard in DASHBOARDS.items():
        panels = [panel for panel in dashboard["panels"] if panel["type"] != APP_PANEL]
        (made / f"{uid}.json").write_text(json.dumps({**dashboard, "panels": panels}), encoding="utf-8")
    return made


def _provisioning(folder: Path) -> Path:
    """The shipped files for data sources and dashboards."""
    made = folder / "provisioning"
    made.mkdir()
    for part in ("datasources", "dashboards"):
        (made / part).symlink_to(PROVISIONING / part)
    return made


# --- what is there ----------------------------------------------------------------------------------------


async def test_every_dashboard_is_in_its_folder(rig: Rig) -> None:
    def found() -> dict[str, tuple[str, str]]:
        dashboards = rig.grafana.admin("GET", "/api/search?type=dash-db")
        return {one["uid"]: (one["title"], one["folderUid"]) for one in dashboards}

    expected = {uid: (dashboard["title"], "asterpanel") for uid, dashboard in DASHBOARDS.items()}
    await eventually(lambda: found() == expected, PROVISIONED_WITHIN_S)


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_it_cannot_be_changed_in_place(rig: Rig, uid: str) -> None:
    """Not even by the administrator: the next build would undo it."""
    stored = rig.grafana.admin("GET", f"/api/dashboards/uid/{uid}")
    assert stored["meta"]["provisioned"] is True
    assert stored["dashboard"]["editable"] is False
    administrator: Browser = rig.grafana._administrator
    body = {"dashboard": stored["dashboard"], "overwrite": True}
    refused = administrator.ask("POST", "/api/dashboards/db", body)
    assert refused.status == 400
    assert "provisioned" in refused.text


@pytest.mark.parametrize("uid", UIDS.values())
def test_data_sources_work(rig: Rig, uid: str) -> None:
    health = rig.grafana.admin("GET", f"/api/datasources/uid/{uid}/health")
    assert health["status"] == "OK", health


# --- what the backend answers -----------------------------------------------------------------------------


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_every_query_answers_through_grafana(rig: Rig, uid: str) -> None:
    """As a viewer: without an error, and with data wherever the server itself has some."""
    for kind, span in KINDS.items():
        viewer = Viewer(rig.servers, uid, CHOICE, span)
        for target in targets():
            if (target.uid, target.kind) == (uid, kind):
                result = _through_grafana(rig.grafana.stranger(), viewer, target, span)
                values = [frame["data"]["values"] for frame in result["frames"]]
                has_data = any(column for columns in values for column in columns)
                assert has_data or is_empty(viewer.ask(target)), target.name


def _through_grafana(browser: Browser, viewer: Viewer, target: Target, span: Span) -> dict[str, Any]:
    """The result, with time ranges and intervals put in by Grafana's backend."""
    query = dict(target.json)
    if target.kind == "influxdb":
        query["query"] = viewer.variables.replace(query["query"], influx_format)
    else:
        query["expr"] = viewer.variables.replace(query["expr"], prometheus_format)
    uid = next(uid for uid in UIDS.values() if target.kind in uid)
    query |= {"datasource": {"type": target.kind, "uid": uid}, "intervalMs": span.step_s * 1000}
    body = {"queries": [query], "from": str(span.since_ms), "to": str(span.until_ms)}
    answer = browser.ask("POST", "/api/ds/query", body)
    assert answer.status == 200, f"{target.name}: {answer.text}"
    result: dict[str, Any] = answer.json["results"][target.ref_id]
    assert "error" not in result, f"{target.name}: {result['error']}"
    return result


# --- what a browser shows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("uid", DASHBOARDS)
async def test_in_a_browser(rig: Rig, uid: str, chromium: Path, tmp_path: Path) -> None:
    """Every panel asks what we expect it to, and none shows an error."""
    kinds = {target.kind for target in targets() if target.uid == uid}
    span = KINDS["influxdb" if "influxdb" in kinds else "prometheus"]
    expected = list(_expected(Viewer(rig.servers, uid, CHOICE, span), uid, span))
    for proxy in (rig.influxdb, rig.prometheus):
        proxy.asked.clear()
    chosen = [
        (f"var-{name}", value)
        for name, values in CHOICE.items()
        if f'"name": "{name}"' in json.dumps(DASHBOARDS[uid]["templating"])
        for value in values
    ]
    query = urlencode([("from", span.since_ms), ("to", span.until_ms), *chosen, ("kiosk", "")])
    profile = tmp_path / "profile"
    profile.mkdir()
    async with browser(profile) as page:
        await page.size(1600, 9000)  # panels out of sight ask nothing
        await page.open(f"{rig.grafana.url}d/{uid}?{query}")

        def missing() -> list[str]:
            return [
                text for kind, text in expected if not any(re.fullmatch(text, q) for q in rig.asked(kind))
            ]

        try:
            await eventually(lambda: not missing(), LOADED_WITHIN_S)
        except AssertionError:
            asked = "\n".join([*rig.asked("influxdb"), *rig.asked("prometheus")])
            raise AssertionError(f"never asked: {missing()[:3]}\nasked:\n{asked[:6000]}") from None
        await page.until("!document.querySelector('[aria-label=\"Panel loading bar\"]')")
        failed = await page.value(
            "[...document.querySelectorAll('[data-testid=\"data-testid Panel status error\"]')]"
            ".map((corner) => corner.closest('section')?.innerText)"
        )
        assert not failed
        assert not [complaint for complaint in page.complaints if NOT_OURS not in complaint]


def _expected(viewer: Viewer, uid: str, span: Span) -> Iterator[tuple[str, str]]:
    """(kind, regular expression) of each query; how wide a step is depends on the panel's width."""
    for panel in panels_of(DASHBOARDS[uid]):
        texts: dict[str, list[str]] = {}
        for target in targets():
            if (target.uid, target.title) == (uid, panel["title"]) and target.json in panel["targets"]:
                texts.setdefault(target.kind, []).append(_pattern(viewer, target, span))
        if "influxdb" in texts:  # all in one request
            yield "influxdb", ";".join(texts.pop("influxdb"))
        for kind, each in texts.items():
            yield from ((kind, text) for text in each)


def _pattern(viewer: Viewer, target: Target, span: Span) -> str:
    if target.kind == "influxdb":
        marked = target.json["query"].replace("$__interval", "STEP")
        text = influxql(marked, viewer.variables, span.filter, step_s=1)
    else:
        marked = target.json["expr"].replace("$__rate_interval", "STEP")
        text = viewer.variables.replace(marked, prometheus_format)
        text = text.replace("$__range", f"{round((span.until_ms - span.since_ms) / 1000)}s")
    return re.escape(text).replace("STEP", r"\w+")
