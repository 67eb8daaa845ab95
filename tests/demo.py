"""What `make demo` runs: two switchboards with traffic, the exporter on them, and Prometheus.

The switchboards are real Asterisk servers where that is possible (root on Debian), else recordings of them
that `asterpanel-exporter play` speaks. Ctrl-C ends everything, and so does closing the terminal.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from asterpanel_exporter.manager_conf import Version, event_filter
from asterpanel_exporter.play import DEMO_RECORDINGS
from tests.debian import ProgramUnavailable, program
from tests.exporter_process import free_port
from tests.pbx.demo_pbx import DemoPbxPair
from tests.pbx.install import PbxUnavailable, why_not
from tests.pbx.pbx import AsteriskInstance, PbxError, free_ports
from tests.processes import end_process, spawn

EXPORTER_PORT = 9977
PROMETHEUS_PORT = 9090
STARTS_WITHIN_S = 30.0
QUEUE_SETTINGS = [
    {"short_abandon": "5s"},
    # wrapuptime in provisioning/asterisk/demo/queues-*.conf, which AMI does not tell
    {"queues": ["assistenza"], "wrapup_time": "8s"},
    {"queues": ["vendite"], "wrapup_time": "5s"},
    {"queues": ["support"], "wrapup_time": "6s"},
]
PROMETHEUS_CONFIG = Path(__file__).parent.parent / "provisioning/prometheus/prometheus.yml"
LOG_LINES = 20
FOLDERS = "asterpanel-demo-"


@dataclass(frozen=True)
class _Process:
    """A process of the demo, which is to run until the demo ends."""

    name: str
    running: Callable[[], bool]
    tail: Callable[[], str]
    """The end of its log."""


Sections = dict[str, dict[str, Any]]
"""Switchboards by name, as in the configuration, but with the secret itself."""


def main() -> int:
    """Run the demo until Ctrl-C. Exit codes: 0 ended so, 1 something did not start or ended by itself."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument(
        "--recorded", action="store_true", help="play the recordings, even if Asterisk can be had"
    )
    parser.add_argument("--seconds", type=float, help="end by itself after so long")
    arguments = parser.parse_args()
    _end_on_signals()
    with contextlib.ExitStack() as stack, contextlib.suppress(KeyboardInterrupt):
        _sweep()
        prefix = f"{FOLDERS}{os.getpid()}-"
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
        sections, processes = stack.enter_context(_switchboards(folder, recorded=arguments.recorded))
        exporter = _port(EXPORTER_PORT)
        config = _exporter_config(folder, exporter, sections)
        command = [*_EXPORTER, "--config", str(config), "run"]
        processes.append(stack.enter_context(_process("exporter", command, folder / "exporter.log")))
        _answers(f"http://127.0.0.1:{exporter}/healthz", processes)
        try:
            prometheus: int | None = _port(PROMETHEUS_PORT)
            processes.append(stack.enter_context(_prometheus(folder, exporter, prometheus or 0)))
            _answers(f"http://127.0.0.1:{prometheus}/-/ready", processes)
        except ProgramUnavailable as reason:
            _say(f"without Prometheus: {reason}")
            prometheus = None
        _say(_what_to_open(exporter, prometheus, config))
        return _wait(processes, arguments.seconds)
    _say("ended")
    return 0


_EXPORTER = [sys.executable, "-m", "asterpanel_exporter.cli"]


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(text, file=sys.stderr, flush=True)


_ENDING = threading.Event()
"""Set by the signal: Python drops the exception if it comes while something is being finalized."""


def _end_on_signals() -> None:
    """Ctrl-C, SIGTERM and a terminal that is closed end the demo; what comes later does not stop its end."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
        numbers.append(signal.SIGHUP)

    def end(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        _ENDING.set()
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, end)


def _sweep() -> None:
    """Deletes the folders of demos that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*-*"):
        owner = folder.name.removeprefix(FOLDERS).partition("-")[0]
        if owner.isdigit() and not _is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _port(wanted: int) -> int:
    """The usual port if nobody has it, else another."""
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", wanted)):
        return wanted
    port = free_port()
    _say(f"port {wanted} is taken, using {port}")
    return port


@contextlib.contextmanager
def _switchboards(folder: Path, *, recorded: bool) -> Iterator[tuple[Sections, list[_Process]]]:
    with contextlib.ExitStack() as stack:
        reason = "as asked" if recorded else why_not()
        if reason is None:
            pair = DemoPbxPair(event_filter="\n".join(event_filter(Version.parse("22"))), say=_say)
            try:
                pair.start()
            except (PbxUnavailable, PbxError) as error:
                reason = str(error).partition("\n")[0]
            else:
                stack.callback(pair.stop)
                stack.callback(_say, "ending the switchboards")
                yield _of_pair(pair)
                return
        _say(f"recorded switchboards instead of real Asterisk servers: {reason}")
        sections: Sections = {}
        processes: list[_Process] = []
        for name, port in zip(DEMO_RECORDINGS, free_ports(len(DEMO_RECORDINGS)), strict=True):
            command = [*_EXPORTER, "play", "--demo", name, "--loop", "--port", str(port)]
            processes.append(stack.enter_context(_process(f"play {name}", command, folder / f"{name}.log")))
            sections[name] = {"host": "127.0.0.1", "port": port, "username": "demo", "secret": "demo"}
        yield sections, processes


def _of_pair(pair: DemoPbxPair) -> tuple[Sections, list[_Process]]:
    sections = {
        board.name: {
            "host": board.host,
            "port": board.port,
            "username": board.username,
            "secret": board.secret,
        }
        for board in pair.switchboards
    }
    return sections, [_of_asterisk(instance) for instance in pair.instances]


def _of_asterisk(instance: AsteriskInstance) -> _Process:
    return _Process(
        f"Asterisk {instance.name}", lambda: instance.running, lambda: instance.tail_log(LOG_LINES)
    )


def _exporter_config(folder: Path, port: int, switchboards: Sections) -> Path:
    sections = {}
    for name, given in switchboards.items():
        secret = folder / f"{name}.secret"
        secret.touch(0o600)
        secret.write_text(given["secret"], encoding="ascii")
        kept = {key: value for key, value in given.items() if key != "secret"}
        sections[name] = kept | {"secret_file": str(secret), "time_zone": "Europe/Rome"}
    config = folder / "asterpanel.yml"
    config.write_text(
        yaml.safe_dump(
            {
                "exporter": {"listen": f"127.0.0.1:{port}", "state_open_on_loopback": True},
                "queue_settings": QUEUE_SETTINGS,
                "switchboards": sections,
            }
        ),
        encoding="utf-8",
    )
    return config


@contextlib.contextmanager
def _prometheus(folder: Path, exporter: int, port: int) -> Iterator[_Process]:
    """Prometheus with the configuration that we ship, without what does not run here."""
    path = program("prometheus", "prometheus")
    config = yaml.safe_load(PROMETHEUS_CONFIG.read_text(encoding="utf-8"))
    [job] = [job for job in config["scrape_configs"] if job["job_name"] == "asterpanel"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{exporter}"]}]
    config["scrape_configs"] = [job]
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [
        str(path),
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with _process("prometheus", command, folder / "prometheus.log") as process:
        yield process


@contextlib.contextmanager
def _process(name: str, command: Sequence[str], log: Path) -> Iterator[_Process]:
    with log.open("wb") as output:
        popen = spawn(command, output.fileno())

    def tail() -> str:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:])

    try:
        yield _Process(name, lambda: popen.poll() is None, tail)
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            end_process(popen, 10)


def _answers(url: str, processes: Sequence[_Process]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        _all_alive(processes)
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  # our own address
                return
        time.sleep(0.1)
    logs = "\n".join(f"--- {process.name}\n{process.tail()}" for process in processes)
    raise SystemExit(f"no answer from {url} within {STARTS_WITHIN_S:g} s\n{logs}")


def _all_alive(processes: Sequence[_Process]) -> None:
    if _ENDING.is_set():
        raise KeyboardInterrupt
    for process in processes:
        if not process.running():
            raise SystemExit(f"{process.name} has ended by itself:\n{process.tail()}")


def _what_to_open(exporter: int, prometheus: int | None, config: Path) -> str:
    base = f"http://127.0.0.1:{exporter}"
    lines = [
        "",
        "Asterpanel is watching the switchboards. Open:",
        f"  {base}/            the status page, updating live",
        f"  {base}/metrics     what Prometheus scrapes",
        f"  {base}/state       the live state as JSON",
    ]
    if prometheus is not None:
        query = "asterisk_queue_callers_waiting"
        lines.append(f"  http://127.0.0.1:{prometheus}/graph?g0.expr={query}&g0.tab=0&g0.range_input=15m")
    program = Path(sys.executable).with_name("asterpanel-exporter")
    exporter_command = shlex.join([str(program), "-c", str(config)])
    lines += [
        "And in another terminal, the calls that have ended:",
        f"  {exporter_command} report calls",
        f"  {exporter_command} report queues",
        "Ctrl-C ends everything.",
        "",
    ]
    return "\n".join(lines)


def _wait(processes: Sequence[_Process], seconds: float | None) -> int:
    ends = _never if seconds is None else _after(seconds)
    while not ends():
        _all_alive(processes)
        time.sleep(0.5)
    return 0


def _never() -> bool:
    return False


def _after(seconds: float) -> Callable[[], bool]:
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() > deadline


if __name__ == "__main__":
    sys.exit(main())
