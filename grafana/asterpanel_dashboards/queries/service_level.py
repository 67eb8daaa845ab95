"""The service level by the chosen formula, in PromQL and in InfluxQL, from the formula's one definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from asterpanel_dashboards.queries.promql import once
from asterpanel_dashboards.queries.variables import QUEUE, SWITCHBOARD, selector
from asterpanel_exporter import catalogue
from asterpanel_switchboard.service_level import Formula, ServiceLevelSums


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a query, where a formula has a number."""

    text: str

    def __add__(self, other: Term) -> Term:
        return Term(f"({self.text} + {other.text})")

    def __sub__(self, other: Term) -> Term:
        return Term(f"({self.text} - {other.text})")


@dataclass(frozen=True, slots=True)
class _Terms:
    """What `ServiceLevelSums` has, as parts of a query."""

    answered: Term
    answered_within: Term
    abandoned: Term
    abandoned_within: Term
    short_abandoned: Term
    flowed_out: Term

    @property
    def abandoned_late(self) -> Term:
        return self.abandoned - self.abandoned_within

    @property
    def offered(self) -> Term:
        return self.answered + self.abandoned + self.flowed_out


def promql(formula: Formula, window: str, *by: str, of_queues: bool = True) -> str:
    """The share of 0 to 1, or nothing where no call counts; of queues that have a threshold.

    Args:
        formula: which of the seven.
        window: a range, as ``$__range`` or ``30m``.
        by: labels to tell apart.
        of_queues: whether only the chosen queues count.
    """
    variables = (SWITCHBOARD, QUEUE) if of_queues else (SWITCHBOARD,)
    good, counted = _of(formula, _increases(window, by, variables))
    return f"{good.text} / ({counted.text} > 0)"


def promql_of_all(formula: Formula, window: str) -> tuple[str, str]:
    """The share of each queue, and how many of its calls count: for rules, which have no variables."""
    good, counted = _of(formula, _increases(window, (SWITCHBOARD, QUEUE), ()))
    return f"{good.text} / ({counted.text} > 0)", counted.text


def _increases(window: str, by: tuple[str, ...], variables: tuple[str, ...]) -> _Terms:
    """Calls that ended in a window."""
    thresholds = f"{catalogue.THRESHOLD.name}{selector(*variables)}"
    has_threshold = f"max_over_time({thresholds}[{window}]) > 0"

    def increase(metric: catalogue.Metric, **labels: str) -> Term:
        calls = f"increase({metric.name}{selector(*variables, **labels)}[{window}])"
        each = once(f"{calls} and on (switchboard, queue) ({has_threshold})", SWITCHBOARD, QUEUE, *labels)
        return Term(f"sum{_by(by)}({each})")

    within = catalogue.WITHIN_SERVICE_LEVEL
    return _Terms(
        answered=increase(catalogue.CALLS, outcome="answered"),
        answered_within=increase(within, outcome="answered"),
        abandoned=increase(catalogue.CALLS, outcome="abandoned"),
        abandoned_within=increase(within, outcome="abandoned"),
        short_abandoned=increase(catalogue.SHORT_ABANDONS),
        flowed_out=increase(catalogue.CALLS, outcome=_FLOW_OUTS),
    )


def influxql(formula: Formula) -> str:
    """The share of 0 to 1 of ``queue_interval`` points, as an expression of sums."""
    good, counted = _of(formula, _interval_terms('sum("{}")'))
    return f"{good.text} / {counted.text}"


def influxql_counted(formula: Formula) -> str:
    """The condition for ``queue_interval`` points of which calls count."""
    _, counted = _of(formula, _interval_terms('"{}"'))
    return f"{counted.text} > 0"


def _interval_terms(form: str) -> _Terms:
    """The fields of ``queue_interval``, each in that form."""
    fields = {
        "answered": "sl_answered",
        "answered_within": "within_sl",
        "abandoned": "sl_abandoned",
        "abandoned_within": "abandoned_within_sl",
        "short_abandoned": "sl_short_abandon",
    }
    known = {name: Term(form.format(field)) for name, field in fields.items()}
    flowed_out = Term(form.format("sl_offered")) - known["answered"] - known["abandoned"]
    return _Terms(**known, flowed_out=flowed_out)


_FLOW_OUTS = "|".join(
    outcome for outcome in catalogue.CALLS.values["outcome"] if outcome not in ("answered", "abandoned")
)


def _of(formula: Formula, terms: _Terms) -> tuple[Term, Term]:
    """The formula itself, with terms instead of numbers: it only adds and subtracts."""
    sums = cast("ServiceLevelSums", terms)
    good: Any = formula.good(sums)
    counted: Any = formula.counted(sums)
    return good, counted


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""
