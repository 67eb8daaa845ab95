"""From a change on a switchboard to 200 readers of the control API, at 20 changes a second.

Three processes: an exporter whose switchboard changes, the control API's streams under gunicorn, and the
readers. Each change of interest is a caller who joins; the time of his joining is in the document. The
baseline is a reader of the exporter's own stream in the same run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import aiohttp
from flask import Flask, Response, request
from gunicorn.app.base import BaseApplication

from asterpanel_control_api.live.boards import Boards, Document
from asterpanel_control_api.live.event_stream import StreamSettings
from asterpanel_control_api.live.exporter_client import ExporterClient
from asterpanel_control_api.live.peer import prepare_for_stream
from asterpanel_control_api.live.server_sent_events import EventParser, ServerSentEvent
from asterpanel_control_api.live.shared_view import Sight
from asterpanel_control_api.live.subscribers import Subscribers
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.web.app import serve
from tests.exporter_process import free_port
from tests.unit.test_web_support import OPEN, MemberLine, exporter_of, exposition, join, leave, log_in

STREAMS = 200
SIGHTS = 8
CHANGES_PER_S = 20
SECONDS = 20
WARM_UP_S = 3
QUEUES = 10
AGENTS_PER_QUEUE = 20
WAITING = 6

_Run = Callable[..., None]


def run() -> str:
    """Latencies of all readers, against the exporter's own stream."""
    exporter_port, api_port = free_port(), free_port()
    with (
        _process(_run_exporter, exporter_port),
        _process(_run_api, api_port, exporter_port) as api,
    ):
        result = asyncio.run(_measure(exporter_port, api_port, api.pid or 0))
    return result


@contextlib.contextmanager
def _process(target: _Run, *arguments: int) -> Any:
    process: BaseProcess = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(15)
        if process.is_alive():
            process.kill()


# --- the exporter -----------------------------------------------------------------------------------------


def _run_exporter(port: int) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_exporter(port))


async def _exporter(port: int) -> None:
    exporter = exporter_of(exporter={**OPEN, "listen": f"127.0.0.1:{port}"}, clock=time.time)
    live = exporter.switchboards["milano"]
    members: dict[str, Iterable[MemberLine]] = {
        f"queue-{queue}": [
            MemberLine(f"Agent {queue}.{agent}", f"{1000 + queue * 100 + agent}")
            for agent in range(AGENTS_PER_QUEUE)
        ]
        for queue in range(QUEUES)
    }
    log_in(live, members, time.time())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(exporter, exposition))
        tasks.create_task(_change(live))


async def _change(live: LiveSwitchboard) -> None:
    """Alternately a caller joins and the one who has waited longest leaves."""
    loop = asyncio.get_running_loop()
    started, number = loop.time(), 0
    while True:
        waiting = live.state.queues["queue-0"].waiting
        if number % 2 and len(waiting) > WAITING:
            leave(live, "queue-0", waiting[0].uniqueid, time.time())
        else:
            join(live, "queue-0", f"1.{number}", time.time())
        number += 1
        await asyncio.sleep(started + number / CHANGES_PER_S - loop.time())


# --- the control API --------------------------------------------------------------------------------------


def _run_api(port: int, exporter_port: int) -> None:
    _Gunicorn(port, exporter_port).run()


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    def __init__(self, port: int, exporter_port: int) -> None:
        self._port = port
        self._exporter_port = exporter_port
        super().__init__()

    def load_config(self) -> None:
        settings = {
            "bind": f"127.0.0.1:{self._port}", "worker_class": "gthread", "workers": 1, "timeout": 60,
            "threads": STREAMS + 20, "worker_connections": STREAMS + 100, "loglevel": "error",
            "graceful_timeout": 1,
        }  # fmt: skip
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """In the worker, after the fork."""
        boards = Boards()
        client = ExporterClient(f"http://127.0.0.1:{self._exporter_port}", None, boards)
        hub = Subscribers(boards, StreamSettings(max_streams=STREAMS))
        client.start()
        hub.start()
        return _app(hub)


def _app(hub: Subscribers) -> Flask:
    app = Flask(__name__)
    sights = [Sight(number, lambda number=number: _hiding(f"queue-{number + 1}")) for number in range(SIGHTS)]  # type: ignore[misc]

    @app.get("/stream/<int:number>")
    def stream(number: int) -> Response:
        events = hub.subscribe(
            "milano", f"person {number}", lambda: sights[number % SIGHTS],
            abort=prepare_for_stream(request.environ, hub.settings.write_timeout_s),
        )  # fmt: skip
        response = Response(events, mimetype="text/event-stream")
        response.call_on_close(events.close)
        return response

    return app


def _hiding(queue: str) -> Callable[[Document], Document]:
    def show(document: Document) -> Document:
        queues = {name: value for name, value in document["queues"].items() if name != queue}
        return {**document, "queues": queues}

    return show


# --- the readers ------------------------------------------------------------------------------------------


@dataclass
class _Reader:
    """Follows one stream: when each caller who joined was seen, and whether in order."""

    latencies: list[float] = field(default_factory=list)
    last: int = -1
    disorder: int = 0
    missed: int = 0
    measuring: bool = False

    def take(self, kind: str, document: dict[str, Any]) -> None:
        now = time.time()
        waiting = document.get("queues", {}).get("queue-0", {}).get("waiting", ())
        numbers = [(int(caller["uniqueid"].partition(".")[2]), caller["since"]) for caller in waiting]
        if numbers and numbers[-1][0] < self.last:
            self.disorder += 1
        new = [(number, since) for number, since in numbers if number > self.last]
        if self.measuring and kind == "patch":
            self.latencies += [now - since for _, since in new]
            # Joins have every other number once the queue has filled.
            self.missed += sum(number - self.last > 2 for number, _ in new[:1])
        if new:
            self.last = new[-1][0]


async def _measure(exporter_port: int, api_port: int, api_pid: int) -> str:
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        await _until_it_answers(session, f"http://127.0.0.1:{exporter_port}/healthz")
        await _until_it_answers(session, f"http://127.0.0.1:{api_port}/nothing")
        await asyncio.sleep(1)
        baseline, readers = _Reader(), [_Reader() for _ in range(STREAMS)]
        tasks = [
            asyncio.create_task(_follow(session, f"http://127.0.0.1:{api_port}/stream/{number}", reader))
            for number, reader in enumerate(readers)
        ]
        exporters = f"http://127.0.0.1:{exporter_port}/state/stream"
        tasks.append(asyncio.create_task(_follow(session, exporters, baseline, whole=True)))
        await asyncio.sleep(WARM_UP_S)
        worker = _child_of(api_pid)
        before = _memory_mb(worker), _cpu_s(worker)
        for reader in (*readers, baseline):
            reader.measuring = True
        await asyncio.sleep(SECONDS)
        after = _memory_mb(worker), _cpu_s(worker)
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if ended:
        raise AssertionError(f"{len(ended)} streams ended: {ended[0]}")
    return _report(baseline, readers, before, after)


async def _until_it_answers(session: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url):
                    return
            await asyncio.sleep(0.1)


async def _follow(session: aiohttp.ClientSession, url: str, reader: _Reader, *, whole: bool = False) -> None:
    async for event in _events(session, url):
        if event.kind in ("snapshot", "patch"):
            data = json.loads(event.data)
            reader.take(event.kind, data["switchboards"].get("milano", {}) if whole else data)


async def _events(session: aiohttp.ClientSession, url: str) -> AsyncIterator[ServerSentEvent]:
    parser = EventParser(1 << 24)
    async with session.get(url) as response:
        if response.status != 200:
            raise AssertionError(f"{url}: {response.status} {await response.text()}")
        async for chunk in response.content.iter_any():
            for event in parser.feed(chunk):
                yield event


def _report(
    baseline: _Reader, readers: list[_Reader], before: tuple[float, float], after: tuple[float, float]
) -> str:
    latencies = sorted(latency for reader in readers for latency in reader.latencies)
    own = sorted(baseline.latencies)
    disorder = sum(reader.disorder for reader in readers)
    missed = sum(reader.missed for reader in readers)
    p99, own_p99 = latencies[int(len(latencies) * 0.99)], own[int(len(own) * 0.99)]
    return (
        f"{STREAMS} streams of {SIGHTS} sights, {CHANGES_PER_S} changes a second for {SECONDS} s: "
        f"{len(latencies)} joins seen, out of order {disorder}, missed "
        f"{missed / STREAMS:g} a reader (the baseline {baseline.missed}); change to reader median "
        f"{statistics.median(latencies) * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, max "
        f"{latencies[-1] * 1e3:.0f} ms\n"
        f"baseline, one reader of the exporter's own stream: median {statistics.median(own) * 1e3:.0f} ms, "
        f"p99 {own_p99 * 1e3:.0f} ms (its patches come 10 times a second); p99 ratio {p99 / own_p99:.2f}\n"
        f"memory of the control API {before[0]:.1f} MB after {WARM_UP_S} s, {after[0]:.1f} MB after "
        f"{SECONDS} s more; processor {(after[1] - before[1]) / SECONDS * 100:.0f} % of one core"
    )


def _child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])


def _memory_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    print(run())
