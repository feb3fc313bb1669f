"""Many services judged at once, as after a change of rules: what one by one would say, in fewer commits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.engine import Engine

from detector.config.policy import Policy
from detector.engine.acceptance import Acceptance
from detector.engine.pack import PACK
from detector.engine.policy import Environment, Pair, Service
from detector.engine.rules import Match, Outcome, Rule
from detector.errors import StoreError
from detector.jobs import watch as watching
from detector.jobs.compare import Compare
from detector.jobs.schedule import Schedule
from detector.jobs.watch import Watch
from detector.model.facts import Observation, Section
from detector.queries.comparison import Comparisons
from detector.queries.views import Views
from detector.store.store import Store, open_store
from tests.databases import NewUrl
from tests.proof import examples

DEV = Environment(name="dev", tier="development")
STAGING = Environment(name="staging", tier="staging")
PROD = Environment(name="prod", tier="production")
ENVIRONMENTS = ("dev", "staging", "prod")
SERVICES = ("cart", "checkout", "search")
NOW = datetime.now(UTC)
SIGNAL, GRACE, DJANGO = "stop_signal", "grace", "pkg:pypi/django"
#: (environment, service) -> item -> value.
World = dict[tuple[str, str], dict[str, str]]

RULES = (
    Rule(
        name="parity.yml:1",
        match=Match(section=("disposability",)),
        outcome=Outcome(ignore=True),
    ),
    Rule(name="parity.yml:2", match=Match(item=("pkg:pypi/*",)), outcome=Outcome(severity={"*": "critical"})),
    Rule(name="parity.yml:3", match=Match(item=(GRACE,)), outcome=Outcome(severity={"*": "low"})),
)
ACCEPTED = Acceptance(
    id="file",
    match=Match(service=("cart",)),
    reason="rebuilt next week",
    author="anna",
    created_at=None,
    expires_at=NOW + timedelta(days=7),
    place="accepted.d/2026.yml:3",
)


class Running:
    """A service on a store that may have a past, without sources and receivers."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.rules: tuple[Rule, ...] = ()
        self.accepted: tuple[Acceptance, ...] = ()
        views = Views(store, self.policy)
        ids = count()
        self.compare = Compare(
            store, Comparisons(store, views, self.policy), views, self.policy, lambda: _id(self, next(ids))
        )
        unused: Any = None
        self.watch = Watch(
            store=store,
            schedule=Schedule(),
            collect=unused,
            compare=self.compare,
            deliver=unused,
            remind=unused,
        )
        self._policy: Policy | None = None

    def policy(self) -> Policy:
        if self._policy is None:
            self._policy = Policy(
                environments={one.name: one for one in (DEV, STAGING, PROD)},
                pairs=(Pair(left=DEV, right=STAGING), Pair(left=STAGING, right=PROD)),
                services={name: Service(name=name) for name in SERVICES},
                rules=(*PACK, *self.rules),
                accepted=self.accepted,
            )
        return self._policy

    def reload(self, rules: tuple[Rule, ...], accepted: tuple[Acceptance, ...] = ()) -> None:
        self.rules, self.accepted, self._policy = rules, accepted, None

    async def see(self, world: World, at: datetime) -> None:
        for (environment, service), items in world.items():
            facts = {name: value for name, value in items.items() if name == DJANGO}
            rest = {name: value for name, value in items.items() if name != DJANGO}
            said = Observation(
                environment=environment,
                service=service,
                source="docker",
                observed_at=at,
                sections={
                    "dependencies": Section(basis="running", facts=facts),
                    "disposability": Section(basis="running", facts=rest),
                },
            )
            await self.store.record(said, received_at=NOW, scheduled=False)

    async def judge_one_by_one(self) -> None:
        for service in SERVICES:
            for environment in ENVIRONMENTS:
                await self.compare.judge(environment, service, now=datetime.now(UTC))

    async def judge_together(self) -> None:
        self.watch.reconsider()
        await self.watch._review_due()

    async def told(self) -> dict[str, Any]:
        """All that judgements wrote, without ids and times."""
        rows = await self.store.register(with_events=True)
        keys = {row.id: (row.comparison, row.key) for row in rows}
        now = datetime.now(UTC)
        leased = await self.store.lease_owed(now=now, until=now, limit=1000)
        return {
            "rows": sorted(
                (
                    row.comparison,
                    row.key,
                    row.state,
                    row.severity,
                    row.item["rule"],
                    [(one.event, one.actor, one.note, sorted(one.snapshots.items())) for one in row.events],
                )
                for row in rows
            ),
            "owed": sorted(
                (owed.comparison, owed.owner, owed.event, sorted(keys[drift] for drift in owed.drift_ids))
                for owed, _ in leased
            ),
            "judged": await self.store.judged_through(),
            "scores": [
                (mark.comparison, mark.service, mark.score, mark.critical)
                for pair in self.policy().pairs
                for mark in await self.store.score_marks(pair.name, since=NOW - timedelta(days=1))
            ],
            "accepted": sorted(
                (one.comparison, one.key, one.ended_at is None)
                for some in (await self.store.bindings(["file"])).values()
                for one in some
            ),
        }


def _id(running: Running, number: int) -> str:
    return f"{number:013d}{id(running):020d}"


worlds = st.fixed_dictionaries(
    {
        (environment, service): st.fixed_dictionaries(
            {},
            optional={
                SIGNAL: st.sampled_from(("SIGTERM", "SIGINT")),
                GRACE: st.sampled_from(("10", "30")),
                DJANGO: st.sampled_from(("4.2.26", "5.2.8")),
            },
        )
        for environment in ENVIRONMENTS
        for service in SERVICES
    }
)
reloads = st.tuples(
    st.lists(st.sampled_from(RULES), unique_by=lambda rule: rule.name).map(tuple),
    st.sampled_from(((), (ACCEPTED,))),
)


def trying(count: int) -> settings:
    return settings(max_examples=examples(count), deadline=None, suppress_health_check=list(HealthCheck))


def together_is_one_by_one(new_url: NewUrl, first: World, then: World, reloads: list[Any]) -> None:
    async def story(url: str, *, together: bool) -> list[dict[str, Any]]:
        store = await open_store(url)
        try:
            running = Running(store)
            told = []
            for number, (rules, accepted) in enumerate([((), ()), *reloads]):
                if number < 2:
                    await running.see((first, then)[number], NOW - timedelta(days=60 - number))
                running.reload(rules, accepted)
                await (running.judge_together() if together else running.judge_one_by_one())
                told.append(await running.told())
            return told
        finally:
            await store.close()

    one_by_one = asyncio.run(story(new_url(), together=False))
    assert asyncio.run(story(new_url(), together=True)) == one_by_one


@given(first=worlds, then=worlds, reloads=st.lists(reloads, min_size=1, max_size=3))
@trying(6)
def test_new_rules_open_and_withdraw_what_judging_one_by_one_does(
    new_sqlite_url: NewUrl, first: World, then: World, reloads: list[Any]
) -> None:
    together_is_one_by_one(new_sqlite_url, first, then, reloads)


@given(first=worlds, then=worlds, reloads=st.lists(reloads, min_size=1, max_size=3))
@trying(2)
def test_they_do_so_on_postgres(
    new_postgres_url: NewUrl, first: World, then: World, reloads: list[Any]
) -> None:
    together_is_one_by_one(new_postgres_url, first, then, reloads)


WORLD: World = {
    (environment, service): {SIGNAL: signal, GRACE: "10"}
    for service in SERVICES
    for environment, signal in (("dev", "SIGINT"), ("staging", "SIGINT"), ("prod", "SIGTERM"))
}


@contextmanager
def commits() -> Iterator[list[str]]:
    """Every transaction that wrote, by its first statement that did."""
    seen: list[str] = []
    writing = set()

    def note(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split(maxsplit=1)[0] in ("INSERT", "UPDATE", "DELETE") and id(connection) not in writing:
            writing.add(id(connection))
            seen.append(statement)

    def ended(connection: Any) -> None:
        writing.discard(id(connection))

    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "commit", ended)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        event.remove(Engine, "commit", ended)


async def test_nothing_is_written_when_nothing_moved(store: Store) -> None:
    running = Running(store)
    await running.see(WORLD, NOW - timedelta(days=1))
    with commits() as first:
        await running.judge_together()
    assert len(first) == 1  # three services in two pairs and three environments
    told = await running.told()
    assert {row[2] for row in told["rows"]} == {"open"}
    with commits() as again:
        await running.judge_together()
        await running.judge_one_by_one()
        running.reload(RULES[1:2])  # of packages, and nobody has any
        await running.judge_together()
    assert again == []
    running.reload(RULES[:1])
    with commits() as moved:
        await running.judge_together()
    assert len(moved) == 1
    assert {row[2] for row in (await running.told())["rows"]} == {"withdrawn"}


async def test_one_pair_of_a_service_is_judged_once_for_both_sides(store: Store) -> None:
    running = Running(store)
    await running.see(WORLD, NOW - timedelta(days=1))
    done = await running.compare.judge_together(
        dict.fromkeys(SERVICES, ENVIRONMENTS), now=NOW, half_seen={"cart": ["dev"]}
    )
    judged = [(one.service, one.comparison) for one in done]
    assert len(judged) == len(set(judged))
    assert {name for service, name in judged if service == "search"} == {
        "dev..staging",
        "staging..prod",
        *ENVIRONMENTS,
    }
    assert {name for service, name in judged if service == "cart"} == {"staging..prod", "staging", "prod"}


async def test_whoever_talks_to_a_server_that_moved_is_looked_at_alone(store: Store) -> None:
    running = Running(store)
    await running.see(WORLD, NOW - timedelta(days=1))
    used = {**running.policy().services, "search": Service(name="search", used_by=("cart",))}
    running._policy = replace(running.policy(), services=used)
    done = await running.compare.judge("prod", "search", now=NOW)
    assert {(one.service, one.comparison) for one in done} == {
        ("search", "staging..prod"),
        ("search", "prod"),
        ("cart", "prod"),
    }


async def test_a_crash_between_two_commits_is_taken_up_at_the_next_start(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "TOGETHER", 1)
    running = Running(store)
    await running.see(WORLD, NOW - timedelta(days=1))
    settle, settled = store.settle, count()

    async def killed(settlements: Any) -> None:
        if next(settled) == 1:
            raise KeyboardInterrupt  # nothing of this one was written
        await settle(settlements)

    with monkeypatch.context() as patch:
        patch.setattr(store, "settle", killed)
        with pytest.raises(KeyboardInterrupt):
            await running.watch.resume()
    assert {row.key.service for row in await store.register()} == {"cart"}
    assert {service for _, service in await running.compare.behind()} == {"checkout", "search"}
    await Running(store).watch.resume()
    assert {row.key.service for row in await store.register()} == set(SERVICES)
    assert await running.compare.behind() == []


async def test_what_could_not_be_written_is_judged_again_a_little_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Running(store)
    await running.see(WORLD, NOW - timedelta(days=1))

    async def full(*_: Any, **__: Any) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "rename", full)
        patch.setattr(store, "services", full)
        await running.judge_together()
    assert await store.judged_through() == {}

    with monkeypatch.context() as patch:
        patch.setattr(store, "newest_marks", full)
        await running.watch._review_due()  # the rules are as new as before
    assert await store.register() == []
    await running.watch.review(datetime.now(UTC))
    assert await store.register() == []  # too early
    await running.watch.review(datetime.now(UTC) + timedelta(seconds=6))
    assert {row.key.service for row in await store.register()} == set(SERVICES)
