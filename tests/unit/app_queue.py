"""A little model of Asterisk's app_queue: it does what callers, agents and supervisors do, tells it as AMI
events, and can say at any moment what QueueStatus would answer and what a panel should show.

Written after reference/ami.md and ``apps/app_queue.c``, without a look at the exporter's reducer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.unit import ami

QUEUES = ("sales", "support", "vip")
DEVICES: tuple[tuple[str, str], ...] = (
    ("1001", "PJSIP/1001"),
    ("1002", "PJSIP/1002"),
    ("1003", "Local/1003@agents/n"),
    ("1004", "SIP/1004"),
)
"""(agent, interface)."""
REASONS = ("", "lunch", "caffè")

NOT_IN_USE, IN_USE, UNAVAILABLE, RINGING, ON_HOLD = 1, 2, 5, 6, 8


@dataclass
class MemberModel:
    interface: str
    dynamic: bool
    penalty: int = 0
    paused: bool = False
    reason: str = ""
    last_pause: int = 0
    ring_in_use: int = 0
    calls_taken: int = 0
    last_call: int = 0
    login_time: int = int(ami.START)
    in_call: bool = False


@dataclass
class CallerModel:
    uniqueid: str
    priority: int
    joined: float


@dataclass
class CallModel:
    queue: str
    uniqueid: str
    dest: str
    agent: str
    interface: str
    completed: bool = False
    """AgentComplete has been sent; what is left are hang-ups."""


@dataclass
class QueueModel:
    callers: list[CallerModel] = field(default_factory=list)
    members: dict[str, MemberModel] = field(default_factory=dict)
    offered: int = 0


Operation = tuple[str, int, int, int]
"""What is to happen, and three numbers that choose to whom."""


class AppQueue:
    """The model. Each operation is a method; it returns the frames that Asterisk would send, or none if the
    operation is not possible now."""

    OPERATIONS: tuple[str, ...] = (
        "join", "join", "leave", "refuse", "ring", "ring_no_answer", "answer", "answer", "complete",
        "complete", "hang_up_first", "transfer", "pause", "unpause", "pause_everywhere", "penalty",
        "ring_in_use", "add", "remove", "device", "pass_time", "status_again",
    )  # fmt: skip

    def __init__(self) -> None:
        self.now = ami.START
        self.queues = {name: QueueModel() for name in QUEUES}
        self.device = {interface: NOT_IN_USE for _, interface in DEVICES}
        self.calls: list[CallModel] = []
        self.ids = 0
        for name, queue in self.queues.items():
            for _, interface in DEVICES[: 1 + len(name) % 3]:
                queue.members[interface] = MemberModel(interface, dynamic=False)

    # --- what is told -------------------------------------------------------------------------------

    def snapshot(self) -> list[bytes]:
        """The items of the QueueStatus list."""
        items = []
        for name, queue in self.queues.items():
            items.append(ami.queue_params(name))
            items += [
                ami.queue_member(name, member.interface, **self._fields(member))
                for member in queue.members.values()
            ]
            items += [
                ami.queue_entry(
                    name, caller.uniqueid, position, int(self.now - caller.joined), caller.priority
                )
                for position, caller in enumerate(queue.callers, start=1)
            ]
        return items

    def panel(self, *, calls: bool = True) -> dict[str, Any]:
        """What a panel should show, as `panel_of` reads it from a document."""
        queues = {
            name: {
                "waiting": [caller.uniqueid for caller in queue.callers],
                "talking": sorted(
                    call.agent for call in self.calls if call.queue == name and not call.completed
                )
                if calls
                else None,
                "members": {
                    member.interface.casefold(): (
                        self._state(member), member.penalty, member.paused,
                        member.reason if member.paused else "", member.dynamic, member.calls_taken,
                    )
                    for member in queue.members.values()
                },
            }
            for name, queue in self.queues.items()
        }  # fmt: skip
        agents = {}
        for agent, interface in DEVICES:
            memberships = {
                name: queue.members[interface]
                for name, queue in self.queues.items()
                if interface in queue.members
            }
            if not memberships and not self._talks(interface):
                continue
            paused = bool(memberships) and all(member.paused for member in memberships.values())
            busy = self._busy(interface)
            agents[agent] = (
                "unavailable"
                if memberships and self.device[interface] == UNAVAILABLE
                else busy or ("paused" if paused else "idle"),
                paused,
                sorted(memberships),
            )
        return {"queues": queues, "agents": agents}

    def _busy(self, interface: str) -> str:
        device = self.device[interface]
        if not any(interface in queue.members for queue in self.queues.values()):
            return "on_call" if self._talks(interface) else ""
        if device == IN_USE:
            return "on_call"
        if device == ON_HOLD:
            return "on_hold"
        if self._talks(interface):
            return "on_call"
        return "ringing" if device == RINGING else ""

    def _talks(self, interface: str) -> bool:
        return any(call.interface == interface and not call.completed for call in self.calls)

    def _state(self, member: MemberModel) -> str:
        if self.device[member.interface] == UNAVAILABLE:
            return "unavailable"
        return self._busy(member.interface) or ("paused" if member.paused else "idle")

    def _fields(self, member: MemberModel) -> dict[str, ami.Value]:
        return {
            "Membership": "dynamic" if member.dynamic else "static",
            "Penalty": member.penalty,
            "CallsTaken": member.calls_taken,
            "LastCall": member.last_call,
            "LastPause": member.last_pause,
            "LoginTime": member.login_time,
            "InCall": int(member.in_call),
            "Status": self.device[member.interface],
            "Paused": int(member.paused),
            "PausedReason": member.reason if member.paused else "",
            "Ringinuse": member.ring_in_use,
        }

    # --- what happens -------------------------------------------------------------------------------

    def do(self, operation: Operation) -> list[bytes]:
        """One operation."""
        name, *numbers = operation
        method: Callable[[int, int, int], list[bytes]] = getattr(self, f"_{name}")
        return method(*numbers)

    def _id(self) -> str:
        self.ids += 1
        return f"1795390000.{self.ids}"

    def _pick_member(self, a: int, b: int) -> tuple[str, MemberModel] | None:
        name = QUEUES[a % len(QUEUES)]
        members = list(self.queues[name].members.values())
        return (name, members[b % len(members)]) if members else None

    def _told(self, change: str, name: str, member: MemberModel, **fields: ami.Value) -> bytes:
        return ami.member_event(self.now, change, name, member.interface, **(self._fields(member) | fields))

    def _status(self, interface: str, code: int) -> list[bytes]:
        """A device's new state, told once for each queue."""
        self.device[interface] = code
        return [
            self._told("Status", name, queue.members[interface])
            for name, queue in self.queues.items()
            if interface in queue.members
        ]

    def _join(self, a: int, b: int, c: int) -> list[bytes]:
        name = QUEUES[a % len(QUEUES)]
        queue = self.queues[name]
        caller = CallerModel(self._id(), b % 3, self.now)
        place = next(
            (i for i, other in enumerate(queue.callers) if other.priority < caller.priority),
            len(queue.callers),
        )
        queue.callers.insert(place, caller)
        queue.offered += 1
        return [
            ami.newexten(self.now, caller.uniqueid, f"{name},t"),
            ami.join(self.now, name, caller.uniqueid, place + 1, len(queue.callers)),
        ]

    def _left(self, name: str, place: int) -> bytes:
        queue = self.queues[name]
        caller = queue.callers.pop(place)
        return ami.leave(self.now, name, caller.uniqueid, place + 1, len(queue.callers))

    def _leave(self, a: int, b: int, c: int) -> list[bytes]:
        """Abandoned, timed out, withdrawn (with Abandon) or gone by a key (without)."""
        name = QUEUES[a % len(QUEUES)]
        callers = self.queues[name].callers
        if not callers:
            return []
        place = b % len(callers)
        uniqueid = callers[place].uniqueid
        frames = [] if c % 4 == 0 else [ami.abandon(self.now, name, uniqueid)]
        frames.append(self._left(name, place))
        if c % 4 == 1:
            frames.append(ami.varset(self.now, uniqueid, "TIMEOUT"))
        return [*frames, ami.hangup(self.now, uniqueid)]

    def _refuse(self, a: int, b: int, c: int) -> list[bytes]:
        name = QUEUES[a % len(QUEUES)]
        uniqueid = self._id()
        self.queues[name].offered += 1
        return [
            ami.newexten(self.now, uniqueid, f"{name.upper() if b % 2 else name},t"),
            ami.varset(self.now, uniqueid, ("FULL", "JOINEMPTY", "JOINUNAVAIL")[c % 3]),
            ami.hangup(self.now, uniqueid),
        ]

    def _ring(self, a: int, b: int, c: int) -> list[bytes]:
        chosen = self._pick_member(a, b)
        if chosen is None or not self.queues[chosen[0]].callers:
            return []
        name, member = chosen
        if member.paused or self.device[member.interface] != NOT_IN_USE or self._talks(member.interface):
            return []
        uniqueid = self.queues[name].callers[0].uniqueid
        called = ami.agent_event("AgentCalled", self.now, name, member.interface, uniqueid, self._id())
        return [called, *self._status(member.interface, RINGING)]

    def _ring_no_answer(self, a: int, b: int, c: int) -> list[bytes]:
        chosen = self._pick_member(a, b)
        if chosen is None or self.device[chosen[1].interface] != RINGING:
            return []
        name, member = chosen
        no_answer = ami.agent_event("AgentRingNoAnswer", self.now, name, member.interface, "1.1", "1.2")
        return [no_answer, *self._status(member.interface, NOT_IN_USE)]

    def _answer(self, a: int, b: int, c: int) -> list[bytes]:
        chosen = self._pick_member(a, b)
        if chosen is None or not self.queues[chosen[0]].callers:
            return []
        name, member = chosen
        interface = member.interface
        if self.device[interface] not in (NOT_IN_USE, RINGING) or self._talks(interface):
            return []
        uniqueid, dest = self.queues[name].callers[0].uniqueid, self._id()
        left = self._left(name, 0)
        self.calls.append(CallModel(name, uniqueid, dest, _agent(interface), interface))
        member.in_call = True
        connected = ami.connect(self.now, name, interface, uniqueid, dest)
        status = self._status(interface, IN_USE)
        return [left, connected, *status] if c % 2 else [*status, left, connected]

    def _over(self, call: CallModel) -> MemberModel | None:
        call.completed = True
        self.calls.remove(call)
        member = self.queues[call.queue].members.get(call.interface)
        if member is not None:
            member.in_call = False
            member.calls_taken += 1
            member.last_call = int(self.now)
        return member

    def _complete(self, a: int, b: int, c: int) -> list[bytes]:
        """By caller or agent, sometimes without the ids that Asterisk has lost."""
        if not self.calls:
            return []
        call = self.calls[a % len(self.calls)]
        self._over(call)
        uniqueid = "" if b % 4 == 1 else call.uniqueid
        dest = "" if b % 4 in (1, 2) else call.dest
        completed = ami.complete(self.now, call.queue, call.interface, uniqueid, dest)
        hangups = [ami.hangup(self.now, call.dest), ami.hangup(self.now, call.uniqueid)]
        status = self._status(call.interface, NOT_IN_USE)
        return [completed, *status, *hangups] if c % 2 else [completed, *hangups, *status]

    def _hang_up_first(self, a: int, b: int, c: int) -> list[bytes]:
        """AgentComplete after the hang-ups."""
        if not self.calls:
            return []
        call = self.calls[a % len(self.calls)]
        self._over(call)
        uniqueid = "" if b % 2 else call.uniqueid
        return [
            ami.hangup(self.now, call.dest),
            ami.hangup(self.now, call.uniqueid),
            ami.complete(self.now, call.queue, call.interface, uniqueid),
            *self._status(call.interface, NOT_IN_USE),
        ]

    def _transfer(self, a: int, b: int, c: int) -> list[bytes]:
        if not self.calls:
            return []
        call = self.calls[a % len(self.calls)]
        self._over(call)
        transferred = (
            ami.blind_transfer(self.now, call.dest, call.uniqueid)
            if b % 2
            else ami.attended_transfer(self.now, call.dest, self._id(), call.uniqueid)
        )
        dest = call.dest if c % 2 else ""
        return [
            transferred,
            ami.complete(self.now, call.queue, call.interface, call.uniqueid, dest, "transfer"),
            ami.hangup(self.now, call.dest),
            *self._status(call.interface, NOT_IN_USE),
        ]

    def _pause(self, a: int, b: int, c: int) -> list[bytes]:
        chosen = self._pick_member(a, b)
        if chosen is None:
            return []
        name, member = chosen
        member.paused, member.reason, member.last_pause = True, REASONS[c % 3], int(self.now)
        return [self._told("Pause", name, member)]

    def _unpause(self, a: int, b: int, c: int) -> list[bytes]:
        chosen = self._pick_member(a, b)
        if chosen is None:
            return []
        name, member = chosen
        member.paused = False
        return [self._told("Pause", name, member, PausedReason=("", "back")[c % 2])]

    def _pause_everywhere(self, a: int, b: int, c: int) -> list[bytes]:
        _, interface = DEVICES[a % len(DEVICES)]
        frames = []
        for name, queue in self.queues.items():
            member = queue.members.get(interface)
            if member is not None:
                member.paused, member.reason = bool(b % 3), REASONS[c % 3]
                if member.paused:
                    member.last_pause = int(self.now)
                frames.append(self._told("Pause", name, member))
        return frames

    def _penalty(self, a: int, b: int, c: int) -> list[bytes]:
        chosen = self._pick_member(a, b)
        if chosen is None:
            return []
        chosen[1].penalty = c % 7
        return [self._told("Penalty", *chosen)]

    def _ring_in_use(self, a: int, b: int, c: int) -> list[bytes]:
        chosen = self._pick_member(a, b)
        if chosen is None:
            return []
        chosen[1].ring_in_use = c % 2
        return [self._told("Ringinuse", *chosen)]

    def _add(self, a: int, b: int, c: int) -> list[bytes]:
        name = QUEUES[a % len(QUEUES)]
        _, interface = DEVICES[b % len(DEVICES)]
        if interface in self.queues[name].members:
            return []
        member = MemberModel(interface, dynamic=True, penalty=c % 5, login_time=int(self.now))
        if c % 3 == 0:
            member.paused, member.reason, member.last_pause = True, "training", int(self.now)
        self.queues[name].members[interface] = member
        return [self._told("Added", name, member)]

    def _remove(self, a: int, b: int, c: int) -> list[bytes]:
        """Dynamic members only, on a call or not."""
        chosen = self._pick_member(a, b)
        if chosen is None or not chosen[1].dynamic:
            return []
        name, member = chosen
        del self.queues[name].members[member.interface]
        return [self._told("Removed", name, member)]

    def _device(self, a: int, b: int, c: int) -> list[bytes]:
        """A phone goes, comes back, is put on hold or makes a call of its own."""
        _, interface = DEVICES[a % len(DEVICES)]
        states = (IN_USE, ON_HOLD) if self._talks(interface) else (NOT_IN_USE, UNAVAILABLE, IN_USE)
        return self._status(interface, states[b % len(states)])

    def _status_again(self, a: int, b: int, c: int) -> list[bytes]:
        """Asterisk repeats itself."""
        _, interface = DEVICES[a % len(DEVICES)]
        return self._status(interface, self.device[interface])

    def _pass_time(self, a: int, b: int, c: int) -> list[bytes]:
        self.now += (a % 50) / 4
        return []


def _agent(interface: str) -> str:
    return next(agent for agent, known in DEVICES if known == interface)


def panel_of(document: dict[str, Any], *, calls: bool = True) -> dict[str, Any]:
    """What a panel shows of a switchboard's document."""
    return {
        "queues": {
            name: {
                "waiting": [caller["uniqueid"] for caller in queue["waiting"]],
                "talking": sorted(call["agent"] for call in queue["in_progress"]) if calls else None,
                "members": {
                    member["interface"].casefold(): (
                        member["state"], member["penalty"], member["paused"], member["pause_reason"],
                        member["dynamic"], member["calls_taken"],
                    )
                    for member in queue["members"].values()
                },
            }
            for name, queue in document["queues"].items()
        },
        "agents": {
            agent: (state["state"], state["paused"], state["queues"])
            for agent, state in document["agents"].items()
        },
    }  # fmt: skip


def happenings(numbers: Sequence[tuple[int, int, int, int]]) -> list[Operation]:
    """Operations from plain numbers."""
    operations = AppQueue.OPERATIONS
    return [(operations[which % len(operations)], a, b, c) for which, a, b, c in numbers]
