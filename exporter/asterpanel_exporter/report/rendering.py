"""A report as a table for the terminal, as CSV, as JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, Final, TextIO

from asterpanel_exporter.periods import Period, local_time
from asterpanel_exporter.report.columns import BoardReport, Column, Kind, R, Report, SideTable
from asterpanel_exporter.report.formatting import csv_value, json_value, table_text
from asterpanel_exporter.report.journal_reader import Gap
from asterpanel_exporter.report.notes import is_one_day

if TYPE_CHECKING:
    from rich.table import Table

_GAP: Final = 2
"""Blanks between two columns of a table."""
_LEFT: Final = frozenset((Kind.TEXT, Kind.LIST))


def write_csv(report: Report[R], file: TextIO) -> list[str]:
    """Names of the columns, then a line a row, without totals; returns what else there is to say."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([column.name for column in report.columns])
    for board in report.boards:
        writer.writerows([csv_value(column.value(row)) for column in report.columns] for row in board.rows)
    return [
        *report.headline,
        *(f"{board.switchboard}: {note}" for board in report.boards for note in _all_notes(board)),
    ]


def _all_notes(board: BoardReport[R]) -> list[str]:
    return [str(board.period), *([board.why_empty] if board.why_empty else []), *board.notes]


def write_json(report: Report[R], file: TextIO) -> None:
    """One object: what holds for the whole report, the definitions, each switchboard, and all rows."""
    content = {
        "report": report.name,
        **report.about,
        "definitions": {column.name: column.help for column in report.columns},
        "switchboards": [_board_object(report, board) for board in report.boards],
        "rows": [_row_object(report, row) for board in report.boards for row in board.rows],
    }
    json.dump(content, file, ensure_ascii=False, indent=2)
    file.write("\n")


def _board_object(report: Report[R], board: BoardReport[R]) -> dict[str, Any]:
    notes = [*([board.why_empty] if board.why_empty else []), *board.notes]
    return {
        "switchboard": board.switchboard,
        "time_zone": board.period.zone.key,
        "from": board.period.start.isoformat(),
        "to": board.period.end.isoformat(),
        "total": None if board.total is None else _row_object(report, board.total),
        "gaps": [_gap_object(gap, board.period) for gap in board.gaps],
        "notes": notes,
    }


def _gap_object(gap: Gap, period: Period) -> dict[str, Any]:
    return {
        "from": json_value(local_time(gap.start_us, period.zone)),
        "to": json_value(local_time(gap.end_us, period.zone)),
        "calls_missed": gap.calls_missed,
    }


def _row_object(report: Report[R], row: R) -> dict[str, Any]:
    return {column.name: json_value(column.value(row)) for column in report.columns}


def write_tables(report: Report[R], file: TextIO) -> None:
    """For people: no wider than the terminal; with bold and dim text there, plain anywhere else."""
    from rich.console import Console

    width = get_terminal_size().columns
    console = Console(file=file, width=width, markup=False, emoji=False, highlight=False)
    for number, board in enumerate(report.boards):
        if number:
            console.print()
        console.print(f"{board.switchboard}: {report.name}, {board.period}", style="bold")
        console.print()
        if board.why_empty:
            console.print(board.why_empty)
        for table in _tables(report, board, width):
            console.print(table)
            console.print()
        for note in (*(report.headline if board.rows else ()), *board.notes):
            console.print(note, style="dim")


def _tables(report: Report[R], board: BoardReport[R], width: int) -> Iterator[Table]:
    if not board.rows:
        return
    shown = [column for column in report.columns if _is_shown(column, board.rows)]
    with_date = not is_one_day(board.period)

    def texts(row: R) -> list[str]:
        return [table_text(column.value(row), column.kind, with_date=with_date) for column in shown]

    cells = [texts(row) for row in board.rows]
    total = texts(board.total) if board.total is not None and len(board.rows) > 1 else None
    titles = [column.title for column in shown]
    kinds = [column.kind for column in shown]
    keys = [i for i, column in enumerate(shown) if column.is_key]
    if total is not None:
        total = ["" if i in keys[1:] else text for i, text in enumerate(total)]
    for block in blocks(_widths(titles, cells, total), keys, width):
        yield _table(titles, kinds, cells, total, block)
    if board.side_table is not None:
        yield _side_table(board.side_table)


def _is_shown(column: Column[R], rows: Sequence[R]) -> bool:
    return column.in_table and not (column.only_if_any and not any(column.value(row) for row in rows))


def _widths(titles: Sequence[str], cells: Sequence[Sequence[str]], total: Sequence[str] | None) -> list[int]:
    from rich.cells import cell_len

    lines = [*cells, total] if total is not None else cells
    return [
        max(*map(cell_len, title.split("\n")), *(cell_len(line[i]) for line in lines), 0)
        for i, title in enumerate(titles)
    ]


def blocks(widths: Sequence[int], keys: Sequence[int], width: int) -> list[list[int]]:
    """Which columns stand side by side, so that they fit the width; each block begins with the keys.

    A block has at least one column besides the keys, whatever the width.
    """
    others = [i for i in range(len(widths)) if i not in keys]
    found = [list(keys)]
    for column in others:
        needed = sum(widths[i] + _GAP for i in (*found[-1], column)) - _GAP
        if needed > width and len(found[-1]) > len(keys):
            found.append(list(keys))
        found[-1].append(column)
    return found


def _table(
    titles: Sequence[str],
    kinds: Sequence[Kind],
    cells: Sequence[Sequence[str]],
    total: Sequence[str] | None,
    block: Sequence[int],
) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_footer=total is not None
    )
    for i in block:
        is_text = kinds[i] in _LEFT
        table.add_column(
            Text(titles[i]),
            Text(total[i]) if total is not None else "",
            justify="left" if is_text else "right",
            vertical="top",
            no_wrap=not is_text,
            overflow="fold",
        )
    for line in cells:
        table.add_row(*(Text(line[i]) for i in block))
    return table


def _side_table(side: SideTable) -> Table:
    cells = [
        [table_text(value, kind) for value, kind in zip(row, side.kinds, strict=True)] for row in side.rows
    ]
    return _table(side.titles, side.kinds, cells, None, range(len(side.titles)))
