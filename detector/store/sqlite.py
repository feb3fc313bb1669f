"""What is special about SQLite: how it is opened, and what its refusals mean.

Write discipline: one connection writes, each transaction begins with BEGIN IMMEDIATE (the driver's own
transactions begin too late and lose updates), WAL with ``synchronous=FULL`` so that a commit is durable.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from detector.errors import StoreBusyError, StoreError, StoreSchemaError, UsageError

_PREFIXES: Final = ("sqlite:///", "sqlite+aiosqlite:///")
_INSPECTOR_PRAGMAS: Final = (
    "PRAGMA busy_timeout=5000",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)
_WRITER_PRAGMAS: Final = (
    *_INSPECTOR_PRAGMAS,
    "PRAGMA journal_mode=WAL",
    "PRAGMA journal_size_limit=67108864",
)
_READER_PRAGMAS: Final = ("PRAGMA busy_timeout=5000", "PRAGMA query_only=ON")
_READERS: Final = 4


def path_of(url: str) -> Path:
    """Return the file that a database URL names. Raises UsageError for what is no SQLite URL."""
    for prefix in _PREFIXES:
        if url.startswith(prefix) and len(url) > len(prefix):
            return Path(url.removeprefix(prefix))
    scheme = url.partition(":")[0]
    raise UsageError(f"database_url: {scheme!r} is not supported here; write sqlite:///PATH")


def create_file(path: Path) -> None:
    """Make an empty database file that only this user reads. Raises StoreError where that fails."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"cannot create {path}: {error.strerror}") from None


def writer(path: Path) -> AsyncEngine:
    """Return the engine of the one writing connection. It never creates the file."""
    return _engine(path, "rw", _WRITER_PRAGMAS, "BEGIN IMMEDIATE", connections=1)


def inspector(path: Path) -> AsyncEngine:
    """Return an engine for a file that may be another program's: connecting changes nothing in it."""
    return _engine(path, "rw", _INSPECTOR_PRAGMAS, "BEGIN IMMEDIATE", connections=1)


def readers(path: Path) -> AsyncEngine:
    """Return the engine of the reading connections.

    On a disk that is mounted read-only the file is opened as immutable: the journal's index beside it could
    not be made.
    """
    return _engine(path, "ro", _READER_PRAGMAS, "BEGIN", connections=_READERS)


def _engine(path: Path, mode: str, pragmas: tuple[str, ...], begin: str, *, connections: int) -> AsyncEngine:
    engine = create_async_engine(
        URL.create(
            "sqlite+aiosqlite",
            database=f"file:{quote(str(path.absolute()))}",
            query={"mode": mode, "uri": "true"} | ({"immutable": "1"} if _on_read_only_disk(path) else {}),
        ),
        pool_size=connections,
        max_overflow=0,
        pool_reset_on_return="rollback",
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _on_read_only_disk(path: Path) -> bool:
    return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)


def refusal(error: DBAPIError, path: Path) -> StoreError:
    """Return our own error for what SQLite refused: nothing of its text, which may name values."""
    name = _name(error)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusyError(f"{path} is locked by another process: try again")
    if name == "SQLITE_FULL":
        return StoreBusyError(f"no space left for {path}: free some, then try again")
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM")):
        return StoreBusyError(f"{path} cannot be written: give this user write access to it and its folder")
    if name == "SQLITE_CANTOPEN":
        return StoreBusyError(f"{path} cannot be opened: it is gone, or this user may not read it")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")):
        return damaged(path, "it is no database any more")
    if name.startswith("SQLITE_IOERR"):
        return StoreError(f"the disk failed under {path} ({name}): check it, then start Parity again")
    kind = type(error.orig).__name__ if isinstance(error.orig, sqlite3.Error) else type(error).__name__
    return StoreError(f"{path} refused a statement ({name or kind})")


def disk_failed(error: DBAPIError) -> bool:
    """Tell whether a read, write or fsync failed, so that nobody knows what is on the disk."""
    return _name(error).startswith("SQLITE_IOERR")


def _name(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlite_errorname", None) or ""


def damaged(path: Path, finding: str) -> StoreSchemaError:
    """Return the error for a damaged file."""
    return StoreSchemaError(
        f"{path} is damaged: {finding}. Move it away and restore a backup: parity db restore FILE"
    )
