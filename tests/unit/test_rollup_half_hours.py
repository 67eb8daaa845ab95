"""Half hours of local time: zones a quarter of an hour off, and the days on which the clocks are changed."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_exporter.periods import US, local_time, unix_us
from asterpanel_exporter.rollup.half_hours import (
    HALF_HOUR_US,
    Grid,
    HalfHour,
    half_hours,
    weekday_and_hour,
    weeks_away,
)

ROME = ZoneInfo("Europe/Rome")
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC", "Europe/Rome", "Asia/Kathmandu", "Australia/Adelaide", "Australia/Lord_Howe",
        "Pacific/Chatham", "America/St_Johns",
    )
]  # fmt: skip


def us(text: str, zone: ZoneInfo = ROME) -> int:
    return unix_us(datetime.fromisoformat(text).replace(tzinfo=zone))


def clock_times(start: str, end: str, zone: ZoneInfo) -> list[str]:
    return [
        f"{local_time(each.start_us, zone):%H:%M%z}"
        for each in half_hours(us(start, zone), us(end, zone), zone)
    ]


def test_a_quarter_of_an_hour_off() -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    assert clock_times("2026-11-18 09:10", "2026-11-18 10:01", zone) == [
        "09:00+0545", "09:30+0545", "10:00+0545",
    ]  # fmt: skip


def test_an_end_belongs_to_the_next_half_hour() -> None:
    assert clock_times("2026-11-18 09:00", "2026-11-18 10:00", ROME) == ["09:00+0100", "09:30+0100"]
    assert half_hours(us("2026-11-18 09:00"), us("2026-11-18 09:00"), ROME) == []


def test_an_hour_that_comes_twice() -> None:
    assert clock_times("2026-10-25 01:30", "2026-10-25 03:30", ROME) == [
        "01:30+0200", "02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100", "03:00+0100",
    ]  # fmt: skip


def test_an_hour_that_is_left_out() -> None:
    assert clock_times("2026-03-29 01:30", "2026-03-29 03:30", ROME) == ["01:30+0100", "03:00+0200"]


def test_a_change_of_half_an_hour() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    assert clock_times("2026-10-04 01:30", "2026-10-04 03:00", zone) == ["01:30+1030", "02:30+1100"]


def test_a_change_at_a_quarter_to_cuts_half_hours_short() -> None:
    zone = ZoneInfo("Pacific/Chatham")  # at 03:45, back to 02:45
    assert clock_times("2026-04-05 03:00", "2026-04-05 04:00", zone) == [
        "03:00+1345", "03:30+1345", "02:45+1245", "03:00+1245", "03:30+1245",
    ]  # fmt: skip


@given(st.sampled_from(ZONES), st.integers(0, 4_000_000_000), st.integers(1, 4 * 86400))
def test_they_are_whole_and_have_no_gaps(zone: ZoneInfo, start: int, length: int) -> None:
    found = half_hours(start * US, (start + length) * US, zone)
    assert found[0].start_us <= start * US < found[0].end_us
    assert found[-1].start_us < (start + length) * US <= found[-1].end_us
    assert all(before.end_us == after.start_us for before, after in pairwise(found))
    assert all(0 < each.length_us <= HALF_HOUR_US for each in found)
    # However the time is cut, they are the same.
    assert half_hours(start * US, start * US + 1, zone) == found[:1]
    assert half_hours((start + length) * US - 1, (start + length) * US, zone) == found[-1:]


def test_local_weekday_and_hour() -> None:
    [half] = half_hours(us("2026-11-23 00:10"), us("2026-11-23 00:11"), ROME)  # Sunday 23:00 in UTC
    assert weekday_and_hour(half, ROME) == ("1", "00")


@pytest.mark.parametrize(
    ("start", "weeks", "expected"),
    [
        ("2026-11-18 09:30", -1, "2026-11-11 09:30"),
        ("2026-10-28 09:30", -1, "2026-10-21 09:30"),  # over the change, the same time of day
        ("2026-11-01 02:30", -1, "2026-10-25 02:30"),
        ("2026-03-22 02:30", 1, None),
    ],
)
def test_the_same_half_hour_of_other_weeks(start: str, weeks: int, expected: str | None) -> None:
    half = HalfHour(us(start), us(start) + HALF_HOUR_US)
    assert weeks_away(half, weeks, ROME) == (None if expected is None else us(expected))


def test_time_is_split_at_the_ends_of_half_hours() -> None:
    grid = Grid(half_hours(us("2026-11-18 09:00"), us("2026-11-18 11:00"), ROME))
    minutes = [
        (place, part // (60 * US))
        for place, part in grid.split(us("2026-11-18 09:20"), us("2026-11-18 10:10"))
    ]
    assert minutes == [(0, 10), (1, 30), (2, 10)]
    assert list(grid.split(us("2026-11-18 08:00"), us("2026-11-18 09:00"))) == []
    assert sum(part for _, part in grid.split(0, us("2027-01-01 00:00"))) == 2 * 3600 * US
    assert (grid.place(grid.start_us), grid.place(grid.end_us - 1), grid.place(grid.end_us)) == (0, 3, None)
