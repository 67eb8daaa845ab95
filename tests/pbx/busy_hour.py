"""An hour of a call centre in a minute: some hundred queue calls of every kind at once, on a real Asterisk.

    pbx = make_pbx(phones=phones, **busy_pbx())
    hour = BusyHour(pbx, phones, seed=1, seconds=60)
    hour.run()
    hour.calls, hour.pauses, hour.memberships    # what it did, by its own account

The plan follows from the seed alone. Each caller has a number of his own, by which he is found again.
"""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.pbx.ami_judge import AmiError, AmiJudge, Message
from tests.pbx.pbx import Pbx, Phones, fill

_CONFIG: Final = Path(__file__).parent / "config"

_SPEAKING: Final = ("codec_gsm", "format_gsm")
"""Needed for `atxfer` alone, which gives up where it cannot speak to the agent."""

STAYS_S: Final = 25.0
"""A patient caller hangs up so long after he has come, talking or not."""

#: Phones by the queue that they serve, and how they behave when they ring (see `Phones.behave`).
PHONES: Final[dict[str, dict[str, str]]] = {
    "desk": {
        **{f"12{n:02}": f"answer-0.{n}-{n % 3}.{n}" for n in range(1, 7)},
        **{f"12{n:02}": f"answer-0.{n}-60" for n in (7, 8, 9)},
        "1210": "noanswer", "1211": "busy-0.4", "1212": "decline-0.4", "1213": "congest",
    },
    "refer": {f"122{n}": "blind-0.3-1-7000" for n in range(4)},
    "onward": {f"123{n}": "blind-0.3-1-sold" for n in range(4)},
    "keys": {f"124{n}": "dtmf-0.3-1-#1w7000-5" for n in range(4)},
    "consult": {f"125{n}": "dtmf-0.3-1-*2ww7100-5" for n in range(4)},
    "returns": {f"126{n}": "dtmf-0.3-1-*2ww7100wwww*1wwww-1" for n in range(4)},
    "replaces": {"1280": "satx-0.3-1-7001"},
    "moved": {f"127{n}": "answer-0.3-60" for n in range(4)},
}  # fmt: skip


@dataclass
class Told:
    """A call as its maker knows it.

    Attributes:
        number: the caller's, unlike all others.
        queue: the queue that he visits; "" of a second visit that follows by itself.
        outcome: that he must have had.
        ended_by: how an answered call must have ended; None: that depends.
        channel_id: Uniqueid of his channel, where it was set.
        transfer_to: extension that he was transferred to.
        acted_at: Unix time at which he was redirected or withdrawn; None: he was not.
        kind: in words.
    """

    number: str
    kind: str
    queue: str
    outcome: str
    ended_by: str | None = None
    channel_id: str = ""
    transfer_to: str = ""
    acted_at: float | None = None


@dataclass
class Spell:
    """A pause, or with a queue a membership, as it was made. Unix times; `ended_at` None: it goes on."""

    agent: str
    reason: str
    started_at: float
    ended_at: float | None = None
    queue: str = ""


def members(context: str, first: int, count: int) -> str:
    """Lines of queues.conf: agents without a phone, named after their extension."""
    return "\n".join(
        f"member => Local/{number}@{context}/n,0,Agent {number}" for number in range(first, first + count)
    )


def busy_pbx() -> dict[str, Any]:
    """Arguments of `Pbx` for the hour."""
    phones = {
        queue.upper(): "\n".join(f"member => PJSIP/{phone},0,Agent {phone}" for phone in behaviours)
        for queue, behaviours in PHONES.items()
    }
    pausing = members("agent-ends", 6800, 8)
    queues = fill(
        (_CONFIG / "hour/queues.conf").read_text(encoding="utf-8"),
        {
            "SOLD": f"{members('agent-ends', 6000, 25)}\n{pausing}",
            "HELPED": members("agent-talks", 6100, 40),
            "DEAF": members("agent-is-deaf", 6200, 8),
            "DEAFALL": members("agent-is-deaf", 6220, 6),
            "ONCE": members("agent-is-deaf", 6230, 1),
            "SECOND": f"{members('agent-is-deaf', 6300, 3)}\n{members('agent-ends', 6310, 8)}",
            "PICKY": f"{members('agent-is-busy', 6400, 2)}\n{members('agent-declines', 6405, 2)}\n"
            f"{members('agent-ends', 6410, 8)}\n{pausing}",
            **phones,
        },
    )
    parts = (_CONFIG / "pbx/extensions.conf", _CONFIG / "hour/extensions.conf")
    return {
        "queues": queues,
        "dialplan": "\n".join(part.read_text(encoding="utf-8") for part in parts),
        "agents": tuple(phone for behaviours in PHONES.values() for phone in behaviours),
    }


@dataclass(order=True)
class _Step:
    at: float
    number: int
    do: Callable[[], None] = field(compare=False)


class BusyHour:
    """The traffic. Without phones the parts that need them are left out.

    Attributes:
        calls: in the order in which they are made.
        pauses: pauses in every queue of an agent, each with its own reason.
        memberships: that began and ended.
    """

    def __init__(
        self, pbx: Pbx, phones: Phones | None, *, seed: int = 1, seconds: float = 60.0, share: float = 1.0
    ) -> None:
        self.calls: list[Told] = []
        self.pauses: list[Spell] = []
        self.memberships: list[Spell] = []
        self._pbx = pbx
        self._phones = phones
        self._random = random.Random(seed)
        self._seconds = seconds
        self._share = share
        self._steps: list[_Step] = []
        self._numbers = itertools.count()
        self._callers = itertools.count(1)
        self._plan()

    def run(self) -> None:
        """Make it all happen; returns when all has been begun and acted on. Raises AmiError if refused."""
        if self._phones is not None:
            self._phones.behave_all(
                {phone: how for behaviours in PHONES.values() for phone, how in behaviours.items()}
            )
        for module in _SPEAKING:
            self._pbx.cli(f"module load {module}.so")
        with self._pbx.ami() as self._ami, _session(self._phones or self._pbx) as self._phones_ami:
            started = time.monotonic()
            while self._steps:
                step = heapq.heappop(self._steps)
                time.sleep(max(0.0, started + step.at - time.monotonic()))
                self._now = time.monotonic() - started
                step.do()

    # -- the plan

    def _plan(self) -> None:
        uniform = self._random.uniform
        self._many("ended by the agent", "sold", 60, outcome="answered", ended_by="agent")
        self._many("the dialplan goes on", "goeson", 6, queue="sold", outcome="answered", ended_by="agent")
        self._many("ended by the caller", "helped", 50, lambda: uniform(2.5, 6), outcome="answered",
                   ended_by="caller")  # fmt: skip
        self._many("gives up soon", "alone", 25, lambda: uniform(0.3, 1.5), outcome="abandoned")
        self._many("gives up", "alone", 20, lambda: uniform(3, 15), outcome="abandoned")
        self._many("gives up while it rings", "deaf", 25, lambda: uniform(0.5, 8), outcome="abandoned")
        self._many("gives up while all ring", "deafall", 12, lambda: uniform(0.5, 6), outcome="abandoned")
        self._many("the first does not answer", "second", 25, outcome="answered", ended_by="agent")
        self._many("the first refuses", "picky", 25, outcome="answered", ended_by="agent")
        self._many("time-out", "brief", 15, queue="alone", outcome="timeout")
        self._many("option n", "onering", 4, queue="once", outcome="timeout")
        self._many("presses a key", "exits", 12, lambda: f"k_{uniform(0.5, 4):.1f}_1", outcome="exit_key")
        self._many("nobody is in", "shut", 10, outcome="join_empty")
        self._many("nobody can be reached", "away", 5, outcome="join_empty")
        self._twice(8)
        self._full(8)
        self._closing(3)
        self._withdrawn(10)
        self._redirected_while_waiting(10)
        self._redirected_while_talking(8)
        self._pauses()
        self._memberships()
        if self._phones is not None:
            self._phone_calls()

    def _phone_calls(self) -> None:
        uniform = self._random.uniform
        self._many("phones", "desk", 60, lambda: uniform(4, 9), outcome="answered", sip=True)
        self._many("blind by REFER", "refer", 10, outcome="answered", ended_by="blind_transfer",
                   transfer_to="7000", sip=True)  # fmt: skip
        self._many("to another queue", "onward", 8, outcome="answered", ended_by="blind_transfer",
                   transfer_to="sold", sip=True, then="sold")  # fmt: skip
        self._many("blind by keys", "keys", 8, outcome="answered", ended_by="blind_transfer",
                   transfer_to="7000", sip=True)  # fmt: skip
        self._many("consultation by keys", "consult", 6, outcome="answered", ended_by="attended_transfer",
                   sip=True)  # fmt: skip
        self._many("consultation given up", "returns", 6, outcome="answered", ended_by="agent", sip=True)
        for at in (2.0, 20.0):
            told = self._told("REFER with Replaces", "replaces", "answered", "attended_transfer")
            self._at(at, self._sip_call(told, "replaces", STAYS_S))
        for at in self._times(8):
            told = self._told("transferred by AMI", "moved", "answered", "blind_transfer", transfer_to="7000")
            self._at(at, self._sip_call(told, "moved", STAYS_S))
        for at in range(2, int(self._seconds) + 8, 2):
            self._at(at, self._transfer_all_moved)

    def _many(
        self,
        kind: str,
        extension: str,
        count: int,
        leaves: Callable[[], float | str] = lambda: STAYS_S,
        *,
        queue: str = "",
        outcome: str,
        ended_by: str | None = None,
        transfer_to: str = "",
        then: str = "",
        sip: bool = False,
    ) -> None:
        for at in self._times(count):
            told = self._told(kind, queue or extension, outcome, ended_by, transfer_to=transfer_to)
            call = self._sip_call if sip else self._local_call
            self._at(at, call(told, extension, leaves()))
            if then:
                self._told(kind, then, "answered", "agent", number=told.number)

    def _twice(self, count: int) -> None:
        for at in self._times(count):
            told = self._told("two queues", "alone", "timeout")
            self._told("two queues", "sold", "answered", "agent", number=told.number)
            self._at(at, self._local_call(told, "twice", STAYS_S))

    def _full(self, count: int) -> None:
        holder = self._told("holds the only place", "small", "abandoned")
        self._at(1.0, self._local_call(holder, "small", self._seconds))
        for at in self._times(count, first=3.0):
            self._at(at, self._local_call(self._told("full", "small", "full"), "small", 5.0))

    def _closing(self, rounds: int) -> None:
        for number in range(rounds):
            at = 2.0 + number * self._seconds / rounds
            for _ in range(4):
                told = self._told("the queue closes", "closing", "leave_empty")
                self._at(at + self._random.uniform(0, 2), self._local_call(told, "closing", STAYS_S))
            self._at(at + 4, lambda: self._pause("6900", "agent-is-deaf", True, "closing"))
            self._at(at + 4, lambda: self._paused("6900", ""))
            self._at(at + 12, lambda: self._end_pause("6900"))
            self._at(at + 12, lambda: self._pause("6900", "agent-is-deaf", False, "closing"))

    def _withdrawn(self, count: int) -> None:
        for at in self._times(count):
            told = self._told("withdrawn", "alone", "withdrawn")
            self._at(at, self._local_call(told, "alone", STAYS_S))
            self._at(at + self._random.uniform(1, 5), lambda told=told: self._withdraw(told))  # type: ignore[misc]

    def _redirected_while_waiting(self, count: int) -> None:
        for at in self._times(count):
            told = self._told("redirected while waiting", "alone", "redirected")
            self._at(at, self._local_call(told, "alone", STAYS_S))
            self._at(at + self._random.uniform(1, 5), lambda told=told: self._redirect(told))  # type: ignore[misc]

    def _redirected_while_talking(self, count: int) -> None:
        for at in self._times(count):
            told = self._told("redirected while talking", "helped", "answered", "")
            self._at(at, self._local_call(told, "helped", STAYS_S))
            self._at(at + self._random.uniform(3, 6), lambda told=told: self._redirect(told))  # type: ignore[misc]

    def _pauses(self) -> None:
        """In all queues: with a reason that changes or not; and in one queue after the other."""
        for number in range(6800, 6806):
            at = self._random.uniform(1, 4)
            while at < self._seconds - 6:
                reasons = self._random.choice((("Pranzo",), ("",), ("Caffè", "Riunione")))
                for reason in reasons:
                    self._at(at, lambda n=number, r=reason: self._pause_all(str(n), r))  # type: ignore[misc]
                    at += self._random.uniform(1.2, 4)
                self._at(at, lambda n=number: self._come_back(str(n)))  # type: ignore[misc]
                at += self._random.uniform(3, 12)
        for at in (3.0, 20.0, 40.0):
            self._at(at, lambda: self._pause("6807", "agent-ends", True, "sold", "Formazione"))
            self._at(at + 3, lambda: self._pause("6807", "agent-ends", True, "picky", "Formazione"))
            self._at(at + 3, lambda: self._paused("6807", "Formazione"))
            self._at(at + 7, lambda: self._come_back("6807", "sold"))
            self._at(at + 9, lambda: self._pause("6807", "agent-ends", False, "picky"))

    def _memberships(self) -> None:
        for number in range(6860, 6868):
            at = self._random.uniform(1, self._seconds / 2)
            self._at(at, lambda n=number: self._join(str(n)))  # type: ignore[misc]
            at += self._random.uniform(3, self._seconds / 2)
            self._at(at, lambda n=number: self._leave(str(n)))  # type: ignore[misc]

    # -- parts of the plan

    def _at(self, at: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._steps, _Step(at, next(self._numbers), do))

    def _times(self, count: int, first: float = 0.5) -> Iterator[float]:
        for _ in range(max(1, round(count * self._share))):
            yield self._random.uniform(first, self._seconds)

    def _told(
        self,
        kind: str,
        queue: str,
        outcome: str,
        ended_by: str | None = "",
        *,
        transfer_to: str = "",
        number: str = "",
    ) -> Told:
        told = Told(number or f"39055{next(self._callers):05}", kind, queue, outcome, ended_by)
        told.transfer_to = transfer_to
        self.calls.append(told)
        return told

    # -- steps

    def _local_call(self, told: Told, extension: str, leaves: float | str) -> Callable[[], None]:
        """A caller on a Local channel: gone after some seconds, or as an extension of [localcaller] says."""
        told.channel_id = f"hour-{told.number}-{id(self):x}"
        how = leaves if isinstance(leaves, str) else f"w{leaves:.2f}"

        def call() -> None:
            self._ami.ok(
                "Originate", Channel=f"Local/{how}@localcaller/n", ChannelId=told.channel_id,
                Context="queuenums", Exten=extension, Priority=1, Timeout=30000, Async="true",
                CallerID=f'"{told.kind}" <{told.number}>',
            )  # fmt: skip

        return call

    def _sip_call(self, told: Told, extension: str, leaves: float | str) -> Callable[[], None]:
        def call() -> None:
            assert self._phones is not None
            self._phones.call_over(
                self._phones_ami, self._pbx.name, extension, told.number, told.kind,
                ("callerbeh", leaves if isinstance(leaves, str) else f"w{leaves:.2f}"),
            )  # fmt: skip

        return call

    def _withdraw(self, told: Told) -> None:
        waiting = {
            c["Uniqueid"]: c["Channel"] for c in self._ami.queue_status(told.queue)[told.queue].callers
        }
        told.acted_at = time.time()
        self._ami.ok("QueueWithdrawCaller", Queue=told.queue, Caller=waiting[told.channel_id])

    def _redirect(self, told: Told) -> None:
        told.acted_at = time.time()
        self._ami.ok("Redirect", Channel=told.channel_id, Context="elsewhere", Exten="s", Priority=1)

    def _transfer_all_moved(self) -> None:
        """Every talk in the queue `moved` that has gone on for a while."""
        for channel in self._channels():
            phone = channel["Channel"].partition("-")[0].removeprefix("PJSIP/")
            if phone in PHONES["moved"] and channel["BridgeId"] and channel["Duration"] >= "00:00:02":
                self._ami.action(
                    "BlindTransfer", Channel=channel["Channel"], Context="transfers", Exten="7000"
                )

    def _channels(self) -> list[Message]:
        return self._ami.query("CoreShowChannels")

    def _pause(self, agent: str, context: str, paused: bool, queue: str = "", reason: str = "") -> None:
        self._ami.ok(
            "QueuePause", Interface=f"Local/{agent}@{context}/n", Paused="true" if paused else "false",
            **({"Queue": queue} if queue else {}), **({"Reason": reason} if reason else {}),
        )  # fmt: skip

    def _pause_all(self, agent: str, reason: str) -> None:
        self._end_pause(agent)
        self._pause(agent, "agent-ends", True, reason=reason)
        self._paused(agent, reason)

    def _paused(self, agent: str, reason: str) -> None:
        self.pauses.append(Spell(agent, reason, time.time()))

    def _come_back(self, agent: str, queue: str = "") -> None:
        self._end_pause(agent)
        self._pause(agent, "agent-ends", False, queue)

    def _end_pause(self, agent: str) -> None:
        for pause in self.pauses:
            if pause.agent == agent and pause.ended_at is None:
                pause.ended_at = time.time()

    def _join(self, agent: str) -> None:
        self._ami.ok(
            "QueueAdd", Queue="sold", Interface=f"Local/{agent}@agent-ends/n", MemberName=f"Agent {agent}"
        )
        self.memberships.append(Spell(agent, "", time.time(), queue="sold"))

    def _leave(self, agent: str) -> None:
        self._ami.ok("QueueRemove", Queue="sold", Interface=f"Local/{agent}@agent-ends/n")
        [spell] = [spell for spell in self.memberships if spell.agent == agent]
        spell.ended_at = time.time()


def _session(instance: Pbx | Phones) -> AmiJudge:
    return instance.ami()


def is_quiet(ami: AmiJudge) -> bool:
    """Whether no channel is left. A switchboard that does not answer just now is not quiet."""
    try:
        return not ami.query("CoreShowChannels")
    except AmiError:
        return False
