"""From two sources to the register: judged when it changed, confirmed when seen again, resolved when over."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from detector.collector import Collected, Context
from detector.config.policy import Policy
from detector.engine.pack import PACK
from detector.engine.policy import Environment, Pair, Service, SourcePolicy
from detector.errors import UnseenError
from detector.jobs.collect import Collect
from detector.jobs.compare import Compare
from detector.jobs.judging import Judgement
from detector.jobs.look import Host
from detector.jobs.remind import Remind
from detector.jobs.schedule import Schedule
from detector.jobs.watch import Watch
from detector.model.records import Drift
from detector.queries.comparison import Comparisons
from detector.queries.views import Views
from detector.store.store import Store
from tests.jobs.sources import Scripted, seen, source

STAGING = Environment(name="staging", tier="staging")
PROD = Environment(name="prod", tier="production")


class NobodyHears:
    """Delivers nothing: what is owed stays in the outbox, to be looked at."""

    async def run(self, now: datetime) -> dict[tuple[str, str], int]:
        return {}


class Bench:
    """The service without its clock: sources are run by hand."""

    def __init__(self, store: Store, host: Host, scripted: type[Scripted]) -> None:
        self.store = store
        self.policy = policy()
        self.answers: dict[str, Any] = {}
        self.ids = iter(f"{number:026d}" for number in range(1, 1000))
        self.views = Views(store, lambda: self.policy)
        self.comparisons = Comparisons(store, self.views, lambda: self.policy)
        self.compare = Compare(
            store, self.comparisons, self.views, lambda: self.policy, lambda: next(self.ids)
        )
        self.watch = Watch(
            store=store,
            schedule=Schedule(),
            collect=Collect(store, host),
            compare=self.compare,
            deliver=NobodyHears(),  # type: ignore[arg-type]  # says nothing of a real one
            remind=Remind(store, lambda: next(self.ids)),
        )
        scripted.answer = self._answer

    async def _answer(self, context: Context) -> Collected:
        answer = self.answers[context.environment]
        if isinstance(answer, Exception):
            raise answer
        return Collected(seen=(seen(answer),))

    async def look(self, staging: Any = None, prod: Any = None) -> None:
        """Run one source or both, with what they see now."""
        for name, answer in (("staging", staging), ("prod", prod)):
            if answer is not None:
                self.answers[name] = answer
                await self.watch.run(source(name))

    async def rows(self) -> list[Drift]:
        return await self.store.register(with_events=True)

    async def states(self) -> dict[str, str]:
        return {row.key.item: row.state for row in await self.rows()}

    async def owed(self) -> list[str]:
        now = datetime.now(UTC)
        leased = await self.store.lease_owed(now=now, until=now + timedelta(seconds=1), limit=100)
        return [owed.event for owed, _ in leased]


def policy(*, scheduled: bool = True, valid: timedelta = timedelta(minutes=5)) -> Policy:
    return Policy(
        environments={"staging": STAGING, "prod": PROD},
        pairs=(Pair(left=STAGING, right=PROD),),
        services={
            "checkout": Service(
                name="checkout",
                owner="team-payments",
                sources={
                    environment: (
                        SourcePolicy(
                            environment=environment,
                            service="checkout",
                            source="scripted",
                            valid=valid,
                            scheduled=scheduled,
                        ),
                    )
                    for environment in ("staging", "prod")
                },
            )
        },
        rules=PACK,
    )


@pytest.fixture
def bench(store: Store, a_host: Host, scripted: type[Scripted]) -> Bench:
    return Bench(store, a_host, scripted)


OLD, NEW = {"pkg:pypi/django": "4.2.26"}, {"pkg:pypi/django": "5.2.8"}


async def test_a_drift_waits_for_a_second_look_of_both_sides_and_then_owes_one_alert(bench: Bench) -> None:
    await bench.look(staging=OLD, prod=NEW)
    assert await bench.states() == {"pkg:pypi/django": "pending"}
    assert await bench.owed() == []
    await bench.look(staging=OLD)
    assert await bench.states() == {"pkg:pypi/django": "pending"}
    await bench.look(prod=NEW)
    assert await bench.states() == {"pkg:pypi/django": "open"}
    assert await bench.owed() == ["opened"]


async def test_an_unscheduled_source_needs_no_second_look(bench: Bench) -> None:
    bench.policy = policy(scheduled=False)
    await bench.look(staging=OLD, prod=NEW)
    assert await bench.states() == {"pkg:pypi/django": "open"}


async def test_what_is_mended_resolves_and_comes_back_under_its_old_name(bench: Bench) -> None:
    for _ in range(2):
        await bench.look(staging=OLD, prod=NEW)
    (row,) = await bench.rows()
    await bench.look(staging=NEW)
    assert await bench.states() == {"pkg:pypi/django": "resolved"}
    for _ in range(2):
        await bench.look(staging=OLD, prod=NEW)
    (again,) = await bench.rows()
    assert (again.id, again.state) == (row.id, "open")
    assert [event.event for event in again.events] == [
        "opened",
        "confirmed",
        "resolved",
        "reopened",
        "confirmed",
    ]
    assert again.opened_at > row.opened_at


async def test_a_side_that_cannot_be_seen_neither_resolves_nor_opens(bench: Bench) -> None:
    for _ in range(2):
        await bench.look(staging=OLD, prod=NEW)
    await bench.look(prod=UnseenError("unreachable", "nobody answers"))
    assert await bench.states() == {"pkg:pypi/django": "open"}
    await bench.look(staging={"pkg:pypi/flask": "3.1.2"})
    # Flask may be in prod: nobody can tell. Django is gone from staging, and prod is as unknown as before.
    assert await bench.states() == {"pkg:pypi/django": "open"}


async def test_what_one_side_alone_leads_is_no_drift(bench: Bench) -> None:
    await bench.look(staging=NEW, prod=OLD)
    assert await bench.states() == {}
    known = await bench.comparisons.known(["checkout"], bench.policy.pairs, now=datetime.now(UTC))
    assert known.rows == {}


async def test_an_unchanged_look_is_not_judged_unless_a_drift_waits(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[tuple[str, str]] = []
    judge: Callable[..., Any] = bench.compare.judge

    async def counted(environment: str, service: str, **rest: Any) -> Any:
        judged.append((environment, service))
        return await judge(environment, service, **rest)

    monkeypatch.setattr(bench.compare, "judge", counted)
    await bench.look(staging=NEW, prod=NEW)
    judged.clear()
    await bench.look(staging=NEW, prod=NEW)
    assert judged == []


async def test_a_service_is_judged_when_each_of_its_sources_looked_once(bench: Bench) -> None:
    every = [source("staging"), source("prod"), source("prod", name="other")]
    bench.watch.schedule.replace(every, now=datetime.now(UTC))
    await bench.watch.resume()
    await bench.look(staging=OLD, prod=NEW)
    assert await bench.states() == {}  # the other source of prod may say what explains this
    bench.answers["prod"] = UnseenError("unreachable", "nobody answers")
    await bench.watch.run(source("prod", name="other"))
    assert await bench.states() == {"pkg:pypi/django": "pending"}  # it looked, and saw nothing


async def test_a_source_that_looked_before_a_restart_is_not_waited_for(bench: Bench) -> None:
    await bench.look(staging=OLD, prod=OLD)
    await bench.watch.run(source("prod"))
    bench.watch.schedule.replace([source("staging"), source("prod")], now=datetime.now(UTC))
    await bench.watch.resume()
    await bench.look(prod=NEW)
    assert await bench.states() == {"pkg:pypi/django": "pending"}


async def test_what_a_crash_left_unjudged_is_judged_at_the_next_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(environment: str, service: str) -> None:
        """The process ended between the two transactions."""

    await bench.look(staging=OLD)
    with monkeypatch.context() as patch:
        patch.setattr(bench.watch, "judge", killed)
        await bench.look(prod=NEW)
    assert await bench.states() == {}
    await bench.watch.resume()
    assert await bench.states() == {"pkg:pypi/django": "pending"}


async def test_a_service_that_left_the_configuration_is_withdrawn_without_an_alert(bench: Bench) -> None:
    for _ in range(2):
        await bench.look(staging=OLD, prod=NEW)
    assert await bench.owed() == ["opened"]
    prod = bench.policy.environments["prod"]
    bench.policy = Policy(environments={"prod": prod}, pairs=(), services={}, rules=PACK)
    assert await bench.compare.withdraw_unconfigured(now=datetime.now(UTC)) == 1
    assert await bench.states() == {"pkg:pypi/django": "withdrawn"}


async def test_the_clock_alone_ends_an_allowance(bench: Bench) -> None:
    bench.policy = policy(scheduled=False, valid=timedelta(days=90))
    await bench.look(staging=NEW, prod=OLD)
    assert await bench.states() == {}
    done = await bench.compare.judge("staging", "checkout", now=datetime.now(UTC))
    review_at = min(one.review_at for one in done if one.review_at is not None)
    assert timedelta(days=13) < review_at - datetime.now(UTC) <= timedelta(days=14)
    await bench.compare.judge("staging", "checkout", now=review_at)
    assert await bench.states() == {"pkg:pypi/django": "open"}


async def test_a_side_that_grew_stale_is_looked_at_again_and_opens_nothing(bench: Bench) -> None:
    await bench.look(staging=NEW, prod=NEW)
    done = await bench.compare.judge("staging", "checkout", now=datetime.now(UTC))
    stale_at = min(one.review_at for one in done if one.review_at is not None)
    assert timedelta(minutes=4) < stale_at - datetime.now(UTC) <= timedelta(minutes=5)
    await bench.compare.judge("staging", "checkout", now=stale_at + timedelta(days=30))
    assert await bench.states() == {}


async def test_a_push_is_judged_at_the_next_review(bench: Bench) -> None:
    await bench.look(staging=OLD, prod=OLD)
    bench.answers["prod"] = NEW
    ran = await bench.watch._collect.run(source("prod"))
    ((service, recorded),) = ran.observed
    bench.watch.observed("prod", service, recorded)
    assert await bench.states() == {}
    await bench.watch.review(datetime.now(UTC))
    assert await bench.states() == {"pkg:pypi/django": "pending"}


async def test_a_push_in_the_middle_of_a_judgement_is_judged_all_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.look(staging=OLD, prod=OLD)
    judge = bench.compare.judge

    async def pushed_meanwhile(environment: str, service: str, **words: Any) -> list[Judgement]:
        done = await judge(environment, service, **words)
        bench.answers["prod"] = NEW
        ((_, recorded),) = (await bench.watch._collect.run(source("prod"))).observed
        bench.watch.observed("prod", "checkout", recorded)
        return done

    with monkeypatch.context() as patch:
        patch.setattr(bench.compare, "judge", pushed_meanwhile)
        await bench.watch.judge("prod", "checkout")
    assert await bench.states() == {}
    await bench.watch.review(datetime.now(UTC))
    assert await bench.states() == {"pkg:pypi/django": "pending"}


async def test_a_reload_waits_for_the_first_looks_of_what_it_brought(bench: Bench) -> None:
    gone = source("prod", name="gone")
    bench.watch.schedule.replace([source("staging"), source("prod"), gone], now=datetime.now(UTC))
    await bench.watch.resume()
    await bench.look(staging=OLD, prod=NEW)
    added = source("prod", name="added")
    bench.watch.schedule.replace([source("staging"), source("prod"), added], now=datetime.now(UTC))
    bench.watch.reconsider()
    await bench.watch._review_due()
    assert await bench.states() == {}  # what was added may say what explains this
    await bench.watch.run(added)  # nobody waits for what is gone
    assert await bench.states() == {"pkg:pypi/django": "pending"}


async def test_a_stop_lets_a_message_that_is_being_sent_end(bench: Bench) -> None:
    sending, let_go, sent = asyncio.Event(), asyncio.Event(), []

    async def slow(_now: datetime) -> dict[Any, int]:
        sending.set()
        await let_go.wait()
        sent.append("whole")
        return {}

    bench.watch._deliver.run = slow  # type: ignore[assignment,method-assign]  # a receiver that takes its time
    await bench.watch.start()
    await sending.wait()
    stopped = asyncio.create_task(bench.watch.stop())
    await asyncio.sleep(0)  # the stop has begun
    assert not stopped.done()
    let_go.set()
    await stopped
    assert sent == ["whole"]


async def test_an_error_does_not_end_the_ticking_and_a_stop_does(bench: Bench) -> None:
    asked: list[datetime] = []
    twice = asyncio.Event()

    def due(now: datetime) -> list[Any]:
        asked.append(now)
        if len(asked) == 2:
            twice.set()
        raise ArithmeticError

    bench.watch.schedule.due = due  # type: ignore[method-assign]  # a defect of the schedule
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    with pytest.raises(ArithmeticError):
        bench.watch.tick()
    await twice.wait()
    await bench.watch.stop()
    assert bench.watch._next_tick is not None
    assert bench.watch._next_tick.cancelled()
