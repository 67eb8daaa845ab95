"""``X-Grafana-Id``: the token in which Grafana signs who its user is (11.3 and later).

An ES256 JWT, valid for ten minutes, made for one organisation: ``pkg/services/auth/idimpl`` in Grafana.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import jwt
from jwt.exceptions import PyJWTError

from asterpanel_control_api.identity.grafana_user import GrafanaUser, grafana_user, shown
from asterpanel_control_api.identity.refusals import Reason, Refused
from asterpanel_control_api.identity.signing_keys import ALGORITHM, SigningKeys
from asterpanel_switchboard.config import ControlGrafana

HEADER: Final = "X-Grafana-Id"
CLOCK_SKEW_S: Final = 30.0
"""How far Grafana's clock and ours may be apart."""
MAX_LIFETIME_S: Final = 3600.0
"""Grafana's tokens hold ten minutes; one that holds much longer was made for something else."""
MAX_TOKEN_CHARS: Final = 8192


class IdTokens:
    """Verifies the id tokens of one tenant's Grafana organisation.

    Args:
        grafana: tells issuer and audience.
        keys: of that Grafana.
    """

    def __init__(self, grafana: ControlGrafana, keys: SigningKeys) -> None:
        self._grafana = grafana
        self._keys = keys

    def user(self, token: str) -> GrafanaUser:
        """Whom the token is about. Raises `Refused` if anything about it is not as it must be."""
        claims = self._verified_claims(token)
        if claims["aud"] not in (self._grafana.audience, [self._grafana.audience]):
            raise Refused(Reason.OTHER_ORG, f"made for {shown(claims['aud'])} and others")
        if claims.get("type") != "user" or not claims["sub"].startswith("user:"):
            raise Refused(
                Reason.NOT_A_USER, f"type {shown(claims.get('type'))}, subject {shown(claims['sub'])}"
            )
        name = claims.get("name") or claims.get("displayName")
        user = grafana_user(claims.get("username"), claims.get("email"), name, Reason.INVALID_ID_TOKEN)
        return replace(user, until=int(claims["exp"]) + CLOCK_SKEW_S)

    def _verified_claims(self, token: str) -> Mapping[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key=self._keys.key(_key_id(token)),
                algorithms=[ALGORITHM],
                audience=self._grafana.audience,
                issuer=self._grafana.issuers,
                leeway=CLOCK_SKEW_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
            lifetime_s = int(claims["exp"]) - int(claims["iat"])
        except jwt.InvalidAudienceError as error:
            raise Refused(Reason.OTHER_ORG, f"not made for {self._grafana.audience}") from error
        # OverflowError: a time that is infinite.
        except (PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Refused(Reason.INVALID_ID_TOKEN, f"{type(error).__name__}: {shown(str(error))}") from error
        if lifetime_s > MAX_LIFETIME_S:
            raise Refused(Reason.INVALID_ID_TOKEN, f"holds longer than {MAX_LIFETIME_S:g} seconds")
        return claims


def issued_at(token: str) -> float | None:
    """When the token says it was signed, in Unix seconds, unverified; None if that cannot be read."""
    if len(token) > MAX_TOKEN_CHARS:
        return None
    try:
        issued = jwt.decode(token, options={"verify_signature": False}).get("iat")
        seconds = float(issued) if isinstance(issued, int | float) else math.nan
    except (PyJWTError, ValueError, OverflowError, RecursionError):
        return None
    return seconds if math.isfinite(seconds) else None


def _key_id(token: str) -> str:
    """The id of the key that the token says it is signed with; looks at nothing else if it is not ES256."""
    if len(token) > MAX_TOKEN_CHARS:
        raise Refused(Reason.INVALID_ID_TOKEN, f"longer than {MAX_TOKEN_CHARS} characters")
    header = jwt.get_unverified_header(token)
    if header.get("alg") != ALGORITHM:
        raise Refused(Reason.INVALID_ID_TOKEN, f"algorithm {shown(header.get('alg'))} instead of {ALGORITHM}")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise Refused(Reason.INVALID_ID_TOKEN, "names no key")
    return key_id
