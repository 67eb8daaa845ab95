"""The web application: who may enter, what errors look like, where everything is."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Response, g, jsonify, request
from flask_limiter import RateLimitExceeded
from flask_openapi3.openapi import OpenAPI
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from asterpanel_control_api.access.endpoints import Public
from asterpanel_control_api.answers import Error
from asterpanel_control_api.door import Door
from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.openapi import INFO, SECURITY_SCHEMES
from asterpanel_control_api.rate_limits import too_many
from asterpanel_control_api.routes import actions, connection, state, system
from asterpanel_control_api.services import Services
from asterpanel_control_api.strict_http import JsonRequest, check_target

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024
MAX_PROBLEMS = 20
"""Told of one request; a body has room for many more."""

MAX_WHERE_CHARS = 200

_HTTP_ERRORS = {
    HTTPStatus.NOT_FOUND: (ErrorId.NOT_FOUND, "there is nothing here; /v1/openapi.json tells what there is"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (ErrorId.TOO_LARGE, f"more than {MAX_BODY_BYTES} bytes"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (ErrorId.NOT_JSON, "send Content-Type: application/json"),
}


def create_app(services: Services) -> OpenAPI:
    """The application on these services, which need not run yet."""
    services.observe()
    app = OpenAPI(
        __name__,
        info=INFO,
        security_schemes=SECURITY_SCHEMES,
        # Where it is not described flask-openapi3 adds this status to an operation, wrongly; 500 always is.
        validation_error_status=ErrorId.INTERNAL.status,
        validation_error_model=Error,
        validation_error_callback=_invalid,
        doc_ui=False,
        static_folder=None,
    )
    app.request_class = JsonRequest
    app.url_map.merge_slashes = False  # an empty name is no reason to be sent elsewhere
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # nothing of another origin comes here
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    door = Door(services)
    door.guard(app)
    app.before_request(check_target)
    app.register_error_handler(HTTPException, lambda error: _refused(door, error))
    app.register_error_handler(Exception, lambda error: door.refused(_of_ours(error)))
    for routes in (system, connection, state, actions):
        app.register_api(routes.blueprint(services))
    app.add_url_rule(Public.OPENAPI.path, Public.OPENAPI.id, lambda: jsonify(app.api_doc))
    return app


def _invalid(error: ValidationError) -> Response:
    """422 with each thing that is wrong and where it is; what was sent is not repeated."""
    problems = [
        {"where": ".".join(map(str, problem["loc"]))[:MAX_WHERE_CHARS], "message": _words(problem)}
        for problem in error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]
    ]
    first = problems[0] if problems else {"where": "", "message": "invalid"}
    what = ApiError(
        ErrorId.INVALID_REQUEST, f"{first['where']}: {first['message']}".strip(": "), problems=problems
    )
    g.error = what
    response = jsonify(what.body)
    response.status_code = what.id.status
    return response


_WORDS = {
    "extra_forbidden": "there is no such field",
    "missing": "is missing",
    "too_long": "give at most {max_length}",
    "too_short": "give at least {min_length}",
}
"""For people who do not know pydantic, by type of its errors."""


def _words(problem: ErrorDetails) -> str:
    words = _WORDS.get(problem["type"])
    return words.format_map(problem.get("ctx", {})) if words else problem["msg"]


def _refused(door: Door, error: HTTPException) -> Response:
    if not isinstance(error, MethodNotAllowed):
        return door.refused(_of_http(error))
    methods = sorted(error.valid_methods or ())
    what = f"{request.method} cannot be done here; what can: {', '.join(methods)}"
    response = door.refused(ApiError(ErrorId.METHOD_NOT_ALLOWED, what))
    response.allow.update(methods)
    return response


def _of_http(error: HTTPException) -> ApiError:
    if isinstance(error, RateLimitExceeded):
        return too_many(error)
    status = HTTPStatus(error.code or 500)
    if status in _HTTP_ERRORS:
        return ApiError(*_HTTP_ERRORS[status])
    if 400 <= status < 500:
        return ApiError(ErrorId.INVALID_REQUEST, error.description or status.phrase)
    return _of_ours(error)


def _of_ours(error: Exception) -> ApiError:
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return ApiError(ErrorId.INTERNAL, "an error of the control API itself; its log has more")
