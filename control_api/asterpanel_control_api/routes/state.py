"""Who I am, which switchboards I may see, and their live state, as a document and as a stream."""

from __future__ import annotations

import dataclasses
from typing import Any

from flask import Response, jsonify, request
from flask_openapi3.blueprint import APIBlueprint

from asterpanel_control_api.access.endpoints import Read
from asterpanel_control_api.answers import Me, State, Switchboards
from asterpanel_control_api.door import person
from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.levels import dashboard_levels
from asterpanel_control_api.live.peer import prepare_for_stream
from asterpanel_control_api.openapi import EVENT_STREAM, SECURITY, STATE, operation_id, responses
from asterpanel_control_api.requests import StreamHeaders, SwitchboardPath
from asterpanel_control_api.services import Services
from asterpanel_control_api.sights import Sights


def blueprint(services: Services) -> APIBlueprint:
    """Endpoints that change nothing."""
    sights = Sights(services)
    api = APIBlueprint(
        "state",
        __name__,
        abp_tags=[STATE],
        abp_security=SECURITY,
        operation_id_callback=operation_id,
    )

    @api.get(Read.ME.path, summary="Who I am and what I may do", responses=responses(Me))
    def me() -> Response:
        who = services.viewpoint(person()).me()
        return jsonify({**who, **_settings(services)})

    @api.get(
        Read.SWITCHBOARDS.path, summary="The switchboards that I may see", responses=responses(Switchboards)
    )
    def switchboards() -> Response:
        shown = services.viewpoint(person()).me()["switchboards"]
        return jsonify({"switchboards": [{**board, **_about(services, board["name"])} for board in shown]})

    @api.get(
        Read.STATE.path,
        summary="The live state, as I may see it",
        responses=responses(State, ErrorId.INVALID_REQUEST, ErrorId.NOT_FOUND, ErrorId.NO_STATE),
    )
    def state(path: SwitchboardPath) -> Response:
        scope = services.viewpoint(person()).scope(path.switchboard)
        document, freshness = (
            services.boards.document(path.switchboard),
            _freshness(services, path.switchboard),
        )
        if document is None or freshness is None:
            raise ApiError(
                ErrorId.NO_STATE, "the exporter has told nothing of this switchboard yet; try again soon"
            )
        return jsonify({"freshness": freshness, "state": sights.filtered(scope, document)})

    @api.get(
        Read.STREAM.path,
        summary="The live state as server-sent events: a snapshot, then patches",
        description="A `snapshot`, then a `patch` for each change; a `heartbeat` every five seconds and "
        "whenever `stale` changes; at the `end` nothing follows: come back, but for the reason "
        "`right_ended`.",
        responses=responses(
            EVENT_STREAM,
            ErrorId.INVALID_REQUEST,
            ErrorId.FORBIDDEN,
            ErrorId.NOT_FOUND,
            ErrorId.NO_STATE,
            ErrorId.TOO_MANY_STREAMS,
        ),
    )
    def stream(path: SwitchboardPath, header: StreamHeaders) -> Response:
        who = person()
        services.viewpoint(who).scope(path.switchboard)
        events = services.subscribers.subscribe(
            path.switchboard,
            who.key,
            sights.check(who, path.switchboard),
            last_event_id=header.last_event_id,
            peer=prepare_for_stream(request.environ, services.subscribers.settings.write_timeout_s),
            until=who.until,
        )
        response = Response(events, content_type="text/event-stream")
        response.headers["X-Accel-Buffering"] = "no"
        response.call_on_close(events.close)
        return response

    return api


def _settings(services: Services) -> dict[str, Any]:
    """What of the configuration the user interface needs."""
    dashboards = services.config.dashboards
    return {
        "pause_reasons": list(services.settings.pause_reasons),
        "levels": dashboard_levels(dashboards),
        "service_level_formula": dashboards.formula.name,
    }


def _about(services: Services, switchboard: str) -> dict[str, Any]:
    return {
        "can_act": switchboard in services.bridge.switchboards,
        "freshness": _freshness(services, switchboard),
    }


def _freshness(services: Services, switchboard: str) -> dict[str, Any] | None:
    freshness = services.boards.freshness(switchboard)
    return None if freshness is None else dataclasses.asdict(freshness)
