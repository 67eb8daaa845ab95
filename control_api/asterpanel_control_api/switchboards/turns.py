"""Taking turns: who changes the same thing at the same time does so one after the other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

MOST_WAITING = 4
"""Who comes when so many wait already is turned away at once: each of them holds a thread of the server."""


class TurnTaken(Exception):
    """Others were first, and are not done."""


class Turns:
    """One at a time for each key, in the order of arrival; different keys do not know of each other.

    Holds within this process: the API runs as one process with many threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[Hashable, deque[threading.Event]] = {}

    @contextmanager
    def turn(self, key: Hashable, timeout_s: float) -> Iterator[None]:
        """Wait for the turn, and have it inside the ``with``.

        Raises:
            TurnTaken: it did not come within that time, or too many wait already.
        """
        mine = self._stand_in_line(key)
        try:
            if not mine.wait(max(timeout_s, 0.0)):
                raise TurnTaken
            yield
        finally:
            self._leave_line(key, mine)

    def _stand_in_line(self, key: Hashable) -> threading.Event:
        mine = threading.Event()
        with self._lock:
            line = self._lines.setdefault(key, deque())
            if len(line) > MOST_WAITING:
                raise TurnTaken
            line.append(mine)
            line[0].set()
        return mine

    def _leave_line(self, key: Hashable, mine: threading.Event) -> None:
        with self._lock:
            line = self._lines[key]
            line.remove(mine)
            if line:
                line[0].set()
            else:
                del self._lines[key]
