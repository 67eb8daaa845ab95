"""Pauses and memberships: what has begun, and the record when it has ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from asterpanel_exporter.history.encoding import encode
from asterpanel_exporter.history.records import AgentPause, AgentSession
from asterpanel_exporter.state import Agent, Member, SwitchboardState

AUTO_PAUSE_REASON = "Auto-Pause"
"""What app_queue itself gives as the reason where ``autopause`` is set (``app_queue.c``, ``rna``)."""

SAME_START_S = 1.5
"""LastPause and LoginTime are whole seconds: of two starts so near to each other, the exact one counts."""


@dataclass(slots=True)
class OpenPause:
    """A pause that goes on."""

    agent: str
    agent_name: str
    reason: str
    started_at: float
    by: str = ""


@dataclass(slots=True)
class OpenSession:
    """A membership that goes on. ``interface``: what makes it one, with the queue."""

    queue: str
    interface: str
    agent: str
    agent_name: str
    started_at: float


class Intervals:
    """Follows the memberships and pauses of a live state.

    Attributes:
        changed: keys of `open_items` that have changed since they were last taken.
    """

    def __init__(
        self, switchboard: str, state: SwitchboardState, emit: Callable[[AgentPause | AgentSession], None]
    ) -> None:
        self._switchboard = switchboard
        self._state = state
        self._emit = emit
        self._pauses: dict[str, OpenPause] = {}
        self._sessions: dict[str, OpenSession] = {}
        self._sessions_of: dict[str, set[str]] = {}
        self.changed: set[tuple[str, str]] = set()

    def restore(self, kind: str, text: str) -> None:
        """What was going on when the exporter stopped."""
        data = json.loads(text)
        if kind == "pause":
            pause = OpenPause(**data)
            self._pauses[pause.agent] = pause
        else:
            self._open_session(OpenSession(**data))

    def open_item(self, kind: str, key: str) -> str | None:
        """JSON of something that goes on; None: it does not."""
        item = self._pauses.get(key) if kind == "pause" else self._sessions.get(key)
        return None if item is None else encode(asdict(item))

    def observe(self, agent_ids: Iterable[str], at: float, ended_at: float | None = None) -> None:
        """Something may have changed about these agents.

        Args:
            agent_ids: who.
            at: when it is seen.
            ended_at: when it was last seen as it was before; None: it has changed now.
        """
        for agent_id in agent_ids:
            agent = self._state.agents.get(agent_id)
            self._observe_pause(agent_id, agent, at, at if ended_at is None else ended_at)
            self._observe_sessions(agent_id, agent, at, at if ended_at is None else ended_at)

    def agents(self) -> set[str]:
        """All agents about whom something may have to be told."""
        return {*self._state.agents, *self._pauses, *self._sessions_of}

    # --- pauses -------------------------------------------------------------------------------------

    def _observe_pause(self, agent_id: str, agent: Agent | None, at: float, ended_at: float) -> None:
        known = self._pauses.get(agent_id)
        is_paused = agent is not None and agent.paused
        if known is not None and not (is_paused and agent is not None and _is_same(known, agent)):
            if is_paused and agent is not None and agent.paused_since is not None:
                ended_at = min(ended_at, agent.paused_since)
            self._end_pause(known, ended_at)
            known = None
        if known is None and agent is not None and is_paused:
            by = "autopause" if agent.pause_reason == AUTO_PAUSE_REASON else ""
            since = at if agent.paused_since is None else agent.paused_since
            self._pauses[agent_id] = OpenPause(agent_id, agent.name, agent.pause_reason, since, by)
            self.changed.add(("pause", agent_id))

    def _end_pause(self, pause: OpenPause, at: float) -> None:
        del self._pauses[pause.agent]
        self.changed.add(("pause", pause.agent))
        duration_s = max(0.0, at - pause.started_at)
        self._emit(
            AgentPause(
                self._switchboard,
                pause.agent,
                pause.agent_name,
                pause.reason,
                pause.started_at,
                duration_s,
                pause.by,
            )
        )

    # --- memberships --------------------------------------------------------------------------------

    def _observe_sessions(self, agent_id: str, agent: Agent | None, at: float, ended_at: float) -> None:
        members = {} if agent is None else {_session_key(m): m for m in agent.members.values()}
        known = self._sessions_of.get(agent_id, set())
        for key in sorted(known - members.keys()):
            self._end_session(key, ended_at)
        for key in sorted(members.keys() - known):
            if key in self._sessions:  # it was somebody else's, by the name that the member had
                self._end_session(key, ended_at)
            member = members[key]
            since = at if member.since is None else min(at, member.since)
            name = member.name or agent_id
            self._open_session(OpenSession(member.queue, member.interface, agent_id, name, since))
            self.changed.add(("session", key))

    def _open_session(self, session: OpenSession) -> None:
        key = f"{session.queue}|{session.interface.casefold()}"
        self._sessions[key] = session
        self._sessions_of.setdefault(session.agent, set()).add(key)

    def _end_session(self, key: str, at: float) -> None:
        session = self._sessions.pop(key)
        keys = self._sessions_of[session.agent]
        keys.discard(key)
        if not keys:
            del self._sessions_of[session.agent]
        self.changed.add(("session", key))
        self._emit(
            AgentSession(
                self._switchboard,
                session.queue,
                session.agent,
                session.agent_name,
                session.started_at,
                max(0.0, at - session.started_at),
            )
        )


def _session_key(member: Member) -> str:
    return f"{member.queue}|{member.interface.casefold()}"


def _is_same(known: OpenPause, agent: Agent) -> bool:
    """Whether the pause that is known goes on: in several queues, it is set in one after the other."""
    since = known.started_at if agent.paused_since is None else agent.paused_since
    return agent.pause_reason == known.reason and abs(since - known.started_at) <= SAME_START_S
