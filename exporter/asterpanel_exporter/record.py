"""Captures what a switchboard sends to the exporter, as a file that `replay` and `play` can read.

The connection is the exporter's own (same user, same filter, same requests), so a recording begins with the
list of everything and a replay of it is what the exporter saw. Only what was received is written, never what
was sent: no secret is in it.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import click

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.masking import Masking
from asterpanel_exporter.supervisor import Watch
from asterpanel_switchboard.config import Config
from asterpanel_switchboard.session import DisconnectReason, SessionState
from asterpanel_switchboard.wire import GREETING, FrameSplitter

FLUSH_EVERY_S = 5.0
"""So much at most is lost if this process is killed."""

SHOW_EVERY_S = 1.0

MAX_FRAME_BYTES = 16 * 1024 * 1024
"""Far over what the exporter accepts: what it refuses is just what a bug report is about."""


class RecordingFailed(click.ClickException):
    """The recording could not be made; the text says why."""


class RecordingFile:
    """Where a recording goes. It has its name only once it is complete; until then it ends in ``.part``.

    Args:
        path: packed with gzip if it ends in ``.gz``.

    Raises:
        RecordingFailed: there is such a file, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(f"{path.name}.part")
        if path.exists():
            raise RecordingFailed(f"{path} exists already")
        try:
            # Callers' numbers are in it: for its owner alone.
            descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise RecordingFailed(f"cannot write {self._part}: {error.strerror or error}") from error
        self._raw = os.fdopen(descriptor, "wb")
        self._file: BinaryIO = self._raw
        if path.suffix == ".gz":
            self._file = cast(BinaryIO, gzip.GzipFile(path.name, "wb", fileobj=self._raw))

    def write(self, data: bytes) -> None:
        """Add bytes. Raises `OSError`, as when the disk is full."""
        self._file.write(data)

    def flush(self) -> None:
        """Let what was written so far survive this process."""
        self._file.flush()
        self._raw.flush()

    def close(self) -> None:
        """Complete the file and give it its name."""
        self._file.close()
        if not self._raw.closed:
            self._raw.flush()
            os.fsync(self._raw.fileno())
            self._raw.close()
        self._part.rename(self.path)

    def discard(self) -> None:
        """Close and delete it."""
        self._file.close()
        self._raw.close()
        self._part.unlink(missing_ok=True)


class Recorder:
    """Writes whole frames of one or several connections, one behind the other, and counts them.

    Attributes:
        events, calls, bytes: written so far; calls are callers who joined a queue.
    """

    def __init__(self, write: Callable[[bytes], None], masking: Masking | None = None) -> None:
        self.events = 0
        self.calls = 0
        self.bytes = 0
        self._write = write
        self._masking = masking
        self._splitter = FrameSplitter(MAX_FRAME_BYTES)
        self._has_greeting = False

    def received(self, data: bytes) -> None:
        """Take bytes as they arrived."""
        if data.startswith(GREETING):
            self.connection_ended()
        for frame in self._splitter.feed(data):
            self._frame(frame)

    def connection_ended(self) -> None:
        """What has begun of a frame will never end: it is left out."""
        self._splitter = FrameSplitter(MAX_FRAME_BYTES)

    def _frame(self, frame: bytes) -> None:
        if not self._has_greeting:
            self._has_greeting = True
            self._put(GREETING + f"{self._splitter.greeting or ''}\r\n".encode())
        kept = self._masking.apply(frame.lstrip(b"\r\n")) if self._masking else frame
        if kept is None:
            return
        self.events += frame.startswith(b"Event: ")
        self.calls += frame.startswith((b"Event: QueueCallerJoin\r", b"Event: Join\r"))
        self._put(kept + b"\r\n\r\n")

    def _put(self, data: bytes) -> None:
        self.bytes += len(data)
        self._write(data)


class _RecordingWatch(Watch):
    """The exporter's own watch of a switchboard, with ears for the recorder."""

    recorder: Recorder

    def disconnected(self, reason: DisconnectReason) -> None:
        super().disconnected(reason)
        self.recorder.connection_ended()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recording has got."""

    elapsed_s: float
    events: int
    calls: int
    bytes: int
    problem: str

    def __str__(self) -> str:
        text = f"{_clock(self.elapsed_s)}  {self.events:,} events  {self.calls:,} calls  {self.bytes:,} bytes"
        return f"{text}  NOT CONNECTED: {self.problem}" if self.problem else text


class _Failure:
    """Writes until that fails once, in a place where nothing may be raised."""

    def __init__(self, recorder: Recorder) -> None:
        self.error: OSError | None = None
        self._recorder = recorder

    def received(self, data: bytes) -> None:
        if self.error is None:
            try:
                self._recorder.received(data)
            except OSError as error:
                self.error = error


async def record(
    config: Config,
    switchboard: str,
    file: RecordingFile,
    *,
    stop: asyncio.Event,
    duration_s: float | None = None,
    masking: Masking | None = None,
    show: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Record a switchboard until told to stop, or for some time. In the end the file is complete.

    Args:
        config: as loaded.
        switchboard: its name there.
        file: written and closed; deleted if nothing at all was received.
        stop: ends the recording when set.
        duration_s: seconds from the first reading of the whole state on; None: no end.
        masking: None writes the bytes as they come.
        show: called every second.

    Raises:
        RecordingFailed: the log-in was refused, or the disk does not take any more. What had been written by
            then is kept.
    """
    recorder = Recorder(file.write, masking)
    writing = _Failure(recorder)
    watch = _RecordingWatch(
        LiveSwitchboard.from_config(config, switchboard),
        config.switchboards[switchboard],
        config.exporter.resync_interval,
        on_bytes=writing.received,
    )
    watch.recorder = recorder
    tasks = {asyncio.create_task(watch.run()), asyncio.create_task(_set(stop))}
    started: float | None = None
    flushed = time.monotonic()
    try:
        while True:
            now = time.monotonic()
            if watch.live.up and started is None:
                started = now
            elapsed = now - started if started is not None else 0.0
            connected = watch.session.state is SessionState.CONNECTED
            problem = "" if connected else watch.session.problem or "connecting"
            progress = Progress(elapsed, recorder.events, recorder.calls, recorder.bytes, problem)
            show(progress)
            if writing.error is not None:
                reason = writing.error.strerror or str(writing.error)
                raise RecordingFailed(f"cannot write {file.path}: {reason}")
            if watch.session.state is SessionState.REFUSED:
                raise RecordingFailed(f"{switchboard}: {watch.session.problem}")
            if stop.is_set() or (duration_s is not None and elapsed >= duration_s):
                return progress
            if now - flushed > FLUSH_EVERY_S:
                flushed = now
                file.flush()
            left = SHOW_EVERY_S if duration_s is None else min(SHOW_EVERY_S, duration_s - elapsed)
            done, _ = await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if recorder.events:
            file.close()
        else:
            file.discard()


async def _set(event: asyncio.Event) -> None:
    await event.wait()


def record_command(
    config: Config, switchboard: str, output: Path, *, duration_s: float | None, masking: Masking | None
) -> None:
    """`record` with progress on standard error, until SIGINT, SIGTERM or the end of ``duration_s``.

    Raises:
        RecordingFailed: see `record`; also if nothing was received.
    """
    file = RecordingFile(output)
    line = _ProgressLine()

    async def main() -> Progress:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await record(
            config, switchboard, file, stop=stop, duration_s=duration_s, masking=masking, show=line.show
        )

    try:
        progress = asyncio.run(main())
    finally:
        line.end()
    if not progress.events:
        raise RecordingFailed(f"nothing was received from {switchboard}: no recording was made")
    click.echo(f"{output}: {progress}, {output.stat().st_size:,} on the disk", err=True)
    if masking is None:
        click.echo("callers' numbers and names are in it: --mask-numbers makes one to pass on", err=True)


class _ProgressLine:
    """One line that changes on a terminal; elsewhere a line every ten seconds."""

    EVERY_S = 10.0

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._next = 0.0
        self._width = 0

    def show(self, progress: Progress) -> None:
        text = str(progress)
        if self._terminal:
            click.echo(f"\r{text.ljust(self._width)}", nl=False, err=True)
            self._width = len(text)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + self.EVERY_S
            click.echo(text, err=True)

    def end(self) -> None:
        if self._terminal and self._width:
            click.echo(err=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
