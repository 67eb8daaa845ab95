"""The points in their tables: written in bulk, read back as they were.

Rows go to SQLite many in one statement. `sqlite3` lets other threads run at every step of a statement, and
with ``executemany`` each row is one: beside a busy event loop it would wait for the interpreter at each row,
for up to ``sys.getswitchinterval()``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final, cast

from asterpanel_exporter.journal.schema import TABLES, TableSql, inserting
from asterpanel_exporter.points.point import Point

Row = Sequence[float | int | str | None]

STATEMENT_ROWS: Final = (512, 256, 128, 64, 32, 16, 8, 4, 2, 1)
"""How many rows one statement takes: few sizes, so that its prepared form is at hand."""

_inserting: Final = lru_cache(maxsize=256)(inserting)


def chunks(count: int) -> Iterator[slice]:
    """A number of rows, cut for statements."""
    start = 0
    for size in STATEMENT_ROWS:
        while count - start >= size:
            yield slice(start, start + size)
            start += size


def insert_rows(db: sqlite3.Connection, into: str, rows: Sequence[Row], conflict: str = "") -> None:
    """``INSERT`` of rows of one width.

    Args:
        into: the statement up to ``VALUES``.
        conflict: what follows the values.
    """
    for part in chunks(len(rows)):
        some = rows[part]
        sql = _inserting(into, len(some[0]), len(some), conflict)
        db.execute(sql, list(chain.from_iterable(some)))


class PointTables:
    """The tables of all measurements, on one connection. Its methods are for inside a transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._series: dict[str, dict[tuple[str, ...], int]] = {name: {} for name in TABLES}
        self._series_deleted = 0

    def forget_series(self) -> None:
        """Series made in a transaction that was rolled back exist no more."""
        for known in self._series.values():
            known.clear()

    def insert(self, points: Sequence[Point]) -> list[Point | None]:
        """Write points.

        Returns:
            For each, as it was stored: a taken time stamp has moved on, or, where the measurement has no
            identity, what was there is replaced. None: it was there.
        """
        self._look_for_deleted_series()
        stored: list[Point | None] = list(points)
        places: dict[str, list[int]] = {}
        for place, point in enumerate(points):
            places.setdefault(point.measurement.name, []).append(place)
        for name, of_measurement in places.items():
            for part in chunks(len(of_measurement)):
                some = [(i, points[i]) for i in of_measurement[part]]
                insert = self._replace if TABLES[name].conflict else self._insert_new
                for place, other in insert(TABLES[name], some):
                    stored[place] = other
        return stored

    def _replace(
        self, sql: TableSql, points: Sequence[tuple[int, Point]]
    ) -> Iterable[tuple[int, Point | None]]:
        """Where a later point replaces an earlier one.

        Returns:
            Those that are there already, with the same fields; of two of one series and time, the first.
        """
        rows = [(self._series_of(sql, point), point.time_us, *point.fields) for _, point in points]
        places = {(row[0], row[1]): place for row, (place, _) in zip(rows, points, strict=True)}
        statement = _inserting(sql.insert, sql.columns, len(rows), sql.conflict)
        changed = self._db.execute(statement, list(chain.from_iterable(rows))).fetchall()
        new = {places[key] for key in changed}
        return [(place, None) for place, _ in points if place not in new]

    def _insert_new(
        self, sql: TableSql, points: Sequence[tuple[int, Point]]
    ) -> Iterable[tuple[int, Point | None]]:
        """In one go, where all are new, as they almost always are; else one by one.

        Returns:
            What became of those that were not all new.
        """
        rows = [(self._series_of(sql, point), point.time_us, *point.fields) for _, point in points]
        try:
            # An error of a constraint undoes what the statement did, and nothing more.
            self._db.execute(_inserting(sql.insert, sql.columns, len(rows)), list(chain.from_iterable(rows)))
        except sqlite3.IntegrityError:
            return [(place, self._insert_one(sql, point)) for place, point in points]
        return ()

    def _insert_one(self, sql: TableSql, point: Point) -> Point | None:
        series = self._series_of(sql, point)
        names = [field.name for field in sql.measurement.fields]
        identity = tuple(point.fields[names.index(name)] for name in sql.measurement.identity)
        while True:
            taken_by = self._db.execute(sql.identity, (series, point.time_us)).fetchone()
            if taken_by is None:
                row = (series, point.time_us, *point.fields)
                self._db.execute(_inserting(sql.insert, sql.columns, 1), row)
                return point
            if taken_by == identity:
                return None
            point = point.later()

    def delete(self, points: Iterable[Point]) -> None:
        """Delete points, by their series and times."""
        self._look_for_deleted_series()
        for point in points:
            sql = TABLES[point.measurement.name]
            self._db.execute(sql.delete, (self._series_of(sql, point), point.time_us))

    def _series_of(self, sql: TableSql, point: Point) -> int:
        known = self._series[point.measurement.name]
        series = known.get(point.tags)
        if series is None:
            found = self._db.execute(sql.find_series, point.tags).fetchone()
            series = int(found[0]) if found else self._add_series(sql, point.tags)
            known[point.tags] = series
        return series

    def _add_series(self, sql: TableSql, tags: tuple[str, ...]) -> int:
        return cast(int, self._db.execute(sql.add_series, tags).lastrowid)

    def _look_for_deleted_series(self) -> None:
        [times] = self._db.execute("SELECT times FROM series_deleted").fetchone()
        if times != self._series_deleted:
            self.forget_series()
            self._series_deleted = times

    def delete_unused_series(self) -> int:
        """Delete the series without a point, and have everybody forget their numbers."""
        deleted = sum(self._db.execute(sql.delete_series).rowcount for sql in TABLES.values())
        if deleted:
            self._db.execute("UPDATE series_deleted SET times = times + 1")
        return deleted

    def page(
        self, sql: TableSql, after: tuple[int, int], until_us: int, switchboards: Sequence[str], limit: int
    ) -> list[tuple[int, Point]]:
        """The next points of one measurement with their ids, by (time, id) after the given one."""
        query = sql.page.replace("{switchboards}", ", ".join("?" for _ in switchboards))
        rows = self._db.execute(query, (*after, until_us, *switchboards, limit)).fetchall()
        fields_at = 2 + len(sql.measurement.tags)
        return [(row[0], Point(sql.measurement, row[1], row[2:fields_at], row[fields_at:])) for row in rows]
