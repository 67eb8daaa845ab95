"""`asterpanel-exporter influx setup` and `check`, on real InfluxDB servers."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asterpanel_exporter.influx.commands import influx as command
from tests.debian import ProgramUnavailable
from tests.influx_server import ORG, TOKEN, Influx, influx_1, influx_2

PASSWORD = "password-of-the-tests"
SWITCHBOARDS = """\
switchboards:
  milano: {host: 127.0.0.1, username: a, secret_file: secret, tenant: acme}
  torino: {host: 127.0.0.2, username: a, secret_file: secret, tenant: globex}
"""


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Influx]:
    """A 2.7 that nobody has used yet."""
    try:
        with influx_2(tmp_path / "server", onboarded=False) as server:
            yield server
    except ProgramUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def used(tmp_path: Path) -> Iterator[Influx]:
    """A 2.7 with a first user, the organisation and an operator's token."""
    try:
        with influx_2(tmp_path / "server") as server:
            yield server
    except ProgramUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def version_1(tmp_path: Path) -> Iterator[Influx]:
    try:
        with influx_1(tmp_path / "server") as server:
            yield server
    except ProgramUnavailable as reason:
        pytest.skip(str(reason))


class Folder:
    """The folder of a configuration, and the commands run there."""

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        path.mkdir()
        self.write("secret", "hunter2")
        self.write("password", PASSWORD)
        self.configure(f"influxdb: {{url: '{url}', token_file: write-token}}\n")

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.write_text(text)
        return file

    def configure(self, influxdb: str, switchboards: str = SWITCHBOARDS) -> None:
        self.write("asterpanel.yml", switchboards + influxdb)

    def run(self, *arguments: str) -> Result:
        with contextlib.chdir(self.path):
            result = CliRunner().invoke(command, arguments, obj=Path("asterpanel.yml"))
        for token in self.tokens().values():
            assert token not in result.output
        assert PASSWORD not in result.output
        return result

    def tokens(self) -> dict[str, str]:
        """Content of the files that hold tokens, by name."""
        files = [*self.path.glob("*-token"), *self.path.glob("secrets/*")]
        return {file.name: file.read_text().strip() for file in files}


FIRST = ("--username", "admin", "--password-file", "password", "--token-file", "operator-token")


def test_a_fresh_server_is_made_ready_and_a_second_run_changes_nothing(fresh: Influx, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "etc", fresh.process.url)
    planned = folder.run("setup", *FIRST, "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert "would create  first user admin" in planned.output
    assert "would create  bucket asterpanel-globex" in planned.output
    assert not folder.tokens()
    done = folder.run("setup", *FIRST)
    assert done.exit_code == 0, done.output
    files = folder.tokens()
    assert sorted(files) == ["influxdb-read-acme", "influxdb-read-globex", "operator-token", "write-token"]
    for file in (*folder.path.glob("*-token"), *folder.path.glob("secrets/*")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = folder.run("setup", *FIRST)
    assert again.exit_code == 0, again.output
    assert {line.split()[0] for line in again.output.splitlines()[1:]} == {"ok"}
    assert folder.tokens() == files
    checked = folder.run("check")
    assert checked.exit_code == 0, checked.output
    assert checked.output.splitlines() == [
        f"tenant {tenant}: may write to bucket asterpanel-{tenant} at {fresh.process.url}"
        for tenant in ("acme", "globex")
    ]


def test_tokens_may_do_what_they_are_for_and_nothing_else(used: Influx, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "etc", used.process.url)
    folder.write("operator-token", TOKEN)
    assert folder.run("setup", "--token-file", "operator-token").exit_code == 0
    tokens = folder.tokens()
    assert len(set(tokens.values())) == 4
    write, read = tokens["write-token"], tokens["influxdb-read-acme"]
    for tenant in ("acme", "globex"):
        assert used.write(f"asterpanel-{tenant}", "m value=1 1", write) == 204
        assert used.write(f"asterpanel-{tenant}", "m value=1 1", read) == 403
    query = 'SELECT value FROM "m"'
    [series] = used.influxql("asterpanel-acme", query, read)
    assert series["values"] == [[1, 1]]
    for bucket, token in (("asterpanel-globex", read), ("asterpanel-acme", write)):
        with pytest.raises(AssertionError, match="database not found"):
            used.influxql(bucket, query, token)
    [series] = used.influxql("asterpanel-globex", query, tokens["influxdb-read-globex"])
    assert series["values"] == [[1, 1]]


def test_a_new_tenant_gets_its_bucket_and_the_old_token_is_not_thrown_away_unasked(
    used: Influx, tmp_path: Path
) -> None:
    folder = Folder(tmp_path / "etc", used.process.url)
    folder.write("operator-token", TOKEN)
    setup = ("setup", "--token-file", "operator-token")
    assert folder.run(*setup).exit_code == 0
    before = folder.tokens()
    more = SWITCHBOARDS + "  roma: {host: 127.0.0.3, username: a, secret_file: secret, tenant: initech}\n"
    folder.configure(f"influxdb: {{url: '{used.process.url}', token_file: write-token}}\n", more)
    checked = folder.run("check")
    assert checked.exit_code == 1
    assert "has no bucket asterpanel-initech" in checked.output
    refused = folder.run(*setup)
    assert refused.exit_code == 1
    assert "create        bucket asterpanel-initech, kept for ever" in refused.output
    assert "--replace-tokens makes a new one in its place" in refused.output
    assert folder.tokens()["write-token"] == before["write-token"]
    assert folder.run(*setup, "--replace-tokens").exit_code == 0
    after = folder.tokens()
    assert after.pop("write-token") != before["write-token"]
    assert before.items() - after.items() == {("write-token", before["write-token"])}
    assert folder.run("check").exit_code == 0


def test_own_bucket_organisation_and_tokens_of_a_tenant(used: Influx, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "etc", used.process.url)
    folder.write("operator-token", TOKEN)
    folder.configure(
        f"influxdb: {{url: '{used.process.url}', token_env: ALL, "
        "tenants: {globex: {org: globex, bucket: calls/forever, token_file: globex-token}}}\n"
    )
    done = folder.run("setup", "--token-file", "operator-token", "--retention", "30d")
    assert done.exit_code == 0, done.output
    assert "create        organisation globex" in done.output
    assert "InfluxQL database calls, retention policy forever, for bucket calls/forever" in done.output
    assert "influxdb-write into the environment variable ALL" in done.output
    assert {"globex-token", "influxdb-write"} <= folder.tokens().keys()
    assert used.write("calls/forever", "m value=1", folder.tokens()["globex-token"], "globex") == 204
    assert used.write("asterpanel-acme", "m value=1", folder.tokens()["globex-token"], ORG) == 403
    kept = folder.run("setup", "--token-file", "operator-token")
    assert "ok            bucket asterpanel-acme, kept for 30 days" in kept.output
    changed = folder.run("setup", "--token-file", "operator-token", "--retention", "0")
    assert "change        bucket asterpanel-acme, kept for ever; was: for 30 days" in changed.output
    assert (
        "bucket calls/forever, kept for ever"
        in folder.run(*("setup", "--token-file", "operator-token")).output
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "needs --token-file"),
        (("--token-file", "missing"), "it is fresh: give --username and --password-file"),
        (("--token-file", "secret", *FIRST[:4]), "name a new file"),
        (("--token-file", "secret", "--username", "admin"), "need each other"),
        (("--token-file", "secret", "--retention", "5m"), "must be at least 1h"),
        ((*FIRST[:4], "--token-file", "/proc/none/token"), "cannot write the operator's token"),
    ],
)
def test_what_cannot_be_done_is_told(
    fresh: Influx, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    folder = Folder(tmp_path / "etc", fresh.process.url)
    result = folder.run("setup", *arguments)
    assert result.exit_code in (1, 2)
    assert expected in result.output
    assert "would" not in result.output


def test_wrong_operator_token_and_a_short_password(fresh: Influx, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "etc", fresh.process.url)
    folder.write("short", "abc")
    result = folder.run(
        "setup", "--username", "a", "--password-file", "short", "--token-file", "operator-token"
    )
    assert result.exit_code == 1
    assert "password" in result.output
    assert not folder.tokens()
    fresh.onboard()
    folder.write("operator-token", "wrong")
    result = folder.run("setup", "--token-file", "operator-token")
    assert result.exit_code == 1
    assert "unauthorized access (HTTP 401)" in result.output


def test_version_1_gets_databases(version_1: Influx, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "etc", version_1.process.url)
    folder.configure(
        f"influxdb: {{url: '{version_1.process.url}', auth: none, "
        "tenants: {globex: {bucket: calls/year}}}\n"
    )
    planned = folder.run("setup", "--dry-run")
    assert "would create  database asterpanel-acme" in planned.output
    assert "would create  retention policy year of database calls" in planned.output
    done = folder.run("setup", "--retention", "365d")
    assert "has no tokens" in done.output
    assert "1.6.7~rc0 lacks the write API that the exporter uses; it needs 1.8 or later" in done.output
    [series] = version_1.influxql("", "SHOW DATABASES")
    assert {"asterpanel-acme", "calls"} <= {row[0] for row in series["values"]}
    [series] = version_1.influxql("calls", 'SHOW RETENTION POLICIES ON "calls"')
    assert ["year", "8760h0m0s"] in [row[:2] for row in series["values"]]
    again = folder.run("setup", "--retention", "365d")
    assert "create" not in again.output


def test_nobody_answers(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "etc", "http://127.0.0.1:9")
    result = folder.run("setup", "--token-file", "secret")
    assert result.exit_code == 1
    assert "InfluxDB at http://127.0.0.1:9 cannot be reached: Connection refused" in result.output


def test_without_the_section(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "etc", "http://127.0.0.1:9")
    folder.configure("")
    for arguments in (("setup",), ("check",)):
        result = folder.run(*arguments)
        assert result.exit_code == 1
        assert "the configuration has no section influxdb" in result.output
