"""Everybody who may come to the control API, and everything that he may ask for: the rows of the matrix."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from asterpanel_control_api.access.endpoints import ENDPOINTS, Action, Endpoint, Read
from asterpanel_control_api.access.matrix import PEOPLE, PROGRAMS, Asker, Place, places
from asterpanel_control_api.identity.forms import Form
from asterpanel_control_api.identity.tokens import revoke_token
from tests.pbx.control_queues import NAME, member
from tests.unit.control_app import CONFIG, ControlApp, control_app
from tests.unit.control_forms import Headers, in_a_moment, person, program, soon_over

OWN, COLLEAGUE, STRANGER, FREE = "3001", "1002", "2001", "1005"
"""Agents: oneself; one of the profile; one in the profile's queue who is not of the profile; one of the
profile who is in none of its queues."""

MEMBERS = {
    "sales": [member(f"PJSIP/{agent}") for agent in (OWN, COLLEAGUE, STRANGER)],
    "billing": [member(f"PJSIP/{agent}") for agent in (OWN, STRANGER, FREE)],
}
NUMBER = "390551001"
"""Of everybody who waits (`tests.pbx.control_queues.caller`)."""

SCOPE = {"switchboards": ("milano",), "queues": ("sales",), "agents": ("10*",)}

BELIEVED = tuple(form for form in Form if form.is_believed)
REFUSED = tuple(form for form in Form if not form.is_believed)
LATER = (Form.REPLAYED, Form.EXPIRED_TOKEN)
"""Must have been believed before."""

Named = Mapping[str, str]
Cell = tuple[Endpoint, Place, Named]


@dataclass
class World:
    """The running API, and everybody who comes to it."""

    api: ControlApp
    tokens: dict[tuple[Asker, Form], Headers] = field(default_factory=dict)
    replayed: dict[Asker, tuple[Headers, float]] = field(default_factory=dict)
    over_at: float = 0.0
    """When `EXPIRED_TOKEN` holds no more."""
    _addresses: Iterator[int] = field(default_factory=lambda: count(1))
    _seen: int = 0
    _restored: bool | None = None

    def ask(self, endpoint: Endpoint, named: Named, body: Any, headers: Headers) -> TestResponse:
        """From an address that nobody has come from before: guesses are counted by address."""
        number = next(self._addresses)
        return self.api.ask(
            endpoint.method,
            path_of(endpoint, named),
            headers,
            body,
            address=f"127.{number >> 16}.{number >> 8 & 255}.{number & 255}",
        )

    def received(self) -> list[dict[str, str]]:
        """What has reached the switchboard since the last time."""
        actions = self.api.board.actions
        new, self._seen = actions[self._seen :], len(actions)
        if new:
            self._restored = None
        return new

    def received_late(self) -> list[dict[str, str]]:
        """What has reached it before an action that is sent now, on the same connection, and is answered."""
        self.restore()
        self.api.services.operations.pause(NAME, FREE)
        *late, last = self.received()
        assert last["interface"] == f"PJSIP/{FREE}"
        self.api.board.do(self.api.board.server.actions.clear)
        self._seen = 0
        return late

    def restore(self, *, paused: bool = False) -> None:
        """Let the switchboard be as in the beginning, or with everybody paused."""
        if self._restored is paused:
            return
        self._restored = paused
        board = self.api.board

        def back() -> None:
            board.queues = {
                queue: {one["interface"].casefold(): {**deepcopy(one), "paused": paused} for one in members}
                for queue, members in MEMBERS.items()
            }
            board.withdrawn.clear()
            for one in (caller for callers in board.callers.values() for caller in callers.values()):
                one["priority"] = 0
            board.show()

        board.do(back)

    def headers(self, asker: Asker, form: Form) -> Headers:
        """Of the asker, in this form."""
        if form is Form.REPLAYED:
            headers, over_at = self.replayed[asker]
            _wait_until(over_at)
            return headers
        if form is Form.EXPIRED_TOKEN:
            _wait_until(self.over_at)
        if form.is_of_program:
            return program(form, self.tokens[asker, form])
        return person(self.api, form, login(asker, form if form.is_believed else None))


def _wait_until(moment: float) -> None:
    while (left := moment - time.time()) >= 0:
        time.sleep(left + 0.01)


def login(asker: Asker, purpose: Form | Endpoint | None = None) -> str:
    """A user of Grafana of this role, for requests in this form, or to find out what the endpoint tells.

    They are many, because actions are counted by person.
    """
    return f"{asker.name}-{purpose.name.lower() if purpose else 'claimed'}"


def profiles() -> str:
    """One profile with everybody in it but nobody."""
    purposes = (None, *(form for form in BELIEVED if not form.is_of_program), *ENDPOINTS)
    members = [
        {"login": login(asker, purpose), "role": asker.role.value, "agent": OWN}
        for asker in PEOPLE
        if asker.role is not None
        for purpose in purposes
    ]
    profile = {**SCOPE, "members": members}
    return json.dumps({"tenants": {"default": {"profiles": {"sales": profile}}}})


def cells(asker: Asker) -> Iterator[Cell]:
    """All there are for him."""
    for endpoint in ENDPOINTS:
        for place in places(asker, endpoint):
            for named in names(endpoint, place):
                yield endpoint, place, named


def names(endpoint: Endpoint, place: Place) -> Sequence[Named]:
    """What a request may name in a place."""
    inside = {"switchboard": NAME, "queue": "sales", "agent": COLLEAGUE, "caller": "5.1"}
    match place:
        case Place.ONESELF:
            return (inside | {"agent": OWN},)
        case Place.ELSEWHERE:
            return (inside | {"switchboard": "roma"},)
        case Place.OUTSIDE if endpoint.names_agent and endpoint.names_queue:
            outside = (("billing", STRANGER), ("billing", OWN), ("sales", STRANGER))
            return tuple(inside | {"queue": queue, "agent": agent} for queue, agent in outside)
        case Place.OUTSIDE:
            return (inside | {"queue": "billing", "agent": STRANGER, "caller": "6.1"},)
        case _:
            return (inside,)


def path_of(endpoint: Endpoint, named: Named) -> str:
    """With the names filled in."""
    return re.sub("<([a-z]+)>", lambda found: named[found[1]], endpoint.path)


def body_of(endpoint: Endpoint, named: Named) -> dict[str, Any] | None:
    """One by which there is something to be done; None where it may be empty."""
    match endpoint:
        case Action.PAUSE:
            return {"reason": "Lunch"}
        case Action.SET_QUEUES:
            return {"queues": [{"queue": named["queue"], "penalty": 3}]}
        case Action.PUT_MEMBER | Action.PATCH_MEMBER:
            return {"penalty": 3}
        case Action.CHANGE_PRIORITY:
            return {"priority": 5}
    return None


@contextmanager
def running_world(folder: Path) -> Iterator[World]:
    """The API on loopback; everybody has what he needs, and what is to be refused later has been believed."""
    torino = "  torino: {{host: 127.0.0.1, username: exporter, secret_env: SECRET}}\n"
    with control_app(
        folder, profiles(), config=CONFIG + torino, members=deepcopy(MEMBERS), seen_within_s=0.02
    ) as api:
        world = World(api)
        for asker in PEOPLE:
            world.replayed[asker] = soon_over(api, login(asker))
            _must_be_believed(api, world.replayed[asker][0])
        for asker in PROGRAMS:
            for form in filter(lambda form: form.is_of_program, Form):
                world.tokens[asker, form] = _token(api, asker, form)
        world.over_at = in_a_moment()
        yield world


def _token(api: ControlApp, asker: Asker, form: Form) -> Headers:
    assert asker.role is not None
    expiry: dict[str, Any] = {"expires_at": in_a_moment()} if form is Form.EXPIRED_TOKEN else {}
    token = api.token(asker.role, **SCOPE, **expiry)
    _must_be_believed(api, token)
    if form is Form.REVOKED_TOKEN:
        revoke_token(api.folder / "tokens.json", token["Authorization"].split("_")[1])
    return token


def _must_be_believed(api: ControlApp, headers: Headers) -> None:
    assert api.ask("GET", Read.ME.path, headers).status_code == 200
