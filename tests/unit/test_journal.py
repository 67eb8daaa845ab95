"""The journal: what is written is there, once, as it was; and what cannot be opened says why."""

import os
import pwd
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from asterpanel_exporter.history.half_hours import AgentDuty
from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AttemptResult,
    ControlAction,
    Outcome,
    QueueCall,
    Record,
    SwitchboardGap,
)
from asterpanel_exporter.journal import schema
from asterpanel_exporter.journal.journal import Batch, Journal, JournalError
from asterpanel_exporter.journal.lock import ExporterLock
from asterpanel_exporter.points.catalogue import CATALOGUE, AnyRecord
from asterpanel_exporter.points.point import Point, Value, point_of

NOW = 1795390600.0


def call(number: int, **values: Any) -> QueueCall:
    return replace(
        QueueCall("milano", "billing", Outcome.ABANDONED, 1795390000.0 + number, f"1795390000.{number}"),
        **values,
    )


def points(*records: AnyRecord, tenant: str | None = "acme") -> Batch:
    return Batch([(tenant, point_of(record)) for record in records])


def lines(journal: Journal, tenant: str = "acme") -> list[str]:
    return [pending.line for pending in journal.pending(tenant, 1_000_000)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal.open(path) as opened:
        yield opened


# --- writing ----------------------------------------------------------------------------------------


def test_what_is_written_is_in_its_table_and_in_the_outbox(journal: Journal, path: Path) -> None:
    written = journal.write(points(call(1, wait_s=2.5), call(2)), NOW)
    told = [point_of(call(1, wait_s=2.5)).line, point_of(call(2)).line]
    assert [point.line for point in written] == lines(journal) == told
    with closing(sqlite3.connect(path)) as other:
        rows = other.execute(
            "SELECT time, queue, outcome, wait_s, uniqueid FROM queue_call_points"
        ).fetchall()
    assert rows == [
        (1795390001000000, "billing", "abandoned", 2.5, "1795390000.1"),
        (1795390002000000, "billing", "abandoned", 0.0, "1795390000.2"),
    ]


def test_a_point_told_twice_is_there_once(journal: Journal) -> None:
    assert len(journal.write(points(call(1), call(2)), NOW)) == 2
    assert journal.write(points(call(1)), NOW) == []
    assert [point.line for point in journal.write(points(call(2), call(3)), NOW)] == [point_of(call(3)).line]
    assert len(lines(journal)) == 3


def test_two_calls_never_share_a_series_and_a_time_stamp(journal: Journal) -> None:
    twin = replace(call(1), uniqueid="1795390000.99")
    for _ in range(2):  # the second time, nothing is new
        journal.write(points(call(1), twin), NOW)
    assert lines(journal) == [point_of(call(1)).line, point_of(twin).later().line]


def test_a_hundred_calls_of_one_instant_keep_their_order(journal: Journal) -> None:
    calls = [replace(call(1), uniqueid=f"1795390000.{n}") for n in range(100)]
    journal.write(points(*calls), NOW)
    expected = [
        replace(point_of(record), time_us=point_of(record).time_us + n) for n, record in enumerate(calls)
    ]
    assert lines(journal) == [point.line for point in expected]


@pytest.mark.parametrize("count", [1, 2, 511, 512, 513, 1500])
def test_batches_of_any_size_keep_their_order_over_measurements(journal: Journal, count: int) -> None:
    kinds: list[Callable[[int], Record]] = [
        call,
        lambda n: AgentAttempt(
            "milano", "billing", "1001", "Bob", AttemptResult.NO_ANSWER, float(n), 5.0, f"u{n}"
        ),
        lambda n: AgentPause("milano", "1001", "Bob", "lunch", float(n), 60.0),
    ]
    records: list[Record] = [Random(n).choice(kinds)(n) for n in range(count)]
    assert journal.write(points(*records), NOW) == [point_of(record) for record in records]
    assert lines(journal) == [point_of(record).line for record in records]
    assert journal.write(points(*records[::-1]), NOW) == []


def duty(agent: str, on_duty_s: float, at: float = 1795390200.0) -> AgentDuty:
    return AgentDuty(
        "milano", agent, "Bob", at, on_duty_s, 0.0, on_duty_s, on_duty_s, 0.0, 0.0, 0.0, 0, 0.0, 0.0
    )


def test_a_half_hour_replaces_itself(journal: Journal) -> None:
    first = [duty("1001", 60.0), duty("1002", 60.0), duty("1001", 60.0, at=1795392000.0)]
    assert journal.write(points(*first), NOW) == [point_of(record) for record in first]
    again = [duty("1001", 60.0), duty("1002", 90.0)]
    assert journal.write(points(*again), NOW) == [point_of(duty("1002", 90.0))]
    stored = journal.rows("SELECT agent, on_duty_s FROM agent_duty_points ORDER BY time, agent")
    assert stored == [("1001", 60.0), ("1002", 90.0), ("1001", 60.0)]
    # What InfluxDB has not been given yet, it need not be given any more.
    assert lines(journal) == [point_of(record).line for record in (first[0], first[2], duty("1002", 90.0))]


def test_a_half_hour_that_was_delivered_is_delivered_again(journal: Journal) -> None:
    journal.write(points(duty("1001", 60.0), duty("1002", 60.0)), NOW)
    journal.delivered([pending.id for pending in journal.pending("acme", 1)])
    journal.write(points(duty("1001", 90.0)), NOW)
    told = [point_of(record).line for record in (duty("1002", 60.0), duty("1001", 90.0))]
    assert lines(journal) == told


def test_of_a_half_hour_that_is_written_twice_at_once_the_last_counts(journal: Journal) -> None:
    new = journal.write(points(duty("1001", 60.0), duty("1001", 90.0)), NOW)
    assert new == [point_of(duty("1001", 90.0))]
    assert journal.rows("SELECT on_duty_s FROM agent_duty_points") == [(90.0,)]


def test_batches_written_together_tell_apart_what_is_new(journal: Journal) -> None:
    first, second = call(1), call(2)
    new = journal.write_all([points(first), points(first, second), Batch(), points(second)], NOW)
    assert new == [[point_of(first)], [point_of(second)], [], []]


def test_points_without_a_tenant_stay_in_the_journal(journal: Journal) -> None:
    journal.write(points(call(1), tenant=None), NOW)
    assert journal.backlog() == {}
    assert journal.rows("SELECT uniqueid FROM queue_call_points") == [("1795390000.1",)]


def test_a_batch_is_written_whole_or_not_at_all(journal: Journal) -> None:
    batch = points(call(1))
    batch.totals["milano", "calls", "[]"] = 1.0
    batch.open_items["milano", "call", "half \ud83d"] = "{}"
    with pytest.raises(UnicodeEncodeError):
        journal.write(batch, NOW)
    assert lines(journal) == []
    assert journal.totals("milano") == {}
    # Series that were made in it are made anew.
    del batch.open_items["milano", "call", "half \ud83d"]
    journal.write(batch, NOW)
    assert journal.rows("SELECT queue FROM queue_call_points") == [("billing",)]


def test_open_items_and_totals_are_what_was_written_last(journal: Journal, path: Path) -> None:
    journal.write(
        Batch(
            open_items={
                ("milano", "call", "a"): "1",
                ("milano", "call", "b"): "1",
                ("torino", "call", "a"): "9",
            },
            totals={("milano", "calls", "[]"): 1.0, ("torino", "calls", "[]"): 7.0},
        ),
        NOW,
    )
    journal.write_all(
        [
            Batch(open_items={("milano", "call", "a"): None, ("milano", "call", "c"): "1"}),
            Batch(open_items={("milano", "call", "c"): "2"}, totals={("milano", "calls", "[]"): 2.5}),
            Batch(open_items={("milano", "call", "never there"): None}),
        ],
        NOW,
    )
    journal.close()
    with Journal.open(path) as again:
        assert again.open_items("milano") == {("call", "b"): "1", ("call", "c"): "2"}
        assert again.open_items("torino") == {("call", "a"): "9"}
        assert again.totals("milano") == {("calls", "[]"): 2.5}


def test_nothing_reads_as_something_else_after_reading_it_back(journal: Journal) -> None:
    odd = call(
        1, caller="", caller_name='O"Hara\\', wait_s=0.1 + 0.2, talk_s=1e-6, queue="", transfer_to="007"
    )
    journal.write(points(odd), NOW)
    [row] = journal.rows(
        "SELECT queue, caller, caller_name, wait_s, talk_s, transfer_to FROM queue_call_points"
    )
    assert row == ("", "", 'O"Hara\\', 0.3, 1e-6, "007")


# --- delivery ---------------------------------------------------------------------------------------


def test_lines_leave_in_the_order_they_came_and_when_delivered(journal: Journal) -> None:
    journal.write(points(call(1), call(2)), NOW)
    journal.write(points(call(3), tenant="other"), NOW + 5)
    journal.write(points(call(4)), NOW + 9)
    assert journal.backlog() == {"acme": (3, NOW), "other": (1, NOW + 5)}
    first, second = journal.pending("acme", 2)
    [third] = journal.pending("acme", 2, after=second.id)
    assert [each.accepted_at for each in (first, second, third)] == [NOW, NOW, NOW + 9]
    journal.delivered([first.id, second.id])
    assert journal.pending("acme", 9) == [third]
    journal.delivered([third.id])
    assert journal.backlog() == {"other": (1, NOW + 5)}


def test_an_id_is_never_used_twice(journal: Journal) -> None:
    journal.write(points(call(1)), NOW)
    [old] = journal.pending("acme", 9)
    journal.delivered([old.id])
    journal.write(points(call(2)), NOW)
    assert [pending.line for pending in journal.pending("acme", 9, after=old.id)] == [point_of(call(2)).line]


def test_dead_letters_are_listed_and_requeued_and_discarded(journal: Journal) -> None:
    journal.write(points(call(1), call(2), call(3)), NOW)
    for pending in journal.pending("acme", 9):
        journal.refused(pending, "acme", "field type conflict", NOW + 1)
    assert journal.backlog() == {}
    letters = journal.dead_letters("acme")
    assert [(each.tenant, each.refused_at, each.reason) for each in letters] == [
        ("acme", NOW + 1, "field type conflict")
    ] * 3
    assert [letter.line for letter in letters] == [point_of(call(n)).line for n in (1, 2, 3)]
    assert journal.dead_letters("nobody") == []
    assert len(journal.dead_letters(limit=2)) == 2
    assert journal.requeue([letters[1].id, 99], NOW + 2) == 1
    assert journal.pending("acme", 9)[0].accepted_at == NOW + 2
    assert lines(journal) == [point_of(call(2)).line]
    assert journal.discard([letters[0].id]) == 1
    assert journal.requeue(None, NOW + 3) == 1
    assert lines(journal) == [point_of(call(n)).line for n in (2, 3)]
    assert journal.dead_letters() == []


def test_what_is_sent_again_is_the_same_to_the_byte(journal: Journal) -> None:
    records: list[Record] = [
        call(1, wait_s=0.1 + 0.2, caller_name='a "b" \\ ,=', agent_name="c,d =\\e"),
        call(2, queue="sales"),
        replace(call(2), uniqueid="twin", queue="sales"),
        AgentPause("milano", "1001", "Bob", "", 1795390003.5, 1e-6),
        SwitchboardGap("milano", "timeout", 1795390004.0, 3.0, 7),
        ControlAction("milano", "pause", "", "", "denied", 1795390005.0),
        replace(call(6), switchboard="torino"),
        *(call(n) for n in range(100, 5100)),
    ]
    journal.write(points(*records), NOW)
    sent = lines(journal)
    journal.delivered([pending.id for pending in journal.pending("acme", 1_000_000)])
    everything = (0, 1 << 60)
    assert journal.resend(*everything, "acme", ["milano", "torino"], NOW) == len(records)
    assert sorted(lines(journal)) == sorted(sent)
    journal.delivered([pending.id for pending in journal.pending("acme", 1_000_000)])
    assert journal.resend(1795390002000000, 1795390003500000, "acme", ["milano"], NOW) == 2
    assert lines(journal) == sent[1:3]
    assert journal.resend(*everything, "acme", ["nobody"], NOW) == 0


# --- several connections ----------------------------------------------------------------------------


def test_an_import_may_write_beside_the_exporter(journal: Journal, path: Path) -> None:
    with Journal.open(path) as other:
        for number in range(0, 40, 2):
            journal.write(points(call(number)), NOW)
            other.write(points(call(number), call(number + 1)), NOW)
    assert lines(journal) == [point_of(call(n)).line for n in range(40)]


def test_numbers_of_deleted_series_are_forgotten_by_everybody(journal: Journal, path: Path) -> None:
    with Journal.open(path) as other:
        other.write(points(call(1, queue="old")), NOW)
        with journal.transaction() as db:
            db.execute("DELETE FROM queue_call")
        assert journal.delete_unused_series() == 1
        journal.write(points(call(2, queue="new")), NOW)  # gets the number that "old" had
        other.write(points(call(3, queue="old")), NOW)
    assert journal.rows("SELECT queue, uniqueid FROM queue_call_points ORDER BY time") == [
        ("new", "1795390000.2"),
        ("old", "1795390000.3"),
    ]


def test_one_exporter_at_a_time(path: Path) -> None:
    lock = ExporterLock(path)
    with pytest.raises(JournalError) as refused:
        ExporterLock(path)
    assert str(refused.value) == (
        f"another exporter (process {os.getpid()}) writes the journal {path}: end it, or set journal.path to "
        "a file of this one's own"
    )
    lock.release()
    ExporterLock(path).release()


# --- opening ----------------------------------------------------------------------------------------


def problem(path: Path, **how: bool) -> str:
    with pytest.raises(JournalError) as error:
        Journal.open(path, **how)
    return str(error.value)


def problem_as_nobody(path: Path) -> str:
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        return problem(path)
    finally:
        os.seteuid(0)


def test_no_folder(tmp_path: Path) -> None:
    assert problem(tmp_path / "none" / "journal.db") == (
        f"there is no folder {tmp_path}/none for the journal: make it, or set journal.path to another place"
    )


@pytest.mark.parametrize("how", [{"create": False}, {"read_only": True, "create": False}])
def test_no_journal_where_one_must_be(path: Path, how: dict[str, bool]) -> None:
    assert problem(path, **how).startswith(f"there is no journal {path}: `asterpanel-exporter run` makes it")
    assert not path.exists()


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    assert problem(tmp_path) == f"{tmp_path} is a folder; journal.path must name a file"


def test_no_database(path: Path) -> None:
    path.write_text("exporter:\n  listen: 127.0.0.1:9977\n" * 100, encoding="ascii")
    assert (
        problem(path) == f"{path} is no SQLite database, and so no journal; journal.path names another file"
    )


def test_another_database_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE cdr (src TEXT)")
    before = path.stat().st_size
    assert problem(path).startswith(f"{path} is an SQLite database, but no journal of Asterpanel")
    assert path.stat().st_size == before


def test_an_empty_file_to_read(path: Path) -> None:
    path.touch()
    assert problem(path, create=False, read_only=True).startswith(f"{path} is empty: no journal")


def test_a_newer_version(path: Path) -> None:
    Journal.open(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    assert problem(path) == (
        f"the journal {path} was written by a newer Asterpanel: it has version {schema.VERSION + 1}, this "
        f"one knows {schema.VERSION}; upgrade this one"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be a user without rights")
def test_missing_rights(tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    folder = tmp_path / "lib"
    folder.mkdir(mode=0o755)
    path = folder / "journal.db"
    assert f"nobody may not write in the journal's folder {folder}" in problem_as_nobody(path)
    Journal.open(path).close()
    folder.chmod(0o777)
    path.chmod(0o600)
    assert f"nobody may not read the journal {path}" in problem_as_nobody(path)
    path.chmod(0o644)
    assert f"nobody may not write the journal {path}" in problem_as_nobody(path)
    folder.chmod(0o700)
    assert f"nobody may not enter the journal's folder {folder}" in problem_as_nobody(path)


def test_callers_numbers_are_not_for_everybody(journal: Journal, path: Path) -> None:
    journal.write(points(call(1)), NOW)
    for file in path.parent.iterdir():
        assert not stat.S_IMODE(file.stat().st_mode) & stat.S_IRWXO, file


def test_a_name_that_looks_like_a_question(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory#b%20.db"
    with Journal.open(path) as journal:
        journal.write(points(call(1)), NOW)
    assert path.exists()
    with Journal.open(path, create=False, read_only=True) as again:
        assert len(lines(again)) == 1


def test_reading_changes_nothing_and_goes_on_beside_a_writer(journal: Journal, path: Path) -> None:
    journal.write(points(call(1)), NOW)
    with Journal.open(path, create=False, read_only=True) as reader:
        assert len(lines(reader)) == 1
        journal.write(points(call(2)), NOW)
        assert len(lines(reader)) == 2
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.discard(None)


def test_a_journal_in_memory() -> None:
    with Journal.open(None) as journal:
        journal.write(points(call(1)), NOW)
        assert len(lines(journal)) == 1


def test_space_can_be_given_back_from_the_first_page_on(journal: Journal) -> None:
    assert journal.rows("PRAGMA auto_vacuum") == [(2,)]
    assert journal.rows("PRAGMA journal_mode") == [("wal",)]


def test_the_tables_have_a_version() -> None:
    """Whoever changes them has to think of the journals that are there: a new VERSION, and a way to it."""
    digest = sha256("\n".join(schema.statements()).encode()).hexdigest()
    assert (schema.VERSION, digest[:16]) == (2, "40bbea210a3e630d")


def test_every_measurement_can_be_written_and_read_back(journal: Journal) -> None:
    for measurement in CATALOGUE:
        values: dict[str, Value] = {"float": 0.5, "integer": 3, "string": "text"}
        point = Point(
            measurement,
            1,
            tuple(tag.name for tag in measurement.tags),
            tuple(values[field.type.value] for field in measurement.fields),
        )
        journal.write(Batch([("acme", point)]), NOW)
        journal.delivered([pending.id for pending in journal.pending("acme", 9)])
        assert journal.resend(0, 9, "acme", ["switchboard"], NOW) == 1
        assert lines(journal) == [point.line]
        with journal.transaction() as db:
            db.execute("DELETE FROM outbox")
            db.execute(f"DELETE FROM {measurement.name}")  # noqa: S608
