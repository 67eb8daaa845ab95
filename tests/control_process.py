"""The control API as its users run it: a process, its files, HTTP."""

from __future__ import annotations

import http.client
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from tests.control_stream import Stream
from tests.exporter_process import ExporterProcess, free_port
from tests.processes import end_process, spawn

Headers = Mapping[str, str]

START_S = 20.0
END_S = 15.0
"""For a process to begin to serve, and to end."""

REQUEST_S = 20.0
"""For an answer: longer than anything that the API may take."""


@dataclass(frozen=True)
class Answer:
    """To a request. ``seconds``: from its begin."""

    status: int
    body: Any
    headers: Headers
    seconds: float

    @property
    def result(self) -> str:
        """The result of an action that was done, or the id of the error."""
        if "error" in self.body:
            return str(self.body["error"]["id"])
        return str(self.body["result"])

    @property
    def message(self) -> str:
        """Of the error."""
        return str(self.body["error"]["message"])


class ControlProcess:
    """`asterpanel-control-api run` on a free port, with files of its own.

    Args:
        folder: for the configuration, profiles, secrets, tokens and the log; made if need be.
        switchboards: sections of the configuration by name; in them and in their `control`, ``secret`` goes
            into a file.
        exporter: where the live state comes from.
        profiles: the content of the profiles file.
        grafana: `control_api.tenants.default.grafana`; ``annotation_token`` goes into a file.
        settings: other keys of `control_api`.
    """

    def __init__(
        self,
        folder: Path,
        switchboards: Mapping[str, Mapping[str, Any]],
        *,
        exporter: ExporterProcess,
        profiles: Mapping[str, Any],
        grafana: Mapping[str, Any],
        **settings: Any,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.log = folder / "control.log"
        self.config = folder / "asterpanel.yml"
        self.profiles = folder / "profiles.yml"
        self.route_secret = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        control_api = {
            "listen": f"127.0.0.1:{self.port}",
            "exporter_url": f"http://127.0.0.1:{exporter.port}",
            "exporter_token_file": self._secret("exporter-token", exporter.token),
            "log_format": "json",
            "tenants": {"default": self._tenant(grafana)},
        }
        sections = {name: self._switchboard(name, section) for name, section in switchboards.items()}
        document = {"control_api": control_api | settings, "switchboards": sections}
        self.config.write_text(yaml.safe_dump(document), encoding="utf-8")
        self.profiles.write_text(yaml.safe_dump(dict(profiles)), encoding="utf-8")

    def _secret(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="ascii")
        return name

    def _tenant(self, grafana: Mapping[str, Any]) -> Mapping[str, Any]:
        section = dict(grafana)
        if token := section.pop("annotation_token", None):
            section["annotation_token_file"] = self._secret("annotation-token", token)
        return {"route_secret_file": self._secret("route-secret", self.route_secret), "grafana": section}

    def _switchboard(self, name: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        section, control = dict(given), dict(given["control"])
        control["secret_file"] = self._secret(f"{name}-control.secret", control.pop("secret"))
        return section | {
            "secret_file": self._secret(f"{name}.secret", section.pop("secret")),
            "control": control,
        }

    # --- its life -------------------------------------------------------------------------------------

    def __enter__(self) -> ControlProcess:
        with self.log.open("ab") as log:
            self._process = spawn([*self._command, "run"], log.fileno())
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__(None, None, None)
                raise AssertionError(f"the control API does not start:\n{self.tail()}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.end()
        finally:
            if error is not None:
                print(self.tail(200))

    def ask_to_end(self) -> None:
        """Send SIGTERM, and do not wait."""
        if self._process is not None:
            self._process.terminate()

    def end(self) -> int | None:
        """End it (SIGTERM) and return its exit status; None: it was not running.

        Raises:
            subprocess.TimeoutExpired: it did not end; it is killed.
        """
        process, self._process = self._process, None
        if process is None:
            return None
        return end_process(process, END_S)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What another command of it says, with the same configuration."""
        return subprocess.run(
            [*self._command, *arguments], capture_output=True, text=True, timeout=30, check=False
        )

    @property
    def _command(self) -> list[str]:
        return [sys.executable, "-m", "asterpanel_control_api.cli", "--config", str(self.config)]

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/healthz").status == 200
        except (ConnectionError, TimeoutError):
            return False

    # --- its log --------------------------------------------------------------------------------------

    def tail(self, lines: int = 60) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8").splitlines()[-lines:])

    def audit(self) -> list[dict[str, Any]]:
        """The log's lines about actions."""
        lines = map(json.loads, self.log.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if "audit" in line]

    # --- HTTP -----------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, headers: Headers | None = None, body: Any = None) -> Answer:
        """One request; what changes something is JSON."""
        began = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_S)) as connection:
            content = None if method == "GET" else json.dumps({} if body is None else body)
            more = {} if content is None else {"Content-Type": "application/json"}
            connection.request(method, path, content, {**more, **(headers or {})})
            response = connection.getresponse()
            text = response.read()
        is_json = response.headers.get_content_type() == "application/json"
        return Answer(
            response.status,
            json.loads(text) if is_json else text.decode(),
            response.headers,  # type: ignore[arg-type]  # a Message is a mapping but in name
            time.monotonic() - began,
        )

    def stream(self, switchboard: str, headers: Headers) -> Stream:
        """The live state as that person sees it; for use as a context manager."""
        return Stream(self.port, f"/v1/switchboards/{switchboard}/stream", headers)
