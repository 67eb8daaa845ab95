"""The things a switchboard's live state is made of. Times are Unix seconds of the switchboard's clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from asterpanel_switchboard.events import DeviceStatus


class AgentState(StrEnum):
    """What an agent is doing: exactly one at a time, the first that applies in this order."""

    UNAVAILABLE = "unavailable"
    ON_CALL = "on_call"
    ON_HOLD = "on_hold"
    RINGING = "ringing"
    WRAPUP = "wrapup"
    PAUSED = "paused"
    IDLE = "idle"


@dataclass(slots=True)
class WaitingCaller:
    """A caller in a queue. His position is his place in `Queue.waiting`.

    ``priority`` is None until a resync has told it: no event does.
    """

    uniqueid: str
    channel: str
    number: str
    name: str
    since: float
    priority: int | None = None


@dataclass(slots=True, eq=False)
class CallInProgress:
    """A queue call that an agent has answered. ``uniqueid`` is "" if it began before we watched.

    ``by_member``: the interface was a member of the queue when it answered, as it must be. ``doubted_at``: a
    list said that it has ended, although nothing else did.
    """

    queue: str
    uniqueid: str
    dest_uniqueid: str
    dest_channel: str
    interface: str
    agent: str
    since: float
    by_member: bool = True
    doubted_at: float | None = None


@dataclass(slots=True)
class Member:
    """One membership: one interface in one queue. Keyed by the interface in lower case.

    ``unseen_call_at``: a list said that the member is in a call of the queue, of which nothing else told.
    """

    queue: str
    interface: str
    agent: str
    name: str = ""
    state_interface: str = ""
    dynamic: bool = False
    penalty: int = 0
    paused: bool = False
    paused_reason: str = ""
    paused_since: float | None = None
    ring_in_use: bool | None = None
    status: DeviceStatus = DeviceStatus.UNKNOWN
    calls_taken: int = 0
    last_call: float = 0.0
    since: float | None = None
    wrapup_s: float = 0.0
    state: AgentState = AgentState.IDLE
    unseen_call_at: float | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What app_queue itself tells members apart by: (queue, interface without regard to case)."""
        return self.queue, self.interface.casefold()


@dataclass(slots=True)
class Queue:
    """One queue. ``offered``: callers who entered it or were refused entry since we have known it."""

    name: str
    strategy: str = ""
    max_len: int = 0
    service_level_s: float = 0.0
    weight: int = 0
    completed: int = 0
    abandoned: int = 0
    offered: int = 0
    waiting: list[WaitingCaller] = field(default_factory=list)
    in_progress: list[CallInProgress] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)


@dataclass(slots=True)
class Agent:
    """A person or phone over all his queues.

    ``paused`` means paused in every one of them; one queue's own flag is its `Member`'s.
    """

    id: str
    since: float
    name: str = ""
    state: AgentState = AgentState.IDLE
    paused: bool = False
    pause_reason: str = ""
    paused_since: float | None = None
    wrapup_until: float | None = None
    members: dict[tuple[str, str], Member] = field(default_factory=dict)
    calls: list[CallInProgress] = field(default_factory=list)


class ResyncReason(Enum):
    """Why the switchboard is asked for its whole state.

    ``announced``: something told us that we may be behind, so what differs is news. In the other cases
    what differs is drift: the reducer's own error, or a change that Asterisk announces to nobody.
    """

    CONNECTED = ("connected", True)
    BOOTED = ("booted", True)
    RELOADED = ("reloaded", True)
    UNKNOWN_QUEUE = ("unknown queue or member", True)
    UNUSABLE_DATA = ("unusable data", True)
    COUNT_MISMATCH = ("count mismatch", False)
    DOUBT = ("doubt", False)
    INTERVAL = ("interval", False)

    def __init__(self, words: str, announced: bool) -> None:
        self.words = words
        self.announced = announced


class DriftKind(StrEnum):
    """What a resync found different."""

    QUEUE_APPEARED = "queue_appeared"
    QUEUE_VANISHED = "queue_vanished"
    QUEUE_PARAMETERS = "queue_parameters"
    MEMBER_APPEARED = "member_appeared"
    MEMBER_VANISHED = "member_vanished"
    MEMBER_STATUS = "member_status"
    MEMBER_PAUSED = "member_paused"
    MEMBER_PENALTY = "member_penalty"
    CALLER_APPEARED = "caller_appeared"
    CALLER_VANISHED = "caller_vanished"
    CALLER_ORDER = "caller_order"
    CALL_APPEARED = "call_appeared"
    CALL_VANISHED = "call_vanished"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the switchboard tells otherwise than we had it; never holds a caller's number."""

    kind: DriftKind
    queue: str
    subject: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.kind} {self.queue!r}/{self.subject!r}: {self.ours} → {self.theirs}"
