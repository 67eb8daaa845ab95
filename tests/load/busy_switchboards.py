"""An exporter in a process of its own, whose switchboards change at an exact pace.

Each change is a caller who joins the queue `SERVICE`, or one who is answered there. Both have their time in
the live state (``since``), for everyone who sees the queue: so a reader knows when what he reads came about.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Self

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.web.app import serve
from asterpanel_exporter.web.stream import StreamSettings
from tests.exporter_process import free_port
from tests.unit.test_web_support import (
    MemberLine,
    answer_call,
    exporter_of,
    exposition,
    feed,
    frame,
    join,
    log_in,
    member_status,
)

SERVICE = "service"
TEAMS = 10
AGENTS_OF_TEAM = 20
IN_SERVICE = 12
"""Agents of each team who are in `SERVICE`, besides their team's queue."""

WAITING = 10
TALKING = 20
"""Callers and calls in `SERVICE`, once it is as busy as it gets."""

CALLER = "390551001"
"""The number of every caller."""


def agents_of(team: int) -> list[str]:
    """The agents of a team; those first in the list are in `SERVICE` too."""
    return [f"{1000 + team * 100 + number}" for number in range(AGENTS_OF_TEAM)]


@dataclass
class Made:
    """When changes were made on one switchboard, in microseconds since 1970."""

    joins: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


class BusyExporter:
    """Context manager.

    Args:
        switchboards: their names.
        changes_per_s: on each.
        interval_s: least time between two patches of its stream; None: as it comes.

    Attributes:
        port: where it listens.
        token: for its state.
    """

    def __init__(
        self, switchboards: Iterable[str], changes_per_s: float, interval_s: float | None = None
    ) -> None:
        self.port = free_port()
        self.token = secrets.token_hex(16)
        processes = multiprocessing.get_context("spawn")
        self._ours, theirs = processes.Pipe()
        arguments = (tuple(switchboards), changes_per_s, interval_s, self.port, self.token, theirs)
        self._process = processes.Process(target=_main, args=arguments, daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._ours.recv()
        return self

    def stop_changes(self) -> dict[str, Made]:
        """From now on nothing changes; what was changed, by switchboard."""
        self._ours.send("stop")
        made: dict[str, Made] = self._ours.recv()
        return made

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join(10)


def _main(
    names: tuple[str, ...],
    changes_per_s: float,
    interval_s: float | None,
    port: int,
    token: str,
    theirs: Connection,
) -> None:
    streams = None if interval_s is None else StreamSettings(interval_s=interval_s)
    asyncio.run(_run(names, changes_per_s, streams, port, token, theirs))


async def _run(
    names: tuple[str, ...],
    changes_per_s: float,
    streams: StreamSettings | None,
    port: int,
    token: str,
    theirs: Connection,
) -> None:
    settings = {"listen": f"127.0.0.1:{port}", "state_token": token}
    exporter = exporter_of(*names, clock=time.time, exporter=settings)
    boards = [_Busy(live) for live in exporter.switchboards.values()]
    loop = asyncio.get_running_loop()
    listening = loop.create_future()
    server = asyncio.create_task(
        serve(exporter, exposition, streams=streams, on_listening=listening.set_result)
    )
    await listening
    theirs.send("listening")
    changing = [
        asyncio.create_task(board.change(changes_per_s, number / len(boards)))
        for number, board in enumerate(boards)
    ]
    stopped = asyncio.Event()
    loop.add_reader(theirs.fileno(), stopped.set)
    stop = asyncio.create_task(stopped.wait())
    await asyncio.wait({stop, server, *changing}, return_when=asyncio.FIRST_COMPLETED)
    for task in changing:
        task.cancel()
    for result in await asyncio.gather(*changing, return_exceptions=True):
        if not isinstance(result, asyncio.CancelledError):
            raise AssertionError("a switchboard does not change any more") from result
    loop.remove_reader(theirs.fileno())
    theirs.recv()
    theirs.send({board.live.name: board.made for board in boards})
    await server


class _Busy:
    """A switchboard with `TEAMS` teams, each with a queue, and calls in `SERVICE`."""

    def __init__(self, live: LiveSwitchboard) -> None:
        self.live = live
        self.made = Made()
        self._calls = 0
        self._waiting: deque[str] = deque()
        self._talking: deque[tuple[str, str]] = deque()
        teams = {f"team-{team}": agents_of(team) for team in range(TEAMS)}
        members = {name: [_line(agent) for agent in agents] for name, agents in teams.items()}
        service = [agent for agents in teams.values() for agent in agents[:IN_SERVICE]]
        log_in(live, {SERVICE: map(_line, service), **members}, time.time())
        self._free = deque(service[:: len(service) // (TALKING + 2)])

    async def change(self, per_s: float, phase: float) -> None:
        """A caller joins and one is answered, by turns, at a steady pace."""
        loop = asyncio.get_running_loop()
        started, number = loop.time() + phase / per_s, 0
        while True:
            await asyncio.sleep(started + number / per_s - loop.time())
            number += 1
            if number % 2 and len(self._waiting) >= WAITING:
                self._answer()
            else:
                self._join()

    def _join(self) -> None:
        at = round(time.time(), 6)
        self._calls += 1
        uniqueid = f"1.{self._calls}"
        join(self.live, SERVICE, uniqueid, at, number=CALLER)
        self._waiting.append(uniqueid)
        self.made.joins.append(_microseconds(at))

    def _answer(self) -> None:
        """The one who has waited longest; for it, the longest call ends."""
        at = round(time.time(), 6)
        if len(self._talking) >= TALKING:
            self._hang_up(*self._talking.popleft(), at)
        uniqueid, agent = self._waiting.popleft(), self._free.popleft()
        answer_call(self.live, SERVICE, uniqueid, agent, at)
        member_status(self.live, _team_queue(agent), agent, 2, at)
        self._talking.append((uniqueid, agent))
        self.made.answers.append(_microseconds(at))

    def _hang_up(self, uniqueid: str, agent: str, at: float) -> None:
        for queue in (SERVICE, _team_queue(agent)):
            member_status(self.live, queue, agent, 1, at)
        feed(self.live, frame(
            "AgentComplete", Timestamp=at, Queue=SERVICE, Interface=f"PJSIP/{agent}",
            MemberName=f"Agent {agent}", Uniqueid=uniqueid, DestUniqueid=f"{uniqueid}9", HoldTime=3,
            TalkTime=2, Reason="caller",
        ), at)  # fmt: skip
        self._free.append(agent)


def _line(agent: str) -> MemberLine:
    return MemberLine(f"Agent {agent}", agent)


def _team_queue(agent: str) -> str:
    return f"team-{(int(agent) - 1000) // 100}"


def _microseconds(at: float) -> int:
    return round(at * 1e6)
