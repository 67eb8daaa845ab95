"""One connection to a switchboard's manager interface, on panoramisk's protocol and actions.

What panoramisk 1.4 does not do is done here: framing before decoding, size limits, events taken out before
they become messages, a checked login, the first of duplicate headers. Its reconnect is not used at all: each
connection is a new `panoramisk.Manager`, so that nothing asked of the last one can be sent again.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import panoramisk
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from asterpanel_switchboard import actions, dialing
from asterpanel_switchboard.config import SwitchboardConfig
from asterpanel_switchboard.config.models import TlsConfig
from asterpanel_switchboard.errors import AsterpanelError
from asterpanel_switchboard.events import Event
from asterpanel_switchboard.intake import Intake
from asterpanel_switchboard.wire import decode

_log = logging.getLogger(__name__)

_RESPONSE = b"Response: "
_NO_LINGER = struct.pack("ii", 1, 0)

TURN_BYTES = 16 * 1024
"""What is taken at once, a few milliseconds' work at the worst. Then the others have their turn, so that one
switchboard's flood delays nobody else's events."""


class DisconnectReason(StrEnum):
    """Why there is no connection."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    PROTOCOL = "protocol"
    AUTHENTICATION = "authentication"
    SILENCE = "silence"
    CLOSED = "closed"


class Disconnected(AsterpanelError):
    """There is no connection (any more). ``reason`` says why in one word, the text in a sentence."""

    def __init__(self, reason: DisconnectReason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class ActionFailed(AsterpanelError):
    """The switchboard answered an action with an error; the text is its own message."""


class _Action(Action):  # type: ignore[misc]  # panoramisk has no types
    """An action that may hold a secret: no log shows what is in it."""

    def __repr__(self) -> str:
        return f"<{self['Action']}>"


class AmiProtocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """panoramisk's protocol with our framing, and without its memory of unanswered actions.

    Attributes:
        greeted: done with the first thing that the server says: its AMI version, "" if it speaks otherwise.
        lost: done when the transport is gone.
        last_frame_at: time of the event loop when a frame was last completed: mere bytes are no sign of life.
        failure: what one of the callbacks raised; the connection was closed at once.

    Args:
        intake: of this connection.
        on_login: called when the login was accepted; events follow.
        on_events: called with the events of one read, never none.
        on_bytes: called with all that arrives, before anything else.
    """

    closed = True
    responses: dict[str, Action]

    def __init__(
        self,
        intake: Intake,
        on_login: Callable[[], None],
        on_events: Callable[[Sequence[Event]], None],
        on_bytes: Callable[[bytes], None] | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.intake = intake
        self.greeted: asyncio.Future[str] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.last_frame_at = loop.time()
        self.failure: Exception | None = None
        self._logged_in = False
        self._untaken = b""
        self._loop = loop
        self._on_login = on_login
        self._on_events = on_events
        self._on_bytes = on_bytes

    def data_received(self, data: bytes) -> None:
        """Bytes from the switchboard: events to the listener, responses to panoramisk's actions."""
        self._untaken += data
        try:
            if self._on_bytes is not None:
                self._on_bytes(data)
            self._take_some()
        except Exception as error:
            self._fail(error)

    def _take_some(self) -> None:
        data, self._untaken = self._untaken[:TURN_BYTES], self._untaken[TURN_BYTES:]
        if self._untaken:
            self.transport.pause_reading()
            self._loop.call_soon(self._take_more)
        if not self._logged_in:
            # Events in the same read as the answer to the login: those behind it are believed.
            before = data.partition(_RESPONSE)[0]
            self._take(before)
            data = data[len(before) :]
        self._take(data)

    def _take_more(self) -> None:
        if self.closed:
            return
        try:
            self._take_some()
        except Exception as error:
            self._fail(error)
        if not self._untaken:
            self.transport.resume_reading()

    def _fail(self, error: Exception) -> None:
        self.failure = error
        self.close()

    def _take(self, data: bytes) -> None:
        frames_before = self.intake.frames
        events, responses = self.intake.feed(data)
        if self.intake.frames != frames_before:
            self.last_frame_at = self._loop.time()
        if not self.greeted.done() and (self.intake.greeting is not None or self.intake.frames):
            self.greeted.set_result(self.intake.greeting or "")
        for response in responses:
            self._answer(_message(response))
        if events and self._logged_in:
            self._on_events(events)

    def _answer(self, message: Message) -> None:
        action = self.responses.get(message.id)
        if action is None:
            return
        self.handle_message(message)
        if action["Action"] == "Login" and message.success:
            self._logged_in = True
            self._on_login()

    def send(self, data: Any, as_list: bool = False) -> asyncio.Future[Message]:
        """Send an action. Its future gets one response: of a list, that which begins it.

        Raises:
            InvalidActionValue: a value with a line break or another control character; nothing is sent.
            Disconnected: the connection is closed already.
        """
        actions.check_action(data)
        if self.closed:
            raise _lost()
        future: asyncio.Future[Message] = super().send(_Action(data), as_list=False)
        return future

    async def ask(self, action: dict[str, str], timeout_s: float) -> Message:
        """Send an action and wait for its response.

        Raises:
            InvalidActionValue: see `send`.
            Disconnected: the connection was lost before the answer. Nothing is sent again.
            ActionFailed: the switchboard refused; the text is its own.
            TimeoutError: no answer in time.
        """
        waiting = self.send(action)
        try:
            async with asyncio.timeout(timeout_s):
                answer = await waiting
        finally:
            if waiting.cancelled():  # nobody waits for the answer any more
                self.responses = {k: v for k, v in self.responses.items() if v.future is not waiting}
        if not answer.success:
            raise ActionFailed(answer.message or "refused without a message")
        return answer

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone, for whatever reason."""
        while self._untaken and not self.closed:  # it was read before the end
            self._take_more()
        self.close()
        if not self.lost.done():
            self.lost.set_result(None)

    def close(self) -> None:
        """Close at once. Unanswered actions fail; none is kept for a later connection."""
        if self.closed:
            return
        self.closed = True
        self.intake.end()
        for action in self.responses.values():
            if not action.future.done():
                action.future.set_exception(_lost())
                action.future.exception()  # whoever waits for it gets it; nobody need wait
        self.responses.clear()
        connected = self.transport.get_extra_info("socket")
        if connected is not None:
            # With a reset. Else the kernel goes on to deliver what was sent into a network that is away: an
            # action whose failure was reported would be done minutes later.
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()


class _Connection(panoramisk.Manager):  # type: ignore[misc]  # panoramisk has no types
    """A single connection of panoramisk: it neither logs in, nor pings, nor reconnects by itself."""

    pinger: asyncio.TimerHandle | None

    def connect(self, *_: object, **__: object) -> asyncio.Task[object]:
        """As the original, with all that `create_connection` can be told."""
        task: asyncio.Task[object] = self.loop.create_task(
            self.loop.create_connection(self.config["protocol_factory"], **self.config["how"])
        )
        task.add_done_callback(self.connection_made)
        return task

    def connection_made(self, task: asyncio.Task[object]) -> None:
        """As the original, but a failed attempt is the caller's to judge."""
        if task.cancelled() or task.exception() is not None:
            return
        super().connection_made(task)
        if self.pinger is not None:
            self.pinger.cancel()
            self.pinger = None


async def connect(
    settings: SwitchboardConfig, tls: ssl.SSLContext | None, make_protocol: Callable[[], AmiProtocol]
) -> AmiProtocol:
    """Connect by TCP and, with ``tls``, shake hands, in ``connect_timeout`` altogether.

    Raises:
        Disconnected: it could not be done; nothing is left open then, as at a cancellation.
    """
    connected: socket.socket | None = None
    how: dict[str, Any] = {}
    if settings.tls is not None:
        how["ssl"] = tls
        how["server_hostname"] = settings.tls.server_name or settings.host
        how["ssl_handshake_timeout"] = settings.connect_timeout
    protocol = make_protocol()
    try:
        async with asyncio.timeout(settings.connect_timeout):
            connected = how["sock"] = await dialing.dial(settings.host, settings.port)
            await _Connection(
                protocol_factory=lambda: protocol, how=how, log=_log, loop=asyncio.get_running_loop()
            ).connect()
    except BaseException as error:
        protocol.close()
        if connected is not None:
            connected.close()
        if isinstance(error, OSError):
            raise _not_connected(error, settings, shaking_hands=connected is not None) from error
        raise
    return protocol


def _not_connected(error: OSError, settings: SwitchboardConfig, shaking_hands: bool) -> Disconnected:
    if settings.tls is not None and shaking_hands:
        return Disconnected(DisconnectReason.TLS, f"TLS: {_tls_words(error)}")
    if isinstance(error, TimeoutError):
        return Disconnected(DisconnectReason.TIMEOUT, f"no connection within {settings.connect_timeout:g} s")
    return Disconnected(DisconnectReason.UNREACHABLE, dialing.words(error))


def tls_context(settings: TlsConfig) -> ssl.SSLContext:
    """How to verify a switchboard that speaks TLS. Costs tens of milliseconds: not for each attempt.

    Raises:
        Disconnected: the authority's file cannot be read or used.
    """
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    except OSError as error:
        text = f"TLS: {settings.ca_file}: {error.strerror or error}"
        raise Disconnected(DisconnectReason.TLS, text) from error
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _lost() -> Disconnected:
    return Disconnected(DisconnectReason.CLOSED, "the switchboard closed the connection")


def _message(frame: bytes) -> Message:
    """A response as panoramisk has it, but each header once, the first, and never taken for an event."""
    headers: dict[str, str] = {}
    for line in decode(frame).split("\r\n"):
        name, colon, value = line.partition(": ")
        if colon:
            headers.setdefault(name.lower(), value)
    headers.pop("event", None)
    return Message(headers)


def _tls_words(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        what = (error.reason or str(error)).replace("_", " ").lower()
    else:
        what = "no answer" if isinstance(error, TimeoutError) else "the connection was closed"
    return f"{what} in the handshake (does this port speak TLS?)"
