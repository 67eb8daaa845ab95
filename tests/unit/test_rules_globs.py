"""Globs become regular expressions that match the same names, in the engine of Prometheus."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from asterpanel_control_api.access.globs import Globs
from asterpanel_dashboards.rules.globs import caseless_regex, regex
from asterpanel_dashboards.rules.limits import quoted

TRICKY = st.text(alphabet='ab-c*?[]!^\\.$|&~{}()+ "é€_0', max_size=8).filter(
    lambda glob: not re.search(r"\[[^]]*-[^]]*!", glob)  # what `regex` takes otherwise
)
NAMES = st.text(alphabet='abc-[]!^\\.$|&~{}()+ "é€_0', max_size=6)


def matches(expression: str, name: str) -> bool:
    """As Prometheus and Alertmanager do: the whole value."""
    return re2.fullmatch(expression, name) is not None


@settings(max_examples=600, deadline=None)
@given(st.lists(TRICKY, min_size=1, max_size=3), NAMES)
def test_the_same_names_match(globs: list[str], name: str) -> None:
    assert matches(regex(globs), name) == any(fnmatchcase(name, glob) for glob in globs)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["", "!"]),
    st.text(alphabet="ab-c[]^\\", max_size=5),
    st.text(alphabet="abc-[]!^\\", min_size=1, max_size=1),
)
def test_classes(negation: str, members: str, name: str) -> None:
    glob = f"[{negation}{members}]"
    assert matches(regex([glob]), name) == fnmatchcase(name, glob)


@pytest.mark.parametrize(
    ("glob", "expression"),
    [
        ("sales*", "sales.*"),
        ("sales-?", "sales-."),
        ("door-[0-9]", "door-[0-9]"),
        ("[!a-c]x", "[^a-c]x"),
        ("a.b|c", r"a\.b\|c"),
        ("[]-a]", r"[\]-a]"),
        ("[z-a]", r"[^\s\S]"),
        ("[!z-a]", "."),
        ("[abc", r"\[abc"),
        ("**", ".*"),
    ],
)
def test_they_are_readable(glob: str, expression: str) -> None:
    assert regex([glob]) == expression


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.text(alphabet="abBZ-_19*?", min_size=1, max_size=6), min_size=1, max_size=3),
    st.text(alphabet="aAbBzZ-_19é", max_size=6),
)
def test_profiles_do_not_know_case(globs: list[str], name: str) -> None:
    assert matches(caseless_regex(globs), name) == Globs(tuple(globs)).match(name)


def test_a_regular_expression_in_quotes() -> None:
    assert quoted(r'a\.b"é') == r'"a\\.b\"é"'
