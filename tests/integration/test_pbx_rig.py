"""The real-PBX rig itself: what the other integration tests stand on."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pbx import install
from tests.pbx.ami_judge import AmiError, ShownMember, parse_queue_show
from tests.pbx.demo_pbx import DemoPbxPair
from tests.pbx.install import AsteriskVersion, PbxUnavailable
from tests.pbx.pbx import Pbx, Phones, default_queues, flood_queue, wait_until
from tests.pbx.traffic import SITES, Call, plan


def _events(log: list[list[str]], queue: str) -> list[str]:
    return [line[4] for line in log if line[2] == queue]


def _both_say(pbx: Pbx, queue: str, condition: Callable[[ShownMember], bool], member: str) -> ShownMember:
    wait_until(lambda: condition(pbx.queue_show()[queue].member(member)), what=f"{member} in queue show")
    shown = pbx.queue_show()[queue].member(member)
    status = pbx.queue_status(queue)[queue].members[shown.interface]
    assert shown.paused == (status["Paused"] == "1")
    assert shown.pause_reason == status["PausedReason"]
    assert shown.penalty == int(status["Penalty"])
    assert shown.dynamic == (status["Membership"] == "dynamic")
    return shown


def test_boots_the_version_asked_for(pbx: Pbx, pbx_version: AsteriskVersion) -> None:
    assert pbx.version.startswith(f"{pbx_version}.")
    with pbx.ami(tls=True) as ami:
        assert ami.action("Ping")["Response"] == "Success"
    with pbx.ami("exporter") as ami:
        assert (
            ami.action("QueuePause", Interface="PJSIP/1001", Paused="true")["Message"] == "Permission denied"
        )
        assert "billing" in ami.queue_status()
    with pbx.ami("control") as ami:
        assert ami.action("Command", Command="core stop now")["Message"] == "Permission denied"


def test_answered_call_ended_by_the_agent(pbx: Pbx, phones: Phones) -> None:
    phones.behave("1001", "answer-1.5-2.5")
    with pbx.ami("exporter", events=True) as ami:
        pbx.call("billing", caller="390551007", name="Anna Rossi", hangup_after=30)
        join = ami.wait_event("QueueCallerJoin")
        assert (join["CallerIDNum"], join["CallerIDName"]) == ("390551007", "Anna Rossi")
        wait_until(lambda: pbx.queue_show()["billing"].member("Alice").status == "Ringing")
        assert pbx.queue_show()["billing"].callers_count == 1
        connect = ami.wait_event("AgentConnect")
        assert 1.3 < float(connect["Timestamp"]) - float(join["Timestamp"]) < 2.2
        _both_say(pbx, "billing", lambda member: member.in_call and member.status == "In use", "Alice")
        complete = ami.wait_event("AgentComplete")
        assert complete["Reason"] == "agent"
        assert 2.3 < float(complete["Timestamp"]) - float(connect["Timestamp"]) < 3.5
    wait_until(lambda: pbx.queue_show()["billing"].completed == 1)
    assert pbx.queue_show()["billing"].member("Alice").calls_taken == 1
    assert _events(pbx.queue_log(), "billing") == ["ENTERQUEUE", "CONNECT", "COMPLETEAGENT"]


def test_answered_call_ended_by_the_caller(pbx: Pbx, phones: Phones) -> None:
    phones.behave("1001", "answer-0.5-30")
    with pbx.ami(events=True) as ami:
        pbx.call("billing", hangup_after=3)
        assert ami.wait_event("AgentComplete")["Reason"] == "caller"


def test_abandoned_while_it_rings(pbx: Pbx, phones: Phones) -> None:
    phones.behave_all({"1001": "noanswer", "1002": "noanswer"})
    with pbx.ami(events=True) as ami:
        pbx.call("billing", hangup_after=2.5)
        ami.wait_event("QueueCallerAbandon")
    wait_until(lambda: pbx.queue_show()["billing"].abandoned == 1)
    assert pbx.queue_show()["billing"].callers == []


def test_caller_hung_up_from_outside(pbx: Pbx, phones: Phones) -> None:
    phones.behave_all({"1001": "noanswer", "1002": "noanswer"})
    call = pbx.call("billing")
    wait_until(lambda: pbx.queue_show()["billing"].callers_count == 1)
    phones.hang_up(call)
    wait_until(lambda: pbx.queue_show()["billing"].callers_count == 0)


def test_ring_no_answer_and_refusals(pbx: Pbx, phones: Phones) -> None:
    pbx.write_config("queues.conf", pbx.read_config("queues.conf").replace("timeout = 10", "timeout = 2"))
    pbx.reload_queues()
    phones.behave_all({"1001": "noanswer", "1002": "answer-0.5-2", "1007": "busy-0.5", "1004": "decline-0.5"})
    with pbx.ami(events=True) as ami:
        pbx.call("billing")
        missed = ami.wait_event("AgentRingNoAnswer")
        assert missed["MemberName"] == "Alice"
        assert int(missed["RingTime"]) >= 2000
        while ami.wait_event("AgentConnect")["MemberName"] != "Bob":
            pbx.call("billing")
        for queue, member in (("single", "Hugo"), ("fullq", "Dario")):
            pbx.call(queue, hangup_after=4)
            assert ami.wait_event("AgentRingNoAnswer")["MemberName"] == member


def test_blind_transfer_and_exit_key(pbx: Pbx, phones: Phones) -> None:
    phones.behave_all({"1001": "blind-0.5-1-7000", "1004": "noanswer"})
    with pbx.ami(events=True) as ami:
        pbx.call("billing")
        assert ami.wait_event("BlindTransfer")["Extension"] == "7000"
        assert ami.wait_event("AgentComplete")["Reason"] == "transfer"
        pbx.call("exitq", behaviour="d_2_1_3")
        ami.wait_event("QueueCallerLeave")
    wait_until(lambda: "EXITWITHKEY" in _events(pbx.queue_log(), "exitq"))


def test_attended_transfer(pbx: Pbx, phones: Phones) -> None:
    phones.behave("1001", "satx-0.5-1-7001")
    with pbx.ami(events=True) as ami:
        pbx.call("billing")
        assert ami.wait_event("AttendedTransfer", 15)["Result"] == "Success"


def test_freepbx_member_through_a_local_channel(pbx: Pbx, phones: Phones) -> None:
    phones.behave("1001", "answer-1-3")
    pbx.call("localq")
    _both_say(pbx, "localq", lambda member: member.status == "Ringing", "Alice")
    shown = _both_say(pbx, "localq", lambda member: member.status == "In use" and member.in_call, "Alice")
    assert (shown.interface, shown.state_interface) == ("Local/1001@from-queue/n", "PJSIP/1001")


def test_pause_with_reason(local_pbx: Pbx) -> None:
    interface = "Local/1101@agentloc/n"
    local_pbx.pause(interface, "Caffè (breve)")
    shown = _both_say(local_pbx, "customq", lambda member: member.paused, "Gino")
    assert shown.pause_reason == "Caffè (breve)"
    local_pbx.cli(f"queue unpause member {interface} queue customq")
    _both_say(local_pbx, "customq", lambda member: not member.paused, "Gino")
    with pytest.raises(AmiError, match="Interface not found"):
        local_pbx.pause("PJSIP/9999")


def test_members_come_and_go(local_pbx: Pbx) -> None:
    local_pbx.add_member("emptyq", "Local/1102@agentloc/n", name="Lia Neri", penalty=3)
    shown = _both_say(local_pbx, "emptyq", lambda member: member.dynamic, "Lia Neri")
    assert shown.penalty == 3
    local_pbx.cli("queue remove member Local/1102@agentloc/n from emptyq")
    wait_until(lambda: not local_pbx.queue_show()["emptyq"].members)
    local_pbx.cli('queue add member Local/1103@agentloc/n to emptyq penalty 1 as "Ugo"')
    _both_say(local_pbx, "emptyq", lambda member: member.penalty == 1, "Ugo")


@pytest.mark.parametrize("how", ["queue reload all", "module reload app_queue.so", "core reload"])
def test_static_members_by_reload(local_pbx: Pbx, how: str) -> None:
    local_pbx.add_static_member("emptyq", "Local/1104@agentloc/n", name="Nino", penalty=2)
    local_pbx.reload_queues(how)
    _both_say(local_pbx, "emptyq", lambda member: member.penalty == 2 and not member.dynamic, "Nino")
    local_pbx.remove_static_member("emptyq", "Local/1104@agentloc/n")
    local_pbx.reload_queues(how)
    wait_until(lambda: not local_pbx.queue_show()["emptyq"].members)


@pytest.mark.parametrize("persistent", [False, True])
def test_core_restart(make_pbx: Callable[..., Pbx], persistent: bool) -> None:
    pbx = make_pbx(persistent_members=persistent)
    pbx.add_member("emptyq", "Local/1102@agentloc/n", name="Lia")
    pid = pbx.pid
    pbx.restart()
    assert pbx.pid == pid
    assert [member.name for member in pbx.queue_show()["emptyq"].members] == (["Lia"] if persistent else [])


def test_app_queue_unloaded_and_loaded(local_pbx: Pbx) -> None:
    local_pbx.cli("module unload app_queue.so")
    with local_pbx.ami() as ami, pytest.raises(AmiError, match="unknown command"):
        ami.queue_status()
    local_pbx.cli("module load app_queue.so")
    assert local_pbx.queue_show()["customq"].member("Gino").status in ("Unknown", "Not in use")


def test_local_callers_and_agents(local_pbx: Pbx) -> None:
    local_pbx.local_call("customq", caller="390559", name="Rita", hangup_after=30)
    _both_say(local_pbx, "customq", lambda member: member.status == "Ringing", "Gino")
    assert local_pbx.queue_status("customq")["customq"].callers[0]["CallerIDNum"] == "390559"
    _both_say(local_pbx, "customq", lambda member: member.status == "In use" and member.in_call, "Gino")
    wait_until(lambda: local_pbx.queue_show()["customq"].completed == 1)
    _both_say(local_pbx, "customq", lambda member: member.status == "Not in use", "Gino")


def test_flood(make_pbx: Callable[..., Pbx]) -> None:
    pbx = make_pbx(queues=default_queues() + flood_queue(agents=60))
    took = pbx.flood("flood", 40, per_second=20, talk=1)
    assert 1.8 < took < 4
    wait_until(lambda: len(_completed(pbx, "flood")) == 40, 15, "40 calls in queue_log")
    # Asterisk 16 counts a completed Local call twice now and then (43 for 40 under load)
    assert pbx.queue_show()["flood"].completed >= 40


def _completed(pbx: Pbx, queue: str) -> list[str]:
    return [line[1] for line in pbx.queue_log() if line[2] == queue and line[4].startswith("COMPLETE")]


def test_queue_show_and_queue_status_agree(local_pbx: Pbx) -> None:
    shown, status = local_pbx.queue_show(), local_pbx.queue_status()
    assert set(shown) == set(status)
    for name, queue in shown.items():
        assert queue.strategy == status[name].params["Strategy"]
        assert queue.service_level_s == int(status[name].params["ServiceLevel"])
        assert {member.interface for member in queue.members} == set(status[name].members)


def test_several_at_once_leave_nothing_behind(make_pbx: Callable[..., Pbx], phones: Phones) -> None:
    pbxs = [make_pbx(name=name, phones=phones) for name in ("milano", "torino")]
    phones.behave("1001", "answer-0.5-5")
    for pbx in pbxs:
        pbx.call("billing", hangup_after=5)
    for pbx in pbxs:
        wait_until(lambda pbx=pbx: pbx.queue_show()["billing"].callers_count == 1)  # type: ignore[misc]
    pids = [pbx.pid for pbx in pbxs]
    for pbx in pbxs:
        pbx.stop()
        pbx.discard()
        assert not pbx.home.exists()
        assert "--- " in pbx.tail_log()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_says_why_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASTERPANEL_TEST_PBX_DIR", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(PbxUnavailable, match="root"):
        install.rootfs("22")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(install, "_is_debian", lambda: False)
    with pytest.raises(PbxUnavailable, match="not Debian"):
        install.rootfs("22")


def test_demo_pair(pbx_root: Path, pbx_version: AsteriskVersion) -> None:
    lines: list[str] = []
    pair = DemoPbxPair(pbx_version, load=4, say=lines.append)
    try:
        pair.start()
        assert {found.name for found in pair.switchboards} == {"milano", "torino"}
        assert pair.traffic is not None
        for name, pbx in pair.pbxs.items():
            with pbx.ami("exporter", events=True) as ami:
                assert ami.wait_event("AgentConnect", 30)["Queue"] in {*pbx.queue_show()}, name
            states = {member.status for queue in pbx.queue_show().values() for member in queue.members}
            assert states <= {"Not in use", "In use", "Ringing", "Ring+Inuse"}
        wait_until(lambda: any(m.paused for m in pair.pbxs["milano"].queue_show()["assistenza"].members), 30)
        assert pair.traffic.failed == 0, pair.tail_log()
        homes = [pbx.home for pbx in pair.pbxs.values()]
    finally:
        pair.stop()
    assert not pair.alive()
    assert not any(home.exists() for home in homes)
    assert "traffic is on" in lines[-1]


def test_traffic_is_the_same_for_the_same_seed() -> None:
    first, second, other = (list(itertools.islice(plan(seed), 400)) for seed in (7, 7, 8))
    assert first == second
    assert first != other
    assert [step.at for step in first] == sorted(step.at for step in first)
    calls = [step for step in first if isinstance(step, Call)]
    assert {call.queue for call in calls} == {queue.name for site in SITES for queue in site.queues}
    assert all(15 <= call.talk <= 90 for call in calls)


def test_queue_show_lines() -> None:
    text = (
        "q has 1 calls (max unlimited) in 'ringall' strategy (7s holdtime, 0s talktime), W:0, C:2, A:3, "
        "SL:0.0%, SL2:0.0% within 20s\n"
        "   Members: \n"
        "      Lia (x) (Local/1@a/n from hint:1@b) with penalty 4 (ringinuse disabled)\x1b[0;36m (dynamic)"
        "\x1b[0m (in call) (paused:caffè (breve) was 6 secs ago) (On Hold) has taken 1 calls "
        "(last was 1 secs ago)\n"
        "   Callers: \n      1. PJSIP/peer-00000001 (wait: 1:05, prio: 7)\n"
    )
    queue = parse_queue_show(text)["q"]
    assert (queue.completed, queue.abandoned, queue.callers_count) == (2, 3, 1)
    assert (queue.callers[0].wait_s, queue.callers[0].priority) == (65, 7)
    (member,) = queue.members
    assert (member.name, member.interface, member.state_interface) == ("Lia (x)", "Local/1@a/n", "hint:1@b")
    assert (member.pause_reason, member.penalty, member.calls_taken) == ("caffè (breve)", 4, 1)
    assert (member.status, member.in_call, member.dynamic) == ("On Hold", True, True)
