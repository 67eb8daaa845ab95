"""What has to be done for an operation, by what the live state says: pure, nothing is sent from here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from asterpanel_control_api.access.globs import ascii_lower
from asterpanel_control_api.switchboards import commands
from asterpanel_control_api.switchboards.commands import Action
from asterpanel_control_api.switchboards.effects import (
    Document,
    Effect,
    is_member,
    is_no_member,
    same_interface,
)
from asterpanel_control_api.switchboards.members import Membership
from asterpanel_switchboard.new_member import NewMember


class Change(StrEnum):
    """What is done to a membership, or to a caller."""

    PAUSE = "pause"
    UNPAUSE = "unpause"
    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    KEEP = "keep"
    PRIORITY = "priority"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Step:
    """Actions that belong together, the next only after the one before; no actions: it is so already.

    Attributes:
        queues: in which they have the effect.
        effect: how it shows in the live state.
        announced: whether the switchboard tells it unasked; if not, the effect is not waited for.
        if_already: what is done instead of the rest when the first action finds it so already.
    """

    change: Change
    queues: tuple[str, ...]
    actions: tuple[Action, ...]
    effect: Effect
    announced: bool = True
    if_already: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberSettings:
    """What a membership is to be like; None: as it is, or as Asterisk makes it.

    ``pause_reason`` needs ``paused=True``.
    """

    penalty: int | None = None
    paused: bool | None = None
    pause_reason: str | None = None
    ring_in_use: bool | None = None

    def checked(self) -> MemberSettings:
        """With its values as Asterisk will have them.

        Raises:
            InvalidValue: one of them must not be sent.
        """
        if self.penalty is not None:
            commands.whole_number("penalty", self.penalty)
        if self.pause_reason is None:
            return self
        if not self.paused:
            raise commands.InvalidValue("pause_reason", "needs paused: true")
        return replace(self, pause_reason=commands.text("pause_reason", self.pause_reason))


def pausing(
    document: Document,
    chosen: Iterable[Membership],
    paused: bool,
    reason: str,
    *,
    everywhere: bool,
    sure: bool,
) -> list[Step]:
    """Pause or unpause these memberships. Those that are so already are left alone: a pause would begin anew.

    Args:
        everywhere: they are all that there are, as far as one may: an interface that is to change wherever it
            is a member gets one action, so that it happens at once and queue_log has its PAUSEALL.
        sure: whether the live state can be relied on for that.
    """
    by_interface = sorted(chosen, key=_interface)
    steps: list[Step] = []
    for interface, members in groupby(by_interface, _interface):
        group = list(members)
        none_is_so = not sure or not any(_is_paused_so(member, paused, reason) for member in group)
        if everywhere and none_is_so and len(group) == _memberships_with(document, interface):
            steps.append(_pausing_at_once(group, paused, reason))
        else:
            steps += [_pausing_one(member, paused, reason, sure) for member in group]
    return steps


def _pausing_at_once(group: Sequence[Membership], paused: bool, reason: str) -> Step:
    effects = [_paused_so(member, paused, reason) for member in group]
    return Step(
        Change.PAUSE if paused else Change.UNPAUSE,
        tuple(member.queue for member in group),
        (_pause_action(group[0].interface, None, paused, reason),),
        lambda document: all(effect(document) for effect in effects),
    )


def _pausing_one(member: Membership, paused: bool, reason: str, sure: bool) -> Step:
    action = _pause_action(member.interface, member.queue, paused, reason)
    is_so = sure and _is_paused_so(member, paused, reason)
    return Step(
        Change.PAUSE if paused else Change.UNPAUSE,
        (member.queue,),
        () if is_so else (action,),
        _paused_so(member, paused, reason),
    )


def adding(queue: str, new: NewMember, settings: MemberSettings) -> Step:
    """Add a member to a queue; if others were first, make him as he is to be."""
    add = commands.add(
        queue,
        new.interface,
        state_interface=new.state_interface,
        name=new.name,
        penalty=settings.penalty or 0,
        paused=bool(settings.paused),
    )
    not_by_adding = replace(settings, penalty=None, paused=settings.paused if settings.pause_reason else None)
    return Step(
        Change.ADD,
        (queue,),
        (add, *_actions_for(queue, new.interface, not_by_adding)),
        _is_as(queue, new.interface, settings),
        if_already=tuple(_actions_for(queue, new.interface, settings)),
    )


def changing(member: Membership, settings: MemberSettings, *, sure: bool) -> Step:
    """Make a membership as it is to be; what is so already is left alone.

    Args:
        sure: whether the live state can be relied on for that.
    """
    queue, interface = member.queue, member.interface
    wanted = _what_differs(member, settings) if sure else settings
    actions = tuple(_actions_for(queue, interface, wanted))
    change = Change.CHANGE if actions else Change.KEEP
    return Step(change, (queue,), actions, _is_as(queue, interface, wanted))


def _what_differs(member: Membership, settings: MemberSettings) -> MemberSettings:
    if settings.penalty == member.penalty:
        settings = replace(settings, penalty=None)
    if settings.ring_in_use == member.ring_in_use:
        settings = replace(settings, ring_in_use=None)
    if settings.paused is not None and _is_paused_so(member, settings.paused, settings.pause_reason or ""):
        settings = replace(settings, paused=None, pause_reason=None)
    return settings


def _actions_for(queue: str, interface: str, settings: MemberSettings) -> Iterator[Action]:
    """What makes a membership so."""
    if settings.penalty is not None:
        yield commands.set_penalty(queue, interface, settings.penalty)
    if settings.paused is not None:
        yield _pause_action(interface, queue, settings.paused, settings.pause_reason or "")
    if settings.ring_in_use is not None:
        yield commands.set_ring_in_use(queue, interface, settings.ring_in_use)


def _is_as(queue: str, interface: str, settings: MemberSettings) -> Effect:
    """The interface is a member, and what is given is so."""
    values = {
        "penalty": settings.penalty,
        "paused": settings.paused,
        "pause_reason": settings.pause_reason or None,
        "ring_in_use": settings.ring_in_use,
    }
    return is_member(queue, interface, **{key: value for key, value in values.items() if value is not None})


def removing(member: Membership) -> Step:
    """Remove a membership. Of a static one it is Asterisk who says that it cannot be."""
    action = commands.remove(member.queue, member.interface)
    effect = is_no_member(member.queue, member.interface)
    return Step(Change.REMOVE, (member.queue,), (action,), effect)


def set_of_queues(
    memberships: Collection[Membership],
    wanted: Mapping[str, MemberSettings],
    new: NewMember | None,
    removable: Collection[str],
    *,
    sure: bool,
) -> list[Step]:
    """From the queues that an agent is in to those he shall be in.

    First he joins, then he leaves: he is never without a queue in between.

    Args:
        wanted: all queues that he shall be in.
        new: as what he joins; may be None if he need not.
        removable: queues that he is taken out of unless they are wanted.
    """
    now = {member.queue for member in memberships}
    joins = [
        adding(queue, new, with_inherited_pause(settings, memberships))
        for queue, settings in wanted.items()
        if queue not in now and new is not None
    ]
    stays = [
        changing(member, wanted[member.queue], sure=sure) for member in memberships if member.queue in wanted
    ]
    leaves = [
        removing(member) for member in memberships if member.queue not in wanted and member.queue in removable
    ]
    return [*joins, *stays, *leaves]


def with_inherited_pause(settings: MemberSettings, memberships: Collection[Membership]) -> MemberSettings:
    """Who is paused wherever he is a member joins paused: a further queue is no reason to end his break."""
    if settings.paused is not None or not memberships or not all(member.paused for member in memberships):
        return settings
    reason = next((member.pause_reason for member in memberships if member.pause_reason), "")
    return replace(settings, paused=True, pause_reason=reason)


def _interface(member: Membership) -> str:
    return ascii_lower(member.interface)


def _memberships_with(document: Document, interface: str) -> int:
    return sum(
        same_interface(member["interface"], interface)
        for queue in document["queues"].values()
        for member in queue["members"].values()
    )


def _is_paused_so(member: Membership, paused: bool, reason: str) -> bool:
    """Whoever gives no reason is content with any."""
    return member.paused == paused and (not paused or not reason or member.pause_reason == reason)


def _paused_so(member: Membership, paused: bool, reason: str) -> Effect:
    values = {"paused": paused} | ({"pause_reason": reason} if reason else {})
    return is_member(member.queue, member.interface, **values)


def _pause_action(interface: str, queue: str | None, paused: bool, reason: str) -> Action:
    if not paused:
        return commands.unpause(interface, queue=queue)
    return commands.pause(interface, queue=queue, reason=reason)
