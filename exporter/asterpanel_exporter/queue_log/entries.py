"""What the lines of a queue_log tell. Times are Unix seconds; an agent is as the agent column names him."""

from __future__ import annotations

from typing import NamedTuple

from asterpanel_exporter.history.records import AttemptResult, EndedBy, Outcome


class Entered(NamedTuple):
    """A caller has entered a queue. ``queue``: as the dialplan spells it; ``name``: 22.4 and later."""

    at: int
    uniqueid: str
    queue: str
    number: str
    name: str
    position: int


class Connected(NamedTuple):
    """An agent has taken the call. ``agent_uniqueid``: of his channel; ``ring_s``: whole seconds."""

    at: int
    uniqueid: str
    queue: str
    agent: str
    hold_s: int
    agent_uniqueid: str
    ring_s: int


class Completed(NamedTuple):
    """The talk is over. ``position``: at the join; ``transfer_to``: the extension, of a blind transfer."""

    at: int
    uniqueid: str
    queue: str
    agent: str
    ended_by: EndedBy
    hold_s: int
    talk_s: int
    position: int
    transfer_to: str


class Left(NamedTuple):
    """A caller has left without talking to anybody. ``agent``: had picked up, but was not connected; or "".

    ``wait_s``: None where the event does not tell it (SYSCOMPAT).
    """

    at: int
    uniqueid: str
    queue: str
    agent: str
    outcome: Outcome
    position: int
    position_in: int
    wait_s: int | None


class Rang(NamedTuple):
    """An agent's phone rings no more. ``ring_s``: None where the event does not tell it (AGENTDUMP)."""

    at: int
    uniqueid: str
    queue: str
    agent: str
    result: AttemptResult
    ring_s: float | None


class MemberChanged(NamedTuple):
    """A dynamic member was added to a queue (``paused``: already so), or removed from it."""

    at: int
    queue: str
    agent: str
    added: bool
    paused: bool


class PauseChanged(NamedTuple):
    """A member was paused or unpaused in a queue. With ``queue`` "": in all; a line for each comes next."""

    at: int
    queue: str
    agent: str
    paused: bool
    reason: str


class Started(NamedTuple):
    """Asterisk has started (QUEUESTART): nothing that went on before goes on."""

    at: int


class Ignored(NamedTuple):
    """An event that says nothing about calls, pauses or memberships: of Asterisk, or the dialplan's own."""

    at: int
    event: str


Entry = Entered | Connected | Completed | Left | Rang | MemberChanged | PauseChanged | Started | Ignored
