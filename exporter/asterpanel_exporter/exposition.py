"""The catalogue's metrics as text, for one scrape.

Written straight from the live state: `prometheus_client`'s own encoder needs an object and a sorted label
dictionary a sample, which at 100 switchboards takes seconds (``make bench`` shows the ratio). Its registry
still serves what it knows best, the process' own metrics. Rendering pauses between slices, so that events
are handled while a large scrape goes on.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

from asterpanel_exporter import catalogue as c
from asterpanel_exporter.document import members_by_agent, service_level_threshold_s
from asterpanel_exporter.history.records import AttemptResult, Outcome
from asterpanel_exporter.history.totals import Histogram, QueueTotals, cumulative
from asterpanel_exporter.influx.answers import FailureKind
from asterpanel_exporter.influx.sender import Progress
from asterpanel_exporter.journal.writer import JournalWriter
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.rollup.job import RollUpJob
from asterpanel_exporter.state import Agent, AgentState, DriftKind, Queue, ResyncReason
from asterpanel_switchboard.intake import WireError
from asterpanel_switchboard.session import AmiSession, DisconnectReason

SLICE_SAMPLES = 2000
"""Samples rendered in one go: a few milliseconds in which no event is handled."""

LINES_AT_ONCE = 10_000
"""Lines put together in one go, for the same reason."""


@lru_cache(maxsize=131072)
def _label(name: str, value: str) -> str:
    value = value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return f'{name}="{value}"'


class Exposition:
    """Collects the samples of one scrape."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {metric.name: [] for metric in c.CATALOGUE}
        self.samples = 0

    def add(self, metric: c.Metric, labels: str, value: float) -> None:
        """One sample; ``labels`` is what stands between the braces."""
        braced = f"{{{labels}}}" if labels else ""
        self._lines[metric.name].append(f"{metric.name}{braced} {value!r}\n")
        self.samples += 1

    def add_histogram(self, metric: c.Metric, labels: str, histogram: Histogram) -> None:
        """All samples of one histogram."""
        lines = self._lines[metric.name]
        name, count = metric.name, 0
        for le, count in cumulative(histogram):
            lines.append(f"{name}_bucket{{{labels},{_label('le', le)}}} {count}\n")
        lines.append(f"{name}_sum{{{labels}}} {histogram.sum!r}\n")
        lines.append(f"{name}_count{{{labels}}} {count}\n")
        self.samples += len(histogram.counts) + 2

    def text(self, *, openmetrics: bool) -> str:
        """All families that have samples, with their HELP and TYPE."""
        return "".join(self._families(openmetrics))

    def encoded(self, *, openmetrics: bool) -> bytes:
        """The same in UTF-8, made family by family: one large string holds up all other threads."""
        return b"".join([family.encode() for family in self._families(openmetrics)])

    def _families(self, openmetrics: bool) -> Iterator[str]:
        for metric in c.CATALOGUE:
            lines = self._lines[metric.name]
            if lines:
                family = metric.name.removesuffix("_total") if openmetrics else metric.name
                yield f"# HELP {family} {_escape_help(metric.help, openmetrics)}\n"
                yield f"# TYPE {family} {metric.kind}\n"
                for start in range(0, len(lines), LINES_AT_ONCE):
                    yield "".join(lines[start : start + LINES_AT_ONCE])


def _escape_help(text: str, openmetrics: bool) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if openmetrics else text


def add_switchboard(out: Exposition, live: LiveSwitchboard, ours: float) -> Iterator[None]:
    """Add one switchboard's samples at our time ``ours``; yields where others may have a turn."""
    now = live.advance(ours)
    board = _label("switchboard", live.name)
    out.add(c.UP, board, int(live.up))
    if live.ami_version:
        versions = f"{_label('version', live.version)},{_label('ami_version', live.ami_version)}"
        out.add(c.INFO, f"{board},{versions}", 1)
    if live.last_event_at is not None:
        out.add(c.LAST_EVENT, board, live.last_event_at)
    if live.history.seen_at is not None:
        out.add(c.LAST_SEEN, board, live.history.seen_at)
    out.add(c.EVENTS, board, live.events)
    out.add(c.STATE_ERRORS, board, live.errors)
    for kind in DriftKind:
        out.add(c.DRIFT, f"{board},{_label('kind', kind)}", live.drift[kind])
    for reason in ResyncReason:
        out.add(c.RESYNCS, f"{board},{_label('reason', reason.name.lower())}", live.resyncs[reason])
    queues = list(live.state.queues.values())
    out.add(c.CALLS_MISSED, board, live.totals.missed)
    for queue in queues:
        _add_calls(out, f"{board},{_label('queue', queue.name)}", live.totals.queue(queue.name))
        yield
    if not live.up:
        return
    if live.round_trip_s is not None:
        out.add(c.ROUND_TRIP, board, live.round_trip_s)
    if live.clock.is_known:
        out.add(c.CLOCK_OFFSET, board, round(now - ours, 3))
    yield
    for queue in queues:
        _add_queue(out, board, live, queue, now)
        yield
    for agent in list(live.state.agents.values()):
        _add_agent(out, board, agent)
        yield


def _add_calls(out: Exposition, labels: str, totals: QueueTotals) -> None:
    out.add(c.OFFERED, labels, totals.offered)
    for outcome in Outcome:
        out.add(c.CALLS, f"{labels},{_label('outcome', outcome)}", totals.calls[outcome])
    for outcome in totals.wait:
        within = f"{labels},{_label('outcome', outcome)}"
        out.add(c.WITHIN_SERVICE_LEVEL, within, totals.within_sl[outcome])
    out.add(c.SHORT_ABANDONS, labels, totals.short_abandons)
    for outcome, histogram in totals.wait.items():
        out.add_histogram(c.WAIT, f"{labels},{_label('outcome', outcome)}", histogram)
    out.add_histogram(c.TALK, labels, totals.talk)


def _add_queue(out: Exposition, board: str, live: LiveSwitchboard, queue: Queue, now: float) -> None:
    labels = f"{board},{_label('queue', queue.name)}"
    waiting = queue.waiting
    longest = max((now - caller.since for caller in waiting), default=0.0)
    out.add(c.CALLERS_WAITING, labels, len(waiting))
    out.add(c.LONGEST_WAIT, labels, round(max(0.0, longest), 3))
    out.add(c.CALLS_IN_PROGRESS, labels, len(queue.in_progress))
    states = Counter(member.state for member in queue.members.values())
    for state in AgentState:
        out.add(c.MEMBERS, f"{labels},{_label('state', state)}", states[state])
    out.add(c.THRESHOLD, labels, service_level_threshold_s(queue, live.state.settings))
    totals = live.totals.queue(queue.name)
    if queue.strategy:
        out.add(c.QUEUE_INFO, f"{labels},{_label('strategy', queue.strategy)}", 1)
    for key, member in members_by_agent(queue):
        if key == member.agent:
            member_labels = f"{labels},{_label('agent', member.agent)}"
            out.add(c.MEMBER_PENALTY, member_labels, member.penalty)
            out.add(c.MEMBER_PAUSED, member_labels, int(member.paused))
            for result in AttemptResult:
                attempts = totals.attempts[member.agent, result]
                out.add(c.RING_ATTEMPTS, f"{member_labels},{_label('result', result)}", attempts)


def _add_agent(out: Exposition, board: str, agent: Agent) -> None:
    labels = f"{board},{_label('agent', agent.id)}"
    out.add(c.AGENT_STATE, labels, c.AGENT_STATE_CODES[agent.state])
    out.add(c.AGENT_STATE_SINCE, labels, agent.since)
    out.add(c.AGENT_PAUSED, labels, int(agent.paused))
    if agent.members:
        interface = agent.members[min(agent.members)].interface
        info = f"{_label('name', agent.name)},{_label('interface', interface)}"
        out.add(c.AGENT_INFO, f"{labels},{info}", 1)
    if agent.paused:
        out.add(c.AGENT_PAUSE_INFO, f"{labels},{_label('reason', agent.pause_reason)}", 1)


def add_session(out: Exposition, session: AmiSession) -> None:
    """Add the samples of one connection."""
    board = _label("switchboard", session.settings.name)
    out.add(c.FRAMES, board, session.frames_received)
    out.add(c.BYTES, board, session.bytes_received)
    for kind in WireError:
        out.add(c.WIRE_ERRORS, f"{board},{_label('kind', kind)}", session.wire_errors[kind])
    for reason in DisconnectReason:
        out.add(c.RECONNECTS, f"{board},{_label('reason', reason)}", session.attempts[reason])


def add_journal(out: Exposition, writer: JournalWriter) -> None:
    """Add the samples of the journal."""
    out.add(c.JOURNAL_POINTS, "", writer.points_written)
    out.add(c.JOURNAL_LOST, "", writer.points_lost)
    out.add(c.JOURNAL_WAITING, "", writer.waiting.points)
    out.add(c.JOURNAL_ERRORS, "", writer.errors)
    out.add(c.JOURNAL_COMMIT, "", round(writer.last_commit_s, 6))
    out.add(c.JOURNAL_SIZE, "", writer.size_bytes)


def add_rollup(out: Exposition, job: RollUpJob) -> None:
    """Add the samples of the roll-up."""
    if job.last_success is not None:
        out.add(c.ROLLUP_LAST_SUCCESS, "", round(job.last_success, 3))
    out.add(c.ROLLUP_DUE, "", job.due)
    out.add(c.ROLLUP_ERRORS, "", job.errors)


def add_influx(
    out: Exposition, tenant: str, progress: Progress, pending: int, dropped: int, now: float
) -> None:
    """Add the samples of one tenant's delivery.

    Args:
        out: where to.
        tenant: whose.
        progress: of his sender.
        pending: lines in the journal that are to be delivered.
        dropped: lines that never will be, because the journal was too large.
        now: our Unix time.
    """
    labels = _label("tenant", tenant)
    out.add(c.INFLUX_PENDING, labels, pending)
    out.add(c.INFLUX_OLDEST, labels, round(progress.lag_s(now), 3))
    out.add(c.INFLUX_DELIVERED, labels, progress.delivered)
    out.add(c.INFLUX_REFUSED, labels, progress.refused)
    out.add(c.INFLUX_DROPPED, labels, dropped)
    for kind in FailureKind:
        out.add(c.INFLUX_ERRORS, f"{labels},{_label('kind', kind.value)}", progress.errors[kind])
    if progress.last_success is not None:
        out.add(c.INFLUX_LAST_SUCCESS, labels, progress.last_success)


def switchboard_text(live: LiveSwitchboard, ours: float) -> str:
    """The exposition of one switchboard, as a replay writes it."""
    out = Exposition()
    for _ in add_switchboard(out, live, ours):
        pass
    return out.text(openmetrics=False)


class Scrape:
    """Answers scrapes of a running exporter."""

    def __init__(
        self,
        switchboards: Mapping[str, LiveSwitchboard],
        sessions: Sequence[AmiSession],
        wall_clock: Callable[[], float],
        add_storage: Callable[[Exposition], None] = lambda out: None,
    ) -> None:
        self._switchboards = switchboards
        self._sessions = sessions
        self._wall_clock = wall_clock
        self._add_storage = add_storage
        self._process = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._process)

        self._under_way: dict[str, asyncio.Task[bytes]] = {}

    async def __call__(self, accept: str) -> tuple[bytes, str]:
        """Body and content type: OpenMetrics if the ``Accept`` header asks for it, else the text format.

        Scrapes that come while one is under way get the same answer: many cost no more than one.
        """
        encode_process, content_type = choose_encoder(accept)
        rendering = self._under_way.get(content_type)
        if rendering is None:
            rendering = asyncio.create_task(self._render(encode_process, content_type))
            rendering.add_done_callback(lambda _: self._under_way.pop(content_type))
            self._under_way[content_type] = rendering
        return await asyncio.shield(rendering), content_type

    async def _render(self, encode_process: Callable[[CollectorRegistry], bytes], content_type: str) -> bytes:
        openmetrics = content_type.startswith("application/openmetrics-text")
        out = Exposition()
        out.add(c.BUILD_INFO, _label("version", version("asterpanel")), 1)
        slice_ends = SLICE_SAMPLES
        for live in list(self._switchboards.values()):
            for _ in add_switchboard(out, live, self._wall_clock()):
                if out.samples >= slice_ends:
                    slice_ends = out.samples + SLICE_SAMPLES
                    await asyncio.sleep(0)
        for session in self._sessions:
            add_session(out, session)
        self._add_storage(out)
        process = encode_process(self._process)
        return await asyncio.to_thread(out.encoded, openmetrics=openmetrics) + process
