"""`docker:CONTAINER` and `image:PATH`: what a container or an image says, by the collector of its kind."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
import structlog

from detector import plugins
from detector.collector import Collector, Context
from detector.errors import UnseenError, UsageError
from detector.model.expressions import Locator
from detector.model.facts import failed_section
from detector.model.fingerprints import Fingerprinter
from detector.queries.files import UNNAMED, FileState
from detector.reader import Part

R = TypeVar("R")

_TIMEOUT: Final = 30.0
_THREADS: Final = 4
_KINDS: Final = {"docker": "a container", "image": "an image such as acme/api:1.4.2"}


def collected_state(kind: str, expression: Locator, fingerprinter: Fingerprinter) -> FileState:
    """Return what one container or image says. What does not answer is unseen, with its reason.

    An image is a file or a folder where there is one of that name, else one of the engine.
    """
    collector: Collector = plugins.load("parity.collectors", kind)()
    key = "container" if kind == "docker" else "path" if os.path.exists(expression.path) else "image"
    options = {key: expression.path}
    if host := os.environ.get("DOCKER_HOST"):
        options["host"] = host
    try:
        known = collector.Options(**options)
    except ValueError:
        raise UsageError(f"{expression}: no file of that name, and no name of {_KINDS[kind]}") from None
    try:
        parts, warnings = asyncio.run(_collected(collector, known, fingerprinter))
    except (UnseenError, TimeoutError) as error:
        why = (
            error if isinstance(error, UnseenError) else UnseenError("timeout", "the engine does not answer")
        )
        failed = failed_section(collector.basis, why.reason, why.detail)
        return FileState(
            expression=str(expression), parts=(Part(sections=dict.fromkeys(collector.sections, failed)),)
        )
    return FileState(expression=str(expression), parts=parts, warnings=warnings)


async def _collected(
    collector: Collector, options: Any, fingerprinter: Fingerprinter
) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:

        async def in_thread(function: Callable[..., R], /, *args: Any, **kwargs: Any) -> R:
            return await loop.run_in_executor(pool, partial(function, *args, **kwargs))

        async with aiohttp.ClientSession(trust_env=False) as session, asyncio.timeout(_TIMEOUT):
            collected = await collector.collect(
                options,
                Context(
                    environment=UNNAMED,
                    service=UNNAMED,
                    deadline=loop.time() + _TIMEOUT,
                    now=datetime.now(UTC),
                    folder=Path.cwd(),
                    fingerprinter=fingerprinter,
                    session=session,
                    in_thread=in_thread,
                    log=structlog.get_logger("parity.diff"),
                ),
            )
    parts = tuple(
        Part(sections=seen.sections, component=seen.component, component_kind=seen.component_kind)
        for seen in collected.seen
    )
    return parts, collected.warnings
