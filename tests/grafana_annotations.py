"""A Grafana as far as annotations go: it takes them from a service account, unless it is away or hangs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.grafana_keys import send

PATH = "/api/annotations"
TOKEN = "glsa_of-the-service-account"


class GrafanaAnnotations:
    """Listens on loopback.

    Attributes:
        received: the bodies of the annotations taken, in the order in which they came.
        refused: how many came without the right token.
        hung: how many were kept waiting.
    """

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.refused = 0
        self.hung = 0
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._listen(0)
        self._port = self._server.server_port

    def __enter__(self) -> GrafanaAnnotations:
        return self

    def __exit__(self, *_: object) -> None:
        self._goes_on.set()
        self._close()

    @property
    def url(self) -> str:
        """The root URL."""
        return f"http://127.0.0.1:{self._port}/"

    @contextmanager
    def away(self) -> Iterator[None]:
        """Connections are refused meanwhile."""
        self._close()
        try:
            yield
        finally:
            self._listen(self._port)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Requests get no answer meanwhile, nor later, and are not taken."""
        self._goes_on.clear()
        try:
            yield
        finally:
            self._goes_on.set()

    def _listen(self, port: int) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        if not self._goes_on.is_set():
            self.hung += 1
            self._goes_on.wait()
        elif request.headers["Authorization"] != f"Bearer {TOKEN}":
            self.refused += 1
            send(request, b'{"message": "Unauthorized"}', 401)
        else:
            self.received.append(body)
            send(request, b'{"message": "Annotation added", "id": 1}')

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        grafana = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                if self.path == PATH:
                    grafana._take(self)
                else:
                    self.send_error(404)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
