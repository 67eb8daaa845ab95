"""The app plugin's files agree with each other and with what is around them; its code is tested beside it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

REPOSITORY: Final = Path(__file__).parents[2]
PLUGIN: Final = REPOSITORY / "grafana/plugins/asterpanel-app"
PACKAGES: Final = (PLUGIN, REPOSITORY / "tests/e2e/standin")


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_it_has_the_version_of_the_distribution() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["version"]
    assert _json(PLUGIN / "package.json")["version"] == version
    assert _json(PLUGIN / "package-lock.json")["version"] == version
    assert f"\n## {version}\n" in (PLUGIN / "CHANGELOG.md").read_text(encoding="utf-8")


def test_provisioning_sets_what_its_route_needs() -> None:
    app = _json(PLUGIN / "src/plugin.json")
    [route] = app["routes"]
    text = (REPOSITORY / "provisioning/grafana/plugins/asterpanel.yml").read_text(encoding="utf-8")
    [provisioned] = yaml.safe_load(text)["apps"]
    assert provisioned["type"] == app["id"]
    assert set(re.findall(r"\.JsonData\.(\w+)", json.dumps(route))) == provisioned["jsonData"].keys()
    assert (
        set(re.findall(r"\.SecureJsonData\.(\w+)", json.dumps(route))) == provisioned["secureJsonData"].keys()
    )


def test_the_secret_goes_into_the_header_and_nowhere_else() -> None:
    [route] = _json(PLUGIN / "src/plugin.json")["routes"]
    assert route["headers"] == [{"name": "Authorization", "content": "Bearer {{ .SecureJsonData.apiToken }}"}]
    assert "Secure" not in route["url"]


def test_what_it_names_is_there() -> None:
    app = _json(PLUGIN / "src/plugin.json")
    for plugin in (app, _json(PLUGIN / "src/live-panel/plugin.json")):
        folder = PLUGIN / "src" / ("" if plugin is app else "live-panel")
        for logo in plugin["info"]["logos"].values():
            assert (folder / logo).is_file(), logo
    for include in app["includes"]:
        if include["type"] == "panel":
            assert (PLUGIN / "src" / include["path"] / "module.tsx").is_file()


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.name)
def test_lock_names_no_host_and_hashes_everything(folder: Path) -> None:
    packages = _json(folder / "package-lock.json")["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert "integrity" in package or not name or package.get("link") or package.get("inBundle"), name
