"""``POST /actions``: what the control API did and denied, on its way into the journal.

The body is ``{"actions": [{"switchboard", "action", "result", "acted_at", "agent"?, "queue"?, "user"?,
"detail"?}, …]}``. The answer is 202 once the journal has all of them, else 503, and then they may be told
again: an action with the same time, user and detail is the same one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from typing import Annotated, Final

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from asterpanel_exporter.history.records import ControlAction
from asterpanel_exporter.storage import NotRecorded
from asterpanel_exporter.web.answers import ApiError, answer, encode
from asterpanel_switchboard.config.values import has_control_characters

MAX_ACTIONS: Final = 50
MAX_BODY_BYTES: Final = 256 * 1024
LATEST_S: Final = 9e9
"""The year 2255: InfluxDB's time stamps end soon after."""

RecordActions = Callable[[Sequence[ControlAction]], Awaitable[None]]
"""Returns once the journal has the actions. Raises `NotRecorded`."""


def _one_line(text: str) -> str:
    if has_control_characters(text):
        raise ValueError("must not hold control characters")
    return text


_Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
_Name = Annotated[str, Field(max_length=255), AfterValidator(_one_line)]
_Text = Annotated[str, Field(max_length=1000), AfterValidator(_one_line)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Action(_Strict):
    switchboard: _Name
    action: _Word
    result: _Word
    acted_at: Annotated[float, Field(ge=0, le=LATEST_S, allow_inf_nan=False)]
    agent: _Name = ""
    queue: _Name = ""
    user: _Name = ""
    detail: _Text = ""


class _Body(_Strict):
    actions: Annotated[list[_Action], Field(min_length=1, max_length=MAX_ACTIONS)]


class ActionIntake:
    """Takes actions of these switchboards; without ``record`` it turns all away."""

    def __init__(self, switchboards: Container[str], record: RecordActions | None) -> None:
        self._switchboards = switchboards
        self._record = record

    async def take(self, request: web.Request) -> web.Response:
        """Answer a request.

        Raises:
            ApiError: 415 or 422 for what cannot be used, 404 for an unknown switchboard, 503 if the journal
                does not have it.
        """
        actions = await self._read(request)
        if self._record is None:
            raise ApiError(503, "no_journal", "this exporter keeps no journal")
        try:
            await self._record(actions)
        except NotRecorded as reason:
            raise ApiError(503, "not_recorded", f"the journal: {reason}", {"Retry-After": "5"}) from None
        return await answer(request, encode({"recorded": len(actions)}), status=202)

    async def _read(self, request: web.Request) -> list[ControlAction]:
        if request.content_type != "application/json":
            raise ApiError(415, "not_json", "send Content-Type: application/json")
        try:
            body = _Body.model_validate_json(await request.read())
        except ValidationError as error:
            raise ApiError(422, "invalid_request", _first_problem(error)) from None
        for action in body.actions:
            if action.switchboard not in self._switchboards:
                raise ApiError(404, "unknown_switchboard", f"there is no switchboard {action.switchboard!r}")
        return [ControlAction(**action.model_dump()) for action in body.actions]


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"])) or "body"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"
