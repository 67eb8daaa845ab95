"""The recorded AMI streams in ``tests/traces/``, unpacked, and the truth that was recorded beside them."""

from __future__ import annotations

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "traces"

FLOOD = "flood-asterisk-22-30cps"
VERSIONS = ("asterisk-16", "asterisk-22")

ALL: tuple[str, ...] = tuple(
    str(path.relative_to(FOLDER)).removesuffix(".ami.xz") for path in sorted(FOLDER.rglob("*.ami.xz"))
)
"""Names of all recordings: ``asterisk-22/timeout``, …"""

SCENARIOS: tuple[str, ...] = tuple(name for name in ALL if name != FLOOD)
"""Those with one scenario each, which `truth` knows."""


@cache
def recording(name: str) -> bytes:
    """The bytes as received, of one of `ALL`."""
    return lzma.decompress((FOLDER / f"{name}.ami.xz").read_bytes())


@cache
def _truths(version: str) -> dict[str, Any]:
    truths: dict[str, Any] = json.loads((FOLDER / version / "truth.json").read_text(encoding="utf-8"))
    return truths


def truth(name: str) -> list[dict[str, Any]]:
    """The calls that one of `SCENARIOS` holds, in the order of their joining."""
    version, _, scenario = name.partition("/")
    calls: list[dict[str, Any]] = _truths(version)[scenario]["calls"]
    return calls
