"""The web application: who may enter, what errors look like, where everything is."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Response, g, jsonify, request
from flask_limiter import RateLimitExceeded
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from asterpanel_control_api.answers import Error
from asterpanel_control_api.door import Door
from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.rate_limits import too_many
from asterpanel_control_api.routes import actions, state, system
from asterpanel_control_api.services import Services

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024
API_VERSION = "1"

_HTTP_ERRORS = {
    HTTPStatus.NOT_FOUND: (ErrorId.NOT_FOUND, "there is nothing here; /v1/openapi.json tells what there is"),
    HTTPStatus.METHOD_NOT_ALLOWED: (ErrorId.METHOD_NOT_ALLOWED, "this cannot be done here"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (ErrorId.TOO_LARGE, f"more than {MAX_BODY_BYTES} bytes"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (ErrorId.NOT_JSON, "send Content-Type: application/json"),
}


def create_app(services: Services) -> OpenAPI:
    """The application on these services, which need not run yet."""
    services.observe()
    app = OpenAPI(
        __name__,
        info=Info(title="Asterpanel control API", version=API_VERSION),
        security_schemes={"bearer": {"type": "http", "scheme": "bearer"}},
        responses={"4XX": Error, "5XX": Error},
        validation_error_status=ErrorId.INVALID_REQUEST.status,
        validation_error_model=Error,
        validation_error_callback=_invalid,
        doc_ui=False,
    )
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    door = Door(services)
    door.guard(app)
    app.register_error_handler(HTTPException, lambda error: door.refused(_of_http(error)))
    app.register_error_handler(Exception, lambda error: door.refused(_of_ours(error)))
    for routes in (system, state, actions):
        app.register_api(routes.blueprint(services))
    app.add_url_rule("/v1/openapi.json", "openapi", lambda: jsonify(app.api_doc))
    return app


def _invalid(error: ValidationError) -> Response:
    """422 with each thing that is wrong and where it is; what was sent is not repeated."""
    problems = [
        {"where": ".".join(map(str, problem["loc"])), "message": problem["msg"]} for problem in error.errors()
    ]
    first = problems[0] if problems else {"where": "", "message": "invalid"}
    what = ApiError(
        ErrorId.INVALID_REQUEST, f"{first['where']}: {first['message']}".strip(": "), problems=problems
    )
    g.error = what
    response = jsonify(what.body)
    response.status_code = what.id.status
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
