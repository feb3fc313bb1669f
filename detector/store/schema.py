"""The schema of a database: whether it is ours, whether it is sound, and bringing it up to date."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import StoreSchemaError
from detector.store import sqlite
from detector.store.database import Database

#: The newest revision in ``migrations/versions``; a test holds it true. Named here so that a start on a
#: current database needs no Alembic.
HEAD: Final = "0001"
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSION: Final = text("SELECT version_num FROM alembic_version")


async def bring_up_to_date(database: Database) -> None:
    """Check the whole file and run the migrations that it lacks, all in one transaction.

    Raises StoreSchemaError where the file is damaged, of another program, or newer than this one.
    """
    async with database.write() as connection:
        await _check_pages(connection, database.path)
        found = await _version(connection, database.path)
        if found != HEAD:
            await connection.run_sync(_upgrade, database.path, found)


async def require_current(database: Database) -> None:
    """Raise StoreSchemaError unless the schema is the one of this program."""
    async with database.read() as connection:
        found = await _version(connection, database.path)
    if found is None:
        raise StoreSchemaError(f"{database.path} is empty: start `parity serve` on it once")
    if found != HEAD:
        if _is_older(found):
            raise StoreSchemaError(f"{database.path} has the older schema {found}: run parity db upgrade")
        raise _newer(database.path, found)


async def _check_pages(connection: AsyncConnection, path: Path) -> None:
    try:
        finding = (await connection.execute(text("PRAGMA quick_check(1)"))).scalar_one()
    except DBAPIError as error:
        raise sqlite.refusal(error, path) from None
    if finding != "ok":
        raise sqlite.damaged(path, "quick_check found a broken page")


async def _version(connection: AsyncConnection, path: Path) -> str | None:
    """Return the revision of a database, None for an empty one."""
    tables = await connection.run_sync(lambda c: inspect(c).get_table_names())
    if not tables:
        return None
    if "alembic_version" in tables and "stream_state" in tables:
        rows = (await connection.execute(_VERSION)).scalars().all()
        if len(rows) == 1:
            return str(rows[0])
    raise StoreSchemaError(f"{path} is a database of another program: give database_url another file")


def _is_older(revision: str) -> bool:
    return any((_MIGRATIONS / "versions").glob(f"{revision}_*.py")) if revision.isdigit() else False


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
