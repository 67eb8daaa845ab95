"""The control API as processes on real Asterisks, seen from outside: HTTP, metrics, stream, audit.

What was done is looked up where Asterisk itself tells it (`queue show`, QueueStatus, queue_log), in the
exporter's metrics and in an open stream, within a second of the click. After each test the audit must be
complete: every click once in the log, in the exporter's journal and in Grafana's annotations.
"""

from __future__ import annotations

import http.client
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from tests.control_clicks import (
    AgentPaused,
    Callers,
    Click,
    Member,
    Members,
    NoMember,
    Person,
    change_priority,
    delete_member,
    patch_member,
    pause,
    put_member,
    set_queues,
    unpause,
    withdraw,
)
from tests.control_rig import RESYNC_S, SEEN_S, SLOW_S, TIMEOUT_S, Rig, control_rig
from tests.control_stream import Stream
from tests.exporter_process import of
from tests.grafana_keys import GrafanaKeys
from tests.pbx.ami_judge import AmiJudge
from tests.pbx.control_pbx import NAME, control_pbx, hanging
from tests.pbx.fixtures import MakePbx
from tests.pbx.install import AsteriskVersion
from tests.pbx.pbx import wait_until

pytestmark = pytest.mark.pbx

END_S = 6.0
"""Within which the process ends, whoever is connected."""


@pytest.fixture
def rig(make_pbx: MakePbx, pbx_version: AsteriskVersion, tmp_path: Path) -> Iterator[Rig]:
    with control_rig(control_pbx(make_pbx, pbx_version), tmp_path) as made:
        try:
            yield made
        finally:  # pytest shows it if the test has failed
            print(f"--- exporter\n{made.exporter.tail()}\n--- control API\n{made.control.tail(100)}")


def watch(rig: Rig, who: Person) -> Stream:
    return rig.control.stream(NAME, who.headers)


def test_each_action_on_agents(rig: Rig) -> None:
    sara, dario = rig.user("sara"), rig.user("dario")
    with watch(rig, dario) as stream:
        # Pause, twice, and with another reason; queue_log has what was done and nothing else.
        rig.see(
            stream, sara, pause("1101", "Pausa caffè ☕"),
            AgentPaused("1101", "Pausa caffè ☕"), Members("billing", 2, paused=1), undo=unpause("1101"),
        )  # fmt: skip
        before = rig.pauses()
        assert before[-1][2] == "Pausa caffè ☕"
        rig.click(sara, pause("1101", "Pausa caffè ☕"), "already_so")
        assert rig.pauses() == before
        rig.see(stream, sara, pause("1101", "Lunch"), AgentPaused("1101", "Lunch"), undo=unpause("1101"))

        rig.see(
            stream, sara, unpause("1101"),
            AgentPaused("1101", None), Members("sales", 1), undo=pause("1101", "Lunch"),
        )  # fmt: skip
        rig.click(sara, unpause("1101"), "already_so")
        rig.see(
            stream, sara, pause("1101", "Back office", queues=["sales"]),
            Member("sales", "1101", 2, paused=True, reason="Back office"), Member("billing", "1101"),
            undo=unpause("1101", queues=["sales"]),
        )  # fmt: skip
        rig.click(sara, unpause("1101"), "done")

        # Into a queue, changed there, and out of it; also one who was in none.
        joined = Member("vip", "1101", penalty=4)
        rig.see(
            stream, dario, put_member("vip", "1101", penalty=4),
            joined, Members("vip", 1), undo=delete_member("vip", "1101"),
        )  # fmt: skip
        rig.click(dario, put_member("vip", "1101", penalty=4), "already_so")
        rig.see(
            stream, dario, patch_member("vip", "1101", penalty=7, paused=True, reason="Formazione"),
            Member("vip", "1101", 7, paused=True, reason="Formazione"), Member("sales", "1101", 2),
            undo=patch_member("vip", "1101", penalty=4, paused=False),
        )  # fmt: skip
        changes = patch_member("vip", "1101", penalty=7, paused=True, reason="Formazione")
        rig.click(dario, changes, "already_so")
        rig.see(
            stream, dario, delete_member("vip", "1101"),
            NoMember("vip", "1101"), Members("vip", 0), undo=put_member("vip", "1101"),
        )  # fmt: skip
        rig.click(dario, delete_member("vip", "1101"), "not_found")
        rig.see(
            stream, dario, put_member("sales", "1103", paused=True, reason="Lunch"),
            AgentPaused("1103", "Lunch"), Members("sales", 2, paused=1), undo=delete_member("sales", "1103"),
        )  # fmt: skip

        # All queues at once; asking for the same again is no error.
        wanted = ({"queue": "vip", "penalty": 1}, {"queue": "sales", "penalty": 2})
        rig.see(
            stream, dario, set_queues("1101", *wanted),
            Member("vip", "1101", 1), Member("sales", "1101", 2), NoMember("billing", "1101"),
            undo=set_queues("1101", {"queue": "billing"}, {"queue": "sales"}),
        )  # fmt: skip
        rig.click(dario, set_queues("1101", *wanted), "already_so")
    rig.audit_is_complete()


def waiting(stream: Stream, queue: str) -> list[str]:
    """Unique ids of the callers, the first first."""
    return [caller["uniqueid"] for caller in stream.document["queues"][queue]["waiting"]]


def joins(rig: Rig, stream: Stream, queue: str) -> str:
    """One more caller; his unique id."""
    count = len(waiting(stream, queue))
    rig.pbx.local_call(queue, caller=f"39055100{count}")
    wait_until(lambda: len(waiting(stream, queue)) > count, what="he waits")
    return waiting(stream, queue)[-1]


def test_callers(rig: Rig) -> None:
    """What no event tells takes until the exporter's next look at the whole state; and Asterisk takes a
    second to let go of a caller, so the rest is held against the moment that it names.
    """
    dario = rig.user("dario")
    with watch(rig, dario) as stream, rig.pbx.ami(events=True) as ami:
        joins(rig, stream, "vip")
        important, second, third = (joins(rig, stream, "vip") for _ in range(3))

        began = time.monotonic()
        for _ in range(2):
            answer = rig.click(dario, change_priority("vip", important, 10), "accepted")
            assert not answer.body["queues"][0]["seen"]
        callers = rig.pbx.queue_status("vip")["vip"].callers
        assert {one["Uniqueid"]: one["Priority"] for one in callers}[important] == "10"

        late_s, count = math.inf, 0
        while late_s > SEEN_S and count < 2:  # once more if the machine stalls
            caller, count = (second, third)[count], count + 1
            rig.click(dario, withdraw("vip", caller, "to the mailbox"), "done", "accepted")
            late_s = max(_after_leaving(rig, stream, ami, caller, Callers("vip", 4 - count)).values())
        assert late_s <= SEEN_S
        logged = next(line for line in rig.pbx.queue_log() if line[4] == "WITHDRAW")
        assert (logged[1], logged[-1]) == (second, "to the mailbox")
        rig.click(dario, withdraw("vip", second), "not_found")
        rig.click(dario, change_priority("vip", second, 1), "not_found")
        labels = {"switchboard": NAME, "queue": "vip", "outcome": "withdrawn"}
        wait_until(
            lambda: of(rig.exporter.metrics(), "asterisk_queue_calls_total", **labels) == count,
            what="they count as withdrawn",
        )

        assert stream.seen_after(
            began,
            lambda document: any(
                (caller["uniqueid"], caller.get("priority")) == (important, 10)
                for caller in document["queues"]["vip"]["waiting"]
            ),
            RESYNC_S + SLOW_S,
        )
    rig.audit_is_complete()


def _after_leaving(
    rig: Rig, stream: Stream, ami: AmiJudge, caller: str, expected: Callers
) -> dict[str, float]:
    """How long after Asterisk let go of him it was seen where."""
    left = ami.wait_event(
        lambda event: event.get("Event") == "QueueCallerLeave" and event["Uniqueid"] == caller
    )
    left_at = time.monotonic() - (time.time() - float(left["Timestamp"]))
    return rig.seen(stream, left_at, expected)


def every_action(queue: str, agent: str, caller: str) -> list[Click]:
    """On what is in sight of the team."""
    return [
        pause(agent, "Lunch"), unpause(agent), set_queues(agent, {"queue": queue}),
        put_member(queue, agent, penalty=5), patch_member(queue, agent, penalty=5),
        delete_member(queue, agent), change_priority(queue, caller, 5), withdraw(queue, caller),
    ]  # fmt: skip


def test_refused_by_rights(rig: Rig) -> None:
    """Whoever may not, and however he comes: the right error, and nothing has changed."""
    sara = rig.user("sara")
    with watch(rig, sara) as stream:
        for agent in ("1101", "1102"):
            rig.click(sara, pause(agent, "Meeting"), "done")
        caller = joins(rig, stream, "billing")
        members, log = rig.members(), rig.pbx.queue_log()

        viewer, stranger = rig.user("screen"), rig.user("zoe")
        elsewhere = rig.program("elsewhere", "--role", "master", "--queues", "vip", "--agents", "9*")
        with GrafanaKeys() as mallory:
            forged = replace(nobody(), headers={**sara.headers, "X-Grafana-Id": mallory.token("sara")})
        everything = every_action("billing", "1101", caller)
        for who, error in (
            (viewer, "forbidden"), (stranger, "not_found"), (elsewhere, "not_found"),
            (forged, "unauthenticated"), (nobody(), "unauthenticated"),
        ):  # fmt: skip
            for click in everything:
                answer = rig.click(who, click, error)
                assert error != "forbidden" or answer.body["error"]["detail"]["right"]
        for click in (put_member("vip", "1101"), set_queues("1101", {"queue": "vip"})):
            rig.click(sara, click, "not_found")

        assert rig.members() == members
        assert rig.pbx.queue_log() == log
        assert waiting(stream, "billing") == [caller]
    rig.audit_is_complete()


def nobody() -> Person:
    return Person("", "", {})


def test_refused_by_the_switchboard(rig: Rig) -> None:
    dario = rig.user("dario")
    members, log = rig.members(), rig.pbx.queue_log()
    for _ in range(2):
        answer = rig.click(dario, delete_member("billing", "1102"), "static_member")
        assert "Member not dynamic" in answer.message
    unknown_agent, unknown_queue = pause("1199"), put_member("nope", "1101")
    rig.click(dario, replace(unknown_agent, agent=""), "not_found")
    rig.click(dario, replace(unknown_queue, queue=""), "not_found")
    rig.click(dario, patch_member("vip", "1101", penalty=1), "not_found")
    rig.click(dario, replace(put_member("vip", "2001"), agent=""), "not_found")
    rig.click(dario, change_priority("billing", "1.1", 1), "not_found")
    rig.click(dario, withdraw("billing", "1.1"), "not_found")
    assert (rig.members(), rig.pbx.queue_log()) == (members, log)

    answer = rig.click(dario, set_queues("1102", {"queue": "vip"}), "partial")
    assert {one["queue"]: one["result"] for one in answer.body["queues"]} == {
        "vip": "done", "billing": "static_member",
    }  # fmt: skip
    shown = rig.pbx.queue_show()
    assert all(Member(queue, "1102").in_asterisk(shown) for queue in ("billing", "vip"))
    rig.audit_is_complete()


def test_an_agent_and_a_program(rig: Rig) -> None:
    """He pauses himself and nobody else; it works in its own scope, until its token is taken back."""
    anna, planner = rig.user("anna"), rig.program("planner", "--role", "supervisor", "--queues", "sales*")
    with watch(rig, anna) as hers, watch(rig, planner) as its:
        rig.see(hers, anna, pause("1101", "Lunch"), AgentPaused("1101", "Lunch"), undo=unpause("1101"))
        assert list(hers.document["agents"]) == ["1101"]
        rig.click(anna, pause("1102", "Lunch"), "not_found")
        rig.click(anna, put_member("billing", "1101", penalty=1), "forbidden")
        rig.click(anna, set_queues("1101"), "forbidden")
        rig.see(hers, anna, unpause("1101"), AgentPaused("1101", None), undo=pause("1101", "Lunch"))

        rig.see(
            its, planner, pause("1101", "Training"),
            Member("sales", "1101", 2, paused=True, reason="Training"), undo=unpause("1101"),
        )  # fmt: skip
        assert Member("billing", "1101").in_stream(hers.document)
        assert list(its.document["queues"]) == ["sales"]
        rig.click(planner, pause("1101", "Training", queues=["billing"]), "not_found")
        assert rig.control.command("token", "revoke", "planner").returncode == 0
        revoked = replace(planner, subject="", name="")
        rig.click(revoked, unpause("1101"), "unauthenticated")
        assert its.wait_end(10)
        assert its.end_reason == "right_ended"
    rig.audit_is_complete()


def test_grafana_is_away_or_hangs(rig: Rig) -> None:
    """Actions do not wait for their annotations, which come when Grafana is back: all of them, once."""
    sara = rig.user("sara")
    with rig.annotations.away():
        assert median(_toggle(rig, sara)) < SEEN_S / 2
    with rig.annotations.hanging():
        rig.click(sara, pause("1102"), "done")
        wait_until(lambda: rig.annotations.hung > 0, 20, "an annotation is under way")
        assert median(_toggle(rig, sara)) < SEEN_S / 2
    rig.audit_is_complete()


def _toggle(rig: Rig, who: Person) -> list[float]:
    """Some pauses; how long each took."""
    clicks = (pause("1101", "Lunch"), unpause("1101")) * 4
    return [rig.click(who, click, "done").seconds for click in clicks]


def test_while_the_pbx_is_down(rig: Rig) -> None:
    sara = rig.user("sara")
    with watch(rig, sara) as stream:
        began = time.monotonic()
        rig.pbx.stop()
        for click in (pause("1101", "too late"), delete_member("sales", "1101"), pause("1102", "too late")):
            assert rig.click(sara, click, "not_connected").seconds < TIMEOUT_S
        assert stream.seen_after(began, lambda document: document["up"] is False, SLOW_S)
        ready = rig.control.ask("GET", "/readyz")
        assert ready.status == 503
        assert ready.body["missing"] == ["1 of 1 switchboards"]

        rig.pbx.start()
        wait_until(lambda: rig.can_act("1101"), 30, "everybody is connected again")
        rig.click(sara, pause("1101", "again"), "done")
        rig.only_paused_for("again")
        assert not any(line[4] == "REMOVEMEMBER" for line in rig.pbx.queue_log())
        assert stream.seen_after(
            began, lambda document: AgentPaused("1101", "again").in_stream(document), SLOW_S
        )
    rig.audit_is_complete()


def test_while_the_pbx_hangs(rig: Rig) -> None:
    sara = rig.user("sara")
    with hanging(rig.pbx):
        for _ in range(2):
            answer = rig.click(sara, pause("1101", "too late"), "not_connected")
            assert answer.seconds < TIMEOUT_S
    wait_until(lambda: rig.can_act("1101"), 30, "everybody is connected again")
    rig.click(sara, pause("1101", "again"), "done")
    rig.only_paused_for("again")
    rig.audit_is_complete()


def test_it_ends(rig: Rig) -> None:
    """On SIGTERM, within seconds, whoever is connected; and what was just done is told."""
    assert "valid" in rig.control.command("check").stdout
    people = [rig.user(login) for login in ("sara", "anna", "screen", "dario")]
    with ExitStack() as stack:
        streams = [stack.enter_context(watch(rig, who)) for who in people for _ in range(3)]
        idle = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", rig.control.port)))
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        rig.click(people[0], pause("1101", "Lunch"), "done")
        began = time.monotonic()
        assert rig.control.end() == 0
        took = time.monotonic() - began
        print(f"ended after {took:.2f} s")
        assert took < END_S
        for stream in streams:
            assert stream.wait_end(1)
            assert stream.end_reason == "shutdown"
    rig.audit_is_complete()
