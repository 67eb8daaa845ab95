"""How many calls were missed in a gap, where events and the first list after it overlap."""

from __future__ import annotations

import pytest

from asterpanel_exporter.history.missed import UNIDENTIFIED_CALL
from asterpanel_exporter.history.records import EndedBy, Outcome
from asterpanel_exporter.state import ResyncReason
from tests.unit import ami
from tests.unit.ami import Board
from tests.unit.past import Remembering

ALICE, BOB = "PJSIP/1001", "PJSIP/1002"
SETTLED_S = 10.0


def sales(completed: int = 0, abandoned: int = 0) -> bytes:
    return ami.queue_params("sales", Completed=completed, Abandoned=abandoned)


def alice(**fields: ami.Value) -> bytes:
    return ami.queue_member("sales", ALICE, MemberName="Alice", **fields)


def booted(uptime_s: int) -> bytes:
    return ami.frame("FullyBooted", [("Privilege", "system,all"), ("Uptime", str(uptime_s))])


def arrive(on: Board, uniqueid: str) -> None:
    on.say(ami.newexten(on.now, uniqueid, "sales"), ami.join(on.now, "sales", uniqueid, 1, 1))
    on.say(ami.agent_event("AgentCalled", on.now, "sales", ALICE, uniqueid, f"{uniqueid}9"))


def answer(on: Board, uniqueid: str) -> None:
    on.say(
        ami.leave(on.now, "sales", uniqueid, 1, 0),
        ami.connect(on.now, "sales", ALICE, uniqueid, f"{uniqueid}9", member_name="Alice"),
    )


def complete(on: Board, uniqueid: str) -> None:
    on.say(
        ami.complete(on.now, "sales", ALICE, uniqueid, f"{uniqueid}9" if uniqueid else ""),
        ami.hangup(on.now, f"{uniqueid}9"),
        ami.hangup(on.now, uniqueid),
    )


def give_up(on: Board, uniqueid: str) -> None:
    on.say(
        ami.abandon(on.now, "sales", uniqueid),
        ami.leave(on.now, "sales", uniqueid, 1, 0),
        ami.hangup(on.now, uniqueid),
    )


@pytest.fixture
def live() -> Remembering:
    return Remembering("milano")


@pytest.fixture
def on(live: Remembering) -> Board:
    return Board(sales(), alice(), live=live)


def told_and_missed(live: Remembering) -> tuple[int, int]:
    return len(live.calls), live.totals.missed


class TestEventsBehindTheList:
    """AMI sends a list at once, and events that happened before it a little later."""

    def test_a_call_that_the_list_has_counted(self, on: Board, live: Remembering) -> None:
        arrive(on, "1.1")
        answer(on, "1.1")
        on.reconnect(sales(completed=1), alice())
        complete(on, "1.1")
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (1, 0)
        on.reconnect(sales(completed=1), alice())
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (1, 0)

    def test_a_call_that_it_has_not(self, on: Board, live: Remembering) -> None:
        arrive(on, "1.1")
        answer(on, "1.1")
        on.reconnect(sales(completed=3), alice(InCall=1, Status=2))
        complete(on, "1.1")
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (1, 3)

    def test_who_gave_up_before_the_list(self, on: Board, live: Remembering) -> None:
        arrive(on, "1.1")
        on.reconnect(sales(abandoned=1), alice())
        give_up(on, "1.1")
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (1, 0)

    def test_who_gave_up_after_it(self, on: Board, live: Remembering) -> None:
        arrive(on, "1.1")
        on.reconnect(sales(abandoned=2), alice(), ami.queue_entry("sales", "1.1", 1, wait=1))
        give_up(on, "1.1")
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (1, 2)

    def test_a_call_from_first_to_last_after_it(self, on: Board, live: Remembering) -> None:
        on.reconnect(sales(completed=1), alice())
        arrive(on, "1.1")
        answer(on, "1.1")
        complete(on, "1.1")
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (1, 1)

    def test_in_the_very_first_list(self, live: Remembering) -> None:
        """What it has counted is old; of these calls one is told of, and is not missed later on."""
        on = Board(sales(completed=800), alice(), live=live)
        complete(on, "1.1")
        on.wait(SETTLED_S)
        on.reconnect(sales(completed=800), alice())
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (1, 0)

    def test_a_list_from_between_an_end_and_its_being_counted(self, on: Board, live: Remembering) -> None:
        """A counter that lacks one call was not reset: the others were not missed."""
        for number in range(5):
            arrive(on, f"1.{number}")
            answer(on, f"1.{number}")
            complete(on, f"1.{number}")
        on.wait(SETTLED_S)
        on.reconnect(sales(completed=4), alice())
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (5, 0)
        on.reconnect(sales(completed=7), alice())
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (5, 2)

    def test_a_time_out_of_which_only_the_end_is_seen(self, on: Board, live: Remembering) -> None:
        arrive(on, "1.1")
        on.reconnect(sales(abandoned=1), alice())
        on.say(ami.leave(on.now, "sales", "1.1", 1, 0), ami.varset(on.now, "1.1", "TIMEOUT"))
        on.wait(SETTLED_S)
        assert [call.outcome for call in live.calls] == [Outcome.TIMEOUT]
        assert live.totals.missed == 0

    def test_who_is_in_the_list_although_he_has_given_up(self, on: Board, live: Remembering) -> None:
        """app_queue counts him some moments before it takes him out: one too many, and then one less."""
        arrive(on, "1.1")
        on.reconnect(sales(abandoned=1), alice(), ami.queue_entry("sales", "1.1", 1, wait=1))
        give_up(on, "1.1")
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (1, 1)
        on.reconnect(sales(abandoned=4), alice())
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (1, 3)


class TestCountersThatLackCalls:
    """Asterisk 22 does not count a call whose member is removed in the course of it."""

    def test_many_over_the_day_are_no_reset(self, on: Board, live: Remembering) -> None:
        for number in range(40):
            arrive(on, f"1.{number}")
            answer(on, f"1.{number}")
            complete(on, f"1.{number}")
        on.wait(SETTLED_S)
        on.reconnect(sales(completed=36), alice())
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (40, 0)

    def test_seen_twice_they_are_taken_as_they_are(self, on: Board, live: Remembering) -> None:
        for number in range(5):
            arrive(on, f"1.{number}")
            answer(on, f"1.{number}")
            complete(on, f"1.{number}")
        on.wait(SETTLED_S)
        on.resync(ResyncReason.INTERVAL, sales(completed=4), alice())
        on.resync(ResyncReason.INTERVAL, sales(completed=4), alice())
        on.reconnect(sales(completed=6), alice())
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (5, 2)


class TestTheEndOfAGap:
    def test_lost_again_before_it_is_settled(self, on: Board, live: Remembering) -> None:
        """It goes on, and its calls are counted once."""
        on.now += 20
        started_at = on.now - 20
        on.reconnect(sales(completed=2), alice())
        on.now += 0.5
        on.reconnect(sales(completed=3), alice())
        on.wait(SETTLED_S)
        [gap] = live.gaps
        assert (gap.started_at, gap.duration_s, gap.calls_missed) == (started_at, 20.5, 3)

    def test_killed_before_it_is_settled(self, on: Board, live: Remembering) -> None:
        on.wait(1)
        on.say(ami.newexten(on.now, "1.1", "other"))
        on.live.disconnected("eof")
        started_at = on.now
        on.recorder.record_one(live)
        on.now += 20
        on.reconnect(sales(completed=2), alice())
        on.recorder.record_one(live)
        after = Remembering("milano")
        assert after.restore(live.open_items, {}) == []
        on = Board(sales(completed=2), alice(), live=after, start=on.now + 5)
        on.wait(SETTLED_S)
        [gap] = after.gaps
        assert (gap.cause, gap.started_at, gap.duration_s, gap.calls_missed) == ("eof", started_at, 25.0, 2)

    def test_a_shutdown_settles_it(self, on: Board, live: Remembering) -> None:
        on.reconnect(sales(completed=2), alice())
        on.say(ami.frame("Shutdown", ami.stamp(on.now), [("Shutdown", "Cleanly"), ("Restart", "True")]))
        on.reconnect(sales(), alice())
        on.wait(SETTLED_S)
        assert [gap.calls_missed for gap in live.gaps] == [2, 0]

    def test_who_was_lost_stays_so_over_restarts(self, on: Board, live: Remembering) -> None:
        """The same member's next call is not taken for his."""
        arrive(on, "1.1")
        answer(on, "1.1")
        on.reconnect(sales(completed=1), alice())
        on.wait(SETTLED_S)
        after = Remembering("milano")
        after.restore(live.open_items, {})
        on = Board(sales(completed=1), alice(InCall=1, Status=2), live=after, start=on.now + 5)
        on.wait(60)
        on.say(ami.complete(on.now, "sales", ALICE))
        on.wait(SETTLED_S)
        assert after.calls == []


class TestCallsThatNothingIdentifies:
    def test_one_that_began_in_a_gap_was_missed(self, on: Board, live: Remembering) -> None:
        on.reconnect(sales(), alice(InCall=1, Status=2))
        on.wait(60)
        on.say(ami.complete(on.now, "sales", ALICE))
        on.wait(SETTLED_S)
        assert [(gap.cause, gap.calls_missed) for gap in live.gaps] == [("eof", 0), (UNIDENTIFIED_CALL, 1)]
        on.reconnect(sales(completed=1), alice())
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (0, 1)

    def test_one_that_the_list_had_counted_is_not_counted_twice(self, on: Board, live: Remembering) -> None:
        on.reconnect(sales(completed=1), alice())
        on.say(ami.complete(on.now, "sales", ALICE))
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (0, 1)


class TestARedirectedTalk:
    """app_queue counts it at once, and sends AgentComplete when the caller hangs up at last."""

    @pytest.mark.parametrize("lost_after_s", [0.0, 1.0, SETTLED_S, 60.0])
    @pytest.mark.parametrize("ids", [("1.1", "1.19"), ("1.1", ""), ("", "")])
    def test_counted_once(
        self, on: Board, live: Remembering, lost_after_s: float, ids: tuple[str, str]
    ) -> None:
        arrive(on, "1.1")
        answer(on, "1.1")
        on.wait(5)
        on.say(ami.hangup(on.now, "1.19"))
        on.wait(lost_after_s)
        on.reconnect(sales(completed=3), alice())
        on.wait(SETTLED_S)
        on.say(ami.complete(on.now, "sales", ALICE, *ids), ami.hangup(on.now, "1.1"))
        on.wait(SETTLED_S)
        on.reconnect(sales(completed=3), alice())
        on.wait(SETTLED_S)
        assert [(call.talk_s, call.ended_by) for call in live.calls] == [(5.0, EndedBy.UNKNOWN)]
        assert live.totals.missed == 2

    @pytest.mark.parametrize("known", [True, False])
    @pytest.mark.parametrize("uniqueid", ["1.1", ""])
    def test_redirected_in_a_gap(self, on: Board, live: Remembering, known: bool, uniqueid: str) -> None:
        """It was missed, although its AgentComplete is seen."""
        if known:
            arrive(on, "1.1")
            answer(on, "1.1")
        on.now += 20
        on.reconnect(sales(completed=1), alice())
        on.wait(60)
        talk: ami.Pairs = [("HoldTime", 1), ("TalkTime", 75), ("Reason", "caller")]
        on.say(ami.agent_event("AgentComplete", on.now, "sales", ALICE, uniqueid, more=talk))
        on.wait(SETTLED_S)
        on.reconnect(sales(completed=1), alice())
        on.wait(SETTLED_S)
        assert told_and_missed(live) == (0, 1)


class TestADeadSwitchboard:
    """It died without a Shutdown, and its start tells that calls were cut."""

    def talking_and_waiting(self, on: Board) -> None:
        on.say(booted(5000))
        arrive(on, "1.1")
        answer(on, "1.1")
        arrive(on, "1.2")
        on.wait(30)
        on.live.pong(on.now, on.now, 0.001)

    def check(self, on: Board, live: Remembering) -> None:
        on.wait(SETTLED_S)
        assert [(c.outcome, c.ended_by) for c in live.calls] == [
            (Outcome.ANSWERED, EndedBy.UNKNOWN),
            (Outcome.UNKNOWN, EndedBy.UNKNOWN),
        ]
        assert (live.calls[0].talk_s, live.calls[1].wait_s) == (30.0, 30.0)
        assert live.totals.missed == 0

    def test_told_before_the_first_list(self, on: Board, live: Remembering) -> None:
        self.talking_and_waiting(on)
        on.live.disconnected("eof")
        on.now += 20
        on.live.connected("11.0.0")
        on.say(booted(3))
        on.resync(ResyncReason.CONNECTED, sales(), alice())
        self.check(on, live)

    def test_told_after_it(self, on: Board, live: Remembering) -> None:
        """AMI lets in while Asterisk is still starting."""
        self.talking_and_waiting(on)
        on.live.disconnected("eof")
        on.now += 20
        on.live.connected("11.0.0")
        on.resync(ResyncReason.CONNECTED, sales(), alice())
        on.say(booted(3))
        self.check(on, live)

    def test_the_same_start_told_a_little_later(self, on: Board, live: Remembering) -> None:
        """Uptime is rounded down: by it the same start moves by more than a second."""
        on.say(booted(2))
        arrive(on, "1.1")
        on.live.pong(on.now, on.now, 0.001)
        on.live.disconnected("eof")
        on.now += 1.9
        on.live.connected("11.0.0")
        on.say(booted(2))
        on.resync(ResyncReason.CONNECTED, sales(), alice(), ami.queue_entry("sales", "1.1", 1, wait=2))
        on.wait(SETTLED_S)
        assert live.calls == []
