"""What of the half hours made is not in the journal so yet."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from asterpanel_exporter.points.catalogue import (
    AGENT_DUTY,
    AGENT_INTERVAL,
    QUEUE_INTERVAL,
    QUEUE_LOCAL_HOUR,
    Measurement,
)
from asterpanel_exporter.points.point import Point, Value
from asterpanel_exporter.report.journal_reader import JournalReader, parameters_of
from asterpanel_exporter.rollup.half_hours import weeks_away
from asterpanel_exporter.rollup.plan import WEEKS
from asterpanel_exporter.rollup.reading import Board

MEASUREMENTS: Final = (QUEUE_INTERVAL, QUEUE_LOCAL_HOUR, AGENT_INTERVAL, AGENT_DUTY)
"""What the roll-up makes."""

_PLANNED_BY: Final = [
    place
    for place, each in enumerate(QUEUE_INTERVAL.fields)
    if each.name in ("offered", "answered", "talk_s", "wrapup_s", "answered_ring_s")
]

_Key = tuple[str, int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be written.

    Attributes:
        changed: points that are new or different, in the order of their times.
        gone: points of the journal that were not made any more.
        planned_by_them: starts of half hours of later weeks whose plan was made from others, Unix
            microseconds.
    """

    changed: list[Point] = field(default_factory=list)
    gone: list[Point] = field(default_factory=list)
    planned_by_them: list[int] = field(default_factory=list)


def difference(reader: JournalReader, board: Board, made: Sequence[Point]) -> Difference:
    """Between what was made of a switchboard's half hours and what the journal has of them."""
    there = {_key(point): point for each in MEASUREMENTS for point in _points(reader, board, each)}
    changed = [point for point in made if _fields(there.get(_key(point))) != point.fields]
    keys = {_key(point) for point in made}
    gone = [point for key, point in there.items() if key not in keys]
    other_plans = {
        point.time_us
        for point in (*changed, *gone)
        if point.measurement is QUEUE_INTERVAL and _has_other_plan(point, there.get(_key(point)), keys)
    }
    changed.sort(key=_order)
    gone.sort(key=_order)
    return Difference(changed, gone, _weeks_after(reader, board, other_plans))


def _key(point: Point) -> _Key:
    return point.measurement.name, point.time_us, point.tags


def _order(point: Point) -> tuple[int, str, tuple[str, ...]]:
    return point.time_us, point.measurement.name, point.tags


def _fields(point: Point | None) -> tuple[Value, ...] | None:
    return None if point is None else point.fields


def _has_other_plan(point: Point, before: Point | None, made: Collection[_Key]) -> bool:
    """Whether what the plans of later weeks are made from has changed with it."""
    if before is None or _key(point) not in made:
        return True
    return any(point.fields[place] != before.fields[place] for place in _PLANNED_BY)


def _points(reader: JournalReader, board: Board, measurement: Measurement) -> Iterator[Point]:
    tags, fields = ([f'"{each.name}"' for each in kind] for kind in (measurement.tags, measurement.fields))
    where = ["switchboard = :switchboard", "time >= :start", "time < :end"]
    fields_at = 1 + len(measurement.tags)
    for row in reader.select(
        ["time", *tags, *fields], f"{measurement.name}_points", where, parameters_of(board.scope)
    ):
        yield Point(measurement, row[0], row[1:fields_at], row[fields_at:])


def _weeks_after(reader: JournalReader, board: Board, starts_us: Collection[int]) -> list[int]:
    """The same half hours of later weeks, as far as there are any."""
    later = [
        start_us
        for half in board.grid.halves
        if half.start_us in starts_us
        for weeks in range(1, WEEKS + 1)
        if (start_us := weeks_away(half, weeks, board.zone)) is not None
    ]
    rows = reader.select(
        ["DISTINCT time"],
        f"{QUEUE_INTERVAL.name}_points",
        ["+switchboard = :switchboard", "time IN (SELECT value FROM json_each(:later))"],
        {"switchboard": board.switchboard, "later": json.dumps(later)},
    )
    return sorted(time_us for (time_us,) in rows)
