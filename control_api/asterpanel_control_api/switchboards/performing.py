"""Carrying out planned steps on a switchboard: in turn, within a time limit, and looking for their effect."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.switchboards import commands
from asterpanel_control_api.switchboards.bridge import Bridge
from asterpanel_control_api.switchboards.commands import Action, AlreadySo, Done, NotSent, Result, Unknown
from asterpanel_control_api.switchboards.effects import Document, LiveState
from asterpanel_control_api.switchboards.link import NotConnected, TooManyActions, Unanswered
from asterpanel_control_api.switchboards.outcomes import Outcome, QueueOutcome, Verdict, verdict_of, words_of
from asterpanel_control_api.switchboards.plans import Step
from asterpanel_control_api.switchboards.turns import Turns, TurnTaken

DOUBT_S = 30.0
"""How long, after an effect that was not seen, the live state is not believed that a thing is so already."""

LEAST_ACTION_S = 0.5
"""What a begun action may always take: giving one up costs all others their connection."""

Subject = tuple[str, str, str]
"""Switchboard, "agent" or "caller", and which: who is changed by one operation at a time."""


class Performer:
    """Gives turns to operations.

    An operation ends within ``timeout_s``, of which it waits half at most for its turn; then, if the
    switchboard has confirmed it, it waits up to ``seen_within_s`` for its effect.
    """

    def __init__(self, bridge: Bridge, live: LiveState, timeout_s: float, seen_within_s: float) -> None:
        self.bridge = bridge
        self.live = live
        self.timeout_s = timeout_s
        self.seen_within_s = seen_within_s
        self._turns = Turns()
        self._doubts = _Doubts()

    @contextmanager
    def turn(self, switchboard: str, kind: str, who: str) -> Iterator[Turn]:
        """Be the only one who changes this agent or caller.

        Raises:
            ApiError: `NO_CONTROL`, `NOT_CONNECTED`, `NO_STATE`; `BUSY_AGENT` if others take too long.
        """
        deadline = time.monotonic() + self.timeout_s
        self._check_reachable(switchboard)
        subject = (switchboard, kind, who)
        with ExitStack() as stack:
            try:
                stack.enter_context(self._turns.turn(subject, self.timeout_s / 2))
            except TurnTaken:
                raise ApiError(
                    ErrorId.BUSY_AGENT,
                    f"the {kind} {who!r} is being changed by others; nothing was done, try again",
                    switchboard=switchboard,
                    **{kind: who},
                ) from None
            yield Turn(self, subject, self._document(switchboard), deadline, self._doubts)

    def _check_reachable(self, switchboard: str) -> None:
        try:
            self.bridge.check_connected(switchboard, self.timeout_s / 2)
        except KeyError:
            raise ApiError(
                ErrorId.NO_CONTROL,
                f"{switchboard!r} cannot be acted on: it has no control user (switchboards.{switchboard}."
                "control in the configuration)",
                switchboard=switchboard,
            ) from None
        except (NotConnected, Unanswered) as error:
            raise ApiError(
                ErrorId.NOT_CONNECTED,
                f"there is no connection to {switchboard!r}; nothing was done, and nothing will be done "
                f"later ({error})",
                switchboard=switchboard,
            ) from error

    def _document(self, switchboard: str) -> Document:
        document = self.live.current(switchboard)
        if document is None:
            raise ApiError(
                ErrorId.NO_STATE,
                f"the live state of {switchboard!r} is not known now, and without it nothing is done; try "
                "again, and if that lasts see the exporter's /readyz",
                switchboard=switchboard,
            )
        return document


class Turn:
    """One operation that has its turn.

    Attributes:
        document: the switchboard's live state as the turn began.
    """

    def __init__(
        self, performer: Performer, subject: Subject, document: Document, deadline: float, doubts: _Doubts
    ) -> None:
        self.document = document
        self._bridge = performer.bridge
        self._live = performer.live
        self._seen_within_s = performer.seen_within_s
        self._subject = subject
        self._switchboard = subject[0]
        self._deadline = deadline
        self._doubts = doubts

    @property
    def sure(self) -> bool:
        """Whether the live state is believed that something is so already: not while an effect is missing."""
        return not self._doubts.has(self._subject)

    def carry_out(self, steps: Sequence[Step]) -> Outcome:
        """Do the steps one after the other, and see what came of them. Does not raise."""
        attempts = list(self._attempts(steps))
        done = [one.step for one in attempts if isinstance(one.result, Done)]
        self._wait_until_seen([step for step in done if step.announced])
        document = self._live.current(self._switchboard)
        outcomes = [
            outcome
            for one in attempts
            for outcome in _outcomes(one, document is not None and one.step.effect(document))
        ]
        self._doubts.learn(self._subject, outcomes)
        return Outcome(tuple(outcomes))

    def _attempts(self, steps: Iterable[Step]) -> Iterator[_Attempt]:
        """Do one after the other; the first one that needs anything to be done is always tried."""
        is_over = asked = False
        for step in steps:
            is_over = is_over or (asked and self._left_s <= 0)
            attempt = _Attempt(step, None) if is_over and step.actions else self._do(step)
            is_over = is_over or (attempt.result is not None and verdict_of(attempt.result).ends_all)
            asked = asked or bool(step.actions)
            yield attempt

    @property
    def _left_s(self) -> float:
        return self._deadline - time.monotonic()

    def _do(self, step: Step) -> _Attempt:
        done: list[str] = []
        result: Result = AlreadySo("")
        waiting = deque(step.actions)
        while waiting:
            action = waiting.popleft()
            next_result = self._send(action)
            if not isinstance(next_result, Done | AlreadySo):
                return _Attempt(step, next_result, tuple(done))
            if isinstance(next_result, AlreadySo) and action is step.actions[0] and step.if_already:
                waiting = deque(step.if_already)
            if isinstance(next_result, Done):
                done.append(action["Action"])
            if isinstance(next_result, Done) or not done:
                result = next_result
        return _Attempt(step, result)

    def _send(self, action: Action) -> Result:
        try:
            timeout_s = max(self._left_s, LEAST_ACTION_S)
            return commands.read(self._bridge.request(self._switchboard, action, timeout_s))
        except NotConnected as error:
            return NotSent(str(error))
        except TooManyActions as error:
            return NotSent(str(error), busy=True)
        except Unanswered as error:
            return Unknown(str(error))

    def _wait_until_seen(self, steps: Sequence[Step]) -> None:
        if steps:
            self._live.wait_until(
                self._switchboard,
                lambda document: all(step.effect(document) for step in steps),
                self._seen_within_s,
            )


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A step, and what came of it; None: it was not tried. ``before``: actions done before one failed."""

    step: Step
    result: Result | None
    before: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The switchboard's words, and what was done before them."""
        words = "" if self.result is None else words_of(self.result)
        return f"{words} (after {', '.join(self.before)} was done)" if self.before else words


class _Doubts:
    """Whose effects were not seen lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[Subject, float] = {}

    def has(self, subject: Subject) -> bool:
        return self._until.get(subject, 0.0) > time.monotonic()

    def learn(self, subject: Subject, outcomes: Sequence[QueueOutcome]) -> None:
        now, verdicts = time.monotonic(), {outcome.verdict for outcome in outcomes}
        is_open = not verdicts.isdisjoint({Verdict.ACCEPTED, Verdict.TIMED_OUT})
        with self._lock:
            self._until = {other: until for other, until in self._until.items() if until > now}
            if is_open or any(outcome.begun for outcome in outcomes):
                self._until[subject] = now + DOUBT_S
            elif Verdict.DONE in verdicts:
                self._until.pop(subject, None)


def _outcomes(attempt: _Attempt, seen: bool) -> Iterator[QueueOutcome]:
    verdict = Verdict.NOT_TRIED if attempt.result is None else verdict_of(attempt.result)
    if verdict is Verdict.ACCEPTED and seen:
        verdict = Verdict.DONE
    for queue in attempt.step.queues:
        yield QueueOutcome(
            queue, attempt.step.change, verdict, attempt.message, seen, begun=bool(attempt.before)
        )
