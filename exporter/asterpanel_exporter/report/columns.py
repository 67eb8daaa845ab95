"""Columns of reports: each one's name, definition and value, in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar

from asterpanel_exporter.periods import Period
from asterpanel_exporter.report.journal_reader import Gap

R = TypeVar("R")

Value = str | int | float | datetime | list[dict[str, Any]] | None
"""None: not known, or nothing to divide by."""


class Kind(Enum):
    """How a value is shown. SECONDS: m:ss. SHARE: 0 to 1, as per cent. TIME: in the switchboard's zone."""

    TEXT = "text"
    COUNT = "count"
    SECONDS = "seconds"
    SHARE = "share"
    TIME = "time"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column of a report about rows of type R.

    Attributes:
        name: in CSV and JSON: does not change.
        title: in tables; may have line breaks.
        help: the definition.
        value: of a row.
        is_key: says what the row is about: repeated where a table is too wide and goes on below.
        only_if_any: left out of tables where it is 0 or empty in every row.
        in_table: False: CSV and JSON alone have it.
    """

    name: str
    title: str
    kind: Kind
    help: str
    value: Callable[[R], Value]
    is_key: bool = False
    only_if_any: bool = False
    in_table: bool = True


@dataclass(frozen=True, slots=True)
class SideTable:
    """A smaller table below the report's own."""

    titles: tuple[str, ...]
    kinds: tuple[Kind, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(slots=True)
class BoardReport(Generic[R]):
    """What a report has to tell of one switchboard.

    Attributes:
        rows: in the order in which they are shown.
        total: of all rows, where there is such a thing.
        gaps: that reach into the period.
        notes: what a reader has to know about the numbers; one sentence each.
        why_empty: why there are no rows, and what to do.
    """

    switchboard: str
    period: Period
    rows: Sequence[R]
    total: R | None = None
    gaps: Sequence[Gap] = ()
    notes: list[str] = field(default_factory=list)
    side_table: SideTable | None = None
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Report(Generic[R]):
    """A report about one or several switchboards. ``about``: what holds for all of it, by stable names."""

    name: str
    columns: tuple[Column[R], ...]
    boards: Sequence[BoardReport[R]]
    about: dict[str, Any] = field(default_factory=dict)
    headline: tuple[str, ...] = ()


def ratio(dividend: float, divisor: float) -> float | None:
    """None where there is nothing to divide by."""
    return dividend / divisor if divisor else None
