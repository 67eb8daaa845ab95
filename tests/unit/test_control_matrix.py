"""The matrix of RIGHTS.md, asked of the API: role × endpoint × place × form of identity, every cell.

The rows and the answers come from the tables that the document is made of. In each cell the answer is
looked at, and what has reached the switchboard: the action that was asked for, or nothing.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from werkzeug.test import TestResponse

from asterpanel_control_api.access.endpoints import ENDPOINTS, Action, Endpoint, Public, Read, Setup
from asterpanel_control_api.access.matrix import (
    PEOPLE,
    PROGRAMS,
    Answer,
    Asker,
    answer,
    answer_to_unproven,
    missing_right,
)
from asterpanel_control_api.access.rights import Right, Role
from asterpanel_control_api.identity.forms import Form
from asterpanel_control_api.identity.refusals import Reason
from asterpanel_control_api.rights_reference import REFERENCE, reference
from tests.pbx.control_queues import NAME
from tests.unit.control_forms import Headers, person
from tests.unit.control_matrix import (
    BELIEVED,
    COLLEAGUE,
    FREE,
    LATER,
    MEMBERS,
    NUMBER,
    OWN,
    REFUSED,
    STRANGER,
    Cell,
    Named,
    World,
    body_of,
    cells,
    login,
    path_of,
    running_world,
)

UNPROVEN = "Not authenticated: open Asterpanel from Grafana, or send a valid bearer token."
"""The same for whatever was wrong."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("matrix")) as running:
        yield running


SENT = {
    Action.PAUSE: {"action": "QueuePause", "paused": "true", "reason": "Lunch"},
    Action.UNPAUSE: {"action": "QueuePause", "paused": "false"},
    Action.SET_QUEUES: {"action": "QueuePenalty", "penalty": "3"},
    Action.PUT_MEMBER: {"action": "QueuePenalty", "penalty": "3"},
    Action.PATCH_MEMBER: {"action": "QueuePenalty", "penalty": "3"},
    Action.DELETE_MEMBER: {"action": "QueueRemove"},
    Action.CHANGE_PRIORITY: {"action": "QueueChangePriorityCaller", "priority": "5"},
    Action.WITHDRAW: {"action": "QueueWithdrawCaller"},
}
"""What is sent to the switchboard, but for whom it is about."""


def told(endpoint: Endpoint, response: TestResponse) -> str:
    """``done``, or status and id of the error, which has the form that all have."""
    if response.status_code == 200 or (endpoint is Public.READY and "ready" in (response.json or {})):
        return Answer.DONE.id
    error = (response.json or {})["error"]
    assert set(error) == {"id", "message", "detail"}
    assert error["message"]
    return f"{response.status_code} {error['id']}"


def expected(found: Answer) -> str:
    return found.id if found.value is None else f"{int(found.value.status)} {found.id}"


def sent_wrongly(asker: Asker, cell: Cell, received: Sequence[Named]) -> Iterator[str]:
    """Other than the action that is to be done, on whom it is about, and within the asker's reach."""
    endpoint, _, named = cell
    assert isinstance(endpoint, Action)
    if endpoint.names_agent:
        whom = {"interface": f"PJSIP/{named['agent']}"}
    else:
        whom = {"caller": f"PJSIP/peer-{named['caller']}"}
    wanted = SENT[endpoint] | whom
    if not any(wanted.items() <= sent.items() and named["queue"] in queues_of(sent) for sent in received):
        yield f"the switchboard did not receive {wanted} in {named['queue']}, but {list(received)}"
    reach = set(MEMBERS) if asker.has_whole_tenant else {"sales"}
    beyond = [sent for sent in received if not (whom.items() <= sent.items() and queues_of(sent) <= reach)]
    if beyond:
        yield f"the switchboard received {beyond}, which are not about {whom} in {sorted(reach)}"


def queues_of(sent: Named) -> set[str]:
    """In which an action takes effect: without a queue, in all that the member is in."""
    if "queue" in sent:
        return {sent["queue"]}
    return {
        queue
        for queue, members in MEMBERS.items()
        if any(one["interface"] == sent["interface"] for one in members)
    }


def shown_wrongly(asker: Asker, form: Form, endpoint: Endpoint, response: TestResponse) -> Iterator[str]:
    """Other than what is his to see."""
    assert response.json is not None
    if endpoint is Read.ME:
        me, roles = response.json, [asker.role.value] if asker.role else []
        if (me["via"], me["roles"]) != (form.outcome.value, roles):
            yield f"he is {me['roles']} by {me['via']}"
    if endpoint is Read.SWITCHBOARDS:
        whole = ["milano", "torino"] if asker.has_whole_tenant else ["milano"]
        if [board["name"] for board in response.json["switchboards"]] != (whole if asker.role else []):
            yield f"he is shown {response.json}"
    if endpoint is Read.STATE:
        yield from seen_wrongly(asker, response.json["state"])


def connected_wrongly(asker: Asker, form: Form, connection: Mapping[str, Any]) -> Iterator[str]:
    """Other than what came of the identity, or more than that of somebody who is not believed."""
    identity = connection["identity"]
    told_of_form = (identity["believed"], identity.get("via"), identity.get("reason"))
    outcome = form.outcome.value
    if told_of_form != ((True, outcome, None) if form.is_believed else (False, None, outcome)):
        yield f"is told {identity}"
    if ("login" in identity) != (form.is_believed and not asker.is_program):
        yield f"is told the login of {identity}"
    switchboards = (2 if asker.has_whole_tenant else 1) if form.is_believed and asker.role else 0
    profiles = 0 if asker.is_program else min(1, switchboards)
    if (connection["profiles"], connection["switchboards"]) != (profiles, switchboards):
        yield f"has {connection['profiles']} profiles and sees {connection['switchboards']} switchboards"
    if told_of := [name for name in (NAME, "sales", OWN, NUMBER) if name in json.dumps(connection)]:
        yield f"is told of {told_of}"


def seen_wrongly(asker: Asker, state: Mapping[str, Any]) -> Iterator[str]:
    everybody = {OWN, COLLEAGUE, STRANGER, FREE}
    own = set() if asker.is_program else {OWN}
    others = {COLLEAGUE} if Right.SEE in asker.rights else set()
    agents = everybody if asker.has_whole_tenant else own | others
    queues = {"sales", "billing"} if asker.has_whole_tenant else {"sales"}
    if set(state["queues"]) != queues or set(state["agents"]) != agents:
        yield f"he sees {sorted(state['queues'])} and {sorted(state['agents'])}"
    if (NUMBER in json.dumps(state)) != (Right.SEE_CALLERS in asker.rights):
        yield "callers' numbers are not shown, or masked, as they should be"


def first_snapshot(response: TestResponse) -> dict[str, Any]:
    """Of a stream, which is then left."""
    received = b""
    for part in response.iter_encoded():
        received += part
        if found := re.search(rb"event: snapshot\n(?:id: .*\n)?data: (.*)\n\n", received):
            response.close()
            state: dict[str, Any] = json.loads(found[1])
            return state
    raise AssertionError(f"no snapshot: {received!r}")


def wrong_in(world: World, asker: Asker, form: Form, cell: Cell, headers: Headers) -> Iterator[str]:
    """Everything that is not as the tables say, after asking."""
    endpoint, place, named = cell
    wanted = answer(asker, endpoint, place)
    if isinstance(form.outcome, Reason):
        wanted = answer_to_unproven(endpoint, form.outcome)
    response = world.ask(endpoint, named, body_of(endpoint, named), headers)
    found, received = told(endpoint, response), world.received()
    if found != expected(wanted):
        response.close()
        yield f"{found} instead of {expected(wanted)}; received: {received}"
    elif wanted is not Answer.DONE or not isinstance(endpoint, Action):
        if received:
            yield f"the switchboard received {received}"
    else:
        yield from sent_wrongly(asker, cell, received)
        assert response.json is not None
        if response.json["action"] != endpoint.id or response.json["result"] not in ("done", "accepted"):
            yield f"answered {response.json}"
    if found == expected(wanted):
        yield from wrong_in_words(asker, form, cell, wanted, response)


def wrong_in_words(
    asker: Asker, form: Form, cell: Cell, wanted: Answer, response: TestResponse
) -> Iterator[str]:
    endpoint, place, _ = cell
    if wanted is Answer.DONE:
        if endpoint is Read.STREAM:
            yield from seen_wrongly(asker, first_snapshot(response))
        elif isinstance(endpoint, Read):
            yield from shown_wrongly(asker, form, endpoint, response)
        elif endpoint is Setup.CONNECTION:
            yield from connected_wrongly(asker, form, response.json or {})
        return
    assert response.json is not None
    error = response.json["error"]
    missing = missing_right(endpoint, place)
    if wanted is Answer.FORBIDDEN and error["detail"]["right"] != (missing and missing.id):
        yield f"names the right {error['detail']['right']}"
    if wanted is Answer.UNAUTHENTICATED and (error["detail"] or error["message"] != UNPROVEN):
        yield f"tells {error}"
    if wanted is Answer.UNAUTHENTICATED and response.headers["WWW-Authenticate"] != "Bearer":
        yield "tells nothing of how to prove it"


def every_cell(world: World, asker: Asker, form: Form) -> None:
    """Asserts that they all are as they should be, naming those that are not."""
    headers = world.headers(asker, form)
    wrong = []
    for cell in cells(asker):
        endpoint, place, named = cell
        world.restore(paused=endpoint is Action.UNPAUSE)
        where = f"{endpoint.id} {place.id} ({path_of(endpoint, named)})"
        wrong += [f"{where}: {what}" for what in wrong_in(world, asker, form, cell, headers)]
    if late := world.received_late():
        wrong.append(f"the switchboard received {late} late")
    assert not wrong, f"{asker.name} by {form.id}:\n" + "\n".join(wrong)


def who_comes_how(askers: Iterable[Asker], forms: Iterable[Form]) -> list[Any]:
    return [
        pytest.param(asker, form, id=f"{asker.name}-{form.id}")
        for form in sorted(forms, key=LATER.__contains__)
        for asker in askers
        if asker.is_program == form.is_of_program
    ]


class TestMatrix:
    @pytest.mark.parametrize(("asker", "form"), who_comes_how((*PEOPLE, *PROGRAMS), BELIEVED))
    def test_who_is_believed(self, world: World, asker: Asker, form: Form) -> None:
        every_cell(world, asker, form)

    @pytest.mark.parametrize(("asker", "form"), who_comes_how((*PEOPLE, *PROGRAMS), REFUSED))
    def test_who_is_not(
        self, world: World, asker: Asker, form: Form, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING, "asterpanel_control_api.identity"):
            every_cell(world, asker, form)
        reasons = re.findall(r"unauthenticated request from \S+: reason=(\w+)", caplog.text)
        looked_at = [cell for cell in cells(asker) if not isinstance(cell[0], Public)]
        assert reasons == [form.outcome.value] * len(looked_at)


class TestTables:
    def test_the_document_is_made_of_them(self) -> None:
        assert REFERENCE.read_text(encoding="utf-8") == reference()

    def test_they_have_every_endpoint_that_there_is(self, world: World) -> None:
        routes = [
            (rule.endpoint.rpartition(".")[2], method, rule.rule)
            for rule in world.api.client.application.url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        ]
        known = [(endpoint.id, endpoint.method, endpoint.path) for endpoint in ENDPOINTS]
        assert sorted(routes) == sorted(known)


# --- hidden and missing -------------------------------------------------------------------------------

MADE_UP = {
    STRANGER: "7777", FREE: "1077", COLLEAGUE: "1078", "billing": "nothing", "6.1": "9.9", "roma": "rome",
    "torino": "nobody",
}  # fmt: skip
"""For each name something that does not exist, and is as long."""

Probe = tuple[str, Named, Any]
"""A name that is hidden; what the path names, and the body: one of them has it."""


def probes(endpoint: Endpoint, role: Role) -> Iterator[Probe]:
    """What may be asked to find out whether there is something hidden."""
    seen = {"switchboard": NAME, "queue": "sales", "agent": OWN, "caller": "5.1"}
    named = [("switchboard", "roma"), ("switchboard", "torino")]
    if endpoint.names_queue:
        named.append(("queue", "billing"))
        if not endpoint.names_agent:
            named.append(("caller", "6.1"))
    if endpoint.names_agent:
        named.append(("agent", STRANGER))
        if role is Role.AGENT:
            named.append(("agent", COLLEAGUE))
        if endpoint not in MAY_BRING_IN or role is not Role.SUPERVISOR:
            named.append(("agent", FREE))
    for what, name in named:
        yield name, seen | {what: name}, body_of(endpoint, seen)
    if endpoint in (Action.PAUSE, Action.UNPAUSE):
        yield "billing", seen, {"queues": ["sales", "billing"]}
    if endpoint is Action.SET_QUEUES:
        yield "billing", seen, {"queues": [{"queue": "sales"}, {"queue": "billing"}]}


MAY_BRING_IN = (Action.PUT_MEMBER, Action.SET_QUEUES)
"""Whoever may do this knows the agents that the profile has, wherever they are now."""


def told_of(response: TestResponse, name: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body, without the name."""
    return response.status_code, dict(response.headers), response.get_data(as_text=True).replace(name, "…")


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AGENT, Role.VIEWER])
@pytest.mark.parametrize("endpoint", [endpoint for endpoint in ENDPOINTS if endpoint.names_switchboard])
def test_what_is_hidden_is_told_as_what_does_not_exist(world: World, endpoint: Endpoint, role: Role) -> None:
    headers = person(world.api, Form.ID_TOKEN, login(Asker(role), endpoint))
    world.restore()
    for hidden, named, body in probes(endpoint, role):
        made_up = MADE_UP[hidden]
        other_named = {what: made_up if name == hidden else name for what, name in named.items()}
        other_body = json.loads(json.dumps(body).replace(json.dumps(hidden), json.dumps(made_up)))
        of_hidden = told_of(world.ask(endpoint, named, body, headers), hidden)
        of_made_up = told_of(world.ask(endpoint, other_named, other_body, headers), made_up)
        assert of_hidden == of_made_up
        assert of_hidden[0] in (403, 404)
        assert world.received() == []
