"""Counters and histograms of what has finished, over restarts of the exporter."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from asterpanel_exporter.history.encoding import encode
from asterpanel_exporter.history.records import AgentAttempt, Outcome, QueueCall, Record, SwitchboardGap

WAIT_BUCKETS_S: Final = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1200.0)
"""Always there; the thresholds of the queues' service levels come on top."""

TALK_BUCKETS_S: Final = (10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)

WAIT_OUTCOMES: Final = (Outcome.ANSWERED, Outcome.ABANDONED)

_OUTCOMES: Final = frozenset(outcome.value for outcome in Outcome)

Key = tuple[str, str]
"""(name, labels as a JSON list): where a value is kept in the journal."""

_OFFERED = "offered"
_CALLS = "calls"
_ATTEMPTS = "attempts"
_WAIT = "wait"
_WAIT_BOUND = "wait_bound"
_TALK = "talk"
_WITHIN_SL = "within_sl"
_SHORT_ABANDONS = "short_abandons"
_MISSED = "missed"
_SUM = "sum"


class Histogram:
    """Counts by bucket, each for itself (Prometheus wants them summed up), the last one without a limit."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> int:
        """Count a value; returns its bucket. A bound belongs to the bucket below it."""
        bucket = bisect_left(self.bounds, value)
        self.counts[bucket] += 1
        self.sum += value
        return bucket


class QueueTotals:
    """Of one queue."""

    __slots__ = ("attempts", "calls", "offered", "short_abandons", "talk", "wait", "within_sl")

    def __init__(self, wait_bounds: tuple[float, ...]) -> None:
        self.offered = 0
        self.calls: Counter[Outcome] = Counter()
        self.within_sl: Counter[Outcome] = Counter()
        self.short_abandons = 0
        self.wait = {outcome: Histogram(wait_bounds) for outcome in WAIT_OUTCOMES}
        self.talk = Histogram(TALK_BUCKETS_S)
        self.attempts: Counter[tuple[str, str]] = Counter()


class OutcomeTotals:
    """Of one switchboard.

    Attributes:
        queues: by name; attempts by (agent, result).
        missed: calls that ended while the switchboard could not be watched.
    """

    def __init__(self, thresholds_s: Iterable[float] = ()) -> None:
        self.queues: dict[str, QueueTotals] = {}
        self.missed = 0
        self._wait_bounds = _bounds(WAIT_BUCKETS_S, thresholds_s)
        self._changed: dict[Key, float] = {}
        self._kept_bounds: tuple[float, ...] = ()
        self._stale: dict[Key, float] = {}

    def queue(self, name: str) -> QueueTotals:
        """Of a queue; all zero if it is new."""
        totals = self.queues.get(name)
        if totals is None:
            totals = self.queues[name] = QueueTotals(self._wait_bounds)
        return totals

    def add(
        self, records: Sequence[Record], offered: Mapping[str, int], thresholds_s: Iterable[float] = ()
    ) -> dict[Key, float]:
        """Count what has finished; returns the values that have changed."""
        self._changed = {}
        self._use(thresholds_s)
        if records or offered:
            self._changed, self._stale = self._stale, {}
        for name, count in offered.items():
            totals = self.queue(name)
            totals.offered += count
            self._set(_OFFERED, (name,), totals.offered)
        for record in records:
            if isinstance(record, QueueCall):
                self._add_call(record)
            elif isinstance(record, AgentAttempt):
                attempts = self.queue(record.queue).attempts
                attempts[record.agent, record.result] += 1
                self._set(
                    _ATTEMPTS,
                    (record.queue, record.agent, record.result),
                    attempts[record.agent, record.result],
                )
            elif isinstance(record, SwitchboardGap):
                self.missed += record.calls_missed
                self._set(_MISSED, (), self.missed)
        self._keep_bounds()
        return self._changed

    def _keep_bounds(self) -> None:
        """Most buckets are never used; that they were there is kept all the same."""
        if self._changed and self._kept_bounds != self._wait_bounds:
            self._kept_bounds = self._wait_bounds
            for bound in self._wait_bounds:
                self._set(_WAIT_BOUND, (repr(bound),), 1)

    def _set(self, name: str, labels: tuple[str, ...], value: float) -> None:
        self._changed[name, _encoded(labels)] = value

    def _add_call(self, call: QueueCall) -> None:
        self._use((call.sl_threshold_s,))
        totals = self.queue(call.queue)
        totals.calls[call.outcome] += 1
        self._set(_CALLS, (call.queue, call.outcome), totals.calls[call.outcome])
        if call.within_sl or call.abandoned_within_sl:
            totals.within_sl[call.outcome] += 1
            self._set(_WITHIN_SL, (call.queue, call.outcome), totals.within_sl[call.outcome])
        if call.short_abandon:
            totals.short_abandons += 1
            self._set(_SHORT_ABANDONS, (call.queue,), totals.short_abandons)
        if call.outcome in totals.wait:
            self._observe(_WAIT, (call.queue, call.outcome), totals.wait[call.outcome], call.wait_s)
        if call.answered:
            self._observe(_TALK, (call.queue,), totals.talk, call.talk_s)

    def _observe(self, name: str, labels: tuple[str, ...], histogram: Histogram, value: float) -> None:
        bucket = histogram.observe(value)
        self._set(name, (*labels, _le(histogram, bucket)), histogram.counts[bucket])
        self._set(name, (*labels, _SUM), histogram.sum)

    def _use(self, thresholds_s: Iterable[float]) -> None:
        new = {threshold_s for threshold_s in thresholds_s if threshold_s} - set(self._wait_bounds)
        if new:
            self._begin_anew(_bounds(self._wait_bounds, new))

    def _begin_anew(self, bounds: tuple[float, ...]) -> None:
        """A queue has a threshold that is no bucket yet: the waits are counted anew, with it.

        To Prometheus that is a counter that was reset, which it knows how to read; a bucket that was missing
        before would look like calls that came all at once.
        """
        self._wait_bounds = bounds
        for name, totals in self.queues.items():
            totals.wait = {outcome: Histogram(bounds) for outcome in WAIT_OUTCOMES}
            for outcome, histogram in totals.wait.items():
                for bucket in range(len(histogram.counts)):
                    self._set(_WAIT, (name, outcome, _le(histogram, bucket)), 0)
                self._set(_WAIT, (name, outcome, _SUM), 0.0)

    # --- the journal --------------------------------------------------------------------------------

    def restore(self, values: Mapping[Key, float]) -> None:
        """Go on from what the journal has. Names that are not known (any more) are left alone."""
        labelled = [(name, tuple(json.loads(labels)), value) for (name, labels), value in values.items()]
        kept = {float(labels[0]) for name, labels, _ in labelled if name == _WAIT_BOUND}
        as_before = set(self._wait_bounds) <= kept
        self._wait_bounds = _bounds(self._wait_bounds, kept)
        if as_before:
            self._kept_bounds = self._wait_bounds
        for name, labels, value in labelled:
            if name != _WAIT or as_before:
                self._restore_value(name, labels, value)
            else:  # counted anew, with a bucket more
                self._stale[name, _encoded(labels)] = 0.0

    def _restore_value(self, name: str, labels: tuple[str, ...], value: float) -> None:
        if name == _MISSED:
            self.missed = int(value)
        if name in (_MISSED, _WAIT_BOUND):
            return
        totals = self.queue(labels[0])
        if name == _OFFERED:
            totals.offered = int(value)
        elif name == _CALLS:
            if labels[1] in _OUTCOMES:
                totals.calls[Outcome(labels[1])] = int(value)
        elif name == _WITHIN_SL:
            if labels[1] in _OUTCOMES:
                totals.within_sl[Outcome(labels[1])] = int(value)
        elif name == _SHORT_ABANDONS:
            totals.short_abandons = int(value)
        elif name == _ATTEMPTS:
            totals.attempts[labels[1], labels[2]] = int(value)
        elif name == _WAIT:
            _restore_bucket(totals.wait[Outcome(labels[1])], labels[2], value)
        elif name == _TALK:
            _restore_bucket(totals.talk, labels[1], value)


@lru_cache(maxsize=131072)
def _encoded(labels: tuple[str, ...]) -> str:
    return encode(labels)


def _bounds(bounds: Iterable[float], more: Iterable[float]) -> tuple[float, ...]:
    return tuple(sorted({*bounds, *more}))


def _le(histogram: Histogram, bucket: int) -> str:
    return repr(histogram.bounds[bucket]) if bucket < len(histogram.bounds) else "inf"


def _restore_bucket(histogram: Histogram, le: str, value: float) -> None:
    if le == _SUM:
        histogram.sum = value
    else:
        bucket = bisect_left(histogram.bounds, float(le))
        histogram.counts[bucket] += int(value)


def cumulative(histogram: Histogram) -> Iterator[tuple[str, int]]:
    """(``le`` as Prometheus writes it, count up to it) of each bucket."""
    count = 0
    for bound, own in zip((*histogram.bounds, None), histogram.counts, strict=True):
        count += own
        yield ("+Inf" if bound is None else repr(bound)), count
