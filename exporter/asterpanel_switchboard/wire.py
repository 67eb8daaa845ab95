"""AMI on the wire: bytes in, frames and headers out. No I/O, no clock, no meaning of events.

AMI is lines ending in CR LF; a blank line ends a frame (Asterisk, ``main/manager.c``,
``astman_append`` and ``__manager_event_sessions_va``). Facts of real servers that shape this module:

* the greeting is one line without a blank line behind it;
* a frame can be preceded by a stray CR LF (after ``QueueRule``) and a value can end in a bare LF;
* bytes are passed raw: a caller's name may be latin-1 or broken UTF-8, and a character may be cut by
  the end of a TCP read, so bytes are framed first and decoded afterwards;
* ``CallerIDNum`` is not escaped: a number with CR LF in it *injects header lines*.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

MAX_FRAME_BYTES = 128 * 1024
"""Security limit: a longer frame is skipped and counted. The largest real ones stay below 4 KB."""

GREETING = b"Asterisk Call Manager/"

_END_OF_FRAME = b"\r\n\r\n"


def _latin1_for_invalid_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("asterpanel-latin-1", _latin1_for_invalid_bytes)


TEXT = ("utf-8", "asterpanel-latin-1")
"""Encoding and error handler of everything that AMI sends (after framing): UTF-8, and each byte that is not
valid UTF-8 read as latin-1. Nothing is lost and the text stays readable: ``b"Zo\\xe9"`` is "Zoé" too."""


def decode(data: bytes) -> str:
    """Text of bytes that AMI sent."""
    return data.decode(*TEXT)


class FrameSplitter:
    """Cuts a byte stream into AMI frames, whatever the sizes of the reads.

    Attributes:
        greeting: what followed ``Asterisk Call Manager/`` in the first line (the AMI version), or None
            as long as none was seen.
        oversized: frames skipped because they were longer than ``max_frame_bytes``.
    """

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self.greeting: str | None = None
        self.oversized = 0
        self._max = max_frame_bytes
        self._rest = b""
        self._at_start = True
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the frames that they complete, without their blank line."""
        data = self._rest + data if self._rest else data
        if self._at_start:
            data = self._take_greeting(data)
            if self._at_start:
                self._rest = data
                return []
        frames = data.split(_END_OF_FRAME)
        rest = frames.pop()
        if self._skipping and frames:
            self._skipping = False
            del frames[0]
        if len(rest) >= self._max + len(_END_OF_FRAME):  # it may end in a part of the blank line
            if not self._skipping:
                self._skipping = True
                self.oversized += 1
            rest = rest[-(len(_END_OF_FRAME) - 1) :]
        self._rest = rest
        if frames and max(map(len, frames)) > self._max:
            kept = [frame for frame in frames if len(frame) <= self._max]
            self.oversized += len(frames) - len(kept)
            return kept
        return frames

    @property
    def pending_bytes(self) -> int:
        """Bytes of a frame that has not ended yet. Above 0 at the end of a stream: it was cut off."""
        return len(self._rest)

    def _take_greeting(self, data: bytes) -> bytes:
        head = data[: len(GREETING)]
        if head != GREETING[: len(head)]:
            self._at_start = False
            return data
        line, newline, rest = data.partition(b"\r\n")
        if newline and len(line) <= self._max:
            self._at_start = False
            self.greeting = decode(line[len(GREETING) :]).strip()
            return rest
        if newline or len(data) > self._max + 1:
            self._at_start = False
        return data


def event_name(frame: bytes) -> bytes | None:
    """Name in the ``Event:`` header, which Asterisk always sends first, or None for any other frame."""
    if frame.startswith(b"Event: "):
        end = frame.find(b"\r", 7)
        return frame[7:end] if end > 0 else frame[7:]
    if frame.startswith(b"\r\n"):
        return event_name(frame.lstrip(b"\r\n"))
    return None


def header_pattern(names: Iterable[bytes]) -> re.Pattern[bytes]:
    """What finds these headers in a frame (any but its first line), as ``(name, value)`` pairs.

    All other lines are passed over unread. A value ends at a CR; a bare LF belongs to it.
    """
    return re.compile(rb"\r\n(" + b"|".join(map(re.escape, sorted(names))) + rb"): ([^\r]*)")


def frames_of(data: bytes) -> Iterator[bytes]:
    """Frames of a whole recording held in memory."""
    yield from FrameSplitter(max(len(data), 1)).feed(data)
