"""Recording rules: what alerts and dashboards share, once for each queue, agent or switchboard.

Two exporters that watch the same switchboard count once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from asterpanel_dashboards.queries import service_level
from asterpanel_dashboards.queries.promql import once
from asterpanel_dashboards.rules import limits
from asterpanel_dashboards.rules.model import Record, Severity
from asterpanel_exporter import catalogue
from asterpanel_exporter.catalogue import AGENT_STATE_CODES
from asterpanel_exporter.history.records import AttemptResult, Outcome
from asterpanel_exporter.state import AgentState
from asterpanel_switchboard.config.targets import TargetsRule
from asterpanel_switchboard.service_level import Formula

WINDOWS: Final = ("5m", "30m", "1h")
"""Over which the service level is recorded."""

WINDOW: Final = "30m"
"""Over which alerts look at shares: as long as the half hours of reports and staffing."""

AGENT_WINDOW: Final = "15m"
"""Over which an agent's unanswered ringings are counted."""

_QUEUE: Final = ("switchboard", "queue")
_AGENT: Final = ("switchboard", "agent")
_OFF_DUTY: Final = f"{AgentState.PAUSED}|{AgentState.UNAVAILABLE}"

CALLERS_WAITING: Final = Record(
    "switchboard_queue:asterisk_queue_callers_waiting:max",
    once(catalogue.CALLERS_WAITING.name, *_QUEUE),
)
LONGEST_WAIT: Final = Record(
    "switchboard_queue:asterisk_queue_longest_wait_seconds:max",
    once(catalogue.LONGEST_WAIT.name, *_QUEUE),
)
CALLS_IN_PROGRESS: Final = Record(
    "switchboard_queue:asterisk_queue_calls_in_progress:max",
    once(catalogue.CALLS_IN_PROGRESS.name, *_QUEUE),
)
AGENTS_AVAILABLE: Final = Record(
    "switchboard_queue:asterisk_queue_agents_available:max",
    once(f'{catalogue.MEMBERS.name}{{state="{AgentState.IDLE}"}}', *_QUEUE),
)
AGENTS_ON_DUTY: Final = Record(
    "switchboard_queue:asterisk_queue_agents_on_duty:max",
    once(f'sum without (state) ({catalogue.MEMBERS.name}{{state!~"{_OFF_DUTY}"}})', *_QUEUE),
)
CALLS: Final = Record(
    f"switchboard_queue:asterisk_queue_calls:increase{WINDOW}",
    once(f"sum without (outcome) (increase({catalogue.CALLS.name}[{WINDOW}]))", *_QUEUE),
)
ABANDONED: Final = Record(
    f"switchboard_queue:asterisk_queue_calls_abandoned:increase{WINDOW}",
    once(f'increase({catalogue.CALLS.name}{{outcome="{Outcome.ABANDONED}"}}[{WINDOW}])', *_QUEUE),
)
ABANDON_RATE: Final = Record(
    f"switchboard_queue:asterisk_queue_calls_abandoned_per_calls:ratio_increase{WINDOW}",
    f"{ABANDONED.name}\n/ ({CALLS.name} > 0)",
)
_NO_ANSWER: Final = f'{catalogue.RING_ATTEMPTS.name}{{result="{AttemptResult.NO_ANSWER}"}}'
RINGS: Final = Record(
    f"switchboard_queue:asterisk_queue_ring_attempts:increase{WINDOW}",
    once(f"sum without (agent, result) (increase({catalogue.RING_ATTEMPTS.name}[{WINDOW}]))", *_QUEUE),
)
NO_ANSWERS: Final = Record(
    f"switchboard_queue:asterisk_queue_ring_no_answers:increase{WINDOW}",
    once(f"sum without (agent, result) (increase({_NO_ANSWER}[{WINDOW}]))", *_QUEUE),
)
NO_ANSWER_RATE: Final = Record(
    f"switchboard_queue:asterisk_queue_ring_no_answers_per_ring_attempts:ratio_increase{WINDOW}",
    f"{NO_ANSWERS.name}\n/ ({RINGS.name} > 0)",
)


def _with_label(expression: str, info: catalogue.Metric, label: str) -> str:
    """The same with a label of an ``_info`` metric, whose value is 1."""
    infos = once(info.name, *_AGENT, label)
    return f"{expression}\n* on (switchboard, agent) group_left ({label}) {infos}"


_PAUSED_FOR_S: Final = f"""\
(
  time() - {once(catalogue.AGENT_STATE_SINCE.name, *_AGENT)}
  and on (switchboard, agent)
  {once(catalogue.AGENT_STATE.name, *_AGENT)} == {AGENT_STATE_CODES[AgentState.PAUSED]}
)"""

PAUSE: Final = Record(
    "switchboard_agent:asterisk_agent_pause_seconds:max",
    _with_label(
        _with_label(_PAUSED_FOR_S, catalogue.AGENT_INFO, "name"), catalogue.AGENT_PAUSE_INFO, "reason"
    ),
)
"""With the labels name and reason."""

AGENT_NO_ANSWERS: Final = Record(
    f"switchboard_agent:asterisk_queue_ring_no_answers:increase{AGENT_WINDOW}",
    _with_label(
        once(f"sum without (queue, result) (increase({_NO_ANSWER}[{AGENT_WINDOW}]))", *_AGENT),
        catalogue.AGENT_INFO,
        "name",
    ),
)
"""In all queues of the agent together; with the label name."""

DATA_AGE: Final = Record(
    "switchboard:asterpanel_data_age_seconds:min",
    f"time() - {once(catalogue.LAST_SEEN.name, 'switchboard')}",
)


def service_levels(formula: Formula) -> Iterator[Record]:
    """The share of each queue in each window, by the configured formula."""
    for window in WINDOWS:
        share, _ = service_level.promql_of_all(formula, window)
        yield Record(service_level_name(window), _broken(share))


def service_level_name(window: str) -> str:
    """Of the record."""
    return f"switchboard_queue:asterisk_queue_service_level:ratio_increase{window}"


def service_level_calls(formula: Formula) -> Record:
    """Calls that count for the service level."""
    _, counted = service_level.promql_of_all(formula, WINDOW)
    return Record(f"switchboard_queue:asterisk_queue_service_level_calls:increase{WINDOW}", _broken(counted))


def queue_limits(targets: Sequence[TargetsRule]) -> Iterator[Record]:
    """What every queue's figures are compared with."""
    for figure in limits.FIGURES:
        for severity in Severity:
            yield Record(figure.limit(severity), limits.promql(figure, severity, targets))


def _broken(expression: str) -> str:
    """One line a sum."""
    return expression.replace(" / (", "\n/ (").replace(") + sum", ")\n+ sum").replace(") - sum", ")\n- sum")
