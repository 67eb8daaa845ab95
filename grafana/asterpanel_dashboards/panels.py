"""Panels as all dashboards have them: each with its definition, its unit, and what it says when empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    prometheus,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from asterpanel_dashboards.looks import agent_states, no_colours, override, thresholds
from asterpanel_dashboards.queries.variables import INFLUXDB, PROMETHEUS
from asterpanel_switchboard.config.targets import Levels

Target = Builder[Dataquery]


@dataclass(frozen=True, slots=True)
class About:
    """What every panel says of itself.

    Attributes:
        title: short.
        description: the definition of what it shows, for who asks what a number means.
        unit: Grafana's id of the unit.
        empty: what stands there without data.
        links: where a click on a value leads, by title.
    """

    title: str
    description: str
    unit: str = "short"
    empty: str = "No data"
    links: Mapping[str, str] = field(default_factory=dict)


class _Panel(Protocol):
    """What the SDK's panels have in common."""

    def title(self, title: str) -> object: ...
    def description(self, description: str) -> object: ...
    def unit(self, unit: str) -> object: ...
    def no_value(self, no_value: str) -> object: ...
    def datasource(self, datasource: dashboard.DataSourceRef) -> object: ...
    def with_target(self, target: Target) -> object: ...
    def data_links(self, links: list[Builder[dashboard.DashboardLink]]) -> object: ...


P = TypeVar("P", bound=_Panel)


def now(expression: str, ref_id: str = "A", *, as_table: bool = False, legend: str = "") -> Target:
    """A PromQL query for what is now."""
    query = prometheus.Dataquery().expr(expression).instant().ref_id(ref_id).legend_format(legend)
    return query.format(PromQueryFormat.TABLE) if as_table else query


def over_time(expression: str, ref_id: str = "A", *, legend: str = "") -> Target:
    """A PromQL query for the dashboard's time range."""
    return prometheus.Dataquery().expr(expression).range().ref_id(ref_id).legend_format(legend)


def described(panel: P, about: About, source: str, targets: Sequence[Target]) -> P:
    """The panel with what every one has."""
    panel.title(about.title)
    panel.description(about.description)
    panel.unit(about.unit)
    panel.no_value(about.empty)
    kind = "prometheus" if source == PROMETHEUS else "influxdb"
    panel.datasource(dashboard.DataSourceRef(type_val=kind, uid=f"${{{source}}}"))
    for target in targets:
        panel.with_target(target)
    if about.links:
        panel.data_links(
            [dashboard_builders.DashboardLink(title).url(url) for title, url in about.links.items()]
        )
    return panel


def big_number(
    about: About,
    *targets: Target,
    levels: Levels | None = None,
    source: str = PROMETHEUS,
    trend: bool = False,
) -> stat.Panel:
    """One number that can be read from five metres."""
    panel = described(stat.Panel(), about, source, targets)
    panel.color_mode(common.BigValueColorMode.BACKGROUND if levels else common.BigValueColorMode.NONE)
    panel.graph_mode(common.BigValueGraphMode.AREA if trend else common.BigValueGraphMode.NONE)
    panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
    if about.unit == "percentunit":
        panel.decimals(0)
    return panel.thresholds(thresholds(levels)) if levels else panel


def lines(about: About, *targets: Target, source: str = PROMETHEUS) -> timeseries.Panel:
    """Figures over time; a gap is shown as a gap."""
    panel = described(timeseries.Panel(), about, source, targets)
    panel.line_width(2).fill_opacity(10).span_nulls(False).axis_soft_min(0)
    panel.legend(
        common_builders.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    return panel.tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))


def tiles(about: About, targets: Mapping[str, tuple[Target, str]]) -> stat.Panel:
    """Big numbers side by side.

    Args:
        targets: query and colour of each, by its name.
    """
    panel = described(stat.Panel(), about, PROMETHEUS, [target for target, _ in targets.values()])
    panel.color_mode(common.BigValueColorMode.BACKGROUND).graph_mode(common.BigValueGraphMode.NONE)
    panel.text_mode(common.BigValueTextMode.VALUE_AND_NAME)
    panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"])).thresholds(no_colours())
    for name, (_, colour) in targets.items():
        panel.override_by_name(name, override(color={"mode": "fixed", "fixedColor": colour}))
    return panel


def counts(about: About, *targets: Target, source: str = PROMETHEUS) -> timeseries.Panel:
    """How often something happened over time; the legend names only what did."""
    panel = lines(about, *targets, source=source)
    panel.draw_style(common.GraphDrawStyle.BARS).fill_opacity(60).line_width(0)
    panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    never = dashboard.MatcherConfig(id_val="byValue", options={"reducer": "max", "op": "lte", "value": 0})
    return panel.axis_soft_max(1).with_override(
        never, override(custom__hideFrom={"legend": True, "tooltip": True, "viz": False})
    )


def states_over_time(about: About, *targets: Target, source: str = PROMETHEUS) -> statetimeline.Panel:
    """When each agent had which state."""
    panel = described(statetimeline.Panel(), about, source, targets)
    return panel.mappings([agent_states()]).merge_values(True)


def bars_over_time(about: About, *targets: Target, source: str = INFLUXDB) -> timeseries.Panel:
    """Numbers that add up, over time: stacked bars, each from its time to the next."""
    panel = lines(about, *targets, source=source)
    panel.draw_style(common.GraphDrawStyle.BARS).line_width(0).fill_opacity(80)
    panel.bar_alignment(common.BarAlignment.AFTER)
    return panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))


def bar_chart(about: About, *targets: Target, by: str, source: str = INFLUXDB) -> barchart.Panel:
    """Stacked bars, one for each value of a column of words."""
    panel = described(barchart.Panel(), about, source, targets)
    panel.x_field(by).stacking(common.StackingMode.NORMAL).show_value(common.VisibilityMode.NEVER)
    panel.line_width(0).fill_opacity(80).group_width(0.8).bar_width(0.9)
    panel.legend(
        common_builders.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    return panel.tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))


def ranking(about: About, *targets: Target, source: str = INFLUXDB) -> bargauge.Panel:
    """One bar for each number, from the left, with the number at its end."""
    panel = described(bargauge.Panel(), about, source, targets)
    panel.orientation(common.VizOrientation.HORIZONTAL).display_mode(common.BarGaugeDisplayMode.BASIC)
    panel.min(0).show_unfilled(False).value_mode(common.BarGaugeValueMode.TEXT)
    panel.text(common_builders.VizTextDisplayOptions().title_size(14).value_size(20))
    return panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))


def steps(panel: timeseries.Panel) -> timeseries.Panel:
    """Lines whose points stand for the time until the next one."""
    return panel.line_interpolation(common.LineInterpolation.STEP_AFTER)
