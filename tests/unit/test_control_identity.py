"""Whose request it is: every form of identity, and every way in which it must not be believed."""

from __future__ import annotations

import base64
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import EnvironHeaders, Headers

from asterpanel_control_api.access.rights import Role
from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.identity import signing_keys
from asterpanel_control_api.identity.authentication import Authenticator
from asterpanel_control_api.identity.grafana_id import CLOCK_SKEW_S
from asterpanel_control_api.identity.refusals import Reason, Refused, Unauthenticated
from asterpanel_control_api.identity.signing_keys import FRESH_S, MAX_AGE_S, RETRY_S, SigningKeys
from asterpanel_control_api.identity.tokens import Tokens, add_token, make_token
from asterpanel_control_api.people import Person, Via
from asterpanel_switchboard.config import ControlApiConfig, Service, load_config
from tests.grafana_keys import KEYS_PATH, GrafanaKeys, context_header, grafana_keys, send

ROUTE = "route-secret-of-default"
ACME_ROUTE = "route-secret-of-acme"
PEER = "127.0.0.1"


@pytest.fixture(scope="module")
def grafana() -> Iterator[GrafanaKeys]:
    """One whose keys stay as they are."""
    with grafana_keys() as server:
        yield server


def settings(folder: Path, url: str, identity: str = "id_token, context") -> ControlApiConfig:
    path = folder / "asterpanel.yml"
    grafana = f"url: '{url}', identity: [{identity}]"
    path.write_text(
        "switchboards:\n"
        "  milano: {host: 127.0.0.1, username: a, secret_env: ROUTE}\n"
        "control_api:\n"
        "  tenants:\n"
        f"    default: {{route_secret_env: ROUTE, grafana: {{{grafana}}}}}\n"
        f"    acme: {{route_secret_env: ACME, grafana: {{{grafana}, org_id: 2}}}}\n"
    )
    config = load_config(path, {"ROUTE": ROUTE, "ACME": ACME_ROUTE}, for_service=Service.CONTROL_API)
    assert config.control_api is not None
    return config.control_api


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    return tmp_path / "control-tokens.json"


Ask = Callable[..., Person]


@pytest.fixture
def ask(tmp_path: Path, grafana: GrafanaKeys) -> Ask:
    """Who it is by these headers; for an authenticator that accepts what is in `identity`."""
    authenticators: dict[str, Authenticator] = {}

    def person(
        headers: Mapping[str, str] | list[tuple[str, str]], identity: str = "id_token, context"
    ) -> Person:
        if identity not in authenticators:
            api = settings(tmp_path, grafana.url, identity)
            authenticators[identity] = Authenticator(api, Tokens(api.tokens_file, time.time))
        return authenticators[identity].person(Headers(headers), PEER)

    return person


def bearer(secret: str = ROUTE, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"} | {
        f"X-Grafana-{name.title()}": value for name, value in more.items()
    }


def refusal(ask: Ask, headers: Mapping[str, str] | list[tuple[str, str]], **more: str) -> Reason:
    with pytest.raises(Unauthenticated) as caught:
        ask(headers, **more)
    assert caught.value.id is ErrorId.UNAUTHENTICATED
    assert caught.value.body == {
        "error": {
            "id": "unauthenticated",
            "message": "Not authenticated: open Asterpanel from Grafana, or send a valid bearer token.",
            "detail": {},
        }
    }
    assert caught.value.__suppress_context__
    return caught.value.reason


class TestBelieved:
    def test_an_id_token(self, ask: Ask, grafana: GrafanaKeys) -> None:
        expires_at = int(time.time()) + 100
        assert ask(bearer(id=grafana.token("anna", exp=expires_at))) == Person(
            tenant="default",
            subject="grafana:anna",
            login="anna",
            email="anna@example.com",
            name="Anna",
            via=Via.ID_TOKEN,
            until=expires_at + CLOCK_SKEW_S,
        )

    def test_the_secret_tells_the_tenant(self, ask: Ask, grafana: GrafanaKeys) -> None:
        assert ask(bearer(ACME_ROUTE, id=grafana.token(aud=["org:2"]))).tenant == "acme"
        assert refusal(ask, bearer(ACME_ROUTE, id=grafana.token())) is Reason.OTHER_ORG

    def test_the_context_header(self, ask: Ask) -> None:
        person = ask(bearer(context=context_header("jürgen", Name="Jürgen Ö.")))
        assert (person.login, person.name, person.via) == ("jürgen", "Jürgen Ö.", Via.CONTEXT)

    def test_the_user_header_where_it_is_accepted(self, ask: Ask) -> None:
        person = ask(bearer(user="jürgen".encode().decode("latin-1")), identity="user_header")
        assert (person.login, person.email, person.name) == ("jürgen", "", "jürgen")
        assert person.via is Via.USER_HEADER

    def test_the_strongest_of_several(self, ask: Ask, grafana: GrafanaKeys) -> None:
        headers = bearer(id=grafana.token("anna"), context=context_header("Anna"), user="ANNA")
        assert ask(headers, identity="user_header, context, id_token").via is Via.ID_TOKEN
        assert ask(headers, identity="user_header, context").via is Via.CONTEXT

    def test_scheme_and_headers_in_any_case(self, ask: Ask, grafana: GrafanaKeys) -> None:
        assert ask({"authorization": f"bEARER {ROUTE}", "x-grafana-id": grafana.token()}).login == "anna"

    def test_clocks_that_are_a_little_apart(self, ask: Ask, grafana: GrafanaKeys) -> None:
        now = int(time.time())
        assert ask(bearer(id=grafana.token(exp=now - 20))).login == "anna"
        assert ask(bearer(id=grafana.token(iat=now + 20, nbf=now + 20))).login == "anna"

    @pytest.mark.parametrize("aud", ["org:1", ["org:1"]])
    def test_issuer_with_and_without_its_slash(self, ask: Ask, grafana: GrafanaKeys, aud: object) -> None:
        assert ask(bearer(id=grafana.token(iss=grafana.url.rstrip("/"), aud=aud))).login == "anna"

    def test_a_doubtful_address_is_left_out(self, ask: Ask, grafana: GrafanaKeys) -> None:
        person = ask(bearer(id=grafana.token(email="a@x\nb@y", name="\u202eanna")))
        assert (person.email, person.name) == ("", "anna")


class TestIdTokens:
    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"exp": 1_000_000_000}, Reason.INVALID_ID_TOKEN),
            ({"exp": None}, Reason.INVALID_ID_TOKEN),
            ({"exp": "soon"}, Reason.INVALID_ID_TOKEN),
            ({"exp": float("inf")}, Reason.INVALID_ID_TOKEN),
            ({"exp": float("nan")}, Reason.INVALID_ID_TOKEN),
            ({"exp": 10**400}, Reason.INVALID_ID_TOKEN),
            ({"exp": 4_000_000_000}, Reason.INVALID_ID_TOKEN),
            ({"iat": 4_000_000_000}, Reason.INVALID_ID_TOKEN),
            ({"iat": None}, Reason.INVALID_ID_TOKEN),
            ({"nbf": 4_000_000_000}, Reason.INVALID_ID_TOKEN),
            ({"iss": "https://grafana.evil/"}, Reason.INVALID_ID_TOKEN),
            ({"iss": None}, Reason.INVALID_ID_TOKEN),
            ({"iss": ["http://127.0.0.1/"]}, Reason.INVALID_ID_TOKEN),
            ({"aud": ["org:2"]}, Reason.OTHER_ORG),
            ({"aud": "org:11"}, Reason.OTHER_ORG),
            ({"aud": ["org:1", "org:2"]}, Reason.OTHER_ORG),
            ({"aud": []}, Reason.INVALID_ID_TOKEN),
            ({"aud": None}, Reason.INVALID_ID_TOKEN),
            ({"aud": {"org:1": 1}}, Reason.OTHER_ORG),
            ({"sub": None}, Reason.INVALID_ID_TOKEN),
            ({"sub": 2}, Reason.INVALID_ID_TOKEN),
            ({"sub": "service-account:2"}, Reason.NOT_A_USER),
            ({"type": "service-account"}, Reason.NOT_A_USER),
            ({"type": "anonymous", "sub": "anonymous:0"}, Reason.NOT_A_USER),
            ({"type": None}, Reason.NOT_A_USER),
            ({"username": None}, Reason.INVALID_ID_TOKEN),
            ({"username": ""}, Reason.INVALID_ID_TOKEN),
            ({"username": "anna\r\nAction: Originate"}, Reason.INVALID_ID_TOKEN),
            ({"username": "anna,bob"}, Reason.INVALID_ID_TOKEN),
            ({"username": "\ud800"}, Reason.INVALID_ID_TOKEN),
            ({"username": ["anna"]}, Reason.INVALID_ID_TOKEN),
            ({"username": "a" * 191}, Reason.INVALID_ID_TOKEN),
        ],
    )  # fmt: skip
    def test_signed_but_not_for_us(
        self, ask: Ask, grafana: GrafanaKeys, changed: dict[str, Any], reason: Reason
    ) -> None:
        assert refusal(ask, bearer(id=grafana.token(**changed))) is reason

    def test_a_replay_after_it_has_expired(self, ask: Ask, grafana: GrafanaKeys) -> None:
        now = int(time.time())
        replayed = grafana.token(iat=now - 631, exp=now - 31)
        assert refusal(ask, bearer(id=replayed)) is Reason.INVALID_ID_TOKEN

    @pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, 1, [], "HS256", "ES384"])
    def test_a_header_that_chooses_another_algorithm(
        self, ask: Ask, grafana: GrafanaKeys, alg: object
    ) -> None:
        header = {"alg": alg, "typ": "JWT", "kid": "id-1"}
        for signature in ("", "AAAA", grafana.token().rpartition(".")[2]):
            forged = f"{part(header)}.{part(grafana.claims('root'))}.{signature}"
            assert refusal(ask, bearer(id=forged)) is Reason.INVALID_ID_TOKEN

    def test_the_public_key_as_a_shared_secret(self, ask: Ask, grafana: GrafanaKeys) -> None:
        import hashlib
        import hmac

        public = grafana.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        for key in (public, public.strip(), json.dumps(grafana.key_set()["keys"][0]).encode()):
            signed = f"{part({'alg': 'HS256', 'kid': 'id-1'})}.{part(grafana.claims('root'))}"
            signature = b64(hmac.digest(key, signed.encode(), hashlib.sha256))
            assert refusal(ask, bearer(id=f"{signed}.{signature}")) is Reason.INVALID_ID_TOKEN

    def test_a_key_of_somebody_else_under_the_right_name(self, ask: Ask, grafana: GrafanaKeys) -> None:
        own = ec.generate_private_key(ec.SECP256R1())
        public = jwt.algorithms.ECAlgorithm.to_jwk(own.public_key(), as_dict=True)
        for headers in (
            {"kid": "id-1"},
            {"kid": "id-1", "jwk": public},
            {"kid": "id-1", "jku": "http://127.0.0.1:1/"},
        ):
            forged = jwt.encode(grafana.claims("root"), own, algorithm="ES256", headers=headers)
            assert refusal(ask, bearer(id=forged)) is Reason.INVALID_ID_TOKEN

    @pytest.mark.parametrize("key_id", [None, "", "id-2", "../../etc/passwd", 1, [], {"a": 1}, "x" * 5000])
    def test_no_key_or_an_unknown_one(self, ask: Ask, grafana: GrafanaKeys, key_id: object) -> None:
        header = {"alg": "ES256"} | ({} if key_id is None else {"kid": key_id})
        signed = f"{part(header)}.{part(grafana.claims('root'))}"
        assert refusal(ask, bearer(id=f"{signed}.{b64(b'0' * 64)}")) is Reason.INVALID_ID_TOKEN

    def test_another_of_grafana_s_keys(self, tmp_path: Path) -> None:
        with grafana_keys() as grafana:
            grafana.add_key("id-2")
            api = settings(tmp_path, grafana.url)
            ask = Authenticator(api, Tokens(api.tokens_file, time.time))
            forged = jwt.encode(
                grafana.claims(), grafana.private_keys["id-2"], algorithm="ES256", headers={"kid": "id-1"}
            )
            with pytest.raises(Unauthenticated):
                ask.person(Headers(bearer(id=forged)), PEER)

    def test_a_changed_claim(self, ask: Ask, grafana: GrafanaKeys) -> None:
        header, _, signature = grafana.token().split(".")
        forged = f"{header}.{part(grafana.claims('root'))}.{signature}"
        assert refusal(ask, bearer(id=forged)) is Reason.INVALID_ID_TOKEN

    @pytest.mark.parametrize(
        "token", ["", " ", "a", "a.b.c", "..", "e30.e30.e30", "é.é.é", "W10.W10.W10", "A" * 9000]
    )
    def test_no_token_at_all(self, ask: Ask, token: str) -> None:
        assert refusal(ask, bearer(id=token)) is Reason.INVALID_ID_TOKEN


class TestContext:
    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"OrgID": 2}, Reason.OTHER_ORG),
            ({"OrgID": "1"}, Reason.OTHER_ORG),
            ({"OrgID": True}, Reason.OTHER_ORG),
            ({"OrgID": 1.0}, Reason.OTHER_ORG),
            ({"OrgID": None}, Reason.OTHER_ORG),
            ({"IsAnonymous": True}, Reason.NOT_A_USER),
            ({"IsAnonymous": None}, Reason.NOT_A_USER),
            ({"IsAnonymous": 0}, Reason.NOT_A_USER),
            ({"IsServiceAccount": True}, Reason.NOT_A_USER),
            ({"IsDisabled": True}, Reason.NOT_A_USER),
            ({"ApiKeyID": 3}, Reason.NOT_A_USER),
            ({"UserID": 0}, Reason.NOT_A_USER),
            ({"UserID": None}, Reason.NOT_A_USER),
            ({"Login": ""}, Reason.INVALID_CONTEXT),
            ({"Login": None}, Reason.INVALID_CONTEXT),
            ({"Login": "a\nb"}, Reason.INVALID_CONTEXT),
        ],
    )
    def test_not_a_user_of_this_organisation(self, ask: Ask, changed: dict[str, Any], reason: Reason) -> None:
        assert refusal(ask, bearer(context=context_header(**changed))) is reason

    @pytest.mark.parametrize(
        "header",
        ["", "null", "[]", "anna", "{", '{"Login":"anna"', "[" * 30000, "é", "\xff\xfe", "{}" + " " * 40000,
         '{"Login":"anna","Login":"root"}', "NaN"],
    )  # fmt: skip
    def test_no_context(self, ask: Ask, header: str) -> None:
        assert refusal(ask, bearer(context=header)) is Reason.INVALID_CONTEXT

    def test_two_contexts_joined_as_wsgi_does(self, ask: Ask) -> None:
        joined = f"{context_header('root')},{context_header('anna')}"
        assert refusal(ask, bearer(context=joined)) is Reason.INVALID_CONTEXT


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", Reason.INVALID_USER_HEADER),
        ("anna,root", Reason.INVALID_USER_HEADER),
        ("anna\x00", Reason.INVALID_USER_HEADER),
        ("\xff", Reason.INVALID_USER_HEADER),
        ("anna\u20ac", Reason.INVALID_USER_HEADER),
        ("sa-1-automation", Reason.NOT_A_USER),
        ("SA-automation", Reason.NOT_A_USER),
    ],
)
def test_user_headers_that_name_nobody(ask: Ask, header: str, reason: Reason) -> None:
    assert refusal(ask, bearer(user=header), identity="user_header") is reason


class TestTheSecretComesFirst:
    @pytest.mark.parametrize(
        "authorization",
        [
            None, "", "Bearer", "Bearer ", "Bearer  ", ROUTE, f"Basic {ROUTE}", f"Bearer {ROUTE}x",
            f"Bearer {ROUTE[:-1]}", f"Bearer {ROUTE} ", f"Bearer  {ROUTE}", f"Bearer {ROUTE.upper()}",
            f"Bearer {ROUTE},Bearer {ROUTE}", "Bearer é", "Bearer \ud800", "Bearer " + "x" * 5000,
            "Bearer **********", "Bearer ast_", "Bearer ast__", "Bearer ast_default_",
        ],
    )  # fmt: skip
    def test_no_header_is_believed_without_it(
        self, ask: Ask, grafana: GrafanaKeys, authorization: str | None
    ) -> None:
        identity = {
            "X-Grafana-Id": grafana.token(),
            "X-Grafana-Context": context_header(),
            "X-Grafana-User": "anna",
        }
        headers = identity if authorization is None else identity | {"Authorization": authorization}
        assert refusal(ask, headers, identity="id_token, context, user_header") in (
            Reason.NO_CREDENTIALS,
            Reason.UNKNOWN_SECRET,
        )

    def test_two_of_them(self, ask: Ask) -> None:
        headers = [
            ("Authorization", f"Bearer {ROUTE}"),
            ("Authorization", f"Bearer {ROUTE}"),
            ("X-Grafana-Context", context_header()),
        ]
        assert refusal(ask, headers) is Reason.NO_CREDENTIALS

    def test_the_secret_alone_is_nobody(self, ask: Ask) -> None:
        assert refusal(ask, bearer()) is Reason.NO_IDENTITY

    def test_organisation_and_role_headers_say_nothing(self, ask: Ask) -> None:
        headers = bearer() | {"X-Grafana-Org-Id": "1", "X-WEBAUTH-USER": "anna", "X-Forwarded-User": "anna"}
        assert refusal(ask, headers) is Reason.NO_IDENTITY


class TestNoFallBack:
    """What somebody gains who adds a header to his request through Grafana, or has one removed."""

    def test_a_wrong_token_beside_a_right_context(self, ask: Ask, grafana: GrafanaKeys) -> None:
        headers = bearer(id=grafana.token(exp=1_000_000_000), context=context_header())
        assert refusal(ask, headers) is Reason.INVALID_ID_TOKEN

    def test_a_stolen_token_beside_one_s_own_context(self, ask: Ask, grafana: GrafanaKeys) -> None:
        headers = bearer(id=grafana.token("boss"), context=context_header("anna"))
        assert refusal(ask, headers) is Reason.CONTRADICTION

    def test_a_stolen_token_beside_an_anonymous_context(self, ask: Ask, grafana: GrafanaKeys) -> None:
        headers = bearer(id=grafana.token("anna"), context=context_header("anna", IsAnonymous=True))
        assert refusal(ask, headers) is Reason.NOT_A_USER

    def test_a_context_and_another_user_header(self, ask: Ask) -> None:
        headers = bearer(context=context_header("anna"), user="boss")
        assert refusal(ask, headers, identity="context, user_header") is Reason.CONTRADICTION

    def test_removed_is_not_there(self, ask: Ask) -> None:
        """`Connection: X-Grafana-Id` where only the signed form counts."""
        headers = bearer(context=context_header(), user="anna")
        assert refusal(ask, headers, identity="id_token") is Reason.NO_IDENTITY

    def test_a_form_that_is_not_accepted_is_not_looked_at(self, ask: Ask, grafana: GrafanaKeys) -> None:
        headers = bearer(id=grafana.token("anna"), user="boss", context="nonsense")
        assert ask(headers, identity="id_token").login == "anna"

    @pytest.mark.parametrize("name", ["X-Grafana-Id", "X-Grafana-Context", "X-Grafana-User"])
    def test_the_same_header_twice(self, ask: Ask, grafana: GrafanaKeys, name: str) -> None:
        values = {
            "X-Grafana-Id": grafana.token(),
            "X-Grafana-Context": context_header(),
            "X-Grafana-User": "anna",
        }
        headers = [*bearer().items(), (name, values[name]), (name, values[name])]
        assert refusal(ask, headers, identity="id_token, context, user_header") is Reason.CONTRADICTION


class TestPrograms:
    def test_a_token_is_a_person_of_its_own(self, ask: Ask, tokens_file: Path) -> None:
        new = make_token(
            "wallboard", "acme", Role.VIEWER, queues=("sales*",), created_at=1.0, expires_at=None
        )
        add_token(tokens_file, new.stored)
        person = ask(bearer(new.text))
        assert (person.tenant, person.subject, person.name) == ("acme", "token:wallboard", "wallboard")
        assert (person.login, person.email, person.via) == ("", "", Via.BEARER)
        assert person.grant is not None
        assert (person.grant.id, person.grant.role, person.grant.queues) == (
            "wallboard",
            "viewer",
            ("sales*",),
        )

    def test_a_token_in_the_place_of_the_route_s_secret(
        self, ask: Ask, grafana: GrafanaKeys, tokens_file: Path
    ) -> None:
        new = make_token("wallboard", "default", Role.MASTER, created_at=1.0)
        add_token(tokens_file, new.stored)
        for form in ({"id": grafana.token()}, {"context": context_header()}, {"user": ""}):
            assert refusal(ask, bearer(new.text, **form)) is Reason.TOKEN_WITH_IDENTITY


def test_the_log_tells_why_and_no_secret(
    ask: Ask, grafana: GrafanaKeys, caplog: pytest.LogCaptureFixture
) -> None:
    stolen = grafana.token("boss")
    refusal(ask, bearer(id=stolen, context=context_header("anna")))
    refusal(ask, bearer("a-guessed-secret", id=stolen))
    refusal(ask, bearer(context=context_header(OrgID="2\nforged log line")))
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == (
        "unauthenticated request from '127.0.0.1': reason=contradiction "
        "detail=tenant default: 'boss', but 'anna' by context"
    )
    assert "reason=unknown_secret" in lines[1]
    assert "'2\\nforged log line'" in lines[2]
    assert all("\n" not in line and stolen not in line for line in lines)
    assert not any(secret in line for line in lines for secret in (ROUTE, ACME_ROUTE, "a-guessed-secret"))


def test_a_request_as_a_server_hands_it_on(tmp_path: Path, grafana: GrafanaKeys) -> None:
    """Through WSGI's variables: bytes as Latin-1, and the same header twice joined with a comma."""
    api = settings(tmp_path, grafana.url, "id_token, context, user_header")
    authenticator = Authenticator(api, Tokens(api.tokens_file, time.time))

    def person(**variables: str) -> Person:
        environ = {"HTTP_AUTHORIZATION": f"Bearer {ROUTE}", **variables}
        return authenticator.person(EnvironHeaders(environ), PEER)

    assert person(HTTP_X_GRAFANA_CONTEXT=context_header("jürgen")).login == "jürgen"
    token = grafana.token()
    assert person(HTTP_X_GRAFANA_ID=token).login == "anna"
    for variables in (
        {"HTTP_X_GRAFANA_ID": f"{token},{token}"},
        {"HTTP_X_GRAFANA_USER": "anna,anna"},
        {"HTTP_X_GRAFANA_ID": token, "HTTP_AUTHORIZATION": f"Bearer {ROUTE},Bearer {ROUTE}"},
    ):
        with pytest.raises(Unauthenticated):
            person(**variables)


def test_one_grafana_is_asked_once_for_all_its_tenants(tmp_path: Path) -> None:
    with grafana_keys() as grafana:
        api = settings(tmp_path, grafana.url)
        authenticator = Authenticator(api, Tokens(api.tokens_file, time.time))
        for route, org in ((ROUTE, "org:1"), (ACME_ROUTE, "org:2")):
            authenticator.person(Headers(bearer(route, id=grafana.token(aud=org))), PEER)
        assert grafana.requests == 1


def test_a_mistake_of_ours_is_a_refusal(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def getlist(self, key: str, /) -> list[str]:
            raise ZeroDivisionError(key)

    authenticator = Authenticator(ControlApiConfig(), Tokens(Path("nowhere"), time.time))
    with pytest.raises(Unauthenticated) as caught:
        authenticator.person(Broken(), PEER)
    assert caught.value.reason is Reason.INTERNAL
    assert "ZeroDivisionError" in caplog.text


def test_secrets_that_were_not_loaded_are_no_secrets(tmp_path: Path, grafana: GrafanaKeys) -> None:
    settings(tmp_path, grafana.url)
    config = load_config(tmp_path / "asterpanel.yml", {"ROUTE": ROUTE}, for_service=Service.EXPORTER)
    assert config.control_api is not None
    with pytest.raises(RuntimeError, match="belongs to another service"):
        Authenticator(config.control_api, Tokens(tmp_path / "tokens", time.time))


_SOMETHING = st.one_of(
    st.text(max_size=80),
    st.binary(max_size=80).map(lambda raw: raw.decode("latin-1")),
    st.sampled_from(["Bearer ", "ast_x_y", "{}", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "anna", "null"]),
    st.builds(
        lambda header, claims: f"{part(header)}.{part(claims)}.AAAA",
        st.recursive(
            st.none() | st.text(max_size=9),
            lambda inner: st.dictionaries(st.sampled_from(["alg", "kid", "x"]), inner),
        ),
        st.dictionaries(st.sampled_from(["sub", "exp", "aud"]), st.integers() | st.text(max_size=9)),
    ),
)


class TestAnything:
    """Whatever bytes the headers are, they are nobody; and never an error of another kind."""

    @pytest.fixture(scope="class")
    @staticmethod
    def authenticator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authenticator]:
        logging.disable(logging.WARNING)
        with grafana_keys() as grafana:
            api = settings(tmp_path_factory.mktemp("any"), grafana.url, "id_token, context, user_header")
            yield Authenticator(api, Tokens(api.tokens_file, time.time))
        logging.disable(logging.NOTSET)

    @given(st.lists(st.tuples(st.sampled_from(["Authorization", "X-Grafana-Id", "X-Grafana-Context",
                                               "X-Grafana-User"]), _SOMETHING), max_size=6))  # fmt: skip
    def test_without_the_secret(self, authenticator: Authenticator, headers: list[tuple[str, str]]) -> None:
        with pytest.raises(ApiError):
            authenticator.person(Lists(headers), PEER)

    @given(
        st.lists(st.tuples(st.sampled_from(["X-Grafana-Id", "X-Grafana-Context"]), _SOMETHING), max_size=4)
    )
    def test_with_the_secret(self, authenticator: Authenticator, headers: list[tuple[str, str]]) -> None:
        with pytest.raises(Unauthenticated) as caught:
            authenticator.person(Lists([*bearer().items(), *headers]), PEER)
        assert caught.value.reason is not Reason.INTERNAL


class Lists:
    """Headers that no server would let through."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        self._headers = headers

    def getlist(self, key: str, /) -> list[str]:
        return [value for name, value in self._headers if name == key]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestKeys:
    """How Grafana's keys are fetched and kept."""

    @pytest.fixture
    def grafana(self) -> Iterator[GrafanaKeys]:
        with grafana_keys() as server:
            yield server

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def keys(self, grafana: GrafanaKeys, clock: Clock) -> SigningKeys:
        return SigningKeys(f"{grafana.url.rstrip('/')}{KEYS_PATH}", monotonic=clock)

    def test_once_for_many(self, grafana: GrafanaKeys, keys: SigningKeys, clock: Clock) -> None:
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(keys.key, ["id-1"] * 50))
        assert {key.key_id for key in found} == {"id-1"}
        assert grafana.requests == 1
        clock.now += FRESH_S
        keys.key("id-1")
        assert grafana.requests == 2

    def test_rotation(self, grafana: GrafanaKeys, keys: SigningKeys, clock: Clock) -> None:
        keys.key("id-1")
        grafana.add_key("id-2")
        clock.now += RETRY_S
        assert keys.key("id-2").key_id == "id-2"
        assert keys.key("id-1").key_id == "id-1"
        assert grafana.requests == 2

    def test_a_key_that_was_taken_back(self, grafana: GrafanaKeys, keys: SigningKeys, clock: Clock) -> None:
        grafana.add_key("id-2")
        keys.key("id-1")
        del grafana.private_keys["id-1"]
        clock.now += FRESH_S
        with pytest.raises(Refused):
            keys.key("id-1")

    def test_unknown_keys_do_not_make_us_ask_for_each(
        self, grafana: GrafanaKeys, keys: SigningKeys, clock: Clock
    ) -> None:
        keys.key("id-1")
        clock.now += RETRY_S
        for number in range(20):
            with pytest.raises(Refused) as caught:
                keys.key(f"guess-{number}")
            assert caught.value.reason is Reason.INVALID_ID_TOKEN
        assert grafana.requests == 2
        assert keys.key("id-1").key_id == "id-1"

    def test_grafana_is_away_for_a_while(
        self, grafana: GrafanaKeys, keys: SigningKeys, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        keys.key("id-1")
        grafana.answer = lambda handler: send(handler, b"Bad Gateway", 502)
        clock.now += FRESH_S
        for _ in range(10):
            assert keys.key("id-1").key_id == "id-1"
        assert grafana.requests == 2
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "HTTP Error 502" in caplog.text
        clock.now += MAX_AGE_S - FRESH_S
        assert keys.key("id-1").key_id == "id-1"
        clock.now += 0.1
        with pytest.raises(Refused) as caught:
            keys.key("id-1")
        assert caught.value.reason is Reason.KEYS_UNAVAILABLE
        grafana.answer = None
        clock.now += RETRY_S
        assert keys.key("id-1").key_id == "id-1"

    def test_others_go_on_while_one_waits_for_grafana(
        self, grafana: GrafanaKeys, keys: SigningKeys, clock: Clock
    ) -> None:
        keys.key("id-1")
        asked, done = threading.Event(), threading.Event()

        def late(handler: BaseHTTPRequestHandler) -> None:
            asked.set()
            done.wait(30)
            send(handler, json.dumps(grafana.key_set()).encode())

        grafana.answer = late
        clock.now += FRESH_S
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(keys.key, "id-1")
            assert asked.wait(30)
            assert keys.key("id-1").key_id == "id-1"
            assert not waiting.done()
            done.set()
            assert waiting.result(30).key_id == "id-1"

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"{", b"null", b"[]", b"{}", b'{"keys":[]}', b'{"keys":{}}', b'{"keys":[1,null]}',
            b'{"keys":[{"kid":"id-1"}]}', b"\xff\xfe", b"[" * 100_000,
            b" " * (signing_keys.MAX_ANSWER_BYTES + 1),
            b'{"keys":[{"kty":"oct","kid":"id-1","alg":"HS256","k":"c2VjcmV0"}]}',
            b'{"keys":[{"kty":"EC","kid":"id-1","crv":"P-256","x":"AA","y":"AA"}]}',
        ],
    )  # fmt: skip
    def test_answers_without_a_usable_key(
        self, grafana: GrafanaKeys, keys: SigningKeys, clock: Clock, body: bytes
    ) -> None:
        grafana.answer = lambda handler: send(handler, body)
        with pytest.raises(Refused) as caught:
            keys.key("id-1")
        assert caught.value.reason is Reason.KEYS_UNAVAILABLE
        grafana.answer = None
        clock.now += RETRY_S
        good = keys.key("id-1")
        grafana.answer = lambda handler: send(handler, body)
        clock.now += FRESH_S
        assert keys.key("id-1") is good

    def test_an_answer_that_is_too_long(self, grafana: GrafanaKeys, keys: SigningKeys) -> None:
        body = json.dumps(grafana.key_set()).encode() + b" " * signing_keys.MAX_ANSWER_BYTES
        grafana.answer = lambda handler: send(handler, body)
        with pytest.raises(Refused) as caught:
            keys.key("id-1")
        assert caught.value.reason is Reason.KEYS_UNAVAILABLE

    def test_keys_of_other_kinds_are_passed_over(self, grafana: GrafanaKeys, keys: SigningKeys) -> None:
        rsa_key = rsa.generate_private_key(65537, 2048).public_key()
        p384 = ec.generate_private_key(ec.SECP384R1()).public_key()
        others = [
            jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key, as_dict=True) | {"kid": "rsa"},
            jwt.algorithms.ECAlgorithm.to_jwk(p384, as_dict=True) | {"kid": "p384"},
            grafana.key_set()["keys"][0] | {"kid": "enc", "use": "enc"},
            {name: value for name, value in grafana.key_set()["keys"][0].items() if name != "kid"},
        ]
        body = json.dumps({"keys": [*others, *grafana.key_set()["keys"]]}).encode()
        grafana.answer = lambda handler: send(handler, body)
        assert keys.key("id-1").key_id == "id-1"
        for key_id in ("rsa", "p384", "enc"):
            with pytest.raises(Refused):
                keys.key(key_id)

    def test_an_answer_that_takes_for_ever(
        self, grafana: GrafanaKeys, keys: SigningKeys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(signing_keys, "FETCH_TIMEOUT_S", 0.3)
        ended = threading.Event()

        def trickle(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.end_headers()
            try:
                while not ended.wait(0.05):
                    handler.wfile.write(b" ")
            except OSError:
                pass

        grafana.answer = trickle
        started = time.monotonic()
        with pytest.raises(Refused):
            keys.key("id-1")
        ended.set()
        assert time.monotonic() - started < 5

    def test_a_server_that_says_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(signing_keys, "FETCH_TIMEOUT_S", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            started = time.monotonic()
            with pytest.raises(Refused):
                SigningKeys(f"http://127.0.0.1:{silent.getsockname()[1]}/").key("id-1")
            assert time.monotonic() - started < 5

    def test_nobody_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(Refused) as caught:
            SigningKeys(f"http://127.0.0.1:{port}/").key("id-1")
        assert caught.value.reason is Reason.KEYS_UNAVAILABLE

    def test_redirects_are_not_followed(self, grafana: GrafanaKeys, keys: SigningKeys) -> None:
        with grafana_keys() as elsewhere:

            def redirect(handler: BaseHTTPRequestHandler) -> None:
                handler.send_response(302)
                handler.send_header("Location", f"{elsewhere.url}{KEYS_PATH[1:]}")
                handler.end_headers()

            grafana.answer = redirect
            with pytest.raises(Refused):
                keys.key("id-1")
            assert elsewhere.requests == 0

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "data:,{}", "/etc/passwd"])
    def test_only_from_the_web(self, url: str) -> None:
        with pytest.raises(ValueError, match="no web address"):
            SigningKeys(url)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def part(data: object) -> str:
    """One part of a JWT."""
    return b64(json.dumps(data).encode())
