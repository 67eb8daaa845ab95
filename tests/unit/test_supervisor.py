"""What keeps each switchboard's state in step, and the switchboards apart."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from pydantic import SecretStr

from asterpanel_exporter import supervisor
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.state import ResyncReason
from asterpanel_exporter.supervisor import Exporter, Watch
from asterpanel_switchboard.config import Config, SwitchboardConfig
from asterpanel_switchboard.events import Event
from asterpanel_switchboard.session import DisconnectReason, SessionState
from tests.ami_server import UNKNOWN_COMMAND, AmiServer, queue_list, response
from tests.leaks import nothing_left_behind
from tests.unit.ami import (
    complete,
    connect,
    frame,
    join,
    leave,
    member_event,
    queue_entry,
    queue_member,
    queue_params,
)
from tests.waiting import eventually, for_a_while

BILLING = [queue_params("billing"), queue_member("billing", "PJSIP/1001")]
SALES = [queue_params("sales"), queue_member("sales", "PJSIP/1002")]
FULLY_BOOTED = frame("FullyBooted", [("Privilege", "system,all"), ("Status", "Fully Booted")])


def reload(module: str = "app_queue.so") -> bytes:
    return frame("Reload", [("Privilege", "system,all"), ("Module", module), ("Status", 0)])


def loaded(event: str) -> bytes:
    return frame(event, [("Privilege", "system,all"), ("Module", "app_queue.so"), ("Status", "Success")])


@pytest.fixture(autouse=True)
async def _clean() -> AsyncIterator[None]:
    async with nothing_left_behind():
        yield


@pytest.fixture
async def server() -> AsyncIterator[AmiServer]:
    async with AmiServer(BILLING) as running_:
        yield running_


def board_settings(server: AmiServer, name: str = "milano", **more: Any) -> SwitchboardConfig:
    return SwitchboardConfig(
        name=name,
        host=server.host,
        port=server.port,
        username=server.username,
        secret=SecretStr(server.secret),
        **more,
    )


def new_watch(server: AmiServer, interval_s: float = 300.0, **more: Any) -> Watch:
    return Watch(LiveSwitchboard("milano"), board_settings(server), interval_s, **more)


def new_exporter(**servers: AmiServer) -> Exporter:
    more: dict[str, Any] = {"connect_timeout": 0.5, "ping_interval": 0.1, "ping_timeout": 0.2}
    boards = {name: board_settings(server, name, **more) for name, server in servers.items()}
    return Exporter(Config(switchboards=boards))


@contextlib.asynccontextmanager
async def running(what: Watch | Exporter) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(what.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def in_step(watch: Watch, resyncs: int = 1, within: float = 3.0) -> float:
    return await eventually(
        lambda: watch.live.up and watch.live.resyncs.total() >= resyncs, within, "in step"
    )


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was warned of, but that the events sent here have no time stamps."""
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [text for text in told if "timestampevents" not in text]


# --- resyncs ------------------------------------------------------------------------------------------------


async def test_reads_the_whole_state_at_the_login(server: AmiServer) -> None:
    watch = new_watch(server)
    assert not watch.live.up
    async with running(watch):
        await in_step(watch, within=0.5)
        assert watch.live.state.queues.keys() == {"billing"}
        assert watch.live.resyncs == {ResyncReason.CONNECTED: 1}
        assert watch.live.version == "22"
        await for_a_while(lambda: server.count("QueueStatus") == 1, 0.7, "one resync is enough")
    assert not watch.live.up
    assert watch.live.state.queues.keys() == {"billing"}


async def test_fully_booted_after_the_first_list_makes_a_second(server: AmiServer) -> None:
    """Asterisk lets users in while it is still starting."""
    server.queue_status = []
    watch = new_watch(server)
    async with running(watch):
        await in_step(watch)
        assert not watch.live.state.queues
        server.queue_status = BILLING
        server.send(FULLY_BOOTED)
        await in_step(watch, 2, within=0.8)
        assert watch.live.state.queues.keys() == {"billing"}
        assert watch.live.resyncs[ResyncReason.BOOTED] == 1
        assert not watch.live.drift


async def test_waits_are_told_by_the_switchboards_own_clock(server: AmiServer) -> None:
    ahead = time.time() + 3600
    server.queue_status = [queue_params("billing"), queue_entry("billing", "1.1", 1, wait=30)]
    server.answers["Ping"] = lambda action: response(action, Ping="Pong", Timestamp=f"{ahead:.6f}")
    watch = new_watch(server)
    async with running(watch):
        await in_step(watch)
        (caller,) = watch.live.state.queues["billing"].waiting
        assert caller.since == pytest.approx(ahead - 30, abs=1.0)


async def test_data_that_cannot_be_used_makes_a_resync(server: AmiServer) -> None:
    watch = new_watch(server)
    async with running(watch):
        await in_step(watch)
        server.queue_status = [*BILLING, *SALES]
        server.send(b"Event: QueueMemberAdded\r\nPrivilege: agent,all\r\nQueue: sales\r\n\r\n")
        await in_step(watch, 2, within=6.0)
        assert watch.live.state.queues.keys() == {"billing", "sales"}
        assert watch.live.resyncs[ResyncReason.UNUSABLE_DATA] == 1
        assert not watch.live.drift


async def test_a_storm_of_reloads_makes_few_resyncs_and_ends_right(server: AmiServer) -> None:
    watch = new_watch(server)
    async with running(watch):
        await in_step(watch)
        for module in range(80):
            server.send(reload(f"module_{module}.so"))
            await asyncio.sleep(0.01)
        server.queue_status = [*BILLING, *SALES]
        server.send(reload())
        await eventually(lambda: "sales" in watch.live.state.queues, within=2.5)
        assert server.count("QueueStatus") <= 5
        assert not watch.live.drift


async def test_a_single_reload_is_answered_at_once(server: AmiServer) -> None:
    watch = new_watch(server)
    async with running(watch):
        await in_step(watch)
        await asyncio.sleep(supervisor.RESYNC_SPACING_S * 2)
        server.send(reload())
        await in_step(watch, 2, within=0.2)


async def test_what_nothing_announces_is_found_at_the_interval(server: AmiServer) -> None:
    watch = new_watch(server, interval_s=0.3)
    async with running(watch):
        await in_step(watch)
        server.queue_status = [*BILLING, *SALES]
        await eventually(lambda: "sales" in watch.live.state.queues, within=0.6)
        await in_step(watch, 5)
        assert watch.live.resyncs.keys() == {ResyncReason.CONNECTED, ResyncReason.INTERVAL}
        assert server.connections == 1


async def test_suspicion_makes_resyncs_at_a_slow_pace(
    server: AmiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "SUSPICION_SPACING_S", 0.6)
    watch = new_watch(server)
    async with running(watch):
        await in_step(watch)
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            server.send(join(None, "billing", "1.1", 1, 7))
            await asyncio.sleep(0.01)
        assert 2 <= server.count("QueueStatus") <= 4


async def test_a_queue_that_is_never_listed_makes_resyncs_ever_more_seldom(server: AmiServer) -> None:
    watch = new_watch(server)
    async with running(watch):
        await in_step(watch)
        until = time.monotonic() + 2.0
        while time.monotonic() < until:
            server.send(member_event(None, "Status", "hidden", "PJSIP/1003"))
            await asyncio.sleep(0.01)
        assert server.count("QueueStatus") <= 4


async def test_suspicion_delays_neither_an_announcement_nor_a_reconnect(server: AmiServer) -> None:
    watch = new_watch(server)
    async with running(watch):
        await in_step(watch)
        server.send(join(None, "billing", "1.1", 1, 7))
        await eventually(lambda: watch.live.state.resync_wanted is ResyncReason.COUNT_MISMATCH)
        server.send(reload())
        await in_step(watch, 2, within=supervisor.RESYNC_SPACING_S + 0.2)
        server.send(join(None, "billing", "1.2", 1, 7))
        await eventually(lambda: watch.live.state.resync_wanted is ResyncReason.COUNT_MISMATCH)
        server.reset()
        await eventually(lambda: server.connections == 2)
        await in_step(watch, 3, within=0.3)


async def test_after_a_reconnect_the_state_is_the_switchboards(server: AmiServer) -> None:
    server.queue_status = [*BILLING, *SALES]
    watch = new_watch(server)
    async with running(watch):
        await in_step(watch)
        server.reset()
        await eventually(lambda: not watch.live.up)
        assert watch.live.state.queues.keys() == {"billing", "sales"}
        server.queue_status = BILLING
        await in_step(watch, 2)
        assert watch.live.state.queues.keys() == {"billing"}
        assert watch.live.resyncs == {ResyncReason.CONNECTED: 2}
        assert not watch.live.drift


async def test_app_queue_not_loaded_means_no_queues(
    server: AmiServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers["QueueStatus"] = lambda action: response(action, "Error", Message=UNKNOWN_COMMAND)
    watch = new_watch(server)
    async with running(watch):
        await in_step(watch)
        assert not watch.live.state.queues
        server.answers.clear()
        server.send(loaded("Load"))
        await in_step(watch, 2)
        assert watch.live.state.queues.keys() == {"billing"}
        server.answers["QueueStatus"] = lambda action: response(action, "Error", Message=UNKNOWN_COMMAND)
        server.send(loaded("Unload"))
        await eventually(lambda: not watch.live.state.queues)
        assert watch.live.up
    assert not warnings(caplog)


async def test_any_other_refusal_is_no_empty_switchboard(
    server: AmiServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "SUSPICION_SPACING_S", 0.2)
    monkeypatch.setattr(supervisor, "RESYNC_SPACING_S", 0.1)
    watch = new_watch(server)
    server.answers["QueueStatus"] = lambda action: response(action, "Error", Message="Permission denied")
    async with running(watch):
        await eventually(lambda: server.count("QueueStatus") >= 4)
        assert not watch.live.up
        assert warnings(caplog) == ["milano: QueueStatus refused: Permission denied"]
        server.answers.clear()
        await in_step(watch)
        server.answers["QueueStatus"] = lambda action: response(action, "Error", Message="Permission denied")
        server.send(reload())
        await eventually(lambda: len(warnings(caplog)) == 2)
        assert watch.live.state.queues.keys() == {"billing"}


@pytest.mark.parametrize("answer", ["none", "the list never ends", "the list never begins"])
async def test_a_list_that_never_comes_is_asked_for_again(
    server: AmiServer, answer: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "SUSPICION_SPACING_S", 0.6)
    server.answers["QueueStatus"] = {
        "none": lambda action: None,
        "the list never ends": lambda action: queue_list(action, BILLING, complete=False),
        "the list never begins": lambda action: response(action, EventList="start"),
    }[answer]
    watch = new_watch(server, list_timeout_s=0.2)
    async with running(watch):
        await eventually(lambda: server.count("QueueStatus") >= 3, within=4.0)
        assert not watch.live.up
        assert warnings(caplog) == ["milano: no whole answer to QueueStatus within 0.2 s"]
        server.answers.clear()
        await in_step(watch)
        assert watch.live.state.queues.keys() == {"billing"}
        server.send(reload())
        await in_step(watch, 2)
        assert server.connections == 1
        assert server.count("Login") == 1


async def test_a_connection_lost_inside_a_list(server: AmiServer) -> None:
    server.answers["QueueStatus"] = lambda action: queue_list(action, BILLING, complete=False)
    watch = new_watch(server)
    async with running(watch):
        await eventually(lambda: server.count("QueueStatus") == 1)
        server.answers.clear()
        server.reset()
        await in_step(watch, within=0.8)


async def test_a_login_that_is_lost_before_the_list(server: AmiServer) -> None:
    server.close_after = "queuestatus"
    server.answers["QueueStatus"] = lambda action: None
    watch = new_watch(server)
    async with running(watch):
        await eventually(lambda: server.connections >= 3)
        assert not watch.live.up
        server.close_after = ""
        server.answers.clear()
        await in_step(watch)


# --- time ---------------------------------------------------------------------------------------------------


async def test_wrap_up_ends_by_itself(server: AmiServer) -> None:
    server.queue_status = [queue_params("billing"), queue_member("billing", "PJSIP/1001", Wrapuptime=1)]
    watch = new_watch(server)
    async with running(watch):
        await in_step(watch)
        server.send(connect(None, "billing", "PJSIP/1001", "1.1", "1.2"))
        server.send(complete(None, "billing", "PJSIP/1001", "1.1", "1.2"))
        agent = watch.live.state.agents["1001"]
        await eventually(lambda: agent.state.value == "wrapup")
        took = await eventually(lambda: agent.state.value == "idle")
        assert 0.9 < took < 1.2


# --- errors of ours -----------------------------------------------------------------------------------------


async def test_an_error_of_ours_is_logged_and_the_watch_starts_again(
    server: AmiServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "RESTART_AFTER_S", 0.2)
    exporter = new_exporter(milano=server)
    watch = exporter.watches["milano"]
    async with running(exporter):
        await in_step(watch)
        with monkeypatch.context() as broken:
            broken.setattr(watch.live, "pong", lambda *_: 1 / 0)
            await eventually(lambda: not watch.live.up)
            assert watch.session.state is SessionState.DISCONNECTED
        await in_step(watch, 2)
    assert "stopped by an error of ours" in warnings(caplog)[0]
    assert "ZeroDivisionError" in caplog.text


async def test_an_error_when_time_passes_is_not_lost(
    server: AmiServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "RESTART_AFTER_S", 0.1)
    server.queue_status = [queue_params("billing"), queue_member("billing", "PJSIP/1001", Wrapuptime=1)]
    exporter = new_exporter(milano=server)
    watch = exporter.watches["milano"]
    async with running(exporter):
        await in_step(watch)
        broken = pytest.MonkeyPatch()
        broken.setattr(watch.live, "advance", lambda *_: 1 / 0)
        server.send(complete(None, "billing", "PJSIP/1001", "1.1", "1.2"))
        await eventually(lambda: warnings(caplog))
        broken.undo()
        await in_step(watch, 2)


# --- one and the other --------------------------------------------------------------------------------------


class Timed:
    """Measures, event by event, from sending to the state, while something else goes on."""

    def __init__(self, server: AmiServer, watch: Watch) -> None:
        self.server = server
        self.watch = watch
        self.latencies: list[float] = []

    async def measure(self, seconds: float) -> None:
        queue = self.watch.live.state.queues["billing"]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            sent = time.perf_counter()
            self.server.send(join(None, "billing", "1.1", 1, 1))
            while not queue.waiting:  # noqa: ASYNC110  # each round of the loop counts here
                await asyncio.sleep(0)
            self.latencies.append(time.perf_counter() - sent)
            self.server.send(leave(None, "billing", "1.1", 1, 0))
            while queue.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0)
            await asyncio.sleep(0.002)

    def assert_small(self, most: float = 0.1) -> None:
        ordered = sorted(self.latencies)
        assert len(ordered) > 20
        assert ordered[len(ordered) // 2] < most / 2
        assert ordered[int(len(ordered) * 0.95)] < most
        assert self.watch.live.up
        assert self.server.connections == 1
        assert not self.watch.live.drift


Trouble = str


def make_trouble(kind: Trouble, server: AmiServer, watch: Watch) -> None:
    if kind == "refusing":
        server.refuse = True
        server.reset()
    elif kind == "frozen":
        server.freeze()
    elif kind == "gone":
        server.stop()
    elif kind == "hanging up":
        server.close_after = "login"
        server.reset()
    elif kind == "no manager interface":
        server.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        server.reset()


@pytest.mark.parametrize("kind", ["refusing", "frozen", "gone", "hanging up", "no manager interface"])
async def test_one_switchboards_trouble_is_its_own(kind: Trouble, caplog: pytest.LogCaptureFixture) -> None:
    async with AmiServer(BILLING) as good, AmiServer(SALES) as bad:
        exporter = new_exporter(milano=good, torino=bad)
        milano, torino = exporter.watches["milano"], exporter.watches["torino"]
        async with running(exporter):
            await in_step(milano)
            await in_step(torino)
            make_trouble(kind, bad, torino)
            await eventually(lambda: not torino.live.up)
            timed = Timed(good, milano)
            await timed.measure(1.0)
            timed.assert_small()
            assert not torino.live.up
    assert not [text for text in warnings(caplog) if "milano" in text]


async def test_an_error_in_one_reducer_is_its_own(caplog: pytest.LogCaptureFixture) -> None:
    async with AmiServer(BILLING) as good, AmiServer(SALES) as bad:
        exporter = new_exporter(milano=good, torino=bad)
        milano, torino = exporter.watches["milano"], exporter.watches["torino"]

        def identity(interface: str, name: str) -> str:
            raise ZeroDivisionError

        async with running(exporter):
            await in_step(milano)
            await in_step(torino)
            torino.live.state.identity = identity
            timed = Timed(good, milano)
            measuring = asyncio.create_task(timed.measure(1.0))
            while not measuring.done():
                bad.send(member_event(None, "Added", "sales", "PJSIP/1003") * 10)
                await asyncio.sleep(0.005)
            await measuring
            timed.assert_small()
            assert torino.live.errors > 100
            assert bad.connections == 1
            assert bad.count("QueueStatus") <= 3
    assert len(warnings(caplog)) == 1


FLOOD = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
garbage = bytes.fromhex(sys.argv[1]) * 20000
while True:
    connection, _ = listener.accept()
    try:
        connection.sendall(b"Asterisk Call Manager/11.0.0\\r\\n")
        for line in connection.makefile("rb"):
            if line.startswith(b"ActionID: "):
                connection.sendall(b"Response: Success\\r\\n" + line + b"\\r\\n")
                break
        while True:
            connection.sendall(garbage)
    except OSError:
        pass
"""


@pytest.mark.parametrize(
    "garbage",
    [
        b"x\r\n\r\n",
        b"\r\n",
        b"\x00\xff garbage without an end ",
        b"Event: QueueMemberStatus\r\nQueue: sales\r\n\r\n",
        b"Response: Success\r\nActionID: 1\r\n\r\n",
        member_event(None, "Status", "sales", "PJSIP/1003"),
    ],
    ids=["tiny frames", "empty lines", "no frames", "malformed", "responses", "events"],
)
async def test_a_flood_from_one_delays_the_other_little(server: AmiServer, garbage: bytes) -> None:
    """The switchboard that floods has a process, and so a processor, of its own."""
    flooding = subprocess.Popen([sys.executable, "-c", FLOOD, garbage.hex()], stdout=subprocess.PIPE)
    try:
        assert flooding.stdout is not None
        bad = AmiServer(port=int(flooding.stdout.readline()))
        exporter = new_exporter(milano=server, torino=bad)
        async with running(exporter):
            await in_step(exporter.watches["milano"])
            torino = exporter.watches["torino"].session
            await eventually(lambda: torino.bytes_received > 1_000_000)
            before = torino.bytes_received
            timed = Timed(server, exporter.watches["milano"])
            await timed.measure(1.0)
            timed.assert_small()
            assert torino.bytes_received > before + 500_000
    finally:
        flooding.kill()
        flooding.wait()
        assert flooding.stdout is not None
        flooding.stdout.close()


# --- cancellation -------------------------------------------------------------------------------------------


async def test_cancelled_at_any_moment() -> None:
    async with AmiServer(BILLING) as milano, AmiServer(SALES) as torino:
        ups = 0
        for rounds in range(0, 100, 3):
            exporter = new_exporter(milano=milano, torino=torino)
            task = asyncio.create_task(exporter.run())
            for _ in range(rounds):
                await asyncio.sleep(0)
            ups += all(live.up for live in exporter.switchboards.values())
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not any(live.up for live in exporter.switchboards.values())
        assert ups
        await eventually(lambda: not milano.open and not torino.open)


async def test_cancelled_with_all_kinds_of_trouble() -> None:
    async with contextlib.AsyncExitStack() as stack:
        servers = {
            name: await stack.enter_async_context(AmiServer(BILLING))
            for name in ("refusing", "frozen", "gone", "good")
        }
        exporter = new_exporter(**servers)
        async with running(exporter) as task:
            await eventually(lambda: all(live.up for live in exporter.switchboards.values()))
            for name, server in servers.items():
                make_trouble(name, server, exporter.watches[name])
            await asyncio.sleep(0.5)
            started = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - started < 0.2


async def test_a_listener_may_be_derived(server: AmiServer) -> None:
    """As `record` and the benchmark do."""
    heard: list[object] = []

    class Curious(Watch):
        def received(self, events: Sequence[Event]) -> None:
            super().received(events)
            heard.extend(events)

        def disconnected(self, reason: DisconnectReason) -> None:
            super().disconnected(reason)
            heard.append(reason)

    watch = Curious(LiveSwitchboard("milano"), board_settings(server), 300.0)
    async with running(watch):
        await in_step(watch)
        server.reset()
        await in_step(watch, 2)
    assert DisconnectReason.CLOSED in heard
