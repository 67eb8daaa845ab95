"""Running Asterisks: the PBX under test, and the phones and callers around it.

    phones = Phones(root)
    with Pbx(root, phones=phones) as pbx, phones:
        phones.behave("1001", "answer-2-6")        # rings 2 s, talks 6 s
        pbx.call("billing", caller="390551001", name="Anna Rossi", hangup_after=7.5)
        wait_until(lambda: pbx.queue_show()["billing"].callers_count == 1)

Each instance has its own folder inside the root folder (several run from the same one), its own free ports on
loopback, and random secrets. It dies with the Python process that started it, whatever happens to that.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import random
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

from tests.pbx.ami_judge import (
    AmiClosed,
    AmiError,
    AmiJudge,
    Message,
    QueueState,
    ShownQueue,
    parse_queue_show,
)
from tests.pbx.install import PbxUnavailable
from tests.processes import end_process, spawn

_CONFIG: Final = Path(__file__).parent / "config"
_HOMES: Final = "srv/asterpanel"
_BOOT_TIMEOUT_S: Final = 40.0
_STOP_TIMEOUT_S: Final = 4.0
_PORTS: Final = range(20000, 32000)  # below the kernel's ephemeral ports, above our RTP range

_Self = TypeVar("_Self", bound="AsteriskInstance")

#: The phones that a Pbx knows when it is not told otherwise.
DEFAULT_PHONES: Final[tuple[str, ...]] = tuple(str(number) for number in range(1001, 1010))


class PbxError(Exception):
    """An instance did not do what it was asked for; the text ends with the last lines of its log."""


def wait_until(
    condition: Callable[[], bool], timeout: float = 10.0, what: str = "", step: float = 0.05
) -> None:
    """Returns as soon as the condition holds; TimeoutError naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout:g} s still not: {what or 'the condition'}")
        time.sleep(step)


class AsteriskInstance:
    """One Asterisk process out of a root folder, in a folder of its own inside it.

    Subclasses say in `configuration()` which files it starts with. Use as a context manager, or `start()` and
    `stop()`; a stopped instance can be started again with its AstDB as it was, until `discard()`.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        unique = f"{name}-{os.getpid()}-{secrets.token_hex(3)}"
        #: The instance's folder as this process sees it.
        self.home = root / _HOMES / unique
        self._home_inside = Path("/") / _HOMES / unique
        self.host = "127.0.0.1"
        self.ami_port, self.ami_tls_port, self.sip_port = free_ports(3)
        #: AMI secrets by user name: `exporter`, `control`, `monitor`.
        self.secrets: dict[str, str] = {
            user: secrets.token_hex(12) for user in ("exporter", "control", "monitor")
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._last_log = ""

    # -- life

    def __enter__(self: _Self) -> _Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.discard()

    def start(self) -> None:
        """Writes the configuration, starts the process and returns when Asterisk says that it is fully
        booted.

        Raises PbxError with the log's end if it does not come up.
        """
        if self.running:
            return
        _sweep(self.root)
        for folder in ("etc", "var", "log", "run", "spool", "tls"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        for file, text in self.configuration().items():
            self.write_config(file, text)
        command = ["chroot", str(self.root), "/usr/sbin/asterisk", "-f", "-n", "-C", self._conf_inside]
        with (self.home / "log/console").open("ab") as console:
            self._process = spawn(command, console.fileno(), _environment())
        try:
            self.wait_booted()
        except BaseException:
            self.stop()
            raise

    def ask_to_stop(self) -> None:
        """Sends the process SIGTERM and does not wait; `stop()` does."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """Ends the process (SIGTERM, then SIGKILL) and waits for it. Its folder stays until `discard()`."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            end_process(process, _STOP_TIMEOUT_S)

    def kill(self) -> None:
        """Ends the process as a crash would (SIGKILL)."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def discard(self) -> None:
        """Deletes the instance's folder; the log's end can still be had from `tail_log()`."""
        self._last_log = self.tail_log(400)
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id (the same after `core restart now`). Raises PbxError when stopped."""
        if self._process is None:
            raise PbxError(f"{self.name} is not running")
        return self._process.pid

    def wait_booted(self, timeout: float = _BOOT_TIMEOUT_S) -> None:
        """Waits until AMI says FullyBooted. PbxError if the process ends, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            if not self.running:
                raise PbxError(f"{self.name} ended while starting\n{self.tail_log()}")
            try:
                with self.ami(events=True, timeout=2.0) as ami:
                    ami.wait_event("FullyBooted", max(deadline - time.monotonic(), 0.1))
                    return
            except AmiError as error:
                if time.monotonic() > deadline:
                    raise PbxError(
                        f"{self.name} is not up after {timeout:g} s: {error}\n{self.tail_log()}"
                    ) from error
                time.sleep(0.03)

    def restart(self, timeout: float = _BOOT_TIMEOUT_S) -> None:
        """`core restart now`: the same process starts Asterisk anew; returns when that is fully booted."""
        with self.ami() as ami:
            self.cli("core restart now")
            try:
                ami.wait_closed(timeout)
            except AmiError as error:
                raise PbxError(f"{self.name} did not restart: {error}\n{self.tail_log()}") from error
        self.wait_booted(timeout)

    # -- talking to it

    def cli(self, command: str, timeout: float = 10.0) -> str:
        """What that CLI command prints (`asterisk -rx`). Raises PbxError if it cannot be reached."""
        try:
            done = subprocess.run(
                [
                    "chroot",
                    str(self.root),
                    "/usr/sbin/asterisk",
                    "-n",
                    "-C",
                    self._conf_inside,
                    "-rx",
                    command,
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                check=False,
                env=_environment(),
            )
        except subprocess.TimeoutExpired:
            raise PbxError(
                f"{self.name}: no answer to {command!r} in {timeout:g} s\n{self.tail_log()}"
            ) from None
        text = done.stdout.decode("utf-8", "replace")
        if "Unable to connect to remote asterisk" in text or (done.returncode != 0 and not text):
            raise PbxError(f"{self.name}: {text.strip() or done.stderr.decode(errors='replace').strip()}")
        return text

    def ami(
        self, user: str = "monitor", *, events: bool = False, timeout: float = 10.0, tls: bool = False
    ) -> AmiJudge:
        """A fresh AMI session as that user; close it. `tls` verifies the certificate. Raises AmiError."""
        context = ssl.create_default_context(cafile=str(self.tls_cert)) if tls else None
        port = self.ami_tls_port if tls else self.ami_port
        return AmiJudge(
            self.host, port, user, self.secrets[user], timeout=timeout, events=events, tls=context
        )

    @property
    def version(self) -> str:
        """The running Asterisk's version, such as `22.10.1`."""
        text = self.cli("core show version")
        found = re.search(r"Asterisk (\d+(?:\.\d+)*)", text)
        if found is None:
            raise PbxError(f"{self.name}: no version in {text!r}")
        return found[1]

    @property
    def tls_cert(self) -> Path:
        """The certificate of the AMI TLS port (self-signed, for 127.0.0.1 and localhost): also its own CA."""
        return self.home / "tls/ami.crt"

    def tail_log(self, lines: int = 60) -> str:
        """The last lines of the instance's log and of its console, to be shown when something failed."""
        if not self.home.exists():
            return "\n".join(self._last_log.splitlines()[-lines:])
        parts = []
        for file in ("log/messages", "log/console"):
            with contextlib.suppress(OSError):
                text = (self.home / file).read_text(encoding="utf-8", errors="replace")
                parts.append("\n".join([f"--- {self.name}: {file}", *text.splitlines()[-lines:]]))
        return "\n".join(parts)

    # -- configuration

    def configuration(self) -> dict[str, str]:
        """The files of its etc folder at the start, by name."""
        modules = (_CONFIG / "common/modules_sip.conf").read_text(encoding="utf-8") if self._has_sip else ""
        modules += "".join(f"load = {name}.so\n" for name in self._more_modules)
        values = {
            "HOME": str(self._home_inside),
            "MODULES": str(_modules(self.root)),
            "AMI_PORT": str(self.ami_port),
            "SIP_PORT": str(self.sip_port),
            "TLS": self._tls_settings(),
            "MORE_MODULES": modules,
            "EVENT_FILTER": self._event_filter,
            "MORE_USERS": self._more_users,
            **{f"{user.upper()}_SECRET": secret for user, secret in self.secrets.items()},
        }
        return {
            file.name: fill(file.read_text(encoding="utf-8"), values)
            for file in sorted((_CONFIG / "common").glob("*.conf"))
            if file.name != "modules_sip.conf"
        }

    _has_sip = True
    _more_modules: tuple[str, ...] = ()
    _event_filter = ""
    _more_users = ""

    def write_config(self, file: str, text: str) -> None:
        """Writes a file of its etc folder; Asterisk reads it at the next start or reload."""
        path = self.home / "etc" / file
        new = path.with_name(f".{file}.new")
        new.write_text(text, encoding="utf-8")
        new.rename(path)

    def read_config(self, file: str) -> str:
        """A file of its etc folder as it is now."""
        return (self.home / "etc" / file).read_text(encoding="utf-8")

    @property
    def _conf_inside(self) -> str:
        return str(self._home_inside / "etc/asterisk.conf")

    def _tls_settings(self) -> str:
        key = self.home / "tls/ami.key"
        if not self.tls_cert.exists():
            make_certificate(self.root, self.tls_cert, key)
        inside = self._home_inside / "tls"
        return "\n".join(
            (
                "tlsenable = yes",
                f"tlsbindaddr = 127.0.0.1:{self.ami_tls_port}",
                f"tlscertfile = {inside}/ami.crt",
                f"tlsprivatekey = {inside}/ami.key",
            )
        )


def end_all(instances: Iterable[AsteriskInstance]) -> None:
    """Stops several instances, all at the same time, and discards them."""
    ending = list(instances)
    for instance in ending:
        instance.ask_to_stop()
    for instance in ending:
        instance.stop()
    for instance in ending:
        instance.discard()


class Phones(AsteriskInstance):
    """A second Asterisk that plays the agents' phones and the callers of any number of PBXs, over PJSIP.

    How a phone behaves when it is rung (`behave`): `answer-RING-TALK`, `noanswer`, `busy-RING`,
    `decline-RING`, `congest`, `blind-RING-TALK-TARGET` (REFER), `302-TARGET`, `dtmf-RING-TALK-DIGITS-AFTER`,
    `satx-RING-TALK-TARGET`; times in seconds, with fractions. Unset: answers after 1 s and talks on.
    """

    def __init__(self, root: Path, *, name: str = "phones", more_dialplan: str = "") -> None:
        super().__init__(root, name)
        self._pbxs: dict[str, Pbx] = {}
        self._behaviours: dict[str, str] = {}
        self._more_dialplan = more_dialplan
        self._numbers = itertools.count(1)

    def attach(self, pbx: Pbx) -> None:
        """Makes the PBX known to the phones (its name must be unique among them). Also while running."""
        if pbx.name in self._pbxs and self._pbxs[pbx.name] is not pbx:
            raise ValueError(f"the phones know another {pbx.name} already")
        self._pbxs[pbx.name] = pbx
        self._reload_pbxs()

    def detach(self, pbx: Pbx) -> None:
        """Forgets the PBX."""
        if self._pbxs.pop(pbx.name, None) is not None:
            self._reload_pbxs()

    def _reload_pbxs(self) -> None:
        if not self.running:
            return
        self.write_config("pjsip.conf", self.configuration()["pjsip.conf"])
        self.cli("module reload res_pjsip.so")
        with self.ami() as ami:
            self._store_pbxs(ami)
            for name in self._pbxs:
                known = functools.partial(_knows_endpoint, ami, name)
                wait_until(known, what=f"the phones know {name}")

    def start(self) -> None:
        """See AsteriskInstance.start; behaviours set before are in force."""
        if self.running:
            return
        super().start()
        with self.ami() as ami:
            self._store_pbxs(ami)
            for phone, behaviour in self._behaviours.items():
                ami.ok("DBPut", Family="phone", Key=phone, Val=behaviour)

    def _store_pbxs(self, ami: AmiJudge) -> None:
        for pbx in self._pbxs.values():
            ami.ok("DBPut", Family="phonepbx", Key=str(pbx.sip_port), Val=pbx.name)

    def behave(self, phone: str, behaviour: str) -> None:
        """Sets how that phone (such as `1001`) behaves when it is rung next; before or after the start."""
        self.behave_all({phone: behaviour})

    def behave_all(self, behaviours: Mapping[str, str]) -> None:
        """Sets the behaviours of several phones at once."""
        self._behaviours.update(behaviours)
        if self.running:
            with self.ami() as ami:
                for phone, behaviour in behaviours.items():
                    ami.ok("DBPut", Family="phone", Key=phone, Val=behaviour)

    def call(
        self,
        pbx: Pbx,
        extension: str,
        *,
        caller: str = "390551001",
        name: str = "Anna Rossi",
        hangup_after: float = 60.0,
        behaviour: str | None = None,
    ) -> str:
        """Starts a caller who dials that extension of the PBX, and returns an id for `hang_up`.

        He hangs up `hangup_after` seconds after the PBX has answered. `behaviour` instead of that:
        `t_SECONDS_TARGET` transfers himself, `d_SECONDS_DIGITS_AFTER` presses keys and hangs up AFTER seconds
        later. Returns at once; the call reaches the queue about half a second later.
        """
        with self.ami() as ami:
            return self.call_over(
                ami, pbx.name, extension, caller, name, ("callerbeh", behaviour or f"w{hangup_after:g}")
            )

    def call_over(
        self,
        ami: AmiJudge,
        pbx_name: str,
        extension: str,
        caller: str,
        name: str,
        behaviour: tuple[str, str],
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Like `call`, over an AMI session that is there already; `behaviour` is a (context, extension)."""
        call_id = f"caller-{next(self._numbers)}-{secrets.token_hex(3)}"
        context, exten = behaviour
        ami.ok(
            "Originate",
            Channel=f"PJSIP/{extension}@{pbx_name}",
            ChannelId=call_id,
            Context=context,
            Exten=exten,
            Priority=1,
            CallerID=f'"{name}" <{caller}>',
            Timeout=30000,
            Async="true",
            Variable=[f"{key}={value}" for key, value in (variables or {}).items()],
        )
        return call_id

    def hang_up(self, call_id: str) -> None:
        """Hangs up a caller that `call` started; does nothing if he has gone already."""
        with self.ami() as ami:
            ami.action("Hangup", Channel=call_id)

    def configuration(self) -> dict[str, str]:
        """See AsteriskInstance.configuration."""
        files = super().configuration()
        files["extensions.conf"] = (_CONFIG / "phones/extensions.conf").read_text(encoding="utf-8")
        if self._more_dialplan:
            files["extensions_more.conf"] = self._more_dialplan
        sections = [
            "[inbound](phone)\ncontext = phones\n",
            "[inbound-identify]\ntype = identify\nendpoint = inbound\nmatch = 127.0.0.1\n",
        ]
        sections.extend(_endpoint(pbx.name, "phones", pbx.sip_port) for pbx in self._pbxs.values())
        files["pjsip.conf"] += "\n".join(sections)
        return files


class Pbx(AsteriskInstance):
    """The PBX under test.

    - `queues`, `dialplan`: the texts of queues.conf and extensions.conf; the default has the queues of the
      recordings in tests/traces (billing, vip, ringall, emptyq, …). `@PERSISTENT@` in them stands for yes or
      no.
    - `phones`: who plays its phones and callers. Without: no PJSIP at all, Local channels only.
    - `agents`: the phones it knows as PJSIP endpoints, `busy_at_one` those that are busy with one call
      (state 3 instead of 2), `unregistered` those that never have a contact.
    - `event_filter`: lines for the exporter's section of manager.conf (`eventfilter = …`).
    - `more_users`: further text for manager.conf.
    - `more_files`: further files for its etc folder, or other texts for those it has, by name.
    """

    _more_modules = ("app_queue", "app_agent_pool")

    def __init__(
        self,
        root: Path,
        *,
        name: str = "pbx",
        phones: Phones | None = None,
        queues: str | None = None,
        dialplan: str | None = None,
        agents: Sequence[str] = DEFAULT_PHONES,
        busy_at_one: Collection[str] = ("1007",),
        unregistered: Collection[str] = ("1010",),
        event_filter: str = "",
        more_users: str = "",
        more_files: Mapping[str, str] | None = None,
        persistent_members: bool = False,
    ) -> None:
        super().__init__(root, name)
        self.phones = phones
        self._has_sip = phones is not None
        self._queues = (
            queues if queues is not None else (_CONFIG / "pbx/queues.conf").read_text(encoding="utf-8")
        )
        self._dialplan = (
            dialplan
            if dialplan is not None
            else (_CONFIG / "pbx/extensions.conf").read_text(encoding="utf-8")
        )
        self._agents = tuple(agents)
        self._busy_at_one = frozenset(busy_at_one)
        self._unregistered = tuple(unregistered)
        self._event_filter = event_filter
        self._more_users = more_users
        self._more_files = dict(more_files or {})
        self._persistent = persistent_members
        if phones is not None:
            phones.attach(self)

    def discard(self) -> None:
        """See AsteriskInstance.discard; the phones forget it too."""
        if self.phones is not None:
            self.phones.detach(self)
        super().discard()

    def configuration(self) -> dict[str, str]:
        """See AsteriskInstance.configuration."""
        files = super().configuration()
        files["extensions.conf"] = self._dialplan
        files["queues.conf"] = fill(self._queues, {"PERSISTENT": "yes" if self._persistent else "no"})
        if self.phones is not None:
            sections = [
                _endpoint("peer", "fromsip", self.phones.sip_port),
                "[peer-identify]\ntype = identify\nendpoint = peer\nmatch = 127.0.0.1\n",
            ]
            for agent in self._agents:
                more = "device_state_busy_at = 1\n" if agent in self._busy_at_one else ""
                sections.append(_endpoint(agent, "transfers", self.phones.sip_port, user=agent, more=more))
            sections.extend(_endpoint(agent, "transfers", None) for agent in self._unregistered)
            files["pjsip.conf"] += "\n".join(sections)
        return {**files, **self._more_files}

    # -- calls

    def call(
        self,
        queue: str,
        *,
        caller: str = "390551001",
        name: str = "Anna Rossi",
        hangup_after: float = 60.0,
        behaviour: str | None = None,
    ) -> str:
        """Starts a caller over PJSIP into that queue (or any extension of `queuenums`). See Phones.call.

        Raises PbxError without phones: use `local_call`.
        """
        if self.phones is None:
            raise PbxError(f"{self.name} has no phones; use local_call")
        return self.phones.call(
            self, queue, caller=caller, name=name, hangup_after=hangup_after, behaviour=behaviour
        )

    def local_call(
        self,
        queue: str,
        *,
        caller: str = "390551001",
        name: str = "Anna Rossi",
        hangup_after: float = 60.0,
        ami: AmiJudge | None = None,
    ) -> None:
        """Starts a caller over a Local channel, without PJSIP: in the queue at once, gone `hangup_after` s
        later.

        `ami` is a monitor session to reuse; without, one is opened for the call.
        """
        with contextlib.ExitStack() as stack:
            session = ami or stack.enter_context(self.ami())
            session.ok("Originate", **_local_caller(queue, caller, name, hangup_after))

    def flood(
        self,
        queue: str,
        calls: int,
        per_second: float,
        *,
        hangup_after: float = 60.0,
        talk: float | None = None,
        stop: threading.Event | None = None,
    ) -> float:
        """Starts that many Local callers at that rate, returns when all are started, with the seconds it
        took.

        Falls behind silently when Asterisk cannot keep up (hence the return value). `talk` sets for how many
        seconds the agents of `flood_queue` talk (2 unless told).
        """
        with self.ami() as ami:
            if talk is not None:
                ami.ok("Setvar", Variable="FLOOD_TALK", Value=f"{talk:g}")
            started = time.monotonic()
            for number in range(calls):
                if stop is not None and stop.is_set():
                    break
                delay = started + number / per_second - time.monotonic()
                if delay > 0:
                    time.sleep(delay)
                fields = _local_caller(queue, f"39055{number:06d}", f"Caller {number}", hangup_after)
                ami.ok("Originate", **fields)
            return time.monotonic() - started

    # -- queues

    def queue_show(self) -> dict[str, ShownQueue]:
        """What the CLI's `queue show` says, by queue."""
        return parse_queue_show(self.cli("queue show"))

    def queue_status(self, queue: str | None = None) -> dict[str, QueueState]:
        """What AMI's QueueStatus says, by queue."""
        with self.ami() as ami:
            return ami.queue_status(queue)

    def queue_summary(self) -> list[Message]:
        """What AMI's QueueSummary says, one message for each queue."""
        with self.ami() as ami:
            return ami.query("QueueSummary")

    def queue_log(self) -> list[list[str]]:
        """The queue_log so far, each line split at the bars."""
        try:
            text = (self.home / "log/queue_log").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        return [line.split("|") for line in text.splitlines()]

    def pause(self, interface: str, reason: str = "", *, queue: str | None = None) -> None:
        """Pauses a member, in one queue or in all of them. Raises AmiError if refused."""
        self._pause(interface, "true", queue, reason)

    def unpause(self, interface: str, *, queue: str | None = None) -> None:
        """Ends a member's pause. Raises AmiError if refused."""
        self._pause(interface, "false", queue, "")

    def _pause(self, interface: str, paused: str, queue: str | None, reason: str) -> None:
        with self.ami() as ami:
            ami.ok(
                "QueuePause",
                Interface=interface,
                Paused=paused,
                **({"Queue": queue} if queue else {}),
                **({"Reason": reason} if reason else {}),
            )

    def add_member(
        self, queue: str, interface: str, *, name: str = "", penalty: int = 0, state_interface: str = ""
    ) -> None:
        """Adds a dynamic member. Raises AmiError if refused."""
        with self.ami() as ami:
            ami.ok(
                "QueueAdd",
                Queue=queue,
                Interface=interface,
                Penalty=penalty,
                **({"MemberName": name} if name else {}),
                **({"StateInterface": state_interface} if state_interface else {}),
            )

    def remove_member(self, queue: str, interface: str) -> None:
        """Removes a dynamic member. Raises AmiError if refused."""
        with self.ami() as ami:
            ami.ok("QueueRemove", Queue=queue, Interface=interface)

    def add_static_member(
        self, queue: str, interface: str, *, name: str = "", penalty: int = 0, state_interface: str = ""
    ) -> None:
        """Writes a member into queues.conf, for the next `reload_queues`. ValueError: no such queue."""
        parts = [interface, str(penalty), name or interface, *([state_interface] if state_interface else [])]
        self._edit_queue(queue, lambda body: [*body, f"member => {','.join(parts)}"])

    def remove_static_member(self, queue: str, interface: str) -> None:
        """Takes a member out of queues.conf, for the next `reload_queues`. ValueError: no such queue."""
        pattern = re.compile(rf"member\s*=>\s*{re.escape(interface)}(,|$)")
        self._edit_queue(queue, lambda body: [line for line in body if not pattern.match(line)])

    def _edit_queue(self, queue: str, edit: Callable[[list[str]], list[str]]) -> None:
        sections = re.split(r"(?m)^(?=\[)", self.read_config("queues.conf"))
        for index, section in enumerate(sections):
            if section.startswith(f"[{queue}]"):
                head, *body = section.rstrip("\n").split("\n")
                sections[index] = "\n".join([head, *edit(body)]) + "\n\n"
                self.write_config("queues.conf", "".join(sections))
                return
        raise ValueError(f"no queue {queue} in queues.conf")

    def reload_queues(self, how: str = "queue reload all") -> None:
        """Reads queues.conf anew.

        The ways differ in what AMI hears of it: `queue reload all` emits nothing; `module reload
        app_queue.so`, `core reload` and AMI's Reload emit `Reload`.
        """
        self.cli(how)


def flood_queue(name: str = "flood", agents: int = 200, first: int = 5000) -> str:
    """A section for queues.conf with that many Local agents, who answer at once and talk FLOOD_TALK s."""
    members = "\n".join(
        f"member => Local/{first + number}@floodag/n,0,Agent {number}" for number in range(agents)
    )
    settings = "strategy = rrmemory\ntimeout = 15\nretry = 1\nringinuse = no\nservicelevel = 10"
    return f"\n[{name}]\n{settings}\n{members}\n"


def default_queues() -> str:
    """The text of the queues.conf that a Pbx has unless told otherwise, to be added to."""
    return (_CONFIG / "pbx/queues.conf").read_text(encoding="utf-8")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replaces each `@NAME@` in a configuration template; KeyError for one without a value."""
    return re.sub(r"@([A-Z_]+)@", lambda found: values[found[1]], text)


def free_ports(count: int) -> list[int]:
    """That many ports on 127.0.0.1 that are free now, for TCP and UDP alike."""
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        while len(found) < count:
            port = random.choice(_PORTS)
            try:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found


def make_certificate(root: Path, certificate: Path, key: Path) -> None:
    """Makes a self-signed certificate for 127.0.0.1 and localhost with openssl, the machine's or the root's.

    Raises PbxError if there is none, or if it fails.
    """
    certificate.parent.mkdir(parents=True, exist_ok=True)
    program: list[str] = []
    target_certificate, target_key = str(certificate), str(key)
    if found := shutil.which("openssl"):
        program = [found]
    elif (root / "usr/bin/openssl").exists():
        program = ["chroot", str(root), "/usr/bin/openssl"]
        target_certificate, target_key = (f"/{path.relative_to(root)}" for path in (certificate, key))
    else:
        raise PbxError("no openssl on this machine: it makes the certificate of the AMI TLS port")
    arguments = [
        *(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
    ]
    done = subprocess.run(
        [*program, *arguments, "-keyout", target_key, "-out", target_certificate],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PbxError(f"openssl: {done.stderr.strip()}")
    # in CI the root folder may be shared with unprivileged readers; the key is not for them
    key.chmod(0o600)


def _knows_endpoint(ami: AmiJudge, name: str) -> bool:
    return ami.action("PJSIPShowEndpoint", Endpoint=name)["Response"] == "Success"


def _local_caller(queue: str, caller: str, name: str, hangup_after: float) -> dict[str, str | int]:
    return {
        "Channel": f"Local/w{hangup_after:g}@localcaller/n",
        "Context": "queuenums",
        "Exten": queue,
        "Priority": 1,
        "CallerID": f'"{name}" <{caller}>',
        "Timeout": 30000,
        "Async": "true",
    }


def _endpoint(name: str, context: str, port: int | None, *, user: str = "", more: str = "") -> str:
    contact = f"contact = sip:{user + '@' if user else ''}127.0.0.1:{port}" if port else "max_contacts = 1"
    return f"[{name}](phone)\naors = {name}\ncontext = {context}\n{more}\n[{name}]\ntype = aor\n{contact}\n"


def _modules(root: Path) -> Path:
    for found in itertools.chain(
        root.glob("usr/lib/asterisk/modules/app_queue.so"),
        root.glob("usr/lib/*/asterisk/modules/app_queue.so"),
    ):
        return Path("/") / found.parent.relative_to(root)
    raise PbxUnavailable(f"no app_queue.so in {root}")


def _environment() -> dict[str, str]:
    # `core restart now` looks the program up in PATH
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "TZ": "",
    }


def _sweep(root: Path) -> None:
    """Deletes the folders of instances whose program was killed."""
    for folder in (root / _HOMES).glob("*-*-*"):
        owner = folder.name.split("-")[-2]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


__all__ = [
    "DEFAULT_PHONES",
    "AmiClosed",
    "AmiError",
    "AmiJudge",
    "AsteriskInstance",
    "Pbx",
    "PbxError",
    "PbxUnavailable",
    "Phones",
    "default_queues",
    "end_all",
    "fill",
    "flood_queue",
    "free_ports",
    "wait_until",
]
