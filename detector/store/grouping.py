"""Group commit: whoever waits for the writer at one moment shares one transaction, and one fsync."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from detector.errors import StoreBusyError

W = TypeVar("W")
R = TypeVar("R")

#: Works of one transaction: others may have to wait for it.
_MOST: Final = 64


@dataclass(slots=True, kw_only=True)
class _Waiting(Generic[W, R]):
    """A work, and what became of it."""

    work: W
    results: Sequence[R] = ()
    error: BaseException | None = None

    @property
    def ended(self) -> bool:
        return bool(self.results) or self.error is not None


class Group(Generic[W, R]):
    """Gathers works. Each is committed when `commit` returns, together with those that waited beside it.

    ``write`` runs one transaction. It calls what it is given once the writer is its own, for the works to do,
    and returns a result for each.
    """

    def __init__(self, write: Callable[[Callable[[], list[W]]], Awaitable[Sequence[R]]]) -> None:
        self._write = write
        self._waiting: list[_Waiting[W, R]] = []
        self._turn = asyncio.Lock()

    async def commit(self, work: W) -> R:
        """Have a work committed. Raises what stood in its way, never in that of another work."""
        mine: _Waiting[W, R] = _Waiting(work=work)
        self._waiting.append(mine)
        async with self._turn:
            if not mine.ended:
                await self._commit_waiting()
        if mine.error is not None:
            raise mine.error
        return mine.results[0]

    async def _commit_waiting(self) -> None:
        taken: list[_Waiting[W, R]] = []

        def take() -> list[W]:
            taken[:], self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            return [one.work for one in taken]

        try:
            results = await self._write(take)
        except BaseException as error:
            if not taken:  # the writer could not be had
                take()
            if len(taken) == 1 or isinstance(error, StoreBusyError):
                for one in taken:
                    one.error = error
            elif isinstance(error, Exception):
                # One of them is at fault, and nobody knows which.
                for one in taken:
                    await self._commit_alone(one)
            else:
                for one in taken:
                    one.error = error
                raise
        else:
            for one, result in zip(taken, results, strict=True):
                one.results = (result,)

    async def _commit_alone(self, one: _Waiting[W, R]) -> None:
        try:
            one.results = await self._write(lambda: [one.work])
        except BaseException as error:  # noqa: BLE001 - handed to who waits for it
            one.error = error
