"""The journal under a running exporter: what was counted goes on after a restart."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from asterpanel_exporter.exposition import Exposition
from asterpanel_exporter.history.records import Outcome, SwitchboardGap
from asterpanel_exporter.journal.journal import Batch, Journal
from asterpanel_exporter.journal.opening import JournalError
from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.points.point import point_of
from asterpanel_exporter.storage import Storage
from asterpanel_switchboard.config import Config, load_config
from tests.unit import ami
from tests.unit.ami import Board
from tests.waiting import eventually

ALICE = "PJSIP/1001"
GAP = SwitchboardGap("milano", "eof", ami.START - 100, 5.0, 0)
SALES = (ami.queue_params("sales", ServiceLevel=20), ami.queue_member("sales", ALICE, MemberName="Alice"))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "asterpanel.yml"
    path.write_text(
        "switchboards:\n"
        "  milano: {host: 10.0.0.5, username: asterpanel, secret_env: SECRET, time_zone: Europe/Rome}\n"
    )
    return load_config(path, {"SECRET": "s3cr3t"})


class Clock:
    now = ami.START

    def __call__(self) -> float:
        return self.now


def storage(config: Config, live: LiveSwitchboard, clock: Clock) -> Storage:
    return Storage(config, {"milano": live}, clock)


def one_call(on: Board, uniqueid: str) -> None:
    on.say(ami.newexten(on.now, uniqueid, "sales"), ami.join(on.now, "sales", uniqueid, 1, 1))
    on.wait(2)
    on.say(ami.leave(on.now, "sales", uniqueid, 1, 0))
    on.say(ami.connect(on.now, "sales", ALICE, uniqueid, f"{uniqueid}9", member_name="Alice"))
    on.wait(5)
    on.say(ami.complete(on.now, "sales", ALICE, uniqueid, f"{uniqueid}9"), ami.hangup(on.now, uniqueid))
    on.wait(10)


def fed(live: LiveSwitchboard) -> Board:
    """A board whose past only the storage takes."""
    on = Board(*SALES, live=live)
    on.recorder.record = lambda: None  # type: ignore[method-assign]
    return on


async def test_counters_and_todays_sums_go_on(config: Config) -> None:
    clock = Clock()
    for run in (1, 2):
        live = LiveSwitchboard.from_config(config, "milano")
        async with storage(config, live, clock):
            assert live.totals.queue("sales").calls[Outcome.ANSWERED] == run - 1
            on = fed(live)
            one_call(on, f"{run}.1")
        assert live.totals.queue("sales").calls[Outcome.ANSWERED] == run
        today = live.document(on.now)
        assert today["queues"]["sales"]["today"] == {
            "offered": run, "answered": run, "abandoned": 0, "short_abandons": 0, "within_sl": run,
            "wait_s": 2.0 * run, "talk_s": 5.0 * run,
            "service": {
                "answered": run, "answered_within": run, "abandoned": 0, "abandoned_within": 0,
                "short_abandoned": 0, "flowed_out": 0,
            },
        }  # fmt: skip
        assert today["agents"]["1001"]["today"]["answered"] == run
        clock.now += 60


async def test_all_is_written_at_the_end(config: Config) -> None:
    live = LiveSwitchboard.from_config(config, "milano")
    async with storage(config, live, Clock()) as kept:
        one_call(fed(live), "1.1")
        out = Exposition()
        kept.expose(out)
    with Journal.open(config.journal.path, create=False, read_only=True) as journal:
        rows = journal.rows("SELECT uniqueid, outcome, wait_s, talk_s FROM queue_call_points")
    assert [tuple(row) for row in rows] == [("1.1", "answered", 2.0, 5.0)]
    assert "asterpanel_journal_points_total 0\n" in out.text(openmetrics=False)


async def test_nothing_is_counted_that_the_journal_has_not(config: Config) -> None:
    live = LiveSwitchboard.from_config(config, "milano")
    kept = storage(config, live, Clock())
    async with kept:
        one_call(fed(live), "1.1")
        assert live.totals.queue("sales").calls[Outcome.ANSWERED] == 0
    assert live.totals.queue("sales").calls[Outcome.ANSWERED] == 1


async def test_lines_of_a_former_tenant_are_seen_to_wait(config: Config) -> None:
    with Journal.open(config.journal.path) as journal:
        journal.write(Batch([("former", point_of(GAP))]), now=ami.START - 60)
    live = LiveSwitchboard.from_config(config, "milano")
    async with storage(config, live, Clock()) as kept:

        def exposed() -> str:
            out = Exposition()
            kept.expose(out)
            return out.text(openmetrics=False)

        await eventually(lambda: 'asterpanel_influx_points_pending{tenant="former"} 1\n' in exposed())
        assert 'asterpanel_influx_oldest_pending_age_seconds{tenant="former"} 60.0\n' in exposed()


@pytest.mark.parametrize("rollup", [True, False])
async def test_of_a_pair_one_makes_the_half_hours(config: Config, rollup: bool) -> None:
    exporter = config.exporter.model_copy(update={"rollup": rollup})
    live = LiveSwitchboard.from_config(config, "milano")
    async with storage(config.model_copy(update={"exporter": exporter}), live, Clock()) as kept:
        out = Exposition()
        kept.expose(out)
        told = "asterpanel_rollup_errors_total" in out.text(openmetrics=False)
        ran = any(thread.name == "roll-up" for thread in threading.enumerate())
    assert (told, ran) == (rollup, rollup)


async def test_two_exporters_on_one_journal(config: Config) -> None:
    first, second = (LiveSwitchboard.from_config(config, "milano") for _ in range(2))
    async with storage(config, first, Clock()):
        with pytest.raises(JournalError):
            await storage(config, second, Clock()).__aenter__()
    async with storage(config, second, Clock()):
        pass
