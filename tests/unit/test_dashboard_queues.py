"""The dashboard "Queues": what a supervisor finds on it, and where its numbers lead."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from asterpanel_dashboards import queues
from asterpanel_dashboards.queries import service_level
from asterpanel_dashboards.queries.influxql import BEFORE, IN_TIME, Figure, select
from asterpanel_dashboards.settings import DEFAULTS, Settings
from asterpanel_exporter.history.records import Outcome
from asterpanel_exporter.points.catalogue import QUEUE_INTERVAL, QUEUE_LOCAL_HOUR
from asterpanel_switchboard.config.targets import Levels, QueueTargets
from asterpanel_switchboard.service_level import FORMULAS, Formula

FIELDS = {field.name for field in QUEUE_INTERVAL.fields}
TAGS = {tag.name for tag in QUEUE_LOCAL_HOUR.tags}
ROME = replace(DEFAULTS, time_zone="Europe/Rome")


def built(settings: Settings) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(queues.build(settings).build(), cls=JSONEncoder))
    return made


DASHBOARD = built(ROME)
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"] if panel["type"] != "row"}


def asked(title: str) -> list[str]:
    return [target["query"] for target in PANELS[title]["targets"]]


ALL_QUERIES = [query for title in PANELS for query in asked(title)]


def properties(title: str, column: str) -> dict[str, Any]:
    """What the overrides say of a column; the later one holds."""
    return {
        one["id"]: one["value"]
        for override in PANELS[title]["fieldConfig"]["overrides"]
        if override["matcher"]["options"] == column
        for one in override["properties"]
    }


def led_to(title: str, column: str) -> tuple[str, dict[str, list[str]]]:
    """The dashboard that a click on a number of a column leads to, and with which variables."""
    [link] = properties(title, column)["links"]
    url = urlsplit(link["url"])
    return url.path.removeprefix("/d/"), parse_qs(url.query)


# --- what there is ------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["By queue", "How calls ended"])
def test_every_outcome_is_there(title: str) -> None:
    queries = " ".join(asked(title))
    for outcome in Outcome:
        field = "continued" if outcome is Outcome.CONTINUE else outcome.value
        assert field in FIELDS
        assert f'sum("{field}")' in queries


@pytest.mark.parametrize("title", ["Causes", "Causes by queue", "Causes over time", "The worst half hours"])
def test_every_cause_of_lost_calls_is_there(title: str) -> None:
    causes = {field for field in FIELDS if field.startswith("lost_")}
    assert len(causes) == 6
    queries = " ".join(asked(title))
    assert causes <= set(re.findall(r'"(\w+)"', queries))


def test_what_explains_lost_calls_is_in_the_list_of_the_worst_half_hours() -> None:
    [query] = asked("The worst half hours")
    evidence = {
        "offered", "planned_offered", "needed_s", "staffed_s", "paused_s", "elsewhere_s", "talk_s",
        "planned_handle_s", "ring_no_answer",
    }  # fmt: skip
    assert evidence <= FIELDS
    for field in evidence:
        assert f'"{field}"' in query


def test_queries_ask_for_what_there_is() -> None:
    for query in ALL_QUERIES:
        aliases = set(re.findall(r'AS "([^"]+)"', query))
        named = set(re.findall(r'"([^"]+)"', query)) - aliases - {QUEUE_INTERVAL.name, QUEUE_LOCAL_HOUR.name}
        assert named <= FIELDS | TAGS, query


def test_every_query_is_of_the_chosen_switchboards_and_queues() -> None:
    for query in ALL_QUERIES:
        assert '"switchboard" =~ /^${switchboard:regex}$/ AND "queue" =~ /^${queue:regex}$/' in query


# --- what the numbers are -----------------------------------------------------------------------------


def test_a_quotient_has_something_to_divide_by() -> None:
    """InfluxDB says that 5 / 0 is 0, and a service level of 0 % would be red."""
    quotients = [query for query in ALL_QUERIES if re.search(r"/ \(*sum", query)]
    assert len(quotients) > 20
    for query in quotients:
        assert re.search(r' AND [^/]*"\w+"\)* > 0', query), query


def test_figures_that_count_different_points_are_different_queries() -> None:
    both = [Figure("Offered", 'sum("offered")'), Figure("ASA", "…", '"answered" > 0')]
    with pytest.raises(ValueError, match="cannot count different points"):
        select(QUEUE_INTERVAL, both)


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.name)
def test_the_service_level_names_its_formula(formula: Formula) -> None:
    dashboard = built(replace(ROME, formula=formula))
    shown = [panel for panel in dashboard["panels"] if "Service level" in json.dumps(panel.get("targets"))]
    assert len(shown) >= 5  # the head, by queue, by day, by weekday, the heat map
    for panel in shown:
        assert formula.symbols in panel["description"]
        assert service_level.influxql(formula) in json.dumps(panel["targets"]).replace('\\"', '"')


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ({"sl_answered": 3, "within_sl": 2, "sl_offered": 3}, True),
        ({"sl_abandoned": 2, "sl_short_abandon": 2, "sl_offered": 2}, False),
        ({}, False),
    ],
    ids=["answered", "only short abandons", "no calls"],
)
def test_half_hours_of_which_no_call_counts_are_left_out(values: dict[str, int], counts: bool) -> None:
    no_short_abandons = FORMULAS[3]
    condition = service_level.influxql_counted(no_short_abandons)
    numbers = re.sub(r'"(\w+)"', lambda found: str(values.get(found[1], 0)), condition)
    assert re.fullmatch(r"[\d ()+>-]+", numbers)
    assert eval(numbers) is counts  # noqa: S307  # digits and operators


def half_hours(condition: str, since: datetime, until: datetime) -> list[datetime]:
    """The half hours around that a condition is true of, as Grafana and InfluxDB read it."""

    def ms(time: datetime) -> str:
        return f"{round(time.timestamp() * 1000)}ms"

    text = condition.replace("$timeFilter", "time >= ${__from}ms AND time <= ${__to}ms")
    text = text.replace("${__from}ms", ms(since)).replace("${__to}ms", ms(until))
    text = re.sub(r"(\d+)(ms|s)\b", lambda found: found[1] + {"ms": "", "s": "000"}[found[2]], text)
    expression = text.replace("AND", "and")
    assert re.fullmatch(r"[\d ()+<=>-]+", re.sub(r"time|and", "", expression))
    start = since.replace(minute=0, second=0, microsecond=0) - timedelta(days=21)
    halves = [start + timedelta(minutes=30) * number for number in range(2000)]
    return [half for half in halves if eval(expression, {"time": half.timestamp() * 1000})]  # noqa: S307


UTC = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("since", "until", "number"),
    [
        (datetime(2026, 11, 9, tzinfo=UTC), datetime(2026, 11, 15, 23, 59, 59, 999000, UTC), 7 * 48),
        (datetime(2026, 11, 16, 15, 27, 41, tzinfo=UTC), datetime(2026, 11, 23, 15, 27, 41, tzinfo=UTC), 335),
        (datetime(2026, 11, 17, 10, tzinfo=UTC), datetime(2026, 11, 17, 12, tzinfo=UTC), 4),
    ],
    ids=["a week of days", "the last seven days", "two hours"],
)
def test_the_period_before_is_as_long_and_just_before(since: datetime, until: datetime, number: int) -> None:
    chosen, before = half_hours(IN_TIME, since, until), half_hours(BEFORE, since, until)
    assert len(chosen) == number
    length = timedelta(minutes=round((until - since) / timedelta(minutes=1)))
    assert before == [half - length for half in chosen]


def test_every_figure_of_the_head_is_compared_with_the_period_before() -> None:
    head = [panel for panel in PANELS.values() if panel["type"] == "stat"]
    assert [panel["title"] for panel in head] == [
        "Service level", "Offered", "Answered", "Abandoned", "ASA", "AHT", "Longest wait", "Short abandons",
    ]  # fmt: skip
    for panel in head:
        now, before = (target["query"] for target in panel["targets"])
        assert IN_TIME in now
        renamed = now.replace(IN_TIME, BEFORE).replace(f'AS "{panel["title"]}"', 'AS "Before"')
        assert before == renamed


# --- when ---------------------------------------------------------------------------------------------


def test_days_are_those_of_the_time_zone() -> None:
    by_time = [query for query in ALL_QUERIES if "GROUP BY time(" in query]
    assert [query for query in by_time if "time(1d)" in query] == asked("By day")
    assert all(query.endswith(" tz('Europe/Rome')") for query in by_time)
    assert DASHBOARD["timezone"] == "Europe/Rome"
    assert "Europe/Rome" in PANELS["By day"]["description"]


def test_grafana_has_its_own_word_for_utc() -> None:
    assert built(replace(ROME, time_zone="UTC"))["timezone"] == "utc"


def test_a_week_is_in_order_and_in_words() -> None:
    for title in ("Offered, by weekday and hour", "Service level, by weekday and hour"):
        matrix, by_weekday, in_order = PANELS[title]["transformations"]
        assert (matrix["options"]["rowField"], matrix["options"]["columnField"]) == ("weekday", "hour")
        assert by_weekday["options"]["sort"] == [{"field": "weekday\\hour"}]
        hours = list(in_order["options"]["indexByName"])[1:]
        assert hours == sorted(hours) == [f"{hour:02}" for hour in range(24)]
        [mapping] = properties(title, "Weekday")["mappings"]
        assert (mapping["options"]["1"]["text"], mapping["options"]["7"]["text"]) == ("Monday", "Sunday")


# --- colours ------------------------------------------------------------------------------------------


def test_colours_are_those_of_the_targets() -> None:
    targets = QueueTargets(
        service_level=Levels(0.9, 0.6), abandon_rate=Levels(0.03, 0.07), longest_wait=Levels(40, 120),
        ring_no_answer_rate=Levels(0.2, 0.4),
    )  # fmt: skip
    table = next(
        panel for panel in built(replace(ROME, queue=targets))["panels"] if panel["title"] == "By queue"
    )
    steps = {
        override["matcher"]["options"]: [step["value"] for step in one["value"]["steps"]][-2:]
        for override in table["fieldConfig"]["overrides"]
        for one in override["properties"]
        if one["id"] == "thresholds"
    }
    assert steps == {
        "Service level": [0.6, 0.9], "Abandon rate": [0.03, 0.07], "Longest wait": [40, 120],
        "RNA rate": [0.2, 0.4],
    }  # fmt: skip


# --- where numbers lead -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "outcome"),
    [
        ("Service level", None), ("Offered", None), ("Longest wait", None),
        ("Answered", "answered"), ("ASA", "answered"), ("AHT", "answered"), ("Transferred", "answered"),
        ("Abandoned", "abandoned"), ("Abandon rate", "abandoned"), ("Short abandons", "abandoned"),
        ("Timed out", "timeout"), ("Went on", "continue"), ("Refused, full", "full"),
    ],
)  # fmt: skip
def test_a_number_of_a_queue_leads_to_its_calls(column: str, outcome: str | None) -> None:
    uid, variables = led_to("By queue", column)
    assert uid == "asterpanel-calls"
    assert variables["var-switchboard"] == ['${__data.fields["Switchboard"]:percentencode}']
    assert variables["var-queue"] == ['${__data.fields["Queue"]:percentencode}']
    assert variables.get("var-outcome") == (outcome and [outcome])


def test_rings_that_nobody_answered_lead_to_the_agents() -> None:
    uid, variables = led_to("By queue", "RNA")
    assert uid == "asterpanel-agents"
    assert variables["var-queue"] == ['${__data.fields["Queue"]:percentencode}']


@pytest.mark.parametrize(
    ("title", "column", "begin"),
    [("The worst half hours", "Lost", "Half hour"), ("By day", "Abandoned", "Day")],
)
def test_a_number_of_a_time_leads_to_the_calls_of_that_time(title: str, column: str, begin: str) -> None:
    uid, variables = led_to(title, column)
    assert uid == "asterpanel-calls"
    assert variables["from"] == [f'${{__data.fields["{begin}"].numeric}}']
    assert variables["to"] == ['${__data.fields["End"].numeric}']


def test_every_number_leads_somewhere() -> None:
    figures = {found for query in asked("By queue") for found in re.findall(r'AS "([^"]+)"', query)}
    assert len(figures) == 12 + 11
    for figure in figures:
        assert led_to("By queue", figure)[0].startswith("asterpanel-")
