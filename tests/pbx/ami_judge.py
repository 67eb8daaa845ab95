"""A small AMI client that owes nothing to the product: the tests' independent judge.

Plain sockets, no thread: it reads when it is asked to. Also reads what `queue show` prints, which is a second
opinion on what AMI says.
"""

from __future__ import annotations

import collections
import itertools
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, TypeAlias

#: One AMI message; of a header that comes twice the first counts (`Output` of a Command is joined by
#: newlines).
Message: TypeAlias = dict[str, str]
#: A header's value; a sequence is sent as one header line for each item (Variable, for example).
Value: TypeAlias = str | int | float | Iterable[str]

_EOL: Final = b"\r\n"


class AmiError(Exception):
    """The switchboard refused, closed the connection, or did not answer in time; the text says which."""


class AmiClosed(AmiError):
    """The switchboard closed the connection."""


class AmiJudge:
    """One AMI session.

    >>> with AmiJudge("127.0.0.1", port, "monitor", secret) as ami:
    ...     ami.query("QueueStatus", Queue="billing")

    Raises AmiError if it cannot connect or log in. `timeout` (seconds) is for connecting and for each answer.
    With `events=False` the switchboard sends answers only.
    """

    def __init__(
        self,
        host: str,
        port: int,
        user: str,
        secret: str,
        *,
        timeout: float = 10.0,
        events: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout = timeout
        self._buffer = bytearray()
        self._events: collections.deque[Message] = collections.deque()
        self._lines: list[str] = []
        self._ids = itertools.count(1)
        try:
            self._socket: socket.socket = socket.create_connection((host, port), timeout)
            if tls is not None:
                self._socket = tls.wrap_socket(self._socket, server_hostname=host)
        except OSError as error:
            raise AmiError(f"cannot connect to {host}:{port}: {error}") from error
        try:
            #: The banner line, such as `Asterisk Call Manager/11.0.0`.
            self.banner = self._line(time.monotonic() + timeout)
            answer = self.action("Login", Username=user, Secret=secret, Events="on" if events else "off")
            if answer.get("Response") != "Success":
                raise AmiError(f"login of {user} refused: {answer.get('Message')}")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> AmiJudge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection without a word; twice does no harm."""
        self._socket.close()

    def send(self, action: str, fields: Mapping[str, Value] | None = None) -> str:
        """Sends an action, does not wait, and returns its ActionID. Raises AmiError if the line is dead."""
        number = f"judge-{next(self._ids)}"
        lines = [f"Action: {action}", f"ActionID: {number}"]
        for key, value in (fields or {}).items():
            for item in [str(value)] if isinstance(value, str | int | float) else list(value):
                if re.search(r"[\r\n]", item):
                    raise ValueError(f"line break in the value of {key}")
                lines.append(f"{key}: {item}")
        try:
            self._socket.settimeout(self._timeout)
            self._socket.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        except OSError as error:
            raise AmiClosed(f"connection lost while sending {action}: {error}") from error
        return number

    def action(self, action: str, **fields: Value) -> Message:
        """Sends an action and returns its answer, whatever that says (see `Response` and `Message`).

        Raises AmiError if no answer comes in time.
        """
        return self._answer(action, self.send(action, fields))

    def ok(self, action: str, **fields: Value) -> Message:
        """Like `action`, but raises AmiError unless the answer is Success."""
        answer = self.action(action, **fields)
        if answer.get("Response") not in ("Success", "Goodbye"):
            raise AmiError(f"{action} refused: {answer.get('Message')}")
        return answer

    def query(self, action: str, **fields: Value) -> list[Message]:
        """Sends an action whose answer is a list, and returns its items without the closing one.

        Raises AmiError if it is refused or its end does not come in time.
        """
        number = self.send(action, fields)
        answer = self._answer(action, number)
        if answer.get("Response") != "Success":
            raise AmiError(f"{action} refused: {answer.get('Message')}")
        items: list[Message] = []
        deadline = time.monotonic() + self._timeout
        while True:
            message = self._read(deadline)
            if message.get("ActionID") != number:
                self._events.append(message)
            elif message.get("EventList", "").lower() == "complete":
                return items
            else:
                items.append(message)

    def command(self, command: str) -> str:
        """Runs a CLI command over AMI and returns what it printed. Raises AmiError if it failed."""
        answer = self.action("Command", Command=command)
        if answer.get("Response") != "Success":
            raise AmiError(f"{command}: {answer.get('Message')} {answer.get('Output', '')}")
        return answer.get("Output", "")

    def wait_event(self, wanted: str | Callable[[Message], bool], timeout: float = 10.0) -> Message:
        """Returns the next event of that name (or that the function accepts), dropping those before it.

        Raises AmiError after `timeout` seconds without one, AmiClosed when the connection ends.
        """
        deadline = time.monotonic() + timeout
        while True:
            message = self._events.popleft() if self._events else self._read(deadline, str(wanted))
            if message.get("Event") == wanted if isinstance(wanted, str) else wanted(message):
                return message

    def events(self, seconds: float = 0.0) -> list[Message]:
        """All events that have come and that come within the next `seconds`."""
        deadline = time.monotonic() + seconds
        found = list(self._events)
        self._events.clear()
        while True:
            try:
                found.append(self._read(deadline))
            except AmiClosed:
                return found
            except AmiError:
                return found

    def wait_closed(self, timeout: float = 10.0) -> None:
        """Waits until the switchboard closes the connection; AmiError if it does not in `timeout` seconds."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self._events.append(self._read(deadline, "the end of the connection"))
        except AmiClosed:
            return

    def queue_status(self, queue: str | None = None) -> dict[str, QueueState]:
        """What QueueStatus says, for each queue."""
        rows = self.query("QueueStatus", **({"Queue": queue} if queue else {}))
        found = {row["Queue"]: QueueState(row["Queue"], row) for row in rows if row["Event"] == "QueueParams"}
        for row in rows:
            if row["Event"] == "QueueMember":
                found[row["Queue"]].members[row["Location"]] = row
            elif row["Event"] == "QueueEntry":
                found[row["Queue"]].callers.append(row)
        for state in found.values():
            state.callers.sort(key=lambda row: int(row["Position"]))
        return found

    def _answer(self, action: str, number: str) -> Message:
        deadline = time.monotonic() + self._timeout
        while True:
            message = self._read(deadline, f"the answer to {action}")
            if "Response" in message and message.get("ActionID") == number:
                return message
            self._events.append(message)

    def _read(self, deadline: float, what: str = "an AMI message") -> Message:
        while True:
            while line := self._line(deadline, what):
                self._lines.append(line)
            lines, self._lines = self._lines, []
            if lines:
                return _parse(lines)

    def _line(self, deadline: float, what: str = "the banner") -> str:
        while (end := self._buffer.find(_EOL)) < 0:
            left = deadline - time.monotonic()
            try:
                self._socket.settimeout(max(left, 0.001))
                chunk = self._socket.recv(65536)
            except TimeoutError:
                raise AmiError(f"{what} did not come in time") from None
            except OSError as error:
                raise AmiClosed(f"connection lost: {error}") from error
            if not chunk:
                raise AmiClosed("the switchboard closed the connection")
            self._buffer += chunk
        line = bytes(self._buffer[:end]).decode("utf-8", "surrogateescape")
        del self._buffer[: end + len(_EOL)]
        return line


@dataclass
class QueueState:
    """One queue as QueueStatus shows it: the raw messages."""

    name: str
    params: Message
    #: QueueMember messages by Location (the interface).
    members: dict[str, Message] = field(default_factory=dict)
    #: QueueEntry messages in the order of their positions.
    callers: list[Message] = field(default_factory=list)


@dataclass(frozen=True)
class ShownMember:
    """A member as `queue show` prints it."""

    name: str
    interface: str
    state_interface: str
    paused: bool
    #: Empty when not paused, or paused without a reason.
    pause_reason: str
    in_call: bool
    dynamic: bool
    #: The words of the state: `Not in use`, `In use`, `Ringing`, `Unavailable`, …
    status: str
    penalty: int
    calls_taken: int


@dataclass(frozen=True)
class ShownCaller:
    """A waiting caller as `queue show` prints it."""

    position: int
    channel: str
    wait_s: int
    priority: int


@dataclass
class ShownQueue:
    """A queue as `queue show` prints it."""

    name: str
    strategy: str
    callers_count: int
    completed: int
    abandoned: int
    service_level_s: int
    members: list[ShownMember] = field(default_factory=list)
    callers: list[ShownCaller] = field(default_factory=list)

    def member(self, name_or_interface: str) -> ShownMember:
        """The member of that name or interface; KeyError if there is none."""
        for member in self.members:
            if name_or_interface in (member.name, member.interface):
                return member
        raise KeyError(name_or_interface)


_QUEUE: Final = re.compile(
    r"^(?P<name>\S+)\s+has (?P<calls>\d+) calls? \(max [^)]*\) in '(?P<strategy>[^']*)' strategy.*"
    r"C:(?P<completed>\d+), A:(?P<abandoned>\d+),.* within (?P<level>\d+)s"
)
_CALLER: Final = re.compile(r"^(\d+)\. (\S+) \(wait: (\d+):(\d+), prio: (-?\d+)\)")
_INTERFACE: Final = re.compile(r"^\w+[/:]\S+( from \S+)?$")
_PENALTY: Final = re.compile(r"\s+with penalty (\d+)")
_TAKEN: Final = re.compile(r" has taken (?:(\d+)|no) calls")
_PAUSED: Final = re.compile(r"^paused(?::(?P<reason>.*?))?(?: was -?\d+ secs ago)?$", re.DOTALL)
_STATUSES: Final = frozenset(
    ("Unknown", "Not in use", "In use", "Busy", "Invalid", "Unavailable", "Ringing", "Ring+Inuse", "On Hold")
)


def parse_queue_show(text: str) -> dict[str, ShownQueue]:
    """Reads the output of the CLI's `queue show` (Asterisk 16 and 22), by queue name.

    Colour codes are dropped. Raises ValueError on a member or caller line that it cannot make out (a pause
    reason with a bracket that has no partner, for one).
    """
    queues: dict[str, ShownQueue] = {}
    current: ShownQueue | None = None
    for raw in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines():
        line = raw.strip()
        if found := _QUEUE.match(raw):
            current = ShownQueue(
                found["name"],
                found["strategy"],
                int(found["calls"]),
                int(found["completed"]),
                int(found["abandoned"]),
                int(found["level"]),
            )
            queues[current.name] = current
        elif current is None or not line or line in ("Members:", "Callers:", "No Members", "No Callers"):
            continue
        elif caller := _CALLER.match(line):
            position, channel, minutes, seconds, priority = caller.groups()
            wait = int(minutes) * 60 + int(seconds)
            current.callers.append(ShownCaller(int(position), channel, wait, int(priority)))
        else:
            current.members.append(_member(line))
    return queues


def _member(line: str) -> ShownMember:
    taken = _TAKEN.search(line)
    groups = _groups(line[: taken.start()]) if taken else []
    # the name is free text, and may have brackets of its own
    first = next((index for index, (_, group) in enumerate(groups) if _INTERFACE.match(group)), None)
    if taken is None or first is None:
        raise ValueError(f"cannot make out this line of queue show: {line!r}")
    start, location = groups[first]
    interface, _, state_interface = location.partition(" from ")
    flags = [group for _, group in groups[first + 1 :]]
    paused = next((found for flag in flags if (found := _PAUSED.match(flag))), None)
    penalty = _PENALTY.match(line, start + len(location) + 1)
    return ShownMember(
        name=line[: start - 2],
        interface=interface,
        state_interface=state_interface or interface,
        paused=paused is not None,
        pause_reason=(paused["reason"] or "") if paused else "",
        in_call="in call" in flags,
        dynamic="dynamic" in flags,
        status=next((flag for flag in reversed(flags) if flag in _STATUSES), ""),
        penalty=int(penalty[1]) if penalty else 0,
        calls_taken=int(taken[1] or 0),
    )


def _groups(text: str) -> list[tuple[int, str]]:
    """Where the contents of the outermost brackets begin, and what they are."""
    found: list[tuple[int, str]] = []
    depth = start = 0
    for index, character in enumerate(text):
        if character == "(":
            if depth == 0:
                start = index + 1
            depth += 1
        elif character == ")" and depth:
            depth -= 1
            if depth == 0:
                found.append((start, text[start:index]))
    return found


def _parse(lines: list[str]) -> Message:
    message: Message = {}
    output: list[str] = []
    for line in lines:
        key, separator, value = line.partition(":")
        if not separator:
            continue
        if key == "Output":
            output.append(value.removeprefix(" "))
        else:
            message.setdefault(key, value.removeprefix(" "))
    if output:
        message["Output"] = "\n".join(output)
    return message
