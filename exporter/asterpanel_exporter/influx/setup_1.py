"""What InfluxDB 1.x needs for us: databases. It has no organisations, and no tokens."""

from __future__ import annotations

import json
from typing import Any

from influxdb_client import InfluxDBClient

from asterpanel_exporter.influx.client import connect
from asterpanel_exporter.influx.setup import (
    DEFAULT_RETENTION_POLICY,
    FirstUser,
    Say,
    SetupError,
    database_of,
)
from asterpanel_switchboard.config import InfluxConfig, InfluxTarget


def server_version(client: InfluxDBClient) -> str:
    """``1.8.10``, ``2.7.12``, ``3.0.1``.

    Raises:
        SetupError: what answers is no InfluxDB.
    """
    answer = client.api_client.rest_client.GET(f"{client.url}/ping", headers=_headers(client))
    version = str(answer.getheader("X-Influxdb-Version") or "")
    if not version:
        try:
            version = str(json.loads(answer.data)["version"])
        except (ValueError, LookupError, TypeError):
            raise SetupError(f"what answers at {client.url} is no InfluxDB") from None
    return version.removeprefix("v")


def connect_1(config: InfluxConfig, user: FirstUser | None) -> InfluxDBClient:
    """A client that says who it is in the way of 1.x."""
    if user is None:
        return connect(config, config.url, None)
    return connect(config, config.url, f"{user.name}:{user.password}", auth_basic=True)


def can_be_written_to(version: str) -> bool:
    """Whether it has the write API of 2.x, which came with 1.8."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return (major, minor) >= (1, 8)


def make_databases(
    client: InfluxDBClient, targets: list[InfluxTarget], retention_s: int | None, *, dry_run: bool, say: Say
) -> None:
    """A database for each target, where there is none.

    Raises:
        SetupError: it is refused.
    """
    known = {row[0] for row in _rows(client, "SHOW DATABASES")}
    for target in targets:
        database, policy = database_of(target.bucket)
        what = f"database {database}"
        if database in known:
            say("ok", what)
        else:
            duration = f" WITH DURATION {retention_s}s" if retention_s else ""
            say("create", what)
            _change(client, f"CREATE DATABASE {_quoted(database)}{duration}", dry_run=dry_run)
        known.add(database)
        if policy != DEFAULT_RETENTION_POLICY:
            _retention_policy(client, database, policy, retention_s, dry_run=dry_run, say=say)


def _retention_policy(
    client: InfluxDBClient, database: str, policy: str, retention_s: int | None, *, dry_run: bool, say: Say
) -> None:
    what = f"retention policy {policy} of database {database}"
    if policy in {row[0] for row in _rows(client, f"SHOW RETENTION POLICIES ON {_quoted(database)}")}:
        say("ok", what)
        return
    duration = f"{retention_s}s" if retention_s else "INF"
    say("create", what)
    statement = f"CREATE RETENTION POLICY {_quoted(policy)} ON {_quoted(database)}"
    _change(client, f"{statement} DURATION {duration} REPLICATION 1 DEFAULT", dry_run=dry_run)


def _change(client: InfluxDBClient, statement: str, *, dry_run: bool) -> None:
    if not dry_run:
        _rows(client, statement)


def _rows(client: InfluxDBClient, statement: str) -> list[list[Any]]:
    answer = client.api_client.rest_client.POST(
        f"{client.url}/query", headers=_headers(client), query_params={"q": statement}
    )
    [result] = json.loads(answer.data)["results"]
    if "error" in result:
        if "database not found" in result["error"]:
            return []  # in a dry run it was not made
        raise SetupError(f"InfluxDB refuses {statement}: {result['error']}")
    return [row for series in result.get("series", []) for row in series.get("values", [])]


def _headers(client: InfluxDBClient) -> dict[str, str]:
    return {client.auth_header_name: client.auth_header_value} if client.auth_header_name else {}


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
