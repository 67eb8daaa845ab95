"""`manager-conf`: what is printed, without a PBX (tests/integration has the real ones)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from asterpanel_exporter.manager_conf import EVENTS, MATCHES, Match, Version, event_filter
from asterpanel_exporter.recording import read_recording
from asterpanel_switchboard.decoding import NEEDED_EVENTS
from asterpanel_switchboard.wire import FrameSplitter, event_name

TRACES = Path(__file__).parents[1] / "traces"
COMMAND = str(Path(sys.executable).with_name("asterpanel-exporter"))

LIST_ITEMS = {"QueueParams", "QueueMember", "QueueEntry", "QueueStatusComplete"}
ASTERISK_11 = {"Join", "Leave", "QueueMemberPaused"}


def run(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "manager-conf", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def sections(text: str) -> dict[str, list[tuple[str, str]]]:
    """What Asterisk would read."""
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in text.splitlines():
        line = line.partition(";")[0].strip()
        if line.startswith("["):
            name = line.strip("[]")
            found[name] = []
        elif line:
            key, _, value = line.partition("=")
            found[name].append((key.strip(), value.strip()))
    return found


def test_two_users_with_the_least_they_need() -> None:
    done = run("--permit", "10.0.0.7", "--permit", "2001:db8::/64")
    users = sections(done.stdout)
    assert list(users) == ["asterpanel", "asterpanel-control"]
    exporter, control = dict(users["asterpanel"]), dict(users["asterpanel-control"])
    assert (exporter["read"], exporter["write"]) == ("system,agent,call,dialplan", "")
    assert (control["read"], control["write"]) == ("", "agent")
    for user in users.values():
        assert [pair for pair in user if pair[0] in ("deny", "permit")] == [
            ("deny", "0.0.0.0/0"),
            ("deny", "::/0"),
            ("permit", "10.0.0.7/32"),
            ("permit", "2001:db8::/64"),
        ]
    assert "timestampevents = yes" in done.stdout
    assert len(exporter["secret"]) >= 32
    assert exporter["secret"] != control["secret"]
    assert "secrets of asterpanel and asterpanel-control are new at every run" in done.stderr


@pytest.mark.parametrize(
    ("option", "new"),
    [("--secret-file", "asterpanel-control"), ("--control-secret-file", "asterpanel")],
)
def test_a_secret_that_is_in_no_file_is_named(tmp_path: Path, option: str, new: str) -> None:
    assert f"The secret of {new} is new at every run" in run(option, "kept", folder=tmp_path).stderr


def test_the_secret_is_written_for_the_exporter_alone_and_used_again(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("an old secret\n")
    arguments = ("--secret-file", "new", "--control-secret-file", "old")
    users = [sections(run(*arguments, folder=tmp_path).stdout) for _ in range(2)]
    written = (tmp_path / "new").read_text().strip()
    assert [dict(user["asterpanel"])["secret"] for user in users] == [written, written]
    assert dict(users[0]["asterpanel-control"])["secret"] == "an old secret"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--asterisk", "12"], "a version of Asterisk from 13 to 23"),
        (["--asterisk", "new"], "a version of Asterisk"),
        (["--permit", "10.0.0.1/24"], "has host bits set"),
        (["--username", "a]\nb"], "cannot name an AMI user"),
        (["--username", "general"], "cannot name an AMI user"),
        (["--control-username", "asterpanel"], "need two names"),
        (["--secret-file", "/nonexistent/secret"], "cannot be written"),
        (["--secret-file", "bad"], "semicolon"),
    ],
)
def test_wrong_usage_is_told_in_words(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "bad").write_text("half;comment")
    done = run(*arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize(
    ("version", "advanced"),
    [
        ("13", False), ("16.28.0", False), ("18", False), ("18.25", False), ("18.26", True), ("19.9", False),
        ("20", False), ("20.10", False), ("20.11.1", True), ("21.5", False), ("21.6", True), ("22", True),
        ("22.0", False), ("22.1", True), ("22.10.1~dfsg", True), ("23", True), ("23.0", True),
    ],
)  # fmt: skip
def test_the_cheaper_filters_are_printed_only_where_they_are_known(version: str, advanced: bool) -> None:
    lines = event_filter(Version.parse(version))
    assert all(line.startswith("eventfilter(") is advanced for line in lines)


def test_every_event_that_the_exporter_understands_is_asked_for() -> None:
    asked = {*EVENTS, *(match.event for match in MATCHES)}
    assert asked >= NEEDED_EVENTS - LIST_ITEMS - ASTERISK_11


def passes(match: Match, frame: bytes) -> bool:
    return any(f"\r\n{match.header}: {value}\r\n".encode() in frame for value in match.values)


def test_the_patterns_for_older_versions_let_through_exactly_what_is_wanted() -> None:
    # Python's expressions stand in for POSIX ones here: both read these patterns alike.
    patterns = [
        re.compile(line.partition(" = ")[2].replace("[[:cntrl:]]", "[\x00-\x1f]").encode(), re.DOTALL)
        for line in event_filter(Version(16))
    ]
    seen: set[str] = set()
    for trace in [*TRACES.glob("asterisk-*/*.ami.xz"), TRACES / "flood-asterisk-22-30cps.ami.xz"]:
        for frame in FrameSplitter().feed(read_recording(str(trace))):
            name = (event_name(frame) or b"").decode()
            if b"\r\nPrivilege: " not in frame:
                continue  # an answer: no filter ever sees it
            frame += b"\r\n\r\n"
            wanted = name in EVENTS or any(name == match.event and passes(match, frame) for match in MATCHES)
            assert any(pattern.search(frame) for pattern in patterns) is wanted, frame
            seen.add(name)
    assert {"Hangup", "HangupRequest", "VarSet", "Newexten", "DialEnd", "SoftHangupRequest"} <= seen
