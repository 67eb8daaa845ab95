"""Real servers with the generated month and the recordings in them, for all tests that ask them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.dashboards.call_centre import MILANO, MUMBAI
from tests.dashboards.influx_history import BUCKET, config, load
from tests.dashboards.month import Month, month
from tests.dashboards.panels import ZONE, Span
from tests.dashboards.prometheus_history import Played, Prometheus, prometheus, write_history
from tests.dashboards.recorded import recorded
from tests.dashboards.traffic import Traffic
from tests.influx_server import Influx, influx_1

WATCHED_SINCE: Final = datetime(2026, 10, 13, 8, 0, tzinfo=UTC).timestamp()
"""From here on there are metrics. From 9:12 to 9:37 milano could not be watched."""

NOW: Final = datetime(2026, 10, 13, 11, 0, tzinfo=UTC).timestamp()
"""To here."""

TRAFFIC_UNTIL: Final = NOW + 3600

ALL_OVER: Final = datetime(2026, 11, 24, tzinfo=UTC).timestamp()
"""All has happened: the month, and the recordings."""

LIVE: Final = Span(int(WATCHED_SINCE * 1000), int(NOW * 1000), 15)
"""All that there are metrics of."""


def _midnight(day: int) -> int:
    return int(datetime(2026, 10, day, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


RECORDED_DAYS: Final = Span(
    int(datetime(2026, 11, 22, tzinfo=UTC).timestamp() * 1000), int(ALL_OVER * 1000) - 1, 1800
)

WEEK: Final = Span(_midnight(19), _midnight(26) - 1, 1800)
"""A week of Rome's, an hour longer than others: on its last day the clocks went back."""


@dataclass(frozen=True)
class Loaded:
    """The servers, and what is in them.

    Attributes:
        played: the switchboards that Prometheus' history is of.
    """

    influx: Influx
    prometheus: Prometheus
    month: Month
    played: list[Played]

    def influxql(self, query: str) -> list[dict[str, Any]]:
        return self.influx.influxql(BUCKET, query)

    def instant(self, query: str, at: float) -> list[dict[str, Any]]:
        return self.prometheus.instant(query, at)

    def over_time(self, query: str, since: float, until: float, step_s: float) -> list[dict[str, Any]]:
        return self.prometheus.over_time(query, since, until, step_s)

    def series(self, match: str, since: float, until: float) -> list[dict[str, str]]:
        return self.prometheus.series(match, since, until)


@contextlib.contextmanager
def loaded(folder: Path) -> Iterator[Loaded]:
    """All of it, running.

    Raises:
        ProgramUnavailable: a server cannot be had here.
    """
    with contextlib.ExitStack() as stack:
        influx = stack.enter_context(influx_1(folder / "influx"))
        settings = config(folder, influx)
        whole = month()
        load(influx, settings, [*whole.records, *recorded()], ALL_OVER)
        gap = next(gap for gap in whole.gaps if gap.switchboard == MILANO.name)
        lost_and_back = {MILANO: (gap.started_at, gap.started_at + gap.duration_s)}
        played = [
            Played(
                settings, Traffic(board, whole, WATCHED_SINCE, TRAFFIC_UNTIL),
                *lost_and_back.get(board, (TRAFFIC_UNTIL, TRAFFIC_UNTIL)),
            )
            for board in (MILANO, MUMBAI)
        ]  # fmt: skip
        samples = folder / "samples.om"
        write_history(samples, settings, played, WATCHED_SINCE, NOW)
        server = stack.enter_context(prometheus(folder, samples))
        yield Loaded(influx, server, whole, played)
