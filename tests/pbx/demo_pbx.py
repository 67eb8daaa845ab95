"""The two switchboards of the demo, with traffic: real Asterisks on loopback.

    with DemoPbxPair() as pair:
        for switchboard in pair.switchboards:
            print(switchboard.name, switchboard.port, switchboard.secret)

`python -m tests.pbx.demo_pbx` runs them until Ctrl-C and prints how to connect as JSON on stdout.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType

from tests.pbx.install import VERSIONS, AsteriskVersion, PbxUnavailable, rootfs
from tests.pbx.pbx import AsteriskInstance, Pbx, PbxError, end_all
from tests.pbx.traffic import SITES, Traffic, demo_pbx, demo_phones


@dataclass(frozen=True)
class DemoSwitchboard:
    """How to connect to a demo switchboard."""

    name: str
    version: str
    host: str
    #: The AMI port, plain; and the one with TLS.
    port: int
    tls_port: int
    #: The certificate of the TLS port, to be trusted as its own CA: a file.
    tls_cert: str
    #: The read-only AMI user for the exporter, and the one for queue-member actions.
    username: str
    secret: str
    control_username: str
    control_secret: str
    time_zone: str = "Europe/Rome"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class DemoPbxPair:
    """Both demo switchboards, the Asterisk that plays their phones and customers, and the traffic.

    `say` gets the progress, a line of plain words at a time (default: stderr). `event_filter` is for the
    exporter's section of manager.conf. `load` multiplies the number of calls.
    """

    def __init__(
        self,
        version: AsteriskVersion = "22",
        *,
        seed: int = 1,
        load: float = 1.0,
        event_filter: str = "",
        say: Callable[[str], None] = _say,
    ) -> None:
        self._version = version
        self._seed = seed
        self._load = load
        self._event_filter = event_filter
        self._say = say
        self._instances: list[AsteriskInstance] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        #: The switchboards' instances by name, once started.
        self.pbxs: dict[str, Pbx] = {}
        #: How to connect to them, once started.
        self.switchboards: tuple[DemoSwitchboard, ...] = ()
        #: The traffic, once started.
        self.traffic: Traffic | None = None

    def __enter__(self) -> DemoPbxPair:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Brings everything up (a minute or two the first time, then two seconds).

        Raises PbxUnavailable with the reason where no Asterisk can be had, PbxError if one does not start;
        nothing is left behind then.
        """
        root = rootfs(self._version)
        try:
            self._start(root)
        except BaseException:
            self.stop()
            raise

    def _start(self, root: Path) -> None:
        self._say("starting two Asterisks, milano and torino, and one that plays phones and callers")
        phones = demo_phones(root)
        self._instances.append(phones)
        for site in SITES:
            pbx = demo_pbx(root, site, phones, event_filter=self._event_filter)
            self._instances.append(pbx)
            self.pbxs[site.name] = pbx
        for instance in self._instances:
            instance.start()
        self.switchboards = tuple(_connection(pbx) for pbx in self.pbxs.values())
        for found in self.switchboards:
            self._say(f"{found.name}: Asterisk {found.version}, AMI on {found.host}:{found.port}")
        self.traffic = Traffic(self.pbxs, phones, seed=self._seed, load=self._load)
        self._thread = threading.Thread(
            target=self.traffic.run, args=(self._stop,), name="traffic", daemon=True
        )
        self._thread.start()
        agents = sum(len(site.agents) for site in SITES)
        queues = sum(len(site.queues) for site in SITES)
        self._say(
            f"traffic is on: {queues} queues, {agents} agents, about {8 * self._load:.0f} calls a minute"
        )

    def stop(self) -> None:
        """Ends the traffic and every process, and deletes their folders; twice does no harm."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)
            self._thread = None
        end_all(reversed(self._instances))
        self._instances.clear()

    @property
    def instances(self) -> tuple[AsteriskInstance, ...]:
        """All the Asterisks, once started: the switchboards' and the one with the phones."""
        return tuple(self._instances)

    def alive(self) -> bool:
        """Whether all the processes are."""
        return bool(self._instances) and all(instance.running for instance in self._instances)

    def tail_log(self) -> str:
        """The last lines of all logs, for when something went wrong."""
        return "\n".join(instance.tail_log(30) for instance in self._instances)


def _connection(pbx: Pbx) -> DemoSwitchboard:
    return DemoSwitchboard(
        name=pbx.name,
        version=pbx.version,
        host=pbx.host,
        port=pbx.ami_port,
        tls_port=pbx.ami_tls_port,
        tls_cert=str(pbx.tls_cert),
        username="exporter",
        secret=pbx.secrets["exporter"],
        control_username="control",
        control_secret=pbx.secrets["control"],
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs the pair until Ctrl-C or SIGTERM. Exit codes: 0 ended so, 1 one failed, 3 none possible."""
    parser = argparse.ArgumentParser(prog="python -m tests.pbx.demo_pbx", description=main.__doc__)
    parser.add_argument("--version", choices=VERSIONS, default="22", help="of Asterisk (default: 22)")
    parser.add_argument("--seed", type=int, default=1, help="of the traffic (default: 1)")
    parser.add_argument("--load", type=float, default=1.0, help="times eight calls a minute (default: 1)")
    options = parser.parse_args(arguments)
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)  # a shell starts background jobs with it ignored
    pair = DemoPbxPair(options.version, seed=options.seed, load=options.load)
    try:
        pair.start()
        json.dump([dataclasses.asdict(found) for found in pair.switchboards], sys.stdout, indent=2)
        print(flush=True)
        while not ended.wait(1.0):
            if not pair.alive():
                raise PbxError(f"a switchboard has ended by itself\n{pair.tail_log()}")
    except KeyboardInterrupt:
        _say("ending")
    except PbxUnavailable as reason:
        _say(f"no demo switchboards: {reason}")
        return 3
    except PbxError as error:
        _say(str(error))
        return 1
    finally:
        # a second Ctrl-C must not leave processes behind
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pair.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
