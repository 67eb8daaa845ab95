"""The plugin's screens as people find their way in them: by roles, names and words, never by ids.

`Mouse` and `Keyboard` are two ways to do the same things there.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from playwright.sync_api import Locator, Page, expect

MOST_STEPS: Final = 120
"""With Tab, to get anywhere on a page."""

# --- hands ------------------------------------------------------------------------------------------------


class Hands(Protocol):
    """How somebody works."""

    def press(self, button: Locator) -> None:
        """A button, a link or a box to tick."""

    def choose(self, radio: Locator) -> None:
        """One of a group."""

    def enter(self, field: Locator, text: str) -> None:
        """A text in place of what is in the field."""


class Mouse:
    """With the mouse; only letters come from the keyboard."""

    def press(self, button: Locator) -> None:
        # what is seen of a box to tick lies over the box itself
        button.click(force=button.get_attribute("type") == "checkbox")

    def choose(self, radio: Locator) -> None:
        radio.click()

    def enter(self, field: Locator, text: str) -> None:
        field.click(click_count=3)
        field.page.keyboard.type(text)


class Keyboard:
    """With nothing but the keyboard."""

    def press(self, button: Locator) -> None:
        self.reach(button)
        is_box = button.get_attribute("type") == "checkbox"
        button.page.keyboard.press("Space" if is_box else "Enter")

    def choose(self, radio: Locator) -> None:
        """Tab leads to a group, arrows lead through it."""
        expect(radio).to_be_visible()
        page = radio.page
        name = radio.get_attribute("name")
        self._tab_until(page, f"document.activeElement?.name === {name!r}")
        for _ in range(MOST_STEPS):
            if _has_focus(radio):
                page.keyboard.press("Space")
                return
            page.keyboard.press("ArrowDown")
        raise AssertionError(f"the arrows do not lead to {radio}")

    def enter(self, field: Locator, text: str) -> None:
        self.reach(field)
        field.page.keyboard.press("ControlOrMeta+A")
        field.page.keyboard.type(text)

    def reach(self, target: Locator) -> None:
        expect(target).to_be_enabled()
        for _ in range(MOST_STEPS):
            if _has_focus(target):
                return
            target.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {target}")

    def _tab_until(self, page: Page, condition: str) -> None:
        for _ in range(MOST_STEPS):
            if page.evaluate(condition):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to where {condition}")


def _has_focus(target: Locator) -> bool:
    focused: bool = target.evaluate("element => element === document.activeElement")
    return focused


# --- the panel --------------------------------------------------------------------------------------------


class LivePanel:
    """The live panel, on a dashboard."""

    def __init__(self, page: Page, root: str) -> None:
        self.page = page
        self.root = page.locator(root).first

    @property
    def status(self) -> Locator:
        """How fresh the data are."""
        return self.root.get_by_role("status").filter(has_text=re.compile(r"\d:\d\d:\d\d"))

    @property
    def banner(self) -> Locator:
        """What says loudly that something is wrong."""
        return self.root.get_by_role("alert")

    @property
    def menu(self) -> Locator:
        """The current switchboard."""
        return self.root.get_by_label("Current switchboard")

    @property
    def filter(self) -> Locator:
        """The search field."""
        return self.root.get_by_label("Filter", exact=True)

    def table(self, name: str) -> Locator:
        """Queues, Agents or Calls in progress."""
        return self.root.get_by_role("table", name=name, exact=True)

    def row(self, table: str, text: str) -> Locator:
        """The row of a table that has this text."""
        return self.table(table).get_by_role("row").filter(has_text=text)

    def agent(self, name: str) -> Locator:
        """His row."""
        return self.row("Agents", name)

    def button(self, name: str) -> Locator:
        """One that is called exactly this."""
        return self.root.get_by_role("button", name=name, exact=True)

    def is_live(self) -> LivePanel:
        """Waits until it shows live data."""
        expect(self.status).to_contain_text("Live")
        expect(self.banner).to_have_count(0)
        return self

    @property
    def dialog(self) -> Dialog:
        """That is open."""
        return Dialog(self.page)


class Dialog:
    """A dialog of the plugin."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.get_by_role("dialog")

    def titled(self, title: str) -> Dialog:
        """Waits until it is open."""
        expect(self.root.get_by_role("heading", name=title, exact=True)).to_be_visible()
        return self

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.root.get_by_role("button", name=name, exact=isinstance(name, str))

    def radio(self, name: str) -> Locator:
        return self.root.get_by_role("radio", name=name, exact=True)

    def checkbox(self, name: str) -> Locator:
        return self.root.get_by_role("checkbox", name=name, exact=True)

    def field(self, label: str) -> Locator:
        """Whose label begins with this; a description may follow."""
        name = re.compile(rf"^{re.escape(label)}\b")
        return self.root.get_by_role("spinbutton", name=name).or_(self.root.get_by_role("textbox", name=name))

    def closes(self) -> None:
        """Waits until it has closed by itself."""
        expect(self.root).to_have_count(0)

    def is_confirmed(self, hands: Hands) -> None:
        """Waits until the switchboard has confirmed it. What Asterisk tells nobody of is seen later: then
        the dialog stays, and says so.
        """
        expect(self.root.filter(has_not_text="The switchboard has confirmed it")).to_have_count(0)
        if self.root.count():
            hands.press(self.button("Close").last)
        self.closes()


# --- the other pages --------------------------------------------------------------------------------------


class MePage:
    """The agent's own page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.get_by_role("main").first

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    @property
    def queues(self) -> Locator:
        """The table of his queues."""
        return self.root.get_by_role("table", name="My queues")

    @property
    def dialog(self) -> Dialog:
        """That is open."""
        return Dialog(self.page)


class ConfigPage:
    """The app's configuration."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.get_by_role("main").first

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    @property
    def checks(self) -> Locator:
        """What the test of the connection has found, one item each."""
        return self.root.get_by_role("listitem")
