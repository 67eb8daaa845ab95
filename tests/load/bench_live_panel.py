"""What the live panel costs the browser: 300 queues, 2,000 agents, 50 patches a second, in Chromium.

Frames while somebody scrolls, with patches and (the baseline) without; long tasks after the first paint; the
heap over as many patches as an hour brings, sent eight times as fast. The panel is the one that is
shipped, in the stand-in for Grafana; the stream is synthetic, in the shape that the control API filters.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any, Final, Self

from aiohttp import web
from playwright.sync_api import CDPSession, Page, sync_playwright

from asterpanel_control_api.access.filtering import FilteredBoard
from asterpanel_control_api.access.profiles import Profiles
from asterpanel_control_api.access.viewpoint import Viewpoint
from asterpanel_control_api.live.boards import Freshness
from asterpanel_control_api.live.server_sent_events import encode_event
from asterpanel_switchboard.merge_patch import apply_merge_patch, merge_patch
from tests.debian import program
from tests.e2e.grafana_standin import SESSION_COOKIE, Dashboard, GrafanaStandin
from tests.e2e.node_builds import plugin_dist, standin_dist
from tests.grafana_keys import GrafanaKeys
from tests.unit.control_documents import common_views, live_state
from tests.unit.control_people import grafana_user

Document = dict[str, Any]

BOARD: Final = "milano"
QUEUES: Final = 300
AGENTS: Final = 2000
PATCHES_PER_S: Final = 50.0
HOUR: Final = round(PATCHES_PER_S * 3600)
FASTER: Final = 8
SCROLL_S: Final = 6.0
FLAGS: Final = ("--no-sandbox", "--disable-dev-shm-usage", "--enable-precise-memory-info")

_WATCH: Final = """() => {
  window.frames_ms = []; window.long_ms = [];
  new PerformanceObserver((list) => list.getEntries().forEach((task) => window.long_ms.push(task.duration)))
    .observe({ entryTypes: ['longtask'] });
  let before = performance.now();
  const frame = (now) => { window.frames_ms.push(now - before); before = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""
_TAKE: Final = "(name) => { const taken = window[name]; window[name] = []; return taken; }"


def run() -> str:
    """Measure, and tell."""
    with GrafanaKeys() as keys, GrafanaStandin(standin_dist(), plugin_dist(), keys, "") as grafana:
        grafana.people["dario"] = "Admin"
        grafana.dashboards["live"] = Dashboard(height=1000, switchboards=[BOARD])
        with _SyntheticApi() as api, sync_playwright() as playwright:
            grafana.api_url = api.url
            chromium = str(program("chromium", "chromium"))
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            context = browser.new_context(viewport={"width": 1920, "height": 1080})
            context.add_cookies([{"name": SESSION_COOKIE, "value": "dario", "url": grafana.url}])
            page = context.new_page()
            page.goto(f"{grafana.url}d/live")
            page.get_by_role("table", name="Agents").get_by_role("row").nth(5).wait_for()
            page.wait_for_timeout(3000)
            return "\n".join(_measured(page, api))


def _measured(page: Page, api: _SyntheticApi) -> Iterator[str]:
    yield f"{QUEUES} queues, {AGENTS} agents, 1920 x 1080"
    page.evaluate(_WATCH)
    quiet = _scrolled(page)
    api.patches_per_s = PATCHES_PER_S
    page.wait_for_timeout(1000)
    page.evaluate(_TAKE, "long_ms")
    busy = _scrolled(page)
    long_ms = page.evaluate(_TAKE, "long_ms")
    yield f"scrolling, no patches: {_frames(quiet)}"
    yield (
        f"scrolling, {PATCHES_PER_S:g} patches a second: {_frames(busy)}; "
        f"ratio of the rates {statistics.fmean(quiet) / statistics.fmean(busy):.2f}"
    )
    yield f"long tasks meanwhile: {len(long_ms)}, the longest {max(long_ms, default=0):.0f} ms"
    yield from _heap(page, api)


def _scrolled(page: Page) -> list[float]:
    """Milliseconds of each frame while the agents are scrolled down and up."""
    box = page.get_by_role("table", name="Agents").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.evaluate(_TAKE, "frames_ms")
    until = time.monotonic() + SCROLL_S
    for step in itertools.count():
        page.mouse.wheel(0, 240 if step % 200 < 100 else -240)
        if time.monotonic() > until:
            break
    frames: list[float] = page.evaluate(_TAKE, "frames_ms")
    return frames


def _frames(frames: list[float]) -> str:
    ordered = sorted(frames)
    late = sum(frame > 25 for frame in frames) / len(frames)
    rate, p99 = 1000 / statistics.fmean(frames), ordered[int(len(ordered) * 0.99)]
    return f"{rate:.1f} frames a second, p99 {p99:.0f} ms, {late:.1%} later than 25 ms"


def _heap(page: Page, api: _SyntheticApi) -> Iterator[str]:
    session = page.context.new_cdp_session(page)
    api.patches_per_s = PATCHES_PER_S * FASTER
    sizes, parts = [], 6
    start = api.sent
    for part in range(parts + 1):
        while api.sent < start + HOUR * part // parts:
            page.wait_for_timeout(200)
        sizes.append(_heap_mb(session))
    page.evaluate(_TAKE, "frames_ms")
    told = ", ".join(f"{size:.1f}" for size in sizes)
    yield (
        f"heap after each sixth of {HOUR:,} patches (an hour's, {FASTER} times as fast): {told} MB; "
        f"end to begin {sizes[-1] / sizes[0]:.2f}"
    )


def _heap_mb(session: CDPSession) -> float:
    session.send("HeapProfiler.collectGarbage")
    used: float = session.send("Runtime.getHeapUsage")["usedSize"]
    return used / 1e6


class _SyntheticApi:
    """Answers as the control API would on one busy switchboard; for use as a context manager.

    Attributes:
        patches_per_s: pace of the stream.
        sent: patches so far.
    """

    def __init__(self) -> None:
        self.patches_per_s = 0.0
        self.sent = 0
        self.url = ""
        profiles = {"tenants": {"default": {"profiles": {"a": {"members": [_MASTER]}}}}}
        self._viewpoint = Viewpoint(grafana_user("dario"), Profiles.model_validate(profiles), [BOARD])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started().result(30)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _started(self) -> Future[None]:
        async def start() -> None:
            app = web.Application()
            app.router.add_get("/v1/me", self._me)
            app.router.add_get(f"/v1/switchboards/{BOARD}/stream", self._stream)
            self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
            await self._runner.setup()
            await web.TCPSite(self._runner, "127.0.0.1", 0, shutdown_timeout=0.1).start()
            self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

        return asyncio.run_coroutine_threadsafe(start(), self._loop)

    async def _me(self, _: web.Request) -> web.Response:
        levels = {"agent_pause_s": _LEVELS, "data_age_s": _LEVELS}
        more = {"pause_reasons": ["Lunch"], "levels": levels, "service_level_formula": "asterisk"}
        return web.json_response({**self._viewpoint.me(), **more})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        board = FilteredBoard(self._viewpoint.scope(BOARD), common_views())
        document = _document()
        shown = board.view(document)
        await response.write(encode_event("snapshot", shown))
        heartbeat_at = 0.0
        for change in _changes():
            while self.patches_per_s == 0.0:
                await asyncio.sleep(0.1)
                heartbeat_at = await _beat(response, heartbeat_at)
            heartbeat_at = await _beat(response, heartbeat_at)
            document = apply_merge_patch(document, change)
            before, shown = shown, board.view(document)
            await response.write(encode_event("patch", merge_patch(before, shown)))
            self.sent += 1
            await asyncio.sleep(1 / self.patches_per_s)
        return response


_MASTER: Final = {"login": "dario", "role": "master"}
_LEVELS: Final = {"warning": 900, "critical": 1800}


async def _beat(response: web.StreamResponse, at: float) -> float:
    now = time.time()
    if now < at:
        return at
    await response.write(encode_event("heartbeat", asdict(Freshness(True, now, now, 0.0, False))))
    return now + 5.0


def _document() -> Document:
    """Each agent in two queues; in every tenth queue somebody waits."""
    members: dict[str, list[str]] = {f"queue-{number:03d}": [] for number in range(QUEUES)}
    for number in range(AGENTS):
        for queue in (number % QUEUES, (number + 7) % QUEUES):
            members[f"queue-{queue:03d}"].append(str(1000 + number))
    waiting = {queue: [f"+39055{index:03d}000{n}" for n in range(3)] for index, queue in enumerate(members)}
    return live_state(members, dict(itertools.islice(waiting.items(), 0, None, 10)))


def _changes() -> Iterator[Mapping[str, Any]]:
    """An agent's state in his two queues, and with every second one a caller who leaves or joins."""
    states = itertools.cycle(("ringing", "on_call", "wrapup", "idle", "paused"))
    for number in itertools.count():
        agent, state, now = str(1000 + number * 37 % AGENTS), next(states), time.time()
        queues = [f"queue-{(int(agent) - 1000 + offset) % QUEUES:03d}" for offset in (0, 7)]
        patch: Document = {
            "as_of": now,
            "queues": {queue: {"members": {agent: {"state": state}}} for queue in queues},
            "agents": {agent: {"state": state, "since": now}},
        }
        if number % 2:
            patch["queues"][queues[0]]["waiting"] = [_caller(caller, now) for caller in range(number % 7)]
        yield patch


def _caller(number: int, now: float) -> Document:
    return {
        "uniqueid": f"1795390000.{number}", "caller": f"+3905500000{number}", "caller_name": "Somebody",
        "position": number + 1, "since": now - number,
    }  # fmt: skip


if __name__ == "__main__":
    print(run())
