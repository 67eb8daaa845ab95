"""What a test of asyncio code must not leave behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

_DESCRIPTORS = Path("/proc/self/fd")
_SERVER_SIDE = "Error on transport creation for incoming connection"
"""A client has broken off the TLS handshake: that is told by a test's server."""


@contextlib.asynccontextmanager
async def nothing_left_behind() -> AsyncIterator[None]:
    """Asserts at its end that no task, no socket and no unheard exception is left.

    Forgotten sockets and coroutines besides give warnings, which pytest here turns into errors.
    """
    loop = asyncio.get_running_loop()
    unheard: list[dict[str, Any]] = []

    def hear(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not context["message"].startswith(_SERVER_SIDE):
            unheard.append(context)

    loop.set_exception_handler(hear)
    before = _sockets()
    yield
    for _ in range(5):  # transports close their sockets some rounds of the loop later
        await asyncio.sleep(0)
    gc.collect()
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not left, left
    assert not unheard, unheard
    assert len(_sockets()) <= len(before), _sockets()


def _sockets() -> list[str]:
    found = []
    for descriptor in _DESCRIPTORS.iterdir() if _DESCRIPTORS.exists() else ():
        with contextlib.suppress(OSError):  # the one that lists the folder is gone
            target = str(descriptor.readlink())
            if target.startswith("socket:"):
                found.append(target)
    return found
