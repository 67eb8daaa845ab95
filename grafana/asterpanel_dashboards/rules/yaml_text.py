"""YAML that people read: keys in the order given, expressions over several lines."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Lists are indented, and long lines stay whole."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
_Dumper.add_multi_representer(StrEnum, lambda dumper, value: _text(dumper, str(value)))


def document(head: str, content: Any) -> str:
    """A whole file; ``head`` becomes a comment."""
    comment = "".join(f"# {line}".rstrip() + "\n" for line in head.splitlines())
    return comment + yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=False
    )
