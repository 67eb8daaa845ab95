"""What every answer has in common: JSON, errors with stable ids, gzip, and headers that give little away."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from aiohttp import web

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

JSON_TYPE = "application/json; charset=utf-8"

GZIP_FROM_BYTES = 1024
"""Smaller bodies are not worth a thread."""

SERVER = "asterpanel"

_HEADERS = {
    "Server": SERVER,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
}

_IDS = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class ApiError(Exception):
    """An answer other than success. ``id`` is stable, the message is for people."""

    def __init__(
        self, status: int, error_id: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.id = error_id
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """The error as JSON."""
        body = encode({"error": {"id": self.id, "message": str(self)}})
        return web.Response(
            status=self.status,
            body=body,
            headers={"Content-Type": JSON_TYPE, "Cache-Control": "no-store", **self.headers},
        )


def encode(value: object) -> bytes:
    """Compact JSON in UTF-8, without line breaks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def encode_mapping(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A JSON object of values that are encoded already."""
    return b"{" + b",".join(encode(key) + b":" + value for key, value in members) + b"}"


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an ``Accept-Encoding`` header allows gzip (RFC 9110, 12.5.3)."""
    weights = {}
    for item in accept_encoding.lower().split(","):
        coding, *parameters = (part.strip() for part in item.split(";"))
        weights[coding] = next((p[2:].strip() for p in parameters if p.startswith("q=")), "1")
    weight = weights.get("gzip", weights.get("x-gzip", weights.get("*", "0")))
    try:
        return float(weight) > 0
    except ValueError:
        return False


async def answer(
    request: web.Request, body: bytes, content_type: str = JSON_TYPE, status: int = 200, vary: str = ""
) -> web.Response:
    """A complete body that nobody may cache; gzip where the client accepts it.

    Args:
        vary: other request headers than Accept-Encoding that the body depends on.
    """
    headers = {
        "Content-Type": content_type,
        "Cache-Control": "no-store",
        "Vary": ", ".join(filter(None, ("Accept-Encoding", vary))),
    }
    if len(body) >= GZIP_FROM_BYTES and accepts_gzip(request.headers.get("Accept-Encoding", "")):
        # zlib lets go of the interpreter lock: events are handled meanwhile.
        body = await asyncio.to_thread(gzip.compress, body, 1)
        headers["Content-Encoding"] = "gzip"
    return web.Response(status=status, body=body, headers=headers)


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error is JSON; one of ours is logged and tells the client nothing of its inside."""
    try:
        return await handler(request)
    except ApiError as error:
        return error.response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
        return ApiError(error.status, _IDS.get(error.status, "http_error"), error.reason, kept).response()
    except Exception:
        _log.exception("%s %s failed by an error of ours", request.method, request.path)
        return ApiError(500, "internal", "an error of the exporter; its log tells more").response()


async def set_common_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: headers of every answer."""
    response.headers.update(_HEADERS)
