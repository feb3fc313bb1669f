"""The way of releases through the environments, out of a real store."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from detector.assembly import Reading, reading
from detector.config.load import load
from detector.errors import NotFoundError, UsageError
from detector.model.facts import Observation, Section
from tests.queries.scripted_month import CONFIG, write

END = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Parity that watched for a month and stopped."""
    import asyncio

    folder = tmp_path_factory.mktemp("month")
    asyncio.run(write(folder, end=END))
    return folder


@pytest.fixture
async def kept(month: Path) -> AsyncIterator[Reading]:
    """The month as another process finds it: nothing is left of it but what was stored."""
    async with reading(load(month / "parity.yml", {})) as here:
        yield here


async def hops(kept: Reading, **asked: Any) -> dict[str, dict[str, Any]]:
    document = await kept.promotions.promotion(now=END, **asked)
    return {
        f"{way['service']} {hop['left']}..{hop['right']}": hop
        for way in document["items"]
        for hop in way["hops"]
    }


async def test_a_month_of_releases_is_told_as_it_was_planned(kept: Reading) -> None:
    found = await hops(kept, back=timedelta(days=30))
    assert list(found) == [
        "checkout dev..staging",
        "checkout staging..prod-eu",
        "checkout staging..prod-us",
        "search staging..prod-eu",
    ]
    first, europe, america, search = found.values()
    # Eight of nine releases, half a day each; 1.4.0 went to production inside 1.5.0 and never to staging.
    assert (first["arrived"], first["overtaken"], first["waiting"]) == (8, 1, None)
    assert (first["median_seconds"], first["p90_seconds"]) == (12 * HOUR, 12 * HOUR)
    # 1.2.0 after half a day, 1.3.0 after 4.5, 1.5.0 after 2.5, 1.8.0 after 3.5.
    assert (europe["arrived"], europe["overtaken"], europe["rolled_back"]) == (4, 3, 1)
    assert europe["median_seconds"] == 3 * DAY
    assert europe["p90_seconds"] == pytest.approx(4.2 * DAY)
    assert europe["waiting"] == {
        "version": "1.9.0",
        "versions": 1,
        "since": "2026-11-20T00:00:00Z",
        "seconds": 2.5 * DAY,
        "exact": True,
        "taken_back": False,
    }
    # The mended 1.3.1 never was in staging; 1.6.0 to 1.9.0 wait, the oldest since the eleventh.
    assert (america["arrived"], america["direct"], america["overtaken"]) == (3, 1, 1)
    assert (america["waiting"]["versions"], america["waiting"]["seconds"]) == (4, 11.5 * DAY)
    # 3.1 was taken back in staging after a day: nothing waits for it.
    assert (search["arrived"], search["withdrawn"], search["median_seconds"]) == (0, 1, None)
    assert (search["waiting"]["version"], search["waiting"]["seconds"]) == ("3.2", 6 * DAY)


async def test_only_the_last_week_counts_when_it_is_asked_for(kept: Reading) -> None:
    found = (await hops(kept, service="checkout", back=timedelta(days=7)))["checkout staging..prod-eu"]
    assert (found["arrived"], found["rolled_back"]) == (1, 0)


async def test_it_can_be_asked_as_of_a_day(kept: Reading) -> None:
    """On the nineteenth day 1.5.0 had just been taken back from Europe."""
    then = END - timedelta(days=30 - 19.25)
    document = await kept.promotions.promotion(now=then, service="checkout")
    hop = next(one for one in document["items"][0]["hops"] if one["right"] == "prod-eu")
    assert hop["rolled_back"] == 1
    assert (hop["waiting"]["version"], hop["waiting"]["taken_back"]) == ("1.6.0", True)
    assert hop["waiting"]["seconds"] == 0.75 * DAY


async def test_every_version_says_when_each_environment_had_it(kept: Reading) -> None:
    document = await kept.promotions.promotion(now=END, service="checkout")
    by_version = {row["version"]: row for row in document["items"][0]["versions"]}
    assert list(by_version)[:2] == ["1.9.0", "1.8.0"]
    assert by_version["1.7.0"]["hops"]["staging..prod-eu"] == {
        "outcome": "overtaken",
        "lead_seconds": pytest.approx(6.5 * DAY),
        "by": "1.8.0",
    }
    assert not by_version["1.0.0"]["first_seen"]["dev"]["exact"]
    assert by_version["1.8.0"]["first_seen"]["prod-eu"]["current"]


async def test_one_item_is_followed_wherever_it_is(kept: Reading) -> None:
    document = await kept.promotions.promotion(now=END, item="image#tag")
    assert [(way["service"], way["section"]) for way in document["items"]] == [
        ("checkout", "release"),
        ("search", "release"),
    ]
    assert await kept.promotions.promotion(now=END, item="Tag") == document  # as people say it


async def test_an_item_that_nobody_knows_is_refused_with_what_may_be_meant(kept: Reading) -> None:
    with pytest.raises(NotFoundError, match=r"no item image#tga was ever seen \(did you mean image#tag\?\)"):
        await kept.promotions.promotion(now=END, item="image#tga")
    with pytest.raises(NotFoundError, match=r"no item pkg:pypi/nothing of checkout was ever seen \(known: "):
        await kept.promotions.promotion(now=END, item="pkg:pypi/nothing", service="checkout")


async def test_a_name_of_several_items_is_refused_with_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "parity.yml").write_text(CONFIG)
    facts = {"pkg:pypi/redis": "6.4.0", "pkg:npm/redis": "5.8.0"}
    async with reading(load(tmp_path / "parity.yml", {}), read_only=False) as here:
        for service in ("checkout", "search"):
            seen = Observation(
                environment="staging",
                service=service,
                source="ci",
                observed_at=END,
                sections={"dependencies": Section(basis="running", facts=facts)},
            )
            await here.store.record(seen, received_at=END, scheduled=True)
            facts = {"pkg:pypi/redis": "6.4.0"}
        with pytest.raises(UsageError, match="redis means 2 items: pkg:npm/redis, pkg:pypi/redis; name one"):
            await here.promotions.promotion(now=END, item="redis")
        found = await here.promotions.promotion(now=END, item="redis", service="search")
    assert [way["item"] for way in found["items"]] == ["pkg:pypi/redis"]


async def test_a_service_that_nobody_knows_is_refused_with_the_known_ones(kept: Reading) -> None:
    with pytest.raises(NotFoundError, match=r"no service chekout .*checkout"):
        await kept.promotions.promotion(now=END, service="chekout")


def test_the_month_can_be_looked_at_by_hand() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.queries.scripted_month"],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "$ parity promotion --since 30d"
    assert "checkout  staging → prod-us  3        5d      5d   1          0     1.9.0 +3 11d" in lines
    assert any(line.startswith("1.7.0 ") and line.endswith("in 1.8.0  waiting") for line in lines)
    assert all(len(line) <= 80 for line in lines)
    assert "longest checkout 1.9.0 for prod-us: 11d" in done.stderr
