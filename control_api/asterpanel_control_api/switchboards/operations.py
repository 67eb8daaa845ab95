"""The operations of the API on switchboards: each is done, or has one defined error.

================================================  =========================================================
what is the matter                                answer
================================================  =========================================================
no control user is configured                     ``no_control``
no connection, or the switchboard hangs, or was   ``not_connected``; nothing was done, nor will be
too slow for anything to be done in time
no answer, or connection lost after sending       ``timed_out``; ``detail.queues[].seen``: whether the live
                                                  state shows the effect. It is not sent again, and what the
                                                  network still holds of it is dropped
too many actions are unanswered                   ``too_many_requests``; nothing was sent
live state missing or old, or the exporter is     ``no_state``; nothing was sent
not connected to us or to the switchboard
no such agent, queue, member or waiting caller    ``not_found``
in the live state
gone by the time the switchboard is asked         ``not_found``, with the switchboard's words
to be added, in no queue, and no template fits,   ``not_found``; the message names the configuration key
or as what he would join he would be another
a value that must not be sent                     ``invalid_request``; ``detail.field`` names it
it is so already                                  ``already_so``; nothing was sent. In `set_queues` a result,
                                                  no error: asking for the same set twice is fine
a static (or realtime) member to be removed       ``static_member``
another operation on the same agent or caller     waited for, in order, for half of the time limit and with
                                                  four others at most; then ``busy_agent``, nothing was sent
an action that this Asterisk does not know        ``not_supported``
any other refusal                                 ``refused``, with the switchboard's words
================================================  =========================================================

An operation on several queues of which some failed is no error: its result is ``partial``, and each queue
has its own. So it is where several actions make up the change of one queue, and the first of them were done:
the queue's result is what the rest failed by. After an action without an answer the rest is ``not_tried``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.switchboards import commands
from asterpanel_control_api.switchboards.bridge import Bridge
from asterpanel_control_api.switchboards.commands import InvalidValue
from asterpanel_control_api.switchboards.effects import (
    Document,
    LiveState,
    has_priority,
    waiting_caller,
    waits_no_more,
)
from asterpanel_control_api.switchboards.members import (
    Membership,
    memberships_of,
    new_member,
)
from asterpanel_control_api.switchboards.outcomes import Outcome
from asterpanel_control_api.switchboards.performing import Performer, Turn
from asterpanel_control_api.switchboards.plans import (
    Change,
    MemberSettings,
    Step,
    adding,
    changing,
    pausing,
    removing,
    set_of_queues,
    with_inherited_pause,
)
from asterpanel_switchboard.config import Config
from asterpanel_switchboard.identity import AgentIdentity, agent_identity
from asterpanel_switchboard.new_member import NewMember, NewMemberTemplate

SEEN_WITHIN_S = 2.0

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class AgentRules:
    """What is configured about a switchboard's agents: who is who, and as what newcomers join a queue."""

    identify: AgentIdentity
    new_member: NewMemberTemplate | None = None


def agent_rules(config: Config) -> dict[str, AgentRules]:
    """The rules of each switchboard."""
    rules = {}
    for name, board in config.switchboards.items():
        identity = config.agent_identity_for(name)
        new = None if board.control is None else board.control.new_member
        rules[name] = AgentRules(
            agent_identity(identity.source, identity.pattern), None if new is None else new.template
        )
    return rules


class Operations:
    """Acts on switchboards for those who may: rights are checked before. For use from many threads.

    Every method answers with what was done, and raises `ApiError` by the table above if nothing was.

    Args:
        rules: of all switchboards there are.
        timeout_s: how long an operation may take, not counting the wait for its effect.
        seen_within_s: how long it waits for its effect to be seen, once the switchboard has confirmed it.
    """

    def __init__(
        self,
        bridge: Bridge,
        live: LiveState,
        rules: Mapping[str, AgentRules],
        timeout_s: float = 5.0,
        *,
        seen_within_s: float = SEEN_WITHIN_S,
    ) -> None:
        self._rules = rules
        self._performer = Performer(bridge, live, timeout_s, seen_within_s)

    # --- agents -------------------------------------------------------------------------------------

    def pause(
        self,
        switchboard: str,
        agent: str,
        *,
        reason: str = "",
        queues: Collection[str] | None = None,
        within: Collection[str] | None = None,
    ) -> Outcome:
        """Pause an agent in these queues. None: in all of his, as far as they are ``within``."""
        reason = _checked(lambda: commands.text("reason", reason))
        return self._pause(switchboard, agent, True, reason, queues, within)

    def unpause(
        self,
        switchboard: str,
        agent: str,
        *,
        queues: Collection[str] | None = None,
        within: Collection[str] | None = None,
    ) -> Outcome:
        """End an agent's pause; the queues as in `pause`."""
        return self._pause(switchboard, agent, False, "", queues, within)

    def _pause(
        self,
        switchboard: str,
        agent: str,
        paused: bool,
        reason: str,
        queues: Collection[str] | None,
        within: Collection[str] | None,
    ) -> Outcome:
        with self._turn(switchboard, "agent", agent) as turn:
            memberships = _memberships(turn.document, switchboard, agent)
            for queue in queues or ():
                _in_queue(turn.document, switchboard, agent, queue, memberships)
            chosen = [
                member
                for member in memberships
                if (within is None or member.queue in within) and (queues is None or member.queue in queues)
            ]
            if not chosen:
                _not_found(f"no queue in which to pause agent {agent!r}", switchboard, agent=agent)
            steps = pausing(turn.document, chosen, paused, reason, everywhere=queues is None, sure=turn.sure)
            outcome = turn.carry_out(steps)
        return outcome.or_error(f"{'pause' if paused else 'unpause'} agent {agent!r} on {switchboard!r}")

    def set_queues(
        self,
        switchboard: str,
        agent: str,
        wanted: Mapping[str, MemberSettings],
        *,
        within: Collection[str] | None = None,
    ) -> Outcome:
        """Make an agent a member of exactly these queues, and of those he is in that are not ``within``.

        Asking for the same again changes nothing. What fails in single queues is told by the outcome; it is
        an error if nothing is as it was asked for.

        Args:
            within: queues that he may be taken out of; None: all.
        """
        rules = self._rules_of(switchboard)
        settings = {queue: _checked(one.checked) for queue, one in wanted.items()}
        with self._turn(switchboard, "agent", agent) as turn:
            for queue in settings:
                _known_queue(turn.document, switchboard, queue)
            memberships = memberships_of(turn.document, agent)
            new: NewMember | None = None
            if not settings.keys() <= {member.queue for member in memberships}:
                new = _new_member(switchboard, agent, memberships, rules)
            removable = {member.queue for member in memberships} if within is None else within
            steps = set_of_queues(memberships, settings, new, removable, sure=turn.sure)
            outcome = turn.carry_out(steps)
        return outcome.or_error_if_hopeless(f"set the queues of agent {agent!r} on {switchboard!r}")

    # --- members of a queue -------------------------------------------------------------------------

    def put_member(self, switchboard: str, queue: str, agent: str, settings: MemberSettings) -> Outcome:
        """Make an agent a member of a queue, with these settings; if he is one already, change them.

        Who is paused in all his queues joins paused, unless told otherwise.
        """
        rules, settings = self._rules_of(switchboard), _checked(settings.checked)
        with self._turn(switchboard, "agent", agent) as turn:
            _known_queue(turn.document, switchboard, queue)
            memberships = memberships_of(turn.document, agent)
            here = [member for member in memberships if member.queue == queue]
            steps = [changing(member, settings, sure=turn.sure) for member in here]
            if not here:
                new = _new_member(switchboard, agent, memberships, rules)
                steps = [adding(queue, new, with_inherited_pause(settings, memberships))]
            outcome = turn.carry_out(steps)
        return outcome.or_error(f"put agent {agent!r} into {queue!r} on {switchboard!r}")

    def patch_member(self, switchboard: str, queue: str, agent: str, settings: MemberSettings) -> Outcome:
        """Change what is given of a membership."""
        settings = _checked(settings.checked)
        if settings == MemberSettings():
            raise ApiError(ErrorId.INVALID_REQUEST, "nothing to change: give penalty, paused or ring_in_use")
        return self._change_member(
            switchboard, queue, agent, lambda member, sure: changing(member, settings, sure=sure), "change"
        )

    def delete_member(self, switchboard: str, queue: str, agent: str) -> Outcome:
        """Take an agent out of a queue."""
        return self._change_member(
            switchboard, queue, agent, lambda member, sure: removing(member), "take out"
        )

    def _change_member(
        self,
        switchboard: str,
        queue: str,
        agent: str,
        step_for: Callable[[Membership, bool], Step],
        verb: str,
    ) -> Outcome:
        with self._turn(switchboard, "agent", agent) as turn:
            memberships = _memberships(turn.document, switchboard, agent)
            here = _in_queue(turn.document, switchboard, agent, queue, memberships)
            outcome = turn.carry_out([step_for(member, turn.sure) for member in here])
        return outcome.or_error(f"{verb} agent {agent!r} in {queue!r} on {switchboard!r}")

    # --- waiting callers ----------------------------------------------------------------------------

    def change_priority(
        self, switchboard: str, queue: str, caller: str, priority: int, *, immediate: bool = True
    ) -> Outcome:
        """Change a waiting caller's priority: the higher, the earlier.

        No event announces it: the outcome is "accepted" until the exporter's next look at the whole state.

        Args:
            caller: his unique id.
            immediate: he changes places now. Asterisk 16 has no such thing.
        """
        _checked(lambda: commands.whole_number("priority", priority, least=-commands.MAX_NUMBER))

        def step(channel: str) -> Step:
            action = commands.change_priority(queue, channel, priority, immediate=immediate)
            effect = has_priority(queue, caller, priority)
            return Step(Change.PRIORITY, (queue,), (action,), effect, announced=False)

        return self._move_caller(switchboard, queue, caller, step)

    def withdraw(self, switchboard: str, queue: str, caller: str, *, info: str = "") -> Outcome:
        """Send a waiting caller on, behind the queue; while a phone rings for him, only when it stops.

        Args:
            caller: his unique id.
            info: for the dialplan's QUEUE_WITHDRAW_INFO.
        """
        info = _checked(lambda: commands.text("info", info, commands.MAX_INFO_BYTES))

        def step(channel: str) -> Step:
            action = commands.withdraw(queue, channel, info)
            return Step(Change.WITHDRAW, (queue,), (action,), waits_no_more(queue, caller))

        return self._move_caller(switchboard, queue, caller, step)

    def _move_caller(
        self, switchboard: str, queue: str, caller: str, step_for: Callable[[str], Step]
    ) -> Outcome:
        with self._turn(switchboard, "caller", caller) as turn:
            _known_queue(turn.document, switchboard, queue)
            waiting = waiting_caller(turn.document, queue, caller)
            if waiting is None:
                _not_found(
                    f"no caller {caller!r} waiting in {queue!r}", switchboard, queue=queue, caller=caller
                )
            outcome = turn.carry_out([step_for(waiting["channel"])])
        return outcome.or_error(f"move caller {caller!r} in {queue!r} on {switchboard!r}")

    @contextmanager
    def _turn(self, switchboard: str, kind: str, who: str) -> Iterator[Turn]:
        self._rules_of(switchboard)  # there is such a switchboard
        with self._performer.turn(switchboard, kind, who) as turn:
            try:
                yield turn
            except InvalidValue as error:
                raise _invalid(error) from None

    def _rules_of(self, switchboard: str) -> AgentRules:
        if switchboard not in self._rules:
            _not_found(f"no switchboard {switchboard!r}", switchboard)
        return self._rules[switchboard]


def _memberships(document: Document, switchboard: str, agent: str) -> list[Membership]:
    memberships = memberships_of(document, agent)
    if not memberships:
        _not_found(f"no agent {agent!r} in a queue of {switchboard!r}", switchboard, agent=agent)
    return memberships


def _in_queue(
    document: Document, switchboard: str, agent: str, queue: str, memberships: Collection[Membership]
) -> list[Membership]:
    _known_queue(document, switchboard, queue)
    here = [member for member in memberships if member.queue == queue]
    if not here:
        _not_found(f"no agent {agent!r} in queue {queue!r}", switchboard, agent=agent, queue=queue)
    return here


def _known_queue(document: Document, switchboard: str, queue: str) -> None:
    if queue not in document["queues"]:
        _not_found(f"no queue {queue!r} on {switchboard!r}", switchboard, queue=queue)


def _new_member(
    switchboard: str, agent: str, memberships: Collection[Membership], rules: AgentRules
) -> NewMember:
    new = new_member(agent, memberships, rules.new_member)
    key = f"switchboards.{switchboard}.control.new_member"
    if new is None:
        why = (
            f"{key} does not say as what he would join one"
            if rules.new_member is None
            else f"{key}.agents is for other ids"
        )
        raise ApiError(
            ErrorId.NOT_FOUND,
            f"agent {agent!r} is in no queue of {switchboard!r} that you may see, and {why}",
            switchboard=switchboard,
            agent=agent,
        )
    if (other := rules.identify(new.interface, new.name)) != agent:
        raise ApiError(
            ErrorId.NOT_FOUND,
            f"agent {agent!r} cannot join a queue of {switchboard!r}: by agent_identity he would be agent "
            f"{other!r} there; whoever keeps the configuration can mend {key}",
            switchboard=switchboard,
            agent=agent,
        )
    return new


def _checked(check: Callable[[], _T]) -> _T:
    try:
        return check()
    except InvalidValue as error:
        raise _invalid(error) from None


def _invalid(error: InvalidValue) -> ApiError:
    return ApiError(ErrorId.INVALID_REQUEST, str(error), field=error.field)


def _not_found(what: str, switchboard: str, **named: str) -> NoReturn:
    raise ApiError(
        ErrorId.NOT_FOUND, f"there is {what}, or none that you may see", switchboard=switchboard, **named
    )
