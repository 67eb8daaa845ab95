"""Hundreds of readers of streams of the live state in one thread, as cheap as they can be.

A reader keeps the document that its stream tells, and notes for each change on the switchboard (see
`tests.load.busy_switchboards`) when it came to him.
"""

from __future__ import annotations

import heapq
import itertools
import json
import selectors
import socket
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from asterpanel_switchboard.merge_patch import apply_merge_patch
from tests.load.busy_switchboards import SERVICE, Made

Document = dict[str, Any]
Stamps = dict[str, tuple[int, ...]]

RETRY_S = 0.5
KINDS = ("waiting", "in_progress")


@dataclass
class Reader:
    """One reader, over all of his connections.

    Attributes:
        name: of the person.
        switchboard: whose state he reads.
        port: of the server, on loopback.
        path: of the stream.
        headers: made anew for each connection.
        unwrap: of the data of a snapshot or a patch, what is about the switchboard.
        measuring: whether to note when changes come.
        latencies: seconds from a change to here, one for each.
        patches: received while measuring.
        document: as told so far.
        seen: changes that were new to this reader, by kind, since the first snapshot.
        disorder: events whose ids, or changes whose times, went back.
        kinds: events received.
        resumed: connections that went on without a snapshot.
        refused: connections that were answered with something else than a stream.
    """

    name: str
    switchboard: str
    port: int
    path: str
    headers: Callable[[], Mapping[str, str]]
    unwrap: Callable[[Document], Document] = field(default=lambda data: data)
    measuring: bool = False
    latencies: array[float] = field(default_factory=lambda: array("d"))
    patches: int = 0
    document: Document | None = None
    seen: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    disorder: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    resumed: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    last_event_id: str = ""
    began_at: float = 0.0
    snapshot_after_s: float = 0.0

    def begin_measuring(self) -> None:
        """From now on note when changes come."""
        self.measuring, self.patches = True, 0
        del self.latencies[:]

    def request(self) -> bytes:
        """The request for a stream that goes on where the last one ended."""
        headers = {"Host": "localhost", "Accept": "text/event-stream", **self.headers()}
        if self.last_event_id:
            headers["Last-Event-ID"] = self.last_event_id
        lines = [f"GET {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()

    def skipped(self, made: Made) -> int:
        """How many of the changes after the first snapshot never came."""
        stamps = {"waiting": made.joins, "in_progress": made.answers}
        return sum(
            sum(stamp > self.first[kind] for stamp in stamps[kind]) - self.seen[kind] for kind in KINDS
        )

    def take(self, kind: str, event_id: str, data: bytes, now: float) -> None:
        """Read one event."""
        self.kinds[kind] += 1
        if kind not in ("snapshot", "patch"):
            return
        document, stamps = _decoded(data, self.unwrap)
        if kind == "snapshot":
            self.document = document
            self.snapshot_after_s = time.monotonic() - self.began_at
        else:
            self.disorder += not _follows(event_id, self.last_event_id)
            self.document = apply_merge_patch(self.document or {}, document)
            self.patches += self.measuring
        self.last_event_id = event_id
        self._note(stamps, now, timed=self.measuring and kind == "patch")

    def _note(self, stamps: Stamps, now: float, timed: bool) -> None:
        for kind, times in stamps.items():
            if kind not in self.newest:
                self.first[kind] = self.newest[kind] = times[-1] if times else 0
            newest = self.newest[kind]
            new = [stamp for stamp in times if stamp > newest]
            self.seen[kind] += len(new)
            if new:
                self.disorder += new != sorted(new)
                self.newest[kind] = new[-1]
            if timed:
                self.latencies.extend(now - stamp / 1e6 for stamp in new)


@lru_cache(2048)
def _decoded(data: bytes, unwrap: Callable[[Document], Document]) -> tuple[Document, Stamps]:
    """The data, and the times of the callers and calls in it. Many readers get the very same bytes."""
    document = unwrap(json.loads(data))
    queue = document.get("queues", {}).get(SERVICE, {})
    return document, {
        kind: tuple(round(one["since"] * 1e6) for one in queue[kind]) for kind in KINDS if kind in queue
    }


def _follows(event_id: str, last: str) -> bool:
    """Whether an id is a later one of the same view."""
    view, _, number = event_id.rpartition("-")
    last_view, _, last_number = last.rpartition("-")
    return view == last_view and int(number) > int(last_number)


class Readers:
    """Those whose streams are open, and whoever does not read his. Everything happens in `run`."""

    def __init__(self) -> None:
        self._connections: dict[int, _Connection] = {}
        self._selector = selectors.EpollSelector()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._silent: list[socket.socket] = []

    def connect(self, reader: Reader) -> None:
        """Open the reader's stream, and again whenever it ends."""
        reader.began_at = time.monotonic()
        connection = _Connection(reader, socket.create_connection(("127.0.0.1", reader.port), 10))
        connection.socket.sendall(reader.request())
        connection.socket.setblocking(False)
        self._connections[id(reader)] = connection
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def is_connected(self, reader: Reader) -> bool:
        """Whether he has a connection now."""
        return id(reader) in self._connections

    def cut(self, reader: Reader) -> None:
        """The reader vanishes, and comes back."""
        if (connection := self._connections.get(id(reader))) is not None:
            self._close(connection)

    def connect_silent(self, reader: Reader) -> None:
        """Open a stream of which nothing is ever read."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", reader.port))
        connection.sendall(reader.request())
        self._silent.append(connection)

    def later(self, after_s: float, what: Callable[[], None]) -> None:
        """Have something done in `run`."""
        heapq.heappush(self._due, (time.monotonic() + after_s, next(self._numbers), what))

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Read for so long, or until a condition holds, which is the answer."""
        deadline = time.monotonic() + seconds
        while not until():
            now = time.monotonic()
            if now >= deadline:
                return False
            while self._due and self._due[0][0] <= now:
                heapq.heappop(self._due)[2]()
            next_due = self._due[0][0] if self._due else deadline
            self._step(min(deadline, next_due, now + 0.05) - now)
        return True

    def close(self) -> None:
        """End all."""
        for connection in self._connections.values():
            connection.socket.close()
        for silent in self._silent:
            silent.close()
        self._selector.close()

    def _step(self, timeout_s: float) -> None:
        received = []
        for key, _ in self._selector.select(max(0.0, timeout_s)):
            connection: _Connection = key.data
            data = b""
            with suppress(ConnectionError):
                data = connection.socket.recv(1 << 20)
            received.append((connection, data, time.time()))
        for connection, data, now in received:
            if not connection.take(data, now):
                self._close(connection)

    def _close(self, connection: _Connection) -> None:
        reader = connection.reader
        self._selector.unregister(connection.socket)
        connection.socket.close()
        del self._connections[id(reader)]
        self.later(RETRY_S, lambda: self.connect(reader))


class _Connection:
    """One HTTP answer: head, chunks, events."""

    def __init__(self, reader: Reader, connected: socket.socket) -> None:
        self.reader = reader
        self.socket = connected
        self._raw = bytearray()
        self._body = bytearray()
        self._in_body = False
        self._begun = False

    def take(self, data: bytes, now: float) -> bool:
        """Read what has come; whether there can be more."""
        self._raw += data
        if not data or not (self._in_body or self._head()):
            return data != b"" and b"\r\n\r\n" not in self._raw
        more = self._chunks()
        for kind, event_id, content in self._events():
            if not self._begun:
                self._begun = True
                self.reader.resumed += kind != "snapshot" and self.reader.last_event_id != ""
            self.reader.take(kind, event_id, content, now)
        return more

    def _head(self) -> bool:
        """Whether the head of a stream has come whole."""
        head, end, _ = self._raw.partition(b"\r\n\r\n")
        if not end:
            return False
        status = int(head.split(b" ", 2)[1])
        if status != 200:
            self.reader.refused[status] += 1
            return False
        del self._raw[: len(head) + 4]
        self._in_body = True
        return True

    def _chunks(self) -> bool:
        while (end := self._raw.find(b"\r\n")) >= 0:
            size = int(self._raw[:end], 16)
            if not size:
                return False
            if len(self._raw) < end + size + 4:
                return True
            self._body += self._raw[end + 2 : end + 2 + size]
            del self._raw[: end + size + 4]
        return True

    def _events(self) -> Iterator[tuple[str, str, bytes]]:
        while (end := self._body.find(b"\n\n")) >= 0:
            block = bytes(self._body[:end])
            del self._body[: end + 2]
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if b"data" in fields:
                yield fields[b"event"].decode(), fields.get(b"id", b"").decode(), fields[b"data"]
