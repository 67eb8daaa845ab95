"""A TCP connection to a host whose network may be losing packets in silence.

What the event loop's own `create_connection` does not do is done here: further attempts beside one that
hangs, so that the return of the network is noticed at once, and a look-up of names that can neither hold up
those of others nor the end of the program, however long the name server keeps silent.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

REDIAL_S = 1.0
"""A further attempt starts beside one that hangs this long: its packets may be vanishing, and the kernel
repeats them ever more slowly, so an old attempt would notice late that the network is back."""

MOST_ATTEMPTS = 3
"""Hanging at the same time; with the next the oldest is given up. Each holds a descriptor, and a hundred
switchboards can be unreachable at once."""

_Address = tuple[socket.AddressFamily, Any]


async def dial(host: str, port: int) -> socket.socket:
    """A connected socket. Tries for as long as packets vanish: whoever calls sets the time limit.

    Raises:
        OSError: the host has no address, or none of its addresses can be connected to.
    """
    addresses = await _look_up(host, port)
    attempts: list[asyncio.Task[socket.socket]] = []
    refused = 0
    try:
        for address in itertools.cycle(addresses):
            _give_up(attempts[: 1 - MOST_ATTEMPTS])
            attempts = [*attempts[1 - MOST_ATTEMPTS :], asyncio.create_task(_attempt(address))]
            done, _ = await asyncio.wait(attempts, timeout=REDIAL_S, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                attempts.remove(task)
                error = task.exception()
                if error is None:
                    return task.result()
                refused += 1
                if refused == len(addresses):
                    raise error
        raise AssertionError("unreachable: there is always an address")
    finally:
        _give_up(attempts)


def words(error: OSError) -> str:
    """What is wrong, as the operating system or the resolver puts it."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error) or type(error).__name__
    return os.strerror(error.errno)


async def _attempt(address: _Address) -> socket.socket:
    family, sockaddr = address
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, sockaddr)
    except BaseException:
        connection.close()
        raise
    return connection


def _give_up(attempts: Iterable[asyncio.Task[socket.socket]]) -> None:
    """Nothing is awaited here: a cancellation in between would lose the connection that was won."""
    for task in attempts:
        if not task.done():
            task.cancel()
        elif not task.cancelled() and task.exception() is None:
            task.result().close()


async def _look_up(host: str, port: int) -> list[_Address]:
    with suppress(socket.gaierror):
        return _getaddrinfo(host, port, socket.AI_NUMERICHOST)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[_Address]] = loop.create_future()

    def tell(addresses: list[_Address], error: OSError | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(addresses)
        else:
            answer.set_exception(error)

    def look_up() -> None:
        addresses: list[_Address] = []
        problem: OSError | None = None
        try:
            addresses = _getaddrinfo(host, port)
        except OSError as error:
            problem = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, addresses, problem)

    # Not the loop's executor: it has a few threads for all, and the program waits for them when it ends.
    threading.Thread(target=look_up, name=f"look-up of {host}", daemon=True).start()
    return await answer


def _getaddrinfo(host: str, port: int, flags: int = 0) -> list[_Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError as error:
        raise OSError(f"{host!r} is no host name") from error
    return [(family, sockaddr) for family, _, _, _, sockaddr in found]
