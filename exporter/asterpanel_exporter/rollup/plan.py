"""What was to be expected of a half hour: the same one of the weeks before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from asterpanel_exporter.report.intervals import clipped, length
from asterpanel_exporter.report.journal_reader import JournalReader
from asterpanel_exporter.rollup.half_hours import HALF_HOUR_US, HalfHour, weeks_away
from asterpanel_exporter.rollup.reading import Board, unwatched

WEEKS: Final = 4
"""So many weeks before count, as far as the switchboard was watched in them."""

WATCHED_SHARE: Final = 0.9
"""A half hour counts if at least so much of it was watched."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Calls of a queue in a half hour, and their handle time together if all of them are answered."""

    offered: float
    handle_s: float


@dataclass(frozen=True, slots=True)
class WeekBefore:
    """What of an earlier week counts for the plan: calls, those answered, and their handle time together."""

    offered: int = 0
    answered: int = 0
    handle_s: float = 0.0


def mean_of(weeks: Iterable[WeekBefore]) -> Plan | None:
    """The mean of some weeks; None: there is none of them."""
    weeks = list(weeks)
    if not weeks:
        return None
    offered = sum(week.offered for week in weeks) / len(weeks)
    answered = sum(week.answered for week in weeks)
    handled_s = sum(week.handle_s for week in weeks)
    return Plan(offered, offered * handled_s / answered if answered else 0.0)


class Plans:
    """The plans of some consecutive half hours, from the roll-up of the weeks before.

    Args:
        reader: of the journal.
        board: whose half hours.
        known_from_us: since when there are calls of each queue, Unix microseconds.
    """

    def __init__(self, reader: JournalReader, board: Board, known_from_us: Mapping[str, int]) -> None:
        self._known_from_us = known_from_us
        self._weeks_of = _watched_weeks(reader, board)
        starts = {start_us for weeks in self._weeks_of.values() for start_us in weeks}
        self._rows = _rows(reader, board.switchboard, starts)

    def of(self, queue: str, half: HalfHour) -> Plan | None:
        """What was to be expected; None: nothing is known of the weeks before."""
        known_from_us = self._known_from_us.get(queue)
        if known_from_us is None:
            return None
        return mean_of(
            self._rows.get((queue, start_us), WeekBefore())
            for start_us in self._weeks_of[half.start_us]
            if start_us + HALF_HOUR_US > known_from_us
        )


def _watched_weeks(reader: JournalReader, board: Board) -> dict[int, list[int]]:
    """By the start of each half hour, the starts of the same one in the weeks before that were watched."""
    weeks_of = {
        half.start_us: [
            start_us
            for weeks in range(1, WEEKS + 1)
            if (start_us := weeks_away(half, -weeks, board.zone)) is not None
        ]
        for half in board.grid.halves
    }
    earliest = min(
        (start_us for weeks in weeks_of.values() for start_us in weeks), default=board.grid.start_us
    )
    gaps = unwatched(reader, board.scope_from(earliest), board.known_us)

    def is_watched(start_us: int) -> bool:
        missing = length(clipped(gaps, start_us, start_us + HALF_HOUR_US))
        return missing <= (1 - WATCHED_SHARE) * HALF_HOUR_US

    return {start_us: list(filter(is_watched, weeks)) for start_us, weeks in weeks_of.items()}


def _rows(
    reader: JournalReader, switchboard: str, starts_us: Iterable[int]
) -> dict[tuple[str, int], WeekBefore]:
    rows = reader.select(
        ["queue", "time", "offered", "answered", "talk_s + wrapup_s + answered_ring_s"],
        "queue_interval_points",
        ["+switchboard = :switchboard", "time IN (SELECT value FROM json_each(:starts))"],
        {"switchboard": switchboard, "starts": json.dumps(sorted(starts_us))},
    )
    return {(queue, start_us): WeekBefore(*sums) for queue, start_us, *sums in rows}
