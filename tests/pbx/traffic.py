"""Believable traffic for the two demo switchboards, "milano" and "torino".

Callers arrive as a Poisson process with peaks, wait, lose patience, talk, and are transferred; phones ring
for some seconds, or are not answered; agents pause with a reason, and some log in and out. The plan follows
from the seed alone; what comes of it depends on what the switchboards do with it. It costs about one AMI
action a second.
"""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from tests.pbx.ami_judge import AmiClosed, AmiError, AmiJudge, Value
from tests.pbx.pbx import AsteriskInstance, Pbx, Phones

#: Where the configuration of the demo switchboards is.
DEMO_CONFIG: Final = Path(__file__).parents[2] / "provisioning/asterisk/demo"


@dataclass(frozen=True)
class Agent:
    """An agent of the demo. `local` ones are called through `Local/…@from-queue/n`, as FreePBX does."""

    extension: str
    name: str
    local: bool = False
    #: Queues he logs in to and out of by himself, beside those in queues.conf.
    logs_in_to: tuple[str, ...] = ()

    @property
    def interface(self) -> str:
        """The member's interface."""
        return f"Local/{self.extension}@from-queue/n" if self.local else f"PJSIP/{self.extension}"

    @property
    def state_interface(self) -> str:
        """What the queue watches for the member's state."""
        return f"hint:{self.extension}@ext-local" if self.local else self.interface


@dataclass(frozen=True)
class Queue:
    """A queue of the demo: calls a minute outside the peaks."""

    name: str
    per_minute: float
    #: Whether pressing 1 leads out of it.
    exit_key: bool = False


@dataclass(frozen=True)
class Site:
    """A demo switchboard."""

    name: str
    queues: tuple[Queue, ...]
    agents: tuple[Agent, ...]


SITES: Final[tuple[Site, ...]] = (
    Site(
        "milano",
        (Queue("assistenza", 1.9, exit_key=True), Queue("vendite", 1.7), Queue("amministrazione", 0.6)),
        (
            Agent("1001", "Giulia Ferrari"),
            Agent("1002", "Marco Bianchi"),
            Agent("1003", "Sara Colombo"),
            Agent("1004", "Luca Moretti"),
            Agent("1005", "Chiara Galli", local=True),
            Agent("1006", "Davide Fontana", local=True, logs_in_to=("vendite", "assistenza")),
            Agent("1007", "Elena Greco"),
        ),
    ),
    Site(
        "torino",
        (Queue("support", 1.4, exit_key=True), Queue("prenotazioni", 1.1)),
        (
            Agent("1008", "Alessandro Rizzo"),
            Agent("1009", "Francesca Conti"),
            Agent("1010", "Matteo Gallo"),
            Agent("1011", "Valentina Costa", local=True, logs_in_to=("prenotazioni",)),
            Agent("1012", "Niccolò D'Angelo"),
        ),
    ),
)


@dataclass(frozen=True)
class Call:
    """A customer dials a queue; all times in seconds, `at` since the start of the traffic."""

    at: float
    site: str
    queue: str
    number: str
    name: str
    #: How long he waits in the queue before he gives up.
    patience: float
    talk: float
    #: Who ends the talk: `agent`, `caller`, or the name of the queue that the agent transfers him to.
    ends: str
    #: After how many seconds of waiting he presses 1, if he does.
    key_after: float | None = None


@dataclass(frozen=True)
class Behave:
    """From now on a phone rings this long before it is answered, or is not (see Phones.behave)."""

    at: float
    phone: str
    behaviour: str


@dataclass(frozen=True)
class Pause:
    """An agent pauses in all his queues, or comes back (no reason)."""

    at: float
    site: str
    agent: Agent
    reason: str


@dataclass(frozen=True)
class Membership:
    """An agent logs in to queues of his, or out."""

    at: float
    site: str
    agent: Agent
    queues: tuple[str, ...]
    joins: bool


Step: TypeAlias = Call | Behave | Pause | Membership

_PAUSES: Final = (
    ("Caffè", 40, 100, 5),
    ("Pranzo", 120, 200, 2),
    ("Formazione", 80, 160, 2),
    ("Riunione", 70, 150, 2),
    ("Lavoro amministrativo", 45, 120, 3),
)
_FIRST: Final = (
    *("Anna", "Paolo", "Lucia", "Giorgio", "Elisa", "Stefano", "Paola"),
    *("Andrea", "Laura", "Roberto", "Silvia", "Antonio", "Irene", "Pietro"),
)
_LAST: Final = (
    *("Rossi", "Russo", "Esposito", "Romano", "Ricci", "Marino", "Bruno"),
    *("Gatti", "Lombardi", "Barbieri", "Testa", "Serra", "Cattaneo", "Villa"),
)
_PREFIXES: Final = ("3902", "39011", "39335", "39347", "39051", "3906")


def plan(seed: int = 1, *, load: float = 1.0) -> Iterator[Step]:
    """The traffic of the demo, step by step in the order of time, without end; the same for the same seed.

    `load` multiplies the number of calls: with 1.0 about eight calls a minute reach twelve agents.
    """
    streams: list[Iterator[Step]] = []
    for site in SITES:
        streams.extend(
            _calls(random.Random(f"{seed}/{site.name}/{queue.name}"), site, queue, load)
            for queue in site.queues
        )
        for index, agent in enumerate(site.agents):
            streams.append(_phone(random.Random(f"{seed}/phone/{agent.extension}"), agent))
            streams.append(_pauses(random.Random(f"{seed}/pause/{agent.extension}"), site, agent, index == 0))
            if agent.logs_in_to:
                streams.append(_logins(random.Random(f"{seed}/login/{agent.extension}"), site, agent))
    return heapq.merge(*streams, key=lambda step: step.at)


def _calls(rng: random.Random, site: Site, queue: Queue, load: float) -> Iterator[Step]:
    peak = 3.2
    others = [other.name for other in site.queues if other is not queue]
    peak_from = rng.uniform(20, 200)
    peak_to = peak_from + rng.uniform(35, 65)
    at = 0.0
    while True:
        # thinning: candidates at the rate of a peak, of which a quiet time keeps a part
        at += rng.expovariate(load * queue.per_minute * peak / 60)
        if at > peak_to:
            peak_from = peak_to + rng.uniform(240, 480)
            peak_to = peak_from + rng.uniform(35, 65)
        opening = at < 12  # something to see at once
        if rng.random() > (1.0 if peak_from <= at or opening else 1 / peak):
            continue
        name = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}" if rng.random() < 0.8 else ""
        number = rng.choice(_PREFIXES) + f"{rng.randrange(10**6, 10**7)}"
        impatient = rng.random() < 0.28
        patience = rng.uniform(9, 40) if impatient else rng.uniform(80, 220)
        ends = "agent" if rng.random() < 0.55 else "caller"
        if rng.random() < 0.05:
            ends = rng.choice(others)
        key_after = rng.uniform(8, 25) if queue.exit_key and rng.random() < 0.06 else None
        talk = min(90.0, 15 + rng.expovariate(1 / 30))
        yield Call(
            round(at, 3),
            site.name,
            queue.name,
            number,
            name,
            round(patience, 1),
            round(talk, 1),
            ends,
            key_after,
        )


def _phone(rng: random.Random, agent: Agent) -> Iterator[Step]:
    at = 0.0
    while True:
        dice = rng.random()
        if dice < 0.91 or at == 0:
            behaviour = f"demo-{rng.triangular(2, 8, 3):.1f}"
        elif dice < 0.98:
            behaviour = "noanswer"
        else:
            behaviour = f"decline-{rng.uniform(1, 3):.1f}"
        yield Behave(round(at, 3), agent.extension, behaviour)
        at += rng.uniform(20, 45)


def _pauses(rng: random.Random, site: Site, agent: Agent, soon: bool) -> Iterator[Step]:
    at = rng.uniform(6, 20) if soon else rng.uniform(60, 700)
    while True:
        (reason, shortest, longest, _) = rng.choices(_PAUSES, [weight for *_, weight in _PAUSES])[0]
        yield Pause(round(at, 3), site.name, agent, reason)
        at += rng.uniform(shortest, longest)
        yield Pause(round(at, 3), site.name, agent, "")
        at += rng.uniform(320, 800)


def _logins(rng: random.Random, site: Site, agent: Agent) -> Iterator[Step]:
    at = rng.uniform(2, 8)
    while True:
        yield Membership(round(at, 3), site.name, agent, agent.logs_in_to, True)
        at += rng.uniform(200, 500)
        yield Membership(round(at, 3), site.name, agent, agent.logs_in_to, False)
        at += rng.uniform(40, 120)


class Traffic:
    """Carries the plan out on the running switchboards, by name, and their phones.

    `speed` runs the plan's clock faster (not the talks and the patience, so it multiplies the load). A
    switchboard that restarts or refuses a step is left alone for that step.
    """

    def __init__(
        self, pbxs: Mapping[str, Pbx], phones: Phones, *, seed: int = 1, load: float = 1.0, speed: float = 1.0
    ) -> None:
        self._pbxs = pbxs
        self._phones = phones
        self._seed = seed
        self._load = load
        self._speed = speed
        self._sessions: dict[str, AmiJudge] = {}
        #: How many steps have been carried out, and how many the switchboards refused or were not there for.
        self.done = 0
        self.failed = 0

    def run(self, stop: threading.Event, seconds: float | None = None) -> None:
        """Blocks until `stop` is set, or for that many seconds of the plan. A PBX cannot make it raise."""
        started = time.monotonic()
        try:
            for step in plan(self._seed, load=self._load):
                if seconds is not None and step.at > seconds:
                    return
                if stop.wait(max(0.0, started + step.at / self._speed - time.monotonic())):
                    return
                try:
                    self._do(step)
                    self.done += 1
                except AmiError:
                    self.failed += 1
        finally:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def _do(self, step: Step) -> None:
        if isinstance(step, Behave):
            self._ask(self._phones, "DBPut", Family="phone", Key=step.phone, Val=step.behaviour)
            return
        pbx = self._pbxs.get(step.site)
        if pbx is None:
            return
        if isinstance(step, Call):
            self._call(pbx, step)
        elif isinstance(step, Pause):
            self._ask(
                pbx,
                "QueuePause",
                Interface=step.agent.interface,
                Paused="true" if step.reason else "false",
                **({"Reason": step.reason} if step.reason else {}),
            )
        elif step.joins:
            for queue in step.queues:
                self._ask(
                    pbx,
                    "QueueAdd",
                    Queue=queue,
                    Interface=step.agent.interface,
                    MemberName=step.agent.name,
                    StateInterface=step.agent.state_interface,
                )
        else:
            for queue in step.queues:
                self._ask(pbx, "QueueRemove", Queue=queue, Interface=step.agent.interface)

    def _call(self, pbx: Pbx, call: Call) -> None:
        variables = {"ME": call.number, "PATIENCE": call.patience, "TALK": call.talk, "ENDS": call.ends}
        if call.key_after is not None:
            variables["KEY_AFTER"] = round(call.key_after, 1)
        self._phones.call_over(
            self._session(self._phones),
            pbx.name,
            call.queue,
            call.number,
            call.name,
            ("customer", "s"),
            {key: str(value) for key, value in variables.items()},
        )

    def _ask(self, instance: AsteriskInstance, action: str, **fields: Value) -> None:
        try:
            self._session(instance).ok(action, **fields)
        except AmiClosed:
            self._sessions.pop(instance.name).close()
            self._session(instance).ok(action, **fields)

    def _session(self, instance: AsteriskInstance) -> AmiJudge:
        session = self._sessions.get(instance.name)
        if session is None:
            session = self._sessions[instance.name] = instance.ami(timeout=5.0)
        return session


def demo_phones(root: Path) -> Phones:
    """The Asterisk that plays the demo's phones and customers, not yet started."""
    return Phones(
        root, name="phones", more_dialplan=(DEMO_CONFIG / "customers.conf").read_text(encoding="utf-8")
    )


def demo_pbx(root: Path, site: Site, phones: Phones, *, event_filter: str = "") -> Pbx:
    """A demo switchboard, not yet started."""
    return Pbx(
        root,
        name=site.name,
        phones=phones,
        queues=(DEMO_CONFIG / f"queues-{site.name}.conf").read_text(encoding="utf-8"),
        dialplan=(DEMO_CONFIG / "extensions.conf").read_text(encoding="utf-8"),
        agents=[agent.extension for agent in site.agents],
        busy_at_one=(),
        unregistered=(),
        event_filter=event_filter,
    )
