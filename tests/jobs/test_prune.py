"""Retention by itself: once a day, by the configuration, and not on a day when the clock jumped."""

from datetime import timedelta
from typing import Any

import pytest

from detector.config.models import Retention
from detector.jobs.prune import Prune
from detector.store.store import Store
from tests.store.seen import MONDAY
from tests.store.test_pruning import TODAY, grow

HISTORY = timedelta(days=40)


class Clocks:
    """One that may jump and one that cannot."""

    def __init__(self) -> None:
        self.wall, self.ticks = TODAY, 1000.0

    def pass_(self, time: timedelta) -> None:
        self.wall += time
        self.ticks += time.total_seconds()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def job(store: Any, clocks: Clocks) -> Prune:
    kept = Retention(history=HISTORY, messages=HISTORY)
    return Prune(store, lambda: kept, clock=lambda: clocks.ticks, now=clocks.wall)


async def test_a_day_drops_what_has_become_due(store: Store, clocks: Clocks) -> None:
    await grow(store)
    prune = job(store, clocks)
    clocks.pass_(timedelta(days=1))
    done = await prune.run(clocks.wall)
    assert done is not None
    assert done.rows["fact_past"] > 100
    assert done.history_before == clocks.wall - HISTORY


@pytest.mark.parametrize("jump", [timedelta(days=365), timedelta(hours=2), timedelta(days=-1)])
async def test_a_day_on_which_the_clock_jumped_drops_nothing(
    store: Store, clocks: Clocks, jump: timedelta
) -> None:
    await grow(store)
    prune = job(store, clocks)
    clocks.pass_(timedelta(days=1))
    clocks.wall += jump
    assert await prune.run(clocks.wall) is None
    assert (await store.streams(as_of=MONDAY + timedelta(days=20)))[0].sections
    # It stays where it is: from then on it is believed.
    clocks.pass_(timedelta(days=1))
    assert await prune.run(clocks.wall) is not None


async def test_a_clock_that_is_set_right_by_minutes_is_trusted(store: Store, clocks: Clocks) -> None:
    prune = job(store, clocks)
    clocks.pass_(timedelta(days=1))
    clocks.wall += timedelta(minutes=50)
    assert await prune.run(clocks.wall) is not None
