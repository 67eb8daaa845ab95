"""An hour of a call centre in a minute, on a real Asterisk, 22 and 16: every call is told as it was.

Two exporters watch, with the event filter that `manager-conf` prints. The judges are Asterisk's own queue_log
and the traffic's own account. The two know less than the exporter, or something else, only where said here.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.manager_conf import Version, event_filter
from tests.exporter_process import ExporterProcess, Samples, of, with_name
from tests.pbx import queue_log
from tests.pbx.busy_hour import BusyHour, Spell, Told, busy_pbx, is_quiet
from tests.pbx.fixtures import MakePbx
from tests.pbx.install import AsteriskVersion
from tests.pbx.pbx import Pbx, Phones, wait_until

HOUR_S = 45.0

ROUNDED_S = 1.05
"""queue_log's durations are differences of whole seconds."""

ACTED_S = 0.5
"""Between an action of the traffic and what becomes of it, on two busy cores."""

NOTICED_S = 1.5
"""app_queue looks once a second whether a caller is to be withdrawn."""

REFUSED = {"full", "join_empty"}
"""Callers who never were in the queue: Asterisk does not log them."""

BY_KEYS = {"blind by keys", "consultation by keys"}
MOST_UNHEARD = 3

Row = dict[str, Any]


@dataclass
class Seen:
    """All that is known of the hour when it is over."""

    hour: BusyHour
    log: list[list[str]]
    journals: tuple[Path, Path]
    metrics: Samples

    def rows(self, measurement: str, exporter: int = 0) -> list[Row]:
        """The points of a measurement, without the row's number."""
        with Journal.open(self.journals[exporter], create=False, read_only=True) as journal:
            names = [row[1] for row in journal.rows(f"PRAGMA table_info({measurement}_points)")]
            rows = journal.rows(f"SELECT * FROM {measurement}_points ORDER BY time, id")  # noqa: S608
        return [dict(zip(names[1:], row[1:], strict=True)) for row in rows]


@pytest.fixture
def pbx(make_pbx: MakePbx, phones: Phones, pbx_version: AsteriskVersion) -> Pbx:
    """A PBX for the hour, with our filter."""
    filters = "\n".join(event_filter(Version.parse(pbx_version)))
    return make_pbx(name="pbx", phones=phones, event_filter=filters, **busy_pbx())


@pytest.fixture
def exporters(pbx: Pbx, tmp_path: Path) -> Iterator[tuple[ExporterProcess, ExporterProcess]]:
    """Two, one after the other."""
    switchboard = {
        "host": pbx.host, "port": pbx.ami_port, "username": "exporter", "secret": pbx.secrets["exporter"],
    }  # fmt: skip
    folders = tmp_path / "first", tmp_path / "second"
    for folder in folders:
        folder.mkdir()
    settings = {"resync_interval": 10.0}
    with ExporterProcess(folders[0], {"pbx": switchboard}, exporter=settings) as first:
        wait_until(lambda: first.get("/readyz")[0] == 200, what="the first exporter is ready")
        with ExporterProcess(folders[1], {"pbx": switchboard}, exporter=settings) as second:
            wait_until(lambda: second.get("/readyz")[0] == 200, what="the second exporter is ready")
            yield first, second


@pytest.mark.timeout(300)
def test_an_hour_in_a_minute(
    pbx: Pbx, phones: Phones, exporters: tuple[ExporterProcess, ExporterProcess]
) -> None:
    """Everything at once; then each call, attempt, pause and membership, one by one."""
    hour = BusyHour(pbx, phones, seconds=HOUR_S)
    hour.run()
    with pbx.ami() as ami:
        wait_until(lambda: is_quiet(ami), 60, "all calls are over")
    for exporter in exporters:
        wait_until(lambda e=exporter: not _open_calls(e), 60, "all calls are told of")  # type: ignore[misc]
    seen = Seen(hour, pbx.queue_log(), _journals(exporters), exporters[0].metrics())

    _calls_are_as_logged(seen)
    _calls_are_as_made(seen)
    _attempts_are_as_logged(seen)
    _pauses_are_as_made(seen)
    _pauses_are_as_logged(seen)
    _memberships_are_as_made_and_logged(seen)
    _both_tell_the_same(seen)
    _metrics_are_sums_of_the_journal(seen)
    _nothing_unknown_and_nothing_missed(seen)
    _import_adds_nothing(seen, exporters[0], pbx)


def _open_calls(exporter: ExporterProcess) -> int:
    with Journal.open(_journal(exporter), create=False, read_only=True) as journal:
        [[count]] = journal.rows("SELECT count(*) FROM open_item WHERE kind = 'call'")
    return int(count)


def _journal(exporter: ExporterProcess) -> Path:
    return exporter.config.with_name("asterpanel-journal.db")


def _journals(exporters: tuple[ExporterProcess, ExporterProcess]) -> tuple[Path, Path]:
    return _journal(exporters[0]), _journal(exporters[1])


# --- calls ------------------------------------------------------------------------------------------


def _calls_are_as_logged(seen: Seen) -> None:
    """Call by call: outcome, agent, how it ended, durations; and no call more or less."""
    kinds = {told.number: told.kind for told in seen.hour.calls}
    logged = _by_visit((call.queue, call.uniqueid, call) for call in queue_log.calls(seen.log))
    told = _by_visit((row["queue"], row["uniqueid"], row) for row in seen.rows("queue_call"))
    not_logged = {key for key in told if told[key]["outcome"] in REFUSED}
    assert told.keys() - not_logged == logged.keys()
    differences = [
        f"{kinds[call.number]}: {difference}: {told[key]}, queue_log {call}"
        for key, call in logged.items()
        for difference in _differences(told[key], call, kinds[call.number])
    ]
    assert not differences, "\n".join(differences)


def _by_visit(calls: Iterator[tuple[str, str, Any]]) -> dict[tuple[str, str, int], Any]:
    """By queue, caller and number of his visit to it."""
    visits: Counter[tuple[str, str]] = Counter()
    found = {}
    for queue, uniqueid, call in calls:
        visits[queue, uniqueid] += 1
        found[queue, uniqueid, visits[queue, uniqueid]] = call
    return found


def _differences(told: Row, logged: queue_log.LoggedCall, kind: str) -> Iterator[str]:
    if told["caller"] != logged.number:
        yield "caller"
    if abs(told["time"] / 1e6 - logged.at) > ROUNDED_S:
        yield "join"
    if told["outcome"] != ("redirected" if kind == "redirected while waiting" else logged.outcome):
        yield "outcome"  # to app_queue, who is moved away while he waits has given up
    if abs(told["wait_s"] - logged.wait_s) > ROUNDED_S:
        yield "wait"
    if told["agent_name"] != logged.agent:
        yield "agent"
    if kind == "redirected while talking":
        # COMPLETECALLER comes when the caller's channel hangs up at last, some other place
        if told["ended_by"] != "" or told["talk_s"] > logged.talk_s - 2:
            yield "end of a redirected talk"
    elif told["ended_by"] != logged.ended_by and not _transfer_was_logged_as_hangup(told, logged, kind):
        yield "end"
    elif kind == "consultation by keys" and told["ended_by"] == "attended_transfer":
        # to app_queue the agent talks with the caller while he consults somebody else
        if not 1.0 <= told["talk_s"] <= logged.talk_s - 2:
            yield "talk before a consultation"
    elif abs(told["talk_s"] - logged.talk_s) > ROUNDED_S:
        yield "talk"
    if logged.ended_by == "blind_transfer" and told["transfer_to"] != logged.transfer_to:
        yield "target"


def _transfer_was_logged_as_hangup(told: Row, logged: queue_log.LoggedCall, kind: str) -> bool:
    """app_queue's handle_hangup leaves a transfer to the transfer's own message only if the agent's channel
    still exists when it looks; on a machine that stalls it may not, and COMPLETEAGENT is logged. AMI's
    AttendedTransfer or BlindTransfer, which we go by, is sent all the same. How many: see _calls_are_as_made.
    """
    return kind in BY_KEYS and told["ended_by"].endswith("_transfer") and logged.ended_by == "agent"


def _calls_are_as_made(seen: Seen) -> None:
    """What the traffic itself knows of each call."""
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in seen.rows("queue_call"):
        rows[row["caller"], row["queue"]].append(row)
    assert rows.keys() == {(told.number, told.queue) for told in seen.hour.calls}
    unheard = _whose_keys_were_not_heard(seen)
    assert len(unheard) <= MOST_UNHEARD
    wrong = [
        f"{told}: {found}"
        for told in seen.hour.calls
        if told.number not in unheard
        if len(found := rows[told.number, told.queue]) != 1 or not _is_as_made(found[0], told)
    ]
    assert not wrong, "\n".join(wrong)


def _whose_keys_were_not_heard(seen: Seen) -> set[str]:
    """Where the machine stalls between two keys of an agent, Asterisk takes them for no transfer."""
    by_keys = {told.number for told in seen.hour.calls if told.kind in BY_KEYS}
    return {
        call.number
        for call in queue_log.calls(seen.log)
        if call.number in by_keys and not call.ended_by.endswith("_transfer")
    }


def _is_as_made(row: Row, told: Told) -> bool:
    ended_at = row["time"] / 1e6 + row["wait_s"] + row["talk_s"]
    return (
        row["outcome"] == told.outcome
        and (told.ended_by is None or row["ended_by"] == told.ended_by)
        and (not told.transfer_to or row["transfer_to"] == told.transfer_to)
        and (told.acted_at is None or -ACTED_S < ended_at - told.acted_at < NOTICED_S)
    )


# --- agents -----------------------------------------------------------------------------------------


def _attempts_are_as_logged(seen: Seen) -> None:
    """Who let it ring or refused; app_queue logs both as RINGNOANSWER, and says nothing of the others."""
    logged = Counter(
        (call.queue, call.uniqueid, agent) for call in queue_log.calls(seen.log) for agent in call.rings
    )
    attempts = seen.rows("agent_attempt")
    told = Counter(
        (row["queue"], row["uniqueid"], row["agent_name"])
        for row in attempts
        if row["result"] in ("no_answer", "rejected")
    )
    assert told == logged
    refusing = {"1211", "1212", "1213", "6400", "6401", "6405", "6406"}
    assert {row["agent"] for row in attempts if row["result"] == "rejected"} == refusing
    answered = Counter((r["queue"], r["uniqueid"]) for r in attempts if r["result"] == "answered")
    calls = seen.rows("queue_call")
    assert answered == Counter((r["queue"], r["uniqueid"]) for r in calls if r["outcome"] == "answered")
    assert sum(row["attempts"] for row in calls) == len(attempts)


def _pauses_are_as_made(seen: Seen) -> None:
    _are_equal(seen.rows("agent_pause"), [pause for pause in seen.hour.pauses if pause.ended_at])


def _are_equal(rows: Sequence[Row], spells: Sequence[Spell]) -> None:
    def order(agent: str, at: float) -> tuple[str, float]:
        return agent, at

    told = sorted(rows, key=lambda row: order(row["agent"], row["time"]))
    made = sorted(spells, key=lambda spell: order(spell.agent, spell.started_at))
    assert [(row["agent"], row.get("reason", "")) for row in told] == [(s.agent, s.reason) for s in made]
    for row, spell in zip(told, made, strict=True):
        assert row["time"] / 1e6 == pytest.approx(spell.started_at, abs=ACTED_S)
        assert spell.ended_at is not None
        assert row["duration_s"] == pytest.approx(spell.ended_at - spell.started_at, abs=ACTED_S)


def _pauses_are_as_logged(seen: Seen) -> None:
    """Those set in all queues at once; of the others each queue has its own lines."""
    told = [row for row in seen.rows("agent_pause") if row["agent"] not in ("6807", "6900")]
    told.sort(key=lambda row: (row["agent_name"], row["time"]))
    logged = [pause for pause in queue_log.pauses_in_all_queues(seen.log) if pause.ended_at is not None]
    logged.sort(key=lambda pause: pause.agent)
    assert [(r["agent_name"], r["reason"]) for r in told] == [(p.agent, p.reason) for p in logged]
    for row, pause in zip(told, logged, strict=True):
        assert pause.ended_at is not None
        assert row["time"] / 1e6 == pytest.approx(pause.started_at, abs=ROUNDED_S)
        assert row["duration_s"] == pytest.approx(pause.ended_at - pause.started_at, abs=ROUNDED_S)


def _memberships_are_as_made_and_logged(seen: Seen) -> None:
    rows = seen.rows("agent_session")
    _are_equal(rows, seen.hour.memberships)
    logged = queue_log.memberships(seen.log)
    assert {(queue, agent) for queue, agent, _, _ in logged} == {(r["queue"], r["agent_name"]) for r in rows}


# --- two exporters, metrics, import -----------------------------------------------------------------


def _both_tell_the_same(seen: Seen) -> None:
    """Tags, fields and time stamps to the last digit: what they write to InfluxDB is one series."""
    for measurement in ("queue_call", "agent_attempt", "agent_pause", "agent_session"):
        first, second = (sorted(map(repr, seen.rows(measurement, exporter))) for exporter in (0, 1))
        assert first == second


def _metrics_are_sums_of_the_journal(seen: Seen) -> None:
    """Of a member who has left the queue there are no metrics any more."""
    calls, attempts = seen.rows("queue_call"), seen.rows("agent_attempt")
    gone = {spell.agent for spell in seen.hour.memberships}
    _equal_sums(seen, "asterisk_queue_calls_total", Counter((r["queue"], r["outcome"]) for r in calls))
    _equal_sums(seen, "asterisk_queue_calls_offered_total", Counter((r["queue"],) for r in calls))
    of_members = Counter((r["queue"], r["agent"], r["result"]) for r in attempts if r["agent"] not in gone)
    labels = ("queue", "agent", "result")
    _equal_sums(seen, "asterisk_queue_ring_attempts_total", of_members, labels)
    waits = Counter((r["queue"], r["outcome"]) for r in calls if r["outcome"] in ("answered", "abandoned"))
    _equal_sums(seen, "asterisk_queue_wait_seconds_count", waits)
    talks = Counter((r["queue"],) for r in calls if r["answered"])
    _equal_sums(seen, "asterisk_queue_talk_seconds_count", talks)
    wait_s = sum(r["wait_s"] for r in calls if r["outcome"] in ("answered", "abandoned"))
    assert sum(v for _, v in with_name(seen.metrics, "asterisk_queue_wait_seconds_sum")) == pytest.approx(
        wait_s
    )
    talk_s = sum(r["talk_s"] for r in calls)
    assert sum(v for _, v in with_name(seen.metrics, "asterisk_queue_talk_seconds_sum")) == pytest.approx(
        talk_s
    )


def _equal_sums(
    seen: Seen, metric: str, counts: Counter[Any], labels: tuple[str, ...] = ("queue", "outcome")
) -> None:
    told = {
        tuple(given[label] for label in labels if label in given): value
        for given, value in with_name(seen.metrics, metric)
        if value
    }
    assert told == counts, metric


def _nothing_unknown_and_nothing_missed(seen: Seen) -> None:
    assert not [row for row in seen.rows("queue_call") if row["outcome"] == "unknown"]
    assert seen.rows("switchboard_gap") == []
    assert of(seen.metrics, "asterpanel_calls_missed_total", switchboard="pbx") == 0
    for metric in (
        "asterpanel_state_drift_total",
        "asterpanel_state_errors_total",
        "asterpanel_ami_errors_total",
    ):
        assert sum(value for _, value in with_name(seen.metrics, metric)) == 0, metric


def _import_adds_nothing(seen: Seen, exporter: ExporterProcess, pbx: Pbx) -> None:
    """The journal has all that the log tells, while the exporter runs as well as afterwards."""
    measurements = ("queue_call", "agent_attempt", "agent_pause", "agent_session")
    before = {measurement: seen.rows(measurement) for measurement in measurements}
    command = [sys.executable, "-m", "asterpanel_exporter.cli", "--config", str(exporter.config)]
    done = subprocess.run(
        [*command, "import-queue-log", str(pbx.home / "log/queue_log")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {measurement: seen.rows(measurement) for measurement in measurements} == before, done.stdout
