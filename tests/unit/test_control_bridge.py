"""The bridge from threads to switchboards: answers, time limits, lost connections, and what never happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from asterpanel_control_api.switchboards.bridge import Bridge
from asterpanel_control_api.switchboards.link import (
    MOST_IN_FLIGHT,
    Answer,
    NotConnected,
    TooManyActions,
    Unanswered,
)
from asterpanel_control_api.switchboards.turns import MOST_WAITING, Turns, TurnTaken
from asterpanel_switchboard.actions import InvalidActionValue
from asterpanel_switchboard.session import SessionState
from tests.exporter_process import free_port
from tests.pbx.control_queues import NAME, QueueSwitchboard, member
from tests.pbx.pbx import wait_until

PAUSE = {"Action": "QueuePause", "Interface": "PJSIP/1001", "Paused": "true"}


@pytest.fixture
def board() -> Iterator[QueueSwitchboard]:
    with QueueSwitchboard({"billing": [member("PJSIP/1001")]}) as running:
        yield running


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as running:
        yield running


def seconds(what: Callable[[], object]) -> float:
    began = time.monotonic()
    what()
    return time.monotonic() - began


def is_up(bridge: Bridge) -> bool:
    return bridge.connections()[NAME].is_up


class TestAnswers:
    def test_success_and_refusal(self, board: QueueSwitchboard) -> None:
        assert board.bridge.request(NAME, PAUSE, 2) == Answer(True, "Interface paused successfully")
        refused = board.bridge.request(NAME, PAUSE | {"Interface": "PJSIP/7"}, 2)
        assert refused == Answer(False, "Interface not found")

    def test_a_message_that_ends_in_a_bare_line_feed(self, board: QueueSwitchboard) -> None:
        action = {"Action": "QueueMemberRingInUse", "Interface": "PJSIP/7", "RingInUse": "yes"}
        answer = board.bridge.request(NAME, action, 2)
        assert answer == Answer(False, "Invalid interface, queuename, or ringinuse value")
        assert board.bridge.request(NAME, PAUSE, 2).success

    def test_many_threads_each_get_their_own(self, board: QueueSwitchboard, pool: ThreadPoolExecutor) -> None:
        def ask(number: int) -> bool:
            interface = "PJSIP/1001" if number % 2 else f"PJSIP/{number}"
            return board.bridge.request(NAME, PAUSE | {"Interface": interface}, 5).success

        for _ in range(20):
            assert list(pool.map(ask, range(24))) == [bool(number % 2) for number in range(24)]

    def test_an_unknown_switchboard(self, board: QueueSwitchboard) -> None:
        with pytest.raises(KeyError):
            board.bridge.request("roma", PAUSE, 2)

    def test_a_line_break_is_not_sent(self, board: QueueSwitchboard) -> None:
        received = board.server.received
        with pytest.raises(InvalidActionValue):
            board.bridge.request(NAME, PAUSE | {"Reason": "x\r\n\r\nAction: Logoff"}, 2)
        assert board.bridge.request(NAME, PAUSE, 2).success
        assert b"Logoff" not in board.server.received.removeprefix(received)


class TestNoAnswer:
    def test_in_time(self, board: QueueSwitchboard) -> None:
        board.do(lambda: board.server.answers.update(QueuePause=lambda _: None))
        with pytest.raises(Unanswered, match="no answer in time"):
            board.bridge.request(NAME, PAUSE, 0.2)
        assert board.server.count("QueuePause") == 1

    def test_its_connection_is_reset_and_a_new_one_works(self, board: QueueSwitchboard) -> None:
        board.do(lambda: board.server.delays.update(QueuePause=0.5))
        with pytest.raises(Unanswered):
            board.bridge.request(NAME, PAUSE, 0.1)
        board.do(board.server.delays.clear)
        wait_until(lambda: board.server.connections == 2 and is_up(board.bridge), what="a new connection")
        assert board.bridge.request(NAME, PAUSE, 2).success
        assert board.server.count("QueuePause") == 2

    def test_because_the_connection_was_lost(self, board: QueueSwitchboard, pool: ThreadPoolExecutor) -> None:
        board.do(lambda: board.server.answers.update(QueuePause=lambda _: None))
        asked = pool.submit(board.bridge.request, NAME, PAUSE, 10)
        wait_until(lambda: board.server.count("QueuePause") == 1, what="it was received")
        board.do(board.server.reset)
        with pytest.raises(Unanswered, match="lost before the answer"):
            asked.result(2)
        wait_until(lambda: is_up(board.bridge), what="connected again")
        assert board.bridge.request(NAME, PAUSE | {"Action": "QueuePenalty", "Penalty": "1"}, 2).success
        assert board.server.count("QueuePause") == 1

    def test_others_are_not_sent_beyond_a_limit(
        self, board: QueueSwitchboard, pool: ThreadPoolExecutor
    ) -> None:
        board.do(lambda: board.server.answers.update(QueuePause=lambda _: None))
        asked = [pool.submit(board.bridge.request, NAME, PAUSE, 1) for _ in range(MOST_IN_FLIGHT)]
        wait_until(lambda: board.server.count("QueuePause") == MOST_IN_FLIGHT, what="all were received")
        with pytest.raises(TooManyActions):
            board.bridge.request(NAME, PAUSE, 1)
        wait(asked)
        assert all(isinstance(one.exception(), Unanswered) for one in asked)
        assert board.server.count("QueuePause") == MOST_IN_FLIGHT
        wait_until(lambda: is_up(board.bridge), what="connected again")
        assert board.bridge.connections()[NAME].in_flight == 0


class TestHanging:
    """A switchboard that answers nothing would do later what it has received."""

    def test_it_gets_no_action(self, board: QueueSwitchboard) -> None:
        board.do(board.server.freeze)
        began = time.monotonic()
        with pytest.raises(NotConnected, match="no answer to a ping"):
            board.bridge.request(NAME, PAUSE, 1)
        assert time.monotonic() - began < 1
        board.do(board.server.thaw)
        wait_until(lambda: board.server.count("Ping") >= 2, what="it goes on")
        assert board.bridge.request(NAME, PAUSE | {"Reason": "after"}, 2).success
        assert [action.get("reason") for action in board.actions] == ["after"]

    def test_nor_one_that_is_lost_meanwhile(self, board: QueueSwitchboard, pool: ThreadPoolExecutor) -> None:
        pings = board.server.count("Ping")
        board.do(lambda: board.server.answers.update(Ping=lambda _: None))
        asked = pool.submit(board.bridge.request, NAME, PAUSE, 10)
        wait_until(lambda: board.server.count("Ping") > pings, what="the ping was received")
        board.do(board.server.reset)
        with pytest.raises(NotConnected, match="closed"):
            asked.result(2)
        assert board.actions == []


class TestNotConnected:
    def test_told_at_once_and_never_sent(self, board: QueueSwitchboard) -> None:
        board.do(board.server.stop)
        wait_until(lambda: not is_up(board.bridge), what="the loss is noticed")
        began = time.monotonic()
        for _ in range(5):
            with pytest.raises(NotConnected, match=r"refused|closed"):
                board.bridge.request(NAME, PAUSE, 5)
        assert time.monotonic() - began < 0.5
        board.start_again()
        wait_until(lambda: is_up(board.bridge), what="connected again")
        assert board.bridge.request(NAME, PAUSE | {"Reason": "after"}, 2).success
        assert [action.get("reason") for action in board.actions] == ["after"]

    def test_a_refused_login(self, board: QueueSwitchboard) -> None:
        board.do(lambda: setattr(board.server, "refuse", True))
        board.do(board.server.reset)
        wait_until(lambda: board.bridge.connections()[NAME].state is SessionState.REFUSED, what="refused")
        with pytest.raises(NotConnected, match="login as 'asterpanel' refused"):
            board.bridge.request(NAME, PAUSE, 5)
        assert board.server.secret not in board.bridge.connections()[NAME].problem

    def test_the_first_attempt_is_waited_for(self, board: QueueSwitchboard) -> None:
        board.do(lambda: board.server.delays.update(greeting=0.3))
        bridge = Bridge({NAME: board.login()})
        try:
            assert bridge.request(NAME, PAUSE, 3).success
        finally:
            bridge.stop()

    def test_but_only_as_long_as_there_is_time(self, board: QueueSwitchboard) -> None:
        board.do(lambda: board.server.delays.update(greeting=5))
        bridge = Bridge({NAME: board.login()})
        try:
            with pytest.raises(NotConnected, match="connecting"):
                bridge.request(NAME, PAUSE, 0.2)
        finally:
            bridge.stop()
        assert board.server.count("QueuePause") == 0

    def test_one_away_does_not_concern_the_others(self, board: QueueSwitchboard) -> None:
        away = board.login(name="roma", port=free_port())
        bridge = Bridge({NAME: board.login(), "roma": away})
        try:
            with pytest.raises(NotConnected):
                bridge.request("roma", PAUSE, 2)
            assert bridge.request(NAME, PAUSE, 2).success
        finally:
            bridge.stop()


class TestEnd:
    def test_who_waits_is_told(self, board: QueueSwitchboard, pool: ThreadPoolExecutor) -> None:
        board.do(lambda: board.server.answers.update(QueuePause=lambda _: None))
        asked = pool.submit(board.bridge.request, NAME, PAUSE, 30)
        wait_until(lambda: board.server.count("QueuePause") == 1, what="it was received")
        assert seconds(board.bridge.stop) < 2
        with pytest.raises(Unanswered):
            asked.result(2)
        with pytest.raises(NotConnected, match="ending"):
            board.bridge.request(NAME, PAUSE, 2)
        wait_until(lambda: not board.server.open, what="the connection is closed")

    def test_never_started(self) -> None:
        bridge = Bridge({})
        bridge.stop()
        assert bridge.connections() == {}

    def test_no_switchboards(self) -> None:
        bridge = Bridge({})
        bridge.start()
        assert bridge.connections() == {}
        bridge.stop()
        assert not any(thread.name == "control sessions" for thread in threading.enumerate())


class TestTurns:
    def test_in_the_order_of_arrival(self, pool: ThreadPoolExecutor) -> None:
        turns, order = Turns(), list[int]()
        asked: list[Future[None]] = []

        def take(number: int) -> None:
            with turns.turn("1001", 5):
                order.append(number)

        with turns.turn("1001", 1):
            for number in range(MOST_WAITING):
                asked.append(pool.submit(take, number))
                wait_until(lambda: len(turns._lines["1001"]) == 1 + len(asked), step=0.001)
            with pytest.raises(TurnTaken), turns.turn("1001", 5):
                pass
            with turns.turn("1002", 0):
                pass
            assert order == []
        wait(asked)
        assert order == list(range(MOST_WAITING))

    def test_who_gives_up_stands_in_nobodys_way(self, pool: ThreadPoolExecutor) -> None:
        turns = Turns()
        with turns.turn("1001", 1):
            with pytest.raises(TurnTaken), turns.turn("1001", 0.05):
                pass
        with turns.turn("1001", 0):
            pass

    def test_one_who_fails_lets_go(self) -> None:
        turns = Turns()
        with pytest.raises(ZeroDivisionError), turns.turn("1001", 0):
            raise ZeroDivisionError
        with turns.turn("1001", 0):
            pass
