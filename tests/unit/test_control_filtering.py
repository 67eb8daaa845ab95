"""What of the live state is shown to whom: nothing outside a scope, by any way, in any field."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterpanel_control_api.access.filtering import CommonViews, FilteredBoard, masked_number
from asterpanel_control_api.access.profiles import Profiles
from asterpanel_control_api.access.remembering import Remembered
from asterpanel_control_api.access.scope import Scope
from asterpanel_control_api.access.viewpoint import Viewpoint
from asterpanel_control_api.people import Person
from asterpanel_switchboard.config.targets import QueueTargets, TargetsRule, merged_targets
from asterpanel_switchboard.merge_patch import apply_merge_patch, merge_patch
from asterpanel_switchboard.service_level import DEFAULT_FORMULA, FORMULAS, Formula, ServiceLevelSums
from tests.unit.control_documents import (
    QUEUE_LEVELS,
    QUEUE_SUMS,
    QUEUE_TODAY,
    SERVICE,
    Document,
    common_views,
    filtered,
    live_state,
)
from tests.unit.control_people import grafana_user, token_user

NUMBER = "+390551234567"
LIVE = live_state(
    {"billing": ["1001", "1002", "2001"], "sales": ["2001", "1001"]},
    {"billing": [NUMBER], "sales": ["+390559999988"]},
)


def scope_of(*profiles: dict[str, Any], switchboard: str = "milano") -> Scope:
    """Of somebody who is in these profiles, each given with his ``role`` and ``agent``."""
    viewpoint = viewpoint_of(profiles)
    return viewpoint.scope(switchboard) if switchboard in viewpoint.switchboards() else Scope()


def viewpoint_of(profiles: Iterable[dict[str, Any]]) -> Viewpoint:
    sections = {
        f"p{number}": {
            **{key: value for key, value in profile.items() if key not in ("role", "agent")},
            "members": [
                {"login": "x"} | {key: profile[key] for key in ("role", "agent") if profile.get(key)}
            ],
        }
        for number, profile in enumerate(profiles)
    }
    file = Profiles.model_validate({"tenants": {"default": {"profiles": sections}}})
    return Viewpoint(grafana_user("x"), file, ["milano", "torino"])


class TestRoles:
    def test_a_master_sees_all_that_is_known_of(self) -> None:
        view = filtered(scope_of({"role": "master", "queues": ["none"]}), LIVE)
        expected = copy.deepcopy(LIVE)
        for queue in expected["queues"].values():
            queue |= {"today": QUEUE_TODAY, "levels": QUEUE_LEVELS}
            for caller in queue["waiting"]:
                del caller["channel"]
        assert view == expected

    def test_a_supervisor_sees_his_profile(self) -> None:
        view = filtered(scope_of({"role": "supervisor", "queues": ["billing"], "agents": ["1*"]}), LIVE)
        assert list(view["queues"]) == ["billing"]
        billing = view["queues"]["billing"]
        assert list(billing["members"]) == ["1001", "1002"]
        assert billing["waiting"][0]["caller"] == NUMBER
        assert billing["waiting"][0]["caller_name"] == f"Name of {NUMBER}"
        assert billing["today"] == QUEUE_TODAY
        assert list(view["agents"]) == ["1001", "1002"]
        assert view["agents"]["1001"]["queues"] == ["billing"]

    def test_a_call_of_a_hidden_agent_is_counted_and_not_named(self) -> None:
        view = filtered(scope_of({"role": "supervisor", "queues": ["billing"], "agents": ["1*"]}), LIVE)
        assert view["queues"]["billing"]["in_progress"] == [
            {"since": 1795390510.0, "agent": "1001", "uniqueid": "1795390001.0"},
            {"since": 1795390510.0, "agent": "1002", "uniqueid": "1795390001.1"},
            {"since": 1795390510.0, "uniqueid": "1795390001.2"},
        ]

    def test_an_agent_sees_himself_and_the_basics_of_his_own_queues(self) -> None:
        view = filtered(scope_of({"role": "agent", "agent": "1002"}), LIVE)
        assert list(view["queues"]) == ["billing"]
        billing = view["queues"]["billing"]
        assert billing["waiting"] == [{"position": 1, "since": 1795390500.0, "priority": 0, "caller": "…67"}]
        assert list(billing["members"]) == ["1002"]
        assert billing["in_progress"] == [
            {"since": 1795390510.0},
            {"since": 1795390510.0, "agent": "1002"},
            {"since": 1795390510.0},
        ]
        assert billing["today"] == QUEUE_TODAY
        assert list(view["agents"]) == ["1002"]
        assert view["agents"]["1002"]["today"] == {"answered": 5, "talk_s": 300.0, "no_answers": 1}

    def test_an_agent_who_is_in_no_queue_of_the_profile_sees_himself(self) -> None:
        view = filtered(scope_of({"role": "agent", "agent": "1002", "queues": ["sales"]}), LIVE)
        assert (list(view["queues"]), list(view["agents"])) == ([], ["1002"])
        assert view["agents"]["1002"]["queues"] == []

    def test_a_viewer_sees_agents_and_no_numbers(self) -> None:
        view = filtered(scope_of({"role": "viewer", "queues": ["billing"]}), LIVE)
        assert list(view["agents"]) == ["1001", "1002", "2001"]
        assert "uniqueid" not in json.dumps(view)
        assert NUMBER not in json.dumps(view)
        assert view["queues"]["billing"]["waiting"][0]["caller"] == "…67"

    def test_who_moves_callers_tells_them_apart_even_masked(self) -> None:
        view = filtered(scope_of({"role": "supervisor", "callers": {"supervisor": "masked"}}), LIVE)
        [caller] = view["queues"]["billing"]["waiting"]
        assert (caller["caller"], caller["uniqueid"]) == ("…67", f"1795390000.{NUMBER}")
        assert "caller_name" not in caller
        assert "uniqueid" not in view["queues"]["billing"]["in_progress"][0]

    def test_an_agents_callers_can_be_shown(self) -> None:
        profile = {"role": "agent", "agent": "1002", "callers": {"agent": "shown"}}
        [caller] = filtered(scope_of(profile), LIVE)["queues"]["billing"]["waiting"]
        assert caller["caller"] == NUMBER

    def test_sums_of_an_agent_with_a_hidden_queue_are_hidden(self) -> None:
        view = filtered(scope_of({"role": "supervisor", "queues": ["billing"]}), LIVE)
        assert {agent for agent, document in view["agents"].items() if "today" in document} == {"1002"}
        assert view["agents"]["1001"]["state"] == "on_call"

    def test_nobody_sees_nothing(self) -> None:
        assert filtered(Scope(), LIVE) == {
            "switchboard": "milano", "up": True, "version": "22.10.1", "as_of": 1795390556.2,
            "queues": {}, "agents": {},
        }  # fmt: skip


def with_levels(
    rules: list[dict[str, Any]], formula: Formula = DEFAULT_FORMULA, document: Document = LIVE
) -> Document:
    """What a viewer is shown, with these `targets` in the configuration; the queues' part."""
    parsed = [TargetsRule.model_validate(rule) for rule in rules]
    common = CommonViews(lambda *queue: merged_targets(parsed, *queue), formula)
    queues: Document = FilteredBoard(scope_of({"role": "viewer"}), common).view(document)["queues"]
    return queues


class TestLevels:
    def test_those_of_the_queue_on_its_switchboard(self) -> None:
        rules: list[dict[str, Any]] = [
            {"queues": ["bill*"], "waiting": {"warning": 1, "critical": 2}},
            {"switchboards": ["milano"], "longest_wait": {"warning": "30s", "critical": "2m"}},
            {"switchboards": ["torino"], "service_level": {"target": 0.9, "critical": 0.5}},
        ]
        queues = with_levels(rules)
        longest_wait_s = {"warning": 30, "critical": 120}
        assert queues["billing"]["levels"] == {
            **QUEUE_LEVELS, "waiting": {"warning": 1, "critical": 2}, "longest_wait_s": longest_wait_s
        }  # fmt: skip
        assert queues["sales"]["levels"] == {**QUEUE_LEVELS, "longest_wait_s": longest_wait_s}
        queues = with_levels(rules, document={**LIVE, "switchboard": "torino"})
        assert queues["sales"]["levels"] == {
            **QUEUE_LEVELS, "service_level": {"warning": 0.9, "critical": 0.5}
        }  # fmt: skip

    def test_they_are_merged_once_and_cost_a_patch_nothing(self) -> None:
        asked: list[tuple[str, str]] = []

        def targets(switchboard: str, queue: str) -> QueueTargets:
            asked.append((switchboard, queue))
            return QueueTargets()

        board = FilteredBoard(scope_of({"role": "viewer"}), CommonViews(targets, DEFAULT_FORMULA))
        views = [board.view(LIVE)]
        live = LIVE
        for offered in range(10):
            live = apply_merge_patch(live, {"queues": {"sales": {"offered": offered}}})
            views.append(board.view(live))
        assert sorted(asked) == [("milano", "billing"), ("milano", "sales")]
        assert {id(view["queues"]["sales"]["levels"]) for view in views} == {
            id(views[0]["queues"]["billing"]["levels"])
        }

    @pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.name)
    def test_the_service_level_is_that_of_the_formula(self, formula: Formula) -> None:
        today = with_levels([], formula)["billing"]["today"]
        assert today["service_level"] == formula(SERVICE)

    def test_where_no_call_counts_there_is_none(self) -> None:
        none = {"queues": {"billing": {"today": {"service": asdict(ServiceLevelSums())}}}}
        queues = with_levels([], document=apply_merge_patch(LIVE, none))
        assert queues["billing"]["today"] == QUEUE_SUMS
        assert queues["sales"]["today"] == QUEUE_TODAY


class TestUnion:
    def test_each_right_within_its_own_profile(self) -> None:
        scope = scope_of(
            {"role": "supervisor", "queues": ["billing"], "agents": ["1*"]},
            {"role": "viewer", "queues": ["sales"], "agents": ["2*"]},
        )
        view = filtered(scope, LIVE)
        memberships = {(name, agent) for name, queue in view["queues"].items() for agent in queue["members"]}
        assert memberships == {("billing", "1001"), ("billing", "1002"), ("sales", "2001")}
        assert view["agents"]["2001"]["queues"] == ["sales"]
        assert view["queues"]["billing"]["waiting"][0]["caller"] == NUMBER
        assert view["queues"]["sales"]["waiting"][0]["caller"] == "…88"

    def test_the_order_of_profiles_does_not_matter(self) -> None:
        profiles: list[dict[str, Any]] = [{"role": "supervisor", "queues": ["b*"]}, {"role": "viewer"}]
        assert scope_of(*profiles) == scope_of(*reversed(profiles))

    def test_who_sees_the_same_has_the_same_scope(self) -> None:
        assert len({scope_of({"role": "viewer", "queues": ["b*"]}) for _ in range(2)}) == 1


class TestDetails:
    @pytest.mark.parametrize(
        ("number", "masked"),
        [
            ("+390551234567", "…67"),
            ("0551234567", "…67"),
            ("123456", "…56"),
            ("12345", "…"),
            ("1001", "…"),
            ("anonymous", "…"),
            ("+39 055 1234567", "…"),
            ("٠٥٥١٢٣٤٥٦٧", "…"),
            ("", ""),
        ],
    )
    def test_masked_numbers(self, number: str, masked: str) -> None:
        assert masked_number(number) == masked

    def test_a_second_interface_is_its_agents(self) -> None:
        live = copy.deepcopy(LIVE)
        live["queues"]["billing"]["members"]["Local/2001@agents/n"] = {
            **live["queues"]["billing"]["members"]["2001"], "agent": "2001"
        }  # fmt: skip
        view = filtered(scope_of({"role": "viewer", "agents": ["1*", "L*"]}), live)
        assert list(view["queues"]["billing"]["members"]) == ["1001", "1002"]
        view = filtered(scope_of({"role": "viewer", "agents": ["2*"]}), live)
        assert list(view["queues"]["billing"]["members"]) == ["2001", "Local/2001@agents/n"]

    def test_a_token(self) -> None:
        person: Person = token_user("viewer", queues=("sales",))
        viewpoint = Viewpoint(person, Profiles(tenants={}), ["milano"])
        assert list(filtered(viewpoint.scope("milano"), LIVE)["queues"]) == ["sales"]

    @pytest.mark.parametrize("role", ["master", "supervisor", "viewer", "agent"])
    def test_a_field_that_nobody_has_thought_about_is_left_out(self, role: str) -> None:
        live = copy.deepcopy(LIVE)
        for mapping in list(_mappings(live)):
            if mapping not in (live["queues"], live["agents"]) and "1001" not in mapping:
                mapping["new_field"] = "leaked"
        scope = scope_of({"role": role, "agent": "1001"})
        assert filtered(scope, live) == filtered(scope, LIVE)


QUEUES = ("queue-a", "queue-b", "Other-c", "other-d")
AGENTS = ("agent-a", "agent-b", "Other-x", "other-y")
NUMBERS = ("+390550000110", "+390550000220", "+390550000330")
GLOBS = st.lists(
    st.sampled_from(["*", "queue*", "agent*", "other*", "OTHER-*", "*-a", "*-[bcx]", "Queue-B", "agent-?"]),
    min_size=1,
    max_size=2,
)
PROFILES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["master", "supervisor", "viewer", "agent"])},
        optional={
            "agent": st.sampled_from(AGENTS),
            "switchboards": st.sampled_from([["milano"], ["torino"], ["m*"]]),
            "queues": GLOBS,
            "agents": GLOBS,
            "callers": st.dictionaries(
                st.sampled_from(["supervisor", "viewer", "agent"]), st.sampled_from(["shown", "masked"])
            ),
        },
    ).filter(lambda profile: profile["role"] != "agent" or "agent" in profile),
    max_size=3,
)
LIVE_STATES = st.builds(
    live_state,
    st.dictionaries(
        st.sampled_from(QUEUES), st.lists(st.sampled_from(AGENTS), unique=True, max_size=4), max_size=4
    ),
    st.dictionaries(
        st.sampled_from(QUEUES), st.lists(st.sampled_from(NUMBERS), unique=True, max_size=3), max_size=4
    ),
)


class Judge:
    """Says by other means than the code under test what somebody may know of a document."""

    def __init__(self, profiles: list[dict[str, Any]]) -> None:
        self._profiles = [p for p in profiles if self._has(p, "switchboards", "milano")]

    @staticmethod
    def _has(profile: dict[str, Any], kind: str, name: str) -> bool:
        globs = ["*"] if profile["role"] == "master" else profile.get(kind, ["*"])
        return any(fnmatchcase(name.lower(), glob.lower()) for glob in globs)

    def membership(self, queue: str, agent: str) -> bool:
        return any(
            self._has(p, "queues", queue)
            and (p.get("agent") == agent or (p["role"] != "agent" and self._has(p, "agents", agent)))
            for p in self._profiles
        )

    def queue(self, queue: str, members: Collection[str], *, reads_callers: bool = False) -> bool:
        return any(
            self._has(p, "queues", queue)
            and (p["role"] != "agent" or p["agent"] in members)
            and (not reads_callers or self._reads(p))
            for p in self._profiles
        )

    def agent(self, agent: str, queues: Iterable[str]) -> bool:
        return (
            any(p.get("agent") == agent for p in self._profiles)
            or any(self.membership(queue, agent) for queue in queues)
            or any(p["role"] == "master" for p in self._profiles)
        )

    @staticmethod
    def _reads(profile: dict[str, Any]) -> bool:
        default = "shown" if profile["role"] in ("master", "supervisor") else "masked"
        return bool(profile.get("callers", {}).get(profile["role"], default) == "shown")


class TestNothingElse:
    @settings(max_examples=400)
    @given(profiles=PROFILES, live=LIVE_STATES)
    def test_nothing_outside_the_scope_is_in_the_text(
        self, profiles: list[dict[str, Any]], live: Document
    ) -> None:
        judge = Judge(profiles)
        view = filtered(scope_of(*profiles), live)
        text = json.dumps(view, ensure_ascii=False)
        seen_queues = {name for name, q in live["queues"].items() if judge.queue(name, q["members"])}
        seen_agents = {name for name, a in live["agents"].items() if judge.agent(name, a["queues"])}
        assert set(view["queues"]) == seen_queues
        assert set(view["agents"]) == seen_agents
        for name in {*QUEUES, *AGENTS} - seen_queues - seen_agents:
            assert name not in text
        readable = {
            caller["caller"]
            for name in seen_queues
            for caller in live["queues"][name]["waiting"]
            if judge.queue(name, live["queues"][name]["members"], reads_callers=True)
        }
        for number in NUMBERS:
            assert (number in text.replace(f"1795390000.{number}", "")) == (number in readable)
        for name, queue in view["queues"].items():
            assert set(queue["members"]) == {
                agent for agent in live["queues"][name]["members"] if judge.membership(name, agent)
            }
            named = {call["agent"] for call in queue["in_progress"] if "agent" in call}
            assert named == set(queue["members"])
            assert len(queue["waiting"]) == len(live["queues"][name]["waiting"])
        for agent, document in view["agents"].items():
            assert document["queues"] == [
                queue for queue in live["agents"][agent]["queues"] if judge.membership(queue, agent)
            ]

    @settings(max_examples=200)
    @given(profiles=PROFILES, live=LIVE_STATES)
    def test_what_is_hidden_makes_no_difference(self, profiles: list[dict[str, Any]], live: Document) -> None:
        scope = scope_of(*profiles)
        before = copy.deepcopy(live)
        view = filtered(scope, live)
        assert live == before
        for name in set(live["queues"]) - set(view["queues"]):
            del live["queues"][name]
        for agent in set(live["agents"]) - set(view["agents"]):
            del live["agents"][agent]
        assert filtered(scope, live) == view


class TestOneAfterTheOther:
    @settings(max_examples=200)
    @given(profiles=PROFILES, lives=st.lists(LIVE_STATES, min_size=2, max_size=6))
    def test_filtered_patches_make_filtered_snapshots(
        self, profiles: list[dict[str, Any]], lives: list[Document]
    ) -> None:
        scope = scope_of(*profiles)
        board = FilteredBoard(scope, common_views())
        live = lives[0]
        shown = told = board.view(live)
        for after in lives[1:]:
            live = apply_merge_patch(live, merge_patch(live, after))
            view = board.view(live)
            told = apply_merge_patch(told, json.loads(json.dumps(merge_patch(shown, view))))
            shown = view
            assert told == view == filtered(scope, after)

    @settings(max_examples=200)
    @given(
        people=st.lists(PROFILES, min_size=2, max_size=5), lives=st.lists(LIVE_STATES, min_size=2, max_size=5)
    )
    def test_what_others_see_of_the_same_documents_makes_no_difference(
        self, people: list[list[dict[str, Any]]], lives: list[Document]
    ) -> None:
        common, scopes = common_views(), [scope_of(*profiles) for profiles in people]
        boards = [FilteredBoard(scope, common) for scope in scopes]
        live = lives[0]
        for after in lives:
            live = apply_merge_patch(live, merge_patch(live, after))
            for scope, board in zip(scopes, boards, strict=True):
                assert board.view(live) == filtered(scope, after)

    def test_a_change_of_something_hidden_is_no_change(self) -> None:
        board = FilteredBoard(
            scope_of({"role": "viewer", "queues": ["billing"], "agents": ["1*"]}), common_views()
        )
        before = board.view(LIVE)
        hidden = {
            "queues": {"sales": {"offered": 99}, "billing": {"members": {"2001": {"paused": True}}}},
            "agents": {"2001": {"paused": True}},
        }
        live = apply_merge_patch(LIVE, hidden)
        assert merge_patch(before, board.view(live)) == {}

    def test_what_is_the_same_is_not_looked_at_again(self) -> None:
        board = FilteredBoard(scope_of({"role": "viewer"}), common_views())
        before = board.view(LIVE)
        live = apply_merge_patch(
            LIVE, {"queues": {"billing": {"members": {"1001": {"paused": True}}}}, "as_of": 1795390557.0}
        )
        after = board.view(live)
        assert after["agents"] is before["agents"]
        assert after["queues"]["sales"] is before["queues"]["sales"]
        assert after["queues"]["billing"]["members"]["1002"] is before["queues"]["billing"]["members"]["1002"]
        assert merge_patch(before, after) == {
            "as_of": 1795390557.0,
            "queues": {"billing": {"members": {"1001": {"paused": True}}}},
        }

    def test_a_queue_that_has_gone_is_forgotten_and_may_come_back(self) -> None:
        board = FilteredBoard(scope_of({"role": "viewer"}), common_views())
        whole = board.view(LIVE)
        gone = apply_merge_patch(LIVE, {"queues": {"sales": None}})
        assert list(board.view(gone)["queues"]) == ["billing"]
        assert board.view(LIVE) == whole


class TestRemembering:
    def test_the_same_objects_give_the_very_same(self) -> None:
        copied: Remembered[dict[str, int]] = Remembered(dict)
        one: dict[str, int] = {"a": 1}
        assert copied(one) is copied(one)
        assert copied(dict(one)) is not copied(one)

    def test_no_object_is_taken_for_one_that_was_at_its_place(self) -> None:
        """Identities are used again when an object has gone."""
        first = Remembered(lambda numbers: numbers[0], size=4)
        assert [first([number]) for number in range(100)] == list(range(100))

    def test_what_is_long_ago_is_forgotten(self) -> None:
        made: list[str] = []
        noted = Remembered(lambda name: made.append(name[0]), size=2)
        names = [[name] for name in "abcde"]
        for name in (*names, names[4], names[3], names[0]):
            noted(name)
        assert made == list("abcdea")


def _mappings(value: Any) -> Iterator[Document]:
    if isinstance(value, dict):
        yield value
        yield from itertools.chain.from_iterable(_mappings(inner) for inner in value.values())
    elif isinstance(value, list):
        yield from itertools.chain.from_iterable(_mappings(inner) for inner in value)
