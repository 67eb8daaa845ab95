"""What an import has done, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AgentSession,
    QueueCall,
    Record,
)

SHOWN_MALFORMED: Final = 20

_KINDS: Final = {
    QueueCall: "queue calls",
    AgentAttempt: "ring attempts",
    AgentPause: "pauses",
    AgentSession: "memberships",
}


@dataclass(slots=True)
class Summary:
    """Counts of one import.

    Attributes:
        first_at: earliest time in the files, Unix seconds; 0 if there is none.
        blank: lines without anything in them.
        malformed: lines that could not be used; `shown_malformed`: the first of them, with their place.
        ignored: lines that say nothing about calls, pauses or memberships, by event.
        too_new: lines left to an exporter that is running.
        outside: records outside the period that was asked for.
        found: records by kind; `written`: those of them that were new.
        outcomes: of all calls found.
        open_calls, open_pauses, open_sessions: what has not ended in the files.
        lost: calls closed without a line about their end.
        unknown: ends of things whose beginning is in no file.
        problems: files that could be read only in part.
    """

    lines: int = 0
    first_at: int = 0
    last_at: int = 0
    blank: int = 0
    malformed: int = 0
    shown_malformed: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    too_new: int = 0
    outside: int = 0
    found: Counter[type[Record]] = field(default_factory=Counter)
    written: Counter[type[Record]] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    open_calls: int = 0
    open_pauses: int = 0
    open_sessions: int = 0
    lost: int = 0
    unknown: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, records: Iterable[Record]) -> None:
        """These were found."""
        for record in records:
            self.found[type(record)] += 1
            if isinstance(record, QueueCall):
                self.outcomes[record.outcome.value] += 1

    def add_malformed(self, place: str, reason: str) -> None:
        """A line was skipped."""
        self.malformed += 1
        if self.malformed <= SHOWN_MALFORMED:
            self.shown_malformed.append(f"{place}: {reason}")

    def text(self, switchboard: str, time_zone: ZoneInfo, *, dry_run: bool) -> str:
        """Some lines for a person."""
        return "\n".join(self._lines(switchboard, time_zone, dry_run))

    def _lines(self, switchboard: str, time_zone: ZoneInfo, dry_run: bool) -> Iterator[str]:
        yield f"{switchboard}: {self.lines:,} lines{self._period(time_zone)}"
        verb = "would be new" if dry_run else "new"
        for kind, name in _KINDS.items():
            found, written = self.found[kind], self.written[kind]
            outcomes = f" ({_counts(self.outcomes)})" if kind is QueueCall and found else ""
            there = found - written
            yield f"{name}: {written:,} {verb}, {there:,} already in the journal{outcomes}"
        yield from self._left_out()

    def _left_out(self) -> Iterator[str]:
        going_on = {
            "calls": self.open_calls, "pauses": self.open_pauses, "memberships": self.open_sessions
        }  # fmt: skip
        if any(going_on.values()):
            yield f"not ended in these files, left out: {_counts(going_on)}"
        if self.outside:
            yield f"outside the period, left out: {self.outside:,}"
        if self.too_new:
            yield f"lines of the last moments, left to the exporter that is running: {self.too_new:,}"
        if self.lost:
            yield f"calls without a line about their end (Asterisk died, or lines are missing): {self.lost:,}"
        if self.unknown:
            yield f"ends of what began before the first line, left out: {self.unknown:,}"
        if self.ignored:
            yield f"lines of other events: {_counts(self.ignored)}"

    def _period(self, time_zone: ZoneInfo) -> str:
        if not self.first_at:
            return ""
        first, last = (
            datetime.fromtimestamp(at, time_zone).isoformat(" ", "seconds")
            for at in (self.first_at, self.last_at)
        )
        return f", {first} to {last}"

    def warnings(self) -> list[str]:
        """What was not as it should be, one line each."""
        lines = [f"warning: {problem}" for problem in self.problems]
        lines += [f"warning: {line}" for line in self.shown_malformed]
        if self.malformed:
            plural = "line" if self.malformed == 1 else "lines"
            lines.append(f"warning: {self.malformed:,} malformed {plural} skipped")
        return lines


def _counts(counts: Counter[str] | dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count:,}" for name, count in ordered if count)
