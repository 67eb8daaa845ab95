"""Every queue call from its join to its true end, by what AMI tells of it.

How each ending looks in the events, by version, was seen on Asterisk 16 and 22 (recorded sessions are among
the tests) or read in ``apps/app_queue.c``. Nothing is decided by when events arrive, only by their own times:
two exporters that see the same events tell the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from asterpanel_exporter.history.call_records import ring_time_s
from asterpanel_exporter.history.open_visits import OpenVisits
from asterpanel_exporter.history.records import AttemptResult, EndedBy, Outcome
from asterpanel_exporter.history.talks import Talks
from asterpanel_exporter.history.visit import Ringing, Visit, result_of_hangup
from asterpanel_switchboard.events import (
    AgentEvent,
    AgentStep,
    Caller,
    CallerAbandoned,
    CallerJoined,
    CallerLeft,
    CallerListed,
    CallTransferred,
    ChannelGone,
    ConsultationBegun,
    DialCancelled,
    LiveEvent,
    QueueEntered,
    QueueStatusSet,
)

HOLD_S: Final = 2.0
"""A decided call is told of after this time: a restart of the switchboard hangs up all calls as if the
callers did, and only then says that it shuts down."""

HANGUP_GRACE_S: Final = 30.0
"""A caller who gave up hangs up at once, unless the dialplan has something to do for its ``h`` extension."""

HANGUP_HANDLED_S: Final = 2.0
"""Whoever hangs up so much later, and elsewhere in the dialplan, was sent there: what a dialplan has to do at
a hang-up takes less. (Asterisk 16 has no event for a waiting caller who is redirected.)"""

CONNECT_GRACE_S: Final = 600.0
"""A subroutine (``membergosub``, AGI) can run between the caller's leaving the queue and AgentConnect."""

MOST_ENTERING: Final = 10_000
"""Channels about to enter a queue; more are kept only where a filter hides what became of them."""

_OUTCOMES: Final = {
    "TIMEOUT": Outcome.TIMEOUT,
    "JOINEMPTY": Outcome.JOIN_EMPTY,
    "LEAVEEMPTY": Outcome.LEAVE_EMPTY,
    "JOINUNAVAIL": Outcome.JOIN_UNAVAIL,
    "LEAVEUNAVAIL": Outcome.LEAVE_UNAVAIL,
    "FULL": Outcome.FULL,
    "CONTINUE": Outcome.CONTINUE,
    "WITHDRAW": Outcome.WITHDRAWN,
}
"""By QUEUESTATUS (``queue_results`` in ``app_queue.c``); UNKNOWN there means that there is no such queue."""

_ABANDON_TOLD: Final = frozenset(
    {Outcome.TIMEOUT, Outcome.LEAVE_EMPTY, Outcome.LEAVE_UNAVAIL, Outcome.WITHDRAWN}
)
"""Before these, too, app_queue sends QueueCallerAbandon, and counts them as abandoned."""

_REFUSED: Final = frozenset({"FULL", "JOINEMPTY", "JOINUNAVAIL"})

_ENDED_BY: Final = {"caller": EndedBy.CALLER, "agent": EndedBy.AGENT}


class CallTracker:
    """Follows the calls of one switchboard.

    Attributes:
        visits: those that have no record yet.
        sees_dialplan: the manager user may read the dialplan's events, without which a time-out cannot be
            told from a caller who gave up.
        lacks_dialplan: a caller came into a queue without those events.
        untold: calls whose outcome is unknown for want of them.
    """

    def __init__(
        self,
        identity: Callable[[str, str], str],
        emit_call: Callable[[Visit, Outcome], None],
        emit_attempt: Callable[[Visit, Ringing, AttemptResult, float], None],
        offered: Callable[[str], None],
        counted: Callable[[Visit], None],
        completed_untold: Callable[[AgentEvent, float], None],
        was_missed: Callable[[AgentEvent, float], bool],
    ) -> None:
        self._identity = identity
        self._emit_call = emit_call
        self._emit_attempt = emit_attempt
        self._offered = offered
        self._counted = counted
        self._completed_untold = completed_untold
        self._was_missed = was_missed
        self.sees_dialplan = False
        self.lacks_dialplan = False
        self.untold = 0
        self.visits = OpenVisits()
        self._talks = Talks()
        self._entering: dict[str, QueueEntered] = {}
        self._gone: list[Visit] = []
        self._handlers: dict[type, Callable[..., None]] = {
            CallerJoined: self._caller_joined,
            CallerLeft: self._caller_left,
            CallerAbandoned: self._caller_abandoned,
            AgentEvent: self._agent_event,
            QueueEntered: self._queue_entered,
            QueueStatusSet: self._queue_status_set,
            DialCancelled: self._dial_cancelled,
            ConsultationBegun: self._consultation_begun,
            ChannelGone: self._channel_gone,
            CallTransferred: self._call_transferred,
        }

    # --- time ---------------------------------------------------------------------------------------

    def apply(self, event: LiveEvent, at: float) -> None:
        """Take one event; what was due before it is decided first."""
        due_at = self.visits.next_due()
        if due_at is not None and due_at <= at:
            self.advance(at)
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event, at)

    def advance(self, now: float) -> None:
        """Decide what is due, in the order of its time."""
        while (due := self.visits.take_due(now)) is not None:
            self._decide(*due)

    def _decide(self, visit: Visit, at: float) -> None:
        """Nothing else has happened."""
        may_hang_up_at = (visit.left_at or at) + HANGUP_GRACE_S
        if visit.is_undecided and self._may_be_redirected(visit) and not visit.moved and at < may_hang_up_at:
            self.visits.set_due(visit, may_hang_up_at)
            return
        if visit.outcome is None:
            self._settle(visit, self._outcome(visit), at)
        self._finish(visit)

    def _may_be_redirected(self, visit: Visit) -> bool:
        return visit.given_up and self.sees_dialplan and not visit.hung_up

    def _outcome(self, visit: Visit) -> Outcome:
        """Of a visit of which nothing tells any more."""
        if visit.is_talking or visit.is_waiting:
            return Outcome.UNKNOWN
        if visit.connected_at is not None:
            return Outcome.ANSWERED
        if visit.given_up:
            if not self.sees_dialplan:
                self.untold += 1
                return Outcome.UNKNOWN
            return Outcome.ABANDONED if visit.hung_up and not visit.moved else Outcome.REDIRECTED
        was_answered = any(not ringing.stale and ringing.stopped_at is None for ringing in visit.ringing)
        return Outcome.UNKNOWN if was_answered else Outcome.EXIT_KEY

    def _settle(self, visit: Visit, outcome: Outcome, at: float) -> None:
        """The outcome is certain; the record waits for a shutdown that may explain it."""
        visit.outcome = outcome
        if visit.left_at is None:
            visit.left_at = at
        self.visits.touch(visit)
        self.visits.set_due(visit, at + HOLD_S)

    def _finish(self, visit: Visit) -> None:
        """Tell of the call and of the attempts that nothing has ended, and forget it.

        An answered call is remembered until its AgentComplete: that may come after a restart of the exporter,
        and must not be taken for another call.
        """
        self.visits.set_due(visit, None)
        end = visit.left_at if visit.connected_at is None else visit.connected_at
        for ringing in list(visit.ringing):
            if not ringing.stale:
                stopped = ringing.stopped_at is not None
                result = AttemptResult.NO_ANSWER if stopped else AttemptResult.CANCELLED
                self._end_attempt(visit, ringing, result, end or ringing.started_at)
        self._emit_call(visit, visit.outcome or Outcome.UNKNOWN)
        if visit.connected_at is None or visit.is_complete:
            self._forget(visit)
        else:
            visit.told = True
            self._lose(visit)

    def _forget(self, visit: Visit) -> None:
        self.visits.forget(visit)
        self._talks.forget(visit)

    # --- waiting ------------------------------------------------------------------------------------

    def _caller_joined(self, event: CallerJoined, at: float) -> None:
        caller = event.caller
        entered = self._entering.pop(caller.uniqueid, None)
        self.lacks_dialplan = entered is None and not self.sees_dialplan
        known = self.visits.find(event.queue, caller.uniqueid, lambda visit: _is_joined(visit, at))
        if known is not None and not known.listed:
            return
        if known is not None:  # the list was ahead of its events
            self._forget(known)
        else:
            self._offered(event.queue)
        visit = _visit(event.queue, caller, at, event.position)
        if entered is not None:
            visit.context, visit.extension = entered.context, entered.extension
        self.visits.add(visit)

    def _caller_left(self, event: CallerLeft, at: float) -> None:
        visit = self.visits.find(event.queue, event.uniqueid, lambda visit: visit.is_waiting)
        if visit is None:
            return
        visit.left_at = at
        visit.position_out = event.position or visit.position_out
        self.visits.touch(visit)
        self._look_at_left(visit, at)

    def _look_at_left(self, visit: Visit, at: float) -> None:
        """Who has left is connected next, or something tells what became of him."""
        may_be_connected = not visit.given_up and any(r.stopped_at is None for r in visit.ringing)
        if visit.given_up and visit.hung_up and self.sees_dialplan:
            self._settle(visit, self._outcome(visit), at)
        elif may_be_connected and not visit.hung_up:
            self.visits.set_due(visit, (visit.left_at or at) + CONNECT_GRACE_S)
        else:
            self.visits.set_due(visit, at + HOLD_S)

    def _caller_abandoned(self, event: CallerAbandoned, at: float) -> None:
        visit = self.visits.find(event.queue, event.uniqueid, lambda visit: visit.is_waiting)
        if visit is not None:
            visit.given_up = True
            visit.position_out = event.position or visit.position_out
            self.visits.touch(visit)
            self._counted(visit)

    def _queue_entered(self, event: QueueEntered, at: float) -> None:
        self.sees_dialplan = True
        uniqueid = event.caller.uniqueid
        visits = [visit for visit in self.visits.of_caller(uniqueid) if not visit.lost]
        for visit in visits:  # he cannot ask for another place from there: he is, or was, sent elsewhere
            if visit.is_waiting or (visit.is_undecided and visit.given_up):
                visit.moved = True
                self.visits.touch(visit)
        if not any(visit.is_waiting for visit in visits):
            self._entering[uniqueid] = event
            if len(self._entering) > MOST_ENTERING:
                del self._entering[next(iter(self._entering))]

    def _queue_status_set(self, event: QueueStatusSet, at: float) -> None:
        self.sees_dialplan = True
        outcome = _OUTCOMES.get(event.value)
        entering = self._entering.pop(event.uniqueid, None)
        undecided = [visit for visit in self.visits.of_caller(event.uniqueid) if visit.is_undecided]
        if outcome is None:
            return
        if event.value in _REFUSED:  # whoever has been in a queue was not refused by it, but by the next one
            if entering is not None:
                self._refused(entering, outcome, at)
        elif undecided:
            if outcome in _ABANDON_TOLD and not undecided[-1].given_up:  # before we watched
                undecided[-1].given_up = True
                self._counted(undecided[-1])
            self._settle(undecided[-1], outcome, at)

    def _refused(self, entering: QueueEntered, outcome: Outcome, at: float) -> None:
        visit = _visit(entering.queue, entering.caller, at, 0)
        self._offered(entering.queue)
        self.visits.add(visit)
        self._settle(visit, outcome, at)

    # --- ringing ------------------------------------------------------------------------------------

    def _agent_event(self, event: AgentEvent, at: float) -> None:
        match event.step:
            case AgentStep.CALLED:
                self._agent_called(event, at)
            case AgentStep.CONNECTED:
                self._agent_connected(event, at)
            case AgentStep.COMPLETED:
                self._agent_completed(event, at)
            case AgentStep.NOT_ANSWERED:
                self._agent_did_not_answer(event, at)
            case AgentStep.DUMPED:
                self._agent_dumped(event, at)

    def _agent_called(self, event: AgentEvent, at: float) -> None:
        visit = self.visits.find(event.queue, event.uniqueid, lambda visit: visit.is_waiting)
        if visit is None or self.visits.with_ringing(event.dest_uniqueid) is not None:
            return
        agent = self._identity(event.interface, event.member_name)
        ringing = Ringing(event.interface, agent, event.member_name or agent, event.dest_uniqueid, at)
        self.visits.add_ringing(visit, ringing)

    def _visit_ringing(self, event: AgentEvent) -> tuple[Visit, Ringing] | None:
        found = self.visits.with_ringing(event.dest_uniqueid)
        if found is not None or event.dest_uniqueid:
            return found
        visit = self.visits.find(event.queue, event.uniqueid, lambda visit: bool(visit.ringing))
        ringing = None if visit is None else visit.ringing_on("", event.interface)
        return None if visit is None or ringing is None else (visit, ringing)

    def _agent_did_not_answer(self, event: AgentEvent, at: float) -> None:
        """Whether the phone refused, the cause of its channel's Hangup tells, which comes next."""
        found = self._visit_ringing(event)
        if found is not None and found[1].stopped_at is None:
            visit, ringing = found
            ringing.stopped_at = at
            self.visits.touch(visit)

    def _agent_dumped(self, event: AgentEvent, at: float) -> None:
        """With ``memberdelay`` he has picked up and hung up again before he was connected."""
        found = self._visit_ringing(event)
        if found is not None:
            self._end_attempt(*found, AttemptResult.ANSWERED, at)

    def _dial_cancelled(self, event: DialCancelled, at: float) -> None:
        found = self.visits.with_ringing(event.dest_uniqueid)
        if found is not None and found[1].stopped_at is None:
            self._end_attempt(*found, AttemptResult.CANCELLED, at)
            self._look_again(found[0], at)

    def _end_attempt(self, visit: Visit, ringing: Ringing, result: AttemptResult, at: float) -> None:
        self.visits.remove_ringing(visit, ringing)
        self._emit_attempt(visit, ringing, result, at if ringing.stopped_at is None else ringing.stopped_at)

    def _look_again(self, visit: Visit, at: float) -> None:
        if visit.is_undecided:
            self._look_at_left(visit, at)

    # --- talking ------------------------------------------------------------------------------------

    def _agent_connected(self, event: AgentEvent, at: float) -> None:
        found = self._visit_ringing(event)
        visit = found[0] if found is not None else None
        if visit is None or (event.uniqueid and visit.uniqueid != event.uniqueid):
            visit = self.visits.find(event.queue, event.uniqueid, lambda v: v.connected_at is None)
        if self._talks.has_begun(event) or (visit is not None and visit.connected_at is not None):
            return
        if visit is None:
            visit = self._unseen(event, at - (event.hold_s or 0.0))
        self._connect(visit, event, at)
        self._talks.begin(visit)
        if found is not None and found[0] is visit:
            ringing = found[1]
            visit.ring_s = ring_time_s(at - ringing.started_at, event.ring_s)
            ringing.stopped_at = ringing.started_at + visit.ring_s
            self._end_attempt(visit, ringing, AttemptResult.ANSWERED, at)

    def _connect(self, visit: Visit, event: AgentEvent, at: float) -> None:
        self.visits.set_due(visit, None)
        visit.connected_at = at
        visit.left_at = at if visit.left_at is None else visit.left_at
        visit.outcome = None
        visit.interface = event.interface
        visit.agent = self._identity(event.interface, event.member_name)
        visit.agent_name = event.member_name or visit.agent
        visit.dest_uniqueid, visit.dest_channel = event.dest_uniqueid, event.dest_channel
        self.visits.touch(visit)

    def _unseen(self, event: AgentEvent, joined_at: float) -> Visit:
        """A call that began before we watched. Of its join Asterisk tells only the seconds since."""
        caller = Caller(event.uniqueid, "", "", event.number, event.name)
        visit = _visit(event.queue, caller, joined_at, 0)
        visit.listed = True
        self._offered(event.queue)
        self.visits.add(visit)
        return visit

    def _agent_completed(self, event: AgentEvent, at: float) -> None:
        is_known, visit = self._talks.complete(event)
        told = self.visits.told(event) if visit is None else None
        if told is not None:
            self._forget(told)
            return
        if not is_known:
            if self._is_completed(event) or self._was_missed(event, at):
                return
            visit = self._completed_unseen(event, at)
            if visit is None:
                self._completed_untold(event, at)
        if visit is None:
            return
        visit.is_complete = True
        self._complete(visit)
        if visit.ended_at is None:
            visit.ended_at = at
        if visit.ended_by is None:
            visit.ended_by = _ENDED_BY.get(event.reason)
        if visit.ended_by is None:  # a transfer, of which an event is still to come
            self.visits.touch(visit)
            self.visits.set_due(visit, at + HOLD_S)
        else:
            self._settle(visit, Outcome.ANSWERED, at)

    def _is_completed(self, event: AgentEvent) -> bool:
        """The same was told before, of a call whose record waits."""
        return any(
            visit.is_complete
            and visit.queue == event.queue
            and visit.interface == event.interface
            and (visit.uniqueid == event.uniqueid or visit.dest_uniqueid == event.dest_uniqueid)
            for visit in self.visits
        )

    def _completed_unseen(self, event: AgentEvent, at: float) -> Visit | None:
        """AgentConnect was not seen. What Asterisk itself says of the call is exact to a second.

        None: without a Uniqueid nothing could tell this call from another.
        """
        if not event.uniqueid:
            return None
        talk_s, hold_s = event.talk_s or 0.0, event.hold_s or 0.0
        visit = self.visits.find(
            event.queue, event.uniqueid, lambda v: v.ended_at is None and v.outcome is None
        )
        if visit is None:
            visit = self._unseen(event, at - talk_s - hold_s)
        if visit.connected_at is None:
            self._connect(visit, event, min(at, max(visit.joined_at, at - talk_s)))
        return visit

    def _end_talk(self, visit: Visit, at: float) -> None:
        """The talk is over before its AgentComplete, which alone tells by whom, but for transfers."""
        self._talks.end(visit)
        self._complete(visit)
        visit.ended_at = at
        self.visits.touch(visit)
        self.visits.set_due(visit, at + HOLD_S)

    def _complete(self, visit: Visit) -> None:
        """app_queue counts a call when its talk ends, however it does, and not at AgentComplete: that of a
        redirected caller comes when he hangs up at last."""
        if not visit.completed:
            visit.completed = True
            self._counted(visit)

    def _consultation_begun(self, event: ConsultationBegun, at: float) -> None:
        for visit in self._talks.of_agent(event.transferer):
            visit.consulting_at = at
            self.visits.touch(visit)

    def _call_transferred(self, event: CallTransferred, at: float) -> None:
        for uniqueid in sorted(event.uniqueids):
            for visit in self._talks.with_channel(uniqueid):
                self._transfer(visit, event, at)
        self._transferred_after_complete(event, at)

    def _transfer(self, visit: Visit, event: CallTransferred, at: float) -> None:
        self._end_talk(visit, at)
        if visit.uniqueid in event.transferers:  # the caller has sent the agent away
            visit.ended_by = EndedBy.CALLER
            return
        visit.ended_by, visit.transfer_to = _transfer_of(event), event.target
        if event.attended and visit.consulting_at is not None:
            visit.ended_at = visit.consulting_at

    def _transferred_after_complete(self, event: CallTransferred, at: float) -> None:
        """AgentComplete was quicker than the event of the transfer that it told of."""
        for visit in self.visits.of_caller(event.transferee):
            if visit.completed and visit.outcome is None:
                visit.ended_by, visit.transfer_to = _transfer_of(event), event.target
                self._settle(visit, Outcome.ANSWERED, at)

    def _channel_gone(self, event: ChannelGone, at: float) -> None:
        uniqueid = event.uniqueid
        self._entering.pop(uniqueid, None)
        self._phone_gone(event, at)
        for visit in self._talks.ended_by(event):
            self._end_talk(visit, at)
        for visit in list(self.visits.of_caller(uniqueid)):
            if not visit.hung_up and visit.connected_at is None and visit.outcome is None:
                visit.hung_up = True
                visit.moved = visit.moved or _was_elsewhere(visit, event, at)
                self.visits.touch(visit)
                self._look_again(visit, at)

    def _phone_gone(self, event: ChannelGone, at: float) -> None:
        found = self.visits.with_ringing(event.uniqueid)
        if found is None:
            return
        visit, ringing = found
        if ringing.stale and ringing.stopped_at is None:  # it may have been answered unseen
            self.visits.remove_ringing(visit, ringing)
        else:
            self._end_attempt(visit, ringing, result_of_hangup(ringing, event.cause), at)
        self._look_again(visit, at)

    # --- where events are missing -------------------------------------------------------------------

    def shut_down(self, at: float) -> None:
        """The switchboard goes down: what ended just before, the shutdown has ended."""
        self._cut(self.visits, at)
        self._talks = Talks()
        self._entering.clear()

    def restarted(self, at: float) -> None:
        """It had gone down in the last gap: so it is told only after a list without the calls of before."""
        self._cut([visit for visit in self._gone if visit.lost and not visit.told], at)
        self._gone.clear()

    def _cut(self, visits: Iterable[Visit], at: float) -> None:
        for visit in visits:
            visit.is_complete = True  # or never will be
            if visit.outcome is Outcome.ABANDONED:
                visit.outcome = Outcome.UNKNOWN
            elif visit.connected_at is not None:
                visit.outcome = Outcome.ANSWERED
                visit.ended_at = at if visit.ended_at is None else visit.ended_at
                if visit.ended_by in (None, EndedBy.CALLER, EndedBy.AGENT):
                    visit.ended_by = EndedBy.UNKNOWN
            elif visit.outcome is None:
                visit.outcome = Outcome.UNKNOWN
                visit.left_at = at if visit.left_at is None else visit.left_at
            self._finish(visit)

    def events_missing(self) -> None:
        """The connection is lost, or the exporter starts: who is in between two states now is lost."""
        self._entering.clear()
        self._gone.clear()
        for visit in self.visits:
            for ringing in visit.ringing:
                ringing.stale = True
            if visit.ended_at is not None and visit.outcome is None:
                visit.outcome = Outcome.ANSWERED
            if visit.outcome is not None:
                self._finish(visit)
            elif visit.is_undecided:
                self._lose(visit)

    def forget_lost(self, now: float) -> None:
        """Remember no longer what nothing will be heard of."""
        for visit in self.visits.overdue(now):
            self._lose(visit)
        self.visits.forget_lost(now)

    def _lose(self, visit: Visit) -> None:
        """Its end was not seen: it is among the calls missed, unless something is heard of it after all.

        Of one who gave up nothing more is wanted: it is counted already.
        """
        if visit.given_up and not visit.told:
            self._forget(visit)
            return
        self._talks.forget(visit)
        self.visits.lose(visit)

    def restore(self, text: str) -> None:
        """A visit that was open when the exporter stopped."""
        visit = Visit.from_json(text)
        self.visits.add(visit)
        if visit.told or visit.lost:
            self.visits.lose(visit)
        elif visit.is_talking:
            self._talks.begin(visit)

    def reconcile(
        self,
        queue: str,
        visits: Iterable[Visit],
        callers: Iterable[CallerListed],
        talking: frozenset[str],
        now: float,
        *,
        fresh: bool,
    ) -> None:
        """What a list of everything says of one queue.

        Args:
            queue: its name.
            visits: of this queue, from `by_queue`.
            callers: those who wait in it.
            talking: interfaces, in lower case, that are in a call of it.
            now: the switchboard's time.
            fresh: events were missed before it; else one may be behind it that explains a difference.
        """
        listed = {caller.caller.uniqueid: caller for caller in callers}
        for visit in visits:
            if visit.is_waiting:
                here = listed.get(visit.uniqueid)
                if here is not None and now - here.wait_s <= visit.joined_at + _ANOTHER_VISIT_S:
                    del listed[visit.uniqueid]
                    self.visits.set_due(visit, None)
                elif fresh:
                    self._gone.append(visit)
                    self._lose(visit)
                elif visit.due_at is None:
                    self.visits.set_due(visit, now + HOLD_S)
            elif fresh and visit.is_talking and visit.interface.casefold() not in talking:
                self._gone.append(visit)
                self._lose(visit)
        for uniqueid, caller in listed.items():
            if self.visits.find(queue, uniqueid, lambda visit: visit.is_waiting) is None:
                self._appeared(queue, caller, now)

    def _appeared(self, queue: str, listed: CallerListed, now: float) -> None:
        visit = _visit(queue, listed.caller, now - listed.wait_s, listed.position)
        visit.listed = True
        self._offered(queue)
        self.visits.add(visit)


_ANOTHER_VISIT_S: Final = 5.0
"""Waiting since so much later than we knew: he has left and come again."""


def _is_joined(visit: Visit, at: float) -> bool:
    """Whether he waits since then; one whose end was not seen may have come again."""
    return visit.is_waiting and (not visit.lost or visit.listed or visit.joined_at == at)


def _visit(queue: str, caller: Caller, at: float, position: int) -> Visit:
    return Visit(queue, caller.uniqueid, caller.linkedid, caller.number, caller.name, at, position)


def _was_elsewhere(visit: Visit, event: ChannelGone, at: float) -> bool:
    """Whether the caller had been sent to another place of the dialplan before he hung up."""
    if visit.left_at is None or at - visit.left_at < HANGUP_HANDLED_S:
        return False
    if not (visit.context and event.context):
        return False
    return event.context != visit.context or event.extension not in (visit.extension, "h")


def _transfer_of(event: CallTransferred) -> EndedBy:
    return EndedBy.ATTENDED_TRANSFER if event.attended else EndedBy.BLIND_TRANSFER
