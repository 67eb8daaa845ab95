"""Cases of the rules of which Grafana's app has a copy, for its buttons; the rules here give the answers.

They are: whether a glob matches a name (`Globs.match`), and whether somebody may do something
(`Viewpoint.may`), by what ``/v1/me`` tells him.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from asterpanel_control_api.access.globs import Globs
from asterpanel_control_api.access.profiles import Profiles
from asterpanel_control_api.access.rights import Right, Role
from asterpanel_control_api.access.viewpoint import Viewpoint
from asterpanel_control_api.people import Person, TokenGrant, Via

_SWITCHBOARDS: Final = ("milano", "milano-2", "torino")
"""Of the tenant; ``roma`` is another's."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What a right is asked on."""

    switchboard: str = "milano"
    queue: str | None = None
    agent: str | None = None

    @property
    def named(self) -> dict[str, str]:
        named = {"queue": self.queue, "agent": self.agent}
        return {what: name for what, name in named.items() if name is not None}

    @property
    def words(self) -> str:
        return "".join(f", {what} {name!r}" for what, name in self.named.items()) + f" on {self.switchboard}"


_USUAL: Final = (
    (Right.SEE, _Place()),
    (Right.SEE, _Place(queue="billing")),
    (Right.SEE, _Place(agent="1001")),
    (Right.SEE_OWN, _Place()),
    (Right.SEE_OWN, _Place("torino")),
    (Right.SEE_CALLERS, _Place(queue="billing")),
    (Right.SEE_CALLERS, _Place(queue="sales")),
    (Right.SEE_CALLERS, _Place("torino", queue="billing")),
    (Right.PAUSE_SELF, _Place(agent="1001")),
    (Right.PAUSE_SELF, _Place(agent="1002")),
    (Right.PAUSE, _Place(agent="1001")),
    (Right.PAUSE, _Place(agent="1002")),
    (Right.PAUSE, _Place(agent="2001")),
    (Right.PAUSE, _Place("torino", agent="1001")),
    (Right.PAUSE, _Place("roma", agent="1001")),
    (Right.PAUSE, _Place(queue="billing", agent="1001")),
    (Right.PAUSE, _Place(queue="sales", agent="1001")),
    (Right.PAUSE, _Place(queue="sales", agent="2001")),
    (Right.EDIT_MEMBERS, _Place(agent="1001")),
    (Right.EDIT_MEMBERS, _Place(queue="billing", agent="1002")),
    (Right.EDIT_MEMBERS, _Place(queue="billing", agent="2001")),
    (Right.EDIT_MEMBERS, _Place(queue="sales", agent="1002")),
    (Right.EDIT_MEMBERS, _Place("milano-2", queue="billing", agent="1002")),
    (Right.MOVE_CALLERS, _Place(queue="billing")),
    (Right.MOVE_CALLERS, _Place(queue="sales")),
    (Right.MOVE_CALLERS, _Place("torino", queue="billing")),
    (Right.MOVE_CALLERS, _Place("roma", queue="billing")),
)
"""What is asked of everybody."""

_BILLING: Final = {"switchboards": ["milano"], "queues": ["billing*"], "agents": ["1*"]}
_SALES: Final = {"switchboards": ["milano"], "queues": ["sales"], "agents": ["2*"]}
_TORINO: Final = {"switchboards": ["torino"], "queues": ["*"], "agents": ["*"]}

_Membership = Mapping[str, Any]
"""A profile, with the ``role`` and the ``agent`` that somebody has in it."""

_PEOPLE: Final[Mapping[str, tuple[_Membership, ...]]] = {
    "a master": ({**_BILLING, "role": "master"},),
    "a supervisor": ({**_BILLING, "role": "supervisor"},),
    "an agent": ({**_BILLING, "role": "agent", "agent": "1001"},),
    "a viewer": ({**_BILLING, "role": "viewer"},),
    "somebody in no profile": (),
    "a supervisor without callers": (
        {**_BILLING, "role": "supervisor", "callers": {"supervisor": "masked"}},
    ),
    "a viewer who is an agent": ({**_BILLING, "role": "viewer", "agent": "1001"},),
    "a supervisor who is an agent of another team": ({**_BILLING, "role": "supervisor", "agent": "2001"},),
    "an agent outside of his profile's globs": ({**_SALES, "role": "agent", "agent": "1001"},),
    "a supervisor of two teams": (
        {**_BILLING, "role": "supervisor"},
        {**_SALES, "role": "supervisor"},
    ),
    "a supervisor here and viewer there": (
        {**_BILLING, "role": "supervisor"},
        {**_SALES, "role": "viewer"},
    ),
    "an agent here and supervisor there": (
        {**_BILLING, "role": "agent", "agent": "1001"},
        {**_SALES, "role": "supervisor"},
    ),
    "two agents": (
        {**_BILLING, "role": "agent", "agent": "1001"},
        {**_SALES, "role": "agent", "agent": "2001"},
    ),
    "an agent of one switchboard who sees another": (
        {"role": "agent", "agent": {"milano": "1001"}, "callers": {"agent": "shown"}},
        {**_TORINO, "role": "viewer"},
    ),
    "an agent by another name on one switchboard": (
        {"role": "agent", "agent": {"*": "1001", "torino": "1002"}},
    ),
    "a master here and agent of a team": (
        {**_TORINO, "role": "master"},
        {**_BILLING, "role": "agent", "agent": "1001"},
    ),
}  # fmt: skip

_TOKENS: Final = {
    "a token of a master": TokenGrant("t1", Role.MASTER, queues=("billing",)),
    "a token of a supervisor": TokenGrant("t2", Role.SUPERVISOR, ("milano",), ("sales",), ("2*",)),
    "a token of a viewer": TokenGrant("t3", Role.VIEWER, ("milano*",)),
}

_NAMED: Final = (
    # Globs of a profile's queues and agents, and names that they have or have not.
    (("B*",), ("a?1",), ("billing", "BILLING", "sales"), ("ax1", "AX1", "a1", "axx1")),
    (("[st]ales", "vip"), ("[!2]*",), ("sales", "tales", "Vip", "[st]ales", "wales"), ("1001", "2001")),
    (("a.b", "c+", "(d)", "e|f", "g$"), ("^h",), ("a.b", "axb", "cc", "c+", "(d)", "e", "g"), ("^h", "h")),
    (("queue-[0-9]",), ("Anna *",), ("queue-1", "queue-10", "QUEUE-2", "queue-"), ("anna rossi", "Anna")),
)
"""Queues' and agents' globs of a supervisor, and queues and agents to ask for."""


def rights_cases() -> list[dict[str, Any]]:
    """Who may do what where: what ``/v1/me`` tells him, what is asked, and whether he may."""
    viewpoints = {
        **{who: _of_person(memberships) for who, memberships in _PEOPLE.items()},
        **{who: _of_program(grant) for who, grant in _TOKENS.items()},
    }
    cases = [
        _case(who, viewpoint, right, place)
        for who, viewpoint in viewpoints.items()
        for right, place in _USUAL
    ]
    return [*cases, *_cases_of_oneself(), *_cases_of_globs()]


def _cases_of_oneself() -> Iterator[dict[str, Any]]:
    """The agent that one is is one's own by his very id: no glob, and no other case of letters."""
    viewpoint = _of_person(({**_BILLING, "role": "agent", "agent": "Anna"},))
    for right, agent in product((Right.PAUSE, Right.PAUSE_SELF), ("Anna", "anna", "An*", "", "1001")):
        yield _case("the agent Anna", viewpoint, right, _Place(queue="billing", agent=agent))


def _cases_of_globs() -> Iterator[dict[str, Any]]:
    for queues, agents, asked_queues, asked_agents in _NAMED:
        profile = {"switchboards": ["mil*"], "queues": queues, "agents": agents, "role": "supervisor"}
        who, viewpoint = f"who has {' '.join(queues)} and {' '.join(agents)}", _of_person((profile,))
        for queue in asked_queues:
            yield _case(who, viewpoint, Right.MOVE_CALLERS, _Place("milano-2", queue=queue))
        for agent in asked_agents:
            yield _case(who, viewpoint, Right.PAUSE, _Place(agent=agent))
        for queue, agent in zip(asked_queues, asked_agents, strict=False):
            yield _case(who, viewpoint, Right.EDIT_MEMBERS, _Place(queue=queue, agent=agent))


def _of_person(memberships: Iterable[_Membership]) -> Viewpoint:
    login = "anna"
    profiles = {
        f"team-{number}": {
            **{key: value for key, value in membership.items() if key not in ("role", "agent")},
            "members": [
                {"login": login, **{key: membership[key] for key in ("role", "agent") if key in membership}}
            ],
        }
        for number, membership in enumerate(memberships, 1)
    }
    file = Profiles.model_validate({"tenants": {"default": {"profiles": profiles}}})
    person = Person("default", f"grafana:{login}", login, "", "Anna", Via.CONTEXT)
    return Viewpoint(person, file, _SWITCHBOARDS)


def _of_program(grant: TokenGrant) -> Viewpoint:
    person = Person("default", f"token:{grant.id}", "", "", grant.id, Via.BEARER, grant)
    return Viewpoint(person, Profiles(tenants={}), _SWITCHBOARDS)


def _case(who: str, viewpoint: Viewpoint, right: Right, place: _Place) -> dict[str, Any]:
    me = viewpoint.me()
    return {
        "name": f"{who}: {right.id}{place.words}",
        "switchboard": place.switchboard,
        "right": right.id,
        **place.named,
        "may": viewpoint.may(right, place.switchboard, queue=place.queue, agent=place.agent),
        "me": {key: me[key] for key in ("grants", "switchboards")},
    }


_GLOBS: Final[Mapping[str, tuple[str, ...]]] = {
    "*": ("", "a", "a\nb"),
    "**": ("", "ab"),
    "a*": ("a", "A", "ab", "a\nb", "ba", "", "á"),
    "*-night": ("sales-night", "-night", "sales-Night", "sales-nights", "sales-night\n"),
    "?": ("a", "", "ab", "\n", "è", "e\u0300", "😀", "*"),
    "a?c": ("abc", "a?c", "ac", "A*C"),
    "": ("", "a"),
    "sales": ("sales", "SALES", "sales ", "sales\n", "asales", "sale"),
    "Straße": ("straße", "STRASSE", "strasse"),
    "CAFFÈ": ("caffÈ", "caffè"),
    "k": ("K", "\u212a"),
    "s": ("S", "\u017f"),
    "i": ("I", "\u0130", "\u0131"),
    "[abc]": ("a", "B", "d", "abc", "[abc]", ""),
    "[ABC]": ("a", "C"),
    "[!abc]": ("d", "a", "A", "!", "", "dd", "\n", "😀"),
    "[^abc]": ("^", "a", "d"),
    "[a^]": ("^", "a", "b"),
    "[0-9]": ("0", "9", "٣", "-", "a"),
    "[A-C]x": ("bx", "BX", "dx", "-x"),
    "[Z-a]": ("z", "a", "_", "Z"),
    "[A-z]": ("m", "_", "Z", "["),
    "[c-a]": ("a", "b", "c", "-", ""),
    "[!c-a]": ("a", "-", "", "aa"),
    "[c-ax]": ("x", "b", "c"),
    "[a-]": ("a", "-", "b"),
    "[-a]": ("a", "-", "b"),
    "[a-c-e]": ("b", "-", "e", "d"),
    "[--/]": ("-", ".", "/", "a"),
    "[!-a]": ("-", "a", "b"),
    "[]": ("[]", "", "]"),
    "[]]": ("]", "[", "[]]"),
    "[]a]": ("]", "a", "b"),
    "[!]": ("[!]", "!", "a"),
    "[!]]": ("a", "]", ""),
    "[!]a]": ("b", "]", "a"),
    "[!!]": ("!", "a"),
    "[[]": ("[", "]"),
    "[[a]]": ("[]", "a]", "a"),
    "[a": ("[a", "a", "[A"),
    "a]": ("a]", "a"),
    "[a\\]": ("a", "\\", "]", "a]"),
    "[\\d]": ("d", "\\", "1"),
    "[&&~~||]": ("&", "~", "|", "a"),
    "[$.]": ("$", ".", "a"),
    "[😀-😂]": ("😁", "😃", "😀😁"),
    "[!😀]": ("😁", "😀"),
    "a.c": ("a.c", "abc"),
    "a+": ("a+", "aa"),
    "(a|b)": ("(a|b)", "a"),
    "a|b": ("a|b", "a", "b"),
    "^a$": ("^a$", "a"),
    "a{2}": ("a{2}", "aa"),
    "\\d": ("\\d", "\\D", "1"),
    "\\*": ("\\", "\\x", "*"),
    "{a,b}": ("{a,b}", "a"),
    "/a/": ("/a/", "a"),
    "a-b": ("a-b", "a-B"),
    "#x": ("#x",),
    "a b": ("a b", "ab"),
    "*a*a*a*b": ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaab", "xaxaxab"),
}
"""Names to ask each pattern for."""


def glob_cases() -> list[dict[str, Any]]:
    """Which pattern matches which name."""
    return [
        {"pattern": pattern, "name": name, "match": Globs((pattern,)).match(name)}
        for pattern, names in _GLOBS.items()
        for name in names
    ]
