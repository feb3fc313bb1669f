"""The connections to one database: one that writes, several that read."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, Concatenate, Final, Literal, ParamSpec, Protocol, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import StoreError
from detector.store.location import ConflictError, Location, Owner

P = ParamSpec("P")
R = TypeVar("R")

#: Seconds before each further try of what met a conflict, on average.
_WAITS: Final = (0.02, 0.04, 0.08, 0.16)
#: Seconds without an end after which the database is asked whether it is there at all.
_PATIENCE: Final = 1.0
_ANYTHING: Final = text("SELECT 1")


class Database:
    """Owns the connections to one database; without an ``owner`` it is only read.

    Every error of the driver leaves as StoreBusyError, StoreSchemaError or StoreError in our own words.
    """

    def __init__(self, location: Location, owner: Owner | None) -> None:
        self._location = location
        self._owner = owner
        self._writer = None if owner is None else location.writer()
        self._readers = location.readers()
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()
        #: How often what sources saw moved, and all else that is read: counted after each commit.
        self.moved = {"seen": 0, "said": 0}
        #: Set when nobody knows what is on the disk: no more writes by this process.
        self._lost: StoreError | None = None

    async def connect(self) -> None:
        """Connect now, so that what refuses does so at the start."""
        async with self.read() if self._owner is None else self.write():
            pass

    @property
    def is_owned(self) -> bool:
        """Whether nobody but this process writes."""
        return self._owner is not None

    @asynccontextmanager
    async def write(
        self, *, moves: Literal["seen", "said", "nothing"] = "said"
    ) -> AsyncIterator[AsyncConnection]:
        """Run one transaction: committed, and durable, when the block ends well.

        ``moves`` says of what an answer from before may be another one now.
        """
        if self._owner is None or self._writer is None:
            raise StoreError(f"{self._location} was opened to read only")
        try:
            async with self._while_it_answers(), self._turn:
                if self._lost is not None:
                    raise self._lost
                try:
                    await self._owner.ensure()
                    async with self._writer.begin() as connection:
                        yield connection
                        await self._owner.ensure()
                finally:
                    # However it ended: a commit whose answer was lost may have come about.
                    if moves != "nothing":
                        self.moved[moves] += 1
        except self._location.errors as error:
            refused = self._location.refusal(error)
            if self._location.ends_writing(error):
                self._lost = refused
            raise refused from None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Run reads that all see one committed state."""
        try:
            async with self._while_it_answers(), self._readers.begin() as connection:
                yield connection
        except self._location.errors as error:
            raise self._location.refusal(error) from None

    async def ready(self) -> None:
        """Raise StoreError where reading or writing is refused, as far as one can tell without a change."""
        async with self.read() as connection:
            await connection.execute(_ANYTHING)
        if self._owner is not None:
            async with self.write(moves="nothing"):
                pass

    @asynccontextmanager
    async def _while_it_answers(self) -> AsyncIterator[None]:
        """Let a block take its time, but end it with TimeoutError where the database fell silent."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as limit:

            async def listen() -> None:
                if await self._location.answers():
                    late.append(loop.call_later(_PATIENCE, ask))
                else:
                    limit.reschedule(loop.time())

            def ask() -> None:
                late.append(loop.create_task(listen()))

            late: list[asyncio.TimerHandle | asyncio.Task[None]] = [loop.call_later(_PATIENCE, ask)]
            try:
                yield
            finally:
                for one in late:
                    one.cancel()

    async def finish(self, work: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Run work to its end even if the caller is cancelled: a commit under way cannot be taken back."""
        task = asyncio.create_task(_persist(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(_seen)
        return await asyncio.shield(task)

    async def finished(self) -> None:
        """Wait for all work under way."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        """Close every connection, and let another process own the database."""
        try:
            await self._readers.dispose()
            if self._writer is not None:
                await self._writer.dispose()
        finally:
            if self._owner is not None:
                await self._owner.release()


class _Writing(Protocol):
    _database: Database


S = TypeVar("S", bound=_Writing)


def to_the_end(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Make a method that writes finish even if its caller is cancelled."""

    @wraps(method)
    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._database.finish(lambda: method(self, *args, **kwargs))

    return run


async def _persist(work: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Run work, again where another transaction stood in its way."""
    for wait in _WAITS:
        try:
            return await work()
        except ConflictError:
            await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - spreads, guards nothing
    return await work()


def _seen(task: "asyncio.Task[Any]") -> None:
    """Take note of an error whose caller is gone, so that the loop does not report it as forgotten."""
    if not task.cancelled():
        task.exception()
