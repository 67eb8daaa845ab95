"""What people see when something on the way to the switchboard breaks, and when it is whole again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.call_centre import SEEN_S, CallCentre
from tests.e2e.conftest import Visit
from tests.e2e.plugin_pages import LivePanel
from tests.e2e.stage import Stage, StandinHost
from tests.pbx.control_pbx import ANNA, BRUNO, hanging
from tests.pbx.pbx import wait_until

pytestmark = pytest.mark.pbx

STALE_TOLD_MS = 20_000
"""Within which stale data must be told."""

SLOW_MS = 40_000
"""For anything to come back by itself: attempts become rarer, and the machine may stall."""


def standin_of(stage: Stage) -> StandinHost:
    """The stand-in, whose network can be broken; a real Grafana's cannot from here."""
    if not isinstance(stage.host, StandinHost):
        pytest.skip("only the stand-in's network can be broken")
    return stage.host


def shows_changes(panel: LivePanel, calm: CallCentre) -> None:
    """A change on the switchboard comes through."""
    calm.milano.pause(BRUNO, "Lunch")
    expect(panel.agent("Bruno Verdi")).to_contain_text("Lunch", timeout=SLOW_MS)


def test_a_cut_stream_comes_back_by_itself(visit: Visit, stage: Stage, calm: CallCentre) -> None:
    host = standin_of(stage)
    sara = visit("sara")
    panel = sara.panel().is_live()
    with sara.failing_requests():
        assert host.server.cut_streams() == 1
        shows_changes(panel, calm)
        panel.is_live()


def test_a_stream_that_is_kept_back_is_replaced_by_asking(
    visit: Visit, stage: Stage, calm: CallCentre
) -> None:
    """Something on the way buffers: the panel asks every few seconds instead, and says so."""
    host = standin_of(stage)
    host.server.buffers = True
    try:
        sara = visit("sara")
        panel = sara.panel()
        expect(panel.status).to_contain_text("Every 3 s", timeout=SLOW_MS)
        expect(panel.banner).to_have_count(0)
        shows_changes(panel, calm)
        sara.picture("polling")
    finally:
        host.server.buffers = False


def test_the_control_api_goes_and_comes(visit: Visit, stage: Stage, calm: CallCentre) -> None:
    sara, anna = visit("sara"), visit("anna")
    panel = sara.panel().is_live()
    me = anna.me()
    expect(me.root.get_by_text("Anna Rossi (1101)")).to_be_visible()
    with sara.failing_requests(), anna.failing_requests():
        stage.control.end()
        try:
            expect(panel.banner).to_contain_text("what is below is as of", timeout=STALE_TOLD_MS)
            expect(panel.banner).to_contain_text("The control API does not answer", timeout=STALE_TOLD_MS)
            expect(panel.agent("Anna Rossi")).to_be_visible()
            sara.picture("banner")
            sara.finds_nothing_inaccessible()
            panel.button("Pause Anna Rossi").click()
            dialog = panel.dialog.titled("Pause Anna Rossi")
            dialog.radio("Lunch").check(force=True)
            dialog.button("Pause").click()
            expect(dialog.root.get_by_text("There was no answer of the control API")).to_be_visible()
            sara.picture("dialog")
            dialog.button("Close").last.click()
            me.button("Pause: Lunch").click()
            me.dialog.titled("Pause me").button("Pause").click()
            expect(me.root.get_by_text("There was no answer of the control API")).to_be_visible()
            anna.picture("me")
        finally:
            stage.restart_control()
        expect(panel.banner).to_have_count(0, timeout=SLOW_MS)
        expect(panel.status).to_contain_text("Live", timeout=SLOW_MS)
        shows_changes(panel, calm)
    assert calm.pauses(ANNA) == {}


def test_a_panel_that_opens_without_the_control_api(visit: Visit, stage: Stage, calm: CallCentre) -> None:
    """It says what is wrong instead of nothing, and comes to life by itself."""
    sara = visit("sara")
    with sara.failing_requests():
        stage.control.end()
        try:
            panel = sara.panel()
            expect(panel.root.get_by_text("The control API does not answer").first).to_be_visible()
            sara.picture("problem")
            sara.finds_nothing_inaccessible()
        finally:
            stage.restart_control()
        expect(panel.agent("Anna Rossi")).to_be_visible(timeout=SLOW_MS)
    assert calm.pauses(ANNA) == {}


def test_a_switchboard_that_hangs(visit: Visit, calm: CallCentre) -> None:
    """Told within seconds; what is asked meanwhile is refused in words, and never done later."""
    sara = visit("sara")
    panel = sara.panel().is_live()
    with sara.failing_requests(), hanging(calm.milano):
        expect(panel.banner).to_be_visible(timeout=STALE_TOLD_MS)
        expect(panel.banner).to_contain_text("what is below is as of")
        sara.picture("banner")
        sara.finds_nothing_inaccessible()
        panel.button("Pause Anna Rossi").click()
        dialog = panel.dialog.titled("Pause Anna Rossi")
        expect(dialog.root.get_by_text(re.compile("will probably refuse|may have changed"))).to_be_visible()
        dialog.radio("Lunch").check(force=True)
        dialog.button("Pause").click()
        expect(dialog.root.get_by_text("Nothing was done").first).to_be_visible()
        sara.picture("refused")
        dialog.button("Close").last.click()
    expect(panel.banner).to_have_count(0, timeout=SLOW_MS)
    shows_changes(panel, calm)
    assert calm.pauses(ANNA) == {}


def test_a_switchboard_that_ends_and_starts_again(visit: Visit, calm: CallCentre, stage: Stage) -> None:
    sara = visit("sara")
    panel = sara.panel().is_live()
    with sara.failing_requests():
        calm.milano.stop()
        try:
            expect(panel.banner).to_contain_text("The switchboard is not connected", timeout=STALE_TOLD_MS)
            expect(panel.status).to_contain_text("Switchboard down")
        finally:
            calm.milano.start()
        expect(panel.banner).to_have_count(0, timeout=SLOW_MS)
    stage.wait_ready()
    wait_until(lambda: calm.member("billing", ANNA) is not None, SEEN_S, "persistent members are back")
    shows_changes(panel, calm)
