"""Intervals of time: (start, end) in any unit, start before end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Interval = tuple[int, int]


def clipped(intervals: Iterable[Interval], start: int, end: int) -> list[Interval]:
    """What of them lies between start and end."""
    inside = ((max(start, begun), min(end, ended)) for begun, ended in intervals)
    return [(begun, ended) for begun, ended in inside if begun < ended]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The time that is in any of them, as intervals in order that do not touch."""
    merged: list[Interval] = []
    for begun, ended in sorted(intervals):
        if merged and begun <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ended))
        else:
            merged.append((begun, ended))
    return merged


def intersection(some: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """The time that is in both of two unions."""
    common: list[Interval] = []
    i = j = 0
    while i < len(some) and j < len(others):
        begun, ended = max(some[i][0], others[j][0]), min(some[i][1], others[j][1])
        if begun < ended:
            common.append((begun, ended))
        if some[i][1] < others[j][1]:
            i += 1
        else:
            j += 1
    return common


def difference(some: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """The time that is in the first of two unions and not in the second."""
    rest: list[Interval] = []
    j = 0
    for start, end in some:
        while j < len(others) and others[j][1] <= start:
            j += 1
        k = j
        while k < len(others) and others[k][0] < end:
            if start < others[k][0]:
                rest.append((start, others[k][0]))
            start = others[k][1]
            k += 1
        if start < end:
            rest.append((start, end))
    return rest


def length(intervals: Iterable[Interval]) -> int:
    """Of all of them together."""
    return sum(ended - begun for begun, ended in intervals)
