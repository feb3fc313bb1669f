"""Many sources at once: each printed as it ends, with a bar where a person watches."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import TypeVar

R = TypeVar("R")


async def as_they_end(work: Sequence[Awaitable[R]]) -> AsyncIterator[R]:
    """Yield each result when it is there. On a terminal a bar on stderr shows how many are left."""
    if not sys.stderr.isatty():
        for ended in asyncio.as_completed(work):
            yield await ended
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("looking", total=len(work))
        for ended in asyncio.as_completed(work):
            yield await ended
            bar.advance(task)
