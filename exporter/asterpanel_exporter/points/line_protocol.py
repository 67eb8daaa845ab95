"""InfluxDB's line protocol: the same bytes for the same point, and the same meaning to InfluxDB 1, 2 and 3.

The three agree on commas, equals signs and blanks in tags (a backslash before them) and on quotes and
backslashes in texts. They do not agree on backslashes in tags: 1 and 2 (models/points.go) take two of them as
two, 3 (influxdb_line_protocol) as one, and none can have one at the end. `clean_tag` leaves only those that
all three read as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

from asterpanel_exporter.points.catalogue import FieldType, Measurement

NS_PER_US: Final = 1000

REMEMBERED_SERIES: Final = 8192
"""For each measurement: a busy installation has a few thousand, and the same ones all day."""

_MARK: Final = {FieldType.FLOAT: "", FieldType.INTEGER: "i"}

# Whatever some program may take for the end of a line or of a text.
_BLANK: Final = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029), " ")
_AMBIGUOUS_BACKSLASH: Final = re.compile(r"\\(?=[\\,= ]|\Z)")
_TAG_ESCAPES: Final = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})


def clean_text(text: str) -> str:
    """Text as it is stored: control characters become blanks; what is no Unicode becomes a question mark."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_BLANK).encode("utf-8", "replace").decode("utf-8")


def clean_tag(text: str) -> str:
    """A tag's value as it is stored: as `clean_text`, and of its backslashes only those that each InfluxDB
    reads alike: before another character than a backslash, comma, equals sign or blank."""
    cleaned = clean_text(text)
    return _AMBIGUOUS_BACKSLASH.sub("", cleaned) if "\\" in cleaned else cleaned


class LineFormat:
    """How the points of one measurement are written, worked out once: numbers first, then texts."""

    def __init__(self, measurement: Measurement) -> None:
        numbers = [(i, field) for i, field in enumerate(measurement.fields) if field.type in _MARK]
        self._name = measurement.name
        self._tags = [f",{tag.name}=" for tag in measurement.tags]
        self._numbers = ",".join(f"{field.name}=%r{_MARK[field.type]}" for _, field in numbers)
        self._pick = itemgetter(*(i for i, _ in numbers)) if numbers else None
        self._texts = [
            (i, f'{field.name}="')
            for i, field in enumerate(measurement.fields)
            if field.type is FieldType.STRING
        ]
        self._series = lru_cache(maxsize=REMEMBERED_SERIES)(self._render_series)

    def line(self, time_us: int, tags: tuple[str, ...], fields: Sequence[float | int | str]) -> str:
        """One line, without its end. A point needs a field: if all are empty texts, the first is written."""
        parts = [self._numbers % self._pick(fields)] if self._pick else []
        parts += [f'{key}{_quoted(str(fields[i]))}"' for i, key in self._texts if fields[i]]
        body = ",".join(parts) or f'{self._texts[0][1]}"'
        return f"{self._series(tags)} {body} {time_us * NS_PER_US}"

    def _render_series(self, tags: tuple[str, ...]) -> str:
        values = zip(self._tags, tags, strict=True)
        return self._name + "".join(key + value.translate(_TAG_ESCAPES) for key, value in values if value)


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        return text.replace("\\", "\\\\").replace('"', '\\"')
    return text
