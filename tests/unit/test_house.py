"""The repository itself: locks that hold on every machine."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")


def pins(lock: str) -> dict[str, str]:
    """Package → the rest of its entry: version, marker, hashes."""
    text = re.sub(r"^ *#.*\n", "", (REPOSITORY / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    return dict(entry.split("==", 1) for entry in entries)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_place_and_hashes_everything(lock: str) -> None:
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|^-|find-links|index|(?<!\S)/|file:", text, flags=re.MULTILINE)
    for package, entry in pins(lock).items():
        assert "--hash=sha256:" in entry, package


def test_locks_agree() -> None:
    everything = pins("requirements-dev.lock")
    for lock in LOCKS:
        assert pins(lock).items() <= everything.items(), lock
