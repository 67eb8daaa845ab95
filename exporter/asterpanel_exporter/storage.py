"""Where a running exporter keeps what has finished: the journal, and from there InfluxDB."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Self

from asterpanel_exporter.exposition import Exposition, add_influx, add_journal, add_rollup
from asterpanel_exporter.history.records import ControlAction
from asterpanel_exporter.influx.sender import Progress
from asterpanel_exporter.influx.sink import InfluxSink
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.journal.retention import Retention
from asterpanel_exporter.journal.writer import JournalWriter
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.points.point import Point
from asterpanel_exporter.recorder import Recorder
from asterpanel_exporter.rollup.job import RollUpJob
from asterpanel_switchboard.config import Config

ACTIONS_TIMEOUT_S = 3.0
"""How long the control API waits for the journal to have its actions."""


class NotRecorded(Exception):
    """The journal does not have what it was told; says why."""


class Storage:
    """An asynchronous context manager: inside, what finishes is kept.

    At its end all is written that the switchboards have told; what InfluxDB has not taken then leaves at the
    next start.
    """

    def __init__(
        self, config: Config, switchboards: Mapping[str, LiveSwitchboard], wall_clock: Callable[[], float]
    ) -> None:
        self._config = config
        self._switchboards = switchboards
        self._wall_clock = wall_clock
        self._stack = AsyncExitStack()
        self._sink: InfluxSink | None = None
        self._rollup: RollUpJob | None = None
        self._retention: Retention
        self._writer: JournalWriter
        self._recorder: Recorder

    async def __aenter__(self) -> Self:
        """Open the journal and let the switchboards go on from where the exporter stopped.

        Raises:
            JournalError: the journal cannot be used.
        """
        async with AsyncExitStack() as stack:
            settings = self._config.journal
            journal = stack.enter_context(Journal.open(settings.path))
            self._retention = Retention(journal, settings.retention, settings.max_size)
            writer = JournalWriter(journal, self._retention, wall_clock=self._wall_clock)
            self._recorder = Recorder(self._switchboards, self._tenants(), self._submit)
            self._recorder.restore(journal, self._wall_clock())
            self._writer = await stack.enter_async_context(writer)
            if self._config.influxdb is not None:
                self._sink = InfluxSink(self._config.influxdb, self._config.tenants, settings.path)
                self._sink.start()
                stack.push_async_callback(asyncio.to_thread, self._sink.stop)
            if self._config.exporter.rollup:
                self._rollup = RollUpJob(self._config, self._wake_sink, wall_clock=self._wall_clock)
                self._rollup.start()
                stack.push_async_callback(asyncio.to_thread, self._rollup.stop)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            self._recorder.record()
        finally:
            await self._stack.aclose()

    async def run(self) -> None:
        """Keep what finishes, until cancelled."""
        await self._recorder.run()

    async def record_actions(self, actions: Sequence[ControlAction]) -> None:
        """Have actions of the control API written; returns when the journal has them.

        Actions that are told again, after a failure too, are one action.

        Raises:
            NotRecorded: the journal does not have them, or not yet.
            ValueError: the time of an action cannot be stored.
        """
        self._fail_if_failing()
        written = asyncio.Event()
        try:
            self._recorder.record_actions(actions, written.set)
        except RuntimeError as error:
            raise NotRecorded(str(error)) from None
        try:
            async with asyncio.timeout(ACTIONS_TIMEOUT_S):
                await written.wait()
        except TimeoutError:
            self._fail_if_failing()
            raise NotRecorded(f"no commit within {ACTIONS_TIMEOUT_S:g} s") from None

    def _fail_if_failing(self) -> None:
        if self._writer.problem:
            raise NotRecorded(self._writer.problem)

    def expose(self, out: Exposition) -> None:
        """Add the samples of the journal and of the delivery to InfluxDB."""
        add_journal(out, self._writer)
        if self._rollup is not None:
            add_rollup(out, self._rollup)
        # Lines of a tenant that is configured no more are waiting too, for nobody.
        progress = {tenant: Progress(oldest_pending=at) for tenant, (_, at) in self._writer.backlog.items()}
        if self._sink is not None:
            progress |= self._sink.progress
        for tenant, delivery in progress.items():
            pending, _ = self._writer.backlog.get(tenant, (0, 0.0))
            dropped = self._retention.undelivered_dropped[tenant]
            add_influx(out, tenant, delivery, pending, dropped, self._wall_clock())

    def _tenants(self) -> dict[str, str | None]:
        """Whose bucket a switchboard's points go to; without InfluxDB, nobody's."""
        delivered = self._config.influxdb is not None
        return {
            name: board.tenant if delivered else None for name, board in self._config.switchboards.items()
        }

    def _submit(self, batch: Batch, on_written: Callable[[Sequence[Point]], None]) -> None:
        def written(points: Sequence[Point]) -> None:
            on_written(points)
            if points:
                self._wake_sink()

        self._writer.submit(batch, written)

    def _wake_sink(self) -> None:
        if self._sink is not None:
            self._sink.wake()
