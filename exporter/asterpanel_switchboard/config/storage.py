"""Where points are kept: the sections `journal` and `influxdb`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, StrictBool, StrictInt, ValidationInfo, field_validator

from asterpanel_switchboard.config.secrets import ascii_token
from asterpanel_switchboard.config.section import Section, empty_mapping_for_null
from asterpanel_switchboard.config.values import (
    TENANT_MARK,
    Bucket,
    Bytes,
    ConfigPath,
    ExporterCaFile,
    HttpUrl,
    Line,
    Name,
    Seconds,
)

DAY_S = 86400.0
MAX_BATCH_LINES = 50_000


class JournalConfig(Section):
    """The local store of all points. What InfluxDB has not acknowledged yet is the last thing to go."""

    path: ConfigPath = Field(
        default=Path("asterpanel-journal.db"),
        description="The journal's SQLite file; made if there is none. Its folder must exist.",
    )
    retention: Annotated[Seconds, Field(ge=3600)] | None = Field(
        default=400 * DAY_S,
        description="How long points are kept in the journal. At least 1h; `null` is for ever.",
    )
    max_size: Annotated[Bytes, Field(ge=1_000_000)] | None = Field(
        default=10_000_000_000,
        description="The oldest points go when the journal is larger. At least 1MB; `null` is no limit.",
    )


class InfluxTenantConfig(Section):
    """What is different for one tenant."""

    org: Line | None = Field(default=None, description="Its organisation. Default: the one for all.")
    bucket: Bucket | None = Field(default=None, description="Its bucket. Default: the one for all.")
    token_file: ConfigPath | None = Field(
        default=None, description="File with a token for this tenant's bucket. Default: the one for all."
    )
    token_env: str | None = Field(
        default=None, description="Environment variable with that token, instead of a file."
    )
    token: SecretStr | None = Field(
        default=None, description="This tenant's token.", json_schema_extra={"key": False}
    )

    @field_validator("token")
    @classmethod
    def _token_fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        return ascii_token(token)


@dataclass(frozen=True, slots=True)
class InfluxTarget:
    """Where one tenant's points go. ``token``: None where InfluxDB wants none (`auth: none`)."""

    tenant: str
    url: str
    org: str
    bucket: str
    token: SecretStr | None


class InfluxConfig(Section):
    """The InfluxDB that gets every point."""

    url: HttpUrl = Field(description="Address of InfluxDB: http:// or https://.")
    ca_file: ExporterCaFile | None = Field(
        default=None,
        description="PEM file with the authority that signed the server's certificate. Default: the "
        "system's authorities.",
    )
    verify: StrictBool = Field(
        default=True,
        description="`false` accepts any certificate, and with it anyone in between; `check` warns.",
    )
    org: Line = Field(default="asterpanel", description="Organisation. InfluxDB 1.x has none and ignores it.")
    bucket: Bucket = Field(
        default=f"asterpanel-{TENANT_MARK}",
        description="Bucket of a tenant; `{tenant}` stands for its name. On InfluxDB 1.x: database, or "
        "database/retention-policy.",
    )
    auth: Literal["token", "none"] = Field(
        default="token",
        description="`none` sends no token: for an InfluxDB 1.x without authentication. (With it, the token "
        "is `user:password`.)",
    )
    token_file: ConfigPath | None = Field(
        default=None,
        description="File with the token that may write to every tenant's bucket; `asterpanel-exporter "
        "influx setup` makes one. A token never stands in this file.",
    )
    token_env: str | None = Field(
        default=None, description="Environment variable with that token, instead of a file."
    )
    token: SecretStr | None = Field(
        default=None, description="The token for all tenants.", json_schema_extra={"key": False}
    )
    tenants: Annotated[Mapping[Name, InfluxTenantConfig], BeforeValidator(empty_mapping_for_null)] = Field(
        default_factory=dict, description="What is different for some tenants, by their name."
    )
    timeout: Annotated[Seconds, Field(ge=0.1, le=600)] = Field(
        default=10.0,
        description="How long connecting, and then InfluxDB's silence, may take until a request has failed.",
    )
    batch_size: Annotated[StrictInt, Field(ge=1, le=MAX_BATCH_LINES)] = Field(
        default=5000, description="Most points in one request."
    )
    gzip: StrictBool = Field(default=True, description="Compress what is sent.")
    max_retry_interval: Annotated[Seconds, Field(ge=1)] = Field(
        default=60.0,
        description="Longest pause between two attempts while InfluxDB cannot be reached or does not take "
        "points.",
    )

    @field_validator("token")
    @classmethod
    def _token_fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        return ascii_token(token)

    @field_validator("ca_file")
    @classmethod
    def _authority_needs_tls(cls, ca_file: Path | None, info: ValidationInfo) -> Path | None:
        if ca_file is not None and info.data.get("url", "https:").startswith("http:"):
            raise ValueError("is of no use without TLS: url begins with http://")
        return ca_file

    def target_for(self, tenant: str) -> InfluxTarget:
        """Where that tenant's points go."""
        own = self.tenants.get(tenant) or InfluxTenantConfig()
        return InfluxTarget(
            tenant=tenant,
            url=self.url,
            org=own.org or self.org,
            bucket=(own.bucket or self.bucket).replace(TENANT_MARK, tenant),
            token=own.token or self.token,
        )
