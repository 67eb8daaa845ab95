"""People as the identity part of the control API proves them."""

from asterpanel_control_api.people import Person, TokenGrant, Via


def grafana_user(login: str = "anna", email: str = "", *, tenant: str = "default") -> Person:
    """A user of Grafana."""
    return Person(
        tenant=tenant,
        subject=f"grafana:{login}",
        login=login,
        email=email,
        name=login.title(),
        via=Via.ID_TOKEN,
    )


def token_user(
    role: str,
    *,
    switchboards: tuple[str, ...] = ("*",),
    queues: tuple[str, ...] = ("*",),
    agents: tuple[str, ...] = ("*",),
    login: str = "",
    tenant: str = "default",
) -> Person:
    """A program with a bearer token."""
    grant = TokenGrant(id="t1", role=role, switchboards=switchboards, queues=queues, agents=agents)
    return Person(
        tenant=tenant,
        subject="token:t1",
        login=login,
        email="",
        name="t1",
        via=Via.BEARER,
        grant=grant,
    )
