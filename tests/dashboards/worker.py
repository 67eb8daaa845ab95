"""An agent of the generated month: when he can take a call."""

from __future__ import annotations

import math
from bisect import bisect_right

from asterpanel_exporter.history.records import AgentPause
from tests.dashboards.call_centre import AgentProfile


class Worker:
    """When he works, when he pauses, and since when he is free."""

    def __init__(self, profile: AgentProfile, shifts: list[tuple[float, float]]) -> None:
        self.profile = profile
        self.shifts = shifts
        self.pauses: list[AgentPause] = []
        self.free_at = 0.0
        self._starts = [start for start, _ in shifts]
        self._pause_starts: list[float] = []

    def plan(self, pauses: list[AgentPause]) -> None:
        """His pauses, in their order."""
        self.pauses = pauses
        self._pause_starts = [pause.started_at for pause in pauses]

    def add(self, pause: AgentPause) -> None:
        """One more."""
        place = bisect_right(self._pause_starts, pause.started_at)
        self.pauses.insert(place, pause)
        self._pause_starts.insert(place, pause.started_at)

    def room_for_pause(self, at: float) -> float:
        """Seconds from a time on until he goes on a pause anyway, or goes home."""
        place = bisect_right(self._pause_starts, at)
        following = self._pause_starts[place] if place < len(self.pauses) else math.inf
        return min(following, self._end_of_shift(at)) - at

    def _end_of_shift(self, at: float) -> float:
        place = bisect_right(self._starts, at) - 1
        return self.shifts[place][1] if place >= 0 else -math.inf

    def available_from(self, at: float) -> float:
        """The first time from then on at which he can take a call; infinity: never again."""
        at = max(at, self.free_at)
        while True:
            pause = bisect_right(self._pause_starts, at) - 1
            ends_at = self.pauses[pause].started_at + self.pauses[pause].duration_s if pause >= 0 else 0.0
            if at < ends_at:
                at = ends_at
            elif at < self._end_of_shift(at):
                return at
            else:
                following = bisect_right(self._starts, at)
                if following == len(self._starts):
                    return math.inf
                at = self._starts[following]
