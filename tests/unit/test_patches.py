"""A snapshot and the patches after it always make the document, whatever happens to the switchboard."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterpanel_switchboard.merge_patch import apply_merge_patch, merge_patch
from tests.unit.test_web_support import Clock, Playback, exporter_of, pieces, recording, recordings

KEYS = st.one_of(st.sampled_from(["a", "b", "since", "1001", "__proto__", ""]), st.text(max_size=3))
LEAVES = st.one_of(
    st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=5)


@given(before=DOCUMENTS, after=DOCUMENTS)
def test_a_patch_makes_one_document_into_any_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    kept = copy.deepcopy((before, after))
    patch = json.loads(json.dumps(merge_patch(before, after)))
    assert apply_merge_patch(before, patch) == after
    assert (before, after) == kept


@given(document=DOCUMENTS)
def test_no_change_is_an_empty_patch(document: dict[str, Any]) -> None:
    assert merge_patch(document, copy.deepcopy(document)) == {}


@settings(max_examples=50)
@given(documents=st.lists(DOCUMENTS, min_size=2, max_size=12))
def test_a_chain_of_patches_follows_every_step(documents: list[dict[str, Any]]) -> None:
    known = documents[0]
    for before, after in itertools.pairwise(documents):
        known = apply_merge_patch(known, merge_patch(before, after))
        assert known == after


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_rfc_7396(
    target: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]
) -> None:
    assert apply_merge_patch(target, patch) == result


@pytest.mark.parametrize("name", recordings())
async def test_patches_follow_a_recording(name: str) -> None:
    """After every read; and where the revision stays, so does all but ``as_of``."""
    clock = Clock()
    live = exporter_of(clock=clock).switchboards["milano"]
    live.connected("11.0.0")
    playback = Playback(live, clock)
    before = known = live.document(clock())
    revision = live.revision
    for piece in pieces(recording(name), seed=7, most=1500):
        playback.play(piece)
        after = live.document(clock())
        patch = json.loads(json.dumps(merge_patch(before, after)))
        known = apply_merge_patch(known, patch)
        assert known == after
        if live.revision == revision:
            assert patch.keys() <= {"as_of"}
        before, revision = after, live.revision
