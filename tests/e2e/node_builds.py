"""What npm builds from this repository's sources: the plugin, and the stand-in's host page."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.debian import ProgramUnavailable

PLUGIN_VARIABLE: Final = "ASTERPANEL_TEST_PLUGIN"
"""Names a folder with a built plugin to be tested instead: that of a release, say."""

BUILD_S: Final = 600.0

_REPOSITORY: Final = Path(__file__).parents[2]
PLUGIN: Final = _REPOSITORY / "grafana/plugins/asterpanel-app"
STANDIN: Final = Path(__file__).with_name("standin")


def plugin_dist() -> Path:
    """The plugin as Grafana gets it, built from the sources as they are now.

    Raises:
        ProgramUnavailable: there is no npm.
        AssertionError: it cannot be built; names what npm said.
    """
    if given := os.environ.get(PLUGIN_VARIABLE):
        return Path(given)
    return _built(PLUGIN, ("src", ".config", "tsconfig.json", "package-lock.json"), "module.js")


def standin_dist() -> Path:
    """The host page's bundle. Raises as `plugin_dist`."""
    return _built(STANDIN, ("src", "build.mjs", "tsconfig.json", "package-lock.json"), "host.js")


def axe_source() -> str:
    """axe-core, from the plugin's packages, to be run in a page. Raises as `plugin_dist`."""
    _install(PLUGIN)
    return (PLUGIN / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def _built(project: Path, sources: Iterable[str], product: str) -> Path:
    _install(project)
    built = project / "dist" / product
    if not built.exists() or _newest(project / source for source in sources) > built.stat().st_mtime:
        _npm(project, "run", "build")
    return built.parent


def _install(project: Path) -> None:
    """The packages of the lock, unless they are there."""
    installed = project / "node_modules/.package-lock.json"
    lock = project / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        _npm(project, "ci", "--no-audit", "--no-fund")


def _newest(paths: Iterable[Path]) -> float:
    files = (file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]))
    return max(file.stat().st_mtime for file in files if file.is_file())


def _npm(project: Path, *arguments: str) -> None:
    program = shutil.which("npm")
    if program is None:
        raise ProgramUnavailable("no npm: the plugin cannot be built (install nodejs 20 or later, and npm)")
    done = subprocess.run(
        [program, *arguments], cwd=project, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    assert done.returncode == 0, f"npm {' '.join(arguments)} in {project}:\n{done.stdout}\n{done.stderr}"
