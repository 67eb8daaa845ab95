"""The control API's own Prometheus metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

ACTION_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters that requests raise, and gauges that are looked up when scraped."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self.requests = Counter(
            "asterpanel_control_requests",
            "Requests answered, by endpoint and by what came of them: ok, or the id of the error.",
            ("endpoint", "result"),
            registry=self._registry,
        )
        self.actions = Histogram(
            "asterpanel_control_action_seconds",
            "Time from the request for an action to its answer, by action and by what came of it.",
            ("action", "result"),
            buckets=ACTION_BUCKETS_S,
            registry=self._registry,
        )

    def gauge(self, name: str, help_: str, value: Callable[[], float]) -> None:
        """A gauge whose value is looked up at each scrape."""
        Gauge(name, help_, registry=self._registry).set_function(value)

    def gauges(self, name: str, help_: str, label: str, values: Mapping[str, Callable[[], float]]) -> None:
        """The same for each value of a label."""
        gauge = Gauge(name, help_, (label,), registry=self._registry)
        for key, value in values.items():
            gauge.labels(key).set_function(value)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Body and content type, as the ``Accept`` header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
