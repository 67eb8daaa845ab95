"""Two real Asterisks and the exporter that watches them: what the plugin's scenarios are played on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from asterpanel_exporter.manager_conf import AmiUser, Version, manager_conf
from tests.exporter_process import ExporterProcess
from tests.pbx.ami_judge import ShownMember
from tests.pbx.control_pbx import (
    ANNA,
    BRUNO,
    CONTROL_USER,
    EXPORTER_USER,
    NEW_MEMBER,
    SECRET,
    control_pbx,
)
from tests.pbx.pbx import Pbx, end_all, wait_until

VERSION: Final = "22"
"""Of Asterisk. What differs between versions is tested below the plugin."""

MILANO: Final = "milano"
TORINO: Final = "torino"
RESYNC_S: Final = 10.0
"""How often the exporter looks at the whole state: only then it sees what no event tells."""
SEEN_S: Final = 20.0
"""For anything to be seen that was done on a PBX: long, for a machine that stalls."""

CALL_S: Final = 300.0
"""After which callers give up: later than any scenario ends."""

MEETING: Final = "Meeting"
CARLA: Final = "Local/1103@agentloc/n"
_HINT: Final = {ANNA: "hint:1101@ext-local", CARLA: "hint:1103@ext-local"}
_NAME: Final = {ANNA: "Anna Rossi", BRUNO: "Bruno Verdi", CARLA: "Carla Bianchi"}

_AT_FIRST: Final = {
    ("billing", ANNA): 0,
    ("sales", ANNA): 2,
    ("billing", BRUNO): 0,
    ("vip", CARLA): 1,
}
"""Penalties of the members of milano, by queue; Bruno is one by queues.conf, the others have joined."""

_TORINO_QUEUES: Final = """
[general]
persistentmembers = no

[desk]
strategy = ringall
member => Local/2101@agentloc/n,0,Dora Gallo
"""

PROFILES: Final[Mapping[str, Any]] = {
    "tenants": {
        "default": {
            "profiles": {
                "team": {
                    "switchboards": [MILANO],
                    "queues": ["billing", "sales"],
                    "agents": ["11*"],
                    "members": [
                        {"login": "sara", "role": "supervisor"},
                        {"login": "anna", "role": "agent", "agent": "1101"},
                        {"login": "screen", "role": "viewer"},
                    ],
                },
                "management": {"members": [{"login": "dario", "role": "master"}]},
            }
        }
    }
}
"""Queue vip and torino are in sight of the master only. Walter is in no profile."""

PEOPLE: Final = {"dario": "Admin", "sara": "Viewer", "anna": "Viewer", "screen": "Viewer", "walter": "Admin"}
"""Their roles in Grafana: who may act there is not who may act on switchboards."""


@dataclass
class CallCentre:
    """The PBXs by name, running, and the exporter."""

    pbxs: Mapping[str, Pbx]
    exporter: ExporterProcess

    @property
    def milano(self) -> Pbx:
        """Where Anna (1101), Bruno (1102) and Carla (1103) work."""
        return self.pbxs[MILANO]

    @property
    def torino(self) -> Pbx:
        """Queue desk, with Dora (2101)."""
        return self.pbxs[TORINO]

    def sections(self, *, control: bool = False) -> dict[str, dict[str, Any]]:
        """The `switchboards` of a configuration."""
        return {name: _section(pbx, control) for name, pbx in self.pbxs.items()}

    # --- as Asterisk itself has it ------------------------------------------------------------------

    def member(self, queue: str, interface: str) -> ShownMember | None:
        """A member of a queue of milano, as `queue show` has him."""
        members = self.milano.queue_show()[queue].members
        return next((one for one in members if one.interface == interface), None)

    def memberships(self, interface: str) -> dict[str, int]:
        """The queues of milano that he is in, with his penalties there."""
        return {
            name: member.penalty
            for name, queue in self.milano.queue_show().items()
            for member in queue.members
            if member.interface == interface
        }

    def pauses(self, interface: str) -> dict[str, str]:
        """The queues of milano in which he is paused, with the reasons."""
        return {
            name: member.pause_reason
            for name, queue in self.milano.queue_show().items()
            for member in queue.members
            if member.interface == interface and member.paused
        }

    def priorities(self, queue: str) -> list[int]:
        """Of the callers that wait in a queue of milano, in their order, by AMI."""
        return [int(caller["Priority"]) for caller in self.milano.queue_status(queue)[queue].callers]

    # --- what happens -------------------------------------------------------------------------------

    def callers_wait(self, queue: str, *numbers: str) -> None:
        """Callers in a queue of milano, in this order, and nobody there takes them."""
        for member in self.milano.queue_show()[queue].members:
            self.milano.pause(member.interface, MEETING, queue=queue)
        for already, number in enumerate(numbers):
            self.milano.local_call(queue, caller=number, name=f"Caller {number[-2:]}", hangup_after=CALL_S)
            wait_until(lambda: self.waiting(queue) == already + 1, SEEN_S, f"{number} waits")  # noqa: B023

    def waiting(self, queue: str) -> int:
        """How many callers wait in a queue of milano."""
        return self.milano.queue_show()[queue].callers_count

    # --- between two scenarios ----------------------------------------------------------------------

    def calm(self) -> None:
        """Nobody calls or is paused, everybody is where he was at first, and the exporter has seen it."""
        self.milano.cli("channel request hangup all")
        wait_until(lambda: not any(queue.callers for queue in self.milano.queue_show().values()), SEEN_S)
        self._unpause()
        self._restore_memberships()
        wait_until(self._is_seen, SEEN_S, "the exporter has seen that all is calm")

    def _unpause(self) -> None:
        for interface in _NAME:
            for queue in self.pauses(interface):
                self.milano.unpause(interface, queue=queue)

    def _restore_memberships(self) -> None:
        for interface, name in _NAME.items():
            wanted = {queue: penalty for (queue, one), penalty in _AT_FIRST.items() if one == interface}
            for queue in self.memberships(interface).keys() - wanted.keys():
                self.milano.remove_member(queue, interface)
            for queue in wanted.keys() - self.memberships(interface).keys():
                self.milano.add_member(
                    queue, interface, name=name, penalty=wanted[queue], state_interface=_HINT[interface]
                )
            for queue, penalty in wanted.items():
                self.milano.cli(f"queue set penalty {penalty} on {interface} in {queue}")

    def _is_seen(self) -> bool:
        state = self.exporter.state(MILANO)
        return (
            {
                (queue, member["interface"]): member["penalty"]
                for queue, about in state["queues"].items()
                for member in about["members"].values()
            }
            == _AT_FIRST
            and not any(agent["paused"] for agent in state["agents"].values())
            and not any(queue["waiting"] or queue["in_progress"] for queue in state["queues"].values())
        )


def _section(pbx: Pbx, control: bool) -> dict[str, Any]:
    section: dict[str, Any] = {
        "host": pbx.host, "port": pbx.ami_port, "username": EXPORTER_USER, "secret": SECRET,
    }  # fmt: skip
    if control:
        section["control"] = {"username": CONTROL_USER, "secret": SECRET, "new_member": NEW_MEMBER}
    return section


@contextmanager
def call_centre(root: Path, folder: Path) -> Iterator[CallCentre]:
    """Everything running, on an Asterisk that is installed in that root folder."""
    started: list[Pbx] = []

    def make(**arguments: Any) -> Pbx:
        pbx = Pbx(root, **arguments)
        started.append(pbx)
        pbx.start()
        return pbx

    with ExitStack() as stack:
        stack.callback(lambda: end_all(reversed(started)))
        milano = control_pbx(make, VERSION)
        users = manager_conf(
            Version.parse(VERSION), AmiUser(EXPORTER_USER, SECRET), AmiUser(CONTROL_USER, SECRET)
        )
        torino = make(name=TORINO, queues=_TORINO_QUEUES, more_users=users)
        pbxs = {MILANO: milano, TORINO: torino}
        sections = {name: _section(pbx, control=False) for name, pbx in pbxs.items()}
        settings = {"resync_interval": RESYNC_S}
        exporter = stack.enter_context(ExporterProcess(folder, sections, exporter=settings))
        centre = CallCentre(pbxs, exporter)
        wait_until(lambda: _is_known(exporter), SEEN_S, "the exporter knows both switchboards")
        centre.calm()
        yield centre


def _is_known(exporter: ExporterProcess) -> bool:
    return all(exporter.get(f"/state/{name}", token=exporter.token)[0] == 200 for name in (MILANO, TORINO))
