"""What a rule is, before it is written for Prometheus or for Grafana."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

_STRING_OR_RECORD: Final = re.compile(r'"(?:[^"\\]|\\.)*"|(\b[a-z_]+:[a-z_]+:[a-z0-9_]+\b)')
"""A queue's name, in a string, may look like a record's."""


class Severity(StrEnum):
    """How urgent an alert is: warning, somebody should look within the hour; critical, now."""

    WARNING = "warning"
    CRITICAL = "critical"


class Component(StrEnum):
    """What an alert is about. It decides who is told: a team, whoever runs the switchboards, or both.

    QUEUE has the labels switchboard and queue; AGENT these and agent, once for each of the agent's queues;
    SWITCHBOARD has switchboard; ASTERPANEL is the exporter and the control API.
    """

    QUEUE = "queue"
    AGENT = "agent"
    SWITCHBOARD = "switchboard"
    ASTERPANEL = "asterpanel"


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule: an expression that several others, or dashboards, want.

    Attributes:
        name: level:metric:operations.
        expression: PromQL, which may use other records.
    """

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of one severity.

    Attributes:
        name: the same for both severities, if there are two.
        expression: PromQL, which may use records. It gives nothing while all is well.
        pending: how long it has to hold before the alert fires (``for``).
        summary: one line, a template of Prometheus: ``$labels`` and ``$value``.
        description: what it means, of which figures it is made, what to look at; the same.
        dashboard: path and query of the dashboard that shows it; the same.
    """

    name: str
    severity: Severity
    component: Component
    expression: str
    pending: str
    summary: str
    description: str
    dashboard: str

    @property
    def anchor(self) -> str:
        """Of its section in the runbook, as Markdown makes it of the heading."""
        return self.name.lower()


Rule: TypeAlias = Record | Alert


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other, at the same interval.

    Attributes:
        name: for people.
        interval: a multiple of 10s, as Grafana wants it.
        rules: records before what uses them.
    """

    name: str
    interval: str
    rules: tuple[Rule, ...] = field(default=())

    @property
    def records(self) -> Iterator[Record]:
        """Its recording rules."""
        return (rule for rule in self.rules if isinstance(rule, Record))

    @property
    def alerts(self) -> Iterator[Alert]:
        """Its alerts."""
        return (rule for rule in self.rules if isinstance(rule, Alert))


def expanded(expression: str, records: Mapping[str, str]) -> str:
    """The same expression where nothing is recorded: each record's name is what it stands for.

    Args:
        expression: which may name records.
        records: expressions by name.

    Raises:
        KeyError: it names a record that there is not.
    """

    def text(found: re.Match[str]) -> str:
        return f"(\n{_indented(expanded(records[found[1]], records))}\n)" if found[1] else found[0]

    return _STRING_OR_RECORD.sub(text, expression)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
