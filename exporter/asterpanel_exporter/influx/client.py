"""The way to one tenant's bucket: influxdb-client's write API, its failures told apart, and a way out."""

from __future__ import annotations

import contextlib
import gzip
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

import urllib3
from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from asterpanel_exporter.influx.answers import (
    FailureKind,
    WriteError,
    error_of_answer,
    error_of_exception,
    tls_problem,
)
from asterpanel_switchboard.config import InfluxConfig, InfluxTarget

GZIP_LEVEL: Final = 3
"""Line protocol repeats itself so much that more effort gains little (the client library's 9 costs most)."""


def connect(config: InfluxConfig, url: str, token: str | None, *, auth_basic: bool = False) -> InfluxDBClient:
    """A client that tries everything once.

    Args:
        config: time-out and TLS.
        url: whom it speaks to.
        token: None sends none.
        auth_basic: the token is ``user:password``.
    """
    if not config.verify:
        urllib3.disable_warnings(InsecureRequestWarning)  # `check` has warned
    milliseconds = round(config.timeout * 1000)
    return InfluxDBClient(
        url=url,
        token=token,
        timeout=(milliseconds, milliseconds),
        verify_ssl=config.verify,
        ssl_ca_cert=None if config.ca_file is None else str(config.ca_file),
        retries=False,
        auth_basic=auth_basic,
    )


class WriteClient:
    """Writes lines to one tenant's bucket. One thread writes; another may `abort`."""

    def __init__(self, config: InfluxConfig, target: InfluxTarget) -> None:
        token = None if target.token is None else target.token.get_secret_value()
        self._target = target
        self._timeout_s = config.timeout
        self._gzip = config.gzip
        self._connection: HTTPConnection | None = None
        self._client = connect(config, target.url, token)
        if config.gzip:
            self._client.api_client.set_default_header("Content-Encoding", "gzip")
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)
        _tell_of_connections(self._client.api_client.rest_client.pool_manager, self._connected)

    def write(self, lines: Sequence[str]) -> None:
        """Write lines of line protocol with nanoseconds. When this returns, InfluxDB has acknowledged all.

        Raises:
            WriteError: it has not.
        """
        body = "\n".join(lines).encode()
        if self._gzip:
            body = gzip.compress(body, GZIP_LEVEL)
        try:
            self._writer.write(self._target.bucket, self._target.org, body)
        except ApiException as error:
            raise _error_of_api(error) from error
        except HTTPError as error:
            raise error_of_exception(error, self._timeout_s) from error
        answer = self._client.api_client.last_response
        if answer.status != 204:
            raise error_of_answer(answer.status, dict(answer.getheaders()), answer.data)

    def abort(self) -> None:
        """End a write that another thread waits for: it fails at once."""
        sock = None if self._connection is None else self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._client.close()

    def _connected(self, connection: HTTPConnection) -> None:
        self._connection = connection


def _error_of_api(error: ApiException) -> WriteError:
    if not error.status:
        # The client tells of TLS errors in this way.
        return WriteError(FailureKind.TLS, tls_problem(str(error.reason)))
    return error_of_answer(error.status, dict(error.headers or {}), str(error.body or ""))


def _tell_of_connections(pools: PoolManager, connected: Callable[[HTTPConnection], None]) -> None:
    """Have a pool tell of each connection that it opens."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            connected(self)

    class Encrypted(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            connected(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls: Any = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls: Any = Encrypted

    pools.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}
