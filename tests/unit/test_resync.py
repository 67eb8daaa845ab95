"""The whole state, asked for: what it puts right, what counts as drift, and that the reducer needs none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterpanel_exporter.state import DriftKind, ResyncReason, Snapshot, SnapshotBuilder, reconcile
from asterpanel_switchboard.events import ListItem
from asterpanel_switchboard.intake import Intake
from tests.unit import ami
from tests.unit.ami import Board, leftovers
from tests.unit.app_queue import AppQueue, Operation, happenings, panel_of

SALES = ami.queue_params("sales")
ALICE = "PJSIP/1001"
BOB = "PJSIP/1002"
ANNOUNCED = [reason for reason in ResyncReason if reason.announced]
UNANNOUNCED = [reason for reason in ResyncReason if not reason.announced]

days = st.lists(
    st.tuples(st.integers(0, 10**4), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40)),
    min_size=5,
    max_size=80,
).map(happenings)
"""What happens in a day of a call centre, at random."""


def snapshot_of(items: list[bytes]) -> Snapshot:
    events, _ = Intake("milano").feed(ami.listing("other/1", items))
    builder = SnapshotBuilder()
    (snapshot,) = (done for event in events if isinstance(event, ListItem) and (done := builder.add(event)))
    return snapshot


def board_of(model: AppQueue) -> Board:
    return Board(*model.snapshot())


def live_through(board: Board, model: AppQueue, day: list[Operation], times: int = 1) -> None:
    """The day on a board, as Asterisk would tell it, each event so many times."""
    for operation in day:
        for frame in model.do(operation):
            board.now = model.now
            board.say(*[frame] * times)
        board.now = model.now


class TestAgainstTheModel:
    """Random days of a little app_queue: the reducer shows at each step what QueueStatus would say."""

    @settings(deadline=None, max_examples=250)
    @given(days)
    def test_every_step(self, day: list[Operation]) -> None:
        model = AppQueue()
        board = board_of(model)
        for operation in day:
            live_through(board, model, [operation])
            assert panel_of(board.document) == model.panel()
            offered = {name: queue["offered"] for name, queue in board.document["queues"].items()}
            assert offered == {name: queue.offered for name, queue in model.queues.items()}
        board.wait(100)
        assert board.live.state.resync_wanted is None
        board.assert_healthy()

    @settings(deadline=None, max_examples=250)
    @given(days)
    def test_a_resync_finds_no_difference_at_any_moment(self, day: list[Operation]) -> None:
        model = AppQueue()
        board = board_of(model)
        for operation in day:
            live_through(board, model, [operation])
            found = reconcile(
                board.live.state, snapshot_of(model.snapshot()), board.now, ResyncReason.INTERVAL
            )
            assert found == []
            assert panel_of(board.document) == model.panel()
        board.wait(100)
        assert board.drift == {}

    @settings(deadline=None, max_examples=50)
    @given(days)
    def test_each_event_twice_is_once(self, day: list[Operation]) -> None:
        model, once = AppQueue(), AppQueue()
        twice = board_of(model)
        live_through(twice, model, day, times=2)
        single = board_of(once)
        live_through(single, once, day)
        assert twice.document == single.document

    @settings(deadline=None, max_examples=50)
    @given(days, days)
    def test_after_a_reconnect_all_is_as_listed(
        self, before: list[Operation], other: list[Operation]
    ) -> None:
        """From any state to any other: nothing of the old one is left."""
        model, away = AppQueue(), AppQueue()
        board = board_of(model)
        live_through(board, model, before)
        for operation in other:
            away.do(operation)
        board.now = max(board.now, away.now)
        board.reconnect(*away.snapshot())
        # A call of a member who was removed in the middle of it is in no list.
        away.calls = [call for call in away.calls if call.interface in away.queues[call.queue].members
                      and away.queues[call.queue].members[call.interface].in_call]  # fmt: skip
        assert panel_of(board.document) == away.panel()
        board.wait(100)
        assert board.drift == {}

    @settings(deadline=None, max_examples=50)
    @given(days, days)
    def test_a_resync_puts_right_what_was_missed(
        self, seen: list[Operation], missed: list[Operation]
    ) -> None:
        """All but the calls in progress, of which no list tells enough."""
        model = AppQueue()
        board = board_of(model)
        live_through(board, model, seen)
        quiet = [o for o in missed if o[0] not in ("answer", "complete", "hang_up_first", "transfer")]
        for operation in quiet:
            model.do(operation)
        board.now = model.now
        board.resync(ResyncReason.INTERVAL, *model.snapshot())
        assert panel_of(board.document) == model.panel()
        found = reconcile(board.live.state, snapshot_of(model.snapshot()), board.now, ResyncReason.INTERVAL)
        assert found == []

    @settings(deadline=None, max_examples=50)
    @given(days)
    def test_nothing_is_left_when_all_have_gone(self, day: list[Operation]) -> None:
        model = AppQueue()
        board = board_of(model)
        live_through(board, model, day)
        while model.calls:
            live_through(board, model, [("complete", 0, 0, 0)])
        for number, queue in enumerate(model.queues.values()):
            while queue.callers:
                live_through(board, model, [("leave", number, 0, 1)])
        board.wait(100)
        assert all(not queue["waiting"] and not queue["in_progress"]
                   for queue in board.document["queues"].values())  # fmt: skip
        assert leftovers(board.live) == {}


DIFFERENCES = [
    (DriftKind.QUEUE_APPEARED, [SALES, ami.queue_member("sales", ALICE), ami.queue_params("vip")]),
    (
        DriftKind.QUEUE_PARAMETERS,
        [ami.queue_params("sales", Strategy="linear"), ami.queue_member("sales", ALICE)],
    ),
    (DriftKind.MEMBER_APPEARED, [SALES, ami.queue_member("sales", ALICE), ami.queue_member("sales", BOB)]),
    (DriftKind.MEMBER_VANISHED, [SALES]),
    (DriftKind.MEMBER_STATUS, [SALES, ami.queue_member("sales", ALICE, Status=5)]),
    (DriftKind.MEMBER_PAUSED, [SALES, ami.queue_member("sales", ALICE, Paused=1)]),
    (DriftKind.MEMBER_PENALTY, [SALES, ami.queue_member("sales", ALICE, Penalty=3)]),
    (
        DriftKind.CALLER_APPEARED,
        [SALES, ami.queue_member("sales", ALICE), ami.queue_entry("sales", "9.1", 1)],
    ),
]


class TestDrift:
    @pytest.mark.parametrize(("kind", "items"), DIFFERENCES, ids=[kind.value for kind, _ in DIFFERENCES])
    @pytest.mark.parametrize("reason", UNANNOUNCED)
    def test_counts_what_nothing_has_explained(
        self, kind: DriftKind, items: list[bytes], reason: ResyncReason
    ) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.resync(reason, *items)
        assert board.drift == {}
        board.wait(2.9)
        assert board.drift == {}
        board.wait(0.2)
        assert board.drift == {kind.value: 1}
        board.resync(reason, *items)
        board.wait(10)
        assert board.drift == {kind.value: 1}

    @pytest.mark.parametrize(("kind", "items"), DIFFERENCES, ids=[kind.value for kind, _ in DIFFERENCES])
    @pytest.mark.parametrize("reason", ANNOUNCED)
    def test_what_was_announced_never_counts(
        self, kind: DriftKind, items: list[bytes], reason: ResyncReason
    ) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.resync(reason, *items)
        board.wait(100)
        assert board.drift == {}

    def test_queue_vanished(self) -> None:
        board = Board(SALES, ami.queue_params("vip"))
        board.resync(ResyncReason.INTERVAL, SALES)
        board.wait(4)
        assert board.drift == {"queue_vanished": 1}
        assert list(board.document["queues"]) == ["sales"]

    def test_caller_vanished_and_another_order(self) -> None:
        board = Board(SALES, *(ami.queue_entry("sales", f"1.{n}", n) for n in (1, 2, 3)))
        board.resync(
            ResyncReason.INTERVAL,
            SALES,
            ami.queue_entry("sales", "1.3", 1),
            ami.queue_entry("sales", "1.2", 2),
        )
        assert board.waiting("sales") == ["1.3", "1.2"]
        board.wait(4)
        assert board.drift == {"caller_vanished": 1, "caller_order": 1}

    @pytest.mark.parametrize(
        ("items", "event"),
        [
            (DIFFERENCES[4][1], ami.member_event(None, "Status", "sales", ALICE, Status=5)),
            (DIFFERENCES[5][1], ami.member_event(None, "Pause", "sales", ALICE, Paused=1)),
            (DIFFERENCES[2][1], ami.member_event(None, "Added", "sales", BOB)),
            (DIFFERENCES[3][1], ami.member_event(None, "Removed", "sales", ALICE)),
            (DIFFERENCES[7][1], ami.join(None, "sales", "9.1", 1, 1)),
        ],
    )
    def test_an_event_that_comes_late_explains_it(self, items: list[bytes], event: bytes) -> None:
        """Under load the events of what a list shows arrive after it."""
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.resync(ResyncReason.INTERVAL, *items)
        board.wait(1)
        board.say(event)
        board.wait(10)
        assert board.drift == {}

    def test_another_order_is_explained_by_whoever_comes_or_goes(self) -> None:
        board = Board(SALES, *(ami.queue_entry("sales", f"1.{n}", n) for n in (1, 2, 3)))
        board.resync(ResyncReason.INTERVAL, SALES,
                     *(ami.queue_entry("sales", f"1.{n}", 4 - n) for n in (1, 2, 3)))  # fmt: skip
        board.say(ami.leave(board.now, "sales", "1.3", 1, 2))
        board.wait(10)
        assert board.drift == {}

    def test_the_parameters_of_a_queue_that_came_by_event_are_news(self) -> None:
        board = Board(SALES)
        board.say(ami.join(board.now, "realtime", "1.1", 1, 1))
        board.resync(
            ResyncReason.INTERVAL, SALES, ami.queue_params("realtime"), ami.queue_entry("realtime", "1.1", 1)
        )
        board.wait(10)
        assert board.drift == {}
        assert board.queue("realtime")["strategy"] == "ringall"

    def test_an_event_about_another_explains_nothing(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE), ami.queue_member("sales", BOB))
        board.resync(
            ResyncReason.INTERVAL,
            SALES,
            ami.queue_member("sales", ALICE, Status=5),
            ami.queue_member("sales", BOB),
        )
        board.say(ami.member_event(None, "Status", "sales", BOB, Status=2))
        board.wait(10)
        assert board.drift == {"member_status": 1}

    def test_news_announced_while_the_answer_was_under_way(self) -> None:
        """The reload came between our question and its answer: what differs is not drift."""
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.say(ami.frame("Reload", ami.stamp(board.now), [("Module", "app_queue.so"), ("Status", "0")]))
        board.lists += 1
        board.say(ami.listing(board.live.resync_action_id(ResyncReason.INTERVAL, board.lists), [SALES]))
        board.wait(10)
        assert board.drift == {}
        assert board.live.state.resync_wanted is ResyncReason.RELOADED

    def test_a_lost_connection_forgets_what_was_suspected(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.resync(ResyncReason.INTERVAL, SALES)
        board.reconnect(SALES)
        board.wait(10)
        assert board.drift == {}

    def test_it_never_holds_a_callers_number(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        board = Board(SALES)
        board.resync(ResyncReason.INTERVAL, SALES, ami.queue_entry("sales", "9.1", 1, number="39055199"))
        board.wait(4)
        assert board.drift == {"caller_appeared": 1}
        assert "drift: caller_appeared 'sales'/'9.1'" in caplog.text
        assert "39055199" not in caplog.text


class TestCallsOfWhichOnlyListsTell:
    """Their begin or end was lost on the way: two lists, some time apart, are believed, one is not."""

    def talking(self) -> Board:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.say(ami.connect(board.now, "sales", ALICE, "1.1", "1.2"))
        board.resync(ResyncReason.INTERVAL, SALES, ami.queue_member("sales", ALICE, Status=2, InCall=1))
        assert board.talking("sales") == [("1.1", "1001")]
        return board

    def test_an_end_that_was_lost(self) -> None:
        board = self.talking()
        over = (SALES, ami.queue_member("sales", ALICE, Status=1, InCall=0))
        board.resync(ResyncReason.INTERVAL, *over)
        assert board.talking("sales") == [("1.1", "1001")]
        assert board.live.state.take_resync() is ResyncReason.DOUBT
        board.wait(2.9)
        board.resync(ResyncReason.DOUBT, *over)
        assert board.talking("sales") == [("1.1", "1001")]
        board.wait(0.2)
        board.resync(ResyncReason.DOUBT, *over)
        assert board.talking("sales") == []
        assert board.agent("1001")["state"] == "idle"
        board.wait(4)
        assert board.drift["call_vanished"] == 1

    def test_a_list_that_was_ahead_of_the_end(self) -> None:
        board = self.talking()
        over = (SALES, ami.queue_member("sales", ALICE, Status=1, InCall=0))
        board.resync(ResyncReason.INTERVAL, *over)
        board.say(ami.complete(board.now, "sales", ALICE, "1.1", "1.2"))
        board.wait(4)
        board.resync(ResyncReason.DOUBT, *over)
        board.wait(4)
        assert board.talking("sales") == []
        assert "call_vanished" not in board.drift

    def test_a_reload_that_clears_incall_ends_nothing(self) -> None:
        board = self.talking()
        for _ in range(3):
            board.resync(ResyncReason.INTERVAL, SALES, ami.queue_member("sales", ALICE, Status=2, InCall=0))
            board.wait(10)
        assert board.talking("sales") == [("1.1", "1001")]

    def test_a_member_removed_in_mid_call_talks_on(self) -> None:
        board = self.talking()
        board.say(ami.member_event(board.now, "Removed", "sales", ALICE))
        for _ in range(3):
            board.resync(ResyncReason.INTERVAL, SALES)
            board.wait(10)
        assert board.talking("sales") == [("1.1", "1001")]

    def test_doubt_that_was_unfounded_is_forgotten(self) -> None:
        board = self.talking()
        over = (SALES, ami.queue_member("sales", ALICE, Status=1, InCall=0))
        board.resync(ResyncReason.INTERVAL, *over)
        board.wait(10)
        board.resync(ResyncReason.DOUBT, SALES, ami.queue_member("sales", ALICE, Status=2, InCall=1))
        board.wait(10)
        board.resync(ResyncReason.INTERVAL, *over)
        assert board.talking("sales") == [("1.1", "1001")]

    def test_a_begin_that_was_lost(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        on_call = (SALES, ami.queue_member("sales", ALICE, Status=2, InCall=1))
        board.resync(ResyncReason.INTERVAL, *on_call)
        assert board.talking("sales") == []
        assert board.live.state.take_resync() is ResyncReason.DOUBT
        first_seen = board.now
        board.wait(5)
        board.resync(ResyncReason.DOUBT, *on_call)
        assert board.talking("sales") == [("", "1001")]
        assert board.queue("sales")["in_progress"][0]["since"] == pytest.approx(first_seen, abs=0.1)
        board.wait(4)
        assert board.drift["call_appeared"] == 1
        board.say(ami.complete(board.now, "sales", ALICE, "1.1", "1.2"))
        assert board.talking("sales") == []


class TestSnapshot:
    def test_callers_in_the_order_of_their_positions(self) -> None:
        board = Board(
            SALES, *(ami.queue_entry("sales", f"1.{n}", n, wait=60 - n, priority=n) for n in (3, 1, 2))
        )
        assert board.waiting("sales") == ["1.1", "1.2", "1.3"]
        first = board.queue("sales")["waiting"][0]
        assert (first["since"], first["priority"]) == (ami.START - 59, 1)
        assert board.queue("sales")["offered"] == 3

    def test_parameters(self) -> None:
        board = Board(ami.queue_params("sales", Strategy="rrmemory", Max=50, ServiceLevel=30))
        queue = board.queue("sales")
        assert (queue["strategy"], queue["max_len"], queue["sl_threshold_s"]) == ("rrmemory", 50, 30.0)

    def test_a_priority_that_was_changed_is_news(self) -> None:
        """No event tells of it; a panel that follows versions must see it."""
        board = Board(SALES, ami.queue_entry("sales", "1.1", 1, priority=0))
        before = board.live.revision
        board.resync(ResyncReason.INTERVAL, SALES, ami.queue_entry("sales", "1.1", 1, priority=5))
        assert board.queue("sales")["waiting"][0]["priority"] == 5
        assert board.live.revision != before
        board.wait(10)
        assert board.drift == {}

    def test_an_unchanged_list_changes_nothing(self) -> None:
        alice = ami.queue_member("sales", ALICE, Paused=1, PausedReason="lunch", LastPause=int(ami.START) - 9)
        items = [SALES, alice, ami.queue_entry("sales", "1.1", 1, wait=5)]
        board = Board(*items)
        before = board.document
        board.resync(ResyncReason.INTERVAL, *items)
        assert board.document == before

    def test_the_exact_start_of_a_wait_is_kept(self) -> None:
        board = Board(SALES)
        board.wait(0.6)
        board.say(ami.join(board.now, "sales", "1.1", 1, 1))
        board.wait(5)
        board.resync(ResyncReason.INTERVAL, SALES, ami.queue_entry("sales", "1.1", 1, wait=5))
        assert board.queue("sales")["waiting"][0]["since"] == ami.START + 0.6

    def test_members_and_callers_of_an_unlisted_queue_are_ignored(self) -> None:
        board = Board(SALES, ami.queue_member("nosuch", ALICE), ami.queue_entry("nosuch", "1.1", 1))
        assert list(board.document["queues"]) == ["sales"]
        assert board.document["agents"] == {}
        board.assert_healthy()

    def test_no_queues_at_all(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.resync(ResyncReason.RELOADED)
        assert board.document["queues"] == board.document["agents"] == {}

    def test_somebody_elses_list_takes_nothing_away(self) -> None:
        """In a recording: it may be of one queue or one member only."""
        board = Board(
            SALES, ami.queue_member("sales", ALICE), ami.queue_params("vip"), ami.queue_entry("vip", "1.1", 1)
        )
        board.say(ami.listing("a1", [ami.queue_params("vip"), ami.queue_member("vip", BOB)]))
        assert sorted(board.document["queues"]) == ["sales", "vip"]
        assert board.waiting("vip") == ["1.1"]
        assert sorted(board.document["agents"]) == ["1001", "1002"]
        board.wait(10)
        assert board.drift == {}

    def test_a_list_that_was_cut_off_by_the_end_of_its_connection(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        whole = ami.listing(board.live.resync_action_id(ResyncReason.INTERVAL, 7), [SALES])
        board.say(whole[: whole.index(b"Event: QueueStatusComplete")])
        board.reconnect(SALES, ami.queue_member("sales", ALICE))
        assert list(board.document["agents"]) == ["1001"]
        assert not board.live._builder._open

    def test_lists_without_an_end_are_forgotten(self) -> None:
        """Memory stays bounded, and our own list is understood all the same."""
        board = Board(SALES)
        for number in range(100):
            fake = ami.listing(f"fake/{number}", [ami.queue_params(f"q{number}")])
            board.say(fake[: fake.index(b"Event: QueueStatusComplete")])
        board.resync(ResyncReason.INTERVAL, SALES, ami.queue_member("sales", ALICE))
        assert list(board.document["agents"]) == ["1001"]
        assert list(board.document["queues"]) == ["sales"]
        assert len(board.live._builder._open) < 10


class TestReconnect:
    def test_calls_going_on_are_told_by_in_call(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE, Status=2, InCall=1))
        assert board.talking("sales") == [("", "1001")]
        board.say(ami.complete(board.now, "sales", ALICE, "1.1", "1.2"))
        assert board.talking("sales") == []

    def test_a_complete_that_was_lost_in_the_gap_is_not_waited_for(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.say(ami.connect(board.now, "sales", ALICE, "1.1", "1.2"), ami.hangup(board.now, "1.1"))
        board.reconnect(SALES, ami.queue_member("sales", ALICE))
        assert leftovers(board.live) == {}
        board.say(
            ami.connect(board.now, "sales", ALICE, "2.1", "2.2"), ami.complete(board.now, "sales", ALICE)
        )
        assert board.talking("sales") == []

    def test_a_call_that_goes_on_over_the_gap(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.say(ami.connect(board.now, "sales", ALICE, "1.1", "1.2"))
        board.wait(30)
        board.reconnect(SALES, ami.queue_member("sales", ALICE, Status=2, InCall=1))
        assert board.queue("sales")["in_progress"] == [
            {"uniqueid": "1.1", "agent": "1001", "since": ami.START}
        ]

    @pytest.mark.parametrize("in_call", [0, None])
    def test_a_call_that_ended_in_the_gap(self, in_call: int | None) -> None:
        """11 does not tell InCall; a phone that is free tells it as well."""
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.say(ami.connect(board.now, "sales", ALICE, "1.1", "1.2"))
        listed = ami.queue_member("sales", ALICE)
        board.reconnect(SALES, listed if in_call == 0 else listed.replace(b"InCall: 0\r\n", b""))
        assert board.talking("sales") == []
        assert board.agent("1001")["state"] == "idle"

    def test_a_call_whose_member_was_removed_before_the_gap(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.say(ami.connect(board.now, "sales", ALICE, "1.1", "1.2"))
        board.say(ami.member_event(board.now, "Removed", "sales", ALICE))
        board.reconnect(SALES)
        assert board.talking("sales") == []
        assert board.document["agents"] == {}
        assert leftovers(board.live) == {}

    def test_a_resync_alone_ends_no_call(self) -> None:
        """A reload in mid-call sets InCall to 0, and the talk goes on."""
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.say(ami.connect(board.now, "sales", ALICE, "1.1", "1.2"))
        board.resync(ResyncReason.RELOADED, SALES, ami.queue_member("sales", ALICE, Status=2, InCall=0))
        assert board.talking("sales") == [("1.1", "1001")]

    def test_a_connect_that_the_list_was_ahead_of(self) -> None:
        """In overload the list tells InCall=1 and the AgentConnect comes after it: one call, not two."""
        board = Board(SALES, ami.queue_member("sales", ALICE, Status=2, InCall=1))
        board.say(ami.connect(board.now, "sales", ALICE, "1.1", "1.2"))
        assert board.talking("sales") == [("1.1", "1001")]
        board.wait(60)
        board.say(ami.complete(board.now, "sales", ALICE, "1.1", "1.2"), ami.hangup(board.now, "1.1"))
        assert board.talking("sales") == []
        assert leftovers(board.live) == {}

    def test_a_caller_who_left_and_came_again_in_the_gap(self) -> None:
        """The same Uniqueid, another visit: his wait begins anew, and he was offered once more."""
        board = Board(SALES)
        board.say(ami.join(board.now, "sales", "1.1", 1, 1))
        board.wait(300)
        board.reconnect(SALES, ami.queue_entry("sales", "1.1", 1, wait=10))
        assert board.queue("sales")["waiting"][0]["since"] == ami.START + 290
        assert board.queue("sales")["offered"] == 2

    def test_a_caller_who_waits_over_the_gap(self) -> None:
        board = Board(SALES)
        board.say(ami.join(board.now, "sales", "1.1", 1, 1))
        board.wait(300)
        board.reconnect(SALES, ami.queue_entry("sales", "1.1", 1, wait=300))
        assert board.queue("sales")["waiting"][0]["since"] == ami.START
        assert board.queue("sales")["offered"] == 1

    def test_what_is_known_stays_while_the_connection_is_lost(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE), ami.queue_entry("sales", "1.1", 1))
        before = board.document
        board.live.disconnected("eof")
        assert board.document == before | {"up": False}
        board.live.connected("11.0.0")
        assert board.document["up"] is False
        board.resync(ResyncReason.CONNECTED, SALES)
        assert board.document["up"] is True

    def test_pauses_from_the_gap(self) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        board.wait(100)
        since = int(board.now) - 40
        board.reconnect(
            SALES, ami.queue_member("sales", ALICE, Paused=1, PausedReason="lunch", LastPause=since)
        )
        assert board.agent("1001")["paused_since"] == since


class TestWhenItIsAskedFor:
    @pytest.mark.parametrize(
        ("frame", "reason"),
        [
            (ami.frame("FullyBooted", [("Status", "Fully Booted")]), ResyncReason.BOOTED),
            (ami.frame("Reload", [("Module", "app_queue.so"), ("Status", "0")]), ResyncReason.RELOADED),
            (ami.frame("Reload", [("Module", "All"), ("Status", "0")]), ResyncReason.RELOADED),
            (ami.frame("Load", [("Module", "app_queue.so"), ("Status", "Success")]), ResyncReason.RELOADED),
            (ami.join(None, "sales", "1.1", 1, 5), ResyncReason.COUNT_MISMATCH),
            (ami.leave(None, "sales", "1.1", 1, 5), ResyncReason.COUNT_MISMATCH),
            (ami.member_event(None, "Status", "sales", BOB), ResyncReason.UNKNOWN_QUEUE),
            (ami.member_event(None, "Status", "nosuch", ALICE), ResyncReason.UNKNOWN_QUEUE),
            (ami.connect(None, "nosuch", ALICE, "1.1", "1.2"), ResyncReason.UNKNOWN_QUEUE),
        ],
    )
    def test_reasons(self, frame: bytes, reason: ResyncReason) -> None:
        board = Board(SALES, ami.queue_member("sales", ALICE))
        assert board.live.state.resync_wanted is None
        board.say(frame)
        assert board.live.state.take_resync() is reason
        assert board.live.state.take_resync() is None

    def test_news_win_over_suspicion(self) -> None:
        board = Board(SALES)
        board.say(ami.join(None, "sales", "1.1", 1, 5))
        board.say(ami.frame("Reload", ami.stamp(None), [("Module", "All")]))
        board.say(ami.leave(None, "sales", "1.1", 1, 5))
        assert board.live.state.take_resync() is ResyncReason.RELOADED

    def test_they_are_counted_by_reason(self) -> None:
        board = Board(SALES)
        board.resync(ResyncReason.INTERVAL, SALES)
        board.resync(ResyncReason.INTERVAL, SALES)
        assert board.live.resyncs == {ResyncReason.CONNECTED: 1, ResyncReason.INTERVAL: 2}
