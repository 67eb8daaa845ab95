"""Configuration: one YAML file, read once, every problem told at once and at its place in the file."""

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
    "ExporterConfig",
    "InfluxConfig",
    "InfluxTarget",
    "InfluxTenantConfig",
    "JournalConfig",
    "ListenAddress",
    "QueueSettings",
    "QueueSettingsRule",
    "SwitchboardConfig",
    "TlsConfig",
    "load_config",
    "warnings_of",
]
