"""Files that are made from the code and the configuration: written, or compared with what they should be."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Differences:
    """Between what a folder has and what it should have, as paths in it."""

    missing: tuple[str, ...]
    changed: tuple[str, ...]
    superfluous: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.superfluous)

    def lines(self) -> list[str]:
        """One line a file."""
        words = {"missing": self.missing, "changed": self.changed, "superfluous": self.superfluous}
        return [f"{word}: {name}" for word, names in words.items() for name in names]


def differences(folder: Path, wanted: Mapping[str, str], ours: str | None = None) -> Differences:
    """What `write` would do.

    Args:
        folder: need not exist.
        wanted: text of each file by its path in the folder.
        ours: glob of files that are made by nobody else; those that are not wanted are superfluous.
    """
    there = {name: _text(folder / name) for name in wanted}
    found = [str(file.relative_to(folder)) for file in sorted(folder.glob(ours))] if ours else []
    return Differences(
        missing=tuple(name for name, text in there.items() if text is None),
        changed=tuple(name for name, text in there.items() if text not in (None, wanted[name])),
        superfluous=tuple(name for name in found if name not in wanted),
    )


def write(folder: Path, wanted: Mapping[str, str], ours: str | None = None) -> Differences:
    """Make the folder have these files, and none of ours besides.

    Returns:
        What was different.

    Raises:
        OSError: a file cannot be written.
    """
    found = differences(folder, wanted, ours)
    for name in (*found.missing, *found.changed):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(wanted[name], encoding="utf-8")
    for name in found.superfluous:
        (folder / name).unlink()
    return found


def _text(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def write_or_check(path: Path, text: str, arguments: Sequence[str]) -> int:
    """Write one file, or with ``--check`` only say whether it is up to date.

    Returns:
        The exit code: 1 if it is not up to date.
    """
    wanted = {path.name: text}
    if list(arguments) != ["--check"]:
        write(path.parent, wanted)
        return 0
    if not differences(path.parent, wanted):
        return 0
    print(f"{path.name} is not what the code says: run make docs", file=sys.stderr)
    return 1
