"""A day on a real Asterisk, 22 and 16: at every moment the exporter says what the PBX itself says.

The PBX has the event filter that `manager-conf` prints. A second, independent AMI client asks it for
QueueStatus before and after each look at the exporter; where the PBX has not changed in between, the two
must be equal, within the time that an event takes on its way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from asterpanel_exporter.manager_conf import Version, event_filter
from asterpanel_exporter.state import DRIFT_GRACE_S, AgentState
from tests.exporter_process import ExporterProcess, of, with_name
from tests.pbx.ami_judge import AmiClosed, AmiError, AmiJudge
from tests.pbx.fixtures import MakePbx
from tests.pbx.install import AsteriskVersion
from tests.pbx.pbx import Pbx, Phones, default_queues, flood_queue, wait_until

SETTLES_S = 0.25
"""An event's way from app_queue to the gauge, on two busy cores; far above what `make bench` measures."""

RESYNC_S = 10.0

_STATES = {
    "0": AgentState.IDLE, "1": AgentState.IDLE, "2": AgentState.ON_CALL, "3": AgentState.ON_CALL,
    "4": AgentState.UNAVAILABLE, "5": AgentState.UNAVAILABLE, "6": AgentState.RINGING,
    "7": AgentState.ON_CALL, "8": AgentState.ON_HOLD,
}  # fmt: skip

Picture = dict[str, Any]


def picture_of_pbx(judge: AmiJudge) -> Picture:
    """What QueueStatus says, in the words of the comparison."""
    picture = {}
    for name, queue in judge.queue_status().items():
        picture[name] = {
            "strategy": queue.params["Strategy"],
            "waiting": [caller["Uniqueid"] for caller in queue.callers],
            "talking": sorted(m["Location"] for m in queue.members.values() if m.get("InCall") == "1"),
            "members": {
                interface.lower(): (
                    m["Status"],
                    m["Paused"] == "1",
                    m["PausedReason"] if m["Paused"] == "1" else "",
                    int(m["Penalty"]),
                )
                for interface, m in queue.members.items()
            },
        }
    return picture


def picture_of_exporter(state: dict[str, Any], pbx: Picture) -> Picture:
    """The same from the exporter's document; a device status is translated back where the states agree."""
    picture = {}
    for name, queue in state["queues"].items():
        interfaces = {key: member["interface"] for key, member in queue["members"].items()}
        truth = pbx.get(name, {"members": {}})["members"]
        picture[name] = {
            "strategy": queue["strategy"],
            "waiting": [caller["uniqueid"] for caller in queue["waiting"]],
            "talking": sorted(interfaces.get(call["agent"], call["agent"]) for call in queue["in_progress"]),
            "members": {
                member["interface"].lower(): (
                    _status(member, truth.get(member["interface"].lower())),
                    member["paused"],
                    member["pause_reason"],
                    member["penalty"],
                )
                for member in queue["members"].values()
            },
        }
    return picture


def _status(member: dict[str, Any], truth: tuple[str, bool, str, int] | None) -> str:
    if truth is None:
        return f"exporter: {member['state']}"
    expected = _STATES[truth[0]]
    if expected is AgentState.IDLE and member["paused"]:
        expected = AgentState.PAUSED
    return truth[0] if member["state"] == expected else f"exporter: {member['state']}"


class Comparison:
    """Compares all day long, and on demand.

    Attributes:
        moments: times at which the PBX stood still long enough to be compared.
        mismatches: those that had not gone within `SETTLES_S`.
    """

    def __init__(self, pbx: Pbx, exporter: ExporterProcess) -> None:
        self.moments = 0
        self.mismatches: list[str] = []
        self._pbx = pbx
        self._exporter = exporter
        self._judge: AmiJudge | None = None
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._pause = 0
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Comparison:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        if self._judge is not None:
            self._judge.close()
        if self._failure is not None:
            raise self._failure

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While the PBX changes in a way that it announces to nobody."""
        with self._lock:
            self._pause += 1
        try:
            yield
        finally:
            with self._lock:
                self._pause -= 1

    def now(self, within: float = SETTLES_S) -> None:
        """Both are equal within this time, and the metrics say the same as the state."""
        deadline = time.monotonic() + within
        while True:
            with self._lock:
                difference = self._difference()
            if difference == "":
                break
            if time.monotonic() > deadline and difference is not None:
                raise AssertionError(difference)
        self._metrics_agree()

    def _watch(self) -> None:
        since: float | None = None
        try:
            while not self._end.is_set():
                with self._lock:
                    if self._pause:
                        since = None
                        difference = None
                    else:
                        difference = self._difference()
                if difference == "":
                    self.moments += 1
                    since = None
                elif difference is not None:
                    since = since or time.monotonic()
                    if time.monotonic() - since > SETTLES_S:
                        self.mismatches.append(difference)
                        since = None
                self._end.wait(0.02)
        except BaseException as error:
            self._failure = error

    def _difference(self) -> str | None:
        """What differs; "" for nothing, None if the PBX changed while we looked."""
        if self._judge is None:
            self._judge = self._pbx.ami()
        before = picture_of_pbx(self._judge)
        state = self._exporter.state("pbx")
        after = picture_of_pbx(self._judge)
        if before != after:
            return None
        ours = picture_of_exporter(state, before)
        if ours == before:
            return ""
        return "\n".join(
            f"{name}: PBX {before.get(name)}, exporter {ours.get(name)}"
            for name in sorted(before.keys() | ours.keys())
            if before.get(name) != ours.get(name)
        )

    def _metrics_agree(self) -> None:
        for _ in range(20):
            state = self._exporter.state("pbx")
            samples = self._exporter.metrics()
            if self._exporter.state("pbx")["queues"] != state["queues"]:
                continue
            for name, queue in state["queues"].items():
                labels = {"switchboard": "pbx", "queue": name}
                assert of(samples, "asterisk_queue_callers_waiting", **labels) == len(queue["waiting"])
                assert of(samples, "asterisk_queue_calls_in_progress", **labels) == len(queue["in_progress"])
                for agent_state in AgentState:
                    count = sum(m["state"] == agent_state for m in queue["members"].values())
                    assert of(samples, "asterisk_queue_members", **labels, state=agent_state) == count
            return

    def judge_gone(self) -> None:
        """The PBX restarts: the next look needs a new connection."""
        if self._judge is not None:
            self._judge.close()
            self._judge = None


@pytest.fixture
def day(
    make_pbx: MakePbx, phones: Phones, pbx_version: AsteriskVersion, tmp_path: Path
) -> Iterator[tuple[Pbx, Phones, ExporterProcess, Comparison]]:
    """A PBX with our filter, its phones, the exporter on it, and the comparison of the two."""
    filters = "\n".join(event_filter(Version.parse(pbx_version)))
    pbx = make_pbx(name="pbx", phones=phones, event_filter=filters)
    switchboard = {
        "host": pbx.host,
        "port": pbx.ami_port,
        "username": "exporter",
        "secret": pbx.secrets["exporter"],
    }
    with ExporterProcess(tmp_path, {"pbx": switchboard}, exporter={"resync_interval": RESYNC_S}) as exporter:
        wait_until(lambda: exporter.get("/readyz")[0] == 200, what="the exporter is ready")
        with Comparison(pbx, exporter) as comparison:
            yield pbx, phones, exporter, comparison


Day = tuple[Pbx, Phones, ExporterProcess, Comparison]


def _drift(exporter: ExporterProcess) -> dict[str, float]:
    series = with_name(exporter.metrics(), "asterpanel_state_drift_total")
    return {labels["kind"]: value for labels, value in series if value}


def _queue(exporter: ExporterProcess, name: str) -> dict[str, Any]:
    queue: dict[str, Any] = exporter.state("pbx")["queues"][name]
    return queue


def _agent(exporter: ExporterProcess, agent: str) -> dict[str, Any]:
    found: dict[str, Any] = exporter.state("pbx")["agents"][agent]
    return found


def _until(
    exporter: ExporterProcess, what: str, condition: Callable[[], bool], timeout: float = 15.0
) -> None:
    try:
        wait_until(condition, timeout, what)
    except TimeoutError as error:
        raise AssertionError(f"{error}\n{exporter.state('pbx')}") from None


@pytest.mark.timeout(240)
def test_calls_members_and_pauses(day: Day) -> None:
    """Everything that is announced: no drift at all, and no moment at which the two differ."""
    pbx, phones, exporter, comparison = day
    comparison.now(within=2.0)

    # Two callers wait, nobody answers; the first gives up while a phone rings.
    phones.behave_all({"1001": "noanswer", "1002": "noanswer", "1003": "noanswer"})
    first = pbx.call("billing", caller="390551001", name="Zoë Rossi", hangup_after=60)
    _until(exporter, "one waits", lambda: len(_queue(exporter, "billing")["waiting"]) == 1)
    pbx.call("billing", caller="390551002", name="Ugo Neri", hangup_after=60)
    _until(exporter, "two wait", lambda: len(_queue(exporter, "billing")["waiting"]) == 2)
    waiting = _queue(exporter, "billing")["waiting"]
    assert [(c["position"], c["caller"], c["caller_name"]) for c in waiting] == [
        (1, "390551001", "Zoë Rossi"),
        (2, "390551002", "Ugo Neri"),
    ]
    _until(exporter, "Alice rings", lambda: _agent(exporter, "1001")["state"] == "ringing")
    longest = of(
        exporter.metrics(), "asterisk_queue_longest_wait_seconds", switchboard="pbx", queue="billing"
    )
    assert longest is not None
    assert 0.3 < longest < 10
    phones.hang_up(first)
    _until(exporter, "one is left", lambda: len(_queue(exporter, "billing")["waiting"]) == 1)
    assert [(c["position"], c["caller"]) for c in _queue(exporter, "billing")["waiting"]] == [
        (1, "390551002")
    ]
    comparison.now()

    # He is answered by Bob after Alice has not answered, and the agent hangs up.
    phones.behave_all({"1001": "answer-0.2-2", "1002": "answer-0.5-3"})
    _until(exporter, "answered", lambda: len(_queue(exporter, "billing")["in_progress"]) == 1, 30)
    _until(exporter, "ended", lambda: not _queue(exporter, "billing")["in_progress"])
    comparison.now()

    # The caller hangs up; a blind transfer to another queue; an agent in several queues.
    pbx.call("billing", hangup_after=2.5)
    _until(exporter, "answered", lambda: len(_queue(exporter, "billing")["in_progress"]) == 1)
    assert _agent(exporter, "1001")["state"] == "on_call"
    assert {m["state"] for q in ("billing", "ringall", "statesq")
            for k, m in _queue(exporter, q)["members"].items() if k == "1001"} == {"on_call"}  # fmt: skip
    _until(exporter, "ended", lambda: not _queue(exporter, "billing")["in_progress"])
    phones.behave_all({"1001": "blind-0.2-1-vip", "1002": "answer-0.3-3", "1003": "answer-0.3-3"})
    pbx.call("billing", hangup_after=20)
    _until(exporter, "in vip", lambda: len(_queue(exporter, "vip")["in_progress"]) == 1)
    assert not _queue(exporter, "billing")["in_progress"]
    _until(exporter, "ended in vip", lambda: not _queue(exporter, "vip")["in_progress"])
    comparison.now()

    # Refused for a full queue, and for an empty one: offered all the same.
    phones.behave("1004", "noanswer")
    full = pbx.call("fullq", hangup_after=4)
    _until(exporter, "fullq is full", lambda: len(_queue(exporter, "fullq")["waiting"]) == 1)
    pbx.call("fullq", hangup_after=4)
    pbx.call("emptyq", hangup_after=4)
    for queue, offered in (("fullq", 2), ("emptyq", 1)):
        _until(exporter, f"{queue} offered", lambda q=queue, n=offered: _queue(exporter, q)["offered"] == n)  # type: ignore[misc]
    phones.hang_up(full)
    _until(exporter, "fullq is empty", lambda: not _queue(exporter, "fullq")["waiting"])

    # Pauses: in all queues, with another reason, in one queue, ended.
    pbx.pause("PJSIP/1002", "Pranzo")
    _until(exporter, "Bob is paused", lambda: _agent(exporter, "1002")["state"] == "paused")
    samples = exporter.metrics()
    labels = {"switchboard": "pbx", "agent": "1002"}
    assert of(samples, "asterisk_agent_paused", **labels) == 1
    assert of(samples, "asterisk_agent_pause_info", **labels, reason="Pranzo") == 1
    since = _agent(exporter, "1002")["paused_since"]
    assert abs(time.time() - since) < 5
    pbx.pause("PJSIP/1002", "Riunione")
    _until(exporter, "another reason", lambda: _agent(exporter, "1002")["pause_reason"] == "Riunione")
    assert of(exporter.metrics(), "asterisk_agent_pause_info", **labels, reason="Pranzo") is None
    pbx.unpause("PJSIP/1002")
    _until(exporter, "Bob is back", lambda: _agent(exporter, "1002")["state"] == "idle")
    pbx.pause("PJSIP/1002", "Caffè", queue="vip")
    _until(exporter, "paused in vip", lambda: _queue(exporter, "vip")["members"]["1002"]["paused"])
    assert not _agent(exporter, "1002")["paused"]
    assert _queue(exporter, "vip")["members"]["1002"]["state"] == "paused"
    assert _queue(exporter, "billing")["members"]["1002"]["state"] == "idle"
    comparison.now()
    pbx.unpause("PJSIP/1002", queue="vip")

    # Members by CLI and by AMI, penalty, ring in use.
    pbx.cli("queue add member PJSIP/1004 to billing penalty 2 as Dario")
    _until(exporter, "Dario is in billing", lambda: "1004" in _queue(exporter, "billing")["members"])
    assert _queue(exporter, "billing")["members"]["1004"] | {"since": 0} == {
        "interface": "PJSIP/1004", "state": "idle", "penalty": 2, "paused": False, "pause_reason": "",
        "dynamic": True, "calls_taken": 0, "ring_in_use": False, "since": 0,
        "name": "Dario", "state_interface": "PJSIP/1004",
    }  # fmt: skip
    comparison.now()
    pbx.cli("queue set penalty 5 on PJSIP/1004 in billing")
    _until(exporter, "penalty 5", lambda: _queue(exporter, "billing")["members"]["1004"]["penalty"] == 5)
    pbx.cli("queue remove member PJSIP/1004 from billing")
    _until(exporter, "Dario has left", lambda: "1004" not in _queue(exporter, "billing")["members"])
    pbx.add_member("vip", "Local/1005@from-queue/n", name="Elena", state_interface="PJSIP/1005")
    _until(exporter, "Elena is in vip", lambda: "1005" in _queue(exporter, "vip")["members"])
    assert "vip" in _agent(exporter, "1005")["queues"]
    assert "wrapq" in _agent(exporter, "1005")["queues"]
    comparison.now()
    pbx.remove_member("vip", "Local/1005@from-queue/n")
    _until(exporter, "Elena has left", lambda: "1005" not in _queue(exporter, "vip")["members"])

    # Time-out, auto-pause, exit by key, withdrawal of a caller, a redirected caller.
    phones.behave_all({"1001": "noanswer", "1002": "noanswer", "1005": "noanswer", "1004": "noanswer"})
    pbx.call("exitq", behaviour="d_1.5_1_4")
    pbx.call("autopq", hangup_after=7)
    _until(exporter, "exit by key", lambda: not _queue(exporter, "exitq")["waiting"])
    _until(exporter, "Elena is auto-paused", lambda: _queue(exporter, "autopq")["members"]["1005"]["paused"])
    _until(exporter, "autopq is empty", lambda: not _queue(exporter, "autopq")["waiting"])
    comparison.now()

    # A resync changes nothing.
    resyncs = _interval_resyncs(exporter)
    _until(
        exporter,
        "an interval resync",
        lambda: _interval_resyncs(exporter) > resyncs,
        RESYNC_S + 5,
    )
    comparison.now()
    wait_until(lambda: comparison.moments > 100, what="a hundred moments compared")
    assert comparison.mismatches == []
    assert _drift(exporter) == {}
    _no_errors(exporter)


@pytest.mark.timeout(240)
def test_changes_that_nothing_announces(day: Day) -> None:
    """Right within the resync interval, and counted as drift of the kind that it is."""
    pbx, phones, exporter, comparison = day
    comparison.now(within=2.0)
    phones.behave_all({"1001": "noanswer", "1002": "noanswer"})

    with comparison.paused():
        pbx.add_static_member("billing", "PJSIP/1006", name="Franco")
        pbx.reload_queues("queue reload all")
        comparison.now(within=RESYNC_S + 3)
    assert _queue(exporter, "billing")["members"]["1006"]["dynamic"] is False
    _until(exporter, "counted", lambda: _drift(exporter).get("member_appeared") == 1)

    with comparison.paused():
        pbx.remove_static_member("billing", "PJSIP/1006")
        pbx.reload_queues("queue reload all")
        comparison.now(within=RESYNC_S + 3)
    assert "1006" not in _queue(exporter, "billing")["members"]
    _until(exporter, "counted", lambda: _drift(exporter).get("member_vanished") == 1)

    # Announced by Reload: the same change is right at once, and no drift.
    pbx.add_static_member("vip", "PJSIP/1006", name="Franco")
    with comparison.paused():
        pbx.reload_queues("module reload app_queue.so")
        comparison.now(within=2.0)
    assert "1006" in _queue(exporter, "vip")["members"]
    assert set(_drift(exporter)) == {"member_appeared", "member_vanished"}
    assert comparison.mismatches == []
    _no_errors(exporter)


@pytest.mark.timeout(240)
def test_reload_restart_and_module(day: Day) -> None:
    """What takes the PBX' state away: told, and right within two seconds of its return."""
    pbx, phones, exporter, comparison = day
    comparison.now(within=2.0)
    phones.behave("1001", "answer-0.2-30")
    pbx.call("billing", hangup_after=40)
    _until(exporter, "answered", lambda: len(_queue(exporter, "billing")["in_progress"]) == 1)
    call = _queue(exporter, "billing")["in_progress"]

    with comparison.paused():  # Asterisk forgets InCall when a changed file is reloaded; the call goes on
        pbx.add_static_member("ringall", "PJSIP/1006", name="Franco")
        pbx.reload_queues("module reload app_queue.so")
        _until(exporter, "Franco is in", lambda: "1006" in _queue(exporter, "ringall")["members"], 3)
        assert _queue(exporter, "billing")["in_progress"] == call
        assert _agent(exporter, "1001")["state"] == "on_call"

        pbx.cli("core restart now")
        comparison.judge_gone()
        _until(exporter, "down", lambda: _up(exporter) == 0.0)
        assert exporter.state("pbx")["up"] is False
        assert not list(with_name(exporter.metrics(), "asterisk_queue_callers_waiting"))
        pbx.wait_booted()
        _until(exporter, "up again", lambda: _up(exporter) == 1.0, 5)
        _quietly(lambda: comparison.now(within=2.0), comparison)
    assert not _queue(exporter, "billing")["in_progress"]

    with comparison.paused():
        pbx.cli("module unload app_queue.so")
        _until(exporter, "no queues", lambda: exporter.state("pbx")["queues"] == {}, 2)
        assert exporter.state("pbx")["agents"] == {}
        pbx.cli("module load app_queue.so")
        comparison.now(within=2.0)
    assert _queue(exporter, "billing")["members"].keys() == {"1001", "1002"}
    assert _drift(exporter) == {}
    assert comparison.mismatches == []
    _no_errors(exporter)


@pytest.mark.timeout(240)
def test_flood(make_pbx: MakePbx, pbx_version: AsteriskVersion, tmp_path: Path) -> None:
    """300 calls at 30 a second, with resyncs in the middle of them: every call seen, no drift."""
    filters = "\n".join(event_filter(Version.parse(pbx_version)))
    pbx = make_pbx(name="pbx", queues=default_queues() + flood_queue(agents=200), event_filter=filters)
    settings = {"resync_interval": RESYNC_S}
    with ExporterProcess(tmp_path, {"pbx": _switchboard(pbx)}, exporter=settings) as exporter:
        wait_until(lambda: exporter.get("/readyz")[0] == 200, what="the exporter is ready")
        pbx.flood("flood", 300, 30, talk=2)
        _until(exporter, "all offered", lambda: _queue(exporter, "flood")["offered"] == 300)
        with pbx.ami() as judge:
            _until(exporter, "the flood is over", lambda: _is_quiet(judge, exporter))
            assert picture_of_exporter(exporter.state("pbx"), picture_of_pbx(judge)) == picture_of_pbx(judge)
        resyncs = _interval_resyncs(exporter)
        _until(exporter, "a resync", lambda: _interval_resyncs(exporter) > resyncs, RESYNC_S + 5)
        wait_until(lambda: _agents_in(exporter, "idle") == 200, DRIFT_GRACE_S + 5, "all agents are idle")
        assert _drift(exporter) == {}
        _no_errors(exporter)


def _is_quiet(judge: AmiJudge, exporter: ExporterProcess) -> bool:
    pbx, ours = judge.queue_status()["flood"], _queue(exporter, "flood")
    busy = any(m.get("InCall") == "1" or m["Status"] != "1" for m in pbx.members.values())
    return not (pbx.callers or busy or ours["waiting"] or ours["in_progress"])


def _agents_in(exporter: ExporterProcess, state: str) -> int:
    agents = exporter.state("pbx")["agents"]
    return sum(agents[agent]["state"] == state for agent in _queue(exporter, "flood")["members"])


@pytest.mark.timeout(120)
def test_wrap_up(make_pbx: MakePbx, phones: Phones, pbx_version: AsteriskVersion, tmp_path: Path) -> None:
    """Nothing announces its end; the configuration tells how long it lasts, and then it ends at once."""
    filters = "\n".join(event_filter(Version.parse(pbx_version)))
    pbx = make_pbx(name="pbx", phones=phones, event_filter=filters)
    settings = [{"queues": ["wrapq"], "wrapup_time": "4s"}]
    phones.behave("1005", "answer-0.2-1.5")
    with ExporterProcess(tmp_path, {"pbx": _switchboard(pbx)}, queue_settings=settings) as exporter:
        wait_until(lambda: exporter.get("/readyz")[0] == 200, what="the exporter is ready")
        pbx.call("wrapq", hangup_after=20)
        _until(exporter, "wrap-up", lambda: _agent(exporter, "1005")["state"] == "wrapup")
        began = _agent(exporter, "1005")["since"]
        assert _agent(exporter, "1005")["wrapup_until"] == pytest.approx(began + 4, abs=0.1)
        _until(exporter, "idle", lambda: _agent(exporter, "1005")["state"] == "idle")
        assert 4.0 <= time.time() - began < 4.0 + SETTLES_S
        assert _agent(exporter, "1005")["since"] == pytest.approx(began + 4, abs=0.1)


def _switchboard(pbx: Pbx) -> dict[str, Any]:
    return {
        "host": pbx.host,
        "port": pbx.ami_port,
        "username": "exporter",
        "secret": pbx.secrets["exporter"],
    }


def _interval_resyncs(exporter: ExporterProcess) -> float:
    labels = {"switchboard": "pbx", "reason": "interval"}
    count = of(exporter.metrics(), "asterpanel_state_resyncs_total", **labels)
    assert count is not None
    return count


def _up(exporter: ExporterProcess) -> float | None:
    return of(exporter.metrics(), "asterisk_up", switchboard="pbx")


def _quietly(work: Callable[[], None], comparison: Comparison) -> None:
    """Repeat while the judge's own connection is cut by the restart."""
    for _ in range(20):
        try:
            work()
            return
        except (AmiClosed, AmiError, OSError):
            comparison.judge_gone()
            time.sleep(0.1)
    work()


def _no_errors(exporter: ExporterProcess) -> None:
    samples = exporter.metrics()
    assert of(samples, "asterpanel_state_errors_total", switchboard="pbx") == 0
    assert sum(value for _, value in with_name(samples, "asterpanel_ami_errors_total")) == 0
