"""Thresholds, targets, the service-level formula and the time zone of all dashboards: one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from asterpanel_switchboard.config import Config
from asterpanel_switchboard.config.targets import (
    DashboardsConfig,
    Levels,
    QueueTargets,
    levels_of,
    merged_targets,
)
from asterpanel_switchboard.service_level import Formula

_DEFAULTS: Final = DashboardsConfig()


@dataclass(frozen=True, slots=True)
class Settings:
    """What is good and what is bad, for the colours. Times are seconds, shares 0.0 to 1.0.

    Attributes:
        formula: of the service level, shown wherever it is.
        time_zone: of days, IANA name.
        queue: targets that hold for every queue; a panel has one set of colours for all its rows.
        occupancy: of an agent's time on duty; above ``warning`` people tire.
        agent_pause: length of a pause.
        data_age: since a switchboard last told anything.
        app_plugin: whether Grafana has the app plugin.
    """

    formula: Formula = _DEFAULTS.formula
    time_zone: str = "UTC"
    queue: QueueTargets = field(default_factory=QueueTargets)
    occupancy: Levels = field(default_factory=lambda: levels_of(_DEFAULTS.occupancy))
    agent_pause: Levels = field(default_factory=lambda: levels_of(_DEFAULTS.agent_pause))
    data_age: Levels = field(default_factory=lambda: levels_of(_DEFAULTS.data_age))
    app_plugin: bool = _DEFAULTS.app_plugin


DEFAULTS: Final = Settings()


def settings_of(config: Config) -> Settings:
    """As configured; of the targets, those of entries for all queues."""
    for_all = [rule for rule in config.targets if "*" in rule.queues and "*" in rule.switchboards]
    dashboards = config.dashboards
    return Settings(
        formula=dashboards.formula,
        time_zone=config.dashboards_time_zone.key,
        queue=merged_targets(for_all, "", ""),
        occupancy=levels_of(dashboards.occupancy),
        agent_pause=levels_of(dashboards.agent_pause),
        data_age=levels_of(dashboards.data_age),
        app_plugin=dashboards.app_plugin,
    )
