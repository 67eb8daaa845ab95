"""The one door of the audit: `Audit.record`."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from asterpanel_control_api.access.filtering import masked_number
from asterpanel_control_api.audit.delivery import Delivery
from asterpanel_control_api.audit.entry import MAX_DETAIL_CHARS, MAX_NAME_CHARS, Entry, one_line
from asterpanel_control_api.live.boards import Boards, Document
from asterpanel_control_api.people import Person

_log = logging.getLogger(__name__)

SUCCEEDED = frozenset({"done", "accepted", "partial"})
"""Results after which there is what the request names; after others it may be anything somebody typed."""

FLUSH_S = 5.0


class Audit:
    """Records actions and denials.

    The line in the log is written at once; the rest happens in the background. Nothing here waits, and what
    fails is counted and logged, and fails nobody else.

    Args:
        boards: the switchboards that there are, their names and clocks.
        tenants: whose each switchboard is.
        journal: takes entries about switchboards; None: nothing.
        annotations: takes entries, by tenant.
    """

    def __init__(
        self,
        boards: Boards,
        tenants: Mapping[str, str],
        journal: Delivery | None = None,
        annotations: Mapping[str, Delivery] | None = None,
    ) -> None:
        self._boards = boards
        self._tenants = tenants
        self._journal = journal
        self._annotations = annotations or {}
        _log.setLevel(logging.INFO)  # whatever else is logged

    @property
    def deliveries(self) -> list[Delivery]:
        """Where entries go to besides the log."""
        return [*([self._journal] if self._journal else []), *self._annotations.values()]

    def start(self) -> None:
        """Begin to deliver. Not before a fork."""
        for delivery in self.deliveries:
            delivery.start()

    def close(self, timeout_s: float = FLUSH_S) -> None:
        """Deliver what waits, for so long at most, to all places at once, and end."""
        end_at = time.monotonic() + timeout_s
        for delivery in self.deliveries:
            delivery.hurry(timeout_s)
        for delivery in self.deliveries:
            delivery.close(max(0.0, end_at - time.monotonic()))

    def record(
        self,
        person: Person | None,
        action: str,
        switchboard: str,
        *,
        agent: str = "",
        queue: str = "",
        result: str,
        detail: str = "",
        caller: str = "",
    ) -> Entry:
        """Record what somebody did, or was not let do.

        Args:
            person: who; None: nobody could be made out.
            action: an action's id: ``pause``, ``put_member``, …
            switchboard: where.
            agent: on whom.
            queue: in which queue.
            result: a word: ``done``, ``accepted``, or the id of the error.
            detail: what else there is to tell; never a secret, never a caller's number.
            caller: number of the caller that it was about; only its masked form is kept.
        """
        details = [detail] if detail else []
        if caller:
            details.append(f"caller {masked_number(caller)}")
        document = self._boards.document(switchboard)
        if result not in SUCCEEDED:
            agent = self._known_or_told("agent", agent, _agents(document), details)
            queue = self._known_or_told("queue", queue, _queues(document), details)
        entry = Entry(
            acted_at=round(self._boards.now(switchboard), 6),
            tenant=person.tenant if person else "",
            subject=one_line(person.subject, MAX_NAME_CHARS) if person else "",
            name=one_line(person.name or person.login, MAX_NAME_CHARS) if person else "",
            via=person.via if person else None,
            action=action,
            switchboard=one_line(switchboard, MAX_NAME_CHARS),
            agent=one_line(agent, MAX_NAME_CHARS),
            queue=one_line(queue, MAX_NAME_CHARS),
            result=result,
            detail=one_line(", ".join(details), MAX_DETAIL_CHARS),
        )
        _log.info("%s", entry.line, extra={"fields": entry.fields})
        self._deliver(entry)
        return entry

    def _deliver(self, entry: Entry) -> None:
        # What is about no switchboard of ours has no place in a series of points, and what a tenant's people
        # type has none in another's.
        tenant = self._tenants.get(entry.switchboard)
        if self._journal is not None and tenant is not None and entry.tenant in ("", tenant):
            self._journal.put(entry)
        if (annotations := self._annotations.get(entry.tenant)) is not None:
            annotations.put(entry)

    @staticmethod
    def _known_or_told(what: str, name: str, known: Mapping[str, object], details: list[str]) -> str:
        """The name if there is such a thing. Else it goes to the details: each name that somebody makes up
        would be a series of its own for ever."""
        if not name or name in known:
            return name
        details.append(f"{what} {name}")
        return ""


def _agents(document: Document | None) -> Mapping[str, object]:
    agents: Mapping[str, object] = {} if document is None else document.get("agents", {})
    return agents


def _queues(document: Document | None) -> Mapping[str, object]:
    queues: Mapping[str, object] = {} if document is None else document.get("queues", {})
    return queues
