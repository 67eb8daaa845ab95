"""Streams of the live state for people: each sees only his own, in order, and no reader holds up another."""

from __future__ import annotations

import copy
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.live.boards import Boards, Document
from asterpanel_control_api.live.event_stream import EndReason, EventStream, StreamSettings
from asterpanel_control_api.live.exporter_client import ExporterClient
from asterpanel_control_api.live.peer import prepare_for_stream
from asterpanel_control_api.live.server_sent_events import EventParser
from asterpanel_control_api.live.shared_view import Sight
from asterpanel_control_api.live.subscribers import Subscribers
from asterpanel_exporter.web.stream import StreamSettings as ExporterStreamSettings
from asterpanel_switchboard.merge_patch import apply_merge_patch
from tests.unit.test_web_support import Clock, Playback, exporter_of, pieces, recording, served, without_as_of
from tests.waiting import eventually

QUIET = StreamSettings(heartbeat_s=60.0, shutdown_s=0.5)


def state(**members: Any) -> dict[str, dict[str, Any]]:
    return {"milano": {"up": True, "as_of": 1.0, **members}}


def sight_of(key: str, *hidden: str, calls: list[str] | None = None) -> Sight:
    """What is left of a document without some of its members."""

    def show(document: Document) -> Document:
        if calls is not None:
            calls.append(key)
        return {name: value for name, value in document.items() if name not in hidden}

    return Sight(key, lambda: show)


ALL = sight_of("all")


def see_all() -> Sight:
    return ALL


@contextmanager
def subscribers(boards: Boards, limits: StreamSettings = QUIET) -> Iterator[Subscribers]:
    hub = Subscribers(boards, limits, jitter=lambda: 0.0)
    hub.start()
    try:
        yield hub
    finally:
        hub.close()


@contextmanager
def started(limits: StreamSettings = QUIET, **members: Any) -> Iterator[tuple[Boards, Subscribers]]:
    """Boards with one switchboard, and their subscribers."""
    boards = Boards()
    boards.replace(state(**members), {"milano": 2.0})
    with subscribers(boards, limits) as hub:
        yield boards, hub


class Client:
    """A browser: reads a stream, applies what it tells."""

    def __init__(self, stream: EventStream) -> None:
        self.stream = stream
        self.document: dict[str, Any] = {}
        self.kinds: list[str] = []
        self.data: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self._parser = EventParser(1 << 24)
        self._raw = b""

    def read(self) -> str:
        """Take what the stream gives next; the kind of its last event, or "" at the end."""
        kind = ""
        while not kind:
            data = next(self.stream, b"")
            if not data:
                return ""
            for line in data.split(b"\n"):
                self.ids += [line[4:].decode()] if line.startswith(b"id: ") else []
            for event in self._parser.feed(data):
                if event.data:
                    kind = event.kind
                    self._take(kind, json.loads(event.data))
        return kind

    def _take(self, kind: str, data: dict[str, Any]) -> None:
        self.kinds.append(kind)
        self.data.append(data)
        if kind == "snapshot":
            self.document = data
        elif kind == "patch":
            self.document = apply_merge_patch(self.document, data)

    def until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            assert self.read(), "the stream has ended"


class Reading(threading.Thread):
    """A client in a thread of its own, until the stream ends."""

    def __init__(self, stream: EventStream, pause_s: float = 0.0) -> None:
        super().__init__(daemon=True)
        self.client = Client(stream)
        self._pause_s = pause_s

    def run(self) -> None:
        while self.client.read():
            time.sleep(self._pause_s)


# --- what is told -----------------------------------------------------------------------------------------


def test_a_snapshot_then_patches_and_only_what_may_be_seen() -> None:
    with started(number=1, secret="a") as (boards, hub):
        client = Client(hub.subscribe("milano", "anna", lambda: sight_of("public", "secret")))
        client.read()
        assert client.kinds == ["snapshot", "heartbeat"]
        assert client.document == {"up": True, "as_of": 1.0, "number": 1}
        assert client.data[1].keys() == {"up", "as_of", "now", "age_s", "stale"}
        boards.patch({"milano": {"secret": "b", "as_of": 2.0}})
        boards.patch({"milano": {"number": 2, "as_of": 3.0}})
        assert client.read() == "patch"
        assert client.data[-1] == {"number": 2, "as_of": 3.0}
        boards.patch({"milano": {"number": None, "as_of": 4.0}})
        client.until(lambda: "number" not in client.document)
        client.stream.close()


def test_a_reader_who_sleeps_gets_one_difference_for_all_he_missed() -> None:
    with started(number=0, gone="x") as (boards, hub):
        slow = Client(hub.subscribe("milano", "anna", see_all))
        slow.read()
        quick = Reading(hub.subscribe("milano", "berta", see_all))
        quick.start()
        for number in range(1, 1001):
            boards.patch({"milano": {"number": number, "gone": None, f"n{number % 7}": number}})
        until(lambda: quick.client.document.get("number") == 1000)
        until(lambda: (shown := slow.stream.view.shown) and shown.document["number"] == 1000)
        slow.read()
        assert slow.kinds == ["snapshot", "heartbeat", "patch"]
        assert slow.document == quick.client.document == boards.document("milano")


def until(reached: Callable[[], object], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.002)


def test_readers_with_the_same_sight_share_the_filter_and_the_bytes() -> None:
    calls: list[str] = []
    with started(number=0) as (boards, hub):
        sights = [sight_of("a", calls=calls), sight_of("b", "number", calls=calls)]
        streams = [hub.subscribe("milano", f"p{i}", lambda i=i: sights[i % 2]) for i in range(40)]  # type: ignore[misc]
        snapshots = [[next(stream), next(stream)][1] for stream in streams]
        assert len(calls) == 2
        boards.patch({"milano": {"number": 1}})
        patches = [next(stream) for stream in streams[::2]]
        assert len(calls) == 4
        assert all(patch is patches[0] for patch in patches)
        assert len({snapshot.split(b"event: heartbeat")[0] for snapshot in snapshots}) == 2
        for stream in streams:
            stream.close()
        assert not hub.streams()


VALUES = st.recursive(
    st.integers(0, 3) | st.text(max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@settings(deadline=None, max_examples=60)
@given(
    documents=st.lists(DOCUMENTS, min_size=1, max_size=8),
    reads=st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_whenever_one_reads_one_has_what_may_be_seen(documents: list[Any], reads: list[bool]) -> None:
    boards = Boards()
    boards.replace(state(**documents[0]), {"milano": 1.0})
    hub = Subscribers(boards, QUIET)
    client = Client(hub.subscribe("milano", "anna", lambda: sight_of("x", "d")))
    client.read()
    for document, read in zip(documents, reads, strict=False):
        kept = copy.deepcopy(boards.document("milano"))
        before = boards.document("milano")
        boards.replace(state(**document), {"milano": 1.0})
        hub._update_all()
        assert before == kept
        shown = client.stream.view.shown
        assert shown is not None
        if read and shown.document != client.document:
            client.read()
            expected = {key: value for key, value in state(**document)["milano"].items() if key != "d"}
            assert client.document == expected
    client.stream.close()


# --- coming back ------------------------------------------------------------------------------------------


def test_who_comes_back_soon_gets_what_he_missed_and_else_a_snapshot() -> None:
    with started(number=0) as (boards, hub):
        client = Client(hub.subscribe("milano", "anna", see_all))
        client.read()
        boards.patch({"milano": {"number": 1}})
        client.read()
        client.stream.close()
        last_event_id = client.ids[-1]
        for number in (2, 3, 4):
            boards.patch({"milano": {"number": number}})
            until(lambda number=number: shown_number(hub) == number)  # type: ignore[misc]
        again = Client(hub.subscribe("milano", "anna", see_all, last_event_id=last_event_id))
        again.document = client.document
        again.read()
        assert again.kinds == ["patch", "patch", "patch", "heartbeat"]
        assert again.document == boards.document("milano")
        nothing = Client(hub.subscribe("milano", "anna", see_all, last_event_id=again.ids[-1]))
        nothing.read()
        assert nothing.kinds == ["heartbeat"]
        others = Client(
            hub.subscribe("milano", "anna", lambda: sight_of("other"), last_event_id=last_event_id)
        )
        others.read()
        assert others.kinds[0] == "snapshot"
        for wrong in ("", "x", "-", "1-1", last_event_id + "0", last_event_id.replace("-", "-9"), "9" * 5000):
            back = Client(hub.subscribe("milano", wrong or "none", see_all, last_event_id=wrong))
            back.read()
            assert back.kinds[0] == "snapshot", wrong


def shown_number(hub: Subscribers) -> Any:
    [group] = hub._groups.values()
    return None if group.view.shown is None else group.view.shown.document.get("number")


# --- rights -----------------------------------------------------------------------------------------------


def test_when_the_right_changes_nothing_more_is_told_of_before() -> None:
    rights: list[Sight | None] = [ALL]
    with started(number=1, secret="a") as (boards, hub):
        client = Client(hub.subscribe("milano", "anna", lambda: rights[0]))
        client.read()
        rights[0] = sight_of("less", "secret")
        hub.recheck()
        boards.patch({"milano": {"secret": "b"}})
        client.read()
        assert client.kinds[-2:] == ["snapshot", "heartbeat"]
        assert "secret" not in client.document
        rights[0] = None
        hub.recheck()
        boards.patch({"milano": {"number": 2}})
        assert client.read() == "end"
        assert client.data[-1] == {"reason": "right_ended"}
        assert client.read() == ""
        assert hub.ended[EndReason.RIGHT_ENDED] == 1
        assert client.document["number"] == 1


def test_a_right_that_ends_is_found_without_being_told() -> None:
    rights: list[Sight | None] = [ALL]
    with started(StreamSettings(check_s=0.05), number=1) as (_, hub):
        reading = Reading(hub.subscribe("milano", "anna", lambda: rights[0]))
        reading.start()
        rights[0] = None
        reading.join(5)
        assert reading.client.data[-1] == {"reason": "right_ended"}


def test_a_check_or_a_filter_that_fails_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    fail = threading.Event()

    def check() -> Sight:
        if fail.is_set():
            raise OSError("profiles.yml")
        return ALL

    def broken(document: Document) -> Document:
        if document["number"]:
            raise KeyError("member")
        return document

    with started(number=0) as (boards, hub):
        checked = Client(hub.subscribe("milano", "anna", check))
        filtered = Client(hub.subscribe("milano", "berta", lambda: Sight("broken", lambda: broken)))
        checked.read()
        filtered.read()
        boards.patch({"milano": {"number": 1}})
        assert filtered.read() == "end"
        assert filtered.data[-1] == {"reason": "internal"}
        with pytest.raises(KeyError):
            hub.subscribe("milano", "carla", lambda: Sight("broken too", lambda: broken))
        fail.set()
        checked.read()
        hub.recheck()
        assert checked.read() == "end"
        assert not filtered.read()
        assert not checked.read()
        assert not hub.streams()
    assert "cannot be filtered" in caplog.text


# --- limits -----------------------------------------------------------------------------------------------


def test_so_many_streams_for_one_and_for_all() -> None:
    limits = StreamSettings(max_streams=5, max_streams_per_person=2)
    with started(limits, number=1) as (_, hub):
        anna = [hub.subscribe("milano", "anna", see_all) for _ in range(2)]
        assert refusal(hub, "anna") is ErrorId.TOO_MANY_REQUESTS
        others = [hub.subscribe("milano", f"p{number}", see_all) for number in range(3)]
        assert refusal(hub, "berta") is ErrorId.TOO_MANY_STREAMS
        anna[0].close()
        anna[0].close()
        assert refusal(hub, "nobody", check=lambda: None) is ErrorId.FORBIDDEN
        assert refusal(hub, "nobody", switchboard="roma") is ErrorId.NO_STATE
        hub.subscribe("milano", "anna", see_all).close()
        assert len(hub.streams()) == 4
        for stream in [*anna, *others]:
            stream.close()


def refusal(
    hub: Subscribers, person: str, switchboard: str = "milano", check: Callable[[], Sight | None] = see_all
) -> ErrorId:
    with pytest.raises(ApiError) as refused:
        hub.subscribe(switchboard, person, check)
    return refused.value.id


def test_a_stream_has_its_time_and_then_asks_to_come_again() -> None:
    with started(StreamSettings(life_s=0.1), number=1) as (_, hub):
        reading = Reading(hub.subscribe("milano", "anna", see_all))
        reading.start()
        reading.join(5)
        assert reading.client.data[-1] == {"reason": "reconnect"}


def test_the_loss_of_the_exporter_is_told_at_once() -> None:
    with started(StreamSettings(heartbeat_s=10, check_s=10)) as (boards, hub):
        client = Client(hub.subscribe("milano", "anna", see_all))
        client.read()
        begun = time.monotonic()
        threading.Timer(0.05, boards.lost).start()
        client.until(lambda: client.data[-1]["stale"])
        assert time.monotonic() - begun < 8
        assert client.document == boards.document("milano")
        client.stream.close()


def test_staleness_is_told_at_once_and_heartbeats_go_on() -> None:
    boards = Boards(stale_after_s=0.15)
    boards.replace(state(number=1), {"milano": 2.0})
    with subscribers(boards, StreamSettings(heartbeat_s=0.5, check_s=0.05)) as hub:
        reading = Reading(hub.subscribe("milano", "anna", see_all))
        reading.start()
        begun = time.monotonic()
        until(lambda: reading.client.data[-1:] and reading.client.data[-1].get("stale"))
        assert time.monotonic() - begun < 0.45
        until(lambda: len(reading.client.kinds) >= 4)
        boards.heartbeat({"milano": 3.0}, {"milano": 4.0})
        until(lambda: reading.client.data[-1].get("stale") is False)


def test_a_switchboard_that_is_no_more_ends_its_streams() -> None:
    with started(number=1) as (boards, hub):
        client = Client(hub.subscribe("milano", "anna", see_all))
        client.read()
        boards.replace({}, {})
        assert client.read() == "end"
        assert client.data[-1] == {"reason": "no_state"}
        client.stream.close()
        boards.replace(state(number=2), {"milano": 2.0})
        again = Client(hub.subscribe("milano", "anna", see_all))
        again.read()
        assert again.document["number"] == 2


def test_a_reader_who_takes_nothing_is_cut_off() -> None:
    limits = StreamSettings(heartbeat_s=60.0, write_timeout_s=0.3)
    ours, his = socket.socketpair()
    failed: list[OSError] = []

    def serve(stream: EventStream) -> None:
        try:
            for data in stream:
                ours.sendall(data)
        except OSError as error:
            failed.append(error)
        finally:
            stream.close()

    with started(limits, number=0, text="x" * 100_000) as (boards, hub), ours, his:
        peer = prepare_for_stream({"gunicorn.socket": ours}, 5.0)
        thread = threading.Thread(target=serve, args=[hub.subscribe("milano", "anna", see_all, peer=peer)])
        thread.start()
        number = 0
        while thread.is_alive() and number < 1000:
            number += 1
            boards.patch({"milano": {"text": f"{number}" + "x" * 100_000}})
            thread.join(0.01)
        thread.join(5)
        assert isinstance(failed[0], BrokenPipeError)
        assert hub.ended == {EndReason.TOO_SLOW: 1}
    assert prepare_for_stream({}, 5.0) is None


def test_at_the_end_all_are_told() -> None:
    with started(StreamSettings(shutdown_s=5.0), number=1) as (_, hub):
        readings = [Reading(hub.subscribe("milano", f"p{number}", see_all)) for number in range(50)]
        for reading in readings:
            reading.start()
        until(lambda: all(reading.client.kinds for reading in readings))
        hub.close()
        for reading in readings:
            reading.join(5)
            assert reading.client.data[-1] == {"reason": "shutdown"}
        until(lambda: hub.ended == {EndReason.SHUTDOWN: 50})
        assert refusal(hub, "late") is ErrorId.TOO_MANY_STREAMS


def test_views_that_nobody_comes_back_for_are_forgotten() -> None:
    with started(StreamSettings(linger_s=0.05), number=1) as (_, hub):
        hub.subscribe("milano", "anna", see_all).close()
        until(lambda: not hub._groups)


# --- several threads --------------------------------------------------------------------------------------


def test_who_comes_takes_no_news_from_those_who_are_here() -> None:
    boards = Boards()
    boards.replace(state(number=1), {"milano": 2.0})
    hub = Subscribers(boards, StreamSettings(heartbeat_s=60.0, check_s=60.0))
    reading = Reading(hub.subscribe("milano", "anna", see_all))
    reading.start()
    until(lambda: is_waiting(reading))
    boards.patch({"milano": {"number": 2}})
    rights: list[Sight] = [sight_of("less", "number")]
    others = [hub.subscribe("milano", "berta", see_all), hub.subscribe("milano", "carla", lambda: rights[0])]
    until(lambda: reading.client.document["number"] == 2)
    boards.patch({"milano": {"number": 3}})
    rights[0] = ALL
    hub.recheck()
    next(others[1])
    until(lambda: is_waiting(reading))
    next(others[1])
    until(lambda: reading.client.document["number"] == 3)
    for stream in (*others, reading.client.stream):
        stream.end(EndReason.SHUTDOWN)
    reading.join(5)


def is_waiting(reading: Reading) -> bool:
    """Whether its stream has told all, and waits to be woken."""
    frame = sys._current_frames().get(reading.ident or 0)
    return frame is not None and frame.f_code is EventStream._wait.__code__


def test_a_right_that_ends_while_one_is_let_in_is_seen_at_once() -> None:
    rights: list[Sight | None] = [ALL]

    def check() -> Sight | None:
        right, rights[0] = rights[0], None
        hub.recheck()
        return right

    with started(number=1) as (_, hub):
        client = Client(hub.subscribe("milano", "anna", check))
        assert client.read() == "end"
        assert client.kinds == ["end"]


@pytest.mark.parametrize("after", [None, sight_of("less", "number")])
def test_nothing_is_told_that_came_about_after_the_right_to_it_ended(after: Sight | None) -> None:
    rights: list[Sight | None] = [ALL]
    armed = threading.Event()

    def monotonic() -> float:
        """Called for the heartbeat, when the patch before it has been made."""
        if armed.is_set():
            armed.clear()
            rights[0] = after
            hub.recheck()
        return 0.0

    boards = Boards(monotonic=monotonic)
    boards.replace(state(number=1), {"milano": 2.0})
    hub = Subscribers(boards, QUIET)
    client = Client(hub.subscribe("milano", "anna", lambda: rights[0]))
    client.read()
    boards.patch({"milano": {"number": 2}})
    hub._update_all()
    armed.set()
    client.read()
    assert client.kinds[2:] == (["end"] if after is None else ["snapshot", "heartbeat"])
    assert client.document.get("number") == (1 if after is None else None)
    client.stream.close()


def test_a_reader_with_much_to_read_leaves_nothing_behind() -> None:
    boards = Boards()
    boards.replace(state(number=0), {"milano": 2.0})
    hub = Subscribers(boards, QUIET)
    stream = hub.subscribe("milano", "anna", see_all)
    next(stream), next(stream)
    for number in range(1, 100):
        boards.patch({"milano": {"number": number}})
        hub._update_all()
        next(stream)
    assert stream._tokens.qsize() <= 1
    stream.close()


def test_a_filter_that_fails_is_told_once_and_tried_anew_for_who_comes_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fails = [False]

    def fragile(document: Document) -> Document:
        if fails[0]:
            raise KeyError("member")
        return document

    boards = Boards()
    boards.replace(state(number=0), {"milano": 2.0})
    hub = Subscribers(boards, QUIET)
    client = Client(hub.subscribe("milano", "anna", lambda: Sight("fragile", lambda: fragile)))
    client.read()
    fails[0] = True
    for number in range(1, 4):
        boards.patch({"milano": {"number": number}})
        hub._update_all()
    assert client.read() == "end"
    fails[0] = False
    again = Client(hub.subscribe("milano", "anna", lambda: Sight("fragile", lambda: fragile)))
    again.read()
    assert again.document["number"] == 3
    assert client.read() == ""
    again.stream.close()
    assert caplog.text.count("cannot be filtered") == 1


def test_a_switchboard_that_is_no_more_is_noticed_at_a_heartbeat_too() -> None:
    boards = Boards()
    boards.replace(state(number=0), {"milano": 2.0})
    hub = Subscribers(boards, StreamSettings(heartbeat_s=0.05, check_s=60.0))
    reading = Reading(hub.subscribe("milano", "anna", see_all))
    reading.start()
    boards.replace({}, {})
    reading.join(5)
    assert reading.client.data[-1] == {"reason": "no_state"}


def test_who_has_closed_his_connection_is_not_waited_for() -> None:
    ours, his = socket.socketpair()
    with started(StreamSettings(heartbeat_s=60.0), number=0) as (_, hub), ours:
        peer = prepare_for_stream({"gunicorn.socket": ours}, 5.0)
        assert peer is not None
        reading = Reading(hub.subscribe("milano", "anna", see_all, peer=peer))
        reading.start()
        his.sendall(b"what he sends does not matter")
        assert not peer.has_gone()
        assert not ours.recv(100).startswith(b"!")
        assert not peer.has_gone()
        his.close()
        until(lambda: hub.ended == {EndReason.CLOSED: 1})
        reading.join(5)
    assert peer.has_gone()


def test_readers_come_and_go_and_rights_change_while_everything_moves() -> None:
    """Whatever the threads do to each other, all readers end with what they may see."""
    rights = [ALL, sight_of("less", "number"), sight_of("none", "number", "text")]
    mine = {f"p{number}": number % 3 for number in range(12)}
    stop = threading.Event()

    def follow(person: str) -> None:
        last_event_id = ""
        document: dict[str, Any] = {}
        while not stop.is_set():
            client = Client(
                hub.subscribe("milano", person, lambda: rights[mine[person]], last_event_id=last_event_id)
            )
            client.document = document
            for _ in range(5):
                client.read()
            client.stream.close()
            last_event_id, document = client.ids[-1] if client.ids else last_event_id, client.document
        client = Client(
            hub.subscribe("milano", person, lambda: rights[mine[person]], last_event_id=last_event_id)
        )
        client.document = document
        client.read()
        ended[person] = client.document
        client.stream.close()

    ended: dict[str, dict[str, Any]] = {}
    with started(StreamSettings(heartbeat_s=0.02, check_s=60.0), number=0, text="") as (boards, hub):
        threads = [threading.Thread(target=follow, args=[person]) for person in mine]
        for thread in threads:
            thread.start()
        for number in range(1, 400):
            boards.patch({"milano": {"number": number, "text": f"{number}", f"n{number % 5}": number}})
            if number % 10 == 0:
                mine[f"p{number % 12}"] = (mine[f"p{number % 12}"] + 1) % 3
                hub.recheck()
            time.sleep(0.001)
        stop.set()
        for thread in threads:
            thread.join(20)
        expected = boards.document("milano") or {}
        for person, document in ended.items():
            assert document == rights[mine[person]].new_filter()(expected), person
        assert len(ended) == len(mine)
        assert not hub.streams()


# --- from the exporter to fifty readers -------------------------------------------------------------------


async def test_fifty_readers_of_the_real_exporter_all_end_up_with_the_same() -> None:
    clock, boards = Clock(), Boards()
    exporter = exporter_of(clock=clock)
    live = exporter.switchboards["milano"]
    live.connected("11.0.0")
    playback = Playback(live, clock)
    quick = ExporterStreamSettings(interval_s=0.005, heartbeat_s=0.1)
    sights = [ALL, sight_of("no agents", "agents"), sight_of("no queues", "queues")]
    async with served(exporter, quick) as session:
        client = ExporterClient(str(session._base_url), None, boards)
        client.start()
        await eventually(lambda: boards.document("milano"))
        with subscribers(boards, StreamSettings(heartbeat_s=0.2)) as hub:
            readings = [
                Reading(
                    hub.subscribe("milano", f"p{number}", lambda number=number: sights[number % 3]),  # type: ignore[misc]
                    pause_s=0.05 if number % 10 == 0 else 0.0,
                )
                for number in range(50)
            ]
            for reading in readings:
                reading.start()
            for piece in pieces(recording("asterisk-22/two_queues_same_call"), seed=3):
                playback.play(piece)
                await eventually(lambda: client.connected)
            expected = live.document(clock())

            def all_have_it() -> bool:
                return all(
                    without_as_of({"": reading.client.document})
                    == without_as_of({"": dict(sights[number % 3].new_filter()(expected))})
                    for number, reading in enumerate(readings)
                )

            await eventually(all_have_it, within=20)
        client.stop()
    for reading in readings:
        reading.join(5)
        revisions = [int(event_id.partition("-")[2]) for event_id in reading.client.ids]
        assert revisions == sorted(set(revisions)), "in order, and none twice"
        assert reading.client.kinds.count("snapshot") == 1
