"""Asterisk's queue_log, one line at a time: ``epoch|callid|queue|agent|event|data…`` as a typed entry.

The columns are those of ``ast_queue_log`` (``main/logger.c``), the data those of its callers, above all in
``apps/app_queue.c``, from Asterisk 11 to 22. ``|`` is not escaped anywhere: numbers are therefore read from
the side on which free text cannot have moved them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from asterpanel_exporter.history.records import AttemptResult, EndedBy, Outcome
from asterpanel_exporter.queue_log.entries import (
    Completed,
    Connected,
    Entered,
    Entry,
    Ignored,
    Left,
    MemberChanged,
    PauseChanged,
    Rang,
    Started,
)

NOBODY: Final = "NONE"
"""What stands in the columns callid, queue and agent where there is none."""

EARLIEST, LATEST = 10**8, 2**32
"""Times outside 1973 to 2106 are garbage."""

MAX_LINE: Final = 8192
"""No line is longer: the size of the buffer in ``ast_queue_log``."""

_MOST: Final = 10**9
"""Durations and positions above are garbage: the milliseconds of eleven days."""


class MalformedLine(ValueError):
    """A line that is none of a queue_log; the text says what was expected, and repeats no caller's data."""


_Parser = Callable[[int, str, str, str, list[str]], Entry]
"""From time, callid, queue, agent and data to the entry; ValueError or IndexError if the data are others."""


def parse_line(line: str) -> Entry:
    """The entry in a line (without its end).

    Raises:
        MalformedLine: it is cut off, or not of the form of its event.
    """
    if len(line) > MAX_LINE:
        raise MalformedLine(f"longer than {MAX_LINE} characters, which Asterisk never writes")
    columns = line.split("|")
    if len(columns) < 5:
        raise MalformedLine(f"expected time|callid|queue|agent|event|data, found {len(columns)} columns")
    at = _time(columns[0])
    known = _FORMS.get(columns[4])
    if known is None:
        return _with_bar_in_agent(at, columns) or Ignored(at, columns[4])
    form, parse = known
    try:
        return parse(at, columns[1], columns[2], columns[3], columns[5:])
    except (ValueError, IndexError):
        raise MalformedLine(f"{columns[4]}: expected {form or 'a callid and a queue'}") from None


def time_of(line: str) -> int:
    """The time that a line begins with. Raises `MalformedLine` if it does not."""
    time, bar, _ = line.partition("|")
    return _time(time if bar else "")


def _time(text: str) -> int:
    try:
        at = int(text)
    except ValueError:
        # After a power failure a log can hold a hole of zero bytes before the next line.
        digits = text.lstrip("\0\ufeff")
        at = int(digits) if digits.isdecimal() and len(digits) <= 10 else 0
    if not EARLIEST <= at < LATEST:
        raise MalformedLine("expected the time in Unix seconds in the first column")
    return at


def _with_bar_in_agent(at: int, columns: list[str]) -> Entry | None:
    """The entry of a line whose agent has a ``|`` in his name: his columns end where an event fits its data.

    Only events that are told by numbers are looked for: what fits by chance is the dialplan's own event.
    """
    for i in range(5, len(columns)):
        if columns[i] in _TOLD_BY_NUMBERS:
            try:
                return _FORMS[columns[i]][1](
                    at, columns[1], columns[2], "|".join(columns[3:i]), columns[i + 1 :]
                )
            except (ValueError, IndexError):
                continue
    return None


def _number(text: str) -> int:
    """A duration or position; below 0 is 0: the clock was set back."""
    number = int(text)
    if number > _MOST:
        raise ValueError(text)
    return max(number, 0)


def _call(uniqueid: str, queue: str) -> None:
    if not uniqueid or not queue or uniqueid == NOBODY or queue == NOBODY:
        raise ValueError("no call")


def _entered(at: int, uniqueid: str, queue: str, agent: str, data: list[str]) -> Entry:
    _call(uniqueid, queue)
    # url|number|position, or url|number|position|name, whose bars are replaced
    named = len(data) > 3 and data[-2].isdecimal()
    place = len(data) - (2 if named else 1)
    if place < 2:
        raise ValueError("too short")
    name = data[-1] if named else ""
    return Entered(at, uniqueid, queue, "|".join(data[1:place]), name, _number(data[place]))


def _connected(at: int, uniqueid: str, queue: str, agent: str, data: list[str]) -> Entry:
    _call(uniqueid, queue)
    hold_s, agent_uniqueid, ring_s = data
    return Connected(at, uniqueid, queue, agent, _number(hold_s), agent_uniqueid, _number(ring_s))


def _completed(ended_by: EndedBy) -> _Parser:
    is_blind, is_attended = ended_by is EndedBy.BLIND_TRANSFER, ended_by is EndedBy.ATTENDED_TRANSFER
    before = 2 if is_blind or is_attended else 0

    def parse(at: int, uniqueid: str, queue: str, agent: str, data: list[str]) -> Entry:
        _call(uniqueid, queue)
        target, (hold_s, talk_s, position) = data[:-3], data[-3:]
        if len(target) < before or (target and not before):
            raise ValueError("another number of columns")
        to = target[0] if is_blind else ""
        return Completed(
            at, uniqueid, queue, agent, ended_by, _number(hold_s), _number(talk_s), _number(position), to
        )

    return parse


def _left(outcome: Outcome, *, before: int = 0, text_after: bool = False) -> _Parser:
    def parse(at: int, uniqueid: str, queue: str, agent: str, data: list[str]) -> Entry:
        _call(uniqueid, queue)
        numbers = data[before:]
        if text_after and len(numbers) > 3:
            numbers = numbers[:3]
        position, position_in, wait_s = numbers
        by = "" if agent == NOBODY else agent
        return Left(
            at, uniqueid, queue, by, outcome, _number(position), _number(position_in), _number(wait_s)
        )

    return parse


def _incompatible(at: int, uniqueid: str, queue: str, agent: str, data: list[str]) -> Entry:
    """The two channels have no codec in common: both are hung up; AMI tells it as an abandoned call too."""
    _call(uniqueid, queue)
    return Left(at, uniqueid, queue, agent, Outcome.ABANDONED, 0, 0, None)


def _rang_out(at: int, uniqueid: str, queue: str, agent: str, data: list[str]) -> Entry:
    """Whether the phone refused is not told, unless it did so before it rang."""
    _call(uniqueid, queue)
    [ms] = data
    ring_s = _number(ms) / 1000
    result = AttemptResult.NO_ANSWER if ring_s else AttemptResult.REJECTED
    return Rang(at, uniqueid, queue, agent, result, ring_s)


def _ring_cancelled(at: int, uniqueid: str, queue: str, agent: str, data: list[str]) -> Entry:
    _call(uniqueid, queue)
    [ms] = data
    return Rang(at, uniqueid, queue, agent, AttemptResult.CANCELLED, _number(ms) / 1000)


def _dumped(at: int, uniqueid: str, queue: str, agent: str, data: list[str]) -> Entry:
    """With ``memberdelay``: he had picked up, and hung up again before he was connected."""
    _call(uniqueid, queue)
    return Rang(at, uniqueid, queue, agent, AttemptResult.ANSWERED, None)


def _member(*, added: bool) -> _Parser:
    def parse(at: int, uniqueid: str, queue: str, agent: str, data: list[str]) -> Entry:
        return MemberChanged(at, queue, agent, added, data[:1] == ["PAUSED"])

    return parse


def _pause(*, paused: bool, everywhere: bool) -> _Parser:
    def parse(at: int, uniqueid: str, queue: str, agent: str, data: list[str]) -> Entry:
        return PauseChanged(at, "" if everywhere else queue, agent, paused, "|".join(data))

    return parse


def _started(at: int, uniqueid: str, queue: str, agent: str, data: list[str]) -> Entry:
    return Started(at)


_LEFT_FORM = "position|position at the join|seconds waited"
_DONE_FORM = "seconds waited|seconds talked|position"

_FORMS: Final[Mapping[str, tuple[str, _Parser]]] = {
    "ENTERQUEUE": ("url|number|position, and possibly |name", _entered),
    "CONNECT": ("seconds waited|uniqueid|seconds rung", _connected),
    "COMPLETECALLER": (_DONE_FORM, _completed(EndedBy.CALLER)),
    "COMPLETEAGENT": (_DONE_FORM, _completed(EndedBy.AGENT)),
    "BLINDTRANSFER": (f"extension|context|{_DONE_FORM}", _completed(EndedBy.BLIND_TRANSFER)),
    "TRANSFER": (f"extension|context|{_DONE_FORM}", _completed(EndedBy.BLIND_TRANSFER)),
    "ATTENDEDTRANSFER": (f"how|to what|{_DONE_FORM}", _completed(EndedBy.ATTENDED_TRANSFER)),
    "ABANDON": (_LEFT_FORM, _left(Outcome.ABANDONED)),
    "EXITWITHTIMEOUT": (_LEFT_FORM, _left(Outcome.TIMEOUT)),
    "EXITEMPTY": (_LEFT_FORM, _left(Outcome.LEAVE_EMPTY)),
    "EXITWITHKEY": (f"key|{_LEFT_FORM}", _left(Outcome.EXIT_KEY, before=1)),
    "WITHDRAW": (f"{_LEFT_FORM}|information", _left(Outcome.WITHDRAWN, text_after=True)),
    "SYSCOMPAT": ("", _incompatible),
    "RINGNOANSWER": ("milliseconds", _rang_out),
    "RINGCANCELED": ("milliseconds", _ring_cancelled),
    "AGENTDUMP": ("", _dumped),
    "ADDMEMBER": ("", _member(added=True)),
    "REMOVEMEMBER": ("", _member(added=False)),
    "PAUSE": ("", _pause(paused=True, everywhere=False)),
    "UNPAUSE": ("", _pause(paused=False, everywhere=False)),
    "PAUSEALL": ("", _pause(paused=True, everywhere=True)),
    "UNPAUSEALL": ("", _pause(paused=False, everywhere=True)),
    "QUEUESTART": ("", _started),
}
"""By event: its data in words, and what reads it. Others (PENALTY, AGENTLOGIN, custom ones) are `Ignored`."""

_TOLD_BY_NUMBERS: Final = frozenset(event for event, (form, _) in _FORMS.items() if form) - {"ENTERQUEUE"}
