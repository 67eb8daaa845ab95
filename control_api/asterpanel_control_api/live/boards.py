"""What the exporter last told of each switchboard. One thread writes, any number read.

A document that was given out is never changed: a new one takes its place, and shares with it whatever is the
same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from asterpanel_switchboard.merge_patch import apply_merge_patch, merge_patch

Document = Mapping[str, Any]
"""The live state of one switchboard; its form is the exporter's (``/state``)."""

STALE_AFTER_S = 15.0
"""The exporter tells something every five seconds; a document of which nothing was heard for so long is
stale."""


@dataclass(frozen=True, slots=True)
class Board:
    """One switchboard at one moment.

    Attributes:
        document: not to be changed.
        revision: grows with each change of the document but one of ``as_of`` alone.
        now: what the switchboard's clock showed when it was heard of, in Unix seconds.
        heard_at: when the exporter last told of it, by `time.monotonic`.
        lost: whether the exporter's stream has ended since.
    """

    document: Document
    revision: int
    now: float
    heard_at: float
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old what we know is.

    Attributes:
        up: whether the exporter had the switchboard's state, when it was last heard.
        as_of: when the switchboard last told anything, by its own clock.
        now: what its clock should show now.
        age_s: how long ago the exporter last told of it.
        stale: whether that is too long to rely on, or the exporter's stream has ended since.
    """

    up: bool
    as_of: float
    now: float
    age_s: float
    stale: bool


class Boards:
    """The documents of all switchboards, by name."""

    def __init__(
        self, *, stale_after_s: float = STALE_AFTER_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._stale_after_s = stale_after_s
        self._monotonic = monotonic
        self._boards: Mapping[str, Board] = {}
        self._revisions = 0
        self._changed = threading.Condition()
        self._on_change: list[Callable[[], None]] = []
        self._on_loss: list[Callable[[], None]] = []

    # --- reading, in any thread -----------------------------------------------------------------------

    def names(self) -> tuple[str, ...]:
        """The switchboards that the exporter tells of."""
        return tuple(self._boards)

    def board(self, switchboard: str) -> Board | None:
        """What is known of a switchboard; None: nothing yet, or the exporter has no such switchboard."""
        return self._boards.get(switchboard)

    def document(self, switchboard: str) -> Document | None:
        """Its document, not to be changed; None as in `board`."""
        board = self.board(switchboard)
        return None if board is None else board.document

    def revision(self, switchboard: str) -> int:
        """The revision of its document; 0 if there is none."""
        board = self.board(switchboard)
        return 0 if board is None else board.revision

    def freshness(self, switchboard: str) -> Freshness | None:
        """How old what we know of a switchboard is; None as in `board`."""
        board = self.board(switchboard)
        return None if board is None else self._freshness_of(board)

    def _freshness_of(self, board: Board) -> Freshness:
        age_s = self._age_s(board)
        return Freshness(
            up=bool(board.document.get("up")),
            as_of=float(board.document.get("as_of", 0.0)),
            now=round(board.now + age_s, 3),
            age_s=round(age_s, 3),
            stale=board.lost or age_s > self._stale_after_s,
        )

    def _age_s(self, board: Board) -> float:
        return max(0.0, self._monotonic() - board.heard_at)

    def current(self, switchboard: str) -> Document | None:
        """Its document, if that is how the switchboard is now; None if it is stale, or the exporter does not
        have the switchboard's state."""
        board = self.board(switchboard)
        if board is None:
            return None
        fresh = self._freshness_of(board)
        return board.document if fresh.up and not fresh.stale else None

    def now(self, switchboard: str) -> float:
        """What a switchboard's clock should show now, as exactly as it is known; ours if nothing is known."""
        board = self.board(switchboard)
        return time.time() if board is None else board.now + self._age_s(board)

    def wait_until(self, switchboard: str, predicate: Callable[[Document], bool], timeout_s: float) -> bool:
        """Wait until a document, as in `current`, satisfies a predicate; whether that came true in time.

        The present document counts. Changes that follow each other quickly may be seen as one.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            boards = self._boards
            document = self.current(switchboard)
            if document is not None and predicate(document):
                return True
            if not self._wait_for_others(boards, deadline - time.monotonic()):
                return False

    def _wait_for_others(self, boards: Mapping[str, Board], timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._boards is not boards, max(0.0, timeout_s))

    def on_change(self, callback: Callable[[], None]) -> None:
        """Have a callback called, in the writing thread, after each change; it must be quick."""
        self._on_change.append(callback)

    def on_loss(self, callback: Callable[[], None]) -> None:
        """Have a callback called, in the writing thread, when all has become stale; it must be quick."""
        self._on_loss.append(callback)

    # --- writing, in one thread -----------------------------------------------------------------------

    def replace(self, documents: Mapping[str, Document], now: Mapping[str, float]) -> None:
        """These are all the switchboards there are, with the time that each one's clock shows."""
        heard_at = self._monotonic()
        self._publish(
            {
                name: self._next(name, document, now.get(name, time.time()), heard_at)
                for name, document in documents.items()
            }
        )

    def patch(self, patches: Mapping[str, Document]) -> None:
        """Apply a merge patch for each of some switchboards; unknown ones are left out."""
        heard_at = self._monotonic()
        boards = dict(self._boards)
        for name, patch in patches.items():
            if (board := boards.get(name)) is not None:
                now = board.now + heard_at - board.heard_at
                boards[name] = Board(apply_merge_patch(board.document, patch), self._revise(), now, heard_at)
        self._publish(boards)

    def heartbeat(self, as_of: Mapping[str, float], now: Mapping[str, float]) -> None:
        """Nothing else has changed; this is how far each switchboard has come, and what its clock shows."""
        heard_at = self._monotonic()
        boards = dict(self._boards)
        for name, time_ in now.items():
            if (board := boards.get(name)) is not None:
                document = {**board.document, "as_of": as_of.get(name, board.document.get("as_of", 0.0))}
                boards[name] = replace(board, document=document, now=time_, heard_at=heard_at, lost=False)
        self._boards = boards

    def lost(self) -> None:
        """The exporter's stream has ended: what is known is stale, until there is more to tell."""
        if all(board.lost for board in self._boards.values()):
            return
        with self._changed:
            self._boards = {name: replace(board, lost=True) for name, board in self._boards.items()}
            self._changed.notify_all()
        for callback in self._on_loss:
            callback()

    def _next(self, name: str, document: Document, now: float, heard_at: float) -> Board:
        """After a new snapshot: what is as it was is kept, so that nothing is told twice."""
        board = self._boards.get(name)
        if board is None:
            return Board(document, self._revise(), now, heard_at)
        patch = merge_patch(board.document, document)
        revision = self._revise() if patch.keys() - {"as_of"} else board.revision
        return Board(apply_merge_patch(board.document, patch), revision, now, heard_at)

    def _revise(self) -> int:
        self._revisions += 1
        return self._revisions

    def _publish(self, boards: Mapping[str, Board]) -> None:
        with self._changed:
            self._boards = boards
            self._changed.notify_all()
        for callback in self._on_change:
            callback()
