"""The dashboards' panels and variables as Grafana gets them, and the answers to what they ask."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from asterpanel_dashboards.build import files
from asterpanel_dashboards.settings import DEFAULTS, Settings
from tests.dashboards.variables import (
    ALL,
    Variable,
    Variables,
    influx_time_filter,
    influxql,
    influxql_choices,
    promql,
)

ZONE: Final = "Europe/Rome"
SETTINGS: Final[Settings] = replace(DEFAULTS, time_zone=ZONE)
DASHBOARDS: Final[dict[str, dict[str, Any]]] = {
    found["uid"]: found for _, text in files(SETTINGS) for found in [json.loads(text)]
}
PROMETHEUS_SCRAPE_S: Final = 5
"""``timeInterval`` of the data source in ``provisioning/grafana/datasources``."""


@dataclass(frozen=True)
class Target:
    """One query of one panel."""

    uid: str
    title: str
    ref_id: str
    kind: str
    json: Mapping[str, Any]

    @property
    def name(self) -> str:
        """For people, and for the tables of the tests."""
        return f"{self.uid.removeprefix('asterpanel-')}: {self.title} {self.ref_id}"


@dataclass(frozen=True)
class Rows:
    """A part of an answer: one series of InfluxDB's, or one of Prometheus'.

    Attributes:
        labels: tags or labels.
        columns: names of the values in each row; the first is the time.
        rows: times are Unix seconds.
    """

    labels: Mapping[str, str]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def column(self, name: str) -> list[Any]:
        place = list(self.columns).index(name)
        return [row[place] for row in self.rows]

    @property
    def value(self) -> Any:
        """The last value of the first column after the time."""
        return self.rows[-1][1]


Answer = list[Rows]


def is_empty(answer: Answer) -> bool:
    """Whether there is nothing that a panel could show: no row with a value."""
    return all(value is None for part in answer for row in part.rows for value in row[1:])


def panels_of(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels, those in rows too, without the rows."""
    for panel in dashboard["panels"]:
        yield from panel.get("panels") or []
        if panel["type"] not in ("row", "text"):
            yield panel


def targets() -> Iterator[Target]:
    """Every query of every panel of every dashboard."""
    for uid, dashboard in DASHBOARDS.items():
        for panel in panels_of(dashboard):
            for target in panel.get("targets", []):
                source = target.get("datasource") or panel["datasource"]
                yield Target(uid, panel["title"], target["refId"], source["type"], target)


@dataclass(frozen=True)
class Span:
    """A dashboard's time range, Unix milliseconds; and how far apart its panels' values are."""

    since_ms: int
    until_ms: int
    step_s: int

    @property
    def others(self) -> dict[str, str]:
        return {"__from": str(self.since_ms), "__to": str(self.until_ms)}

    @property
    def filter(self) -> str:
        return influx_time_filter(self.since_ms, self.until_ms)


class Servers(Protocol):
    """What can be asked."""

    def influxql(self, query: str) -> list[dict[str, Any]]: ...
    def instant(self, query: str, at: float) -> list[dict[str, Any]]: ...
    def over_time(self, query: str, since: float, until: float, step_s: float) -> list[dict[str, Any]]: ...
    def series(self, match: str, since: float, until: float) -> list[dict[str, str]]: ...


class Viewer:
    """Somebody who looks at a dashboard, with a choice of its variables.

    Args:
        servers: behind the data sources.
        uid: of the dashboard.
        choice: values by variable; of those that are not named, what the dashboard comes with.
        span: the time range.
    """

    def __init__(self, servers: Servers, uid: str, choice: Mapping[str, Sequence[str]], span: Span) -> None:
        self._servers = servers
        self._span = span
        self.options: dict[str, list[str]] = {}
        chosen: dict[str, Variable] = {}
        self.variables = Variables(chosen, span.others)
        for one in DASHBOARDS[uid]["templating"]["list"]:
            if one["type"] != "datasource":
                chosen[one["name"]] = self._variable(one, choice.get(one["name"]))

    def _variable(self, one: Mapping[str, Any], chosen: Sequence[str] | None) -> Variable:
        options = tuple(self._options(one))
        self.options[one["name"]] = list(options)
        given = one.get("current", {}).get("value", one.get("query", ""))
        multi = bool(one.get("multi"))
        value = given if chosen is None else list(chosen) if multi else chosen[0] if chosen else ""
        return Variable(
            one["name"], value, options, one.get("allValue") or "", multi, bool(one.get("includeAll"))
        )

    def _options(self, one: Mapping[str, Any]) -> list[str]:
        if one["type"] != "query":
            return [option["value"] for option in one.get("options") or [] if option["value"] != ALL]
        found = self._influx_options(one) if isinstance(one["query"], str) else self._prometheus_options(one)
        return sorted(dict.fromkeys(found), key=str.lower)

    def _influx_options(self, one: Mapping[str, Any]) -> list[str]:
        series = self._servers.influxql(influxql_choices(one["query"], self.variables, self._span.filter))
        return [row[1] for part in series for row in part["values"]]

    def _prometheus_options(self, one: Mapping[str, Any]) -> list[str]:
        text = promql(one["query"]["query"], self.variables, range_s=self._range_s, step_s=1, scrape_s=1)
        match, _, label = text.removeprefix("label_values(").removesuffix(")").rpartition(",")
        found = self._servers.series(match, self._span.since_ms / 1000, self._span.until_ms / 1000)
        return [labels[label.strip()] for labels in found if label.strip() in labels]

    @property
    def _range_s(self) -> int:
        return round((self._span.until_ms - self._span.since_ms) / 1000)

    def text(self, target: Target) -> str:
        """The query as the data source gets it."""
        step_s = self._span.step_s
        if target.kind == "influxdb":
            return influxql(target.json["query"], self.variables, self._span.filter, step_s=step_s)
        return promql(
            target.json["expr"], self.variables, range_s=self._range_s, step_s=step_s,
            scrape_s=PROMETHEUS_SCRAPE_S,
        )  # fmt: skip

    def ask(self, target: Target) -> Answer:
        """The answer.

        Raises:
            AssertionError: it is an error; says which.
        """
        text = self.text(target)
        if target.kind == "influxdb":
            return [_of_influx(series) for series in self._servers.influxql(text)]
        since, until = self._span.since_ms / 1000, self._span.until_ms / 1000
        if target.json.get("instant"):
            return [
                _of_prometheus(one["metric"], [one["value"]]) for one in self._servers.instant(text, until)
            ]
        found = self._servers.over_time(text, since, until, self._span.step_s)
        return [_of_prometheus(one["metric"], one["values"]) for one in found]


def _of_influx(series: Mapping[str, Any]) -> Rows:
    rows = [[row[0] / 1e9, *row[1:]] for row in series["values"]]
    return Rows(series.get("tags", {}), series["columns"], rows)


def _of_prometheus(labels: Mapping[str, str], values: Sequence[Sequence[Any]]) -> Rows:
    return Rows(labels, ("time", "value"), [[at, float(value)] for at, value in values])
