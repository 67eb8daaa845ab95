"""The API against its own description: schemathesis asks for everything in it, rightly and wrongly.

``ASTERPANEL_SCHEMA_EXAMPLES=300`` makes it ask that many times for each operation instead of a few times.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.auths import AuthContext
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.specs.openapi.schemas import OpenApiSchema

from asterpanel_control_api.access.globs import Globs
from asterpanel_control_api.access.rights import ROLE_RIGHTS, Role
from asterpanel_control_api.access.scope import Part, Scope
from asterpanel_control_api.errors import ErrorId
from asterpanel_control_api.openapi import MEANINGS
from asterpanel_control_api.switchboards.commands import MAX_INFO_BYTES
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.replay import Replay
from asterpanel_switchboard.config.values import MAX_MEMBER_TEXT_BYTES
from tests.ami_server import Action, response
from tests.pbx.pbx import wait_until
from tests.traces import recording
from tests.unit.control_app import ControlApp, control_app, profiles_with, queues
from tests.unit.control_documents import filtered

DESCRIPTION = "/v1/openapi.json"
SEED = 5
EXAMPLES = int(os.environ.get("ASTERPANEL_SCHEMA_EXAMPLES", "8"))
PEOPLE = max(40, EXAMPLES)
"""In each role, so that none of them comes so often that he is told to wait."""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ControlApp]:
    with control_app(tmp_path, profiles_with(PEOPLE), seen_within_s=0.05) as running:
        logging.getLogger("asterpanel_control_api.audit").setLevel(logging.WARNING)
        yield running
        logging.getLogger("asterpanel_control_api.audit").setLevel(logging.NOTSET)


@pytest.fixture
def document(api: ControlApp) -> dict[str, Any]:
    document: dict[str, Any] | None = api.client.get(DESCRIPTION).json
    assert document is not None
    return document


# --- asking for everything ------------------------------------------------------------------------------

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_schema_conformance", "response_headers_conformance", "negative_data_rejection",
    "positive_data_acceptance", "missing_required_header", "unsupported_method", "allow_header_conformance",
)  # fmt: skip

_NAMES = {
    "switchboard": ["milano"],
    "queue": ["sales", "billing"],
    "agent": ["1001", "1002", "2001"],
    "caller": ["5.1", "6.1"],
}
"""Names that there are, or the most would be told that there is nothing."""

_CONFIG: dict[str, Any] = {
    "seed": SEED,
    # A stream has no end: of its body the first event is read. The others are for the stream's own tests.
    "max-stream-events": 1,
    "dictionaries": {name: {"values": values} for name, values in _NAMES.items()},
    "parameters": {
        place: {"dictionary": name, "probability": 0.9}
        for place, name in [
            *((f"path.{name}", name) for name in _NAMES),
            ("body.queues[*]", "queue"),
            ("body.queues[*].queue", "queue"),
        ]
    },
    "generation": {"max-examples": EXAMPLES, "deterministic": True, "no-shrink": True},
    "phases": {
        "stateful": {"enabled": False},
        "fuzzing": {"extra-data-sources": {"responses": False}, "error-feedback": {"enabled": False}},
        "coverage": {"extra-data-sources": {"responses": False}},
    },
}


@dataclass
class Run:
    """What came of asking for everything. ``statuses``: of the answers, by operation."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def take(self, event: events.EngineEvent) -> None:
        """Keep what the event tells."""
        if isinstance(event, events.NonFatalError):
            self.problems.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.ScenarioFinished):
            recorded = event.recorder
            counter = self.statuses.setdefault(recorded.label, Counter())
            counter.update(one.response.status_code for one in recorded.interactions.values() if one.response)
            self.problems += [
                f"{recorded.label}: {check.failure_info.failure}\n{check.failure_info.code_sample}"
                for checks in recorded.checks.values()
                for check in checks
                if check.failure_info is not None
            ]


def ask_for_everything(api: ControlApp, role: Role | None) -> Run:
    """As people in a role, by id tokens that are made for each request; None: as nobody."""
    app = api.client.application
    checks = {name: {"enabled": True} for name in CHECKS}
    # As nobody: whatever is let in with made-up credentials, or none. As somebody it would ask again without
    # his, which schemathesis 4.32 cannot do of a WSGI application (TypeError: max_redirects).
    more = {"ignored_auth": {"enabled": role is None}}
    config = {**_CONFIG, "checks": {"enabled": False, **checks, **more}}
    schema = schemathesis.openapi.from_wsgi(DESCRIPTION, app, config=SchemathesisConfig.from_dict(config))
    schema.hook(filter_case)
    if role is not None:
        _come_as(schema, api, role)
    app.wsgi_app = _each_by_itself(api, app.wsgi_app)  # type: ignore[method-assign]
    run = Run()
    for event in from_schema(schema).execute():
        run.take(event)
    return run


def _put_back(api: ControlApp) -> None:
    def put_back() -> None:
        board = api.board
        board.queues = {
            queue: {one["interface"].casefold(): one for one in members}
            for queue, members in queues().items()
        }
        board.queues["billing"]["pjsip/2001"] |= {"paused": True, "pause_reason": "Lunch"}
        board.withdrawn.clear()
        board.show()

    api.board.do(put_back)


def _come_as(schema: OpenApiSchema, api: ControlApp, role: Role) -> None:
    logins = (f"{role}-{number}" for number in itertools.cycle(range(PEOPLE)))

    class Identity:
        def get(self, case: Case[Any], context: AuthContext) -> dict[str, str]:
            return api.headers_of(next(logins))

        def set(self, case: Case[Any], data: dict[str, str], context: AuthContext) -> None:
            case.headers.update(data)

    schema.auth(refresh_interval=None)(Identity)


def _each_by_itself(
    api: ControlApp, application: Callable[..., Iterable[bytes]]
) -> Callable[..., Iterable[bytes]]:
    """Each request from another address, because who is often wrong about a secret is not listened to; and
    with the switchboard as in the beginning, or soon there would be no members left to act on."""
    numbers = itertools.count(1)

    def from_another(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        _put_back(api)
        number = next(numbers)
        environ["REMOTE_ADDR"] = f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        return application(environ, start_response)

    return from_another


def filter_case(context: HookContext, case: Case[Any]) -> bool:
    """Leaves out what is wrong in a way that JSON Schema has no words for, while it is said to be right."""
    body: Any = case.body
    is_right = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if not (is_right and isinstance(body, dict)):
        return True
    memberships = [one for one in body.get("queues", ()) if isinstance(one, dict)]
    names = [one["queue"] for one in memberships]
    return (
        len(body.get("info", "").encode()) <= MAX_INFO_BYTES
        and all(len(one.get("reason", "").encode()) <= MAX_MEMBER_TEXT_BYTES for one in [body, *memberships])
        and len(names) == len(set(names))
    )


@pytest.mark.parametrize("role", [Role.MASTER, Role.SUPERVISOR, Role.AGENT])
def test_everything_is_as_described(api: ControlApp, role: Role) -> None:
    run = ask_for_everything(api, role)
    assert not run.problems, "\n\n".join(run.problems[:20])
    assert len(run.statuses) == len(OPERATIONS)
    told = [status for of in run.statuses.values() for status in of.elements()]
    assert not [status for status in told if status >= 500 or status == 429], run.statuses
    assert told.count(200) > 30, run.statuses
    assert api.board.actions


def test_nobody_gets_anything(api: ControlApp) -> None:
    run = ask_for_everything(api, None)
    assert not run.problems, "\n\n".join(run.problems[:20])
    assert len(run.statuses) == len(OPERATIONS)
    assert {status for of in run.statuses.values() for status in of} <= {401, 404, 405}
    assert api.board.actions == []


# --- each answer, once ----------------------------------------------------------------------------------

BOARD = "/v1/switchboards/milano"
MEMBER = "/queues/sales/members/1002"
CALLER = "/queues/sales/callers/5.1"

OPERATIONS: dict[str, tuple[str, str, Any]] = {
    "connection": ("GET", "/v1/connection", None),
    "me": ("GET", "/v1/me", None),
    "switchboards": ("GET", "/v1/switchboards", None),
    "state": ("GET", f"{BOARD}/state", None),
    "stream": ("GET", f"{BOARD}/stream", None),
    "pause": ("POST", f"{BOARD}/agents/1002/pause", {"reason": "Lunch"}),
    "unpause": ("POST", f"{BOARD}/agents/1002/unpause", {}),
    "put_member": ("PUT", BOARD + MEMBER, {"penalty": 3}),
    "patch_member": ("PATCH", BOARD + MEMBER, {"ring_in_use": True}),
    "change_priority": ("POST", f"{BOARD}{CALLER}/priority", {"priority": 5.0}),
    "withdraw": ("POST", f"{BOARD}{CALLER}/withdraw", {"info": "gone"}),
    "set_queues": (
        "PUT", f"{BOARD}/agents/1002/queues", {"queues": [{"queue": "sales"}, {"queue": "billing"}]},
    ),
    "delete_member": ("DELETE", BOARD + MEMBER, None),
}  # fmt: skip
"""Each operation as it can be done, one after the other."""

ACTIONS = [name for name, (method, _, _) in OPERATIONS.items() if method != "GET"]


def operation(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (
        about
        for methods in document["paths"].values()
        for about in methods.values()
        if about["operationId"] == name
    )
    return dict(found)


def ask(api: ControlApp, document: dict[str, Any], name: str, body: Any = None) -> tuple[int, Any]:
    """Do an operation as a master; its answer is as described."""
    method, path, usual = OPERATIONS[name]
    answer = api.client.open(
        path, method=method, headers=api.headers_of("master-1"), json=usual if body is None else body
    )
    described = operation(document, name)["responses"][str(answer.status_code)]
    assert list(described["content"]) == [answer.mimetype]
    for header, about in described.get("headers", {}).items():
        assert header in answer.headers or not about.get("required")
    schema = described["content"][answer.mimetype]["schema"] | {"components": document["components"]}
    if answer.mimetype == "application/json":
        Draft202012Validator(schema).validate(answer.json)
    answer.close()
    return answer.status_code, answer.json if answer.is_json else None


def test_the_description_is_openapi(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")
    described = {about["operationId"] for methods in document["paths"].values() for about in methods.values()}
    assert described == set(OPERATIONS)


def test_everything_in_the_description_is_explained(document: dict[str, Any]) -> None:
    assert set(MEANINGS) == set(ErrorId)
    for name in OPERATIONS:
        about = operation(document, name)
        assert about["summary"]
        assert about["security"][0] == {"bearer": []}
        assert all(parameter["description"] for parameter in about.get("parameters", ()))
        for status, answer in about["responses"].items():
            assert answer["description"], (name, status)
            assert not {"4XX", "5XX", "default"} & {status}


def test_objects_have_no_other_fields_than_those_described(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False, name


def test_each_operation_done(api: ControlApp, document: dict[str, Any]) -> None:
    answers = {name: ask(api, document, name) for name in OPERATIONS}
    assert {name: status for name, (status, _) in answers.items()} == dict.fromkeys(OPERATIONS, 200)
    assert {answers[name][1]["result"] for name in ACTIONS} == {"done", "accepted"}
    assert {action["action"] for action in api.board.actions} == {
        "QueueAdd", "QueueRemove", "QueuePause", "QueuePenalty", "QueueMemberRingInUse",
        "QueueChangePriorityCaller", "QueueWithdrawCaller",
    }  # fmt: skip


REFUSALS = {
    "Interface not found": (404, "not_found"),
    "Invalid/unknown command: that": (501, "not_supported"),
    "Permission denied": (502, "refused"),
}


@pytest.mark.parametrize("words", REFUSALS)
def test_each_action_refused_by_the_switchboard(
    api: ControlApp, document: dict[str, Any], words: str
) -> None:
    def refuse(action: Action) -> bytes:
        return response(action, "Error", Message=words)

    api.board.do(lambda: api.board.server.answers.update(dict.fromkeys(api.board.server.answers, refuse)))
    for name in ("pause", "put_member", "patch_member", "delete_member", "change_priority", "withdraw"):
        status, body = ask(api, document, name)
        assert (status, body["error"]["id"]) == REFUSALS[words], name
        assert body["error"]["detail"]["queues"]


def test_a_set_leaves_alone_what_the_person_who_chose_did_not_have_before_him(
    api: ControlApp, document: dict[str, Any]
) -> None:
    def asked(*among: str) -> list[tuple[str, str]]:
        chosen = {"queues": [{"queue": "billing"}], "among": list(among)}
        status, body = ask(api, document, "set_queues", chosen)
        assert status == 200
        return [(each["queue"], each["change"]) for each in body["queues"]]

    assert asked("billing", "no such queue") == [("billing", "add")]
    assert "pjsip/1002" in api.board.queues["sales"]
    assert ("sales", "remove") in asked("billing", "sales")
    assert "pjsip/1002" not in api.board.queues["sales"]


def test_other_answers(api: ControlApp, document: dict[str, Any]) -> None:
    assert ask(api, document, "unpause")[1]["error"]["id"] == "already_so"
    assert ask(api, document, "set_queues", {"queues": [{"queue": "sales"}]})[1]["result"] == "already_so"
    api.board.do(lambda: api.board.queues["sales"]["pjsip/1002"].update(dynamic=False))
    api.board.show()
    assert ask(api, document, "delete_member")[1]["error"]["id"] == "static_member"
    status, body = ask(api, document, "set_queues", {"queues": [{"queue": "billing"}]})
    assert (status, body["result"]) == (200, "partial")
    assert [each["result"] for each in body["queues"]] == ["done", "static_member"]
    api.board.show(up=False)
    assert ask(api, document, "pause")[1]["error"]["id"] == "no_state"
    api.board.do(api.board.server.stop)
    wait_until(lambda: not api.board.bridge.connections()["milano"].is_up, what="the loss is noticed")
    for name in ACTIONS:
        status, body = ask(api, document, name)
        assert (status, body["error"]["id"]) == (503, "not_connected"), name
    api.board.boards.replace({}, {})
    assert ask(api, document, "state")[1]["error"]["id"] == "no_state"
    assert ask(api, document, "stream")[1]["error"]["id"] == "no_state"


def test_no_answer(api: ControlApp, document: dict[str, Any]) -> None:
    api.board.do(lambda: api.board.server.answers.update(QueuePause=lambda action: None))
    status, body = ask(api, document, "pause")
    assert (status, body["error"]["id"]) == (504, "timed_out")


# --- the live state -------------------------------------------------------------------------------------

PIECE_BYTES = 4096
RECORDINGS = ("asterisk-16/member_actions", "asterisk-22/two_queues_same_call")


def states(name: str) -> Iterator[dict[str, Any]]:
    """The live state at many moments of a recording."""
    live = LiveSwitchboard("milano")
    told: list[dict[str, Any]] = []

    def pieces() -> Iterator[bytes]:
        data = recording(name)
        for start in range(0, len(data), PIECE_BYTES):
            yield data[start : start + PIECE_BYTES]
            told.append(live.document(live.state.as_of))

    Replay(live).play(pieces())
    return iter(told)


@pytest.mark.parametrize("role", Role)
def test_what_the_exporter_tells_is_as_described(document: dict[str, Any], role: Role) -> None:
    """At each moment of some recordings, as seen by each role."""
    scope = Scope.of([Part(ROLE_RIGHTS[role], Globs(), Globs(), own="1101")])
    schema = {"$ref": "#/components/schemas/LiveState", "components": document["components"]}
    validator = Draft202012Validator(schema)
    told: set[str] = set()
    for state in itertools.chain(*map(states, RECORDINGS)):
        shown = filtered(scope, state)
        validator.validate(shown)
        told |= {key for queue in shown["queues"].values() for key in queue if queue[key]}
    assert {"members", "waiting", "in_progress"} <= told or role is Role.AGENT
