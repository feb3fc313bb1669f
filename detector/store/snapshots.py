"""Reading snapshots: the numbered states of environments."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from detector.model.records import Snapshot
from detector.store import tables as t
from detector.store.database import Database


class Snapshots:
    """Reads what each commit made of its environment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def snapshots(
        self, environment: str, *, limit: int = 100, before: int | None = None
    ) -> list[Snapshot]:
        """Return the snapshots of an environment, newest first; ``before`` a number gives those below it."""
        query = _snapshots(t.environment.c.name == environment)
        if before is not None:
            query = query.where(t.snapshot.c.number < before)
        return await self._read_snapshots(query.order_by(t.snapshot.c.number.desc()).limit(limit))

    async def snapshot(self, environment: str, number: int) -> Snapshot | None:
        """Return one snapshot."""
        wanted = (t.environment.c.name == environment, t.snapshot.c.number == number)
        return next(iter(await self._read_snapshots(_snapshots(*wanted))), None)

    async def latest_snapshots(self) -> dict[str, Snapshot]:
        """Return environment -> its newest snapshot."""
        newest = select(func.max(t.snapshot.c.seq)).group_by(t.snapshot.c.environment)
        found = await self._read_snapshots(_snapshots(t.snapshot.c.seq.in_(newest)))
        return {entry.environment: entry for entry in found}

    async def _read_snapshots(self, query: Select[Any]) -> list[Snapshot]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Snapshot(
                environment=row.environment,
                number=row.number,
                at=row.at,
                added=row.added,
                removed=row.removed,
                changed=row.changed,
                services=(row.service,),
                label=row.label,
                backdated=row.backdated,
            )
            for row in rows
        ]


def _snapshots(*wanted: ColumnElement[bool]) -> Select[Any]:
    mark = (
        select(func.min(t.label.c.name))
        .where(t.label.c.environment == t.snapshot.c.environment, t.label.c.number == t.snapshot.c.number)
        .scalar_subquery()
    )
    return (
        select(
            t.snapshot.c.number,
            t.snapshot.c.at,
            t.snapshot.c.added,
            t.snapshot.c.removed,
            t.snapshot.c.changed,
            t.snapshot.c.backdated,
            t.environment.c.name.label("environment"),
            t.service.c.name.label("service"),
            mark.label("label"),
        )
        .select_from(t.snapshot)
        .join(t.environment, t.environment.c.id == t.snapshot.c.environment)
        .join(t.stream, t.stream.c.id == t.snapshot.c.stream)
        .join(t.service, t.service.c.id == t.stream.c.service)
        .where(*wanted)
    )
