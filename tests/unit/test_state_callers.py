"""Waiting callers and calls in progress, by the events that Asterisk sends."""

import pytest

from asterpanel_exporter.state import ResyncReason
from tests.unit import ami
from tests.unit.ami import Board, leftovers

SALES = ami.queue_params("sales")
ALICE = "PJSIP/1001"
BOB = "PJSIP/1002"


def sales(*members: str, wrapup_s: float | None = None) -> Board:
    return Board(SALES, *(ami.queue_member("sales", member) for member in members), wrapup_s=wrapup_s)


def answered(
    board: Board, uniqueid: str = "1.1", interface: str = ALICE, dest: str = "1.2", **more: str
) -> None:
    """A caller comes and is connected, as Asterisk tells it: Leave, then Connect."""
    board.say(ami.join(board.now, "sales", uniqueid, 1, 1))
    board.wait(2)
    board.say(ami.leave(board.now, "sales", uniqueid, 1, 0))
    board.say(ami.connect(board.now, "sales", interface, uniqueid, dest, **more))


class TestWaiting:
    def test_a_caller_waits(self) -> None:
        board = sales()
        board.say(ami.join(board.now, "sales", "1.1", 1, 1, number="390551", caller="Zoé".encode("latin-1")))
        board.wait(5)
        assert board.queue("sales")["waiting"] == [
            {
                "uniqueid": "1.1",
                "channel": "PJSIP/peer-1.1",
                "caller": "390551",
                "caller_name": "Zoé",
                "position": 1,
                "since": ami.START,
            }
        ]
        assert board.queue("sales")["offered"] == 1
        board.assert_healthy()

    def test_by_receive_time_without_time_stamps(self) -> None:
        board = sales()
        board.wait(7)
        board.say(ami.join(None, "sales", "1.1", 1, 1))
        assert board.queue("sales")["waiting"][0]["since"] == ami.START + 7

    def test_positions_follow_who_leaves_though_nobody_says_so(self) -> None:
        board = sales()
        for number in (1, 2, 3, 4):
            board.say(ami.join(board.now, "sales", f"1.{number}", number, number))
        board.say(ami.leave(board.now, "sales", "1.2", 2, 3))
        assert board.waiting("sales") == ["1.1", "1.3", "1.4"]
        board.say(ami.leave(board.now, "sales", "1.1", 1, 2))
        assert board.waiting("sales") == ["1.3", "1.4"]

    def test_a_caller_with_priority_goes_before_others(self) -> None:
        board = sales()
        board.say(ami.join(board.now, "sales", "1.1", 1, 1), ami.join(board.now, "sales", "1.2", 2, 2))
        board.say(ami.join(board.now, "sales", "1.3", 1, 3))
        assert board.waiting("sales") == ["1.3", "1.1", "1.2"]

    @pytest.mark.parametrize("position", [-5, 0, 99, 2**31])
    def test_absurd_positions(self, position: int) -> None:
        board = sales()
        board.say(ami.join(board.now, "sales", "1.1", 1, 1), ami.join(board.now, "sales", "1.2", position, 2))
        assert sorted(board.waiting("sales")) == ["1.1", "1.2"]
        board.assert_healthy()

    def test_a_join_said_twice_is_one(self) -> None:
        board = sales()
        board.say(ami.join(board.now, "sales", "1.1", 1, 1), ami.join(board.now, "sales", "1.1", 1, 1))
        assert board.waiting("sales") == ["1.1"]
        assert board.queue("sales")["offered"] == 1

    def test_a_stale_join_after_the_snapshot(self) -> None:
        """Under load Asterisk delivers Joins of callers that the list has told of already."""
        board = Board(SALES, ami.queue_entry("sales", "1.1", 1, wait=30), ami.queue_entry("sales", "1.2", 2))
        board.say(ami.join(board.now - 30, "sales", "1.1", 1, 1), ami.join(board.now, "sales", "1.2", 2, 2))
        assert board.waiting("sales") == ["1.1", "1.2"]
        assert board.queue("sales")["waiting"][0]["since"] == ami.START - 30
        assert board.queue("sales")["offered"] == 2
        board.wait(10)
        assert board.drift == {}

    def test_leave_of_a_caller_who_is_not_known(self) -> None:
        board = sales()
        board.say(ami.leave(board.now, "sales", "9.9", 1, 0))
        assert board.waiting("sales") == []
        assert board.live.state.resync_wanted is None
        board.assert_healthy()

    def test_abandon_alone_takes_nobody_out(self) -> None:
        board = sales()
        board.say(ami.join(board.now, "sales", "1.1", 1, 1), ami.abandon(board.now, "sales", "1.1"))
        assert board.waiting("sales") == ["1.1"]
        board.say(ami.leave(board.now, "sales", "1.1", 1, 0))
        assert board.waiting("sales") == []

    def test_the_same_call_in_two_queues(self) -> None:
        board = Board(SALES, ami.queue_params("vip"))
        board.say(ami.join(board.now, "sales", "1.1", 1, 1), ami.leave(board.now, "sales", "1.1", 1, 0))
        board.say(ami.join(board.now, "vip", "1.1", 1, 1))
        assert board.waiting("sales") == []
        assert board.waiting("vip") == ["1.1"]
        assert [board.queue(name)["offered"] for name in ("sales", "vip")] == [1, 1]

    def test_the_same_caller_comes_again(self) -> None:
        board = sales()
        for _ in range(2):
            board.say(ami.join(board.now, "sales", "1.1", 1, 1))
            board.wait(60)
        board.say(ami.leave(board.now, "sales", "1.1", 1, 0), ami.join(board.now, "sales", "1.1", 1, 1))
        assert board.queue("sales")["waiting"][0]["since"] == ami.START + 120
        assert board.queue("sales")["offered"] == 2

    def test_a_count_that_does_not_match_asks_for_the_whole_state(self) -> None:
        board = sales()
        board.say(ami.join(board.now, "sales", "1.2", 2, 2))
        assert board.live.state.resync_wanted is ResyncReason.COUNT_MISMATCH
        board.resync(ResyncReason.COUNT_MISMATCH, SALES,
                     ami.queue_entry("sales", "1.1", 1), ami.queue_entry("sales", "1.2", 2))  # fmt: skip
        assert board.waiting("sales") == ["1.1", "1.2"]
        board.say(ami.leave(board.now, "sales", "1.1", 1, 1))
        assert board.live.state.resync_wanted is None

    def test_a_queue_that_appears_by_event(self) -> None:
        """Realtime queues come without notice."""
        board = sales()
        board.say(ami.join(board.now, "realtime", "1.1", 1, 1))
        assert board.waiting("realtime") == ["1.1"]
        assert board.live.state.resync_wanted is ResyncReason.UNKNOWN_QUEUE


class TestRefused:
    @pytest.mark.parametrize("why", ["FULL", "JOINEMPTY", "JOINUNAVAIL"])
    def test_a_refused_caller_was_offered(self, why: str) -> None:
        board = sales()
        board.say(ami.newexten(board.now, "1.1", "sales,tT,,,120"), ami.varset(board.now, "1.1", why))
        assert board.queue("sales")["offered"] == 1
        assert board.waiting("sales") == []
        board.say(ami.varset(board.now, "1.1", why))
        assert board.queue("sales")["offered"] == 1
        assert leftovers(board.live) == {}

    def test_in_the_dialplans_spelling(self) -> None:
        board = sales()
        board.say(ami.newexten(board.now, "1.1", "SALES"), ami.varset(board.now, "1.1", "FULL"))
        assert list(board.document["queues"]) == ["sales"]
        assert board.queue("sales")["offered"] == 1

    @pytest.mark.parametrize("why", ["TIMEOUT", "LEAVEEMPTY", "CONTINUE", "WITHDRAW", "UNKNOWN"])
    def test_who_has_waited_is_not_offered_twice(self, why: str) -> None:
        board = sales()
        board.say(ami.newexten(board.now, "1.1", "sales"), ami.join(board.now, "sales", "1.1", 1, 1))
        board.say(ami.leave(board.now, "sales", "1.1", 1, 0), ami.varset(board.now, "1.1", why))
        assert board.queue("sales")["offered"] == 1

    def test_no_such_queue(self) -> None:
        board = sales()
        board.say(ami.newexten(board.now, "1.1", "nosuch"), ami.varset(board.now, "1.1", "UNKNOWN"))
        assert list(board.document["queues"]) == ["sales"]
        assert leftovers(board.live) == {}

    def test_one_who_hangs_up_at_the_door(self) -> None:
        board = sales()
        board.say(ami.newexten(board.now, "1.1", "sales"), ami.hangup(board.now, "1.1"))
        assert board.queue("sales")["offered"] == 0
        assert leftovers(board.live) == {}


class TestInProgress:
    def test_from_connect_to_complete(self) -> None:
        board = sales(ALICE)
        answered(board)
        assert board.waiting("sales") == []
        assert board.queue("sales")["in_progress"] == [
            {"uniqueid": "1.1", "agent": "1001", "since": ami.START + 2}
        ]
        assert board.agent("1001")["state"] == "on_call"
        board.wait(60)
        board.say(ami.complete(board.now, "sales", ALICE, "1.1", "1.2"))
        board.say(ami.hangup(board.now, "1.1"), ami.hangup(board.now, "1.2"))
        assert board.talking("sales") == []
        assert board.agent("1001")["state"] == "idle"
        assert leftovers(board.live) == {}
        board.assert_healthy()

    def test_each_event_twice(self) -> None:
        board = sales(ALICE)
        for frame in (
            ami.join(board.now, "sales", "1.1", 1, 1),
            ami.leave(board.now, "sales", "1.1", 1, 0),
            ami.connect(board.now, "sales", ALICE, "1.1", "1.2"),
        ):
            board.say(frame, frame)
        assert board.talking("sales") == [("1.1", "1001")]
        complete = ami.complete(board.now, "sales", ALICE, "1.1", "1.2")
        board.say(complete, complete)
        assert board.talking("sales") == []
        assert leftovers(board.live) == {}

    def test_a_leave_that_was_missed(self) -> None:
        board = sales(ALICE)
        board.say(ami.join(board.now, "sales", "1.1", 1, 1))
        board.say(ami.connect(board.now, "sales", ALICE, "1.1", "1.2"))
        assert board.waiting("sales") == []

    @pytest.mark.parametrize("channel", ["1.1", "1.2"])
    def test_a_hang_up_before_complete_ends_the_talk(self, channel: str) -> None:
        board = sales(ALICE, wrapup_s=30)
        answered(board)
        board.wait(10)
        board.say(ami.hangup(board.now, channel))
        assert board.talking("sales") == []
        assert board.agent("1001")["state"] == "wrapup"
        board.wait(60)
        board.say(ami.complete(board.now, "sales", ALICE, "1.1", "1.2"))
        board.say(ami.hangup(board.now, "1.1"), ami.hangup(board.now, "1.2"))
        board.wait(60)
        assert leftovers(board.live) == {}

    def test_redirected_while_talking_then_the_agent_takes_another_call(self) -> None:
        """The first call's Complete comes minutes later, and must not end the second."""
        board = sales(ALICE)
        answered(board, "1.1", ALICE, "1.2")
        board.say(ami.hangup(board.now, "1.2"))
        answered(board, "2.1", ALICE, "2.2")
        late = ami.complete(board.now, "sales", ALICE, "1.1", "1.2")
        board.say(late)
        assert board.talking("sales") == [("2.1", "1001")]
        board.say(late)
        assert board.talking("sales") == [("2.1", "1001")]

    def test_complete_of_a_call_from_before_we_watched(self) -> None:
        board = sales(ALICE)
        answered(board)
        board.say(ami.complete(board.now, "sales", ALICE, "0.1", "0.2"))
        assert board.talking("sales") == [("1.1", "1001")]

    def test_blind_transfer(self) -> None:
        board = sales(ALICE)
        answered(board)
        board.say(ami.blind_transfer(board.now, "1.2", "1.1"))
        assert board.talking("sales") == []
        board.say(ami.complete(board.now, "sales", ALICE, "1.1", "1.2", "transfer"))
        board.say(ami.hangup(board.now, "1.2"))
        assert leftovers(board.live) == {}

    def test_a_transfer_that_failed_ends_nothing(self) -> None:
        board = sales(ALICE)
        answered(board)
        board.say(ami.blind_transfer(board.now, "1.2", "1.1", "Fail"))
        assert board.talking("sales") == [("1.1", "1001")]

    def test_attended_transfer(self) -> None:
        board = sales(ALICE)
        answered(board)
        board.say(ami.attended_transfer(board.now, "1.2", "1.3", "1.1"))
        assert board.talking("sales") == []
        board.say(ami.complete(board.now, "sales", ALICE, "1.3", "1.2", "transfer"))
        assert leftovers(board.live) == {}

    def test_a_three_way_call_goes_on(self) -> None:
        board = sales(ALICE)
        answered(board)
        board.say(ami.attended_transfer(board.now, "1.2", "1.3", "1.1", "Threeway"))
        assert board.talking("sales") == [("1.1", "1001")]

    def test_the_caller_transfers_the_agent_away(self) -> None:
        board = sales(ALICE)
        answered(board)
        board.say(ami.blind_transfer(board.now, "1.1", "1.2"))
        assert board.talking("sales") == []

    def test_somebody_elses_transfer(self) -> None:
        board = sales(ALICE)
        answered(board)
        board.say(ami.blind_transfer(board.now, "8.2", "8.1"), ami.hangup(board.now, "8.1"))
        assert board.talking("sales") == [("1.1", "1001")]

    def test_a_local_channel_that_is_optimised_out(self) -> None:
        """Without /n it is hung up while the two go on talking."""
        interface = "Local/1001@agents"
        board = sales(interface)
        answered(board, interface=interface, dest_channel="Local/1001@agents-00000001;1")
        board.say(ami.hangup(board.now, "1.2"))
        assert board.talking("sales") == [("1.1", "1001")]
        board.say(ami.complete(board.now, "sales", interface, "1.1"))
        assert board.talking("sales") == []

    def test_a_local_channel_that_stays(self) -> None:
        """With /n (FreePBX has it so) its hang-up is the agent's."""
        interface = "Local/1001@from-queue/n"
        board = sales(interface)
        answered(board, interface=interface, dest_channel="Local/1001@from-queue-00000001;1")
        board.say(ami.hangup(board.now, "1.2"))
        assert board.talking("sales") == []

    def test_a_forwarded_phone(self) -> None:
        """302: the agent's channel is a Local one, the call is the member's."""
        board = sales(ALICE)
        answered(board, dest_channel="Local/39333@out-00000001;1")
        board.say(ami.hangup(board.now, "1.2"))
        assert board.talking("sales") == [("1.1", "1001")]
        board.say(ami.hangup(board.now, "1.1"))
        assert board.talking("sales") == []

    def test_connect_without_ids_of_two_agents(self) -> None:
        board = sales(ALICE, BOB)
        for interface in (ALICE, BOB):
            board.say(ami.agent_event("AgentConnect", board.now, "sales", interface))
        assert [agent for _, agent in board.talking("sales")] == ["1001", "1002"]

    def test_interfaces_are_the_same_in_any_case(self) -> None:
        board = sales(ALICE)
        board.say(ami.connect(board.now, "sales", ALICE, "1.1", "1.2"))
        board.say(ami.complete(board.now, "sales", ALICE.lower()))
        assert board.talking("sales") == []


class TestCompleteWithoutIds:
    """The race in app_queue: by the agent's channel, else the caller's, else the member's oldest call."""

    @pytest.mark.parametrize(("uniqueid", "dest"), [("1.1", "1.2"), ("1.1", ""), ("", "1.2"), ("", "")])
    def test_with_what_is_left(self, uniqueid: str, dest: str) -> None:
        board = sales(ALICE, BOB)
        answered(board, "2.1", BOB, "2.2")
        answered(board, "1.1", ALICE, "1.2")
        board.say(ami.complete(board.now, "sales", ALICE, uniqueid, dest))
        assert board.talking("sales") == [("2.1", "1002")]

    @pytest.mark.parametrize(("uniqueid", "dest"), [("1.1", ""), ("", "1.2"), ("", "")])
    def test_after_the_hang_up(self, uniqueid: str, dest: str) -> None:
        board = sales(ALICE)
        answered(board)
        board.say(ami.hangup(board.now, "1.1"), ami.hangup(board.now, "1.2"))
        board.say(ami.complete(board.now, "sales", ALICE, uniqueid, dest))
        assert board.talking("sales") == []
        assert leftovers(board.live) == {}

    def test_the_one_that_waits_for_its_complete_comes_first(self) -> None:
        board = sales(ALICE)
        answered(board, "1.1", ALICE, "1.2")
        board.say(ami.hangup(board.now, "1.1"))
        answered(board, "2.1", ALICE, "2.2")
        board.say(ami.complete(board.now, "sales", ALICE))
        assert board.talking("sales") == [("2.1", "1001")]
        board.say(ami.complete(board.now, "sales", ALICE))
        assert board.talking("sales") == []
        assert leftovers(board.live) == {}

    def test_the_callers_id_of_another_queue(self) -> None:
        """A transfer to another queue makes a second visit with the same ids."""
        board = Board(
            SALES, ami.queue_params("vip"), ami.queue_member("sales", ALICE), ami.queue_member("vip", BOB)
        )
        answered(board)
        board.say(ami.connect(board.now, "vip", BOB, "1.1", "3.2"))
        board.say(ami.complete(board.now, "vip", BOB, "1.1"))
        assert board.talking("sales") == [("1.1", "1001")]
        assert board.talking("vip") == []

    def test_the_agents_channel_decides_over_the_callers(self) -> None:
        """SIP attended transfer into an application: the Complete has the second leg's Uniqueid."""
        board = sales(ALICE, BOB)
        answered(board, "1.1", ALICE, "1.2")
        answered(board, "2.1", BOB, "2.2")
        board.say(ami.complete(board.now, "sales", ALICE, "2.1", "1.2", "transfer"))
        assert board.talking("sales") == [("2.1", "1002")]

    def test_complete_for_an_unknown_queue_or_agent(self) -> None:
        board = sales(ALICE)
        board.say(ami.complete(board.now, "nosuch", ALICE, "1.1", "1.2"))
        board.say(ami.complete(board.now, "sales", "PJSIP/9999", "1.1", "1.2"))
        assert list(board.document["queues"]) == ["sales"]
        assert list(board.document["agents"]) == ["1001"]
        board.assert_healthy()

    def test_a_flood(self) -> None:
        """200 agents, calls ending in another order than they began, most Completes without ids."""
        agents = [f"Local/{number}@x/n" for number in range(5000, 5200)]
        board = sales(*agents)
        for number, interface in enumerate(agents):
            answered(board, f"{number}.1", interface, f"{number}.2")
        assert len(board.talking("sales")) == 200
        for number in (number * 77 % 200 for number in range(200)):
            if number % 5 == 0:
                board.say(ami.hangup(board.now, f"{number}.1"))
            uniqueid = f"{number}.1" if number % 3 == 0 else ""
            dest = f"{number}.2" if number % 4 == 0 else ""
            board.say(ami.complete(board.now, "sales", agents[number], uniqueid, dest))
            board.say(ami.hangup(board.now, f"{number}.2"), ami.hangup(board.now, f"{number}.1"))
        assert board.talking("sales") == []
        assert leftovers(board.live) == {}
        board.assert_healthy()


class TestDialectOf11:
    def test_a_call(self) -> None:
        board = sales(ALICE)
        where: ami.Pairs = [("Queue", "sales"), ("Position", 1), ("Count", 1), ("Uniqueid", "1.1")]
        board.say(
            ami.frame(
                "Join", [("Channel", "SIP/peer-1"), ("CallerIDNum", "39"), ("CallerIDName", "A")], where
            )
        )
        assert board.waiting("sales") == ["1.1"]
        board.say(ami.frame("Leave", [("Channel", "SIP/peer-1"), ("Queue", "sales"), ("Count", 0),
                                      ("Position", 1), ("Uniqueid", "1.1")]))  # fmt: skip
        agent: ami.Pairs = [("Queue", "sales"), ("Uniqueid", "1.1"), ("Channel", "PJSIP/1001-1"),
                            ("Member", ALICE), ("MemberName", "Alice")]  # fmt: skip
        board.say(ami.frame("AgentConnect", agent, [("BridgedChannel", "1.2")]))
        assert board.waiting("sales") == []
        assert board.talking("sales") == [("1.1", "1001")]
        board.say(ami.frame("AgentComplete", agent, [("Reason", "caller")]), ami.hangup(None, "1.1"))
        assert board.talking("sales") == []
        assert leftovers(board.live) == {}
        board.assert_healthy()


class TestTheClock:
    def test_one_time_stamp_from_the_future_shifts_nothing(self) -> None:
        board = sales()
        board.say(
            ami.hangup(board.now, "1.1"), ami.hangup(board.now + 10**6, "1.2"), ami.hangup(board.now, "1.3")
        )
        board.wait(1)
        board.resync(ResyncReason.INTERVAL, SALES, ami.queue_entry("sales", "2.1", 1, wait=30))
        assert board.queue("sales")["waiting"][0]["since"] == pytest.approx(ami.START - 29, abs=2)

    def test_as_of_follows_the_switchboard(self) -> None:
        board = sales()
        board.say(ami.hangup(ami.START + 100, "1.1"))
        assert board.document["as_of"] == ami.START + 100
        board.say(ami.hangup(ami.START + 99.5, "1.1"))
        assert board.document["as_of"] == ami.START + 100

    def test_a_clock_that_was_set_back(self) -> None:
        board = sales()
        board.say(ami.hangup(ami.START + 3600, "1.1"), ami.hangup(ami.START, "1.1"))
        assert board.document["as_of"] == ami.START
