"""Bearer tokens: the file of hashes, the commands that write it, and the service that reads it."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_control_api.access.rights import Role
from asterpanel_control_api.identity.refusals import Reason, Refused
from asterpanel_control_api.identity.tokens import (
    NewToken,
    Tokens,
    TokensError,
    add_token,
    list_tokens,
    make_token,
    revoke_token,
)
from asterpanel_control_api.token_commands import token

NOW = 1_800_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control-tokens.json"


def new_token(name: str = "wallboard", **more: Any) -> NewToken:
    return make_token(name, "default", more.pop("role", Role.VIEWER), created_at=NOW, **more)


def made(path: Path, name: str = "wallboard", **more: Any) -> str:
    new = new_token(name, **more)
    add_token(path, new.stored)
    return new.text


def reason(tokens: Tokens, text: str) -> Reason:
    with pytest.raises(Refused) as caught:
        tokens.find(text)
    assert text[-20:] not in caught.value.detail or len(text) < 20
    return caught.value.reason


class TestFile:
    def test_a_token_and_what_is_kept_of_it(self, path: Path) -> None:
        text = made(path, switchboards=("milano",), queues=("sales*", "billing"), expires_at=NOW + 60)
        assert re.fullmatch(r"ast_wallboard_[A-Za-z0-9_-]{43}", text)
        assert path.stat().st_mode & 0o777 == 0o600
        [stored] = list_tokens(path)
        assert (stored.name, stored.tenant, stored.role) == ("wallboard", "default", Role.VIEWER)
        assert (stored.last_four, stored.created_at, stored.expires_at) == (text[-4:], NOW, NOW + 60)
        assert (stored.switchboards, stored.queues, stored.agents) == (
            ("milano",),
            ("sales*", "billing"),
            ("*",),
        )
        assert text[-40:-4] not in path.read_text()

    def test_no_two_are_the_same(self) -> None:
        assert len({new_token().text for _ in range(100)}) == 100

    def test_a_name_is_there_once(self, path: Path) -> None:
        first = made(path)
        with pytest.raises(TokensError, match="a token wallboard already"):
            made(path)
        revoke_token(path, "wallboard")
        assert made(path) != first

    def test_revoking_what_is_not_there(self, path: Path) -> None:
        with pytest.raises(TokensError, match="there is no token"):
            revoke_token(path, "wallboard")
        assert not path.exists()

    @pytest.mark.parametrize("name", ["", "Wallboard", "wall_board", "-a", "a b", "a\n", "ä", "a" * 64])
    def test_names_that_cannot_be(self, name: str) -> None:
        with pytest.raises(TokensError, match="name: "):
            new_token(name)

    @pytest.mark.parametrize("more", [{"queues": ()}, {"queues": ("",)}, {"expires_at": float("nan")}])
    def test_limits_that_cannot_be(self, more: dict[str, Any]) -> None:
        with pytest.raises(TokensError, match="this token cannot be"):
            new_token(**more)

    def test_many_writers_lose_nothing(self, path: Path) -> None:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda number: made(path, f"t{number}"), range(40)))
        assert {stored.name for stored in list_tokens(path)} == {f"t{number}" for number in range(40)}
        assert {file.name for file in path.parent.iterdir()} == {path.name, f".{path.name}.lock"}

    def test_a_failed_write_leaves_the_old_file(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made(path)
        before = path.read_bytes()

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(TokensError, match="cannot be written: No space left"):
            made(path, "another")
        assert path.read_bytes() == before
        assert {file.name for file in path.parent.iterdir()} == {path.name, f".{path.name}.lock"}

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(TokensError, match="cannot be made: No such file"):
            made(tmp_path / "nowhere/tokens.json")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_root_does_not_take_the_file_from_the_service(self, tmp_path: Path) -> None:
        folder = tmp_path / "var"
        folder.mkdir()
        os.chown(folder, 65532, 65533)
        path = folder / "tokens.json"
        made(path)
        for file in folder.iterdir():
            assert (file.stat().st_uid, file.stat().st_gid) == (65532, 65533)
        os.chown(path, 1234, 1234)
        made(path, "another")
        assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (1234, 0o600)


class TestService:
    def test_it_finds_a_token_by_its_text_alone(self, path: Path) -> None:
        first, second = made(path, "first"), made(path, "second", role=Role.MASTER)
        tokens = Tokens(path, lambda: NOW)
        assert tokens.find(first).name == "first"
        assert tokens.find(second).grant.role == "master"
        wrong = (
            "", "ast_", "ast_first", "ast_first_", first[:-1], f"{first}x", f"{first}\n", first.upper(),
            first.replace("first", "second"), first.removeprefix("ast_"), f"ast_{first}", "\ud800",
            json.loads(path.read_text())["tokens"][0]["sha256"],
        )  # fmt: skip
        assert {reason(tokens, text) for text in wrong} == {Reason.UNKNOWN_SECRET}

    def test_it_notices_what_the_commands_do(self, path: Path) -> None:
        tokens = Tokens(path, lambda: NOW)
        assert reason(tokens, "ast_wallboard_x") is Reason.UNKNOWN_SECRET
        text = made(path)
        assert tokens.find(text).name == "wallboard"
        revoke_token(path, "wallboard")
        assert reason(tokens, text) is Reason.UNKNOWN_SECRET
        path.unlink()
        assert reason(tokens, text) is Reason.UNKNOWN_SECRET

    def test_whether_a_grant_still_holds(self, path: Path) -> None:
        text = made(path, expires_at=NOW + 60)
        tokens = Tokens(path, lambda: NOW)
        grant = tokens.find(text).grant
        assert tokens.holds(grant)
        assert not Tokens(path, lambda: NOW + 60).holds(grant)
        revoke_token(path, "wallboard")
        assert not tokens.holds(grant)
        made(path, queues=("sales",))
        assert not tokens.holds(grant)
        path.write_text("{")
        assert not tokens.holds(grant)

    def test_the_end_of_a_token(self, path: Path) -> None:
        text = made(path, expires_at=NOW + 60)
        assert Tokens(path, lambda: NOW + 59.9).find(text).name == "wallboard"
        assert reason(Tokens(path, lambda: NOW + 60), text) is Reason.TOKEN_EXPIRED

    @pytest.mark.parametrize(
        "content",
        [
            "", "{", "[]", "null", '{"version": 2}', '{"tokens": [{}]}', '{"tokens": [], "more": 1}', "\xff",
            " " * 5_000_000,
        ],
    )  # fmt: skip
    def test_a_broken_file_gives_no_tokens_until_it_is_mended(
        self, path: Path, content: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        text = made(path)
        good = path.read_bytes()
        tokens = Tokens(path, lambda: NOW)
        assert tokens.find(text).name == "wallboard"
        path.write_bytes(content.encode("latin-1"))
        for _ in range(3):
            assert reason(tokens, text) is Reason.TOKENS_UNREADABLE
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert "no bearer token is accepted until that is mended" in caplog.text
        path.write_bytes(good)
        assert tokens.find(text).name == "wallboard"

    def test_a_role_or_a_hash_that_is_none(self, path: Path) -> None:
        text = made(path)
        content = path.read_text()
        tokens = Tokens(path, lambda: NOW)
        for old, new in (('"viewer"', '"root"'), ('"sha256": "', '"sha256": "0'), ("wallboard", "Wall")):
            path.write_text(content.replace(old, new))
            assert reason(tokens, text) is Reason.TOKENS_UNREADABLE
        two = json.loads(content)
        path.write_text(json.dumps(two | {"tokens": two["tokens"] * 2}))
        assert reason(tokens, text) is Reason.TOKENS_UNREADABLE

    def test_a_file_that_everybody_can_write(self, path: Path) -> None:
        text = made(path)
        path.chmod(0o606)
        assert reason(Tokens(path, lambda: NOW), text) is Reason.TOKENS_UNREADABLE

    @given(st.text() | st.text(alphabet="ast_wlbord-").map(lambda text: f"ast_{text}"))
    def test_no_text_is_a_token(self, tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
        path = tmp_path_factory.getbasetemp() / "any-tokens.json"
        if not path.exists():
            made(path)
        assert reason(Tokens(path, lambda: NOW), text) is Reason.UNKNOWN_SECRET


class TestCommands:
    @pytest.fixture
    def config(self, tmp_path: Path) -> Path:
        config = tmp_path / "asterpanel.yml"
        config.write_text(
            "switchboards:\n"
            "  milano: {host: 127.0.0.1, username: a, secret_file: not-readable-here}\n"
            "  torino: {tenant: acme, host: 127.0.0.2, username: a, secret_env: NOT_SET_HERE}\n"
            "control_api:\n"
            "  tenants: {acme: {route_secret_env: NOT_SET_HERE, grafana: {url: 'https://g'}}}\n"
        )
        return config

    @staticmethod
    def run(config: Path, *arguments: str) -> Result:
        return CliRunner().invoke(token, arguments, obj=config, prog_name="asterpanel-control-api token")

    def test_from_its_making_to_its_end(self, config: Path, path: Path) -> None:
        done = self.run(config, "create", "wallboard", "--role", "viewer", "--queues", "sales*",
                        "--queues", "billing", "--expires", "30d")  # fmt: skip
        assert done.exit_code == 0, done.output
        text = done.stdout.strip()
        assert "role viewer, queues sales* billing, made " in done.stderr
        assert text not in done.stderr
        tokens = Tokens(path, lambda: NOW - 1e9)
        assert tokens.find(text).grant.queues == ("sales*", "billing")

        listed = self.run(config, "list")
        assert listed.stdout.startswith(
            "wallboard: tenant default, role viewer, queues sales* billing, made "
        )
        assert listed.stdout.endswith(f"ends in {text[-4:]}\n")
        assert text not in listed.output

        assert self.run(config, "revoke", "wallboard").stdout == (
            f"token wallboard (…{text[-4:]}) is revoked\n"
        )
        assert reason(tokens, text) is Reason.UNKNOWN_SECRET
        assert self.run(config, "revoke", "wallboard").exit_code == 1
        assert "no tokens in" in self.run(config, "list").stderr

    def test_for_ever_and_expired(self, config: Path, path: Path) -> None:
        self.run(config, "create", "cron", "--tenant", "acme", "--role", "master", "--expires", "never")
        made(path, "old", expires_at=1_000_000_000.0)
        forever, expired = self.run(config, "list").stdout.splitlines()
        assert "tenant acme, role master, made " in forever
        assert "never expires" in forever
        assert "EXPIRED 2001-09-09 01:46 UTC" in expired

    @pytest.mark.parametrize(
        ("arguments", "code", "expected"),
        [
            (["create", "a", "--role", "viewer"], 2, "Missing option '--expires'"),
            (["create", "a", "--role", "agent", "--expires", "1d"], 2, "'agent' is not one of"),
            (["create", "a", "--role", "viewer", "--expires", "soon"], 2, "must be a duration"),
            (["create", "a", "--role", "viewer", "--expires", "0"], 2, "longer than nothing"),
            (["create", "a", "--role", "viewer", "--expires", "9999999w"], 2, "at most 10 years"),
            (["create", "A", "--role", "viewer", "--expires", "1d"], 1, "name: "),
            (["create", "a", "--role", "viewer", "--expires", "1d", "--tenant", "acmee"], 1,
             "no switchboard has the tenant 'acmee'; there are: acme, default"),
            (["revoke", "nobody"], 1, "there is no token 'nobody'"),
        ],
    )  # fmt: skip
    def test_wrong_usage(
        self, config: Path, path: Path, arguments: list[str], code: int, expected: str
    ) -> None:
        done = self.run(config, *arguments)
        assert (done.exit_code, expected in done.stderr) == (code, True), done.output
        assert not path.exists()

    def test_a_configuration_that_cannot_be_used(self, config: Path) -> None:
        config.write_text("switchboards: {milano: {host: 127.0.0.1, username: a, secret_env: A}}\n")
        assert "no section control_api" in self.run(config, "list").stderr
        config.write_text("switchboards:\n")
        assert self.run(config, "list").exit_code == 3
