"""Asterpanel's Grafana dashboards as code: what is asked (`queries`) apart from how it is shown."""
