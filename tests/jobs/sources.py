"""A collector made for tests, and sources and a host for it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import aiohttp

from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.config.fields import Validity
from detector.config.records import Source
from detector.jobs.look import Host
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.model.words import Basis, SectionName


class Scripted:
    """Answers as the test says; what it raises is what a collector of a stranger might raise."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "scripted"
    Options: ClassVar[type[CollectorOptions]] = CollectorOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("dependencies", "config")
    answer: ClassVar[Callable[[Context], Awaitable[Collected]]]

    async def collect(self, options: Any, context: Context) -> Collected:
        return await type(self).answer(context)


def seen(facts: dict[str, Any], *, component: str = "main", service: str | None = None) -> Seen:
    return Seen(
        service=service,
        component=component,
        component_kind="process" if component == "main" else "sidecar",
        sections={"dependencies": Section(basis="running", facts=facts)},
    )


def answering(*found: Seen, complete: bool = True) -> Callable[[Context], Awaitable[Collected]]:
    async def answer(_context: Context) -> Collected:
        return Collected(seen=found, complete=complete)

    return answer


def raising(error: BaseException) -> Callable[[Context], Awaitable[Collected]]:
    async def answer(_context: Context) -> Collected:
        raise error

    return answer


async def hang(_context: Context) -> Collected:
    await asyncio.Event().wait()
    raise AssertionError


def source(
    environment: str = "staging",
    service: str | None = "checkout",
    *,
    name: str = "scripted",
    every: float | None = 10,
    cron: str | None = None,
    timeout: float = 5,
) -> Source:
    return Source(
        environment=environment,
        service=service,
        name=name,
        type="scripted",
        options=CollectorOptions(),
        every=None if every is None else timedelta(seconds=every),
        cron=cron,
        timezone="UTC",
        timeout=timedelta(seconds=timeout),
        valid=Validity(runs=3),
    )


def host(session: aiohttp.ClientSession, folder: Path) -> Host:
    return Host(
        session=session,
        fingerprinter=Fingerprinter(bytes(32)),
        folder=folder,
        pool=ThreadPoolExecutor(max_workers=1),
        gate=asyncio.Semaphore(2),
    )
