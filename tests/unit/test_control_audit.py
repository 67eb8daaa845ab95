"""The audit: a line in the log, a point in the journal, an annotation; and no action waits for it."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from asterpanel_control_api.audit.assembly import make_audit
from asterpanel_control_api.audit.audit import Audit
from asterpanel_control_api.audit.delivery import (
    Delivery,
    DeliverySettings,
    LossReason,
    NotDelivered,
    Refused,
)
from asterpanel_control_api.audit.entry import Entry
from asterpanel_control_api.audit.places import AnnotationPlace, JournalPlace, text_of
from asterpanel_control_api.live.boards import Boards
from asterpanel_control_api.live.exporter_client import Answer, ExporterClient
from asterpanel_control_api.people import Person, Via
from asterpanel_exporter.journal.journal import Journal
from asterpanel_switchboard.config import Service, load_config
from asterpanel_switchboard.logs import JsonFormatter
from tests.exporter_process import ExporterProcess

ANNA = Person("default", "grafana:anna", "anna", "anna@example.com", "Anna Rossi", Via.ID_TOKEN)
TOKEN = "glsa_a-service-accounts-token"
HOSTILE = 'Lunch"\r\nINFO forged=1 \x1b[31m\u2028<b>x</b>'
STARTS_AT = 1795390000.0

TENANTS = {"milano": "default", "torino": "default", "roma": "other"}


def boards() -> Boards:
    known = Boards()
    document = {"agents": {"1001": {}}, "queues": {"billing": {}}, "up": True, "as_of": STARTS_AT}
    known.replace({"milano": document}, {"milano": STARTS_AT})
    return known


def settled(condition: Any, within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.005)


class Place:
    """Takes entries, or fails as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.entries: list[Entry] = []
        self.attempts = 0
        self.failures = list(failures)
        self.gate = threading.Event()
        self.gate.set()

    def send(self, entries: Sequence[Entry]) -> None:
        self.attempts += 1
        assert self.gate.wait(30)
        if self.failures:
            raise self.failures.pop(0)
        self.entries += entries


@contextmanager
def delivering(place: Place, settings: DeliverySettings | None = None) -> Iterator[tuple[Audit, Delivery]]:
    delivery = Delivery("the place", place.send, settings)
    audit = Audit(boards(), TENANTS, delivery)
    audit.start()
    try:
        yield audit, delivery
    finally:
        place.gate.set()
        audit.close(1.0)


def pause(audit: Audit, **other: Any) -> Entry:
    given: dict[str, Any] = {"agent": "1001", "result": "done", "detail": "Lunch", **other}
    return audit.record(ANNA, "pause", "milano", **given)


def test_what_is_done_in_one_millisecond_is_told_apart() -> None:
    """The journal takes entries of one time, person and detail for one."""
    audit = Audit(boards(), TENANTS)
    assert len({pause(audit).acted_at for _ in range(50)}) == 50


# --- the log ----------------------------------------------------------------------------------------------


def test_the_line_is_one_line_of_keys_and_values(caplog: pytest.LogCaptureFixture) -> None:
    audit = Audit(boards(), TENANTS)
    pause(audit)
    assert " ".join(caplog.messages[0].split(" ")[2:]) == (
        'tenant=default user=grafana:anna user_name="Anna Rossi" via=id_token switchboard=milano agent=1001 '
        "result=done detail=Lunch"
    )
    pause(audit, detail=HOSTILE, agent=HOSTILE, queue=HOSTILE)
    [line] = caplog.messages[1].splitlines()
    assert "\x1b" not in line
    assert 'detail="Lunch\\"  INFO forged=1  [31m <b>x</b>"' in line


def test_as_json_each_value_is_a_member(caplog: pytest.LogCaptureFixture) -> None:
    pause(Audit(boards(), TENANTS), detail=HOSTILE)
    line = json.loads(JsonFormatter().format(caplog.records[0]))
    assert {key: line[key] for key in ("level", "audit", "user", "via", "agent", "queue", "result")} == {
        "level": "info", "audit": "pause", "user": "grafana:anna", "via": "id_token", "agent": "1001",
        "queue": "", "result": "done",
    }  # fmt: skip
    assert line["acted_at"] == pytest.approx(STARTS_AT, abs=5)


def test_it_is_logged_whatever_else_is_not(caplog: pytest.LogCaptureFixture) -> None:
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.CRITICAL)
    try:
        pause(Audit(boards(), TENANTS))
    finally:
        root.setLevel(level)
    assert len(caplog.messages) == 1


def test_a_callers_number_is_masked_and_made_up_names_are_no_tags(caplog: pytest.LogCaptureFixture) -> None:
    audit = Audit(boards(), TENANTS)
    withdrawn = audit.record(
        ANNA, "withdraw", "milano", queue="billing", result="done", caller="+390512345678"
    )
    assert withdrawn.detail == "caller …78"
    denied = pause(audit, agent="made-up", queue="billing", result="not_found", detail="")
    assert (denied.agent, denied.queue, denied.detail) == ("", "billing", "agent made-up")
    gone = pause(audit, agent="1002", result="done")
    assert gone.agent == "1002", "what was done was about somebody who was there"
    nobody = audit.record(None, "state", "nowhere", result="unauthenticated", detail="x" * 5000)
    assert (nobody.subject, nobody.via, len(nobody.detail)) == ("", None, 1000)
    assert "390512345678" not in caplog.text


def test_what_is_about_no_switchboard_makes_no_point() -> None:
    place = Place()
    with delivering(place) as (audit, _):
        audit.record(ANNA, "pause", "nowhere", agent="1", result="not_found")
        pause(audit)
        settled(lambda: place.entries)
    assert [entry.switchboard for entry in place.entries] == ["milano"]


# --- delivery ---------------------------------------------------------------------------------------------


def test_an_action_never_waits_and_order_is_kept() -> None:
    place = Place()
    place.gate.clear()
    with delivering(place) as (audit, delivery):
        begun = time.perf_counter()
        entries = [pause(audit, detail=str(number)) for number in range(500)]
        assert time.perf_counter() - begun < 2.0
        assert delivery.waiting == 500
        place.gate.set()
        settled(lambda: delivery.delivered == 500)
    assert place.entries == entries
    assert place.attempts <= 12, "many at once"


def test_failures_are_tried_again_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    place = Place(NotDelivered("not there"), NotDelivered("not there"))
    with delivering(place) as (audit, delivery):
        pause(audit)
        settled(lambda: place.attempts == 2)
        assert delivery.problem == "not there"
        settled(lambda: delivery.delivered == 1)
        assert delivery.problem == ""
    assert caplog.text.count("takes no entries") == 1
    assert caplog.text.count("takes entries again") == 1
    assert not delivery.lost


def test_one_that_is_refused_takes_no_other_along(caplog: pytest.LogCaptureFixture) -> None:
    class Picky(Place):
        def send(self, entries: Sequence[Entry]) -> None:
            if any(entry.detail == "bad" for entry in entries):
                raise Refused("422 invalid_request")
            super().send(entries)

    place = Picky()
    delivery = Delivery("the place", place.send)
    audit = Audit(boards(), TENANTS, delivery)
    for detail in ("1", "2", "bad", "3"):
        pause(audit, detail=detail)
    audit.start()
    settled(lambda: delivery.delivered == 3)
    audit.close(1.0)
    assert [entry.detail for entry in place.entries] == ["1", "2", "3"]
    assert delivery.lost == {LossReason.REFUSED: 1}
    assert "422 invalid_request" in caplog.text


def test_what_is_too_much_or_too_old_is_counted() -> None:
    place = Place(*[NotDelivered("not there")] * 1000)
    with delivering(place, DeliverySettings(max_waiting=10, keep_trying_s=0.3)) as (audit, delivery):
        for number in range(25):
            pause(audit, detail=str(number))
        assert delivery.waiting <= 10
        settled(lambda: delivery.lost[LossReason.TOO_OLD])
        settled(lambda: not delivery.waiting)
    assert delivery.lost[LossReason.QUEUE_FULL] >= 14
    assert delivery.lost.total() == 25
    assert not place.entries


def test_an_error_of_ours_is_logged_and_the_next_one_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    place = Place(ZeroDivisionError("ours"))
    with delivering(place) as (audit, delivery):
        pause(audit)
        settled(lambda: delivery.lost[LossReason.REFUSED] == 1)
        pause(audit)
        settled(lambda: delivery.delivered == 1)
    assert "error of ours" in caplog.text


def test_at_the_end_what_waits_is_delivered_and_the_rest_counted() -> None:
    place = Place()
    delivery = Delivery("the place", place.send)
    audit = Audit(boards(), TENANTS, delivery)
    for _ in range(120):
        pause(audit)
    audit.start()
    audit.close(5.0)
    assert len(place.entries) == 120
    pause(audit)
    assert delivery.lost == {LossReason.ENDED: 1}
    unwilling = Delivery("elsewhere", Place(*[NotDelivered("no")] * 1000).send)
    other = Audit(boards(), TENANTS, unwilling)
    other.start()
    pause(other)
    begun = time.monotonic()
    other.close(0.5)
    assert time.monotonic() - begun < 2.0
    assert unwilling.lost == {LossReason.ENDED: 1}


# --- annotations ------------------------------------------------------------------------------------------


class Grafana(ThreadingHTTPServer):
    """Answers ``/api/annotations`` and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _GrafanaHandler)
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.statuses: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _GrafanaHandler(BaseHTTPRequestHandler):
    server: Grafana

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers), body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        answer = json.dumps({"message": "Annotation added" if status == 200 else "no", "id": 1}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with Grafana() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_each_action_is_an_annotation_that_people_can_read(
    grafana: Grafana, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    grafana.statuses = [500, 401, 200, 400, 200]
    delivery = Delivery("grafana", AnnotationPlace(grafana.url + "/grafana/", TOKEN).send)
    audit = Audit(boards(), TENANTS, None, {"default": delivery, "other": Delivery("other", Place().send)})
    audit.start()
    entry = pause(audit, queue="billing")
    settled(lambda: delivery.delivered == 1)
    pause(audit, detail="refused by Grafana")
    settled(lambda: delivery.lost[LossReason.REFUSED] == 1)
    pause(audit, detail="<script>alert('x')</script>", result="forbidden")
    settled(lambda: delivery.delivered == 2)
    audit.close()
    path, headers, body = grafana.requests[2]
    assert path == "/grafana/api/annotations"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert body["text"] == "Anna Rossi: pause 1001 in billing (Lunch): done"
    assert body["tags"] == [
        "asterpanel", "switchboard:milano", "action:pause", "agent:1001", "queue:billing", "result:done",
    ]  # fmt: skip
    assert body["time"] == round(entry.acted_at * 1000)
    assert "&lt;script&gt;" in grafana.requests[-1][2]["text"]
    assert len(grafana.requests) == 5
    assert TOKEN not in caplog.text


def test_a_grafana_that_is_away_is_not_delivered() -> None:
    place = AnnotationPlace("http://127.0.0.1:9", TOKEN)
    entry = pause(Audit(boards(), TENANTS))
    with pytest.raises(NotDelivered) as failed:
        place.send([entry])
    assert TOKEN not in str(failed.value)
    assert text_of(entry) == "Anna Rossi: pause 1001 (Lunch): done"


# --- the exporter -----------------------------------------------------------------------------------------


def points(path: Path) -> list[tuple[Any, ...]]:
    with Journal.open(path, create=False, read_only=True) as journal:
        return [
            tuple(row)
            for row in journal.rows(
                'SELECT switchboard, action, agent, result, "user", detail FROM control_action_points '
                "ORDER BY time"
            )
        ]


def test_the_journal_of_a_real_exporter_gets_them_also_after_it_was_away(
    tmp_path: Path, grafana: Grafana
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "route").write_text("a-secret-of-the-route")
    control = {
        "exporter_token_file": "state_token",
        "tenants": {
            "default": {
                "route_secret_file": "route",
                "grafana": {"url": grafana.url, "annotation_token_file": "token"},
            }
        },
    }
    board = {"host": "127.0.0.1", "port": 9, "username": "monitor", "secret": "s3cret"}
    process = ExporterProcess(tmp_path, {"milano": board}, control_api=control)
    config = load_config(process.config, for_service=Service.CONTROL_API)
    assert config.control_api is not None
    known = Boards()
    client = ExporterClient(f"http://127.0.0.1:{process.port}", SecretStr(process.token), known)
    audit = make_audit(config.control_api, client, known, TENANTS)
    journal, annotations = audit.deliveries
    client.start()
    audit.start()

    try:
        with process:
            settled(lambda: client.connected)
            pause(audit, detail="1")
            settled(lambda: journal.delivered == 1)
        settled(lambda: not client.connected)
        for number in range(2, 130):
            pause(audit, detail=str(number))
        settled(lambda: journal.problem)
        with process:
            settled(lambda: journal.delivered == 129, 30)
        settled(lambda: annotations.delivered == 129, 30)
    finally:
        audit.close(1.0)
        client.stop()
    written = points(config.journal.path)
    assert [row[5] for row in written] == [str(number) for number in range(1, 130)]
    assert written[0] == ("milano", "pause", "1001", "done", "grafana:anna", "1")
    assert not journal.lost
    assert len(grafana.requests) == 129


def test_what_the_exporter_says_decides(caplog: pytest.LogCaptureFixture) -> None:
    class Answering(ExporterClient):
        status = 202

        def post(self, path: str, body: object, timeout_s: float = 5.0) -> Answer:
            return Answer(self.status, "id: message")

    client = Answering("http://127.0.0.1:9", None, Boards())
    entry = pause(Audit(boards(), TENANTS))
    JournalPlace(client).send([entry])
    for status, error in ((503, NotDelivered), (401, NotDelivered), (403, NotDelivered), (404, Refused),
                          (422, Refused), (413, Refused)):  # fmt: skip
        client.status = status
        with pytest.raises(error, match="id: message"):
            JournalPlace(client).send([entry])
