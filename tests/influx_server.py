"""Real InfluxDB servers for tests: Debian's 1.6.7, and 2.7 where a binary is at hand; and a front before one.

1.6.7 lacks ``/api/v2/write`` (1.8 brought it): the front maps it to ``/write``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from asterpanel_switchboard.config import InfluxConfig
from tests.debian import ProgramUnavailable, program
from tests.processes import spawn

BINARY_2_VARIABLE = "ASTERPANEL_TEST_INFLUXD"
ORG = "asterpanel"
TOKEN = "operator-token-of-the-tests"
START_TIMEOUT_S = 60.0
UPSTREAM_TIMEOUT_S = 60.0

CONFIG_1 = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{folder}/meta"
  logging-enabled = false
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
"""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class InfluxProcess:
    """An influxd on a port of its own, with its data in a folder."""

    def __init__(self, command: Sequence[str], port: int, folder: Path) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._command = command
        self._log = folder / "influxd.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        with self._log.open("ab") as log:
            self._process = spawn(self._command, log.fileno())
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError, HTTPException):
                urllib.request.urlopen(f"{self.url}/ping", timeout=1.0)  # noqa: S310
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"influxd did not start: {self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        """SIGKILL: in the midst of whatever it does."""
        self._send(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(10)

    def freeze(self) -> None:
        """It accepts connections and never answers."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        if self.is_running:
            self.kill()

    def _send(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


@dataclass
class Scripted:
    """An answer that the front gives by itself. ``apply``: the server has done it all the same."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    apply: bool = False


class Front:
    """A little HTTP server before InfluxDB that forwards, or answers as told.

    Attributes:
        answers: what it answers to the next writes, in order; then it forwards.
        always: what it answers to every write, if set.
        most_bytes: a larger write is answered with 413, if set.
        before_write: called before a write is answered or forwarded.
        writes: sizes and authorizations of the writes that came in.
    """

    def __init__(self, upstream_port: int, *, is_version_1: bool) -> None:
        self.answers: deque[Scripted] = deque()
        self.always: Scripted | None = None
        self.most_bytes: int | None = None
        self.before_write: Callable[[], None] = lambda: None
        self.writes: list[tuple[int, str]] = []
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                front._handle(self, upstream_port, is_version_1)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """Back to plain forwarding."""
        self.answers.clear()
        self.writes.clear()
        self.always = self.most_bytes = None
        self.before_write = lambda: None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, request: BaseHTTPRequestHandler, port: int, is_version_1: bool) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        scripted = None
        if request.path.startswith("/api/v2/write"):
            self.writes.append((len(body), request.headers.get("Authorization") or ""))
            self.before_write()
            scripted = self.answers.popleft() if self.answers else self.always
            if self.most_bytes is not None and len(body) > self.most_bytes:
                scripted = Scripted(413, '{"code":"request too large","message":"too large"}')
        try:
            if scripted is None:
                answer = _forwarded(request, body, port, is_version_1)
            else:
                if scripted.apply:
                    _forwarded(request, body, port, is_version_1)
                answer = (scripted.status, scripted.headers, scripted.body.encode())
            _answer(request, *answer)
        except (OSError, HTTPException):
            request.close_connection = True


def _forwarded(
    request: BaseHTTPRequestHandler, body: bytes, port: int, is_version_1: bool
) -> tuple[int, dict[str, str], bytes]:
    path = _path_of_version_1(request.path) if is_version_1 else request.path
    kept = ("Content-Encoding", "Content-Type", "Authorization")
    headers = {name: value for name in kept if (value := request.headers.get(name))}
    connection = HTTPConnection("127.0.0.1", port, timeout=UPSTREAM_TIMEOUT_S)
    try:
        connection.request(request.command, path, body, headers)
        answer = connection.getresponse()
        return answer.status, {"Content-Type": answer.getheader("Content-Type") or ""}, answer.read()
    finally:
        connection.close()


def _answer(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    if status != 204:
        request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if status != 204:
        request.wfile.write(body)


def _path_of_version_1(path: str) -> str:
    url = urllib.parse.urlsplit(path)
    if url.path != "/api/v2/write":
        return path
    query = dict(urllib.parse.parse_qsl(url.query))
    database, _, retention_policy = query["bucket"].partition("/")
    mapped = {"db": database, "rp": retention_policy, "precision": {"ns": "n"}[query["precision"]]}
    return "/write?" + urllib.parse.urlencode({name: value for name, value in mapped.items() if value})


class Influx:
    """A server, a front before it, and what tests ask of both."""

    def __init__(self, version: str, process: InfluxProcess) -> None:
        self.version = version
        self.process = process
        self.front = Front(process.port, is_version_1=version.startswith("1."))
        self._token = None if version.startswith("1.") else TOKEN
        self._org_id = ""

    def close(self) -> None:
        self.front.close()
        self.process.close()

    def recover(self) -> None:
        """Whatever a test has done: the server runs, and the front forwards."""
        self.front.forget()
        if self.process.is_running:
            self.process.thaw()
        else:
            self.process.start()

    def config(self, bucket: str, *, direct: bool = False, **more: Any) -> InfluxConfig:
        """The section `influxdb` for it; ``direct``: without the front (2.x only)."""
        token = {"auth": "none"} if self._token is None else {"token": SecretStr(self._token)}
        url = self.process.url if direct else self.front.url
        given: dict[str, Any] = {"url": url, "org": ORG, "bucket": bucket, "max_retry_interval": 1.0, **token}
        return InfluxConfig(**(given | more))

    def make_bucket(self, name: str, retention_days: int | None = None) -> str:
        """An empty bucket (database); None: kept for ever. Returns its name."""
        if self._token is None:
            duration = "" if retention_days is None else f" WITH DURATION {retention_days}d"
            self.influxql("", f'CREATE DATABASE "{name}"{duration}')
        else:
            rules = [{"type": "expire", "everySeconds": retention_days * 86400}] if retention_days else []
            body = {"orgID": self._organisation(), "name": name, "retentionRules": rules}
            self._post("/api/v2/buckets", body)
        return name

    def influxql(self, bucket: str, query: str, token: str | None = None) -> list[dict[str, Any]]:
        """The series of the answer.

        Raises:
            AssertionError: the answer is an error.
        """
        arguments = urllib.parse.urlencode({"db": bucket, "q": query, "epoch": "ns"})
        answer = self._request("POST", f"/query?{arguments}", None, token or self._token)
        [result] = answer["results"]
        assert "error" not in result, result
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def row(self, bucket: str, query: str) -> dict[str, Any]:
        """The only row of the only series, by column."""
        [series] = self.influxql(bucket, query)
        [row] = series["values"]
        return dict(zip(series["columns"], row, strict=True))

    def count(self, bucket: str, measurement: str, field_name: str) -> int:
        """The number of its points."""
        query = f'SELECT count("{field_name}") FROM "{measurement}"'  # noqa: S608
        series = self.influxql(bucket, query)
        return int(series[0]["values"][0][1]) if series else 0

    def write(self, bucket: str, lines: str, token: str, org: str = ORG) -> int:
        """The status of the answer to a write past the front."""
        query = urllib.parse.urlencode({"bucket": bucket, "org": org, "precision": "ns"})
        connection = HTTPConnection("127.0.0.1", self.process.port, timeout=30.0)
        try:
            headers = {"Authorization": f"Token {token}"}
            connection.request("POST", f"/api/v2/write?{query}", lines.encode(), headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def onboard(self) -> None:
        """The first user, organisation and operator's token of a fresh 2.x."""
        user = {"username": "admin", "password": "password-of-the-tests"}
        self._post("/api/v2/setup", {**user, "org": ORG, "bucket": "first", "token": TOKEN})

    def _organisation(self) -> str:
        if not self._org_id:
            self._org_id = self._request("GET", f"/api/v2/orgs?org={ORG}", None, TOKEN)["orgs"][0]["id"]
        return self._org_id

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._request("POST", path, json.dumps(body).encode(), TOKEN)

    def _request(self, method: str, path: str, body: bytes | None, token: str | None) -> Any:
        headers = {} if token is None else {"Authorization": f"Token {token}"}
        request = urllib.request.Request(self.process.url + path, body, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30.0) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error


@contextlib.contextmanager
def influx_1(folder: Path) -> Iterator[Influx]:
    """Debian's InfluxDB 1.6.7.

    Raises:
        ProgramUnavailable: it cannot be had here.
    """
    binary = program("influxd", "influxdb")
    folder.mkdir(parents=True)
    port = free_port()
    configuration = folder / "influxdb.conf"
    configuration.write_text(CONFIG_1.format(folder=folder, port=port, rpc_port=free_port()))
    command = [str(binary), "-config", str(configuration)]
    with _running(Influx("1.6.7", InfluxProcess(command, port, folder))) as server:
        yield server


@contextlib.contextmanager
def influx_2(folder: Path, *, onboarded: bool = True) -> Iterator[Influx]:
    """InfluxDB 2.x, with a first user and `TOKEN` unless it is to be fresh.

    Raises:
        ProgramUnavailable: it cannot be had here.
    """
    binary = os.environ.get(BINARY_2_VARIABLE)
    if not binary:
        raise ProgramUnavailable(f"no InfluxDB 2.x: set {BINARY_2_VARIABLE} to the path of its influxd")
    folder.mkdir(parents=True)
    port = free_port()
    options = {
        "http-bind-address": f"127.0.0.1:{port}",
        "bolt-path": folder / "influxd.bolt",
        "engine-path": folder / "engine",
        "sqlite-path": folder / "influxd.sqlite",
        "log-level": "error",
    }
    command = [binary, "--reporting-disabled", *(f"--{name}={value}" for name, value in options.items())]
    with _running(Influx("2.7", InfluxProcess(command, port, folder))) as server:
        if onboarded:
            server.onboard()
        yield server


@contextlib.contextmanager
def _running(server: Influx) -> Iterator[Influx]:
    try:
        server.process.start()
        yield server
    finally:
        server.close()
