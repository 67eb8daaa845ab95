"""From the bytes of one AMI connection to typed events and raw responses, with a count of what was wrong.

Used alike by a live session and by a replay. Nothing that a server sends can raise here.
"""

from __future__ import annotations

import logging
from collections import Counter
from enum import StrEnum

from asterpanel_switchboard.decoding import MalformedEvent
from asterpanel_switchboard.decoding import decode as decode_event
from asterpanel_switchboard.events import Event
from asterpanel_switchboard.wire import MAX_FRAME_BYTES, FrameSplitter, decode

_log = logging.getLogger(__name__)

_EXCERPT = 200
_MOST_NAMES = 40


class WireError(StrEnum):
    """What can be wrong with a frame."""

    MALFORMED = "malformed"
    OVERSIZED = "oversized"
    GARBAGE = "garbage"
    TRUNCATED = "truncated"


class Intake:
    """Everything that arrives on one connection.

    Args:
        switchboard: its name, for the log.
        counts: where errors are added up, so that they outlive this connection; each kind is logged once
            for one ``counts``.

    Attributes:
        bytes: bytes received.
        frames: frames received, needed or not.
        greeting: AMI version that the server greeted with; None before that, or if it greeted otherwise.
    """

    def __init__(
        self,
        switchboard: str,
        counts: Counter[WireError] | None = None,
        max_frame_bytes: int = MAX_FRAME_BYTES,
    ) -> None:
        self.bytes = 0
        self.frames = 0
        self.counts: Counter[WireError] = Counter() if counts is None else counts
        self._switchboard = switchboard
        self._splitter = FrameSplitter(max_frame_bytes)
        self._oversized = 0

    @property
    def greeting(self) -> str | None:
        """AMI version in the server's greeting, e.g. ``11.0.0`` of Asterisk 22."""
        return self._splitter.greeting

    def feed(self, data: bytes) -> tuple[list[Event], list[bytes]]:
        """Typed events and ``Response:`` frames that these bytes complete, each in order."""
        self.bytes += len(data)
        frames = self._splitter.feed(data)
        self.frames += len(frames)
        events: list[Event] = []
        responses: list[bytes] = []
        for frame in frames:
            try:
                event = decode_event(frame)
            except MalformedEvent as error:
                self._count(WireError.MALFORMED, str(error), frame)
                continue
            if event is not None:
                events.append(event)
            elif not frame.startswith(b"Event: "):
                self._no_event(frame, responses)
        if self._splitter.oversized != self._oversized:
            self._oversized, before = self._splitter.oversized, self._oversized
            self._count(WireError.OVERSIZED, "frame over the size limit", b"", self._oversized - before)
        return events, responses

    def end(self) -> None:
        """The stream has ended: a frame that had begun is lost."""
        if self._splitter.pending_bytes:
            self._count(WireError.TRUNCATED, "the stream ended inside a frame", b"")

    def _no_event(self, frame: bytes, responses: list[bytes]) -> None:
        stripped = frame.lstrip(b"\r\n")
        if stripped.startswith(b"Response: "):
            responses.append(stripped)
        elif stripped and not stripped.startswith(b"Event: "):
            self._count(WireError.GARBAGE, "neither event nor response", frame)

    def _count(self, kind: WireError, what: str, frame: bytes, times: int = 1) -> None:
        level = logging.DEBUG if self.counts[kind] else logging.WARNING
        self.counts[kind] += times
        if level == logging.WARNING:
            _log.warning(
                "%s: %s AMI data skipped: %s (further ones are only counted)", self._switchboard, kind, what
            )
        elif frame and _log.isEnabledFor(logging.DEBUG):
            # Values stay out of the log: they may be a caller's number or name.
            names = [line.partition(b":")[0] for line in frame.split(b"\r\n")[:_MOST_NAMES]]
            _log.debug("%s: %s: %s: %s", self._switchboard, kind, what, decode(b" ".join(names))[:_EXCERPT])
