"""Half hours of local time, as they lie on the line of time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from asterpanel_exporter.periods import US, Period, local_time, unix_us, utc_offsets

HALF_HOUR_US: Final = 1800 * US
WEEK: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True, order=True)
class HalfHour:
    """From ``start_us`` to ``end_us`` (exclusive), Unix microseconds: a full and a half hour of local time.

    It is shorter only where the clocks were changed at another time than that.
    """

    start_us: int
    end_us: int

    @property
    def length_us(self) -> int:
        return self.end_us - self.start_us


def half_hours(start_us: int, end_us: int, zone: ZoneInfo) -> list[HalfHour]:
    """All half hours that have some time from ``start_us`` to ``end_us`` (exclusive), in order, each whole.

    Where the clocks go back, local half hours that come twice are two; where they go forward, those that are
    left out do not exist.
    """
    if end_us <= start_us:
        return []
    # Half an hour more on either side: what is cut off at its ends is none of those asked for.
    around = Period(
        local_time(start_us - HALF_HOUR_US - US, zone), local_time(end_us + HALF_HOUR_US + US, zone)
    )
    found: list[HalfHour] = []
    span_start = around.start_us
    for span_end, offset in utc_offsets(around):
        found += _within(span_start, span_end, offset)
        span_start = span_end
    return [each for each in found if each.end_us > start_us and each.start_us < end_us]


def _within(start_us: int, end_us: int, offset_us: int) -> Iterator[HalfHour]:
    """Those of a time in which the offset of local time to UTC does not change."""
    begin = start_us
    while begin < end_us:
        next_ = ((begin + offset_us) // HALF_HOUR_US + 1) * HALF_HOUR_US - offset_us
        yield HalfHour(begin, min(next_, end_us))
        begin = next_


class Grid:
    """Consecutive half hours, to find those that some time falls into."""

    def __init__(self, halves: Iterable[HalfHour]) -> None:
        self.halves = list(halves)
        self._starts = [each.start_us for each in self.halves]
        self.start_us = self.halves[0].start_us
        self.end_us = self.halves[-1].end_us

    def place(self, time_us: int) -> int | None:
        """Index of the half hour that a moment is in."""
        if not self.start_us <= time_us < self.end_us:
            return None
        return bisect_right(self._starts, time_us) - 1

    def split(self, start_us: int, end_us: int) -> Iterator[tuple[int, int]]:
        """(index, microseconds) of the parts of an interval of time."""
        start_us, end_us = max(start_us, self.start_us), min(end_us, self.end_us)
        if start_us >= end_us:
            return
        place = bisect_right(self._starts, start_us) - 1
        while start_us < end_us:
            until = min(end_us, self.halves[place].end_us)
            yield place, until - start_us
            start_us = until
            place += 1


def weekday_and_hour(half: HalfHour, zone: ZoneInfo) -> tuple[str, str]:
    """``1`` (Monday) to ``7``, and ``00`` to ``23``, of its start in local time."""
    local = local_time(half.start_us, zone)
    return str(local.isoweekday()), f"{local.hour:02}"


def weeks_away(half: HalfHour, weeks: int, zone: ZoneInfo) -> int | None:
    """Start of the half hour at the same local time, so many weeks later (or, below 0, earlier).

    None: it does not exist, as the clocks were put forward over it. Of one that comes twice, the first.
    """
    local = local_time(half.start_us, zone).replace(tzinfo=None, fold=0) + weeks * WEEK
    moment = local.replace(tzinfo=zone)
    start_us = unix_us(moment)
    exists = local_time(start_us, zone).replace(tzinfo=None, fold=0) == local
    return start_us if exists else None
