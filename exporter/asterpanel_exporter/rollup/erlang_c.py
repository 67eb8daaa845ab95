"""Erlang C: how many callers are answered in time by so many agents, and how many agents a target needs.

The model: calls come at random at an even rate, each takes an agent for an exponentially distributed time,
who finds no agent free waits his turn, and nobody hangs up (A. K. Erlang, 1917). The number of agents need
not be whole: half an agent is one who is there half of the time. For that, Erlang's sums are written with the
incomplete gamma function (D. L. Jagerman, *Some properties of the Erlang loss function*, Bell System
Technical Journal 53, 1974), which is also what keeps them exact for thousands of agents.
"""

from __future__ import annotations

from math import exp, log
from typing import Final

HIGHEST_TARGET: Final = 0.9999
"""No number of agents answers every caller in time, by this model."""

STEPS_PER_AGENT: Final = 100
"""Agents needed are told in hundredths."""


def prepare() -> None:
    """Load what this needs now, and not at the first use: for a quarter of a second, no other thread of the
    process has a turn."""
    import scipy.special  # noqa: F401


def service_level(load: float, agents: float, handle_s: float, threshold_s: float) -> float:
    """Share of the calls that are answered within the threshold.

    Args:
        load: offered, in Erlangs: calls a second times the time that one takes.
        agents: who are there, on average.
        handle_s: mean time that a call takes an agent.
        threshold_s: of the wait.

    Returns:
        0.0 to 1.0; 0.0 too where there is more load than agents: the line of waiting callers then grows
        without end.
    """
    if load <= 0:
        return 1.0
    if agents <= load:
        return 0.0
    return 1.0 - waiting_share(load, agents) * exp(-(agents - load) * threshold_s / handle_s)


def waiting_share(load: float, agents: float) -> float:
    """Share of the calls that find no agent free (Erlang's C); for more agents than load."""
    blocked = _blocked_share(load, agents)
    return blocked / (1 - load / agents * (1 - blocked))


def _blocked_share(load: float, agents: float) -> float:
    """Erlang's B: the probability of a Poisson number to be n, given that it is not more than n."""
    # Here and not above: only the roll-up needs it (see `prepare`).
    from scipy.special import gammaincc, gammaln

    return float(exp(agents * log(load) - load - gammaln(agents + 1)) / gammaincc(agents + 1, load))


def agents_needed(load: float, handle_s: float, threshold_s: float, target: float) -> float:
    """The fewest agents, in hundredths, that answer the target's share of the calls within the threshold.

    At least one, where there is any load: nobody knows when the call will come. 0.0 where there is none.

    Args:
        load, handle_s, threshold_s: as for `service_level`.
        target: share of 0.0 to 1.0; more than `HIGHEST_TARGET` is taken for that.
    """
    if load <= 0:
        return 0.0
    target = min(target, HIGHEST_TARGET)

    def is_enough(steps: int) -> bool:
        return service_level(load, steps / STEPS_PER_AGENT, handle_s, threshold_s) >= target

    too_few = max(STEPS_PER_AGENT, int(load * STEPS_PER_AGENT))
    if too_few == STEPS_PER_AGENT and is_enough(too_few):
        return 1.0
    more = STEPS_PER_AGENT
    while not is_enough(too_few + more):
        too_few, more = too_few + more, 2 * more
    enough = too_few + more
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if is_enough(middle):
            enough = middle
        else:
            too_few = middle
    return enough / STEPS_PER_AGENT
