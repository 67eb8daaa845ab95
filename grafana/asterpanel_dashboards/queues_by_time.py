"""When queues did well: by day, by weekday, by hour, and how calls ended over time."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.builders import barchart, table, timeseries
from grafana_foundation_sdk.models import dashboard

from asterpanel_dashboards import looks, panels, tables
from asterpanel_dashboards.links import CALLS, in_time, link, of_number
from asterpanel_dashboards.looks import leading_to, override
from asterpanel_dashboards.panels import About
from asterpanel_dashboards.queries import queues
from asterpanel_dashboards.queries.influxql import HALF_HOUR, Figure
from asterpanel_dashboards.queries.variables import INFLUXDB, QUEUE
from asterpanel_dashboards.settings import Settings
from asterpanel_dashboards.tables import transformation
from asterpanel_exporter.history.records import Outcome

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS: Final = tuple(f"{hour:02}" for hour in range(24))


def rows(settings: Settings) -> dict[str, list[Any]]:
    """Panels by the title of their row."""
    level = queues.level(settings.formula)
    levels = looks.coloured(settings.queue.service_level)
    return {
        "By day, weekday and hour": [
            _by_day(settings).span(24).height(10),
            _by_weekday(settings).span(12).height(10),
            _by_hour(settings).span(12).height(10),
            _week(queues.OFFERED, looks.SHADES_OF_BLUE).span(24).height(9),
            _week(level, levels).span(24).height(9),
        ],
        "Ends and waits": [
            _outcomes(settings).span(12).height(9),
            _waits(settings).span(12).height(9),
        ],
    }


def _colours(panel: table.Panel, settings: Settings) -> table.Panel:
    level = queues.level(settings.formula)
    panel.override_by_name(level.name, looks.coloured(settings.queue.service_level))
    panel.override_by_name(queues.ABANDON_RATE.name, looks.coloured(settings.queue.abandon_rate))
    return panel.override_by_name(queues.LOST.name, override(decimals=0))


def _definitions(shown: list[Figure]) -> str:
    return " ".join(figure.definition for figure in shown)


def _by_day(settings: Settings) -> table.Panel:
    shown = [
        queues.level(settings.formula), queues.OFFERED, queues.ANSWERED, queues.ABANDONED,
        queues.ABANDON_RATE, queues.ASA, queues.AHT, queues.LONGEST_WAIT, queues.NO_ANSWER, queues.LOST,
    ]  # fmt: skip
    about = About(
        "By day",
        f"The chosen queues, by day of {settings.time_zone}. {_definitions(shown)} A click on a number "
        "leads to the calls of that day.",
    )
    queries = queues.table(shown, every="1d", zone=settings.time_zone)
    panel = tables.figures(tables.rows(about, *queries, source=INFLUXDB), shown, key={"Time": "Day"})
    _colours(panel, settings)
    end = {"left": "Day", "operator": "+", "right": str(24 * 3600 * 1000 - 1)}
    panel.with_transformation(transformation("calculateField", mode="binary", alias=_END, binary=end))
    panel.override_by_name(_END, override(custom__hidden=True))
    panel.override_by_name("Day", override(unit="time:ddd D MMM YYYY", custom__width=140))
    time = of_number("Day"), of_number(_END)
    for figure, outcome in {
        queues.OFFERED: {},
        queues.ANSWERED: {"outcome": Outcome.ANSWERED.value},
        queues.ABANDONED: {"outcome": Outcome.ABANDONED.value},
    }.items():
        panel.override_by_name(figure.name, leading_to(Calls=in_time(link(CALLS, QUEUE, **outcome), *time)))
    return panel


_END: Final = "End"


def _by_weekday(settings: Settings) -> table.Panel:
    shown = [
        queues.level(settings.formula), queues.OFFERED, queues.ABANDONED, queues.ABANDON_RATE, queues.ASA,
    ]  # fmt: skip
    about = About(
        "By weekday",
        "The chosen queues, by weekday of the switchboards' local time: sums over the chosen time. "
        + _definitions(shown),
    )
    panel = tables.rows(about, *queues.local_hours(shown, "weekday"), source=INFLUXDB)
    tables.figures(panel, shown, key={"weekday": "Weekday"})
    return _colours(panel, settings).override_by_name("Weekday", _IN_WORDS)


_IN_WORDS: Final = override(
    mappings=[looks.words({str(number): (name, "") for number, name in enumerate(WEEKDAYS, 1)})],
    custom__width=110,
    custom__align="left",
)


def _by_hour(settings: Settings) -> barchart.Panel:
    ends = [queues.ANSWERED, queues.ABANDONED, queues.OTHER_ENDS]
    about = About(
        "By hour",
        "Calls of the chosen queues, by hour of the switchboards' local time: sums over the chosen time. "
        + " ".join(figure.definition for figure in ends),
        "locale",
    )
    panel = panels.bar_chart(about, *queues.local_hours(ends, "hour"), by="Hour")
    panel.transformations(
        [
            tables.columns({"hour": "Hour", **{one.name: one.name for one in ends}}),
            transformation(
                "convertFieldType", conversions=[{"targetField": "Hour", "destinationType": "string"}]
            ),
        ]
    )
    panel.override_by_name("Hour", override(unit="string"))  # else Grafana takes "08" for a number
    for figure, colour in zip(ends, ("green", "red", "#7B7B7B"), strict=True):
        panel.override_by_name(figure.name, looks.fixed(colour))
    return panel


def _week(figure: Figure, colours: list[dashboard.DynamicConfigValue]) -> table.Panel:
    """A heat map: weekdays down, hours across."""
    about = About(
        f"{figure.name}, by weekday and hour",
        f"{figure.definition} By weekday and hour of the switchboards' local time, over the chosen time.",
        figure.unit,
    )
    panel = tables.rows(about, *queues.local_hours([figure], "weekday", "hour"), source=INFLUXDB)
    corner = "weekday\\hour"
    panel.transformations(
        [
            transformation(
                "groupingToMatrix",
                columnField="hour", rowField="weekday", valueField=figure.name, emptyValue="null",
            ),
            transformation("sortBy", sort=[{"field": corner}]),
            tables.columns({corner: "Weekday", **dict.fromkeys(HOURS, "")}),
        ]
    )  # fmt: skip
    panel.override_by_regexp(".*", override(custom__minWidth=40))
    panel.override_by_regexp("^[0-9][0-9]$", [*override(custom__align="center", decimals=0), *colours])
    return panel.override_by_name("Weekday", _IN_WORDS)


def _outcomes(settings: Settings) -> timeseries.Panel:
    about = About(
        "How calls ended",
        "Calls of the chosen queues by how they ended; a bar is half an hour, or as much more as fits. "
        "Abandoned: the caller hung up while waiting. Ends that did not occur are left out.",
        "locale",
        links={"Calls": link(CALLS, QUEUE)},
    )
    shown = [queues.outcome(ended) for ended in Outcome]
    panel = panels.bars_over_time(about, *queues.bars(shown, settings.time_zone))
    panel.interval(HALF_HOUR).max_data_points(100)
    panel.override_by_name(queues.ANSWERED.name, looks.fixed("green"))
    return panel.override_by_name(queues.ABANDONED.name, looks.fixed("red"))


def _waits(settings: Settings) -> timeseries.Panel:
    waits = [queues.WAIT_OF_ANSWERED, queues.WAIT_OF_ABANDONED]
    about = About(
        "Waits",
        "How long callers waited by half hour, on average. " + " ".join(one.definition for one in waits),
        "dthms",
        links={"Calls": link(CALLS, QUEUE)},
    )
    panel = panels.lines(about, *queues.half_hours(waits, settings.time_zone), source=INFLUXDB).min(0)
    panel.override_by_name(queues.ANSWERED.name, looks.fixed("green"))
    return panel.override_by_name(queues.ABANDONED.name, looks.fixed("red"))
