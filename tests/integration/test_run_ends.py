"""`asterpanel-exporter run` ends when it is told to, whatever hangs."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ami_server import AmiServer
from tests.unit.ami import queue_member, queue_params
from tests.waiting import eventually

BILLING = [queue_params("billing"), queue_member("billing", "PJSIP/1001")]
ENDS_WITHIN_S = 2.0


@pytest.fixture
async def good() -> AsyncIterator[AmiServer]:
    async with AmiServer(BILLING) as server:
        yield server


@pytest.fixture
async def hung() -> AsyncIterator[AmiServer]:
    async with AmiServer(BILLING) as server:
        server.freeze()
        yield server


def configuration(folder: Path, **servers: AmiServer) -> Path:
    secret, file = folder / "secret", folder / "asterpanel.yml"
    secret.write_text(AmiServer().secret)
    lines = ["exporter:", "  listen: 127.0.0.1:0", "  state_open_on_loopback: true", "switchboards:"]
    for name, server in servers.items():
        lines += [
            f"  {name}:", f"    host: {server.host}", f"    port: {server.port}",
            f"    username: {server.username}", "    secret_file: secret",
        ]  # fmt: skip
    file.write_text("\n".join(lines))
    return file


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_ends_in_time_with_an_open_stream_and_a_hung_switchboard(
    good: AmiServer, hung: AmiServer, tmp_path: Path, told: signal.Signals
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-X", "dev", "-m", "asterpanel_exporter.cli",
        "--config", str(configuration(tmp_path, good=good, hung=hung)), "run",
        stderr=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONWARNINGS": "error"},
    )  # fmt: skip
    assert process.stderr is not None
    log = ""
    try:
        async with asyncio.timeout(20.0):
            while (serving := re.search(r"serving on http://127\.0\.0\.1:(\d+)/", log)) is None:
                line = await process.stderr.readline()
                assert line, log
                log += line.decode()
        reader, writer = await asyncio.open_connection("127.0.0.1", int(serving[1]))
        writer.write(b"GET /state/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await reader.readuntil(b"event: snapshot")
        await eventually(lambda: good.count("QueueStatus") and hung.connections)
        started = time.monotonic()
        process.send_signal(told)
        async with asyncio.timeout(10.0):
            log += (await process.stderr.read()).decode()
            assert await process.wait() == 0, log
        assert time.monotonic() - started < ENDS_WITHIN_S
        assert "stopped" in log
        for wrong in ("Traceback", "never", "unclosed", "ERROR"):
            assert wrong not in log, log
        async with asyncio.timeout(2.0):
            await reader.read()  # to its end
        writer.close()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
