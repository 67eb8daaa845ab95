"""Recorded AMI streams through the same code as a live session, on the clock of the recording."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

from asterpanel_exporter.exposition import switchboard_text
from asterpanel_exporter.history.calls import CONNECT_GRACE_S
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.points.point import Point
from asterpanel_exporter.recorder import Recorder, Submit, without_journal
from asterpanel_exporter.recording import UnreadableRecording, open_recording
from asterpanel_exporter.state import DRIFT_GRACE_S
from asterpanel_switchboard.intake import Intake, WireError


class Replay:
    """Feeds recordings, one after the other, to one switchboard.

    Args:
        live: the switchboard.
        submit: writes what has finished; the default only counts it.

    Attributes:
        live: the switchboard.
        frames: frames seen, over all recordings.
        errors: what could not be used, by kind.
    """

    def __init__(self, live: LiveSwitchboard, submit: Submit = without_journal) -> None:
        self.live = live
        self._recorder = Recorder({live.name: live}, {live.name: None}, submit)
        self.frames = 0
        self.errors: Counter[WireError] = Counter()

    def play(self, chunks: Iterable[bytes]) -> bool:
        """Feed one recording, in chunks of any sizes, as one session from its login to its end.

        Returns:
            Whether it was one: there was a greeting or a frame in it.
        """
        intake = Intake(self.live.name, self.errors)
        in_session = False
        for chunk in chunks:
            events, _ = intake.feed(chunk)
            if intake.frames and not in_session:
                in_session = True
                self.live.connected(intake.greeting or "")
                self.live.assume_in_step()
            for event in events:
                self.live.receive((event,), getattr(event, "at", None) or self.live.state.as_of)
            self._recorder.record()
        intake.end()
        self.frames += intake.frames
        return bool(intake.frames or intake.greeting)

    def end(self) -> float:
        """Let the clock run on until what is undecided is decided; returns that time.

        Calls still going on stay open, and an agent in wrap-up stays in it.
        """
        self.live.history.advance(self.live.state.as_of + CONNECT_GRACE_S)
        now = self.live.advance(self.live.state.as_of + DRIFT_GRACE_S)
        self._recorder.record()
        return now


def replay_files(
    names: Sequence[str],
    live: LiveSwitchboard,
    *,
    points: TextIO | None,
    metrics: TextIO | None,
    state: TextIO | None,
) -> str:
    """Replay recordings and write what was asked for; returns a summary in words.

    Points are written as line protocol, in the order in which things finished, with the time stamps that a
    journal would give them.

    Raises:
        UnreadableRecording: a recording cannot be read, or is none.
    """
    replay = Replay(live, without_journal if points is None else writer_of_lines(points))
    started = time.perf_counter()
    for name in names:
        if not replay.play(open_recording(name)):
            raise UnreadableRecording(name, "there is no AMI in it")
    now = replay.end()
    elapsed = time.perf_counter() - started
    if metrics is not None:
        metrics.write(switchboard_text(live, now))
    if state is not None:
        json.dump(live.document(now), state, indent=2, ensure_ascii=False)
        state.write("\n")
    return _summary(replay, elapsed)


def writer_of_lines(out: TextIO) -> Submit:
    """Writes points as line protocol, through a journal in memory."""
    journal = Journal.open(None)

    def submit(batch: Batch, on_written: Callable[[Sequence[Point]], None]) -> None:
        new = journal.write(batch, 0.0)
        out.writelines(f"{point.line}\n" for point in new)
        on_written(new)

    return submit


def _summary(replay: Replay, elapsed_s: float) -> str:
    state = replay.live.state
    waiting = sum(len(queue.waiting) for queue in state.queues.values())
    talking = sum(len(queue.in_progress) for queue in state.queues.values())
    lines = [
        f"{replay.frames} frames, {replay.live.events} events used, "
        f"{replay.frames / max(elapsed_s, 1e-9):,.0f} frames/s",
        f"{len(state.queues)} queues, {len(state.agents)} agents, {waiting} callers waiting, "
        f"{talking} calls in progress",
    ]
    lines += [f"{count} frames skipped: {kind}" for kind, count in replay.errors.items()]
    lines += [f"{count} times drift: {kind}" for kind, count in replay.live.drift.items()]
    return "\n".join(lines)
