"""`report agents` on a hand-made day, every figure computed by hand."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from asterpanel_exporter.history.intervals import OpenPause, OpenSession
from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AgentSession,
    AttemptResult,
    EndedBy,
    Outcome,
    Record,
)
from tests.unit.report_journal import ReportFolder, at, call

DAY = "2026-11-18"
ANNA: dict[str, Any] = {"agent": "1001", "agent_name": "Anna"}
BRUNO: dict[str, Any] = {"agent": "1002", "agent_name": "Bruno"}


def session(who: dict[str, Any], queue: str, start: str, end: str) -> AgentSession:
    return AgentSession("milano", queue, **who, started_at=at(start), duration_s=at(end) - at(start))


def pause(who: dict[str, Any], reason: str, start: str, end: str) -> AgentPause:
    return AgentPause("milano", **who, reason=reason, started_at=at(start), duration_s=at(end) - at(start))


def attempt(who: dict[str, Any], started: str, result: AttemptResult, ring_s: float) -> AgentAttempt:
    return AgentAttempt("milano", "sales", **who, result=result, started_at=at(started), ring_s=ring_s,
                        uniqueid=started)  # fmt: skip


RECORDS: list[Record] = [
    # In two queues at once from 09:00 to 12:00, then in one to 13:00: 4 hours.
    session(ANNA, "sales", f"{DAY} 09:00", f"{DAY} 12:00"),
    session(ANNA, "support", f"{DAY} 10:00", f"{DAY} 13:00"),
    # From the day before to 01:00, and from 23:00 to the day after: 2 hours of this day.
    session(BRUNO, "sales", "2026-11-17 20:00", f"{DAY} 01:00"),
    session(BRUNO, "sales", f"{DAY} 23:00", "2026-11-19 04:00"),
    pause(ANNA, "lunch", f"{DAY} 11:00", f"{DAY} 11:30"),
    pause(ANNA, "", f"{DAY} 12:00", f"{DAY} 12:10"),
    pause(ANNA, "lunch", f"{DAY} 12:30", f"{DAY} 12:40"),
    pause(BRUNO, "night", "2026-11-17 23:00", f"{DAY} 00:15"),
    attempt(ANNA, f"{DAY} 09:05", AttemptResult.ANSWERED, 4.0),
    attempt(ANNA, f"{DAY} 09:30", AttemptResult.ANSWERED, 8.0),
    attempt(ANNA, f"{DAY} 09:40", AttemptResult.NO_ANSWER, 15.0),
    attempt(ANNA, f"{DAY} 09:41", AttemptResult.NO_ANSWER, 15.0),
    attempt(ANNA, f"{DAY} 09:42", AttemptResult.REJECTED, 1.0),
    attempt(ANNA, f"{DAY} 09:43", AttemptResult.CANCELLED, 2.0),
    call("sales", f"{DAY} 09:05", Outcome.ANSWERED, wait_s=10.0, talk_s=300.0),
    call("sales", f"{DAY} 09:30", Outcome.ANSWERED, wait_s=20.0, talk_s=600.0,
         ended_by=EndedBy.ATTENDED_TRANSFER),
    # Joined the day before, talks from 23:59:50 to 00:10:00; the other way round at the end of the day.
    call("sales", "2026-11-17 23:59:30", Outcome.ANSWERED, wait_s=20.0, talk_s=610.0, **BRUNO),
    call("sales", f"{DAY} 23:50", Outcome.ANSWERED, wait_s=60.0, talk_s=3600.0, **BRUNO),
]  # fmt: skip


@pytest.fixture
def day(tmp_path: Path) -> ReportFolder:
    folder = ReportFolder(tmp_path)
    folder.write(RECORDS)
    return folder


def test_every_column(day: ReportFolder) -> None:
    anna, _ = day.rows("agents", DAY)
    busy_s = 900 + (4 + 8 + 15 + 15 + 1 + 2) + 2 * 10
    assert anna == {
        "switchboard": "milano", "agent": "1001", "agent_name": "Anna",
        "answered": 2, "talk_s": 900.0, "aht_s": 450.0 + 10, "average_ring_s": 6.0,
        "no_answer": 2, "rejected": 1, "transferred": 1,
        "pauses": 3, "paused_s": 3000.0, "logged_in_s": 4 * 3600.0,
        "occupancy": round(busy_s / (4 * 3600 - 3000), 6),
        "ring_s": 45.0, "wrapup_s": 20.0, "talk_in_period_s": 900.0, "wrapup_in_period_s": 20.0,
        "first_activity": f"{DAY}T09:00:00.000000+01:00",
        "last_activity": f"{DAY}T13:00:00.000000+01:00",
        "pauses_by_reason": [
            {"reason": "", "count": 1, "total_s": 600.0},
            {"reason": "lunch", "count": 2, "total_s": 2400.0},
        ],
    }  # fmt: skip


def test_intervals_are_clipped_to_the_period(day: ReportFolder) -> None:
    bruno = day.rows("agents", DAY)[1]
    assert bruno["logged_in_s"] == 2 * 3600
    assert (bruno["pauses"], bruno["paused_s"]) == (1, 15 * 60)
    # The call of the day counts in full for its handle time, with its part of the day for occupancy.
    assert (bruno["answered"], bruno["talk_s"]) == (1, 3600)
    assert bruno["talk_in_period_s"] == 10 * 60 + 9 * 60
    assert bruno["occupancy"] == pytest.approx((19 * 60 + 10) / (2 * 3600 - 15 * 60), abs=1e-6)
    # The end of the pause at 00:15, before it the end of the call at 00:10; then the talk at 23:51.
    assert bruno["first_activity"] == f"{DAY}T00:10:00.000000+01:00"
    assert bruno["last_activity"] == f"{DAY}T23:51:00.000000+01:00"


def test_an_hour_within_a_session_a_pause_and_a_call(day: ReportFolder) -> None:
    [anna] = day.rows("agents", f"{DAY}T11:10..{DAY}T11:20", "--agent", "Ann*")
    assert (anna["logged_in_s"], anna["paused_s"], anna["occupancy"]) == (600, 600, None)
    assert anna["first_activity"] is None
    [anna] = day.rows("agents", f"{DAY}T09:32..{DAY}T09:36", "--agent", "1001")
    assert (anna["answered"], anna["talk_in_period_s"], anna["occupancy"]) == (0, 240, 1.0)


@pytest.mark.parametrize(("talk_s", "wrapup_s"), [(600.0, 0.0), (593.0, 7.0), (500.0, 10.0), (900.0, 0.0)])
def test_wrap_up_counts_as_far_as_it_has_been(tmp_path: Path, talk_s: float, wrapup_s: float) -> None:
    folder = ReportFolder(tmp_path)
    folder.write(
        [
            session(ANNA, "sales", f"{DAY} 09:00", f"{DAY} 10:00"),
            call("sales", f"{DAY} 09:00", Outcome.ANSWERED, talk_s=talk_s),
        ]
    )
    [anna] = folder.rows("agents", f"{DAY}T09:00..{DAY}T09:10")
    assert (anna["wrapup_s"], anna["wrapup_in_period_s"]) == (10, wrapup_s)
    assert anna["occupancy"] == pytest.approx((min(600, talk_s) + wrapup_s) / 600, abs=1e-6)


def test_total(day: ReportFolder) -> None:
    total = day.json("agents", DAY)["switchboards"][0]["total"]
    assert (total["answered"], total["pauses"], total["logged_in_s"]) == (3, 4, 6 * 3600)
    assert total["aht_s"] == (900 + 3600 + 30) / 3
    assert total["first_activity"] == f"{DAY}T00:10:00.000000+01:00"


def test_of_a_queue(day: ReportFolder) -> None:
    [anna] = day.rows("agents", DAY, "--queue", "supp*")
    assert (anna["agent"], anna["answered"], anna["logged_in_s"]) == ("1001", 0, 3 * 3600)
    assert anna["paused_s"] == 3000


def test_a_pause_while_logged_out_does_not_shorten_the_time_available(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path)
    folder.write(
        [
            session(ANNA, "sales", f"{DAY} 09:00", f"{DAY} 10:00"),
            pause(ANNA, "", f"{DAY} 09:45", f"{DAY} 18:00"),
            call("sales", f"{DAY} 09:10", Outcome.ANSWERED, talk_s=1340.0),
        ]
    )
    [anna] = folder.rows("agents", DAY)
    assert anna["paused_s"] == 8.25 * 3600
    assert anna["occupancy"] == (1340 + 10) / (45 * 60)


OPEN: dict[tuple[str, str], dict[str, Any]] = {
    **{
        ("session", f"{queue}|pjsip/1001"): asdict(
            OpenSession(queue, "PJSIP/1001", **ANNA, started_at=at(f"{DAY} 09:00")))
        for queue in ("sales", "support")
    },
    ("pause", "1001"): asdict(OpenPause(**ANNA, reason="lunch", started_at=at(f"{DAY} 12:00"), by="anna")),
    ("call", "1795000000.1"): {"queue": "sales"},
    ("call", "1795000000.2"): {"queue": "sales", "told": True},
    ("call", "1795000000.3"): {"queue": "sales", "lost": True},
    ("counters", "sales"): {},
    ("board", ""): {"known_at": at(f"{DAY} 12:30:05"), "boot_at": None, "sees_dialplan": True},
}  # fmt: skip


def test_what_still_goes_on_counts_up_to_the_last_moment_known(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path)
    folder.write([], OPEN)
    [anna] = folder.rows("agents", DAY)
    assert anna["agent_name"] == "Anna"
    assert anna["logged_in_s"] == 3.5 * 3600 + 5
    assert (anna["pauses"], anna["paused_s"]) == (1, 1805)
    assert anna["last_activity"] == f"{DAY}T12:00:00.000000+01:00"
    text = folder.table("agents", DAY)
    assert (
        "Still going on, counted up to 12:30:05: 1 pause (1001 lunch since 12:00:00), log-ins of 1 agent."
        in text
    )
    assert "Known up to 12:30:05." in text
    assert "1 call of the switchboard still goes on, and counts when it has ended." in text


def test_what_still_goes_on_is_clipped_and_left_out_where_it_is_not_of_the_period(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path)
    folder.write([], OPEN)
    [anna] = folder.rows("agents", f"{DAY}T10:00..{DAY}T11:00", "--queue", "sales")
    assert (anna["logged_in_s"], anna["pauses"]) == (3600, 0)
    assert folder.rows("agents", "2026-11-17") == []
    assert folder.rows("agents", DAY, "--agent", "1002") == []
    later = folder.table("agents", "2026-11-19")
    assert (
        "Nothing is known of this period: the switchboard was last watched at 2026-11-18 12:30:05." in later
    )


def test_an_open_item_of_another_form_is_told(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path)
    folder.write([], {("pause", "1001"): {"agent": "1001"}})
    done = folder.run("agents", DAY)
    assert done.exit_code == 1
    assert "open_item pause '1001' of milano in the journal is not understood" in done.stderr


def test_what_goes_on_cannot_steer_the_terminal(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path)
    who = {"agent": "1001", "agent_name": "An\x1b[2Jna"}
    paused = OpenPause(**who, reason="lu\x1b]0;x\x07nch", started_at=at(f"{DAY} 12:00"))
    folder.write([], {("pause", "1001"): asdict(paused), ("board", ""): {"known_at": at(f"{DAY} 12:30")}})
    text = folder.table("agents", DAY)
    assert "lu ]0;x nch" in text
    assert "\x1b" not in text


def test_pauses_by_reason_are_a_table_of_their_own(day: ReportFolder) -> None:
    text = day.table("agents", DAY)
    below = text[text.index("reason of pause") :]
    assert [line.split() for line in below.splitlines()[2:6]] == [
        ["1001", "Anna", "(none)", "1", "10:00"],
        ["1001", "Anna", "lunch", "2", "40:00"],
        ["1002", "Bruno", "night", "1", "15:00"],
        [],
    ]


def test_csv_has_the_pauses_as_json(day: ReportFolder) -> None:
    anna = day.csv("agents", DAY)[0]
    assert anna["pauses_by_reason"].startswith('[{"reason": "", "count": 1, "total_s": 600.0}')


def test_name_is_the_latest(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path)
    renamed = {"agent": "1001", "agent_name": "Anna Rossi"}
    folder.write(
        [
            session(renamed, "sales", f"{DAY} 12:00", f"{DAY} 13:00"),
            session(ANNA, "sales", f"{DAY} 09:00", f"{DAY} 10:00"),
        ]
    )
    [row] = folder.rows("agents", DAY)
    assert (row["agent_name"], row["logged_in_s"]) == ("Anna Rossi", 7200)
