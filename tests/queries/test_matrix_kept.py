"""The matrix is put together once; after a change only the cells that it touches are judged again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from detector.config.policy import Policy
from detector.engine.comparison import ServiceVerdicts
from detector.engine.pack import PACK
from detector.engine.policy import Environment, Pair, Service, SourcePolicy
from detector.jobs.compare import Compare
from detector.model.deployments import Deployment
from detector.queries.comparison import Comparisons
from detector.queries.overview import Overview
from detector.queries.views import Views
from detector.store.store import Store, open_store
from tests.store.seen import MONDAY, minute, observed

NOW = minute(10)
NAMES = ("dev", "staging", "prod")
DEV, STAGING, PROD = (Environment(name=name, tier="staging") for name in NAMES)
POLICY = Policy(
    environments={one.name: one for one in (DEV, STAGING, PROD)},
    pairs=(Pair(left=DEV, right=STAGING), Pair(left=STAGING, right=PROD)),
    services={},
    rules=PACK,
)
SERVICES = ("cart", "checkout", "search")


class Running:
    """What answers the first page, with a record of what was judged for it."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.policy = POLICY
        self.store = store
        self.judged: list[tuple[str, str]] = []
        views = Views(store, lambda: self.policy)
        comparisons = Comparisons(store, views, lambda: self.policy)
        self.overview = Overview(
            store=store, views=views, comparisons=comparisons, policy=lambda: self.policy
        )
        self.compare = Compare(
            store, comparisons, views, lambda: self.policy, iter(map(str, range(10**26, 10**27))).__next__
        )
        keep = comparisons._verdicts.keep

        def noted(pair: Pair, evidence: Any, verdicts: ServiceVerdicts, *, now: datetime) -> None:
            self.judged.append((pair.name, verdicts.service))
            keep(pair, evidence, verdicts, now=now)

        monkeypatch.setattr(comparisons._verdicts, "keep", noted)

    async def see(
        self, at: float, version: str = "1.0", *, where: Any = NAMES, services: Any = SERVICES
    ) -> None:
        for service in services:
            for name in where:
                await self.store.record(
                    observed(at, {"pkg:pypi/django": version}, service=service, environment=name),
                    received_at=MONDAY + timedelta(days=1),
                    scheduled=True,
                )

    async def matrix(self, now: datetime = NOW) -> Mapping[str, Any]:
        self.judged.clear()
        return await self.overview.matrix(now=now)

    def worst(self, matrix: Mapping[str, Any]) -> dict[tuple[str, str], str | None]:
        return {
            (row["service"], pair): column["worst"]
            for row in matrix["rows"]
            for pair, column in row["comparisons"].items()
        }


@pytest.fixture
def running(store: Store, monkeypatch: pytest.MonkeyPatch) -> Running:
    return Running(store, monkeypatch)


async def test_what_did_not_move_is_not_judged_again(running: Running) -> None:
    await running.see(0)
    first = await running.matrix()
    assert len(running.judged) == 6
    again = await running.matrix(NOW + timedelta(seconds=5))
    assert running.judged == []
    assert again == {**first, "as_of": "2026-11-16T00:10:05Z"}


async def test_one_target_that_changed_is_judged_in_its_own_cells_alone(running: Running) -> None:
    await running.see(0)
    before = running.worst(await running.matrix())
    await running.see(1, "2.0", where=["prod"], services=["cart"])
    after = running.worst(await running.matrix())
    assert running.judged == [("staging..prod", "cart")]
    assert before.pop(("cart", "staging..prod")) is None
    assert after.pop(("cart", "staging..prod")) is not None
    assert after == before


async def test_what_was_seen_again_is_judged_again_for_its_new_time(running: Running) -> None:
    await running.see(0)
    await running.matrix()
    await running.see(1, where=["staging"], services=["search"])
    found = await running.matrix()
    assert sorted(running.judged) == [("dev..staging", "search"), ("staging..prod", "search")]
    (row,) = (row for row in found["rows"] if row["service"] == "search")
    assert row["cells"]["staging"]["observed_at"] == "2026-11-16T00:01:00Z"


async def test_the_register_is_asked_again_after_a_judgement(running: Running) -> None:
    await running.see(0)
    await running.see(1, "2.0", where=["prod"], services=["cart"])
    await running.matrix()
    await running.compare.judge("prod", "cart", now=NOW)
    found = await running.matrix()
    (row,) = (row for row in found["rows"] if row["service"] == "cart")
    assert running.judged == [("staging..prod", "cart")]  # its drift has a row now
    assert row["comparisons"]["staging..prod"]["worst_since"] is not None


async def test_a_deployment_and_new_rules_are_heard_at_once(running: Running) -> None:
    await running.see(0)
    await running.matrix()
    deployment = Deployment(environment="prod", service="cart", version="2.0", at=NOW, id="1")
    await running.store.announce(deployment)
    await running.matrix()
    assert running.judged == [("staging..prod", "cart")]
    running.policy = replace(POLICY, confirm_after=5)
    await running.matrix()
    assert len(running.judged) == 6


async def test_no_verdict_is_believed_for_longer_than_a_minute(running: Running) -> None:
    await running.see(0)
    await running.matrix()
    await running.matrix(NOW + timedelta(seconds=59))
    assert running.judged == []
    await running.matrix(NOW + timedelta(seconds=60))
    assert len(running.judged) == 6
    await running.matrix(NOW)  # a clock that went back is no reason to believe either
    assert len(running.judged) == 6


async def test_a_past_matrix_neither_takes_nor_leaves_anything(running: Running) -> None:
    await running.see(0)
    now = await running.matrix()
    await running.see(5, "2.0", where=["prod"], services=["cart"])
    await running.matrix()
    then = await running.overview.matrix(now=NOW, as_of=minute(4))
    assert running.worst(then) == running.worst(now)
    assert (await running.matrix()) != then
    assert running.judged == []


async def test_a_reader_beside_the_owner_looks_every_time(
    running: Running, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await running.see(0)
    beside = await open_store(url, read_only=True)
    other = Running(beside, monkeypatch)
    assert set(other.worst(await other.matrix()).values()) == {None}
    await running.see(1, "2.0", where=["prod"], services=["cart"])
    assert set(other.worst(await other.matrix()).values()) != {None}
    await beside.close()


async def test_two_environments_without_a_service_are_not_in_sync_about_it(running: Running) -> None:
    looked_by = SourcePolicy(environment="dev", service="db", source="compose")
    running.policy = replace(POLICY, services={"db": Service(name="db", sources={"dev": (looked_by,)})})
    await running.see(0)
    await running.see(0, where=["dev"], services=["db"])
    rows = {row["service"]: row["comparisons"].keys() for row in (await running.matrix())["rows"]}
    assert "staging..prod" not in rows.pop("db")
    assert all(pairs == {"dev..staging", "staging..prod"} for pairs in rows.values())
