"""What came of an operation, queue by queue, and which of it is an error of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.switchboards.commands import (
    AlreadySo,
    Done,
    NotSent,
    Reason,
    Refused,
    Result,
)
from asterpanel_control_api.switchboards.plans import Change


class Verdict(StrEnum):
    """What came of one thing. Those that are errors are called like the error's id."""

    DONE = "done"
    """Confirmed by the switchboard, and seen in the live state."""
    ACCEPTED = "accepted"
    """Confirmed by the switchboard, not yet seen in the live state."""
    ALREADY_SO = "already_so"
    """It was so before; nothing was changed."""
    STATIC_MEMBER = "static_member"
    NOT_FOUND = "not_found"
    NOT_SUPPORTED = "not_supported"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    """Sent and not answered: it may have been done. It is not sent again."""
    NOT_CONNECTED = "not_connected"
    TOO_MANY_REQUESTS = "too_many_requests"
    NOT_TRIED = "not_tried"
    """Left out, because an earlier part was not answered in time or there is no connection any more."""

    @property
    def is_good(self) -> bool:
        """Whether it is as it was asked for."""
        return self in (Verdict.DONE, Verdict.ACCEPTED, Verdict.ALREADY_SO)

    @property
    def ends_all(self) -> bool:
        """Whether trying to do more makes no sense."""
        return self in (Verdict.TIMED_OUT, Verdict.NOT_CONNECTED, Verdict.TOO_MANY_REQUESTS)


_BY_REASON: Mapping[Reason, Verdict] = {
    Reason.NOT_A_MEMBER: Verdict.NOT_FOUND,
    Reason.NO_SUCH_QUEUE: Verdict.NOT_FOUND,
    Reason.NO_SUCH_CALLER: Verdict.NOT_FOUND,
    Reason.STATIC_MEMBER: Verdict.STATIC_MEMBER,
    Reason.NOT_SUPPORTED: Verdict.NOT_SUPPORTED,
    Reason.NOT_PERMITTED: Verdict.REFUSED,
    Reason.OTHER: Verdict.REFUSED,
}

_HINTS: Mapping[Reason, str] = {
    Reason.NOT_PERMITTED: "the control user lacks write = agent in manager.conf; "
    "`asterpanel-exporter manager-conf` prints a right one",
    Reason.NOT_SUPPORTED: "its Asterisk is too old for this, or app_queue is not loaded",
    Reason.STATIC_MEMBER: "the membership stands in the switchboard's own configuration and can only be "
    "ended there",
}


def verdict_of(result: Result) -> Verdict:
    """What a command's result means; `Verdict.ACCEPTED` for what the live state has yet to show."""
    if isinstance(result, Done):
        return Verdict.ACCEPTED
    if isinstance(result, AlreadySo):
        return Verdict.ALREADY_SO
    if isinstance(result, Refused):
        return _BY_REASON[result.reason]
    if isinstance(result, NotSent):
        return Verdict.TOO_MANY_REQUESTS if result.busy else Verdict.NOT_CONNECTED
    return Verdict.TIMED_OUT


def words_of(result: Result) -> str:
    """The switchboard's own words, and what to do about them where that is known."""
    hint = _HINTS.get(result.reason) if isinstance(result, Refused) else None
    return f"{result.message}: {hint}" if hint else result.message


@dataclass(frozen=True, slots=True)
class QueueOutcome:
    """What came of an operation in one queue.

    Attributes:
        change: what was to be done.
        verdict: what came of it.
        message: the switchboard's own words, or what is known; may be "".
        seen: whether the live state shows the effect (also where there was no answer).
        begun: whether part of it was done before it failed; that stays so, and the message tells it.
    """

    queue: str
    change: Change
    verdict: Verdict
    message: str
    seen: bool
    begun: bool = False

    @property
    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "queue": self.queue,
            "change": self.change.value,
            "result": self.verdict.value,
            "message": self.message,
            "seen": self.seen,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an operation in all queues that it was about."""

    queues: tuple[QueueOutcome, ...]

    @property
    def verdict(self) -> Verdict:
        """The first failure if there is one, else the least certain success."""
        verdicts = [outcome.verdict for outcome in self.queues]
        failures = [verdict for verdict in verdicts if not verdict.is_good]
        if failures:
            return failures[0]
        return next(
            (verdict for verdict in (Verdict.ACCEPTED, Verdict.DONE) if verdict in verdicts),
            Verdict.ALREADY_SO,
        )

    @property
    def is_complete(self) -> bool:
        """Whether everything is as it was asked for."""
        return all(outcome.verdict.is_good for outcome in self.queues)

    @property
    def is_hopeless(self) -> bool:
        """Whether nothing is as it was asked for, nor part of it."""
        return bool(self.queues) and not any(
            outcome.verdict.is_good or outcome.begun for outcome in self.queues
        )

    @property
    def document(self) -> dict[str, Any]:
        """As JSON: ``result`` is that of the whole, ``partial`` if only some of it failed."""
        result = self.verdict.value if self.is_complete or self.is_hopeless else "partial"
        return {"result": result, "queues": [outcome.document for outcome in self.queues]}

    def or_error(self, what: str) -> Outcome:
        """Itself, if anything was done or accepted, or part of it.

        Raises:
            ApiError: nothing was; its id is the verdict's.
        """
        changed = (Verdict.DONE, Verdict.ACCEPTED)
        if any(outcome.verdict in changed or outcome.begun for outcome in self.queues):
            return self
        raise error_for(self.verdict, what, self.queues)

    def or_error_if_hopeless(self, what: str) -> Outcome:
        """Itself, if anything is as it was asked for, or nothing was asked for.

        Raises:
            ApiError: nothing is; its id is the verdict's.
        """
        if self.is_hopeless:
            raise error_for(self.verdict, what, self.queues)
        return self


def error_for(verdict: Verdict, what: str, queues: Sequence[QueueOutcome]) -> ApiError:
    """The API's error for an operation of which nothing was done."""
    first = next(outcome for outcome in queues if outcome.verdict is verdict)
    message = f"{what}: {_MESSAGES[verdict]}"
    if first.message:
        message += f" ({first.message})"
    return ApiError(_ERRORS[verdict], message, queues=[outcome.document for outcome in queues])


_ERRORS: Mapping[Verdict, ErrorId] = {
    Verdict.ALREADY_SO: ErrorId.ALREADY_SO,
    Verdict.STATIC_MEMBER: ErrorId.STATIC_MEMBER,
    Verdict.NOT_FOUND: ErrorId.NOT_FOUND,
    Verdict.NOT_SUPPORTED: ErrorId.NOT_SUPPORTED,
    Verdict.REFUSED: ErrorId.REFUSED,
    Verdict.TIMED_OUT: ErrorId.TIMED_OUT,
    Verdict.NOT_CONNECTED: ErrorId.NOT_CONNECTED,
    Verdict.TOO_MANY_REQUESTS: ErrorId.TOO_MANY_REQUESTS,
    Verdict.NOT_TRIED: ErrorId.NOT_CONNECTED,
}

_MESSAGES: Mapping[Verdict, str] = {
    Verdict.ALREADY_SO: "it is so already; nothing was changed",
    Verdict.STATIC_MEMBER: "the switchboard does not let go of a static member",
    Verdict.NOT_FOUND: "the switchboard does not know it any more",
    Verdict.NOT_SUPPORTED: "the switchboard cannot do this",
    Verdict.REFUSED: "the switchboard refused",
    Verdict.TIMED_OUT: "the switchboard was asked and did not answer; it may have been done (look at the "
    "live state), and it will not be asked again",
    Verdict.NOT_CONNECTED: "there is no connection to the switchboard; nothing was done, and nothing will be "
    "done later",
    Verdict.TOO_MANY_REQUESTS: "the switchboard is busy with other actions; nothing was done, try again",
    Verdict.NOT_TRIED: "the switchboard is too slow, and time was over; nothing was done, try again",
}
