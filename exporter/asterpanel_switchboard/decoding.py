"""From one AMI frame to one typed event: the only place that reads raw headers.

Most of what Asterisk sends nobody needs: the name is looked at before anything is parsed, and of an event
that is needed only the headers that count. Field facts are from ``apps/app_queue.c``, ``main/manager.c`` and
``main/manager_channels.c`` of Asterisk 13 to 22 and from recorded sessions; the names that Asterisk 11 used
are understood too, where that is only another spelling.

Values cannot be trusted: Asterisk does not escape ``CallerIDNum``, so whoever sets a caller's number can
inject header lines. A header that comes twice is read where Asterisk itself would have written it: before
the channel's caller fields the first one counts, behind them the last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from asterpanel_switchboard.events import (
    AgentEvent,
    AgentStep,
    Caller,
    CallerAbandoned,
    CallerJoined,
    CallerLeft,
    CallerListed,
    CallTransferred,
    ChannelGone,
    ConsultationBegun,
    DeviceStatus,
    DialCancelled,
    Event,
    FullyBooted,
    MemberChange,
    MemberChanged,
    MemberListed,
    MemberReport,
    ModuleLoaded,
    QueueEntered,
    QueueListed,
    QueueListEnded,
    QueueStatusSet,
    Reloaded,
    ShuttingDown,
)
from asterpanel_switchboard.wire import TEXT, event_name, header_pattern


class MalformedEvent(ValueError):
    """A frame that names an event we need, but lacks a header of it or has an impossible value."""


def decode(frame: bytes) -> Event | None:
    """The typed event in a frame; None if nothing here needs it.

    Raises:
        MalformedEvent: the event is one of ours, but a header it cannot be understood without is missing,
            or is no number where there must be one. The frame does not enter the state.
    """
    name = event_name(frame)
    if name is None:
        return None
    reader = _READERS.get(name)
    if reader is None:
        return None
    needed = _ONLY_WITH.get(name)
    if needed is not None and needed.search(frame) is None:
        return None
    pairs = reader.pattern.findall(frame)
    headers = dict(pairs)
    try:
        if len(headers) != len(pairs):
            headers = _without_repetition(name, pairs)
        return reader.decode(headers)
    except KeyError as error:
        raise MalformedEvent(f"{name.decode()} without header {error.args[0].decode()}") from error
    except ValueError as error:
        raise MalformedEvent(f"{name.decode()}: {error}") from error


_STATUSES: Final = {str(int(status)).encode(): status for status in DeviceStatus}

Headers = dict[bytes, bytes]

_ONLY_WITH: Final[Mapping[bytes, re.Pattern[bytes]]] = {
    b"VarSet": re.compile(rb"\r\nVariable: (?:QUEUESTATUS|TRANSFERERNAME)\r\n"),
    b"Newexten": re.compile(rb"\r\nApplication: Queue\r\n"),
    b"DialEnd": re.compile(rb"\r\nDialStatus: (?:ABORT|CANCEL)(?:\r\n|$)"),
}
"""Most frequent events of all, and one in hundreds matters: looked at before anything is parsed."""

_BEFORE_CALLER_FIELDS: Final = frozenset({b"Privilege", b"Timestamp", b"ActionID", b"Channel"})
_LIST_ITEMS: Final = (b"QueueParams", b"QueueMember", b"QueueEntry", b"QueueStatusComplete")
_BEHIND_ENTRYS_CALLER: Final = frozenset({b"Wait", b"Priority", b"ActionID"})
_BETWEEN_TWO_CALLER_FIELDS: Final = frozenset({b"Uniqueid", b"DestChannel"})
"""Agent… events write the caller's number twice: as the agent's ``DestConnectedLineNum`` once more."""


def _without_repetition(name: bytes, pairs: list[tuple[bytes, bytes]]) -> Headers:
    """The headers that Asterisk itself wrote, where some came twice."""
    first, last = dict(reversed(pairs)), dict(pairs)
    if name == b"VarSet" and first != last:
        raise ValueError("repeated headers")
    if name == b"QueueEntry":
        return first | {header: last[header] for header in _BEHIND_ENTRYS_CALLER & last.keys()}
    if b"QueueMember" in name or name in _LIST_ITEMS:
        return first  # here Asterisk writes what identifies the thing before what others can fill
    if name.startswith(b"Agent"):  # neither the first nor the last: as good as not told
        doubtful = {header for header, value in pairs if value != first[header]} & _BETWEEN_TWO_CALLER_FIELDS
        last |= dict.fromkeys(doubtful, b"")
    return last | {header: first[header] for header in _BEFORE_CALLER_FIELDS & first.keys()}


_LARGEST_NUMBER: Final = 2**32
"""Asterisk counts in C's int."""
_END_OF_TIME: Final = float(2**33)
"""Unix seconds in the year 2242."""


def _refuse_channel_headers(h: Headers) -> None:
    """A system event never carries a channel: then it was injected in front of one."""
    if b"Uniqueid" in h or b"Linkedid" in h:
        raise ValueError("headers of a channel in an event that has none")


def _text(h: Headers, header: bytes, default: str = "") -> str:
    value = h.get(header)
    return value.decode(*TEXT) if value else default


def _required(h: Headers, header: bytes) -> str:
    value = h[header]
    if not value:
        raise ValueError(f"empty header {header.decode()}")
    return value.decode(*TEXT)


def _seconds(h: Headers, header: bytes) -> float | None:
    text = h.get(header)
    if not text:
        return None
    if text == b"0":
        return 0.0
    value = float(text)
    if not abs(value) < _END_OF_TIME:  # nor where it is no number
        raise ValueError(f"{header.decode()} is no number of seconds: {text!r}")
    return value


def _at(h: Headers) -> float | None:
    text = h.get(b"Timestamp")
    if not text:
        return None
    at = float(text)
    if not 0.0 <= at < _END_OF_TIME:
        raise ValueError(f"Timestamp is no time: {text!r}")
    return at


def _number(text: bytes | str) -> int:
    value = int(text)
    if abs(value) > _LARGEST_NUMBER:
        raise ValueError("number out of range")
    return value


def _count(h: Headers, header: bytes) -> int | None:
    text = h.get(header)
    return _number(text) if text else None


def _flag(h: Headers, header: bytes) -> bool | None:
    text = h.get(header)
    return text in (b"1", b"yes", b"true") if text else None


def _known(text: str) -> str:
    return "" if text in ("<unknown>", "unknown") else text


def _interface(h: Headers) -> str:
    value = h.get(b"Interface") or h.get(b"Location") or h.get(b"Member") or h.get(b"AgentCalled")
    if not value:
        raise KeyError(b"Interface")
    return value.decode(*TEXT)


def _caller(h: Headers) -> Caller:
    uniqueid = _required(h, b"Uniqueid")
    return Caller(
        uniqueid=uniqueid,
        linkedid=_text(h, b"Linkedid", uniqueid),
        channel=_text(h, b"Channel"),
        number=_known(_text(h, b"CallerIDNum")),
        name=_known(_text(h, b"CallerIDName")),
    )


def _caller_joined(h: Headers) -> CallerJoined:
    return CallerJoined(
        _at(h), _required(h, b"Queue"), _caller(h), _number(_required(h, b"Position")), _count(h, b"Count")
    )


def _caller_left(h: Headers) -> CallerLeft:
    return CallerLeft(
        _at(h), _required(h, b"Queue"), _required(h, b"Uniqueid"), _count(h, b"Position"), _count(h, b"Count")
    )


def _caller_abandoned(h: Headers) -> CallerAbandoned:
    return CallerAbandoned(_at(h), _required(h, b"Queue"), _required(h, b"Uniqueid"), _count(h, b"Position"))


def _ring_s(h: Headers, step: AgentStep) -> float | None:
    """AgentRingNoAnswer tells milliseconds, AgentConnect seconds."""
    ring = _seconds(h, b"RingTime")
    return ring / 1000 if ring is not None and step is AgentStep.NOT_ANSWERED else ring


def _agent_event(step: AgentStep) -> Callable[[Headers], AgentEvent]:
    def build(h: Headers) -> AgentEvent:
        return AgentEvent(
            at=_at(h),
            step=step,
            queue=_required(h, b"Queue"),
            interface=_interface(h),
            member_name=_text(h, b"MemberName"),
            uniqueid=_text(h, b"Uniqueid"),
            dest_channel=_text(h, b"DestChannel"),
            dest_uniqueid=_text(h, b"DestUniqueid"),
            reason=_text(h, b"Reason"),
            number=_known(_text(h, b"CallerIDNum")),
            name=_known(_text(h, b"CallerIDName")),
            hold_s=_seconds(h, b"HoldTime"),
            ring_s=_ring_s(h, step),
            talk_s=_seconds(h, b"TalkTime"),
        )

    return build


def _member_report(h: Headers, interface: str, name: str) -> MemberReport:
    status = h.get(b"Status")
    membership = h.get(b"Membership")
    reason = h.get(b"PausedReason")
    return MemberReport(
        queue=_required(h, b"Queue"),
        interface=interface,
        name=name,
        state_interface=_text(h, b"StateInterface"),
        dynamic=membership == b"dynamic" if membership else None,
        penalty=_count(h, b"Penalty"),
        calls_taken=_count(h, b"CallsTaken"),
        last_call=_seconds(h, b"LastCall"),
        last_pause=_seconds(h, b"LastPause"),
        login_time=_seconds(h, b"LoginTime"),
        in_call=_flag(h, b"InCall"),
        status=_STATUSES.get(status, DeviceStatus.UNKNOWN) if status else None,
        paused=_flag(h, b"Paused"),
        paused_reason=reason.decode(*TEXT) if reason is not None else None,
        ring_in_use=_flag(h, b"Ringinuse"),
        wrapup_s=_seconds(h, b"Wrapuptime"),
    )


def _member_changed(change: MemberChange) -> Callable[[Headers], MemberChanged]:
    def build(h: Headers) -> MemberChanged:
        _refuse_channel_headers(h)
        if change is MemberChange.PAUSE and b"Reason" in h:
            h.setdefault(b"PausedReason", h[b"Reason"])  # 11 and the first 13s
        return MemberChanged(_at(h), change, _member_report(h, _interface(h), _text(h, b"MemberName")))

    return build


def _queue_entered(h: Headers) -> QueueEntered | None:
    queue = _text(h, b"AppData").split(",", 1)[0].strip()
    if not queue or h.get(b"Application") != b"Queue":
        return None
    return QueueEntered(_at(h), queue, _caller(h), _text(h, b"Context"), _text(h, b"Extension"))


def _variable_set(h: Headers) -> QueueStatusSet | ConsultationBegun | None:
    value = _text(h, b"Value")
    variable = h.get(b"Variable")
    if not value:
        return None
    if variable == b"QUEUESTATUS":
        return QueueStatusSet(_at(h), _required(h, b"Uniqueid"), value.upper())
    if variable == b"TRANSFERERNAME":
        return ConsultationBegun(_at(h), value)
    return None


def _dial_cancelled(h: Headers) -> DialCancelled | None:
    if h.get(b"DialStatus") not in (b"ABORT", b"CANCEL"):
        return None
    return DialCancelled(_at(h), _required(h, b"DestUniqueid"))


def _channel_gone(h: Headers) -> ChannelGone:
    return ChannelGone(
        _at(h),
        _required(h, b"Uniqueid"),
        _text(h, b"Channel"),
        _count(h, b"Cause"),
        _text(h, b"Context"),
        _text(h, b"Exten"),
    )


def _is_transfer(h: Headers) -> bool:
    """Threeway: the agent has stayed in the call."""
    return h.get(b"Result") == b"Success" and h.get(b"DestType") != b"Threeway"


def _blind_transfer(h: Headers) -> CallTransferred | None:
    if not _is_transfer(h):
        return None
    transferer = _text(h, b"TransfererUniqueid")
    return CallTransferred(
        _at(h), False, (transferer,), _text(h, b"TransfereeUniqueid"), _text(h, b"Extension")
    )


def _attended_transfer(h: Headers) -> CallTransferred | None:
    """The target: where the consultation's far end is (DTMF), or what the second phone call had dialled."""
    if not _is_transfer(h):
        return None
    first, second = _text(h, b"OrigTransfererUniqueid"), _text(h, b"SecondTransfererUniqueid")
    target = _text(h, b"TransferTargetExten") or (
        _text(h, b"SecondTransfererExten") if second != first else ""
    )
    return CallTransferred(_at(h), True, (first, second), _text(h, b"TransfereeUniqueid"), target)


def _fully_booted(h: Headers) -> FullyBooted:
    _refuse_channel_headers(h)
    return FullyBooted(_at(h), _seconds(h, b"Uptime"))


def _shutting_down(h: Headers) -> ShuttingDown:
    _refuse_channel_headers(h)
    return ShuttingDown(_at(h), _text(h, b"Restart").lower() == "true")


def _reloaded(h: Headers) -> Reloaded:
    _refuse_channel_headers(h)
    return Reloaded(_at(h), _text(h, b"Module", "All").removesuffix(".so"))


def _module_loaded(loaded: bool) -> Callable[[Headers], ModuleLoaded | None]:
    def build(h: Headers) -> ModuleLoaded | None:
        _refuse_channel_headers(h)
        if h.get(b"Status", b"Success") != b"Success":
            return None
        return ModuleLoaded(_at(h), _text(h, b"Module").removesuffix(".so"), loaded)

    return build


def _queue_listed(h: Headers) -> QueueListed:
    return QueueListed(
        action_id=_text(h, b"ActionID"),
        queue=_required(h, b"Queue"),
        strategy=_text(h, b"Strategy"),
        max_len=_count(h, b"Max") or 0,
        service_level_s=_seconds(h, b"ServiceLevel") or 0.0,
        weight=_count(h, b"Weight") or 0,
        completed=_count(h, b"Completed") or 0,
        abandoned=_count(h, b"Abandoned") or 0,
    )


def _member_listed(h: Headers) -> MemberListed:
    return MemberListed(
        _text(h, b"ActionID"), _member_report(h, _required(h, b"Location"), _text(h, b"Name"))
    )


def _caller_listed(h: Headers) -> CallerListed:
    return CallerListed(
        action_id=_text(h, b"ActionID"),
        queue=_required(h, b"Queue"),
        caller=_caller(h),
        position=_number(_required(h, b"Position")),
        wait_s=_seconds(h, b"Wait") or 0.0,
        priority=_count(h, b"Priority"),
    )


def _queue_list_ended(h: Headers) -> QueueListEnded:
    return QueueListEnded(_text(h, b"ActionID"))


_Decoder = Callable[[Headers], Event | None]


class _Reader(NamedTuple):
    """How an event is read, and the only headers of it that are looked at."""

    decode: _Decoder
    pattern: re.Pattern[bytes]


def _reader(decoder: _Decoder, headers: bytes) -> _Reader:
    return _Reader(decoder, header_pattern(headers.split()))


_CALLER = b"Timestamp Channel CallerIDNum CallerIDName Uniqueid Linkedid "
_VISIT = _CALLER + b"Queue Position Count"
_AGENT = (
    b"Timestamp Uniqueid DestChannel DestUniqueid Queue Interface Location Member AgentCalled MemberName "
)
_ANSWERED = _AGENT + b"CallerIDNum CallerIDName HoldTime RingTime TalkTime Reason"
_MEMBER = (
    b"Queue MemberName Name Interface Location Member StateInterface Membership Penalty CallsTaken LastCall "
    b"LastPause LoginTime InCall Status Paused PausedReason Reason Ringinuse Wrapuptime "
)
_CHANGED = _MEMBER + b"Timestamp Uniqueid Linkedid"
_SYSTEM = b"Timestamp Module Status Restart Uptime Uniqueid Linkedid"
_LISTED = b"ActionID Queue "

_READERS: Final[Mapping[bytes, _Reader]] = {
    b"QueueCallerJoin": _reader(_caller_joined, _VISIT),
    b"QueueCallerLeave": _reader(_caller_left, _VISIT),
    b"QueueCallerAbandon": _reader(_caller_abandoned, _VISIT),
    b"AgentCalled": _reader(_agent_event(AgentStep.CALLED), _AGENT),
    b"AgentConnect": _reader(_agent_event(AgentStep.CONNECTED), _ANSWERED),
    b"AgentComplete": _reader(_agent_event(AgentStep.COMPLETED), _ANSWERED),
    b"AgentRingNoAnswer": _reader(_agent_event(AgentStep.NOT_ANSWERED), _AGENT + b"RingTime"),
    b"AgentDump": _reader(_agent_event(AgentStep.DUMPED), _AGENT),
    b"QueueMemberStatus": _reader(_member_changed(MemberChange.STATUS), _CHANGED),
    b"QueueMemberAdded": _reader(_member_changed(MemberChange.ADDED), _CHANGED),
    b"QueueMemberRemoved": _reader(_member_changed(MemberChange.REMOVED), _CHANGED),
    b"QueueMemberPause": _reader(_member_changed(MemberChange.PAUSE), _CHANGED),
    b"QueueMemberPenalty": _reader(_member_changed(MemberChange.PENALTY), _CHANGED),
    b"QueueMemberRinginuse": _reader(_member_changed(MemberChange.RING_IN_USE), _CHANGED),
    b"Newexten": _reader(_queue_entered, _CALLER + b"Context Extension Application AppData"),
    b"VarSet": _reader(_variable_set, b"Timestamp Uniqueid Variable Value"),
    b"DialEnd": _reader(_dial_cancelled, b"Timestamp DestUniqueid DialStatus"),
    b"Hangup": _reader(_channel_gone, b"Timestamp Channel Uniqueid Cause Context Exten"),
    b"BlindTransfer": _reader(
        _blind_transfer, b"Timestamp Result TransfererUniqueid TransfereeUniqueid Extension"
    ),
    b"AttendedTransfer": _reader(
        _attended_transfer,
        b"Timestamp Result DestType OrigTransfererUniqueid SecondTransfererUniqueid SecondTransfererExten "
        b"TransfereeUniqueid TransferTargetExten",
    ),
    b"FullyBooted": _reader(_fully_booted, _SYSTEM),
    b"Shutdown": _reader(_shutting_down, _SYSTEM),
    b"Reload": _reader(_reloaded, _SYSTEM),
    b"Load": _reader(_module_loaded(loaded=True), _SYSTEM),
    b"Unload": _reader(_module_loaded(loaded=False), _SYSTEM),
    b"QueueParams": _reader(_queue_listed, _LISTED + b"Strategy Max ServiceLevel Weight Completed Abandoned"),
    b"QueueMember": _reader(_member_listed, _LISTED + _MEMBER),
    b"QueueEntry": _reader(_caller_listed, _LISTED + _CALLER + b"Position Wait Priority"),
    b"QueueStatusComplete": _reader(_queue_list_ended, _LISTED),
    # Asterisk 11's names
    b"Join": _reader(_caller_joined, _VISIT),
    b"Leave": _reader(_caller_left, _VISIT),
    b"QueueMemberPaused": _reader(_member_changed(MemberChange.PAUSE), _CHANGED),
}

NEEDED_EVENTS: Final = frozenset(name.decode("ascii") for name in _READERS)
"""Names of all events that `decode` understands."""
