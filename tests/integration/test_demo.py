"""`make demo`, as its user sees it: what it prints can be opened, and its end is the end of everything."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import demo
from tests.exporter_process import Samples, of, parse_samples, with_name
from tests.pbx.demo_pbx import DemoPbxPair
from tests.pbx.install import why_not
from tests.pbx.pbx import PbxError, wait_until

REPOSITORY = Path(__file__).parents[2]
INSTALLS_WITHIN_S = 600.0


class Demo:
    """The demo as a process, and its children."""

    def __init__(self, log: Path, arguments: Sequence[str]) -> None:
        self.log = log
        command = [sys.executable, "-m", "tests.demo", *arguments]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=output)
        wait_until(
            lambda: "Ctrl-C ends everything." in self.printed or self.process.poll() is not None,
            INSTALLS_WITHIN_S,
            "the demo says what to open",
        )
        found = re.search(r"(http://127\.0\.0\.1:\d+)/metrics", self.printed)
        assert found is not None, self.printed
        self.url = found[1]
        self.children = {
            int(pid): command
            for pid, _, command in (
                line.strip().partition(" ") for line in _ps("--ppid", str(self.process.pid)).splitlines()
            )
        }

    @property
    def printed(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def child(self, words: str) -> int:
        """The process id of the one whose command has these words."""
        found = [pid for pid, command in self.children.items() if words in command]
        assert len(found) == 1, f"{self.children}\n{self.printed}"
        return found[0]

    def ended(self) -> int:
        """The exit code, once it has one; no child is left."""
        code = self.process.wait(20)
        assert self.children
        wait_until(lambda: not _ps("--pid", ",".join(map(str, self.children))), 5, "all children have ended")
        return code


def _ps(*which: str) -> str:
    """Processes that are not just waiting to be reaped."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,stat=,args=", *which], capture_output=True, text=True, check=False
    )
    fields = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return "\n".join(f"{pid} {args}" for pid, status, args in fields if not status.startswith("Z"))


@contextmanager
def _demo(
    log: Path, arguments: Sequence[str], *, end: signal.Signals | None = signal.SIGINT
) -> Iterator[Demo]:
    """The demo until the end of the block, where the signal ends it if one is given."""
    shown = Demo(log, arguments)
    try:
        yield shown
        if end is not None:
            shown.process.send_signal(end)
            assert shown.ended() == 0, shown.printed
    finally:
        shown.process.kill()
        shown.process.wait()


def _scrape(url: str) -> Samples:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as response:  # noqa: S310  # loopback
        return parse_samples(response.read().decode())


def _output(command: str) -> str:
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(180)
def test_with_the_recordings(tmp_path: Path) -> None:
    with _demo(tmp_path / "log", ["--recorded"]) as shown:
        for name in ("milano", "torino"):
            wait_until(lambda name=name: of(_scrape(shown.url), "asterisk_up", switchboard=name) == 1.0, 15)  # type: ignore[misc]
        samples = _scrape(shown.url)
        queues = {
            (labels["switchboard"], labels["queue"])
            for labels, _ in with_name(samples, "asterisk_queue_callers_waiting")
        }
        assert queues == {
            ("milano", "assistenza"),
            ("milano", "vendite"),
            ("milano", "amministrazione"),
            ("torino", "support"),
            ("torino", "prenotazioni"),
        }
        with urllib.request.urlopen(f"{shown.url}/", timeout=10) as page:  # noqa: S310  # loopback
            assert b"<title>" in page.read()
        [command] = re.findall(r"^  (\S.* report calls)$", shown.printed, flags=re.MULTILINE)
        wait_until(lambda: "answered" in _output(command), 60, "a call has ended")
    assert "recorded switchboards instead" in shown.printed


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_closed_terminal_or_a_polite_end_ends_everything(tmp_path: Path, number: signal.Signals) -> None:
    with _demo(tmp_path / "log", ["--recorded"], end=number):
        pass


@pytest.mark.timeout(60)
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv: Linux with util-linux has it")
def test_a_killed_demo_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with _demo(tmp_path / "log", ["--recorded"], end=None) as shown:
        shown.process.kill()
        shown.ended()
    with _demo(tmp_path / "log", ["--recorded"]):
        assert len(list(tmp_path.glob("asterpanel-demo-*"))) == 1, "the next one sweeps its folder"
    assert not list(tmp_path.glob("asterpanel-demo-*"))


@pytest.mark.timeout(60)
def test_a_switchboard_that_ends_by_itself_is_told_with_its_log(tmp_path: Path) -> None:
    with _demo(tmp_path / "log", ["--recorded"], end=None) as shown:
        os.kill(shown.child("play --demo torino"), signal.SIGKILL)
        assert shown.ended() == 1
    told = shown.printed.partition("play torino has ended by itself:\n")[2]
    assert "torino" in told
    assert "milano" not in told


def test_an_asterisk_that_does_not_start_is_told_in_a_line_and_the_recordings_are_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(pair: DemoPbxPair) -> None:
        raise PbxError("milano ended while starting\n--- milano: log/messages\nno such module")

    monkeypatch.setattr(demo, "why_not", lambda: None)
    monkeypatch.setattr(DemoPbxPair, "start", start)
    with demo._switchboards(tmp_path, recorded=False) as (sections, processes):
        assert list(sections) == ["milano", "torino"]
        assert all(process.running() for process in processes)
    assert not any(process.running() for process in processes)
    assert capsys.readouterr().err == (
        "recorded switchboards instead of real Asterisk servers: milano ended while starting\n"
    )


@pytest.mark.pbx
@pytest.mark.timeout(900)
def test_with_real_switchboards(tmp_path: Path) -> None:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with _demo(tmp_path / "log", []) as shown:
        for name in ("milano", "torino"):
            wait_until(lambda name=name: of(_scrape(shown.url), "asterisk_up", switchboard=name) == 1.0, 15)  # type: ignore[misc]
        wait_until(
            lambda: (
                sum(v for _, v in with_name(_scrape(shown.url), "asterisk_queue_calls_offered_total")) > 0
            ),
            90,
            "a call comes in",
        )
        # Twelve in all; some log in later and out again.
        assert 8 <= len(list(with_name(_scrape(shown.url), "asterisk_agent_state"))) <= 12


@pytest.mark.pbx
@pytest.mark.timeout(300)
def test_an_asterisk_that_ends_by_itself_is_told_with_its_log(tmp_path: Path) -> None:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with _demo(tmp_path / "log", [], end=None) as shown:
        os.kill(shown.child("/torino-"), signal.SIGKILL)
        assert shown.ended() == 1
    assert "Asterisk torino has ended by itself:\n--- torino: log/messages\n" in shown.printed
