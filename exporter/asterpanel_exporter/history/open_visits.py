"""All visits that have no record yet: found by what events say of them, and by when something is due."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import Final

from asterpanel_exporter.history.visit import Ringing, Visit
from asterpanel_switchboard.events import AgentEvent

LOST_S: Final = 12 * 3600.0
"""How long a call is remembered of whose end nothing was told."""


LONGEST_S: Final = 24 * 3600.0
"""No call goes on for longer."""


class OpenVisits:
    """The visits of one switchboard.

    A visit is lost when its end was not seen: it is found all the same if anything more is heard of it.

    Attributes:
        changed: keys of visits that have changed, begun or ended since they were last taken.
    """

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self._visits: dict[str, Visit] = {}
        self._lost: dict[str, Visit] = {}
        self._of_caller: dict[str, list[Visit]] = {}
        self._ringing: dict[str, Visit] = {}
        self._due: list[tuple[float, float, str, int, Visit]] = []
        self._numbers = itertools.count()

    def add(self, visit: Visit) -> None:
        """A visit has begun."""
        self._visits[visit.key] = visit
        self._of_caller.setdefault(visit.uniqueid, []).append(visit)
        for ringing in visit.ringing:
            self._ringing[ringing.dest_uniqueid] = visit
        self.touch(visit)

    def forget(self, visit: Visit) -> None:
        """A visit has its record."""
        self.touch(visit)
        visit.due_at = None
        self._visits.pop(visit.key, None)
        self._lost.pop(visit.key, None)
        of_caller = self._of_caller.get(visit.uniqueid, [])
        if visit in of_caller:
            of_caller.remove(visit)
        if not of_caller:
            self._of_caller.pop(visit.uniqueid, None)
        for ringing in visit.ringing:
            self._ringing.pop(ringing.dest_uniqueid, None)

    def touch(self, visit: Visit) -> None:
        """A visit has changed."""
        self.changed.add(visit.key)

    def open_item(self, key: str) -> str | None:
        """JSON of a visit; None: there is none any more."""
        visit = self._visits.get(key) or self._lost.get(key)
        return None if visit is None else visit.to_json()

    # --- finding ------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Visit]:
        """Those that are not lost, in the order of their joins."""
        return iter(sorted(self._visits.values(), key=lambda visit: (visit.joined_at, visit.key)))

    def by_queue(self) -> Mapping[str, list[Visit]]:
        """Those that are not lost."""
        visits: dict[str, list[Visit]] = defaultdict(list)
        for visit in self._visits.values():
            visits[visit.queue].append(visit)
        return visits

    def of_caller(self, uniqueid: str) -> Sequence[Visit]:
        """All visits of this channel, to any queue, in the order of their joins."""
        return self._of_caller.get(uniqueid, ())

    def find(self, queue: str, uniqueid: str, wanted: Callable[[Visit], bool]) -> Visit | None:
        """The latest such visit of this channel to this queue; one that was lost is lost no more."""
        if not uniqueid:
            return None
        visits = (v for v in reversed(self.of_caller(uniqueid)) if v.queue == queue and not v.told)
        found = next(filter(wanted, visits), None)
        if found is not None and found.key in self._lost:
            self._visits[found.key] = self._lost.pop(found.key)
            found.lost = False
        return found

    def told(self, event: AgentEvent) -> Visit | None:
        """The call that has its record already, and whose AgentComplete this is: without any ids, the oldest
        one of that member."""
        told = self.told_of(event.queue)
        channels = {event.uniqueid, event.dest_uniqueid} - {""}
        if channels:
            return next((v for v in told if channels & {v.uniqueid, v.dest_uniqueid}), None)
        interface = event.interface.casefold()
        of_member = (visit for visit in told if visit.interface.casefold() == interface)
        return min(of_member, key=lambda visit: visit.connected_at or visit.joined_at, default=None)

    def told_of(self, queue: str) -> list[Visit]:
        """The calls of a queue that have their record, and whose AgentComplete may still come."""
        return [visit for visit in self._lost.values() if visit.told and visit.queue == queue]

    # --- ringing ------------------------------------------------------------------------------------

    def add_ringing(self, visit: Visit, ringing: Ringing) -> None:
        """Another phone rings for it."""
        visit.ringing.append(ringing)
        visit.attempts += 1
        self._ringing[ringing.dest_uniqueid] = visit
        self.touch(visit)

    def remove_ringing(self, visit: Visit, ringing: Ringing) -> None:
        """It rings no more."""
        visit.ringing.remove(ringing)
        self._ringing.pop(ringing.dest_uniqueid, None)
        self.touch(visit)

    def with_ringing(self, dest_uniqueid: str) -> tuple[Visit, Ringing] | None:
        """The visit for which this channel of an agent rings, and the attempt."""
        visit = self._ringing.get(dest_uniqueid)
        ringing = None if visit is None else visit.ringing_on(dest_uniqueid, "")
        return None if visit is None or ringing is None else (visit, ringing)

    # --- time ---------------------------------------------------------------------------------------

    def set_due(self, visit: Visit, at: float | None) -> None:
        """Something is to be decided about it then; None: nothing is."""
        visit.due_at = at
        if at is not None:
            heappush(self._due, (at, visit.joined_at, visit.key, next(self._numbers), visit))

    def next_due(self) -> float | None:
        """When `take_due` may have something; None: never, as things are."""
        return self._due[0][0] if self._due else None

    def take_due(self, now: float) -> tuple[Visit, float] | None:
        """The next one that is due, and when it was."""
        while self._due and self._due[0][0] <= now:
            due_at, _, _, _, visit = heappop(self._due)
            if visit.due_at == due_at:
                visit.due_at = None
                return visit, due_at
        return None

    # --- losing -------------------------------------------------------------------------------------

    def lose(self, visit: Visit) -> None:
        """Its end was not seen."""
        visit.lost = True
        visit.due_at = None
        self._visits.pop(visit.key, None)
        self._lost[visit.key] = visit
        self.touch(visit)

    def forget_lost(self, now: float) -> None:
        """Of those lost long ago nothing will be heard any more."""
        for visit in [visit for visit in self._lost.values() if visit.joined_at < now - LOST_S]:
            self.forget(visit)

    def overdue(self, now: float) -> list[Visit]:
        """Those that have gone on for so long that their end must have been missed."""
        return [visit for visit in self._visits.values() if visit.joined_at < now - LONGEST_S]
