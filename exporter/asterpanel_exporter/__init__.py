"""The exporter: the live state of Asterisk switchboards as Prometheus metrics."""
