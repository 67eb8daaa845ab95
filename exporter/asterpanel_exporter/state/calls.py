"""Which call in progress an event means: by channel, or by who talks in which queue."""

from __future__ import annotations

from collections.abc import Iterable

from asterpanel_exporter.state.model import CallInProgress
from asterpanel_switchboard.events import AgentEvent


class CallIndex:
    """All calls in progress by their channels, and those that still wait for their AgentComplete.

    Every AgentConnect gets exactly one AgentComplete (so it was in floods and restarts too), but not at the
    true end of the call: a hang-up or a transfer can end it before, and then it waits here.
    """

    def __init__(self) -> None:
        self._by_channel: dict[str, list[CallInProgress]] = {}
        self._without_ids: list[CallInProgress] = []
        self._uncompleted: list[CallInProgress] = []

    def add(self, call: CallInProgress) -> None:
        """A call has begun."""
        for uniqueid in filter(None, (call.uniqueid, call.dest_uniqueid)):
            self._by_channel.setdefault(uniqueid, []).append(call)
        if not (call.uniqueid or call.dest_uniqueid):
            self._without_ids.append(call)

    def remove(self, call: CallInProgress) -> None:
        """A call has ended, or is not followed any more."""
        for uniqueid in filter(None, (call.uniqueid, call.dest_uniqueid)):
            calls = self._by_channel[uniqueid]
            calls.remove(call)
            if not calls:
                del self._by_channel[uniqueid]
        if not (call.uniqueid or call.dest_uniqueid):
            self._without_ids.remove(call)

    def await_complete(self, call: CallInProgress) -> None:
        """An ended call's AgentComplete is still to come."""
        self._uncompleted.append(call)

    def completed(self, call: CallInProgress) -> None:
        """Its AgentComplete has come; those of the member's earlier calls will not any more."""
        who = (call.queue, call.interface.casefold())
        self._uncompleted = [
            other
            for other in self._uncompleted
            if other is not call
            and ((other.queue, other.interface.casefold()) != who or other.since > call.since)
        ]

    def forget_uncompleted(self, queue: str | None = None) -> None:
        """No AgentComplete will come any more, for one queue or for all."""
        self._uncompleted = [call for call in self._uncompleted if queue not in (None, call.queue)]

    def with_channel(self, uniqueid: str) -> list[CallInProgress]:
        """Calls in progress in which this channel takes part."""
        return list(self._by_channel.get(uniqueid, ()))

    def of_connect(self, event: AgentEvent) -> CallInProgress | None:
        """The very call that an AgentConnect begins, if it has come before."""
        channel = event.dest_uniqueid or event.uniqueid
        interface = event.interface.casefold()
        for call in self._by_channel.get(channel, ()) if channel else self._without_ids:
            if (
                call.queue == event.queue
                and call.uniqueid == event.uniqueid
                and call.dest_uniqueid == event.dest_uniqueid
                and call.interface.casefold() == interface
            ):
                return call
        return None

    def without_ids(self, queue: str, interface: str) -> list[CallInProgress]:
        """Calls of this member of which a list alone has told, or an AgentConnect that had lost its ids."""
        interface = interface.casefold()
        return [c for c in self._without_ids if c.queue == queue and c.interface.casefold() == interface]

    def of_complete(
        self, event: AgentEvent, in_progress: Iterable[CallInProgress]
    ) -> tuple[CallInProgress | None, bool]:
        """The call that an AgentComplete means, and whether it is still in progress.

        Its ids can be missing (a race in app_queue), so: by the agent's channel, by the caller's, then the
        oldest call of that interface in that queue; each time one that waits for its Complete comes first.

        Args:
            event: the AgentComplete.
            in_progress: calls of its queue.
        """
        for channel in filter(None, (event.dest_uniqueid, event.uniqueid)):
            for call in self._uncompleted:
                if call.queue == event.queue and channel in (call.dest_uniqueid, call.uniqueid):
                    return call, False
            for call in self._by_channel.get(channel, ()):
                if call.queue == event.queue:
                    return call, True
        for calls, is_open in ((self._uncompleted, False), (in_progress, True)):
            for call in calls:
                if call.queue == event.queue and _may_be(call, event):
                    return call, is_open
        return None, False


def _may_be(call: CallInProgress, event: AgentEvent) -> bool:
    """Whether it is the same member's, and no ids known on both sides say that it is another call."""
    if call.interface.casefold() != event.interface.casefold():
        return False
    return not (event.uniqueid and event.dest_uniqueid and call.uniqueid and call.dest_uniqueid)


def can_be_optimised_out(call: CallInProgress) -> bool:
    """Whether the agent's channel is a Local one that may be hung up while the call goes on.

    Asterisk takes a Local channel without ``/n`` out of a call once both of its halves are answered.
    """
    if not call.dest_channel.startswith("Local/"):
        return False
    _, slash, options = call.interface.partition("@")[2].partition("/")
    return not (call.interface.startswith("Local/") and slash and "n" in options)
