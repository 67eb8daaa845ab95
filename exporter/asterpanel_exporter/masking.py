"""Takes callers' numbers and names out of a recording, frame by frame, and leaves what happened.

A pseudonym is random, the same each time within one recording, and kept nowhere: without the recording's
original it cannot be undone.

Only the events that the exporter understands, now or soon, are kept. The others (channel variables, dialplan
steps, SIP headers) can hold a caller's data anywhere, in any spelling, and are left out.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable

from asterpanel_exporter.manager_conf import EVENTS, MATCHES
from asterpanel_switchboard.decoding import NEEDED_EVENTS
from asterpanel_switchboard.wire import event_name

MIN_DIGITS = 5
"""Shorter numbers are extensions of the house, and stay."""

MIN_NAME_BYTES = 4
"""Shorter names are replaced where they are the whole value, not inside longer text."""

_KEPT = frozenset(
    name.encode() for name in (*NEEDED_EVENTS, *EVENTS, "BridgeLeave", "DialEnd", "HangupRequest")
)
_KEPT_ONLY_WITH = {
    match.event.encode(): tuple(f"\r\n{match.header}: {value}\r\n".encode() for value in match.values)
    for match in MATCHES
    if match.event in ("VarSet", "Newexten")
}

_NUMBERS = (b"CallerIDNum", b"ConnectedLineNum", b"CallerID")
_NAMES = (b"CallerIDName", b"ConnectedLineName")
_INTERFACES = frozenset((b"Interface", b"Location", b"StateInterface", b"Member", b"Agent"))
_TIMES_AND_COUNTS = frozenset(
    b"Timestamp LastCall LastPause LoginTime LoggedInTime Logintime HoldTime Holdtime TalkTime RingTime "
    b"Completed Abandoned CallsTaken Uptime LastReload Wait ListItems Position OriginalPosition Count "
    b"Penalty Max Weight Wrapuptime Priority ServiceLevel Privilege Event Response ActionID".split()
)
_DIALLED = frozenset((b"Queue", b"Exten", b"DestExten", b"Extension"))
_DROPPED = (b"ChanVariable", b"DestChanVariable", b"AccountCode", b"DestAccountCode")
"""What an administrator puts into a channel: of no use here, and it can be anything."""

_DIGITS = re.compile(rb"(?<!\d)\d{%d,}(?!\d)" % MIN_DIGITS)
_EPOCH_ID = re.compile(rb"(?:[^\r]*-)?\d{9,10}\.\d+")
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHANNEL_SUFFIX = re.compile(rb"-[0-9a-f]{8}(?:;[12])?$")
_NUMBER = re.compile(rb"\+?\d+")
_UNKNOWN = frozenset((b"", b"<unknown>", b"unknown"))


class KnownNames:
    """Finds names inside text, at a cost that does not grow with the number of names.

    The first bytes of each name lead to the lengths that names beginning so have; a piece of text of such a
    length is looked up whole.
    """

    def __init__(self) -> None:
        self._pseudonyms: dict[bytes, bytes] = {}
        self._lengths: dict[bytes, tuple[int, ...]] = {}

    def add(self, name: bytes, pseudonym: bytes) -> None:
        """Replace that name from now on; one that is too short is left out."""
        if len(name) < MIN_NAME_BYTES:
            return
        self._pseudonyms[name] = pseudonym
        head = name[:MIN_NAME_BYTES]
        lengths = self._lengths.get(head, ())
        if len(name) not in lengths:
            self._lengths[head] = tuple(sorted((*lengths, len(name)), reverse=True))

    def replace(self, text: bytes, rest: Callable[[bytes], bytes]) -> bytes:
        """The text with a pseudonym for each name in it, of two names at one place the longer.

        What stands between the names goes through ``rest``.
        """
        heads = [text[at : at + MIN_NAME_BYTES] for at in range(len(text) - MIN_NAME_BYTES + 1)]
        if self._lengths.keys().isdisjoint(heads):
            return rest(text)
        pieces: list[bytes] = []
        done = 0
        for at, head in enumerate(heads):
            if at < done:
                continue
            for length in self._lengths.get(head, ()):
                pseudonym = self._pseudonyms.get(text[at : at + length])
                if pseudonym is not None:
                    pieces += (rest(text[done:at]), pseudonym)
                    done = at + length
                    break
        return b"".join((*pieces, rest(text[done:])))


class Masking:
    """The pseudonyms of one recording.

    Agents stay who they are: their extensions (whatever stands in a member's interface) and, unless
    ``mask_names``, their names. So do the names of queues.
    """

    def __init__(self, *, mask_names: bool = False) -> None:
        self._mask_names = mask_names
        self._numbers: dict[bytes, bytes] = {}
        self._taken: set[bytes] = set()
        self._names: dict[bytes, bytes] = {}
        self._agents: dict[bytes, bytes] = {}
        self._known = KnownNames()
        self._own: set[bytes] = set()
        self._callers = itertools.count(1)
        self._members = itertools.count(1)

    def apply(self, frame: bytes) -> bytes | None:
        """The frame with pseudonyms; None if it is to be left out."""
        name = event_name(frame)
        if name is not None and not _is_kept(name, frame):
            return None
        lines = frame.split(b"\r\n")
        fields = [line.partition(b": ") for line in lines]
        dialled = {value for header, _, value in fields if header in _DIALLED}
        for header, _, value in fields:
            self._learn_house(header, value, name)
        for header, _, value in fields:
            if value not in dialled:
                self._learn_caller(header, value)
        masked = [
            (header + separator + self._value(header, value, name)) if separator else self._free(header)
            for header, separator, value in fields
            if not header.startswith(_DROPPED)
        ]
        return b"\r\n".join(masked)

    # --- what is the house's own, and who is who ----------------------------------------------------

    def _learn_house(self, header: bytes, value: bytes, event: bytes | None) -> None:
        if header in _INTERFACES or header == b"Queue":
            self._own.update(_DIGITS.findall(_CHANNEL_SUFFIX.sub(b"", value)))
        elif _is_queue_application(header, event):
            self._own.update(_DIGITS.findall(value.partition(b",")[0]))
        elif _is_member_name(header, event) and value not in self._agents:
            # Without a name of his own a member is called by his interface.
            masked = self._mask_names and b"/" not in value
            self._agents[value] = b"Agent %d" % next(self._members) if masked else value
            if masked:
                self._known.add(value, self._agents[value])

    def _learn_caller(self, header: bytes, value: bytes) -> None:
        if value in _UNKNOWN or value in self._agents:
            return
        if header.endswith(_NAMES) or (header.endswith(_NUMBERS) and not _NUMBER.fullmatch(value)):
            self._pseudonym_of_name(value)

    def _pseudonym_of_name(self, name: bytes) -> bytes:
        found = self._names.get(name)
        if found is None:
            found = self._names[name] = b"Caller %d" % next(self._callers)
            if not _NUMBER.fullmatch(name):
                self._known.add(name, found)
        return found

    def _pseudonym_of_number(self, digits: bytes) -> bytes:
        if digits in self._own:
            return digits
        found = self._numbers.get(digits)
        while found is None:
            drawn = b"%0*d" % (len(digits), secrets.randbelow(10 ** len(digits)))
            if drawn not in self._taken and drawn not in self._own and drawn != digits:
                found = self._numbers[digits] = drawn
                self._taken.add(drawn)
        return found

    # --- values -------------------------------------------------------------------------------------

    def _value(self, header: bytes, value: bytes, event: bytes | None) -> bytes:
        if value in _UNKNOWN or header in _TIMES_AND_COUNTS or header in _INTERFACES or header == b"Queue":
            return value
        if header.lower().endswith((b"uniqueid", b"linkedid")):
            is_plain = _EPOCH_ID.fullmatch(value) or _UUID.fullmatch(value)
            return value if is_plain else self._digits(value)
        if _is_queue_application(header, event):
            queue, comma, rest = value.partition(b",")
            return queue + comma + self._free(rest)
        if _is_member_name(header, event) or (header.endswith(_NAMES) and value in self._agents):
            return self._agents[value]
        if header.endswith((*_NAMES, *_NUMBERS)) and value in self._names:
            return self._names[value]
        return self._free(value)

    def _free(self, text: bytes) -> bytes:
        suffix = _CHANNEL_SUFFIX.search(text)
        end = suffix.start() if suffix else len(text)
        return self._known.replace(text[:end], self._digits) + text[end:]

    def _digits(self, text: bytes) -> bytes:
        return _DIGITS.sub(lambda match: self._pseudonym_of_number(match[0]), text)


def _is_kept(name: bytes, frame: bytes) -> bool:
    only_with = _KEPT_ONLY_WITH.get(name)
    return name in _KEPT and (only_with is None or any(needle in frame for needle in only_with))


def _is_member_name(header: bytes, event: bytes | None) -> bool:
    return header == b"MemberName" or (header == b"Name" and event == b"QueueMember")


def _is_queue_application(header: bytes, event: bytes | None) -> bool:
    return header == b"AppData" and event == b"Newexten"
