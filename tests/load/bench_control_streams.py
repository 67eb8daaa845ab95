"""From a change on a switchboard to 200 readers of the control API, each of whom sees what he may.

Three processes: an exporter whose switchboards change, `asterpanel-control-api` as its users run it, and the
readers, who come with id tokens of Grafana or bearer tokens: agents, each with a sight of his own, and
supervisors, viewers and masters. A latency goes from the event's arrival at the exporter to the reader; the
baseline is a reader of the exporter's own stream in the same run.

The first scenario takes the demand by its word: every change is a patch of its own, and every reader gets
each. Then come readers who take nothing, and readers who vanish and come back.

ASTERPANEL_BENCH_SOAK_S: how long that goes on, in seconds, for the memory. Default: 30.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.grafana_keys import GrafanaKeys
from tests.load.busy_switchboards import TEAMS, BusyExporter
from tests.load.control_crowd import Crowd, control_api, people
from tests.load.stream_readers import Reader, Readers

CHANGES_PER_S = 20
SECONDS = 12.0
SOAK_S = float(os.environ.get("ASTERPANEL_BENCH_SOAK_S", "30"))
WARM_UP_S = 3.0
SETTLE_S = 2.0
EACH_CHANGE_S = 0.02
"""Between two patches of the exporter's stream, so that each change is one."""

SILENT = 20
VAGRANTS = 20
STAY_S = 2.0


def run() -> str:
    """The figures of all scenarios."""
    one, ten = ["milano"], [f"site-{number}" for number in range(10)]
    return "\n".join(
        [
            *_scenario("each change is a patch", one, EACH_CHANGE_S, disturbed=True),
            *_scenario("the exporter's own pace", one, None),
            *_scenario("ten switchboards", ten, None),
        ]
    )


def _scenario(
    title: str, switchboards: list[str], interval_s: float | None, *, disturbed: bool = False
) -> Iterator[str]:
    with (
        BusyExporter(switchboards, CHANGES_PER_S, interval_s) as exporter,
        GrafanaKeys() as grafana,
        tempfile.TemporaryDirectory() as folder,
        control_api(Path(folder), switchboards, exporter, grafana) as api,
    ):
        readers = Readers()
        scenario = _Scenario(readers, Crowd(api, exporter, grafana), _worker_of(api.config), switchboards)
        try:
            where = (
                f"each of {len(switchboards)} switchboards" if len(switchboards) > 1 else "one switchboard"
            )
            yield f"{title}: {len(scenario.people)} streams, {CHANGES_PER_S} changes a second on {where}"
            yield from scenario.connect()
            yield from scenario.measure("undisturbed", SECONDS)
            if disturbed:
                yield from scenario.disturb()
                yield from scenario.measure("disturbed", SOAK_S)
                yield from scenario.undisturb()
            yield from scenario.verdict(exporter)
        finally:
            readers.close()


class _Scenario:
    """The readers of one run of the API. What happens is told line by line."""

    def __init__(self, readers: Readers, crowd: Crowd, worker: int, switchboards: list[str]) -> None:
        self._readers = readers
        self._crowd = crowd
        self._worker = worker
        self.people = [
            crowd.reader(name, switchboards[number % len(switchboards)])
            for number, name in enumerate(people())
        ]
        self._baseline = crowd.baseline(switchboards[0])
        self._vagrants = _strangers(crowd, "supervisor", VAGRANTS, switchboards[0])
        self._silent = _strangers(crowd, "viewer", SILENT, switchboards[0])
        self._moving = False

    def connect(self) -> Iterator[str]:
        """All at once."""
        self._readers.connect(self._baseline)
        self._until(self._crowd.is_ready)
        before = _usage(self._worker)
        for reader in self.people:
            self._readers.connect(reader)
        self._until(lambda: all(reader.document is not None for reader in self.people))
        waits = sorted(reader.snapshot_after_s for reader in self.people)
        self._readers.run(WARM_UP_S)
        after = _usage(self._worker)
        yield (
            f"  all connect at once: snapshots after {waits[0] * 1e3:.0f} to {waits[-1] * 1e3:.0f} ms; "
            f"threads {before.threads}, then {after.threads}; "
            f"memory {before.memory_mb:.0f} MB, then {after.memory_mb:.0f} MB"
        )

    def measure(self, title: str, seconds: float) -> Iterator[str]:
        """Latencies, processor and memory over some time."""
        for reader in (*self.people, self._baseline):
            reader.begin_measuring()
        begun, ours, before = time.monotonic(), time.process_time(), _usage(self._worker)
        memory = [before.memory_mb]
        for _ in range(4):
            self._readers.run(seconds / 4)
            memory.append(_usage(self._worker).memory_mb)
        spent_s, after = time.monotonic() - begun, _usage(self._worker)
        cpu, our_cpu = (after.cpu_s - before.cpu_s) / spent_s, (time.process_time() - ours) / spent_s
        for reader in (*self.people, self._baseline):
            reader.measuring = False
        patches = statistics.fmean(reader.patches for reader in self.people) / spent_s
        changes = statistics.fmean(len(reader.latencies) for reader in self.people) / spent_s
        yield f"  {title}, {spent_s:.0f} s: {changes:.1f} changes a second to each in {patches:.1f} patches"
        yield from self._latencies()
        yield (
            f"    memory {', '.join(f'{mb:.1f}' for mb in memory)} MB; processor {cpu:.0%} of a core "
            f"(the readers' own {our_cpu:.0%}); threads {after.threads}"
        )

    def _latencies(self) -> Iterator[str]:
        all_of_them = _Latencies.of(self.people)
        baseline = _Latencies.of([self._baseline])
        yield f"    change to reader {all_of_them}"
        yield f"    baseline {baseline}; p99 ratio {all_of_them.p99_s / baseline.p99_s:.2f}"

    def disturb(self) -> Iterator[str]:
        """Some come who read nothing, and some who vanish and come back all the time."""
        self._moving = True
        for silent in self._silent:
            self._readers.connect_silent(silent)
        for number, vagrant in enumerate(self._vagrants):
            self._readers.connect(vagrant)
            self._readers.later(STAY_S * (1 + number / VAGRANTS), partial(self._move_on, vagrant))
        yield f"  and {SILENT} who take nothing, {VAGRANTS} who vanish every {STAY_S:g} s and come back"

    def _move_on(self, vagrant: Reader) -> None:
        if self._moving:
            self._readers.cut(vagrant)
            self._readers.later(STAY_S, partial(self._move_on, vagrant))

    def undisturb(self) -> Iterator[str]:
        """What became of those."""
        self._moving = False
        self._until(lambda: all(map(self._readers.is_connected, self._vagrants)))
        self._readers.run(1.0)
        left = self._crowd.open_streams() - len(self.people) - len(self._vagrants)
        came = sum(vagrant.kinds["snapshot"] for vagrant in self._vagrants) - VAGRANTS
        yield (
            f"    streams of those who take nothing that are left: {left}; returns with what was missed: "
            f"{sum(vagrant.resumed for vagrant in self._vagrants)}, with a snapshot: {came}, refused: "
            f"{sum(vagrant.refused.total() for vagrant in self._vagrants)}"
        )

    def verdict(self, exporter: BusyExporter) -> Iterator[str]:
        """Whether all was in order, and everybody has in the end what he may see.

        A caller who comes and goes between two patches, as when the machine stands still, is in neither.
        """
        made = exporter.stop_changes()
        self._readers.run(SETTLE_S)
        seen = sum(reader.seen.total() for reader in self.people)
        skipped = sum(reader.skipped(made[reader.switchboard]) for reader in self.people)
        readers = [*self.people, *(vagrant for vagrant in self._vagrants if vagrant.document)]
        disorder = sum(reader.disorder for reader in readers)
        wrong = [reader.name for reader in readers if not self._crowd.has_what_he_may_see(reader)]
        yield (
            f"  in all {seen} changes seen, {skipped} undone before the next patch, {disorder} out of order; "
            f"{len(readers) - len(wrong)} of {len(readers)} readers have exactly what they may see"
        )
        if disorder or wrong:
            raise AssertionError(f"{disorder} out of order; wrong: {wrong}")

    def _until(self, condition: Callable[[], bool]) -> None:
        if not self._readers.run(30.0, condition):
            raise AssertionError("not within 30 s")


def _strangers(crowd: Crowd, role: str, number: int, switchboard: str) -> list[Reader]:
    """More of a role, who are not in `people`."""
    names = [f"{role}-{n % TEAMS}-{4 + n // TEAMS}" for n in range(number)]
    return [crowd.reader(name, switchboard) for name in names]


# --- figures ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Latencies:
    """Median, 99th percentile and greatest, in seconds."""

    median_s: float
    p99_s: float
    max_s: float

    @classmethod
    def of(cls, readers: list[Reader]) -> _Latencies:
        every = sorted(latency for reader in readers for latency in reader.latencies)
        return cls(statistics.median(every), every[int(len(every) * 0.99)], every[-1])

    def __str__(self) -> str:
        times = ("median", self.median_s), ("p99", self.p99_s), ("max", self.max_s)
        return ", ".join(f"{name} {seconds * 1e3:.0f} ms" for name, seconds in times)


@dataclass(frozen=True)
class _Usage:
    """Of a process: resident memory in MB, processor time in seconds, threads."""

    memory_mb: float
    cpu_s: float
    threads: int


def _usage(pid: int) -> _Usage:
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text(encoding="ascii").split()[1])
    fields = (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return _Usage(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, cpu_s, int(fields[17]))


def _worker_of(config: Path) -> int:
    """The process of gunicorn's that serves: of the two with this configuration, the other one's child."""
    parents = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(config) in (process / "cmdline").read_text():
                stat = (process / "stat").read_text(encoding="ascii")
                parents[int(process.name)] = int(stat.rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
    [worker] = [pid for pid, parent in parents.items() if parent in parents]
    return worker


if __name__ == "__main__":
    print(run())
