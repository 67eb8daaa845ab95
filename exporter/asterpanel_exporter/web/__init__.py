"""The exporter's web server: metrics, health, the live state as JSON and as a stream, the status page."""
