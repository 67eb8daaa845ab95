"""Half hours of queues and of agents. The attributes are the tags and fields of the points by the same names.

An interval is half an hour of the switchboard's local time. Calls belong to the interval of their join, ring
attempts to that of their start; times (on duty, on pause, busy) are cut at the interval's ends.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueueInterval:
    """Half an hour of a queue.

    Attributes:
        started_at: Unix seconds of its start.
        counted, good: calls that count for the service level by the configured formula, and those within it.
            Only calls that had a threshold count for it; so it is with the ``sl_…`` attributes.
        staffed_s: time of all members together; paused_s: of that, on pause; elsewhere_s: of that, not on
            pause and busy with calls of other queues.
        needed_s: agents that the calls needed for the target by Erlang C, times the half hour.
        planned_offered, planned_handle_s: calls, and their handle time together, as in the same half hour of
            the four weeks before (mean); as they were, where there is no earlier week.
        lost: calls that would have had to be within the service level for the target. The ``lost_…``
            attributes are its causes, and add up to it (`asterpanel_exporter.rollup.service_loss`).
    """

    switchboard: str
    queue: str
    started_at: float
    watched_s: float
    offered: int
    answered: int
    abandoned: int
    short_abandon: int
    timeout: int
    exit_key: int
    leave_empty: int
    join_empty: int
    leave_unavail: int
    join_unavail: int
    full: int
    withdrawn: int
    continued: int
    redirected: int
    unknown: int
    transferred: int
    sl_offered: int
    sl_answered: int
    sl_abandoned: int
    sl_short_abandon: int
    within_sl: int
    abandoned_within_sl: int
    counted: int
    good: int
    answered_wait_s: float
    abandoned_wait_s: float
    longest_wait_s: float
    answered_ring_s: float
    talk_s: float
    wrapup_s: float
    rings: int
    ring_no_answer: int
    ring_rejected: int
    no_answer_ring_s: float
    staffed_s: float
    paused_s: float
    elsewhere_s: float
    needed_s: float
    planned_offered: float
    planned_handle_s: float
    lost: float
    lost_arrivals: float
    lost_handle_time: float
    lost_staffing: float
    lost_pauses: float
    lost_ring_no_answer: float
    lost_other: float

    @property
    def at(self) -> float:
        return self.started_at


@dataclass(frozen=True, slots=True)
class QueueLocalHour:
    """The calls of half an hour of a queue once more, told apart by local hour and weekday.

    Apart from `QueueInterval`, as these two make 168 series of each queue.

    Attributes:
        weekday: ``1`` (Monday) to ``7``.
        hour: ``00`` to ``23``.
    """

    switchboard: str
    queue: str
    weekday: str
    hour: str
    started_at: float
    offered: int
    answered: int
    abandoned: int
    sl_offered: int
    sl_answered: int
    sl_abandoned: int
    sl_short_abandon: int
    within_sl: int
    abandoned_within_sl: int
    answered_wait_s: float

    @property
    def at(self) -> float:
        return self.started_at


@dataclass(frozen=True, slots=True)
class AgentInterval:
    """Half an hour of an agent in one queue: his calls there, and his membership.

    Attributes:
        answered, talk_s, wrapup_s, answered_ring_s, transferred: of the calls that he answered, by their
            join.
        rings: of his phone that began in the interval; ring_s: how long they were.
        staffed_s: as a member of the queue; paused_s: of that, on pause.
    """

    switchboard: str
    queue: str
    agent: str
    agent_name: str
    started_at: float
    answered: int
    talk_s: float
    wrapup_s: float
    answered_ring_s: float
    transferred: int
    rings: int
    ring_no_answer: int
    ring_rejected: int
    ring_cancelled: int
    ring_s: float
    staffed_s: float
    paused_s: float

    @property
    def at(self) -> float:
        return self.started_at


@dataclass(frozen=True, slots=True)
class AgentDuty:
    """Half an hour of an agent over all his queues: how his time went.

    Attributes:
        on_duty_s: member of any queue; available_s: of that, not on pause; idle_s: of that, not busy.
        paused_s: on pause, a member or not (logs that were imported do not tell of all memberships).
        on_call_s, ringing_s, wrapup_s: what lies in the interval of his calls, of the ringing of his phone,
            and of wrap-up times as far as they are configured.
        pauses: that began in the interval.
        first_at, last_at: Unix seconds of the first and the last of what there is of him in the interval:
            log-ins, log-outs, starts and ends of pauses and talks, ringings; 0.0: nothing.
    """

    switchboard: str
    agent: str
    agent_name: str
    started_at: float
    on_duty_s: float
    paused_s: float
    available_s: float
    idle_s: float
    on_call_s: float
    ringing_s: float
    wrapup_s: float
    pauses: int
    first_at: float
    last_at: float

    @property
    def at(self) -> float:
        return self.started_at
