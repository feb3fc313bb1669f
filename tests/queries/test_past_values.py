"""Histories are read once, and once more after a commit."""

from collections.abc import Collection
from typing import Any

import pytest

from detector.config.policy import Policy
from detector.engine.policy import Environment
from detector.engine.view import Place, View
from detector.queries.past_values import PastValues
from detector.queries.views import Views
from detector.store.store import Store
from tests.store.seen import RECEIVED, observed

DJANGO, FLASK = (Place("main", "dependencies", f"pkg:pypi/{name}") for name in ("django", "flask"))


class Reading:
    """A store that counts what is read of the past."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[list[str]] = []
        self.views = Views(
            store, lambda: Policy(environments={"prod": Environment(name="prod")}, pairs=(), services={})
        )

    async def values_of(self, environment: str, keys: Collection[Any]) -> Any:
        self.asked.append(sorted(key[3].rpartition("/")[2] for key in keys))
        return await self.store.values_of(environment, keys)

    async def see(self, at: float, version: str) -> None:
        await self.store.record(
            observed(at, {"pkg:pypi/django": version, "pkg:pypi/flask": "3.0"}),
            received_at=RECEIVED,
            scheduled=True,
        )

    async def view(self) -> View:
        return (await self.views.of("prod", now=RECEIVED))["checkout"]


@pytest.fixture
def reading(store: Store) -> Reading:
    return Reading(store)


async def values(past: PastValues, reading: Reading, *places: Place) -> dict[str, list[Any]]:
    found = await past.of(await reading.view(), "checkout", places)
    return {place.item.rpartition("/")[2]: [one.value for one in known] for place, known in found.items()}


async def test_what_was_read_is_not_read_again_until_a_commit(reading: Reading) -> None:
    past = PastValues(reading)  # type: ignore[arg-type]  # all that it asks a store for
    await reading.see(1, "4.2")
    for _ in range(2):
        assert await values(past, reading, DJANGO) == {"django": ["4.2"]}
    assert await values(past, reading, DJANGO, FLASK) == {"django": ["4.2"], "flask": ["3.0"]}
    assert reading.asked == [["django"], ["flask"]]
    await reading.see(2, "4.2")  # unchanged: nothing was committed
    assert await values(past, reading, DJANGO) == {"django": ["4.2"]}
    assert len(reading.asked) == 2
    await reading.see(5, "5.2")
    assert await values(past, reading, DJANGO) == {"django": ["4.2", "5.2"]}
    await reading.see(4, "5.0")  # a late one: it changes the past alone
    assert await values(past, reading, DJANGO) == {"django": ["4.2", "5.0", "5.2"]}
    assert len(reading.asked) == 4


async def test_what_has_no_past_is_not_asked_for_again_either(reading: Reading) -> None:
    past = PastValues(reading)  # type: ignore[arg-type]
    await reading.see(1, "4.2")
    nothing = Place("main", "dependencies", "pkg:pypi/none")
    for _ in range(2):
        assert await values(past, reading, nothing) == {}
    assert reading.asked == [["none"]]


async def test_what_was_used_least_recently_is_forgotten_first(reading: Reading) -> None:
    past = PastValues(reading, most=4)  # type: ignore[arg-type]
    view = View(environment="prod", service="any", looks={}, kinds={})
    for service in ("a", "b", "a", "c", "a", "b"):
        await past.of(view, service, [DJANGO, FLASK])
    assert len(reading.asked) == 4  # b was forgotten for c, and read again
