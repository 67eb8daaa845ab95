"""What a reader has to know about the numbers of a report: sentences below the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from asterpanel_exporter.periods import Period, local_time, moment_text
from asterpanel_exporter.report.agents import OpenIntervals
from asterpanel_exporter.report.formatting import duration_text
from asterpanel_exporter.report.journal_reader import Gap, JournalReader, OpenItems, Scope
from asterpanel_exporter.report.queues import QueueSums
from asterpanel_switchboard.config.queue_rule import any_matches

_SHOWN: Final = 10
"""So many gaps or pauses are named one by one."""


def gaps_note(gaps: Sequence[Gap], period: Period) -> list[str]:
    """When the switchboard was not watched, and what that cost."""
    if not gaps:
        return []
    missed = sum(gap.calls_missed for gap in gaps)
    times = _listed([_span_text(gap, period) for gap in gaps])
    told = (
        f"{_counted(len(gaps), 'gap')}, {_counted(missed, 'call') if missed else 'no call'} missed: {times}"
    )
    return [f"{told}; import-queue-log adds them, if it has not yet." if missed else f"{told}."]


def _span_text(gap: Gap, period: Period) -> str:
    start, end = local_time(gap.start_us, period.zone), local_time(gap.end_us, period.zone)
    if is_one_day(period):
        return f"{start:%H:%M}–{end:%H:%M}"
    return f"{start:%Y-%m-%d %H:%M}–{end:%H:%M}" if start.date() == end.date() else (
        f"{start:%Y-%m-%d %H:%M}–{end:%Y-%m-%d %H:%M}"
    )  # fmt: skip


def is_one_day(period: Period) -> bool:
    """Whether times in the period need no date."""
    return period.start.date() == (period.end - timedelta(microseconds=1)).date()


def freshness_notes(items: OpenItems, period: Period) -> list[str]:
    """Up to when the switchboard is known, where that is within the period; and what is not counted yet."""
    if items.known_us is None or items.known_us >= period.end_us:
        return []
    notes = []
    if items.known_us < period.start_us:
        since = _moment(items.known_us, period)
        notes.append(f"Nothing is known of this period: the switchboard was last watched at {since}.")
    else:
        notes.append(f"Known up to {_moment(items.known_us, period)}.")
        if items.calls:
            verb = (
                "goes on, and counts when it has" if items.calls == 1 else "go on, and count when they have"
            )
            notes.append(f"{_counted(items.calls, 'call')} of the switchboard still {verb} ended.")
    return notes


def open_note(open_: OpenIntervals, period: Period) -> list[str]:
    """Which pauses and memberships are counted although they have not ended."""
    parts = []
    if open_.pauses:
        named = [
            f"{item.agent}{f' {item.label}' if item.label else ''} since {_moment(item.started_us, period)}"
            for item in sorted(open_.pauses, key=lambda item: item.started_us)
        ]
        parts.append(f"{_counted(len(named), 'pause')} ({_listed(named)})")
    if open_.sessions:
        parts.append(f"log-ins of {_counted(len({item.agent for item in open_.sessions}), 'agent')}")
    if not parts:
        return []
    return [f"Still going on, counted up to {_moment(open_.until_us, period)}: {', '.join(parts)}."]


def threshold_note(rows: Sequence[QueueSums], override_s: float | None) -> list[str]:
    """What T was, and which calls had none."""
    if override_s is not None:
        return [f"T = {override_s:g} s (--threshold)."]
    if not rows:
        return []
    known: dict[str, tuple[float, float]] = {}
    for row in rows:
        if row.threshold_s is not None:
            low, high = known.get(row.queue, row.threshold_s)
            known[row.queue] = min(low, row.threshold_s[0]), max(high, row.threshold_s[1])
    texts = {
        queue: f"{low:g} s" if low == high else f"{low:g} to {high:g} s"
        for queue, (low, high) in known.items()
    }
    if len(set(texts.values())) == 1:
        notes = [f"T = {next(iter(texts.values()))}."]
    else:
        notes = ["T: " + _listed([f"{queue} {text}" for queue, text in texts.items()]) + "."] if texts else []
    without = sum(row.offered - row.service.offered for row in rows)
    if without:
        verb = "is" if without == 1 else "are"
        notes.append(
            f"{_counted(without, 'call')} had no threshold and {verb} left out of the service level: "
            "queue_settings.service_level_threshold sets one, --threshold gives one for this report."
        )
    return notes


def wrapup_note(queues: Sequence[str], wrapup_s: Callable[[str], float | None]) -> list[str]:
    """What AHT holds besides talk."""
    known = {queue: value for queue in queues if (value := wrapup_s(queue)) is not None}
    unknown = [queue for queue in queues if queue not in known]
    if not queues:
        return []
    if not known:
        return ["AHT is talk alone: no wrap-up time is configured (queue_settings.wrapup_time)."]
    by_time = {
        value: [queue for queue in known if known[queue] == value] for value in sorted(set(known.values()))
    }
    told = _listed(
        [duration_text(value) if len(by_time) == 1 else f"{duration_text(value)} ({', '.join(names)})"
         for value, names in by_time.items()]
    )  # fmt: skip
    without = f"; none is configured for {_listed(unknown)}" if unknown else ""
    return [f"AHT is talk and wrap-up as configured: {told}{without}."]


def why_empty(reader: JournalReader, scope: Scope, narrowed: bool) -> str:
    """Why a report has no rows, and what to do. ``narrowed``: by more than queues and period."""
    reach = reader.reach(scope.switchboard)
    if reach is None:
        return (
            f"The journal has no call of {scope.switchboard}. `asterpanel-exporter run` writes them as they "
            "end; `import-queue-log` fills in what was before."
        )
    queues = reader.queues(scope.switchboard)
    if scope.queues and not any(any_matches(scope.queues, queue) for queue in queues):
        return f"No queue matches {', '.join(scope.queues)}. There are: {_listed(queues)}."
    first, last = (moment_text(local_time(time_us, scope.period.zone)) for time_us in reach)
    what = "Nothing matches" if narrowed else "There is nothing"
    return f"{what} in this period. The journal has calls from {first} to {last}."


def _moment(time_us: int, period: Period) -> str:
    moment: datetime = local_time(time_us, period.zone)
    return f"{moment:%H:%M:%S}" if _is_on_its_day(moment, period) else f"{moment:%Y-%m-%d %H:%M:%S}"


def _is_on_its_day(moment: datetime, period: Period) -> bool:
    return is_one_day(period) and moment.date() == period.start.date()


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
