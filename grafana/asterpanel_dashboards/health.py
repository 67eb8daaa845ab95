"""How Asterpanel itself is doing: sessions, events, drift, journal, delivery, control API."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders

from asterpanel_dashboards import panels
from asterpanel_dashboards.frame import Frame
from asterpanel_dashboards.links import HEALTH
from asterpanel_dashboards.panels import About, now, over_time
from asterpanel_dashboards.queries import control_api, switchboards
from asterpanel_dashboards.queries.variables import SWITCHBOARD
from asterpanel_dashboards.settings import Settings
from asterpanel_exporter import catalogue as c
from asterpanel_exporter.catalogue import Metric
from asterpanel_switchboard.config.targets import Levels

FRAME: Final = Frame(
    uid=HEALTH,
    title="Asterpanel health",
    description="How Asterpanel itself is doing. Most of what is red here should be 0.",
    since="now-6h",
    refresh="30s",
    variables=(SWITCHBOARD,),
)

_ANY_IS_BAD: Final = Levels(warning=0.5, critical=10)
"""Of counts, whose increase Prometheus extrapolates to fractions."""


def build(settings: Settings) -> builders.Dashboard:
    """The dashboard."""
    made = FRAME.build(settings)
    for about, expression in _SHOULD_BE_0:
        made.with_panel(panels.big_number(about, now(expression), levels=_ANY_IS_BAD).span(4).height(4))
    for title, row in _ROWS.items():
        made.with_row(builders.Row(title))
        for about, expression, legend in row:
            kind = panels.counts if "increase(" in expression else panels.lines
            made.with_panel(kind(about, over_time(expression, legend=legend)).span(8).height(7))
    return made


def _about(title: str, metric: Metric, unit: str = "short") -> About:
    return About(title, metric.help, unit)


_SHOULD_BE_0: Final = (
    (
        About("Not connected", "Switchboards that are not watched now. Should be 0."),
        switchboards.NOT_CONNECTED,
    ),
    (_about("Drift", c.DRIFT), switchboards.total_increase(c.DRIFT, "kind")),
    (_about("Calls missed", c.CALLS_MISSED), switchboards.total_increase(c.CALLS_MISSED)),
    (_about("Errors", c.STATE_ERRORS), switchboards.total_increase(c.STATE_ERRORS)),
    (_about("Points lost", c.JOURNAL_LOST), switchboards.own_increase(c.JOURNAL_LOST, "$__range")),
    (
        About("Points refused", c.INFLUX_REFUSED.help, empty="No InfluxDB"),
        switchboards.own_increase(c.INFLUX_REFUSED, "$__range"),
    ),
)

_BOARD: Final = "{{switchboard}}"

_ROWS: Final = {
    "Connections to the switchboards": (
        (_about("Events", c.EVENTS, "ops"), switchboards.rate(c.EVENTS), _BOARD),
        (_about("Round trip", c.ROUND_TRIP, "s"), switchboards.of(c.ROUND_TRIP), _BOARD),
        (
            _about("Attempts to connect again", c.RECONNECTS),
            switchboards.increase(c.RECONNECTS, "reason"),
            f"{_BOARD} {{{{reason}}}}",
        ),
        (_about("Received", c.BYTES, "Bps"), switchboards.rate(c.BYTES), _BOARD),
        (
            _about("Unusable data", c.WIRE_ERRORS),
            switchboards.increase(c.WIRE_ERRORS, "kind"),
            f"{_BOARD} {{{{kind}}}}",
        ),
        (
            _about("Clock offset", c.CLOCK_OFFSET, "s"),
            switchboards.of(c.CLOCK_OFFSET),
            _BOARD,
        ),
    ),
    "State": (
        (
            _about("Drift", c.DRIFT),
            switchboards.increase(c.DRIFT, "kind"),
            f"{_BOARD} {{{{kind}}}}",
        ),
        (
            _about("Resyncs", c.RESYNCS),
            switchboards.increase(c.RESYNCS, "reason"),
            f"{_BOARD} {{{{reason}}}}",
        ),
        (
            _about("Errors of the exporter", c.STATE_ERRORS),
            switchboards.increase(c.STATE_ERRORS),
            _BOARD,
        ),
    ),
    "Journal": (
        (_about("Points", c.JOURNAL_POINTS, "ops"), switchboards.own_rate(c.JOURNAL_POINTS), "points"),
        (_about("Waiting for the disk", c.JOURNAL_WAITING), c.JOURNAL_WAITING.name, "points"),
        (
            _about("Failed writes", c.JOURNAL_ERRORS),
            switchboards.own_increase(c.JOURNAL_ERRORS),
            "writes",
        ),
        (_about("Time of a commit", c.JOURNAL_COMMIT, "s"), c.JOURNAL_COMMIT.name, "commit"),
        (_about("Size", c.JOURNAL_SIZE, "bytes"), c.JOURNAL_SIZE.name, "journal"),
    ),
    "Half hours for the reports": (
        (
            About("Since the last roll-up", c.ROLLUP_LAST_SUCCESS.help, "s"),
            f"time() - {c.ROLLUP_LAST_SUCCESS.name}",
            "roll-up",
        ),
        (_about("Half hours due", c.ROLLUP_DUE), c.ROLLUP_DUE.name, "half hours"),
        (
            _about("Failed roll-ups", c.ROLLUP_ERRORS),
            switchboards.own_increase(c.ROLLUP_ERRORS),
            "roll-ups",
        ),
    ),
    "InfluxDB": (
        (_about("Pending points", c.INFLUX_PENDING), c.INFLUX_PENDING.name, "{{tenant}}"),
        (_about("Oldest pending point", c.INFLUX_OLDEST, "s"), c.INFLUX_OLDEST.name, "{{tenant}}"),
        (
            _about("Delivered points", c.INFLUX_DELIVERED, "ops"),
            switchboards.own_rate(c.INFLUX_DELIVERED, "tenant"),
            "{{tenant}}",
        ),
        (
            _about("Refused points", c.INFLUX_REFUSED, "ops"),
            switchboards.own_rate(c.INFLUX_REFUSED, "tenant"),
            "{{tenant}}",
        ),
        (
            _about("Failed requests", c.INFLUX_ERRORS, "ops"),
            switchboards.own_rate(c.INFLUX_ERRORS, "tenant", "kind"),
            "{{tenant}} {{kind}}",
        ),
    ),
    "Control API": (
        (
            About("Requests", "Requests answered a second, by what came of them: ok, or the error.", "reqps"),
            control_api.REQUESTS_BY_RESULT,
            "{{result}}",
        ),
        (
            About("Actions", "Actions that were asked for, by what came of them."),
            control_api.ACTIONS_BY_RESULT,
            "{{action}} {{result}}",
        ),
        (
            About(
                "Time of an action",
                "95 % of the actions were answered within it: confirmed by the switchboard, or refused.",
                "s",
            ),
            control_api.ACTION_P95_S,
            "{{action}}",
        ),
        (
            About(
                "Exporter reached",
                "1 while the control API has the live state from the exporter; at 0 it acts on nothing.",
                "bool_yes_no",
            ),
            control_api.EXPORTER_UP,
            "exporter",
        ),
        (
            About("Open streams", "People and programs that follow the live state."),
            control_api.STREAMS,
            "streams",
        ),
        (
            About("Identities refused", "Requests whose identity was not believed, by reason."),
            control_api.REFUSED_IDENTITIES,
            "{{reason}}",
        ),
    ),
}
