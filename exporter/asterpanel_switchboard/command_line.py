"""What the three commands share: how the configuration is named, and how an invalid one ends them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from asterpanel_switchboard.config import Config, ConfigError, Service, load_config

F = TypeVar("F", bound=Callable[..., Any])


def config_option(help_: str = "The configuration file.") -> Callable[[F], F]:
    """``--config``, as the parameter ``config_path``."""
    return click.option(
        "--config",
        "-c",
        "config_path",
        type=click.Path(path_type=Path),
        default=Path("asterpanel.yml"),
        show_default=True,
        envvar="ASTERPANEL_CONFIG",
        show_envvar=True,
        help=help_,
    )


class InvalidConfiguration(click.ClickException):
    """Ends the command with exit code 3 and one line a problem."""

    exit_code = 3

    def __init__(self, error: ConfigError) -> None:
        count = len(error.problems)
        summary = f"{error.path}: {count} {'problem' if count == 1 else 'problems'}"
        super().__init__("\n".join([*error.lines(), summary]))

    def show(self, file: object = None) -> None:
        click.echo(self.message, err=True)


def configuration_for(service: Service, context: click.Context) -> Config:
    """The configuration that the command line names. Ends the command with exit code 3 if it is invalid."""
    try:
        return load_config(context.find_object(Path) or Path("asterpanel.yml"), for_service=service)
    except ConfigError as error:
        raise InvalidConfiguration(error) from error
