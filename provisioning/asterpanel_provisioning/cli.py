"""The command `asterpanel-grafana`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

import click
import yaml

from asterpanel_control_api.access.profiles import load_profiles
from asterpanel_dashboards import build as dashboard_files
from asterpanel_dashboards import rules as rule_files
from asterpanel_dashboards.rules.alertmanager import Receivers
from asterpanel_dashboards.rules.teams import EXAMPLE_TEAMS, Teams, teams_of
from asterpanel_dashboards.settings import DEFAULTS, settings_of
from asterpanel_switchboard.command_line import InvalidConfiguration, config_option, configuration_for
from asterpanel_switchboard.config import Config, ConfigError, Service
from asterpanel_switchboard.generated import Differences, differences, write

EXIT_CODES: Final = """
\b
Exit codes:
  0  ok
  1  failed while running; with --check: the files are not what the configuration says
  2  wrong usage of this command
  3  the configuration is invalid
"""
DASHBOARDS_FOLDER: Final = Path("grafana/dashboards")
RULES_FOLDER: Final = Path("provisioning")

F = TypeVar("F", bound=Callable[..., None])


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"""
\b
Examples:
  asterpanel-grafana dashboards build
  asterpanel-grafana -c /etc/asterpanel/asterpanel.yml rules build --output /etc/asterpanel/provisioning
{EXIT_CODES}
asterpanel.example.yml documents every key of the configuration.
""",
)
@config_option("The configuration file; its sections `targets` and `dashboards` are what matters here.")
@click.version_option(version("asterpanel"), prog_name="asterpanel-grafana")
@click.pass_context
def main(context: click.Context, config_path: Path) -> None:
    """Dashboards and alerts as files, made from the configuration.

    Grafana, Prometheus and Alertmanager read them: nothing is changed by hand there. Targets, thresholds, the
    service-level formula and the time zone stand in the configuration, and are the same everywhere.
    """
    context.obj = config_path


@main.command(epilog=EXIT_CODES)
@click.pass_context
def check(context: click.Context) -> None:
    """Validate the configuration without connecting anywhere."""
    config = configuration_for(Service.ADMINISTRATION, context)
    formula = config.dashboards.formula
    click.echo(f"{context.obj}: valid")
    click.echo(f"service level: formula {formula.number}, {formula.symbols}: {formula.words}")
    click.echo(f"days: {config.dashboards_time_zone.key}")
    click.echo(f"targets: {len(config.targets)} entries")


@main.group()
def dashboards() -> None:
    """The dashboards, as the JSON files that Grafana provisions."""


@main.group()
def rules() -> None:
    """Recording rules and alerts, for Prometheus and for Grafana, and Alertmanager's routes."""


def _building(default: Path) -> Callable[[F], F]:
    """The options of what writes files."""

    def decorated(command: F) -> F:
        check = click.option(
            "--check",
            is_flag=True,
            help="Write nothing: only say which files are not what they should be (exit code 1).",
        )
        output = click.option(
            "--output",
            type=click.Path(path_type=Path, file_okay=False),
            default=default,
            show_default=True,
            help="Folder of the files; made if there is none.",
        )
        defaults = click.option(
            "--defaults", is_flag=True, help="Without a configuration file: everything as it is by default."
        )
        return output(defaults(check(command)))

    return decorated


@dashboards.command(
    "build",
    epilog=f"""
\b
Examples:
  asterpanel-grafana dashboards build
  asterpanel-grafana dashboards build --output /var/lib/grafana/dashboards
  asterpanel-grafana dashboards build --check
{EXIT_CODES}""",
)
@_building(DASHBOARDS_FOLDER)
@click.pass_context
def build_dashboards(context: click.Context, output: Path, *, defaults: bool, check: bool) -> None:
    """Write the dashboards.

    Files of dashboards that are no more are deleted; others in the folder stay. Grafana takes changed files
    by itself within half a minute.
    """
    settings = DEFAULTS if defaults else settings_of(configuration_for(Service.ADMINISTRATION, context))
    _build(output, dict(dashboard_files.files(settings)), "asterpanel-*.json", check=check)


@rules.command(
    "build",
    epilog=f"""
\b
Examples:
  asterpanel-grafana rules build
  asterpanel-grafana rules build --receivers receivers.yml --output /etc/asterpanel/provisioning
  asterpanel-grafana rules build --check
{EXIT_CODES}""",
)
@click.option(
    "--receivers",
    "receivers_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YAML file with the parts `global` and `receivers` of Alertmanager's configuration: how people are "
    "reached. One receiver for each team of the profiles, and Operations. Default: examples.",
)
@_building(RULES_FOLDER)
@click.pass_context
def build_rules(
    context: click.Context, output: Path, receivers_file: Path | None, *, defaults: bool, check: bool
) -> None:
    """Write the rules, alerts and routes, each into the folder of whom they are for.

    Each team of the profiles is told of its own queues and agents. Prometheus and Alertmanager read their
    files again on SIGHUP, Grafana at its start.
    """
    config = None if defaults else configuration_for(Service.ADMINISTRATION, context)
    teams = EXAMPLE_TEAMS if config is None else _teams(config)
    reached = None if receivers_file is None else _receivers(receivers_file, teams)
    _build(output, dict(rule_files.files(config, teams, reached)), check=check)


def _teams(config: Config) -> Teams:
    """Those of the profiles; without a control API there are none."""
    if config.control_api is None:
        return {}
    try:
        profiles = load_profiles(config.control_api.profiles_file)
    except ConfigError as error:
        raise InvalidConfiguration(error) from error
    return teams_of({name: tenant.profiles for name, tenant in profiles.tenants.items()}, config.tenant_of)


def _receivers(file: Path, teams: Teams) -> Receivers:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: not valid YAML: {error}") from error
    parts = data if isinstance(data, dict) else {}
    settings, receivers = parts.get("global") or {}, parts.get("receivers")
    if not isinstance(settings, dict) or not isinstance(receivers, list):
        raise click.ClickException(f"{file}: must have the list `receivers`, and may have `global`")
    if not all(isinstance(receiver, dict) for receiver in receivers):
        raise click.ClickException(f"{file}: each of the receivers must be a mapping with a name")
    reached = Receivers(settings, receivers)
    if missing := reached.missing(teams):
        raise click.ClickException(f"{file}: no receiver for {', '.join(missing)}: add one of that name each")
    return reached


def _build(folder: Path, wanted: Mapping[str, str], ours: str | None = None, *, check: bool) -> None:
    if check:
        found = differences(folder, wanted, ours)
        if found:
            _tell(found)
            raise click.ClickException(f"{folder} is not what the configuration says: run it without --check")
        click.echo(f"{folder}: {len(wanted)} files, all as they should be")
        return
    try:
        found = write(folder, wanted, ours)
    except OSError as error:
        raise click.ClickException(
            f"cannot write {error.filename or folder}: {error.strerror or error}"
        ) from error
    _tell(found)
    changed = len(found.missing) + len(found.changed)
    click.echo(f"{folder}: {len(wanted)} files, {changed} of them written")


def _tell(found: Differences) -> None:
    for line in found.lines():
        click.echo(line, err=True)


if __name__ == "__main__":
    main()
