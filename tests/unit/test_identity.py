"""Who an agent is: the extension in the interface, or what the configuration says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_switchboard.identity import agent_identity, extension_of


@pytest.mark.parametrize(
    ("interface", "extension"),
    [
        ("PJSIP/1001", "1001"),
        ("SIP/1001", "1001"),
        ("IAX2/1001", "1001"),
        ("Agent/1001", "1001"),
        ("Local/1001@from-queue/n", "1001"),
        ("Local/1001@from-queue", "1001"),
        ("Local/1001@from-queue/nj", "1001"),
        ("SIP/1001-0000a3f2", "1001"),
        ("Local/1001@from-queue-0000001f;2", "1001"),
        ("DAHDI/g0/1001", "1001"),
        ("PJSIP/1001@provider", "1001"),
        ("PJSIP/anna-rossi", "anna-rossi"),
        ("PJSIP/anna-deadbee", "anna-deadbee"),
        ("PJSIP/zoé", "zoé"),
        ("1001", "1001"),
        ("PJSIP/", "PJSIP/"),
        ("Local/@from-queue/n", "Local/@from-queue/n"),
        ("", ""),
    ],
)
def test_extension_of(interface: str, extension: str) -> None:
    assert extension_of(interface) == extension


@given(st.text(max_size=60))
def test_every_interface_has_an_extension(interface: str) -> None:
    assert bool(extension_of(interface)) == bool(interface)


class TestRules:
    def test_default(self) -> None:
        identify = agent_identity()
        assert identify("Local/1001@from-queue/n", "Anna Rossi") == "1001"

    def test_one_agent_over_interfaces(self) -> None:
        identify = agent_identity()
        assert {identify(i, n) for i, n in (("PJSIP/1001", "A"), ("Local/1001@x/n", "B"))} == {"1001"}

    def test_membername(self) -> None:
        identify = agent_identity("membername")
        assert identify("PJSIP/1001", "Anna Rossi") == "Anna Rossi"

    def test_an_empty_membername_leaves_nobody_out(self) -> None:
        assert agent_identity("membername")("PJSIP/1001", "") == "1001"

    @pytest.mark.parametrize("pattern", [None, r"(\w+/\w+)"])
    def test_a_membername_that_is_the_interface_is_none(self, pattern: str | None) -> None:
        """So Asterisk tells a member that was given none."""
        assert agent_identity("membername", pattern)("PJSIP/1001", "PJSIP/1001") == "1001"
        assert agent_identity("membername", pattern)("PJSIP/1001", "PJSIP/1002") == "PJSIP/1002"

    def test_pattern(self) -> None:
        identify = agent_identity("membername", r"\[(\w+)\]")
        assert identify("PJSIP/1001", "Anna [a17] Rossi") == "a17"
        assert identify("PJSIP/1001", "Anna") == "1001"
        assert identify("PJSIP/1001", "") == "1001"

    def test_pattern_in_the_interface(self) -> None:
        identify = agent_identity("interface", r"^PJSIP/t3-(\d+)$")
        assert identify("PJSIP/t3-1001", "Anna") == "1001"
        assert identify("PJSIP/t4-1001", "Anna") == "t4-1001"

    @pytest.mark.parametrize("pattern", [r"(x)?", r"()"])
    def test_an_empty_group_is_no_identity(self, pattern: str) -> None:
        assert agent_identity("interface", pattern)("PJSIP/1001", "") == "1001"
