"""Calls one by one: InfluxQL over `queue_call` and `agent_attempt`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from asterpanel_dashboards.queries.influxql import Figure, InfluxTarget, as_tables, series
from asterpanel_dashboards.queries.variables import (
    AGENT,
    CALLER,
    LINKEDID,
    MIN_WAIT,
    OUTCOME,
    QUEUE,
    SWITCHBOARD,
    condition,
)
from asterpanel_exporter.points.catalogue import AGENT_ATTEMPT, QUEUE_CALL

LISTED: Final = 1000
"""Calls in the list, the newest ones."""

REMEMBERED: Final = 5000
"""Calls, the newest ones, among which callers are looked for: InfluxQL cannot group by a number."""

UNIQUEIDS: Final = "uniqueids"
"""Variable: uniqueids of the visits of the phone call that is told."""

WAIT_BOUNDS_S: Final = (0, 5, 10, 20, 30, 60, 120, 300)

CALL_COLUMNS: Final = (
    SWITCHBOARD, QUEUE, CALLER, "caller_name", OUTCOME, "wait_s", "attempts", "ring_s", AGENT, "agent_name",
    "talk_s", "ended_by", "transfer_to", LINKEDID,
)  # fmt: skip

_CALLS: Final = Figure("Calls", 'sum("offered")')
_MEAN_WAIT: Final = Figure("Wait on average", 'mean("wait_s")', unit="dthms")
_LONGEST_WAIT: Final = Figure("Longest wait", 'max("wait_s")', unit="dthms")
BY_OUTCOME: Final = (_CALLS, _MEAN_WAIT, _LONGEST_WAIT)
FOUND: Final = (
    _CALLS,
    Figure("Answered", 'sum("answered")'),
    Figure("Abandoned", 'sum("abandoned")'),
    _MEAN_WAIT,
)


def _if_any(variable: str, matches: str) -> str:
    """A condition that holds for every call as long as the variable is empty, or "all" (``.*``).

    No text has anything before its beginning: ``/x^/`` matches nothing, ``/^/`` and ``/.*^/`` everything, so
    also calls that have no such tag or field at all. InfluxDB finds that out in its index, and then does not
    look at the fields.
    """
    return f'({matches} OR "{QUEUE}" =~ /${{{variable}:regex}}^/)'


CHOSEN: Final = " AND ".join(
    (
        "$timeFilter",
        condition(SWITCHBOARD, QUEUE, OUTCOME),
        _if_any(AGENT, condition(AGENT)),
        # In brackets: InfluxQL would take a backslash at the end for one that escapes its own slash.
        _if_any(CALLER, f'"{CALLER}" =~ /(?:${{{CALLER}:regex}})/'),
        # With a zero before it, nothing is a number too; percent-encoded, a text is an error and no query.
        _if_any(MIN_WAIT, f'"wait_s" >= 0${{{MIN_WAIT}:percentencode}}'),
    )
)
"""Calls that the dashboard's variables choose."""


def _unless_none(variable: str) -> str:
    """A condition that holds for no call as long as the variable is empty: then nothing is looked at."""
    return f'"{QUEUE}" !~ /${{{variable}:regex}}^/'


_OF_PHONE_CALL: Final = (
    f"$timeFilter AND {condition(SWITCHBOARD)} AND {_unless_none(LINKEDID)} "
    f'AND ("{LINKEDID}" =~ /^${{{LINKEDID}:regex}}$/ OR "uniqueid" =~ /^${{{LINKEDID}:regex}}$/)'
)
"""Visits of one phone call; of one of them, if its uniqueid is given and is not the first one."""


def _columns(*names: str) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _from(what: str, measurement: str, where: str) -> str:
    return f'SELECT {what} FROM "{measurement}" WHERE {where}'  # noqa: S608


def _figures(*figures: Figure) -> str:
    return ", ".join(f'{figure.expression} AS "{figure.name}"' for figure in figures)


def newest() -> list[InfluxTarget]:
    """The list, newest first."""
    calls = _from(_columns(*CALL_COLUMNS), QUEUE_CALL.name, CHOSEN)
    return as_tables(f"{calls} ORDER BY time DESC LIMIT {LISTED}")


def found() -> list[InfluxTarget]:
    """How many there are, and how long they waited."""
    return as_tables(_from(_figures(*FOUND), QUEUE_CALL.name, CHOSEN))


def by_outcome() -> list[InfluxTarget]:
    """The same for each outcome that there is."""
    query = _from(_figures(*BY_OUTCOME), QUEUE_CALL.name, CHOSEN)
    return as_tables(f'{query} GROUP BY "{OUTCOME}"')


def by_wait() -> Iterator[InfluxTarget]:
    """Number of calls by how long they waited, one query for each step."""
    count = _from('count("wait_s")', QUEUE_CALL.name, CHOSEN)
    ids = iter("ABCDEFGH")
    for lowest, below in pairwise(WAIT_BOUNDS_S):
        where = f'{count} AND "wait_s" >= {lowest} AND "wait_s" < {below}'
        yield series(where, next(ids), alias=f"{lowest} to {below} s")
    last = WAIT_BOUNDS_S[-1]
    yield series(f'{count} AND "wait_s" >= {last}', next(ids), alias=f"≥ {last} s")


def of_callers() -> list[InfluxTarget]:
    """Calls that show a number, newest first, whatever came of them."""
    columns = _columns(CALLER, "caller_name", SWITCHBOARD, QUEUE, OUTCOME, "wait_s", "offered")
    columns += ', "offered" - "answered" AS "unanswered"'
    where = f'$timeFilter AND {condition(SWITCHBOARD, QUEUE)} AND "{CALLER}" =~ /(?:${{{CALLER}:regex}})/'
    calls = _from(columns, QUEUE_CALL.name, where)
    return as_tables(f"{calls} ORDER BY time DESC LIMIT {REMEMBERED}")


def agents() -> str:
    """Those who answered calls, for a variable."""
    where = f'WITH KEY = "{AGENT}" WHERE {condition(SWITCHBOARD, QUEUE)}'
    return f'SHOW TAG VALUES FROM "{QUEUE_CALL.name}" {where}'


def uniqueids() -> str:
    """Those of the visits of the phone call that is told, for a variable."""
    return _from('"uniqueid"', QUEUE_CALL.name, _OF_PHONE_CALL)


def story() -> list[InfluxTarget]:
    """The visits of one phone call, and the rings for them."""
    visits = _columns(
        SWITCHBOARD, QUEUE, CALLER, OUTCOME, "wait_s", "position_in", AGENT, "agent_name", "talk_s",
        "ended_by", "transfer_to",
    )  # fmt: skip
    rings = _columns(SWITCHBOARD, QUEUE, AGENT, "agent_name", "result", "ring_s")
    of_visits = (
        f"$timeFilter AND {condition(SWITCHBOARD)} AND {_unless_none(UNIQUEIDS)} "
        f'AND "uniqueid" =~ /^${{{UNIQUEIDS}:regex}}$/'
    )
    return as_tables(
        _from(visits, QUEUE_CALL.name, _OF_PHONE_CALL), _from(rings, AGENT_ATTEMPT.name, of_visits)
    )
