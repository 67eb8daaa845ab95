"""Who asks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum


class Via(StrEnum):
    """How we know who it is, strongest first."""

    ID_TOKEN = "id_token"  # noqa: S105
    CONTEXT = "context"
    USER_HEADER = "user_header"
    BEARER = "bearer"


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a bearer token was made for: automation has no profile of its own.

    Attributes:
        id: names the token in lists and in the audit; not secret.
        role: as in the profiles (`asterpanel_control_api.access.rights.Role`).
        switchboards: globs.
        queues: globs.
        agents: globs.
        sha256: of the token itself: one that is made anew under the same name is another.
    """

    id: str
    role: str
    switchboards: tuple[str, ...] = ("*",)
    queues: tuple[str, ...] = ("*",)
    agents: tuple[str, ...] = ("*",)
    sha256: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Whose request it is, as far as it was proven.

    Attributes:
        tenant: by the secret that came with the request.
        subject: stable name for the audit: ``grafana:anna``, ``token:wallboard``.
        login: in Grafana; "" for a token.
        email: in Grafana; "" if not told.
        name: for people to read.
        via: how it was proven.
        grant: of a bearer token; None for people.
        until: Unix time at which the proof ends, if it says so; a bearer token's is looked up.
    """

    tenant: str
    subject: str
    login: str
    email: str
    name: str
    via: Via
    grant: TokenGrant | None = None
    until: float = math.inf

    @property
    def key(self) -> str:
        """Tells him apart from everybody else: logins are of a tenant."""
        return f"{self.tenant}:{self.subject}"
