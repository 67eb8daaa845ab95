"""Whoever sums the half hours of a period up gets the figures of `asterpanel-exporter report` on it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from asterpanel_exporter.history.records import Outcome
from tests import traces
from tests.unit.past import replayed
from tests.unit.random_past import RandomPast
from tests.unit.report_journal import at
from tests.unit.rollup_journal import RollUpFolder, Row, folder_with

FLOW_OUTS = [each.value for each in Outcome if each not in (Outcome.ANSWERED, Outcome.ABANDONED)]


def sums(rows: Iterable[Row], key: str) -> dict[str, Counter[str]]:
    """Of all numbers, by a tag."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[row[key]].update({name: value for name, value in row.items() if not isinstance(value, str)})
    return found


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def about(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, abs=2e-5, rel=1e-9)


def in_period(rows: Iterable[Row], start: float, end: float) -> list[Row]:
    return [row for row in rows if start <= row["time"] / 1e6 < end]


def period(start: float, end: float) -> str:
    return "..".join(
        datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for each in (start, end)
    )


def check_queues(folder: RollUpFolder, start: float, end: float) -> int:
    """Says how many rows there were to compare."""
    made = in_period(folder.made("queue_interval"), start, end)
    by_queue = sums(made, "queue")
    longest = {row["queue"]: 0.0 for row in made}
    for row in made:
        longest[row["queue"]] = max(longest[row["queue"]], row["longest_wait_s"])
    reported = folder.rows("queues", period(start, end))
    for row in reported:
        mine = by_queue.pop(row["queue"])
        assert {
            "offered": mine["offered"],
            "answered": mine["answered"],
            "abandoned": mine["abandoned"],
            "short_abandoned": mine["short_abandon"],
            "transferred": mine["transferred"],
            "attempts": mine["rings"],
            "no_answer": mine["ring_no_answer"],
            "service_level": about(ratio(mine["good"], mine["counted"])),
            "abandon_rate": about(ratio(mine["abandoned"], mine["offered"])),
            "asa_s": about(ratio(mine["answered_wait_s"], mine["answered"])),
            "longest_wait_s": about(longest[row["queue"]] if mine["offered"] else None),
            "average_talk_s": about(ratio(mine["talk_s"], mine["answered"])),
            "aht_s": about(ratio(mine["talk_s"] + mine["wrapup_s"], mine["answered"])),
        }.items() <= row.items()
        flow_outs = {name: mine[{"continue": "continued"}.get(name, name)] for name in FLOW_OUTS}
        assert {name: row[name] for name in FLOW_OUTS} == flow_outs
    # What the report does not mention had members alone.
    assert not any(mine["offered"] or mine["rings"] for mine in by_queue.values())
    return len(reported)


def check_agents(folder: RollUpFolder, start: float, end: float) -> int:
    """The same for agents."""
    duties = in_period(folder.made("agent_duty"), start, end)
    in_queues = sums(in_period(folder.made("agent_interval"), start, end), "agent")
    on_duty = sums(duties, "agent")
    reported = folder.rows("agents", period(start, end))
    assert {row["agent"] for row in reported} == on_duty.keys()
    for row in reported:
        mine, duty = in_queues[row["agent"]], on_duty[row["agent"]]
        own = [each for each in duties if each["agent"] == row["agent"]]
        busy_s = duty["on_call_s"] + mine["ring_s"] + duty["wrapup_s"]
        assert {
            "agent_name": own[-1]["agent_name"],
            "answered": mine["answered"],
            "talk_s": about(mine["talk_s"]),
            "wrapup_s": about(mine["wrapup_s"]),
            "transferred": mine["transferred"],
            "no_answer": mine["ring_no_answer"],
            "rejected": mine["ring_rejected"],
            "ring_s": about(mine["ring_s"]),
            "paused_s": about(duty["paused_s"]),
            "logged_in_s": about(duty["on_duty_s"]),
            "occupancy": about(ratio(busy_s, duty["available_s"])),
            "talk_in_period_s": about(duty["on_call_s"]),
            "wrapup_in_period_s": about(duty["wrapup_s"]),
        }.items() <= row.items()
        moments = [(each["first_at"], each["last_at"]) for each in own if each["first_at"]]
        for name, moment in (("first_activity", moments[0][0]), ("last_activity", moments[-1][1])):
            assert datetime.fromisoformat(row[name]).timestamp() == pytest.approx(moment, abs=1)
    return len(reported)


@pytest.mark.parametrize(
    ("seed", "day", "zone"),
    [
        (1, "2026-11-18", "Europe/Rome"),
        (2, "2026-10-25", "Europe/Rome"),
        (3, "2026-03-29", "Europe/Rome"),
        (4, "2026-11-18", "Asia/Kathmandu"),
    ],
)
def test_of_a_random_day(tmp_path: Path, seed: int, day: str, zone: str) -> None:
    folder = folder_with(tmp_path, zones={"milano": zone}, queue_settings=[{"wrapup_time": 10}])
    middle = at(f"{day} 12:00")
    folder.write(RandomPast(seed, middle - 30 * 3600, middle + 30 * 3600).records())
    folder.roll_up()
    # Over the ends of the period: memberships, pauses and talks.
    start = at(f"{day} 00:00") if zone == "Europe/Rome" else middle - 12 * 3600 - 900
    end = start + 24 * 3600
    assert check_queues(folder, start, end) == 3
    assert check_agents(folder, start, end) == 4


@pytest.mark.parametrize("name", traces.ALL)
def test_of_a_replayed_trace(tmp_path: Path, name: str) -> None:
    live = replayed([traces.recording(name)])
    folder = folder_with(tmp_path, queue_settings=[{"wrapup_time": 3}])
    folder.write(live.records, {key: json.loads(text) for key, text in live.open_items.items()})
    folder.roll_up()
    if not live.calls:  # half hours begin with the first call
        assert folder.lines() == []
        return
    times = [row["time"] / 1e6 for row in folder.made("queue_interval")]
    start, end = min(times), max(times) + 1800
    assert check_queues(folder, start, end) > 0
    check_agents(folder, start, end)
