"""The control API as whoever may come to it sees it: state, requests, audit, and the service itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from asterpanel_control_api.audit.audit import Audit
from asterpanel_control_api.audit.delivery import Delivery
from asterpanel_control_api.audit.entry import Entry
from tests.unit.control_app import CONFIG, SECRET, ControlApp, audit_lines, control_app
from tests.unit.control_documents import QUEUE_LEVELS

BOARD = "/v1/switchboards/milano"


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


def pause(api: ControlApp, login: str) -> TestResponse:
    return api.ask("POST", f"{BOARD}/agents/1002/pause", api.headers_of(login), {"reason": "Lunch"})


class TestActions:
    def test_an_agent_pauses_himself_in_the_queues_of_his_profile(self, api: ControlApp) -> None:
        headers = api.headers_of("agent")
        response = api.ask("POST", f"{BOARD}/agents/1001/pause", headers, {"reason": "Lunch"})
        assert response.json is not None
        assert response.status_code == 200
        assert [each["queue"] for each in response.json["queues"]] == ["sales"]


class TestSettings:
    def test_levels_and_formula_as_they_are_configured(self, tmp_path: Path) -> None:
        configured = (
            "dashboards: {{service_level_formula: 6, agent_pause: {{warning: 5m, critical: 7m}}}}\n"
            "targets: [{{queues: [sales], waiting: {{warning: 1, critical: 2}}}}]\n"
        )
        with control_app(tmp_path, config=CONFIG + configured) as api:
            me = api.ask("GET", "/v1/me", api.headers_of("viewer")).json
            shown = api.ask("GET", f"{BOARD}/state", api.headers_of("viewer")).json
        assert me is not None
        assert shown is not None
        assert me["service_level_formula"] == "late-abandons"
        assert me["levels"] == {
            "agent_pause_s": {"warning": 300, "critical": 420},
            "data_age_s": {"warning": 15, "critical": 60},
        }
        levels = shown["state"]["queues"]["sales"]["levels"]
        assert levels == {**QUEUE_LEVELS, "waiting": {"warning": 1, "critical": 2}}


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

    def test_a_stream_ends_with_the_proof_of_who_reads(self, api: ControlApp) -> None:
        """30 seconds of skew are allowed for, of which all but four are over."""
        now = int(time.time())
        token = api.grafana.token("supervisor", iat=now - 600, exp=now - 26)
        headers = {"Authorization": f"Bearer {SECRET}", "X-Grafana-Id": token}
        response = api.ask("GET", f"{BOARD}/stream", headers)
        assert b'{"reason":"reconnect"}' in b"".join(response.iter_encoded())
        assert api.ask("GET", f"{BOARD}/stream", headers).status_code == 401

    def test_a_stream_ends_when_the_profile_does(self, api: ControlApp) -> None:
        response = api.ask("GET", f"{BOARD}/stream", api.headers_of("viewer"))
        events = response.iter_encoded()
        next(events)
        profiles = api.folder / "profiles.yml"
        profiles.write_text(profiles.read_text().replace("login: viewer", "login: somebody-else"))
        assert b'{"reason":"right_ended"}' in b"".join(events)
        assert api.ask("GET", f"{BOARD}/stream", api.headers_of("viewer")).status_code == 404


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

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PATCH", "/queues/sales/members/1002", {"paused": True, "reason": "Other"}),
            ("PATCH", "/queues/sales/members/1002", {"paused": True}),
            ("PUT", "/queues/sales/members/1002", {"paused": True}),
            ("PUT", "/agents/1002/queues", {"queues": [{"queue": "sales", "paused": True}]}),
        ],
    )
    def test_no_way_around_the_configured_reasons(
        self, api: ControlApp, method: str, path: str, body: dict[str, Any]
    ) -> None:
        settings = api.services.settings.model_copy(update={"pause_reasons": ("Lunch",)})
        object.__setattr__(api.services, "settings", settings)
        assert error_of(api.ask(method, BOARD + path, api.headers_of("master"), body)) == "invalid_request"
        assert api.board.actions == []


class TestAudit:
    def test_every_action_and_denial_is_one_line(
        self, api: ControlApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO):
            pause(api, "supervisor")
            pause(api, "viewer")
        lines = audit_lines(caplog)
        assert len(lines) == 2
        assert "user=grafana:supervisor" in lines[0]
        assert "result=done" in lines[0]
        assert "user=grafana:viewer" in lines[1]
        assert "result=forbidden" in lines[1]
        assert SECRET not in caplog.text

    def test_who_was_withdrawn_is_told(self, api: ControlApp, caplog: pytest.LogCaptureFixture) -> None:
        path = f"{BOARD}/queues/sales/callers/5.1/withdraw"
        with caplog.at_level(logging.INFO):
            answer = api.ask("POST", path, api.headers_of("supervisor"), {"info": "x"})
        assert answer.status_code == 200
        [line] = audit_lines(caplog)
        assert 'detail="x, uniqueid 5.1, caller …01"' in line

    def test_what_was_changed_and_where(self, api: ControlApp, caplog: pytest.LogCaptureFixture) -> None:
        headers = api.headers_of("master")
        with caplog.at_level(logging.INFO):
            api.ask("POST", f"{BOARD}/agents/1001/pause", headers, {"reason": "Lunch", "queues": ["sales"]})
            api.ask("PATCH", f"{BOARD}/queues/sales/members/1002", headers, {"penalty": 4})
            api.ask("PUT", f"{BOARD}/agents/1002/queues", headers, {"queues": [{"queue": "sales"}]})
        details = [line.partition("detail=")[2] for line in audit_lines(caplog)]
        assert details == ['"Lunch, only in sales"', '"penalty 4"', '"queues sales"']

    def test_what_gets_no_further_than_the_door(
        self, api: ControlApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        headers = api.headers_of("supervisor")
        pause = f"{BOARD}/agents/1002/pause"
        with caplog.at_level(logging.INFO):
            api.ask("POST", pause, headers, {"reason": 5})
            api.client.post(pause, headers={**headers, "Content-Type": "text/plain"}, data="x")
            api.ask("GET", f"{BOARD}/agents/1002/pause", headers)
            api.ask("GET", f"{BOARD}/state", {})
        results = [line.partition("result=")[2].split(" ")[0] for line in audit_lines(caplog)]
        assert results == ["invalid_request", "not_json"]
        assert all("user=grafana:supervisor" in line for line in audit_lines(caplog))

    def test_what_is_typed_about_another_tenant_stays_out_of_its_points(self, tmp_path: Path) -> None:
        entries: list[Entry] = []
        with control_app(tmp_path) as api:
            delivery = Delivery("journal", entries.extend)
            audit = Audit(api.board.boards, api.services.config.tenant_of, delivery)
            object.__setattr__(api.services, "audit", audit)
            audit.start()
            headers = api.headers_of("viewer")
            for board in ("roma", "milano"):
                api.ask("POST", f"/v1/switchboards/{board}/agents/made-up/pause", headers, {"reason": "x"})
            audit.close(5.0)
        assert [(entry.switchboard, entry.result) for entry in entries] == [("milano", "not_found")]


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
        assert ready.json == {"ready": False, "missing": ["the exporter"]}
        pause(api, "supervisor")
        text = api.client.get("/metrics").text
        assert 'asterpanel_control_requests_total{endpoint="pause",result="ok"} 1.0' in text
        assert 'asterpanel_control_action_seconds_count{action="pause",result="done"} 1.0' in text
        assert 'asterpanel_control_switchboards{state="connected"} 1.0' in text
        assert "milano" not in text + ready.text  # other tenants' people might come here
