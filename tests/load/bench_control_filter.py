"""What filtering the live state costs the control API: 200 streams, each with a scope of its own, at 20
changes a second on one switchboard with 20 queues and 200 agents, 400 memberships; baseline is filtering each
whole document anew.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from asterpanel_control_api.access.filtering import FilteredBoard
from asterpanel_control_api.access.profiles import Profiles
from asterpanel_control_api.access.scope import Scope
from asterpanel_control_api.access.viewpoint import Viewpoint
from asterpanel_switchboard.merge_patch import apply_merge_patch, merge_patch
from tests.unit.control_documents import common_views, filtered, live_state
from tests.unit.control_people import grafana_user

Document = dict[str, Any]

STREAMS = 200
CHANGES_PER_S = 20
SECONDS = 10
QUEUES = 20
AGENTS = 200
CALLERS = 5


_COMMON = common_views()


def run() -> str:
    """Time of one processor core that a second of streams takes."""
    lines = [f"{STREAMS} streams, {CHANGES_PER_S} changes a second, {QUEUES} queues, {AGENTS} agents"]
    for name, scopes in (("agents", _agents()), ("supervisors", _supervisors())):
        incremental = _share(scopes, _incremental, SECONDS)
        whole = _share(scopes, _whole, 1)
        lines.append(
            f"{name}, each with a scope of his own: {incremental:.1%} of a core; "
            f"whole documents {whole:.1%}; ratio {whole / incremental:.1f}"
        )
    return "\n".join(lines)


def _whole(scope: Scope, document: Document) -> Callable[[Document], Document]:
    shown = filtered(scope, document)

    def patch(document: Document) -> Document:
        nonlocal shown
        before, shown = shown, filtered(scope, document)
        return merge_patch(before, shown)

    return patch


def _incremental(scope: Scope, document: Document) -> Callable[[Document], Document]:
    board = FilteredBoard(scope, _COMMON)
    shown = board.view(document)

    def patch(document: Document) -> Document:
        nonlocal shown
        before, shown = shown, board.view(document)
        return merge_patch(before, shown)

    return patch


def _share(
    scopes: list[Scope], make: Callable[[Scope, Document], Callable[[Document], Document]], seconds: int
) -> float:
    """Processor time over time, patches encoded."""
    document = _document()
    streams = [make(scope, document) for scope in scopes]
    documents = []
    for patch in itertools.islice(_changes(), seconds * CHANGES_PER_S):
        document = apply_merge_patch(document, patch)
        documents.append(document)
    begun = time.process_time()
    for document in documents:
        for stream in streams:
            json.dumps(stream(document)).encode()
    return (time.process_time() - begun) / seconds


def _document() -> Document:
    """Each agent in two queues."""
    members: dict[str, list[str]] = {f"queue-{number:02d}": [] for number in range(QUEUES)}
    for number in range(AGENTS):
        for queue in (number % QUEUES, (number + 7) % QUEUES):
            members[f"queue-{queue:02d}"].append(str(1000 + number))
    waiting = {
        queue: [f"+39055{index:02d}0000{n}" for n in range(CALLERS)] for index, queue in enumerate(members)
    }
    return live_state(members, waiting)


def _changes() -> Iterator[Document]:
    """An agent's state in his two queues, and with every second one a caller who leaves or joins."""
    states = itertools.cycle(("ringing", "on_call", "wrapup"))
    for number in itertools.count():
        agent, state = str(1000 + number * 37 % AGENTS), next(states)
        queues = [f"queue-{(int(agent) - 1000 + offset) % QUEUES:02d}" for offset in (0, 7)]
        patch: Document = {
            "as_of": 1795390556.2 + number / CHANGES_PER_S,
            "queues": {queue: {"members": {agent: {"state": state}}} for queue in queues},
            "agents": {agent: {"state": state, "since": 1795390556.2 + number}},
        }
        if number % 2:
            patch["queues"][queues[0]]["waiting"] = [
                {
                    "uniqueid": f"1795390000.{caller}",
                    "caller": f"+3905500000{caller}",
                    "caller_name": "Somebody",
                    "position": caller + 1,
                    "since": 1795390500.0,
                }
                for caller in range(number % 7)
            ]
        yield patch


def _agents() -> list[Scope]:
    return [_scope({"role": "agent", "agent": str(1000 + number)}) for number in range(STREAMS)]


def _supervisors() -> list[Scope]:
    """Each with half the queues, and all agents but one."""
    return [
        _scope(
            {"role": "supervisor"},
            queues=[f"queue-*{digit}" for digit in range(number % 2, 10, 2)],
            agents=[f"[!{number % 7}]*", f"?{number:03d}"],
        )
        for number in range(STREAMS)
    ]


def _scope(member: Document, **globs: list[str]) -> Scope:
    profile = {**globs, "members": [{"login": "x", **member}]}
    profiles = Profiles.model_validate({"tenants": {"default": {"profiles": {"a": profile}}}})
    return Viewpoint(grafana_user("x"), profiles, ["milano"]).scope("milano")


if __name__ == "__main__":
    print(run())
