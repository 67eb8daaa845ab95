"""`/v1/connection`: what the configuration page of Grafana's app is told of what is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from asterpanel_control_api.access.endpoints import Setup
from asterpanel_control_api.access.rights import Role
from asterpanel_control_api.identity.grafana_id import CLOCK_SKEW_S
from asterpanel_control_api.rate_limits import WRONG_SECRETS
from tests.grafana_keys import context_header
from tests.unit.control_app import OTHER_SECRET, SECRET, ControlApp, control_app

PATH = Setup.CONNECTION.path
UNREADABLE = ("x", "a.b.c", "e30.e30.", "A" * 9000)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlApp]:
    with control_app(tmp_path_factory.mktemp("connection")) as running:
        yield running


def connection(api: ControlApp, secret: str = SECRET, **forms: str) -> dict[str, Any]:
    """As the app proxy asks, with these of its headers (``id``, ``context``, ``user``)."""
    headers = {f"X-Grafana-{name.title()}": value for name, value in forms.items()}
    response = api.ask("GET", PATH, {"Authorization": f"Bearer {secret}", **headers})
    assert response.status_code == 200
    told: dict[str, Any] = response.json or {}
    return told


def identity(api: ControlApp, secret: str = SECRET, **forms: str) -> dict[str, Any]:
    told: dict[str, Any] = connection(api, secret, **forms)["identity"]
    return told


def test_all_is_well(api: ControlApp) -> None:
    told = connection(api, id=api.grafana.token("supervisor"), context=context_header("supervisor"))
    assert time.time() - 10 < told.pop("now") <= time.time() + 0.001
    assert 0 <= told["identity"].pop("clock_offset_s") < 10
    assert told == {
        "tenant": "default",
        "version": version("asterpanel"),
        "identity": {
            "accepted": ["id_token", "context", "user_header"],
            "found": ["id_token", "context"],
            "believed": True,
            "via": "id_token",
            "login": "supervisor",
        },
        "profiles": 1,
        "switchboards": 1,
        "exporter": {"connected": False},
    }


def test_in_no_profile(api: ControlApp) -> None:
    told = connection(api, user="stranger")
    assert told["identity"]["login"] == "stranger"
    assert (told["profiles"], told["switchboards"]) == (0, 0)


def test_the_identity_is_missing(api: ControlApp) -> None:
    told = connection(api)
    assert told["identity"] == {
        "accepted": ["id_token", "context", "user_header"],
        "found": [],
        "believed": False,
        "reason": "no_identity",
    }
    assert (told["tenant"], told["profiles"], told["switchboards"]) == ("default", 0, 0)


def test_grafana_sends_a_form_that_is_not_accepted(api: ControlApp) -> None:
    assert identity(api, OTHER_SECRET, context=context_header(OrgID=2)) == {
        "accepted": ["id_token"],
        "found": ["context"],
        "believed": False,
        "reason": "no_identity",
    }


@pytest.mark.parametrize("wrong_s", [-1200, -660, 300])
def test_a_clock_is_wrong(api: ControlApp, wrong_s: int) -> None:
    """Grafana's, by so many seconds."""
    now = int(time.time()) + wrong_s
    told = identity(api, id=api.grafana.token("viewer", iat=now, nbf=now, exp=now + 600))
    assert (told["believed"], told["reason"]) == (False, "invalid_id_token")
    assert told["clock_offset_s"] == pytest.approx(-wrong_s, abs=10)


def test_a_clock_that_is_well_enough(api: ControlApp) -> None:
    now = int(time.time()) + int(CLOCK_SKEW_S) - 10
    told = identity(api, id=api.grafana.token("viewer", iat=now, exp=now + 600))
    assert told["believed"]
    assert told["clock_offset_s"] < 0


@pytest.mark.parametrize("token", UNREADABLE)
def test_a_token_that_tells_no_time(api: ControlApp, token: str) -> None:
    told = identity(api, id=token)
    assert told["reason"] == "invalid_id_token"
    assert "clock_offset_s" not in told


@pytest.mark.parametrize("iat", ["soon", None, 1e400, -1e400, 10**400, [1]])
def test_a_time_that_is_none(api: ControlApp, iat: object) -> None:
    assert "clock_offset_s" not in identity(api, id=api.grafana.token("viewer", iat=iat))


def test_nothing_of_what_is_not_believed_is_repeated(api: ControlApp) -> None:
    forged = api.grafana.token("somebody-else")
    told = connection(api, id=forged, context=context_header("viewer"))
    assert told["identity"]["reason"] == "contradiction"
    assert "viewer" not in str(told)
    assert "somebody-else" not in str(told)


def test_a_token_in_place_of_the_routes_secret(api: ControlApp) -> None:
    token = api.token(Role.VIEWER)["Authorization"].removeprefix("Bearer ")
    alone = connection(api, token)
    assert alone["identity"] == {
        "accepted": ["id_token", "context", "user_header"],
        "found": [],
        "believed": True,
        "via": "bearer",
    }
    assert (alone["profiles"], alone["switchboards"]) == (0, 1)
    told = identity(api, token, context=context_header("viewer"))
    assert (told["believed"], told["reason"]) == (False, "token_with_identity")


def test_guesses_of_the_secret_are_counted_here_too(api: ControlApp) -> None:
    address = "127.0.0.7"
    wrong = {"Authorization": "Bearer nothing-of-the-kind", "X-Grafana-Context": context_header("viewer")}
    statuses = [api.ask("GET", PATH, wrong, address=address).status_code for _ in range(WRONG_SECRETS + 1)]
    assert statuses == [401] * WRONG_SECRETS + [429]
    right = {"Authorization": f"Bearer {SECRET}"}
    assert api.ask("GET", PATH, right, address=address).status_code == 429
    assert api.ask("GET", PATH, right, address="127.0.0.8").status_code == 200


def test_it_opens_no_other_door(api: ControlApp) -> None:
    """Who was answered here is as unknown as before elsewhere, and is counted as such."""
    counted = 'asterpanel_control_unauthenticated_total{reason="no_identity"}'

    def count() -> float:
        lines = api.client.get("/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith(counted)).split()[-1])

    before = count()
    connection(api)
    assert count() == before + 1
    for path in ("/v1/me", "/v1/switchboards", "/v1/switchboards/milano/state"):
        assert api.ask("GET", path, {"Authorization": f"Bearer {SECRET}"}).status_code == 401


def test_grafanas_keys_cannot_be_fetched(tmp_path: Path) -> None:
    with control_app(tmp_path) as api:
        api.grafana.answer = lambda handler: handler.send_error(500)
        told = identity(api, id=api.grafana.token("viewer"))
    assert (told["believed"], told["reason"]) == (False, "keys_unavailable")
