"""How much goes into one request, and how long to wait after one that failed. No I/O."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

from asterpanel_exporter.influx.answers import NEEDS_A_PERSON, WriteError
from asterpanel_exporter.journal.journal import Pending

FIRST_PAUSE_S: Final = 1.0
MAX_REQUEST_BYTES: Final = 8_000_000
"""Before compression. InfluxDB 1.x takes 25 MB, InfluxDB 3 10 MB, 2.x any size."""


class Backoff:
    """Pauses after failures: ever longer, and never in step with other exporters.

    Args:
        longest_s: no pause is longer, unless InfluxDB asks for it.
        jitter: from 0 to 1; pauses are between half and the whole of their length.
    """

    def __init__(
        self,
        longest_s: float,
        first_s: float = FIRST_PAUSE_S,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._first_s = min(first_s, longest_s)
        self._longest_s = longest_s
        self._jitter = jitter
        self._next_s = self._first_s

    def pause_s(self, error: WriteError) -> float:
        """How long to wait now. What only a person can mend is not tried often."""
        whole = self._longest_s if error.kind in NEEDS_A_PERSON else self._next_s
        self._next_s = min(2 * whole, self._longest_s)
        pause = whole * (0.5 + 0.5 * self._jitter())
        return pause if error.retry_after_s is None else max(pause, error.retry_after_s)

    def reset(self) -> None:
        """The next failure is a new one."""
        self._next_s = self._first_s


class RequestSize:
    """How many lines and bytes one request may have.

    A server that is slow, or dies of what it gets, is sent less, until it copes; then more again. One that
    says "too large" means it: that limit stays.

    Attributes:
        lines: the number that may be sent now.
    """

    def __init__(self, most_lines: int, most_bytes: int = MAX_REQUEST_BYTES) -> None:
        self._most_lines = most_lines
        self._most_bytes = most_bytes
        self.lines = most_lines

    def cut(self, pending: Sequence[Pending]) -> Sequence[Pending]:
        """As many of the first lines as may go into one request: at least one."""
        size = 0
        for count, line in enumerate(pending[: self.lines]):
            size += len(line.line) + 1
            if count and size > self._most_bytes:
                return pending[:count]
        return pending[: self.lines]

    def too_large(self, sent: Sequence[Pending]) -> None:
        """The server has refused a request with these lines for its size."""
        self._most_bytes = max(1, min(self._most_bytes, sum(len(line.line) + 1 for line in sent) // 2))

    def failed(self) -> None:
        """A request got no answer."""
        self.lines = max(1, self.lines // 2)

    def succeeded(self) -> None:
        self.lines = min(2 * self.lines, self._most_lines)
