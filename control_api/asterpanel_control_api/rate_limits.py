"""How often one address may be wrong about a secret, and how often one person may act (flask-limiter)."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import OrderedDict
from typing import Final

from flask import Flask, Response, g, request
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded, RequestLimit
from flask_limiter.util import get_remote_address
from limits import RateLimitItemPerMinute

from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.identity.refusals import Reason, Unauthenticated

WRONG_SECRETS: Final = 20
"""From one address in a minute: who guesses is not listened to for a while, even if he guesses right."""

ACTIONS: Final = 120
"""Of one person in a minute."""

AUDITED_REFUSALS: Final = 20
"""In a minute, of one person, or of strangers from one address: requests for actions that were refused at the
door and that the audit tells of one by one."""

MAX_PROVEN: Final = 10_000

_GUESSES: Final = frozenset({Reason.UNKNOWN_SECRET, Reason.TOKEN_EXPIRED})
_WITHOUT_EFFECT: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class RateLimits:
    """Of an application; in this process's memory, which is the only one.

    Behind one Grafana's address are many tenants, and one whose secret is wrong must not shut out the others:
    a secret that was right from an address is taken on, while others are guessed there. (One that comes for
    the first time meanwhile may have to wait for up to a minute.)
    """

    def __init__(self) -> None:
        self._proven: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._lock = threading.Lock()
        self._addresses = _limiter(
            ApplicationLimit(
                f"{WRONG_SECRETS} per minute",
                scope="secret",
                key_function=get_remote_address,
                exempt_when=lambda: not g.wants_identity or self._is_proven(),
                deduct_when=_was_guess,
                on_breach=_remember,
                error_message="too many wrong secrets from this address",
            )
        )
        self._people = _limiter(
            ApplicationLimit(
                f"{ACTIONS} per minute",
                scope="action",
                key_function=lambda: str(g.person.key),
                exempt_when=lambda: g.person is None or request.method in _WITHOUT_EFFECT,
                on_breach=_remember,
                error_message=f"more than {ACTIONS} actions in a minute",
            )
        )

    def before_identity(self, app: Flask) -> None:
        """To be called before the hook is registered that finds out who it is."""
        self._addresses.init_app(app)

    def after_identity(self, app: Flask) -> None:
        """To be called after it."""
        self._people.init_app(app)

    def judged(self, error: Unauthenticated | None) -> None:
        """What came of the present request's identity; None: it was believed."""
        secret = _secret_here()
        with self._lock:
            if error is None:
                self._proven[secret] = None
                self._proven.move_to_end(secret)
                if len(self._proven) > MAX_PROVEN:
                    self._proven.popitem(last=False)
            elif error.reason in _GUESSES:
                self._proven.pop(secret, None)

    def _is_proven(self) -> bool:
        with self._lock:
            return _secret_here() in self._proven

    def is_audited(self, who: str) -> bool:
        """Whether one more refusal of his is told of; ``who``: a person's key, or a stranger's address."""
        return self._addresses.limiter.hit(RateLimitItemPerMinute(AUDITED_REFUSALS), "refusal", who)


def too_many(error: RateLimitExceeded) -> ApiError:
    """The answer to who has come too often; ``detail.retry_after_s``: when he may come again."""
    breached: RequestLimit = g.breached
    wait_s = min(breached.limit.get_expiry(), max(1, math.ceil(breached.reset_at - time.time())))
    return ApiError(
        ErrorId.TOO_MANY_REQUESTS, f"{error.description}; wait {wait_s} seconds", retry_after_s=wait_s
    )


def _secret_here() -> tuple[str, bytes]:
    """The address, and what it has sent as its secret."""
    secret = "\n".join(request.headers.getlist("Authorization"))
    return get_remote_address(), hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _limiter(limit: ApplicationLimit) -> Limiter:
    return Limiter(
        get_remote_address, application_limits=[limit], strategy="moving-window", storage_uri="memory://"
    )


def _remember(breached: RequestLimit) -> None:
    g.breached = breached


def _was_guess(response: Response) -> bool:
    error = g.get("error")
    return isinstance(error, Unauthenticated) and error.reason in _GUESSES
