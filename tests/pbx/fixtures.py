"""pytest fixtures around the rig; load them with `pytest_plugins = ["tests.pbx.fixtures"]`.

A test that asks for `pbx_root`, `make_pbx`, `pbx` or `phones` runs once for each Asterisk version; it is
skipped with the reason where no Asterisk can be had. When it fails, the instances' logs are in its report.
`--pbx-version 22` restricts a run to one version (may be given twice), `--pbx-required` turns skips into
failures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.pbx.install import VERSIONS, AsteriskVersion, PbxUnavailable, rootfs
from tests.pbx.pbx import AsteriskInstance, Pbx, Phones, end_all

_REPORT: pytest.StashKey[bool] = pytest.StashKey()


class MakePbx(Protocol):
    """Makes and starts a Pbx of this version, with these arguments of Pbx; it is ended with the test."""

    def __call__(self, **arguments: Any) -> Pbx: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --pbx-version and --pbx-required."""
    group = parser.getgroup("pbx", "real Asterisk")
    group.addoption("--pbx-version", action="append", choices=VERSIONS, help="only this Asterisk version")
    group.addoption(
        "--pbx-required", action="store_true", help="fail, instead of skipping, where no Asterisk can be had"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs a real Asterisk as `pbx`."""
    for item in items:
        if "pbx_version" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.pbx)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs what uses `pbx_version` for each version asked for."""
    if "pbx_version" in metafunc.fixturenames:
        versions = metafunc.config.getoption("--pbx-version") or VERSIONS
        metafunc.parametrize("pbx_version", list(dict.fromkeys(versions)), scope="session", indirect=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None]:  # pragma: no cover
    """Puts the logs of the instances that a failed test used into its report."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.failed:
        item.stash[_REPORT] = True
        for instance in getattr(item, "funcargs", {}).get("pbx_instances", []):
            report.sections.append((f"Asterisk: {instance.name}", instance.tail_log()))
    return report  # type: ignore[return-value]


@pytest.fixture(scope="session")
def pbx_version(request: pytest.FixtureRequest) -> AsteriskVersion:
    """The Asterisk version of this run: `22`, then `16`."""
    version: AsteriskVersion = request.param
    return version


@pytest.fixture(scope="session")
def pbx_root(pbx_version: AsteriskVersion, request: pytest.FixtureRequest) -> Path:
    """The root folder of that version, installed first if need be."""
    try:
        return rootfs(pbx_version)
    except PbxUnavailable as reason:
        if request.config.getoption("--pbx-required"):
            pytest.fail(str(reason), pytrace=False)
        pytest.skip(str(reason))


@pytest.fixture
def pbx_instances() -> Iterator[list[AsteriskInstance]]:
    """The instances that the test has made; they are ended after it, last first."""
    instances: list[AsteriskInstance] = []
    yield instances
    end_all(reversed(instances))


@pytest.fixture
def phones(pbx_root: Path, pbx_instances: list[AsteriskInstance]) -> Phones:
    """Phones and callers of the test's PBXs, running."""
    made = Phones(pbx_root)
    pbx_instances.append(made)
    made.start()
    return made


@pytest.fixture
def make_pbx(pbx_root: Path, pbx_instances: list[AsteriskInstance]) -> MakePbx:
    """Makes PBXs for the test, started: `make_pbx(name="milano", phones=phones)`."""

    def make(**arguments: Any) -> Pbx:
        made = Pbx(pbx_root, **arguments)
        pbx_instances.append(made)
        made.start()
        return made

    return make


@pytest.fixture
def pbx(make_pbx: MakePbx, phones: Phones) -> Pbx:
    """A PBX with the default queues, and phones, running."""
    return make_pbx(phones=phones)


@pytest.fixture
def local_pbx(make_pbx: Callable[..., Pbx]) -> Pbx:
    """A PBX without phones or PJSIP, running: Local callers and agents only."""
    return make_pbx()
