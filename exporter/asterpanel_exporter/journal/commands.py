"""The commands `asterpanel-exporter journal …`."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Final

import click

from asterpanel_exporter.cli_support import EXIT_CODES, configuration
from asterpanel_exporter.journal.journal import Journal, JournalError
from asterpanel_exporter.journal.status import JournalStatus, Span, status_of
from asterpanel_exporter.periods import Period, PeriodError, period_of
from asterpanel_exporter.points.line_protocol import clean_text
from asterpanel_switchboard.config import Config, SwitchboardConfig

_FORMAT: Final = click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table for people, or JSON.",
)
_TENANT: Final = click.option("--tenant", help="Only this tenant's. Default: all.")
_IDS: Final = click.argument("ids", nargs=-1, type=click.IntRange(min=1), metavar="[ID]...")


@click.group()
def journal() -> None:
    """Look into the journal, and have InfluxDB given points again.

    The journal is the local store of all points (journal.path in the configuration). These commands may run
    beside the exporter, which then delivers what they put into the outbox.
    """


@contextmanager
def _opened(context: click.Context, *, read_only: bool = False) -> Iterator[tuple[Config, Journal]]:
    """The configuration and its journal, which must be there; what goes wrong with it ends the command."""
    config = configuration(context)
    try:
        with Journal.open(config.journal.path, create=False, read_only=read_only) as opened:
            yield config, opened
    except JournalError as error:
        raise click.ClickException(str(error)) from error
    except sqlite3.Error as error:
        raise click.ClickException(f"the journal {config.journal.path}: {error}") from error


@journal.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter journal status
  asterpanel-exporter journal status --format json | jq .pending
{EXIT_CODES}"""
)
@_FORMAT
@click.pass_context
def status(context: click.Context, style: str) -> None:
    """Show what the journal holds.

    Its size, the points of each measurement with the time of the first and the last, the lines that InfluxDB
    has not taken yet and those that it refused, by tenant. Times are those of this machine's time zone.
    """
    with _opened(context, read_only=True) as (_, opened):
        found = status_of(opened)
    if style == "json":
        click.echo(json.dumps(asdict(found) | {"path": str(found.path)}, indent=2))
    else:
        click.echo("\n".join(_status_lines(found)))


def _status_lines(found: JournalStatus) -> Iterator[str]:
    yield f"{found.path}: {found.size_bytes / 1e6:,.1f} MB, {found.open_items:,} things under way"
    yield from _span_lines("points", found.points)
    yield from _span_lines("not delivered yet", found.pending)
    yield from _span_lines("refused by InfluxDB", found.dead_letters)


def _span_lines(title: str, spans: Mapping[str, Span]) -> Iterator[str]:
    yield f"\n{title}:{'' if spans else ' none'}"
    for name, span in spans.items():
        period = f"  {_local(span.first)} to {_local(span.last)}" if span.first and span.last else ""
        yield f"  {name:<16}{span.count:>12,}{period}"


def _local(unix_time: float) -> str:
    return datetime.fromtimestamp(unix_time).astimezone().isoformat(" ", "seconds")


@journal.command(
    "dead-letters",
    epilog=f"""
\b
Examples:
  asterpanel-exporter journal dead-letters
  asterpanel-exporter journal dead-letters --tenant acme --limit 0 --format json
{EXIT_CODES}""",
)
@_TENANT
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="Show the oldest so many; 0: all.",
)
@_FORMAT
@click.pass_context
def dead_letters(context: click.Context, tenant: str | None, limit: int, style: str) -> None:
    """List the lines that InfluxDB refused, each with its reason.

    They are points of the journal too: reports have them, InfluxDB does not. Once the cause is mended
    (a field of another type in the bucket, a bucket that keeps less than the line is old), `requeue` sends
    them again; `discard` deletes them.
    """
    with _opened(context, read_only=True) as (_, opened):
        letters = opened.dead_letters(tenant, limit or -1)
        [[total]] = opened.rows(
            "SELECT count(*) FROM dead_letter WHERE ? IS NULL OR tenant = ?", (tenant, tenant)
        )
    if style == "json":
        click.echo(json.dumps([asdict(letter) for letter in letters], indent=2, ensure_ascii=False))
        return
    for letter in letters:
        click.echo(f"{letter.id}  {_local(letter.refused_at)}  {letter.tenant}  {clean_text(letter.reason)}")
        click.echo(f"    {letter.line}")
    if len(letters) < total:
        click.echo(f"{len(letters)} of {total} shown; --limit 0 shows all", err=True)
    elif not letters:
        click.echo("there are none", err=True)


@journal.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter journal requeue 17 18
  asterpanel-exporter journal requeue --all
{EXIT_CODES}"""
)
@_IDS
@click.option("--all", "all_", is_flag=True, help="All dead letters.")
@click.pass_context
def requeue(context: click.Context, ids: tuple[int, ...], all_: bool) -> None:
    """Have dead letters sent to InfluxDB again.

    ID is the number that `dead-letters` shows. What InfluxDB refuses again comes back as a dead letter with a
    new number.
    """
    _choose(
        context,
        ids,
        all_,
        "put into the outbox again",
        lambda opened, some: opened.requeue(some, time.time()),
    )


@journal.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter journal discard 17 18
  asterpanel-exporter journal discard --all
{EXIT_CODES}"""
)
@_IDS
@click.option("--all", "all_", is_flag=True, help="All dead letters.")
@click.pass_context
def discard(context: click.Context, ids: tuple[int, ...], all_: bool) -> None:
    """Delete dead letters for good: InfluxDB will not have them. (The journal keeps their points.)

    ID is the number that `dead-letters` shows.
    """
    _choose(context, ids, all_, "deleted", lambda opened, some: opened.discard(some))


def _choose(
    context: click.Context,
    ids: tuple[int, ...],
    all_: bool,
    done: str,
    act: Callable[[Journal, Iterable[int] | None], int],
) -> None:
    """Act on the dead letters that are named, or on all. Exit code 1 if one of them is not there."""
    if bool(ids) == all_:
        raise click.UsageError("name the dead letters by their ID, or give --all")
    with _opened(context) as (_, opened):
        missing = sorted(set(ids) - {id_ for [id_] in opened.rows("SELECT id FROM dead_letter")})
        count = act(opened, None if all_ else ids)
    click.echo(f"{count} {done}")
    if missing:
        raise click.ClickException(f"there is no dead letter {', '.join(map(str, missing))}")


@journal.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter journal resend --since "last 7d"
  asterpanel-exporter journal resend --since 2026-11-01 --until 2026-11-15T12:00 --tenant acme
  asterpanel-exporter journal resend --since 2020 --switchboard milano
{EXIT_CODES}"""
)
@click.option(
    "--since",
    required=True,
    metavar="TIME",
    help="From there: a moment (2026-11-01T09:00), the start of a day, month or year (2026-11-01, 2026-11, "
    "2026), today, yesterday, or last 7d.",
)
@click.option(
    "--until", default="now", show_default=True, metavar="TIME", help="Up to there; of a day, its end."
)
@_TENANT
@click.option("--switchboard", "only", multiple=True, help="Only this one's; may be given several times.")
@click.pass_context
def resend(context: click.Context, since: str, until: str, tenant: str | None, only: tuple[str, ...]) -> None:
    """Send the points of a period to InfluxDB again, delivered or not.

    For an InfluxDB that was configured after the journal had begun, or was restored from a backup. The lines
    are the same to the byte, and InfluxDB takes a point that it has for the same point: nothing doubles.
    Times without an offset are those of each switchboard's own time zone.
    """
    with _opened(context) as (config, opened):
        if config.influxdb is None:
            raise click.ClickException(
                f"{context.obj} has no section influxdb: nothing would take the points"
            )
        boards = _boards(config, tenant, only)
        now = time.time()
        periods = {board.name: _period(since, until, board, now) for board in boards}
        for board in boards:
            period = periods[board.name]
            count = opened.resend(period.start_us, period.end_us, board.tenant, [board.name], now)
            click.echo(f"{board.name}: {count} points put into the outbox of tenant {board.tenant}, {period}")


def _boards(config: Config, tenant: str | None, only: tuple[str, ...]) -> list[SwitchboardConfig]:
    for given, known, option in (
        ([] if tenant is None else [tenant], config.tenants, "--tenant"),
        (only, tuple(config.switchboards), "--switchboard"),
    ):
        for name in given:
            if name not in known:
                raise click.BadParameter(
                    f"{name!r} is not configured; there are: {', '.join(known)}", param_hint=option
                )
    boards = [
        board
        for board in config.switchboards.values()
        if tenant in (None, board.tenant) and (not only or board.name in only)
    ]
    if not boards:
        raise click.UsageError(f"none of these switchboards is tenant {tenant}'s: {', '.join(only)}")
    return boards


def _period(since: str, until: str, board: SwitchboardConfig, now: float) -> Period:
    try:
        return period_of(f"{since}..{until}", board.time_zone, now)
    except PeriodError as error:
        raise click.UsageError(f"--since and --until: {error}") from error
