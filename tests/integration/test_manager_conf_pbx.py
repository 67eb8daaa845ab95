"""What `manager-conf` prints, on real Asterisks: exactly the wanted events come, and nothing else."""

from __future__ import annotations

import contextlib
from ipaddress import ip_network

import pytest

from asterpanel_exporter.manager_conf import EVENTS, MATCHES, AmiUser, Version, event_filter, manager_conf
from tests.load.ami_cost import MAX_BYTES, MAX_EVENTS, QUEUES, AmiStream, measure
from tests.pbx.fixtures import MakePbx
from tests.pbx.install import AsteriskVersion
from tests.pbx.pbx import Pbx, Phones, wait_until

pytestmark = pytest.mark.pbx

NO_FILTER = """
[everything]
secret = secret
read = system,agent,call,dialplan
write =
"""


def wanted(frame: bytes) -> bool:
    """Whether the filter is meant to let an event through, said in another way than the filter says it."""
    lines = frame.decode().split("\r\n")
    name = lines[0].removeprefix("Event: ")
    return name in EVENTS or any(
        name == match.event and f"{match.header}: {value}" in lines
        for match in MATCHES
        for value in match.values
    )


def users(version: str, prefix: str) -> str:
    return manager_conf(
        Version.parse(version), AmiUser(f"{prefix}exporter", "secret"), AmiUser(f"{prefix}control", "secret")
    )


def busy_minute(pbx: Pbx, phones: Phones) -> None:
    """A little of everything that the filters are about."""
    phones.behave_all({"1001": "noanswer", "1002": "answer-1-30", "1003": "noanswer", "1007": "busy-0.5"})
    with pbx.ami(events=True) as judge:
        pbx.call("ringall", caller="390551001", hangup_after=3)  # two phones lose: DialEnd CANCEL
        judge.wait_event("AgentComplete")
        phones.behave("1001", "blind-0.5-1-7000")
        pbx.call("localq", caller="390551002", hangup_after=20)
        judge.wait_event("BlindTransfer")
        pbx.call("emptyq", caller="390551003")  # refused: VarSet QUEUESTATUS=JOINEMPTY
        judge.wait_event(lambda event: event.get("Value") == "JOINEMPTY")
        pbx.call("single", caller="390551004", hangup_after=2.5)  # DialEnd BUSY
        judge.wait_event("QueueCallerAbandon")
        pbx.pause("PJSIP/1002", "Caffè")
        pbx.unpause("PJSIP/1002")
        pbx.add_member("vip", "PJSIP/1004", name="Dario")
        pbx.remove_member("vip", "PJSIP/1004")
        pbx.reload_queues("module reload app_queue.so")
        judge.wait_event("Reload")
    wait_until(lambda: "0 active channels" in pbx.cli("core show channels"), 20, "all calls are over")


def frames_until_quiet(stream: AmiStream) -> list[bytes]:
    stream.read_until_quiet()
    frames = stream.received.split(b"\r\n\r\n")
    return [frame for frame in frames if frame.startswith(b"Event: ") and b"FullyBooted" not in frame]


def test_exactly_the_wanted_events_come_and_none_for_the_control_user(
    make_pbx: MakePbx, phones: Phones, pbx_version: AsteriskVersion
) -> None:
    forms = {"new-": pbx_version, **({"old-": "21.0"} if pbx_version == "22" else {})}
    more = "".join(users(version, prefix) for prefix, version in forms.items())
    pbx = make_pbx(phones=phones, more_users=NO_FILTER + more)
    with contextlib.ExitStack() as stack:
        everything = stack.enter_context(AmiStream(pbx, "everything", "secret"))
        filtered = [stack.enter_context(AmiStream(pbx, f"{prefix}exporter", "secret")) for prefix in forms]
        control = stack.enter_context(AmiStream(pbx, "new-control", "secret"))
        greeting = control.received
        busy_minute(pbx, phones)
        frames = [frame for frame in frames_until_quiet(everything) if wanted(frame)]
        received = [frames_until_quiet(stream) for stream in filtered]
        control.read_until_quiet()

    names = {frame.partition(b"\r\n")[0].removeprefix(b"Event: ").decode() for frame in frames}
    assert names >= {
        "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "QueueMemberStatus", "QueueMemberAdded",
        "QueueMemberRemoved", "QueueMemberPause", "AgentCalled", "AgentConnect", "AgentComplete",
        "AgentRingNoAnswer", "Hangup", "BlindTransfer", "Reload", "VarSet", "Newexten", "DialEnd",
    }  # fmt: skip
    for filtered_frames in received:
        assert filtered_frames == frames
    assert control.received == greeting


def test_the_control_user_can_pause_a_member_and_nothing_beyond_members(
    make_pbx: MakePbx, pbx_version: AsteriskVersion
) -> None:
    far = (ip_network("10.99.0.0/16"),)
    elsewhere = manager_conf(
        Version.parse(pbx_version), AmiUser("far", "secret", far), AmiUser("far-control", "secret", far)
    )
    pbx = make_pbx(more_users=users(pbx_version, "") + elsewhere)
    with pytest.raises(RuntimeError, match="Authentication failed"):
        AmiStream(pbx, "far", "secret")
    interface = "Local/1101@agentloc/n"
    with AmiStream(pbx, "control", "secret") as control, AmiStream(pbx, "exporter", "secret") as exporter:
        answer = control.ask("QueuePause", Interface=interface, Paused="true", Reason="lunch")
        assert "Interface paused successfully" in answer
        for action, fields in {
            "Command": {"Command": "core show version"},
            "Originate": {"Channel": "Local/1@x", "Application": "NoOp"},
            "Setvar": {"Variable": "X", "Value": "1"},
            "Hangup": {"Channel": "x"},
        }.items():
            assert "Permission denied" in control.ask(action, **fields)
        assert "Permission denied" in exporter.ask("QueuePause", Interface=interface, Paused="false")
        assert "Queue status will follow" in exporter.ask("QueueStatus")


@pytest.mark.parametrize("caller", ["pjsip", "local"])
def test_an_ordinary_call_costs_what_is_promised(
    make_pbx: MakePbx, phones: Phones, pbx_version: AsteriskVersion, caller: str
) -> None:
    lines = event_filter(Version.parse(pbx_version))
    pbx = make_pbx(phones=phones, queues=QUEUES, agents=["1001"], event_filter="\n".join(lines))
    cost = measure(pbx, calls=2, caller="pjsip" if caller == "pjsip" else "local")
    assert cost.events_per_call <= MAX_EVENTS
    assert cost.bytes_per_call <= MAX_BYTES
