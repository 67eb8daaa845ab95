"""The columns of `report agents`, with their definitions, and the table of pauses by reason below them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from asterpanel_exporter.history.records import AttemptResult
from asterpanel_exporter.periods import local_time
from asterpanel_exporter.report.agents import AgentSums
from asterpanel_exporter.report.columns import Column, Kind, SideTable, ratio

NO_REASON: Final = "(none)"


def columns(zones: dict[str, ZoneInfo]) -> tuple[Column[AgentSums], ...]:
    """The report's columns. ``zones``: time zones of the switchboards, for the times of activity."""

    def local(row: AgentSums, time_us: int | None) -> datetime | None:
        return None if time_us is None else local_time(time_us, zones[row.switchboard])

    activity: tuple[Column[AgentSums], ...] = (
        Column("first_activity", "first\nactivity", Kind.TIME,
               "The first of: log-in or log-out, start or end of a pause, ringing, start or end of a talk.",
               lambda row: local(row, row.first_us)),
        Column("last_activity", "last\nactivity", Kind.TIME, "The last of those.",
               lambda row: local(row, row.last_us)),
    )  # fmt: skip
    return (*_COLUMNS, *activity, *_LISTS)


_COLUMNS: Final[tuple[Column[AgentSums], ...]] = (
    Column("switchboard", "switchboard", Kind.TEXT, "Name of the switchboard.",
           lambda row: row.switchboard, is_key=True, in_table=False),
    Column("agent", "agent", Kind.TEXT, "Id of the agent.", lambda row: row.agent, is_key=True),
    Column("agent_name", "name", Kind.TEXT, "MemberName, the latest in the period.",
           lambda row: row.name, is_key=True),
    Column("answered", "answered", Kind.COUNT,
           "Calls answered, by the caller's join; a call counts when it has ended.",
           lambda row: row.answered),
    Column("talk_s", "talk", Kind.SECONDS,
           "Talk of those calls. Time on hold is part of it: the queue's events do not tell it apart.",
           lambda row: row.talk_s),
    Column("aht_s", "AHT", Kind.SECONDS,
           "Average handle time: (talk + wrap-up) / answered; wrap-up is the queue's configured wrapup_time "
           "for each answered call, 0 where none is configured.",
           lambda row: ratio(row.talk_s + row.wrapup_s, row.answered)),
    Column("average_ring_s", "average\nring", Kind.SECONDS,
           "Ringing of the attempts that he answered / their number.",
           lambda row: ratio(row.answered_ring_s, row.attempts[AttemptResult.ANSWERED])),
    Column("no_answer", "RNA", Kind.COUNT,
           "Ring no answer: times that the phone rang for as long as the queue lets it.",
           lambda row: row.attempts[AttemptResult.NO_ANSWER]),
    Column("rejected", "rejec-\nted", Kind.COUNT,
           "Times that the phone refused: busy, declined, unreachable.",
           lambda row: row.attempts[AttemptResult.REJECTED]),
    Column("transferred", "trans-\nferred", Kind.COUNT, "Answered calls that he transferred.",
           lambda row: row.transferred),
    Column("pauses", "pauses", Kind.COUNT, "Pauses that reach into the period.",
           lambda row: row.pause_count),
    Column("paused_s", "paused", Kind.SECONDS, "Time of the pauses that lies in the period.",
           lambda row: row.paused_s),
    Column("logged_in_s", "logged\nin", Kind.SECONDS,
           "Time of the period in which he was a member of any of the queues; of several at once, once.",
           lambda row: row.logged_in_s),
    Column("occupancy", "occu-\npancy", Kind.SHARE,
           "(Talk + ring + wrap-up) / (logged in - paused), with the talk and wrap-up that lie in the "
           "period. Above 100 % where he talks while he is paused, or is rung by two queues at once.",
           lambda row: ratio(row.busy_s, row.available_s)),
    Column("ring_s", "ring", Kind.SECONDS, "All ringing, answered or not.",
           lambda row: row.ring_s, in_table=False),
    Column("wrapup_s", "wrap-up", Kind.SECONDS, "Wrap-up as in AHT.",
           lambda row: row.wrapup_s, in_table=False),
    Column("talk_in_period_s", "talk in period", Kind.SECONDS,
           "Talk that lies in the period, whenever the call had joined.",
           lambda row: row.talk_inside_s, in_table=False),
    Column("wrapup_in_period_s", "wrap-up in period", Kind.SECONDS,
           "Wrap-up after the talks that ended in the period, as far as it lies in it.",
           lambda row: row.wrapup_inside_s, in_table=False),
)  # fmt: skip


def _pauses_of(row: AgentSums) -> list[dict[str, Any]]:
    return [
        {"reason": reason, "count": pauses.count, "total_s": pauses.total_s}
        for reason, pauses in sorted(row.pauses.items())
    ]


_LISTS: Final[tuple[Column[AgentSums], ...]] = (
    Column("pauses_by_reason", "pauses by reason", Kind.LIST,
           "Number and time of the pauses by reason: a table of its own below, a list in JSON (in CSV too).",
           _pauses_of, in_table=False),
)  # fmt: skip


def pauses_table(rows: Sequence[AgentSums]) -> SideTable | None:
    """Pauses by agent and reason; None if nobody had one."""
    lines = tuple(
        (row.agent, row.name, reason or NO_REASON, pauses.count, pauses.total_s)
        for row in rows
        for reason, pauses in sorted(row.pauses.items())
    )
    titles = ("agent", "name", "reason of pause", "pauses", "time")
    kinds = (Kind.TEXT, Kind.TEXT, Kind.TEXT, Kind.COUNT, Kind.SECONDS)
    return SideTable(titles, kinds, lines) if lines else None
