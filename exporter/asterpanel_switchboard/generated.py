"""Files that are generated from tables in the code: written, or compared with what they should be."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def write_or_check(path: Path, text: str, arguments: Sequence[str]) -> int:
    """Write the file, or with ``--check`` only say whether it is up to date.

    Returns:
        The exit code: 1 if it is not up to date.
    """
    if list(arguments) != ["--check"]:
        path.write_text(text, encoding="utf-8")
        return 0
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return 0
    print(f"{path.name} is not what the code says: run make docs", file=sys.stderr)
    return 1
