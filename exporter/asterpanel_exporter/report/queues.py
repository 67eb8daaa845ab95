"""`report queues`: what became of the calls of each queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from asterpanel_exporter.history.records import AttemptResult, Outcome
from asterpanel_exporter.report.buckets import Bucket
from asterpanel_exporter.report.journal_reader import (
    IN_PERIOD,
    JournalReader,
    Scope,
    conditions_of,
    parameters_of,
)
from asterpanel_switchboard.service_level import ServiceLevelSums

FLOW_OUTS: Final = tuple(
    outcome for outcome in Outcome if outcome not in (Outcome.ANSWERED, Outcome.ABANDONED)
)
REFUSALS: Final = (Outcome.FULL, Outcome.JOIN_EMPTY, Outcome.JOIN_UNAVAIL)
"""Outcomes of callers who never entered the queue."""


@dataclass(slots=True)
class QueueSums:
    """Sums over the calls of a queue, or of a bucket of it.

    Attributes:
        bucket: text of the bucket; "" where the report has none.
        calls: number of calls by outcome.
        short_abandoned: of the abandoned.
        wait_s, longest_wait_s: of all; answered_wait_s, abandoned_wait_s: of these.
        answered_ring_s: how long the phones of the agents who answered had rung.
        wrapup_s: of the answered, as far as the configuration tells the wrap-up time.
        attempts, no_answer, rejected: ringings of agents' phones; no_answer_ring_s: how long those lasted
            that nobody answered.
        service: the calls that had a threshold.
        threshold_s: smallest and largest threshold of those; None if there is none of them.
    """

    switchboard: str
    queue: str
    bucket: str = ""
    calls: Counter[Outcome] = field(default_factory=Counter)
    short_abandoned: int = 0
    wait_s: float = 0.0
    answered_wait_s: float = 0.0
    abandoned_wait_s: float = 0.0
    longest_wait_s: float = 0.0
    answered_ring_s: float = 0.0
    talk_s: float = 0.0
    wrapup_s: float = 0.0
    transferred: int = 0
    attempts: int = 0
    no_answer: int = 0
    rejected: int = 0
    no_answer_ring_s: float = 0.0
    service: ServiceLevelSums = field(default_factory=ServiceLevelSums)
    threshold_s: tuple[float, float] | None = None

    @property
    def offered(self) -> int:
        return self.calls.total()

    @property
    def answered(self) -> int:
        return self.calls[Outcome.ANSWERED]

    @property
    def entered(self) -> int:
        """Offered but for those who were refused entry."""
        return self.offered - sum(self.calls[outcome] for outcome in REFUSALS)

    def add(self, other: QueueSums) -> None:
        """Another queue's or bucket's calls."""
        self.calls += other.calls
        self.short_abandoned += other.short_abandoned
        self.wait_s += other.wait_s
        self.answered_wait_s += other.answered_wait_s
        self.abandoned_wait_s += other.abandoned_wait_s
        self.answered_ring_s += other.answered_ring_s
        self.longest_wait_s = max(self.longest_wait_s, other.longest_wait_s)
        self.talk_s += other.talk_s
        self.wrapup_s += other.wrapup_s
        self.transferred += other.transferred
        self.attempts += other.attempts
        self.no_answer += other.no_answer
        self.rejected += other.rejected
        self.no_answer_ring_s += other.no_answer_ring_s
        self.service.add(other.service)
        if other.threshold_s is not None:
            self.widen_threshold(*other.threshold_s)

    def widen_threshold(self, smallest: float, largest: float) -> None:
        known = self.threshold_s or (smallest, largest)
        self.threshold_s = (min(known[0], smallest), max(known[1], largest))


def queue_sums(
    reader: JournalReader,
    scope: Scope,
    wrapup_s: Callable[[str], float | None],
    *,
    bucket: Bucket | None = None,
    threshold_s: float | None = None,
) -> list[QueueSums]:
    """Sums of each queue (and bucket) that had a call or a ringing in the period, by name (and bucket).

    Args:
        reader: of the journal.
        scope: which queues, which period.
        wrapup_s: wrap-up time of a queue as configured.
        bucket: rows for each of these, instead of one a queue.
        threshold_s: replaces the threshold that each call had.
    """
    number_sql = None if bucket is None else bucket.sql(scope.period)
    found = numbered_sums(reader, scope, wrapup_s, number_sql, threshold_s)
    if bucket is not None:
        for (_, number), row in found.items():
            row.bucket = bucket.text(number)
    return [found[key] for key in sorted(found)]


def numbered_sums(
    reader: JournalReader,
    scope: Scope,
    wrapup_s: Callable[[str], float | None],
    number_sql: str | None,
    threshold_s: float | None = None,
) -> dict[tuple[str, int], QueueSums]:
    """As `queue_sums`, by (queue, number).

    Args:
        reader, scope, wrapup_s, threshold_s: as there.
        number_sql: the number that calls and ringings at ``time`` have in common, in SQL; None: all have 0.
    """
    found: dict[tuple[str, int], QueueSums] = {}

    def sums_of(queue: str, number: int) -> QueueSums:
        return found.setdefault((queue, number), QueueSums(scope.switchboard, queue))

    for queue, number, outcome, *sums in _call_rows(reader, scope, number_sql, threshold_s):
        _add_calls(sums_of(queue, number), Outcome(outcome), *sums)
    for queue, number, result, count, ring_s in _attempt_rows(reader, scope, number_sql):
        _add_attempts(sums_of(queue, number), AttemptResult(result), count, ring_s)
    for row in found.values():
        row.wrapup_s = row.answered * (wrapup_s(row.queue) or 0.0)
    return found


def total_of(rows: Iterable[QueueSums], switchboard: str) -> QueueSums:
    """All of them together."""
    total = QueueSums(switchboard, "Total")
    for row in rows:
        total.add(row)
    return total


def _call_rows(
    reader: JournalReader, scope: Scope, number_sql: str | None, threshold_s: float | None
) -> Iterable[Any]:
    parameters = parameters_of(scope) | {"threshold": threshold_s}
    if threshold_s is None:
        threshold, within = "sl_threshold_s", "within_sl + abandoned_within_sl"
    else:
        threshold, within = ":threshold", "wait_s <= :threshold"
    columns = [
        "queue",
        number_sql or "0",
        "outcome",
        "count(*)",
        "sum(short_abandon)",
        "sum(wait_s)",
        "max(wait_s)",
        "sum(ring_s)",
        "sum(talk_s)",
        "sum(transferred)",
        f"sum({threshold} > 0)",
        f"sum(short_abandon AND {threshold} > 0)",
        f"sum({threshold} > 0 AND {within})",
        f"min(nullif({threshold}, 0))",
        f"max({threshold})",
    ]
    # In the order of the index of queue_call_series, so that SQLite need not sort the calls.
    groups = ["queue", "outcome"] if number_sql is None else ["queue", "outcome", "2"]
    return reader.select(
        columns, "queue_call_points", [*conditions_of(scope), *IN_PERIOD], parameters, group_by=groups
    )


def _attempt_rows(reader: JournalReader, scope: Scope, number_sql: str | None) -> Iterable[Any]:
    columns = ["queue", number_sql or "0", "result", "count(*)", "sum(ring_s)"]
    # By agent only because that is the order of the index.
    groups = ["queue", "agent", "agent_name", "result"] if number_sql is None else ["queue", "result", "2"]
    return reader.select(
        columns,
        "agent_attempt_points",
        [*conditions_of(scope), *IN_PERIOD],
        parameters_of(scope),
        group_by=groups,
    )


def _add_attempts(row: QueueSums, result: AttemptResult, count: int, ring_s: float) -> None:
    row.attempts += count
    if result is AttemptResult.NO_ANSWER:
        row.no_answer += count
        row.no_answer_ring_s += ring_s
    elif result is AttemptResult.REJECTED:
        row.rejected += count


def _add_calls(
    row: QueueSums,
    outcome: Outcome,
    count: int,
    short: int,
    wait_s: float,
    longest_s: float,
    ring_s: float,
    talk_s: float,
    transferred: int,
    with_threshold: int,
    short_with_threshold: int,
    within: int,
    smallest_threshold_s: float | None,
    largest_threshold_s: float,
) -> None:
    row.calls[outcome] += count
    row.short_abandoned += short
    row.wait_s += wait_s
    row.longest_wait_s = max(row.longest_wait_s, longest_s)
    row.talk_s += talk_s
    row.transferred += transferred
    if smallest_threshold_s is not None:
        row.widen_threshold(smallest_threshold_s, largest_threshold_s)
    match outcome:
        case Outcome.ANSWERED:
            row.answered_wait_s += wait_s
            row.answered_ring_s += ring_s
            row.service.answered += with_threshold
            row.service.answered_within += within
        case Outcome.ABANDONED:
            row.abandoned_wait_s += wait_s
            row.service.abandoned += with_threshold
            row.service.abandoned_within += within
            row.service.short_abandoned += short_with_threshold
        case _:
            row.service.flowed_out += with_threshold
