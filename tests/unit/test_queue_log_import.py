"""`asterpanel-exporter import-queue-log`, as its user meets it."""

import bz2
import gzip
import json
import lzma
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asterpanel_exporter.cli import main
from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AgentSession,
    AttemptResult,
    EndedBy,
    Outcome,
    QueueCall,
    Record,
)
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.points.catalogue import QUEUE_CALL
from asterpanel_exporter.points.point import Point, point_of
from asterpanel_exporter.queue_log.importing import apart, import_logs
from asterpanel_exporter.queue_log.reading import LogFile, UnreadableLog
from asterpanel_exporter.replay import Replay
from asterpanel_switchboard.config import load_config
from tests import traces

CONFIG = """\
journal: {path: journal.db}
switchboards:
  milano: {host: 10.0.0.5, username: asterpanel, secret_env: MILANO, time_zone: Europe/Rome}
"""
LOGS = [str(path) for path in sorted(traces.FOLDER.glob("asterisk-*/*.queue_log"))]
T = 1_800_000_000
ONE_CALL = """\
1800000000|a.1|vip|NONE|ENTERQUEUE||390551001|1
1800000010|a.1|vip|Bob|RINGNOANSWER|10000
1800000015|a.1|vip|Carol|CONNECT|15|1800000012.7|3
1800000045|a.1|vip|Carol|COMPLETECALLER|15|30|1
"""
ONE_PAUSE = """\
1800000100|NONE|NONE|Bob|PAUSEALL|lunch
1800000100|NONE|vip|Bob|PAUSE|lunch
1800000700|NONE|NONE|Bob|UNPAUSEALL|
1800000700|NONE|vip|Bob|UNPAUSE|
"""
ONE_MEMBERSHIP = """\
1800000050|MANAGER|vip|Dario|ADDMEMBER|
1800000950|MANAGER|vip|Dario|REMOVEMEMBER|
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Has a configuration, and is the working directory."""
    monkeypatch.setenv("MILANO", "s3cr3t-Of-Milano")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "asterpanel.yml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["import-queue-log", *arguments], input=stdin)


def imported(text: str, *arguments: str) -> Result:
    Path("queue_log").write_text(text, encoding="utf-8")
    done = run("queue_log", *arguments)
    assert done.exit_code == 0, done.output
    return done


def rows(query: str) -> list[tuple[object, ...]]:
    with Journal.open(Path("journal.db")) as journal, journal.transaction() as db:
        return list(map(tuple, db.execute(query)))


def count(measurement: str = "queue_call") -> int:
    return len(rows(f"SELECT id FROM {measurement}"))  # noqa: S608


def seen_live(*records: Record, open_items: dict[tuple[str, str], object] | None = None) -> None:
    """What a live session has written."""
    items = {("milano", *key): json.dumps(data) for key, data in (open_items or {}).items()}
    with Journal.open(Path("journal.db")) as journal:
        points: list[tuple[str | None, Point]] = [(None, point_of(record)) for record in records]
        journal.write(Batch(points=points, open_items={**items}), T)


def live_call(**changes: object) -> QueueCall:
    fields: dict[str, object] = {
        "switchboard": "milano", "queue": "vip", "outcome": Outcome.ANSWERED, "joined_at": T + 0.734,
        "uniqueid": "a.1", "linkedid": "a.1", "agent": "1003", "agent_name": "Carol",
        "ended_by": EndedBy.CALLER, "wait_s": 14.6, "talk_s": 30.2, "sl_threshold_s": 45.0,
    }  # fmt: skip
    return QueueCall(**{**fields, **changes})  # type: ignore[arg-type]


# --- what comes of it ---------------------------------------------------------------------------------


def test_imported_twice_nothing_is_new(folder: Path) -> None:
    first = run(*LOGS)
    assert first.exit_code == 0, first.output
    assert "queue calls: 41 new, 0 already in the journal (answered 23, abandoned 9" in first.stdout
    before = rows("SELECT * FROM queue_call_points"), rows("SELECT * FROM agent_attempt_points")
    shuffled = random.Random(1).sample(LOGS, len(LOGS))
    second = run(*shuffled)
    assert "queue calls: 0 new, 41 already in the journal" in second.stdout
    for kind in ("ring attempts", "pauses", "memberships"):
        assert f"{kind}: 0 new" in second.stdout
    assert before == (rows("SELECT * FROM queue_call_points"), rows("SELECT * FROM agent_attempt_points"))


def test_a_copy_among_the_files_doubles_nothing(folder: Path) -> None:
    for name in ("queue_log", "queue_log.copy"):
        Path(name).write_text(ONE_CALL + ONE_PAUSE + ONE_MEMBERSHIP, encoding="utf-8")
    Path("queue_log.part").write_text(ONE_CALL[:60], encoding="utf-8")
    done = run("queue_log", "queue_log", "queue_log.part", "queue_log.copy")
    assert done.exit_code == 0, done.output
    assert (count(), count("agent_attempt"), count("agent_pause"), count("agent_session")) == (1, 2, 1, 1)


def test_a_call_over_a_rotation_is_whole(folder: Path) -> None:
    lines = ONE_CALL.splitlines(keepends=True)
    Path("queue_log").write_text("".join(lines[2:]), encoding="utf-8")
    Path("queue_log.1.gz").write_bytes(gzip.compress("".join(lines[:2]).encode()))
    done = run("queue_log", "queue_log.1.gz")
    assert "queue calls: 1 new" in done.stdout
    assert rows("SELECT caller, wait_s, attempts FROM queue_call_points") == [("390551001", 15.0, 2)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_packed_files_and_standard_input(folder: Path, pack: Callable[[bytes], bytes]) -> None:
    data = pack(ONE_CALL.encode())
    Path("log").write_bytes(data)
    assert "queue calls: 1 would be new" in run("log", "--dry-run").stdout
    done = run("-", stdin=data)
    assert "queue calls: 1 new" in done.stdout, done.output


def test_two_calls_in_one_second_are_two(folder: Path) -> None:
    imported("".join(ONE_CALL.replace("a.1", f"a.{n}") for n in range(9)))
    assert count() == 9
    times = [time for (time,) in rows("SELECT time FROM queue_call ORDER BY time")]
    assert times == [T * 1_000_000 + n for n in range(9)]


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    done = imported(ONE_CALL, "--dry-run")
    assert "queue calls: 1 would be new" in done.stdout
    assert not Path("journal.db").exists()


def test_a_period(folder: Path) -> None:
    later = ONE_CALL.replace("18000000", "18000900").replace("a.1", "a.2")
    done = imported(ONE_CALL + later, "--since", "2027-01-16", "--until", "2027-01-16T11:00")
    assert "outside the period, left out: 3" in done.stdout
    assert rows("SELECT uniqueid FROM queue_call_points") == [("a.2",)]


def test_points_leave_for_the_tenants_bucket_where_influxdb_is_configured(folder: Path) -> None:
    Path("asterpanel.yml").write_text(
        CONFIG + "influxdb: {url: 'http://127.0.0.1:8086', auth: none}\n", encoding="utf-8"
    )
    imported(ONE_CALL)
    lines = rows("SELECT tenant, line FROM outbox")
    assert [tenant for tenant, _ in lines] == ["default"] * 3
    assert any(
        str(line).startswith("queue_call,switchboard=milano,queue=vip,outcome=answered") for _, line in lines
    )


# --- beside a live session ----------------------------------------------------------------------------


def test_what_was_seen_live_is_not_imported(folder: Path) -> None:
    seen_live(
        live_call(),
        AgentAttempt("milano", "vip", "1002", "Bob", AttemptResult.REJECTED, T + 0.75, 9.99, "a.1"),
        AgentAttempt("milano", "vip", "1003", "Carol", AttemptResult.ANSWERED, T + 12.2, 2.9, "a.1"),
        AgentPause("milano", "1002", "Bob", "lunch", T + 100.3, 600.1),
        AgentSession("milano", "vip", "1004", "Dario", T + 50.9, 899.4),
    )
    done = imported(ONE_CALL + ONE_PAUSE + ONE_MEMBERSHIP)
    assert "queue calls: 0 new, 1 already" in done.stdout
    assert "ring attempts: 0 new, 2 already" in done.stdout
    assert "pauses: 0 new, 1 already" in done.stdout
    assert "memberships: 0 new, 1 already" in done.stdout


@pytest.mark.parametrize("log", LOGS, ids=lambda log: "/".join(Path(log).parts[-2:]))
def test_a_recorded_log_after_its_own_session_tells_nothing_new(folder: Path, log: str) -> None:
    with Journal.open(Path("journal.db")) as journal:

        def submit(batch: Batch, on_written: Callable[[Sequence[Point]], None]) -> None:
            on_written(journal.write(batch, time.time()))

        replay = Replay(LiveSwitchboard("milano"), submit)
        replay.play([traces.recording("/".join(Path(log).with_suffix("").parts[-2:]))])
        replay.end()
    done = run(log)
    assert done.exit_code == 0, done.output
    for kind in ("queue calls", "ring attempts", "pauses", "memberships"):
        assert f"{kind}: 0 new" in done.stdout


@pytest.mark.parametrize(
    "live",
    [
        live_call(outcome=Outcome.REDIRECTED, agent="", agent_name="", ended_by=EndedBy.UNKNOWN),
        live_call(queue="VIP", joined_at=T + 1.9),
    ],
    ids=["another outcome", "another spelling"],
)
def test_the_same_call_told_otherwise(folder: Path, live: QueueCall) -> None:
    seen_live(live)
    assert "queue calls: 0 new, 1 already" in imported(ONE_CALL).stdout


@pytest.mark.parametrize(
    "live",
    [
        live_call(switchboard="torino"),
        live_call(uniqueid="a.2"),
        live_call(queue="sales"),
        live_call(joined_at=T + 60.0),
    ],
    ids=["another switchboard", "another caller", "another queue", "another visit"],
)
def test_another_call_is_another(folder: Path, live: QueueCall) -> None:
    seen_live(live)
    assert "queue calls: 1 new, 0 already" in imported(ONE_CALL).stdout


def test_each_visit_is_matched_once(folder: Path) -> None:
    """Two visits within two seconds, of which only one was seen."""
    log = (
        f"{T}|a.1|vip|NONE|ENTERQUEUE||39|1\n{T + 1}|a.1|vip|NONE|EXITWITHKEY|1|1|1|1\n"
        f"{T + 1}|a.1|vip|NONE|ENTERQUEUE||39|1\n{T + 9}|a.1|vip|NONE|ABANDON|1|1|8\n"
    )
    seen_live(live_call(joined_at=T + 0.4, outcome=Outcome.EXIT_KEY, agent="", agent_name=""))
    assert "queue calls: 1 new, 1 already" in imported(log).stdout
    assert rows("SELECT outcome FROM queue_call_points ORDER BY time") == [("exit_key",), ("abandoned",)]


def test_a_pause_that_a_gap_has_cut_is_not_told_again(folder: Path) -> None:
    seen_live(AgentPause("milano", "1002", "Bob", "lunch", T + 100.3, 40.0))
    assert "pauses: 0 new, 1 already" in imported(ONE_PAUSE).stdout


def test_agents_and_thresholds_are_those_that_the_journal_knows(folder: Path) -> None:
    seen_live(live_call(uniqueid="a.0", joined_at=T - 900.0), live_call(uniqueid="a.9", joined_at=T - 990.0))
    imported(ONE_CALL)
    query = (
        "SELECT agent, agent_name, sl_threshold_s, within_sl FROM queue_call_points WHERE uniqueid = 'a.1'"
    )
    assert rows(query) == [("1003", "Carol", 45.0, 1)]


def test_an_agent_map_and_the_configurations_thresholds(folder: Path) -> None:
    Path("agents.yml").write_text("Carol: 0103\n", encoding="utf-8")
    Path("asterpanel.yml").write_text(
        CONFIG + "queue_settings: [{queues: [v*], service_level_threshold: 10s}]\n", encoding="utf-8"
    )
    imported(ONE_CALL, "--agent-map", "agents.yml")
    assert rows("SELECT agent, sl_threshold_s, within_sl FROM queue_call_points") == [("0103", 10.0, 0)]


def _ended(seconds_ago: float) -> tuple[str, dict[tuple[str, str], object]]:
    """A log with a call that ended so long ago, and the open items of an exporter that has it still open."""
    shift = int(time.time() - seconds_ago) - (T + 45)
    log = "".join(f"{int(line[:10]) + shift}{line[10:]}\n" for line in ONE_CALL.splitlines())
    call = {"queue": "vip", "uniqueid": "a.1", "joined_at": T + shift + 0.7}
    return log, {("call", "vip|a.1"): call}


def test_a_call_of_which_the_exporter_will_tell_is_left_to_it(folder: Path) -> None:
    log, open_items = _ended(30)
    seen_live(open_items=open_items)
    assert "queue calls: 0 new, 1 already" in imported(log).stdout


def test_a_call_whose_end_the_exporter_has_missed_is_imported(folder: Path) -> None:
    log, open_items = _ended(3600)
    seen_live(open_items=open_items)
    assert "queue calls: 1 new" in imported(log).stdout


def test_the_last_moments_are_left_to_a_running_exporter(folder: Path) -> None:
    log, _ = _ended(1)
    board = {"known_at": time.time(), "boot_at": None, "sees_dialplan": True}
    seen_live(open_items={("board", ""): board})
    done = imported(log)
    assert "queue calls: 0 new" in done.stdout
    assert "left to the exporter that is running: 1" in done.stdout


def test_a_pause_of_which_the_exporter_will_tell_is_left_to_it(folder: Path) -> None:
    item = {"agent": "Bob", "agent_name": "Bob", "reason": "lunch", "started_at": T + 100.2, "by": ""}
    seen_live(open_items={("pause", "Bob"): item})
    assert "pauses: 0 new, 1 already" in imported(ONE_PAUSE).stdout


# --- what is wrong ------------------------------------------------------------------------------------


def test_malformed_lines_are_told_with_their_place_and_skipped(folder: Path) -> None:
    log = "noise\n\n" + ONE_CALL + f"{T}|a.2|vip|Bob|CONNECT|x\n"
    done = imported(log)
    assert "queue calls: 1 new" in done.stdout
    assert "queue_log:1: expected time|callid|queue|agent|event|data" in done.stderr
    assert "queue_log:7: CONNECT: expected seconds waited|uniqueid|seconds rung" in done.stderr
    assert "2 malformed lines skipped" in done.stderr
    assert run("queue_log", "--strict").exit_code == 1


def test_events_of_the_dialplan_are_counted(folder: Path) -> None:
    done = imported(ONE_CALL + f"{T + 60}|a.1|vip|NONE|SURVEY|5|good\n" * 3)
    assert "lines of other events: SURVEY 3" in done.stdout
    assert done.stderr == ""


def test_bytes_that_are_no_utf8(folder: Path) -> None:
    Path("log").write_bytes(ONE_CALL.encode().replace(b"Carol", b"Zo\xe9 \xc3\xa8"))
    run("log")
    assert rows("SELECT agent_name FROM queue_call_points") == [("Zoé è",)]


def test_what_is_no_queue_log(folder: Path) -> None:
    Path("passwd").write_text("root:x:0:0:root:/root:/bin/bash\n", encoding="ascii")
    done = run("passwd")
    assert done.exit_code == 1
    assert "passwd: is no queue_log: none of its first 1 lines begins with a time" in done.stderr
    assert run("nowhere").exit_code == 1
    assert "nowhere: No such file or directory" in run("nowhere").stderr


def test_an_empty_file_is_an_empty_log(folder: Path) -> None:
    Path("queue_log.1").touch()
    Path("queue_log").write_text(ONE_CALL, encoding="utf-8")
    assert "queue calls: 1 new" in run("queue_log", "queue_log.1").stdout


def test_a_cut_off_file_is_used_as_far_as_it_goes(folder: Path) -> None:
    noise = "".join(f"{T + 60}|a.{n}|vip|NONE|NOTE|{random.Random(n).random()}\n" for n in range(200_000))
    packed = gzip.compress((ONE_CALL + noise).encode())
    Path("queue_log.gz").write_bytes(packed[: len(packed) // 2])
    done = run("queue_log.gz")
    assert done.exit_code == 1
    assert "queue_log.gz: cut off after" in done.stderr
    assert "queue calls: 1 new" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--switchboard", "roma"], "'roma' is not configured; There are: milano"),
        (["--since", "yesterday"], "is no ISO date or time"),
        (["--agent-map", "none.yml"], "none.yml: No such file"),
    ],
)
def test_wrong_usage(folder: Path, arguments: list[str], expected: str) -> None:
    Path("queue_log").write_text(ONE_CALL, encoding="utf-8")
    done = run("queue_log", *arguments)
    assert done.exit_code in (1, 2)
    assert expected in done.stderr


def test_a_journal_that_is_none(folder: Path) -> None:
    Path("journal.db").write_text("no database", encoding="ascii")
    Path("queue_log").write_text(ONE_CALL, encoding="utf-8")
    done = run("queue_log")
    assert done.exit_code == 1
    assert "journal.db" in done.stderr


_PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([line.encode() for line in ONE_CALL.splitlines(keepends=True)]),
    st.sampled_from([b"\n", b"\r\n", b"\0", b"|", b"1800000000|a|b|c|PAUSE|x\n", b"x" * 9000]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_PIECES, max_size=12))
def test_every_line_of_any_bytes_is_accounted_for(folder: Path, pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    Path("any").write_bytes(data)
    try:
        summary = import_logs(load_config(Path("asterpanel.yml")), "milano", [LogFile("any")], dry_run=True)
    except UnreadableLog:
        return
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    assert summary.lines == len(lines) - (not lines[-1])
    assert summary.blank == sum(not line for line in lines) - (not lines[-1])
    used = summary.lines - summary.blank - summary.malformed - sum(summary.ignored.values())
    assert used >= 0


def test_points_of_one_series_and_second_move_on_as_the_journal_moves_them(folder: Path) -> None:
    points = [point_of(live_call(uniqueid=f"a.{n % 3}", joined_at=float(T))) for n in range(6)]
    with Journal.open(None) as one, Journal.open(None) as other:
        stored = one.write(Batch(points=[(None, point) for point in points]), 0.0)
        assert other.write(Batch(points=[(None, point) for point in apart(points)]), 0.0) == stored
    assert [point.time_us - T * 1_000_000 for point in stored] == [0, 1, 2]
    assert {point.measurement for point in stored} == {QUEUE_CALL}
