"""The public keys that a Grafana signs its id tokens with: fetched when needed, and kept for a while.

Grafana makes a new key every month or so and signs with it at once; the older ones stay in the answer as long
as tokens of theirs may be about. So an unknown key id means: fetch again, but not for everybody who asks.
"""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, Final

from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError

from asterpanel_control_api.identity.refusals import Reason, Refused

_log = logging.getLogger(__name__)

ALGORITHM: Final = "ES256"
FRESH_S: Final = 300.0
"""Keys are fetched again when they are older."""
MAX_AGE_S: Final = 3600.0
"""While Grafana does not answer, keys are used up to this age, and not a second longer."""
RETRY_S: Final = 10.0
"""Between two attempts to fetch, whatever came out of the first: for unknown key ids, and after failures."""
FETCH_TIMEOUT_S: Final = 3.0
MAX_ANSWER_BYTES: Final = 256 * 1024
_CHUNK_BYTES: Final = 16 * 1024


class FetchError(Exception):
    """Grafana did not answer with usable keys; the text says why."""


@dataclass(frozen=True, slots=True)
class _Keys:
    by_id: Mapping[str, PyJWK]
    fetched_at: float


class SigningKeys:
    """The keys of one Grafana. Safe for threads; while one fetches, the others go on with what there is.

    Args:
        url: where Grafana serves them (``/api/signing-keys/keys``).
        ca_file: authority of Grafana's certificate; None: the system's.
        monotonic: a clock that never goes back, in seconds.
    """

    def __init__(
        self, url: str, ca_file: Path | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._opener = _opener(url, ca_file)
        self._monotonic = monotonic
        self._keys: _Keys | None = None
        self._attempted_at: float | None = None
        self._fetching = threading.Lock()

    def key(self, key_id: str) -> PyJWK:
        """The key of that id.

        Raises `Refused`: Grafana has no such key, or its keys cannot be known now.
        """
        keys = self._keys
        if keys is None or self._age_s(keys) >= FRESH_S or key_id not in keys.by_id:
            usable = keys is not None and self._age_s(keys) <= MAX_AGE_S and key_id in keys.by_id
            keys = self._fetched_again(keys, wait=not usable)
        if keys is None or self._age_s(keys) > MAX_AGE_S:
            raise Refused(Reason.KEYS_UNAVAILABLE, f"no keys from {self._url} that are young enough")
        key = keys.by_id.get(key_id)
        if key is None:
            raise Refused(Reason.INVALID_ID_TOKEN, "signed with a key that Grafana does not have")
        return key

    def _age_s(self, keys: _Keys) -> float:
        return self._monotonic() - keys.fetched_at

    def _fetched_again(self, known: _Keys | None, *, wait: bool) -> _Keys | None:
        """The keys after an attempt to fetch them. ``wait``: for another thread that is fetching now."""
        if not self._fetching.acquire(timeout=2 * FETCH_TIMEOUT_S if wait else 0):
            return known
        try:
            if self._may_try():
                self._fetch()
            return self._keys
        finally:
            self._fetching.release()

    def _may_try(self) -> bool:
        return self._attempted_at is None or self._monotonic() - self._attempted_at >= RETRY_S

    def _fetch(self) -> None:
        self._attempted_at = started_at = self._monotonic()
        try:
            by_id = _usable_keys(_download(self._opener, self._url))
        except FetchError as error:
            _log.warning(
                "cannot fetch Grafana's keys from %s: %s; the ones there are hold up to %g minutes",
                self._url,
                error,
                MAX_AGE_S / 60,
            )
        else:
            self._keys = _Keys(by_id, started_at)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Keys come from where the configuration says, and from nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _opener(url: str, ca_file: Path | None) -> urllib.request.OpenerDirector:
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url} is no web address")
    context = ssl.create_default_context(cafile=ca_file)
    return urllib.request.build_opener(_NoRedirects(), urllib.request.HTTPSHandler(context=context))


def _download(opener: urllib.request.OpenerDirector, url: str) -> bytes:
    """The whole answer, if it comes in time and is not too long."""
    deadline = time.monotonic() + FETCH_TIMEOUT_S
    received = bytearray()
    try:
        response: HTTPResponse
        with opener.open(url, timeout=FETCH_TIMEOUT_S) as response:
            while chunk := response.read1(_CHUNK_BYTES):
                received += chunk
                if len(received) > MAX_ANSWER_BYTES:
                    raise FetchError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise FetchError(f"the answer takes longer than {FETCH_TIMEOUT_S:g} seconds")
    except (OSError, HTTPException, ValueError) as error:
        raise FetchError(f"{type(error).__name__}: {error}") from error
    return bytes(received)


def _usable_keys(answer: bytes) -> dict[str, PyJWK]:
    """The keys for `ALGORITHM` in a JSON Web Key Set, by their id."""
    try:
        data = json.loads(answer)
        if not isinstance(data, dict):
            raise FetchError("the answer is no JSON object")
        keys = PyJWKSet.from_dict(data).keys
    except (ValueError, TypeError, RecursionError, PyJWTError) as error:
        raise FetchError(f"the answer is no JSON Web Key Set: {type(error).__name__}") from error
    usable = {
        key.key_id: key
        for key in keys
        if isinstance(key.key_id, str)
        and key.algorithm_name == ALGORITHM
        and key.key_type == "EC"
        and key.public_key_use in ("sig", None)
    }
    if not usable:
        raise FetchError(f"the answer has no key for {ALGORITHM}")
    return usable
