"""Keeping the journal from growing without end: by age, and by size.

A point is as old as what it tells of has ended: a membership of months is there for as long afterwards as a
call of a minute.

What InfluxDB has not acknowledged is a copy of its own, in the outbox: points that are too old leave their
tables, and their undelivered lines stay. Only where the journal is too large, and no point and no dead letter
is left to delete, the oldest undelivered lines go: that is counted and logged.

Deleted rows leave free pages in the file. New rows use those first; what is free beyond `SLACK` is given back
to the file system with ``PRAGMA incremental_vacuum``, which moves pages from the end of the file into the
gaps: it can be done in small steps, where a ``VACUUM`` would write the whole file anew and stop all writing.
(It needs ``auto_vacuum = INCREMENTAL`` from the file's first page on.)

All of it is done in steps of a few milliseconds, each a transaction of its own, so that whoever writes waits
for one step at most.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.journal.schema import DELETED_BEFORE, TABLES, WRITES, TableSql

_log = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 1000
PAGES_AT_ONCE: Final = 1000
SLACK: Final = 0.1
SLACK_PAGES: Final = 100
"""Part of the file that may be free, and how much in any case: the outbox comes and goes."""

LOW_WATER: Final = 0.95
"""Once the journal is too large, it is brought down to this part of its limit."""

US_PER_S: Final = 1_000_000

_DELETE_DEAD_LETTERS: Final = (
    "DELETE FROM dead_letter WHERE id IN "
    "(SELECT id FROM dead_letter WHERE refused_at < ? ORDER BY id LIMIT ?)"
)
_BOOKMARK_HORIZON: Final = (
    "INSERT INTO rollup_bookmark VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)"
)
_COUNT_WRITE: Final = "INSERT INTO rollup_bookmark VALUES (?, 1) ON CONFLICT DO UPDATE SET value = value + 1"
_NTH_DEAD_LETTER: Final = "SELECT refused_at FROM dead_letter ORDER BY id LIMIT 1 OFFSET ?"


class Retention:
    """What is too old or too much in one journal.

    Args:
        journal: where.
        max_age_s: points and dead letters older than that go; None: never.
        max_bytes: of the file, without the write-ahead log beside it; None: no limit.

    Attributes:
        undelivered_dropped: lines that were never delivered and went because of the size, by tenant.
    """

    def __init__(self, journal: Journal, max_age_s: float | None, max_bytes: int | None) -> None:
        self._journal = journal
        self._max_age_s = max_age_s
        self._max_bytes = max_bytes
        self.undelivered_dropped: Counter[str] = Counter()

    def steps(self, now: float) -> Iterator[None]:
        """All that is to be done now; each step is small.

        Args:
            now: Unix time.
        """
        deleted = False
        for _ in self._delete(now):
            deleted = True
            yield
        if deleted:
            self._journal.delete_unused_series()
            yield
        yield from self._give_back()

    def used_bytes(self) -> int:
        """What is in use of the file."""
        return (self._pragma("page_count") - self._pragma("freelist_count")) * self._pragma("page_size")

    def file_bytes(self) -> int:
        """The file, without the write-ahead log."""
        return self._pragma("page_count") * self._pragma("page_size")

    def _pragma(self, name: str) -> int:
        return int(self._journal.rows(f"PRAGMA {name}")[0][0])

    def _delete(self, now: float) -> Iterator[None]:
        if self._max_age_s is not None:
            yield from self._delete_before(int((now - self._max_age_s) * US_PER_S))
        if self._max_bytes is not None and self.used_bytes() > self._max_bytes:
            yield from self._delete_down_to(self._max_bytes)

    def _delete_before(self, time_us: int) -> Iterator[None]:
        for sql in TABLES.values():
            while self._delete_points(sql, time_us):
                yield
        while self._changed(_DELETE_DEAD_LETTERS, (time_us / US_PER_S, ROWS_AT_ONCE)):
            yield

    def _delete_points(self, sql: TableSql, time_us: int) -> int:
        """Some of one measurement; the roll-up is told what it cannot make again."""
        with self._journal.transaction() as db:
            newest = db.execute(sql.newest).fetchone()
            deleted = db.execute(sql.delete_before, (time_us, ROWS_AT_ONCE)).rowcount
            if deleted and sql.measurement.identity:
                db.execute(_BOOKMARK_HORIZON, (DELETED_BEFORE, time_us))
                if db.execute(sql.newest).fetchone() != newest:
                    # Its row id is given again: a roll-up that has just looked at it must look anew.
                    db.execute(sql.lower_bookmark)
                    db.execute(_COUNT_WRITE, (WRITES,))
            return deleted

    def _changed(self, sql: str, parameters: Sequence[float]) -> int:
        with self._journal.transaction() as db:
            return db.execute(sql, parameters).rowcount

    # --- by size ------------------------------------------------------------------------------------

    def _delete_down_to(self, max_bytes: int) -> Iterator[None]:
        dropped: Counter[str] = Counter()
        while self.used_bytes() > max_bytes * LOW_WATER:
            before_us = self._end_of_the_oldest()
            if before_us is not None:
                yield from self._delete_before(before_us)
            elif lines := self._drop_undelivered():
                dropped += lines
                yield
            else:
                break
        self._tell(dropped, max_bytes)

    def _end_of_the_oldest(self) -> int | None:
        """A time before which there are some points or dead letters, not too many; None: there are none."""
        for rows in (ROWS_AT_ONCE, ROWS_AT_ONCE // 10, 0):
            times = [self._first(sql.nth, rows) for sql in TABLES.values()]
            letter = self._first(_NTH_DEAD_LETTER, rows)
            times.append(None if letter is None else letter * US_PER_S)
            if known := [time for time in times if time is not None]:
                return int(min(known)) + 1
        return None

    def _first(self, sql: str, offset: int) -> float | None:
        rows = self._journal.rows(sql, (offset,))
        return rows[0][0] if rows else None

    def _drop_undelivered(self) -> Counter[str]:
        with self._journal.transaction() as db:
            rows = db.execute("SELECT id, tenant FROM outbox ORDER BY id LIMIT ?", (ROWS_AT_ONCE,)).fetchall()
            if rows:
                db.execute("DELETE FROM outbox WHERE id <= ?", (rows[-1][0],))
        lines = Counter(tenant for _, tenant in rows)
        self.undelivered_dropped += lines
        return lines

    def _tell(self, dropped: Counter[str], max_bytes: int) -> None:
        for tenant, lines in dropped.items():
            _log.error(
                "the journal %s is larger than journal.max_size (%d bytes): %d points of tenant %s that "
                "InfluxDB never took are deleted; let InfluxDB be reached, or raise max_size",
                self._journal.path, max_bytes, lines, tenant,
            )  # fmt: skip
        if (used := self.used_bytes()) > max_bytes:
            _log.warning(
                "the journal %s needs %d bytes for what has begun and not ended, more than journal.max_size "
                "(%d bytes): raise it",
                self._journal.path, used, max_bytes,
            )  # fmt: skip

    # --- giving back --------------------------------------------------------------------------------

    def _give_back(self) -> Iterator[None]:
        while (free := self._pragma("freelist_count")) > self._slack_pages():
            self._journal.rows(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")
            if self._pragma("freelist_count") >= free:
                return  # made by something that did not set auto_vacuum
            yield

    def _slack_pages(self) -> float:
        return max(SLACK_PAGES, SLACK * self._pragma("page_count"))
