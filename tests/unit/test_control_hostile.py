"""Hostile input: nothing of it reaches a switchboard, and none of it is an error of ours.

The proof is what the AMI server has received, byte by byte.
"""

from __future__ import annotations

import itertools
import json
import logging
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from asterpanel_control_api.live.event_stream import StreamSettings
from asterpanel_control_api.server import THREADS_FOR_REQUESTS
from asterpanel_control_api.slow_clients import ARRIVES_WITHIN_S
from tests.control_process import ControlProcess
from tests.exporter_process import ExporterProcess, of, parse_samples
from tests.grafana_keys import GrafanaKeys, context_header
from tests.pbx.control_queues import QueueSwitchboard
from tests.pbx.pbx import wait_until
from tests.unit import ami
from tests.unit.control_app import SECRET, ControlApp, control_app, profiles_with, queues

BOARD = "/v1/switchboards/milano"
PEOPLE = 40

SMUGGLED = "1002\r\nAction: QueueRemove\r\nQueue: sales\r\nInterface: 1002\r\n\r\n"

HOSTILE: dict[str, str] = {
    "CR LF and an action": SMUGGLED,
    **{f"U+{code:04X}": f"EVIL{chr(code)}EVIL" for code in (*range(32), *range(0x7F, 0xA0))},
    "leading LF": "\nEVIL",
    "trailing LF": "EVIL\n",
    "line separator": "EVIL\u2028Action: QueueRemove",
    "paragraph separator": "EVIL\u2029Action: QueueRemove",
    "right to left": "EVIL\u202eEVIL",
    "right to left mark": "EVIL\u200f",
    "isolate": "EVIL\u2066",
    "byte order mark": "\ufeffEVIL",
    "high surrogate": "EVIL\ud800",
    "low surrogate": "\udc00EVIL",
    "overlong": "EVIL" * 500,
}

DIVIDERS = {"pipe": "EVIL|PJSIP/9999;0;0", "semicolon": "EVIL;0", "80 bytes": "E" * 78 + "é"}
"""Asterisk would take these for more than a text, or cut them."""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ControlApp]:
    with control_app(tmp_path, profiles_with(PEOPLE)) as running:
        yield running


def nothing_but_pings(received: bytes) -> bool:
    """Whether the control session is all alone."""
    frames = [frame for frame in received.split(b"\r\n\r\n") if frame]
    return all(frame.startswith(b"Action: Ping\r\n") and frame.count(b"\r\n") == 1 for frame in frames)


@pytest.fixture
def silent(api: ControlApp) -> Iterator[None]:
    """At the end, the switchboard has received nothing."""
    before = len(api.board.server.received)
    yield
    received = api.board.do(lambda: api.board.server.received)[before:]
    assert nothing_but_pings(received), received


def error_of(answer: TestResponse) -> str:
    assert answer.is_json, (answer.status, answer.text[:200])
    assert answer.json is not None
    error: dict[str, Any] = answer.json["error"]
    assert set(error) == {"id", "message", "detail"}
    return str(error["id"])


class People:
    """Masters who take turns."""

    def __init__(self, api: ControlApp) -> None:
        self._headers = itertools.cycle([api.headers_of(f"master-{number}") for number in range(PEOPLE)])

    def __call__(self) -> dict[str, str]:
        return next(self._headers)


@pytest.fixture
def master(api: ControlApp) -> People:
    return People(api)


# --- in every string ------------------------------------------------------------------------------------

Ask = tuple[str, str, Any]

BODIES: dict[str, Callable[[str], Ask]] = {
    "reason of a pause": lambda text: ("POST", "/agents/1002/pause", {"reason": text}),
    "queue to pause in": lambda text: ("POST", "/agents/1002/pause", {"queues": ["sales", text]}),
    "queue to unpause in": lambda text: ("POST", "/agents/1002/unpause", {"queues": [text]}),
    "queue of the set": lambda text: ("PUT", "/agents/1002/queues", {"queues": [{"queue": text}]}),
    "reason of the set": lambda text: (
        "PUT", "/agents/1002/queues", {"queues": [{"queue": "sales", "paused": True, "reason": text}]},
    ),
    "reason of a member": lambda text: (
        "PUT", "/queues/sales/members/1002", {"paused": True, "reason": text},
    ),
    "reason of a change": lambda text: (
        "PATCH", "/queues/sales/members/1002", {"paused": True, "reason": text},
    ),
    "info": lambda text: ("POST", "/queues/sales/callers/5.1/withdraw", {"info": text}),
    "penalty": lambda text: ("PUT", "/queues/sales/members/1002", {"penalty": text}),
    "paused": lambda text: ("PUT", "/queues/sales/members/1002", {"paused": text}),
    "ring in use": lambda text: ("PUT", "/queues/sales/members/1002", {"ring_in_use": text}),
    "priority": lambda text: ("POST", "/queues/sales/callers/5.1/priority", {"priority": text}),
    "immediate": lambda text: (
        "POST", "/queues/sales/callers/5.1/priority", {"priority": 1, "immediate": text},
    ),
    "a key": lambda text: ("POST", "/agents/1002/pause", {"reason": "Lunch", text: "x"}),
    "a value of an unknown key": lambda text: ("POST", "/agents/1002/pause", {"x": {"y": [text]}}),
    "the body": lambda text: ("POST", "/agents/1002/pause", text),
}  # fmt: skip

PATHS: dict[str, Callable[[str], Ask]] = {
    "switchboard": lambda text: ("POST", f"/../{text}/agents/1002/pause", {}),
    "agent to pause": lambda text: ("POST", f"/agents/{text}/pause", {}),
    "agent of the set": lambda text: ("PUT", f"/agents/{text}/queues", {"queues": [{"queue": "sales"}]}),
    "queue": lambda text: ("PUT", f"/queues/{text}/members/1002", {}),
    "agent to join": lambda text: ("PUT", f"/queues/sales/members/{text}", {}),
    "agent to change": lambda text: ("PATCH", f"/queues/sales/members/{text}", {"penalty": 1}),
    "agent to take out": lambda text: ("DELETE", f"/queues/sales/members/{text}", None),
    "queue of a caller": lambda text: ("POST", f"/queues/{text}/callers/5.1/withdraw", {}),
    "caller": lambda text: ("POST", f"/queues/sales/callers/{text}/priority", {"priority": 1}),
}


def send(api: ControlApp, master: People, ask: Ask) -> TestResponse:
    method, path, body = ask
    path = path.removeprefix("/../") if path.startswith("/../") else f"milano{path}"
    text = None if body is None else json.dumps(body).encode()
    headers = {**master(), "Content-Type": "application/json"}
    return api.client.open(f"/v1/switchboards/{path}", method=method, headers=headers, data=text)


@pytest.mark.usefixtures("silent")
class TestStrings:
    @pytest.mark.parametrize("place", BODIES)
    def test_in_a_body(self, api: ControlApp, master: People, place: str) -> None:
        for what, text in HOSTILE.items():
            answer = send(api, master, BODIES[place](text))
            assert (answer.status_code, error_of(answer)) == (422, "invalid_request"), what
            assert len(answer.data) < 2000, what

    @pytest.mark.parametrize("place", PATHS)
    def test_in_a_path(self, api: ControlApp, master: People, place: str) -> None:
        for what, text in HOSTILE.items():
            answer = send(api, master, PATHS[place](quote(text.encode(errors="surrogatepass"), safe="")))
            expected = "not_found" if "surrogate" in what else "invalid_request"
            assert error_of(answer) == expected, what

    @pytest.mark.parametrize(
        "place", ["reason of a pause", "reason of the set", "reason of a member", "reason of a change"]
    )
    def test_what_asterisk_would_take_for_more(self, api: ControlApp, master: People, place: str) -> None:
        for what, text in DIVIDERS.items():
            assert error_of(send(api, master, BODIES[place](text))) == "invalid_request", what

    def test_an_encoded_slash_or_nothing_is_no_name(self, api: ControlApp, master: People) -> None:
        for name in ("", "%2F", "1002%2Fpause", ".", "..", "%2e%2e"):
            answer = send(api, master, ("POST", f"/agents/{name}/pause", {}))
            assert error_of(answer) == "not_found", name

    def test_bytes_that_are_no_text(self, api: ControlApp, master: People) -> None:
        for name in ("%ff", "%c0%8d%c0%8a", "%ed%a0%80", "%e0%80%8d", "%f8%80%80%80%8a"):
            assert error_of(send(api, master, ("POST", f"/agents/{name}/pause", {}))) == "not_found", name


def test_what_is_no_harm_goes_through(api: ControlApp, master: People) -> None:
    """Or the tests above could not fail."""
    reason = "Pausa caffè ☕ 👩‍💻 نعم"
    answer = send(api, master, BODIES["reason of a pause"](reason))
    assert answer.status_code == 200, answer.json
    assert api.board.actions[-1]["reason"] == reason
    assert not nothing_but_pings(api.board.server.received)


# --- bodies ---------------------------------------------------------------------------------------------

BAD_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "null": b"null",
    "a list": b'[{"reason": "x"}]',
    "an object in a text": rb'"{\"reason\": \"x\"}"',
    "two": b'{"reason": "x"}{"reason": "y"}',
    "a key twice": b'{"reason": "x", "reason": "y"}',
    "a key twice inside": b'{"queues": [{"queue": "sales", "queue": "billing"}]}',
    "NaN": b'{"reason": NaN}',
    "infinite": b'{"penalty": -Infinity}',
    "a huge number": b'{"penalty": ' + b"9" * 5000 + b"}",
    "a huge exponent": b'{"penalty": 1e999}',
    "no whole number": b'{"penalty": 1.5}',
    "null for a value": b'{"reason": null}',
    "deeply nested lists": b'{"reason": ' + b"[" * 100_000,
    "deeply nested objects": b'{"a":' * 40_000,
    "a surrogate": rb'{"reason": "\ud800"}',
    "a key that is a surrogate": rb'{"\udfff": "x"}',
    "not UTF-8": b'{"reason": "\xff"}',
    "UTF-16": '{"reason": "x"}'.encode("utf-16"),
    "UTF-8 with a byte order mark": b'\xef\xbb\xbf{"reason": "x"}',
    "a raw line break": b'{"reason": "a\nb"}',
    "very many keys": b"{" + b",".join(b'"%d":1' % number for number in range(20_000)) + b"}",
    "very many queues": b'{"queues": [' + b",".join([b"1"] * 100_000) + b"]}",
}


@pytest.mark.usefixtures("silent")
class TestBodies:
    @pytest.mark.parametrize("path", ["agents/1002/pause", "agents/1002/queues", "queues/sales/members/1002"])
    def test_one_error_and_a_short_answer(self, api: ControlApp, master: People, path: str) -> None:
        method = "POST" if path.endswith("pause") else "PUT"
        for what, body in BAD_BODIES.items():
            answer = api.client.open(f"{BOARD}/{path}", method=method, data=body, headers={**master()} | JSON)
            assert (answer.status_code, error_of(answer)) == (422, "invalid_request"), what
            assert len(answer.data) < 10_000, what

    def test_too_long(self, api: ControlApp, master: People) -> None:
        body = json.dumps({"reason": "x" * 300_000})
        answer = api.client.post(f"{BOARD}/agents/1002/pause", data=body, headers={**master()} | JSON)
        assert (answer.status_code, error_of(answer)) == (413, "too_large")

    @pytest.mark.parametrize(
        "content_type",
        [
            "text/plain",
            "application/jsonp",
            "text/json",
            "multipart/form-data; boundary=x",
            "application/json,",
        ],
    )
    def test_another_type(self, api: ControlApp, master: People, content_type: str) -> None:
        headers = {**master(), "Content-Type": content_type}
        answer = api.client.post(f"{BOARD}/agents/1002/pause", data=b"{}", headers=headers)
        assert (answer.status_code, error_of(answer)) == (415, "not_json")


JSON = {"Content-Type": "application/json"}


# --- headers --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("silent")
class TestHeaders:
    """As an application is given them; what a server makes of raw ones is below."""

    def test_a_hostile_login_is_nobody(self, api: ControlApp, caplog: pytest.LogCaptureFixture) -> None:
        for what, text in HOSTILE.items():
            login = f"master-1{text}"
            escaped = json.dumps({**json.loads(context_header("x")), "Login": login})
            for name, value in {
                "HTTP_X_GRAFANA_CONTEXT": escaped,
                "HTTP_X_GRAFANA_USER": login.encode(errors="surrogatepass").decode("latin-1"),
                "HTTP_X_GRAFANA_ID": login.encode(errors="surrogatepass").decode("latin-1"),
            }.items():
                environ = {"HTTP_AUTHORIZATION": f"Bearer {SECRET}", name: value}
                answer = api.client.post(f"{BOARD}/agents/1002/pause", json={}, environ_overrides=environ)
                assert (answer.status_code, error_of(answer)) == (401, "unauthenticated"), (what, name)
        assert all(record.getMessage().isprintable() for record in caplog.records)

    def test_a_hostile_login_in_a_signed_token_is_nobody(self, api: ControlApp) -> None:
        for what, text in HOSTILE.items():
            headers = {
                "Authorization": f"Bearer {SECRET}",
                "X-Grafana-Id": api.grafana.token(f"master-1{text}"),
            }
            answer = api.client.post(f"{BOARD}/agents/1002/pause", json={}, headers=headers)
            assert (answer.status_code, error_of(answer)) == (401, "unauthenticated"), what

    def test_a_hostile_event_id_is_none(self, api: ControlApp, master: People) -> None:
        for what, text in HOSTILE.items():
            value = text.encode(errors="surrogatepass").decode("latin-1")
            environ = {f"HTTP_{name.upper().replace('-', '_')}": value_ for name, value_ in master().items()}
            answer = api.client.get(
                f"{BOARD}/stream", environ_overrides={**environ, "HTTP_LAST_EVENT_ID": value}
            )
            told = b"".join(itertools.islice(answer.iter_encoded(), 2))
            answer.close()
            assert b"event: snapshot" in told, what
            assert b"EVIL" not in told, what

    def test_head_leaves_no_stream_open(self, api: ControlApp, master: People) -> None:
        answer = api.client.head(f"{BOARD}/stream", headers=master())
        answer.close()
        assert (answer.status_code, answer.data) == (200, b"")
        assert api.services.subscribers.streams() == []

    def test_what_is_asked_for_by_nobody_is_harmless_in_the_log(
        self, api: ControlApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        for text in HOSTILE.values():
            name = quote(text.encode(errors="surrogatepass"), safe="")
            environ = {"REMOTE_ADDR": f"127.0.1.{len(caplog.records) % 250}"}
            answer = api.client.post(f"{BOARD}/agents/{name}/pause", json={}, environ_overrides=environ)
            assert error_of(answer) == "unauthenticated"
        assert caplog.records
        assert all(record.getMessage().isprintable() for record in caplog.records)


# --- through a socket -----------------------------------------------------------------------------------


@dataclass
class Served:
    """The control API as a process under gunicorn, with the exporter, and the switchboard of both."""

    api: ControlProcess
    board: QueueSwitchboard
    grafana: GrafanaKeys

    def raw(self, *lines: str | bytes, body: bytes = b"") -> bytes:
        """The answer to these bytes: a request line and headers, each ended as it should be; then a body."""
        encoded = [line if isinstance(line, bytes) else line.encode("latin-1") for line in lines]
        return self.send(b"".join(line + b"\r\n" for line in [*encoded, b"Connection: close", b""]) + body)

    def send(self, data: bytes) -> bytes:
        """The answer to exactly these bytes, after which nothing more comes."""
        with closing(socket.create_connection(("127.0.0.1", self.api.port), timeout=10)) as connection:
            received = b""
            with suppress(OSError):  # what nobody wants to read the rest of is cut off
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    received += piece
            return received

    @property
    def secret(self) -> str:
        return f"Authorization: Bearer {self.api.route_secret}"

    def identity(self, login: str = "master") -> list[str]:
        """Headers of a person."""
        return ["Host: x", self.secret, f"X-Grafana-Id: {self.grafana.token(login)}"]

    def received(self) -> bytes:
        """All that the switchboard has received."""
        return self.board.do(lambda: self.board.server.received)

    def is_ready(self) -> bool:
        """Whether actions can be done."""
        state = self.raw("GET /v1/switchboards/milano/state HTTP/1.1", *self.identity())
        return b'"1002"' in state and self.api.ask("GET", "/readyz").status == 200


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    profiles = {"tenants": {"default": {"profiles": {"all": {
        "switchboards": ["*"],
        "members": [{"login": "master", "role": "master"}, {"login": "viewer", "role": "viewer"}],
    }}}}}  # fmt: skip
    with GrafanaKeys() as grafana, QueueSwitchboard(queues()) as board:
        board.server.queue_status = [ami.queue_params("sales"), ami.queue_member("sales", "PJSIP/1002")]
        server = board.server
        settings = {
            "host": "127.0.0.1", "port": server.port, "username": server.username, "secret": server.secret,
        }  # fmt: skip
        control = {"username": server.username, "secret": server.secret}
        identity = {"url": grafana.url, "identity": ["id_token", "context", "user_header"]}
        with (
            ExporterProcess(folder, {"milano": settings}) as exporter,
            ControlProcess(
                folder / "control",
                {"milano": settings | {"control": control}},
                exporter=exporter,
                profiles=profiles,
                grafana=identity,
            ) as api,
        ):
            running = Served(api, board, grafana)
            wait_until(running.is_ready, 20, "actions can be done")
            yield running


@pytest.fixture
def untouched(served: Served) -> Iterator[None]:
    """At the end the switchboard has received nothing, the server lives, and has had no fault."""
    before = len(served.received())
    yield
    assert only_looks(served.received()[before:])
    assert served.api.ask("GET", "/healthz").status == 200
    assert "Traceback" not in served.api.tail(1000)


def only_looks(received: bytes) -> bool:
    """Whether there is nothing but what both services ask by themselves."""
    frames = [frame.split(b"\r\n")[0] for frame in received.split(b"\r\n\r\n") if frame]
    return set(frames) <= {b"Action: Ping", b"Action: QueueStatus"}


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer.split(b" ", 2)[1])


ME = "GET /v1/me HTTP/1.1"
PAUSE = f"POST {BOARD}/agents/1002/pause HTTP/1.1"
OF_JSON = "Content-Type: application/json"

REQUEST_LINES: dict[str, tuple[bytes, set[int]]] = {
    "a line break": (b"POST /v1/switchboards/milano/agents/1002\r\nX: y/pause HTTP/1.1", {400}),
    "LF": (b"POST /v1/switchboards/milano/agents/1002\nX: y/pause HTTP/1.1", {400, 422}),
    "CR": (b"POST /v1/switchboards/milano/agents/10\r02/pause HTTP/1.1", {400, 422}),
    "a tab": (b"POST /v1/switchboards/milano/agents/10\t02/pause HTTP/1.1", {400, 422}),
    "NUL": (b"POST /v1/switchboards/milano/agents/10\x0002/pause HTTP/1.1", {400, 422}),
    "ESC": (b"POST /v1/switchboards/milano/agents/10\x1b02/pause HTTP/1.1", {400, 422}),
    "a blank": (b"POST /v1/switchboards/milano/agents/10 02/pause HTTP/1.1", {400, 404}),
    "no UTF-8": (b"POST /v1/switchboards/milano/agents/10\xff02/pause HTTP/1.1", {400, 404}),
    "encoded": (b"POST /v1/switchboards/milano/agents/1002%0d%0aAction:%20x/pause HTTP/1.1", {422}),
    "encoded twice": (b"POST /v1/switchboards/milano/agents/1002%250d%250a/pause HTTP/1.1", {404}),
    "too long": (b"POST /v1/switchboards/milano/agents/" + b"1" * 9000 + b"/pause HTTP/1.1", {400, 414}),
    "another host": (b"POST http://evil/v1/switchboards/milano/agents/1001/pause HTTP/1.1", {400, 404}),
    "no HTTP": (b"Action: QueueRemove", {400}),
    "a made-up method": (b"PAUSE /v1/switchboards/milano/agents/1002/pause HTTP/1.1", {400, 405}),
}


@pytest.mark.usefixtures("untouched")
class TestRequestLine:
    @pytest.mark.parametrize("what", REQUEST_LINES)
    def test_refused(self, served: Served, what: str) -> None:
        line, statuses = REQUEST_LINES[what]
        answer = served.raw(line, *served.identity(), OF_JSON, "Content-Length: 2", body=b"{}")
        assert status_of(answer) in statuses, answer[:300]


@pytest.mark.usefixtures("untouched")
class TestRawHeaders:
    def test_who_is_who(self, served: Served) -> None:
        """Or the tests below could not fail."""
        answer = served.raw(ME, *served.identity())
        assert (status_of(answer), b"grafana:master" in answer) == (200, True)
        answer = served.raw(ME, "Host: x", served.secret, "X-Grafana-User: viewer")
        assert (status_of(answer), b"grafana:viewer" in answer) == (200, True)

    @pytest.mark.parametrize(
        "name",
        ["X_Grafana_Id", "X-Grafana_Id", "x_grafana-id", "X Grafana Id", "X-Grafana-Id ", "X.Grafana.Id"],
    )
    def test_another_name_is_another_header(self, served: Served, name: str) -> None:
        answer = served.raw(ME, "Host: x", served.secret, f"{name}: {served.grafana.token('master')}")
        assert status_of(answer) in (400, 401), answer[:300]

    @pytest.mark.parametrize("name", ["X_Grafana_User", "X_Grafana_Context", "HTTP_X_GRAFANA_USER"])
    def test_another_name_does_not_change_who_it_is(self, served: Served, name: str) -> None:
        value = context_header("master") if "Context" in name else "master"
        answer = served.raw(ME, "Host: x", served.secret, "X-Grafana-User: viewer", f"{name}: {value}")
        assert (status_of(answer), b"grafana:viewer" in answer) == (200, True)

    def test_underscores_do_not_authorize(self, served: Served) -> None:
        secret = served.secret.replace("Authorization", "_Authorization")
        answer = served.raw(ME, "Host: x", secret, "X-Grafana-User: master")
        assert status_of(answer) == 401

    def test_twice(self, served: Served) -> None:
        host, secret, token = served.identity()
        context = f"X-Grafana-Context: {context_header('master')}"
        for lines in (
            [host, secret, token, token],
            [host, secret, secret, token],
            [host, secret, "Authorization: Bearer x", token],
            [host, secret, context, context],
            [host, secret, "X-Grafana-User: viewer", "X-Grafana-User: master"],
            [host, secret, "X-Grafana-User: master", "x-grafana-user: "],
        ):
            assert status_of(served.raw(ME, *lines)) == 401, lines

    @pytest.mark.parametrize(
        "cut", [b"\r", b"\n", b"\x00", b"\r\n ", b"\x85", b"\xe2\x80\xa8", b"\x0b", b"\xff"]
    )
    @pytest.mark.parametrize("name", ["X-Grafana-User", "Authorization", "X-Grafana-Context", "X-Grafana-Id"])
    def test_what_ends_a_value(self, served: Served, name: str, cut: bytes) -> None:
        """The rest is no header, and whoever is named by half a value is nobody."""
        values = {
            "X-Grafana-User": "master",
            "Authorization": served.secret.partition(": ")[2],
            "X-Grafana-Context": context_header("master"),
            "X-Grafana-Id": served.grafana.token("master"),
        }
        value = values[name].encode("latin-1")
        others = ["Host: x"] if name == "Authorization" else ["Host: x", served.secret]
        header = name.encode() + b": " + value[:-2] + cut + b"X-Evil: 1" + value[-2:]
        answer = served.raw(ME, *others, header)
        assert status_of(answer) in (400, 401), answer[:300]

    def test_too_many_or_too_long(self, served: Served) -> None:
        many = [f"X-{number}: y" for number in range(100)]
        assert status_of(served.raw(ME, *served.identity(), *many)) in (400, 431)
        assert status_of(served.raw(ME, *served.identity(), "X-Long: " + "y" * 40_000)) in (400, 431)

    def test_a_hostile_event_id(self, served: Served) -> None:
        lines = [f"GET {BOARD}/stream HTTP/1.1", *served.identity(), "Last-Event-ID: EVIL\u00e2\u0080\u00a8"]
        with closing(socket.create_connection(("127.0.0.1", served.api.port), timeout=10)) as connection:
            connection.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1"))
            told = b""
            while b"event: snapshot" not in told:
                piece = connection.recv(65536)
                assert piece, told
                told += piece
        assert b"EVIL" not in told


def refused_pauses(served: Served) -> float:
    samples = parse_samples(str(served.api.ask("GET", "/metrics").body))
    name = "asterpanel_control_requests_total"
    return of(samples, name, endpoint="pause", result="invalid_request") or 0.0


CHUNKED = "Transfer-Encoding: chunked"

BAD_LENGTHS: dict[str, tuple[list[str], bytes, set[int]]] = {
    "no number": (["Content-Length: two"], b"{}", {400}),
    "negative": (["Content-Length: -2"], b"{}", {400}),
    "signed": (["Content-Length: +2"], b"{}", {400}),
    "twice": (["Content-Length: 2", "Content-Length: 3"], b"{} ", {400}),
    "more than there is": (["Content-Length: 100"], b"{}", {400, 422}),
    "more than there may be": (["Content-Length: 300000"], b'{"reason": "' + b"x" * 299_986 + b'"}', {413}),
    "huge": ([f"Content-Length: {10**30}"], b"{}", {400, 413}),
    "both": (["Content-Length: 2", CHUNKED], b"2\r\n{}\r\n0\r\n\r\n", {400}),
    "chunks that are none": ([CHUNKED], b"zz\r\n{}\r\n0\r\n\r\n", {400, 422}),
    "a chunk that is cut off": ([CHUNKED], b"10\r\n{}", {400, 422}),
    "no last chunk": ([CHUNKED], b"2\r\n{}\r\n", {400, 422}),
    "a negative chunk": ([CHUNKED], b"-2\r\n{}\r\n0\r\n\r\n", {400, 422}),
    "too many chunks": (
        [CHUNKED],
        b"2\r\n{}\r\n" + (b"8000\r\n" + b" " * 0x8000 + b"\r\n") * 10 + b"0\r\n\r\n",
        {413},
    ),
    "an unknown encoding": (["Transfer-Encoding: identity, x"], b"{}", {400, 501}),
    "twice encoded": (["Transfer-Encoding: chunked, chunked"], b"2\r\n{}\r\n0\r\n\r\n", {400, 501}),
}


class TestLengths:
    @pytest.mark.usefixtures("untouched")
    @pytest.mark.parametrize("what", BAD_LENGTHS)
    def test_refused(self, served: Served, what: str) -> None:
        headers, body, statuses = BAD_LENGTHS[what]
        answer = served.raw(PAUSE, *served.identity(), OF_JSON, *headers, body=body)
        assert (statuses == {413} and not answer) or status_of(answer) in statuses, answer[:300]

    @pytest.mark.usefixtures("untouched")
    def test_what_comes_after_the_body_is_no_action(self, served: Served) -> None:
        """Neither as a request of its own without identity, nor as AMI."""
        rest = b"Action: QueueRemove\r\nQueue: sales\r\nInterface: PJSIP/1002\r\n\r\n"
        head = "\r\n".join([ME, *served.identity(), "Content-Length: 0", "", ""]).encode()
        answers = served.send(head + rest)
        assert [status_of(b"HTTP/1.1 " + one) for one in answers.split(b"HTTP/1.1 ")[1:]] in (
            [200],
            [200, 400],
        )

    @pytest.mark.usefixtures("untouched")
    def test_who_goes_in_the_middle_is_no_fault_of_ours(self, served: Served) -> None:
        head = "\r\n".join(
            [PAUSE, *served.identity(), OF_JSON, "Content-Length: 50", "", '{"reason": ']
        ).encode()
        before = refused_pauses(served)

        def one_was_refused() -> bool:
            """If it was not reset before anything of it was read."""
            with closing(socket.create_connection(("127.0.0.1", served.api.port), timeout=10)) as connection:
                connection.sendall(head)
                assert status_of(served.raw(ME, *served.identity())) == 200
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return refused_pauses(served) > before

        wait_until(one_was_refused, 20, "one is refused")

    def test_chunks_that_are_right(self, served: Served) -> None:
        """Or the tests above could not fail."""
        body = b'c\r\n{"reason": "\r\n8\r\nChunked"\r\n1\r\n}\r\n0\r\n\r\n'
        answer = served.raw(PAUSE, *served.identity(), OF_JSON, CHUNKED, body=body)
        assert status_of(answer) == 200, answer
        assert b"Reason: Chunked\r\n" in served.received()


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("rest", ["", '\r\n\r\n{"reason": '], ids=["headers", "body"])
def test_who_sends_half_a_request_keeps_nobody_out_for_long(served: Served, rest: str) -> None:
    """More of them than there are threads, and for longer than anything else here takes."""
    head = "\r\n".join([PAUSE, *served.identity(), OF_JSON, "Content-Length: 50"]) + rest
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", served.api.port), timeout=60))
            for _ in range(StreamSettings().max_streams + THREADS_FOR_REQUESTS + 20)
        ]
        for connection in slow:
            connection.sendall(head.encode())
        wait_until(lambda: served.raw(ME, *served.identity()).startswith(b"HTTP/1.1 200"), 30, "an answer")
        with suppress(ConnectionResetError):
            slow[0].recv(65536)  # and they are given up
    assert "Traceback" not in served.api.tail()


@pytest.mark.usefixtures("untouched")
def test_who_sends_a_request_in_drops_is_given_up(served: Served) -> None:
    """However often he sends something."""
    with ExitStack() as stack:
        slow = stack.enter_context(socket.create_connection(("127.0.0.1", served.api.port), timeout=60))
        slow.sendall(f"{PAUSE}\r\nHost: x\r\nX-Drops: ".encode())

        def is_given_up() -> bool:
            try:
                slow.sendall(b"x")
                return slow.recv(1, socket.MSG_DONTWAIT) == b""
            except BlockingIOError:
                return False
            except ConnectionError:
                return True

        wait_until(is_given_up, ARRIVES_WITHIN_S + 15, "the connection is ended")


# --- faults ---------------------------------------------------------------------------------------------


def test_a_fault_of_ours_tells_nothing_of_the_inside(
    api: ControlApp, master: People, caplog: pytest.LogCaptureFixture
) -> None:
    """A live state that lacks what it always has: a mistake of ours in the middle of an action."""
    document = api.board.document()
    del document["queues"]["sales"]["members"]["1002"]["interface"]
    api.board.boards.replace({"milano": document}, {"milano": time.time()})
    answer = send(api, master, BODIES["reason of a pause"]("Lunch"))
    assert answer.status_code == 500
    assert answer.json == {
        "error": {
            "id": "internal", "message": "an error of the control API itself; its log has more", "detail": {},
        }
    }  # fmt: skip
    assert "KeyError: 'interface'" in caplog.text
    assert SECRET not in caplog.text
    assert api.board.actions == []
