"""A record as a point. (As a line of line protocol: `asterpanel_exporter.points.line_protocol`.)"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isfinite
from operator import attrgetter
from typing import Any, Final

from asterpanel_exporter.points.catalogue import CATALOGUE, AnyRecord, FieldType, Measurement
from asterpanel_exporter.points.line_protocol import (
    NS_PER_US,
    REMEMBERED_SERIES,
    LineFormat,
    clean_tag,
    clean_text,
)

Value = float | int | str

US_PER_S: Final = 1_000_000
MAX_INTEGER: Final = 2**63 - 1
MAX_TIME_US: Final = (2**63 - 1000) // NS_PER_US
"""InfluxDB's time stamps are signed 64-bit nanoseconds: the years 1677 to 2262."""

_FORMATS: Final[Mapping[str, LineFormat]] = {m.name: LineFormat(m) for m in CATALOGUE}


@dataclass(frozen=True, slots=True)
class Point:
    """One point. ``tags`` and ``fields``: in the order of the catalogue, "" where there is nothing to tell.

    Attributes:
        measurement: from the catalogue.
        time_us: Unix microseconds: the resolution of AMI's time stamps.
        tags: what makes the series, with the measurement.
        fields: floats in seconds rounded to the microsecond.
    """

    measurement: Measurement
    time_us: int
    tags: tuple[str, ...]
    fields: tuple[Value, ...]

    def later(self) -> Point:
        """The same, a microsecond on: its own time stamp was taken by another thing of its series."""
        return replace(self, time_us=self.time_us + 1)

    def zeroed(self) -> Point:
        """The same with numbers of 0 and empty texts."""
        return replace(self, fields=tuple(type(value)() for value in self.fields))

    @property
    def key(self) -> str:
        """What InfluxDB has one point of: series and time. No character in a tag is a control character."""
        return "\n".join((self.measurement.name, *self.tags, str(self.time_us)))

    @property
    def line(self) -> str:
        """Line protocol with nanoseconds, without a newline: no character in it ends a line."""
        return _FORMATS[self.measurement.name].line(self.time_us, self.tags, self.fields)


def point_of(record: AnyRecord) -> Point:
    """The point that a record makes; what line protocol cannot carry is cleaned from its texts.

    Raises:
        ValueError: a number or the time cannot be stored; says which.
    """
    return _MAKERS[type(record)].point(record)


class _Maker:
    """How records of one kind become points, worked out once."""

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = measurement
        self._tags = attrgetter(*(tag.name for tag in measurement.tags))
        self._fields = attrgetter(*(field.name for field in measurement.fields))
        self._one_field = len(measurement.fields) == 1
        self._converters = [_CONVERTERS[field.type] for field in measurement.fields]
        self._clean_tags = lru_cache(maxsize=REMEMBERED_SERIES)(_clean_tags)

    def point(self, record: AnyRecord) -> Point:
        values = self._fields(record)
        if self._one_field:
            values = (values,)
        try:
            fields = tuple([convert(value) for convert, value in zip(self._converters, values, strict=True)])
        except (ValueError, OverflowError) as error:
            raise self._unusable(record, values) from error
        return Point(self._measurement, _time_us(record), self._clean_tags(self._tags(record)), fields)

    def _unusable(self, record: AnyRecord, values: tuple[Any, ...]) -> ValueError:
        for field, convert, value in zip(self._measurement.fields, self._converters, values, strict=True):
            try:
                convert(value)
            except (ValueError, OverflowError) as error:
                return ValueError(f"{self._measurement.name} of {record.switchboard}: {field.name}: {error}")
        raise AssertionError("every field can be used")


def _clean_tags(raw: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(clean_tag(str(value)) for value in raw)


def _time_us(record: AnyRecord) -> int:
    at = record.at
    if not (isfinite(at) and abs(at) * US_PER_S <= MAX_TIME_US):
        raise ValueError(
            f"{type(record).__name__} of {record.switchboard}: {at!r} is no time of 1677 to 2262"
        )
    return round(at * US_PER_S)


def _float(value: float) -> float:
    if not isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return round(float(value), 6) + 0.0  # never -0.0


def _integer(value: int) -> int:
    number = int(value)
    if abs(number) > MAX_INTEGER:
        raise ValueError(f"{number} is beyond 64 bits")
    return number


def _text(value: str) -> str:
    return clean_text(str(value))


_CONVERTERS: Final[Mapping[FieldType, Callable[[Any], Value]]] = {
    FieldType.FLOAT: _float,
    FieldType.INTEGER: _integer,
    FieldType.STRING: _text,
}
_MAKERS: Final[Mapping[type[AnyRecord], _Maker]] = {m.record: _Maker(m) for m in CATALOGUE}
