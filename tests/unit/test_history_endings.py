"""Endings of queue calls that were first seen on a real switchboard under load."""

from __future__ import annotations

import pytest

from asterpanel_exporter.history.records import EndedBy, Outcome
from tests.unit import ami
from tests.unit.ami import Board
from tests.unit.past import Remembering

ALICE = "PJSIP/1001"


@pytest.fixture
def live() -> Remembering:
    return Remembering("milano")


@pytest.fixture
def on(live: Remembering) -> Board:
    return Board(ami.queue_params("sales"), ami.queue_member("sales", ALICE, MemberName="Alice"), live=live)


def arrive(on: Board, uniqueid: str) -> None:
    on.say(ami.newexten(on.now, uniqueid, "sales"), ami.join(on.now, "sales", uniqueid, 1, 1))


def answered(on: Board, uniqueid: str) -> None:
    arrive(on, uniqueid)
    on.say(
        ami.agent_event("AgentCalled", on.now, "sales", ALICE, uniqueid, f"{uniqueid}9"),
        ami.leave(on.now, "sales", uniqueid, 1, 0),
        ami.connect(on.now, "sales", ALICE, uniqueid, f"{uniqueid}9", member_name="Alice"),
    )


def give_up(on: Board, uniqueid: str) -> None:
    on.say(ami.abandon(on.now, "sales", uniqueid), ami.leave(on.now, "sales", uniqueid, 1, 0))


def hang_up(on: Board, uniqueid: str, context: str, extension: str) -> None:
    where = [("Context", context), ("Exten", extension)]
    fields = [pair for pair in ami.channel(uniqueid) if pair[0] not in ("Context", "Exten")]
    on.say(ami.frame("Hangup", ami.stamp(on.now, "call,all"), [*fields, *where], [("Cause", 16)]))


class TestRedirectedWhileWaiting:
    """Asterisk 16 tells of a redirect only by where the caller hangs up at last."""

    @pytest.mark.parametrize(
        ("after_s", "context", "extension", "outcome"),
        [
            (0.0, "queues", "s", Outcome.ABANDONED),
            (0.5, "macro-hangupcall", "s", Outcome.ABANDONED),
            (12.0, "queues", "h", Outcome.ABANDONED),
            (12.0, "elsewhere", "s", Outcome.REDIRECTED),
            (12.0, "queues", "700", Outcome.REDIRECTED),
            (12.0, "", "", Outcome.ABANDONED),
        ],
    )
    def test_by_where_he_hangs_up(
        self, on: Board, live: Remembering, after_s: float, context: str, extension: str, outcome: Outcome
    ) -> None:
        arrive(on, "1.1")
        on.wait(5)
        give_up(on, "1.1")
        on.wait(after_s)
        hang_up(on, "1.1", context, extension)
        on.wait(10)
        [call] = live.calls
        assert (call.outcome, call.wait_s) == (outcome, 5.0)

    def test_into_another_queue(self, on: Board, live: Remembering) -> None:
        arrive(on, "1.1")
        on.wait(5)
        give_up(on, "1.1")
        arrive(on, "1.1")
        on.wait(1)
        give_up(on, "1.1")
        hang_up(on, "1.1", "queues", "s")
        on.wait(10)
        assert [call.outcome for call in live.calls] == [Outcome.REDIRECTED, Outcome.ABANDONED]

    def test_who_hangs_up_soon_after_a_redirect_that_was_told(self, on: Board, live: Remembering) -> None:
        arrive(on, "1.1")
        on.wait(5)
        on.say(ami.newexten(on.now, "1.1", "sales"))
        give_up(on, "1.1")
        on.wait(0.5)
        hang_up(on, "1.1", "elsewhere", "s")
        on.wait(10)
        assert [call.outcome for call in live.calls] == [Outcome.REDIRECTED]


class TestCompleteWithoutIds:
    """Asterisk looks both channels up after the fact, and finds neither where both are gone."""

    def complete(self, on: Board) -> None:
        on.say(ami.complete(on.now, "sales", ALICE, "", ""))

    def test_of_a_talk_that_was_told_of_before(self, on: Board, live: Remembering) -> None:
        """Nothing is left of it, so that it explains no other AgentComplete."""
        answered(on, "1.1")
        on.wait(3)
        on.say(ami.hangup(on.now, "1.19"))
        on.wait(10)
        assert [(call.talk_s, call.ended_by) for call in live.calls] == [(3.0, EndedBy.UNKNOWN)]
        self.complete(on)
        assert not [kind for kind, _ in live.open_items if kind == "call"]

    def test_it_is_the_older_call_of_the_two(self, on: Board, live: Remembering) -> None:
        answered(on, "1.1")
        on.wait(3)
        on.say(ami.hangup(on.now, "1.19"))
        on.wait(10)
        answered(on, "1.2")
        self.complete(on)
        on.wait(4)
        self.complete(on)
        on.wait(10)
        assert [call.talk_s for call in live.calls] == [3.0, 4.0]
        assert not [kind for kind, _ in live.open_items if kind == "call"]
