"""Writes POINTS.md from the catalogue: ``python -m asterpanel_exporter.points.reference [--check]``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from asterpanel_exporter.points.catalogue import CATALOGUE, Measurement
from asterpanel_switchboard.generated import write_or_check

REFERENCE: Final = Path(__file__).resolve().parents[2] / "POINTS.md"

_HEAD: Final = """\
# Event points of asterpanel-exporter

Generated from `asterpanel_exporter/points/catalogue.py` by `make docs`; do not edit.

A point is written once, when what it tells of has ended, first to the journal and from there to the tenant's
bucket of InfluxDB. Durations are seconds, as floats, exact to the microsecond of the switchboard's own clock.
Flags are the integers 0 and 1, so that every report is a sum.

**The roll-up**: `queue_interval`, `queue_local_hour`, `agent_interval` and `agent_duty` are made from the
other points, for each half hour of the switchboard's local time (`switchboards.NAME.time_zone`) in which
there was anything: a call, a ringing, a member, a pause; from the first call on. About once a minute those
are made anew that have changed: the one that goes on, one in which a call began that has ended now, one that
an import tells more of.
The new point has the same series and time as the old one, and takes its place. `asterpanel-exporter rollup`
makes all of them anew, as after a change of targets or time zones. Reports sum these up; the points of single
calls are for lists of calls. InfluxDB that was configured later, or another bucket, gets the half hours of
before by `asterpanel-exporter journal resend`.

**Time stamps** are those of the switchboard's events (`timestampevents = yes`), in microseconds, written as
nanoseconds. The same events give the same bytes: two exporters on one switchboard, a replay and an import
write the same points again, which changes nothing. (Half hours are the exception: of two exporters the one
that could not watch for a while knows less of one, and the last to write it wins. So in a pair one has
`exporter.rollup: false`.) Where two things of one series have the same time stamp,
the later told moves on by a microsecond; *identity* names the fields by which a thing told twice is known.

**Texts**: control characters become blanks, and what is no Unicode a question mark. An empty tag or text is
left out; a number never is. (A point whose only fields are empty texts has the first one, empty.) In a tag, a
backslash is left out at the end and before a backslash, comma, equals sign or blank: not every InfluxDB could
read it back.

**The journal** (`journal.path`, SQLite) has the same by the same names: the view `queue_call_points` of the
measurement `queue_call` has a column for each tag and field, and `time` in Unix microseconds; what is left
out of a point is `''` there.
"""


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """One of the formulas in use, as words and as InfluxQL over `queue_call`."""

    words: str
    numerator: str
    denominator: str

    @property
    def query(self) -> str:
        """By queue, from 0.0 to 1.0."""
        return (
            f'SELECT {self.numerator} / {self.denominator} AS "service_level" FROM "queue_call" '  # noqa: S608
            f'WHERE time >= now() - 1d AND "switchboard" = \'milano\' GROUP BY "queue"'
        )


_IN_TIME: Final = 'sum("within_sl")'
_BOTH_IN_TIME: Final = '(sum("within_sl") + sum("abandoned_within_sl"))'
_ANSWERED: Final = 'sum("answered")'
_BOTH: Final = '(sum("answered") + sum("abandoned"))'
_BOTH_LESS_SHORT: Final = '(sum("answered") + sum("abandoned") - sum("short_abandon"))'
_BOTH_LESS_IN_TIME: Final = '(sum("answered") + sum("abandoned") - sum("abandoned_within_sl"))'
_OFFERED: Final = 'sum("offered")'

SERVICE_LEVELS: Final = (
    ServiceLevel("answered in time / answered", _IN_TIME, _ANSWERED),
    ServiceLevel("(answered in time + abandoned in time) / (answered + abandoned)", _BOTH_IN_TIME, _BOTH),
    ServiceLevel("answered in time / (answered + abandoned)", _IN_TIME, _BOTH),
    ServiceLevel(
        "answered in time / (answered + abandoned - short abandons): the default", _IN_TIME, _BOTH_LESS_SHORT
    ),
    ServiceLevel("answered in time / (answered + abandoned + flow-outs)", _IN_TIME, _OFFERED),
    ServiceLevel(
        "answered in time / (answered + abandoned after the threshold)", _IN_TIME, _BOTH_LESS_IN_TIME
    ),
    ServiceLevel("answered in time / offered", _IN_TIME, _OFFERED),
)
"""Formulas 1 to 7."""

_QUERIES_HEAD: Final = """
## The service level in InfluxQL

Seven formulas are in use. Each is a quotient of sums over `queue_call`; the threshold is the one that applied
to each call (`sl_threshold_s`), and a call counts where it began. Flow-outs are calls that ended neither
answered nor abandoned: `timeout`, `exit_key`, `full`, `unknown` and so on; as callers who were refused entry
are among them, formulas 5 and 7 are the same here.
"""
_QUERIES_TAIL: Final = """
Other figures are quotients of sums in the same way. The abandon rate is `sum("abandoned") / sum("offered")`;
the average speed of answer `sum("wait_s") / sum("answered")` with `WHERE "outcome" = 'answered'`; the
transfer rate `sum("transferred") / sum("answered")`.
"""


def reference() -> str:
    """The text of POINTS.md."""
    return _HEAD + "".join(map(_section, CATALOGUE)) + _service_levels()


def _section(measurement: Measurement) -> str:
    return "\n".join(_section_lines(measurement)) + "\n"


def _section_lines(measurement: Measurement) -> Iterator[str]:
    yield f"\n## `{measurement.name}`\n"
    yield f"{measurement.help}\n"
    yield f"Time: {_uncapitalized(measurement.time)}"
    identity = ", ".join(f"`{name}`" for name in measurement.identity)
    yield f"Identity: {identity or 'series and time; a later one replaces it'}.\n"
    yield "| tag | meaning |\n|---|---|"
    for tag in measurement.tags:
        values = f" One of: {', '.join(f'`{value}`' for value in tag.values)}." if tag.values else ""
        yield f"| `{tag.name}` | {tag.help}{values} |"
    yield "\n| field | type | unit | meaning |\n|---|---|---|---|"
    for field in measurement.fields:
        unit = "seconds" if field.name.endswith("_s") else ""
        yield f"| `{field.name}` | {field.type.value} | {unit} | {field.help} |"


def _uncapitalized(text: str) -> str:
    return text[0].lower() + text[1:]


def _service_levels() -> str:
    numbered = [
        f"\n{number}. {level.words}\n\n   ```sql\n   {level.query}\n   ```\n"
        for number, level in enumerate(SERVICE_LEVELS, 1)
    ]
    return "".join([_QUERIES_HEAD, *numbered, _QUERIES_TAIL])


def main(arguments: list[str]) -> int:
    """Write the reference, or with ``--check`` only say whether it is up to date (exit code 1: it is not)."""
    return write_or_check(REFERENCE, reference(), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
