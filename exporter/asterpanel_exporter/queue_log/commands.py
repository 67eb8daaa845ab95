"""The command `asterpanel-exporter import-queue-log`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import repeat
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from asterpanel_exporter.cli_support import configuration
from asterpanel_switchboard.config import Config
from asterpanel_switchboard.errors import AsterpanelError

EXIT_CODES = """
\b
Exit codes:
  0  ok; malformed lines were skipped with a warning
  1  failed while running, or a file was damaged, or with --strict: a line was malformed
  2  wrong usage of this command
  3  the configuration is invalid
"""


@click.command(
    "import-queue-log",
    epilog=f"""
\b
Examples:
  asterpanel-exporter import-queue-log /var/log/asterisk/queue_log*
  asterpanel-exporter import-queue-log queue_log.2.gz queue_log.1 queue_log --switchboard milano --dry-run
  ssh pbx cat /var/log/asterisk/queue_log | asterpanel-exporter import-queue-log - --switchboard milano
{EXIT_CODES}""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--switchboard", help="Whose log it is; may be left out if only one is configured.")
@click.option(
    "--since",
    metavar="TIME",
    help="Import only what began at this time or later: ISO date or time, in the switchboard's time zone.",
)
@click.option("--until", metavar="TIME", help="Import only what began before this time.")
@click.option("--dry-run", is_flag=True, help="Read and compare, but write nothing.")
@click.option(
    "--agent-map",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="YAML file with ids of agents by MemberName, one a line: Anna Rossi: 1001",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if a line was malformed.")
@click.pass_context
def import_queue_log(
    context: click.Context,
    files: tuple[str, ...],
    switchboard: str | None,
    since: str | None,
    until: str | None,
    dry_run: bool,
    agent_map: Path | None,
    strict: bool,
) -> None:
    """Fill the journal with the history in Asterisk's own queue_log.

    FILE is a queue_log of Asterisk 11 to 22 (plain, .gz, .xz, .bz2, - for standard input). Give the rotated
    files together, in any order: a call that goes over a rotation is then whole. What the journal has
    already, live or imported, is not written again, so the exporter may run meanwhile, and a file may be
    imported twice.

    The log knows less than the live session. Times are whole seconds; callers who were refused entry are
    not in it; a waiting caller who was redirected counts as abandoned; of an attended transfer the talk
    includes the consultation; only dynamic members have memberships. Agents are told by MemberName: their
    ids are those of --agent-map, else those that the journal knows from live sessions, else the name.
    """
    from asterpanel_exporter.queue_log.agents import read_agent_map
    from asterpanel_exporter.queue_log.importing import Period, import_logs
    from asterpanel_exporter.queue_log.reading import in_order

    config = configuration(context)
    name = _configured(config, switchboard)
    time_zone = config.switchboards[name].time_zone
    period = Period(
        *(
            bound if text is None else _time(text, time_zone, option)
            for text, bound, option in (
                (since, Period().since, "--since"),
                (until, Period().until, "--until"),
            )
        )
    )
    try:
        mapped = None if agent_map is None else read_agent_map(agent_map)
        logs = in_order(files)
        with _progress(sum(log.size for log in logs)) as advance:
            summary = import_logs(
                config, name, logs, period=period, agent_map=mapped, dry_run=dry_run, advance=advance
            )
    except AsterpanelError as error:
        raise click.ClickException(str(error)) from error
    for warning in summary.warnings():
        click.echo(warning, err=True)
    click.echo(summary.text(name, time_zone, dry_run=dry_run))
    if summary.problems or (strict and summary.malformed):
        context.exit(1)


def _configured(config: Config, switchboard: str | None) -> str:
    names = ", ".join(config.switchboards)
    if switchboard is None and len(config.switchboards) == 1:
        return names
    if switchboard is None or switchboard not in config.switchboards:
        what = "which one?" if switchboard is None else f"{switchboard!r} is not configured;"
        raise click.BadParameter(f"{what} There are: {names}", param_hint="--switchboard")
    return switchboard


def _time(text: str, time_zone: ZoneInfo, option: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no ISO date or time such as 2026-11-23 or 2026-11-23T08:00", param_hint=option
        ) from error
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=time_zone)).timestamp()


@contextmanager
def _progress(total_bytes: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, and nothing anywhere else; bytes without an end while standard input is read."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    length = total_bytes or None
    with click.progressbar(
        None if length else repeat(None), length=length, label="import-queue-log", file=sys.stderr
    ) as bar:
        yield bar.update
