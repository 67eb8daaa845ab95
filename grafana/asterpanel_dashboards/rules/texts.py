"""Pieces of the alerts' texts: templates that Prometheus and Grafana both fill in."""

from __future__ import annotations

from typing import Final

from asterpanel_dashboards import links

DURATION: Final = "{{ $value | humanizeDuration }}"
SHARE: Final = "{{ $value | humanizePercentage }}"
COUNT: Final = '{{ $value | printf "%.0f" }}'
LIMIT: Final = "{{ $labels.limit }}"

SWITCHBOARD: Final = "{{ $labels.switchboard }}"
QUEUE: Final = "{{ $labels.queue }} of {{ $labels.switchboard }}"
_NAMED: Final = "{{ with $labels.name }}{{ . }} ({{ $labels.agent }})"
AGENT: Final = f"{_NAMED}{{{{ else }}}}Agent {{{{ $labels.agent }}}}{{{{ end }}}}"
REASON: Final = "{{ with $labels.reason }}, reason: {{ . }}{{ end }}"
EXPORTER: Final = "Exporter {{ $labels.instance }}"


def dashboard(uid: str, *labels: str, since: str = "") -> str:
    """Path and query of a dashboard, for what the labels of an alert name; ``since``: not its own range."""
    chosen = [f"var-{label}={{{{ $labels.{label} | urlquery }}}}" for label in labels]
    time = [f"from={since}", "to=now"] if since else []
    return f"/d/{uid}?{'&'.join([*chosen, *time])}" if chosen or time else f"/d/{uid}"


LIVE: Final = dashboard(links.LIVE, "switchboard", "queue")
QUEUES: Final = dashboard(links.QUEUES, "switchboard", "queue", since="now-3h")
AGENTS: Final = dashboard(links.AGENTS, "switchboard", "queue", "agent")
SWITCHBOARDS: Final = dashboard(links.SWITCHBOARDS, "switchboard")
HEALTH_OF: Final = dashboard(links.HEALTH, "switchboard")
HEALTH: Final = dashboard(links.HEALTH)
