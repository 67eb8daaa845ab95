"""Making the live state equal to what the switchboard says it is, and telling what was different."""

from __future__ import annotations

from asterpanel_exporter.state.model import (
    Agent,
    AgentState,
    CallInProgress,
    Difference,
    DriftKind,
    Member,
    Queue,
    ResyncReason,
    WaitingCaller,
)
from asterpanel_exporter.state.reducer import DRIFT_GRACE_S, Suspect, SwitchboardState
from asterpanel_exporter.state.snapshot import QueueSnapshot, Snapshot
from asterpanel_switchboard.events import CallerListed, DeviceStatus, MemberReport, QueueListed

_FREE = frozenset(
    {DeviceStatus.NOT_IN_USE, DeviceStatus.INVALID, DeviceStatus.UNAVAILABLE, DeviceStatus.RINGING}
)
_ANOTHER_VISIT_S = 5.0
"""Waiting since so much later than we knew before the connection was lost: he left and has come again."""


def reconcile(
    state: SwitchboardState, snapshot: Snapshot, now: float, reason: ResyncReason, *, whole: bool = True
) -> list[Difference]:
    """Take over a QueueStatus list.

    Args:
        state: changed in place.
        snapshot: the list.
        now: the switchboard's time when the list ended.
        reason: why it was asked for. Differences count as drift only if nothing announced them, and only
            once `DRIFT_GRACE_S` has passed without an event that explains them.
        whole: false if the list may cover a part only (somebody else's request in a recording): then
            nothing is taken away because it is not listed.

    Returns:
        What was different, for the log.
    """
    merge = _Merge(state, now, fresh=reason is ResyncReason.CONNECTED, whole=whole)
    known_agents = set(state.agents)
    for name, listed in snapshot.queues.items():
        merge.queue(name, listed)
    for agent in state.agents.values():
        if agent.id not in known_agents:
            _estimate_since(agent, now)
    if whole:
        for name in [name for name in state.queues if name not in snapshot.queues]:
            merge.differs(DriftKind.QUEUE_VANISHED, name, "", "known", "gone", ("queue", name))
            state.remove_queue(name, now)
    state.known_at(now)
    wanted = state.resync_wanted
    if not (reason.announced or (wanted is not None and wanted.announced)):
        deadline = now + DRIFT_GRACE_S
        state.suspects += [Suspect(deadline, key, difference) for key, difference in merge.differences]
    return [difference for _, difference in merge.differences]


class _Merge:
    def __init__(self, state: SwitchboardState, now: float, *, fresh: bool, whole: bool) -> None:
        self.state = state
        self.now = now
        self.fresh = fresh
        self.whole = whole
        self.differences: list[tuple[tuple[str, ...], Difference]] = []

    def differs(
        self, kind: DriftKind, queue: str, subject: str, ours: object, theirs: object, key: tuple[str, ...]
    ) -> None:
        self.differences.append((key, Difference(kind, queue, subject, str(ours), str(theirs))))

    def queue(self, name: str, listed: QueueSnapshot) -> None:
        queue = self.state.queues.get(name)
        if queue is None:
            queue = self.state.add_queue(name)
            self.differs(DriftKind.QUEUE_APPEARED, name, "", "unknown", "listed", ("queue", name))
            self._take_params(queue, listed.params)
        else:
            before = _params(queue)
            self._take_params(queue, listed.params)
            if before != ("", 0, 0.0, 0) and before != _params(queue):
                self.differs(DriftKind.QUEUE_PARAMETERS, name, "", before, _params(queue), ("queue", name))
        self._members(queue, listed.members)
        self._callers(queue, listed.callers)

    def _take_params(self, queue: Queue, params: QueueListed) -> None:
        taken = (params.strategy, params.max_len, params.service_level_s, params.weight)
        if _params(queue) != taken:
            queue.strategy, queue.max_len, queue.service_level_s, queue.weight = taken
            self.state.touch()
        queue.completed, queue.abandoned = params.completed, params.abandoned

    def _members(self, queue: Queue, reports: list[MemberReport]) -> None:
        listed = {report.interface.casefold(): report for report in reports}
        for key, report in listed.items():
            member = queue.members.get(key)
            if member is None:
                member = self.state.add_member(report, self.now, report.login_time or None)
                self.differs(
                    DriftKind.MEMBER_APPEARED, queue.name, report.interface, "unknown", "listed",
                    ("member", queue.name, key),
                )  # fmt: skip
            else:
                for kind, ours, theirs in (
                    (DriftKind.MEMBER_STATUS, member.status, report.status),
                    (DriftKind.MEMBER_PAUSED, member.paused, report.paused),
                    (DriftKind.MEMBER_PENALTY, member.penalty, report.penalty),
                ):
                    if theirs is not None and ours != theirs:
                        self.differs(
                            kind, queue.name, report.interface, ours, theirs, ("member", queue.name, key)
                        )
                self.state.update_member(member, report, self.now, paused_anew=False)
            if self.fresh:
                self._restore_call(queue, member, report)
                self._restore_wrapup(queue, member)
            elif self.whole:
                self._look_for_unseen_call(queue, member, report)
        if self.whole:
            for key in [key for key in queue.members if key not in listed]:
                member = queue.members[key]
                self.differs(
                    DriftKind.MEMBER_VANISHED, queue.name, member.interface, "member", "gone",
                    ("member", queue.name, key),
                )  # fmt: skip
                self.state.remove_member(member, self.now)
            if self.fresh:
                for call in [call for call in queue.in_progress if call.interface.casefold() not in listed]:
                    self.state.close_call(call, self.now)
            else:
                self._look_for_ended_calls(queue, listed)

    def _look_for_ended_calls(self, queue: Queue, listed: dict[str, MemberReport]) -> None:
        """End calls that two lists, some time apart, say are over: one alone may be ahead of its events.

        InCall alone is no proof, a reload clears it in mid-call; nor is a member who was removed in mid-call.
        """
        for call in list(queue.in_progress):
            report = listed.get(call.interface.casefold())
            if report is None:
                over = not call.by_member
            else:
                over = report.in_call is not True and report.status in _FREE
            if not over:
                call.doubted_at = None
            elif call.doubted_at is None:
                call.doubted_at = self.now
                self.state.want_resync(ResyncReason.DOUBT)
            elif self.now - call.doubted_at >= DRIFT_GRACE_S:
                key = ("call", queue.name, call.interface.casefold())
                self.differs(DriftKind.CALL_VANISHED, queue.name, call.interface, "in progress", "over", key)
                self.state.close_call(call, self.now)

    def _look_for_unseen_call(self, queue: Queue, member: Member, report: MemberReport) -> None:
        """The reverse: begin a call that two lists tell of, and no event."""
        if not report.in_call or self._calls_of(queue, member):
            member.unseen_call_at = None
        elif member.unseen_call_at is None:
            member.unseen_call_at = self.now
            self.state.want_resync(ResyncReason.DOUBT)
        elif self.now - member.unseen_call_at >= DRIFT_GRACE_S:
            found = ("call", queue.name, member.interface.casefold())
            self.differs(DriftKind.CALL_APPEARED, queue.name, report.interface, "none", "in progress", found)
            self._open_listed_call(member, member.unseen_call_at)
            member.unseen_call_at = None

    def _restore_call(self, queue: Queue, member: Member, report: MemberReport) -> None:
        calls = self._calls_of(queue, member)
        if report.in_call and not calls:
            self._open_listed_call(member, self.now)
        elif report.in_call is False or (report.in_call is None and report.status in _FREE):
            for call in calls:
                self.state.close_call(call, self.now)

    def _open_listed_call(self, member: Member, since: float) -> None:
        """Of a call that only a list tells of, no channel is known."""
        call = CallInProgress(member.queue, "", "", "", member.interface, member.agent, since)
        self.state.open_call(call)

    @staticmethod
    def _calls_of(queue: Queue, member: Member) -> list[CallInProgress]:
        key = member.interface.casefold()
        return [call for call in queue.in_progress if call.interface.casefold() == key]

    def _restore_wrapup(self, queue: Queue, member: Member) -> None:
        agent = self.state.agents[member.agent]
        if member.last_call and not agent.calls:
            until = member.last_call + self.state.wrapup_s(queue.name, member)
            self.state.set_wrapup(agent, until, self.now)

    def _callers(self, queue: Queue, callers: list[CallerListed]) -> None:
        ours = {waiting.uniqueid: waiting for waiting in queue.waiting}
        waiting = [self._caller(queue, ours.get(listed.caller.uniqueid), listed) for listed in callers]
        listed_ids = [caller.uniqueid for caller in waiting]
        theirs = set(listed_ids)
        gone = [uniqueid for uniqueid in ours if uniqueid not in theirs]
        if not self.whole and not callers:
            return
        for uniqueid in gone:
            key = ("caller", queue.name, uniqueid)
            self.differs(DriftKind.CALLER_VANISHED, queue.name, uniqueid, "waiting", "gone", key)
        common = [uniqueid for uniqueid in ours if uniqueid in theirs]
        if common != [uniqueid for uniqueid in listed_ids if uniqueid in ours]:
            about_all = ("caller", queue.name)
            self.differs(DriftKind.CALLER_ORDER, queue.name, "", "order", "another order", about_all)
        if queue.waiting != waiting:
            queue.waiting = waiting
            self.state.touch()

    def _caller(self, queue: Queue, ours: WaitingCaller | None, listed: CallerListed) -> WaitingCaller:
        caller = listed.caller
        since = self.now - listed.wait_s
        if ours is not None and not (self.fresh and since > ours.since + _ANOTHER_VISIT_S):
            if ours.priority != listed.priority:
                ours.priority = listed.priority
                self.state.touch()
            return ours
        queue.offered += 1
        key = ("caller", queue.name, caller.uniqueid)
        self.differs(DriftKind.CALLER_APPEARED, queue.name, caller.uniqueid, "unknown", "waiting", key)
        return WaitingCaller(
            caller.uniqueid, caller.channel, caller.number, caller.name, since, listed.priority
        )


def _params(queue: Queue) -> tuple[str, int, float, int]:
    return queue.strategy, queue.max_len, queue.service_level_s, queue.weight


def _estimate_since(agent: Agent, now: float) -> None:
    """Nobody tells since when an agent has been as we found him.

    A pause tells its start; of idleness we know only that it came after his last call and his log-in.
    """
    if agent.state is AgentState.PAUSED:
        agent.since = agent.paused_since or now
    elif agent.state is AgentState.IDLE:
        known = [max(member.last_call, member.since or 0.0) for member in agent.members.values()]
        agent.since = min(max(known, default=0.0) or now, now)
