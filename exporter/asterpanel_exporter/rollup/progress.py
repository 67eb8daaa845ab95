"""How far the roll-up has come, and which half hours are due, kept in the journal.

Points are looked at once, by their row ids: each makes the half hours due that it has a part in. A half hour
that is not due is up to date with all points that were looked at.

More than one may be at work: a running exporter, and the command ``rollup``. Each looks at the journal, works
out what is to be written, and writes only if the count of `writes` is still what it was when it looked: else
somebody else has written meanwhile, and it begins anew.
"""

# ruff: noqa: S608  # every name in these statements is the catalogue's

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from asterpanel_exporter.journal.schema import DELETED_BEFORE, ENDS, WRITES
from asterpanel_exporter.points.catalogue import QUEUE_CALL
from asterpanel_exporter.report.journal_reader import JournalReader

LOOKED_AT_ONCE: Final = 20_000
"""Rows of one table."""

_TOGETHER_US: Final = 900_000_000
"""Points that begin in the same quarter of an hour are looked at together."""

SOURCES: Final = tuple(ENDS)
"""The measurements that the roll-up is made from; calls come first."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A time of a switchboard that new points have a part in, in Unix microseconds, both ends included."""

    switchboard: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Bookmarks:
    """How far the roll-up has come.

    Attributes:
        writes: how often it has written.
        deleted_before_us: points of what ended before that moment may have been deleted
            (`asterpanel_exporter.journal.retention`).
    """

    values: Mapping[str, int]

    @classmethod
    def read(cls, reader: JournalReader) -> Bookmarks:
        return cls(dict(reader.select(["name", "value"], "rollup_bookmark").fetchall()))

    @property
    def writes(self) -> int:
        return self.values.get(WRITES, 0)

    @property
    def deleted_before_us(self) -> int:
        return self.values.get(DELETED_BEFORE, 0)

    def seen(self, source: str) -> int:
        """Row id of the newest point of a measurement that was looked at."""
        return self.values.get(source, 0)

    def known_us(self, switchboard: str) -> int | None:
        """Up to when half hours that go on were made due; None: never yet."""
        return self.values.get(known_name(switchboard))

    def known_from_us(self, switchboard: str) -> dict[str, int]:
        """Since when there are calls of each queue: its first one, or the first that was not deleted."""
        prefix = first_name(switchboard, "")
        return {
            name.removeprefix(prefix): max(time_us, self.deleted_before_us)
            for name, time_us in self.values.items()
            if name.startswith(prefix)
        }

    def longest_us(self, source: str) -> int:
        """No point of a measurement that was looked at is of account for longer than that."""
        return self.values.get(longest_name(source), 0)

    def first_us(self, switchboard: str) -> int | None:
        """Since when there are calls of a switchboard; None: there is none yet."""
        return min(self.known_from_us(switchboard).values(), default=None)

    def with_(self, values: Mapping[str, int]) -> Bookmarks:
        """The same with some set anew."""
        return Bookmarks({**self.values, **values})


def known_name(switchboard: str) -> str:
    """Name of the bookmark of a switchboard's last moment."""
    return f"known {switchboard}"


def longest_name(source: str) -> str:
    """Name of the bookmark of the longest time that a point of a measurement has a part in."""
    return f"longest {source}"


def first_name(switchboard: str, queue: str) -> str:
    """Name of the bookmark of a queue's first call."""
    return f"first {switchboard} {queue}"


# --- what is new ------------------------------------------------------------------------------------


def next_page(reader: JournalReader, source: str, after: int) -> int:
    """Row id up to which the next points are looked at; ``after`` itself: there are none."""
    [last] = reader.select(
        ["max(id)"],
        f"(SELECT id FROM {source} WHERE id > :after ORDER BY id LIMIT {LOOKED_AT_ONCE})",
        parameters={"after": after},
    ).fetchone()
    return after if last is None else int(last)


def touched(reader: JournalReader, source: str, after: int, last: int) -> list[Touched]:
    """The times that points of some row ids have a part in."""
    rows = reader.select(
        ["switchboard", "min(time)", f"max({ENDS[source]})"],
        f"{source}_points",
        ["id > :after", "id <= :last"],
        {"after": after, "last": last},
        group_by=["switchboard", f"time / {_TOGETHER_US}"],
    )
    return [Touched(switchboard, start_us, round(end_us)) for switchboard, start_us, end_us in rows]


def first_calls(reader: JournalReader, after: int, last: int) -> list[tuple[str, str, int]]:
    """(switchboard, queue, Unix microseconds) of each queue's earliest call of some row ids."""
    return reader.select(
        ["switchboard", "queue", "min(time)"],
        f"{QUEUE_CALL.name}_points",
        ["id > :after", "id <= :last"],
        {"after": after, "last": last},
        group_by=["switchboard", "queue"],
    ).fetchall()


def due_times(reader: JournalReader, switchboard: str, limit: int) -> list[int]:
    """Moments in the earliest half hours that are due, in order."""
    rows = reader.select(
        ["time"],
        "rollup_due",
        ["switchboard = :switchboard"],
        {"switchboard": switchboard},
        order_by="time",
        limit=limit,
    )
    return [time for (time,) in rows]


def last_moment_us(reader: JournalReader, switchboard: str) -> int | None:
    """The last moment that there may be a half hour of: of the last call, or up to when it was watched."""
    reach = reader.reach(switchboard)
    known = (None if reach is None else reach[1], reader.open_items(switchboard).known_us)
    return max((time_us for time_us in known if time_us is not None), default=None)


def due_count(reader: JournalReader, switchboards: Iterable[str]) -> int:
    """How many half hours of these switchboards are due."""
    [count] = reader.select(
        ["count(*)"],
        "rollup_due",
        ["switchboard IN (SELECT value FROM json_each(:switchboards))"],
        {"switchboards": json.dumps([*switchboards])},
    ).fetchone()
    return int(count)


# --- inside a transaction ---------------------------------------------------------------------------


class Overtaken(Exception):
    """Somebody else's roll-up has written meanwhile: what was worked out may be out of date."""


def claim(db: sqlite3.Connection, writes: int) -> None:
    """Count one more write.

    Raises:
        Overtaken: there were others since `Bookmarks.writes` was read.
    """
    row = db.execute("SELECT value FROM rollup_bookmark WHERE name = ?", (WRITES,)).fetchone()
    if (row[0] if row else 0) != writes:
        raise Overtaken
    set_bookmarks(db, {WRITES: writes + 1})


def set_bookmarks(db: sqlite3.Connection, values: Mapping[str, int]) -> None:
    """Set bookmarks, or make them."""
    db.executemany(
        "INSERT INTO rollup_bookmark VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        values.items(),
    )


def add_due(db: sqlite3.Connection, switchboard: str, times_us: Iterable[int]) -> None:
    """These half hours are to be made."""
    db.executemany(
        "INSERT INTO rollup_due VALUES (?, ?) ON CONFLICT DO NOTHING",
        ((switchboard, time_us) for time_us in times_us),
    )


def remove_due(db: sqlite3.Connection, switchboard: str, start_us: int, end_us: int) -> None:
    """The half hours from there to there are made."""
    db.execute(
        "DELETE FROM rollup_due WHERE switchboard = ? AND time >= ? AND time < ?",
        (switchboard, start_us, end_us),
    )
