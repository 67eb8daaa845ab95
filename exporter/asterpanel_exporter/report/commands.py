"""`asterpanel-exporter report`: the commands."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from asterpanel_exporter.cli_support import EXIT_CODES
from asterpanel_exporter.history.records import Outcome
from asterpanel_exporter.journal.opening import JournalError
from asterpanel_exporter.report import agent_columns, calls, queue_columns
from asterpanel_exporter.report.assembly import agent_report, call_report, queue_report
from asterpanel_exporter.report.buckets import Bucket
from asterpanel_exporter.report.columns import R, Report
from asterpanel_exporter.report.journal_reader import JournalReader, open_reader
from asterpanel_exporter.report.options import (
    FORMULA_HELP,
    PERIOD_HELP,
    Asked,
    ReportCommand,
    columns_help,
    common_options,
    converted,
    seconds,
)
from asterpanel_switchboard.service_level import DEFAULT_FORMULA, formula_of

DEFAULT_LIMIT = 50


@click.group(
    epilog=f"""
\b
Examples:
  asterpanel-exporter report queues
  asterpanel-exporter report agents yesterday --switchboard milano
  asterpanel-exporter report calls last 7d --outcome abandoned --longer-than 1m
{EXIT_CODES}
Periods, formulas and the definition of every column: --help of each report.
"""
)
def report() -> None:
    """Reports on queues, agents and calls, from the journal.

    The journal (journal.path in the configuration) is read beside a running exporter, or without one.
    Nothing is asked of a switchboard.
    """


@report.command(
    cls=ReportCommand,
    sections=[
        (
            "Examples",
            [
                "asterpanel-exporter report queues",
                "asterpanel-exporter report queues last week --by day --formula 2",
                "asterpanel-exporter report queues 2026-11-01..2026-11-15 --queue 'sales*' --format csv",
            ],
        ),
        PERIOD_HELP,
        FORMULA_HELP,
        columns_help(queue_columns.columns(DEFAULT_FORMULA)),
    ],
)
@common_options
@click.option(
    "--by",
    type=click.Choice([bucket.value for bucket in Bucket]),
    help="A row for each day, hour of the day, or day of the week.",
)
@click.option(
    "--formula",
    default=str(DEFAULT_FORMULA.number),
    show_default=True,
    metavar="1..7|NAME",
    help="What service level means; see below.",
)
@click.option(
    "--threshold",
    metavar="SECONDS",
    help="T for all calls. Default: the one that each call had when it ended.",
)
def queues(asked: Asked, by: str | None, formula: str, threshold: str | None) -> None:
    """What became of the calls of each queue: outcomes, service level, waits, handle times.

    Totals are in the table and in JSON; CSV has the rows alone.
    """
    chosen = converted(formula_of, formula, "--formula") or DEFAULT_FORMULA
    threshold_s = converted(seconds, threshold, "--threshold")
    if threshold_s == 0:
        raise click.BadParameter("must be above 0", param_hint="--threshold")
    bucket = None if by is None else Bucket(by)
    _print(asked, lambda reader: queue_report(reader, asked, bucket, chosen, threshold_s))


@report.command(
    cls=ReportCommand,
    sections=[
        (
            "Examples",
            [
                "asterpanel-exporter report agents",
                "asterpanel-exporter report agents last month --agent 1001 --format json",
            ],
        ),
        PERIOD_HELP,
        columns_help(agent_columns.columns({})),
    ],
)
@common_options
@click.option(
    "--agent",
    "agents",
    multiple=True,
    metavar="GLOB",
    help="Only agents whose id or name matches; may be given several times.",
)
def agents(asked: Asked, agents: tuple[str, ...]) -> None:
    """What each agent did: calls, ringing, pauses, time logged in, occupancy.

    Log-ins and pauses count with the part that lies in the period; those that still go on, up to the last
    moment that the exporter knows of. With --queue, pauses are still those of all queues.
    """
    _print(asked, lambda reader: agent_report(reader, asked, agents))


@report.command(
    "calls",
    cls=ReportCommand,
    sections=[
        (
            "Examples",
            [
                "asterpanel-exporter report calls",
                "asterpanel-exporter report calls last 24h --outcome abandoned --queue 'sales*' --sort wait",
                "asterpanel-exporter report calls 2026-11 --caller '*5550123' --format csv",
            ],
        ),
        PERIOD_HELP,
        columns_help(calls.COLUMNS),
    ],
)
@common_options
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    type=click.Choice([outcome.value for outcome in Outcome]),
    help="Only calls that ended so; may be given several times.",
)
@click.option(
    "--agent",
    "agents",
    multiple=True,
    metavar="GLOB",
    help="Only calls answered by agents whose id or name matches; may be given several times.",
)
@click.option(
    "--caller",
    "callers",
    multiple=True,
    metavar="GLOB",
    help="Only calls of numbers that match, as in '*5550123'; may be given several times.",
)
@click.option("--longer-than", metavar="SECONDS", help="Only calls that waited longer: 90, 90s, 2m.")
@click.option(
    "--sort",
    type=click.Choice(list(calls.ORDERS)),
    default="newest",
    show_default=True,
    help="newest or oldest first; wait, talk: the longest first.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help=f"How many of each switchboard; 0: all. Default: {DEFAULT_LIMIT} in tables (slow with "
    "many thousands), all in csv and json.",
)
def list_calls(
    asked: Asked,
    outcomes: tuple[str, ...],
    agents: tuple[str, ...],
    callers: tuple[str, ...],
    longer_than: str | None,
    sort: str,
    limit: int | None,
) -> None:
    """The calls behind the numbers, one line each: every visit of a caller to a queue."""
    wanted = calls.CallFilter(
        tuple(Outcome(outcome) for outcome in outcomes),
        agents,
        callers,
        converted(seconds, longer_than, "--longer-than"),
    )
    if limit is None and asked.format == "table":
        limit = DEFAULT_LIMIT
    _print(asked, lambda reader: call_report(reader, asked, wanted, sort, limit or None))


def _print(asked: Asked, report_of: Callable[[JournalReader], Report[R]]) -> None:
    from asterpanel_exporter.report.rendering import write_csv, write_json, write_tables

    for switchboard in asked.switchboards:
        asked.scope(switchboard)  # a wrong period is told even where there is no journal
    try:
        with open_reader(asked.config.journal.path) as reader:
            made = report_of(reader)
    except JournalError as error:
        raise click.ClickException(str(error)) from error
    match asked.format:
        case "csv":
            for note in write_csv(made, sys.stdout):
                click.echo(note, err=True)
        case "json":
            write_json(made, sys.stdout)
        case "table":
            write_tables(made, sys.stdout)
