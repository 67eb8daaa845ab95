"""Who the agents of a queue_log are. Its agent column is a MemberName, or the interface where that is empty.

(`log_membername_as_agent = no` only makes ADDMEMBER and REMOVEMEMBER tell the interface; calls and pauses are
told by MemberName from Asterisk 11 to 22.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import yaml

from asterpanel_switchboard.errors import AsterpanelError
from asterpanel_switchboard.identity import AgentIdentity

_INTERFACE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*/\S+")
"""``PJSIP/1001``, ``Local/1001@from-queue/n``, …: Asterisk's ``Technology/resource``."""


class AgentMapError(AsterpanelError):
    """A file for ``--agent-map`` that cannot be used."""


class Agents:
    """Agent ids and names by what stands in the agent column.

    An interface has the id that the configuration's rule gives it. So has a MemberName where the rule reads
    MemberNames; where it reads interfaces, the id is what `mapped` says, else what `known` says, else the
    name itself.

    Args:
        identify: the rule of the configuration.
        source: what that rule reads.
        mapped: ids by MemberName or interface, given by the user.
        known: ids by MemberName, as the journal has them from live sessions.
    """

    def __init__(
        self,
        identify: AgentIdentity,
        source: Literal["interface", "membername"] = "interface",
        mapped: Mapping[str, str] | None = None,
        known: Mapping[str, str] | None = None,
    ) -> None:
        self._identify = identify
        self._source = source
        self._mapped = mapped or {}
        self._known = known or {}
        self._name_of = {id_: name for name, id_ in {**self._known, **self._mapped}.items()}
        self._agents: dict[str, tuple[str, str]] = {}

    def agent(self, column: str) -> tuple[str, str]:
        """Id and name of the agent in an agent column."""
        found = self._agents.get(column)
        if found is None:
            found = self._agents[column] = self._look_up(column)
        return found

    def _look_up(self, column: str) -> tuple[str, str]:
        if column in self._mapped:
            id_ = self._mapped[column]
        elif _INTERFACE.fullmatch(column):
            id_ = self._identify(column, "")
        elif self._source == "membername":
            id_ = self._identify("", column) or column
        else:
            id_ = self._known.get(column, column)
        named = not _INTERFACE.fullmatch(column)
        return id_, column if named else self._name_of.get(id_, column)


def read_agent_map(path: Path) -> dict[str, str]:
    """Ids by MemberName from a YAML (or JSON) file with one mapping: ``Anna Rossi: 1001``.

    Raises:
        AgentMapError: it cannot be read, or holds something else.
    """
    try:
        # Every value as text: 0101 is an extension, and no octal number.
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    except OSError as error:
        raise AgentMapError(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise AgentMapError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise AgentMapError(f"{path}: expected lines of the form MEMBERNAME: AGENT")
    for name, agent in document.items():
        if not isinstance(agent, str) or not agent.strip():
            raise AgentMapError(f"{path}: {name}: expected the id of an agent")
    return {str(name): agent.strip() for name, agent in document.items()}
