"""Holds with a store and a clock that the test moves: what alerts wait for, and what wakes them."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from detector.config.policy import Policy
from detector.engine.pack import PACK
from detector.engine.policy import Pair, Service, SourcePolicy
from detector.engine.rules import Match, Outcome, Rule
from detector.jobs.compare import Compare
from detector.jobs.schedule import Schedule
from detector.jobs.watch import Watch
from detector.model.deployments import Deployment
from detector.model.expressions import Labelled, Now
from detector.model.facts import Observation, Section
from detector.model.records import Drift, Judged
from detector.queries.comparison import Comparisons
from detector.queries.views import Views
from detector.store.store import Store, open_store
from tests.builders import NOW, PROD, STAGING

DJANGO = "pkg:pypi/django"
TAG = "image#tag"
SOON = timedelta(minutes=10)


class Unused:
    """What no test here comes to."""


class Shop:
    """One service in staging and prod, whose time the test moves."""

    def __init__(self, store: Store, *, rules: tuple[Rule, ...] = (), nightly: str | None = None) -> None:
        self.store = store
        self.now = NOW
        every = {name: timedelta(days=1) if name == nightly else SOON for name in ("staging", "prod")}
        self.policy = Policy(
            environments={"staging": STAGING, "prod": PROD},
            pairs=(Pair(left=STAGING, right=PROD),),
            services={
                "checkout": Service(
                    name="checkout",
                    sources={
                        name: (
                            SourcePolicy(
                                environment=name,
                                service="checkout",
                                source="docker",
                                scheduled=True,
                                every=every[name],
                                valid=timedelta(days=90),
                            ),
                        )
                        for name in ("staging", "prod")
                    },
                )
            },
            rules=(*PACK, *rules),
            confirm_after=1,
        )
        views = Views(store, lambda: self.policy)
        ids = iter(f"{number:026d}" for number in range(1, 10_000))
        self.comparisons = Comparisons(store, views, lambda: self.policy)
        compare = Compare(store, self.comparisons, views, lambda: self.policy, lambda: next(ids))
        self.watch = Watch(
            store=store,
            schedule=Schedule(),
            collect=Unused(),  # type: ignore[arg-type]
            compare=compare,
            deliver=Unused(),  # type: ignore[arg-type]
            remind=Unused(),  # type: ignore[arg-type]
        )

    async def look(self, environment: str, facts: Mapping[str, Any]) -> None:
        """Record what an environment runs now, and judge what that changed."""
        sections = {
            "dependencies": {item: value for item, value in facts.items() if item.startswith("pkg:")},
            "release": {item: value for item, value in facts.items() if item.startswith("image#")},
        }
        await self.store.record(
            Observation(
                environment=environment,
                service="checkout",
                source="docker",
                observed_at=self.now,
                sections={
                    name: Section(basis="running", facts=found)  # type: ignore[misc]
                    for name, found in sections.items()
                    if found
                },
            ),
            received_at=self.now,
            scheduled=True,
        )
        await self.watch.judge(environment, "checkout", now=self.now)

    async def both(self, staging: Mapping[str, Any], prod: Mapping[str, Any]) -> None:
        await self.look("staging", staging)
        await self.look("prod", prod)

    async def wait(self, **units: float) -> None:
        """Let time pass in which nobody looks: only what was to be reviewed is judged again."""
        self.now += timedelta(**units)
        await self.watch.review(self.now)

    async def announce(self, version: str, *, finished: bool = False) -> Deployment:
        said = Deployment(
            id=f"d{self.now.timestamp()}",
            environment="prod",
            service="checkout",
            version=version,
            at=self.now,
            finished_at=self.now if finished else None,
        )
        kept, _ = await self.store.announce(said)
        return kept

    async def row(self, kind: str = "difference") -> Drift:
        (row,) = await self.store.register(kind=kind, with_events=True)  # type: ignore[arg-type]
        return row

    async def states(self) -> dict[tuple[str, str], str]:
        return {(row.key.item, row.key.kind): row.state for row in await self.store.register()}

    async def owed(self) -> list[str]:
        """Return the alerts that went out since this was last asked."""
        leased = await self.store.lease_owed(now=self.now, until=self.now + timedelta(days=99), limit=100)
        return [owed.event for owed, _ in leased]

    async def told(self) -> list[Judged]:
        """Return the answer of `parity diff staging prod`."""
        found = await self.comparisons.compare(
            Now(environment="staging"), Now(environment="prod"), now=self.now
        )
        return [one for one in found.items if one.verdict != "in_sync"]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path}/parity.db")
    yield opened
    await opened.close()


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def release(tag: Any, django: Any = "5.2.8") -> dict[str, Any]:
    return {TAG: tag, DJANGO: django}


OLD, NEW = release("1.4.2"), release("1.4.3")
ROLLING = {"values": {"1.4.2": 2, "1.4.3": 3}}


async def test_the_end_of_an_allowance_wakes_its_verdict_without_a_look(shop: Shop) -> None:
    await shop.both(NEW, OLD)
    (lead,) = await shop.told()
    assert (lead.verdict, lead.review_at) == ("expected", shop.now + timedelta(days=7))
    await shop.wait(days=6, hours=23)
    assert await shop.states() == {}
    await shop.wait(hours=1)
    assert await shop.states() == {(TAG, "difference"): "open"}
    assert await shop.owed() == ["opened"]


async def test_a_lead_that_right_catches_up_on_in_part_has_a_younger_clock(shop: Shop) -> None:
    await shop.both(OLD, OLD)
    for number in (3, 4):
        await shop.wait(days=4)
        await shop.look("staging", release(f"1.4.{number}"))
    await shop.look("prod", release("1.4.3"))
    await shop.wait(days=6)
    # Ten days after staging left 1.4.2, but six after it got what prod has not.
    assert await shop.states() == {}
    await shop.wait(days=1)
    assert await shop.states() == {(TAG, "difference"): "open"}


async def test_a_lead_of_too_many_versions_is_spent_at_once(store: Store) -> None:
    from detector.engine.rules import Allowance

    two = Outcome(allow_ahead=Allowance(span=timedelta(days=7), versions=2))
    shop = Shop(store, rules=(Rule(name="r", match=Match(item=(TAG,)), outcome=two),))
    await shop.both(OLD, OLD)
    for number in (3, 4, 5):
        assert await shop.states() == {}
        await shop.wait(hours=1)
        await shop.look("staging", release(f"1.4.{number}"))
    assert (await shop.told())[0].verdict == "drift"
    await shop.look("prod", OLD)
    assert await shop.states() == {(TAG, "difference"): "open"}


async def test_a_rule_may_want_more_looks_at_some_items(store: Store) -> None:
    shop = Shop(store, rules=(Rule(name="r", match=Match(item=(DJANGO,)), outcome=Outcome(confirm_after=3)),))
    for looks in (1, 2, 3):
        await shop.both(release("1.4.2", "4.2.26"), release("1.4.3", "5.2.8"))
        assert await shop.states() == {
            (DJANGO, "difference"): "open" if looks == 3 else "pending",
            (TAG, "difference"): "open",
        }
        await shop.wait(minutes=10)


async def test_an_alert_waits_until_the_slower_side_had_its_look(store: Store) -> None:
    shop = Shop(store, nightly="staging")
    await shop.both(release("1.4.2", "5.2.7"), release("1.4.2", "5.2.7"))
    await shop.wait(hours=10)
    await shop.look("prod", release("1.4.2", "5.2.8"))
    (one,) = await shop.told()
    assert (one.verdict, one.pending) == ("drift", "skew")
    assert one.pending_because == "prod changed at 22:00 UTC, and staging was not looked at since"
    assert await shop.owed() == []
    await shop.wait(hours=14)
    await shop.look("staging", release("1.4.2", "5.2.7"))
    assert await shop.owed() == ["opened"]


async def test_a_side_that_misses_its_look_is_waited_for_one_interval(store: Store) -> None:
    shop = Shop(store, nightly="staging")
    await shop.both(release("1.4.2", "5.2.7"), release("1.4.2", "5.2.7"))
    await shop.wait(hours=10)
    await shop.look("prod", release("1.4.2", "5.2.8"))
    await shop.wait(hours=23)
    assert await shop.owed() == []
    await shop.wait(hours=1)
    assert await shop.owed() == ["opened"]


async def test_a_rollout_that_is_seen_is_no_drift_and_holds_what_else_differs(shop: Shop) -> None:
    await shop.both(NEW, OLD)
    await shop.wait(minutes=10)
    await shop.look("prod", release(ROLLING, {"values": {"5.2.8": 2, "5.2.9": 3}}))
    told = {(one.key.item, one.key.kind): one for one in await shop.told()}
    # The tag settles on what staging has. Django goes beyond it: drift, of which nobody is told yet.
    assert set(told) == {(TAG, "mixed"), (DJANGO, "difference")}
    assert (told[TAG, "mixed"].verdict, told[TAG, "mixed"].pending) == ("expected", "rollout")
    django = told[DJANGO, "difference"]
    assert (django.verdict, django.right.value, django.pending) == ("drift", "5.2.9", "rollout")
    assert django.pending_because == "prod is rolling out since 12:10 UTC, 3 of 5 on 1.4.3"
    assert (await shop.states(), await shop.owed()) == ({(DJANGO, "difference"): "pending"}, [])
    await shop.wait(minutes=20)
    await shop.look("prod", release("1.4.3", "5.2.9"))
    await shop.look("staging", NEW)
    assert await shop.states() == {(DJANGO, "difference"): "open"}
    assert await shop.owed() == ["opened"]


async def test_a_rollout_that_got_stuck_is_mixed_after_the_window(shop: Shop) -> None:
    await shop.both(NEW, OLD)
    await shop.wait(minutes=10)
    await shop.look("prod", release(ROLLING))
    await shop.wait(minutes=29)
    assert await shop.states() == {}
    await shop.wait(minutes=1)
    row = await shop.row("mixed")
    assert (row.comparison, row.state, row.severity) == ("prod", "open", "high")
    assert row.item["right"]["value"] == ROLLING
    assert await shop.owed() == ["opened"]
    await shop.look("prod", NEW)
    assert (await shop.row("mixed")).state == "resolved"


async def test_an_announced_deployment_holds_alerts_until_it_is_finished(shop: Shop) -> None:
    await shop.both(release("1.4.2", "5.2.7"), release("1.4.2", "5.2.7"))
    await shop.wait(hours=1)
    first = await shop.announce("1.4.2-hotfix")
    await shop.look("prod", release("1.4.2", "5.2.8"))
    (one,) = await shop.told()
    assert one.pending_because == "prod is rolling out 1.4.2-hotfix since 13:00 UTC"
    await shop.wait(minutes=5)
    finished = await shop.announce("1.4.2-hotfix", finished=True)
    assert (finished.id, finished.finished_at) == (first.id, shop.now)
    await shop.watch.judge("prod", "checkout", now=shop.now)
    assert (await shop.told())[0].pending == "skew"  # staging was not looked at since
    await shop.look("staging", release("1.4.2", "5.2.7"))
    assert await shop.owed() == ["opened"]


async def test_an_announced_deployment_that_nobody_finishes_holds_for_the_window(shop: Shop) -> None:
    await shop.both(release("1.4.2", "5.2.7"), release("1.4.2", "5.2.7"))
    await shop.wait(hours=1)
    await shop.announce("1.4.2-hotfix")
    await shop.both(release("1.4.2", "5.2.7"), release("1.4.2", "5.2.8"))
    await shop.wait(minutes=29)
    assert await shop.owed() == []
    await shop.wait(minutes=1)
    assert await shop.owed() == ["opened"]


async def test_what_was_open_before_a_rollout_stays_open_until_every_replica_agrees(shop: Shop) -> None:
    behind, ahead = release("1.4.2", "4.2.26"), release("1.4.2", "5.2.8")
    await shop.both(ahead, behind)
    await shop.wait(days=14)
    assert await shop.owed() == ["opened"]
    await shop.wait(hours=1)
    await shop.announce("1.5.0")
    assert [one.pending for one in await shop.told()] == [None]  # announced, and nothing changed yet
    await shop.look("prod", release("1.4.2", {"values": {"4.2.26": 4, "5.2.8": 1}}))
    assert await shop.states() == {(DJANGO, "difference"): "open"}
    assert {(one.key.kind, one.pending) for one in await shop.told()} >= {("difference", "rollout")}
    assert await shop.owed() == []
    await shop.look("prod", ahead)
    assert await shop.owed() == ["resolved"]


async def test_the_version_of_a_deployment_names_the_state_that_it_led_to(shop: Shop) -> None:
    await shop.both(OLD, OLD)
    await shop.wait(hours=1)
    await shop.announce("1.4.3")
    await shop.wait(minutes=5)
    await shop.look("prod", NEW)
    await shop.wait(hours=1)
    await shop.look("prod", release("1.4.3", "5.2.9"))
    found = await shop.comparisons.compare(
        Labelled(environment="prod", label="1.4.3"), Now(environment="prod"), now=shop.now
    )
    assert (found.left.expression, found.left.snapshot) == ("prod@1.4.3", 2)
    assert [one.key.item for one in found.items if one.verdict != "in_sync"] == [DJANGO]


async def test_what_flaps_is_told_once_when_it_keeps_still(shop: Shop) -> None:
    good, bad = release("1.4.2", "5.2.8"), release("1.4.2", "5.2.9")
    await shop.both(good, good)
    said = []
    for number in range(9):
        await shop.wait(minutes=20)
        await shop.both(good, good if number % 2 else bad)
        said += await shop.owed()
    assert said == ["opened", "resolved", "reopened", "resolved"]
    assert (await shop.row()).state == "pending"
    (one,) = await shop.told()
    assert (one.pending, one.pending_because) == ("flap", "opened or resolved 9 times within a day")
    await shop.wait(hours=3, minutes=59)
    assert await shop.owed() == []
    await shop.wait(minutes=1)
    assert await shop.owed() == ["flapped"]


async def test_what_is_critical_is_never_held_for_flapping(store: Store) -> None:
    grave = Rule(name="r", match=Match(item=(DJANGO,)), outcome=Outcome(severity={"*": "critical"}))
    shop = Shop(store, rules=(grave,))
    good, bad = release("1.4.2", "5.2.8"), release("1.4.2", "5.2.9")
    await shop.both(good, good)
    said = []
    for number in range(9):
        await shop.wait(minutes=20)
        await shop.both(good, good if number % 2 else bad)
        said += await shop.owed()
    assert said == ["opened", *["resolved", "reopened"] * 4]
