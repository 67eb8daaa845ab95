"""A real Grafana on loopback, what its administrator sets up, and requests as a browser sends them.

Where its home folder is (``bin/grafana``, ``conf``, ``public``) says `HOME_VARIABLE`.
"""

from __future__ import annotations

import base64
import configparser
import contextlib
import http.client
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final, TypeAlias

from tests.debian import ProgramUnavailable
from tests.exporter_process import free_port
from tests.processes import end_process, spawn

HOME_VARIABLE: Final = "ASTERPANEL_TEST_GRAFANA"
MAIN_ORG: Final = 1
START_S: Final = 90.0
"""For the first start, which makes the database."""

END_S: Final = 20.0
REQUEST_S: Final = 20.0
_CALLS_HOME: Final = ("reporting_enabled", "check_for_updates", "check_for_plugin_updates")
ORG_HEADER: Final = "X-Grafana-Org-Id"

Headers: TypeAlias = Sequence[tuple[str, str]]
"""As they are sent: a name may come more than once."""

Settings: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Of Grafana, by section and key."""


@dataclass(frozen=True)
class Answer:
    """To a request."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)


class Browser:
    """Sends requests to one server, with what somebody's browser adds to each.

    Args:
        url: root URL of the server.
        headers: sent with every request.
    """

    def __init__(self, url: str, headers: Headers = ()) -> None:
        self.url = url
        self.headers = headers
        self.port = int(url.rstrip("/").rpartition(":")[2])

    def ask(self, method: str, path: str, body: Any = None, headers: Headers = ()) -> Answer:
        """One request, over a connection of its own; a body is sent as JSON.

        The given headers are sent as they are, in place of those that a browser adds by itself.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_S)
        with contextlib.closing(connection):
            content = b"" if body is None else json.dumps(body).encode()
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in self._with_usual(method, content, [*self.headers, *headers]):
                connection.putheader(name, value)
            connection.endheaders(content)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read().decode())

    def _with_usual(self, method: str, content: bytes, headers: Headers) -> Headers:
        if method == "GET":
            return headers
        usual = {
            "Origin": self.url.rstrip("/"),
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
        }
        given = {name for name, _ in headers}
        return [*((name, value) for name, value in usual.items() if name not in given), *headers]


class GrafanaServer:
    """Grafana on a free port, its data in a folder.

    Args:
        folder: for its configuration, database and log.
        home: of Grafana.
        plugins: folder with the plugins; those of ``unsigned`` need no signature.
        settings: more than what is needed to run.

    Attributes:
        password: of the administrator, and of every user that is made.
    """

    def __init__(
        self,
        folder: Path,
        home: Path,
        plugins: Path,
        *,
        unsigned: Sequence[str] = (),
        settings: Settings | None = None,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.password = secrets.token_hex(16)
        proof = base64.b64encode(f"admin:{self.password}".encode()).decode()
        self._administrator = Browser(self.url, [("Authorization", f"Basic {proof}")])
        self._log = folder / "grafana.log"
        self._config = folder / "grafana.ini"
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._write_config(
            {
                "paths": {"data": folder / "data", "logs": folder / "logs", "plugins": plugins},
                "plugins": {"allow_loading_unsigned_plugins": ",".join(unsigned)},
            },
            settings or {},
        )

    def _write_config(self, *settings: Settings) -> None:
        ours: Settings = {
            "server": {"http_addr": "127.0.0.1", "http_port": self.port, "root_url": self.url},
            "security": {
                "admin_user": "admin",
                "admin_password": self.password,
                "disable_gravatar": "true",
            },
            "news": {"news_feed_enabled": "false"},
            "analytics": dict.fromkeys(_CALLS_HOME, "false"),
            "plugins": {"plugin_admin_enabled": "false"},
            "unified_alerting": {"enabled": "false"},
            "log": {"mode": "console"},
        }
        config = configparser.RawConfigParser()
        for each in (ours, *settings):
            config.read_dict(each)
        with self._config.open("w", encoding="utf-8") as file:
            config.write(file)

    # --- its life -------------------------------------------------------------------------------------

    def __enter__(self) -> GrafanaServer:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            end_process(self._process, END_S)

    def _start(self) -> None:
        options = ["--homepath", str(self._home), "--config", str(self._config)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GF_")}
        with self._log.open("ab") as log:
            command = [str(self._home / "bin/grafana"), "server", *options]
            self._process = spawn(command, log.fileno(), environment)
        until = time.monotonic() + START_S
        while not self._is_healthy():
            if self._process.poll() is not None or time.monotonic() > until:
                self.__exit__()
                raise AssertionError(f"Grafana does not start:\n{self.tail()}")
            time.sleep(0.1)

    def _is_healthy(self) -> bool:
        try:
            return Browser(self.url).ask("GET", "/api/health").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def tail(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self._log.read_text(encoding="utf-8").splitlines()[-lines:])

    # --- who comes to it ------------------------------------------------------------------------------

    def browser(self, login: str) -> Browser:
        """That user's, logged in with the password that `make_user` gave him."""
        answer = Browser(self.url).ask("POST", "/login", {"user": login, "password": self.password})
        assert answer.status == 200, answer.text
        cookies: SimpleCookie = SimpleCookie()
        for header in answer.headers.get_all("Set-Cookie", []):
            cookies.load(header)
        pairs = "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items())
        return Browser(self.url, [("Cookie", pairs)])

    def stranger(self) -> Browser:
        """Of somebody who has not logged in."""
        return Browser(self.url)

    def service_account(self, name: str, role: str, org_id: int = MAIN_ORG) -> str:
        """The token of a new service account; no organisation has another one of that name."""
        account = self.admin("POST", "/api/serviceaccounts", {"name": name, "role": role}, org_id)
        path = f"/api/serviceaccounts/{account['id']}/tokens"
        return str(self.admin("POST", path, {"name": name}, org_id)["key"])

    # --- what its administrator does ------------------------------------------------------------------

    def admin(self, method: str, path: str, body: Any = None, org_id: int = MAIN_ORG) -> Any:
        """The answer to a request of the server's administrator, who is in each organisation.

        Raises:
            AssertionError: it is an error.
        """
        answer = self._administrator.ask(method, path, body, [(ORG_HEADER, str(org_id))])
        assert answer.status in (200, 201), f"{method} {path}: {answer.status} {answer.text}"
        return answer.json

    def make_org(self, name: str) -> int:
        """A new organisation; its id."""
        return int(self.admin("POST", "/api/orgs", {"name": name})["orgId"])

    def make_user(self, login: str, email: str = "", org_id: int = MAIN_ORG, role: str = "Viewer") -> None:
        """A new user with that role in an organisation."""
        user = {
            "name": login.title(), "login": login, "email": email or f"{login}@example.com",
            "password": self.password, "OrgId": org_id,
        }  # fmt: skip
        made = self.admin("POST", "/api/admin/users", user)
        if role != "Viewer":
            self.admin("PATCH", f"/api/org/users/{made['id']}", {"role": role}, org_id)

    def add_to_org(self, login: str, org_id: int, role: str = "Viewer") -> None:
        """The user is in that organisation as well."""
        self.admin("POST", f"/api/orgs/{org_id}/users", {"loginOrEmail": login, "role": role})

    def configure_app(
        self, app: str, json_data: Mapping[str, Any], secure: Mapping[str, str], org_id: int = MAIN_ORG
    ) -> None:
        """Enable an app plugin for an organisation, with these settings."""
        body = {"enabled": True, "jsonData": dict(json_data), "secureJsonData": dict(secure)}
        self.admin("POST", f"/api/plugins/{app}/settings", body, org_id)

    def annotations(self, tag: str, org_id: int = MAIN_ORG) -> list[dict[str, Any]]:
        """The annotations of an organisation that have a tag, the newest first."""
        found: list[dict[str, Any]] = self.admin("GET", f"/api/annotations?tags={tag}", org_id=org_id)
        return found


@contextlib.contextmanager
def grafana_server(folder: Path, plugins: Path, **more: Any) -> Iterator[GrafanaServer]:
    """Grafana, running; ``more``: arguments of `GrafanaServer`.

    Raises:
        ProgramUnavailable: it cannot be had here.
    """
    home = os.environ.get(HOME_VARIABLE)
    if not home:
        raise ProgramUnavailable(f"no Grafana: set {HOME_VARIABLE} to its home folder (bin/grafana, conf)")
    with GrafanaServer(folder, Path(home), plugins, **more) as server:
        yield server
