"""Names of the dashboards' variables, and how queries use them."""

from __future__ import annotations

from typing import Final

PROMETHEUS: Final = "prometheus_datasource"
"""Variable: the data source of what is now."""

INFLUXDB: Final = "influxdb_datasource"
"""Variable: the data source of what has been."""

SWITCHBOARD: Final = "switchboard"
QUEUE: Final = "queue"
AGENT: Final = "agent"
OUTCOME: Final = "outcome"
CALLER: Final = "caller"
MIN_WAIT: Final = "min_wait"
LINKEDID: Final = "linkedid"


def selector(*labels: str, **fixed: str) -> str:
    """A PromQL selector: ``{switchboard=~"$switchboard", outcome="answered"}``.

    Args:
        labels: of which the variable of the same name chooses the values.
        fixed: labels with one value, or with several as ``a|b``.
    """
    chosen = [f'{label}=~"${label}"' for label in labels]
    given = [f'{label}{"=~" if "|" in value else "="}"{value}"' for label, value in fixed.items()]
    matchers = ", ".join([*chosen, *given])
    return f"{{{matchers}}}" if matchers else ""


def condition(*tags: str) -> str:
    """InfluxQL's condition for the same choice: ``"switchboard" =~ /^$switchboard$/ AND …``.

    Grafana puts ``(a|b)`` for several values, with what regular expressions take otherwise escaped.
    """
    return " AND ".join(f'"{tag}" =~ /^${{{tag}:regex}}$/' for tag in tags)
