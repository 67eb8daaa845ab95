"""Periods of reports: what a text means on a given day in a given place."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from asterpanel_exporter.periods import PeriodError, period_of, utc_offsets
from asterpanel_exporter.report.buckets import Bucket

ROME = ZoneInfo("Europe/Rome")
WEDNESDAY = datetime(2026, 11, 18, 15, 30, 12, tzinfo=ROME).timestamp()
HOUR_US = 3600 * 1_000_000


def period(text: str, now: float = WEDNESDAY, zone: ZoneInfo = ROME) -> tuple[str, str]:
    found = period_of(text, zone, now)
    return found.start.isoformat(), found.end.isoformat()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("today", "2026-11-18T00:00:00+01:00", "2026-11-19T00:00:00+01:00"),
        ("yesterday", "2026-11-17T00:00:00+01:00", "2026-11-18T00:00:00+01:00"),
        ("this week", "2026-11-16T00:00:00+01:00", "2026-11-23T00:00:00+01:00"),
        ("last week", "2026-11-09T00:00:00+01:00", "2026-11-16T00:00:00+01:00"),
        ("this month", "2026-11-01T00:00:00+01:00", "2026-12-01T00:00:00+01:00"),
        ("Last  Month", "2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00"),
        ("this year", "2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"),
        ("last year", "2025-01-01T00:00:00+01:00", "2026-01-01T00:00:00+01:00"),
        ("last 24h", "2026-11-17T15:30:12+01:00", "2026-11-18T15:30:12+01:00"),
        ("last 90 minutes", "2026-11-18T14:00:12+01:00", "2026-11-18T15:30:12+01:00"),
        ("last 7d", "2026-11-11T15:30:12+01:00", "2026-11-18T15:30:12+01:00"),
        ("last 2 weeks", "2026-11-04T15:30:12+01:00", "2026-11-18T15:30:12+01:00"),
        ("2026-11-01", "2026-11-01T00:00:00+01:00", "2026-11-02T00:00:00+01:00"),
        ("2026-12", "2026-12-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"),
        ("2024", "2024-01-01T00:00:00+01:00", "2025-01-01T00:00:00+01:00"),
        ("2026-11-01..2026-11-15", "2026-11-01T00:00:00+01:00", "2026-11-16T00:00:00+01:00"),
        ("2026-11-01T09:00..2026-11-01T12:30", "2026-11-01T09:00:00+01:00", "2026-11-01T12:30:00+01:00"),
        ("2026-11-01 09:00:05 .. 2026-11-02", "2026-11-01T09:00:05+01:00", "2026-11-03T00:00:00+01:00"),
        ("2026-11-01T09:00Z..2026-11-01T12:00-05:00", "2026-11-01T10:00:00+01:00",
         "2026-11-01T18:00:00+01:00"),
        ("yesterday..today", "2026-11-17T00:00:00+01:00", "2026-11-19T00:00:00+01:00"),
        ("2026-11-16..", "2026-11-16T00:00:00+01:00", "2026-11-18T15:30:12+01:00"),
    ],
)  # fmt: skip
def test_period(text: str, start: str, end: str) -> None:
    assert period(text) == (start, end)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-03-28", 24), ("2026-10-26", 24)]
)
def test_a_day_on_which_the_clocks_change_has_23_or_25_hours(day: str, hours: int) -> None:
    found = period_of(day, ROME, WEDNESDAY)
    assert found.end_us - found.start_us == hours * HOUR_US


def test_last_days_begin_at_the_same_time_of_day_and_last_hours_are_exact() -> None:
    monday = datetime(2026, 10, 26, 12, 0, tzinfo=ROME).timestamp()
    days, hours = period_of("last 7d", ROME, monday), period_of("last 168h", ROME, monday)
    assert days.end_us - days.start_us == (7 * 24 + 1) * HOUR_US
    assert hours.end_us - hours.start_us == 7 * 24 * HOUR_US


def test_weeks_begin_on_monday_even_on_a_sunday_and_on_a_monday() -> None:
    sunday = datetime(2026, 11, 22, 23, 59, tzinfo=ROME).timestamp()
    assert period("this week", sunday)[0] == "2026-11-16T00:00:00+01:00"
    assert period("this week", sunday + 60)[0] == "2026-11-23T00:00:00+01:00"


def test_today_is_that_of_the_switchboard() -> None:
    assert period("today", zone=ZoneInfo("Pacific/Auckland"))[0] == "2026-11-19T00:00:00+13:00"


def test_a_midnight_that_the_clocks_skip() -> None:
    found = period_of("2018-11-04", ZoneInfo("America/Sao_Paulo"), WEDNESDAY)
    assert found.end_us - found.start_us == 23 * HOUR_US


def test_of_a_time_that_occurs_twice_the_first_is_meant_unless_the_offset_says() -> None:
    first = period_of("2026-10-25T02:30..2026-10-26", ROME, WEDNESDAY)
    second = period_of("2026-10-25T02:30+01:00..2026-10-26", ROME, WEDNESDAY)
    assert second.start_us - first.start_us == HOUR_US


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lsat week", "'lsat week' is no period (did you mean 'last week'?); understood are: today"),
        ("tomorrow", "'tomorrow' is no period"),
        ("", "'' is no period"),
        ("..", "'' is no period"),
        ("2026-13", "'2026-13' is no date: month must be in 1..12"),
        ("2026-02-30", "'2026-02-30' is no date: day "),
        ("2026-11-01T25:00..2026-11-02", "'2026-11-01t25:00' is no time: hour must be in 0..23"),
        ("2026-11-01T09:00", "'2026-11-01T09:00' has no length; FROM..TO is a period"),
        ("2026-11-15..2026-11-01", "'2026-11-15..2026-11-01' ends before it begins"),
        ("2026-11-01T09:00..2026-11-01T09:00", "ends before it begins"),
        ("last 0d", "'last 0d' has no length"),
        ("last 99999999999999h", "reaches beyond the years 1970 to 2100"),
        ("last 999999d", "reaches beyond the years 1970 to 2100"),
        ("9999", "reaches beyond the years 1970 to 2100"),
        ("1969-12-31", "reaches beyond the years 1970 to 2100"),
    ],
)
def test_what_is_no_period_is_told(text: str, message: str) -> None:
    with pytest.raises(PeriodError) as caught:
        period_of(text, ROME, WEDNESDAY)
    assert message in str(caught.value)


def test_offsets_of_a_year_with_both_changes_of_the_clocks() -> None:
    changes = [
        (datetime.fromtimestamp(until // 1_000_000, ROME).isoformat(), offset // HOUR_US)
        for until, offset in utc_offsets(period_of("2026", ROME, WEDNESDAY))
    ]
    assert changes == [
        ("2026-03-29T03:00:00+02:00", 1),
        ("2026-10-25T02:00:00+01:00", 2),
        ("2027-01-01T00:00:00+01:00", 1),
    ]


def test_offsets_of_a_period_that_ends_with_the_change_and_of_one_that_begins_with_it() -> None:
    until = period_of("2026-10-24T12:00..2026-10-25T02:00+01:00", ROME, WEDNESDAY)
    after = period_of("2026-10-25T02:00+01:00..2026-10-25T12:00", ROME, WEDNESDAY)
    assert [offset // HOUR_US for _, offset in utc_offsets(until)] == [2]
    assert [offset // HOUR_US for _, offset in utc_offsets(after)] == [1]


def test_texts_of_buckets() -> None:
    assert Bucket.DAY.text(20_000) == "2024-10-04"
    assert Bucket.HOUR.text(7) == "07:00"
    assert [Bucket.WEEKDAY.text(number) for number in range(7)][::6] == ["Mon", "Sun"]
