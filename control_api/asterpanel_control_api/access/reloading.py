"""The present content of ``profiles.yml``, however often the file is edited while the API runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from asterpanel_control_api.access.profiles import Profiles, load_profiles
from asterpanel_switchboard.errors import ConfigError

_log = logging.getLogger(__name__)

CHECK_INTERVAL_S = 1.0

_Signature = tuple[int, int, int, int] | None
"""Device, inode, size and time of change of a file; None where there is none."""


class ProfilesFile:
    """Reads the file anew when it has changed, looked for at use and at most once a second. Thread safe.

    A new content that cannot be used is refused: it is logged once, with everything that is wrong with it,
    and the old one stays in force.

    Attributes:
        path: of the file.
        loaded_at: Unix time at which the content in force was read.
        reload_failures: contents refused so far.
        is_current: whether the content in force is that of the file, as far as was looked.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Read the file. Raises `ConfigError` with everything that is wrong with it."""
        self.path = path
        self.reload_failures = 0
        self.is_current = True
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        # Before the content, so that a change in between is seen at the next look.
        self._signature = _signature(path)
        self._profiles = load_profiles(path)
        self.loaded_at = wall_clock()
        self._look_at = clock() + CHECK_INTERVAL_S

    def on_reload(self, listener: Callable[[], None]) -> None:
        """Call this, in any thread, when other profiles are in force."""
        self._listeners.append(listener)

    def current(self) -> Profiles:
        """The content in force. The same object as before if, and only if, nothing was loaded since."""
        if self._clock() >= self._look_at and self._lock.acquire(blocking=False):
            # Whoever comes meanwhile goes on with the old content.
            try:
                self._look()
            finally:
                self._lock.release()
        return self._profiles

    def _look(self) -> None:
        self._look_at = self._clock() + CHECK_INTERVAL_S
        signature = _signature(self.path)
        if signature == self._signature:
            return
        self._signature = signature
        try:
            self._profiles = load_profiles(self.path)
        except ConfigError as error:
            self.reload_failures += 1
            self.is_current = False
            _log.error(
                "the new profiles are refused, the old ones stay in force; correct the file:\n%s", error
            )
        else:
            self.loaded_at = self._wall_clock()
            self.is_current = True
            _log.info("profiles read anew from %s", self.path)
            for listener in self._listeners:
                listener()


def _signature(path: Path) -> _Signature:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
