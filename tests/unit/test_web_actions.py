"""POST /actions of the exporter: what the control API tells is in the journal when it is answered, once."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout

from asterpanel_exporter.history.records import ControlAction
from asterpanel_exporter.journal.journal import Journal
from asterpanel_exporter.storage import NotRecorded, Storage
from asterpanel_exporter.supervisor import Exporter
from asterpanel_exporter.web.actions import RecordActions
from asterpanel_exporter.web.app import serve
from asterpanel_switchboard.config import Config, load_config
from tests.unit.test_web_support import HOSTILE_NAMES, NOW, exposition

TOKEN = "state-token"
JSON = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
PAUSE = {
    "switchboard": "milano", "action": "pause", "agent": "1001", "queue": "", "result": "done",
    "acted_at": NOW + 0.25, "user": "grafana:anna", "detail": "Lunch",
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "asterpanel.yml"
    path.write_text(
        "exporter: {listen: '127.0.0.1:0', state_token_env: TOKEN}\n"
        "switchboards:\n"
        "  milano: {host: 10.0.0.5, username: asterpanel, secret_env: SECRET}\n"
    )
    return load_config(path, {"SECRET": "s3cr3t", "TOKEN": TOKEN})


@asynccontextmanager
async def listening(exporter: Exporter, record: RecordActions | None) -> AsyncIterator[ClientSession]:
    """The real server, with the token."""
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(
        serve(exporter, exposition, record_actions=record, on_listening=url.set_result)
    )
    try:
        async with ClientSession(await url, headers=JSON, timeout=ClientTimeout(total=30)) as client:
            yield client
    finally:
        server.cancel()
        await asyncio.wait({server})


@asynccontextmanager
async def recording(config: Config) -> AsyncIterator[ClientSession]:
    """The real server over the real journal."""
    exporter = Exporter(config, wall_clock=lambda: NOW)
    async with (
        Storage(config, exporter.switchboards, exporter.wall_clock) as storage,
        listening(exporter, storage.record_actions) as client,
    ):
        yield client


def rows(config: Config) -> list[tuple[Any, ...]]:
    with Journal.open(config.journal.path, create=False, read_only=True) as journal:
        return [
            tuple(row)
            for row in journal.rows(
                'SELECT time, switchboard, action, agent, queue, result, "user", detail '
                "FROM control_action_points ORDER BY time"
            )
        ]


async def post(client: ClientSession, *actions: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    async with client.post("/actions", data=json.dumps({"actions": actions})) as response:
        return response.status, await response.json()


async def test_what_is_answered_is_in_the_journal_and_once(config: Config) -> None:
    async with recording(config) as client:
        for _ in range(2):
            assert await post(client, PAUSE) == (202, {"recorded": 1})
            assert len(rows(config)) == 1
        other = PAUSE | {"user": "grafana:berta"}
        denied = PAUSE | {"result": "forbidden", "acted_at": NOW + 1}
        assert (await post(client, PAUSE, other, denied))[0] == 202
    written = rows(config)
    assert len(written) == 3, "two people at the same microsecond are two actions"
    assert [row[1:] for row in written[:2]] == [
        ("milano", "pause", "1001", "", "done", user, "Lunch") for user in ("grafana:anna", "grafana:berta")
    ]
    assert written[2][5] == "forbidden"


async def test_many_at_once(config: Config) -> None:
    async with recording(config) as client:
        answers = await asyncio.gather(
            *(post(client, PAUSE | {"acted_at": NOW + number}) for number in range(200))
        )
    assert {status for status, _ in answers} == {202}
    assert len(rows(config)) == 200


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"switchboard": None}, "switchboard"), ({"action": "Pause!"}, "action"), ({"action": ""}, "action"),
        ({"result": "x" * 41}, "result"), ({"acted_at": "now"}, "acted_at"), ({"acted_at": -1}, "acted_at"),
        ({"acted_at": 1e300}, "acted_at"), ({"acted_at": True}, "acted_at"), ({"agent": "a\r\nb"}, "agent"),
        ({"queue": "a\x00"}, "queue"), ({"user": "u" * 256}, "user"), ({"detail": "d" * 1001}, "detail"),
        ({"detail": ["x"]}, "detail"), ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
async def test_what_cannot_be_used_is_refused_with_its_place(
    config: Config, change: dict[str, Any], where: str
) -> None:
    async with recording(config) as client:
        status, body = await post(client, PAUSE, PAUSE | change)
        assert status == 422
        assert body["error"]["id"] == "invalid_request"
        assert body["error"]["message"].startswith(f"actions.1.{where}: ")
    assert rows(config) == [], "all or nothing"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422), (b"{", 422), (b"[]", 422), (b"null", 422), (b'{"actions": []}', 422),
        (b'{"actions": [' + b",".join([json.dumps(PAUSE).encode()] * 51) + b"]}", 422),
        (b'{"actions": [{"detail": "\\ud800"}]}', 422), (b"[" * 100_000, 422), (b" " * 300_000, 413),
        (b'{"actions": [{"acted_at": NaN}]}', 422), (b"\xff\xfe", 422),
    ],
)  # fmt: skip
async def test_bodies_that_are_none(config: Config, body: bytes, status: int) -> None:
    async with recording(config) as client, client.post("/actions", data=body) as response:
        assert response.status == status
        assert "id" in (await response.json())["error"]


async def test_names_are_kept_as_they_are_told(config: Config) -> None:
    names = [name for name in HOSTILE_NAMES if name.isprintable()]
    async with recording(config) as client:
        for number, name in enumerate(names):
            status, _ = await post(client, PAUSE | {"user": name, "detail": name, "acted_at": NOW + number})
            assert status == 202
    assert [row[6] for row in rows(config)] == names


async def test_only_with_the_token_and_as_json(config: Config) -> None:
    body = json.dumps({"actions": [PAUSE]})
    async with recording(config) as client:
        for authorization, status in (("", 401), ("Bearer wrong", 401), (f"Basic {TOKEN}", 401)):
            headers = {"Authorization": authorization}
            async with client.post("/actions", data=body, headers=headers) as response:
                assert response.status == status
        async with client.post("/actions", data=body, headers={"Content-Type": "text/plain"}) as response:
            assert response.status == 415
        async with client.get("/actions") as response:
            assert response.status == 405
        assert (await post(client, PAUSE | {"switchboard": "roma"}))[1]["error"][
            "id"
        ] == "unknown_switchboard"
    assert rows(config) == []


async def test_an_open_exporter_is_not_open_for_this(config: Config) -> None:
    settings = config.exporter.model_copy(update={"state_token": None, "state_open_on_loopback": True})
    exporter = Exporter(config.model_copy(update={"exporter": settings}))
    async with listening(exporter, None) as client:
        async with client.get("/state") as response:
            assert response.status == 200
        assert (await post(client, PAUSE))[1]["error"]["id"] == "no_token_configured"


async def test_without_a_journal_and_with_one_that_fails(config: Config) -> None:
    async def fail(actions: Sequence[ControlAction]) -> None:
        raise NotRecorded("database or disk is full; make room on its disk")

    for record, id_, words in (
        (None, "no_journal", "keeps no journal"), (fail, "not_recorded", "make room on its disk"),
    ):  # fmt: skip
        async with listening(Exporter(config), record) as client:
            status, body = await post(client, PAUSE)
            assert (status, body["error"]["id"]) == (503, id_)
            assert words in body["error"]["message"]


async def test_a_journal_that_somebody_else_holds_is_told_and_made_good(config: Config) -> None:
    async with recording(config) as client:
        assert (await post(client, PAUSE))[0] == 202
        other = sqlite3.connect(config.journal.path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            status, body = await post(client, PAUSE | {"acted_at": NOW + 5})
            assert (status, body["error"]["id"]) == (503, "not_recorded")
        finally:
            other.execute("ROLLBACK")
            other.close()
        statuses = [(await post(client, PAUSE | {"acted_at": NOW + 5}))[0]]
        while statuses[-1] != 202 and len(statuses) < 1000:
            statuses.append((await post(client, PAUSE | {"acted_at": NOW + 5}))[0])
    assert len(rows(config)) == 2
