"""What there is to tell of whole switchboards, and of Asterpanel's own work: PromQL."""

from __future__ import annotations

from typing import Final

from asterpanel_dashboards.queries.promql import once
from asterpanel_dashboards.queries.variables import QUEUE, SWITCHBOARD, selector
from asterpanel_exporter import catalogue
from asterpanel_exporter.catalogue import Metric


def of(metric: Metric, **labels: str) -> str:
    """A metric of the chosen switchboards."""
    return f"{metric.name}{selector(SWITCHBOARD, **labels)}"


def total_of_queues(metric: Metric) -> str:
    """By switchboard, of a metric that queues have."""
    return f"sum by (switchboard) ({once(of(metric), SWITCHBOARD, QUEUE)})"


def increase_of_queues(metric: Metric) -> str:
    """By switchboard, in the chosen time."""
    return f"sum by (switchboard) ({once(f'increase({of(metric)}[$__range])', SWITCHBOARD, QUEUE)})"


def rate(metric: Metric, *by: str) -> str:
    """A second, by switchboard and these labels; two exporters are added up."""
    return f"sum by ({', '.join((SWITCHBOARD, *by))}) (rate({of(metric)}[$__rate_interval]))"


def increase(metric: Metric, *by: str, window: str = "$__rate_interval") -> str:
    """In a window, by switchboard and these labels; the most that an exporter tells."""
    return once(f"increase({of(metric)}[{window}])", SWITCHBOARD, *by)


def own_increase(metric: Metric, window: str = "$__rate_interval") -> str:
    """In a window, of what is about no switchboard."""
    return f"sum(increase({metric.name}[{window}]))"


def own_rate(metric: Metric, *by: str) -> str:
    """A second, of what is about no switchboard."""
    grouped = f" by ({', '.join(by)})" if by else ""
    return f"sum{grouped} (rate({metric.name}[$__rate_interval]))"


def total_increase(metric: Metric, *by: str) -> str:
    """In the chosen time, of the chosen switchboards together. ``by``: what else tells its series apart."""
    return f"sum({increase(metric, *by, window='$__range')})"


_UP: Final = once(of(catalogue.UP), SWITCHBOARD)
_VERSION: Final = once(of(catalogue.INFO), SWITCHBOARD, "version")

NOT_CONNECTED: Final = f"count({_UP} == 0) or 0 * count({_UP})"
"""Nothing where nobody tells of any switchboard."""

WATCHED: Final = f"{_UP} * on (switchboard) group_left (version) {_VERSION} or on (switchboard) {_UP}"
"""1 or 0, with the ``version`` where it was ever told."""

WATCHED_OVER_TIME: Final = _UP
DATA_AGE_S: Final = f"time() - {once(of(catalogue.LAST_SEEN), SWITCHBOARD)}"
OLDEST_DATA_AGE_S: Final = f"max({DATA_AGE_S})"
LONGEST_WAIT_S: Final = once(of(catalogue.LONGEST_WAIT), SWITCHBOARD)
