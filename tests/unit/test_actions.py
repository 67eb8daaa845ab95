"""What we send: nothing can ride along in a value."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_switchboard.actions import (
    MAX_VALUE_BYTES,
    InvalidActionValue,
    challenge,
    check_action,
    login,
    login_md5,
    ping,
    queue_status,
)

CONTROL = [chr(code) for code in (*range(32), 127)]


@pytest.mark.parametrize("char", CONTROL, ids=[f"{ord(char):02x}" for char in CONTROL])
@pytest.mark.parametrize("value", ["{}", "lunch{}", "{}lunch", "lu{}nch"])
def test_control_characters_are_refused(char: str, value: str) -> None:
    with pytest.raises(InvalidActionValue, match=r"'Reason'.*control character"):
        check_action({"Action": "QueuePause", "Reason": value.format(char)})


@pytest.mark.parametrize("name", ["Rea\r\nson", "Reason\n", "Rea:son", "Reason: x\r\nAction", "\x00"])
def test_header_names_are_checked_too(name: str) -> None:
    with pytest.raises(InvalidActionValue):
        check_action({name: "lunch"})


@pytest.mark.parametrize("value", [["a", "b\r\nAction: Originate"], ("a\n",)])
def test_each_value_of_a_list(value: object) -> None:
    with pytest.raises(InvalidActionValue):
        check_action({"Variable": value})


@pytest.mark.parametrize(
    "value", ["Anna: più, caffè", "…", "a" * MAX_VALUE_BYTES, "", 7, True, ["a", "b"], ()]
)
def test_what_may_be_sent(value: object) -> None:
    check_action({"Action": "QueuePause", "Reason": value})


@pytest.mark.parametrize("value", ["a" * (MAX_VALUE_BYTES + 1), "é" * (MAX_VALUE_BYTES // 2 + 1)])
def test_too_long_for_asterisk(value: str) -> None:
    with pytest.raises(InvalidActionValue, match="longer than"):
        check_action({"Reason": value})


def test_what_is_no_utf8() -> None:
    with pytest.raises(InvalidActionValue, match="UTF-8"):
        check_action({"Reason": "\udcff"})


def test_the_message_never_holds_the_value() -> None:
    with pytest.raises(InvalidActionValue) as caught:
        check_action(login("asterpanel", "s3cr3t\r\nAction: Originate"))
    assert "s3cr3t" not in str(caught.value)
    assert "Secret" in str(caught.value)


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers(), max_size=4))
def test_whatever_passes_is_one_line_a_header(action: dict[str, object]) -> None:
    try:
        check_action(action)
    except InvalidActionValue:
        return
    for name, value in action.items():
        line = f"{name}: {value}".encode()
        assert b"\r" not in line
        assert b"\n" not in line
        assert line.partition(b": ")[0] == name.encode()


def test_ours_pass() -> None:
    for action in (
        login("asterpanel", "s3cr3t"),
        challenge(),
        login_md5("asterpanel", "s3cr3t", "1234"),
        ping(),
        queue_status("asterpanel-resync/CONNECTED/1"),
    ):
        check_action(action)


def test_md5_login_never_sends_the_secret() -> None:
    action = login_md5("asterpanel", "s3cr3t", "1234567")
    assert action["Key"] == hashlib.md5(b"1234567s3cr3t", usedforsecurity=False).hexdigest()
    assert "s3cr3t" not in action.values()
