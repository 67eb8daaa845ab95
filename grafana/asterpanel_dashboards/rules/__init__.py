"""Recording rules, alerts and routes: one source, for Prometheus, Alertmanager and Grafana."""

from asterpanel_dashboards.rules.build import files

__all__ = ["files"]
