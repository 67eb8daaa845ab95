"""A queue call that has not ended yet: all that is known of it, and how it is kept over a restart."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, field, fields
from typing import Final, Self

from asterpanel_exporter.history.encoding import encode
from asterpanel_exporter.history.records import AttemptResult, EndedBy, Outcome


@dataclass(slots=True, eq=False)
class Ringing:
    """An agent's phone that rings for a visit.

    Attributes:
        stopped_at: when it stopped, although it is not known yet whether the phone refused.
        stale: events were missed since: how it ends may never be told.
    """

    interface: str
    agent: str
    agent_name: str
    dest_uniqueid: str
    started_at: float
    stopped_at: float | None = None
    stale: bool = False


@dataclass(slots=True, eq=False)
class Visit:
    """One visit of one caller to one queue, until its record is made.

    Attributes:
        listed: only a QueueStatus list has told of the join, in whole seconds.
        given_up: QueueCallerAbandon was sent, which can mean many things.
        context, extension: where in the dialplan he entered the queue, "" if not told.
        moved: the dialplan or a redirect sent the caller elsewhere while he waited.
        hung_up: the caller's channel is gone.
        consulting_at: when the agent left the caller to consult somebody.
        completed: the switchboard has counted it as completed.
        is_complete: AgentComplete was seen.
        told: its record is made, and only AgentComplete is still to come.
        lost: its end was not seen, nor is it known to go on.
        outcome: decided; the record is made when `due_at` has come.
        due_at: when something is decided if nothing else happens; None: nothing is to be decided.
        key: tells it from all others of its switchboard, and from earlier visits of the same caller.
    """

    queue: str
    uniqueid: str
    linkedid: str
    number: str
    name: str
    joined_at: float
    position_in: int
    context: str = ""
    extension: str = ""
    listed: bool = False
    attempts: int = 0
    ringing: list[Ringing] = field(default_factory=list)
    position_out: int = 0
    left_at: float | None = None
    given_up: bool = False
    moved: bool = False
    hung_up: bool = False
    connected_at: float | None = None
    interface: str = ""
    agent: str = ""
    agent_name: str = ""
    dest_uniqueid: str = ""
    dest_channel: str = ""
    ring_s: float = 0.0
    consulting_at: float | None = None
    ended_at: float | None = None
    ended_by: EndedBy | None = None
    transfer_to: str = ""
    completed: bool = False
    is_complete: bool = False
    told: bool = False
    lost: bool = False
    outcome: Outcome | None = None
    due_at: float | None = None
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.key = f"{self.queue}|{self.uniqueid}|{self.joined_at:.6f}"

    @property
    def is_waiting(self) -> bool:
        return self.left_at is None and self.connected_at is None

    @property
    def is_undecided(self) -> bool:
        """He waits no more, and it is not known yet what became of him."""
        return self.left_at is not None and self.connected_at is None and self.outcome is None

    @property
    def is_talking(self) -> bool:
        return self.connected_at is not None and self.ended_at is None

    def ringing_on(self, dest_uniqueid: str, interface: str) -> Ringing | None:
        """The attempt on this channel of an agent, else the oldest on this interface."""
        on_channel = (ringing for ringing in self.ringing if dest_uniqueid == ringing.dest_uniqueid != "")
        interface = interface.casefold()
        on_interface = (ringing for ringing in self.ringing if ringing.interface.casefold() == interface)
        return next(on_channel, None) or next(on_interface, None)

    def to_json(self) -> str:
        """What is not as in a new visit, by name."""
        data = {name: value for name in _NAMES if (value := getattr(self, name)) != _NEW.get(name)}
        data["ringing"] = [{name: getattr(r, name) for name in _RINGING_NAMES} for r in self.ringing]
        return encode(data)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises `ValueError`, `TypeError` or `KeyError` if it is none."""
        data = json.loads(text)
        data["ringing"] = [Ringing(**ringing) for ringing in data["ringing"]]
        if "ended_by" in data:
            data["ended_by"] = EndedBy(data["ended_by"])
        if "outcome" in data:
            data["outcome"] = Outcome(data["outcome"])
        return cls(**data)


_NAMES: Final = tuple(each.name for each in fields(Visit) if each.init)
_NEW: Final = {each.name: each.default for each in fields(Visit) if each.default is not MISSING}
_RINGING_NAMES: Final = tuple(each.name for each in fields(Ringing))


NOT_REFUSED_CAUSES = frozenset({0, 16, 18, 19})
"""Q.850 causes with which a phone that rang did not refuse: none (the queue gave up), normal clearing, no
user responding, no answer. Others are busy (17), declined (21), congestion (34), unreachable and the like."""


def result_of_hangup(ringing: Ringing, cause: int | None) -> AttemptResult:
    """How an attempt ended whose channel is gone."""
    if cause is not None and cause not in NOT_REFUSED_CAUSES:
        return AttemptResult.REJECTED
    return AttemptResult.CANCELLED if ringing.stopped_at is None else AttemptResult.NO_ANSWER
