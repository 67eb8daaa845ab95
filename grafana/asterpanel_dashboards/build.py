"""Every dashboard as the file that Grafana provisions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from asterpanel_dashboards import agents, calls, health, live, queues, switchboards
from asterpanel_dashboards.settings import Settings

BUILDERS: Final[tuple[Callable[[Settings], Dashboard], ...]] = (
    live.build,
    queues.build,
    agents.build,
    calls.build,
    switchboards.build,
    health.build,
)


def files(settings: Settings) -> Iterator[tuple[str, str]]:
    """(file name, JSON) of each."""
    for build in BUILDERS:
        dashboard = build(settings).build()
        yield f"{dashboard.uid}.json", json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
