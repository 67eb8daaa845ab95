"""The dashboard of calls: what can be chosen, what a chosen text does to a query, and where a click leads."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from asterpanel_dashboards.build import files
from asterpanel_dashboards.queries import calls
from asterpanel_dashboards.settings import DEFAULTS
from asterpanel_exporter.history.records import AttemptResult, EndedBy, Outcome

FILES: Final = dict(files(DEFAULTS))
DASHBOARD: Final = json.loads(FILES["asterpanel-calls.json"])
PANELS: Final = {panel["title"]: panel for panel in DASHBOARD["panels"] if panel["type"] != "row"}
VARIABLES: Final = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
LIST: Final = PANELS["Calls, the newest 1,000"]
CHOSEN_BY: Final = ("Calls found", "By outcome", "By wait", LIST["title"])
HOSTILE: Final = (
    "+39 (02) 1/2",
    "\\",
    "x\\",
    "a/b",
    "\\/",
    "'; DROP",
    '"',
    "[",
    "^.*$",
    "$timeFilter",
    "1|2",
    "",
)


def as_grafana_does(text: str) -> str:
    """Its format ``regex``: escapeRegex of @grafana/data."""
    return re.sub(r"[\\^$*+?.()|\[\]{}/]", lambda found: f"\\{found[0]}", text)


def as_influxql_does(query: str, start: int) -> tuple[str, int]:
    """The regular expression that begins there, and where it ends: its scanner only knows ``\\/``."""
    pattern = ""
    while query[start] != "/":
        if query.startswith("\\/", start):
            start += 1
        pattern += query[start]
        start += 1
    return pattern, start + 1


def expressions(query: str, name: str) -> list[str]:
    """The regular expressions that a tag or field is compared with. The rest of the query is whole."""
    found, rest, place = [], "", 0
    for hit in re.finditer(r'"(\w+)" =~ /', query):
        if hit.start() < place:
            continue
        rest += query[place : hit.end()]
        pattern, place = as_influxql_does(query, hit.end())
        if hit[1] == name:
            found.append(pattern)
    rest += query[place:]
    assert rest.count("(") == rest.count(")"), query
    return found


def filled(**chosen: str) -> str:
    """The condition with what somebody has chosen or typed."""
    values = {"agent": ".*", "outcome": ".*", "switchboard": ".*", "queue": ".*", "min_wait": ""} | chosen
    return re.sub(r"\$\{(\w+):\w+\}", lambda hit: values.get(hit[1], ""), calls.CHOSEN)


def overrides(panel: dict[str, Any], column: str) -> dict[str, Any]:
    return {
        each["id"]: each["value"]
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["options"] == column
        for each in override["properties"]
    }


def words(panel: dict[str, Any], column: str) -> dict[str, dict[str, Any]]:
    [mapping] = [one for one in overrides(panel, column)["mappings"] if one["type"] == "value"]
    found: dict[str, dict[str, Any]] = mapping["options"]
    return found


# --- what can be chosen -----------------------------------------------------------------------------------


def test_variables_in_their_order() -> None:
    shown = [one["name"] for one in VARIABLES.values() if one.get("hide", 0) == 0]
    assert shown == ["switchboard", "queue", "agent", "outcome", "caller", "min_wait", "linkedid"]
    assert len({one["id"] for one in VARIABLES.values()}) == len(VARIABLES)


def test_every_outcome_can_be_chosen_in_words() -> None:
    """Parsed as Grafana does (public/app/features/variables/custom/actions.ts)."""
    entries = re.findall(r"(?:\\,|[^,])+", VARIABLES["outcome"]["query"])
    pairs = [re.fullmatch(r"\s*(.+)\s:\s(.+)", entry.replace("\\,", ",")) for entry in entries]
    assert {pair[2]: pair[1] for pair in pairs if pair} == {
        value: look["text"] for value, look in words(LIST, "Outcome").items()
    }
    assert {pair[2] for pair in pairs if pair} == {outcome.value for outcome in Outcome}


def test_all_agents_are_also_calls_without_one() -> None:
    assert VARIABLES["agent"]["allValue"] == ".*"
    _, anybody = expressions(filled(), "queue")[:2]
    assert re.search(anybody, "sales")
    query = filled(agent="(1001|1002)")
    assert expressions(query, "agent") == ["^(1001|1002)$"]
    assert not re.search(expressions(query, "queue")[1], "sales")


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_finds_the_callers_that_have_it(text: str) -> None:
    [pattern] = expressions(filled(caller=as_grafana_does(text)), "caller")
    assert re.search(pattern, f"0{text}0")
    assert bool(text) != bool(re.search(pattern, "no such number"))


@pytest.mark.parametrize("text", HOSTILE)
def test_only_no_text_finds_calls_without_number(text: str) -> None:
    escape = expressions(filled(caller=as_grafana_does(text)), "queue")[2]
    assert bool(re.search(escape, "sales")) == (text == "")


def test_a_wait_is_a_number_whatever_is_typed() -> None:
    """Percent-encoded, it has no blank, quote or semicolon: no second statement."""
    assert '"wait_s" >= 0${min_wait:percentencode}' in calls.CHOSEN
    assert '"wait_s" >= 0 ' in filled()
    assert '"wait_s" >= 090 ' in filled(min_wait="90")


@pytest.mark.parametrize("title", CHOSEN_BY)
def test_what_is_chosen_holds_for_the_list_and_all_that_is_above_it(title: str) -> None:
    for target in PANELS[title]["targets"]:
        assert f"WHERE {calls.CHOSEN}" in target["query"]


# --- the list and one call's story ------------------------------------------------------------------------


def test_the_list_is_the_newest_calls_and_says_how_many() -> None:
    [target] = LIST["targets"]
    assert target["query"].endswith(" ORDER BY time DESC LIMIT 1000")
    assert "1,000" in PANELS["Calls found"]["description"]
    assert "Download CSV" in LIST["description"]


def test_steps_of_the_wait_leave_no_gap() -> None:
    targets = PANELS["By wait"]["targets"]
    bounds = [re.findall(r'"wait_s" (>=|<) (\d+)(?= |$)', target["query"]) for target in targets]
    lower, upper = ([value for each in bounds for sign, value in each if sign == one] for one in (">=", "<"))
    assert lower[0] == "0"
    assert lower[1:] == upper
    assert len(lower) == len(targets)


def test_words_for_everything_that_is_a_code() -> None:
    story = PANELS["Story of the call"]
    assert set(words(story, "Outcome")) == {outcome.value for outcome in Outcome}
    assert set(words(story, "Phone")) == {result.value for result in AttemptResult}
    assert set(words(LIST, "Ended by")) == {ended.value for ended in EndedBy if ended.value}
    for look in (*words(LIST, "Outcome").values(), *words(story, "Phone").values()):
        assert look["text"]
        assert look["color"]


def test_a_click_on_a_row_tells_its_story_and_keeps_what_is_chosen() -> None:
    [link] = LIST["fieldConfig"]["defaults"]["links"]
    url = link["url"]
    assert url.startswith("/d/asterpanel-calls?${__url_time_range}&")
    for name in ("switchboard", "queue", "agent", "outcome", "caller", "min_wait"):
        assert f"${{{name}:queryparam}}" in url
    assert url.endswith('var-linkedid=${__data.fields["linkedid"]:percentencode}')
    assert overrides(LIST, "linkedid")["custom.hidden"] is True
    [target] = LIST["targets"]
    assert '"linkedid"' in target["query"]


def test_the_story_is_of_that_call_only_in_the_order_of_time() -> None:
    story = PANELS["Story of the call"]
    visits, rings = (target["query"] for target in story["targets"])
    assert '"linkedid" =~ /^${linkedid:regex}$/' in visits
    assert 'FROM "agent_attempt"' in rings
    assert '"uniqueid" =~ /^${uniqueids:regex}$/' in rings
    for query, chosen in ((visits, "${linkedid:regex}"), (rings, "${uniqueids:regex}")):
        assert f'"queue" !~ /{chosen}^/' in query  # none chosen: no series, and no work
    assert "${linkedid:regex}" in VARIABLES["uniqueids"]["query"]
    assert VARIABLES["linkedid"]["query"] == ""
    assert story["fieldConfig"]["defaults"]["noValue"] == "Click a call above"
    assert story["transformations"][-1]["options"] == {"sort": [{"field": "Time"}]}


def test_an_outcome_leads_to_its_calls() -> None:
    [link] = overrides(PANELS["By outcome"], "Outcome")["links"]
    assert link["url"].endswith("var-outcome=${__value.raw:percentencode}")
    assert "${outcome:queryparam}" not in link["url"]


# --- callers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["Callers to call back", "Repeat callers"])
def test_a_caller_leads_to_all_of_his_calls(title: str) -> None:
    [link] = overrides(PANELS[title], "Caller")["links"]
    assert 'var-caller=${__data.fields["Caller"]:percentencode}' in link["url"]
    for choice in ("var-agent=$__all", "var-outcome=$__all", "var-min_wait="):
        assert choice in link["url"]
    [target] = PANELS[title]["targets"]
    assert "${outcome" not in target["query"]  # a later answer must count, whatever is chosen
    assert "5,000" in PANELS[title]["description"]


def test_numbers_of_callers_are_asked_for_here_only() -> None:
    for name, text in FILES.items():
        asked = [
            target.get("query", "") + target.get("expr", "")
            for panel in json.loads(text)["panels"]
            for target in (
                *panel.get("targets", []),
                *(t for p in panel.get("panels", []) for t in p["targets"]),
            )
        ]
        assert any('"caller"' in query for query in asked) == (name == "asterpanel-calls.json"), name
    assert all("expr" not in target for panel in PANELS.values() for target in panel["targets"])
