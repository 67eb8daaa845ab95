"""The tests' own idea of Grafana's variables, against what Grafana's own tests expect.

Facts from ``template_srv.test.ts``, ``formatVariableValue.test.ts`` and ``datasource.test.ts`` of the data
sources of Grafana 10.1; `tests.integration.test_dashboards_grafana` compares with a running one.
"""

from __future__ import annotations

import pytest

from tests.dashboards.variables import (
    ALL,
    FORMATS,
    Value,
    Variable,
    Variables,
    influx_format,
    influx_time_filter,
    influxql,
    influxql_choices,
    prometheus_format,
    promql,
)


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        (["test", "test2"], "glob", "{test,test2}"),
        (["test"], "glob", "test"),
        (["test.", "test2"], "regex", r"(test\.|test2)"),
        (["test."], "regex", r"test\."),
        ("Gi3/14", "regex", r"Gi3\/14"),
        (["test", "test2"], "pipe", "test|test2"),
        (["test", "test2"], "csv", "test,test2"),
        (["foo()bar BAZ", "test2"], "percentencode", "%7Bfoo%28%29bar%20BAZ%2Ctest2%7D"),
        (["test", "test'2"], "singlequote", r"'test','test\'2'"),
        (["test", 'test"2'], "doublequote", r'"test","test\"2"'),
        (["test", "test'value2"], "sqlstring", "'test','test''value2'"),
        ("'test\n", "raw", "'test\n"),
        (["test", "test2"], "json", '["test","test2"]'),
        (["test", "x y"], "queryparam", "var-name=test&var-name=x%20y"),
        ("1594671549254", "date", "2020-07-13T20:19:09.254Z"),
        ("1594671549254", "date:seconds", "1594671549"),
    ],
)
def test_formats(value: Value, name: str, expected: str) -> None:
    assert FORMATS[name](value, Variable("name", value)) == expected


@pytest.mark.parametrize("char", list("'{}[]$^*+?.()|"))
def test_prometheus_escapes_once_for_the_expression_and_once_for_its_string(char: str) -> None:
    chosen = Variable("queue", [f"looking{char}glass"], multi=True)
    assert prometheus_format(chosen.value, chosen) == f"looking\\\\{char}glass"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("looking\\glass", r"looking\\\\glass"),
        ("+looking$glass?", r"\\+looking\\$glass\\?"),
        (["a|bc", "de|f"], r"(a\\|bc|de\\|f)"),
        (["looking*glass"], r"looking\\*glass"),
        ([], "()"),
    ],
)
def test_prometheus_values(value: Value, expected: str) -> None:
    assert prometheus_format(value, Variable("queue", value, multi=True)) == expected


def test_prometheus_escapes_no_expression_where_there_is_one_value() -> None:
    value = "abc'$^*{}[]+?.()|"
    assert prometheus_format(value, Variable("queue", value)) == r"abc\\'$^*{}[]+?.()|"


def test_influxdb_values() -> None:
    one, several = Variable("queue", ["a/b.c"], multi=True), Variable("queue", ["a|b", "c"], multi=True)
    assert influx_format(one.value, one) == r"(a\/b\.c)"
    assert influx_format(several.value, several) == r"(a\|b|c)"
    text = Variable("caller", "a.b")
    assert influx_format(text.value, text) == "a.b"


ANY = Variable("queue", [ALL], ("a.b", "c"), all_value=".*", multi=True, include_all=True)
EACH = Variable("agent", ALL, ("1001", "1002"), multi=True, include_all=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("this.$queue.filters", "this..*.filters"),
        ("/^${queue:regex}$/", "/^.*$/"),
        ("${queue:queryparam}", "var-queue=All"),
        ("$agent [[agent:pipe]] ${agent:regex}", "{1001,1002} 1001|1002 (1001|1002)"),
        ("$notfound ${notfound:regex} $1", "$notfound ${notfound:regex} $1"),
        ("${__from} ${__from:date:seconds}", "1594671549254 1594671549"),
    ],
)
def test_replacing(text: str, expected: str) -> None:
    variables = Variables({"queue": ANY, "agent": EACH}, {"__from": "1594671549254"})
    assert variables.replace(text) == expected


def test_an_unknown_format_is_an_error() -> None:
    """Grafana would fall back to ``glob`` and write to the browser's console only."""
    with pytest.raises(KeyError):
        Variables({"queue": ANY}).replace("${queue:regexp}")


def test_promql() -> None:
    variables = Variables({"queue": Variable("queue", ["a.b"], multi=True)})
    text = (
        'increase(x{queue=~"$queue"}[$__range]) + rate(y[$__rate_interval]) + ${__interval_ms} + $__range_s'
    )
    assert promql(text, variables, range_s=3600, step_s=15, scrape_s=5) == (
        r'increase(x{queue=~"a\\.b"}[3600s]) + rate(y[20s]) + 15000 + 3600'
    )


def test_influxql() -> None:
    """Replaced twice: a queue's name must come out of it as it went in."""
    variables = Variables({"queue": Variable("queue", ["o'neil$1", "a b"], multi=True)})
    text = 'SELECT x WHERE $timeFilter AND "queue" =~ /^${queue:regex}$/ GROUP BY time($__interval)'
    where = influx_time_filter(1000, 2000)
    assert influxql(text, variables, where, step_s=60) == (
        "SELECT x WHERE time >= 1000ms and time <= 2000ms AND "
        r""""queue" =~ /^(o'neil\$1|a b)$/ GROUP BY time(60s)"""
    )
    assert influxql_choices("SHOW x WHERE $timeFilter", variables, where) == f"SHOW x WHERE {where}"
