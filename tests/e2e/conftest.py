"""What the plugin's scenarios ask for: a stage, a browser, and people who come with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.debian import ProgramUnavailable
from tests.e2e.call_centre import VERSION, CallCentre, call_centre
from tests.e2e.node_builds import axe_source, plugin_dist
from tests.e2e.stage import Stage, grafana_stage, standin_stage
from tests.e2e.visitor import Visitor
from tests.pbx.install import PbxUnavailable, rootfs

Visit = Callable[..., Visitor]
"""Somebody opens his browser: `visit("sara", width=1366, …)` (arguments of `Visitor`)."""

_STAGES = {"standin": standin_stage, "grafana": grafana_stage}


@pytest.fixture(scope="package")
def centre(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallCentre]:
    """Two Asterisks and the exporter."""
    try:
        root = rootfs(VERSION)
    except PbxUnavailable as reason:
        if request.config.getoption("--pbx-required"):
            pytest.fail(str(reason), pytrace=False)
        pytest.skip(str(reason))
    with call_centre(root, tmp_path_factory.mktemp("call-centre")) as running:
        yield running


@pytest.fixture(scope="package")
def built_plugin() -> Path:
    """The plugin's ``dist``, of the sources as they are."""
    try:
        return plugin_dist()
    except ProgramUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="package", params=list(_STAGES))
def stage(
    request: pytest.FixtureRequest,
    centre: CallCentre,
    built_plugin: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """The stand-in for Grafana, then a real one."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp(request.param)
        try:
            made = stack.enter_context(_STAGES[request.param](centre, built_plugin, folder))
        except ProgramUnavailable as reason:
            pytest.skip(str(reason))
        print(f"on {made.host.name}, {made.host.version}")
        yield made


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """Debian's chromium. Of a module: while playwright runs, no other event loop can in this thread."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="package")
def axe() -> str:
    """axe-core's source."""
    return axe_source()


@pytest.fixture
def calm(stage: Stage) -> CallCentre:
    """The call centre as it was at first."""
    stage.centre.calm()
    return stage.centre


@pytest.fixture
def visit(stage: Stage, browser: Browser, request: pytest.FixtureRequest, axe: str) -> Iterator[Visit]:
    """Lets people come. Whoever has come must have had nothing to complain of when the test ends."""
    visitors: list[Visitor] = []

    def come(login: str, **how: object) -> Visitor:
        name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_"))
        visitors.append(Visitor(stage, browser, login, axe=axe, test=name, **how))  # type: ignore[arg-type]
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.leave()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
