"""Calls: every one, newest first; those behind a number; and one call's own story."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from grafana_foundation_sdk.builders import bargauge, stat, table
from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard

from asterpanel_dashboards import calls_variables, looks, panels, tables
from asterpanel_dashboards.frame import Frame
from asterpanel_dashboards.links import AGENTS, CALLS, link, of_column
from asterpanel_dashboards.looks import override
from asterpanel_dashboards.panels import About
from asterpanel_dashboards.queries import calls
from asterpanel_dashboards.queries.queues import OUTCOME_WORDS
from asterpanel_dashboards.queries.variables import (
    AGENT,
    CALLER,
    INFLUXDB,
    LINKEDID,
    MIN_WAIT,
    OUTCOME,
    QUEUE,
    SWITCHBOARD,
)
from asterpanel_dashboards.settings import Settings
from asterpanel_dashboards.tables import columns, transformation
from asterpanel_exporter.history.records import AttemptResult, EndedBy, Outcome

FRAME: Final = Frame(
    uid=CALLS,
    title="Calls",
    description="Every call, newest first: the calls behind a number, and what happened in one of them. "
    "Callers' numbers are personal data: they are on this dashboard only.",
    since="now/d",
    variables=(SWITCHBOARD, QUEUE),
    has_history=True,
)

_KEPT: Final = (QUEUE, AGENT, OUTCOME, CALLER, MIN_WAIT)

_OUTCOME_COLOURS: Final = {
    Outcome.ANSWERED: "green",
    Outcome.ABANDONED: "red",
    Outcome.EXIT_KEY: "blue",
    Outcome.CONTINUE: "blue",
    Outcome.REDIRECTED: "blue",
    Outcome.WITHDRAWN: "purple",
    Outcome.UNKNOWN: "#7B7B7B",
}
_OUTCOMES: Final = looks.words(
    {outcome: (words, _OUTCOME_COLOURS.get(outcome, "orange")) for outcome, words in OUTCOME_WORDS.items()}
)
_ENDED_BY: Final = looks.words(
    {
        EndedBy.CALLER: ("Caller", ""),
        EndedBy.AGENT: ("Agent", ""),
        EndedBy.BLIND_TRANSFER: ("Blind transfer", ""),
        EndedBy.ATTENDED_TRANSFER: ("Attended transfer", ""),
    }
)
_RESULTS: Final = looks.words(
    {
        AttemptResult.ANSWERED: ("Answered", "green"),
        AttemptResult.NO_ANSWER: ("Not answered", "red"),
        AttemptResult.REJECTED: ("Refused by the phone", "orange"),
        AttemptResult.CANCELLED: ("Stopped: caller left, or another was faster", "#7B7B7B"),
    }
)
_OUTCOME_HELP: Final = (
    "Answered: an agent was connected. Abandoned: the caller hung up while waiting. Every other way to leave "
    "the queue, or not to get into it, is apart."
)


def build(settings: Settings) -> builders.Dashboard:
    """The dashboard."""
    made = FRAME.build(settings)
    for variable in calls_variables.variables():
        made.with_variable(variable)
    made.with_panel(_found().span(8).height(7))
    made.with_panel(_by_outcome().span(9).height(7))
    made.with_panel(_by_wait().span(7).height(7))
    made.with_panel(_newest(settings).span(24).height(14))
    made.with_row(builders.Row("One call's story: click a call above"))
    made.with_panel(_story(settings).span(24).height(9))
    made.with_row(builders.Row("Callers"))
    made.with_panel(_to_call_back().span(12).height(12))
    made.with_panel(_repeat_callers().span(12).height(12))
    return made


def _found() -> stat.Panel:
    about = About(
        "Calls found",
        "All calls that match what is chosen above: how many, how many of them were answered and abandoned, "
        f"and how long they waited. The list shows the newest {calls.LISTED:,} of them.",
        empty="No calls",
    )
    panel = panels.big_number(about, *calls.found(), source=INFLUXDB).decimals(0)
    panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]).fields("/^(?!Time$).*/"))
    for figure in calls.FOUND:
        panel.override_by_name(figure.name, override(unit=figure.unit))
    for name, outcome in {"Answered": Outcome.ANSWERED, "Abandoned": Outcome.ABANDONED}.items():
        panel.override_by_name(name, looks.leading_to(Only_these=_with_outcome(outcome)))
    return panel


def _with_outcome(outcome: str) -> str:
    kept = [name for name in _KEPT if name != OUTCOME]
    return link(CALLS, *kept, **{OUTCOME: outcome})


def _by_outcome() -> table.Panel:
    about = About(
        "By outcome",
        f"The same calls by how they ended. {_OUTCOME_HELP} A click on an outcome chooses it.",
        empty="No calls",
    )
    panel = tables.rows(about, *calls.by_outcome(), source=INFLUXDB).no_value(about.empty)
    tables.figures(panel, calls.BY_OUTCOME, {OUTCOME: "Outcome"})
    choose = looks.leading_to(Only_these=_with_outcome("${__value.raw:percentencode}"))
    panel.override_by_name("Outcome", [*_filled(_OUTCOMES), *choose, *override(custom__minWidth=130)])
    bar = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
    panel.override_by_name("Calls", [*looks.fixed("blue"), *override(custom__cellOptions=bar, min=0)])
    return panel.sort_by([common_builders.TableSortByFieldState().display_name("Calls").desc(True)])


def _by_wait() -> bargauge.Panel:
    about = About(
        "By wait",
        "The same calls by how long the caller waited until an agent was connected or the caller left, of "
        "whatever outcome. A step without calls is not shown.",
        empty="No calls",
    )
    panel = panels.ranking(about, *calls.by_wait()).min(0).decimals(0)
    return panel.color_scheme(
        builders.FieldColor().mode(dashboard.FieldColorModeId.FIXED).fixed_color("blue")
    )


def _newest(settings: Settings) -> table.Panel:
    about = About(
        f"Calls, the newest {calls.LISTED:,}",
        f"One row for each visit of a caller to a queue, once it has ended; newest first. {_OUTCOME_HELP} "
        "Wait: from the join until an agent was connected, or the caller left. Rings: how often an agent's "
        "phone rang. Rang: the phone of the agent who answered. A click on a row tells the call's story "
        "below. To download the list: menu of this panel, Inspect, Data, Download CSV.",
        "string",
        empty="No calls match what is chosen above",
        links={"The story of this call": _STORY},
    )
    panel = tables.rows(about, *calls.newest(), source=INFLUXDB).no_value(about.empty)
    panel.mappings(looks.dash()).transformations([columns({**_CALL_NAMES, LINKEDID: LINKEDID})])
    _dressed(panel, settings, _CALL_NAMES.values())
    agent = {AGENT: of_column("Agent"), SWITCHBOARD: of_column("Switchboard")}
    links = looks.leading_to(The_story_of_this_call=_STORY, This_agent=link(AGENTS, QUEUE, **agent))
    panel.override_by_name("Agent", links)
    return panel.override_by_name(LINKEDID, override(custom__hidden=True))


_STORY: Final = link(CALLS, *_KEPT, **{LINKEDID: of_column(LINKEDID)})

_CALL_NAMES: Final = {
    "Time": "Time", SWITCHBOARD: "Switchboard", QUEUE: "Queue", CALLER: "Caller",
    "caller_name": "Caller's name", OUTCOME: "Outcome", "wait_s": "Wait", "attempts": "Rings",
    "ring_s": "Rang", AGENT: "Agent", "agent_name": "Agent's name", "talk_s": "Talk",
    "ended_by": "Ended by", "transfer_to": "Transfer to",
}  # fmt: skip

_STORY_NAMES: Final = {
    "Time": "Time", SWITCHBOARD: "Switchboard", QUEUE: "Queue", CALLER: "Caller", OUTCOME: "Outcome",
    "position_in": "Place", "wait_s": "Wait", "result": "Phone", "ring_s": "Rang", AGENT: "Agent",
    "agent_name": "Agent's name", "talk_s": "Talk", "ended_by": "Ended by", "transfer_to": "Transfer to",
}  # fmt: skip


_TEXTS: Final = ("Caller", "Caller's name", "Agent", "Agent's name", "Ended by", "Transfer to")


def _story(settings: Settings) -> table.Panel:
    about = About(
        "Story of the call",
        "One phone call in the order of time, as far as it lies in the chosen time. A row with an outcome is "
        "a visit to a queue, at the time of its join (Place: in the queue); a row with a phone is a ringing "
        "of an agent's phone for it.",
        "string",
        empty="Click a call above",
    )
    panel = tables.rows(about, *calls.story(), source=INFLUXDB).no_value(about.empty)
    panel.mappings(looks.dash()).transformations(
        [transformation("merge"), columns(_STORY_NAMES), transformation("sortBy", sort=[{"field": "Time"}])]
    )
    _dressed(panel, settings, _STORY_NAMES.values())
    return panel.override_by_name("Phone", [*_filled(_RESULTS), *override(custom__minWidth=150)])


def _dressed(panel: table.Panel, settings: Settings, names: Iterable[str]) -> None:
    """Words, units, colours and widths of a table of calls."""
    tables.fit_headings(
        panel, names, {"Time": 160, "Switchboard": 108, "Caller": 120, "Outcome": 120, "Ended by": 145}
    )
    panel.override_by_name("Outcome", _filled(_OUTCOMES))
    panel.override_by_name("Ended by", override(mappings=[_ENDED_BY, *looks.dash()]))
    panel.override_by_name("Agent", override(custom__align="left"))
    for name in _TEXTS:  # Grafana would show a column of nothing but nulls as JSON
        panel.override_by_name(name, looks.text_coloured("text"))
    _as_durations(panel, "Wait", "Rang", "Talk")
    levels = looks.thresholds(settings.queue.longest_wait).build()
    panel.override_by_name("Wait", override(thresholds=levels, custom__cellOptions={"type": "color-text"}))


def _as_durations(panel: table.Panel, *names: str) -> None:
    for name in names:
        panel.override_by_name(name, override(unit="dthms", decimals=0, custom__minWidth=80))


def _filled(mapping: dashboard.ValueMapping) -> list[dashboard.DynamicConfigValue]:
    return override(mappings=[mapping, *looks.dash("transparent")], custom__cellOptions=looks.FILLED)


_CALLERS_HELP: Final = (
    f"Of the newest {calls.REMEMBERED:,} calls that show a number, whatever outcome, agent and wait is "
    "chosen above. A call without a number, or to another queue, is not known to be of the same caller."
)


def _to_call_back() -> table.Panel:
    about = About(
        "Callers to call back",
        "Callers whose newest call to the chosen queues was not answered: none of these queues has served "
        f"them since. {_CALLERS_HELP} Nor is it known whether somebody has called them back.",
        "string",
        empty="Nobody is left without an answer",
    )
    return _of_callers(about, _only("Newest outcome", "notEqual", Outcome.ANSWERED))


def _repeat_callers() -> table.Panel:
    about = About(
        "Repeat callers",
        "Callers who called the chosen queues more than once, and were not answered each time; who called "
        f"most comes first. {_CALLERS_HELP}",
        "string",
        empty="Nobody called again",
    )
    by_calls = transformation("sortBy", sort=[{"field": "Calls", "desc": True}])
    return _of_callers(about, _only("Calls", "greater", 1), _only("Not answered", "greater", 0), by_calls)


def _only(column: str, test: str, value: object) -> dashboard.DataTransformerConfig:
    """Rows for which this is so."""
    condition = {"fieldName": column, "config": {"id": test, "options": {"value": value}}}
    return transformation("filterByValue", type="include", match="all", filters=[condition])


def _of_callers(about: About, *steps: dashboard.DataTransformerConfig) -> table.Panel:
    """One row for each number. The calls come newest first, so the first one of a caller is the newest."""
    panel = tables.rows(about, *calls.of_callers(), source=INFLUXDB).no_value(about.empty)
    by_caller = transformation("groupBy", fields={
        CALLER: {"operation": "groupby", "aggregations": []},
        **{name: {"operation": "aggregate", "aggregations": [how]} for name, how in _OF_GROUP.items()},
    })  # fmt: skip
    panel.mappings(looks.dash()).transformations([by_caller, columns(_GROUP_NAMES), *steps])
    panel.override_by_name("Newest outcome", _filled(_OUTCOMES))
    _as_durations(panel, "Longest wait")
    tables.fit_headings(panel, _GROUP_NAMES.values(), _GROUP_WIDTHS)
    any_call = {CALLER: of_column("Caller"), AGENT: "$__all", OUTCOME: "$__all", MIN_WAIT: ""}
    return panel.override_by_name(
        "Caller", looks.leading_to(Calls_of_this_number=link(CALLS, QUEUE, **any_call))
    )


_GROUP_WIDTHS: Final = {
    "Caller": 120, "Name": 100, "Not answered": 120, "Newest call": 160, "Newest outcome": 135,
    "Longest wait": 115, "Switchboard": 110,
}  # fmt: skip
_OF_GROUP: Final = {
    "caller_name": "first", "offered": "sum", "unanswered": "sum", "Time": "first", OUTCOME: "first",
    QUEUE: "first", SWITCHBOARD: "first", "wait_s": "max",
}  # fmt: skip
_GROUP_NAMES: Final = {
    CALLER: "Caller", "caller_name (first)": "Name", "offered (sum)": "Calls",
    "unanswered (sum)": "Not answered", "Time (first)": "Newest call", f"{OUTCOME} (first)": "Newest outcome",
    f"{QUEUE} (first)": "Queue", "wait_s (max)": "Longest wait", f"{SWITCHBOARD} (first)": "Switchboard",
}  # fmt: skip
