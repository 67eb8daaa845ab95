"""All open streams of the live state, and the one thread that works out what is new for them.

Each stream is served by a thread of the web server's, which waits for its own reader. What readers of the
same sight see is filtered, compared and encoded once (`shared_view`).
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.live.boards import Boards, Freshness
from asterpanel_control_api.live.event_stream import Check, EndReason, EventStream, StreamSettings
from asterpanel_control_api.live.peer import Peer
from asterpanel_control_api.live.shared_view import SharedView, Sight

_log = logging.getLogger(__name__)

MAX_SHARE = 0.5
"""Of one processor that filtering may take; above that patches come more seldom."""

LONGEST_PAUSE_S = 5.0
LOOK_S = 1.0
"""How often readers are looked for who take nothing, or have gone."""

_Key = tuple[str, Hashable]
"""A switchboard, and the key of a sight."""


@dataclass(slots=True)
class _Group:
    """The readers of one view; ``idle_since``: when the last one left, by `time.monotonic`."""

    switchboard: str
    view: SharedView
    streams: set[EventStream] = field(default_factory=set)
    idle_since: float | None = None


class Subscribers:
    """Open streams.

    Args:
        boards: whose documents they tell.
        settings: limits and paces.
        jitter: from 0 to 1, for the lives of streams, so that not all of them come back at once.

    Attributes:
        generation: moves on when everybody's rights are to be looked at again.
        ended: streams that have ended, by reason.
    """

    def __init__(
        self,
        boards: Boards,
        settings: StreamSettings | None = None,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings or StreamSettings()
        self.generation = 0
        self.ended: Counter[EndReason] = Counter()
        self._boards = boards
        self._jitter = jitter
        self._groups: dict[_Key, _Group] = {}
        self._streams: dict[EventStream, _Group] = {}
        self._by_person: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._all_closed = threading.Condition(self._lock)
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        boards.on_change(self._changed.set)
        boards.on_loss(self._wake_all)

    def start(self) -> None:
        """Begin. Not before a fork."""
        self._thread = threading.Thread(target=self._run, name="stream-updates", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no new streams, end all and wait a little for them to end. Not for a signal handler."""
        self._closing.set()
        self._changed.set()
        for stream in self.streams():
            stream.end(EndReason.SHUTDOWN)
        with self._all_closed:
            if not self._all_closed.wait_for(lambda: not self._streams, self.settings.shutdown_s):
                _log.warning("%d streams did not end in time", len(self._streams))
        if self._thread is not None:
            self._thread.join(self.settings.shutdown_s)

    def recheck(self) -> None:
        """Look at everybody's rights before anything more is told: profiles or tokens have changed."""
        with self._lock:
            self.generation += 1
        self._wake_all()

    def _wake_all(self) -> None:
        for stream in self.streams():
            stream.wake()

    # --- one stream -----------------------------------------------------------------------------------

    def subscribe(
        self,
        switchboard: str,
        person: str,
        check: Check,
        *,
        last_event_id: str = "",
        peer: Peer | None = None,
        until: float = math.inf,
    ) -> EventStream:
        """A new stream. Whoever gets it must close it, even if he never iterates over it.

        Args:
            switchboard: whose state.
            person: who reads; each one may have so many streams.
            check: what he may see; called now, every few seconds, and after `recheck`.
            last_event_id: of the last event that he had, if he comes back.
            peer: his connection, so that a thread that waits for him to take something can be freed.
            until: Unix time at which he has to come again, with a new proof of who he is.

        Raises:
            ApiError: FORBIDDEN, NO_STATE, TOO_MANY_REQUESTS or TOO_MANY_STREAMS.
        """
        generation = self.generation  # before the check: a later one is to come if this moves on
        sight = check()
        if sight is None:
            raise ApiError(ErrorId.FORBIDDEN, "there is nothing here that you may see")
        if self._boards.board(switchboard) is None:
            raise ApiError(
                ErrorId.NO_STATE, "the exporter has told nothing of this switchboard yet; try again soon"
            )
        life_s = min(self.settings.life_s * (1 - 0.2 * self._jitter()), until - time.time())
        stream = EventStream(
            self, switchboard, person, sight, check,
            generation=generation, life_s=life_s, last_event_id=last_event_id, peer=peer,
        )  # fmt: skip
        self._add(stream)
        return stream

    def _add(self, stream: EventStream) -> None:
        with self._lock:
            self._check_limits(stream.person)
            group = self._join(stream, stream.sight)
            stream.view = group.view
            self._by_person[stream.person] += 1
        try:
            self._update(group)
        except BaseException:
            stream.close()
            raise

    def _check_limits(self, person: str) -> None:
        if self._closing.is_set():
            raise ApiError(ErrorId.TOO_MANY_STREAMS, "the control API is being stopped")
        if self._by_person[person] >= self.settings.max_streams_per_person:
            raise ApiError(
                ErrorId.TOO_MANY_REQUESTS,
                f"you have {self._by_person[person]} streams open, which is the limit; close one",
            )
        if len(self._streams) >= self.settings.max_streams:
            raise ApiError(ErrorId.TOO_MANY_STREAMS, "no further stream is possible now; try again soon")

    def move(self, stream: EventStream, sight: Sight) -> SharedView:
        """A stream's reader may see something else now: the view of that."""
        with self._lock:
            self._leave(stream)
            group = self._join(stream, sight)
        self._update(group)
        return group.view

    def closed(self, stream: EventStream, reason: EndReason) -> None:
        """A stream has ended."""
        with self._lock:
            if stream not in self._streams:
                return
            self._leave(stream)
            self.ended[reason] += 1
            self._by_person[stream.person] -= 1
            if not self._by_person[stream.person]:
                del self._by_person[stream.person]
            if not self._streams:
                self._all_closed.notify_all()

    def _join(self, stream: EventStream, sight: Sight) -> _Group:
        key = (stream.switchboard, sight.key)
        group = self._groups.get(key)
        if group is None or group.view.gone:
            group = self._groups[key] = _Group(stream.switchboard, SharedView(sight))
        group.streams.add(stream)
        group.idle_since = None
        self._streams[stream] = group
        return group

    def _leave(self, stream: EventStream) -> None:
        group = self._streams.pop(stream)
        group.streams.discard(stream)
        if not group.streams:
            group.idle_since = time.monotonic()

    # --- what is open ---------------------------------------------------------------------------------

    def streams(self) -> list[EventStream]:
        """Those that are open."""
        with self._lock:
            return list(self._streams)

    def freshness(self, switchboard: str) -> Freshness | None:
        """How old what we know of a switchboard is."""
        return self._boards.freshness(switchboard)

    # --- the thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        look_at = 0.0
        while not self._closing.is_set():
            self._changed.wait(LOOK_S)
            if self._changed.is_set():
                self._changed.clear()
                started = time.thread_time()
                self._update_all()
                spent_s = time.thread_time() - started
                self._closing.wait(min(LONGEST_PAUSE_S, spent_s * (1 / MAX_SHARE - 1)))
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + LOOK_S
                self._look_after()

    def _update_all(self) -> None:
        with self._lock:
            groups = list(self._groups.values())
        for group in groups:
            try:
                self._update(group)
            except Exception:
                _log.exception("%s: the live state cannot be filtered; its streams end", group.switchboard)
                self._give_up(group)

    def _update(self, group: _Group) -> None:
        """Let all its readers know if there is anything new: only the first one to look is told so."""
        if group.view.update(self._boards.board(group.switchboard)):
            self._tell(group, EventStream.wake)

    def _give_up(self, group: _Group) -> None:
        """End the streams; who comes again gets another view."""
        with self._lock:
            for key, other in list(self._groups.items()):
                if other is group:
                    del self._groups[key]
        self._tell(group, lambda stream: stream.end(EndReason.INTERNAL))

    def _tell(self, group: _Group, what: Callable[[EventStream], None]) -> None:
        with self._lock:
            streams = list(group.streams)
        for stream in streams:
            what(stream)

    def _look_after(self) -> None:
        """Look whether readers still read, and forget views that nobody came back for."""
        now = time.monotonic()
        for stream in self.streams():
            stream.look_after(now)
        with self._lock:
            for key, group in list(self._groups.items()):
                idle_s = 0.0 if group.idle_since is None else now - group.idle_since
                if idle_s > self.settings.linger_s:
                    del self._groups[key]
