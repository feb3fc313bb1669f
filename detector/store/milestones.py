"""What happened to a database as a whole: that it was restored, and up to where it was pruned."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import NotFoundError
from detector.model.clock import print_time
from detector.store.database import Database
from detector.store.location import upsert
from detector.store.tables import milestone

#: A backup took the place of the database: what was said after it was made is not known here.
RESTORED: Final = "restored"
#: What was over before is dropped: nothing may be said of the states before.
PRUNED: Final = "pruned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """When it was, and of `PRUNED` the first commit whose whole state is still known."""

    at: datetime
    seq: int | None = None


async def read_milestone(connection: AsyncConnection, name: str) -> Milestone | None:
    """Return a milestone, None where it never came to it."""
    query = select(milestone.c.at, milestone.c.seq).where(milestone.c.name == name)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Milestone(at=row.at, seq=row.seq)


async def write_milestone(connection: AsyncConnection, name: str, reached: Milestone) -> None:
    """Keep a milestone in place of an earlier one of its name."""
    values = {"at": reached.at, "seq": reached.seq}
    statement = upsert(connection, milestone).values(name=name, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def dropped(reached: Milestone) -> NotFoundError:
    """Return the error for a state of before `PRUNED`: half of it would be taken for the whole."""
    return NotFoundError(
        f"what was before {print_time(reached.at)} is not kept any more (server.retention.history): "
        "ask for a later time"
    )


class Milestones:
    """Reads milestones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def milestone(self, name: str) -> Milestone | None:
        """Return when it came to `RESTORED` or `PRUNED`, None where it never did."""
        async with self._database.read() as connection:
            return await read_milestone(connection, name)
