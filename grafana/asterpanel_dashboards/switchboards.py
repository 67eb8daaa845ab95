"""All switchboards side by side: is each watched, and how is it doing."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import table

from asterpanel_dashboards import looks, panels, tables
from asterpanel_dashboards.frame import Frame
from asterpanel_dashboards.links import CALLS, HEALTH, LIVE, QUEUES, SWITCHBOARDS, link, of_column, of_label
from asterpanel_dashboards.looks import override
from asterpanel_dashboards.panels import About, now, over_time
from asterpanel_dashboards.queries import service_level, switchboards
from asterpanel_dashboards.queries.variables import SWITCHBOARD
from asterpanel_dashboards.settings import Settings
from asterpanel_dashboards.tables import columns, transformation
from asterpanel_exporter import catalogue
from asterpanel_switchboard.config.targets import Levels

FRAME: Final = Frame(
    uid=SWITCHBOARDS,
    title="Switchboards",
    description="All switchboards side by side: is each watched, and how is it doing.",
    since="now/d",
    refresh="10s",
    variables=(SWITCHBOARD,),
)

WATCHED: Final = looks.words({"1": ("Watched", looks.GREEN), "0": ("Not connected", looks.RED)})


_ANY_IS_BAD: Final = Levels(warning=1, critical=10)


def build(settings: Settings) -> builders.Dashboard:
    """The dashboard."""
    made = FRAME.build(settings)
    watched = About(
        "Watched",
        catalogue.UP.help,
        empty="No switchboards: is the exporter running?",
        links={"Why: Asterpanel health": link(HEALTH, switchboard=of_label("switchboard"))},
    )
    missed = About("Calls missed", catalogue.CALLS_MISSED.help)
    for panel in (
        _table(settings).span(24).height(8),
        panels.states_over_time(watched, over_time(switchboards.WATCHED_OVER_TIME, legend="{{switchboard}}"))
        .mappings([WATCHED]).span(24).height(6),
        panels.lines(
            About("Callers waiting", catalogue.CALLERS_WAITING.help),
            over_time(switchboards.total_of_queues(catalogue.CALLERS_WAITING), legend="{{switchboard}}"),
        ).span(12).height(8),
        panels.counts(
            missed, over_time(switchboards.increase(catalogue.CALLS_MISSED),
                              legend="{{switchboard}}"),
        ).span(12).height(8),
    ):  # fmt: skip
        made.with_panel(panel)
    return made


def _table(settings: Settings) -> table.Panel:
    about = About(
        "Switchboards",
        "Each switchboard now. Data as of: how long ago it last told anything. In the chosen time: calls "
        f"offered, the service level ({settings.formula.symbols}), and calls missed because it could not be "
        "watched.",
    )
    level = service_level.promql(settings.formula, "$__range", SWITCHBOARD, of_queues=False)
    panel = tables.rows(
        about,
        now(switchboards.WATCHED, "A", as_table=True),
        now(switchboards.DATA_AGE_S, "B", as_table=True),
        now(switchboards.total_of_queues(catalogue.CALLERS_WAITING), "C", as_table=True),
        now(switchboards.LONGEST_WAIT_S, "D", as_table=True),
        now(switchboards.total_of_queues(catalogue.CALLS_IN_PROGRESS), "E", as_table=True),
        now(switchboards.increase_of_queues(catalogue.OFFERED), "F", as_table=True),
        now(level, "G", as_table=True),
        now(switchboards.increase(catalogue.CALLS_MISSED, window="$__range"), "H", as_table=True),
    )
    names = {
        SWITCHBOARD: "Switchboard", "Value #A": "State", "version": "Asterisk", "Value #B": "Data as of",
        "Value #C": "Waiting", "Value #D": "Longest wait", "Value #E": "In progress", "Value #F": "Offered",
        "Value #G": "Service level", "Value #H": "Calls missed",
    }  # fmt: skip
    panel.transformations([transformation("merge"), columns(names)])
    tables.fit_headings(panel, names.values())
    coloured = {
        "Data as of": settings.data_age,
        "Longest wait": settings.queue.longest_wait,
        "Service level": settings.queue.service_level,
    }  # fmt: skip
    for name, levels in coloured.items():
        panel.override_by_name(name, looks.coloured(levels))
    panel.override_by_name("State", looks.state_words(WATCHED))
    for name in ("Data as of", "Longest wait"):
        panel.override_by_name(name, override(unit="dthms"))
    panel.override_by_name("Service level", override(unit="percentunit", decimals=0))
    board = {SWITCHBOARD: of_column("Switchboard")}
    calls = link(CALLS, **board)
    panel.override_by_name("Switchboard", looks.leading_to(Live=link(LIVE, **board)))
    panel.override_by_name("State", looks.leading_to(Asterpanel_health=link(HEALTH, **board)))
    panel.override_by_name("Offered", [*override(decimals=0), *looks.leading_to(Calls=calls)])
    panel.override_by_name("Service level", looks.leading_to(Queues=link(QUEUES, **board), Calls=calls))
    panel.override_by_name("Calls missed", [*override(decimals=0), *looks.coloured(_ANY_IS_BAD)])
    return panel
