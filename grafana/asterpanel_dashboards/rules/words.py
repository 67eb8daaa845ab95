"""Limits as people say them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60))


def duration(seconds: float) -> str:
    """``1m 30s``."""
    parts = []
    rest = seconds
    for unit, size in _UNITS:
        whole, rest = divmod(rest, size)
        if whole:
            parts.append(f"{whole:.0f}{unit}")
    if rest or not parts:
        parts.append(f"{rest:g}s")
    return " ".join(parts)


def share(value: float) -> str:
    """``80%``."""
    return f"{value * 100:.12g}%"


def count(value: float) -> str:
    """``3``."""
    return f"{value:.12g}"
