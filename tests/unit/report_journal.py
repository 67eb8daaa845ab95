"""Journals made by hand, and the reports on them as a user gets them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from click.testing import CliRunner, Result

from asterpanel_exporter.history.records import EndedBy, Outcome, QueueCall, Record
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.points.point import point_of
from asterpanel_exporter.report.commands import report

ROME = ZoneInfo("Europe/Rome")
SETTINGS: dict[str, Any] = {"queue_settings": [{"queues": ["sales*"], "wrapup_time": 10}]}


def at(text: str, zone: ZoneInfo = ROME) -> float:
    """Unix time of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def call(queue: str, joined: str, outcome: Outcome, **more: Any) -> QueueCall:
    """A call of milano: T = 20 s, short abandons below 5 s; an answered one by 1001."""
    if outcome is Outcome.ANSWERED:
        more = {"agent": "1001", "agent_name": "Anna", "ended_by": EndedBy.CALLER} | more
    usual: dict[str, Any] = {
        "switchboard": "milano",
        "joined_at": at(joined),
        "uniqueid": joined,
        "sl_threshold_s": 20.0,
        "short_abandon_s": 5.0,
    }
    return QueueCall(queue=queue, outcome=outcome, **usual | more)


class ReportFolder:
    """A configuration and its journal.

    Args:
        folder: for both.
        zones: time zone of each switchboard.
        settings: other sections of the configuration.
    """

    def __init__(self, folder: Path, zones: dict[str, str] | None = None, **settings: Any) -> None:
        self.config = folder / "asterpanel.yml"
        self.journal = folder / "journal.db"
        (folder / "secret").write_text("hunter2", encoding="ascii")
        boards = {
            name: {"host": "127.0.0.1", "username": "asterpanel", "secret_file": "secret", "time_zone": zone}
            for name, zone in (zones or {"milano": "Europe/Rome"}).items()
        }
        sections = {"journal": {"path": "journal.db"}, "switchboards": boards, **(settings or SETTINGS)}
        self.config.write_text(yaml.safe_dump(sections, sort_keys=False), encoding="utf-8")

    def write(
        self, records: Iterable[Record] = (), open_items: dict[tuple[str, str], dict[str, Any]] | None = None
    ) -> None:
        """Into the journal, made if there is none. ``open_items``: of milano, by (kind, key)."""
        items = {("milano", *key): json.dumps(item) for key, item in (open_items or {}).items()}
        with Journal.open(self.journal) as journal:
            journal.write(Batch([(None, point_of(record)) for record in records], dict(items)), now=0.0)

    def run(self, *arguments: str, width: int = 200) -> Result:
        """The command, as `asterpanel-exporter report` runs it."""
        return CliRunner(env={"COLUMNS": str(width)}).invoke(report, arguments, obj=self.config)

    def table(self, *arguments: str, width: int = 200) -> str:
        """What a successful run prints."""
        done = self.run(*arguments, width=width)
        assert done.exit_code == 0, done.output
        return done.stdout

    def json(self, *arguments: str) -> dict[str, Any]:
        """The object of ``--format json``."""
        content: dict[str, Any] = json.loads(self.table(*arguments, "--format", "json"))
        return content

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """The rows of ``--format json``."""
        rows: list[dict[str, Any]] = self.json(*arguments)["rows"]
        return rows

    def csv(self, *arguments: str) -> list[dict[str, str]]:
        """The rows of ``--format csv``, by the names of the columns."""
        return list(csv.DictReader(io.StringIO(self.table(*arguments, "--format", "csv"))))
