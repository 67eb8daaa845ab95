"""What the commands of `report` have in common: options, help, exit codes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import click

from asterpanel_exporter.cli_support import EXIT_CODES, configuration
from asterpanel_exporter.periods import FORMS, PeriodError, period_of
from asterpanel_exporter.report.columns import Column
from asterpanel_exporter.report.journal_reader import Scope
from asterpanel_switchboard.config.values import parse_duration
from asterpanel_switchboard.service_level import FORMULAS

if TYPE_CHECKING:
    from asterpanel_switchboard.config import Config

_T = TypeVar("_T")

HelpSection = tuple[str, Sequence[str] | Sequence[tuple[str, str]]]
"""Title, and lines or definitions."""

PERIOD_HELP: Final[HelpSection] = (
    "Period",
    [("PERIOD", f"{FORMS}. All in the time zone of the switchboard (switchboards.NAME.time_zone).")],
)
FORMULA_HELP: Final[HelpSection] = (
    "Formulas of the service level",
    [
        ("A, B, S, F, T", "answered, abandoned, short abandons, flow-outs, threshold"),
        *((f"{f.number}, {f.name}", f"{f.symbols}: {f.words} ({f.used_by})") for f in FORMULAS),
    ],
)


def columns_help(columns: Sequence[Column[Any]]) -> HelpSection:
    """The definitions of a report's columns."""
    return "Columns, by their names in CSV and JSON", [(column.name, column.help) for column in columns]


class ReportCommand(click.Command):
    """A command whose help ends with sections of its own, and the exit codes."""

    def __init__(self, *args: Any, sections: Sequence[HelpSection] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.epilog = EXIT_CODES
        self._sections = sections

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, content in self._sections:
            with formatter.section(title):
                lines = [line for line in content if isinstance(line, str)]
                formatter.write("".join(f"{'':{formatter.current_indent}}{line}\n" for line in lines))
                if definitions := [entry for entry in content if not isinstance(entry, str)]:
                    formatter.write_dl(definitions)
        super().format_epilog(ctx, formatter)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options that all reports have say. ``period``: its text. ``now``: Unix time."""

    config: Config
    switchboards: tuple[str, ...]
    queues: tuple[str, ...]
    period: str
    format: Literal["table", "csv", "json"]
    now: float

    def scope(self, switchboard: str) -> Scope:
        """Of one of the switchboards; ends the command if the period is none."""
        zone = self.config.switchboards[switchboard].time_zone
        try:
            return Scope(switchboard, period_of(self.period, zone, self.now), self.queues)
        except PeriodError as error:
            raise click.BadParameter(str(error), param_hint="PERIOD") from error

    def wrapup_s(self, switchboard: str) -> Callable[[str], float | None]:
        """Wrap-up time of a queue as configured; None: it is not."""
        return lambda queue: self.config.queue_settings_for(switchboard, queue).wrapup_time_s


def common_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options of all reports: the command gets them as one `Asked`, before its own."""

    @wraps(command)
    def with_asked(
        context: click.Context,
        /,
        period_words: tuple[str, ...],
        period: str | None,
        switchboards: tuple[str, ...],
        queues: tuple[str, ...],
        format: Literal["table", "csv", "json"],
        **own: Any,
    ) -> None:
        if period_words and period:
            raise click.UsageError("the period is given twice: as an argument and with --period")
        asked_period = period or " ".join(period_words) or "today"
        command(_asked(context, asked_period, switchboards, queues, format), **own)

    decorated: Callable[..., None] = click.pass_context(with_asked)
    for option in reversed(_COMMON):
        decorated = option(decorated)
    return decorated


_COMMON: Final = (
    click.argument("period_words", nargs=-1, metavar="[PERIOD]"),
    click.option("--period", metavar="PERIOD", help="Another way to give the period. Default: today."),
    click.option(
        "--switchboard",
        "switchboards",
        multiple=True,
        metavar="NAME",
        help="Of which one; may be given several times. Default: all, one after the other.",
    ),
    click.option(
        "--queue",
        "queues",
        multiple=True,
        metavar="GLOB",
        help="Only queues that match, as in 'sales*'; may be given several times.",
    ),
    click.option(
        "--format",
        type=click.Choice(["table", "csv", "json"]),
        default="table",
        show_default=True,
        help="csv and json have plain numbers: seconds, and shares of 0 to 1. What there is to say about "
        "them is on standard error with csv, in the object with json.",
    ),
)


def _asked(
    context: click.Context,
    period: str,
    switchboards: tuple[str, ...],
    queues: tuple[str, ...],
    format: Literal["table", "csv", "json"],
) -> Asked:
    config = configuration(context)
    for name in switchboards:
        if name not in config.switchboards:
            known = ", ".join(config.switchboards)
            raise click.BadParameter(
                f"{name!r} is not configured; there are: {known}", param_hint="--switchboard"
            )
    names = tuple(dict.fromkeys(switchboards or config.switchboards))
    return Asked(config, names, queues, period, format, time.time())


def converted(convert: Callable[[str], _T], text: str | None, option: str) -> _T | None:
    """An option's value; ends the command, with what `convert` says, if it is none."""
    try:
        return None if text is None else convert(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def seconds(text: str) -> float:
    """From ``20``, ``20s``, ``2m``.

    Raises:
        ValueError: it is no duration.
    """
    try:
        value: float | str = float(text)
    except ValueError:
        value = text
    return parse_duration(value)
