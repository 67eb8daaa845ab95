"""A stand-in for Grafana around the built plugin: its pages (tests/e2e/standin) and its app proxy.

It plays the newest Grafana: @grafana/ui 13 and React 19 in the page, a signed id token and the context header
from the proxy. What it does not play: permissions of dashboards, and everything else that the
plugin never meets.
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from aiohttp import ClientConnectionError, ClientResponse, ClientSession, ClientTimeout, InvalidURL, web
from yarl import URL

from tests.grafana_keys import GrafanaKeys, context_header

APP: Final = "asterpanel-app"
SESSION_COOKIE: Final = "grafana_session"
LANGUAGE_COOKIE: Final = "standin_language"
START_S: Final = 10.0
SHUTDOWN_S: Final = 0.1
"""For open streams, which would not end by themselves."""

_ENDS_AT_PROXY: Final = frozenset({
    "authorization", "connection", "content-length", "cookie", "host", "keep-alive", "origin", "referer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
"""What a browser sends and Grafana does not hand on. Whatever begins with ``x-grafana-`` is Grafana's own."""

_ENDS_AT_BROWSER: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})

_POLICY: Final = (
    "script-src 'self' 'unsafe-eval' 'unsafe-inline'; object-src 'none'; font-src 'self'; "
    "style-src 'self' 'unsafe-inline' blob:; img-src * data:; base-uri 'self'; connect-src 'self'; "
    "manifest-src 'self'; media-src 'none'; form-action 'self'"
)
"""As strict a content policy as Grafana's own template can be made."""

_PAGE: Final = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Grafana</title>
<style>body {{ margin: 0 }}</style><link rel="icon" href="data:,">
<link rel="stylesheet" href="/standin/host.css">
</head>
<body>
<div id="reactRoot"></div>
<script>
window.grafanaBootData = {boot};
window.__grafana_public_path__ = "/public/";
window.standinDashboard = {dashboard};
</script>
<script src="/standin/host.js"></script>
</body>
</html>
"""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Dashboard:
    """A dashboard with one panel of the plugin (boot.ts).

    Attributes:
        options: of the panel; what is absent has its default.
        height: of the panel, in pixels.
        switchboards: values of the dashboard's variable; none: there is no variable.
    """

    title: str = "Live"
    options: Mapping[str, Any] = field(default_factory=dict)
    height: int = 900
    switchboards: Sequence[str] = ()


class GrafanaStandin:
    """Serves on a free port of loopback, in a thread of its own; for use as a context manager.

    Args:
        bundle: the host page's ``dist`` folder.
        plugin: the plugin's ``dist`` folder.
        keys: sign who the user is.
        issuer: the root URL in the id tokens, which the control API knows.

    Attributes:
        people: the organisation roles of the users, by login.
        dashboards: by the name in their URL, ``/d/NAME``.
        api_url: where the app's route leads to.
        secret: what the route sends.
        names_user: whether the proxy says who asks.
        buffers: whether something on the way keeps streams back until they end.
    """

    def __init__(self, bundle: Path, plugin: Path, keys: GrafanaKeys, issuer: str) -> None:
        self.people: dict[str, str] = {}
        self.dashboards: dict[str, Dashboard] = {}
        self.api_url = ""
        self.secret = ""
        self.names_user = True
        self.buffers = False
        self._bundle, self._plugin = bundle, plugin
        self._keys, self._issuer = keys, issuer
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="stand-in for Grafana", daemon=True
        )
        self._streams: list[web.Request] = []

    # --- its life -------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread.start()
        self._port = self._run(self._start)
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """The root URL, with a slash at its end."""
        return f"http://127.0.0.1:{self._port}/"

    def cut_streams(self) -> int:
        """Break all open streams, as a network does; how many there were."""

        async def cut() -> int:
            streams = list(self._streams)
            for request in streams:
                if request.transport is not None:
                    request.transport.abort()
            return len(streams)

        return self._run(cut)

    def _run(self, what: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        return asyncio.run_coroutine_threadsafe(what(), self._loop).result(START_S)

    async def _start(self) -> int:
        self._session = ClientSession(auto_decompress=False, timeout=ClientTimeout(total=None))
        self._runner = web.AppRunner(
            self._app(), handler_cancellation=True, access_log=None, shutdown_timeout=SHUTDOWN_S
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    def _app(self) -> web.Application:
        app = web.Application()
        for path, folder in (
            ("/standin", self._bundle),
            ("/public/build/img", self._bundle / "img"),
            ("/public/fonts", self._bundle / "fonts"),
            (f"/public/plugins/{APP}", self._plugin),
        ):
            app.router.add_get(f"{path}/{{file:.*}}", partial(_file, folder))
        app.router.add_route("*", f"/api/plugin-proxy/{APP}/control/{{path:.*}}", self._proxy)
        app.router.add_get(f"/api/plugins/{APP}/settings", self._settings)
        app.router.add_post(f"/api/plugins/{APP}/settings", self._change_settings)
        app.router.add_get("/d/{name}", self._page)
        for path in (f"/a/{APP}/{{path:.*}}", f"/plugins/{APP}"):
            app.router.add_get(path, self._page)
        return app

    # --- pages ----------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.Response:
        login = self._login(request)
        language = request.cookies.get(LANGUAGE_COOKIE, "en-US")
        user = {
            "isSignedIn": True, "login": login, "name": login.title(), "orgId": 1,
            "orgRole": self.people[login], "language": language, "theme": request.query.get("theme", "dark"),
        }  # fmt: skip
        settings = {
            "appSubUrl": "",
            "appUrl": self.url,
            "buildInfo": {"version": "13.2.2", "env": "production"},
        }
        boot = {"user": user, "settings": settings, "navTree": []}
        name = request.match_info.get("name")
        dashboard = asdict(self.dashboards[name]) if name else None
        text = _PAGE.format(language=language, boot=_script(boot), dashboard=_script(dashboard))
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": _POLICY})

    def _login(self, request: web.Request) -> str:
        login = request.cookies.get(SESSION_COOKIE)
        if login not in self.people:
            raise web.HTTPUnauthorized(text='{"message":"Unauthorized"}', content_type="application/json")
        return login

    # --- the app's settings -----------------------------------------------------------------------------

    async def _settings(self, request: web.Request) -> web.Response:
        self._login(request)
        meta = {
            "id": APP, "type": "app", "name": "Asterpanel", "enabled": True, "pinned": True,
            "module": f"public/plugins/{APP}/module.js", "baseUrl": f"public/plugins/{APP}",
            "jsonData": {"apiUrl": self.api_url}, "secureJsonFields": {"apiToken": bool(self.secret)},
            "info": {}, "includes": [], "dependencies": {},
        }  # fmt: skip
        return web.json_response(meta)

    async def _change_settings(self, request: web.Request) -> web.Response:
        if self.people[self._login(request)] != "Admin":
            raise web.HTTPForbidden(text='{"message":"Access denied"}', content_type="application/json")
        body = await request.json()
        self.api_url = body.get("jsonData", {}).get("apiUrl", "")
        self.secret = body.get("secureJsonData", {}).get("apiToken", self.secret)
        return web.json_response({"message": "Plugin settings updated"})

    # --- the app proxy ----------------------------------------------------------------------------------

    async def _proxy(self, request: web.Request) -> web.StreamResponse:
        login = self._login(request)
        path = request.raw_path.partition("/control/")[2]
        try:
            answer = await self._session.request(
                request.method,
                URL(f"{self.api_url.rstrip('/')}/{path}", encoded=True),
                headers=self._handed_on(request, login),
                data=await request.read() or None,
                allow_redirects=False,
            )
        except (ClientConnectionError, InvalidURL, ValueError):
            return web.Response(status=HTTPStatus.BAD_GATEWAY)  # as Grafana answers: without a word
        async with answer:
            return await self._hand_back(request, answer)

    def _handed_on(self, request: web.Request, login: str) -> Mapping[str, str]:
        sent = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in _ENDS_AT_PROXY and not name.lower().startswith("x-grafana-")
        }
        added = {"Authorization": f"Bearer {self.secret}"}
        if self.names_user:
            role = self.people[login]
            added["X-Grafana-Id"] = self._keys.token(login, iss=self._issuer, role=role)
            added["X-Grafana-Context"] = context_header(login, OrgRole=role)
        return sent | added

    async def _hand_back(self, request: web.Request, answer: ClientResponse) -> web.StreamResponse:
        headers = {
            name: value for name, value in answer.headers.items() if name.lower() not in _ENDS_AT_BROWSER
        }
        response = web.StreamResponse(
            status=answer.status, headers=headers | {"Content-Security-Policy": "sandbox"}
        )
        await response.prepare(request)
        is_stream = answer.content_type == "text/event-stream"
        if is_stream:
            self._streams.append(request)
        try:
            await self._copy(answer, response, is_stream and self.buffers)
        finally:
            if is_stream:
                self._streams.remove(request)
        return response

    async def _copy(self, answer: ClientResponse, response: web.StreamResponse, keep: bool) -> None:
        kept = b""
        try:
            async for part in answer.content.iter_any():
                if keep:
                    kept += part
                else:
                    await response.write(part)
        finally:
            with suppress(ConnectionError):
                await response.write(kept)


async def _file(folder: Path, request: web.Request) -> web.Response:
    """Read whole: aiohttp's own handler leaves a file open when its reader goes away."""
    path = folder / request.match_info["file"]
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise web.HTTPNotFound
    kind, _ = mimetypes.guess_type(path.name)
    return web.Response(body=path.read_bytes(), content_type=kind)


def _script(value: object) -> str:
    """As a value in a script of the page."""
    return json.dumps(value).replace("<", "\\u003c")
