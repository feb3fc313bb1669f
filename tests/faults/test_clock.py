"""A clock that jumps: nothing stands still, is said again or resolved by it."""

from functools import partial
from pathlib import Path

import pytest

from tests.faults.conftest import ShopOf
from tests.faults.shop import BASE, Shop

HOUR = 3600
STANDING = "pkg:npm/part-77777"


def set_clock(path: Path, seconds: int) -> None:
    new = path.with_suffix(".new")
    new.write_text(str(seconds))
    new.replace(path)


def has_noticed(shop: Shop, times: int) -> bool:
    """Whether the service noticed so often that its clock was set."""
    assert shop.service is not None
    count: int = sum(line["event"] == "clock was set" for line in shop.service.log)
    return count >= times


def says(shop: Shop, part: str) -> bool:
    return part in shop.standing()


@pytest.mark.parametrize("wrong", [-24 * HOUR, -HOUR, HOUR, 24 * HOUR, 365 * 24 * HOUR])
def test_a_jump_of_the_clock_repeats_nothing_and_stops_nothing(
    tmp_path: Path, shop_of: ShopOf, sqlite_url: str, wrong: int
) -> None:
    clock = tmp_path / "clock"
    set_clock(clock, 0)
    with shop_of(sqlite_url, clock=clock) as shop:
        shop.open_drift(STANDING.removeprefix("pkg:npm/"))
        (before,) = shop.register()
        for number, seconds in enumerate((wrong, 0)):
            set_clock(clock, seconds)
            assert shop.until(partial(has_noticed, shop, number + 1))
            # What happens now is judged and told as ever, in the message that stands.
            part = f"part-{number:05}"
            shop.push("prod", BASE | {STANDING: "2.0.0", f"pkg:npm/{part}": "2.0.0"})
            assert shop.until(partial(says, shop, part))
            assert before in shop.register()
        assert shop.posts() == 1
        assert shop.counts.wrong == []
