"""From web threads to the switchboards' control sessions: these share an event loop in a thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from asterpanel_control_api.switchboards.link import Answer, Connection, Link, NotConnected, Unanswered
from asterpanel_switchboard.actions import check_action
from asterpanel_switchboard.config import Config, SwitchboardConfig

_LOOP_GRACE_S = 1.0
"""How much later than its time limit the loop may answer before a thread gives it up."""

_T = TypeVar("_T")


def control_logins(config: Config) -> dict[str, SwitchboardConfig]:
    """How to log in as the control user, for each switchboard that has one."""
    return {
        name: board.model_copy(update={"username": board.control.username, "secret": board.control.secret})
        for name, board in config.switchboards.items()
        if board.control is not None
    }


class Bridge:
    """The control sessions of all switchboards, for use from any thread.

    Starts with its first use, or by `start`; a server that forks must not use it before.

    Args:
        logins: of the control users, by switchboard (see `control_logins`).
    """

    def __init__(self, logins: Mapping[str, SwitchboardConfig]) -> None:
        self._logins = dict(logins)
        self._links: dict[str, Link] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()
        self._ended = False
        self._ready = threading.Event()

    # --- life ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect, and do not wait for it. Does nothing if that was done already."""
        with self._lock:
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._run, name="control sessions", daemon=True)
                self._thread.start()
                self._ready.wait()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Close all connections, for good. Who waits for an answer gets `Unanswered`."""
        with self._lock:
            self._ended = True
        if self._thread is not None and self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._links = {name: Link(settings) for name, settings in self._logins.items()}
        sessions = [asyncio.create_task(link.run()) for link in self._links.values()]
        self._ready.set()
        await self._end.wait()
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    # --- for the threads ----------------------------------------------------------------------------

    @property
    def switchboards(self) -> frozenset[str]:
        """Those that have a control user."""
        return frozenset(self._logins)

    def connections(self) -> dict[str, Connection]:
        """How the session of each switchboard is now."""
        self.start()
        return {name: link.connection for name, link in self._links.items()}

    def check_connected(self, switchboard: str, timeout_s: float) -> None:
        """Return if an action would be sent now; only the very first attempt to connect is waited for.

        Raises:
            NotConnected: it would not.
            KeyError: the switchboard has no control user.
        """
        self._call(self._link(switchboard).check_connected(timeout_s), timeout_s)

    def request(self, switchboard: str, action: Mapping[str, str], timeout_s: float) -> Answer:
        """Send an action and wait for its answer; a refusal is an answer too.

        Raises:
            NotConnected: there is no connection: nothing was sent, nor will be.
            TooManyActions: likewise, because too many others are unanswered.
            Unanswered: no answer within ``timeout_s``, or the connection was lost before it.
            InvalidActionValue: a value that must not be sent.
            KeyError: the switchboard has no control user.
        """
        check_action(action)
        link = self._link(switchboard)
        return self._call(link.ask(dict(action), time.monotonic() + timeout_s), timeout_s)

    def _link(self, switchboard: str) -> Link:
        if switchboard not in self._logins:
            raise KeyError(switchboard)
        self.start()
        if self._ended:
            raise NotConnected("the control API is ending")
        return self._links[switchboard]

    def _call(self, work: Coroutine[Any, Any, _T], timeout_s: float) -> _T:
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._running_loop())
        except RuntimeError:  # it is closed
            work.close()
            raise NotConnected("the control API is ending") from None
        try:
            return future.result(max(timeout_s, 0.0) + _LOOP_GRACE_S)
        except (TimeoutError, concurrent.futures.CancelledError):
            raise Unanswered("the control API is ending, or too busy to listen to the answer") from None
        finally:
            future.cancel()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the event loop did not start")
        return self._loop
