"""The API's own description (OpenAPI 3.1), as far as it does not follow from the endpoints' code."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from itertools import groupby
from typing import Any, Final

from flask_openapi3.models.info import Info
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict, SecuritySchemesDict
from pydantic import BaseModel

from asterpanel_control_api.answers import Error, Event
from asterpanel_control_api.errors import ErrorId
from asterpanel_control_api.identity.grafana_id import HEADER as ID_HEADER
from asterpanel_control_api.identity.proxy import CONTEXT_HEADER, USER_HEADER

API_VERSION: Final = "1"

INFO: Final = Info(
    title="Asterpanel control API",
    version=API_VERSION,
    description="Pauses agents, changes their queues and moves waiting callers of Asterisk switchboards, for "
    "those who may, and tells them the live state, as far as they may see it.\n\n"
    "Bodies are JSON objects (`application/json`, UTF-8, 256 KiB at most). Errors are `{error: {id, message, "
    "detail}}`; ids are stable. What is hidden is answered exactly as what does not exist. A path that "
    "is none is answered with 404 `not_found`, another method with 405 `method_not_allowed`.\n\n"
    "An action is answered when the switchboard has confirmed it, or with what is known of its effect. "
    "Nothing is queued for later, and nothing is repeated: whoever was answered 503 or 504 decides himself "
    "whether to ask again.",
)

ACTIONS: Final = Tag(name="actions", description="What you may do.")
SETUP: Final = Tag(name="setup", description="Whether all is set up.")
STATE: Final = Tag(name="state", description="What you may see.")

SECURITY_SCHEMES: Final[SecuritySchemesDict] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A program's token, made by `asterpanel-control-api token create`. Alone: together "
        "with one of Grafana's headers it is refused.",
    },
    "routeSecret": {
        "type": "http",
        "scheme": "bearer",
        "description": "Secret of the route of Grafana's app, which Grafana's app proxy adds. It says which "
        "tenant's Grafana asks, not who.",
    },
    "grafanaId": {
        "type": "apiKey",
        "in": "header",
        "name": ID_HEADER,
        "description": "Grafana's signed id token (11.3 and later).",
    },
    "grafanaContext": {
        "type": "apiKey",
        "in": "header",
        "name": CONTEXT_HEADER,
        "description": "Grafana's user as JSON, which its app proxy adds.",
    },
    "grafanaUser": {
        "type": "apiKey",
        "in": "header",
        "name": USER_HEADER,
        "description": "The user's login, which Grafana's app proxy adds with `send_user_header`.",
    },
}

SECURITY: Final[list[dict[str, list[str]]]] = [
    {"bearer": []},
    {"routeSecret": [], "grafanaId": []},
    {"routeSecret": [], "grafanaContext": []},
    {"routeSecret": [], "grafanaUser": []},
]
"""Grafana's forms, strongest first, as far as the tenant's configuration accepts them."""

SECRET_ALONE: Final[dict[str, list[str]]] = {"routeSecret": []}
"""Whatever the identity."""

MEANINGS: Final[Mapping[ErrorId, str]] = {
    ErrorId.INVALID_REQUEST: "the request is not as it must be; `detail.problems` tells what and where",
    ErrorId.NOT_JSON: "the body's type is not `application/json`",
    ErrorId.UNAUTHENTICATED: "it is not proven who asks, by whatever the reason",
    ErrorId.FORBIDDEN: "the right `detail.right` is missing",
    ErrorId.NOT_FOUND: "what was named does not exist, or may not be seen",
    ErrorId.METHOD_NOT_ALLOWED: "the path has no such method; `Allow` tells which it has",
    ErrorId.TOO_MANY_REQUESTS: "too many actions, streams or wrong secrets, or too many actions of the "
    "switchboard are unanswered; nothing was done",
    ErrorId.TOO_MANY_STREAMS: "no further stream is possible now",
    ErrorId.TOO_LARGE: "the body is longer than 256 KiB",
    ErrorId.ALREADY_SO: "it is so already; nothing was done",
    ErrorId.STATIC_MEMBER: "the switchboard's own configuration has the member: he cannot be taken out",
    ErrorId.BUSY_AGENT: "others are changing the same agent or caller; nothing was done",
    ErrorId.REFUSED: "the switchboard refused, for the reason in the message",
    ErrorId.NOT_SUPPORTED: "the switchboard's Asterisk has no such action",
    ErrorId.NOT_CONNECTED: "there is no connection to the switchboard, or it was too slow; nothing was done, "
    "nor will be",
    ErrorId.NO_CONTROL: "the switchboard has no control user configured",
    ErrorId.NO_STATE: "the live state is not known, or too old to act on, or the exporter is away; nothing "
    "was done",
    ErrorId.TIMED_OUT: "the switchboard was asked and did not answer; `detail.queues` tells what is seen of "
    "its effect. It is not asked again",
    ErrorId.INTERNAL: "an error of the control API itself",
}
"""What each id says."""

_HEADERS: Final[Mapping[ErrorId, dict[str, Any]]] = {
    ErrorId.UNAUTHENTICATED: {
        "WWW-Authenticate": {
            "description": "RFC 6750.",
            "required": True,
            "schema": {"type": "string", "enum": ["Bearer"]},
        }
    },
    ErrorId.TOO_MANY_REQUESTS: {
        "Retry-After": {
            "description": "Seconds, where a limit per minute was reached.",
            "schema": {"type": "integer", "minimum": 1},
        }
    },
}

_OF_ALL: Final = (ErrorId.UNAUTHENTICATED, ErrorId.TOO_MANY_REQUESTS, ErrorId.INTERNAL)
_OF_ACTIONS: Final = (
    *_OF_ALL,
    ErrorId.INVALID_REQUEST,
    ErrorId.FORBIDDEN,
    ErrorId.NOT_FOUND,
    ErrorId.BUSY_AGENT,
    ErrorId.NOT_SUPPORTED,
    ErrorId.REFUSED,
    ErrorId.NOT_CONNECTED,
    ErrorId.NO_CONTROL,
    ErrorId.NO_STATE,
    ErrorId.TIMED_OUT,
)
_OF_BODIES: Final = (ErrorId.NOT_JSON, ErrorId.TOO_LARGE)


EVENT_STREAM: Final = {
    "description": "Server-sent events, each one as described; without end, until the reader goes or his "
    "right ends.",
    "content": {"text/event-stream": {"schema": Event.model_json_schema()}},
}


def responses(ok: type[BaseModel] | dict[str, Any], *ids: ErrorId) -> ResponseDict:
    """What an endpoint answers: ``ok``, or one of these errors or of those that every endpoint has."""
    every = sorted({*_OF_ALL, *ids}, key=lambda error: (error.status, error.id))
    by_status = groupby(every, lambda error: error.status)
    return {HTTPStatus.OK: ok, **{status: _error(list(of)) for status, of in by_status}}


def responses_of_action(ok: type[BaseModel], *ids: ErrorId, body: bool = True) -> ResponseDict:
    """What an action, with or without a ``body``, answers: likewise, and the errors that every action has."""
    return responses(ok, *_OF_ACTIONS, *(_OF_BODIES if body else ()), *ids)


def _error(ids: list[ErrorId]) -> dict[str, Any]:
    only = {"error": {"properties": {"id": {"enum": [error.id for error in ids]}}}}
    schema = {"allOf": [{"$ref": f"#/components/schemas/{Error.__name__}"}, {"properties": only}]}
    headers = {name: about for error in ids for name, about in _HEADERS.get(error, {}).items()}
    return {
        "description": "; ".join(f"`{error.id}`: {MEANINGS[error]}" for error in ids) + ".",
        "content": {"application/json": {"schema": schema}},
        **({"headers": headers} if headers else {}),
    }


def operation_id(*, name: str, **_: str) -> str:
    """Of an endpoint: its function's name, which is an action's name in the audit too."""
    return name
