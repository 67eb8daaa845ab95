"""Somebody in front of a browser, and what he finds there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.e2e.call_centre import MILANO
from tests.e2e.plugin_pages import ConfigPage, LivePanel, MePage
from tests.e2e.stage import Stage

SCREENSHOTS: Final = os.environ.get("ASTERPANEL_SCREENSHOTS")
"""Folder for screenshots; without it none are taken."""

PATIENCE_MS: Final = 15_000
"""For what is to be seen: a machine may stall."""

TRANSITION_MS: Final = 400
"""Until icons have come and colours have changed: for pictures alone."""

expect.set_options(timeout=PATIENCE_MS)


class Visitor:
    """A user of the host, in a browser context of his own.

    Args:
        login: of `call_centre.PEOPLE`.
        width: of the window, in CSS pixels; ``height`` too.
        language: that he has chosen.
        touch: whether it is a phone.
        axe: axe-core's source.
        test: what screenshots begin with.

    Attributes:
        complaints: what the browser put on the console as errors, and what nobody has caught.
    """

    def __init__(
        self,
        stage: Stage,
        browser: Browser,
        login: str,
        *,
        width: int = 1366,
        height: int = 900,
        theme: str = "dark",
        language: str = "en-US",
        touch: bool = False,
        axe: str,
        test: str,
    ) -> None:
        self.stage = stage
        self.theme = theme
        self.complaints: list[str] = []
        self._axe, self._test = axe, test
        self._excused = 0
        self.context = browser.new_context(
            base_url=stage.host.url,
            viewport={"width": width, "height": height},
            locale=language,
            has_touch=touch,
            reduced_motion="reduce",
        )
        self.context.set_default_timeout(PATIENCE_MS)
        stage.host.sign_in(self.context, login, language)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def leave(self) -> None:
        """Close the browser."""
        self.context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        if _is_of_network(message) and (self._excused or not self.stage.host.asks(message.location["url"])):
            return
        self.complaints.append(f"{message.text} ({message.location})")

    @contextmanager
    def failing_requests(self) -> Iterator[None]:
        """The browser may tell of requests that fail meanwhile: it does so by itself."""
        self._excused += 1
        try:
            yield
        finally:
            self._excused -= 1

    # --- where he goes ----------------------------------------------------------------------------------

    def panel(self, switchboard: str | None = MILANO, *, height: int = 860, **options: Any) -> LivePanel:
        """A dashboard with the panel, which shows the live state."""
        self.page.goto(self.stage.panel_path(switchboard, theme=self.theme, height=height, **options))
        return LivePanel(self.page, self.stage.host.root)

    def me(self, **query: str) -> MePage:
        """His own page."""
        self.page.goto(self.stage.me_path(theme=self.theme, **query))
        return MePage(self.page)

    def config(self) -> ConfigPage:
        """The app's configuration."""
        self.page.goto(self.stage.config_path(theme=self.theme))
        return ConfigPage(self.page)

    # --- what he sees -----------------------------------------------------------------------------------

    def picture(self, name: str) -> None:
        """Keep a picture of the window where pictures are wanted."""
        if SCREENSHOTS:
            self.page.wait_for_timeout(TRANSITION_MS)
            self.page.screenshot(path=Path(SCREENSHOTS, f"{self._test}-{name}.png"))

    def finds_nothing_inaccessible(self) -> None:
        """axe-core finds nothing serious or critical in what is the plugin's."""
        if self.page.evaluate("typeof window.axe") == "undefined":
            self.page.evaluate(self._axe)
        roots = [*self.stage.host.root.split(", "), "[role=dialog]"]
        found = self.page.evaluate(_RUN_AXE, [root for root in roots if self.page.locator(root).count()])
        assert not found, json.dumps(found, indent=1)

    def scrolls_sideways(self) -> bool:
        """Whether the page is wider than the window."""
        wider: bool = self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wider

    def focused(self) -> Locator:
        """What has the keyboard."""
        return self.page.locator(":focus")


_RUN_AXE: Final = """async (roots) => {
  const include = roots.map((root) => [root]);
  const { violations } = await axe.run({ include }, { resultTypes: ['violations'] });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => [id, help, nodes.map((node) => [node.html, node.failureSummary])]);
}"""


def _is_of_network(message: ConsoleMessage) -> bool:
    return message.text.startswith(("Failed to load resource", "EventSource"))
