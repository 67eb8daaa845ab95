"""Periods of reports, from text such as "last 7d", in the time zone of the switchboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from asterpanel_switchboard.config.values import did_you_mean

US: Final = 1_000_000
"""Microseconds in a second: the journal's time stamps are Unix microseconds."""

FORMS: Final = (
    "today, yesterday, this or last with week, month or year, last with a number of m, h, d or w (last 24h, "
    "last 7d), a day (2026-11-01), a month (2026-11), a year (2026), or FROM..TO, each of them one of these "
    "or a moment (2026-11-01T09:00..2026-11-01T12:30)"
)
"""What is understood, for messages and help."""


class PeriodError(ValueError):
    """A text is no period: what it says, and what is understood."""


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` (inclusive) to ``end`` (exclusive), both in the switchboard's time zone."""

    start: datetime
    end: datetime

    @property
    def start_us(self) -> int:
        return unix_us(self.start)

    @property
    def end_us(self) -> int:
        return unix_us(self.end)

    @property
    def zone(self) -> ZoneInfo:
        zone = self.start.tzinfo
        assert isinstance(zone, ZoneInfo)  # noqa: S101 # made by `period_of` alone
        return zone

    def __str__(self) -> str:
        return f"{moment_text(self.start)} to {moment_text(self.end)} {self.zone.key}"


def unix_us(moment: datetime) -> int:
    """Unix microseconds."""
    return round(moment.timestamp() * US)


def local_time(time_us: float, zone: ZoneInfo) -> datetime:
    """Unix microseconds as a time of day in a zone."""
    return datetime.fromtimestamp(time_us / US, zone)


def moment_text(moment: datetime) -> str:
    """``2026-11-01 10:02``, with seconds where there are any."""
    return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M")


def period_of(text: str, zone: ZoneInfo, now: float) -> Period:
    """The period that a text names.

    Days, weeks (from Monday), months and years are those of the calendar in ``zone``: a day on which the
    clocks change has 23 or 25 hours. ``last 7d`` and ``last 2w`` end now and begin at the same time of day;
    ``last 24h`` and ``last 30m`` are exact. Of a local time that occurs twice the first is meant; an offset
    (``2026-10-25T02:30+01:00``) says which.

    Args:
        text: see `FORMS`.
        zone: the switchboard's.
        now: Unix time.

    Raises:
        PeriodError: it is none of the forms, or would end before it begins.
    """
    from_, dots, to = text.partition("..")
    try:
        start, end = _span(from_, zone, now)
        if dots:
            _, end = _span(to or "now", zone, now)
    except PeriodError:
        raise
    except (OverflowError, ValueError):
        raise PeriodError(f"{text!r} {_BEYOND}") from None
    if not (_YEARS[0] <= start.year and end.year <= _YEARS[1]):
        raise PeriodError(f"{text!r} {_BEYOND}")
    if not dots and start == end:
        raise PeriodError(f"{text!r} has no length; FROM..TO is a period")
    if end.timestamp() <= start.timestamp():
        raise PeriodError(f"{text!r} ends before it begins")
    return Period(start, end)


_YEARS: Final = (1970, 2100)
_BEYOND: Final = f"reaches beyond the years {_YEARS[0]} to {_YEARS[1]}"
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(1), "w": timedelta(7)}
_LAST = re.compile(r"last (\d+) ?(m|h|d|w)(?:in|inutes?|ours?|ays?|eeks?)?")
_WORDS = frozenset(
    ("now", "today", "yesterday", *(f"{a} {b}" for a in ("this", "last") for b in ("week", "month", "year")))
)
_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(:\d{2})?(z|[+-]\d{2}:\d{2})?")


def _span(text: str, zone: ZoneInfo, now: float) -> tuple[datetime, datetime]:
    """Start and end; the same one for a moment."""
    words = " ".join(text.lower().split())
    today = datetime.fromtimestamp(now, zone).date()
    if words == "now":
        moment = datetime.fromtimestamp(int(now), zone)
        return moment, moment
    if words in _WORDS:
        first, past_last = _named_days(words, today)
        return _midnight(first, zone), _midnight(past_last, zone)
    if match := _LAST.fullmatch(words):
        return _last(int(match[1]), match[2], zone, now)
    if match := _DAY.fullmatch(words):
        return _calendar_span(words, match, zone)
    if _MOMENT.fullmatch(words):
        moment = _moment(words, zone)
        return moment, moment
    raise PeriodError(f"{text.strip()!r} is no period{did_you_mean(words, _WORDS)}; understood are: {FORMS}")


def _named_days(words: str, today: date) -> tuple[date, date]:
    """The first day and the one after the last."""
    if words == "today":
        return today, today + timedelta(1)
    if words == "yesterday":
        return today - timedelta(1), today
    which, unit = words.split()
    first = _first_day(unit, today)
    if which == "this":
        return first, _first_day(unit, first + timedelta({"week": 7, "month": 31, "year": 366}[unit]))
    return _first_day(unit, first - timedelta(1)), first


def _first_day(unit: str, day: date) -> date:
    """Of the week (ISO 8601: Monday), month or year that the day is in."""
    match unit:
        case "week":
            return day - timedelta(day.weekday())
        case "month":
            return day.replace(day=1)
        case _:
            return day.replace(month=1, day=1)


def _last(count: int, unit: str, zone: ZoneInfo, now: float) -> tuple[datetime, datetime]:
    end = datetime.fromtimestamp(int(now), zone)
    length = count * _UNITS[unit]
    if unit in "dw":
        return end - length, end
    return datetime.fromtimestamp(int(now) - length.total_seconds(), zone), end


def _calendar_span(text: str, match: re.Match[str], zone: ZoneInfo) -> tuple[datetime, datetime]:
    year, month, day = (None if part is None else int(part) for part in match.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
    except ValueError as error:
        raise PeriodError(f"{text!r} is no date: {error}") from None
    if day is not None:
        past_last = first + timedelta(1)
    elif month is not None:
        past_last = _first_day("month", first + timedelta(31))
    else:
        past_last = _first_day("year", first + timedelta(366))
    return _midnight(first, zone), _midnight(past_last, zone)


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise PeriodError(f"{text!r} is no time: {error}") from None
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def utc_offsets(period: Period) -> Iterator[tuple[int, int]]:
    """The offsets of the zone's local time to UTC in a period, each with the time up to which it holds.

    Yields:
        (Unix microseconds, offset in microseconds), the last with the period's end.
    """
    at, end = int(period.start.timestamp()), period.end.timestamp()
    offset = _offset_s(at, period.zone)
    while at < end:
        step = at + 86400
        after = _offset_s(step, period.zone)
        if after != offset:
            change = _change(at, step, period.zone)
            if change < end:
                yield change * US, offset * US
            offset = after if change < end else offset
        at = step
    yield period.end_us, offset * US


def _offset_s(unix_time: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(unix_time, zone).utcoffset() or timedelta()
    return int(offset.total_seconds())


def _change(before: int, after: int, zone: ZoneInfo) -> int:
    """The first second with another offset, between two times with different ones."""
    offset = _offset_s(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset_s(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after
