"""From typed events to a switchboard's live state.

`SwitchboardState` depends on nothing but the events and the times given to it: the same calls in the same
order make the same state. It does no I/O and reads no clock. (It changes itself in place instead of
returning copies: at thousands of events a second on thousands of members the copies would be the cost.)

Every event is applied idempotently, because around a QueueStatus list Asterisk delivers events that the
list had already taken into account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from asterpanel_exporter.state.agents import (
    busy_state,
    is_paused,
    name_of,
    pause_over,
    state_in,
    state_over,
    take_report,
)
from asterpanel_exporter.state.calls import CallIndex, can_be_optimised_out
from asterpanel_exporter.state.model import (
    Agent,
    CallInProgress,
    Difference,
    Member,
    Queue,
    ResyncReason,
    WaitingCaller,
)
from asterpanel_switchboard.config import QueueSettings
from asterpanel_switchboard.events import (
    AgentEvent,
    AgentStep,
    CallerJoined,
    CallerLeft,
    CallTransferred,
    ChannelGone,
    FullyBooted,
    LiveEvent,
    MemberChange,
    MemberChanged,
    MemberReport,
    ModuleLoaded,
    QueueEntered,
    QueueStatusSet,
    Reloaded,
)
from asterpanel_switchboard.identity import AgentIdentity

DRIFT_GRACE_S = 3.0
"""A difference found by a resync counts only if no event explains it within this time: under load the
events of what a list already shows arrive after it."""

CLOCK_SET_BACK_S = 30.0
"""Events come late by less; a time stamp earlier than the last by more shows a clock that was set back."""

MOST_ENTERING = 10_000
"""Channels about to enter a queue; more are kept only where a filter hides what became of them."""

QUEUE_MODULE = "app_queue"

_REFUSED = frozenset({"FULL", "JOINEMPTY", "JOINUNAVAIL"})


class Suspect(NamedTuple):
    """A difference that an event may still explain. ``key``: see `SwitchboardState.explain`."""

    deadline: float
    key: tuple[str, ...]
    difference: Difference


class SwitchboardState:
    """Queues, waiting callers, members, agents and calls in progress of one switchboard.

    Attributes:
        queues: by name, in the order in which they became known.
        agents: by agent id.
        as_of: time of the newest thing known.
        version: rises with each change.
        resync_wanted: why the whole state should be asked for; None: it need not.
    """

    def __init__(
        self,
        identity: AgentIdentity,
        settings: Callable[[str], QueueSettings] = lambda queue: QueueSettings(),
    ) -> None:
        self.queues: dict[str, Queue] = {}
        self.agents: dict[str, Agent] = {}
        self.as_of = 0.0
        self.version = 0
        self.resync_wanted: ResyncReason | None = None
        self.identity = identity
        self.settings = settings
        self.suspects: list[Suspect] = []
        self._calls = CallIndex()
        self._entering: dict[str, str] = {}
        self._in_wrapup: dict[str, Agent] = {}
        self._drift: list[Difference] = []
        self._handlers: dict[type, Callable[..., None]] = {
            CallerJoined: self._caller_joined,
            CallerLeft: self._caller_left,
            AgentEvent: self._agent_event,
            MemberChanged: self._member_changed,
            QueueEntered: self._queue_entered,
            QueueStatusSet: self._queue_status_set,
            ChannelGone: self._channel_gone,
            CallTransferred: self._call_transferred,
            FullyBooted: self._fully_booted,
            Reloaded: self._reloaded,
            ModuleLoaded: self._module_loaded,
        }

    # --- what happens -------------------------------------------------------------------------------

    def apply(self, event: LiveEvent, now: float) -> None:
        """Take one event. ``now``: the switchboard's time of its arrival, used where it has none itself."""
        at = event.at if event.at is not None else now
        if self._in_wrapup or self.suspects:
            self.advance(at)
        self.known_at(at)
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event, at)

    def known_at(self, at: float) -> None:
        """All is as of this time; an earlier one counts if it shows that the clock was set back."""
        if at > self.as_of or at < self.as_of - CLOCK_SET_BACK_S:
            self.as_of = at

    def advance(self, now: float) -> None:
        """Let time pass: end the wrap-ups that are over, confirm the drift that nothing has explained."""
        for agent in [agent for agent in self._in_wrapup.values() if (agent.wrapup_until or 0.0) <= now]:
            del self._in_wrapup[agent.id]
            ended, agent.wrapup_until = agent.wrapup_until, None
            self.refresh(agent, now if ended is None else ended)
        if self.suspects and min(suspect.deadline for suspect in self.suspects) <= now:
            self._drift += [suspect.difference for suspect in self.suspects if suspect.deadline <= now]
            self.suspects = [suspect for suspect in self.suspects if suspect.deadline > now]

    def next_deadline(self) -> float | None:
        """Time at which `advance` will have something to do, if nothing else happens."""
        times = [agent.wrapup_until for agent in self._in_wrapup.values() if agent.wrapup_until is not None]
        times += [suspect.deadline for suspect in self.suspects]
        return min(times, default=None)

    def take_drift(self) -> list[Difference]:
        """Differences confirmed since the last call."""
        drift, self._drift = self._drift, []
        return drift

    def connection_lost(self) -> None:
        """Events will be missing from now on: forget what only an unbroken stream can finish."""
        self._entering.clear()
        self._calls.forget_uncompleted()
        self.suspects.clear()

    # --- callers ------------------------------------------------------------------------------------

    def _caller_joined(self, event: CallerJoined, at: float) -> None:
        queue = self.queue(event.queue)
        caller = event.caller
        self._entering.pop(caller.uniqueid, None)
        self.explain("caller", queue.name, caller.uniqueid)
        if caller.uniqueid not in [waiting.uniqueid for waiting in queue.waiting]:
            place = max(0, event.position - 1)
            queue.waiting.insert(
                place, WaitingCaller(caller.uniqueid, caller.channel, caller.number, caller.name, at)
            )
            queue.offered += 1
            self.touch()
        self._check_count(queue, event.count)

    def _caller_left(self, event: CallerLeft, at: float) -> None:
        queue = self.queue(event.queue)
        self.explain("caller", queue.name, event.uniqueid)
        self._take_out(queue, event.uniqueid)
        self._check_count(queue, event.count)

    def _take_out(self, queue: Queue, uniqueid: str) -> None:
        for index, waiting in enumerate(queue.waiting):
            if waiting.uniqueid == uniqueid:
                del queue.waiting[index]
                self.touch()
                return

    def _check_count(self, queue: Queue, count: int | None) -> None:
        if count is not None and count != len(queue.waiting):
            self.want_resync(ResyncReason.COUNT_MISMATCH)

    def _queue_entered(self, event: QueueEntered, at: float) -> None:
        self._entering[event.caller.uniqueid] = event.queue
        if len(self._entering) > MOST_ENTERING:
            del self._entering[next(iter(self._entering))]

    def _queue_status_set(self, event: QueueStatusSet, at: float) -> None:
        name = self._entering.pop(event.uniqueid, None)
        if name is None or event.value not in _REFUSED:
            return
        # The dialplan's spelling; the canonical one if we know it (app_queue.c: queue_hash_cb ignores case).
        known = (known for known in self.queues if known.casefold() == name.casefold())
        queue = self.queue(next(known, name))
        queue.offered += 1
        self.touch()

    # --- calls in progress --------------------------------------------------------------------------

    def _agent_event(self, event: AgentEvent, at: float) -> None:
        if event.step is AgentStep.CONNECTED:
            self._agent_connected(event, at)
        elif event.step is AgentStep.COMPLETED:
            self._agent_completed(event, at)

    def _agent_connected(self, event: AgentEvent, at: float) -> None:
        queue = self.queue(event.queue)
        uniqueid = event.uniqueid
        if uniqueid:
            self._take_out(queue, uniqueid)
        if self._calls.of_connect(event) is not None:
            return
        for call in self._calls.without_ids(queue.name, event.interface):
            if at - call.since <= DRIFT_GRACE_S:  # a list was ahead of its events, and has told of it already
                self.close_call(call, at)
                break
        agent_id = self.identity(event.interface, event.member_name)
        self.open_call(
            CallInProgress(
                queue.name,
                uniqueid,
                event.dest_uniqueid,
                event.dest_channel,
                event.interface,
                agent_id,
                at,
                by_member=event.interface.casefold() in queue.members,
            )
        )

    def open_call(self, call: CallInProgress) -> None:
        """Add a call in progress, to its queue and its agent."""
        queue = self.queue(call.queue)
        queue.in_progress.append(call)
        self.touch()
        self._calls.add(call)
        agent = self.agent(call.agent, call.since)
        agent.calls.append(call)
        self.refresh(agent, call.since)

    def _agent_completed(self, event: AgentEvent, at: float) -> None:
        queue = self.queues.get(event.queue)
        call, is_open = self._calls.of_complete(event, queue.in_progress if queue is not None else ())
        if call is None:
            agent_id = self.identity(event.interface, event.member_name)
        else:
            agent_id = call.agent
            if is_open:
                self.close_call(call, at)
            self._calls.completed(call)
        self._begin_wrapup(agent_id, event.queue, event.interface, at)

    def close_call(self, call: CallInProgress, at: float) -> None:
        """End a call in progress."""
        queue = self.queue(call.queue)
        queue.in_progress.remove(call)
        self.touch()
        self._calls.remove(call)
        agent = self.agents.get(call.agent)
        if agent is not None:
            agent.calls.remove(call)
            self.refresh(agent, at)

    def _channel_gone(self, event: ChannelGone, at: float) -> None:
        self._entering.pop(event.uniqueid, None)
        for call in self._calls.with_channel(event.uniqueid):
            if event.uniqueid == call.uniqueid or not can_be_optimised_out(call):
                self._close_before_complete(call, at)

    def _call_transferred(self, event: CallTransferred, at: float) -> None:
        for uniqueid in event.uniqueids:
            for call in self._calls.with_channel(uniqueid):
                self._close_before_complete(call, at)

    def _close_before_complete(self, call: CallInProgress, at: float) -> None:
        self.close_call(call, at)
        self._calls.await_complete(call)
        self._begin_wrapup(call.agent, call.queue, call.interface, at)

    def _begin_wrapup(self, agent_id: str, queue_name: str, interface: str, at: float) -> None:
        agent = self.agents.get(agent_id)
        if agent is None or not agent.members:
            return
        member = agent.members.get((queue_name, interface.casefold()))
        self.set_wrapup(agent, at + self.wrapup_s(queue_name, member), at)

    def wrapup_s(self, queue_name: str, member: Member | None) -> float:
        """Wrap-up time after a call: the member's own, else the queue's from the configuration, else 0."""
        if member is not None and member.wrapup_s > 0:
            return member.wrapup_s
        return self.settings(queue_name).wrapup_time_s or 0.0

    def set_wrapup(self, agent: Agent, until: float, at: float) -> None:
        """Let an agent's wrap-up last until a time; no effect if that is not in the future."""
        if until <= at or (agent.wrapup_until is not None and agent.wrapup_until >= until):
            return
        agent.wrapup_until = until
        self._in_wrapup[agent.id] = agent
        self.touch()
        self.refresh(agent, at)

    # --- members and agents -------------------------------------------------------------------------

    def _member_changed(self, event: MemberChanged, at: float) -> None:
        report = event.member
        queue = self.queue(report.queue)
        key = report.interface.casefold()
        self.explain("member", queue.name, key)
        if event.change is MemberChange.REMOVED:
            member = queue.members.get(key)
            if member is not None:
                self.remove_member(member, at)
            return
        member = queue.members.get(key)
        if member is None:
            if event.change is not MemberChange.ADDED:
                self.want_resync(ResyncReason.UNKNOWN_QUEUE)
            since = at if event.change is MemberChange.ADDED else None
            anew = event.change in (MemberChange.ADDED, MemberChange.PAUSE)
            self.add_member(report, at, since, paused_anew=anew)
        else:
            self.update_member(member, report, at, paused_anew=event.change is MemberChange.PAUSE)

    def add_member(
        self, report: MemberReport, at: float, since: float | None, *, paused_anew: bool = False
    ) -> Member:
        """A membership not known before. ``since``: its start where an event told it."""
        queue = self.queue(report.queue)
        agent = self.agent(self.identity(report.interface, report.name), at)
        member = Member(queue.name, report.interface, agent.id, name=report.name, since=since)
        queue.members[report.interface.casefold()] = member
        agent.members[member.key] = member
        self.touch()
        self.update_member(member, report, at, paused_anew=paused_anew)
        self._rename(agent)
        return member

    def update_member(self, member: Member, report: MemberReport, at: float, *, paused_anew: bool) -> None:
        """Take over what a report tells. ``paused_anew``: a pause began now, even if one was on already."""
        if take_report(member, report, at, paused_anew=paused_anew):
            self.touch()
        agent = self.agents[member.agent]
        if report.name and report.name != member.name:
            member.name = report.name
            agent = self._identify_anew(member, at)
            self._rename(agent)
        self.refresh(agent, at)

    def _identify_anew(self, member: Member, at: float) -> Agent:
        """The agent of a member whose name has changed: by MemberName he may be another one now."""
        before = self.agents[member.agent]
        agent_id = self.identity(member.interface, member.name)
        if agent_id == before.id:
            return before
        del before.members[member.key]
        self._rename(before)
        self.refresh(before, at)
        agent = self.agent(agent_id, at)
        member.agent = agent_id
        agent.members[member.key] = member
        self.touch()
        return agent

    def remove_member(self, member: Member, at: float) -> None:
        """End a membership."""
        queue = self.queues[member.queue]
        del queue.members[member.interface.casefold()]
        self.touch()
        agent = self.agents[member.agent]
        del agent.members[member.key]
        self._rename(agent)
        self.refresh(agent, at)

    def agent(self, agent_id: str, at: float) -> Agent:
        """The agent with this id, made if he is new."""
        agent = self.agents.get(agent_id)
        if agent is None:
            self.touch()
            agent = self.agents[agent_id] = Agent(agent_id, at, name=agent_id)
        return agent

    def _rename(self, agent: Agent) -> None:
        """After a change of his memberships, which are shown with him."""
        agent.name = name_of(agent)
        self.touch()

    def refresh(self, agent: Agent, at: float) -> None:
        """Work out an agent's state anew, after anything that it follows from has changed."""
        members = agent.members.values()
        if not members and not agent.calls:
            self.agents.pop(agent.id, None)
            self._in_wrapup.pop(agent.id, None)
            self.touch()
            return
        busy = busy_state(agent)
        for member in members:
            own = state_in(member, busy)
            if own is not member.state:
                member.state = own
                self.touch()
        before = (agent.state, agent.paused, agent.pause_reason, agent.paused_since)
        now = (state_over(members, busy), is_paused(members), *pause_over(members))
        if now != before:
            if now[0] is not agent.state:
                agent.since = at
            agent.state, agent.paused, agent.pause_reason, agent.paused_since = now
            self.touch()

    # --- the switchboard itself ---------------------------------------------------------------------

    def _fully_booted(self, event: FullyBooted, at: float) -> None:
        self.want_resync(ResyncReason.BOOTED)

    def _reloaded(self, event: Reloaded, at: float) -> None:
        self.want_resync(ResyncReason.RELOADED)

    def _module_loaded(self, event: ModuleLoaded, at: float) -> None:
        if event.module != QUEUE_MODULE:
            return
        if event.loaded:
            self.want_resync(ResyncReason.RELOADED)
        else:
            for name in list(self.queues):
                self.remove_queue(name, at)

    def queue(self, name: str) -> Queue:
        """The queue with this name, made if it is new (realtime queues appear without notice)."""
        queue = self.queues.get(name)
        if queue is None:
            queue = self.add_queue(name)
            self.want_resync(ResyncReason.UNKNOWN_QUEUE)
        return queue

    def add_queue(self, name: str) -> Queue:
        """A queue not known before."""
        queue = self.queues[name] = Queue(name)
        self.touch()
        return queue

    def remove_queue(self, name: str, at: float) -> None:
        """Drop a queue with its members and calls."""
        queue = self.queues[name]
        for call in list(queue.in_progress):
            self.close_call(call, at)
        for member in list(queue.members.values()):
            self.remove_member(member, at)
        self._calls.forget_uncompleted(name)
        del self.queues[name]
        self.touch()

    def touch(self) -> None:
        """Something has changed that is shown."""
        self.version += 1

    def want_resync(self, reason: ResyncReason) -> None:
        """Ask for a resync; the first reason stands, but one that announces news wins over suspicion."""
        if self.resync_wanted is None or (reason.announced and not self.resync_wanted.announced):
            self.resync_wanted = reason

    def take_resync(self) -> ResyncReason | None:
        """Why the whole state should be asked for; whoever takes it does so."""
        reason, self.resync_wanted = self.resync_wanted, None
        return reason

    def explain(self, *key: str) -> None:
        """An event told of this caller or member: what a resync found different about it is no drift.

        Keys: ``("caller", queue, uniqueid)``, ``("member", queue, interface in lower case)``.
        """
        if self.suspects:
            about_queue = (key[0], key[1])
            self.suspects = [s for s in self.suspects if s.key not in (key, about_queue)]
