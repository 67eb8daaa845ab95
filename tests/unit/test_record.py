"""`record` and its masking, with `play` as the switchboard."""

from __future__ import annotations

import asyncio
import gzip
import re
import signal
import subprocess
import sys
import threading
import time
import timeit
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.masking import Masking
from asterpanel_exporter.play import Credentials, Player
from asterpanel_exporter.record import Recorder, RecordingFailed, RecordingFile, record
from asterpanel_exporter.recording import Recording, read_recording
from asterpanel_exporter.replay import Replay
from asterpanel_switchboard.config import Config
from asterpanel_switchboard.wire import FrameSplitter

TRACES = Path(__file__).parents[1] / "traces"
SCENARIOS = sorted(TRACES.glob("asterisk-*/*.ami.xz"))
COMMAND = str(Path(sys.executable).with_name("asterpanel-exporter"))

CALLER_NUMBERS = re.compile(rb"(?:CallerIDNum|ConnectedLineNum): (\d{5,})\r")
CALLER_NAMES = re.compile(rb"(?:CallerIDName|ConnectedLineName): ([^<\r][^\r]*)\r")
MEMBER_NAMES = re.compile(rb"\r\n(?:MemberName|Name): ([^\r]+)\r")


def state_of(data: bytes) -> dict[str, Any]:
    replay = Replay(LiveSwitchboard("milano"))
    replay.play([data])
    assert not replay.errors
    return replay.live.document(replay.end())


def recorded(data: bytes, masking: Masking | None = None, chunk: int = 1000) -> bytes:
    written: list[bytes] = []
    recorder = Recorder(written.append, masking)
    for start in range(0, len(data), chunk):
        recorder.received(data[start : start + chunk])
    return b"".join(written)


def without_callers(document: dict[str, Any]) -> dict[str, Any]:
    for queue in document["queues"].values():
        for caller in queue["waiting"]:
            del caller["caller"], caller["caller_name"]
    return document


# --- masking ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trace", SCENARIOS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_masked_recording_tells_the_same_and_names_no_caller(trace: Path) -> None:
    data = read_recording(str(trace))
    masked = recorded(data, Masking())
    numbers, members = set(CALLER_NUMBERS.findall(data)), set(MEMBER_NAMES.findall(data))
    for number in numbers:
        assert number not in masked
    for name in set(CALLER_NAMES.findall(data)) - members:
        assert len(name) < 2 or name not in masked
    assert without_callers(state_of(masked)) == without_callers(state_of(data))


def test_callers_who_wait_get_pseudonyms_of_the_same_length_that_stay_theirs() -> None:
    data = read_recording(str(TRACES / "asterisk-22/queue_full.ami.xz"))
    lines = b"CallerIDNum: 390551234567\r\nCallerIDName: Mario Rossi"
    data = re.sub(rb"CallerIDNum: 3901\r\nCallerIDName: A(?=\r)", lines, data)
    masked = recorded(data, Masking())
    found = {
        match[1] for match in re.finditer(rb"\r\nCallerIDNum: (\d{12})\r\nCallerIDName: Caller \d", masked)
    }
    assert len(found) == 1
    assert found != {b"390551234567"}
    assert recorded(data, Masking()) != masked  # anew for each recording


def frame(**headers: str) -> bytes:
    first = {
        "Event": "QueueCallerJoin",
        "Privilege": "agent,all",
        "Timestamp": "1795390501.100000",
        **headers,
    }
    return "\r\n".join(f"{name}: {value}" for name, value in first.items()).encode()


def test_numbers_are_masked_wherever_they_stand() -> None:
    masking = Masking()
    masked = masking.apply(
        frame(
            Channel="SIP/+390551234567-0000a3f2",
            CallerIDNum="+390551234567",
            CallerIDName="390551234567",
            ConnectedLineNum="1001",
            AccountCode="Rossi Spa",
            Exten="70055512",
            Uniqueid="1795390494.13",
            Queue="billing",
            Position="1",
            Count="1",
        )
        + b"\r\nChanVariable: CUSTOMER=Mario Rossi"
    )
    assert masked is not None
    assert not re.search(rb"390551234567|70055512|Rossi", masked)
    assert re.search(rb"\r\nChannel: SIP/\+(\d{12})-0000a3f2\r\nCallerIDNum: \+\1\r\n", masked)
    assert re.search(rb"\r\nConnectedLineNum: 1001\r\nExten: \d{8}\r\nUniqueid: 1795390494\.13\r\n", masked)


def test_what_is_the_houses_own_stays() -> None:
    masking = Masking()
    member = frame(Event="QueueMemberStatus", Queue="70001", MemberName="Giulia", Interface="PJSIP/10011")
    assert masking.apply(member) == member
    connect = frame(
        Event="AgentConnect", Channel="PJSIP/trunk-00000001", CallerIDNum="390551234567",
        ConnectedLineNum="10011", ConnectedLineName="Giulia", Exten="70001", Uniqueid="1795390494.13",
        DestChannel="PJSIP/10011-00000002", DestCallerIDNum="10011", Queue="70001", Interface="PJSIP/10011",
        MemberName="Giulia", RingTime="10000",
    )  # fmt: skip
    masked = masking.apply(connect)
    assert masked is not None
    number = re.search(rb"CallerIDNum: (\d{12})\r", masked)
    assert number is not None
    assert masked.replace(number[1], b"390551234567") == connect
    enter = frame(Event="Newexten", Uniqueid="1.2", Application="Queue", AppData="70001,tT,,,390551234567")
    masked = masking.apply(enter)
    assert masked is not None
    assert b"AppData: 70001,tT,,," + number[1] in masked


def test_a_callers_name_is_masked_in_free_text_too() -> None:
    masking = Masking()
    masking.apply(
        frame(CallerIDNum="mario.rossi", CallerIDName="Mario Rossi", Queue="billing", Uniqueid="1.2")
    )
    pause = frame(Event="QueueMemberPause", PausedReason="call to Mario Rossi (mario.rossi, 3355551234)")
    masked = masking.apply(pause)
    assert masked is not None
    assert not re.search(rb"(?i)mario|rossi|3355551234", masked)


def test_of_two_names_the_longer_is_masked_and_what_stands_between_them_stays() -> None:
    masking = Masking()
    for name in ("Anna", "Anna Rossi 0551234567", "Rossi", "Call"):
        masking.apply(frame(CallerIDNum="3355551234", CallerIDName=name))
    pause = frame(Event="QueueMemberPause", PausedReason="for Anna Rossi 0551234567, xRossix and Anna, Call")
    assert masking.apply(pause) == frame(
        Event="QueueMemberPause", PausedReason="for Caller 2, xCaller 3x and Caller 1, Caller 4"
    )


def test_ten_thousand_names_cost_a_frame_no_more_than_ten() -> None:
    leave = frame(
        Event="QueueCallerLeave",
        Channel="Local/0551234567@incoming-0000000a;2",
        ChannelStateDesc="Up",
        Context="incoming-calls-of-the-whole-house",
        CallerIDName="Caller Number 7 of all",
        ConnectedLineName="Caller Number 8 of all",
        Reason="Caller Number 5 of all was here before",
        Uniqueid="1795390494.13",
    )

    def seconds(names: int) -> float:
        masking = Masking()
        for number in range(names):
            masking.apply(frame(CallerIDName=f"Caller Number {number} of all"))
        return min(timeit.repeat(lambda: masking.apply(leave), number=200, repeat=5))

    # Looking for every name in every value made it over a hundred times as much.
    assert seconds(10_000) < 10 * seconds(10)


def test_agents_names_are_masked_on_request() -> None:
    data = read_recording(str(TRACES / "asterisk-22/answered_caller_hangup.ami.xz"))
    masked = recorded(data, Masking(mask_names=True))
    assert MEMBER_NAMES.findall(data)
    assert {b"Alice", b"Bob"} >= set(MEMBER_NAMES.findall(data))
    assert b"Alice" not in masked
    assert b"Agent 1" in masked


def test_events_of_no_use_to_the_exporter_are_left_out() -> None:
    masking = Masking()
    assert masking.apply(frame(Event="VarSet", Variable="CUSTOMER", Value="Mario Rossi")) is None
    assert masking.apply(frame(Event="Newexten", Application="NoOp", AppData="from Mario")) is None
    assert masking.apply(frame(Event="ContactStatus", Contact="sip:mario@example.org")) is None
    assert masking.apply(
        frame(Event="VarSet", Uniqueid="1.2", Variable="QUEUESTATUS", Value="FULL") + b"\r\n"
    )


# --- recording --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 7, 4096])
def test_whole_frames_are_written_as_they_came(chunk: int) -> None:
    data = read_recording(str(SCENARIOS[0]))[:20000]
    whole = data[: data.rindex(b"\r\n\r\n") + 4]
    assert recorded(data, chunk=chunk) == whole


def test_a_second_connection_is_written_behind_the_first_and_its_half_frame_is_left_out() -> None:
    written: list[bytes] = []
    recorder = Recorder(written.append)
    greeting, first, second = b"Asterisk Call Manager/11.0.0\r\n", b"Event: A\r\nX: 1", b"Event: B\r\nX: 2"
    recorder.received(greeting + first + b"\r\n\r\nEvent: half")
    recorder.connection_ended()
    recorder.received(greeting + second + b"\r\n\r\n")
    assert b"".join(written) == greeting + first + b"\r\n\r\n" + second + b"\r\n\r\n"
    assert FrameSplitter().feed(b"".join(written)) == [first, second]


class Switchboard:
    """`play` in a thread of its own, so that the command can be run against it."""

    _loop: asyncio.AbstractEventLoop
    _end: asyncio.Event

    def __init__(self, folder: Path) -> None:
        name = str(TRACES / "asterisk-22/queue_full.ami.xz")
        self.recording = Recording.parse("queue_full", read_recording(name))
        self.port = 0
        self.said: list[str] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(10)
        (folder / "secret").write_text("s3cret-of-the-user")
        (folder / "asterpanel.yml").write_text(
            "switchboards:\n  milano:\n    host: 127.0.0.1\n    username: anna\n    secret_file: secret\n"
            f"    port: {self.port}\n"
        )

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        player = Player(
            [self.recording],
            speed=2.0,
            credentials=Credentials("anna", "s3cret-of-the-user"),
            say=self.said.append,
        )
        self.port = await player.server.start("127.0.0.1", 0)
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._ready.set()
        task = asyncio.create_task(player.run())
        await self._end.wait()
        task.cancel()
        await asyncio.wait({task})
        await player.server.close()

    def wait_until_said(self, *words: str) -> None:
        deadline = time.monotonic() + 30
        while not all(any(word in line for line in self.said) for word in words):
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()


@pytest.fixture
def switchboard(tmp_path: Path) -> Iterator[Switchboard]:
    board = Switchboard(tmp_path)
    yield board
    board.stop()


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "record", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_a_recording_begins_with_the_whole_state_and_can_be_replayed(
    switchboard: Switchboard, tmp_path: Path
) -> None:
    done = run(tmp_path, "--switchboard", "milano", "--output", "x.ami.gz", "--duration", "3s")
    assert done.returncode == 0, done.stderr
    data = gzip.decompress((tmp_path / "x.ami.gz").read_bytes())
    assert data.startswith(b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n")
    assert data.endswith(b"\r\n\r\n")
    assert b"asterpanel-resync/CONNECTED" in data
    assert b"s3cret" not in data
    assert (tmp_path / "x.ami.gz").stat().st_mode & 0o777 == 0o600
    first, *_, summary, warning = done.stderr.splitlines()
    assert first == "0:00:00  0 events  0 calls  0 bytes  NOT CONNECTED: connecting"
    assert "NOT CONNECTED" not in summary
    assert "callers' numbers and names are in it" in warning
    document = state_of(data)
    assert document["up"]
    assert "fullq" in document["queues"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["asterpanel.yml", "secret", "x.ami.gz"]


def test_a_signal_ends_a_recording_with_all_that_came(switchboard: Switchboard, tmp_path: Path) -> None:
    command = [COMMAND, "record", "-o", "x.ami", "--mask-numbers"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        switchboard.wait_until_said("logged in", "has ended")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert " calls  " in process.stderr.read()
    data = (tmp_path / "x.ami").read_bytes()
    assert data.endswith(b"\r\n\r\n")
    assert "fullq" in state_of(data)["queues"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--switchboard", "torino"], "'torino' is not configured; There are: milano"),
        (["--duration", "soon"], "must be a duration"),
        (["--duration", "0"], "must be above 0"),
        (["--mask-names"], "needs --mask-numbers"),
        (["--output", "asterpanel.yml"], "exists already"),
        (["--output", "nosuch/x.ami"], "cannot write"),
    ],
)
def test_wrong_usage_is_told_in_words(
    switchboard: Switchboard, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refused_login_ends_it_and_leaves_no_file(switchboard: Switchboard, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("wrong")
    done = run(tmp_path, "-o", "x.ami")
    assert done.returncode == 1
    assert "refused: Authentication failed" in done.stderr
    assert not list(tmp_path.glob("x.ami*"))


async def test_a_full_disk_ends_it_with_what_was_written(switchboard: Switchboard, tmp_path: Path) -> None:
    class FullDisk(RecordingFile):
        written = 0

        def write(self, data: bytes) -> None:
            if self.written + len(data) > 2000:
                raise OSError(28, "No space left on device")
            self.written += len(data)
            super().write(data)

    config = Config.model_validate(
        {
            "switchboards": {
                "milano": {
                    "name": "milano",
                    "host": "127.0.0.1",
                    "port": switchboard.port,
                    "username": "anna",
                    "secret": "s3cret-of-the-user",
                }
            }
        }
    )
    with pytest.raises(RecordingFailed, match="No space left"):
        await record(config, "milano", FullDisk(tmp_path / "x.ami"), stop=asyncio.Event())
    assert 0 < (tmp_path / "x.ami").stat().st_size <= 2000
