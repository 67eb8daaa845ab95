"""How the control API is doing: PromQL over its own metrics."""

from __future__ import annotations

from typing import Final

REQUESTS: Final = "asterpanel_control_requests_total"
ACTION_SECONDS: Final = "asterpanel_control_action_seconds"
EXPORTER_UP: Final = "asterpanel_control_exporter_up"
STREAMS: Final = "asterpanel_control_streams"
UNAUTHENTICATED: Final = "asterpanel_control_unauthenticated_total"
"""Names, as ``control_api/asterpanel_control_api`` has them."""

REQUESTS_BY_RESULT: Final = f"sum by (result) (rate({REQUESTS}[$__rate_interval]))"
ACTIONS_BY_RESULT: Final = f"sum by (action, result) (increase({ACTION_SECONDS}_count[$__rate_interval]))"
ACTION_P95_S: Final = (
    f"histogram_quantile(0.95, sum by (le, action) (rate({ACTION_SECONDS}_bucket[$__rate_interval])))"
)
REFUSED_IDENTITIES: Final = f"sum by (reason) (increase({UNAUTHENTICATED}[$__rate_interval]))"
