"""Acting on agents, on members of queues and on waiting callers. Every one, and every denial, is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from asterpanel_control_api.access.rights import Right
from asterpanel_control_api.access.viewpoint import Viewpoint
from asterpanel_control_api.answers import ActionResult
from asterpanel_control_api.door import person
from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.live.boards import Document
from asterpanel_control_api.requests import (
    AgentPath,
    CallerPath,
    MemberBody,
    MemberPath,
    PauseBody,
    PriorityBody,
    QueuesBody,
    UnpauseBody,
    WithdrawBody,
)
from asterpanel_control_api.services import Services
from asterpanel_control_api.switchboards.outcomes import Outcome
from asterpanel_control_api.switchboards.plans import MemberSettings

_TAG = Tag(name="actions", description="What you may do.")
_OK: dict[str | int | HTTPStatus, Any] = {HTTPStatus.OK: ActionResult}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, as the audit tells it."""

    action: str
    switchboard: str
    agent: str = ""
    queue: str = ""
    caller: str = ""
    detail: str = ""


def blueprint(services: Services) -> APIBlueprint:
    """Endpoints that change something on a switchboard."""
    api = APIBlueprint(
        "actions",
        __name__,
        url_prefix="/v1/switchboards/<switchboard>",
        abp_tags=[_TAG],
        abp_security=[{"bearer": []}],
    )
    operations = services.operations

    @api.post("/agents/<agent>/pause", summary="Pause an agent", responses=_OK)
    def pause(path: AgentPath, body: PauseBody) -> Response:
        asked = _Asked("pause", path.switchboard, path.agent, detail=body.reason)

        def act(view: Viewpoint, document: Document) -> Outcome:
            _check_reason(services, body.reason)
            within = _within(view, Right.PAUSE, path, document, body.queues)
            return operations.pause(
                path.switchboard, path.agent, reason=body.reason, queues=body.queues, within=within
            )

        return _done(services, asked, act)

    @api.post("/agents/<agent>/unpause", summary="End an agent's pause", responses=_OK)
    def unpause(path: AgentPath, body: UnpauseBody) -> Response:
        def act(view: Viewpoint, document: Document) -> Outcome:
            within = _within(view, Right.PAUSE, path, document, body.queues)
            return operations.unpause(path.switchboard, path.agent, queues=body.queues, within=within)

        return _done(services, _Asked("unpause", path.switchboard, path.agent), act)

    @api.put("/agents/<agent>/queues", summary="Set all queues of an agent at once", responses=_OK)
    def set_queues(path: AgentPath, body: QueuesBody) -> Response:
        asked = _Asked("set_queues", path.switchboard, path.agent, detail=_names(body))

        def act(view: Viewpoint, document: Document) -> Outcome:
            board, agent = path.switchboard, path.agent
            wanted = {each.queue: _settings(each) for each in body.queues}
            if len(wanted) < len(body.queues):
                raise ApiError(ErrorId.INVALID_REQUEST, "queues: a queue is named twice")
            view.require(Right.EDIT_MEMBERS, board, document, agent=agent, new_agent=True)
            for queue in wanted:
                view.require(Right.EDIT_MEMBERS, board, document, queue=queue, agent=agent, new_agent=True)
            within = view.queues_within(Right.EDIT_MEMBERS, board, document, agent)
            return operations.set_queues(board, agent, wanted, within=within)

        return _done(services, asked, act)

    @api.put("/queues/<queue>/members/<agent>", summary="Make an agent a member", responses=_OK)
    def put_member(path: MemberPath, body: MemberBody) -> Response:
        def act(view: Viewpoint, document: Document) -> Outcome:
            _require_member(view, path, document, new_agent=True)
            return operations.put_member(path.switchboard, path.queue, path.agent, _settings(body))

        return _done(services, _of_member("put_member", path), act)

    @api.patch("/queues/<queue>/members/<agent>", summary="Change a membership", responses=_OK)
    def patch_member(path: MemberPath, body: MemberBody) -> Response:
        def act(view: Viewpoint, document: Document) -> Outcome:
            _require_member(view, path, document)
            return operations.patch_member(path.switchboard, path.queue, path.agent, _settings(body))

        return _done(services, _of_member("patch_member", path), act)

    @api.delete("/queues/<queue>/members/<agent>", summary="End a membership", responses=_OK)
    def delete_member(path: MemberPath) -> Response:
        def act(view: Viewpoint, document: Document) -> Outcome:
            _require_member(view, path, document)
            return operations.delete_member(path.switchboard, path.queue, path.agent)

        return _done(services, _of_member("delete_member", path), act)

    @api.post(
        "/queues/<queue>/callers/<caller>/priority", summary="Change a caller's priority", responses=_OK
    )
    def priority(path: CallerPath, body: PriorityBody) -> Response:
        asked = _of_caller("change_priority", path, f"priority {body.priority}")

        def act(view: Viewpoint, document: Document) -> Outcome:
            _require_caller(view, path, document)
            return operations.change_priority(
                path.switchboard, path.queue, path.caller, body.priority, immediate=body.immediate
            )

        return _done(services, asked, act)

    @api.post("/queues/<queue>/callers/<caller>/withdraw", summary="Send a caller on", responses=_OK)
    def withdraw(path: CallerPath, body: WithdrawBody) -> Response:
        def act(view: Viewpoint, document: Document) -> Outcome:
            _require_caller(view, path, document)
            return operations.withdraw(path.switchboard, path.queue, path.caller, info=body.info)

        return _done(services, _of_caller("withdraw", path, body.info), act)

    return api


def _done(services: Services, asked: _Asked, act: Callable[[Viewpoint, Document], Outcome]) -> Response:
    """Check, act, record and answer.

    Raises:
        ApiError: it was not done; that is recorded too.
    """
    who, started = person(), time.monotonic()
    result = ErrorId.INTERNAL.id
    detail = asked.detail
    try:
        view = services.viewpoint(who)
        view.scope(asked.switchboard)
        document = services.boards.document(asked.switchboard)
        if document is None:
            raise ApiError(
                ErrorId.NO_STATE, "the exporter has told nothing of this switchboard yet; nothing was done"
            )
        answer = act(view, document).document
        result = answer["result"]
    except ApiError as error:
        result = error.id.id
        detail = ", ".join(filter(None, (detail, error.message)))
        raise
    finally:
        services.metrics.actions.labels(asked.action, result).observe(time.monotonic() - started)
        services.audit.record(
            who,
            asked.action,
            asked.switchboard,
            agent=asked.agent,
            queue=asked.queue,
            result=result,
            detail=detail,
            caller=_number(services, asked),
        )
    return jsonify({"action": asked.action, "switchboard": asked.switchboard, **answer})


def _within(
    view: Viewpoint,
    right: Right,
    path: AgentPath,
    document: Document,
    queues: tuple[str, ...] | None,
) -> tuple[str, ...]:
    """The queues that the action may touch."""
    view.require(right, path.switchboard, document, agent=path.agent)
    for queue in queues or ():
        view.require(right, path.switchboard, document, queue=queue, agent=path.agent)
    return view.queues_within(right, path.switchboard, document, path.agent)


def _require_member(
    view: Viewpoint, path: MemberPath, document: Document, *, new_agent: bool = False
) -> None:
    view.require(
        Right.EDIT_MEMBERS,
        path.switchboard,
        document,
        queue=path.queue,
        agent=path.agent,
        new_agent=new_agent,
    )


def _require_caller(view: Viewpoint, path: CallerPath, document: Document) -> None:
    view.require(Right.MOVE_CALLERS, path.switchboard, document, queue=path.queue, caller=path.caller)


def _check_reason(services: Services, reason: str) -> None:
    reasons = services.settings.pause_reasons
    if reasons and reason not in reasons:
        raise ApiError(
            ErrorId.INVALID_REQUEST,
            f"reason: must be one of {', '.join(reasons)}",
            problems=[{"where": "reason", "message": "not one of the configured reasons"}],
        )


def _settings(body: MemberBody) -> MemberSettings:
    return MemberSettings(body.penalty, body.paused, body.reason, body.ring_in_use)


def _names(body: QueuesBody) -> str:
    return "queues " + (", ".join(each.queue for each in body.queues) or "none")


def _of_member(action: str, path: MemberPath) -> _Asked:
    return _Asked(action, path.switchboard, path.agent, path.queue)


def _of_caller(action: str, path: CallerPath, detail: str) -> _Asked:
    return _Asked(action, path.switchboard, queue=path.queue, caller=path.caller, detail=detail)


def _number(services: Services, asked: _Asked) -> str:
    """Number of the caller it is about; the audit keeps its masked form only."""
    document = services.boards.document(asked.switchboard) or {}
    waiting = document.get("queues", {}).get(asked.queue, {}).get("waiting", ()) if asked.caller else ()
    found = (caller.get("caller", "") for caller in waiting if caller.get("uniqueid") == asked.caller)
    return str(next(found, ""))
