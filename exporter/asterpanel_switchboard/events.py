"""Typed AMI events: all that anybody behind the wire ever sees of what a switchboard says.

Times (``at``) are Unix seconds of the switchboard's own clock: the ``Timestamp`` header, which needs
``timestampevents = yes`` in manager.conf; None where the frame has none (list items never have one).
`asterpanel_switchboard.decoding` makes these out of frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class DeviceStatus(IntEnum):
    """``Status`` of a queue member (``enum ast_device_state``, ``include/asterisk/devicestate.h``)."""

    UNKNOWN = 0
    NOT_IN_USE = 1
    IN_USE = 2
    BUSY = 3
    INVALID = 4
    UNAVAILABLE = 5
    RINGING = 6
    RINGING_IN_USE = 7
    ON_HOLD = 8


@dataclass(frozen=True, slots=True)
class Caller:
    """The calling channel of a queue event. ``number`` and ``name`` are "" when Asterisk knows none."""

    uniqueid: str
    linkedid: str
    channel: str
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class CallerJoined:
    """QueueCallerJoin. ``count``: callers waiting in the queue, this one included."""

    at: float | None
    queue: str
    caller: Caller
    position: int
    count: int | None


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """QueueCallerLeave: the caller waits no more, for whatever reason. ``count``: those still waiting."""

    at: float | None
    queue: str
    uniqueid: str
    position: int | None
    count: int | None


@dataclass(frozen=True, slots=True)
class CallerAbandoned:
    """QueueCallerAbandon, which Asterisk sends for time-outs and withdrawals too. A Leave follows."""

    at: float | None
    queue: str
    uniqueid: str
    position: int | None


class AgentStep(Enum):
    """Where an agent's part in a queue call has got to."""

    CALLED = "called"
    CONNECTED = "connected"
    COMPLETED = "completed"
    NOT_ANSWERED = "not_answered"
    DUMPED = "dumped"


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """AgentCalled, AgentConnect, AgentComplete, AgentRingNoAnswer and AgentDump.

    ``uniqueid`` (the caller's channel) and ``dest_uniqueid`` (the agent's) can be "": in AgentComplete
    Asterisk looks the channels up after the fact, and loses the race under load. ``reason`` is only
    AgentComplete's: ``caller``, ``agent`` or ``transfer``. The rest is what Asterisk itself says of an
    answered call: the caller's number and name, and seconds waited, rung (also where nobody answered) and
    talked, which it rounds to whole ones.
    """

    at: float | None
    step: AgentStep
    queue: str
    interface: str
    member_name: str
    uniqueid: str
    dest_channel: str
    dest_uniqueid: str
    reason: str = ""
    number: str = ""
    name: str = ""
    hold_s: float | None = None
    ring_s: float | None = None
    talk_s: float | None = None


@dataclass(frozen=True, slots=True)
class MemberReport:
    """What Asterisk says of one membership. None: this event or this version does not tell.

    ``last_call``, ``last_pause`` and ``login_time`` are whole Unix seconds, 0.0 for never.
    ``wrapup_s`` is the member's own override; 0.0: none, the queue's counts (which AMI never tells).
    """

    queue: str
    interface: str
    name: str
    state_interface: str
    dynamic: bool | None
    penalty: int | None
    calls_taken: int | None
    last_call: float | None
    last_pause: float | None
    login_time: float | None
    in_call: bool | None
    status: DeviceStatus | None
    paused: bool | None
    paused_reason: str | None
    ring_in_use: bool | None
    wrapup_s: float | None


class MemberChange(Enum):
    """Which QueueMember… event a report came with."""

    STATUS = "status"
    ADDED = "added"
    REMOVED = "removed"
    PAUSE = "pause"
    PENALTY = "penalty"
    RING_IN_USE = "ring_in_use"


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """QueueMemberStatus, …Added, …Removed, …Pause, …Penalty, …Ringinuse: the whole member each time."""

    at: float | None
    change: MemberChange
    member: MemberReport


@dataclass(frozen=True, slots=True)
class QueueEntered:
    """Newexten with application Queue: a channel is about to ask for a place in the queue.

    The only sign of a caller who is then refused (full, empty): app_queue sends no event for those. It comes
    once more when a caller who is in the queue is sent elsewhere in the dialplan: ``extension`` and
    ``context`` are already the new ones then, while the application is still Queue.
    """

    at: float | None
    queue: str
    caller: Caller
    context: str
    extension: str


@dataclass(frozen=True, slots=True)
class QueueStatusSet:
    """VarSet of QUEUESTATUS: why a caller's visit ended, or why it did not begin. ``value`` in capitals."""

    at: float | None
    uniqueid: str
    value: str


@dataclass(frozen=True, slots=True)
class DialCancelled:
    """DialEnd with ABORT or CANCEL: the called channel rings no more, through no doing of its own."""

    at: float | None
    dest_uniqueid: str


@dataclass(frozen=True, slots=True)
class ConsultationBegun:
    """VarSet of TRANSFERERNAME: this channel's owner has left his call to consult somebody (DTMF ``atxfer``).

    ``res_features``/``bridge_basic.c`` set it as the consultation call is made; it may still be given up.
    """

    at: float | None
    transferer: str


@dataclass(frozen=True, slots=True)
class ChannelGone:
    """Hangup: the channel exists no more.

    ``cause``: Q.850, as in ``include/asterisk/causes.h``. ``context`` and ``extension``: where it was in the
    dialplan, "" if not told.
    """

    at: float | None
    uniqueid: str
    channel: str
    cause: int | None
    context: str = ""
    extension: str = ""


@dataclass(frozen=True, slots=True)
class CallTransferred:
    """BlindTransfer or AttendedTransfer.

    Attributes:
        transferers: channels of who transfers: one, or with a second phone call two.
        transferee: channel of who is transferred, "" if it is not told.
        target: extension that he is transferred to, "" if it is not told.
    """

    at: float | None
    attended: bool
    transferers: tuple[str, ...]
    transferee: str
    target: str

    @property
    def uniqueids(self) -> frozenset[str]:
        """All channels that it names."""
        return frozenset(filter(None, (*self.transferers, self.transferee)))


@dataclass(frozen=True, slots=True)
class FullyBooted:
    """The switchboard has finished starting (sent at each login too, if the user may read ``system``).

    ``uptime_s``: seconds since its start, None if not told.
    """

    at: float | None
    uptime_s: float | None


@dataclass(frozen=True, slots=True)
class ShuttingDown:
    """Shutdown: the switchboard ends or restarts; the connection closes next."""

    at: float | None
    restart: bool


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Reload of a module (or of ``All``). A ``queue reload`` from the CLI does not send it."""

    at: float | None
    module: str


@dataclass(frozen=True, slots=True)
class ModuleLoaded:
    """Load or, with ``loaded`` false, Unload of a module; ``module`` without its ``.so``."""

    at: float | None
    module: str
    loaded: bool


@dataclass(frozen=True, slots=True)
class QueueListed:
    """QueueParams, an item of the QueueStatus list."""

    action_id: str
    queue: str
    strategy: str
    max_len: int
    service_level_s: float
    weight: int
    completed: int
    abandoned: int


@dataclass(frozen=True, slots=True)
class MemberListed:
    """QueueMember, an item of the QueueStatus list."""

    action_id: str
    member: MemberReport


@dataclass(frozen=True, slots=True)
class CallerListed:
    """QueueEntry, an item of the QueueStatus list. ``wait_s``: whole seconds waited so far."""

    action_id: str
    queue: str
    caller: Caller
    position: int
    wait_s: float
    priority: int | None


@dataclass(frozen=True, slots=True)
class QueueListEnded:
    """QueueStatusComplete."""

    action_id: str


ListItem = QueueListed | MemberListed | CallerListed | QueueListEnded
"""The answer to QueueStatus; no ``at``, in the order in which app_queue walks its queues."""

LiveEvent = (
    CallerJoined
    | CallerLeft
    | CallerAbandoned
    | AgentEvent
    | MemberChanged
    | QueueEntered
    | QueueStatusSet
    | DialCancelled
    | ConsultationBegun
    | ChannelGone
    | CallTransferred
    | FullyBooted
    | ShuttingDown
    | Reloaded
    | ModuleLoaded
)
"""What the switchboard tells unasked."""

Event = LiveEvent | ListItem
