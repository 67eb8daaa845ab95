"""A queue_log as calls, attempts, pauses and memberships."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterpanel_exporter.history.records import (
    AgentAttempt,
    AgentPause,
    AgentSession,
    AttemptResult,
    EndedBy,
    Outcome,
    QueueCall,
    Record,
)
from asterpanel_exporter.queue_log.agents import AgentMapError, Agents, read_agent_map
from asterpanel_exporter.queue_log.following import LogFollower
from asterpanel_exporter.queue_log.parsing import MalformedLine, parse_line
from asterpanel_exporter.queue_log.queues import Queues
from asterpanel_switchboard.config import QueueSettings
from asterpanel_switchboard.identity import agent_identity
from tests import traces

LOGS = sorted(traces.FOLDER.glob("asterisk-*/*.queue_log"))
NOT_LOGGED = {"full", "join_empty"}
LOGGED_AS = {"redirected": "abandoned"}


def follower(agents: Agents | None = None, sl_s: float | None = None) -> LogFollower:
    queues = Queues(lambda queue: QueueSettings(service_level_threshold_s=sl_s))
    return LogFollower("milano", agents or Agents(agent_identity()), queues)


def follow(*lines: str, sl_s: float | None = None) -> LogFollower:
    """Lines whose times count from 1,800,000,000."""
    following = follower(sl_s=sl_s)
    for line in lines:
        at, _, rest = line.partition("|")
        following.take(parse_line(f"{1_800_000_000 + int(at)}|{rest}"))
    following.end()
    return following


def calls(records: list[Record]) -> list[QueueCall]:
    return [record for record in records if isinstance(record, QueueCall)]


def attempts(records: list[Record]) -> list[tuple[str, AttemptResult, float, float]]:
    """Agent, result, start (from 1,800,000,000) and length of each."""
    return [
        (record.agent, record.result, record.started_at - 1.8e9, record.ring_s)
        for record in records
        if isinstance(record, AgentAttempt)
    ]


def pauses(following: LogFollower) -> list[tuple[str, str, float, float]]:
    """Agent, reason, start (from 1,800,000,000) and length of each."""
    return [
        (record.agent, record.reason, record.started_at - 1.8e9, record.duration_s)
        for record in following.finished
        if isinstance(record, AgentPause)
    ]


def sessions(following: LogFollower) -> list[tuple[str, str, float, float]]:
    """Agent, queue, start (from 1,800,000,000) and length of each."""
    return [
        (record.agent, record.queue, record.started_at - 1.8e9, record.duration_s)
        for record in following.finished
        if isinstance(record, AgentSession)
    ]


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}/{log.stem}")
def test_recorded_logs_yield_the_calls_of_their_truth(log: Path) -> None:
    following = follower()
    for line in log.read_text(encoding="utf-8").splitlines():
        following.take(parse_line(line))
    found = {(call.uniqueid, call.queue): call for call in calls(following.finished)}
    told = [
        call for call in traces.truth(f"{log.parent.name}/{log.stem}") if call["outcome"] not in NOT_LOGGED
    ]
    assert len(found) == len(told)
    for true in told:
        call = found[true["uniqueid"], true["queue"]]
        assert call.outcome == LOGGED_AS.get(true["outcome"], true["outcome"])
        assert call.caller == true["caller"]
        assert call.agent_name == (true["agent"] or "")
        assert call.ended_by == (true["ended_by"] or "")
        assert call.wait_s == pytest.approx(true["wait_s"], abs=1.01)
        consulted = true["ended_by"] == "attended_transfer" and "dtmf" in log.stem
        if true["talk_s"] is not None and not consulted:
            assert call.talk_s == pytest.approx(true["talk_s"], abs=1.01)
        results = [
            record.result
            for record in following.finished
            if isinstance(record, AgentAttempt)
            and (record.uniqueid, record.queue) == (call.uniqueid, call.queue)
        ]
        unanswered = {AttemptResult.NO_ANSWER, AttemptResult.REJECTED}
        assert sum(result in unanswered for result in results) == true["no_answers"]
        assert call.attempts == len(results)


# --- calls --------------------------------------------------------------------------------------------


def test_a_call_with_all_that_the_log_tells() -> None:
    following = follow(
        "0|a.1|vip|NONE|ENTERQUEUE||390551001|3|Anna Rossi",
        "10|a.1|vip|Bob|RINGNOANSWER|10000",
        "15|a.1|vip|Carol|CONNECT|15|1800000012.7|3",
        "45|a.1|vip|Carol|BLINDTRANSFER|7000|queues|15|30|3",
        sl_s=20,
    )
    assert calls(following.finished) == [
        QueueCall(
            "milano", "vip", Outcome.ANSWERED, 1_800_000_000, "a.1",
            caller="390551001", caller_name="Anna Rossi", agent="Carol", agent_name="Carol",
            ended_by=EndedBy.BLIND_TRANSFER, transfer_to="7000", wait_s=15, ring_s=3, talk_s=30,
            position_in=3, attempts=2, sl_threshold_s=20, short_abandon_s=5,
        )
    ]  # fmt: skip
    assert attempts(following.finished) == [
        ("Bob", AttemptResult.NO_ANSWER, 0, 10),
        ("Carol", AttemptResult.ANSWERED, 12, 3),
    ]


@pytest.mark.parametrize(
    ("line", "outcome", "position_out"),
    [
        ("NONE|ABANDON|2|3|9", Outcome.ABANDONED, 2),
        ("NONE|EXITWITHTIMEOUT|1|3|9", Outcome.TIMEOUT, 1),
        ("NONE|EXITEMPTY|1|3|9", Outcome.LEAVE_EMPTY, 1),
        ("NONE|EXITWITHKEY|9|1|3|9", Outcome.EXIT_KEY, 1),
        ("NONE|WITHDRAW|1|3|9|overflow", Outcome.WITHDRAWN, 1),
        ("Bob|SYSCOMPAT|", Outcome.ABANDONED, 0),
    ],
)
def test_who_leaves_unanswered(line: str, outcome: Outcome, position_out: int) -> None:
    [call] = calls(follow("0|a.1|vip|NONE|ENTERQUEUE||39|3", f"9|a.1|vip|{line}").finished)
    assert (call.outcome, call.wait_s, call.position_in, call.position_out) == (outcome, 9, 3, position_out)
    assert (call.talk_s, call.agent, call.ended_by) == (0, "", EndedBy.UNKNOWN)


def test_an_agent_who_picks_up_but_is_not_connected() -> None:
    following = follow(
        "0|a.1|vip|NONE|ENTERQUEUE||39|1",
        "4|a.1|vip|Bob|AGENTDUMP|",
        "9|a.1|vip|Carol|ABANDON|1|1|9",
    )
    [call] = calls(following.finished)
    assert (call.outcome, call.agent, call.attempts) == (Outcome.ABANDONED, "", 2)
    assert [(agent, result) for agent, result, _, _ in attempts(following.finished)] == [
        ("Bob", AttemptResult.ANSWERED),
        ("Carol", AttemptResult.ANSWERED),
    ]


def test_with_a_memberdelay_the_ringing_began_long_before_the_connection() -> None:
    following = follow(
        "0|pbx-a.1|vip|NONE|ENTERQUEUE||39|1", "15|pbx-a.1|vip|Bob|CONNECT|15|pbx-1800000002.9|3"
    )
    assert attempts(following.finished) == [("Bob", AttemptResult.ANSWERED, 2, 3)]


def test_attempts_within_one_second_have_different_times() -> None:
    following = follow(
        "0|a.1|vip|NONE|ENTERQUEUE||39|1",
        "1|a.1|vip|Bob|RINGNOANSWER|0",
        "1|a.1|vip|Bob|RINGNOANSWER|0",
        "1|a.1|vip|Bob|RINGNOANSWER|0",
    )
    starts = {round(at * 1e6) for _, _, at, _ in attempts(following.finished)}
    assert len(starts) == 3


def test_visits_of_one_caller() -> None:
    found = calls(
        follow(
            "0|a.1|vip|NONE|ENTERQUEUE||39|1",
            "6|a.1|vip|NONE|EXITWITHTIMEOUT|1|1|6",
            "6|a.1|sales|NONE|ENTERQUEUE||39|1",
            "8|a.1|sales|Bob|CONNECT|2|b.1|2",
            # The transfer is logged by another thread than the next visit.
            "20|a.1|sales|NONE|ENTERQUEUE||39|1",
            "20|a.1|sales|Bob|BLINDTRANSFER|500|queues|2|12|1",
            "25|a.1|sales|Carol|CONNECT|5|b.2|2",
            "40|a.1|sales|Carol|COMPLETEAGENT|5|15|1",
        ).finished
    )
    assert [(c.queue, c.outcome, c.agent, c.joined_at - 1.8e9, c.wait_s, c.talk_s) for c in found] == [
        ("vip", Outcome.TIMEOUT, "", 0, 6, 0),
        ("sales", Outcome.ANSWERED, "Bob", 6, 2, 12),
        ("sales", Outcome.ANSWERED, "Carol", 20, 5, 15),
    ]


def test_an_attended_transfer_told_with_the_other_leg_of_the_agent() -> None:
    [call] = calls(
        follow(
            "0|a.1|vip|NONE|ENTERQUEUE||39|1",
            "2|a.1|vip|Bob|CONNECT|2|b.1|2",
            "9|a.7|vip|Bob|ATTENDEDTRANSFER|APP|Wait|2|7|1",
        ).finished
    )
    assert (call.uniqueid, call.caller, call.ended_by) == ("a.1", "39", EndedBy.ATTENDED_TRANSFER)


def test_the_queues_own_name_whatever_the_dialplan_spells() -> None:
    found = calls(
        follow(
            "0|a.1|SINGLE|NONE|ENTERQUEUE||39|1",
            "2|a.1|single|Bob|CONNECT|2|b.1|2",
            "9|a.1|single|Bob|COMPLETECALLER|2|7|1",
            "20|a.2|Single|NONE|ENTERQUEUE||39|1",
            "29|a.2|Single|NONE|ABANDON|1|1|9",
        ).finished
    )
    assert [(call.queue, call.outcome) for call in found] == [
        ("single", Outcome.ANSWERED),
        ("single", Outcome.ABANDONED),
    ]


def test_calls_whose_beginning_is_in_no_file() -> None:
    found = calls(
        follow(
            "100|a.1|vip|NONE|ABANDON|1|4|30",
            "100|a.2|vip|Bob|CONNECT|40|b.1|2",
            "150|a.2|vip|Bob|COMPLETECALLER|40|50|2",
            "150|a.3|vip|Carol|COMPLETEAGENT|20|60|3",
        ).finished
    )
    assert [(c.uniqueid, c.joined_at - 1.8e9, c.wait_s, c.talk_s, c.position_in) for c in found] == [
        ("a.1", 70, 30, 0, 4),
        ("a.2", 60, 40, 50, 2),
        ("a.3", 70, 20, 60, 3),
    ]


def test_a_crash_ends_what_goes_on() -> None:
    following = follow(
        "0|a.1|vip|NONE|ENTERQUEUE||39|1",
        "2|a.1|vip|Bob|CONNECT|2|b.1|2",
        "50|a.2|vip|NONE|ENTERQUEUE||39|1",
        "60|NONE|NONE|NONE|QUEUESTART|",
    )
    talking, waiting = calls(following.finished)
    assert (talking.outcome, talking.ended_by, talking.talk_s) == (Outcome.ANSWERED, EndedBy.UNKNOWN, 58)
    assert (waiting.outcome, waiting.wait_s) == (Outcome.UNKNOWN, 10)
    assert following.calls.lost == 2
    assert following.calls.open == 0


def test_a_night_without_power_is_no_talk() -> None:
    [call] = calls(
        follow(
            "0|a.1|vip|NONE|ENTERQUEUE||39|1",
            "2|a.1|vip|Bob|CONNECT|2|b.1|2",
            "30|NONE|vip|Carol|PAUSE|",
            "40000|NONE|NONE|NONE|QUEUESTART|",
        ).finished
    )
    assert call.talk_s == 28


def test_a_call_whose_end_is_missing_is_not_waited_for_for_ever() -> None:
    following = follow(
        "0|a.1|vip|NONE|ENTERQUEUE||39|1",
        "10|a.1|vip|Bob|RINGNOANSWER|10000",
        "90000|a.2|vip|NONE|ENTERQUEUE||39|1",
    )
    [call] = calls(following.finished)
    assert (call.uniqueid, call.outcome, call.wait_s) == ("a.1", Outcome.UNKNOWN, 10)
    assert following.calls.open == 1


def test_what_has_not_ended_is_not_told() -> None:
    following = follow(
        "0|a.1|vip|NONE|ENTERQUEUE||39|1", "1|NONE|NONE|Bob|PAUSEALL|", "1|NONE|vip|Bob|PAUSE|"
    )
    assert following.finished == []
    assert (following.calls.open, following.presence.open_pauses) == (1, 1)


# --- pauses and memberships ---------------------------------------------------------------------------


def test_a_pause_everywhere() -> None:
    following = follow(
        "0|NONE|NONE|Bob|PAUSEALL|lunch",
        "0|NONE|vip|Bob|PAUSE|lunch",
        "1|NONE|sales|Bob|PAUSE|lunch",
        "60|NONE|NONE|Bob|UNPAUSEALL|",
        "60|NONE|vip|Bob|UNPAUSE|",
        "60|NONE|sales|Bob|UNPAUSE|",
    )
    assert pauses(following) == [("Bob", "lunch", 0, 60)]


def test_another_reason_is_another_pause() -> None:
    following = follow(
        "0|NONE|vip|Bob|PAUSE|lunch",
        "60|NONE|vip|Bob|UNPAUSE|Auto-Unpause",
        "60|NONE|vip|Bob|PAUSE|coffee",
        "90|NONE|vip|Bob|UNPAUSE|",
    )
    assert pauses(following) == [("Bob", "lunch", 0, 60), ("Bob", "coffee", 60, 30)]


def test_a_pause_in_some_queues_is_none() -> None:
    following = follow(
        "0|MANAGER|vip|Bob|ADDMEMBER|",
        "0|MANAGER|sales|Bob|ADDMEMBER|",
        "10|NONE|vip|Bob|PAUSE|lunch",
        "30|NONE|sales|Bob|PAUSE|coffee",
        "50|NONE|vip|Bob|UNPAUSE|",
    )
    assert pauses(following) == [("Bob", "coffee", 30, 20)]


def test_who_is_rung_elsewhere_was_not_paused() -> None:
    following = follow(
        "10|NONE|vip|Bob|PAUSE|lunch",
        "20|a.1|sales|Bob|RINGNOANSWER|5000",
        "50|NONE|vip|Bob|UNPAUSE|",
    )
    assert pauses(following) == []


def test_autopause_is_told_as_such() -> None:
    following = follow("0|NONE|vip|Bob|PAUSE|Auto-Pause", "9|NONE|vip|Bob|UNPAUSE|back")
    assert [record.by for record in following.finished if isinstance(record, AgentPause)] == ["autopause"]


def test_memberships() -> None:
    following = follow(
        "0|MANAGER|vip|Bob|ADDMEMBER|PAUSED",
        "5|CLI|VIP|Carol|ADDMEMBER|",
        "30|NONE|vip|Bob|UNPAUSE|",
        "60|MANAGER|vip|Bob|REMOVEMEMBER|",
        "70|a.9|vip|Dario|REMOVEMEMBER|",
        "90|CLI|VIP|Carol|REMOVEMEMBER|",
    )
    assert sessions(following) == [("Bob", "vip", 0, 60), ("Carol", "vip", 5, 85)]
    assert pauses(following) == [("Bob", "", 0, 30)]
    assert following.presence.unknown == 1


def test_a_membership_that_did_not_outlive_a_restart() -> None:
    following = follow(
        "0|MANAGER|vip|Bob|ADDMEMBER|",
        "30|NONE|NONE|NONE|QUEUESTART|",
        "60|MANAGER|vip|Bob|ADDMEMBER|",
        "90|MANAGER|vip|Bob|REMOVEMEMBER|",
    )
    assert sessions(following) == [("Bob", "vip", 0, 30), ("Bob", "vip", 60, 30)]


# --- agents -------------------------------------------------------------------------------------------


def test_who_an_agent_is() -> None:
    agents = Agents(
        agent_identity(), "interface", mapped={"Carol": "1003"}, known={"Bob": "1002", "Carol": "x"}
    )
    assert agents.agent("PJSIP/1001") == ("1001", "PJSIP/1001")
    assert agents.agent("Local/1002@agents/n") == ("1002", "Bob")
    assert agents.agent("Bob") == ("1002", "Bob")
    assert agents.agent("Carol") == ("1003", "Carol")
    assert agents.agent("Dario/night shift") == ("Dario/night shift", "Dario/night shift")
    by_name = Agents(agent_identity("membername", r"\((\d+)\)"), "membername")
    assert by_name.agent("Anna (17)") == ("17", "Anna (17)")
    assert by_name.agent("Bruno") == ("Bruno", "Bruno")
    assert by_name.agent("Local/1002@agents/n") == ("1002", "Local/1002@agents/n")


def test_an_agent_map(tmp_path: Path) -> None:
    path = tmp_path / "agents.yml"
    path.write_text("Anna Rossi: 0101\n1002: 1002\n", encoding="utf-8")
    assert read_agent_map(path) == {"Anna Rossi": "0101", "1002": "1002"}


@pytest.mark.parametrize("text", ["- Anna\n", "Anna: [1]\n", "Anna:\n", "Anna: 'x\n", "Anna: \xff"])
def test_what_is_no_agent_map(tmp_path: Path, text: str) -> None:
    path = tmp_path / "agents.yml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(AgentMapError, match=r"agents\.yml"):
        read_agent_map(path)


# --- anything -----------------------------------------------------------------------------------------

_EVENTS = [
    "NONE|ENTERQUEUE||39|1", "A|CONNECT|5|b.1|2", "A|COMPLETECALLER|5|9|1", "A|BLINDTRANSFER|7|x|5|9|1",
    "NONE|ABANDON|1|1|9", "A|ABANDON|1|1|9", "NONE|EXITWITHTIMEOUT|1|1|3", "A|RINGNOANSWER|9000",
    "A|AGENTDUMP|", "A|SYSCOMPAT|", "A|ADDMEMBER|", "A|ADDMEMBER|PAUSED", "A|REMOVEMEMBER|",
    "A|PAUSE|x", "A|UNPAUSE|",
    "A|PAUSEALL|", "A|UNPAUSEALL|", "NONE|QUEUESTART|",
]  # fmt: skip
_LINES = st.builds(
    lambda at, call, queue, event: f"{1_800_000_000 + at}|{call}|{queue}|{event}",
    st.integers(0, 100_000), st.sampled_from(["a.1", "a.2"]), st.sampled_from(["vip", "VIP", "x"]),
    st.sampled_from(_EVENTS),
)  # fmt: skip


@given(st.lists(_LINES, max_size=60))
def test_lines_in_any_order_make_sound_records(lines: list[str]) -> None:
    following = follower()
    for line in lines:
        try:
            following.take(parse_line(line))
        except MalformedLine:
            pytest.fail(line)
    following.end()
    ended = sum("COMPLETE" in line or "BLINDTRANSFER" in line for line in lines)
    found = calls(following.finished)
    assert sum(call.outcome is Outcome.ANSWERED for call in found) >= ended
    for call in found:
        assert min(call.wait_s, call.talk_s, call.ring_s, call.joined_at) >= 0
    for record in following.finished:
        if isinstance(record, AgentPause | AgentSession):
            assert record.duration_s >= 0
