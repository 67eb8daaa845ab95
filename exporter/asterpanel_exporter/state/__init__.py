"""A switchboard's live state: a reducer without I/O and without a clock of its own."""

from asterpanel_exporter.state.model import (
    Agent,
    AgentState,
    CallInProgress,
    Difference,
    DriftKind,
    Member,
    Queue,
    ResyncReason,
    WaitingCaller,
)
from asterpanel_exporter.state.reducer import DRIFT_GRACE_S, SwitchboardState
from asterpanel_exporter.state.resync import reconcile
from asterpanel_exporter.state.snapshot import Snapshot, SnapshotBuilder

__all__ = [
    "DRIFT_GRACE_S",
    "Agent",
    "AgentState",
    "CallInProgress",
    "Difference",
    "DriftKind",
    "Member",
    "Queue",
    "ResyncReason",
    "Snapshot",
    "SnapshotBuilder",
    "SwitchboardState",
    "WaitingCaller",
    "reconcile",
]
