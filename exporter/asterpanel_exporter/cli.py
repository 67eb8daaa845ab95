"""The command `asterpanel-exporter`. Each command imports what it needs when it runs."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from click.core import ParameterSource

from asterpanel_switchboard.config import Config, ConfigError, load_config, warnings_of

if TYPE_CHECKING:
    from asterpanel_exporter.live import LiveSwitchboard

EXIT_CODES = """
\b
Exit codes:
  0  ok
  1  failed while running
  2  wrong usage of this command
  3  the configuration is invalid
"""


class InvalidConfiguration(click.ClickException):
    """Ends the command with exit code 3 and one line a problem."""

    exit_code = 3

    def __init__(self, error: ConfigError) -> None:
        count = len(error.problems)
        summary = f"{error.path}: {count} {'problem' if count == 1 else 'problems'}"
        super().__init__("\n".join([*error.lines(), summary]))

    def show(self, file: object = None) -> None:
        click.echo(self.message, err=True)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"""
\b
Examples:
  asterpanel-exporter check
  asterpanel-exporter --config /etc/asterpanel/asterpanel.yml check
{EXIT_CODES}
asterpanel.example.yml documents every key of the configuration.
""",
)
@click.option(
    "--config",
    "-c",
    "config_path",
    type=click.Path(path_type=Path),
    default=Path("asterpanel.yml"),
    show_default=True,
    envvar="ASTERPANEL_CONFIG",
    show_envvar=True,
    help="The configuration file.",
)
@click.version_option(version("asterpanel"), prog_name="asterpanel-exporter")
@click.pass_context
def main(context: click.Context, config_path: Path) -> None:
    """Exact live state of Asterisk call centres as Prometheus metrics.

    Connects to the manager interface (AMI) of one or many Asterisk servers, read only, keeps the state of
    their queues, callers and agents, and serves it to Prometheus.
    """
    context.obj = config_path


def configuration(context: click.Context) -> Config:
    """The configuration that the command line names. Ends the command with exit code 3 if it is invalid."""
    try:
        return load_config(context.find_object(Path) or Path("asterpanel.yml"))
    except ConfigError as error:
        raise InvalidConfiguration(error) from error


@main.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter check
  asterpanel-exporter -c /etc/asterpanel/asterpanel.yml check && systemctl restart asterpanel-exporter
{EXIT_CODES}"""
)
@click.pass_context
def check(context: click.Context) -> None:
    """Validate the configuration without connecting anywhere.

    Lists every problem at once, as FILE:LINE:COLUMN: KEY: MESSAGE, on standard error. A valid configuration
    is summed up on standard output; warnings about what is allowed but doubtful do not change the exit code.
    """
    config = configuration(context)
    click.echo(f"{context.obj}: valid")
    click.echo(f"exporter: listens on {config.exporter.listen}, /state {_state_access(config)}")
    for board in config.switchboards.values():
        encryption = "no TLS" if board.tls is None else "TLS" if board.tls.verify else "TLS, not verified"
        click.echo(
            f"switchboard {board.name}: {board.address}, {encryption}, user {board.username}, "
            f"tenant {board.tenant}, {board.time_zone.key}"
        )
    for warning in warnings_of(config):
        click.echo(f"warning: {warning}", err=True)


@main.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter run
  asterpanel-exporter -c /etc/asterpanel/asterpanel.yml run
{EXIT_CODES}"""
)
@click.pass_context
def run(context: click.Context) -> None:
    """Watch the switchboards and serve /metrics until stopped (SIGINT, SIGTERM).

    A switchboard that cannot be reached is tried again for ever; the others are not touched by it.
    What is served: /metrics, /healthz, /readyz, the status page at / and, with a token, /state.
    """
    from asterpanel_exporter.run import run as run_exporter

    config = configuration(context)
    try:
        run_exporter(config)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {config.exporter.listen}: {error.strerror or error}; "
            "is another exporter running? exporter.listen sets the address"
        ) from error


@main.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter replay trace.ami --state - --metrics -
  asterpanel-exporter -c asterpanel.yml replay day1.ami.gz day2.ami.xz --switchboard milano --state state.json
{EXIT_CODES}"""
)
@click.argument("traces", nargs=-1, required=True, metavar="TRACE...")
@click.option(
    "--switchboard",
    default="replay",
    show_default=True,
    help="Name to give it; where the "
    "configuration has one of that name, its agent identity and queue settings apply.",
)
@click.option(
    "--metrics", type=click.File("w", encoding="utf-8"), help="Write the metrics here; - for standard output."
)
@click.option("--state", type=click.File("w", encoding="utf-8"), help="Write the final state here, as JSON.")
@click.pass_context
def replay(
    context: click.Context,
    traces: tuple[str, ...],
    switchboard: str,
    metrics: TextIO | None,
    state: TextIO | None,
) -> None:
    """Feed recorded AMI streams through the same code as a live session.

    TRACE is the raw bytes of a session as received (plain, .gz, .xz, - for standard input), as
    `asterpanel-exporter record` writes them. The clock is that of the events. At the end the clock runs on
    until what is undecided is decided; calls still going on stay open. A summary goes to standard error.
    """
    from asterpanel_exporter.replay import replay_files

    summary = replay_files(traces, _replayed(context, switchboard), metrics=metrics, state=state)
    click.echo(summary, err=True)


def _replayed(context: click.Context, name: str) -> LiveSwitchboard:
    from asterpanel_exporter.live import LiveSwitchboard

    path = context.find_object(Path)
    given = context.find_root().get_parameter_source("config_path") is not ParameterSource.DEFAULT
    if not given and (path is None or not path.exists()):
        return LiveSwitchboard(name)
    config = configuration(context)
    return LiveSwitchboard.from_config(config, name) if name in config.switchboards else LiveSwitchboard(name)


def _state_access(config: Config) -> str:
    if config.exporter.state_token is not None:
        return "with a bearer token"
    if config.exporter.state_open_on_loopback:
        return "open to this machine"
    return "closed (no token is set)"


if __name__ == "__main__":
    main()
