"""What the half hours say, on a hand-made morning, every figure computed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AgentSession,
    AttemptResult,
    EndedBy,
    Outcome,
    Record,
    SwitchboardGap,
)
from tests.unit.report_journal import at, call
from tests.unit.rollup_journal import RollUpFolder, folder_with

DAY = "2026-11-18"  # a Wednesday
ANNA: dict[str, Any] = {"agent": "1001", "agent_name": "Anna"}
BRUNO: dict[str, Any] = {"agent": "1002", "agent_name": "Bruno"}


def session(who: dict[str, Any], queue: str, start: str, end: str) -> AgentSession:
    return AgentSession("milano", queue, **who, started_at=at(f"{DAY} {start}"),
                        duration_s=at(f"{DAY} {end}") - at(f"{DAY} {start}"))  # fmt: skip


def pause(who: dict[str, Any], start: str, end: str) -> AgentPause:
    return AgentPause("milano", **who, reason="lunch", started_at=at(f"{DAY} {start}"),
                      duration_s=at(f"{DAY} {end}") - at(f"{DAY} {start}"))  # fmt: skip


def attempt(
    who: dict[str, Any], queue: str, started: str, result: AttemptResult, ring_s: float
) -> AgentAttempt:
    return AgentAttempt(
        "milano", queue, **who, result=result, started_at=at(f"{DAY} {started}"), ring_s=ring_s,
        uniqueid=started,
    )  # fmt: skip


MORNING: list[Record] = [
    # Anna is in both queues from 09:10 on, Bruno in sales alone from 09:00 on; both until noon.
    session(ANNA, "sales", "09:10", "12:00"),
    session(ANNA, "support", "09:10", "12:00"),
    session(BRUNO, "sales", "09:00", "12:00"),
    pause(BRUNO, "09:50", "10:20"),
    # Anna is rung for 5 s, talks from 09:15:10 for 900 s, over the half hour, and wraps up for 10 s.
    attempt(ANNA, "sales", "09:15:05", AttemptResult.ANSWERED, 5.0),
    call("sales", f"{DAY} 09:15", Outcome.ANSWERED, wait_s=10.0, ring_s=5.0, talk_s=900.0, **ANNA),
    # Bruno does not answer, and then does, too late for the service level.
    attempt(BRUNO, "sales", "09:20", AttemptResult.NO_ANSWER, 15.0),
    attempt(BRUNO, "sales", "09:20:20", AttemptResult.ANSWERED, 4.0),
    call("sales", f"{DAY} 09:20", Outcome.ANSWERED, wait_s=24.0, ring_s=4.0, talk_s=96.0, **BRUNO,
         ended_by=EndedBy.BLIND_TRANSFER),
    call("sales", f"{DAY} 09:25", Outcome.ABANDONED, wait_s=3.0),
    call("sales", f"{DAY} 09:26", Outcome.ABANDONED, wait_s=50.0),
    call("sales", f"{DAY} 09:27", Outcome.FULL),
    call("sales", f"{DAY} 09:28", Outcome.CONTINUE, wait_s=7.0),
    # Without a threshold it does not count for the service level.
    call("support", f"{DAY} 10:05", Outcome.ANSWERED, wait_s=3.0, ring_s=2.0, talk_s=60.0, sl_threshold_s=0.0,
         **ANNA),
    attempt(ANNA, "support", "10:05:01", AttemptResult.ANSWERED, 2.0),
    attempt(ANNA, "support", "10:10", AttemptResult.REJECTED, 1.0),
    attempt(ANNA, "support", "10:11", AttemptResult.CANCELLED, 2.0),
    # On pause, and rung all the same: that keeps nobody from sales who was not away already.
    attempt(BRUNO, "support", "10:12", AttemptResult.NO_ANSWER, 5.0),
    SwitchboardGap("milano", "eof", at(f"{DAY} 10:25"), 600.0, 0),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RollUpFolder:
    made = folder_with(tmp_path_factory.mktemp("rollup"))
    made.write(MORNING)
    made.roll_up()
    return made


def some(row: dict[str, Any], *names: str) -> list[Any]:
    return [row[name] for name in names]


def some_of(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def test_calls_of_a_queue(folder: RollUpFolder) -> None:
    row = folder.half_hour("queue_interval", f"{DAY} 09:00", queue="sales")
    assert some(row, "offered", "answered") == [6, 2]
    by_hour = folder.half_hour("queue_local_hour", f"{DAY} 09:00", queue="sales")
    assert some(by_hour, "weekday", "hour") == ["3", "09"]
    assert by_hour | row == row | some_of(by_hour, "weekday", "hour")  # the same figures
    assert some(row, "abandoned", "short_abandon", "transferred") == [2, 1, 1]
    flow_outs = {name for name in row if row[name] == 1} - {"short_abandon", "transferred"}
    assert {"full", "continued"} <= flow_outs
    assert some(row, "timeout", "exit_key", "redirected", "unknown") == [0, 0, 0, 0]
    assert some(row, "answered_wait_s", "abandoned_wait_s", "longest_wait_s") == [34.0, 53.0, 50.0]
    assert some(row, "answered_ring_s", "talk_s", "wrapup_s") == [9.0, 996.0, 20.0]
    assert some(row, "rings", "ring_no_answer", "ring_rejected", "no_answer_ring_s") == [3, 1, 0, 15.0]


def test_service_level_of_a_queue(folder: RollUpFolder) -> None:
    row = folder.half_hour("queue_interval", f"{DAY} 09:00", queue="sales")
    names = (
        "sl_offered",
        "sl_answered",
        "sl_abandoned",
        "sl_short_abandon",
        "within_sl",
        "abandoned_within_sl",
    )
    assert some(row, *names) == [6, 2, 2, 1, 1, 1]
    # Formula 4: the answered and abandoned, but for short abandons.
    assert some(row, "counted", "good", "lost") == [3, 1, 1.4]
    assert sum(row[name] for name in row if name.startswith("lost_")) == pytest.approx(1.4)
    support = folder.half_hour("queue_interval", f"{DAY} 10:00", queue="support")
    assert some(support, "offered", "answered", *names) == [1, 1, 0, 0, 0, 0, 0, 0]
    assert some(support, "counted", "good", "lost", "needed_s") == [0, 0, 0.0, 0.0]


def test_members_of_a_queue(folder: RollUpFolder) -> None:
    def members(queue: str, start: str) -> list[float]:
        row = folder.half_hour("queue_interval", f"{DAY} {start}", queue=queue)
        return some(row, "staffed_s", "paused_s", "elsewhere_s")

    assert members("sales", "09:00") == [1800.0 + 1200.0, 0.0, 0.0]
    assert members("sales", "09:30") == [3600.0, 600.0, 0.0]
    # Busy with support, which has no wrap-up: 2 s, 60 s, then 1 s and 2 s of ringing.
    assert members("sales", "10:00") == [3600.0, 1200.0, 65.0]
    # Busy with sales: 5 s of ringing, then 09:15:10 to 09:30; then to 09:30:10, and 10 s of wrap-up.
    assert members("support", "09:00") == [1200.0, 0.0, 5.0 + 890.0]
    assert members("support", "09:30") == [1800.0, 0.0, 10.0 + 10.0]
    assert members("support", "10:00") == [1800.0, 0.0, 0.0]


def test_what_was_watched(folder: RollUpFolder) -> None:
    watched = [row["watched_s"] for row in folder.made("queue_interval", queue="sales")]
    assert watched == [1800.0, 1800.0, 1500.0, 1500.0, 1800.0, 1800.0]


def test_an_agent_in_a_queue(folder: RollUpFolder) -> None:
    anna = folder.half_hour("agent_interval", f"{DAY} 09:00", agent="1001", queue="sales")
    assert some(anna, "agent_name", "answered", "talk_s", "wrapup_s", "answered_ring_s", "transferred") == [
        "Anna", 1, 900.0, 10.0, 5.0, 0,
    ]  # fmt: skip
    assert some(anna, "rings", "ring_s", "staffed_s", "paused_s") == [1, 5.0, 1200.0, 0.0]
    support = folder.half_hour("agent_interval", f"{DAY} 10:00", agent="1001", queue="support")
    assert some(support, "rings", "ring_no_answer", "ring_rejected", "ring_cancelled", "ring_s") == [
        3,
        0,
        1,
        1,
        5.0,
    ]
    bruno = folder.half_hour("agent_interval", f"{DAY} 09:30", agent="1002")
    assert some(bruno, "answered", "rings", "staffed_s", "paused_s") == [0, 0, 1800.0, 600.0]
    assert folder.half_hour("agent_interval", f"{DAY} 09:00", agent="1002")["transferred"] == 1


def test_the_time_of_an_agent(folder: RollUpFolder) -> None:
    def time_of(agent: str, start: str) -> list[float]:
        row = folder.half_hour("agent_duty", f"{DAY} {start}", agent=agent)
        return some(
            row, "on_duty_s", "paused_s", "available_s", "idle_s", "on_call_s", "ringing_s", "wrapup_s",
            "pauses",
        )  # fmt: skip

    assert time_of("1001", "09:00") == [1200.0, 0.0, 1200.0, 305.0, 890.0, 5.0, 0.0, 0]
    assert time_of("1001", "09:30") == [1800.0, 0.0, 1800.0, 1780.0, 10.0, 0.0, 10.0, 0]
    assert time_of("1002", "09:30") == [1800.0, 600.0, 1200.0, 1200.0, 0.0, 0.0, 0.0, 1]
    # His phone rang while he was on pause.
    assert time_of("1002", "10:00") == [1800.0, 1200.0, 600.0, 600.0, 0.0, 5.0, 0.0, 0]


def test_the_first_and_the_last_of_an_agent(folder: RollUpFolder) -> None:
    def moments(agent: str, start: str) -> list[float]:
        return some(folder.half_hour("agent_duty", f"{DAY} {start}", agent=agent), "first_at", "last_at")

    assert moments("1001", "09:00") == [at(f"{DAY} 09:10"), at(f"{DAY} 09:15:10")]
    assert moments("1001", "09:30") == [at(f"{DAY} 09:30:10")] * 2
    assert moments("1002", "10:30") == [0.0, 0.0]


def test_half_hours_without_anything_are_not_made(folder: RollUpFolder) -> None:
    half_hours = ("09:00", "09:30", "10:00", "10:30", "11:00", "11:30")
    assert [row["time"] for row in folder.made("queue_interval", queue="sales")] == [
        round(at(f"{DAY} {start}") * 1e6) for start in half_hours
    ]
    # It was the first call that the roll-up begins with.
    assert folder.made("agent_duty")[0]["time"] == round(at(f"{DAY} 09:00") * 1e6)


def test_agents_whom_the_calls_needed(folder: RollUpFolder) -> None:
    """Six calls of 512.5 s in half an hour are 1.71 Erlangs: 70 % in time by three agents, 90 % by four."""
    row = folder.half_hour("queue_interval", f"{DAY} 09:00", queue="sales")
    assert row["needed_s"] / 1800 == pytest.approx(3.4, abs=0.05)
    # Without an earlier week, the plan is what came.
    assert some(row, "planned_offered", "planned_handle_s") == [6.0, 6 * 512.5]


def test_the_same_half_hour_of_earlier_weeks_is_the_plan(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    weeks = {"2026-10-21": 2, "2026-10-28": 4, "2026-11-04": 0, "2026-11-11": 10, DAY: 3}
    for day, count in weeks.items():
        folder.write(
            call("sales", f"{day} 09:0{n}", Outcome.ANSWERED, wait_s=1.0, ring_s=1.0, talk_s=49.0 + n)
            for n in range(count)
        )
    folder.roll_up()
    row = folder.half_hour("queue_interval", f"{DAY} 09:00")
    # 16 calls in four weeks, one of them without any: 4; with ringing, talk and wrap-up 60 s and more each.
    assert row["planned_offered"] == 4.0
    assert row["planned_handle_s"] == pytest.approx(4 * (60 * 16 + 1 + 6 + 45) / 16)
    # The clocks had been put back in between: it is the local time that counts.
    assert folder.half_hour("queue_interval", "2026-10-28 09:00")["planned_offered"] == 2.0
    assert folder.half_hour("queue_interval", "2026-10-21 09:00")["planned_offered"] == 2.0


def test_a_week_that_was_not_watched_is_no_plan(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    folder.write(
        [
            call("sales", "2026-11-04 09:01", Outcome.ANSWERED, wait_s=1.0, talk_s=50.0),
            call("sales", "2026-11-04 09:02", Outcome.ANSWERED, wait_s=1.0, talk_s=50.0),
            SwitchboardGap("milano", "eof", at("2026-11-11 09:10"), 600.0, 0),
            call("sales", f"{DAY} 09:01", Outcome.ANSWERED, wait_s=1.0, talk_s=50.0),
        ]
    )
    folder.roll_up()
    assert folder.half_hour("queue_interval", f"{DAY} 09:00")["planned_offered"] == 2.0


def test_the_configured_target_and_formula_count(tmp_path: Path) -> None:
    settings = {
        "targets": [{"queues": ["sal*"], "service_level": {"target": "90%", "critical": "50%"}}],
        "dashboards": {"service_level_formula": "offered"},
        "queue_settings": [{"wrapup_time": 10}],
    }
    folder = folder_with(tmp_path, **settings)
    folder.write(MORNING)
    folder.roll_up()
    row = folder.half_hour("queue_interval", f"{DAY} 09:00", queue="sales")
    assert some(row, "counted", "good", "lost") == [6, 1, 4.4]


def test_what_goes_on_counts_up_to_the_last_moment_known(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    known_at = at(f"{DAY} 09:50")
    folder.write(
        [call("sales", f"{DAY} 09:01", Outcome.ANSWERED, wait_s=1.0, talk_s=50.0, **BRUNO)],
        {
            ("session", "a"): {"queue": "sales", "started_at": at("2026-11-10 08:00"), **ANNA},
            ("pause", "1001"): {**ANNA, "reason": "lunch", "started_at": at(f"{DAY} 09:40"), "by": ""},
            ("board", ""): {"known_at": known_at},
        },
    )  # fmt: skip
    folder.roll_up()
    first, running = folder.made("queue_interval")
    assert some(first, "staffed_s", "paused_s", "watched_s") == [1800.0, 0.0, 1800.0]
    assert some(running, "staffed_s", "paused_s", "watched_s") == [1200.0, 600.0, 1200.0]
    assert some(folder.half_hour("agent_duty", f"{DAY} 09:30"), "on_duty_s", "available_s") == [1200.0, 600.0]


def test_agents_needed_in_a_half_hour_that_goes_on_are_for_the_time_that_was(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    calls = [call("sales", f"{DAY} 09:0{n}", Outcome.ANSWERED, wait_s=1.0, talk_s=170.0) for n in range(9)]
    folder.write(calls, {("board", ""): {"known_at": at(f"{DAY} 09:10")}})
    folder.roll_up()
    soon = folder.half_hour("queue_interval", f"{DAY} 09:00")["needed_s"] / 600
    folder.write([], {("board", ""): {"known_at": at(f"{DAY} 09:31")}})
    folder.roll_up()
    after = folder.half_hour("queue_interval", f"{DAY} 09:00")["needed_s"] / 1800
    assert soon > 2 * after > 0


def test_a_name_that_changes_ends_one_series_and_begins_another(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    other = {"agent": "1001", "agent_name": "Anna Bianchi"}
    folder.write(
        [
            call("sales", f"{DAY} 09:01", Outcome.ANSWERED, wait_s=1.0, talk_s=50.0, **ANNA),
            session(ANNA, "sales", "09:00", "09:40"),
            session(other, "sales", "09:40", "09:55"),
        ]
    )
    folder.roll_up()
    names = [(row["agent_name"], row["staffed_s"]) for row in folder.made("agent_interval")]
    assert sorted(names) == [("Anna", 600.0), ("Anna", 1800.0), ("Anna Bianchi", 900.0)]
    assert [(row["agent_name"], row["on_duty_s"]) for row in folder.made("agent_duty")] == [
        ("Anna", 1800.0), ("Anna Bianchi", 1500.0),
    ]  # fmt: skip


def test_where_no_member_is_known_staffing_is_no_cause(tmp_path: Path) -> None:
    """As in an imported log of members who were never added: they are in queues.conf."""
    folder = folder_with(tmp_path)
    folder.write(
        [
            call("sales", f"{DAY} 09:{minute:02}", Outcome.ANSWERED, wait_s=wait_s, talk_s=60.0)
            for minute, wait_s in enumerate([3.0, 30.0] * 15)
        ]
    )
    folder.roll_up()
    sales = folder.half_hour("queue_interval", f"{DAY} 09:00")
    assert {name: sales[name] for name in ("staffed_s", "lost", "lost_staffing", "lost_other")} == {
        "staffed_s": 0.0, "lost": 9.0, "lost_staffing": 0.0, "lost_other": 9.0,
    }  # fmt: skip


def test_of_a_half_hour_that_was_watched_in_part_nobody_knows_why(tmp_path: Path) -> None:
    def of(*gaps: SwitchboardGap) -> dict[str, Any]:
        folder = folder_with(tmp_path / str(len(gaps)))
        calls = [
            call("sales", f"{DAY} 09:{20 + n // 4}:{n % 4 * 15:02}", Outcome.ABANDONED, wait_s=90.0)
            for n in range(12)
        ]
        folder.write([*calls, *gaps])
        folder.roll_up()
        return folder.half_hour("queue_interval", f"{DAY} 09:00")

    causes = ("lost", "lost_staffing", "lost_other")
    assert some(of(), *causes) == [9.6, 9.6, 0.0]
    gap = SwitchboardGap("milano", "eof", at(f"{DAY} 09:00"), 600.0, 0)
    assert some(of(gap), *causes) == [9.6, 0.0, 9.6]
