"""The live state as server-sent events: a snapshot, then patches, for any number of readers.

Events (data is one line of JSON):

* ``snapshot``: ``{"switchboards": {name: document}, "now": {name: time}}``; replaces all that was known.
* ``patch``: ``{"switchboards": {name: JSON Merge Patch}}`` (RFC 7396); each holds the new ``as_of``.
* ``heartbeat``: ``{"as_of": {name: time}, "up": {name: bool}, "now": {name: time}}``.

Times are Unix seconds of the switchboard's own clock. ``as_of`` is when it last told anything, ``now``
what its clock shows; while it is up, timers count up to ``now``. A document's ``as_of`` alone is no change:
heartbeats tell it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.web.answers import encode, encode_mapping
from asterpanel_switchboard.merge_patch import Document, merge_patch

_log = logging.getLogger(__name__)

_MAX_SHARE = 0.2
"""Of the event loop's time that rendering may take; above that patches come more seldom."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Limits and paces, in seconds and numbers.

    Attributes:
        interval_s: least time between two patches.
        heartbeat_s: time between two heartbeats.
        backlog: events kept for a reader who is slow; with more he gets a snapshot in their place.
        max_streams: streams open at the same time.
        write_timeout_s: a reader who takes nothing for so long is dropped.
    """

    interval_s: float = 0.1
    heartbeat_s: float = 5.0
    backlog: int = 64
    max_streams: int = 200
    write_timeout_s: float = 15.0


class TooManyStreams(Exception):
    """No further stream is allowed."""


class Reader:
    """One stream's end of the broadcaster. ``wanted``: names of switchboards, sorted.

    A reader begins `behind`: the next thing for him is a snapshot, made when he asks for it. He is behind
    again when his backlog is full.
    """

    def __init__(self, wanted: tuple[str, ...], backlog: int) -> None:
        self.wanted = wanted
        self.behind = True
        self._waiting = False
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(backlog)

    @property
    def wants_snapshot(self) -> bool:
        """Whether a snapshot would be read at once."""
        return self.behind and self._waiting

    async def next(self) -> bytes | None:
        """The next event, encoded; None at the end of the stream."""
        self._waiting = True
        try:
            return await self._queue.get()
        finally:
            self._waiting = False

    def offer(self, event: bytes) -> None:
        """A patch or heartbeat, worth something only to a reader who is not behind."""
        if self.behind:
            return
        if self._queue.full():
            self.behind = True
            self._drop_backlog()
        else:
            self._queue.put_nowait(event)

    def restart(self, snapshot: bytes) -> None:
        """Begin again from a snapshot."""
        self.behind = False
        self._queue.put_nowait(snapshot)

    def end(self) -> None:
        """End the stream."""
        self.behind = True
        self._drop_backlog()
        self._queue.put_nowait(None)

    def _drop_backlog(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()


@dataclass(slots=True)
class _Rendered:
    """What the readers of a switchboard have been told, and its encoded form once somebody needed it."""

    revision: tuple[int, int]
    document: Document
    encoded: bytes | None = None


class Broadcaster:
    """Renders each wanted switchboard once for all streams. Without streams it does nothing.

    Attributes:
        renderings: documents rendered so far.
    """

    def __init__(
        self,
        switchboards: Mapping[str, LiveSwitchboard],
        wall_clock: Callable[[], float],
        settings: StreamSettings,
    ) -> None:
        self.settings = settings
        self.renderings = 0
        self._switchboards = switchboards
        self._wall_clock = wall_clock
        self._readers: set[Reader] = set()
        self._rendered: dict[str, _Rendered] = {}
        self._task: asyncio.Task[None] | None = None
        self._event_id = 0
        self._closed = False

    @property
    def streams(self) -> int:
        """Streams open now."""
        return len(self._readers)

    @property
    def running(self) -> bool:
        """Whether there is anything to do."""
        return self._task is not None and not self._task.done()

    def subscribe(self, wanted: Iterable[str]) -> Reader:
        """A new reader of these switchboards; he must be given back to `unsubscribe`.

        Raises:
            TooManyStreams: the limit is reached, or the server is shutting down.
        """
        if self._closed or len(self._readers) >= self.settings.max_streams:
            raise TooManyStreams
        reader = Reader(tuple(sorted(set(wanted))), self.settings.backlog)
        self._readers.add(reader)
        if not self.running:
            self._task = asyncio.create_task(self._run(), name="state broadcaster")
        return reader

    def unsubscribe(self, reader: Reader) -> None:
        """The stream has ended."""
        self._readers.discard(reader)

    async def close(self) -> None:
        """End all streams, and take no new ones."""
        self._closed = True
        self._end_all()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _end_all(self) -> None:
        for reader in self._readers:
            reader.end()
        self._readers.clear()

    async def _run(self) -> None:
        try:
            await self._broadcast()
        except Exception:
            _log.exception("streams of the state end by an error of ours; their readers may come again")
            self._end_all()
        finally:
            self._rendered.clear()

    async def _broadcast(self) -> None:
        loop = asyncio.get_running_loop()
        heartbeat_at = loop.time() + self.settings.heartbeat_s
        while self._readers:
            groups = self._groups()
            spent_s = await self._tell_changes(groups)
            if loop.time() >= heartbeat_at:
                heartbeat_at = loop.time() + self.settings.heartbeat_s
                self._tell_heartbeat(groups)
            await self._give_snapshots(groups)
            await asyncio.sleep(max(self.settings.interval_s, spent_s / _MAX_SHARE))

    def _groups(self) -> dict[tuple[str, ...], list[Reader]]:
        """Readers by what they want: each group's events are encoded once."""
        groups: dict[tuple[str, ...], list[Reader]] = {}
        for reader in self._readers:
            groups.setdefault(reader.wanted, []).append(reader)
        return groups

    async def _tell_changes(self, groups: Mapping[tuple[str, ...], list[Reader]]) -> float:
        """Send patches of what has changed; returns the time that rendering took."""
        wanted = sorted({name for names in groups for name in names})
        self._rendered = {name: self._rendered[name] for name in wanted if name in self._rendered}
        patches: dict[str, bytes] = {}
        spent_s = 0.0
        for name in wanted:
            begun = time.perf_counter()
            changed, patch = self._update(name)
            if patch:
                patches[name] = encode(patch)
            if changed:
                spent_s += time.perf_counter() - begun
                await asyncio.sleep(0)  # let events be handled between two switchboards
        self._event_id += bool(patches)
        for names, readers in groups.items():
            changes = [(name, patches[name]) for name in names if name in patches]
            if changes:
                event = self._event("patch", [("switchboards", encode_mapping(changes))])
                for reader in readers:
                    reader.offer(event)
        return spent_s

    def _update(self, name: str) -> tuple[bool, Document]:
        """Render a switchboard if it may have changed: (whether it was rendered, patch for its readers)."""
        live = self._switchboards[name]
        ours = self._wall_clock()
        live.advance(ours)
        before = self._rendered.get(name)
        if before is not None and before.revision == live.revision:
            return False, {}
        document = live.document(ours)
        self.renderings += 1
        self._rendered[name] = _Rendered(live.revision, document)
        if before is None:
            return True, {}
        patch = merge_patch(before.document, document)
        if not patch.keys() - {"as_of"}:
            return True, {}
        # Always told, because snapshots move it on in silence (see `_encoded`).
        patch["as_of"] = document["as_of"]
        return True, patch

    def _tell_heartbeat(self, groups: Mapping[tuple[str, ...], list[Reader]]) -> None:
        for names, readers in groups.items():
            event = self._event(
                "heartbeat",
                [
                    ("as_of", encode({name: self._as_of(name) for name in names})),
                    ("up", encode({name: self._rendered[name].document["up"] for name in names})),
                    ("now", encode(self._now(names))),
                ],
            )
            for reader in readers:
                reader.offer(event)

    async def _give_snapshots(self, groups: Mapping[tuple[str, ...], list[Reader]]) -> None:
        for names, readers in groups.items():
            ready = [reader for reader in readers if reader.wants_snapshot]
            if not ready:
                continue
            encoded = []
            for name in names:
                encoded.append((name, self._encoded(name)))
                await asyncio.sleep(0)
            documents = encode_mapping(encoded)
            event = self._event("snapshot", [("switchboards", documents), ("now", encode(self._now(names)))])
            for reader in ready:
                reader.restart(event)

    def _encoded(self, name: str) -> bytes:
        """What readers know of a switchboard, with the present ``as_of``."""
        rendered = self._rendered[name]
        as_of = self._as_of(name)
        if rendered.document["as_of"] != as_of:
            rendered.document = {**rendered.document, "as_of": as_of}
            rendered.encoded = None
        if rendered.encoded is None:
            rendered.encoded = encode(rendered.document)
        return rendered.encoded

    def _as_of(self, name: str) -> float:
        return round(self._switchboards[name].state.as_of, 6)

    def _now(self, names: Iterable[str]) -> dict[str, float]:
        ours = self._wall_clock()
        return {name: round(self._switchboards[name].clock.now(ours), 3) for name in names}

    def _event(self, kind: str, members: list[tuple[str, bytes]]) -> bytes:
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (
            self._event_id,
            kind.encode(),
            encode_mapping(members),
        )
