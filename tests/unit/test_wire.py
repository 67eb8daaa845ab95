"""Framing: any bytes, in any pieces, within any limit."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_switchboard.wire import MAX_FRAME_BYTES, FrameSplitter, decode, event_name, frames_of
from tests.traces import ALL, recording

LIMIT = 60

pieces_of_streams = st.lists(
    st.sampled_from(
        [
            b"Asterisk Call Manager/11.0.0\r\n",
            b"Asterisk Call Manager/" + b"9" * LIMIT,
            b"Event: Hangup\r\nUniqueid: 1.1\r\n\r\n",
            b"\r\n",
            b"\r\n\r\n",
            b"\r",
            b"\n",
            b"x" * (LIMIT - 1),
            b"x" * LIMIT,
            b"x" * (LIMIT + 1),
            b"y" * 3 * LIMIT,
        ]
    )
    | st.binary(max_size=20),
    max_size=12,
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(bounds)]


def fed(splitter: FrameSplitter, chunks: list[bytes]) -> list[bytes]:
    return [frame for chunk in chunks for frame in splitter.feed(chunk)]


class TestFrames:
    def test_greeting_and_frames(self) -> None:
        splitter = FrameSplitter()
        frames = splitter.feed(
            b"Asterisk Call Manager/5.0.4\r\nResponse: Success\r\n\r\nEvent: A\r\nB: c\r\n\r\nEv"
        )
        assert splitter.greeting == "5.0.4"
        assert frames == [b"Response: Success", b"Event: A\r\nB: c"]
        assert splitter.pending_bytes == 2

    def test_no_greeting(self) -> None:
        splitter = FrameSplitter()
        assert splitter.feed(b"Event: A\r\n\r\n") == [b"Event: A"]
        assert splitter.greeting is None

    def test_another_protocols_greeting_is_no_greeting(self) -> None:
        splitter = FrameSplitter()
        assert splitter.feed(b"SSH-2.0-OpenSSH_9.2\r\n") == []
        assert splitter.greeting is None

    @pytest.mark.parametrize("place", range(40))
    def test_greeting_cut_anywhere(self, place: int) -> None:
        splitter = FrameSplitter()
        data = b"Asterisk Call Manager/11.0.0\r\nEvent: A\r\n\r\n"
        assert fed(splitter, [data[:place], data[place:]]) == [b"Event: A"]
        assert splitter.greeting == "11.0.0"

    def test_stray_line_ends_and_bare_line_feeds(self) -> None:
        """As after QueueRule and after CallStarted of an Agents list."""
        data = b"Event: QueueRule\r\nX: 1\r\n\r\n\r\nEvent: Agents\r\nCallStarted: 0\n\r\nY: 2\r\n\r\n"
        first, second = FrameSplitter().feed(data)
        assert event_name(first) == b"QueueRule"
        assert event_name(second) == b"Agents"

    def test_a_whole_recording(self) -> None:
        assert list(frames_of(b"Event: A\r\n\r\nEvent: B\r\n\r\n")) == [b"Event: A", b"Event: B"]


class TestAnyPieces:
    @given(pieces_of_streams, st.lists(st.integers(0, 10**6), max_size=12))
    def test_the_pieces_do_not_matter(self, pieces: list[bytes], places: list[int]) -> None:
        """Nor at the limit: what is too long is too long however it arrives."""
        data = b"".join(pieces)
        whole, cut_up = FrameSplitter(LIMIT), FrameSplitter(LIMIT)
        assert fed(cut_up, cut(data, places)) == fed(whole, [data])
        assert (cut_up.greeting, cut_up.oversized) == (whole.greeting, whole.oversized)

    @given(pieces_of_streams)
    def test_byte_by_byte(self, pieces: list[bytes]) -> None:
        data = b"".join(pieces)
        whole, bytewise = FrameSplitter(LIMIT), FrameSplitter(LIMIT)
        assert fed(bytewise, [bytes([byte]) for byte in data]) == fed(whole, [data])
        assert (bytewise.greeting, bytewise.oversized) == (whole.greeting, whole.oversized)

    @pytest.mark.parametrize("name", ALL)
    def test_each_recording_cut_once_at_each_of_200_places(self, name: str) -> None:
        data = recording(name)[:100_000]
        expected = FrameSplitter().feed(data)
        random_places = random.Random(name)
        for place in (random_places.randrange(len(data)) for _ in range(200)):
            assert fed(FrameSplitter(), [data[:place], data[place:]]) == expected, place


class TestLimit:
    def test_a_frame_over_the_limit_is_skipped_and_the_next_one_read(self) -> None:
        splitter = FrameSplitter(LIMIT)
        assert splitter.feed(b"Event: A\r\n" + b"x" * LIMIT + b"\r\n\r\nEvent: B\r\n\r\n") == [b"Event: B"]
        assert splitter.oversized == 1

    def test_a_frame_at_the_limit_is_read_in_any_pieces(self) -> None:
        data = b"x" * LIMIT + b"\r\n\r\n"
        for place in range(len(data)):
            splitter = FrameSplitter(LIMIT)
            assert fed(splitter, [data[:place], data[place:]]) == [b"x" * LIMIT], place
            assert splitter.oversized == 0

    @given(st.lists(st.binary(max_size=3 * LIMIT), max_size=40))
    def test_memory_is_bounded(self, chunks: list[bytes]) -> None:
        splitter = FrameSplitter(LIMIT)
        for chunk in chunks:
            splitter.feed(chunk)
            assert splitter.pending_bytes < LIMIT + 4

    def test_endless_garbage_counts_as_one_frame(self) -> None:
        splitter = FrameSplitter()
        for _ in range(50):
            assert splitter.feed(b"\xff" * 65536) == []
            assert splitter.pending_bytes <= MAX_FRAME_BYTES + 4
        assert splitter.oversized == 1
        assert splitter.feed(b"\r\n\r\nEvent: A\r\n\r\n") == [b"Event: A"]

    def test_an_endless_greeting_is_not_kept(self) -> None:
        splitter = FrameSplitter(1000)
        for _ in range(100):
            splitter.feed(b"Asterisk Call Manager/")
            assert splitter.pending_bytes < 1100


class TestText:
    @pytest.mark.parametrize(
        ("data", "text"),
        [
            ("Zoé".encode(), "Zoé"),
            ("Zoé".encode("latin-1"), "Zoé"),
            (b"caff\xe8 \xe2\x82\xac", "caffè €"),
            (b"\xff\xfe", "ÿþ"),
            (b"cut \xe2\x82", "cut â\x82"),
            (b"\xed\xa0\x80", "í\xa0\x80"),
        ],
    )
    def test_nothing_is_lost(self, data: bytes, text: str) -> None:
        assert decode(data) == text

    @given(st.binary())
    def test_any_bytes_are_text_that_can_be_written(self, data: bytes) -> None:
        decode(data).encode()

    @given(st.text())
    def test_utf8_is_read_as_it_is(self, text: str) -> None:
        assert decode(text.encode("utf-8", "replace")) == text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        (b"Event: Hangup\r\nX: 1", b"Hangup"),
        (b"Event: Hangup", b"Hangup"),
        (b"\r\nEvent: Hangup\r\nX: 1", b"Hangup"),
        (b"\r\n\r\n\r\nEvent: Hangup", b"Hangup"),
        (b"Response: Success", None),
        (b"X: 1\r\nEvent: Hangup", None),
        (b"event: Hangup", None),
        (b"", None),
        (b"\r\n", None),
    ],
)
def test_event_name(frame: bytes, name: bytes | None) -> None:
    assert event_name(frame) == name
