"""Programs of Debian's packages that tests and the demo use: found, or installed where that is possible."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

INSTALL_TIMEOUT_S = 600


class ProgramUnavailable(Exception):
    """The program cannot be had here; the text is one line that says why and what to do."""


def program(name: str, package: str) -> Path:
    """The path of a program, its package installed first if need be.

    It is installed only as root on a Debian without a running systemd (a container, CI): elsewhere the
    package would also start its own service, which nobody asked for.

    Raises:
        ProgramUnavailable: it is not there and cannot be installed.
    """
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise ProgramUnavailable(f"{name} is not installed (Debian: apt-get install {package}, as root)")
    if Path("/run/systemd/system").exists():
        raise ProgramUnavailable(
            f"{name} is not installed (apt-get install {package}; not done for you: it would start a service)"
        )
    print(f"installing Debian's {package}", file=sys.stderr, flush=True)
    _apt_get("update", "-qq")
    _apt_get("install", "-y", "-qq", "--no-install-recommends", package)
    found = shutil.which(name)
    if found is None:
        raise ProgramUnavailable(f"Debian's {package} has no {name}")
    return Path(found)


def _apt_get(*arguments: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(
            ["apt-get", *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            timeout=INSTALL_TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise ProgramUnavailable(f"apt-get {arguments[0]} failed: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise ProgramUnavailable(f"apt-get {arguments[0]} took over {INSTALL_TIMEOUT_S} s") from error
