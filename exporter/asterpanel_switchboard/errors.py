"""Errors that a user meets. Each message says what is wrong and where, and never holds a secret."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class AsterpanelError(Exception):
    """Base of every error that we raise on purpose; its text is meant for a person."""


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong in a configuration file.

    `location` is the path of the key (`switchboards.milano.port`, `queue_settings[0].queues`), or empty for
    the file as a whole. `line` and `column` count from 1; 0 says that the file could not even be read.
    """

    location: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        position = f"{self.line}:{self.column}: " if self.line else ""
        where = f"{self.location}: " if self.location else ""
        return f"{position}{where}{self.message}"


class ConfigError(AsterpanelError):
    """A configuration that cannot be used, with everything that is wrong in it, in the order of the file."""

    def __init__(self, path: Path, problems: Iterable[ConfigProblem]) -> None:
        self.path = path
        self.problems = tuple(sorted(problems, key=lambda p: (p.line, p.column, p.location, p.message)))
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One line a problem: `asterpanel.yml:12:5: switchboards.milano.prot: unknown key`."""
        return [f"{self.path}:{'' if problem.line else ' '}{problem}" for problem in self.problems]
