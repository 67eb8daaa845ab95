"""From an event on the wire to the gauge, over a real socket, at 2,000 events a second.

The sender is a process of its own and writes the time of sending into each event; the receiver is the real
session. While it measures, it is scraped every second.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
import statistics
import time
from collections.abc import Sequence
from io import BufferedIOBase

from pydantic import SecretStr

from asterpanel_exporter.exposition import Scrape
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.supervisor import Watch
from asterpanel_switchboard.config import SwitchboardConfig
from asterpanel_switchboard.events import CallerJoined, CallerLeft, Event

RATE = 2000
SECONDS = 10
BURST = 10
"""Events in one write: a PBX under load does not flush after each one."""

EVENTS_OF_A_CALL = 2


def run() -> str:
    """Latencies of all events of the run."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    sender = multiprocessing.get_context("fork").Process(target=_send, args=(listener,), daemon=True)
    sender.start()
    listener.close()
    try:
        latencies = sorted(asyncio.run(_receive(port)))
    finally:
        sender.terminate()
        sender.join()
    p99 = latencies[int(len(latencies) * 0.99)]
    return (
        f"{len(latencies)} events at {RATE} a second, scraped every second: event to gauge "
        f"median {statistics.median(latencies) * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms, "
        f"max {latencies[-1] * 1e3:.2f} ms"
    )


class _Timed(Watch):
    """The real watch, with a look at the clock once the events are in the state."""

    def __init__(self, port: int) -> None:
        settings = SwitchboardConfig(
            name="bench", host="127.0.0.1", port=port, username="bench", secret=SecretStr("bench")
        )
        super().__init__(LiveSwitchboard("bench"), settings, 3600.0)
        self.latencies: list[float] = []

    def received(self, events: Sequence[Event]) -> None:
        super().received(events)
        now = time.time()
        self.latencies += [
            now - event.at
            for event in events
            if isinstance(event, CallerJoined | CallerLeft) and event.at is not None
        ]


async def _receive(port: int) -> list[float]:
    watch = _Timed(port)
    scrape = Scrape({"bench": watch.live}, [watch.session], time.time)
    running = asyncio.create_task(watch.run())
    try:
        while len(watch.latencies) < RATE * SECONDS:
            await asyncio.sleep(1.0)
            await scrape("text/plain")
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    return watch.latencies


def _send(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as manager.c: session_do
    connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
    requests = connection.makefile("rb")
    _answer(connection, _request(requests), "Message: Authentication accepted")
    synced = False
    while not synced:
        request = _request(requests)
        if request["action"] == "QueueStatus":
            _answer(connection, request, "EventList: start", "Message: Queue status will follow")
            complete = f"Event: QueueStatusComplete\r\nActionID: {request['actionid']}\r\n\r\n"
            connection.sendall(complete.encode())
            synced = True
        else:
            _answer(connection, request, "Ping: Pong", f"Timestamp: {time.time():.6f}")
    started = time.perf_counter()
    for number in range(0, RATE * SECONDS, BURST):
        due = started + number / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        connection.sendall(b"".join(_event(n) for n in range(number, number + BURST)))
    time.sleep(60.0)


def _event(number: int) -> bytes:
    call, step = divmod(number, EVENTS_OF_A_CALL)
    name = "QueueCallerJoin" if step == 0 else "QueueCallerLeave"
    return (
        f"Event: {name}\r\nPrivilege: agent,all\r\nTimestamp: {time.time():.6f}\r\n"
        f"Channel: PJSIP/trunk-{call:08x}\r\nChannelState: 6\r\nChannelStateDesc: Up\r\n"
        f"CallerIDNum: 3905{call:06d}\r\nCallerIDName: Caller {call}\r\nConnectedLineNum: <unknown>\r\n"
        f"ConnectedLineName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\nContext: from-trunk\r\n"
        f"Exten: 100\r\nPriority: 2\r\nUniqueid: 1795390000.{call}\r\nLinkedid: 1795390000.{call}\r\n"
        f"Queue: queue-{call % 20:02d}\r\nPosition: 1\r\nCount: {1 - step}\r\n\r\n"
    ).encode()


def _request(requests: BufferedIOBase) -> dict[str, str]:
    headers = {}
    while line := requests.readline().strip():
        name, _, value = line.decode().partition(": ")
        headers[name.lower()] = value
    return headers


def _answer(connection: socket.socket, request: dict[str, str], *lines: str) -> None:
    text = "\r\n".join(["Response: Success", f"ActionID: {request['actionid']}", *lines])
    connection.sendall(text.encode() + b"\r\n\r\n")
