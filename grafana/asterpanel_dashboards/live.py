"""The wallboard: who waits, who talks, which agents are free, now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

from asterpanel_dashboards import looks, panels, tables
from asterpanel_dashboards.frame import Frame
from asterpanel_dashboards.links import AGENTS, CALLS, LIVE, QUEUES, SWITCHBOARDS, link, of_column, of_label
from asterpanel_dashboards.looks import override
from asterpanel_dashboards.panels import About, now, over_time
from asterpanel_dashboards.queries import live, service_level, switchboards
from asterpanel_dashboards.queries.variables import AGENT, QUEUE, SWITCHBOARD
from asterpanel_dashboards.settings import Settings
from asterpanel_dashboards.tables import columns, transformation

FRAME: Final = Frame(
    uid=LIVE,
    title="Live",
    description="Who waits, who talks, and which agents are free: the wallboard.",
    since="now/d",
    refresh="5s",
)

APP_PANEL: Final = "asterpanel-live-panel"
"""Id of the app plugin's panel."""

ME_PAGE: Final = "/a/asterpanel-app/me"
"""Path of its page for agents."""

_NOW: Final = "30m"
"""What the service level "now" looks back on: long enough to mean something in a small queue."""


def build(settings: Settings) -> builders.Dashboard:
    """The dashboard."""
    made = FRAME.build(settings)
    for number in _numbers(settings):
        made.with_panel(number.span(4).height(5))
    for panel, width, height in (
        (_agents_by_state(), 20, 4),
        (_data_age(settings), 4, 4),
        (_queues(settings), 24, 8),
        (_agents(settings), 14, 12),
        (_waiting(), 10, 12),
    ):
        made.with_panel(panel.span(width).height(height))
    if settings.app_plugin:
        made.with_panel(_control().span(24).height(16)).link(_my_status())
    return made


def _numbers(settings: Settings) -> Iterator[stat.Panel]:
    """What is read from afar."""
    targets, calls = settings.queue, {"Calls behind it": link(CALLS, QUEUE)}
    yield panels.big_number(
        About(
            "Callers waiting",
            "Callers who wait in the chosen queues now. (What is many depends on the queue: the table has "
            "colours.)",
            links=calls,
        ),
        now(live.CALLERS_WAITING),
    )
    yield panels.big_number(
        About(
            "Longest wait",
            "The longest wait among the callers who wait now; 0 if nobody does.",
            "dthms",
            links=calls,
        ),
        now(live.LONGEST_WAIT_S),
        levels=targets.longest_wait,
    )
    yield panels.big_number(
        About(
            "Calls in progress",
            "Queue calls that an agent has answered and that have not ended.",
            links={"Agents": link(AGENTS, QUEUE)},
        ),
        now(live.CALLS_IN_PROGRESS),
    )
    for title, window in (("Service level, 30 min", _NOW), ("Service level", "$__range")):
        level = service_level.promql(settings.formula, window)
        yield panels.big_number(_service_level(settings, title), now(level), levels=targets.service_level)
    yield panels.big_number(
        About(
            "Abandoned",
            "Share of the calls offered in the chosen time in which the caller hung up while waiting, "
            "short abandons included.",
            "percentunit",
            empty="No calls",
            links={"Abandoned calls": link(CALLS, QUEUE, outcome="abandoned")},
        ),
        now(f"{live.calls('$__range', 'abandoned')} / ({live.offered('$__range')} > 0)"),
        levels=targets.abandon_rate,
    )


def _my_status() -> builders.DashboardLink:
    return builders.DashboardLink("My status").type(DashboardLinkType.LINK).url(ME_PAGE).icon("user")


def _control() -> builders.Panel:
    return (
        builders.Panel()
        .type(APP_PANEL)
        .options({})
        .title("Control")
        .description(
            "One switchboard as it changes, with buttons for whoever may: pause agents, change their queues, "
            "move waiting callers. It asks the control API, which shows everybody what he may see."
        )
    )


def _waiting() -> timeseries.Panel:
    about = About(
        "Waiting",
        "Callers who waited, by queue. A gap: the switchboard could not be watched.",
        links={"Calls": link(CALLS, switchboard=of_label("switchboard"), queue=of_label("queue"))},
    )
    return panels.lines(about, over_time(live.WAITING_BY_QUEUE, legend="{{queue}} ({{switchboard}})"))


def _service_level(settings: Settings, title: str) -> About:
    formula = settings.formula
    return About(
        title,
        f"{formula.symbols}: {formula.words}. T is each queue's threshold, A answered, B abandoned, S short "
        "abandons, F other ends. A call counts when it has ended.",
        "percentunit",
        empty="No calls",
        links={"Which queues, and why": link(QUEUES, QUEUE), "Calls behind it": link(CALLS, QUEUE)},
    )


def _queues(settings: Settings) -> table.Panel:
    about = About(
        "Queues",
        "Each queue now, and in the chosen time: calls offered, answered and abandoned, and the service "
        f"level ({settings.formula.symbols}). Idle: members who could take a call now.",
    )
    by = ("switchboard", "queue")
    panel = tables.rows(
        about,
        now(live.WAITING_BY_QUEUE, "A", as_table=True),
        now(live.LONGEST_WAIT_BY_QUEUE, "B", as_table=True),
        now(live.IN_PROGRESS_BY_QUEUE, "C", as_table=True),
        now(live.IDLE_BY_QUEUE, "D", as_table=True),
        now(live.offered("$__range", *by), "E", as_table=True),
        now(live.calls("$__range", "answered", *by), "F", as_table=True),
        now(live.calls("$__range", "abandoned", *by), "G", as_table=True),
        now(service_level.promql(settings.formula, "$__range", *by), "H", as_table=True),
    )
    names = {
        "switchboard": "Switchboard", "queue": "Queue", "Value #A": "Waiting", "Value #B": "Longest wait",
        "Value #C": "In progress", "Value #D": "Idle", "Value #E": "Offered", "Value #F": "Answered",
        "Value #G": "Abandoned", "Value #H": "Service level",
    }  # fmt: skip
    panel.transformations([transformation("merge"), columns(names)])
    tables.fit_headings(panel, names.values())
    coloured = {"Waiting": settings.queue.waiting, "Longest wait": settings.queue.longest_wait,
                "Service level": settings.queue.service_level}  # fmt: skip
    for name, levels in coloured.items():
        panel.override_by_name(name, looks.coloured(levels))
    panel.override_by_name("Longest wait", override(unit="dthms"))
    panel.override_by_name("Service level", override(unit="percentunit", decimals=0))
    row: dict[str, str] = {SWITCHBOARD: of_column("Switchboard"), QUEUE: of_column("Queue")}
    for name, outcome in {
        "Offered": {},
        "Answered": {"outcome": "answered"},
        "Abandoned": {"outcome": "abandoned"},
    }.items():
        panel.override_by_name(
            name, [*override(decimals=0), *looks.leading_to(Calls=link(CALLS, **row, **outcome))]
        )
    why = {"Why": link(QUEUES, **row), "Calls": link(CALLS, **row)}
    panel.override_by_name("Service level", looks.leading_to(**why))
    panel.override_by_name("Queue", looks.leading_to(This_queue=link(LIVE, **row), Why=link(QUEUES, **row)))
    return panel


def _agents_by_state() -> stat.Panel:
    about = About(
        "Agents by state",
        "Agents who serve the chosen queues, each counted once. Of several states the first that applies: "
        "unavailable, on call, on hold, ringing, wrap-up, paused, idle.",
        empty="No agents known",
        links={"Agents": link(AGENTS, QUEUE)},
    )
    shown = [(words, live.agents_in(state), colour) for state, (words, colour) in looks.STATE_LOOKS.items()]
    return panels.tiles(
        about,
        {
            words: (now(query, ref_id, legend=words), colour)
            for ref_id, (words, query, colour) in zip("ABCDEFG", shown, strict=True)
        },
    )


def _data_age(settings: Settings) -> stat.Panel:
    about = About(
        "Data as of",
        "How long ago the chosen switchboards last told anything: that of them that has been silent longest. "
        "While one is not connected, what is now on this dashboard is without it.",
        "dthms",
        links={"Which switchboard": link(SWITCHBOARDS)},
    )
    return panels.big_number(about, now(switchboards.OLDEST_DATA_AGE_S), levels=settings.data_age).decimals(0)


def _agents(settings: Settings) -> table.Panel:
    about = About(
        "Agents",
        "Every agent who serves the chosen queues: his state, for how long he has had it, and why he is "
        "paused.",
    )
    panel = tables.rows(
        about,
        now(live.agents(), "A", as_table=True),
        now(live.agent_state_for_s(), "B", as_table=True),
        now(live.agent_paused_for_s(), "C", as_table=True),
    )
    names = {SWITCHBOARD: "Switchboard", AGENT: "Agent", "name": "Name", "Value #A": "State",
             "Value #B": "For", "Value #C": "Paused for", "reason": "Reason"}  # fmt: skip
    panel.transformations([transformation("merge"), columns(names)])
    panel.override_by_name("State", looks.state_words(looks.agent_states()))
    row = {SWITCHBOARD: of_column("Switchboard"), AGENT: of_column("Agent")}
    panel.override_by_name(
        "Agent", [*override(unit="string"), *looks.leading_to(This_agent=link(AGENTS, **row))]
    )
    panel.override_by_name("For", override(unit="dthms"))
    return panel.override_by_name(
        "Paused for", [*override(unit="dthms"), *looks.coloured(settings.agent_pause)]
    )
