"""Every recording through the live code: what a panel would have shown, against the recorded truth.

The truth is ``truth.json``, the notes taken when the recordings were made, Asterisk's own
queue_log and the configuration that the recordings were made with; times are read in the raw frames.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterpanel_exporter.live import LiveSwitchboard
from asterpanel_exporter.replay import Replay
from asterpanel_exporter.state import ResyncReason
from asterpanel_switchboard.merge_patch import Document
from tests.traces import ALL, FLOOD, SCENARIOS, recording, truth
from tests.unit import ami
from tests.unit.ami import leftovers

SLACK_S = 0.05
"""How soon an event must show."""

AGENTS = {
    "Alice": "1001", "Bob": "1002", "Carol": "1003", "Dario": "1004", "Elena": "1005", "Franco": "1006",
    "Hugo": "1007", "Gino": "1101", "Paula": "2001",
}  # fmt: skip
"""MemberName → extension, by the READMEs."""

MEMBERS = {
    "billing": {"Alice", "Bob"}, "vip": {"Bob", "Carol"}, "ringall": {"Alice", "Bob", "Carol"},
    "leaveq": {"Dario"}, "fullq": {"Dario"}, "exitq": {"Dario"}, "wrapq": {"Elena"}, "autopq": {"Elena"},
    "delayq": {"Franco"}, "localq": {"Alice"}, "localopt": {"Alice"}, "customq": {"Gino"},
    "poolq": {"Paula"}, "single": {"Hugo"}, "emptyq": set(), "support": {"Alice", "Bob"},
    "sales": {"Bob", "Carol"},
}  # fmt: skip
"""queues_x.conf and queues.conf of the recordings; later ones have ``statesq`` and ``flood`` too."""

ATTENDED_AT_THE_END = "attended_transfer_dtmf"
"""Its truth ends the talk where the consultation begins. For a panel the call is in progress until it has
been handed over: until then the agent can take it back."""

WITHOUT_RINGING = {"Hugo", "Paula"}
"""Hugo's phone says busy while it rings (device_state_busy_at=1); Paula's is a Local channel."""


def replayed(*names: str) -> Replay:
    replay = Replay(LiveSwitchboard("milano"))
    for name in names:
        replay.play([recording(name)])
    replay.end()
    return replay


def document_of(replay: Replay) -> Document:
    return replay.live.document(replay.live.state.as_of)


class Film:
    """What the panel showed after each frame of a recording."""

    def __init__(self, *names: str) -> None:
        self.times: list[float] = []
        self.pictures: list[Document] = []
        self._replay = Replay(LiveSwitchboard("milano"))
        revision: tuple[int, int] | None = None

        def frames(name: str) -> Iterator[bytes]:
            nonlocal revision
            for piece in re.split(rb"(?<=\r\n\r\n)", recording(name)):
                yield piece
                live = self._replay.live
                if live.revision != revision and live.state.as_of:
                    revision = live.revision
                    self.times.append(live.state.as_of)
                    self.pictures.append(live.document(live.state.as_of))

        for name in names:
            self._replay.play(frames(name))

    def at(self, time: float) -> Document:
        """The picture at a time."""
        place = bisect_right(self.times, time)
        return self.pictures[place - 1] if place else {"queues": {}, "agents": {}}

    def between(self, begin: float, end: float) -> list[Document]:
        """All pictures shown in a span of time: that at its begin and each change in it."""
        inside = [
            picture for time, picture in zip(self.times, self.pictures, strict=True) if begin < time < end
        ]
        return [self.at(begin), *inside]


@cache
def film(name: str) -> Film:
    return Film(name)


@cache
def raw(name: str) -> list[dict[str, str]]:
    """The frames of a recording as plain headers, read without the code under test."""
    frames = []
    for piece in recording(name).decode("utf-8", "replace").split("\r\n\r\n"):
        headers: dict[str, str] = {}
        for line in piece.strip().split("\r\n"):
            key, _, value = line.partition(": ")
            headers.setdefault(key, value)
        frames.append(headers)
    return frames


def times_of(name: str, event: str, **wanted: str) -> list[float]:
    return [
        float(frame["Timestamp"])
        for frame in raw(name)
        if frame.get("Event") == event and all(frame.get(key) == value for key, value in wanted.items())
    ]


def joined(name: str, call: dict[str, Any]) -> float:
    """When a call of the truth joined its queue."""
    (time,) = times_of(name, "QueueCallerJoin", Queue=call["queue"], Uniqueid=call["uniqueid"])
    return time


def waited(scenario: str) -> list[dict[str, Any]]:
    """The truth's calls that entered their queues."""
    return [call for call in truth(scenario) if call["outcome"] not in ("join_empty", "full")]


def talks(scenario: str) -> list[dict[str, Any]]:
    return [call for call in truth(scenario) if call["outcome"] == "answered"]


def waiting(picture: Document, queue: str) -> list[Document]:
    callers: list[Document] = picture["queues"].get(queue, {"waiting": []})["waiting"]
    return callers


def talking(picture: Document, queue: str) -> list[tuple[str, str]]:
    calls = picture["queues"].get(queue, {"in_progress": []})["in_progress"]
    return [(call["uniqueid"], call["agent"]) for call in calls]


WAITS = [(name, call) for name in SCENARIOS for call in waited(name)]
TALKS = [(name, call) for name in SCENARIOS for call in talks(name)]


def ids(cases: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [f"{name}-{call['queue']}" for name, call in cases]


class TestHealth:
    @pytest.mark.parametrize("name", ALL)
    def test_no_errors_no_drift_no_leftovers(self, name: str) -> None:
        replay = replayed(name)
        assert not replay.errors
        assert replay.live.errors == 0
        assert not replay.live.drift
        assert leftovers(replay.live) == {}
        assert replay.frames == recording(name).count(b"\r\n\r\n")

    def test_all_of_them_one_after_the_other(self) -> None:
        replay = replayed(*ALL)
        assert not replay.errors
        assert replay.live.errors == 0
        assert not replay.live.drift
        assert leftovers(replay.live) == {}
        document = document_of(replay)
        assert not any(queue["waiting"] or queue["in_progress"] for queue in document["queues"].values())

    @pytest.mark.parametrize(("folder", "version"), [("asterisk-16", "16"), ("asterisk-22", "22")])
    def test_the_version_is_in_the_greeting(self, folder: str, version: str) -> None:
        document = document_of(replayed(f"{folder}/timeout"))
        assert (document["version"], document["up"]) == (version, True)

    def test_there_are_as_many_as_were_recorded(self) -> None:
        assert len(ALL) == 45


class TestEnd:
    """How each scenario left the queues."""

    @pytest.mark.parametrize("name", SCENARIOS)
    def test_nobody_waits_or_talks_and_nobody_is_paused(self, name: str) -> None:
        """Each scenario undid its pauses, as its queue_log says."""
        document = document_of(replayed(name))
        for queue in document["queues"].values():
            assert (queue["waiting"], queue["in_progress"]) == ([], [])
            assert not any(member["paused"] for member in queue["members"].values())
        assert not any(agent["paused"] for agent in document["agents"].values())

    @pytest.mark.parametrize("name", SCENARIOS)
    def test_states_of_all_agents(self, name: str) -> None:
        """All are idle, but for who has logged off from his pool or whose device does not exist."""
        agents = document_of(replayed(name))["agents"]
        scenario = name.partition("/")[2]
        away = {agent for agent, state in agents.items() if state["state"] == "unavailable"}
        idle = {agent for agent, state in agents.items() if state["state"] == "idle"}
        assert away == (
            {"2001"} if scenario in ("agent_pool", "member_actions", "module_unload_load") else set()
        )
        assert idle == agents.keys() - away

    @pytest.mark.parametrize("name", SCENARIOS)
    def test_calls_offered(self, name: str) -> None:
        document = document_of(replayed(name))
        offered = Counter({key: queue["offered"] for key, queue in document["queues"].items()})
        assert +offered == Counter(call["queue"] for call in truth(name))

    @pytest.mark.parametrize("name", SCENARIOS)
    def test_members_are_those_of_the_configuration(self, name: str) -> None:
        document = document_of(replayed(name))
        for queue, state in document["queues"].items():
            if queue in ("flood", "statesq"):
                continue
            agents = {AGENTS[member] for member in MEMBERS[queue]}
            assert state["members"].keys() <= agents, queue
            told = {
                frame["Interface"].casefold()
                for frame in raw(name)
                if frame.get("Event", "").startswith("QueueMember")
                and frame.get("Queue") == queue
                and "Interface" in frame
            } | {
                frame["Location"].casefold()
                for frame in raw(name)
                if frame.get("Event") == "QueueMember" and frame["Queue"] == queue
            }  # fmt: skip
            if name.endswith("member_actions"):
                told -= {"pjsip/1004"} if queue == "vip" else set()  # added and removed again
            assert {member["interface"].casefold() for member in state["members"].values()} == told
        for agent, known in document["agents"].items():
            if agent not in AGENTS.values():
                assert agent.startswith("5")
            elif agent == "1001" and "statesq" in known["queues"]:
                assert known["name"] == "Alice"
            else:
                assert AGENTS[known["name"]] == agent

    @pytest.mark.parametrize("name", [name for name in SCENARIOS if "nosuch" in name])
    def test_a_queue_that_does_not_exist_is_not_shown(self, name: str) -> None:
        assert document_of(replayed(name))["queues"] == {}

    @pytest.mark.parametrize("name", [name for name in SCENARIOS if name.endswith("member_actions")])
    def test_the_list_at_the_end_of_member_actions(self, name: str) -> None:
        document = document_of(replayed(name))
        agents = {queue: {AGENTS[m] for m in MEMBERS[queue]} for queue in document["queues"]}
        assert {queue: set(state["members"]) for queue, state in document["queues"].items()} == agents
        queues = document["queues"]
        assert queues["sales"]["members"]["1003"]["penalty"] == 1
        assert queues["sales"]["members"]["1002"]["penalty"] == 0
        strategies = {queue: queues[queue]["strategy"] for queue in ("billing", "support", "sales")}
        assert strategies == {"billing": "linear", "support": "rrmemory", "sales": "leastrecent"}
        assert queues["vip"]["sl_threshold_s"] == 30.0
        assert queues["billing"]["sl_threshold_s"] == 20.0
        assert queues["fullq"]["max_len"] == 1
        assert document["agents"]["1002"]["queues"] == ["billing", "ringall", "sales", "support", "vip"]


class TestWaiting:
    @pytest.mark.parametrize(("name", "call"), WAITS, ids=ids(WAITS))
    def test_listed_at_his_position_all_the_while(self, name: str, call: dict[str, Any]) -> None:
        begin = joined(name, call)
        end = begin + call["wait_s"]
        for picture in film(name).between(begin, end - SLACK_S):
            assert waiting(picture, call["queue"]) == [
                {
                    "uniqueid": call["uniqueid"],
                    "channel": ANY,
                    "caller": call["caller"],
                    "caller_name": "A" if name.endswith("queue_full") else "Anna Rossi",
                    "position": 1,
                    "since": pytest.approx(begin, abs=1e-5),
                }
            ]
            assert talking(picture, call["queue"]) == []

    @pytest.mark.parametrize(("name", "call"), WAITS, ids=ids(WAITS))
    def test_not_before_and_not_after(self, name: str, call: dict[str, Any]) -> None:
        begin = joined(name, call)
        end = begin + call["wait_s"]
        assert waiting(film(name).at(begin - 0.001), call["queue"]) == []
        assert waiting(film(name).at(end + SLACK_S), call["queue"]) == []

    def test_the_refused_one_never_waits(self) -> None:
        """maxlen=1: A waits, B is refused."""
        for name in ("asterisk-22/queue_full", "asterisk-16/queue_full"):
            assert max(len(waiting(picture, "fullq")) for picture in film(name).pictures) == 1

    def test_two_queues_one_after_the_other(self) -> None:
        name = "asterisk-22/two_queues_same_call"
        billing, vip = truth(name)
        for picture in film(name).pictures:
            queues = [queue for queue in ("billing", "vip") if waiting(picture, queue)]
            assert len(queues) <= 1
        assert waiting(film(name).at(joined(name, vip) + 0.001), "vip")[0]["uniqueid"] == billing["uniqueid"]


class TestTalking:
    @pytest.mark.parametrize(("name", "call"), TALKS, ids=ids(TALKS))
    def test_in_progress_all_the_while(self, name: str, call: dict[str, Any]) -> None:
        begin = joined(name, call) + call["wait_s"]
        end = begin + call["talk_s"]
        expected = [(call["uniqueid"], AGENTS[call["agent"]])]
        for picture in film(name).between(begin + SLACK_S, end - SLACK_S):
            assert talking(picture, call["queue"]) == expected
            assert picture["agents"][AGENTS[call["agent"]]]["state"] == "on_call"
        since = film(name).at(begin + SLACK_S)["queues"][call["queue"]]["in_progress"][0]["since"]
        assert since == pytest.approx(begin, abs=SLACK_S)

    @pytest.mark.parametrize(("name", "call"), TALKS, ids=ids(TALKS))
    def test_rises_at_the_connect(self, name: str, call: dict[str, Any]) -> None:
        (connect,) = times_of(name, "AgentConnect", Queue=call["queue"])
        assert talking(film(name).at(connect - 0.0001), call["queue"]) == []
        assert talking(film(name).at(connect), call["queue"]) == [(call["uniqueid"], AGENTS[call["agent"]])]

    @pytest.mark.parametrize(("name", "call"), TALKS, ids=ids(TALKS))
    def test_over_at_once(self, name: str, call: dict[str, Any]) -> None:
        end = joined(name, call) + call["wait_s"] + call["talk_s"]
        if name.endswith(ATTENDED_AT_THE_END):
            (end,) = times_of(name, "AttendedTransfer")
            assert talking(film(name).at(end - 0.001), call["queue"]) != []
        assert talking(film(name).at(end + SLACK_S), call["queue"]) == []
        agent = film(name).at(end + SLACK_S)["agents"][AGENTS[call["agent"]]]
        # The pool's device is busy until the agent hears the music again.
        assert agent["state"] == ("on_call" if call["agent"] == "Paula" else "idle")

    @pytest.mark.parametrize(
        "name",
        [name for name in SCENARIOS if "transfer" in name and not name.endswith("to_other_queue")],
    )
    def test_a_transfer_closes_it_before_the_caller_hangs_up(self, name: str) -> None:
        (call,) = talks(name)
        (transfer,) = times_of(name, "AttendedTransfer" if "attended" in name else "BlindTransfer")
        assert talking(film(name).at(transfer), call["queue"]) == []
        (hangup,) = times_of(name, "Hangup", Uniqueid=call["uniqueid"])
        assert hangup > transfer + 5
        for picture in film(name).between(transfer, hangup + 1):
            assert talking(picture, call["queue"]) == []

    @pytest.mark.parametrize("name", [name for name in SCENARIOS if name.endswith("to_other_queue")])
    def test_a_transfer_to_another_queue(self, name: str) -> None:
        billing, vip = truth(name)
        begin = joined(name, vip)
        assert talking(film(name).at(begin + SLACK_S), "billing") == []
        assert film(name).at(begin + SLACK_S)["agents"]["1001"]["state"] == "idle"
        picture = film(name).at(begin + vip["wait_s"] + SLACK_S)
        assert talking(picture, "vip") == [(billing["uniqueid"], "1002")]
        assert picture["agents"]["1002"]["state"] == "on_call"

    @pytest.mark.parametrize("name", [name for name in SCENARIOS if name.endswith("reload_during_call")])
    def test_a_reload_keeps_the_call(self, name: str) -> None:
        """The list after the reload says InCall 0 and no reason; the talk goes on."""
        (call,) = truth(name)
        begin = joined(name, call) + call["wait_s"]
        end = begin + call["talk_s"]
        pictures = film(name).between(begin + 0.2, end - SLACK_S)
        assert all(talking(picture, "billing") == [(call["uniqueid"], "1001")] for picture in pictures)
        bob = [picture["queues"]["billing"]["members"]["1002"] for picture in pictures]
        assert all(member["paused"] for member in bob)
        assert bob[-1]["pause_reason"] == ""
        told = [picture["queues"]["billing"]["members"].get("1002") for picture in film(name).pictures
                if "billing" in picture["queues"]]  # fmt: skip
        assert "lunch" in {member["pause_reason"] for member in told if member is not None}
        (paused, unpaused) = times_of(name, "QueueMemberPause")
        assert film(name).at(paused)["agents"]["1002"]["paused_since"] == pytest.approx(paused, abs=1e-5)
        assert film(name).at(unpaused - 0.001)["agents"]["1002"]["state"] == "paused"
        assert film(name).at(unpaused)["agents"]["1002"]["state"] == "idle"

    def test_memberdelay(self) -> None:
        """Answered, and not connected yet: the caller waits, the agent is on his phone."""
        name = "asterisk-22/memberdelay_answered"
        (call,) = truth(name)
        connect = joined(name, call) + call["wait_s"]
        picture = film(name).at(connect - 1)
        assert len(waiting(picture, "delayq")) == 1
        assert talking(picture, "delayq") == []
        assert picture["agents"]["1006"]["state"] == "on_call"

    def test_agent_dump_leaves_the_caller_where_he_was(self) -> None:
        name = "asterisk-22/memberdelay_agent_dump"
        dumps = times_of(name, "AgentDump")
        assert len(dumps) == 2
        for dump in dumps:
            picture = film(name).at(dump + SLACK_S)
            assert len(waiting(picture, "delayq")) == 1
            assert talking(picture, "delayq") == []


def rings() -> list[tuple[str, str, str, float, float]]:
    """(recording, queue, agent, begin, end) of each time that a phone rang for a second or more."""
    found = []
    for name in SCENARIOS:
        for called in (frame for frame in raw(name) if frame.get("Event") == "AgentCalled"):
            if called["MemberName"] in WITHOUT_RINGING:
                continue
            begin = float(called["Timestamp"])
            ends = [
                float(frame["Timestamp"])
                for frame in raw(name)
                if (
                    frame.get("Event") == "DialEnd"
                    and frame.get("DestUniqueid") == called["DestUniqueid"]
                    and frame.get("DialStatus") != "RINGING"
                )
                or (frame.get("Event") == "Hangup" and frame.get("Uniqueid") == called["DestUniqueid"])
            ]
            end = min(ends)
            if end - begin > 1:
                found.append((name, called["Queue"], AGENTS[called["MemberName"]], begin, end))
    return found


class TestAgents:
    def test_ringing_while_rung(self) -> None:
        cases = rings()
        assert len(cases) > 30
        for name, queue, agent, begin, end in cases:
            for picture in film(name).between(begin + SLACK_S, end - SLACK_S):
                assert picture["agents"][agent]["state"] == "ringing", (name, agent)
                assert picture["queues"][queue]["members"][agent]["state"] == "ringing", (name, agent)
            assert film(name).at(end + SLACK_S)["agents"][agent]["state"] != "ringing", (name, agent)

    def test_a_phone_that_is_busy_while_it_rings(self) -> None:
        """device_state_busy_at=1: Asterisk itself says busy (3), and calls nobody there."""
        name = "asterisk-22/agent_rejects_busy"
        (first, *_) = times_of(name, "AgentCalled")
        assert film(name).at(first + 1)["agents"]["1007"]["state"] == "on_call"

    def test_an_agent_of_several_queues_is_one(self) -> None:
        name = "asterisk-22/two_queues_same_call"
        (_, bob, _) = times_of(name, "AgentCalled")
        picture = film(name).at(bob + SLACK_S)
        assert picture["agents"]["1002"]["queues"] == ["billing", "ringall", "vip"]
        for queue in ("billing", "ringall", "vip"):
            assert picture["queues"][queue]["members"]["1002"]["state"] == "ringing"
        assert picture["agents"]["1001"]["queues"] == ["billing", "localopt", "localq", "ringall"]

    def test_interfaces_of_one_agent(self) -> None:
        """Alice is PJSIP/1001, Local/1001@agentloc and Local/1001@agentloc/n."""
        picture = film("asterisk-22/local_n_member").pictures[-1]
        members = {queue: state["members"].get("1001") for queue, state in picture["queues"].items()}
        interfaces = {queue: member["interface"] for queue, member in members.items() if member}
        assert interfaces["localq"] == "Local/1001@agentloc/n"
        assert interfaces["billing"] == "PJSIP/1001"
        assert picture["agents"]["1001"]["name"] == "Alice"

    def test_ringall(self) -> None:
        """All three ring; Bob answers and the others are idle at once."""
        name = "asterisk-22/ringall_answered_elsewhere"
        (*_, last) = times_of(name, "AgentCalled")
        (connect,) = times_of(name, "AgentConnect")
        states = [film(name).at(time + SLACK_S)["agents"] for time in (last, connect)]
        assert [states[0][agent]["state"] for agent in ("1001", "1002", "1003")] == ["ringing"] * 3
        assert [states[1][agent]["state"] for agent in ("1001", "1002", "1003")] == [
            "idle",
            "on_call",
            "idle",
        ]

    def test_autopause(self) -> None:
        """queue_log: PAUSE Auto-Pause at …991, UNPAUSE back at …994."""
        name = "asterisk-22/autopause"
        paused, unpaused = times_of(name, "QueueMemberPause")
        assert (int(paused), int(unpaused)) == (1795390991, 1795390994)
        for picture in film(name).between(paused, unpaused - 0.001):
            member = picture["queues"]["autopq"]["members"]["1005"]
            assert (member["paused"], member["pause_reason"]) == (True, "Auto-Pause")
            elena = picture["agents"]["1005"]
            assert elena["paused"] is False, "she is paused in one of her two queues only"
            assert picture["queues"]["wrapq"]["members"]["1005"]["paused"] is False
        member = film(name).at(unpaused)["queues"]["autopq"]["members"]["1005"]
        assert (member["paused"], member["pause_reason"]) == (False, "")
        assert waiting(film(name).at(paused + 1), "autopq")[0]["position"] == 1

    @pytest.mark.parametrize("name", [name for name in SCENARIOS if "leavewhenempty" in name])
    def test_paused_while_ringing(self, name: str) -> None:
        paused, unpaused = times_of(name, "QueueMemberPause")
        member = film(name).at(paused + 1)["queues"]["leaveq"]["members"]["1004"]
        assert (member["state"], member["paused"], member["pause_reason"]) == ("ringing", True, "lunch")
        member = film(name).at(unpaused - 0.0005)["queues"]["leaveq"]["members"]["1004"]
        assert (member["state"], member["paused"]) == ("paused", True)

    @pytest.mark.parametrize(
        "name", [name for name in SCENARIOS if name.endswith(("abandoned_no_member", "withdrawn"))]
    )
    def test_all_members_paused(self, name: str) -> None:
        (call,) = truth(name)
        agents = film(name).at(joined(name, call) + 1)["agents"]
        assert {agent: agents[agent]["state"] for agent in ("1001", "1002")} == {
            "1001": "paused",
            "1002": "paused",
        }

    @pytest.mark.parametrize("name", [name for name in SCENARIOS if name.endswith("member_actions")])
    def test_member_actions(self, name: str) -> None:
        """ADDMEMBER PAUSED (training), UNPAUSE, PAUSEALL pranzo, caffè, UNPAUSEALL, PENALTY, …"""
        (added,) = times_of(name, "QueueMemberAdded")
        reason = "training" if name.startswith("asterisk-22") else ""  # QueueAdd of 16 takes no reason
        dario = film(name).at(added)["queues"]["vip"]["members"]["1004"]
        assert (dario["paused"], dario["pause_reason"], dario["penalty"]) == (True, reason, 2)
        assert (dario["dynamic"], dario["ring_in_use"], dario["since"]) == (
            True, False, pytest.approx(added, abs=1e-5),
        )  # fmt: skip
        agent = film(name).at(added)["agents"]["1004"]
        assert (agent["name"], agent["state"], agent["pause_reason"]) == (
            "Dario Ünïcode",
            "paused",
            reason,
        )

        pauses = times_of(name, "QueueMemberPause", Interface="PJSIP/1002")
        assert len(pauses) == 9
        for time, reason in ((pauses[2], "pranzo"), (pauses[5], "caffè")):
            bob = film(name).at(time)["agents"]["1002"]
            assert (bob["state"], bob["pause_reason"]) == ("paused", reason)
            assert bob["paused_since"] == pytest.approx(time, abs=0.01)
        assert film(name).at(pauses[8])["agents"]["1002"]["paused"] is False

        penalties = times_of(name, "QueueMemberPenalty")
        assert film(name).at(penalties[0])["queues"]["vip"]["members"]["1004"]["penalty"] == 5
        bob_in = [
            film(name).at(penalties[3])["queues"][q]["members"]["1002"] for q in ("ringall", "billing", "vip")
        ]
        assert [member["penalty"] for member in bob_in] == [1, 1, 1]
        (ring_in_use,) = times_of(name, "QueueMemberRinginuse")
        assert film(name).at(ring_in_use)["queues"]["vip"]["members"]["1004"]["ring_in_use"] is True
        (removed,) = times_of(name, "QueueMemberRemoved")
        assert "1004" not in film(name).at(removed)["queues"]["vip"]["members"]

    def test_agent_pool(self) -> None:
        name = "asterisk-22/agent_pool"
        (login,) = times_of(name, "AgentLogin")
        (call,) = truth(name)
        assert waiting(film(name).at(login + 3), "poolq")[0]["uniqueid"] == call["uniqueid"]
        (_, _, free, gone) = times_of(name, "QueueMemberStatus", Queue="poolq")
        assert film(name).at(free - 0.001)["agents"]["2001"]["state"] == "on_call"
        assert film(name).at(free)["agents"]["2001"]["state"] == "idle"
        assert film(name).at(gone)["agents"]["2001"]["state"] == "unavailable"

    def test_calls_taken(self) -> None:
        document = document_of(replayed("asterisk-22/answered_caller_hangup"))
        assert document["queues"]["billing"]["members"]["1001"]["calls_taken"] == 1
        assert document["queues"]["billing"]["members"]["1001"]["last_call"] == 1795390411.0


class TestModule:
    NAMES = ("asterisk-22/member_actions", "asterisk-22/module_unload_load")

    def test_unload_empties_and_load_brings_back(self) -> None:
        name = self.NAMES[1]
        shown = Film(*self.NAMES)
        (unload,) = times_of(name, "Unload")
        (load,) = times_of(name, "Load")
        assert len(shown.at(unload - 0.001)["queues"]) == 17
        assert shown.at(unload)["queues"] == shown.at(unload)["agents"] == {}
        assert shown.at(load - 0.0001)["queues"] == {}
        last = shown.pictures[-1]
        assert set(last["queues"]) == set(MEMBERS) | {"flood"}
        assert len(last["queues"]["flood"]["members"]) == 300
        assert len(last["agents"]) == 300 + len(AGENTS)
        assert last["agents"]["5018"]["name"] == "Agent 18"
        assert {agent["state"] for key, agent in last["agents"].items() if key != "2001"} == {"idle"}

    def test_what_it_asks_for(self) -> None:
        live = replayed(self.NAMES[1]).live
        assert live.state.resync_wanted is ResyncReason.BOOTED, "the first of them stands"


class TestFlood:
    """300 calls at 30 a second; 26 AgentComplete without DestUniqueid, 3 without Uniqueid."""

    def test_the_end(self) -> None:
        replay = replayed(FLOOD)
        document = document_of(replay)
        flood = document["queues"]["flood"]
        assert (flood["waiting"], flood["in_progress"], flood["offered"]) == ([], [], 300)
        assert (
            set(flood["members"]) == set(document["agents"]) == {str(number) for number in range(5000, 5300)}
        )
        assert {member["state"] for member in flood["members"].values()} == {"idle"}
        assert {agent["state"] for agent in document["agents"].values()} == {"idle"}
        assert {agent["queues"][0] for agent in document["agents"].values()} == {"flood"}
        assert {document["agents"][f"5{number:03}"]["name"] for number in range(300)} == {
            f"Agent {number}" for number in range(300)
        }
        assert leftovers(replay.live) == {}
        assert list(document["queues"]) == ["flood"]

    def test_at_every_moment(self) -> None:
        """Calls in progress = Connects less ends, the end being Complete or the first Hangup of the two."""
        live = LiveSwitchboard("milano")
        replay = Replay(live)
        ends = {b"AgentComplete", b"Hangup", b"AgentConnect", b"QueueCallerJoin", b"QueueCallerLeave"}
        most = checked = 0

        def pieces() -> Iterator[bytes]:
            nonlocal most, checked
            connected: dict[str, str] = {}
            inside: set[str] = set()
            for piece in re.split(rb"(?<=\r\n\r\n)", recording(FLOOD)):
                yield piece
                event = piece[7 : piece.find(b"\r")]
                if event not in ends:
                    continue
                headers = dict(line.split(": ", 1) for line in piece.decode().split("\r\n") if ": " in line)
                if event == b"QueueCallerJoin":
                    inside.add(headers["Uniqueid"])
                elif event == b"QueueCallerLeave":
                    inside.discard(headers["Uniqueid"])
                elif event == b"AgentConnect":
                    connected[headers["Interface"]] = headers["Uniqueid"]
                    dest[headers["DestUniqueid"]] = headers["Interface"]
                    dest[headers["Uniqueid"]] = headers["Interface"]
                elif event == b"AgentComplete":
                    connected.pop(headers["Interface"], None)
                else:
                    connected.pop(dest.get(headers["Uniqueid"], ""), None)
                flood = live.state.queues["flood"]
                assert {call.interface for call in flood.in_progress} == connected.keys()
                assert {caller.uniqueid for caller in flood.waiting} == inside
                most = max(most, len(connected))
                checked += 1

        dest: dict[str, str] = {}
        replay.play(pieces())
        assert checked == 300 * 4 + 1200
        assert most > 60


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(bounds)]


def shown_by(chunks: list[bytes]) -> tuple[Document, int, int]:
    replay = Replay(LiveSwitchboard("milano"))
    replay.play(chunks)
    assert not replay.errors
    assert replay.live.errors == 0
    replay.end()
    return document_of(replay), replay.live.events, replay.frames


@cache
def shown_whole(name: str) -> tuple[Document, int, int]:
    return shown_by([recording(name)])


class TestPieces:
    """However the network cuts a stream, the panel is the same."""

    @pytest.mark.parametrize("name", ALL)
    def test_cut_at_400_places(self, name: str) -> None:
        numbers = random.Random(name)
        data = recording(name)
        places = [numbers.randrange(len(data)) for _ in range(400)]
        assert shown_by(cut(data, places)) == shown_whole(name)

    @pytest.mark.parametrize("name", ["asterisk-22/two_queues_same_call", "asterisk-16/member_actions"])
    def test_cut_in_two_at_each_of_200_places(self, name: str) -> None:
        numbers = random.Random(name)
        data = recording(name)
        for place in (numbers.randrange(len(data)) for _ in range(200)):
            assert shown_by([data[:place], data[place:]]) == shown_whole(name), place

    @settings(deadline=None, max_examples=60)
    @given(st.sampled_from(SCENARIOS), st.lists(st.integers(0, 10**6), max_size=30))
    def test_any_pieces(self, name: str, places: list[int]) -> None:
        assert shown_by(cut(recording(name), places)) == shown_whole(name)

    def test_byte_by_byte(self) -> None:
        name = "asterisk-22/answered_caller_hangup"
        assert shown_by([bytes([byte]) for byte in recording(name)]) == shown_whole(name)

    def test_empty_reads(self) -> None:
        name = "asterisk-22/timeout"
        assert shown_by([b"", recording(name), b"", b""]) == shown_whole(name)


@pytest.mark.parametrize("name", ALL)
def test_each_frame_twice_is_once(name: str) -> None:
    frames = re.split(rb"(?<=\r\n\r\n)", recording(name))
    doubled, _, _ = shown_by([frames[0], *(frame * 2 for frame in frames[1:])])
    assert doubled == shown_whole(name)[0]


def test_a_call_that_goes_on_at_the_end_stays_open() -> None:
    name = "asterisk-22/answered_caller_hangup"
    data = recording(name)
    replay = Replay(LiveSwitchboard("milano"))
    replay.play([data[: data.index(b"Event: AgentComplete")]])
    replay.end()
    document = document_of(replay)
    assert talking(document, "billing") == [("1795390401.0", "1001")]
    assert document["agents"]["1001"]["state"] == "on_call"


def test_drift_at_the_end_is_counted() -> None:
    """The clock runs on until what is undecided is decided."""
    live = LiveSwitchboard("milano")
    replay = Replay(live)
    sales = [ami.queue_params("sales"), ami.queue_member("sales", "PJSIP/1001")]
    replay.play(
        [
            ami.GREETING,
            ami.hangup(ami.START, "0.0"),
            ami.listing(live.resync_action_id(ResyncReason.CONNECTED, 1), sales),
            ami.listing(live.resync_action_id(ResyncReason.INTERVAL, 2), sales[:1]),
        ]
    )
    assert not live.drift
    replay.end()
    assert {kind.value: count for kind, count in live.drift.items()} == {"member_vanished": 1}
