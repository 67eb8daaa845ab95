"""JSON Merge Patch (RFC 7396): the difference between two documents, and a document with it applied.

A document of the live state never holds null: a value that is not known is left out. So a merge patch, where
null removes a key, can turn any document into any later one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> Document:
    """The JSON Merge Patch that makes ``before`` into ``after``; empty if they are equal.

    What the two share, as after `apply_merge_patch`, costs nothing.
    """
    patch: Document = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if old is value:
            continue
        if isinstance(value, dict) and isinstance(old, dict):
            inner = merge_patch(old, value)
            if inner:
                patch[key] = inner
        elif key not in before or old != value:
            patch[key] = value
    return patch


def apply_merge_patch(document: Mapping[str, Any], patch: Mapping[str, Any]) -> Document:
    """RFC 7396, section 2: the document with the patch applied; neither argument is changed.

    The result shares with the document whatever the patch does not touch.
    """
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            old = result.get(key)
            result[key] = apply_merge_patch(old if isinstance(old, dict) else {}, value)
        else:
            result[key] = value
    return result
