"""Answered calls of the visits that have no record yet: which of them an event means."""

from __future__ import annotations

from collections.abc import Iterator

from asterpanel_exporter.history.visit import Visit
from asterpanel_exporter.state.calls import CallIndex, can_be_optimised_out
from asterpanel_exporter.state.model import CallInProgress
from asterpanel_switchboard.events import AgentEvent, ChannelGone


class Talks:
    """Visits by the channels that talk."""

    def __init__(self) -> None:
        self._index = CallIndex()
        self._visits: dict[CallInProgress, Visit] = {}
        self._calls: dict[Visit, CallInProgress] = {}

    def begin(self, visit: Visit) -> None:
        """An agent is connected."""
        call = CallInProgress(
            visit.queue,
            visit.uniqueid,
            visit.dest_uniqueid,
            visit.dest_channel,
            visit.interface,
            visit.agent,
            visit.connected_at or visit.joined_at,
        )
        self._index.add(call)
        self._visits[call] = visit
        self._calls[visit] = call

    def has_begun(self, event: AgentEvent) -> bool:
        """Whether this very AgentConnect has come before."""
        return self._index.of_connect(event) is not None

    def end(self, visit: Visit) -> None:
        """The talk is over before its AgentComplete."""
        call = self._calls[visit]
        self._index.remove(call)
        self._index.await_complete(call)

    def complete(self, event: AgentEvent) -> tuple[bool, Visit | None]:
        """Whether a talk is known that an AgentComplete means, and its visit, if that has no record yet."""
        in_progress = (
            call for call, visit in self._visits.items() if call.queue == event.queue and visit.is_talking
        )
        call, is_open = self._index.of_complete(event, in_progress)
        if call is None:
            return False, None
        if is_open:
            self._index.remove(call)
        self._index.completed(call)
        return True, self._visits.get(call)

    def with_channel(self, uniqueid: str) -> list[Visit]:
        """Those in which this channel talks."""
        return [self._visits[call] for call in self._index.with_channel(uniqueid)]

    def ended_by(self, event: ChannelGone) -> list[Visit]:
        """Those that are over because a channel is gone."""
        return [
            self._visits[call]
            for call in self._index.with_channel(event.uniqueid)
            if event.uniqueid == call.uniqueid or not can_be_optimised_out(call)
        ]

    def of_agent(self, channel: str) -> Iterator[Visit]:
        """Those that an agent talks in on this channel, by its name."""
        return (v for v in self._visits.values() if v.dest_channel == channel and v.is_talking)

    def forget(self, visit: Visit) -> None:
        """It has its record, or is lost. Its AgentComplete may still come."""
        call = self._calls.pop(visit, None)
        if call is not None:
            del self._visits[call]
            if visit.is_talking:
                self._index.remove(call)
