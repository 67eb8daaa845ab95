"""Alerts about Asterpanel itself: exporter, journal, delivery to InfluxDB, control API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asterpanel_dashboards.queries.promql import once
from asterpanel_dashboards.rules import texts
from asterpanel_dashboards.rules.model import Alert, Component, Severity
from asterpanel_dashboards.rules.words import duration
from asterpanel_exporter import catalogue
from asterpanel_exporter.catalogue import Metric

EXPORTER_JOB: Final = "asterpanel"
CONTROL_API_JOB: Final = "asterpanel-control-api"
"""Jobs of ``provisioning/prometheus/prometheus.yml``."""

DRIFTING_RESYNCS: Final = 3
"""What is changed by hand or by a reload shows in one resync; what goes wrong again and again, in most of the
twelve of an hour."""

JOURNAL_WAITING: Final = 1000
"""Commits are 0.2 s apart at the least: so many are waiting only when the disk is slow."""

PENDING_AGE_S: Final = {Severity.WARNING: 300, Severity.CRITICAL: 3600}
"""A delivery takes seconds; reports of the last half hour are wrong after minutes."""

ROLLUP_AGE_S: Final = {Severity.WARNING: 900, Severity.CRITICAL: 3600}
"""It is made anew each minute; after an hour, reports have lost two half hours."""

ROLLUP_ERRORS: Final = 3
"""An attempt a minute: of one or two that fail, nobody sees anything."""


def alerts() -> Iterator[Alert]:
    """All of them."""
    yield from (_EXPORTER_DOWN, _NO_RESERVE, _CONTROL_API_DOWN, _DRIFT, _STATE_ERRORS)
    yield from (_JOURNAL_FAILING, _JOURNAL_BEHIND, _JOURNAL_LOST)
    yield from map(_rollup_behind, Severity)
    yield _ROLLUP_FAILING
    yield from map(_influx_behind, Severity)
    yield from (_INFLUX_REFUSES, _INFLUX_DROPPED)


def _own(name: str, severity: Severity, expression: str, pending: str, summary: str, advice: str) -> Alert:
    """One that no switchboard is to blame for."""
    return Alert(
        name=f"Asterpanel{name}",
        severity=severity,
        component=Component.ASTERPANEL,
        expression=expression,
        pending=pending,
        summary=summary,
        description=f"{summary}. {advice}",
        dashboard=texts.HEALTH,
    )


def _increased(metric: Metric, window: str) -> str:
    return f"increase({metric.name}[{window}]) > 0"


_EXPORTER_DOWN: Final = _own(
    "ExporterDown",
    Severity.CRITICAL,
    f'absent(up{{job="{EXPORTER_JOB}"}} == 1)',
    "1m",
    "Prometheus reaches no exporter",
    "Nothing is known of any switchboard, and no alert about queues and agents can come. Look whether the "
    "exporter runs and whether its address in prometheus.yml is right.",
)
_NO_RESERVE: Final = _own(
    "ExporterNotReached",
    Severity.WARNING,
    f'up{{job="{EXPORTER_JOB}"}} == 0',
    "5m",
    "Prometheus does not reach the exporter {{ $labels.instance }}",
    "If it is one of a pair, the other one goes on and there is no reserve. Look whether it runs and whether "
    "its address in prometheus.yml is right.",
)
_CONTROL_API_DOWN: Final = _own(
    "ControlApiDown",
    Severity.CRITICAL,
    f'up{{job="{CONTROL_API_JOB}"}} == 0',
    "1m",
    "Prometheus does not reach the control API {{ $labels.instance }}",
    "Buttons for pauses, queues and callers do not work in Grafana; calls and reports go on.",
)
_DRIFT: Final = Alert(
    name="AsterpanelStateDrift",
    severity=Severity.WARNING,
    component=Component.ASTERPANEL,
    expression=f"{once(f'changes({catalogue.DRIFT.name}[1h])', 'switchboard', 'kind')} >= {DRIFTING_RESYNCS}",
    pending="0s",
    summary=f"{texts.COUNT} resyncs of {texts.SWITCHBOARD} in an hour found what no event had told",
    description=f"{texts.COUNT} times in the last hour a resync of {texts.SWITCHBOARD} found something else "
    "than what was shown ({{ $labels.kind }}), and put it right. Often the event filter or a read class of "
    "the AMI user is not what `asterpanel-exporter manager-conf` prints.",
    dashboard=texts.HEALTH_OF,
)
_STATE_ERRORS: Final = Alert(
    name="AsterpanelStateErrors",
    severity=Severity.WARNING,
    component=Component.ASTERPANEL,
    expression=f"{once(f'increase({catalogue.STATE_ERRORS.name}[1h])', 'switchboard')} > 0",
    pending="0s",
    summary=f"The exporter failed on {texts.COUNT} events of {texts.SWITCHBOARD} in an hour",
    description=f"{texts.COUNT} events of {texts.SWITCHBOARD} could not be applied in the last hour: an "
    "error of the exporter, healed by a resync. Its log has it; please report it, with a recording.",
    dashboard=texts.HEALTH_OF,
)
_JOURNAL_FAILING: Final = _own(
    "JournalFailing",
    Severity.CRITICAL,
    _increased(catalogue.JOURNAL_ERRORS, "5m"),
    "1m",
    f"{texts.EXPORTER}: the journal cannot be written",
    "What ends now is kept in memory, and lost with the process. Its log says what is wrong: a full disk, "
    "rights, or a damaged file.",
)
_JOURNAL_BEHIND: Final = _own(
    "JournalBehind",
    Severity.WARNING,
    f"min_over_time({catalogue.JOURNAL_WAITING.name}[5m]) > {JOURNAL_WAITING}",
    "0s",
    f"{texts.EXPORTER}: {texts.COUNT} points wait for the disk",
    f"For five minutes never less than {JOURNAL_WAITING}: the disk under the journal is too slow.",
)
_JOURNAL_LOST: Final = _own(
    "JournalPointsLost",
    Severity.CRITICAL,
    _increased(catalogue.JOURNAL_LOST, "1h"),
    "0s",
    f"{texts.EXPORTER}: {texts.COUNT} points lost in an hour",
    "The journal could not be written and memory held no more. `asterpanel-exporter import-queue-log` brings "
    "the calls back from Asterisk's own log.",
)


def _rollup_behind(severity: Severity) -> Alert:
    limit_s = ROLLUP_AGE_S[severity]
    return _own(
        "RollupBehind",
        severity,
        f"time() - {catalogue.ROLLUP_LAST_SUCCESS.name} >= {limit_s}",
        "1m",
        f"{texts.EXPORTER}: the half hours of the reports are as of {texts.DURATION} ago",
        f"They are made each minute; the limit is {duration(limit_s)}. After an import or an upgrade many "
        "are to be made, which takes a while. Else the exporter's log says what fails.",
    )


_ROLLUP_FAILING: Final = _own(
    "RollupFailing",
    Severity.WARNING,
    f"increase({catalogue.ROLLUP_ERRORS.name}[15m]) >= {ROLLUP_ERRORS}",
    "0s",
    f"{texts.EXPORTER}: making the half hours of the reports failed {texts.COUNT} times in 15 minutes",
    f"It is tried each minute; the limit is {ROLLUP_ERRORS}. Reports stay as they are meanwhile. The log "
    "says what fails.",
)


def _influx_behind(severity: Severity) -> Alert:
    limit_s = PENDING_AGE_S[severity]
    return _own(
        "InfluxBehind",
        severity,
        f"{catalogue.INFLUX_OLDEST.name} >= {limit_s}",
        "1m",
        f"Reports of tenant {{{{ $labels.tenant }}}} end {texts.DURATION} ago",
        f"InfluxDB has not taken points for that long; the limit is {duration(limit_s)}. Nothing is "
        "lost: the journal has it until InfluxDB takes it. The exporter's log says why it does not.",
    )


_INFLUX_REFUSES: Final = _own(
    "InfluxRefuses",
    Severity.WARNING,
    _increased(catalogue.INFLUX_REFUSED, "1h"),
    "0s",
    f"InfluxDB refused {texts.COUNT} points of tenant {{{{ $labels.tenant }}}} in an hour",
    "They are missing in the reports. `asterpanel-exporter journal dead-letters` tells which and why.",
)
_INFLUX_DROPPED: Final = _own(
    "InfluxPointsDropped",
    Severity.CRITICAL,
    _increased(catalogue.INFLUX_DROPPED, "1h"),
    "0s",
    f"{texts.COUNT} points of tenant {{{{ $labels.tenant }}}} will never reach InfluxDB",
    "The journal grew beyond `journal.max_size` while InfluxDB took nothing. Make it larger, and bring "
    "InfluxDB back.",
)
