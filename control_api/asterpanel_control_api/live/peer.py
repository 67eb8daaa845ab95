"""The connection behind a request, as gunicorn gives it to the application."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

SEND_BUFFER_BYTES = 128 * 1024
"""What the kernel keeps for a slow reader; beyond that he gets one newer difference for several."""


class Peer:
    """Whoever is at the other end. For any thread, while another one reads from or writes to him."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def cut(self) -> None:
        """End the connection: a read or write that waits for the other side fails."""
        with suppress(OSError):  # it may have ended
            self._connection.shutdown(socket.SHUT_RDWR)

    def has_gone(self) -> bool:
        """Whether the reader has closed the connection. A write would tell only at the second attempt."""
        try:
            return self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except (BlockingIOError, InterruptedError, ValueError):  # TLS cannot look ahead (ValueError)
            return False
        except OSError:
            return True


def connection_of(environ: Mapping[str, Any]) -> socket.socket | None:
    """The connection of a request (WSGI); None under a server that does not give its socket away."""
    connection = environ.get("gunicorn.socket")
    return connection if isinstance(connection, socket.socket) else None


def prepare_for_stream(environ: Mapping[str, Any], write_timeout_s: float) -> Peer | None:
    """Ready a connection for a stream that may have a slow or vanished reader.

    Args:
        environ: of the request (WSGI).
        write_timeout_s: after which whoever writes cuts off a reader who takes nothing. The kernel gives up
            one who has vanished, and confirms nothing, after twice that: it would do so for both.

    Returns:
        The reader; None under a server that does not give its socket away.
    """
    connection = connection_of(environ)
    if connection is None:
        return None
    with suppress(OSError):  # it may be gone already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if sys.platform == "linux" and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2000 * write_timeout_s))
    return Peer(connection)
