"""Configurations for the tests of rules, and Debian's programs that check what is made of them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from asterpanel_switchboard.config import Config

REPOSITORY = Path(__file__).parents[2]
PROVISIONING = REPOSITORY / "provisioning"
SCENARIOS = REPOSITORY / "tests" / "rules"


def config(**sections: Any) -> Config:
    """Milano and torino, and these sections."""
    board = {"host": "127.0.0.1", "username": "asterpanel", "secret": SecretStr("made-up")}
    boards = {name: {"name": name, **board} for name in ("milano", "torino")}
    return Config.model_validate({"switchboards": boards, **sections})


def targets_in_head(scenario: Path) -> Any:
    """The section `targets` that stands in the comment on top of a scenario."""
    head = [line[1:] for line in scenario.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    start = next(number for number, line in enumerate(head) if line.strip() == "targets:")
    return yaml.safe_load("\n".join(head[start:]))["targets"]


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """What a program prints.

    Raises:
        AssertionError: it does not succeed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_rules(promtool: Path, text: str, folder: Path, scenarios: Sequence[Path] = ()) -> None:
    """Have promtool check a rule file, and run scenarios that name it ``asterpanel.yml`` beside them."""
    file = folder / "asterpanel.yml"
    file.write_text(text, encoding="utf-8")
    run(promtool, "check", "rules", file)
    for scenario in scenarios:
        copy = folder / f"of_{scenario.name}"
        copy.write_text(scenario.read_text(encoding="utf-8"), encoding="utf-8")
        run(promtool, "test", "rules", copy.name, cwd=folder)


def exposition(*, waits_s: float) -> str:
    """What the exporter told of a recorded switchboard, milano; a caller waits in its queue billing."""
    text = (REPOSITORY / "tests/unit/golden/reload_during_call.txt").read_text(encoding="utf-8")
    waiting, count = re.subn(
        r'^(asterisk_queue_longest_wait_seconds\{switchboard="milano",queue="billing"\}) .*$',
        rf"\1 {waits_s}",
        text,
        flags=re.MULTILINE,
    )
    assert count == 1
    return waiting
