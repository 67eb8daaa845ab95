"""The running exporter: one task a switchboard, none of which can touch another."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Sequence

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
)

_log = logging.getLogger(__name__)

RESYNC_SPACING_S = 0.5
"""Least time between two resyncs: a reload of everything sends an event for each module."""

SUSPICION_SPACING_S = 5.0
"""The same after a count that did not match: under overload stale events keep coming for a while."""

LIST_TIMEOUT_S = 30.0
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
    ) -> None:
        self.live = live
        self.session = AmiSession(settings, self, on_bytes=on_bytes, wall_clock=wall_clock)
        self._interval_s = resync_interval_s
        self._wall_clock = wall_clock
        self._resync_now = asyncio.Event()
        self._numbers = itertools.count(1)
        self._timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Watch the switchboard until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.session.run())
                tasks.create_task(self._keep_in_step())
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self.live.disconnected()

    # --- what the session tells ---------------------------------------------------------------------

    def connected(self, ami_version: str) -> None:
        self.live.connected(ami_version)
        self._resync_now.set()

    def received(self, events: Sequence[Event]) -> None:
        self.live.receive(events, self._wall_clock())
        if self.live.state.resync_wanted is not None:
            self._resync_now.set()
        self._set_timer()

    def pong(self, switchboard_time: float, round_trip_s: float) -> None:
        self.live.pong(switchboard_time, self._wall_clock(), round_trip_s)

    def disconnected(self, reason: DisconnectReason) -> None:
        self.live.disconnected()

    # --- time ---------------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        deadline = self.live.state.next_deadline()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            delay = max(0.0, deadline - self.live.clock.now(self._wall_clock()))
            self._timer = asyncio.get_running_loop().call_later(delay + 0.001, self._time_passed)

    def _time_passed(self) -> None:
        self.live.advance(self._wall_clock())
        self._set_timer()

    # --- resync -------------------------------------------------------------------------------------

    async def _keep_in_step(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._interval_s):
                    await self._resync_now.wait()
            except TimeoutError:
                self.live.state.want_resync(ResyncReason.INTERVAL)
            self._resync_now.clear()
            reason = self.live.state.take_resync()
            if reason is None:
                continue
            await self._resync(reason)
            suspicious = reason is ResyncReason.COUNT_MISMATCH
            await asyncio.sleep(SUSPICION_SPACING_S if suspicious else RESYNC_SPACING_S)
            if self.live.state.resync_wanted is not None:
                self._resync_now.set()

    async def _resync(self, reason: ResyncReason) -> None:
        if not self.live.up:
            reason = ResyncReason.CONNECTED
        action_id = self.live.resync_action_id(reason, next(self._numbers))
        try:
            await self.session.request(actions.queue_status(action_id), LIST_TIMEOUT_S)
        except Disconnected:
            pass  # the next connection begins with a resync
        except ActionFailed as error:
            _log.info("%s: no queues: %s", self.live.name, error)
            self.live.no_queues(reason, self.live.clock.now(self._wall_clock()))
        except TimeoutError:
            _log.warning("%s: no answer to QueueStatus within %g s", self.live.name, LIST_TIMEOUT_S)
            self.live.state.want_resync(reason)


class Exporter:
    """All switchboards of the configuration.

    Attributes:
        config: as loaded.
        switchboards: live state by name.
        watches: what keeps it so, by name.
        started_at: Unix seconds.
    """

    def __init__(self, config: Config, *, wall_clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self.wall_clock = wall_clock
        self.started_at = wall_clock()
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
