"""Look: run one source, and say what was seen and what was not.

The host's side of the collector contract: it lends session, threads, fingerprinter and logger, ends a run
at its deadline, and turns whatever goes wrong into one unseen source.
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
import structlog

from detector import plugins
from detector.collector import Collected, Collector, Context, Seen
from detector.config.records import Source
from detector.errors import PluginError, UnseenError
from detector.model.facts import Observation, failed_section
from detector.model.fingerprints import Fingerprinter

R = TypeVar("R")

#: Calls of blocking SDKs at one time; more wait in line inside their own deadlines.
MOST_THREADS: Final = 16
#: Runs at one time: enough for many slow sources, few enough not to open hundreds of connections at once.
MOST_RUNS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What the host lends to every run."""

    session: aiohttp.ClientSession
    fingerprinter: Fingerprinter
    #: Relative paths of sources start here.
    folder: Path
    pool: ThreadPoolExecutor
    gate: asyncio.Semaphore

    async def in_thread(self, function: Callable[..., R], /, *args: Any, **kwargs: Any) -> R:
        """Run a blocking call in the bounded pool."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, partial(function, *args, **kwargs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one run brought: what was seen, or why nothing could be."""

    source: Source
    observations: tuple[Observation, ...]
    why: UnseenError | None
    #: Whether everything that is there was looked at: only then is what was not brought gone.
    complete: bool


class Look:
    """Runs sources, and keeps nothing of what they see."""

    def __init__(self, host: Host) -> None:
        self._host = host
        #: What each source warned of at its last run: the log has it once, until it is another.
        self._warned: dict[tuple[str, str | None, str], tuple[str, ...]] = {}
        self._log = structlog.get_logger("parity.collect")

    async def look(self, source: Source, commits: tuple[str, ...] = ()) -> Looked:
        """Run one source to its end or its deadline; what it could not see is in the observations too.

        ``commits`` are those that the service's environments are known to run.
        """
        began = datetime.now(UTC)
        collector: Collector = plugins.load("parity.collectors", source.type)()
        collected, why = await self._collected(source, collector, began, commits)
        if collected is not None:
            self._warn(source, collected.warnings)
        if why is not None:
            self._log.warning("source unseen", **names_of(source), reason=why.reason, detail=why.detail)
        seen = collected.seen if collected is not None else _nothing_seen(source, collector, why)
        return Looked(
            source=source,
            observations=tuple(observations_of(source, seen, began)),
            why=why,
            complete=collected is not None and collected.complete,
        )

    def _warn(self, source: Source, warnings: tuple[str, ...]) -> None:
        here = (source.environment, source.service, source.name)
        before = self._warned.get(here, ())
        for warning in warnings:
            if warning not in before:
                self._log.warning("collector warns", **names_of(source), warning=warning)
        self._warned[here] = warnings

    async def _collected(
        self, source: Source, collector: Collector, now: datetime, commits: tuple[str, ...]
    ) -> tuple[Collected | None, UnseenError | None]:
        timeout = source.timeout.total_seconds()
        loop = asyncio.get_running_loop()
        try:
            async with self._host.gate, asyncio.timeout(timeout):
                context = Context(
                    environment=source.environment,
                    service=source.service,
                    deadline=loop.time() + timeout,
                    now=now,
                    folder=self._host.folder,
                    fingerprinter=self._host.fingerprinter,
                    session=self._host.session,
                    in_thread=self._host.in_thread,
                    log=self._log.bind(**names_of(source)),
                    commits=commits,
                )
                collected: object = await collector.collect(source.options, context)
                if not isinstance(collected, Collected):
                    return None, UnseenError("crashed", "the collector did not answer with Collected")
                return collected, None
        except TimeoutError:
            return None, UnseenError("timeout", f"no answer within {timeout:g} s")
        except UnseenError as error:
            return None, error
        except PluginError as error:
            return None, UnseenError("unsupported", str(error))
        except Exception as error:  # noqa: BLE001 - whatever a collector raises is one unseen source
            # Foreign text may carry a value or a credential: only its type is told.
            return None, UnseenError("crashed", f"the collector raised {type(error).__name__}")


def observations_of(source: Source, seen: Iterable[Seen], at: datetime) -> Iterable[Observation]:
    """Give what was seen the names that it has in Parity, and the time.

    What a discovery finds of a service with a source of that very name is left to it.
    """
    named = (replace(one, service=source.name_of(one.service)) if one.service else one for one in seen)
    return recorded_as(source, (one for one in named if one.service not in source.claimed), at)


def recorded_as(source: Source, seen: Iterable[Seen], at: datetime) -> Iterable[Observation]:
    """Return what was seen of services, under their names in Parity, as observations of a source."""
    for one in seen:
        service = one.service or source.service
        if service is not None:
            yield Observation(
                environment=source.environment,
                service=service,
                component=one.component,
                component_kind=one.component_kind,
                traffic=one.traffic,
                source=source.name,
                observed_at=at,
                sections=one.sections,
            )


def _nothing_seen(source: Source, collector: Collector, why: UnseenError | None) -> tuple[Seen, ...]:
    """Return a failed section for each one that the collector measures; a discovery names no service."""
    if why is None or source.service is None:
        return ()
    failed = failed_section(collector.basis, why.reason, why.detail)
    return (Seen(sections=dict.fromkeys(collector.sections, failed)),)


def names_of(source: Source) -> dict[str, str]:
    """Return what a source is called in logs."""
    return {
        "environment": source.environment,
        "service": source.service or "*",
        "source": source.name,
        "collector": source.type,
    }
