"""What InfluxDB's answers to a write mean.

Of 1.x, 2.x and 3 alike: 204 acknowledges every line. 400 and 422 refuse lines; the others of the batch may
have been written (1.x and 3 on 400, 2.x on 422) or not (2.x on 400). Everything else refuses no line.
https://docs.influxdata.com/influxdb/v2/write-data/troubleshoot/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final

from urllib3.exceptions import HTTPError, InvalidHeader, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError
from urllib3.util import Retry

LONGEST_RETRY_AFTER_S: Final = 3600.0
"""A server that asks for more is not believed."""

MAX_MESSAGE_CHARS: Final = 2000


class FailureKind(Enum):
    """Why a write has failed."""

    REFUSED = "refused"
    TOO_LARGE = "too_large"
    DENIED = "denied"
    NOT_FOUND = "not_found"
    BUSY = "busy"
    SERVER_ERROR = "server_error"
    UNEXPECTED = "unexpected"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TLS = "tls"
    JOURNAL = "journal"
    INTERNAL = "internal"


NEEDS_A_PERSON: Final = frozenset(
    {FailureKind.DENIED, FailureKind.NOT_FOUND, FailureKind.UNEXPECTED, FailureKind.TLS}
)
"""These do not pass by themselves: something must be set up."""


class WriteError(Exception):
    """A write that InfluxDB has not acknowledged.

    Attributes:
        kind: what to do about it.
        message: the server's own reason, or what happened to the connection; it never holds a token. Where
            lines were refused it may quote them.
        retry_after_s: how long the server asks us to wait.
        dropped: how many lines the server says that it has dropped, having taken the others.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        retry_after_s: float | None = None,
        dropped: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message[:MAX_MESSAGE_CHARS]
        self.retry_after_s = retry_after_s
        self.dropped = dropped

    @property
    def summary(self) -> str:
        """The message without what it quotes of lines, which hold callers' data."""
        return _QUOTED_LINE.sub("unable to parse a line", self.message)[:300]


_QUOTED_LINE = re.compile(r"unable to parse '.*'", re.DOTALL)
_DROPPED = re.compile(r"\bdropped=(\d+)(?: for database: \S+ for retention policy: \S+)?$")


def error_of_answer(status: int, headers: Mapping[str, str], body: str) -> WriteError:
    """What an answer other than 204 means."""
    said = _said_by_influxdb(body)
    return WriteError(
        _kind(status, said),
        said or f"HTTP {status}",
        retry_after_s=_retry_after_s(headers),
        dropped=None if said is None else _dropped(said),
    )


_KINDS: Final = {
    201: FailureKind.REFUSED,  # InfluxDB 3 Clustered: a part was written
    400: FailureKind.REFUSED,
    401: FailureKind.DENIED,
    403: FailureKind.DENIED,
    404: FailureKind.NOT_FOUND,
    413: FailureKind.TOO_LARGE,
    422: FailureKind.REFUSED,
    429: FailureKind.BUSY,
    503: FailureKind.BUSY,
}


_ONLY_INFLUXDB: Final = frozenset({FailureKind.REFUSED, FailureKind.NOT_FOUND})
"""What a proxy or another web server says of its own accord tells nothing about our lines and bucket."""


def _kind(status: int, said: str | None) -> FailureKind:
    kind = _KINDS.get(status) or (FailureKind.SERVER_ERROR if status >= 500 else FailureKind.UNEXPECTED)
    if said is None and kind in _ONLY_INFLUXDB:
        return FailureKind.UNEXPECTED
    if status == 403 and said is not None and "retention" in said:
        # InfluxDB Cloud's answer to points that are too old.
        return FailureKind.REFUSED
    return kind


def _said_by_influxdb(body: str) -> str | None:
    """The message in InfluxDB's JSON; None: somebody else has answered."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    said = answer.get("message") or answer.get("error")
    if not isinstance(said, str):
        return None
    return ": ".join([said, *_reasons_of_lines(answer.get("data"))])


def _reasons_of_lines(data: object) -> Iterator[str]:
    """InfluxDB 3 tells them beside the message; the first says enough."""
    for line in data[:1] if isinstance(data, list) else ():
        if isinstance(line, dict) and isinstance(line.get("error_message"), str):
            yield line["error_message"]


def _dropped(said: str) -> int | None:
    """Of ``partial write: … dropped=2``; a quoted line could say anything."""
    found = None if "unable to parse" in said else _DROPPED.search(said)
    return int(found[1]) if found and "partial write" in said else None


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Of ``Retry-After``: seconds, or a date."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    if value is None:
        return None
    try:
        return min(max(0.0, Retry().parse_retry_after(value)), LONGEST_RETRY_AFTER_S)
    except InvalidHeader:
        return None


def error_of_exception(error: HTTPError, timeout_s: float) -> WriteError:
    """What an exception of urllib3 means."""
    causes = list(_causes(error))
    if any(isinstance(cause, SSLError) for cause in causes):
        return WriteError(FailureKind.TLS, tls_problem(str(error)))
    if any(map(_is_timeout, causes)):
        return WriteError(FailureKind.TIMEOUT, f"no answer within {timeout_s:g} s")
    system = next((cause for cause in causes if isinstance(cause, OSError)), None)
    reason = str(error) if system is None else system.strerror or str(system)
    return WriteError(FailureKind.CONNECTION, reason)


def _is_timeout(cause: BaseException) -> bool:
    # NewConnectionError, of a refused connection too, calls itself a time-out.
    return isinstance(cause, TimeoutError) or (
        isinstance(cause, Urllib3TimeoutError) and not isinstance(cause, NewConnectionError)
    )


def tls_problem(text: str) -> str:
    """OpenSSL's words, without the place in its source."""
    return re.sub(r" \(_ssl\.c:\d+\)", "", text.replace("SSLError\n", "").strip())


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, and those that it was made from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        yield from (argument for argument in seen.args if isinstance(argument, BaseException))
        seen = seen.__cause__ or seen.__context__
