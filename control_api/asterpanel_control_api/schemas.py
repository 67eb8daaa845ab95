"""What the models of requests and answers have in common in their JSON Schemas."""

from __future__ import annotations

from typing import Any


def never_null(schema: dict[str, Any]) -> None:
    """For a model's `json_schema_extra`: whatever has the default None is left out, and null is no value.

    The same holds for the live state, which can then be changed by merge patches.
    """
    for about in schema.get("properties", {}).values():
        if "default" in about and about["default"] is None:
            del about["default"]
            kinds = [kind for kind in about.pop("anyOf", []) if kind != {"type": "null"}]
            if len(kinds) == 1:
                about |= kinds[0] | about
