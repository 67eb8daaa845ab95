"""One reader's stream: an iterator over the bytes of server-sent events, for the thread that serves him.

Events (data is one line of JSON; ``id`` of snapshots and patches):

* ``snapshot``: the document of the switchboard as this reader may see it.
* ``patch``: a JSON Merge Patch (RFC 7396) of what he has.
* ``heartbeat``: ``{"up", "as_of", "now", "age_s", "stale"}`` (`boards.Freshness`): every few seconds, after a
  snapshot at once, and whenever ``stale`` changes.
* ``end``: ``{"reason"}``, an `EndReason`; nothing follows.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Protocol

from asterpanel_control_api.live.boards import Freshness
from asterpanel_control_api.live.peer import Peer
from asterpanel_control_api.live.server_sent_events import encode_event
from asterpanel_control_api.live.shared_view import SharedView, Shown, Sight

_log = logging.getLogger(__name__)

RETRY = b"retry: 1000\n\n"
"""Milliseconds after which a browser that was cut off comes back."""

PIECE_BYTES = 64 * 1024
"""A large event goes out in pieces: a slow reader shows that he takes something."""

Check = Callable[[], Sight | None]
"""What a reader may see now; None: nothing any more."""


class EndReason(StrEnum):
    """Why a stream ended. A reader may come back but after RIGHT_ENDED."""

    RECONNECT = "reconnect"
    """It has lived as long as a stream may."""
    RIGHT_ENDED = "right_ended"
    NO_STATE = "no_state"
    """The exporter no longer has this switchboard."""
    SHUTDOWN = "shutdown"
    TOO_SLOW = "too_slow"
    """The reader took nothing for too long: he was cut off, and is not told."""
    CLOSED = "closed"
    """By the reader, who is not told."""
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Limits and paces, in seconds and numbers.

    Attributes:
        heartbeat_s: time between two heartbeats.
        check_s: longest time between two checks of what a reader may see.
        life_s: how long a stream lives before its reader has to come back: as long as Grafana's id tokens.
        write_timeout_s: a reader who takes nothing for so long is cut off.
        max_streams: open at the same time.
        max_streams_per_person: open at the same time.
        linger_s: how long a view without readers is kept up for those who come back.
        shutdown_s: how long the end waits for the streams to end.
    """

    heartbeat_s: float = 5.0
    check_s: float = 2.0
    life_s: float = 600.0
    write_timeout_s: float = 15.0
    max_streams: int = 300
    max_streams_per_person: int = 10
    linger_s: float = 30.0
    shutdown_s: float = 3.0


class Keeper(Protocol):
    """Who keeps the streams; see `asterpanel_control_api.live.subscribers.Subscribers`."""

    @property
    def settings(self) -> StreamSettings: ...
    @property
    def generation(self) -> int: ...
    def freshness(self, switchboard: str) -> Freshness | None: ...
    def move(self, stream: EventStream, sight: Sight) -> SharedView: ...
    def closed(self, stream: EventStream, reason: EndReason) -> None: ...


class EventStream:
    """Iterate over it in one thread, and close it there; the other methods without underscore are for any
    thread.

    Attributes:
        switchboard: whose state it tells.
        person: who reads.
        sight: what he may see.
        view: of that.
        writing_since: when the reader was given what he has not taken yet, by `time.monotonic`; None while
            there is nothing for him.
    """

    def __init__(
        self,
        keeper: Keeper,
        switchboard: str,
        person: str,
        sight: Sight,
        check: Check,
        *,
        generation: int,
        life_s: float,
        last_event_id: str,
        peer: Peer | None,
    ) -> None:
        self.switchboard = switchboard
        self.person = person
        self.sight = sight
        self.view: SharedView
        self.writing_since: float | None = None
        self._keeper = keeper
        self._check = check
        self._peer = peer
        self._last_event_id = last_event_id
        self._told: Shown | None = None
        self._generation = generation
        self._tokens: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._woken = False
        self._end: EndReason | None = None
        self._end_told = False
        self._pieces: list[bytes] = [RETRY]
        now = time.monotonic()
        self._ends_at = now + life_s
        self._check_at = now + keeper.settings.check_s
        self._heartbeat_at = 0.0
        self._told_stale = False

    def __iter__(self) -> EventStream:
        return self

    def __next__(self) -> bytes:
        """What to send next; waits for it. StopIteration: the stream has ended."""
        self.writing_since = None
        if not self._pieces:
            if self._end_told:
                self.close()
                raise StopIteration
            self._pieces = _in_pieces(self._next_events())
        self.writing_since = time.monotonic()
        return self._pieces.pop(0)

    def close(self) -> None:
        """The reader is gone, or has been told all; may be called again."""
        self.writing_since = None
        self._end_told = True
        self._keeper.closed(self, self._end or EndReason.CLOSED)

    def wake(self) -> None:
        """There may be something to tell."""
        if not self._woken:
            self._woken = True
            self._tokens.put(None)

    def end(self, reason: EndReason) -> None:
        """End it, with a last event; the first reason holds."""
        self._end = self._end or reason
        self.wake()

    def cut_off(self) -> None:
        """End it for a reader who takes nothing: nothing could be told to him."""
        self.end(EndReason.TOO_SLOW)
        if self._peer is not None:
            self._peer.cut()

    def look_after(self, now: float) -> None:
        """Cut off a reader who takes nothing, and do not wait for one who has gone."""
        since = self.writing_since
        if since is not None and now - since > self._keeper.settings.write_timeout_s:
            self.cut_off()
        elif self._peer is not None and self._peer.has_gone():
            self.end(EndReason.CLOSED)

    def _next_events(self) -> bytes:
        while True:
            self._sleep()
            now = time.monotonic()
            self._look_at_right(now)
            if self._end is not None:
                self._end_told = True
                return encode_event("end", {"reason": self._end.value})
            view, events = self.view, self._changes() + self._heartbeat(now)
            if events and self._is_still_right(view, now):
                return events
            if not events:
                self._wait(now)

    def _is_still_right(self, view: SharedView, now: float) -> bool:
        """Whether the right to what was just made of a view has not ended before that came about."""
        if self._keeper.generation != self._generation:
            self._look_at_right(now)
        return self._end is None and self.view is view

    def _sleep(self) -> None:
        """Before looking whether there is something to tell: what changes from here on wakes again."""
        with suppress(queue.Empty):
            while True:
                self._tokens.get_nowait()
        self._woken = False  # now, as a token that is taken after it might be one of a change still to come

    def _wait(self, now: float) -> None:
        until = min(self._check_at, self._heartbeat_at, self._ends_at)
        with suppress(queue.Empty):
            self._tokens.get(timeout=max(0.0, until - now))

    def _look_at_right(self, now: float) -> None:
        """Before anything is told: does the reader still have the right to it?"""
        generation = self._keeper.generation
        if now >= self._ends_at:
            self.end(EndReason.RECONNECT)
        elif generation != self._generation or now >= self._check_at:
            self._generation = generation
            self._check_at = now + self._keeper.settings.check_s
            self._take_sight(self._sight_now())
        if self.view.gone:
            self.end(EndReason.NO_STATE)

    def _sight_now(self) -> Sight | None:
        try:
            return self._check()
        except Exception:
            _log.exception("%s: what %s may see cannot be told", self.switchboard, self.person)
            return None

    def _take_sight(self, sight: Sight | None) -> None:
        if sight is None:
            self.end(EndReason.RIGHT_ENDED)
        elif sight.key != self.sight.key:
            self.sight = sight
            self._told = None
            try:
                self.view = self._keeper.move(self, sight)
            except Exception:
                _log.exception("%s: the live state cannot be filtered", self.switchboard)
                self.end(EndReason.INTERNAL)

    def _changes(self) -> bytes:
        shown = self.view.shown
        if self._told is None:
            events = self._beginning()
            self._heartbeat_at = 0.0
            return events
        if shown is None or shown.revision == self._told.revision:
            return b""
        self._told, event = self.view.difference(self._told)
        return event

    def _beginning(self) -> bytes:
        """What he missed, if he was here a moment ago and it is little; else a snapshot."""
        last_event_id, self._last_event_id = self._last_event_id, ""
        if (replay := self.view.replay(last_event_id)) is not None:
            self._told, missed = replay
            return b"".join(missed)
        self._told, event = self.view.snapshot()
        return event

    def _heartbeat(self, now: float) -> bytes:
        fresh = self._keeper.freshness(self.switchboard)
        if fresh is None:
            self.end(EndReason.NO_STATE)
            return b""
        if now < self._heartbeat_at and fresh.stale == self._told_stale:
            return b""
        self._heartbeat_at = now + self._keeper.settings.heartbeat_s
        self._told_stale = fresh.stale
        return encode_event("heartbeat", asdict(fresh))


def _in_pieces(events: bytes) -> list[bytes]:
    return [events[start : start + PIECE_BYTES] for start in range(0, len(events), PIECE_BYTES)]
