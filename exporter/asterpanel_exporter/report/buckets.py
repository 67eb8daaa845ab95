"""The rows of a queue report by day, hour of the day or day of the week, in the switchboard's local time."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Final

from asterpanel_exporter.periods import US, Period, utc_offsets

_HOUR_US: Final = 3600 * US
_DAY_US: Final = 24 * _HOUR_US
_EPOCH: Final = date(1970, 1, 1).toordinal()
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Bucket(Enum):
    """What calls of one row have in common, besides the queue."""

    DAY = "day"
    HOUR = "hour"
    WEEKDAY = "weekday"

    def sql(self, period: Period) -> str:
        """The number of the bucket that ``time`` is in, in SQL; in order."""
        local = _local_us(period)
        match self:
            case Bucket.DAY:
                return f"({local}) / {_DAY_US}"
            case Bucket.HOUR:
                return f"({local}) / {_HOUR_US} % 24"
            case Bucket.WEEKDAY:  # 1970 began on a Thursday
                return f"(({local}) / {_DAY_US} + 3) % 7"

    def text(self, number: int) -> str:
        """``2026-11-01``, ``09:00``, ``Mon``."""
        match self:
            case Bucket.DAY:
                return date.fromordinal(_EPOCH + number).isoformat()
            case Bucket.HOUR:
                return f"{number:02}:00"
            case Bucket.WEEKDAY:
                return _WEEKDAYS[number]


def _local_us(period: Period) -> str:
    *changes, (_, last_offset) = utc_offsets(period)
    if not changes:
        return f"time + {last_offset}"
    cases = " ".join(f"WHEN time < {until} THEN time + {offset}" for until, offset in changes)
    return f"CASE {cases} ELSE time + {last_offset} END"
