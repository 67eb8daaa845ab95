"""What an ordinary queue call costs the AMI connection of a real Asterisk: events and bytes.

    cost = measure(pbx)                      # with the filter of the PBX's own user `exporter`
    print(cost.events_per_call, cost.bytes_per_call)

`python -m tests.load.ami_cost` starts both versions of the rig and prints a table: with the filters that
`manager-conf` prints, with each further event that would be nice to have, and without a filter.
"""

from __future__ import annotations

import argparse
import contextlib
import select
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Self, get_args

from asterpanel_exporter.manager_conf import EVENTS, MATCHES, Version, event_filter
from tests.pbx.install import VERSIONS, AsteriskVersion, PbxUnavailable, rootfs
from tests.pbx.pbx import Pbx, Phones

CallerKind = Literal["pjsip", "local"]

QUEUE: Final = "costq"
QUEUES: Final = f"""\
[general]
persistentmembers = @PERSISTENT@
autofill = yes
shared_lastcall = yes
log_membername_as_agent = yes

[{QUEUE}]
strategy = linear
timeout = 10
retry = 1
servicelevel = 20
ringinuse = no
member => PJSIP/1001,0,Alice
"""
"""A queue with one PJSIP agent, who is in no other queue."""

MAX_EVENTS, MAX_BYTES = 12, 6144
"""What the design promises for an ordinary answered call."""

EXTRAS: Final = ("HangupRequest", "DialEnd", "BridgeLeave", "BridgeEnter", "DialBegin")

_QUIET_S: Final = 1.0
_CALL_TIMEOUT_S: Final = 30.0
_END: Final = b"\r\n\r\n"


@dataclass
class Cost:
    """What `calls` answered calls sent to one AMI session; `names`: how often each event came."""

    calls: int
    events: int = 0
    size: int = 0
    names: Counter[str] = field(default_factory=Counter)

    @property
    def events_per_call(self) -> float:
        """Events for one call."""
        return self.events / self.calls

    @property
    def bytes_per_call(self) -> float:
        """Bytes for one call, everything that makes up its events on the wire."""
        return self.size / self.calls

    def count(self, frames: bytes) -> None:
        """Adds up whole frames."""
        self.size += len(frames)
        for frame in frames.split(_END)[:-1]:
            self.events += 1
            self.names[frame.partition(b"\r\n")[0].removeprefix(b"Event: ").decode()] += 1


class AmiStream:
    """A bare AMI session that keeps every byte it receives, in `received`.

    Raises RuntimeError if the login is refused.
    """

    def __init__(self, pbx: Pbx, user: str, secret: str) -> None:
        self._socket = socket.create_connection((pbx.host, pbx.ami_port), 10)
        self.received = b""
        answer = self.ask("Login", Username=user, Secret=secret)
        if "Authentication accepted" not in answer:
            self.close()
            raise RuntimeError(f"login of {user} refused: {answer}")

    def ask(self, action: str, **fields: str) -> str:
        """Sends an action and returns everything that has come up to the end of the answer's first frame."""
        start = len(self.received)
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in fields.items())]
        self._socket.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        while _END not in self.received[start:].partition(b"Response: ")[2]:
            if not self.read(10):
                raise TimeoutError(f"no answer to {action}")
        return self.received[start:].decode()

    def read(self, timeout_s: float) -> bool:
        """Reads what comes within that time; says whether anything did."""
        if not select.select([self._socket], [], [], timeout_s)[0]:
            return False
        data = self._socket.recv(1 << 20)
        self.received += data
        return bool(data)

    def read_until_quiet(self) -> None:
        """Reads until nothing has come for a second. Raises TimeoutError if that never happens."""
        deadline = time.monotonic() + _CALL_TIMEOUT_S
        while self.read(_QUIET_S):
            if time.monotonic() > deadline:
                raise TimeoutError("the PBX does not come to rest")

    def close(self) -> None:
        """Ends the session without a word."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def measure_users(
    pbx: Pbx, users: Mapping[str, str], *, calls: int = 3, caller: CallerKind = "pjsip", queue: str = QUEUE
) -> dict[str, Cost]:
    """What ordinary calls, one after the other, cost the sessions of several AMI users at once.

    An ordinary call: a caller joins an empty queue, its free agent's phone rings, he answers and they talk,
    the caller hangs up.

    Args:
        pbx: running, with a phone for the queue's agent.
        users: name → secret. None of them need be allowed more than to read.
        calls: how many.
        caller: how the caller comes in.
        queue: where.

    Raises:
        TimeoutError: a call was not answered, or did not end.
    """
    assert pbx.phones is not None
    pbx.phones.behave("1001", "answer-0.5-30")
    with contextlib.ExitStack() as stack:
        sessions = {user: stack.enter_context(AmiStream(pbx, user, secret)) for user, secret in users.items()}
        for session in sessions.values():
            session.read_until_quiet()
            session.received = b""
        for number in range(calls):
            _one_call(pbx, caller, queue, number)
            for session in sessions.values():
                session.read_until_quiet()
        costs = {}
        for user, session in sessions.items():
            costs[user] = Cost(calls)
            costs[user].count(session.received)
        return costs


def measure(
    pbx: Pbx, *, calls: int = 3, caller: CallerKind = "pjsip", queue: str = QUEUE, user: str = "exporter"
) -> Cost:
    """What an ordinary call costs one AMI user of the PBX; see `measure_users`."""
    return measure_users(pbx, {user: pbx.secrets[user]}, calls=calls, caller=caller, queue=queue)[user]


def cost_pbx(version: AsteriskVersion, phones: Phones, *, more_users: str = "") -> Pbx:
    """A PBX with `QUEUES`, not yet started, whose user `exporter` has the filter of `manager-conf`."""
    return Pbx(
        rootfs(version),
        phones=phones,
        queues=QUEUES,
        agents=["1001"],
        event_filter="\n".join(event_filter(Version(int(version)))),
        more_users=more_users,
    )


def _one_call(pbx: Pbx, caller: CallerKind, queue: str, number: int) -> None:
    with pbx.ami(events=True) as judge:
        call = pbx.call if caller == "pjsip" else pbx.local_call
        call(queue, caller=f"39055100{number}", name="Anna Rossi", hangup_after=2.5)
        judge.wait_event("AgentConnect", _CALL_TIMEOUT_S)
        judge.wait_event("AgentComplete", _CALL_TIMEOUT_S)


def _variants(version: AsteriskVersion) -> dict[str, list[str]]:
    asterisk = Version(int(version))
    variants = {"manager-conf": event_filter(asterisk)}
    for extra in EXTRAS:
        variants[f"with {extra}"] = event_filter(
            asterisk, [*EVENTS, extra], [match for match in MATCHES if match.event != extra]
        )
    variants["no filter"] = []
    return variants


def _user(name: str, secret: str, lines: Sequence[str]) -> str:
    return "\n".join(
        [f"[{name}]", f"secret = {secret}", "read = system,agent,call,dialplan", "write =", *lines, ""]
    )


def report(versions: Sequence[AsteriskVersion] = VERSIONS, calls: int = 3) -> str:
    """The table, or one line that says why there is no real Asterisk here."""
    try:
        return "\n".join(line for version in versions for line in _table(version, calls))
    except PbxUnavailable as reason:
        return f"not measured: {reason}"


def _table(version: AsteriskVersion, calls: int) -> list[str]:
    variants = _variants(version)
    users = {f"u{index}": "secret" for index in range(len(variants))}
    more = "\n".join(
        _user(user, secret, lines)
        for (user, secret), lines in zip(users.items(), variants.values(), strict=True)
    )
    lines = []
    with Phones(rootfs(version)) as phones, cost_pbx(version, phones, more_users=more) as pbx:
        for caller in get_args(CallerKind):
            costs = measure_users(pbx, users, calls=calls, caller=caller)
            for name, cost in zip(variants, costs.values(), strict=True):
                lines.append(
                    f"{pbx.version:9} {caller:6} {name:20} {cost.events_per_call:6.1f} events "
                    f"{cost.bytes_per_call:8.0f} bytes"
                )
                if name == "manager-conf":
                    lines.append(f"{'':17}{dict(cost.names)}")
    return lines


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.ami_cost", description=__doc__)
    parser.add_argument("--calls", type=int, default=3, help="calls of each kind (default: 3)")
    parser.add_argument("--version", choices=VERSIONS, action="append", help="of Asterisk (default: all)")
    options = parser.parse_args()
    print(report(options.version or VERSIONS, options.calls))


if __name__ == "__main__":
    main()
