"""What happens to PostgreSQL under a running service: it says so, the process answers, and it recovers."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from tests.databases import database_url, make
from tests.faults.conftest import ShopOf
from tests.faults.load import Load
from tests.faults.losing import LosesAnswers
from tests.faults.shop import InThread, Shop
from tests.faults.test_files import REFUSED, goes_on, recovers, told
from tests.servers.postgres import Postgres15

Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres15]:
    """A server that no other test needs, with few connections."""
    with Postgres15(settings={"max_connections": "12"}) as server:
        yield server


@pytest.fixture
def own_url(own_postgres: Postgres15) -> str:
    url = database_url(own_postgres, "faults")

    async def fresh() -> None:
        await own_postgres.execute("DROP DATABASE IF EXISTS faults WITH (FORCE)")
        await own_postgres.execute("CREATE DATABASE faults")
        await make(url)

    asyncio.run(fresh())
    return url


# --- it stops, and comes back -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "times",
    [2, pytest.param(50, marks=[pytest.mark.proof, pytest.mark.timeout(1800)])],
)
def test_stopped_at_once_and_started_again_and_again(
    shop_of: ShopOf, own_postgres: Postgres15, own_url: str, times: int, record_property: Record
) -> None:
    with shop_of(own_url) as shop, Load(shop.port) as load:
        for _ in range(times):
            load.until_acknowledged()
            os.kill(own_postgres.pid, signal.SIGQUIT)  # as `pg_ctl stop --mode immediate` does
            own_postgres.stop()
            own_postgres.start()
        load.until_acknowledged()
        recovers(shop)
    wrong = load.wrong(own_url)
    record_property("stops", times)
    record_property("acknowledged", sum(load.acknowledged))
    record_property("lost", len(wrong))
    assert wrong == []
    assert set(load.answers) <= {200, 503, None}


# --- it is frozen -----------------------------------------------------------------------------------------


@contextmanager
def frozen(server: Postgres15) -> Iterator[None]:
    """Stop every process of a server where it stands; its port still takes connections."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    pids = [server.pid, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_frozen(shop_of: ShopOf, own_postgres: Postgres15, own_url: str) -> None:
    with shop_of(own_url) as shop:
        with frozen(own_postgres):
            # Long before any timeout of a statement: `told` would get no answer at all.
            assert told(shop.push_once("1.0.0")) == REFUSED
            assert told(shop.get("/readyz")) == REFUSED
            with Load(shop.port):  # pushes that wait leave the loop free
                assert {shop.get("/livez").status for _ in range(20)} == {200}
        recovers(shop)


# --- it refuses -------------------------------------------------------------------------------------------


def test_too_many_connections(shop_of: ShopOf, own_postgres: Postgres15, own_url: str) -> None:
    async def taken() -> None:
        async with AsyncExitStack() as stack:
            first = await asyncpg.connect(own_postgres.dsn)
            stack.push_async_callback(first.close)
            ((most,),) = await first.fetch("SELECT current_setting('max_connections')::int")
            ours = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'faults'"
            held = 1
            while held < most:
                # The service connects again meanwhile: whoever is faster.
                await first.fetch(ours)
                with suppress(asyncpg.TooManyConnectionsError):
                    stack.push_async_callback((await asyncpg.connect(own_postgres.dsn)).close)
                    held += 1
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(None, shop.push_once, "1.0.0")
            assert told(answer) == REFUSED
            assert shop.get("/livez").status == 200

    with shop_of(own_url) as shop:
        asyncio.run(taken())
        recovers(shop)


def test_read_only(shop_of: ShopOf, own_postgres: Postgres15, own_url: str) -> None:
    """As a standby is, or a primary whose disk is nearly full."""

    async def read_only(value: str) -> None:
        connection = await asyncpg.connect(
            own_postgres.dsn, server_settings={"default_transaction_read_only": "off"}
        )
        await connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()

    async def is_read_only(value: str) -> bool:
        return await own_postgres.fetch("SHOW default_transaction_read_only") == [(value,)]

    with shop_of(own_url) as shop, ExitStack() as stack:
        stack.callback(asyncio.run, read_only("off"))
        asyncio.run(read_only("on"))
        while not asyncio.run(is_read_only("on")):
            pass
        answer = shop.push_once("1.0.0")
        assert told(answer) == REFUSED
        assert "read only" in answer.document["detail"]
        goes_on(shop)
        stack.close()
        while not asyncio.run(is_read_only("off")):
            pass
        recovers(shop)


# --- it commits, and nobody hears of it -------------------------------------------------------------------


def walk_lost_answers(shop_of: ShopOf, server: Postgres15, url: str, most: int) -> tuple[int, Shop]:
    """Lose the answer to each commit of a cycle in turn, one in each cycle."""
    with InThread(LosesAnswers(server.port)) as proxy:
        through = url.replace(f":{server.port}/", f":{proxy.port}/")
        with shop_of(through) as shop:
            for at in range(1, most + 1):
                proxy.at = proxy.commits + at
                before = proxy.lost
                shop.cycle(at)
                if proxy.lost == before:
                    break
            shop.close_the_books()
        return proxy.lost, shop


@pytest.mark.parametrize("most", [4, pytest.param(50, marks=pytest.mark.proof)])
def test_a_commit_whose_answer_is_lost_is_never_doubled(
    shop_of: ShopOf, own_postgres: Postgres15, own_url: str, most: int, record_property: Record
) -> None:
    lost, shop = walk_lost_answers(shop_of, own_postgres, own_url, most)
    shop.counts.record(record_property)
    record_property("answers lost", lost)
    assert lost >= 4
    assert shop.counts.wrong == []
    assert (shop.counts.lost, shop.counts.lost_alerts) == (0, 0)
    assert shop.counts.most_duplicates <= 1
