"""A switchboard's sums since midnight, read back from the journal at a start."""

from __future__ import annotations

from asterpanel_exporter.history.today import AgentToday, QueueToday, Today
from asterpanel_exporter.journal.journal import Journal
from asterpanel_switchboard.service_level import ServiceLevelSums

_QUEUES = """
SELECT queue, count(*), sum(answered), sum(abandoned), sum(short_abandon), sum(within_sl),
    sum(CASE WHEN answered THEN wait_s ELSE 0.0 END), sum(talk_s),
    sum(answered AND sl_threshold_s > 0), sum(within_sl AND sl_threshold_s > 0),
    sum(abandoned AND sl_threshold_s > 0), sum(abandoned_within_sl AND sl_threshold_s > 0),
    sum(short_abandon AND sl_threshold_s > 0), sum(NOT answered AND NOT abandoned AND sl_threshold_s > 0)
FROM queue_call_points WHERE time >= ? AND switchboard = ? GROUP BY queue
"""
_ANSWERED = """
SELECT agent, count(*), sum(talk_s) FROM queue_call_points
WHERE time >= ? AND switchboard = ? AND answered GROUP BY agent
"""
_NO_ANSWERS = """
SELECT agent, count(*) FROM agent_attempt_points
WHERE time >= ? AND switchboard = ? AND result = 'no_answer' GROUP BY agent
"""


def restore_today(journal: Journal, switchboard: str, today: Today) -> None:
    """Fill in what the journal has of the day that `Today.begin` has begun."""
    of_the_day = (round(today.midnight() * 1e6), switchboard)
    for queue, *sums in journal.rows(_QUEUES, of_the_day):
        today.queues[queue] = QueueToday(*sums[:-6])
        today.queues[queue].service = ServiceLevelSums(*sums[-6:])
    for agent, answered, talk_s in journal.rows(_ANSWERED, of_the_day):
        today.agents[agent] = AgentToday(answered, talk_s)
    for agent, no_answers in journal.rows(_NO_ANSWERS, of_the_day):
        today.agents.setdefault(agent, AgentToday()).no_answers = no_answers
