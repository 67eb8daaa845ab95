"""Debian's Prometheus and Alertmanager on loopback, and a webhook that keeps what it is sent."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

import yaml

from tests.exporter_process import free_port
from tests.processes import end_process, spawn

START_S: Final = 60.0
END_S: Final = 10.0


class _Listener:
    """Answers over HTTP on a free port, in a thread; for use as a context manager."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Webhook(_Listener):
    """Receives Alertmanager's messages.

    Attributes:
        messages: path and content of each, in order.
    """

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook.messages.append((self.path, json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(Handler)
        self.url = f"http://127.0.0.1:{self.port}"


class Metrics(_Listener):
    """What Prometheus scrapes: a text that can be changed."""

    def __init__(self, text: Callable[[], str]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(text().encode())

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(Handler)


class _Server:
    """A process that answers over HTTP."""

    def __init__(self, command: Sequence[str], ready: str, log: Path) -> None:
        self._command = command
        self._ready = ready
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = spawn(self._command, log.fileno())
        until = time.monotonic() + START_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > until:
                self.__exit__()
                raise AssertionError(f"{self._command[0]} does not start:\n{self._log.read_text()[-3000:]}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            end_process(self._process, END_S)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self._ready, timeout=2) as answer:  # noqa: S310  # our own address
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


class Prometheus(_Server):
    """Prometheus with a configuration of its own.

    Args:
        program: of Debian's package.
        folder: for its configuration, data and log.
        configuration: the content of prometheus.yml.
    """

    def __init__(self, program: Path, folder: Path, configuration: dict[str, Any]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        file = folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
        options = {
            "config.file": file,
            "storage.tsdb.path": folder / "tsdb",
            "web.listen-address": f"127.0.0.1:{self.port}",
        }
        command = [str(program), *(f"--{name}={value}" for name, value in options.items())]
        super().__init__(command, f"{self.url}/-/ready", folder / "prometheus.log")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query, now."""
        arguments = urllib.parse.urlencode({"query": expression})
        answer = self._get(f"/api/v1/query?{arguments}")
        found: list[dict[str, Any]] = answer["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All rules, as it evaluates them."""
        return [rule for group in self._get("/api/v1/rules")["groups"] for rule in group["rules"]]

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:  # noqa: S310
            return json.loads(answer.read())["data"]


class Alertmanager(_Server):
    """Alertmanager, alone; the arguments are those of `Prometheus`."""

    def __init__(self, program: Path, folder: Path, configuration: dict[str, Any]) -> None:
        self.port = free_port()
        file = folder / "alertmanager.yml"
        file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
        options = {
            "config.file": file,
            "storage.path": folder / "alertmanager",
            "web.listen-address": f"127.0.0.1:{self.port}",
            "cluster.listen-address": "",
        }
        command = [str(program), *(f"--{name}={value}" for name, value in options.items())]
        super().__init__(command, f"http://127.0.0.1:{self.port}/-/ready", folder / "alertmanager.log")
