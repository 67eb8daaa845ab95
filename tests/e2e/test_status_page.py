"""The status page in a real browser (Debian's chromium, driven over its DevTools socket with aiohttp)."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from asterpanel_exporter.supervisor import Exporter
from asterpanel_exporter.web.stream import StreamSettings
from asterpanel_switchboard.session import SessionState
from tests.unit.test_web_support import (
    HOSTILE_NAMES,
    OPEN,
    TOKEN,
    MemberLine,
    answer_call,
    exporter_of,
    join,
    leave,
    log_in,
    member_status,
    served,
)
from tests.waiting import eventually

SCREENSHOTS = os.environ.get("ASTERPANEL_SCREENSHOTS")
"""Folder for screenshots; without it none are taken."""

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0", "--window-size=1600,1000",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _browser_is_there(chromium: Path) -> None:
    """Installed where that is possible, else the tests are skipped with the reason."""


# --- a browser -------------------------------------------------------------------------------------------


class Page:
    """One tab.

    Attributes:
        complaints: what the browser put on the console: errors, violations of the content policy.
    """

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.complaints: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            data = json.loads(message.data)
            if "id" in data:
                self._answers.pop(data["id"]).set_result(data)
            elif data["method"] == "Log.entryAdded":
                self.complaints.append(data["params"]["entry"]["text"])
            elif data["method"] == "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(data["params"]["exceptionDetails"]))

    async def command(self, method: str, **params: Any) -> dict[str, Any]:
        """A DevTools command and its result."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(30):
            data = await answer
        assert "error" not in data, data
        result: dict[str, Any] = data["result"]
        return result

    async def open(self, url: str) -> None:
        """Go to a page."""
        for domain in ("Page", "Runtime", "Log"):
            await self.command(f"{domain}.enable")
        await self.command("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        result = await self.command(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def text(self, selector: str = "body") -> str:
        """What a person reads there; "" if there is no such thing."""
        found = await self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        return " ".join(str(found).split())

    async def until(self, expression: str, timeout_s: float = 20.0) -> None:
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + timeout_s
        safe = f"(() => {{ try {{ return {expression} }} catch {{ return false }} }})()"
        while not await self.value(safe):
            assert time.monotonic() < deadline, f"{expression}\n{await self.text()}\n{self.complaints}"
            await asyncio.sleep(0.05)

    async def until_text(self, text: str, selector: str = "body") -> None:
        """Wait until a text can be read there."""
        normal = f"(document.querySelector({json.dumps(selector)})?.innerText ?? '').replace(/\\s+/g, ' ')"
        await self.until(f"{normal}.includes({json.dumps(text)})")

    async def size(self, width: int, height: int) -> None:
        """Make the window so many CSS pixels."""
        await self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def system_theme(self, theme: str) -> None:
        """What the system tells the page to prefer: light or dark."""
        await self.command(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}]
        )

    async def press(self, key: str, code: int) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            await self.command(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text
            )

    async def screenshot(self, name: str) -> None:
        """Keep a picture of the whole page where screenshots are wanted."""
        if SCREENSHOTS:
            shot = await self.command("Page.captureScreenshot", captureBeyondViewport=True)
            Path(SCREENSHOTS, f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Page]:
    """A fresh browser with one tab."""
    process = await asyncio.create_subprocess_exec(
        "chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    port_file = profile / "DevToolsActivePort"
    try:
        await eventually(lambda: port_file.exists() and port_file.read_text().count("\n") > 0, 60.0)
        base = f"http://127.0.0.1:{port_file.read_text().splitlines()[0]}"
        async with ClientSession() as client:
            tab = await _first_tab(client, base)
            async with client.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                yield page
                await page.command("Browser.close")
                page._reading.cancel()
    finally:
        if process.returncode is None:
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _first_tab(client: ClientSession, base: str) -> dict[str, Any]:
    """The browser listens for a moment before it has a tab."""
    async with asyncio.timeout(30):
        while True:
            async with client.get(f"{base}/json/list") as response:
                tabs = [target for target in await response.json() if target["type"] == "page"]
            if tabs:
                tab: dict[str, Any] = tabs[0]
                return tab
            await asyncio.sleep(0.05)


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[Path]:
    """A folder for the browser's profile."""
    folder = tmp_path / "chromium"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


# --- a call centre ---------------------------------------------------------------------------------------


def staffed(**settings: Any) -> Exporter:
    """Milano at work, torino refused. On the real clock."""
    exporter = exporter_of("milano", "torino", clock=time.time, exporter=settings or OPEN)
    now = time.time()
    milano = exporter.switchboards["milano"]
    alice, bob = MemberLine("Alice Bianchi", "1001"), MemberLine("Bob Ferrari", "1002")
    carol = MemberLine("Carol Conti", "1003", paused="lunch", paused_for_s=754)
    dario, elena = MemberLine("Dario Greco", "1004", status=5), MemberLine("Elena Gallo", "1005")
    log_in(
        milano,
        {
            "billing": [alice, bob, carol],
            "sales": [bob, dario],
            "support": [alice, elena, carol],
            "vip": [elena],
            "night-desk": [],
        },
        ours=now - 300,
    )
    join(milano, "billing", "1.1", now - 95, number="390551001", name="Anna Rossi")
    answer_call(milano, "billing", "1.1", "1001", now - 80)
    join(milano, "billing", "1.2", now - 42, number="390551002", name="Marco Esposito")
    join(milano, "billing", "1.3", now - 12, number="390551003", name="")
    join(milano, "sales", "1.4", now - 5, number="+39 02 5550 1234", name="Zoë 名前")
    member_status(milano, "sales", "1002", 6, now - 3)
    milano.pong(now, now, 0.001)
    exporter.watches["milano"].session.state = SessionState.CONNECTED
    exporter.watches["torino"].session.state = SessionState.REFUSED
    exporter.watches["torino"].session.problem = "login as 'monitor' refused: Authentication failed"
    return exporter


CARD = "[...document.querySelectorAll('.queue')].find((card) => card.querySelector('h4').innerText === {!r})"


async def test_it_shows_the_call_centre_and_follows_it(profile: Path) -> None:
    exporter = staffed()
    milano = exporter.switchboards["milano"]
    async with served(exporter) as client, browser(profile) as page:
        await page.open(str(client._build_url("/")))
        await page.until_text("Marco Esposito")
        await page.until_text("Login refused")
        text = await page.text()
        assert "Asterisk 22" in text
        assert "Login as 'monitor' refused: Authentication failed" in text
        assert "3 waiting · 1 call in progress · 1 switchboard not connected" in text
        assert await page.value("[...document.querySelectorAll('.queue h4')].map((h) => h.innerText)") == [
            "billing", "night-desk", "sales", "support", "vip",
        ]  # fmt: skip
        rows = await page.value(
            "[...document.querySelectorAll('.agents tbody tr')]"
            ".map((row) => [...row.cells].map((cell) => cell.innerText))"
        )
        assert [[re.sub(r"[\d:]*:\d\d$", "<time>", cell.strip()) for cell in row] for row in rows] == [
            ["Alice Bianchi 1001", "on a call", "<time>", "", "billing, support"],
            ["Bob Ferrari 1002", "ringing", "<time>", "", "billing, sales"],
            ["Carol Conti 1003", "paused", "<time>", "lunch <time>", "billing, support"],
            ["Elena Gallo 1005", "idle", "<time>", "", "support, vip"],
            ["Dario Greco 1004", "unavailable", "<time>", "", "sales"],
        ]
        waiting = f"{CARD.format('billing')}.innerText"
        assert "no number" not in await page.value(waiting)

        join(milano, "vip", "1.5", time.time(), name="Luca Romano")
        await page.until(f"{CARD.format('vip')}.innerText.includes('Luca Romano')")
        answer_call(milano, "vip", "1.5", "1005", time.time())
        await page.until(f"{CARD.format('vip')}.innerText.includes('Elena Gallo (1005)')")
        leave(milano, "billing", "1.2", time.time())
        await page.until(f"!{waiting}.includes('Marco Esposito')")
        assert await page.value(f"{CARD.format('billing')}.querySelector('.position').innerText") == "1."
        assert page.complaints == []


async def test_times_count_on_the_switchboards_clock(profile: Path) -> None:
    """Its clock is an hour and a bit away from the browser's."""

    def theirs() -> float:
        return time.time() - 4000

    exporter = exporter_of(clock=theirs)
    live = exporter.switchboards["milano"]
    log_in(live, {"billing": [MemberLine("Alice", "1001")]}, ours=theirs())
    join(live, "billing", "1.1", theirs() - 30)
    live.pong(theirs(), theirs(), 0.001)
    timer = "document.querySelector('.queue .timer').innerText"
    async with served(exporter) as client, browser(profile) as page:
        await page.open(str(client._build_url("/")))
        await page.until("document.querySelector('.queue .timer')")
        seen = []
        for _ in range(3):
            before = await page.value(timer)
            seen.append(before)
            await page.until(f"{timer} !== {json.dumps(before)}", timeout_s=5)
        assert seen == sorted(set(seen))
        assert all(text.startswith("! 0:3") for text in seen), seen
        assert "late" in await page.value("document.querySelector('.queue').className")


async def test_a_lost_exporter_is_told_and_found_again(profile: Path) -> None:
    exporter = staffed()
    async with browser(profile) as page:
        async with served(exporter) as client:
            url = client._build_url("/")
            await page.open(str(url))
            await page.until_text("Marco Esposito")
            assert await page.text("#link") == "Live"
        await page.until_text("The connection to the exporter is lost", "#banner")
        assert "Marco Esposito" in await page.text()
        await page.until("document.querySelector('.board').classList.contains('stale')")
        assert "old, timers stand still" in await page.text(".board")
        timers = "[...document.querySelectorAll('.timer')].map((t) => t.innerText).join()"
        before = await page.value(timers)
        await asyncio.sleep(2.2)  # nothing may happen in this time
        assert await page.value(timers) == before
        assert "Not known now" in await page.text(".board summary")
        await page.screenshot("lost")

        again = staffed(listen=f"127.0.0.1:{url.port}", **OPEN)
        join(again.switchboards["milano"], "vip", "1.9", time.time(), name="Back Again")
        async with served(again):
            await page.until_text("Back Again")
            assert await page.value("document.getElementById('banner').hidden")
            assert not await page.value("document.querySelector('.board').classList.contains('stale')")


async def test_a_lost_switchboard_is_marked_as_old(profile: Path) -> None:
    exporter = staffed()
    async with served(exporter) as client, browser(profile) as page:
        await page.open(str(client._build_url("/")))
        await page.until_text("Marco Esposito")
        exporter.watches["milano"].session.state = SessionState.DISCONNECTED
        exporter.watches["milano"].session.problem = "no answer to a ping within 5 s"
        exporter.switchboards["milano"].disconnected("ping_timeout")
        await page.until_text("No answer to a ping within 5 s. Trying again by itself.")
        assert "Not connected" in await page.text(".board summary")
        assert "Marco Esposito" in await page.text()
        assert await page.value("document.querySelector('.board').classList.contains('stale')")
        assert await page.value("document.getElementById('banner').hidden")
        await page.screenshot("switchboard-lost")


async def test_it_asks_for_the_token(profile: Path) -> None:
    async with served(staffed(state_token=TOKEN)) as client, browser(profile) as page:
        await page.open(str(client._build_url("/")))
        await page.until("!document.getElementById('token-form').hidden")
        assert "Marco Esposito" not in await page.text()
        await page.until_text("Login refused")
        await page.screenshot("token")
        for token in ("wrong", TOKEN):
            assert await page.value("document.activeElement.id") == "token"
            await page.command("Input.insertText", text=token)
            await page.press("Enter", 13)
            if token == "wrong":
                await page.until_text("This token was not accepted")
        await page.until_text("Marco Esposito")
        assert await page.value("document.getElementById('token-form').hidden")
        assert await page.value("sessionStorage.getItem('asterpanel-state-token')") == TOKEN
        assert await page.value("localStorage.length") == 0
        await page.command("Page.reload")
        await page.until_text("Marco Esposito")


async def test_without_a_token_configured_it_says_what_to_do(profile: Path) -> None:
    async with served(staffed(listen="127.0.0.1:0")) as client, browser(profile) as page:
        await page.open(str(client._build_url("/")))
        await page.until_text("set exporter.state_token_file", "#notice")
        await page.until_text("Login refused")
        assert "Marco Esposito" not in await page.text()


async def test_hostile_names_are_only_text(profile: Path) -> None:
    exporter = staffed()
    milano = exporter.switchboards["milano"]
    for number, name in enumerate(HOSTILE_NAMES):
        join(milano, "vip", f"9.{number}", time.time(), name=name, number=f"{name}{'9' * 300}")
    log_in_hostile_members(exporter)
    async with served(exporter) as client, browser(profile) as page:
        await page.open(str(client._build_url("/")))
        await page.until_text("onerror=")
        shown = await page.value(
            f"[...{CARD.format('vip')}.querySelectorAll('td:nth-child(3)')].map((c) => c.textContent)"
        )
        assert shown == list(HOSTILE_NAMES)
        assert "__proto__" in await page.value(
            "[...document.querySelectorAll('.queue h4')].map((h) => h.innerText)"
        )
        assert await page.value("document.querySelectorAll('main script, main img, main svg').length") == 0
        assert "owned" not in await page.value("document.title")
        assert await page.value("({}).polluted === undefined && ({}).queues === undefined")
        await page.size(320, 800)
        assert await page.value("document.documentElement.scrollWidth") <= 320
        await page.screenshot("hostile-320")
        assert page.complaints == []


def log_in_hostile_members(exporter: Exporter) -> None:
    """Torino with a queue and an agent whose names are traps of JavaScript."""
    torino = exporter.switchboards["torino"]
    log_in(torino, {"__proto__": [MemberLine("<b>bold</b>", "__proto__")], "constructor": []}, time.time())
    join(torino, "__proto__", "8.1", time.time(), name="constructor")


async def test_empty_states_are_words(profile: Path) -> None:
    exporter = exporter_of("milano", "torino", "zurigo", clock=time.time)
    log_in(exporter.switchboards["milano"], {}, time.time())
    log_in(exporter.switchboards["torino"], {"billing": []}, time.time())
    async with served(exporter) as client, browser(profile) as page:
        await page.open(str(client._build_url("/")))
        await page.until_text("No queues on this switchboard.")
        text = await page.text()
        assert "nobody waiting" in text
        assert "no members" in text
        assert "Nobody is a member of a queue." in text
        assert "Nothing is known of it yet." in text
        await page.screenshot("empty")


async def test_themes_and_widths(profile: Path) -> None:
    exporter = staffed()
    background = "getComputedStyle(document.body).backgroundColor"
    async with served(exporter) as client, browser(profile) as page:
        await page.open(str(client._build_url("/")))
        await page.until_text("Marco Esposito")
        colours = {}
        for theme in ("light", "dark"):
            await page.system_theme(theme)
            colours[theme] = await page.value(background)
            for width in (320, 768, 1600):
                await page.size(width, 900)
                assert await page.value("document.documentElement.scrollWidth") <= width
                await page.screenshot(f"{theme}-{width}")
        assert colours["light"] != colours["dark"]
        await page.value("document.getElementById('theme').focus()")
        await page.press("Enter", 13)
        assert await page.text("#theme") == "Theme: light"
        assert await page.value(background) == colours["light"]
        await page.command("Page.reload")
        await page.until_text("Marco Esposito")
        assert await page.value(background) == colours["light"]
        await page.value("document.getElementById('theme').click()")
        await page.system_theme("light")
        assert await page.value(background) == colours["dark"]


async def test_a_chosen_switchboard_alone(profile: Path) -> None:
    async with served(staffed()) as client, browser(profile) as page:
        await page.open(str(client._build_url("/").with_query(switchboard="milano")))
        await page.until_text("Marco Esposito")
        assert await page.value("[...document.querySelectorAll('.board h2')].map((h) => h.innerText)") == [
            "milano"
        ]


async def test_a_silent_stream_is_given_up(profile: Path) -> None:
    """A stream that is open and says nothing (a dead proxy) counts as lost within seconds."""
    exporter = staffed()
    mute = StreamSettings(heartbeat_s=3600.0)
    async with served(exporter, mute) as client, browser(profile) as page:
        await page.open(str(client._build_url("/")))
        await page.until_text("Marco Esposito")
        exporter.switchboards["milano"].pong(time.time(), time.time(), 0.001)
        await page.until("!document.getElementById('banner').hidden", timeout_s=25)
        await page.until("document.getElementById('banner').hidden", timeout_s=10)
        assert await page.text("#link") == "Live"
