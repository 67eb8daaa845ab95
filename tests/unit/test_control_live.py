"""The control API's copy of the live state: as the exporter has it, through cuts and restarts, and never
changed under whoever reads it."""

from __future__ import annotations

import asyncio
import copy
import logging
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from asterpanel_control_api.live.boards import Boards
from asterpanel_control_api.live.exporter_client import ExporterClient, ExporterUnavailable
from asterpanel_control_api.live.server_sent_events import (
    EventParser,
    EventTooLarge,
    ServerSentEvent,
    encode_event,
)
from asterpanel_exporter.web.stream import StreamSettings
from tests.exporter_process import free_port
from tests.unit.test_web_support import (
    HOSTILE_NAMES,
    NOW,
    OPEN,
    Clock,
    MemberLine,
    Playback,
    exporter_of,
    join,
    log_in,
    pieces,
    recording,
    served,
    without_as_of,
)
from tests.waiting import eventually

QUICK = StreamSettings(interval_s=0.005, heartbeat_s=0.1)
TOKEN = "state-token-of-the-tests"


@contextmanager
def reading(
    url: object, boards: Boards, token: str | None = None, silence_s: float = 5.0
) -> Iterator[ExporterClient]:
    """A client that runs."""
    client = ExporterClient(str(url), SecretStr(token) if token else None, boards, silence_s=silence_s)
    client.start()
    try:
        yield client
    finally:
        client.stop()


def documents(boards: Boards) -> dict[str, Any]:
    return without_as_of({name: dict(boards.document(name) or {}) for name in boards.names()})


# --- with the real exporter -------------------------------------------------------------------------------


async def test_the_copy_is_what_the_exporter_has_and_given_documents_never_change() -> None:
    clock = Clock()
    exporter = exporter_of("milano", "torino", clock=clock)
    live = exporter.switchboards["milano"]
    log_in(exporter.switchboards["torino"], {"billing": [MemberLine("Alice", "1001")]})
    live.connected("11.0.0")
    playback, boards, given_out = Playback(live, clock), Boards(), []

    def in_step() -> bool:
        return documents(boards) == without_as_of(
            {name: board.document(clock()) for name, board in exporter.switchboards.items()}
        )

    async with served(exporter, QUICK) as session:
        with reading(session._base_url, boards) as client:
            for piece in pieces(recording("asterisk-22/member_actions"), seed=7):
                playback.play(piece)
                await eventually(in_step)
                document = boards.document("milano")
                given_out.append((document, copy.deepcopy(document)))
            assert client.connected
    assert all(document == kept for document, kept in given_out)
    revisions = {id(document) for document, _ in given_out}
    assert len(revisions) > 5


async def test_a_restart_of_the_exporter_is_told_as_age_and_then_made_good() -> None:
    listen = {**OPEN, "listen": f"127.0.0.1:{free_port()}"}
    exporter, boards = exporter_of(exporter=listen), Boards(stale_after_s=0.3)
    log_in(exporter.switchboards["milano"], {"billing": [MemberLine("Alice", "1001")]})
    with reading(f"http://{listen['listen']}", boards) as client:
        await eventually(lambda: "Cannot connect" in client.problem)
        assert boards.document("milano") is None
        assert boards.freshness("milano") is None
        async with served(exporter, QUICK):
            await eventually(lambda: client.connected)
            fresh = boards.freshness("milano")
            assert fresh is not None
            assert (fresh.up, fresh.stale) == (True, False)
            assert fresh.now == pytest.approx(NOW, abs=0.3)
            revision = boards.revision("milano")
        await eventually(lambda: (fresh := boards.freshness("milano")) and fresh.stale)
        assert not client.connected
        document = boards.document("milano")
        assert document is not None
        assert "billing" in document["queues"]
        async with served(exporter, QUICK):
            await eventually(lambda: client.connected)
            fresh = boards.freshness("milano")
            assert fresh is not None
            assert not fresh.stale
            assert boards.revision("milano") == revision, "nothing had changed"
        exporter = exporter_of("roma", exporter=listen)
        async with served(exporter, QUICK):
            await eventually(lambda: boards.names() == ("roma",))
    assert client.problem == "stopped"


async def test_a_cut_off_state_is_stale_at_once_and_live_again_when_told_again() -> None:
    listen = {**OPEN, "listen": f"127.0.0.1:{free_port()}"}
    exporter, boards, losses = exporter_of(exporter=listen), Boards(), []
    boards.on_loss(lambda: losses.append(boards.current("milano")))
    log_in(exporter.switchboards["milano"], {"billing": [MemberLine("Alice", "1001")]})
    with reading(f"http://{listen['listen']}", boards) as client:
        for _ in range(2):
            async with served(exporter, QUICK):
                await eventually(lambda: boards.current("milano"))
                assert client.connected
            await eventually(lambda: not boards.current("milano"))
            fresh = boards.freshness("milano")
            assert fresh is not None
            assert (fresh.stale, fresh.age_s < 10) == (True, True)
            assert boards.document("milano") is not None
    assert losses == [None, None]


async def test_hostile_names_arrive_as_they_are() -> None:
    exporter, boards = exporter_of(), Boards()
    live = exporter.switchboards["milano"]
    log_in(live, {"billing": [MemberLine("Alice", "1001")]})

    def names() -> list[str]:
        document = boards.document("milano") or {}
        return [caller["caller_name"] for caller in document["queues"]["billing"]["waiting"]]

    async with served(exporter, QUICK) as session:
        with reading(session._base_url, boards):
            await eventually(lambda: boards.document("milano"))
            for number, name in enumerate(HOSTILE_NAMES):
                join(live, "billing", f"1.{number}", NOW + number, name=name)
            await eventually(lambda: names() == list(HOSTILE_NAMES))


async def test_a_wrong_token_is_told_once_and_no_token_ever(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    exporter, boards = exporter_of(exporter={"state_token": TOKEN}), Boards()
    async with served(exporter, QUICK) as session:
        with reading(session._base_url, boards, "quite-another-one") as client:
            await eventually(lambda: "token_wrong" in client.problem)
            assert "exporter_token_file" in client.problem
        with reading(session._base_url, boards, TOKEN) as client:
            await eventually(lambda: client.connected)
            answer = await asyncio.to_thread(client.post, "/actions", {})
            assert (answer.status, answer.error.partition(":")[0]) == (422, "invalid_request")
    assert caplog.text.count("it refuses us") == 1
    assert TOKEN not in caplog.text
    assert "quite-another-one" not in caplog.text


# --- with something else in its place ---------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
SNAPSHOT = encode_event(
    "snapshot", {"switchboards": {"milano": {"up": True, "as_of": 1.0}}, "now": {"milano": 2.0}}
)


@contextmanager
def talking(answer: bytes, hold_s: float = 0.0) -> Iterator[str]:
    """A server that answers each connection with these bytes, and closes it."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            self.wfile.write(answer)
            time.sleep(hold_s)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (HEAD + SNAPSHOT, "ended its stream"),
        (HEAD + SNAPSHOT + b"event: patch\ndata: {\n\n", "cannot be understood"),
        (HEAD + SNAPSHOT + encode_event("patch", {"switchboards": []}), "cannot be understood"),
        (HEAD + encode_event("patch", {"switchboards": {}}), "before any"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "no exporter"),
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", "status 302"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "status 503"),
        (b"no HTTP at all\r\n\r\n", "Bad status line"),
    ],
)
async def test_whatever_answers_there_is_told_and_left(answer: bytes, words: str) -> None:
    with talking(answer) as url, reading(url, Boards()) as client:
        await eventually(lambda: words in client.problem)


async def test_a_silent_stream_is_left() -> None:
    boards = Boards()
    with talking(HEAD + SNAPSHOT, hold_s=0.5) as url, reading(url, boards, silence_s=0.2) as client:
        for _ in range(2):
            await eventually(lambda: boards.current("milano"))
            await eventually(lambda: not boards.current("milano"))
            assert "imeout" in client.problem
        assert boards.document("milano") == {"up": True, "as_of": 1.0}


def test_requests_fail_with_words_where_nobody_answers() -> None:
    boards = Boards()
    client = ExporterClient("http://127.0.0.1:9", None, boards)
    with pytest.raises(ExporterUnavailable, match="does not run"):
        client.post("/actions", {})
    with reading("http://127.0.0.1:9", boards) as client, pytest.raises(ExporterUnavailable, match="connect"):
        client.post("/actions", {})
    with pytest.raises(ExporterUnavailable):
        client.post("/actions", {})


# --- waiting ----------------------------------------------------------------------------------------------


def board(number: int) -> dict[str, dict[str, Any]]:
    return {"milano": {"up": True, "as_of": float(number), "number": number}}


def test_waiting_for_what_is_so_already_and_for_what_never_comes() -> None:
    boards = Boards()
    assert not boards.wait_until("milano", lambda _: True, 0.01)
    boards.replace(board(1), {"milano": 1.0})
    assert boards.wait_until("milano", lambda document: document["number"] == 1, 0.0)
    assert not boards.wait_until("milano", lambda document: document["number"] == 2, 0.05)


def test_a_document_counts_only_while_it_is_live() -> None:
    boards = Boards()
    boards.replace(board(1), {"milano": 1.0})
    boards.lost()
    assert not boards.wait_until("milano", lambda _: True, 0.01)
    threading.Timer(0.05, boards.replace, [board(1), {"milano": 1.0}]).start()
    assert boards.wait_until("milano", lambda _: True, 10.0), "the same again, and live"
    boards.patch({"milano": {"up": False}})
    assert not boards.wait_until("milano", lambda _: True, 0.01)
    assert boards.document("milano") is not None


def test_many_wait_while_one_tells() -> None:
    boards, seen = Boards(), []

    def wait(number: int) -> None:
        seen.append(boards.wait_until("milano", lambda document: document["number"] >= number, 10.0))

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    boards.replace(board(0), {"milano": 1.0})
    for number in range(1, 20):
        boards.patch({"milano": {"number": number}, "unknown": {"number": 1}})
    for thread in threads:
        thread.join(10)
    assert seen == [True] * 20
    assert boards.names() == ("milano",)


def test_heartbeats_tell_times_and_are_no_change() -> None:
    clock = Clock(100.0)
    boards = Boards(stale_after_s=15.0, monotonic=clock)
    boards.replace(board(1), {"milano": 5000.0})
    revision, document = boards.revision("milano"), boards.document("milano")
    clock.now += 20
    fresh = boards.freshness("milano")
    assert fresh is not None
    assert (fresh.stale, fresh.age_s, fresh.now) == (True, 20.0, 5020.0)
    boards.heartbeat({"milano": 7.0}, {"milano": 5021.0})
    fresh = boards.freshness("milano")
    assert fresh is not None
    assert (fresh.stale, fresh.as_of, fresh.now) == (False, 7.0, 5021.0)
    assert boards.revision("milano") == revision
    assert document == board(1)["milano"]
    assert boards.now("milano") == 5021.0


# --- server-sent events -----------------------------------------------------------------------------------

DATA = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=4)


@settings(deadline=None)
@given(events=st.lists(st.tuples(st.sampled_from(["patch", "snapshot"]), DATA), max_size=5), data=st.data())
def test_events_are_the_same_however_they_are_cut(events: list[tuple[str, Any]], data: st.DataObject) -> None:
    encoded = b": a comment\n\n" + b"".join(encode_event(kind, value, "x-1") for kind, value in events)
    parser, parsed = EventParser(1 << 20), list[ServerSentEvent]()
    while encoded:
        size = data.draw(st.integers(1, len(encoded)))
        parsed += parser.feed(encoded[:size])
        encoded = encoded[size:]
    expected = [*EventParser(1 << 20).feed(b"".join(encode_event(kind, value) for kind, value in events))]
    assert [event for event in parsed if event.data] == expected
    assert [event.kind for event in expected] == [kind for kind, _ in events]


def test_an_event_without_an_end_is_too_large() -> None:
    parser = EventParser(100)
    assert list(parser.feed(b"data: " + b"x" * 50)) == []
    with pytest.raises(EventTooLarge, match="100 bytes"):
        list(parser.feed(b"x" * 60))
