"""Why the service level of a half hour was below its target: the missing calls, split by their causes.

What was lost is the number of calls that would have had to be within the service level, beyond those that
were: ``target × counted − good``.

Its causes come from a chain of Erlang C levels (`asterpanel_exporter.rollup.erlang_c`). It begins with the
plan: as many calls, and of the same length, as in the same half hour of the weeks before, and the agents whom
these need for the target. Then one thing after the other is put as it was:

1. *arrivals*: the calls that came;
2. *handle time*: how long they took: talk, wrap-up and answered ringing, for each answered call;
3. *staffing*: the agents who were there: members of the queue, but for the time in which they were busy with
   calls of other queues;
4. *pauses*: without those of them who were on pause;
5. *ring no answer*: with the ringing that nobody answered: it takes agents' time beside each answered call,
   and of each caller's time while he waits.

What the level falls by at a step, below the target, is that step's share. (A level above the target has
something to spare, and falls to the target without loss.) Where it rises, as by more agents than planned,
that makes good what was lost at the steps before, in proportion to their shares: twice the calls with twice
the agents are no cause, and if then five go on pause, the pauses are. So the shares add up to what the model
explains.

The lost calls are divided in proportion to the shares. If the level was lower than the model has it, the rest
is *other*: calls that came in a burst, agents who were there at the wrong minutes, callers left over from the
half hour before, agents who do not answer although their phones hardly ring. Of a half hour of which less
than nine tenths were watched all is *other*: nobody knows what came in the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from asterpanel_exporter.rollup.erlang_c import agents_needed, service_level

STEPS_PER_CALL: Final = 1000
"""Lost calls are told in thousandths."""


@dataclass(frozen=True, slots=True)
class Load:
    """Calls and the work they make. ``per_s``: calls a second; ``handle_s``: time of an agent for each."""

    per_s: float
    handle_s: float

    @property
    def erlangs(self) -> float:
        return self.per_s * self.handle_s


@dataclass(frozen=True, slots=True)
class HalfHourOfWork:
    """What the model needs to know of a half hour.

    Attributes:
        target: share of the calls, 0.0 to 1.0.
        threshold_s: of the service level.
        plan, actual: the calls that were to be expected, and those that came.
        agents: who were there for the queue, on average, paused ones included. None: it is not known; then
            they are taken to be as many as planned, and no cause.
        paused: of them, on pause.
        unanswered_s: agents' time that unanswered ringing took, for each answered call.
        delay_s: the ringing without an answer that each caller waited through.
    """

    target: float
    threshold_s: float
    plan: Load
    actual: Load
    agents: float | None
    paused: float
    unanswered_s: float
    delay_s: float


@dataclass(frozen=True, slots=True)
class ServiceLoss:
    """Calls missing to the target, and what of them each cause has; they add up to ``total``."""

    total: float = 0.0
    arrivals: float = 0.0
    handle_time: float = 0.0
    staffing: float = 0.0
    pauses: float = 0.0
    ring_no_answer: float = 0.0
    other: float = 0.0

    def unexplained(self) -> ServiceLoss:
        """The same without causes."""
        return ServiceLoss(self.total, other=self.total)


def service_loss(counted: int, good: int, work: HalfHourOfWork) -> ServiceLoss:
    """Of a half hour with so many calls that count for the service level, and so many within it."""
    lost = work.target * counted - good
    if lost <= 0:
        return ServiceLoss()
    shares = _falls(_levels(work), work.target)
    shortfall = lost / counted
    explained = min(1.0, shortfall / sum(shares)) if sum(shares) else 0.0
    causes = [share * explained * counted for share in shares]
    return ServiceLoss(*_rounded([*causes, lost - sum(causes)]))


def agents_needed_for(load: Load, threshold_s: float, target: float) -> float:
    """The agents whom a load needs for the target."""
    return agents_needed(load.erlangs, load.handle_s, threshold_s, target)


def _levels(work: HalfHourOfWork) -> list[float]:
    """The chain: the plan's level, and that after each step."""
    planned = agents_needed_for(work.plan, work.threshold_s, work.target)
    rung = Load(work.actual.per_s, work.actual.handle_s + work.unanswered_s)
    agents = planned if work.agents is None else work.agents
    on_duty = agents - work.paused
    chain = (
        (work.plan, planned, work.threshold_s),
        (Load(work.actual.per_s, work.plan.handle_s), planned, work.threshold_s),
        (work.actual, planned, work.threshold_s),
        (work.actual, agents, work.threshold_s),
        (work.actual, on_duty, work.threshold_s),
        (rung, on_duty, max(0.0, work.threshold_s - work.delay_s)),
    )
    return [
        service_level(load.erlangs, agents, load.handle_s, threshold_s) for load, agents, threshold_s in chain
    ]


def _falls(levels: Sequence[float], target: float) -> list[float]:
    """What each step lost below the target, and no later step made good."""
    falls: list[float] = []
    for before, after in pairwise(min(level, target) for level in levels):
        lost, fall = sum(falls), before - after
        if fall < 0 and lost > 0:
            kept = max(0.0, lost + fall) / lost
            falls = [each * kept for each in falls]
        falls.append(max(0.0, fall))
    return falls


def _rounded(parts: Iterable[float]) -> list[float]:
    """The sum of the parts and the parts in thousandths, so that they still add up."""
    # Rounded are the sums so far, so that no part is off by more than a step, and the whole by none.
    steps = [0, *(round(so_far * STEPS_PER_CALL) for so_far in accumulate(parts))]
    return [
        each / STEPS_PER_CALL for each in (steps[-1], *(after - before for before, after in pairwise(steps)))
    ]
