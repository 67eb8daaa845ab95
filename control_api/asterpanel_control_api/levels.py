"""Levels as answers have them, and the service level that one of them is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any, Final

from asterpanel_switchboard.config.targets import DashboardsConfig, Levels, QueueTargets, levels_of
from asterpanel_switchboard.merge_patch import Document
from asterpanel_switchboard.service_level import Formula, ServiceLevelSums

_SUMS: Final = tuple(field.name for field in fields(ServiceLevelSums))


@lru_cache(maxsize=4096)
def queue_levels(targets: QueueTargets) -> Document:
    """`live_state.QueueLevels` of these targets: the very same object for equal ones, not to be changed."""
    return {
        "waiting": _document(targets.waiting),
        "longest_wait_s": _document(targets.longest_wait),
        "service_level": _document(targets.service_level),
    }


def dashboard_levels(dashboards: DashboardsConfig) -> Document:
    """`answers.DashboardLevels` of this section."""
    return {
        "agent_pause_s": _document(levels_of(dashboards.agent_pause)),
        "data_age_s": _document(levels_of(dashboards.data_age)),
    }


def service_level(today: Mapping[str, Any], formula: Formula) -> float | None:
    """Of a queue's sums of the day, as the exporter tells them; None where no call counts."""
    sums = today.get("service", {})
    return formula(ServiceLevelSums(**{name: sums[name] for name in _SUMS if name in sums}))


def _document(levels: Levels) -> Document:
    return {"warning": levels.warning, "critical": levels.critical}
