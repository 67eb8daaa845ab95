"""The command `asterpanel-exporter rollup`."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

from asterpanel_exporter.cli_support import EXIT_CODES, configuration
from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.journal.opening import JournalError
from asterpanel_exporter.periods import FORMS, Period, PeriodError, period_of
from asterpanel_switchboard.config import Config, SwitchboardConfig

_PAUSE_SHARE: Final = 0.2
"""Of the time that the work takes, for whoever else writes the journal."""


@click.command(
    epilog=f"""
\b
Examples:
  asterpanel-exporter rollup
  asterpanel-exporter rollup --since "last 4w"
  asterpanel-exporter rollup --since 2026-11 --switchboard milano
{EXIT_CODES}
Periods are {FORMS}; all in the time zone of the switchboard.
"""
)
@click.option(
    "--since",
    default=None,
    metavar="PERIOD",
    help="From the beginning of that period on: 2026-11-01, last 7d, this month. Default: from the first "
    "call on.",
)
@click.option(
    "--switchboard",
    "switchboards",
    multiple=True,
    metavar="NAME",
    help="Of which one; may be given several times. Default: all, one after the other.",
)
@click.pass_context
def rollup(context: click.Context, since: str | None, switchboards: tuple[str, ...]) -> None:
    """Make the half hours that reports sum up anew: queue_interval, queue_local_hour, agent_interval,
    agent_duty.

    The running exporter makes them by itself, also those of calls that were imported. What it cannot know is
    that the configuration has changed for what is past: run this after changes of targets, of
    dashboards.service_level_formula, of queue_settings.wrapup_time and of time zones, and after an import
    where no exporter runs.

    It may run beside the exporter. Only half hours that come out different are written; the exporter
    delivers them to InfluxDB, where they take the place of the old ones. Half hours whose points are too old
    for the journal (journal.retention) stay as they are.
    """
    from asterpanel_exporter.rollup.rollup import RollUp

    config = configuration(context)
    boards = [_board(config, name) for name in switchboards or tuple(config.switchboards)]
    starts_us = {board.name: _start_us(since, board) for board in boards}
    try:
        with Journal.open(config.journal.path, create=False) as journal:
            work = RollUp(journal, config)
            _run(work.look())
            for board in boards:
                work.redo(board.name, starts_us[board.name])
            with _progress(work.due()) as advance:
                _run(work.make(), lambda: advance(work.progress.half_hours))
    except JournalError as error:
        raise click.ClickException(str(error)) from error
    except sqlite3.Error as error:
        raise click.ClickException(f"the journal {config.journal.path}: {error}") from error
    made, points = work.progress.half_hours, work.progress.points
    click.echo(f"{made:,} half hours made, {points:,} points new or different")


def _board(config: Config, name: str) -> SwitchboardConfig:
    if name not in config.switchboards:
        known = ", ".join(config.switchboards)
        raise click.BadParameter(
            f"{name!r} is not configured; there are: {known}", param_hint="--switchboard"
        )
    return config.switchboards[name]


def _start_us(since: str | None, board: SwitchboardConfig) -> int:
    if since is None:
        return 0
    try:
        period: Period = period_of(since, board.time_zone, time.time())
    except PeriodError as error:
        raise click.BadParameter(str(error), param_hint="--since") from error
    return period.start_us


def _run(steps: Iterator[None], after_each: Callable[[], None] = lambda: None) -> None:
    began = time.monotonic()
    for _ in steps:
        after_each()
        time.sleep((time.monotonic() - began) * _PAUSE_SHARE)
        began = time.monotonic()


@contextmanager
def _progress(half_hours: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, and nothing anywhere else; it is told how many half hours are made."""
    if not sys.stderr.isatty():
        yield lambda made: None
        return
    with click.progressbar(length=half_hours, label="rollup", file=sys.stderr) as bar:
        yield lambda made: bar.update(made - bar.pos)
