"""One switchboard as the exporter knows it: state, clock, resyncs, figures. No I/O: a live session, a
replay and a player all drive the same object.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo

from asterpanel_exporter.document import switchboard_document
from asterpanel_exporter.history.history import Changes, History
from asterpanel_exporter.history.today import Today
from asterpanel_exporter.history.totals import Key, OutcomeTotals
from asterpanel_exporter.state import (
    Difference,
    DriftKind,
    ResyncReason,
    Snapshot,
    SnapshotBuilder,
    SwitchboardState,
    reconcile,
)
from asterpanel_switchboard.config import Config, QueueSettings
from asterpanel_switchboard.events import (
    CallerListed,
    Event,
    FullyBooted,
    LiveEvent,
    MemberListed,
    QueueListed,
    QueueListEnded,
    ShuttingDown,
)
from asterpanel_switchboard.identity import AgentIdentity, agent_identity
from asterpanel_switchboard.merge_patch import Document

_log = logging.getLogger(__name__)

_LIST_ITEMS = (QueueListed, MemberListed, CallerListed, QueueListEnded)
_ACTION_ID = "asterpanel-resync"

_ASTERISK_OF_AMI = {
    "1.3": "11", "2": "13", "3": "14", "4": "15", "5": "16", "6": "17", "7": "18", "8": "19", "9": "20",
    "10": "21", "11": "22", "12": "23",
}  # fmt: skip


def asterisk_version(ami_version: str) -> str:
    """Major version of Asterisk by the AMI version that it greets with; "" if unknown.

    The exact one would need a write class (CoreSettings: ``system`` or ``reporting``), never asked for.
    """
    major = ami_version.split(".", 1)[0]
    return _ASTERISK_OF_AMI.get(major) or _ASTERISK_OF_AMI.get(".".join(ami_version.split(".")[:2]), "")


LATE_S = 2.0
"""How long after its own time an event may still come. What follows from nothing having come is decided then,
so that two exporters decide alike, however quickly each gets its events."""

STEP_S = 1.0
"""Two answers that disagree by more, beyond what their ways explain: one of the clocks was set."""


class SwitchboardClock:
    """The switchboard's time, by the answers to pings.

    Its clock was read somewhere between question and answer, so of the last few answers the quickest tells
    best. Time stamps of events are no measure: they come late under load, and one may be anything.
    """

    ANSWERS = 6

    def __init__(self) -> None:
        self._answers: deque[tuple[float, float]] = deque(maxlen=self.ANSWERS)
        self._offset_s = 0.0

    def observe(self, theirs: float, ours: float, round_trip_s: float) -> None:
        """An answer that arrived at our time ``ours``, with their time in it."""
        offset_s = theirs - (ours - round_trip_s / 2)
        if any(abs(offset_s - other) > round_trip_s + trip + STEP_S for trip, other in self._answers):
            self._answers.clear()
        self._answers.append((round_trip_s, offset_s))
        self._offset_s = min(self._answers)[1]

    def forget(self) -> None:
        """A new connection: it may be another clock. Until its first answer the old one stands in."""
        self._answers.clear()

    @property
    def is_known(self) -> bool:
        """Whether this connection has told its time."""
        return bool(self._answers)

    def now(self, ours: float) -> float:
        """Their time at our time; ours before the very first answer."""
        return ours + self._offset_s


class LiveSwitchboard:
    """State of one switchboard, kept by the events given to it.

    Attributes:
        name: as configured.
        state: the reducer.
        history: what has finished, and what has begun.
        totals: counted of what the journal has.
        accepted_totals: counted of what the journal has or is about to have.
        today: sums of what the journal has, since midnight.
        up: logged in and in step: the whole state was read on this connection.
        version: of Asterisk (major), "" before the first connection.
        events: typed events applied, list items included.
        last_event_at: the switchboard's time of the last live event; None before the first.
        drift: what resyncs found different without anything having announced it, by kind.
        resyncs: resyncs done, by reason.
        errors: events that the reducer failed on (an error of ours; each starts a resync).
        round_trip_s: of the last ping; None before the first.
    """

    def __init__(
        self,
        name: str,
        identity: AgentIdentity | None = None,
        settings: Callable[[str], QueueSettings] = lambda queue: QueueSettings(),
        *,
        thresholds_s: Iterable[float] = (),
        zone: tzinfo = UTC,
    ) -> None:
        thresholds_s = tuple(thresholds_s)
        self.name = name
        self.state = SwitchboardState(identity or agent_identity(), settings)
        self.history = History(name, self.state)
        self.totals = OutcomeTotals(thresholds_s)
        self.accepted_totals = OutcomeTotals(thresholds_s)
        self.today = Today(zone)
        self.clock = SwitchboardClock()
        self.up = False
        self.version = ""
        self.ami_version = ""
        self.events = 0
        self.last_event_at: float | None = None
        self.drift: Counter[DriftKind] = Counter()
        self.resyncs: Counter[ResyncReason] = Counter()
        self.errors = 0
        self.round_trip_s: float | None = None
        self._told_of_times = False
        self._told_of_dialplan = False
        self._builder = SnapshotBuilder()
        self._revision = 0

    @classmethod
    def from_config(cls, config: Config, name: str) -> LiveSwitchboard:
        """A configured switchboard."""
        rule = config.agent_identity_for(name)
        pattern = None if rule.pattern is None else str(rule.pattern)
        return cls(
            name,
            agent_identity(rule.source, pattern),
            lambda queue: config.queue_settings_for(name, queue),
            thresholds_s=config.service_level_thresholds_of(name),
            zone=config.switchboards[name].time_zone,
        )

    @property
    def revision(self) -> tuple[int, int]:
        """Changes whenever `document` may say something new (but for ``as_of`` alone)."""
        return self._revision, self.state.version

    def connected(self, ami_version: str) -> None:
        """A session has logged in. `up` follows when the whole state has been read."""
        self.ami_version = ami_version
        self.version = asterisk_version(ami_version)
        self._told_of_times = False
        self._builder.forget()
        self.clock.forget()
        self.round_trip_s = None
        self._revision += 1
        self.state.resync_wanted = ResyncReason.CONNECTED

    def assume_in_step(self) -> None:
        """A recording begins: what it does not tell cannot be asked for."""
        self.state.take_resync()
        self.up = True
        self._revision += 1

    def disconnected(self, cause: str) -> None:
        """The session is lost: what is known stays as it was, and is marked as old."""
        self._builder.forget()
        self.state.connection_lost()
        self.history.disconnected(cause)
        if self.up:
            self.up = False
            self._revision += 1

    def receive(self, events: Sequence[Event], ours: float) -> None:
        """Take events that arrived at our time ``ours`` (Unix seconds)."""
        for event in events:
            self.events += 1
            try:
                if isinstance(event, _LIST_ITEMS):
                    snapshot = self._builder.add(event)
                    if snapshot is not None:
                        self.take_snapshot(snapshot, self.clock.now(ours))
                else:
                    self._live(event, ours)
            except Exception:
                self.errors += 1
                _log.log(
                    logging.ERROR if self.errors == 1 else logging.DEBUG,
                    "%s: a %s could not be applied, asking for the whole state (further ones are counted)",
                    self.name,
                    type(event).__name__,
                    exc_info=True,
                )
                self.state.want_resync(ResyncReason.COUNT_MISMATCH)
        self._count_drift()

    def _live(self, event: LiveEvent, ours: float) -> None:
        at = event.at if event.at is not None else self._time_of_arrival(event, ours)
        self.last_event_at = at
        self.state.apply(event, at)
        self.history.apply(event, at)
        if type(event) is ShuttingDown:
            self.disconnected("shutdown")
        elif type(event) is FullyBooted and event.uptime_s is not None and ours > event.uptime_s:
            self.history.booted(ours - event.uptime_s)
        if self.up:
            self.history.seen_at = ours

    def _time_of_arrival(self, event: LiveEvent, ours: float) -> float:
        """FullyBooted never has a time of its own at a login; the others do, if manager.conf says so."""
        if not self._told_of_times and type(event) is not FullyBooted:
            self._told_of_times = True
            _log.warning(
                "%s: its events do not tell their time: set timestampevents = yes in manager.conf. Until "
                "then the time of their arrival counts, durations are less exact, and a second exporter on "
                "this switchboard would write every point a second time",
                self.name,
            )
        return self.clock.now(ours)

    def pong(self, theirs: float | None, ours: float, round_trip_s: float) -> None:
        """An answer to a ping: the connection lives, and what is known is as of now."""
        self.round_trip_s = round_trip_s
        if theirs is not None:
            self.clock.observe(theirs, ours, round_trip_s)
            self.state.known_at(theirs)
            if self.up:
                self.history.watched(theirs)
                self.history.seen_at = ours

    def advance(self, ours: float) -> float:
        """Let time pass until our time ``ours``; returns the switchboard's time."""
        now = self.clock.now(ours)
        self.state.advance(now)
        self.history.advance(now - LATE_S)
        if self.history.untold and not self._told_of_dialplan:
            self._told_of_dialplan = True
            _log.warning(
                "%s: cannot tell callers who gave up from time-outs and the like, their outcome is unknown: "
                "the manager user needs the read class dialplan, and the event filters that "
                "`asterpanel-exporter manager-conf` prints",
                self.name,
            )
        self._count_drift()
        return now

    def next_deadline(self) -> float | None:
        """The switchboard's time at which `advance` will have something to do, if nothing else happens."""
        due_at = self.history.next_due()
        times = (self.state.next_deadline(), None if due_at is None else due_at + LATE_S)
        return min((time for time in times if time is not None), default=None)

    def document(self, ours: float) -> Document:
        """The live state at our time ``ours``."""
        self.advance(ours)
        self._begin_day()
        return switchboard_document(self.name, self.up, self.version, self.state, self.today)

    # --- the journal --------------------------------------------------------------------------------

    def restore(self, items: Mapping[tuple[str, str], str], totals: Mapping[Key, float]) -> list[str]:
        """Go on from what the journal has; returns what of it could not be read, in words."""
        self.totals.restore(totals)
        self.accepted_totals.restore(totals)
        return self.history.restore(items)

    def recorded(self, changes: Changes) -> None:
        """The journal has it."""
        self.totals.add(changes.records, changes.offered, changes.thresholds_s)
        self._begin_day()
        self.today.add(changes.records)
        self._revision += 1

    def _begin_day(self) -> None:
        if self.state.as_of:  # else nothing is known of the switchboard yet
            self.today.begin(self.state.as_of)

    # --- resync -------------------------------------------------------------------------------------

    def resync_action_id(self, reason: ResyncReason, number: int) -> str:
        """ActionID of a request for the whole state; a recording of the session can be understood by it."""
        return f"{_ACTION_ID}/{reason.name}/{number}"

    def take_snapshot(self, snapshot: Snapshot, now: float) -> None:
        """Take over a finished QueueStatus list: the whole state if we asked for it, else a part."""
        prefix, _, rest = snapshot.action_id.partition("/")
        whole = prefix == _ACTION_ID
        reason = ResyncReason.RELOADED
        if whole:
            reason = ResyncReason.__members__.get(rest.partition("/")[0], ResyncReason.INTERVAL)
            self.resyncs[reason] += 1
        differences = reconcile(self.state, snapshot, now, reason, whole=whole)
        if whole:
            self.history.take_snapshot(snapshot, reason, now)
        if whole and not self.up:
            self.up = True
            self._revision += 1
        self._log_differences(reason, differences)

    def no_queues(self, reason: ResyncReason, now: float) -> None:
        """The switchboard does not know QueueStatus: app_queue is not loaded, so there is nothing."""
        self.take_snapshot(Snapshot(self.resync_action_id(reason, 0), {}), now)

    def _log_differences(self, reason: ResyncReason, differences: list[Difference]) -> None:
        if not differences or reason is ResyncReason.CONNECTED:
            return
        shown = "; ".join(map(str, differences[:10]))
        more = f" and {len(differences) - 10} more" if len(differences) > 10 else ""
        _log.info("%s: resync (%s) found %s%s", self.name, reason.words, shown, more)

    def _count_drift(self) -> None:
        for difference in self.state.take_drift():
            self.drift[difference.kind] += 1
            _log.warning("%s: drift: %s", self.name, difference)
