"""Which calls the dashboard of calls shows: variables that no other dashboard has."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard

from asterpanel_dashboards.queries import calls
from asterpanel_dashboards.queries.queues import OUTCOME_WORDS
from asterpanel_dashboards.queries.variables import AGENT, CALLER, INFLUXDB, LINKEDID, MIN_WAIT, OUTCOME

_ALL: Final = dashboard.VariableOption(selected=True, text="All", value="$__all")
_ANY: Final = ".*"

Variable = builders.QueryVariable | builders.CustomVariable | builders.TextBoxVariable


def variables() -> list[Variable]:
    """In the order in which they stand, after those of all dashboards."""
    return [
        _agent(),
        _outcome(),
        _text(CALLER, "Caller contains"),
        _text(MIN_WAIT, "Waited at least (s)"),
        _text(LINKEDID, "Story of call"),
        _uniqueids(),
    ]


def _agent() -> builders.QueryVariable:
    """All: also calls that nobody answered, so it stands for any text."""
    return (
        _query(AGENT, calls.agents())
        .label("Agent")
        .multi(True)
        .include_all(True)
        .all_value(_ANY)
        .current(_ALL)
    )


def _uniqueids() -> builders.QueryVariable:
    made = _query(calls.UNIQUEIDS, calls.uniqueids()).multi(True).include_all(True).current(_ALL)
    return made.hide(dashboard.VariableHide.HIDE_VARIABLE)


def _query(name: str, query: str) -> builders.QueryVariable:
    made = builders.QueryVariable(name).id(name).query(query)
    made.datasource(dashboard.DataSourceRef(type_val=INFLUXDB, uid=f"${{{INFLUXDB}}}"))
    made.refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
    return made.sort(dashboard.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)


def _outcome() -> builders.CustomVariable:
    options = [
        dashboard.VariableOption(text=words, value=outcome.value) for outcome, words in OUTCOME_WORDS.items()
    ]
    made = builders.CustomVariable(OUTCOME).id(OUTCOME).label("Outcome").multi(True).include_all(True)
    made.values(", ".join(f"{_escaped(words)} : {outcome.value}" for outcome, words in OUTCOME_WORDS.items()))
    return made.all_value(_ANY).options([_ALL, *options]).current(_ALL)


def _escaped(words: str) -> str:
    return words.replace(",", "\\,")


def _text(name: str, label: str) -> builders.TextBoxVariable:
    empty = dashboard.VariableOption(selected=True, text="", value="")
    made = builders.TextBoxVariable(name).id(name).label(label).default_value("")
    return made.current(empty).options([empty])
