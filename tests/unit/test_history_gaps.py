"""What the past says where events are missing: reconnects, restarts of either side, counters that jump."""

from __future__ import annotations

import pytest

from asterpanel_exporter.history.records import AttemptResult, EndedBy, Outcome
from asterpanel_exporter.recorder import Recorder, without_journal
from asterpanel_exporter.state import ResyncReason
from tests.unit import ami
from tests.unit.ami import Board
from tests.unit.past import Remembering

ALICE, BOB = "PJSIP/1001", "PJSIP/1002"


def board(*items: bytes, live: Remembering | None = None) -> tuple[Board, Remembering]:
    live = live or Remembering("milano")
    return Board(*(items or (sales(), alice())), live=live), live


def sales(completed: int = 0, abandoned: int = 0) -> bytes:
    return ami.queue_params("sales", Completed=completed, Abandoned=abandoned)


def alice(**fields: ami.Value) -> bytes:
    return ami.queue_member("sales", ALICE, MemberName="Alice", **fields)


def call(on: Board, uniqueid: str, *, wait_s: float = 2.0, talk_s: float = 5.0) -> None:
    """One call, answered by Alice and ended by the caller."""
    arrive(on, uniqueid)
    on.wait(wait_s)
    answer(on, uniqueid)
    on.wait(talk_s)
    end(on, uniqueid)


def arrive(on: Board, uniqueid: str) -> None:
    on.say(ami.newexten(on.now, uniqueid, "sales"), ami.join(on.now, "sales", uniqueid, 1, 1))
    on.say(ami.agent_event("AgentCalled", on.now, "sales", ALICE, uniqueid, f"{uniqueid}9"))


def answer(on: Board, uniqueid: str) -> None:
    on.say(
        ami.leave(on.now, "sales", uniqueid, 1, 0),
        ami.connect(on.now, "sales", ALICE, uniqueid, f"{uniqueid}9", member_name="Alice"),
    )


def end(on: Board, uniqueid: str) -> None:
    on.say(
        ami.complete(on.now, "sales", ALICE, uniqueid, f"{uniqueid}9"),
        ami.hangup(on.now, f"{uniqueid}9"),
        ami.hangup(on.now, uniqueid),
    )


def give_up(on: Board, uniqueid: str) -> None:
    on.say(
        ami.dial_end(on.now, uniqueid, f"{uniqueid}9", "CANCEL"),
        ami.abandon(on.now, "sales", uniqueid),
        ami.leave(on.now, "sales", uniqueid, 1, 0),
        ami.hangup(on.now, uniqueid),
        ami.hangup(on.now, f"{uniqueid}9"),
    )


class TestReconnect:
    def test_nothing_missed(self) -> None:
        on, live = board()
        call(on, "1.1")
        on.wait(30)
        on.reconnect(sales(completed=1), alice())
        on.wait(10)
        [gap] = live.gaps
        assert (gap.cause, gap.calls_missed) == ("eof", 0)
        assert [c.uniqueid for c in live.calls] == ["1.1"]

    def test_calls_that_came_and_went_unseen(self) -> None:
        on, live = board()
        call(on, "1.1")
        on.wait(30)
        on.reconnect(sales(completed=4, abandoned=2), alice())
        on.wait(5)
        [gap] = live.gaps
        assert gap.calls_missed == live.totals.missed == 5

    def test_a_gap_begins_with_the_last_thing_known(self) -> None:
        on, live = board()
        on.say(ami.newexten(on.now, "1.1", "sales"))
        known_at = on.now
        on.now += 20
        on.reconnect(sales(), alice())
        [gap] = live.gaps
        assert (gap.started_at, gap.duration_s) == (known_at, 20.0)

    def test_who_waits_on_keeps_his_join(self) -> None:
        on, live = board()
        arrive(on, "1.1")
        joined_at = on.now
        on.now += 7.5
        on.reconnect(sales(), alice(), ami.queue_entry("sales", "1.1", 1, wait=8))
        on.wait(2.5)
        answer(on, "1.1")
        on.wait(4)
        end(on, "1.1")
        on.wait(10)
        [told] = live.calls
        assert (told.joined_at, told.wait_s, told.talk_s) == (joined_at, 10.0, 4.0)
        assert live.totals.queue("sales").offered == 1

    def test_who_talks_on_keeps_his_talk(self) -> None:
        on, live = board()
        arrive(on, "1.1")
        answer(on, "1.1")
        on.now += 20
        on.reconnect(sales(), alice(InCall=1, Status=2))
        on.wait(10)
        end(on, "1.1")
        on.wait(10)
        [told] = live.calls
        assert (told.outcome, told.talk_s, told.ended_by) == (Outcome.ANSWERED, 30.0, EndedBy.CALLER)
        assert live.gaps[0].calls_missed == 0

    @pytest.mark.parametrize("answered", [False, True])
    def test_who_went_unseen_is_missed_and_told_nowhere(self, answered: bool) -> None:
        """His end is in the switchboard's counters only; import-queue-log has it."""
        on, live = board()
        arrive(on, "1.1")
        if answered:
            answer(on, "1.1")
        on.now += 20
        counted = sales(completed=1) if answered else sales(abandoned=1)
        on.reconnect(counted, alice())
        on.wait(60)
        assert live.gaps[0].calls_missed == 1
        assert live.calls == []

    def test_who_was_answered_in_the_gap_is_told_of_when_it_ends(self) -> None:
        on, live = board()
        arrive(on, "1.1")
        joined_at = on.now
        on.now += 20
        on.reconnect(sales(), alice(InCall=1, Status=2))
        on.wait(10)
        on.say(
            ami.agent_event(
                "AgentComplete", on.now, "sales", ALICE, "1.1", "1.19",
                more=[("HoldTime", 4), ("TalkTime", 26), ("Reason", "agent")], member_name="Alice",
            )
        )  # fmt: skip
        on.wait(10)
        [told] = live.calls
        assert (told.joined_at, told.wait_s, told.talk_s) == (joined_at, 4.0, 26.0)
        assert (told.agent_name, told.ended_by) == ("Alice", EndedBy.AGENT)
        assert live.gaps[0].calls_missed == 0
        on.reconnect(sales(completed=1), alice())
        assert live.totals.missed == 0

    def test_the_same_caller_again_after_the_gap(self) -> None:
        """His first visit timed out unseen; now he is back in the same queue, on the same channel."""
        on, live = board()
        arrive(on, "1.1")
        on.now += 40
        on.reconnect(sales(abandoned=1), alice())
        on.wait(5)
        on.say(ami.newexten(on.now, "1.1", "sales"), ami.join(on.now, "sales", "1.1", 1, 1))
        joined_at = on.now
        on.wait(5)
        on.say(ami.leave(on.now, "sales", "1.1", 1, 0), ami.connect(on.now, "sales", ALICE, "1.1", "1.2"))
        on.say(ami.complete(on.now, "sales", ALICE, "1.1", "1.2"), ami.hangup(on.now, "1.1"))
        on.wait(10)
        [told] = live.calls
        assert (told.joined_at, told.wait_s) == (joined_at, 5.0)

    def test_a_phone_that_may_have_been_answered_in_the_gap(self) -> None:
        on, live = board()
        arrive(on, "1.1")
        on.now += 20
        on.reconnect(sales(), alice(InCall=1, Status=2))
        on.wait(60)
        on.say(ami.complete(on.now, "sales", ALICE, "1.1", "1.19"), ami.hangup(on.now, "1.19"))
        on.wait(10)
        assert live.attempts == []

    def test_a_queue_that_is_gone(self) -> None:
        on, live = board()
        arrive(on, "1.1")
        on.now += 20
        on.reconnect(ami.queue_params("vip"))
        on.wait(13 * 3600)
        on.resync(ResyncReason.INTERVAL, ami.queue_params("vip"))
        assert live.open_calls == []

    def test_a_call_nobody_saw_begin(self) -> None:
        on, live = board()
        on.reconnect(sales(), alice(InCall=1, Status=2))
        on.wait(10)
        on.say(
            ami.agent_event(
                "AgentComplete", on.now, "sales", ALICE, "8.1", "8.2",
                more=[("HoldTime", 5), ("TalkTime", 60), ("Reason", "caller")], member_name="Alice",
            )
        )  # fmt: skip
        on.wait(10)
        [told] = live.calls
        assert (told.uniqueid, told.wait_s, told.talk_s, told.caller) == ("8.1", 5.0, 60.0, "390551")
        on.reconnect(sales(completed=1), alice())
        assert live.totals.missed == 0


class TestCounters:
    def test_a_reset_is_no_calls(self) -> None:
        on, live = board(sales(completed=500, abandoned=40), alice())
        on.reconnect(sales(completed=0, abandoned=0), alice())
        assert live.totals.missed == 0

    def test_calls_after_a_reset(self) -> None:
        on, live = board(sales(completed=500, abandoned=40), alice())
        on.reconnect(sales(completed=3, abandoned=1), alice())
        on.wait(5)
        assert live.totals.missed == 4

    def test_what_a_new_queue_has_counted_is_old(self) -> None:
        on, live = board()
        on.reconnect(sales(), alice(), ami.queue_params("vip", Completed=900))
        assert live.totals.missed == 0

    def test_what_was_counted_before_we_came_is_old(self) -> None:
        _, live = board(sales(completed=500), alice())
        assert live.totals.missed == 0

    def test_a_restart_that_counted_past_the_old_numbers(self) -> None:
        on, live = board(sales(completed=5), alice())
        on.say(ami.frame("FullyBooted", [("Privilege", "system,all"), ("Uptime", "5000")]))
        on.now += 3600
        on.live.disconnected("eof")
        on.live.connected("11.0.0")
        on.say(ami.frame("FullyBooted", [("Privilege", "system,all"), ("Uptime", "3000")]))
        on.resync(ResyncReason.CONNECTED, sales(completed=9, abandoned=2), alice())
        on.wait(5)
        assert live.totals.missed == 11

    def test_the_same_boot_is_no_restart(self) -> None:
        on, live = board(sales(completed=5), alice())
        on.say(ami.frame("FullyBooted", [("Privilege", "system,all"), ("Uptime", "5000")]))
        on.now += 3600
        on.live.disconnected("eof")
        on.live.connected("11.0.0")
        on.say(ami.frame("FullyBooted", [("Privilege", "system,all"), ("Uptime", "8600")]))
        on.resync(ResyncReason.CONNECTED, sales(completed=9, abandoned=2), alice())
        on.wait(5)
        assert live.totals.missed == 6

    def test_counts_of_asterisk_16_that_run_ahead_are_no_calls(self) -> None:
        """It counts some calls through Local channels twice: seen twice in a row, that is taken as it is."""
        on, live = board()
        call(on, "1.1")
        on.wait(10)
        on.resync(ResyncReason.INTERVAL, sales(completed=3), alice())
        on.resync(ResyncReason.INTERVAL, sales(completed=3), alice())
        on.reconnect(sales(completed=3), alice())
        assert live.totals.missed == 0

    def test_a_reload_is_no_calls(self) -> None:
        on, live = board()
        call(on, "1.1")
        on.wait(10)
        on.resync(ResyncReason.RELOADED, sales(completed=1), alice())
        on.reconnect(sales(completed=1), alice())
        assert live.totals.missed == 0

    def test_exits_by_key_and_refusals_are_in_no_counter(self) -> None:
        on, live = board()
        on.say(ami.newexten(on.now, "1.1", "sales"), ami.join(on.now, "sales", "1.1", 1, 1))
        on.say(ami.leave(on.now, "sales", "1.1", 1, 0))
        on.say(ami.newexten(on.now, "1.2", "sales"), ami.varset(on.now, "1.2", "FULL"))
        on.wait(10)
        on.reconnect(sales(), alice())
        assert [c.outcome.value for c in live.calls] == ["exit_key", "full"]
        assert live.totals.missed == 0


class TestClocks:
    """FullyBooted tells how long the switchboard has been up, as it is logged in."""

    def back(self, on: Board, uptime_s: float, *items: bytes) -> None:
        on.live.disconnected("eof")
        on.live.connected("11.0.0")
        on.say(ami.frame("FullyBooted", [("Privilege", "system,all"), ("Uptime", f"{uptime_s:.0f}")]))
        on.resync(ResyncReason.CONNECTED, *items)

    def test_a_clock_that_was_set_is_no_restart(self) -> None:
        on, live = board(sales(completed=1000, abandoned=500), alice())
        self.back(on, 5000, sales(completed=1000, abandoned=500), alice())
        on.wait(3600)
        on.say(ami.newexten(on.now, "1.1", "sales"))
        on.now += 60 + 10  # ten seconds of them never were
        self.back(on, 5000 + 3660, sales(completed=1001, abandoned=500), alice())
        on.wait(10)
        assert live.totals.missed == 1


class TestExporterRestart:
    def restarted(self, before: Remembering, now: float, *items: bytes) -> tuple[Board, Remembering]:
        """Another process, with what the journal has."""
        after = Remembering("milano")
        assert after.restore(before.open_items, {}) == []
        return Board(*items, live=after, start=now), after

    def test_calls_go_on(self) -> None:
        on, before = board()
        arrive(on, "1.1")
        joined_at = on.now
        on.wait(3)
        answer(on, "1.1")
        on.wait(5)
        on, after = self.restarted(before, on.now + 2, sales(), alice(InCall=1, Status=2))
        on.wait(3)
        end(on, "1.1")
        on.wait(10)
        [told] = after.calls
        assert (told.joined_at, told.wait_s, told.talk_s) == (joined_at, 3.0, 10.0)
        assert told.attempts == 1
        [gap] = after.gaps
        assert (gap.cause, gap.calls_missed) == ("exporter_stopped", 0)

    def test_calls_missed_while_it_was_down(self) -> None:
        on, before = board()
        call(on, "1.1")
        on.wait(10)
        on, after = self.restarted(before, on.now + 60, sales(completed=3, abandoned=1), alice())
        on.wait(5)
        assert after.gaps[0].calls_missed == 3

    def test_killed_between_the_end_of_a_call_and_its_record(self) -> None:
        """Either its record is made after all, or it is counted as missed: never both, never neither."""
        for waited in (0.0, 1.0, 3.0, 5.0):
            on, before = board()
            call(on, "1.1")
            on.wait(waited)
            _, after = self.restarted(before, on.now + 60, sales(completed=1), alice())
            assert len(before.calls) + len(after.calls) + after.gaps[0].calls_missed == 1

    def test_killed_while_a_record_waits_keeps_the_service_level(self) -> None:
        """The record is made before the queue's own threshold is told again."""
        queue = ami.queue_params("sales", ServiceLevel=30)
        on, before = board(queue, alice())
        call(on, "1.1")
        after = Remembering("milano")
        assert after.restore(before.open_items, {}) == []
        Recorder({"milano": after}, {"milano": None}, without_journal).record_one(after)
        assert [(told.sl_threshold_s, told.within_sl) for told in after.calls] == [(30.0, 1)]

    def test_a_phone_that_rang_over_the_restart(self) -> None:
        on, before = board()
        arrive(on, "1.1")
        on.wait(0.5)
        on, after = self.restarted(
            before, on.now + 1, sales(), alice(Status=6), ami.queue_entry("sales", "1.1", 1, wait=2)
        )
        on.wait(1)
        answer(on, "1.1")
        end(on, "1.1")
        on.wait(10)
        assert [(a.result, a.ring_s) for a in after.attempts] == [(AttemptResult.ANSWERED, 2.5)]

    def test_a_pause_keeps_its_exact_start(self) -> None:
        on, before = board()
        on.wait(0.25)
        started_at = on.now
        on.say(ami.member_event(on.now, "Pause", "sales", ALICE, Paused=1, PausedReason="lunch"))
        on.wait(60)
        items = (sales(), alice(Paused=1, PausedReason="lunch", LastPause=int(started_at)))
        on, after = self.restarted(before, on.now + 2, *items)
        on.say(ami.member_event(on.now, "Pause", "sales", ALICE, Paused=0))
        on.wait(1)
        [pause] = after.pauses
        assert (pause.started_at, pause.duration_s, pause.reason) == (started_at, 62.0, "lunch")

    def test_a_pause_that_ended_unseen(self) -> None:
        """It lasted at least as long as it was seen."""
        on, before = board()
        on.say(ami.member_event(on.now, "Pause", "sales", ALICE, Paused=1, PausedReason="lunch"))
        on.wait(60)
        on.say(ami.newexten(on.now, "1.1", "other"))
        on.recorder.record_one(before)
        _, after = self.restarted(before, on.now + 600, sales(), alice())
        assert [pause.duration_s for pause in after.pauses] == [60.0]

    def test_something_unreadable_is_told_and_left_out(self) -> None:
        live = Remembering("milano")
        unreadable = live.restore({("call", "x"): "{", ("pause", "y"): '{"no": 1}'}, {})
        assert [what.split(":")[0] for what in unreadable] == ["call 'x'", "pause 'y'"]


class TestShutdown:
    def test_calls_cut_by_a_restart_are_marked(self) -> None:
        """Asterisk hangs up all, as if the callers did, and only then says that it shuts down."""
        on, live = board()
        arrive(on, "1.1")
        answer(on, "1.1")
        arrive(on, "1.2")
        on.wait(30)
        end(on, "1.1")
        give_up(on, "1.2")
        on.say(ami.frame("Shutdown", ami.stamp(on.now + 0.2), [("Shutdown", "Cleanly"), ("Restart", "True")]))
        assert [(c.outcome.value, c.ended_by.value) for c in live.calls] == [
            ("answered", ""),
            ("unknown", ""),
        ]
        assert live.calls[0].talk_s == 30.0

    def test_a_call_that_ended_well_before(self) -> None:
        on, live = board()
        call(on, "1.1")
        on.wait(10)
        on.say(ami.frame("Shutdown", ami.stamp(on.now), [("Shutdown", "Cleanly"), ("Restart", "True")]))
        assert [c.ended_by for c in live.calls] == [EndedBy.CALLER]

    def test_nothing_is_missed_by_it(self) -> None:
        on, live = board()
        call(on, "1.1")
        on.wait(10)
        on.say(ami.frame("Shutdown", ami.stamp(on.now), [("Shutdown", "Cleanly"), ("Restart", "True")]))
        on.now += 20
        on.live.connected("11.0.0")
        on.resync(ResyncReason.CONNECTED, sales(), alice())
        [gap] = live.gaps
        assert (gap.cause, gap.calls_missed) == ("shutdown", 0)
