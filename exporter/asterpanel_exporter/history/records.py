"""What has finished on a switchboard: calls, ring attempts, pauses, memberships, gaps; and what was done.

Times (``…_at``) are Unix seconds of the switchboard's own clock, durations are seconds; both are exact to the
microsecond of AMI's ``Timestamp`` unless said otherwise. Text is "" where it is not known. The attributes are
the tags and fields of the event points (`asterpanel_exporter.points.catalogue`) by the same names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How one visit of one caller to one queue ended."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    TIMEOUT = "timeout"
    EXIT_KEY = "exit_key"
    LEAVE_EMPTY = "leave_empty"
    JOIN_EMPTY = "join_empty"
    LEAVE_UNAVAIL = "leave_unavail"
    JOIN_UNAVAIL = "join_unavail"
    FULL = "full"
    WITHDRAWN = "withdrawn"
    CONTINUE = "continue"
    REDIRECTED = "redirected"
    UNKNOWN = "unknown"


class EndedBy(StrEnum):
    """How an answered call ended. UNKNOWN: moved away in mid-talk, or cut by a restart of the PBX."""

    CALLER = "caller"
    AGENT = "agent"
    BLIND_TRANSFER = "blind_transfer"
    ATTENDED_TRANSFER = "attended_transfer"
    UNKNOWN = ""


class AttemptResult(StrEnum):
    """How one ringing of an agent's phone ended.

    ANSWERED: he picked up (with ``memberdelay`` he can still hang up before he is connected). NO_ANSWER: it
    rang as long as the queue lets it. REJECTED: the phone refused (busy, declined, unreachable). CANCELLED:
    the caller left, or another agent was faster.
    """

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class QueueCall:
    """One visit of one caller to one queue, from its join to its end.

    Attributes:
        joined_at: when the caller entered the queue, or was refused entry.
        wait_s: until an agent was connected, or the caller left.
        ring_s: how long the phone of the agent who answered had rung; 0.0 if none did.
        talk_s: from the connection to the end or the transfer; 0.0 if not answered.
        position_in: place in the queue at the join; 0 if refused.
        position_out: place when the caller left it; 0 if refused or not told.
        attempts: how often an agent's phone rang for this visit.
        sl_threshold_s: threshold of the service level that applied; 0.0: the queue has none.
        short_abandon_s: who gives up sooner is a short abandon.
        transfer_to: extension that the call was transferred to.
    """

    switchboard: str
    queue: str
    outcome: Outcome
    joined_at: float
    uniqueid: str
    linkedid: str = ""
    caller: str = ""
    caller_name: str = ""
    agent: str = ""
    agent_name: str = ""
    ended_by: EndedBy = EndedBy.UNKNOWN
    wait_s: float = 0.0
    ring_s: float = 0.0
    talk_s: float = 0.0
    position_in: int = 0
    position_out: int = 0
    attempts: int = 0
    sl_threshold_s: float = 0.0
    short_abandon_s: float = 0.0
    transfer_to: str = ""

    @property
    def at(self) -> float:
        return self.joined_at

    @property
    def offered(self) -> int:
        return 1

    @property
    def answered(self) -> int:
        return int(self.outcome is Outcome.ANSWERED)

    @property
    def abandoned(self) -> int:
        return int(self.outcome is Outcome.ABANDONED)

    @property
    def short_abandon(self) -> int:
        return int(self.outcome is Outcome.ABANDONED and self.wait_s < self.short_abandon_s)

    @property
    def within_sl(self) -> int:
        return int(self.outcome is Outcome.ANSWERED and self.wait_s <= self.sl_threshold_s)

    @property
    def abandoned_within_sl(self) -> int:
        return int(self.outcome is Outcome.ABANDONED and self.wait_s <= self.sl_threshold_s)

    @property
    def transferred(self) -> int:
        return int(self.ended_by in (EndedBy.BLIND_TRANSFER, EndedBy.ATTENDED_TRANSFER))


@dataclass(frozen=True, slots=True)
class AgentAttempt:
    """One ringing of one agent's phone for one caller."""

    switchboard: str
    queue: str
    agent: str
    agent_name: str
    result: AttemptResult
    started_at: float
    ring_s: float
    uniqueid: str

    @property
    def at(self) -> float:
        return self.started_at


@dataclass(frozen=True, slots=True)
class AgentPause:
    """A finished pause: in every queue that the agent was a member of. ``by``: who set it, if known."""

    switchboard: str
    agent: str
    agent_name: str
    reason: str
    started_at: float
    duration_s: float
    by: str = ""

    @property
    def at(self) -> float:
        return self.started_at


@dataclass(frozen=True, slots=True)
class AgentSession:
    """A finished membership of an agent in a queue."""

    switchboard: str
    queue: str
    agent: str
    agent_name: str
    started_at: float
    duration_s: float

    @property
    def at(self) -> float:
        return self.started_at


@dataclass(frozen=True, slots=True)
class ControlAction:
    """An action of the control API, done or denied."""

    switchboard: str
    action: str
    agent: str
    queue: str
    result: str
    acted_at: float
    user: str = ""
    detail: str = ""

    @property
    def at(self) -> float:
        return self.acted_at


@dataclass(frozen=True, slots=True)
class SwitchboardGap:
    """A time in which a switchboard could not be watched. ``calls_missed``: calls that ended in it."""

    switchboard: str
    cause: str
    started_at: float
    duration_s: float
    calls_missed: int

    @property
    def at(self) -> float:
        return self.started_at


Record = QueueCall | AgentAttempt | AgentPause | AgentSession | ControlAction | SwitchboardGap
