"""Log files into the journal: read, followed, compared with what is there, written in batches."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Final

from asterpanel_exporter.history.records import AgentAttempt, AgentPause, AgentSession, QueueCall, Record
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.points.catalogue import CATALOGUE, MEASUREMENT_OF
from asterpanel_exporter.points.point import Point, Value, point_of
from asterpanel_exporter.queue_log.agents import Agents
from asterpanel_exporter.queue_log.existing import Existing, Seeds
from asterpanel_exporter.queue_log.following import LogFollower
from asterpanel_exporter.queue_log.parsing import MalformedLine, parse_line
from asterpanel_exporter.queue_log.queues import Queues
from asterpanel_exporter.queue_log.reading import Block, LogFile, UnreadableLog, shown_name
from asterpanel_exporter.queue_log.summary import Summary
from asterpanel_switchboard.config import Config
from asterpanel_switchboard.identity import agent_identity

BATCH_RECORDS: Final = 20_000
"""Written in one transaction: a running exporter waits for no longer than that takes."""


@dataclass(frozen=True, slots=True)
class Period:
    """Which records are wanted, by their time stamp in Unix seconds: from ``since``, before ``until``."""

    since: float = -inf
    until: float = inf

    def __contains__(self, record: Record) -> bool:
        return self.since <= record.at < self.until


def follower_of(
    config: Config, switchboard: str, seeds: Seeds, agent_map: dict[str, str] | None = None
) -> LogFollower:
    """A follower with the configuration's rules and what the journal knows."""
    rule = config.agent_identity_for(switchboard)
    identify = agent_identity(rule.source, rule.pattern)
    agents = Agents(identify, rule.source, agent_map, seeds.agents)
    settings = partial(config.queue_settings_for, switchboard)
    queues = Queues(settings, seeds.queues, seeds.thresholds)
    return LogFollower(switchboard, agents, queues, seeds.members)


class Import:
    """One import.

    Args:
        follower: of the switchboard's log.
        existing: what the journal has.
        journal: where new points go; None: nowhere, they are only counted.
        tenant: whose InfluxDB bucket gets them; None: nobody's.
        period: what is wanted.

    Attributes:
        summary: what was done so far.
    """

    def __init__(
        self,
        follower: LogFollower,
        existing: Existing,
        journal: Journal | None,
        tenant: str | None,
        period: Period,
    ) -> None:
        self._follower = follower
        self._existing = existing
        self._journal = journal
        self._tenant = tenant
        self._period = period
        self._newest = existing.left_to_exporter_after
        self.summary = Summary()

    def run(self, logs: Sequence[LogFile], advance: Callable[[int], None]) -> None:
        """Import the logs, in their order; ``advance`` is told of each number of bytes read.

        A log that turns out to be damaged ends there; the summary says so.
        """
        for log in logs:
            self._existing.mark()  # so that a copy of an earlier file doubles nothing
            self._run(log, advance)
            self._write()
        self._follower.end()
        self._write()
        self._end()

    def _run(self, log: LogFile, advance: Callable[[int], None]) -> None:
        position = 0
        try:
            for block in log.blocks():
                self._take(log.name, block)
                advance(block.position - position)
                position = block.position
                if len(self._follower.finished) >= BATCH_RECORDS:
                    self._write()
        except UnreadableLog as error:
            self.summary.problems.append(str(error))

    def _take(self, name: str, block: Block) -> None:
        summary, take, newest = self.summary, self._follower.take, self._newest
        for i, line in enumerate(block.lines):
            try:
                entry = parse_line(line)
            except MalformedLine as error:
                if line:
                    summary.add_malformed(f"{shown_name(name)}:{block.number + i}", str(error))
                else:
                    summary.blank += 1
                continue
            if entry.at > newest:
                summary.too_new += 1
            else:
                take(entry)
                if not summary.first_at:
                    summary.first_at = entry.at
        summary.lines += len(block.lines)

    def _write(self) -> None:
        finished = self._follower.finished
        wanted = [record for record in finished if record in self._period]
        self.summary.outside += len(finished) - len(wanted)
        finished.clear()
        self.summary.count(wanted)
        new = list(apart([point_of(record) for record in self._existing.new_ones(wanted)]))
        if self._journal is not None and new:
            new = self._journal.write(Batch(points=[(self._tenant, point) for point in new]), time.time())
        self.summary.written.update(_RECORD_OF[point.measurement.name] for point in new)

    def _end(self) -> None:
        follower, summary = self._follower, self.summary
        summary.last_at = follower.last_at
        summary.ignored = follower.ignored
        summary.open_calls = follower.calls.open
        summary.open_pauses = follower.presence.open_pauses
        summary.open_sessions = follower.presence.open_sessions
        summary.lost = follower.calls.lost
        summary.unknown = follower.calls.unknown + follower.presence.unknown


def apart(points: Iterable[Point]) -> Iterator[Point]:
    """The points, each with a time stamp of its own within its series, by the journal's rule.

    In whole seconds many share one; the journal is much quicker where it does not have to move them itself.
    """
    taken: dict[tuple[str, tuple[str, ...], int], list[Value]] = {}
    for point in points:
        identity = [point.fields[i] for i in _IDENTITY[point.measurement.name]]
        while taken.setdefault((point.measurement.name, point.tags, point.time_us), identity) != identity:
            point = point.later()
        yield point


_IDENTITY: Final[Mapping[str, list[int]]] = {
    measurement.name: [i for i, each in enumerate(measurement.fields) if each.name in measurement.identity]
    for measurement in CATALOGUE
}
_RECORD_OF: Final[Mapping[str, type[Record]]] = {
    MEASUREMENT_OF[type_].name: type_ for type_ in (QueueCall, AgentAttempt, AgentPause, AgentSession)
}


def import_logs(
    config: Config,
    switchboard: str,
    logs: Sequence[LogFile],
    *,
    period: Period = Period(),
    agent_map: dict[str, str] | None = None,
    dry_run: bool = False,
    advance: Callable[[int], None] = lambda count: None,
) -> Summary:
    """Import logs into the journal of the configuration.

    Args:
        config: the configuration.
        switchboard: whose logs they are; it is configured.
        logs: in the order of their time.
        period: which records are wanted.
        agent_map: ids of agents by MemberName or interface.
        dry_run: write nothing.
        advance: is told of each number of bytes read.

    Raises:
        JournalError: the journal cannot be read or written.
    """
    path = config.journal.path
    tenant = config.switchboards[switchboard].tenant if config.influxdb is not None else None
    journal: AbstractContextManager[Journal | None] = nullcontext() if dry_run else Journal.open(path)
    with journal as writer, Existing.reading(path, switchboard, time.time()) as existing:
        follower = follower_of(config, switchboard, existing.seeds(), agent_map)
        importing = Import(follower, existing, writer, tenant, period)
        with _no_garbage_collection():
            importing.run(logs, advance)
    return importing.summary


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Millions of records without a cycle: looking for cycles takes a quarter of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
