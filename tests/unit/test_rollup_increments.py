"""However the journal came to be, bit by bit or at once, live or imported, its half hours are the same."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from asterpanel_exporter.history.records import (
    AgentPause,
    AgentSession,
    Outcome,
    QueueCall,
    Record,
    SwitchboardGap,
)
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.journal.retention import Retention
from asterpanel_exporter.report.journal_reader import open_reader
from asterpanel_exporter.rollup.progress import Bookmarks, Overtaken, claim, due_count
from asterpanel_exporter.rollup.rollup import RollUp
from tests import traces
from tests.unit.past import Remembering, replayed
from tests.unit.random_past import RandomPast
from tests.unit.report_journal import at, call
from tests.unit.rollup_journal import MADE, RollUpFolder, folder_with

DAY = "2026-11-18"
INFLUX: dict[str, Any] = {
    "queue_settings": [{"wrapup_time": 10}],
    "influxdb": {"url": "http://127.0.0.1:1", "auth": "none"},
}


@pytest.fixture
def folder(tmp_path: Path) -> RollUpFolder:
    return folder_with(tmp_path / "live", **INFLUX)


def at_once(folder: Path, records: list[Record], items: dict[str, Any] | None = None) -> list[str]:
    """The lines of the half hours of a journal that was written whole."""
    other = folder_with(folder / "whole", **INFLUX)
    other.write(records, items)  # type: ignore[arg-type]
    other.roll_up()
    return other.lines()


def pending(folder: RollUpFolder) -> list[str]:
    """What waits for InfluxDB."""
    with Journal.open(folder.journal, read_only=True) as journal:
        return [each.line for each in journal.pending("default", 100_000)]


def kept(lines: list[str]) -> list[str]:
    """What InfluxDB keeps of lines: of each series and time the last. (No tag here has a blank.)"""
    found = {}
    for line in lines:
        series, _, fields_and_time = line.partition(" ")
        found[series, fields_and_time.rpartition(" ")[2]] = line
    return sorted(found.values())


def lines_of(folder: RollUpFolder, kind: str) -> list[str]:
    return [line for line in pending(folder) if line.startswith(kind)]


def answered(minute: str, talk_s: float = 60.0, **more: Any) -> QueueCall:
    return call("sales", f"{DAY} {minute}", Outcome.ANSWERED, wait_s=2.0, talk_s=talk_s, **more)


# --- the same in the end ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1])
def test_bit_by_bit_is_the_same_as_at_once(folder: RollUpFolder, tmp_path: Path, seed: int) -> None:
    """Five weeks, so that the plans of later weeks change as well; in any order, as an import has it."""
    rng = Random(seed)
    start = at("2026-10-14 08:00")
    records: list[Record] = []
    for week in range(5):
        past = RandomPast(10 * seed + week, start + week * 7 * 86400, start + week * 7 * 86400 + 4 * 3600, 40)
        records += past.records()
    shuffled = rng.sample(records, len(records)) if seed % 2 else records
    position = 0
    while position < len(shuffled):
        size = rng.randrange(1, 400)
        folder.write(shuffled[position : position + size])
        position += size
        folder.roll_up()
    assert folder.lines() == at_once(tmp_path, records)


def test_a_live_session_is_the_same_as_its_replay(folder: RollUpFolder, tmp_path: Path) -> None:
    """Rolled up while it goes on, with memberships and pauses that have not ended."""
    data = traces.recording(traces.FLOOD)
    live = Remembering("milano")
    written = 0
    for end in range(len(data) // 6, len(data), len(data) // 6):
        so_far = replayed([data[: data.rfind(b"\r\n\r\n", 0, end) + 4]])
        folder.write(so_far.records, {key: json.loads(text) for key, text in so_far.open_items.items()})
        folder.roll_up()
        written = len(so_far.records)
    assert written
    live = replayed([data])
    items: dict[Any, Any] = {key: json.loads(text) for key, text in live.open_items.items()}
    with Journal.open(folder.journal) as journal:
        gone = {("milano", *key): None for key in journal.open_items("milano") if key not in items}
        journal.write(Batch(open_items=dict(gone)), 0.0)
    folder.write(live.records, items)
    folder.roll_up()
    assert folder.lines() == at_once(tmp_path, live.records, items)


# --- what is written --------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_written_again(folder: RollUpFolder) -> None:
    folder.write([answered("09:01"), answered("10:01")])
    assert folder.roll_up().points > 0
    before = pending(folder)
    assert folder.roll_up().half_hours == 0
    assert folder.redo().points == 0
    assert pending(folder) == before


def test_a_call_that_ends_late_replaces_its_half_hours_and_no_others(folder: RollUpFolder) -> None:
    folder.write([answered("09:01"), answered("10:01"), answered("11:01")])
    folder.roll_up()
    before = lines_of(folder, "queue_interval")
    folder.write([answered("09:02", talk_s=3000.0, agent="1002", agent_name="Bruno")])
    folder.roll_up()
    *others, new = lines_of(folder, "queue_interval")
    assert others == before[1:]  # nobody has to be told what it was before
    assert ",answered=2i," in new
    # Its talk goes on until 09:52:02, and its wrap-up.
    duties = [row["on_call_s"] for row in folder.made("agent_duty", agent="1002")]
    assert duties == [1800.0 - 122.0, 1800.0 - 478.0]
    made = tuple(measurement.name for measurement in MADE)
    assert [line for line in kept(pending(folder)) if line.startswith(made)] == folder.lines()


def test_the_plan_of_later_weeks_changes_with_what_comes_late(folder: RollUpFolder) -> None:
    folder.write(
        [call("sales", f"2026-11-{day} 09:01", Outcome.ANSWERED, talk_s=60.0) for day in (11, 18, 25)]
    )
    folder.roll_up()
    assert folder.half_hour("queue_interval", "2026-11-25 09:00")["planned_offered"] == 1.0
    folder.write([call("sales", "2026-11-18 09:02", Outcome.ANSWERED, talk_s=60.0)])
    folder.roll_up()
    assert folder.half_hour("queue_interval", "2026-11-25 09:00")["planned_offered"] == 1.5


def test_a_first_call_that_comes_to_light_makes_weeks_without_calls_weeks_of_the_plan(
    folder: RollUpFolder,
) -> None:
    folder.write([call("sales", f"2026-11-{day} 09:01", Outcome.ANSWERED, talk_s=60.0) for day in (18, 25)])
    folder.roll_up()
    assert folder.half_hour("queue_interval", "2026-11-25 09:00")["planned_offered"] == 1.0
    folder.write([call("sales", "2026-11-04 15:00", Outcome.ANSWERED, talk_s=60.0)])
    folder.roll_up()
    assert folder.half_hour("queue_interval", "2026-11-25 09:00")["planned_offered"] == 0.5


def test_what_turns_out_to_have_been_nothing_goes_and_is_zero_in_influxdb(folder: RollUpFolder) -> None:
    """A pause counts while it goes on; then it is told that it had ended before."""
    anna, bruno = {"agent": "1001", "agent_name": "Anna"}, {"agent": "1002", "agent_name": "Bruno"}
    folder.write(
        [answered("09:01"), answered("11:31")],
        {
            ("pause", "1002"): {**bruno, "reason": "", "started_at": at(f"{DAY} 09:10")},
            ("board", ""): {"known_at": at(f"{DAY} 11:40")},
        },
    )
    folder.roll_up()
    assert len(folder.made("agent_duty", agent="1002")) == 6
    with Journal.open(folder.journal) as journal:
        journal.write(Batch(open_items={("milano", "pause", "1002"): None}), 0.0)
    folder.write([AgentPause("milano", "1002", "Bruno", "", at(f"{DAY} 09:10"), 600.0)])
    folder.write([AgentPause("milano", **anna, reason="", started_at=at(f"{DAY} 11:00"), duration_s=60.0)])
    folder.redo()
    assert [row["paused_s"] for row in folder.made("agent_duty", agent="1002")] == [600.0]
    of_bruno = [line for line in kept(pending(folder)) if "agent=1002" in line and "agent_duty" in line]
    assert sorted("paused_s=0.0" in line for line in of_bruno) == [False, True, True, True, True, True]


def test_a_time_zone_that_was_set_right(folder: RollUpFolder, tmp_path: Path) -> None:
    folder.write([answered("09:01"), answered("09:40")])
    folder.roll_up()
    settings = folder.config.read_text(encoding="utf-8")
    folder.config.write_text(settings.replace("Europe/Rome", "Asia/Kathmandu"), encoding="utf-8")
    folder.redo()
    # 13:46 and 14:25 in Kathmandu.
    assert [(row["hour"], row["offered"]) for row in folder.made("queue_local_hour")] == [
        ("13", 1), ("14", 1),
    ]  # fmt: skip


def test_what_is_not_configured_has_no_half_hours(folder: RollUpFolder) -> None:
    folder.write([replace(answered("09:01"), switchboard="torino"), answered("09:01")])
    folder.roll_up()
    assert {row["switchboard"] for row in folder.made("queue_interval")} == {"milano"}


# --- what was deleted -------------------------------------------------------------------------------


def delete_before(folder: RollUpFolder, moment: str) -> None:
    """As the retention does."""
    with Journal.open(folder.journal) as journal:
        retention = Retention(journal, max_age_s=3600.0, max_bytes=None)
        for _ in retention.steps(at(moment) + 3600.0):
            pass


def test_half_hours_that_are_not_whole_any_more_stay_as_they_are(folder: RollUpFolder) -> None:
    folder.write([answered(f"{hour:02}:{minute:02}") for hour in (9, 10) for minute in (1, 11, 40)])
    folder.roll_up()
    delete_before(folder, f"{DAY} 10:05")
    assert [row["offered"] for row in folder.made("queue_interval")] == [1]
    # An import brings some of it back; the half hour of 10:00 was one of three calls and would be of one.
    folder.write([answered("10:02")])
    folder.write([answered("10:50")])
    folder.redo()
    assert [(row["hour"], row["offered"]) for row in folder.made("queue_local_hour")] == [("10", 2)]


def test_a_membership_of_before_that_reached_into_a_half_hour_is_not_forgotten(folder: RollUpFolder) -> None:
    began, ended = at("2026-11-15 00:00"), at(f"{DAY} 11:45")
    folder.write([AgentSession("milano", "sales", "1001", "Anna", began, ended - began)])
    folder.write([answered("09:01"), answered("11:01")])
    folder.roll_up()
    delete_before(folder, f"{DAY} 10:05")
    folder.redo()
    assert [row["staffed_s"] for row in folder.made("queue_interval")] == [1800.0, 1800.0, 900.0]


def test_what_was_looked_at_while_its_row_ids_became_free_is_not_taken_for_seen(folder: RollUpFolder) -> None:
    folder.write([answered("09:01")])
    with open_reader(folder.journal) as reader:
        writes = Bookmarks.read(reader).writes
    delete_before(folder, f"{DAY} 11:00")
    with Journal.open(folder.journal) as journal, journal.transaction() as db, pytest.raises(Overtaken):
        claim(db, writes)


def test_row_ids_that_are_given_again_are_new_points(folder: RollUpFolder) -> None:
    folder.write([answered("09:01"), answered("09:02"), answered("09:03")])
    folder.roll_up()
    delete_before(folder, f"{DAY} 11:00")
    folder.write([answered("12:01")])
    folder.roll_up()
    assert [row["offered"] for row in folder.made("queue_interval")] == [1]


# --- several at once, and interrupted ---------------------------------------------------------------


def test_two_at_work_lose_nothing(folder: RollUpFolder, tmp_path: Path) -> None:
    """A command and the exporter, in turn, while new points come."""
    start = at(f"{DAY} 08:00")
    records = RandomPast(7, start, start + 8 * 3600, 120).records()
    folder.write(records[:100])
    with Journal.open(folder.journal) as one, Journal.open(folder.journal) as other:
        works = [RollUp(one, folder.load()), RollUp(other, folder.load())]
        steps: list[Iterator[None]] = [work.steps() for work in works]
        for part in range(100, len(records), 20):
            for number in range(2):
                for _ in range(3):
                    if next(steps[number], 0) == 0:
                        steps[number] = works[number].steps()
            folder.write(records[part : part + 20])
        for work in works:
            for _ in work.steps():
                pass
    assert folder.lines() == at_once(tmp_path, records)


def test_who_was_overtaken_does_not_write_what_is_out_of_date(folder: RollUpFolder) -> None:
    folder.write([answered("09:01")])
    with Journal.open(folder.journal) as journal:
        slow = RollUp(journal, folder.load())
        for _ in slow.look():
            pass
        making = slow.make()
        next(making)  # it has worked it out, and not written it yet
        folder.write([answered("09:02")])
        folder.roll_up()
        for _ in making:
            pass
    assert [row["offered"] for row in folder.made("queue_interval")] == [2]


def test_what_was_interrupted_goes_on(folder: RollUpFolder, tmp_path: Path) -> None:
    start = at(f"{DAY} 08:00")
    records = RandomPast(8, start, start + 30 * 3600, 120).records()
    folder.write(records)
    left = []
    for _ in range(50):
        with Journal.open(folder.journal) as journal:
            steps = RollUp(journal, folder.load()).steps()
            done = [next(steps, "end") for _ in range(14)]
        with open_reader(folder.journal) as reader:
            left.append(due_count(reader, ["milano"]))
        if done[-1] == "end":
            break
    assert max(left) > left[-1] == 0
    assert folder.lines() == at_once(tmp_path, records)


def test_what_was_interrupted_between_two_writes_goes_on_with_the_plans_too(
    folder: RollUpFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asterpanel_exporter.rollup.rollup.POINTS_AT_ONCE", 1)
    folder.write(
        [call("sales", f"2026-11-{day} 09:01", Outcome.ANSWERED, talk_s=60.0) for day in (11, 18, 25)]
    )
    folder.roll_up()
    folder.write([call("sales", "2026-11-18 09:02", Outcome.ANSWERED, talk_s=60.0)])
    with Journal.open(folder.journal) as journal:
        steps = RollUp(journal, folder.load()).steps()
        while folder.half_hour("queue_interval", "2026-11-18 09:00")["offered"] == 1:
            next(steps)
    assert folder.half_hour("queue_interval", "2026-11-25 09:00")["planned_offered"] == 1.0
    folder.roll_up()
    assert folder.half_hour("queue_interval", "2026-11-25 09:00")["planned_offered"] == 1.5


def test_half_hours_of_a_switchboard_that_is_not_configured_any_more_are_not_due(
    folder: RollUpFolder,
) -> None:
    folder.write([answered("09:01")])
    with Journal.open(folder.journal) as journal:
        work = RollUp(journal, folder.load())
        for _ in work.look():
            pass
        assert work.due() == 1
        settings = folder.config.read_text(encoding="utf-8")
        folder.config.write_text(settings.replace("milano:", "torino:"), encoding="utf-8")
        assert RollUp(journal, folder.load()).due() == 0


def test_however_much_is_made_at_once_the_half_hours_are_the_same(
    folder: RollUpFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = at(f"{DAY} 08:00")
    records = RandomPast(9, start, start + 30 * 3600, 120).records()
    whole = at_once(tmp_path, records)
    monkeypatch.setattr("asterpanel_exporter.rollup.rollup.MADE_AT_ONCE", 1)
    folder.write(records)
    with Journal.open(folder.journal) as journal:
        work = RollUp(journal, folder.load())
        made = [work.progress.half_hours for _ in work.steps()]
    assert max(after - before for before, after in pairwise(made)) == 1
    assert folder.lines() == whole


# --- journals of before -----------------------------------------------------------------------------


def as_version_1(path: Path) -> None:
    """What a journal was before there was a roll-up."""
    with closing(sqlite3.connect(path)) as db:
        for name in [measurement.name for measurement in MADE]:
            db.execute(f"DROP VIEW {name}_points")
            db.execute(f"DROP TABLE {name}")
            db.execute(f"DROP TABLE {name}_series")
        db.execute("DROP INDEX outbox_half_hour")
        db.execute("ALTER TABLE outbox DROP COLUMN half_hour")
        db.execute("DROP TABLE rollup_due")
        db.execute("DROP TABLE rollup_bookmark")
        db.execute("PRAGMA user_version = 1")
        db.commit()


def test_a_journal_of_before_gets_its_half_hours(folder: RollUpFolder) -> None:
    folder.write([answered("09:01")])
    as_version_1(folder.journal)
    assert [row["offered"] for row in folder.rows("queues", DAY)] == [1]  # only read: it stays as it is
    with closing(sqlite3.connect(folder.journal)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    folder.write([SwitchboardGap("milano", "eof", at(f"{DAY} 09:00"), 60.0, 0)])
    folder.roll_up()
    assert folder.half_hour("queue_interval", f"{DAY} 09:00")["watched_s"] == 1740.0
    with closing(sqlite3.connect(folder.journal)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)


def test_memberships_of_before_the_first_call_make_no_half_hours(folder: RollUpFolder) -> None:
    began, ended = at("2026-01-01 00:00"), at(f"{DAY} 09:45")
    folder.write([AgentSession("milano", "sales", "1001", "Anna", began, ended - began), answered("09:01")])
    folder.roll_up()
    assert [row["staffed_s"] for row in folder.made("queue_interval")] == [1800.0, 900.0]
    assert folder.half_hour("queue_interval", f"{DAY} 09:00")["staffed_s"] == 1800.0
