"""Who reads the configuration: each service opens only the secrets and certificates that are its own."""

from enum import StrEnum


class Service(StrEnum):
    """A reader of the configuration.

    The whole file is validated for each of them; files and variables that a section points to are looked at
    only by the services that need them, so that none of them must be able to read another's secrets.
    """

    EXPORTER = "exporter"
    INFLUX_SETUP = "influx setup"
    """The exporter's command that makes the tokens of `influxdb`, which need not exist yet."""
    CONTROL_API = "control_api"
    ADMINISTRATION = "administration"
    """Commands that change files and need no secret."""


EXPORTER_AND_ITS_COMMANDS = frozenset({Service.EXPORTER, Service.INFLUX_SETUP})
EXPORTER_ALONE = frozenset({Service.EXPORTER})
CONTROL_API_ALONE = frozenset({Service.CONTROL_API})
