"""Scrape time, memory and the longest pause in event handling at 100 switchboards, 2,000 queues and
20,000 memberships; the encoder of prometheus_client on the same samples is the baseline.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from asterpanel_exporter.exposition import Scrape
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.state import ResyncReason
from asterpanel_switchboard.intake import Intake

SWITCHBOARDS = 100
QUEUES = 20
AGENTS = 100
MEMBERS_PER_QUEUE = 10
CALLERS_PER_QUEUE = 3
SCRAPES = 7
TICK_S = 0.001


def run() -> str:
    """Measured in a process of its own, so that the memory is that of the exporter alone."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.bench_scrape"], check=True, capture_output=True, text=True
    )
    figures = json.loads(done.stdout)
    return (
        f"{SWITCHBOARDS} switchboards, {SWITCHBOARDS * QUEUES} queues, "
        f"{SWITCHBOARDS * QUEUES * MEMBERS_PER_QUEUE} memberships: {figures['samples']} samples, "
        f"{figures['bytes'] / 1e6:.1f} MB\n"
        f"scrape {figures['scrape_s']:.3f} s (max {figures['scrape_max_s']:.3f}); "
        f"prometheus_client's encoder alone {figures['baseline_s']:.3f} s; "
        f"ratio {figures['baseline_s'] / figures['scrape_s']:.1f}\n"
        f"longest pause in event handling during a scrape {figures['pause_max_s'] * 1e3:.1f} ms\n"
        f"memory (RSS) after {SCRAPES} scrapes, before the baseline {figures['rss_mb']:.0f} MB"
    )


def listing(switchboard: int, action_id: str) -> bytes:
    """A whole QueueStatus answer, as a switchboard of this size sends it."""
    frames = []
    for q in range(QUEUES):
        queue = f"queue-{q:02d}"
        frames.append(
            f"Event: QueueParams\r\nQueue: {queue}\r\nMax: 0\r\nStrategy: rrmemory\r\nCalls: 3\r\n"
            f"Holdtime: 3\r\nTalkTime: 60\r\nCompleted: 100\r\nAbandoned: 5\r\nServiceLevel: 20\r\n"
            f"ServicelevelPerf: 90.0\r\nServicelevelPerf2: 90.0\r\nWeight: 0\r\nActionID: {action_id}"
        )
        for m in range(MEMBERS_PER_QUEUE):
            agent = 1000 + (q * MEMBERS_PER_QUEUE + m) % AGENTS
            paused = agent % 10 == 0
            frames.append(
                f"Event: QueueMember\r\nQueue: {queue}\r\nName: Agent {agent}\r\nLocation: PJSIP/{agent}\r\n"
                f"StateInterface: PJSIP/{agent}\r\nMembership: dynamic\r\nPenalty: {m}\r\nCallsTaken: 7\r\n"
                f"LastCall: 1795390000\r\nLastPause: 1795390100\r\nLoginTime: 1795380000\r\nInCall: 0\r\n"
                f"Status: {1 + agent % 2}\r\nPaused: {int(paused)}\r\n"
                f"PausedReason: {'lunch' if paused else ''}\r\nWrapuptime: 0\r\nActionID: {action_id}"
            )
        frames += [
            f"Event: QueueEntry\r\nQueue: {queue}\r\nPosition: {position}\r\n"
            f"Channel: PJSIP/trunk-{switchboard:04x}{q:02x}{position:02x}\r\n"
            f"Uniqueid: 1795390{switchboard:03d}.{q}{position}\r\nCallerIDNum: 39055{position:05d}\r\n"
            f"CallerIDName: unknown\r\nConnectedLineNum: unknown\r\nConnectedLineName: unknown\r\n"
            f"Wait: {position * 10}\r\nPriority: 0\r\nActionID: {action_id}"
            for position in range(1, CALLERS_PER_QUEUE + 1)
        ]
    frames.append(
        f"Event: QueueStatusComplete\r\nActionID: {action_id}\r\nEventList: Complete\r\nListItems: 1"
    )
    return b"".join(frame.encode() + b"\r\n\r\n" for frame in frames)


def switchboards() -> dict[str, LiveSwitchboard]:
    """All switchboards, each in step."""
    boards = {}
    for number in range(SWITCHBOARDS):
        live = LiveSwitchboard(f"pbx-{number:03d}")
        live.connected("11.0.0")
        live.state.take_resync()
        live.pong(time.time(), time.time(), 0.001)
        action_id = live.resync_action_id(ResyncReason.CONNECTED, 1)
        events, _ = Intake(live.name).feed(listing(number, action_id))
        live.receive(events, time.time())
        boards[live.name] = live
    return boards


async def _measure() -> dict[str, float]:
    boards = switchboards()
    scrape = Scrape(boards, [], time.time)
    times, pauses, body = [], [], b""
    for _ in range(SCRAPES):
        ticker = asyncio.create_task(_longest_pause())
        await asyncio.sleep(0.05)
        started = time.perf_counter()
        body, _ = await scrape("text/plain")
        times.append(time.perf_counter() - started)
        ticker.cancel()
        pauses.append((await asyncio.gather(ticker))[0])
    rss_mb = _rss_mb()
    baseline_s, samples = _baseline(body.decode())
    return {
        "samples": samples,
        "bytes": len(body),
        "scrape_s": statistics.median(times),
        "scrape_max_s": max(times),
        "pause_max_s": max(pauses),
        "rss_mb": rss_mb,
        "baseline_s": baseline_s,
    }


async def _longest_pause() -> float:
    longest, last = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(TICK_S)
            now = time.perf_counter()
            longest = max(longest, now - last - TICK_S)
            last = now
    except asyncio.CancelledError:
        return longest


def _baseline(text: str) -> tuple[float, int]:
    families = list(text_string_to_metric_families(text))

    class Ready(Collector):
        def collect(self) -> Iterator[Any]:
            return iter(families)

    registry = CollectorRegistry()
    registry.register(Ready())
    times = []
    for _ in range(3):
        started = time.perf_counter()
        generate_latest(registry)
        times.append(time.perf_counter() - started)
    return statistics.median(times), sum(len(family.samples) for family in families)


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure())))
