"""The plugin's own end-to-end tests (its folder `e2e`, with @grafana/plugin-e2e) in the real Grafana."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.call_centre import CallCentre
from tests.e2e.node_builds import PLUGIN
from tests.e2e.stage import GrafanaHost, Stage

pytestmark = pytest.mark.pbx

RUN_S = 300.0


@pytest.mark.timeout(RUN_S + 20)
def test_with_grafanas_own_tools(stage: Stage, calm: CallCentre, chromium: Path, tmp_path: Path) -> None:
    if not isinstance(stage.host, GrafanaHost):
        pytest.skip("only a real Grafana has what they test")
    uid = stage.host.dashboard({}, 860).split("/")[1]
    npx = shutil.which("npx")
    assert npx is not None
    settings = {
        "GRAFANA_URL": stage.host.url,
        "GRAFANA_ADMIN_USER": "dario",
        "GRAFANA_ADMIN_PASSWORD": stage.host.server.password,
        "CHROMIUM": str(chromium),
        "DASHBOARD_UID": uid,
        "PLAYWRIGHT_OUTPUT": str(tmp_path),
    }
    done = subprocess.run(
        [npx, "playwright", "test"],
        cwd=PLUGIN,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
