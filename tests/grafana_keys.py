"""A Grafana as far as identity goes: it signs id tokens, and serves its public keys over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

KEYS_PATH = "/api/signing-keys/keys"


class GrafanaKeys:
    """Listens on loopback. Its root URL, and so the issuer of its tokens, is `url`.

    Attributes:
        answer: called for each request for the keys, to answer it in its own way; None: the keys.
        requests: how many times the keys were asked for.
    """

    def __init__(self) -> None:
        self.private_keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.answer: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.requests = 0
        self.add_key("id-1")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The root URL, with the slash that Grafana ends it with."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def add_key(self, key_id: str) -> None:
        """A new key; the ones before stay."""
        self.private_keys[key_id] = ec.generate_private_key(ec.SECP256R1())

    def public_key(self, key_id: str = "id-1") -> ec.EllipticCurvePublicKey:
        """What is known to everybody."""
        return self.private_keys[key_id].public_key()

    def key_set(self) -> dict[str, Any]:
        """The answer of Grafana."""
        return {
            "keys": [
                ECAlgorithm.to_jwk(self.public_key(key_id), as_dict=True)
                | {"kid": key_id, "alg": "ES256", "use": "sig"}
                for key_id in self.private_keys
            ]
        }

    def claims(self, login: str = "anna", **changed: Any) -> dict[str, Any]:
        """Those of a user of organisation 1, as Grafana makes them; None leaves one out."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": ["org:1"],
            "sub": "user:2",
            "iat": now,
            "exp": now + 600,
            "type": "user",
            "username": login,
            "email": f"{login}@example.com",
            "name": login.title(),
            "role": "Viewer",
        } | changed
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, login: str = "anna", *, key_id: str = "id-1", **changed: Any) -> str:
        """A signed id token."""
        claims = json.dumps(self.claims(login, **changed)).encode()
        return jwt.PyJWS().encode(claims, self.private_keys[key_id], "ES256", {"kid": key_id})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        grafana = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != KEYS_PATH:
                    self.send_error(404)
                    return
                grafana.requests += 1
                if grafana.answer is None:
                    send(self, json.dumps(grafana.key_set()).encode())
                else:
                    grafana.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


@contextmanager
def grafana_keys() -> Iterator[GrafanaKeys]:
    """A Grafana that listens."""
    with GrafanaKeys() as grafana:
        yield grafana


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    """Answer with a whole body."""
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def context_header(login: str = "anna", **changed: Any) -> str:
    """As Grafana 10.1 was seen to write it, as WSGI hands it on."""
    context = {
        "UserID": 2,
        "OrgID": 1,
        "OrgName": "Main Org.",
        "OrgRole": "Viewer",
        "Login": login,
        "Name": login.title(),
        "Email": f"{login}@example.com",
        "ApiKeyID": 0,
        "IsServiceAccount": False,
        "IsGrafanaAdmin": False,
        "IsAnonymous": False,
        "IsDisabled": False,
        "Teams": [],
    } | changed
    return json.dumps(context, ensure_ascii=False).encode().decode("latin-1")
