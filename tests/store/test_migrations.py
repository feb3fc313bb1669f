"""Migrations: a database of the first schema, with data in it, becomes one of today and keeps everything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.store import schema
from detector.store.location import Location, locate
from detector.store.store import open_store
from tests.store.seen import RECEIVED, observed, packages

#: As the first schema said it, for both databases.
_STREAM: Final = "INSERT INTO stream (id, environment, service, component, source, component_kind, traffic)"
_SNAPSHOT: Final = "INSERT INTO snapshot (seq, environment, number, stream, at, received_at"
_BEFORE: Final = (
    "INSERT INTO environment (id, name) VALUES (7, 'prod')",
    "INSERT INTO service (id, name) VALUES (3, 'checkout')",
    f"{_STREAM} VALUES (11, 7, 3, 'main', 'ecs', 'process', 'live')",
    f"{_STREAM} VALUES (12, 7, 3, 'green', 'ecs', 'process', 'idle')",
    f"{_SNAPSHOT}, added, removed, changed, backdated) VALUES (1, 7, 1, 11, 1, 1, 0, 0, 0, FALSE)",
)


@pytest.fixture
async def first_schema(url: str) -> Location:
    """A database as the first release left it, with two streams and a snapshot."""
    location = locate(url)
    async with _connected(location) as connection:
        await connection.run_sync(_downgraded)
        for statement in _BEFORE:
            await connection.execute(text(statement))
    return location


@asynccontextmanager
async def _connected(location: Location) -> AsyncIterator[AsyncConnection]:
    engine = location.inspector()
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


def _downgraded(connection: Connection, revision: str = "0001") -> None:
    """Empty a database of today and give it an earlier schema."""
    there = MetaData()
    there.reflect(connection)
    there.drop_all(connection)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(schema._MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, revision)


async def _rows(connection: AsyncConnection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.execute(text(query))]


REVISIONS: Final = [path.name[:4] for path in sorted((schema._MIGRATIONS / "versions").glob("0*.py"))]


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_row_of_every_table_of_every_schema_is_kept(url: str, revision: str) -> None:
    """Expand only: what an earlier version wrote is there for this one, and for itself while both run."""
    location = locate(url)
    async with _connected(location) as connection:
        await connection.run_sync(_downgraded, revision)
        before = await connection.run_sync(_one_row_each)
    await schema.bring_up_to_date(location)
    async with _connected(location) as connection:
        for table, row in before.items():
            columns = ", ".join(f'"{name}"' for name in row)
            assert await _rows(connection, f'SELECT {columns} FROM "{table}"') == [tuple(row.values())]
        assert await _rows(connection, "SELECT version_num FROM alembic_version") == [(schema.HEAD,)]


def _one_row_each(connection: Connection) -> dict[str, dict[str, Any]]:
    """Put a row into every table of the schema as it is, and return them."""
    there = MetaData()
    there.reflect(connection)
    rows: dict[str, dict[str, Any]] = {}
    words: dict[type, Any] = {int: 1, str: "{}", bytes: b"\0", bool: False, float: 0.5}
    for table in there.sorted_tables:
        if table.name != "alembic_version":
            rows[table.name] = {column.name: words[column.type.python_type] for column in table.columns}
            connection.execute(table.insert(), rows[table.name])
    return rows


async def test_a_database_of_the_first_schema_keeps_its_streams_and_what_refers_to_them(
    first_schema: Location, url: str
) -> None:
    await schema.bring_up_to_date(first_schema)
    async with _connected(first_schema) as connection:
        streams = await _rows(connection, "SELECT id, component, traffic FROM stream ORDER BY id")
        assert streams == [(11, "main", "live"), (12, "green", "idle")]
        assert await _rows(connection, "SELECT stream FROM snapshot") == [(11,)]
        assert await _rows(connection, "SELECT version_num FROM alembic_version") == [(schema.HEAD,)]
        if connection.dialect.name == "sqlite":
            assert await _rows(connection, "PRAGMA foreign_key_check") == []
    store = await open_store(url)
    green = observed(0, packages(1), source="ecs", traffic="idle")
    assert (await store.record(green, received_at=RECEIVED, scheduled=True)).snapshot == 2
    await store.close()
