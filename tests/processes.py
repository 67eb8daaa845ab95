"""Starting processes that do not outlive this one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

# The kernel sends the death signal when the *thread* that started a process ends, so one thread that lives
# as long as this program starts them all.
_spawner: Final = ThreadPoolExecutor(1, thread_name_prefix="spawner")


def spawn(
    command: Iterable[str], output: int, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, so that Ctrl-C reaches it only through us.

    Where Linux's ``setpriv`` is at hand it dies with this program, even if that is killed.

    Args:
        command: the program and its arguments.
        output: the descriptor that gets what it prints.
        environment: in place of ours.
    """
    death = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*death, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=environment,
        )

    return _spawner.submit(start).result()


def end_process(process: subprocess.Popen[bytes], within_s: float) -> int:
    """End it (SIGTERM) and return its exit status.

    Raises:
        subprocess.TimeoutExpired: it did not end; it is killed.
    """
    process.terminate()
    try:
        return process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
