"""Why the service level was lost, in half hours as a supervisor tells of them.

A queue with 50 calls of three minutes in half an hour and a target of 80 % within 20 seconds: by plan, 7.35
agents.
"""

from __future__ import annotations

from dataclasses import astuple, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_exporter.rollup.service_loss import (
    HalfHourOfWork,
    Load,
    ServiceLoss,
    agents_needed_for,
    service_loss,
)

PLAN = Load(50 / 1800, 180.0)
NEEDED = agents_needed_for(PLAN, 20.0, 0.8)


def work(**different: Any) -> HalfHourOfWork:
    """A half hour as planned, but for what is said."""
    usual: dict[str, Any] = {
        "target": 0.8,
        "threshold_s": 20.0,
        "plan": PLAN,
        "actual": PLAN,
        "agents": NEEDED,
        "paused": 0.0,
        "unanswered_s": 0.0,
        "delay_s": 0.0,
    }
    return HalfHourOfWork(**usual | different)


def causes(loss: ServiceLoss) -> dict[str, float]:
    """Those that have a part in it."""
    names = [field.name for field in fields(loss)][1:]
    return {name: share for name, share in zip(names, astuple(loss)[1:], strict=True) if share}


def test_nothing_is_lost_at_the_target() -> None:
    assert service_loss(50, 40, work(paused=5.0)) == ServiceLoss()
    assert service_loss(0, 0, work()) == ServiceLoss()


def test_twice_the_calls() -> None:
    loss = service_loss(100, 30, work(actual=Load(2 * PLAN.per_s, 180.0)))
    assert causes(loss) == {"arrivals": 50.0}


def test_agents_who_are_not_known_are_no_cause() -> None:
    assert causes(service_loss(50, 20, work(agents=None))) == {"other": 20.0}
    loss = service_loss(100, 30, work(agents=None, actual=Load(2 * PLAN.per_s, 180.0)))
    assert causes(loss) == {"arrivals": 50.0}


def test_longer_calls() -> None:
    loss = service_loss(50, 25, work(actual=Load(PLAN.per_s, 260.0)))
    assert causes(loss) == {"handle_time": 15.0}


def test_one_agent_is_missing() -> None:
    """The model has it that 31 of 50 calls are still answered in time."""
    assert causes(service_loss(50, 35, work(agents=NEEDED - 1))) == {"staffing": 5.0}
    loss = service_loss(50, 25, work(agents=NEEDED - 1))
    assert causes(loss) == {"staffing": pytest.approx(10.7, abs=0.1), "other": pytest.approx(4.3, abs=0.1)}


def test_half_of_them_go_to_lunch_together() -> None:
    assert causes(service_loss(50, 10, work(paused=NEEDED / 2))) == {"pauses": 30.0}


def test_everybody_is_on_pause() -> None:
    assert causes(service_loss(50, 0, work(paused=NEEDED))) == {"pauses": 40.0}


def test_nobody_is_there() -> None:
    assert causes(service_loss(50, 0, work(agents=0.0))) == {"staffing": 40.0}


def test_phones_ring_and_nobody_answers() -> None:
    """Every second call first rings for 15 seconds at the desk of one who has left it."""
    loss = service_loss(50, 38, work(unanswered_s=7.5, delay_s=7.5))
    assert causes(loss) == {"ring_no_answer": 2.0}


def test_a_burst_is_nothing_that_the_half_hour_as_a_whole_explains() -> None:
    assert causes(service_loss(50, 20, work())) == {"other": 20.0}


def test_more_calls_and_a_pause_share_the_loss() -> None:
    loss = service_loss(60, 20, work(actual=Load(60 / 1800, 180.0), paused=1.0))
    assert loss.total == 28.0
    assert loss.arrivals > 0
    assert loss.pauses > 0
    assert loss.arrivals + loss.pauses == pytest.approx(28.0)


def test_more_agents_make_good_what_more_calls_would_have_cost() -> None:
    twice = Load(2 * PLAN.per_s, 180.0)
    needed = agents_needed_for(twice, 20.0, 0.8)
    assert causes(service_loss(100, 40, work(actual=twice, agents=needed, paused=4.0))) == {"pauses": 40.0}
    assert causes(service_loss(100, 70, work(actual=twice, agents=needed - 1.0))) == {"arrivals": 10.0}


def test_who_is_not_needed_may_have_a_pause() -> None:
    loss = service_loss(50, 30, work(agents=NEEDED + 3, paused=3.0))
    assert causes(loss) == {"other": 10.0}


def test_shorter_calls_leave_room_for_more_of_them() -> None:
    loss = service_loss(60, 38, work(actual=Load(60 / 1800, 150.0)))
    assert causes(loss) == {"other": 10.0}


def test_calls_where_none_was_to_be_expected() -> None:
    nothing = Load(0.0, 180.0)
    assert causes(service_loss(5, 0, work(plan=nothing, agents=0.0))) == {"arrivals": 4.0}


LOADS = st.builds(Load, st.floats(0, 1), st.floats(0.1, 2000))


@given(
    st.integers(1, 100_000),
    st.floats(0, 1),
    st.builds(
        HalfHourOfWork,
        target=st.floats(0, 1),
        threshold_s=st.floats(0.1, 600),
        plan=LOADS,
        actual=LOADS,
        agents=st.floats(0, 500),
        paused=st.floats(0, 500),
        unanswered_s=st.floats(0, 600),
        delay_s=st.floats(0, 600),
    ),
)
def test_the_causes_always_add_up(counted: int, share: float, half: HalfHourOfWork) -> None:
    good = int(counted * share)
    loss = service_loss(counted, good, half)
    assert loss.total == pytest.approx(max(0.0, half.target * counted - good), abs=0.0006)
    assert all(cause >= 0 for cause in astuple(loss))
    thousandths = [round(each * 1000) for each in astuple(loss)]
    assert thousandths[0] == sum(thousandths[1:])
