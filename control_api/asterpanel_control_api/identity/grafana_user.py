"""A user of Grafana, by whichever form of identity."""

from __future__ import annotations

import math
from dataclasses import dataclass

from asterpanel_control_api.identity.refusals import Reason, Refused

MAX_LOGIN_CHARS = 190
"""As long as Grafana's column."""


@dataclass(frozen=True, slots=True)
class GrafanaUser:
    """What Grafana says of its user.

    Attributes:
        email: "" if it was not told.
        until: Unix time at which the proof ends; infinite if it is of the present request only.
    """

    login: str
    email: str
    name: str
    until: float = math.inf


def grafana_user(login: object, email: object, name: object, reason: Reason) -> GrafanaUser:
    """The user, with a login that is fit for logs, files and comparison.

    A doubtful address or name is left out; raises `Refused` with ``reason`` for a doubtful login.
    """
    if not isinstance(login, str) or not _is_plain(login):
        raise Refused(reason, f"no usable login: {shown(login)}")
    return GrafanaUser(
        login,
        email if isinstance(email, str) and _is_plain(email) else "",
        name if isinstance(name, str) and _is_plain(name) else login,
    )


def utf8_header(value: str) -> str:
    """A header's text: WSGI hands on each byte as one character, Grafana writes UTF-8.

    Raises `UnicodeError` if it is not.
    """
    return value.encode("latin-1").decode("utf-8")


def shown(value: object) -> str:
    """What came from outside, made harmless and short for the log."""
    return ascii(value)[:80]


def _is_plain(text: str) -> bool:
    """One line of printable characters, not several values that a proxy has joined with commas."""
    return (
        0 < len(text) <= MAX_LOGIN_CHARS and text.isprintable() and text.strip() == text and "," not in text
    )
