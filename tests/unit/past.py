"""A switchboard that remembers what its history has told, and recordings as it gets them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asterpanel_exporter.history.history import Changes
from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AgentSession,
    QueueCall,
    Record,
    SwitchboardGap,
)
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.manager_conf import EVENTS, MATCHES
from asterpanel_exporter.points.point import point_of
from asterpanel_exporter.replay import Replay
from asterpanel_switchboard.wire import event_name, frames_of


class Remembering(LiveSwitchboard):
    """Keeps what a journal would have got.

    Attributes:
        records: in the order in which they were made.
        open_items: JSON of what has begun and not ended, by (kind, key).
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.records: list[Record] = []
        self.open_items: dict[tuple[str, str], str] = {}

    def recorded(self, changes: Changes) -> None:
        super().recorded(changes)
        self.records += changes.records
        for key, text in changes.open_items.items():
            if text is None:
                self.open_items.pop(key, None)
            else:
                self.open_items[key] = text

    @property
    def calls(self) -> list[QueueCall]:
        """In the order of their joins."""
        calls = [record for record in self.records if isinstance(record, QueueCall)]
        return sorted(calls, key=lambda call: (call.joined_at, call.queue))

    @property
    def attempts(self) -> list[AgentAttempt]:
        return [record for record in self.records if isinstance(record, AgentAttempt)]

    @property
    def pauses(self) -> list[AgentPause]:
        return [record for record in self.records if isinstance(record, AgentPause)]

    @property
    def sessions(self) -> list[AgentSession]:
        return [record for record in self.records if isinstance(record, AgentSession)]

    @property
    def gaps(self) -> list[SwitchboardGap]:
        return [record for record in self.records if isinstance(record, SwitchboardGap)]

    @property
    def open_calls(self) -> list[str]:
        """Keys of the calls that have no record yet."""
        return [key for kind, key in self.open_items if kind == "call"]

    @property
    def lines(self) -> list[str]:
        """Line protocol."""
        return [point_of(record).line for record in self.records]


def replayed(chunks: Iterable[bytes], live: Remembering | None = None) -> Remembering:
    """A switchboard that has seen a whole recording, and whatever time it needs after it."""
    live = live or Remembering("milano")
    replay = Replay(live)
    assert replay.play(chunks)
    replay.end()
    assert live.errors == 0
    return live


def filtered(data: bytes) -> bytes:
    """What of a recording passes the event filters that manager-conf prints; answers to actions do anyway."""
    return b"".join(frame + b"\r\n\r\n" for frame in frames_of(data) if _passes(frame))


def _passes(frame: bytes) -> bool:
    name = event_name(frame)
    if name is None or b"\r\nTimestamp: " not in frame or name.decode() in EVENTS:
        return True
    whole = frame + b"\r\n"
    return any(
        match.event == name.decode()
        and any(f"\r\n{match.header}: {value}\r\n".encode() in whole for value in match.values)
        for match in MATCHES
    )
