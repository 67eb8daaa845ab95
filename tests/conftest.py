"""What every test may ask for: the real PBX rig, and programs of Debian's packages."""

from pathlib import Path

import pytest

from tests.debian import ProgramUnavailable, program

pytest_plugins = ["tests.pbx.fixtures"]


def _program_or_skip(name: str, package: str) -> Path:
    try:
        return program(name, package)
    except ProgramUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Prometheus' own checker."""
    return _program_or_skip("promtool", "prometheus")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """A browser."""
    return _program_or_skip("chromium", "chromium")


@pytest.fixture(scope="session")
def ip() -> Path:
    """iproute2's tool for network namespaces."""
    return _program_or_skip("ip", "iproute2")
