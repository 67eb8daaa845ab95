"""What answers contain."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class ErrorBody(BaseModel):
    id: str = Field(description="Stable.")
    message: str = Field(description="What is wrong and what to do next, for people.")
    detail: dict[str, Any] = Field(description="For programs.")


class Error(BaseModel):
    error: ErrorBody


class QueueResult(BaseModel):
    queue: str
    change: str = Field(description="What was to be done.")
    result: str = Field(description="done, accepted (confirmed, not yet seen), already_so, or an error's id.")
    message: str = Field(description="The switchboard's own words; may be empty.")
    seen: bool = Field(description="Whether the live state shows it.")


class ActionResult(BaseModel):
    action: str
    switchboard: str
    result: str = Field(description="done, accepted, already_so, or partial: then each queue has its own.")
    queues: list[QueueResult]


class Freshness(BaseModel):
    up: bool = Field(description="Whether the exporter has the switchboard's state.")
    as_of: float = Field(description="When the switchboard last told anything, by its own clock.")
    now: float = Field(description="What its clock shows now.")
    age_s: float = Field(description="How long ago the exporter last told of it.")
    stale: bool = Field(description="Whether that is too long to rely on.")


class SwitchboardInList(BaseModel):
    name: str
    agent: str = Field(description="The agent that you are there; empty if none.")
    rights: list[str] = Field(description="What you may do somewhere on it.")
    can_act: bool = Field(description="Whether a control user is configured for it.")
    freshness: Freshness | None


class Switchboards(BaseModel):
    switchboards: list[SwitchboardInList]


class Me(BaseModel):
    tenant: str
    subject: str
    login: str
    email: str
    name: str
    via: str
    roles: list[str]
    grants: list[dict[str, Any]]
    switchboards: list[dict[str, Any]]
    pause_reasons: list[str]


class State(BaseModel):
    freshness: Freshness
    state: dict[str, Any] = Field(description="The live state, as you may see it.")
