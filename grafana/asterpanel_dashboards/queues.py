"""Which queues work well, and why."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import stat, table
from grafana_foundation_sdk.models import common, dashboard

from asterpanel_dashboards import looks, panels, queues_by_time, queues_lost_calls, tables
from asterpanel_dashboards.frame import Frame
from asterpanel_dashboards.links import AGENTS, CALLS, link, of_column
from asterpanel_dashboards.looks import leading_to, override
from asterpanel_dashboards.panels import About
from asterpanel_dashboards.queries import queues
from asterpanel_dashboards.queries.influxql import Figure
from asterpanel_dashboards.queries.variables import INFLUXDB, QUEUE
from asterpanel_dashboards.settings import Settings
from asterpanel_dashboards.tables import transformation
from asterpanel_exporter.history.records import Outcome
from asterpanel_switchboard.config.targets import Levels

FRAME: Final = Frame(
    uid="asterpanel-queues",
    title="Queues",
    description="Which queues work well, and why: calls, service level, waits, and what cost calls. Half "
    "hours that lie wholly in the chosen time count, and calls belong to the half hour of their join.",
    since="now-7d",
    has_history=True,
)


def build(settings: Settings) -> builders.Dashboard:
    """The dashboard."""
    made = FRAME.build(settings)
    for tile in _head(settings):
        made.with_panel(tile.span(6).height(4))
    made.with_panel(_by_queue(settings).span(24).height(9))
    for title, row in {**queues_lost_calls.rows(settings), **queues_by_time.rows(settings)}.items():
        made.with_row(builders.Row(title))
        for panel in row:
            made.with_panel(panel)
    return made


def _head(settings: Settings) -> list[stat.Panel]:
    targets = settings.queue
    return [
        _tile(queues.level(settings.formula), levels=targets.service_level, more_is_better=True),
        _tile(queues.OFFERED),
        _tile(queues.ANSWERED, Outcome.ANSWERED),
        _tile(queues.ABANDONED, Outcome.ABANDONED, more_is_better=False),
        _tile(queues.ASA, Outcome.ANSWERED, more_is_better=False),
        _tile(queues.AHT, Outcome.ANSWERED),
        _tile(queues.LONGEST_WAIT, levels=targets.longest_wait, more_is_better=False),
        _tile(queues.SHORT_ABANDONS, Outcome.ABANDONED),
    ]


def _tile(
    figure: Figure,
    outcome: Outcome | None = None,
    *,
    levels: Levels | None = None,
    more_is_better: bool | None = None,
) -> stat.Panel:
    """A figure, what it was in the period before, and the difference."""
    about = About(
        figure.name,
        f"{figure.definition} Before: the period of the same length just before the chosen time. Change: the "
        "difference.",
        "s" if figure.unit == "dthms" else figure.unit,  # shorter than 00:03:34
        empty="No calls",
        links={"Calls": link(CALLS, QUEUE, **({"outcome": outcome.value} if outcome else {}))},
    )
    panel = panels.big_number(about, *queues.compared(figure), levels=levels, source=INFLUXDB)
    panel.text_mode(common.BigValueTextMode.VALUE_AND_NAME).color_mode(common.BigValueColorMode.VALUE)
    panel.transformations([transformation("concatenate", frameNameMode="drop"), _change(figure)])
    panel.mappings([looks.in_words(about.empty)])
    if figure.unit != "locale":
        panel.decimals(1)
    colour = looks.fixed("text") if levels is None else []
    panel.override_by_name(figure.name, [*override(displayName="This period"), *colour])
    panel.override_by_name("Before", [*looks.fixed("text"), *override(links=[])])
    seconds = override(unit="suffix: s") if about.unit == "s" else []
    return panel.override_by_name("Change", [*looks.change(more_is_better), *seconds, *override(links=[])])


def _change(figure: Figure) -> dashboard.DataTransformerConfig:
    difference = {"left": figure.name, "operator": "-", "right": "Before"}
    return transformation("calculateField", mode="binary", alias="Change", binary=difference)


def _by_queue(settings: Settings) -> table.Panel:
    targets = settings.queue
    level = queues.level(settings.formula)
    others = [queues.outcome(ended) for ended in queues.OTHER_OUTCOMES]
    shown = [
        level, queues.OFFERED, queues.ANSWERED, queues.ABANDONED, queues.ABANDON_RATE, queues.SHORT_ABANDONS,
        queues.ASA, queues.AHT, queues.LONGEST_WAIT, queues.TRANSFERRED, queues.NO_ANSWER,
        queues.NO_ANSWER_RATE, *others,
    ]  # fmt: skip
    about = About(
        "By queue",
        "Each queue in the chosen time. "
        + " ".join(figure.definition for figure in shown if figure.help)
        + " The columns at the right are other ends of calls, as far as there were any. A click on a number "
        "leads to its calls.",
    )
    panel = tables.rows(about, *queues.table(shown, *queues.BY_QUEUE), source=INFLUXDB)
    tables.figures(panel, shown, key={"switchboard": "Switchboard", "queue": "Queue"})
    coloured = {
        level: targets.service_level, queues.ABANDON_RATE: targets.abandon_rate,
        queues.LONGEST_WAIT: targets.longest_wait, queues.NO_ANSWER_RATE: targets.ring_no_answer_rate,
    }  # fmt: skip
    for figure, levels in coloured.items():
        panel.override_by_name(figure.name, looks.coloured(levels))
    for figure, url in _behind(level).items():
        panel.override_by_name(figure.name, leading_to(**url))
    return panel


_ROW: Final = {"switchboard": of_column("Switchboard"), "queue": of_column("Queue")}


def _behind(level: Figure) -> dict[Figure, dict[str, str]]:
    """Where each number of a queue leads, by title."""
    of = {
        queues.ANSWERED: Outcome.ANSWERED, queues.ABANDONED: Outcome.ABANDONED,
        queues.ABANDON_RATE: Outcome.ABANDONED, queues.SHORT_ABANDONS: Outcome.ABANDONED,
        queues.ASA: Outcome.ANSWERED, queues.AHT: Outcome.ANSWERED, queues.TRANSFERRED: Outcome.ANSWERED,
        **{queues.outcome(ended): ended for ended in queues.OTHER_OUTCOMES},
    }  # fmt: skip
    any_calls = {key: link(CALLS, **_ROW) for key in (level, queues.OFFERED, queues.LONGEST_WAIT)}
    calls = {figure: link(CALLS, outcome=ended.value, **_ROW) for figure, ended in of.items()}
    agents = {key: link(AGENTS, **_ROW) for key in (queues.NO_ANSWER, queues.NO_ANSWER_RATE)}
    return {key: {"Calls": url} for key, url in (any_calls | calls).items()} | {
        key: {"Agents": url} for key, url in agents.items()
    }
