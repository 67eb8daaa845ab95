"""What agents did: InfluxQL over their half hours, pauses and rings; PromQL for their states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from asterpanel_dashboards.queries.influxql import (
    SO_FAR,
    Figure,
    InfluxTarget,
    as_tables,
    by_condition,
    select,
)
from asterpanel_dashboards.queries.promql import once
from asterpanel_dashboards.queries.variables import AGENT, QUEUE, SWITCHBOARD, condition, selector
from asterpanel_exporter import catalogue
from asterpanel_exporter.points.catalogue import (
    AGENT_ATTEMPT,
    AGENT_DUTY,
    AGENT_INTERVAL,
    AGENT_PAUSE,
    Measurement,
)

MISSED_LISTED: Final = 500
"""Rings in the list of those that were not answered."""

BY_AGENT: Final = (SWITCHBOARD, AGENT, "agent_name")

_OF_QUEUES: Final = (SWITCHBOARD, QUEUE, AGENT)
_OF_AGENTS: Final = (SWITCHBOARD, AGENT)
_HAS_ANSWERED: Final = '"answered" > 0'
_BUSY: Final = 'sum("on_call_s") + sum("ringing_s") + sum("wrapup_s")'
_TIME: Final = "dthms"
_SHARE: Final = "percentunit"
_OF_DAY: Final = "time:HH:mm"

ANSWERED: Final = Figure("Calls", 'sum("answered")', help="answered by the agent, by the time of their join.")
TALK: Final = Figure("Talk", 'sum("talk_s")', help="in these calls, time on hold included.", unit=_TIME)
AHT: Final = Figure(
    "AHT", '(sum("talk_s") + sum("wrapup_s")) / sum("answered")', _HAS_ANSWERED,
    "average handle time: (talk + wrap-up as configured) / calls.", _TIME,
)  # fmt: skip
RINGS: Final = Figure("Rings", 'sum("rings")', help="times that the agent's phone began to ring.")
MISSED: Final = Figure(
    "Missed", 'sum("ring_no_answer")',
    help="ring no answer (RNA): rings for as long as the queue lets them, without an answer; not those that "
    "ended as the caller left or another agent was faster.",
)  # fmt: skip
MISSED_RATE: Final = Figure(
    "Missed %", 'sum("ring_no_answer") / sum("rings")', '"rings" > 0', "missed / rings.", _SHARE
)
REFUSED: Final = Figure(
    "Refused", 'sum("ring_rejected")', help="rings that the phone refused: busy, declined, unreachable."
)
TRANSFERS: Final = Figure("Transfers", 'sum("transferred")', help="calls that the agent transferred.")
TRANSFER_RATE: Final = Figure(
    "Transfer %", 'sum("transferred") / sum("answered")', _HAS_ANSWERED, "transfers / calls.", _SHARE
)
CALL_FIGURES: Final = (ANSWERED, TALK, AHT, RINGS, MISSED, MISSED_RATE, REFUSED, TRANSFERS, TRANSFER_RATE)
"""Of the chosen queues."""

ON_DUTY: Final = Figure("On duty", 'sum("on_duty_s")', help="member of any queue.", unit=_TIME)
ON_PAUSE: Final = Figure("On pause", 'sum("paused_s")', help="in every queue of the agent.", unit=_TIME)
PAUSES: Final = Figure("Pauses", 'sum("pauses")', help="pauses that began.")
OCCUPANCY: Final = Figure(
    "Occupancy", f'({_BUSY}) / sum("available_s")',
    help="(on call + ringing + wrap-up) / time on duty and not on pause.", unit=_SHARE,
)  # fmt: skip
ON_CALL: Final = Figure("On call", 'sum("on_call_s")', help="from the connection to the end.", unit=_TIME)
RINGING: Final = Figure("Ringing", 'sum("ringing_s")', help="his phone rang.", unit=_TIME)
WRAP_UP: Final = Figure("Wrap-up", 'sum("wrapup_s")', help="after calls, as configured.", unit=_TIME)
IDLE: Final = Figure("Idle", 'sum("idle_s")', help="on duty, not on pause and not busy.", unit=_TIME)
FIRST: Final = Figure(
    "First", 'min("first_at") * 1000', '"first_at" > 0', "log-in, pause, ring or talk.", _OF_DAY
)
LAST: Final = Figure(
    "Last", 'max("last_at") * 1000', '"last_at" > 0', "of log-out, pause, ring or talk.", _OF_DAY
)
TIME_FIGURES: Final = (OCCUPANCY, ON_DUTY, ON_PAUSE, PAUSES, FIRST, LAST)
STATE_FIGURES: Final = (ON_CALL, RINGING, WRAP_UP, IDLE, ON_PAUSE)
"""Of all queues. FIRST, LAST: milliseconds, as Grafana counts times."""

PAUSE_FIGURES: Final = (
    Figure("Pauses", 'count("duration_s")'),
    Figure("Together", 'sum("duration_s")', unit=_TIME),
    Figure("Longest", 'max("duration_s")', unit=_TIME),
)


def of_calls(figures: Sequence[Figure], *tags: str, every: str = "", zone: str = "") -> list[str]:
    """Queries for figures of `CALL_FIGURES`."""
    return _queries(AGENT_INTERVAL, figures, tags, every, zone, _OF_QUEUES)


def of_time(figures: Sequence[Figure], *tags: str, every: str = "", zone: str = "") -> list[str]:
    """Queries for figures of `TIME_FIGURES` and `STATE_FIGURES`."""
    return _queries(AGENT_DUTY, figures, tags, every, zone, _OF_AGENTS)


def _queries(
    measurement: Measurement,
    figures: Sequence[Figure],
    tags: Sequence[str],
    every: str,
    zone: str,
    chosen: Sequence[str],
) -> list[str]:
    return [
        select(measurement, together, tags=tags, every=every, zone=zone, time=SO_FAR, chosen=chosen)
        for together in by_condition(figures)
    ]


def table(every: str = "", zone: str = "") -> list[InfluxTarget]:
    """Every agent's figures, of calls and of time."""
    calls = of_calls(CALL_FIGURES, *BY_AGENT, every=every, zone=zone)
    return as_tables(*calls, *of_time(TIME_FIGURES, *BY_AGENT, every=every, zone=zone))


def pauses(*tags: str) -> list[InfluxTarget]:
    """Finished pauses that began in the chosen time."""
    query = select(AGENT_PAUSE, PAUSE_FIGURES, tags=tags, time="$timeFilter", chosen=_OF_AGENTS)
    return as_tables(query)


def missed_rings() -> list[InfluxTarget]:
    """Rings that the agent did not answer or that his phone refused, newest first."""
    columns = ", ".join(
        f'"{name}"' for name in (SWITCHBOARD, QUEUE, AGENT, "agent_name", "result", "ring_s", "uniqueid")
    )
    return as_tables(
        f'SELECT {columns} FROM "{AGENT_ATTEMPT.name}" WHERE $timeFilter AND {condition(*_OF_QUEUES)} '  # noqa: S608
        f'AND "result" =~ /^(no_answer|rejected)$/ ORDER BY time DESC LIMIT {MISSED_LISTED}'
    )


def _of_chosen(metric: catalogue.Metric, *labels: str) -> str:
    return once(f"{metric.name}{selector(*_OF_AGENTS)}", *_OF_AGENTS, *labels)


def _named(expression: str) -> str:
    names = _of_chosen(catalogue.AGENT_INFO, "name")
    return f"({expression}) * on ({SWITCHBOARD}, {AGENT}) group_left (name) {names}"


def states() -> str:
    """The code of each agent's state, with his ``name``."""
    return _named(_of_chosen(catalogue.AGENT_STATE))


def paused_now_s() -> str:
    """For how long each agent who is paused has had his state, in seconds, with ``name`` and ``reason``."""
    since = f"time() - {_of_chosen(catalogue.AGENT_STATE_SINCE)}"
    reasons = _of_chosen(catalogue.AGENT_PAUSE_INFO, "reason")
    return f"{_named(since)} * on ({SWITCHBOARD}, {AGENT}) group_left (reason) {reasons}"
