"""Globs over the names of switchboards, queues and agents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def ascii_lower(text: str) -> str:
    """The text with A to Z in lower case, and nothing else changed.

    `str.lower` and `str.casefold` make one of names that are not the same to Asterisk or Grafana: the Kelvin
    sign and k, long s and s.
    """
    return text.translate(_ASCII_LOWER)


@dataclass(frozen=True, slots=True)
class Globs:
    """Shell patterns of which one must match.

    The case of A to Z does not matter, as it does not matter to Asterisk, whose queues and interfaces are
    the same in any case: otherwise another spelling would lead around a profile's limits.
    """

    patterns: tuple[str, ...] = ("*",)

    @property
    def everything(self) -> bool:
        """Whether every name matches."""
        return "*" in self.patterns

    def match(self, name: str) -> bool:
        """Whether a pattern matches the whole name."""
        return _match(self.patterns, name)


@lru_cache(maxsize=65536)
def _match(patterns: tuple[str, ...], name: str) -> bool:
    return "*" in patterns or _compiled(patterns).fullmatch(ascii_lower(name)) is not None


@lru_cache(maxsize=4096)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(translate(ascii_lower(pattern)) for pattern in patterns) or r"(?!)")
