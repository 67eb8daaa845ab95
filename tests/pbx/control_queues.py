"""A switchboard to be acted on: an AMI server in a thread that changes queue members as app_queue does.

Its replies are those that Asterisk 16.28 and 22.10 gave when they were asked. What it changes shows at once
in the live state (`Boards`), unless it is told to show nothing.
"""

from __future__ import annotations

import asyncio
import copy
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from types import TracebackType
from typing import Any, TypeVar

from pydantic import SecretStr

from asterpanel_control_api.live.boards import Boards
from asterpanel_control_api.switchboards.bridge import Bridge
from asterpanel_switchboard.config import SwitchboardConfig
from asterpanel_switchboard.service_level import ServiceLevelSums
from tests.ami_server import Action, AmiServer, response

_T = TypeVar("_T")

NAME = "milano"

QUEUE_SUMS = ("offered", "answered", "abandoned", "short_abandons", "within_sl", "wait_s", "talk_s")
_IDLE = {"state": "idle", "since": 1.0, "paused": False, "pause_reason": ""}


def member(interface: str, **values: Any) -> dict[str, Any]:
    """A membership as the live state has it."""
    return {
        "interface": interface,
        "state_interface": interface,
        "name": interface,
        "state": "idle",
        "penalty": 0,
        "paused": False,
        "pause_reason": "",
        "dynamic": True,
        "calls_taken": 0,
        "ring_in_use": False,
        **values,
    }


def caller(uniqueid: str, position: int = 1) -> dict[str, Any]:
    """A waiting caller as the live state has him."""
    return {
        "uniqueid": uniqueid, "channel": f"PJSIP/peer-{uniqueid}", "caller": "390551001",
        "caller_name": "Anna Rossi", "position": position, "since": 1.0, "priority": 0,
    }  # fmt: skip


class QueueSwitchboard:
    """The server, its queues, and a bridge that is connected to it.

    Attributes:
        server: to be changed through `do` only, which does so in its own thread.
        queues: members by queue and interface in lower case.
        callers: who waits, by queue and unique id.
        boards: the live state.
        showing: whether changes show in the live state.
    """

    def __init__(self, queues: dict[str, list[dict[str, Any]]], callers: dict[str, list[str]] | None = None):
        self.server = AmiServer()
        self.boards = Boards()
        self.showing = True
        self.queues: dict[str, dict[str, dict[str, Any]]] = {
            queue: {one["interface"].casefold(): one for one in members} for queue, members in queues.items()
        }
        self.callers = {
            queue: {uniqueid: caller(uniqueid, at) for at, uniqueid in enumerate(ids, 1)}
            for queue, ids in (callers or {}).items()
        }
        self.withdrawn: set[str] = set()
        self.server.answers = {
            "QueueAdd": self._add,
            "QueueRemove": self._remove,
            "QueuePause": self._pause,
            "QueuePenalty": self._penalty,
            "QueueMemberRingInUse": self._ring_in_use,
            "QueueChangePriorityCaller": self._priority,
            "QueueWithdrawCaller": self._withdraw,
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="AMI server")
        self.bridge: Bridge

    # --- life ---------------------------------------------------------------------------------------

    def __enter__(self) -> QueueSwitchboard:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.server.start(), self._loop).result(5)
        self.show()
        self.bridge = Bridge({NAME: self.login()})
        self.bridge.start()
        self.bridge.check_connected(NAME, 5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bridge.stop()
        self.do(self.server.stop)
        self.do(lambda: None)  # the transports close their sockets in a round of the loop
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def login(self, **more: Any) -> SwitchboardConfig:
        """How the control user logs in."""
        values: dict[str, Any] = {
            "name": NAME,
            "host": self.server.host,
            "port": self.server.port,
            "username": self.server.username,
            "secret": SecretStr(self.server.secret),
            **more,
        }
        return SwitchboardConfig(**values)

    def do(self, what: Callable[[], _T]) -> _T:
        """Do something in the server's thread."""

        async def in_its_thread() -> _T:
            return what()

        return asyncio.run_coroutine_threadsafe(in_its_thread(), self._loop).result(5)

    def start_again(self) -> None:
        """Listen again after ``do(server.stop)``."""
        asyncio.run_coroutine_threadsafe(self.server.start(), self._loop).result(5)

    # --- what it has seen ---------------------------------------------------------------------------

    @property
    def actions(self) -> list[dict[str, str]]:
        """The queue actions received, without ActionID, their headers in lower case."""
        return [
            {name: value for name, value in action.headers.items() if name != "actionid"}
            for action in list(self.server.actions)
            if action.name.startswith("Queue")
        ]

    def document(self) -> dict[str, Any]:
        """The live state as it should be."""
        agents: dict[str, Any] = {}
        for queue, members in self.queues.items():
            for one in members.values():
                agent = agents.setdefault(agent_of(one), {**_IDLE, "name": one["name"], "queues": []})
                agent["queues"].append(queue)
        return {
            "switchboard": NAME,
            "up": True,
            "version": "22",
            "as_of": time.time(),
            "queues": {
                queue: {
                    "strategy": "ringall",
                    "max_len": 0,
                    "sl_threshold_s": 20.0,
                    "offered": 0,
                    "waiting": list(self.callers.get(queue, {}).values()),
                    "in_progress": [],
                    "today": {**dict.fromkeys(QUEUE_SUMS, 0), "service": asdict(ServiceLevelSums())},
                    "members": {agent_of(one): one for one in members.values()},
                }
                for queue, members in self.queues.items()
            },
            "agents": {
                agent: {**about, "today": {"answered": 0, "talk_s": 0.0, "no_answers": 0}}
                for agent, about in agents.items()
            },
        }

    def show(self, **more: Any) -> None:
        """Let the live state be as it is now."""
        self.boards.replace({NAME: copy.deepcopy(self.document() | more)}, {NAME: time.time()})

    # --- what it does -------------------------------------------------------------------------------

    def _add(self, action: Action) -> bytes:
        given, members = action.headers, self.queues.get(action.headers["queue"])
        if members is None:
            return _error(action, "Unable to add interface to queue: No such queue")
        interface = given["interface"]
        if interface.casefold() in members:
            return _error(action, "Unable to add interface: Already there")
        members[interface.casefold()] = member(
            interface,
            state_interface=given.get("stateinterface", interface),
            name=given.get("membername", interface),
            penalty=int(given["penalty"]),
            paused=given["paused"] == "true",
        )
        return self._done(action, "Added interface to queue")

    def _remove(self, action: Action) -> bytes:
        members = self.queues.get(action.headers["queue"])
        if members is None:
            return _error(action, "Unable to remove interface from queue: No such queue")
        found = members.get(action.headers["interface"].casefold())
        if found is None:
            return _error(action, "Unable to remove interface: Not there")
        if not found["dynamic"]:
            return _error(action, "Member not dynamic")
        del members[found["interface"].casefold()]
        return self._done(action, "Removed interface from queue")

    def _found(self, action: Action) -> list[dict[str, Any]]:
        queue, interface = action.headers.get("queue"), action.headers["interface"].casefold()
        return [
            members[interface]
            for name, members in self.queues.items()
            if interface in members and queue in (None, name)
        ]

    def _pause(self, action: Action) -> bytes:
        paused = action.headers["paused"] == "true"
        found = self._found(action)
        for one in found:
            one |= {"paused": paused, "pause_reason": action.headers.get("reason", "") if paused else ""}
        if not found:
            return _error(action, "Interface not found")
        return self._done(action, f"Interface {'' if paused else 'un'}paused successfully")

    def _penalty(self, action: Action) -> bytes:
        found = self._found(action)
        for one in found:
            one["penalty"] = int(action.headers["penalty"])
        if not found:
            return _error(action, "Invalid interface, queuename or penalty")
        return self._done(action, "Interface penalty set successfully")

    def _ring_in_use(self, action: Action) -> bytes:
        found = self._found(action)
        for one in found:
            one["ring_in_use"] = action.headers["ringinuse"] == "yes"
        if not found:
            return _error(action, "Invalid interface, queuename, or ringinuse value\n")
        return self._done(action, "Interface ringinuse set successfully")

    def _waiting(self, action: Action) -> dict[str, Any] | None:
        callers = self.callers.get(action.headers["queue"], {}).values()
        return next((one for one in callers if one["channel"] == action.headers["caller"]), None)

    def _priority(self, action: Action) -> bytes:
        found = self._waiting(action)
        if found is None:
            return _error(action, "Unable to change priority caller on queue: No such caller")
        found["priority"] = int(action.headers["priority"])
        return response(action, Message="Priority change for caller on queue")

    def _withdraw(self, action: Action) -> bytes:
        found = self._waiting(action)
        if found is None:
            return _error(action, "Unable to request withdraw from queue: No such caller")
        if found["uniqueid"] in self.withdrawn:
            return _error(action, "Unable to request withdraw from queue: Already requested")
        self.withdrawn.add(found["uniqueid"])
        return self._done(action, "Withdraw requested successfully")

    def _done(self, action: Action, message: str) -> bytes:
        if self.showing:
            self.show()
        return response(action, Message=message)


def agent_of(one: dict[str, Any]) -> str:
    """The agent that a member is: the extension in his interface."""
    resource: str = one["interface"].partition("/")[2]
    return resource.partition("@")[0]


def _error(action: Action, message: str) -> bytes:
    return response(action, "Error", Message=message)
