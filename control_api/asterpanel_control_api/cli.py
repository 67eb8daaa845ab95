"""The command `asterpanel-control-api`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import click

from asterpanel_control_api.access.profiles import load_profiles, profile_warnings
from asterpanel_control_api.token_commands import token
from asterpanel_switchboard.command_line import InvalidConfiguration, config_option, configuration_for
from asterpanel_switchboard.config import (
    Config,
    ConfigError,
    ControlApiConfig,
    Service,
    warnings_of,
)

EXIT_CODES = """
\b
Exit codes:
  0  ok
  1  failed while running
  2  wrong usage of this command
  3  the configuration or the profiles are invalid
"""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"""
\b
Examples:
  asterpanel-control-api check
  asterpanel-control-api token create wallboard --role viewer --expires 365d
  asterpanel-control-api run
{EXIT_CODES}
asterpanel.example.yml and profiles.example.yml document every key.
""",
)
@config_option()
@click.version_option(version("asterpanel"), prog_name="asterpanel-control-api")
@click.pass_context
def main(context: click.Context, config_path: Path) -> None:
    """Pause agents, change their queues, move waiting callers: for those who may, and recorded.

    Stands behind Grafana's app proxy, which says who asks; programs come with bearer tokens. Acts over a
    second AMI user that can do nothing else.
    """
    context.obj = config_path


def _configuration(context: click.Context) -> tuple[Config, ControlApiConfig]:
    config = configuration_for(Service.CONTROL_API, context)
    if config.control_api is None:
        raise click.ClickException("the configuration has no section control_api: add it")
    return config, config.control_api


@main.command(epilog=EXIT_CODES)
@click.pass_context
def check(context: click.Context) -> None:
    """Validate the configuration and the profiles without connecting anywhere."""
    config, settings = _configuration(context)
    try:
        profiles = load_profiles(settings.profiles_file)
    except ConfigError as error:
        raise InvalidConfiguration(error) from error
    click.echo(f"{context.obj}: valid")
    click.echo(f"{settings.profiles_file}: valid")
    click.echo(f"control API: listens on {settings.listen}, live state from {settings.exporter_url}")
    for board in config.switchboards.values():
        user = (
            "no control user, cannot be acted on"
            if board.control is None
            else f"user {board.control.username}"
        )
        click.echo(f"switchboard {board.name}: {board.address}, {user}, tenant {board.tenant}")
    for warning in (*warnings_of(config, Service.CONTROL_API), *profile_warnings(profiles, config.tenant_of)):
        click.echo(f"warning: {warning}", err=True)


@main.command(epilog=EXIT_CODES)
@click.pass_context
def run(context: click.Context) -> None:
    """Serve until stopped (SIGINT, SIGTERM)."""
    from asterpanel_control_api.server import Server
    from asterpanel_switchboard.logs import set_up_logging

    config, settings = _configuration(context)
    set_up_logging(settings.log_level, settings.log_format)
    try:
        server = Server(config)
    except ConfigError as error:
        raise InvalidConfiguration(error) from error
    server.run()


main.add_command(token)


if __name__ == "__main__":
    main()
