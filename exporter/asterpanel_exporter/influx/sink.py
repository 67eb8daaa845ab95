"""All tenants' points on their way to InfluxDB."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from asterpanel_exporter.influx.pacing import FIRST_PAUSE_S
from asterpanel_exporter.influx.sender import Progress, Sender
from asterpanel_switchboard.config import InfluxConfig

STOP_WITHIN_S = 2.0


class InfluxSink:
    """One `Sender` a tenant, so that one whose bucket does not work holds up nobody else.

    Args:
        config: the section `influxdb`.
        tenants: those whose points are delivered.
        journal: path of the journal.
        first_pause_s: the pause after a first failure.
    """

    def __init__(
        self,
        config: InfluxConfig,
        tenants: Iterable[str],
        journal: Path,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._senders = {
            tenant: Sender(config, config.target_for(tenant), journal, first_pause_s) for tenant in tenants
        }

    @property
    def progress(self) -> Mapping[str, Progress]:
        """How the delivery stands, by tenant."""
        return {tenant: sender.progress for tenant, sender in self._senders.items()}

    def start(self) -> None:
        for sender in self._senders.values():
            sender.start()

    def wake(self) -> None:
        """The journal has something new; called after each commit, from any thread."""
        for sender in self._senders.values():
            sender.wake()

    def stop(self, within_s: float = STOP_WITHIN_S) -> None:
        """End all senders, in mid-request too. Blocks for at most about that time."""
        for sender in self._senders.values():
            sender.request_stop()
        until = time.monotonic() + within_s
        for sender in self._senders.values():
            sender.join(until - time.monotonic())
