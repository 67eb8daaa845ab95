"""A stream of the live state, read as a client of the control API reads it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from asterpanel_switchboard.merge_patch import Document, apply_merge_patch

REQUEST_S = 20.0
"""For the beginning."""

SILENCE_S = 15.0
"""For anything to come: there are heartbeats."""


class Stream:
    """A stream of the live state, and what somebody has read of it.

    Attributes:
        heartbeat: the last one's data.
        end_reason: that the last event told; "" while the stream is open, and if it ended without one.
    """

    def __init__(self, port: int, path: str, headers: Mapping[str, str]) -> None:
        self.heartbeat: Document = {}
        self.end_reason = ""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SILENCE_S)
        self._request = (path, headers)
        self._versions: list[tuple[float, Document]] = []
        self._changed = threading.Condition()
        self._has_ended = False
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._read, name="reader of a stream", daemon=True)

    def __enter__(self) -> Stream:
        path, headers = self._request
        self._connection.request("GET", path, headers=dict(headers))
        self._socket = self._connection.sock
        self._response = self._connection.getresponse()
        assert self._response.status == 200, self._response.read()
        self._thread.start()
        assert self.seen_after(0.0, lambda document: True, REQUEST_S) is not None, "no snapshot came"
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # it may have ended
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._response.close()
        self._connection.close()

    @property
    def document(self) -> Document:
        """As it is now."""
        with self._changed:
            return self._versions[-1][1]

    def seen_after(self, began: float, shows: Callable[[Document], bool], within: float) -> float | None:
        """How long after that moment (`time.monotonic`) a document came that shows it; None: none within so
        many seconds of it. A later one that shows it no more does no harm.
        """
        with self._changed:
            while (seen := self._first(began, shows)) is None and not self._has_ended:
                left = began + within - time.monotonic()
                if began and left <= 0:
                    return None
                if not self._changed.wait(left if began else within):
                    return None
        return None if seen is None else seen - began

    def wait_end(self, within: float) -> bool:
        """Whether it ended within so many seconds.

        Raises:
            Exception: what came was no stream of events.
        """
        with self._changed:
            ended = self._changed.wait_for(lambda: self._has_ended, within)
        if self._problem is not None:
            raise self._problem
        return ended

    def _first(self, after: float, shows: Callable[[Document], bool]) -> float | None:
        return next((at for at, document in self._versions if at >= after and shows(document)), None)

    def _read(self) -> None:
        try:
            for kind, data in _events(self._response):
                self._take(kind, data)
        except Exception as problem:
            self._problem = problem
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _take(self, kind: str, data: Document) -> None:
        now = time.monotonic()
        with self._changed:
            if kind == "snapshot":
                self._versions.append((now, data))
            elif kind == "patch":
                self._versions.append((now, apply_merge_patch(self._versions[-1][1], data)))
            elif kind == "heartbeat":
                self.heartbeat = data
            elif kind == "end":
                self.end_reason = data["reason"]
            else:
                raise ValueError(f"unknown event {kind!r}")
            self._changed.notify_all()


def _events(response: http.client.HTTPResponse) -> Iterator[tuple[str, Document]]:
    """Kind and data of each server-sent event, until the connection ends."""
    fields: dict[str, str] = {}
    while line := response.readline():
        text = line.decode().rstrip("\n")
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        elif fields:
            if "data" in fields:
                yield fields["event"], json.loads(fields["data"])
            fields = {}
