"""A discovery: what it finds, what it lost, and under which names that is kept."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from detector.config.records import Source
from detector.config.sources import Discover, ServiceFrom
from detector.engine.policy import Service
from detector.errors import NotThereError, UnseenError
from detector.jobs.collect import Collect
from detector.jobs.look import Host, Look
from detector.model.expressions import Now
from detector.store.store import Store
from tests.jobs.sources import Scripted, answering, raising, seen, source
from tests.jobs.test_watch import Bench

DJANGO = {"pkg:pypi/django": "5.2.8"}


def discovery(environment: str = "prod", **more: Any) -> Source:
    names: Mapping[str, str] = more.pop("names", {})
    claimed = more.pop("claimed", frozenset())
    discover = Discover(type="scripted", environment=environment, **more)
    return replace(source(environment, None), discover=discover, names=names, claimed=claimed)


async def facts(store: Store) -> dict[str, tuple[str, Any]]:
    return {
        one.service: (one.sections["dependencies"].status, dict(one.sections["dependencies"].facts))
        for one in await store.streams()
    }


async def test_what_a_whole_look_does_not_find_any_more_is_gone(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    scripted.answer = answering(seen(DJANGO, service="checkout"), seen(DJANGO, service="search"))
    await Collect(store, a_host).run(discovery())
    scripted.answer = answering(seen(DJANGO, service="checkout"))
    collect = Collect(store, a_host)  # a process that was started in between, and remembers nothing
    ran = await collect.run(discovery())
    assert ran.result is None
    assert await facts(store) == {"checkout": ("complete", DJANGO), "search": ("complete", {})}
    # Each look says so again: that confirms it, and keeps it fresh.
    again = await collect.run(discovery())
    assert [service for service, _ in again.observed] == ["checkout", "search"]


async def test_what_half_a_look_does_not_find_is_unseen(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    """One service of a cluster may not be described: it alone is blind."""
    both = (seen(DJANGO, service="checkout"), seen(DJANGO, service="search"))
    collect = Collect(store, a_host)
    scripted.answer = answering(*both)
    await collect.run(discovery())
    scripted.answer = answering(both[0], complete=False)
    await collect.run(discovery())
    assert await facts(store) == {"checkout": ("complete", DJANGO), "search": ("failed", DJANGO)}
    assert not next(iter(await store.sources())).whole
    scripted.answer = answering(*both)
    await collect.run(discovery())
    assert (await facts(store))["search"] == ("complete", DJANGO)
    assert next(iter(await store.sources())).whole


async def test_what_is_gone_is_not_missed_by_a_look_that_fails(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    collect = Collect(store, a_host)
    scripted.answer = answering(seen(DJANGO, service="checkout"), seen(DJANGO, service="search"))
    await collect.run(discovery())
    scripted.answer = answering(seen(DJANGO, service="checkout"))
    await collect.run(discovery())
    scripted.answer = raising(UnseenError("denied", "no right to list"))
    await collect.run(discovery())
    assert await facts(store) == {"checkout": ("failed", DJANGO), "search": ("complete", {})}


async def test_a_source_of_one_service_that_finds_none_of_it_tells_gone_from_never_seen(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    collect = Collect(store, a_host)
    scripted.answer = raising(NotThereError("no active service checkout in cluster prod"))
    assert (await collect.run(source())).result == "not_in_view"
    scripted.answer = answering(seen(DJANGO))
    await collect.run(source())
    scripted.answer = raising(NotThereError("no active service checkout in cluster prod"))
    assert (await collect.run(source())).result is None
    assert await facts(store) == {"checkout": ("complete", {})}


async def test_what_is_found_is_kept_under_the_name_that_it_has(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    found = ("orders-api", "search-prod", "prod-web", "pr-12-prod", "configured")
    scripted.answer = answering(*(seen(DJANGO, service=name) for name in found))
    named = discovery(
        names={"orders-api": "orders"},
        claimed=frozenset({"configured"}),
        service_from=ServiceFrom(strip=("-prod", "prod-")),
        ephemeral=("pr-*",),
    )
    looked = await Look(a_host).look(named)
    assert [one.service for one in looked.observations] == ["orders", "search", "web", "pr-12-prod"]


async def test_a_source_of_the_same_name_keeps_what_is_its_own(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    scripted.answer = answering(seen(DJANGO))
    await Collect(store, a_host).run(source("prod", "checkout"))
    scripted.answer = answering()
    await Collect(store, a_host).run(discovery(claimed=frozenset({"checkout"})))
    assert await facts(store) == {"checkout": ("complete", DJANGO)}


# -- what that does to verdicts ---------------------------------------------------------------------------


@pytest.fixture
async def bench(store: Store, a_host: Host, scripted: type[Scripted]) -> Bench:
    bench = Bench(store, a_host, scripted)
    trusted = bench.policy.services["checkout"].sources
    bench.policy = replace(bench.policy, services={}, discoveries=trusted)
    return bench


async def test_w34_a_service_that_a_discovery_lost_is_one_drift_until_it_is_back(
    bench: Bench, scripted: type[Scripted]
) -> None:
    """Two environments, each seen by a discovery; production loses a service, and gets it back."""

    async def look(staging: tuple[str, ...], prod: tuple[str, ...]) -> None:
        for name, services in (("staging", staging), ("prod", prod)):
            scripted.answer = answering(*(seen(DJANGO, service=one) for one in services))
            await bench.watch.run(discovery(name))

    both = ("checkout", "search")
    for _ in range(2):
        await look(both, both)
    await look(both, ("checkout",))
    assert [(row.key.kind, row.state) for row in await bench.rows()] == [("service_gone", "pending")]
    await look(both, ("checkout",))
    (row,) = await bench.rows()
    assert (row.state, row.severity, row.key.service) == ("open", "high", "search")
    assert await bench.owed() == ["opened"]
    for _ in range(2):
        await look(both, both)
    assert (await bench.rows())[0].state == "resolved"


async def test_w33_what_a_whole_look_never_found_is_not_deployed_there(
    bench: Bench, scripted: type[Scripted]
) -> None:
    """Development runs one of two services, and a discovery sees all that there is."""
    for name, services in (("staging", ("checkout",)), ("prod", ("checkout", "search"))):
        scripted.answer = answering(*(seen(DJANGO, service=one) for one in services))
        await bench.watch.run(discovery(name))
    sides = Now(environment="staging"), Now(environment="prod")
    found = await bench.comparisons.compare(*sides, now=datetime.now(UTC))
    assert found.unmatched == ()
    assert found.complete
    # Without the discovery nobody can know: it is one entry, and no drift for each of its facts.
    bench.policy = replace(bench.policy, discoveries={}, services={"search": Service(name="search")})
    found = await bench.comparisons.compare(*sides, now=datetime.now(UTC))
    assert [(one.environment, one.service) for one in found.unmatched] == [("prod", "search")]
    assert [one.key.service for one in found.items] == []
    # Where the file says so there is nothing to ask.
    only = Service(name="search", only_in=("prod",))
    bench.policy = replace(bench.policy, services={"search": only})
    assert (await bench.comparisons.compare(*sides, now=datetime.now(UTC))).unmatched == ()


async def test_a_rename_in_the_file_takes_drifts_along_and_opens_none(
    bench: Bench, scripted: type[Scripted]
) -> None:
    async def look(service: str) -> None:
        for name, version in (("staging", "4.2.26"), ("prod", "5.2.8")):
            scripted.answer = answering(seen({"pkg:pypi/django": version}, service=service))
            await bench.watch.run(discovery(name))

    for _ in range(2):
        await look("orders")
    (before,) = await bench.rows()
    assert before.state == "open"
    bench.policy = replace(
        bench.policy, services={"checkout": Service(name="checkout")}, names={"orders": "checkout"}
    )
    await bench.watch.resume()  # as every start does, and every reload
    await look("checkout")
    (after,) = await bench.rows()
    assert (after.id, after.opened_at, after.state) == (before.id, before.opened_at, "open")
    assert after.key.service == "checkout"


async def test_without_was_a_rename_is_a_service_gone_from_nowhere_and_a_new_drift(
    bench: Bench, scripted: type[Scripted]
) -> None:
    for service in ("orders", "checkout"):
        for name, version in (("staging", "4.2.26"), ("prod", "5.2.8")):
            scripted.answer = answering(seen({"pkg:pypi/django": version}, service=service))
            await bench.watch.run(discovery(name))
    rows = {(row.key.service, row.key.kind): row.state for row in await bench.rows()}
    assert rows["checkout", "difference"] == "pending"
    assert rows["orders", "difference"] != "open"
