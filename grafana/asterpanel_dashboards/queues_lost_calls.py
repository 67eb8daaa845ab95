"""Why calls were lost to the service level: causes, the worst half hours, and what tells of it."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.builders import bargauge, table, timeseries

from asterpanel_dashboards import looks, panels, tables
from asterpanel_dashboards.links import AGENTS, CALLS, QUEUES, in_time, link, of_column, of_number
from asterpanel_dashboards.looks import leading_to, override
from asterpanel_dashboards.panels import About
from asterpanel_dashboards.queries import queues
from asterpanel_dashboards.queries.influxql import HALF_HOUR
from asterpanel_dashboards.queries.variables import INFLUXDB, QUEUE
from asterpanel_dashboards.settings import Settings
from asterpanel_dashboards.tables import transformation

COLOURS: Final = {
    "More calls": "blue",
    "Longer calls": "purple",
    "Few agents": "red",
    "Pauses": looks.YELLOW,
    "No answer": "orange",
    "Other": "#7B7B7B",
}
"""Of the causes; their words are always there."""


def rows(settings: Settings) -> dict[str, list[Any]]:
    """Panels by the title of their row."""
    return {
        "Why calls were lost to the service level": [
            _causes().span(7).height(9),
            _causes_by_queue().span(17).height(9),
            _causes_over_time(settings).span(24).height(9),
            _worst_half_hours(settings).span(24).height(12),
        ],
        "Plan and staff, by half hour": [
            _arrivals(settings).span(12).height(9),
            _agents(settings).span(12).height(9),
            _handle_time(settings).span(12).height(9),
            _rings(settings).span(12).height(9),
        ],
    }


def _definitions() -> str:
    causes = " ".join(figure.definition for figure in queues.causes())
    return (
        f"{queues.LOST.definition} The causes are found by Erlang C, from the plan on, by putting one thing "
        f"after the other as it was. {causes} Planned is the mean of the same half hour in the four weeks "
        "before."
    )


def _causes() -> bargauge.Panel:
    about = About(
        "Causes",
        f"Lost calls of all chosen queues by cause. {_definitions()}",
        "locale",
        empty="None lost",
        links={"Calls": link(CALLS, QUEUE)},
    )
    panel = panels.ranking(about, *queues.table(queues.causes())).decimals(0)
    for name, colour in COLOURS.items():
        panel.override_by_name(name, looks.fixed(colour))
    return panel


def _causes_by_queue() -> table.Panel:
    shown = [queues.LOST, queues.LOST_RATE, *queues.cause_shares()]
    about = About(
        "Causes by queue",
        "Lost calls of each queue, their share of the calls that count, and the share of each cause in "
        f"them. {_definitions()}",
    )
    panel = tables.rows(about, *queues.table(shown, *queues.BY_QUEUE), source=INFLUXDB)
    tables.figures(panel, shown, key={"switchboard": "Switchboard", "queue": "Queue"})
    row = {"switchboard": of_column("Switchboard"), "queue": of_column("Queue")}
    panel.override_by_name(queues.LOST.name, [*override(decimals=0), *leading_to(Queue=link(QUEUES, **row))])
    for figure in queues.cause_shares():
        panel.override_by_name(figure.name, looks.shaded(COLOURS[figure.name]))
    return panel


def _causes_over_time(settings: Settings) -> timeseries.Panel:
    about = About(
        "Causes over time",
        "Lost calls of the chosen queues by cause; a bar is half an hour, or as much more as fits. "
        + _definitions(),
        "locale",
        links={"Calls": link(CALLS, QUEUE)},
    )
    panel = panels.bars_over_time(about, *queues.bars(queues.causes(), settings.time_zone))
    panel.interval(HALF_HOUR).max_data_points(200).decimals(1)
    for name, colour in COLOURS.items():
        panel.override_by_name(name, looks.fixed(colour))
    return panel


def _worst_half_hours(settings: Settings) -> table.Panel:
    agents = " ".join(figure.definition for figure in queues.AGENTS)
    about = About(
        "The worst half hours",
        f"The {queues.WORST} half hours of a queue in which most calls were lost, with the causes and what "
        f"there was: calls offered and planned, agents, handle time and rings. {_definitions()} Agents are "
        f"averages of the half hour. {agents} A click on a number leads to the calls of that half hour.",
    )
    panel = tables.rows(about, *queues.worst_half_hours(), source=INFLUXDB)
    end = {"left": "Time", "operator": "+", "right": str(30 * 60 * 1000 - 1)}
    names = {"Time": "Half hour", "switchboard": "Switchboard", "queue": "Queue"}
    panel.transformations(
        [
            transformation("calculateField", mode="binary", alias=_END, binary=end),
            transformation("organize", renameByName=names),
            transformation("sortBy", sort=[{"field": queues.LOST.name, "desc": True}]),
        ]
    )
    panel.decimals(1)
    tables.fit_headings(panel, ("Switchboard", "Queue", *queues.COLUMNS_OF_HALF_HOURS))
    panel.override_by_name("Half hour", override(unit="time:ddd D MMM HH:mm", custom__width=140))
    for name in ("Offered", queues.NO_ANSWER.name):
        panel.override_by_name(name, override(decimals=0))
    for name in (queues.HANDLE_TIME.name, queues.PLANNED_TIME.name):
        panel.override_by_name(name, override(unit="dthms", mappings=[looks.NONE_IS_0]))
    row = {"switchboard": of_column("Switchboard"), "queue": of_column("Queue")}
    time = of_number("Half hour"), of_number(_END)
    for name in ("Lost", "Offered"):
        panel.override_by_name(name, leading_to(Calls=in_time(link(CALLS, **row), *time)))
    for name in ("There", "On pause", queues.NO_ANSWER.name):
        panel.override_by_name(name, leading_to(Agents=in_time(link(AGENTS, **row), *time)))
    for name, colour in COLOURS.items():
        panel.override_by_name(name, looks.text_coloured(colour))
    return panel.override_by_name(_END, override(custom__hidden=True))


_END: Final = "End"


def _arrivals(settings: Settings) -> timeseries.Panel:
    about = About(
        "Calls offered and planned",
        f"{queues.OFFERED.definition} {queues.PLANNED_OFFERED.definition}",
        "locale",
        links={"Calls": link(CALLS, QUEUE)},
    )
    shown = [queues.OFFERED, queues.PLANNED_OFFERED]
    return _against_plan(about, *queues.half_hours(shown, settings.time_zone))


def _handle_time(settings: Settings) -> timeseries.Panel:
    shown = [queues.HANDLE_TIME, queues.PLANNED_TIME]
    definitions = " ".join(figure.definition for figure in shown)
    about = About(
        "Handle time and plan", definitions, "dthms",
        links={"Answered calls": link(CALLS, QUEUE, outcome="answered")},
    )  # fmt: skip
    return _against_plan(about, *queues.half_hours(shown, settings.time_zone))


def _agents(settings: Settings) -> timeseries.Panel:
    shown = queues.AGENTS
    about = About(
        "Agents there and needed",
        "Average numbers of agents in each half hour. "
        + " ".join(figure.definition for figure in shown)
        + " Several queues are added up: who serves two of them counts twice, so choose one queue.",
        "none",
        links={"Agents": link(AGENTS, QUEUE)},
    )
    panel = panels.steps(panels.lines(about, *queues.half_hours(shown, settings.time_zone), source=INFLUXDB))
    panel.decimals(1).min(0)
    colours = {"Needed": "red", "There": "green", "On pause": looks.YELLOW, "Elsewhere": "blue"}
    for name, colour in colours.items():
        panel.override_by_name(name, looks.fixed(colour))
    return panel.override_by_name("Needed", _DASHED)


def _rings(settings: Settings) -> timeseries.Panel:
    shown = [queues.OTHER_RINGS, queues.NO_ANSWER]
    about = About(
        "Rings of agents' phones",
        " ".join(figure.definition for figure in shown),
        "locale",
        links={"Agents": link(AGENTS, QUEUE)},
    )
    panel = panels.bars_over_time(about, *queues.bars(shown, settings.time_zone))
    panel.interval(HALF_HOUR).max_data_points(200)
    panel.override_by_name(queues.OTHER_RINGS.name, looks.fixed("#7B7B7B"))
    return panel.override_by_name(queues.NO_ANSWER.name, looks.fixed(COLOURS["No answer"]))


_DASHED: Final = override(custom__lineStyle={"fill": "dash", "dash": [6, 4]}, custom__fillOpacity=0)


def _against_plan(about: About, *targets: panels.Target) -> timeseries.Panel:
    panel = panels.steps(panels.lines(about, *targets, source=INFLUXDB)).min(0)
    return panel.override_by_regexp("Planned.*", [*looks.fixed("text"), *_DASHED])
