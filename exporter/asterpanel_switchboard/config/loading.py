"""From a file to a `Config`, or to the list of everything that is wrong with the file."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from asterpanel_switchboard.config.document import Document, Location, read_document
from asterpanel_switchboard.config.models import Config, SwitchboardConfig
from asterpanel_switchboard.config.secrets import secret_from_env, secret_from_file
from asterpanel_switchboard.config.values import did_you_mean
from asterpanel_switchboard.errors import ConfigError, ConfigProblem


def load_config(
    path: Path, env: Mapping[str, str] = os.environ, *, with_influx_tokens: bool = True
) -> Config:
    """Read, validate and complete the configuration.

    Args:
        path: the YAML file; relative paths inside it start at its folder.
        env: where `*_env` keys look up their variables.
        with_influx_tokens: False leaves the tokens of `influxdb` out, for the command that makes them.

    Raises:
        ConfigError: with every problem of the file, each with its line and column.
    """
    document = read_document(path)
    folder = path.resolve().parent
    completion = _Completion(document, folder, env, with_influx_tokens)
    data = completion.completed()
    problems = [*document.problems, *completion.problems]
    try:
        config = Config.model_validate(data, context={"folder": folder}, by_alias=True, by_name=False)
    except ValidationError as error:
        problems.extend(
            _explain(document, details)
            for details in error.errors(include_url=False)
            # A default that depends on other keys is told nothing of when one of those is wrong.
            if details["type"] != "default_factory_not_called"
        )
    else:
        if not problems:
            return config
    raise ConfigError(path, problems)


def keys_of(model: type[BaseModel]) -> frozenset[str]:
    """The keys that a section may have in the file: its fields, less those that the loader fills in."""
    return frozenset(
        field.alias or name
        for name, field in model.model_fields.items()
        if not (isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("key") is False)
    )


class _Completion:
    """Puts names and secrets into a copy of the file's data, and collects what is wrong with them."""

    def __init__(
        self, document: Document, folder: Path, env: Mapping[str, str], with_influx_tokens: bool
    ) -> None:
        self.problems: list[ConfigProblem] = []
        self._with_influx_tokens = with_influx_tokens
        self._document = document
        self._folder = folder
        self._env = env

    def completed(self) -> object:
        """The data to validate. Whatever has the wrong shape is left for the validation to refuse."""
        data = self._document.data
        if not isinstance(data, dict):
            return {} if data is None else data
        # Not left to the model's own default: only what is validated here learns the folder of its path.
        completed: dict[str, Any] = {"journal": None, **data}
        if isinstance(exporter := data.get("exporter"), dict):
            completed["exporter"] = self._exporter(exporter)
        if isinstance(switchboards := data.get("switchboards"), dict):
            completed["switchboards"] = {
                name: self._switchboard(name, section) if isinstance(section, dict) else section
                for name, section in switchboards.items()
            }
        if isinstance(influxdb := data.get("influxdb"), dict):
            if self._with_influx_tokens:
                completed["influxdb"] = self._influxdb(influxdb)
            self._require_tokens(influxdb, _tenants_in(data))
        return completed

    def _exporter(self, section: dict[str, Any]) -> dict[str, Any]:
        return self._with_optional_secret(("exporter",), section, "state_token")

    def _influxdb(self, section: dict[str, Any]) -> dict[str, Any]:
        completed = self._with_optional_secret(("influxdb",), section, "token")
        if isinstance(tenants := section.get("tenants"), dict):
            completed = completed | {
                "tenants": {
                    name: self._with_optional_secret(("influxdb", "tenants", name), tenant, "token")
                    if isinstance(tenant, dict)
                    else tenant
                    for name, tenant in tenants.items()
                }
            }
        return completed

    def _require_tokens(self, section: dict[str, Any], tenants: Iterable[str]) -> None:
        """Each tenant has a token, or none has one, as `auth` says."""
        own = {
            name: ("influxdb", "tenants", name)
            for name, tenant in _sections_in(section.get("tenants"))
            if _names_secret(tenant, "token")
        }
        for_all = _names_secret(section, "token")
        if section.get("auth") == "none":
            for location in [("influxdb",)] * for_all + [*own.values()]:
                self._add(location, "a token contradicts auth: none; remove one of them", at_key=True)
        elif not for_all:
            for tenant in tenants:
                if tenant not in own:
                    self._add(
                        ("influxdb",),
                        f"tenant {tenant!r} has no token: set token_file or token_env here for all tenants, "
                        f"or in tenants.{tenant}",
                        at_key=True,
                    )

    def _switchboard(self, name: str, section: dict[str, Any]) -> dict[str, Any]:
        location = ("switchboards", name)
        if "name" in section:
            self._add((*location, "name"), "unknown key (the name is the section's own key)", at_key=True)
        return {**section, "name": name, "secret": self._secret(location, section, "secret")}

    def _with_optional_secret(self, location: Location, section: dict[str, Any], key: str) -> dict[str, Any]:
        if not _names_secret(section, key):
            return section
        return {**section, key: self._secret(location, section, key)}

    def _secret(self, location: Location, section: dict[str, Any], key: str) -> SecretStr:
        """The secret that `KEY_file` or `KEY_env` point to; an empty one where that is a problem."""
        file_key, env_key = f"{key}_file", f"{key}_env"
        from_file, from_env = section.get(file_key), section.get(env_key)
        if key in section:
            message = f"a secret must not stand in this file: use {file_key} or {env_key}"
            self._add((*location, key), message, at_key=True)
        elif (from_file is None) == (from_env is None):
            self._add(location, f"needs exactly one of {file_key} and {env_key}", at_key=True)
        elif isinstance(from_file, str):
            try:
                return SecretStr(secret_from_file(self._folder / from_file))
            except ValueError as error:
                self._add((*location, file_key), str(error))
        elif isinstance(from_env, str):
            try:
                return SecretStr(secret_from_env(from_env, self._env))
            except ValueError as error:
                self._add((*location, env_key), str(error))
        return SecretStr("")

    def _add(self, location: Location, message: str, *, at_key: bool = False) -> None:
        self.problems.append(self._document.problem(location, message, at_key=at_key))


def _names_secret(section: dict[str, Any], key: str) -> bool:
    return not section.keys().isdisjoint({key, f"{key}_file", f"{key}_env"})


def _tenants_in(data: dict[str, Any]) -> list[str]:
    """The tenants that the file's switchboards name, each once; shapes that are wrong are passed over."""
    default = SwitchboardConfig.model_fields["tenant"].default
    named = (section.get("tenant", default) for _, section in _sections_in(data.get("switchboards")))
    return list(dict.fromkeys(tenant for tenant in named if isinstance(tenant, str)))


def _sections_in(mapping: object) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, section in mapping.items() if isinstance(mapping, dict) else ():
        if isinstance(section, dict):
            yield name, section


def _explain(document: Document, details: ErrorDetails) -> ConfigProblem:
    location: Location = tuple(details["loc"])
    kind, value = details["type"], details["input"]
    if location and location[-1] == "[key]":
        return document.problem(location[:-1], _message(details), at_key=True)
    if kind == "extra_forbidden":
        hint = did_you_mean(str(location[-1]), _known_keys(location[:-1]))
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


def _known_keys(location: Location) -> frozenset[str]:
    """The keys that the section at `location` may have."""
    models: set[type[BaseModel]] = {Config}
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
