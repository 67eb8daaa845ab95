"""A call centre's past made up at random, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AgentSession,
    AttemptResult,
    EndedBy,
    Outcome,
    QueueCall,
    Record,
    SwitchboardGap,
)

QUEUES: Final = ("sales", "sales-vip", "support")
AGENTS: Final = {"1001": "Anna", "1002": "Bruno", "1003": 'Carla, "Kiki"', "1004": "Dario"}
HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class RandomPast:
    """Calls, ringings, memberships, pauses and gaps of ``milano``.

    Args:
        seed: of chance.
        start, end: Unix times that all of it begins between.
        calls: how many.
    """

    seed: int
    start: float
    end: float
    calls: int = 300

    def records(self) -> list[Record]:
        """In the order in which a live session would tell them: by their ends."""
        rng = Random(self.seed)
        found: list[tuple[float, Record]] = []
        for number in range(self.calls):
            found += self._call(rng, number)
        for agent, name in AGENTS.items():
            found += self._presence(rng, agent, name)
        for _ in range(3):
            at, length = self._moment(rng), round(rng.uniform(1, 900), 6)
            found.append((at + length, SwitchboardGap("milano", "eof", at, length, rng.randrange(3))))
        return [record for _, record in sorted(found, key=lambda pair: pair[0])]

    def _moment(self, rng: Random) -> float:
        return round(rng.uniform(self.start, self.end), 6)

    def _call(self, rng: Random, number: int) -> list[tuple[float, Record]]:
        joined, wait_s = self._moment(rng), round(rng.expovariate(1 / 15), 6)
        queue, outcome = rng.choice(QUEUES), rng.choice([*Outcome, *[Outcome.ANSWERED] * 20])
        agent, name = rng.choice([*AGENTS.items()])
        uniqueid, answered = f"{joined:.0f}.{number}", outcome is Outcome.ANSWERED
        talk_s = round(rng.expovariate(1 / 300), 6) if answered else 0.0
        ring_s = round(rng.uniform(0, min(wait_s, 20)), 6) if answered else 0.0
        call = QueueCall(
            "milano", queue, outcome, joined, uniqueid, agent=agent if answered else "",
            agent_name=name if answered else "",
            ended_by=rng.choice([*EndedBy]) if answered else EndedBy.UNKNOWN,
            wait_s=wait_s, ring_s=ring_s, talk_s=talk_s, sl_threshold_s=0.0 if queue == "support" else 20.0,
            short_abandon_s=5.0,
        )  # fmt: skip
        found: list[tuple[float, Record]] = [(joined + wait_s + talk_s, call)]
        if answered:
            began = round(joined + wait_s - ring_s, 6)
            ringing = AgentAttempt(
                "milano", queue, agent, name, AttemptResult.ANSWERED, began, ring_s, uniqueid
            )
            found.append((joined + wait_s, ringing))
        for _ in range(rng.randrange(3)):
            began, ring_s = round(joined + rng.uniform(0, wait_s), 6), round(rng.uniform(0, 20), 6)
            other, other_name = rng.choice([*AGENTS.items()])
            result = rng.choice([AttemptResult.NO_ANSWER, AttemptResult.REJECTED, AttemptResult.CANCELLED])
            missed = AgentAttempt("milano", queue, other, other_name, result, began, ring_s, uniqueid)
            found.append((began + ring_s, missed))
        return found

    def _presence(self, rng: Random, agent: str, name: str) -> list[tuple[float, Record]]:
        """One membership after another in each queue, and pauses in some of them."""
        found: list[tuple[float, Record]] = []
        for queue in rng.sample(QUEUES, rng.randint(1, 3)):
            at = self.start - rng.uniform(0, 8) * HOUR_S
            while at < self.end:
                began, length = round(at, 6), round(rng.uniform(0.1, 9) * HOUR_S, 6)
                found.append((began + length, AgentSession("milano", queue, agent, name, began, length)))
                at = began + length + rng.uniform(0, 4) * HOUR_S
        at = self.start + rng.uniform(0, 3) * HOUR_S
        while at < self.end:
            began, length = round(at, 6), round(rng.expovariate(1 / 1200), 6)
            reason = rng.choice(["", "lunch", "coffee"])
            found.append((began + length, AgentPause("milano", agent, name, reason, began, length)))
            at = began + length + rng.uniform(0.01, 3) * HOUR_S
        return found
