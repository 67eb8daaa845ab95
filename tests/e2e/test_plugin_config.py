"""The app's configuration page: what is saved, and what its test of the connection says of each fault."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.call_centre import CallCentre
from tests.e2e.conftest import Visit
from tests.e2e.plugin_pages import ConfigPage
from tests.e2e.stage import Stage, StandinHost
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.pbx


def connection_is_tested(config: ConfigPage, *words: str) -> None:
    """Runs the page's own test, which says this."""
    config.button("Test the connection").click()
    for each in words:
        expect(config.checks.filter(has_text=each)).to_be_visible()


def test_everything_works(visit: Visit, stage: Stage) -> None:
    dario = visit("dario")
    config = dario.config()
    connection_is_tested(config, "You are dario", "You see: milano, torino.")
    expect(config.root.get_by_text("Everything works.")).to_be_visible()
    expect(config.checks.filter(has_text="Works")).to_have_count(7)
    assert stage.control.route_secret not in dario.page.content()
    dario.picture("page")
    dario.finds_nothing_inaccessible()


def test_an_address_and_a_secret_are_saved(visit: Visit, stage: Stage) -> None:
    """A wrong secret, entered in the page; then the right one, which is never shown again."""
    dario = visit("dario")
    config = dario.config()
    try:
        save(config, "no-such-secret-at-all")
        with dario.failing_requests():
            connection_is_tested(config, "The control API does not know this secret.")
        dario.picture("wrong-secret")
        save(config, stage.control.route_secret)
        connection_is_tested(config, "Right; it is the secret of the tenant")
        assert stage.control.route_secret not in dario.page.content()
    finally:
        stage.connect()


def save(config: ConfigPage, secret: str) -> None:
    config.button("Reset").click()
    config.root.get_by_label("Route secret").fill(secret)
    with config.page.expect_navigation():
        config.button("Save").click()
    expect(config.button("Reset")).to_be_visible()


def test_an_address_that_cannot_be(visit: Visit) -> None:
    config = visit("dario").config()
    field = config.root.get_by_label("API URL")
    for address, words in (
        ("not an address", "This is no address."),
        ("ftp://127.0.0.1:9978", "must begin with http:// or https://"),
        ("http://anna:secret@127.0.0.1:9978", "Leave out user and password"),
        ("http://127.0.0.1:9978/v1", "Leave out /v1 at the end"),
    ):
        field.fill(address)
        expect(config.root.get_by_text(words)).to_be_visible()
        expect(config.button("Save")).to_be_disabled()
    expect(config.button("Test the connection")).to_be_disabled()


def test_the_control_api_is_down(visit: Visit, stage: Stage) -> None:
    dario = visit("dario")
    config = dario.config()
    stage.control.end()
    try:
        with dario.failing_requests():
            connection_is_tested(config, "gets no answer at this address (HTTP 502)")
        dario.picture("down")
        dario.finds_nothing_inaccessible()
    finally:
        stage.restart_control()
    connection_is_tested(config, "Grafana reaches it.")


def test_the_identity_does_not_arrive(visit: Visit, stage: Stage) -> None:
    if not isinstance(stage.host, StandinHost):
        pytest.skip("a real Grafana's app proxy always says who asks")
    dario = visit("dario")
    config = dario.config()
    stage.host.server.names_user = False
    try:
        with dario.failing_requests():
            connection_is_tested(config, "It does not arrive who you are.")
        dario.picture("page")
    finally:
        stage.host.server.names_user = True


def test_the_clocks_differ(visit: Visit) -> None:
    dario = visit("dario")
    dario.context.add_init_script("const now = Date.now; Date.now = () => now() - 60_000")
    connection_is_tested(dario.config(), "ahead of this browser’s")


def test_an_administrator_without_a_profile(visit: Visit) -> None:
    walter = visit("walter")
    connection_is_tested(walter.config(), "There is no profile for you", "add walter")
    walter.picture("page")


def test_the_exporter_is_away(visit: Visit, stage: Stage, calm: CallCentre) -> None:
    dario = visit("dario")
    config = dario.config()
    calm.exporter.kill()
    try:
        until_told(dario, config, "The control API gets no live state from it.")
    finally:
        calm.exporter.__enter__()
        stage.wait_ready()


def until_told(dario: Visitor, config: ConfigPage, words: str) -> None:
    """The control API may need a moment to notice: tested again until it says so."""
    for _ in range(20):
        connection_is_tested(config, "Exporter")
        expect(config.button("Test the connection")).to_be_enabled()
        if config.checks.filter(has_text=words).count():
            dario.picture("page")
            return
        dario.page.wait_for_timeout(500)
    raise AssertionError(f"not told: {words}")
