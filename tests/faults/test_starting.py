"""Starts that meet another one, a foreign or newer database, or what an interrupted migration left."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text

from detector.store import schema
from detector.store.location import locate
from tests.databases import make
from tests.faults.conftest import ShopOf
from tests.faults.nursery import Forked, Nursery
from tests.faults.strace import Point, killed_at
from tests.faults.walk import SEED
from tests.servers.postgres import Postgres15
from tests.servers.process import LOOPBACK, free_port
from tests.store.test_migrations import _BEFORE, _downgraded

Record = Callable[[str, object], None]
_CONFIG = """\
version: 1
server: {{listen: "{listen}", database_url_file: database, data_dir: "{folder}", auth: none}}
environments: [{{name: staging, tier: staging}}, {{name: prod, tier: production}}]
services: [{{name: shop, sources: {{prod: [{{type: push, name: ci}}]}}}}]
"""


def configured(folder: Path, url: str) -> Path:
    """Make a folder with a configuration of its own, on a port of its own."""
    folder.mkdir(exist_ok=True)
    secret = folder / "database"
    secret.touch(mode=0o600)
    secret.write_text(url)
    config = folder / "parity.yml"
    config.write_text(_CONFIG.format(listen=f"{LOOPBACK}:{free_port()}", folder=folder))
    return config


@pytest.fixture
def command(tmp_path: Path, nursery: Nursery) -> Callable[..., Forked]:
    """Begins a command on a database."""
    numbers = count()

    def begun(url: str, *words: str, stopped: bool = False) -> Forked:
        folder = tmp_path / f"start-{next(numbers)}"
        return nursery.begin(configured(folder, url), folder / "output", words=words, stopped=stopped)

    return begun


def test_a_second_service_names_the_first(shop_of: ShopOf, command: Callable[..., Forked], url: str) -> None:
    with shop_of(url) as shop:
        assert shop.service is not None
        second = command(url, "serve")
        assert second.code() == 4
        assert f"in use by process {shop.service.pid}" in second.said
        assert shop.push_once("1.0.0").status == 200


@pytest.fixture(params=["sqlite", "postgres15"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of a database that nobody has started on."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new.db"
        return
    server: Postgres15 = request.getfixturevalue("postgres15")
    asyncio.run(server.execute("CREATE DATABASE untouched"))
    yield f"{server.dsn.rpartition('/')[0]}/untouched"
    asyncio.run(server.execute("DROP DATABASE untouched WITH (FORCE)"))


def test_of_five_that_start_at_once_one_serves(command: Callable[..., Forked], empty_url: str) -> None:
    five = [command(empty_url, "serve") for _ in range(5)]
    deadline = time.monotonic() + 60
    while sum(one.lives() for one in five) > 1:
        assert time.monotonic() < deadline, [one.said for one in five]
        time.sleep(0.02)
    (first,) = [one for one in five if one.lives()]
    first.until_ready()
    assert [one.code() for one in five if one is not first] == [4] * 4
    first.end()
    asyncio.run(make(empty_url))


# --- databases that are not ours to take -------------------------------------------------------------------


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE note (text TEXT)")


def corrupt(path: Path) -> None:
    """One page in the middle, of random bytes."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = Random(SEED).randbytes(4096)
    path.write_bytes(data)


def without_header(path: Path) -> None:
    path.write_bytes(bytes(100) + path.read_bytes()[100:])


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (newer, "install that version or a later one, or restore a backup"),
        (foreign, "give database_url another one"),
        (corrupt, "put a backup in its place"),
        (without_header, "put a backup in its place"),
    ],
)
def test_a_database_that_is_not_ours_to_take_ends_the_start_with_4(
    command: Callable[..., Forked], sqlite_url: str, change: Callable[[Path], None], remedy: str
) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    change(path)
    before = path.read_bytes()
    start = command(sqlite_url, "serve")
    assert start.code() == 4
    assert remedy in start.said
    assert path.read_bytes() == before


def test_a_log_cut_in_half_is_opened_where_it_is_whole(
    tmp_path: Path, shop_of: ShopOf, sqlite_url: str
) -> None:
    """As after a disk that lied: whole commits are lost from the end, never a half."""
    with shop_of(sqlite_url) as shop:
        assert shop.service is not None
        for number in range(5):
            shop.push_once(f"{number}.0.0")
        shop.service.kill()
        log = Path(f"{sqlite_url.removeprefix('sqlite:///')}-wal")
        log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
        shop.revive()
        assert shop.push_once("9.0.0").status == 200
        assert shop.counts.wrong == []


# --- a migration that is interrupted -----------------------------------------------------------------------


async def give_the_first_schema(url: str) -> None:
    """Empty a database and give it the first schema, with rows in it."""
    engine = locate(url).inspector()
    async with engine.begin() as connection:
        await connection.run_sync(_downgraded)
        for statement in _BEFORE:
            await connection.execute(text(statement))
    await engine.dispose()


async def found_in(url: str) -> tuple[str, int]:
    """Version of the schema, and how many streams it holds."""
    engine = locate(url).inspector()
    async with engine.begin() as connection:
        version = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
        streams = (await connection.execute(text("SELECT count(*) FROM stream"))).scalar_one()
    await engine.dispose()
    return version, streams


@pytest.mark.parametrize(
    "most",
    [
        pytest.param(4, id="few"),
        pytest.param(10_000, id="all", marks=[pytest.mark.proof, pytest.mark.timeout(1800)]),
    ],
)
def test_a_migration_that_is_killed_anywhere_has_not_begun_or_is_done(
    command: Callable[..., Forked], url: str, most: int, record_property: Record
) -> None:
    asyncio.run(give_the_first_schema(url))
    _, streams = asyncio.run(found_in(url))
    call = "pwrite64" if url.startswith("sqlite") else "sendto"
    numbers = (
        iter(range(1, most + 1))
        if most > 100
        else iter([1, *sorted(Random(SEED).sample(range(2, 60), most))])
    )
    points = 0
    for number in numbers:
        upgrade = command(url, "db", "upgrade", stopped=True)
        upgrade.until_stopped()
        with killed_at(upgrade.pid, Point(call, number)):
            upgrade.go_on()
            assert not upgrade.lives(30)
        version, left = asyncio.run(found_in(url))
        assert version in ("0001", schema.HEAD)
        assert left == streams
        points += not upgrade.said.strip().endswith('"code": 0}')
        if version == schema.HEAD:
            if most > 100 and '"code": 0}' in upgrade.said:
                break  # it came to its end before the point
            asyncio.run(give_the_first_schema(url))
    again = command(url, "db", "upgrade")
    assert again.code() == 0, again.said
    assert asyncio.run(found_in(url)) == (schema.HEAD, streams)
    record_property("points", points)
    assert points >= 3
