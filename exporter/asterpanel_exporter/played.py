"""A recorded switchboard as its clients see it: the state that the recording has reached, in AMI's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.state import CallInProgress, Member, Queue, WaitingCaller
from asterpanel_switchboard.events import (
    AgentEvent,
    AgentStep,
    CallerAbandoned,
    DeviceStatus,
    Event,
    ModuleLoaded,
    QueueListed,
    ShuttingDown,
)
from asterpanel_switchboard.intake import Intake

Headers = Mapping[str, object]


class PlayedSwitchboard:
    """What a recorded switchboard would answer at the point that the recording has reached.

    Attributes:
        live: its state.
        has_queues: false while app_queue is unloaded.
        ending: the last frame taken says that the switchboard goes down.
    """

    def __init__(self, name: str, greeting: str) -> None:
        self.live = LiveSwitchboard(name)
        self.live.connected(greeting)
        self.live.assume_in_step()
        self.has_queues = True
        self.ending = False
        self._intake = Intake(name)
        self._completed: Counter[str] = Counter()
        self._abandoned: Counter[str] = Counter()

    def take(self, frame: bytes, at: float) -> None:
        """Take a frame of the recording, at the switchboard's time ``at``."""
        self.ending = False
        events, _ = self._intake.feed(frame + b"\r\n\r\n")
        for event in events:
            self._observe(event)
        self.live.receive(events, at)

    def _observe(self, event: Event) -> None:
        if isinstance(event, ShuttingDown):
            self.ending = True
        elif isinstance(event, AgentEvent) and event.step is AgentStep.COMPLETED:
            self._completed[event.queue] += 1
        elif isinstance(event, CallerAbandoned):
            self._abandoned[event.queue] += 1
        elif isinstance(event, QueueListed):  # its own figures count anew from here
            self._completed[event.queue] = self._abandoned[event.queue] = 0
        elif isinstance(event, ModuleLoaded) and event.module == "app_queue":
            self.has_queues = event.loaded

    def queue_status(self, action_id: str, queue: str, member: str, now: float) -> list[bytes]:
        """The frames that answer QueueStatus (``apps/app_queue.c``, ``manager_queues_status``)."""
        self.live.advance(now)
        items = [
            frame
            for found in self._queues(queue)
            for frame in (
                self._params(found),
                *(_member(found, each) for each in found.members.values() if _is(member, each.interface)),
                *(
                    _entry(found, position, waiting, now)
                    for position, waiting in enumerate(found.waiting, start=1)
                ),
            )
        ]
        return _list("QueueStatus", "Queue status will follow", items, action_id)

    def queue_summary(self, action_id: str, queue: str, now: float) -> list[bytes]:
        """The frames that answer QueueSummary."""
        items = [_summary(found, now) for found in self._queues(queue)]
        return _list("QueueSummary", "Queue summary will follow", items, action_id)

    def everybody_hangs_up(self, now: float) -> list[bytes]:
        """The events with which all calls would end, so that none of them stays open for ever."""
        frames: list[bytes] = []
        for queue in self.live.state.queues.values():
            for position in range(len(queue.waiting), 0, -1):
                frames += _abandon(queue, position, queue.waiting[position - 1], now)
            for call in queue.in_progress:
                frames += _complete(queue, call, now)
        return frames

    def _queues(self, name: str) -> list[Queue]:
        return [queue for queue in self.live.state.queues.values() if _is(name, queue.name)]

    def _params(self, queue: Queue) -> Headers:
        return {
            "Event": "QueueParams",
            "Queue": queue.name,
            "Max": queue.max_len,
            "Strategy": queue.strategy,
            "Calls": len(queue.waiting),
            "Holdtime": 0,
            "TalkTime": 0,
            "Completed": queue.completed + self._completed[queue.name],
            "Abandoned": queue.abandoned + self._abandoned[queue.name],
            "ServiceLevel": int(queue.service_level_s),
            "ServicelevelPerf": "0.0",
            "ServicelevelPerf2": "0.0",
            "Weight": queue.weight,
        }


def render(headers: Headers) -> bytes:
    """A frame, without the blank line behind it."""
    return "\r\n".join(f"{name}: {value}" for name, value in headers.items()).encode()


def fully_booted(now: float | None = None) -> bytes:
    """The event that tells clients to read the whole state. At a login it carries no time."""
    stamp = {} if now is None else {"Timestamp": f"{now:.6f}"}
    system = {"Event": "FullyBooted", "Privilege": "system,all"}
    return render({**system, **stamp, "Uptime": 0, "LastReload": 0, "Status": "Fully Booted"})


def _list(action: str, message: str, items: Sequence[Headers], action_id: str) -> list[bytes]:
    given = {"ActionID": action_id} if action_id else {}
    head = {"Response": "Success", **given, "EventList": "start", "Message": message}
    end = {"Event": f"{action}Complete", **given, "EventList": "Complete", "ListItems": len(items)}
    return [render(head), *(render({**item, **given}) for item in items), render(end)]


def _is(wanted: str, name: str) -> bool:
    return not wanted or wanted.casefold() == name.casefold()


def _member(queue: Queue, member: Member) -> Headers:
    in_call = any(call.interface.casefold() == member.interface.casefold() for call in queue.in_progress)
    return {
        "Event": "QueueMember",
        "Queue": queue.name,
        "Name": member.name,
        "Location": member.interface,
        "StateInterface": member.state_interface or member.interface,
        "Membership": "dynamic" if member.dynamic else "static",
        "Penalty": member.penalty,
        "CallsTaken": member.calls_taken,
        "LastCall": int(member.last_call),
        "LastPause": int(member.paused_since or 0),
        "LoginTime": int(member.since or 0),
        "InCall": int(in_call),
        "Status": int(member.status),
        "Paused": int(member.paused),
        "PausedReason": member.paused_reason,
        "Wrapuptime": int(member.wrapup_s),
    }


def _entry(queue: Queue, position: int, caller: WaitingCaller, now: float) -> Headers:
    return {
        "Event": "QueueEntry",
        "Queue": queue.name,
        "Position": position,
        "Channel": caller.channel,
        "Uniqueid": caller.uniqueid,
        "CallerIDNum": caller.number or "unknown",
        "CallerIDName": caller.name or "unknown",
        "ConnectedLineNum": "unknown",
        "ConnectedLineName": "unknown",
        "Wait": max(0, int(now - caller.since)),
        "Priority": caller.priority or 0,
    }


def _summary(queue: Queue, now: float) -> Headers:
    away = (DeviceStatus.INVALID, DeviceStatus.UNAVAILABLE)
    present = [member for member in queue.members.values() if member.status not in away]
    free = [m for m in present if m.status is DeviceStatus.NOT_IN_USE and not m.paused]
    return {
        "Event": "QueueSummary",
        "Queue": queue.name,
        "LoggedIn": len(present),
        "Available": len(free),
        "Callers": len(queue.waiting),
        "HoldTime": 0,
        "TalkTime": 0,
        "LongestHoldTime": max((int(now - caller.since) for caller in queue.waiting), default=0),
    }


def _event(name: str, privilege: str, now: float, headers: Headers) -> bytes:
    return render({"Event": name, "Privilege": f"{privilege},all", "Timestamp": f"{now:.6f}", **headers})


def _channel(channel: str, uniqueid: str, number: str = "", name: str = "", prefix: str = "") -> Headers:
    fields = {
        "Channel": channel,
        "ChannelState": 6,
        "ChannelStateDesc": "Up",
        "CallerIDNum": number or "<unknown>",
        "CallerIDName": name or "<unknown>",
        "Uniqueid": uniqueid,
        "Linkedid": uniqueid,
    }
    return {f"{prefix}{header}": value for header, value in fields.items()}


def _hangup(channel: Headers, now: float) -> bytes:
    return _event("Hangup", "call", now, {**channel, "Cause": 16, "Cause-txt": "Normal Clearing"})


def _abandon(queue: Queue, position: int, caller: WaitingCaller, now: float) -> list[bytes]:
    channel = _channel(caller.channel, caller.uniqueid, caller.number, caller.name)
    here = {**channel, "Queue": queue.name, "Position": position}
    waited = {"OriginalPosition": position, "HoldTime": max(0, int(now - caller.since))}
    return [
        _event("QueueCallerAbandon", "agent", now, {**here, **waited}),
        _event("QueueCallerLeave", "agent", now, {**here, "Count": position - 1}),
        _hangup(channel, now),
    ]


def _complete(queue: Queue, call: CallInProgress, now: float) -> list[bytes]:
    member = queue.members.get(call.interface.casefold())
    # Of a call that began before the recording neither channel is known.
    caller = _channel("", call.uniqueid) if call.uniqueid else {}
    agent = _channel(call.dest_channel, call.dest_uniqueid, prefix="Dest") if call.dest_uniqueid else {}
    talk = {
        "Queue": queue.name,
        "Interface": call.interface,
        "MemberName": member.name if member else call.interface,
        "HoldTime": 0,
        "TalkTime": max(0, int(now - call.since)),
        "Reason": "caller",
    }
    frames = [_event("AgentComplete", "agent", now, {**caller, **agent, **talk})]
    if call.uniqueid:
        frames.append(_hangup(caller, now))
    if call.dest_uniqueid:
        frames.append(_hangup(_channel(call.dest_channel, call.dest_uniqueid), now))
    return frames
