"""Spans of time, and the half hours and days that they lie in. All times are Unix seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

HALF_HOUR_S: Final = 1800.0

Span = tuple[float, float]
"""From when to when."""


def half_hour(at: float) -> float:
    """The start of the half hour that a time is in; the same one in every zone of the month."""
    return at // HALF_HOUR_S * HALF_HOUR_S


def parts(start: float, end: float) -> Iterator[tuple[float, float]]:
    """(start of the half hour, seconds in it) of a span."""
    at = half_hour(start)
    while at < end:
        yield at, min(end, at + HALF_HOUR_S) - max(start, at)
        at += HALF_HOUR_S


def local_day(zone: str, at: float) -> float:
    """Unix time of the midnight with which the local day of a time began."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp()


def common(ones: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What lies in both."""
    others = list(others)
    pairs = ((max(a[0], b[0]), min(a[1], b[1])) for a in ones for b in others)
    return [(start, end) for start, end in pairs if end > start]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time, each moment once."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def without(ones: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What lies in the first only."""
    left = list(ones)
    for start, end in others:
        cut = [((a, min(b, start)), (max(a, end), b)) for a, b in left]
        left = [(a, b) for pair in cut for a, b in pair if b > a]
    return left


def length(spans: Iterable[Span]) -> float:
    """Seconds of spans that do not overlap."""
    return sum(end - start for start, end in spans)
