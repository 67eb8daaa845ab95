"""The dashboard of agents: what its numbers mean, of what they are made, and where a click leads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from asterpanel_dashboards import agents
from asterpanel_dashboards.build import files
from asterpanel_dashboards.settings import DEFAULTS
from asterpanel_exporter.catalogue import AGENT_STATE_CODES

ZONE: Final = "Asia/Kolkata"
DASHBOARD: Final = json.loads(dict(files(replace(DEFAULTS, time_zone=ZONE)))["asterpanel-agents.json"])
PANELS: Final = {panel["title"]: panel for panel in DASHBOARD["panels"] if panel["type"] != "row"}


def queries(*titles: str) -> Iterator[str]:
    for title in titles or PANELS:
        yield from (target["query"] for target in PANELS[title]["targets"] if "query" in target)


def links(panel: dict[str, Any], column: str = "") -> dict[str, str]:
    """URLs by title: those of a column, or those of all columns that have none of their own."""
    found = panel["fieldConfig"]["defaults"].get("links", [])
    for override in panel["fieldConfig"]["overrides"]:
        if column and override["matcher"]["options"] == column:
            found = next((each["value"] for each in override["properties"] if each["id"] == "links"), found)
    return {link["title"]: link["url"] for link in found}


def test_every_number_of_an_agent_leads_to_his_calls() -> None:
    for title in ("Agents", "Agents by day"):
        for figure in agents._SHOWN:
            [url] = links(PANELS[title], figure.name).values()
            assert url.startswith("/d/asterpanel-calls?"), (title, figure.name)
            assert 'var-agent=${__data.fields["Agent"]' in url
            assert 'var-switchboard=${__data.fields["Switchboard"]' in url
            assert "${queue:queryparam}" in url


def test_a_day_leads_to_the_calls_of_that_day() -> None:
    [url] = links(PANELS["Agents by day"], "Calls").values()
    assert 'from=${__data.fields["Day"].numeric}&to=${__data.fields["Last"].numeric}' in url
    assert "${__url_time_range}" not in url
    [url] = links(PANELS["Agents"], "Calls").values()
    assert "${__url_time_range}" in url


def test_a_name_leads_to_the_agent_alone() -> None:
    for title in ("Agents", "Agents by day", "On pause now", "Pauses by agent and reason", "Missed rings"):
        [url] = links(PANELS[title], "Name").values()
        assert url.startswith("/d/asterpanel-agents?")
        assert 'var-agent=${__data.fields["Agent"]' in url


def test_a_missed_ring_leads_to_its_call() -> None:
    [url] = links(PANELS["Missed rings"], "Result").values()
    assert url.startswith("/d/asterpanel-calls?")
    assert 'var-linkedid=${__data.fields["uniqueid"]' in url


def test_days_are_those_of_the_time_zone() -> None:
    by_day = list(queries("Agents by day"))
    assert by_day
    for query in by_day:
        assert "GROUP BY time(1d)" in query
        assert query.endswith(f" tz('{ZONE}')")
    assert DASHBOARD["timezone"] == ZONE
    assert ZONE in PANELS["Agents by day"]["description"]


def test_chosen_queues_choose_calls_and_rings_but_no_time() -> None:
    """An agent's time on duty and his pauses cannot be divided among his queues."""
    seen = set()
    for query in queries():
        [measurement] = re.findall(r'FROM "(\w+)"', query)
        seen.add(measurement)
        assert ("${queue" in query) == (measurement in ("agent_interval", "agent_attempt")), query
        assert "${agent" in query
        assert "${switchboard" in query
    assert seen == {"agent_interval", "agent_duty", "agent_pause", "agent_attempt"}
    for title in ("Agents", "Agents by day"):
        assert "those of the chosen queues" in PANELS[title]["description"]
        assert "in all queues, whichever are chosen" in PANELS[title]["description"]


@pytest.mark.parametrize("title", ["Agents", "Agents by day"])
def test_every_column_is_defined(title: str) -> None:
    description = PANELS[title]["description"]
    for figure in agents._SHOWN:
        assert f"{figure.name}: {figure.help}" in description
        assert len(figure.help) > 10
        assert any(f' AS "{figure.name}"' in query for query in queries(title))
    assert "AHT: average handle time: (talk + wrap-up as configured) / calls." in description
    assert "Occupancy: (on call + ringing + wrap-up) / time on duty and not on pause." in description


def test_nothing_is_divided_by_no_calls() -> None:
    """InfluxDB would answer 0: an agent without calls has no average."""
    for query in queries():
        if '/ sum("answered")' in query:
            assert '"answered" > 0' in query
        if '/ sum("rings")' in query:
            assert '"rings" > 0' in query


def test_colours_are_those_of_the_configuration() -> None:
    overrides = {
        override["matcher"]["options"]: {each["id"]: each["value"] for each in override["properties"]}
        for override in PANELS["Agents"]["fieldConfig"]["overrides"]
        if any(each["id"] == "thresholds" for each in override["properties"])
    }
    levels = {"Occupancy": DEFAULTS.occupancy, "Missed %": DEFAULTS.queue.ring_no_answer_rate}
    for name, level in levels.items():
        steps = [step["value"] for step in overrides[name]["thresholds"]["steps"]]
        assert steps[-2:] == [level.warning, level.critical]


def test_a_pause_without_reason_is_named_so() -> None:
    for title in ("Pauses by agent and reason", "Pauses by reason", "On pause now"):
        text = json.dumps(PANELS[title]["fieldConfig"]["overrides"])
        assert "No reason given" in text
        assert '"match": "empty"' in text


def test_timeline_shows_every_state_and_gaps_as_gaps() -> None:
    panel = PANELS["Timeline of states"]
    [mapping] = panel["fieldConfig"]["defaults"]["mappings"]
    assert set(mapping["options"]) == {str(code) for code in AGENT_STATE_CODES.values()}
    assert not panel["fieldConfig"]["defaults"].get("custom", {}).get("spanNulls")
    [target] = panel["targets"]
    assert target["legendFormat"] == "{{name}} ({{agent}})"
    assert target["range"]
