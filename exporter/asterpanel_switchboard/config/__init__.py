"""Configuration: one YAML file, read once, every problem told at once and at its place in the file."""

from asterpanel_switchboard.config.control import (
    ControlApiConfig,
    ControlGrafana,
    ControlTenant,
    ControlUser,
    IdentityForm,
)
from asterpanel_switchboard.config.loading import load_config
from asterpanel_switchboard.config.models import (
    AgentIdentityConfig,
    Config,
    ExporterConfig,
    QueueSettings,
    QueueSettingsRule,
    SwitchboardConfig,
    TlsConfig,
)
from asterpanel_switchboard.config.secrets import UnreadSecret
from asterpanel_switchboard.config.services import Service
from asterpanel_switchboard.config.storage import (
    InfluxConfig,
    InfluxTarget,
    InfluxTenantConfig,
    JournalConfig,
)
from asterpanel_switchboard.config.values import ListenAddress
from asterpanel_switchboard.config.warnings import warnings_of
from asterpanel_switchboard.errors import ConfigError, ConfigProblem

__all__ = [
    "AgentIdentityConfig",
    "Config",
    "ConfigError",
    "ConfigProblem",
    "ControlApiConfig",
    "ControlGrafana",
    "ControlTenant",
    "ControlUser",
    "ExporterConfig",
    "IdentityForm",
    "InfluxConfig",
    "InfluxTarget",
    "InfluxTenantConfig",
    "JournalConfig",
    "ListenAddress",
    "QueueSettings",
    "QueueSettingsRule",
    "Service",
    "SwitchboardConfig",
    "TlsConfig",
    "UnreadSecret",
    "load_config",
    "warnings_of",
]
