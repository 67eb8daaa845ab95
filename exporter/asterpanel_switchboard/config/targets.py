"""What is good and what is bad: the sections `targets` and `dashboards`, for colours, alerts and reports."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Annotated, Generic, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from asterpanel_switchboard.config.queue_rule import QueueRule
from asterpanel_switchboard.config.section import Section
from asterpanel_switchboard.config.values import HttpUrl, Seconds, Share, TimeZone
from asterpanel_switchboard.service_level import DEFAULT_FORMULA, Formula, formula_of

N = TypeVar("N", bound=float)


@dataclass(frozen=True, slots=True)
class Levels:
    """From where on a figure is a warning, and from where on it is critical. For one that is better higher,
    ``critical`` is the smaller."""

    warning: float
    critical: float

    @property
    def higher_is_better(self) -> bool:
        """Whether small figures are the bad ones."""
        return self.critical < self.warning


class RisingLevels(Section, Generic[N]):
    """Two numbers of which more is worse."""

    warning: N = Field(description="From here on, a warning.")
    critical: N = Field(description="From here on, critical; more than `warning`.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warning <= 0:
            raise ValueError("warning must be more than 0, or it would always be one")
        if self.critical <= self.warning:
            raise ValueError("critical must be more than warning")
        return self


DurationLevels = RisingLevels[Seconds]
ShareLevels = RisingLevels[Share]
CountLevels = RisingLevels[Annotated[float, Field(ge=0)]]


class TargetLevels(Section):
    """A share that is better higher."""

    target: Share = Field(description="What is aimed at; below it, a warning.")
    critical: Share = Field(description="Below this, critical; less than `target`.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.critical >= self.target:
            raise ValueError("critical must be less than target")
        return self


AnyLevels = DurationLevels | ShareLevels | CountLevels | TargetLevels


def levels_of(section: AnyLevels) -> Levels:
    """The same as plain numbers."""
    if isinstance(section, TargetLevels):
        return Levels(section.target, section.critical)
    return Levels(section.warning, section.critical)


@dataclass(frozen=True, slots=True)
class QueueTargets:
    """What is good and bad of one queue. Times are seconds, shares 0.0 to 1.0.

    Attributes:
        service_level: its target (``warning``).
        waiting: callers who wait.
        longest_wait: of a caller who waits.
        abandon_rate: of all calls offered.
        ring_no_answer_rate: share of the rings that nobody answers.
    """

    service_level: Levels = Levels(0.8, 0.7)
    waiting: Levels = Levels(3, 6)
    longest_wait: Levels = Levels(60, 180)
    abandon_rate: Levels = Levels(0.05, 0.1)
    ring_no_answer_rate: Levels = Levels(0.1, 0.2)


_DEFAULTS = QueueTargets()


class TargetsRule(QueueRule):
    """Targets for the queues that match."""

    service_level: TargetLevels | None = Field(
        default=None, description="Share of the calls within the service level. Default: 80%, critical 70%."
    )
    waiting: CountLevels | None = Field(
        default=None, description="Callers who wait in the queue. Default: 3, critical 6."
    )
    longest_wait: DurationLevels | None = Field(
        default=None, description="Wait of a caller who waits now. Default: 1m, critical 3m."
    )
    abandon_rate: ShareLevels | None = Field(
        default=None, description="Abandoned calls, of all offered. Default: 5%, critical 10%."
    )
    ring_no_answer_rate: ShareLevels | None = Field(
        default=None, description="Ringings that nobody answers, of all. Default: 10%, critical 20%."
    )

    def applied_to(self, targets: QueueTargets) -> QueueTargets:
        """The targets with what this entry mentions; an explicit null brings the default back."""
        mentioned = {field.name for field in fields(QueueTargets)} & self.model_fields_set
        values = {name: getattr(self, name) for name in mentioned}
        return replace(
            targets,
            **{
                name: getattr(_DEFAULTS, name) if value is None else levels_of(value)
                for name, value in values.items()
            },
        )


def merged_targets(rules: Iterable[TargetsRule], switchboard: str, queue: str) -> QueueTargets:
    """Those of one queue: every matching entry, in order."""
    targets = _DEFAULTS
    for rule in rules:
        if rule.matches(switchboard, queue):
            targets = rule.applied_to(targets)
    return targets


def _formula_name(value: object) -> object:
    return formula_of(str(value)).name if isinstance(value, str | int) else value


class DashboardsConfig(Section):
    """Grafana's dashboards and alerts: what is the same for all queues."""

    service_level_formula: Annotated[str, BeforeValidator(_formula_name)] = Field(
        default=DEFAULT_FORMULA.name,
        description="Formula of the service level, by number or name; `asterpanel-exporter report queues "
        "--help` lists them. Default: 4, no-short-abandons.",
    )
    time_zone: TimeZone | None = Field(
        default=None,
        description="IANA time zone of the dashboards' days. Default: that of the switchboards, where all "
        "have the same one, and else UTC.",
    )
    grafana_url: HttpUrl | None = Field(
        default=None, description="Grafana's root URL, for the links in alerts. Default: no links."
    )
    runbook_url: HttpUrl = Field(
        default="https://asterpanel.readthedocs.io/alerts",
        description="Page that explains the alerts, for the links in them.",
    )
    app_plugin: bool = Field(
        default=True,
        description="Whether Grafana has Asterpanel's app plugin: the Live dashboard then has its panel with "
        "the buttons. Default: true.",
    )
    occupancy: ShareLevels = Field(
        default=ShareLevels(warning=0.85, critical=0.95),
        description="Share of an agent's time on duty in which he is busy. Default: 85%, critical 95%.",
    )
    agent_pause: DurationLevels = Field(
        default=DurationLevels(warning=900, critical=1800),
        description="Length of an agent's pause. Default: 15m, critical 30m.",
    )
    data_age: DurationLevels = Field(
        default=DurationLevels(warning=15, critical=60),
        description="Time since a switchboard last told anything. Default: 15s, critical 1m.",
    )

    @property
    def formula(self) -> Formula:
        """The formula of that name."""
        return formula_of(self.service_level_formula)

    def time_zone_for(self, switchboards: Iterable[ZoneInfo]) -> ZoneInfo:
        """The zone of the days, given those of the switchboards."""
        zones = set(switchboards)
        return self.time_zone or (zones.pop() if len(zones) == 1 else ZoneInfo("UTC"))
