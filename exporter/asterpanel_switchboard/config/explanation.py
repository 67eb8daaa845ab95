"""What pydantic finds wrong in a file, in the words of somebody who edits it, and with its place."""

from collections.abc import Iterable, Iterator
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from asterpanel_switchboard.config.document import Document, Location
from asterpanel_switchboard.config.section import keys_of
from asterpanel_switchboard.config.values import did_you_mean
from asterpanel_switchboard.errors import ConfigProblem


def problems_in(
    document: Document, model: type[BaseModel], error: ValidationError
) -> Iterator[ConfigProblem]:
    """Everything that kept the document from becoming the model."""
    for details in error.errors(include_url=False):
        # A default that depends on other keys is told nothing of when one of those is wrong.
        if details["type"] != "default_factory_not_called":
            yield _explain(document, details, model)


def _explain(document: Document, details: ErrorDetails, model: type[BaseModel]) -> ConfigProblem:
    location: Location = tuple(details["loc"])
    kind, value = details["type"], details["input"]
    if location and location[-1] == "[key]":
        return document.problem(location[:-1], _message(details), at_key=True)
    if kind == "extra_forbidden":
        hint = did_you_mean(str(location[-1]), _known_keys(model, location[:-1]))
        return document.problem(location, f"unknown key{hint}", at_key=True)
    if value is None and kind != "missing" and not kind.startswith("value_error"):
        return document.problem(location, "has no value", at_key=True)
    return document.problem(location, _message(details))


_MESSAGES = {
    "missing": "required key is missing",
    "model_type": "must be a section: lines of `key: value`",
    "model_attributes_type": "must be a section: lines of `key: value`",
    "dict_type": "must be a section: lines of `key: value`",
    "mapping_type": "must be a section: lines of `key: value`",
    "tuple_type": "must be a list",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "path_type": "must be a path",
    "too_short": "needs at least one entry",
    "string_too_short": "must not be empty",
}
"""Pydantic's error types in the words of somebody who edits a YAML file."""


def _message(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind == "string_type":
        is_scalar = isinstance(details["input"], bool | int | float)
        return "must be text" + (" (put it in quotes)" if is_scalar else "")
    return _MESSAGES.get(kind) or details["msg"].replace("Input should", "must")


def _known_keys(model: type[BaseModel], location: Location) -> frozenset[str]:
    """The keys that the section at `location` of a file of that model may have."""
    models: set[type[BaseModel]] = {model}
    for step in location:
        fields = [
            field
            for model in models
            for name, field in model.model_fields.items()
            if step in (name, field.alias)
        ]
        # A step that is no field is a name or an index inside the section reached so far.
        if fields:
            models = {model for field in fields for model in _models_in((field.annotation,))}
    return frozenset(key for model in models for key in keys_of(model))


def _models_in(annotations: Iterable[object]) -> Iterator[type[BaseModel]]:
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        yield from _models_in(get_args(annotation))
