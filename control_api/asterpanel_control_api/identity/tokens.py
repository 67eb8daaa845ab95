"""Bearer tokens for programs: a file of their hashes, written by the command line and read by the service.

A token is ``ast_NAME_SECRET``; the secret has 256 random bits, so nobody can find it by trying, and a plain
SHA-256 of it needs no slow hash. Reading the file gives nobody anything; who can write it can make tokens.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import logging
import os
import secrets
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from asterpanel_control_api.access.rights import Role
from asterpanel_control_api.identity.refusals import Reason, Refused
from asterpanel_control_api.people import TokenGrant
from asterpanel_switchboard.config.values import Glob, Name
from asterpanel_switchboard.errors import AsterpanelError

_log = logging.getLogger(__name__)

PREFIX: Final = "ast_"
SECRET_BYTES: Final = 32
MAX_FILE_BYTES: Final = 4 * 1024 * 1024
_NO_HASH: Final = "0" * 64

_YEAR_9999: Final = 253_370_764_800.0
Time = Annotated[FiniteFloat, Field(ge=0, le=_YEAR_9999)]
Globs = Annotated[tuple[Glob, ...], Field(min_length=1)]


class TokensError(AsterpanelError):
    """The file of tokens cannot be used, or not be changed as asked; the text says why and what to do."""


class StoredToken(BaseModel):
    """What the file keeps of a token. Times are Unix seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    tenant: Name
    role: Role
    switchboards: Globs = ("*",)
    queues: Globs = ("*",)
    agents: Globs = ("*",)
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    last_four: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{4}$")]
    created_at: Time
    expires_at: Time | None = None

    def has_expired(self, now: float) -> bool:
        """Whether it does not hold any more."""
        return self.expires_at is not None and now >= self.expires_at

    @property
    def grant(self) -> TokenGrant:
        """What it gives."""
        return TokenGrant(
            self.name, self.role.value, self.switchboards, self.queues, self.agents, self.sha256
        )


class _TokenFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    tokens: tuple[StoredToken, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stamp:
    """Tells one content of the file from the next: every change is a new file put in the old one's place."""

    inode: int
    modified_ns: int
    size: int


class Tokens:
    """The tokens as the service sees them: the file is read again whenever it has changed. Safe for threads.

    A file that cannot be used gives no tokens, not the old ones: one of those may have been revoked in it.

    Args:
        path: the file; none there is no token.
        clock: Unix seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._stamp: _Stamp | None = None
        self._tokens: Mapping[str, StoredToken] = {}
        self._problem = ""
        self._reading = threading.Lock()

    def find(self, text: str) -> StoredToken:
        """The token that ``text`` is. Raises `Refused` if there is none, or it has expired."""
        tokens = self._current()
        name = text.removeprefix(PREFIX).partition("_")[0] if text.startswith(PREFIX) else ""
        token = tokens.get(name)
        # Hashed and compared whether or not there is such a token: the time taken tells nothing.
        is_same = hmac.compare_digest(_hash(text), token.sha256 if token else _NO_HASH)
        if token is None or not is_same:
            raise Refused(Reason.UNKNOWN_SECRET, "neither a route's secret nor a bearer token")
        if token.has_expired(self._clock()):
            raise Refused(Reason.TOKEN_EXPIRED, f"token {token.name} has expired")
        return token

    def holds(self, grant: TokenGrant) -> bool:
        """Whether there still is a token that gives exactly this; False too if the file cannot be used."""
        try:
            token = self._current().get(grant.id)
        except Refused:
            return False
        return token is not None and token.grant == grant and not token.has_expired(self._clock())

    def _current(self) -> Mapping[str, StoredToken]:
        with self._reading:
            try:
                stamp = _stamp_of(self._path)
                if stamp != self._stamp or self._problem:
                    self._tokens = {} if stamp is None else {token.name: token for token in _read(self._path)}
                    self._stamp = stamp
                    self._told("")
            except TokensError as error:
                self._tokens = {}
                self._told(str(error))
                raise Refused(Reason.TOKENS_UNREADABLE, str(error)) from error
            return self._tokens

    def _told(self, problem: str) -> None:
        if problem and problem != self._problem:
            _log.error("%s; no bearer token is accepted until that is mended", problem)
        self._problem = problem


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that has just been made. ``text`` is shown once, and kept nowhere."""

    stored: StoredToken
    text: str


def make_token(
    name: str,
    tenant: str,
    role: Role,
    *,
    switchboards: tuple[str, ...] = ("*",),
    queues: tuple[str, ...] = ("*",),
    agents: tuple[str, ...] = ("*",),
    created_at: float,
    expires_at: float | None = None,
) -> NewToken:
    """A new token, not yet in any file. Raises `TokensError` for a name or a glob that cannot be."""
    text = f"{PREFIX}{name}_{secrets.token_urlsafe(SECRET_BYTES)}"
    try:
        stored = StoredToken(
            name=name,
            tenant=tenant,
            role=role,
            switchboards=switchboards,
            queues=queues,
            agents=agents,
            sha256=_hash(text),
            last_four=text[-4:],
            created_at=created_at,
            expires_at=expires_at,
        )
    except ValidationError as error:
        raise TokensError(f"this token cannot be: {_first_problem(error)}") from None
    return NewToken(stored, text)


def list_tokens(path: Path) -> tuple[StoredToken, ...]:
    """The tokens in the file, in the order in which they were made; none if there is no file.

    Raises `TokensError`.
    """
    return () if _stamp_of(path) is None else _read(path)


def add_token(path: Path, token: StoredToken) -> None:
    """Put a token into the file. Raises `TokensError`, also if one of its name is there already."""
    with _locked(path):
        tokens = list_tokens(path)
        if any(known.name == token.name for known in tokens):
            raise TokensError(f"there is a token {token.name} already: revoke it, or take another name")
        _write(path, (*tokens, token))


def revoke_token(path: Path, name: str) -> StoredToken:
    """Take a token out of the file: from then on it is refused.

    Raises `TokensError`, also if there is no token of that name.
    """
    with _locked(path):
        tokens = list_tokens(path)
        revoked = next((token for token in tokens if token.name == name), None)
        if revoked is None:
            raise TokensError(f"there is no token {name!a}")
        _write(path, tuple(token for token in tokens if token is not revoked))
    return revoked


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _stamp_of(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TokensError(f"{path} cannot be read: {error.strerror}") from error
    return _Stamp(found.st_ino, found.st_mtime_ns, found.st_size)


def _read(path: Path) -> tuple[StoredToken, ...]:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & stat.S_IWOTH:
                raise TokensError(f"{path} can be written by everybody (chmod 600 {path})")
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise TokensError(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > MAX_FILE_BYTES:
        raise TokensError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
    try:
        tokens = _TokenFile.model_validate_json(raw).tokens
    except ValidationError as error:
        raise TokensError(f"{path} is no file of tokens: {_first_problem(error)}") from None
    if len({token.name for token in tokens}) != len(tokens):
        raise TokensError(f"{path} is no file of tokens: two of them have the same name")
    return tokens


def _first_problem(error: ValidationError) -> str:
    """Without the value, which may be a part of a secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time; the file itself cannot be locked, since each change replaces it."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise TokensError(f"{lock} cannot be made: {error.strerror}") from error
    try:
        _give_to_service(file, path)
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _write(path: Path, tokens: tuple[StoredToken, ...]) -> None:
    """The new file in the place of the old one: whole, mode 0600, and of the owner that the service has."""
    content = _TokenFile(tokens=tokens).model_dump_json(indent=2) + "\n"
    try:
        number, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                _give_to_service(file.fileno(), path)
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise TokensError(f"{path} cannot be written: {error.strerror}") from error


def _give_to_service(file: int, path: Path) -> None:
    """A command run by root must not lock out the service: the owner is that of the file or its folder."""
    if os.geteuid() == 0:
        owner = (path if path.exists() else path.parent).stat()
        os.fchown(file, owner.st_uid, owner.st_gid)


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)
