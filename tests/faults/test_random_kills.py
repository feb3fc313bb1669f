"""A service that is killed at any moment while many push: what was acknowledged is there, once."""

import time
from collections.abc import Callable
from random import Random

import pytest

from tests.faults.conftest import ShopOf
from tests.faults.load import Load
from tests.faults.walk import SEED

Record = Callable[[str, object], None]


def kill_at_random(shop_of: ShopOf, url: str, kills: int, mutation: str | None = None) -> Load:
    seeded = Random(SEED)
    with shop_of(url, mutation=mutation) as shop:
        assert shop.service is not None
        with Load(shop.port) as load:
            for _ in range(kills):
                load.until_acknowledged()
                time.sleep(seeded.uniform(0, 0.1))
                shop.service.kill()
                shop.revive()
            load.until_acknowledged()
        shop.service.end()
        assert mutation is not None or shop.counts.wrong == []
    return load


@pytest.mark.parametrize(
    "kills", [3, pytest.param(100, marks=[pytest.mark.proof, pytest.mark.timeout(1800)])]
)
def test_nothing_acknowledged_is_lost_by_a_kill_under_load(
    shop_of: ShopOf, url: str, kills: int, record_property: Record
) -> None:
    load = kill_at_random(shop_of, url, kills)
    wrong = load.wrong(url)
    record_property("kills", kills)
    record_property("acknowledged", sum(load.acknowledged))
    record_property("lost", len(wrong))
    assert wrong == []


def test_kills_find_an_acknowledgement_before_the_commit(shop_of: ShopOf, sqlite_url: str) -> None:
    load = kill_at_random(shop_of, sqlite_url, 3, mutation="ack before commit")
    assert load.wrong(sqlite_url) != []
