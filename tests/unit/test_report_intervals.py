"""Unions and intersections of intervals, against sets of whole numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from asterpanel_exporter.report.intervals import Interval, clipped, intersection, length, union

INTERVALS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)).map(lambda pair: (pair[0], sum(pair))))


def moments(intervals: list[Interval]) -> set[int]:
    return {moment for start, end in intervals for moment in range(start, end)}


@given(INTERVALS)
def test_union_has_the_same_moments_in_order_and_apart(intervals: list[Interval]) -> None:
    merged = union(intervals)
    assert moments(merged) == moments(intervals)
    assert length(merged) == len(moments(intervals))
    assert all(before[1] < after[0] for before, after in pairwise(merged))


@given(INTERVALS, INTERVALS)
def test_intersection_has_the_moments_of_both(some: list[Interval], others: list[Interval]) -> None:
    assert moments(intersection(union(some), union(others))) == moments(some) & moments(others)


@given(INTERVALS, st.integers(0, 30), st.integers(1, 30))
def test_clipped_has_the_moments_inside(intervals: list[Interval], start: int, span: int) -> None:
    inside = clipped(intervals, start, start + span)
    assert moments(inside) == moments(intervals) & set(range(start, start + span))
