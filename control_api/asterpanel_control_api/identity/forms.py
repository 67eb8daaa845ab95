"""Every form in which somebody may say who he is, and what is made of it.

This is what identity is meant to be, as ``RIGHTS.md`` tells it, and nothing of how it is verified: the tests
come to the API in every form.
"""

from __future__ import annotations

from enum import Enum

from asterpanel_control_api.identity.refusals import Reason
from asterpanel_control_api.people import Via


class Form(Enum):
    """One of them: a stable name, what it is, and how it is believed, or why not."""

    ID_TOKEN = ("id token", "route's secret, `X-Grafana-Id`", Via.ID_TOKEN)
    CONTEXT = ("context header", "route's secret, `X-Grafana-Context`", Via.CONTEXT)
    USER_HEADER = ("user header", "route's secret, `X-Grafana-User`", Via.USER_HEADER)
    BEARER_TOKEN = ("bearer token", "a program's token and nothing else", Via.BEARER)

    NOTHING = ("nothing", "no header at all", Reason.NO_CREDENTIALS)
    WRONG_SECRET = (
        "wrong secret",
        "all of Grafana's headers, and a secret that is none",
        Reason.UNKNOWN_SECRET,
    )
    SECRET_ALONE = ("secret alone", "route's secret, nobody named", Reason.NO_IDENTITY)
    ID_TOKEN_ALONE = ("id token alone", "a good `X-Grafana-Id` without the secret", Reason.NO_CREDENTIALS)
    CONTEXT_ALONE = ("context alone", "`X-Grafana-Context` without the secret", Reason.NO_CREDENTIALS)
    USER_HEADER_ALONE = ("user header alone", "`X-Grafana-User` without the secret", Reason.NO_CREDENTIALS)
    OTHER_TENANTS_SECRET = (
        "other tenant's secret",
        "a good `X-Grafana-Id`, with the secret of another organisation's route",
        Reason.OTHER_ORG,
    )
    NOT_ACCEPTED = (
        "form not accepted",
        "route's secret with a form that is not in the tenant's `identity`",
        Reason.NO_IDENTITY,
    )
    TWO_USERS = ("two users", "a good `X-Grafana-Id`, and another user's context", Reason.CONTRADICTION)
    FALLBACK = (
        "forged, with context",
        "a forged `X-Grafana-Id` and a good context: a wrong form is never left out",
        Reason.INVALID_ID_TOKEN,
    )

    FORGED = ("forged signature", "an id token signed with another key", Reason.INVALID_ID_TOKEN)
    CHANGED = ("changed claims", "another user's name under a good signature", Reason.INVALID_ID_TOKEN)
    UNKNOWN_KEY = ("unknown key", "a key id that Grafana does not have", Reason.INVALID_ID_TOKEN)
    ALG_NONE = ("`alg: none`", "an id token without a signature", Reason.INVALID_ID_TOKEN)
    ALG_HS256 = (
        "`alg: HS256`",
        "an id token signed with Grafana's public key as a shared secret",
        Reason.INVALID_ID_TOKEN,
    )
    EXPIRED = ("expired", "an id token whose time is over", Reason.INVALID_ID_TOKEN)
    REPLAYED = (
        "replayed",
        "an id token that was believed, again when its time is over",
        Reason.INVALID_ID_TOKEN,
    )
    NOT_YET_VALID = ("not yet valid", "an id token whose time is to come", Reason.INVALID_ID_TOKEN)
    OTHER_ISSUER = ("other issuer", "an id token of another Grafana, by its `iss`", Reason.INVALID_ID_TOKEN)
    WRONG_AUDIENCE = ("wrong audience", "an id token for another organisation", Reason.OTHER_ORG)
    SERVICE_ACCOUNT = ("service account", "an id token that is about none of the users", Reason.NOT_A_USER)

    CONTEXT_OTHER_ORG = ("context, other org", "a context of another organisation", Reason.OTHER_ORG)
    CONTEXT_ANONYMOUS = ("context, anonymous", "a context of nobody in particular", Reason.NOT_A_USER)
    CONTEXT_DISABLED = ("context, disabled", "a context of a disabled user", Reason.NOT_A_USER)
    CONTEXT_SERVICE_ACCOUNT = (
        "context, service account",
        "a context of a service account",
        Reason.NOT_A_USER,
    )
    CONTEXT_API_KEY = ("context, API key", "a context of an API key", Reason.NOT_A_USER)
    CONTEXT_BROKEN = ("context, broken", "a context that is no JSON object", Reason.INVALID_CONTEXT)
    USER_HEADER_SERVICE_ACCOUNT = (
        "user header, service account",
        "a login as Grafana gives it to service accounts",
        Reason.NOT_A_USER,
    )

    REVOKED_TOKEN = (
        "revoked token",
        "a bearer token that was believed, revoked since",
        Reason.UNKNOWN_SECRET,
    )
    EXPIRED_TOKEN = ("expired token", "a bearer token whose time is over", Reason.TOKEN_EXPIRED)
    WRONG_TOKEN = ("wrong token", "a bearer token's name with another secret", Reason.UNKNOWN_SECRET)
    TOKEN_WITH_IDENTITY = (
        "token with identity",
        "a good bearer token where a route's secret belongs, with a context",
        Reason.TOKEN_WITH_IDENTITY,
    )

    def __init__(self, id_: str, words: str, outcome: Via | Reason) -> None:
        self.id = id_
        self.words = words
        self.outcome = outcome

    @property
    def is_believed(self) -> bool:
        """Whether the request goes on, as that of whom it names; where the configuration accepts the form."""
        return isinstance(self.outcome, Via)

    @property
    def is_of_program(self) -> bool:
        """Whether it is a bearer token, good or not."""
        return self in _OF_PROGRAMS


_OF_PROGRAMS = frozenset(
    {Form.BEARER_TOKEN, Form.REVOKED_TOKEN, Form.EXPIRED_TOKEN, Form.WRONG_TOKEN, Form.TOKEN_WITH_IDENTITY}
)
