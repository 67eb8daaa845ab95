"""Whether all is set up: for the configuration page of Grafana's app, which has to say what is wrong."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Any

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from asterpanel_control_api.access.endpoints import Setup
from asterpanel_control_api.answers import Connection
from asterpanel_control_api.door import proof
from asterpanel_control_api.identity.authentication import Proof
from asterpanel_control_api.openapi import SECRET_ALONE, SECURITY, SETUP, operation_id, responses
from asterpanel_control_api.services import Services


def blueprint(services: Services) -> APIBlueprint:
    """The endpoint of the connection."""
    api = APIBlueprint(
        "connection",
        __name__,
        abp_tags=[SETUP],
        abp_security=[*SECURITY, SECRET_ALONE],
        operation_id_callback=operation_id,
    )

    @api.get(
        Setup.CONNECTION.path,
        summary="How I am connected, and what is wrong with it",
        description="Answered to whoever has a right secret, also if his identity is not believed: then "
        "`identity.reason` says why. With another secret the answer is the same as everywhere.",
        responses=responses(Connection),
    )
    def connection() -> Response:
        now, found = time.time(), proof()
        return jsonify(
            {
                "tenant": found.tenant,
                "now": round(now, 3),
                "version": version("asterpanel"),
                "identity": _identity(found, now),
                **_reach(services, found),
                "exporter": {"connected": services.exporter.connected},
            }
        )

    return api


def _identity(found: Proof, now: float) -> dict[str, Any]:
    told: dict[str, Any] = {
        "accepted": list(found.accepted),
        "found": list(found.found),
        "believed": found.person is not None,
    }
    if found.person is not None:
        told["via"] = found.person.via
        if found.person.login:
            told["login"] = found.person.login
    if found.reason is not None:
        told["reason"] = found.reason
    if found.issued_at is not None:
        told["clock_offset_s"] = round(now - found.issued_at, 3)
    return told


def _reach(services: Services, found: Proof) -> dict[str, int]:
    if found.person is None:
        return {"profiles": 0, "switchboards": 0}
    viewpoint = services.viewpoint(found.person)
    return {"profiles": len(viewpoint.profiles()), "switchboards": len(viewpoint.switchboards())}
