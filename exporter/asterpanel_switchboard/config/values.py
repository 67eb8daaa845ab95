"""Single values of the configuration file: durations, addresses, names, time zones, globs, files.

Each parser takes what YAML gave and raises `ValueError` with a message for the person who wrote the file.
"""

import difflib
import ipaddress
import math
import os
import re
import ssl
from collections.abc import Callable, Container
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationInfo

from asterpanel_switchboard.config.services import (
    CONTROL_API_ALONE,
    EXPORTER_AND_ITS_COMMANDS,
    Service,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_MAX_NAME_CHARS = 63
_RESERVED_NAME = "stream"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, None: 1}
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?")
_UNIT_BYTES = (
    {None: 1, "B": 1}
    | {f"{prefix}B": 1000**power for power, prefix in enumerate("KMGT", 1)}
    | {f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", 1)}
)
TENANT_MARK = "{tenant}"
"""Stands for a tenant's name in the name of a bucket."""
MAX_MEMBER_TEXT_BYTES = 79
_LISTEN = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^\[\]:]+)):(?P<port>\d{1,5})")


class ListenAddress(NamedTuple):
    """Where a server listens. Port 0 means any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return format_address(self.host, self.port)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and reached only from it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def format_address(host: str, port: int) -> str:
    """`host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_duration(value: object) -> float:
    """Seconds from a number of seconds or from text such as `250ms`, `20s`, `5m`, `1h`, `30d`, `2w`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        seconds = float(match[1]) * _UNIT_SECONDS[match[2]]
    else:
        raise ValueError(
            "must be a duration: seconds, or a number with ms, s, m, h, d or w (250ms, 20s, 5m, 1h, 30d)"
        )
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError("must not be negative or infinite")
    return seconds


def parse_share(value: object) -> float:
    """A share from 0 to 1, from a number or from text such as `80%`."""
    match = _SHARE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None:
        share = float(match[1]) / 100
    elif isinstance(value, int | float) and not isinstance(value, bool):
        share = float(value)
    else:
        raise ValueError("must be a share: per cent as in 80%, or a number from 0 to 1")
    if not 0 <= share <= 1:
        raise ValueError("must be a share from 0% to 100%, or from 0 to 1")
    return share


def parse_size(value: object) -> int:
    """Bytes from a number of bytes or from text such as `500MB`, `10GB` (powers of 1000) or `10GiB`."""
    if isinstance(value, int) and not isinstance(value, bool):
        size: float = value
    elif isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        size = float(match[1]) * _UNIT_BYTES[match[2]]
    else:
        raise ValueError("must be a size: bytes, or a number with KB, MB, GB, TB, KiB, MiB, GiB or TiB")
    if not 0 <= size < 2**63:
        raise ValueError("must not be negative, or beyond all disks")
    return int(size)


def parse_listen(value: object) -> ListenAddress:
    """`127.0.0.1:9977`, `exporter.lan:9977` or `[::1]:9977`."""
    if isinstance(value, ListenAddress):
        return value
    match = _LISTEN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be host:port, as in 127.0.0.1:9977, 0.0.0.0:9977 or [::1]:9977")
    port = int(match["port"])
    if port > 65535:
        raise ValueError("the port must be 65535 or less")
    if match["v6"] is not None:
        return ListenAddress(str(ipaddress.IPv6Address(match["v6"])), port)
    return ListenAddress(_check_host(match["host"]), port)


def parse_time_zone(value: object) -> ZoneInfo:
    """An IANA time zone, as in `Europe/Rome`."""
    if isinstance(value, ZoneInfo):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError("must be the name of a time zone, as in Europe/Rome")
    try:
        return ZoneInfo(value)
    # Beside ZoneInfoNotFoundError (a KeyError), a path-like name gives ValueError or an OSError.
    except (KeyError, ValueError, OSError):
        hint = did_you_mean(value, available_timezones())
        raise ValueError(f"is no known IANA time zone{hint}") from None


def did_you_mean(word: str, known: set[str] | frozenset[str]) -> str:
    """` (did you mean 'port'?)` for the most similar known word, or nothing."""
    folded = {candidate.casefold(): candidate for candidate in sorted(known)}
    matches = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.75)
    return f" (did you mean {folded[matches[0]]!r}?)" if matches else ""


def has_control_characters(text: str) -> bool:
    """Whether a value could break out of its line in the manager protocol."""
    return any(ord(char) < 32 or ord(char) == 127 for char in text)


def objection_to_member_text(text: str, most_bytes: int = MAX_MEMBER_TEXT_BYTES) -> str:
    """Why Asterisk would not have a text of a queue member as it is, blanks around it aside; "" if it would.

    Asterisk itself takes more than is good (seen in 16.28 and 22.10):

    - Interfaces, names and reasons are cut at 79 bytes (``struct member``), be it inside a character; an
      event that is not UTF-8 is dropped.
    - With persistent members they are kept in AstDB between ``;`` and ``|`` unquoted: the reason
      ``x|Local/…;0;0`` is a further queue member after the next restart. ``|`` divides queue_log's fields
      too.
    """
    if has_control_characters(text):
        return "must not hold a line break or another control character"
    if "|" in text or ";" in text:
        return "must not hold | or ;"
    try:
        size = len(text.strip().encode())
    except UnicodeEncodeError:
        return "must be text that UTF-8 can hold"
    return f"must not be longer than {most_bytes} bytes" if size > most_bytes else ""


def _check_member_text(value: str) -> str:
    if objection := objection_to_member_text(value):
        raise ValueError(objection)
    return value


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value) or len(value) > _MAX_NAME_CHARS:
        raise ValueError(
            f"must be 1 to {_MAX_NAME_CHARS} lower-case letters, digits and dashes, not starting with a dash"
        )
    return value


def _check_switchboard_name(value: str) -> str:
    if value == _RESERVED_NAME:
        raise ValueError(f"must not be {_RESERVED_NAME!r}: /state/{_RESERVED_NAME} is the state's stream")
    return value


def _check_host(value: str) -> str:
    host = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    if not host or any(char.isspace() or char in "/[]@" for char in host) or has_control_characters(host):
        raise ValueError("must be a host name or an IP address")
    if host.count(":") == 1:
        raise ValueError("must be a host alone; the port has a key of its own")
    if ":" in host:
        ipaddress.IPv6Address(host)
    return host


def _check_line(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    if has_control_characters(value):
        raise ValueError("must not contain control characters")
    return value


def _check_pattern(value: str) -> str:
    try:
        groups = re.compile(value).groups
    except re.error as error:
        raise ValueError(f"is not a valid regular expression: {error}") from None
    if groups != 1:
        raise ValueError(
            f"must have exactly one capturing group, the agent's identity; it has {groups}"
            " (write (?:…) for a group that is not captured)"
        )
    return value


def _check_http_url(value: str) -> str:
    hint = "must be a URL such as http://127.0.0.1:8086 or https://influxdb.example:8086"
    if any(char.isspace() for char in value) or has_control_characters(value):
        raise ValueError(hint)
    try:
        url = urlsplit(value)
        usable = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        raise ValueError(hint) from None
    if not usable:
        raise ValueError(hint)
    if "@" in url.netloc:
        raise ValueError("must not hold a user or a password")
    if url.query or url.fragment:
        raise ValueError("must end with the path: no ? and no #")
    return value.rstrip("/")


def _check_bucket(value: str) -> str:
    plain = _check_line(value).replace(TENANT_MARK, "")
    if "{" in plain or "}" in plain:
        raise ValueError(f"only {TENANT_MARK} may stand in braces")
    if value.startswith("_") or '"' in value:
        raise ValueError('must not begin with _ and must not hold ": InfluxDB refuses such buckets')
    return value


def beside_config(path: Path, info: ValidationInfo) -> Path:
    """The path, seen from the folder of the configuration file if it is relative."""
    folder = (info.context or {}).get("folder")
    return folder / path if isinstance(folder, Path) else path


def _check_ca_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("no such file (a relative path starts at the configuration file's folder)")
    if not os.access(path, os.R_OK):
        raise ValueError("cannot be read: permission denied")
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError):
        raise ValueError("holds no usable certificate (PEM expected)") from None
    return path


def _check_ca_file_of(services: Container[Service]) -> Callable[[Path, ValidationInfo], Path]:
    def check(path: Path, info: ValidationInfo) -> Path:
        service = (info.context or {}).get("service")
        return _check_ca_file(path) if service in services else path

    return check


Name = Annotated[str, AfterValidator(_check_name)]
"""A tenant, and whatever else is a label value and part of URLs."""
SwitchboardName = Annotated[Name, AfterValidator(_check_switchboard_name)]
Host = Annotated[str, AfterValidator(_check_host)]
"""A host name or an address, IPv6 without brackets."""
Line = Annotated[str, AfterValidator(_check_line)]
"""Text for one line of the manager protocol: not empty, no control characters."""
MemberText = Annotated[Line, AfterValidator(_check_member_text)]
"""A line that Asterisk keeps with a queue member as it is, such as the reason of a pause."""
Glob = Annotated[str, StringConstraints(min_length=1)]
"""A shell pattern (`*`, `?`, `[…]`), case-sensitive."""
Seconds = Annotated[float, BeforeValidator(parse_duration)]
"""A duration, in seconds."""
Share = Annotated[float, BeforeValidator(parse_share)]
"""A share of a whole, from 0.0 to 1.0."""
Bytes = Annotated[int, BeforeValidator(parse_size)]
"""A size, in bytes."""
HttpUrl = Annotated[str, AfterValidator(_check_http_url)]
"""The address of a web service, without a slash at its end."""
Bucket = Annotated[str, AfterValidator(_check_bucket)]
"""A bucket's name, `{tenant}` in it not yet replaced."""
Listen = Annotated[ListenAddress, BeforeValidator(parse_listen)]
TimeZone = Annotated[ZoneInfo, BeforeValidator(parse_time_zone)]
ConfigPath = Annotated[Path, AfterValidator(beside_config)]
CaFile = Annotated[Path, AfterValidator(beside_config), AfterValidator(_check_ca_file)]
"""Certificates that every service needs."""
ExporterCaFile = Annotated[
    Path, AfterValidator(beside_config), AfterValidator(_check_ca_file_of(EXPORTER_AND_ITS_COMMANDS))
]
ControlCaFile = Annotated[
    Path, AfterValidator(beside_config), AfterValidator(_check_ca_file_of(CONTROL_API_ALONE))
]
IdentityPattern = Annotated[str, AfterValidator(_check_pattern)]
