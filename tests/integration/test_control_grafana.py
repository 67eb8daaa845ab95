"""The control API behind the app proxy of a real Grafana, reached as a browser reaches it.

What is told here of the proxy was seen with Grafana 10.1. That one signs no id tokens, and hands on those of
its client as they are; so the tokens are made here, with the issuer that Grafana would have.
"""

from __future__ import annotations

import html
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
import pytest

from tests.control_process import ControlProcess
from tests.control_stream import Stream
from tests.debian import ProgramUnavailable
from tests.exporter_process import ExporterProcess, Samples, of, parse_samples
from tests.grafana_keys import KEYS_PATH, GrafanaKeys, context_header
from tests.grafana_server import MAIN_ORG, ORG_HEADER, Browser, GrafanaServer, Headers, grafana_server
from tests.pbx.control_queues import NAME, QueueSwitchboard, member
from tests.pbx.pbx import wait_until
from tests.unit import ami

APP = "asterpanel-app"
PROXY = f"/api/plugin-proxy/{APP}/control"
ME = f"{PROXY}/v1/me"
CONNECTION = f"{PROXY}/v1/connection"
BOARD = f"{PROXY}/v1/switchboards/{NAME}"

PLUGIN = {
    "type": "app",
    "id": APP,
    "name": "Asterpanel",
    "info": {"version": "1.0.0", "updated": "2026-11-23", "author": {"name": "the tests"}},
    "dependencies": {"grafanaDependency": ">=10.0.0", "plugins": []},
    "routes": [
        {
            "path": "control/*",
            "reqRole": "Viewer",
            "url": "{{ .JsonData.apiUrl }}",
            "headers": [{"name": "Authorization", "content": "Bearer {{ .SecureJsonData.apiToken }}"}],
        }
    ],
}

PROFILES = {
    "tenants": {
        "default": {
            "profiles": {
                "sales": {
                    "switchboards": [NAME],
                    "queues": ["sales"],
                    "members": [
                        {"login": "anna", "role": "supervisor"},
                        {"email": "bruno@call.example", "role": "agent", "agent": "1002"},
                        {"login": "jörg", "role": "viewer"},
                        {"login": "sa-lly", "role": "viewer"},
                        {"login": "dora", "role": "master"},
                        {"login": "marta", "role": "master"},
                    ],
                }
            }
        }
    }
}
"""Dora is in another organisation; carla is in none of the profiles."""

CHANGES = 5
SOON_S = 2.0
"""An event that waits in a buffer comes with a heartbeat, if it comes at all."""

SLOW_S = 20.0


class WatchedSwitchboard(QueueSwitchboard):
    """One to which the exporter can log in as well: it lists its members, and tells of each change."""

    def show(self, **more: Any) -> None:
        super().show(**more)
        members = [(queue, one) for queue, members in self.queues.items() for one in members.values()]
        self.server.queue_status = [ami.queue_params(queue) for queue in self.queues]
        self.server.queue_status += [
            ami.queue_member(queue, one["interface"], **_fields(one)) for queue, one in members
        ]
        self.server.send(
            b"".join(
                ami.member_event(time.time(), "Pause", queue, one["interface"], **_fields(one))
                for queue, one in members
            )
        )


def _fields(one: Mapping[str, Any]) -> dict[str, ami.Value]:
    return {"Paused": int(one["paused"]), "PausedReason": one["pause_reason"], "Membership": "dynamic"}


@dataclass(frozen=True)
class House:
    """Everything that runs.

    Attributes:
        control: of the main organisation; it wants Grafana's word on the organisation.
        by_header: of the organisation `header_org`; it goes by the user header. Its annotations have a token
            that must not write any.
        other_org: whose app was given the secret of the main one.
    """

    grafana: GrafanaServer
    keys: GrafanaKeys
    board: WatchedSwitchboard
    control: ControlProcess
    by_header: ControlProcess
    header_org: int
    other_org: int

    def token(self, login: str, **changed: Any) -> str:
        """An id token as this Grafana would sign it if it did."""
        return self.keys.token(login, **{"iss": self.grafana.url, **changed})

    def paused(self, agent: str) -> bool:
        """As the switchboard has it."""
        return bool(self.board.queues["sales"][f"pjsip/{agent}"]["paused"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with ExitStack() as stack:
        try:
            grafana = stack.enter_context(_grafana(folder))
        except ProgramUnavailable as reason:
            pytest.skip(str(reason))
        yield _house(stack, folder, grafana)


def _grafana(folder: Path) -> AbstractContextManager[GrafanaServer]:
    """With the app, and everything on that could help a browser to cheat, or slow down a stream."""
    plugin = folder / "plugins" / APP
    plugin.mkdir(parents=True)
    (plugin / "plugin.json").write_text(json.dumps(PLUGIN), encoding="utf-8")
    (plugin / "module.js").write_text("define([], () => ({}));", encoding="utf-8")
    settings = {
        "server": {"enable_gzip": "true"},
        "dataproxy": {"send_user_header": "true"},
        "auth.anonymous": {"enabled": "true", "org_name": "Main Org.", "org_role": "Viewer"},
    }
    return grafana_server(folder / "grafana", plugin.parent, unsigned=[APP], settings=settings)


def _house(stack: ExitStack, folder: Path, grafana: GrafanaServer) -> House:
    keys = stack.enter_context(GrafanaKeys())
    sales = [member(f"PJSIP/{agent}") for agent in (1001, 1002, 1003, 1004)]
    board = WatchedSwitchboard({"sales": sales, "billing": [member("PJSIP/2001")]})
    stack.enter_context(board)
    user = {"username": board.server.username, "secret": board.server.secret}
    login = {"host": board.server.host, "port": board.server.port, **user}
    exporter = stack.enter_context(ExporterProcess(folder, {NAME: login}))

    def control(name: str, org_id: int, identity: list[str], role: str) -> ControlProcess:
        told = {
            "url": grafana.url,
            "keys_url": keys.url.rstrip("/") + KEYS_PATH,
            "org_id": org_id,
            "identity": identity,
            "annotation_token": grafana.service_account(f"audit of {name}", role, org_id),
        }
        switchboards = {NAME: {**login, "control": user}}
        return stack.enter_context(
            ControlProcess(folder / name, switchboards, exporter=exporter, profiles=PROFILES, grafana=told)
        )

    header_org, other_org = grafana.make_org("Names by header"), grafana.make_org("Another customer")
    main = control("main", MAIN_ORG, ["id_token", "context"], "Editor")
    by_header = control("by-header", header_org, ["user_header"], "Viewer")
    for org_id, api in ((MAIN_ORG, main), (header_org, by_header), (other_org, main)):
        address = f"http://127.0.0.1:{api.port}"
        grafana.configure_app(APP, {"apiUrl": address}, {"apiToken": api.route_secret}, org_id)
    _make_people(grafana, header_org, other_org)
    for api in (main, by_header):
        wait_until(partial(_is_ready, api), SLOW_S, "the control API is ready")
    return House(grafana, keys, board, main, by_header, header_org, other_org)


def _make_people(grafana: GrafanaServer, header_org: int, other_org: int) -> None:
    for login in ("anna", "carla", "jörg", "marta", "sa-lly"):
        grafana.make_user(login)
    grafana.make_user("bruno", "Bruno@call.example")
    grafana.make_user("dora", org_id=other_org)
    for login in ("anna", "sa-lly"):
        grafana.add_to_org(login, header_org)
    grafana.add_to_org("anna", other_org)


def _is_ready(control: ControlProcess) -> bool:
    return control.ask("GET", "/readyz").status == 200


@pytest.fixture(scope="module")
def anna(house: House) -> Browser:
    """A supervisor's browser."""
    return house.grafana.browser("anna")


def refusals(control: ControlProcess) -> list[str]:
    """Why requests were not believed, by the log."""
    lines = map(json.loads, control.log.read_text(encoding="utf-8").splitlines())
    messages = [line["message"] for line in lines if "unauthenticated request" in line["message"]]
    return [message.partition("reason=")[2].partition(" ")[0] for message in messages]


def samples(control: ControlProcess) -> Samples:
    return parse_samples(control.ask("GET", "/metrics").body)


def assert_refused(
    control: ControlProcess, reason: str, browser: Browser, *headers: tuple[str, str], org_id: int = MAIN_ORG
) -> None:
    """A request with these headers is refused by the control API, and for this reason."""
    before = len(refusals(control))
    answer = browser.ask("GET", ME, headers=[(ORG_HEADER, str(org_id)), *headers])
    assert (answer.status, answer.json.get("error", {}).get("id")) == (401, "unauthenticated"), answer.text
    assert refusals(control)[before:] == [reason]


# --- who it is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "roles", "agent"),
    [
        ("anna", ["supervisor"], ""),
        ("bruno", ["agent"], "1002"),
        ("jörg", ["viewer"], ""),
        ("carla", [], None),
    ],
)
def test_the_profile_has_users_by_login_or_email(
    house: House, login: str, roles: list[str], agent: str | None
) -> None:
    answer = house.grafana.browser(login).ask("GET", ME)
    assert answer.status == 200, answer.text
    me = answer.json
    assert (me["login"], me["name"], me["tenant"], me["via"]) == (login, login.title(), "default", "context")
    assert me["roles"] == roles
    assert [(board["name"], board["agent"]) for board in me["switchboards"]] == (
        [] if agent is None else [(NAME, agent)]
    )


def test_by_the_user_header(house: House, anna: Browser) -> None:
    answer = anna.ask("GET", ME, headers=[(ORG_HEADER, str(house.header_org))])
    assert answer.status == 200, answer.text
    assert (answer.json["login"], answer.json["via"], answer.json["roles"]) == (
        "anna", "user_header", ["supervisor"],
    )  # fmt: skip


def test_by_an_id_token(house: House, anna: Browser) -> None:
    answer = anna.ask("GET", ME, headers=[("X-Grafana-Id", house.token("anna"))])
    assert (answer.status, answer.json["login"], answer.json["via"]) == (200, "anna", "id_token")


def test_users_of_another_organisation_are_refused(house: House, anna: Browser) -> None:
    """Even if its app was given this one's secret."""
    main, other, dora = house.control, house.other_org, house.grafana.browser("dora")
    assert_refused(main, "other_org", dora, org_id=other)
    assert_refused(main, "other_org", anna, org_id=other)
    token = house.token("anna", aud=[f"org:{other}"])
    assert_refused(main, "other_org", anna, ("X-Grafana-Id", token), org_id=other)
    # Grafana itself lets nobody into an organisation that is not his own.
    assert dora.ask("GET", ME, headers=[(ORG_HEADER, str(MAIN_ORG))]).status in (401, 403)


def test_who_is_no_user_is_refused(house: House) -> None:
    assert_refused(house.control, "not_a_user", house.grafana.stranger())
    for org_id, control in ((MAIN_ORG, house.control), (house.header_org, house.by_header)):
        token = house.grafana.service_account(f"robot {org_id}", "Viewer", org_id)
        robot = Browser(house.grafana.url, [("Authorization", f"Bearer {token}")])
        assert_refused(control, "not_a_user", robot, org_id=org_id)


def test_a_user_who_is_called_like_a_service_account(house: House) -> None:
    """The context tells him from one, the user header does not."""
    sally = house.grafana.browser("sa-lly")
    assert sally.ask("GET", ME).json["login"] == "sa-lly"
    assert_refused(house.by_header, "not_a_user", sally, org_id=house.header_org)


# --- what the configuration page is told ---------------------------------------------------------------


def test_the_connection_is_told_with_what_is_wrong(house: House, anna: Browser) -> None:
    well = anna.ask("GET", CONNECTION).json
    assert (well["tenant"], well["profiles"], well["switchboards"]) == ("default", 1, 1)
    assert well["exporter"] == {"connected": True}
    assert well["identity"] == {
        "accepted": ["id_token", "context"], "found": ["context", "user_header"], "believed": True,
        "via": "context", "login": "anna",
    }  # fmt: skip
    assert house.grafana.browser("carla").ask("GET", CONNECTION).json["profiles"] == 0
    assert _problem(anna, ("Connection", "X-Grafana-Context")) == (False, "no_identity")
    assert _problem(anna, (ORG_HEADER, str(house.other_org))) == (False, "other_org")
    assert _problem(house.grafana.stranger()) == (False, "not_a_user")
    now = int(time.time()) + 3600
    early = anna.ask(
        "GET", CONNECTION, headers=[("X-Grafana-Id", house.token("anna", iat=now, exp=now + 600))]
    )
    assert early.json["identity"]["reason"] == "invalid_id_token"
    assert early.json["identity"]["clock_offset_s"] == pytest.approx(-3600, abs=SLOW_S)


def _problem(browser: Browser, *headers: tuple[str, str]) -> tuple[bool, str]:
    identity = browser.ask("GET", CONNECTION, headers=list(headers)).json["identity"]
    return identity["believed"], identity["reason"]


# --- who it is not ----------------------------------------------------------------------------------------


MARTA = context_header("marta", UserID=1, OrgRole="Admin", IsGrafanaAdmin=True)

OVERWRITTEN: list[Headers] = [
    [("X-Grafana-Context", MARTA)],
    [("X-Grafana-Context", MARTA), ("x-grafana-context", MARTA)],
    [("X-Grafana-User", "marta")],
    [("X-Grafana-User", "marta"), ("x-grafana-user", "marta")],
    [("X_Grafana_Context", MARTA), ("X_Grafana_User", "marta"), ("X_Grafana_Id", "marta")],
    [("X-WEBAUTH-USER", "marta"), ("X-Forwarded-User", "marta"), ("Remote-User", "marta")],
]
"""What a browser may send without any effect."""


@pytest.mark.parametrize("sent", OVERWRITTEN)
def test_headers_of_the_browser_do_not_count(house: House, anna: Browser, sent: Headers) -> None:
    for org_id in (MAIN_ORG, house.header_org):
        answer = anna.ask("GET", ME, headers=[*sent, (ORG_HEADER, str(org_id))])
        assert (answer.status, answer.json.get("login")) == (200, "anna"), answer.text


def test_headers_that_the_browser_has_removed_leave_no_identity(house: House, anna: Browser) -> None:
    """Those that `Connection` names end at the proxy, whoever has set them."""
    spoofed = [("X-Grafana-Context", MARTA), ("X-Grafana-User", "marta")]
    for name, reason, org_id, control in (
        ("X-Grafana-Context", "no_identity", MAIN_ORG, house.control),
        ("X-Grafana-User", "no_identity", house.header_org, house.by_header),
        ("Authorization", "no_credentials", MAIN_ORG, house.control),
    ):
        assert_refused(control, reason, anna, ("Connection", name), org_id=org_id)
        assert_refused(control, reason, anna, ("Connection", name), *spoofed, org_id=org_id)
    answer = anna.ask("GET", ME, headers=[("Connection", "X-Grafana-Id"), ("X-Grafana-Id", "forged")])
    assert (answer.status, answer.json["login"]) == (200, "anna")


def test_id_tokens_of_the_browser_are_verified_and_must_be_his_own(house: House, anna: Browser) -> None:
    now = int(time.time())
    claims = house.keys.claims("anna", iss=house.grafana.url)
    with GrafanaKeys() as another:
        forged = another.token("anna", iss=house.grafana.url)
    for tokens, reason in (
        (["no token"], "invalid_id_token"),
        ([forged], "invalid_id_token"),
        ([jwt.encode(claims, "", "none", {"kid": "id-1"})], "invalid_id_token"),
        ([house.token("anna", iat=now - 1200, exp=now - 600)], "invalid_id_token"),
        ([house.token("anna", iss="http://grafana.example/")], "invalid_id_token"),
        ([house.token("anna", aud=["org:7"])], "other_org"),
        ([house.token("robot", type="service-account", sub="service-account:9")], "not_a_user"),
        ([house.token("marta")], "contradiction"),
        ([house.token("anna"), house.token("anna")], "invalid_id_token"),
    ):
        assert_refused(house.control, reason, anna, *(("X-Grafana-Id", token) for token in tokens))


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "Other"])
def test_a_bearer_token_of_the_browser_does_not_pass_grafana(
    house: House, anna: Browser, scheme: str
) -> None:
    made = house.control.command(
        "token", "create", f"with-{scheme}".lower(), "--role", "master", "--expires", "1h"
    )
    assert made.returncode == 0, made.stderr
    before = len(refusals(house.control))
    answer = anna.ask("GET", ME, headers=[("Authorization", f"{scheme} {made.stdout.strip()}")])
    assert (answer.status, "error" in answer.json) == (401, False), answer.text
    assert len(refusals(house.control)) == before


def test_the_secret_stays_on_the_server(house: House, anna: Browser) -> None:
    for path in (f"/api/plugins/{APP}/settings", ME, "/api/frontend/settings"):
        answer = anna.ask("GET", path)
        assert answer.status == 200
        assert house.control.route_secret not in answer.text + str(answer.headers)


# --- what passes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["caffè", "50%", "100%25", "a b+c", "what?", "#1", "a;b,c", "Ω'\"<"])
def test_names_arrive_as_they_are(anna: Browser, name: str) -> None:
    answer = anna.ask("GET", f"{BOARD[: -len(NAME)]}{quote(name, safe='')}/state?x=1")
    assert (answer.status, answer.json["error"]["detail"]) == (404, {"switchboard": name}), answer.text


def test_an_action_and_its_annotation(house: House, anna: Browser) -> None:
    body = {"reason": "Lunch <b>& more</b>"}
    answer = anna.ask("POST", f"{BOARD}/agents/1001/pause", body)
    assert (answer.status, answer.json.get("result")) == (200, "done"), answer.text
    assert house.paused("1001")
    text = "Anna: pause 1001 (Lunch <b>& more</b>): done"
    wait_until(lambda: bool(house.grafana.annotations("action:pause")), SLOW_S, "Grafana has the annotation")
    [annotation] = house.grafana.annotations("action:pause")
    assert annotation["text"] == html.escape(text, quote=False)
    assert sorted(annotation["tags"]) == [
        "action:pause", "agent:1001", "asterpanel", "result:done", f"switchboard:{NAME}",
    ]  # fmt: skip
    assert abs(annotation["time"] / 1000 - house.control.audit()[-1]["acted_at"]) < 0.001
    for org_id in (house.header_org, house.other_org):
        assert house.grafana.annotations("asterpanel", org_id) == []
    assert anna.ask("POST", f"{BOARD}/agents/1001/unpause", {}).json["result"] == "done"
    assert not house.paused("1001")


def test_a_denial_is_annotated_too(house: House) -> None:
    bruno = house.grafana.browser("bruno")
    answer = bruno.ask("POST", f"{BOARD}/queues/sales/members/1002", {}, [("X-HTTP-Method-Override", "PUT")])
    assert answer.status == 405
    answer = bruno.ask("PUT", f"{BOARD}/queues/sales/members/1002", {"penalty": 3})
    assert (answer.status, answer.json["error"]["id"]) == (403, "forbidden"), answer.text
    wait_until(
        lambda: bool(house.grafana.annotations("result:forbidden")), SLOW_S, "Grafana has the annotation"
    )
    [annotation] = house.grafana.annotations("result:forbidden")
    assert "action:put_member" in annotation["tags"]
    assert annotation["text"].startswith("Bruno: put member 1002 in sales")


def test_other_sites_cannot_act(house: House, anna: Browser) -> None:
    """Whose pages make the browser send its cookie: Grafana looks at the origin, the API wants JSON."""
    seen = len(house.board.actions)
    path = f"{BOARD}/agents/1003/pause"
    answer = anna.ask("POST", path, {}, [("Origin", "http://elsewhere.example")])
    assert (answer.status, "error" in answer.text) == (403, False), answer.text
    answer = anna.ask("POST", path, {}, [("Content-Type", "application/x-www-form-urlencoded")])
    assert (answer.status, answer.json["error"]["id"]) == (415, "not_json"), answer.text
    assert len(house.board.actions) == seen
    assert not house.paused("1003")


def test_a_stream_comes_event_by_event_and_ends_with_its_reader(house: House, anna: Browser) -> None:
    bruno = house.grafana.browser("bruno")
    took = []
    headers = dict([*anna.headers, ("Accept", "text/event-stream"), ("Accept-Encoding", "gzip")])
    with Stream(house.grafana.port, f"{BOARD}/stream", headers) as stream:
        assert of(samples(house.control), "asterpanel_control_streams") == 1
        for change in range(CHANGES):
            pause = change % 2 == 0
            began = time.monotonic()
            path = f"{BOARD}/agents/1002/{'pause' if pause else 'unpause'}"
            assert bruno.ask("POST", path, {}).json["result"] == "done"
            seen = stream.seen_after(began, lambda document: _is_paused(document) == pause, SLOW_S)  # noqa: B023
            assert seen is not None, f"change {change} did not come: {stream.document}"
            took.append(seen)
        assert stream.heartbeat["stale"] is False
        assert not stream.wait_end(0.0)
    print("stream through the proxy, from the click:", [round(seconds, 3) for seconds in took])
    assert min(took) < SOON_S, took
    wait_until(
        lambda: of(samples(house.control), "asterpanel_control_streams") == 0, SLOW_S, "the stream has ended"
    )


def _is_paused(document: Mapping[str, Any]) -> bool:
    return bool(document["agents"]["1002"]["paused"])


def test_without_the_right_to_annotate_everything_else_works(house: House, anna: Browser) -> None:
    there = [(ORG_HEADER, str(house.header_org))]
    answer = anna.ask("POST", f"{BOARD}/agents/1004/pause", {}, there)
    assert answer.json["result"] == "done"
    wait_until(
        lambda: "grafana of default takes no entries" in house.by_header.tail(), SLOW_S, "the log tells"
    )
    assert "403" in house.by_header.tail()
    wait_until(lambda: of(samples(house.by_header), "asterpanel_control_audit_waiting") == 1, SLOW_S)
    assert anna.ask("POST", f"{BOARD}/agents/1004/unpause", {}, there).json["result"] == "done"
    assert [line["audit"] for line in house.by_header.audit()[-2:]] == ["pause", "unpause"]
    assert house.grafana.annotations("asterpanel", house.header_org) == []
