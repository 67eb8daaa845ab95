"""Every error that the API answers with: a stable id, its HTTP status, and what a person reads."""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus
from typing import Any


class ErrorId(Enum):
    """Stable ids. The status belongs to the id; the message says what, where, and what to do next."""

    INVALID_REQUEST = ("invalid_request", HTTPStatus.UNPROCESSABLE_ENTITY)
    NOT_JSON = ("not_json", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    UNAUTHENTICATED = ("unauthenticated", HTTPStatus.UNAUTHORIZED)
    FORBIDDEN = ("forbidden", HTTPStatus.FORBIDDEN)
    NOT_FOUND = ("not_found", HTTPStatus.NOT_FOUND)
    METHOD_NOT_ALLOWED = ("method_not_allowed", HTTPStatus.METHOD_NOT_ALLOWED)
    TOO_MANY_REQUESTS = ("too_many_requests", HTTPStatus.TOO_MANY_REQUESTS)
    TOO_MANY_STREAMS = ("too_many_streams", HTTPStatus.SERVICE_UNAVAILABLE)
    TOO_LARGE = ("too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    ALREADY_SO = ("already_so", HTTPStatus.CONFLICT)
    STATIC_MEMBER = ("static_member", HTTPStatus.CONFLICT)
    BUSY_AGENT = ("busy_agent", HTTPStatus.CONFLICT)
    REFUSED = ("refused", HTTPStatus.BAD_GATEWAY)
    NOT_SUPPORTED = ("not_supported", HTTPStatus.NOT_IMPLEMENTED)
    NOT_CONNECTED = ("not_connected", HTTPStatus.SERVICE_UNAVAILABLE)
    NO_CONTROL = ("no_control", HTTPStatus.SERVICE_UNAVAILABLE)
    NO_STATE = ("no_state", HTTPStatus.SERVICE_UNAVAILABLE)
    TIMED_OUT = ("timed_out", HTTPStatus.GATEWAY_TIMEOUT)
    INTERNAL = ("internal", HTTPStatus.INTERNAL_SERVER_ERROR)

    def __init__(self, id_: str, status: HTTPStatus) -> None:
        self.id = id_
        self.status = status


class ApiError(Exception):
    """Ends a request with ``{"error": {"id", "message", "detail"}}``.

    Args:
        id: which.
        message: for a person: what is wrong, and what to do next.
        detail: for a program; never a secret, never something that the caller may not see.
    """

    def __init__(self, id: ErrorId, message: str, **detail: Any) -> None:
        super().__init__(message)
        self.id = id
        self.message = message
        self.detail = detail

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body."""
        return {"error": {"id": self.id.id, "message": self.message, "detail": self.detail}}
