"""The sink that carries points from the journal to InfluxDB, and what sets InfluxDB up for it."""
