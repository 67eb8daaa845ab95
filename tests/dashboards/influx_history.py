"""Records into a real InfluxDB by the exporter's own way: journal, roll-up, sink."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Final

import yaml

from asterpanel_exporter.history.records import Record
from asterpanel_exporter.influx.sink import InfluxSink
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.points.point import point_of
from asterpanel_exporter.rollup.rollup import RollUp
from asterpanel_switchboard.config import Config, load_config
from tests.dashboards.call_centre import SWITCHBOARDS, configuration
from tests.dashboards.recorded import RECORDED
from tests.influx_server import Influx

TENANT: Final = "default"
BUCKET: Final = "asterpanel-default"
AT_ONCE: Final = 2000
WITHIN_S: Final = 90.0


def config(folder: Path, influx: Influx, **sections: Any) -> Config:
    """Of the generated call centre. ``sections``: others of the file."""
    (folder / "secret").write_text("hunter2", encoding="ascii")
    boards = {
        board.name: {
            "host": "127.0.0.1", "username": "asterpanel", "secret_file": "secret",
            "time_zone": board.zone.key,
        }
        for board in (*SWITCHBOARDS, RECORDED)
    }  # fmt: skip
    content = {
        "switchboards": boards,
        "journal": {"path": "journal.db"},
        **configuration(),
        **sections,
    }
    file = folder / "asterpanel.yml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_config(file).model_copy(update={"influxdb": influx.config(BUCKET, batch_size=5000)})


def load(influx: Influx, config: Config, records: Iterable[Record], now: float) -> int:
    """Deliver records, and what the roll-up makes of them at a time; returns how many points there are.

    Raises:
        AssertionError: InfluxDB has refused some, or does not take them.
    """
    assert config.influxdb is not None
    influx.make_bucket(BUCKET)
    with Journal.open(config.journal.path) as journal:
        _write(journal, records)
        for _ in RollUp(journal, config, lambda: now).steps():
            pass
        written = sum(lines for lines, _ in journal.backlog().values())
        sink = InfluxSink(config.influxdb, [TENANT], config.journal.path)
        sink.start()
        try:
            _wait_until_delivered(sink, written)
        finally:
            sink.stop()
        assert not journal.dead_letters(limit=3)
    return written


def _write(journal: Journal, records: Iterable[Record]) -> None:
    rest = iter(records)
    while batch := list(islice(rest, AT_ONCE)):
        journal.write(Batch([(TENANT, point_of(record)) for record in batch]), time.time())


def _wait_until_delivered(sink: InfluxSink, lines: int) -> None:
    until = time.monotonic() + WITHIN_S
    progress = sink.progress[TENANT]
    while progress.delivered + progress.refused < lines:
        assert time.monotonic() < until, f"InfluxDB has {progress.delivered} of {lines}: {progress.problem}"
        time.sleep(0.02)
