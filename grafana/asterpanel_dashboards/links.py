"""Links from a number to what is behind it. They keep the time range and the switchboard."""

from __future__ import annotations

from typing import Final

from asterpanel_dashboards.queries.variables import SWITCHBOARD

LIVE: Final = "asterpanel-live"
QUEUES: Final = "asterpanel-queues"
AGENTS: Final = "asterpanel-agents"
CALLS: Final = "asterpanel-calls"
SWITCHBOARDS: Final = "asterpanel-switchboards"
HEALTH: Final = "asterpanel-health"
"""Uids of the dashboards."""


def link(uid: str, *kept: str, **values: str) -> str:
    """The URL of a dashboard, for a data link.

    Args:
        uid: which one.
        kept: variables that stay as they are chosen; the switchboard does, unless it is among the values.
        values: variables with another value, be it one of Grafana's own, as `of_column` makes.
    """
    names = [name for name in dict.fromkeys((SWITCHBOARD, *kept)) if name not in values]
    chosen = [f"${{{name}:queryparam}}" for name in names]
    given = [f"var-{name}={value}" for name, value in values.items()]
    return f"/d/{uid}?{'&'.join(['${__url_time_range}', *chosen, *given])}"


def of_column(name: str) -> str:
    """What the clicked row of a table has in a column, by the name that people see."""
    return f'${{__data.fields["{name}"]:percentencode}}'


def of_number(name: str) -> str:
    """The same of a column of numbers, or of times (milliseconds), as it is and not as it is shown."""
    return f'${{__data.fields["{name}"].numeric}}'


def of_label(name: str) -> str:
    """A label, or tag, of the clicked series."""
    return f"${{__field.labels.{name}:percentencode}}"


def in_time(url: str, since: str, until: str) -> str:
    """The same link with a time range of its own, in milliseconds; be it one of Grafana's own values."""
    return url.replace("${__url_time_range}", f"from={since}&to={until}")
