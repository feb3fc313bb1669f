"""What is special about PostgreSQL: how it is reached, who may write to it, and what its refusals mean.

Write discipline: one process writes. It holds an advisory lock on a connection of its own, as long as that
lives. Each owner also leaves a mark: one that lost its connection then knows whether another came between.
"""

import asyncio
import os
import socket
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from detector.errors import StoreBusyError, StoreError, StoreInUseError, StoreSchemaError
from detector.store.columns import micros
from detector.store.location import ConflictError
from detector.store.sizes import Sizes

try:
    import asyncpg
except ImportError:
    raise StoreError("a database on PostgreSQL needs pip install 'parity-detector[postgres]'") from None

_READERS: Final = 4
_CONNECT_SECONDS: Final = 10
#: With the patience before it, and what a dead connection takes to be given up: five.
_ANSWER_SECONDS: Final = 1.5
#: The server gives up first: what it says is more than silence.
_STATEMENT_SECONDS: Final = 30
_COMMAND_SECONDS: Final = 40
_SETTINGS: Final = {
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
    # An owner whose machine is gone is noticed within a minute.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
#: "parity" as a number.
_LOCK: Final = int.from_bytes(b"parity")
#: A killed owner is gone a moment after its process.
_TRIES: Final = 5
_HOLDER: Final = """
SELECT activity.application_name FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = $1 AND objsubid = 1
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_OPENED: Final = "open store"
_MARK: Final = "INSERT INTO audit_event (at, actor, action, target) VALUES ($1, $2, $3, $4) RETURNING id"
_NEWEST_MARK: Final = "SELECT max(id) FROM audit_event WHERE action = $1"
_CONDITIONS: Final = text(
    "SELECT name, setting FROM pg_settings "
    "WHERE name IN ('server_version', 'fsync', 'full_page_writes', 'synchronous_commit')"
)
_NOW: Final = text("SELECT clock_timestamp()")
#: The oldest version that the tests run on.
_OLDEST: Final = 15
_SKEW_SECONDS: Final = 60
_SIZE: Final = text("SELECT pg_database_size(current_database())")
_TABLE_SIZES: Final = text(
    "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
    "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
)
_ENCODING: Final = text("SHOW server_encoding")

_SILENT: Final = "does not answer: look whether PostgreSQL runs, and whether database_url is right"

#: SQLSTATE, or how it begins -> what it means. The first that fits.
_REFUSALS: Final[tuple[tuple[str, type[StoreError], str], ...]] = (
    ("40001", ConflictError, "let another transaction go first: try again"),
    ("40P01", ConflictError, "let another transaction go first: try again"),
    ("55P03", StoreBusyError, "is locked by another session: try again"),
    ("57014", StoreBusyError, "took too long to answer: try again"),
    ("53100", StoreBusyError, "has no space left: free some, then try again"),
    ("53", StoreBusyError, "has too many connections or too little memory: try again, or raise its limits"),
    ("25006", StoreBusyError, "cannot be written: it is a standby, or set to read only"),
    ("08", StoreBusyError, _SILENT),
    ("57P", StoreBusyError, "does not answer: PostgreSQL starts or stops; try again"),
    ("28", StoreError, "refused the user or its password: mend database_url"),
    ("3D000", StoreError, "does not exist: make it with createdb, or mend database_url"),
    ("42501", StoreError, "lets this user not do that: make the user owner of the database"),
    ("22021", StoreError, "cannot hold a text with the character U+0000"),
    ("42P01", StoreSchemaError, "is damaged: a table is missing. Restore a backup of it"),
    ("XX00", StoreSchemaError, "is damaged. Restore a backup of it"),
    ("58", StoreError, "has a disk that failed: check it, then start PostgreSQL and Parity again"),
)


class PostgresDatabase:
    """A database of a PostgreSQL server, by its address without the scheme."""

    errors = (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

    def __init__(self, address: str) -> None:
        self._dsn = f"postgresql://{address}"
        self._name = _name(self._dsn)

    def __str__(self) -> str:
        return self._name

    def require(self, *, may_make: bool) -> None:
        """Only the server knows."""

    async def own(self) -> "OwnerSession":
        owner = OwnerSession(self)
        try:
            await owner.take()
        except self.errors as error:
            raise self.refusal(error) from None
        return owner

    def writer(self) -> AsyncEngine:
        return self._engine(connections=1, statement_timeout=f"{_STATEMENT_SECONDS}s")

    def inspector(self) -> AsyncEngine:
        """A migration may take its time."""
        return self._engine(connections=1, seconds=None)

    def readers(self) -> AsyncEngine:
        return self._engine(
            connections=_READERS,
            isolation="REPEATABLE READ",
            statement_timeout=f"{_STATEMENT_SECONDS}s",
            default_transaction_read_only="on",
        )

    def examiner(self) -> AsyncEngine:
        return self._engine(
            connections=1, isolation="REPEATABLE READ", seconds=None, default_transaction_read_only="on"
        )

    async def sizes(self, connection: AsyncConnection) -> Sizes:
        tables = {row[0]: int(row[1]) for row in await connection.execute(_TABLE_SIZES)}
        return Sizes(database=(await connection.execute(_SIZE)).scalar_one(), journal=None, tables=tables)

    async def conditions(self, connection: AsyncConnection) -> list[tuple[bool, str]]:
        now = datetime.now(UTC)
        found = {row[0]: str(row[1]) for row in await connection.execute(_CONDITIONS)}
        there = (await connection.execute(_NOW)).scalar_one()
        version = found.pop("server_version")
        major = int(version.partition(".")[0])
        ahead = round((there - now).total_seconds())
        told = [
            (major >= _OLDEST, f"PostgreSQL {version} ({_OLDEST} or newer is tested)"),
            (abs(ahead) <= _SKEW_SECONDS, f"the clock of PostgreSQL is {ahead} s ahead of the one here"),
        ]
        unsafe = [name for name, word in found.items() if word == "off"]
        return [
            *told,
            *((False, f"{name} is off: a crash can lose what was acknowledged") for name in unsafe),
        ]

    async def damages(self, connection: AsyncConnection) -> list[str]:
        """Pages have checksums of the server, keys are its own to keep."""
        return []

    async def check(self, connection: AsyncConnection) -> None:
        encoding = (await connection.execute(_ENCODING)).scalar_one()
        if encoding != "UTF8":
            raise StoreSchemaError(f"{self} cannot hold every text: make it with createdb --encoding=UTF8")

    async def answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self._dsn, timeout=_ANSWER_SECONDS)
        except asyncpg.PostgresError:
            return True  # it refuses, and so it answers
        except (OSError, TimeoutError, asyncpg.InterfaceError):
            return False
        connection.terminate()
        return True

    def refusal(self, error: Exception) -> StoreError:
        cause: BaseException = error
        if isinstance(error, DBAPIError) and error.orig is not None:
            cause = error.orig.__cause__ or error.orig
        state = getattr(cause, "sqlstate", None) or ""
        for begin, kind, what in _REFUSALS:
            if state.startswith(begin):
                return kind(f"{self} {what}")
        if isinstance(cause, (OSError, TimeoutError)) or _is_closed(error):
            return StoreBusyError(f"{self} {_SILENT}")
        return StoreError(f"{self} refused a statement ({state or type(cause).__name__})")

    def ends_writing(self, error: Exception) -> bool:
        """PostgreSQL itself stops after a failed fsync."""
        return False

    async def connect(self, *, seconds: float | None = _COMMAND_SECONDS, **settings: str) -> Any:
        """Return a new connection whose every answer comes within ``seconds``."""
        try:
            return await asyncpg.connect(
                self._dsn,
                timeout=_CONNECT_SECONDS,
                command_timeout=seconds,
                server_settings={"application_name": _signature(), **_SETTINGS, **settings},
            )
        except ValueError:
            raise StoreError(
                "database_url is no address of PostgreSQL: write postgresql://USER@HOST:PORT/DATABASE"
            ) from None

    def _engine(
        self,
        *,
        connections: int,
        isolation: Any = "READ COMMITTED",
        seconds: float | None = _COMMAND_SECONDS,
        **settings: str,
    ) -> AsyncEngine:
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda: self.connect(seconds=seconds, **settings),
            isolation_level=isolation,
            pool_size=connections,
            max_overflow=0,
        )

        @event.listens_for(engine.sync_engine, "checkout")
        def still_open(connection: Any, _record: object, _proxy: object) -> None:
            # Known without a question to the server, where a ping would cost three.
            if connection.driver_connection.is_closed():
                raise DisconnectionError

        return engine


class OwnerSession:
    """The advisory lock that makes one process the owner, and the connection that holds it."""

    def __init__(self, location: PostgresDatabase) -> None:
        self._location = location
        self._session: Any = None
        self._mark: int | None = None
        #: Whether this process had the lock without a break since its mark.
        self._sure = False

    async def take(self) -> None:
        """Connect and take the lock. Raises StoreInUseError with who has it."""
        session = await self._location.connect()
        try:
            for _ in range(_TRIES):
                if await session.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                    self._session = session
                    return
                await asyncio.sleep(0.1)
            who = _process(await session.fetchval(_HOLDER, _LOCK))
        finally:
            if self._session is not session:
                session.terminate()
        raise StoreInUseError(f"{self._location} is in use by {who}: stop it first")

    async def ensure(self) -> None:
        """Raise StoreInUseError where another process owned the database since the first call.

        A connection that was lost is made anew.
        """
        if self._session.is_closed():
            self._sure = False
            await self.take()
        if self._sure:
            return
        if self._mark is None:
            now = micros(datetime.now(UTC))
            self._mark = await self._session.fetchval(_MARK, now, _signature(), _OPENED, "store")
        elif await self._session.fetchval(_NEWEST_MARK, _OPENED) != self._mark:
            self._session.terminate()
            raise StoreInUseError(
                f"{self._location} was taken over by another process while it did not answer: "
                "start Parity again"
            )
        self._sure = True

    async def release(self) -> None:
        """Let another process own the database."""
        try:
            await self._session.close(timeout=_CONNECT_SECONDS)
        except self._location.errors:
            self._session.terminate()


def _signature() -> str:
    """Return what a connection calls itself: `_process` reads it."""
    host = "".join(letter for letter in socket.gethostname() if letter.isascii() and letter.isprintable())
    return f"parity {os.getpid()} {host[:40]}"


def _process(signature: str | None) -> str:
    """Return who a connection is, as far as its name is one of ours."""
    words = (signature or "").split()
    if len(words) == 3 and words[0] == "parity" and words[1].isdigit():
        return f"process {words[1]} on {words[2]}"
    return "another process"


def _name(dsn: str) -> str:
    """Return what an address may be called. Where a word is unusual, it might be part of a password."""
    try:
        parts = urlsplit(dsn)
        host = parts.hostname or "".join(parse_qs(parts.query).get("host", ["this machine"]))
    except ValueError:
        return "the database of database_url"
    database = parts.path.removeprefix("/")
    if database and all(word.isalnum() for word in database.replace("-", "_").split("_") if word):
        at = host if all(letter.isalnum() or letter in "-_./: " for letter in host) else "its server"
        return f"the database {database} at {at}"
    return "the database of database_url"


def _is_closed(error: Exception) -> bool:
    return isinstance(error, (InterfaceError, asyncpg.InterfaceError)) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )
