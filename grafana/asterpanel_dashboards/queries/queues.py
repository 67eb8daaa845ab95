"""How queues did, and why: InfluxQL over the half hours of ``queue_interval``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Final

from asterpanel_dashboards.queries import service_level
from asterpanel_dashboards.queries.influxql import (
    BEFORE,
    HALF_HOUR,
    IN_TIME,
    Figure,
    InfluxTarget,
    as_tables,
    by_condition,
    select,
    series,
)
from asterpanel_dashboards.queries.variables import QUEUE, SWITCHBOARD, condition
from asterpanel_exporter.history.records import Outcome
from asterpanel_exporter.points.catalogue import OUTCOME_FIELDS, QUEUE_INTERVAL, QUEUE_LOCAL_HOUR
from asterpanel_switchboard.service_level import Formula

BY_QUEUE: Final = (SWITCHBOARD, QUEUE)

_HELP: Final = {field.name: field.help for field in QUEUE_INTERVAL.fields}


def _help(field: str) -> str:
    """The definition of a field, as it goes on after a name and a colon."""
    text = _HELP[field].removeprefix("Of these: ")
    return text[0].lower() + text[1:]


_HAS_CALLS: Final = '"offered" > 0'
_HAS_ANSWERED: Final = '"answered" > 0'
_SHARE: Final = "percentunit"
_TIME: Final = "dthms"

OFFERED: Final = Figure(
    "Offered", 'sum("offered")',
    help="every caller who entered a queue or was refused entry, by the time of the join; each visit of a "
    "queue counts.",
)  # fmt: skip
ANSWERED: Final = Figure("Answered", 'sum("answered")', help="calls that an agent answered.")
ABANDONED: Final = Figure(
    "Abandoned", 'sum("abandoned")',
    help="the caller hung up while waiting, short abandons included; time-outs, exits by key and the like "
    "are not abandons.",
)  # fmt: skip
OTHER_ENDS: Final = Figure(
    "Other ends", 'sum("offered") - sum("answered") - sum("abandoned")',
    help="neither answered nor abandoned: refused, timed out, left by key and so on.",
)  # fmt: skip
SHORT_ABANDONS: Final = Figure(
    "Short abandons", 'sum("short_abandon")',
    help="of the abandoned, those who hung up within the queue's short_abandon time.",
)  # fmt: skip
ABANDON_RATE: Final = Figure(
    "Abandon rate", 'sum("abandoned") / sum("offered")', _HAS_CALLS, "abandoned / offered.", _SHARE
)
ASA: Final = Figure(
    "ASA", 'sum("answered_wait_s") / sum("answered")', _HAS_ANSWERED,
    "average speed of answer: wait of the answered calls, ringing included, / answered; abandons are not in "
    "it.", _TIME,
)  # fmt: skip
AHT: Final = Figure(
    "AHT", '(sum("talk_s") + sum("wrapup_s")) / sum("answered")', _HAS_ANSWERED,
    "average handle time: (talk + wrap-up) / answered. Talk includes time on hold; wrap-up is the configured "
    "time after each answered call.", _TIME,
)  # fmt: skip
LONGEST_WAIT: Final = Figure(
    "Longest wait", 'max("longest_wait_s")', _HAS_CALLS, "of any caller, however the wait ended.", _TIME
)
TRANSFERRED: Final = Figure(
    "Transferred", 'sum("transferred")', help="answered calls that the agent transferred."
)
NO_ANSWER: Final = Figure(
    "RNA", 'sum("ring_no_answer")',
    help="ring no answer: ringings of an agent's phone that he did not answer in the time that the queue "
    "gives; a caller who leaves while a phone rings makes none.",
)  # fmt: skip
NO_ANSWER_RATE: Final = Figure(
    "RNA rate",
    'sum("ring_no_answer") / sum("rings")',
    '"rings" > 0',
    "RNA / all rings of agents' phones.",
    _SHARE,
)
OTHER_RINGS: Final = Figure(
    "Other rings", 'sum("rings") - sum("ring_no_answer")',
    help="answered, refused by the phone, or ended by the caller or a faster agent.",
)  # fmt: skip
WAIT_OF_ANSWERED: Final = Figure("Answered", ASA.expression, ASA.where, ASA.help, _TIME)
WAIT_OF_ABANDONED: Final = Figure(
    "Abandoned", 'sum("abandoned_wait_s") / sum("abandoned")', '"abandoned" > 0',
    "average wait of the abandoned calls.", _TIME,
)  # fmt: skip

PLANNED_OFFERED: Final = Figure("Planned", 'sum("planned_offered")', help=_help("planned_offered"))
HANDLE_TIME: Final = Figure(
    "Handle time", '(sum("talk_s") + sum("wrapup_s") + sum("answered_ring_s")) / sum("answered")',
    _HAS_ANSWERED,
    "what an answered call took of an agent's time: AHT, and the ringing until he answered.", _TIME,
)  # fmt: skip
PLANNED_TIME: Final = Figure(
    "Planned time", 'sum("planned_handle_s") / sum("planned_offered")', '"planned_handle_s" > 0',
    "the same of the calls planned, on average.", _TIME,
)  # fmt: skip

OUTCOME_WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.ANSWERED: "Answered",
    Outcome.ABANDONED: "Abandoned",
    Outcome.TIMEOUT: "Timed out",
    Outcome.EXIT_KEY: "Left by key",
    Outcome.LEAVE_EMPTY: "Left, no agents",
    Outcome.JOIN_EMPTY: "Refused, no agents",
    Outcome.LEAVE_UNAVAIL: "Left, none available",
    Outcome.JOIN_UNAVAIL: "Refused, none available",
    Outcome.FULL: "Refused, full",
    Outcome.WITHDRAWN: "Withdrawn",
    Outcome.CONTINUE: "Went on",
    Outcome.REDIRECTED: "Redirected",
    Outcome.UNKNOWN: "Unknown",
}
"""How a visit ended, for people."""

OTHER_OUTCOMES: Final = tuple(
    ended for ended in Outcome if ended not in (Outcome.ANSWERED, Outcome.ABANDONED)
)
"""Neither answered nor abandoned."""

CAUSES: Final[Mapping[str, str]] = {
    "lost_arrivals": "More calls",
    "lost_handle_time": "Longer calls",
    "lost_staffing": "Few agents",
    "lost_pauses": "Pauses",
    "lost_ring_no_answer": "No answer",
    "lost_other": "Other",
}
"""Why calls were lost to the service level: words by field."""

LOST: Final = Figure(
    "Lost", 'sum("lost")',
    help=f"{_help('lost')[:-1]}: target × calls that count − calls within the service level, of each half "
    "hour below the target.",
)  # fmt: skip
LOST_RATE: Final = Figure(
    "Of calls", 'sum("lost") / sum("counted")', '"counted" > 0',
    "lost / calls that count for the service level.", _SHARE,
)  # fmt: skip


def level(formula: Formula) -> Figure:
    """The service level."""
    return Figure(
        "Service level",
        service_level.influxql(formula),
        service_level.influxql_counted(formula),
        f"{formula.symbols}: {formula.words}. T is the threshold of each call's queue, A answered, B "
        "abandoned, S short abandons, F other ends; calls of queues without a threshold do not count.",
        _SHARE,
    )


def outcome(ended: Outcome) -> Figure:
    """Calls that ended so; without any there is no column."""
    field = OUTCOME_FIELDS[ended]
    return Figure(OUTCOME_WORDS[ended], f'sum("{field}")', f'"{field}" > 0')


def causes() -> list[Figure]:
    """Lost calls by cause."""
    return [Figure(words, f'sum("{field}")', help=_help(field)) for field, words in CAUSES.items()]


def cause_shares() -> list[Figure]:
    """The share of each cause in the lost calls."""
    return [
        Figure(words, f'sum("{field}") / sum("lost")', '"lost" > 0', _help(field), _SHARE)
        for field, words in CAUSES.items()
    ]


def table(figures: Sequence[Figure], *tags: str, every: str = "", zone: str = "") -> list[InfluxTarget]:
    """The queries of a table with these columns."""
    together = by_condition(figures)
    return as_tables(*(select(QUEUE_INTERVAL, one, tags=tags, every=every, zone=zone) for one in together))


def local_hours(figures: Sequence[Figure], *tags: str) -> list[InfluxTarget]:
    """The queries of a table by ``weekday`` and ``hour``."""
    together = by_condition(figures)
    return as_tables(*(select(QUEUE_LOCAL_HOUR, one, tags=tags) for one in together))


def compared(figure: Figure) -> list[InfluxTarget]:
    """A figure of the chosen time, and the same of the period before as ``Before``."""
    before = Figure("Before", figure.expression, figure.where)
    return as_tables(select(QUEUE_INTERVAL, [figure]), select(QUEUE_INTERVAL, [before], time=BEFORE))


def bars(figures: Sequence[Figure], zone: str) -> list[InfluxTarget]:
    """The queries of bars over time, one for each figure."""
    return _each(figures, zone, "$__interval", "none")


def half_hours(figures: Sequence[Figure], zone: str) -> list[InfluxTarget]:
    """The queries of lines by half hour, with a gap where there is no point."""
    return _each(figures, zone, HALF_HOUR, "null")


def _each(figures: Sequence[Figure], zone: str, every: str, fill: str) -> list[InfluxTarget]:
    return [
        series(select(QUEUE_INTERVAL, [figure], every=every, fill=fill, zone=zone), id_)
        for figure, id_ in zip(figures, ascii_uppercase, strict=False)
    ]


AGENTS: Final = tuple(
    Figure(words, f'sum("{field}") / 1800', help=help_, unit="none")
    for words, field, help_ in (
        (
            "Needed",
            "needed_s",
            "by Erlang C, for the calls as they came and the target of the service level.",
        ),
        ("There", "staffed_s", "members of the queue."),
        ("On pause", "paused_s", "of those there."),
        ("Elsewhere", "elsewhere_s", "of those there, not on pause, but busy with calls of other queues."),
    )
)
"""How many agents there were in a half hour on average, and how many were needed."""

WORST: Final = 25
"""Half hours in the list of the worst."""

COLUMNS_OF_HALF_HOURS: Final = {
    "Lost": '"lost"',
    **{words: f'"{field}"' for field, words in CAUSES.items()},
    "Offered": '"offered"',
    "Planned": '"planned_offered"',
    "Needed": '"needed_s" / 1800',
    "There": '"staffed_s" / 1800',
    "On pause": '"paused_s" / 1800',
    "Elsewhere": '"elsewhere_s" / 1800',
    HANDLE_TIME.name: '("talk_s" + "wrapup_s" + "answered_ring_s") / "answered"',
    PLANNED_TIME.name: '"planned_handle_s" / "planned_offered"',
    "RNA": '"ring_no_answer"',
}
"""What the list tells of each: names for people, expressions of fields."""


def worst_half_hours() -> list[InfluxTarget]:
    """The half hours in which most calls were lost, with their causes."""
    fields = dict.fromkeys(part for text in COLUMNS_OF_HALF_HOURS.values() for part in text.split('"')[1::2])
    del fields["lost"]
    inner = ", ".join([f'top("lost", {WORST}) AS "lost"', *(f'"{name}"' for name in (*BY_QUEUE, *fields))])
    named = ", ".join(f'{expression} AS "{words}"' for words, expression in COLUMNS_OF_HALF_HOURS.items())
    points = f'FROM "{QUEUE_INTERVAL.name}" WHERE {IN_TIME} AND {condition(*BY_QUEUE)} AND "lost" > 0'
    query = f'SELECT "{SWITCHBOARD}", "{QUEUE}", {named} FROM (SELECT {inner} {points})'  # noqa: S608
    return as_tables(query)
