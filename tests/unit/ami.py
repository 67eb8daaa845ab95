"""Hand-written AMI: frames as Asterisk 22 lays them out, and a switchboard that is fed with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.recorder import Recorder, without_journal
from asterpanel_exporter.state import ResyncReason
from asterpanel_switchboard.config import QueueSettings
from asterpanel_switchboard.identity import AgentIdentity
from asterpanel_switchboard.intake import Intake
from asterpanel_switchboard.merge_patch import Document

START = 1795390000.0
GREETING = b"Asterisk Call Manager/11.0.0\r\n"

Value = str | bytes | int | float
Pairs = Sequence[tuple[str, Value]]


def frame(event: str, *parts: Pairs) -> bytes:
    """One event with these headers, in this order."""
    lines = [b"Event: " + event.encode()]
    lines += [
        name.encode() + b": " + (value if isinstance(value, bytes) else str(value).encode())
        for part in parts
        for name, value in part
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def stamp(at: float | None, privilege: str = "agent,all") -> Pairs:
    """What every live event begins with."""
    return [("Privilege", privilege)] + ([] if at is None else [("Timestamp", f"{at:.6f}")])


def channel(
    uniqueid: str, name: str = "", number: Value = "390551", caller: Value = "Anna", prefix: str = ""
) -> Pairs:
    """The 14 fields of a channel; with ``prefix`` "Dest" those of the agent's."""
    fields: list[tuple[str, Value]] = [
        ("Channel", name or f"PJSIP/peer-{uniqueid}"),
        ("ChannelState", 6),
        ("ChannelStateDesc", "Up"),
        ("CallerIDNum", number),
        ("CallerIDName", caller),
        ("ConnectedLineNum", "<unknown>"),
        ("ConnectedLineName", "<unknown>"),
        ("Language", "en"),
        ("AccountCode", ""),
        ("Context", "queues"),
        ("Exten", "s"),
        ("Priority", 1),
        ("Uniqueid", uniqueid),
        ("Linkedid", uniqueid),
    ]
    return [(prefix + field, value) for field, value in fields]


def join(at: float | None, queue: str, uniqueid: str, position: Value, count: Value, **who: Value) -> bytes:
    return frame(
        "QueueCallerJoin",
        stamp(at),
        channel(uniqueid, number=who.get("number", "390551"), caller=who.get("caller", "Anna")),
        [("Queue", queue), ("Position", position), ("Count", count)],
    )


def leave(at: float | None, queue: str, uniqueid: str, position: Value, count: Value) -> bytes:
    return frame(
        "QueueCallerLeave",
        stamp(at),
        channel(uniqueid),
        [("Queue", queue), ("Position", position), ("Count", count)],
    )


def abandon(at: float | None, queue: str, uniqueid: str) -> bytes:
    return frame(
        "QueueCallerAbandon",
        stamp(at),
        channel(uniqueid),
        [("Queue", queue), ("Position", 1), ("OriginalPosition", 1), ("HoldTime", 1)],
    )


def agent_event(
    event: str,
    at: float | None,
    queue: str,
    interface: str,
    uniqueid: str = "",
    dest: str = "",
    dest_channel: str = "",
    more: Pairs = (),
    member_name: str = "",
) -> bytes:
    """AgentCalled, AgentConnect, …; without ``uniqueid`` or ``dest`` the block of that channel is missing."""
    return frame(
        event,
        stamp(at),
        channel(uniqueid) if uniqueid else [],
        channel(dest, name=dest_channel or f"{interface}-0000000a", prefix="Dest") if dest else [],
        [("Queue", queue), ("Interface", interface), ("MemberName", member_name or interface), *more],
    )


def connect(at: float | None, queue: str, interface: str, uniqueid: str, dest: str, **more: str) -> bytes:
    return agent_event(
        "AgentConnect", at, queue, interface, uniqueid, dest, more.get("dest_channel", ""),
        [("HoldTime", 1), ("RingTime", 1)], more.get("member_name", ""),
    )  # fmt: skip


def complete(
    at: float | None, queue: str, interface: str, uniqueid: str = "", dest: str = "", reason: str = "caller"
) -> bytes:
    return agent_event(
        "AgentComplete", at, queue, interface, uniqueid, dest,
        more=[("HoldTime", 1), ("TalkTime", 1), ("Reason", reason)],
    )  # fmt: skip


def hangup(at: float | None, uniqueid: str) -> bytes:
    return frame(
        "Hangup", stamp(at, "call,all"), channel(uniqueid), [("Cause", 16), ("Cause-txt", "Normal Clearing")]
    )


def blind_transfer(at: float | None, transferer: str, transferee: str, result: str = "Success") -> bytes:
    return frame(
        "BlindTransfer", stamp(at, "call,all"), [("Result", result)],
        channel(transferer, prefix="Transferer"), channel(transferee, prefix="Transferee"),
        [("Extension", "7000"), ("Context", "transfers")],
    )  # fmt: skip


def attended_transfer(
    at: float | None, orig: str, second: str, transferee: str, dest_type: str = "Bridge"
) -> bytes:
    return frame(
        "AttendedTransfer", stamp(at, "call,all"), [("Result", "Success")],
        channel(orig, prefix="OrigTransferer"), channel(second, prefix="SecondTransferer"),
        channel(transferee, prefix="Transferee"), [("DestType", dest_type)],
    )  # fmt: skip


def dial_end(at: float | None, uniqueid: str, dest: str, status: str) -> bytes:
    return frame(
        "DialEnd", stamp(at, "call,all"), channel(uniqueid), channel(dest, prefix="Dest"),
        [("DialStatus", status)],
    )  # fmt: skip


def newexten(at: float | None, uniqueid: str, data: str, application: str = "Queue") -> bytes:
    return frame(
        "Newexten", stamp(at, "dialplan,all"), channel(uniqueid),
        [("Extension", "s"), ("Application", application), ("AppData", data)],
    )  # fmt: skip


def varset(at: float | None, uniqueid: str, value: str, variable: str = "QUEUESTATUS") -> bytes:
    return frame(
        "VarSet", stamp(at, "dialplan,all"), channel(uniqueid), [("Variable", variable), ("Value", value)]
    )


def member(queue: str, interface: str, **fields: Value) -> Pairs:
    """The fields of a membership as events carry them; any can be given by its own name."""
    values: dict[str, Value] = {
        "MemberName": interface,
        "StateInterface": interface,
        "Membership": "static",
        "Penalty": 0,
        "CallsTaken": 0,
        "LastCall": 0,
        "LastPause": 0,
        "LoginTime": int(START) - 3600,
        "InCall": 0,
        "Status": 1,
        "Paused": 0,
        "PausedReason": "",
        "Ringinuse": 0,
        "Wrapuptime": 0,
        **fields,
    }
    name = values.pop("MemberName")
    return [("Queue", queue), ("MemberName", name), ("Interface", interface), *values.items()]


def member_event(at: float | None, change: str, queue: str, interface: str, **fields: Value) -> bytes:
    """QueueMemberStatus (``change`` "Status"), QueueMemberPause, …"""
    return frame(f"QueueMember{change}", stamp(at), member(queue, interface, **fields))


def queue_params(queue: str, **fields: Value) -> bytes:
    """An item of the QueueStatus list, without its ActionID; so are the next two."""
    values: dict[str, Value] = {
        "Max": 0, "Strategy": "ringall", "Calls": 0, "Holdtime": 0, "TalkTime": 0, "Completed": 0,
        "Abandoned": 0, "ServiceLevel": 20, "ServicelevelPerf": "0.0", "ServicelevelPerf2": "0.0",
        "Weight": 0, **fields,
    }  # fmt: skip
    return frame("QueueParams", [("Queue", queue), *values.items()])


def queue_member(queue: str, interface: str, **fields: Value) -> bytes:
    names = {"MemberName": "Name", "Interface": "Location"}
    pairs = [(names.get(name, name), value) for name, value in member(queue, interface, **fields)]
    return frame("QueueMember", [pair for pair in pairs if pair[0] != "Ringinuse"])


def queue_entry(
    queue: str,
    uniqueid: str,
    position: Value,
    wait: Value = 0,
    priority: Value = 0,
    number: Value = "390551",
    caller: Value = "Anna",
) -> bytes:
    return frame(
        "QueueEntry",
        [
            ("Queue", queue), ("Position", position), ("Channel", f"PJSIP/peer-{uniqueid}"),
            ("Uniqueid", uniqueid), ("CallerIDNum", number), ("CallerIDName", caller),
            ("ConnectedLineNum", "unknown"), ("ConnectedLineName", "unknown"),
            ("Wait", wait), ("Priority", priority),
        ],
    )  # fmt: skip


def listing(action_id: str, items: Iterable[bytes]) -> bytes:
    """The whole answer to QueueStatus."""
    tail = f"ActionID: {action_id}\r\n\r\n".encode()
    head = (
        f"Response: Success\r\nActionID: {action_id}\r\nEventList: start\r\n"
        "Message: Queue status will follow\r\n\r\n"
    ).encode()
    items = list(items)
    end = frame("QueueStatusComplete", [("EventList", "Complete"), ("ListItems", len(items))])
    return head + b"".join(item[:-2] + tail for item in [*items, end])


def settings(**values: Any) -> Callable[[str], QueueSettings]:
    """The same configured settings for every queue."""
    return lambda queue: QueueSettings(**values)


class Board:
    """A switchboard that is fed with bytes as a session feeds it, on a clock that the test moves.

    Events sent through `say` carry no time stamp of their own unless the test writes one.
    """

    def __init__(
        self,
        *items: bytes,
        wrapup_s: float | None = None,
        identity: AgentIdentity | None = None,
        queue_settings: Callable[[str], QueueSettings] | None = None,
        live: LiveSwitchboard | None = None,
        start: float = START,
    ) -> None:
        self.now = start
        self.intake = Intake("milano")
        self.live = live or LiveSwitchboard(
            "milano", identity, queue_settings or settings(wrapup_time_s=wrapup_s)
        )
        self.recorder = Recorder({"milano": self.live}, {"milano": None}, without_journal)
        self.lists = 0
        self.say(GREETING)
        self.live.connected(self.intake.greeting or "")
        self.resync(ResyncReason.CONNECTED, *items)

    def say(self, *frames: bytes) -> None:
        """The switchboard sends this, now."""
        events, _ = self.intake.feed(b"".join(frames))
        self.live.receive(events, self.now)
        self.recorder.record()

    def wait(self, seconds: float) -> None:
        """Nothing is sent for a while."""
        self.now += seconds
        self.live.advance(self.now)
        self.recorder.record()

    def resync(self, reason: ResyncReason, *items: bytes) -> None:
        """The whole state is asked for, and told by these items."""
        self.live.state.take_resync()
        self.lists += 1
        self.say(listing(self.live.resync_action_id(reason, self.lists), items))

    def reconnect(self, *items: bytes) -> None:
        """The connection is lost and made anew."""
        self.live.disconnected("eof")
        self.intake = Intake("milano", self.intake.counts)
        self.say(GREETING)
        self.live.connected(self.intake.greeting or "")
        self.resync(ResyncReason.CONNECTED, *items)

    @property
    def document(self) -> Document:
        return self.live.document(self.now)

    def queue(self, name: str) -> Document:
        queue: Document = self.document["queues"][name]
        return queue

    def agent(self, agent: str) -> Document:
        document: Document = self.document["agents"][agent]
        return document

    def waiting(self, queue: str) -> list[str]:
        """Unique ids in the order of their positions."""
        callers = self.queue(queue)["waiting"]
        assert [caller["position"] for caller in callers] == list(range(1, len(callers) + 1))
        return [caller["uniqueid"] for caller in callers]

    def talking(self, queue: str) -> list[tuple[str, str]]:
        """(unique id of the caller, agent) of each call in progress."""
        return [(call["uniqueid"], call["agent"]) for call in self.queue(queue)["in_progress"]]

    @property
    def drift(self) -> dict[str, int]:
        """Counted drift by kind."""
        return {kind.value: count for kind, count in self.live.drift.items() if count}

    def assert_healthy(self) -> None:
        """Nothing was refused and nothing failed."""
        assert not self.intake.counts
        assert self.live.errors == 0


def leftovers(live: LiveSwitchboard) -> dict[str, object]:
    """What the reducer still remembers of calls that are over; empty once all is quiet."""
    state = live.state
    remembered: dict[str, object] = {
        "calls by channel": state._calls._by_channel,
        "uncompleted": state._calls._uncompleted,
        "entering": state._entering,
        "in wrap-up": state._in_wrapup,
        "suspects": state.suspects,
    }
    return {what: value for what, value in remembered.items() if value}
