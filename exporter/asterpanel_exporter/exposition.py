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
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.state import Agent, AgentState, DriftKind, Queue, ResyncReason
from asterpanel_switchboard.intake import WireError
from asterpanel_switchboard.session import AmiSession, DisconnectReason

SLICE_SAMPLES = 2000
"""Samples rendered in one go: a few milliseconds in which no event is handled."""


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
        self._lines[metric.name].append(f"{metric.name}{{{labels}}} {value!r}\n")
        self.samples += 1

    def text(self, *, openmetrics: bool) -> str:
        """All families that have samples, with their HELP and TYPE."""
        parts = []
        for metric in c.CATALOGUE:
            lines = self._lines[metric.name]
            if lines:
                family = metric.name.removesuffix("_total") if openmetrics else metric.name
                parts.append(f"# HELP {family} {_escape_help(metric.help, openmetrics)}\n")
                parts.append(f"# TYPE {family} {metric.kind}\n")
                parts += lines
        return "".join(parts)


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
    out.add(c.EVENTS, board, live.events)
    out.add(c.STATE_ERRORS, board, live.errors)
    for kind in DriftKind:
        out.add(c.DRIFT, f"{board},{_label('kind', kind)}", live.drift[kind])
    for reason in ResyncReason:
        out.add(c.RESYNCS, f"{board},{_label('reason', reason.name.lower())}", live.resyncs[reason])
    queues = list(live.state.queues.values())
    for queue in queues:
        out.add(c.OFFERED, f"{board},{_label('queue', queue.name)}", queue.offered)
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
    if queue.strategy:
        out.add(c.QUEUE_INFO, f"{labels},{_label('strategy', queue.strategy)}", 1)
    for key, member in members_by_agent(queue):
        if key == member.agent:
            member_labels = f"{labels},{_label('agent', member.agent)}"
            out.add(c.MEMBER_PENALTY, member_labels, member.penalty)
            out.add(c.MEMBER_PAUSED, member_labels, int(member.paused))


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
    ) -> None:
        self._switchboards = switchboards
        self._sessions = sessions
        self._wall_clock = wall_clock
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
        process = encode_process(self._process)
        body = await asyncio.to_thread(out.text, openmetrics=openmetrics)
        return body.encode() + process
