"""Routes and server: ``/metrics``, ``/healthz``, ``/readyz``, ``/state``, ``/state/stream``, ``/actions`` and
the status page.

Nothing here ever asks a switchboard anything: every answer comes from what the exporter knows already.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import aiohttp.web_response
from aiohttp import web

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.web.access import StateAccess
from asterpanel_exporter.web.actions import MAX_BODY_BYTES, ActionIntake, RecordActions
from asterpanel_exporter.web.answers import (
    SERVER,
    ApiError,
    answer,
    encode,
    encode_mapping,
    errors_as_json,
    set_common_headers,
)
from asterpanel_exporter.web.stream import Broadcaster, Reader, StreamSettings, TooManyStreams
from asterpanel_switchboard.config import Config
from asterpanel_switchboard.config.values import format_address
from asterpanel_switchboard.session import SessionState

_log = logging.getLogger(__name__)

Exposition = Callable[[str], Awaitable[tuple[bytes, str]]]
"""From an ``Accept`` header to the metrics: body and content type."""

STATIC = Path(__file__).with_name("static")
MAX_LINE_BYTES = 8190
SHUTDOWN_S = 3.0
"""How long answers that have begun may take when the server stops; streams end at once."""

_CHUNK_BYTES = 64 * 1024


class Session(Protocol):
    """A connection as far as it is shown; see `asterpanel_switchboard.session.AmiSession`."""

    @property
    def state(self) -> SessionState: ...
    @property
    def since(self) -> float: ...
    @property
    def problem(self) -> str: ...


class Watch(Protocol):
    """See `asterpanel_exporter.supervisor.Watch`."""

    @property
    def session(self) -> Session: ...


class Exporter(Protocol):
    """What is served; see `asterpanel_exporter.supervisor.Exporter`."""

    @property
    def config(self) -> Config: ...
    @property
    def switchboards(self) -> Mapping[str, LiveSwitchboard]: ...
    @property
    def watches(self) -> Mapping[str, Watch]: ...
    @property
    def wall_clock(self) -> Callable[[], float]: ...


EXPORTER: web.AppKey[Exporter] = web.AppKey("exporter")
EXPOSITION: web.AppKey[Exposition] = web.AppKey("exposition")
BROADCASTER: web.AppKey[Broadcaster] = web.AppKey("broadcaster", Broadcaster)


def create_app(
    exporter: Exporter,
    exposition: Exposition,
    streams: StreamSettings | None = None,
    record_actions: RecordActions | None = None,
) -> web.Application:
    """The web application.

    Args:
        exporter: whose state is served.
        exposition: renders the metrics.
        streams: limits of ``/state/stream``; default: `StreamSettings`.
        record_actions: writes what comes to ``/actions``; None: nothing keeps it, and it is turned away.
    """
    app = web.Application(middlewares=[errors_as_json], client_max_size=MAX_BODY_BYTES)
    app[EXPORTER] = exporter
    app[EXPOSITION] = exposition
    app[BROADCASTER] = Broadcaster(exporter.switchboards, exporter.wall_clock, streams or StreamSettings())
    access = StateAccess(exporter.config.exporter)
    app.router.add_get("/", _page)
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/healthz", _health)
    app.router.add_get("/readyz", _ready)
    app.router.add_get("/state", access.guard(_state))
    app.router.add_get("/state/stream", access.guard(_stream), allow_head=False)
    app.router.add_get("/state/{switchboard}", access.guard(_state_of_one))
    actions = ActionIntake(exporter.switchboards, record_actions)
    app.router.add_post("/actions", access.guard(actions.take, token_only=True))
    app.router.add_static("/static", STATIC)
    app.on_response_prepare.append(set_common_headers)
    app.on_shutdown.append(_end_streams)
    return app


async def serve(
    exporter: Exporter,
    exposition: Exposition,
    *,
    streams: StreamSettings | None = None,
    record_actions: RecordActions | None = None,
    on_listening: Callable[[str], None] | None = None,
) -> None:
    """Serve on ``config.exporter.listen`` until cancelled, then end all streams and close.

    Args:
        exporter: whose state is served.
        exposition: renders the metrics.
        streams: limits of ``/state/stream``; default: `StreamSettings`.
        record_actions: see `create_app`.
        on_listening: told the URL as soon as connections are accepted; with port 0 the real port.

    Raises:
        OSError: the address cannot be had.
    """
    # Malformed requests are answered by aiohttp itself, past `set_common_headers`, with its version.
    aiohttp.web_response.SERVER_SOFTWARE = SERVER  # type: ignore[attr-defined]
    runner = web.AppRunner(
        create_app(exporter, exposition, streams, record_actions),
        access_log=None,
        handler_cancellation=True,  # a client who hangs up frees his stream at once
        shutdown_timeout=SHUTDOWN_S,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_LINE_BYTES,
        auto_decompress=False,
    )
    await runner.setup()
    listen = exporter.config.exporter.listen
    try:
        await web.TCPSite(runner, listen.host, listen.port).start()
        urls = [f"http://{format_address(*address[:2])}/" for address in runner.addresses]
        _log.info("serving on %s", ", ".join(urls))
        if on_listening is not None:
            on_listening(urls[0])
        await asyncio.get_running_loop().create_future()
    finally:
        await runner.cleanup()


async def _end_streams(app: web.Application) -> None:
    await app[BROADCASTER].close()


async def _page(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})


async def _metrics(request: web.Request) -> web.Response:
    body, content_type = await request.app[EXPOSITION](request.headers.get("Accept", ""))
    return await answer(request, body, content_type, vary="Accept")


async def _health(request: web.Request) -> web.Response:
    return await answer(request, encode({"status": "ok"}))


async def _ready(request: web.Request) -> web.Response:
    exporter = request.app[EXPORTER]
    ready = any(live.up for live in exporter.switchboards.values())
    boards = {
        name: _readiness(live, exporter.watches[name].session) for name, live in exporter.switchboards.items()
    }
    return await answer(
        request, encode({"ready": ready, "switchboards": boards}), status=200 if ready else 503
    )


def _readiness(live: LiveSwitchboard, session: Session) -> dict[str, Any]:
    """State of one connection: open to all, so nothing of callers or agents is in it."""
    known = {} if not live.state.as_of else {"as_of": round(live.state.as_of, 6)}
    return {
        "session": session.state.value,
        "up": live.up,
        "since": round(session.since, 3),
        "problem": session.problem,
        "version": live.version,
        **known,
    }


async def _state(request: web.Request) -> web.Response:
    exporter = request.app[EXPORTER]
    documents = []
    for name, live in exporter.switchboards.items():
        documents.append((name, encode(live.document(exporter.wall_clock()))))
        await asyncio.sleep(0)  # let events be handled between two switchboards
    return await answer(request, encode_mapping([("switchboards", encode_mapping(documents))]))


async def _state_of_one(request: web.Request) -> web.Response:
    exporter = request.app[EXPORTER]
    live = exporter.switchboards[_known(exporter, request.match_info["switchboard"])]
    return await answer(request, encode(live.document(exporter.wall_clock())))


def _known(exporter: Exporter, name: str) -> str:
    if name not in exporter.switchboards:
        raise ApiError(404, "unknown_switchboard", f"there is no switchboard {name!r}")
    return name


async def _stream(request: web.Request) -> web.StreamResponse:
    exporter, broadcaster = request.app[EXPORTER], request.app[BROADCASTER]
    asked = [_known(exporter, name) for name in request.query.getall("switchboard", [])]
    try:
        reader = broadcaster.subscribe(asked or exporter.switchboards)
    except TooManyStreams:
        raise ApiError(
            503, "too_many_streams", "no further stream of the state is possible now", {"Retry-After": "10"}
        ) from None
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    try:
        _notice_dead_peer(request, broadcaster.settings.write_timeout_s)
        await response.prepare(request)
        await _send_events(request, response, reader, broadcaster.settings.write_timeout_s)
    except ConnectionError:
        _log.debug("a stream's reader is gone")
    finally:
        broadcaster.unsubscribe(reader)
    return response


async def _send_events(
    request: web.Request, response: web.StreamResponse, reader: Reader, timeout_s: float
) -> None:
    while (event := await reader.next()) is not None:
        try:
            # In pieces: a slow reader of a large snapshot makes progress, and holds no copy of it all.
            for start in range(0, len(event), _CHUNK_BYTES):
                async with asyncio.timeout(timeout_s):
                    await response.write(event[start : start + _CHUNK_BYTES])
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("the reader of a stream takes nothing") from None


def _notice_dead_peer(request: web.Request, timeout_s: float) -> None:
    """Let the kernel drop a reader who vanished without a word: small events would fit its buffers."""
    connection = request.get_extra_info("socket")
    if sys.platform == "linux" and connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(timeout_s * 1000))
