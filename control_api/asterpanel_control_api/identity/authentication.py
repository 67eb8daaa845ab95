"""Whose request it is. Whatever is not proven, or wrong in any part, is refused.

The bearer secret comes first. It is either a route's, which only the app proxy of one tenant's Grafana
organisation has, or a token of a program; with neither, nothing else of the request is looked at.

With a route's secret, every accepted form of identity that the request has must be right, and all must name
the same user; forms that the configuration does not accept are not looked at:

- A wrong id token is a refusal, never a reason to go by the context header: Grafana hands on an
  ``X-Grafana-Id`` of its client when it has none to set, and a guess must not be free.
- Grafana always overwrites the context header, so another user's id token is of no use where both arrive.
- A client of Grafana can *remove* headers (``Connection: X-Grafana-Id``), never forge the two that the proxy
  adds. With the only form removed, there is no identity, and no action. With the context removed an id token
  is left: Grafana's own, as one that signs them always overwrites the client's, or, before 11.3, none.
- Whoever has stolen a route's secret can write the two unsigned headers himself. That too is what
  ``identity: [id_token]`` is for.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from asterpanel_control_api.access.globs import ascii_lower
from asterpanel_control_api.identity import grafana_id, proxy
from asterpanel_control_api.identity.grafana_id import IdTokens
from asterpanel_control_api.identity.grafana_user import GrafanaUser, shown
from asterpanel_control_api.identity.refusals import Reason, Refused, Unauthenticated
from asterpanel_control_api.identity.signing_keys import SigningKeys
from asterpanel_control_api.identity.tokens import Tokens
from asterpanel_control_api.people import Person, TokenGrant, Via
from asterpanel_switchboard.config import ControlApiConfig, ControlTenant

_log = logging.getLogger(__name__)

MAX_AUTHORIZATION_CHARS: Final = 1024
_HEADERS: Final[Mapping[Via, str]] = {
    Via.ID_TOKEN: grafana_id.HEADER,
    Via.CONTEXT: proxy.CONTEXT_HEADER,
    Via.USER_HEADER: proxy.USER_HEADER,
}
"""Where each form of identity is, strongest first."""


class Headers(Protocol):
    """The headers of a request, as Werkzeug has them."""

    def getlist(self, key: str, /) -> list[str]:
        """The values of a header, whatever its case; empty if it is not there."""


@dataclass(frozen=True, slots=True)
class _Route:
    """One tenant's way in."""

    tenant: str
    secret_hash: bytes
    readers: Mapping[Via, Callable[[str], GrafanaUser]]
    """The accepted forms, strongest first."""

    @property
    def accepted(self) -> tuple[Via, ...]:
        return tuple(self.readers)


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of the identity of a request whose secret is right.

    Attributes:
        tenant: by the secret.
        accepted: Grafana's forms that the tenant's configuration accepts, strongest first.
        found: Grafana's forms that the request has, accepted or not, strongest first.
        person: whose request it is; None: that is not believed.
        reason: why not; None: it is believed.
        issued_at: when, in Unix seconds, the id token says it was signed, believed or not; None: there is
            none that can be read, or the form is not accepted.
    """

    tenant: str
    accepted: tuple[Via, ...]
    found: tuple[Via, ...]
    person: Person | None
    reason: Reason | None
    issued_at: float | None


@dataclass(frozen=True, slots=True)
class _Claim:
    """What somebody who has a right secret says of who he is."""

    tenant: str
    accepted: tuple[Via, ...]
    forms: Mapping[Via, list[str]]
    person: Callable[[], Person]
    """Who it is. Raises `Refused` if that is not proven."""


class Authenticator:
    """Knows the tenants' secrets and their Grafanas' keys. Safe for threads.

    Args:
        settings: loaded for the control API; otherwise its secrets are not read, and this raises.
        tokens: of programs.
    """

    def __init__(self, settings: ControlApiConfig, tokens: Tokens) -> None:
        keys = {tenant.grafana.keys_source: _signing_keys(tenant) for tenant in settings.tenants.values()}
        self._routes = tuple(
            _route(name, tenant, keys[tenant.grafana.keys_source])
            for name, tenant in settings.tenants.items()
        )
        self._tokens = tokens

    def person(self, headers: Headers, remote_addr: str) -> Person:
        """Whose request it is. ``remote_addr``: of the peer, for the log.

        Raises `Unauthenticated`, which is the same for whatever was wrong; the log says what.
        """
        with _refusals_logged(remote_addr):
            return self._claim(headers).person()

    def proof(self, headers: Headers, remote_addr: str) -> Proof:
        """What came of the identity in a request whose secret is right. ``remote_addr`` as in `person`.

        Raises `Unauthenticated` if the secret is not right.
        """
        with _refusals_logged(remote_addr):
            claim = self._claim(headers)
        person, reason = None, None
        try:
            with _refusals_logged(remote_addr):
                person = claim.person()
        except Unauthenticated as error:
            reason = error.reason
        return Proof(
            tenant=claim.tenant,
            accepted=claim.accepted,
            found=tuple(claim.forms),
            person=person,
            reason=reason,
            issued_at=_issued_at(claim),
        )

    def holds(self, grant: TokenGrant) -> bool:
        """Whether what a program was given, some time ago, has neither been revoked nor expired."""
        return self._tokens.holds(grant)

    def _claim(self, headers: Headers) -> _Claim:
        """What is said by who has a right secret. Raises `Refused` if it is not right."""
        secret = _bearer_secret(headers)
        forms = _forms(headers)
        route = self._route_of(secret)
        if route is not None:
            return _Claim(route.tenant, route.accepted, forms, partial(_grafana_person, route, forms))
        program = self._program(secret)
        accepted = next((each.accepted for each in self._routes if each.tenant == program.tenant), ())
        return _Claim(program.tenant, accepted, forms, partial(_alone, program, forms))

    def _route_of(self, secret: str) -> _Route | None:
        found = None
        hashed = _hash(secret)
        for route in self._routes:
            if hmac.compare_digest(hashed, route.secret_hash):  # to the end: the time taken tells nothing
                found = route
        return found

    def _program(self, secret: str) -> Person:
        token = self._tokens.find(secret)
        return Person(
            tenant=token.tenant,
            subject=f"token:{token.name}",
            login="",
            email="",
            name=token.name,
            via=Via.BEARER,
            grant=token.grant,
        )


@contextmanager
def _refusals_logged(remote_addr: str) -> Iterator[None]:
    """Tells the log of whatever is wrong, and raises `Unauthenticated` for it."""
    try:
        yield
    except Refused as refused:
        _log.warning(
            "unauthenticated request from %s: reason=%s detail=%s",
            shown(remote_addr),
            refused.reason,
            refused.detail,
        )
        raise Unauthenticated(refused.reason) from None
    except Exception:
        _log.exception("unauthenticated request from %s: reason=%s", shown(remote_addr), Reason.INTERNAL)
        raise Unauthenticated(Reason.INTERNAL) from None


def _signing_keys(tenant: ControlTenant) -> SigningKeys:
    return SigningKeys(*tenant.grafana.keys_source)


def _route(name: str, tenant: ControlTenant, keys: SigningKeys) -> _Route:
    secret = tenant.route_secret.get_secret_value()
    if not secret:
        raise ValueError(f"tenant {name} has an empty route secret")
    readers: dict[Via, Callable[[str], GrafanaUser]] = {
        Via.ID_TOKEN: IdTokens(tenant.grafana, keys).user,
        Via.CONTEXT: lambda header: proxy.context_user(header, tenant.grafana.org_id),
        Via.USER_HEADER: proxy.header_user,
    }
    accepted = {via: reader for via, reader in readers.items() if via.value in tenant.grafana.identity}
    return _Route(name, _hash(secret), accepted)


def _bearer_secret(headers: Headers) -> str:
    values = headers.getlist("Authorization")
    if len(values) != 1 or len(values[0]) > MAX_AUTHORIZATION_CHARS:
        raise Refused(Reason.NO_CREDENTIALS, f"{len(values)} headers Authorization that could be used")
    scheme, _, secret = values[0].partition(" ")
    if scheme.casefold() != "bearer" or not secret:
        raise Refused(Reason.NO_CREDENTIALS, "Authorization is not `Bearer …`")
    return secret


def _forms(headers: Headers) -> dict[Via, list[str]]:
    """The forms of identity that the request has, accepted or not, strongest first."""
    found = {via: headers.getlist(name) for via, name in _HEADERS.items()}
    return {via: values for via, values in found.items() if values}


def _alone(program: Person, forms: Mapping[Via, list[str]]) -> Person:
    """A program, which comes with its token and nothing else."""
    if forms:
        raise Refused(
            Reason.TOKEN_WITH_IDENTITY,
            f"token {program.name} came with {_HEADERS[next(iter(forms))]}: does Grafana's app have it "
            "instead of the route's secret?",
        )
    return program


def _issued_at(claim: _Claim) -> float | None:
    tokens = claim.forms.get(Via.ID_TOKEN, [])
    return grafana_id.issued_at(tokens[0]) if Via.ID_TOKEN in claim.accepted and len(tokens) == 1 else None


def _grafana_person(route: _Route, forms: Mapping[Via, list[str]]) -> Person:
    present = [via for via in route.readers if via in forms]
    if not present:
        accepted, found = ", ".join(route.readers), ", ".join(forms) or "none"
        raise Refused(Reason.NO_IDENTITY, f"tenant {route.tenant} accepts {accepted}; there is {found}")
    strongest, *weaker = present
    user = _user(route, forms, strongest)
    for via in weaker:
        _must_agree(user, route, forms, via)
    return Person(
        tenant=route.tenant,
        subject=f"grafana:{user.login}",
        login=user.login,
        email=user.email,
        name=user.name,
        via=strongest,
        until=user.until,
    )


def _user(route: _Route, forms: Mapping[Via, list[str]], via: Via) -> GrafanaUser:
    values = forms[via]
    try:
        if len(values) != 1:
            raise Refused(Reason.CONTRADICTION, f"{len(values)} headers {_HEADERS[via]}")
        return route.readers[via](values[0])
    except Refused as refused:
        raise Refused(refused.reason, f"tenant {route.tenant}, {via}: {refused.detail}") from refused


def _must_agree(user: GrafanaUser, route: _Route, forms: Mapping[Via, list[str]], via: Via) -> None:
    other = _user(route, forms, via)
    if ascii_lower(other.login) != ascii_lower(user.login):  # as Grafana, and the profiles, compare them
        raise Refused(
            Reason.CONTRADICTION,
            f"tenant {route.tenant}: {shown(user.login)}, but {shown(other.login)} by {via}",
        )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
