"""The commands `asterpanel-exporter influx setup` and `asterpanel-exporter influx check`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from asterpanel_exporter.cli_support import EXIT_CODES, configuration
from asterpanel_exporter.influx.answers import WriteError, error_of_exception, tls_problem
from asterpanel_exporter.influx.client import connect
from asterpanel_exporter.influx.problems import problem
from asterpanel_exporter.influx.setup import (
    FirstUser,
    Setup,
    SetupError,
    is_fresh,
    make_first_user,
    plan_for_fresh,
    try_to_write,
)
from asterpanel_exporter.influx.setup_1 import (
    can_be_written_to,
    connect_1,
    make_databases,
    server_version,
)
from asterpanel_exporter.influx.tokens import scoped_tokens
from asterpanel_switchboard.command_line import configuration_for
from asterpanel_switchboard.config import (
    Config,
    InfluxConfig,
    InfluxTarget,
    Service,
)
from asterpanel_switchboard.config.secrets import secret_from_file
from asterpanel_switchboard.config.values import parse_duration

MIN_RETENTION_S = 3600
"""InfluxDB keeps no shorter."""

_FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class _Options:
    """What the command line of `setup` says."""

    user: FirstUser | None
    token_file: Path | None
    retention_s: int | None
    replace_tokens: bool
    dry_run: bool

    def say(self, action: str, what: str) -> None:
        """Tell of one step."""
        shown = f"would {action}" if self.dry_run and action != "ok" else action
        click.echo(f"{shown:<13} {what}")


@click.group()
def influx() -> None:
    """Set up InfluxDB for the exporter and for Grafana, and check that it takes points."""


@influx.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter influx setup --token-file operator-token --dry-run
  asterpanel-exporter influx setup --token-file operator-token
  asterpanel-exporter influx setup --username admin --password-file admin-password --token-file operator-token
{EXIT_CODES}"""
)
@click.option(
    "--token-file",
    type=_FILE,
    help="File with an operator's token of InfluxDB 2.x. On a fresh one it is made, and written to it.",
)
@click.option(
    "--username",
    help="On a fresh InfluxDB 2.x: its first user. On 1.x with authentication: an administrator.",
)
@click.option("--password-file", type=_FILE, help="File with that user's password.")
@click.option(
    "--retention",
    help="How long buckets keep points, as in 400d; 0 is for ever. Default: new ones for ever, and those "
    "that exist as they are. A shorter time has InfluxDB delete what is older.",
)
@click.option(
    "--tokens-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the tokens that the configuration names no file for. Default: secrets, beside the "
    "configuration file.",
)
@click.option(
    "--replace-tokens", is_flag=True, help="Replace files whose token lacks rights, or is not known."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.pass_context
def setup(
    context: click.Context,
    token_file: Path | None,
    username: str | None,
    password_file: Path | None,
    retention: str | None,
    tokens_dir: Path | None,
    replace_tokens: bool,
    dry_run: bool,
) -> None:
    """Make what InfluxDB lacks: organisation, buckets, InfluxQL's databases, tokens.

    One bucket a tenant. Tokens go into files that only their owner can read, and are never shown: to write,
    into the files that the configuration names (influxdb.token_file); to read, for each tenant's Grafana,
    into influxdb-read-TENANT. Run again, it changes nothing. Nothing is ever deleted.

    InfluxDB 1.x gets its databases; it has no tokens.
    """
    config = configuration_for(Service.INFLUX_SETUP, context)
    options = _Options(
        _user(username, password_file), token_file, _retention_s(retention), replace_tokens, dry_run
    )
    influxdb = _section(config)
    with _failures_told(influxdb):
        with connect(influxdb, influxdb.url, None) as client:
            version = server_version(client)
        click.echo(f"InfluxDB {version} at {influxdb.url}")
        if version.startswith("1."):
            _set_up_1(config, influxdb, version, options)
        elif version.startswith("2."):
            _set_up_2(config, influxdb, options, tokens_dir or _folder(context) / "secrets")
        else:
            raise SetupError(
                "InfluxDB 3 is set up with its own tool: `influxdb3 create database` and "
                "`influxdb3 create token`"
            )


@influx.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter influx check
{EXIT_CODES}"""
)
@click.pass_context
def check(context: click.Context) -> None:
    """Try each tenant's token and bucket. Nothing is written."""
    config = configuration(context)
    influxdb = _section(config)
    failed = False
    for tenant in config.tenants:
        target = influxdb.target_for(tenant)
        try:
            try_to_write(influxdb, target)
        except WriteError as error:
            failed = True
            click.echo(f"tenant {tenant}: {problem(target, error)}", err=True)
        else:
            click.echo(f"tenant {tenant}: may write to bucket {target.bucket} at {target.url}")
    if failed:
        context.exit(1)


def _set_up_1(config: Config, influxdb: InfluxConfig, version: str, options: _Options) -> None:
    targets = [influxdb.target_for(tenant) for tenant in config.tenants]
    user = options.user
    with connect_1(influxdb, user) as client:
        make_databases(client, targets, options.retention_s, dry_run=options.dry_run, say=options.say)
    click.echo(
        "InfluxDB 1.x has no tokens: set influxdb.auth to none or, where it asks for a user, keep "
        "user:password in the token's file"
    )
    if not can_be_written_to(version):
        raise SetupError(
            f"InfluxDB {version} lacks the write API that the exporter uses; it needs 1.8 or later"
        )


def _set_up_2(config: Config, influxdb: InfluxConfig, options: _Options, folder: Path) -> None:
    targets = [influxdb.target_for(tenant) for tenant in config.tenants]
    tokens = scoped_tokens(config, influxdb, folder)
    if options.token_file is None:
        raise click.UsageError("InfluxDB 2.x needs --token-file, an operator's token")
    with connect(influxdb, influxdb.url, None) as client:
        if is_fresh(client):
            _first_user(client, targets[0], options, options.token_file)
            if options.dry_run:
                plan_for_fresh(targets, tokens, options.say)
                return
    with connect(influxdb, influxdb.url, _secret(options.token_file, "--token-file")) as client:
        setup_2 = Setup(
            client,
            influxdb,
            options.retention_s,
            dry_run=options.dry_run,
            replace_tokens=options.replace_tokens,
            say=options.say,
        )
        setup_2.run(targets, tokens)
    for token in tokens:
        if token.variable is not None:
            click.echo(f"put the token in {token.file} into the environment variable {token.variable}")
    if setup_2.problems:
        raise SetupError("\n".join(setup_2.problems))


def _first_user(client: InfluxDBClient, target: InfluxTarget, options: _Options, token_file: Path) -> None:
    if options.user is None:
        raise SetupError(
            "it is fresh: give --username and --password-file for its first user; the operator's token is "
            "made, and written to --token-file"
        )
    if token_file.exists():
        raise SetupError(f"it is fresh, so {token_file} cannot hold its operator's token: name a new file")
    options.say("create", f"first user {options.user.name}, operator's token in {token_file}")
    if not options.dry_run:
        make_first_user(client, options.user, target, options.retention_s, token_file)


@contextmanager
def _failures_told(influxdb: InfluxConfig) -> Iterator[None]:
    """Ends the command with one clear line, whatever has failed."""
    try:
        yield
    except (SetupError, WriteError) as error:
        raise click.ClickException(str(error)) from error
    except ApiException as error:
        said = f"{error.message} (HTTP {error.status})" if error.status else tls_problem(str(error.reason))
        raise click.ClickException(f"InfluxDB at {influxdb.url} refuses: {said}") from error
    except HTTPError as error:
        reason = error_of_exception(error, influxdb.timeout).message
        raise click.ClickException(f"InfluxDB at {influxdb.url} cannot be reached: {reason}") from error


def _section(config: Config) -> InfluxConfig:
    if config.influxdb is None:
        raise click.ClickException("the configuration has no section influxdb: add it, with at least its url")
    return config.influxdb


def _user(name: str | None, password_file: Path | None) -> FirstUser | None:
    if name is None and password_file is None:
        return None
    if name is None or password_file is None:
        raise click.UsageError("--username and --password-file need each other")
    return FirstUser(name, _secret(password_file, "--password-file"))


def _folder(context: click.Context) -> Path:
    return (context.find_object(Path) or Path("asterpanel.yml")).resolve().parent


def _secret(path: Path, option: str) -> str:
    try:
        return secret_from_file(path)
    except ValueError as error:
        raise click.BadParameter(f"{path}: {error}", param_hint=option) from error


def _retention_s(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        seconds = round(parse_duration(text))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--retention") from error
    if 0 < seconds < MIN_RETENTION_S:
        raise click.BadParameter("must be at least 1h, or 0 for ever", param_hint="--retention")
    return seconds
