"""What all readers with one sight of a switchboard are shown: filtered, compared and encoded once."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from asterpanel_control_api.live.boards import Board, Document
from asterpanel_control_api.live.server_sent_events import encode_event
from asterpanel_switchboard.merge_patch import merge_patch

REPLAY_BYTES = 64 * 1024
"""Of patches that are kept for readers who come back."""


Filter = Callable[[Document], Document]
"""Makes of a document, which it must not change, what may be seen. What is the same as in the document before
is best the same object: it is then not compared."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see of a switchboard.

    Attributes:
        key: sights with the same key show the same.
        new_filter: a filter for one document after the other, which one thread at a time calls.
    """

    key: Hashable
    new_filter: Callable[[], Filter]


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown at one moment; ``revision`` grows with each change."""

    revision: int
    document: Document


class SharedView:
    """What one sight shows of one switchboard.

    Any reader who knows something shown before gets one patch that makes it into what is shown now, however
    many changes there were in between: nothing is queued for anybody.

    Attributes:
        shown: what is to be seen now; None before the first update.
        gone: whether there is nothing to be shown any more.
    """

    def __init__(self, sight: Sight) -> None:
        self.shown: Shown | None = None
        self.gone = False
        self._id = secrets.token_hex(6)
        self._filter = sight.new_filter()
        self._board_revision = -1
        self._lock = threading.Lock()
        self._snapshot: bytes | None = None
        self._differences: dict[int, bytes] = {}
        self._past: deque[tuple[int, bytes]] = deque()
        self._past_bytes = 0

    def update(self, board: Board | None) -> bool:
        """Take notice of a new document; whether what is shown has changed. Raises what the filter does."""
        with self._lock:
            if board is None:
                self.gone, changed = True, not self.gone
                return changed
            if board.revision == self._board_revision:
                return False
            changed = self._update(self._filter(board.document))
            self._board_revision = board.revision
            return changed

    def snapshot(self) -> tuple[Shown, bytes]:
        """What is shown now, and as an event. There must have been an update."""
        with self._lock:
            shown = self._now()
            if self._snapshot is None:
                self._snapshot = encode_event("snapshot", shown.document, self._event_id(shown))
            return shown, self._snapshot

    def difference(self, told: Shown) -> tuple[Shown, bytes]:
        """What is shown now, and the patch to it from what was shown before."""
        with self._lock:
            shown = self._now()
            event = self._differences.get(told.revision)
            if event is None:
                event = self._encode_patch(merge_patch(told.document, shown.document), shown)
                self._differences[told.revision] = event
            return shown, event

    def replay(self, last_event_id: str) -> tuple[Shown, list[bytes]] | None:
        """What is shown now, and the patches after an event that a reader had before he came back; None if
        that is too long ago, or was another view."""
        view, _, text = last_event_id.partition("-")
        if view != self._id or not text.isdecimal() or len(text) > 18:
            return None
        with self._lock:
            shown, known = self._now(), int(text)
            missed = [event for revision, event in self._past if revision > known]
            if known > shown.revision or len(missed) != shown.revision - known:
                return None
            return shown, missed

    def _update(self, document: Document) -> bool:
        if self.shown is None:
            self.shown = Shown(0, document)
            return True
        patch = merge_patch(self.shown.document, document)
        if not patch:
            return False
        self._snapshot = None
        if not patch.keys() - {"as_of"}:
            self.shown = Shown(self.shown.revision, document)
            return False
        before = self.shown
        self.shown = Shown(before.revision + 1, document)
        event = self._encode_patch(patch, self.shown)
        self._differences = {before.revision: event}
        self._keep(self.shown.revision, event)
        return True

    def _encode_patch(self, patch: dict[str, Any], shown: Shown) -> bytes:
        if "as_of" in shown.document:  # always told, because snapshots move it on in silence
            patch["as_of"] = shown.document["as_of"]
        return encode_event("patch", patch, self._event_id(shown))

    def _keep(self, revision: int, event: bytes) -> None:
        self._past.append((revision, event))
        self._past_bytes += len(event)
        while self._past_bytes > REPLAY_BYTES:
            self._past_bytes -= len(self._past.popleft()[1])

    def _event_id(self, shown: Shown) -> str:
        return f"{self._id}-{shown.revision}"

    def _now(self) -> Shown:
        if self.shown is None:
            raise RuntimeError("nothing is shown yet")
        return self.shown
