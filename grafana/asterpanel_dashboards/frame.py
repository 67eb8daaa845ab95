"""What every dashboard has: its name, its variables, its links to the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard

from asterpanel_dashboards.queries.variables import (
    AGENT,
    INFLUXDB,
    PROMETHEUS,
    QUEUE,
    SWITCHBOARD,
    condition,
    selector,
)
from asterpanel_dashboards.settings import Settings
from asterpanel_exporter import catalogue
from asterpanel_exporter.points import catalogue as points
from asterpanel_exporter.points.catalogue import Measurement

TAG: Final = "asterpanel"


@dataclass(frozen=True, slots=True)
class Frame:
    """A dashboard without its panels.

    Attributes:
        uid: stable; with it others link to it.
        title: for people.
        description: what question it answers.
        since: default time range, up to now.
        refresh: how often it asks again; "" for never.
        variables: of those of `queries.variables`, which can be chosen.
        has_history: whether it asks InfluxDB too; the choices then come from there.
    """

    uid: str
    title: str
    description: str
    since: str
    refresh: str = ""
    variables: tuple[str, ...] = (SWITCHBOARD, QUEUE)
    has_history: bool = False

    def build(self, settings: Settings) -> builders.Dashboard:
        """The dashboard, to which panels are added.

        What is now is shown in the browser's time. What has been is counted by days, so it is shown in the
        time in which those begin.
        """
        made = (
            builders.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([TAG])
            .timezone(_zone(settings) if self.has_history else "browser")
            .time(self.since, "now")
            .refresh(self.refresh)
            .readonly()
            .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
            .link(
                builders.DashboardLink("Asterpanel")
                .type(dashboard.DashboardLinkType.DASHBOARDS)
                .tags([TAG])
                .as_dropdown(False)
                .include_vars(True)
                .keep_time(True)
            )
        )
        for source in (INFLUXDB, PROMETHEUS) if self.has_history else (PROMETHEUS,):
            made.with_variable(_source(source))
        for name in self.variables:
            made.with_variable(_choice(name, has_history=self.has_history))
        return made


def _zone(settings: Settings) -> str:
    """As Grafana calls it: it knows UTC by a word of its own."""
    return "utc" if settings.time_zone == "UTC" else settings.time_zone


@dataclass(frozen=True, slots=True)
class Source:
    """A data source as ``provisioning/grafana/datasources`` makes it."""

    type: str
    label: str
    uid: str
    name: str


SOURCES: Final = {
    PROMETHEUS: Source("prometheus", "Prometheus data source", "asterpanel-prometheus", "Asterpanel live"),
    INFLUXDB: Source("influxdb", "Influxdb data source", "asterpanel-influxdb", "Asterpanel history"),
}

_LABELS: Final = {SWITCHBOARD: "Current switchboard", QUEUE: "Queue", AGENT: "Agent"}

_LIVE_VALUES: Final = {
    SWITCHBOARD: f"label_values({catalogue.UP.name}, {SWITCHBOARD})",
    QUEUE: f"label_values({catalogue.OFFERED.name}{selector(SWITCHBOARD)}, {QUEUE})",
    AGENT: f"label_values({catalogue.MEMBER_PAUSED.name}{selector(SWITCHBOARD, QUEUE)}, {AGENT})",
}


def _tag_values(measurement: Measurement, tag: str, *chosen: str) -> str:
    where = f" WHERE {condition(*chosen)}" if chosen else ""
    return f'SHOW TAG VALUES FROM "{measurement.name}" WITH KEY = "{tag}"{where}'


_HISTORY_VALUES: Final = {
    SWITCHBOARD: _tag_values(points.QUEUE_INTERVAL, SWITCHBOARD),
    QUEUE: _tag_values(points.QUEUE_INTERVAL, QUEUE, SWITCHBOARD),
    AGENT: _tag_values(points.AGENT_INTERVAL, AGENT, SWITCHBOARD, QUEUE),
}


def _source(name: str) -> builders.DatasourceVariable:
    """Of its type; ours, as provisioning names it, unless somebody chooses another one."""
    source = SOURCES[name]
    chosen = dashboard.VariableOption(selected=True, text=source.name, value=source.name)
    variable = (
        builders.DatasourceVariable(name).id(name).type(source.type).label(source.label).current(chosen)
    )
    return variable.hide(dashboard.VariableHide.HIDE_VARIABLE)


def _choice(name: str, *, has_history: bool) -> builders.QueryVariable:
    """One, several, or all of them. Where history is shown, also those that are no more."""
    source, values = (INFLUXDB, _HISTORY_VALUES) if has_history else (PROMETHEUS, _LIVE_VALUES)
    made = (
        builders.QueryVariable(name)
        .id(name)  # Grafana tells variables apart by it, and the SDK gives all the same
        .label(_LABELS[name])
        .datasource(dashboard.DataSourceRef(type_val=SOURCES[source].type, uid=f"${{{source}}}"))
        .query(values[name] if has_history else {"query": values[name], "refId": name})
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
        .multi(True)
        .include_all(True)
        .current(dashboard.VariableOption(selected=True, text="All", value="$__all"))
    )
    return made if name == AGENT else made.all_value(".*")  # all agents: those of the chosen queues
