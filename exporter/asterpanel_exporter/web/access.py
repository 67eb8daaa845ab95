"""Who may read the live state, which holds callers' numbers and names, and who may add to the journal."""

from __future__ import annotations

import asyncio
import hmac

from aiohttp import web

from asterpanel_exporter.web.answers import ApiError, Handler
from asterpanel_switchboard.config import ExporterConfig
from asterpanel_switchboard.config.values import is_loopback

WRONG_TOKEN_DELAY_S = 0.25
"""What a wrong token costs whoever tries it."""

WRONG_TOKENS_AT_ONCE = 8
"""Wrong tokens answered at the same time; more are turned away. Together: 32 guesses a second."""

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="asterpanel state"'}


class StateAccess:
    """Checks the bearer token of requests for the state."""

    def __init__(self, config: ExporterConfig) -> None:
        token = config.state_token
        self._token = token.get_secret_value().encode() if token is not None else b""
        self._open = config.state_open_on_loopback
        self._wrong = asyncio.Semaphore(WRONG_TOKENS_AT_ONCE)

    def guard(self, handler: Handler, *, token_only: bool = False) -> Handler:
        """The handler, reached only by those who may; ``token_only``: never without a token."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            await self.check(request, token_only=token_only)
            return await handler(request)

        return guarded

    async def check(self, request: web.Request, *, token_only: bool = False) -> None:
        """Return if the request may read the state.

        Raises:
            ApiError: 401 without or with a wrong token, 403 if there is none to have, 429 if too many
                wrong ones are being tried.
        """
        if self._token:
            await self._check_token(request.headers.get("Authorization", ""))
        elif token_only or not self._open:
            raise ApiError(
                403,
                "no_token_configured",
                f"{'this' if token_only else 'the live state'} is closed: the exporter has no token for it; "
                "set exporter.state_token_file or exporter.state_token_env in its configuration",
            )
        elif not _names_this_machine(request.host):
            # A web page elsewhere can point a name of its own at 127.0.0.1; the Host header shows it.
            raise ApiError(
                403,
                "foreign_host",
                "without a token the live state is served only under a loopback address or localhost",
            )

    async def _check_token(self, authorization: str) -> None:
        scheme, _, given = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not given:
            raise ApiError(401, "token_missing", "send Authorization: Bearer <state token>", _CHALLENGE)
        if hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self._token):
            return
        if self._wrong.locked():
            raise ApiError(429, "too_many_wrong_tokens", "too many wrong tokens", {"Retry-After": "1"})
        async with self._wrong:
            await asyncio.sleep(WRONG_TOKEN_DELAY_S)
        raise ApiError(
            401,
            "token_wrong",
            "this is not the state token",
            {"WWW-Authenticate": _CHALLENGE["WWW-Authenticate"] + ', error="invalid_token"'},
        )


def _names_this_machine(host_header: str) -> bool:
    if host_header.startswith("["):
        return is_loopback(host_header[1:].partition("]")[0])
    return is_loopback(host_header.partition(":")[0].lower())
