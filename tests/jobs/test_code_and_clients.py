"""From the code and from servers to the register: what is read, and what is older than its server."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from detector.config.policy import Policy
from detector.engine.policy import Environment, Pair, Service
from detector.jobs.compare import Compare
from detector.model.facts import Observation, Section
from detector.model.words import SectionName
from detector.queries.comparison import Comparisons
from detector.queries.missing import MissingKeys
from detector.queries.views import Views
from detector.store.store import Store
from tests.builders import keys, section

STAGING = Environment(name="staging", tier="staging")
PROD = Environment(name="prod", tier="production")
CLIENT = "pkg:deb/debian/postgresql-client-15"
AT = "billing/hooks.py:14"


class Bench:
    """The register, fed by pushes: each counts at once, and until it is replaced."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = datetime.now(UTC)
        self.policy = Policy(
            environments={"staging": STAGING, "prod": PROD},
            pairs=(Pair(left=STAGING, right=PROD),),
            services={
                "shop": Service(name="shop"),
                "shop-db": Service(name="shop-db", kind="backing_service", used_by=("shop",)),
            },
        )
        self.views = Views(store, lambda: self.policy)
        comparisons = Comparisons(store, self.views, lambda: self.policy)
        ids = iter(f"{number:026d}" for number in range(1, 1000))
        self.compare = Compare(store, comparisons, self.views, lambda: self.policy, lambda: next(ids))

    async def push(
        self, where: str, service: str, sections: Mapping[SectionName, Section], source: str = "ci"
    ) -> None:
        self.now += timedelta(seconds=1)
        observation = Observation(
            environment=where, service=service, source=source, observed_at=self.now, sections=sections
        )
        await self.store.record(observation, received_at=self.now, scheduled=False)
        await self.compare.judge(where, service, now=self.now)

    async def states(self) -> dict[tuple[str, str, str], str]:
        rows = await self.store.register()
        return {(row.comparison, row.key.item, row.key.kind): row.state for row in rows}


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def config(**values: str) -> Any:
    return {"config": section(keys(values))}


def code(status: Any = "complete", **reads: bool) -> Any:
    places = {key: [{"at": AT, "default": default}] for key, default in reads.items()}
    unseen = [] if status == "complete" else [("reads#computed", "not_in_view")]
    read = section(basis="declared", status=status, covers=(), sees=(), unseen=unseen, reads=places)
    return {"config": read}


async def test_a_key_that_nobody_sets_opens_and_resolves_with_the_key_or_with_the_code(bench: Bench) -> None:
    for where in ("staging", "prod"):
        await bench.push(where, "shop", config(A="x"), "env")
    await bench.push("staging", "shop", code(A=True, NEW_KEY=False), "reads")
    row = ("staging..prod", "NEW_KEY", "read_but_unset")
    assert await bench.states() == {row: "open"}
    # A look that understood only a part of the code says nothing of what it did not find.
    await bench.push("staging", "shop", code("partial", A=True), "reads")
    assert await bench.states() == {row: "open"}
    await bench.push("staging", "shop", code(A=True), "reads")
    assert await bench.states() == {row: "resolved"}
    await bench.push("staging", "shop", code(A=True, NEW_KEY=False), "reads")
    assert await bench.states() == {row: "open"}
    for where in ("staging", "prod"):
        await bench.push(where, "shop", config(A="x", NEW_KEY="y"), "env")
    assert set((await bench.states()).values()) == {"resolved"}


async def test_what_prod_lacks_of_the_code_that_staging_tells_of(bench: Bench) -> None:
    await bench.push("prod", "shop", config(A="x"), "env")
    await bench.push("staging", "shop", code(A=False, NEW_KEY=False, LEVEL=True), "reads")
    found = await MissingKeys(bench.views, lambda: bench.policy).of("prod", now=bench.now)
    assert [(one.key, one.need, one.where) for one in found.keys] == [
        ("NEW_KEY", "yes", f"read at {AT}, no default"),
        ("LEVEL", "no", f"read at {AT}, with a default"),
    ]
    assert (found.complete, found.code_of) == (True, {"shop": "staging"})


async def test_a_server_that_is_upgraded_leaves_the_client_of_its_user_behind(bench: Bench) -> None:
    def server(version: str) -> Any:
        return {"backing_services": section({"main#product": "postgresql", "main#version": version})}

    await bench.push("staging", "shop", {"dependencies": section({CLIENT: "15.8-0+deb12u1"})})
    await bench.push("staging", "shop-db", server("15.8"))
    row = ("staging", CLIENT, "client_skew")
    assert row not in await bench.states()
    await bench.push("staging", "shop-db", server("16.3"))
    assert (await bench.states())[row] == "open"
    await bench.push("staging", "shop-db", server("15.8"))
    assert (await bench.states())[row] == "resolved"
