"""``profiles.yml``, as its author meets it: what is accepted, how mistakes are told, when it is reloaded."""

import itertools
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from asterpanel_control_api.access.profiles import (
    Profiles,
    load_profiles,
    profile_warnings,
)
from asterpanel_control_api.access.reloading import ProfilesFile
from asterpanel_control_api.access.rights import Right, Role
from asterpanel_switchboard.config.section import keys_of
from asterpanel_switchboard.errors import ConfigError
from tests.unit.control_people import grafana_user, token_user

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "profiles.example.yml"


def load(folder: Path, text: str) -> Profiles:
    path = folder / "profiles.yml"
    path.write_text(text, encoding="utf-8")
    return load_profiles(path)


def problems(folder: Path, text: str) -> list[str]:
    """The lines that a user sees, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return [line.removeprefix(f"{folder}/") for line in caught.value.lines()]


def members(folder: Path, *lines: str) -> list[str]:
    """Problems of one profile with these members, by what follows the place of the members."""
    text = "".join(f"    - {line}\n" for line in lines)
    head = "tenants:\n default:\n  profiles:\n   a:\n    members:\n"
    return [line.split("tenants.default.profiles.a.members", 1)[1] for line in problems(folder, head + text)]


class TestAccepted:
    def test_the_example_is_valid_and_has_every_key(self) -> None:
        profiles = load_profiles(EXAMPLE)
        assert list(profiles.tenants["default"].profiles) == ["billing", "wallboard", "management"]
        text = EXAMPLE.read_text(encoding="utf-8")
        written = set(_keys(yaml.safe_load(text)))
        assert set().union(*(keys_of(model) for model in _sections(Profiles))) <= written
        assert list(profile_warnings(profiles, {"milano": "default", "torino": "default"})) == []

    def test_roles_and_defaults(self, tmp_path: Path) -> None:
        profiles = load(
            tmp_path,
            "tenants: {default: {profiles: {a: {members: [{login: anna, role: viewer}]}, b: {}}}}",
        )
        profile = profiles.tenants["default"].profiles["a"]
        assert (profile.switchboards, profile.queues, profile.agents) == (("*",), ("*",), ("*",))
        assert (profile.display_name, profile.description, profile.members[0].agent) == (None, "", None)
        assert profiles.tenants["default"].profiles["b"].members == ()

    def test_sections_with_every_line_commented_out(self, tmp_path: Path) -> None:
        assert load(tmp_path, "tenants:\n").tenants == {}
        assert load(tmp_path, "tenants: {default: {profiles: , callers: }}").tenants["default"].profiles == {}
        profiles = load(tmp_path, "tenants: {default: {profiles: {a: {members: , callers: }}}}")
        assert profiles.tenants["default"].profiles["a"].members == ()

    @pytest.mark.parametrize(
        ("written", "agent"),
        [
            ('"1001"', {"*": "1001"}),
            ('{milano: "1001", torino: anna}', {"milano": "1001", "torino": "anna"}),
            ('{milano: "1001", "*": "2001"}', {"milano": "1001", "*": "2001"}),
        ],
    )
    def test_the_agent_that_somebody_is(self, tmp_path: Path, written: str, agent: dict[str, str]) -> None:
        profiles = load(
            tmp_path,
            "tenants: {default: {profiles: {a: {members: [{login: x, role: agent, agent: "
            f"{written}}}]}}}}}}}}",
        )
        assert profiles.tenants["default"].profiles["a"].members[0].agent == agent

    def test_callers_by_role_of_the_profile_over_the_tenants(self, tmp_path: Path) -> None:
        tenant = load(
            tmp_path,
            """\
tenants:
  default:
    callers: {supervisor: masked, viewer: shown}
    profiles:
      a: {callers: {viewer: masked, agent: shown}}
      b: {}
""",
        ).tenants["default"]
        shown = {
            (name, role)
            for name, profile in tenant.profiles.items()
            for role in Role
            if Right.SEE_CALLERS in tenant.rights(profile, role)
        }
        assert shown == {
            ("a", Role.MASTER), ("a", Role.AGENT), ("b", Role.MASTER), ("b", Role.VIEWER),
        }  # fmt: skip


class TestRefused:
    def test_everything_that_is_wrong_at_once_with_its_place(self, tmp_path: Path) -> None:
        text = """\
tenants:
  Default: {}
  default:
    callers: {boss: shown, viewer: hidden}
    profile: {}
    profiles:
      Billing: {}
      billing:
        queue: ["*"]
        queues: billing
        agents: []
        switchboards:
        members:
          - {login: anna, role: chief}
          - {login: anna, email: a@example.com, role: viewer}
          - {role: viewer}
          - {login: bruno, role: agent}
          - {login: carla, role: agent, agent: 1001}
          - {login: dario, role: agent, agent: {Milano: "1", torino: 2}}
          - {login: elena, role: agent, agent: [1]}
          - {login: 1001, role: viewer}
          - {email: nobody, role: viewer}
          - {login: "a\\nb", role: viewer}
          - {login: franco, rolle: viewer}
          - {login: gina, role: agent, agent: {}}
        queues: ["*"]
"""
        prefix = "tenants.default.profiles"
        assert problems(tmp_path, text) == [
            "profiles.yml:2:3: tenants.Default: must be 1 to 63 lower-case letters, digits and dashes, not "
            "starting with a dash",
            "profiles.yml:4:15: tenants.default.callers.boss: must be 'master', 'supervisor', 'agent' or "
            "'viewer'",
            "profiles.yml:4:36: tenants.default.callers.viewer: must be 'shown' or 'masked'",
            "profiles.yml:5:5: tenants.default.profile: unknown key (did you mean 'profiles'?)",
            f"profiles.yml:7:7: {prefix}.Billing: must be 1 to 63 lower-case letters, digits and dashes, not "
            "starting with a dash",
            f"profiles.yml:9:9: {prefix}.billing.queue: unknown key (did you mean 'queues'?)",
            f"profiles.yml:11:17: {prefix}.billing.agents: needs at least one entry",
            f"profiles.yml:12:9: {prefix}.billing.switchboards: has no value",
            f"profiles.yml:14:33: {prefix}.billing.members[0].role: must be 'master', 'supervisor', 'agent' "
            "or 'viewer'",
            f"profiles.yml:15:13: {prefix}.billing.members[1]: needs exactly one of login and email",
            f"profiles.yml:16:13: {prefix}.billing.members[2]: needs exactly one of login and email",
            f"profiles.yml:17:13: {prefix}.billing.members[3]: the role agent needs `agent`: which agent "
            'this person is, as in agent: "1001"',
            f'profiles.yml:18:48: {prefix}.billing.members[4].agent: must be text: put it in quotes, "1001"',
            f"profiles.yml:19:49: {prefix}.billing.members[5].agent.Milano: must be 1 to 63 lower-case "
            "letters, digits and dashes, not starting with a dash",
            f"profiles.yml:19:70: {prefix}.billing.members[5].agent.torino: must be text (put it in quotes)",
            f'profiles.yml:20:48: {prefix}.billing.members[6].agent: must be an agent, "1001", or a section '
            "with one for each switchboard",
            f"profiles.yml:21:21: {prefix}.billing.members[7].login: must be text (put it in quotes)",
            f"profiles.yml:22:21: {prefix}.billing.members[8].email: must be an e-mail address",
            f"profiles.yml:23:21: {prefix}.billing.members[9].login: must not contain control characters",
            f"profiles.yml:24:13: {prefix}.billing.members[10].role: required key is missing",
            f"profiles.yml:24:29: {prefix}.billing.members[10].rolle: unknown key (did you mean 'role'?)",
            f"profiles.yml:25:13: {prefix}.billing.members[11]: the role agent needs `agent`: which agent "
            'this person is, as in agent: "1001"',
            f"profiles.yml:26:9: {prefix}.billing.queues: duplicate key (first on line 10)",
        ]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", "profiles.yml:1:1: tenants: required key is missing"),
            ("- a", "profiles.yml:1:1: must be a section: lines of `key: value`"),
            ("tenants: [", "profiles.yml:1:11: not valid YAML"),
        ],
    )
    def test_file_that_holds_no_profiles(self, tmp_path: Path, text: str, expected: str) -> None:
        assert problems(tmp_path, text)[0].startswith(expected)

    def test_the_same_person_twice_in_a_profile(self, tmp_path: Path) -> None:
        assert members(tmp_path, "{login: anna, role: viewer}", "{login: ANNA, role: agent, agent: '1'}") == [
            ": 'ANNA' is named twice"
        ]


class TestWhoIsWho:
    TEXT = """\
tenants:
  default:
    profiles:
      a:
        members:
          - {login: Anna, role: viewer}
          - {email: bruno@example.com, role: viewer}
          - {login: carla@example.com, role: viewer}
          - {login: sam, role: viewer}
  other:
    profiles:
      b: {members: [{login: dario, role: master}]}
"""

    @pytest.mark.parametrize(
        ("login", "email", "is_member"),
        [
            ("anna", "", True),
            ("ANNA", "x@example.com", True),
            ("annab", "", False),
            ("", "", False),
            ("x", "Bruno@Example.com", True),
            # A login is no e-mail address, and the other way round: one can be chosen by its user.
            ("bruno@example.com", "", False),
            ("x", "carla@example.com", False),
            ("carla@example.com", "", True),
            # Letters that only full case folding makes the same.
            ("\u017fam", "", False),
            ("dario", "", False),
        ],
    )
    def test_who_is_a_member(self, tmp_path: Path, login: str, email: str, is_member: bool) -> None:
        profiles = load(tmp_path, self.TEXT)
        found = list(profiles.memberships(grafana_user(login, email)))
        assert [name for name, *_ in found] == ["a"] * is_member

    def test_other_tenants_and_tokens_have_no_profile_here(self, tmp_path: Path) -> None:
        profiles = load(tmp_path, self.TEXT)
        assert not list(profiles.memberships(grafana_user("anna", tenant="other")))
        assert not list(profiles.memberships(grafana_user("anna", tenant="nowhere")))
        assert not list(profiles.memberships(token_user("master", login="anna")))


def test_doubtful_things(tmp_path: Path) -> None:
    profiles = load(
        tmp_path,
        """\
tenants:
  nobody: {}
  default:
    profiles:
      a:
        switchboards: ["milano", "torrino*"]
        members:
          - {login: anna, role: master}
          - {login: bruno, role: agent, agent: {roma: "1"}}
""",
    )
    switchboards = {"milano": "default", "roma": "other"}
    assert list(profile_warnings(profiles, switchboards)) == [
        "tenants.nobody: no configured switchboard has this tenant",
        "tenants.default.profiles.a.switchboards: 'torrino*' matches no configured switchboard of the tenant",
        "tenants.default.profiles.a.members[0]: 'anna' is a master and has the whole tenant, not only what "
        "this profile names; a supervisor has the profile",
        "tenants.default.profiles.a.members[1].agent: 'roma' is no configured switchboard of the tenant",
    ]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class TestReload:
    ONE = "tenants: {one: {}}\n"
    TWO = "tenants: {two: {}}\n"
    BROKEN = "tenants: {two: {profile: {}}, Three: {}}\n"

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def file(self, tmp_path: Path, clock: Clock) -> ProfilesFile:
        path = tmp_path / "profiles.yml"
        path.write_text(self.ONE)
        return ProfilesFile(path, clock=clock, wall_clock=clock)

    @staticmethod
    def tenants(file: ProfilesFile) -> list[str]:
        return list(file.current().tenants)

    def test_a_file_that_is_wrong_from_the_start(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no such file"):
            ProfilesFile(tmp_path / "profiles.yml")

    def test_a_change_is_seen_within_a_second(self, file: ProfilesFile, clock: Clock) -> None:
        before = file.current()
        file.path.write_text(self.TWO)
        clock.now += 0.9
        assert file.current() is before
        clock.now += 0.2
        assert self.tenants(file) == ["two"]
        assert (file.loaded_at, file.reload_failures, file.is_current) == (clock.now, 0, True)

    def test_an_unchanged_file_is_not_read_again(self, file: ProfilesFile, clock: Clock) -> None:
        before = file.current()
        for _ in range(3):
            clock.now += 5
            assert file.current() is before
        assert file.loaded_at == 100

    def test_a_file_of_the_same_size_and_age_put_in_its_place(self, file: ProfilesFile, clock: Clock) -> None:
        status = file.path.stat()
        other = file.path.with_name("new")
        other.write_text(self.TWO)
        os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
        other.replace(file.path)
        clock.now += 2
        assert self.tenants(file) == ["two"]

    def test_a_broken_file_is_refused_once_and_the_old_one_stays(
        self, file: ProfilesFile, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        file.path.write_text(self.BROKEN)
        for _ in range(3):
            clock.now += 2
            assert self.tenants(file) == ["one"]
        assert (file.loaded_at, file.reload_failures, file.is_current) == (100, 1, False)
        [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert "the old ones stay in force" in record.getMessage()
        assert "profiles.yml:1:17: tenants.two.profile: unknown key" in record.getMessage()
        assert "profiles.yml:1:31: tenants.Three: must be" in record.getMessage()
        file.path.write_text(self.TWO)
        clock.now += 2
        assert self.tenants(file) == ["two"]
        assert (file.reload_failures, file.is_current) == (1, True)

    def test_a_file_that_has_gone_is_no_empty_one(self, file: ProfilesFile, clock: Clock) -> None:
        file.path.unlink()
        for _ in range(2):
            clock.now += 2
            assert self.tenants(file) == ["one"]
        assert (file.reload_failures, file.is_current) == (1, False)

    def test_many_threads_while_it_changes(self, file: ProfilesFile) -> None:
        ticks = itertools.count(200)
        eager = ProfilesFile(file.path, clock=lambda: float(next(ticks) * 10))
        seen: list[Any] = []

        def read() -> None:
            seen.extend(tuple(eager.current().tenants) for _ in range(200))

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for text in (self.TWO, self.ONE) * 10:
            new = file.path.with_name("new")
            new.write_text(text)
            new.replace(file.path)
        for thread in threads:
            thread.join()
        assert set(seen) <= {("one",), ("two",)}
        assert eager.reload_failures == 0
        assert list(eager.current().tenants) == ["one"]


def _sections(model: type[BaseModel]) -> set[type[BaseModel]]:
    def inside(annotation: Any) -> set[type[BaseModel]]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return _sections(annotation)
        return set().union(*(inside(argument) for argument in get_args(annotation)))

    return {model}.union(*(inside(field.annotation) for field in model.model_fields.values()))


def _keys(data: object) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _keys(value)
    elif isinstance(data, list):
        for item in data:
            yield from _keys(item)
