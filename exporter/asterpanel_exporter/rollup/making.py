"""Making half hours of a switchboard from the journal: a function of its points, of what goes on, and of the
configuration, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from asterpanel_exporter.history.half_hours import AgentDuty, AgentInterval, QueueInterval, QueueLocalHour
from asterpanel_exporter.report.journal_reader import JournalReader
from asterpanel_exporter.report.queues import QueueSums
from asterpanel_exporter.rollup.agent_times import AgentTimes, Staffing
from asterpanel_exporter.rollup.plan import Plans
from asterpanel_exporter.rollup.queue_intervals import Aim, local_hour, queue_interval
from asterpanel_exporter.rollup.reading import (
    Board,
    WrapupOf,
    answered_calls,
    memberships,
    pauses,
    queue_sums_of,
    ringings,
    unwatched,
)
from asterpanel_switchboard.config import Config


@dataclass(slots=True)
class HalfHours:
    """What was made."""

    queues: list[QueueInterval] = field(default_factory=list)
    hours: list[QueueLocalHour] = field(default_factory=list)
    agents: list[AgentInterval] = field(default_factory=list)
    duties: list[AgentDuty] = field(default_factory=list)

    @property
    def records(self) -> Iterator[QueueInterval | QueueLocalHour | AgentInterval | AgentDuty]:
        yield from self.queues
        yield from self.hours
        yield from self.agents
        yield from self.duties


def make_half_hours(
    reader: JournalReader, board: Board, config: Config, known_from_us: Mapping[str, int]
) -> HalfHours:
    """All of some consecutive half hours in which there was anything: a call, a ringing, a member, a pause.

    Args:
        reader: of the journal. It must have the half hours of the four weeks before, if they are to count as
            the plan.
        board: the switchboard and the half hours.
        config: wrap-up times, targets, and the formula of the service level.
        known_from_us: since when there are calls of each queue.
    """

    def wrapup_of(queue: str) -> float | None:
        return config.queue_settings_for(board.switchboard, queue).wrapup_time_s

    times = _agent_times(reader, board, wrapup_of)
    made = HalfHours(agents=list(times.agent_intervals()), duties=list(times.agent_duties()))
    sums_of = queue_sums_of(reader, board, wrapup_of)
    staffing_of = times.staffing()
    gaps = unwatched(reader, board.scope, board.known_us)
    plans = Plans(reader, board, known_from_us)
    for place, queue in sorted(sums_of.keys() | staffing_of.keys()):
        half = board.grid.halves[place]
        interval = queue_interval(
            board,
            half,
            queue,
            sums_of.get((place, queue)) or QueueSums(board.switchboard, queue),
            staffing_of.get((place, queue)) or Staffing(),
            gaps,
            plans.of(queue, half),
            Aim(
                config.dashboards.formula,
                config.targets_for(board.switchboard, queue).service_level.warning,
            ),
        )
        made.queues.append(interval)
        if interval.offered:
            made.hours.append(local_hour(interval, half, board.zone))
    return made


def _agent_times(reader: JournalReader, board: Board, wrapup_of: WrapupOf) -> AgentTimes:
    times = AgentTimes(board.switchboard, board.grid)
    for call in answered_calls(reader, board, wrapup_of):
        times.add_call(call)
    for ringing in ringings(reader, board):
        times.add_ringing(ringing)
    for membership in memberships(reader, board):
        times.add_membership(membership)
    for pause in pauses(reader, board):
        times.add_pause(pause)
    times.settle()
    return times
