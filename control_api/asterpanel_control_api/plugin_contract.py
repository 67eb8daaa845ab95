"""Writes what Grafana's app is built and tested against: the API's description, and cases of its rules.

``python -m asterpanel_control_api.plugin_contract [--check]``
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from asterpanel_control_api.app import create_app
from asterpanel_control_api.plugin_cases import glob_cases, rights_cases
from asterpanel_control_api.services import Services
from asterpanel_switchboard.config import Service, load_config
from asterpanel_switchboard.generated import write_or_check

CONTRACT: Final = Path(__file__).resolve().parents[2] / "grafana/plugins/asterpanel-app/contract"

_CONFIG: Final = """\
control_api:
  profiles_file: profiles.yml
  tokens_file: tokens.json
  tenants: {default: {route_secret_env: SECRET, grafana: {url: "http://127.0.0.1:3000"}}}
switchboards:
  milano: {host: 127.0.0.1, username: exporter, secret_env: SECRET}
"""
"""The description is the same with any configuration."""


def openapi() -> dict[str, Any]:
    """The document at ``/v1/openapi.json``."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "asterpanel.yml")
        file.write_text(_CONFIG, encoding="utf-8")
        Path(folder, "profiles.yml").write_text("tenants: {}\n", encoding="utf-8")
        config = load_config(file, {"SECRET": "x" * 32}, for_service=Service.CONTROL_API)
        document: dict[str, Any] = create_app(Services.from_config(config)).api_doc
    return document


def contract() -> Mapping[str, str]:
    """The files' texts by name."""
    return {
        "openapi.json": json.dumps(openapi(), ensure_ascii=False, indent=2) + "\n",
        "rights_cases.json": _one_a_line(rights_cases()),
        "glob_cases.json": _one_a_line(glob_cases()),
    }


def _one_a_line(cases: list[dict[str, Any]]) -> str:
    return "[\n" + ",\n".join(f"  {json.dumps(case)}" for case in cases) + "\n]\n"


def main(arguments: list[str]) -> int:
    """Write the files, or compare them; the exit code."""
    return max(write_or_check(CONTRACT / name, text, arguments) for name, text in contract().items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
