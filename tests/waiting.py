"""Waiting for conditions instead of sleeping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


async def eventually(condition: Callable[[], object], within: float = 5.0, what: str = "") -> float:
    """Return as soon as the condition holds, and how many seconds that took.

    Raises:
        AssertionError: it did not hold within that many seconds; names ``what``.
    """
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > within:
            raise AssertionError(f"after {within:g} s still not: {what or 'the condition'}")
        await asyncio.sleep(0.002)
    return time.monotonic() - started


async def for_a_while(condition: Callable[[], object], seconds: float, what: str = "") -> None:
    """Assert that the condition holds all the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert condition(), what or "the condition no longer holds"
        await asyncio.sleep(0.002)
