"""An agent's own page: on a desk and on a phone, by hand and by link."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.call_centre import MILANO, TORINO, CallCentre
from tests.e2e.conftest import Visit
from tests.e2e.plugin_pages import Hands, Keyboard, Mouse
from tests.pbx.control_pbx import ANNA

pytestmark = pytest.mark.pbx

TOUCH_PX = 44


@pytest.mark.parametrize("hands", [Mouse(), Keyboard()], ids=["mouse", "keyboard"])
def test_pause_and_its_end(visit: Visit, calm: CallCentre, hands: Hands) -> None:
    anna = visit("anna")
    me = anna.me()
    expect(me.root.get_by_role("heading", name="My status", level=1)).to_be_visible()
    expect(me.root.get_by_text("Anna Rossi (1101)")).to_be_visible()
    expect(me.queues.get_by_role("row")).to_have_text(["QueueWaitingPenalty", "billing00", "sales02"])
    anna.picture("free")
    anna.finds_nothing_inaccessible()
    hands.press(me.button("Pause: Lunch"))
    me.dialog.titled("Pause me")
    assert calm.pauses(ANNA) == {}
    anna.picture("confirm")
    hands.press(me.dialog.button("Pause"))
    expect(me.root.get_by_text("You are paused: Lunch")).to_be_visible()
    assert calm.pauses(ANNA) == {"billing": "Lunch", "sales": "Lunch"}
    expect(me.root.get_by_role("timer")).to_have_count(2)
    anna.picture("paused")
    anna.finds_nothing_inaccessible()
    hands.press(me.button("End my pause"))
    hands.press(me.dialog.titled("End my pause").button("End my pause"))
    expect(me.root.get_by_text("Your pause has ended")).to_be_visible()
    assert calm.pauses(ANNA) == {}


def test_a_link_asks_before_it_acts(visit: Visit, calm: CallCentre) -> None:
    anna = visit("anna")
    link = {"switchboard": MILANO, "action": "pause", "reason": "Back office"}
    me = anna.me(**link)
    expect(me.dialog.titled("Pause me").root).to_contain_text("Back office")
    me.dialog.button("Cancel").click()
    me.dialog.closes()
    assert calm.pauses(ANNA) == {}
    assert "action" not in anna.page.url

    anna.me(**link).dialog.titled("Pause me").button("Pause").click()
    expect(me.root.get_by_text("You are paused: Back office")).to_be_visible()
    assert calm.pauses(ANNA) == {"billing": "Back office", "sales": "Back office"}
    anna.me(switchboard=MILANO, action="unpause").dialog.titled("End my pause").button("End my pause").click()
    expect(me.root.get_by_text("Your pause has ended")).to_be_visible()
    assert calm.pauses(ANNA) == {}


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ({"action": "pause", "reason": "Siesta"}, "“Siesta” is none of the reasons that a pause may have."),
        ({"action": "pause"}, "It gives no reason for the pause, and one is needed."),
        ({"action": "hangup"}, "“hangup” is no action: there are “pause” and “unpause”."),
        ({"switchboard": TORINO, "action": "unpause"}, f"You see no switchboard “{TORINO}”."),
    ],
)
def test_a_link_with_a_mistake_says_so(
    visit: Visit, calm: CallCentre, link: dict[str, str], words: str
) -> None:
    me = visit("anna").me(**link)
    expect(me.root.get_by_text(words)).to_be_visible()
    expect(me.root.get_by_text("Anna Rossi (1101)")).to_be_visible()
    me.dialog.closes()
    assert calm.pauses(ANNA) == {}


def test_who_is_no_agent_is_told_whom_to_ask(visit: Visit) -> None:
    sara = visit("sara")
    me = sara.me(action="pause", reason="Lunch")
    expect(me.root.get_by_text("You are not an agent")).to_be_visible()
    expect(me.root.get_by_text("Grafana user sara")).to_be_visible()
    expect(me.button("Pause: Lunch")).to_have_count(0)
    sara.picture("page")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_on_a_phone(visit: Visit, calm: CallCentre, theme: str) -> None:
    """Everything is within reach of a thumb, and nothing is wider than the screen."""
    anna = visit("anna", width=320, height=640, touch=True, theme=theme)
    me = anna.me()
    expect(me.root.get_by_text("Anna Rossi (1101)")).to_be_visible()
    assert not anna.scrolls_sideways()
    for name in ("Pause: Lunch", "Pause: Training", "Pause: Back office"):
        box = me.button(name).bounding_box()
        assert box is not None
        assert box["height"] >= TOUCH_PX
    anna.picture("page")
    me.button("Pause: Training").tap()
    dialog = me.dialog.titled("Pause me")
    anna.picture("confirm")
    assert not anna.scrolls_sideways()
    dialog.button("Pause").tap()
    expect(me.root.get_by_text("You are paused: Training")).to_be_visible()
    assert calm.pauses(ANNA) == {"billing": "Training", "sales": "Training"}
    anna.picture("paused")
    anna.finds_nothing_inaccessible()
