"""The sections `journal` and `influxdb` of the configuration."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_switchboard.config import (
    Config,
    ConfigError,
    InfluxConfig,
    Service,
    UnreadSecret,
    load_config,
    warnings_of,
)
from asterpanel_switchboard.config.values import parse_size

TOKEN = "t0ken-Of-InfluxDB"
ENV = {"SECRET": "s3cret", "TOKEN": TOKEN, "OTHER": "other-token", "UMLAUT": "gehäim"}
SWITCHBOARDS = """\
switchboards:
  milano: {host: 127.0.0.1, username: a, secret_env: SECRET, tenant: acme}
  torino: {host: 127.0.0.2, username: a, secret_env: SECRET}
"""
URL = "url: http://127.0.0.1:8086"


def load(folder: Path, more: str) -> Config:
    path = folder / "asterpanel.yml"
    path.write_text(SWITCHBOARDS + more)
    return load_config(path, ENV)


def influxdb(folder: Path, more: str) -> InfluxConfig:
    section = load(folder, f"influxdb: {{{more}}}\n").influxdb
    assert section is not None
    return section


def problems(folder: Path, more: str) -> list[str]:
    """Without the folder and the line."""
    with pytest.raises(ConfigError) as caught:
        load(folder, more)
    assert TOKEN not in str(caught.value)
    return [f"{problem.location}: {problem.message}" for problem in caught.value.problems]


@pytest.mark.parametrize("section", ["", "journal:\n", "journal: {}\n"])
def test_defaults_of_the_journal(tmp_path: Path, section: str) -> None:
    config = load(tmp_path, section)
    assert config.journal.path == tmp_path / "asterpanel-journal.db"
    assert config.journal.retention == 400 * 86400
    assert config.journal.max_size == 10_000_000_000
    assert config.influxdb is None
    assert config.tenants == ("acme", "default")


def test_a_journal_elsewhere_without_limits(tmp_path: Path) -> None:
    config = load(tmp_path, "journal: {path: data/j.db, retention: null, max_size: ~}\n")
    assert config.journal.path == tmp_path / "data/j.db"
    assert (config.journal.retention, config.journal.max_size) == (None, None)
    assert load(tmp_path, "journal: {path: /var/j.db}").journal.path == Path("/var/j.db")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{retention: 400}", "journal.retention: must be greater than or equal to 3600"),
        (
            "{retention: soon}",
            "journal.retention: must be a duration: seconds, or a number with ms, s, m, h,",
        ),
        ("{max_size: 10}", "journal.max_size: must be greater than or equal to 1000000"),
        ("{max_size: 10 gb}", "journal.max_size: must be a size: bytes, or a number with KB, MB, GB, TB,"),
        ("{max_sice: 1GB}", "journal.max_sice: unknown key (did you mean 'max_size'?)"),
        ("j.db", "journal: must be a section"),
    ],
)
def test_wrong_journals(tmp_path: Path, written: str, expected: str) -> None:
    [line] = problems(tmp_path, f"journal: {written}\n")
    assert line.startswith(expected)


@pytest.mark.parametrize(
    ("written", "size"),
    [(7, 7), ("7", 7), ("500 B", 500), ("1.5KB", 1500), ("10GB", 10**10), ("1GiB", 2**30), ("2TiB", 2**41)],
)
def test_sizes(written: object, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize("written", ["", "10g", "-1", -1, True, None, 1.5, "1e3", "99999999TiB", []])
def test_refused_sizes(written: object) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_size(written)


@given(st.integers(0, 2**63 - 1))
def test_a_number_is_its_size_in_bytes(size: int) -> None:
    assert parse_size(size) == size


def test_defaults_of_influxdb(tmp_path: Path) -> None:
    section = influxdb(tmp_path, f"{URL}/, token_env: TOKEN")
    assert (section.url, section.org, section.bucket) == (
        "http://127.0.0.1:8086",
        "asterpanel",
        "asterpanel-{tenant}",
    )
    assert (section.verify, section.gzip, section.batch_size, section.timeout) == (True, True, 5000, 10)
    target = section.target_for("acme")
    assert (target.url, target.org, target.bucket) == (section.url, "asterpanel", "asterpanel-acme")
    assert target.token is not None
    assert target.token.get_secret_value() == TOKEN
    assert TOKEN not in f"{section!r} {section.model_dump_json()} {target!r}"


def test_a_tenant_s_own(tmp_path: Path) -> None:
    (tmp_path / "acme-token").write_text("of-acme\n")
    section = influxdb(
        tmp_path,
        f"{URL}, token_env: TOKEN, "
        "tenants: {acme: {org: acme, bucket: 'b-{tenant}', token_file: acme-token}}",
    )
    acme, default = section.target_for("acme"), section.target_for("default")
    assert acme.token is not None
    assert (acme.org, acme.bucket, acme.token.get_secret_value()) == ("acme", "b-acme", "of-acme")
    assert default.token is not None
    assert (default.org, default.token.get_secret_value()) == ("asterpanel", TOKEN)


def test_no_token_where_none_is_wanted(tmp_path: Path) -> None:
    assert influxdb(tmp_path, f"{URL}, auth: none").target_for("acme").token is None


def test_tokens_are_left_out_for_the_command_that_makes_them(tmp_path: Path) -> None:
    path = tmp_path / "asterpanel.yml"
    path.write_text(f"{SWITCHBOARDS}influxdb: {{{URL}, token_file: not-yet}}\n")
    section = load_config(path, ENV, for_service=Service.INFLUX_SETUP).influxdb
    assert section is not None
    assert isinstance(section.token, UnreadSecret)
    assert section.token_file == tmp_path / "not-yet"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            f"{URL}, tenants: {{default: {{token_env: TOKEN}}}}",
            ["influxdb: tenant 'acme' has no token: set token_file or token_env here for all tenants, or in "
             "tenants.acme"],
        ),
        (f"{URL}, token: {TOKEN}",
         ["influxdb.token: a secret must not stand in this file: use token_file or token_env"]),
        (f"{URL}, token_env: NOPE", ["influxdb.token_env: no such environment variable is set"]),
        (f"{URL}, token_env: TOKEN, token_file: x",
         ["influxdb: needs exactly one of token_file and token_env"]),
        (f"{URL}, token_env: UMLAUT", ["influxdb.token: must hold ASCII characters only"]),
        (f"{URL}, token_env: TOKEN, tenants: {{acme: {{token_file: x}}}}",
         ["influxdb.tenants.acme.token_file: no such file (a relative path starts at the configuration "
          "file's folder)"]),
        (f"{URL}, token_env: TOKEN, tenants: {{acme: {{tokn_file: x}}}}",
         ["influxdb.tenants.acme.tokn_file: unknown key (did you mean 'token_file'?)"]),
        (f"{URL}, token_env: TOKEN, tenants: {{ACME: {{bucket: x}}}}",
         ["influxdb.tenants.ACME: must be 1 to 63 lower-case letters, digits and dashes, not starting with a "
          "dash"]),
        (f"{URL}, auth: none, token_env: TOKEN, tenants: {{acme: {{token_env: OTHER}}}}",
         ["influxdb: a token contradicts auth: none; remove one of them",
          "influxdb.tenants.acme: a token contradicts auth: none; remove one of them"]),
        (f"{URL}, token_env: TOKEN, ca_file: asterpanel.yml",
         ["influxdb.ca_file: holds no usable certificate (PEM expected)"]),
        ("token_env: TOKEN", ["influxdb.url: required key is missing"]),
        ("url: 'influx:8086', token_env: TOKEN",
         ["influxdb.url: must be a URL such as http://127.0.0.1:8086 or https://influxdb.example:8086"]),
        ("url: 'http://u:p@influx', token_env: TOKEN", ["influxdb.url: must not hold a user or a password"]),
        ("url: 'http://influx?org=a', token_env: TOKEN",
         ["influxdb.url: must end with the path: no ? and no #"]),
        (f"{URL}, token_env: TOKEN, bucket: 'a-{{tennant}}'",
         ["influxdb.bucket: only {tenant} may stand in braces"]),
        (f"{URL}, token_env: TOKEN, bucket: _a",
         ['influxdb.bucket: must not begin with _ and must not hold ": InfluxDB refuses such buckets']),
        (f"{URL}, token_env: TOKEN, batch_size: 0",
         ["influxdb.batch_size: must be greater than or equal to 1"]),
        (f"{URL}, token_env: TOKEN, auth: basic", ["influxdb.auth: must be 'token' or 'none'"]),
    ],
)  # fmt: skip
def test_wrong_influxdbs(tmp_path: Path, written: str, expected: list[str]) -> None:
    assert problems(tmp_path, f"influxdb: {{{written}}}\n") == expected


def test_section_without_anything(tmp_path: Path) -> None:
    config = load(tmp_path, "influxdb:\n")
    assert config.influxdb is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("url: http://influx:8086, token_env: TOKEN",
         "influxdb.url is http://influx:8086: the token and points cross the network unencrypted; use https"),
        ("url: http://influx:8086, auth: none",
         "influxdb.url is http://influx:8086: points cross the network unencrypted; use https"),
        ("url: https://influx, token_env: TOKEN, verify: false",
         "influxdb.verify is false: anyone in between can read the token and every point"),
        (f"{URL}, token_env: TOKEN, tenants: {{acmee: {{bucket: x}}}}",
         "influxdb.tenants.acmee: no switchboard has this tenant (did you mean 'acme'?)"),
        (f"{URL}, token_env: TOKEN, bucket: calls",
         "influxdb: tenants acme, default share the bucket calls: who may read it sees them all; put "
         "{tenant} into its name"),
    ],
)  # fmt: skip
def test_doubtful_influxdbs(tmp_path: Path, written: str, expected: str) -> None:
    assert expected in warnings_of(load(tmp_path, f"influxdb: {{{written}}}\n"))


def test_a_journal_without_a_folder_and_a_token_that_everyone_can_read(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o644)
    warnings = warnings_of(
        load(tmp_path, f"journal: {{path: /nowhere/j.db}}\ninfluxdb: {{{URL}, token_file: token}}\n")
    )
    assert any(warning.startswith("journal.path: the folder /nowhere does not exist") for warning in warnings)
    assert any(warning.startswith("influxdb.token_file: ") for warning in warnings)
    token.chmod(0o600)
    assert not any("influxdb" in warning for warning in warnings_of(
        load(tmp_path, f"influxdb: {{{URL}, token_file: token}}\n")
    ))  # fmt: skip
