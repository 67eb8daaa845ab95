"""A PBX to act on: the two AMI users that `manager-conf` prints, and members as FreePBX makes them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from asterpanel_exporter.manager_conf import AmiUser, Version, manager_conf
from tests.pbx.fixtures import MakePbx
from tests.pbx.install import AsteriskVersion
from tests.pbx.pbx import Pbx, wait_until

NAME: Final = "pbx"
EXPORTER_USER: Final = "asterpanel"
CONTROL_USER: Final = "asterpanel-control"
WEAK_USER: Final = "weak"
"""Who may log in, and nothing else."""

SECRET: Final = "s3cret-of-all-users"

ANNA: Final = "Local/1101@agentloc/n"
BRUNO: Final = "Local/1102@agentloc/n"

NEW_MEMBER: Final = {
    "interface": "Local/{agent}@agentloc/n",
    "state_interface": "hint:{agent}@ext-local",
    "name": "Agent {agent}",
    "agents": "11[0-9]{2}",
}
"""As what agents join a queue who are in none: `control.new_member` of the configuration."""

QUEUES: Final = f"""
[general]
persistentmembers = @PERSISTENT@
autofill = yes
log_membername_as_agent = yes

[t](!)
strategy = ringall
timeout = 10
ringinuse = no

[billing](t)
member => {BRUNO},0,Bruno Verdi,hint:1102@ext-local

[sales](t)

[vip](t)
"""

_HINTS: Final = """
[ext-local]
exten => 1101,hint,Custom:agent1101
exten => 1102,hint,Custom:agent1102
exten => 1103,hint,Custom:agent1103
"""

_NO_CLASS: Final = f"""
[{WEAK_USER}]
secret = {SECRET}
read =
write =
"""

_DIALPLAN: Final = Path(__file__).with_name("config") / "pbx/extensions.conf"


def control_pbx(make_pbx: MakePbx, version: AsteriskVersion) -> Pbx:
    """The PBX, started: Anna (1101) is a dynamic member of billing and sales, Bruno (1102) a static one of
    billing. Members are persistent.
    """
    users = manager_conf(
        Version.parse(version), AmiUser(EXPORTER_USER, SECRET), AmiUser(CONTROL_USER, SECRET)
    )
    pbx = make_pbx(
        name=NAME,
        queues=QUEUES,
        dialplan=_DIALPLAN.read_text(encoding="utf-8") + _HINTS,
        more_users=users + _NO_CLASS,
        persistent_members=True,
    )
    pbx.add_member("billing", ANNA, name="Anna Rossi", state_interface="hint:1101@ext-local")
    pbx.add_member("sales", ANNA, name="Anna Rossi", state_interface="hint:1101@ext-local", penalty=2)
    return pbx


@contextmanager
def hanging(pbx: Pbx) -> Iterator[None]:
    """Its process is stopped meanwhile: the kernel still takes what is sent to it, for when it goes on."""
    os.kill(pbx.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: _is_stopped(pbx.pid), what="every thread of it has stopped")
        yield
    finally:
        os.kill(pbx.pid, signal.SIGCONT)


def _is_stopped(pid: int) -> bool:
    """On a busy machine some threads go on for a moment, and may still answer."""
    tasks = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(task.read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)
