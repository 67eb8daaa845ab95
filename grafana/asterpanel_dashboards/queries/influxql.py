"""An InfluxQL query as Grafana's panels have it: the SDK knows none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final, Literal

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery

from asterpanel_dashboards.queries.variables import INFLUXDB, QUEUE, SWITCHBOARD, condition
from asterpanel_exporter.points.catalogue import Measurement


@dataclass(frozen=True, slots=True)
class InfluxQuery(Dataquery):
    """A query that a panel runs. ``alias``: name of its series, with ``$tag_queue`` and the like."""

    query: str
    result: Literal["table", "time_series"] = "table"
    ref_id: str = "A"
    alias: str = ""
    hide: bool = False

    def to_json(self) -> dict[str, object]:
        """As Grafana stores it."""
        document: dict[str, object] = {
            "refId": self.ref_id,
            "datasource": {"type": "influxdb", "uid": f"${{{INFLUXDB}}}"},
            "rawQuery": True,
            "query": self.query,
            "resultFormat": self.result,
        }
        if self.alias:
            document["alias"] = self.alias
        if self.hide:
            document["hide"] = True
        return document


class InfluxTarget(Builder[Dataquery]):
    """The same for the SDK's panels, which take builders."""

    def __init__(self, query: InfluxQuery) -> None:
        self._query = query

    def build(self) -> Dataquery:
        """The query."""
        return self._query


HALF_HOUR: Final = "30m"
"""What the points of the roll-up stand for."""

IN_TIME: Final = "$timeFilter AND time <= ${__to}ms - 1799s"
"""Half hours that lie wholly in the chosen time (which may end at 23:59:59.999)."""

SO_FAR: Final = "$timeFilter"
"""Half hours that begin in the chosen time, with as much of the running one as there was a minute ago."""

BEFORE: Final = "time >= ${__from}ms - (${__to}ms - ${__from}ms) - 1s AND time <= ${__from}ms - 1799s"
"""Half hours that lie wholly in the period of the same length just before."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that is asked for.

    Attributes:
        name: of its column, as people see it.
        expression: made of sums of fields.
        where: condition on the points that count; "" for all. InfluxDB divides by zero to 0, so a quotient
            needs the points with something to divide by: where there are none, there is no answer.
        help: its definition.
        unit: Grafana's id of its unit.
    """

    name: str
    expression: str
    where: str = ""
    help: str = ""
    unit: str = "locale"

    @property
    def definition(self) -> str:
        """For a description: ``Offered: every caller …``."""
        return f"{self.name}: {self.help}"


def select(
    measurement: Measurement,
    figures: Sequence[Figure],
    *,
    tags: Sequence[str] = (),
    every: str = "",
    fill: str = "none",
    zone: str = "",
    time: str = IN_TIME,
    chosen: Sequence[str] = (SWITCHBOARD, QUEUE),
) -> str:
    """One query.

    Args:
        measurement: what its points are.
        figures: its columns, all of which count the same points.
        tags: by which it tells apart.
        every: length of time by which it tells apart, as ``1d``.
        fill: what stands where such a time has no points: ``none`` leaves it out, ``null`` makes a gap.
        zone: IANA name of the time zone in which those begin.
        time: which part of time, as `IN_TIME`.
        chosen: tags of which a variable of the same name chooses values.

    Raises:
        ValueError: the figures count different points.
    """
    where = {figure.where for figure in figures}
    if len(where) != 1:
        raise ValueError(f"one query cannot count different points: {sorted(where)}")
    named = ", ".join(f'{figure.expression} AS "{figure.name}"' for figure in figures)
    conditions = " AND ".join(filter(None, (time, condition(*chosen), *where)))
    by = [*(f"time({length})" for length in (every,) if length), *(f'"{tag}"' for tag in tags)]
    grouped = f" GROUP BY {', '.join(by)}" if by else ""
    filled = f" fill({fill})" if every else ""
    in_zone = f" tz('{zone}')" if zone else ""
    return f'SELECT {named} FROM "{measurement.name}" WHERE {conditions}{grouped}{filled}{in_zone}'  # noqa: S608


def by_condition(figures: Sequence[Figure]) -> list[list[Figure]]:
    """Those that count the same points together: what one query can ask for."""
    together: dict[str, list[Figure]] = {}
    for figure in figures:
        together.setdefault(figure.where, []).append(figure)
    return list(together.values())


def as_tables(*queries: str) -> list[InfluxTarget]:
    """Queries of one table, with ids A, B, C…"""
    with_ids = zip(queries, ascii_uppercase, strict=False)
    return [InfluxTarget(InfluxQuery(query, ref_id=id_)) for query, id_ in with_ids]


def series(query: str, ref_id: str = "A", *, alias: str = "$col") -> InfluxTarget:
    """A query for lines or bars over time, named by its columns unless told otherwise."""
    return InfluxTarget(InfluxQuery(query, "time_series", ref_id, alias))
