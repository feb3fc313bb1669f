"""A connection to SQLite that asks its thread once for each statement.

The adapter of SQLAlchemy asks it four times: for a cursor, for the statement, for the rows and for the end
of the cursor. Each time costs more than what most of our statements do.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, Self

import aiosqlite


class _Done(NamedTuple):
    """What a statement gave, all of it."""

    description: Any
    rowcount: int
    lastrowid: int | None
    rows: list[Any]


class WholeCursor:
    """A cursor that has read every row by the time a statement returns."""

    arraysize = 1

    def __init__(self, connection: "WholeConnection") -> None:
        self._connection = connection
        self._done = _Done(None, -1, None, [])

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        """The columns of the last statement, None where it gives no rows."""
        return self._done.description

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        return self._done.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The row that the last statement added."""
        return self._done.lastrowid

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement and read its rows."""
        self._done = await self._connection.run(partial(_execute, statement, parameters))

    async def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        self._done = await self._connection.run(partial(_execute_many, statement, rows))

    async def fetchall(self) -> list[Any]:
        """Return the rows of the last statement."""
        return self._done.rows

    async def close(self) -> None:
        """End it: there is nothing left to end."""


class WholeConnection(aiosqlite.Connection):
    """What SQLAlchemy's adapter uses of aiosqlite, with fewer ways to the thread and back."""

    ended: asyncio.Future[None] | None = None
    """Done when the thread has nothing more to do; None while nobody asked it to end."""

    def stop(self) -> asyncio.Future[None] | None:
        """Ask the thread to end, after all that was asked before."""
        self.ended = super().stop()
        return self.ended

    def cursor(self) -> WholeCursor:  # type: ignore[override]  # the adapter needs no awaitable
        """Return a cursor."""
        return WholeCursor(self)

    async def run(self, work: Callable[[sqlite3.Connection], _Done]) -> _Done:
        """Do something with the connection, in its thread.

        Whoever is cancelled leaves when the thread is done: it could not answer to a loop that has ended.
        """
        try:
            return await self._execute(work, self._conn)  # type: ignore[no-any-return, no-untyped-call]
        except asyncio.CancelledError:
            self._conn.interrupt()
            await self._execute(_nothing)  # type: ignore[no-untyped-call]
            raise

    async def rollback(self) -> None:
        """Roll back, where there is a transaction: the pool asks for it after every commit."""
        if self.in_transaction:
            await super().rollback()


async def connected(address: str, pragmas: Iterable[str]) -> WholeConnection:
    """Return a new connection to a URI that begins and ends no transaction by itself."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(address, uri=True, isolation_level=None)
        try:
            for pragma in pragmas:
                connection.execute(pragma).close()
        except BaseException:
            connection.close()
            raise
        return connection

    connection = WholeConnection(connect, iter_chunk_size=1)
    # A process that ends in a hurry does not wait for it.
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does for connections of its own
    try:
        return await connection  # type: ignore[return-value]  # it returns itself
    except BaseException:
        # Its thread could not answer to a loop that has ended.
        if connection.ended is not None:
            await connection.ended
        raise


def _nothing() -> None:
    """Do nothing, after all that was asked before."""


def _execute(statement: str, parameters: Sequence[Any], connection: sqlite3.Connection) -> _Done:
    return _read(connection.execute(statement, parameters))


def _execute_many(statement: str, rows: Iterable[Sequence[Any]], connection: sqlite3.Connection) -> _Done:
    return _read(connection.executemany(statement, rows))


def _read(cursor: sqlite3.Cursor) -> _Done:
    try:
        rows = cursor.fetchall() if cursor.description else []
        return _Done(cursor.description, cursor.rowcount, cursor.lastrowid, rows)
    finally:
        cursor.close()
