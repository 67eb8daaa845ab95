"""Sections `targets` and `dashboards`: which target a queue has in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from asterpanel_dashboards.settings import DEFAULTS, settings_of
from asterpanel_switchboard.config import Config, ConfigError, Service, load_config
from asterpanel_switchboard.config.targets import Levels, QueueTargets

SWITCHBOARDS = """\
switchboards:
  milano: {{host: 127.0.0.1, username: u, secret_file: nobody-opens-this, time_zone: {milano}}}
  torino: {{host: 127.0.0.2, username: u, secret_file: nobody-opens-this, time_zone: {torino}}}
"""


def loaded(folder: Path, text: str, milano: str = "Europe/Rome", torino: str = "Europe/Rome") -> Config:
    file = folder / "asterpanel.yml"
    file.write_text(SWITCHBOARDS.format(milano=milano, torino=torino) + text)
    return load_config(file, for_service=Service.ADMINISTRATION)


def test_later_entries_override_what_they_mention(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        """\
targets:
  - service_level: {target: 90%, critical: 0.75}
    longest_wait: {warning: 20s, critical: 2m}
  - queues: ["sales*"]
    switchboards: [milano]
    service_level: {target: 95%, critical: 80%}
  - queues: [sales-night]
    longest_wait: null
""",
    )
    everywhere = QueueTargets(service_level=Levels(0.9, 0.75), longest_wait=Levels(20, 120))
    assert config.targets_for("torino", "sales") == everywhere
    assert config.targets_for("milano", "billing") == everywhere
    assert config.targets_for("milano", "sales").service_level == Levels(0.95, 0.8)
    assert config.targets_for("milano", "sales").longest_wait == Levels(20, 120)
    night = config.targets_for("milano", "sales-night")
    assert (night.service_level, night.longest_wait) == (Levels(0.95, 0.8), QueueTargets().longest_wait)
    assert settings_of(config).queue == everywhere


def test_without_targets_everything_has_the_defaults(tmp_path: Path) -> None:
    config = loaded(tmp_path, "targets:\ndashboards:\n")
    assert config.targets_for("milano", "sales") == QueueTargets()
    assert settings_of(config).formula == DEFAULTS.formula


@pytest.mark.parametrize(
    ("dashboards", "zones", "zone"),
    [
        ("", ("Europe/Rome", "Europe/Rome"), "Europe/Rome"),
        ("", ("Europe/Rome", "Asia/Kolkata"), "UTC"),
        ("dashboards: {time_zone: Asia/Kolkata}", ("Europe/Rome", "Europe/Rome"), "Asia/Kolkata"),
    ],
)
def test_days_are_those_of_the_switchboards(
    tmp_path: Path, dashboards: str, zones: tuple[str, str], zone: str
) -> None:
    assert settings_of(loaded(tmp_path, dashboards, *zones)).time_zone == zone


@pytest.mark.parametrize("share", ["80 percent", "-1%", "101%", "1.2", "true", "[]"])
def test_what_is_no_share_is_refused(tmp_path: Path, share: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, f"targets: [{{service_level: {{target: {share}, critical: 1%}}}}]")
    [line] = refused.value.lines()
    assert "targets[0].service_level.target" in line
    assert "must be a share" in line
