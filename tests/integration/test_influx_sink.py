"""The sink against real InfluxDB servers that die, freeze and refuse: nothing lost, nothing doubled."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from asterpanel_exporter.history.records import (
    AgentPause,
    ControlAction,
    EndedBy,
    Outcome,
    QueueCall,
    Record,
)
from asterpanel_exporter.influx.answers import FailureKind
from asterpanel_exporter.influx.client import WriteClient
from asterpanel_exporter.influx.sender import Progress, SenderState
from asterpanel_exporter.influx.sink import InfluxSink
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.points.point import point_of
from asterpanel_switchboard.config import InfluxConfig
from tests.debian import ProgramUnavailable
from tests.influx_server import Influx, Scripted, influx_1, influx_2
from tests.waiting import eventually, for_a_while

TENANT = "acme"
START = 1_790_000_000
ENOUGH_S = 30.0

_buckets = count()


@pytest.fixture(scope="module", params=["1.6.7", "2.7"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    folder = tmp_path_factory.mktemp("influx") / "server"
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(influx_1(folder) if request.param == "1.6.7" else influx_2(folder))
        except ProgramUnavailable as reason:
            pytest.skip(str(reason))
        yield made


@pytest.fixture
def influx(server: Influx) -> Iterator[Influx]:
    yield server
    server.recover()


@pytest.fixture
def bucket(influx: Influx) -> str:
    return influx.make_bucket(f"bucket-{next(_buckets)}")


class Delivery:
    """A journal and a sink that empties it into one bucket."""

    def __init__(self, folder: Path, config: InfluxConfig) -> None:
        self.config = config
        self.path = folder / "journal.db"
        self.journal = Journal.open(self.path)
        self.sink = InfluxSink(config, [TENANT], self.path, first_pause_s=0.02)
        self.accepted = 0

    @property
    def progress(self) -> Progress:
        return self.sink.progress[TENANT]

    @property
    def errors(self) -> dict[str, int]:
        return {kind.value: number for kind, number in self.progress.errors.items()}

    def accept(self, *records: Record) -> None:
        """Write to the journal, as the exporter does."""
        new = self.journal.write(Batch([(TENANT, point_of(record)) for record in records]), time.time())
        self.accepted += len(new)
        self.sink.wake()

    async def all_delivered(self) -> None:
        await eventually(lambda: self.settled == self.accepted, ENOUGH_S, "all delivered")
        await eventually(lambda: self.progress.state is SenderState.IDLE)
        assert not self.journal.backlog()
        assert self.progress.oldest_pending is None

    @property
    def settled(self) -> int:
        return self.progress.delivered + self.progress.refused

    def dead_letters(self) -> list[tuple[str, str]]:
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            return db.execute("SELECT line, reason FROM dead_letter ORDER BY id").fetchall()

    def sums(self) -> dict[str, Any]:
        """Of the journal's own queue calls."""
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            db.row_factory = sqlite3.Row
            return dict(db.execute(SUMS.format(table="queue_call_points")).fetchone())


SUMS = (
    'SELECT sum("offered") AS offered, sum("answered") AS answered, sum("abandoned") AS abandoned, '
    'sum("wait_s") AS wait_s, sum("talk_s") AS talk_s, count("uniqueid") AS calls FROM {table}'
)


def sums_equal(influx: Influx, bucket: str, delivery: Delivery) -> bool:
    row = influx.row(bucket, SUMS.format(table="queue_call"))
    del row["time"]
    return row == pytest.approx(delivery.sums())


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Our own messages: asyncio tells of slow tests too."""
    ours = (record for record in caplog.records if record.name.startswith("asterpanel_exporter"))
    return [f"{record.levelname}: {record.getMessage()}" for record in ours]


@contextlib.contextmanager
def delivering(folder: Path, config: InfluxConfig, *, started: bool = True) -> Iterator[Delivery]:
    delivery = Delivery(folder, config)
    if started:
        delivery.sink.start()
    try:
        yield delivery
    finally:
        if started:
            delivery.sink.stop()
        delivery.journal.close()


def calls(number: int, first: int = 0) -> list[QueueCall]:
    """Queue calls of all kinds, each another one."""
    return [
        QueueCall(
            switchboard="milano",
            queue=f"queue {i % 7}",
            outcome=Outcome.ANSWERED if i % 3 else Outcome.ABANDONED,
            joined_at=START + i * 0.001,
            uniqueid=f"{START}.{i}",
            caller=f"+39 02 {i}",
            caller_name='Ciccio "il grande", 100% = tutto\\',
            agent=f"{1000 + i % 11}" if i % 3 else "",
            agent_name="Anna, Rossi" if i % 3 else "",
            ended_by=EndedBy.CALLER if i % 3 else EndedBy.UNKNOWN,
            wait_s=i * 0.25,
            talk_s=i * 0.5 if i % 3 else 0.0,
        )
        for i in range(first, first + number)
    ]


def pause(i: int) -> AgentPause:
    return AgentPause("milano", "1001", "Anna", "lunch", START + i, 60.0)


async def test_every_point_arrives_once_and_sums_are_the_journal_s(
    influx: Influx, bucket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with delivering(tmp_path, influx.config(bucket, batch_size=400)) as delivery:
        delivery.accept(*calls(1000))
        await delivery.all_delivered()
        delivery.accept(*calls(1, first=1000), pause(1))
        await delivery.all_delivered()
        assert sums_equal(influx, bucket, delivery)
        assert influx.count(bucket, "agent_pause", "duration_s") == 1
        assert not delivery.progress.errors
        assert delivery.progress.lag_s(time.time()) == 0.0
        assert delivery.progress.last_success == pytest.approx(time.time(), abs=30)
    assert delivery.progress.state is SenderState.STOPPED
    assert not told(caplog)


async def test_what_another_program_writes_to_the_journal_is_found(
    influx: Influx, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asterpanel_exporter.influx.sender.POLL_S", 0.05)
    with delivering(tmp_path, influx.config(bucket)) as delivery:
        await eventually(lambda: delivery.progress.state is SenderState.IDLE)
        batch = Batch([(TENANT, point_of(call)) for call in calls(3)])
        delivery.accepted += len(delivery.journal.write(batch, time.time()))
        await delivery.all_delivered()


async def test_killed_in_mid_batch(
    influx: Influx, bucket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "asterpanel_exporter")

    def kill_at_the_third() -> None:
        if len(influx.front.writes) == 3:
            threading.Timer(0.005, influx.process.kill).start()

    influx.front.before_write = kill_at_the_third
    with delivering(tmp_path, influx.config(bucket, batch_size=500), started=False) as delivery:
        delivery.accept(*calls(5000))
        delivery.sink.start()
        await eventually(lambda: len(delivery.errors) and not influx.process.is_running, ENOUGH_S)
        await eventually(lambda: delivery.progress.errors[FailureKind.CONNECTION] >= 3)
        assert delivery.progress.delivered < 5000
        assert delivery.progress.state is SenderState.WAITING
        assert delivery.progress.lag_s(time.time()) > 0
        influx.process.start()
        await delivery.all_delivered()
        assert sums_equal(influx, bucket, delivery)
        assert not delivery.progress.refused
        delivery.sink.stop()
    warning, info = told(caplog)
    assert warning.startswith("WARNING: InfluxDB at http://127.0.0.1:")
    assert "cannot be reached for tenant acme" in warning
    assert info.startswith("INFO: InfluxDB takes the points of tenant acme again, after ")


async def test_frozen_in_mid_batch(influx: Influx, bucket: str, tmp_path: Path) -> None:
    def freeze_at_the_second() -> None:
        if len(influx.front.writes) == 2:
            influx.process.freeze()

    influx.front.before_write = freeze_at_the_second
    config = influx.config(bucket, batch_size=500, timeout=0.3)
    with delivering(tmp_path, config, started=False) as delivery:
        delivery.accept(*calls(2000))
        delivery.sink.start()
        await eventually(lambda: delivery.progress.errors[FailureKind.TIMEOUT] >= 2, ENOUGH_S)
        assert delivery.progress.delivered == 500
        assert "does not answer" in delivery.progress.problem
        influx.process.thaw()
        await delivery.all_delivered()
        assert sums_equal(influx, bucket, delivery)


async def test_down_for_a_long_time(influx: Influx, bucket: str, tmp_path: Path) -> None:
    influx.process.kill()
    with delivering(tmp_path, influx.config(bucket)) as delivery:
        for day in range(7):
            delivery.accept(*calls(300, first=300 * day))
            tried = delivery.progress.errors.total()
            await eventually(lambda tried=tried: delivery.progress.errors.total() > tried)  # type: ignore[misc]
        assert delivery.errors.keys() == {"connection"}
        assert delivery.progress.delivered == 0
        assert delivery.journal.backlog()[TENANT][0] == 2100
        assert "cannot be reached" in delivery.progress.problem
        influx.process.start()
        await delivery.all_delivered()
        assert not delivery.progress.problem
        assert sums_equal(influx, bucket, delivery)


async def test_an_acknowledgement_that_is_lost_doubles_nothing(
    influx: Influx, bucket: str, tmp_path: Path
) -> None:
    influx.front.answers.append(Scripted(500, '{"code":"internal error","message":"boom"}', apply=True))
    with delivering(tmp_path, influx.config(bucket)) as delivery:
        delivery.accept(*calls(100))
        await delivery.all_delivered()
        assert delivery.errors == {"server_error": 1}
        assert sums_equal(influx, bucket, delivery)


async def test_refused_lines_go_to_the_dead_letters_and_block_nothing(
    influx: Influx, bucket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.closing(
        WriteClient(influx.config(bucket), influx.config(bucket).target_for(TENANT))
    ) as by:
        by.write([f'agent_pause duration_s="text" {START * 10**9}'])
    with delivering(tmp_path, influx.config(bucket), started=False) as delivery:
        delivery.accept(*calls(700), pause(1), *calls(700, first=700), pause(2), *calls(50, first=1400))
        with delivery.journal.transaction() as db:
            line = "queue_call,switchboard=milano caller=Mario 1"
            db.execute("UPDATE outbox SET line = ? WHERE id = (SELECT max(id) FROM outbox)", (line,))
        delivery.sink.start()
        await delivery.all_delivered()
        letters = delivery.dead_letters()
        assert delivery.progress.refused == len(letters) == 3
        assert delivery.progress.delivered == 1449
        assert delivery.progress.errors[FailureKind.REFUSED] > 3
        assert influx.count(bucket, "queue_call", "uniqueid") == 1449
        for (line, reason), expected in zip(
            letters,
            ["field type conflict", "field type conflict", "unable to parse 'queue_call"],
            strict=True,
        ):
            assert expected in reason
            assert line.startswith("agent_pause" if "conflict" in expected else "queue_call")
    [message] = told(caplog)
    assert message.startswith("WARNING: InfluxDB refused 3 of 1452 points of tenant acme")
    assert "Mario" not in message


async def test_points_beyond_the_retention_are_refused_in_few_requests(
    influx: Influx, tmp_path: Path
) -> None:
    bucket = influx.make_bucket(f"bucket-{next(_buckets)}", retention_days=7)
    with delivering(tmp_path, influx.config(bucket)) as delivery:
        old = calls(1000)
        delivery.accept(*old)
        await delivery.all_delivered()
        assert delivery.progress.refused == 1000
        assert all("etention" in reason for _, reason in delivery.dead_letters())
        assert len(influx.front.writes) <= 3


@pytest.mark.parametrize(
    ("answer", "kind", "advice"),
    [
        (Scripted(401, '{"message":"unauthorized access"}'), "denied", "check its token"),
        (Scripted(403, '{"error":"\\"u\\" not authorized to write"}'), "denied", "check its token"),
        (Scripted(404, '{"message":"bucket \\"b\\" not found"}'), "not_found", "influx setup` makes it"),
        (Scripted(404, "404 page not found"), "unexpected", "check influxdb.url"),
        (Scripted(400, "<html>Bad Request</html>"), "unexpected", "check influxdb.url"),
        (Scripted(200, "<html>Welcome</html>"), "unexpected", "check influxdb.url"),
        (Scripted(302, "", {"Location": "http://127.0.0.1:9/"}), "unexpected", "check influxdb.url"),
        (Scripted(500, "oops"), "server_error", "fails to take"),
        (Scripted(503, "no upstream"), "busy", "asks tenant acme to wait"),
        (Scripted(429, '{"message":"slow down"}'), "busy", "asks tenant acme to wait"),
    ],
)  # fmt: skip
async def test_answers_that_refuse_no_line_drop_none(
    influx: Influx,
    bucket: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    answer: Scripted,
    kind: str,
    advice: str,
) -> None:
    influx.front.always = answer
    with delivering(tmp_path, influx.config(bucket)) as delivery:
        delivery.accept(*calls(20))
        await eventually(lambda: delivery.errors.get(kind, 0) >= 2)
        assert advice in delivery.progress.problem
        assert delivery.settled == 0
        influx.front.always = None
        await delivery.all_delivered()
        assert not delivery.progress.refused
        assert sums_equal(influx, bucket, delivery)
    [message] = told(caplog)
    assert message.startswith("WARNING: ")
    assert advice in message


async def test_the_server_s_wish_to_wait_is_honoured(influx: Influx, bucket: str, tmp_path: Path) -> None:
    influx.front.answers.append(Scripted(429, '{"message":"slow down"}', {"Retry-After": "2"}))
    with delivering(tmp_path, influx.config(bucket)) as delivery:
        delivery.accept(*calls(5))
        await eventually(lambda: delivery.errors == {"busy": 1})
        await for_a_while(lambda: len(influx.front.writes) == 1, 1.8, "waits")
        await delivery.all_delivered()


async def test_too_large_requests_become_smaller(influx: Influx, bucket: str, tmp_path: Path) -> None:
    influx.front.most_bytes = 20_000
    with delivering(tmp_path, influx.config(bucket, gzip=False), started=False) as delivery:
        delivery.accept(*calls(2000))
        delivery.sink.start()
        await delivery.all_delivered()
        assert not delivery.progress.refused
        assert sums_equal(influx, bucket, delivery)
        too_large = delivery.progress.errors[FailureKind.TOO_LARGE]
        delivery.accept(*calls(2000, first=2000))
        await delivery.all_delivered()
        assert delivery.progress.errors[FailureKind.TOO_LARGE] == too_large


async def test_stops_at_once_in_mid_request_and_goes_on_later(
    influx: Influx, bucket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    influx.front.before_write = influx.process.freeze
    with delivering(tmp_path, influx.config(bucket)) as delivery:
        delivery.accept(*calls(100))
        await eventually(lambda: influx.front.writes)
        started = time.monotonic()
        delivery.sink.stop()
        assert time.monotonic() - started < 1.0
        assert delivery.progress.state is SenderState.STOPPED
        assert not told(caplog)
    influx.recover()
    with delivering(tmp_path, influx.config(bucket)) as later:
        later.accepted = 100
        await later.all_delivered()
        assert sums_equal(influx, bucket, later)


async def test_a_wrong_token_is_told_and_not_shown(
    influx: Influx, bucket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if influx.version.startswith("1."):
        pytest.skip("InfluxDB 1.x without authentication has no tokens")
    caplog.set_level(logging.DEBUG)
    config = influx.config(bucket, direct=True, token=SecretStr("wrong-token"))
    with delivering(tmp_path, config) as delivery:
        delivery.accept(*calls(1))
        await eventually(lambda: delivery.errors.get("denied"))
        assert "unauthorized access" in delivery.progress.problem
    assert "wrong-token" not in caplog.text + delivery.progress.problem + repr(delivery.config)


TEXTS = st.text(max_size=20) | st.text(alphabet='a,= "\\\n\té#', max_size=8)
_examples = count()


@example([("a\\,b", "a\\=b", "\\", '\\"'), ("\\ b", "b\\", "\\n", "'"), ("a", "", "", "")])
@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_text_survives(
    influx: Influx, shared_bucket: str, texts: list[tuple[str, str, str, str]]
) -> None:
    switchboard = f"example-{next(_examples)}"
    records = [
        ControlAction(switchboard, action, agent, "q", "done", START + i, user, detail)
        for i, (action, agent, user, detail) in enumerate(texts)
    ]
    points = [point_of(record) for record in records]
    config = influx.config(shared_bucket)
    with contextlib.closing(WriteClient(config, config.target_for(TENANT))) as client:
        client.write([point.line for point in points])
    columns = 'SELECT action, agent, "user", detail FROM control_action'
    query = f"{columns} WHERE switchboard = '{switchboard}'"
    [series] = influx.influxql(shared_bucket, query)
    stored = {time_ns: tuple(text or "" for text in row) for time_ns, *row in series["values"]}
    for point in points:
        expected = (*point.tags[1:3], *point.fields)
        assert stored[point.time_us * 1000] == expected, point.line


@pytest.fixture
def shared_bucket(server: Influx) -> str:
    return server.make_bucket(f"texts-{next(_buckets)}")
