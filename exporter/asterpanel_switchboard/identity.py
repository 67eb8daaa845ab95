"""Which agent a queue member is: one person or phone, however many queues and interfaces he has."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

_CHANNEL_SUFFIX = re.compile(r"-[0-9a-f]{8}(;[12])?$", re.IGNORECASE)

AgentIdentity = Callable[[str, str], str]
"""From a member's interface and MemberName to the agent's id."""


def extension_of(interface: str) -> str:
    """Extension in a member's interface, Asterisk's ``Technology/resource``.

    >>> [extension_of(i) for i in ("Local/1001@from-queue/n", "PJSIP/1001", "SIP/1001-0000a3f2")]
    ['1001', '1001', '1001']
    """
    _, slash, resource = interface.partition("/")
    if not slash:
        return interface
    resource = _CHANNEL_SUFFIX.sub("", resource)
    extension = resource.split("@", 1)[0] if "@" in resource else resource.split("/")[-1]
    return extension or interface


def agent_identity(
    source: Literal["interface", "membername"] = "interface", pattern: str | None = None
) -> AgentIdentity:
    """The rule from the configuration as a function.

    Args:
        source: what tells who the agent is.
        pattern: regular expression searched in it; its first group is the id. Where it does not match, and
            where there is no MemberName, the extension in the interface stands in: nobody is left out.
            Of a member without one Asterisk tells the interface as his name (``apps/app_queue.c``,
            ``create_queue_member``).
    """
    expression = re.compile(pattern) if pattern else None

    @lru_cache(maxsize=65536)
    def identify(interface: str, member_name: str) -> str:
        name = "" if member_name == interface else member_name
        text = interface if source == "interface" else name
        if expression is not None:
            match = expression.search(text)
            if match is not None and match.group(1):
                return str(match.group(1))
            return extension_of(interface)
        if source == "interface":
            return extension_of(interface)
        return name or extension_of(interface)

    return identify
