"""Alerts about queues: what callers suffer now, and over the last half hour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asterpanel_dashboards.rules import limits, recorded, texts
from asterpanel_dashboards.rules.limits import Figure
from asterpanel_dashboards.rules.model import Alert, Component, Record, Severity
from asterpanel_switchboard.service_level import Formula

MIN_CALLS: Final = 10
"""Fewer calls, or ringings, say nothing about a share: of ten, one is 10 points, as much as there is between
the default target of the service level and where it is critical."""

MIN_BAD: Final = 3
"""Fewer abandoned calls, or unanswered ringings, are an accident. Of `MIN_CALLS` calls that are within a
service level of less than 80%, as many are not."""

_SAME_QUEUE: Final = "on (switchboard, queue)"


def live() -> Iterator[Alert]:
    """About what is now."""
    yield from map(_waits_too_long, Severity)
    yield from map(_too_many_wait, Severity)
    yield _NOBODY_ON_DUTY


def of_the_last_half_hour(formula: Formula) -> Iterator[Alert]:
    """About shares of calls."""
    yield from (_service_level(severity, formula) for severity in Severity)
    yield from map(_abandon_rate, Severity)
    yield from map(_ring_no_answers, Severity)


def _beyond(record: str, figure: Figure, severity: Severity, comparison: str = ">=") -> str:
    """Where a queue's figure is beyond its own limit, with the limit in words."""
    return f"{record}\n{comparison} {_SAME_QUEUE} group_left ({limits.LIMIT})\n{figure.limit(severity)}"


def _enough(expression: str, record: Record, least: int) -> str:
    return f"{expression}\nand {_SAME_QUEUE}\n{record.name} >= {least}"


def _waits_too_long(severity: Severity) -> Alert:
    return Alert(
        name="QueueCallerWaitsTooLong",
        severity=severity,
        component=Component.QUEUE,
        expression=_beyond(recorded.LONGEST_WAIT.name, limits.LONGEST_WAIT, severity),
        pending="0s",  # the figure is a duration by itself
        summary=f"Queue {texts.QUEUE}: a caller has been waiting for {texts.DURATION}",
        description=f"The caller who waits longest in queue {texts.QUEUE} has been waiting for "
        f"{texts.DURATION}; the limit is {texts.LIMIT}. Look at who is available, and at what the others do.",
        dashboard=texts.LIVE,
    )


def _too_many_wait(severity: Severity) -> Alert:
    return Alert(
        name="QueueTooManyWaiting",
        severity=severity,
        component=Component.QUEUE,
        expression=_beyond(recorded.CALLERS_WAITING.name, limits.WAITING, severity),
        pending="1m",
        summary=f"Queue {texts.QUEUE}: {texts.COUNT} callers are waiting",
        description=f"For a minute {texts.LIMIT} callers or more have been waiting in queue {texts.QUEUE}, "
        f"now {texts.COUNT}. More arrive than the agents take: bring in agents of other queues, or end "
        "pauses.",
        dashboard=texts.LIVE,
    )


_NOBODY_ON_DUTY: Final = Alert(
    name="QueueNobodyAvailable",
    severity=Severity.CRITICAL,
    component=Component.QUEUE,
    expression=f"{recorded.CALLERS_WAITING.name} > 0\nand {_SAME_QUEUE}\n{recorded.AGENTS_ON_DUTY.name} == 0",
    pending="30s",
    summary=f"Queue {texts.QUEUE}: {texts.COUNT} waiting, and nobody to take the calls",
    description=f"In queue {texts.QUEUE} {texts.COUNT} callers wait, and every agent is paused or has no "
    "phone that answers, or there is none. Nobody takes these calls until somebody ends a pause or logs in.",
    dashboard=texts.LIVE,
)


def _service_level(severity: Severity, formula: Formula) -> Alert:
    beyond = _beyond(
        recorded.service_level_name(recorded.WINDOW), limits.SERVICE_LEVEL, severity, comparison="<"
    )
    return Alert(
        name="QueueServiceLevelLow",
        severity=severity,
        component=Component.QUEUE,
        expression=_enough(beyond, recorded.service_level_calls(formula), MIN_CALLS),
        pending="5m",
        summary=f"Queue {texts.QUEUE}: service level {texts.SHARE} in the last half hour",
        description=f"In the last half hour the service level of queue {texts.QUEUE} was {texts.SHARE}; it "
        f"should be at least {texts.LIMIT}. Formula {formula.number} ({formula.symbols}): {formula.words}, T "
        f"being the queue's threshold; told of at least {MIN_CALLS} such calls. The dashboard shows why.",
        dashboard=texts.QUEUES,
    )


def _abandon_rate(severity: Severity) -> Alert:
    beyond = _beyond(recorded.ABANDON_RATE.name, limits.ABANDON_RATE, severity)
    return Alert(
        name="QueueAbandonRateHigh",
        severity=severity,
        component=Component.QUEUE,
        expression=_enough(_enough(beyond, recorded.CALLS, MIN_CALLS), recorded.ABANDONED, MIN_BAD),
        pending="5m",
        summary=f"Queue {texts.QUEUE}: {texts.SHARE} of the callers gave up in the last half hour",
        description=f"Of the calls of queue {texts.QUEUE} that ended in the last half hour, {texts.SHARE} "
        f"were abandoned while waiting, short abandons among them; the limit is {texts.LIMIT}. Told of at "
        f"least {MIN_CALLS} calls, {MIN_BAD} of them abandoned.",
        dashboard=texts.QUEUES,
    )


def _ring_no_answers(severity: Severity) -> Alert:
    beyond = _beyond(recorded.NO_ANSWER_RATE.name, limits.RING_NO_ANSWER_RATE, severity)
    return Alert(
        name="QueueRingNoAnswerHigh",
        severity=severity,
        component=Component.QUEUE,
        expression=_enough(_enough(beyond, recorded.RINGS, MIN_CALLS), recorded.NO_ANSWERS, MIN_BAD),
        pending="5m",
        summary=f"Queue {texts.QUEUE}: {texts.SHARE} of the ringings unanswered in the last half hour",
        description=f"Of the times that an agent's phone rang for queue {texts.QUEUE} in the last half hour, "
        f"{texts.SHARE} went unanswered until the queue gave up; the limit is {texts.LIMIT}. Callers wait "
        f"longer for each. Told of at least {MIN_CALLS} ringings, {MIN_BAD} of them unanswered.",
        dashboard=texts.QUEUES,
    )
