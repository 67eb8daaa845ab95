"""What the tests of the web server stand on: an exporter fed with AMI bytes, served on a free port.

The bytes go the way of a live session's: `Intake` decodes them, `LiveSwitchboard.receive` takes them. The
only thing missing is the socket.
"""

from __future__ import annotations

import asyncio
import json
import lzma
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, ClientTimeout

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.state import ResyncReason
from asterpanel_exporter.supervisor import Exporter
from asterpanel_exporter.web.app import serve
from asterpanel_exporter.web.stream import StreamSettings
from asterpanel_switchboard.config import Config
from asterpanel_switchboard.intake import Intake
from asterpanel_switchboard.merge_patch import Document, apply_merge_patch

TRACES = Path(__file__).parents[1] / "traces"
NOW = 1795390000.0
"""Where the clock of these tests stands: a little before the recordings."""

TOKEN = "sesame-öffne-dich"
OPEN = {"state_open_on_loopback": True}
HOSTILE_NAMES = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "\"'><svg onload=document.title='owned'>",
    "__proto__",
    "\u202egnp.exe \u0000\u001b[31m",
    "Zoë 名前 🐛",
    "data: {}\\n\\nevent: snapshot\u2028x",
)


class Clock:
    """Our clock, moved by hand."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def exporter_of(
    *names: str, clock: Callable[[], float] | None = None, exporter: dict[str, Any] | None = None
) -> Exporter:
    """An exporter that watches nobody: its switchboards are fed by the test."""
    boards = {
        name: {"name": name, "host": "127.0.0.1", "username": "monitor", "secret": "s3cret-of-ami"}
        for name in names or ("milano",)
    }
    settings = {"listen": "127.0.0.1:0", **(OPEN if exporter is None else exporter)}
    config = Config.model_validate({"exporter": settings, "switchboards": boards})
    return Exporter(config, wall_clock=clock or Clock())


# --- AMI bytes ------------------------------------------------------------------------------------------


def frame(event: str, **headers: object) -> bytes:
    """One AMI frame. Python's names: ``Class_`` for a header that is a keyword here."""
    lines = [f"Event: {event}", *(f"{name.rstrip('_')}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def feed(live: LiveSwitchboard, data: bytes, ours: float) -> None:
    """Let a switchboard receive frames at our time."""
    events, _ = Intake(live.name).feed(data)
    live.receive(events, ours)


@dataclass(frozen=True)
class MemberLine:
    """A queue member as QueueStatus lists it."""

    name: str
    extension: str
    status: int = 1
    paused: str | None = None
    paused_for_s: int = 0


def log_in(
    live: LiveSwitchboard, queues: dict[str, Iterable[MemberLine]] | None = None, ours: float = NOW
) -> None:
    """Bring a switchboard up with the whole state: queues with their members."""
    live.connected("11.0.0")
    live.clock.observe(ours, ours, 0.002)
    action_id = live.resync_action_id(ResyncReason.CONNECTED, 1)
    data = b""
    for queue, members in (queues or {}).items():
        data += frame(
            "QueueParams", Queue=queue, Max=0, Strategy="ringall", Calls=0, Completed=0, Abandoned=0,
            ServiceLevel=20, Weight=0, ActionID=action_id,
        )  # fmt: skip
        for member in members:
            data += frame(
                "QueueMember", Queue=queue, Name=member.name, Location=f"PJSIP/{member.extension}",
                StateInterface=f"PJSIP/{member.extension}", Membership="static", Penalty=0, CallsTaken=3,
                LastCall=0, LastPause=int(ours) - member.paused_for_s if member.paused is not None else 0,
                LoginTime=int(ours) - 7200, InCall=0, Status=member.status,
                Paused=int(member.paused is not None), PausedReason=member.paused or "", Wrapuptime=0,
                ActionID=action_id,
            )  # fmt: skip
    feed(live, data + frame("QueueStatusComplete", ActionID=action_id, EventList="Complete"), ours)
    live.pong(ours, ours, 0.001)


def join(live: LiveSwitchboard, queue: str, uniqueid: str, at: float, *, number: str = "390551001",
         name: str = "Anna Rossi") -> None:  # fmt: skip
    """A caller joins at the end of a queue."""
    place = len(live.state.queues[queue].waiting) + 1
    feed(live, frame(
        "QueueCallerJoin", Timestamp=at, Channel=f"PJSIP/peer-{uniqueid}", CallerIDNum=number,
        CallerIDName=name, Uniqueid=uniqueid, Linkedid=uniqueid, Queue=queue, Position=place, Count=place,
    ), at)  # fmt: skip


def leave(live: LiveSwitchboard, queue: str, uniqueid: str, at: float) -> None:
    """A caller leaves a queue."""
    left = len(live.state.queues[queue].waiting) - 1
    feed(live, frame(
        "QueueCallerLeave", Timestamp=at, Channel=f"PJSIP/peer-{uniqueid}", Uniqueid=uniqueid,
        Queue=queue, Position=1, Count=left,
    ), at)  # fmt: skip


def answer_call(live: LiveSwitchboard, queue: str, uniqueid: str, extension: str, at: float) -> None:
    """An agent answers a waiting caller."""
    member = {"Queue": queue, "Interface": f"PJSIP/{extension}", "MemberName": ""}
    leave(live, queue, uniqueid, at)
    member_status(live, queue, extension, 2, at)
    name = live.state.queues[queue].members[f"pjsip/{extension}"].name
    feed(live, frame(
        "AgentConnect", Timestamp=at, Channel=f"PJSIP/peer-{uniqueid}", Uniqueid=uniqueid,
        DestChannel=f"PJSIP/{extension}-01", DestUniqueid=f"{uniqueid}9", HoldTime=3, RingTime=1,
        **{**member, "MemberName": name},
    ), at)  # fmt: skip


def member_status(live: LiveSwitchboard, queue: str, extension: str, status: int, at: float) -> None:
    """A member's phone changes its state."""
    member = live.state.queues[queue].members[f"pjsip/{extension}"]
    feed(live, frame(
        "QueueMemberStatus", Timestamp=at, Queue=queue, MemberName=member.name,
        Interface=f"PJSIP/{extension}", StateInterface=f"PJSIP/{extension}", Membership="static", Penalty=0,
        CallsTaken=3, LastCall=0, InCall=0, Status=status, Paused=int(member.paused),
        PausedReason=member.paused_reason, Wrapuptime=0,
    ), at)  # fmt: skip


# --- recordings -----------------------------------------------------------------------------------------


@cache
def recording(name: str) -> bytes:
    """A recorded AMI stream, e.g. ``asterisk-22/member_actions``."""
    return lzma.decompress((TRACES / f"{name}.ami.xz").read_bytes())


def recordings() -> list[str]:
    """Names of all short recordings."""
    return sorted(str(path.relative_to(TRACES)).removesuffix(".ami.xz") for path in TRACES.glob("*/*.ami.xz"))


def pieces(data: bytes, seed: int, most: int = 4000) -> list[bytes]:
    """The bytes in reads of random sizes, the same for the same seed."""
    dice = random.Random(seed)
    cut: list[bytes] = []
    while data:
        size = dice.randint(1, most)
        cut.append(data[:size])
        data = data[size:]
    return cut


class Playback:
    """A recording on its way into a switchboard, with our clock following its time stamps."""

    def __init__(self, live: LiveSwitchboard, clock: Clock) -> None:
        self.live = live
        self._clock = clock
        self._intake = Intake(live.name)

    def play(self, data: bytes) -> None:
        """Receive some bytes."""
        events, _ = self._intake.feed(data)
        for event in events:
            self._clock.now = max(self._clock.now, getattr(event, "at", None) or 0.0)
            self.live.receive([event], self._clock.now)


# --- the server -----------------------------------------------------------------------------------------


async def exposition(accept: str) -> tuple[bytes, str]:
    """Metrics that are long enough to be worth compressing."""
    openmetrics = accept.startswith("application/openmetrics-text")
    kind = "application/openmetrics-text" if openmetrics else "text/plain"
    return b"# HELP asterisk_up whether\nasterisk_up 1\n" * 200, f"{kind}; version=1.0.0; charset=utf-8"


@asynccontextmanager
async def served(
    exporter: Exporter, streams: StreamSettings | None = None, metrics: Any = exposition
) -> AsyncIterator[ClientSession]:
    """The real server on a free port, and a client of it."""
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(exporter, metrics, streams=streams, on_listening=listening.set_result))
    either: set[asyncio.Future[Any]] = {server, listening}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if server.done():
        server.result()
    try:
        async with ClientSession(listening.result(), timeout=ClientTimeout(total=60)) as client:
            yield client
    finally:
        server.cancel()
        await asyncio.wait({server})


@dataclass(frozen=True)
class SseEvent:
    """One server-sent event with its JSON."""

    kind: str
    id: int
    data: dict[str, Any]


async def sse_events(response: ClientResponse) -> AsyncIterator[SseEvent]:
    """The events of a stream, until it ends."""
    fields: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode().removesuffix("\n")
        if line:
            key, _, value = line.partition(": ")
            fields[key] = value
        else:
            yield SseEvent(fields["event"], int(fields["id"]), json.loads(fields["data"]))
            fields = {}


class StreamClient:
    """Reads a stream and keeps what it tells: the documents by switchboard."""

    def __init__(self, response: ClientResponse) -> None:
        self.documents: dict[str, Document] = {}
        self.kinds: list[str] = []
        self._events = sse_events(response)

    async def step(self) -> SseEvent:
        """Take the next event."""
        event = await anext(self._events)
        self.kinds.append(event.kind)
        if event.kind == "snapshot":
            self.documents = event.data["switchboards"]
        elif event.kind == "patch":
            self.documents = apply_merge_patch(self.documents, event.data["switchboards"])
        return event

    async def until(self, reached: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Read until a condition holds."""
        async with asyncio.timeout(timeout_s):
            while not reached():
                await self.step()


def without_as_of(documents: dict[str, Document]) -> dict[str, Document]:
    """Documents without what heartbeats tell."""
    return {
        name: {key: value for key, value in document.items() if key != "as_of"}
        for name, document in documents.items()
    }


# --- and that it is what it says ------------------------------------------------------------------------


async def test_a_recording_ends_in_a_known_state() -> None:
    clock = Clock()
    live = exporter_of(clock=clock).switchboards["milano"]
    live.connected("11.0.0")
    playback = Playback(live, clock)
    for piece in pieces(recording("asterisk-22/reload_during_call"), seed=1):
        playback.play(piece)
    document = live.document(clock())
    assert "billing" in document["queues"]
    assert document["agents"]["1002"]["name"] == "Bob"
    assert live.errors == 0


async def test_frames_made_here_are_understood() -> None:
    live = exporter_of().switchboards["milano"]
    log_in(live, {"billing": [MemberLine("Alice", "1001"), MemberLine("Bob", "1002", paused="lunch")]})
    join(live, "billing", "1.1", NOW + 1)
    join(live, "billing", "1.2", NOW + 2)
    answer_call(live, "billing", "1.1", "1001", NOW + 3)
    document = live.document(NOW + 4)
    assert live.up
    assert [caller["uniqueid"] for caller in document["queues"]["billing"]["waiting"]] == ["1.2"]
    assert [call["agent"] for call in document["queues"]["billing"]["in_progress"]] == ["1001"]
    assert {key: agent["state"] for key, agent in document["agents"].items()} == {
        "1001": "on_call",
        "1002": "paused",
    }
    assert live.state.resync_wanted is None or live.state.resync_wanted is ResyncReason.CONNECTED
