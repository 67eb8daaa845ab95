"""How the screens look: widths, themes, densities, languages; and whether everybody can use them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.call_centre import CallCentre
from tests.e2e.conftest import Visit
from tests.e2e.stage import Stage, StandinHost
from tests.e2e.visitor import TRANSITION_MS
from tests.pbx.control_pbx import BRUNO

pytestmark = pytest.mark.pbx

WIDTHS = {320: 640, 768: 1024, 1366: 900, 1920: 1080, 3840: 2160}
"""And heights of windows, in CSS pixels: a small phone, a tablet, two desks, a wall."""

CALLERS = ("390551001", "390552002", "390553003")


@pytest.fixture
def busy(calm: CallCentre) -> CallCentre:
    """Callers wait, and somebody is at lunch."""
    calm.callers_wait("sales", *CALLERS)
    calm.milano.pause(BRUNO, "Lunch")
    calm.callers_wait("vip", "390554004")
    return calm


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_width(visit: Visit, busy: CallCentre, theme: str) -> None:
    sara = visit("sara", theme=theme, width=1366)
    panel = sara.panel().is_live()
    for width, height in WIDTHS.items():
        sara.page.set_viewport_size({"width": width, "height": height})
        expect(panel.table("Queues")).to_be_visible()
        expect(panel.root.get_by_text(CALLERS[0])).to_be_visible()
        assert not sara.scrolls_sideways(), width
        sara.picture(f"{width}")
        sara.finds_nothing_inaccessible()
    background = sara.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) > 3 * 128) == (theme == "light"), background


def test_a_narrow_panel_has_tabs(visit: Visit, busy: CallCentre) -> None:
    """Arrow keys go from tab to tab; dialogs fit too."""
    sara = visit("sara", width=320, height=640)
    panel = sara.panel(height=600).is_live()
    tabs = panel.root.get_by_role("tab")
    expect(tabs).to_have_count(3)
    tabs.first.focus()
    for table in ("Agents", "Calls in progress", "Queues"):
        sara.page.keyboard.press("ArrowRight")
        expect(panel.table(table)).to_be_visible()
        assert not sara.scrolls_sideways(), table
        sara.picture(table.lower().replace(" ", "-"))
        sara.finds_nothing_inaccessible()
    sara.page.keyboard.press("ArrowRight")
    panel.button("Change queues of Anna Rossi").click()
    panel.dialog.titled("Change queues of Anna Rossi")
    assert not sara.scrolls_sideways()
    sara.picture("dialog")
    sara.finds_nothing_inaccessible()


@pytest.mark.parametrize("density", ["compact", "wallboard"])
def test_densities(visit: Visit, busy: CallCentre, density: str) -> None:
    screen = visit("screen", width=3840, height=2160)
    panel = screen.panel(height=2000, density=density).is_live()
    expect(panel.agent("Bruno Verdi")).to_contain_text("Lunch")
    size = float(panel.agent("Bruno Verdi").evaluate("row => parseFloat(getComputedStyle(row).fontSize)"))
    assert (size > 18) == (density == "wallboard"), size
    screen.picture("panel")
    screen.finds_nothing_inaccessible()


def test_only_what_is_wanted_is_shown(visit: Visit, busy: CallCentre) -> None:
    panel = visit("dario").panel(sections=["queues"], showSearch=False, queuePattern="sal*").is_live()
    expect(panel.row("Queues", "sales").first).to_be_visible()
    expect(panel.row("Queues", "billing")).to_have_count(0)
    expect(panel.table("Agents")).to_have_count(0)
    expect(panel.filter).to_have_count(0)


def test_timers_tick_each_second(visit: Visit, busy: CallCentre) -> None:
    panel = visit("dario").panel().is_live()
    timer = panel.agent("Bruno Verdi").get_by_role("timer").first
    seen = [timer.inner_text()]
    for _ in range(3):
        expect(timer).not_to_have_text(seen[-1])
        seen.append(timer.inner_text())
    assert seen == sorted(set(seen))


def test_an_icon_is_that_of_its_word(visit: Visit, stage: Stage) -> None:
    """Also if the icon of the word before comes late."""
    if not isinstance(stage.host, StandinHost):
        pytest.skip("Grafana 10 has its icons at once")
    sara = visit("sara")
    late: list[Route] = []
    sara.page.route("**/unicons/sync.svg", lambda route: late.append(route))  # noqa: PLW0108  # playwright wants a function of Python
    panel = sara.panel().is_live()
    assert late, "there was no other word before"
    for route in late:
        route.continue_()
    sara.page.wait_for_timeout(TRANSITION_MS)
    shown = panel.status.locator("svg path").get_attribute("d")
    circle = sara.page.request.get("public/build/img/icons/unicons/circle.svg").text()
    assert shown is not None
    assert shown in circle


def test_italian(visit: Visit, busy: CallCentre) -> None:
    dario = visit("dario", language="it-IT")
    dario.panel()
    root = dario.page.locator(dario.stage.host.root).first
    expect(root.get_by_role("table", name="Code")).to_be_visible()
    expect(root.get_by_role("table", name="Operatori")).to_contain_text("In pausa")
    dario.picture("panel")
    root.get_by_role("button", name="Metti in pausa Anna Rossi").click()
    expect(dario.page.get_by_role("dialog")).to_contain_text("Motivo")
    dario.picture("dialog")
    anna = visit("anna", language="it-IT")
    me = anna.me()
    expect(me.root.get_by_role("heading", name="Il mio stato", level=1)).to_be_visible()
    anna.picture("me")
    config = dario.config()
    config.button("Prova il collegamento").click()
    expect(config.checks).to_have_count(7)
    dario.picture("config")
