"""One frame → one typed event: every event that is needed, every dialect, and what cannot be trusted."""

import re
from contextlib import suppress

import pytest

from asterpanel_switchboard.decoding import NEEDED_EVENTS, MalformedEvent, decode
from asterpanel_switchboard.events import (
    AgentEvent,
    AgentStep,
    CallerAbandoned,
    CallerJoined,
    CallerLeft,
    CallerListed,
    CallTransferred,
    ChannelGone,
    DeviceStatus,
    Event,
    FullyBooted,
    MemberChange,
    MemberChanged,
    MemberListed,
    ModuleLoaded,
    QueueEntered,
    QueueListed,
    QueueListEnded,
    QueueStatusSet,
    Reloaded,
    ShuttingDown,
)
from asterpanel_switchboard.wire import frames_of
from tests.traces import ALL, recording
from tests.unit import ami

AT = 1795390403.582351


def event(data: bytes) -> Event | None:
    (frame,) = frames_of(data)
    return decode(frame)


def first(name: str, frame_of: bytes) -> Event | None:
    """The first frame of this event in a recording, decoded."""
    frames = (
        frame for frame in frames_of(recording(name)) if frame.startswith(b"Event: " + frame_of + b"\r")
    )
    return decode(next(frames))


class TestRealFrames:
    """As recorded; the expected values were read in the recordings by eye."""

    def test_join(self) -> None:
        joined = first("asterisk-22/answered_caller_hangup", b"QueueCallerJoin")
        assert isinstance(joined, CallerJoined)
        assert (joined.at, joined.queue, joined.position, joined.count) == (1795390401.5761, "billing", 1, 1)
        caller = joined.caller
        assert (caller.uniqueid, caller.linkedid) == ("1795390401.0", "1795390401.0")
        assert (caller.number, caller.name) == ("390551001", "Anna Rossi")
        assert caller.channel == "PJSIP/peer-00000000"

    def test_leave(self) -> None:
        left = first("asterisk-22/answered_caller_hangup", b"QueueCallerLeave")
        assert left == CallerLeft(1795390403.582318, "billing", "1795390401.0", 1, 0)

    def test_abandon(self) -> None:
        gone = first("asterisk-22/abandoned_no_member", b"QueueCallerAbandon")
        assert gone == CallerAbandoned(1795390561.397288, "billing", "1795390556.23", 1)

    def test_connect(self) -> None:
        assert first("asterisk-22/answered_caller_hangup", b"AgentConnect") == AgentEvent(
            AT, AgentStep.CONNECTED, "billing", "PJSIP/1001", "Alice",
            "1795390401.0", "PJSIP/1001-00000001", "1795390401.1",
            number="390551001", name="Anna Rossi", hold_s=2.0, ring_s=2.0,
        )  # fmt: skip

    def test_complete_without_the_agents_channel(self) -> None:
        completed = first("asterisk-22/attended_transfer_dtmf", b"AgentComplete")
        assert isinstance(completed, AgentEvent)
        assert (completed.step, completed.reason) == (AgentStep.COMPLETED, "transfer")
        assert (completed.uniqueid, completed.dest_uniqueid, completed.dest_channel) == (
            "1795390494.13", "", "",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("name", "frame_of", "step"),
        [
            ("asterisk-22/answered_caller_hangup", b"AgentCalled", AgentStep.CALLED),
            ("asterisk-22/agent_rejects_busy", b"AgentRingNoAnswer", AgentStep.NOT_ANSWERED),
            ("asterisk-22/memberdelay_agent_dump", b"AgentDump", AgentStep.DUMPED),
        ],
    )
    def test_steps(self, name: str, frame_of: bytes, step: AgentStep) -> None:
        agent = first(name, frame_of)
        assert isinstance(agent, AgentEvent)
        assert agent.step is step

    def test_member_added(self) -> None:
        added = first("asterisk-22/member_actions", b"QueueMemberAdded")
        assert isinstance(added, MemberChanged)
        member = added.member
        assert added.change is MemberChange.ADDED
        assert (member.queue, member.interface, member.name) == ("vip", "PJSIP/1004", "Dario Ünïcode")
        assert (member.dynamic, member.penalty, member.status) == (True, 2, DeviceStatus.NOT_IN_USE)
        assert (member.paused, member.paused_reason, member.last_pause) == (True, "training", 1795391113.0)
        assert (member.ring_in_use, member.wrapup_s, member.in_call) == (False, 0.0, False)

    @pytest.mark.parametrize(
        ("change", "kind"),
        [
            ("Status", MemberChange.STATUS),
            ("Added", MemberChange.ADDED),
            ("Removed", MemberChange.REMOVED),
            ("Pause", MemberChange.PAUSE),
            ("Penalty", MemberChange.PENALTY),
            ("Ringinuse", MemberChange.RING_IN_USE),
        ],
    )
    def test_member_changes(self, change: str, kind: MemberChange) -> None:
        changed = event(ami.member_event(AT, change, "sales", "PJSIP/1001", Status=6))
        assert isinstance(changed, MemberChanged)
        assert (changed.at, changed.change, changed.member.status) == (AT, kind, DeviceStatus.RINGING)

    def test_blind_transfer(self) -> None:
        transferred = first("asterisk-22/blind_transfer_sip_refer", b"BlindTransfer")
        assert isinstance(transferred, CallTransferred)
        assert not transferred.attended
        assert transferred.uniqueids == {"1795390438.6", "1795390438.7"}

    def test_attended_transfer(self) -> None:
        transferred = first("asterisk-22/attended_transfer_sip_replaces", b"AttendedTransfer")
        assert isinstance(transferred, CallTransferred)
        assert transferred.attended
        assert transferred.uniqueids == {"1795392649.21", "1795392654.22", "1795392648.20"}

    def test_list(self) -> None:
        items = [decode(frame) for frame in frames_of(recording("asterisk-22/reload_during_call"))]
        listed = [item for item in items if isinstance(item, QueueListed)]
        assert {(item.action_id, item.queue, item.strategy) for item in listed} == {
            (f"a264-{number}", "billing", "linear") for number in (2, 3, 4)
        }
        assert listed[0].service_level_s == 20.0
        members = [item for item in items if isinstance(item, MemberListed)]
        bob = members[1].member
        assert (bob.interface, bob.name, bob.paused, bob.paused_reason) == (
            "PJSIP/1002",
            "Bob",
            True,
            "lunch",
        )
        assert bob.ring_in_use is None
        assert members[0].member.in_call is True
        assert QueueListEnded("a264-2") in items

    def test_module_events(self) -> None:
        events = [decode(frame) for frame in frames_of(recording("asterisk-22/module_unload_load"))]
        assert ModuleLoaded(1795393594.160523, "app_queue", False) in events
        assert ModuleLoaded(1795393594.178837, "app_queue", True) in events
        assert Reloaded(1795393596.182098, "manager") in events
        assert any(isinstance(item, FullyBooted) for item in events)

    def test_refused_caller(self) -> None:
        events = [decode(frame) for frame in frames_of(recording("asterisk-22/queue_full"))]
        [_, refused] = [event for event in events if isinstance(event, QueueEntered)]
        assert (refused.at, refused.queue) == (1795390660.388586, "fullq")
        assert (refused.caller.uniqueid, refused.caller.number) == ("1795390659.44", "3902")
        assert (refused.context, refused.extension) == ("fromsip", "fullq")
        assert QueueStatusSet(1795390660.388956, "1795390659.44", "FULL") in events

    @pytest.mark.parametrize("name", ALL)
    def test_nothing_in_any_recording_is_malformed(self, name: str) -> None:
        for frame in frames_of(recording(name)):
            decode(frame)


class TestOtherEvents:
    def test_hangup(self) -> None:
        assert event(ami.hangup(AT, "7.1")) == ChannelGone(AT, "7.1", "PJSIP/peer-7.1", 16, "queues", "s")

    def test_shutdown(self) -> None:
        data = ami.frame("Shutdown", ami.stamp(AT), [("Shutdown", "Cleanly"), ("Restart", "True")])
        assert event(data) == ShuttingDown(AT, True)

    def test_queue_entry(self) -> None:
        listed = event(ami.queue_entry("sales", "7.1", 2, wait=61, priority=3, caller="unknown"))
        assert isinstance(listed, CallerListed)
        assert (listed.queue, listed.position, listed.wait_s, listed.priority) == ("sales", 2, 61.0, 3)
        assert (listed.caller.uniqueid, listed.caller.name) == ("7.1", "")

    @pytest.mark.parametrize("unknown", ["<unknown>", "unknown", ""])
    def test_unknown_callers(self, unknown: str) -> None:
        joined = event(ami.join(AT, "sales", "7.1", 1, 1, number=unknown, caller=unknown))
        assert isinstance(joined, CallerJoined)
        assert (joined.caller.number, joined.caller.name) == ("", "")

    @pytest.mark.parametrize("name", ["Zoé".encode(), "Zoé".encode("latin-1")])
    def test_a_latin_1_name_is_readable(self, name: bytes) -> None:
        joined = event(ami.join(AT, "sales", "7.1", 1, 1, caller=name))
        assert isinstance(joined, CallerJoined)
        assert joined.caller.name == "Zoé"

    def test_without_timestampevents(self) -> None:
        left = event(ami.leave(None, "sales", "7.1", 1, 0))
        assert isinstance(left, CallerLeft)
        assert left.at is None

    @pytest.mark.parametrize("result", ["Fail", "Invalid", "Not Permitted"])
    def test_a_transfer_that_failed_is_none(self, result: str) -> None:
        assert event(ami.blind_transfer(AT, "7.1", "7.2", result)) is None

    def test_a_three_way_call_is_no_transfer(self) -> None:
        """The agent has pressed *3: all three talk on, and Asterisk sends no AgentComplete."""
        assert event(ami.attended_transfer(AT, "7.2", "7.3", "7.1", "Threeway")) is None

    @pytest.mark.parametrize("status", ["Failure", "Declined"])
    def test_a_module_that_did_not_load(self, status: str) -> None:
        data = ami.frame("Load", ami.stamp(AT), [("Module", "app_queue.so"), ("Status", status)])
        assert event(data) is None

    @pytest.mark.parametrize(
        ("data", "queue"),
        [
            ("sales,tT,,,120", "sales"),
            ("sales", "sales"),
            (" sales ,t", "sales"),
            ("", None),
            (",t", None),
        ],
    )
    def test_queue_entered(self, data: str, queue: str | None) -> None:
        entered = event(ami.newexten(AT, "7.1", data))
        assert entered is None or isinstance(entered, QueueEntered)
        assert (None if entered is None else (entered.queue, entered.caller.uniqueid)) == (
            None if queue is None else (queue, "7.1")
        )

    @pytest.mark.parametrize(
        "data",
        [
            ami.newexten(AT, "7.1", "sales", application="Dial"),
            ami.varset(AT, "7.1", "7", variable="QUEUEPOSITION"),
            ami.varset(AT, "7.1", "7", variable="MYQUEUESTATUS"),
            ami.frame("Newchannel", ami.channel("7.1")),
            ami.frame("", ami.channel("7.1")),
            b"Response: Success\r\nMessage: Event: Hangup\r\n\r\n",
        ],
    )
    def test_what_nobody_needs(self, data: bytes) -> None:
        assert event(data) is None


class TestOlderDialects:
    """Hand-written after reference/ami.md, "Older"."""

    def test_join_and_leave_of_11(self) -> None:
        joined = event(
            ami.frame(
                "Join",
                [
                    ("Privilege", "call,all"), ("Channel", "SIP/peer-00000001"), ("CallerIDNum", "390551"),
                    ("CallerIDName", "Anna"), ("ConnectedLineNum", "unknown"),
                    ("ConnectedLineName", "unknown"), ("Queue", "sales"), ("Position", 2), ("Count", 2),
                    ("Uniqueid", "7.1"),
                ],
            )
        )  # fmt: skip
        assert isinstance(joined, CallerJoined)
        assert (joined.queue, joined.caller.uniqueid, joined.position, joined.count) == ("sales", "7.1", 2, 2)
        left = event(
            ami.frame(
                "Leave",
                [
                    ("Privilege", "call,all"), ("Channel", "SIP/peer-00000001"), ("Queue", "sales"),
                    ("Count", 1), ("Position", 2), ("Uniqueid", "7.1"),
                ],
            )
        )  # fmt: skip
        assert left == CallerLeft(None, "sales", "7.1", 2, 1)

    def test_members_of_11(self) -> None:
        status = event(
            ami.frame(
                "QueueMemberStatus",
                [
                    ("Privilege", "agent,all"), ("Queue", "sales"), ("Location", "SIP/1001"),
                    ("MemberName", "Alice"), ("StateInterface", "SIP/1001"), ("Membership", "static"),
                    ("Penalty", 3), ("CallsTaken", 4), ("LastCall", 0), ("Status", 2), ("Paused", 0),
                ],
            )
        )  # fmt: skip
        assert isinstance(status, MemberChanged)
        member = status.member
        assert (member.interface, member.penalty, member.calls_taken) == ("SIP/1001", 3, 4)
        assert (member.status, member.paused, member.paused_reason) == (DeviceStatus.IN_USE, False, None)
        assert (member.login_time, member.last_pause, member.wrapup_s, member.in_call) == (None,) * 4

    @pytest.mark.parametrize("name", ["QueueMemberPaused", "QueueMemberPause"])
    def test_pause_with_the_reason_of_11_and_early_13(self, name: str) -> None:
        pause = event(
            ami.frame(
                name,
                [
                    ("Privilege", "agent,all"), ("Queue", "sales"), ("Location", "SIP/1001"),
                    ("MemberName", "Alice"), ("Paused", 1), ("Reason", "lunch"),
                ],
            )
        )  # fmt: skip
        assert isinstance(pause, MemberChanged)
        assert pause.change is MemberChange.PAUSE
        assert (pause.member.paused, pause.member.paused_reason) == (True, "lunch")

    def test_pause_of_16_has_the_reason_twice(self) -> None:
        pause = event(
            ami.member_event(AT, "Pause", "sales", "PJSIP/1", Paused=1, PausedReason="lunch", Reason="lunch")
        )
        assert isinstance(pause, MemberChanged)
        assert pause.member.paused_reason == "lunch"

    @pytest.mark.parametrize(
        ("name", "step"),
        [
            ("AgentConnect", AgentStep.CONNECTED),
            ("AgentComplete", AgentStep.COMPLETED),
            ("AgentDump", AgentStep.DUMPED),
            ("AgentRingNoAnswer", AgentStep.NOT_ANSWERED),
        ],
    )
    def test_agent_events_of_11(self, name: str, step: AgentStep) -> None:
        """Member for Interface, the agent's channel where later versions have the caller's."""
        agent = event(
            ami.frame(
                name,
                [
                    ("Privilege", "agent,all"), ("Queue", "sales"), ("Uniqueid", "7.1"),
                    ("Channel", "SIP/1001-00000002"), ("Member", "SIP/1001"), ("MemberName", "Alice"),
                    ("HoldTime", 2), ("BridgedChannel", "7.2"), ("Reason", "caller"),
                ],
            )
        )  # fmt: skip
        assert isinstance(agent, AgentEvent)
        assert (agent.step, agent.queue, agent.interface) == (step, "sales", "SIP/1001")
        assert (agent.uniqueid, agent.dest_uniqueid) == ("7.1", "")

    def test_agent_called_of_11(self) -> None:
        called = event(
            ami.frame(
                "AgentCalled",
                [
                    ("Privilege", "agent,all"), ("Queue", "sales"), ("AgentCalled", "SIP/1001"),
                    ("AgentName", "Alice"), ("ChannelCalling", "SIP/peer-1"),
                    ("DestinationChannel", "SIP/1001-2"), ("CallerIDNum", "390551"), ("Uniqueid", "7.1"),
                ],
            )
        )  # fmt: skip
        assert isinstance(called, AgentEvent)
        assert (called.step, called.interface) == (AgentStep.CALLED, "SIP/1001")

    def test_member_of_13_has_no_log_in_time(self) -> None:
        fields = ami.member("sales", "PJSIP/1001")
        old = [pair for pair in fields if pair[0] not in ("LastPause", "LoginTime", "Wrapuptime")]
        status = event(ami.frame("QueueMemberStatus", ami.stamp(AT), old))
        assert isinstance(status, MemberChanged)
        assert status.member.login_time is status.member.last_pause is status.member.wrapup_s is None


class TestMalformed:
    @pytest.mark.parametrize("name", sorted(NEEDED_EVENTS - {"FullyBooted", "Shutdown", "Reload"}))
    def test_an_event_without_headers(self, name: str) -> None:
        """It is refused or ignored; it never becomes an event about nothing."""
        with suppress(MalformedEvent):
            decoded = event(ami.frame(name))
            assert decoded is None or isinstance(decoded, QueueListEnded | ModuleLoaded)

    @pytest.mark.parametrize("header", ["Queue", "Uniqueid", "Position"])
    @pytest.mark.parametrize("damage", ["", None])
    def test_join_needs(self, header: str, damage: str | None) -> None:
        line = re.compile(rf"\r\n{header}: [^\r]*".encode())
        data = line.sub(
            b"" if damage is None else f"\r\n{header}: ".encode(), ami.join(AT, "sales", "7.1", 1, 1)
        )
        with pytest.raises(MalformedEvent, match=f"QueueCallerJoin.*{header}"):
            event(data)

    @pytest.mark.parametrize(
        "number", ["nan", "inf", "1e400", "10" * 200, "1" * 5000, "x", "0x10", "1.5", "²", "--1"]
    )
    def test_numbers_that_are_none(self, number: str) -> None:
        with pytest.raises(MalformedEvent):
            event(ami.join(AT, "sales", "7.1", number, 1))
        with pytest.raises(MalformedEvent):
            event(ami.join(AT, "sales", "7.1", 1, number))
        with pytest.raises(MalformedEvent):
            event(ami.member_event(AT, "Penalty", "sales", "PJSIP/1001", Penalty=number))

    @pytest.mark.parametrize(
        "at", ["nan", "inf", "-inf", "1e300", "-1", "99999999999", "yesterday", "1" * 400]
    )
    def test_times_that_are_none(self, at: str) -> None:
        data = ami.hangup(AT, "7.1").replace(f"{AT:.6f}".encode(), at.encode())
        with pytest.raises(MalformedEvent):
            event(data)

    @pytest.mark.parametrize("wait", ["nan", "inf", "-inf", "1e300", "1e999", "x"])
    def test_waits_that_are_none(self, wait: str) -> None:
        with pytest.raises(MalformedEvent):
            event(ami.queue_entry("sales", "7.1", 1, wait=wait))

    @pytest.mark.parametrize("status", ["9", "-1", "x", "99999999999999999999"])
    def test_a_status_from_the_future_is_unknown(self, status: str) -> None:
        changed = event(ami.member_event(AT, "Status", "sales", "PJSIP/1001", Status=status))
        assert isinstance(changed, MemberChanged)
        assert changed.member.status is DeviceStatus.UNKNOWN

    def test_no_secrets_or_numbers_in_the_message(self) -> None:
        with pytest.raises(MalformedEvent) as caught:
            event(ami.join(AT, "sales", "7.1", "x", 1, number="390551999"))
        assert "390551999" not in str(caught.value)


FAKE = (
    b"1\r\nQueue: evil\r\nUniqueid: evil\r\nLinkedid: evil\r\nPosition: 9\r\nCount: 9\r\nDestUniqueid: evil"
    b"\r\nDestChannel: Local/evil;1\r\nInterface: evil\r\nMemberName: evil\r\nReason: evil\r\nStatus: 9"
    b"\r\nPaused: 1\r\nTimestamp: 1.0\r\nPrivilege: evil\r\nWait: 9\r\nPriority: 9\r\nActionID: evil"
)
"""A caller's number that whoever dials has set; Asterisk writes it into its events as it is."""


class TestInjectedHeaders:
    """CallerIDNum with CR LF in it: the event is read as without it, or what is doubtful is left out."""

    def test_join(self) -> None:
        joined = event(ami.join(AT, "sales", "7.1", 1, 1, number=FAKE))
        assert isinstance(joined, CallerJoined)
        assert (joined.at, joined.queue, joined.position, joined.count) == (AT, "sales", 1, 1)
        assert (joined.caller.uniqueid, joined.caller.linkedid) == ("7.1", "7.1")
        assert joined.caller.channel == "PJSIP/peer-7.1"
        assert (joined.caller.number, joined.caller.name) == ("1", "Anna")

    @pytest.mark.parametrize("name", ["QueueCallerLeave", "QueueCallerAbandon", "Hangup"])
    def test_leave_and_hangup(self, name: str) -> None:
        visit: ami.Pairs = [("Queue", "sales"), ("Position", 1), ("Count", 0)]
        data = ami.frame(name, ami.stamp(AT), ami.channel("7.1", number=FAKE), visit)
        gone = event(data)
        assert isinstance(gone, CallerLeft | CallerAbandoned | ChannelGone)
        assert (gone.at, gone.uniqueid) == (AT, "7.1")
        assert isinstance(gone, ChannelGone) or gone.queue == "sales"

    @pytest.mark.parametrize("name", ["AgentConnect", "AgentComplete"])
    def test_agent_events_hold_the_number_twice(self, name: str) -> None:
        """In CallerIDNum and, as what the agent's phone shows, in DestConnectedLineNum."""
        dest = [
            ("DestConnectedLineNum", FAKE) if field == "DestConnectedLineNum" else (field, value)
            for field, value in ami.channel("7.2", "PJSIP/1001-1", prefix="Dest")
        ]
        rest = [("Queue", "sales"), ("Interface", "PJSIP/1001"), ("MemberName", "Alice"), ("Reason", "agent")]
        agent = event(ami.frame(name, ami.stamp(AT), ami.channel("7.1", number=FAKE), dest, rest))
        assert isinstance(agent, AgentEvent)
        assert (agent.at, agent.queue, agent.interface) == (AT, "sales", "PJSIP/1001")
        assert (agent.member_name, agent.reason) == ("Alice", "agent")
        assert agent.dest_uniqueid == "7.2"
        assert agent.uniqueid in ("7.1", "")
        assert agent.dest_channel in ("PJSIP/1001-1", "")

    def test_queue_entry(self) -> None:
        data = ami.listing("ours/1", [ami.queue_entry("sales", "7.1", 1, wait=5, priority=2, number=FAKE)])
        listed = decode(list(frames_of(data))[1])
        assert isinstance(listed, CallerListed)
        assert (listed.queue, listed.position, listed.caller.uniqueid) == ("sales", 1, "7.1")
        assert (listed.wait_s, listed.priority, listed.action_id) == (5.0, 2, "ours/1")

    def test_members(self) -> None:
        """A member's own name is the administrator's: whatever is repeated behind it is not believed."""
        changed = event(
            ami.member_event(AT, "Status", "sales", "PJSIP/1001", MemberName="Al\r\nStatus: 5\r\nQueue: evil")
        )
        assert isinstance(changed, MemberChanged)
        assert changed.member.queue == "sales"

    def test_a_channels_event_is_no_members_event(self) -> None:
        """The rest of a frame that was broken open by a fake one is the channel's."""
        fake = (
            b"1\r\n\r\nEvent: QueueMemberStatus\r\nQueue: sales\r\nInterface: PJSIP/1001\r\nStatus: 5\r\nX: 1"
        )
        _, second = frames_of(ami.join(AT, "sales", "7.1", 1, 1, number=fake))
        with pytest.raises(MalformedEvent):
            decode(second)

    @pytest.mark.parametrize("name", ["Shutdown", "FullyBooted", "Reload", "Load", "Unload"])
    def test_a_channels_event_is_no_system_event(self, name: str) -> None:
        fake = f"1\r\n\r\nEvent: {name}\r\nModule: app_queue.so\r\nX: 1".encode()
        _, second = frames_of(ami.join(AT, "sales", "7.1", 1, 1, number=fake))
        with pytest.raises(MalformedEvent):
            decode(second)

    @pytest.mark.parametrize(
        "number",
        [b"1\r\nVariable: QUEUESTATUS\r\nValue: FULL", b"1\r\nVariable: QUEUESTATUS", b"1\r\nValue: FULL"],
    )
    def test_another_variable_is_no_queue_status(self, number: bytes) -> None:
        data = ami.varset(AT, "7.1", "JOINEMPTY", variable="OTHER").replace(b"390551", number)
        with suppress(MalformedEvent):
            assert event(data) is None

    def test_another_application_is_no_queue(self) -> None:
        data = ami.newexten(AT, "7.1", "sales", "Dial").replace(b"390551", b"1\r\nApplication: Queue")
        assert event(data) is None

    def test_a_bare_line_feed_or_carriage_return_injects_nothing(self) -> None:
        for number in (b"1\nQueue: evil\nUniqueid: evil", b"1\rQueue: evil\rUniqueid: evil"):
            joined = event(ami.join(AT, "sales", "7.1", 1, 1, number=number))
            assert isinstance(joined, CallerJoined)
            assert (joined.queue, joined.caller.uniqueid) == ("sales", "7.1")
