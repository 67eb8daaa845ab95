"""One switchboard's control session, inside the event loop: asked one action at a time or several.

Nothing waits for a connection and nothing is sent twice. Before an action goes a ping, and without a pong the
action is not sent: a switchboard that hangs would do when it goes on what it has received, even over a
connection that is reset by then (seen with Asterisk 16 and 22). An action whose answer does not come in time
ends its connection with a reset, so that what the network still holds of it is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from asterpanel_switchboard import actions
from asterpanel_switchboard.config import SwitchboardConfig
from asterpanel_switchboard.errors import AsterpanelError
from asterpanel_switchboard.events import Event
from asterpanel_switchboard.session import (
    ActionFailed,
    AmiSession,
    Disconnected,
    DisconnectReason,
    SessionState,
)

_log = logging.getLogger(__name__)

MOST_IN_FLIGHT = 32
"""Unanswered actions of a switchboard. AMI does one after the other: more would make all of them late."""

RESTART_AFTER_S = 5.0


class NotConnected(AsterpanelError):
    """There is no connection; nothing was sent. The text says why, as far as it is known."""


class TooManyActions(AsterpanelError):
    """Too many actions are unanswered; nothing was sent."""


class Unanswered(AsterpanelError):
    """The action was sent and no answer came: it may have been done. The text says what happened."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the switchboard said to an action."""

    success: bool
    message: str


@dataclass(frozen=True, slots=True)
class Connection:
    """How a switchboard's control session is.

    Attributes:
        state: where it stands, since ``since`` (Unix seconds of our clock).
        problem: why there is no connection, "" when there is one.
        in_flight: actions sent and not yet answered.
    """

    state: SessionState
    since: float
    problem: str
    in_flight: int

    @property
    def is_up(self) -> bool:
        """Whether the switchboard can be acted on."""
        return self.state is SessionState.CONNECTED


class Link:
    """Keeps a session up and sends actions over it. Its methods belong to the event loop it was made in."""

    def __init__(self, settings: SwitchboardConfig) -> None:
        self._session = AmiSession(settings, self, wall_clock=time.time)
        self._tried = asyncio.Event()
        self._in_flight = 0

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            try:
                await self._session.run()
            except Exception:
                _log.exception("%s: the control session has failed", self._session.settings.name)
                await asyncio.sleep(RESTART_AFTER_S)

    async def check_connected(self, timeout_s: float) -> None:
        """Return if an action would be sent now; only the very first attempt to connect is waited for.

        Raises:
            NotConnected: it would not.
        """
        if not self._tried.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._tried.wait()
        if not self._session.is_connected:
            raise NotConnected(self._session.problem or "still connecting")

    async def ask(self, action: dict[str, str], deadline: float) -> Answer:
        """Send an action and wait for its answer, until ``deadline`` (of `time.monotonic`).

        Raises:
            NotConnected, TooManyActions: nothing was sent.
            Unanswered: sent, and no answer.
        """
        await self.check_connected(deadline - time.monotonic())
        if self._in_flight >= MOST_IN_FLIGHT:
            raise TooManyActions(f"{self._in_flight} actions are unanswered")
        self._in_flight += 1
        try:
            await self._check_alive((deadline - time.monotonic()) / 2)
            return await self._send(action, deadline - time.monotonic())
        finally:
            self._in_flight -= 1

    async def _check_alive(self, timeout_s: float) -> None:
        try:
            await self._session.request(actions.ping(), timeout_s)
        except (TimeoutError, ActionFailed):
            raise NotConnected(f"no answer to a ping within {max(timeout_s, 0):.1f} s") from None
        except Disconnected as error:
            raise NotConnected(str(error)) from error

    async def _send(self, action: dict[str, str], timeout_s: float) -> Answer:
        if not self._session.is_connected:
            raise NotConnected(self._session.problem or "the connection was lost")
        try:
            answer = await self._session.request(action, timeout_s)
        except ActionFailed as refusal:
            return Answer(False, str(refusal).strip())
        except TimeoutError:
            self._session.hang_up()
            _log.warning(
                "%s: no answer to %s within %.1f s, connection reset",
                self._session.settings.name,
                action["Action"],
                timeout_s,
            )
            raise Unanswered("no answer in time; the connection was reset") from None
        except Disconnected as error:
            raise Unanswered(f"the connection was lost before the answer: {error}") from error
        return Answer(True, str(answer.message).strip())

    @property
    def connection(self) -> Connection:
        """How it is now. May be read from any thread."""
        session = self._session
        state = session.state
        if state is SessionState.CONNECTED and not session.is_connected:
            state = SessionState.DISCONNECTED
        return Connection(state, session.since, session.problem, self._in_flight)

    # --- what the session tells ---------------------------------------------------------------------

    def connected(self, ami_version: str) -> None:
        self._tried.set()

    def disconnected(self, reason: DisconnectReason) -> None:
        self._tried.set()

    def received(self, events: Sequence[Event]) -> None:
        """The control user reads no events: the live state comes from the exporter."""

    def pong(self, switchboard_time: float | None, round_trip_s: float) -> None:
        """Of no use here."""
