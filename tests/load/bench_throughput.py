"""Events a second from bytes to metrics (with one scrape for the ten seconds recorded), beside bare
panoramisk with a callback that does nothing.
"""

from __future__ import annotations

import asyncio
import logging
import lzma
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import panoramisk
from panoramisk.ami_protocol import AMIProtocol

from asterpanel_exporter.exposition import switchboard_text
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.recorder import Recorder, without_journal
from asterpanel_switchboard.decoding import NEEDED_EVENTS
from asterpanel_switchboard.intake import Intake
from asterpanel_switchboard.wire import event_name, frames_of

FLOOD = Path(__file__).parent.parent / "traces" / "flood-asterisk-22-30cps.ami.xz"
CHUNK_BYTES = 65536
"""One read of a socket, as asyncio's transports make it (at most 256 KB)."""

PAIRS = 15
GOALS = {"raw stream": 3.0, "stream after the event filter": 1.5}
"""Ratios to reach, by stream; set when there was only the live state, and no history and no points of it."""


def run() -> str:
    """Both streams, ours and the baseline in turn."""
    raw = lzma.decompress(FLOOD.read_bytes())
    lines = [
        "bytes → typed events → live state, history, points → metrics; baseline: panoramisk, one callback "
        "for all events"
    ]
    for name, data in (("raw stream", raw), ("stream after the event filter", filtered(raw))):
        chunks = [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]
        frames = sum(1 for _ in frames_of(data))
        ours, theirs = [], []
        for _ in range(PAIRS):
            theirs.append(_timed(_panoramisk, chunks))
            ours.append(_timed(_exporter, chunks))
        ratios = [theirs_s / ours_s for ours_s, theirs_s in zip(ours, theirs, strict=True)]
        lines.append(
            f"{name}: {frames} frames; exporter {frames / statistics.median(ours):,.0f} a second, "
            f"panoramisk {frames / statistics.median(theirs):,.0f} a second; "
            f"ratio {statistics.median(ratios):.2f} "
            f"(min {min(ratios):.2f}, max {max(ratios):.2f}, {PAIRS} pairs), goal {GOALS[name]}"
        )
    return "\n".join(lines)


def filtered(data: bytes) -> bytes:
    """What of a stream passes the event filter of `manager-conf`."""
    return b"".join(frame + b"\r\n\r\n" for frame in frames_of(data) if _passes(frame))


def _passes(frame: bytes) -> bool:
    name = event_name(frame)
    if name is None:
        return True
    if name == b"VarSet":
        return b"\r\nVariable: QUEUESTATUS\r\n" in frame
    if name == b"Newexten":
        return b"\r\nApplication: Queue\r\n" in frame
    return name.decode() in NEEDED_EVENTS


def _timed(work: Callable[[list[bytes]], None], chunks: list[bytes]) -> float:
    started = time.perf_counter()
    work(chunks)
    return time.perf_counter() - started


def _exporter(chunks: list[bytes]) -> None:
    live = LiveSwitchboard("flood")
    recorder = Recorder({"flood": live}, {"flood": None}, without_journal)
    intake = Intake("flood")
    live.connected("11.0.0")
    live.assume_in_step()
    for chunk in chunks:
        events, _ = intake.feed(chunk)
        if events:
            live.receive(events, time.time())
            recorder.record()
    text = switchboard_text(live, time.time())
    if 'asterisk_queue_calls_offered_total{switchboard="flood",queue="flood"} 300\n' not in text:
        raise AssertionError("the flood has 300 calls")


def _panoramisk(chunks: list[bytes]) -> None:
    seen = 0

    def count(manager: Any, message: Any) -> None:
        nonlocal seen
        seen += 1

    async def feed() -> None:
        manager = panoramisk.Manager(loop=asyncio.get_running_loop(), log=logging.getLogger("panoramisk"))
        manager.register_event("*", count)
        protocol = AMIProtocol()
        protocol.connection_made(None)
        protocol.factory = manager
        protocol.encoding = "utf8"
        for chunk in chunks:
            protocol.data_received(chunk)

    asyncio.run(feed())
    if seen < 1000:
        raise AssertionError("panoramisk has seen almost nothing")
