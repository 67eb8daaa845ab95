"""The control API on a switchboard that can be acted on, with people who come to it in every way there is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from asterpanel_control_api.access.reloading import ProfilesFile
from asterpanel_control_api.access.rights import Role
from asterpanel_control_api.app import create_app
from asterpanel_control_api.audit.audit import Audit
from asterpanel_control_api.identity.authentication import Authenticator
from asterpanel_control_api.identity.tokens import Tokens, add_token, make_token
from asterpanel_control_api.live.exporter_client import ExporterClient
from asterpanel_control_api.live.subscribers import Subscribers
from asterpanel_control_api.metrics import Metrics
from asterpanel_control_api.services import Services
from asterpanel_control_api.switchboards.operations import SEEN_WITHIN_S, Operations, agent_rules
from asterpanel_switchboard.config import Service, load_config
from tests.grafana_keys import GrafanaKeys
from tests.pbx.control_queues import QueueSwitchboard, member

SECRET = "route-secret-of-the-default-tenant"
OTHER_SECRET = "route-secret-of-the-other-tenant"
"""Of the tenant ``other``, whose organisation is number 2 and which accepts id tokens only."""

CONFIG = """\
control_api:
  profiles_file: profiles.yml
  tokens_file: tokens.json
  tenants:
    default:
      route_secret_env: ROUTE_SECRET
      grafana: {{url: "{grafana}", identity: [id_token, context, user_header]}}
    other:
      route_secret_env: OTHER_SECRET
      grafana: {{url: "{grafana}", org_id: 2, identity: [id_token]}}
switchboards:
  milano:
    host: 127.0.0.1
    username: exporter
    secret_env: SECRET
    control: {{username: control, secret_env: SECRET}}
  roma: {{host: 127.0.0.1, username: exporter, secret_env: SECRET, tenant: other}}
"""

PROFILES = """\
tenants:
  default:
    profiles:
      sales:
        switchboards: [milano]
        queues: [sales]
        agents: ["10*"]
        members:
          - {login: master, role: master}
          - {login: supervisor, role: supervisor}
          - {login: agent, role: agent, agent: "1001"}
          - {login: viewer, role: viewer}
"""


def profiles_with(people: int) -> str:
    """The same with so many people in each role, ``master-0`` and so on: one alone is soon told to wait."""
    members = [
        {"login": f"{role}-{number}", "role": role.value} | ({"agent": "1001"} if role is Role.AGENT else {})
        for role in Role
        for number in range(people)
    ]
    profile = {"switchboards": ["milano"], "queues": ["sales"], "agents": ["10*"], "members": members}
    text: str = yaml.safe_dump({"tenants": {"default": {"profiles": {"sales": profile}}}})
    return text


def queues() -> dict[str, list[dict[str, Any]]]:
    """Agents 1001 and 1002 are in the profile's queue and in another one, 2001 in the other one only."""
    return {
        "sales": [member("PJSIP/1001"), member("PJSIP/1002")],
        "billing": [member("PJSIP/1001"), member("PJSIP/2001")],
    }


@dataclass(frozen=True)
class ControlApp:
    """The application and what it acts on."""

    client: FlaskClient
    services: Services
    board: QueueSwitchboard
    grafana: GrafanaKeys
    folder: Path

    def headers_of(self, login: str) -> dict[str, str]:
        """A user of Grafana, by his id token."""
        token = self.grafana.token(login)
        return {"Authorization": f"Bearer {SECRET}", "X-Grafana-Id": token}

    def token(self, role: Role, **scope: tuple[str, ...]) -> dict[str, str]:
        """A program with a new bearer token."""
        new = make_token(f"t{time.monotonic_ns()}", "default", role, created_at=time.time(), **scope)  # type: ignore[arg-type]
        add_token(self.folder / "tokens.json", new.stored)
        return {"Authorization": f"Bearer {new.text}"}

    def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        json: Any = None,
        *,
        address: str = "127.0.0.1",
    ) -> TestResponse:
        """One request, from a peer at this address; what changes something is JSON."""
        if json is None and method not in ("GET", "HEAD", "DELETE"):
            json = {}
        content_type = {} if method == "GET" else {"Content-Type": "application/json"}
        return self.client.open(
            path,
            method=method,
            headers={**content_type, **(headers or {})},
            json=json,
            environ_base={"REMOTE_ADDR": address},
        )


def audit_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log has of the audit."""
    return [record.message for record in caplog.records if "audit=" in record.message]


@contextmanager
def control_app(
    folder: Path,
    profiles: str = PROFILES,
    *,
    config: str = CONFIG,
    members: dict[str, list[dict[str, Any]]] | None = None,
    seen_within_s: float = SEEN_WITHIN_S,
) -> Iterator[ControlApp]:
    """Running, on loopback.

    Args:
        folder: for its files.
        profiles: ``profiles.yml``.
        config: ``asterpanel.yml``, with ``{grafana}`` for the address.
        members: by queue, of the switchboard milano; default: `queues`.
        seen_within_s: how long an action waits for its effect.
    """
    with (
        GrafanaKeys() as grafana,
        QueueSwitchboard(members or queues(), {"sales": ["5.1"], "billing": ["6.1"]}) as board,
    ):
        (folder / "asterpanel.yml").write_text(config.format(grafana=grafana.url))
        (folder / "profiles.yml").write_text(profiles)
        env = {"ROUTE_SECRET": SECRET, "OTHER_SECRET": OTHER_SECRET, "SECRET": "s3cr3t"}
        loaded = load_config(folder / "asterpanel.yml", env, for_service=Service.CONTROL_API)
        settings = loaded.control_api
        assert settings is not None
        services = Services(
            config=loaded,
            settings=settings,
            authenticator=Authenticator(settings, Tokens(settings.tokens_file, time.time)),
            profiles=ProfilesFile(settings.profiles_file),
            boards=board.boards,
            exporter=ExporterClient("http://127.0.0.1:9", None, board.boards),
            subscribers=Subscribers(board.boards),
            bridge=board.bridge,
            operations=Operations(
                board.bridge, board.boards, agent_rules(loaded), 2.0, seen_within_s=seen_within_s
            ),
            audit=Audit(board.boards, loaded.tenant_of),
            metrics=Metrics(),
        )
        services.subscribers.start()
        try:
            yield ControlApp(create_app(services).test_client(), services, board, grafana, folder)
        finally:
            services.subscribers.close()
