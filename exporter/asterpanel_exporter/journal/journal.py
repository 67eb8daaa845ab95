"""Reading and writing the journal. All of it blocks: `asterpanel_exporter.journal.writer` has the thread."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from asterpanel_exporter.journal.opening import BUSY_TIMEOUT_S, JournalError, connect
from asterpanel_exporter.journal.schema import TABLES
from asterpanel_exporter.journal.tables import PointTables, insert_rows
from asterpanel_exporter.points.point import Point

__all__ = ["BUSY_TIMEOUT_S", "Batch", "DeadLetter", "Journal", "JournalError", "Pending"]

RESENT_AT_ONCE: Final = 2000
"""Points that are put into the outbox in one transaction: others write in between."""


@dataclass(slots=True)
class Batch:
    """What is written in one transaction: all of it, or nothing.

    Attributes:
        points: with the tenant whose InfluxDB bucket gets them; None: nobody's, they stay in the journal.
        open_items: by (switchboard, kind, key), as JSON; None: it has ended.
        totals: values of counters by (switchboard, metric, labels as JSON).
    """

    points: list[tuple[str | None, Point]] = field(default_factory=list)
    open_items: dict[tuple[str, str, str], str | None] = field(default_factory=dict)
    totals: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.points or self.open_items or self.totals)


@dataclass(frozen=True, slots=True)
class Pending:
    """A line that InfluxDB has not acknowledged."""

    id: int
    accepted_at: float
    line: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A line that InfluxDB refused, with its reason."""

    id: int
    tenant: str
    refused_at: float
    reason: str
    line: str


class Journal:
    """One connection to the journal, for any thread, one at a time.

    Any number of processes may read; one exporter writes. (Commands that write, as an import, may run beside
    it: SQLite lets them take turns.) Besides what each method says, all raise `sqlite3.Error` when the disk
    fails, is full, or somebody else has been writing for `BUSY_TIMEOUT_S`; nothing is then changed.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._db = connection
        self._lock = threading.RLock()
        self._tables = PointTables(connection)
        self.path = path

    @classmethod
    def open(cls, path: Path | None, *, create: bool = True, read_only: bool = False) -> Self:
        """Open the journal.

        Args:
            path: ``None``: one in memory, gone at its end.
            create: make it if there is none.
            read_only: only to read, and then it must be there.

        Raises:
            JournalError: there is none, it cannot be made, read or written, or it is no journal, or of
                another version; says what to do.
        """
        return cls(connect(path, create=create, read_only=read_only), path)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what is done inside, or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._tables.forget_series()
                if self._db.in_transaction:  # SQLite itself rolls back when the disk fails or is full
                    self._db.execute("ROLLBACK")
                raise

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The result of a query."""
        with self._lock:
            return self._db.execute(sql, parameters).fetchall()

    def size_bytes(self) -> int:
        """Of the file and its write-ahead log; 0 for one in memory."""
        size = 0
        for file in (self.path, self.path.with_name(f"{self.path.name}-wal")) if self.path else ():
            with suppress(FileNotFoundError):
                size += file.stat().st_size
        return size

    # --- writing ------------------------------------------------------------------------------------

    def write(self, batch: Batch, now: float) -> list[Point]:
        """Write a batch; when this returns, it survives the death of the process.

        Args:
            batch: what to write.
            now: our Unix time, from which the age of undelivered lines counts.

        Returns:
            The points that are new, as they were stored: a taken time stamp has moved on. A point that was
            told before is not among them.
        """
        return self.write_all([batch], now)[0]

    def write_all(self, batches: Sequence[Batch], now: float) -> list[list[Point]]:
        """Write several batches, one after the other, in one transaction; what `write` returns, for each."""
        points = [pair for batch in batches for pair in batch.points]
        open_items = {key: data for batch in batches for key, data in batch.open_items.items()}
        totals = {key: value for batch in batches for key, value in batch.totals.items()}
        with self.transaction() as db:
            stored = self.put(points, now)
            _write_open_items(db, open_items)
            insert_rows(
                db,
                "INSERT INTO metric_total (switchboard, metric, labels, value)",
                [(*key, value) for key, value in totals.items()],
                "ON CONFLICT DO UPDATE SET value = excluded.value",
            )
        each = iter(stored)
        return [[p for _ in batch.points if (p := next(each)) is not None] for batch in batches]

    def put(self, points: Sequence[tuple[str | None, Point]], now: float) -> list[Point | None]:
        """Inside a `transaction`: write points, and their lines for InfluxDB.

        Returns:
            Each as it was stored; None: it was there.
        """
        stored = self._tables.insert([point for _, point in points])
        lines = ((tenant, p) for (tenant, _), p in zip(points, stored, strict=True))
        _insert_outbox(self._db, lines, now)
        return stored

    def withdraw(self, points: Sequence[tuple[str | None, Point]], now: float) -> None:
        """Inside a `transaction`: delete points that should not be there any more.

        In InfluxDB, where writing is all that can be done, numbers of 0 take their place.
        """
        self._tables.delete([point for _, point in points])
        _insert_outbox(self._db, ((tenant, point.zeroed()) for tenant, point in points), now)

    # --- what a restart goes on from ----------------------------------------------------------------

    def open_items(self, switchboard: str) -> dict[tuple[str, str], str]:
        """JSON by (kind, key)."""
        rows = self.rows("SELECT kind, key, data FROM open_item WHERE switchboard = ?", (switchboard,))
        return {(kind, key): data for kind, key, data in rows}

    def totals(self, switchboard: str) -> dict[tuple[str, str], float]:
        """Values by (metric, labels as JSON)."""
        rows = self.rows(
            "SELECT metric, labels, value FROM metric_total WHERE switchboard = ?", (switchboard,)
        )
        return {(metric, labels): value for metric, labels, value in rows}

    # --- delivery -----------------------------------------------------------------------------------

    def pending(self, tenant: str, limit: int, after: int = 0) -> list[Pending]:
        """The oldest lines that are still to be delivered, in the order in which they were accepted."""
        rows = self.rows(
            "SELECT id, accepted_at, line FROM outbox WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?",
            (tenant, after, limit),
        )
        return [Pending(*row) for row in rows]

    def backlog(self) -> Mapping[str, tuple[int, float]]:
        """Number of undelivered lines and time at which the oldest was accepted, by tenant."""
        rows = self.rows(
            "SELECT tenant, lines, accepted_at FROM outbox JOIN "
            "(SELECT min(id) AS id, count(*) AS lines FROM outbox GROUP BY tenant) USING (id)"
        )
        return {tenant: (count, oldest) for tenant, count, oldest in rows}

    def delivered(self, ids: Iterable[int]) -> None:
        """InfluxDB has acknowledged these lines."""
        with self.transaction() as db:
            db.execute(
                "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))", (json.dumps([*ids]),)
            )

    def refused(self, pending: Pending, tenant: str, reason: str, now: float) -> None:
        """InfluxDB will never take this line: it goes to the dead letters."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO dead_letter (tenant, refused_at, reason, line) VALUES (?, ?, ?, ?)",
                (tenant, now, reason, pending.line),
            )
            db.execute("DELETE FROM outbox WHERE id = ?", (pending.id,))

    # --- dead letters -------------------------------------------------------------------------------

    def dead_letters(self, tenant: str | None = None, limit: int = -1) -> list[DeadLetter]:
        """The oldest ones, of one tenant or of all; a negative limit is none."""
        rows = self.rows(
            "SELECT id, tenant, refused_at, reason, line FROM dead_letter "
            "WHERE ? IS NULL OR tenant = ? ORDER BY id LIMIT ?",
            (tenant, tenant, limit),
        )
        return [DeadLetter(*row) for row in rows]

    def requeue(self, ids: Iterable[int] | None, now: float) -> int:
        """Put dead letters (None: all) into the outbox again; says how many there were."""
        with self.transaction() as db:
            chosen = _chosen(ids)
            db.execute(
                "INSERT INTO outbox (tenant, accepted_at, line) SELECT tenant, :now, line FROM dead_letter "
                "WHERE :ids IS NULL OR id IN (SELECT value FROM json_each(:ids)) ORDER BY id",
                {"now": now, "ids": chosen},
            )
            return _delete_dead_letters(db, chosen)

    def discard(self, ids: Iterable[int] | None) -> int:
        """Delete dead letters (None: all) for good; says how many there were."""
        with self.transaction() as db:
            return _delete_dead_letters(db, _chosen(ids))

    # --- sending again ------------------------------------------------------------------------------

    def resend(
        self, since_us: int, until_us: int, tenant: str, switchboards: Sequence[str], now: float
    ) -> int:
        """Put the points of a period into the outbox again, delivered or not: the same lines as at first.

        InfluxDB takes a point that it has for the same point, so nothing doubles.

        Args:
            since_us: Unix microseconds of the first point.
            until_us: up to there, exclusive.
            tenant: whose bucket gets them.
            switchboards: whose points; the journal does not know which are the tenant's.
            now: our Unix time.

        Returns:
            How many points these are.
        """
        sent = 0
        for sql in TABLES.values():
            after = (since_us, 0)
            while True:
                with self.transaction() as db:
                    page = self._tables.page(sql, after, until_us, switchboards, RESENT_AT_ONCE)
                    _insert_outbox(db, ((tenant, point) for _, point in page), now)
                sent += len(page)
                if len(page) < RESENT_AT_ONCE:
                    break
                id_, last = page[-1]
                after = (last.time_us, id_)
        return sent

    # --- for keeping it small -----------------------------------------------------------------------

    def delete_unused_series(self) -> int:
        """Delete the sets of tag values (agents' names among them) that no point has; says how many."""
        with self.transaction():
            return self._tables.delete_unused_series()


def _insert_outbox(
    db: sqlite3.Connection, points: Iterable[tuple[str | None, Point | None]], now: float
) -> None:
    """Put their lines at the end; that of a half hour takes the place of one that was not delivered yet."""
    rows = [
        (tenant, now, point.line, None if point.measurement.identity else point.key)
        for tenant, point in points
        if tenant is not None and point is not None
    ]
    half_hours: dict[str, list[str]] = {}
    for tenant, _, _, key in rows:
        if key is not None:
            half_hours.setdefault(tenant, []).append(key)
    for tenant, keys in half_hours.items():
        db.execute(
            "DELETE FROM outbox WHERE tenant = ? AND half_hour IN (SELECT value FROM json_each(?))",
            (tenant, json.dumps(keys)),
        )
    insert_rows(db, "INSERT INTO outbox (tenant, accepted_at, line, half_hour)", rows)


def _write_open_items(db: sqlite3.Connection, open_items: Mapping[tuple[str, str, str], str | None]) -> None:
    insert_rows(
        db,
        "INSERT INTO open_item (switchboard, kind, key, data)",
        [(*key, data) for key, data in open_items.items() if data is not None],
        "ON CONFLICT DO UPDATE SET data = excluded.data",
    )
    ended = json.dumps([key for key, data in open_items.items() if data is None])
    db.execute(
        "DELETE FROM open_item WHERE (switchboard, kind, key) IN (SELECT json_extract(value, '$[0]'), "
        "json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?))",
        (ended,),
    )


def _chosen(ids: Iterable[int] | None) -> str | None:
    return None if ids is None else json.dumps([*ids])


def _delete_dead_letters(db: sqlite3.Connection, chosen: str | None) -> int:
    return db.execute(
        "DELETE FROM dead_letter WHERE :ids IS NULL OR id IN (SELECT value FROM json_each(:ids))",
        {"ids": chosen},
    ).rowcount
