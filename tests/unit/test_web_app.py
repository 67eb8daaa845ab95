"""The web server but for its streams: health, metrics, who may read the state, errors, shutting down."""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
import time
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession

from asterpanel_exporter.state import ResyncReason
from asterpanel_exporter.web.access import WRONG_TOKENS_AT_ONCE
from asterpanel_exporter.web.answers import accepts_gzip
from asterpanel_switchboard.session import SessionState
from tests.unit.test_web_support import (
    HOSTILE_NAMES,
    NOW,
    OPEN,
    TOKEN,
    Clock,
    MemberLine,
    StreamClient,
    exporter_of,
    join,
    log_in,
    served,
)
from tests.waiting import eventually

STATE_PATHS = ("/state", "/state/milano", "/state/stream")
GUARDED = {"state_token": TOKEN}
NO_TOKEN: dict[str, Any] = {}


def bearer(token: str) -> dict[str, str]:
    """The header as a browser or curl would send the token: its bytes in UTF-8."""
    return {"Authorization": f"Bearer {token}"}


# --- health and metrics ---------------------------------------------------------------------------------


async def test_health_is_ok_without_any_switchboard() -> None:
    async with served(exporter_of()) as client, client.get("/healthz") as response:
        assert response.status == 200
        assert await response.json() == {"status": "ok"}


async def test_ready_when_one_switchboard_is_up() -> None:
    exporter = exporter_of("milano", "torino", exporter=NO_TOKEN)
    exporter.watches["torino"].session.state = SessionState.REFUSED
    exporter.watches["torino"].session.problem = "login as 'monitor' refused"
    async with served(exporter) as client:
        async with client.get("/readyz") as response:
            assert response.status == 503
            assert (await response.json())["ready"] is False
        log_in(exporter.switchboards["milano"], {"billing": [MemberLine("Alice", "1001")]})
        exporter.watches["milano"].session.state = SessionState.CONNECTED
        join(exporter.switchboards["milano"], "billing", "1.1", NOW + 1)
        async with client.get("/readyz") as response:
            assert response.status == 200
            text = await response.text()
            assert (await response.json()) == {
                "ready": True,
                "switchboards": {
                    "milano": {
                        "session": "connected", "up": True, "since": NOW, "problem": "", "version": "22",
                        "as_of": NOW + 1,
                    },
                    "torino": {
                        "session": "refused", "up": False, "since": NOW,
                        "problem": "login as 'monitor' refused", "version": "",
                    },
                },
            }  # fmt: skip
    for secret in ("390551001", "Anna", "Alice", "s3cret-of-ami"):
        assert secret not in text


async def test_metrics_by_negotiation_and_compressed() -> None:
    async with served(exporter_of()) as client:
        raw = {"Accept-Encoding": "gzip", "Accept": "application/openmetrics-text"}
        async with ClientSession(auto_decompress=False) as plain_client:
            async with plain_client.get(client._build_url("/metrics"), headers=raw) as response:
                assert response.headers["Content-Encoding"] == "gzip"
                assert response.content_type == "application/openmetrics-text"
                assert {part.strip() for part in response.headers["Vary"].split(",")} == {
                    "Accept-Encoding", "Accept",
                }  # fmt: skip
                compressed = await response.read()
        async with client.get("/metrics", headers={"Accept-Encoding": "identity"}) as response:
            assert "Content-Encoding" not in response.headers
            assert response.content_type == "text/plain"
            assert await response.read() == gzip.decompress(compressed)


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", False), ("gzip", True), ("GZip", True), ("deflate, gzip;q=0.5", True), ("gzip;q=0", False),
        ("gzip; q=0.000", False), ("*", True), ("*;q=0", False), ("*, gzip;q=0", False), ("br", False),
        ("x-gzip", True), ("gzip;q=often", False), ("identity;q=1, *;q=0", False),
    ],
)  # fmt: skip
def test_accept_encoding(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


# --- the state ------------------------------------------------------------------------------------------


async def test_state_of_all_and_of_one() -> None:
    clock = Clock()
    exporter = exporter_of("milano", "torino", clock=clock)
    live = exporter.switchboards["milano"]
    log_in(live, {"billing": [MemberLine("Alice", "1001")]})
    for number, name in enumerate(HOSTILE_NAMES):
        join(live, "billing", f"1.{number}", NOW + number, name=name)
    expected = {name: board.document(clock()) for name, board in exporter.switchboards.items()}
    async with served(exporter) as client:
        async with client.get("/state") as response:
            assert response.content_type == "application/json"
            assert response.headers["Cache-Control"] == "no-store"
            assert await response.json() == {"switchboards": expected}
        async with client.get("/state/milano") as response:
            document = await response.json()
    assert document == expected["milano"]
    shown = [caller["caller_name"] for caller in document["queues"]["billing"]["waiting"]]
    assert shown == list(HOSTILE_NAMES)


async def test_a_wrap_up_ends_by_time_alone() -> None:
    clock = Clock()
    exporter = exporter_of(clock=clock)
    live = exporter.switchboards["milano"]
    log_in(live, {"billing": [MemberLine("Alice", "1001")]})
    live.state.set_wrapup(live.state.agents["1001"], NOW + 30, NOW)
    async with served(exporter) as client:
        async with client.get("/state/milano") as response:
            assert (await response.json())["agents"]["1001"]["state"] == "wrapup"
        clock.now += 31
        async with client.get("/state/milano") as response:
            assert (await response.json())["agents"]["1001"]["state"] == "idle"


async def test_errors_are_json() -> None:
    async with served(exporter_of()) as client:
        for method, path, status, error_id in [
            ("GET", "/state/nowhere", 404, "unknown_switchboard"),
            ("GET", "/state/stream?switchboard=nowhere", 404, "unknown_switchboard"),
            ("GET", "/nothing", 404, "not_found"),
            ("GET", "/static/../app.py", 404, "not_found"),
            ("GET", "/static/%2e%2e/app.py", 404, "not_found"),
            ("POST", "/state", 405, "method_not_allowed"),
            ("PUT", "/metrics", 405, "method_not_allowed"),
        ]:
            async with client.request(method, path) as response:
                assert response.status == status, path
                error = (await response.json())["error"]
                assert error.keys() == {"id", "message"}
                assert error["id"] == error_id, path


async def test_asking_for_the_head_of_a_stream_opens_none() -> None:
    async with served(exporter_of()) as client, client.head("/state/stream") as response:
        assert response.status == 404


async def test_an_error_of_ours_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(accept: str) -> tuple[bytes, str]:
        raise RuntimeError("the inside")

    async with served(exporter_of(), metrics=broken) as client, client.get("/metrics") as response:
        assert response.status == 500
        assert (await response.json())["error"]["id"] == "internal"
        assert "the inside" not in await response.text()
    assert "the inside" in caplog.text


# --- who may --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", STATE_PATHS)
@pytest.mark.parametrize(
    ("settings", "headers", "status", "error_id"),
    [
        (GUARDED, {}, 401, "token_missing"),
        (GUARDED, bearer("wrong"), 401, "token_wrong"),
        (GUARDED, bearer(TOKEN + "x"), 401, "token_wrong"),
        (GUARDED, bearer(TOKEN[:-1]), 401, "token_wrong"),
        (GUARDED, {"Authorization": "Bearer"}, 401, "token_missing"),
        (GUARDED, {"Authorization": "Bearer  "}, 401, "token_missing"),
        (GUARDED, {"Authorization": f"Basic {TOKEN}"}, 401, "token_missing"),
        (GUARDED, {"Authorization": TOKEN}, 401, "token_missing"),
        (GUARDED, {"X-Token": TOKEN}, 401, "token_missing"),
        (GUARDED, bearer(TOKEN), 200, None),
        (GUARDED, {"Authorization": f"bearer   {TOKEN} "}, 200, None),
        (NO_TOKEN, {}, 403, "no_token_configured"),
        (NO_TOKEN, bearer(""), 403, "no_token_configured"),
        (NO_TOKEN, bearer("anything"), 403, "no_token_configured"),
        (OPEN, {}, 200, None),
        (OPEN, bearer("anything"), 200, None),
        (OPEN, {"Host": "localhost:9977"}, 200, None),
        (OPEN, {"Host": "[::1]:9977"}, 200, None),
        (OPEN, {"Host": "127.0.0.1"}, 200, None),
        (OPEN, {"Host": "evil.example:9977"}, 403, "foreign_host"),
        (OPEN, {"Host": "localhost.evil.example"}, 403, "foreign_host"),
        (OPEN, {"Host": "127.0.0.1.evil.example"}, 403, "foreign_host"),
    ],
)
async def test_who_may_read_the_state(
    path: str, settings: dict[str, Any], headers: dict[str, str], status: int, error_id: str | None
) -> None:
    exporter = exporter_of(exporter=settings)
    async with served(exporter) as client, client.get(path, headers=headers) as response:
        assert response.status == status
        assert ("WWW-Authenticate" in response.headers) is (status == 401)
        if error_id is not None:
            assert (await response.json())["error"]["id"] == error_id


async def test_a_token_in_the_address_counts_for_nothing() -> None:
    async with served(exporter_of(exporter=GUARDED)) as client:
        async with client.get("/state", params={"token": TOKEN, "access_token": TOKEN}) as response:
            assert response.status == 401


async def test_wrong_tokens_are_slow_and_few_while_the_right_one_is_not() -> None:
    async with served(exporter_of(exporter=GUARDED)) as client:

        async def status(token: str) -> int:
            async with client.get("/state", headers=bearer(token)) as response:
                return response.status

        guesses = [asyncio.create_task(status(f"guess {number}")) for number in range(40)]
        await asyncio.wait(guesses, return_when=asyncio.FIRST_COMPLETED)
        begun = time.monotonic()
        assert await status(TOKEN) == 200
        assert time.monotonic() - begun < 0.2
        statuses = await asyncio.gather(*guesses)
        assert statuses.count(401) >= WRONG_TOKENS_AT_ONCE
        assert statuses.count(401) + statuses.count(429) == 40
        assert statuses.count(429) > 0


# --- headers --------------------------------------------------------------------------------------------


async def test_the_page_may_load_nothing_from_elsewhere() -> None:
    async with served(exporter_of(exporter=NO_TOKEN)) as client:
        async with client.get("/") as response:
            assert response.status == 200
            assert response.content_type == "text/html"
            page = await response.text()
            policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'; ")
        assert "unsafe" not in policy
        assert not re.search(r"(?i)<style|style=|\son\w+=|<script(?![^>]*\ssrc=)|https?:", page)
        for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
            async with client.get(path) as response:
                assert response.status == 200
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert "ETag" in response.headers


async def raw_answer(client: ClientSession, request: bytes) -> str:
    """What the server says to bytes that need not be HTTP."""
    url = client._build_url("/")
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(request)
    try:
        async with asyncio.timeout(10):
            return (await reader.read()).decode()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        (b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"NOT HTTP AT ALL\r\n\r\n", 400),
        (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 20000 + b"\r\n\r\n", 400),
    ],
)
async def test_the_server_does_not_tell_its_versions(request_bytes: bytes, status: int) -> None:
    async with served(exporter_of()) as client:
        answer = await raw_answer(client, request_bytes)
    assert answer.startswith((f"HTTP/1.1 {status} ", f"HTTP/1.0 {status} "))
    assert "\r\nServer: asterpanel\r\n" in answer
    assert "aiohttp" not in answer


# --- start and end --------------------------------------------------------------------------------------


async def test_the_address_really_bound_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "asterpanel_exporter"):
        async with served(exporter_of()) as client:
            url = str(client._build_url("/"))
    messages = [record.getMessage() for record in caplog.records if "serving" in record.getMessage()]
    assert messages == [f"serving on {url}"]
    assert not url.endswith(":0/")


async def test_an_address_in_use_is_an_error_at_once() -> None:
    async with served(exporter_of()) as client:
        taken = client._build_url("/").port
        with pytest.raises(OSError, match="address already in use"):
            async with served(exporter_of(exporter={"listen": f"127.0.0.1:{taken}", **OPEN})):
                pass


async def test_shutting_down_ends_streams_and_does_not_wait_for_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    exporter = exporter_of("milano")
    log_in(exporter.switchboards["milano"])
    async with aiohttp.ClientSession() as outside:
        async with served(exporter) as client:
            url = client._build_url("/state/stream")
            responses = [await outside.get(url) for _ in range(3)]
            streams = [StreamClient(response) for response in responses]
            for stream in streams:
                assert (await stream.step()).kind == "snapshot"
            begun = time.monotonic()
        assert time.monotonic() - begun < 2.0
        for stream in streams:
            with pytest.raises(StopAsyncIteration):
                await stream.step()
        with pytest.raises(aiohttp.ClientConnectorError):
            await outside.get(url)
    await eventually(lambda: not [task for task in asyncio.all_tasks() if "broadcaster" in task.get_name()])
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_switchboard_without_queues_is_ready() -> None:
    exporter = exporter_of()
    live = exporter.switchboards["milano"]
    live.connected("5.0.1")
    live.no_queues(ResyncReason.CONNECTED, NOW)
    async with served(exporter) as client, client.get("/readyz") as response:
        body = await response.json()
        assert response.status == 200
        assert body["switchboards"]["milano"]["version"] == "16"
        assert body["switchboards"]["milano"]["as_of"] == NOW
