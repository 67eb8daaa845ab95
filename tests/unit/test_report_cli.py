"""`asterpanel-exporter report` as it looks in a terminal, and what it says when there is nothing to show."""

import sqlite3
from pathlib import Path

import pytest
from rich.cells import cell_len

from asterpanel_exporter.history.records import Outcome, Record, SwitchboardGap
from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.report.rendering import blocks
from asterpanel_switchboard.service_level import FORMULAS
from tests.unit.report_journal import SETTINGS, ReportFolder, at, call

DAY = "2026-11-18"
EVERY_OUTCOME: list[Record] = [
    call(queue, f"{DAY} 09:{number:02}", outcome, wait_s=4000.0, talk_s=71.4)
    for queue in ("sales", "support-second-level")
    for number, outcome in enumerate(Outcome)
]


TABLE = """\
milano: queues, 2026-11-18 00:00 to 2026-11-19 00:00 Europe/Rome

                            aban-  of them  service  abandon        average
queue    offered  answered  doned    short    level     rate   ASA     wait
───────────────────────────────────────────────────────────────────────────
sales          2         1      1        0    50.0%    50.0%  0:10     0:42
support        1         1      0        0   100.0%     0.0%  0:01     0:01
───────────────────────────────────────────────────────────────────────────
Total          3         2      1        0    66.7%    33.3%  0:05     0:29

         longest  average           trans-  transfer
queue       wait     talk      AHT  ferred      rate  attempts  RNA
───────────────────────────────────────────────────────────────────
sales       1:15  1:01:00  1:01:10       0      0.0%         0    0
support     0:01     1:00     1:00       0      0.0%         0    0
───────────────────────────────────────────────────────────────────
Total       1:15    31:00    31:05       0      0.0%         0    0

Service level: formula 4, A≤T / (A+B−S): answered within T, of all answered and
abandoned but short abandons.
T = 20 s.
AHT is talk and wrap-up as configured: 0:10; none is configured for support.
"""


@pytest.fixture
def folder(tmp_path: Path) -> ReportFolder:
    return ReportFolder(tmp_path)


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("what", ["queues", "agents", "calls"])
def test_tables_fit_the_terminal(folder: ReportFolder, what: str, width: int) -> None:
    folder.write(EVERY_OUTCOME)
    text = folder.table(what, DAY, width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "\x1b" not in text


def test_a_table_that_is_too_wide_goes_on_below_and_loses_nothing(folder: ReportFolder) -> None:
    folder.write(EVERY_OUTCOME)
    narrow = folder.table("queues", DAY, width=80)
    wide = folder.table("queues", DAY, width=300)
    assert narrow.count("support-second-level") > wide.count("support-second-level")
    cells = [line.split()[1:] for line in wide.splitlines() if line.startswith("support-second-level ")]
    parts = [line.split()[1:] for line in narrow.splitlines() if line.startswith("support-second-level ")]
    assert cells == [[cell for part in parts for cell in part]]


def test_blocks_repeat_the_keys_and_have_one_column_at_least() -> None:
    assert blocks([5, 5, 5, 5], [0], 19) == [[0, 1, 2], [0, 3]]
    assert blocks([5, 5, 5], [0], 19) == [[0, 1, 2]]
    assert blocks([50, 5, 5], [0], 19) == [[0, 1], [0, 2]]
    assert blocks([5], [0], 19) == [[0]]


def test_table_of_queues(folder: ReportFolder) -> None:
    folder.write(
        [
            call("sales", f"{DAY} 09:00", Outcome.ANSWERED, wait_s=9.6, talk_s=3660.0),
            call("sales", f"{DAY} 09:01", Outcome.ABANDONED, wait_s=75.0),
            call("support", f"{DAY} 09:02", Outcome.ANSWERED, wait_s=1.0, talk_s=60.0),
        ]
    )
    lines = folder.table("queues", DAY, width=80).splitlines()
    assert [line.rstrip() for line in lines] == TABLE.splitlines()


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.name)
def test_the_formula_is_printed_where_a_service_level_is_shown(folder: ReportFolder, formula: object) -> None:
    folder.write(EVERY_OUTCOME)
    number, symbols, words = (getattr(formula, name) for name in ("number", "symbols", "words"))
    said = f"Service level: formula {number}, {symbols}: {words}."
    assert said in folder.table("queues", DAY, "--formula", str(number))
    csv = folder.run("queues", DAY, "--formula", str(number), "--format", "csv")
    assert said in csv.stderr.splitlines()
    content = folder.json("queues", DAY, "--formula", str(number))
    assert content["formula"]["words"] == words
    assert words in content["definitions"]["service_level"]


def test_gaps_in_the_period_are_told(folder: ReportFolder) -> None:
    def gap(started: str, minutes: float, missed: int) -> SwitchboardGap:
        return SwitchboardGap("milano", "timeout", at(started), minutes * 60, missed)

    folder.write(
        [
            *EVERY_OUTCOME,
            gap(f"{DAY} 10:02", 7, 12),
            gap(f"{DAY} 12:00", 3, 2),
            gap("2026-11-19 00:00", 3, 50),
            gap("2026-11-17 23:00", 60, 50),
        ]
    )
    told = "2 gaps, 14 calls missed: 10:02–10:09, 12:00–12:03; import-queue-log adds them, if it has not yet."
    for what in ("queues", "agents", "calls"):
        assert told in folder.table(what, DAY)
        assert f"milano: {told}" in folder.run(what, DAY, "--format", "csv").stderr.splitlines()
        [board] = folder.json(what, DAY)["switchboards"]
        assert [(item["from"][11:16], item["calls_missed"]) for item in board["gaps"]] == [
            ("10:02", 12),
            ("12:00", 2),
        ]
    assert "2 gaps, 14 calls" not in folder.table("queues", "2026-11-19")
    assert "2026-11-17 23:00–2026-11-18 00:00, 2026-11-18 10:02–10:09" in folder.table("queues", "2026-11")


def test_a_gap_without_calls(folder: ReportFolder) -> None:
    folder.write([*EVERY_OUTCOME, SwitchboardGap("milano", "timeout", at(f"{DAY} 10:02"), 60, 0)])
    assert "1 gap, no call missed: 10:02–10:03.\n" in folder.table("queues", DAY)


def test_period_may_be_several_words_or_an_option(folder: ReportFolder) -> None:
    folder.write(EVERY_OUTCOME)
    assert folder.json("queues", "last", "7d")["period"] == "last 7d"
    assert folder.json("queues", "--period", "2026-11")["rows"]
    assert folder.json("queues")["period"] == "today"
    done = folder.run("queues", "today", "--period", "today")
    assert done.exit_code == 2
    assert "the period is given twice" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("queues", "sometime"), "'sometime' is no period"),
        (("queues", "--formula", "8"), "there is no formula '8'; there are: 1 (asterisk)"),
        (("queues", "--threshold", "soon"), "must be a duration"),
        (("queues", "--threshold", "0"), "must be above 0"),
        (("queues", "--by", "year"), "'year' is not one of 'day', 'hour', 'weekday'"),
        (("queues", "--switchboard", "roma"), "'roma' is not configured; there are: milano"),
        (("calls", "--outcome", "lost"), "'lost' is not one of 'answered', 'abandoned'"),
        (("calls", "--longer-than", "-5"), "must not be negative"),
        (("calls", "--limit", "-1"), "-1 is not in the range x>=0"),
        (("agents", "--format", "xml"), "'xml' is not one of"),
    ],
)
def test_wrong_usage_is_told(folder: ReportFolder, arguments: tuple[str, ...], message: str) -> None:
    done = folder.run(*arguments)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())


def test_an_invalid_configuration_exits_with_3(folder: ReportFolder) -> None:
    folder.config.write_text("switchboards: {}\n", encoding="utf-8")
    assert folder.run("queues").exit_code == 3


def test_no_journal(folder: ReportFolder) -> None:
    done = folder.run("queues")
    assert done.exit_code == 1
    assert f"there is no journal {folder.journal}" in done.stderr
    assert "`asterpanel-exporter run` makes it" in done.stderr


def test_something_else_than_a_journal(folder: ReportFolder) -> None:
    sqlite3.connect(folder.journal).execute("CREATE TABLE cdr (id)").connection.close()
    done = folder.run("queues")
    assert done.exit_code == 1
    assert "no journal of Asterpanel" in done.stderr
    folder.journal.write_text("hello " * 1000, encoding="ascii")
    assert folder.run("queues").exit_code == 1


def test_a_damaged_journal_is_told(folder: ReportFolder) -> None:
    folder.write(EVERY_OUTCOME)
    with folder.journal.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (folder.journal.stat().st_size - 4096))
    done = folder.run("queues", DAY)
    assert done.exit_code == 1
    assert "the journal" in done.stderr


def test_why_a_report_is_empty(folder: ReportFolder) -> None:
    folder.write([])
    for what in ("queues", "agents", "calls"):
        text = folder.table(what, DAY)
        assert "The journal has no call of milano." in text
        assert "`import-queue-log` fills in what was before." in text
    folder.write(EVERY_OUTCOME)
    text = folder.table("queues", "2026-11-19")
    reach = "The journal has calls from 2026-11-18 09:00 to 2026-11-18 09:12."
    assert f"There is nothing in this period. {reach}" in text
    text = folder.table("queues", DAY, "--queue", "bil*")
    assert "No queue matches bil*. There are: sales, support-second-level." in text
    assert f"Nothing matches in this period. {reach}" in folder.table("calls", DAY, "--caller", "1")
    done = folder.run("queues", "2026-11-19", "--format", "csv")
    assert done.exit_code == 0
    assert done.stdout.startswith("switchboard,queue,offered")
    assert "milano: There is nothing in this period." in done.stderr
    assert folder.json("queues", "2026-11-19")["switchboards"][0]["notes"] == [
        f"There is nothing in this period. {reach}"
    ]


def test_the_journal_is_read_while_the_exporter_writes(folder: ReportFolder) -> None:
    folder.write(EVERY_OUTCOME)
    with Journal.open(folder.journal) as journal, journal.transaction() as db:
        db.execute("DELETE FROM queue_call")
        assert folder.json("queues", DAY)["switchboards"][0]["total"]["offered"] == len(EVERY_OUTCOME)


def test_thresholds_are_named_by_queue_where_they_differ(folder: ReportFolder) -> None:
    folder.write(
        [
            call("sales", f"{DAY} 09:00", Outcome.ABANDONED, sl_threshold_s=10.0),
            call("sales", f"{DAY} 10:00", Outcome.ABANDONED, sl_threshold_s=20.0),
            call("support", f"{DAY} 09:00", Outcome.ABANDONED, sl_threshold_s=30.0),
        ]
    )
    assert "T: sales 10 to 20 s, support 30 s.\n" in folder.table("queues", DAY)
    assert "T: sales 10 to 20 s, support 30 s.\n" in folder.table("queues", DAY, "--by", "hour")


def test_several_switchboards_are_shown_one_after_the_other(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path, {"milano": "Europe/Rome", "torino": "Europe/Rome"}, **SETTINGS)
    folder.write(EVERY_OUTCOME)
    text = folder.table("queues", DAY)
    assert text.index("milano: queues") < text.index("sales") < text.index("torino: queues")
    assert "The journal has no call of torino." in text
    assert "torino" not in folder.table("queues", DAY, "--switchboard", "milano")


def test_names_that_look_like_markup_or_are_wide(folder: ReportFolder) -> None:
    folder.write([call("[bold]售后[/bold]", f"{DAY} 09:00", Outcome.ABANDONED)])
    text = folder.table("queues", DAY, width=80)
    assert "[bold]售后[/bold]" in text
    assert max(cell_len(line) for line in text.splitlines()) <= 80


def test_help_has_the_definitions(folder: ReportFolder) -> None:
    text = " ".join(folder.table("queues", "--help", width=100).split())
    for formula in FORMULAS:
        assert f"{formula.number}, {formula.name} {formula.symbols}: {formula.words}" in text
    assert "asa_s Average speed of answer: wait of the answered / answered, ringing included" in text
    assert "Time on hold is part of talk" in text
    assert "occupancy (Talk + ring + wrap-up) / (logged in - paused)" in " ".join(
        folder.table("agents", "--help", width=100).split()
    )
    assert "yesterday, this or last with week, month or year" in text
    assert "3 the configuration is invalid" in " ".join(folder.table("--help").split())
