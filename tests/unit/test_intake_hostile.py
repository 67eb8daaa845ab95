"""Hostile bytes: nothing raises, nothing grows without bound, and a good snapshot puts all right again."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.replay import Replay
from asterpanel_exporter.state import ResyncReason
from asterpanel_switchboard.decoding import NEEDED_EVENTS
from asterpanel_switchboard.intake import Intake, WireError
from asterpanel_switchboard.wire import MAX_FRAME_BYTES
from tests.traces import SCENARIOS, recording
from tests.unit import ami
from tests.unit.ami import Board
from tests.unit.app_queue import panel_of

SALES = ami.queue_params("sales")
ALICE = "PJSIP/1001"
HEADERS = (
    "Queue", "Uniqueid", "Linkedid", "Position", "Count", "Interface", "Location", "MemberName", "Status",
    "Paused", "PausedReason", "Timestamp", "Channel", "CallerIDNum", "CallerIDName", "DestUniqueid",
    "DestChannel", "ActionID", "Penalty", "LastPause", "LastCall", "LoginTime", "Wrapuptime", "InCall",
    "Wait", "Priority", "Module", "Max", "ServiceLevel", "Variable", "Value", "Application", "AppData",
    "Result", "TransfereeUniqueid",
)  # fmt: skip

GOOD = [
    ami.queue_params("billing", Strategy="linear"),
    ami.queue_member("billing", "PJSIP/1001", MemberName="Alice"),
    ami.queue_member(
        "billing", "PJSIP/1002", MemberName="Bob", Paused=1, PausedReason="lunch", LastPause=1795390000
    ),
    ami.queue_entry("billing", "77.1", 1, wait=10, priority=2),
    ami.queue_entry("billing", "77.2", 2, wait=5),
    ami.queue_params("vip", Strategy="rrmemory"),
    ami.queue_member("vip", "PJSIP/1002", MemberName="Bob", Status=2, Penalty=3),
    ami.queue_member("vip", "PJSIP/1003", MemberName="Carol", Status=5),
]

absurd = st.sampled_from(
    [
        b"nan", b"inf", b"-inf", b"1" + b"0" * 400, b"-1", b"0", b"-5", b"99999999999", b"1e308", b"",
        b"\xff\xfe", b"1_0", b"0x1", b"\x00", b"9" * 5000, b"4294967296", b"8589934591.5", b"1795390401.5",
    ]
)  # fmt: skip
values = absurd | st.sampled_from(
    [b"sales", b"nosuch", b"PJSIP/1001", b"pjsip/1001", b"1.1", b"1.2", b"QUEUESTATUS", b"FULL",
     b"app_queue.so", b"1"]
) | st.binary(max_size=12)  # fmt: skip
headers = st.tuples(st.sampled_from(HEADERS), values).map(lambda pair: pair[0].encode() + b": " + pair[1])
frames = st.builds(
    lambda name, lines: b"\r\n".join([b"Event: " + name.encode(), *lines]) + b"\r\n\r\n",
    st.sampled_from(sorted(NEEDED_EVENTS)),
    st.lists(headers, max_size=14),
)
"""Events of ours with anything in them."""

junk = st.binary(max_size=60) | st.sampled_from(
    [
        b"\r\n",
        b"\r\n\r\n",
        b"\r",
        b"\n",
        b"Event: ",
        b"Event: \r\n\r\n",
        b"Response: Error\r\n\r\n",
        b"\x00" * 30,
    ]
)


def comparable(live: LiveSwitchboard) -> dict[str, Any]:
    """What a snapshot tells, whatever was shown before it."""
    document = live.document(live.state.as_of)
    panel = panel_of(document)
    panel["positions"] = {
        name: [
            (caller["uniqueid"], caller["position"], caller.get("priority")) for caller in queue["waiting"]
        ]
        for name, queue in document["queues"].items()
    }
    panel["parameters"] = {
        name: (queue["strategy"], queue["max_len"], queue["sl_threshold_s"])
        for name, queue in document["queues"].items()
    }
    panel["names"] = {agent: state["name"] for agent, state in document["agents"].items()}
    panel["reasons"] = {agent: state["pause_reason"] for agent, state in document["agents"].items()}
    return panel


def good_session(live: LiveSwitchboard) -> list[bytes]:
    return [ami.GREETING, ami.listing(live.resync_action_id(ResyncReason.CONNECTED, 1), GOOD)]


def expected_after_good() -> dict[str, Any]:
    fresh = Replay(LiveSwitchboard("milano"))
    fresh.play(good_session(fresh.live))
    return comparable(fresh.live)


def assert_heals(live: LiveSwitchboard) -> None:
    """Long after, a new session's snapshot: the state is the snapshot's."""
    live.disconnected("eof")
    live.advance(live.state.as_of + 10**11)
    again = Replay(live)
    again.play(good_session(live))
    assert not again.errors
    assert live.errors == 0
    assert comparable(live) == expected_after_good()


def mutated(data: bytes, mutations: list[tuple[str, int, int, bytes]]) -> bytes:
    """Bytes flipped, cut out, doubled, overwritten and put in; frames doubled, dropped and swapped."""
    for kind, place, length, payload in mutations:
        place %= max(1, len(data))
        span = data[place : place + length]
        if kind == "flip":
            data = (
                data[:place]
                + bytes(byte ^ (1 << length % 8) for byte in data[place : place + 1])
                + data[place + 1 :]
            )
        elif kind == "cut out":
            data = data[:place] + data[place + length :]
        elif kind == "double":
            data = data[:place] + span + data[place:]
        elif kind == "put in":
            data = data[:place] + payload + data[place:]
        elif kind == "break off":
            data = data[:place]
        else:
            pieces = data.split(b"\r\n\r\n")
            which = place % len(pieces)
            if kind == "double a frame":
                pieces.insert(which, pieces[which])
            elif kind == "drop a frame":
                del pieces[which]
            else:
                pieces[which], pieces[-which] = pieces[-which], pieces[which]
            data = b"\r\n\r\n".join(pieces)
    return data


mutations = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "flip",
                "flip",
                "cut out",
                "double",
                "put in",
                "break off",
                "double a frame",
                "drop a frame",
                "swap frames",
            ]
        ),
        st.integers(0, 10**6),
        st.integers(1, 400),
        junk | absurd | headers.map(lambda line: b"\r\n" + line + b"\r\n") | frames,
    ),
    min_size=1,
    max_size=25,
)


class TestNothingRaises:
    @given(st.lists(junk | frames | headers, max_size=15))
    def test_intake(self, chunks: list[bytes]) -> None:
        intake = Intake("milano", max_frame_bytes=500)
        for chunk in chunks:
            intake.feed(chunk)
        intake.end()
        assert intake.bytes == sum(map(len, chunks))

    @settings(deadline=None, max_examples=200)
    @given(st.lists(frames | junk, max_size=40))
    def test_invented_events(self, chunks: list[bytes]) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        for chunk in chunks:
            board.say(chunk)
            assert board.live.errors == 0
        board.document  # noqa: B018  # it can be rendered
        assert_heals(board.live)

    @settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(SCENARIOS), mutations)
    def test_mutated_recordings(self, name: str, mutations: list[tuple[str, int, int, bytes]]) -> None:
        replay = Replay(LiveSwitchboard("milano"))
        replay.play(good_session(replay.live))
        replay.play([mutated(recording(name), mutations)])
        assert replay.live.errors == 0
        replay.end()
        document = replay.live.document(replay.live.state.as_of)
        for queue in document["queues"].values():
            assert [caller["position"] for caller in queue["waiting"]] == list(
                range(1, len(queue["waiting"]) + 1)
            )
        assert_heals(replay.live)

    @settings(deadline=None, max_examples=50)
    @given(st.sampled_from(SCENARIOS), st.integers(0, 10**6))
    def test_a_recording_that_was_cut_off(self, name: str, place: int) -> None:
        data = recording(name)
        replay = Replay(LiveSwitchboard("milano"))
        replay.play([data[: place % len(data)]])
        assert replay.live.errors == 0
        assert set(replay.errors) <= {WireError.TRUNCATED}
        assert_heals(replay.live)


class TestWhatIsCounted:
    def test_each_kind_is_logged_once_and_counted_always(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.WARNING)
        counts: Counter[WireError] = Counter()
        for _ in range(2):
            intake = Intake("milano", counts, max_frame_bytes=200)
            for _ in range(3):
                intake.feed(b"Event: QueueCallerJoin\r\nQueue: sales\r\n\r\n")
                intake.feed(b"neither: this\r\nnor: that\r\n\r\n")
                intake.feed(b"x" * 300 + b"\r\n\r\n")
            intake.feed(b"Event: Hang")
            intake.end()
        assert counts == {
            WireError.MALFORMED: 6, WireError.GARBAGE: 6, WireError.OVERSIZED: 6, WireError.TRUNCATED: 2
        }  # fmt: skip
        warnings = [record.getMessage() for record in caplog.records]
        assert len(warnings) == 4
        for kind in WireError:
            assert sum(f"milano: {kind} AMI data skipped" in warning for warning in warnings) == 1

    def test_the_log_cannot_be_written_into(self, caplog: pytest.LogCaptureFixture) -> None:
        intake = Intake("milano")
        intake.feed(b"neither\n2026-01-01 ERROR forged line\x1b[31m: nor\r\n\r\n")
        (record,) = caplog.records
        assert "\n" not in record.getMessage()
        assert "\x1b" not in record.getMessage()

    def test_the_log_holds_an_excerpt_only(self, caplog: pytest.LogCaptureFixture) -> None:
        intake = Intake("milano")
        intake.feed(b"y" * 100_000 + b"\r\n\r\n")
        assert len(caplog.records[0].getMessage()) < 400

    def test_what_is_needed_by_nobody_is_no_error(self) -> None:
        intake = Intake("milano")
        for data in (
            b"Event: FutureEvent\r\nX: 1\r\n\r\n",
            b"\r\nEvent: FutureEvent\r\n\r\n",
            b"\r\n\r\n\r\n\r\n",
            b"Event: VarSet\r\nVariable: X\r\nValue: y\r\n\r\n",
        ):
            assert intake.feed(data) == ([], [])
        assert not intake.counts

    def test_responses_are_handed_out(self) -> None:
        intake = Intake("milano")
        data = ami.GREETING + b"\r\nResponse: Success\r\nActionID: 1\r\n\r\nResponse: Error\r\n\r\n"
        assert intake.feed(data) == ([], [b"Response: Success\r\nActionID: 1", b"Response: Error"])
        assert not intake.counts

    def test_a_truncated_stream(self) -> None:
        intake = Intake("milano")
        intake.feed(ami.join(1.0, "sales", "1.1", 1, 1)[:-3])
        intake.end()
        assert intake.counts == {WireError.TRUNCATED: 1}

    def test_a_clean_end(self) -> None:
        intake = Intake("milano")
        intake.feed(ami.join(1.0, "sales", "1.1", 1, 1))
        intake.end()
        assert not intake.counts


class TestStateUnderAttack:
    """Whoever can set a caller's number can write lines, even whole frames, into the stream."""

    def test_an_oversized_frame_among_good_ones(self) -> None:
        board = Board(SALES)
        board.say(
            ami.join(board.now, "sales", "1.1", 1, 1),
            ami.join(board.now, "sales", "1.2", 2, 2, number=b"9" * (MAX_FRAME_BYTES + 1)),
            ami.join(board.now, "sales", "1.3", 3, 3),
        )
        assert board.waiting("sales") == ["1.1", "1.3"]
        assert board.intake.counts == {WireError.OVERSIZED: 1}
        assert board.live.state.resync_wanted is ResyncReason.COUNT_MISMATCH

    def test_injected_headers_change_nothing(self) -> None:
        board = Board(SALES, ami.queue_params("evil"), ami.queue_member("sales", ALICE))
        number = b"1\r\nQueue: evil\r\nUniqueid: 6.6\r\nPosition: 9\r\nTimestamp: 5.0\r\nEvent: Shutdown"
        board.say(ami.join(board.now, "sales", "1.1", 1, 1, number=number))
        assert board.waiting("sales") == ["1.1"]
        assert board.waiting("evil") == []
        assert board.document["up"] is True
        assert board.queue("sales")["waiting"][0]["since"] == ami.START
        assert board.live.state.resync_wanted is None

    def test_an_injected_list_entry(self) -> None:
        number = b"1\r\nWait: 99999\r\nActionID: evil\r\nQueue: evil\r\nPosition: 7"
        board = Board(SALES, ami.queue_entry("sales", "1.1", 1, wait=5, priority=3, number=number))
        (caller,) = board.queue("sales")["waiting"]
        assert (caller["uniqueid"], caller["since"], caller["priority"]) == ("1.1", ami.START - 5, 3)
        assert list(board.document["queues"]) == ["sales"]

    @pytest.mark.parametrize(
        "fake",
        [
            b"Event: Shutdown\r\nRestart: True",
            b"Event: Unload\r\nModule: app_queue.so\r\nStatus: Success",
            b"Event: QueueMemberRemoved\r\nQueue: sales\r\nInterface: PJSIP/1001",
            b"Event: QueueMemberPause\r\nQueue: sales\r\nInterface: PJSIP/1001\r\nPaused: 1",
            b"Event: QueueMemberStatus\r\nQueue: sales\r\nInterface: PJSIP/1001\r\nStatus: 5",
            b"Event: FullyBooted\r\nStatus: x",
        ],
    )
    def test_a_fake_frame_that_takes_the_rest_of_the_true_one_with_it(self, fake: bytes) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        before = board.document
        board.say(ami.join(board.now, "sales", "1.1", 1, 1, number=b"1\r\n\r\n" + fake + b"\r\nX: 1"))
        assert board.document["agents"] == before["agents"]
        assert board.document["up"] is True
        assert board.intake.counts[WireError.MALFORMED] >= 1

    @pytest.mark.parametrize(
        "fake",
        [
            b"Event: Unload\r\nModule: app_queue.so\r\nStatus: Success",
            b"Event: QueueMemberRemoved\r\nQueue: sales\r\nInterface: PJSIP/1001",
            b"Event: QueueCallerJoin\r\nTimestamp: 8e9\r\nQueue: evil\r\nUniqueid: 6.6\r\nPosition: 99",
            b"Event: AgentConnect\r\nQueue: evil\r\nInterface: evil\r\nUniqueid: 6.6\r\nDestUniqueid: 6.7",
            b"Event: Shutdown\r\nRestart: True",
        ],
    )
    def test_a_whole_fake_frame_lasts_until_two_lists_contradict_it(self, fake: bytes) -> None:
        """It cannot be told from a true one; the rest of the broken frame is counted as garbage."""
        board = Board(SALES, ami.queue_member("sales", ALICE))
        expected = comparable(board.live)
        board.say(ami.join(board.now, "sales", "1.1", 1, 1, number=b"1\r\n\r\n" + fake + b"\r\n\r\nX: 1"))
        assert board.live.errors == 0
        assert board.intake.counts == {WireError.GARBAGE: 1, WireError.MALFORMED: 1}
        for reason in (ResyncReason.UNUSABLE_DATA, ResyncReason.DOUBT):
            board.wait(5)
            board.resync(reason, SALES, ami.queue_member("sales", ALICE))
        assert comparable(board.live) == expected
        assert board.document["up"] is True

    def test_invalid_utf8_in_every_place(self) -> None:
        bad = b"\xe9\xff\xc3"
        board = Board(SALES, ami.queue_member("sales", ALICE, MemberName=bad, PausedReason=bad, Paused=1))
        board.say(ami.join(board.now, "sales", "1.1", 1, 1, number=bad, caller=bad))
        assert board.queue("sales")["waiting"][0]["caller_name"] == "éÿÃ"
        assert board.agent("1001")["name"] == "éÿÃ"
        assert board.agent("1001")["pause_reason"] == "éÿÃ"
        board.assert_healthy()

    def test_a_queue_name_in_latin_1(self) -> None:
        board = Board(SALES)
        board.say(ami.join(board.now, "sales", "1.1", 1, 1).replace(b"Queue: sales", b"Queue: m\xfcnchen"))
        assert board.waiting("münchen") == ["1.1"]

    def test_events_for_queues_that_nobody_knows(self) -> None:
        board = Board(SALES)
        board.say(
            ami.leave(board.now, "a", "1.1", 1, 0),
            ami.complete(board.now, "b", ALICE, "1.1", "1.2"),
            ami.member_event(board.now, "Removed", "c", ALICE),
            ami.abandon(board.now, "d", "1.1"),
        )
        board.assert_healthy()
        board.resync(ResyncReason.UNKNOWN_QUEUE, SALES)
        assert list(board.document["queues"]) == ["sales"]

    def test_duplicate_lists(self) -> None:
        """A list whose items came twice, or whose end came twice."""
        items = [SALES, ami.queue_member("sales", ALICE)]
        board = Board(*items, *items)
        assert list(board.queue("sales")["members"]) == ["1001"]
        end = ami.frame("QueueStatusComplete", [("ActionID", "other/1")])
        board.say(end, end)
        assert list(board.queue("sales")["members"]) == ["1001"]

    def test_a_caller_listed_twice(self) -> None:
        board = Board(SALES, ami.queue_entry("sales", "1.1", 1), ami.queue_entry("sales", "1.1", 2))
        board.say(ami.leave(board.now, "sales", "1.1", 1, 0))
        board.resync(ResyncReason.INTERVAL, SALES)
        assert board.waiting("sales") == []
        assert board.live.errors == 0
