"""The metrics as text: right, parseable by others' parsers, and only what may be there.

``python -m tests.unit.test_exposition`` writes the golden file anew; read the difference before committing.
"""

from __future__ import annotations

import asyncio
import io
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as prometheus_families

from asterpanel_exporter.catalogue import AGENT_STATE_CODES, CATALOGUE, Kind
from asterpanel_exporter.catalogue import Metric as Described
from asterpanel_exporter.exposition import (
    Exposition,
    Scrape,
    add_influx,
    add_switchboard,
    switchboard_text,
)
from asterpanel_exporter.influx.sender import Progress
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.metrics_reference import REFERENCE, reference
from asterpanel_exporter.replay import Replay, replay_files
from asterpanel_exporter.state import AgentState, DriftKind, ResyncReason
from asterpanel_exporter.supervisor import Exporter
from asterpanel_switchboard.config import load_config
from tests.traces import ALL, FOLDER, recording
from tests.unit import ami
from tests.unit.ami import Board

GOLDEN = Path(__file__).parent / "golden" / "reload_during_call.txt"
GOLDEN_RECORDING = "asterisk-22/reload_during_call"

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
TEXT = "text/plain; version=0.0.4"

SALES = ami.queue_params("sales")
ALICE = "PJSIP/1001"
NASTY = 'Zoé "the\\fox" \\n {x="y"} €'

Series = tuple[str, frozenset[tuple[str, str]]]

CONFIG = """\
switchboards:
  milano: {host: 10.0.0.5, username: asterpanel, secret_env: SECRET}
  torino: {host: 10.0.0.6, username: asterpanel, secret_env: SECRET}
"""


def samples(families: Iterable[Metric]) -> dict[Series, float]:
    """By name and labels; that no series comes twice is checked."""
    found: dict[Series, float] = {}
    for family in families:
        for sample in family.samples:
            series = (sample.name, frozenset(sample.labels.items()))
            assert series not in found, f"{series} comes twice"
            found[series] = sample.value
    return found


def text_of(board: Board) -> str:
    return switchboard_text(board.live, board.now)


def openmetrics_families(text: str) -> Iterable[Metric]:
    families: Iterable[Metric] = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return families


def openmetrics_of(board: Board) -> str:
    out = Exposition()
    for _ in add_switchboard(out, board.live, board.now):
        pass
    return out.text(openmetrics=True) + "# EOF\n"


def shown(board: Board) -> dict[Series, float]:
    return samples(prometheus_families(text_of(board)))


def series(name: str, /, **labels: str) -> Series:
    return name, frozenset({"switchboard": "milano", **labels}.items())


def value(board: Board, metric: str, /, **labels: str) -> float | None:
    return shown(board).get(series(metric, **labels))


def replay_metrics(name: str) -> str:
    """What ``replay --metrics`` writes."""
    out = io.StringIO()
    replay_files(
        [str(FOLDER / f"{name}.ami.xz")], LiveSwitchboard("milano"), points=None, metrics=out, state=None
    )
    return out.getvalue()


def exporter(folder: Path) -> Exporter:
    path = folder / "asterpanel.yml"
    path.write_text(CONFIG, encoding="utf-8")
    return Exporter(load_config(path, {"SECRET": "s3cr3t"}), wall_clock=lambda: ami.START)


async def scraped(folder: Path, accept: str) -> tuple[str, str]:
    """A scrape of a whole exporter: milano is connected and busy, torino is not."""
    running = exporter(folder)
    live = running.switchboards["milano"]
    board = Board(SALES, ami.queue_member("sales", ALICE, MemberName=NASTY), live=live)
    board.say(ami.join(board.now, "sales", "1.1", 1, 1, number="39055199", caller="Secret Caller"))
    board.say(ami.member_event(board.now, "Pause", "sales", ALICE, Paused=1, PausedReason=NASTY))
    sessions = [watch.session for watch in running.watches.values()]
    scrape = Scrape(
        running.switchboards,
        sessions,
        lambda: ami.START,
        lambda out: add_influx(out, "default", Progress(), pending=0, dropped=0, now=ami.START),
    )
    body, content_type = await scrape(accept)
    return body.decode(), content_type


class TestGolden:
    def test_replay_metrics(self) -> None:
        assert replay_metrics(GOLDEN_RECORDING) == GOLDEN.read_text(encoding="utf-8")

    @pytest.mark.parametrize("name", ALL)
    def test_every_recording_is_parseable(self, name: str) -> None:
        live = LiveSwitchboard("milano")
        Replay(live).play([recording(name)])
        text = switchboard_text(live, live.state.as_of)
        found = samples(prometheus_families(text))
        assert found[series("asterisk_up")] == 1.0

    def test_the_metrics_reference_is_generated(self) -> None:
        """`make docs` writes it."""
        assert REFERENCE.read_text(encoding="utf-8") == reference()


class TestParsers:
    async def test_prometheus_text(self, tmp_path: Path) -> None:
        body, content_type = await scraped(tmp_path, TEXT)
        assert content_type.startswith("text/plain")
        found = samples(prometheus_families(body))
        assert found[series("asterisk_queue_callers_waiting", queue="sales")] == 1.0

    async def test_openmetrics(self, tmp_path: Path) -> None:
        body, content_type = await scraped(tmp_path, OPENMETRICS)
        assert content_type.startswith("application/openmetrics-text")
        assert body.endswith("# EOF\n")
        assert body.count("# EOF") == 1
        found = samples(openmetrics_families(body))
        assert found[series("asterisk_queue_callers_waiting", queue="sales")] == 1.0
        assert found[series("asterisk_queue_calls_offered_total", queue="sales")] == 1.0

    async def test_both_say_the_same(self, tmp_path: Path) -> None:
        text, _ = await scraped(tmp_path, TEXT)
        openmetrics, _ = await scraped(tmp_path, OPENMETRICS)
        first, second = (
            {key: value for key, value in found.items() if key[0].startswith("aster")}
            for found in (samples(prometheus_families(text)), samples(openmetrics_families(openmetrics)))
        )
        assert first == second

    async def test_promtool(self, tmp_path: Path, promtool: Path) -> None:
        body, _ = await scraped(tmp_path, TEXT)
        check = subprocess.run(
            [promtool, "check", "metrics"], input=body, capture_output=True, text=True, check=False
        )
        assert (check.returncode, check.stdout, check.stderr) == (0, "", "")

    def test_promtool_on_the_golden_file(self, promtool: Path) -> None:
        check = subprocess.run(
            [promtool, "check", "metrics"],
            input=GOLDEN.read_text(encoding="utf-8"), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (check.returncode, check.stdout, check.stderr) == (0, "", "")

    @settings(deadline=None)
    @given(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1, max_size=20),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20),
    )
    def test_any_name_and_reason(self, name: str, reason: str) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE, MemberName=name, Paused=1, PausedReason=reason))
        agent = board.agent("1001")
        for found in (
            samples(prometheus_families(text_of(board))),
            samples(openmetrics_families(openmetrics_of(board))),
        ):
            info = series("asterisk_agent_info", agent="1001", name=agent["name"], interface=ALICE)
            pause = series("asterisk_agent_pause_info", agent="1001", reason=agent["pause_reason"])
            assert found[info] == found[pause] == 1.0


KNOWN = {metric.name: metric for metric in CATALOGUE}


def family_of(name: str, known: Mapping[str, Described] = KNOWN) -> tuple[Described, set[str]]:
    """The metric that a sample belongs to, and the labels that it has on top."""
    if name in known:
        return known[name], set()
    family, _, part = name.rpartition("_")
    assert known[family].kind is Kind.HISTOGRAM
    assert part in ("bucket", "sum", "count")
    return known[family], {"le"} if part == "bucket" else set()


class TestCatalogue:
    async def test_nothing_else_and_everything_documented(self, tmp_path: Path) -> None:
        body, _ = await scraped(tmp_path, TEXT)
        known = {metric.name: metric for metric in CATALOGUE}
        for name, labels in samples(prometheus_families(body)):
            if not name.startswith("aster"):
                assert name.startswith(("process_", "python_"))
                continue
            metric, own = family_of(name, known)
            assert {label for label, _ in labels} == set(metric.labels) | own, name
        for metric in CATALOGUE:
            assert metric.help.endswith(".")
            assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
            if f"\n{metric.name}{{" in body:
                assert f"# HELP {metric.name} " in body
                assert f"# TYPE {metric.name} {metric.kind}\n" in body

    async def test_never_a_callers_number_name_or_id(self, tmp_path: Path) -> None:
        body, _ = await scraped(tmp_path, TEXT)
        for secret in ("39055199", "Secret Caller", '"1.1"', "s3cr3t"):
            assert secret not in body

    async def test_children_of_enumerations_exist_from_the_start(self, tmp_path: Path) -> None:
        body, _ = await scraped(tmp_path, TEXT)
        found = samples(prometheus_families(body))
        for metric in CATALOGUE:
            for label, values in metric.values.items():
                children = {
                    dict(labels)[label]
                    for name, labels in found
                    if name in (metric.name, f"{metric.name}_sum")
                }
                assert children == set(values), metric.name

    def test_each_agent_state_has_a_code(self) -> None:
        assert set(AGENT_STATE_CODES) == set(AgentState)
        assert len(set(AGENT_STATE_CODES.values())) == len(AgentState)


class TestValues:
    def test_a_busy_queue(self) -> None:
        board = Board(
            ami.queue_params("sales", Strategy="rrmemory", ServiceLevel=30),
            ami.queue_member("sales", ALICE, MemberName="Alice", Penalty=2),
            ami.queue_member(
                "sales", "PJSIP/1002", Paused=1, PausedReason="lunch", LastPause=int(ami.START) - 60
            ),
            ami.queue_entry("sales", "1.1", 1, wait=30),
        )
        board.say(ami.join(board.now, "sales", "9.1", 2, 2), ami.leave(board.now, "sales", "9.1", 2, 1))
        board.say(ami.connect(board.now, "sales", ALICE, "9.1", "9.2"))
        board.wait(2.5)
        found = shown(board)
        expected = {
            series("asterisk_up"): 1,
            series("asterisk_info", version="22", ami_version="11.0.0"): 1,
            series("asterisk_queue_callers_waiting", queue="sales"): 1,
            series("asterisk_queue_longest_wait_seconds", queue="sales"): 32.5,
            series("asterisk_queue_calls_in_progress", queue="sales"): 1,
            series("asterisk_queue_service_level_threshold_seconds", queue="sales"): 30,
            series("asterisk_queue_info", queue="sales", strategy="rrmemory"): 1,
            series("asterisk_queue_calls_offered_total", queue="sales"): 2,
            series("asterisk_queue_members", queue="sales", state="on_call"): 1,
            series("asterisk_queue_members", queue="sales", state="paused"): 1,
            series("asterisk_queue_members", queue="sales", state="idle"): 0,
            series("asterisk_agent_state", agent="1001"): 3,
            series("asterisk_agent_state", agent="1002"): 6,
            series("asterisk_agent_state_since_timestamp_seconds", agent="1001"): ami.START,
            series("asterisk_agent_paused", agent="1001"): 0,
            series("asterisk_agent_paused", agent="1002"): 1,
            series("asterisk_agent_pause_info", agent="1002", reason="lunch"): 1,
            series("asterisk_agent_info", agent="1001", name="Alice", interface=ALICE): 1,
            series("asterisk_queue_member_penalty", queue="sales", agent="1001"): 2,
            series("asterisk_queue_member_paused", queue="sales", agent="1002"): 1,
            series("asterpanel_ami_last_event_timestamp_seconds"): ami.START,
        }
        assert {key: found.get(key) for key in expected} == expected
        assert not any(
            name == "asterisk_agent_pause_info" and ("agent", "1001") in labels for name, labels in found
        )

    def test_the_longest_wait_grows_between_events(self) -> None:
        board = Board(SALES)
        assert value(board, "asterisk_queue_longest_wait_seconds", queue="sales") == 0.0
        board.say(ami.join(board.now, "sales", "1.1", 1, 1))
        board.wait(10)
        board.say(ami.join(board.now, "sales", "1.2", 1, 2))
        board.wait(10)
        assert value(board, "asterisk_queue_longest_wait_seconds", queue="sales") == 20.0
        board.wait(10)
        assert value(board, "asterisk_queue_longest_wait_seconds", queue="sales") == 30.0
        board.say(ami.leave(board.now, "sales", "1.1", 2, 1))
        assert value(board, "asterisk_queue_longest_wait_seconds", queue="sales") == 20.0

    def test_wrap_up_ends_at_the_scrape(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE), wrapup_s=30)
        board.say(ami.connect(board.now, "sales", ALICE, "1.1", "1.2"))
        board.say(ami.complete(board.now, "sales", ALICE, "1.1", "1.2"))
        assert value(board, "asterisk_agent_state", agent="1001") == 5
        board.now += 31
        assert value(board, "asterisk_agent_state", agent="1001") == 1
        assert value(board, "asterisk_queue_members", queue="sales", state="wrapup") == 0

    def test_the_configured_threshold_counts(self) -> None:
        board = Board(SALES, queue_settings=ami.settings(service_level_threshold_s=45.0))
        assert value(board, "asterisk_queue_service_level_threshold_seconds", queue="sales") == 45.0

    def test_resyncs_and_drift(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.resync(ResyncReason.INTERVAL, SALES)
        board.wait(4)
        found = shown(board)
        for kind in DriftKind:
            drift = found[series("asterpanel_state_drift_total", kind=kind.value)]
            assert drift == (1 if kind is DriftKind.MEMBER_VANISHED else 0)
        for reason in ResyncReason:
            resyncs = found[series("asterpanel_state_resyncs_total", reason=reason.name.lower())]
            assert resyncs == (1 if reason in (ResyncReason.CONNECTED, ResyncReason.INTERVAL) else 0)

    def test_two_interfaces_of_one_agent_in_one_queue(self) -> None:
        """One series; the state counts both memberships."""
        board = Board(
            SALES,
            ami.queue_member("sales", ALICE, Penalty=1),
            ami.queue_member("sales", "Local/1001@x/n", Penalty=2),
        )
        found = shown(board)
        assert found[series("asterisk_queue_member_penalty", queue="sales", agent="1001")] == 1
        assert found[series("asterisk_queue_members", queue="sales", state="idle")] == 2
        board.say(ami.member_event(board.now, "Removed", "sales", ALICE))
        assert value(board, "asterisk_queue_member_penalty", queue="sales", agent="1001") == 2

    def test_absurd_values_do_not_break_the_scrape(self) -> None:
        board = Board(ami.queue_params("sales", Max=10**400, ServiceLevel="1e400"), SALES,
                      ami.queue_member("sales", ALICE, Penalty="9" * 4000))  # fmt: skip
        board.say(ami.member_event(board.now, "Added", "sales", ALICE, Penalty="1" + "0" * 400))
        board.say(ami.join(8e9, "sales", "1.1", -1, 1))
        board.say(ami.member_event(board.now, "Added", "sales", "PJSIP/1002", Penalty=-5))
        for (name, _), number in shown(board).items():
            assert abs(number) < 1e11, name


class TestWhatIsGone:
    def test_a_vanished_queue_and_agent_take_their_series_along(self) -> None:
        items = [
            ami.queue_params("vip"),
            ami.queue_member("vip", "PJSIP/1002", Paused=1, PausedReason="lunch"),
        ]
        board = Board(SALES, ami.queue_member("sales", ALICE), *items)
        assert 'queue="vip"' in text_of(board)
        assert 'agent="1002"' in text_of(board)
        board.resync(ResyncReason.RELOADED, SALES, ami.queue_member("sales", ALICE))
        assert 'queue="vip"' not in text_of(board)
        assert 'agent="1002"' not in text_of(board)

    def test_a_removed_member_takes_his_series_along(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.say(ami.member_event(board.now, "Removed", "sales", ALICE))
        assert 'agent="1001"' not in text_of(board)

    def test_a_pause_that_is_over_and_a_reason_that_changed(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE, Paused=1, PausedReason="lunch"))
        board.say(ami.member_event(board.now, "Pause", "sales", ALICE, Paused=1, PausedReason="training"))
        assert 'reason="lunch"' not in text_of(board)
        assert value(board, "asterisk_agent_pause_info", agent="1001", reason="training") == 1
        board.say(ami.member_event(board.now, "Pause", "sales", ALICE, Paused=0))
        assert "asterisk_agent_pause_info" not in text_of(board)

    def test_a_new_name_replaces_the_old_one(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE, MemberName="Alice"))
        board.say(ami.member_event(board.now, "Status", "sales", ALICE, MemberName="Alicia"))
        assert 'name="Alice"' not in text_of(board)
        assert value(board, "asterisk_agent_info", agent="1001", name="Alicia", interface=ALICE) == 1


class TestDown:
    ALWAYS = frozenset(metric.name for metric in CATALOGUE if metric.while_down)

    def test_a_lost_switchboard_shows_only_what_is_always_shown(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE), ami.queue_entry("sales", "1.1", 1))
        assert {name for name, _ in shown(board)} - self.ALWAYS
        board.live.disconnected("eof")
        found = shown(board)
        assert {family_of(name, KNOWN)[0].name for name, _ in found} <= self.ALWAYS
        assert found[series("asterisk_up")] == 0
        assert found[series("asterisk_queue_calls_offered_total", queue="sales")] == 1
        assert not any(label == "agent" for _, labels in found for label, _ in labels)

    def test_back_only_with_the_whole_state(self) -> None:
        board = Board(SALES)
        board.live.disconnected("eof")
        board.live.connected("11.0.0")
        assert value(board, "asterisk_up") == 0
        board.resync(ResyncReason.CONNECTED, SALES)
        assert value(board, "asterisk_up") == 1

    async def test_a_switchboard_that_was_never_reached(self, tmp_path: Path) -> None:
        body, _ = await scraped(tmp_path, TEXT)
        found = samples(prometheus_families(body))
        torino = {name for name, labels in found if ("switchboard", "torino") in labels}
        assert torino <= self.ALWAYS
        assert found["asterisk_up", frozenset({("switchboard", "torino")})] == 0
        assert found[series("asterisk_up")] == 1


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(replay_metrics(GOLDEN_RECORDING), encoding="utf-8")


async def test_scrapes_at_the_same_time_cost_no_more_than_one() -> None:
    scrape = Scrape({"milano": LiveSwitchboard("milano")}, [], lambda: ami.START)
    (first, _), (second, _), (other, _) = await asyncio.gather(
        scrape("text/plain"), scrape("text/plain"), scrape("application/openmetrics-text")
    )
    assert first is second
    assert other.endswith(b"# EOF\n")
    (later, _) = await scrape("text/plain")
    assert later is not first
