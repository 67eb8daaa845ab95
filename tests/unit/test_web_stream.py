"""/state/stream: snapshot and patches make the document, one rendering serves all, nobody piles up."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.web.app import BROADCASTER, create_app
from asterpanel_exporter.web.stream import Broadcaster, Reader, StreamSettings, TooManyStreams
from tests.unit.test_web_support import (
    HOSTILE_NAMES,
    NOW,
    Clock,
    MemberLine,
    Playback,
    StreamClient,
    answer_call,
    exporter_of,
    exposition,
    feed,
    frame,
    join,
    leave,
    log_in,
    pieces,
    recording,
    served,
    without_as_of,
)
from tests.waiting import eventually

QUICK = StreamSettings(interval_s=0.005, heartbeat_s=60.0)
RECORDINGS = [
    "asterisk-16/blind_transfer_to_other_queue",
    "asterisk-22/attended_transfer_dtmf",
    "asterisk-22/member_actions",
    "asterisk-22/module_unload_load",
    "asterisk-22/reload_during_call",
    "asterisk-22/two_queues_same_call",
]


def call_centre(live: LiveSwitchboard) -> None:
    """A switchboard that is up, with one queue of two."""
    log_in(live, {"billing": [MemberLine("Alice", "1001"), MemberLine("Bob", "1002")]})


# --- what is told ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECORDINGS)
async def test_snapshot_and_patches_make_the_document(name: str) -> None:
    clock = Clock()
    exporter = exporter_of("milano", "torino", clock=clock)
    live = exporter.switchboards["milano"]
    call_centre(exporter.switchboards["torino"])
    live.connected("11.0.0")
    playback = Playback(live, clock)

    def in_step() -> bool:
        documents = {key: board.document(clock()) for key, board in exporter.switchboards.items()}
        return without_as_of(stream.documents) == without_as_of(documents)

    async with served(exporter, QUICK) as client, client.get("/state/stream") as response:
        stream = StreamClient(response)
        await stream.step()
        for number, piece in enumerate(pieces(recording(name), seed=3)):
            playback.play(piece)
            if number % 5 == 0:
                await stream.until(in_step)
        await stream.until(in_step)
    assert stream.kinds[0] == "snapshot"
    assert set(stream.kinds[1:]) == {"patch"}


async def test_a_reader_who_comes_later_is_told_the_same() -> None:
    clock = Clock()
    exporter = exporter_of(clock=clock)
    live = exporter.switchboards["milano"]
    live.connected("11.0.0")
    playback = Playback(live, clock)
    cut = pieces(recording("asterisk-22/ringall_answered_elsewhere"), seed=5)
    async with served(exporter, QUICK) as client, client.get("/state/stream") as first_response:
        first = StreamClient(first_response)
        await first.step()
        for piece in cut[: len(cut) // 2]:
            playback.play(piece)
        async with client.get("/state/stream") as second_response:
            second = StreamClient(second_response)
            assert (await second.step()).kind == "snapshot"
            for piece in cut[len(cut) // 2 :]:
                playback.play(piece)
            expected = without_as_of({"milano": live.document(clock())})
            for stream in (first, second):
                await stream.until(lambda stream=stream: without_as_of(stream.documents) == expected)  # type: ignore[misc]


async def test_patches_hold_only_what_changed_and_the_new_as_of() -> None:
    exporter = exporter_of("milano", "torino")
    live = exporter.switchboards["milano"]
    call_centre(live)
    call_centre(exporter.switchboards["torino"])
    async with served(exporter, QUICK) as client, client.get("/state/stream") as response:
        stream = StreamClient(response)
        snapshot = await stream.step()
        assert snapshot.data["now"] == {"milano": NOW, "torino": NOW}
        assert snapshot.data["switchboards"].keys() == {"milano", "torino"}
        join(live, "billing", "1.1", NOW + 7)
        patch = await stream.step()
        assert patch.kind == "patch"
        assert patch.id > snapshot.id
        assert patch.data == {
            "switchboards": {
                "milano": {
                    "as_of": NOW + 7,
                    "queues": {
                        "billing": {
                            "offered": 1,
                            "waiting": [
                                {
                                    "uniqueid": "1.1", "channel": "PJSIP/peer-1.1",
                                    "caller": "390551001", "caller_name": "Anna Rossi", "position": 1,
                                    "since": NOW + 7,
                                }
                            ],
                        }
                    },
                }
            }
        }  # fmt: skip


async def test_only_the_wanted_switchboards_are_told_and_rendered() -> None:
    exporter = exporter_of("milano", "roma", "torino")
    for live in exporter.switchboards.values():
        call_centre(live)
    app_streams = "/state/stream?switchboard=torino&switchboard=milano&switchboard=torino"
    async with served(exporter, QUICK) as client, client.get(app_streams) as response:
        stream = StreamClient(response)
        assert (await stream.step()).data["switchboards"].keys() == {"milano", "torino"}
        join(exporter.switchboards["roma"], "billing", "1.1", NOW + 1)
        join(exporter.switchboards["torino"], "billing", "1.2", NOW + 2)
        assert (await stream.step()).data["switchboards"].keys() == {"torino"}


async def test_as_of_alone_is_no_patch_but_a_new_snapshot_and_a_heartbeat_tell_it() -> None:
    exporter = exporter_of()
    live = exporter.switchboards["milano"]
    call_centre(live)
    settings = StreamSettings(interval_s=0.005, heartbeat_s=0.2)
    async with served(exporter, settings) as client, client.get("/state/stream") as response:
        stream = StreamClient(response)
        await stream.step()
        live.pong(NOW + 5, NOW, 0.0)
        async with client.get("/state/stream") as later_response:
            later = StreamClient(later_response)
            await later.step()
            assert later.documents["milano"]["as_of"] == NOW + 5
            for reader in (stream, later):
                heartbeat = await reader.step()
                assert heartbeat.kind == "heartbeat"
                assert heartbeat.data == {
                    "as_of": {"milano": NOW + 5}, "up": {"milano": True}, "now": {"milano": NOW + 5},
                }  # fmt: skip
            live.disconnected("eof")
            patch = await stream.step()
            assert patch.data["switchboards"] == {"milano": {"up": False, "as_of": NOW + 5}}
            await stream.step()
            assert (await stream.step()).data["up"] == {"milano": False}


async def test_the_end_of_a_wrap_up_is_told_though_no_event_comes() -> None:
    clock = Clock()
    exporter = exporter_of(clock=clock)
    live = exporter.switchboards["milano"]
    call_centre(live)
    live.state.set_wrapup(live.state.agents["1001"], NOW + 30, NOW)
    async with served(exporter, QUICK) as client, client.get("/state/stream") as response:
        stream = StreamClient(response)
        await stream.step()
        assert stream.documents["milano"]["agents"]["1001"]["state"] == "wrapup"
        clock.now += 31
        await stream.until(lambda: bool(stream.documents["milano"]["agents"]["1001"]["state"] == "idle"))
        assert "wrapup_until" not in stream.documents["milano"]["agents"]["1001"]


async def test_hostile_names_cannot_forge_events() -> None:
    exporter = exporter_of()
    live = exporter.switchboards["milano"]
    call_centre(live)
    async with served(exporter, QUICK) as client, client.get("/state/stream") as response:
        stream = StreamClient(response)
        await stream.step()
        for number, name in enumerate(HOSTILE_NAMES):
            join(live, "billing", f"1.{number}", NOW + number, name=name, number=name)
        await stream.until(
            lambda: len(stream.documents["milano"]["queues"]["billing"]["waiting"]) == len(HOSTILE_NAMES)
        )
        waiting = stream.documents["milano"]["queues"]["billing"]["waiting"]
        assert [caller["caller_name"] for caller in waiting] == list(HOSTILE_NAMES)


# --- what it costs --------------------------------------------------------------------------------------


@asynccontextmanager
async def broadcasting(
    boards: dict[str, LiveSwitchboard], settings: StreamSettings = QUICK
) -> AsyncIterator[Broadcaster]:
    """A broadcaster without a server."""
    broadcaster = Broadcaster(boards, Clock(), settings)
    try:
        yield broadcaster
    finally:
        await broadcaster.close()


async def test_one_rendering_and_one_encoding_serve_all() -> None:
    boards = exporter_of("milano", "torino").switchboards
    for live in boards.values():
        call_centre(live)
    async with broadcasting(boards) as broadcaster:
        readers = [broadcaster.subscribe(boards) for _ in range(20)]
        snapshots = await asyncio.gather(*(reader.next() for reader in readers))
        assert all(snapshot is snapshots[0] for snapshot in snapshots)
        assert broadcaster.renderings == 2
        join(boards["milano"], "billing", "1.1", NOW + 1)
        patches = await asyncio.gather(*(reader.next() for reader in readers))
        assert all(patch is patches[0] for patch in patches)
        assert broadcaster.renderings == 3


async def test_changes_within_the_interval_are_one_patch() -> None:
    boards = exporter_of().switchboards
    call_centre(boards["milano"])
    async with broadcasting(boards, StreamSettings(interval_s=0.1)) as broadcaster:
        reader = broadcaster.subscribe(boards)
        await reader.next()
        loop = asyncio.get_running_loop()
        begun, patches = loop.time(), 0
        for number in range(60):
            join(boards["milano"], "billing", f"1.{number}", NOW + number)
            await asyncio.sleep(0.01)
        try:
            while True:
                async with asyncio.timeout(0.3):
                    await reader.next()
                    patches += 1
        except TimeoutError:
            pass
        assert 2 <= patches <= (loop.time() - begun) / 0.1 + 1


async def test_without_readers_nothing_is_done() -> None:
    boards = exporter_of().switchboards
    call_centre(boards["milano"])
    async with broadcasting(boards) as broadcaster:
        assert not broadcaster.running
        reader = broadcaster.subscribe(boards)
        await reader.next()
        broadcaster.unsubscribe(reader)
        await eventually(lambda: not broadcaster.running)
        rendered = broadcaster.renderings
        join(boards["milano"], "billing", "1.1", NOW + 1)
        again = broadcaster.subscribe(boards)
        snapshot = await again.next()
        assert snapshot is not None
        assert b'"1.1"' in snapshot
        assert broadcaster.renderings == rendered + 1


async def test_an_error_of_ours_ends_the_streams_and_later_ones_work(
    caplog: pytest.LogCaptureFixture,
) -> None:
    boards = exporter_of().switchboards
    live = boards["milano"]
    call_centre(live)
    async with broadcasting(boards) as broadcaster:
        reader = broadcaster.subscribe(boards)
        await reader.next()
        as_of, live.state.as_of = live.state.as_of, float("nan")
        join_without_check(live)
        assert await reader.next() is None
        assert "by an error of ours" in caplog.text
        live.state.as_of = as_of
        assert await broadcaster.subscribe(boards).next() is not None


def join_without_check(live: LiveSwitchboard) -> None:
    """Change the state without letting time pass."""
    live.state.touch()
    live.state.queues["billing"].offered += 1


# --- readers who are slow, dead or many -----------------------------------------------------------------


async def test_a_reader_who_falls_behind_gets_a_new_snapshot() -> None:
    boards = exporter_of().switchboards
    live = boards["milano"]
    call_centre(live)
    settings = StreamSettings(interval_s=0.001, heartbeat_s=60.0, backlog=3)
    async with broadcasting(boards, settings) as broadcaster:
        slow, quick = broadcaster.subscribe(boards), broadcaster.subscribe(boards)
        await asyncio.gather(slow.next(), quick.next())
        number = 0
        while not slow.behind:
            number += 1
            join(live, "billing", f"1.{number}", NOW + number)
            patch = await quick.next()
            assert patch is not None
            assert b"event: patch" in patch
        rendered = broadcaster.renderings
        snapshot = await slow.next()
        assert snapshot is not None
        assert b"event: snapshot" in snapshot
        assert f'"uniqueid":"1.{number}"'.encode() in snapshot
        assert broadcaster.renderings == rendered
        leave(live, "billing", "1.1", NOW + number)
        for reader in (slow, quick):
            patch = await reader.next()
            assert patch is not None
            assert b"event: patch" in patch


@asynccontextmanager
async def served_with_broadcaster(
    switchboards: LiveSwitchboard, settings: StreamSettings
) -> AsyncIterator[tuple[int, Broadcaster]]:
    """The application on a free port, with a look at its broadcaster: (port, broadcaster)."""
    exporter = exporter_of(switchboards.name)
    exporter.switchboards[switchboards.name] = switchboards
    app = create_app(exporter, exposition, settings)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=3.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1], app[BROADCASTER]
    finally:
        await runner.cleanup()


def deaf_client(port: int) -> socket.socket:
    """A stream's client who asks and then reads nothing, with the smallest of buffers."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /state/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return client


def only_reader(broadcaster: Broadcaster) -> Reader:
    [reader] = broadcaster._readers
    return reader


async def stir(live: LiveSwitchboard, size: int) -> None:
    """Change a queue of many callers, so that each patch is large."""
    queue = live.state.queues["billing"]
    while len(queue.waiting) < size:
        join(live, "billing", f"1.{queue.offered}", NOW + queue.offered, name="n" * 200)
    leave(live, "billing", queue.waiting[0].uniqueid, NOW + queue.offered)
    await asyncio.sleep(0.002)


async def test_a_connection_that_takes_nothing_gets_a_snapshot_when_it_reads_again() -> None:
    live = exporter_of().switchboards["milano"]
    call_centre(live)
    settings = StreamSettings(interval_s=0.001, heartbeat_s=60.0, backlog=4)
    async with served_with_broadcaster(live, settings) as (port, broadcaster):
        client = deaf_client(port)
        await eventually(lambda: broadcaster.streams == 1)
        reader = only_reader(broadcaster)
        await eventually(lambda: not reader.behind)
        async with asyncio.timeout(60):
            while not reader.behind:
                await stir(live, 300)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        received = b""
        async with asyncio.timeout(30):
            while received.count(b"event: snapshot") < 2 or not received.endswith(b"\n\n\r\n"):
                data = await loop.sock_recv(client, 1 << 20)
                assert data
                received += data
        client.close()
        last = received.rpartition(b"event: snapshot")[2]
        assert f'"uniqueid":"{live.state.queues["billing"].waiting[-1].uniqueid}"'.encode() in last
        await eventually(lambda: broadcaster.streams == 0)


async def test_a_connection_that_takes_nothing_for_too_long_is_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    live = exporter_of().switchboards["milano"]
    call_centre(live)
    settings = StreamSettings(interval_s=0.001, backlog=4, write_timeout_s=0.3)
    async with served_with_broadcaster(live, settings) as (port, broadcaster):
        client = deaf_client(port)
        await eventually(lambda: broadcaster.streams == 1)
        async with asyncio.timeout(60):
            while broadcaster.streams:
                await stir(live, 300)
        client.close()
        await eventually(lambda: not broadcaster.running)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_client_who_hangs_up_frees_his_place_at_once() -> None:
    live = exporter_of().switchboards["milano"]
    call_centre(live)
    settings = StreamSettings(interval_s=0.005, heartbeat_s=60.0)
    async with served_with_broadcaster(live, settings) as (port, broadcaster), ClientSession() as client:
        response = await client.get(f"http://127.0.0.1:{port}/state/stream")
        await StreamClient(response).step()
        assert broadcaster.streams == 1
        response.close()
        await eventually(lambda: broadcaster.streams == 0, 2.0)


async def test_the_number_of_streams_is_limited() -> None:
    live = exporter_of().switchboards["milano"]
    call_centre(live)
    settings = StreamSettings(interval_s=0.005, max_streams=2)
    async with served_with_broadcaster(live, settings) as (port, broadcaster), ClientSession() as client:
        url = f"http://127.0.0.1:{port}/state/stream"
        first, second = [await client.get(url) for _ in range(2)]
        async with client.get(url) as refused:
            assert refused.status == 503
            assert refused.headers["Retry-After"] == "10"
            assert (await refused.json())["error"]["id"] == "too_many_streams"
        first.close()
        await eventually(lambda: broadcaster.streams == 1)
        async with client.get(url) as admitted:
            assert admitted.status == 200
        second.close()


async def test_no_new_reader_after_the_end() -> None:
    boards = exporter_of().switchboards
    async with broadcasting(boards) as broadcaster:
        reader = broadcaster.subscribe(boards)
        await broadcaster.close()
        assert await reader.next() is None
        with pytest.raises(TooManyStreams):
            broadcaster.subscribe(boards)


async def test_calls_and_unknown_events_reach_the_stream() -> None:
    exporter = exporter_of()
    live = exporter.switchboards["milano"]
    call_centre(live)
    async with served(exporter, QUICK) as client, client.get("/state/stream") as response:
        stream = StreamClient(response)
        await stream.step()
        join(live, "billing", "1.1", NOW + 1)
        feed(live, frame("NobodyKnows", Queue="billing"), NOW + 2)
        answer_call(live, "billing", "1.1", "1002", NOW + 4)
        await stream.until(lambda: bool(stream.documents["milano"]["queues"]["billing"]["in_progress"]))
        [call] = stream.documents["milano"]["queues"]["billing"]["in_progress"]
        assert call == {"uniqueid": "1.1", "agent": "1002", "since": NOW + 4}
        assert stream.documents["milano"]["agents"]["1002"]["state"] == "on_call"
