"""What a journal holds, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.journal.schema import TABLES

US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """How many there are, and the Unix times of the oldest and the newest; None if there are none."""

    count: int
    first: float | None
    last: float | None


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """All figures of a journal.

    Attributes:
        size_bytes: of the file and its write-ahead log.
        points: by measurement, with the points' own times.
        pending: undelivered lines by tenant, with the times at which they were accepted.
        dead_letters: refused lines by tenant, with the times at which they were refused.
        open_items: things that have begun and not ended.
    """

    path: Path | None
    size_bytes: int
    points: Mapping[str, Span]
    pending: Mapping[str, Span]
    dead_letters: Mapping[str, Span]
    open_items: int


def status_of(journal: Journal) -> JournalStatus:
    """Counts everything: for a large journal that takes some seconds."""
    # An older version's journal that no exporter has opened yet lacks some.
    there = {name for [name] in journal.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return JournalStatus(
        path=journal.path,
        size_bytes=journal.size_bytes(),
        points={name: _points(journal, sql.stats) for name, sql in TABLES.items() if name in there},
        pending=_by_tenant(
            journal, "SELECT tenant, count(*), min(accepted_at), max(accepted_at) FROM outbox GROUP BY tenant"
        ),
        dead_letters=_by_tenant(
            journal,
            "SELECT tenant, count(*), min(refused_at), max(refused_at) FROM dead_letter GROUP BY tenant",
        ),
        open_items=journal.rows("SELECT count(*) FROM open_item")[0][0],
    )


def _points(journal: Journal, sql: str) -> Span:
    [[count, first, last]] = journal.rows(sql)
    return Span(count, None if first is None else first / US_PER_S, None if last is None else last / US_PER_S)


def _by_tenant(journal: Journal, sql: str) -> dict[str, Span]:
    return {tenant: Span(count, first, last) for tenant, count, first, last in journal.rows(sql)}
