"""Opening the journal's file, and in words why it cannot be opened."""

from __future__ import annotations

import os
import pwd
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from asterpanel_exporter.journal import schema
from asterpanel_switchboard.errors import AsterpanelError

BUSY_TIMEOUT_S: Final = 10.0
"""How long to wait while another process writes."""

FILE_MODE: Final = 0o640
"""Callers' numbers are in it."""

_CHECKPOINT_PAGES: Final = 4000
_WAL_KEPT_BYTES: Final = 64 << 20
_GIVE_RIGHT: Final = ": give the right, or run as its owner"


class JournalError(AsterpanelError):
    """The journal cannot be used: what, where, and what to do about it."""


def connect(path: Path | None, *, create: bool, read_only: bool) -> sqlite3.Connection:
    """A connection to a journal, checked to be one.

    Raises:
        JournalError: there is none, or it cannot be made, read or written, or it is no journal of this
            version.
    """
    connection = None
    try:
        connection = _connected(path, create=create and not read_only, read_only=read_only)
        _set_up(connection, path, read_only=read_only)
        _check(connection, path, create=create and not read_only, read_only=read_only)
    except (sqlite3.Error, OSError) as error:
        if connection is not None:
            connection.close()
        raise JournalError(_words(path, error, create=create, read_only=read_only)) from error
    except JournalError:
        if connection is not None:
            connection.close()
        raise
    return connection


def _connected(path: Path | None, *, create: bool, read_only: bool) -> sqlite3.Connection:
    if path is None:
        return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    if create:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def _set_up(connection: sqlite3.Connection, path: Path | None, *, read_only: bool) -> None:
    if read_only:
        connection.execute("PRAGMA query_only = ON")
        return
    # Of effect only on an empty file: lets `asterpanel_exporter.journal.retention` give space back.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if path is not None and mode != "wal":
        raise JournalError(f"the journal {path} is where SQLite cannot have its shared memory: move it to a "
                           "disk of this machine (journal.path)")  # fmt: skip
    # A commit is in the file when it returns, so it survives the death of the process at any instant. It is
    # forced to the disk only when the WAL is carried over: when the power fails the last commits may be lost,
    # as a whole and in order, and the file stays sound (https://sqlite.org/pragma.html#pragma_synchronous).
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")


def _check(connection: sqlite3.Connection, path: Path | None, *, create: bool, read_only: bool) -> None:
    """Raises JournalError; makes the tables of an empty file, and those that an earlier version lacks, if it
    may."""
    connection.execute("BEGIN" if read_only else "BEGIN IMMEDIATE")
    try:
        [application] = connection.execute("PRAGMA application_id").fetchone()
        [version] = connection.execute("PRAGMA user_version").fetchone()
        [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if create and not tables:
            for statement in schema.statements():
                connection.execute(statement)
        elif application != schema.APPLICATION_ID:
            what = "an SQLite database, but no journal of Asterpanel" if tables else "empty: no journal"
            raise JournalError(f"{path} is {what}; journal.path names another file")
        elif version > schema.VERSION:
            raise JournalError(
                f"the journal {path} was written by a newer Asterpanel: it has version {version}, this one "
                f"knows {schema.VERSION}; upgrade this one"
            )
        elif version < schema.VERSION and not read_only:
            _upgrade(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _upgrade(connection: sqlite3.Connection) -> None:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for statement in schema.upgrade(tables):
        connection.execute(statement)


def _words(path: Path | None, error: Exception, *, create: bool, read_only: bool) -> str:
    """What is in the way, and what to do: SQLite itself says only that it is "unable to open"."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if path is None:
        return f"cannot make a journal in memory: {reason}"
    folder = path.absolute().parent
    try:
        obstacle = _missing_file(path, folder, create) or _missing_right(path, folder, read_only=read_only)
    except PermissionError:
        obstacle = f"user {_user()} may not enter the journal's folder {folder}{_GIVE_RIGHT}"
    if getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
        return f"{path} is no SQLite database, and so no journal; journal.path names another file"
    return obstacle or f"cannot use the journal {path}: {reason}"


def _missing_file(path: Path, folder: Path, create: bool) -> str | None:
    if path.is_dir():
        return f"{path} is a folder; journal.path must name a file"
    if path.exists():
        return None
    if not folder.is_dir():
        return f"there is no folder {folder} for the journal: make it, or set journal.path to another place"
    if not create:
        return (
            f"there is no journal {path}: `asterpanel-exporter run` makes it when it starts; is journal.path "
            "in the configuration its place?"
        )
    return None


def _missing_right(path: Path, folder: Path, *, read_only: bool) -> str | None:
    who = f"user {_user()}"
    exists = path.exists()
    if exists and not _may(path, os.R_OK):
        return f"{who} may not read the journal {path}{_GIVE_RIGHT}"
    if exists and not read_only and not _may(path, os.W_OK):
        return f"{who} may not write the journal {path}{_GIVE_RIGHT}"
    if not _may(folder, os.W_OK):
        return (
            f"{who} may not write in the journal's folder {folder}, where SQLite keeps {path.name}-wal and "
            f"{path.name}-shm{_GIVE_RIGHT}"
        )
    return None


def _may(path: Path, right: int) -> bool:
    return os.access(path, right, effective_ids=os.access in os.supports_effective_ids)


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # not in the list of users, as in many containers
        return str(os.geteuid())
