"""A few hours of the exporter's own exposition, sampled as a scrape would, in a real Prometheus."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, TextIO, cast

from asterpanel_control_api.metrics import Metrics
from asterpanel_exporter.exposition import (
    Exposition,
    add_influx,
    add_journal,
    add_rollup,
    add_session,
    switchboard_text,
)
from asterpanel_exporter.influx.sender import Progress
from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.journal.writer import JournalWriter
from asterpanel_exporter.recorder import Recorder, without_journal
from asterpanel_exporter.rollup.job import RollUpJob
from asterpanel_exporter.state import ResyncReason
from asterpanel_switchboard.config import Config
from asterpanel_switchboard.intake import Intake
from asterpanel_switchboard.session import AmiSession, Listener
from tests.dashboards.influx_history import TENANT
from tests.dashboards.traffic import Traffic
from tests.debian import program
from tests.influx_server import free_port
from tests.processes import spawn
from tests.unit import ami
from tests.unit.past import Remembering

SCRAPE_S: Final = 15
START_S: Final = 60.0


class Played:
    """A switchboard of the generated month as the exporter watches it, hour by hour.

    Args:
        config: of the exporter.
        traffic: what the switchboard tells.
        lost_at, back_at: between them there is no connection.
    """

    def __init__(self, config: Config, traffic: Traffic, lost_at: float, back_at: float) -> None:
        self.traffic = traffic
        name = traffic.board.name
        settings = config.queue_settings_for
        self.live = Remembering(
            name, None, lambda queue: settings(name, queue),
            thresholds_s=config.service_level_thresholds_of(name), zone=traffic.board.zone,
        )  # fmt: skip
        self._lost_at, self._back_at = lost_at, back_at
        self._recorder = Recorder({name: self.live}, {name: None}, without_journal)
        self._told = iter(traffic.told())
        self._next = next(self._told, None)
        self._intake = Intake(name)
        self._lists = 0
        self._connect(traffic.since)

    def play(self, until: float) -> None:
        """Let time pass."""
        while self._next is not None and self._next[0] <= until:
            at, frame = self._next
            self._watch(at)
            if self.live.up:
                events, _ = self._intake.feed(frame)
                self.live.receive(events, at)
                self._recorder.record()
            self._next = next(self._told, None)
        self._watch(until)
        self.live.advance(until)
        if self.live.up:
            self.live.pong(until, until, 0.002)
        self._recorder.record()

    def _watch(self, at: float) -> None:
        """The connection as it is then."""
        is_lost = self._lost_at <= at < self._back_at
        if self.live.up and is_lost:
            self.live.disconnected("eof")
        elif not self.live.up and not is_lost:
            self._connect(at)

    def _connect(self, at: float) -> None:
        self._intake = Intake(self.live.name)
        self._intake.feed(ami.GREETING)
        self.live.connected(self._intake.greeting or "")
        self.live.state.take_resync()
        self._lists += 1
        action = self.live.resync_action_id(ResyncReason.CONNECTED, self._lists)
        events, _ = self._intake.feed(ami.listing(action, self.traffic.snapshot(at)))
        self.live.receive(events, at)
        self._recorder.record()


_NOBODY: Final = cast("Listener", None)
"""Sessions that never connect tell nobody anything."""


class OwnMetrics:
    """What the exporter and the control API tell of themselves, in a quiet hour."""

    def __init__(self, config: Config, played: Sequence[Played]) -> None:
        self._sessions = [
            AmiSession(config.switchboards[each.live.name], _NOBODY, wall_clock=time.time) for each in played
        ]
        self._writer = JournalWriter(Journal.open(None))
        self._progress = Progress()
        self._rollup = RollUpJob(config)
        self._control = Metrics()
        self._control.requests.labels("pause", "ok")
        self._control.actions.labels("pause", "ok")
        for name, help_ in _CONTROL_GAUGES.items():
            self._control.gauge(name, help_, lambda: 1.0)

    def lines(self, at: float) -> list[str]:
        """At a scrape."""
        self._writer.points_written += 2
        self._control.requests.labels("pause", "ok").inc()
        self._control.actions.labels("pause", "ok").observe(0.03)
        out = Exposition()
        for session in self._sessions:
            add_session(out, session)
        add_journal(out, self._writer)
        self._rollup.last_success = at - 30
        add_rollup(out, self._rollup)
        add_influx(out, TENANT, self._progress, 0, 0, at)
        control = self._control.exposition("text/plain")[0].decode()
        return [*out.text(openmetrics=False).splitlines(), *control.splitlines()]


_CONTROL_GAUGES: Final = {
    "asterpanel_control_exporter_up": "Whether the exporter answers.",
    "asterpanel_control_streams": "Open streams.",
    "asterpanel_control_audit_waiting": "Audit records that wait.",
}


def write_samples(out: TextIO, lines: Iterable[str], at: float, instance: str = "exporter:9977") -> None:
    """A scrape as OpenMetrics with time stamps, and with the labels that Prometheus adds."""
    target = f'instance="{instance}",job="asterpanel"'
    for line in lines:
        if not line.startswith("#"):
            name, brace, rest = line.partition("{")
            if brace:
                out.write(f"{name}{{{target},{rest} {at:.3f}\n")
            else:
                name, _, value = line.partition(" ")
                out.write(f"{name}{{{target}}} {value} {at:.3f}\n")


def write_history(path: Path, config: Config, played: Sequence[Played], since: float, until: float) -> None:
    """All scrapes of some time. The last switchboard is watched by two exporters."""
    own = OwnMetrics(config, played)
    with path.open("w", encoding="utf-8") as out:
        for number in range(int((until - since) // SCRAPE_S) + 1):
            at = since + number * SCRAPE_S
            for each in played:
                each.play(at)
                write_samples(out, switchboard_text(each.live, at).splitlines(), at)
            write_samples(out, switchboard_text(played[-1].live, at).splitlines(), at, "exporter-b:9977")
            write_samples(out, own.lines(at), at)
        out.write("# EOF\n")


class Prometheus:
    """Debian's Prometheus with blocks made from such samples."""

    def __init__(self, folder: Path, samples: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._log = folder / "prometheus.log"
        promtool = program("promtool", "prometheus")
        subprocess.run(
            [promtool, "tsdb", "create-blocks-from", "openmetrics", samples, folder / "tsdb"],
            check=True, capture_output=True, text=True, timeout=100,
        )  # fmt: skip
        (folder / "prometheus.yml").write_text("scrape_configs: []\n", encoding="ascii")

    def command(self) -> list[str]:
        return [
            str(program("prometheus", "prometheus")),
            f"--config.file={self._folder}/prometheus.yml",
            f"--storage.tsdb.path={self._folder}/tsdb",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--query.lookback-delta=20s",  # in blocks made so, no series is marked as ended
            "--log.level=warn",
        ]

    def wait_until_ready(self) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError, HTTPException):
                urllib.request.urlopen(f"{self.url}/-/ready", timeout=1.0)  # noqa: S310
                return
            time.sleep(0.05)
        raise AssertionError(f"Prometheus did not start: {self._log.read_text()[-2000:]}")

    def ask(self, path: str, arguments: Mapping[str, Any]) -> Any:
        """``data`` of the answer.

        Raises:
            AssertionError: it is an error; says which.
        """
        query = urllib.parse.urlencode(arguments, doseq=True).encode()
        request = urllib.request.Request(f"{self.url}{path}", query)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30.0) as answer:  # noqa: S310
                content = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{arguments}: {error.read().decode()}") from error
        assert not content.get("warnings"), content["warnings"]
        return content["data"]

    def instant(self, query: str, at: float) -> list[dict[str, Any]]:
        """The vector of an instant query."""
        answer = self.ask("/api/v1/query", {"query": query, "time": at})
        found: list[dict[str, Any]] = answer["result"]
        return found

    def over_time(self, query: str, since: float, until: float, step_s: float) -> list[dict[str, Any]]:
        """The matrix of a range query."""
        arguments = {"query": query, "start": since, "end": until, "step": step_s}
        found: list[dict[str, Any]] = self.ask("/api/v1/query_range", arguments)["result"]
        return found

    def series(self, match: str, since: float, until: float) -> list[dict[str, str]]:
        """The label sets that match."""
        found: list[dict[str, str]] = self.ask(
            "/api/v1/series", {"match[]": match, "start": since, "end": until}
        )
        return found


@contextlib.contextmanager
def prometheus(folder: Path, samples: Path) -> Iterator[Prometheus]:
    """It, running.

    Raises:
        ProgramUnavailable: it cannot be had here.
    """
    server = Prometheus(folder, samples)
    with (folder / "prometheus.log").open("ab") as log:
        process = spawn(server.command(), log.fileno())
    try:
        server.wait_until_ready()
        yield server
    finally:
        process.kill()
        process.wait()
