"""Erlang C against published figures, against Erlang's own sums, and against a simulated call centre."""

from __future__ import annotations

import heapq
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_exporter.rollup.erlang_c import (
    HIGHEST_TARGET,
    agents_needed,
    service_level,
    waiting_share,
)


@pytest.mark.parametrize(
    ("load", "agents", "share", "digits"),
    [
        # J. R. Boucher, Traffic System Design Handbook, 1993, Erlang C tables.
        (3.87, 8, 0.05, 3),
        (4.08, 10, 0.01, 3),
        # mitan.co.uk (Westbay Engineers), "The Erlang-C Formula": 360 calls in half an hour, 4 minutes each.
        (48.0, 55, 0.239, 3),
        # callcentrehelper.com, "Erlang C Formula: made simple": 100 calls in half an hour, 3 minutes each.
        (10.0, 14, 0.174, 3),
        # One agent: an M/M/1 queue, where the share is the occupancy.
        (0.7, 1, 0.7, 12),
    ],
)
def test_published_shares_of_callers_who_wait(load: float, agents: int, share: float, digits: int) -> None:
    assert round(waiting_share(load, agents), digits) == share


@pytest.mark.parametrize(
    ("calls", "handle_s", "agents", "threshold_s", "level"),
    [
        (360, 240, 55, 15, 0.846),
        (100, 180, 14, 20, 0.888),
        (100, 180, 12, 20, 0.640),
        (100, 180, 11, 20, 0.390),
    ],
)
def test_published_service_levels(
    calls: int, handle_s: float, agents: int, threshold_s: float, level: float
) -> None:
    """The same two pages; 12 and 11 agents are the second one's steps on the way to 14."""
    load = calls / 1800 * handle_s
    assert round(service_level(load, agents, handle_s, threshold_s), 3) == level


def by_recurrence(load: float, agents: int) -> float:
    """Erlang's C from his B, by its recurrence over the number of agents."""
    blocked = 1.0
    for n in range(1, agents + 1):
        blocked = load * blocked / (n + load * blocked)
    return agents * blocked / (agents - load * (1 - blocked))


@given(st.integers(1, 3000), st.floats(0.001, 0.999))
def test_it_is_the_sum_that_erlang_wrote(agents: int, occupancy: float) -> None:
    load = agents * occupancy
    assert waiting_share(load, agents) == pytest.approx(by_recurrence(load, agents), rel=1e-7, abs=1e-12)


def test_a_simulated_call_centre_answers_as_many_in_time() -> None:
    rng, load, agents, handle_s, threshold_s = random.Random(6), 10.0, 12, 180.0, 20.0
    free_at = [0.0] * agents
    now, in_time, calls = 0.0, 0, 100_000
    for _ in range(calls):
        now += rng.expovariate(load / handle_s)
        begins = max(now, heapq.heappop(free_at))
        in_time += begins - now <= threshold_s
        heapq.heappush(free_at, begins + rng.expovariate(1 / handle_s))
    assert in_time / calls == pytest.approx(service_level(load, agents, handle_s, threshold_s), abs=0.02)


@given(st.floats(0.001, 5000), st.floats(1, 3600), st.floats(0, 600), st.floats(0, 1))
def test_the_agents_needed_are_enough_and_a_hundredth_fewer_are_not(
    load: float, handle_s: float, threshold_s: float, target: float
) -> None:
    needed = agents_needed(load, handle_s, threshold_s, target)
    target = min(target, HIGHEST_TARGET)
    assert needed >= max(1.0, load - 0.01)
    assert service_level(load, needed, handle_s, threshold_s) >= target
    fewer = (round(needed * 100) - 1) / 100
    assert needed == 1.0 or service_level(load, fewer, handle_s, threshold_s) < target or fewer <= load


def test_nothing_to_do_and_too_much_to_do() -> None:
    assert agents_needed(0.0, 180.0, 20.0, 0.8) == 0.0
    assert service_level(0.0, 0.0, 180.0, 20.0) == 1.0
    assert service_level(10.0, 10.0, 180.0, 20.0) == 0.0
