"""Tables: their columns, and the steps from an answer to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders import (
    table,
)
from grafana_foundation_sdk.models import dashboard

from asterpanel_dashboards.looks import override
from asterpanel_dashboards.panels import About, Target, described
from asterpanel_dashboards.queries.influxql import Figure
from asterpanel_dashboards.queries.variables import PROMETHEUS


def rows(about: About, *targets: Target, source: str = PROMETHEUS) -> table.Panel:
    """A table. (What it says when empty would stand in each empty cell, so that is short.)"""
    return described(table.Panel(), about, source, targets).show_header(True).no_value("–")


NARROW_PX: Final = 80
"""Least width of a column in a table with many."""


def columns(names: Mapping[str, str], hidden: Sequence[str] = ()) -> dashboard.DataTransformerConfig:
    """These columns, in this order, under these names; the others that there are have to be hidden."""
    return transformation(
        "organize",
        indexByName={column: place for place, column in enumerate(names)},
        renameByName=dict(names),
        excludeByName=dict.fromkeys(("Time", *hidden), True),
    )


def transformation(id_: str, **options: object) -> dashboard.DataTransformerConfig:
    """One step between the answer and the panel."""
    return dashboard.DataTransformerConfig(id_val=id_, options=options)


def dated(names: Mapping[str, str]) -> dashboard.DataTransformerConfig:
    """As `columns`, of rows that have a time: it is among the names as ``Time``."""
    return transformation(
        "organize",
        indexByName={column: place for place, column in enumerate(names)},
        renameByName=dict(names),
        excludeByName={},
    )


def figures(panel: table.Panel, shown: Sequence[Figure], key: Mapping[str, str]) -> table.Panel:
    """A table of figures that several queries tell: one row for each value of the key, with their units.

    Args:
        panel: with the queries.
        shown: its columns, in this order.
        key: the columns that tell rows apart, as the answers have them, with names for people.
    """
    names = {**key, **{figure.name: figure.name for figure in shown}}
    unused = () if "Time" in key else ("Time",)
    panel.transformations(
        [
            transformation("organize", excludeByName=dict.fromkeys(unused, True)),
            transformation("merge"),
            transformation(
                "organize", indexByName={name: place for place, name in enumerate(names)}, renameByName=names
            ),
        ]
    )
    for name in names.values():
        panel.override_by_name(name, override(custom__minWidth=least_width_px(name)))
    for figure in shown:
        rounded = {"decimals": 0} if figure.unit == "percentunit" else {}
        panel.override_by_name(figure.name, override(unit=figure.unit, **rounded))
    return panel


def least_width_px(heading: str) -> int:
    """Of a column, so that its heading can be read."""
    return max(NARROW_PX, round(7.5 * len(heading)) + 26)
