"""What Grafana's app is built and tested against: up to date, and enough to find mistakes in its rules."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from asterpanel_control_api.access.globs import Globs
from asterpanel_control_api.access.rights import ON_ONESELF, Right
from asterpanel_control_api.plugin_cases import glob_cases, rights_cases
from asterpanel_control_api.plugin_contract import CONTRACT, contract, openapi
from tests.unit.control_app import control_app

SMALLER = {right.id: smaller.id for right, smaller in ON_ONESELF.items()}
CASES = rights_cases()

RULES = (
    "the switchboard is in sight",
    "the grant is for the switchboard",
    "the grant shows anything there",
    "the grant has the queue",
    "the grant has the agent",
    "one grant has all of it",
    "oneself needs a smaller right",
    "what is about oneself is about nobody else",
    "another agent by switchboard",
    "oneself is outside of the globs",
    "letters of any case in globs",
)


def may(case: dict[str, Any], without: str = "") -> bool:
    """By the document alone, as the app has it; ``without`` one of the rules."""
    me, switchboard = case["me"], case["switchboard"]
    if without != "the switchboard is in sight" and not any(
        b["name"] == switchboard for b in me["switchboards"]
    ):
        return False
    grants = [
        grant
        for grant in me["grants"]
        if without == "the grant is for the switchboard"
        or matches(grant["switchboards"], switchboard, without)
    ]
    if without == "one grant has all of it" and grants:
        own: dict[str, str] = next((grant["own"] for grant in grants if grant["own"]), {})
        union = {
            key: [each for grant in grants for each in grant[key]] for key in ("rights", "queues", "agents")
        }
        grants = [{**union, "own": own}]
    return any(gives(grant, case, without) for grant in grants)


def gives(grant: dict[str, Any], case: dict[str, Any], without: str) -> bool:
    rights, right, queue, agent = grant["rights"], case["right"], case.get("queue"), case.get("agent")
    own = grant["own"].get("*", "")
    if without != "another agent by switchboard":
        own = grant["own"].get(case["switchboard"]) or own
    shows = "see" in rights or ("see_own" in rights and own)
    if without != "the grant shows anything there" and not shows:
        return False
    if (
        queue is not None
        and without != "the grant has the queue"
        and not matches(grant["queues"], queue, without)
    ):
        return False
    if right not in rights and agent is not None and without != "oneself needs a smaller right":
        right = SMALLER.get(right, right)
    if right not in rights:
        return False
    if right in SMALLER.values() and without != "what is about oneself is about nobody else":
        return bool(own) and agent in (None, own)
    if agent is None or without == "the grant has the agent":
        return True
    return (agent == own != "" and without != "oneself is outside of the globs") or matches(
        grant["agents"], agent, without
    )


def matches(patterns: list[str], name: str, without: str) -> bool:
    if without == "letters of any case in globs":
        return any(fnmatchcase(name, pattern) for pattern in patterns)
    return Globs(tuple(patterns)).match(name)


def test_the_files_are_what_the_code_says() -> None:
    assert {file.name for file in CONTRACT.iterdir()} == set(contract())
    for name, text in contract().items():
        assert (CONTRACT / name).read_text(encoding="utf-8") == text, f"{name}: run make docs"


def test_the_description_is_what_the_api_serves(tmp_path: Path) -> None:
    with control_app(tmp_path) as api:
        served = api.ask("GET", "/v1/openapi.json").json
    assert json.loads(json.dumps(openapi())) == served


def test_what_me_tells_is_enough_to_know_who_may() -> None:
    assert [case["name"] for case in CASES if may(case) is not case["may"]] == []


@pytest.mark.parametrize("rule", RULES)
def test_the_cases_find_out_whoever_leaves_out_a_rule(rule: str) -> None:
    assert [case["name"] for case in CASES if may(case, without=rule) is not case["may"]]


def test_they_are_told_apart_by_their_names() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)
    globs = [(case["pattern"], case["name"]) for case in glob_cases()]
    assert len(set(globs)) == len(globs)


def test_each_right_is_given_and_refused() -> None:
    for right in Right:
        assert {case["may"] for case in CASES if case["right"] == right.id} == {True, False}
