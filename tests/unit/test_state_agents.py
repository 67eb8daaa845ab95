"""Members and agents: states and their precedence, pauses, wrap-up, identity over queues and interfaces."""

import pytest

from asterpanel_exporter.state import ResyncReason
from asterpanel_switchboard.identity import agent_identity
from asterpanel_switchboard.merge_patch import Document
from tests.unit import ami
from tests.unit.ami import Board, leftovers

ALICE = "PJSIP/1001"
BOB = "PJSIP/1002"
QUEUES = ("sales", "vip")


def board_of(*members: tuple[str, str], wrapup_s: float | None = None, **fields: ami.Value) -> Board:
    """Two queues with these (queue, interface) members."""
    items = [ami.queue_params(queue) for queue in QUEUES]
    items += [ami.queue_member(queue, interface, **fields) for queue, interface in members]
    return Board(*items, wrapup_s=wrapup_s)


def alice_in_both() -> Board:
    return board_of(("sales", ALICE), ("vip", ALICE))


def status(board: Board, code: int, *queues: str, interface: str = ALICE, **fields: ami.Value) -> None:
    for queue in queues or ("sales",):
        board.say(ami.member_event(board.now, "Status", queue, interface, Status=code, **fields))


def pause(board: Board, paused: bool, reason: str, *queues: str, interface: str = ALICE) -> None:
    for queue in queues or ("sales",):
        board.say(
            ami.member_event(
                board.now, "Pause", queue, interface,
                Paused=int(paused), PausedReason=reason, LastPause=int(board.now),
            )
        )  # fmt: skip


def talk(board: Board, queue: str = "sales", interface: str = ALICE, uniqueid: str = "1.1") -> None:
    board.say(ami.connect(board.now, queue, interface, uniqueid, f"{uniqueid}0"))


def hang_up(board: Board, queue: str = "sales", interface: str = ALICE, uniqueid: str = "1.1") -> None:
    board.say(ami.complete(board.now, queue, interface, uniqueid, f"{uniqueid}0"))


def member(board: Board, queue: str = "sales", key: str = "1001") -> Document:
    document: Document = board.queue(queue)["members"][key]
    return document


class TestDeviceStates:
    @pytest.mark.parametrize(
        ("code", "state"),
        [
            (0, "idle"),
            (1, "idle"),
            (2, "on_call"),
            (3, "on_call"),
            (4, "unavailable"),
            (5, "unavailable"),
            (6, "ringing"),
            (7, "on_call"),
            (8, "on_hold"),
            (99, "idle"),
        ],
    )
    def test_each_status(self, code: int, state: str) -> None:
        board = board_of(("sales", ALICE))
        board.wait(10)
        status(board, code)
        assert board.agent("1001")["state"] == state
        assert member(board)["state"] == state
        if state != "idle":
            assert board.agent("1001")["since"] == ami.START + 10

    def test_a_state_that_is_told_again_goes_on(self) -> None:
        board = board_of(("sales", ALICE))
        status(board, 2)
        board.wait(10)
        status(board, 2, CallsTaken=1)
        assert board.agent("1001")["since"] == ami.START

    def test_unavailable_in_one_queue_only(self) -> None:
        """Two interfaces, one of them dead: the agent can be called on the other."""
        board = board_of(("sales", ALICE), ("vip", "Local/1001@agents/n"))
        status(board, 5, "vip", interface="Local/1001@agents/n")
        assert board.agent("1001")["state"] == "idle"
        assert member(board, "vip")["state"] == "unavailable"
        assert member(board, "sales")["state"] == "idle"
        status(board, 4, "sales")
        assert board.agent("1001")["state"] == "unavailable"

    def test_busy_on_one_interface_is_busy_in_every_queue(self) -> None:
        board = board_of(("sales", ALICE), ("vip", "Local/1001@agents/n"))
        status(board, 2, "sales")
        assert member(board, "vip")["state"] == "on_call"

    @pytest.mark.parametrize("connect_first", [True, False])
    def test_connect_and_status_in_either_order(self, connect_first: bool) -> None:
        board = board_of(("sales", ALICE))
        status(board, 6)
        board.wait(3)
        for is_connect in (connect_first, not connect_first):
            if is_connect:
                talk(board)
            else:
                status(board, 2)
            assert board.agent("1001")["state"] == "on_call"
        assert board.agent("1001")["since"] == ami.START + 3

    @pytest.mark.parametrize("complete_first", [True, False])
    def test_complete_and_status_in_either_order(self, complete_first: bool) -> None:
        board = board_of(("sales", ALICE), wrapup_s=30)
        talk(board)
        status(board, 2)
        board.wait(60)
        for is_complete in (complete_first, not complete_first):
            if is_complete:
                hang_up(board)
            else:
                status(board, 1)
        assert board.agent("1001")["state"] == "wrapup"
        assert board.agent("1001")["wrapup_until"] == ami.START + 90

    def test_a_device_without_states_is_on_call_while_it_talks(self) -> None:
        board = board_of(("sales", "Custom:never"), Status=0)
        talk(board, interface="Custom:never")
        assert board.agent("Custom:never")["state"] == "on_call"
        hang_up(board, interface="Custom:never")
        assert board.agent("Custom:never")["state"] == "idle"

    def test_on_hold_is_told_though_the_call_goes_on(self) -> None:
        board = board_of(("sales", ALICE))
        talk(board)
        status(board, 2)
        status(board, 8)
        assert board.agent("1001")["state"] == "on_hold"
        assert board.talking("sales") == [("1.1", "1001")]
        status(board, 2)
        assert board.agent("1001")["state"] == "on_call"

    def test_the_phones_own_call_is_a_call(self) -> None:
        board = board_of(("sales", ALICE))
        status(board, 2)
        assert board.agent("1001")["state"] == "on_call"
        assert board.talking("sales") == []


class TestPrecedence:
    def test_one_after_the_other(self) -> None:
        """unavailable, on_call, on_hold, ringing, wrapup, paused, idle: the first that applies."""
        board = board_of(("sales", ALICE), wrapup_s=30)
        seen = []

        def look() -> None:
            seen.append(board.agent("1001")["state"])

        look()
        pause(board, True, "lunch")
        look()
        talk(board)
        hang_up(board)
        look()
        status(board, 6, Paused=1, PausedReason="lunch")
        look()
        status(board, 8, Paused=1, PausedReason="lunch")
        look()
        status(board, 2, Paused=1, PausedReason="lunch")
        look()
        status(board, 5, Paused=1, PausedReason="lunch")
        look()
        assert seen == ["idle", "paused", "wrapup", "ringing", "on_hold", "on_call", "unavailable"]
        assert board.agent("1001")["paused"] is True
        assert board.agent("1001")["pause_reason"] == "lunch"


class TestWrapUp:
    def test_begins_and_ends_by_the_configuration_alone(self) -> None:
        board = board_of(("sales", ALICE), wrapup_s=30)
        talk(board)
        board.wait(10)
        hang_up(board)
        assert board.agent("1001")["state"] == "wrapup"
        assert board.agent("1001")["since"] == ami.START + 10
        assert board.agent("1001")["wrapup_until"] == ami.START + 40
        assert board.live.state.next_deadline() == ami.START + 40
        board.wait(29.9)
        assert board.agent("1001")["state"] == "wrapup"
        board.wait(0.2)
        assert board.agent("1001")["state"] == "idle"
        assert board.agent("1001")["since"] == ami.START + 40
        assert "wrapup_until" not in board.agent("1001")
        assert leftovers(board.live) == {}

    def test_ends_before_the_event_that_comes_after_it(self) -> None:
        board = board_of(("sales", ALICE), wrapup_s=5)
        talk(board)
        hang_up(board)
        board.now += 100
        status(board, 6)
        status(board, 1)
        assert board.agent("1001")["state"] == "idle"
        assert board.agent("1001")["since"] == ami.START + 100

    @pytest.mark.parametrize("wrapup_s", [None, 0])
    def test_none_configured(self, wrapup_s: float | None) -> None:
        board = board_of(("sales", ALICE), wrapup_s=wrapup_s)
        talk(board)
        hang_up(board)
        assert board.agent("1001")["state"] == "idle"

    def test_the_members_own_override(self) -> None:
        board = board_of(("sales", ALICE), wrapup_s=30, Wrapuptime=7)
        talk(board)
        hang_up(board)
        assert board.agent("1001")["wrapup_until"] == ami.START + 7

    def test_in_every_queue_of_the_agent(self) -> None:
        board = board_of(("sales", ALICE), ("vip", ALICE), wrapup_s=30)
        talk(board)
        hang_up(board)
        assert member(board, "vip")["state"] == member(board, "sales")["state"] == "wrapup"

    def test_another_call_during_wrap_up(self) -> None:
        board = board_of(("sales", ALICE), ("vip", ALICE), wrapup_s=30)
        talk(board)
        hang_up(board)
        board.wait(10)
        talk(board, "vip", uniqueid="2.1")
        assert board.agent("1001")["state"] == "on_call"
        hang_up(board, "vip", uniqueid="2.1")
        assert board.agent("1001")["wrapup_until"] == ami.START + 40

    def test_a_shorter_one_does_not_cut_a_longer_one(self) -> None:
        board = Board(
            *(ami.queue_params(queue) for queue in QUEUES),
            ami.queue_member("sales", ALICE, Wrapuptime=60), ami.queue_member("vip", ALICE, Wrapuptime=5),
        )  # fmt: skip
        talk(board)
        hang_up(board)
        talk(board, "vip", uniqueid="2.1")
        hang_up(board, "vip", uniqueid="2.1")
        assert board.agent("1001")["wrapup_until"] == ami.START + 60

    def test_complete_said_twice(self) -> None:
        board = board_of(("sales", ALICE), wrapup_s=30)
        talk(board)
        hang_up(board)
        hang_up(board)
        assert board.agent("1001")["wrapup_until"] == ami.START + 30

    def test_going_on_when_we_connect(self) -> None:
        board = board_of(("sales", ALICE), wrapup_s=30, LastCall=int(ami.START) - 10)
        assert board.agent("1001")["state"] == "wrapup"
        assert board.agent("1001")["wrapup_until"] == ami.START + 20

    def test_long_over_when_we_connect(self) -> None:
        board = board_of(("sales", ALICE), wrapup_s=30, LastCall=int(ami.START) - 100)
        assert board.agent("1001")["state"] == "idle"
        assert board.agent("1001")["since"] == ami.START - 100

    def test_a_member_who_was_removed_meanwhile_has_none(self) -> None:
        board = board_of(("sales", ALICE), wrapup_s=30)
        talk(board)
        board.say(ami.member_event(board.now, "Removed", "sales", ALICE))
        hang_up(board)
        assert board.document["agents"] == {}
        assert leftovers(board.live) == {}

    def test_removed_in_wrap_up(self) -> None:
        board = board_of(("sales", ALICE), wrapup_s=30)
        talk(board)
        hang_up(board)
        board.say(ami.member_event(board.now, "Removed", "sales", ALICE))
        assert board.document["agents"] == {}
        assert leftovers(board.live) == {}


class TestPause:
    def test_with_reason_and_since(self) -> None:
        board = board_of(("sales", ALICE))
        board.wait(10)
        pause(board, True, "lunch")
        agent = board.agent("1001")
        assert (agent["state"], agent["paused"], agent["pause_reason"]) == ("paused", True, "lunch")
        assert agent["paused_since"] == agent["since"] == ami.START + 10
        assert (member(board)["paused"], member(board)["pause_reason"]) == (True, "lunch")

    def test_unpause_with_a_reason(self) -> None:
        """The reason of unpausing (`back`) is not that of a pause."""
        board = board_of(("sales", ALICE))
        pause(board, True, "lunch")
        board.wait(10)
        pause(board, False, "back")
        agent = board.agent("1001")
        assert (agent["state"], agent["paused"], agent["pause_reason"]) == ("idle", False, "")
        assert "paused_since" not in agent
        assert member(board)["pause_reason"] == ""
        assert agent["since"] == ami.START + 10

    def test_last_pause_stays_after_unpausing(self) -> None:
        board = board_of(("sales", ALICE))
        pause(board, True, "lunch")
        board.wait(60)
        pause(board, False, "")
        status(board, 1, LastPause=int(ami.START))
        assert "paused_since" not in board.agent("1001")
        board.wait(60)
        pause(board, True, "coffee")
        assert board.agent("1001")["paused_since"] == ami.START + 120

    def test_paused_again_with_another_reason(self) -> None:
        board = board_of(("sales", ALICE))
        pause(board, True, "lunch")
        board.wait(60)
        pause(board, True, "training")
        agent = board.agent("1001")
        assert (agent["paused_since"], agent["pause_reason"]) == (ami.START + 60, "training")
        assert agent["since"] == ami.START

    def test_the_same_event_twice(self) -> None:
        board = board_of(("sales", ALICE))
        pause(board, True, "lunch")
        before = board.document
        pause(board, True, "lunch")
        assert board.document == before

    def test_a_status_in_the_middle_keeps_start_and_reason(self) -> None:
        board = board_of(("sales", ALICE))
        board.wait(0.75)
        pause(board, True, "lunch")
        board.wait(10)
        status(board, 6, Paused=1, PausedReason="lunch", LastPause=int(ami.START))
        assert board.agent("1001")["paused_since"] == ami.START + 0.75
        assert board.agent("1001")["pause_reason"] == "lunch"

    def test_in_one_of_two_queues(self) -> None:
        board = alice_in_both()
        pause(board, True, "lunch", "sales")
        agent = board.agent("1001")
        assert (agent["state"], agent["paused"], agent["pause_reason"]) == ("idle", False, "")
        assert member(board, "sales")["state"] == "paused"
        assert member(board, "vip")["state"] == "idle"
        board.wait(30)
        pause(board, True, "training", "vip")
        agent = board.agent("1001")
        assert (agent["state"], agent["pause_reason"]) == ("paused", "training")
        assert agent["paused_since"] == agent["since"] == ami.START + 30
        pause(board, False, "", "sales")
        assert board.agent("1001")["paused"] is False
        assert member(board, "vip")["pause_reason"] == "training"

    def test_leaving_the_queue_where_he_was_not_paused(self) -> None:
        board = alice_in_both()
        pause(board, True, "lunch", "sales")
        board.wait(10)
        board.say(ami.member_event(board.now, "Removed", "vip", ALICE))
        assert board.agent("1001")["state"] == "paused"
        assert board.agent("1001")["paused_since"] == ami.START

    def test_on_a_call(self) -> None:
        board = board_of(("sales", ALICE))
        talk(board)
        pause(board, True, "lunch")
        agent = board.agent("1001")
        assert (agent["state"], agent["paused"], agent["pause_reason"]) == ("on_call", True, "lunch")

    def test_from_before_we_connected(self) -> None:
        board = board_of(("sales", ALICE), Paused=1, PausedReason="lunch", LastPause=int(ami.START) - 600)
        agent = board.agent("1001")
        assert (agent["state"], agent["pause_reason"]) == ("paused", "lunch")
        assert agent["paused_since"] == ami.START - 600

    def test_added_paused(self) -> None:
        board = board_of()
        board.say(
            ami.member_event(
                board.now, "Added", "sales", ALICE, Paused=1, PausedReason="training",
                LastPause=int(board.now), Membership="dynamic",
            )
        )  # fmt: skip
        assert board.agent("1001")["state"] == "paused"
        assert board.agent("1001")["pause_reason"] == "training"

    def test_a_reason_with_anything_in_it(self) -> None:
        board = board_of(("sales", ALICE))
        pause(board, True, 'caffè "con" \\ latte: 5 €', "sales")
        assert board.agent("1001")["pause_reason"] == 'caffè "con" \\ latte: 5 €'


class TestMembership:
    def test_added(self) -> None:
        board = board_of()
        board.wait(5)
        fields: dict[str, ami.Value] = {
            "Membership": "dynamic",
            "Penalty": 2,
            "Ringinuse": 1,
            "MemberName": "Alice",
        }
        added = ami.member_event(board.now, "Added", "sales", ALICE, **fields)
        board.say(added, added)
        assert member(board) == {
            "interface": ALICE, "state": "idle", "penalty": 2, "paused": False, "pause_reason": "",
            "dynamic": True, "calls_taken": 0, "ring_in_use": True, "since": ami.START + 5,
            "name": "Alice", "state_interface": ALICE,
        }  # fmt: skip
        agent = board.agent("1001")
        assert (agent["name"], agent["queues"]) == ("Alice", ["sales"])
        assert board.live.state.resync_wanted is None

    def test_removed(self) -> None:
        board = alice_in_both()
        removed = ami.member_event(board.now, "Removed", "sales", ALICE)
        board.say(removed, removed)
        assert board.queue("sales")["members"] == {}
        assert board.agent("1001")["queues"] == ["vip"]
        board.say(ami.member_event(board.now, "Removed", "vip", ALICE))
        assert board.document["agents"] == {}
        board.assert_healthy()

    def test_an_interface_in_another_case_is_the_same_member(self) -> None:
        board = board_of(("sales", ALICE))
        status(board, 2, interface=ALICE.lower())
        assert list(board.queue("sales")["members"]) == ["1001"]
        assert member(board)["state"] == "on_call"
        board.say(ami.member_event(board.now, "Removed", "sales", "pJsIp/1001"))
        assert board.document["agents"] == {}

    def test_a_member_who_was_never_announced(self) -> None:
        board = board_of()
        status(board, 6)
        assert board.agent("1001")["state"] == "ringing"
        assert board.live.state.resync_wanted is ResyncReason.UNKNOWN_QUEUE

    def test_penalty_and_ring_in_use(self) -> None:
        board = board_of(("sales", ALICE))
        assert "ring_in_use" not in member(board)
        board.say(ami.member_event(board.now, "Penalty", "sales", ALICE, Penalty=5))
        board.say(ami.member_event(board.now, "Ringinuse", "sales", ALICE, Penalty=5, Ringinuse=1))
        assert (member(board)["penalty"], member(board)["ring_in_use"]) == (5, True)

    def test_calls_taken_and_last_call(self) -> None:
        board = board_of(("sales", ALICE))
        status(board, 1, CallsTaken=3, LastCall=int(ami.START))
        assert (member(board)["calls_taken"], member(board)["last_call"]) == (3, ami.START)

    def test_vanishing_in_the_middle_of_a_call(self) -> None:
        board = board_of()
        board.say(ami.member_event(board.now, "Added", "sales", ALICE, MemberName="Alice"))
        talk(board)
        board.say(ami.member_event(board.now, "Removed", "sales", ALICE, MemberName="Alice"))
        assert board.talking("sales") == [("1.1", "1001")]
        agent = board.agent("1001")
        assert (agent["state"], agent["queues"], agent["name"]) == ("on_call", [], "Alice")
        hang_up(board)
        assert board.document["agents"] == {}
        assert leftovers(board.live) == {}

    def test_removed_and_added_again_in_the_middle_of_a_call(self) -> None:
        board = board_of(("sales", ALICE))
        talk(board)
        board.say(ami.member_event(board.now, "Removed", "sales", ALICE))
        board.say(ami.member_event(board.now, "Added", "sales", ALICE))
        assert board.agent("1001")["state"] == "on_call"
        hang_up(board)
        assert board.agent("1001")["state"] == "idle"

    def test_a_queue_and_member_that_nobody_announced(self) -> None:
        board = board_of()
        board.say(ami.member_event(board.now, "Added", "realtime", ALICE))
        assert list(board.queue("realtime")["members"]) == ["1001"]
        assert board.live.state.resync_wanted is ResyncReason.UNKNOWN_QUEUE


class TestIdentity:
    def test_one_agent_over_queues_and_interfaces(self) -> None:
        board = Board(
            *(ami.queue_params(queue) for queue in (*QUEUES, "third")),
            ami.queue_member("sales", ALICE, MemberName="Alice"),
            ami.queue_member("vip", "Local/1001@agents/n", MemberName="A. Rossi", StateInterface=ALICE),
            ami.queue_member("third", "SIP/1001"),
        )
        assert list(board.document["agents"]) == ["1001"]
        assert board.agent("1001")["queues"] == ["sales", "third", "vip"]
        assert board.agent("1001")["name"] == "Alice"

    def test_the_name_is_the_first_queues_that_has_one(self) -> None:
        board = board_of(("sales", ALICE), ("vip", ALICE))
        assert board.agent("1001")["name"] == "1001"
        status(board, 1, "vip", MemberName="Alice (vip)")
        assert board.agent("1001")["name"] == "Alice (vip)"
        status(board, 1, "sales", MemberName="Alice")
        assert board.agent("1001")["name"] == "Alice"

    def test_two_interfaces_in_one_queue(self) -> None:
        board = board_of(("sales", ALICE), ("sales", "Local/1001@agents/n"), ("sales", BOB))
        assert list(board.queue("sales")["members"]) == ["1001", "Local/1001@agents/n", "1002"]
        assert member(board, key="Local/1001@agents/n")["agent"] == "1001"
        assert "agent" not in member(board)
        assert board.agent("1001")["queues"] == ["sales"]

    def test_by_membername(self) -> None:
        board = Board(
            ami.queue_params("sales"),
            ami.queue_member("sales", ALICE, MemberName="Anna"),
            ami.queue_member("sales", "PJSIP/2001", MemberName="Anna"),
            identity=agent_identity("membername"),
        )
        assert list(board.document["agents"]) == ["Anna"]
        board.say(
            ami.connect(board.now, "sales", "PJSIP/2001", "1.1", "1.2", member_name="Anna"),
        )
        assert board.talking("sales") == [("1.1", "Anna")]

    def test_by_membername_when_another_sits_down_at_the_phone(self) -> None:
        board = Board(
            ami.queue_params("sales"),
            ami.queue_member("sales", ALICE, MemberName="Anna"),
            identity=agent_identity("membername"),
        )
        status(board, 1, MemberName="Bruno")
        assert list(board.document["agents"]) == ["Bruno"]
        assert list(board.queue("sales")["members"]) == ["Bruno"]
        assert board.agent("Bruno")["name"] == "Bruno"


class TestDialects:
    def test_a_member_of_13(self) -> None:
        """No LastPause, no LoginTime, no Wrapuptime."""

        def old(pairs: ami.Pairs) -> ami.Pairs:
            return [pair for pair in pairs if pair[0] not in ("LastPause", "LoginTime", "Wrapuptime")]

        board = board_of()
        board.say(ami.frame("QueueMemberAdded", ami.stamp(board.now), old(ami.member("sales", ALICE))))
        board.wait(10)
        fields = ami.member("sales", ALICE, Paused=1, PausedReason="lunch")
        board.say(ami.frame("QueueMemberPause", ami.stamp(board.now), old(fields)))
        board.wait(10)
        board.say(ami.frame("QueueMemberStatus", ami.stamp(board.now), old(fields)))
        assert board.agent("1001")["paused_since"] == ami.START + 10
        assert member(board)["since"] == ami.START
        board.assert_healthy()

    def test_a_member_of_11(self) -> None:
        board = board_of()
        who: ami.Pairs = [("Queue", "sales"), ("Location", "SIP/1001"), ("MemberName", "Alice")]
        how: ami.Pairs = [("Membership", "dynamic"), ("Penalty", 1), ("CallsTaken", 0), ("LastCall", 0)]
        board.say(ami.frame("QueueMemberAdded", who, how, [("Status", 1), ("Paused", 0)]))
        board.say(ami.frame("QueueMemberPaused", who, [("Paused", 1), ("Reason", "lunch")]))
        agent = board.agent("1001")
        assert (agent["name"], agent["state"], agent["pause_reason"]) == ("Alice", "paused", "lunch")
        board.say(ami.frame("QueueMemberStatus", who, how, [("Status", 2), ("Paused", 1)]))
        agent = board.agent("1001")
        assert (agent["state"], agent["paused"], agent["pause_reason"]) == ("on_call", True, "lunch")
        board.say(ami.frame("QueueMemberPaused", who, [("Paused", 0)]))
        board.say(ami.frame("QueueMemberRemoved", who))
        assert board.document["agents"] == {}
        board.assert_healthy()


class TestModule:
    def test_unload_empties_and_load_asks(self) -> None:
        board = alice_in_both()
        talk(board)
        board.say(ami.join(board.now, "sales", "9.1", 1, 1))
        board.say(
            ami.frame("Unload", ami.stamp(board.now), [("Module", "app_queue.so"), ("Status", "Success")])
        )
        assert board.document["queues"] == board.document["agents"] == {}
        assert leftovers(board.live) == {}
        board.say(
            ami.frame("Load", ami.stamp(board.now), [("Module", "app_queue.so"), ("Status", "Success")])
        )
        assert board.live.state.resync_wanted is ResyncReason.RELOADED
        board.assert_healthy()

    def test_other_modules_touch_nothing(self) -> None:
        board = alice_in_both()
        before = board.document
        for event in ("Unload", "Load"):
            board.say(
                ami.frame(event, ami.stamp(board.now), [("Module", "chan_iax2.so"), ("Status", "Success")])
            )
        assert board.document["queues"] == before["queues"]
        assert board.live.state.resync_wanted is None
