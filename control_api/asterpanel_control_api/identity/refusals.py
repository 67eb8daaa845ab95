"""Why a request is not believed. The log says it; whoever sent the request never learns it, but for who has
a right secret and asks ``/v1/connection``."""

from __future__ import annotations

from enum import StrEnum

from asterpanel_control_api.errors import ApiError, ErrorId


class Reason(StrEnum):
    """Stable ids, for logs and metrics."""

    NO_CREDENTIALS = "no_credentials"
    """No `Authorization: Bearer …`, or not exactly one."""
    UNKNOWN_SECRET = "unknown_secret"  # noqa: S105
    """Neither a route's secret nor a bearer token."""
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    TOKENS_UNREADABLE = "tokens_unreadable"
    """The file of bearer tokens cannot be used: none of them holds."""
    TOKEN_WITH_IDENTITY = "token_with_identity"  # noqa: S105
    """A bearer token together with Grafana's headers: it was put where a route's secret belongs."""
    NO_IDENTITY = "no_identity"
    """A route's secret alone, or with forms of identity only that the configuration does not accept."""
    INVALID_ID_TOKEN = "invalid_id_token"  # noqa: S105
    KEYS_UNAVAILABLE = "keys_unavailable"
    """Grafana's keys could not be fetched, and there are none that are young enough."""
    INVALID_CONTEXT = "invalid_context"
    INVALID_USER_HEADER = "invalid_user_header"
    OTHER_ORG = "other_org"
    NOT_A_USER = "not_a_user"
    """Anonymous, a service account, an API key, or disabled."""
    CONTRADICTION = "contradiction"
    """Two forms of identity name two users."""
    INTERNAL = "internal"
    """A mistake of ours; the log has the traceback."""

    @property
    def is_of_secret(self) -> bool:
        """Whether the secret itself was wrong, and not only the identity that came with it."""
        return self in _OF_SECRETS


_OF_SECRETS = frozenset(
    {Reason.NO_CREDENTIALS, Reason.UNKNOWN_SECRET, Reason.TOKEN_EXPIRED, Reason.TOKENS_UNREADABLE}
)


class Refused(Exception):
    """Inside this package: the proof does not hold.

    Args:
        reason: which.
        detail: for the log; without a secret, and with whatever came from outside as its `repr`.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Unauthenticated(ApiError):
    """What the rest of the service sees of a refusal. The answer is the same for every ``reason``."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(
            ErrorId.UNAUTHENTICATED,
            "Not authenticated: open Asterpanel from Grafana, or send a valid bearer token.",
        )
        self.reason = reason
