"""Tables: their columns, and the steps from an answer to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from grafana_foundation_sdk.builders import table
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
    """These columns, in this order, under these names; the others that there are have to be hidden.

    The time is hidden, unless it is among the names as ``Time``.
    """
    unused = () if "Time" in names else ("Time",)
    return transformation(
        "organize",
        indexByName={column: place for place, column in enumerate(names)},
        renameByName=dict(names),
        excludeByName=dict.fromkeys((*unused, *hidden), True),
    )


def transformation(id_: str, **options: object) -> dashboard.DataTransformerConfig:
    """One step between the answer and the panel."""
    return dashboard.DataTransformerConfig(id_val=id_, options=options)


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
    fit_headings(panel, names.values())
    for figure in shown:
        rounded = {"decimals": 0} if figure.unit == "percentunit" else {}
        panel.override_by_name(figure.name, override(unit=figure.unit, **rounded))
    return panel


def fit_headings(
    panel: table.Panel, names: Iterable[str], least_px: Mapping[str, int] = MappingProxyType({})
) -> None:
    """Columns wide enough for their headings to be read; ``least_px``: for the contents of some."""
    for name in names:
        width = least_px.get(name, max(NARROW_PX, round(7.5 * len(name)) + 26))
        panel.override_by_name(name, override(custom__minWidth=width))
