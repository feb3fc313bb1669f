"""The schema of a database: whether it is ours, whether it is sound, and bringing it up to date."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from detector.errors import StoreSchemaError
from detector.store import sqlite

#: The newest revision in ``migrations/versions``. Named here so that a start on a current database needs no
#: Alembic.
HEAD: Final = "0001"
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSION: Final = text("SELECT version_num FROM alembic_version")
_CHECK: Final = text("PRAGMA quick_check(1)")


async def bring_up_to_date(path: Path) -> None:
    """Check the whole file and run the migrations that it lacks, all in one transaction.

    A file that is not ours is left as it was. Raises StoreSchemaError where it is damaged, of another
    program, or newer than this one.
    """
    async with _looking_at(path, sqlite.inspector(path)) as connection:
        found = await _version(connection, path)
        if (await connection.execute(_CHECK)).scalar_one() != "ok":
            raise sqlite.damaged(path, "quick_check found a broken page")
        if found != HEAD:
            await connection.run_sync(_upgrade, path, found)


async def require_current(path: Path) -> None:
    """Raise StoreSchemaError unless the schema is the one of this program."""
    async with _looking_at(path, sqlite.readers(path)) as connection:
        found = await _version(connection, path)
    if found is None:
        raise StoreSchemaError(f"{path} is empty: start `parity serve` on it once")
    if found != HEAD:
        if _is_older(found):
            raise StoreSchemaError(f"{path} has the older schema {found}: run parity db upgrade")
        raise _newer(path, found)


@asynccontextmanager
async def _looking_at(path: Path, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise sqlite.refusal(error, path) from None
    finally:
        await engine.dispose()


async def _version(connection: AsyncConnection, path: Path) -> str | None:
    """Return the revision of a database, None for an empty one."""
    tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    if not tables:
        return None
    if "alembic_version" in tables and "stream_state" in tables:
        rows = (await connection.execute(_VERSION)).scalars().all()
        if len(rows) == 1:
            return str(rows[0])
    raise StoreSchemaError(f"{path} is a database of another program: give database_url another file")


def _is_older(revision: str) -> bool:
    return revision.isdigit() and any((_MIGRATIONS / "versions").glob(f"{revision}_*.py"))


def _newer(path: Path, revision: str) -> StoreSchemaError:
    return StoreSchemaError(
        f"{path} was written by a newer Parity (schema {revision}, this one knows {HEAD}): "
        "install that version or a later one, or restore a backup made before"
    )


def _upgrade(connection: Connection, path: Path, found: str | None) -> None:
    from alembic import command  # noqa: PLC0415 - costs 0.15 s, and most starts need no migration
    from alembic.config import Config  # noqa: PLC0415

    if found is not None and not _is_older(found):
        raise _newer(path, found)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
