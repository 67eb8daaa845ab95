"""Server-sent events as bytes (WHATWG HTML, 9.2), as the exporter sends them and as we do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event: its kind and its data, not decoded."""

    kind: str
    data: bytes


class EventTooLarge(Exception):
    """An event has more bytes than we keep."""


class EventParser:
    """Cuts a stream into events; it wants lines that end with LF.

    Args:
        max_bytes: of one event.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[ServerSentEvent]:
        """The events that are complete with these bytes.

        Raises:
            EventTooLarge: the one that has begun is.
        """
        searched = max(0, len(self._buffer) - 1)
        self._buffer += data
        while (end := self._buffer.find(b"\n\n", searched)) >= 0:
            yield _parse(bytes(self._buffer[:end]))
            del self._buffer[: end + 2]
            searched = 0
        if len(self._buffer) > self._max_bytes:
            raise EventTooLarge(f"an event of more than {self._max_bytes} bytes")


def _parse(block: bytes) -> ServerSentEvent:
    kind, data = "message", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            kind = value.decode("utf-8", "replace")
        elif field == b"data":
            data.append(value)
    return ServerSentEvent(kind, b"\n".join(data))


_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encode_event(kind: str, data: Any, event_id: str = "") -> bytes:
    """One event with its data as JSON in one line."""
    text = _to_json(data)
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {kind}\ndata: {text}\n\n".encode("utf-8", "replace")
