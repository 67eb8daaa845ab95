"""`make demo`, as its user sees it: what it prints can be opened, and Ctrl-C ends everything."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.exporter_process import Samples, of, parse_samples, with_name
from tests.pbx.install import why_not
from tests.pbx.pbx import wait_until

REPOSITORY = Path(__file__).parents[2]
INSTALLS_WITHIN_S = 600.0


@contextmanager
def _demo(log: Path, arguments: Sequence[str]) -> Iterator[str]:
    """The demo until the end of the block; yields the address of the exporter that it printed."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.demo", *arguments], cwd=REPOSITORY, stdout=output, stderr=output
        )
    try:
        wait_until(
            lambda: (
                "Ctrl-C ends everything." in log.read_text(encoding="utf-8") or process.poll() is not None
            ),
            INSTALLS_WITHIN_S,
            "the demo says what to open",
        )
        printed = log.read_text(encoding="utf-8")
        found = re.search(r"(http://127\.0\.0\.1:\d+)/metrics", printed)
        assert found is not None, printed
        yield found[1]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0, log.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()


def _scrape(url: str) -> Samples:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as response:  # noqa: S310  # loopback
        return parse_samples(response.read().decode())


def _children_named(name: str) -> list[int]:
    found = subprocess.run(["pgrep", "-f", name], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in found.split() if int(pid) != os.getpid()]


@pytest.mark.timeout(120)
def test_with_the_recording(tmp_path: Path) -> None:
    with _demo(tmp_path / "log", ["--recorded"]) as url:
        wait_until(lambda: of(_scrape(url), "asterisk_up", switchboard="milano") == 1.0, 15)
        samples = _scrape(url)
        queues = {labels["queue"] for labels, _ in with_name(samples, "asterisk_queue_callers_waiting")}
        assert queues == {"assistenza", "vendite", "amministrazione"}
        with urllib.request.urlopen(f"{url}/", timeout=10) as page:  # noqa: S310  # loopback
            assert b"<title>" in page.read()
    assert "a recorded switchboard instead" in (tmp_path / "log").read_text(encoding="utf-8")
    assert _children_named("asterpanel_exporter.cli play") == []


@pytest.mark.pbx
@pytest.mark.timeout(900)
def test_with_real_switchboards(tmp_path: Path) -> None:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with _demo(tmp_path / "log", []) as url:
        for name in ("milano", "torino"):
            wait_until(lambda name=name: of(_scrape(url), "asterisk_up", switchboard=name) == 1.0, 15)  # type: ignore[misc]
        wait_until(
            lambda: sum(v for _, v in with_name(_scrape(url), "asterisk_queue_calls_offered_total")) > 0,
            90,
            "a call comes in",
        )
        # Twelve in all; some log in later and out again.
        assert 8 <= len(list(with_name(_scrape(url), "asterisk_agent_state"))) <= 12
