"""Views are loaded when they are asked for, read again only where something changed, and bounded."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from detector.config.policy import Policy
from detector.engine.policy import Environment, Service, SourcePolicy
from detector.engine.view import Place, View
from detector.queries.views import Views
from detector.store.store import Store, open_store
from tests.store.seen import MONDAY, RECEIVED, minute, observed, packages

NOW = minute(10)
SOURCE = SourcePolicy(environment="prod", service="cart", source="docker", valid=timedelta(days=60))
POLICY = Policy(
    environments={"prod": Environment(name="prod")},
    pairs=(),
    services={"cart": Service(name="cart", sources={"prod": (SOURCE,)})},
)


@contextmanager
def reads() -> Iterator[list[str]]:
    """The tables that are read from, each time."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        words = statement.split()
        if words[0] == "SELECT" and "FROM" in words:
            seen.append(words[words.index("FROM") + 1])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def see(
    store: Store, at: float, *services: str, version: str = "1.0", environment: str = "prod"
) -> None:
    for service in services:
        await store.record(
            observed(at, packages(3, version), service=service, environment=environment),
            received_at=RECEIVED,
            scheduled=True,
        )


def version(view: View) -> object:
    return view.sides[Place("main", "dependencies", "pkg:pypi/package-0")].value


@pytest.fixture
def views(store: Store) -> Views:
    return Views(store, lambda: POLICY)


async def test_nothing_is_read_while_nothing_moved(store: Store, views: Views) -> None:
    await see(store, 0, "cart", "shop")
    first = await views.of("prod", now=NOW)
    with reads() as seen:
        assert await views.of("prod", now=NOW) is first
        assert await views.of("prod", now=NOW, services=("shop", "nobody")) == {"shop": first["shop"]}
    assert seen == []


async def test_facts_are_read_again_of_what_changed_alone(store: Store, views: Views) -> None:
    await see(store, 0, "cart", "shop")
    first = await views.of("prod", now=NOW)
    await see(store, 1, "shop", version="2.0")
    with reads() as seen:
        second = await views.of("prod", now=NOW)
    assert second["cart"] is first["cart"]
    assert (version(first["shop"]), version(second["shop"])) == ("1.0", "2.0")
    assert seen.count("fact") == 1


async def test_what_was_only_seen_again_says_so_without_its_facts_being_read(
    store: Store, views: Views
) -> None:
    await see(store, 0, "cart")
    first = (await views.of("prod", now=NOW))["cart"]
    for flushed in (False, True):
        await see(store, 1, "cart")
        if flushed:
            await store.flush()
        with reads() as seen:
            again = (await views.of("prod", now=NOW))["cart"]
        place = Place("main", "dependencies", "pkg:pypi/package-0")
        assert (first.sides[place].observed_at, again.sides[place].observed_at) == (MONDAY, minute(1))
        assert "fact" not in seen


async def test_an_order_of_arrival_that_changes_the_present_is_seen(store: Store, views: Views) -> None:
    await see(store, 0, "cart")
    await see(store, 5, "cart", version="2.0")
    assert version((await views.of("prod", now=NOW))["cart"]) == "2.0"
    await see(store, 3, "cart", version="3.0")  # late: it changes the past alone
    assert version((await views.of("prod", now=NOW))["cart"]) == "2.0"
    await see(store, 5, "cart", version="4.0")  # the same moment, and one of the two counts
    (stream,) = await store.streams()
    assert (
        version((await views.of("prod", now=NOW))["cart"])
        == (stream.sections["dependencies"].facts["pkg:pypi/package-0"])
    )


async def test_what_went_and_came_back_has_the_number_of_its_last_change(store: Store, views: Views) -> None:
    await see(store, 0, "cart")
    await views.of("prod", now=NOW)
    await see(store, 1, "cart", version="2.0")
    await see(store, 2, "cart")
    (look,) = (await views.of("prod", now=NOW))["cart"].looks["main", "dependencies"]
    assert look.stream.changed_seq == 3  # what its history is kept by


async def test_what_grew_stale_is_not_taken_from_memory(store: Store, views: Views) -> None:
    await see(store, 0, "cart")
    until = MONDAY + timedelta(days=60)
    fresh = (await views.of("prod", now=until))["cart"]
    assert fresh.sides[Place("main", "dependencies", "pkg:pypi/package-0")].present
    with reads() as seen:
        stale = (await views.of("prod", now=until + timedelta(seconds=1)))["cart"]
    assert stale.sides[Place("main", "dependencies", "pkg:pypi/package-0")].unknown == "stale"
    assert "fact" not in seen


async def test_new_rules_of_trust_make_new_views_of_the_same_facts(store: Store) -> None:
    known = [POLICY]
    views = Views(store, lambda: known[0])
    await see(store, 0, "cart")
    first = (await views.of("prod", now=NOW))["cart"]
    source = replace(SOURCE, valid=timedelta(minutes=5))
    known[0] = replace(POLICY, services={"cart": Service(name="cart", sources={"prod": (source,)})})
    with reads() as seen:
        second = (await views.of("prod", now=NOW))["cart"]
    assert not first.unknown
    assert second.unknown
    assert "fact" not in seen


async def test_a_reader_beside_the_owner_looks_every_time(store: Store, url: str) -> None:
    await see(store, 0, "cart")
    beside = await open_store(url, read_only=True)
    views = Views(beside, lambda: POLICY)
    assert version((await views.of("prod", now=NOW))["cart"]) == "1.0"
    await see(store, 1, "cart", version="2.0")
    assert version((await views.of("prod", now=NOW))["cart"]) == "2.0"
    await beside.close()


async def test_a_renamed_service_is_not_found_under_its_former_name(store: Store, views: Views) -> None:
    await see(store, 0, "orders")
    assert list(await views.of("prod", now=NOW)) == ["orders"]
    await store.rename({"orders": "cart"})
    assert list(await views.of("prod", now=NOW)) == ["cart"]


async def test_views_that_leave_memory_are_read_when_they_are_asked_for_again(store: Store) -> None:
    services = [f"service-{number}" for number in range(6)]
    await see(store, 0, *services)
    views = Views(store, lambda: POLICY, bound=3 * (2048 + 3 * 128))
    for _ in range(2):
        found = await views.of("prod", now=NOW)
        assert list(found) == services
        assert len(views.kept) == 3
    with reads() as seen:
        await views.of("prod", now=NOW, services=services[-1:])
    assert "fact" not in seen
    with reads() as seen:
        assert list(await views.of("prod", now=NOW, services=services[:1])) == services[:1]
    assert "fact" in seen


async def test_no_environment_holds_views_that_had_to_leave(store: Store) -> None:
    await see(store, 0, "cart", "shop")
    await see(store, 0, "cart", "search", "shop", environment="staging")
    policy = replace(POLICY, environments={name: Environment(name=name) for name in ("staging", "prod")})
    views = Views(store, lambda: policy, bound=3 * (2048 + 3 * 128))
    await views.of("prod", now=NOW)
    await views.of("staging", now=NOW)
    with reads() as seen:
        assert list(await views.of("prod", now=NOW)) == ["cart", "shop"]
    assert "fact" in seen
