"""How calls end, in sequences of events that no recorded session has."""

from __future__ import annotations

import pytest

from asterpanel_exporter.history.records import AttemptResult, EndedBy, Outcome, QueueCall
from asterpanel_exporter.state import ResyncReason
from tests.unit import ami
from tests.unit.ami import Board
from tests.unit.past import Remembering

ALICE, BOB = "PJSIP/1001", "PJSIP/1002"
LOCAL = "Local/1003@agents"


def board(**settings: float) -> tuple[Board, Remembering]:
    live = Remembering("milano", None, ami.settings(**settings) if settings else ami.settings())
    items = (
        ami.queue_params("sales", ServiceLevel=20),
        ami.queue_member("sales", ALICE, MemberName="Alice"),
        ami.queue_member("sales", BOB, MemberName="Bob"),
    )
    return Board(*items, live=live), live


def arrive(on: Board, *, rings: str = "", uniqueid: str = "1.1", queue: str = "sales") -> None:
    on.say(ami.newexten(on.now, uniqueid, queue), ami.join(on.now, "sales", uniqueid, 1, 1))
    if rings:
        on.say(ami.agent_event("AgentCalled", on.now, "sales", rings, uniqueid, f"{uniqueid}9"))


def connected(on: Board, *, waited_s: float = 2.0) -> None:
    """Alice talks with the caller."""
    arrive(on, rings=ALICE)
    on.wait(waited_s)
    on.say(
        ami.leave(on.now, "sales", "1.1", 1, 0),
        ami.connect(on.now, "sales", ALICE, "1.1", "1.19", member_name="Alice"),
    )


def only(live: Remembering) -> QueueCall:
    [call] = live.calls
    return call


class TestLeaving:
    def test_redirected_while_waiting_as_22_tells_it(self) -> None:
        """The channel's new place in the dialplan is told while its application is still Queue."""
        on, live = board()
        arrive(on, rings=ALICE)
        on.wait(3)
        on.say(
            ami.dial_end(on.now, "1.1", "1.19", "CANCEL"),
            ami.newexten(on.now, "1.1", "sales"),
            ami.abandon(on.now, "sales", "1.1"),
            ami.leave(on.now, "sales", "1.1", 1, 0),
        )
        on.wait(5)
        assert (only(live).outcome, only(live).wait_s) == (Outcome.REDIRECTED, 3.0)
        assert [attempt.result for attempt in live.attempts] == [AttemptResult.CANCELLED]

    def test_redirected_while_waiting_as_others_do(self) -> None:
        on, live = board()
        arrive(on)
        on.wait(3)
        on.say(ami.abandon(on.now, "sales", "1.1"), ami.leave(on.now, "sales", "1.1", 1, 0))
        on.wait(20)
        assert live.calls == []
        on.wait(20)
        assert only(live).outcome is Outcome.REDIRECTED

    def test_a_hang_up_that_takes_its_time(self) -> None:
        """The dialplan has something to do in its h extension."""
        on, live = board()
        arrive(on)
        on.wait(3)
        on.say(ami.abandon(on.now, "sales", "1.1"), ami.leave(on.now, "sales", "1.1", 1, 0))
        on.wait(12)
        on.say(ami.hangup(on.now, "1.1"))
        on.wait(5)
        assert (only(live).outcome, only(live).wait_s) == (Outcome.ABANDONED, 3.0)

    def test_without_the_dialplan_class_nothing_is_guessed(self, caplog: pytest.LogCaptureFixture) -> None:
        on, live = board()
        on.say(ami.join(on.now, "sales", "1.1", 1, 1))
        on.wait(3)
        on.say(ami.abandon(on.now, "sales", "1.1"), ami.leave(on.now, "sales", "1.1", 1, 0))
        on.say(ami.hangup(on.now, "1.1"))
        on.wait(5)
        assert only(live).outcome is Outcome.UNKNOWN
        on.wait(5)
        assert len([r for r in caplog.records if "read class dialplan" in r.message]) == 1

    @pytest.mark.parametrize("hangs_up", [False, True])
    def test_exit_by_key(self, hangs_up: bool) -> None:
        on, live = board()
        arrive(on, rings=ALICE)
        on.wait(3)
        on.say(ami.dial_end(on.now, "1.1", "1.19", "CANCEL"), ami.leave(on.now, "sales", "1.1", 1, 0))
        if hangs_up:
            on.say(ami.hangup(on.now, "1.1"))
        on.wait(5)
        assert only(live).outcome is Outcome.EXIT_KEY

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            ("TIMEOUT", Outcome.TIMEOUT),
            ("LEAVEEMPTY", Outcome.LEAVE_EMPTY),
            ("LEAVEUNAVAIL", Outcome.LEAVE_UNAVAIL),
            ("WITHDRAW", Outcome.WITHDRAWN),
            ("CONTINUE", Outcome.CONTINUE),
        ],
    )
    def test_by_queuestatus(self, status: str, outcome: Outcome) -> None:
        on, live = board()
        arrive(on)
        on.wait(3)
        on.say(ami.abandon(on.now, "sales", "1.1"), ami.leave(on.now, "sales", "1.1", 1, 0))
        on.say(ami.varset(on.now, "1.1", status), ami.hangup(on.now, "1.1"))
        on.wait(5)
        assert (only(live).outcome, only(live).wait_s) == (outcome, 3.0)

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [("FULL", Outcome.FULL), ("JOINEMPTY", Outcome.JOIN_EMPTY), ("JOINUNAVAIL", Outcome.JOIN_UNAVAIL)],
    )
    def test_refused(self, status: str, outcome: Outcome) -> None:
        on, live = board()
        on.say(ami.newexten(on.now, "1.1", "SALES,tT"), ami.varset(on.now, "1.1", status))
        on.wait(5)
        call = only(live)
        assert (call.outcome, call.queue, call.caller, call.wait_s) == (outcome, "sales", "390551", 0.0)
        assert live.totals.queue("sales").offered == 1
        assert live.open_calls == []

    def test_refused_by_the_next_queue_is_not_how_he_left_this_one(self) -> None:
        on, live = board()
        arrive(on)
        on.wait(3)
        on.say(ami.leave(on.now, "sales", "1.1", 1, 0))
        on.say(ami.newexten(on.now, "1.1", "vip"), ami.varset(on.now, "1.1", "FULL"))
        on.wait(5)
        assert [(call.queue, call.outcome) for call in live.calls] == [
            ("sales", Outcome.EXIT_KEY), ("vip", Outcome.FULL),
        ]  # fmt: skip

    def test_no_such_queue_is_no_call(self) -> None:
        on, live = board()
        on.say(ami.newexten(on.now, "1.1", "nosuch"), ami.varset(on.now, "1.1", "UNKNOWN"))
        on.say(ami.hangup(on.now, "1.1"))
        on.wait(60)
        assert live.calls == []

    def test_the_same_queue_twice(self) -> None:
        on, live = board()
        for _ in range(2):
            arrive(on)
            on.wait(3)
            on.say(ami.abandon(on.now, "sales", "1.1"), ami.leave(on.now, "sales", "1.1", 1, 0))
            on.say(ami.varset(on.now, "1.1", "TIMEOUT"))
        on.wait(5)
        assert [(call.outcome, call.wait_s) for call in live.calls] == [(Outcome.TIMEOUT, 3.0)] * 2

    def test_positions(self) -> None:
        on, live = board()
        on.say(ami.newexten(on.now, "1.1", "sales"), ami.join(on.now, "sales", "1.1", 4, 4))
        on.wait(3)
        on.say(ami.abandon(on.now, "sales", "1.1"), ami.leave(on.now, "sales", "1.1", 2, 3))
        on.say(ami.hangup(on.now, "1.1"))
        on.wait(5)
        assert (only(live).position_in, only(live).position_out) == (4, 2)

    def test_a_subroutine_before_the_connection(self) -> None:
        """membergosub runs between Leave and AgentConnect, for as long as it likes."""
        on, live = board()
        arrive(on, rings=ALICE)
        on.wait(2)
        on.say(ami.leave(on.now, "sales", "1.1", 1, 0))
        on.wait(45)
        on.say(ami.connect(on.now, "sales", ALICE, "1.1", "1.19", member_name="Alice"))
        on.wait(10)
        on.say(ami.complete(on.now, "sales", ALICE, "1.1", "1.19"))
        on.wait(5)
        assert (only(live).outcome, only(live).wait_s, only(live).talk_s) == (Outcome.ANSWERED, 47.0, 10.0)


class TestTalking:
    def test_the_caller_sends_the_agent_away(self) -> None:
        """Asterisk 22 says that it was a transfer, 16 that the caller ended it: the caller did."""
        on, live = board()
        connected(on)
        on.wait(5)
        on.say(ami.blind_transfer(on.now, transferer="1.1", transferee="1.19"))
        on.say(ami.complete(on.now, "sales", ALICE, "1.1", "1.19", reason="transfer"))
        on.wait(5)
        call = only(live)
        assert (call.ended_by, call.transferred, call.talk_s) == (EndedBy.CALLER, 0, 5.0)

    def test_complete_before_the_transfers_own_event(self) -> None:
        on, live = board()
        connected(on)
        on.wait(5)
        on.say(ami.complete(on.now, "sales", ALICE, "1.1", "1.19", reason="transfer"))
        on.wait(0.1)
        on.say(ami.blind_transfer(on.now, transferer="1.19", transferee="1.1"))
        on.wait(5)
        call = only(live)
        assert (call.ended_by, call.transfer_to, call.talk_s) == (EndedBy.BLIND_TRANSFER, "7000", 5.0)

    def test_a_transfer_of_which_nothing_else_tells(self) -> None:
        on, live = board()
        connected(on)
        on.say(ami.complete(on.now, "sales", ALICE, "1.1", "1.19", reason="transfer"))
        on.wait(10)
        assert only(live).ended_by is EndedBy.UNKNOWN

    def test_a_consultation_that_is_given_up(self) -> None:
        on, live = board()
        connected(on)
        on.wait(5)
        on.say(ami.varset(on.now, "2.1", f"{ALICE}-0000000a", variable="TRANSFERERNAME"))
        on.wait(20)
        on.say(ami.complete(on.now, "sales", ALICE, "1.1", "1.19", reason="caller"))
        on.wait(5)
        assert (only(live).ended_by, only(live).talk_s) == (EndedBy.CALLER, 25.0)

    def test_a_consultation_that_ends_in_a_transfer(self) -> None:
        on, live = board()
        connected(on)
        on.wait(5)
        on.say(ami.varset(on.now, "2.1", f"{ALICE}-0000000a", variable="TRANSFERERNAME"))
        on.wait(20)
        on.say(ami.attended_transfer(on.now, "1.19", "1.19", "1.1"))
        on.say(ami.hangup(on.now, "1.19"), ami.complete(on.now, "sales", ALICE, "1.1", reason="transfer"))
        on.wait(5)
        assert (only(live).ended_by, only(live).talk_s) == (EndedBy.ATTENDED_TRANSFER, 5.0)

    def test_redirected_in_mid_talk(self) -> None:
        """The agent's phone is hung up at once; AgentComplete comes when the caller hangs up, long after."""
        on, live = board()
        connected(on)
        on.wait(4)
        on.say(ami.hangup(on.now, "1.19"))
        on.wait(600)
        assert (only(live).talk_s, only(live).ended_by) == (4.0, EndedBy.UNKNOWN)
        on.say(ami.complete(on.now, "sales", ALICE, "1.1"), ami.hangup(on.now, "1.1"))
        on.wait(60)
        assert len(live.calls) == 1
        assert live.open_calls == []

    def test_complete_without_any_id(self) -> None:
        on, live = board()
        connected(on)
        on.wait(5)
        on.say(ami.complete(on.now, "sales", ALICE, reason="agent"))
        on.wait(5)
        assert (only(live).ended_by, only(live).talk_s) == (EndedBy.AGENT, 5.0)

    def test_complete_after_both_have_hung_up(self) -> None:
        on, live = board()
        connected(on)
        on.wait(5)
        on.say(ami.hangup(on.now, "1.1"), ami.hangup(on.now, "1.19"))
        on.wait(0.5)
        on.say(ami.complete(on.now, "sales", ALICE, reason="agent"))
        on.wait(5)
        assert (only(live).ended_by, only(live).talk_s) == (EndedBy.AGENT, 5.0)

    def test_a_local_channel_that_is_optimised_out(self) -> None:
        on, live = board()
        arrive(on, rings=LOCAL)
        on.wait(2)
        on.say(ami.leave(on.now, "sales", "1.1", 1, 0))
        on.say(ami.connect(on.now, "sales", LOCAL, "1.1", "1.19", dest_channel=f"{LOCAL}-00000001;1"))
        on.wait(1)
        on.say(ami.hangup(on.now, "1.19"))
        on.wait(60)
        on.say(ami.complete(on.now, "sales", LOCAL, "1.1", reason="agent"))
        on.wait(5)
        assert (only(live).talk_s, only(live).ended_by) == (61.0, EndedBy.AGENT)

    def test_within_the_service_level(self) -> None:
        for threshold_s, within in ((1.9, 0), (2.0, 1)):
            on, live = board(service_level_threshold_s=threshold_s)
            connected(on, waited_s=2.0)
            on.say(ami.complete(on.now, "sales", ALICE, "1.1", "1.19"))
            on.wait(5)
            assert (only(live).within_sl, only(live).sl_threshold_s) == (within, threshold_s)

    def test_the_queues_own_threshold(self) -> None:
        on, live = board()
        connected(on)
        on.say(ami.complete(on.now, "sales", ALICE, "1.1", "1.19"))
        on.wait(5)
        assert only(live).sl_threshold_s == 20.0


class TestMetrics:
    def end(self, on: Board) -> None:
        on.say(ami.complete(on.now, "sales", ALICE, "1.1", "1.19"), ami.hangup(on.now, "1.1"))
        on.wait(5)

    def test_a_threshold_that_is_no_bucket_yet(self) -> None:
        on, live = board()
        connected(on)
        self.end(on)
        assert sum(live.totals.queue("sales").wait[Outcome.ANSWERED].counts) == 1
        on.resync(ResyncReason.INTERVAL, ami.queue_params("sales", ServiceLevel=37))
        assert 37.0 in live.totals.queue("sales").wait[Outcome.ANSWERED].bounds
        connected(on)
        self.end(on)
        histogram = live.totals.queue("sales").wait[Outcome.ANSWERED]
        assert 37.0 in histogram.bounds
        assert sum(histogram.counts) == 1  # counted anew: Prometheus takes it for a reset
        assert live.totals.queue("sales").calls[Outcome.ANSWERED] == 2

    def test_today(self) -> None:
        on, live = board()
        connected(on)
        on.wait(5)
        self.end(on)
        assert on.queue("sales")["today"] == {
            "offered": 1, "answered": 1, "abandoned": 0, "short_abandons": 0, "within_sl": 1,
            "wait_s": 2.0, "talk_s": 5.0,
            "service": {
                "answered": 1, "answered_within": 1, "abandoned": 0, "abandoned_within": 0,
                "short_abandoned": 0, "flowed_out": 0,
            },
        }  # fmt: skip
        assert on.agent("1001")["today"] == {"answered": 1, "talk_s": 5.0, "no_answers": 0}
        on.wait(24 * 3600)
        on.say(ami.newexten(on.now, "9.9", "sales"))
        assert on.queue("sales")["today"]["offered"] == 0
        assert live.totals.queue("sales").calls[Outcome.ANSWERED] == 1


class TestTime:
    def test_events_without_times_are_told_of_once_a_connection(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        on, live = board()
        for uniqueid in ("1.1", "1.2"):
            on.say(ami.join(None, "sales", uniqueid, 1, 1))
        [record] = [record for record in caplog.records if "timestampevents = yes" in record.message]
        assert record.levelname == "WARNING"
        assert live.calls == []

    def test_the_time_of_arrival_counts_then(self) -> None:
        on, live = board()
        on.say(ami.newexten(None, "1.1", "sales"), ami.join(None, "sales", "1.1", 1, 1))
        on.wait(3)
        on.say(ami.abandon(None, "sales", "1.1"), ami.leave(None, "sales", "1.1", 1, 0))
        on.say(ami.hangup(None, "1.1"))
        on.wait(5)
        assert (only(live).outcome, only(live).wait_s) == (Outcome.ABANDONED, 3.0)
