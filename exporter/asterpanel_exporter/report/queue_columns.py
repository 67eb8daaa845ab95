"""The columns of `report queues`, with their definitions."""

from __future__ import annotations

from typing import Final

from asterpanel_exporter.history.records import Outcome
from asterpanel_exporter.report.buckets import Bucket
from asterpanel_exporter.report.columns import Column, Kind, ratio
from asterpanel_exporter.report.queues import FLOW_OUTS, QueueSums
from asterpanel_switchboard.service_level import Formula

_FLOW_OUT_COLUMNS: Final = {
    Outcome.TIMEOUT: ("time-out", "Left because the queue's time was up."),
    Outcome.EXIT_KEY: ("exit\nkey", "Left by pressing a key."),
    Outcome.LEAVE_EMPTY: ("left\nempty", "Sent away while waiting, as the queue had no agents (LEAVEEMPTY)."),
    Outcome.JOIN_EMPTY: ("refused\nempty", "Refused entry, as the queue had no agents (JOINEMPTY)."),
    Outcome.LEAVE_UNAVAIL: ("left\nunavail.", "Sent away while waiting, as no agent was available."),
    Outcome.JOIN_UNAVAIL: ("refused\nunavail.", "Refused entry, as no agent was available."),
    Outcome.FULL: ("full", "Refused entry, as the queue was full."),
    Outcome.WITHDRAWN: ("with-\ndrawn", "Taken out of the queue by a manager action."),
    Outcome.CONTINUE: ("continue", "Went on in the dialplan (QUEUESTATUS CONTINUE)."),
    Outcome.REDIRECTED: ("redirec-\nted", "Moved elsewhere while waiting."),
    Outcome.UNKNOWN: ("unknown", "Nothing tells how it ended, as with a restart of the switchboard."),
}


def _flow_out_column(outcome: Outcome) -> Column[QueueSums]:
    title, help_ = _FLOW_OUT_COLUMNS[outcome]
    return Column(
        outcome.value,
        title,
        Kind.COUNT,
        f"Flow-out. {help_}",
        lambda row: row.calls[outcome],
        only_if_any=True,
    )


def columns(formula: Formula, bucket: Bucket | None = None) -> tuple[Column[QueueSums], ...]:
    """The report's columns, with the service level by that formula."""
    by_bucket = () if bucket is None else (_bucket_column(bucket),)
    flow_outs = [_flow_out_column(outcome) for outcome in FLOW_OUTS]
    return (*_KEYS, *by_bucket, *_COUNTS, *flow_outs, _service_level_column(formula), *_FIGURES)


def _bucket_column(bucket: Bucket) -> Column[QueueSums]:
    help_ = "Of the caller's join (of attempts: of the ringing), in the switchboard's time zone."
    return Column(bucket.value, bucket.value, Kind.TEXT, help_, lambda row: row.bucket, is_key=True)


def _service_level_column(formula: Formula) -> Column[QueueSums]:
    help_ = (
        f"Formula {formula.number}, {formula.symbols}: {formula.words}. T is the threshold that applied to "
        "the call, or --threshold; calls of queues without one are left out."
    )
    return Column("service_level", "service\nlevel", Kind.SHARE, help_, lambda row: formula(row.service))


_KEYS: Final[tuple[Column[QueueSums], ...]] = (
    Column("switchboard", "switchboard", Kind.TEXT, "Name of the switchboard.",
           lambda row: row.switchboard, is_key=True, in_table=False),
    Column("queue", "queue", Kind.TEXT, "Name of the queue.", lambda row: row.queue, is_key=True),
)  # fmt: skip

_COUNTS: Final[tuple[Column[QueueSums], ...]] = (
    Column("offered", "offered", Kind.COUNT,
           "Callers who entered the queue or were refused entry: answered, abandoned and flow-outs. Each "
           "visit of a queue counts once, when it has ended, at the time of its join.",
           lambda row: row.offered),
    Column("answered", "answered", Kind.COUNT, "An agent was connected.", lambda row: row.answered),
    Column("abandoned", "aban-\ndoned", Kind.COUNT,
           "The caller hung up while waiting; short abandons included, flow-outs not.",
           lambda row: row.calls[Outcome.ABANDONED]),
    Column("short_abandoned", "of them\nshort", Kind.COUNT,
           "Of the abandoned, those within the queue's short_abandon time.",
           lambda row: row.short_abandoned),
)  # fmt: skip

_FIGURES: Final[tuple[Column[QueueSums], ...]] = (
    Column("threshold_min_s", "T from", Kind.SECONDS, "The smallest threshold T of the row's calls.",
           lambda row: row.threshold_s and row.threshold_s[0], in_table=False),
    Column("threshold_max_s", "T to", Kind.SECONDS, "The largest threshold T of the row's calls.",
           lambda row: row.threshold_s and row.threshold_s[1], in_table=False),
    Column("abandon_rate", "abandon\nrate", Kind.SHARE, "Abandoned / offered.",
           lambda row: ratio(row.calls[Outcome.ABANDONED], row.offered)),
    Column("asa_s", "ASA", Kind.SECONDS,
           "Average speed of answer: wait of the answered / answered, ringing included, abandons not.",
           lambda row: ratio(row.answered_wait_s, row.answered)),
    Column("average_wait_s", "average\nwait", Kind.SECONDS,
           "Wait of all who entered the queue, however it ended / their number.",
           lambda row: ratio(row.wait_s, row.entered)),
    Column("longest_wait_s", "longest\nwait", Kind.SECONDS, "The longest wait, however it ended.",
           lambda row: row.longest_wait_s if row.offered else None),
    Column("average_talk_s", "average\ntalk", Kind.SECONDS,
           "Talk / answered. Time on hold is part of talk: the queue's events do not tell it apart.",
           lambda row: ratio(row.talk_s, row.answered)),
    Column("aht_s", "AHT", Kind.SECONDS,
           "Average handle time: (talk + wrap-up) / answered; wrap-up is the configured wrapup_time for each "
           "answered call, 0 where none is configured.",
           lambda row: ratio(row.talk_s + row.wrapup_s, row.answered)),
    Column("transferred", "trans-\nferred", Kind.COUNT, "Answered calls that the agent transferred.",
           lambda row: row.transferred),
    Column("transfer_rate", "transfer\nrate", Kind.SHARE, "Transferred / answered.",
           lambda row: ratio(row.transferred, row.answered)),
    Column("attempts", "attempts", Kind.COUNT,
           "Times that an agent's phone rang, by the start of the ringing.",
           lambda row: row.attempts),
    Column("no_answer", "RNA", Kind.COUNT,
           "Ring no answer: attempts that rang for as long as the queue lets them. A caller who leaves while "
           "a phone rings makes none.",
           lambda row: row.no_answer),
)  # fmt: skip
