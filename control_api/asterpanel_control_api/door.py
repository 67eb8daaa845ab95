"""What every request passes: who it is, whether it is JSON, what it is counted as, how errors are told."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, jsonify, request

from asterpanel_control_api.access.endpoints import Action, Public, Setup
from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.identity.authentication import Proof
from asterpanel_control_api.identity.refusals import Unauthenticated
from asterpanel_control_api.people import Person
from asterpanel_control_api.rate_limits import RateLimits
from asterpanel_control_api.services import Services
from asterpanel_control_api.slow_clients import has_arrived

_PUBLIC = frozenset(endpoint.id for endpoint in Public)
_SETUP = frozenset(endpoint.id for endpoint in Setup)
_ACTIONS = frozenset(action.id for action in Action)
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
"""What a page of another origin could send unasked has a body, whose type it could not choose: a DELETE it
could not."""


class Door:
    """The hooks of an application."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._limits = RateLimits()

    def guard(self, app: Flask) -> None:
        """From now on every request passes here."""
        app.before_request(self._begin)
        self._limits.before_identity(app)
        app.before_request(self._identify)
        self._limits.after_identity(app)
        app.before_request(self._check_json)
        app.register_error_handler(ApiError, self.refused)
        app.after_request(self._leave)

    def _begin(self) -> None:
        g.person = None
        g.asked = (request.endpoint or "").rpartition(".")[2]  # an `Endpoint`'s id; "": there is none
        g.wants_identity = bool(g.asked) and g.asked not in _PUBLIC

    def _identify(self) -> None:
        if not g.wants_identity:
            return
        try:
            self._prove()
        except Unauthenticated as error:
            self._limits.judged(error)
            self._services.metrics.unauthenticated.labels(error.reason.value).inc()
            raise
        self._limits.judged(None)

    def _prove(self) -> None:
        authenticator, peer = self._services.authenticator, request.remote_addr or ""
        if g.asked not in _SETUP:
            g.person = authenticator.person(request.headers, peer)
            return
        g.proof = authenticator.proof(request.headers, peer)
        g.person = g.proof.person
        if g.proof.reason is not None:
            self._services.metrics.unauthenticated.labels(g.proof.reason.value).inc()

    def _check_json(self) -> None:
        if request.method in _WITHOUT_BODY:
            has_arrived(request.environ)
        elif g.person is not None and request.mimetype != "application/json":
            raise ApiError(ErrorId.NOT_JSON, "send Content-Type: application/json")

    def _record_refusal(self, error: ApiError) -> None:
        """An action that got no further than to here is a denial too. Of a flood of them the metrics tell."""
        who: Person | None = g.person
        if not self._limits.is_audited(request.remote_addr or "" if who is None else who.key):
            return
        named: dict[str, str] = request.view_args or {}
        self._services.audit.record(
            who,
            g.asked,
            named.get("switchboard", ""),
            agent=named.get("agent", ""),
            queue=named.get("queue", ""),
            result=error.id.id,
            detail=error.reason.value if isinstance(error, Unauthenticated) else error.message,
        )

    def refused(self, error: ApiError) -> Response:
        """An error as the answer."""
        g.error = error
        response = jsonify(error.body)
        response.status_code = error.id.status
        if error.id is ErrorId.UNAUTHENTICATED:
            response.headers["WWW-Authenticate"] = "Bearer"
        if "retry_after_s" in error.detail:
            response.headers["Retry-After"] = str(error.detail["retry_after_s"])
        return response

    def _leave(self, response: Response) -> Response:
        """Count the request; what is answered is nobody else's."""
        error: ApiError | None = g.get("error")
        if error is not None and g.get("asked") in _ACTIONS and not g.get("is_recorded"):
            self._record_refusal(error)
        result = "ok" if error is None else error.id.id
        self._services.metrics.requests.labels(g.get("asked") or "none", result).inc()
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def person() -> Person:
    """Whose request this is."""
    who: Any = g.person
    assert isinstance(who, Person)  # noqa: S101  # `Door` lets nobody else in
    return who


def proof() -> Proof:
    """What came of this request's identity, at an endpoint of `Setup`."""
    found: Any = g.proof
    assert isinstance(found, Proof)  # noqa: S101  # `Door` lets nobody else in
    return found
