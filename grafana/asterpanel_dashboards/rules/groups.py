"""All rules, in groups that are evaluated together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from asterpanel_dashboards.rules import agents, own, queues, recorded, switchboards
from asterpanel_dashboards.rules.model import Alert, Group
from asterpanel_switchboard.config.targets import DashboardsConfig, TargetsRule, levels_of

LIVE_INTERVAL = "10s"
"""For what changes by the second; Grafana has no shorter one."""

SLOW_INTERVAL = "1m"


def groups(targets: Sequence[TargetsRule], dashboards: DashboardsConfig) -> tuple[Group, ...]:
    """Every rule; records stand before what uses them."""
    formula = dashboards.formula
    return (
        Group("asterpanel-limits", SLOW_INTERVAL, tuple(recorded.queue_limits(targets))),
        Group(
            "asterpanel-queues-now",
            LIVE_INTERVAL,
            (
                recorded.CALLERS_WAITING,
                recorded.LONGEST_WAIT,
                recorded.CALLS_IN_PROGRESS,
                recorded.AGENTS_AVAILABLE,
                recorded.AGENTS_ON_DUTY,
                *queues.live(),
            ),
        ),
        Group(
            "asterpanel-queues-half-hour",
            SLOW_INTERVAL,
            (
                *recorded.service_levels(formula),
                recorded.service_level_calls(formula),
                recorded.CALLS,
                recorded.ABANDONED,
                recorded.ABANDON_RATE,
                recorded.RINGS,
                recorded.NO_ANSWERS,
                recorded.NO_ANSWER_RATE,
                *queues.of_the_last_half_hour(formula),
            ),
        ),
        Group(
            "asterpanel-agents",
            SLOW_INTERVAL,
            (
                recorded.PAUSE,
                recorded.AGENT_NO_ANSWERS,
                *agents.alerts(levels_of(dashboards.agent_pause)),
            ),
        ),
        Group(
            "asterpanel-switchboards",
            LIVE_INTERVAL,
            (recorded.DATA_AGE, *switchboards.alerts(levels_of(dashboards.data_age))),
        ),
        Group("asterpanel-own", SLOW_INTERVAL, tuple(own.alerts())),
    )


def alerts(of: Iterable[Group]) -> list[Alert]:
    """The alerts of all groups."""
    return [alert for group in of for alert in group.alerts]


def records(of: Iterable[Group]) -> Mapping[str, str]:
    """The recorded expressions of all groups, by name."""
    return {record.name: record.expression for group in of for record in group.records}
