"""`asterpanel-exporter check`, run as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """\
exporter: {listen: "[::1]:9977"}
switchboards:
  milano:
    host: 10.0.0.5
    username: asterpanel
    secret_env: MILANO_SECRET
    tls: {verify: false}
    time_zone: Europe/Rome
"""


def run(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("asterpanel-exporter")
    return subprocess.run(
        [command, *arguments],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "asterpanel.yml").write_text(CONFIG)
    return tmp_path


def test_valid_configuration_is_summed_up(folder: Path) -> None:
    done = run(folder, "check", MILANO_SECRET="hunter2")
    assert done.returncode == 0
    assert done.stdout == (
        "asterpanel.yml: valid\n"
        "exporter: listens on [::1]:9977, /state closed (no token is set)\n"
        "switchboard milano: 10.0.0.5:5039, TLS, not verified, user asterpanel, tenant default, Europe/Rome\n"
        f"journal: {folder / 'asterpanel-journal.db'}, kept for 400 days, at most 10 GB\n"
        "influxdb: none, points stay in the journal\n"
    )
    assert done.stderr.startswith("warning: switchboards.milano.tls.verify is false")
    assert "hunter2" not in done.stdout + done.stderr


def test_invalid_configuration_lists_every_problem_and_exits_with_3(folder: Path) -> None:
    broken = folder / "broken.yml"
    broken.write_text(CONFIG.replace("tenant", "tenat").replace("host:", "hsot:"))
    for done in (
        run(folder, "-c", "broken.yml", "check"),
        run(folder, "check", ASTERPANEL_CONFIG="broken.yml"),
    ):
        assert done.returncode == 3
        assert done.stdout == ""
        assert done.stderr.splitlines() == [
            "broken.yml:3:3: switchboards.milano.host: required key is missing",
            "broken.yml:4:5: switchboards.milano.hsot: unknown key (did you mean 'host'?)",
            "broken.yml:6:17: switchboards.milano.secret_env: no such environment variable is set",
            "broken.yml: 3 problems",
        ]


def test_missing_configuration(tmp_path: Path) -> None:
    done = run(tmp_path, "check")
    assert done.returncode == 3
    assert done.stderr.startswith("asterpanel.yml: no such file\n")


def test_wrong_usage_exits_with_2(folder: Path) -> None:
    assert run(folder, "chekc").returncode == 2


@pytest.mark.parametrize("arguments", [("--help",), ("check", "--help")])
def test_help_shows_examples_and_exit_codes(folder: Path, arguments: tuple[str, ...]) -> None:
    done = run(folder, *arguments)
    assert done.returncode == 0
    assert "Examples:\n" in done.stdout
    assert "3  the configuration is invalid\n" in done.stdout


def test_version(folder: Path) -> None:
    assert run(folder, "--version").stdout.startswith("asterpanel-exporter, version ")
