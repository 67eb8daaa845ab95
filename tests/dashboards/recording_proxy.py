"""A little HTTP server before a data source that forwards, and remembers what was asked."""

from __future__ import annotations

import threading
import urllib.parse
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_KEPT: Final = ("Content-Type", "Authorization", "Accept", "Accept-Encoding")
_TIMEOUT_S: Final = 60.0


class RecordingProxy:
    """Forwards to a port of loopback.

    Attributes:
        url: its own.
        asked: parameters of each request by name (the first value), with its path as ``path``.
    """

    def __init__(self, port: int) -> None:
        self.asked: list[dict[str, str]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                proxy._forward(self, port)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> RecordingProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _forward(self, request: BaseHTTPRequestHandler, port: int) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self._remember(request.path, body)
        headers = {name: value for name in _KEPT if (value := request.headers.get(name))}
        connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
        try:
            connection.request(request.command, request.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            request.send_response(answer.status)
            for name in ("Content-Type", "Content-Encoding"):
                if value := answer.getheader(name):
                    request.send_header(name, value)
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            request.wfile.write(content)
        except (OSError, HTTPException):
            request.close_connection = True
        finally:
            connection.close()

    def _remember(self, path: str, body: bytes) -> None:
        url = urllib.parse.urlsplit(path)
        pairs = urllib.parse.parse_qsl(url.query) + urllib.parse.parse_qsl(body.decode())
        self.asked.append({"path": url.path, **dict(reversed(pairs))})
