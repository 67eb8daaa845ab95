"""What goes into Grafana, Prometheus and Alertmanager, from the configuration and the profiles."""
