"""Pauses and memberships out of the entries of a queue_log.

The log knows only dynamic members' memberships as such; that a static member belongs to a queue is seen when
it is paused or rung there, or was seen live. A pause is, as live, a pause in every queue that the agent is
known to belong to, and the latest line gives its start and reason. After PAUSEALL (UNPAUSEALL) comes one line
for each of his queues: then all of them are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from asterpanel_exporter.history.records import AgentPause, AgentSession
from asterpanel_exporter.queue_log.agents import Agents
from asterpanel_exporter.queue_log.entries import MemberChanged, PauseChanged
from asterpanel_exporter.queue_log.queues import Queues

AUTO_PAUSE: Final = "Auto-Pause"
"""Reason of a pause that ``autopause`` has set (``rna`` in ``app_queue.c``)."""

AUTO_UNPAUSE: Final = "Auto-Unpause"
"""Reason of an UNPAUSE that only makes room for the PAUSE with another reason in the next line."""

_ONE_AFTER_THE_OTHER_S: Final = 2
"""Within it, pauses in several queues with one reason are one pause."""


@dataclass(frozen=True, slots=True)
class _Pause:
    started_at: int
    reason: str


@dataclass(slots=True)
class _Agent:
    """``queues``: that he is known to belong to, with his pause there; ``pause``: the one in all of them."""

    id: str
    name: str
    queues: dict[str, _Pause | None] = field(default_factory=dict)
    pause: _Pause | None = None


class Presence:
    """Follows the pauses and memberships of one log.

    Args:
        members: (agent's id, queue) of memberships that are known beforehand.

    Attributes:
        unknown: memberships that ended and whose beginning is in no file.
    """

    def __init__(
        self,
        switchboard: str,
        agents: Agents,
        queues: Queues,
        emit: Callable[[AgentPause | AgentSession], None],
        members: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._switchboard = switchboard
        self._agent_of = agents
        self._queues = queues
        self._emit = emit
        self._agents: dict[str, _Agent] = {}
        for id_, queue in members:
            self._agents.setdefault(id_, _Agent(id_, "")).queues[queue.casefold()] = None
        self._sessions: dict[tuple[str, str], MemberChanged] = {}
        self._died_at: int | None = None
        self.unknown = 0

    @property
    def open_pauses(self) -> int:
        return sum(agent.pause is not None for agent in self._agents.values())

    @property
    def open_sessions(self) -> int:
        return len(self._sessions)

    def restarted(self, at: int) -> None:
        """Pauses and memberships outlive it where ``persistentmembers`` is on, as it is by default."""
        self._died_at = at

    # --- pauses -------------------------------------------------------------------------------------

    def pause_changed(self, entry: PauseChanged) -> None:
        agent = self._agent(entry.agent)
        if not entry.queue:
            agent.queues.clear()
            return
        self._queues.learn(entry.queue)
        if entry.paused:
            agent.queues[entry.queue.casefold()] = _Pause(entry.at, entry.reason)
            self._observe(agent, entry.at)
        elif entry.reason != AUTO_UNPAUSE:
            agent.queues[entry.queue.casefold()] = None
            self._observe(agent, entry.at)

    def rung(self, column: str, queue: str) -> None:
        """A phone that rings for a queue belongs to it, unpaused: a pause in the others was not in all."""
        agent = self._agent(column)
        if queue.casefold() not in agent.queues:
            agent.queues[queue.casefold()] = None
            agent.pause = None

    def _agent(self, column: str) -> _Agent:
        id_, name = self._agent_of.agent(column)
        agent = self._agents.get(id_)
        if agent is None:
            agent = self._agents[id_] = _Agent(id_, name)
        agent.name = name
        return agent

    def _observe(self, agent: _Agent, at: int) -> None:
        """His pauses have changed at that time: end the one that was, begin the one that is."""
        pauses = list(agent.queues.values())
        now = None
        if pauses and None not in pauses:
            now = max((p for p in reversed(pauses) if p is not None), key=lambda pause: pause.started_at)
        if agent.pause is not None and not _goes_on(agent.pause, now):
            # Replaced within the second, it was only a step on the way.
            if now is None or at > agent.pause.started_at:
                self._end(agent, agent.pause, at)
            agent.pause = None
        if agent.pause is None:
            agent.pause = now

    def _end(self, agent: _Agent, pause: _Pause, at: int) -> None:
        by = "autopause" if pause.reason == AUTO_PAUSE else ""
        duration_s = float(max(at - pause.started_at, 0))
        self._emit(
            AgentPause(
                self._switchboard, agent.id, agent.name, pause.reason, pause.started_at, duration_s, by
            )
        )

    # --- memberships --------------------------------------------------------------------------------

    def member_changed(self, entry: MemberChanged) -> None:
        agent = self._agent(entry.agent)
        queue = entry.queue.casefold()
        started = self._sessions.pop((queue, agent.id), None)
        if entry.added:
            if started is not None and started.at < entry.at:
                self._end_session(agent, started, self._end_before(started, entry.at))
            self._sessions[queue, agent.id] = entry
            agent.queues[queue] = _Pause(entry.at, "") if entry.paused else None
        else:
            agent.queues.pop(queue, None)
            if started is None:
                self.unknown += 1
            elif started.at <= entry.at:
                self._end_session(agent, started, entry.at)
        self._observe(agent, entry.at)

    def _end_before(self, started: MemberChanged, at: int) -> int:
        """Added again without having been removed: a restart between the two has ended the membership."""
        died_at = self._died_at
        return died_at if died_at is not None and started.at <= died_at <= at else at

    def _end_session(self, agent: _Agent, started: MemberChanged, at: int) -> None:
        queue = self._queues.name(started.queue)
        duration_s = float(at - started.at)
        self._emit(AgentSession(self._switchboard, queue, agent.id, agent.name, started.at, duration_s))


def _goes_on(pause: _Pause, now: _Pause | None) -> bool:
    return (
        now is not None
        and now.reason == pause.reason
        and 0 <= now.started_at - pause.started_at <= _ONE_AFTER_THE_OTHER_S
    )
