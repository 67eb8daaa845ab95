"""Acting on agents, on members of queues and on waiting callers. Every one, and every denial, is recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint

from asterpanel_control_api.access.endpoints import Action
from asterpanel_control_api.access.viewpoint import Viewpoint
from asterpanel_control_api.answers import ActionResult, QueuesResult
from asterpanel_control_api.door import person
from asterpanel_control_api.errors import ApiError, ErrorId
from asterpanel_control_api.live.boards import Document
from asterpanel_control_api.openapi import ACTIONS, SECURITY, operation_id, responses_of_action
from asterpanel_control_api.requests import (
    AgentPath,
    CallerPath,
    MemberBody,
    MemberChangeBody,
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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, as the audit tells it."""

    action: Action
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
        abp_tags=[ACTIONS],
        abp_security=SECURITY,
        operation_id_callback=operation_id,
    )
    operations = services.operations

    @api.post(
        Action.PAUSE.path,
        summary="Pause an agent",
        description="Where he is paused so already he is left alone: his pause does not begin anew. Another "
        "reason changes the reason.",
        responses=responses_of_action(ActionResult, ErrorId.ALREADY_SO),
    )
    def pause(path: AgentPath, body: PauseBody) -> Response:
        asked = _Asked(Action.PAUSE, path.switchboard, path.agent, detail=_where(body.queues, body.reason))

        def act(view: Viewpoint, document: Document) -> Outcome:
            within = _within(view, Action.PAUSE, path, document, body.queues)
            _check_reason(services, body.reason)
            return operations.pause(
                path.switchboard, path.agent, reason=body.reason, queues=body.queues, within=within
            )

        return _done(services, asked, act)

    @api.post(
        Action.UNPAUSE.path,
        summary="End an agent's pause",
        responses=responses_of_action(ActionResult, ErrorId.ALREADY_SO),
    )
    def unpause(path: AgentPath, body: UnpauseBody) -> Response:
        def act(view: Viewpoint, document: Document) -> Outcome:
            within = _within(view, Action.UNPAUSE, path, document, body.queues)
            return operations.unpause(path.switchboard, path.agent, queues=body.queues, within=within)

        asked = _Asked(Action.UNPAUSE, path.switchboard, path.agent, detail=_where(body.queues))
        return _done(services, asked, act)

    @api.put(
        Action.SET_QUEUES.path,
        summary="Set all queues of an agent at once",
        description="Makes him a member of exactly these queues, of those in which the right holds; others "
        "stay as they are. First he joins, then he leaves. With `among`, a membership that somebody else has "
        "made meanwhile, unseen, stays too. What fails in single queues is no error of the request: each "
        "queue has its own result.",
        responses=responses_of_action(QueuesResult, ErrorId.STATIC_MEMBER),
    )
    def set_queues(path: AgentPath, body: QueuesBody) -> Response:
        asked = _Asked(Action.SET_QUEUES, path.switchboard, path.agent, detail=_queues(body))

        def act(view: Viewpoint, document: Document) -> Outcome:
            board, agent = path.switchboard, path.agent
            wanted = {each.queue: _settings(each) for each in body.queues}
            right = Action.SET_QUEUES.right
            view.require(right, board, document, agent=agent, new_agent=True)
            for queue in wanted:
                view.require(right, board, document, queue=queue, agent=agent, new_agent=True)
            _check_pause(services, *body.queues)
            within = view.queues_within(right, board, document, agent)
            if body.among is not None:
                within = tuple(queue for queue in within if queue in body.among)
            return operations.set_queues(board, agent, wanted, within=within)

        return _done(services, asked, act)

    @api.put(
        Action.PUT_MEMBER.path,
        summary="Make an agent a member",
        description="If he is one already, what is given is changed. He joins as he is a member of his other "
        "queues, else as the configuration's `control.new_member` says.",
        responses=responses_of_action(ActionResult, ErrorId.ALREADY_SO),
    )
    def put_member(path: MemberPath, body: MemberBody) -> Response:
        def act(view: Viewpoint, document: Document) -> Outcome:
            _require_member(view, Action.PUT_MEMBER, path, document, new_agent=True)
            _check_pause(services, body)
            return operations.put_member(path.switchboard, path.queue, path.agent, _settings(body))

        return _done(services, _of_member(Action.PUT_MEMBER, path, _words(body)), act)

    @api.patch(
        Action.PATCH_MEMBER.path,
        summary="Change a membership",
        description="What is left out stays as it is.",
        responses=responses_of_action(ActionResult, ErrorId.ALREADY_SO),
    )
    def patch_member(path: MemberPath, body: MemberChangeBody) -> Response:
        def act(view: Viewpoint, document: Document) -> Outcome:
            _require_member(view, Action.PATCH_MEMBER, path, document)
            _check_pause(services, body)
            return operations.patch_member(path.switchboard, path.queue, path.agent, _settings(body))

        return _done(services, _of_member(Action.PATCH_MEMBER, path, _words(body)), act)

    @api.delete(
        Action.DELETE_MEMBER.path,
        summary="End a membership",
        responses=responses_of_action(ActionResult, ErrorId.ALREADY_SO, ErrorId.STATIC_MEMBER, body=False),
    )
    def delete_member(path: MemberPath) -> Response:
        def act(view: Viewpoint, document: Document) -> Outcome:
            _require_member(view, Action.DELETE_MEMBER, path, document)
            return operations.delete_member(path.switchboard, path.queue, path.agent)

        return _done(services, _of_member(Action.DELETE_MEMBER, path), act)

    @api.post(
        Action.CHANGE_PRIORITY.path,
        summary="Change a caller's priority",
        description="No switchboard announces it: the result is `accepted` until the exporter's next look at "
        "the whole state.",
        responses=responses_of_action(ActionResult),
    )
    def change_priority(path: CallerPath, body: PriorityBody) -> Response:
        asked = _of_caller(Action.CHANGE_PRIORITY, path, f"priority {body.priority}")

        def act(view: Viewpoint, document: Document) -> Outcome:
            _require_caller(view, Action.CHANGE_PRIORITY, path, document)
            return operations.change_priority(
                path.switchboard, path.queue, path.caller, body.priority, immediate=body.immediate
            )

        return _done(services, asked, act)

    @api.post(
        Action.WITHDRAW.path,
        summary="Send a caller on",
        description="He goes on in the dialplan, behind the queue; while a phone rings for him, only when "
        "that stops. Asterisk 16.25, 18.11 and later.",
        responses=responses_of_action(ActionResult, ErrorId.ALREADY_SO),
    )
    def withdraw(path: CallerPath, body: WithdrawBody) -> Response:
        def act(view: Viewpoint, document: Document) -> Outcome:
            _require_caller(view, Action.WITHDRAW, path, document)
            return operations.withdraw(path.switchboard, path.queue, path.caller, info=body.info)

        return _done(services, _of_caller(Action.WITHDRAW, path, body.info), act)

    return api


def _done(services: Services, asked: _Asked, act: Callable[[Viewpoint, Document], Outcome]) -> Response:
    """Check, act, record and answer.

    Raises:
        ApiError: it was not done; that is recorded too.
    """
    who, started = person(), time.monotonic()
    result = ErrorId.INTERNAL.id
    detail = asked.detail
    caller = _number(services, asked)  # before he has gone
    g.is_recorded = True
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
        detail = _joined(detail, _results(answer))
    except ApiError as error:
        result = error.id.id
        detail = _joined(detail, error.message)
        raise
    finally:
        services.metrics.actions.labels(asked.action.id, result).observe(time.monotonic() - started)
        services.audit.record(
            who,
            asked.action.id,
            asked.switchboard,
            agent=asked.agent,
            queue=asked.queue,
            result=result,
            detail=detail,
            caller=caller,
        )
    return jsonify({"action": asked.action.id, "switchboard": asked.switchboard, **answer})


def _within(
    view: Viewpoint,
    action: Action,
    path: AgentPath,
    document: Document,
    queues: tuple[str, ...] | None,
) -> tuple[str, ...]:
    """The queues that the action may touch."""
    view.require(action.right, path.switchboard, document, agent=path.agent)
    for queue in queues or ():
        view.require(action.right, path.switchboard, document, queue=queue, agent=path.agent)
    return view.queues_within(action.right, path.switchboard, document, path.agent)


def _require_member(
    view: Viewpoint, action: Action, path: MemberPath, document: Document, *, new_agent: bool = False
) -> None:
    view.require(
        action.right,
        path.switchboard,
        document,
        queue=path.queue,
        agent=path.agent,
        new_agent=new_agent,
    )


def _require_caller(view: Viewpoint, action: Action, path: CallerPath, document: Document) -> None:
    view.require(action.right, path.switchboard, document, queue=path.queue, caller=path.caller)


def _check_reason(services: Services, reason: str) -> None:
    reasons = services.settings.pause_reasons
    if reasons and reason not in reasons:
        raise ApiError(
            ErrorId.INVALID_REQUEST,
            f"reason: must be one of {', '.join(reasons)}",
            problems=[{"where": "reason", "message": "not one of the configured reasons"}],
        )


def _check_pause(services: Services, *members: MemberBody) -> None:
    for member in members:
        if member.paused:
            _check_reason(services, member.reason or "")


def _settings(body: MemberBody) -> MemberSettings:
    return MemberSettings(body.penalty, body.paused, body.reason, body.ring_in_use)


def _joined(*words: str) -> str:
    """Those that are not empty."""
    return ", ".join(filter(None, words))


def _where(queues: tuple[str, ...] | None, *words: str) -> str:
    """Words and, if not in all, in which queues: ``Lunch, only in sales``."""
    return _joined(*words, f"only in {', '.join(queues)}" if queues else "")


def _words(body: MemberBody) -> str:
    """What was asked for, for the audit: ``penalty 3, paused false``."""
    asked = body.model_dump(exclude_none=True, exclude={"queue"})
    return ", ".join(f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in asked.items())


def _queues(body: QueuesBody) -> str:
    """All of them: ``queues sales (penalty 3), billing``."""
    named = [f"{each.queue} ({words})" if (words := _words(each)) else each.queue for each in body.queues]
    return "queues " + (", ".join(named) or "none")


def _results(answer: Mapping[str, Any]) -> str:
    """Of each queue, where they are not all the same."""
    if answer["result"] != "partial":
        return ""
    return ", ".join(f"{each['queue']}: {each['result']}" for each in answer["queues"])


def _of_member(action: Action, path: MemberPath, detail: str = "") -> _Asked:
    return _Asked(action, path.switchboard, path.agent, path.queue, detail=detail)


def _of_caller(action: Action, path: CallerPath, detail: str) -> _Asked:
    told = _joined(detail, f"uniqueid {path.caller}")
    return _Asked(action, path.switchboard, queue=path.queue, caller=path.caller, detail=told)


def _number(services: Services, asked: _Asked) -> str:
    """Number of the caller it is about; the audit keeps its masked form only."""
    document = services.boards.document(asked.switchboard) or {}
    waiting = document.get("queues", {}).get(asked.queue, {}).get("waiting", ()) if asked.caller else ()
    found = (caller.get("caller", "") for caller in waiting if caller.get("uniqueid") == asked.caller)
    return str(next(found, ""))
