"""Where a database is: what SQLite and PostgreSQL do each in its own way, and which of them a URL means."""

from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from detector.errors import StoreBusyError, StoreError, UsageError
from detector.store.sizes import Sizes
from detector.store.sqlite import SqliteFile

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert

Insert: TypeAlias = "sqlite_dialect.Insert | PostgresInsert"

_SQLITE: Final = ("sqlite:///", "sqlite+aiosqlite:///")
_POSTGRES: Final = ("postgresql://", "postgresql+asyncpg://")


class ConflictError(StoreBusyError):
    """Another transaction stood in the way. Nothing was written: the same work may run again at once."""


class Owner(Protocol):
    """The right of one process to write to a database."""

    async def ensure(self) -> None:
        """Raise StoreError unless the right still holds. The first call notes what must stay as it is."""

    async def release(self) -> None:
        """Let another process have it."""


class Location(Protocol):
    """One database. Its `str` names it in messages, without anything secret."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What its driver raises, also on the way to a connection."""

    def require(self, *, may_make: bool) -> None:
        """Raise StoreError where it is plainly missing and may not be made."""

    async def own(self) -> Owner:
        """Become its writer, and make it where it is missing. Raises StoreInUseError with who is."""

    def writer(self) -> AsyncEngine:
        """Return the engine of the one writing connection."""

    def inspector(self) -> AsyncEngine:
        """Return an engine for a look at what may be another program's, and for migrations."""

    def readers(self) -> AsyncEngine:
        """Return the engine of the reading connections: each transaction sees one committed state."""

    def examiner(self) -> AsyncEngine:
        """Return an engine for one long look at everything: it reads one committed state, without haste."""

    async def sizes(self, connection: AsyncConnection) -> Sizes:
        """Return how much room it takes."""

    async def conditions(self, connection: AsyncConnection) -> list[tuple[bool, str]]:
        """Return what may be wrong with how it runs: whether all is well, and what was looked at."""

    async def damages(self, connection: AsyncConnection) -> list[str]:
        """Return what a check of every page finds; nothing where the server checks its pages itself."""

    async def check(self, connection: AsyncConnection) -> None:
        """Raise StoreSchemaError where it is damaged or cannot hold what Parity writes."""

    async def answers(self) -> bool:
        """Tell within seconds whether anybody is there: what only takes long may take its time."""

    def refusal(self, error: Exception) -> StoreError:
        """Return our own error for one of its driver: nothing of its text, which may name values."""

    def ends_writing(self, error: Exception) -> bool:
        """Tell whether nobody knows any more what is on the disk."""


def locate(url: str) -> Location:
    """Return what a database URL names. Raises UsageError for one of another kind, never with the URL."""
    for prefix in _SQLITE:
        if url.startswith(prefix) and len(url) > len(prefix):
            return SqliteFile(url.removeprefix(prefix))
    for prefix in _POSTGRES:
        if url.startswith(prefix):
            # Its driver is an extra, and the dialect costs 0.05 s.
            from detector.store.postgres import PostgresDatabase  # noqa: PLC0415

            return PostgresDatabase(url.removeprefix(prefix))
    scheme = url.partition(":")[0]
    raise UsageError(
        f"database_url: {scheme!r} is not supported here; write sqlite:///PATH or postgresql://HOST/DATABASE"
    )


def upsert(connection: AsyncConnection, table: Table) -> Insert:
    """Return an INSERT that can also update: the dialects spell it alike, in classes of their own."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - as above

        return postgresql.insert(table)
    return sqlite_dialect.insert(table)
