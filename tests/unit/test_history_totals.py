"""Counters over restarts: they go on where they were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AttemptResult,
    Outcome,
    QueueCall,
    Record,
    SwitchboardGap,
)
from asterpanel_exporter.history.totals import (
    WAIT_BUCKETS_S,
    Histogram,
    Key,
    OutcomeTotals,
    QueueTotals,
    cumulative,
)

SECONDS = st.floats(0, 4000, allow_nan=False)


@st.composite
def calls(draw: st.DrawFn) -> QueueCall:
    return QueueCall(
        "milano",
        draw(st.sampled_from(["sales", "vip", 'a "b", c'])),
        draw(st.sampled_from(Outcome)),
        1.0,
        "1.1",
        wait_s=draw(SECONDS),
        talk_s=draw(SECONDS),
        sl_threshold_s=draw(st.sampled_from([0.0, 20.0, 37.0])),
        short_abandon_s=5.0,
    )


ATTEMPTS = st.builds(
    AgentAttempt, st.just("milano"), st.sampled_from(["sales", "vip"]), st.sampled_from(["1001", "1002"]),
    st.just("Alice"), st.sampled_from(AttemptResult), st.just(1.0), SECONDS, st.just("1.1"),
)  # fmt: skip
GAPS = st.builds(SwitchboardGap, st.just("milano"), st.just("eof"), st.just(1.0), SECONDS, st.integers(0, 9))


def shown(totals: OutcomeTotals) -> object:
    """All that a scrape can see."""
    return totals.missed, {name: _shown(queue) for name, queue in totals.queues.items()}


def _shown(queue: QueueTotals) -> object:
    histograms = [*queue.wait.values(), queue.talk]
    return (
        queue.offered,
        +queue.calls,
        +queue.within_sl,
        queue.short_abandons,
        +queue.attempts,
        [(histogram.bounds, histogram.counts, round(histogram.sum, 6)) for histogram in histograms],
    )


@given(st.lists(st.lists(st.one_of(calls(), ATTEMPTS, GAPS))), st.integers(0, 5))
def test_a_restart_changes_nothing(parts: list[list[Record]], threshold: int) -> None:
    totals = OutcomeTotals((20.0, 30.0 + threshold))
    kept: dict[Key, float] = {}
    for records in parts:
        kept |= totals.add(records, {"sales": 1})
        again = OutcomeTotals((20.0, 30.0 + threshold))
        again.restore(kept)
        assert shown(again) == shown(totals)
        totals = again


def test_a_threshold_that_is_configured_anew_begins_the_waits_anew() -> None:
    totals = OutcomeTotals()
    kept = totals.add([QueueCall("milano", "sales", Outcome.ANSWERED, 1.0, "1.1", wait_s=3.0)], {"sales": 1})
    again = OutcomeTotals((37.0,))
    again.restore(kept)
    queue = again.queue("sales")
    assert (queue.offered, queue.calls[Outcome.ANSWERED]) == (1, 1)
    assert sum(queue.wait[Outcome.ANSWERED].counts) == 0
    kept |= again.add([QueueCall("milano", "sales", Outcome.ANSWERED, 1.0, "1.2", wait_s=30.0)], {})
    once_more = OutcomeTotals((37.0,))
    once_more.restore(kept)
    assert shown(once_more) == shown(again)


def test_calls_within_the_service_level_and_short_abandons_are_counted_over_a_restart() -> None:
    def ended(number: int, outcome: Outcome, wait_s: float, threshold_s: float = 20.0) -> QueueCall:
        return QueueCall("milano", "sales", outcome, 1.0, f"1.{number}", wait_s=wait_s,
                         sl_threshold_s=threshold_s, short_abandon_s=5.0)  # fmt: skip

    before = [
        ended(1, Outcome.ANSWERED, 20.0),
        ended(2, Outcome.ANSWERED, 20.1),
        ended(3, Outcome.ANSWERED, 1.0, threshold_s=0.0),
        ended(4, Outcome.ABANDONED, 4.9),
        ended(5, Outcome.ABANDONED, 5.0),
        ended(6, Outcome.ABANDONED, 30.0),
        ended(7, Outcome.TIMEOUT, 3.0),
    ]
    totals = OutcomeTotals()
    kept = totals.add(before, {})
    queue = totals.queue("sales")
    assert queue.within_sl == {Outcome.ANSWERED: 1, Outcome.ABANDONED: 2}
    assert queue.short_abandons == 1
    again = OutcomeTotals()
    again.restore(kept)
    again.add([ended(8, Outcome.ANSWERED, 2.0), ended(9, Outcome.ABANDONED, 2.0)], {})
    assert again.queue("sales").within_sl == {Outcome.ANSWERED: 2, Outcome.ABANDONED: 3}
    assert again.queue("sales").short_abandons == 2


def test_a_bound_belongs_to_its_bucket() -> None:
    histogram = Histogram(WAIT_BUCKETS_S)
    histogram.observe(20.0)
    assert dict(cumulative(histogram))["20.0"] == 1
    assert dict(cumulative(histogram))["15.0"] == 0
