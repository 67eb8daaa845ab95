"""Half hours of queues: sums, staffing, and what the service level lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from asterpanel_exporter.history.half_hours import QueueInterval, QueueLocalHour
from asterpanel_exporter.history.records import Outcome
from asterpanel_exporter.periods import US
from asterpanel_exporter.report.intervals import Interval, clipped, length
from asterpanel_exporter.report.queues import QueueSums
from asterpanel_exporter.rollup.agent_times import Staffing
from asterpanel_exporter.rollup.half_hours import HalfHour, weekday_and_hour
from asterpanel_exporter.rollup.plan import WATCHED_SHARE, Plan
from asterpanel_exporter.rollup.reading import Board
from asterpanel_exporter.rollup.service_loss import (
    HalfHourOfWork,
    Load,
    ServiceLoss,
    agents_needed_for,
    service_loss,
)
from asterpanel_switchboard.service_level import Formula

USUAL_HANDLE_S: Final = 180.0
"""Handle time of a call where none was answered, in this half hour and in those of the plan."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What the configuration says of a queue's service level: the formula, and the target of 0.0 to 1.0."""

    formula: Formula
    target: float


def queue_interval(
    board: Board,
    half: HalfHour,
    queue: str,
    sums: QueueSums,
    staffing: Staffing,
    gaps: list[Interval],
    plan: Plan | None,
    aim: Aim,
) -> QueueInterval:
    """One half hour of one queue.

    Args:
        board: the switchboard.
        half: which half hour.
        queue: which queue.
        sums: of its calls and ringings.
        staffing: of its members.
        gaps: when the switchboard was not watched.
        plan: what was to be expected; None: nothing is known.
        aim: at what service level.
    """
    calls, service = sums.calls, sums.service
    counted, good = aim.formula.counted(service), aim.formula.good(service)
    elapsed_s = _elapsed_us(half, board.known_us) / US
    work = _work(sums, staffing, plan, aim.target, half.length_us / US, elapsed_s)
    loss = service_loss(counted, good, work) if work and counted else ServiceLoss()
    watched_us = half.length_us - length(clipped(gaps, half.start_us, half.end_us))
    if watched_us < WATCHED_SHARE * elapsed_s * US:
        loss = loss.unexplained()
    needed = agents_needed_for(work.actual, work.threshold_s, aim.target) if work else 0.0
    planned = (
        plan or Plan(sums.offered, sums.offered * _handle_s(sums)) if sums.offered or plan else Plan(0, 0)
    )
    return QueueInterval(
        board.switchboard,
        queue,
        half.start_us / US,
        watched_s=watched_us / US,
        offered=sums.offered,
        answered=sums.answered,
        abandoned=calls[Outcome.ABANDONED],
        short_abandon=sums.short_abandoned,
        timeout=calls[Outcome.TIMEOUT],
        exit_key=calls[Outcome.EXIT_KEY],
        leave_empty=calls[Outcome.LEAVE_EMPTY],
        join_empty=calls[Outcome.JOIN_EMPTY],
        leave_unavail=calls[Outcome.LEAVE_UNAVAIL],
        join_unavail=calls[Outcome.JOIN_UNAVAIL],
        full=calls[Outcome.FULL],
        withdrawn=calls[Outcome.WITHDRAWN],
        continued=calls[Outcome.CONTINUE],
        redirected=calls[Outcome.REDIRECTED],
        unknown=calls[Outcome.UNKNOWN],
        transferred=sums.transferred,
        sl_offered=service.offered,
        sl_answered=service.answered,
        sl_abandoned=service.abandoned,
        sl_short_abandon=service.short_abandoned,
        within_sl=service.answered_within,
        abandoned_within_sl=service.abandoned_within,
        counted=counted,
        good=good,
        answered_wait_s=sums.answered_wait_s,
        abandoned_wait_s=sums.abandoned_wait_s,
        longest_wait_s=sums.longest_wait_s,
        answered_ring_s=sums.answered_ring_s,
        talk_s=sums.talk_s,
        wrapup_s=sums.wrapup_s,
        rings=sums.attempts,
        ring_no_answer=sums.no_answer,
        ring_rejected=sums.rejected,
        no_answer_ring_s=sums.no_answer_ring_s,
        staffed_s=staffing.staffed / US,
        paused_s=staffing.paused / US,
        elsewhere_s=staffing.elsewhere / US,
        needed_s=needed * elapsed_s,
        planned_offered=planned.offered,
        planned_handle_s=planned.handle_s,
        lost=loss.total,
        lost_arrivals=loss.arrivals,
        lost_handle_time=loss.handle_time,
        lost_staffing=loss.staffing,
        lost_pauses=loss.pauses,
        lost_ring_no_answer=loss.ring_no_answer,
        lost_other=loss.other,
    )


def local_hour(made: QueueInterval, half: HalfHour, zone: ZoneInfo) -> QueueLocalHour:
    """The calls of a half hour by its local hour and weekday."""
    weekday, hour = weekday_and_hour(half, zone)
    return QueueLocalHour(
        made.switchboard,
        made.queue,
        weekday,
        hour,
        made.started_at,
        offered=made.offered,
        answered=made.answered,
        abandoned=made.abandoned,
        sl_offered=made.sl_offered,
        sl_answered=made.sl_answered,
        sl_abandoned=made.sl_abandoned,
        sl_short_abandon=made.sl_short_abandon,
        within_sl=made.within_sl,
        abandoned_within_sl=made.abandoned_within_sl,
        answered_wait_s=made.answered_wait_s,
    )


def _elapsed_us(half: HalfHour, known_us: int | None) -> int:
    """How much of it has been: all, but for one that still goes on."""
    if known_us is None or not half.start_us < known_us < half.end_us:
        return half.length_us
    return known_us - half.start_us


def _handle_s(sums: QueueSums) -> float:
    """Time that an answered call took an agent; 0.0 if none was answered."""
    return (sums.talk_s + sums.wrapup_s + sums.answered_ring_s) / sums.answered if sums.answered else 0.0


def _agents(sums: QueueSums, staffing: Staffing, elapsed_s: float) -> float | None:
    """Who were there, on average; None: somebody answered, but of no member is known, as of imported logs."""
    if sums.answered and not staffing.staffed:
        return None
    return (staffing.staffed - staffing.elsewhere) / US / elapsed_s


def _work(
    sums: QueueSums, staffing: Staffing, plan: Plan | None, target: float, length_s: float, elapsed_s: float
) -> HalfHourOfWork | None:
    """What the model of the service level needs to know; None: no call had a threshold."""
    if sums.threshold_s is None:
        return None
    planned_handle_s = plan.handle_s / plan.offered if plan and plan.offered else 0.0
    handle_s = _handle_s(sums) or planned_handle_s or USUAL_HANDLE_S
    actual = Load(sums.offered / elapsed_s, handle_s)
    return HalfHourOfWork(
        target=target,
        threshold_s=sums.threshold_s[0],
        plan=Load(plan.offered / length_s, planned_handle_s or handle_s) if plan else actual,
        actual=actual,
        agents=_agents(sums, staffing, elapsed_s),
        paused=staffing.paused / US / elapsed_s,
        unanswered_s=sums.no_answer_ring_s / (sums.answered or sums.offered),
        delay_s=sums.no_answer_ring_s / sums.offered,
    )
