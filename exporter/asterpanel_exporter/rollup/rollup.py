"""The roll-up of a journal: finds what is due, makes it, and writes what has changed."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.periods import US
from asterpanel_exporter.points.catalogue import QUEUE_CALL
from asterpanel_exporter.points.point import Point, point_of
from asterpanel_exporter.report.journal_reader import JournalReader, open_reader
from asterpanel_exporter.rollup import progress
from asterpanel_exporter.rollup.difference import Difference, difference
from asterpanel_exporter.rollup.half_hours import HALF_HOUR_US, Grid, half_hours
from asterpanel_exporter.rollup.making import make_half_hours
from asterpanel_exporter.rollup.plan import WEEKS
from asterpanel_exporter.rollup.progress import Bookmarks, Overtaken, Touched
from asterpanel_exporter.rollup.reading import Board
from asterpanel_switchboard.config import Config

HALF_HOURS_AT_ONCE: Final = 12
"""Made in one go, at most: for a busy switchboard, a tenth of a second of work."""

MADE_AT_ONCE: Final = 10_000
"""Points made in one go, where one half hour alone has not more of them: some tens of megabytes of memory."""

POINTS_AT_ONCE: Final = 1000
"""Written in one transaction: others who write wait for some milliseconds."""

_PLANNED_AHEAD_US: Final = (WEEKS * 7 * 86400 + 7200) * US
"""So far ahead reaches what the plans of later weeks are made from, a change of the clocks included."""


@dataclass(slots=True)
class Progress:
    """Half hours of switchboards that were made, and points that were new or different."""

    half_hours: int = 0
    points: int = 0


class RollUp:
    """Makes the half hours of the configured switchboards.

    All of it blocks, and is for a thread of its own or a command. It can raise `JournalError` and
    `sqlite3.Error`: what was written by then stays, and the next time goes on from there.

    Args:
        journal: where they are written; it is a file.
        config: switchboards, wrap-up times, targets, and where the points go to.
        wall_clock: our Unix time.

    Attributes:
        progress: what was done so far.
    """

    def __init__(self, journal: Journal, config: Config, wall_clock: Callable[[], float] = time.time) -> None:
        if journal.path is None:
            raise ValueError("a journal in memory has no roll-up")
        self._journal = journal
        self._path: Path = journal.path
        self._config = config
        self._wall_clock = wall_clock
        self._at_once = dict.fromkeys(config.switchboards, 1)
        self.progress = Progress()

    def steps(self) -> Iterator[None]:
        """All that is due now, bit by bit: in between, others may have a turn."""
        yield from self.look()
        yield from self.make()

    def due(self) -> int:
        """How many half hours are due."""
        with open_reader(self._path, lean=True) as reader:
            return progress.due_count(reader, self._config.switchboards)

    # --- what is due --------------------------------------------------------------------------------

    def look(self) -> Iterator[None]:
        """See which half hours are due by new points and by the time that has passed, bit by bit."""
        for source in progress.SOURCES:
            while self._until_undisturbed(lambda: self._look_at(source)):  # noqa: B023 # called at once
                yield
        for switchboard in self._config.switchboards:
            self._until_undisturbed(lambda: self._look_at_time(switchboard))  # noqa: B023
            yield

    def redo(self, switchboard: str, start_us: int) -> int:
        """Have all half hours from a time on made anew, as far as the journal reaches; says how many."""
        return self._until_undisturbed(lambda: self._redo(switchboard, start_us))

    def _until_undisturbed(self, work: Callable[[], int]) -> int:
        while True:
            with suppress(Overtaken):
                return work()

    def _look_at(self, source: str) -> int:
        """Take the next points of a measurement; says how many row ids these are."""
        with open_reader(self._path, lean=True) as reader:
            marks = Bookmarks.read(reader)
            after = marks.seen(source)
            last = progress.next_page(reader, source, after)
            if last == after:
                return 0
            touched = progress.touched(reader, source, after, last)
            calls = progress.first_calls(reader, after, last) if source == QUEUE_CALL.name else []
            earlier = list(_earlier(reader, marks, calls))
        firsts = {progress.first_name(each.switchboard, queue): each.start_us for queue, each in earlier}
        due: dict[str, set[int]] = defaultdict(set)
        for each in (*touched, *(each for _, each in earlier)):
            end_us = each.end_us + self._longest_wrapup_us
            due[each.switchboard].update(self._starts(each.switchboard, each.start_us, end_us))
        longest_us = max([marks.longest_us(source), *(each.end_us - each.start_us for each in touched)])
        news = {source: last, progress.longest_name(source): longest_us} | firsts
        self._write_due(marks.with_(news), due, news)
        return last - after

    def _look_at_time(self, switchboard: str) -> int:
        """What goes on counts up to the last moment known: those half hours grow."""
        with open_reader(self._path, lean=True) as reader:
            marks = Bookmarks.read(reader)
            known_us = reader.open_items(switchboard).known_us
        since_us = marks.known_us(switchboard)
        if known_us is None or known_us == since_us:
            return 0
        start_us = marks.first_us(switchboard) if since_us is None else min(since_us, known_us)
        if start_us is None:  # without a call there is no half hour yet
            return 0
        starts = self._starts(switchboard, start_us, known_us)
        self._write_due(marks, {switchboard: starts}, {progress.known_name(switchboard): known_us})
        return len(starts)

    def _redo(self, switchboard: str, start_us: int) -> int:
        with open_reader(self._path, lean=True) as reader:
            marks = Bookmarks.read(reader)
            last_us = progress.last_moment_us(reader, switchboard)
        first_us = marks.first_us(switchboard)
        if first_us is None or last_us is None:
            return 0
        starts = self._starts(switchboard, max(start_us, first_us), last_us)
        starts = {start for start in starts if start >= marks.deleted_before_us}
        self._write_due(marks, {switchboard: starts}, {})
        return len(starts)

    def _starts(self, switchboard: str, start_us: int, end_us: int) -> set[int]:
        """Of the half hours of a time, both ends included."""
        board = self._config.switchboards.get(switchboard)
        if board is None:
            return set()
        return {half.start_us for half in half_hours(start_us, end_us + 1, board.time_zone)}

    def _write_due(
        self, marks: Bookmarks, due: Mapping[str, Iterable[int]], bookmarks: Mapping[str, int]
    ) -> None:
        """Nothing is due before a first call, and where points were deleted. Raises Overtaken."""
        with self._journal.transaction() as db:
            progress.claim(db, marks.writes)
            progress.set_bookmarks(db, bookmarks)
            for switchboard, starts in due.items():
                first_us = marks.first_us(switchboard)
                if first_us is not None:
                    earliest = max(first_us - HALF_HOUR_US + 1, marks.deleted_before_us)
                    progress.add_due(db, switchboard, (start for start in starts if start >= earliest))

    @property
    def _longest_wrapup_us(self) -> int:
        return round(US * max((rule.wrapup_time or 0.0 for rule in self._config.queue_settings), default=0.0))

    # --- making it ----------------------------------------------------------------------------------

    def make(self) -> Iterator[None]:
        """Make all that is due, of one switchboard after the other in turn, bit by bit."""
        is_done = False
        while not is_done:
            is_done = True
            for switchboard in self._config.switchboards:
                with suppress(Overtaken):  # its half hours are still due
                    for _ in self._make_some(switchboard):
                        is_done = False
                        yield

    def _make_some(self, switchboard: str) -> Iterator[None]:
        """The earliest that are due. Raises Overtaken."""
        zone = self._config.switchboards[switchboard].time_zone
        with open_reader(self._path, lean=True) as reader:
            times = progress.due_times(reader, switchboard, self._at_once[switchboard])
            if not times:
                return
            marks = Bookmarks.read(reader)
            grid, found = _grid(times, zone, self._at_once[switchboard]), Difference()
            if grid.start_us >= marks.deleted_before_us:
                found = self._difference(reader, switchboard, grid, marks)
            else:  # since it was due, some of its points were deleted: it stays as it is
                grid = Grid(grid.halves[:1])
        yield
        yield from self._write(switchboard, grid, marks.writes, found)
        self.progress.half_hours += len(grid.halves)

    def _difference(
        self, reader: JournalReader, switchboard: str, grid: Grid, marks: Bookmarks
    ) -> Difference:
        board = Board(
            switchboard,
            self._config.switchboards[switchboard].time_zone,
            grid,
            reader.open_items(switchboard),
            {source: marks.longest_us(source) for source in progress.SOURCES},
        )
        made = make_half_hours(reader, board, self._config, marks.known_from_us(switchboard))
        points = [point_of(record) for record in made.records]
        self._at_once[switchboard] = _next_at_once(len(grid.halves), len(points))
        return difference(reader, board, points)

    def _write(self, switchboard: str, grid: Grid, writes: int, found: Difference) -> Iterator[None]:
        settings = self._config.switchboards[switchboard]
        tenant = None if self._config.influxdb is None else settings.tenant
        parts = _parts(found.changed)
        for number, part in enumerate(parts, start=1):
            with self._journal.transaction() as db:
                progress.claim(db, writes)
                self._journal.put([(tenant, point) for point in part], self._wall_clock())
                if number == 1:  # once they are written, nothing tells that they have changed
                    progress.add_due(db, switchboard, found.planned_by_them)
                if number == len(parts):
                    self._journal.withdraw([(tenant, point) for point in found.gone], self._wall_clock())
                    progress.remove_due(db, switchboard, grid.start_us, grid.end_us)
            writes += 1
            self.progress.points += len(part)
            yield


def _earlier(
    reader: JournalReader, marks: Bookmarks, calls: Iterable[tuple[str, str, int]]
) -> Iterator[tuple[str, Touched]]:
    """Queues whose first call is an earlier one than was known, and the time for which that counts.

    From there on half hours with members alone are made, and weeks without a call are weeks of the plan.
    """
    last_moment_us = cache(partial(progress.last_moment_us, reader))
    for switchboard, queue, first_us in calls:
        known_us = marks.known_from_us(switchboard).get(queue)
        if known_us is None:
            yield queue, Touched(switchboard, first_us, last_moment_us(switchboard) or first_us)
        elif first_us < known_us:
            yield queue, Touched(switchboard, first_us, known_us + _PLANNED_AHEAD_US)


def _next_at_once(half_hours_made: int, points: int) -> int:
    """How many half hours to make in one go, by those that were made: a board may have 20,000 members."""
    by_size = MADE_AT_ONCE * half_hours_made // max(1, points)
    return max(1, min(HALF_HOURS_AT_ONCE, 2 * half_hours_made, by_size))


def _grid(times_us: Sequence[int], zone: ZoneInfo, at_once: int) -> Grid:
    """The half hours of the first of some moments, and of those that follow soon."""
    soon_us = times_us[0] + at_once * HALF_HOUR_US
    last_us = max(time_us for time_us in times_us if time_us < soon_us)
    return Grid(half_hours(times_us[0], last_us + 1, zone))


def _parts(points: Sequence[Point]) -> list[Sequence[Point]]:
    """At least one, if an empty one."""
    starts = range(0, max(1, len(points)), POINTS_AT_ONCE)
    return [points[start : start + POINTS_AT_ONCE] for start in starts]


def roll_up(config: Config, wall_clock: Callable[[], float] = time.time) -> Progress:
    """Make all that is due in the configuration's journal, and come back when it is done.

    Raises:
        JournalError: there is no journal, or it cannot be used.
        sqlite3.Error: it cannot be written.
    """
    with Journal.open(config.journal.path, create=False) as journal:
        work = RollUp(journal, config, wall_clock)
        for _ in work.steps():
            pass
    return work.progress
