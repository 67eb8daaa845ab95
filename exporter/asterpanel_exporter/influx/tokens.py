"""The tokens that set-up makes: which there are, and the files that they are kept in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from asterpanel_switchboard.config import Config, InfluxConfig, InfluxTarget


@dataclass(frozen=True, slots=True)
class ScopedToken:
    """A token that may do one thing, with some buckets and nothing else.

    Attributes:
        file: where it is kept.
        action: what it may do.
        targets: whose buckets.
        variable: the environment variable that the exporter takes it from, if it does.
    """

    file: Path
    action: Literal["read", "write"]
    targets: tuple[InfluxTarget, ...]
    variable: str | None = None

    @property
    def description(self) -> str:
        """As InfluxDB's list of tokens shows it."""
        who = "Asterpanel's exporter" if self.action == "write" else "Grafana"
        return f"{self.action}, for {who}: {', '.join(target.tenant for target in self.targets)}"

    @property
    def text(self) -> str:
        """For a person."""
        buckets = ", ".join(target.bucket for target in self.targets)
        return f"{self.action} token in {self.file}, for {buckets}"


def scoped_tokens(config: Config, influxdb: InfluxConfig, folder: Path) -> list[ScopedToken]:
    """The tokens of a configuration: to write, where it says; to read, one for each tenant's Grafana.

    Args:
        config: it names the tenants.
        influxdb: its section `influxdb`.
        folder: for tokens to read, and for those that go into environment variables.
    """
    targets = {tenant: influxdb.target_for(tenant) for tenant in config.tenants}
    own = {
        tenant: section
        for tenant, section in influxdb.tenants.items()
        if tenant in targets and (section.token_file or section.token_env)
    }
    shared = tuple(target for tenant, target in targets.items() if tenant not in own)
    tokens = []
    if shared:
        file = influxdb.token_file or folder / "influxdb-write"
        tokens.append(ScopedToken(file, "write", shared, influxdb.token_env))
    for tenant, section in own.items():
        file = section.token_file or folder / f"influxdb-write-{tenant}"
        tokens.append(ScopedToken(file, "write", (targets[tenant],), section.token_env))
    for tenant, target in targets.items():
        tokens.append(ScopedToken(folder / f"influxdb-read-{tenant}", "read", (target,)))
    return tokens


@contextmanager
def secret_file(path: Path) -> Iterator[IO[str]]:
    """A file that only its owner can read, in its place when the block has ended well; else nothing changes.

    Raises:
        OSError: it cannot be written; told before the block begins.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise
