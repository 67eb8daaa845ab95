"""Who comes too often, and who cannot be made out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from asterpanel_control_api.access.rights import Role
from asterpanel_control_api.identity.tokens import revoke_token
from asterpanel_control_api.rate_limits import ACTIONS, AUDITED_REFUSALS, WRONG_SECRETS
from tests.unit.control_app import OTHER_SECRET, ControlApp, audit_lines, control_app

PAUSE = "/v1/switchboards/milano/agents/1001/pause"
WRONG = {"Authorization": f"Bearer {'wrong' * 8}"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ControlApp]:
    with control_app(tmp_path) as running:
        yield running


def program_name(headers: dict[str, str]) -> str:
    """Of a token, which has it in its text."""
    return headers["Authorization"].split("_")[1]


def retry_after_s(response: TestResponse) -> int:
    assert response.json is not None
    assert response.json["error"]["id"] == "too_many_requests"
    wait_s = int(response.headers["Retry-After"])
    assert response.json["error"]["detail"] == {"retry_after_s": wait_s}
    assert f"wait {wait_s} seconds" in response.json["error"]["message"]
    return wait_s


class TestWrongSecrets:
    def test_who_guesses_is_not_listened_to_for_a_while(self, api: ControlApp) -> None:
        right = api.headers_of("master")
        for _ in range(WRONG_SECRETS):
            assert api.ask("GET", "/v1/me", WRONG).status_code == 401
        assert 1 <= retry_after_s(api.ask("GET", "/v1/me", WRONG)) <= 60
        retry_after_s(api.ask("GET", "/v1/me", right))  # even if he has guessed it now
        elsewhere = api.client.get("/v1/me", headers=right, environ_base={"REMOTE_ADDR": "127.0.0.9"})
        assert elsewhere.status_code == 200
        assert api.client.get("/healthz").status_code == 200

    def test_who_was_right_before_goes_on(self, api: ControlApp) -> None:
        """Behind one Grafana are many tenants: one whose secret is old must not shut out the others."""
        right = api.headers_of("master")
        program = api.token(Role.VIEWER)
        for headers in (right, program):
            assert api.ask("GET", "/v1/me", headers).status_code == 200
        answers = [api.ask("GET", "/v1/me", WRONG) for _ in range(WRONG_SECRETS + 1)]
        retry_after_s(answers[-1])
        for headers in (right, program):
            assert api.ask("GET", "/v1/me", headers).status_code == 200
        retry_after_s(api.ask("GET", "/v1/me", api.token(Role.VIEWER)))  # a right one, but guessed by now
        revoke_token(api.folder / "tokens.json", program_name(program))
        statuses = {api.ask("GET", "/v1/me", program).status_code for _ in range(2)}
        assert statuses == {401, 429}

    def test_what_is_no_guess_keeps_nobody_out(self, api: ControlApp) -> None:
        """Behind one Grafana are many people: one clock that is wrong must not shut the others out."""
        for _ in range(WRONG_SECRETS + 5):
            assert api.ask("GET", "/v1/me", {}).status_code == 401
            assert (
                api.ask("GET", "/v1/me", api.headers_of("master") | {"X-Grafana-Id": "x"}).status_code == 401
            )
        assert api.ask("GET", "/v1/me", api.headers_of("master")).status_code == 200


class TestManyActions:
    def test_of_one_person(self, api: ControlApp) -> None:
        headers = api.token(Role.SUPERVISOR)
        statuses = {api.ask("POST", PAUSE, headers, {"reason": 5}).status_code for _ in range(ACTIONS)}
        assert statuses == {422}
        assert retry_after_s(api.ask("POST", PAUSE, headers)) <= 60
        assert api.board.actions == []
        assert api.ask("GET", "/v1/me", headers).status_code == 200
        assert api.ask("POST", PAUSE, api.headers_of("supervisor")).status_code == 200

    def test_of_another_tenants_person_of_the_same_name(self, api: ControlApp) -> None:
        other = {
            "Authorization": f"Bearer {OTHER_SECRET}",
            "X-Grafana-Id": api.grafana.token("master", aud=["org:2"]),
        }
        for _ in range(ACTIONS):
            api.ask("POST", PAUSE, api.headers_of("master"), {"reason": 5})
        assert api.ask("POST", PAUSE, api.headers_of("master")).status_code == 429
        assert api.ask("POST", PAUSE.replace("milano", "roma"), other).status_code == 404


class TestStrangers:
    def test_what_they_ask_for_is_in_the_audit(
        self, api: ControlApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO):
            api.ask("POST", PAUSE, {}, {"reason": "x"})
            api.ask("DELETE", "/v1/switchboards/milano/queues/sales/members/made%09up", WRONG)
            api.ask("GET", "/v1/switchboards/milano/state", WRONG)
        lines = audit_lines(caplog)
        assert len(lines) == 2
        assert "audit=pause" in lines[0]
        assert "agent=1001 result=unauthenticated detail=no_credentials" in lines[0]
        assert "audit=delete_member" in lines[1]
        assert "queue=sales" in lines[1]
        assert 'detail="unknown_secret, agent made up"' in lines[1]

    def test_a_flood_of_them_is_cut_short(self, api: ControlApp, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO):
            for _ in range(AUDITED_REFUSALS + 5):
                api.ask("POST", PAUSE, {})
        lines = audit_lines(caplog)
        assert len(lines) == AUDITED_REFUSALS
        counted = 'requests_total{endpoint="pause",result="unauthenticated"}'
        assert f"{counted} {AUDITED_REFUSALS + 5}.0" in api.client.get("/metrics").text
