"""Who runs what: in a range of versions, now or then, and of whom nobody can tell."""

from datetime import timedelta
from typing import Any

import pytest

from detector.config.policy import Policy
from detector.engine.policy import Environment, Service, SourcePolicy
from detector.errors import NotFoundError, UsageError
from detector.model.facts import Section, Value
from detector.queries.searching import Search
from detector.queries.views import Views
from detector.store.store import Store
from tests.store.seen import MONDAY, RECEIVED, minute, observed, section, unseen

NOW = minute(60)
DJANGO, REDIS, NODE_REDIS = "pkg:pypi/django", "pkg:pypi/redis", "pkg:npm/redis"


def sources(*environments: str) -> dict[str, tuple[SourcePolicy, ...]]:
    return {name: (SourcePolicy(environment=name, service="late", source="docker"),) for name in environments}


POLICY = Policy(
    environments={name: Environment(name=name) for name in ("staging", "prod")},
    pairs=(),
    services={
        "cart": Service(name="cart", owner="team-cart"),
        "late": Service(name="late", sources=sources("prod")),
    },
)


class Fleet:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.search = Search(store=store, views=Views(store, lambda: POLICY), policy=lambda: POLICY)

    async def see(
        self,
        at: float,
        service: str,
        facts: dict[str, Value],
        *,
        environment: str = "prod",
        status: Any = "complete",
        **more: Any,
    ) -> None:
        await self.store.record(
            observed(
                at,
                sections={"dependencies": section(facts, status=status, **more)},
                service=service,
                environment=environment,
            ),
            received_at=RECEIVED,
            scheduled=False,
        )

    async def ask(self, item: str, version: str | None = None, **more: Any) -> dict[str, Any]:
        return await self.search.search(item, version, now=NOW, **more)


@pytest.fixture
async def fleet(store: Store) -> Fleet:
    fleet = Fleet(store)
    await fleet.see(0, "cart", {DJANGO: "4.2.26", REDIS: "5.0"}, environment="staging")
    await fleet.see(0, "cart", {DJANGO: "4.2.20", REDIS: "5.0"})
    await fleet.see(0, "shop", {DJANGO: "5.2.8"})
    await fleet.see(0, "web", {NODE_REDIS: ["4.6.0", "4.7.1"]})
    return fleet


def where(rows: list[dict[str, Any]]) -> list[tuple[str, str, Any]]:
    return [(row["service"], row["environment"], row["value"]) for row in rows]


def blind(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["service"], row["environment"], row["reason"]) for row in document["unknown"]]


async def test_who_runs_a_version_below_another_is_named_with_its_owner(fleet: Fleet) -> None:
    found = await fleet.ask(DJANGO, "<4.2.27")
    assert where(found["items"]) == [("cart", "staging", "4.2.26"), ("cart", "prod", "4.2.20")]
    assert found["items"][0]["owner"] == "team-cart"
    assert (found["looked_at"], found["other_versions"]) == (4, 1)
    assert blind(found) == [("late", "prod", "not_collected")]  # it is configured, and nobody saw it yet


async def test_what_people_say_means_every_item_of_that_name_each_in_its_own_order(fleet: Fleet) -> None:
    found = await fleet.ask("redis", ">=4.7")
    assert found["meant"] == [NODE_REDIS, REDIS]
    assert where(found["items"]) == [
        ("cart", "staging", "5.0"),
        ("cart", "prod", "5.0"),
        ("web", "prod", ["4.6.0", "4.7.1"]),  # one of its copies
    ]


async def test_a_package_url_may_bring_its_version(fleet: Fleet) -> None:
    found = await fleet.ask(f"{DJANGO}@5.2.8")
    assert (where(found["items"]), found["version"]) == ([("shop", "prod", "5.2.8")], "==5.2.8")
    with pytest.raises(UsageError, match="two versions"):
        await fleet.ask(f"{DJANGO}@5.2.8", "<6")


async def test_that_nobody_runs_what_was_never_seen_is_an_answer(fleet: Fleet) -> None:
    found = await fleet.ask("pkg:maven/org.apache.logging.log4j/log4j-core", "<2.17")
    assert (found["items"], found["looked_at"]) == ([], 4)
    with pytest.raises(NotFoundError, match=r"no item djanga was ever seen \(did you mean django"):
        await fleet.ask("djanga")


async def test_unknown_is_not_absent(fleet: Fleet) -> None:
    await fleet.see(1, "dark", {DJANGO: "4.2.1"})
    await fleet.see(2, "dark", {}, status="failed", unseen=unseen("*"))
    await fleet.see(1, "partly", {}, status="partial", unseen=unseen("pkg:pypi/*"))
    await fleet.see(1, "node", {NODE_REDIS: "4"}, covers=("pkg:npm/*",))
    await fleet.store.record(
        observed(1, sections={"release": Section(basis="running", facts={"image#tag": "1"})}, service="bare"),
        received_at=RECEIVED,
        scheduled=False,
    )
    found = await fleet.ask(DJANGO, "<4.2.10")
    assert found["items"] == []
    assert blind(found) == [
        ("bare", "prod", "not_in_view"),
        ("dark", "prod", "denied"),
        ("late", "prod", "not_collected"),
        ("node", "prod", "not_in_view"),
        ("partly", "prod", "denied"),
    ]
    last = {row["service"]: row["last"] for row in found["unknown"]}
    assert last["dark"] == "4.2.1"
    detail = {row["service"]: row["detail"] for row in found["unknown"]}
    assert detail["bare"] == detail["node"] == "no source of it looks at such dependencies"


async def test_a_version_without_a_place_in_the_order_is_neither_in_nor_out(fleet: Fleet) -> None:
    await fleet.see(1, "odd", {DJANGO: "main-build"})
    found = await fleet.ask(DJANGO, "<4")
    assert (where(found["items"]), where(found["unordered"])) == ([], [("odd", "prod", "main-build")])


async def test_the_past_can_be_searched(fleet: Fleet) -> None:
    await fleet.see(30, "cart", {DJANGO: "5.2.8"})
    assert where((await fleet.ask(DJANGO, "<5"))["items"]) == [("cart", "staging", "4.2.26")]
    then = await fleet.ask(DJANGO, "<5", as_of=minute(29))
    assert where(then["items"]) == [("cart", "staging", "4.2.26"), ("cart", "prod", "4.2.20")]
    assert then["as_of"] == "2026-11-16T00:29:00Z"
    before = await fleet.ask(DJANGO, as_of=MONDAY - timedelta(days=1))
    assert (before["items"], before["looked_at"]) == ([], 0)


async def test_one_environment_may_be_asked_alone(fleet: Fleet) -> None:
    found = await fleet.ask("django", environments=("staging",))
    assert where(found["items"]) == [("cart", "staging", "4.2.26")]
    with pytest.raises(NotFoundError, match=r"no environment prodd \(did you mean prod"):
        await fleet.ask("django", environments=("prodd",))
