"""What a command asks for, as a report: the rows of each switchboard, and what to know about them."""

from __future__ import annotations

from typing import Any

from asterpanel_exporter.periods import US
from asterpanel_exporter.report import agent_columns, calls, queue_columns
from asterpanel_exporter.report.agents import AgentReport, AgentSums, open_intervals
from asterpanel_exporter.report.agents import total_of as total_of_agents
from asterpanel_exporter.report.buckets import Bucket
from asterpanel_exporter.report.columns import BoardReport, Report
from asterpanel_exporter.report.journal_reader import JournalReader
from asterpanel_exporter.report.notes import (
    freshness_notes,
    gaps_note,
    open_note,
    threshold_note,
    why_empty,
    wrapup_note,
)
from asterpanel_exporter.report.options import Asked
from asterpanel_exporter.report.queues import QueueSums, queue_sums, total_of
from asterpanel_switchboard.config.queue_rule import any_matches
from asterpanel_switchboard.service_level import Formula


def queue_report(
    reader: JournalReader, asked: Asked, bucket: Bucket | None, formula: Formula, threshold_s: float | None
) -> Report[QueueSums]:
    """`report queues`."""
    boards = [_queues_of(reader, asked, name, bucket, threshold_s) for name in asked.switchboards]
    about: dict[str, Any] = {
        "period": asked.period,
        "formula": {
            "number": formula.number,
            "name": formula.name,
            "symbols": formula.symbols,
            "words": formula.words,
        },
        "threshold_s": threshold_s,
    }
    headline = (f"Service level: formula {formula.number}, {formula.symbols}: {formula.words}.",)
    return Report("queues", queue_columns.columns(formula, bucket), boards, about, headline)


def _queues_of(
    reader: JournalReader, asked: Asked, switchboard: str, bucket: Bucket | None, threshold_s: float | None
) -> BoardReport[QueueSums]:
    scope, wrapup_s = asked.scope(switchboard), asked.wrapup_s(switchboard)
    rows = queue_sums(reader, scope, wrapup_s, bucket=bucket, threshold_s=threshold_s)
    gaps, items = reader.gaps(scope), reader.open_items(switchboard)
    names = list(dict.fromkeys(row.queue for row in rows))
    return BoardReport(
        switchboard,
        scope.period,
        rows,
        total_of(rows, switchboard),
        gaps,
        [
            *threshold_note(rows, threshold_s),
            *wrapup_note(names, wrapup_s),
            *gaps_note(gaps, scope.period),
            *freshness_notes(items, scope.period),
        ],
        why_empty="" if rows else why_empty(reader, scope, narrowed=False),
    )


def agent_report(reader: JournalReader, asked: Asked, agents: tuple[str, ...]) -> Report[AgentSums]:
    """`report agents`. ``agents``: globs of ids or names; none is all."""
    boards = [_agents_of(reader, asked, name, agents) for name in asked.switchboards]
    zones = {name: asked.config.switchboards[name].time_zone for name in asked.switchboards}
    return Report("agents", agent_columns.columns(zones), boards, {"period": asked.period})


def _agents_of(
    reader: JournalReader, asked: Asked, switchboard: str, agents: tuple[str, ...]
) -> BoardReport[AgentSums]:
    scope, wrapup_s = asked.scope(switchboard), asked.wrapup_s(switchboard)
    gaps, items = reader.gaps(scope), reader.open_items(switchboard)
    open_ = open_intervals(items, scope, agents, round(asked.now * US))
    rows = AgentReport(reader, scope, agents).rows(wrapup_s, open_)
    shown = {row.agent for row in rows}
    queues = [
        queue for queue in reader.queues(switchboard) if not scope.queues or any_matches(scope.queues, queue)
    ]
    return BoardReport(
        switchboard,
        scope.period,
        rows,
        total_of_agents(rows, switchboard),
        gaps,
        [
            *(wrapup_note(queues, wrapup_s) if rows else ()),
            *open_note(open_.of(shown), scope.period),
            *gaps_note(gaps, scope.period),
            *freshness_notes(items, scope.period),
        ],
        agent_columns.pauses_table(rows),
        why_empty="" if rows else why_empty(reader, scope, narrowed=bool(agents)),
    )


def call_report(
    reader: JournalReader, asked: Asked, wanted: calls.CallFilter, order: str, limit: int | None
) -> Report[calls.ListedCall]:
    """`report calls`. ``limit``: of each switchboard."""
    boards = [_calls_of(reader, asked, name, wanted, order, limit) for name in asked.switchboards]
    return Report("calls", calls.COLUMNS, boards, {"period": asked.period, "sort": order, "limit": limit})


def _calls_of(
    reader: JournalReader,
    asked: Asked,
    switchboard: str,
    wanted: calls.CallFilter,
    order: str,
    limit: int | None,
) -> BoardReport[calls.ListedCall]:
    scope = asked.scope(switchboard)
    rows, more = calls.listed_calls(reader, scope, wanted, order=order, limit=limit)
    gaps, items = reader.gaps(scope), reader.open_items(switchboard)
    more_note = f"{len(rows)} of {len(rows) + more} calls; --limit shows more, --limit 0 all."
    return BoardReport(
        switchboard,
        scope.period,
        rows,
        None,
        gaps,
        [
            *([more_note] if more else ()),
            *gaps_note(gaps, scope.period),
            *freshness_notes(items, scope.period),
        ],
        why_empty="" if rows else why_empty(reader, scope, narrowed=wanted != calls.CallFilter()),
    )
