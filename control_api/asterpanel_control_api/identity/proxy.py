"""``X-Grafana-Context`` and ``X-Grafana-User``: whom Grafana's app proxy names, worth as much as its secret.

Neither is signed. Grafana overwrites or deletes those of its client, so they are believed in a request that
came with the route's secret, and only in such a one.
"""

from __future__ import annotations

import json
from typing import Any, Final

from asterpanel_control_api.identity.grafana_user import GrafanaUser, grafana_user, shown, utf8_header
from asterpanel_control_api.identity.refusals import Reason, Refused

CONTEXT_HEADER: Final = "X-Grafana-Context"
USER_HEADER: Final = "X-Grafana-User"
MAX_CONTEXT_CHARS: Final = 32 * 1024
_SERVICE_ACCOUNT_LOGIN: Final = "sa-"
"""How Grafana begins the login of a service account, for which it sends the user header as well."""


def context_user(header: str, org_id: int) -> GrafanaUser:
    """The user in a context header: Grafana's ``user.SignedInUser`` as JSON.

    Raises `Refused` if it is not that, of another organisation, or about somebody who is not a person.
    """
    context = _context(header)
    if not _is_number(context.get("OrgID"), org_id):
        raise Refused(Reason.OTHER_ORG, f"organisation {shown(context.get('OrgID'))}, {org_id} is configured")
    # Said to be not so by every Grafana since 10; a context that leaves it open is not believed.
    for flag in ("IsAnonymous", "IsServiceAccount"):
        if context.get(flag) is not False:
            raise Refused(Reason.NOT_A_USER, f"{flag} is {shown(context.get(flag))}")
    if context.get("IsDisabled", False) is not False:
        raise Refused(Reason.NOT_A_USER, "the user is disabled")
    if not _is_number(context.get("ApiKeyID", 0), 0):
        raise Refused(Reason.NOT_A_USER, "an API key")
    user_id = context.get("UserID")
    if not isinstance(user_id, int) or isinstance(user_id, bool) or user_id <= 0:
        raise Refused(Reason.NOT_A_USER, f"UserID is {shown(user_id)}")
    return grafana_user(
        context.get("Login"), context.get("Email"), context.get("Name"), Reason.INVALID_CONTEXT
    )


def header_user(header: str) -> GrafanaUser:
    """The user in a user header, which is his login and nothing else. Raises `Refused`.

    It does not tell the organisation: that the secret belongs to the app of one organisation must do. Nor
    does it tell a person from a service account, so whoever is called like one is refused.
    """
    try:
        user = grafana_user(utf8_header(header), "", "", Reason.INVALID_USER_HEADER)
    except UnicodeError:
        raise Refused(Reason.INVALID_USER_HEADER, "not UTF-8") from None
    if user.login.casefold().startswith(_SERVICE_ACCOUNT_LOGIN):
        raise Refused(Reason.NOT_A_USER, f"{shown(user.login)} is called like a service account")
    return user


def _context(header: str) -> dict[str, Any]:
    if len(header) > MAX_CONTEXT_CHARS:
        raise Refused(Reason.INVALID_CONTEXT, f"longer than {MAX_CONTEXT_CHARS} characters")
    try:
        context = json.loads(utf8_header(header), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise Refused(Reason.INVALID_CONTEXT, f"no JSON: {type(error).__name__}") from None
    if not isinstance(context, dict):
        raise Refused(Reason.INVALID_CONTEXT, "no JSON object")
    return context


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("duplicate keys")
    return data


def _is_number(value: object, expected: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value == expected
