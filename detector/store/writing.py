"""The statements of one commit: streams and their rows, numbers, what is unsaid."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.facts import Observation
from detector.store import tables as t
from detector.store.location import Insert, upsert
from detector.store.memory import Known, unsaid_document
from detector.store.ring import encode


async def ensure_stream(connection: AsyncConnection, observation: Observation) -> tuple[int, int]:
    """Return the ids of the stream of an observation and of its environment.

    Both are made where they are new; the stream takes its present attributes.
    """
    environment = await _named(connection, t.environment, observation.environment)
    key = {
        "environment": environment,
        "service": await ensure_service(connection, observation.service),
        "component": observation.component,
        "source": observation.source,
        "traffic": observation.traffic,
    }
    attributes = {"component_kind": observation.component_kind}
    statement = upsert(connection, t.stream).values(key | attributes)
    done = await connection.execute(
        statement.on_conflict_do_update(index_elements=list(key), set_=attributes).returning(t.stream.c.id)
    )
    return done.scalar_one(), environment


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


class Numbers:
    """The next numbers of commits and snapshots, in one transaction: it owns the writer."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._seq = 0
        self._numbers: dict[int, int] = {}

    async def next(self, environment: int) -> tuple[int, int]:
        """Return the numbers of one more commit and of the snapshot that it makes of an environment."""
        if environment not in self._numbers:
            found = (await self._connection.execute(_LAST_NUMBERS, {"e": environment})).one()
            self._seq = max(self._seq, found[0])
            self._numbers[environment] = found[1]
        self._seq += 1
        self._numbers[environment] += 1
        return self._seq, self._numbers[environment]


async def write_states(connection: AsyncConnection, streams: Collection[Known]) -> None:
    """Write the rows of streams."""
    rows = [
        {
            "stream": known.id,
            "ring": encode(known.ring),
            "changed_seq": known.changed_seq,
            "changed_number": known.changed_number,
            "late": known.late,
        }
        for known in streams
    ]
    if rows:
        await connection.execute(_put_state(connection), rows)


def _put_state(connection: AsyncConnection) -> Insert:
    dialect = connection.dialect.name
    if dialect not in _PUT_STATE:
        statement = upsert(connection, t.stream_state)
        kept = ("ring", "changed_seq", "changed_number", "late")
        _PUT_STATE[dialect] = statement.on_conflict_do_update(
            index_elements=["stream"], set_={name: statement.excluded[name] for name in kept}
        )
    return _PUT_STATE[dialect]


async def write_rings(connection: AsyncConnection, streams: Collection[Known]) -> None:
    """Write where the rings of streams have come to: one row each, rewritten in place."""
    await connection.execute(
        _PUT_RING, [{"s": known.id, "r": encode(known.ring), "l": known.late} for known in streams]
    )


async def write_unsaid(connection: AsyncConnection, known: Known, *, since: int) -> None:
    """Add what a state holds unsaid from ``since`` on, and drop what the ring needs no more."""
    values = {"document": unsaid_document(known.settled)}
    statement = upsert(connection, t.unsaid).values(stream=known.id, since=since, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["stream", "since"], set_=values))
    mine = t.unsaid.c.stream == known.id
    needed = select(func.max(t.unsaid.c.since)).where(mine, t.unsaid.c.since <= known.ring[0].at)
    await connection.execute(delete(t.unsaid).where(mine, t.unsaid.c.since < needed.scalar_subquery()))


#: Made once for each dialect.
_PUT_STATE: Final[dict[str, Insert]] = {}
_LAST_NUMBERS: Final = select(
    select(func.coalesce(func.max(t.snapshot.c.seq), 0)).scalar_subquery(),
    select(func.coalesce(func.max(t.snapshot.c.number), 0))
    .where(t.snapshot.c.environment == bindparam("e"))
    .scalar_subquery(),
)
_PUT_RING: Final = (
    update(t.stream_state)
    .where(t.stream_state.c.stream == bindparam("s"))
    .values(ring=bindparam("r"), late=bindparam("l"))
)
