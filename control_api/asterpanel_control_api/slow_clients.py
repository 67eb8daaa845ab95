"""A time limit for requests to arrive in: each unfinished one takes a thread, and gunicorn waits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

from asterpanel_control_api.live.peer import Peer, connection_of

ARRIVES_WITHIN_S: Final = 10.0
"""For head and body, from when there is something to read."""

_LOOK_S: Final = 1.0

_arriving: Final[dict[socket.socket, float]] = {}
"""Connections of this process whose request has not arrived whole, and when they are given up."""


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker, but its patience ends."""

    def init_process(self) -> None:
        """In the worker's process, before it serves."""
        threading.Thread(target=_give_up_slow_ones, name="slow clients", daemon=True).start()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """In a thread: a connection that has something to read."""
        connection = conn.sock
        _arriving[connection] = time.monotonic() + ARRIVES_WITHIN_S
        try:
            return super().handle(conn)
        finally:
            _arriving.pop(connection, None)


def has_arrived(environ: Mapping[str, Any]) -> None:
    """Nothing more of this request is to come; its answer may take as long as it wants."""
    connection = connection_of(environ)
    if connection is not None:
        _arriving.pop(connection, None)


def _give_up_slow_ones() -> None:
    while True:
        time.sleep(_LOOK_S)
        now = time.monotonic()
        for connection, until in list(_arriving.items()):
            if now > until and _arriving.pop(connection, None) is not None:
                Peer(connection).cut()
