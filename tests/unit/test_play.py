"""`play`: a recording as a switchboard, seen by our own session and by a plain socket."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.play import FULL_SPEED, Credentials, Player, _Client, demo_recording
from asterpanel_exporter.recording import Recording, read_recording
from asterpanel_exporter.replay import Replay
from asterpanel_exporter.supervisor import Watch
from asterpanel_switchboard.config import SwitchboardConfig
from asterpanel_switchboard.session import SessionState

TRACES = Path(__file__).parents[1] / "traces"
START = 1795390000


def event(name: str, at: float, **headers: object) -> str:
    stamp = {"Event": name, "Privilege": "agent,all", "Timestamp": f"{START + at:.6f}"}
    return "".join(f"{key}: {value}\r\n" for key, value in {**stamp, **headers}.items()) + "\r\n"


def caller(number: int) -> dict[str, object]:
    uniqueid = f"{START}.{number}"
    return {
        "Channel": f"PJSIP/peer-{number:08x}",
        "CallerIDNum": f"39055100{number}",
        "CallerIDName": "Zoë",
        "Uniqueid": uniqueid,
        "Linkedid": uniqueid,
        "Queue": "billing",
    }


LIST = """\
Response: Success\r
ActionID: asterpanel-resync/CONNECTED/1\r
EventList: start\r
Message: Queue status will follow\r
\r
Event: QueueParams\r
Queue: billing\r
Max: 7\r
Strategy: ringall\r
Calls: 0\r
Completed: 4\r
Abandoned: 2\r
ServiceLevel: 20\r
Weight: 1\r
ActionID: asterpanel-resync/CONNECTED/1\r
\r
Event: QueueMember\r
Queue: billing\r
Name: Giulia\r
Location: PJSIP/1001\r
StateInterface: PJSIP/1001\r
Membership: dynamic\r
Penalty: 3\r
CallsTaken: 9\r
LastCall: 1795389900\r
LastPause: 1795389950\r
LoginTime: 1795380000\r
InCall: 0\r
Status: 1\r
Paused: 1\r
PausedReason: Caffè\r
Wrapuptime: 0\r
ActionID: asterpanel-resync/CONNECTED/1\r
\r
Event: QueueStatusComplete\r
ActionID: asterpanel-resync/CONNECTED/1\r
EventList: Complete\r
ListItems: 2\r
\r
"""
GREETING = "Asterisk Call Manager/11.0.0\r\n"
LOGIN = "Response: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n"


def recording(*events: str, head: str = GREETING + LOGIN + LIST) -> Recording:
    return Recording.parse("test.ami", (head + "".join(events)).encode("latin-1", "replace"))


JOIN_1 = event("QueueCallerJoin", 0.5, **caller(1), Position=1, Count=1)
JOIN_2 = event("QueueCallerJoin", 1.0, **caller(2), Position=2, Count=2)
LEAVE_1 = event("QueueCallerLeave", 1.5, **caller(1), Position=1, Count=1)
ABANDON_1 = event("QueueCallerAbandon", 1.4, **caller(1), Position=1, OriginalPosition=1, HoldTime=1)


class Served:
    """A player that is running, and what it has said."""

    def __init__(self, player: Player, port: int, said: list[str]) -> None:
        self.player = player
        self.port = port
        self.said = said


@asynccontextmanager
async def served(*recordings: Recording, **options: Any) -> AsyncIterator[Served]:
    said: list[str] = []
    player = Player(recordings, say=said.append, **options)
    port = await player.server.start("127.0.0.1", 0)
    task = asyncio.create_task(player.run())
    try:
        yield Served(player, port, said)
    finally:
        task.cancel()
        await asyncio.wait({task})
        await player.server.close()


class Client:
    """A plain AMI client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    @asynccontextmanager
    async def to(cls, port: int, *, login: bool = True) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        client = cls(reader, writer)
        assert await reader.readuntil(b"\r\n") == b"Asterisk Call Manager/11.0.0\r\n"
        if login:
            assert b"Authentication accepted" in await client.ask("Login", Username="any", Secret="any")
            assert b"Event: FullyBooted\r\nPrivilege: system,all\r\n" in await client.frame()
        try:
            yield client
        finally:
            writer.close()

    async def frame(self) -> bytes:
        async with asyncio.timeout(20):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def until(self, wanted: bytes) -> list[bytes]:
        frames = [await self.frame()]
        while wanted not in frames[-1]:
            frames.append(await self.frame())
        return frames

    def send(self, action: str, **headers: str) -> None:
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in headers.items())]
        self.writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())

    async def ask(self, action: str, **headers: str) -> bytes:
        self.send(action, **headers)
        return (await self.until(b"Response: "))[-1]

    async def closed(self) -> None:
        async with asyncio.timeout(20):
            while await self.reader.read(65536):
                pass


def settings(port: int, **more: Any) -> SwitchboardConfig:
    given = {"name": "milano", "host": "127.0.0.1", "port": port, "username": "u", "secret": "s", **more}
    return SwitchboardConfig.model_validate(given)


@asynccontextmanager
async def watching(port: int, **more: Any) -> AsyncIterator[Watch]:
    watch = Watch(LiveSwitchboard("milano"), settings(port, **more), 300.0)
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.wait({task})


async def eventually(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.01)


def waiting(watch: Watch) -> list[str]:
    queue = watch.live.state.queues.get("billing")
    return [] if queue is None else [caller.number for caller in queue.waiting]


async def test_our_own_session_sees_the_recorded_switchboard_as_if_it_were_now() -> None:
    async with served(recording(JOIN_1, JOIN_2, ABANDON_1, LEAVE_1)) as server:
        async with watching(server.port, auth="md5") as watch:
            await eventually(lambda: watch.live.up)
            document = watch.live.document(time.time())
            billing = document["queues"]["billing"]
            assert document["version"] == "22"
            assert (billing["strategy"], billing["max_len"], billing["sl_threshold_s"]) == ("ringall", 7, 20)
            assert billing["members"]["1001"]["penalty"] == 3
            assert document["agents"]["1001"]["pause_reason"] == "CaffÃ¨".encode("latin-1").decode()
            assert 40 < time.time() - document["agents"]["1001"]["paused_since"] < 60
            await eventually(lambda: waiting(watch) == ["390551001", "390551002"])
            joined = watch.live.state.queues["billing"].waiting[0]
            assert abs(joined.since - time.time()) < 5
            assert joined.name == "Zoë"
            await eventually(lambda: waiting(watch) == ["390551002"])
            await eventually(lambda: any("has ended" in line for line in server.said))
            assert not watch.live.drift


async def test_a_client_who_comes_late_gets_the_state_reached_so_far_and_keeps_it_at_the_end() -> None:
    async with served(recording(JOIN_1, JOIN_2, ABANDON_1, LEAVE_1), speed=50.0) as server:
        await eventually(lambda: any("has ended" in line for line in server.said))
        async with Client.to(server.port) as client:
            client.send("QueueStatus", ActionID="x1")
            frames = await client.until(b"QueueStatusComplete")
            assert frames[0] == (
                b"Response: Success\r\nActionID: x1\r\nEventList: start\r\nMessage: Queue status will follow"
                b"\r\n\r\n"
            )
            params, member, entry, end = (frame.decode() for frame in frames[1:])
            assert "\r\nCalls: 1\r\n" in params
            assert "\r\nCompleted: 4\r\nAbandoned: 3\r\n" in params
            assert "\r\nLocation: PJSIP/1001\r\nStateInterface: PJSIP/1001\r\nMembership: dynamic" in member
            assert "\r\nPosition: 1\r\nChannel: PJSIP/peer-00000002\r\n" in entry
            assert entry.endswith("\r\nPriority: 0\r\nActionID: x1\r\n\r\n")
            assert end.endswith("ActionID: x1\r\nEventList: Complete\r\nListItems: 3\r\n\r\n")

            client.send("QueueStatus", Queue="nosuch")
            assert (await client.until(b"QueueStatusComplete"))[-1].endswith(b"ListItems: 0\r\n\r\n")
            client.send("QueueStatus", Queue="BILLING", Member="PJSIP/9")
            assert (await client.until(b"QueueStatusComplete"))[-1].endswith(b"ListItems: 2\r\n\r\n")
            client.send("QueueSummary", ActionID="x2")
            summary = (await client.until(b"QueueSummaryComplete"))[-2]
            assert b"\r\nLoggedIn: 1\r\nAvailable: 0\r\nCallers: 1\r\n" in summary
        async with watching(server.port) as watch:
            await eventually(lambda: watch.live.up)
            assert waiting(watch) == ["390551002"]


async def test_actions_are_answered_as_asterisk_does() -> None:
    async with served(recording(JOIN_1)) as server, Client.to(server.port, login=False) as client:
        assert b"Permission denied" in await client.ask("QueueStatus")
        assert b"Authentication accepted" in await client.ask("Login", Username="u", Secret="s", Events="off")
        pong = await client.ask("Ping", ActionID="p")
        found = re.fullmatch(
            rb"Response: Success\r\nActionID: p\r\nPing: Pong\r\nTimestamp: (\d+\.\d{6})\r\n\r\n", pong
        )
        assert found is not None
        assert abs(float(found[1]) - time.time()) < 1
        assert await client.ask("Flub", ActionID="f") == (
            b"Response: Error\r\nActionID: f\r\nMessage: Invalid/unknown command: Flub. Use Action: "
            b"ListCommands to show available commands.\r\n\r\n"
        )
        assert b"Permission denied" in await client.ask("QueuePause", Interface="PJSIP/1001", Paused="true")
        client.writer.write(b"X: " + b"y" * 5000 + b"\r\n")
        assert b"line too long" in await client.frame()
        assert b"Response: " in await client.ask("Ping")
        assert b"Response: Goodbye" in await client.ask("Logoff")
        await client.closed()


async def test_only_the_given_user_gets_in_when_one_is_given() -> None:
    async with served(recording(JOIN_1), credentials=Credentials("anna", "geheim")) as server:
        for wrong in ({"Username": "anna", "Secret": "x"}, {"Username": "otto", "Secret": "geheim"}):
            async with Client.to(server.port, login=False) as client:
                assert b"Authentication failed" in await client.ask("Login", **wrong)
                await client.closed()
        async with Client.to(server.port, login=False) as client:
            key = hashlib.md5(b"geheim", usedforsecurity=False).hexdigest()
            login = {"AuthType": "MD5", "Username": "anna", "Key": key}
            assert b"Authentication failed" in await client.ask("Login", **login)  # without a challenge
        async with watching(server.port, auth="md5", username="anna", secret="geheim") as watch:
            await eventually(lambda: watch.session.state is SessionState.CONNECTED)
        async with watching(server.port, username="anna", secret="nein") as watch:
            await eventually(lambda: watch.session.state is SessionState.REFUSED)


async def test_events_pass_byte_for_byte_at_the_recorded_pace() -> None:
    raw = event("UserEvent", 2.0).encode()[:-2] + b"Text: Zo\xe9\xff\x00\r\n\r\n"
    data = recording(JOIN_1, JOIN_2)
    spoken = Recording.parse("x", (GREETING + LOGIN + LIST + JOIN_1 + JOIN_2).encode() + raw)
    assert spoken.duration_s == 1.5
    assert data.duration_s == 0.5
    async with served(spoken, speed=2.0) as server, Client.to(server.port) as client:
        frames = await client.until(b"UserEvent")
        assert [frame.partition(b"\r\n")[0] for frame in frames[-3:]] == [
            b"Event: QueueCallerJoin",
            b"Event: QueueCallerJoin",
            b"Event: UserEvent",
        ]
        assert re.sub(rb"\d{10}", b"1795390002", frames[-1]) == raw
        stamps = [float(found[1]) for frame in frames if (found := re.search(rb"Timestamp: (.*)\r", frame))]
        assert stamps[-1] - stamps[-3] == 1.5
        pong = await client.ask("Ping")
        assert 0 <= float(pong.partition(b"Timestamp: ")[2]) - stamps[-1] < 1


async def test_a_loop_begins_anew_with_new_ids_and_leaves_nothing_behind() -> None:
    connect = event(
        "AgentConnect", 0.9, **caller(1), Interface="PJSIP/1001", MemberName="Giulia",
        DestChannel="PJSIP/1001-1", DestUniqueid=f"{START}.9",
    )  # fmt: skip
    leave = LEAVE_1.replace("001.5", "000.9")
    tail = event("UserEvent", 4.0)
    async with served(recording(JOIN_1, leave, connect, JOIN_2, tail), speed=4.0, loop=True) as server:
        async with watching(server.port) as watch, Client.to(server.port) as client:
            seen: list[tuple[str, ...]] = []

            def talking() -> int:
                billing = watch.live.state.queues.get("billing")
                return 0 if billing is None else len(billing.in_progress)

            await eventually(lambda: talking() == 1)
            frames: list[bytes] = []
            for _ in range(3):
                frames += await client.until(b"Event: FullyBooted")
                await eventually(lambda: talking() == 1 and len(waiting(watch)) == 1)
                assert talking() <= 1
                assert len(waiting(watch)) <= 1
                seen.append(tuple(waiting(watch)))
            joins = [frame for frame in frames if b"QueueCallerJoin" in frame]
            ids = [re.search(rb"Uniqueid: ([\d.]+)", frame) for frame in joins]
            assert len({found[1] for found in ids if found}) == len(joins) >= 4
            assert any(b"AgentComplete" in frame for frame in frames)
            assert any(b"QueueCallerAbandon" in frame for frame in frames)
            assert not watch.live.drift
            assert watch.session.attempts.total() == 0
    assert any("from the beginning" in line for line in server.said)


def test_a_client_that_has_gone_before_it_is_looked_at_is_no_error() -> None:
    writer = Mock(asyncio.StreamWriter)
    writer.get_extra_info.return_value = None  # as a transport answers whose socket is not connected any more
    assert _Client(writer).address == "a client that has gone"


async def test_several_recordings_are_spoken_one_after_the_other() -> None:
    other = recording(JOIN_2, head=GREETING + LOGIN + LIST.replace("billing", "sales"))
    async with served(recording(JOIN_1), other, speed=20.0) as server, watching(server.port) as watch:
        await eventually(lambda: "billing" in watch.live.state.queues)
        await eventually(lambda: "sales" in watch.live.state.queues)
        assert server.player.rounds == 2


async def test_a_shutdown_hangs_up_on_everybody_and_lets_them_in_again() -> None:
    shutdown = event("Shutdown", 1.0, Shutdown="Uncleanly", Restart="True").replace("agent,", "system,")
    after = event("QueueCallerJoin", 3.0, **caller(2), Position=1, Count=1)
    async with served(recording(JOIN_1, shutdown, after)) as server, watching(server.port) as watch:
        await eventually(lambda: watch.session.attempts.total() == 1)
        await eventually(lambda: watch.live.up)
        await eventually(lambda: "390551002" in waiting(watch))


async def test_without_app_queue_its_actions_are_unknown() -> None:
    unload = event("Unload", 0.1, Module="app_queue.so", Status="Success").replace("agent,", "system,")
    async with served(recording(unload), speed=50.0) as server, Client.to(server.port) as client:
        await eventually(lambda: any("has ended" in line for line in server.said))
        assert b"Invalid/unknown command: QueueStatus." in await client.ask("QueueStatus")


async def test_who_does_not_read_is_cut_off_and_the_others_get_everything() -> None:
    burst = [event("UserEvent", 2.5, Text="x" * 4000)] * 4000
    async with served(recording(JOIN_1, *burst)) as server:
        async with Client.to(server.port) as deaf, Client.to(server.port) as client:
            deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
            count, data = 0, b""
            async with asyncio.timeout(60):
                while count < len(burst):
                    data = data[-20:] + await client.reader.read(1 << 20)
                    count += data.count(b"Event: UserEvent\r\n")
                    data = data.rpartition(b"Event: UserEvent\r\n")[2]
            await eventually(lambda: server.player.server.dropped == 1)
        assert any("does not read fast enough" in line for line in server.said)


async def test_at_full_speed_a_real_flood_arrives_whole() -> None:
    name = str(TRACES / "flood-asterisk-22-30cps.ami.xz")
    data = Recording.parse("flood", read_recording(name))
    live = sum(frame.live for frame in data.frames)
    replay = Replay(LiveSwitchboard("replay"))
    replay.play([read_recording(name)])
    async with served(data, speed=FULL_SPEED) as server, watching(server.port) as watch:
        await eventually(lambda: any("has ended" in line for line in server.said), 60)
        await eventually(lambda: watch.session.frames_received >= live, 60)
        ours, theirs = watch.live.state, replay.live.state
        assert set(ours.queues) == set(theirs.queues)
        for name, queue in theirs.queues.items():
            assert len(ours.queues[name].waiting) == len(queue.waiting)
            assert set(ours.queues[name].members) == set(queue.members)


@pytest.mark.parametrize(
    "trace", sorted(TRACES.glob("asterisk-*/*.ami.xz")), ids=lambda p: f"{p.parent.name}-{p.stem}"
)
async def test_every_recorded_scenario_can_be_played(trace: Path) -> None:
    data = Recording.parse(trace.name, read_recording(str(trace)))
    async with served(data, speed=FULL_SPEED) as server, watching(server.port) as watch:
        await eventually(lambda: any("has ended" in line for line in server.said))
        await eventually(lambda: watch.live.up)
        assert not watch.session.wire_errors
        assert not server.player.server.dropped


@pytest.mark.parametrize(
    ("name", "queues", "agents", "reasons"),
    [("milano", 3, 7, ("Pranzo", "Caffè")), ("torino", 2, 5, ("Pranzo", "Caffè"))],
)
async def test_a_demo_recording_is_a_call_centre_that_loops_without_drift(
    name: str, queues: int, agents: int, reasons: Sequence[str]
) -> None:
    file = demo_recording(name)
    assert Path(file).stat().st_size < 500_000
    data = read_recording(file)
    demo = Recording.parse("demo", data)
    assert 8 * 60 < demo.duration_s < 15 * 60
    assert all(f"PausedReason: {reason}\r".encode() in data for reason in reasons)
    assert data.count(b"Event: QueueCallerAbandon\r") >= 2
    async with served(demo, speed=FULL_SPEED, loop=True) as server, watching(server.port) as watch:
        await eventually(lambda: server.player.rounds == 3)
        await eventually(
            lambda: len(watch.live.state.queues) == queues and len(watch.live.state.agents) >= agents
        )
        assert not watch.live.drift
        assert not watch.session.wire_errors


# --- the command ------------------------------------------------------------------------------------------


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "milano.ami"
    path.write_bytes((GREETING + LOGIN + LIST + JOIN_1 + JOIN_2).encode())
    return path


COMMAND = str(Path(sys.executable).with_name("asterpanel-exporter"))


@pytest.fixture
def playing(trace: Path) -> Iterator[subprocess.Popen[str]]:
    command = [COMMAND, "play", str(trace), "--port", "0", "--loop"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        yield process
        process.kill()


def test_the_command_says_what_to_connect_to_and_ends_on_a_signal(playing: subprocess.Popen[str]) -> None:
    assert playing.stdout is not None
    lines = [playing.stdout.readline() for _ in range(5)]
    assert lines[0] == "milano.ami: 0 s, 2 events, of Asterisk 22\n"
    listening = r"listening on 127\.0\.0\.1:\d+, any user and secret; at 1 times its speed, over and over\n"
    assert re.fullmatch(listening, lines[1])
    assert "demo: {host: 127.0.0.1, port: " in lines[4]
    playing.send_signal(signal.SIGTERM)
    assert playing.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "file"), [((), "demo-milano.ami.gz"), (("--demo", "torino"), "demo-torino.ami.gz")]
)
def test_without_a_trace_it_plays_what_comes_with_it(arguments: Sequence[str], file: str) -> None:
    command = [COMMAND, "play", "--port", "0", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"{file}: ")
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch.ami"], "nosuch.ami: no such file"),
        (["--speed", "fast", "-"], "must be a number"),
        (["--demo", "torino", "TRACE"], "--demo is for playing without TRACE"),
        (["--demo", "roma"], "'roma' is not one of 'milano', 'torino'"),
        (["--username", "anna", "-"], "need each other"),
        (["--host", "192.0.2.1", "TRACE"], "cannot listen on 192.0.2.1:5038"),
    ],
)
def test_wrong_usage_is_told_in_words(trace: Path, arguments: list[str], message: str) -> None:
    command = [COMMAND, "play", *(str(trace) if word == "TRACE" else word for word in arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, input="")
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
