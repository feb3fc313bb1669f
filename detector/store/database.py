"""The connections to one database: one that writes, several that read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Table
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from detector.errors import StoreBusyError, StoreError
from detector.store import sqlite

P = ParamSpec("P")
R = TypeVar("R")


class Database:
    """Owns the engines of one database file.

    Every error of the driver leaves as StoreBusyError, StoreSchemaError or StoreError in our own words.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self._writer: AsyncEngine | None = None if read_only else sqlite.writer(path)
        self._readers = sqlite.readers(path)
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()
        self._file = _identity(path)
        #: After a failed fsync nobody knows what is on the disk: no more writes by this process.
        self._lost: StoreError | None = None

    async def connect(self) -> None:
        """Connect now, so that what refuses does so at the start. Closes all again where it does."""
        try:
            async with self.read() if self._writer is None else self.write():
                pass
        except BaseException:
            await self.close()
            raise

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Run one transaction: committed, and durable, when the block ends well."""
        if self._writer is None:
            raise StoreError(f"{self.path} was opened to read only")
        async with self._turn:
            if self._lost is not None:
                raise self._lost
            if _identity(self.path) != self._file:
                raise StoreBusyError(
                    f"{self.path} was removed or replaced while in use: put it back, or start Parity again"
                )
            try:
                async with self._writer.begin() as connection:
                    yield connection
            except DBAPIError as error:
                refused = sqlite.refusal(error, self.path)
                if sqlite.disk_failed(error):
                    self._lost = refused
                raise refused from None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Run reads that all see one committed state."""
        try:
            async with self._readers.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise sqlite.refusal(error, self.path) from None

    async def finish(self, work: Coroutine[Any, Any, R]) -> R:
        """Run work to its end even if the caller is cancelled: a commit under way cannot be taken back."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(_seen)
        return await asyncio.shield(task)

    async def finished(self) -> None:
        """Wait for all work under way."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        """Close every connection."""
        await self._readers.dispose()
        if self._writer is not None:
            await self._writer.dispose()

    @staticmethod
    def insert(table: Table) -> Insert:
        """Return an INSERT that can also update: the dialects spell it alike, in classes of their own."""
        return insert(table)


class _Writing(Protocol):
    _database: Database


S = TypeVar("S", bound=_Writing)


def to_the_end(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Make a method that writes finish even if its caller is cancelled."""

    @wraps(method)
    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._database.finish(method(self, *args, **kwargs))

    return run


def _seen(task: "asyncio.Task[Any]") -> None:
    """Take note of an error whose caller is gone, so that the loop does not report it as forgotten."""
    if not task.cancelled():
        task.exception()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
