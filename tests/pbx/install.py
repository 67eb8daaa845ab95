"""Finds or makes the folders with a whole Asterisk in them.

A *rootfs* is a small Debian with Asterisk's package, made by debootstrap and entered by chroot, so that the
machine itself is left as it is. It takes about 500 MB and a minute, once, and is shared by everything that
runs.

    root = rootfs("22")      # Debian sid, Asterisk 22.x
    root = rootfs("16")      # Debian bullseye, Asterisk 16.x

`ASTERPANEL_TEST_PBX_DIR` says where the folders are (default `~/.cache/asterpanel/pbx`), and
`ASTERPANEL_DEBIAN_MIRROR` names another package mirror than debootstrap's own default.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

AsteriskVersion: TypeAlias = Literal["22", "16"]

#: The versions the rig can bring up.
VERSIONS: Final[tuple[AsteriskVersion, ...]] = ("22", "16")

_SUITES: Final[dict[AsteriskVersion, str]] = {"22": "sid", "16": "bullseye"}
_INCLUDE: Final = "asterisk,openssl"
_INSTALL_TIMEOUT_S: Final = 1200.0


class PbxUnavailable(Exception):
    """A real Asterisk cannot be had on this machine; the text is one line that says why."""


def cache_dir() -> Path:
    """The folder that holds the root folders (`ast22`, `ast16`); it need not exist yet."""
    configured = os.environ.get("ASTERPANEL_TEST_PBX_DIR")
    if configured:
        return Path(configured).expanduser().resolve()
    return Path("~/.cache/asterpanel/pbx").expanduser()


def why_not() -> str | None:
    """Says in one line why no Asterisk can run here, or None if nothing is known to stand in the way.

    Cheap, and touches nothing: it looks at the operating system, the user and the ready folders only.
    """
    if sys.platform != "linux":
        return f"a real Asterisk needs Linux; this is {sys.platform}"
    if os.geteuid() != 0:
        return "a real Asterisk needs root (it runs in a chroot of its own)"
    if any(_is_ready(cache_dir() / f"ast{version}") for version in VERSIONS):
        return None
    if not _is_debian():
        return "a real Asterisk is installed from Debian's packages, and this is not Debian"
    return None


def rootfs(version: AsteriskVersion) -> Path:
    """Returns the root folder of that Asterisk version, making it first where there is none.

    Safe to call from several processes at once: one makes it, the others wait. Progress goes to stderr.
    Raises PbxUnavailable with the reason if it cannot be had.
    """
    if version not in _SUITES:
        raise ValueError(f"no such version in the rig: {version!r} (there are {', '.join(VERSIONS)})")
    if sys.platform != "linux" or os.geteuid() != 0:
        raise PbxUnavailable(why_not() or "a real Asterisk needs Linux and root")
    root = cache_dir() / f"ast{version}"
    if not _is_ready(root):
        try:
            root.parent.mkdir(parents=True, exist_ok=True)
            with _locked(root.parent / f".ast{version}.lock"):
                if not _is_ready(root):
                    _install(version, root)
        except OSError as error:
            raise PbxUnavailable(f"cannot make {root}: {error}") from error
    asterisk_version(root)
    return root


def asterisk_version(root: Path) -> str:
    """The full version of the Asterisk in that folder, such as `22.10.1`.

    Raises PbxUnavailable if it cannot be run there (for example where chroot is forbidden).
    """
    try:
        done = subprocess.run(
            ["chroot", str(root), "/usr/sbin/asterisk", "-V"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PbxUnavailable(f"cannot run Asterisk in {root}: {error}") from error
    found = re.search(r"Asterisk (\d+(?:\.\d+)*)", done.stdout)
    if done.returncode != 0 or found is None:
        said = _last_line(done.stderr) or f"exit code {done.returncode}"
        raise PbxUnavailable(f"cannot run Asterisk in {root}: {said}")
    return found[1]


def _is_ready(root: Path) -> bool:
    # debootstrap keeps its own folder in the root until it has finished
    return os.access(root / "usr/sbin/asterisk", os.X_OK) and not (root / "debootstrap").exists()


def _is_debian() -> bool:
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return False
    return re.search(r'^(ID|ID_LIKE)="?([^"\n]*\b)?debian\b', text, re.MULTILINE) is not None


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"another process is working on {path.name}; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _install(version: AsteriskVersion, root: Path) -> None:
    if not _is_debian():
        raise PbxUnavailable("a real Asterisk is installed from Debian's packages, and this is not Debian")
    debootstrap = _debootstrap()
    for leftover in root.parent.glob(f".{root.name}.new-*"):
        _discard(leftover)
    target = root.with_name(f".{root.name}.new-{os.getpid()}")
    log = root.with_name(f"{root.name}.log")
    suite = _SUITES[version]
    command = [debootstrap, "--variant=minbase", f"--include={_INCLUDE}", suite, str(target)]
    mirror = os.environ.get("ASTERPANEL_DEBIAN_MIRROR")
    if mirror:
        command.append(mirror)
    _say(f"installing Asterisk {version} from Debian {suite} into {root} (once; a minute or two, 0.5 GB)")
    try:
        _run_debootstrap(version, command, log)
        shutil.rmtree(target / "var/cache/apt/archives", ignore_errors=True)
        if not _is_ready(target):
            raise PbxUnavailable(f"debootstrap ended without an Asterisk (see {log})")
        found = asterisk_version(target)
        if root.exists():
            _discard(root)
        target.rename(root)
    except BaseException:
        _discard(target)
        raise
    if not found.startswith(f"{version}."):
        _say(f"note: Debian {suite} has moved on, this is Asterisk {found}")
    _say(f"Asterisk {found} is ready in {root}")


def _run_debootstrap(version: AsteriskVersion, command: list[str], log: Path) -> None:
    started = time.monotonic()
    step = ""
    problem = ""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C", "TMPDIR": "/tmp"}
    with log.open("w", encoding="utf-8") as record:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            env=environment,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                record.write(line)
                if line.startswith(("E:", "W:")):
                    problem = line[2:].strip()
                words = re.match(r"I: (Retrieving|Validating|Extracting|Unpacking|Configuring)\b", line)
                if words and words[1] != step and (step, words[1]) != ("Validating", "Retrieving"):
                    step = words[1]
                    _say(f"Asterisk {version}: {step.lower()} packages ({time.monotonic() - started:.0f} s)")
                if time.monotonic() - started > _INSTALL_TIMEOUT_S:
                    raise PbxUnavailable(
                        f"debootstrap did not finish in {_INSTALL_TIMEOUT_S / 60:.0f} minutes"
                    )
            code = process.wait()
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
    if code != 0:
        raise PbxUnavailable(f"debootstrap failed: {problem or f'exit code {code}'} (see {log})")


def _debootstrap() -> str:
    search = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    found = shutil.which("debootstrap", path=search)
    if found:
        return found
    apt = shutil.which("apt-get", path=search)
    if apt is None:
        raise PbxUnavailable("debootstrap is not installed, and there is no apt-get to install it with")
    _say("installing debootstrap")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    said = ""
    for arguments in (["install"], ["update"], ["install"]):
        extra = ["--no-install-recommends", "debootstrap"] if arguments == ["install"] else []
        try:
            done = subprocess.run(
                [apt, "-q", "-y", *arguments, *extra],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
                env=environment,
            )
        except subprocess.TimeoutExpired:
            raise PbxUnavailable("debootstrap is not installed, and apt-get does not get through") from None
        said = _last_line(done.stderr) or said
        found = shutil.which("debootstrap", path=search)
        if found:
            return found
    raise PbxUnavailable(f"debootstrap is not installed, and apt-get cannot install it: {said}")


def _discard(folder: Path) -> None:
    if not folder.exists():
        return
    # an interrupted debootstrap leaves /proc and /sys mounted in there: never delete through a mount
    mounts = [line.split(" ")[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _say(text: str) -> None:
    print(f"pbx: {text}", file=sys.stderr, flush=True)
