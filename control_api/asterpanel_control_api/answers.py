"""What answers contain. The models are for the API's description, which tests hold the answers against."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from asterpanel_control_api.access.rights import Right, Role
from asterpanel_control_api.errors import ErrorId
from asterpanel_control_api.identity.refusals import Reason
from asterpanel_control_api.live_state import Levels, LiveState
from asterpanel_control_api.people import Via
from asterpanel_control_api.schemas import never_null
from asterpanel_control_api.switchboards.outcomes import Verdict
from asterpanel_control_api.switchboards.plans import Change
from asterpanel_switchboard.service_level import FORMULAS

RightId = Annotated[str, WithJsonSchema({"type": "string", "enum": [right.id for right in Right]})]
FormulaName = Annotated[str, WithJsonSchema({"type": "string", "enum": [each.name for each in FORMULAS]})]


class _Answer(BaseModel):
    """What is not known, or does not apply, is left out; only `freshness` of the list may be null."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=never_null)


# --- actions --------------------------------------------------------------------------------------------


class QueueResult(_Answer):
    queue: str
    change: Change = Field(description="What was to be done; `keep`: nothing, it is so already.")
    result: Verdict = Field(
        description="`done`: confirmed by the switchboard, and seen in the live state. `accepted`: "
        "confirmed, not yet seen. `already_so`: nothing was changed. `not_tried`: left out, because "
        "something before it was not answered. Else it failed, and this is the id of the error."
    )
    message: str = Field(description="The switchboard's own words; may be empty.")
    seen: bool = Field(description="Whether the live state shows it; also where there was no answer.")


class ActionResult(_Answer):
    """What was done. Nothing is queued for later, and nothing is repeated."""

    action: str = Field(description="Its name, which is the operation's id.")
    switchboard: str
    result: Literal["done", "accepted", "partial"] = Field(
        description="`done`: confirmed by the switchboard, and seen in the live state. `accepted`: "
        "confirmed, not yet seen. `partial`: some was done, which stays so, and some was not: each queue "
        "has its own."
    )
    queues: list[QueueResult] = Field(description="What came of it in each queue that it was about.")


class QueuesResult(_Answer):
    """What came of a whole set of queues, queue by queue. Asking for the same set again is fine."""

    action: str = Field(description="Its name, which is the operation's id.")
    switchboard: str
    result: Literal["done", "accepted", "already_so", "partial"] = Field(
        description="As of a queue; `partial`: some queues are as they were asked for, and some are not. (If "
        "none is, the answer is an error.)"
    )
    queues: list[QueueResult] = Field(description="What came of it in each queue of the old and the new set.")


class Event(_Answer):
    """One of server-sent events."""

    event: Literal["snapshot", "patch", "heartbeat", "end"]
    data: str = Field(
        description="One line of JSON. Of a `snapshot`: a `LiveState`. Of a `patch`: a JSON Merge Patch "
        "(RFC 7396) of the document before. Of a `heartbeat`: a `Freshness`. Of the `end`: `{reason}`."
    )
    id: str | None = Field(default=None, description="Of snapshots and patches, for `Last-Event-ID`.")


# --- errors ---------------------------------------------------------------------------------------------


class Problem(_Answer):
    where: str = Field(description="In the request, such as `queues.0.penalty`; empty: the whole.")
    message: str


class ErrorDetail(_Answer):
    """For programs. Of what is named, whatever the request has named."""

    switchboard: str | None = None
    queue: str | None = None
    agent: str | None = None
    caller: str | None = None
    right: RightId | None = Field(default=None, description="Of `forbidden`: which is missing.")
    field: str | None = Field(default=None, description="Of `invalid_request`: what must not be sent so.")
    problems: list[Problem] | None = Field(
        default=None, description="Of `invalid_request`: what is wrong, and where; the first ones, if many."
    )
    queues: list[QueueResult] | None = Field(
        default=None, description="Of an action that the switchboard was asked for: what came of it."
    )
    retry_after_s: int | None = Field(
        default=None, ge=1, description="Of `too_many_requests`: seconds after which one may come again."
    )


class ErrorBody(_Answer):
    id: Annotated[str, WithJsonSchema({"type": "string", "enum": [error.id for error in ErrorId]})] = Field(
        description="Stable."
    )
    message: str = Field(description="What is wrong and what to do next, for people; not stable.")
    detail: ErrorDetail


class Error(_Answer):
    error: ErrorBody


# --- whether all is set up --------------------------------------------------------------------------------


class Identity(_Answer):
    """What came of who one says one is."""

    accepted: list[Via] = Field(
        description="Grafana's forms that the tenant's configuration accepts (`identity`), strongest first."
    )
    found: list[Via] = Field(description="Grafana's forms that the request has, accepted or not.")
    believed: bool
    via: Via | None = Field(default=None, description="How it was proven, if it is believed.")
    login: str | None = Field(default=None, description="In Grafana, if it is believed; a program has none.")
    reason: Reason | None = Field(
        default=None, description="Why it is not believed; the API's log has the details."
    )
    clock_offset_s: float | None = Field(
        default=None,
        description="Seconds from when the id token says it was signed, by Grafana's clock, until `now`. "
        "Grafana hands on a token for up to ten minutes, so 0 to 600 is usual; below -30 or above 630 the "
        "two clocks are too far apart. Left out without an id token, or where the tenant accepts none.",
    )


class ExporterConnection(_Answer):
    connected: bool = Field(description="Whether the live state comes from it.")


class Connection(_Answer):
    """How whoever asks is connected with the API."""

    tenant: str = Field(description="By the secret that came with the request.")
    now: float = Field(description="The API's clock: Unix time in seconds.")
    version: str = Field(description="Of Asterpanel.")
    identity: Identity
    profiles: int = Field(ge=0, description="How many profiles one is in; 0 also for a program.")
    switchboards: int = Field(ge=0, description="How many switchboards one sees.")
    exporter: ExporterConnection


# --- what one may see -----------------------------------------------------------------------------------


class Freshness(_Answer):
    """How old what is known of a switchboard is."""

    up: bool = Field(description="Whether the exporter had the switchboard's state when it last told of it.")
    as_of: float = Field(
        description="When the switchboard last told anything: Unix time in seconds, of its clock."
    )
    now: float = Field(description="What its clock should show now: Unix time in seconds.")
    age_s: float = Field(ge=0, description="How many seconds ago the exporter last told of it.")
    stale: bool = Field(description="Whether that is too long to rely on, or the exporter is away.")


class State(_Answer):
    freshness: Freshness
    state: LiveState


class _Board(_Answer):
    name: str
    agent: str = Field(description="Id of the agent that one is there; empty: none.")
    rights: list[RightId] = Field(description="What one may do somewhere on it.")


class BoardOfMine(_Board):
    """A switchboard in sight."""


class SwitchboardInList(_Board):
    """A switchboard in sight, and how it is."""

    can_act: bool = Field(description="Whether a control user is configured for it.")
    freshness: Freshness | None = Field(description="null: the exporter has told nothing of it yet.")


class Switchboards(_Answer):
    switchboards: list[SwitchboardInList] = Field(description="Those in sight, in the order to show them in.")


class Grant(_Answer):
    """What one profile, or a bearer token, gives. What counts is what the server says to an action."""

    profile: str = Field(description="Name of the profile; empty: a bearer token.")
    display_name: str = Field(description="For people.")
    role: Role
    rights: list[RightId]
    switchboards: list[str] = Field(description="Globs: where the rights hold.")
    queues: list[str] = Field(description="Globs: on which queues.")
    agents: list[str] = Field(description="Globs: on which agents.")
    own: dict[str, str] = Field(
        description="Id of the agent that one is in this profile, by switchboard; `*`: on all others."
    )


class DashboardLevels(_Answer):
    """What is good and what is bad of whatever is no queue, as configured (`dashboards`)."""

    agent_pause_s: Levels = Field(description="Of the seconds that a pause has lasted.")
    data_age_s: Levels = Field(description="Of the seconds since a switchboard last told anything.")


class Me(_Answer):
    tenant: str = Field(description="By the secret that came with the request.")
    subject: str = Field(description="As the audit names one: `grafana:anna`, `token:wallboard`.")
    login: str = Field(description="In Grafana; empty for a program.")
    email: str = Field(description="In Grafana; empty if Grafana did not tell.")
    name: str = Field(description="For people.")
    via: Via = Field(description="How it was proven who one is.")
    roles: list[Role] = Field(description="Of all grants.")
    grants: list[Grant]
    switchboards: list[BoardOfMine]
    pause_reasons: list[str] = Field(description="One of these must be given with a pause; empty: any text.")
    levels: DashboardLevels
    service_level_formula: FormulaName = Field(
        description="By which `service_level` is computed. With A answered, B abandoned (S of them too soon "
        "to count), F neither, and T the threshold: "
        + "; ".join(f"`{formula.name}` is {formula.symbols}" for formula in FORMULAS)
        + "."
    )
