"""What each panel of history has to show: by panel, how it tells apart and what its columns are, in truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from asterpanel_exporter.history.records import AgentPause, AttemptResult, Outcome
from tests.dashboards.panels import ZONE, Answer
from tests.dashboards.spans import HALF_HOUR_S, local_day
from tests.dashboards.truth import (
    Choice,
    Truth,
    mean_wait_s,
    weekday_and_hour,
)

Cell = tuple[frozenset[tuple[str, str]], float | None, str]
"""(labels, time where it tells that apart, column)."""

Cells = dict[Cell, float]


@dataclass(frozen=True)
class Column:
    """A column's value of what a cell stands for. A sum of 0 may be absent, a quotient of nothing must be."""

    value: Callable[[Any], float | None]
    is_sum: bool = True


@dataclass(frozen=True)
class Panel:
    """A panel's truth.

    Attributes:
        source: method of `Truth`, that has the half hours.
        key: (labels, time) of a half hour.
        columns: by name.
        before: columns of the period before.
    """

    source: Callable[[Truth, Choice, Callable[[Any], Any]], Mapping[Any, Any]]
    key: Callable[[Any], tuple[frozenset[tuple[str, str]], float | None]]
    columns: Mapping[str, Column]
    before: Mapping[str, Column] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Of the columns."""
        return frozenset({*self.columns, *self.before})

    def cells(self, truth: Truth, choice: Choice, names: Collection[str]) -> Cells:
        """What it has to show in these columns, but for sums that are 0."""
        parts = [(choice, self.columns), (choice.before(), self.before)]
        found: Cells = {}
        for chosen, columns in parts:
            wanted = {name: column for name, column in columns.items() if name in names}
            if wanted:
                found |= _cells(self.source(truth, chosen, self.key), wanted)
        return found

    def shown(self, answers: Iterable[Answer]) -> Cells:
        """The same of its answers."""
        has_time = self.key in _KEYS_WITH_TIME
        columns = {**self.columns, **self.before}
        return {
            (frozenset(part.labels.items()), row[0] if has_time else None, column): value
            for answer in answers
            for part in answer
            for row in part.rows
            for column, value in zip(part.columns[1:], row[1:], strict=True)
            if column in columns and value is not None and not (value == 0 and columns[column].is_sum)
        }


def _cells(works: Mapping[Any, Any], columns: Mapping[str, Column]) -> Cells:
    return {
        (labels, time, name): value
        for (labels, time), work in works.items()
        for name, column in columns.items()
        if (value := column.value(work)) is not None and not (value == 0 and column.is_sum)
    }


# --- how panels tell apart --------------------------------------------------------------------------------


def _labels(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def _together(_: Any) -> tuple[frozenset[tuple[str, str]], None]:
    return _labels(), None


def _by_queue(half: Any) -> tuple[frozenset[tuple[str, str]], None]:
    return _labels(switchboard=half[0], queue=half[1]), None


def _by_agent(half: Any) -> tuple[frozenset[tuple[str, str]], None]:
    return _labels(switchboard=half[0], agent=half[-3], agent_name=half[-2]), None


def _by_half_hour(half: Any) -> tuple[frozenset[tuple[str, str]], float]:
    return _labels(), half[-1]


def _by_day(half: Any) -> tuple[frozenset[tuple[str, str]], float]:
    return _labels(), local_day(ZONE, half[-1])


def _by_agent_and_day(half: Any) -> tuple[frozenset[tuple[str, str]], float]:
    return _by_agent(half)[0], local_day(ZONE, half[-1])


def _by_weekday(half: Any) -> tuple[frozenset[tuple[str, str]], None]:
    return _labels(weekday=weekday_and_hour(half)[0]), None


def _by_hour(half: Any) -> tuple[frozenset[tuple[str, str]], None]:
    return _labels(hour=weekday_and_hour(half)[1]), None


def _by_weekday_and_hour(half: Any) -> tuple[frozenset[tuple[str, str]], None]:
    weekday, hour = weekday_and_hour(half)
    return _labels(weekday=weekday, hour=hour), None


_KEYS_WITH_TIME: Final = {_by_half_hour, _by_day, _by_agent_and_day}

# --- columns ----------------------------------------------------------------------------------------------


def _count(outcome: Outcome) -> Column:
    return Column(lambda work: len(work.ended(outcome)))


def _quotient(value: Callable[[Any], float | None]) -> Column:
    return Column(value, is_sum=False)


_OFFERED: Final = Column(lambda work: work.offered)
_SHORT: Final = Column(lambda work: work.short_abandons)
_LEVEL: Final = _quotient(lambda work: work.service_level)
_ABANDON_RATE: Final = _quotient(lambda work: work.abandon_rate)
_LONGEST: Final = _quotient(lambda work: work.longest_wait_s)
_ASA: Final = _quotient(lambda work: work.asa_s)
_AHT: Final = _quotient(lambda work: work.aht_s)
_TRANSFERRED: Final = Column(lambda work: work.transferred)
_NO_ANSWER: Final = Column(lambda work: work.rung(AttemptResult.NO_ANSWER))
_NO_ANSWER_RATE: Final = _quotient(lambda work: work.no_answer_rate)
_ANSWERED: Final = _count(Outcome.ANSWERED)
_ABANDONED: Final = _count(Outcome.ABANDONED)

_OTHERS: Final = {
    "Timed out": _count(Outcome.TIMEOUT),
    "Left by key": _count(Outcome.EXIT_KEY),
    "Left, no agents": _count(Outcome.LEAVE_EMPTY),
    "Refused, no agents": _count(Outcome.JOIN_EMPTY),
    "Left, none available": _count(Outcome.LEAVE_UNAVAIL),
    "Refused, none available": _count(Outcome.JOIN_UNAVAIL),
    "Refused, full": _count(Outcome.FULL),
    "Withdrawn": _count(Outcome.WITHDRAWN),
    "Went on": _count(Outcome.CONTINUE),
    "Redirected": _count(Outcome.REDIRECTED),
    "Unknown": _count(Outcome.UNKNOWN),
}
_WORDS: Final = {
    "Offered": _OFFERED, "Answered": _ANSWERED, "Abandoned": _ABANDONED, **_OTHERS,
    "Other ends": Column(lambda work: work.offered - len(work.answered) - len(work.abandoned)),
    "Service level": _LEVEL, "Abandon rate": _ABANDON_RATE, "Short abandons": _SHORT,
    "Longest wait": _LONGEST, "ASA": _ASA, "AHT": _AHT, "Transferred": _TRANSFERRED,
    "RNA": _NO_ANSWER, "RNA rate": _NO_ANSWER_RATE,
    "Other rings": Column(lambda work: len(work.rings) - work.rung(AttemptResult.NO_ANSWER)),
    "Lost": Column(lambda work: work.lost), "Planned": Column(lambda work: work.planned),
    "There": Column(lambda work: work.staffed_s / HALF_HOUR_S),
    "Elsewhere": Column(lambda work: work.elsewhere_s / HALF_HOUR_S),
}  # fmt: skip
"""What columns of queues mean, wherever they are."""

_OF_CALLS: Final = {
    "Calls": _ANSWERED,
    "Talk": Column(lambda work: sum(call.talk_s for call in work.calls)),
    "Rings": Column(lambda work: len(work.rings)),
    "Missed": _NO_ANSWER,
    "Refused": Column(lambda work: work.rung(AttemptResult.REJECTED)),
    "Transfers": _TRANSFERRED,
    "AHT": _AHT,
    "Transfer %": _quotient(lambda work: work.transferred / len(work.answered) if work.answered else None),
    "Missed %": _NO_ANSWER_RATE,
}
_OF_TIME: Final = {
    "On duty": Column(lambda time: time.on_duty_s),
    "Occupancy": Column(lambda time: time.occupancy),
    "On pause": Column(lambda time: time.paused_s),
    "Pauses": Column(lambda time: len(time.pauses)),
    "First": Column(lambda time: min(time.moments, default=0.0) * 1000),
    "Last": Column(lambda time: max(time.moments, default=0.0) * 1000),
}
_OF_STATES: Final = {
    "On call": Column(lambda time: time.on_call_s),
    "Ringing": Column(lambda time: time.ringing_s),
    "Wrap-up": Column(lambda time: time.wrapup_s),
    "Idle": Column(lambda time: time.idle_s),
    "On pause": Column(lambda time: time.paused_s),
}
"""Of `AgentTime`."""


def _compared(title: str) -> Panel:
    return Panel(Truth.of_queues, _together, _WORDS, {"Before": _WORDS[title]})


def _queues(key: Any, **others: Column) -> Panel:
    return Panel(Truth.of_queues, key, {**_WORDS, **others})


_COMPARED: Final = (
    "Service level", "Offered", "Answered", "Abandoned", "ASA", "AHT", "Longest wait", "Short abandons",
)  # fmt: skip

QUEUES: Final = {
    **{title: _compared(title) for title in _COMPARED},
    "By queue": _queues(_by_queue),
    "Rings of agents' phones": _queues(_by_half_hour),
    "By day": _queues(_by_day),
    "By weekday": _queues(_by_weekday),
    "By hour": _queues(_by_hour),
    "Offered, by weekday and hour": _queues(_by_weekday_and_hour),
    "Service level, by weekday and hour": _queues(_by_weekday_and_hour),
    "How calls ended": _queues(_by_half_hour),
    "Waits": _queues(
        _by_half_hour, Answered=_ASA, Abandoned=_quotient(lambda work: mean_wait_s(work.abandoned))
    ),
    "Calls offered and planned": _queues(_by_half_hour),
    "Handle time and plan": Panel(
        Truth.of_queues,
        _by_half_hour,
        {
            "Handle time": _quotient(lambda work: work.handle_s),
            "Planned time": _quotient(lambda work: work.planned_time_s),
        },
    ),
    "Agents there and needed": Panel(
        Truth.of_queues,
        _by_half_hour,
        {**_WORDS, "On pause": Column(lambda work: work.paused_s / HALF_HOUR_S)},
    ),
}


def _pauses(truth: Truth, choice: Choice, key: Callable[[AgentPause], Any]) -> Mapping[Any, list[AgentPause]]:
    found = defaultdict(list)
    for one in truth.month.pauses:
        if choice.at(one.started_at) and choice.has(one.switchboard, agent=one.agent):
            found[key(one)].append(one)
    return found


_OF_PAUSES: Final = {
    "Pauses": Column(len),
    "Together": Column(lambda pauses: sum(one.duration_s for one in pauses)),
    "Longest": Column(lambda pauses: max(one.duration_s for one in pauses)),
    "On average": Column(lambda pauses: sum(one.duration_s for one in pauses) / len(pauses)),
}


def _by_reason(pause: AgentPause) -> tuple[frozenset[tuple[str, str]], None]:
    return _labels(reason=pause.reason), None


def _by_agent_and_reason(pause: AgentPause) -> tuple[frozenset[tuple[str, str]], None]:
    return (
        _labels(
            switchboard=pause.switchboard, agent=pause.agent, agent_name=pause.agent_name,
            reason=pause.reason,
        ),
        None,
    )  # fmt: skip


AGENTS: Final = {
    "Calls answered": Panel(Truth.of_agents, _together, {"Calls": _ANSWERED}),
    "AHT": Panel(Truth.of_agents, _together, {"AHT": _AHT}),
    "Rings missed": Panel(Truth.of_agents, _together, {"Missed %": _NO_ANSWER_RATE}),
    "Transferred": Panel(Truth.of_agents, _together, {"Transfer %": _OF_CALLS["Transfer %"]}),
    "Occupancy": Panel(Truth.of_duty, _together, {"Occupancy": _OF_TIME["Occupancy"]}),
    "On pause": Panel(Truth.of_duty, _together, {"On pause": _OF_TIME["On pause"]}),
    "Time in each state": Panel(Truth.of_duty, _by_agent, _OF_STATES),
    "Pauses by reason": Panel(_pauses, _by_reason, _OF_PAUSES),
    "Pauses by agent and reason": Panel(_pauses, _by_agent_and_reason, _OF_PAUSES),
}

EACH_AGENT: Final = {
    "Agents": (
        Panel(Truth.of_agents, _by_agent, _OF_CALLS), Panel(Truth.of_duty, _by_agent, _OF_TIME)
    ),
    "Agents by day": (
        Panel(Truth.of_agents, _by_agent_and_day, _OF_CALLS),
        Panel(Truth.of_duty, _by_agent_and_day, _OF_TIME),
    ),
}  # fmt: skip

CHECKS: Final[dict[tuple[str, str], tuple[Panel, ...]]] = {
    **{("asterpanel-queues", title): (panel,) for title, panel in QUEUES.items()},
    **{("asterpanel-agents", title): (panel,) for title, panel in AGENTS.items()},
    **{("asterpanel-agents", title): panels for title, panels in EACH_AGENT.items()},
}
"""By uid of the dashboard and title of the panel."""
