"""Where the plugin's scenarios are played: in the stand-in for Grafana, and in a real Grafana.

Both have the plugin as it was built, and in front of them the real control API.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from playwright.sync_api import BrowserContext

from tests.control_process import ControlProcess
from tests.e2e.call_centre import MILANO, PEOPLE, PROFILES, TORINO, CallCentre
from tests.e2e.grafana_standin import APP, LANGUAGE_COOKIE, SESSION_COOKIE, Dashboard, GrafanaStandin
from tests.e2e.node_builds import standin_dist
from tests.grafana_keys import KEYS_PATH, GrafanaKeys
from tests.grafana_server import GrafanaServer, grafana_server
from tests.pbx.pbx import wait_until

PANEL: Final = "asterpanel-live-panel"
PAUSE_REASONS: Final = ("Lunch", "Training", "Back office")
ACTION_TIMEOUT_S: Final = 3.0
READY_S: Final = 20.0


class Host(Protocol):
    """What shows the plugin to people."""

    name: str
    version: str
    root: str
    """Selector of what of a page is the plugin's, and not the host's own."""

    @property
    def url(self) -> str:
        """The root URL, with a slash at its end."""

    def asks(self, url: str) -> bool:
        """Whether it is the plugin that asks for this, or the page around it that is there for it."""

    def sign_in(self, context: BrowserContext, login: str, language: str) -> None:
        """Make the context's pages those of that user."""

    def dashboard(self, options: Mapping[str, Any], height: int) -> str:
        """The path of a dashboard with the panel, with a variable `switchboard`."""

    def connect_app(self, api_url: str, secret: str) -> None:
        """Set where the app's route leads to, as an administrator does."""


@dataclass
class Stage:
    """A host, and the control API behind it."""

    host: Host
    control: ControlProcess
    centre: CallCentre

    def panel_path(
        self, switchboard: str | None = MILANO, *, theme: str = "dark", height: int = 860, **options: Any
    ) -> str:
        """Of a page with the panel."""
        query = {"theme": theme, "kiosk": "1"} | ({"var-switchboard": switchboard} if switchboard else {})
        return f"{self.host.dashboard(options, height)}?{urlencode(query)}"

    def me_path(self, *, theme: str = "dark", **query: str) -> str:
        """Of the agent's own page."""
        return f"a/{APP}/me?{urlencode({'theme': theme, **query})}"

    def config_path(self, *, theme: str = "dark") -> str:
        """Of the app's configuration."""
        return f"plugins/{APP}?{urlencode({'theme': theme})}"

    def connect(self) -> None:
        """As it should be."""
        self.host.connect_app(f"http://127.0.0.1:{self.control.port}", self.control.route_secret)

    def restart_control(self) -> None:
        """The control API begins to serve again, after `control.end()`."""
        self.control.__enter__()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Until the control API can act on every switchboard."""
        wait_until(lambda: self.control.ask("GET", "/readyz").status == 200, READY_S, "it can act")


def _control(centre: CallCentre, folder: Path, grafana: Mapping[str, Any]) -> ControlProcess:
    return ControlProcess(
        folder,
        centre.sections(control=True),
        exporter=centre.exporter,
        profiles=PROFILES,
        grafana=grafana,
        action_timeout=ACTION_TIMEOUT_S,
        pause_reasons=list(PAUSE_REASONS),
    )


# --- the stand-in -----------------------------------------------------------------------------------------


class StandinHost:
    """The newest @grafana/ui and React, in a page of our own."""

    name = "standin"
    version = "@grafana/ui 13.2"
    root = "main"

    def __init__(self, server: GrafanaStandin) -> None:
        self.server = server
        server.people.update(PEOPLE)

    @property
    def url(self) -> str:
        return self.server.url

    def asks(self, url: str) -> bool:
        return True

    def sign_in(self, context: BrowserContext, login: str, language: str) -> None:
        cookies = {SESSION_COOKIE: login, LANGUAGE_COOKIE: language}
        context.add_cookies([{"name": name, "value": cookies[name], "url": self.url} for name in cookies])

    def dashboard(self, options: Mapping[str, Any], height: int) -> str:
        name = f"live-{len(self.server.dashboards)}"
        self.server.dashboards[name] = Dashboard("Live", options, height, (MILANO, TORINO))
        return f"d/{name}"

    def connect_app(self, api_url: str, secret: str) -> None:
        self.server.api_url, self.server.secret = api_url, secret


@contextmanager
def standin_stage(centre: CallCentre, plugin: Path, folder: Path) -> Iterator[Stage]:
    """In the stand-in. Raises as `standin_dist`."""
    bundle = standin_dist()
    with GrafanaKeys() as keys, GrafanaStandin(bundle, plugin, keys, keys.url) as server:
        grafana = {"url": keys.url, "keys_url": keys.url.rstrip("/") + KEYS_PATH}
        with _control(centre, folder / "control", grafana) as control:
            stage = Stage(StandinHost(server), control, centre)
            stage.connect()
            stage.wait_ready()
            yield stage


# --- Grafana ----------------------------------------------------------------------------------------------

_GRAFANA_SETTINGS: Final = {
    "users": {"default_theme": "dark", "viewers_can_edit": "false"},
    "dashboards": {"min_refresh_interval": "1s"},
}


FOLDER: Final = "scenarios"
"""Of the dashboards."""


@dataclass
class GrafanaHost:
    """A real one, with real users."""

    server: GrafanaServer
    version: str
    name: str = "grafana"
    root: str = ".panel-content, main"
    _sessions: dict[str, Any] = field(default_factory=dict)
    _dashboards: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.server.url

    def asks(self, url: str) -> bool:
        """Grafana's own look-ups in its catalogue of plugins have the plugin's name too."""
        return (APP in url or PANEL in url) and "/gnet/" not in url

    def sign_in(self, context: BrowserContext, login: str, language: str) -> None:
        """By the form, the first time; Grafana 10 knows no Italian, where the browser's language tells."""
        if login not in self._sessions:
            page = context.new_page()
            page.goto(f"{self.url}login")
            page.locator("input[name=user]").fill(login)
            page.locator("input[name=password]").fill(self.server.password)
            page.locator("button[type=submit]").click()
            page.wait_for_url(lambda url: "/login" not in url)
            page.close()
            self._sessions[login] = context.cookies()
        context.add_cookies(self._sessions[login])

    def dashboard(self, options: Mapping[str, Any], height: int) -> str:
        key = json.dumps([options, height], sort_keys=True)
        if key not in self._dashboards:
            body = {"dashboard": _dashboard_json(options, height), "folderUid": FOLDER}
            self._dashboards[key] = self.server.admin("POST", "/api/dashboards/db", body)["url"].lstrip("/")
        return self._dashboards[key]

    def connect_app(self, api_url: str, secret: str) -> None:
        self.server.configure_app(APP, {"apiUrl": api_url}, {"apiToken": secret})


GRID_PX: Final = 38
"""Of Grafana's grid: a row and the gap under it."""


def _dashboard_json(options: Mapping[str, Any], height: int) -> dict[str, Any]:
    panel = {
        "id": 1, "type": PANEL, "title": "Live", "options": dict(options), "targets": [],
        "gridPos": {"x": 0, "y": 0, "w": 24, "h": height // GRID_PX},
    }  # fmt: skip
    return {
        "title": f"Live {abs(hash(json.dumps([options, height], sort_keys=True)))}",
        "schemaVersion": 38, "panels": [panel], "templating": {"list": [_variable((MILANO, TORINO))]},
    }  # fmt: skip


def _variable(values: Sequence[str]) -> dict[str, Any]:
    first = {"text": values[0], "value": values[0], "selected": True}
    return {
        "name": "switchboard", "type": "custom", "query": ",".join(values), "current": first,
        "options": [{"text": value, "value": value, "selected": value == values[0]} for value in values],
    }  # fmt: skip


@contextmanager
def grafana_stage(centre: CallCentre, plugin: Path, folder: Path) -> Iterator[Stage]:
    """In a real Grafana. Raises `ProgramUnavailable`: there is none here."""
    plugins = folder / "plugins"
    plugins.mkdir(parents=True)
    (plugins / APP).symlink_to(plugin)
    with grafana_server(
        folder / "grafana", plugins, unsigned=[APP, PANEL], settings=_GRAFANA_SETTINGS
    ) as server:
        # of a folder that was there when they signed in: Grafana remembers for a while what people may see
        server.admin("POST", "/api/folders", {"uid": FOLDER, "title": "Scenarios"})
        for login, role in PEOPLE.items():
            server.make_user(login, role=role)
        version = str(server.admin("GET", "/api/health")["version"])
        with _control(centre, folder / "control", {"url": server.url}) as control:
            stage = Stage(GrafanaHost(server, version), control, centre)
            stage.connect()
            stage.wait_ready()
            yield stage
