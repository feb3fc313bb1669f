"""Answers that are kept for a day, so that a request that comes a second time does nothing twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import StoreBusyError
from detector.store.database import Database
from detector.store.location import upsert
from detector.store.register_tables import remembered as table

#: How long a request may be repeated.
KEPT: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The answer to one request. ``digest`` says what was asked: another request needs another key."""

    who: str
    key: str
    digest: bytes
    status: int
    body: bytes
    at: datetime


async def remember(connection: AsyncConnection, answer: Remembered | None) -> None:
    """Keep an answer, in the transaction that did what it says. Drops those that are too old.

    Raises StoreBusyError where the same request was answered in the meantime: asked again, it finds that.
    """
    if answer is None:
        return
    await connection.execute(delete(table).where(table.c.at < answer.at - KEPT))
    values = {name: getattr(answer, name) for name in answer.__slots__}
    done = await connection.execute(upsert(connection, table).values(values).on_conflict_do_nothing())
    if not done.rowcount:
        raise StoreBusyError("the same request is being answered: send it again")


class Remembering:
    """Finds answers that were given before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remembered(self, who: str, key: str, *, now: datetime) -> Remembered | None:
        """Return what a request with this key of this asker was answered within the last day."""
        query = select(table).where(table.c.who == who, table.c.key == key, table.c.at >= now - KEPT)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else Remembered(**row)
