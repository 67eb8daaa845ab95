"""The exporter killed again and again (SIGKILL) while a real Asterisk is busy: nothing that the journal has
accepted is lost or doubled, and what was missed is counted exactly.

On Asterisk 22 only: 16 counts some calls through Local channels twice, so that its counters prove nothing.
"""

from __future__ import annotations

import random
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.manager_conf import Version, event_filter
from tests.exporter_process import ExporterProcess, Samples, of
from tests.pbx import queue_log
from tests.pbx.busy_hour import BusyHour, busy_pbx, is_quiet
from tests.pbx.fixtures import MakePbx
from tests.pbx.install import AsteriskVersion
from tests.pbx.pbx import Pbx, wait_until

KILLS = 50
LIVES_S = ((0.0, 2.0), (0.0, 2.0), (0.0, 2.0), (3.0, 7.0))
"""The exporter is killed at any moment: while it starts, before it has settled what was missed, or later."""

DOWN_S = 1.0
HOUR_S = 110.0

UNCOUNTED = {"exit_key", "full", "join_empty"}
"""Callers whom Asterisk counts neither as completed nor as abandoned."""

POINTS = ("queue_call", "agent_attempt", "agent_pause", "agent_session", "switchboard_gap")


@pytest.fixture
def pbx(make_pbx: MakePbx, pbx_version: AsteriskVersion) -> Pbx:
    """A PBX for the hour, with our filter, without phones."""
    if pbx_version != "22":
        pytest.skip("Asterisk 16 counts some calls through Local channels twice")
    filters = "\n".join(event_filter(Version.parse(pbx_version)))
    return make_pbx(name="pbx", event_filter=filters, **busy_pbx())


@pytest.fixture
def exporter(pbx: Pbx, tmp_path: Path) -> ExporterProcess:
    switchboard = {
        "host": pbx.host, "port": pbx.ami_port, "username": "exporter", "secret": pbx.secrets["exporter"],
    }  # fmt: skip
    return ExporterProcess(tmp_path, {"pbx": switchboard}, exporter={"resync_interval": 10.0})


@pytest.mark.timeout(300)
def test_killed_fifty_times(pbx: Pbx, exporter: ExporterProcess) -> None:
    """Every accepted point is there at the end; told and missed calls are all calls that Asterisk counted."""
    hour = BusyHour(pbx, None, seconds=HOUR_S, share=2.5)
    accepted: Counter[tuple[Any, ...]] = Counter()
    scrapes: list[Samples] = []
    with exporter:
        wait_until(lambda: exporter.get("/readyz")[0] == 200, what="the exporter is ready")
        traffic = threading.Thread(target=hour.run)
        traffic.start()
        for _ in range(KILLS):
            _kill_and_restart(exporter, scrapes)
            stored = _stored(exporter)
            assert not accepted - stored, "accepted points are lost"
            accepted = stored
        traffic.join()
        with pbx.ami() as ami:
            wait_until(lambda: is_quiet(ami), 60, "all calls are over")
        wait_until(lambda: _is_up(exporter), 20, "the exporter is ready")
        wait_until(lambda: not _unsettled(exporter), 60, "all calls are told of")
        scrapes.append(exporter.metrics())
    _nothing_is_lost_or_doubled(exporter, accepted, pbx)
    _missed_calls_are_counted(exporter, pbx, scrapes[-1], hour)
    _counters_never_fall(scrapes)


def _kill_and_restart(exporter: ExporterProcess, scrapes: list[Samples]) -> None:
    lives_until = time.monotonic() + random.uniform(*random.choice(LIVES_S))
    while (left := lives_until - time.monotonic()) > 0:
        time.sleep(min(left, 0.25))
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            scrapes.append(exporter.metrics())
    exporter.kill()
    time.sleep(random.uniform(0, DOWN_S))
    exporter.spawn()


def _is_up(exporter: ExporterProcess) -> bool:
    with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
        return exporter.get("/readyz")[0] == 200
    return False


def _journal(exporter: ExporterProcess) -> Journal:
    return Journal.open(exporter.config.with_name("asterpanel-journal.db"), create=False, read_only=True)


def _stored(exporter: ExporterProcess) -> Counter[tuple[Any, ...]]:
    """All points, whole."""
    with _journal(exporter) as journal:
        return Counter(
            (measurement, *row)
            for measurement in POINTS
            for row in journal.rows(f"SELECT * FROM {measurement}_points")  # noqa: S608
        )


def _unsettled(exporter: ExporterProcess) -> int:
    """Calls that are still to be told of, and a gap whose missed calls are still to be counted."""
    with _journal(exporter) as journal:
        [[count]] = journal.rows(
            "SELECT count(*) FROM open_item WHERE (kind = 'call' AND json_extract(data, '$.lost') IS NOT 1) "
            "OR (kind = 'board' AND json_extract(data, '$.gap') IS NOT NULL)"
        )
    return int(count)


def _nothing_is_lost_or_doubled(
    exporter: ExporterProcess, accepted: Counter[tuple[Any, ...]], pbx: Pbx
) -> None:
    assert not accepted - _stored(exporter)
    with _journal(exporter) as journal:
        told = journal.rows("SELECT queue, uniqueid, time, outcome FROM queue_call_points")
    assert max(Counter((queue, uniqueid) for queue, uniqueid, _, _ in told).values()) == 1
    logged = {(call.queue, call.uniqueid): call for call in queue_log.calls(pbx.queue_log())}
    for queue, uniqueid, joined_us, outcome in told:
        if outcome not in UNCOUNTED - {"exit_key"}:
            assert joined_us / 1e6 == pytest.approx(logged[queue, uniqueid].at, abs=1.05)


def _missed_calls_are_counted(exporter: ExporterProcess, pbx: Pbx, metrics: Samples, hour: BusyHour) -> None:
    with _journal(exporter) as journal:
        [[told]] = journal.rows(
            "SELECT count(*) FROM queue_call_points WHERE outcome NOT IN (SELECT value FROM json_each(?))",
            ['["exit_key", "full", "join_empty"]'],
        )
        [[missed, gaps]] = journal.rows("SELECT sum(calls_missed), count(*) FROM switchboard_gap_points")
    counted = {
        name: (queue.completed, queue.abandoned)
        for name, queue in pbx.queue_show().items()
        if queue.completed or queue.abandoned
    }
    total = sum(map(sum, counted.values()))
    print(f"{told} calls told of, {missed} missed in {gaps} gaps; Asterisk counted {total}: {counted}")
    logged = sum(call.outcome not in UNCOUNTED for call in queue_log.calls(pbx.queue_log()))
    # Asterisk 22 forgets to count a call whose member is removed in the course of it; we may have seen it.
    assert logged - len(hour.memberships) <= total <= told + missed <= logged
    assert of(metrics, "asterpanel_calls_missed_total", switchboard="pbx") == missed


def _counters_never_fall(scrapes: list[Samples]) -> None:
    highest: Samples = {}
    for scrape in scrapes:
        for key, value in _counters(scrape):
            assert value >= highest.get(key, 0), key
            highest[key] = value


def _counters(scrape: Samples) -> Iterator[tuple[Any, float]]:
    for (name, labels), value in scrape.items():
        if name.startswith(("asterisk_queue_", "asterpanel_calls_")) and name.endswith(
            ("_total", "_count", "_sum", "_bucket")
        ):
            yield (name, labels), value
