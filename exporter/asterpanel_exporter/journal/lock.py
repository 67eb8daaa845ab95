"""Only one exporter writes a journal: two would count every call twice over in what they restore from it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from asterpanel_exporter.journal.opening import FILE_MODE, JournalError


class ExporterLock:
    """An advisory lock on ``JOURNAL.lock``, for as long as the process lives or until `release`.

    Only for the exporter's part: commands write beside it. The file stays, with the number of the process.

    Raises:
        JournalError: another exporter has it, or the file cannot be made.
    """

    def __init__(self, journal: Path) -> None:
        path = journal.with_name(f"{journal.name}.lock")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        except OSError as error:
            raise JournalError(f"cannot make the lock file {path}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip()
            self.release()
            if not isinstance(error, BlockingIOError):
                raise JournalError(f"cannot lock {path}: {error.strerror}") from error
            raise JournalError(
                f"another exporter (process {holder or 'unknown'}) writes the journal {journal}: end it, or "
                "set journal.path to a file of this one's own"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Let another have it."""
        os.close(self._file)
