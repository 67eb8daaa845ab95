"""The connection to the exporter: its stream of the live state, kept up for ever, and requests to it.

It lives in a thread of its own with an event loop. Nothing here knows more of the exporter than its HTTP
interface.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import logging
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
from pydantic import SecretStr

from asterpanel_control_api.live.boards import Boards
from asterpanel_control_api.live.server_sent_events import EventParser, EventTooLarge, ServerSentEvent
from asterpanel_switchboard.session import Backoff, DisconnectReason

_log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
SILENCE_S = 15.0
"""The exporter sends a heartbeat every five seconds: after so long without a byte its stream is dead."""

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""A snapshot of 20,000 memberships has some five megabytes."""

MAX_ANSWER_BYTES = 64 * 1024


class ExporterUnavailable(Exception):
    """A request got no answer; says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The exporter's answer to a request. ``error``: id and message, "" if it is none."""

    status: int
    error: str = ""


class _Lost(Exception):
    """The stream has ended, or could not begin."""

    def __init__(self, reason: DisconnectReason, what: str) -> None:
        super().__init__(what)
        self.reason = reason


class ExporterClient:
    """Feeds the boards from the exporter's stream.

    Args:
        url: of the exporter, without a path of ours.
        token: its state token; None if it wants none.
        boards: what is filled.
        silence_s: how long the stream may say nothing.

    Attributes:
        connected: whether the stream is open and has told its snapshot.
        problem: why it is not, in words; "" if it is.
        since: when either began, in Unix seconds.
    """

    def __init__(
        self, url: str, token: SecretStr | None, boards: Boards, *, silence_s: float = SILENCE_S
    ) -> None:
        self.connected = False
        self.problem = "not connected yet"
        self.since = time.time()
        self._url = url.rstrip("/")
        self._token = token
        self._boards = boards
        self._silence_s = silence_s
        self._told: set[DisconnectReason] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self._started = threading.Event()

    def start(self) -> None:
        """Begin. Not before a fork: a thread does not survive it."""
        self._thread = threading.Thread(target=self._main, name="exporter-client", daemon=True)
        self._thread.start()
        self._started.wait()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the stream and the thread. Requests that wait for an answer fail."""
        if self._thread is None or self._loop is None or self._task is None:
            return
        with suppress(RuntimeError):  # the loop is closed: it has ended by itself
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(timeout_s)

    def post(self, path: str, body: object, timeout_s: float = 5.0) -> Answer:
        """Send JSON and wait for the answer; for any other thread.

        Raises:
            ExporterUnavailable: there is none.
        """
        if self._loop is None or self._session is None:
            raise ExporterUnavailable("the client does not run")
        request = self._post(self._session, path, json.dumps(body).encode(), timeout_s)
        try:
            waiting = asyncio.run_coroutine_threadsafe(request, self._loop)
        except RuntimeError:
            request.close()
            raise ExporterUnavailable("the client has ended") from None
        try:
            return waiting.result(timeout_s + 1.0)
        except (aiohttp.ClientError, OSError) as error:
            raise ExporterUnavailable(_words(error)) from None
        except concurrent.futures.CancelledError:
            raise ExporterUnavailable("the client has ended") from None

    # --- in the thread --------------------------------------------------------------------------------

    def _main(self) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_TIMEOUT_S, sock_read=self._silence_s)
        try:
            async with aiohttp.ClientSession(headers=self._headers(), timeout=timeout) as session:
                self._session = session
                self._started.set()
                await self._keep_reading(session)
        finally:
            self._session = None
            self._disconnected("stopped")
            self._started.set()

    def _headers(self) -> Mapping[str, str]:
        token = self._token
        return {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}

    async def _keep_reading(self, session: aiohttp.ClientSession) -> None:
        backoff = Backoff()
        while True:
            lost = _Lost(DisconnectReason.PROTOCOL, "an error of ours")
            try:
                await self._read_stream(session)
            except _Lost as error:
                lost = error
            except Exception:
                _log.exception("reading the exporter's stream failed by an error of ours")
            connected_s = time.time() - self.since if self.connected else 0.0
            self._tell(lost)
            self._disconnected(str(lost))
            await asyncio.sleep(backoff.pause_s(lost.reason, connected_s))

    async def _read_stream(self, session: aiohttp.ClientSession) -> None:
        parser = EventParser(MAX_EVENT_BYTES)
        try:
            async with session.get(f"{self._url}/state/stream", allow_redirects=False) as response:
                await _check_is_stream(response)
                async for chunk in response.content.iter_any():
                    for event in parser.feed(chunk):
                        self._take(event)
        except (aiohttp.ClientError, OSError) as error:
            raise _Lost(_reason(error, self.connected), _words(error)) from None
        except EventTooLarge as error:
            raise _Lost(DisconnectReason.PROTOCOL, str(error)) from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _Lost(DisconnectReason.PROTOCOL, f"its stream cannot be understood: {error!r}") from None
        raise _Lost(DisconnectReason.CLOSED, "it ended its stream")

    def _take(self, event: ServerSentEvent) -> None:
        data: dict[str, Any] = json.loads(event.data)
        if event.kind == "snapshot":
            self._boards.replace(data["switchboards"], data["now"])
            self._connected()
        elif not self.connected:
            raise ValueError(f"{event.kind!r} before any snapshot")
        elif event.kind == "patch":
            self._boards.patch(data["switchboards"])
        elif event.kind == "heartbeat":
            self._boards.heartbeat(data["as_of"], data["now"])

    async def _post(self, session: aiohttp.ClientSession, path: str, body: bytes, timeout_s: float) -> Answer:
        async with session.post(
            f"{self._url}{path}",
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            allow_redirects=False,
        ) as response:
            text = await response.content.read(MAX_ANSWER_BYTES)
            return Answer(response.status, "" if response.status < 300 else _error_in(text))

    # --- what is told ---------------------------------------------------------------------------------

    def _connected(self) -> None:
        if not self.connected:
            self.connected, self.problem, self.since = True, "", time.time()
            self._told.clear()
            _log.info("reading the live state of %s from %s", ", ".join(self._boards.names()), self._url)

    def _disconnected(self, problem: str) -> None:
        if self.connected:
            self.since = time.time()
        self.connected, self.problem = False, problem
        self._boards.lost()

    def _tell(self, lost: _Lost) -> None:
        level = logging.DEBUG if lost.reason in self._told else logging.WARNING
        self._told.add(lost.reason)
        _log.log(level, "no live state from the exporter at %s: %s", self._url, lost)


async def _check_is_stream(response: aiohttp.ClientResponse) -> None:
    if response.status == 200 and response.content_type == "text/event-stream":
        return
    what = _error_in(await response.content.read(MAX_ANSWER_BYTES)) or f"status {response.status}"
    if response.status in (401, 403, 429):
        raise _Lost(
            DisconnectReason.AUTHENTICATION,
            f"it refuses us: {what} (control_api.exporter_token_file must hold what its "
            "exporter.state_token_file holds)",
        )
    if response.status >= 500:
        raise _Lost(DisconnectReason.CLOSED, what)
    raise _Lost(DisconnectReason.PROTOCOL, f"no exporter answers there: {what}")


def _error_in(body: bytes) -> str:
    """The id and message of an error of the exporter's, else the beginning of the answer."""
    try:
        error = json.loads(body)["error"]
        return f"{error['id']}: {error['message']}"
    except (ValueError, TypeError, KeyError):
        return repr(body[:100].decode("utf-8", "replace")) if body else ""


def _reason(error: Exception, connected: bool) -> DisconnectReason:
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ServerFingerprintMismatch):
        return DisconnectReason.TLS
    if isinstance(error, TimeoutError):
        return DisconnectReason.SILENCE if connected else DisconnectReason.TIMEOUT
    if isinstance(error, aiohttp.ClientConnectorError):
        return DisconnectReason.UNREACHABLE
    return DisconnectReason.CLOSED


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
