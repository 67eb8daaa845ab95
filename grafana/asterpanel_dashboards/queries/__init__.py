"""What the dashboards ask: PromQL for what is now, InfluxQL for what has been."""
