"""The control API: the section `control_api`, and `control` of a switchboard."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StrictInt,
    ValidationInfo,
    field_validator,
)

from asterpanel_switchboard.config.secrets import UnreadSecret, ascii_token
from asterpanel_switchboard.config.section import Section, empty_mapping_for_null
from asterpanel_switchboard.config.values import (
    ConfigPath,
    ControlCaFile,
    HttpUrl,
    Line,
    Listen,
    ListenAddress,
    MemberText,
    Name,
    Seconds,
    objection_to_member_text,
)
from asterpanel_switchboard.new_member import AGENT_MARK, NewMemberTemplate

IdentityForm = Literal["id_token", "context", "user_header"]
IDENTITY_FORMS: tuple[IdentityForm, ...] = ("id_token", "context", "user_header")
"""How Grafana tells who its user is, strongest first."""

MIN_ROUTE_SECRET_CHARS = 16
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What RFC 6750 lets a bearer token be made of."""


def _bearer_token(secret: SecretStr | None) -> SecretStr | None:
    """The secret as it is. Raises `ValueError` if a client could not send it as a bearer token."""
    if secret is None or isinstance(secret, UnreadSecret) or not (text := secret.get_secret_value()):
        return secret
    if not _BEARER.fullmatch(text):
        raise ValueError("must be letters, digits and . _ ~ + / - only, then = if any")
    return secret


def _fillable(text: str) -> str:
    """The template as it is. Raises `ValueError` if Asterisk would take it for no agent as it is."""
    if objection := objection_to_member_text(text.replace(AGENT_MARK, "0")):
        raise ValueError(objection)
    return text


def _with_agent(text: str) -> str:
    if AGENT_MARK not in text:
        raise ValueError(f"must have {AGENT_MARK} in it, which stands for the agent's id")
    return text


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return text


_Template = Annotated[Line, AfterValidator(_fillable)]


class NewMemberConfig(Section):
    """As what an agent joins a queue who is in none: otherwise nobody could know."""

    interface: Annotated[_Template, AfterValidator(_with_agent)] = Field(
        description="His interface; `{agent}` stands for his id, as in `Local/{agent}@from-queue/n`."
    )
    state_interface: _Template | None = Field(
        default=None,
        description="The device that tells whether he is busy, as in `hint:{agent}@ext-local`. Default: the "
        "interface.",
    )
    name: _Template | None = Field(
        default=None,
        description="His MemberName; if `agent_identity` goes by that, it must find him in it. Default: the "
        "interface.",
    )
    agents: Annotated[str, AfterValidator(_regular_expression)] = Field(
        default=".+", description="Regular expression that a whole id must match to be made into a member."
    )

    @property
    def template(self) -> NewMemberTemplate:
        """As what an agent joins."""
        return NewMemberTemplate(self.interface, self.state_interface or "", self.name or "", self.agents)


class ControlUser(Section):
    """The second AMI user of a switchboard, which can do nothing but act on queue members."""

    username: Line = Field(
        description="AMI user with `write = agent`; `asterpanel-exporter manager-conf` prints one to paste."
    )
    secret_file: ConfigPath | None = Field(
        default=None, description="File that holds its secret. Either this or `secret_env`."
    )
    secret_env: str | None = Field(default=None, description="Environment variable that holds its secret.")
    secret: SecretStr = Field(description="Its secret.", json_schema_extra={"key": False})
    new_member: NewMemberConfig | None = Field(
        default=None,
        description="As what agents join a queue who are in none. Default: they cannot; others join as they "
        "are in their other queues.",
    )


class ControlGrafana(Section):
    """The Grafana organisation whose users come to a tenant's control API."""

    url: HttpUrl = Field(
        description="Grafana's `root_url`, exactly as there: Grafana signs its id tokens with it."
    )
    keys_url: HttpUrl = Field(
        default_factory=lambda data: f"{data['url']}/api/signing-keys/keys",
        description="Where the keys are that Grafana signs its id tokens with, if not below `url`: its "
        "address inside the network, for example. Default: `url` and /api/signing-keys/keys.",
    )
    ca_file: ControlCaFile | None = Field(
        default=None,
        description="PEM file with the authority that signed Grafana's certificate. Default: the system's "
        "authorities.",
    )
    org_id: Annotated[StrictInt, Field(ge=1)] = Field(
        default=1, description="Number of the organisation; users of another one are refused."
    )
    identity: tuple[IdentityForm, ...] = Field(
        default=("id_token", "context"),
        description="What is accepted as a user's identity: `id_token` (signed; Grafana 11.3 and later), "
        "`context` (the app proxy's own header), `user_header` (with `send_user_header = true` in Grafana). "
        "All of these that a request has must be right, and name the same user.",
    )
    annotation_token_file: ConfigPath | None = Field(
        default=None,
        description="File with the token of a service account that may write annotations: every action "
        "becomes one. Without a token there are no annotations.",
    )
    annotation_token_env: str | None = Field(
        default=None, description="Environment variable with that token, instead of a file."
    )
    annotation_token: SecretStr | None = Field(
        default=None, description="The service account's token.", json_schema_extra={"key": False}
    )

    @field_validator("identity")
    @classmethod
    def _strongest_first(cls, forms: tuple[IdentityForm, ...]) -> tuple[IdentityForm, ...]:
        if not forms:
            raise ValueError("needs at least one entry")
        return tuple(form for form in IDENTITY_FORMS if form in forms)

    @field_validator("ca_file")
    @classmethod
    def _authority_needs_tls(cls, ca_file: Path | None, info: ValidationInfo) -> Path | None:
        urls = [info.data.get(key, "https:") for key in ("url", "keys_url")]
        if ca_file is not None and all(url.startswith("http:") for url in urls):
            raise ValueError("is of no use without TLS: url and keys_url begin with http://")
        return ca_file

    @field_validator("annotation_token")
    @classmethod
    def _token_fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        return _bearer_token(token)

    @property
    def issuers(self) -> tuple[str, str]:
        """The only two issuers that an id token may name: Grafana ends its root URL with a slash."""
        return f"{self.url}/", self.url

    @property
    def keys_source(self) -> tuple[str, Path | None]:
        """`keys_url` and `ca_file`: the same for all organisations of one Grafana."""
        return self.keys_url, self.ca_file

    @property
    def audience(self) -> str:
        """The audience that an id token must have."""
        return f"org:{self.org_id}"


class ControlTenant(Section):
    """How a tenant's Grafana comes to the control API."""

    route_secret_file: ConfigPath | None = Field(
        default=None,
        description="File with the secret that the app plugin of this tenant's Grafana organisation sends as "
        "a bearer token: it says which tenant a request is for. Either this or `route_secret_env`.",
    )
    route_secret_env: str | None = Field(
        default=None, description="Environment variable with that secret, instead of a file."
    )
    route_secret: SecretStr = Field(description="The route's secret.", json_schema_extra={"key": False})
    grafana: ControlGrafana = Field(description="The Grafana organisation of this tenant.")

    @field_validator("route_secret")
    @classmethod
    def _cannot_be_guessed(cls, secret: SecretStr) -> SecretStr:
        _bearer_token(secret)
        if isinstance(secret, UnreadSecret):
            return secret
        if 0 < len(secret.get_secret_value()) < MIN_ROUTE_SECRET_CHARS:
            raise ValueError(
                f"must have at least {MIN_ROUTE_SECRET_CHARS} characters: who guesses it can be anybody"
            )
        return secret


class ControlApiConfig(Section):
    """The API that acts on switchboards for people and programs."""

    listen: Listen = Field(
        default=ListenAddress("127.0.0.1", 9978),
        description="Address of the control API: `host:port`, IPv6 as `[::1]:9978`.",
    )
    exporter_url: HttpUrl = Field(
        default="http://127.0.0.1:9977",
        description="Address of the exporter, where the live state comes from.",
    )
    exporter_token_file: ConfigPath | None = Field(
        default=None,
        description="File with the exporter's state token. Without a token the exporter must serve its state "
        "openly (`state_open_on_loopback`).",
    )
    exporter_token_env: str | None = Field(
        default=None, description="Environment variable with that token, instead of a file."
    )
    exporter_token: SecretStr | None = Field(
        default=None, description="The exporter's state token.", json_schema_extra={"key": False}
    )
    profiles_file: ConfigPath = Field(
        default=Path("profiles.yml"),
        description="Who sees and operates what. Read again when it changes.",
    )
    tokens_file: ConfigPath = Field(
        default=Path("control-tokens.json"),
        description="Hashes of the bearer tokens; written by `asterpanel-control-api token`, made if there "
        "is none. Read again when it changes.",
    )
    action_timeout: Annotated[Seconds, Field(ge=0.5, le=60)] = Field(
        default=5.0, description="How long a switchboard may take to confirm an action. 500ms to 60s."
    )
    pause_reasons: tuple[MemberText, ...] = Field(
        default=(), description="The reasons that a pause may have, as they are offered. Default: any text."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe messages to log."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Log lines for people, or one JSON object a line."
    )
    tenants: Annotated[Mapping[Name, ControlTenant], BeforeValidator(empty_mapping_for_null)] = Field(
        default_factory=dict,
        description="The tenants whose Grafana users come here. Bearer tokens need no entry.",
    )

    @field_validator("exporter_token")
    @classmethod
    def _token_fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        return ascii_token(token)

    @field_validator("tenants")
    @classmethod
    def _secret_tells_the_tenant(cls, tenants: Mapping[str, ControlTenant]) -> Mapping[str, ControlTenant]:
        names_by_secret: dict[str, list[str]] = defaultdict(list)
        for name, tenant in tenants.items():
            if not isinstance(tenant.route_secret, UnreadSecret):
                names_by_secret[tenant.route_secret.get_secret_value()].append(name)
        for secret, names in names_by_secret.items():
            if secret and len(names) > 1:
                raise ValueError(
                    f"{', '.join(names)} have the same route secret: it could not tell which tenant a "
                    "request is for"
                )
        return tenants
