"""Values as tables, CSV and JSON show them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from asterpanel_exporter.report.columns import Kind, Value

UNKNOWN = "–"
"""In tables, where there is nothing to tell. (In CSV an empty value, in JSON null.)"""


def duration_text(seconds: float) -> str:
    """``0:05``, ``12:34``, ``1:02:03``."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def table_text(value: Value, kind: Kind, *, with_date: bool = True) -> str:
    """For people. ``with_date``: False where all times are of one day."""
    match value:
        case None | "":
            return UNKNOWN
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S" if with_date else "%H:%M:%S")
        case int() | float() if kind is Kind.SECONDS:
            return duration_text(value)
        case int() | float() if kind is Kind.SHARE:
            return f"{value:.1%}"
        case _:
            return str(value)


def json_value(value: Value) -> Any:
    """Numbers as they are, to the microsecond; times in ISO 8601 with their offset."""
    match value:
        case datetime():
            return value.isoformat(timespec="microseconds")
        case float():
            return round(value, 6)
        case list():
            return [{key: json_value(item) for key, item in entry.items()} for entry in value]
        case _:
            return value


def csv_value(value: Value) -> str | int | float:
    """As in JSON; a list as JSON text.

    Who calls chooses his own name: one that a spreadsheet would take for a formula gets an apostrophe
    (OWASP, CSV Injection). A number with its + is none.
    """
    plain = json_value(value)
    if plain is None:
        return ""
    if isinstance(plain, list):
        return json.dumps(plain, ensure_ascii=False)
    return f"'{plain}" if isinstance(plain, str) and _FORMULA.match(plain) else plain


_FORMULA = re.compile(r"[=@\t\r]|[+-](?!\d+$)")
