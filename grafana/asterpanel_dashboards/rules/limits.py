"""Each queue's limits, from the configuration's globs to PromQL.

The entries of the section `targets` become one series a queue, figure and severity: the queue's limit, with
the label ``limit``, which has it in words. One alert then compares every queue with its own limit, and a
queue that appears later has its limits at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from asterpanel_dashboards.rules import globs
from asterpanel_dashboards.rules.words import count, duration, share
from asterpanel_exporter import catalogue
from asterpanel_switchboard.config.targets import Levels, QueueTargets, TargetsRule

LIMIT: Final = "limit"
"""Label: the limit in words, for the text of an alert."""

_EVERY_QUEUE: Final = f"group by (switchboard, queue) ({catalogue.OFFERED.name}%s)"


@dataclass(frozen=True, slots=True)
class Figure:
    """Something of a queue that has targets.

    Attributes:
        name: the attribute of `QueueTargets`, and the key in the configuration.
        record: the middle of its recorded limits' names.
        words: a value of it, for people.
    """

    name: str
    record: str
    words: Callable[[float], str]

    def limit(self, severity: str) -> str:
        """Name of the recorded limit of every queue."""
        return f"switchboard_queue:{self.record}:{severity}"


SERVICE_LEVEL: Final = Figure("service_level", "asterpanel_service_level_limit", share)
WAITING: Final = Figure("waiting", "asterpanel_callers_waiting_limit", count)
LONGEST_WAIT: Final = Figure("longest_wait", "asterpanel_longest_wait_limit_seconds", duration)
ABANDON_RATE: Final = Figure("abandon_rate", "asterpanel_abandon_rate_limit", share)
RING_NO_ANSWER_RATE: Final = Figure("ring_no_answer_rate", "asterpanel_ring_no_answer_rate_limit", share)

FIGURES: Final = (LONGEST_WAIT, WAITING, SERVICE_LEVEL, ABANDON_RATE, RING_NO_ANSWER_RATE)


def promql(figure: Figure, severity: str, rules: Sequence[TargetsRule]) -> str:
    """The limit of every queue: the last entry that mentions the figure and matches, else the default."""
    return "\nor on (switchboard, queue)\n".join(_terms(figure, severity, rules))


def _terms(figure: Figure, severity: str, rules: Sequence[TargetsRule]) -> Iterator[str]:
    """The last entry first: PromQL's ``or`` keeps the first that matches."""
    for rule in reversed(rules):
        if figure.name in rule.model_fields_set:
            matchers = _matchers(rule)
            yield _term(figure, severity, rule.applied_to(QueueTargets()), matchers)
            if not matchers:
                return
    yield _term(figure, severity, QueueTargets(), "")


def _term(figure: Figure, severity: str, targets: QueueTargets, matchers: str) -> str:
    levels: Levels = getattr(targets, figure.name)
    value: float = getattr(levels, severity)
    queues = _EVERY_QUEUE % matchers
    return f'label_replace({value:.12g} * {queues}, "{LIMIT}", "{figure.words(value)}", "", "")'


def _matchers(rule: TargetsRule) -> str:
    """The selector of an entry; empty for every queue of every switchboard."""
    given = {"switchboard": rule.switchboards, "queue": rule.queues}
    matchers = [
        f"{label}=~{quoted(globs.regex(names))}" for label, names in given.items() if "*" not in names
    ]
    return f"{{{', '.join(matchers)}}}" if matchers else ""


def quoted(text: str) -> str:
    """A string in PromQL and in Alertmanager's matchers, whose escapes are Go's."""
    return json.dumps(text, ensure_ascii=False)
