"""One switchboard's AMI connection, kept up for ever. Built on panoramisk's protocol and actions.

What panoramisk 1.4 does not do is done here: framing before decoding, size limits, events taken out before
they become messages, a ping that times out, a checked login, and its reconnect is not used at all: each
connection is a new `panoramisk.Manager`, so that nothing asked of the last one can be sent again.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import panoramisk
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from asterpanel_switchboard import actions
from asterpanel_switchboard.config import SwitchboardConfig
from asterpanel_switchboard.errors import AsterpanelError
from asterpanel_switchboard.events import Event
from asterpanel_switchboard.intake import Intake, WireError
from asterpanel_switchboard.wire import decode

_log = logging.getLogger(__name__)

REDIAL_S = 1.0
"""A further attempt starts beside one that hangs this long: its packets may be vanishing, and the kernel
repeats them ever more slowly, so an old attempt would notice late that the network is back."""


class SessionState(StrEnum):
    """Where the connection to a switchboard stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    REFUSED = "refused"
    """The switchboard answers, and refuses the user or his secret."""


class DisconnectReason(StrEnum):
    """Why there is no connection."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    PROTOCOL = "protocol"
    AUTHENTICATION = "authentication"
    SILENCE = "silence"
    CLOSED = "closed"


_LONGEST_PAUSE_S: Mapping[DisconnectReason, float] = {
    # Knocking on a door that is not there costs nothing, and then it is opened at once.
    DisconnectReason.UNREACHABLE: 1.0,
    DisconnectReason.TIMEOUT: 1.0,
    DisconnectReason.SILENCE: 1.0,
    DisconnectReason.CLOSED: 5.0,
    DisconnectReason.TLS: 30.0,
    DisconnectReason.PROTOCOL: 30.0,
    DisconnectReason.AUTHENTICATION: 60.0,
}
_FIRST_PAUSE_S = 0.1


class Disconnected(AsterpanelError):
    """There is no connection (any more). ``reason`` says why in one word, the text in a sentence."""

    def __init__(self, reason: DisconnectReason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class ActionFailed(AsterpanelError):
    """The switchboard answered an action with an error; the text is its own message."""


class Listener(Protocol):
    """Who wants to know what happens on a session. Called in the event loop, in order."""

    def connected(self, ami_version: str) -> None:
        """Logged in: events flow from now on."""

    def received(self, events: Sequence[Event]) -> None:
        """Events of one read, never empty."""

    def pong(self, switchboard_time: float, round_trip_s: float) -> None:
        """An answer to a ping, with the switchboard's clock in it."""

    def disconnected(self, reason: DisconnectReason) -> None:
        """The connection is lost, or an attempt has failed."""


class AmiProtocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """panoramisk's protocol with our framing, and without its memory of unanswered actions."""

    closed: bool

    def __init__(
        self,
        intake: Intake,
        on_events: Callable[[Sequence[Event]], None],
        on_bytes: Callable[[bytes], None] | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.intake = intake
        self.greeted: asyncio.Future[str] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.last_received = loop.time()
        self.logged_in = False
        self._loop = loop
        self._on_events = on_events
        self._on_bytes = on_bytes

    def data_received(self, data: bytes) -> None:
        """Bytes from the switchboard: events to the listener, responses to panoramisk's actions."""
        self.last_received = self._loop.time()
        if self._on_bytes is not None:
            self._on_bytes(data)
        events, responses = self.intake.feed(data)
        if not self.greeted.done() and (self.intake.greeting is not None or self.intake.frames):
            self.greeted.set_result(self.intake.greeting or "")
        for response in responses:
            message = Message.from_line(decode(response))
            if message is not None:
                self.handle_message(message)
                # Events in the same read must not be dropped, nor any be believed before the login.
                self.logged_in = self.logged_in or message.message == "Authentication accepted"
        if events and self.logged_in:
            self._on_events(events)

    def send(self, data: Any, as_list: bool = False) -> asyncio.Future[Message]:
        """Send an action.

        Raises:
            InvalidActionValue: a value with a line break or another control character; nothing is sent.
        """
        actions.check_action(data)
        future: asyncio.Future[Message] = super().send(data, as_list=as_list)
        return future

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone, for whatever reason."""
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
                action.future.set_exception(Disconnected(DisconnectReason.CLOSED, "the connection was lost"))
                action.future.exception()  # whoever waits for it gets it; nobody need wait
        self.responses.clear()
        self.transport.abort()


class _Connection(panoramisk.Manager):  # type: ignore[misc]  # panoramisk has no types
    """A single connection of panoramisk: it neither logs in, nor pings, nor reconnects by itself."""

    protocol: AmiProtocol
    pinger: asyncio.TimerHandle | None

    def __init__(self, settings: SwitchboardConfig, protocol_factory: Callable[[], AmiProtocol]) -> None:
        super().__init__(
            host=settings.host,
            port=settings.port,
            ssl=tls_context(settings),
            protocol_factory=protocol_factory,
            log=_log,
            loop=asyncio.get_running_loop(),
        )
        self._server_name = settings.tls.server_name or settings.host if settings.tls else None

    def connect(self, *_: object, **__: object) -> asyncio.Task[object]:
        """As the original, with the name that the certificate must have."""
        task: asyncio.Task[object] = self.loop.create_task(
            self.loop.create_connection(
                self.config["protocol_factory"],
                self.config["host"],
                self.config["port"],
                ssl=self.config["ssl"],
                server_hostname=self._server_name,
            )
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


class AmiSession:
    """Connects, logs in, pings and reconnects.

    Attributes:
        state: where the connection stands; since ``since`` (Unix seconds of our clock).
        problem: why there is no connection, in words; "" when there is one.
        ami_version: of the last connection; "" before the first.
        bytes_received, frames_received: over all connections.
        wire_errors: what arrived that could not be used, over all connections.
        attempts: connections begun again, by what had ended or prevented the one before.
    """

    def __init__(
        self,
        settings: SwitchboardConfig,
        listener: Listener,
        *,
        on_bytes: Callable[[bytes], None] | None = None,
        wall_clock: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.state = SessionState.CONNECTING
        self.since = wall_clock()
        self.problem = ""
        self.ami_version = ""
        self.wire_errors: Counter[WireError] = Counter()
        self.attempts: Counter[DisconnectReason] = Counter()
        self._listener = listener
        self._on_bytes = on_bytes
        self._wall_clock = wall_clock
        self._connection: _Connection | None = None
        self._bytes_before = 0
        self._frames_before = 0

    @property
    def bytes_received(self) -> int:
        """Bytes received over all connections."""
        return self._bytes_before + (self._connection.protocol.intake.bytes if self._connection else 0)

    @property
    def frames_received(self) -> int:
        """Frames received over all connections."""
        return self._frames_before + (self._connection.protocol.intake.frames if self._connection else 0)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        pause = _FIRST_PAUSE_S
        while True:
            connected_at: float | None = None
            try:
                connection = await self._dial()
                try:
                    await self._log_in(connection)
                    connected_at = self._wall_clock()
                    await self._keep_alive(connection)
                finally:
                    self._drop(connection)
            except Disconnected as error:
                self._disconnected(error)
                if connected_at is not None:
                    pause = _FIRST_PAUSE_S
                longest = _LONGEST_PAUSE_S[error.reason]
                if error.reason is DisconnectReason.AUTHENTICATION:
                    pause = longest
                await asyncio.sleep(min(pause, longest) * random.uniform(0.5, 1.0))
                pause = min(pause * 2, longest)
                self.attempts[error.reason] += 1

    async def request(self, action: dict[str, str], timeout_s: float = 10.0) -> Message:
        """Send an action and wait for its response (of a list: the response that begins it).

        Raises:
            Disconnected: no connection, or it was lost before the answer. Nothing is sent again.
            ActionFailed: the switchboard refused; the text is its own.
            InvalidActionValue: a value that must not be sent.
            TimeoutError: no answer in time.
        """
        if self._connection is None or self.state is not SessionState.CONNECTED:
            raise Disconnected(DisconnectReason.CLOSED, "not connected")
        return await _ask(self._connection, action, timeout_s)

    async def _dial(self) -> _Connection:
        attempts: set[asyncio.Task[_Connection]] = set()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.settings.connect_timeout
        try:
            while loop.time() < deadline:
                attempts.add(asyncio.create_task(self._attempt()))
                wait = min(REDIAL_S, max(0.01, deadline - loop.time()))
                done, _ = await asyncio.wait(attempts, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    task = done.pop()
                    attempts -= {task}
                    return task.result()
            raise Disconnected(
                DisconnectReason.TIMEOUT, f"no connection within {self.settings.connect_timeout:g} s"
            )
        finally:
            for task in attempts:
                task.cancel()
            for result in await asyncio.gather(*attempts, return_exceptions=True):
                if isinstance(result, _Connection):
                    result.protocol.close()

    async def _attempt(self) -> _Connection:
        def protocol() -> AmiProtocol:
            intake = Intake(self.settings.name, self.wire_errors)
            return AmiProtocol(intake, self._listener.received, self._on_bytes)

        connection = _Connection(self.settings, protocol)
        try:
            await connection.connect()
        except ssl.SSLError as error:
            raise Disconnected(DisconnectReason.TLS, f"TLS: {_ssl_words(error)}") from error
        except OSError as error:
            raise Disconnected(DisconnectReason.UNREACHABLE, error.strerror or str(error)) from error
        return connection

    async def _log_in(self, connection: _Connection) -> None:
        self._connection = connection
        timeout = self.settings.connect_timeout
        protocol = connection.protocol
        either: set[asyncio.Future[Any]] = {protocol.greeted, protocol.lost}
        await asyncio.wait(either, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if not protocol.greeted.done():
            raise Disconnected(
                DisconnectReason.PROTOCOL,
                "closed without an AMI greeting (a TLS port, or an address that may not connect?)"
                if protocol.lost.done()
                else f"no AMI greeting within {timeout:g} s (is this the port of the manager interface?)",
            )
        self.ami_version = protocol.greeted.result()
        if not self.ami_version:
            raise Disconnected(DisconnectReason.PROTOCOL, "no Asterisk manager interface answers there")
        try:
            await self._authenticate(connection, timeout)
        except ActionFailed as error:
            raise Disconnected(
                DisconnectReason.AUTHENTICATION,
                f"login as {self.settings.username!r} refused: {error} (user, secret or permit/deny "
                "in manager.conf)",
            ) from error
        except TimeoutError as error:
            raise Disconnected(
                DisconnectReason.TIMEOUT, f"no answer to the login within {timeout:g} s"
            ) from error
        self._set_state(SessionState.CONNECTED, "")
        _log.info("%s: connected to %s, AMI %s", self.settings.name, self.settings.address, self.ami_version)
        self._listener.connected(self.ami_version)

    async def _authenticate(self, connection: _Connection, timeout: float) -> None:
        secret = self.settings.secret.get_secret_value()
        action = actions.login(self.settings.username, secret)
        if self.settings.auth == "md5":
            answer = await _ask(connection, actions.challenge(), timeout)
            action = actions.login_md5(self.settings.username, secret, answer.challenge)
        await _ask(connection, action, timeout)

    async def _keep_alive(self, connection: _Connection) -> None:
        protocol = connection.protocol
        loop = asyncio.get_running_loop()
        while True:
            asked_at = loop.time()
            pong: asyncio.Future[Message] = connection.send_action(actions.ping())
            while not pong.done():
                either: set[asyncio.Future[Any]] = {pong, protocol.lost}
                await asyncio.wait(
                    either, timeout=self.settings.ping_timeout, return_when=asyncio.FIRST_COMPLETED
                )
                silent_s = loop.time() - max(protocol.last_received, asked_at)
                if protocol.lost.done():
                    break
                if not pong.done() and silent_s >= self.settings.ping_timeout:
                    raise Disconnected(
                        DisconnectReason.SILENCE,
                        f"no answer to a ping within {self.settings.ping_timeout:g} s",
                    )
            if protocol.lost.done():
                raise Disconnected(DisconnectReason.CLOSED, "the switchboard closed the connection")
            self._take_pong(pong.result(), loop.time() - asked_at)
            await asyncio.wait({protocol.lost}, timeout=self.settings.ping_interval)

    def _take_pong(self, message: Message, round_trip_s: float) -> None:
        try:
            self._listener.pong(float(message.timestamp), round_trip_s)
        except ValueError:
            _log.debug("%s: a Pong without a time stamp: %r", self.settings.name, message.timestamp)

    def _drop(self, connection: _Connection) -> None:
        self._connection = None
        self._bytes_before += connection.protocol.intake.bytes
        self._frames_before += connection.protocol.intake.frames
        connection.protocol.close()

    def _disconnected(self, error: Disconnected) -> None:
        refused = error.reason is DisconnectReason.AUTHENTICATION
        news = self.problem != str(error)
        self._set_state(SessionState.REFUSED if refused else SessionState.DISCONNECTED, str(error))
        _log.log(
            logging.WARNING if news else logging.DEBUG,
            "%s: no connection to %s: %s; trying again",
            self.settings.name,
            self.settings.address,
            error,
        )
        self._listener.disconnected(error.reason)

    def _set_state(self, state: SessionState, problem: str) -> None:
        if state is not self.state:
            self.since = self._wall_clock()
        self.state, self.problem = state, problem


async def _ask(connection: _Connection, action: dict[str, str], timeout_s: float) -> Message:
    async with asyncio.timeout(timeout_s):
        answer: Message = await connection.send_action(action)
    if not answer.success:
        raise ActionFailed(answer.message or "refused without a message")
    return answer


def tls_context(settings: SwitchboardConfig) -> ssl.SSLContext | None:
    """How to speak TLS with this switchboard; None: not at all."""
    if settings.tls is None:
        return None
    context = ssl.create_default_context(cafile=str(settings.tls.ca_file) if settings.tls.ca_file else None)
    if not settings.tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _ssl_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {error.verify_message}"
    return error.reason or str(error)
