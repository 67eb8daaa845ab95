"""A little AMI server that speaks recordings, shifted to now: the switchboard where no Asterisk can be had.

It answers QueueStatus from the state that the recording has reached, which it keeps as the exporter itself
does. What it sends live are the recorded frames, byte for byte but for the times in them.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
import secrets
import signal
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from asterpanel_exporter.live import asterisk_version
from asterpanel_exporter.played import PlayedSwitchboard, fully_booted, render
from asterpanel_exporter.recording import Recording, TimeShift
from asterpanel_switchboard.config.values import format_address, is_loopback

DEFAULT_GREETING: Final = "11.0.0"

END_OF_FRAME: Final = b"\r\n\r\n"

MAX_UNREAD_BYTES: Final = 4 * 1024 * 1024
"""A client that leaves more than this unread is cut off, as Asterisk does."""

MAX_LINE_BYTES: Final = 1024
MAX_HEADERS: Final = 128
MAX_CLIENTS: Final = 200
LOGIN_TIMEOUT_S: Final = 30.0
WAIT_BYTES: Final = 1024 * 1024
"""From here on everybody waits for the client who leaves this unread, but no longer than `STALLED_S`."""

STALLED_S: Final = 5.0

RESYNC_PAUSE_S: Final = 1.0
"""From FullyBooted to the first event after it: time for clients to ask for the state."""

FRAMES_AT_ONCE: Final = 64
"""After so many the clients get their turn, even if more are due."""

UNTIMED_SPACING_S: Final = 0.1
"""Between the events of a recording that tells no times."""

FULL_SPEED: Final = math.inf

Say = Callable[[str], None]


DEMO_RECORDINGS: Final = ("milano", "torino")
"""The demo switchboards whose recordings come with Asterpanel."""


def demo_recording(name: str = DEMO_RECORDINGS[0]) -> str:
    """The file name of a recording that comes with Asterpanel."""
    return str(files("asterpanel_exporter") / "recordings" / f"demo-{name}.ami.gz")


# --- time -------------------------------------------------------------------------------------------------


class PlayedClock:
    """The played switchboard's clock. It runs ``speed`` times as fast as ours, so that durations stay true;
    at full speed it stands at the last event."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._base = time.time()
        self._started = time.monotonic()

    def now(self) -> float:
        """Unix seconds."""
        if self.speed == FULL_SPEED:
            return self._base
        return self._base + (time.monotonic() - self._started) * self.speed

    def reached(self, at: float) -> None:
        """At full speed: the time of the event that is being sent."""
        if self.speed == FULL_SPEED:
            self._base = max(self._base, at)

    def run_as_ours(self) -> None:
        """From now on one second a second."""
        self._base, self._started, self.speed = self.now(), time.monotonic(), 1.0

    async def wait_for(self, at: float) -> None:
        """Sleep until that time."""
        await asyncio.sleep(max(0.0, at - self.now()) / self.speed)


# --- the server -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Credentials:
    """The only user and secret to let in."""

    username: str
    secret: str


class _Refused(Exception):
    """Ends a session, after the answer has been sent."""


class _Client:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        peer = writer.get_extra_info("peername")  # None if it has gone already
        self.address = format_address(*peer[:2]) if peer else "a client that has gone"
        self.logged_in = False
        self.wants_events = True
        self.challenge = ""

    @property
    def unread_bytes(self) -> int:
        return self.writer.transport.get_write_buffer_size()

    def send(self, frames: Iterable[bytes]) -> None:
        if self.writer.transport.is_closing():
            return
        self.writer.write(b"".join(frame + END_OF_FRAME for frame in frames))

    def respond(self, action: Mapping[str, str], kind: str, **headers: object) -> None:
        given = {"ActionID": action["actionid"]} if action.get("actionid") else {}
        self.send([render({"Response": kind, **given, **headers})])

    def fail(self, action: Mapping[str, str], message: str) -> None:
        self.respond(action, "Error", Message=message)


class AmiServer:
    """The manager interface: any number of clients, of which none can keep another waiting.

    Attributes:
        board: what to answer from.
        clock: the switchboard's.
        dropped: clients cut off because they did not read.
    """

    def __init__(self, clock: PlayedClock, credentials: Credentials | None, say: Say) -> None:
        self.board = PlayedSwitchboard("play", DEFAULT_GREETING)
        self.clock = clock
        self.dropped = 0
        self.somebody_listens = asyncio.Event()
        self._credentials = credentials
        self._say = say
        self._clients: set[_Client] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._actions: dict[str, Callable[[_Client, Mapping[str, str]], None]] = {
            "ping": self._ping,
            "logoff": self._logoff,
            "events": self._events,
            "queuestatus": self._queue_status,
            "queuesummary": self._queue_summary,
        }

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which is a free one if 0 was asked for. Raises `OSError`."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=MAX_LINE_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and hang up on everybody."""
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def disconnect_all(self) -> None:
        """Hang up on everybody, once they have got what was sent to them."""
        for client in self._clients:
            client.writer.close()

    def broadcast(self, frame: bytes) -> None:
        """Send a live event to everybody who wants events."""
        for client in self._clients:
            if client.logged_in and client.wants_events:
                client.send([frame])
                if client.unread_bytes > MAX_UNREAD_BYTES:
                    self._drop(client)

    async def drained(self) -> None:
        """Wait for those who leave much unread; who does not take it in time is cut off."""
        for client in list(self._clients):
            try:
                async with asyncio.timeout(STALLED_S):
                    await client.writer.drain()
            except TimeoutError:
                self._drop(client)
            except ConnectionError:
                pass

    def _drop(self, client: _Client) -> None:
        if not client.writer.transport.is_closing():
            self.dropped += 1
            self._say(f"{client.address}: cut off, it does not read fast enough")
            client.writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        client = _Client(writer)
        if len(self._clients) >= MAX_CLIENTS:
            writer.close()
            return
        self._clients.add(client)
        writer.transport.set_write_buffer_limits(WAIT_BYTES)
        try:
            writer.write(f"Asterisk Call Manager/{self.board.live.ami_version}\r\n".encode())
            await self._converse(client, reader)
        except (_Refused, ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            self._clients.discard(client)
            writer.close()
            if client.logged_in:
                self._say(f"{client.address}: has left")

    async def _converse(self, client: _Client, reader: asyncio.StreamReader) -> None:
        async with asyncio.timeout(LOGIN_TIMEOUT_S):
            while not client.logged_in:
                self._before_login(client, await self._action(client, reader))
                await client.writer.drain()
        while True:
            action = await self._action(client, reader)
            name = action.get("action", "")
            handler = self._actions.get(name.lower())
            if not name:
                client.fail(action, "Missing action in request")
            elif handler is not None:
                handler(client, action)
            elif name.lower() in _REFUSED_ACTIONS:
                client.fail(action, "Permission denied")
            else:
                client.fail(action, _unknown(name))
            await client.writer.drain()

    async def _action(self, client: _Client, reader: asyncio.StreamReader) -> Mapping[str, str]:
        """The next action: its headers by name in lower case, of two with one name the first."""
        headers: dict[str, str] = {}
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                await reader.readexactly(error.consumed)
                client.fail({}, "Failed to parse message: line too long")
                continue
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not text and headers:
                return headers
            name, _, value = text.partition(":")
            if text and len(headers) < MAX_HEADERS:
                headers.setdefault(name.strip().lower(), value.strip())

    def _before_login(self, client: _Client, action: Mapping[str, str]) -> None:
        match action.get("action", "").lower():
            case "challenge":
                if action.get("authtype", "").upper() != "MD5":
                    client.fail(action, "Must specify AuthType")
                    return
                client.challenge = str(secrets.randbelow(10**9))
                client.respond(action, "Success", Challenge=client.challenge)
            case "login":
                self._log_in(client, action)
            case "logoff":
                self._logoff(client, action)
            case _:
                client.fail(action, "Permission denied")

    def _log_in(self, client: _Client, action: Mapping[str, str]) -> None:
        if not self._accepted(client, action):
            client.fail(action, "Authentication failed")
            raise _Refused
        client.logged_in = True
        client.wants_events = action.get("events", "on").lower() not in ("off", "no", "false", "0")
        client.respond(action, "Success", Message="Authentication accepted")
        client.send([fully_booted()])
        self._say(f"{client.address}: logged in as {action.get('username', '')!r}")
        self.somebody_listens.set()

    def _accepted(self, client: _Client, action: Mapping[str, str]) -> bool:
        wanted = self._credentials
        if wanted is None:
            return True
        given, expected = action.get("secret", ""), wanted.secret
        if action.get("authtype", "").upper() == "MD5":
            text = (client.challenge + wanted.secret).encode()
            given, expected = action.get("key", ""), hashlib.md5(text, usedforsecurity=False).hexdigest()
            if not client.challenge:
                return False
        return hmac.compare_digest(given.encode(), expected.encode()) and hmac.compare_digest(
            action.get("username", "").encode(), wanted.username.encode()
        )

    def _ping(self, client: _Client, action: Mapping[str, str]) -> None:
        client.respond(action, "Success", Ping="Pong", Timestamp=f"{self.clock.now():.6f}")

    def _logoff(self, client: _Client, action: Mapping[str, str]) -> None:
        client.respond(action, "Goodbye", Message="Thanks for all the fish.")
        raise _Refused

    def _events(self, client: _Client, action: Mapping[str, str]) -> None:
        client.wants_events = action.get("eventmask", "on").lower() not in ("off", "")
        client.respond(action, "Success", Events="On" if client.wants_events else "Off")

    def _queue_status(self, client: _Client, action: Mapping[str, str]) -> None:
        if not self.board.has_queues:
            client.fail(action, _unknown("QueueStatus"))
            return
        now, queue, member = self.clock.now(), action.get("queue", ""), action.get("member", "")
        client.send(self.board.queue_status(action.get("actionid", ""), queue, member, now))

    def _queue_summary(self, client: _Client, action: Mapping[str, str]) -> None:
        if not self.board.has_queues:
            client.fail(action, _unknown("QueueSummary"))
            return
        queue, now = action.get("queue", ""), self.clock.now()
        client.send(self.board.queue_summary(action.get("actionid", ""), queue, now))


_REFUSED_ACTIONS: Final = frozenset({
    "agentlogoff", "atxfer", "blindtransfer", "bridge", "command", "coreshowchannels", "corestatus", "filter",
    "hangup", "moduleload", "originate", "queueadd", "queuechangeprioritycaller", "queuelog",
    "queuememberringinuse", "queuepause", "queuepenalty", "queuereload", "queueremove", "queuereset",
    "queuewithdrawcaller", "redirect", "reload", "setvar",
})  # fmt: skip
"""Actions that Asterisk has, and that a recording cannot carry out."""


def _unknown(action: str) -> str:
    return f"Invalid/unknown command: {action}. Use Action: ListCommands to show available commands."


# --- playing ----------------------------------------------------------------------------------------------


class Player:
    """Speaks recordings to the clients of a server, one after the other.

    Args:
        recordings: at least one.
        speed: 1.0 is as recorded; `FULL_SPEED` is as fast as the clients read, once there is one.
        loop: begin again after the last one.
        credentials: None lets everybody in.
        say: gets lines for a person.

    Attributes:
        rounds: recordings begun.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        *,
        speed: float = 1.0,
        loop: bool = False,
        credentials: Credentials | None = None,
        say: Say = lambda line: None,
    ) -> None:
        self.rounds = 0
        self._recordings = recordings
        self._loop = loop
        self._say = say
        self._clock = PlayedClock(speed)
        self.server = AmiServer(self._clock, credentials, say)

    async def run(self) -> None:
        """Play; returns at the end of the last recording, never if it is to loop. The server stays up."""
        while True:
            for recording in self._recordings:
                await self._play(recording)
            if not self._loop:
                break
            self._say("from the beginning again")
        self._clock.run_as_ours()
        self._say("the recording has ended; its last state stays, and is told to whoever asks (Ctrl-C ends)")

    async def _play(self, recording: Recording) -> None:
        again = self.rounds > 0
        self.rounds += 1
        server = self.server
        if again:
            for event in server.board.everybody_hangs_up(self._clock.now()):
                server.broadcast(event)
        shift = self._shift(recording, again)
        server.board = PlayedSwitchboard(recording.name, recording.greeting or DEFAULT_GREETING)
        begin = next(
            (index for index, frame in enumerate(recording.frames) if frame.live), len(recording.frames)
        )
        for frame in recording.frames[:begin]:
            server.board.take(shift.apply(frame.data), frame.at + shift.seconds)
        if again:
            server.broadcast(fully_booted(self._clock.now()))
            await asyncio.sleep(RESYNC_PAUSE_S)
        elif self._clock.speed == FULL_SPEED:
            await server.somebody_listens.wait()
        await self._speak(recording, begin, shift)

    def _shift(self, recording: Recording, again: bool) -> TimeShift:
        pause = RESYNC_PAUSE_S * (1.0 if self._clock.speed == FULL_SPEED else self._clock.speed)
        start = self._clock.now() + (pause if again else 0.0)
        # Whole seconds: unique ids begin with a time in whole seconds, and stay in step with it.
        seconds = math.ceil(start - recording.origin)
        return TimeShift(seconds, recording.origin, f"-{self.rounds}" if again else "")

    async def _speak(self, recording: Recording, begin: int, shift: TimeShift) -> None:
        server, clock = self.server, self._clock
        untimed = clock.now()
        for number, frame in enumerate(recording.frames[begin:]):
            at = frame.at + shift.seconds if recording.has_times else untimed + number * UNTIMED_SPACING_S
            if clock.speed == FULL_SPEED:
                clock.reached(at)
            else:
                await clock.wait_for(at)
            if number % FRAMES_AT_ONCE == 0:
                await asyncio.sleep(0)
                await server.drained()
            data = shift.apply(frame.data)
            server.board.take(data, at)
            if frame.live:
                server.broadcast(data)
            if server.board.ending:
                server.disconnect_all()
        await server.drained()


def play(
    recordings: Sequence[Recording],
    *,
    host: str,
    port: int,
    speed: float,
    loop: bool,
    credentials: Credentials | None,
    say: Say,
) -> None:
    """Serve recordings until SIGINT or SIGTERM. Raises `OSError` if it cannot listen there."""

    async def serve() -> None:
        player = Player(recordings, speed=speed, loop=loop, credentials=credentials, say=say)
        actual_port = await player.server.start(host, port)

        async def introduce_and_play() -> None:
            for line in introduction(recordings, host, actual_port, speed, loop, credentials):
                say(line)
            await player.run()
            await asyncio.Event().wait()

        try:
            await _until_signalled(introduce_and_play())
        finally:
            await player.server.close()

    asyncio.run(serve())


async def _until_signalled(work: Coroutine[None, None, None]) -> None:
    """Run until done, or until SIGINT or SIGTERM, which cancel it."""
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def introduction(
    recordings: Sequence[Recording],
    host: str,
    port: int,
    speed: float,
    loop: bool,
    credentials: Credentials | None,
) -> list[str]:
    """What a person needs to know to use the played switchboard."""
    lines = [_about(recording) for recording in recordings]
    pace = "as fast as it is read" if speed == FULL_SPEED else f"at {speed:g} times its speed"
    who = f"user {credentials.username!r}" if credentials else "any user and secret"
    lines.append(
        f"listening on {format_address(host, port)}, {who}; {pace}{', over and over' if loop else ''}"
    )
    if credentials is not None:
        return lines
    if not is_loopback(host):
        lines.append("warning: everybody who can reach this address can read the recording")
    lines += [
        "to watch it, put this into asterpanel.yml (any text in the variable will do as the secret):",
        "  switchboards:",
        f"    demo: {{host: {host}, port: {port}, username: demo, secret_env: DEMO_SECRET}}",
    ]
    return lines


def _about(recording: Recording) -> str:
    events = sum(frame.live for frame in recording.frames)
    version = asterisk_version(recording.greeting)
    of = f", of Asterisk {version}" if version else ""
    length = _duration(recording.duration_s) if recording.has_times else "without times"
    return f"{recording.name}: {length}, {events:,} events{of}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
