"""The context that a host lends to one run, for tests of collectors."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import aiohttp
import structlog

from detector.collector import Context
from detector.model.fingerprints import Fingerprinter

R = TypeVar("R")
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FINGERPRINTER = Fingerprinter(b"a key of thirty-two bytes, at least")


async def in_thread(function: Callable[..., R], /, *args: Any, **kwargs: Any) -> R:
    return await asyncio.to_thread(function, *args, **kwargs)


def context(
    service: str | None = "checkout",
    *,
    seconds: float = 20.0,
    folder: Path = Path(),
    session: aiohttp.ClientSession | None = None,
) -> Context:
    """A run that ends in `seconds`; without `session` it may send nothing over HTTP."""
    try:
        started = asyncio.get_running_loop().time()
    except RuntimeError:  # a pure half needs no loop
        started = 0.0
    return Context(
        environment="staging",
        service=service,
        deadline=started + seconds,
        now=NOW,
        folder=folder,
        fingerprinter=FINGERPRINTER,
        session=cast(aiohttp.ClientSession, session),
        in_thread=in_thread,
        log=structlog.get_logger(),
    )
