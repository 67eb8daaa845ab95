"""Journals with a roll-up, and what it has made in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.points.catalogue import AGENT_DUTY, AGENT_INTERVAL, QUEUE_INTERVAL, QUEUE_LOCAL_HOUR
from asterpanel_exporter.points.point import Point
from asterpanel_exporter.rollup.rollup import Progress, RollUp, roll_up
from asterpanel_switchboard.config import Config, load_config
from tests.unit.report_journal import ReportFolder, at

MADE = (QUEUE_INTERVAL, QUEUE_LOCAL_HOUR, AGENT_INTERVAL, AGENT_DUTY)

Row = dict[str, Any]


class RollUpFolder(ReportFolder):
    """A configuration and its journal, as in `ReportFolder`, with a roll-up."""

    def load(self) -> Config:
        """The configuration."""
        return load_config(self.config)

    def roll_up(self) -> Progress:
        """Make all that is due."""
        return roll_up(self.load())

    def redo(self, switchboard: str = "milano") -> Progress:
        """Make all anew, due or not."""
        with Journal.open(self.journal) as journal:
            work = RollUp(journal, self.load())
            work.redo(switchboard, 0)
            for _ in work.steps():
                pass
        return work.progress

    def made(self, measurement: str, **wanted: Any) -> list[Row]:
        """The half hours of a measurement, by time and tags; those whose tags are as wanted."""
        with Journal.open(self.journal, read_only=True) as journal:
            names = [row[1] for row in journal.rows(f"PRAGMA table_info({measurement}_points)")]
            rows = journal.rows(f"SELECT * FROM {measurement}_points")  # noqa: S608
        found = [dict(zip(names, row, strict=True)) for row in rows]
        found = [row for row in found if all(row[name] == value for name, value in wanted.items())]
        return sorted(
            found, key=lambda row: (row["time"], row["switchboard"], row.get("queue"), row.get("agent"))
        )

    def half_hour(self, measurement: str, start: str, **wanted: Any) -> Row:
        """One of them, by its local time in Rome."""
        [row] = [row for row in self.made(measurement, **wanted) if row["time"] == round(at(start) * 1e6)]
        return row

    def lines(self) -> list[str]:
        """All half hours as line protocol, sorted."""
        lines = []
        with Journal.open(self.journal, read_only=True) as journal:
            for kind in MADE:
                names = ", ".join(
                    [f'"{tag.name}"' for tag in kind.tags] + [f'"{f.name}"' for f in kind.fields]
                )
                for time, *values in journal.rows(f"SELECT time, {names} FROM {kind.name}_points"):  # noqa: S608
                    tags, fields = values[: len(kind.tags)], values[len(kind.tags) :]
                    lines.append(Point(kind, time, tuple(tags), tuple(fields)).line)
        return sorted(lines)


def folder_with(path: Path, **settings: Any) -> RollUpFolder:
    """In a folder that is made if there is none. ``settings``: sections of the configuration."""
    path.mkdir(parents=True, exist_ok=True)
    zones = settings.pop("zones", None)
    return RollUpFolder(path, zones, **settings)
