"""The past of recorded sessions of real calls, against what is known to have happened in them."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from asterpanel_exporter.history.records import AttemptResult, EndedBy, Outcome, QueueCall
from asterpanel_exporter.replay import Replay
from tests.traces import ALL, FLOOD, SCENARIOS, recording, truth
from tests.unit.past import Remembering, filtered, replayed

TOLERANCE_S = 0.05
NOT_ANSWERED = (AttemptResult.NO_ANSWER, AttemptResult.REJECTED)


def told(live: Remembering, call: QueueCall) -> dict[str, Any]:
    """A call in the words of truth.json."""
    not_answered = [
        attempt
        for attempt in live.attempts
        if (attempt.uniqueid, attempt.queue) == (call.uniqueid, call.queue) and attempt.result in NOT_ANSWERED
    ]
    return {
        "queue": call.queue,
        "uniqueid": call.uniqueid,
        "caller": call.caller,
        "outcome": call.outcome.value,
        "agent": call.agent_name or None,
        "ended_by": call.ended_by.value or None,
        "wait_s": call.wait_s,
        "talk_s": call.talk_s if call.answered else None,
        "no_answers": len(not_answered),
    }


def expected(call: dict[str, Any]) -> dict[str, Any]:
    return {
        key: pytest.approx(value, abs=TOLERANCE_S) if isinstance(value, float) else value
        for key, value in call.items()
    }


class TestTruth:
    @pytest.mark.parametrize("through", [bytes, filtered], ids=["everything", "filtered"])
    @pytest.mark.parametrize("name", SCENARIOS)
    def test_exactly_the_calls_that_there_were(self, name: str, through: Any) -> None:
        live = replayed([through(recording(name))])
        calls = [told(live, call) for call in live.calls]
        assert [
            {key: value for key, value in call.items() if key in true}
            for call, true in zip(calls, truth(name), strict=True)
        ] == [expected(call) for call in truth(name)]
        assert not live.open_calls

    @pytest.mark.parametrize("name", ALL)
    def test_offered_is_the_sum_of_all_outcomes(self, name: str) -> None:
        live = replayed([recording(name)])
        for queue, totals in live.totals.queues.items():
            assert totals.offered == totals.calls.total() == sum(call.queue == queue for call in live.calls)

    @pytest.mark.parametrize("name", ALL)
    def test_every_attempt_is_told_of(self, name: str) -> None:
        live = replayed([recording(name)])
        for call in live.calls:
            told_of = [a for a in live.attempts if (a.uniqueid, a.queue) == (call.uniqueid, call.queue)]
            assert len(told_of) == call.attempts
            if call.answered:
                assert AttemptResult.ANSWERED in {attempt.result for attempt in told_of}

    def test_the_flood(self) -> None:
        """300 calls at 30 a second; 29 of their AgentComplete have lost an id."""
        live = replayed([recording(FLOOD)])
        assert [call.outcome for call in live.calls] == [Outcome.ANSWERED] * 300
        assert EndedBy.UNKNOWN not in {call.ended_by for call in live.calls}
        assert len({call.uniqueid for call in live.calls}) == 300
        assert not live.open_calls


class TestDetails:
    def test_where_a_transfer_went(self) -> None:
        for name, target in (
            ("asterisk-22/blind_transfer_dtmf", "7000"),
            ("asterisk-22/blind_transfer_to_other_queue", "vip"),
            ("asterisk-22/attended_transfer_dtmf", "1003"),
            ("asterisk-22/attended_transfer_sip_replaces", "7001"),
        ):
            call = replayed([recording(name)]).calls[0]
            assert (call.transfer_to, call.transferred) == (target, 1), name

    def test_the_visits_of_one_phone_call_have_the_same_linkedid(self) -> None:
        first, second = replayed([recording("asterisk-22/two_queues_same_call")]).calls
        assert first.uniqueid == second.uniqueid
        assert first.linkedid == second.linkedid != ""
        assert (first.queue, second.queue) == ("billing", "vip")

    def test_the_ring_time_of_who_answered(self) -> None:
        [call] = replayed([recording("asterisk-22/ring_no_answer_then_answered")]).calls
        assert call.ring_s == pytest.approx(2.007, abs=TOLERANCE_S)
        [delayed] = replayed([recording("asterisk-22/memberdelay_answered")]).calls
        assert delayed.ring_s == 1.0  # as Asterisk tells it; the delay of 4 s is no ringing

    def test_how_each_phone_of_ringall_ended(self) -> None:
        live = replayed([recording("asterisk-22/ringall_answered_elsewhere")])
        assert {attempt.agent_name: attempt.result.value for attempt in live.attempts} == {
            "Bob": "answered", "Alice": "cancelled", "Carol": "cancelled",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("name", "results"),
        [
            ("asterisk-22/agent_rejects_busy", ["rejected", "rejected", "cancelled"]),
            ("asterisk-22/agent_congestion", ["rejected"] * 5),
            ("asterisk-22/ring_no_answer_then_answered", ["no_answer", "answered"]),
            ("asterisk-22/memberdelay_agent_dump", ["answered", "answered"]),
            ("asterisk-22/exit_with_key", ["cancelled"]),
            ("asterisk-16/queue_full", ["cancelled"]),
        ],
    )
    def test_how_attempts_ended(self, name: str, results: list[str]) -> None:
        assert [attempt.result.value for attempt in replayed([recording(name)]).attempts] == results

    def test_pauses_and_memberships(self) -> None:
        live = replayed([recording("asterisk-22/member_actions")])
        pauses = [(pause.agent_name, pause.reason, round(pause.duration_s, 1)) for pause in live.pauses]
        assert pauses == [("Dario Ünïcode", "training", 1.0), ("Bob", "pranzo", 0.2), ("Bob", "caffè", 0.2)]
        [session] = live.sessions
        assert (session.queue, session.agent, round(session.duration_s, 1)) == ("vip", "1004", 4.8)


class TestDeterminism:
    @pytest.mark.parametrize("name", ALL)
    def test_however_the_stream_is_cut(self, name: str) -> None:
        data = recording(name)
        whole = replayed([data]).lines
        rng = random.Random(name)
        for _ in range(3):
            cuts = sorted(rng.sample(range(1, len(data)), 20))
            pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
            assert replayed(pieces).lines == whole

    @pytest.mark.parametrize("name", ALL)
    def test_each_frame_twice_is_once(self, name: str) -> None:
        frames = re.split(rb"(?<=\r\n\r\n)", recording(name))
        doubled = [frames[0], *(frame * 2 for frame in frames[1:])]
        assert replayed([b"".join(doubled)]).lines == replayed([recording(name)]).lines

    @pytest.mark.parametrize("name", ALL)
    def test_a_restart_at_any_moment_tells_no_call_twice(self, name: str) -> None:
        """What was open is in the journal; what was just being decided may be lost, nothing is doubled."""
        data = recording(name)
        frames = re.split(rb"(?<=\r\n\r\n)", data)
        whole = replayed([data]).calls
        rng = random.Random(name)
        for cut in rng.sample(range(1, len(frames)), min(12, len(frames) - 1)):
            before = Remembering("milano")
            Replay(before).play([b"".join(frames[:cut])])
            after = Remembering("milano")
            assert after.restore(before.open_items, {}) == []
            Replay(after).play([frames[0], b"".join(frames[cut:])])
            Replay(after).end()
            told_of = [_key(call) for call in (*before.calls, *after.calls)]
            assert len(set(told_of)) == len(told_of)
            assert set(told_of) <= {_key(call) for call in whole}


def _key(call: QueueCall) -> tuple[str, str, float]:
    return call.queue, call.uniqueid, call.joined_at
