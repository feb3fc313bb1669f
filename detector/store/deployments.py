"""What pipelines announce: deployments, and the labels that name the states they led to."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.deployments import Deployment
from detector.store import tables as t
from detector.store.database import Database, to_the_end
from detector.store.location import upsert
from detector.store.register_tables import deployment

#: What is said of the same version again within this time is said of the same deployment.
_SAME: Final = timedelta(hours=24)


class Deployments:
    """Keeps what is deployed where, and when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @to_the_end
    async def announce(self, said: Deployment) -> tuple[Deployment, bool]:
        """Keep a deployment, and return it as it is kept and whether it is a new one.

        One that was announced within a day for the same version and commit, and is not finished, is the same:
        said again nothing happens, said with ``finished_at`` it ends, and once only. The version becomes the
        label of the environment's newest snapshot, if there is one.
        """
        async with self._database.write() as connection:
            known = await _same(connection, said)
            if known is None:
                await connection.execute(insert(deployment).values(_row(said)))
            elif said.finished_at is not None and known.finished_at is None:
                known = replace(known, finished_at=said.finished_at)
                ended = update(deployment).where(deployment.c.id == known.id)
                await connection.execute(ended.values(finished_at=said.finished_at))
            number = await _newest(connection, said.environment)
            if number is not None:
                await _put(connection, said.environment, said.version, number, said.at)
        return known or said, known is None

    async def deployments(
        self,
        environment: str | None = None,
        service: str | None = None,
        since: datetime | None = None,
    ) -> list[Deployment]:
        """Return deployments, newest first; ``since`` leaves out those that ended, or began, before it."""
        query = select(deployment).order_by(deployment.c.at.desc(), deployment.c.id.desc())
        if environment is not None:
            query = query.where(deployment.c.environment == environment)
        if service is not None:
            query = query.where(deployment.c.service == service)
        if since is not None:
            query = query.where(func.coalesce(deployment.c.finished_at, deployment.c.at) >= since)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [_deployment(row) for row in rows]

    @to_the_end
    async def put_label(self, environment: str, name: str, number: int, now: datetime) -> None:
        """Let a label name a snapshot; what it named before, it names no more."""
        async with self._database.write() as connection:
            await _put(connection, environment, name, number, now)

    async def label(self, environment: str, name: str) -> int | None:
        """Return the number of the snapshot that a label names."""
        query = (
            select(t.label.c.number)
            .join(t.environment, t.environment.c.id == t.label.c.environment)
            .where(t.environment.c.name == environment, t.label.c.name == name)
        )
        async with self._database.read() as connection:
            number: int | None = (await connection.execute(query)).scalar_one_or_none()
        return number


async def _same(connection: AsyncConnection, said: Deployment) -> Deployment | None:
    query = (
        select(deployment)
        .where(
            deployment.c.environment == said.environment,
            deployment.c.service == said.service,
            deployment.c.version == said.version,
            deployment.c.at > said.at - _SAME,
        )
        .order_by(deployment.c.at.desc(), deployment.c.id.desc())
    )
    for row in await connection.execute(query):
        going_on = row.finished_at is None or said.finished_at is not None
        if going_on and said.commit in (None, row.commit):
            return _deployment(row)
    return None


async def _newest(connection: AsyncConnection, environment: str) -> int | None:
    query = (
        select(func.max(t.snapshot.c.number))
        .join(t.environment, t.environment.c.id == t.snapshot.c.environment)
        .where(t.environment.c.name == environment)
    )
    number: int | None = (await connection.execute(query)).scalar_one_or_none()
    return number


async def _put(connection: AsyncConnection, environment: str, name: str, number: int, now: datetime) -> None:
    known = select(t.environment.c.id).where(t.environment.c.name == environment)
    here = (await connection.execute(known)).scalar_one()
    statement = upsert(connection, t.label).values(environment=here, name=name, number=number, created_at=now)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["environment", "name"], set_={"number": number})
    )


def _row(said: Deployment) -> dict[str, Any]:
    names = ("id", "environment", "service", "version", "commit", "actor", "at", "finished_at")
    return {name: getattr(said, name) for name in names}


def _deployment(row: Row[Any]) -> Deployment:
    return Deployment(
        id=row.id,
        environment=row.environment,
        service=row.service,
        version=row.version,
        commit=row.commit,
        actor=row.actor,
        at=row.at,
        finished_at=row.finished_at,
    )
