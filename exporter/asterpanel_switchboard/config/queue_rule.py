"""Entries of the configuration that are for some queues of some switchboards."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from pydantic import Field

from asterpanel_switchboard.config.section import Section
from asterpanel_switchboard.config.values import Glob


def any_matches(globs: Iterable[str], name: str) -> bool:
    """Whether one of the globs (case-sensitive) matches."""
    return any(fnmatchcase(name, glob) for glob in globs)


class QueueRule(Section):
    """What an entry for the queues that match begins with."""

    queues: tuple[Glob, ...] = Field(
        default=("*",), min_length=1, description="Queues this entry is for, as globs. Default: all."
    )
    switchboards: tuple[Glob, ...] = Field(
        default=("*",), min_length=1, description="Switchboards this entry is for, as globs. Default: all."
    )

    def matches(self, switchboard: str, queue: str) -> bool:
        """Whether this entry is for that queue of that switchboard."""
        return any_matches(self.switchboards, switchboard) and any_matches(self.queues, queue)
