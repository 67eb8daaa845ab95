"""The control API's own Prometheus metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Metric,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from asterpanel_control_api.identity.refusals import Reason

ACTION_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class _Counters(Collector):
    def __init__(self, name: str, help_: str, label: str, values: Callable[[], Mapping[str, int]]) -> None:
        self._about = (name, help_)
        self._label = label
        self._values = values

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(*self._about, labels=[self._label])
        for value, count in self._values().items():
            family.add_metric([value], count)
        yield family


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
        self.unauthenticated = Counter(
            "asterpanel_control_unauthenticated",
            "Requests whose identity was not believed, by reason.",
            ("reason",),
            registry=self._registry,
        )
        for reason in Reason:
            self.unauthenticated.labels(reason.value)

    def gauge(self, name: str, help_: str, value: Callable[[], float]) -> None:
        """A gauge whose value is looked up at each scrape."""
        Gauge(name, help_, registry=self._registry).set_function(value)

    def gauges(self, name: str, help_: str, label: str, values: Mapping[str, Callable[[], float]]) -> None:
        """The same for each value of a label."""
        gauge = Gauge(name, help_, (label,), registry=self._registry)
        for key, value in values.items():
            gauge.labels(key).set_function(value)

    def counters(self, name: str, help_: str, label: str, values: Callable[[], Mapping[str, int]]) -> None:
        """A counter whose values, by a label, are looked up at each scrape."""
        self._registry.register(_Counters(name, help_, label, values))

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Body and content type, as the ``Accept`` header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
