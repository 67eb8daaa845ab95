"""gunicorn: one process, whose threads share the sessions with the switchboards and the live state."""

from __future__ import annotations

import logging
import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from asterpanel_control_api.app import create_app
from asterpanel_control_api.identity.proxy import MAX_CONTEXT_CHARS
from asterpanel_control_api.live.event_stream import StreamSettings
from asterpanel_control_api.services import Services
from asterpanel_control_api.slow_clients import PatientWorker
from asterpanel_switchboard.config import Config

THREADS_FOR_REQUESTS = 32
"""Besides one for each open stream."""

GRACE_S = 10
"""How long requests that have begun may take when the server stops."""

LAST_WORDS_S = 15
"""How long it may take after that to deliver the audit and to close all connections."""

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
"""For gunicorn's heartbeat file: a container's file system is read-only."""


class _Logger(Logger):  # type: ignore[misc]
    """gunicorn's own messages go where all others go, and look as they do."""

    def setup(self, cfg: object) -> None:
        self.error_log.propagate = True


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
            "worker_class": PatientWorker,
            "threads": StreamSettings().max_streams + THREADS_FOR_REQUESTS,
            "graceful_timeout": GRACE_S + LAST_WORDS_S,  # then the worker is killed
            "timeout": 60,
            # Grafana's proxy uses no connection again, and who has one open would be waited for at the end.
            "keepalive": 0,
            "limit_request_line": 8190,
            "limit_request_fields": 64,
            "limit_request_field_size": MAX_CONTEXT_CHARS + 256,
            "header_map": "drop",  # X_Grafana_Id is not X-Grafana-Id, although WSGI would call both the same
            "control_socket_disable": True,
            "worker_tmp_dir": str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None,
            "accesslog": None,
            "logger_class": _Logger,
            "when_ready": _end_on_interrupt,
            "post_worker_init": self._started,
            "worker_exit": self._ended,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def _started(self, worker: Any) -> None:
        """In the worker. At its end it would wait for streams."""
        self._services.start()
        self._serving_in = os.getpid()
        worker.cfg.set("graceful_timeout", GRACE_S)
        handle_exit = worker.handle_exit

        def end(number: int, frame: FrameType | None) -> None:
            # Closing takes locks, which a signal handler must not.
            threading.Thread(target=self._services.subscribers.close, name="end of streams").start()
            handle_exit(number, frame)

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal; the main process sends SIGTERM

    def _ended(self, server: Any, worker: Any) -> None:
        """The last thing that the worker does: threads that wait for the rest of a request that never comes
        would keep it alive. (gunicorn calls this in other cases too, even in its main process.)
        """
        if self._serving_in == os.getpid():
            self._services.stop()
            logging.shutdown()
            os._exit(0)

    def load(self) -> Flask:
        return create_app(self._services)


def _end_on_interrupt(arbiter: Any) -> None:
    """Ctrl-C ends it as SIGTERM does: what has begun is finished, and the audit delivered."""
    signal.signal(signal.SIGINT, lambda number, frame: os.kill(os.getpid(), signal.SIGTERM))
