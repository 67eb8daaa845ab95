"""The headers of a request in every form of identity: the good ones, and each way to cheat."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from asterpanel_control_api.identity.forms import Form
from asterpanel_control_api.identity.grafana_id import CLOCK_SKEW_S, HEADER
from asterpanel_control_api.identity.proxy import CONTEXT_HEADER, USER_HEADER
from tests.grafana_keys import GrafanaKeys, context_header
from tests.unit.control_app import OTHER_SECRET, SECRET, ControlApp

Headers = dict[str, str]

_HOLDS_S = 5
"""How long that is believed which is to be refused later."""


def person(api: ControlApp, form: Form, login: str) -> Headers:
    """Of somebody who is, or says he is, this user of Grafana."""
    return _OF_PERSONS[form](api.grafana, login)


def program(form: Form, token: Headers) -> Headers:
    """Of a program that has this token; whether it was revoked or has expired is the token's own affair."""
    return _OF_PROGRAMS[form](token)


def soon_over(api: ControlApp, login: str) -> tuple[Headers, float]:
    """An id token that is believed now, and the Unix time from which on it must not be any more."""
    expires_at = int(time.time()) + _HOLDS_S - CLOCK_SKEW_S
    token = api.grafana.token(login, iat=int(time.time()) - 600, exp=int(expires_at))
    return _route(id_token=token), expires_at + CLOCK_SKEW_S


def in_a_moment() -> float:
    """When a bearer token that is used at once is to expire."""
    return time.time() + _HOLDS_S


def _route(
    secret: str = SECRET,
    *,
    id_token: str | None = None,
    context: str | None = None,
    user: str | None = None,
) -> Headers:
    """What Grafana's app proxy sends."""
    sent = {HEADER: id_token, CONTEXT_HEADER: context, USER_HEADER: user}
    secret_header = {"Authorization": f"Bearer {secret}"} if secret else {}
    return secret_header | {name: value for name, value in sent.items() if value is not None}


def _changed_id_token(**changed: Any) -> Callable[[GrafanaKeys, str], Headers]:
    return lambda grafana, login: _route(id_token=grafana.token(login, **changed))


def _timed_id_token(issued_s: int, expires_s: int) -> Callable[[GrafanaKeys, str], Headers]:
    """Seconds from now."""

    def headers(grafana: GrafanaKeys, login: str) -> Headers:
        now = int(time.time())
        times: dict[str, Any] = {"iat": now + issued_s, "nbf": now + issued_s, "exp": now + expires_s}
        return _route(id_token=grafana.token(login, **times))

    return headers


def _changed_context(**changed: Any) -> Callable[[GrafanaKeys, str], Headers]:
    return lambda _, login: _route(context=context_header(login, **changed))


def _forged(grafana: GrafanaKeys, login: str) -> str:
    own = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(grafana.claims(login), own, algorithm="ES256", headers={"kid": "id-1"})


def _under_anothers_signature(grafana: GrafanaKeys, login: str) -> str:
    header, _, signature = grafana.token("anna").split(".")
    return f"{header}.{_part(grafana.claims(login))}.{signature}"


def _of_unknown_key(grafana: GrafanaKeys, login: str) -> str:
    key = grafana.private_keys["id-1"]
    return jwt.encode(grafana.claims(login), key, algorithm="ES256", headers={"kid": "id-0"})


def _unsigned(grafana: GrafanaKeys, login: str) -> str:
    return f"{_part({'alg': 'none', 'kid': 'id-1'})}.{_part(grafana.claims(login))}."


def _signed_with_public_key(grafana: GrafanaKeys, login: str) -> str:
    public = grafana.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = f"{_part({'alg': 'HS256', 'kid': 'id-1'})}.{_part(grafana.claims(login))}"
    return f"{signed}.{_base64(hmac.digest(public, signed.encode(), hashlib.sha256))}"


def _part(claims: Mapping[str, Any]) -> str:
    return _base64(json.dumps(claims).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _everything(grafana: GrafanaKeys, login: str, secret: str = SECRET) -> Headers:
    return _route(secret, id_token=grafana.token(login), context=context_header(login), user=login)


_OF_PERSONS: Mapping[Form, Callable[[GrafanaKeys, str], Headers]] = {
    Form.ID_TOKEN: _changed_id_token(),
    Form.CONTEXT: _changed_context(),
    Form.USER_HEADER: lambda _, login: _route(user=login),
    Form.NOTHING: lambda _grafana, _login: {},
    Form.WRONG_SECRET: lambda grafana, login: _everything(grafana, login, f"{SECRET}x"),
    Form.SECRET_ALONE: lambda _grafana, _login: _route(),
    Form.ID_TOKEN_ALONE: lambda grafana, login: _route("", id_token=grafana.token(login)),
    Form.CONTEXT_ALONE: lambda _, login: _route("", context=context_header(login)),
    Form.USER_HEADER_ALONE: lambda _, login: _route("", user=login),
    Form.OTHER_TENANTS_SECRET: lambda grafana, login: _route(OTHER_SECRET, id_token=grafana.token(login)),
    Form.NOT_ACCEPTED: lambda _, login: _route(OTHER_SECRET, context=context_header(login, OrgID=2)),
    Form.TWO_USERS: lambda grafana, login: _route(
        id_token=grafana.token("anna"), context=context_header(login)
    ),
    Form.FALLBACK: lambda grafana, login: _route(
        id_token=_forged(grafana, login), context=context_header(login)
    ),
    Form.FORGED: lambda grafana, login: _route(id_token=_forged(grafana, login)),
    Form.CHANGED: lambda grafana, login: _route(id_token=_under_anothers_signature(grafana, login)),
    Form.UNKNOWN_KEY: lambda grafana, login: _route(id_token=_of_unknown_key(grafana, login)),
    Form.ALG_NONE: lambda grafana, login: _route(id_token=_unsigned(grafana, login)),
    Form.ALG_HS256: lambda grafana, login: _route(id_token=_signed_with_public_key(grafana, login)),
    Form.EXPIRED: _timed_id_token(-900, -300),
    Form.NOT_YET_VALID: _timed_id_token(300, 900),
    Form.OTHER_ISSUER: _changed_id_token(iss="https://grafana.example.org/"),
    Form.WRONG_AUDIENCE: _changed_id_token(aud=["org:2"]),
    Form.SERVICE_ACCOUNT: _changed_id_token(type="service-account", sub="service-account:2"),
    Form.CONTEXT_OTHER_ORG: _changed_context(OrgID=2),
    Form.CONTEXT_ANONYMOUS: _changed_context(IsAnonymous=True),
    Form.CONTEXT_DISABLED: _changed_context(IsDisabled=True),
    Form.CONTEXT_SERVICE_ACCOUNT: _changed_context(IsServiceAccount=True),
    Form.CONTEXT_API_KEY: _changed_context(ApiKeyID=3),
    Form.CONTEXT_BROKEN: lambda _, login: _route(context=context_header(login)[:-1]),
    Form.USER_HEADER_SERVICE_ACCOUNT: lambda _, login: _route(user=f"sa-{login}"),
}

_OF_PROGRAMS: Mapping[Form, Callable[[Headers], Headers]] = {
    Form.BEARER_TOKEN: lambda token: token,
    Form.REVOKED_TOKEN: lambda token: token,
    Form.EXPIRED_TOKEN: lambda token: token,
    Form.WRONG_TOKEN: lambda token: {"Authorization": token["Authorization"][:-8] + "AAAAAAAA"},
    Form.TOKEN_WITH_IDENTITY: lambda token: token | {CONTEXT_HEADER: context_header("anna")},
}
