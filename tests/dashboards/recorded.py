"""The recorded AMI streams as one more switchboard: what the exporter makes of them, and what is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from asterpanel_exporter.history.records import Record
from tests.traces import SCENARIOS, recording, truth
from tests.unit.past import Remembering, replayed

VERSION: Final = "asterisk-22"
NAMES: Final = tuple(name for name in SCENARIOS if name.startswith(VERSION))


@dataclass(frozen=True)
class RecordedSwitchboard:
    """Its part of the configuration."""

    name: str
    zone: ZoneInfo


RECORDED: Final = RecordedSwitchboard("recorded", ZoneInfo("UTC"))


def recorded() -> Iterator[Record]:
    """Of all recordings, each replayed for itself."""
    for name in NAMES:
        yield from replayed([recording(name)], Remembering(RECORDED.name)).records


def known_calls() -> list[dict[str, Any]]:
    """What was recorded beside them."""
    return [call for name in NAMES for call in truth(name)]
