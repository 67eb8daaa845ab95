"""Makes the recording that comes with Asterpanel, from the demo switchboard "milano".

    python -m tests.pbx.record_demo

Ten minutes of generated traffic on a real Asterisk, recorded by `asterpanel-exporter record` itself through
the user and the event filter that `manager-conf` prints. All names and numbers in it are made up.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from asterpanel_exporter.manager_conf import Version, event_filter
from asterpanel_exporter.play import demo_recording
from tests.pbx.demo_pbx import DemoPbxPair, DemoSwitchboard

CONFIG = """\
switchboards:
  {name}:
    host: {host}
    port: {port}
    username: {username}
    secret_file: secret
"""


def record(board: DemoSwitchboard, output: Path, duration: str) -> None:
    """Runs the command. Raises CalledProcessError if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "asterpanel.yml")
        config.write_text(
            CONFIG.format(name=board.name, host=board.host, port=board.port, username=board.username)
        )
        Path(folder, "secret").write_text(board.secret)
        command = [sys.executable, "-m", "asterpanel_exporter.cli", "-c", str(config), "record"]
        subprocess.run([*command, "--output", str(output), "--duration", duration], check=True)


def main() -> None:
    """Replaces the shipped recording."""
    parser = argparse.ArgumentParser(prog="python -m tests.pbx.record_demo", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=Path(demo_recording()), help="default: the shipped one"
    )
    parser.add_argument("--duration", default="10m", help="default: 10m")
    parser.add_argument("--seed", type=int, default=1, help="of the traffic (default: 1)")
    options = parser.parse_args()
    options.output.parent.mkdir(exist_ok=True)
    new = options.output.with_name(f"new-{options.output.name}")
    new.unlink(missing_ok=True)
    filters = "\n".join(event_filter(Version(22)))
    with DemoPbxPair("22", seed=options.seed, event_filter=filters) as pair:
        milano = next(board for board in pair.switchboards if board.name == "milano")
        record(milano, new, options.duration)
    new.replace(options.output)
    options.output.chmod(0o644)


if __name__ == "__main__":
    main()
