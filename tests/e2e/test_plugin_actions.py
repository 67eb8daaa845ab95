"""What people do in the live panel, with the mouse and with the keyboard alone; what Asterisk then has."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.call_centre import CARLA, MEETING, RESYNC_S, SEEN_S, CallCentre
from tests.e2e.conftest import Visit
from tests.e2e.plugin_pages import Hands, Keyboard, Mouse
from tests.pbx.control_pbx import ANNA, BRUNO, hanging
from tests.pbx.pbx import wait_until

pytestmark = pytest.mark.pbx

FIRST, SECOND = "390551001", "390552002"
"""Callers' numbers."""


@pytest.fixture(params=[Mouse, Keyboard], ids=["mouse", "keyboard"])
def hands(request: pytest.FixtureRequest) -> Hands:
    """How somebody works."""
    made: Hands = request.param()
    return made


def test_pause_with_a_reason_and_its_end(visit: Visit, calm: CallCentre, hands: Hands) -> None:
    sara = visit("sara")
    panel = sara.panel().is_live()
    hands.press(panel.button("Pause Anna Rossi"))
    dialog = panel.dialog.titled("Pause Anna Rossi")
    expect(dialog.button("Pause")).to_be_disabled()
    hands.choose(dialog.radio("Training"))
    sara.picture("pause")
    sara.finds_nothing_inaccessible()
    hands.press(dialog.button("Pause"))
    dialog.closes()
    expect(sara.page.get_by_text("Anna Rossi is paused: Training").first).to_be_visible()
    assert calm.pauses(ANNA) == {"billing": "Training", "sales": "Training"}
    expect(panel.agent("Anna Rossi")).to_contain_text("Training")

    hands.press(panel.button("End pause of Anna Rossi"))
    dialog.titled("End the pause of Anna Rossi")
    sara.picture("unpause")
    hands.press(dialog.button("End the pause"))
    dialog.closes()
    assert calm.pauses(ANNA) == {}
    expect(panel.agent("Anna Rossi")).to_contain_text("Free")
    assert [line[4:] for line in calm.milano.queue_log() if "PAUSEALL" in line[4]][-2:] == [
        ["PAUSEALL", "Training"], ["UNPAUSEALL", ""],
    ]  # fmt: skip


def test_pause_in_one_queue_only(visit: Visit, calm: CallCentre, hands: Hands) -> None:
    panel = visit("sara").panel().is_live()
    hands.press(panel.button("Pause Anna Rossi"))
    dialog = panel.dialog.titled("Pause Anna Rossi")
    hands.choose(dialog.radio("Lunch"))
    hands.choose(dialog.radio("Only in some queues"))
    expect(dialog.button("Pause")).to_be_disabled()
    hands.press(dialog.checkbox("sales"))
    hands.press(dialog.button("Pause"))
    dialog.closes()
    assert calm.pauses(ANNA) == {"sales": "Lunch"}
    assert calm.pauses(BRUNO) == {}


def test_queues_of_an_agent_at_once(visit: Visit, calm: CallCentre, hands: Hands) -> None:
    dario = visit("dario", width=1920)
    panel = dario.panel().is_live()
    hands.press(panel.button("Change queues of Anna Rossi"))
    dialog = panel.dialog.titled("Change queues of Anna Rossi")
    expect(dialog.button("No change to apply")).to_be_disabled()
    hands.press(dialog.checkbox("billing"))
    hands.enter(dialog.field("Penalty in sales"), "5")
    hands.press(dialog.checkbox("vip"))
    hands.enter(dialog.field("Penalty in vip"), "3")
    changes = dialog.root.get_by_role("list", name="Changes").get_by_role("listitem")
    expect(changes).to_have_text(["joins vip with penalty 3", "sales: penalty 2 → 5", "leaves billing"])
    dario.picture("queues")
    dario.finds_nothing_inaccessible()
    hands.press(dialog.button("Apply 3 changes"))
    dialog.closes()
    assert calm.memberships(ANNA) == {"sales": 5, "vip": 3}
    assert {name: one.members for name, one in calm.milano.queue_status().items()}
    expect(panel.agent("Anna Rossi")).to_contain_text("sales, vip")


def test_a_membership_of_the_configuration_stays(visit: Visit, calm: CallCentre) -> None:
    panel = visit("sara").panel().is_live()
    panel.button("Change queues of Bruno Verdi").click()
    dialog = panel.dialog.titled("Change queues of Bruno Verdi")
    expect(dialog.checkbox("billing")).to_be_checked()
    expect(dialog.checkbox("billing")).to_be_disabled()
    expect(dialog.checkbox("billing")).to_have_accessible_description(re.compile("Fixed"))
    expect(dialog.checkbox("vip")).to_have_count(0)
    dialog.checkbox("sales").check(force=True)
    dialog.field("Penalty in billing").fill("4")
    dialog.button("Apply 2 changes").click()
    dialog.closes()
    assert calm.memberships(BRUNO) == {"billing": 4, "sales": 0}


def test_others_change_the_queues_meanwhile(visit: Visit, calm: CallCentre) -> None:
    sara = visit("sara")
    panel = sara.panel().is_live()
    panel.button("Change queues of Anna Rossi").click()
    dialog = panel.dialog.titled("Change queues of Anna Rossi")
    dialog.field("Penalty in billing").fill("7")
    calm.milano.remove_member("sales", ANNA)
    warning = dialog.root.get_by_text("Meanwhile somebody else changed these queues")
    expect(warning).to_be_visible()
    expect(dialog.button(re.compile("^Apply"))).to_be_disabled()
    sara.picture("meanwhile")
    dialog.button("Take it over").click()
    expect(warning).to_have_count(0)
    dialog.button("Apply 1 change").click()
    dialog.closes()
    assert calm.memberships(ANNA) == {"billing": 7}


def test_priority_and_withdrawal_of_a_caller(visit: Visit, calm: CallCentre, hands: Hands) -> None:
    calm.callers_wait("sales", FIRST, SECOND)
    sara = visit("sara")
    panel = sara.panel().is_live()
    hands.press(panel.button(f"Change priority of {SECOND} in sales"))
    dialog = panel.dialog.titled(f"Change priority of {SECOND} in sales")
    hands.enter(dialog.field("Priority"), "10")
    sara.picture("priority")
    hands.press(dialog.button("Change priority"))
    dialog.is_confirmed(hands)
    assert calm.priorities("sales") == [10, 0]
    seen = expect(panel.table("Queues").get_by_text("priority 10"))
    seen.to_be_visible(timeout=(RESYNC_S + SEEN_S) * 1e3)

    hands.press(panel.button(f"Withdraw {FIRST} from sales"))
    dialog.titled(f"Withdraw {FIRST} from sales")
    sara.picture("withdraw")
    sara.finds_nothing_inaccessible()
    hands.press(dialog.button("Withdraw"))
    dialog.closes()
    wait_until(lambda: calm.waiting("sales") == 1, SEEN_S, "one caller is left")
    assert calm.priorities("sales") == [10]
    assert calm.milano.queue_log()[-1][4] == "WITHDRAW"


def test_escape_closes_and_does_nothing(visit: Visit, calm: CallCentre) -> None:
    sara = visit("sara")
    panel = sara.panel().is_live()
    keyboard = Keyboard()
    keyboard.press(panel.button("Pause Bruno Verdi"))
    keyboard.choose(panel.dialog.titled("Pause Bruno Verdi").radio("Lunch"))
    sara.page.keyboard.press("Escape")
    panel.dialog.closes()
    expect(panel.button("Pause Bruno Verdi")).to_be_focused()
    assert calm.pauses(BRUNO) == {}


def test_what_the_switchboard_refuses_is_told_in_words(visit: Visit, calm: CallCentre) -> None:
    """Somebody else was faster: it is said, and nothing is done a second time."""
    calm.callers_wait("sales", FIRST)
    sara = visit("sara")
    panel = sara.panel().is_live()
    panel.button("Pause Bruno Verdi").click()
    dialog = panel.dialog.titled("Pause Bruno Verdi")
    dialog.radio("Lunch").check(force=True)
    calm.milano.pause(BRUNO, "Lunch")
    expect(panel.root.get_by_text("Lunch")).to_be_visible()
    with sara.failing_requests():
        dialog.button("Pause").click()
        expect(dialog.root.get_by_text("It was so already.")).to_be_visible()
    sara.picture("already-so")
    dialog.button("Close").last.click()
    dialog.closes()

    panel.button(f"Withdraw {FIRST} from sales").click()
    dialog.titled(f"Withdraw {FIRST} from sales")
    calm.milano.cli("channel request hangup all")
    expect(dialog.root.get_by_text("This caller is no longer waiting in sales.")).to_be_visible()
    expect(dialog.button("Withdraw")).to_be_disabled()
    sara.picture("caller-gone")


def test_an_answer_that_does_not_come_is_told(visit: Visit, calm: CallCentre) -> None:
    sara = visit("sara")
    panel = sara.panel().is_live()
    panel.button("Pause Bruno Verdi").click()
    dialog = panel.dialog.titled("Pause Bruno Verdi")
    dialog.radio("Lunch").check(force=True)
    with sara.failing_requests(), hanging(calm.milano):
        dialog.button("Pause").click()
        expect(dialog.root.get_by_text("Waiting for the switchboard…")).to_be_visible()
        expect(dialog.button("Pause")).to_be_disabled()
        sara.picture("pending")
        expect(dialog.root.get_by_text("There is no connection to the switchboard.")).to_be_visible()
        sara.picture("no-connection")
        sara.finds_nothing_inaccessible()
        expect(dialog.button("Pause")).to_be_enabled()


def test_the_filter_finds_agents_and_queues(visit: Visit, calm: CallCentre) -> None:
    calm.milano.pause(BRUNO, MEETING)
    panel = visit("dario").panel().is_live()
    expect(panel.agent("Bruno Verdi")).to_contain_text(MEETING)
    for typed, agents, queues in (
        ("verdi", ["Bruno Verdi"], []),
        ("meeting", ["Bruno Verdi"], []),
        ("1103", ["Carla Bianchi"], []),
        ("vip", ["Carla Bianchi"], ["vip"]),
    ):
        panel.filter.fill(typed)
        rows = panel.table("Agents").get_by_role("row")
        expect(rows).to_have_count(1 + len(agents))
        for name in agents:
            expect(panel.agent(name)).to_be_visible()
        for name in queues:
            expect(panel.row("Queues", name).first).to_be_visible()
    panel.filter.press("Escape")
    expect(panel.table("Agents").get_by_role("row")).to_have_count(4)
    assert calm.memberships(CARLA) == {"vip": 1}
