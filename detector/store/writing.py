"""The statements of one commit: streams, open and closed rows, snapshots, state."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Column, Table, bindparam, delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.facts import Observation
from detector.store import tables as t
from detector.store.columns import moment
from detector.store.location import upsert
from detector.store.memory import Known, unsaid_document
from detector.store.ring import encode

K = TypeVar("K", int, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta(Generic[K]):
    """What a commit changes in one open table: key -> new value, and the keys that end."""

    added: Mapping[K, int]
    changed: Mapping[K, int]
    gone: Collection[K]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.gone)


def delta(before: Mapping[K, int], after: Mapping[K, int]) -> Delta[K]:
    """Return what leads from one state to the next."""
    return Delta(
        added={key: value for key, value in after.items() if key not in before},
        changed={key: value for key, value in after.items() if before.get(key, value) != value},
        gone=[key for key in before if key not in after],
    )


async def ensure_stream(connection: AsyncConnection, observation: Observation) -> int:
    """Return the id of the stream of an observation, made where it is new, with its present attributes."""
    environment = await _named(connection, t.environment, observation.environment)
    service = await ensure_service(connection, observation.service)
    attributes = {"component_kind": observation.component_kind}
    key = {
        "environment": environment,
        "service": service,
        "component": observation.component,
        "source": observation.source,
        "traffic": observation.traffic,
    }
    statement = upsert(connection, t.stream).values(key | attributes)
    await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=attributes))
    same = [t.stream.c[name] == value for name, value in key.items()]
    id_: int = (await connection.execute(select(t.stream.c.id).where(*same))).scalar_one()
    return id_


async def ensure_service(connection: AsyncConnection, name: str) -> int:
    """Return the id of a service, made where it is new."""
    return await _named(connection, t.service, name)


async def _named(connection: AsyncConnection, table: Table, name: str) -> int:
    query = select(table.c.id).where(table.c.name == name)
    found: int | None = (await connection.execute(query)).scalar_one_or_none()
    if found is None:
        await connection.execute(insert(table).values(name=name))
        found = int((await connection.execute(query)).scalar_one())
    return found


async def next_numbers(connection: AsyncConnection, stream: int) -> tuple[int, int, int]:
    """Return (commit number, environment, its next snapshot number). The transaction owns the writer."""
    environment = (
        await connection.execute(select(t.stream.c.environment).where(t.stream.c.id == stream))
    ).scalar_one()
    seq = select(func.coalesce(func.max(t.snapshot.c.seq), 0) + 1).scalar_subquery()
    mine = t.snapshot.c.environment == environment
    number = select(func.coalesce(func.max(t.snapshot.c.number), 0) + 1).where(mine).scalar_subquery()
    found = (await connection.execute(select(seq, number))).one()
    return found[0], environment, found[1]


async def write_delta(
    connection: AsyncConnection,
    tables: tuple[Table, Table],
    stream: int,
    change: Delta[K],
    *,
    at: int,
    seq: int,
) -> None:
    """Close what ended or changed, open what is new or changed."""
    opened, past = tables
    key = _key(opened)
    ended = [{"k": name} for name in (*change.changed, *change.gone)]
    here = (opened.c.stream == stream, key == bindparam("k"))
    if ended:
        columns: list[Column[Any]] = [
            opened.c.stream,
            key,
            opened.c.value,
            opened.c.opened,
            opened.c.opened_seq,
        ]
        closing = select(*columns, literal(at, BigInteger), literal(seq, BigInteger)).where(*here)
        names = [*(column.name for column in columns), "closed", "closed_seq"]
        await connection.execute(insert(past).from_select(names, closing), ended)
    if change.gone:
        await connection.execute(delete(opened).where(*here), [{"k": name} for name in change.gone])
    if change.changed:
        statement = update(opened).where(*here).values(value=bindparam("v"), opened=at, opened_seq=seq)
        await connection.execute(statement, [{"k": k, "v": v} for k, v in change.changed.items()])
    if change.added:
        rows = [
            {"stream": stream, key.name: name, "value": value, "opened": at, "opened_seq": seq}
            for name, value in change.added.items()
        ]
        await connection.execute(insert(opened), rows)


def _key(table: Table) -> Column[int] | Column[str]:
    return table.c.item if "item" in table.c else table.c.section


async def write_snapshot(
    connection: AsyncConnection,
    stream: int,
    facts: Delta[int],
    *,
    at: int,
    received_at: datetime,
    backdated: bool,
) -> tuple[int, int]:
    """Add the environment's next snapshot. Returns (commit number, snapshot number)."""
    seq, environment, number = await next_numbers(connection, stream)
    await connection.execute(
        insert(t.snapshot).values(
            seq=seq,
            environment=environment,
            number=number,
            stream=stream,
            at=moment(at),
            received_at=received_at,
            added=len(facts.added),
            removed=len(facts.gone),
            changed=len(facts.changed),
            backdated=backdated,
        )
    )
    return seq, number


async def write_state(connection: AsyncConnection, known: Known) -> None:
    """Write the row of a stream."""
    values = {
        "ring": encode(known.ring),
        "changed_seq": known.changed_seq,
        "changed_number": known.changed_number,
        "late": known.late,
    }
    statement = upsert(connection, t.stream_state).values(stream=known.id, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["stream"], set_=values))


async def write_rings(connection: AsyncConnection, streams: Collection[Known]) -> None:
    """Write where the rings of streams have come to: one row each, rewritten in place."""
    statement = (
        update(t.stream_state)
        .where(t.stream_state.c.stream == bindparam("s"))
        .values(ring=bindparam("r"), late=bindparam("l"))
    )
    await connection.execute(
        statement, [{"s": known.id, "r": encode(known.ring), "l": known.late} for known in streams]
    )


async def write_unsaid(connection: AsyncConnection, known: Known, *, since: int) -> None:
    """Add what a state holds unsaid from ``since`` on, and drop what the ring needs no more."""
    values = {"document": unsaid_document(known.settled)}
    statement = upsert(connection, t.unsaid).values(stream=known.id, since=since, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["stream", "since"], set_=values))
    mine = t.unsaid.c.stream == known.id
    needed = select(func.max(t.unsaid.c.since)).where(mine, t.unsaid.c.since <= known.ring[0].at)
    await connection.execute(delete(t.unsaid).where(mine, t.unsaid.c.since < needed.scalar_subquery()))
