"""A network that loses packets in silence: no reset, no refusal, nothing.

The switchboard is a process in a network namespace behind a router in another. To cut the network the router
stops forwarding: both ends go on sending, and nobody tells them anything. With the default ping settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.supervisor import Watch
from asterpanel_switchboard.config import SwitchboardConfig
from asterpanel_switchboard.session import Disconnected, DisconnectReason, SessionState
from tests.ami_server import AmiServer
from tests.leaks import nothing_left_behind
from tests.unit.ami import join, queue_entry, queue_member, queue_params
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
NOTICED_S = 15.0
RIGHT_AGAIN_S = 2.0
OUTAGE_S = 20.0

US, ROUTER_TO_US = "198.18.77.1", "198.18.77.2"
ROUTER_TO_THEM, THEM = "198.18.78.1", "198.18.78.2"
"""Addresses that RFC 2544 sets aside for tests of networks."""


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


class Network:
    """We, a router and a switchboard's host, joined by cables from `lay` to `close`."""

    def __init__(self) -> None:
        self._id = f"{os.getpid() % 100000}"
        self.router, self.host = f"ap-router-{self._id}", f"ap-host-{self._id}"
        self._near = f"apn{self._id}"

    def lay(self) -> None:
        near, far = self._near, "far"
        for namespace in (self.router, self.host):
            _ip("netns", "add", namespace)
            _ip("-n", namespace, "link", "set", "lo", "up")
        _ip("link", "add", near, "type", "veth", "peer", "name", "us", "netns", self.router)
        _ip("-n", self.router, "link", "add", "them", "type", "veth", "peer", "name", far, "netns", self.host)
        for prefix, device, address in (
            ([], near, US),
            (["-n", self.router], "us", ROUTER_TO_US),
            (["-n", self.router], "them", ROUTER_TO_THEM),
            (["-n", self.host], far, THEM),
        ):
            _ip(*prefix, "address", "add", f"{address}/30", "dev", device)
            _ip(*prefix, "link", "set", device, "up")
        _ip("route", "add", f"{THEM}/32", "via", ROUTER_TO_US)
        _ip("-n", self.host, "route", "add", "default", "via", ROUTER_TO_THEM)
        self.restore()

    def cut(self) -> None:
        """From now on the router drops everything."""
        self._forward(False)

    def restore(self) -> None:
        """From now on it forwards again."""
        self._forward(True)

    def _forward(self, on: bool) -> None:
        setting = f"echo {int(on)} > /proc/sys/net/ipv4/ip_forward"
        _ip("netns", "exec", self.router, "sh", "-c", setting)

    def close(self) -> None:
        for command in (
            ("link", "delete", self._near),
            ("netns", "delete", self.host),
            ("netns", "delete", self.router),
        ):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip(*command)


@pytest.fixture
def network(ip: Path) -> Iterator[Network]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs root on Linux, for network namespaces")
    probe = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("this container may not make network namespaces")
    made = Network()
    try:
        made.lay()
        yield made
    finally:
        made.close()


class FarServer:
    """tests/ami_server.py in a process on the far host."""

    def __init__(self, network: Network) -> None:
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", network.host, sys.executable, "-m", "tests.ami_server", THEM, "5038"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "5038\n"

    def tell(self, command: str, *data: bytes) -> None:
        """See `tests.ami_server._main`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(command, *(item.hex() for item in data), file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "ok\n"

    def count(self, action: str) -> int:
        """Actions of this name that it has received."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print("count", action, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture
def far_server(network: Network) -> Iterator[FarServer]:
    server = FarServer(network)
    yield server
    server.close()


def _settings(host: str, port: int) -> SwitchboardConfig:
    defaults = AmiServer()
    return SwitchboardConfig(
        name="far", host=host, port=port, username=defaults.username, secret=SecretStr(defaults.secret)
    )


def _waiting(live: LiveSwitchboard) -> list[str]:
    queue = live.state.queues.get("billing")
    return [] if queue is None else [caller.uniqueid for caller in queue.waiting]


async def test_a_silent_loss_is_noticed_and_its_end_is_too(network: Network, far_server: FarServer) -> None:
    """Two outages: the network goes while nothing happens, and while events are under way."""
    queue = [queue_params("billing"), queue_member("billing", "PJSIP/1001")]
    far_server.tell("list", *queue)
    live = LiveSwitchboard("far")
    watch = Watch(live, _settings(THEM, 5038), 300.0)
    async with nothing_left_behind():
        running = asyncio.create_task(watch.run())
        try:
            await eventually(lambda: live.up)
            for outage in (1, 2):
                caller = f"{outage}.1"
                lost_at = time.monotonic()
                network.cut()
                if outage == 2:
                    far_server.tell("send", join(None, "billing", "nobody-hears", 1, 2))
                await eventually(lambda: not live.up, NOTICED_S, "noticed")
                assert watch.session.state is SessionState.DISCONNECTED
                assert watch.session.problem.startswith("no ")
                far_server.tell("list", *queue, queue_entry("billing", caller, 1, wait=3))
                await asyncio.sleep(lost_at + OUTAGE_S - time.monotonic())
                assert not live.up
                network.restore()
                await eventually(lambda: live.up, RIGHT_AGAIN_S, "right again")
                assert _waiting(live) == [caller]
                assert not live.drift
                far_server.tell("send", join(None, "billing", f"{outage}.2", 2, 2))
                await eventually(lambda: _waiting(live) == [caller, f"{outage}.2"])  # noqa: B023
            assert watch.session.attempts[DisconnectReason.SILENCE] == 2
            assert not watch.session.wire_errors
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


@pytest.mark.parametrize("given_up", [False, True], ids=["in flight at the loss", "given up before the loss"])
async def test_an_action_that_failed_is_not_done_after_all(
    network: Network, far_server: FarServer, given_up: bool
) -> None:
    """Neither do we send it again, nor may TCP deliver what it still has under way."""
    live = LiveSwitchboard("far")
    watch = Watch(live, _settings(THEM, 5038), 300.0)
    async with nothing_left_behind():
        running = asyncio.create_task(watch.run())
        try:
            await eventually(lambda: live.up)
            network.cut()
            pause = {"Action": "QueuePause", "Interface": "PJSIP/1001", "Paused": "true"}
            with pytest.raises(TimeoutError if given_up else Disconnected):
                await watch.session.request(pause, 1.0 if given_up else 30.0)
            await eventually(lambda: not live.up, NOTICED_S)
            network.restore()
            await eventually(lambda: live.up, RIGHT_AGAIN_S)
            await asyncio.sleep(5.0)  # the kernel repeats itself after 3.2 s, then after 6.4 s
            assert far_server.count("Login") == 2
            assert far_server.count("QueuePause") == 0
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
