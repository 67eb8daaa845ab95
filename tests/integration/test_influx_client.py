"""The write client's connection: TLS that is verified, servers that do not answer, the token's header."""

from __future__ import annotations

import contextlib
import gzip
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from asterpanel_exporter.influx.answers import FailureKind, WriteError
from asterpanel_exporter.influx.client import WriteClient
from asterpanel_switchboard.config import InfluxConfig
from tests.certificates import Certificate, make_certificate


class Server(ThreadingHTTPServer):
    """Acknowledges every write and keeps what came in."""

    daemon_threads = True

    def __init__(self) -> None:
        self.received: list[tuple[str, str, bytes]] = []
        self.silent = threading.Event()
        self.released = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.received.append((self.path, self.headers.get("Authorization", ""), body))
                if not server.silent.is_set():
                    self.send_response(204)
                    self.end_headers()
                else:
                    self.close_connection = True
                    server.released.wait()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, *_: object) -> None:
        """Broken handshakes are what the tests want."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.released.set()
    made.shutdown()
    made.server_close()


@contextlib.contextmanager
def client(url: str, **more: Any) -> Iterator[WriteClient]:
    config = InfluxConfig(url=url, token=SecretStr("s3cret"), **more)
    made = WriteClient(config, config.target_for("acme"))
    try:
        yield made
    finally:
        made.close()


def failure(writer: WriteClient) -> WriteError:
    with pytest.raises(WriteError) as caught:
        writer.write(["m v=1"])
    assert "s3cret" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__cause__}"
    return caught.value


def test_lines_arrive_packed_with_the_token(server: Server) -> None:
    with client(f"http://127.0.0.1:{server.server_port}/behind/a/proxy") as writer:
        writer.write(["m v=1 1", "m v=2 2"])
        writer.write([])
    (path, token, body), (_, _, empty) = server.received
    assert path == "/behind/a/proxy/api/v2/write?org=asterpanel&bucket=asterpanel-acme&precision=ns"
    assert token == "Token s3cret"
    assert gzip.decompress(body) == b"m v=1 1\nm v=2 2"
    assert gzip.decompress(empty) == b""


def test_lines_arrive_unpacked_if_so_wanted(server: Server) -> None:
    with client(f"http://127.0.0.1:{server.server_port}", gzip=False) as writer:
        writer.write(["m v=1 1"])
        writer.write([])
    assert [body for _, _, body in server.received] == [b"m v=1 1", b""]


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path / "pki", "IP:127.0.0.1")


@pytest.fixture
def encrypted(server: Server, certificate: Certificate) -> str:
    context: ssl.SSLContext = certificate.server_context()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return f"https://127.0.0.1:{server.server_port}"


def test_a_certificate_is_verified(encrypted: str, certificate: Certificate) -> None:
    with client(encrypted) as writer:
        error = failure(writer)
        assert error.kind is FailureKind.TLS
        assert "certificate verify failed" in error.message
    with client(encrypted, ca_file=certificate.authority) as writer:
        writer.write(["m v=1"])
    with client(encrypted, verify=False) as writer:
        writer.write(["m v=1"])
    with client(encrypted.replace("127.0.0.1", "localhost"), ca_file=certificate.authority) as writer:
        assert failure(writer).kind is FailureKind.TLS


def test_no_tls_where_it_is_expected(server: Server) -> None:
    with client(f"https://127.0.0.1:{server.server_port}") as writer:
        assert failure(writer).kind is FailureKind.TLS


def test_nobody_there(server: Server) -> None:
    with client("http://127.0.0.1:9") as writer:
        error = failure(writer)
    assert (error.kind, error.message) == (FailureKind.CONNECTION, "Connection refused")


def test_no_such_host() -> None:
    with client("http://nowhere.invalid") as writer:
        assert failure(writer).kind is FailureKind.CONNECTION


@pytest.mark.parametrize("tls", [False, True])
def test_silence_is_ended_by_the_time_out_or_by_an_abort(
    server: Server, request: pytest.FixtureRequest, tls: bool
) -> None:
    url = request.getfixturevalue("encrypted") if tls else f"http://127.0.0.1:{server.server_port}"
    verified = {"ca_file": request.getfixturevalue("certificate").authority} if tls else {}
    server.silent.set()
    with client(url, timeout=0.2, **verified) as writer:
        error = failure(writer)
        assert (error.kind, error.message) == (FailureKind.TIMEOUT, "no answer within 0.2 s")
    with client(url, timeout=60, **verified) as writer:
        threading.Timer(0.3, writer.abort).start()
        started = time.monotonic()
        assert failure(writer).kind in (FailureKind.CONNECTION, FailureKind.TLS)
        assert time.monotonic() - started < 5
