"""`report calls`: the calls behind the numbers, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from asterpanel_exporter.history.records import Outcome
from asterpanel_exporter.periods import local_time
from asterpanel_exporter.report.columns import Column, Kind
from asterpanel_exporter.report.journal_reader import (
    IN_PERIOD,
    JournalReader,
    Scope,
    conditions_of,
    parameters_of,
)

ORDERS: Final = {
    "newest": "time DESC, id DESC",
    "oldest": "time, id",
    "wait": "wait_s DESC, time DESC, id DESC",
    "talk": "talk_s DESC, time DESC, id DESC",
}
"""How the list can be sorted, and what that is in SQL."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls are listed: those for which all of it holds.

    Attributes:
        outcomes: any of these; none is all.
        agents: globs of ids or names of the agent who answered, any of which may match; none is all.
        callers: the same of the caller's number.
        longer_than_s: the wait.
    """

    outcomes: tuple[Outcome, ...] = ()
    agents: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    longer_than_s: float | None = None


@dataclass(frozen=True, slots=True)
class ListedCall:
    """One queue call, as `asterpanel_exporter.history.records.QueueCall` has it; ``joined`` in local time."""

    switchboard: str
    joined: datetime
    queue: str
    caller: str
    caller_name: str
    outcome: str
    wait_s: float
    agent: str
    agent_name: str
    ring_s: float
    talk_s: float
    ended_by: str
    transfer_to: str
    attempts: int
    uniqueid: str
    linkedid: str


def listed_calls(
    reader: JournalReader,
    scope: Scope,
    wanted: CallFilter,
    *,
    order: str = "newest",
    limit: int | None = None,
) -> tuple[list[ListedCall], int]:
    """The calls that joined in the period, and how many there are beside those listed.

    Args:
        reader: of the journal.
        scope: which queues, which period.
        wanted: what else must hold.
        order: one of `ORDERS`.
        limit: how many at most; None: all.
    """
    where, parameters = [*conditions_of(scope), *IN_PERIOD], parameters_of(scope)
    _add_matches(where, parameters, ("caller",), wanted.callers)
    _add_matches(where, parameters, ("agent", "agent_name"), wanted.agents)
    if wanted.outcomes:
        parameters |= {f"outcome{i}": outcome.value for i, outcome in enumerate(wanted.outcomes)}
        where.append(f"outcome IN ({', '.join(f':outcome{i}' for i in range(len(wanted.outcomes)))})")
    if wanted.longer_than_s is not None:
        parameters["longer_than"] = wanted.longer_than_s
        where.append("wait_s > :longer_than")
    [count] = reader.select(["count(*)"], "queue_call_points", where, parameters).fetchone()
    rows = reader.select(
        _SELECTED, "queue_call_points", where, parameters, order_by=ORDERS[order], limit=limit
    )
    zone = scope.period.zone
    calls = [ListedCall(switchboard, local_time(time, zone), *rest) for switchboard, time, *rest in rows]
    return calls, count - len(calls)


_SELECTED: Final = (
    "switchboard",
    "time",
    "queue",
    "caller",
    "caller_name",
    "outcome",
    "wait_s",
    "agent",
    "agent_name",
    "ring_s",
    "talk_s",
    "ended_by",
    "transfer_to",
    "attempts",
    "uniqueid",
    "linkedid",
)


def _add_matches(
    where: list[str], parameters: dict[str, object], names: tuple[str, ...], globs: tuple[str, ...]
) -> None:
    if globs:
        parameters |= {f"{names[0]}{i}": glob for i, glob in enumerate(globs)}
        tests = (f"matches({name}, :{names[0]}{i})" for name in names for i in range(len(globs)))
        where.append(f"({' OR '.join(tests)})")


COLUMNS: Final[tuple[Column[ListedCall], ...]] = (
    Column("switchboard", "switchboard", Kind.TEXT, "Name of the switchboard.",
           lambda call: call.switchboard, is_key=True, in_table=False),
    Column("time", "time", Kind.TIME, "The caller's join, or the refusal, in the switchboard's time zone.",
           lambda call: call.joined, is_key=True),
    Column("queue", "queue", Kind.TEXT, "Name of the queue.", lambda call: call.queue),
    Column("caller", "caller", Kind.TEXT, "Number of the caller.", lambda call: call.caller),
    Column("caller_name", "caller's name", Kind.TEXT, "Name of the caller.",
           lambda call: call.caller_name, in_table=False),
    Column("outcome", "outcome", Kind.TEXT, f"How the visit ended: {', '.join(Outcome)}.",
           lambda call: call.outcome),
    Column("wait_s", "wait", Kind.SECONDS, "From the join until an agent was connected, or the caller left.",
           lambda call: call.wait_s),
    Column("agent", "agent", Kind.TEXT, "Id of the agent who answered.",
           lambda call: call.agent, only_if_any=True),
    Column("agent_name", "name", Kind.TEXT, "MemberName of the agent who answered.",
           lambda call: call.agent_name, only_if_any=True),
    Column("ring_s", "ring", Kind.SECONDS, "How long the phone of the agent who answered had rung.",
           lambda call: call.ring_s, in_table=False),
    Column("talk_s", "talk", Kind.SECONDS,
           "From the connection to the end or the transfer, time on hold included.",
           lambda call: call.talk_s, only_if_any=True),
    Column("ended_by", "ended by", Kind.TEXT,
           "Of an answered call: caller, agent, blind_transfer or attended_transfer; empty if not known.",
           lambda call: call.ended_by, only_if_any=True),
    Column("transfer_to", "transfer\nto", Kind.TEXT, "Extension that the caller was transferred to.",
           lambda call: call.transfer_to, only_if_any=True),
    Column("attempts", "attempts", Kind.COUNT, "How often an agent's phone rang for the call.",
           lambda call: call.attempts),
    Column("uniqueid", "uniqueid", Kind.TEXT, "Uniqueid of the caller's channel.",
           lambda call: call.uniqueid, in_table=False),
    Column("linkedid", "linkedid", Kind.TEXT,
           "The same for all visits of one phone call.",
           lambda call: call.linkedid, in_table=False),
)  # fmt: skip
