"""One entry of the audit, and how it reads in the log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from asterpanel_control_api.people import Via

MAX_NAME_CHARS = 255
MAX_DETAIL_CHARS = 1000
"""The exporter takes no longer ones."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody did, or was not let do.

    Attributes:
        acted_at: Unix seconds, of the switchboard's clock where that is known.
        tenant: of the person.
        subject: stable name of the person.
        name: of the person, for people to read.
        via: how we know who it was.
        action: what was asked for: ``pause``, ``put_member``, …
        switchboard: where; "" if the request did not get as far as that.
        agent: on whom, "" if on nobody.
        queue: in which queue, "" if in none or in all.
        result: what came of it: ``done``, or the id of the error.
        detail: what else there is to tell.
    """

    acted_at: float
    tenant: str
    subject: str
    name: str
    via: Via | None
    action: str
    switchboard: str
    agent: str
    queue: str
    result: str
    detail: str

    @property
    def fields(self) -> dict[str, Any]:
        """For a log of JSON."""
        return {
            "audit": self.action,
            "acted_at": self.acted_at,
            "tenant": self.tenant,
            "user": self.subject,
            "user_name": self.name,
            "via": self.via.value if self.via else "",
            "switchboard": self.switchboard,
            "agent": self.agent,
            "queue": self.queue,
            "result": self.result,
            "detail": self.detail,
        }

    @property
    def line(self) -> str:
        """For a log that people read: ``key=value``, in quotes where it needs them; one line in any case."""
        return " ".join(f"{key}={_quoted(value)}" for key, value in self.fields.items() if value != "")


def one_line(text: str, max_chars: int) -> str:
    """The text without control characters and line ends, and not longer than that."""
    cleaned = "".join(char if char.isprintable() else " " for char in text[: max_chars + 1])
    return cleaned if len(cleaned) <= max_chars else cleaned[: max_chars - 1] + "…"


def _quoted(value: object) -> str:
    text = str(value)
    plain = text.isprintable() and not any(char in ' ="\\' for char in text)
    return text if plain else json.dumps(text, ensure_ascii=False)
