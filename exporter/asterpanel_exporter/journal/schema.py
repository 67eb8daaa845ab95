"""The journal's tables. Those of the points are made from the catalogue.

For each measurement M there are ``M_series`` (one row a set of tag values, as InfluxDB has it) and ``M``
(one row a point: series, time in Unix microseconds, the fields); the view ``M_points`` joins the two.
"""

# ruff: noqa: S608  # every name in these statements is the catalogue's

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from asterpanel_exporter.points.catalogue import (
    AGENT_ATTEMPT,
    AGENT_PAUSE,
    AGENT_SESSION,
    CATALOGUE,
    QUEUE_CALL,
    SWITCHBOARD_GAP,
    FieldType,
    Measurement,
)

VERSION: Final = 2
"""``PRAGMA user_version`` of a journal that this code writes. Version 1 had no roll-up; `upgrade` adds it."""

APPLICATION_ID: Final = 0x41535450
"""``PRAGMA application_id``: tells a journal from any other SQLite file ("ASTP")."""

DELETED_BEFORE: Final = "deleted_before"
"""The roll-up's bookmark of the time, in Unix microseconds, before which points may have been deleted."""

WRITES: Final = "writes"
"""The roll-up's bookmark that counts the changes after which what was worked out before is out of date."""

ENDS: Final[Mapping[str, str]] = {
    QUEUE_CALL.name: "time + (wait_s + talk_s) * 1000000",
    AGENT_ATTEMPT.name: "time + ring_s * 1000000",
    AGENT_PAUSE.name: "time + duration_s * 1000000",
    AGENT_SESSION.name: "time + duration_s * 1000000",
    SWITCHBOARD_GAP.name: "time + duration_s * 1000000",
}
"""By measurement, in SQL: when what a point tells of ended, in Unix microseconds. All others are moments."""

_TYPES: Final = {FieldType.FLOAT: "REAL", FieldType.INTEGER: "INTEGER", FieldType.STRING: "TEXT"}

_OTHER_TABLES: Final = """
-- Lines that InfluxDB has not acknowledged yet, in the order in which they were accepted.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    line TEXT NOT NULL
);
CREATE INDEX outbox_tenant ON outbox (tenant, id);
-- Lines that InfluxDB refused.
CREATE TABLE dead_letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    refused_at REAL NOT NULL,
    reason TEXT NOT NULL,
    line TEXT NOT NULL
);
-- What has begun and not ended: calls, pauses, memberships, counters of queues. A restart goes on from it.
CREATE TABLE open_item (
    switchboard TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (switchboard, kind, key)
) WITHOUT ROWID;
-- Values of counters and histogram buckets, so that they do not fall back at a restart.
CREATE TABLE metric_total (
    switchboard TEXT NOT NULL,
    metric TEXT NOT NULL,
    labels TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (switchboard, metric, labels)
) WITHOUT ROWID;
-- Counts the times that series were deleted: whoever remembers their numbers has to forget them then.
CREATE TABLE series_deleted (times INTEGER NOT NULL);
INSERT INTO series_deleted VALUES (0);
"""

_ROLLUP_TABLES: Final = """
-- How far the roll-up has come: by measurement, the id of the newest point that it has seen, and what
-- else it keeps (`asterpanel_exporter.rollup.progress`).
CREATE TABLE rollup_bookmark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
-- Half hours that the roll-up has to make (anew), by a moment in each, in Unix microseconds.
CREATE TABLE rollup_due (
    switchboard TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (switchboard, time)
) WITHOUT ROWID;
-- Which point the line of a half hour tells of: it goes when a newer one is there, so that the outbox does
-- not fill with them while InfluxDB is away.
ALTER TABLE outbox ADD COLUMN half_hour TEXT;
CREATE INDEX outbox_half_hour ON outbox (tenant, half_hour) WHERE half_hour IS NOT NULL;
"""


def statements() -> Iterator[str]:
    """What makes an empty database a journal."""
    for measurement in CATALOGUE:
        yield from _measurement_tables(measurement)
    yield from _split(_OTHER_TABLES)
    yield from _split(_ROLLUP_TABLES)
    yield f"PRAGMA application_id = {APPLICATION_ID}"
    yield f"PRAGMA user_version = {VERSION}"


def upgrade(tables: Collection[str]) -> Iterator[str]:
    """What makes a journal of an earlier version, which has these tables, one of this version."""
    for measurement in CATALOGUE:
        if measurement.name not in tables:
            yield from _measurement_tables(measurement)
    yield from _split(_ROLLUP_TABLES)
    yield f"PRAGMA user_version = {VERSION}"


def _split(statements: str) -> Iterator[str]:
    return (part for part in statements.split(";") if part.strip())


def _measurement_tables(measurement: Measurement) -> Iterator[str]:
    name = measurement.name
    tags = _quoted([tag.name for tag in measurement.tags])
    fields = _quoted([field.name for field in measurement.fields])
    tag_columns = ", ".join(f"{tag} TEXT NOT NULL" for tag in tags)
    field_columns = ", ".join(
        f"{column} {_TYPES[field.type]} NOT NULL"
        for column, field in zip(fields, measurement.fields, strict=True)
    )
    yield (
        f"CREATE TABLE {name}_series (series INTEGER PRIMARY KEY, {tag_columns}, UNIQUE ({', '.join(tags)}))"
    )
    yield (
        f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, "
        f"series INTEGER NOT NULL REFERENCES {name}_series, time INTEGER NOT NULL, {field_columns}, "
        "UNIQUE (series, time))"
    )
    yield f"CREATE INDEX {name}_time ON {name} (time)"
    yield (
        f"CREATE VIEW {name}_points AS SELECT id, time, {', '.join((*tags, *fields))} "
        f"FROM {name} JOIN {name}_series USING (series)"
    )


def _quoted(names: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def inserting(into: str, columns: int, rows: int, conflict: str = "") -> str:
    """``INSERT`` of some rows of some columns in one statement."""
    row = f"({', '.join(['?'] * columns)})"
    return f"{into} VALUES {', '.join([row] * rows)} {conflict}"


@dataclass(frozen=True, slots=True)
class TableSql:
    """The statements about the points of one measurement.

    Attributes:
        insert: beginning of an ``INSERT`` of (series, time, fields…).
        columns: how many those are.
        conflict: what follows the rows of an ``INSERT`` where a later point replaces an earlier one: it then
            answers with (series, time) of those that are new or different. "" for all others.
        identity: ``SELECT`` of the identity of the point at (series, time).
        find_series: ``SELECT`` of the ``series`` of a set of tag values.
        add_series: ``INSERT`` of a set of tag values.
        page: ``SELECT`` of (id, time, tags…, fields…) of the next points after (time, id), before a time; the
            mark ``{switchboards}`` is for as many ``?`` as there are of them.
        stats: ``SELECT`` of (count, oldest time, newest time).
        newest: ``SELECT`` of the highest row id.
        nth: ``SELECT`` of the end of the point that so many others began before.
        delete: ``DELETE`` of the point at (series, time).
        delete_before: ``DELETE`` of the oldest points that had ended before a time, up to a number.
        lower_bookmark: after that: no bookmark of the roll-up may be above the highest row id, as those of
            deleted points are given again.
        delete_series: ``DELETE`` of the series without a point.
    """

    measurement: Measurement
    insert: str
    columns: int
    conflict: str
    identity: str
    find_series: str
    add_series: str
    page: str
    stats: str
    newest: str
    nth: str
    delete: str
    delete_before: str
    lower_bookmark: str
    delete_series: str

    @classmethod
    def of(cls, measurement: Measurement) -> Self:
        """Worked out from the catalogue."""
        name = measurement.name
        tags = _quoted([tag.name for tag in measurement.tags])
        fields = _quoted([field.name for field in measurement.fields])
        marks = ", ".join("?" for _ in tags)
        end = ENDS.get(name, "time")
        return cls(
            measurement,
            insert=f"INSERT INTO {name} (series, time, {', '.join(fields)})",
            columns=2 + len(fields),
            conflict="" if measurement.identity else _replacing(fields),
            identity=f"SELECT {', '.join(_quoted(measurement.identity))} FROM {name} "
            "WHERE series = ? AND time = ?",
            find_series=f"SELECT series FROM {name}_series "
            f"WHERE {' AND '.join(f'{tag} = ?' for tag in tags)}",
            add_series=f"INSERT INTO {name}_series ({', '.join(tags)}) VALUES ({marks})",
            page=f"SELECT id, time, {', '.join((*tags, *fields))} FROM {name}_points "
            "WHERE (time, id) > (?, ?) AND time < ? AND switchboard IN ({switchboards}) "
            "ORDER BY time, id LIMIT ?",
            stats=f"SELECT count(*), min(time), max(time) FROM {name}",
            newest=f"SELECT max(id) FROM {name}",
            nth=f"SELECT {end} FROM {name} ORDER BY time LIMIT 1 OFFSET ?",
            delete=f"DELETE FROM {name} WHERE series = ? AND time = ?",
            delete_before=f"DELETE FROM {name} WHERE id IN "
            f"(SELECT id FROM {name} WHERE time < ?1 AND {end} < ?1 ORDER BY time LIMIT ?2)",
            lower_bookmark="UPDATE rollup_bookmark "
            f"SET value = min(value, (SELECT coalesce(max(id), 0) FROM {name})) WHERE name = '{name}'",
            delete_series=f"DELETE FROM {name}_series WHERE NOT EXISTS "
            f"(SELECT 1 FROM {name} WHERE {name}.series = {name}_series.series)",
        )


def _replacing(fields: Sequence[str]) -> str:
    new = ", ".join(f"{field} = excluded.{field}" for field in fields)
    now, then = ", ".join(fields), ", ".join(f"excluded.{field}" for field in fields)
    return f"ON CONFLICT DO UPDATE SET {new} WHERE ({now}) IS NOT ({then}) RETURNING series, time"


TABLES: Final[Mapping[str, TableSql]] = {m.name: TableSql.of(m) for m in CATALOGUE}
"""By measurement."""
