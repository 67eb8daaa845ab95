"""Every query of every panel and variable, on real servers, in the text that Grafana would send.

The servers have a generated month (`tests.dashboards.month`) and recordings, through the exporter's own
journal, roll-up, sink and exposition. What panels show is compared with the truth of these, computed by other
means.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import pytest

from asterpanel_exporter.history.records import AttemptResult, Outcome, QueueCall
from tests.dashboards.call_centre import BACK_OFFICE, MILANO, MUMBAI, ONEIL, SWITCHBOARDS
from tests.dashboards.history_checks import CHECKS, Cells
from tests.dashboards.live_truth import Moment, service_level
from tests.dashboards.loaded import LIVE, NOW, RECORDED_DAYS, WATCHED_SINCE, WEEK, Loaded, loaded
from tests.dashboards.panels import (
    DASHBOARDS,
    Answer,
    Rows,
    Span,
    Target,
    Viewer,
    is_empty,
    targets,
)
from tests.dashboards.recorded import RECORDED, known_calls
from tests.dashboards.truth import Choice, QueueWork, Truth
from tests.debian import ProgramUnavailable

CHOICES: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "all": {},
    "one": {"switchboard": ["milano"], "queue": [BACK_OFFICE], "agent": ["1004"]},
    "several": {
        "switchboard": ["milano", "mumbai"], "queue": ["sales", ONEIL], "agent": ["1001", "2003"]
    },
    "none": {"switchboard": [""], "queue": [""], "agent": [""]},
}  # fmt: skip
SOME: Final = ("all", "one", "several")

MAY_BE_EMPTY: Final[Mapping[str, str]] = {
    "live: Agents C": "nobody of the chosen queues is on pause",
    "live: Service level, 30 min A": "no call counted in that half hour",
    "agents: On pause now A": "nobody of the chosen agents is on pause",
    "calls: By wait": "no call waited so long",
    "calls: Story of the call": "no phone call is chosen: a test of its own chooses one",
    "queues: Causes by queue": "a queue without a loss",
}
"""Queries that no check tells whether there is anything, by the beginning of their names, and why."""

ROUNDED: Final = 1e-5
"""Sums of what is rounded to a millionth."""

LOST_STEP: Final = 0.0005
"""Lost calls are told in thousandths."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    try:
        with loaded(tmp_path_factory.mktemp("dashboards")) as found:
            yield found
    except ProgramUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def truth(servers: Loaded) -> Truth:
    return Truth(servers.month)


def span_of(target: Target) -> Span:
    return WEEK if target.kind == "influxdb" else LIVE


class Looking:
    """Somebody who looks at all dashboards with one choice."""

    def __init__(self, servers: Loaded, choice: Mapping[str, Sequence[str]]) -> None:
        self._servers = servers
        self._choice = choice
        self._viewers: dict[tuple[str, Span], Viewer] = {}

    def at(self, uid: str, span: Span) -> Viewer:
        """A dashboard, its variables queried."""
        if (uid, span) not in self._viewers:
            self._viewers[uid, span] = Viewer(self._servers, uid, self._choice, span)
        return self._viewers[uid, span]

    def ask(self, target: Target) -> Answer:
        return self.at(target.uid, span_of(target)).ask(target)

    def text(self, target: Target) -> str:
        return self.at(target.uid, span_of(target)).text(target)


@pytest.fixture(scope="module", params=CHOICES)
def chosen(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def of(uid: str, title: str = "", ref_id: str = "") -> list[Target]:
    """The queries of a dashboard, of a panel, or one."""
    found = [
        target
        for target in targets()
        if target.uid == f"asterpanel-{uid}"
        and (not title or target.title == title)
        and (not ref_id or target.ref_id == ref_id)
    ]
    assert found, f"there is no such panel: {uid}: {title} {ref_id}"
    return found


def choice_of(name: str, span: Span) -> Choice:
    """For the truth."""
    values = {variable: frozenset(value) for variable, value in CHOICES[name].items()}
    return Choice(
        span.since_ms / 1000, (span.until_ms + 1) // 1000,
        values.get("switchboard"), values.get("queue"), values.get("agent"),
    )  # fmt: skip


# --- all of them ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_every_query_answers(servers: Loaded, chosen: str, uid: str) -> None:
    """No error; and something where there is something, but nothing where nothing is chosen."""
    looking = Looking(servers, CHOICES[chosen])
    wrong = []
    for target in targets():
        if target.uid == uid:
            try:
                answer = looking.ask(target)
            except AssertionError as error:
                wrong.append(f"{target.name}: {error}")
                continue
            problem = _unexpected(target, answer, chosen)
            if problem:
                wrong.append(f"{target.name}: {problem}: {looking.text(target)}")
    assert not wrong, "\n".join(wrong)


def _unexpected(target: Target, answer: Answer, chosen: str) -> str:
    if chosen == "none":
        query = str(target.json.get("query") or target.json["expr"])
        depends = re.search(r"\$\{?(switchboard|queue|agent)\b", query)
        return "shows something" if depends and not is_empty(answer) else ""
    if (target.uid, target.title) in CHECKS or any(map(target.name.startswith, MAY_BE_EMPTY)):
        return ""
    return "shows nothing" if is_empty(answer) else ""


def test_choices(servers: Loaded) -> None:
    """Menus offer what there is, and of queues and agents those of what is chosen before."""
    for uid, dashboard in DASHBOARDS.items():
        names = [one["name"] for one in dashboard["templating"]["list"]]
        offered = Viewer(servers, uid, {}, LIVE).options
        assert set(offered["switchboard"]) - {RECORDED.name} == {"milano", "mumbai"}
        if "queue" in names:
            assert {queue.name for board in SWITCHBOARDS for queue in board.queues} <= {*offered["queue"]}
            of_mumbai = Viewer(servers, uid, {"switchboard": ["mumbai"]}, LIVE).options["queue"]
            assert of_mumbai == sorted((queue.name for queue in MUMBAI.queues), key=str.lower)
        if "agent" in names:
            of_oneil = Viewer(servers, uid, {"switchboard": ["mumbai"], "queue": [ONEIL]}, LIVE)
            assert of_oneil.options["agent"] == ["2003", "2004"]


# --- history ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("uid", "title"), CHECKS)
def test_numbers_of_history(servers: Loaded, truth: Truth, chosen: str, uid: str, title: str) -> None:
    """Every cell, and no other ones."""
    looking = Looking(servers, CHOICES[chosen])
    queries = of(uid.removeprefix("asterpanel-"), title)
    names = {name for target in queries for name in columns_of(target)}
    for panel in CHECKS[uid, title]:
        # (An agent's calls and his time come from different points, some columns have the same names.)
        asked = [
            target for target in queries if set(columns_of(target)) <= panel.names | UNCHECKED_COLUMNS.keys()
        ]
        expected = {} if chosen == "none" else panel.cells(truth, choice_of(chosen, WEEK), names)
        assert_same(panel.shown(map(looking.ask, asked)), expected)


def columns_of(target: Target) -> list[str]:
    """Names of the columns that a query of InfluxQL makes."""
    return re.findall(r'AS "([^"]+)"', target.json["query"].partition(" FROM ")[0])


def assert_same(shown: Cells, expected: Cells) -> None:
    """The same cells with the same numbers."""
    assert not (missing := expected.keys() - shown.keys()), f"not shown: {sorted(missing, key=str)[:5]}"
    assert not (more := shown.keys() - expected.keys()), f"shown too: {sorted(more, key=str)[:5]}"
    for cell, value in expected.items():
        step = 100 * LOST_STEP if cell[2] == "Lost" else ROUNDED
        share = ROUNDED if cell[2] == "Planned time" else 1e-9  # a quotient of what is rounded
        assert shown[cell] == pytest.approx(value, rel=share, abs=step), cell


def lost_of(truth: Truth, choice: Choice) -> dict[tuple[str, str], QueueWork]:
    return truth.of_queues(choice, lambda half: (half[0], half[1]))


@pytest.mark.parametrize("name", SOME)
def test_causes_add_up_to_what_was_lost(servers: Loaded, truth: Truth, name: str) -> None:
    looking = Looking(servers, CHOICES[name])
    by_queue = lost_of(truth, choice_of(name, WEEK))
    lost = sum(work.lost for work in by_queue.values())
    close = pytest.approx(lost, abs=1.0)
    assert sum(value for rows in looking.ask(*of("queues", "Causes")) for value in rows.rows[0][1:]) == close
    over_time = [looking.ask(target) for target in of("queues", "Causes over time")]
    assert sum(row[1] for answer in over_time for rows in answer for row in rows.rows) == close
    shares = looking.ask(*of("queues", "Causes by queue", "C"))
    assert {key_of(rows) for rows in shares} == {queue for queue, work in by_queue.items() if work.lost > 0}
    for rows in shares:
        assert sum(rows.rows[0][1:]) == pytest.approx(1.0)
        assert all(0 <= share <= 1 for share in rows.rows[0][1:])
    for rows in looking.ask(*of("queues", "Causes by queue", "A")):
        assert rows.value == pytest.approx(by_queue[key_of(rows)].lost, abs=0.5)
    for rows in looking.ask(*of("queues", "Causes by queue", "B")):
        work = by_queue[key_of(rows)]
        assert rows.value == pytest.approx(work.lost / work.counted, abs=0.01)


def key_of(rows: Rows) -> tuple[str, str]:
    return rows.labels["switchboard"], rows.labels["queue"]


@pytest.mark.parametrize("name", SOME)
def test_the_worst_half_hours(servers: Loaded, truth: Truth, name: str) -> None:
    [answer] = Looking(servers, CHOICES[name]).ask(*of("queues", "The worst half hours"))
    halves = truth.of_queues(choice_of(name, WEEK), lambda half: half)
    worst = sorted((work.lost for work in halves.values() if work.lost > 0), reverse=True)[:25]
    assert sorted(answer.column("Lost"), reverse=True) == pytest.approx(worst, abs=2 * LOST_STEP)
    places = {column: list(answer.columns).index(column) for column in ("switchboard", "queue")}
    for row, offered, planned, there in zip(
        answer.rows, answer.column("Offered"), answer.column("Planned"), answer.column("There"), strict=True
    ):
        work = halves[row[places["switchboard"]], row[places["queue"]], row[0]]
        assert offered == work.offered
        assert planned == pytest.approx(work.planned)
        assert there == pytest.approx(work.staffed_s / 1800)


@pytest.mark.parametrize("name", SOME)
def test_missed_rings(servers: Loaded, truth: Truth, name: str) -> None:
    choice = choice_of(name, WEEK)
    missed = [
        ring
        for work in truth.of_agents(choice, lambda half: half).values()
        for ring in work.rings
        if ring.result in (AttemptResult.NO_ANSWER, AttemptResult.REJECTED)
    ]
    newest = sorted(missed, key=lambda ring: -ring.started_at)[:500]
    [answer] = Looking(servers, CHOICES[name]).ask(*of("agents", "Missed rings"))
    assert answer.column("uniqueid") == [ring.uniqueid for ring in newest]
    assert answer.column("agent") == [ring.agent for ring in newest]


# --- recordings -------------------------------------------------------------------------------------------


def test_recorded_calls(servers: Loaded) -> None:
    """Of real Asterisk servers, against what is known of them."""
    calls = known_calls()
    looking = {"switchboard": [RECORDED.name]}

    def shown(uid: str, title: str, ref_id: str = "A") -> Answer:
        return Viewer(servers, f"asterpanel-{uid}", looking, RECORDED_DAYS).ask(*of(uid, title, ref_id))

    answered = Counter((RECORDED.name, call["queue"]) for call in calls if call["outcome"] == "answered")
    found = {
        key_of(rows): rows.column("Answered")[0]
        for target in of("queues", "By queue")
        if "Answered" in columns_of(target)
        for rows in shown("queues", "By queue", target.ref_id)
    }
    assert {queue: number for queue, number in found.items() if number} == answered
    assert number(shown("queues", "Offered")) == len(calls)
    by_outcome = {rows.labels["outcome"]: rows.column("Calls")[0] for rows in shown("calls", "By outcome")}
    assert by_outcome == Counter(call["outcome"] for call in calls)
    assert number(shown("agents", "Calls answered")) == sum(answered.values())


# --- calls ------------------------------------------------------------------------------------------------

CALL_CHOICES: Final[Mapping[str, tuple[Mapping[str, Sequence[str]], Callable[[QueueCall], bool]]]] = {
    "all": ({}, lambda call: True),
    "one": (
        CHOICES["one"],
        lambda call: (call.switchboard, call.queue, call.agent) == ("milano", BACK_OFFICE, "1004"),
    ),
    "outcomes": (
        {"outcome": ["abandoned", "timeout"], "queue": [ONEIL, "support"]},
        lambda call: (
            call.outcome in (Outcome.ABANDONED, Outcome.TIMEOUT) and call.queue in (ONEIL, "support")
        ),
    ),
    "caller and wait": (
        {"caller": ["+391"], "min_wait": ["30"]},
        lambda call: "+391" in call.caller and call.wait_s >= 30,
    ),
}


@pytest.fixture(scope="module", params=CALL_CHOICES)
def looked_for(request: pytest.FixtureRequest, servers: Loaded) -> tuple[Looking, list[QueueCall]]:
    values, matches = CALL_CHOICES[request.param]
    choice = choice_of("all", WEEK)
    calls = [call for call in servers.month.calls if choice.at(call.joined_at) and matches(call)]
    assert calls
    return Looking(servers, values), calls


Found = tuple[Looking, list[QueueCall]]


def test_calls_found(looked_for: Found) -> None:
    looking, calls = looked_for
    [answer] = looking.ask(*of("calls", "Calls found"))
    work = QueueWork(calls=calls)
    waits = [call.wait_s for call in calls]
    expected = {
        "Calls": len(calls), "Answered": len(work.answered), "Abandoned": len(work.abandoned),
        "Wait on average": sum(waits) / len(waits), "Longest wait": max(waits),
    }  # fmt: skip
    for column, value in zip(answer.columns[1:], answer.rows[0][1:], strict=True):
        assert value == pytest.approx(expected[column]), column


def test_calls_by_outcome(looked_for: Found) -> None:
    looking, calls = looked_for
    work = QueueWork(calls=calls)
    expected = {outcome.value: len(work.ended(outcome)) for outcome in Outcome if work.ended(outcome)}
    answer = looking.ask(*of("calls", "By outcome"))
    assert {rows.labels["outcome"]: rows.column("Calls")[0] for rows in answer} == expected


def test_calls_by_wait(looked_for: Found) -> None:
    looking, calls = looked_for
    bounds = (0, 5, 10, 20, 30, 60, 120, 300, float("inf"))
    expected = [sum(low <= call.wait_s < high for call in calls) for low, high in pairwise(bounds)]
    answers = [looking.ask(target) for target in of("calls", "By wait")]
    assert [answer[0].value if answer else 0 for answer in answers] == expected


def test_newest_calls(looked_for: Found) -> None:
    looking, calls = looked_for
    [answer] = looking.ask(*of("calls", "Calls, the newest 1,000"))
    newest = sorted(calls, key=lambda call: -call.joined_at)[:1000]
    told = [
        (call.switchboard, call.queue, call.caller, call.outcome.value, call.agent or None) for call in newest
    ]
    columns = [answer.column(name) for name in ("switchboard", "queue", "caller", "outcome", "agent")]
    assert list(zip(*columns, strict=True)) == told


def test_callers(servers: Loaded) -> None:
    """All calls of a number, whatever came of them."""
    choice = choice_of("all", WEEK)
    calls = [call for call in servers.month.calls if choice.at(call.joined_at)]
    for title in ("Callers to call back", "Repeat callers"):
        [answer] = Looking(servers, {}).ask(*of("calls", title))
        assert sum(answer.column("offered")) == min(len(calls), 5000)
        assert sum(answer.column("unanswered")) == sum(
            call.outcome is not Outcome.ANSWERED
            for call in sorted(calls, key=lambda call: -call.joined_at)[:5000]
        )


def test_the_story_of_a_phone_call(servers: Loaded) -> None:
    """One that went on to a second queue."""
    choice = choice_of("all", WEEK)
    visits: dict[str, list[QueueCall]] = {}
    for call in servers.month.calls:
        if choice.at(call.joined_at):
            visits.setdefault(call.linkedid, []).append(call)
    linkedid, calls = next((key, calls) for key, calls in visits.items() if len(calls) == 2)
    looking = Looking(servers, {"linkedid": [linkedid]})
    [story] = looking.ask(*of("calls", "Story of the call", "A"))
    assert story.column("queue") == [call.queue for call in calls]
    assert story.column("outcome") == [call.outcome.value for call in calls]
    rings = [one for one in servers.month.attempts if one.uniqueid == calls[0].uniqueid]
    [told] = looking.ask(*of("calls", "Story of the call", "B"))
    assert told.column("agent") == [ring.agent for ring in sorted(rings, key=lambda one: one.started_at)]


# --- now --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=SOME)
def now(request: pytest.FixtureRequest, servers: Loaded) -> tuple[Looking, Moment]:
    traffics = tuple(played.traffic for played in servers.played)
    moment = Moment(traffics, NOW, choice_of(request.param, LIVE))
    return Looking(servers, CHOICES[request.param]), moment


Now = tuple[Looking, Moment]


def by_queue(answer: Answer) -> dict[tuple[str, str], float]:
    return {key_of(rows): rows.value for rows in answer}


def number(answer: Answer) -> float:
    [rows] = answer
    value: float = rows.value
    return value


def test_callers_and_calls_now(now: Now) -> None:
    looking, moment = now
    waits = {queue: moment.waits_s(queue) for queue in moment.queues()}
    talking = {queue: moment.in_progress(queue) for queue in moment.queues()}
    longest = {queue: max(times, default=0.0) for queue, times in waits.items()}
    counts = {queue: len(times) for queue, times in waits.items()}
    assert by_queue(looking.ask(*of("live", "Queues", "A"))) == counts
    assert by_queue(looking.ask(*of("live", "Queues", "B"))) == pytest.approx(longest, abs=0.002)
    assert by_queue(looking.ask(*of("live", "Queues", "C"))) == talking
    assert number(looking.ask(*of("live", "Callers waiting"))) == sum(counts.values())
    assert number(looking.ask(*of("live", "Longest wait"))) == pytest.approx(max(longest.values()), abs=0.002)
    assert number(looking.ask(*of("live", "Calls in progress"))) == sum(talking.values())


def test_the_moment_has_everything(servers: Loaded) -> None:
    """Else the numbers of now would prove little."""
    traffics = tuple(played.traffic for played in servers.played)
    moment = Moment(traffics, NOW, choice_of("all", LIVE))
    assert sum(len(moment.waits_s(queue)) for queue in moment.queues()) >= 1
    assert len({moment.state(agent) for agent in moment.agents()}) >= 3
    for queue in moment.queues():  # what has only just ended is still being decided
        assert not moment.ended(queue, since=NOW - 3)


def test_calls_of_the_day(now: Now) -> None:
    looking, moment = now
    offered = {queue: moment.offered(queue) for queue in moment.queues()}
    ended = {queue: QueueWork(calls=moment.ended(queue)) for queue in moment.queues()}
    levels = {queue: service_level(work.calls) for queue, work in ended.items()}
    calls = [call for work in ended.values() for call in work.calls]

    def shown(ref_id: str) -> dict[tuple[str, str], float]:
        return by_queue(looking.ask(*of("live", "Queues", ref_id)))

    assert shown("E") == pytest.approx(offered)
    assert shown("F") == pytest.approx({queue: len(work.answered) for queue, work in ended.items()})
    assert shown("G") == pytest.approx({queue: len(work.abandoned) for queue, work in ended.items()})
    assert shown("H") == pytest.approx({queue: level for queue, level in levels.items() if level is not None})
    assert number(looking.ask(*of("live", "Service level"))) == pytest.approx(service_level(calls))
    abandoned = QueueWork(calls=calls).abandoned
    assert number(looking.ask(*of("live", "Abandoned"))) == pytest.approx(
        len(abandoned) / sum(offered.values())
    )


def test_service_level_of_the_last_half_hour(now: Now) -> None:
    looking, moment = now
    calls = [call for queue in moment.queues() for call in moment.ended(queue, since=NOW - 1800)]
    level = service_level(calls)
    answer = looking.ask(*of("live", "Service level, 30 min"))
    assert [rows.value for rows in answer] == pytest.approx([] if level is None else [level])


def test_agents_now(now: Now) -> None:
    looking, moment = now
    states = {agent: moment.state(agent) for agent in moment.agents()}
    answer = looking.ask(*of("live", "Agents", "A"))
    assert {(rows.labels["switchboard"], rows.labels["agent"]): rows.value for rows in answer} == states
    reasons = {
        (rows.labels["switchboard"], rows.labels["agent"]): rows.labels.get("reason", "") for rows in answer
    }
    assert reasons == {agent: moment.pause(agent) or "" for agent in states}
    for target in of("live", "Agents by state"):
        found = re.search(r"== (\d)", looking.text(target))
        assert found is not None
        assert number(looking.ask(target)) == list(states.values()).count(int(found[1]))
    idle = {
        queue: sum(moment.state(agent) == 1 for agent in moment.members(queue)) for queue in moment.queues()
    }
    assert by_queue(looking.ask(*of("live", "Queues", "D"))) == idle


def test_waiting_over_time(now: Now) -> None:
    """At every step; while milano could not be watched, nothing is shown of it."""
    looking, moment = now
    gap = next(gap for gap in moment.traffics[0].month.gaps if gap.switchboard == MILANO.name)
    shown: dict[tuple[str, str], dict[float, float]] = {
        key_of(rows): {row[0]: row[1] for row in rows.rows} for rows in looking.ask(*of("live", "Waiting"))
    }
    for queue in moment.queues():
        for step in range(0, int(NOW - WATCHED_SINCE) + 1, 15 * 20):
            at = WATCHED_SINCE + step
            if queue[0] == MILANO.name and gap.started_at <= at < gap.started_at + gap.duration_s:
                assert at not in shown[queue]
            else:
                then = Moment(moment.traffics, at, moment.choice)
                assert shown[queue][at] == len(then.waits_s(queue)), (queue, at)


def test_switchboards(servers: Loaded) -> None:
    looking = Looking(servers, {})
    moment = Moment(tuple(each.traffic for each in servers.played), NOW, choice_of("all", LIVE))
    boards = {name: [queue for queue in moment.queues() if queue[0] == name] for name in ("milano", "mumbai")}

    def shown(ref_id: str) -> dict[str, float]:
        answer = looking.ask(*of("switchboards", "Switchboards", ref_id))
        return {rows.labels["switchboard"]: rows.value for rows in answer}

    assert shown("A") == {"milano": 1, "mumbai": 1}
    assert shown("C") == {
        name: sum(len(moment.waits_s(queue)) for queue in queues) for name, queues in boards.items()
    }
    assert shown("D") == pytest.approx(
        {
            name: max((wait for queue in queues for wait in moment.waits_s(queue)), default=0)
            for name, queues in boards.items()
        },
        abs=0.002,
    )
    assert shown("E") == {name: sum(map(moment.in_progress, queues)) for name, queues in boards.items()}
    assert shown("F") == pytest.approx(
        {name: sum(map(moment.offered, queues)) for name, queues in boards.items()}
    )
    assert shown("G") == pytest.approx(
        {
            name: service_level([call for queue in queues for call in moment.ended(queue)])
            for name, queues in boards.items()
        }
    )
    missed = {gap.switchboard: gap.calls_missed for gap in servers.month.gaps if gap.switchboard == "milano"}
    assert shown("H") == pytest.approx({**missed, "mumbai": 0})


def test_while_a_switchboard_is_down(servers: Loaded) -> None:
    """It is shown as not connected, and what is not known is not shown."""
    gap = next(gap for gap in servers.month.gaps if gap.switchboard == MILANO.name)
    at = int(gap.started_at // 15 * 15 + 600)
    span = Span(LIVE.since_ms, at * 1000, 15)

    def shown(uid: str, title: str, ref_id: str = "A") -> Answer:
        return Viewer(servers, f"asterpanel-{uid}", {}, span).ask(*of(uid, title, ref_id))

    up = {rows.labels["switchboard"]: rows.value for rows in shown("switchboards", "Switchboards")}
    assert up == {"milano": 0, "mumbai": 1}
    assert {key_of(rows)[0] for rows in shown("live", "Queues")} == {"mumbai"}
    assert {rows.labels["switchboard"] for rows in shown("live", "Agents")} == {"mumbai"}
    assert number(shown("health", "Not connected")) == 1
    assert number(shown("live", "Data as of")) == pytest.approx(at - gap.started_at, abs=15)


# --- nothing is left out ----------------------------------------------------------------------------------

CHECKED_ABOVE: Final = {
    "live": {
        "Callers waiting", "Longest wait", "Calls in progress", "Service level, 30 min",
        "Service level", "Abandoned", "Queues", "Agents by state", "Agents", "Waiting", "Data as of",
    },
    "switchboards": {"Switchboards"},
    "queues": {"Causes", "Causes by queue", "Causes over time", "The worst half hours"},
    "agents": {"Missed rings"},
    "calls": {
        "Calls found", "By outcome", "By wait", "Calls, the newest 1,000", "Story of the call",
        "Callers to call back", "Repeat callers",
    },
}  # fmt: skip

UNCHECKED: Final = {
    "switchboards": "the same queries as the table's, over time",
    "health": "metrics of Asterpanel itself as they are: tests/unit/test_exposition.py",
    "agents: On pause now": "the same states as the live dashboard's",
    "agents: Timeline of states": "the same states as the live dashboard's",
}
"""Panels, or whole dashboards, without a check of numbers, and why."""

UNCHECKED_COLUMNS: Final = {"Needed": "Erlang C has tests of its own"}


def test_every_panel_has_a_check() -> None:
    for target in targets():
        uid = target.uid.removeprefix("asterpanel-")
        checked = (target.uid, target.title) in CHECKS or target.title in CHECKED_ABOVE.get(uid, ())
        assert checked or uid in UNCHECKED or f"{uid}: {target.title}" in UNCHECKED, target.name


def test_every_column_has_a_check() -> None:
    for target in targets():
        panels = CHECKS.get((target.uid, target.title))
        if panels is not None:
            known = {name for panel in panels for name in panel.names}
            assert set(columns_of(target)) <= known | UNCHECKED_COLUMNS.keys(), target.name
