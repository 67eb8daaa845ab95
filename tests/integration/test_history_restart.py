"""A real Asterisk, 22 and 16, that restarts or dies in mid-calls: no cut call is told as a hang-up, and what
was going on ends with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.manager_conf import Version, event_filter
from tests.exporter_process import ExporterProcess, of, with_name
from tests.pbx.fixtures import MakePbx
from tests.pbx.install import AsteriskVersion
from tests.pbx.pbx import Pbx, Phones, wait_until

SEEN_S = 2.0
"""Between what is done to the PBX and what it does: Asterisk needs a second to shut down."""

CALLERS = {"done": "390551001", "talks": "390551002", "rings": "390551003", "waits": "390551004"}

Row = dict[str, Any]


class Scene:
    """A PBX with an agent in a call, callers who wait, a pause and a dynamic member; and its exporter."""

    def __init__(self, pbx: Pbx, phones: Phones, exporter: ExporterProcess) -> None:
        self.pbx = pbx
        self.exporter = exporter
        self._phones = phones

    def begin(self) -> None:
        """One call is over, one goes on; one rings, one waits."""
        self._phones.behave_all({"1001": "answer-0.2-60", "1002": "noanswer", "1004": "noanswer"})
        self._call("billing", "done", hangup_after=1.5)
        self._until("one call is over", lambda: len(self.calls()) == 1)
        self._call("billing", "talks")
        self._until("a talk goes on", lambda: len(self._queue("billing")["in_progress"]) == 1)
        self._call("billing", "rings")
        self._until("Bob rings", lambda: self._agents()["1002"]["state"] == "ringing")
        self._call("emptyless", "waits")
        self._until("two wait", lambda: len(self._queue("emptyless")["waiting"]) == 1)
        self.pbx.pause("PJSIP/1003", "Pranzo")
        self.pbx.add_member("billing", "PJSIP/1005", name="Elena")
        self._until("Elena is in billing", lambda: "1005" in self._queue("billing")["members"])

    def call_after(self) -> None:
        """The PBX is back: one more call."""
        self._until("the exporter is up again", lambda: self.exporter.state("pbx")["up"])
        self._phones.behave("1001", "answer-0.2-1")
        self._call("billing", "done", hangup_after=20)
        self._until("another call is over", lambda: len(self.rows("queue_call", caller=CALLERS["done"])) == 2)

    def calls(self) -> list[Row]:
        return self.rows("queue_call")

    def rows(self, measurement: str, **wanted: str) -> list[Row]:
        """Points of a measurement in the journal."""
        path = self.exporter.config.with_name("asterpanel-journal.db")
        with Journal.open(path, create=False, read_only=True) as journal:
            names = [row[1] for row in journal.rows(f"PRAGMA table_info({measurement}_points)")]
            rows = journal.rows(f"SELECT * FROM {measurement}_points ORDER BY time")  # noqa: S608
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [row for row in found if wanted.items() <= row.items()]

    def _call(self, queue: str, which: str, hangup_after: float = 100.0) -> None:
        self.pbx.call(queue, caller=CALLERS[which], hangup_after=hangup_after)

    def _queue(self, name: str) -> dict[str, Any]:
        queue: dict[str, Any] = self.exporter.state("pbx")["queues"][name]
        return queue

    def _agents(self) -> dict[str, Any]:
        agents: dict[str, Any] = self.exporter.state("pbx")["agents"]
        return agents

    def _until(self, what: str, condition: Callable[[], bool]) -> None:
        wait_until(condition, 20, what)


@pytest.fixture
def scene(make_pbx: MakePbx, phones: Phones, pbx_version: AsteriskVersion, tmp_path: Path) -> Iterator[Scene]:
    filters = "\n".join(event_filter(Version.parse(pbx_version)))
    queues = "[general]\nlog_membername_as_agent = yes\n" + "".join(
        f"[{name}]\nstrategy = linear\ntimeout = 60\nringinuse = no\n{members}\n"
        for name, members in {
            "billing": "member => PJSIP/1001,0,Alice\nmember => PJSIP/1002,0,Bob",
            "vip": "member => PJSIP/1003,0,Carol",
            "emptyless": "",
        }.items()
    )
    pbx = make_pbx(name="pbx", phones=phones, event_filter=filters, queues=queues)
    switchboard = {
        "host": pbx.host, "port": pbx.ami_port, "username": "exporter", "secret": pbx.secrets["exporter"],
    }  # fmt: skip
    with ExporterProcess(tmp_path, {"pbx": switchboard}) as exporter:
        wait_until(lambda: exporter.get("/readyz")[0] == 200, what="the exporter is ready")
        yield Scene(pbx, phones, exporter)


@pytest.mark.timeout(120)
def test_restarted_in_mid_calls(scene: Scene) -> None:
    """`core restart now` hangs up all calls as if the callers did, and only then says that it shuts down."""
    scene.begin()
    cut_at = time.time()
    scene.pbx.restart()
    scene.call_after()
    _calls_are_cut(scene, cut_at)
    [gap] = scene.rows("switchboard_gap")
    assert (gap["cause"], gap["calls_missed"]) == ("shutdown", 0)
    assert gap["time"] / 1e6 == pytest.approx(cut_at, abs=SEEN_S)
    assert len(scene.rows("agent_attempt", agent="1002")) == 1


@pytest.mark.timeout(120)
def test_killed_in_mid_calls(scene: Scene) -> None:
    """It dies without a word: its calls ended when it was last heard of."""
    scene.begin()
    cut_at = time.time()
    scene.pbx.kill()
    scene.pbx.start()
    scene.call_after()
    _calls_are_cut(scene, cut_at)
    [gap] = scene.rows("switchboard_gap")
    assert (gap["cause"], gap["calls_missed"]) == ("closed", 0)


def _calls_are_cut(scene: Scene, cut_at: float) -> None:
    calls = {row["caller"]: row for row in scene.calls()}
    assert [row["ended_by"] for row in scene.rows("queue_call", caller=CALLERS["done"])] == [
        "caller",
        "agent",
    ]
    talks = calls[CALLERS["talks"]]
    assert (talks["outcome"], talks["ended_by"], talks["agent_name"]) == ("answered", "", "Alice")
    for which in ("rings", "waits"):
        assert (calls[CALLERS[which]]["outcome"], calls[CALLERS[which]]["abandoned"]) == ("unknown", 0)
    for which in ("talks", "rings", "waits"):
        row = calls[CALLERS[which]]
        ended_at = row["time"] / 1e6 + row["wait_s"] + row["talk_s"]
        assert cut_at - SEEN_S < ended_at < cut_at + SEEN_S
    _ended(scene.rows("agent_pause", agent="1003"), cut_at)
    _ended(scene.rows("agent_session", agent="1005", queue="billing"), cut_at)
    samples = scene.exporter.metrics()
    assert of(samples, "asterpanel_calls_missed_total", switchboard="pbx") == 0
    assert sum(value for _, value in with_name(samples, "asterpanel_state_drift_total")) == 0


def _ended(rows: list[Row], cut_at: float) -> None:
    """One, which ended with the switchboard."""
    [row] = rows
    assert row["time"] / 1e6 + row["duration_s"] == pytest.approx(cut_at, abs=SEEN_S)
