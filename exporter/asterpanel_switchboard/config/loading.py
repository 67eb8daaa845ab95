"""From a file to a `Config`, or to the list of everything that is wrong with the file."""

import os
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from asterpanel_switchboard.config.document import Document, Location, read_document
from asterpanel_switchboard.config.explanation import problems_in
from asterpanel_switchboard.config.models import Config, SwitchboardConfig
from asterpanel_switchboard.config.secrets import UnreadSecret, secret_from_env, secret_from_file
from asterpanel_switchboard.config.services import (
    CONTROL_API_ALONE,
    EXPORTER_ALONE,
    EXPORTER_AND_ITS_COMMANDS,
    Service,
)
from asterpanel_switchboard.errors import ConfigError, ConfigProblem


def load_config(
    path: Path, env: Mapping[str, str] = os.environ, *, for_service: Service = Service.EXPORTER
) -> Config:
    """Read, validate and complete the configuration.

    Args:
        path: the YAML file; relative paths inside it start at its folder.
        env: where `*_env` keys look up their variables.
        for_service: who reads it. The whole file is validated, but the secrets of other services are not
            read: they are an `UnreadSecret`.

    Raises:
        ConfigError: with every problem of the file, each with its line and column.
    """
    document = read_document(path)
    folder = path.resolve().parent
    completion = _Completion(document, folder, env, for_service)
    data = completion.completed()
    problems = [*document.problems, *completion.problems]
    try:
        context = {"folder": folder, "service": for_service}
        config = Config.model_validate(data, context=context, by_alias=True, by_name=False)
    except ValidationError as error:
        problems.extend(problems_in(document, Config, error))
    else:
        if not problems:
            return config
    raise ConfigError(path, problems)


class _Completion:
    """Puts names and secrets into a copy of the file's data, and collects what is wrong with them."""

    def __init__(self, document: Document, folder: Path, env: Mapping[str, str], service: Service) -> None:
        self.problems: list[ConfigProblem] = []
        self._service = service
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
            completed["influxdb"] = self._influxdb(influxdb)
            self._require_tokens(influxdb, _tenants_in(data))
        if isinstance(control_api := data.get("control_api"), dict):
            completed["control_api"] = self._control_api(control_api)
        return completed

    def _exporter(self, section: dict[str, Any]) -> dict[str, Any]:
        return self._with_optional_secret(("exporter",), section, "state_token", EXPORTER_AND_ITS_COMMANDS)

    def _influxdb(self, section: dict[str, Any]) -> dict[str, Any]:
        completed = self._with_optional_secret(("influxdb",), section, "token", EXPORTER_ALONE)
        if isinstance(tenants := section.get("tenants"), dict):
            completed = completed | {
                "tenants": {
                    name: self._with_optional_secret(
                        ("influxdb", "tenants", name), tenant, "token", EXPORTER_ALONE
                    )
                    if isinstance(tenant, dict)
                    else tenant
                    for name, tenant in tenants.items()
                }
            }
        return completed

    def _control_api(self, section: dict[str, Any]) -> dict[str, Any]:
        location = ("control_api",)
        completed = self._with_optional_secret(location, section, "exporter_token", CONTROL_API_ALONE)
        if isinstance(tenants := section.get("tenants"), dict):
            completed = completed | {
                "tenants": {
                    name: self._control_tenant((*location, "tenants", name), tenant)
                    if isinstance(tenant, dict)
                    else tenant
                    for name, tenant in tenants.items()
                }
            }
        return completed

    def _control_tenant(self, location: Location, section: dict[str, Any]) -> dict[str, Any]:
        completed = self._with_secret(location, section, "route_secret", CONTROL_API_ALONE)
        if isinstance(grafana := section.get("grafana"), dict):
            completed["grafana"] = self._with_optional_secret(
                (*location, "grafana"), grafana, "annotation_token", CONTROL_API_ALONE
            )
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
        completed = self._with_secret(location, section, "secret", EXPORTER_AND_ITS_COMMANDS)
        if isinstance(control := section.get("control"), dict):
            completed["control"] = self._with_secret(
                (*location, "control"), control, "secret", CONTROL_API_ALONE
            )
        return {**completed, "name": name}

    def _with_optional_secret(
        self, location: Location, section: dict[str, Any], key: str, readers: Container[Service]
    ) -> dict[str, Any]:
        return self._with_secret(location, section, key, readers) if _names_secret(section, key) else section

    def _with_secret(
        self, location: Location, section: dict[str, Any], key: str, readers: Container[Service]
    ) -> dict[str, Any]:
        return {**section, key: self._secret(location, section, key, readers)}

    def _secret(
        self, location: Location, section: dict[str, Any], key: str, readers: Container[Service]
    ) -> SecretStr:
        """The secret that `KEY_file` or `KEY_env` point to; an empty one where that is a problem."""
        file_key, env_key = f"{key}_file", f"{key}_env"
        from_file, from_env = section.get(file_key), section.get(env_key)
        if key in section:
            message = f"a secret must not stand in this file: use {file_key} or {env_key}"
            self._add((*location, key), message, at_key=True)
        elif (from_file is None) == (from_env is None):
            self._add(location, f"needs exactly one of {file_key} and {env_key}", at_key=True)
        elif self._service not in readers:
            return UnreadSecret()
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
