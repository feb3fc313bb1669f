"""Databases for the tests: one suite holds on SQLite, on PostgreSQL 15 and on PostgreSQL 18.

A test that asks for `url` or `store` runs on each of the three, with nothing in them. Servers are started
once for a test run; a database is emptied between tests, which is much faster than making another.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

import detector.store.register_tables  # noqa: F401 - its tables belong to the metadata
from detector.store.store import Store, open_store
from detector.store.tables import metadata
from tests.servers.postgres import Postgres

NewUrl = Callable[[], str]
Emptied = Callable[[Postgres], str]

#: Fixtures of `tests.servers`.
SERVERS: Final = ("postgres15", "postgres18")
_NAME: Final = "parity"
_OTHERS: Final = f"pg_stat_activity WHERE datname = '{_NAME}' AND pid <> pg_backend_pid()"
_EMPTY: Final = "; ".join(
    [
        f"SELECT pg_terminate_backend(pid, 5000) FROM {_OTHERS}",
        *(f'DELETE FROM "{table.name}"' for table in reversed(metadata.sorted_tables)),
    ]
)


async def make(url: str) -> None:
    await (await open_store(url)).close()


def database_url(server: Postgres, name: str) -> str:
    return f"{server.dsn.rpartition('/')[0]}/{name}"


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


@pytest.fixture(scope="session")
def emptied() -> Iterator[Emptied]:
    """Gives the URL of the one database of a server, empty each time."""
    open_ones: dict[str, Any] = {}

    async def opened(server: Postgres, url: str) -> Any:
        if not await server.fetch(f"SELECT 1 FROM pg_database WHERE datname = '{_NAME}'"):
            await server.execute(f"CREATE DATABASE {_NAME}")
            await make(url)
        return await asyncpg.connect(url)

    async def empty(server: Postgres) -> str:
        url = database_url(server, _NAME)
        try:
            # Kept open from test to test: to log in costs more than to empty.
            await open_ones[server.dsn].execute(_EMPTY)
        except (KeyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            # The first time, or the last test ended every session.
            open_ones[server.dsn] = await opened(server, url)
            await open_ones[server.dsn].execute(_EMPTY)
        return url

    with asyncio.Runner() as runner:
        yield lambda server: runner.run(empty(server))
        for connection in open_ones.values():
            runner.run(connection.close(timeout=1))


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Postgres:
    """Each server of PostgreSQL."""
    found: Postgres = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def new_postgres_url(server: Postgres, emptied: Emptied) -> NewUrl:
    """Gives the URL of one database, empty each time."""
    return lambda: emptied(server)


# --- all ----------------------------------------------------------------------------------------------


def new_url_of(kind: str, request: pytest.FixtureRequest) -> NewUrl:
    """Return what gives URLs of empty databases of a kind; on PostgreSQL of the same one."""
    if kind == "sqlite":
        new: NewUrl = request.getfixturevalue("new_sqlite_url")
        return new
    server: Postgres = request.getfixturevalue(kind)
    emptied: Emptied = request.getfixturevalue("emptied")
    return lambda: emptied(server)


@pytest.fixture(params=["sqlite", *SERVERS])
def new_url(request: pytest.FixtureRequest) -> NewUrl:
    return new_url_of(request.param, request)


@pytest.fixture
def url(new_url: NewUrl) -> str:
    """Of an empty database. What a test says of a store holds on each of them."""
    return new_url()


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = await open_store(url)
    yield store
    await store.close()
