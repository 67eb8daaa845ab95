"""AMI actions: what we ask of a switchboard, and the check that nothing else can ride along."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from asterpanel_switchboard.config.values import has_control_characters
from asterpanel_switchboard.errors import AsterpanelError

MAX_VALUE_BYTES = 1000
"""Asterisk refuses action lines from 1,024 bytes on (``main/manager.c``, ``inbuf``)."""


class InvalidActionValue(AsterpanelError, ValueError):
    """A header or value that must not be sent: it could end the line and begin another action."""


def check_action(headers: Mapping[str, object]) -> None:
    """Refuse an action with anything in it that AMI would not read as one header line.

    Raises:
        InvalidActionValue: names the header, never its value (it may be a secret).
    """
    for name, value in headers.items():
        for text in value if isinstance(value, list | tuple) else (value,):
            reason = _objection(str(name)) or _objection(str(text))
            if reason is None and ":" in str(name):
                reason = "has a colon in its name"
            if reason is not None:
                raise InvalidActionValue(f"action header {str(name)[:40]!r} {reason}")


def _objection(text: str) -> str | None:
    if has_control_characters(text):
        return "holds a control character"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "cannot be written in UTF-8"
    return f"is longer than {MAX_VALUE_BYTES} bytes" if size > MAX_VALUE_BYTES else None


def login(username: str, secret: str) -> dict[str, str]:
    """Login in plain text."""
    return {"Action": "Login", "Username": username, "Secret": secret, "Events": "on"}


def challenge() -> dict[str, str]:
    """Ask for a challenge, so that the secret itself is never sent."""
    return {"Action": "Challenge", "AuthType": "MD5"}


def login_md5(username: str, secret: str, challenge_text: str) -> dict[str, str]:
    """Login that answers a challenge (``main/manager.c``, ``authenticate``: MD5 of challenge + secret)."""
    key = hashlib.md5((challenge_text + secret).encode(), usedforsecurity=False).hexdigest()
    return {"Action": "Login", "AuthType": "MD5", "Username": username, "Key": key, "Events": "on"}


def ping() -> dict[str, str]:
    """Ping; the answer carries the switchboard's time."""
    return {"Action": "Ping"}


def queue_status(action_id: str) -> dict[str, str]:
    """All queues with their members and callers. Needs no write class in any version."""
    return {"Action": "QueueStatus", "ActionID": action_id}
