"""The endpoints of the API, and the right that each one wants. Routes have both from here."""

from __future__ import annotations

from enum import Enum
from typing import Final

from asterpanel_control_api.access.rights import Right

_BOARD: Final = "/v1/switchboards/<switchboard>"
_AGENT: Final = f"{_BOARD}/agents/<agent>"
_MEMBER: Final = f"{_BOARD}/queues/<queue>/members/<agent>"
_CALLER: Final = f"{_BOARD}/queues/<queue>/callers/<caller>"


class Endpoint(Enum):
    """One thing that can be asked for.

    Attributes:
        id: stable; the name of the function that answers, and of the operation in the OpenAPI document.
        method: of HTTP.
        path: as a rule of Flask.
        right: that it wants on what the path names; None: the path names nothing.
    """

    def __init__(self, id_: str, method: str, path: str, right: Right | None = None) -> None:
        self.id = id_
        self.method = method
        self.path = path
        self.right = right

    @property
    def names_switchboard(self) -> bool:
        """Whether it is about a switchboard, or about something on it."""
        return "<switchboard>" in self.path

    @property
    def names_queue(self) -> bool:
        """Whether it is about a queue, one of its members, or one of its callers."""
        return "<queue>" in self.path

    @property
    def names_agent(self) -> bool:
        """Whether it is about an agent."""
        return "<agent>" in self.path


class Public(Endpoint):
    """For those who keep the API running. They answer everybody, and name no switchboard."""

    HEALTH = ("health", "GET", "/healthz")
    READY = ("ready", "GET", "/readyz")
    METRICS = ("metrics", "GET", "/metrics")
    OPENAPI = ("openapi", "GET", "/v1/openapi.json")


class Setup(Endpoint):
    """For those who connect Grafana with the API: a right secret is enough, whatever the identity.

    What is told is of the connection alone.
    """

    CONNECTION = ("connection", "GET", "/v1/connection")


class Read(Endpoint):
    """For those whose identity is believed; what is told is filtered for them."""

    ME = ("me", "GET", "/v1/me")
    SWITCHBOARDS = ("switchboards", "GET", "/v1/switchboards")
    STATE = ("state", "GET", f"{_BOARD}/state", Right.SEE)
    STREAM = ("stream", "GET", f"{_BOARD}/stream", Right.SEE)


class Action(Endpoint):
    """Changes something on a switchboard. The audit names it by its id."""

    right: Right

    PAUSE = ("pause", "POST", f"{_AGENT}/pause", Right.PAUSE)
    UNPAUSE = ("unpause", "POST", f"{_AGENT}/unpause", Right.PAUSE)
    SET_QUEUES = ("set_queues", "PUT", f"{_AGENT}/queues", Right.EDIT_MEMBERS)
    PUT_MEMBER = ("put_member", "PUT", _MEMBER, Right.EDIT_MEMBERS)
    PATCH_MEMBER = ("patch_member", "PATCH", _MEMBER, Right.EDIT_MEMBERS)
    DELETE_MEMBER = ("delete_member", "DELETE", _MEMBER, Right.EDIT_MEMBERS)
    CHANGE_PRIORITY = ("change_priority", "POST", f"{_CALLER}/priority", Right.MOVE_CALLERS)
    WITHDRAW = ("withdraw", "POST", f"{_CALLER}/withdraw", Right.MOVE_CALLERS)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (*Public, *Setup, *Read, *Action)
"""All there are."""
