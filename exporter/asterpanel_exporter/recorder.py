"""From the histories of the switchboards to the journal, and what is counted once it is there.

Metrics and today's sums are raised only when the journal has what they count: a counter that was scraped
never falls back, whenever the exporter is killed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from asterpanel_exporter.history.records import ControlAction, Record
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.journal.today import restore_today
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.points.point import Point, point_of

_log = logging.getLogger(__name__)

INTERVAL_S = 0.2
"""How often what has changed is handed to the journal."""

HEARTBEAT_S = 5.0
"""How often it is noted, where nothing changes, that a switchboard is watched: a gap begins there."""

Submit = Callable[[Batch, Callable[[Sequence[Point]], None]], None]
"""Write a batch some time soon, then call back with the points that are new, in the order of submission."""


class Recorder:
    """Writes the histories of some switchboards to one journal.

    Args:
        switchboards: by name.
        tenants: whose InfluxDB bucket a switchboard's points go to; None: the journal keeps them.
        submit: writes a batch.
    """

    def __init__(
        self,
        switchboards: Mapping[str, LiveSwitchboard],
        tenants: Mapping[str, str | None],
        submit: Submit,
    ) -> None:
        self._switchboards = switchboards
        self._tenants = tenants
        self._submit = submit
        self._beat_at = 0.0

    def restore(self, journal: Journal, now: float) -> None:
        """Let the switchboards go on from where the exporter stopped; ``now``: our time."""
        for name, live in self._switchboards.items():
            live.today.begin(now)
            restore_today(journal, name, live.today)
            for what in live.restore(journal.open_items(name), journal.totals(name)):
                _log.warning("%s: the journal has something that cannot be read, left out: %s", name, what)

    async def run(self) -> None:
        """Record until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            self.record()

    def record(self) -> None:
        """Hand over what has changed."""
        now = time.monotonic()
        beat = now - self._beat_at >= HEARTBEAT_S
        if beat:
            self._beat_at = now
        for live in self._switchboards.values():
            if beat or live.history.has_changes:
                self.record_one(live)

    def record_one(self, live: LiveSwitchboard) -> None:
        """Hand over what has changed on one switchboard."""
        changes = live.history.take()
        batch = Batch(
            points=[(self._tenants[live.name], point) for point in _points(live.name, changes.records)],
            open_items={(live.name, kind, key): data for (kind, key), data in changes.open_items.items()},
            totals={
                (live.name, *key): value
                for key, value in live.accepted_totals.add(
                    changes.records, changes.offered, changes.thresholds_s
                ).items()
            },
        )
        if batch:
            self._submit(batch, lambda _: live.recorded(changes))

    def record_actions(self, actions: Sequence[ControlAction], on_written: Callable[[], None]) -> None:
        """Hand over what the control API did; ``on_written`` is called once the journal has it.

        Raises:
            ValueError: the time of an action cannot be stored.
        """
        batch = Batch(points=[(self._tenants[action.switchboard], point_of(action)) for action in actions])
        self._submit(batch, lambda _: on_written())


def _points(switchboard: str, records: Sequence[Record]) -> Iterator[Point]:
    """The points that records make. One that cannot be written holds up no other."""
    for record in records:
        try:
            yield point_of(record)
        except ValueError as error:
            _log.error("%s: a %s cannot be kept: %s", switchboard, type(record).__name__, error)


def without_journal(batch: Batch, on_written: Callable[[Sequence[Point]], None]) -> None:
    """Write nothing: what is counted is enough."""
    on_written([point for _, point in batch.points])
