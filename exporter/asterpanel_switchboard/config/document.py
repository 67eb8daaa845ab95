"""A YAML file as plain data that still knows where each key stands."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from asterpanel_switchboard.errors import ConfigError, ConfigProblem

MAX_BYTES = 4 * 1024 * 1024
"""A configuration beyond this size is a mistake: hundreds of switchboards fit into some hundred KB."""

Location = tuple[str | int, ...]
"""Path of a key: names of mappings, indexes of lists."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its data, and the nodes that data came from."""

    data: object
    root: yaml.Node
    problems: tuple[ConfigProblem, ...]
    """What YAML itself lets pass, and we do not: duplicate keys."""

    def problem(self, location: Location, message: str, *, at_key: bool = False) -> ConfigProblem:
        """A problem at `location`: at its value, at its key, or at the nearest parent that the file has."""
        line, column = self._position(location, at_key=at_key)
        return ConfigProblem(format_location(location), line, column, message)

    def _position(self, location: Location, *, at_key: bool) -> tuple[int, int]:
        key_node = node = self.root
        for step in location:
            found = _child(node, step)
            if found is None:
                at_key = True
                break
            key_node, node = found
        return _mark_position((key_node if at_key else node).start_mark)


def read_document(path: Path) -> Document:
    """Parse the file.

    Raises `ConfigError` if it cannot be read, is not UTF-8 or is not one YAML document.
    """

    def refused(message: str, line: int = 0, column: int = 0) -> ConfigError:
        return ConfigError(path, [ConfigProblem("", line, column, message)])

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise refused("no such file") from None
    except OSError as error:
        raise refused(f"cannot be read: {error.strerror or error}") from None
    if len(raw) > MAX_BYTES:
        raise refused(f"is larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused("is not UTF-8 text", raw.count(b"\n", 0, error.start) + 1, 1) from None

    try:
        return _parse(text)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        column = error.position - (before.rfind("\n") + 1) + 1
        raise refused("not valid YAML: a control character", before.count("\n") + 1, column) from None
    except yaml.MarkedYAMLError as error:
        # Only the parser's own words: the excerpt it can add might show a secret.
        mark = error.problem_mark or error.context_mark
        position = _mark_position(mark) if mark else (1, 1)
        raise refused(f"not valid YAML: {error.problem}", *position) from None
    except RecursionError:
        raise refused("not valid YAML: nested too deeply") from None


def format_location(location: Location) -> str:
    """`("queue_settings", 0, "queues")` → `queue_settings[0].queues`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return text.removeprefix(".")


class _Loader(yaml.SafeLoader):
    """SafeLoader that keeps keys as they are written, so that a switchboard may be called `no` or `1`."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        return {
            _key_text(key_node): self.construct_object(value_node, deep=deep)
            for key_node, value_node in node.value
        }

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except ValueError:
            raise yaml.constructor.ConstructorError(
                None, None, "not a usable number", node.start_mark
            ) from None


# Dates have no place in this file; without their rule `2024-01-01` stays text.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _parse(text: str) -> Document:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            root = yaml.MappingNode("tag:yaml.org,2002:map", [], _start_of(text), _start_of(text))
        # Before the data is built: building it folds `<<` merges, whose repeated keys are meant.
        problems = tuple(_duplicate_keys(root, (), set()))
        return Document(loader.construct_document(root), root, problems)
    finally:
        loader.dispose()


def _start_of(text: str) -> yaml.Mark:
    return yaml.Mark("", 0, 0, 0, text, 0)


def _duplicate_keys(node: yaml.Node, location: Location, seen: set[int]) -> Iterator[ConfigProblem]:
    if id(node) in seen:  # an alias: looked at where it was defined
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _duplicate_keys(item, (*location, index), seen)
    elif isinstance(node, yaml.MappingNode):
        first_lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = _key_text(key_node)
            line, column = _mark_position(key_node.start_mark)
            inner = (*location, key)
            if key in first_lines:
                message = f"duplicate key (first on line {first_lines[key]})"
                yield ConfigProblem(format_location(inner), line, column, message)
            first_lines.setdefault(key, line)
            yield from _duplicate_keys(value_node, inner, seen)


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The key's node and the value's node of one step down; the last of duplicates, which is the one used."""
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in reversed(node.value):
            if key_node.value == step:
                return key_node, value_node
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _key_text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "a key must be plain text", node.start_mark)
    return str(node.value)


def _mark_position(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1
