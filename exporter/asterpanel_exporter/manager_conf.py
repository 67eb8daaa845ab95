"""The two AMI users for Asterisk's manager.conf, ready to paste, with the least that each of them needs.

The filters keep the load on the PBX small: an ordinary queue call costs it at most 12 events and 6 KB
(measured on Asterisk 22 and 16 by ``tests/load/ami_cost.py``) instead of up to 100 events and 40 KB.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final, NamedTuple

from asterpanel_switchboard.config.secrets import secret_from_file

Network = IPv4Network | IPv6Network

EVENTS: Final = (
    "QueueCallerJoin",
    "QueueCallerLeave",
    "QueueCallerAbandon",
    "QueueMemberStatus",
    "QueueMemberAdded",
    "QueueMemberRemoved",
    "QueueMemberPause",
    "QueueMemberPenalty",
    "QueueMemberRinginuse",
    "AgentCalled",
    "AgentConnect",
    "AgentComplete",
    "AgentRingNoAnswer",
    "AgentDump",
    "Hangup",
    "BlindTransfer",
    "AttendedTransfer",
    "FullyBooted",
    "Shutdown",
    "Reload",
    "Load",
    "Unload",
)
"""Events that the exporter needs whatever is in them."""


class Match(NamedTuple):
    """An event needed only if a header is one of these values."""

    event: str
    header: str
    values: tuple[str, ...]


MATCHES: Final = (
    # Why a caller left the queue; and that an agent consults somebody, which ends his talk with the caller.
    Match("VarSet", "Variable", ("QUEUESTATUS", "TRANSFERERNAME")),
    Match("Newexten", "Application", ("Queue",)),
    # An answer is told by AgentConnect, a time-out and a refusal by AgentRingNoAnswer. Without this event
    # nothing tells that a phone stopped ringing because the caller hung up or another agent was faster.
    Match("DialEnd", "DialStatus", ("ABORT", "CANCEL")),
)
"""Events of which only a few are needed."""

DEFAULT_PERMIT: Final = (ip_network("127.0.0.1/32"),)
SUPPORTED_MAJORS: Final = range(13, 24)
WRITE_TIMEOUT_MS: Final = 5000

_ADVANCED_SINCE: Final = {18: 26, 20: 11, 21: 6, 22: 1}
"""Minor version of each branch that first knows ``eventfilter(…)``, by Asterisk's change logs (pull request
asterisk/asterisk#874). 22.10 was tried."""

_SECRET_BYTES = 24


class Version(NamedTuple):
    """A version of Asterisk; ``minor`` None: any of that major."""

    major: int
    minor: int | None = None

    @classmethod
    def parse(cls, text: str) -> Version:
        """From ``22``, ``20.11`` or ``18.26.4``.

        Raises:
            ValueError: no such version, or one that is not supported.
        """
        found = re.fullmatch(r"(\d+)(?:\.(\d+))?(?:[.\-~+].*)?", text.strip())
        if found is None or int(found[1]) not in SUPPORTED_MAJORS:
            first, last = SUPPORTED_MAJORS[0], SUPPORTED_MAJORS[-1]
            raise ValueError(f"must be a version of Asterisk from {first} to {last}, such as 22 or 20.11")
        return cls(int(found[1]), int(found[2]) if found[2] else None)

    @property
    def knows_advanced_filters(self) -> bool:
        """Whether ``eventfilter(…)`` is surely understood. A version that does not ignores such lines, and
        then sends everything."""
        since = _ADVANCED_SINCE.get(self.major)
        if self.minor is None:
            return self.major >= 22
        return self.minor >= since if since is not None else self.major > max(_ADVANCED_SINCE)

    def __str__(self) -> str:
        return f"{self.major}" if self.minor is None else f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True)
class AmiUser:
    """A user to print: where he may connect from, and his secret."""

    name: str
    secret: str
    permit: tuple[Network, ...] = DEFAULT_PERMIT


def event_filter(
    version: Version, events: Iterable[str] = EVENTS, matches: Iterable[Match] = MATCHES
) -> list[str]:
    """The ``eventfilter`` lines with which exactly these events are sent, and no other."""
    if version.knows_advanced_filters:
        return [
            *(f"eventfilter(action(include),name({event})) =" for event in events),
            *(_advanced(match) for match in matches),
        ]
    # One pattern for all: every further one is tried on every event that the PBX makes. Each line of an event
    # ends in CR LF, which [[:cntrl:]] stands for: so Hangup is not HangupRequest.
    return [
        f"eventfilter = ^Event: ({'|'.join(events)})[[:cntrl:]]",
        *(
            f"eventfilter = ^Event: {match.event}[[:cntrl:]].*[[:cntrl:]]{match.header}: "
            f"{_alternatives(match.values)}[[:cntrl:]]"
            for match in matches
        ),
    ]


def _advanced(match: Match) -> str:
    criteria = f"action(include),name({match.event}),header({match.header})"
    if len(match.values) == 1:
        return f"eventfilter({criteria},method(exact)) = {match.values[0]}"
    return f"eventfilter({criteria},method(regex)) = ^{_alternatives(match.values)}$"


def _alternatives(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"({'|'.join(values)})"


def new_secret() -> str:
    """A random secret of 192 bits, in letters and digits that manager.conf needs no quoting for."""
    return secrets.token_hex(_SECRET_BYTES)


def secret_in(path: Path) -> str:
    """The secret in a file; a new one is written there, for its owner alone (mode 0600), if there is none.

    So the user printed is the same each time, and the exporter's ``secret_file`` fits it.

    Raises:
        ValueError: the file holds no usable secret, or can be neither read nor written.
    """
    secret = new_secret()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _plain(secret_from_file(path))
    except OSError as error:
        raise ValueError(f"the file cannot be written: {error.strerror or error}") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{secret}\n")
    return secret


def _plain(secret: str) -> str:
    if ";" in secret or secret != secret.strip():
        raise ValueError("manager.conf takes no secret with a semicolon in it or spaces around it")
    return secret


def check_user_name(name: str) -> str:
    """The name, if it can head a section of manager.conf. Raises `ValueError` if not."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or name == "general":
        raise ValueError(f"{name!r} cannot name an AMI user: letters, digits, dots, dashes and underscores")
    return name


def parse_network(text: str) -> Network:
    """``10.0.0.5``, ``10.0.0.0/24`` or ``2001:db8::/64``. Raises `ValueError` with the reason."""
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is no address or network: {error}") from None


def manager_conf(version: Version, exporter: AmiUser, control: AmiUser) -> str:
    """The text to paste into manager.conf. It holds both secrets."""
    form = (
        "; exact names, looked up in a table: cheap, however many events the PBX makes"
        if version.knows_advanced_filters
        else "; regular expressions, tried on every event. Newer versions (from 18.26, 20.11, 21.6 and 22.1\n"
        "; on) know a cheaper form, which manager-conf --asterisk VERSION prints"
    )
    return f"""\
; The AMI users of Asterpanel, for /etc/asterisk/manager.conf of Asterisk {version}.
; Then, in Asterisk's CLI: manager reload    (sessions that are open go on as they were)

; In the section [general] that the file has already:
;   enabled = yes
;   timestampevents = yes       ; exact times of events; without it they are those of their arrival
;   bindaddr = 127.0.0.1        ; or the address that Asterpanel connects to, never the open Internet

; The exporter: may read, and change nothing (write is empty on purpose; whoever may not write can still ask
; for QueueStatus, which is all that the exporter ever asks for).
[{exporter.name}]
secret = {exporter.secret}
{_access(exporter)}
; system: start, end, reload; agent: queues and their members; call: hang-ups and transfers;
; dialplan: QUEUESTATUS, which alone tells a time-out from a caller who gave up
read = system,agent,call,dialplan
write =
; milliseconds to wait for a slow reader before the connection is cut
writetimeout = {WRITE_TIMEOUT_MS}
; Only what the exporter needs, at most 12 events and 6 KB for an ordinary call instead of 100 and 40:
{form}
{_lines(event_filter(version))}

; The control API: actions on queue members, nothing else, and no event at all. (write = agent is the least
; with which a member can be paused. Never add command, system or originate: they reach the whole PBX.)
[{control.name}]
secret = {control.secret}
{_access(control)}
read =
write = agent
writetimeout = {WRITE_TIMEOUT_MS}
"""


def _access(user: AmiUser) -> str:
    return _lines(
        [
            "; who may connect: nobody but",
            "deny = 0.0.0.0/0",
            "deny = ::/0",
            *(f"permit = {network}" for network in user.permit),
        ]
    )


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)
