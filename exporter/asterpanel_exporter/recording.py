"""Recordings of AMI sessions: the raw bytes as received, plain, gzip (`.gz`) or xz (`.xz`)."""

from __future__ import annotations

import gzip
import lzma
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BufferedReader, FileIO
from pathlib import Path

import click

from asterpanel_switchboard.wire import GREETING, FrameSplitter

CHUNK_BYTES = 256 * 1024

MAX_RECORDING_BYTES = 2 * 1024**3
"""Security limit on the unpacked size: a few KB of gzip can unpack to a full disk's worth."""

_GZIP, _XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"


class UnreadableRecording(click.ClickException):
    """A recording that cannot be read; the text names it and says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"recording {'standard input' if name == '-' else name}: {reason}")


def open_recording(name: str) -> Iterator[bytes]:
    """The bytes of a recording, unpacked, in chunks. Whether it is packed is seen by its first bytes.

    Args:
        name: of the file; ``-`` for standard input.

    Raises:
        UnreadableRecording: no such file, damaged, cut off, over `MAX_RECORDING_BYTES`, or empty. What
            could be read before the damage has been yielded by then.
    """
    size = 0
    try:
        with _open(name) as file, _unpacked(file) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                size += len(chunk)
                if size > MAX_RECORDING_BYTES:
                    raise UnreadableRecording(name, f"over {MAX_RECORDING_BYTES // 1024**3} GiB unpacked")
                yield chunk
    except FileNotFoundError:
        raise UnreadableRecording(name, "no such file") from None
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        cut_off = isinstance(error, EOFError) or "end-of-stream" in str(error)
        raise UnreadableRecording(
            name,
            f"{'cut off' if cut_off else 'damaged'} after {size:,} bytes"
            " (a part can be had with `gzip -dc` or `xz -dc`)",
        ) from None
    except OSError as error:
        raise UnreadableRecording(name, error.strerror or str(error)) from None
    if size == 0:
        raise UnreadableRecording(name, "is empty")


def read_recording(name: str) -> bytes:
    """A whole recording in memory; see `open_recording`."""
    return b"".join(open_recording(name))


def _open(name: str) -> BufferedReader:
    if name == "-":
        return BufferedReader(FileIO(sys.stdin.fileno(), closefd=False))
    return Path(name).open("rb")


def _unpacked(file: BufferedReader) -> BufferedReader | gzip.GzipFile | lzma.LZMAFile:
    head = file.peek(len(_XZ))
    if head.startswith(_GZIP):
        return gzip.open(file)
    if head.startswith(_XZ):
        return lzma.open(file)
    return file


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A frame of a recording. ``at``: Unix seconds of the switchboard's clock; of a frame that tells none,
    the time told last before it. ``live``: told to everybody, and not the answer to one client's action."""

    at: float
    live: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording in memory.

    Attributes:
        name: of the file.
        greeting: the AMI version; "" if the recording does not begin with it.
        frames: at least one.
        origin: a time at the beginning, Unix seconds; 0.0 if there is none in it.
        has_times: false if no frame tells its time (``timestampevents = no``); then every ``at`` is 0.
    """

    name: str
    greeting: str
    frames: tuple[TimedFrame, ...]
    origin: float
    has_times: bool

    @property
    def duration_s(self) -> float:
        """From the first frame to the last."""
        return self.frames[-1].at - self.frames[0].at

    @classmethod
    def parse(cls, name: str, data: bytes) -> Recording:
        """Cut the bytes of a recording into frames and give each its time.

        Raises:
            UnreadableRecording: there is no frame in it.
        """
        splitter = FrameSplitter(max(len(data), 1))
        frames = list(filter(None, map(_without_greeting, splitter.feed(data))))
        if not any(frame.startswith((b"Event: ", b"Response: ")) for frame in frames):
            raise UnreadableRecording(name, "holds no manager events (is it a recording of AMI?)")
        told = [_time_of(frame) for frame in frames]
        first = next((time for time in told if time is not None), None)
        last = first or 0.0
        timed = []
        for frame, time in zip(frames, told, strict=True):
            last = max(last, time or 0.0)
            timed.append(TimedFrame(last, _LIVE.match(frame) is not None, frame))
        made = _MADE_AT.search(data) if first is None else None
        origin = float(made[1]) if made else first or 0.0
        return cls(name, splitter.greeting or "", tuple(timed), origin, first is not None)


class TimeShift:
    """Moves every time in a frame by whole seconds, and with them the unique ids that begin with one.

    Times are told apart from other numbers by being near the recording's own.

    Args:
        seconds: to add.
        near: a time in the recording, Unix seconds.
        suffix: added to the unique ids that hold no time (given by a client's ``ChannelId``), so that they
            too differ from one round to the next.
    """

    NEAR_S = 366 * 86400

    def __init__(self, seconds: int, near: float, suffix: str = "") -> None:
        self.seconds = seconds
        self._low, self._high = near - self.NEAR_S, near + self.NEAR_S
        self._suffix = suffix.encode()

    def apply(self, frame: bytes) -> bytes:
        """The frame, shifted; all other bytes as they were."""
        shifted = _TIME.sub(self._epoch, frame)
        if b"TV: " in shifted:
            shifted = _ISO_TIME.sub(self._iso, shifted)
        return _OTHER_ID.sub(rb"\g<0>" + self._suffix, shifted) if self._suffix else shifted

    def _epoch(self, match: re.Match[bytes]) -> bytes:
        header, seconds, fraction = match.groups(b"")
        if not (header or fraction) or not self._low < int(seconds) < self._high:
            return match[0]
        return b"%s%d%s" % (header, int(seconds) + self.seconds, fraction)

    def _iso(self, match: re.Match[bytes]) -> bytes:
        time = datetime.fromisoformat(match[2].decode()) + timedelta(seconds=self.seconds)
        return match[1] + time.isoformat().encode() + match[3]


_LIVE = re.compile(rb"Event: (?!FullyBooted\r\n(?![^\0]*\r\nTimestamp: ))[^\r]*\r\nPrivilege: ")
"""List items have no Privilege; the FullyBooted of a login, sent to one client alone, has no Timestamp."""

_TIMESTAMP = re.compile(rb"\r\nTimestamp: (\d{9,10}(?:\.\d+)?)(?:\r\n|$)")
_TIME = re.compile(
    rb"((?:LastCall|LastPause|LoginTime|LoggedInTime|CallStarted): )?"
    rb"(?<![\d.])(\d{9,10})(\.\d{1,9})?(?![\d.])"
)
"""Seconds with a fraction: a time stamp, or a unique id (time of its making, a dot, a number)."""

_MADE_AT = re.compile(rb"\r\nUniqueid: (?:[^\r]*-)?(\d{9,10})\.\d")
_OTHER_ID = re.compile(rb"(?:(?<!Bridge)Uniqueid|uniqueid|Linkedid): (?!\r|[^\r]*\d{9,10}\.\d+\r?)[^\r]+")
_ISO_TIME = re.compile(rb"((?:Event|Session)TV: )(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.)")


def _time_of(frame: bytes) -> float | None:
    found = _TIMESTAMP.search(frame)
    return float(found[1]) if found else None


def _without_greeting(frame: bytes) -> bytes:
    """A recording can hold several connections, one behind the other, each with its greeting."""
    frame = frame.lstrip(b"\r\n")
    return frame.partition(b"\r\n")[2] if frame.startswith(GREETING) else frame
