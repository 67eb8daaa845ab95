"""Alerts about agents. Each comes once for every queue of the agent, so that it finds the queue's team."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asterpanel_dashboards.rules import recorded, texts
from asterpanel_dashboards.rules.model import Alert, Component, Severity
from asterpanel_dashboards.rules.words import duration
from asterpanel_exporter import catalogue
from asterpanel_switchboard.config.targets import Levels

MAX_NO_ANSWERS: Final = 3
"""Phones that an agent who is at his desk leaves ringing in a quarter of an hour: once is an accident."""

_OF_EACH_QUEUE: Final = (
    "group by (switchboard, queue, agent) ({})\n* on (switchboard, agent) group_left ({})\n({})"
)


def alerts(pause: Levels) -> Iterator[Alert]:
    """All of them; ``pause``: seconds."""
    for severity in Severity:
        yield _paused_too_long(severity, getattr(pause, severity))
    yield _NOT_ANSWERING


def _paused_too_long(severity: Severity, limit_s: float) -> Alert:
    paused = f"{recorded.PAUSE.name} >= {limit_s:.12g}"
    return Alert(
        name="AgentPausedTooLong",
        severity=severity,
        component=Component.AGENT,
        expression=_OF_EACH_QUEUE.format(catalogue.MEMBER_PAUSED.name, "name, reason", paused),
        pending="0s",  # the figure is a duration by itself
        summary=f"{texts.AGENT} on {texts.SWITCHBOARD} has been paused for {texts.DURATION}{texts.REASON}",
        description=f"{texts.AGENT} has been paused in every queue, {{{{ $labels.queue }}}} among them, for "
        f"{texts.DURATION}{texts.REASON}. The limit is {duration(limit_s)}.",
        dashboard=texts.AGENTS,
    )


_NOT_ANSWERING: Final = Alert(
    name="AgentNotAnswering",
    severity=Severity.WARNING,
    component=Component.AGENT,
    expression=_OF_EACH_QUEUE.format(
        f"{catalogue.MEMBER_PAUSED.name} == 0",
        "name",
        f"{recorded.AGENT_NO_ANSWERS.name} >= {MAX_NO_ANSWERS}",
    ),
    pending="0s",
    summary=f"{texts.AGENT} on {texts.SWITCHBOARD} left {texts.COUNT} calls ringing in a quarter of an hour",
    description=f"{texts.AGENT}, of queue {{{{ $labels.queue }}}} and perhaps others, let the phone ring "
    f"{texts.COUNT} times in the last quarter of an hour until the queue gave up; the limit is "
    f"{MAX_NO_ANSWERS}. Who has left the desk should be paused, so that no caller waits for that phone.",
    dashboard=texts.AGENTS,
)
