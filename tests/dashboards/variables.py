"""How Grafana 10.1 puts a dashboard's variables into a query, told from its source.

``public/app/features/templating/template_srv.ts`` replaces the variables, formatRegistry of
``@grafana/scenes`` has the formats. The data sources (``public/app/plugins/datasource/…``) bring the format
of a variable without one. What stays then is replaced by ``pkg/tsdb/prometheus/models/query.go``; InfluxQL
goes from the browser to the database as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias
from urllib.parse import quote

Value: TypeAlias = str | Sequence[str]

_EXPRESSION: Final = re.compile(
    r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}", re.ASCII
)
ALL: Final = "$__all"


@dataclass(frozen=True)
class Variable:
    """A variable as it stands on a dashboard.

    Attributes:
        name: in queries.
        value: what is chosen: a text, or several if it is ``multi``; `ALL`.
        options: all there are, for `ALL` where no value stands for all.
        all_value: that value.
        multi, include_all: whether several can be chosen, or all.
    """

    name: str
    value: Value
    options: tuple[str, ...] = ()
    all_value: str = ""
    multi: bool = False
    include_all: bool = False

    @property
    def is_all(self) -> bool:
        return self.value == ALL or (not isinstance(self.value, str) and tuple(self.value[:1]) == (ALL,))

    @property
    def values(self) -> Value:
        """What is chosen, of all options where that is all."""
        return list(self.options) if self.is_all else self.value

    @property
    def can_be_several(self) -> bool:
        return self.multi or self.include_all


Formatter: TypeAlias = Callable[[Value, Variable], str]


@dataclass(frozen=True)
class Variables:
    """Those of a dashboard at one moment, by name, and the others that a query may name (``__from`` …)."""

    chosen: Mapping[str, Variable]
    others: Mapping[str, str] = field(default_factory=dict)

    def replace(self, text: str, default: Formatter | None = None) -> str:
        """The text with what it names; what is not known stays. ``default``: for variables without a format.

        Raises:
            KeyError: there is no such format.
        """

        def value(match: re.Match[str]) -> str:
            name = match[1] or match[2] or match[4]
            return self._value(match[0], name, match[3] or match[6] or "", default or _glob)

        return _EXPRESSION.sub(value, text)

    def _value(self, match: str, name: str, format_name: str, default: Formatter) -> str:
        if format_name and format_name not in FORMATS:
            raise KeyError(f"Grafana knows no format {format_name!r}: {match}")
        if name in self.others:
            return _formatter(format_name, default)(self.others[name], Variable(name, ""))
        variable = self.chosen.get(name)
        if variable is None:
            return match
        if format_name == "queryparam":
            return _queryparam("All" if variable.is_all else variable.value, variable)
        if variable.is_all and variable.all_value and format_name not in ("text", "percentencode"):
            return self.replace(variable.all_value)
        return _formatter(format_name, default)(variable.values, variable)


# --- formats ----------------------------------------------------------------------------------------------


def _formatter(name: str, default: Formatter) -> Formatter:
    return FORMATS[name] if name else default


def _listed(value: Value) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _glob(value: Value, _: Variable) -> str:
    if isinstance(value, str) or len(value) <= 1:
        return ",".join(_listed(value))
    return "{" + ",".join(value) + "}"


def _regex(value: Value, _: Variable) -> str:
    escaped = [escaped_regex(one) for one in _listed(value)]
    return escaped[0] if len(escaped) == 1 else "(" + "|".join(escaped) + ")"


def _queryparam(value: Value, variable: Variable) -> str:
    return "&".join(f"var-{variable.name}={encoded(one)}" for one in _listed(value))


def _percentencode(value: Value, _: Variable) -> str:
    return encoded(value if isinstance(value, str) else "{" + ",".join(value) + "}")


def _quoted(mark: str, escape: str) -> Formatter:
    return lambda value, _: ",".join(f"{mark}{one.replace(mark, escape)}{mark}" for one in _listed(value))


def _json(value: Value, _: Variable) -> str:
    return value if isinstance(value, str) else json.dumps(list(value), separators=(",", ":"))


def encoded(text: str) -> str:
    """As JavaScript's encodeURIComponent, and ``!'()*`` too."""
    return quote(text, safe="-_.~")


FORMATS: Final[Mapping[str, Formatter]] = {
    "glob": _glob,
    "regex": _regex,
    "raw": lambda value, _: ",".join(_listed(value)),
    "csv": lambda value, _: ",".join(_listed(value)),
    "pipe": lambda value, _: "|".join(_listed(value)),
    "percentencode": _percentencode,
    "queryparam": _queryparam,
    "singlequote": _quoted("'", "\\'"),
    "doublequote": _quoted('"', '\\"'),
    "sqlstring": _quoted("'", "''"),
    "json": _json,
    "text": lambda value, _: " + ".join(_listed(value)),
    "date": lambda value, _: _iso(value),
    "date:iso": lambda value, _: _iso(value),
    "date:seconds": lambda value, _: str(round(int(str(value)) / 1000)),
    "date:ms": lambda value, _: str(value),
}


def _iso(value: Value) -> str:
    at = datetime.fromtimestamp(int(str(value)) / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def escaped_regex(text: str) -> str:
    """``escapeRegex`` of ``packages/grafana-data/src/text/string.ts``."""
    return re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", text)


# --- Prometheus -------------------------------------------------------------------------------------------


def prometheus_format(value: Value, variable: Variable) -> str:
    """``interpolateQueryExpr``: for a regular expression in a PromQL string, where a backslash is two."""
    if not variable.can_be_several:
        return str(value).replace("\\", "\\\\").replace("'", "\\\\'")
    if isinstance(value, str):
        return _escaped_twice(value)
    escaped = [_escaped_twice(one) for one in value]
    return escaped[0] if len(escaped) == 1 else "(" + "|".join(escaped) + ")"


def _escaped_twice(text: str) -> str:
    return re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", text.replace("\\", "\\\\\\\\"))


def promql(text: str, variables: Variables, *, range_s: int, step_s: int, scrape_s: int) -> str:
    """A query as Prometheus gets it.

    Args:
        text: of the dashboard.
        variables: its variables.
        range_s: the length of its time range.
        step_s: between two values of a panel.
        scrape_s: the data source's "scrape interval".
    """
    rate_s = max(step_s + scrape_s, 4 * scrape_s)
    macros = (
        ("__interval_ms", str(step_s * 1000)),
        ("__interval", f"{step_s}s"),
        ("__range_ms", str(range_s * 1000)),
        ("__range_s", str(range_s)),
        ("__range", f"{range_s}s"),
        ("__rate_interval", f"{rate_s}s"),
    )
    replaced = variables.replace(text, prometheus_format)
    for name, value in macros:
        replaced = replaced.replace(f"${name}", value).replace(f"${{{name}}}", value)
    return replaced


# --- InfluxQL ---------------------------------------------------------------------------------------------


def influx_format(value: Value, variable: Variable) -> str:
    """``interpolateQueryStr``: for a regular expression between slashes."""
    if not variable.can_be_several:
        return str(value) if isinstance(value, str) else ",".join(value)
    if isinstance(value, str):
        return escaped_regex(value)
    return "(" + "|".join(map(escaped_regex, value)) + ")"


def influxql(text: str, variables: Variables, time_filter: str, *, step_s: int) -> str:
    """A panel's query as InfluxDB gets it. Grafana replaces twice: the time filter comes last."""
    interval = {"__interval": f"{step_s}s", "interval": f"{step_s}s", "__interval_ms": str(step_s * 1000)}
    first = Variables(variables.chosen, {**variables.others, **interval})
    second = Variables(first.chosen, {**first.others, "timeFilter": time_filter})
    return second.replace(first.replace(text, influx_format))


def influxql_choices(text: str, variables: Variables, time_filter: str) -> str:
    """A variable's query as InfluxDB gets it."""
    return variables.replace(text, influx_format).replace("$timeFilter", time_filter, 1)


def influx_time_filter(since_ms: int, until_ms: int) -> str:
    """``$timeFilter`` of an absolute time range."""
    return f"time >= {since_ms}ms and time <= {until_ms}ms"
