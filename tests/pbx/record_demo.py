"""Makes the recordings that come with Asterpanel, from the two demo switchboards.

    python -m tests.pbx.record_demo

Ten minutes of generated traffic on two real Asterisk servers, recorded by `asterpanel-exporter record` itself
through the user and the event filter that `manager-conf` prints. All names and numbers in them are made up.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from asterpanel_exporter.manager_conf import Version, event_filter
from asterpanel_exporter.play import DEMO_RECORDINGS, demo_recording
from tests.pbx.demo_pbx import DemoPbxPair, DemoSwitchboard

CONFIG = """\
switchboards:
  {name}:
    host: {host}
    port: {port}
    username: {username}
    secret_file: secret
"""


@contextlib.contextmanager
def recorder(board: DemoSwitchboard, output: Path, duration: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command, recording; ended with the block."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "asterpanel.yml")
        config.write_text(
            CONFIG.format(name=board.name, host=board.host, port=board.port, username=board.username)
        )
        Path(folder, "secret").write_text(board.secret)
        command = [sys.executable, "-m", "asterpanel_exporter.cli", "-c", str(config), "record"]
        command += ["--output", str(output), "--duration", duration]
        with subprocess.Popen(command) as process:
            try:
                yield process
            finally:
                process.terminate()


def main() -> None:
    """Replaces the shipped recordings."""
    parser = argparse.ArgumentParser(prog="python -m tests.pbx.record_demo", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path(demo_recording()).parent, help="default: the shipped ones'"
    )
    parser.add_argument("--duration", default="10m", help="default: 10m")
    parser.add_argument("--seed", type=int, default=1, help="of the traffic (default: 1)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    filters = "\n".join(event_filter(Version(22)))
    with tempfile.TemporaryDirectory(dir=options.folder) as new, contextlib.ExitStack() as stack:
        pair = stack.enter_context(DemoPbxPair("22", seed=options.seed, event_filter=filters))
        boards = {board.name: board for board in pair.switchboards}
        files = {name: Path(demo_recording(name)).name for name in DEMO_RECORDINGS}
        recorders = {
            name: stack.enter_context(recorder(boards[name], Path(new, file), options.duration))
            for name, file in files.items()
        }
        for name, process in recorders.items():
            if process.wait() != 0:
                raise SystemExit(f"{name}: the recording has failed")
        for file in files.values():
            Path(new, file).replace(options.folder / file)
            (options.folder / file).chmod(0o644)


if __name__ == "__main__":
    main()
