"""The control API's part of the configuration, and that each service reads only its own secrets."""

from pathlib import Path

import pytest

from asterpanel_switchboard.config import (
    Config,
    ConfigError,
    ControlApiConfig,
    Service,
    UnreadSecret,
    load_config,
    warnings_of,
)

EXAMPLE = Path(__file__).parents[2] / "asterpanel.example.yml"
ROUTE = "route-secret-of-default"
CONTROL_ENV = {"ROUTE": ROUTE, "CONTROL": "control-secret", "SHORT": "short", "SPACE": "with a space in it …"}
EXPORTER_ENV = {"MILANO": "milano-secret"}
SWITCHBOARDS = """\
switchboards:
  milano:
    host: 127.0.0.1
    username: asterpanel
    secret_env: MILANO
    control: {username: asterpanel-control, secret_env: CONTROL}
  torino: {tenant: acme, host: 127.0.0.2, username: asterpanel, secret_env: MILANO}
"""
GRAFANA = "grafana: {url: 'https://grafana.example/'}"
TENANT = f"tenants: {{default: {{route_secret_env: ROUTE, {GRAFANA}}}}}"


def load(folder: Path, more: str, switchboards: str = SWITCHBOARDS) -> Config:
    path = folder / "asterpanel.yml"
    path.write_text(switchboards + more, encoding="utf-8")
    return load_config(path, CONTROL_ENV, for_service=Service.CONTROL_API)


def control_api(folder: Path, more: str) -> ControlApiConfig:
    section = load(folder, f"control_api: {{{more}}}\n").control_api
    assert section is not None
    return section


def problems(folder: Path, more: str, switchboards: str = SWITCHBOARDS) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, more, switchboards)
    assert not any(secret in str(caught.value) for secret in CONTROL_ENV.values())
    return [f"{problem.location}: {problem.message}" for problem in caught.value.problems]


def test_no_section_no_control_api(tmp_path: Path) -> None:
    assert load(tmp_path, "").control_api is None


@pytest.mark.parametrize("section", ["control_api:\n", "control_api: {}\n", "control_api: {tenants: }\n"])
def test_defaults(tmp_path: Path, section: str) -> None:
    api = load(tmp_path, section).control_api
    assert api is not None
    assert str(api.listen) == "127.0.0.1:9978"
    assert api.exporter_url == "http://127.0.0.1:9977"
    assert api.exporter_token is None
    assert (api.profiles_file, api.tokens_file) == (
        tmp_path / "profiles.yml",
        tmp_path / "control-tokens.json",
    )
    assert (api.action_timeout, api.pause_reasons, dict(api.tenants)) == (5, (), {})


def test_a_tenant(tmp_path: Path) -> None:
    tenant = control_api(tmp_path, TENANT).tenants["default"]
    assert tenant.route_secret.get_secret_value() == ROUTE
    grafana = tenant.grafana
    assert grafana.issuers == ("https://grafana.example/", "https://grafana.example")
    assert grafana.keys_url == "https://grafana.example/api/signing-keys/keys"
    assert (grafana.audience, grafana.identity) == ("org:1", ("id_token", "context"))
    assert grafana.annotation_token is None
    assert ROUTE not in f"{tenant!r} {tenant.model_dump_json()}"


def test_identity_forms_are_in_their_order_of_strength(tmp_path: Path) -> None:
    section = "grafana: {url: 'https://g', identity: [user_header, id_token, context, id_token]}"
    tenants = control_api(tmp_path, f"tenants: {{default: {{route_secret_env: ROUTE, {section}}}}}").tenants
    assert tenants["default"].grafana.identity == ("id_token", "context", "user_header")


def test_the_second_user_of_a_switchboard(tmp_path: Path) -> None:
    boards = load(tmp_path, "").switchboards
    settings = boards["milano"].as_control_user()
    assert settings is not None
    assert (settings.name, settings.address, settings.username) == (
        "milano",
        boards["milano"].address,
        "asterpanel-control",
    )
    assert settings.secret.get_secret_value() == "control-secret"
    assert boards["torino"].as_control_user() is None


def test_switchboards_of_a_tenant(tmp_path: Path) -> None:
    config = load(tmp_path, "")
    assert config.switchboards_of("acme") == ("torino",)
    assert config.switchboards_of("nobody") == ()


class TestSecretsOfAnotherService:
    """One file for both, and neither can read what is the other's."""

    MORE = (
        "exporter: {state_token_file: not-mine}\n"
        "influxdb: {url: 'https://influx', token_file: not-mine, ca_file: not-mine.pem}\n"
        f"control_api: {{exporter_token_env: CONTROL, {TENANT}}}\n"
    )

    def test_the_control_api_does_not_read_those_of_the_exporter(self, tmp_path: Path) -> None:
        config = load(tmp_path, self.MORE)
        assert config.influxdb is not None
        unread = (
            config.switchboards["milano"].secret,
            config.exporter.state_token,
            config.influxdb.target_for("default").token,
        )
        for secret in unread:
            assert isinstance(secret, UnreadSecret)
            with pytest.raises(RuntimeError, match="belongs to another service"):
                secret.get_secret_value()
        assert warnings_of(config, Service.CONTROL_API) == []

    def test_the_exporter_does_not_read_those_of_the_control_api(self, tmp_path: Path) -> None:
        path = tmp_path / "asterpanel.yml"
        path.write_text(
            SWITCHBOARDS.replace("secret_env: CONTROL", "secret_file: not-mine")
            + "control_api: {exporter_token_file: not-mine, tenants: {default: {route_secret_file: not-mine, "
            "grafana: {url: 'https://g', ca_file: not-mine.pem, annotation_token_file: not-mine}}}}\n"
        )
        config = load_config(path, EXPORTER_ENV)
        assert config.control_api is not None
        tenant = config.control_api.tenants["default"]
        assert config.switchboards["milano"].control is not None
        assert all(
            isinstance(secret, UnreadSecret)
            for secret in (
                config.switchboards["milano"].control.secret,
                config.control_api.exporter_token,
                tenant.route_secret,
                tenant.grafana.annotation_token,
            )
        )
        warnings = warnings_of(config)
        assert not any("control" in warning for warning in warnings)

    def test_which_secret_there_is_has_to_be_told_to_both(self, tmp_path: Path) -> None:
        boards = SWITCHBOARDS.replace("    secret_env: MILANO\n", "    secret: hidden\n")
        assert problems(tmp_path, "", boards) == [
            "switchboards.milano.secret: a secret must not stand in this file: use secret_file or secret_env",
        ]

    def test_two_unread_secrets_are_no_difference(self, tmp_path: Path) -> None:
        assert load(tmp_path, self.MORE) == load(tmp_path, self.MORE)
        assert "not read" in repr(load(tmp_path, self.MORE).exporter)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (f"tenants: {{default: {{{GRAFANA}}}}}",
         ["control_api.tenants.default: needs exactly one of route_secret_file and route_secret_env"]),
        ("tenants: {default: {route_secret_env: ROUTE}}",
         ["control_api.tenants.default.grafana: required key is missing"]),
        (f"tenants: {{default: {{route_secret_env: SHORT, {GRAFANA}}}}}",
         ["control_api.tenants.default.route_secret: must have at least 16 characters: who guesses it can be "
          "anybody"]),
        (f"tenants: {{default: {{route_secret_env: SPACE, {GRAFANA}}}}}",
         ["control_api.tenants.default.route_secret: must be letters, digits and . _ ~ + / - only, then = if "
          "any"]),
        (f"tenants: {{default: {{route_secret_file: nowhere, {GRAFANA}}}}}",
         ["control_api.tenants.default.route_secret_file: no such file (a relative path starts at the "
          "configuration file's folder)"]),
        (f"tenants: {{default: {{route_secret_env: ROUTE, {GRAFANA}}}, "
         f"acme: {{route_secret_env: ROUTE, {GRAFANA}}}}}",
         ["control_api.tenants: default, acme have the same route secret: it could not tell which tenant a "
          "request is for"]),
        ("tenants: {default: {route_secret_env: ROUTE, grafana: {url: 'https://g', identity: []}}}",
         ["control_api.tenants.default.grafana.identity: needs at least one entry"]),
        ("tenants: {default: {route_secret_env: ROUTE, grafana: {url: 'https://g', identity: [cookie]}}}",
         ["control_api.tenants.default.grafana.identity[0]: must be 'id_token', 'context' or 'user_header'"]),
        ("tenants: {default: {route_secret_env: ROUTE, grafana: {url: g}}}",
         ["control_api.tenants.default.grafana.url: must be a URL such as http://127.0.0.1:8086 or "
          "https://influxdb.example:8086"]),
        ("tenants: {default: {route_secret_env: ROUTE, grafana: {url: 'https://g', org_id: 0}}}",
         ["control_api.tenants.default.grafana.org_id: must be greater than or equal to 1"]),
        ("tenants: {default: {route_secret_env: ROUTE, grafana: {url: 'https://g', ca_file: nowhere}}}",
         ["control_api.tenants.default.grafana.ca_file: no such file (a relative path starts at the "
          "configuration file's folder)"]),
        ("exporter_token_env: NOPE", ["control_api.exporter_token_env: no such environment variable is set"]),
        ("exporter_token: x",
         ["control_api.exporter_token: a secret must not stand in this file: use exporter_token_file or "
          "exporter_token_env"]),
        ("action_timeout: 2m", ["control_api.action_timeout: must be less than or equal to 60"]),
        ("pause_reasons: ['a\\nb']",
         ["control_api.pause_reasons[0]: must be text for one line"]),
        ("tokens_fil: x", ["control_api.tokens_fil: unknown key (did you mean 'tokens_file'?)"]),
    ],
)  # fmt: skip
def test_problems(tmp_path: Path, written: str, expected: list[str]) -> None:
    if "a\\nb" in written:
        written = written.replace("'", '"')
        expected = ["control_api.pause_reasons[0]: must not contain control characters"]
    assert problems(tmp_path, f"control_api: {{{written}}}\n") == expected


def test_a_control_user_without_a_secret(tmp_path: Path) -> None:
    boards = SWITCHBOARDS.replace(", secret_env: CONTROL", "")
    assert problems(tmp_path, "", boards) == [
        "switchboards.milano.control: needs exactly one of secret_file and secret_env"
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("listen: 0.0.0.0:9978", "control_api.listen is 0.0.0.0:9978: route secrets and callers' numbers"),
        ("exporter_url: http://exporter:9977", "control_api.exporter_url is http://exporter:9977: the state"),
        (f"tenants: {{acmee: {{route_secret_env: ROUTE, {GRAFANA}}}}}",
         "control_api.tenants.acmee: no switchboard has this tenant (did you mean 'acme'?)"),
        (f"tenants: {{default: {{route_secret_env: ROUTE, {GRAFANA}}}, "
         f"acme: {{route_secret_env: OTHER, {GRAFANA}}}}}",
         "control_api: tenants default, acme share organisation 1 of https://grafana.example"),
        ("tenants: {default: {route_secret_env: ROUTE, grafana: {url: 'https://g', identity: [context]}}}",
         "control_api.tenants.default.grafana.identity is without id_token"),
        ("tenants: {default: {route_secret_env: ROUTE, grafana: {url: 'http://grafana:3000'}}}",
         "control_api.tenants.default.grafana.keys_url is http://grafana:3000/api/signing-keys/keys: anyone"),
    ],
)  # fmt: skip
def test_doubtful_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, expected: str
) -> None:
    monkeypatch.setitem(CONTROL_ENV, "OTHER", "another-route-secret")
    config = load(tmp_path, f"control_api: {{{written}}}\n")
    assert any(warning.startswith(expected) for warning in warnings_of(config, Service.CONTROL_API))


def test_the_exporter_s_user_and_an_open_secret(tmp_path: Path) -> None:
    secret = tmp_path / "control"
    secret.write_text("control-secret")
    secret.chmod(0o644)
    control = "{username: asterpanel, secret_file: control}"
    boards = SWITCHBOARDS.replace("{username: asterpanel-control, secret_env: CONTROL}", control)
    open_file, same_user = warnings_of(load(tmp_path, "", boards), Service.CONTROL_API)
    assert open_file.startswith("switchboards.milano.control.secret_file: ")
    assert same_user.startswith("switchboards.milano.control.username is the exporter's user")


def with_new_member(more: str, identity: str = "{}") -> str:
    member = f"{{username: asterpanel-control, secret_env: CONTROL, new_member: {{{more}}}}}"
    control = "{username: asterpanel-control, secret_env: CONTROL}"
    return SWITCHBOARDS.replace(control, f"{member}\n    agent_identity: {identity}")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("interface: 'Local/{agent}@q|n'", "interface: must not hold | or ;"),
        ("interface: 'PJSIP/{agent}', name: 'Agent;{agent}'", "name: must not hold | or ;"),
        (f"interface: 'Local/{{agent}}@{'q' * 72}'", "interface: must not be longer than 79 bytes"),
        (f"interface: 'PJSIP/{{agent}}', state_interface: 'hint:{'è' * 40}'",
         "state_interface: must not be longer than 79 bytes"),
        ("interface: 'PJSIP/1001'", "interface: must have {agent} in it, which stands for the agent's id"),
    ],
)  # fmt: skip
def test_a_new_member_that_asterisk_would_not_have_so(tmp_path: Path, more: str, problem: str) -> None:
    expected = f"switchboards.milano.control.new_member.{problem}"
    assert problems(tmp_path, "", with_new_member(more)) == [expected]


def test_a_new_member_that_just_fits(tmp_path: Path) -> None:
    control = load(tmp_path, "", with_new_member(f"interface: 'Local/{{agent}}@{'q' * 71}'"))
    user = control.switchboards["milano"].control
    assert user is not None
    assert user.new_member is not None
    assert len(user.new_member.template.fill("1").interface) == 79


def test_a_reason_that_asterisk_would_not_have_so(tmp_path: Path) -> None:
    assert problems(tmp_path, "control_api: {pause_reasons: [Lunch, 'a|b']}\n") == [
        "control_api.pause_reasons[1]: must not hold | or ;"
    ]


@pytest.mark.parametrize(
    ("more", "identity", "becomes"),
    [
        ("interface: 'Local/{agent}@q/n', name: 'Agent {agent}'", "{from: membername}", "Agent 1001"),
        ("interface: 'PJSIP/agent-{agent}', agents: '[0-9]{4}'", "{}", "agent-1001"),
        ("interface: 'PJSIP/agent-{agent}', agents: '[a-z]+'", "{pattern: '^PJSIP/agent-(.)'}", "a"),
    ],
)
def test_a_new_member_who_would_be_another_agent(
    tmp_path: Path, more: str, identity: str, becomes: str
) -> None:
    config = load(tmp_path, "", with_new_member(more, identity))
    (warning,) = warnings_of(config, Service.CONTROL_API)
    assert warning.startswith("switchboards.milano.control.new_member makes agent ")
    assert f"agent {becomes!r} by agent_identity" in warning


@pytest.mark.parametrize(
    ("more", "identity"),
    [
        ("interface: 'Local/{agent}@q/n', name: 'Agent {agent}'", "{}"),
        ("interface: 'Local/{agent}@q/n', name: '{agent}'", "{from: membername}"),
        ("interface: 'Local/{agent}@q/n'", "{from: membername}"),
        ("interface: 'PJSIP/agent-{agent}'", "{pattern: '^PJSIP/agent-(.+)'}"),
        ("interface: 'PJSIP/agent-{agent}', agents: 'nobody-like-the-samples'", "{}"),
    ],
)
def test_a_new_member_who_is_himself_or_nobody_knows(tmp_path: Path, more: str, identity: str) -> None:
    config = load(tmp_path, "", with_new_member(more, identity))
    assert warnings_of(config, Service.CONTROL_API) == []


def test_the_example_is_valid_for_the_control_api(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    for name in ("milano-control", "state-token", "route-default", "annotations-default"):
        (tmp_path / "secrets" / name).write_text(f"secret-of-{name}\n")
        (tmp_path / "secrets" / name).chmod(0o600)
    path = tmp_path / "asterpanel.yml"
    path.write_bytes(EXAMPLE.read_bytes())
    config = load_config(path, {}, for_service=Service.CONTROL_API)
    assert config.control_api is not None
    assert config.control_api.tenants["default"].grafana.annotation_token is not None
    assert warnings_of(config, Service.CONTROL_API) == []
