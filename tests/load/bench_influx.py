"""Points a second from the journal into a real InfluxDB, until it has acknowledged all; beside it
influxdb-client's own batching writer, fed with the same points.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from influxdb_client import InfluxDBClient, Point, WriteOptions

from asterpanel_exporter.history.records import EndedBy, Outcome, QueueCall
from asterpanel_exporter.influx.sink import InfluxSink
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.points import point as points
from asterpanel_exporter.points.catalogue import FieldType
from asterpanel_switchboard.config import InfluxConfig
from tests.debian import ProgramUnavailable
from tests.influx_server import BINARY_2_VARIABLE, Influx, influx_1, influx_2

POINTS: Final = 60_000
PAIRS: Final = 5
GOAL: Final = 20_000
TENANT: Final = "bench"
BATCH_SIZE: Final = 5000
TIMEOUT_S: Final = 120.0
NS_PER_US: Final = 1000


def run() -> str:
    """Both writers in turn, each into a new bucket of the same server."""
    given = [points.point_of(call) for call in _calls(POINTS)]
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder) / "server") as influx:
        ours, theirs = [], []
        for pair in range(PAIRS):
            theirs.append(_client_library(influx, influx.make_bucket(f"library-{pair}"), given))
            ours.append(
                _journal(influx, influx.make_bucket(f"ours-{pair}"), given, Path(folder) / f"{pair}.db")
            )
        version = influx.version
    ratios = [theirs_s / ours_s for ours_s, theirs_s in zip(ours, theirs, strict=True)]
    return (
        f"journal → InfluxDB {version}, {POINTS} queue calls, {BATCH_SIZE} a request, gzip; "
        "baseline: influxdb-client's batching writer with the same points\n"
        f"sink {POINTS / statistics.median(ours):,.0f} points a second, "
        f"influxdb-client {POINTS / statistics.median(theirs):,.0f}; "
        f"ratio {statistics.median(ratios):.2f} (min {min(ratios):.2f}, max {max(ratios):.2f}, "
        f"{PAIRS} pairs); goal {GOAL:,} points a second"
    )


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[Influx]:
    try:
        with influx_2(folder) if os.environ.get(BINARY_2_VARIABLE) else influx_1(folder) as server:
            yield server
    except ProgramUnavailable as reason:
        raise SystemExit(str(reason)) from reason


def _config(influx: Influx, bucket: str) -> InfluxConfig:
    is_2 = influx.version.startswith("2.")
    return influx.config(bucket, direct=is_2, batch_size=BATCH_SIZE, timeout=60.0)


def _journal(influx: Influx, bucket: str, given: list[points.Point], path: Path) -> float:
    with Journal.open(path) as journal:
        journal.write(Batch([(TENANT, point) for point in given]), time.time())
        sink = InfluxSink(_config(influx, bucket), [TENANT], path)
        progress = sink.progress[TENANT]
        started = time.perf_counter()
        sink.start()
        while progress.delivered < POINTS:
            if time.perf_counter() - started > TIMEOUT_S:
                raise AssertionError(f"{progress.delivered} of {POINTS} delivered: {progress.problem}")
            time.sleep(0.002)
        seconds = time.perf_counter() - started
        sink.stop()
    _check(influx, bucket)
    return seconds


def _client_library(influx: Influx, bucket: str, given: list[points.Point]) -> float:
    config = _config(influx, bucket)
    target = config.target_for(TENANT)
    token = target.token.get_secret_value() if target.token else None
    records = [_their_point(point) for point in given]
    options = WriteOptions(batch_size=BATCH_SIZE, flush_interval=60_000)
    with InfluxDBClient(target.url, token, org=target.org, timeout=60_000, enable_gzip=True) as client:
        started = time.perf_counter()
        with client.write_api(write_options=options) as writer:
            writer.write(bucket, record=records)
        seconds = time.perf_counter() - started
    _check(influx, bucket)
    return seconds


def _check(influx: Influx, bucket: str) -> None:
    stored = influx.count(bucket, "queue_call", "offered")
    if stored != POINTS:
        raise AssertionError(f"InfluxDB has {stored} of {POINTS} points")


def _their_point(point: points.Point) -> Point:
    made = Point(point.measurement.name).time(point.time_us * NS_PER_US)
    for tag, value in zip(point.measurement.tags, point.tags, strict=True):
        made.tag(tag.name, value)
    for field, field_value in zip(point.measurement.fields, point.fields, strict=True):
        if field.type is not FieldType.STRING or field_value:
            made.field(field.name, field_value)
    return made


def _calls(number: int) -> Iterator[QueueCall]:
    for i in range(number):
        yield QueueCall(
            switchboard="milano",
            queue=f"queue-{i % 20}",
            outcome=Outcome.ANSWERED,
            joined_at=1_790_000_000 + i * 0.05,
            uniqueid=f"{1_790_000_000 + i // 20}.{i}",
            linkedid=f"{1_790_000_000 + i // 20}.{i}",
            caller=f"+3902{i:07}",
            caller_name=f"Caller {i % 5000}",
            agent=f"{1000 + i % 200}",
            agent_name=f"Agent {i % 200}",
            ended_by=EndedBy.CALLER,
            wait_s=i % 300 + 0.125,
            ring_s=i % 20 + 0.25,
            talk_s=i % 900 + 0.875,
            position_in=1 + i % 9,
            position_out=1,
            attempts=1,
            sl_threshold_s=20.0,
        )


if __name__ == "__main__":
    print(run())
