"""What the reader of a stream may see, looked at again and again while profiles and tokens change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.datastructures import Headers

from asterpanel_control_api.access.rights import Role
from asterpanel_control_api.identity.tokens import list_tokens, revoke_token
from asterpanel_control_api.people import Person
from asterpanel_control_api.sights import Sights
from tests.unit.control_app import PROFILES, ControlApp, control_app
from tests.waiting import eventually


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ControlApp]:
    with control_app(tmp_path) as running:
        yield running


def person(api: ControlApp, headers: dict[str, str]) -> Person:
    return api.services.authenticator.person(Headers(headers), "127.0.0.1")


async def test_the_same_until_other_profiles_are_in_force(api: ControlApp) -> None:
    sights = Sights(api.services)
    check = sights.check(person(api, api.headers_of("supervisor")), "milano")
    before = check()
    assert before is not None
    assert check() is before, "nothing was looked up again"
    (api.folder / "profiles.yml").write_text(PROFILES.replace("queues: [sales]", "queues: [billing]"))
    await eventually(lambda: check() is not before)
    after = check()
    assert after is not None
    document = api.services.boards.document("milano")
    assert document is not None
    assert list(before.new_filter()(document)["queues"]) == ["sales"]
    assert list(after.new_filter()(document)["queues"]) == ["billing"]
    (api.folder / "profiles.yml").write_text(PROFILES.replace("login: supervisor", "login: somebody-else"))
    await eventually(lambda: check() is None)


def test_who_may_see_the_same_shares_a_view(api: ControlApp) -> None:
    sights = Sights(api.services)
    users = [person(api, api.headers_of(login)) for login in ("viewer", "viewer", "supervisor", "master")]
    keys = [sight and sight.key for sight in (sights.check(user, "milano")() for user in users)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_a_revoked_token_shows_nothing_from_then_on(api: ControlApp) -> None:
    check = Sights(api.services).check(person(api, api.token(Role.VIEWER)), "milano")
    assert check() is not None
    [token] = list_tokens(api.folder / "tokens.json")
    revoke_token(api.folder / "tokens.json", token.name)
    assert check() is None


def test_a_hidden_switchboard_and_one_that_is_not_there_show_nothing(api: ControlApp) -> None:
    sights, viewer = Sights(api.services), person(api, api.headers_of("viewer"))
    assert sights.check(viewer, "roma")() is None
    assert sights.check(viewer, "nowhere")() is None
