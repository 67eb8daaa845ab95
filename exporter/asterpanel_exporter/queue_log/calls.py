"""Calls and ring attempts out of the entries of a queue_log, by the same definitions as live.

What the log cannot tell: callers who were refused entry are not in it; a waiting caller whom a redirect moved
away is logged as ABANDON; of an attended transfer the talk includes the consultation; whether a phone refused
or rang out, and the losers of ``ringall``, are not told. Times are whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AttemptResult,
    EndedBy,
    Outcome,
    QueueCall,
)
from asterpanel_exporter.queue_log.agents import Agents
from asterpanel_exporter.queue_log.entries import Completed, Connected, Entered, Left, Rang
from asterpanel_exporter.queue_log.queues import Queues

LOST_S: Final = 12 * 3600
"""An open call of which nothing was told for so long has ended without a line in the log."""

_SAME_CALL_S: Final = 3
"""Two computations of one join from rounded durations differ by no more."""

_TICK_S: Final = 1e-6


@dataclass(slots=True, eq=False)
class _Visit:
    """A call that has not ended. ``last_at``: of the last line about it; ``connected``: once it was taken."""

    queue: str
    uniqueid: str
    joined_at: int
    number: str
    name: str
    position_in: int
    last_at: int
    attempts: int = 0
    last_attempt_at: float = 0.0
    connected: Connected | None = None


class Calls:
    """Follows the calls of one log.

    Durations are those that Asterisk logged, not differences of the lines' times: the two are made from the
    same clock in whole seconds (± 1 s), but only the logged ones hold where the beginning is in no file.

    Attributes:
        lost: calls without an end, closed by a restart of Asterisk or after `LOST_S`.
        unknown: lines about calls of which too little is known to make one.
    """

    def __init__(
        self,
        switchboard: str,
        agents: Agents,
        queues: Queues,
        emit: Callable[[QueueCall | AgentAttempt], None],
    ) -> None:
        self._switchboard = switchboard
        self._agents = agents
        self._queues = queues
        self._emit = emit
        self._open: dict[str, list[_Visit]] = {}
        self._talking: dict[str, list[_Visit]] = {}
        self.lost = 0
        self.unknown = 0

    @property
    def open(self) -> int:
        """Calls that have not ended."""
        return sum(map(len, self._open.values()))

    # --- waiting ------------------------------------------------------------------------------------

    def entered(self, entry: Entered) -> None:
        """Who waited elsewhere waits there no more. The same line again (a copy of a file) is the same."""
        for visit in list(self._open.get(entry.uniqueid, ())):
            if visit.joined_at == entry.at and _same(visit.queue, entry.queue):
                self._forget(visit)
            elif visit.connected is None:
                self._lost(visit, entry.at)
        self._add(
            _Visit(entry.queue, entry.uniqueid, entry.at, entry.number, entry.name, entry.position, entry.at)
        )

    def left(self, entry: Left) -> None:
        """Without talking to anybody. A join that is in no file was as long ago as the caller has waited."""
        visit = self._find(entry.uniqueid, entry.queue, talking=False)
        if visit is None:
            if entry.wait_s is None:
                self.unknown += 1
                return
            visit = _Visit(
                entry.queue, entry.uniqueid, entry.at - entry.wait_s, "", "", entry.position_in, entry.at
            )
        if entry.agent:
            self._attempt(visit, entry.agent, AttemptResult.ANSWERED, entry.at, 0.0)
        wait_s = entry.at - visit.joined_at if entry.wait_s is None else entry.wait_s
        self._forget(visit)
        self._call(visit, entry.outcome, wait_s=float(max(wait_s, 0)), position_out=entry.position)

    # --- ringing ------------------------------------------------------------------------------------

    def rang(self, entry: Rang) -> None:
        """Without a connection. Where the ringing's length is not told, it is put at its end."""
        self._queues.learn(entry.queue)
        visit = self._find(entry.uniqueid, entry.queue, talking=False)
        if visit is None:
            visit = _Visit(entry.queue, entry.uniqueid, entry.at, "", "", 0, entry.at)
        ring_s = entry.ring_s or 0.0
        visit.last_at = entry.at
        self._attempt(visit, entry.agent, entry.result, entry.at - ring_s, ring_s)

    def _attempt(
        self, visit: _Visit, agent: str, result: AttemptResult, started_at: float, ring_s: float
    ) -> None:
        """Several within a second are told apart by a microsecond."""
        if started_at <= visit.last_attempt_at:
            started_at = visit.last_attempt_at + _TICK_S
        visit.attempts += 1
        visit.last_attempt_at = started_at
        queue = self._queues.name(visit.queue)
        id_, name = self._agents.agent(agent)
        self._emit(
            AgentAttempt(self._switchboard, queue, id_, name, result, started_at, ring_s, visit.uniqueid)
        )

    # --- talking ------------------------------------------------------------------------------------

    def connected(self, entry: Connected) -> None:
        self._queues.learn(entry.queue)
        visit = self._find(entry.uniqueid, entry.queue, talking=False)
        if visit is None:
            visit = _Visit(entry.queue, entry.uniqueid, entry.at - entry.hold_s, "", "", 0, entry.at)
            self._add(visit)
        ring_from = _ring_start(entry, visit.joined_at)
        self._attempt(visit, entry.agent, AttemptResult.ANSWERED, ring_from, float(entry.ring_s))
        visit.connected = entry
        visit.last_at = entry.at
        self._talking.setdefault(entry.agent, []).append(visit)

    def completed(self, entry: Completed) -> None:
        """An attended transfer can carry the uniqueid of the agent's second call: his talk is meant then."""
        self._queues.learn(entry.queue)
        visit = self._find(entry.uniqueid, entry.queue, talking=True) or self._talk_of(entry)
        if visit is None:
            joined_at = entry.at - entry.hold_s - entry.talk_s
            visit = _Visit(entry.queue, entry.uniqueid, joined_at, "", "", entry.position, entry.at)
            visit.attempts = 1
        ring_s = 0 if visit.connected is None else visit.connected.ring_s
        visit.position_in = visit.position_in or entry.position
        self._forget(visit)
        self._call(
            visit, Outcome.ANSWERED, agent=entry.agent, wait_s=float(entry.hold_s), ring_s=float(ring_s),
            talk_s=float(entry.talk_s), ended_by=entry.ended_by, transfer_to=entry.transfer_to,
        )  # fmt: skip

    def _talk_of(self, entry: Completed) -> _Visit | None:
        joined_at = entry.at - entry.hold_s - entry.talk_s
        for visit in self._talking.get(entry.agent, ()):
            if _same(visit.queue, entry.queue) and abs(visit.joined_at - joined_at) <= _SAME_CALL_S:
                return visit
        return None

    # --- calls without an end -----------------------------------------------------------------------

    def restarted(self, at: int) -> None:
        """Asterisk has died before, without a line about the calls that it took along; ``at``: when."""
        for visit in self._visits():
            self._lost(visit, at)

    def expire(self, at: int) -> None:
        """Give up the calls of which nothing was told for `LOST_S`, as of the last line about them."""
        for visit in self._visits():
            if visit.last_at < at - LOST_S:
                self._lost(visit, visit.last_at)

    def _visits(self) -> list[_Visit]:
        return [visit for visits in self._open.values() for visit in visits]

    def _lost(self, visit: _Visit, at: int) -> None:
        """As live: an answered call whose end is unknown; a waiting caller's outcome is unknown."""
        self.lost += 1
        self._forget(visit)
        connected = visit.connected
        if connected is None:
            self._call(visit, Outcome.UNKNOWN, wait_s=float(max(at - visit.joined_at, 0)))
        else:
            self._call(
                visit, Outcome.ANSWERED, agent=connected.agent, wait_s=float(connected.hold_s),
                ring_s=float(connected.ring_s), talk_s=float(max(at - connected.at, 0)),
            )  # fmt: skip

    # --- which calls there are ----------------------------------------------------------------------

    def _find(self, uniqueid: str, queue: str, *, talking: bool) -> _Visit | None:
        for visit in self._open.get(uniqueid, ()):
            if (visit.connected is not None) is talking and _same(visit.queue, queue):
                return visit
        return None

    def _add(self, visit: _Visit) -> None:
        self._open.setdefault(visit.uniqueid, []).append(visit)

    def _forget(self, visit: _Visit) -> None:
        _remove(self._open, visit.uniqueid, visit)
        if visit.connected is not None:
            _remove(self._talking, visit.connected.agent, visit)

    def _call(
        self,
        visit: _Visit,
        outcome: Outcome,
        *,
        wait_s: float,
        agent: str = "",
        ring_s: float = 0.0,
        talk_s: float = 0.0,
        ended_by: EndedBy = EndedBy.UNKNOWN,
        position_out: int = 0,
        transfer_to: str = "",
    ) -> None:
        queue = self._queues.name(visit.queue)
        id_, name = self._agents.agent(agent) if agent else ("", "")
        sl_threshold_s, short_abandon_s = self._queues.thresholds(queue)
        self._emit(
            QueueCall(
                self._switchboard, queue, outcome, visit.joined_at, visit.uniqueid,
                "", visit.number, visit.name, id_, name, ended_by, wait_s, ring_s, talk_s,
                visit.position_in, position_out, visit.attempts, sl_threshold_s, short_abandon_s, transfer_to,
            )
        )  # fmt: skip


def _same(queue: str, other: str) -> bool:
    return queue == other or queue.casefold() == other.casefold()


def _remove(index: dict[str, list[_Visit]], key: str, visit: _Visit) -> None:
    visits = index.get(key)
    if visits is not None and visit in visits:
        visits.remove(visit)
        if not visits:
            del index[key]


def _ring_start(entry: Connected, joined_at: int) -> float:
    """The agent's channel is made when he is called: its uniqueid tells when, even with a memberdelay."""
    made = entry.agent_uniqueid.rpartition("-")[2].partition(".")[0]
    if made.isdecimal() and len(made) <= 10 and joined_at - 1 <= int(made) <= entry.at:
        return float(made)
    return float(entry.at - entry.ring_s)
