"""`report calls`: which calls are listed, in which order, and how many more there are."""

from pathlib import Path

import pytest

from asterpanel_exporter.history.records import EndedBy, Outcome
from tests.unit.report_journal import ReportFolder, call

DAY = "2026-11-18"


@pytest.fixture
def day(tmp_path: Path) -> ReportFolder:
    folder = ReportFolder(tmp_path)
    folder.write(
        [
            call("sales", f"{DAY} 09:00:01.5", Outcome.ANSWERED, wait_s=12.25, ring_s=4.0, talk_s=65.0,
                 attempts=2, caller="0205550101", caller_name="[red] Rossi, C.", uniqueid="1.1",
                 linkedid="1.0", ended_by=EndedBy.BLIND_TRANSFER, transfer_to="300"),
            call("sales-it", f"{DAY} 10:00", Outcome.ABANDONED, wait_s=95.0, caller="0205550102"),
            call("support", f"{DAY} 11:00", Outcome.FULL, caller="0395550101"),
            call("support", f"{DAY} 12:00", Outcome.ANSWERED, wait_s=30.0, talk_s=5.0, agent="1002",
                 agent_name="Bruno", caller="0205550101"),
            call("support", "2026-11-19 00:00", Outcome.ABANDONED, wait_s=30.0),
        ]
    )  # fmt: skip
    return folder


def joined(day: ReportFolder, *arguments: str) -> list[str]:
    return [row["time"][11:16] for row in day.rows("calls", DAY, *arguments)]


def test_every_column(day: ReportFolder) -> None:
    assert day.rows("calls", DAY, "--sort", "oldest")[0] == {
        "switchboard": "milano", "time": f"{DAY}T09:00:01.500000+01:00", "queue": "sales",
        "caller": "0205550101", "caller_name": "[red] Rossi, C.", "outcome": "answered",
        "wait_s": 12.25, "agent": "1001", "agent_name": "Anna", "ring_s": 4.0, "talk_s": 65.0,
        "ended_by": "blind_transfer", "transfer_to": "300", "attempts": 2,
        "uniqueid": "1.1", "linkedid": "1.0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "times"),
    [
        ((), ["12:00", "11:00", "10:00", "09:00"]),
        (("--sort", "oldest"), ["09:00", "10:00", "11:00", "12:00"]),
        (("--sort", "wait"), ["10:00", "12:00", "09:00", "11:00"]),
        (("--sort", "talk", "--limit", "2"), ["09:00", "12:00"]),
        (("--outcome", "abandoned"), ["10:00"]),
        (("--outcome", "abandoned", "--outcome", "full"), ["11:00", "10:00"]),
        (("--queue", "sales*"), ["10:00", "09:00"]),
        (("--queue", "sales", "--queue", "sup*"), ["12:00", "11:00", "09:00"]),
        (("--queue", "SALES"), []),
        (("--agent", "1001"), ["09:00"]),
        (("--agent", "B?uno"), ["12:00"]),
        (("--caller", "0205550101"), ["12:00", "09:00"]),
        (("--caller", "*0101", "--outcome", "full"), ["11:00"]),
        (("--longer-than", "30"), ["10:00"]),
        (("--longer-than", "0.4m", "--agent", "*"), ["12:00", "11:00", "10:00", "09:00"][:1]),
    ],
)
def test_filters_and_orders(day: ReportFolder, arguments: tuple[str, ...], times: list[str]) -> None:
    if "--agent" in arguments and "*" in arguments:
        arguments = (*arguments, "--outcome", "answered")
    assert joined(day, *arguments) == times


def test_limit_says_how_many_more(day: ReportFolder) -> None:
    text = day.table("calls", DAY, "--limit", "3")
    assert "3 of 4 calls; --limit shows more, --limit 0 all." in text
    assert "09:00:01" not in text
    assert " of " not in day.table("calls", DAY, "--limit", "4").split("attempts")[1]
    assert day.json("calls", DAY, "--limit", "3")["switchboards"][0]["notes"] == [
        "3 of 4 calls; --limit shows more, --limit 0 all."
    ]


def test_tables_have_the_newest_fifty_and_csv_has_all(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path)
    folder.write(call("sales", f"{DAY} 09:{number:02}", Outcome.ABANDONED) for number in range(60))
    text = folder.table("calls", DAY)
    assert "50 of 60 calls" in text
    assert "09:10:00" in text
    assert "09:09:00" not in text
    assert len(folder.csv("calls", DAY)) == 60
    assert "50 of" not in folder.table("calls", DAY, "--limit", "0")


def test_names_are_shown_as_they_are(day: ReportFolder) -> None:
    rows = day.csv("calls", DAY, "--caller", "0205550101", "--agent", "1001")
    assert [row["caller_name"] for row in rows] == ["[red] Rossi, C."]
