"""A control API with teams of agents, supervisors and viewers, and all the people who read its streams.

The teams are those of `tests.load.busy_switchboards`. Everyone sees the queue `SERVICE`, where calls come and
go, and his team's; of its members an agent sees himself, the others their team.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from asterpanel_control_api.access.rights import Role
from asterpanel_control_api.identity.tokens import add_token, make_token
from asterpanel_switchboard.merge_patch import Document
from tests.control_process import ControlProcess
from tests.exporter_process import ExporterProcess, free_port
from tests.grafana_keys import GrafanaKeys
from tests.load.busy_switchboards import IN_SERVICE, SERVICE, TEAMS, BusyExporter, agents_of
from tests.load.stream_readers import Reader

AMI = {"host": "127.0.0.1", "username": "asterpanel", "secret": "s3cr3t"}
TOKENS_FILE = "tokens.json"
OF_TEAM = 8
"""Supervisors of a team, and viewers."""


def control_api(
    folder: Path, switchboards: Iterable[str], exporter: BusyExporter, grafana: GrafanaKeys
) -> ControlProcess:
    """`asterpanel-control-api` with files of its own; its switchboards' AMI is not there."""
    ami = {**AMI, "port": free_port(), "control": {"username": "control", "secret": "s3cr3t"}}
    return ControlProcess(
        folder,
        dict.fromkeys(switchboards, ami),
        exporter=cast(ExporterProcess, exporter),  # as far as it matters here
        profiles={"tenants": {"default": {"profiles": _profiles()}}},
        grafana={"url": grafana.url, "identity": ["id_token"]},
        tokens_file=TOKENS_FILE,
    )


def _profiles() -> Document:
    """Callers are shown to supervisors and masters, masked for the others."""
    profiles: Document = {"management": {"members": [_member("master", str(n)) for n in range(OF_TEAM)]}}
    for team in range(TEAMS):
        agents = [{**_member("agent", agent), "agent": agent} for agent in agents_of(team)]
        others = [_member(role, f"{team}-{n}") for role in ("supervisor", "viewer") for n in range(OF_TEAM)]
        profiles[f"team-{team}"] = {
            "queues": [SERVICE, f"team-{team}"],
            "agents": [f"1{team}??"],
            "members": [*agents, *others],
        }
    return profiles


def _member(role: str, who: str) -> Document:
    return {"login": f"{role}-{who}", "role": role}


def people() -> list[str]:
    """200 who read: by login in Grafana, or by the name of their bearer token."""
    agents = [f"agent-{agent}" for team in range(TEAMS) for agent in agents_of(team)[:IN_SERVICE]]
    supervisors = [f"supervisor-{team}-{n}" for team in range(TEAMS) for n in range(4)]
    viewers = [f"viewer-{team}-{n}" for team in range(TEAMS) for n in range(2)]
    masters, tokens = [f"master-{n}" for n in range(8)], [f"token-{n}" for n in range(12)]
    return [*agents, *supervisors, *viewers, *masters, *tokens]


class Crowd:
    """Makes readers, and knows what they may see.

    Args:
        api: running.
        exporter: which it reads.
        grafana: which signs id tokens for it.
    """

    def __init__(self, api: ControlProcess, exporter: BusyExporter, grafana: GrafanaKeys) -> None:
        self._api = api
        self._exporter = exporter
        self._grafana = grafana
        self._tokens: dict[str, str] = {}

    def reader(self, name: str, switchboard: str) -> Reader:
        """One person, or program, before the stream of a switchboard."""
        path = f"/v1/switchboards/{switchboard}/stream"
        return Reader(name, switchboard, self._api.port, path, lambda: self._headers(name))

    def baseline(self, switchboard: str) -> Reader:
        """A reader of the exporter's own stream, who sees everything."""

        def unwrap(data: Document) -> Document:
            return cast(Document, data["switchboards"].get(switchboard, {}))

        headers = {"Authorization": f"Bearer {self._exporter.token}"}
        return Reader("baseline", switchboard, self._exporter.port, "/state/stream", lambda: headers, unwrap)

    def has_what_he_may_see(self, reader: Reader) -> bool:
        """Whether a reader's document is the answer to a request for the whole state, masked if need be."""
        answer = self._get(f"/v1/switchboards/{reader.switchboard}/state", self._headers(reader.name))
        told, shown = dict(reader.document or {}), answer["state"]
        told["as_of"] = shown["as_of"]
        masked = not reader.name.startswith(("supervisor", "master"))
        numbers = [caller["caller"] for caller in shown["queues"][SERVICE]["waiting"]]
        return told == shown and numbers != [] and all(n.startswith("…") == masked for n in numbers)

    def open_streams(self) -> int:
        """As the API's metrics have it."""
        [line] = [line for line in self._metrics() if line.startswith("asterpanel_control_streams ")]
        return int(float(line.split()[1]))

    def is_ready(self) -> bool:
        """Whether the API has the live state."""
        return "asterpanel_control_exporter_up 1.0" in self._metrics()

    def _metrics(self) -> list[str]:
        text: str = self._get("/metrics", {})
        return text.splitlines()

    def _get(self, path: str, headers: Mapping[str, str]) -> Any:
        return self._api.ask("GET", path, headers).body

    def _headers(self, name: str) -> Mapping[str, str]:
        if name.startswith("token-"):
            if name not in self._tokens:
                self._tokens[name] = self._new_token(name)
            return {"Authorization": f"Bearer {self._tokens[name]}"}
        secret = self._api.route_secret
        return {"Authorization": f"Bearer {secret}", "X-Grafana-Id": self._grafana.token(name)}

    def _new_token(self, name: str) -> str:
        """A viewer of two teams' queues."""
        team = int(name.partition("-")[2]) % TEAMS
        new = make_token(
            name, "default", Role.VIEWER, queues=(SERVICE, f"team-[{team}{(team + 1) % TEAMS}]"),
            created_at=time.time(),
        )  # fmt: skip
        add_token(self._api.folder / TOKENS_FILE, new.stored)
        return new.text
