"""gunicorn: one process, whose threads share the sessions with the switchboards and the live state."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from asterpanel_control_api.app import create_app
from asterpanel_control_api.live.event_stream import StreamSettings
from asterpanel_control_api.services import Services
from asterpanel_switchboard.config import Config

THREADS_FOR_REQUESTS = 32
"""Besides one for each open stream."""

GRACE_S = 10
"""How long requests that have begun may take when the server stops."""

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
"""For gunicorn's heartbeat file: a container's file system is read-only."""


class Server(BaseApplication):  # type: ignore[misc]
    """The application under gunicorn.

    Args:
        config: with a section `control_api`.

    Raises:
        ConfigError: the profiles cannot be used.
    """

    def __init__(self, config: Config) -> None:
        self._services = Services.from_config(config)
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": str(self._services.settings.listen),
            "workers": 1,
            "worker_class": "gthread",
            "threads": StreamSettings().max_streams + THREADS_FOR_REQUESTS,
            "graceful_timeout": GRACE_S,
            "timeout": 60,
            "limit_request_line": 8190,
            "limit_request_fields": 64,
            "header_map": "drop",  # X_Grafana_Id is not X-Grafana-Id, although WSGI would call both the same
            "control_socket_disable": True,
            "worker_tmp_dir": str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None,
            "accesslog": None,
            "logger_class": "gunicorn.glogging.Logger",
            "post_worker_init": self._started,
            "worker_exit": lambda server, worker: self._services.stop(),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def _started(self, worker: Any) -> None:
        """In the worker. At its end the streams end first: it would wait for them otherwise."""
        self._services.start()
        handle_exit = worker.handle_exit

        def end(number: int, frame: FrameType | None) -> None:
            # Closing takes locks, which a signal handler must not.
            threading.Thread(target=self._services.subscribers.close, name="end of streams").start()
            handle_exit(number, frame)

        signal.signal(signal.SIGTERM, end)

    def load(self) -> Flask:
        return create_app(self._services)
