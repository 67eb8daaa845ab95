"""The journal's tables. Those of the points are made from the catalogue.

For each measurement M there are ``M_series`` (one row a set of tag values, as InfluxDB has it) and ``M``
(one row a point: series, time in Unix microseconds, the fields); the view ``M_points`` joins the two.
"""

# ruff: noqa: S608  # every name in these statements is the catalogue's

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from asterpanel_exporter.points.catalogue import CATALOGUE, FieldType, Measurement

VERSION: Final = 1
"""``PRAGMA user_version`` of a journal that this code can read."""

APPLICATION_ID: Final = 0x41535450
"""``PRAGMA application_id``: tells a journal from any other SQLite file ("ASTP")."""

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


def statements() -> Iterator[str]:
    """What makes an empty database a journal."""
    for measurement in CATALOGUE:
        yield from _measurement_tables(measurement)
    yield from (part for part in _OTHER_TABLES.split(";") if part.strip())
    yield f"PRAGMA application_id = {APPLICATION_ID}"
    yield f"PRAGMA user_version = {VERSION}"


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
        identity: ``SELECT`` of the identity of the point at (series, time).
        find_series: ``SELECT`` of the ``series`` of a set of tag values.
        add_series: ``INSERT`` of a set of tag values.
        page: ``SELECT`` of (id, time, tags…, fields…) of the next points after (time, id), before a time; the
            mark ``{switchboards}`` is for as many ``?`` as there are of them.
        stats: ``SELECT`` of (count, oldest time, newest time).
        nth: ``SELECT`` of the time of the point that so many others are older than.
        delete_before: ``DELETE`` of the oldest points before a time, up to a number.
        delete_series: ``DELETE`` of the series without a point.
    """

    measurement: Measurement
    insert: str
    columns: int
    identity: str
    find_series: str
    add_series: str
    page: str
    stats: str
    nth: str
    delete_before: str
    delete_series: str

    @classmethod
    def of(cls, measurement: Measurement) -> Self:
        """Worked out from the catalogue."""
        name = measurement.name
        tags = _quoted([tag.name for tag in measurement.tags])
        fields = _quoted([field.name for field in measurement.fields])
        marks = ", ".join("?" for _ in tags)
        return cls(
            measurement,
            insert=f"INSERT INTO {name} (series, time, {', '.join(fields)})",
            columns=2 + len(fields),
            identity=f"SELECT {', '.join(_quoted(measurement.identity))} FROM {name} "
            "WHERE series = ? AND time = ?",
            find_series=f"SELECT series FROM {name}_series "
            f"WHERE {' AND '.join(f'{tag} = ?' for tag in tags)}",
            add_series=f"INSERT INTO {name}_series ({', '.join(tags)}) VALUES ({marks})",
            page=f"SELECT id, time, {', '.join((*tags, *fields))} FROM {name}_points "
            "WHERE (time, id) > (?, ?) AND time < ? AND switchboard IN ({switchboards}) "
            "ORDER BY time, id LIMIT ?",
            stats=f"SELECT count(*), min(time), max(time) FROM {name}",
            nth=f"SELECT time FROM {name} ORDER BY time LIMIT 1 OFFSET ?",
            delete_before=f"DELETE FROM {name} WHERE id IN "
            f"(SELECT id FROM {name} WHERE time < ? ORDER BY time LIMIT ?)",
            delete_series=f"DELETE FROM {name}_series WHERE NOT EXISTS "
            f"(SELECT 1 FROM {name} WHERE {name}.series = {name}_series.series)",
        )


TABLES: Final[Mapping[str, TableSql]] = {m.name: TableSql.of(m) for m in CATALOGUE}
"""By measurement."""
