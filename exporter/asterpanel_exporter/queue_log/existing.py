"""What the journal has already of a log that is imported: nothing is told twice.

A live point and an imported one of the same thing differ: in their times (exact against whole seconds), and
possibly in outcome, agent and durations. They are the same thing if they are about the same call, agent or
membership at the same time.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from math import inf
from pathlib import Path
from typing import Any, Final, Self

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AgentSession,
    AttemptResult,
    QueueCall,
    Record,
)
from asterpanel_exporter.journal.journal import BUSY_TIMEOUT_S, JournalError
from asterpanel_exporter.points.catalogue import MEASUREMENT_OF
from asterpanel_exporter.points.line_protocol import clean_tag, clean_text

SAME_TIME_S: Final = 2.0
"""Whole seconds against exact ones, of two readings of one clock."""

SAME_ANSWER_S: Final = 120.0
"""With a ``memberdelay`` the log does not tell when the phone of an agent who picked up had begun to ring."""

STILL_OPEN_S: Final = 900.0
"""A call that has ended is told of live within this time; if it is still open then, its end was missed."""

_LIVE_S: Final = 60.0
_LAG_S: Final = 10.0
_US: Final = 1_000_000

_NEEDED: Final[Mapping[type[Record], str]] = {
    QueueCall: "queue, uniqueid",
    AgentAttempt: "queue, uniqueid, agent, agent_name, result",
    AgentPause: "agent, agent_name, duration_s",
    AgentSession: "queue, agent, agent_name, duration_s",
}
_INTERVALS: Final = (AgentPause, AgentSession)

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """A thing in the journal. ``ends_at``: of a pause or membership; ``names``: of the agent, his id too."""

    id: int
    at: float
    names: frozenset[str] = frozenset()
    answered: bool = False
    ends_at: float = 0.0


_KnownBy = dict[_Key, list[_Known]]


@dataclass(slots=True)
class Seeds:
    """What a journal tells an import beforehand.

    Attributes:
        agents: ids by MemberName.
        queues: names of queues.
        thresholds: newest service-level threshold, in seconds, by the queue's name in lower case.
        members: (agent's id, queue) of the memberships that a live session has seen and that go on.
    """

    agents: dict[str, str] = field(default_factory=dict)
    queues: list[str] = field(default_factory=list)
    thresholds: dict[str, float] = field(default_factory=dict)
    members: list[tuple[str, str]] = field(default_factory=list)


class Existing:
    """Reads what a journal had of one switchboard before `mark`; what is written later does not count.

    Args:
        db: the journal, read only; None: there is none yet.
        switchboard: its name.
        now: our Unix time.
    """

    def __init__(self, db: sqlite3.Connection | None, switchboard: str, now: float) -> None:
        self._db = db
        self._switchboard = switchboard
        self._now = now
        self._up_to: dict[type[Record], int] = dict.fromkeys(_NEEDED, 0)
        self._longest_s: dict[type[Record], float] = dict.fromkeys(_NEEDED, 0.0)
        self._taken: dict[type[Record], set[int]] = {type_: set() for type_ in _NEEDED}
        self._open = {"call": list[Any](), "pause": list[Any](), "session": list[Any](), "board": list[Any]()}
        for kind, data in self._rows("SELECT kind, data FROM open_item WHERE switchboard = ?", switchboard):
            if kind in self._open:
                self._open[kind].append(json.loads(data))
        self._open_calls = _by_key(
            ((item["uniqueid"], item["queue"].casefold()), _Known(0, item["joined_at"]))
            for item in self._open["call"]
        )
        self.mark()

    @classmethod
    @contextmanager
    def reading(cls, path: Path, switchboard: str, now: float) -> Iterator[Self]:
        """Raises `JournalError` if there is a journal that cannot be read."""
        if not path.exists():
            yield cls(None, switchboard, now)
            return
        try:
            db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None
            )
            with closing(db):
                yield cls(db, switchboard, now)
        except sqlite3.Error as error:
            raise JournalError(f"cannot use the journal {path}: {error}") from error

    def mark(self) -> None:
        """All that is in the journal by now counts."""
        for type_ in _NEEDED:
            name = MEASUREMENT_OF[type_].name
            [[up_to]] = self._rows(f"SELECT max(id) FROM {name}") or [(0,)]  # noqa: S608
            self._up_to[type_] = up_to or 0
            if type_ in _INTERVALS:
                [[longest]] = self._rows(f"SELECT max(duration_s) FROM {name}") or [(0.0,)]  # noqa: S608
                self._longest_s[type_] = longest or 0.0

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return [] if self._db is None else self._db.execute(sql, values).fetchall()

    # --- what is new --------------------------------------------------------------------------------

    def new_ones(self, records: Sequence[Record]) -> list[Record]:
        """Those that the journal has not, in their order."""
        if not any(self._up_to.values()) and not any(self._open.values()):
            return list(records)
        times: dict[type[Record], list[float]] = defaultdict(list)
        for record in records:
            times[type(record)].append(record.at)
        known = {type_: self._load(type_, min(ats), max(ats)) for type_, ats in times.items()}
        return [record for record in records if not self._has(known[type(record)], record)]

    def _has(self, known: _KnownBy, record: Record) -> bool:
        match record:
            case QueueCall():
                key = _call_key(record)
                return self._take(known, key, record, SAME_TIME_S) or self._is_open(key, record)
            case AgentAttempt():
                key = _call_key(record)
                answered = record.result is AttemptResult.ANSWERED
                return self._take(known, key, record, SAME_ANSWER_S if answered else SAME_TIME_S)
            case AgentPause():
                return any(_overlap(one, record) for name in _names(record) for one in known.get((name,), ()))
            case AgentSession():
                queue = clean_tag(record.queue).casefold()
                keys = [(queue, name) for name in _names(record)]
                return any(_overlap(one, record) for key in keys for one in known.get(key, ()))
        return False

    def _take(self, known: _KnownBy, key: _Key, record: QueueCall | AgentAttempt, within_s: float) -> bool:
        """Whether there is such a thing that is no other's: the nearest is this record's from now on."""
        found = known.get(key)
        if not found:
            return False
        taken = self._taken[type(record)]
        near = [
            one
            for one in found
            if one.id not in taken and abs(one.at - record.at) <= within_s and _same_agent(one, record)
        ]
        if not near:
            return False
        taken.add(min(near, key=lambda one: abs(one.at - record.at)).id)
        return True

    def _is_open(self, key: _Key, call: QueueCall) -> bool:
        """Whether the exporter will tell of this call itself, because its end cannot have been missed yet."""
        ended_at = call.joined_at + call.wait_s + call.talk_s
        return ended_at > self._now - STILL_OPEN_S and any(
            abs(one.at - call.joined_at) <= SAME_TIME_S for one in self._open_calls.get(key, ())
        )

    def _load(self, type_: type[Record], first: float, last: float) -> _KnownBy:
        """What is known of these times, by its key."""
        rows: list[tuple[Any, ...]] = []
        if self._up_to[type_]:
            around = SAME_ANSWER_S if type_ is AgentAttempt else SAME_TIME_S
            rows = self._rows(
                f"SELECT id, time, {_NEEDED[type_]} FROM {MEASUREMENT_OF[type_].name}_points "  # noqa: S608
                "WHERE time BETWEEN ? AND ? AND id <= ? AND switchboard = ?",
                int((first - around - self._longest_s[type_]) * _US),
                int((last + around) * _US),
                self._up_to[type_],
                self._switchboard,
            )
        self._taken[type_] &= {row[0] for row in rows}
        if type_ is AgentPause:
            return _by_key(chain(_pauses(rows), self._open_pauses()))
        if type_ is AgentSession:
            return _by_key(chain(_sessions(rows), self._open_sessions()))
        return _by_key(_calls(rows) if type_ is QueueCall else _attempts(rows))

    # --- what goes on -------------------------------------------------------------------------------

    def _open_pauses(self) -> Iterator[tuple[_Key, _Known]]:
        """Of these the exporter tells itself, even if their end was missed."""
        for item in self._open["pause"]:
            yield (item["agent"],), _Known(0, item["started_at"], ends_at=self._watched_until)

    def _open_sessions(self) -> Iterator[tuple[_Key, _Known]]:
        for item in self._open["session"]:
            key = (item["queue"].casefold(), item["agent"])
            yield key, _Known(0, item["started_at"], ends_at=self._watched_until)

    @property
    def _watched_until(self) -> float:
        return max((board["known_at"] for board in self._open["board"]), default=0.0)

    @property
    def left_to_exporter_after(self) -> float:
        """What is later, a running exporter may be about to write itself; infinity: none runs."""
        watched_until = self._watched_until
        return watched_until - _LAG_S if watched_until > self._now - _LIVE_S else inf

    def seeds(self) -> Seeds:
        """Names and settings that the journal knows."""
        seeds = Seeds(members=[(item["agent"], item["queue"]) for item in self._open["session"]])
        for type_ in _NEEDED:
            rows = self._rows(
                f"SELECT agent_name, agent FROM {MEASUREMENT_OF[type_].name}_series "  # noqa: S608
                "WHERE switchboard = ? AND agent_name NOT IN ('', agent) ORDER BY series",
                self._switchboard,
            )
            seeds.agents.update(rows)
        newest: dict[str, int] = {}
        for queue, series, time in self._rows(
            "SELECT queue, series, (SELECT max(time) FROM queue_call WHERE queue_call.series = s.series) "
            "FROM queue_call_series AS s WHERE switchboard = ? ORDER BY outcome = 'answered', series",
            self._switchboard,
        ):
            seeds.queues.append(queue)
            key = queue.casefold()
            if time is not None and time > newest.get(key, 0):
                newest[key] = time
                [[seeds.thresholds[key]]] = self._rows(
                    "SELECT sl_threshold_s FROM queue_call WHERE series = ? AND time = ?", series, time
                )
        return seeds


def _by_key(known: Iterable[tuple[_Key, _Known]]) -> _KnownBy:
    by_key: _KnownBy = {}
    for key, one in known:
        by_key.setdefault(key, []).append(one)
    return by_key


def _calls(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[_Key, _Known]]:
    for id_, time, queue, uniqueid in rows:
        yield (uniqueid, queue.casefold()), _Known(id_, time / _US)


def _attempts(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[_Key, _Known]]:
    for id_, time, queue, uniqueid, agent, name, result in rows:
        answered = result == AttemptResult.ANSWERED
        yield (uniqueid, queue.casefold()), _Known(id_, time / _US, frozenset((agent, name)), answered)


def _pauses(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[_Key, _Known]]:
    for id_, time, agent, name, duration_s in rows:
        for key in {agent, name}:
            yield (key,), _Known(id_, time / _US, ends_at=time / _US + duration_s)


def _sessions(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[_Key, _Known]]:
    for id_, time, queue, agent, name, duration_s in rows:
        for key in {agent, name}:
            yield (queue.casefold(), key), _Known(id_, time / _US, ends_at=time / _US + duration_s)


def _call_key(record: QueueCall | AgentAttempt) -> _Key:
    return clean_text(record.uniqueid), clean_tag(record.queue).casefold()


def _names(record: AgentAttempt | AgentPause | AgentSession) -> frozenset[str]:
    """Id and name, as they are stored: at an earlier import the id may not have been known."""
    return frozenset((clean_tag(record.agent), clean_tag(record.agent_name)))


def _same_agent(known: _Known, record: QueueCall | AgentAttempt) -> bool:
    if isinstance(record, QueueCall):
        return True
    answered = record.result is AttemptResult.ANSWERED
    return known.answered is answered and not known.names.isdisjoint(_names(record))


def _overlap(known: _Known, record: AgentPause | AgentSession) -> bool:
    """An agent has one pause at a time, and one membership in a queue."""
    begins, ends = record.started_at, record.started_at + record.duration_s
    together_s = min(known.ends_at, ends) - max(known.at, begins)
    return together_s > SAME_TIME_S or abs(known.at - begins) <= SAME_TIME_S
