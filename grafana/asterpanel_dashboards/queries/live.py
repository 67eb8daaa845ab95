"""What is now: PromQL over the exporter's metrics, for the chosen switchboards and queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from asterpanel_dashboards.queries.promql import once
from asterpanel_dashboards.queries.variables import QUEUE, SWITCHBOARD, selector
from asterpanel_exporter import catalogue
from asterpanel_exporter.catalogue import AGENT_STATE_CODES, Metric
from asterpanel_exporter.state import AgentState

_QUEUE: Final = (SWITCHBOARD, QUEUE)


def _of_queues(metric: Metric, *labels: str, **fixed: str) -> str:
    return once(f"{metric.name}{selector(*_QUEUE, **fixed)}", *_QUEUE, *labels)


def _on_duty(expression: str) -> str:
    """Only agents who are members of the chosen queues now."""
    members = once(f"{catalogue.MEMBER_PAUSED.name}{selector(*_QUEUE)}", SWITCHBOARD, "agent")
    return f"({expression}) and on (switchboard, agent) ({members} >= 0)"


CALLERS_WAITING: Final = f"sum({_of_queues(catalogue.CALLERS_WAITING)})"
LONGEST_WAIT_S: Final = f"max({_of_queues(catalogue.LONGEST_WAIT)})"
CALLS_IN_PROGRESS: Final = f"sum({_of_queues(catalogue.CALLS_IN_PROGRESS)})"

WAITING_BY_QUEUE: Final = _of_queues(catalogue.CALLERS_WAITING)
LONGEST_WAIT_BY_QUEUE: Final = _of_queues(catalogue.LONGEST_WAIT)
IN_PROGRESS_BY_QUEUE: Final = _of_queues(catalogue.CALLS_IN_PROGRESS)
IDLE_BY_QUEUE: Final = _of_queues(catalogue.MEMBERS, state="idle")


def agents_in(state: AgentState) -> str:
    """How many agents have a state, each one counted once whatever queues he serves; nothing where no agent
    is known."""
    agents_of_any = _of_agents(catalogue.AGENT_STATE)
    agents_of_it = f"{agents_of_any} == {AGENT_STATE_CODES[state]}"
    return f"count({_on_duty(agents_of_it)}) or 0 * count({_on_duty(agents_of_any)})"


def agents() -> str:
    """The code of each agent's state, with his ``name`` and, if he is paused, the ``reason``."""
    named = _with_label(_of_agents(catalogue.AGENT_STATE), catalogue.AGENT_INFO, "name")
    reason = _of_agents(catalogue.AGENT_PAUSE_INFO, "reason")
    paused = f"{named} * on (switchboard, agent) group_left (reason) {reason}"
    return _on_duty(f"{paused} or on (switchboard, agent) {named}")


def agent_state_for_s() -> str:
    """How long he has had it, in seconds."""
    return _on_duty(_with_label(_state_for_s(), catalogue.AGENT_INFO, "name"))


def agent_paused_for_s() -> str:
    """The same, only of those whose state is paused."""
    code = AGENT_STATE_CODES[AgentState.PAUSED]
    paused = f"{_state_for_s()} and on (switchboard, agent) ({_of_agents(catalogue.AGENT_STATE)} == {code})"
    return _on_duty(_with_label(paused, catalogue.AGENT_INFO, "name"))


def _state_for_s() -> str:
    return f"time() - {_of_agents(catalogue.AGENT_STATE_SINCE)}"


def _of_agents(metric: Metric, *labels: str) -> str:
    return once(f"{metric.name}{selector(SWITCHBOARD)}", SWITCHBOARD, "agent", *labels)


def _with_label(expression: str, info: Metric, label: str) -> str:
    """The same with a label of an ``_info`` metric, whose value is 1."""
    return f"({expression}) * on (switchboard, agent) group_left ({label}) {_of_agents(info, label)}"


def calls(window: str, outcome: str, *by: str) -> str:
    """Calls that ended in a window with an outcome."""
    return _increase(catalogue.CALLS, window, by, outcome=outcome)


def offered(window: str, *by: str) -> str:
    """Calls offered in a window."""
    return _increase(catalogue.OFFERED, window, by)


def _increase(metric: Metric, window: str, by: Sequence[str], **fixed: str) -> str:
    grouped = f" by ({', '.join(by)})" if by else ""
    return f"sum{grouped} ({once(f'increase({metric.name}{selector(*_QUEUE, **fixed)}[{window}])', *_QUEUE)})"
