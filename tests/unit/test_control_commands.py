"""Operations on a switchboard: what is sent, what its replies mean, and the one answer to each trouble."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asterpanel_control_api.errors import ApiError
from asterpanel_control_api.switchboards import commands
from asterpanel_control_api.switchboards.commands import AlreadySo, Done, InvalidValue, Reason, Refused
from asterpanel_control_api.switchboards.effects import same_interface
from asterpanel_control_api.switchboards.link import Answer
from asterpanel_control_api.switchboards.members import memberships_of, new_member
from asterpanel_control_api.switchboards.operations import AgentRules, Operations
from asterpanel_control_api.switchboards.outcomes import Outcome
from asterpanel_control_api.switchboards.plans import MemberSettings
from asterpanel_control_api.switchboards.turns import MOST_WAITING
from asterpanel_switchboard.identity import AgentIdentity, agent_identity
from asterpanel_switchboard.new_member import NewMember, NewMemberTemplate
from tests.ami_server import response
from tests.pbx.control_queues import NAME, QueueSwitchboard, member
from tests.pbx.pbx import wait_until

ANNA = "Local/1001@from-queue/n"
TEMPLATE = NewMemberTemplate("Local/{agent}@from-queue/n", "hint:{agent}@ext-local", agents="[0-9]{4}")


def anna(**values: Any) -> dict[str, Any]:
    """A member as FreePBX makes them."""
    return member(ANNA, state_interface="hint:1001@ext-local", name="Anna Rossi", **values)


@pytest.fixture
def board() -> Iterator[QueueSwitchboard]:
    queues = {
        "billing": [anna(), member("PJSIP/1002", dynamic=False, name="Bob")],
        "sales": [anna()],
        "vip": [],
        "support": [member("PJSIP/1002", dynamic=False, name="Bob")],
    }
    with QueueSwitchboard(queues, {"billing": ["1.1", "1.2"]}) as running:
        yield running


def operations_on(
    board: QueueSwitchboard,
    timeout_s: float = 5.0,
    seen_within_s: float = 0.5,
    *,
    identify: AgentIdentity | None = None,
    **rules: Any,
) -> Operations:
    rule = identify or agent_identity()
    all_rules = {NAME: AgentRules(rule, **rules), "napoli": AgentRules(rule)}
    return Operations(board.bridge, board.boards, all_rules, timeout_s, seen_within_s=seen_within_s)


@pytest.fixture
def operations(board: QueueSwitchboard) -> Operations:
    return operations_on(board)


def error_of(what: Callable[[], object]) -> ApiError:
    """The error that this ends with."""
    with pytest.raises(ApiError) as raised:
        what()
    json.dumps(raised.value.body)
    return raised.value


def error_id(what: Callable[[], object]) -> str:
    return error_of(what).id.id


def results(outcome: Outcome) -> dict[str, str]:
    """The result of each queue."""
    json.dumps(outcome.document)
    return {one["queue"]: one["result"] for one in outcome.document["queues"]}


# --- replies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("Unable to add interface: Already there", AlreadySo),
        ("Unable to add interface to queue: No such queue", Reason.NO_SUCH_QUEUE),
        ("Unable to remove interface: Not there", AlreadySo),
        ("Unable to remove interface from queue: No such queue", Reason.NO_SUCH_QUEUE),
        ("Member not dynamic", Reason.STATIC_MEMBER),
        ("Interface not found", Reason.NOT_A_MEMBER),
        ("Invalid interface, queuename or penalty", Reason.NOT_A_MEMBER),
        ("Invalid interface, queuename, or ringinuse value", Reason.NOT_A_MEMBER),
        ("Unable to change priority caller on queue: No such queue", Reason.NO_SUCH_QUEUE),
        ("Unable to change priority caller on queue: No such caller", Reason.NO_SUCH_CALLER),
        ("'Priority' need integer.", Reason.OTHER),
        ("Unable to request withdraw from queue: No such queue", Reason.NO_SUCH_QUEUE),
        ("Unable to request withdraw from queue: No such caller", Reason.NO_SUCH_CALLER),
        ("Unable to request withdraw from queue: Already requested", AlreadySo),
        ("Permission denied", Reason.NOT_PERMITTED),
        (
            "Invalid/unknown command: QueueWithdrawCaller. Use Action: ListCommands to show available "
            "commands.",
            Reason.NOT_SUPPORTED,
        ),
        ("Out of memory", Reason.OTHER),
        ("", Reason.OTHER),
    ],
)
def test_what_a_refusal_means(message: str, meaning: Reason | type[AlreadySo]) -> None:
    result = commands.read(Answer(False, message))
    if isinstance(meaning, Reason):
        assert result == Refused(meaning, message)
    else:
        assert result == AlreadySo(message)
    assert commands.read(Answer(True, message)) == Done(message)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("a\r\nAction: Logoff", "control character"),
        ("a\nb", "control character"),
        ("a\0b", "control character"),
        ("a\x7f", "control character"),
        ("x|Local/39@out/n;0;0", "must not hold | or ;"),
        ("0;1", "must not hold | or ;"),
        ("\ud800", "UTF-8"),
        ("è" * 40, "longer than 79 bytes"),
    ],
)
def test_texts_that_would_arrive_as_something_else(value: str, problem: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        commands.text("reason", value)
    assert problem in str(raised.value)
    assert raised.value.field == "reason"
    assert value not in str(raised.value)


def test_texts_that_arrive_as_they_are() -> None:
    assert commands.text("reason", " Caffè ☕ ") == "Caffè ☕"
    assert commands.text("reason", "è" * 39 + "x") == "è" * 39 + "x"
    assert commands.text("reason", "") == ""


def test_which_interfaces_are_one_to_asterisk() -> None:
    assert same_interface("PJSIP/Kim", "pjsip/kIM")
    assert not same_interface("PJSIP/\N{KELVIN SIGN}im", "PJSIP/Kim")


# --- pause ----------------------------------------------------------------------------------------------


class TestPause:
    def test_in_all_queues_at_once(self, board: QueueSwitchboard, operations: Operations) -> None:
        outcome = operations.pause(NAME, "1001", reason="Pausa caffè")
        assert results(outcome) == {"billing": "done", "sales": "done"}
        assert outcome.document["result"] == "done"
        assert board.actions == [
            {"action": "QueuePause", "interface": ANNA, "paused": "true", "reason": "Pausa caffè"}
        ]

    def test_twice(self, board: QueueSwitchboard, operations: Operations) -> None:
        operations.pause(NAME, "1001", reason="Lunch")
        error = error_of(lambda: operations.pause(NAME, "1001", reason="Lunch"))
        assert (error.id.id, error.id.status) == ("already_so", 409)
        assert error_id(lambda: operations.pause(NAME, "1001")) == "already_so"
        assert len(board.actions) == 1

    def test_again_while_the_exporter_is_away(self, board: QueueSwitchboard, operations: Operations) -> None:
        """Meanwhile he may have unpaused himself: nobody knows that it is so already."""
        operations.pause(NAME, "1001", reason="Lunch")
        board.boards.lost()
        assert error_id(lambda: operations.pause(NAME, "1001", reason="Lunch")) == "no_state"
        board.show()
        assert error_id(lambda: operations.pause(NAME, "1001", reason="Lunch")) == "already_so"

    def test_for_another_reason(self, board: QueueSwitchboard, operations: Operations) -> None:
        operations.pause(NAME, "1001", reason="Lunch")
        assert operations.pause(NAME, "1001", reason="Break").document["result"] == "done"
        assert board.queues["sales"][ANNA.casefold()]["pause_reason"] == "Break"

    def test_the_rest_when_some_is_so_already(self, board: QueueSwitchboard, operations: Operations) -> None:
        operations.pause(NAME, "1001", reason="Lunch", queues=["billing"])
        outcome = operations.pause(NAME, "1001", reason="Lunch")
        assert results(outcome) == {"billing": "already_so", "sales": "done"}
        assert [action["queue"] for action in board.actions] == ["billing", "sales"]

    def test_only_where_one_may(self, board: QueueSwitchboard, operations: Operations) -> None:
        assert results(operations.pause(NAME, "1001", within=["sales"])) == {"sales": "done"}
        assert [action["queue"] for action in board.actions] == ["sales"]
        assert error_id(lambda: operations.unpause(NAME, "1001", within=[])) == "not_found"

    def test_unpause(self, board: QueueSwitchboard, operations: Operations) -> None:
        assert error_id(lambda: operations.unpause(NAME, "1001")) == "already_so"
        operations.pause(NAME, "1001", reason="Lunch")
        assert results(operations.unpause(NAME, "1001")) == {"billing": "done", "sales": "done"}
        assert board.actions[-1] == {"action": "QueuePause", "interface": ANNA, "paused": "false"}

    def test_who_has_two_phones_is_paused_on_both(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        board.queues["vip"]["pjsip/1001"] = member("PJSIP/1001", name="Anna Rossi")
        board.show()
        outcome = operations.pause(NAME, "1001")
        assert results(outcome) == {"billing": "done", "sales": "done", "vip": "done"}
        assert [action["interface"] for action in board.actions] == [ANNA, "PJSIP/1001"]

    def test_an_interface_shared_with_another_agent_is_not_paused_everywhere(
        self, board: QueueSwitchboard
    ) -> None:
        board.queues["vip"][ANNA.casefold()] = anna() | {"name": "Carla"}
        document = board.document()
        document["queues"]["vip"]["members"] = {"Carla": document["queues"]["vip"]["members"]["1001"]}
        board.show(queues=document["queues"])
        board.showing = False
        operations_on(board).pause(NAME, "1001")
        assert [action.get("queue") for action in board.actions] == ["billing", "sales"]

    @pytest.mark.parametrize("reason", ["a\r\nb", "x|y", "a;b", "è" * 40, "\ud800"])
    def test_a_reason_that_must_not_be_sent(
        self, board: QueueSwitchboard, operations: Operations, reason: str
    ) -> None:
        error = error_of(lambda: operations.pause(NAME, "1001", reason=reason))
        assert (error.id.id, error.detail["field"]) == ("invalid_request", "reason")
        assert board.actions == []

    def test_who_is_not_known(self, board: QueueSwitchboard, operations: Operations) -> None:
        assert error_id(lambda: operations.pause(NAME, "1009")) == "not_found"
        assert error_id(lambda: operations.pause("roma", "1001")) == "not_found"
        assert error_id(lambda: operations.pause(NAME, "1001", queues=["nope"])) == "not_found"
        assert error_id(lambda: operations.pause(NAME, "1001", queues=["billing", "vip"])) == "not_found"
        assert board.actions == []

    def test_gone_in_the_meantime(self, board: QueueSwitchboard, operations: Operations) -> None:
        board.queues["billing"].clear()
        board.queues["sales"].clear()
        error = error_of(lambda: operations.pause(NAME, "1001"))
        assert error.id.id == "not_found"
        assert "Interface not found" in error.message


# --- one queue's member ---------------------------------------------------------------------------------


class TestMember:
    def test_joins_as_he_is_elsewhere(self, board: QueueSwitchboard, operations: Operations) -> None:
        outcome = operations.put_member(NAME, "vip", "1001", MemberSettings(penalty=3))
        assert results(outcome) == {"vip": "done"}
        assert board.actions == [
            {
                "action": "QueueAdd", "queue": "vip", "interface": ANNA, "membername": "Anna Rossi",
                "stateinterface": "hint:1001@ext-local", "penalty": "3", "paused": "false",
            }
        ]  # fmt: skip

    def test_joins_paused_with_a_reason_and_ring_in_use(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        values = MemberSettings(paused=True, pause_reason="Training", ring_in_use=True)
        assert operations.put_member(NAME, "vip", "1001", values).document["result"] == "done"
        assert [action["action"] for action in board.actions] == [
            "QueueAdd", "QueuePause", "QueueMemberRingInUse",
        ]  # fmt: skip
        added = board.queues["vip"][ANNA.casefold()]
        assert (added["paused"], added["pause_reason"], added["ring_in_use"]) == (True, "Training", True)

    def test_who_is_paused_everywhere_joins_paused(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        operations.pause(NAME, "1001", reason="Lunch")
        operations.put_member(NAME, "vip", "1001", MemberSettings())
        assert board.queues["vip"][ANNA.casefold()]["pause_reason"] == "Lunch"

    def test_put_again_changes_what_differs(self, board: QueueSwitchboard, operations: Operations) -> None:
        outcome = operations.put_member(NAME, "billing", "1001", MemberSettings(penalty=5, paused=False))
        assert results(outcome) == {"billing": "done"}
        assert board.actions == [
            {"action": "QueuePenalty", "queue": "billing", "interface": ANNA, "penalty": "5"}
        ]
        same = MemberSettings(penalty=5)
        assert error_id(lambda: operations.put_member(NAME, "billing", "1001", same)) == "already_so"
        assert (
            error_id(lambda: operations.put_member(NAME, "billing", "1001", MemberSettings())) == "already_so"
        )

    def test_patch(self, board: QueueSwitchboard, operations: Operations) -> None:
        values = MemberSettings(penalty=2, paused=True, pause_reason="Lunch", ring_in_use=True)
        assert operations.patch_member(NAME, "billing", "1001", values).document["result"] == "done"
        changed = board.queues["billing"][ANNA.casefold()]
        assert (changed["penalty"], changed["pause_reason"], changed["ring_in_use"]) == (2, "Lunch", True)
        assert not board.queues["sales"][ANNA.casefold()]["paused"]
        assert error_id(lambda: operations.patch_member(NAME, "billing", "1001", values)) == "already_so"

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            (MemberSettings(penalty=-1), "penalty"),
            (MemberSettings(penalty=2**31), "penalty"),
            (MemberSettings(pause_reason="Lunch"), "pause_reason"),
            (MemberSettings(paused=True, pause_reason="a\nb"), "pause_reason"),
            (MemberSettings(), None),
        ],
    )
    def test_values_that_make_no_sense(
        self, board: QueueSwitchboard, operations: Operations, values: MemberSettings, field: str | None
    ) -> None:
        error = error_of(lambda: operations.patch_member(NAME, "billing", "1001", values))
        assert (error.id.id, error.detail.get("field")) == ("invalid_request", field)
        assert board.actions == []

    def test_leaves_and_is_no_member_any_more(self, board: QueueSwitchboard, operations: Operations) -> None:
        assert results(operations.delete_member(NAME, "billing", "1001")) == {"billing": "done"}
        assert error_id(lambda: operations.delete_member(NAME, "billing", "1001")) == "not_found"
        assert len(board.actions) == 1

    def test_a_static_member_stays(self, board: QueueSwitchboard, operations: Operations) -> None:
        error = error_of(lambda: operations.delete_member(NAME, "billing", "1002"))
        assert error.id.id == "static_member"
        assert "configuration" in error.message
        assert results(operations.patch_member(NAME, "billing", "1002", MemberSettings(penalty=1))) == {
            "billing": "done"
        }

    def test_an_unknown_queue_or_member(self, board: QueueSwitchboard, operations: Operations) -> None:
        values = MemberSettings(penalty=1)
        assert error_id(lambda: operations.put_member(NAME, "nope", "1001", values)) == "not_found"
        assert error_id(lambda: operations.patch_member(NAME, "vip", "1001", values)) == "not_found"
        assert error_id(lambda: operations.delete_member(NAME, "BILLING", "1001")) == "not_found"
        assert board.actions == []

    def test_added_by_another_in_the_meantime(self, board: QueueSwitchboard, operations: Operations) -> None:
        board.queues["vip"][ANNA.casefold()] = anna()
        error = error_of(lambda: operations.put_member(NAME, "vip", "1001", MemberSettings()))
        assert error.id.id == "already_so"
        assert "Already there" in error.message

    def test_added_by_another_in_the_meantime_he_is_made_as_he_is_to_be(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        board.queues["vip"][ANNA.casefold()] = anna(penalty=1, ring_in_use=True)
        values = MemberSettings(penalty=5, paused=True, ring_in_use=False)
        assert results(operations.put_member(NAME, "vip", "1001", values)) == {"vip": "done"}
        found = board.queues["vip"][ANNA.casefold()]
        assert (found["penalty"], found["paused"], found["ring_in_use"]) == (5, True, False)

    def test_what_was_done_before_a_refusal_is_told(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        board.do(lambda: board.server.answers.update(QueueMemberRingInUse=board.server.clients[0]._unknown))
        outcome = operations.put_member(NAME, "vip", "1001", MemberSettings(ring_in_use=True))
        (one,) = outcome.document["queues"]
        assert (outcome.document["result"], one["result"]) == ("partial", "not_supported")
        assert "after QueueAdd was done" in one["message"]
        assert ANNA.casefold() in board.queues["vip"]

    def test_what_was_done_before_a_refusal_and_is_not_yet_seen_can_be_undone(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        board.do(lambda: board.server.answers.update(QueuePause=_not_found))
        board.showing = False
        values = MemberSettings(penalty=7, paused=True)
        assert operations.patch_member(NAME, "billing", "1001", values).document["result"] == "partial"
        board.showing = True
        operations.patch_member(NAME, "billing", "1001", MemberSettings(penalty=0))
        assert board.queues["billing"][ANNA.casefold()]["penalty"] == 0

    def test_one_who_is_gone_before_all_is_done_did_join(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        board.do(lambda: board.server.answers.update(QueuePause=_not_found))
        values = MemberSettings(paused=True, pause_reason="Lunch")
        outcome = operations.set_queues(NAME, "1001", {"vip": values}, within=["vip"])
        assert (outcome.document["result"], results(outcome)) == ("partial", {"vip": "not_found"})


CONTROL = [*map(chr, range(32)), "\x7f", "\r\n", "\r\n\r\nAction: Logoff"]


@pytest.mark.parametrize("text", CONTROL, ids=ascii)
def test_a_control_character_in_any_string_is_refused_and_nothing_arrives(
    board: QueueSwitchboard, text: str
) -> None:
    """The listening socket shows it: not one byte comes but of pings."""
    operations = operations_on(board, new_member=NewMemberTemplate("PJSIP/{agent}", name="{agent}"))
    before = len(board.do(lambda: board.server.received))
    hostile = f"1001{text}x"
    values = MemberSettings(paused=True, pause_reason=hostile)
    attempts: dict[str, Callable[[], object]] = {
        "switchboard": lambda: operations.pause(hostile, "1001"),
        "agent": lambda: operations.pause(NAME, hostile),
        "agent to add": lambda: operations.put_member(NAME, "vip", hostile, MemberSettings()),
        "queue": lambda: operations.put_member(NAME, hostile, "1001", MemberSettings()),
        "queue of the set": lambda: operations.set_queues(NAME, "1001", {hostile: MemberSettings()}),
        "queue to pause": lambda: operations.pause(NAME, "1001", queues=[hostile]),
        "caller": lambda: operations.change_priority(NAME, "billing", hostile, 1),
        "reason": lambda: operations.pause(NAME, "1001", reason=hostile),
        "reason in a queue": lambda: operations.put_member(NAME, "vip", "1001", values),
        "reason of the set": lambda: operations.set_queues(NAME, "1001", {"vip": values}),
        "info": lambda: operations.withdraw(NAME, "billing", "1.1", info=hostile),
    }
    ids = {what: error_id(attempt) for what, attempt in attempts.items()}
    assert set(ids.values()) == {"invalid_request", "not_found"}
    assert all(ids[what] == "invalid_request" for what in ids if what.startswith(("reason", "info")))
    arrived = board.do(lambda: board.server.received)[before:]
    assert all(frame.startswith(b"Action: Ping") for frame in arrived.split(b"\r\n\r\n") if frame)
    assert b"1001" not in arrived


class TestNewcomer:
    def test_without_a_template(self, board: QueueSwitchboard, operations: Operations) -> None:
        error = error_of(lambda: operations.put_member(NAME, "vip", "1005", MemberSettings()))
        assert error.id.id == "not_found"
        assert "switchboards.milano.control.new_member" in error.message

    def test_with_a_template(self, board: QueueSwitchboard) -> None:
        operations_on(board, new_member=TEMPLATE).put_member(NAME, "vip", "1005", MemberSettings())
        (action,) = board.actions
        assert action["interface"] == "Local/1005@from-queue/n"
        assert action["stateinterface"] == "hint:1005@ext-local"
        assert "membername" not in action

    @pytest.mark.parametrize(
        "agent",
        ["1005@from-internal", "1005/n", "39 0551", "00390551", "1005,1006", "1005&SIP/trunk", "", "١٠٠٥"],
    )
    def test_nobody_whose_name_leads_elsewhere(self, board: QueueSwitchboard, agent: str) -> None:
        operations = operations_on(board, new_member=TEMPLATE)
        assert error_id(lambda: operations.put_member(NAME, "vip", agent, MemberSettings())) == "not_found"
        assert board.actions == []

    @pytest.mark.parametrize(
        ("rule", "template", "agent", "other"),
        [
            (("membername",), NewMemberTemplate("Local/{agent}@q/n", name="Agent {agent}"), "1050",
             "Agent 1050"),
            (("interface", r"^PJSIP/agent-(\d+)"), NewMemberTemplate("PJSIP/agent-{agent}"), "2001x", "2001"),
            (("interface",), NewMemberTemplate("PJSIP/{agent}"), "2001-0000a3f2", "2001"),
        ],
    )  # fmt: skip
    def test_nobody_who_would_be_another(
        self, board: QueueSwitchboard, rule: Any, template: NewMemberTemplate, agent: str, other: str
    ) -> None:
        operations = operations_on(board, identify=agent_identity(*rule), new_member=template)
        for what in (
            lambda: operations.put_member(NAME, "vip", agent, MemberSettings()),
            lambda: operations.set_queues(NAME, agent, {"vip": MemberSettings()}),
        ):
            error = error_of(what)
            assert error.id.id == "not_found"
            assert f"agent {other!r}" in error.message
            assert "switchboards.milano.control.new_member" in error.message
        assert board.actions == []

    def test_a_name_that_is_told_by_a_pattern(self, board: QueueSwitchboard) -> None:
        identify = agent_identity("membername", r"^Agent (\d+)$")
        template = NewMemberTemplate("Local/{agent}@q/n", name="Agent {agent}")
        operations = operations_on(board, seen_within_s=0, identify=identify, new_member=template)
        operations.put_member(NAME, "vip", "1050", MemberSettings())
        assert board.actions[0]["membername"] == "Agent 1050"

    def test_most_common_and_dynamic_memberships_count(self) -> None:
        document = {
            "queues": {
                "a": {"members": {"1001": member("PJSIP/1001", dynamic=False)}},
                "b": {"members": {"1001": member("PJSIP/1001", dynamic=False)}},
                "c": {"members": {"1001": anna()}},
                "d": {"members": {"1001": member("SIP/1001"), ANNA: anna(agent="1001")}},
            }
        }
        memberships = memberships_of(document, "1001")
        assert [one.queue for one in memberships] == ["a", "b", "c", "d", "d"]
        found = new_member("1001", memberships, TEMPLATE)
        assert found == NewMember(ANNA, "hint:1001@ext-local", "Anna Rossi")
        static = new_member("1001", memberships[:2], TEMPLATE)
        assert static == NewMember("PJSIP/1001")


# --- the set of an agent's queues -----------------------------------------------------------------------


class TestSetOfQueues:
    def test_joins_stays_leaves(self, board: QueueSwitchboard, operations: Operations) -> None:
        wanted = {"vip": MemberSettings(penalty=1), "sales": MemberSettings(penalty=2)}
        outcome = operations.set_queues(NAME, "1001", wanted)
        assert outcome.is_complete
        assert [(one.queue, one.change, one.verdict) for one in outcome.queues] == [
            ("vip", "add", "done"), ("sales", "change", "done"), ("billing", "remove", "done"),
        ]  # fmt: skip
        assert [action["action"] for action in board.actions] == ["QueueAdd", "QueuePenalty", "QueueRemove"]

    def test_asked_for_twice(self, board: QueueSwitchboard, operations: Operations) -> None:
        wanted = {"vip": MemberSettings(penalty=1), "sales": MemberSettings()}
        operations.set_queues(NAME, "1001", wanted)
        sent = len(board.actions)
        outcome = operations.set_queues(NAME, "1001", wanted)
        assert results(outcome) == {"vip": "already_so", "sales": "already_so"}
        assert (outcome.is_complete, outcome.document["result"]) == (True, "already_so")
        assert len(board.actions) == sent

    def test_a_static_membership_is_told_and_the_rest_is_done(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        outcome = operations.set_queues(NAME, "1002", {"vip": MemberSettings(), "billing": MemberSettings()})
        assert results(outcome) == {"vip": "done", "billing": "already_so", "support": "static_member"}
        assert not outcome.is_complete
        assert outcome.document["result"] == "partial"
        again = operations.set_queues(NAME, "1002", {"vip": MemberSettings(), "billing": MemberSettings()})
        assert results(again) == {"vip": "already_so", "billing": "already_so", "support": "static_member"}

    def test_nothing_of_it_is_an_error(self, board: QueueSwitchboard, operations: Operations) -> None:
        with pytest.raises(ApiError, match="static member") as raised:
            operations.set_queues(NAME, "1002", {})
        assert raised.value.id.id == "static_member"
        assert {one["result"] for one in raised.value.detail["queues"]} == {"static_member"}

    def test_queues_that_are_none_of_ones_business_stay(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        outcome = operations.set_queues(NAME, "1001", {"vip": MemberSettings()}, within=["sales", "vip"])
        assert results(outcome) == {"vip": "done", "sales": "done"}
        assert ANNA.casefold() in board.queues["billing"]

    def test_out_of_all(self, board: QueueSwitchboard) -> None:
        operations = operations_on(board, new_member=TEMPLATE)
        assert results(operations.set_queues(NAME, "1001", {})) == {"billing": "done", "sales": "done"}
        assert results(operations.set_queues(NAME, "1001", {"vip": MemberSettings()})) == {"vip": "done"}

    def test_no_queue_for_who_is_in_none_of_ones_own_says_nothing_of_him(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        hidden = operations.set_queues(NAME, "1001", {}, within=[])
        missing = operations.set_queues(NAME, "1088", {}, within=[])
        assert hidden.document == missing.document == {"result": "already_so", "queues": []}

    def test_an_unknown_queue_or_agent_changes_nothing(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        wanted = {"vip": MemberSettings(), "nope": MemberSettings()}
        assert error_id(lambda: operations.set_queues(NAME, "1001", wanted)) == "not_found"
        assert error_id(lambda: operations.set_queues(NAME, "1009", {"vip": MemberSettings()})) == "not_found"
        bad = {"vip": MemberSettings(), "sales": MemberSettings(penalty=-1)}
        assert error_id(lambda: operations.set_queues(NAME, "1001", bad)) == "invalid_request"
        assert board.actions == []

    def test_after_no_answer_the_rest_is_not_tried(self, board: QueueSwitchboard) -> None:
        board.do(lambda: board.server.answers.update(QueuePenalty=lambda _: None))
        wanted = {"vip": MemberSettings(), "sales": MemberSettings(penalty=2)}
        outcome = operations_on(board, 0.6).set_queues(NAME, "1001", wanted)
        assert results(outcome) == {"vip": "done", "sales": "timed_out", "billing": "not_tried"}
        assert "QueueRemove" not in [action["action"] for action in board.actions]


# --- callers --------------------------------------------------------------------------------------------


class TestCallers:
    def test_priority(self, board: QueueSwitchboard, operations: Operations) -> None:
        outcome = operations.change_priority(NAME, "billing", "1.2", 10)
        assert results(outcome) == {"billing": "accepted"}
        assert board.actions == [
            {
                "action": "QueueChangePriorityCaller", "queue": "billing", "caller": "PJSIP/peer-1.2",
                "priority": "10", "immediate": "yes",
            }
        ]  # fmt: skip
        assert results(operations.change_priority(NAME, "billing", "1.2", 10)) == {"billing": "accepted"}

    def test_withdraw_takes_its_time(self, board: QueueSwitchboard, operations: Operations) -> None:
        assert results(operations.withdraw(NAME, "billing", "1.1", info="vip call")) == {
            "billing": "accepted"
        }
        assert error_id(lambda: operations.withdraw(NAME, "billing", "1.1")) == "already_so"
        del board.callers["billing"]["1.1"]
        assert error_id(lambda: operations.withdraw(NAME, "billing", "1.1")) == "not_found"
        board.show()
        assert error_id(lambda: operations.withdraw(NAME, "billing", "1.1")) == "not_found"

    def test_who_does_not_wait_there(self, board: QueueSwitchboard, operations: Operations) -> None:
        for queue, caller in (("billing", "9.9"), ("sales", "1.1"), ("nope", "1.1")):
            assert error_id(partial(operations.withdraw, NAME, queue, caller)) == "not_found"
            assert error_id(partial(operations.change_priority, NAME, queue, caller, 1)) == "not_found"
        assert board.actions == []

    def test_an_asterisk_that_cannot(self, board: QueueSwitchboard, operations: Operations) -> None:
        board.do(lambda: board.server.answers.pop("QueueWithdrawCaller"))
        error = error_of(lambda: operations.withdraw(NAME, "billing", "1.1"))
        assert (error.id.id, error.id.status) == ("not_supported", 501)
        assert "too old" in error.message


# --- trouble --------------------------------------------------------------------------------------------


class TestTrouble:
    def test_no_control_user(self, operations: Operations) -> None:
        error = error_of(lambda: operations.pause("napoli", "1001"))
        assert error.id.id == "no_control"
        assert "switchboards.napoli.control" in error.message

    def test_not_connected(self, board: QueueSwitchboard, operations: Operations) -> None:
        board.do(board.server.stop)
        wait_until(lambda: not board.bridge.connections()[NAME].is_up, what="the loss is noticed")
        began = time.monotonic()
        error = error_of(lambda: operations.pause(NAME, "1001", reason="too late"))
        assert time.monotonic() - began < 0.5
        assert (error.id.id, error.id.status) == ("not_connected", 503)
        board.start_again()
        wait_until(lambda: board.bridge.connections()[NAME].is_up, what="connected again")
        operations.pause(NAME, "1001", reason="again")
        assert [action["reason"] for action in board.actions] == ["again"]

    def test_with_no_time_left_for_anything(self, board: QueueSwitchboard) -> None:
        operations = operations_on(board, 0.0)
        assert results(operations.pause(NAME, "1001", queues=["billing"])) == {"billing": "done"}

    def test_time_is_over_after_what_others_have_done(self, board: QueueSwitchboard) -> None:
        """He has two phones, and others were first with one: the first answer took all the time."""
        board.queues["vip"]["pjsip/1001"] = member("PJSIP/1001", name="Anna Rossi")
        board.show(queues=_with_second_phone(board))
        del board.queues["vip"]["pjsip/1001"]
        board.do(lambda: board.server.delays.update(QueueRemove=0.3))
        error = error_of(lambda: operations_on(board, 0.2).delete_member(NAME, "vip", "1001"))
        assert (error.id.id, error.id.status) == ("not_connected", 503)
        assert "nothing was done, try again" in error.message
        assert [one["result"] for one in error.detail["queues"]] == ["already_so", "not_tried"]

    @pytest.mark.parametrize("how", ["down", "unknown", "stale", "lost"])
    def test_no_live_state(self, board: QueueSwitchboard, how: str) -> None:
        operations = operations_on(board)
        if how == "down":
            board.show(up=False)
        elif how == "unknown":
            board.boards.replace({}, {})
        elif how == "stale":
            board.boards._stale_after_s = -1
        else:
            board.boards.lost()
        error = error_of(lambda: operations.pause(NAME, "1001"))
        assert (error.id.id, error.id.status) == ("no_state", 503)
        assert board.actions == []

    def test_no_answer(self, board: QueueSwitchboard) -> None:
        board.do(lambda: board.server.answers.update(QueuePause=lambda _: None))
        operations = operations_on(board, 0.6)
        began = time.monotonic()
        error = error_of(lambda: operations.pause(NAME, "1001"))
        assert time.monotonic() - began < 1.5
        assert (error.id.id, error.id.status) == ("timed_out", 504)
        assert [one["seen"] for one in error.detail["queues"]] == [False, False]

    def test_connection_lost_in_mid_action_but_it_was_done(
        self, board: QueueSwitchboard, operations: Operations
    ) -> None:
        def pause_and_die(action: Any) -> None:
            board._pause(action)
            board.server.reset()

        board.do(lambda: board.server.answers.update(QueuePause=pause_and_die))
        error = error_of(lambda: operations.pause(NAME, "1001"))
        assert error.id.id == "timed_out"
        assert [one["seen"] for one in error.detail["queues"]] == [True, True]
        assert board.server.count("QueuePause") == 1

    @pytest.mark.parametrize("how", ["down", "lost"])
    def test_nothing_is_seen_in_a_state_that_is_not_live(self, board: QueueSwitchboard, how: str) -> None:
        def gone_dark(_: Any) -> None:
            if how == "down":
                board.show(up=False, queues={})
            else:
                del board.queues["billing"][ANNA.casefold()]
                board.show()
                board.boards.lost()

        board.do(lambda: board.server.answers.update(QueueRemove=gone_dark))
        error = error_of(lambda: operations_on(board, 0.6).delete_member(NAME, "billing", "1001"))
        assert error.id.id == "timed_out"
        assert [one["seen"] for one in error.detail["queues"]] == [False]

    def test_an_effect_is_seen_when_the_exporter_is_back(self, board: QueueSwitchboard) -> None:
        def while_it_is_away(action: Any) -> bytes:
            board.boards.lost()
            board.showing = False
            done = board._pause(action)
            threading.Timer(0.2, board.show).start()
            return done

        board.do(lambda: board.server.answers.update(QueuePause=while_it_is_away))
        outcome = operations_on(board, seen_within_s=10).pause(NAME, "1001")
        assert outcome.document["result"] == "done"

    def test_refused(self, board: QueueSwitchboard, operations: Operations) -> None:
        denied = b"Response: Error\r\nActionID: %s\r\nMessage: Permission denied\r\n\r\n"
        board.do(
            lambda: board.server.answers.update(
                QueuePause=lambda action: denied % action.headers["actionid"].encode()
            )
        )
        error = error_of(lambda: operations.pause(NAME, "1001"))
        assert (error.id.id, error.id.status) == ("refused", 502)
        assert "write = agent" in error.message

    def test_accepted_and_not_yet_seen(self, board: QueueSwitchboard, operations: Operations) -> None:
        board.showing = False
        outcome = operations.pause(NAME, "1001", reason="Lunch")
        assert outcome.document["result"] == "accepted"
        assert not any(one.seen for one in outcome.queues)
        # What the live state says now is old: the way back must not be "already so".
        outcome = operations.unpause(NAME, "1001")
        assert board.actions[-1]["paused"] == "false"
        assert outcome.document["result"] == "done"

    def test_two_at_once_on_one_agent(self, board: QueueSwitchboard, operations: Operations) -> None:
        board.do(lambda: board.server.delays.update(QueuePause=0.2))
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(operations.pause, NAME, "1001", reason="Lunch") for _ in range(3)]
            wait(asked)
        errors = [one.exception() for one in asked]
        assert [error.id.id for error in errors if isinstance(error, ApiError)] == ["already_so"] * 2
        assert len(board.actions) == 1

    def test_too_many_at_once_on_one_agent(self, board: QueueSwitchboard) -> None:
        board.do(lambda: board.server.delays.update(QueuePause=0.8))
        operations = operations_on(board, 1.0)
        with ThreadPoolExecutor(16) as pool:
            asked = [
                pool.submit(operations.pause, NAME, "1001", reason=f"{number}")
                for number in range(MOST_WAITING + 3)
            ]
            other = pool.submit(operations.patch_member, NAME, "billing", "1002", MemberSettings(penalty=1))
            assert results(other.result(1)) == {"billing": "done"}
            wait(asked)
        errors = [one.exception() for one in asked]
        busy = [error for error in errors if isinstance(error, ApiError)]
        assert [error.id.id for error in busy] == ["busy_agent"] * (len(asked) - 1)
        assert len([action for action in board.actions if action["action"] == "QueuePause"]) == 1


def _not_found(action: Any) -> bytes:
    return response(action, "Error", Message="Interface not found")


def _with_second_phone(board: QueueSwitchboard) -> dict[str, Any]:
    """Anna is in vip with both her phones."""
    queues: dict[str, Any] = board.document()["queues"]
    queues["vip"]["members"][ANNA] = anna(agent="1001")
    return queues


# --- nothing but our own lines --------------------------------------------------------------------------

HEADERS = {
    "Action", "ActionID", "Queue", "Interface", "StateInterface", "MemberName", "Penalty", "Paused", "Reason",
    "RingInUse", "Caller", "Priority", "Immediate", "WithdrawInfo", "Username", "Secret", "Events",
}  # fmt: skip
ACTIONS = {
    "QueueAdd", "QueueRemove", "QueuePause", "QueuePenalty", "QueueMemberRingInUse",
    "QueueChangePriorityCaller", "QueueWithdrawCaller", "Login", "Ping",
}  # fmt: skip
HOSTILE = st.one_of(
    st.text(st.characters(codec=None), max_size=120),
    st.lists(
        st.sampled_from(
            ["\r\n", "\n", "\r", "Action: Logoff", "Command: ", "1001", ":", "\0", "|", ";", "\u2028", "\x85"]
        )
    ).map("".join),
    st.sampled_from(["x\r\n\r\nAction: Originate\r\nChannel: Local/1@x\r\n\r\n", "Lunch\nAction: Logoff"]),
)


@pytest.fixture(scope="module")
def attacked() -> Iterator[QueueSwitchboard]:
    queues = {"billing": [anna()], "vip": []}
    with QueueSwitchboard(queues, {"billing": ["1.1"]}) as running:
        yield running


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=HOSTILE, other=HOSTILE, number=st.integers())
def test_no_text_anywhere_makes_a_line_that_is_not_ours(
    attacked: QueueSwitchboard, text: str, other: str, number: int
) -> None:
    template = NewMemberTemplate("PJSIP/{agent}", name="{agent}")
    operations = operations_on(attacked, seen_within_s=0, new_member=template)
    values = MemberSettings(penalty=number, paused=True, pause_reason=text)
    attempts: list[Callable[[], object]] = [
        lambda: operations.pause(NAME, "1001", reason=text),
        lambda: operations.pause(NAME, text, reason=other),
        lambda: operations.pause(NAME, "1001", queues=[text]),
        lambda: operations.pause(text, "1001"),
        lambda: operations.put_member(NAME, "vip", text, MemberSettings()),
        lambda: operations.put_member(NAME, text, "1001", values),
        lambda: operations.put_member(NAME, "vip", "1001", values),
        lambda: operations.patch_member(NAME, "billing", "1001", values),
        lambda: operations.set_queues(NAME, text, {other: values, "vip": MemberSettings()}),
        lambda: operations.change_priority(NAME, "billing", text, number),
        lambda: operations.withdraw(NAME, "billing", "1.1", info=text),
        lambda: operations.delete_member(NAME, "vip", "1001"),
    ]
    ids = {_id_of(attempt) for attempt in attempts}
    assert ids <= {"done", "invalid_request", "not_found", "already_so"}
    attacked.do(attacked.withdrawn.clear)
    _only_ours(attacked)


def _id_of(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except ApiError as error:
        return error.id.id
    return "done"


def _only_ours(board: QueueSwitchboard) -> None:
    def take() -> bytes:
        received, board.server.received = board.server.received, b""
        return received

    *frames, rest = board.do(take).split(b"\r\n\r\n")
    assert rest == b""
    for frame in frames:
        pairs = [line.partition(b": ")[::2] for line in frame.split(b"\r\n")]
        names = [name.decode() for name, _ in pairs]
        assert set(names) <= HEADERS
        assert len(names) == len(set(names))
        assert pairs[0][0] == b"Action"
        assert pairs[0][1].decode() in ACTIONS
        assert not any(b"\n" in value or b"\r" in value or b"\0" in value for _, value in pairs)
