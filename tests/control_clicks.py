"""What people click in the control API, and how its effect looks wherever people look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from asterpanel_switchboard.merge_patch import Document
from tests.control_process import Headers
from tests.exporter_process import Samples, of, with_name
from tests.pbx.ami_judge import ShownQueue
from tests.pbx.control_pbx import NAME

# --- what is clicked ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """Who clicks: as the audit calls him, and what his requests have."""

    subject: str
    name: str
    headers: Headers


@dataclass(frozen=True)
class Click:
    """A request for an action; ``action``, ``agent`` and ``queue`` are what the audit has to tell of it."""

    method: str
    path: str
    body: Mapping[str, Any]
    action: str
    agent: str = ""
    queue: str = ""


def pause(agent: str, reason: str = "", **body: Any) -> Click:
    return Click("POST", f"/agents/{agent}/pause", {"reason": reason, **body}, "pause", agent)


def unpause(agent: str, **body: Any) -> Click:
    return Click("POST", f"/agents/{agent}/unpause", body, "unpause", agent)


def set_queues(agent: str, *queues: Mapping[str, Any]) -> Click:
    return Click("PUT", f"/agents/{agent}/queues", {"queues": list(queues)}, "set_queues", agent)


def put_member(queue: str, agent: str, **body: Any) -> Click:
    return Click("PUT", f"/queues/{queue}/members/{agent}", body, "put_member", agent, queue)


def patch_member(queue: str, agent: str, **body: Any) -> Click:
    return Click("PATCH", f"/queues/{queue}/members/{agent}", body, "patch_member", agent, queue)


def delete_member(queue: str, agent: str) -> Click:
    return Click("DELETE", f"/queues/{queue}/members/{agent}", {}, "delete_member", agent, queue)


def change_priority(queue: str, caller: str, priority: int) -> Click:
    body = {"priority": priority}
    return Click("POST", f"/queues/{queue}/callers/{caller}/priority", body, "change_priority", "", queue)


def withdraw(queue: str, caller: str, info: str = "") -> Click:
    return Click("POST", f"/queues/{queue}/callers/{caller}/withdraw", {"info": info}, "withdraw", "", queue)


# --- what is to be seen -------------------------------------------------------------------------------


class Expected(Protocol):
    """An effect, and how it looks in each of the places where people look."""

    def in_asterisk(self, shown: Mapping[str, ShownQueue]) -> bool: ...
    def in_metrics(self, samples: Samples) -> bool: ...
    def in_stream(self, document: Document) -> bool: ...


@dataclass(frozen=True)
class Member:
    """An agent's membership of a queue is this."""

    queue: str
    agent: str
    penalty: int = 0
    paused: bool = False
    reason: str = ""

    def in_asterisk(self, shown: Mapping[str, ShownQueue]) -> bool:
        return any(
            f"/{self.agent}@" in member.interface
            and (member.penalty, member.paused, member.pause_reason)
            == (self.penalty, self.paused, self.reason)
            for member in shown[self.queue].members
        )

    def in_metrics(self, samples: Samples) -> bool:
        labels = {"switchboard": NAME, "queue": self.queue, "agent": self.agent}
        return (
            of(samples, "asterisk_queue_member_penalty", **labels) == self.penalty
            and of(samples, "asterisk_queue_member_paused", **labels) == self.paused
        )

    def in_stream(self, document: Document) -> bool:
        member = document["queues"][self.queue]["members"].get(self.agent)
        return member is not None and (member["penalty"], member["paused"], member["pause_reason"]) == (
            self.penalty, self.paused, self.reason,
        )  # fmt: skip


@dataclass(frozen=True)
class NoMember:
    """An agent is not in a queue."""

    queue: str
    agent: str

    def in_asterisk(self, shown: Mapping[str, ShownQueue]) -> bool:
        return not any(f"/{self.agent}@" in member.interface for member in shown[self.queue].members)

    def in_metrics(self, samples: Samples) -> bool:
        labels = {"switchboard": NAME, "queue": self.queue, "agent": self.agent}
        return of(samples, "asterisk_queue_member_penalty", **labels) is None

    def in_stream(self, document: Document) -> bool:
        return self.agent not in document["queues"][self.queue]["members"]


@dataclass(frozen=True)
class Members:
    """A queue has so many members, so many of them paused."""

    queue: str
    count: int
    paused: int = 0

    def in_asterisk(self, shown: Mapping[str, ShownQueue]) -> bool:
        members = shown[self.queue].members
        return (len(members), sum(member.paused for member in members)) == (self.count, self.paused)

    def in_metrics(self, samples: Samples) -> bool:
        by_state = {
            labels["state"]: value
            for labels, value in with_name(samples, "asterisk_queue_members")
            if labels["queue"] == self.queue
        }
        return (sum(by_state.values()), by_state["paused"]) == (self.count, self.paused)

    def in_stream(self, document: Document) -> bool:
        members = document["queues"][self.queue]["members"].values()
        return (len(members), sum(member["paused"] for member in members)) == (self.count, self.paused)


@dataclass(frozen=True)
class AgentPaused:
    """An agent is paused in all of his queues, for this reason; None: he is not."""

    agent: str
    reason: str | None

    def in_asterisk(self, shown: Mapping[str, ShownQueue]) -> bool:
        members = [
            member
            for queue in shown.values()
            for member in queue.members
            if f"/{self.agent}@" in member.interface
        ]
        if self.reason is None:
            return not any(member.paused for member in members)
        return all((member.paused, member.pause_reason) == (True, self.reason) for member in members)

    def in_metrics(self, samples: Samples) -> bool:
        reasons = [
            labels["reason"]
            for labels, value in with_name(samples, "asterisk_agent_pause_info")
            if labels["agent"] == self.agent and value == 1
        ]
        return reasons == ([] if self.reason is None else [self.reason])

    def in_stream(self, document: Document) -> bool:
        agent = document["agents"].get(self.agent)
        return agent is not None and (agent["paused"], agent["pause_reason"]) == (
            self.reason is not None, self.reason or "",
        )  # fmt: skip


@dataclass(frozen=True)
class Callers:
    """So many callers wait in a queue."""

    queue: str
    waiting: int

    def in_asterisk(self, shown: Mapping[str, ShownQueue]) -> bool:
        return len(shown[self.queue].callers) == self.waiting

    def in_metrics(self, samples: Samples) -> bool:
        labels = {"switchboard": NAME, "queue": self.queue}
        return of(samples, "asterisk_queue_callers_waiting", **labels) == self.waiting

    def in_stream(self, document: Document) -> bool:
        return len(document["queues"][self.queue]["waiting"]) == self.waiting
