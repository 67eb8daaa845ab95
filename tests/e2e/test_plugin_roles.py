"""Who sees what, and who is offered what: by the profiles, and not by the roles in Grafana."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.call_centre import MILANO, TORINO, CallCentre
from tests.e2e.conftest import Visit
from tests.e2e.plugin_pages import Keyboard, LivePanel
from tests.pbx.control_pbx import ANNA

pytestmark = pytest.mark.pbx

CALLER = "390551078"


def names_of_buttons(panel: LivePanel) -> set[str]:
    """What the panel offers to do with agents and callers."""
    buttons = panel.root.get_by_role("button").all()
    names = [button.get_attribute("aria-label") or button.inner_text() for button in buttons]
    verbs = ("Pause", "End pause", "Change", "Withdraw")
    return {name for name in names if name.startswith(verbs)}


def test_a_master(visit: Visit, calm: CallCentre) -> None:
    """Sees every queue of every switchboard, and may do everything."""
    calm.callers_wait("vip", CALLER)
    dario = visit("dario")
    panel = dario.panel().is_live()
    expect(panel.row("Queues", "vip").first).to_be_visible()
    expect(panel.root.get_by_text(CALLER)).to_be_visible()
    expect(panel.button("Pause Anna Rossi")).to_be_visible()
    assert names_of_buttons(panel) == {
        "Pause Anna Rossi", "Change queues of Anna Rossi",
        "Pause Bruno Verdi", "Change queues of Bruno Verdi",
        "End pause of Carla Bianchi", "Change queues of Carla Bianchi",
        f"Change priority of {CALLER} in vip", f"Withdraw {CALLER} from vip",
    } | ({"Pause Carla Bianchi"} & names_of_buttons(panel))  # fmt: skip
    dario.picture("panel")


def test_a_supervisor(visit: Visit, calm: CallCentre) -> None:
    """Sees the queues and agents of the profile, and may act on all of them."""
    calm.callers_wait("sales", CALLER)
    sara = visit("sara")
    panel = sara.panel().is_live()
    expect(panel.root.get_by_text(CALLER)).to_be_visible()
    expect(panel.row("Queues", "vip")).to_have_count(0)
    expect(panel.menu).to_have_count(0)
    expect(panel.button(f"Withdraw {CALLER} from sales")).to_be_visible()
    expect(panel.button("Pause Bruno Verdi")).to_be_visible()
    sara.picture("panel")


def test_an_agent(visit: Visit, calm: CallCentre) -> None:
    """Sees himself and his queues, with masked numbers; may pause himself and nobody else."""
    calm.callers_wait("sales", CALLER)
    anna = visit("anna")
    panel = anna.panel().is_live()
    expect(panel.agent("Anna Rossi")).to_be_visible()
    expect(panel.agent("Bruno Verdi")).to_have_count(0)
    expect(panel.button("Pause Anna Rossi")).to_be_visible()
    assert names_of_buttons(panel) == {"Pause Anna Rossi", "End pause of Anna Rossi"}
    expect(panel.table("Queues").get_by_text("…78")).to_be_visible()
    assert CALLER not in anna.page.content()
    anna.picture("panel")
    panel.button("Pause Anna Rossi").click()
    dialog = panel.dialog.titled("Pause Anna Rossi")
    dialog.radio("Lunch").check(force=True)
    dialog.button("Pause").click()
    dialog.closes()
    assert calm.pauses(ANNA) == {"billing": "Lunch", "sales": "Lunch"}


def test_a_viewer(visit: Visit, calm: CallCentre) -> None:
    """Sees the profile with masked numbers; no button to act with is even drawn."""
    calm.callers_wait("sales", CALLER)
    screen = visit("screen")
    panel = screen.panel().is_live()
    expect(panel.agent("Bruno Verdi")).to_be_visible()
    expect(panel.table("Queues").get_by_text("…78")).to_be_visible()
    assert names_of_buttons(panel) == set()
    assert CALLER not in screen.page.content()
    screen.picture("panel")


def test_who_is_in_no_profile(visit: Visit) -> None:
    """Even an administrator of Grafana: he is told whom to ask."""
    walter = visit("walter")
    panel = walter.panel()
    expect(panel.root.get_by_text("There is no profile for you")).to_be_visible()
    expect(panel.root.get_by_text("Ask whoever keeps the profiles")).to_contain_text("walter")
    walter.picture("panel")
    walter.finds_nothing_inaccessible()


@pytest.mark.parametrize("by_keyboard", [False, True], ids=["mouse", "keyboard"])
def test_the_menu_follows_and_sets_the_dashboards_variable(visit: Visit, by_keyboard: bool) -> None:
    dario = visit("dario")
    panel = dario.panel(TORINO).is_live()
    expect(panel.menu).to_have_value(TORINO)
    expect(panel.agent("Dora Gallo")).to_be_visible()
    if by_keyboard:
        Keyboard().reach(panel.menu)
        dario.page.keyboard.press("m")
    else:
        panel.menu.select_option(MILANO)
    expect(panel.agent("Anna Rossi")).to_be_visible()
    expect(panel.agent("Dora Gallo")).to_have_count(0)
    dario.page.wait_for_url(lambda url: f"var-switchboard={MILANO}" in url)


def test_the_menu_without_a_variable(visit: Visit) -> None:
    """The panel's own choice holds where the option names no variable."""
    panel = visit("dario").panel(variable="").is_live()
    panel.menu.select_option(TORINO)
    expect(panel.agent("Dora Gallo")).to_be_visible()
