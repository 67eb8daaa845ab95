"""Alerts about switchboards: whether what is shown of them is so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asterpanel_dashboards.queries.promql import once
from asterpanel_dashboards.rules import recorded, texts
from asterpanel_dashboards.rules.model import Alert, Component, Severity
from asterpanel_dashboards.rules.words import duration
from asterpanel_exporter import catalogue
from asterpanel_switchboard.config.targets import Levels

MAX_CLOCK_OFFSET_S: Final = 5
"""Clocks that NTP keeps are within milliseconds."""


def alerts(data_age: Levels) -> Iterator[Alert]:
    """All of them; ``data_age``: seconds."""
    yield _DOWN
    for severity in Severity:
        yield _stale(severity, getattr(data_age, severity))
    yield _CALLS_MISSED
    yield _CLOCK_WRONG


_NOT_TOLD_OF: Final = f"""\
max by (switchboard) (
  last_over_time({catalogue.UP.name}[1d])
  * on (job, instance) group_left ()
  (up == 0)
)
unless on (switchboard)
{catalogue.UP.name}"""
"""Switchboards whose exporter is not reached, while no other exporter watches them."""

_DOWN: Final = Alert(
    name="SwitchboardDown",
    severity=Severity.CRITICAL,
    component=Component.SWITCHBOARD,
    expression=f"{once(catalogue.UP.name, 'switchboard')} == 0\nor\n{_NOT_TOLD_OF}",
    pending="1m",
    summary=f"Switchboard {texts.SWITCHBOARD} cannot be watched",
    description="For a minute no exporter that Prometheus reaches has been connected to "
    f"{texts.SWITCHBOARD}, or could read its whole state. Its calls may go on, but nothing is shown or "
    "counted of them; how many were missed is told when it is back.",
    dashboard=texts.SWITCHBOARDS,
)


def _stale(severity: Severity, limit_s: float) -> Alert:
    return Alert(
        name="SwitchboardStale",
        severity=severity,
        component=Component.SWITCHBOARD,
        expression=f"{recorded.DATA_AGE.name} >= {limit_s:.12g}",
        pending="20s",
        summary=f"What is shown of {texts.SWITCHBOARD} is {texts.DURATION} old",
        description=f"Switchboard {texts.SWITCHBOARD} has told nothing for {texts.DURATION}, not even the "
        f"answer to a ping; the limit is {duration(limit_s)}. Every figure of it is as of then.",
        dashboard=texts.SWITCHBOARDS,
    )


_MISSED: Final = catalogue.CALLS_MISSED.name
_MORE_MISSED: Final = f"""\
{once(f"increase({_MISSED}[1h])", "switchboard")} > 0
or
{once(_MISSED, "switchboard")}
- {once(f"last_over_time({_MISSED}[7d] offset 1h)", "switchboard")} > 0"""
"""Also where nothing was scraped for an hour: an exporter that was away so long comes back with them."""

_CALLS_MISSED: Final = Alert(
    name="SwitchboardCallsMissed",
    severity=Severity.WARNING,
    component=Component.SWITCHBOARD,
    expression=_MORE_MISSED,
    pending="0s",
    summary=f"{texts.COUNT} calls of {texts.SWITCHBOARD} are missing in the reports",
    description=f"{texts.COUNT} calls ended while {texts.SWITCHBOARD} could not be watched in the last hour, "
    "by its own counters. `asterpanel-exporter import-queue-log` brings them in.",
    dashboard=texts.SWITCHBOARDS,
)

_CLOCK_WRONG: Final = Alert(
    name="SwitchboardClockWrong",
    severity=Severity.WARNING,
    component=Component.SWITCHBOARD,
    expression=f"{once(f'abs({catalogue.CLOCK_OFFSET.name})', 'switchboard')} > {MAX_CLOCK_OFFSET_S}",
    pending="5m",
    summary=f"The clock of {texts.SWITCHBOARD} is {texts.DURATION} off",
    description=f"The clock of {texts.SWITCHBOARD} and that of the exporter differ by {texts.DURATION}; "
    f"the limit is {MAX_CLOCK_OFFSET_S}s. Timers of pauses and states are wrong by as much, and so are the "
    "times of calls: let both keep their time by NTP.",
    dashboard=texts.HEALTH_OF,
)
