"""One switchboard's AMI connection, kept up for ever: login, pings with a time limit, reconnects."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from math import isfinite
from typing import Any, Protocol

from panoramisk.message import Message

from asterpanel_switchboard import actions
from asterpanel_switchboard.config import SwitchboardConfig
from asterpanel_switchboard.connection import (
    ActionFailed,
    AmiProtocol,
    Disconnected,
    DisconnectReason,
    connect,
    tls_context,
)
from asterpanel_switchboard.events import Event
from asterpanel_switchboard.intake import Intake, WireError

__all__ = [
    "ActionFailed",
    "AmiSession",
    "Backoff",
    "DisconnectReason",
    "Disconnected",
    "Listener",
    "SessionState",
]

_log = logging.getLogger(__name__)

STABLE_S = 10.0
"""A connection that held this long was a good one: the next loss is news again, and dialled at once."""


class SessionState(StrEnum):
    """Where the connection to a switchboard stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    REFUSED = "refused"
    """The switchboard answers, and refuses the user or his secret."""


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


class Backoff:
    """Pauses between attempts to connect: ever longer, up to a limit that depends on what went wrong.

    Args:
        jitter: from 0 to 1; pauses are between half and the whole of their length, so that those who lost the
            same switchboard at the same moment do not all come back at the same moment.
    """

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter
        self._next_s = _FIRST_PAUSE_S

    def pause_s(self, reason: DisconnectReason, connected_s: float = 0.0) -> float:
        """How long to wait now. ``connected_s``: how long the connection held that was lost."""
        if connected_s >= STABLE_S:
            self._next_s = _FIRST_PAUSE_S
        longest = _LONGEST_PAUSE_S[reason]
        # A guess at a secret costs the other side more than a knock: never hurry with the next.
        whole = longest if reason is DisconnectReason.AUTHENTICATION else min(self._next_s, longest)
        self._next_s = whole * 2
        return whole * (0.5 + 0.5 * self._jitter())


class Listener(Protocol):
    """Who wants to know what happens on a session. Called in the event loop, in order.

    What it raises ends `AmiSession.run`.
    """

    def connected(self, ami_version: str) -> None:
        """Logged in: events flow from now on."""

    def received(self, events: Sequence[Event]) -> None:
        """Events of one read, never empty."""

    def pong(self, switchboard_time: float | None, round_trip_s: float) -> None:
        """An answer to a ping, with the switchboard's time if it told one. The first follows the login."""

    def disconnected(self, reason: DisconnectReason) -> None:
        """The connection is lost, or an attempt has failed."""


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
        self._protocol: AmiProtocol | None = None
        self._connected_at: float | None = None
        self._told: set[DisconnectReason] = set()
        self._tls: ssl.SSLContext | None = None
        self._bytes_before = 0
        self._frames_before = 0

    @property
    def bytes_received(self) -> int:
        """Bytes received over all connections."""
        return self._bytes_before + (self._protocol.intake.bytes if self._protocol else 0)

    @property
    def frames_received(self) -> int:
        """Frames received over all connections."""
        return self._frames_before + (self._protocol.intake.frames if self._protocol else 0)

    async def run(self) -> None:
        """Stay connected until cancelled.

        Raises:
            Exception: what the listener raised.
        """
        backoff = Backoff()
        try:
            while True:
                try:
                    await self._one_connection()
                except Disconnected as error:
                    connected_s = self._connected_s()
                    self._disconnected(error, connected_s)
                    await asyncio.sleep(backoff.pause_s(error.reason, connected_s))
                    self.attempts[error.reason] += 1
        finally:
            if self.state is SessionState.CONNECTED:
                self._set_state(SessionState.DISCONNECTED, "stopped")

    async def request(self, action: dict[str, str], timeout_s: float = 10.0) -> Message:
        """Send an action and wait for its response (of a list: the response that begins it).

        Raises:
            Disconnected: no connection, or it was lost before the answer. Nothing is sent again.
            ActionFailed: the switchboard refused; the text is its own.
            InvalidActionValue: a value that must not be sent.
            TimeoutError: no answer in time.
        """
        actions.check_action(action)
        if self._protocol is None or not self.is_connected:
            raise Disconnected(DisconnectReason.CLOSED, "not connected")
        return await self._protocol.ask(action, timeout_s)

    @property
    def is_connected(self) -> bool:
        """Whether an action would be sent now."""
        protocol = self._protocol
        return protocol is not None and not protocol.closed and self.state is SessionState.CONNECTED

    def hang_up(self) -> None:
        """Reset the connection: what was sent and has not arrived will not arrive. A new one follows."""
        if self._protocol is not None:
            self._protocol.close()

    async def _one_connection(self) -> None:
        protocol = self._protocol = await self._connect()
        try:
            await self._log_in(protocol)
            await self._keep_alive(protocol)
        except Disconnected:
            if protocol.failure is not None:
                raise protocol.failure from None
            raise
        finally:
            self._protocol = None
            self._bytes_before += protocol.intake.bytes
            self._frames_before += protocol.intake.frames
            protocol.close()

    async def _connect(self) -> AmiProtocol:
        self._connected_at = None
        if self.settings.tls is not None and self._tls is None:
            self._tls = tls_context(self.settings.tls)
        try:
            return await connect(self.settings, self._tls, self._new_protocol)
        except Disconnected as error:
            if error.reason is DisconnectReason.TLS:
                self._tls = None  # by the next time the authority's file may be a new one
            raise

    def _new_protocol(self) -> AmiProtocol:
        intake = Intake(self.settings.name, self.wire_errors)
        return AmiProtocol(intake, self._logged_in, self._listener.received, self._on_bytes)

    async def _log_in(self, protocol: AmiProtocol) -> None:
        timeout = self.settings.connect_timeout
        await _first_of(protocol.greeted, protocol.lost, timeout_s=timeout)
        if not protocol.greeted.done():
            if protocol.lost.done():
                raise Disconnected(DisconnectReason.UNREACHABLE, "closed without an AMI greeting")
            raise Disconnected(
                DisconnectReason.TIMEOUT,
                f"no AMI greeting within {timeout:g} s (a TLS port, or not the manager interface?)",
            )
        self.ami_version = protocol.greeted.result()
        if not self.ami_version:
            raise Disconnected(DisconnectReason.PROTOCOL, "no Asterisk manager interface answers there")
        try:
            await self._authenticate(protocol, timeout)
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

    def _logged_in(self) -> None:
        self._connected_at = asyncio.get_running_loop().time()
        self._set_state(SessionState.CONNECTED, "")
        _log.info("%s: connected to %s, AMI %s", self.settings.name, self.settings.address, self.ami_version)
        self._listener.connected(self.ami_version)

    async def _authenticate(self, protocol: AmiProtocol, timeout: float) -> None:
        secret = self.settings.secret.get_secret_value()
        action = actions.login(self.settings.username, secret)
        if self.settings.auth == "md5":
            answer = await protocol.ask(actions.challenge(), timeout)
            action = actions.login_md5(self.settings.username, secret, answer.challenge)
        await protocol.ask(action, timeout)

    async def _keep_alive(self, protocol: AmiProtocol) -> None:
        loop = asyncio.get_running_loop()
        while True:
            asked_at = loop.time()
            pong = protocol.send(actions.ping())
            # A busy switchboard answers late: as long as it says anything, it lives.
            while not pong.done():
                heard_at = max(protocol.last_frame_at, asked_at)
                left_s = heard_at + self.settings.ping_timeout - loop.time()
                if left_s <= 0:
                    raise Disconnected(
                        DisconnectReason.SILENCE,
                        f"no answer to a ping within {self.settings.ping_timeout:g} s",
                    )
                await _first_of(pong, timeout_s=left_s)
            self._take_pong(pong, loop.time() - asked_at)
            await _first_of(protocol.lost, timeout_s=self.settings.ping_interval)

    def _take_pong(self, pong: asyncio.Future[Message], round_trip_s: float) -> None:
        text = pong.result().timestamp
        switchboard_time: float | None = None
        with suppress(ValueError):
            switchboard_time = float(text)
        if switchboard_time is None or not isfinite(switchboard_time):
            _log.debug("%s: a Pong without a time stamp: %r", self.settings.name, text)
            switchboard_time = None
        self._listener.pong(switchboard_time, round_trip_s)

    def _connected_s(self) -> float:
        return 0.0 if self._connected_at is None else asyncio.get_running_loop().time() - self._connected_at

    def _disconnected(self, error: Disconnected, connected_s: float) -> None:
        refused = error.reason is DisconnectReason.AUTHENTICATION
        self._set_state(SessionState.REFUSED if refused else SessionState.DISCONNECTED, str(error))
        if connected_s >= STABLE_S:
            self._told.clear()
        _log.log(
            logging.DEBUG if error.reason in self._told else logging.WARNING,
            "%s: no connection to %s: %s; trying again",
            self.settings.name,
            self.settings.address,
            error,
        )
        self._told.add(error.reason)
        self._listener.disconnected(error.reason)

    def _set_state(self, state: SessionState, problem: str) -> None:
        if state is not self.state:
            self.since = self._wall_clock()
        self.state, self.problem = state, problem


async def _first_of(*futures: asyncio.Future[Any], timeout_s: float) -> None:
    await asyncio.wait(futures, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
