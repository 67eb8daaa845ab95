"""Sums since midnight, in the switchboard's time zone, for its live state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo

from asterpanel_exporter.history.records import AgentAttempt, AttemptResult, QueueCall, Record
from asterpanel_switchboard.service_level import ServiceLevelSums


@dataclass(slots=True)
class QueueToday:
    """Calls of one queue that joined it today and have ended.

    ``service``: those of them to which a threshold of the service level applied, as reports count them.
    """

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    short_abandons: int = 0
    within_sl: int = 0
    wait_s: float = 0.0
    talk_s: float = 0.0
    service: ServiceLevelSums = field(default_factory=ServiceLevelSums)

    def add(self, call: QueueCall) -> None:
        """``wait_s`` is that of answered calls."""
        self.offered += 1
        self.answered += call.answered
        self.abandoned += call.abandoned
        self.short_abandons += call.short_abandon
        self.within_sl += call.within_sl
        if call.answered:
            self.wait_s += call.wait_s
            self.talk_s += call.talk_s
        if call.sl_threshold_s > 0:
            self.service.add(_service(call))


def _service(call: QueueCall) -> ServiceLevelSums:
    return ServiceLevelSums(
        answered=call.answered,
        answered_within=call.within_sl,
        abandoned=call.abandoned,
        abandoned_within=call.abandoned_within_sl,
        short_abandoned=call.short_abandon,
        flowed_out=call.offered - call.answered - call.abandoned,
    )


@dataclass(slots=True)
class AgentToday:
    """Calls that an agent has answered today and that have ended, and his missed ones."""

    answered: int = 0
    talk_s: float = 0.0
    no_answers: int = 0


class Today:
    """Of one switchboard.

    Attributes:
        day: which day it is.
        queues: by name.
        agents: by agent id.
    """

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self.day = date.min
        self.queues: dict[str, QueueToday] = {}
        self.agents: dict[str, AgentToday] = {}

    def begin(self, now: float) -> None:
        """It is this time: at midnight all begins anew."""
        day = datetime.fromtimestamp(now, self.zone).date()
        if day != self.day:
            self.day = day
            self.queues, self.agents = {}, {}

    def midnight(self) -> float:
        """Unix time at which the day began."""
        return datetime.combine(self.day, time.min, self.zone).timestamp()

    def add(self, records: Iterable[Record]) -> None:
        """Count those of them that belong to the day."""
        midnight = self.midnight()
        for record in records:
            if record.at < midnight:
                continue
            if isinstance(record, QueueCall):
                self._add_call(record)
            elif isinstance(record, AgentAttempt) and record.result is AttemptResult.NO_ANSWER:
                self.agents.setdefault(record.agent, AgentToday()).no_answers += 1

    def _add_call(self, call: QueueCall) -> None:
        self.queues.setdefault(call.queue, QueueToday()).add(call)
        if call.answered:
            agent = self.agents.setdefault(call.agent, AgentToday())
            agent.answered += 1
            agent.talk_s += call.talk_s
