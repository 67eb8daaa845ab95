"""Agents: who works how much, who misses calls, who is on pause for how long, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from grafana_foundation_sdk.builders import barchart, stat, statetimeline, table
from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard

from asterpanel_dashboards import looks, panels, tables
from asterpanel_dashboards.frame import Frame
from asterpanel_dashboards.links import AGENTS, CALLS, in_time, link, of_column, of_number
from asterpanel_dashboards.looks import override
from asterpanel_dashboards.panels import About, now, over_time
from asterpanel_dashboards.queries import agents
from asterpanel_dashboards.queries.influxql import InfluxTarget, as_tables
from asterpanel_dashboards.queries.variables import AGENT, INFLUXDB, LINKEDID, QUEUE, SWITCHBOARD
from asterpanel_dashboards.settings import Settings
from asterpanel_dashboards.tables import columns
from asterpanel_exporter.state import AgentState

FRAME: Final = Frame(
    uid=AGENTS,
    title="Agents",
    description="Who works how much, who misses calls, and who is on pause for how long, and why.",
    since="now/d",
    variables=(SWITCHBOARD, QUEUE, AGENT),
    has_history=True,
)

_CALLS_HELP: Final = "Calls, talk and rings are those of the chosen queues."
_TIME_HELP: Final = "Time on duty, on pause and busy is that in all queues, whichever are chosen."
_HALF_HOURS: Final = "Made of the half hours that begin in the chosen time; up to a minute old."

_KEY: Final = {"agent_name": "Name", AGENT: "Agent", SWITCHBOARD: "Switchboard"}
_ROW: Final = {SWITCHBOARD: of_column("Switchboard"), AGENT: of_column("Agent")}
_THIS_AGENT: Final = looks.leading_to(Only_this_agent=link(AGENTS, QUEUE, **_ROW))

_SHOWN: Final = (
    agents.ANSWERED, agents.TALK, agents.AHT, agents.MISSED, agents.MISSED_RATE, agents.OCCUPANCY,
    agents.ON_DUTY, agents.ON_PAUSE, agents.PAUSES, agents.FIRST, agents.LAST, agents.TRANSFERS,
    agents.TRANSFER_RATE, agents.RINGS, agents.REFUSED,
)  # fmt: skip
_DEFINITIONS: Final = " ".join(figure.definition for figure in _SHOWN)


def build(settings: Settings) -> builders.Dashboard:
    """The dashboard. Its times are of the time zone of its days, so that a day is one on the screen too."""
    made = FRAME.build(settings)
    for number in _numbers(settings):
        made.with_panel(number.span(4).height(4))
    made.with_panel(_agents(settings).span(24).height(11))
    made.with_panel(_paused_now(settings).span(7).height(9))
    made.with_panel(_pauses(settings).span(10).height(9))
    made.with_panel(_pauses_by_reason(settings).span(7).height(9))
    made.with_row(builders.Row("How the time went"))
    made.with_panel(_timeline().span(24).height(12))
    made.with_panel(_time_in_each_state().span(24).height(9))
    made.with_row(builders.Row("By day"))
    made.with_panel(_by_day(settings).span(24).height(12))
    made.with_row(builders.Row("Rings that were not answered"))
    made.with_panel(_missed_rings().span(24).height(10))
    return made


def _numbers(settings: Settings) -> Iterator[stat.Panel]:
    coloured = {
        agents.MISSED_RATE: settings.queue.ring_no_answer_rate, agents.OCCUPANCY: settings.occupancy
    }  # fmt: skip
    titles = {
        agents.ANSWERED: "Calls answered", agents.AHT: "AHT", agents.MISSED_RATE: "Rings missed",
        agents.TRANSFER_RATE: "Transferred", agents.OCCUPANCY: "Occupancy", agents.ON_PAUSE: "On pause",
    }  # fmt: skip
    for figure, title in titles.items():
        is_of_calls = figure in agents.CALL_FIGURES
        [query] = agents.of_calls([figure]) if is_of_calls else agents.of_time([figure])
        scope = _CALLS_HELP if is_of_calls else _TIME_HELP
        about = About(
            title,
            f"All chosen agents together. {figure.definition} {scope} {_HALF_HOURS}",
            figure.unit,
            links={"Calls": link(CALLS, QUEUE, AGENT)},
        )
        panel = panels.big_number(about, *as_tables(query), levels=coloured.get(figure), source=INFLUXDB)
        yield panel.decimals(0)


def _agents(settings: Settings) -> table.Panel:
    about = About(
        "Agents",
        f"One row for each agent. {_CALLS_HELP} {_TIME_HELP} {_DEFINITIONS} {_HALF_HOURS}",
        empty="Nobody was on duty",
        links={"Calls of this agent": link(CALLS, QUEUE, **_ROW)},
    )
    panel = _figures(about, settings, agents.table(), _KEY)
    return panel.sort_by([_falling(agents.ANSWERED.name)])


def _figures(
    about: About, settings: Settings, targets: Sequence[InfluxTarget], key: dict[str, str]
) -> table.Panel:
    """A table of agents, with colours; their names lead to them alone."""
    panel = tables.figures(_rows(about, targets), _SHOWN, key)
    panel.override_by_name(agents.MISSED_RATE.name, looks.coloured(settings.queue.ring_no_answer_rate))
    panel.override_by_name(
        agents.OCCUPANCY.name, [*looks.coloured(settings.occupancy), *override(custom__minWidth=96)]
    )
    for figure in _SHOWN:
        if figure.unit == "dthms":
            panel.override_by_name(figure.name, override(decimals=0, custom__minWidth=80))
    _identified(panel)
    return panel


def _rows(about: About, targets: Sequence[InfluxTarget]) -> table.Panel:
    """A table that says something else when it is empty than its empty cells do."""
    return tables.rows(about, *targets, source=INFLUXDB).no_value(about.empty).mappings(looks.dash())


def _identified(panel: table.Panel) -> None:
    """Columns of the agent: an id is no number."""
    panel.override_by_name("Agent", override(unit="string", custom__align="left"))
    panel.override_by_name("Name", override(custom__minWidth=130))
    for name in ("Name", "Agent"):
        panel.override_by_name(name, _THIS_AGENT)


def _paused_now(settings: Settings) -> table.Panel:
    about = About(
        "On pause now",
        "Chosen agents who are on pause in every queue now, why, and for how long they have had their state: "
        "one who talks while on pause has it since that call.",
        "dthms",
        empty="Nobody is on pause",
    )
    panel = tables.rows(about, now(agents.paused_now_s(), as_table=True)).no_value(about.empty)
    names = {"name": "Name", AGENT: "Agent", "reason": "Reason", "Value": "For", SWITCHBOARD: "Switchboard"}
    panel.transformations([columns(names)])
    tables.fit_headings(panel, names.values())
    panel.override_by_name("Reason", override(mappings=[_NO_REASON]))
    panel.override_by_name("For", [*override(decimals=0), *looks.coloured(settings.agent_pause)])
    _identified(panel)
    return panel.sort_by([_falling("For")])


def _pauses(settings: Settings) -> table.Panel:
    about = About(
        "Pauses by agent and reason",
        "Finished pauses that began in the chosen time, of the chosen agents; one that goes on is not among "
        "them yet. A pause is in every queue of the agent; set anew, or with another reason, it is one more.",
        empty="No pauses",
    )
    panel = _pause_figures(about, settings, _KEY | {"reason": "Reason"})
    _identified(panel)
    for name, width in {"Name": 100, "Agent": 60, "Switchboard": 80}.items():
        panel.override_by_name(name, override(custom__minWidth=width))
    return panel


def _pauses_by_reason(settings: Settings) -> table.Panel:
    about = About(
        "Pauses by reason",
        "The pauses of all chosen agents together: finished ones that began in the chosen time.",
    )
    return _pause_figures(about, settings, {"reason": "Reason"})


def _pause_figures(about: About, settings: Settings, key: dict[str, str]) -> table.Panel:
    panel = _rows(about, agents.pauses(*key))
    tables.figures(panel, agents.PAUSE_FIGURES, key)
    panel.override_by_name("Longest", looks.coloured(settings.agent_pause))
    panel.override_by_name("Reason", override(mappings=[_NO_REASON], custom__minWidth=100))
    for figure in agents.PAUSE_FIGURES:
        panel.override_by_name(figure.name, override(decimals=0, custom__minWidth=75))
    return panel.sort_by([_falling("Together")])


def _timeline() -> statetimeline.Panel:
    about = About(
        "Timeline of states",
        "The state of each agent over the chosen time. Of several states the first that applies: "
        "unavailable, on call, on hold, ringing, wrap-up, paused, idle. A gap: no member of any queue, or "
        "the switchboard could not be watched.",
        empty="Nobody was on duty",
    )
    return panels.states_over_time(about, over_time(agents.states(), legend="{{name}} ({{agent}})"))


def _time_in_each_state() -> barchart.Panel:
    figures = agents.STATE_FIGURES
    about = About(
        "Time in each state",
        f"{_TIME_HELP} {' '.join(figure.definition for figure in figures)} A call during a pause counts as "
        f"both. {_HALF_HOURS}",
        "dthms",
    )
    panel = panels.bar_chart(about, *as_tables(*agents.of_time(figures, *agents.BY_AGENT)), by="Name").min(0)
    shown = {"agent_name": "Name", **{figure.name: figure.name for figure in figures}}
    panel.transformations([columns(shown, hidden=(AGENT, SWITCHBOARD))])
    for figure, state in zip(figures, _STATES, strict=True):
        panel.override_by_name(figure.name, looks.fixed(looks.STATE_LOOKS[state][1]))
    return panel


_STATES: Final = (
    AgentState.ON_CALL, AgentState.RINGING, AgentState.WRAPUP, AgentState.IDLE, AgentState.PAUSED
)  # fmt: skip
"""Those of `agents.STATE_FIGURES`."""


def _by_day(settings: Settings) -> table.Panel:
    calls_of_day = in_time(link(CALLS, QUEUE, **_ROW), of_number("Day"), of_number(agents.LAST.name))
    about = About(
        "Agents by day",
        f"One row for each agent and day ({settings.time_zone}). {_CALLS_HELP} {_TIME_HELP} {_DEFINITIONS} "
        f"{_HALF_HOURS}",
        empty="Nobody was on duty",
        links={"Calls of this agent on this day": calls_of_day},
    )
    panel = _figures(about, settings, agents.table("1d", settings.time_zone), {"Time": "Day", **_KEY})
    panel.override_by_name("Day", override(unit="time:ddd YYYY-MM-DD", custom__minWidth=130))
    return panel.sort_by([_falling("Day")])


def _missed_rings() -> table.Panel:
    about = About(
        "Missed rings",
        "Each time that an agent's phone rang for the chosen queues and he did not answer, or that it "
        f"refused; the newest {agents.MISSED_LISTED}. A click shows what became of the call.",
        "s",
        empty="None",
        links={"The story of this call": link(CALLS, QUEUE, **{LINKEDID: of_column("uniqueid")})},
    )
    panel = _rows(about, agents.missed_rings())
    names = {"Time": "Time", **_KEY, QUEUE: "Queue", "result": "Result", "ring_s": "Rang for"}
    panel.transformations([columns({**names, "uniqueid": "uniqueid"})])
    _identified(panel)
    panel.override_by_name("Queue", override(unit="string"))
    panel.override_by_name("Result", override(mappings=[_RESULTS], custom__cellOptions=looks.FILLED))
    panel.override_by_name("Rang for", override(decimals=1))
    return panel.override_by_name("uniqueid", override(unit="string", custom__hidden=True))


def _falling(column: str) -> common_builders.TableSortByFieldState:
    return common_builders.TableSortByFieldState().display_name(column).desc(True)


_RESULTS: Final = looks.words(
    {"no_answer": ("Not answered", "red"), "rejected": ("Refused by the phone", "orange")}
)
_NO_REASON: Final = dashboard.SpecialValueMap(
    dashboard.DashboardSpecialValueMapOptions(
        dashboard.SpecialValueMatch.EMPTY, dashboard.ValueMappingResult(text="No reason given")
    )
)
