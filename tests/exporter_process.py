"""The exporter as its users run it: a process, a configuration file, HTTP."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.processes import end_process

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""Values by metric name and labels."""


class ExporterProcess:
    """`asterpanel-exporter run` on a free port, with a configuration of its own.

    Args:
        folder: for the configuration, secrets and the log.
        switchboards: sections of the configuration by name, each with a ``secret`` that goes into a file.
        settings: other sections of the configuration.
    """

    def __init__(
        self,
        folder: Path,
        switchboards: Mapping[str, Mapping[str, Any]],
        **settings: Any,
    ) -> None:
        self.port = free_port()
        self.token = secrets.token_hex(16)
        self.log = folder / "exporter.log"
        self.config = folder / "asterpanel.yml"
        (folder / "state_token").write_text(self.token, encoding="ascii")
        sections = {}
        for name, given in switchboards.items():
            section = dict(given)
            (folder / f"{name}.secret").write_text(section.pop("secret"), encoding="ascii")
            sections[name] = section | {"secret_file": f"{name}.secret"}
        exporter = {
            "listen": f"127.0.0.1:{self.port}",
            "state_token_file": "state_token",
            "log_level": "debug",
        }
        exporter |= settings.pop("exporter", {})
        text = yaml.safe_dump({"exporter": exporter, "switchboards": sections, **settings})
        self.config.write_text(text, encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ExporterProcess:
        self.spawn()
        assert self._process is not None
        deadline = time.monotonic() + 20
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the exporter does not start:\n{self.tail()}")
            time.sleep(0.05)
        return self

    def spawn(self) -> None:
        """Start the process, and do not wait until it serves."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "asterpanel_exporter.cli", "--config", str(self.config), "run"],
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """End the process as a crash would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            end_process(self._process, 10)
        if error is not None:
            print(self.tail(200))

    def _answers(self) -> bool:
        try:
            return self.get("/healthz")[0] == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def tail(self, lines: int = 60) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8").splitlines()[-lines:])

    def get(self, path: str, *, token: str | None = None) -> tuple[int, bytes]:
        """Status and body of a GET."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310  # our own address
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def metrics(self) -> Samples:
        """All samples of a scrape."""
        return parse_samples(self.get("/metrics")[1].decode())

    def state(self, switchboard: str) -> dict[str, Any]:
        """The live state of a switchboard."""
        status, body = self.get(f"/state/{switchboard}", token=self.token)
        assert status == 200, body
        document: dict[str, Any] = json.loads(body)
        return document


def parse_samples(text: str) -> Samples:
    """An exposition as a mapping; a series that comes twice is an error."""
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples, f"twice: {key}"
            samples[key] = sample.value
    return samples


def of(samples: Samples, name: str, **labels: str) -> float | None:
    """One sample's value; None if there is no such series."""
    return samples.get((name, frozenset(labels.items())))


def with_name(samples: Samples, name: str) -> Iterable[tuple[dict[str, str], float]]:
    """All series of a metric."""
    for (sample_name, labels), value in samples.items():
        if sample_name == name:
            yield dict(labels), value


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
