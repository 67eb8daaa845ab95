"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, jsonify, request
from flask_openapi3.blueprint import APIBlueprint

from asterpanel_control_api.access.endpoints import Public
from asterpanel_control_api.services import Services
from asterpanel_switchboard.session import SessionState


def blueprint(services: Services) -> APIBlueprint:
    """Endpoints for those who keep the service running; they name no switchboard, for whoever asks."""
    api = APIBlueprint("system", __name__)

    @api.get(Public.HEALTH.path, summary="Whether the process lives", doc_ui=False)
    def health() -> Response:
        return jsonify({"status": "ok"})

    @api.get(Public.READY.path, summary="Whether actions can be done", doc_ui=False)
    def ready() -> Response:
        missing = _missing(services)
        response = jsonify({"ready": not missing, "missing": missing})
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
        return response

    @api.get(Public.METRICS.path, summary="For Prometheus", doc_ui=False)
    def metrics() -> Response:
        body, content_type = services.metrics.exposition(request.headers.get("Accept", ""))
        return Response(body, content_type=content_type)

    return api


def _missing(services: Services) -> list[str]:
    """What is not as it should be, in words; the log names names."""
    states = [connection.state for connection in services.bridge.connections().values()]
    lacking = sum(state is not SessionState.CONNECTED for state in states)
    missing = [] if services.exporter.connected else ["the exporter"]
    return missing + ([f"{lacking} of {len(states)} switchboards"] if lacking else [])
