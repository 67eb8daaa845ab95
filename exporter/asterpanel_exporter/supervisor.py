"""The running exporter: one task a switchboard, none of which can touch another."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.state import ResyncReason
from asterpanel_switchboard import actions
from asterpanel_switchboard.config import Config, SwitchboardConfig
from asterpanel_switchboard.events import Event
from asterpanel_switchboard.session import (
    ActionFailed,
    AmiSession,
    Disconnected,
    DisconnectReason,
    SessionState,
)

_log = logging.getLogger(__name__)

RESYNC_SPACING_S = 0.5
"""Least time between two resyncs: a reload of everything sends an event for each module. Where one resync
after another is asked for it doubles, up to `SUSPICION_SPACING_S`."""

SUSPICION_SPACING_S = 5.0
"""The same where nothing was announced, as after a count that did not match: under overload stale events keep
coming for a while."""

LIST_TIMEOUT_S = 30.0
"""How long the answer to QueueStatus may take to begin, and again to end."""

RESTART_AFTER_S = 5.0


class Watch:
    """A session, the live state that it feeds, and the resyncs between the two."""

    def __init__(
        self,
        live: LiveSwitchboard,
        settings: SwitchboardConfig,
        resync_interval_s: float,
        *,
        on_bytes: Callable[[bytes], None] | None = None,
        wall_clock: Callable[[], float] = time.time,
        list_timeout_s: float = LIST_TIMEOUT_S,
    ) -> None:
        self.live = live
        self.session = AmiSession(settings, self, on_bytes=on_bytes, wall_clock=wall_clock)
        self._interval_s = resync_interval_s
        self._list_timeout_s = list_timeout_s
        self._wall_clock = wall_clock
        self._numbers = itertools.count(1)
        self._resync_wanted = asyncio.Event()
        self._list_ended = asyncio.Event()
        self._clock_known = False
        self._wire_errors = 0
        self._resynced_at = -math.inf
        self._spacing_s = RESYNC_SPACING_S
        self._failing = False
        self._time_is_up = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Watch the switchboard until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.session.run())
                tasks.create_task(self._keep_in_step())
                tasks.create_task(self._keep_time())
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self.live.disconnected("exporter_stopped")

    # --- what the session tells ---------------------------------------------------------------------

    def connected(self, ami_version: str) -> None:
        self.live.connected(ami_version)
        self._resynced_at = -math.inf
        self._spacing_s = RESYNC_SPACING_S
        self._clock_known = False

    def received(self, events: Sequence[Event]) -> None:
        resyncs = self.live.resyncs.total()
        self.live.receive(events, self._wall_clock())
        if self.live.resyncs.total() != resyncs:
            self._list_ended.set()
        self._look_for_wire_errors()
        if self.live.state.resync_wanted is not None:
            self._resync_wanted.set()
        self._set_timer()

    def pong(self, switchboard_time: float | None, round_trip_s: float) -> None:
        self.live.pong(switchboard_time, self._wall_clock(), round_trip_s)
        self._clock_known = True
        self._look_for_wire_errors()
        if self.live.state.resync_wanted is not None:
            self._resync_wanted.set()

    def disconnected(self, reason: DisconnectReason) -> None:
        self.live.disconnected(reason.value)
        self._list_ended.set()  # none will come any more

    def _look_for_wire_errors(self) -> None:
        """What could not be used may have been an event that counts."""
        total = self.session.wire_errors.total()
        if total != self._wire_errors:
            self._wire_errors = total
            self.live.state.want_resync(ResyncReason.UNUSABLE_DATA)

    # --- time ---------------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        deadline = self.live.next_deadline()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            delay = max(0.0, deadline - self.live.clock.now(self._wall_clock()))
            self._timer = asyncio.get_running_loop().call_later(delay + 0.001, self._time_is_up.set)

    async def _keep_time(self) -> None:
        while True:
            await self._time_is_up.wait()
            self._time_is_up.clear()
            self.live.advance(self._wall_clock())
            self._set_timer()

    # --- resync -------------------------------------------------------------------------------------

    async def _keep_in_step(self) -> None:
        while True:
            await self._until_resync_is_due()
            now = asyncio.get_running_loop().time()
            hurried = now - self._resynced_at < 2 * self._spacing_s
            self._spacing_s = min(2 * self._spacing_s, SUSPICION_SPACING_S) if hurried else RESYNC_SPACING_S
            self._resynced_at = now
            await self._resync(self.live.state.take_resync() or ResyncReason.INTERVAL)

    async def _until_resync_is_due(self) -> None:
        while (due_at := self._resync_due_at()) > asyncio.get_running_loop().time():
            self._resync_wanted.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due_at):
                    await self._resync_wanted.wait()

    def _resync_due_at(self) -> float:
        """Time of the event loop. Infinity while there is no connection, as each begins with a resync, and
        until the first answer to a ping has told the switchboard's time: waits are told in seconds up to now.
        """
        reason = self.live.state.resync_wanted
        if self.session.state is not SessionState.CONNECTED or not self._clock_known:
            return math.inf
        if reason is None:
            return self._resynced_at + self._interval_s
        return self._resynced_at + (self._spacing_s if reason.announced else SUSPICION_SPACING_S)

    async def _resync(self, reason: ResyncReason) -> None:
        if not self.live.up:
            reason = ResyncReason.CONNECTED
        action_id = self.live.resync_action_id(reason, next(self._numbers))
        self._list_ended.clear()
        try:
            await self.session.request(actions.queue_status(action_id), self._list_timeout_s)
            async with asyncio.timeout(self._list_timeout_s):
                await self._list_ended.wait()
        except Disconnected:
            pass  # the next connection begins with a resync
        except ActionFailed as error:
            if "unknown command" in str(error).lower():
                _log.info("%s: no queues: %s", self.live.name, error)
                self.live.no_queues(reason, self.live.clock.now(self._wall_clock()))
                self._failing = False
            else:
                self._resync_failed(reason, f"QueueStatus refused: {error}")
        except TimeoutError:
            self._resync_failed(reason, f"no whole answer to QueueStatus within {self._list_timeout_s:g} s")
        else:
            self._failing = False

    def _resync_failed(self, reason: ResyncReason, what: str) -> None:
        _log.log(logging.DEBUG if self._failing else logging.WARNING, "%s: %s", self.live.name, what)
        self._failing = True
        self.live.state.want_resync(reason)


class Exporter:
    """All switchboards of the configuration.

    Attributes:
        config: as loaded.
        switchboards: live state by name.
        watches: what keeps it so, by name.
    """

    def __init__(self, config: Config, *, wall_clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self.wall_clock = wall_clock
        self.watches = {
            name: Watch(
                LiveSwitchboard.from_config(config, name),
                settings,
                config.exporter.resync_interval,
                wall_clock=wall_clock,
            )
            for name, settings in config.switchboards.items()
        }
        self.switchboards = {name: watch.live for name, watch in self.watches.items()}

    async def run(self) -> None:
        """Watch all switchboards until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for watch in self.watches.values():
                tasks.create_task(_for_ever(watch), name=f"switchboard {watch.live.name}")


async def _for_ever(watch: Watch) -> None:
    while True:
        try:
            await watch.run()
        except Exception:
            _log.exception("%s: stopped by an error of ours, starting again", watch.live.name)
            await asyncio.sleep(RESTART_AFTER_S)
