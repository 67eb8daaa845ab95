"""Acting on real Asterisks, with the two AMI users that `manager-conf` prints.

What was done is looked up where Asterisk itself tells it (`queue show`, QueueStatus of another user,
queue_log) and in the exporter's live state, which an operation waits for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from asterpanel_control_api.errors import ApiError
from asterpanel_control_api.live.boards import Boards
from asterpanel_control_api.live.exporter_client import ExporterClient
from asterpanel_control_api.switchboards.bridge import Bridge
from asterpanel_control_api.switchboards.operations import AgentRules, Operations
from asterpanel_control_api.switchboards.outcomes import Outcome
from asterpanel_control_api.switchboards.plans import MemberSettings
from asterpanel_switchboard.config import SwitchboardConfig
from asterpanel_switchboard.identity import agent_identity
from asterpanel_switchboard.new_member import NewMemberTemplate
from tests.exporter_process import ExporterProcess
from tests.pbx.ami_judge import ShownMember
from tests.pbx.control_pbx import (
    ANNA,
    CONTROL_USER,
    EXPORTER_USER,
    NAME,
    NEW_MEMBER,
    SECRET,
    WEAK_USER,
    control_pbx,
    hanging,
)
from tests.pbx.fixtures import MakePbx
from tests.pbx.install import AsteriskVersion
from tests.pbx.pbx import Pbx, wait_until

pytestmark = pytest.mark.pbx

TIMEOUT_S = 3.0
SEEN_S = 1.0
"""Within which an action is done and seen."""


@dataclass
class Rig:
    """A PBX, the exporter that watches it, and what acts on it."""

    pbx: Pbx
    boards: Boards
    bridge: Bridge
    operations: Operations

    def shown(self, queue: str, name: str = "Anna Rossi") -> ShownMember | None:
        """A member as `queue show` has him."""
        return next((one for one in self.pbx.queue_show()[queue].members if one.name == name), None)

    def document(self) -> dict[str, object]:
        document = self.boards.document(NAME)
        assert document is not None
        return dict(document)

    def knows(self, agent: str) -> bool:
        """Whether the live state has him: a switchboard is up some moments before its persistent members."""
        return agent in self.document()["agents"]  # type: ignore[operator]

    def is_up(self) -> bool:
        fresh = self.boards.freshness(NAME)
        return self.bridge.connections()[NAME].is_up and fresh is not None and fresh.up

    def pauses(self) -> list[list[str]]:
        """Lines of queue_log that tell of pauses: agent, event, reason."""
        return [
            line[3:]
            for line in self.pbx.queue_log()
            if line[4] in ("PAUSE", "PAUSEALL", "UNPAUSE", "UNPAUSEALL")
        ]


def _login(pbx: Pbx, username: str) -> SwitchboardConfig:
    return SwitchboardConfig(
        name=NAME, host=pbx.host, port=pbx.ami_port, username=username, secret=SecretStr(SECRET)
    )


@pytest.fixture
def rig(make_pbx: MakePbx, pbx_version: AsteriskVersion, tmp_path: Path) -> Iterator[Rig]:
    pbx = control_pbx(make_pbx, pbx_version)
    settings = {"host": pbx.host, "port": pbx.ami_port, "username": EXPORTER_USER, "secret": SECRET}
    with ExporterProcess(tmp_path, {NAME: settings}) as exporter:
        boards = Boards()
        client = ExporterClient(f"http://127.0.0.1:{exporter.port}", SecretStr(exporter.token), boards)
        client.start()
        bridge = Bridge({NAME: _login(pbx, CONTROL_USER)})
        bridge.start()
        made = Rig(pbx, boards, bridge, _operations(bridge, boards))
        try:
            wait_until(made.is_up, 20, "exporter and control user are connected")
            yield made
        finally:
            bridge.stop()
            client.stop()


def _operations(bridge: Bridge, boards: Boards) -> Operations:
    template = NewMemberTemplate(**NEW_MEMBER)
    return Operations(bridge, boards, {NAME: AgentRules(agent_identity(), template)}, TIMEOUT_S)


def done_in_time(what: Callable[[], Outcome]) -> Outcome:
    """The outcome, which is confirmed and seen, within a second."""
    began = time.monotonic()
    outcome = what()
    assert time.monotonic() - began < SEEN_S
    assert outcome.document["result"] == "done", outcome.document
    assert all(one.seen for one in outcome.queues)
    return outcome


def error_id(what: Callable[[], object]) -> str:
    with pytest.raises(ApiError) as raised:
        what()
    return raised.value.id.id


def test_pause_and_unpause(rig: Rig) -> None:
    pause, unpause = rig.operations.pause, rig.operations.unpause
    done_in_time(lambda: pause(NAME, "1101", reason="Pausa caffè ☕"))
    for queue in ("billing", "sales"):
        member = rig.shown(queue)
        assert member is not None
        assert (member.paused, member.pause_reason) == (True, "Pausa caffè ☕")
    assert rig.document()["agents"]["1101"]["pause_reason"] == "Pausa caffè ☕"  # type: ignore[index]
    log = rig.pauses()
    assert [line[1] for line in log] == ["PAUSEALL", "PAUSE", "PAUSE"]

    assert error_id(lambda: pause(NAME, "1101", reason="Pausa caffè ☕")) == "already_so"
    assert rig.pauses() == log

    done_in_time(lambda: pause(NAME, "1101", reason="x" * 79))
    done_in_time(lambda: unpause(NAME, "1101", queues=["billing"]))
    outcome = done_in_time(lambda: unpause(NAME, "1101"))
    assert [(one.queue, one.verdict) for one in outcome.queues] == [
        ("billing", "already_so"), ("sales", "done"),
    ]  # fmt: skip
    assert not any(member.paused for queue in rig.pbx.queue_show().values() for member in queue.members)
    assert error_id(lambda: unpause(NAME, "1101")) == "already_so"

    # A static member too; and one queue alone.
    done_in_time(lambda: pause(NAME, "1102", queues=["billing"]))
    member = rig.shown("billing", "Bruno Verdi")
    assert member is not None
    assert member.paused
    assert error_id(lambda: pause(NAME, "1102", queues=["vip"])) == "not_found"
    assert error_id(lambda: pause(NAME, "1199")) == "not_found"


def test_members_as_freepbx_makes_them(rig: Rig) -> None:
    operations = rig.operations
    done_in_time(lambda: operations.put_member(NAME, "vip", "1101", MemberSettings(penalty=4)))
    in_asterisk = rig.pbx.queue_status("vip")["vip"].members[ANNA]
    assert (in_asterisk["Name"], in_asterisk["StateInterface"]) == ("Anna Rossi", "hint:1101@ext-local")
    assert (in_asterisk["Membership"], in_asterisk["Penalty"]) == ("dynamic", "4")
    assert error_id(lambda: operations.put_member(NAME, "vip", "1101", MemberSettings())) == "already_so"

    values = MemberSettings(penalty=7, paused=True, pause_reason="Formazione", ring_in_use=True)
    done_in_time(lambda: operations.patch_member(NAME, "vip", "1101", values))
    member = rig.shown("vip")
    assert member is not None
    assert (member.penalty, member.paused, member.pause_reason) == (7, True, "Formazione")
    assert error_id(lambda: operations.patch_member(NAME, "vip", "1101", values)) == "already_so"
    assert rig.pbx.queue_status("sales")["sales"].members[ANNA]["Penalty"] == "2"

    done_in_time(lambda: operations.delete_member(NAME, "vip", "1101"))
    assert rig.shown("vip") is None
    assert error_id(lambda: operations.delete_member(NAME, "vip", "1101")) == "not_found"

    # By the template, for one who is in no queue; paused with a reason from the start, also on 16.
    values = MemberSettings(paused=True, pause_reason="Lunch")
    done_in_time(lambda: operations.put_member(NAME, "vip", "1103", values))
    in_asterisk = rig.pbx.queue_status("vip")["vip"].members["Local/1103@agentloc/n"]
    assert in_asterisk["StateInterface"] == "hint:1103@ext-local"
    assert (in_asterisk["Paused"], in_asterisk["PausedReason"]) == ("1", "Lunch")
    assert error_id(lambda: operations.put_member(NAME, "vip", "1234", MemberSettings())) == "not_found"

    assert error_id(lambda: operations.delete_member(NAME, "billing", "1102")) == "static_member"
    done_in_time(lambda: operations.patch_member(NAME, "billing", "1102", MemberSettings(penalty=9)))
    assert error_id(lambda: operations.put_member(NAME, "nope", "1101", MemberSettings())) == "not_found"


def test_the_whole_set_of_queues(rig: Rig) -> None:
    operations = rig.operations
    wanted = {"vip": MemberSettings(penalty=1), "sales": MemberSettings(penalty=2)}
    outcome = done_in_time(lambda: operations.set_queues(NAME, "1101", wanted))
    assert [(one.queue, one.change, one.verdict) for one in outcome.queues] == [
        ("vip", "add", "done"), ("sales", "keep", "already_so"), ("billing", "remove", "done"),
    ]  # fmt: skip
    assert [queue for queue in ("billing", "sales", "vip") if rig.shown(queue)] == ["sales", "vip"]
    again = operations.set_queues(NAME, "1101", wanted)
    assert {one.verdict for one in again.queues} == {"already_so"}

    outcome = operations.set_queues(NAME, "1102", {"vip": MemberSettings()})
    assert [(one.queue, one.verdict) for one in outcome.queues] == [
        ("vip", "done"), ("billing", "static_member"),
    ]  # fmt: skip
    assert outcome.document["result"] == "partial"
    assert rig.shown("billing", "Bruno Verdi") is not None

    done_in_time(lambda: operations.set_queues(NAME, "1101", {}))
    assert not any(rig.shown(queue) for queue in ("billing", "sales", "vip"))


def test_callers(rig: Rig, pbx_version: AsteriskVersion) -> None:
    operations = rig.operations
    numbers = ("390551001", "390551002", "390551003")
    for place, number in enumerate(numbers, 1):
        rig.pbx.local_call("vip", caller=number)
        wait_until(lambda count=place: len(_waiting(rig)) == count, what="he waits")  # type: ignore[misc]
    ids = [one["uniqueid"] for one in _waiting(rig)]

    outcome = operations.change_priority(NAME, "vip", ids[2], 10)
    assert outcome.document["result"] == "accepted"  # no event tells it
    callers = rig.pbx.queue_status("vip")["vip"].callers
    priorities = {one["CallerIDNum"]: one["Priority"] for one in callers}
    assert priorities == {numbers[0]: "0", numbers[1]: "0", numbers[2]: "10"}
    first = numbers[2] if pbx_version == "22" else numbers[0]
    assert callers[0]["CallerIDNum"] == first
    assert error_id(lambda: operations.change_priority(NAME, "vip", "1.1", 10)) == "not_found"

    outcome = operations.withdraw(NAME, "vip", ids[0], info="to the mailbox")
    assert outcome.document["result"] == "done"
    assert ids[0] not in [one["uniqueid"] for one in _waiting(rig)]
    assert error_id(lambda: operations.withdraw(NAME, "vip", ids[0])) == "not_found"
    wait_until(lambda: any(line[4] == "WITHDRAW" for line in rig.pbx.queue_log()), what="queue_log has it")


def _waiting(rig: Rig) -> list[dict[str, str]]:
    waiting: list[dict[str, str]] = rig.document()["queues"]["vip"]["waiting"]  # type: ignore[index]
    return waiting


def test_while_the_pbx_is_down(rig: Rig) -> None:
    rig.pbx.stop()
    wait_until(lambda: not rig.bridge.connections()[NAME].is_up, what="the loss is noticed")
    began = time.monotonic()
    for _ in range(3):
        assert error_id(lambda: rig.operations.pause(NAME, "1101", reason="too late")) == "not_connected"
    assert time.monotonic() - began < TIMEOUT_S
    rig.pbx.start()
    wait_until(rig.is_up, 30, "everybody is connected again")
    wait_until(lambda: rig.knows("1101"), what="persistent members are back")
    done_in_time(lambda: rig.operations.pause(NAME, "1101", reason="again"))
    assert {line[2] for line in rig.pauses()} == {"again"}
    assert "too late" not in json.dumps(rig.document())


@pytest.mark.parametrize("hangs_s", [1.0, 12.0], ids=["briefly", "until the connection is given up"])
def test_while_the_pbx_hangs(rig: Rig, hangs_s: float) -> None:
    with hanging(rig.pbx):
        began = time.monotonic()
        assert error_id(lambda: rig.operations.pause(NAME, "1101", reason="too late")) == "not_connected"
        assert time.monotonic() - began < TIMEOUT_S
        wait_until(lambda: time.monotonic() - began > hangs_s, hangs_s + 1)
    wait_until(rig.is_up, 30, "everybody is connected again")
    done_in_time(lambda: rig.operations.pause(NAME, "1101", reason="again"))
    assert {line[2] for line in rig.pauses()} == {"again"}


def test_after_a_restart(rig: Rig) -> None:
    rig.operations.pause(NAME, "1101", reason="Lunch")
    rig.pbx.restart()
    wait_until(rig.is_up, 30, "everybody is connected again")
    wait_until(lambda: rig.knows("1101"), what="persistent members are back")
    done_in_time(lambda: rig.operations.unpause(NAME, "1101"))


def test_app_queue_not_loaded(rig: Rig) -> None:
    rig.pbx.cli("module unload app_queue.so")
    error = error_id(lambda: rig.operations.pause(NAME, "1101"))
    assert error in ("not_supported", "not_found", "no_state")
    rig.pbx.cli("module load app_queue.so")
    wait_until(lambda: rig.knows("1101"), what="members are back")
    done_in_time(lambda: rig.operations.pause(NAME, "1101"))


def test_a_user_without_the_right_class(rig: Rig) -> None:
    bridge = Bridge({NAME: _login(rig.pbx, WEAK_USER)})
    try:
        operations = _operations(bridge, rig.boards)
        with pytest.raises(ApiError, match="write = agent") as raised:
            operations.pause(NAME, "1101")
        assert raised.value.id.id == "refused"
    finally:
        bridge.stop()
    assert rig.pauses() == []


def test_the_control_user_can_do_nothing_else(rig: Rig) -> None:
    for action in (
        {"Action": "Command", "Command": "core show version"},
        {"Action": "Originate", "Channel": "Local/1@x", "Application": "NoOp"},
        {"Action": "UpdateConfig", "SrcFilename": "queues.conf", "DstFilename": "queues.conf"},
    ):
        answer = rig.bridge.request(NAME, action, TIMEOUT_S)
        assert (answer.success, answer.message) == (False, "Permission denied")


def test_a_reason_cannot_become_a_member_at_the_next_restart(rig: Rig) -> None:
    """Asterisk keeps a dynamic member's pause reason unquoted between ; and |."""
    for reason in ("x|Local/0039@out/n;0;0;Mallory;;", "x\r\nInterface: PJSIP/1", "x;y"):
        assert error_id(lambda text=reason: rig.operations.pause(NAME, "1101", reason=text)) == (  # type: ignore[misc]
            "invalid_request"
        )
    before = sorted(rig.pbx.queue_status("billing")["billing"].members)
    rig.pbx.restart()
    assert sorted(rig.pbx.queue_status("billing")["billing"].members) == before


def test_many_at_once(rig: Rig) -> None:
    """Thirty agents joined, paused and taken out from as many threads; and one agent from many."""
    agents = [f"11{number}" for number in range(10, 40)]

    def work_day(agent: str) -> list[str]:
        operations = rig.operations
        return [
            operations.put_member(NAME, "sales", agent, MemberSettings(penalty=1)).document["result"],
            operations.pause(NAME, agent, reason=f"break of {agent}").document["result"],
            operations.set_queues(NAME, agent, {"vip": MemberSettings()}).document["result"],
            operations.unpause(NAME, agent).document["result"],
            operations.delete_member(NAME, "vip", agent).document["result"],
        ]

    def pause_anna(number: int) -> str:
        try:
            return str(rig.operations.pause(NAME, "1101", reason="Lunch").document["result"])
        except ApiError as error:
            return error.id.id

    with ThreadPoolExecutor(len(agents) + 4) as pool:
        days = pool.map(work_day, agents)
        of_anna = sorted(pool.map(pause_anna, range(4)))
        assert {result for day in days for result in day} == {"done"}
    assert of_anna == ["already_so"] * 3 + ["done"]
    assert len([line for line in rig.pauses() if line[0] == "Anna Rossi" and line[1] == "PAUSEALL"]) == 1
