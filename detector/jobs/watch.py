"""The scheduled service: collects what is due, judges what moved, delivers what is owed.

APScheduler fires what happens every second or less often; ten times a second a timer of the loop asks a heap
which sources are due. Everything ends within the given time when it is told to stop, and what it had begun
is recorded or was never acknowledged.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from detector.config.records import Source
from detector.errors import ParityError, StoreError
from detector.jobs.clock import Clock, Every
from detector.jobs.collect import Collect, Ran
from detector.jobs.compare import TOGETHER, Compare
from detector.jobs.deliver import Deliver, Result
from detector.jobs.judging import Arrived, Judgement
from detector.jobs.prune import PRUNE, PRUNE_FIRST, Prune
from detector.jobs.remind import REMIND, Remind
from detector.jobs.schedule import Schedule, SourceId, id_of
from detector.model.records import Recorded
from detector.model.words import State
from detector.store.store import Store

TICK: Final = timedelta(milliseconds=100)
FLUSH: Final = timedelta(seconds=1)
REVIEW: Final = timedelta(seconds=1)
DELIVER: Final = timedelta(seconds=1)
REPORT: Final = timedelta(seconds=10)
#: Before everything else that is due.
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
#: How long running sources may take to end after a stop was asked for.
STOP_WITHIN: Final = 8.0


class Watch:
    """Runs everything that happens by itself."""

    def __init__(
        self,
        *,
        store: Store,
        schedule: Schedule,
        collect: Collect,
        compare: Compare,
        deliver: Deliver,
        remind: Remind,
        prune: Prune | None = None,
    ) -> None:
        self._store = store
        self.schedule = schedule
        self._collect = collect
        self._compare = compare
        self._deliver = deliver
        self._remind = remind
        self._prune = prune
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 30},
        )
        #: The timer of the next tick: a job of the scheduler would take more CPU time than the heap does.
        self._next_tick: asyncio.TimerHandle | None = None
        self._runs: set[asyncio.Task[object]] = set()
        #: Firings of the scheduler that are under way.
        self._jobs: set[asyncio.Task[Any]] = set()
        #: Held while something is judged: whoever else writes rows of the register takes it too.
        self.judging = asyncio.Lock()
        #: (environment, service) that a drift waits for: an unchanged observation may confirm it.
        self._waiting: set[tuple[str, str]] = set()
        self._stale_rules = False
        #: Whether the store failed in the middle of a round of deliveries.
        self._unsure_of_leases = False
        self._clock = Clock()
        #: Service -> its sources that never ran. What is half seen is not judged: the other half explains it.
        self._first_looks: dict[str, set[SourceId]] = {}
        #: (environment, service) -> what came of it since it was judged.
        self._arrived: dict[tuple[str, str], Arrived] = {}
        #: (environment, service) -> when to look at it again.
        self._review_at: dict[tuple[str, str], datetime] = {}
        self._log = structlog.get_logger("parity.watch")
        #: What ran since the last line of the log that summed it up.
        self._ran: Counter[str] = Counter()
        #: Told of every run and every judgement: what metrics count.
        self.on_run: Callable[[Ran], None] = lambda _: None
        #: Told of every round of deliveries: how often which receiver had which result.
        self.on_delivery: Callable[[Mapping[tuple[str, Result], int]], None] = lambda _: None

    async def resume(self) -> None:
        """Take up what a crash left behind, and judge what it left unjudged."""
        await self._take_up()
        for some in _parts(await self._compare.behind()):
            await self._judge_together(some, now=datetime.now(UTC))

    async def _take_up(self) -> None:
        """Learn what waits: for delivery, for a first observation, for one more."""
        await self._store.end_leases(datetime.now(UTC))
        await self._compare.rename()
        await self._expect_first_looks()
        pending: tuple[State, ...] = ("pending",)
        for row in await self._store.register(states=pending):
            for environment in row.comparison.split(".."):
                self._waiting.add((environment, row.key.service))

    async def _expect_first_looks(self) -> None:
        ran = {(row.environment, row.service or "*", row.source) for row in await self._store.sources()}
        self._first_looks.clear()
        for source in self.schedule.sources:
            # One with cron may have days to wait: nobody waits for it.
            if source.service is not None and source.every is not None and id_of(source) not in ran:
                self._first_looks.setdefault(source.service, set()).add(id_of(source))

    async def start(self) -> None:
        """Take up what the last process left, then begin to tick; what it left unjudged is judged first."""
        await self._take_up()
        # Allowances that ended while nobody looked are found by judging once more. Nobody waits for it.
        await self._look_at_all()
        for here in await self._compare.behind():
            self._look_again(here, _FIRST)
        for function, every in (
            (self._flush, FLUSH),
            (self._review_due, REVIEW),
            (self._send, DELIVER),
            (self._report, REPORT),
            (self._remind_due, REMIND),
        ):
            self._scheduler.add_job(self._job, Every(every), args=[function])
        if self._prune is not None:
            first = datetime.now(UTC) + PRUNE_FIRST
            self._scheduler.add_job(self._job, Every(PRUNE), args=[self._prune_due], next_run_time=first)
        self._scheduler.start()
        self.tick()

    async def stop(self) -> None:
        """Stop ticking, let what runs end within `STOP_WITHIN` seconds, and flush what is known."""
        if self._next_tick is not None:
            self._next_tick.cancel()
        if self._scheduler.running:
            # Not shutdown(), which would cancel a judgement or a message in the middle.
            self._scheduler.pause()
        if under_way := self._runs | self._jobs:
            _, late = await asyncio.wait(under_way, timeout=STOP_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        await self._store.flush()

    async def run(self, source: Source) -> Ran:
        """Run one source now and judge what it changed."""
        try:
            ran = await self._collect.run(source)
        finally:
            # However it ended, nobody waits for it any more.
            waited_for = self._waited_for(source)
        for service in sorted(
            {
                service
                for service, recorded in ran.observed
                if waited_for or self._matters(source.environment, service, recorded)
            }
        ):
            await self.judge(source.environment, service)
        self._ran["runs"] += 1
        self._ran["changed"] += any(recorded.changed for _, recorded in ran.observed)
        self._ran["unseen"] += ran.result is not None
        self.on_run(ran)
        return ran

    def _waited_for(self, source: Source) -> bool:
        """Tell whether this was the first look of a source, and have its service judged soon."""
        first_looks = self._first_looks.get(source.service or "", set())
        if source.service is None or id_of(source) not in first_looks:
            return False
        first_looks.remove(id_of(source))
        self._look_again((source.environment, source.service), datetime.now(UTC))
        return True

    def observed(self, environment: str, service: str, recorded: Recorded) -> None:
        """Have judged in the background what a push brought; the answer to it need not wait."""
        if self._matters(environment, service, recorded):
            self._look_again((environment, service), datetime.now(UTC))

    def announced(self, environment: str, service: str) -> None:
        """Have judged what a deployment that was announced holds back, or lets go."""
        self._look_again((environment, service), datetime.now(UTC))

    def _matters(self, environment: str, service: str, recorded: Recorded) -> bool:
        """Tell whether an observation can change a verdict: it changed facts, or a drift waits for it."""
        if recorded.changed:
            self._remember((environment, service), Arrived.of(recorded))
        return recorded.changed or (environment, service) in self._waiting

    async def judge(self, environment: str, service: str, *, now: datetime | None = None) -> None:
        """Judge one service of one environment everywhere it is compared and was looked at."""
        half_seen = self._half_seen(service)
        here = (environment, service)
        async with self.judging:
            arrived = self._arrived.pop(here, None)
            try:
                done = await self._compare.judge(
                    environment, service, now=now or datetime.now(UTC), half_seen=half_seen, arrived=arrived
                )
            except BaseException:
                if arrived is not None:
                    self._remember(here, arrived)
                raise
        self._learn({here}, done)

    async def _judge_together(self, wanted: Mapping[str, Collection[str]], *, now: datetime) -> None:
        """Judge some services, each in its environments, out of one reading of the store."""
        async with self.judging:
            done = await self._compare.judge_together(
                wanted, now=now, half_seen={service: self._half_seen(service) for service in wanted}
            )
        self._learn({(name, service) for service, names in wanted.items() for name in names}, done)

    def _half_seen(self, service: str) -> set[str]:
        return {name for name, _, _ in self._first_looks.get(service, ())}

    def _learn(self, asked: Collection[tuple[str, str]], done: Iterable[Judgement]) -> None:
        """Remember what waits for another look, and when the clock may change something."""
        waiting = set()
        for judgement in done:
            # Either side may bring the observation that confirms it.
            sides = [(name, judgement.service) for name in judgement.comparison.split("..")]
            if judgement.waiting:
                waiting.update(sides)
            if judgement.review_at is not None:
                for here in sides:
                    if here in asked or len(sides) == 1:
                        self._look_again(here, judgement.review_at)
        self._waiting.difference_update(asked)
        self._waiting |= waiting

    def _remember(self, here: tuple[str, str], arrived: Arrived) -> None:
        known = self._arrived.get(here)
        self._arrived[here] = arrived | known if known is not None else arrived

    async def _look_at_all(self) -> None:
        now = datetime.now(UTC)
        async with self.judging:
            await self._compare.rename()
            await self._compare.withdraw_unconfigured(now=now)
        for service, environments in await self._store.services():
            for environment in environments:
                self._look_again((environment, service), now)

    def _look_again(self, here: tuple[str, str], at: datetime) -> None:
        # The earliest stays: a push may have come while what sets a later time was judged without it.
        self._review_at[here] = min(at, self._review_at.get(here, at))

    async def _job(self, function: Callable[[], Awaitable[None]]) -> None:
        """Run one firing of the scheduler, known to whoever has to wait for its end."""
        task = asyncio.current_task()
        if task is not None:
            self._jobs.add(task)
            task.add_done_callback(self._jobs.discard)
        await function()

    def tick(self) -> None:
        """Begin to run what is due, now and at every tick from now on."""
        # First of all: no error may end the ticking.
        loop, now = asyncio.get_running_loop(), datetime.now(UTC)
        self._next_tick = loop.call_later(TICK.total_seconds(), self.tick)
        if by := self._clock.set_by(now, loop.time()):
            self._follow_clock(by, now)
        for source in self.schedule.due(now):
            self.begin(self.run_begun(source))

    def _follow_clock(self, by: timedelta, now: datetime) -> None:
        """Go on as before where the wall clock was set: nothing waits for its old time to come again."""
        self._log.warning("clock was set", seconds=round(by.total_seconds()))
        self.schedule.move(by)
        self._review_at = dict.fromkeys(self._review_at, now)
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=now + job.trigger.interval)

    async def run_begun(self, source: Source) -> Ran | None:
        """Run a source that the schedule let begin; None where what it saw could not be recorded."""
        try:
            return await self.run(source)
        except StoreError as error:
            self._log.error("not recorded", source=source.name, error=str(error))
        except Exception as error:  # noqa: BLE001 - what a stranger's collector hands over may break anything
            self._log.error("not recorded", source=source.name, error=type(error).__name__)  # no foreign text
        finally:
            self.schedule.finished(source)
        return None

    async def _flush(self) -> None:
        try:
            await self._store.flush()
        except StoreError as error:
            self._log.error("not flushed", error=str(error))

    async def review(self, now: datetime) -> None:
        """Judge again what the clock alone may have changed."""
        due = [here for _, here in sorted((at, here) for here, at in self._review_at.items() if at <= now)]
        # What came of a service may ask for hindsight, each environment for its own.
        moved = {service for _, service in self._arrived}
        for environment, service in due:
            if service in moved:
                judging = self.judge(environment, service, now=now)
                await self._review([(environment, service)], judging, now)
        for some in _parts(here for here in due if here[1] not in moved):
            here = [(environment, service) for service, names in some.items() for environment in names]
            await self._review(here, self._judge_together(some, now=now), now)

    async def _review(
        self, due: Iterable[tuple[str, str]], judging: Coroutine[Any, Any, None], now: datetime
    ) -> None:
        for here in due:
            self._review_at.pop(here, None)
        try:
            await judging
        except ParityError as error:
            for here in due:
                self._look_again(here, now + timedelta(seconds=5))
            services = sorted({service for _, service in due})
            self._log.error("not judged", services=services, error=str(error))

    def look_at(self, comparison: str, service: str) -> None:
        """Have one service of a comparison judged again soon: somebody accepted or reopened a drift."""
        self._look_again((comparison.partition("..")[0], service), datetime.now(UTC))

    def reconsider(self) -> None:
        """Have everything judged again: rules, pairs or services may have changed."""
        self._stale_rules = True

    async def _review_due(self) -> None:
        if self._stale_rules:
            self._stale_rules = False
            try:
                await self._expect_first_looks()
                await self._look_at_all()
            except ParityError as error:
                self._stale_rules = True
                self._log.error("not judged", error=str(error))
        await self.review(datetime.now(UTC))

    async def _send(self) -> None:
        try:
            if self._unsure_of_leases:
                # What the store leased, and could not say so, would wait for the end of the lease.
                await self._store.end_leases(datetime.now(UTC))
                self._unsure_of_leases = False
            self.on_delivery(await self._deliver.run(datetime.now(UTC)))
        except StoreError as error:
            self._unsure_of_leases = True
            self._log.error("nothing delivered", error=str(error))
        except asyncio.CancelledError:
            # The service stops: what was being said is given back, and said after the next start.
            self._log.info("delivery interrupted")

    async def _remind_due(self) -> None:
        try:
            await self.remind(datetime.now(UTC))
        except StoreError as error:
            self._log.error("not reminded", error=str(error))

    async def remind(self, now: datetime) -> int:
        """Owe reminders of acceptances that end soon. Returns how many conversations hear of it."""
        return await self._remind.run(now)

    async def _prune_due(self) -> None:
        try:
            if self._prune is not None:
                await self._prune.run(datetime.now(UTC))
        except StoreError as error:
            self._log.error("not pruned", error=str(error))

    async def _report(self) -> None:
        if self._ran["runs"]:
            counts = {name: self._ran[name] for name in ("runs", "changed", "unseen")}
            self._log.info("collected", **counts, missed=self.schedule.missed)
            self._ran.clear()
            self.schedule.missed = 0

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """Have work done in the background, for whose end `stop` waits."""
        self._runs.add(task := asyncio.create_task(work))
        task.add_done_callback(self._runs.discard)


def _parts(due: Iterable[tuple[str, str]]) -> Iterator[dict[str, list[str]]]:
    """Yield the environments of each service, as many services as are judged together."""
    wanted: dict[str, list[str]] = {}
    for environment, service in due:
        wanted.setdefault(service, []).append(environment)
    left = iter(wanted.items())
    while some := dict(islice(left, TOGETHER)):
        yield some
