import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest

import detector.store.register_tables  # noqa: F401 - its tables belong to the metadata
from detector.store.store import Store, open_store
from detector.store.tables import metadata
from tests.servers.postgres import Postgres, Postgres15

NewUrl = Callable[[], str]


async def make(url: str) -> None:
    await (await open_store(url)).close()


# --- SQLite -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with nothing in it: copying one is faster than making one."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    asyncio.run(make(f"sqlite:///{path}"))
    return path


@pytest.fixture
def new_sqlite_url(empty_database: Path, tmp_path: Path) -> NewUrl:
    """Gives URLs of empty databases."""
    count = 0

    def new() -> str:
        nonlocal count
        count += 1
        path = tmp_path / f"parity-{count}.db"
        shutil.copy(empty_database, path)
        return f"sqlite:///{path}"

    return new


@pytest.fixture
def sqlite_url(new_sqlite_url: NewUrl) -> str:
    return new_sqlite_url()


# --- PostgreSQL ---------------------------------------------------------------------------------------


def database_url(server: Postgres, name: str) -> str:
    return f"{server.dsn.rpartition('/')[0]}/{name}"


def fresh_database(server: Postgres, name: str = "parity") -> str:
    """Make an empty database, or empty the one of this name: that is much faster than making another."""
    url = database_url(server, name)
    rows = "; ".join(f'DELETE FROM "{table.name}"' for table in reversed(metadata.sorted_tables))
    others = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"

    async def fresh() -> None:
        if await server.fetch(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            await server.execute(others)
            connection = await asyncpg.connect(url)
            await connection.execute(rows)
            await connection.close()
        else:
            await server.execute(f"CREATE DATABASE {name}")
            await make(url)

    asyncio.run(fresh())
    return url


@pytest.fixture
def new_postgres_url(postgres15: Postgres15) -> NewUrl:
    """Gives the URL of one database, empty each time."""
    return lambda: fresh_database(postgres15)


@pytest.fixture
def postgres_url(new_postgres_url: NewUrl) -> str:
    return new_postgres_url()


# --- both ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """Of an empty database. What a test says of a store holds on each of them."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = await open_store(url)
    yield store
    await store.close()
