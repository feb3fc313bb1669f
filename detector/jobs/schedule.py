"""When each source is due: a heap of our own, which costs less than a scheduler's job for each source."""

import asyncio
import heapq
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from detector.config.records import Source
from detector.config.schedule import next_cron_time

#: Share of its interval by which each run is moved, so that sources spread out over time.
JITTER: Final = 0.05
#: First runs are spread over this time, so that a start does not dial everything at once.
START_SPREAD: Final = timedelta(seconds=1)

SourceId = tuple[str, str, str]


def id_of(source: Source) -> SourceId:
    """Return what a source is called once: environment, service and name."""
    return source.environment, source.service or "*", source.name


class _Slot(NamedTuple):
    """A plain tuple: the heap compares thousands of them in a second."""

    at: datetime
    source_id: SourceId
    #: The slot without its jitter, from which the next one counts.
    nominal: datetime


class Schedule:
    """Knows every polled source and its next slot. A source that still runs misses its slot, counted."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()  # noqa: S311 - spreads load, guards nothing
        self._heap: list[_Slot] = []
        self._sources: dict[SourceId, Source] = {}
        #: What runs, and who waits for its end.
        self._running: dict[SourceId, asyncio.Event] = {}
        #: Slots without a run since the last report: their source still ran, or the process slept.
        self.missed = 0

    @property
    def sources(self) -> tuple[Source, ...]:
        """All sources that are polled."""
        return tuple(self._sources.values())

    def replace(self, sources: Iterable[Source], *, now: datetime) -> None:
        """Take over the sources of a new configuration; those that stay as they are keep their slots."""
        polled = {id_of(source): source for source in sources if source.polled and source.scheduled}
        kept = {name for name, source in polled.items() if self._sources.get(name) == source}
        self._heap = [slot for slot in self._heap if slot.source_id in kept]
        heapq.heapify(self._heap)
        self._sources = polled
        for name, source in polled.items():
            if name in kept:
                continue
            first = now + START_SPREAD * self._chance.random()
            if source.cron is not None:
                first = self._next(source, now)
            heapq.heappush(self._heap, _Slot(first, name, first))

    def due(self, now: datetime) -> list[Source]:
        """Return the sources whose slot has come, and give each its next one."""
        found: list[Source] = []
        while self._heap and self._heap[0].at <= now:
            slot = self._heap[0]
            source = self._sources[slot.source_id]
            nominal = self._next(source, slot.nominal)
            if nominal <= now:
                # The process slept through slots: the next one counts from now, and nothing is run twice.
                self.missed += 1
                nominal = self._next(source, now)
            spread = (source.every or timedelta()) * JITTER * self._chance.uniform(-1, 1)
            heapq.heapreplace(self._heap, _Slot(nominal + spread, slot.source_id, nominal))
            if self.begin(source):
                found.append(source)
            else:
                self.missed += 1
        return found

    def begin(self, source: Source) -> bool:
        """Note that a source runs, until it is `finished`. False where it runs already."""
        if id_of(source) in self._running:
            return False
        self._running[id_of(source)] = asyncio.Event()
        return True

    async def ended(self, source: Source) -> None:
        """Wait until a source does not run, or not any more."""
        if id_of(source) in self._running:
            await self._running[id_of(source)].wait()

    def move(self, by: timedelta) -> None:
        """Follow a clock that was set: an interval goes on as it was, a time of the day is what it says."""
        self._heap = [
            slot
            if self._sources[slot.source_id].cron is not None
            else _Slot(slot.at + by, slot.source_id, slot.nominal + by)
            for slot in self._heap
        ]
        heapq.heapify(self._heap)

    def finished(self, source: Source) -> None:
        """Note that a run ended, however it did."""
        if running := self._running.pop(id_of(source), None):
            running.set()

    def _next(self, source: Source, after: datetime) -> datetime:
        if source.cron is None:
            return after + (source.every or timedelta(days=366))
        return next_cron_time(source.cron, source.timezone, after=after)
