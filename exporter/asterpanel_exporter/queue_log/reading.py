"""Log files as numbered lines: plain, gzip, xz or bzip2, in the order of their time."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Iterator, Sequence
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from asterpanel_exporter.queue_log.parsing import MAX_LINE, MalformedLine, time_of
from asterpanel_switchboard.errors import AsterpanelError
from asterpanel_switchboard.wire import TEXT

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STANDARD_INPUT: Final = "-"

_CHUNK_BYTES = 512 * 1024
_LOOKED_AT_LINES = 1000
_GZIP, _XZ, _BZIP2 = b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh"


class UnreadableLog(AsterpanelError):
    """A file that cannot be read, or is no queue_log; the text names it and says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{shown_name(name)}: {reason}")


class Block(NamedTuple):
    """Lines without their ends. ``number``: of the first; ``position``: bytes of the file read so far."""

    number: int
    lines: list[str]
    position: int


def shown_name(name: str) -> str:
    """The name of a file in messages."""
    return "standard input" if name == STANDARD_INPUT else name


class LogFile:
    """One log.

    Attributes:
        name: of the file; ``-`` for standard input.
        size: in bytes, as it lies there; 0 for standard input.
        first_at: the first time in it; None if it is empty.

    Raises:
        UnreadableLog: it cannot be read, or there is no time in its first lines.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = 0 if name == STANDARD_INPUT else _size(name)
        self._blocks = _blocks(name)
        self._looked_at: list[Block] = []
        self.first_at = self._look()
        if name != STANDARD_INPUT:  # opened again when it is read: there may be hundreds
            self._blocks.close()  # type: ignore[attr-defined]
            self._looked_at.clear()
            self._blocks = _blocks(name)

    def blocks(self) -> Iterator[Block]:
        """All lines, once.

        Raises:
            UnreadableLog: it is damaged or cut off; what could be read has been yielded by then.
        """
        yield from self._looked_at
        self._looked_at.clear()
        yield from self._blocks

    def _look(self) -> int | None:
        looked_at = 0
        for block in self._blocks:
            self._looked_at.append(block)
            for line in block.lines:
                try:
                    return time_of(line)
                except MalformedLine:
                    looked_at += bool(line)
            if looked_at >= _LOOKED_AT_LINES:
                break
        if looked_at:
            raise UnreadableLog(
                self.name, f"is no queue_log: none of its first {looked_at} lines begins with a time"
            )
        return None


def in_order(names: Sequence[str]) -> list[LogFile]:
    """The logs by their first time, as rotation has made them; empty ones first.

    Raises:
        UnreadableLog: one of them cannot be used.
    """
    return sorted((LogFile(name) for name in dict.fromkeys(names)), key=lambda log: log.first_at or 0)


def _size(name: str) -> int:
    try:
        return Path(name).stat().st_size
    except OSError as error:
        raise UnreadableLog(name, error.strerror or str(error)) from None


def _blocks(name: str) -> Iterator[Block]:
    number, rest = 1, b""
    position = 0
    for chunk, position in _chunks(name):
        data = rest + chunk
        end = data.rfind(b"\n")
        if end < 0:
            rest = data[: MAX_LINE + 1]  # a longer one is malformed anyway
            continue
        rest = data[end + 1 :][: MAX_LINE + 1]
        lines = _text(data[: end + 1]).split("\n")[:-1]
        yield Block(number, lines, position)
        number += len(lines)
    if rest:
        yield Block(number, [_text(rest)], position)


def _text(data: bytes) -> str:
    """Newlines are cut before and not by `str.splitlines`, which sees others too."""
    return (data.replace(b"\r\n", b"\n") if b"\r\n" in data else data).decode(*TEXT)


def _chunks(name: str) -> Iterator[tuple[bytes, int]]:
    """Unpacked bytes, with the number of packed ones read so far (of standard input: of unpacked ones)."""
    size = 0
    try:
        with _open(name) as file, _unpacked(file) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                size += len(chunk)
                yield chunk, size if name == STANDARD_INPUT else file.tell()
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        cut_off = isinstance(error, EOFError)
        what = "cut off" if cut_off else "damaged"
        raise UnreadableLog(name, f"{what} after {size:,} bytes, unpacked; all before was used") from None
    except OSError as error:
        raise UnreadableLog(name, error.strerror or str(error)) from None


def _open(name: str) -> BufferedReader:
    if name != STANDARD_INPUT:
        return Path(name).open("rb")
    return BufferedReader(_StandardInput())


class _StandardInput(RawIOBase):
    """Standard input, whatever it is, as something that can be peeked into."""

    def __init__(self) -> None:
        self._stream = sys.stdin.buffer

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        data = self._stream.read(len(view))
        view[: len(data)] = data
        return len(data)


def _unpacked(file: BufferedReader) -> BufferedReader | gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File:
    head = file.peek(len(_XZ))
    if head.startswith(_GZIP):
        return gzip.open(file)
    if head.startswith(_XZ):
        return lzma.open(file)
    if head.startswith(_BZIP2):
        return bz2.open(file)
    return file
