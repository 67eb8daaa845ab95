"""The configuration file, as its author meets it: what is accepted, and how every mistake is told."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from asterpanel_switchboard.config import (
    AgentIdentityConfig,
    Config,
    ConfigError,
    QueueSettings,
    SwitchboardConfig,
    load_config,
    warnings_of,
)
from asterpanel_switchboard.config.section import keys_of
from asterpanel_switchboard.config.values import parse_duration

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "asterpanel.example.yml"
SECRET = "s3cr3t-Of-Milano"
ENV = {"MILANO": SECRET, "TOKEN": "0123456789abcdef"}

MINIMAL = """\
switchboards:
  milano:
    host: 10.0.0.5
    username: asterpanel
    secret_env: MILANO
"""


def load(folder: Path, text: str) -> Config:
    path = folder / "asterpanel.yml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, ENV)


def milano(folder: Path, more: str) -> SwitchboardConfig:
    return load(folder, MINIMAL + more).switchboards["milano"]


def problems(folder: Path, text: str) -> list[str]:
    """The lines that a user sees, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    assert SECRET not in str(caught.value)
    return [line.removeprefix(f"{folder}/") for line in caught.value.lines()]


class TestAccepted:
    def test_defaults_of_the_smallest_file(self, tmp_path: Path) -> None:
        config = load(tmp_path, MINIMAL)
        assert str(config.exporter.listen) == "127.0.0.1:9977"
        assert config.exporter.state_token is None
        assert not config.exporter.state_open_on_loopback
        assert config.exporter.resync_interval == 300
        board = config.switchboards["milano"]
        assert (board.name, board.tenant, board.address) == ("milano", "default", "10.0.0.5:5038")
        assert board.secret.get_secret_value() == SECRET
        assert (board.tls, board.auth, board.time_zone.key) == (None, "plain", "UTC")
        assert (board.ping_interval, board.ping_timeout, board.connect_timeout) == (5, 5, 10)

    def test_secret_is_never_shown(self, tmp_path: Path) -> None:
        config = load(tmp_path, MINIMAL + "exporter: {state_token_env: TOKEN}\n")
        shown = f"{config!r} {config} {config.model_dump_json()}"
        assert SECRET not in shown
        assert ENV["TOKEN"] not in shown

    def test_secret_file_is_looked_for_beside_the_configuration(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "etc"
        (folder / "secrets").mkdir(parents=True)
        (folder / "secrets/milano").write_bytes(b" with spaces \r\n")
        monkeypatch.chdir(tmp_path)
        board = load(folder, MINIMAL.replace("secret_env: MILANO", "secret_file: secrets/milano"))
        assert board.switchboards["milano"].secret.get_secret_value() == " with spaces "

    @pytest.mark.parametrize(
        ("tls", "port", "verify"),
        [
            ("tls: {}", 5039, True),
            ("tls: true", 5039, True),
            ("tls:", 5039, True),
            ("tls: {verify: false}", 5039, False),
            ("tls: {}\n    port: 5555", 5555, True),
        ],
    )
    def test_tls_is_on_as_soon_as_it_is_there(
        self, tmp_path: Path, tls: str, port: int, verify: bool
    ) -> None:
        board = milano(tmp_path, f"    {tls}\n")
        assert board.tls is not None
        assert (board.port, board.tls.verify) == (port, verify)

    def test_tls_can_be_off_in_words(self, tmp_path: Path) -> None:
        board = milano(tmp_path, "    tls: false\n")
        assert (board.tls, board.port) == (None, 5038)

    def test_ipv6(self, tmp_path: Path) -> None:
        config = load(
            tmp_path, MINIMAL.replace("10.0.0.5", "'[fd00::5]'") + "exporter: {listen: '[::1]:0'}\n"
        )
        assert config.switchboards["milano"].address == "[fd00::5]:5038"
        assert config.exporter.listen == ("::1", 0)
        assert config.exporter.listen.is_loopback

    def test_a_name_that_yaml_takes_for_something_else(self, tmp_path: Path) -> None:
        config = load(
            tmp_path, MINIMAL.replace("milano:", "no:") + MINIMAL.split("\n", 1)[1].replace("milano", "1")
        )
        assert list(config.switchboards) == ["no", "1"]

    def test_sections_with_every_line_commented_out(self, tmp_path: Path) -> None:
        config = load(tmp_path, MINIMAL + "exporter:\nagent_identity:\nqueue_settings:\n")
        assert config == load(tmp_path, MINIMAL)

    def test_merged_keys_are_no_duplicates(self, tmp_path: Path) -> None:
        text = MINIMAL.replace("milano:", "milano: &common") + "  torino: {<<: *common, host: 10.0.0.6}\n"
        config = load(tmp_path, text)
        assert config.switchboards["torino"].address == "10.0.0.6:5038"
        assert config.switchboards["torino"].name == "torino"

    def test_switchboard_overrides_the_identity_as_a_whole(self, tmp_path: Path) -> None:
        rule = "agent_identity: {from: interface, pattern: 'agent-(.+)'}\n"
        torino = (
            MINIMAL.split("\n", 1)[1].replace("milano", "torino") + "    agent_identity: {from: membername}\n"
        )
        config = load(tmp_path, MINIMAL + torino + rule)
        assert config.agent_identity_for("torino") == AgentIdentityConfig(source="membername")
        assert config.agent_identity_for("milano").pattern == "agent-(.+)"

    def test_the_configuration_cannot_be_changed(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="frozen"):
            load(tmp_path, MINIMAL).exporter.resync_interval = 1  # type: ignore[misc]


class TestQueueSettings:
    RULES = """\
queue_settings:
  - {service_level_threshold: 30s, wrapup_time: 5s}
  - {queues: ["bill*"], service_level_threshold: 1m}
  - {queues: ["billing"], switchboards: ["mil*"], short_abandon: 2500ms, wrapup_time: null}
"""

    @pytest.mark.parametrize(
        ("switchboard", "queue", "expected"),
        [
            ("milano", "sales", QueueSettings(30, 5, 5)),
            ("milano", "billing", QueueSettings(60, 2.5, None)),
            ("torino", "billing", QueueSettings(60, 5, 5)),
            ("torino", "Billing", QueueSettings(30, 5, 5)),
        ],
    )
    def test_matching_entries_add_up_and_later_ones_win(
        self, tmp_path: Path, switchboard: str, queue: str, expected: QueueSettings
    ) -> None:
        config = load(tmp_path, MINIMAL + self.RULES)
        assert config.queue_settings_for(switchboard, queue) == expected

    def test_asked_twice_is_computed_once(self, tmp_path: Path) -> None:
        config = load(tmp_path, MINIMAL + self.RULES)
        assert config.queue_settings_for("milano", "q") is config.queue_settings_for("milano", "q")

    def test_without_rules(self, tmp_path: Path) -> None:
        assert load(tmp_path, MINIMAL).queue_settings_for("milano", "q") == QueueSettings(None, 5, None)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        *[(20, 20), (0.5, 0.5), ("250ms", 0.25), ("20s", 20), ("1.5m", 90), ("5 m", 300), ("1h", 3600)],
        *[("7", 7), ("400d", 400 * 86400), ("2w", 14 * 86400)],
    ],
)
def test_durations(written: object, seconds: float) -> None:
    assert parse_duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written", ["", "5min", "-1s", -1, True, None, "1h30m", float("nan"), float("inf"), []]
)
def test_refused_durations(written: object) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_duration(written)


class TestProblems:
    def test_all_of_them_at_once_in_the_order_of_the_file(self, tmp_path: Path) -> None:
        text = """\
exporter:
  listen: 127.0.0.1
  resync_interval: 5s
  log_level: loud
agent_identity:
  pattern: '1001'
queue_settings:
  - queue: [billing]
  - queues: billing
    short_abandon: soon
switchboards:
  Milano:
    host: 10.0
    prot: 5038
    secret_env: UNSET
  torino:
    host: 10.0.0.6
    host: 10.0.0.7
    port: 70000
    username:
    secret_file: nowhere
    time_zone: Europe/Roma
    ping_interval: 10s
    ping_timeout: 6s
    tls:
      verfy: false
      ca_file: asterpanel.yml
  napoli: 10.0.0.8
"""
        assert problems(tmp_path, text) == [
            "asterpanel.yml:2:11: exporter.listen: must be host:port, as in 127.0.0.1:9977, 0.0.0.0:9977 or "
            "[::1]:9977",
            "asterpanel.yml:3:20: exporter.resync_interval: must be greater than or equal to 10",
            "asterpanel.yml:4:14: exporter.log_level: must be 'debug', 'info', 'warning' or 'error'",
            "asterpanel.yml:6:12: agent_identity.pattern: must have exactly one capturing group, the agent's "
            "identity; it has 0 (write (?:…) for a group that is not captured)",
            "asterpanel.yml:8:5: queue_settings[0].queue: unknown key (did you mean 'queues'?)",
            "asterpanel.yml:9:13: queue_settings[1].queues: must be a list",
            "asterpanel.yml:10:20: queue_settings[1].short_abandon: must be a duration: seconds, or a number "
            "with ms, s, m, h, d or w (250ms, 20s, 5m, 1h, 30d)",
            "asterpanel.yml:12:3: switchboards.Milano: must be 1 to 63 lower-case letters, digits and "
            "dashes, not starting with a dash",
            "asterpanel.yml:12:3: switchboards.Milano.username: required key is missing",
            "asterpanel.yml:13:11: switchboards.Milano.host: must be text (put it in quotes)",
            "asterpanel.yml:14:5: switchboards.Milano.prot: unknown key (did you mean 'port'?)",
            "asterpanel.yml:15:17: switchboards.Milano.secret_env: no such environment variable is set",
            "asterpanel.yml:18:5: switchboards.torino.host: duplicate key (first on line 17)",
            "asterpanel.yml:19:11: switchboards.torino.port: must be less than or equal to 65535",
            "asterpanel.yml:20:5: switchboards.torino.username: has no value",
            "asterpanel.yml:21:18: switchboards.torino.secret_file: no such file (a relative path starts at "
            "the configuration file's folder)",
            "asterpanel.yml:22:16: switchboards.torino.time_zone: is no known IANA time zone (did you mean "
            "'Europe/Rome'?)",
            "asterpanel.yml:24:19: switchboards.torino.ping_timeout: ping_interval and ping_timeout together "
            "must be at most 15s, they are 16s",
            "asterpanel.yml:26:7: switchboards.torino.tls.verfy: unknown key (did you mean 'verify'?)",
            "asterpanel.yml:27:16: switchboards.torino.tls.ca_file: holds no usable certificate (PEM "
            "expected)",
            "asterpanel.yml:28:11: switchboards.napoli: must be a section: lines of `key: value`",
        ]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", "asterpanel.yml:1:1: switchboards: required key is missing"),
            ("switchboards: {}", "asterpanel.yml:1:15: switchboards: needs at least one entry"),
            ("- milano", "asterpanel.yml:1:1: must be a section: lines of `key: value`"),
            ("switchboards:\n\tmilano:", "asterpanel.yml:2:1: not valid YAML: found character '\\t' that"),
            ("a: b\n--- \nc: d", "asterpanel.yml:2:1: not valid YAML: but found another document"),
            ("a: b\nc\x07: d", "asterpanel.yml:2:2: not valid YAML: a control character"),
            ("? [a]\n: b", "asterpanel.yml:1:3: not valid YAML: a key must be plain text"),
            ("a: 0b_", "asterpanel.yml:1:4: not valid YAML: not a usable number"),
            ("[" * 5000, "asterpanel.yml: not valid YAML: nested too deeply"),
        ],
    )
    def test_file_that_is_no_configuration(self, tmp_path: Path, text: str, expected: str) -> None:
        assert problems(tmp_path, text)[0].startswith(expected)

    def test_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"missing\.yml: no such file"):
            load_config(tmp_path / "missing.yml", {})
        with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
            load_config(tmp_path, {})
        (tmp_path / "latin1.yml").write_bytes(b"a: b\nc: caf\xe9\n")
        with pytest.raises(ConfigError, match=r"latin1\.yml:2:1: is not UTF-8 text"):
            load_config(tmp_path / "latin1.yml", {})

    def test_secret_in_the_file_is_refused_with_the_way_out(self, tmp_path: Path) -> None:
        text = MINIMAL.replace("secret_env: MILANO", f"secret: {SECRET}")
        assert problems(tmp_path, text) == [
            "asterpanel.yml:5:5: switchboards.milano.secret: a secret must not stand in this file: "
            "use secret_file or secret_env"
        ]

    def test_secret_put_in_place_of_its_source_is_not_repeated(self, tmp_path: Path) -> None:
        for key in ("secret_file", "secret_env"):
            [line] = problems(tmp_path, MINIMAL.replace("secret_env: MILANO", f"{key}: {SECRET}"))
            assert line.startswith(f"asterpanel.yml:5:{len(key) + 7}: switchboards.milano.{key}: no such")

    @pytest.mark.parametrize("sources", ["", "secret_env: MILANO\n    secret_file: asterpanel.yml"])
    def test_exactly_one_source_of_the_secret(self, tmp_path: Path, sources: str) -> None:
        assert problems(tmp_path, MINIMAL.replace("secret_env: MILANO", sources)) == [
            "asterpanel.yml:2:3: switchboards.milano: needs exactly one of secret_file and secret_env"
        ]

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", "the file is empty"),
            (b"\n", "the file is empty"),
            (b"one\nAction: Originate\n", "the file must hold one line without control characters"),
            (b"one\r\r\n", "the file must hold one line without control characters"),
            (b"\xff\xfe", "the file is not UTF-8 text"),
            (b"x" * 5000, "the file is larger than 4096 bytes: is it the right one?"),
        ],
    )
    def test_unusable_secret_files(self, tmp_path: Path, content: bytes, expected: str) -> None:
        (tmp_path / "secret").write_bytes(content)
        [line] = problems(tmp_path, MINIMAL.replace("secret_env: MILANO", "secret_file: secret"))
        assert line == f"asterpanel.yml:5:18: switchboards.milano.secret_file: {expected}"

    def test_user_name_cannot_inject_a_header(self, tmp_path: Path) -> None:
        [line] = problems(tmp_path, MINIMAL.replace("username: asterpanel", r'username: "a\r\nAction: x"'))
        assert line.endswith("username: must not contain control characters")

    @pytest.mark.parametrize("host", ["10.0.0.5:5038", "http://pbx", "a b", "''", "fe80:::1", '"a\\r\\nb"'])
    def test_unusable_hosts(self, tmp_path: Path, host: str) -> None:
        [line] = problems(tmp_path, MINIMAL.replace("10.0.0.5", host))
        assert line.startswith("asterpanel.yml:3:11: switchboards.milano.host: ")

    @pytest.mark.parametrize(
        ("exporter", "expected"),
        [
            (
                "{listen: '0.0.0.0:1', state_open_on_loopback: true}",
                "is allowed only on a loopback address; listen is 0.0.0.0:1",
            ),
            (
                "{state_token_env: TOKEN, state_open_on_loopback: true}",
                "contradicts the token that is set; remove one of them",
            ),
        ],
    )
    def test_state_is_open_only_where_nobody_else_gets(
        self, tmp_path: Path, exporter: str, expected: str
    ) -> None:
        [line] = problems(tmp_path, f"exporter: {exporter}\n{MINIMAL}")
        assert line.endswith(f"exporter.state_open_on_loopback: {expected}")

    def test_fields_that_are_no_keys(self, tmp_path: Path) -> None:
        assert problems(tmp_path, MINIMAL + "    name: milano\nagent_identity: {source: interface}\n") == [
            "asterpanel.yml:6:5: switchboards.milano.name: unknown key (the name is the section's own key)",
            "asterpanel.yml:7:18: agent_identity.source: unknown key",
        ]

    @given(st.text() | st.text(alphabet="abn:&*-[]{}!?|>'\"#%@, \n\t<0.1~") | st.sampled_from(["a: &a [*a]"]))
    def test_any_text_is_a_configuration_or_a_list_of_problems(
        self, tmp_path_factory: pytest.TempPathFactory, text: str
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "any.yml"
        path.write_text(text, encoding="utf-8", errors="replace")
        with pytest.raises(ConfigError):
            load_config(path, {})


class TestExample:
    @pytest.fixture
    def example(self, tmp_path: Path) -> Config:
        (tmp_path / "secrets").mkdir()
        for name in ("milano", "state-token", "influxdb-write"):
            (tmp_path / "secrets" / name).write_text(f"secret-of-{name}\n")
            (tmp_path / "secrets" / name).chmod(0o600)
        path = tmp_path / "asterpanel.yml"
        path.write_bytes(EXAMPLE.read_bytes())
        return load_config(path, {"ASTERPANEL_TORINO_SECRET": "secret-of-torino"})

    def test_it_is_valid_and_raises_no_doubt(self, example: Config) -> None:
        assert list(example.switchboards) == ["milano", "torino"]
        assert warnings_of(example) == []

    def test_every_key_is_in_it_and_has_a_description(self) -> None:
        text = EXAMPLE.read_text(encoding="utf-8")
        for model in _sections(Config):
            for name, field in model.model_fields.items():
                assert field.description, f"{model.__name__}.{name}"
            for key in keys_of(model):
                assert f"{key}:" in text, f"{model.__name__}: {key}"

    def test_commented_keys_are_right_too(self, tmp_path: Path) -> None:
        """A `# key: value` line, put in on its own, may contradict the rest but is never unknown."""
        lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
        known = set().union(*(keys_of(model) for model in _sections(Config)))
        commented = [
            i for i, line in enumerate(lines) if line.lstrip().startswith("# ") and _key(line) in known
        ]
        assert len(commented) >= 4
        for index in commented:
            active = [*lines[:index], lines[index].replace("# ", "", 1), *lines[index + 1 :]]
            assert isinstance(yaml.safe_load("\n".join(active)), dict)
            with pytest.raises(ConfigError) as caught:
                load(tmp_path, "\n".join(active))
            assert "unknown key" not in str(caught.value)


class TestWarnings:
    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ("    tls: {verify: false}\n", "switchboards.milano.tls.verify is false"),
            ("", "switchboards.milano: the secret crosses the network unencrypted"),
            ("exporter: {state_token_env: MILANO}\n", "the state token has fewer than 16 characters"),
            (
                "queue_settings: [{switchboards: [roma]}]\n",
                "queue_settings[0].switchboards: 'roma' matches no",
            ),
            ("targets: [{switchboards: [roma]}]\n", "targets[0].switchboards: 'roma' matches no"),
            ("  b: {host: 10.0.0.5, username: a, secret_env: MILANO}\n", "switchboards milano, b are all at"),
        ],
    )
    def test_doubtful_things(self, tmp_path: Path, more: str, expected: str) -> None:
        path = tmp_path / "asterpanel.yml"
        path.write_text(MINIMAL + more)
        assert any(expected in warning for warning in warnings_of(load_config(path, {"MILANO": "short"})))

    def test_secret_file_that_everyone_can_read(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text(SECRET)
        text = MINIMAL.replace("secret_env: MILANO", "secret_file: secret\n    auth: md5")
        secret.chmod(0o644)
        [warning] = warnings_of(load(tmp_path, text))
        assert "can be read by every user" in warning
        secret.chmod(0o640)
        assert warnings_of(load(tmp_path, text)) == []


def _key(line: str) -> str:
    return line.lstrip().removeprefix("# ").split(":", 1)[0]


def _sections(model: type[BaseModel]) -> set[type[BaseModel]]:
    """The model and every one inside it."""

    def inside(annotation: Any) -> set[type[BaseModel]]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return _sections(annotation)
        return set().union(*(inside(argument) for argument in get_args(annotation)))

    return {model}.union(*(inside(field.annotation) for field in model.model_fields.values()))


def test_a_switchboard_cannot_have_the_name_of_the_stream(tmp_path: Path) -> None:
    text = MINIMAL.replace("milano:", "stream:")
    assert problems(tmp_path, text) == [
        "asterpanel.yml:2:3: switchboards.stream: must not be 'stream': /state/stream is the state's stream"
    ]
