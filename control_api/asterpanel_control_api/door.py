"""What every request passes: who it is, whether it is JSON, what it is counted as, how errors are told."""

from __future__ import annotations

import time
from typing import Any

from flask import Response, g, jsonify, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.identity.refusals import Reason, Unauthenticated
from asterpanel_control_api.people import Person
from asterpanel_control_api.services import Services

OPEN_TO_ALL = frozenset({"openapi", "system.health", "system.ready", "system.metrics"})
"""Endpoints that want nobody's identity."""

WRONG_SECRETS = RateLimitItemPerMinute(20)
"""From one address: who guesses secrets is not listened to for a while."""

ACTIONS = RateLimitItemPerMinute(120)
"""Of one person."""

_GUESSES = frozenset({Reason.UNKNOWN_SECRET, Reason.TOKEN_EXPIRED})
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


class Door:
    """The hooks of an application."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def enter(self) -> None:
        """Before anything else of a request.

        Raises:
            ApiError: it goes no further.
        """
        g.started = time.monotonic()
        g.person = None
        if request.endpoint is None or request.endpoint in OPEN_TO_ALL:
            return
        g.person = self._person()
        if request.method not in _WITHOUT_BODY:
            if request.mimetype != "application/json":
                raise ApiError(ErrorId.NOT_JSON, "send Content-Type: application/json")
            if not self._limiter.hit(ACTIONS, "action", g.person.subject):
                raise ApiError(ErrorId.TOO_MANY_REQUESTS, f"more than {ACTIONS.amount} actions in a minute")

    def _person(self) -> Person:
        address = request.remote_addr or ""
        if not self._limiter.test(WRONG_SECRETS, "secret", address):
            raise ApiError(
                ErrorId.TOO_MANY_REQUESTS, "too many wrong secrets from this address; wait a minute"
            )
        try:
            return self._services.authenticator.person(request.headers, address)
        except Unauthenticated as error:
            if error.reason in _GUESSES:
                self._limiter.hit(WRONG_SECRETS, "secret", address)
            raise

    def refused(self, error: ApiError) -> Response:
        """An error as the answer."""
        g.error = error
        response = jsonify(error.body)
        response.status_code = error.id.status
        if error.id is ErrorId.UNAUTHENTICATED:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    def leave(self, response: Response) -> Response:
        """Count the request; what is answered is nobody else's."""
        error: ApiError | None = g.get("error")
        result = "ok" if error is None else error.id.id
        self._services.metrics.requests.labels(request.endpoint or "none", result).inc()
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def still_valid(services: Services, who: Person) -> bool:
    """Whether an open stream's proof still holds: a program's token can be revoked or expire meanwhile."""
    return who.grant is None or services.authenticator.holds(who.grant)


def person() -> Person:
    """Whose request this is."""
    who: Any = g.person
    assert isinstance(who, Person)  # noqa: S101  # `Door.enter` lets nobody else in
    return who
