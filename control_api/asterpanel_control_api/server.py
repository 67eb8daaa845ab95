"""gunicorn: one process, whose threads share the sessions with the switchboards and the live state."""

from __future__ import annotations

import logging
import os
import signal
import socket
import struct
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from asterpanel_control_api.app import create_app
from asterpanel_control_api.live.event_stream import StreamSettings
from asterpanel_control_api.services import Services
from asterpanel_switchboard.config import Config

THREADS_FOR_REQUESTS = 32
"""Besides one for each open stream."""

GRACE_S = 10
"""How long requests that have begun may take when the server stops."""

SILENCE_S = 5
"""How long a client may be silent in the middle of a request: each one who is takes a thread."""

LAST_WORDS_S = 15
"""How long it may take after that to deliver the audit and to close all connections."""

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
"""For gunicorn's heartbeat file: a container's file system is read-only."""


class _Logger(Logger):  # type: ignore[misc]
    """gunicorn's own messages go where all others go, and look as they do."""

    def setup(self, cfg: object) -> None:
        self.error_log.propagate = True

    def exception(self, msg: str, *args: object, **more: Any) -> None:
        if isinstance(sys.exception(), BlockingIOError):
            self.info("a client sent part of a request, and then nothing for %d s", SILENCE_S)
        else:
            super().exception(msg, *args, **more)


class Server(BaseApplication):  # type: ignore[misc]
    """The application under gunicorn.

    Args:
        config: with a section `control_api`.

    Raises:
        ConfigError: the profiles cannot be used.
    """

    def __init__(self, config: Config) -> None:
        self._services = Services.from_config(config)
        self._serving_in: int | None = None
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": str(self._services.settings.listen),
            "workers": 1,
            "worker_class": "gthread",
            "threads": StreamSettings().max_streams + THREADS_FOR_REQUESTS,
            "graceful_timeout": GRACE_S + LAST_WORDS_S,  # then the worker is killed
            "timeout": 60,
            # Grafana's proxy uses no connection again, and who has one open would be waited for at the end.
            "keepalive": 0,
            "limit_request_line": 8190,
            "limit_request_fields": 64,
            "header_map": "drop",  # X_Grafana_Id is not X-Grafana-Id, although WSGI would call both the same
            "control_socket_disable": True,
            "worker_tmp_dir": str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None,
            "accesslog": None,
            "logger_class": _Logger,
            "post_worker_init": self._started,
            "worker_exit": self._ended,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def _started(self, worker: Any) -> None:
        """In the worker. At its end it would wait for streams."""
        self._services.start()
        self._serving_in = os.getpid()
        for listener in worker.sockets:
            _limit_silence(listener.sock)
        worker.cfg.set("graceful_timeout", GRACE_S)
        handle_exit = worker.handle_exit

        def end(number: int, frame: FrameType | None) -> None:
            # Closing takes locks, which a signal handler must not.
            threading.Thread(target=self._services.subscribers.close, name="end of streams").start()
            handle_exit(number, frame)

        signal.signal(signal.SIGTERM, end)

    def _ended(self, server: Any, worker: Any) -> None:
        """The last thing that the worker does: threads that wait for the rest of a request that never comes
        would keep it alive. (gunicorn calls this in other cases too, even in its main process.)
        """
        self._services.stop()
        if self._serving_in == os.getpid():
            logging.shutdown()
            os._exit(0)

    def load(self) -> Flask:
        return create_app(self._services)


def _limit_silence(listener: socket.socket) -> None:
    """gunicorn's gthread has no such limit of its own. On Linux it passes to what is accepted."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SILENCE_S, 0))
