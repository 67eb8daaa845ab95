"""What Asterisk's queue_log says, read for itself: an independent judge of what the exporter tells.

The agent column is the
MemberName (`log_membername_as_agent = yes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

_LEFT: Final = {
    "ABANDON": "abandoned",
    "EXITWITHTIMEOUT": "timeout",
    "EXITEMPTY": "leave_empty",
    "EXITWITHKEY": "exit_key",
    "WITHDRAW": "withdrawn",
}
#: Where the caller's wait stands among the data of each, counted from 0.
_WAIT: Final = {"ABANDON": 2, "EXITWITHTIMEOUT": 2, "EXITEMPTY": 2, "EXITWITHKEY": 3, "WITHDRAW": 2}
_ENDED: Final = {
    "COMPLETECALLER": "caller",
    "COMPLETEAGENT": "agent",
    "BLINDTRANSFER": "blind_transfer",
    "ATTENDEDTRANSFER": "attended_transfer",
}
_ABOUT_CALLS: Final = {"RINGNOANSWER", "CONNECT", *_ENDED, *_LEFT}


@dataclass
class LoggedCall:
    """One visit of a caller to a queue; durations are whole seconds.

    Attributes:
        at: Unix time of the join.
        outcome: "" while it waits, or for ever after a crash.
        ended_by: how an answered call ended; "" while it talks.
        rings: RINGNOANSWER lines, by agent.
    """

    queue: str
    uniqueid: str
    at: int
    number: str
    outcome: str = ""
    agent: str = ""
    ended_by: str = ""
    wait_s: int = 0
    talk_s: int = 0
    transfer_to: str = ""
    ended_at: int = 0
    rings: list[str] = field(default_factory=list)


def calls(rows: Iterable[Sequence[str]]) -> list[LoggedCall]:
    """All calls, in the order of their joins. Raises KeyError for a line about a call that has not begun.

    An attended transfer by REFER may be logged with the Uniqueid of the agent's second phone call; then the
    agent tells which one it was.
    """
    found: list[LoggedCall] = []
    latest: dict[tuple[str, str], LoggedCall] = {}
    for at, uniqueid, queue, agent, event, *data in rows:
        if event == "ENTERQUEUE":
            latest[queue, uniqueid] = LoggedCall(queue, uniqueid, int(at), data[1])
            found.append(latest[queue, uniqueid])
        elif event == "ATTENDEDTRANSFER" and (queue, uniqueid) not in latest:
            [call] = [c for c in found if (c.queue, c.agent, c.ended_by) == (queue, agent, "")]
            _take(call, int(at), agent, event, data)
        elif event in _ABOUT_CALLS:
            _take(latest[queue, uniqueid], int(at), agent, event, data)
    return found


def _take(call: LoggedCall, at: int, agent: str, event: str, data: Sequence[str]) -> None:
    if event == "RINGNOANSWER":
        call.rings.append(agent)
    elif event == "CONNECT":
        call.outcome, call.agent, call.wait_s = "answered", agent, int(data[0])
    elif event in _ENDED:
        _end(call, event, data)
        call.ended_at = at
    else:
        call.outcome, call.wait_s, call.ended_at = _LEFT[event], int(data[_WAIT[event]]), at


def _end(call: LoggedCall, event: str, data: Sequence[str]) -> None:
    call.ended_by = _ENDED[event]
    if event.startswith("COMPLETE"):
        call.talk_s = int(data[1])
        return
    call.talk_s = int(data[-2])
    if event == "BLINDTRANSFER":
        call.transfer_to = data[0]


@dataclass
class LoggedPause:
    """A PAUSEALL up to the next PAUSEALL or UNPAUSEALL of the agent; None: it goes on."""

    agent: str
    reason: str
    started_at: int
    ended_at: int | None = None


def pauses_in_all_queues(rows: Iterable[Sequence[str]]) -> list[LoggedPause]:
    """Pauses that were set in all queues at once. (In 16 and 22 PAUSEALL's reason is the first datum.)"""
    found: list[LoggedPause] = []
    for at, _, _, agent, event, *data in rows:
        if event not in ("PAUSEALL", "UNPAUSEALL"):
            continue
        for pause in _open(found, agent):
            pause.ended_at = int(at)
        if event == "PAUSEALL":
            found.append(LoggedPause(agent, data[0] if data else "", int(at)))
    return found


def _open(pauses: Iterable[LoggedPause], agent: str) -> Iterator[LoggedPause]:
    return (pause for pause in pauses if pause.agent == agent and pause.ended_at is None)


def memberships(rows: Iterable[Sequence[str]]) -> list[tuple[str, str, int, int]]:
    """(queue, agent, added at, removed at) of the dynamic members that were removed."""
    added: dict[tuple[str, str], int] = {}
    found: list[tuple[str, str, int, int]] = []
    for at, _, queue, agent, event, *_ in rows:
        if event == "ADDMEMBER":
            added[queue, agent] = int(at)
        elif event == "REMOVEMEMBER":
            found.append((queue, agent, added[queue, agent], int(at)))
    return found
