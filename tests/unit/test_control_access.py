"""Who may see and do what, and how it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_control_api.access.globs import Globs
from asterpanel_control_api.access.profiles import Profiles, load_profiles
from asterpanel_control_api.access.rights import ROLE_RIGHTS, Right, Role, rights_table
from asterpanel_control_api.access.viewpoint import Viewpoint
from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.people import Person
from tests.unit.control_documents import Document, filtered, live_state
from tests.unit.control_people import grafana_user, token_user

PROFILES = """\
tenants:
  default:
    profiles:
      billing:
        display_name: Billing team
        switchboards: [milano]
        queues: ["billing*"]
        agents: ["1*"]
        members:
          - {login: sofia, role: supervisor, agent: "1009"}
          - {login: alice, role: agent, agent: "1001"}
          - {login: victor, role: viewer}
          - {login: ursula, role: supervisor}
      sales:
        queues: [sales]
        agents: ["2*"]
        members:
          - {login: ursula, role: viewer}
          - {login: uma, role: agent, agent: {torino: "2001"}}
      management:
        queues: [billing]
        members: [{login: marta, role: master}]
"""
SWITCHBOARDS = ("milano", "torino", "roma")
LIVE = live_state(
    {
        "billing": ["1001", "1002", "2001"],
        "billing-night": ["1002"],
        "sales": ["2001", "2002", "1003"],
    },
    {"billing": ["+390551234567"], "sales": ["+390559999999"]},
)
CALLER = LIVE["queues"]["billing"]["waiting"][0]["uniqueid"]
OTHERS_CALLER = LIVE["queues"]["sales"]["waiting"][0]["uniqueid"]
PEOPLE = ("marta", "sofia", "alice", "victor", "ursula", "uma", "nobody")


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Profiles:
    path = tmp_path_factory.mktemp("profiles") / "profiles.yml"
    path.write_text(PROFILES)
    return load_profiles(path)


@pytest.fixture(scope="module")
def see(profiles: Profiles) -> Any:
    def viewpoint(who: str | Person) -> Viewpoint:
        return Viewpoint(grafana_user(who) if isinstance(who, str) else who, profiles, SWITCHBOARDS)

    return viewpoint


def refusal(
    viewpoint: Viewpoint, right: Right, *, switchboard: str = "milano", live: Document = LIVE, **named: Any
) -> dict[str, Any] | None:
    """The error's body, or None if it is allowed."""
    try:
        viewpoint.require(right, switchboard, live, **named)
    except ApiError as error:
        return dict(error.body["error"])
    return None


def answer(viewpoint: Viewpoint, right: Right, **named: Any) -> str:
    """ok, or the id of the error with the right that it names."""
    body = refusal(viewpoint, right, **named)
    if body is None:
        return "ok"
    return " ".join([body["id"], *filter(None, [body["detail"].get("right")])])


MATRIX: list[tuple[str, Right, dict[str, Any], str]] = [
    # who, right, what is named, answer
    ("marta", Right.PAUSE, {"agent": "2002"}, "ok"),
    ("marta", Right.EDIT_MEMBERS, {"queue": "sales", "agent": "1003"}, "ok"),
    ("sofia", Right.SEE, {"queue": "billing"}, "ok"),
    ("sofia", Right.PAUSE, {"agent": "1001"}, "ok"),
    ("sofia", Right.PAUSE, {"agent": "1001", "queue": "billing"}, "ok"),
    ("sofia", Right.MOVE_CALLERS, {"queue": "billing", "caller": CALLER}, "ok"),
    ("sofia", Right.EDIT_MEMBERS, {"queue": "billing", "agent": "1999", "new_agent": True}, "ok"),
    ("sofia", Right.EDIT_MEMBERS, {"queue": "billing", "agent": "2999", "new_agent": True}, "not_found"),
    ("sofia", Right.EDIT_MEMBERS, {"queue": "billing", "agent": "2001", "new_agent": True}, "not_found"),
    ("sofia", Right.EDIT_MEMBERS, {"queue": "billing", "agent": "1999"}, "not_found"),
    ("sofia", Right.EDIT_MEMBERS, {"queue": "sales", "agent": "1001"}, "not_found"),
    # In a profile's globs, but in none of its queues.
    ("sofia", Right.PAUSE, {"agent": "1003"}, "not_found"),
    ("sofia", Right.PAUSE, {"agent": "2001"}, "not_found"),
    ("sofia", Right.MOVE_CALLERS, {"queue": "billing", "caller": OTHERS_CALLER}, "not_found"),
    # Another spelling is no way around.
    ("sofia", Right.SEE, {"queue": "SALES"}, "not_found"),
    ("sofia", Right.SEE, {"queue": "BILLING"}, "not_found"),
    ("alice", Right.SEE_OWN, {"queue": "billing"}, "ok"),
    ("alice", Right.PAUSE_SELF, {"agent": "1001"}, "ok"),
    ("alice", Right.PAUSE, {"agent": "1001"}, "ok"),
    ("alice", Right.PAUSE, {"agent": "1001", "queue": "billing"}, "ok"),
    ("alice", Right.PAUSE, {"agent": "1001", "queue": "billing-night"}, "not_found"),
    ("alice", Right.PAUSE, {"agent": "1002"}, "not_found"),
    ("alice", Right.EDIT_MEMBERS, {"agent": "1001", "queue": "billing"}, "forbidden edit_members"),
    ("alice", Right.MOVE_CALLERS, {"queue": "billing", "caller": CALLER}, "forbidden move_callers"),
    ("victor", Right.SEE, {"queue": "billing-night"}, "ok"),
    ("victor", Right.PAUSE, {"agent": "1001"}, "forbidden pause"),
    ("victor", Right.EDIT_MEMBERS, {"agent": "1001", "queue": "billing"}, "forbidden edit_members"),
    ("victor", Right.MOVE_CALLERS, {"queue": "billing", "caller": CALLER}, "forbidden move_callers"),
    ("victor", Right.MOVE_CALLERS, {"queue": "billing", "caller": "1.1"}, "forbidden move_callers"),
    ("victor", Right.SEE, {"queue": "sales"}, "not_found"),
    # Each right within its own profile: both are in sight, no profile has both.
    ("ursula", Right.PAUSE, {"agent": "1001"}, "ok"),
    ("ursula", Right.PAUSE, {"agent": "2001"}, "forbidden pause"),
    ("ursula", Right.EDIT_MEMBERS, {"queue": "sales", "agent": "1001"}, "forbidden edit_members"),
    ("ursula", Right.EDIT_MEMBERS, {"queue": "billing", "agent": "2001"}, "forbidden edit_members"),
    # What is about oneself is about nobody else, even if others are in sight.
    ("ursula", Right.PAUSE_SELF, {"agent": "1001"}, "forbidden pause_self"),
    ("sofia", Right.PAUSE_SELF, {"agent": "1001"}, "forbidden pause_self"),
    ("sofia", Right.PAUSE_SELF, {"agent": "1009"}, "not_found"),
    ("uma", Right.PAUSE, {"agent": "2001"}, "not_found"),
    ("uma", Right.PAUSE, {"switchboard": "torino", "agent": "2001"}, "ok"),
    ("nobody", Right.SEE, {}, "not_found"),
    ("marta", Right.SEE, {"switchboard": "napoli"}, "not_found"),
]


def only_in_sight(viewpoint: Viewpoint, switchboard: str) -> Document:
    """The live state as it would be if there were nothing that is hidden."""
    if switchboard not in viewpoint.switchboards():
        return {**LIVE, "queues": {}, "agents": {}}
    view = filtered(viewpoint.scope(switchboard), LIVE)
    return {
        **LIVE,
        "queues": {
            name: {
                **LIVE["queues"][name],
                "members": {key: LIVE["queues"][name]["members"][key] for key in queue["members"]},
            }
            for name, queue in view["queues"].items()
        },
        "agents": {
            agent: {**LIVE["agents"][agent], "queues": seen["queues"]}
            for agent, seen in view["agents"].items()
        },
    }


class TestRoles:
    def test_rights_by_role(self) -> None:
        everything = set(Right)
        assert {
            Role.MASTER: everything,
            Role.SUPERVISOR: everything,
            Role.AGENT: {Right.SEE_OWN, Right.PAUSE_SELF},
            Role.VIEWER: {Right.SEE_OWN, Right.SEE},
        } == ROLE_RIGHTS

    def test_the_table_of_the_documentation_has_every_right(self) -> None:
        lines = rights_table().splitlines()
        assert lines[0] == "| right | master | supervisor | agent | viewer | what it lets one do |"
        assert [line.split("`")[1] for line in lines[2:-1]] == [right.id for right in Right]
        assert "| `pause_self` | yes | yes | yes | – |" in lines[5]

    @pytest.mark.parametrize(
        ("who", "switchboards"),
        [
            ("marta", ("milano", "torino", "roma")),
            ("sofia", ("milano",)),
            ("alice", ("milano",)),
            ("victor", ("milano",)),
            ("ursula", ("milano", "torino", "roma")),
            ("uma", ("torino",)),
            ("nobody", ()),
        ],
    )
    def test_switchboards_in_sight(self, see: Any, who: str, switchboards: tuple[str, ...]) -> None:
        assert see(who).switchboards() == switchboards

    @pytest.mark.parametrize(("who", "right", "named", "expected"), MATRIX)
    def test_who_may_do_what(
        self, see: Any, who: str, right: Right, named: dict[str, Any], expected: str
    ) -> None:
        assert answer(see(who), right, **named) == expected

    def test_a_viewer_who_is_an_agent_lacks_the_right_for_himself(self, tmp_path: Path) -> None:
        path = tmp_path / "profiles.yml"
        path.write_text(
            "tenants: {default: {profiles: {a: {members: [{login: x, role: viewer, agent: '1001'}]}}}}"
        )
        viewpoint = Viewpoint(grafana_user("x"), load_profiles(path), SWITCHBOARDS)
        assert answer(viewpoint, Right.PAUSE, agent="1001") == "forbidden pause_self"


class TestTokens:
    def test_rights_of_the_role_within_the_globs(self, see: Any) -> None:
        viewpoint = see(token_user("supervisor", switchboards=("mil*",), queues=("billing",), agents=("1*",)))
        assert viewpoint.switchboards() == ("milano",)
        assert answer(viewpoint, Right.PAUSE, agent="1001", queue="billing") == "ok"
        assert answer(viewpoint, Right.PAUSE, agent="2001") == "not_found"
        assert answer(viewpoint, Right.SEE, queue="billing-night") == "not_found"

    def test_a_masters_token_is_limited_too(self, see: Any) -> None:
        viewpoint = see(token_user("master", queues=("sales",)))
        assert answer(viewpoint, Right.SEE, queue="billing") == "not_found"

    @pytest.mark.parametrize("role", ["", "Master", "admin", "agent"])
    def test_an_unknown_role_or_an_agent_who_is_nobody_sees_nothing(self, see: Any, role: str) -> None:
        assert see(token_user(role)).switchboards() == ()


class TestHiddenIsAsMissing:
    @pytest.mark.parametrize("who", PEOPLE)
    @given(
        right=st.sampled_from(Right),
        named=st.fixed_dictionaries(
            {"switchboard": st.sampled_from((*SWITCHBOARDS, "napoli"))},
            optional={
                "queue": st.sampled_from([*LIVE["queues"], "BILLING", "nothing"]),
                "agent": st.sampled_from([*LIVE["agents"], "1999", "2999"]),
                "caller": st.sampled_from([CALLER, OTHERS_CALLER, "1.1"]),
                "new_agent": st.booleans(),
            },
        ),
    )
    def test_what_is_hidden_makes_no_difference(
        self, see: Any, who: str, right: Right, named: dict[str, Any]
    ) -> None:
        """Every answer is the same if the switchboard holds only what is in sight."""
        viewpoint = see(who)
        in_sight = only_in_sight(viewpoint, named["switchboard"])
        assert refusal(viewpoint, right, **named) == refusal(viewpoint, right, live=in_sight, **named)
        if named["switchboard"] in viewpoint.switchboards():
            within = [
                viewpoint.queues_within(right, named["switchboard"], live, named.get("agent", ""))
                for live in (LIVE, in_sight)
            ]
            assert within[0] == within[1]

    def test_words(self, see: Any) -> None:
        hidden = refusal(see("sofia"), Right.PAUSE, agent="2001")
        missing = refusal(see("sofia"), Right.PAUSE, agent="2999")
        assert hidden == {
            "id": "not_found",
            "message": "there is no agent '2001' on 'milano', or none that you may see",
            "detail": {"switchboard": "milano", "agent": "2001"},
        }
        assert str(hidden).replace("2001", "2999") == str(missing)

    def test_a_hidden_switchboard_is_as_one_that_is_not_configured(self, see: Any) -> None:
        hidden = refusal(see("sofia"), Right.SEE, switchboard="torino", queue="billing")
        missing = refusal(see("sofia"), Right.SEE, switchboard="napoli", queue="billing")
        assert str(hidden).replace("torino", "napoli") == str(missing)
        with pytest.raises(ApiError) as caught:
            see("sofia").scope("torino")
        assert caught.value.id is ErrorId.NOT_FOUND

    def test_what_is_missing_is_said(self, see: Any) -> None:
        assert refusal(see("victor"), Right.PAUSE, agent="1001") == {
            "id": "forbidden",
            "message": "the right pause is missing here (pause and unpause agents); whoever keeps the "
            "profiles can give it",
            "detail": {"right": "pause", "switchboard": "milano", "agent": "1001"},
        }


class TestQueuesWithin:
    def test_a_supervisors_pause_stays_in_his_profile(self, see: Any) -> None:
        live = live_state({"billing": ["1001"], "sales": ["1001"]})
        within = see("sofia").queues_within(Right.PAUSE, "milano", live, "1001")
        assert within == ("billing",)
        assert see("marta").queues_within(Right.PAUSE, "milano", live, "1001") == ("billing", "sales")
        assert see("sofia").queues_within(Right.PAUSE, "milano", live, "1999") == ()

    def test_an_agents_own_pause(self, see: Any) -> None:
        live = live_state({"billing": ["1001"], "sales": ["1001"]})
        assert see("alice").queues_within(Right.PAUSE, "milano", live, "1001") == ("billing",)
        assert see("alice").queues_within(Right.EDIT_MEMBERS, "milano", live, "1001") == ()


class TestMe:
    def test_an_agent(self, see: Any) -> None:
        assert see("alice").me() == {
            "tenant": "default",
            "subject": "grafana:alice",
            "login": "alice",
            "email": "",
            "name": "Alice",
            "via": "id_token",
            "roles": ["agent"],
            "grants": [
                {
                    "profile": "billing",
                    "display_name": "Billing team",
                    "role": "agent",
                    "rights": ["see_own", "pause_self"],
                    "switchboards": ["milano"],
                    "queues": ["billing*"],
                    "agents": ["1*"],
                    "own": {"*": "1001"},
                }
            ],
            "switchboards": [{"name": "milano", "agent": "1001", "rights": ["see_own", "pause_self"]}],
        }

    def test_rights_about_oneself_only_for_who_is_an_agent(self, see: Any) -> None:
        boards = {board["name"]: board for board in see("ursula").me()["switchboards"]}
        assert boards["torino"] == {"name": "torino", "agent": "", "rights": ["see"]}
        assert boards["milano"]["rights"] == ["see", "see_callers", "pause", "edit_members", "move_callers"]

    def test_nobody(self, see: Any) -> None:
        me = see("nobody").me()
        assert (me["roles"], me["grants"], me["switchboards"]) == ([], [], [])


class TestGlobs:
    @pytest.mark.parametrize(
        ("patterns", "name", "matches"),
        [
            (("billing*",), "billing", True),
            (("billing*",), "Billing-Night", True),
            (("BILLING",), "billing", True),
            (("bill?ng",), "billing", True),
            (("[ab]*", "x"), "x", True),
            (("[!ab]*",), "alfa", False),
            (("billing",), "billing2", False),
            (("billing",), "billing\n", False),
            (("*",), "", True),
            (("k",), "\u212a", False),
            ((), "a", False),
            (("(a+)+$",), "a" * 60, False),
        ],
    )
    def test_match(self, patterns: tuple[str, ...], name: str, matches: bool) -> None:
        assert Globs(patterns).match(name) is matches
