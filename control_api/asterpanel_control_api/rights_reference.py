"""Writes RIGHTS.md from the tables of access and identity.

``python -m asterpanel_control_api.rights_reference [--check]``
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from asterpanel_control_api.access.endpoints import ENDPOINTS, Endpoint, Public, Read, Setup
from asterpanel_control_api.access.matrix import (
    PEOPLE,
    PROGRAMS,
    Answer,
    Asker,
    Place,
    answer,
    answer_to_unproven,
    places,
)
from asterpanel_control_api.access.rights import ON_ONESELF, Right, rights_table
from asterpanel_control_api.errors import ErrorId
from asterpanel_control_api.identity.forms import Form
from asterpanel_control_api.identity.refusals import Reason
from asterpanel_switchboard.generated import write_or_check

REFERENCE: Final = Path(__file__).resolve().parents[1] / "RIGHTS.md"

_HEAD: Final = """\
# Who may do what: rights of the control API

Generated from the tables in `asterpanel_control_api/access` and `asterpanel_control_api/identity` by
`make docs`; do not edit. The tests ask the API for every cell of the matrix below, in every form of identity,
and look at what the switchboard was sent.

A request is judged in this order, and the first that fails is the answer:

1. Who is it? See *Identity*. Not believed: `unauthenticated`.
2. Is what it names in sight? See *Matrix*. If not: `not_found`.
3. Does the role have the right? See *Roles*. If not: `forbidden`; `detail.right` names the missing right.

There are no rights but these: whoever is in no profile (*nobody*) has none.
"""

_ROLES: Final = """
## Roles

A person has a role in a profile of `profiles.yml`, and may be in several profiles: the rights of each hold
among its own queues and agents. A bearer token has one role, and reaches what its own globs name.

"""

_CALLERS: Final = """
`see_callers` can be given to a role and taken from it by `callers` in `profiles.yml`; this is the default.
"""

_ENDPOINTS: Final = """
## Endpoints

"""

_MATRIX: Final = """
## Matrix

Where that is which the request names, seen from the profile:

"""

_NOTES: Final = """
Why `not_found`: what is out of sight is answered exactly as what does not exist, with the same status, id,
message and detail, made of the request alone. `forbidden` would tell that the agent, queue, caller or
switchboard exists. So there is no way to find out by asking; `forbidden` is said of what one sees anyway.

- A master has the whole tenant, whatever his profile names; a master's token has what its globs name.
- An agent sees himself and the queues he is a member of, with how many wait there, and no other agent.
- Whoever has another role and is an agent too (`agent` in `profiles.yml`) is within his own reach, also where
  the profile's `agents` do not name him.
- A program is no agent, so for tokens there is no *oneself* (–), and no token has the role agent.
- An agent whom the profile names and who is in none of its queues is in sight for `put_member` and
  `set_queues` alone, which may bring him in.
- What the body names is judged after what the path names, in the same way. Everything that is named must be
  in sight and allowed, or nothing is done.
- *done* stands for what the switchboard then makes of it, which has errors of its own: `already_so`,
  `not_connected` and so on.
"""

_IDENTITY: Final = """
## Identity

What is believed goes on to the matrix above, if the tenant's `identity` accepts the form. What is not is
answered with {status} `{id}` at every endpoint but the public ones, the same for whatever was wrong: only the
log tells the reason. Nothing reaches a switchboard. The *route's secret* is the `Authorization: Bearer …` of
one organisation's app in Grafana.

One endpoint, `{connection}`, answers whoever has a right secret, also if his identity is not believed, and
tells him the reason: the configuration page of Grafana's app has to say what is wrong. It names no
switchboard.

"""


def reference() -> str:
    """The text of RIGHTS.md."""
    return "".join(
        (
            _HEAD,
            _ROLES,
            rights_table(),
            _CALLERS,
            _ENDPOINTS,
            _table(("endpoint", "method", "path", "right it wants"), map(_endpoint, ENDPOINTS)),
            _MATRIX,
            *(f"- *{place.id}*: {place.words}.\n" for place in Place if place is not Place.NOWHERE),
            "\n",
            _table(("endpoint", "where", *(asker.name for asker in _ASKERS)), _cells()),
            _NOTES,
            _IDENTITY.format(
                status=int(ErrorId.UNAUTHENTICATED.status),
                id=ErrorId.UNAUTHENTICATED.id,
                connection=Setup.CONNECTION.id,
            ),
            _table(
                ("form", "what is sent", "answer", "reason in the log", f"at `{Setup.CONNECTION.id}`"),
                map(_form, Form),
            ),
        )
    )


_ASKERS: Final = (*PEOPLE, *PROGRAMS)


def _endpoint(endpoint: Endpoint) -> Sequence[str]:
    path = endpoint.path.replace("<", "{").replace(">", "}")
    return f"`{endpoint.id}`", endpoint.method, f"`{path}`", _right(endpoint)


def _right(endpoint: Endpoint) -> str:
    if isinstance(endpoint, Public):
        return "none: public"
    if isinstance(endpoint, Setup):
        return "none: a right secret is enough"
    if endpoint.right is None:
        return "none: tells of oneself"
    return f"`{endpoint.right.id}`{_or_smaller(endpoint.right)}"


def _or_smaller(right: Right) -> str:
    return f"; on oneself `{ON_ONESELF[right].id}`" if right in ON_ONESELF else ""


def _cells() -> Iterator[Sequence[str]]:
    for endpoint in ENDPOINTS:
        for place in Place:
            if any(place in places(asker, endpoint) for asker in _ASKERS):
                yield f"`{endpoint.id}`", place.id, *(_cell(asker, endpoint, place) for asker in _ASKERS)


def _cell(asker: Asker, endpoint: Endpoint, place: Place) -> str:
    if place not in places(asker, endpoint):
        return "–"
    return _answer(answer(asker, endpoint, place))


def _form(form: Form) -> Sequence[str]:
    if not isinstance(form.outcome, Reason):
        return form.id, form.words, "believed", "", Answer.DONE.id
    answers = (answer_to_unproven(endpoint, form.outcome) for endpoint in (Read.ME, Setup.CONNECTION))
    elsewhere, at_connection = map(_answer, answers)
    return form.id, form.words, elsewhere, f"`{form.outcome.value}`", at_connection


def _answer(found: Answer) -> str:
    return found.id if found is Answer.DONE else f"`{found.id}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(map(_row, (head, ("---",) * len(head), *rows)))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.exit(write_or_check(REFERENCE, reference(), sys.argv[1:]))
