"""The schema of a database: whether it is ours, whether it is sound, and bringing it up to date."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from detector.errors import StoreSchemaError
from detector.store.location import Location

#: The newest revision in ``migrations/versions``. Named here so that a start on a current database needs no
#: Alembic.
HEAD: Final = "0005"
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSION: Final = text("SELECT version_num FROM alembic_version")


async def bring_up_to_date(location: Location) -> None:
    """Check the whole file and run the migrations that it lacks, all in one transaction.

    A file that is not ours is left as it was. Raises StoreSchemaError where it is damaged, of another
    program, or newer than this one.
    """
    async with looking_at(location, location.inspector()) as connection:
        found = await _version(connection, location)
        await location.check(connection)
        if found != HEAD:
            await connection.run_sync(_upgrade, location, found)


async def require_current(location: Location) -> None:
    """Raise StoreSchemaError unless the schema is the one of this program."""
    async with looking_at(location, location.readers()) as connection:
        await _require_current(connection, location)


@asynccontextmanager
async def examined(location: Location) -> AsyncIterator[AsyncConnection]:
    """Read one committed state of a database of this schema, for as long as it takes.

    Raises StoreError where it is missing, StoreSchemaError as `require_current`.
    """
    location.require(may_make=False)
    async with looking_at(location, location.examiner()) as connection:
        await _require_current(connection, location)
        yield connection


async def bring_to(connection: AsyncConnection, location: Location, revision: str) -> None:
    """Give a database without tables those of a revision, or bring one up to it.

    Raises StoreSchemaError where it is newer or of another program.
    """
    found = await _version(connection, location)
    if found == revision:
        return
    if found is not None and found > revision:
        raise StoreSchemaError(
            f"{location} has the schema {found}, newer than {revision}: take a database that was never opened"
        )
    await connection.run_sync(_upgrade, location, found, revision)


async def revision_of(location: Location) -> str:
    """Return the revision of a database of Parity that this program knows. Raises StoreSchemaError."""
    location.require(may_make=False)
    async with looking_at(location, location.examiner()) as connection:
        found = await _version(connection, location)
    if found is None:
        raise StoreSchemaError(f"{location} is empty: it holds nothing of Parity")
    if not _is_older(found):
        raise _newer(location, found)
    return found


async def _require_current(connection: AsyncConnection, location: Location) -> None:
    found = await _version(connection, location)
    if found is None:
        raise StoreSchemaError(f"{location} is empty: start `parity serve` on it once")
    if found != HEAD:
        if _is_older(found):
            raise StoreSchemaError(f"{location} has the older schema {found}: run parity db upgrade")
        raise _newer(location, found)


@asynccontextmanager
async def looking_at(location: Location, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Run one transaction on a connection of its own. Every error of the driver leaves as ours."""
    try:
        async with engine.begin() as connection:
            yield connection
    except location.errors as error:
        raise location.refusal(error) from None
    finally:
        await engine.dispose()


async def _version(connection: AsyncConnection, location: Location) -> str | None:
    """Return the revision of a database, None for an empty one."""
    tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    if not tables:
        return None
    if "alembic_version" in tables and "stream_state" in tables:
        rows = (await connection.execute(_VERSION)).scalars().all()
        if len(rows) == 1:
            return str(rows[0])
    raise StoreSchemaError(f"{location} is a database of another program: give database_url another one")


def _is_older(revision: str) -> bool:
    return revision.isdigit() and any((_MIGRATIONS / "versions").glob(f"{revision}_*.py"))


def _newer(location: Location, revision: str) -> StoreSchemaError:
    return StoreSchemaError(
        f"{location} was written by a newer Parity (schema {revision}, this one knows {HEAD}): "
        "install that version or a later one, or restore a backup made before"
    )


def _upgrade(connection: Connection, location: Location, found: str | None, to: str = HEAD) -> None:
    from alembic import command  # noqa: PLC0415 - costs 0.15 s, and most starts need no migration
    from alembic.config import Config  # noqa: PLC0415

    if found is not None and not _is_older(found):
        raise _newer(location, found)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, to)
