"""The live state as seen from a scope.

Every field that is shown is named here: one that the exporter adds later is left out until it has been
thought about. The documents' shape is that of the exporter's ``/state``.

What is shown:

* a queue in sight, with today's sums and service level, its levels as configured, and its waiting callers and
  calls: how many they are, and since when;
* a caller's number and name only with the right to read them, else the last two digits and no name; his
  unique id only to who reads callers or may move them;
* memberships in sight; the agent of a call only if his membership is in sight;
* an agent in sight, with his state over *all* his queues (one state cannot be split), the names of those of
  his queues that are in sight, and his sums of the day if all his present queues are, or if it is oneself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Final

from asterpanel_control_api.access.remembering import Remembered
from asterpanel_control_api.access.scope import Scope
from asterpanel_control_api.levels import queue_levels, service_level
from asterpanel_switchboard.config.targets import QueueTargets
from asterpanel_switchboard.merge_patch import Document
from asterpanel_switchboard.service_level import Formula

SWITCHBOARD_FIELDS: Final = ("switchboard", "up", "version", "as_of")
QUEUE_FIELDS: Final = ("strategy", "max_len", "sl_threshold_s", "offered")
QUEUE_TODAY_FIELDS: Final = (
    "offered", "answered", "abandoned", "short_abandons", "within_sl", "wait_s", "talk_s",
)  # fmt: skip
CALLER_FIELDS: Final = ("position", "since", "priority")
CALL_FIELDS: Final = ("since",)
MEMBER_FIELDS: Final = (
    "agent", "interface", "state", "penalty", "paused", "pause_reason", "ring_in_use", "dynamic", "since",
    "last_call", "calls_taken",
)  # fmt: skip
AGENT_FIELDS: Final = ("name", "state", "since", "paused", "pause_reason", "paused_since", "wrapup_until")
AGENT_TODAY_FIELDS: Final = ("answered", "talk_s", "no_answers")

MASK: Final = "…"
_MIN_DIGITS = 6
"""Shorter numbers are masked whole: two digits would be most of an extension."""
_NUMBER = re.compile(r"\+?[0-9]+")


def masked_number(number: str) -> str:
    """``…`` and the last two digits; ``…`` alone for what is short or no number; "" stays.

    >>> masked_number("+390512345678"), masked_number("1001"), masked_number("sip:anna"), masked_number("")
    ('…78', '…', '…', '')
    """
    if not number:
        return ""
    return MASK + number[-2:] if _NUMBER.fullmatch(number) and len(number) >= _MIN_DIGITS else MASK


class CommonViews:
    """What views from several scopes of the same documents have in common. Thread safe.

    Args:
        targets: of a queue, by switchboard and name (`Config.targets_for`).
        formula: of the service level.
    """

    def __init__(self, targets: Callable[[str, str], QueueTargets], formula: Formula) -> None:
        self.targets = targets
        self.difference = Remembered(_difference)
        self.queue = Remembered(partial(_queue_itself, formula))
        self.callers = Remembered(_callers)
        self.calls = Remembered(_calls)


class FilteredBoard:
    """The documents of one switchboard, one after the other, as seen from one scope. Not thread safe.

    Args:
        scope: of those who look.
        common: of all who look at these documents; what they have in common is then done once.
    """

    def __init__(self, scope: Scope, common: CommonViews) -> None:
        self._scope = scope
        self._common = common
        self._switchboard = ""
        self._queues = _Views(self._queue, self._common)
        self._agents = _Views(lambda agent, document: _agent(scope, agent, document), self._common)
        self._queue_views: dict[str, _QueueView] = {}

    def view(self, document: Mapping[str, Any]) -> Document:
        """What is in sight of the document; neither it nor an earlier view is changed.

        Whatever part is the same object as in the document before, as after `apply_merge_patch`, is not
        looked at again, and its view is the same object as before.
        """
        self._switchboard = document["switchboard"]
        return {
            **_picked(document, SWITCHBOARD_FIELDS),
            "queues": self._queues.of(document["queues"]),
            "agents": self._agents.of(document["agents"]),
        }

    def _queue(self, name: str, queue: Document | None) -> Document | None:
        if queue is None or not self._scope.sees_queue(name, queue["members"]):
            self._queue_views.pop(name, None)
            return None
        if name not in self._queue_views:
            levels = queue_levels(self._common.targets(self._switchboard, name))
            self._queue_views[name] = _QueueView(self._scope, name, levels, self._common)
        return self._queue_views[name].of(queue)


def filtered(scope: Scope, document: Mapping[str, Any], common: CommonViews) -> Document:
    """What is in sight of one document."""
    return FilteredBoard(scope, common).view(document)


class _Views:
    """Views of a mapping's values, made anew only where the value is another object than last time.

    Args:
        view: of a key and its value; None where nothing is in sight. Told of a key that has gone with None.
        common: see `FilteredBoard`.
    """

    def __init__(self, view: Callable[[str, Document | None], Document | None], common: CommonViews) -> None:
        self._view = view
        self._common = common
        self._of = _NOTHING
        self._views: dict[str, Document] = {}

    def of(self, documents: Mapping[str, Document]) -> dict[str, Document]:
        """The views by key, without what is not in sight; the same object if no view is another."""
        before, self._of = self._of, documents
        if documents is before:
            return self._views
        views = dict(self._views)
        changed = False
        for key in self._common.difference(before, documents):
            view = self._view(key, documents.get(key))
            if view is not None:
                views[key] = view
                changed = True
            elif views.pop(key, None) is not None:
                changed = True
        if changed:
            self._views = views
        return self._views


_NOTHING: Final[Mapping[str, Document]] = {}


def _difference(before: Mapping[str, Document], after: Mapping[str, Document]) -> tuple[str, ...]:
    """The keys whose values are not the same object, and those that have gone."""
    changed = [key for key, document in after.items() if before.get(key) is not document]
    return (*changed, *(before.keys() - after.keys()))


class _QueueView:
    """Views of one queue, which is in sight."""

    def __init__(self, scope: Scope, name: str, levels: Document, common: CommonViews) -> None:
        self._scope = scope
        self._name = name
        self._levels = levels
        self._common = common
        self._members = _Views(lambda key, member: _member(scope, name, key, member), common)
        self._in_progress: tuple[tuple[_Call, ...], list[Document]] = ((), [])
        self._sees: dict[str, bool] = {}

    def of(self, queue: Document) -> Document:
        members = queue["members"]
        reads = self._scope.reads_callers(self._name, members)
        tells_apart = reads or self._scope.tells_callers_apart(self._name, members)
        return {
            **self._common.queue(queue),
            "waiting": self._common.callers(queue["waiting"], reads, tells_apart),
            "in_progress": self._calls(self._common.calls(queue["in_progress"], reads)),
            "members": self._members.of(members),
            "levels": self._levels,
        }

    def _calls(self, calls: tuple[_Call, ...]) -> list[Document]:
        """The very list of before, if these are the very calls of before."""
        if calls is not self._in_progress[0]:
            views = [named if self._sees_agent(agent) else unnamed for agent, named, unnamed in calls]
            self._in_progress = (calls, views)
        return self._in_progress[1]

    def _sees_agent(self, agent: str) -> bool:
        sees = self._sees.get(agent)
        if sees is None:
            sees = self._sees[agent] = self._scope.sees_member(self._name, agent)
        return sees


_Call = tuple[str, Document, Document]
"""A call in progress: its agent, and its view with and without him."""


def _queue_itself(formula: Formula, queue: Document) -> Document:
    today = _picked(queue["today"], QUEUE_TODAY_FIELDS)
    level = service_level(queue["today"], formula)
    if level is not None:
        today["service_level"] = level
    return {**_picked(queue, QUEUE_FIELDS), "today": today}


def _callers(callers: list[Document], reads: bool, tells_apart: bool) -> list[Document]:
    return [_caller(caller, reads, tells_apart) for caller in callers]


def _calls(calls: list[Document], reads: bool) -> tuple[_Call, ...]:
    fields = (*CALL_FIELDS, "uniqueid") if reads else CALL_FIELDS
    views = [(call["agent"], _picked(call, fields)) for call in calls]
    return tuple((agent, {**view, "agent": agent}, view) for agent, view in views)


def _caller(caller: Document, reads: bool, tells_apart: bool) -> Document:
    view = _picked(caller, CALLER_FIELDS)
    view["caller"] = caller["caller"] if reads else masked_number(caller["caller"])
    if reads:
        view["caller_name"] = caller["caller_name"]
    if tells_apart:
        view["uniqueid"] = caller["uniqueid"]
    return view


def _member(scope: Scope, queue: str, key: str, member: Document | None) -> Document | None:
    # A second interface of an agent stands under the interface, and names the agent.
    if member is None or not scope.sees_member(queue, member.get("agent", key)):
        return None
    return _picked(member, MEMBER_FIELDS)


def _agent(scope: Scope, agent: str, document: Document | None) -> Document | None:
    if document is None:
        return None
    queues: list[str] = document["queues"]
    if not scope.sees_agent(agent, queues):
        return None
    view = _picked(document, AGENT_FIELDS)
    view["queues"] = [queue for queue in queues if scope.sees_member(queue, agent)]
    if len(view["queues"]) == len(queues) or scope.is_own(agent):
        view["today"] = _picked(document["today"], AGENT_TODAY_FIELDS)
    return view


def _picked(document: Mapping[str, Any], fields: Collection[str]) -> Document:
    return {field: document[field] for field in fields if field in document}
