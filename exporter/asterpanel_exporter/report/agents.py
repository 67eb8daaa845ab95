"""`report agents`: what each agent did, and when he was there."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from asterpanel_exporter.history.records import AttemptResult, Outcome
from asterpanel_exporter.journal.schema import ENDS
from asterpanel_exporter.periods import US
from asterpanel_exporter.points.catalogue import AGENT_PAUSE, QUEUE_CALL
from asterpanel_exporter.report.intervals import Interval, clipped, intersection, length, union
from asterpanel_exporter.report.journal_reader import (
    IN_PERIOD,
    JournalReader,
    OpenInterval,
    OpenItems,
    Scope,
    conditions_of,
    parameters_of,
)
from asterpanel_switchboard.config.queue_rule import any_matches

_ENDED: Final = ENDS[AGENT_PAUSE.name]  # as of memberships
_OVERLAPPING: Final = ("time < :end", f"{_ENDED} > :start")

_CONNECTED: Final = "(time + wait_s * 1000000)"
_TALKED: Final = f"({ENDS[QUEUE_CALL.name]})"
_ENDED_INSIDE: Final = f"{_TALKED} >= :start AND {_TALKED} < :end"
_CALL_SUMS: Final = (
    "agent",
    "agent_name",
    "queue",
    "sum(time >= :start)",
    "sum(talk_s * (time >= :start))",
    "sum(transferred * (time >= :start))",
    f"sum(max(0, min({_TALKED}, :end) - max({_CONNECTED}, :start))) / 1e6",
    f"sum({_ENDED_INSIDE})",
    f"min(CASE WHEN {_CONNECTED} >= :start AND {_CONNECTED} < :end THEN {_CONNECTED} END)",
    f"min(CASE WHEN {_ENDED_INSIDE} THEN {_TALKED} END)",
    f"max(CASE WHEN {_ENDED_INSIDE} THEN {_TALKED} END)",
    "max(time)",
)

LONGEST_CALL_S: Final = 86400
"""Calls that joined longer than this before the period are not looked for in it."""


@dataclass(slots=True)
class Pauses:
    """Pauses of one reason."""

    count: int = 0
    total_s: float = 0.0


@dataclass(slots=True)
class AgentSums:
    """Sums of an agent's period; of all agents, in the total.

    Attributes:
        answered, talk_s, transferred, wrapup_s: calls by their join; wrap-up as far as it is configured.
        talk_inside_s, wrapup_inside_s: what lies in the period, whenever the call joined.
        ring_s: of all ringings that began in the period; answered_ring_s: of those answered.
        attempts: ringings by result.
        pauses: by reason, clipped to the period.
        logged_in_s: member of any queue.
        paused_s: time of all pauses together.
        available_s: logged in and not paused.
        first_us, last_us: of what he did, or was rung for, in the period, in Unix microseconds.
    """

    switchboard: str
    agent: str
    name: str = ""
    answered: int = 0
    talk_s: float = 0.0
    wrapup_s: float = 0.0
    transferred: int = 0
    talk_inside_s: float = 0.0
    wrapup_inside_s: float = 0.0
    ring_s: float = 0.0
    answered_ring_s: float = 0.0
    attempts: dict[AttemptResult, int] = field(default_factory=lambda: dict.fromkeys(AttemptResult, 0))
    pauses: dict[str, Pauses] = field(default_factory=dict)
    logged_in_s: float = 0.0
    paused_s: float = 0.0
    available_s: float = 0.0
    first_us: int | None = None
    last_us: int | None = None
    named_us: int = -1

    @property
    def busy_s(self) -> float:
        return self.talk_inside_s + self.ring_s + self.wrapup_inside_s

    @property
    def pause_count(self) -> int:
        return sum(pauses.count for pauses in self.pauses.values())

    def seen(self, moments_us: Iterable[float | None], name: str, named_us: float) -> None:
        """Something happened at these moments of the period; he had that name then."""
        moments = [round(moment) for moment in moments_us if moment is not None]
        self.first_us = min([*moments, *_known(self.first_us)], default=None)
        self.last_us = max([*moments, *_known(self.last_us)], default=None)
        if named_us > self.named_us:
            self.name, self.named_us = name, round(named_us)

    def add(self, other: AgentSums) -> None:
        """Another agent's sums, for the total."""
        self.answered += other.answered
        self.talk_s += other.talk_s
        self.wrapup_s += other.wrapup_s
        self.transferred += other.transferred
        self.talk_inside_s += other.talk_inside_s
        self.wrapup_inside_s += other.wrapup_inside_s
        self.ring_s += other.ring_s
        self.answered_ring_s += other.answered_ring_s
        self.logged_in_s += other.logged_in_s
        self.paused_s += other.paused_s
        self.available_s += other.available_s
        for result, count in other.attempts.items():
            self.attempts[result] += count
        for reason, pauses in other.pauses.items():
            mine = self.pauses.setdefault(reason, Pauses())
            mine.count += pauses.count
            mine.total_s += pauses.total_s
        self.seen([other.first_us, other.last_us], "", -1)


def _known(moment_us: int | None) -> list[int]:
    return [] if moment_us is None else [moment_us]


def total_of(rows: Iterable[AgentSums], switchboard: str) -> AgentSums:
    """All of them together."""
    total = AgentSums(switchboard, "Total")
    for row in rows:
        total.add(row)
    return total


@dataclass(frozen=True, slots=True)
class OpenIntervals:
    """Pauses and memberships that still go on, and the moment up to which they count."""

    pauses: tuple[OpenInterval, ...]
    sessions: tuple[OpenInterval, ...]
    until_us: int

    def of(self, agents: Container[str]) -> OpenIntervals:
        """Those of certain agents."""
        pauses = tuple(item for item in self.pauses if item.agent in agents)
        sessions = tuple(item for item in self.sessions if item.agent in agents)
        return OpenIntervals(pauses, sessions, self.until_us)


def open_intervals(items: OpenItems, scope: Scope, agents: Sequence[str], now_us: int) -> OpenIntervals:
    """Those of a scope and of agents (globs) that reach into the period.

    They count up to the last moment known of the switchboard, or up to ``now_us`` where none is told.
    """
    until_us = now_us if items.known_us is None else items.known_us

    def is_meant(item: OpenInterval) -> bool:
        named = not agents or any_matches(agents, item.agent) or any_matches(agents, item.agent_name)
        reaches_in = item.started_us < min(until_us, scope.period.end_us) and until_us > scope.period.start_us
        return named and reaches_in

    sessions = (item for item in items.sessions if not scope.queues or any_matches(scope.queues, item.label))
    return OpenIntervals(tuple(filter(is_meant, items.pauses)), tuple(filter(is_meant, sessions)), until_us)


class AgentReport:
    """Gathers the sums of one switchboard's agents.

    Args:
        reader: of the journal.
        scope: which queues, which period. Pauses are never of a queue: with queues, they are those of the
            agents who have something else in them.
        agents: globs of ids or names, any of which may match; none is all.
    """

    def __init__(self, reader: JournalReader, scope: Scope, agents: Sequence[str] = ()) -> None:
        self._reader = reader
        self._scope = scope
        of_agents = _agent_conditions(agents)
        self._where = [*conditions_of(scope), *of_agents]
        self._where_pauses = [*conditions_of(replace(scope, queues=())), *of_agents]
        self._parameters = parameters_of(scope) | {f"agent{i}": glob for i, glob in enumerate(agents)}
        self._start, self._end = scope.period.start_us, scope.period.end_us
        self._rows: dict[str, AgentSums] = {}

    def rows(self, wrapup_s: Callable[[str], float | None], open_: OpenIntervals) -> list[AgentSums]:
        """Every agent of whom there is something in the period, by id.

        Args:
            wrapup_s: wrap-up time of a queue as configured.
            open_: what still goes on, of the same scope.
        """
        self._add_calls(wrapup_s, min(self._end, open_.until_us))
        self._add_attempts()
        logged_in = self._add_sessions(open_)
        paused = self._add_pauses(open_)
        for agent, row in self._rows.items():
            present = union(clipped(logged_in.get(agent, ()), self._start, self._end))
            away = union(clipped(paused.get(agent, ()), self._start, self._end))
            row.logged_in_s = length(present) / US
            row.paused_s = length(away) / US
            row.available_s = (length(present) - length(intersection(present, away))) / US
        return [self._rows[agent] for agent in sorted(self._rows)]

    def _row(self, agent: str) -> AgentSums:
        return self._rows.setdefault(agent, AgentSums(self._scope.switchboard, agent))

    def _add_calls(self, wrapup_s: Callable[[str], float | None], until_us: int) -> None:
        where = [
            *self._where,
            "outcome = :answered",
            "time >= :earliest",
            "time < :end",
            f"{_TALKED} >= :start",
        ]
        parameters = self._parameters | {
            "answered": Outcome.ANSWERED.value,
            "earliest": self._start - LONGEST_CALL_S * US,
        }
        groups = ["queue", "agent", "agent_name"]
        rows = self._reader.select(_CALL_SUMS, "queue_call_points", where, parameters, group_by=groups)
        for (
            agent,
            name,
            queue,
            answered,
            talk_s,
            transferred,
            inside_s,
            ended,
            began,
            first,
            last,
            at,
        ) in rows:
            row = self._row(agent)
            wrapup = wrapup_s(queue) or 0.0
            row.answered += answered
            row.talk_s += talk_s
            row.wrapup_s += answered * wrapup
            row.transferred += transferred
            row.talk_inside_s += inside_s
            if ended:
                # Of the last wrap-up, what lies beyond the period, or has not been yet.
                row.wrapup_inside_s += ended * wrapup - max(0.0, min(wrapup, wrapup + (last - until_us) / US))
            row.seen((began, first, last), name, at)

    def _add_attempts(self) -> None:
        columns = ["agent", "agent_name", "result", "count(*)", "sum(ring_s)", "min(time)", "max(time)"]
        groups = ["queue", "agent", "agent_name", "result"]
        for agent, name, result, count, ring_s, first, last in self._reader.select(
            columns,
            "agent_attempt_points",
            [*self._where, *IN_PERIOD],
            self._parameters,
            group_by=groups,
        ):
            row = self._row(agent)
            row.attempts[AttemptResult(result)] += count
            row.ring_s += ring_s
            row.answered_ring_s += ring_s * (result == AttemptResult.ANSWERED)
            row.seen((first, last), name, last)

    def _add_sessions(self, open_: OpenIntervals) -> dict[str, list[Interval]]:
        """Memberships of each agent, not clipped."""
        found: dict[str, list[Interval]] = {}
        columns = ["agent", "agent_name", "time", _ENDED]
        where = [*self._where, *_OVERLAPPING]
        finished = self._reader.select(columns, "agent_session_points", where, self._parameters)
        for agent, name, started, ended in finished:
            found.setdefault(agent, []).append((started, round(ended)))
            self._row(agent).seen(self._inside(started, ended), name, started)
        for item in open_.sessions:
            found.setdefault(item.agent, []).append((item.started_us, open_.until_us))
            self._row(item.agent).seen(self._inside(item.started_us), item.agent_name, item.started_us)
        return found

    def _add_pauses(self, open_: OpenIntervals) -> dict[str, list[Interval]]:
        """Pauses of each agent, not clipped."""
        where = [*self._where_pauses, *_OVERLAPPING]
        columns = ["agent", "agent_name", "reason", "time", _ENDED]
        finished = self._reader.select(columns, "agent_pause_points", where, self._parameters)
        pauses = [(*row[:4], round(row[4]), True) for row in finished]
        pauses += [
            (item.agent, item.agent_name, item.label, item.started_us, open_.until_us, False)
            for item in open_.pauses
        ]
        found: dict[str, list[Interval]] = {}
        for agent, name, reason, started, ended, is_over in pauses:
            if self._scope.queues and agent not in self._rows:
                continue
            row = self._row(agent)
            found.setdefault(agent, []).append((started, ended))
            of_reason = row.pauses.setdefault(reason, Pauses())
            of_reason.count += 1
            of_reason.total_s += length(clipped([(started, ended)], self._start, self._end)) / US
            row.seen(self._inside(started, *([ended] if is_over else [])), name, started)
        return found

    def _inside(self, *moments_us: float) -> list[float]:
        return [moment for moment in moments_us if self._start <= moment < self._end]


def _agent_conditions(agents: Sequence[str]) -> list[str]:
    globs = (f"matches(agent, :agent{i}) OR matches(agent_name, :agent{i})" for i in range(len(agents)))
    return [f"({' OR '.join(globs)})"] if agents else []
