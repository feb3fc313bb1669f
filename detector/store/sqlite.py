"""What is special about SQLite: how it is opened, and what its refusals mean.

Write discipline: one connection writes, each transaction begins with BEGIN IMMEDIATE (the driver's own
transactions begin too late and lose updates), WAL with ``synchronous=FULL`` so that a commit is durable.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from detector.errors import StoreBusyError, StoreError, StoreSchemaError
from detector.store.lock import OwnerLock
from detector.store.sizes import Sizes
from detector.store.sqlite_driver import connected

_CHECK: Final = text("PRAGMA quick_check(1)")
_WHOLE_CHECK: Final = text("PRAGMA integrity_check(20)")
_ORPHANS: Final = text("SELECT * FROM pragma_foreign_key_check LIMIT 20")
_TABLE_SIZES: Final = text(
    "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_master USING (name) "
    "WHERE aggregate = TRUE GROUP BY tbl_name"
)
#: Without foreign keys: a migration may have to build a table anew that others refer to
#: (https://www.sqlite.org/lang_altertable.html#otheralter).
_INSPECTOR_PRAGMAS: Final = (
    "PRAGMA busy_timeout=5000",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=OFF",
)
_WRITER_PRAGMAS: Final = (
    *_INSPECTOR_PRAGMAS,
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_mode=WAL",
    "PRAGMA journal_size_limit=67108864",
)
_READER_PRAGMAS: Final = ("PRAGMA busy_timeout=5000", "PRAGMA query_only=ON")
_READERS: Final = 4
#: Twice what a writer leaves of it.
_LONGEST_JOURNAL: Final = 128_000_000


class SqliteFile:
    """A database file."""

    errors = (DBAPIError,)

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._lock: OwnerLock | None = None

    def __str__(self) -> str:
        return str(self.path)

    def require(self, *, may_make: bool) -> None:
        if self.path.is_file():
            return
        if not may_make:
            raise StoreError(f"there is no database {self}: start `parity serve` once, or mend database_url")
        if self.path.exists():
            raise StoreError(f"{self} is not a file: give database_url a file")

    async def own(self) -> OwnerLock:
        lock = OwnerLock(self.path)
        try:
            _create(self.path)
        except BaseException:
            await lock.release()
            raise
        self._lock = lock
        return lock

    def writer(self) -> AsyncEngine:
        """It never creates the file."""
        return _engine(self.path, "rw", _WRITER_PRAGMAS, "BEGIN IMMEDIATE", connections=1)

    def inspector(self) -> AsyncEngine:
        """Connecting changes nothing in the file."""
        return _engine(self.path, "rw", _INSPECTOR_PRAGMAS, "BEGIN IMMEDIATE", connections=1)

    def readers(self) -> AsyncEngine:
        """On a disk mounted read-only the file is immutable: the journal's index could not be made."""
        engine = _engine(self.path, "ro", _READER_PRAGMAS, "BEGIN", connections=_READERS)

        @event.listens_for(engine.sync_engine, "connect")
        def same_file(connection: Any, _record: object) -> None:
            # What was put in its place must not be read, not even later when the file itself is back.
            try:
                if self._lock is not None:
                    self._lock.check()
            except StoreBusyError:
                connection.close()
                raise

        return engine

    def examiner(self) -> AsyncEngine:
        return _engine(self.path, "ro", _READER_PRAGMAS, "BEGIN", connections=1)

    async def sizes(self, connection: AsyncConnection) -> Sizes:
        tables: dict[str, int] | None = None
        with suppress(OperationalError):  # a build without dbstat (https://www.sqlite.org/dbstat.html)
            tables = {row[0]: int(row[1]) for row in await connection.execute(_TABLE_SIZES)}
        return Sizes(
            database=self.path.stat().st_size,
            journal=_size(self.path.with_name(f"{self.path.name}-wal")),
            tables=tables,
        )

    async def conditions(self, connection: AsyncConnection) -> list[tuple[bool, str]]:
        journal = _size(self.path.with_name(f"{self.path.name}-wal"))
        held = "" if journal <= _LONGEST_JOURNAL else ": a reader holds it back, end it"
        return [(not held, f"{journal // 1_000_000} MB in the journal of {self.path.name}{held}")]

    async def damages(self, connection: AsyncConnection) -> list[str]:
        found = [str(line) for line in (await connection.execute(_WHOLE_CHECK)).scalars()]
        orphans = (await connection.execute(_ORPHANS)).all()
        found = [] if found == ["ok"] else found
        return [*found, *(f"a row of {row[0]} refers to a row of {row[2]} that is gone" for row in orphans)]

    async def check(self, connection: AsyncConnection) -> None:
        if (await connection.execute(_CHECK)).scalar_one() != "ok":
            raise self._damaged("quick_check found a broken page")

    async def answers(self) -> bool:
        """A file is silent only as long as another process locks it, and that SQLite waits for."""
        return True

    def refusal(self, error: Exception) -> StoreError:
        name = _name(error)
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return StoreBusyError(f"{self} is locked by another process: try again")
        if name == "SQLITE_FULL":
            return StoreBusyError(f"no space left for {self}: free some, then try again")
        if name.startswith(("SQLITE_READONLY", "SQLITE_PERM")):
            return StoreBusyError(
                f"{self} cannot be written: give this user write access to it and its folder"
            )
        if name == "SQLITE_CANTOPEN":
            return StoreBusyError(f"{self} cannot be opened: it is gone, or this user may not read it")
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")):
            return self._damaged("it is no database any more")
        if name.startswith("SQLITE_IOERR"):
            return StoreError(f"the disk failed under {self} ({name}): check it, then start Parity again")
        cause = getattr(error, "orig", None)
        kind = type(cause if isinstance(cause, sqlite3.Error) else error).__name__
        return StoreError(f"{self} refused a statement ({name or kind})")

    def ends_writing(self, error: Exception) -> bool:
        """A read, write or fsync failed."""
        return _name(error).startswith("SQLITE_IOERR")

    def _damaged(self, finding: str) -> StoreSchemaError:
        return StoreSchemaError(f"{self} is damaged: {finding}. Move it away and put a backup in its place")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _create(path: Path) -> None:
    """Make an empty database file that only this user reads, unless it is there."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"cannot create {path}: {error.strerror}") from None


def _engine(path: Path, mode: str, pragmas: tuple[str, ...], begin: str, *, connections: int) -> AsyncEngine:
    immutable = "&immutable=1" if _on_read_only_disk(path) else ""
    address = f"file:{quote(str(path.absolute()))}?mode={mode}{immutable}"
    engine = create_async_engine(
        # The name of a file tells the dialect that connections may be pooled.
        URL.create("sqlite+aiosqlite", database=str(path)),
        async_creator=lambda: connected(address, pragmas),
        pool_size=connections,
        max_overflow=0,
        pool_reset_on_return="rollback",
    )

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _on_read_only_disk(path: Path) -> bool:
    return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)


def _name(error: Exception) -> str:
    return getattr(getattr(error, "orig", None), "sqlite_errorname", None) or ""
