"""Globs as the regular expressions of Prometheus and Alertmanager (RE2, matched against the whole value)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

NEVER: Final = r"[^\s\S]"
"""Matches nothing."""

_SPECIAL: Final = re.compile(r"([\\.+*?()|\[\]{}^$])")


def regex(globs: Iterable[str]) -> str:
    """What matches where one of the globs does, as `fnmatch.fnmatchcase` understands them.

    A line break is in no name that AMI tells; ``.`` does not match it, ``*`` of a glob would. Of a class,
    only a ``!`` at its beginning negates; `fnmatch` also takes one after a range the wrong way round, as in
    ``[z-a!]``.
    """
    parts = dict.fromkeys(map(_regex, globs))
    return "|".join(parts) if parts else NEVER


def caseless_regex(globs: Iterable[str]) -> str:
    """The same, with A the same as a: profiles are written so.

    RE2 also takes ſ for s and the Kelvin sign for k. Ranges across the end of the alphabet ("[Y-b]") are
    those of the lower-case glob.
    """
    return f"(?i:{regex(glob.lower() for glob in globs)})"


def _regex(glob: str) -> str:
    parts: list[str] = []
    at = 0
    while at < len(glob):
        char = glob[at]
        at += 1
        if char == "*":
            if parts[-1:] != [".*"]:
                parts.append(".*")
        elif char == "?":
            parts.append(".")
        elif char == "[" and (end := _end_of_class(glob, at)) is not None:
            parts.append(_class(glob[at:end]))
            at = end + 1
        else:
            parts.append(_SPECIAL.sub(r"\\\1", char))
    return "".join(parts)


def _end_of_class(glob: str, start: int) -> int | None:
    """Where the ] is; one that comes first is a member. None: the [ is an ordinary character."""
    first = start + 1 if glob[start : start + 1] == "!" else start
    end = glob.find("]", first + 1 if glob[first : first + 1] == "]" else first)
    return None if end < 0 else end


def _class(text: str) -> str:
    """``!a-c`` as ``[^a-c]``."""
    negated = text.startswith("!")
    members = "".join(_members(text[negated:]))
    if not members:
        return "." if negated else NEVER
    return f"[{'^' if negated else ''}{members}]"


def _members(text: str) -> Iterator[str]:
    """Characters and ranges; a range whose ends are the wrong way round has no members."""
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            first, last = text[at], text[at + 2]
            if first <= last:
                yield f"{_member(first)}-{_member(last)}"
            at += 3
        else:
            yield _member(text[at])
            at += 1


def _member(char: str) -> str:
    return f"\\{char}" if char.isascii() and not char.isalnum() and char != "_" else char
