"""The roll-up of a month of 1,000,000 calls, then what each further minute adds; and what it is for: a report
on the month out of InfluxDB.

The baseline of the roll-up is bare `sqlite3`: the sums of the calls alone, by queue and half hour, from the
same journal. That of the report is the same InfluxQL over the points of single calls.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import statistics
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from asterpanel_exporter.history.encoding import encode
from asterpanel_exporter.history.records import Outcome, QueueCall
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.points.catalogue import QUEUE_CALL, QUEUE_INTERVAL, Measurement
from asterpanel_exporter.points.point import Point, point_of
from asterpanel_exporter.rollup.rollup import roll_up
from asterpanel_switchboard.config import Config, load_config
from tests.debian import ProgramUnavailable
from tests.influx_server import BINARY_2_VARIABLE, ORG, TOKEN, Influx, influx_1, influx_2
from tests.load import bench_report
from tests.load.bench_report import AGENTS, CALLS, MONTH_S, QUEUES, START

END: Final = START + MONTH_S
MINUTES: Final = 10
MINUTE_CALLS: Final = round(CALLS * 60 / MONTH_S)
MINUTE_GOAL_S: Final = 1.0
MEMBERSHIPS: Final = 3
QUERIES: Final = 5
QUERY_GOAL_S: Final = 1.0
LINES_AT_ONCE: Final = 5000

_BARE: Final = """
SELECT queue, time / 1800000000, outcome, count(*), sum(wait_s), max(wait_s), sum(ring_s), sum(talk_s),
    sum(transferred), sum(short_abandon), sum(within_sl), sum(abandoned_within_sl)
FROM queue_call_points WHERE switchboard = 'milano' AND time >= ? AND time < ? GROUP BY 1, 2, 3
"""
_SUMS: Final = ", ".join(
    f'sum("{name}")' for name in ("offered", "answered", "abandoned", "within_sl", "talk_s")
)
_WHERE: Final = f"time >= {int(START)}s AND time < {int(END)}s AND \"switchboard\" = 'milano'"
_GROUPS: Final = {
    "by queue": '"queue"',
    "by queue and day": "\"queue\", time(1d) fill(none) tz('Europe/Rome')",
}


def run() -> str:
    """Build the month, roll it up, go on for some minutes, and ask InfluxDB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "asterpanel.yml").write_text(bench_report.CONFIG, encoding="utf-8")
        (folder / "secret").write_text("none", encoding="ascii")
        bench_report.build_journal(folder / "journal.db")
        config = load_config(folder / "asterpanel.yml")
        return "\n".join([_whole(config), _minutes(config), *_reports(config.journal.path, folder)])


def _whole(config: Config) -> str:
    began = time.process_time()
    whole_s = _timed(lambda: roll_up(config))
    used_s = time.process_time() - began
    bare_s = _timed(lambda: _bare(config.journal.path, START, END))
    return (
        f"a month of {CALLS:,} calls, {QUEUES} queues, {AGENTS} agents in each: {whole_s:.0f} s, of which "
        f"{used_s:.0f} s of processor; bare sqlite3, sums of the calls alone: {bare_s:.1f} s; "
        f"ratio {bare_s / whole_s:.3f}"
    )


def _minutes(config: Config) -> str:
    """Members are there now too, who count up to the minute."""
    path = config.journal.path
    _log_in(path)
    roll_up(config)
    ours, bare = [], []
    for minute in range(MINUTES):
        start = END + 60 * minute
        _add_calls(path, start)
        ours.append(_timed(lambda: roll_up(config)))
        bare.append(_timed(lambda: _bare(path, start // 1800 * 1800, start + 60)))  # noqa: B023 # called at once
    return (
        f"a minute of {MINUTE_CALLS} calls and {AGENTS * MEMBERSHIPS} memberships that go on: "
        f"{statistics.median(ours):.2f} s (goal {MINUTE_GOAL_S:g} s, max {max(ours):.2f}); bare sqlite3, "
        f"sums of the half hour's calls: {statistics.median(bare):.3f} s"
    )


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _bare(path: Path, start: float, end: float) -> None:
    plain = sqlite3.connect(path)
    plain.execute(_BARE, (round(start * 1e6), round(end * 1e6))).fetchall()
    plain.close()


def _log_in(path: Path) -> None:
    items: dict[tuple[str, str, str], str | None] = {("milano", "board", ""): encode({"known_at": END})}
    for number in range(AGENTS):
        agent = {"agent": str(1001 + number), "agent_name": f"Agent {1001 + number}", "started_at": END}
        for place in range(MEMBERSHIPS):
            queue = f"queue{(number + place) % QUEUES:02}"
            items["milano", "session", f"{queue}|{number}"] = encode({**agent, "queue": queue})
    with Journal.open(path) as journal:
        journal.write(Batch(open_items=items), 0.0)


def _add_calls(path: Path, start: float) -> None:
    calls = [
        QueueCall(
            "milano", f"queue{number % QUEUES:02}", Outcome.ANSWERED, start + number, f"{start:.0f}.{number}",
            agent=str(1001 + number), agent_name=f"Agent {1001 + number}",
            wait_s=5.0, ring_s=3.0, talk_s=30.0, sl_threshold_s=20.0,
        )
        for number in range(MINUTE_CALLS)
    ]  # fmt: skip
    known: dict[tuple[str, str, str], str | None] = {
        ("milano", "board", ""): encode({"known_at": start + 60})
    }
    with Journal.open(path) as journal:
        journal.write(Batch([(None, point_of(each)) for each in calls], known), 0.0)


# --- reports out of InfluxDB --------------------------------------------------------------------------


def _reports(path: Path, folder: Path) -> Iterator[str]:
    servers = {"1.6.7": influx_1} | ({"2.7": influx_2} if os.environ.get(BINARY_2_VARIABLE) else {})
    for version, server in servers.items():
        try:
            with server(folder / version) as influx:
                yield from _reports_of(influx, path)
        except ProgramUnavailable as reason:
            yield f"InfluxDB {version}: {reason}"


def _reports_of(influx: Influx, path: Path) -> Iterator[str]:
    bucket = influx.make_bucket("month")
    for measurement in (QUEUE_CALL, QUEUE_INTERVAL):
        _load(influx, bucket, path, measurement)
    for title, groups in _GROUPS.items():
        calls_s, halves_s = (
            statistics.median(
                _timed(lambda: influx.influxql(bucket, _query(kind, groups)))  # noqa: B023 # called at once
                for _ in range(QUERIES)
            )
            for kind in (QUEUE_CALL.name, QUEUE_INTERVAL.name)
        )
        yield (
            f"InfluxDB {influx.version}, report on the month {title}: {halves_s:.3f} s from queue_interval "
            f"(goal {QUERY_GOAL_S:g} s), {calls_s:.3f} s from queue_call; ratio {calls_s / halves_s:.1f}"
        )


def _query(kind: str, groups: str) -> str:
    return f'SELECT {_SUMS} FROM "{kind}" WHERE {_WHERE} GROUP BY {groups}'  # noqa: S608


def _load(influx: Influx, bucket: str, path: Path, measurement: Measurement) -> None:
    lines = (point.line for point in _points(path, measurement))
    while some := list(islice(lines, LINES_AT_ONCE)):
        _post(influx, bucket, some)


def _points(path: Path, measurement: Measurement) -> Iterator[Point]:
    names = [f'"{tag.name}"' for tag in measurement.tags] + [f'"{each.name}"' for each in measurement.fields]
    tags = len(measurement.tags)
    with contextlib.closing(sqlite3.connect(path)) as db:
        for time_us, *values in db.execute(
            f"SELECT time, {', '.join(names)} FROM {measurement.name}_points"  # noqa: S608
        ):
            yield Point(measurement, time_us, tuple(values[:tags]), tuple(values[tags:]))


def _post(influx: Influx, bucket: str, lines: Iterable[str]) -> None:
    is_1 = influx.version.startswith("1.")
    given = {"db": bucket} if is_1 else {"bucket": bucket, "org": ORG, "precision": "ns"}
    way = "/write" if is_1 else "/api/v2/write"
    request = urllib.request.Request(  # noqa: S310
        f"{influx.process.url}{way}?{urllib.parse.urlencode(given)}",
        "\n".join(lines).encode(),
        {} if is_1 else {"Authorization": f"Token {TOKEN}"},
    )
    urllib.request.urlopen(request, timeout=60.0).close()  # noqa: S310
