"""What the roll-up reads of the journal's points to make some half hours of a switchboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

from asterpanel_exporter.history.records import AttemptResult, Outcome
from asterpanel_exporter.journal.schema import ENDS
from asterpanel_exporter.periods import US, Period, local_time
from asterpanel_exporter.points.catalogue import (
    AGENT_ATTEMPT,
    AGENT_PAUSE,
    AGENT_SESSION,
    QUEUE_CALL,
    Measurement,
)
from asterpanel_exporter.report.agents import LONGEST_CALL_S
from asterpanel_exporter.report.intervals import Interval, clipped, union
from asterpanel_exporter.report.journal_reader import (
    JournalReader,
    OpenInterval,
    OpenItems,
    Scope,
    parameters_of,
)
from asterpanel_exporter.report.queues import QueueSums, numbered_sums
from asterpanel_exporter.rollup.agent_times import AnsweredCall, Presence, Ringing
from asterpanel_exporter.rollup.half_hours import Grid

WrapupOf = Callable[[str], float | None]
"""Wrap-up time of a queue, in seconds, as configured; None: it is not."""


@dataclass(frozen=True, slots=True)
class Board:
    """One switchboard, and some consecutive half hours of it.

    Attributes:
        open_items: what went on when it was last watched.
        longest_us: by measurement: none of its points was longer, so that earlier ones do not reach in.
    """

    switchboard: str
    zone: ZoneInfo
    grid: Grid
    open_items: OpenItems
    longest_us: Mapping[str, int]

    @property
    def scope(self) -> Scope:
        return self.scope_from(self.grid.start_us)

    def scope_from(self, start_us: int) -> Scope:
        """From an earlier moment up to the end of the half hours."""
        start, end = (local_time(time_us, self.zone) for time_us in (start_us, self.grid.end_us))
        return Scope(self.switchboard, Period(start, end))

    @property
    def known_us(self) -> int | None:
        """The last moment known of it; None: nobody has watched it."""
        return self.open_items.known_us


def queue_sums_of(
    reader: JournalReader, board: Board, wrapup_of: WrapupOf
) -> dict[tuple[int, str], QueueSums]:
    """Sums of the calls that joined, and the ringings that began; by index of the half hour and queue."""
    found = numbered_sums(reader, board.scope, wrapup_of, _place_sql(board.grid))
    return {(place, queue): sums for (queue, place), sums in found.items()}


def _place_sql(grid: Grid) -> str:
    """The index of the half hour that ``time`` is in, in SQL."""
    spans = []
    first = 0
    lengths = [half.length_us for half in grid.halves]
    for place, (before, after) in enumerate(pairwise([*lengths, 0]), start=1):
        if before != after:
            start_us, end_us = grid.halves[first].start_us, grid.halves[place - 1].end_us
            spans.append(f"WHEN time < {end_us} THEN {first} + (time - {start_us}) / {before}")
            first = place
    return f"CASE {' '.join(spans)} END"


def answered_calls(reader: JournalReader, board: Board, wrapup_of: WrapupOf) -> Iterator[AnsweredCall]:
    """Those that joined, or whose talk or wrap-up has a part, in the half hours."""
    longest_wrapup_s = max(
        (wrapup_of(queue) or 0.0 for queue in reader.queues(board.switchboard)), default=0.0
    )
    wrapup_us = round(longest_wrapup_s * US)
    parameters = parameters_of(board.scope) | {
        "answered": Outcome.ANSWERED.value,
        "earliest": board.grid.start_us
        - min(board.longest_us[QUEUE_CALL.name], LONGEST_CALL_S * US)
        - wrapup_us,
        "longest_wrapup": wrapup_us,
    }
    columns = ["queue", "agent", "agent_name", "time", "wait_s", "ring_s", "talk_s", "transferred"]
    where = [
        "switchboard = :switchboard",
        "outcome = :answered",
        "time >= :earliest",
        "time < :end",
        f"{ENDS[QUEUE_CALL.name]} + :longest_wrapup > :start",
    ]  # fmt: skip
    rows = reader.select(columns, "queue_call_points", where, parameters)
    for queue, agent, name, joined_us, wait_s, ring_s, talk_s, transferred in rows:
        wrapup_us = round((wrapup_of(queue) or 0.0) * US)
        connected_us = joined_us + round(wait_s * US)
        talk_us = round(talk_s * US)
        ended_us = connected_us + talk_us
        free_us = _free_us(ended_us, wrapup_us, board.known_us)
        yield AnsweredCall(
            queue, agent, name, joined_us, connected_us, ended_us, free_us,
            round(ring_s * US), talk_us, wrapup_us, transferred,
        )  # fmt: skip


def _free_us(ended_us: int, wrapup_us: int, known_us: int | None) -> int:
    """The end of the wrap-up, as far as it has been."""
    free_us = ended_us + wrapup_us
    return free_us if known_us is None or known_us < ended_us else min(free_us, known_us)


def ringings(reader: JournalReader, board: Board) -> Iterator[Ringing]:
    """Those that have a part in the half hours."""
    parameters = parameters_of(board.scope) | _earliest(board, AGENT_ATTEMPT)
    columns = ["queue", "agent", "agent_name", "result", "time", "ring_s"]
    where = [
        "switchboard = :switchboard",
        "time >= :earliest",
        "time < :end",
        f"{ENDS[AGENT_ATTEMPT.name]} >= :start",
    ]
    for queue, agent, name, result, started_us, ring_s in reader.select(
        columns, "agent_attempt_points", where, parameters
    ):
        yield Ringing(queue, agent, name, AttemptResult(result), started_us, round(ring_s * US))


def memberships(reader: JournalReader, board: Board) -> Iterator[Presence]:
    """Those that have a part in the half hours, finished or not."""
    yield from _finished(reader, board, AGENT_SESSION, "queue")
    yield from _unfinished(board, board.open_items.sessions)


def pauses(reader: JournalReader, board: Board) -> Iterator[Presence]:
    """The same of pauses."""
    yield from _finished(reader, board, AGENT_PAUSE, "''")
    yield from (
        Presence("", each.agent, each.agent_name, each.started_us, each.ended_us, each.is_over)
        for each in _unfinished(board, board.open_items.pauses)
    )


def _finished(
    reader: JournalReader, board: Board, measurement: Measurement, queue: str
) -> Iterator[Presence]:
    ended = ENDS[measurement.name]
    columns = [queue, "agent", "agent_name", "time", ended]
    where = [
        "switchboard = :switchboard",
        "time >= :earliest",
        "time < :end",
        f"{ended} >= :start",
    ]
    parameters = parameters_of(board.scope) | _earliest(board, measurement)
    for in_queue, agent, name, started_us, ended_us in reader.select(
        columns, f"{measurement.name}_points", where, parameters
    ):
        yield Presence(in_queue, agent, name, started_us, round(ended_us), is_over=True)


def _earliest(board: Board, measurement: Measurement) -> dict[str, int]:
    return {"earliest": board.grid.start_us - board.longest_us[measurement.name]}


def _unfinished(board: Board, items: tuple[OpenInterval, ...]) -> Iterator[Presence]:
    """They count up to the last moment known."""
    until_us = board.known_us
    for item in items:
        if until_us is not None and item.started_us < min(board.grid.end_us, until_us):
            yield Presence(item.label, item.agent, item.agent_name, item.started_us, until_us, is_over=False)


def unwatched(reader: JournalReader, scope: Scope, known_us: int | None) -> list[Interval]:
    """When nobody watched the switchboard: gaps, and what comes after the last moment known."""
    gaps = [(gap.start_us, gap.end_us) for gap in reader.gaps(scope)]
    if known_us is not None and known_us < scope.period.end_us:
        gaps.append((known_us, scope.period.end_us))
    return union(clipped(gaps, scope.period.start_us, scope.period.end_us))
