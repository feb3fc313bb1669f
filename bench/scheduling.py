"""B12: very many sources that are due every minute; by our heap, and by a job of APScheduler for each."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import quantiles
from typing import Any, Final, cast

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bench.measuring import Contender, Goal, Limit, Work, cpu_of_tree
from bench.sizes import Scheduled
from detector.collector import CollectorOptions
from detector.config.records import Source
from detector.jobs.collect import Ran
from detector.jobs.schedule import START_SPREAD, Schedule
from detector.jobs.watch import Watch

_EVERY: Final = timedelta(minutes=1)
#: From the set-up to the first slot: a job whose slot came while it was added would start late.
_AHEAD: Final = timedelta(seconds=2)
#: How long after the window its runs may still come, on a machine that does other things too.
_GRACE: Final = 10.0


@dataclass(slots=True)
class Window:
    """What ran within a part of a minute, and how late."""

    due: Mapping[str, datetime]
    expected: int
    runs: Counter[str] = field(default_factory=Counter)
    late: list[float] = field(default_factory=list)
    cpu: float = 0.0
    wall: float = 0.0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def ran(self, name: str) -> None:
        """Note a run: all that is done in one, so that nothing but the scheduler is measured."""
        self.late.append((datetime.now(UTC) - self.due[name]).total_seconds())
        self.runs[name] += 1
        if len(self.late) >= self.expected:
            self.done.set()

    async def measure(self, seconds: float) -> None:
        """Let a window pass, and what belongs to it end."""
        cpu, wall = cpu_of_tree(), time.perf_counter()
        await asyncio.sleep(seconds)
        async with asyncio.timeout(_GRACE):
            await self.done.wait()
        self.cpu, self.wall = cpu_of_tree() - cpu, time.perf_counter() - wall

    def figures(self) -> dict[str, float]:
        """Return what it cost and the lateness that one run of a hundred exceeds."""
        return {"cpu": self.cpu, "wall": self.wall, "late": quantiles(self.late, n=100)[98]}


def due_every_minute(size: Scheduled) -> Iterator[Work]:
    """Yield B12. Both run the same sources at the same times, without jitter."""
    yield Work(
        number="B12",
        title=f"{size.sources:,} sources due every minute, scheduler only, {size.seconds:g} s of it",
        ours=_contender("parity", _by_heap, size),
        rivals=(_contender("APScheduler, a job for each", _by_jobs, size),),
        goals=(
            Goal(against="APScheduler", ratio=10),
            Limit(figure="late", most=0.15, about="lateness p99"),
        ),
        rounds=size.rounds,
    )


def _contender(name: str, run: Callable[[Scheduled], Any], size: Scheduled) -> Contender:
    return Contender(
        name=name,
        run=lambda: asyncio.run(run(size)),
        answer=lambda window: dict(window.runs),
        figures=Window.figures,
    )


def _window(size: Scheduled, begin: datetime) -> Window:
    """Return the first slot of each source: evenly spread, none in the second around the window's end."""
    expected = round(size.sources * size.seconds / _EVERY.total_seconds())
    within = (size.seconds - 1) / expected
    after = (_EVERY.total_seconds() - size.seconds - _GRACE) / max(1, size.sources - expected)
    return Window(
        due={
            str(number): begin
            + timedelta(
                seconds=number * within
                if number < expected
                else size.seconds + _GRACE + (number - expected) * after
            )
            for number in range(size.sources)
        },
        expected=expected,
    )


async def _by_jobs(size: Scheduled) -> Window:
    window = _window(size, datetime.now(UTC))
    scheduler = AsyncIOScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 30}
    )

    async def run(name: str) -> None:
        window.ran(name)

    scheduler.start(paused=True)
    # Its store is sorted by the time of a job: those of later times first, each is put in front at no cost.
    begin = datetime.now(UTC) + _AHEAD + timedelta(seconds=size.sources / 2_000)
    window.due = _window(size, begin).due
    for name, at in reversed(list(window.due.items())):
        trigger = IntervalTrigger(seconds=60, start_date=at, timezone=UTC)
        scheduler.add_job(run, trigger, args=[name], next_run_time=at)
    await asyncio.sleep((begin - datetime.now(UTC)).total_seconds())
    scheduler.resume()
    await window.measure(size.seconds)
    scheduler.shutdown(wait=False)
    return window


class _Even(Random):
    """Spreads first runs as it is told, and moves no later one."""

    def __init__(self, shares: Sequence[float]) -> None:
        super().__init__()
        self._shares = iter(shares)

    def random(self) -> float:
        return next(self._shares)

    def uniform(self, a: float, b: float) -> float:
        return 0.0


class _NoStore:
    async def flush(self) -> int:
        return 0


class _OnlyScheduling(Watch):
    """The service without all that it does at a tick but to find out what is due, and to start it."""

    def __init__(self, schedule: Schedule, window: Window) -> None:
        none = cast(Any, None)
        super().__init__(
            store=cast(Any, _NoStore()),
            schedule=schedule,
            collect=none,
            compare=none,
            deliver=none,
            remind=none,
        )
        self._window = window

    async def run(self, source: Source) -> Ran:
        self._window.ran(source.name)
        return cast(Ran, None)


async def _by_heap(size: Scheduled) -> Window:
    begin = datetime.now(UTC) + _AHEAD
    window = _window(size, begin)
    # A service that runs for long: its sources are spread over the minute, not over the moment of a start.
    shares = [(at - begin) / START_SPREAD for at in window.due.values()]
    schedule = Schedule(_Even(shares))
    schedule.replace([_source(name) for name in window.due], now=begin)
    watch = _OnlyScheduling(schedule, window)
    await asyncio.sleep((begin - datetime.now(UTC)).total_seconds())
    watch.tick()
    await window.measure(size.seconds)
    await watch.stop()
    return window


def _source(name: str) -> Source:
    return Source(
        environment="prod",
        service=f"service-{name}",
        name=name,
        type="http",
        options=CollectorOptions(),
        every=_EVERY,
        cron=None,
        timezone="UTC",
        timeout=timedelta(seconds=30),
        valid=None,
    )
