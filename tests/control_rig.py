"""A real Asterisk, the exporter, the control API and a Grafana, all of them running; and people who click."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asterpanel_exporter.journal.journal import Journal
from tests.control_clicks import Click, Expected, Person
from tests.control_process import Answer, ControlProcess
from tests.control_stream import Stream
from tests.exporter_process import ExporterProcess
from tests.grafana_annotations import TOKEN, GrafanaAnnotations
from tests.grafana_keys import KEYS_PATH, GrafanaKeys
from tests.pbx.ami_judge import ShownMember
from tests.pbx.control_pbx import CONTROL_USER, EXPORTER_USER, NAME, NEW_MEMBER, SECRET
from tests.pbx.pbx import Pbx, wait_until

TIMEOUT_S = 3.0
"""`control_api.action_timeout`."""

SEEN_S = 1.0
"""Within which of a click its effect is to be seen everywhere."""

SLOW_S = 10.0
"""Within which it must be seen on a machine that stalls."""

LATER_S = 2.0
"""In which what was held back somewhere would be done."""

RESYNC_S = 10.0
"""How often the exporter looks at the whole state: only then it sees what no event tells."""

BOARD = f"/v1/switchboards/{NAME}"

PROFILES = {
    "tenants": {
        "default": {
            "profiles": {
                "team": {
                    "queues": ["billing", "sales"],
                    "agents": ["11*"],
                    "members": [
                        {"login": "sara", "role": "supervisor"},
                        {"login": "anna", "role": "agent", "agent": "1101"},
                        {"login": "screen", "role": "viewer"},
                    ],
                },
                "management": {"members": [{"login": "dario", "role": "master"}]},
            }
        }
    }
}
"""Queue vip is in sight of the master only."""

Told = tuple[str, str, str, str, str]
"""What the audit has of an action: who, action, agent, queue, result."""


@dataclass
class Rig:
    """All that runs.

    Attributes:
        clicked: what the audit should have, in order.
    """

    pbx: Pbx
    exporter: ExporterProcess
    keys: GrafanaKeys
    annotations: GrafanaAnnotations
    control: ControlProcess
    clicked: list[tuple[Person, Told]] = field(default_factory=list)

    # --- people -------------------------------------------------------------------------------------

    def user(self, login: str, **claims: Any) -> Person:
        """A user of Grafana, as its app proxy lets him through: the route's secret and his id token."""
        token = self.keys.token(login, **{"iss": self.annotations.url, **claims})
        headers = {"Authorization": f"Bearer {self.control.route_secret}", "X-Grafana-Id": token}
        return Person(f"grafana:{login}", login.title(), headers)

    def program(self, name: str, *options: str) -> Person:
        """A program with a bearer token that the command makes."""
        made = self.control.command("token", "create", name, "--expires", "1h", *options)
        assert made.returncode == 0, made.stderr
        return Person(f"token:{name}", name, {"Authorization": f"Bearer {made.stdout.strip()}"})

    # --- clicks -------------------------------------------------------------------------------------

    def click(self, who: Person, click: Click, *results: str) -> Answer:
        """The answer, which has one of these results or error ids."""
        answer = self.control.ask(click.method, BOARD + click.path, who.headers, click.body)
        assert answer.result in results, (click, answer)
        self.clicked.append((who, (who.subject, click.action, click.agent, click.queue, answer.result)))
        return answer

    def see(self, stream: Stream, who: Person, click: Click, *expected: Expected, undo: Click) -> Answer:
        """Done, and its effect seen in the stream, in the metrics and in Asterisk within a second of the
        click. If the machine stalls, it is undone and clicked once more: the second must do.
        """
        answer, took = self._see(stream, who, click, expected)
        if max(took.values()) > SEEN_S:
            print(f"{click}: once more, it was seen after {took}")
            self.click(who, undo, "done")
            answer, took = self._see(stream, who, click, expected)
        print(f"{click.action}: { ({place: round(seconds, 3) for place, seconds in took.items()}) }")
        assert max(took.values()) <= SEEN_S, (click, took)
        return answer

    def _see(
        self, stream: Stream, who: Person, click: Click, expected: tuple[Expected, ...]
    ) -> tuple[Answer, dict[str, float]]:
        began = time.monotonic()
        answer = self.click(who, click, "done")
        assert all(queue["seen"] for queue in answer.body["queues"]), answer
        return answer, {"answer": answer.seconds, **self.seen(stream, began, *expected)}

    def seen(self, stream: Stream, began: float, *expected: Expected) -> dict[str, float]:
        """How long after that moment (`time.monotonic`) the effect was seen in each place."""

        def in_metrics() -> bool:
            samples = self.exporter.metrics()
            return all(one.in_metrics(samples) for one in expected)

        def in_asterisk() -> bool:
            shown = self.pbx.queue_show()
            return all(one.in_asterisk(shown) for one in expected)

        in_stream = stream.seen_after(
            began, lambda document: all(one.in_stream(document) for one in expected), SLOW_S
        )
        assert in_stream is not None, ("not in the stream", expected, stream.document)
        wait_until(in_metrics, SLOW_S, f"the metrics show {expected}", step=0.01)
        metrics_s = time.monotonic() - began
        wait_until(in_asterisk, SLOW_S, f"Asterisk shows {expected}", step=0.01)
        return {"stream": in_stream, "metrics": metrics_s, "asterisk": time.monotonic() - began}

    # --- the audit ----------------------------------------------------------------------------------

    def audit_is_complete(self) -> None:
        """Each click is told once, in the same order: in the log, in the journal and to Grafana. (Grafana is
        not told of whom nobody knows: he has no tenant.)
        """
        wanted = [told for _, told in self.clicked]
        log = self.control.audit()
        assert [_told(line["audit"], line) for line in log] == wanted
        wait_until(lambda: len(self._points()) >= len(wanted), what="the journal has all")
        points = self._points()
        assert [_told(point["action"], point) for point in points] == wanted
        for line, point in zip(log, points, strict=True):
            assert abs(point["time"] / 1e6 - line["acted_at"]) < 0.001
            assert point["detail"] == line["detail"]
        self._grafana_has([line for line in log if line["user"]])

    def _grafana_has(self, log: list[dict[str, Any]]) -> None:
        wanted = [(who.name, *told[1:]) for who, told in self.clicked if who.subject]
        wait_until(lambda: len(self.annotations.received) >= len(wanted), 20, "Grafana has all")
        annotations = self.annotations.received
        assert [_annotated(one) for one in annotations] == wanted
        for line, annotation in zip(log, annotations, strict=True):
            assert abs(annotation["time"] / 1e3 - line["acted_at"]) < 0.001
            assert html.escape(line["detail"], quote=False) in annotation["text"]
        assert self.annotations.refused == 0

    def _points(self) -> list[dict[str, Any]]:
        columns = ("time", "action", "agent", "queue", "result", "user", "detail")
        names = ", ".join(f'"{column}"' for column in columns)
        path = self.exporter.config.with_name("asterpanel-journal.db")
        with Journal.open(path, create=False, read_only=True) as journal:
            rows = journal.rows(f"SELECT {names} FROM control_action_points ORDER BY time")  # noqa: S608
            return [dict(zip(columns, row, strict=True)) for row in rows]

    # --- how it is ------------------------------------------------------------------------------------

    def can_act(self, agent: str) -> bool:
        """Whether the API can act on him: a switchboard is up some moments before its persistent members."""
        if self.control.ask("GET", "/readyz").status != 200:
            return False
        about = self.control.ask("GET", f"{BOARD}/state", self.user("dario").headers).body
        return bool(about["freshness"]["up"]) and agent in about["state"]["agents"]

    def members(self) -> dict[str, list[ShownMember]]:
        """As Asterisk itself shows them."""
        return {name: queue.members for name, queue in self.pbx.queue_show().items()}

    def pauses(self) -> list[list[str]]:
        """Lines of queue_log that tell of pauses: agent, event, reason."""
        events = ("PAUSE", "PAUSEALL", "UNPAUSE", "UNPAUSEALL")
        return [line[3:] for line in self.pbx.queue_log() if line[4] in events]

    def only_paused_for(self, reason: str) -> None:
        """For no other reason has anybody been paused, nor is for a while."""
        until = time.monotonic() + LATER_S
        while time.monotonic() < until:
            assert {line[2] for line in self.pauses()} == {reason}
            time.sleep(0.05)


def _told(action: str, about: dict[str, Any]) -> Told:
    return (about["user"], action, about["agent"], about["queue"], about["result"])


def _annotated(annotation: dict[str, Any]) -> Told:
    tags = dict(tag.partition(":")[::2] for tag in annotation["tags"])
    assert "asterpanel" in tags
    assert tags["switchboard"] == NAME
    name = annotation["text"].partition(": ")[0]
    return (name, tags["action"], tags.get("agent", ""), tags.get("queue", ""), tags["result"])


@contextmanager
def control_rig(pbx: Pbx, folder: Path) -> Iterator[Rig]:
    """On this PBX (`tests.pbx.control_pbx`), ready to act."""
    switchboard = {"host": pbx.host, "port": pbx.ami_port, "username": EXPORTER_USER, "secret": SECRET}
    control = {"username": CONTROL_USER, "secret": SECRET, "new_member": NEW_MEMBER}
    with ExitStack() as stack:
        keys = stack.enter_context(GrafanaKeys())
        annotations = stack.enter_context(GrafanaAnnotations())
        exporter = stack.enter_context(
            ExporterProcess(folder, {NAME: switchboard}, exporter={"resync_interval": RESYNC_S})
        )
        grafana = {
            "url": annotations.url,
            "keys_url": keys.url.rstrip("/") + KEYS_PATH,
            "annotation_token": TOKEN,
        }
        process = ControlProcess(
            folder / "control",
            {NAME: switchboard | {"control": control}},
            exporter=exporter,
            profiles=PROFILES,
            grafana=grafana,
            action_timeout=TIMEOUT_S,
        )
        rig = Rig(pbx, exporter, keys, annotations, stack.enter_context(process))
        wait_until(lambda: rig.can_act("1101"), 20, "everybody is connected")
        yield rig
