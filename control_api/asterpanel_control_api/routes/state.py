"""Who I am, which switchboards I may see, and their live state, as a document and as a stream."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from asterpanel_control_api.access.filtering import FilteredBoard, filtered
from asterpanel_control_api.answers import Me, State, Switchboards
from asterpanel_control_api.door import person, still_valid
from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.live.peer import prepare_for_stream
from asterpanel_control_api.live.shared_view import Sight
from asterpanel_control_api.people import Person
from asterpanel_control_api.requests import SwitchboardPath
from asterpanel_control_api.services import Services

_TAG = Tag(name="state", description="What you may see.")


def blueprint(services: Services) -> APIBlueprint:
    """Endpoints that change nothing."""
    api = APIBlueprint("state", __name__, url_prefix="/v1", abp_tags=[_TAG], abp_security=[{"bearer": []}])

    @api.get("/me", summary="Who I am and what I may do", responses={HTTPStatus.OK: Me})
    def me() -> Response:
        who = services.viewpoint(person()).me()
        return jsonify({**who, "pause_reasons": list(services.settings.pause_reasons)})

    @api.get(
        "/switchboards", summary="The switchboards that I may see", responses={HTTPStatus.OK: Switchboards}
    )
    def switchboards() -> Response:
        shown = services.viewpoint(person()).me()["switchboards"]
        return jsonify({"switchboards": [{**board, **_about(services, board["name"])} for board in shown]})

    @api.get(
        "/switchboards/<switchboard>/state",
        summary="The live state, as I may see it",
        responses={HTTPStatus.OK: State},
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
        return jsonify({"freshness": freshness, "state": filtered(scope, document)})

    @api.get(
        "/switchboards/<switchboard>/stream",
        summary="The live state as server-sent events: a snapshot, then patches",
        description="Events: `snapshot`, `patch` (JSON Merge Patch, RFC 7396, of the document before), "
        "`heartbeat` (freshness), `end` (reason). Send the last id as `Last-Event-ID` to go on from there.",
        responses={HTTPStatus.OK: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    def stream(path: SwitchboardPath) -> Response:
        who = person()
        services.viewpoint(who).scope(path.switchboard)
        events = services.subscribers.subscribe(
            path.switchboard,
            f"{who.tenant}:{who.subject}",
            lambda: _sight(services, who, path.switchboard),
            last_event_id=request.headers.get("Last-Event-ID", ""),
            abort=prepare_for_stream(request.environ, services.subscribers.settings.write_timeout_s),
        )
        response = Response(events, content_type="text/event-stream")
        response.headers["X-Accel-Buffering"] = "no"
        response.call_on_close(events.close)
        return response

    return api


def _sight(services: Services, who: Person, switchboard: str) -> Sight | None:
    """What somebody may see by now; None: nothing any more."""
    if not still_valid(services, who):
        return None
    try:
        scope = services.viewpoint(who).scope(switchboard)
    except ApiError:
        return None
    return Sight(key=scope, new_filter=lambda: FilteredBoard(scope).view)


def _about(services: Services, switchboard: str) -> dict[str, Any]:
    return {
        "can_act": switchboard in services.bridge.switchboards,
        "freshness": _freshness(services, switchboard),
    }


def _freshness(services: Services, switchboard: str) -> dict[str, Any] | None:
    freshness = services.boards.freshness(switchboard)
    return None if freshness is None else dataclasses.asdict(freshness)
