"""The AMI session against a server that behaves, misbehaves or falls silent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from asterpanel_switchboard import dialing
from asterpanel_switchboard.actions import InvalidActionValue
from asterpanel_switchboard.config import SwitchboardConfig
from asterpanel_switchboard.config.models import TlsConfig
from asterpanel_switchboard.connection import AmiProtocol
from asterpanel_switchboard.events import CallerJoined, Event, FullyBooted, QueueListed, QueueListEnded
from asterpanel_switchboard.intake import Intake, WireError
from asterpanel_switchboard.session import (
    ActionFailed,
    AmiSession,
    Backoff,
    Disconnected,
    DisconnectReason,
    SessionState,
)
from tests.ami_server import GREETING, Action, AmiServer, queue_list, response
from tests.certificates import Certificate, make_certificate
from tests.leaks import nothing_left_behind
from tests.unit.ami import frame, join, queue_params
from tests.waiting import eventually, for_a_while

FULLY_BOOTED = frame("FullyBooted", [("Privilege", "system,all"), ("Status", "Fully Booted")])
PING_S = 0.15
"""Interval and time-out of pings here, where it matters."""


@pytest.fixture(autouse=True)
async def _clean() -> AsyncIterator[None]:
    async with nothing_left_behind():
        yield


@pytest.fixture
async def server() -> AsyncIterator[AmiServer]:
    async with AmiServer([queue_params("billing")]) as running:
        yield running


class Ears:
    """Listens to a session, and keeps what it hears in order."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.events: list[Event] = []
        self.pongs: list[tuple[float | None, float]] = []

    def connected(self, ami_version: str) -> None:
        self.heard.append(("connected", ami_version))

    def received(self, events: Sequence[Event]) -> None:
        self.events += events
        self.heard += events

    def pong(self, switchboard_time: float | None, round_trip_s: float) -> None:
        self.pongs.append((switchboard_time, round_trip_s))

    def disconnected(self, reason: DisconnectReason) -> None:
        self.heard.append(reason)

    @property
    def losses(self) -> list[DisconnectReason]:
        return [heard for heard in self.heard if isinstance(heard, DisconnectReason)]


class Deaf(Ears):
    """Raises at one kind of call."""

    def __init__(self, at: str) -> None:
        super().__init__()

        def fail(*_: object) -> None:
            raise ZeroDivisionError(at)

        setattr(self, at, fail)


def settings(server: AmiServer, **more: Any) -> SwitchboardConfig:
    values: dict[str, Any] = {
        "name": "milano",
        "host": server.host,
        "port": server.port,
        "username": server.username,
        "secret": SecretStr(server.secret),
        **more,
    }
    return SwitchboardConfig(**values)


def new_session(server: AmiServer, ears: Ears | None = None, **more: Any) -> AmiSession:
    return AmiSession(settings(server, **more), ears or Ears(), wall_clock=time.time)


@contextlib.asynccontextmanager
async def running(session: AmiSession) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(session.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def connected(session: AmiSession, within: float = 3.0) -> None:
    await eventually(lambda: session.state is SessionState.CONNECTED, within, "connected")


async def lost(ears: Ears, times: int = 1, within: float = 3.0) -> float:
    return await eventually(lambda: len(ears.losses) >= times, within, "disconnected")


# --- login ------------------------------------------------------------------------------------------------


async def test_logs_in(server: AmiServer) -> None:
    ears, before = Ears(), time.time()
    session = new_session(server, ears)
    assert (session.state, session.problem, session.ami_version) == (SessionState.CONNECTING, "", "")
    async with running(session):
        await connected(session)
        assert ears.heard == [("connected", "11.0.0")]
        assert session.ami_version == "11.0.0"
        assert session.problem == ""
        assert before <= session.since <= time.time()
        assert not session.attempts
        login = server.actions[0].headers
        login.pop("actionid")
        assert login == {
            "action": "Login",
            "username": server.username,
            "secret": server.secret,
            "events": "on",
        }
    assert session.state is SessionState.DISCONNECTED
    await eventually(lambda: not server.open)


async def test_md5_sends_no_secret(server: AmiServer) -> None:
    session = new_session(server, auth="md5")
    async with running(session):
        await connected(session)
    assert [action.name for action in server.actions[:2]] == ["Challenge", "Login"]
    assert server.secret.encode() not in server.received


@pytest.mark.parametrize("auth", ["plain", "md5"])
@pytest.mark.parametrize("then", ["", "login"], ids=["stays open", "closes"])
async def test_a_refused_login_is_an_error_of_its_own(server: AmiServer, auth: str, then: str) -> None:
    server.secret = "changed-on-the-switchboard"
    server.close_after = then
    ears = Ears()
    session = AmiSession(settings(server, secret=SecretStr("old-one"), auth=auth), ears, wall_clock=time.time)
    async with running(session):
        await lost(ears)
        assert session.state is SessionState.REFUSED
        assert session.problem.startswith("login as 'asterpanel' refused: Authentication failed")
        assert ears.heard == [DisconnectReason.AUTHENTICATION]
        await eventually(lambda: not server.open)
        await for_a_while(lambda: server.connections == 1, 0.4, "one guess only")
        assert not session.attempts


async def test_a_refused_challenge_counts_as_a_refused_login(server: AmiServer) -> None:
    server.answers["Challenge"] = lambda action: response(action, "Error", Message="Must specify AuthType")
    session = new_session(server, auth="md5")
    async with running(session):
        await eventually(lambda: session.state is SessionState.REFUSED)


@pytest.mark.parametrize("auth", ["plain", "md5"])
@pytest.mark.parametrize("refuse", [False, True])
async def test_secrets_are_in_no_log(
    server: AmiServer, auth: str, refuse: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert asyncio.get_running_loop().get_debug()
    caplog.set_level(logging.DEBUG)
    for logger in ("asyncio", "panoramisk", "panoramisk.manager", "panoramisk.ami_protocol"):
        caplog.set_level(logging.DEBUG, logger)
    server.refuse = refuse
    ears = Ears()
    session = new_session(server, ears, auth=auth, ping_interval=0.1)
    async with running(session):
        await eventually(lambda: ears.losses or ears.pongs)
        server.reset()
        await lost(ears)
    keys = [action.headers["key"] for action in server.actions if "key" in action.headers]
    for secret in (server.secret, *keys):
        assert secret not in caplog.text
        assert secret not in repr(session.settings)
        assert secret not in session.problem


async def test_secrets_are_in_no_log_even_when_sending_fails(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(asyncio.Transport):
        def write(self, data: object) -> None:
            raise RuntimeError("broken")

        def abort(self) -> None:
            pass

    caplog.set_level(logging.DEBUG)
    protocol = AmiProtocol(Intake("milano"), lambda: None, lambda events: None, None)
    protocol.connection_made(Broken())
    protocol.send({"Action": "Login", "Username": "me", "Secret": "let-me-in"})
    protocol.close()
    assert "Fail to send" in caplog.text
    assert "let-me-in" not in caplog.text


# --- events and responses -----------------------------------------------------------------------------------


async def test_no_event_is_believed_before_the_login(server: AmiServer) -> None:
    server.greeting = GREETING + join(1.0, "billing", "too-early", 1, 1)
    server.answers["Login"] = lambda action: (
        join(2.0, "billing", "still-too-early", 1, 1)
        + response(action, Message="Authentication accepted")
        + join(3.0, "billing", "right", 1, 1)
        + FULLY_BOOTED
    )
    ears = Ears()
    session = new_session(server, ears)
    async with running(session):
        await eventually(lambda: len(ears.heard) == 3)
        greeting, first, second = ears.heard
        assert greeting == ("connected", "11.0.0")
        assert isinstance(first, CallerJoined)
        assert first.caller.uniqueid == "right"
        assert isinstance(second, FullyBooted)


async def test_an_unaccepted_login_is_none_whatever_the_text_says(server: AmiServer) -> None:
    server.answers["Login"] = lambda action: (
        b"Response: Success\r\nActionID: somebody-else\r\nMessage: Authentication accepted\r\n\r\n"
        + join(1.0, "billing", "1.1", 1, 1)
    )
    ears = Ears()
    session = new_session(server, ears, connect_timeout=0.2)
    async with running(session):
        await lost(ears)
        assert not ears.events


async def test_a_request_gets_the_response_that_begins_a_list(server: AmiServer) -> None:
    ears = Ears()
    session = new_session(server, ears)
    async with running(session):
        await connected(session)
        answer = await session.request({"Action": "QueueStatus", "ActionID": "mine/1"})
        assert answer.message == "Queue status will follow"
        await eventually(lambda: len(ears.events) == 2)
        listed, ended = ears.events
        assert isinstance(listed, QueueListed)
        assert ended == QueueListEnded("mine/1")


async def test_answers_in_another_order_find_their_requests(server: AmiServer) -> None:
    server.answers["Slow"] = lambda action: response(action, Message="slow")
    server.answers["Fast"] = lambda action: response(action, Message="fast")
    server.delays["Slow"] = 0.1
    session = new_session(server)
    async with running(session):
        await connected(session)
        slow, fast = await asyncio.gather(
            session.request({"Action": "Slow"}), session.request({"Action": "Fast"})
        )
        assert (slow.message, fast.message) == ("slow", "fast")


async def test_an_error_is_raised_with_the_switchboards_words(server: AmiServer) -> None:
    session = new_session(server)
    async with running(session):
        await connected(session)
        with pytest.raises(ActionFailed, match="Invalid/unknown command: Nonsense"):
            await session.request({"Action": "Nonsense"})


async def test_an_answer_that_comes_too_late_is_nobodys(server: AmiServer) -> None:
    server.answers["Slow"] = lambda action: response(action, Message="slow")
    server.delays["Slow"] = 0.15
    session = new_session(server)
    async with running(session):
        await connected(session)
        with pytest.raises(TimeoutError):
            await session.request({"Action": "Slow"}, 0.05)
        protocol = session._protocol
        assert protocol is not None
        await eventually(lambda: not protocol.responses, what="forgotten")
        server.delays["Slow"] = 0.0
        assert (await session.request({"Action": "Slow"})).message == "slow"


@pytest.mark.parametrize(
    "frame_",
    [
        b"Response: Success\r\n\r\n",
        b"Response: Success\r\nActionID: nobody\r\nMessage: x\r\n\r\n",
        b"Response: Success\r\nActionID: a\r\nActionID: b\r\n\r\n",
        b"Response: Success\r\nResponse: Error\r\nMessage: a\r\nMessage: b\r\n\r\n",
        b"Response: Goodbye\r\nEvent: Shutdown\r\n\r\n",
        b"Response: Follows\r\nCommandID: \xff\xfe\r\n\r\n",
        b"Response: \r\n\r\n",
        b"\r\n\r\n\r\n\r\nResponse: \r\n\n\r\n\r\n",
    ],
)
async def test_strange_responses_do_no_harm(server: AmiServer, frame_: bytes) -> None:
    session = new_session(server)
    async with running(session):
        await connected(session)
        server.send(frame_)
        assert (await session.request({"Action": "Ping"})).ping == "Pong"
        assert server.connections == 1


async def test_of_repeated_headers_the_first_counts(server: AmiServer) -> None:
    server.answers["QueueStatus"] = lambda action: (
        f"Response: Success\r\nActionID: {action.headers['actionid']}\r\nactionid: other\r\n"
        "Message: first\r\nMessage: second\r\nEvent: Shutdown\r\n\r\n"
    ).encode()
    session = new_session(server)
    async with running(session):
        await connected(session)
        answer = await session.request({"Action": "QueueStatus"})
        assert answer.message == "first"
        assert server.connections == 1


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_much_at_once_is_taken_in_turns_whole_and_in_order(
    server: AmiServer, tls_server: AmiServer, certificate: Certificate, tls: bool
) -> None:
    one = tls_server if tls else server
    more: dict[str, Any] = {"tls": TlsConfig(ca_file=certificate.authority, server_name="pbx.lan")}
    ears = Ears()
    session = new_session(one, ears, **(more if tls else {}))
    async with running(session):
        await eventually(lambda: ears.pongs)
        most = 0
        one.send(b"".join(join(None, "billing", f"1.{number}", 1, 1) for number in range(5000)))
        one.close()
        while not ears.losses:
            before = len(ears.events)
            await asyncio.sleep(0)
            most = max(most, len(ears.events) - before)
        ids = [event.caller.uniqueid for event in ears.events if isinstance(event, CallerJoined)]
        assert ids == [f"1.{number}" for number in range(5000)]
        assert tls or most < 100  # the end of a TLS stream comes at once, and all that is left with it


# --- what must not be sent ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action",
    [
        {"Action": "QueuePause", "Reason": "tea\r\nAction: Command"},
        {"Action": "QueuePause", "Reason": "tea\nAction: Command"},
        {"Action": "QueuePause", "Reason": "tea\rAction: Command"},
        {"Action": "QueuePause", "Reason": "tea\x00"},
        {"Action": "QueuePause", "Reason": "tea\x7f"},
        {"Action": "QueuePause", "Reason": "\udcff"},
        {"Action": "QueuePause", "Reason": "x" * 1001},
        {"Action": "QueuePause", "Reason\r\nSecret": "x"},
        {"Action": "QueuePause", "Reason: x": "x"},
        {"Action": "QueuePause\r\n"},
        {"Action": "QueuePause", "Variable": ["a", "b\r\nc"]},
        {"Action": "QueuePause", "ActionID": "1\r\n\r\nAction: Command"},
    ],
)
async def test_a_value_that_could_begin_another_header_is_refused(
    server: AmiServer, action: dict[str, Any]
) -> None:
    session = new_session(server)
    with pytest.raises(InvalidActionValue):
        await session.request(action)
    async with running(session):
        await connected(session)
        await session.request({"Action": "Ping"})
        before = server.received
        with pytest.raises(InvalidActionValue):
            await session.request(action)
        await session.request({"Action": "Ping"})
        (written,) = server.received.removeprefix(before).split(b"\r\n\r\n")[:-1]
        assert written.startswith(b"Action: Ping\r\n")


async def test_nothing_is_sent_again_after_a_reconnect(server: AmiServer) -> None:
    server.answers["QueuePause"] = lambda action: None
    server.behind_login = FULLY_BOOTED  # at which panoramisk itself would send it again
    session = new_session(server)
    async with running(session):
        await connected(session)
        asked = asyncio.create_task(session.request({"Action": "QueuePause", "Interface": "PJSIP/1001"}))
        await eventually(lambda: server.count("QueuePause") == 1)
        server.reset()
        with pytest.raises(Disconnected, match="closed the connection"):
            await asked
        await eventually(lambda: server.connections == 2)
        await connected(session)
        server.send(FULLY_BOOTED)
        await session.request({"Action": "Ping"})
        assert server.count("QueuePause") == 1


async def test_nothing_is_kept_for_later_without_a_connection(server: AmiServer) -> None:
    server.stop()
    session = new_session(server)
    async with running(session):
        await eventually(lambda: session.state is SessionState.DISCONNECTED)
        with pytest.raises(Disconnected):
            await session.request({"Action": "QueuePause", "Interface": "PJSIP/1001"})
        await server.start()
        await connected(session)
        await session.request({"Action": "Ping"})
        assert server.count("QueuePause") == 0


# --- pings --------------------------------------------------------------------------------------------------


async def test_pings_tell_the_switchboards_time(server: AmiServer) -> None:
    ears = Ears()
    session = new_session(server, ears, ping_interval=0.1)
    async with running(session):
        await eventually(lambda: len(ears.pongs) >= 3)
        theirs, round_trip = ears.pongs[-1]
        assert theirs is not None
        assert abs(theirs - time.time()) < 1.0
        assert 0 < round_trip < 0.1
        assert server.count("Ping") <= 4


@pytest.mark.parametrize("stamp", ["nan", "inf", "-inf", "1e999", "yesterday", "", "1\r\nTimestamp: x"])
async def test_a_pong_with_a_strange_time_is_a_pong(server: AmiServer, stamp: str) -> None:
    server.answers["Ping"] = lambda action: response(action, Ping="Pong", Timestamp=stamp)
    ears = Ears()
    session = new_session(server, ears, ping_interval=0.1, ping_timeout=0.1)
    async with running(session):
        await eventually(lambda: server.count("Ping") >= 4)
        assert not ears.losses
        assert {theirs for theirs, _ in ears.pongs} <= {None, 1.0}


async def test_silence_is_found_in_time(server: AmiServer) -> None:
    ears = Ears()
    session = new_session(server, ears, ping_interval=PING_S, ping_timeout=PING_S)
    async with running(session):
        for silences in range(1, 4):
            await connected(session)
            server.freeze()
            took = await lost(ears, silences)
            assert took <= 2 * PING_S + 0.1
            assert ears.losses == [DisconnectReason.SILENCE] * silences
            assert session.problem == "no answer to a ping within 0.15 s"
            server.thaw()
    assert session.attempts.keys() <= {DisconnectReason.SILENCE}


async def test_the_time_limit_of_a_ping_counts_from_the_last_sign_of_life(server: AmiServer) -> None:
    """Not from the next time that somebody looks: that would double it."""
    ears = Ears()
    server.answers["Ping"] = lambda action: None
    session = new_session(server, ears, ping_interval=0.1, ping_timeout=0.4)
    async with running(session):
        await eventually(lambda: server.count("Ping") == 1)
        await asyncio.sleep(0.1)
        server.send(FULLY_BOOTED)
        took = await lost(ears)
        assert 0.35 < took < 0.5


async def test_a_busy_switchboard_that_answers_late_is_not_cut(server: AmiServer) -> None:
    ears = Ears()
    server.delays["Ping"] = 4 * PING_S
    session = new_session(server, ears, ping_interval=PING_S, ping_timeout=PING_S)
    async with running(session):
        await connected(session)
        until = time.monotonic() + 5 * PING_S
        while time.monotonic() < until:
            server.send(join(None, "billing", "1.1", 1, 1))
            await asyncio.sleep(PING_S / 4)
        await eventually(lambda: ears.pongs)
        assert ears.pongs[0][1] >= 4 * PING_S
        assert not ears.losses
        assert server.connections == 1


async def test_unanswered_pings_do_not_pile_up(server: AmiServer) -> None:
    server.answers["Ping"] = lambda action: None
    session = new_session(server, ping_interval=0.1, ping_timeout=0.1)
    async with running(session):
        await connected(session)
        for _ in range(30):
            server.send(FULLY_BOOTED)
            await asyncio.sleep(0.02)
        assert server.count("Ping") == 1
        protocol = session._protocol
        assert protocol is not None
        assert len(protocol.responses) == 1


async def test_a_drip_of_bytes_is_no_sign_of_life_and_costs_no_memory(server: AmiServer) -> None:
    ears = Ears()
    session = new_session(server, ears, ping_interval=0.1, ping_timeout=0.3)
    async with running(session):
        await eventually(lambda: ears.pongs)
        server.answers["Ping"] = lambda action: None
        tracemalloc.start()
        try:
            before = session.bytes_received
            while not ears.losses:
                for client in server.open:
                    if client.transport.get_write_buffer_size() == 0:
                        client.send(b"x" * 65536)
                await asyncio.sleep(0)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert ears.losses == [DisconnectReason.SILENCE]
        assert session.bytes_received - before > 4_000_000
        assert peak < 3_000_000


# --- reconnecting -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [AmiServer.close, AmiServer.reset])
async def test_comes_back_after_a_loss(server: AmiServer, how: Callable[[AmiServer], None]) -> None:
    ears = Ears()
    session = new_session(server, ears)
    async with running(session):
        await eventually(lambda: ears.pongs)
        since, received = session.since, session.bytes_received
        how(server)
        await lost(ears)
        assert session.state is SessionState.DISCONNECTED
        assert session.problem == "the switchboard closed the connection"
        assert session.since > since
        assert not session.attempts
        assert session.bytes_received == received
        await connected(session)
        assert session.attempts == {DisconnectReason.CLOSED: 1}
        assert session.problem == ""
        assert ears.heard == [("connected", "11.0.0"), DisconnectReason.CLOSED, ("connected", "11.0.0")]
        assert session.bytes_received > received
        assert session.frames_received >= 2


async def test_an_unreachable_switchboard_is_tried_every_second(server: AmiServer) -> None:
    server.stop()
    ears = Ears()
    session = new_session(server, ears)
    async with running(session):
        await lost(ears, 5, within=6.0)
        assert set(ears.losses) == {DisconnectReason.UNREACHABLE}
        assert session.problem == "Connection refused"
        await server.start()
        await connected(session, within=1.5)
        assert session.attempts[DisconnectReason.UNREACHABLE] == len(ears.losses)


class Door:
    """A listening socket whose queue is full: Linux drops further SYN packets in silence."""

    def __init__(self) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(0)
        self.socket.setblocking(False)
        self.address = self.socket.getsockname()
        self._visitors: list[socket.socket] = []
        while self._visit():
            pass

    def _visit(self) -> bool:
        visitor = socket.socket()
        visitor.settimeout(0.1)
        self._visitors.append(visitor)
        try:
            visitor.connect(self.address)
        except TimeoutError:
            return len(self._visitors) > 20
        return True

    def open(self) -> None:
        """Let everybody in who has been waiting."""
        for visitor in self._visitors:
            visitor.close()
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.accept()[0].close()

    def close(self) -> None:
        self.open()
        self.socket.close()


async def test_packets_lost_in_silence_delay_no_further_attempt(server: AmiServer) -> None:
    door = Door()
    ears = Ears()
    session = AmiSession(
        settings(server, host=door.address[0], port=door.address[1]), ears, wall_clock=time.time
    )
    try:
        async with running(session):
            await for_a_while(lambda: session.state is SessionState.CONNECTING, 2.2)
            door.open()
            loop = asyncio.get_running_loop()
            accept = asyncio.create_task(loop.sock_accept(door.socket))
            took = await eventually(accept.done, 2.0, "connected")
            accept.result()[0].close()
            assert took < dialing.REDIAL_S + 0.2
            assert not ears.losses
    finally:
        door.close()


async def test_connecting_has_a_time_limit(server: AmiServer) -> None:
    door = Door()
    ears = Ears()
    session = AmiSession(
        settings(server, host=door.address[0], port=door.address[1], connect_timeout=0.3),
        ears,
        wall_clock=time.time,
    )
    try:
        async with running(session):
            took = await lost(ears)
            assert 0.25 < took < 0.5
            assert ears.losses == [DisconnectReason.TIMEOUT]
            assert session.problem == "no connection within 0.3 s"
    finally:
        door.close()


async def test_hanging_attempts_are_few(server: AmiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "REDIAL_S", 0.1)
    door = Door()
    session = AmiSession(
        settings(server, host=door.address[0], port=door.address[1]), Ears(), wall_clock=time.time
    )
    try:
        async with running(session):
            most = 0
            until = time.monotonic() + 1.0
            while time.monotonic() < until:
                attempts = [
                    task
                    for task in asyncio.all_tasks()
                    if "object _attempt at" in repr(task.get_coro()) and not task.cancelling()
                ]
                most = max(most, len(attempts))
                await asyncio.sleep(0.01)
            assert most == dialing.MOST_ATTEMPTS
    finally:
        door.close()


# --- names --------------------------------------------------------------------------------------------------

Resolve = Callable[[str, int], list[tuple[Any, ...]]]


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Callable[[Resolve], None]:
    """Sets what names resolve to, in place of the machine's resolver; addresses go their usual way."""
    original = socket.getaddrinfo

    def install(resolve: Resolve) -> None:
        def getaddrinfo(host: str, port: int, **more: Any) -> list[tuple[Any, ...]]:
            if more.get("flags", 0) & socket.AI_NUMERICHOST or host == "127.0.0.1":
                return list(original(host, port, **more))
            return resolve(host, port)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return install


async def test_tries_all_addresses_of_a_name(
    server: AmiServer, name_server: Callable[[Resolve], None]
) -> None:
    name_server(
        lambda host, port: [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]
    )
    session = new_session(server, host="pbx.lan")
    async with running(session):
        await connected(session, within=0.5)


async def test_an_address_that_swallows_packets_does_not_hide_the_next(
    server: AmiServer, name_server: Callable[[Resolve], None]
) -> None:
    door = Door()
    name_server(
        lambda host, port: [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", door.address),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]
    )
    session = new_session(server, host="pbx.lan")
    try:
        async with running(session):
            await connected(session, within=dialing.REDIAL_S + 0.3)
    finally:
        door.close()


async def test_an_unknown_name(server: AmiServer, name_server: Callable[[Resolve], None]) -> None:
    def unknown(host: str, port: int) -> list[tuple[Any, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    name_server(unknown)
    ears = Ears()
    session = new_session(server, ears, host="no-such-host.lan")
    async with running(session):
        await lost(ears)
        assert ears.losses == [DisconnectReason.UNREACHABLE]
        assert session.problem == "Name or service not known"


async def test_a_silent_name_server_holds_up_nobody(
    server: AmiServer, name_server: Callable[[Resolve], None]
) -> None:
    answer = threading.Event()

    def silent(host: str, port: int) -> list[tuple[Any, ...]]:
        answer.wait(20.0)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    name_server(silent)
    ears = [Ears() for _ in range(40)]
    sessions = [
        new_session(server, one, host=f"pbx{n}.lan", connect_timeout=0.3) for n, one in enumerate(ears)
    ]
    other = new_session(server)
    try:
        async with contextlib.AsyncExitStack() as stack:
            for session in sessions:
                await stack.enter_async_context(running(session))
            await stack.enter_async_context(running(other))
            await connected(other, within=1.0)
            await eventually(lambda: all(one.losses for one in ears))
            assert {session.problem for session in sessions} == {"no connection within 0.3 s"}
            started = time.monotonic()
        assert time.monotonic() - started < 0.5
        started = time.monotonic()
        await asyncio.get_running_loop().shutdown_default_executor()
        assert time.monotonic() - started < 0.5
    finally:
        answer.set()


# --- the pace -----------------------------------------------------------------------------------------------


def paces(reason: DisconnectReason, number: int, jitter: float = 1.0) -> list[float]:
    backoff = Backoff(lambda: jitter)
    return [backoff.pause_s(reason) for _ in range(number)]


def test_the_back_off_grows_to_a_limit_that_depends_on_the_reason() -> None:
    assert paces(DisconnectReason.UNREACHABLE, 6) == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert paces(DisconnectReason.TIMEOUT, 6)[-1] == 1.0
    assert paces(DisconnectReason.SILENCE, 6)[-1] == 1.0
    assert paces(DisconnectReason.CLOSED, 9)[-3:] == [5.0, 5.0, 5.0]
    assert paces(DisconnectReason.TLS, 12)[-2:] == [30.0, 30.0]
    assert paces(DisconnectReason.PROTOCOL, 12)[-2:] == [30.0, 30.0]


def test_refused_logins_have_the_slowest_pace_from_the_first_on() -> None:
    assert paces(DisconnectReason.AUTHENTICATION, 3) == [60.0, 60.0, 60.0]
    assert max(paces(reason, 20)[-1] for reason in DisconnectReason) == 60.0
    for reason in DisconnectReason:
        if reason is not DisconnectReason.AUTHENTICATION:
            assert paces(reason, 20)[-1] < 60.0


@pytest.mark.parametrize("reason", DisconnectReason)
def test_pauses_are_jittered_between_half_and_the_whole(reason: DisconnectReason) -> None:
    for shortest, between, longest in zip(
        paces(reason, 8, 0.0), paces(reason, 8, 0.4), paces(reason, 8, 1.0), strict=True
    ):
        assert shortest == pytest.approx(longest / 2)
        assert between == pytest.approx(longest * 0.7)
    backoff = Backoff()
    assert len({backoff.pause_s(reason) for _ in range(20)}) == 20


def test_after_a_good_connection_the_back_off_begins_anew() -> None:
    backoff = Backoff(lambda: 1.0)
    for _ in range(8):
        backoff.pause_s(DisconnectReason.CLOSED)
    assert backoff.pause_s(DisconnectReason.CLOSED, connected_s=3600.0) == 0.1


def test_a_switchboard_that_hangs_up_after_each_login_is_not_hammered() -> None:
    backoff = Backoff(lambda: 1.0)
    pauses = [backoff.pause_s(DisconnectReason.CLOSED, connected_s=0.2) for _ in range(8)]
    assert pauses[-1] == 5.0


def test_a_refusal_does_not_slow_down_what_comes_after_it() -> None:
    backoff = Backoff(lambda: 1.0)
    backoff.pause_s(DisconnectReason.AUTHENTICATION)
    assert backoff.pause_s(DisconnectReason.UNREACHABLE) == 1.0


# --- servers that are none, or slow -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("greeting", "reason", "problem"),
    [
        (b"", "timeout", "no AMI greeting within 0.3 s (a TLS port, or not the manager interface?)"),
        (b"Asterisk Call Man", "timeout", "no AMI greeting within 0.3 s"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "timeout", "no AMI greeting within 0.3 s"),
        (b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n<html>", "protocol", "no Asterisk manager interface"),
        (b"\x16\x03\x01\x00" * 9 + b"\r\n\r\n", "protocol", "no Asterisk manager interface"),
        (b"x" * 5_000_000, "timeout", "no AMI greeting within 0.3 s"),
        (b"Asterisk Call Manager/" + b"1" * 5_000_000, "timeout", "no AMI greeting within 0.3 s"),
        (b"Asterisk Call Manager/\r\n", "protocol", "no Asterisk manager interface"),
        (b"garbage\r\n\r\n" * 10_000, "protocol", "no Asterisk manager interface"),
    ],
    ids=["silence", "half", "ssh", "http", "binary", "endless", "endless version", "no version", "garbage"],
)
async def test_what_is_no_manager_interface(
    server: AmiServer, greeting: bytes, reason: str, problem: str
) -> None:
    server.greeting = greeting
    ears = Ears()
    session = new_session(server, ears, connect_timeout=0.3)
    async with running(session):
        await lost(ears, within=1.0)
        assert ears.losses == [reason]
        assert session.problem.startswith(problem)
        assert session.state is SessionState.DISCONNECTED
        assert server.count("Login") == 0


@pytest.mark.parametrize(
    ("slow", "auth", "problem"),
    [
        ("greeting", "plain", "no AMI greeting within 0.3 s"),
        ("Login", "plain", "no answer to the login within 0.3 s"),
        ("Challenge", "md5", "no answer to the login within 0.3 s"),
        ("Login", "md5", "no answer to the login within 0.3 s"),
    ],
)
async def test_each_step_of_the_login_has_a_time_limit(
    server: AmiServer, slow: str, auth: str, problem: str
) -> None:
    server.delays[slow] = 5.0
    ears = Ears()
    session = new_session(server, ears, connect_timeout=0.3, auth=auth)
    async with running(session):
        took = await lost(ears)
        assert 0.25 < took < 0.6
        assert ears.losses == [DisconnectReason.TIMEOUT]
        assert session.problem.startswith(problem)
        server.delays.clear()
        await connected(session)


@pytest.mark.parametrize(
    ("step", "reason", "problem"),
    [
        ("connect", "unreachable", "closed without an AMI greeting"),
        ("challenge", "closed", "the switchboard closed the connection"),
        ("login", "closed", "the switchboard closed the connection"),
        ("ping", "closed", "the switchboard closed the connection"),
    ],
)
async def test_a_server_that_closes_at_some_step(
    server: AmiServer, step: str, reason: str, problem: str
) -> None:
    if step == "connect":
        server.greeting = b""
    server.close_after = step
    ears = Ears()
    session = new_session(server, ears, auth="md5")
    async with running(session):
        await lost(ears)
        assert ears.losses == [reason]
        assert session.problem == problem
        server.close_after, server.greeting = "", GREETING
        await connected(session)


async def test_a_login_that_is_closed_instead_of_answered(server: AmiServer) -> None:
    server.answers["Login"] = lambda action: None
    server.close_after = "login"
    ears = Ears()
    session = new_session(server, ears)
    async with running(session):
        await lost(ears)
        assert ears.losses == [DisconnectReason.CLOSED]
        assert session.state is SessionState.DISCONNECTED


async def test_a_switchboard_that_hangs_up_after_each_login(
    server: AmiServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.close_after = "login"
    ears = Ears()
    session = new_session(server, ears)
    async with running(session):
        await lost(ears, 4, within=4.0)
        assert server.connections <= 5
        assert session.attempts[DisconnectReason.CLOSED] == len(ears.losses) - 1
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


# --- TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("ours"), "DNS:pbx.lan", "DNS:localhost")


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("theirs"), "DNS:pbx.lan").authority


@pytest.fixture
async def tls_server(certificate: Certificate) -> AsyncIterator[AmiServer]:
    async with AmiServer(tls=certificate.server_context()) as running_:
        yield running_


@pytest.mark.parametrize("auth", ["plain", "md5"])
async def test_tls_with_our_own_authority(tls_server: AmiServer, certificate: Certificate, auth: str) -> None:
    ears = Ears()
    tls = TlsConfig(ca_file=certificate.authority, server_name="pbx.lan")
    session = new_session(tls_server, ears, tls=tls, auth=auth, ping_interval=0.1)
    async with running(session):
        await eventually(lambda: ears.pongs)
        tls_server.reset()
        await lost(ears)
        await connected(session)
        tls_server.freeze()
    tls_server.thaw()
    await eventually(lambda: not tls_server.open)


async def test_tls_by_the_hosts_own_name(tls_server: AmiServer, certificate: Certificate) -> None:
    session = new_session(tls_server, host="localhost", tls=TlsConfig(ca_file=certificate.authority))
    async with running(session):
        await connected(session)


async def test_tls_unverified(tls_server: AmiServer) -> None:
    session = new_session(tls_server, tls=TlsConfig(verify=False))
    async with running(session):
        await connected(session)


async def tls_problem(server: AmiServer, tls: TlsConfig | None, **more: Any) -> str:
    ears = Ears()
    if tls is not None:
        more["tls"] = tls
    session = new_session(server, ears, connect_timeout=0.4, **more)
    async with running(session):
        await lost(ears, 2)
        assert server.count("Login") == 0
        assert set(ears.losses) == {DisconnectReason.TLS if tls else DisconnectReason.TIMEOUT}
        return session.problem


async def test_tls_wrong_name(tls_server: AmiServer, certificate: Certificate) -> None:
    tls = TlsConfig(ca_file=certificate.authority, server_name="other.lan")
    problem = await tls_problem(tls_server, tls)
    assert problem.startswith("TLS: the certificate is not accepted: Hostname mismatch")
    assert "other.lan" in problem


async def test_tls_address_not_in_the_certificate(tls_server: AmiServer, certificate: Certificate) -> None:
    problem = await tls_problem(tls_server, TlsConfig(ca_file=certificate.authority))
    assert "IP address mismatch" in problem


async def test_tls_untrusted(tls_server: AmiServer, other_authority: Path) -> None:
    problem = await tls_problem(tls_server, TlsConfig(ca_file=other_authority, server_name="pbx.lan"))
    assert problem.startswith("TLS: the certificate is not accepted: ")
    assert "issuer" in problem or "self-signed" in problem or "signature" in problem


async def test_tls_not_trusted_by_the_system(tls_server: AmiServer) -> None:
    problem = await tls_problem(tls_server, TlsConfig(server_name="pbx.lan"))
    assert "the certificate is not accepted" in problem


async def test_tls_to_a_plain_port(server: AmiServer) -> None:
    problem = await tls_problem(server, TlsConfig(verify=False))
    assert problem.startswith("TLS: ")
    assert problem.endswith("in the handshake (does this port speak TLS?)")


async def test_plain_to_a_tls_port(tls_server: AmiServer) -> None:
    problem = await tls_problem(tls_server, None)
    assert problem == "no AMI greeting within 0.4 s (a TLS port, or not the manager interface?)"


async def test_tls_handshake_that_is_never_answered(server: AmiServer) -> None:
    server.greeting = b""
    problem = await tls_problem(server, TlsConfig(verify=False))
    assert problem == "TLS: no answer in the handshake (does this port speak TLS?)"


async def test_tls_handshake_that_is_cut_off(server: AmiServer) -> None:
    server.greeting = b""
    server.close_after = "connect"
    problem = await tls_problem(server, TlsConfig(verify=False))
    assert problem == "TLS: the connection was closed in the handshake (does this port speak TLS?)"


async def test_a_renewed_authority_is_read_again(
    tls_server: AmiServer, certificate: Certificate, other_authority: Path, tmp_path: Path
) -> None:
    file = tmp_path / "authority.pem"
    file.write_bytes(other_authority.read_bytes())
    ears = Ears()
    session = new_session(tls_server, ears, tls=TlsConfig(ca_file=file, server_name="pbx.lan"))
    async with running(session):
        await lost(ears)
        file.unlink()
        await lost(ears, 3)
        assert session.problem == f"TLS: {file}: No such file or directory"
        file.write_bytes(certificate.authority.read_bytes())
        await connected(session)


# --- cancellation, and errors of ours -----------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("auth", ["plain", "md5"])
async def test_cancelled_at_any_moment(
    server: AmiServer, tls_server: AmiServer, certificate: Certificate, tls: bool, auth: str
) -> None:
    """At each round of the event loop from the beginning until it is connected and has pinged."""
    one = tls_server if tls else server
    more: dict[str, Any] = (
        {"tls": TlsConfig(ca_file=certificate.authority, server_name="pbx.lan")} if tls else {}
    )
    reached: set[SessionState] = set()
    for rounds in range(90):
        session = new_session(one, auth=auth, **more)
        task = asyncio.create_task(session.run())
        for _ in range(rounds):
            await asyncio.sleep(0)
        reached.add(session.state)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert session.state is not SessionState.CONNECTED
        with pytest.raises(Disconnected):
            await session.request({"Action": "Ping"})
    assert SessionState.CONNECTED in reached
    await eventually(lambda: not one.open)


@pytest.mark.parametrize("stuck_at", ["dialling", "greeting", "Challenge", "Login", "Ping", "pause"])
async def test_cancelled_while_stuck(server: AmiServer, stuck_at: str) -> None:
    door = Door()
    server.delays[stuck_at] = 30.0
    more: dict[str, Any] = {}
    if stuck_at == "dialling":
        more = {"host": door.address[0], "port": door.address[1]}
    server.refuse = stuck_at == "pause"
    session = new_session(server, auth="md5", **more)
    try:
        async with running(session) as task:
            await asyncio.sleep(0.1)
            started = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - started < 0.1
    finally:
        door.close()
    await eventually(lambda: not server.open)


async def test_cancelled_with_a_request_in_flight(server: AmiServer) -> None:
    server.answers["QueueStatus"] = lambda action: None
    session = new_session(server)
    async with running(session):
        await connected(session)
        asked = asyncio.create_task(session.request({"Action": "QueueStatus"}))
        await eventually(lambda: server.count("QueueStatus"))
    with pytest.raises(Disconnected):
        await asked


@pytest.mark.parametrize("at", ["connected", "received", "pong", "disconnected"])
async def test_what_the_listener_raises_ends_the_session(server: AmiServer, at: str) -> None:
    """Never in silence, and never with a connection that looks alive."""
    server.behind_login = b"" if at == "connected" else FULLY_BOOTED
    server.close_after = "login" if at == "disconnected" else ""
    session = new_session(server, Deaf(at))
    with pytest.raises(ZeroDivisionError, match=at):
        async with asyncio.timeout(3.0):
            await session.run()
    assert session.state is SessionState.DISCONNECTED
    await eventually(lambda: not server.open)
    with pytest.raises(Disconnected):
        await session.request({"Action": "Ping"})


async def test_what_a_recorder_raises_ends_the_session(server: AmiServer) -> None:
    def full(data: bytes) -> None:
        raise OSError(28, "No space left on device")

    session = AmiSession(settings(server), Ears(), on_bytes=full, wall_clock=time.time)
    with pytest.raises(OSError, match="No space left"):
        async with asyncio.timeout(3.0):
            await session.run()
    await eventually(lambda: not server.open)


async def test_a_recorder_gets_every_byte(server: AmiServer) -> None:
    heard: list[bytes] = []
    server.behind_login = FULLY_BOOTED
    session = AmiSession(settings(server), Ears(), on_bytes=heard.append, wall_clock=time.time)
    async with running(session):
        await connected(session)
        await session.request({"Action": "Ping"})
        data = b"".join(heard)
        assert data.startswith(GREETING + b"Response: Success\r\n")
        assert FULLY_BOOTED in data
        assert len(data) == session.bytes_received


# --- the log ------------------------------------------------------------------------------------------------


async def test_warns_once_then_keeps_quiet_until_recovery(
    server: AmiServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "asterpanel_switchboard")

    def told(level: int) -> list[str]:
        return [record.getMessage() for record in caplog.records if record.levelno == level]

    server.stop()
    ears = Ears()
    session = new_session(server, ears)
    address = f"{server.host}:{server.port}"
    async with running(session):
        await lost(ears, 4, within=4.0)
        assert told(logging.WARNING) == [
            f"milano: no connection to {address}: Connection refused; trying again"
        ]
        assert (
            len([text for text in told(logging.DEBUG) if "Connection refused" in text])
            == len(ears.losses) - 1
        )
        assert not told(logging.INFO)
        await server.start()
        await connected(session)
        assert told(logging.INFO) == [f"milano: connected to {address}, AMI 11.0.0"]
        server.reset()
        await lost(ears, len(ears.losses) + 1)
        assert len(told(logging.WARNING)) == 2
        assert not told(logging.ERROR)


# --- hostile bytes ------------------------------------------------------------------------------------------


async def test_garbage_after_the_login_is_counted_and_survived(
    server: AmiServer, caplog: pytest.LogCaptureFixture
) -> None:
    session = new_session(server)
    async with running(session):
        await connected(session)
        server.send(b"\x00\xff garbage\r\n\r\n" * 1000)
        server.send(b"Event: QueueCallerJoin\r\nQueue: " + b"q" * 300_000 + b"\r\n\r\n")
        assert (await session.request({"Action": "Ping"})).success
        assert session.wire_errors[WireError.GARBAGE] == 1000
        assert session.wire_errors[WireError.OVERSIZED] == 1
        assert server.connections == 1
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 2


async def test_the_proxy_that_stops_forwarding(server: AmiServer) -> None:
    """The connection stays open on both sides and nothing comes through, as behind a dead NAT."""
    async with Proxy(server) as proxy:
        ears = Ears()
        session = AmiSession(
            settings(server, port=proxy.port, ping_interval=PING_S, ping_timeout=PING_S, connect_timeout=0.5),
            ears,
            wall_clock=time.time,
        )
        async with running(session):
            await connected(session)
            proxy.forwards.clear()
            assert await lost(ears) <= 2 * PING_S + 0.1
            assert ears.losses == [DisconnectReason.SILENCE]
            await lost(ears, 2)  # new connections are taken and lead nowhere
            assert ears.losses[-1] is DisconnectReason.TIMEOUT
            proxy.forwards.set()
            await connected(session, within=2.0)


class Proxy:
    """Forwards TCP connections while `forwards` is set; else it takes them, and keeps all to itself."""

    def __init__(self, server: AmiServer) -> None:
        self._target = server
        self._tasks: set[asyncio.Task[None]] = set()
        self.forwards = asyncio.Event()
        self.forwards.set()
        self.port = 0

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writers = [writer]
        try:
            await self.forwards.wait()
            far_reader, far_writer = await asyncio.open_connection(self._target.host, self._target.port)
            writers.append(far_writer)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._copy(reader, far_writer))
                both.create_task(self._copy(far_reader, writer))
        except (OSError, asyncio.CancelledError, ExceptionGroup):
            pass
        finally:
            self._tasks.discard(task)
            for one in writers:
                one.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self.forwards.wait()
            writer.write(data)
        raise ConnectionResetError


def test_lists_of_the_server_are_what_asterisk_sends() -> None:
    """The helper itself."""
    action = Action(1, {"action": "QueueStatus", "actionid": "7"}, b"")
    data = queue_list(action, [queue_params("billing")])
    intake = Intake("milano")
    events, responses = intake.feed(GREETING + data)
    assert len(responses) == 1
    assert [type(event) for event in events] == [QueueListed, QueueListEnded]
