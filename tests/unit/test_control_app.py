"""The control API as whoever comes to it sees it: identity, rights, requests and answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from asterpanel_control_api.access.rights import ROLE_RIGHTS, Right, Role
from tests.grafana_keys import context_header
from tests.unit.control_app import SECRET, ControlApp, control_app

BOARD = "/v1/switchboards/milano"
Headers = dict[str, str]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ControlApp]:
    with control_app(tmp_path) as running:
        yield running


def error_of(response: TestResponse) -> str:
    assert response.json is not None
    error: dict[str, Any] = response.json["error"]
    assert set(error) == {"id", "message", "detail"}
    assert error["message"]
    return str(error["id"])


IDENTITIES: dict[str, tuple[Callable[[ControlApp], Headers], int]] = {
    "id token": (lambda api: api.headers_of("supervisor"), 200),
    "context": (lambda api: _told(context_header("supervisor")), 200),
    "user header": (lambda api: {"Authorization": f"Bearer {SECRET}", "X-Grafana-User": "supervisor"}, 200),
    "bearer token": (lambda api: api.token(Role.SUPERVISOR), 200),
    "nothing": (lambda api: {}, 401),
    "secret alone": (lambda api: {"Authorization": f"Bearer {SECRET}"}, 401),
    "identity without the secret": (lambda api: {"X-Grafana-Id": api.grafana.token("supervisor")}, 401),
    "context without the secret": (lambda api: {"X-Grafana-Context": context_header("supervisor")}, 401),
    "forged": (lambda api: _signed(api, api.grafana.token("supervisor")[:-6] + "AAAAAA"), 401),
    "expired": (
        lambda api: _signed(
            api, api.grafana.token("supervisor", iat=int(time.time()) - 900, exp=int(time.time()) - 300)
        ), 401,
    ),
    "wrong audience": (lambda api: _signed(api, api.grafana.token("supervisor", aud=["org:2"])), 401),
    "alg none": (lambda api: _signed(api, "eyJhbGciOiJub25lIn0.eyJ1c2VybmFtZSI6ImFubmEifQ."), 401),
    "other organisation": (lambda api: _told(context_header("supervisor", OrgID=2)), 401),
}  # fmt: skip


def _told(context: str) -> Headers:
    return {"Authorization": f"Bearer {SECRET}", "X-Grafana-Context": context}


def _signed(api: ControlApp, token: str) -> Headers:
    return {"Authorization": f"Bearer {SECRET}", "X-Grafana-Id": token}


class TestIdentity:
    @pytest.mark.parametrize("form", IDENTITIES)
    def test_who_gets_in(self, api: ControlApp, form: str) -> None:
        headers, status = IDENTITIES[form]
        response = api.ask("GET", "/v1/me", headers(api))
        assert response.status_code == status
        if status == 401:
            assert error_of(response) == "unauthenticated"
            acted = api.ask("POST", f"{BOARD}/agents/1001/pause", headers(api))
            assert acted.status_code == 401
            assert api.board.actions == []

    def test_a_replayed_token_ends_with_its_time(self, api: ControlApp) -> None:
        now = int(time.time())
        headers = _signed(api, api.grafana.token("supervisor", iat=now - 600, exp=now - 31))
        assert api.ask("GET", "/v1/me", headers).status_code == 401

    def test_who_guesses_is_not_listened_to_for_a_while(self, api: ControlApp) -> None:
        statuses = [
            api.ask("GET", "/v1/me", {"Authorization": f"Bearer wrong-{number:032d}"}).status_code
            for number in range(25)
        ]
        assert statuses == [401] * 20 + [429] * 5


ACTIONS: dict[str, tuple[str, str, dict[str, Any] | None, Right]] = {
    "pause": ("POST", "/agents/{agent}/pause", {"reason": "Lunch"}, Right.PAUSE),
    "unpause": ("POST", "/agents/{agent}/unpause", {}, Right.PAUSE),
    "set queues": ("PUT", "/agents/{agent}/queues", {"queues": [{"queue": "{queue}"}]}, Right.EDIT_MEMBERS),
    "put member": ("PUT", "/queues/{queue}/members/{agent}", {"penalty": 3}, Right.EDIT_MEMBERS),
    "patch member": ("PATCH", "/queues/{queue}/members/{agent}", {"penalty": 4}, Right.EDIT_MEMBERS),
    "delete member": ("DELETE", "/queues/{queue}/members/{agent}", None, Right.EDIT_MEMBERS),
    "priority": ("POST", "/queues/{queue}/callers/{caller}/priority", {"priority": 5}, Right.MOVE_CALLERS),
    "withdraw": ("POST", "/queues/{queue}/callers/{caller}/withdraw", {}, Right.MOVE_CALLERS),
}
INSIDE = {"agent": "1002", "queue": "sales", "caller": "5.1"}
OUTSIDE = {"agent": "2001", "queue": "billing", "caller": "6.1"}


def act(api: ControlApp, headers: Headers, action: str, on: dict[str, str]) -> TestResponse:
    method, path, body, _ = ACTIONS[action]
    filled: Any = body
    if action == "set queues":
        filled = {"queues": [{"queue": on["queue"]}]}
    return api.ask(method, BOARD + path.format(**on), headers, filled)


class TestMatrix:
    """Every role, every action, inside and outside the scope, by id token and by bearer token."""

    @pytest.mark.parametrize("identity", ["id token", "bearer token"])
    @pytest.mark.parametrize("where", ["inside", "outside"])
    @pytest.mark.parametrize("action", ACTIONS)
    @pytest.mark.parametrize("role", Role)
    def test_cell(self, api: ControlApp, role: Role, action: str, where: str, identity: str) -> None:
        if identity == "bearer token" and role is Role.AGENT:
            pytest.skip("there is no such token: an agent is a person")
        headers = (
            api.headers_of(role.value)
            if identity == "id token"
            else api.token(role, queues=("sales",), agents=("10*",))
        )
        right = ACTIONS[action][3]
        has_right = right in ROLE_RIGHTS[role]
        reaches_out = role is Role.MASTER and identity == "id token"
        response = act(api, headers, action, INSIDE if where == "inside" else OUTSIDE)
        if (where == "inside" or reaches_out) and has_right:
            if action == "unpause":
                assert error_of(response) == "already_so"
            elif action == "set queues":
                assert response.json is not None
                assert response.json["result"] in ("done", "already_so")
            else:
                assert response.status_code == 200, response.json
                assert api.board.actions
            return
        sees = where == "inside" and role in (Role.MASTER, Role.SUPERVISOR, Role.VIEWER)
        sees_queue = where == "inside" and role is Role.AGENT and "caller" in ACTIONS[action][1]
        assert error_of(response) == ("forbidden" if sees or sees_queue else "not_found")
        assert api.board.actions == []

    def test_hidden_is_as_missing(self, api: ControlApp) -> None:
        headers = api.headers_of("supervisor")
        for hidden, missing in (
            ("/agents/2001/pause", "/agents/7777/pause"),
            ("/queues/billing/callers/6.1/withdraw", "/queues/nothing/callers/6.1/withdraw"),
        ):
            one, other = api.ask("POST", BOARD + hidden, headers), api.ask("POST", BOARD + missing, headers)
            assert one.status_code == other.status_code == 404
            assert one.json is not None
            assert other.json is not None
            assert [one.json["error"]["id"], set(one.json["error"]["detail"])] == [
                other.json["error"]["id"], set(other.json["error"]["detail"]),
            ]  # fmt: skip

    def test_an_agent_pauses_himself_and_nobody_else(self, api: ControlApp) -> None:
        headers = api.headers_of("agent")
        response = api.ask("POST", f"{BOARD}/agents/1001/pause", headers, {"reason": "Lunch"})
        assert response.json is not None
        assert response.status_code == 200
        assert [each["queue"] for each in response.json["queues"]] == ["sales"]
        assert api.ask("POST", f"{BOARD}/agents/1002/pause", headers).status_code == 404

    def test_another_tenants_switchboard_is_none(self, api: ControlApp) -> None:
        headers = api.headers_of("master")
        listed = api.ask("GET", "/v1/switchboards", headers).json
        assert listed is not None
        assert [board["name"] for board in listed["switchboards"]] == ["milano"]
        for path in ("roma/state", "nothing/state", "roma/stream"):
            assert api.ask("GET", f"/v1/switchboards/{path}", headers).status_code == 404


class TestState:
    def test_as_one_may_see_it(self, api: ControlApp) -> None:
        shown = api.ask("GET", f"{BOARD}/state", api.headers_of("viewer")).json
        assert shown is not None
        assert list(shown["state"]["queues"]) == ["sales"]
        assert set(shown["state"]["agents"]) == {"1001", "1002"}
        assert "390551001" not in str(shown)
        assert shown["freshness"]["stale"] is False

    def test_a_stream_begins_with_a_snapshot_and_tells_what_changes(self, api: ControlApp) -> None:
        response = api.ask("GET", f"{BOARD}/stream", api.headers_of("supervisor"))
        events = response.iter_encoded()
        told = b""
        while b"event: snapshot" not in told:
            told += next(events)
        assert api.ask("POST", f"{BOARD}/agents/1002/pause", api.headers_of("supervisor")).status_code == 200
        while b"event: patch" not in told:
            told += next(events)
        assert b'"paused":true' in told
        response.close()


class TestRequests:
    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_only_json(self, api: ControlApp, content_type: str) -> None:
        response = api.client.post(
            f"{BOARD}/agents/1001/pause",
            headers={**api.headers_of("master"), "Content-Type": content_type},
            data="reason=Lunch",
        )
        assert error_of(response) == "not_json"
        assert api.board.actions == []

    @pytest.mark.parametrize(
        "body",
        [
            {"reason": "a\r\nAction: Originate"},
            {"reason": "a\x00b"},
            {"reason": 5},
            {"reason": "x" * 81},
            {"queues": []},
            {"queues": ["sales\r\nX: y"]},
            {"nothing": 1},
            [],
            "text",
        ],
    )
    def test_what_is_refused(self, api: ControlApp, body: Any) -> None:
        response = api.ask("POST", f"{BOARD}/agents/1001/pause", api.headers_of("master"), body)
        assert error_of(response) == "invalid_request"
        assert api.board.actions == []

    def test_a_body_that_is_no_json(self, api: ControlApp) -> None:
        response = api.client.post(
            f"{BOARD}/agents/1001/pause",
            headers={**api.headers_of("master"), "Content-Type": "application/json"},
            data="{",
        )
        assert error_of(response) == "invalid_request"

    def test_unknown_places_and_methods(self, api: ControlApp) -> None:
        headers = api.headers_of("master")
        assert error_of(api.ask("GET", "/v1/nothing", headers)) == "not_found"
        assert error_of(api.ask("PUT", "/v1/me", headers)) == "method_not_allowed"

    def test_a_reason_that_is_not_configured(self, api: ControlApp) -> None:
        settings = api.services.settings.model_copy(update={"pause_reasons": ("Lunch",)})
        object.__setattr__(api.services, "settings", settings)
        response = api.ask(
            "POST", f"{BOARD}/agents/1001/pause", api.headers_of("master"), {"reason": "Other"}
        )
        assert error_of(response) == "invalid_request"


class TestAudit:
    def test_every_action_and_denial_is_one_line(
        self, api: ControlApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO):
            act(api, api.headers_of("supervisor"), "pause", INSIDE)
            act(api, api.headers_of("viewer"), "pause", INSIDE)
        lines = [record.message for record in caplog.records if "audit=" in record.message]
        assert len(lines) == 2
        assert "user=grafana:supervisor" in lines[0]
        assert "result=done" in lines[0]
        assert "user=grafana:viewer" in lines[1]
        assert "result=forbidden" in lines[1]
        assert SECRET not in caplog.text


class TestSystem:
    def test_openapi(self, api: ControlApp) -> None:
        document = api.client.get("/v1/openapi.json").json
        assert document is not None
        assert document["openapi"].startswith("3.1")
        assert f"{BOARD.replace('milano', '{switchboard}')}/agents/{{agent}}/pause" in document["paths"]

    def test_health_metrics_and_readiness(self, api: ControlApp) -> None:
        assert api.client.get("/healthz").json == {"status": "ok"}
        ready = api.client.get("/readyz")
        assert ready.status_code == 503  # no exporter runs here
        act(api, api.headers_of("supervisor"), "pause", INSIDE)
        text = api.client.get("/metrics").text
        assert 'asterpanel_control_requests_total{endpoint="actions.pause",result="ok"} 1.0' in text
        assert 'asterpanel_control_action_seconds_count{action="pause",result="done"} 1.0' in text
