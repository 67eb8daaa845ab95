"""Reading recordings, and moving the times in them."""

from __future__ import annotations

import gzip
import lzma
import subprocess
import sys
from pathlib import Path

import pytest

from asterpanel_exporter.recording import Recording, TimeShift, UnreadableRecording, read_recording

EVENT = b"Event: Reload\r\nPrivilege: system,all\r\nTimestamp: 1795390556.250000\r\nModule: All\r\n\r\n"
RECORDING = b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nMessage: x\r\n\r\n" + EVENT


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
def test_a_recording_is_read_however_it_is_packed_and_called(tmp_path: Path, pack: type[bytes]) -> None:
    path = tmp_path / "recording"
    path.write_bytes(pack(RECORDING))
    assert read_recording(str(path)) == RECORDING


def test_a_recording_is_read_from_standard_input() -> None:
    code = "import sys; from asterpanel_exporter.recording import read_recording as r; print(len(r('-')))"
    command, given = [sys.executable, "-c", code], gzip.compress(RECORDING)
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    assert done.stdout.strip() == str(len(RECORDING)).encode(), done.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (gzip.compress(RECORDING * 10)[:-9], "cut off"),
        (lzma.compress(RECORDING * 10)[:-9], "cut off"),
        (gzip.compress(RECORDING)[:15] + b"garbage" * 9, "damaged"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "broken.ami"
    path.write_bytes(content)
    with pytest.raises(UnreadableRecording, match=rf"broken\.ami.*{reason}"):
        read_recording(str(path))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRecording, match="no such file"):
        read_recording(str(tmp_path / "nothing.ami"))
    with pytest.raises(UnreadableRecording, match="directory"):
        read_recording(str(tmp_path))


def test_a_file_that_is_no_recording_is_refused() -> None:
    with pytest.raises(UnreadableRecording, match="holds no manager events"):
        Recording.parse("notes.txt", b"dear diary\r\n\r\n")


def test_frames_know_their_time_and_what_is_live() -> None:
    item = b"Event: QueueParams\r\nQueue: billing\r\nActionID: 1\r\n\r\n"
    later = EVENT.replace(b"556.25", b"557.25")
    login = b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n"
    recording = Recording.parse("x", RECORDING + login + item + later + RECORDING)
    assert recording.greeting == "11.0.0"
    assert [(frame.at - 1795390556, frame.live) for frame in recording.frames] == [
        (0.25, False),  # the response: before the first event
        (0.25, True),
        (0.25, False),
        (0.25, False),
        (1.25, True),
        (1.25, False),  # a second connection in the same recording, whose greeting is no frame
        (1.25, True),
    ]
    assert recording.duration_s == 1.0


def test_every_time_moves_and_nothing_else() -> None:
    frame = (
        b"Event: AgentConnect\r\nTimestamp: 1795390496.866143\r\nChannel: PJSIP/peer-0000000d\r\n"
        b"CallerIDNum: 3905510012\r\nCallerIDName: Zo\xe9 1795390496\r\nUniqueid: pbx-1795390494.13\r\n"
        b"DestLinkedid: 1795390494.13\r\nAppData: SIP/1795390494.13,1.2.3.4\r\nLastCall: 1795390000\r\n"
        b"LastPause: 0\r\nBridgeUniqueid: f95f7606-b6d3-4938-b613-274094208138\r\nHoldTime: 2\r\n"
        b"EventTV: 2026-11-23T23:59:33.834+0000\r\nLoginTime: 1795390001"
    )
    shifted = TimeShift(100, 1795390496.0).apply(frame)
    assert shifted == (
        b"Event: AgentConnect\r\nTimestamp: 1795390596.866143\r\nChannel: PJSIP/peer-0000000d\r\n"
        b"CallerIDNum: 3905510012\r\nCallerIDName: Zo\xe9 1795390496\r\nUniqueid: pbx-1795390594.13\r\n"
        b"DestLinkedid: 1795390594.13\r\nAppData: SIP/1795390594.13,1.2.3.4\r\nLastCall: 1795390100\r\n"
        b"LastPause: 0\r\nBridgeUniqueid: f95f7606-b6d3-4938-b613-274094208138\r\nHoldTime: 2\r\n"
        b"EventTV: 2026-11-24T00:01:13.834+0000\r\nLoginTime: 1795390101"
    )
    assert TimeShift(-100, 1795390496.0).apply(shifted) == frame


def test_ids_without_a_time_get_a_suffix_in_a_later_round() -> None:
    frame = b"Uniqueid: call-1\r\nDestUniqueid: 1795390494.13\r\nLinkedid: call-1\r\nBridgeUniqueid: f9"
    assert TimeShift(10, 1795390496.0, "-2").apply(frame) == (
        b"Uniqueid: call-1-2\r\nDestUniqueid: 1795390504.13\r\nLinkedid: call-1-2\r\nBridgeUniqueid: f9"
    )
