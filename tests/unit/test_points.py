"""Records as points and as line protocol, read back by a parser of the protocol's rules."""

import math
import subprocess
import sys
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point as ClientPoint

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AgentSession,
    AttemptResult,
    ControlAction,
    EndedBy,
    Outcome,
    QueueCall,
    Record,
    SwitchboardGap,
)
from asterpanel_exporter.points.catalogue import CATALOGUE, FieldType
from asterpanel_exporter.points.point import Point, point_of
from asterpanel_exporter.points.reference import SERVICE_LEVELS, main, reference

CALL = QueueCall(
    switchboard="milano",
    queue="billing",
    outcome=Outcome.ANSWERED,
    joined_at=1795390556.123456,
    uniqueid="1795390556.12",
    linkedid="1795390556.12",
    caller="3905551234",
    caller_name="Anna Rossi",
    agent="1001",
    agent_name="Bob Verdi",
    ended_by=EndedBy.CALLER,
    wait_s=12.3456789,
    ring_s=4.0,
    talk_s=61.25,
    position_in=2,
    position_out=1,
    attempts=3,
    sl_threshold_s=20.0,
    short_abandon_s=5.0,
)


# --- the protocol, as its readers have it -----------------------------------------------------------


def parse(line: str, *, generation: int) -> tuple[str, dict[str, str], dict[str, Any], int]:
    """One line as InfluxDB reads it: 1 and 2 (models/points.go), or 3 (influxdb_line_protocol)."""
    head, rest = _until(line, " ")
    body, time = _fields_and_time(rest)
    name, *tags = _split(head, ",")
    assert "\\" not in name
    return name, _tags(tags, generation), _fields(body), int(time)


def _until(text: str, end: str) -> tuple[str, str]:
    """Up to an end that no backslash stands before."""
    at = next(i for i, char in enumerate(text) if char == end and (i == 0 or text[i - 1] != "\\"))
    return text[:at], text[at + 1 :]


def _split(text: str, mark: str) -> list[str]:
    ends = [i for i, char in enumerate(text) if char == mark and text[i - 1] != "\\"]
    return [text[start + 1 : end] for start, end in pairwise([-1, *ends, len(text)])]


def _tags(parts: list[str], generation: int) -> dict[str, str]:
    tags = {}
    for part in parts:
        [key, value] = _split(part, "=")
        assert value, "an empty tag value is an error"
        assert not value.endswith("\\")
        tags[key] = _unescaped_3(value) if generation == 3 else _unescaped_1(value)
    return tags


def _unescaped_1(value: str) -> str:
    for char in ", =":
        value = value.replace(f"\\{char}", char)
    return value


def _unescaped_3(value: str) -> str:
    out, chars = "", iter(value)
    for char in chars:
        if char != "\\":
            out += char
        else:
            following = next(chars)
            out += following if following in "\\, =" else f"\\{following}"
    return out


def _fields_and_time(text: str) -> tuple[str, str]:
    quoted = escaped = False
    for i, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == " " and not quoted:
            return text[:i], text[i + 1 :]
    raise AssertionError(f"no end of the fields: {text!r}")


def _fields(text: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    while text:
        key, _, text = text.partition("=")
        if text.startswith('"'):
            values[key], text = _string(text[1:])
        else:
            number, _, text = text.partition(",")
            values[key] = int(number[:-1]) if number.endswith("i") else float(number)
    return values


def _string(text: str) -> tuple[str, str]:
    out, i = "", 0
    while text[i] != '"':
        if text[i] == "\\" and text[i + 1] in '"\\':
            i += 1
        out += text[i]
        i += 1
    return out, text[i + 2 :]


# --- any record -------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(alphabet=list('",= \\\n\r\t\0\x7f\x85\u2028ab'), max_size=12),
    st.text(alphabet=st.characters(categories=["Cs", "L"]), max_size=6),
)
SECONDS = st.floats(min_value=-1e-9, max_value=1e7)
COUNTS = st.integers(min_value=0, max_value=10**6)
TIMES = st.floats(min_value=0, max_value=4e9)


def records() -> st.SearchStrategy[Record]:
    by_type = {"float": SECONDS, "int": COUNTS, "str": TEXTS}
    by_name: dict[str, st.SearchStrategy[Any]] = {
        "joined_at": TIMES,
        "started_at": TIMES,
        "acted_at": TIMES,
        "outcome": st.sampled_from(Outcome),
        "ended_by": st.sampled_from(EndedBy),
    }

    def of(kind: type[Record]) -> st.SearchStrategy[Record]:
        own = by_name | ({"result": st.sampled_from(AttemptResult)} if kind is AgentAttempt else {})
        return st.builds(
            kind, **{f.name: own[f.name] if f.name in own else by_type[str(f.type)] for f in fields(kind)}
        )

    return st.one_of(
        *map(of, (QueueCall, AgentAttempt, AgentPause, AgentSession, ControlAction, SwitchboardGap))
    )


@given(records())
def test_every_influxdb_reads_what_the_point_says(record: Record) -> None:
    point = point_of(record)
    line = point.line
    assert min(line) >= " "
    assert line.splitlines() == [line]
    for generation in (1, 3):
        name, tags, values, time_ns = parse(line, generation=generation)
        assert name == point.measurement.name
        assert time_ns == point.time_us * 1000 == round(record.at * 1e6) * 1000
        assert tags == {
            tag.name: value for tag, value in zip(point.measurement.tags, point.tags, strict=True) if value
        }
        told = {f.name: v for f, v in zip(point.measurement.fields, point.fields, strict=True) if v != ""}
        assert values == told or (not told and list(values.values()) == [""])
        for field in point.measurement.fields:
            if field.type is not FieldType.STRING:
                assert math.copysign(1.0, values[field.name]) == 1.0 or values[field.name] < 0


@given(records())
def test_influxdb_client_writes_the_same_values(record: Record) -> None:
    point = point_of(record)
    client = ClientPoint(point.measurement.name).time(point.time_us * 1000)
    for tag, value in zip(point.measurement.tags, point.tags, strict=True):
        client.tag(tag.name, value)
    for field, content in zip(point.measurement.fields, point.fields, strict=True):
        client.field(field.name, None if content == "" else content)
    if line := client.to_line_protocol():
        # Its own order of fields, and 5 for 5.0; else the same rules.
        assert parse(line, generation=1) == parse(point.line, generation=1)


@given(records())
def test_a_point_is_the_same_bytes_each_time(record: Record) -> None:
    again = replace(record)
    assert point_of(again) == point_of(record)
    assert point_of(again).line == point_of(record).line


def test_a_point_of_a_stored_point_is_the_same() -> None:
    point = point_of(CALL)
    stored = Point(point.measurement, point.time_us, tuple(point.tags), tuple(point.fields))
    assert stored.line == point.line


# --- what it looks like -----------------------------------------------------------------------------


def test_the_line_of_a_call() -> None:
    assert point_of(CALL).line == (
        "queue_call,switchboard=milano,queue=billing,outcome=answered,agent=1001,agent_name=Bob\\ Verdi,"
        "ended_by=caller wait_s=12.345679,ring_s=4.0,talk_s=61.25,position_in=2i,position_out=1i,attempts=3i,"
        "offered=1i,answered=1i,abandoned=0i,short_abandon=0i,within_sl=1i,abandoned_within_sl=0i,"
        'transferred=0i,sl_threshold_s=20.0,caller="3905551234",caller_name="Anna Rossi",'
        'uniqueid="1795390556.12",linkedid="1795390556.12" 1795390556123456000'
    )


def test_empty_texts_are_left_out_and_numbers_never() -> None:
    line = point_of(replace(CALL, agent="", agent_name="", ended_by=EndedBy.UNKNOWN, caller_name="")).line
    assert "agent" not in line
    assert "ended_by" not in line
    assert "caller_name" not in line
    assert "transferred=0i" in line


def test_a_point_of_empty_texts_alone_has_a_field() -> None:
    line = point_of(ControlAction("milano", "pause", "1001", "", "denied", 1.0)).line
    assert (
        line == 'control_action,switchboard=milano,action=pause,agent=1001,result=denied user="" 1000000000'
    )


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("ACME\\bob", "ACME\\bob"),
        ("\\\\acme\\bob", "\\acme\\bob"),
        ("bob\\", "bob"),
        ("a\\,b\\ c\\=d", "a,b c=d"),
        ("two\r\nlines", "two  lines"),
        ("caf\u00e9 \u260e", "caf\u00e9 \u260e"),
        ("half \ud83d", "half ?"),
        ("line\u2028s\x85", "line s "),
    ],
)
def test_what_a_tag_cannot_carry_is_cleaned_from_it(name: str, stored: str) -> None:
    point = point_of(replace(CALL, agent_name=name))
    assert point.tags[4] == stored
    for generation in (1, 3):
        assert parse(point.line, generation=generation)[1]["agent_name"] == stored


def test_durations_are_rounded_to_the_microsecond_and_never_minus_zero() -> None:
    point = point_of(replace(CALL, wait_s=-1e-9, talk_s=0.1 + 0.2))
    assert "wait_s=0.0,ring_s=4.0,talk_s=0.3," in point.line


def test_a_taken_time_stamp_moves_on_by_a_microsecond() -> None:
    assert point_of(CALL).later().line == point_of(replace(CALL, joined_at=CALL.joined_at + 1e-6)).line


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_by_name(value: float) -> None:
    with pytest.raises(ValueError, match=r"^queue_call of milano: talk_s: -?(nan|inf) is no finite number$"):
        point_of(replace(CALL, talk_s=value))
    with pytest.raises(ValueError, match=r"^QueueCall of milano: .* is no time"):
        point_of(replace(CALL, joined_at=value))
    with pytest.raises(ValueError, match="agent_session of milano: duration_s: "):
        point_of(AgentSession("milano", "billing", "1001", "Bob", 1.0, value))


def test_what_influxdb_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match=r"attempts: 9223372036854775808 is beyond 64 bits"):
        point_of(replace(CALL, attempts=2**63))
    with pytest.raises(ValueError, match="no time of 1677 to 2262"):
        point_of(replace(CALL, joined_at=1e10))


# --- the catalogue and POINTS.md --------------------------------------------------------------------


def test_the_catalogue_has_the_attributes_of_the_records() -> None:
    for measurement in CATALOGUE:
        names = {tag.name for tag in measurement.tags} | {field.name for field in measurement.fields}
        assert len(names) == len(measurement.tags) + len(measurement.fields)
        assert all(hasattr(measurement.record, name) for name in names)
        assert set(measurement.identity) <= {field.name for field in measurement.fields}
        assert measurement.tags[0].name == "switchboard"


def test_points_md_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_points_md_names_everything() -> None:
    text = reference()
    for measurement in CATALOGUE:
        section = text.split(f"\n## `{measurement.name}`\n")[1].split("\n## ")[0]
        for name in [tag.name for tag in measurement.tags] + [field.name for field in measurement.fields]:
            assert f"\n| `{name}` | " in section
        for value in (value for tag in measurement.tags for value in tag.values):
            assert f"`{value}`" in section
    for level in SERVICE_LEVELS:
        assert level.query in text
    assert len(SERVICE_LEVELS) == 7


def test_points_need_neither_a_database_nor_a_loop() -> None:
    code = (
        "import sys, asterpanel_exporter.points.point, asterpanel_exporter.history.records\n"
        "print({'sqlite3', 'asyncio', 'influxdb_client'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"
