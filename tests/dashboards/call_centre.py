"""The call centre of the generated month: two switchboards, their queues and their agents.

Some names are hostile on purpose: every character with a meaning in a regular expression, in PromQL or in
InfluxQL that a queue's name can have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

SHORT_ABANDON_S: Final = 5.0
REASONS: Final = ("Lunch", "Break", "Training", "")
AUTOPAUSE: Final = "Auto-Pause"


@dataclass(frozen=True)
class QueueProfile:
    """How one queue is.

    Attributes:
        calls: in an hour of usual traffic, while it is open.
        opens, closes: hours of local time.
        threshold_s: of the service level; 0: none.
        talk_s: on average.
        patience_s: of the callers, on average.
        max_wait_s: then the dialplan takes the caller out of the queue.
        max_waiting: a caller more is refused as the queue is full.
        wrapup_s: of its members, after a call.
        ring_s: how long it lets a phone ring.
    """

    name: str
    calls: float
    opens: int
    closes: int
    threshold_s: float
    talk_s: float
    patience_s: float
    max_wait_s: float = 300.0
    max_waiting: int = 12
    wrapup_s: float = 10.0
    ring_s: float = 15.0


@dataclass(frozen=True)
class AgentProfile:
    """How one agent works. ``weekdays``: of 0 (Monday) to 6. ``missing``: share of rings not answered."""

    id: str
    name: str
    queues: tuple[str, ...]
    starts: float
    hours: float
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    missing: float = 0.04
    renamed: str = ""
    """His name in the last third of the month, if it changes."""


@dataclass(frozen=True)
class SwitchboardProfile:
    """One switchboard."""

    name: str
    zone: ZoneInfo
    queues: tuple[QueueProfile, ...]
    agents: tuple[AgentProfile, ...]

    def queue(self, name: str) -> QueueProfile:
        return next(queue for queue in self.queues if queue.name == name)


ROME: Final = ZoneInfo("Europe/Rome")
KOLKATA: Final = ZoneInfo("Asia/Kolkata")

BACK_OFFICE: Final = "back office (EU) +39/2.a"
ONEIL: Final = "o'neil$1"
EVERY_DAY: Final = (0, 1, 2, 3, 4, 5, 6)

MILANO: Final = SwitchboardProfile(
    "milano",
    ROME,
    (
        QueueProfile("sales", 12, 9, 18, threshold_s=20, talk_s=150, patience_s=120),
        QueueProfile("support", 16, 8, 20, threshold_s=30, talk_s=260, patience_s=240, max_waiting=6),
        QueueProfile("emergency", 1.5, 0, 24, threshold_s=10, talk_s=90, patience_s=200, wrapup_s=0),
        QueueProfile(BACK_OFFICE, 3, 10, 16, threshold_s=60, talk_s=320, patience_s=90),
        QueueProfile("info", 3, 9, 17, threshold_s=0, talk_s=60, patience_s=60, max_wait_s=60),
    ),
    (
        AgentProfile("1001", "Anna", ("sales", "info"), 9, 8),
        AgentProfile("1002", "Bruno", ("sales", "support"), 9.5, 8.5, missing=0.12),
        AgentProfile("1003", "Carla", ("support",), 8, 8),
        AgentProfile("1004", "Dina", ("support", BACK_OFFICE), 10, 8, renamed="Dina Rossi"),
        AgentProfile("1005", "Enzo", ("support", "sales"), 12, 8, missing=0.2),
        AgentProfile("1006", "Fay, Zoë", ("emergency", "info"), 7, 9, EVERY_DAY),
        AgentProfile("1007", "O'Brien", ("emergency", "support"), 15.25, 8, EVERY_DAY),
        AgentProfile("1008", "Gino", ("emergency",), 23, 8.25, EVERY_DAY),
    ),
)
MUMBAI: Final = SwitchboardProfile(
    "mumbai",
    KOLKATA,
    (
        QueueProfile("sales", 8, 10, 19, threshold_s=15, talk_s=140, patience_s=100),
        QueueProfile("billing", 7, 9, 18, threshold_s=45, talk_s=220, patience_s=180),
        QueueProfile(ONEIL, 2, 9, 17, threshold_s=30, talk_s=200, patience_s=150, wrapup_s=30),
    ),
    (
        AgentProfile("1001", "Asha", ("sales",), 10, 9),
        AgentProfile("2002", "Bala", ("sales", "billing"), 9, 8),
        AgentProfile("2003", "Chitra", ("billing", ONEIL), 9, 8.5),
        AgentProfile("2004", "Dev", ("sales", ONEIL), 11, 8, missing=0.1),
    ),
)
SWITCHBOARDS: Final = (MILANO, MUMBAI)


def configuration() -> dict[str, Any]:
    """The sections of ``asterpanel.yml`` that say of these queues what no record does."""
    rules: list[dict[str, Any]] = [{"short_abandon": f"{SHORT_ABANDON_S:g}s"}]
    return {
        "queue_settings": rules + [_rule(board, queue) for board in SWITCHBOARDS for queue in board.queues]
    }


def _rule(board: SwitchboardProfile, queue: QueueProfile) -> dict[str, Any]:
    rule = {
        "switchboards": [board.name], "queues": [queue.name], "wrapup_time": f"{queue.wrapup_s:g}s"
    }  # fmt: skip
    return rule | ({"service_level_threshold": f"{queue.threshold_s:g}s"} if queue.threshold_s else {})
