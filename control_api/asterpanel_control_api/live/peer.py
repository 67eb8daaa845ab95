"""The connection behind a request, as gunicorn gives it to the application."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

SEND_BUFFER_BYTES = 128 * 1024
"""What the kernel keeps for a slow reader; beyond that he gets one newer difference for several."""


def prepare_for_stream(environ: Mapping[str, Any], write_timeout_s: float) -> Callable[[], None] | None:
    """Ready a connection for a stream that may have a slow or vanished reader.

    Args:
        environ: of the request (WSGI).
        write_timeout_s: after which whoever writes cuts off a reader who takes nothing. The kernel gives up
            one who has vanished, and confirms nothing, after twice that: it would do so for both.

    Returns:
        What cuts the connection from another thread, so that a write that waits for the reader fails; None
        under a server that does not give its socket away.
    """
    connection = environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        return None
    with suppress(OSError):  # it may be gone already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if sys.platform == "linux" and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2000 * write_timeout_s))

    def cut() -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    return cut
