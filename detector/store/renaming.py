"""Renames: a service that goes by another name takes streams, history and drifts along."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Table, delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.words import State
from detector.store import register_tables as r
from detector.store import tables as t
from detector.store.database import Database
from detector.store.past import COVERAGE, FACTS
from detector.store.writing import ensure_service

_LIVING: Final[tuple[State, ...]] = ("pending", "open", "accepted")
#: What makes two rows of the register one drift, beside the service.
_SAME: Final = ("comparison", "component", "section", "item", "kind")


class Renaming:
    """Gives what is known under one name to another."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self) -> set[str]:
        """Return every name that streams, drifts or runs are kept under."""
        async with self._database.read() as connection:
            seen = await connection.execute(select(t.service.c.name))
            judged = await connection.execute(select(r.drift.c.service).distinct())
            ran = await connection.execute(select(t.source.c.service).distinct())
            return {*seen.scalars(), *judged.scalars(), *ran.scalars()}

    async def rename(self, former: str, name: str) -> None:
        """Move all that is known of ``former``, in one commit. Where both have a drift, the older one stays.

        A stream that both have goes on as one: what the present name saw follows on what the former saw.
        """
        async with self._database.write() as connection:
            await _move_streams(connection, former, name)
            await _move_drifts(connection, former, name)
            await _move_progress(connection, former, name)
            await _move_runs(connection, former, name)
            await _move_scores(connection, former, name)
            await connection.execute(
                update(r.deployment).where(r.deployment.c.service == former).values(service=name)
            )
            await _move_acceptances(connection, former, name)


async def _move_streams(connection: AsyncConnection, former: str, name: str) -> None:
    old = (
        await connection.execute(select(t.service.c.id).where(t.service.c.name == former))
    ).scalar_one_or_none()
    if old is None:
        return
    new = await ensure_service(connection, name)
    theirs = {_place(row): row.id for row in await _streams(connection, new)}
    for row in await _streams(connection, old):
        newer = theirs.get(_place(row))
        if newer is not None:
            await _continue(connection, row.id, newer)
        await _set(connection, t.stream, row.id, service=new)
    await connection.execute(delete(t.service).where(t.service.c.id == old))


async def _streams(connection: AsyncConnection, service: int) -> list[Any]:
    return list((await connection.execute(select(t.stream).where(t.stream.c.service == service))).all())


def _place(stream: Any) -> tuple[Any, ...]:
    return stream.environment, stream.component, stream.source, stream.traffic


async def _continue(connection: AsyncConnection, stream: int, newer: int) -> None:
    """Let one stream go on as another that took its place, which is no stream of its own any more."""
    began: list[Any] = []
    for table in COVERAGE:
        query = select(func.min(table.c.opened), func.min(table.c.opened_seq)).where(table.c.stream == newer)
        began += [tuple(row) for row in await connection.execute(query) if row[0] is not None]
    at, seq = min(began, default=(0, 0))
    for opened, past in (FACTS, COVERAGE):
        names = [column.name for column in opened.c]
        ending = select(*opened.c, literal(at, BigInteger), literal(seq, BigInteger))
        await connection.execute(
            insert(past).from_select(
                [*names, "closed", "closed_seq"], ending.where(opened.c.stream == stream)
            )
        )
        await connection.execute(delete(opened).where(opened.c.stream == stream))
        for table in (opened, past):
            await connection.execute(update(table).where(table.c.stream == newer).values(stream=stream))
    for table in (t.stream_state, t.unsaid):
        await connection.execute(delete(table).where(table.c.stream == stream))
    for table in (t.stream_state, t.unsaid, t.snapshot):
        await connection.execute(update(table).where(table.c.stream == newer).values(stream=stream))
    await connection.execute(delete(t.stream).where(t.stream.c.id == newer))


async def _move_drifts(connection: AsyncConnection, former: str, name: str) -> None:
    living = r.drift.c.state.in_(_LIVING)
    query = select(r.drift).where(r.drift.c.service == name, living)
    theirs = {_drift(row): row.id for row in await connection.execute(query)}
    for row in (await connection.execute(select(r.drift).where(r.drift.c.service == former))).all():
        younger = theirs.get(_drift(row))
        if younger is not None and row.state in _LIVING:
            await _tell_as_one(connection, row.id, younger)
        document: Mapping[str, Any] = {**row.document, "service": name}
        await _set(connection, r.drift, row.id, service=name, document=document)


def _drift(row: Any) -> tuple[str, ...]:
    return tuple(getattr(row, field) for field in _SAME)


async def _tell_as_one(connection: AsyncConnection, drift: str, younger: str) -> None:
    """Add the events and alerts of a younger row to the older one of the same drift."""
    await connection.execute(
        update(r.drift_event).where(r.drift_event.c.drift == younger).values(drift=drift)
    )
    owed = (await connection.execute(select(r.outbox.c.id, r.outbox.c.drift_ids))).all()
    for row in owed:
        if younger in row.drift_ids:
            ids = dict.fromkeys(drift if one == younger else one for one in row.drift_ids)
            await _set(connection, r.outbox, row.id, drift_ids=list(ids))
    await connection.execute(delete(r.drift).where(r.drift.c.id == younger))


async def _move_progress(connection: AsyncConnection, former: str, name: str) -> None:
    table = r.judged_through
    theirs = select(table.c.comparison).where(table.c.service == name)
    mine = table.c.service == former
    await connection.execute(
        update(table).where(mine, table.c.comparison.not_in(theirs.scalar_subquery())).values(service=name)
    )
    await connection.execute(delete(table).where(mine))


async def _move_runs(connection: AsyncConnection, former: str, name: str) -> None:
    table = t.source
    places = {
        (row.environment, row.source)
        for row in await connection.execute(select(table).where(table.c.service == name))
    }
    for row in (await connection.execute(select(table).where(table.c.service == former))).all():
        here = (
            table.c.service == former,
            table.c.environment == row.environment,
            table.c.source == row.source,
        )
        if (row.environment, row.source) in places:
            await connection.execute(delete(table).where(*here))
        else:
            await connection.execute(update(table).where(*here).values(service=name))


async def _move_scores(connection: AsyncConnection, former: str, name: str) -> None:
    table, theirs = r.score, r.score.alias()
    mine = table.c.service == former
    twin = (theirs.c.service == name, theirs.c.comparison == table.c.comparison, theirs.c.at == table.c.at)
    await connection.execute(delete(table).where(mine, select(theirs.c.at).where(*twin).exists()))
    await connection.execute(update(table).where(mine).values(service=name))


async def _move_acceptances(connection: AsyncConnection, former: str, name: str) -> None:
    """Let what was accepted of the former name hold for the present one."""
    for row in (await connection.execute(select(r.acceptance.c.id, r.acceptance.c.scope))).all():
        match = row.scope.get("match") or {}
        said = match.get("service") or ()
        words = [said] if isinstance(said, str) else list(said)
        if former in words:
            renamed = [name if word == former else word for word in words]
            await _set(connection, r.acceptance, row.id, scope={"match": {**match, "service": renamed}})
    table, theirs = r.acceptance_binding, r.acceptance_binding.alias()
    mine = table.c.service == former
    same = [theirs.c[field] == table.c[field] for field in ("acceptance", *_SAME)]
    twin = select(theirs.c.acceptance).where(theirs.c.service == name, *same).exists()
    await connection.execute(delete(table).where(mine, twin))
    await connection.execute(update(table).where(mine).values(service=name))


async def _set(connection: AsyncConnection, table: Table, id_: object, **values: object) -> None:
    await connection.execute(update(table).where(table.c.id == id_).values(**values))
