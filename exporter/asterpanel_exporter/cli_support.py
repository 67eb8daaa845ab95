"""What the commands share: exit codes, and the configuration that the command line names."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from asterpanel_switchboard.command_line import configuration_for
from asterpanel_switchboard.config import Config, Service

EXIT_CODES = """
\b
Exit codes:
  0  ok
  1  failed while running
  2  wrong usage of this command
  3  the configuration is invalid
"""


def configuration(context: click.Context) -> Config:
    """The configuration that the command line names. Ends the command with exit code 3 if it is invalid."""
    return configuration_for(Service.EXPORTER, context)


class LazyGroup(click.Group):
    """A group of commands, some of which are imported only when they are asked for.

    Args:
        elsewhere: ``module:attribute`` of those, by name.
    """

    def __init__(self, *arguments: Any, elsewhere: Mapping[str, str], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._elsewhere = elsewhere

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self._elsewhere])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = self._elsewhere.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command
