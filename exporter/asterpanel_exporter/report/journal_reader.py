"""Read-only access to the journal, for reports: what of it is asked for, and what it knows besides points."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from asterpanel_exporter.journal.opening import JournalError, connect
from asterpanel_exporter.journal.schema import ENDS
from asterpanel_exporter.periods import US, Period
from asterpanel_exporter.points.catalogue import SWITCHBOARD_GAP
from asterpanel_exporter.points.line_protocol import clean_tag

_MMAP_BYTES: Final = 1 << 40
_SORTER_KIB: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose points of what time a report is about. ``queues``: globs, any of which may match; none is all."""

    switchboard: str
    period: Period
    queues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which the switchboard could not be watched, in Unix microseconds."""

    start_us: int
    end_us: int
    calls_missed: int


@dataclass(frozen=True, slots=True)
class OpenInterval:
    """A pause or a membership that still goes on. ``label``: the pause's reason, the membership's queue."""

    agent: str
    agent_name: str
    label: str
    started_us: int


@dataclass(frozen=True, slots=True)
class OpenItems:
    """What went on at the last moment known of a switchboard.

    Attributes:
        calls: number of calls waiting or in talk.
        known_us: that last moment, in Unix microseconds; None: nobody has watched yet.
    """

    pauses: tuple[OpenInterval, ...] = ()
    sessions: tuple[OpenInterval, ...] = ()
    calls: int = 0
    known_us: int | None = None


class JournalReader:
    """One connection that can only read, and sees the journal as it is when it opens."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._db.create_function("matches", 2, fnmatchcase, deterministic=True)

    def select(
        self,
        columns: Sequence[str],
        table: str,
        where: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        *,
        group_by: Sequence[str] = (),
        order_by: str = "",
        limit: int | None = None,
    ) -> sqlite3.Cursor:
        """``SELECT``. All but the parameters are pieces of SQL."""
        clauses = ["SELECT", ", ".join(columns), "FROM", table]
        if where:
            clauses += ["WHERE", " AND ".join(where)]
        if group_by:
            clauses += ["GROUP BY", ", ".join(group_by)]
        if order_by:
            clauses += ["ORDER BY", order_by]
        if limit is not None:
            clauses += ["LIMIT", str(limit)]
        return self._db.execute(" ".join(clauses), dict(parameters or {}))

    def gaps(self, scope: Scope) -> list[Gap]:
        """Gaps that reach into the period, in order."""
        ended = ENDS[SWITCHBOARD_GAP.name]
        rows = self.select(
            ["time", ended, "calls_missed"],
            "switchboard_gap_points",
            ["switchboard = :switchboard", "time < :end", f"{ended} > :start"],
            parameters_of(scope),
            order_by="time",
        )
        return [Gap(start, round(end), missed) for start, end, missed in rows]

    def open_items(self, switchboard: str) -> OpenItems:
        """What still goes on.

        Raises:
            JournalError: an item has another form than this version knows.
        """
        rows = self.select(
            ["kind", "key", "data"],
            "open_item",
            ["switchboard = :switchboard"],
            {"switchboard": switchboard},
        )
        pauses, sessions, calls, known_us = [], [], 0, None
        for kind, key, data in rows:
            try:
                item = json.loads(data)
                match kind:
                    case "pause":
                        pauses.append(_open_interval(item, "reason"))
                    case "session":
                        sessions.append(_open_interval(item, "queue"))
                    case "call":  # one that has its record, or whose end was not seen, goes on no more
                        calls += not (item.get("told") or item.get("lost"))
                    case "board":
                        known_us = round(item["known_at"] * US)
            except (ValueError, KeyError, TypeError) as error:
                raise JournalError(
                    f"open_item {kind} {key!r} of {switchboard} in the journal is not understood "
                    f"({error!r}); was it written by another version of Asterpanel?"
                ) from error
        return OpenItems(tuple(pauses), tuple(sessions), calls, known_us)

    def queues(self, switchboard: str) -> list[str]:
        """Every queue of which the journal has a call, by name."""
        where, parameters = ["switchboard = :switchboard"], {"switchboard": switchboard}
        rows = self.select(["DISTINCT queue"], "queue_call_series", where, parameters, order_by="queue")
        return [queue for (queue,) in rows]

    def reach(self, switchboard: str) -> tuple[int, int] | None:
        """Unix microseconds of the first and the last call; None if there is no call."""
        where, parameters = ["switchboard = :switchboard"], {"switchboard": switchboard}
        rows = self.select(["min(time)", "max(time)"], "queue_call_points", where, parameters)
        first, last = rows.fetchone()
        return None if first is None else (first, last)


def _open_interval(item: Mapping[str, Any], label: str) -> OpenInterval:
    """Its texts as the point will have them: what goes on is kept as the switchboard told it."""
    agent, agent_name, label = (clean_tag(item[name]) for name in ("agent", "agent_name", label))
    return OpenInterval(agent, agent_name, label, round(item["started_at"] * US))


def parameters_of(scope: Scope) -> dict[str, Any]:
    """``:switchboard``, ``:start``, ``:end``, and ``:queue0``… for SQL about a scope."""
    globs = {f"queue{i}": glob for i, glob in enumerate(scope.queues)}
    return {
        "switchboard": scope.switchboard,
        "start": scope.period.start_us,
        "end": scope.period.end_us,
    } | globs


def conditions_of(scope: Scope) -> list[str]:
    """Points of the switchboard and the queues; with `in_period`, all that a scope says."""
    conditions = ["switchboard = :switchboard"]
    if scope.queues:
        globs = " OR ".join(f"matches(queue, :queue{i})" for i in range(len(scope.queues)))
        conditions.append(f"({globs})")
    return conditions


IN_PERIOD: Final = ("time >= :start", "time < :end")
"""Points whose time stamp is in the period."""


@contextmanager
def open_reader(path: Path, *, lean: bool = False) -> Iterator[JournalReader]:
    """Open the journal to read from it, beside an exporter that writes.

    Args:
        path: of the journal.
        lean: take little memory, in a process that stays; else be quick with months of calls.

    Raises:
        JournalError: there is none, it cannot be read, is no journal, or of another version.
    """
    connection = connect(path, create=False, read_only=True)
    try:
        if not lean:
            # Against SQLite's own small cache, a third of the time for a month of a million calls.
            connection.execute(f"PRAGMA mmap_size = {_MMAP_BYTES}")
            connection.execute(f"PRAGMA cache_size = -{_SORTER_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("BEGIN")
        yield JournalReader(connection)
    except sqlite3.Error as error:
        raise JournalError(f"cannot read the journal {path}: {error}") from error
    finally:
        connection.close()
