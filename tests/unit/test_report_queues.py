"""`report queues` on a hand-made day, every figure computed by hand."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterpanel_exporter.history.records import AgentAttempt, AttemptResult, EndedBy, Outcome, Record
from asterpanel_exporter.history.today import Today
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.journal.today import restore_today
from asterpanel_exporter.periods import period_of
from asterpanel_exporter.points.point import point_of
from asterpanel_exporter.report.journal_reader import Scope, open_reader
from asterpanel_exporter.report.queues import queue_sums
from asterpanel_switchboard.service_level import FORMULAS
from tests.unit.report_journal import ROME, SETTINGS, ReportFolder, at, call

DAY = "2026-11-18"


def attempt(queue: str, started: str, result: AttemptResult, ring_s: float = 15.0) -> AgentAttempt:
    return AgentAttempt("milano", queue, "1001", "Anna", result, at(started), ring_s, started)


SALES: list[Record] = [
    # Answered: two within 20 s (one of them at the very threshold), one after; one transferred.
    call("sales", f"{DAY} 09:00", Outcome.ANSWERED, wait_s=10.0, talk_s=100.0, ended_by=EndedBy.AGENT),
    call("sales", f"{DAY} 09:10", Outcome.ANSWERED, wait_s=20.0, talk_s=200.0),
    call("sales", f"{DAY} 10:00", Outcome.ANSWERED, wait_s=60.0, talk_s=60.0,
         ended_by=EndedBy.BLIND_TRANSFER, transfer_to="300"),
    # Abandoned: a short one, one within T, one after T.
    call("sales", f"{DAY} 10:05", Outcome.ABANDONED, wait_s=3.0),
    call("sales", f"{DAY} 10:06", Outcome.ABANDONED, wait_s=15.0),
    call("sales", f"{DAY} 11:00", Outcome.ABANDONED, wait_s=90.0),
    # Flow-outs: one who waited, one refused entry.
    call("sales", f"{DAY} 11:30", Outcome.TIMEOUT, wait_s=120.0),
    call("sales", f"{DAY} 11:31", Outcome.FULL),
    attempt("sales", f"{DAY} 09:00", AttemptResult.ANSWERED, 4.0),
    attempt("sales", f"{DAY} 09:10", AttemptResult.NO_ANSWER),
    attempt("sales", f"{DAY} 09:11", AttemptResult.CANCELLED, 2.0),
]  # fmt: skip
SUPPORT: list[Record] = [
    call("support", f"{DAY} 12:00", Outcome.ANSWERED, wait_s=30.0, talk_s=50.0, sl_threshold_s=30.0),
    # Nothing of these is in the day.
    call("support", "2026-11-17 23:59:59.999999", Outcome.ABANDONED, wait_s=500.0),
    call("support", "2026-11-19 00:00", Outcome.ABANDONED, wait_s=500.0),
]


@pytest.fixture
def day(tmp_path: Path) -> ReportFolder:
    folder = ReportFolder(tmp_path)
    folder.write([*SALES, *SUPPORT])
    return folder


def test_every_column(day: ReportFolder) -> None:
    sales, support = day.rows("queues", DAY)
    assert sales == {
        "switchboard": "milano", "queue": "sales",
        "offered": 8, "answered": 3, "abandoned": 3, "short_abandoned": 1,
        "timeout": 1, "exit_key": 0, "leave_empty": 0, "join_empty": 0, "leave_unavail": 0,
        "join_unavail": 0, "full": 1, "withdrawn": 0, "continue": 0, "redirected": 0, "unknown": 0,
        "service_level": 2 / 5, "threshold_min_s": 20.0, "threshold_max_s": 20.0,
        "abandon_rate": 3 / 8,
        "asa_s": (10 + 20 + 60) / 3,
        "average_wait_s": round((10 + 20 + 60 + 3 + 15 + 90 + 120) / 7, 6),  # all but the one refused
        "longest_wait_s": 120.0,
        "average_talk_s": (100 + 200 + 60) / 3,
        "aht_s": (100 + 200 + 60) / 3 + 10,
        "transferred": 1, "transfer_rate": round(1 / 3, 6),
        "attempts": 3, "no_answer": 1,
    }  # fmt: skip
    assert support["offered"] == support["answered"] == support["service_level"] == 1
    assert support["aht_s"] == 50  # no wrap-up time is configured
    assert support["attempts"] == 0


@pytest.mark.parametrize(
    ("formula", "share"),
    [("1", 2 / 3), ("2", 4 / 6), ("3", 2 / 6), ("4", 2 / 5), ("5", 2 / 8), ("6", 2 / 4), ("7", 2 / 8),
     ("asterisk2", 4 / 6), ("late-abandons", 2 / 4)],
)  # fmt: skip
def test_service_level_by_each_formula(day: ReportFolder, formula: str, share: float) -> None:
    content = day.json("queues", DAY, "--queue", "sales", "--formula", formula)
    assert content["rows"][0]["service_level"] == pytest.approx(share, abs=1e-6)
    assert formula in (str(content["formula"]["number"]), content["formula"]["name"])


def test_another_threshold_is_computed_from_the_waits(day: ReportFolder) -> None:
    content = day.json("queues", DAY, "--queue", "sales", "--threshold", "60", "--formula", "2")
    assert content["threshold_s"] == 60
    assert content["rows"][0]["service_level"] == pytest.approx(5 / 6, abs=1e-6)
    assert content["rows"][0]["threshold_max_s"] == 60
    assert "T = 60 s (--threshold)." in content["switchboards"][0]["notes"]
    halved = day.rows("queues", DAY, "--queue", "sales", "--threshold", "1m", "--formula", "4")
    assert halved[0]["service_level"] == 3 / 5


def test_total(day: ReportFolder) -> None:
    total = day.json("queues", DAY)["switchboards"][0]["total"]
    assert (total["offered"], total["answered"], total["abandoned"]) == (9, 4, 3)
    assert total["service_level"] == 3 / 6
    assert total["asa_s"] == (10 + 20 + 60 + 30) / 4
    assert total["aht_s"] == (100 + 200 + 60 + 50 + 3 * 10) / 4
    assert total["longest_wait_s"] == 120
    assert (total["threshold_min_s"], total["threshold_max_s"]) == (20, 30)


def test_csv_has_the_rows_of_json_as_plain_numbers(day: ReportFolder) -> None:
    rows = day.csv("queues", DAY)
    assert [row["queue"] for row in rows] == ["sales", "support"]
    for plain, row in zip(rows, day.rows("queues", DAY), strict=True):
        assert plain.keys() == row.keys()
        assert plain == {name: "" if value is None else str(value) for name, value in row.items()}


def test_by_hour(day: ReportFolder) -> None:
    rows = day.rows("queues", DAY, "--by", "hour", "--queue", "sales")
    assert [(row["hour"], row["offered"], row["answered"], row["attempts"]) for row in rows] == [
        ("09:00", 2, 2, 3),
        ("10:00", 3, 1, 0),
        ("11:00", 3, 0, 0),
    ]
    assert [row["service_level"] for row in rows] == [1.0, 0.0, 0.0]


def test_by_day_and_weekday_are_those_of_local_time(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path)
    folder.write(
        [
            call("sales", "2026-10-24 23:59:59", Outcome.ABANDONED),  # Saturday, +02:00
            call("sales", "2026-10-25 00:00", Outcome.ABANDONED),  # Sunday, 25 hours
            call("sales", "2026-10-25 23:59:59", Outcome.ABANDONED),
            call("sales", "2026-10-26 00:00", Outcome.ABANDONED),  # Monday, +01:00
            call("sales", "2026-11-02 00:00", Outcome.ABANDONED),
        ]
    )
    days = folder.rows("queues", "2026-10..2026-11", "--by", "day")
    assert [(row["day"], row["offered"]) for row in days] == [
        ("2026-10-24", 1),
        ("2026-10-25", 2),
        ("2026-10-26", 1),
        ("2026-11-02", 1),
    ]
    weekdays = folder.rows("queues", "2026-10..2026-11", "--by", "weekday")
    assert [(row["weekday"], row["offered"]) for row in weekdays] == [("Mon", 2), ("Sat", 1), ("Sun", 2)]


def test_an_hour_that_occurs_twice_is_one_hour_of_the_day(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path)
    first = call("sales", "2026-10-25 02:30", Outcome.ABANDONED)
    second = call("sales", "2026-10-25 01:30", Outcome.ABANDONED, joined_at=first.joined_at + 3600)
    folder.write([first, second, call("sales", "2026-10-25 03:00", Outcome.ABANDONED)])
    rows = folder.rows("queues", "2026-10-25", "--by", "hour")
    assert [(row["hour"], row["offered"]) for row in rows] == [("02:00", 2), ("03:00", 1)]


def test_calls_without_a_threshold_do_not_pull_the_service_level_down(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path)
    folder.write(
        [
            call("sales", f"{DAY} 09:00", Outcome.ANSWERED, wait_s=5.0),
            call("hotline", f"{DAY} 09:00", Outcome.ANSWERED, wait_s=5.0, sl_threshold_s=0.0),
            call("hotline", f"{DAY} 09:01", Outcome.ABANDONED, wait_s=1.0, sl_threshold_s=0.0),
        ]
    )
    content = folder.json("queues", DAY)
    [board] = content["switchboards"]
    assert [row["service_level"] for row in content["rows"]] == [None, 1.0]
    assert content["rows"][0]["short_abandoned"] == 1
    assert board["total"]["service_level"] == 1.0
    assert any(note.startswith("2 calls had no threshold and are left out") for note in board["notes"])
    assert folder.rows("queues", DAY, "--threshold", "3")[0]["service_level"] == 0.0


def test_two_switchboards_each_have_their_own_day(tmp_path: Path) -> None:
    zones = {"milano": "Europe/Rome", "boston": "America/New_York"}
    folder = ReportFolder(tmp_path, zones, **SETTINGS)
    late = call("sales", "2026-11-19 01:00", Outcome.ABANDONED)  # 19:00 of the day before in Boston
    folder.write([late, call("sales", "2026-11-19 01:00", Outcome.ABANDONED, switchboard="boston")])
    content = folder.json("queues", DAY)
    assert [(row["switchboard"], row["offered"]) for row in content["rows"]] == [("boston", 1)]
    assert [(board["switchboard"], board["from"]) for board in content["switchboards"]] == [
        ("milano", "2026-11-18T00:00:00+01:00"),
        ("boston", "2026-11-18T00:00:00-05:00"),
    ]
    assert folder.json("queues", "2026-11-19", "--switchboard", "milano")["rows"][0]["offered"] == 1


CALLS = st.lists(
    st.tuples(
        st.sampled_from(list(Outcome)),
        st.sampled_from(["billing", "sales"]),
        st.floats(0, 60).map(lambda wait_s: round(wait_s, 6)),
        st.sampled_from([0.0, 10.0, 20.0]),
        st.integers(0, 86399),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(CALLS)
def test_sums_of_the_journal_are_those_of_the_list_of_calls(tmp_path_factory: Any, drawn: Any) -> None:
    records = [
        call(queue, f"{DAY} 00:00", outcome, wait_s=wait_s, sl_threshold_s=threshold_s,
             joined_at=at(f"{DAY} 00:00") + second, uniqueid=str(number))
        for number, (outcome, queue, wait_s, threshold_s, second) in enumerate(drawn)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    live, restored = Today(ROME), Today(ROME)
    for today in (live, restored):
        today.begin(at(f"{DAY} 23:59"))
    live.add(records)
    with Journal.open(path) as journal:
        journal.write(Batch([(None, point_of(record)) for record in records]), now=0.0)
        restore_today(journal, "milano", restored)
    with open_reader(path) as reader:
        scope = Scope("milano", period_of(DAY, ROME, 0.0))
        found = {sums.queue: sums for sums in queue_sums(reader, scope, lambda queue: None)}
    assert sorted(found) == sorted({record.queue for record in records})
    for queue, sums in found.items():
        mine = [record for record in records if record.queue == queue]
        counted = [record for record in mine if record.sl_threshold_s > 0]
        assert sums.offered == len(mine)
        assert sums.wait_s == pytest.approx(sum(record.wait_s for record in mine))
        assert sums.short_abandoned == sum(record.short_abandon for record in mine)
        assert sums.service.offered == len(counted)
        assert sums.service.answered_within == sum(record.within_sl for record in counted)
        assert sums.service.abandoned_within == sum(record.abandoned_within_sl for record in counted)
        assert sums.service == live.queues[queue].service == restored.queues[queue].service
        assert all(share is None or 0 <= share <= 1 for share in (f(sums.service) for f in FORMULAS))
