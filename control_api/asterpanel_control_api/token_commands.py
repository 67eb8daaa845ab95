"""`asterpanel-control-api token`: bearer tokens for programs."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime

import click

from asterpanel_control_api.access.rights import Role
from asterpanel_control_api.identity.tokens import (
    StoredToken,
    TokensError,
    add_token,
    list_tokens,
    make_token,
    revoke_token,
)
from asterpanel_switchboard.command_line import configuration_for
from asterpanel_switchboard.config import Config, ControlApiConfig, Service
from asterpanel_switchboard.config.values import parse_duration

_LONGEST_S = 10 * 366 * 86400


class _Expiry(click.ParamType[float | None]):
    """A duration from now, or `never`."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        if value == "never" or value is None:
            return None
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            self.fail(f"{error}, or never", param, ctx)
        if not 0 < seconds <= _LONGEST_S:
            self.fail("must be longer than nothing and at most 10 years, or never", param, ctx)
        return seconds


@click.group()
def token() -> None:
    """Bearer tokens for programs: each with a role and a scope of its own.

    Only a hash of a token is kept, in control_api.tokens_file. The running control API notices every change.
    """


@token.command(
    epilog="""
\b
Examples:
  asterpanel-control-api token create wallboard --role viewer --expires 365d
  asterpanel-control-api token create shift-planner --role supervisor --queues 'sales*' --expires 30d
"""
)
@click.argument("name")
@click.option("--tenant", default="default", show_default=True, help="Tenant whose switchboards it is for.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role if role is not Role.AGENT]),
    required=True,
    help="What it may do within its scope. (An agent is a person, so there is no such token.)",
)
@click.option("--switchboards", multiple=True, metavar="GLOB", help="Only these; may be repeated.")
@click.option("--queues", multiple=True, metavar="GLOB", help="Only these; may be repeated.")
@click.option("--agents", multiple=True, metavar="GLOB", help="Only these; may be repeated.")
@click.option(
    "--expires",
    type=_Expiry(),
    required=True,
    metavar="DURATION|never",
    help="How long it holds: 12h, 30d, 52w, never.",
)
@click.pass_context
def create(
    context: click.Context,
    name: str,
    tenant: str,
    role: str,
    switchboards: tuple[str, ...],
    queues: tuple[str, ...],
    agents: tuple[str, ...],
    expires: float | None,
) -> None:
    """Make a token and print it. It is shown this once, and can never be shown again.

    NAME says in lists and in the audit which token it was: lower-case letters, digits and dashes.
    """
    config = _configuration(context)
    if tenant not in config.tenants:
        raise click.ClickException(
            f"no switchboard has the tenant {tenant!a}; there are: {', '.join(config.tenants)}"
        )
    now = time.time()
    try:
        new = make_token(
            name,
            tenant,
            Role(role),
            switchboards=switchboards or ("*",),
            queues=queues or ("*",),
            agents=agents or ("*",),
            created_at=now,
            expires_at=None if expires is None else now + expires,
        )
        add_token(_section(config).tokens_file, new.stored)
    except TokensError as error:
        raise click.ClickException(str(error)) from error
    click.echo(new.text)
    click.echo(f"token {name}: {_summary(new.stored, now)}", err=True)
    click.echo("Keep it now: it is not shown again.", err=True)


@token.command(name="list")
@click.pass_context
def list_(context: click.Context) -> None:
    """List the tokens: what they may do, until when, and the last four characters of each."""
    path = _section(_configuration(context)).tokens_file
    now = time.time()
    try:
        tokens = list_tokens(path)
    except TokensError as error:
        raise click.ClickException(str(error)) from error
    for stored in tokens:
        click.echo(f"{stored.name}: {_summary(stored, now)}")
    if not tokens:
        click.echo(f"no tokens in {path}", err=True)


@token.command()
@click.argument("name")
@click.pass_context
def revoke(context: click.Context, name: str) -> None:
    """Take a token back. The running control API refuses it from its next request on."""
    try:
        revoked = revoke_token(_section(_configuration(context)).tokens_file, name)
    except TokensError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"token {revoked.name} (…{revoked.last_four}) is revoked")


def _configuration(context: click.Context) -> Config:
    return configuration_for(Service.ADMINISTRATION, context)


def _section(config: Config) -> ControlApiConfig:
    if config.control_api is None:
        raise click.ClickException("the configuration has no section control_api: add it")
    return config.control_api


def _summary(stored: StoredToken, now: float) -> str:
    scope = [
        f"{what} {_globs(globs)}"
        for what, globs in (
            ("switchboards", stored.switchboards),
            ("queues", stored.queues),
            ("agents", stored.agents),
        )
        if globs != ("*",)
    ]
    parts = (
        f"tenant {stored.tenant}",
        f"role {stored.role.value}",
        *scope,
        f"made {_day(stored.created_at)}",
        _expiry(stored, now),
        f"ends in {stored.last_four}",
    )
    return ", ".join(parts)


def _globs(globs: Iterable[str]) -> str:
    return " ".join(glob if glob.isprintable() else ascii(glob) for glob in globs)


def _expiry(stored: StoredToken, now: float) -> str:
    if stored.expires_at is None:
        return "never expires"
    return f"{'EXPIRED' if stored.has_expired(now) else 'expires'} {_day(stored.expires_at)}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
