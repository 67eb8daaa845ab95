"""Pauses and memberships as finished intervals."""

from __future__ import annotations

from asterpanel_exporter.state import ResyncReason
from asterpanel_switchboard.identity import agent_identity
from tests.unit import ami
from tests.unit.ami import Board
from tests.unit.past import Remembering

ALICE = "PJSIP/1001"
QUEUES = ("sales", "vip")


def board(*queues: str) -> tuple[Board, Remembering]:
    """Alice is a member of some queues."""
    live = Remembering("milano")
    items: list[bytes] = []
    for queue in queues:
        items += [ami.queue_params(queue), ami.queue_member(queue, ALICE, MemberName="Alice")]
    return Board(*items, live=live), live


def pause(on: Board, queue: str, reason: str = "lunch", *, paused: bool = True) -> None:
    fields: dict[str, ami.Value] = {"Paused": int(paused), "PausedReason": reason if paused else ""}
    on.say(ami.member_event(on.now, "Pause", queue, ALICE, MemberName="Alice", **fields))
    on.now += 0.0001


def pauses(live: Remembering) -> list[tuple[str, float]]:
    return [(pause.reason, round(pause.duration_s, 1)) for pause in live.pauses]


class TestPauses:
    def test_in_every_queue(self) -> None:
        on, live = board(*QUEUES)
        for queue in QUEUES:
            pause(on, queue)
        on.wait(60)
        for queue in QUEUES:
            pause(on, queue, paused=False)
        assert pauses(live) == [("lunch", 60.0)]
        assert (live.pauses[0].agent, live.pauses[0].agent_name, live.pauses[0].by) == ("1001", "Alice", "")

    def test_in_one_of_two_queues_he_is_not_paused(self) -> None:
        on, live = board(*QUEUES)
        pause(on, "sales")
        on.wait(60)
        pause(on, "sales", paused=False)
        assert pauses(live) == []

    def test_another_reason_is_another_pause(self) -> None:
        on, live = board(*QUEUES)
        for queue in QUEUES:
            pause(on, queue, "lunch")
        on.wait(60)
        for queue in QUEUES:
            pause(on, queue, "training")
        on.wait(30)
        for queue in QUEUES:
            pause(on, queue, paused=False)
        assert pauses(live) == [("lunch", 60.0), ("training", 30.0)]

    def test_set_anew_is_another_pause(self) -> None:
        """Asterisk's own LastPause begins anew as well, and so does the timer of the live state."""
        on, live = board("sales")
        pause(on, "sales")
        on.wait(60)
        pause(on, "sales")
        on.wait(30)
        pause(on, "sales", paused=False)
        assert pauses(live) == [("lunch", 60.0), ("lunch", 30.0)]

    def test_by_asterisk_itself(self) -> None:
        on, live = board("sales")
        pause(on, "sales", "Auto-Pause")
        on.wait(10)
        pause(on, "sales", paused=False)
        assert live.pauses[0].by == "autopause"

    def test_leaving_the_last_queue_ends_it(self) -> None:
        on, live = board("sales")
        pause(on, "sales")
        on.wait(10)
        on.say(ami.member_event(on.now, "Removed", "sales", ALICE, MemberName="Alice", Paused=1))
        assert pauses(live) == [("lunch", 10.0)]
        assert len(live.sessions) == 1

    def test_one_that_was_on_before_we_came(self) -> None:
        live = Remembering("milano")
        on = Board(
            ami.queue_params("sales"),
            ami.queue_member("sales", ALICE, Paused=1, PausedReason="lunch", LastPause=int(ami.START) - 600),
            live=live,
        )
        on.wait(60)
        pause(on, "sales", paused=False)
        assert pauses(live) == [("lunch", 660.0)]


class TestSessions:
    def test_an_agent_who_is_another_one_by_his_new_name(self) -> None:
        live = Remembering("milano", agent_identity("membername"))
        queue = ami.queue_params("sales")
        on = Board(queue, ami.queue_member("sales", ALICE, MemberName="Zoe"), live=live)
        for _ in range(3):
            on.wait(10)
            on.resync(ResyncReason.RELOADED, queue, ami.queue_member("sales", ALICE, MemberName="Anna"))
        assert [session.agent for session in live.sessions] == ["Zoe"]
        on.resync(ResyncReason.RELOADED, queue)
        assert [session.agent for session in live.sessions] == ["Zoe", "Anna"]
        on.assert_healthy()

    def test_added_and_removed(self) -> None:
        on, live = board("sales")
        on.say(ami.queue_params("vip"))
        on.say(ami.member_event(on.now, "Added", "vip", ALICE, MemberName="Alice", Membership="dynamic"))
        on.wait(3600)
        on.say(ami.member_event(on.now, "Removed", "vip", ALICE, MemberName="Alice"))
        [session] = live.sessions
        assert (session.queue, session.agent, session.agent_name, session.duration_s) == (
            "vip", "1001", "Alice", 3600.0,
        )  # fmt: skip

    def test_found_gone_after_a_reload(self) -> None:
        on, live = board("sales")
        on.wait(100)
        on.resync(ResyncReason.RELOADED, ami.queue_params("sales"))
        [session] = live.sessions
        assert session.duration_s == 3600.0 + 100.0  # his LoginTime is an hour before the test's start

    def test_a_reload_that_resets_the_login_time_ends_nothing(self) -> None:
        on, live = board("sales")
        on.wait(100)
        again = ami.queue_member("sales", ALICE, MemberName="Alice", LoginTime=int(on.now))
        on.resync(ResyncReason.RELOADED, ami.queue_params("sales"), again)
        assert live.sessions == []
