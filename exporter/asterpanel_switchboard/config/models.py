"""The configuration, as the rest of the code sees it: validated, immutable, with defaults filled in.

Each field's description is what the documentation says about the key. Two kinds of fields are not keys of
the file: `name` comes from the mapping's key, and secrets come from where `*_file` or `*_env` point to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
    ValidationInfo,
    field_validator,
)

from asterpanel_switchboard.config.control import ControlApiConfig, ControlUser
from asterpanel_switchboard.config.queue_rule import QueueRule, any_matches
from asterpanel_switchboard.config.section import Section, empty_mapping_for_null
from asterpanel_switchboard.config.storage import InfluxConfig, JournalConfig
from asterpanel_switchboard.config.targets import DashboardsConfig, QueueTargets, TargetsRule, merged_targets
from asterpanel_switchboard.config.values import (
    CaFile,
    ConfigPath,
    Host,
    IdentityPattern,
    Line,
    Listen,
    ListenAddress,
    Name,
    Seconds,
    SwitchboardName,
    TimeZone,
    format_address,
)

AMI_PORT = 5038
AMI_TLS_PORT = 5039
DEFAULT_SHORT_ABANDON_S = 5.0
HALF_OPEN_LIMIT_S = 15.0
"""A connection that has silently died is found within this time."""


def _empty_list_for_null(value: object) -> object:
    return [] if value is None else value


def _tls_section(value: object) -> object:
    """`tls:` and `tls: true` turn it on with all defaults, `tls: false` off."""
    if value is None or value is True:
        return {}
    return None if value is False else value


class AgentIdentityConfig(Section):
    """Which part of a queue member says who the agent is."""

    source: Literal["interface", "membername"] = Field(
        default="interface",
        alias="from",
        description="What tells who the agent is: the member's interface (`PJSIP/1001` is agent `1001`) or "
        "its MemberName.",
    )
    pattern: IdentityPattern | None = Field(
        default=None,
        description="Regular expression with one capturing group, searched in the interface or MemberName; "
        "the group is the agent's identity. Without it, the extension in the interface or the whole "
        "MemberName.",
    )


class TlsConfig(Section):
    """How to verify a switchboard that speaks AMI over TLS."""

    ca_file: CaFile | None = Field(
        default=None,
        description="PEM file with the authority that signed the switchboard's certificate. Default: the "
        "system's authorities.",
    )
    server_name: Host | None = Field(
        default=None, description="Name expected in the certificate. Default: `host`."
    )
    verify: StrictBool = Field(
        default=True,
        description="`false` accepts any certificate, and with it anyone in between; `check` warns.",
    )


class SwitchboardConfig(Section):
    """One Asterisk and how to log in to its manager interface (AMI)."""

    name: str = Field(
        description="Name of the switchboard: label value and part of URLs.", json_schema_extra={"key": False}
    )
    tenant: Name = Field(default="default", description="The customer this switchboard belongs to.")
    host: Host = Field(description="Host name or address of the Asterisk server.")
    tls: Annotated[TlsConfig | None, BeforeValidator(_tls_section)] = Field(
        default=None,
        validate_default=False,
        description="Speak TLS. `tls: true` verifies the certificate against the system's authorities.",
    )
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = Field(
        default_factory=lambda data: AMI_TLS_PORT if data.get("tls") else AMI_PORT,
        description="Port of the manager interface. Default: 5038, with `tls` 5039.",
    )
    username: Line = Field(description="AMI user; `asterpanel-exporter manager-conf` prints one to paste.")
    secret_file: ConfigPath | None = Field(
        default=None,
        description="File that holds the AMI user's secret. Either this or `secret_env`; a secret never "
        "stands in this file.",
    )
    secret_env: str | None = Field(
        default=None, description="Environment variable that holds the AMI user's secret."
    )
    secret: SecretStr = Field(description="The AMI user's secret.", json_schema_extra={"key": False})
    auth: Literal["plain", "md5"] = Field(
        default="plain",
        description="How to log in: `plain` sends the secret, `md5` answers a challenge without sending it.",
    )
    time_zone: TimeZone = Field(
        default=ZoneInfo("UTC"), description="IANA time zone of the switchboard, for its days in reports."
    )
    connect_timeout: Annotated[Seconds, Field(gt=0, le=120)] = Field(
        default=10.0, description="How long connecting and logging in may take."
    )
    ping_interval: Annotated[Seconds, Field(ge=0.1)] = Field(
        default=5.0, description="How often the switchboard is pinged."
    )
    ping_timeout: Annotated[Seconds, Field(ge=0.1)] = Field(
        default=5.0,
        description="How long an answer to a ping may take before the connection counts as dead. Together "
        "with `ping_interval` at most 15s, so that a half-open connection is found within that time.",
    )
    control: ControlUser | None = Field(
        default=None,
        description="The AMI user of the control API. Without it nothing can be done on this switchboard.",
    )
    agent_identity: AgentIdentityConfig | None = Field(
        default=None, description="Replaces the global `agent_identity` for this switchboard, as a whole."
    )

    @field_validator("ping_timeout")
    @classmethod
    def _half_open_is_found_in_time(cls, timeout: float, info: ValidationInfo) -> float:
        interval = info.data.get("ping_interval", 0.0)
        if interval + timeout > HALF_OPEN_LIMIT_S:
            raise ValueError(
                f"ping_interval and ping_timeout together must be at most {HALF_OPEN_LIMIT_S:g}s, "
                f"they are {interval + timeout:g}s"
            )
        return timeout

    @property
    def address(self) -> str:
        """`host:port`."""
        return format_address(self.host, self.port)

    def as_control_user(self) -> "SwitchboardConfig | None":
        """The same switchboard, to be logged in to as the control API's AMI user; None if there is none."""
        if self.control is None:
            return None
        return self.model_copy(
            update={
                "username": self.control.username,
                "secret": self.control.secret,
                "secret_file": self.control.secret_file,
                "secret_env": self.control.secret_env,
            }
        )


class ExporterConfig(Section):
    """The exporter's own web server and log."""

    listen: Listen = Field(
        default=ListenAddress("127.0.0.1", 9977),
        description="Address of /metrics, /healthz, /readyz, /state and the status page: `host:port`, IPv6 "
        "as `[::1]:9977`; port 0 takes any free one.",
    )
    state_token_file: ConfigPath | None = Field(
        default=None,
        description="File with the bearer token that /state, /state/stream and the status page's data want. "
        "Without a token they answer 403.",
    )
    state_token_env: str | None = Field(
        default=None, description="Environment variable with that token, instead of a file."
    )
    state_token: SecretStr | None = Field(
        default=None, description="The bearer token.", json_schema_extra={"key": False}
    )
    state_open_on_loopback: StrictBool = Field(
        default=False,
        description="Serve the state without a token. Allowed only while `listen` is a loopback address and "
        "no token is set.",
    )
    resync_interval: Annotated[Seconds, Field(ge=10)] = Field(
        default=300.0,
        description="How often the whole state is read again, to catch what no event announces. At least "
        "10s.",
    )
    rollup: StrictBool = Field(
        default=True,
        description="Make the half hours that reports sum up. In a pair of exporters on the same "
        "switchboards only one should: of two, the last to write a half hour wins in InfluxDB, and it may "
        "know less.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe messages to log."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Log lines for people, or one JSON object a line."
    )

    @field_validator("state_open_on_loopback")
    @classmethod
    def _open_only_where_nobody_else_gets(cls, is_open: bool, info: ValidationInfo) -> bool:
        listen: ListenAddress | None = info.data.get("listen")
        if is_open and listen is not None and not listen.is_loopback:
            raise ValueError(f"is allowed only on a loopback address; listen is {listen}")
        if is_open and info.data.get("state_token") is not None:
            raise ValueError("contradicts the token that is set; remove one of them")
        return is_open


class QueueSettingsRule(QueueRule):
    """Settings for the queues that match, where AMI does not tell them."""

    service_level_threshold: Annotated[Seconds, Field(gt=0)] | None = Field(
        default=None,
        description="Calls answered within this time are within the service level. Default: the queue's own "
        "`servicelevel`, as Asterisk tells it.",
    )
    short_abandon: Seconds | None = Field(
        default=None, description="Callers who hang up within this time count as short abandons. Default: 5s."
    )
    wrapup_time: Seconds | None = Field(
        default=None,
        description="Time that an agent has after a call. Default: the member's, where Asterisk tells it "
        "(18 and later).",
    )


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What the configuration says of one queue, in seconds; None where Asterisk's own value holds."""

    service_level_threshold_s: float | None = None
    short_abandon_s: float = DEFAULT_SHORT_ABANDON_S
    wrapup_time_s: float | None = None


class Config(Section):
    """The whole of `asterpanel.yml`."""

    exporter: Annotated[ExporterConfig, BeforeValidator(empty_mapping_for_null)] = Field(
        default_factory=ExporterConfig, description="The exporter's own web server and log."
    )
    agent_identity: Annotated[AgentIdentityConfig, BeforeValidator(empty_mapping_for_null)] = Field(
        default_factory=AgentIdentityConfig,
        description="Which part of a queue member says who the agent is, on every switchboard.",
    )
    queue_settings: Annotated[tuple[QueueSettingsRule, ...], BeforeValidator(_empty_list_for_null)] = Field(
        default=(),
        description="Settings of queues that AMI does not tell. Every matching entry applies, in order; "
        "later ones override what they set.",
    )
    switchboards: Annotated[
        Mapping[SwitchboardName, SwitchboardConfig],
        BeforeValidator(empty_mapping_for_null),
        Field(min_length=1),
    ] = Field(description="The Asterisk servers to watch, by name.")
    journal: Annotated[JournalConfig, BeforeValidator(empty_mapping_for_null)] = Field(
        default_factory=JournalConfig, description="The local store of all points."
    )
    influxdb: InfluxConfig | None = Field(
        default=None,
        validate_default=False,
        description="The InfluxDB that gets every point. Without this section the journal is the store.",
    )
    control_api: Annotated[ControlApiConfig | None, BeforeValidator(empty_mapping_for_null)] = Field(
        default=None,
        validate_default=False,
        description="The API that acts on switchboards. Without this section there is none.",
    )

    targets: Annotated[tuple[TargetsRule, ...], BeforeValidator(_empty_list_for_null)] = Field(
        default=(),
        description="What is good and what is bad of a queue. Every matching entry applies, in order; later "
        "ones override what they set.",
    )
    dashboards: Annotated[DashboardsConfig, BeforeValidator(empty_mapping_for_null)] = Field(
        default_factory=DashboardsConfig, description="Grafana's dashboards and alerts."
    )

    @cached_property
    def tenants(self) -> tuple[str, ...]:
        """The tenants that have a switchboard, sorted."""
        return tuple(sorted({board.tenant for board in self.switchboards.values()}))

    @cached_property
    def tenant_of(self) -> Mapping[str, str]:
        """Whose each switchboard is."""
        return {name: board.tenant for name, board in self.switchboards.items()}

    def switchboards_of(self, tenant: str) -> tuple[str, ...]:
        """The names of a tenant's switchboards, in the order of the file."""
        return tuple(name for name, board in self.switchboards.items() if board.tenant == tenant)

    @cached_property
    def queue_settings_for(self) -> Callable[[str, str], QueueSettings]:
        """`queue_settings_for(switchboard, queue)`: its matching entries merged, defaults filled in.

        Remembers its answers, up to a number that limits memory and not queues.
        """
        return lru_cache(maxsize=65536)(self._merge_queue_settings)

    @cached_property
    def targets_for(self) -> Callable[[str, str], QueueTargets]:
        """`targets_for(switchboard, queue)`: its matching entries merged, defaults filled in."""
        return lru_cache(maxsize=65536)(
            lambda switchboard, queue: merged_targets(self.targets, switchboard, queue)
        )

    @property
    def dashboards_time_zone(self) -> ZoneInfo:
        """The zone of the dashboards' days."""
        return self.dashboards.time_zone_for(board.time_zone for board in self.switchboards.values())

    def agent_identity_for(self, switchboard: str) -> AgentIdentityConfig:
        """The identity rule of one switchboard: its own, or the global one.

        Raises `KeyError` for a switchboard that is not configured.
        """
        return self.switchboards[switchboard].agent_identity or self.agent_identity

    def service_level_thresholds_of(self, switchboard: str) -> tuple[float, ...]:
        """All thresholds that are set for queues of a switchboard, in seconds."""
        rules = (rule for rule in self.queue_settings if any_matches(rule.switchboards, switchboard))
        return tuple(sorted({rule.service_level_threshold for rule in rules if rule.service_level_threshold}))

    def _merge_queue_settings(self, switchboard: str, queue: str) -> QueueSettings:
        merged: dict[str, float | None] = {}
        for rule in self.queue_settings:
            if rule.matches(switchboard, queue):
                # Only what the entry mentions, so that an explicit null brings the default back.
                merged.update({key: getattr(rule, key) for key in rule.model_fields_set})
        short_abandon = merged.get("short_abandon")
        return QueueSettings(
            service_level_threshold_s=merged.get("service_level_threshold"),
            short_abandon_s=DEFAULT_SHORT_ABANDON_S if short_abandon is None else short_abandon,
            wrapup_time_s=merged.get("wrapup_time"),
        )
