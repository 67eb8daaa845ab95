"""What InfluxDB's answers mean, and what follows from them: pauses and the size of requests."""

import json
from email.utils import formatdate
from time import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_exporter.influx.answers import FailureKind, WriteError, error_of_answer
from asterpanel_exporter.influx.pacing import Backoff, RequestSize
from asterpanel_exporter.journal.journal import Pending

PARTIAL_1 = 'partial write: field type conflict: input field "x" on measurement "m" is type integer dropped=2'
PARTIAL_2 = (
    "failure writing points to database: partial write: dropped 1 points outside retention policy of "
    "duration 24h0m0s dropped=1 for database: 19cb6b2b065abf14 for retention policy: autogen"
)


def answered(status: int, body: object, **headers: str) -> WriteError:
    return error_of_answer(status, headers, body if isinstance(body, str) else json.dumps(body))


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, {"error": PARTIAL_1}, "refused", PARTIAL_1),
        (422, {"code": "unprocessable entity", "message": PARTIAL_2}, "refused", PARTIAL_2),
        (400, {"error": "partial write of line protocol occurred", "data": [{"error_message": "bad"}]},
         "refused", "partial write of line protocol occurred: bad"),
        (201, {"code": "invalid", "message": "1 line was rejected"}, "refused", "1 line was rejected"),
        (403, {"message": "outside of the bucket's retention period"}, "refused", "outside of the bucket's "
         "retention period"),
        (400, "<html>", "unexpected", "HTTP 400"),
        (400, "[]", "unexpected", "HTTP 400"),
        (400, {"status": "bad"}, "unexpected", "HTTP 400"),
        (401, "", "denied", "HTTP 401"),
        (403, {"message": "insufficient permissions"}, "denied", "insufficient permissions"),
        (404, {"message": 'bucket "b" not found'}, "not_found", 'bucket "b" not found'),
        (404, "404 page not found", "unexpected", "HTTP 404"),
        (413, "", "too_large", "HTTP 413"),
        (429, "", "busy", "HTTP 429"),
        (503, "", "busy", "HTTP 503"),
        (500, {"error": "timeout"}, "server_error", "timeout"),
        (502, "", "server_error", "HTTP 502"),
        (200, "<html>", "unexpected", "HTTP 200"),
        (307, "", "unexpected", "HTTP 307"),
    ],
)  # fmt: skip
def test_kinds(status: int, body: object, kind: str, message: str) -> None:
    error = answered(status, body)
    assert (error.kind.value, error.message) == (kind, message)


@pytest.mark.parametrize(
    ("said", "dropped"),
    [
        (PARTIAL_1, 2),
        (PARTIAL_2, 1),
        ("partial write: unable to parse 'm x= dropped=1': missing field value dropped=0", None),
        ("partial write: dropped=5 and more", None),
        ("dropped=3", None),
    ],
)
def test_only_the_server_s_own_count_of_dropped_lines_counts(said: str, dropped: int | None) -> None:
    assert answered(400, {"error": said}).dropped == dropped


@given(
    st.integers(100, 599),
    st.text() | st.recursive(st.text(), lambda inner: st.dictionaries(st.text(), inner)),
)
def test_any_answer_is_an_error_of_some_kind(status: int, body: object) -> None:
    error = answered(status, body)
    assert error.message
    assert len(error.summary) <= 300


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3),
        (" 0 ", 0),
        ("-5", None),
        ("soon", None),
        ("999999999", 3600),
        (formatdate(0, usegmt=True), 0),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert answered(429, "", **{"retry-after": value}).retry_after_s == seconds


def test_retry_after_a_date() -> None:
    wait = answered(503, "", **{"Retry-After": formatdate(time() + 60, usegmt=True)}).retry_after_s
    assert wait == pytest.approx(60, abs=3)


def test_a_summary_quotes_no_line() -> None:
    error = answered(400, {"message": "unable to parse 'queue_call caller=\"Mario's\n\" 1': bad"})
    assert error.summary == "unable to parse a line: bad"
    assert "Mario" in error.message


def failure(kind: FailureKind, retry_after_s: float | None = None) -> WriteError:
    return WriteError(kind, "", retry_after_s=retry_after_s)


def test_pauses_grow_up_to_the_longest_and_begin_anew() -> None:
    backoff = Backoff(8.0, first_s=1.0, jitter=lambda: 1.0)
    error = failure(FailureKind.CONNECTION)
    assert [backoff.pause_s(error) for _ in range(6)] == [1, 2, 4, 8, 8, 8]
    backoff.reset()
    assert backoff.pause_s(error) == 1
    assert backoff.pause_s(failure(FailureKind.BUSY, 30.0)) == 30
    assert backoff.pause_s(failure(FailureKind.DENIED)) == 8


@given(st.floats(0, 1, exclude_max=True))
def test_pauses_have_jitter(jitter: float) -> None:
    assert 4 <= Backoff(8.0, jitter=lambda: jitter).pause_s(failure(FailureKind.TLS)) <= 8


def lines(number: int, size: int = 9) -> list[Pending]:
    return [Pending(i, 0.0, "x" * size) for i in range(number)]


def test_a_request_is_cut_by_lines_and_by_bytes() -> None:
    size = RequestSize(100, 500)
    assert len(size.cut(lines(1000))) == 50
    assert len(size.cut(lines(1000, size=1))) == 100
    assert len(size.cut(lines(3, size=10_000))) == 1
    assert size.cut([]) == []


def test_too_large_stays_and_no_answer_passes() -> None:
    size = RequestSize(100, 10_000)
    size.too_large(size.cut(lines(100)))
    assert len(size.cut(lines(100))) == 50
    for _ in range(20):
        size.failed()
    assert len(size.cut(lines(100))) == size.lines == 1
    for _ in range(20):
        size.succeeded()
    assert size.lines == 100
    assert len(size.cut(lines(100))) == 50
