"""A small scriptable AMI server on loopback: bytes in, bytes out, and every kind of bad behaviour.

In a test: ``async with AmiServer() as server``; then set its attributes, call its methods, look at what it
has received. As a process of its own, e.g. in a network namespace: ``python -m tests.ami_server HOST PORT``,
see `_main`.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import cast

GREETING = b"Asterisk Call Manager/11.0.0\r\n"

UNKNOWN_COMMAND = "Invalid/unknown command: QueueStatus. Use Action: ListCommands to show available commands."
"""What Asterisk says to QueueStatus while app_queue is not loaded."""


@dataclass(frozen=True)
class Action:
    """One action as received: header names in lower case; the number of its connection, from 1."""

    connection: int
    headers: dict[str, str]
    raw: bytes

    @property
    def name(self) -> str:
        return self.headers.get("action", "")


Answer = Callable[[Action], bytes | None]
"""From an action to the bytes that answer it; None: it stays unanswered."""


def response(action: Action, kind: str = "Success", **headers: object) -> bytes:
    """A response to an action. Header names are as given, ``_`` for ``-``."""
    lines = [f"Response: {kind}"]
    if "actionid" in action.headers:
        lines.append(f"ActionID: {action.headers['actionid']}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def queue_list(action: Action, items: Iterable[bytes], complete: bool = True) -> bytes:
    """The answer to QueueStatus with these list items (frames without an ActionID)."""
    action_id = f"ActionID: {action.headers['actionid']}\r\n\r\n".encode()
    frames = [item.removesuffix(b"\r\n") + action_id for item in items]
    head = response(action, EventList="start", Message="Queue status will follow")
    end = f"Event: QueueStatusComplete\r\nEventList: Complete\r\nListItems: {len(frames)}\r\n".encode()
    return head + b"".join(frames) + (end + action_id if complete else b"")


class _Client(asyncio.Protocol):
    """One connection, from the server's side."""

    def __init__(self, server: AmiServer) -> None:
        self.server = server
        self.number = 0
        self.logged_in = False
        self.lost = False
        self._received = b""
        self._held: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.server.clients.append(self)
        self.number = len(self.server.clients)
        if self.server.frozen:
            self.transport.pause_reading()
        if self.server.greeting:
            self.server.later("greeting", lambda: self.send(self.server.greeting))
        if self.server.close_after == "connect":
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def data_received(self, data: bytes) -> None:
        self.server.received += data
        self._received += data
        *frames, self._received = self._received.split(b"\r\n\r\n")
        for frame in frames:
            pairs = [line.partition(": ")[::2] for line in frame.decode().split("\r\n")]
            action = Action(self.number, {name.lower(): value for name, value in pairs}, frame)
            self.server.actions.append(action)
            self.server.later(action.name, lambda action=action: self._answer(action))  # type: ignore[misc]

    def _answer(self, action: Action) -> None:
        answer = self.server.answers.get(action.name, getattr(self, f"_{action.name.lower()}", self._unknown))
        data = answer(action)
        if data is not None:
            self.send(data)
        if action.name.lower() == self.server.close_after:
            self.transport.close()

    def send(self, data: bytes) -> None:
        if self.server.frozen:
            self._held.append(data)
        elif not self.lost:
            self.transport.write(data)

    def set_frozen(self, frozen: bool) -> None:
        if self.lost:
            return
        if frozen:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()
            self.transport.write(b"".join(self._held))
            self._held.clear()

    # --- the actions --------------------------------------------------------------------------------

    def _challenge(self, action: Action) -> bytes:
        return response(action, Challenge=self.server.challenge)

    def _login(self, action: Action) -> bytes:
        server, given = self.server, action.headers
        key = hashlib.md5((server.challenge + server.secret).encode()).hexdigest()  # noqa: S324  # AMI's own
        proof = (
            given.get("key") == key if given.get("authtype") == "MD5" else given["secret"] == server.secret
        )
        if server.refuse or given["username"] != server.username or not proof:
            return response(action, "Error", Message="Authentication failed")
        self.logged_in = True
        return response(action, Message="Authentication accepted") + server.behind_login

    def _ping(self, action: Action) -> bytes:
        return response(action, Ping="Pong", Timestamp=f"{time.time():.6f}")

    def _queuestatus(self, action: Action) -> bytes:
        return queue_list(action, self.server.queue_status)

    def _unknown(self, action: Action) -> bytes:
        return response(action, "Error", Message=f"Invalid/unknown command: {action.name}")


class AmiServer:
    """The server. All attributes may be changed at any time.

    Attributes:
        host, port: where it listens once started; given port 0 any free one, the same after a restart.
        username, secret, challenge: of the only user.
        greeting: sent first; b"" for none, anything for what is no AMI.
        refuse: refuse every login.
        behind_login: sent in the same write as an accepted login.
        queue_status: items of the QueueStatus list, frames without ActionID.
        answers: by the action's name (``greeting`` cannot be one): answers in place of the usual.
        delays: by the action's name, or ``greeting``: seconds before it is answered.
        close_after: an action's name in lower case, or ``connect``: close right after answering it.
        frozen: neither reads nor writes; see `freeze`.
        actions: all that was received, over all connections, in order.
        received: the raw bytes of the same.
        clients: all connections ever made.
    """

    def __init__(
        self,
        queue_status: Iterable[bytes] = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.username = "asterpanel"
        self.secret = "let-me-in-7f3a"
        self.challenge = "840415273"
        self.greeting = GREETING
        self.refuse = False
        self.behind_login = b""
        self.queue_status = list(queue_status)
        self.answers: dict[str, Answer] = {}
        self.delays: dict[str, float] = {}
        self.close_after = ""
        self.frozen = False
        self.actions: list[Action] = []
        self.received = b""
        self.clients: list[_Client] = []
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._timers: set[asyncio.TimerHandle] = set()

    async def __aenter__(self) -> AmiServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        for _ in range(3):  # a TLS transport takes some rounds of the loop until its socket is closed
            await asyncio.sleep(0)

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), self.host, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Stop listening, reset all connections. Can be started again."""
        if self._server is not None:
            self._server.close()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.reset()

    # --- what it has seen ---------------------------------------------------------------------------

    @property
    def connections(self) -> int:
        """Connections made so far (with TLS: whose handshake was done)."""
        return len(self.clients)

    @property
    def open(self) -> list[_Client]:
        """Connections open now."""
        return [client for client in self.clients if not client.lost]

    def count(self, name: str) -> int:
        """Actions of this name received so far."""
        return sum(action.name == name for action in self.actions)

    # --- what it does unasked -----------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send to everybody connected."""
        for client in self.open:
            client.send(data)

    def freeze(self) -> None:
        """Stop reading and writing without closing; new connections are accepted, and then not served."""
        self.frozen = True
        for client in self.open:
            client.set_frozen(True)

    def thaw(self) -> None:
        """Go on, with all that was held back."""
        self.frozen = False
        for client in self.open:
            client.set_frozen(False)

    def close(self) -> None:
        """Close all connections in good order."""
        for client in self.open:
            client.transport.close()

    def reset(self) -> None:
        """Close all connections at once, without sending what waits."""
        for client in self.open:
            client.transport.abort()

    def later(self, what: str, do: Callable[[], None]) -> None:
        """Do it after the delay that is set for it."""
        delay = self.delays.get(what, 0.0)
        if not delay:
            do()
            return

        def due() -> None:
            self._timers.discard(timer)
            do()

        timer = asyncio.get_running_loop().call_later(delay, due)
        self._timers.add(timer)


async def _main(host: str, port: int) -> None:
    """Serve until standard input ends.

    Prints the port. Each line of input does something, and is answered with ``ok``: ``list HEX…`` sets
    `AmiServer.queue_status`, ``send HEX`` sends bytes to everybody connected. ``count NAME`` is answered with
    how many actions of that name were received.
    """
    async with AmiServer(host=host, port=port) as server:
        print(server.port, flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            command, *arguments = line.split()
            if command == "count":
                print(server.count(arguments[0]), flush=True)
                continue
            data = [bytes.fromhex(argument) for argument in arguments]
            if command == "list":
                server.queue_status = data
            elif command == "send":
                server.send(b"".join(data))
            print("ok", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
