"""What acceptances are bound to, item by item: written in the transaction that judged or accepted it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.engine.acceptance import Binding, Bound
from detector.model.records import Key
from detector.store import register_tables as r
from detector.store.location import upsert

_KEY = ("acceptance", "comparison", *Key._fields)


async def bind(connection: AsyncConnection, bindings: Sequence[Binding]) -> None:
    """Write bindings that begin or end; an acceptance without a match ends with its last one."""
    if not bindings:
        return
    statement = upsert(connection, r.acceptance_binding)
    columns = {name: statement.excluded[name] for name in ("ended_at", "why")}
    await connection.execute(
        statement.on_conflict_do_update(index_elements=_KEY, set_=columns), [_row(one) for one in bindings]
    )
    for binding in bindings:
        if binding.ended_at is None:
            continue
        spent = ~exists().where(
            r.acceptance_binding.c.acceptance == binding.acceptance,
            r.acceptance_binding.c.ended_at.is_(None),
        )
        closed = and_(r.acceptance.c.id == binding.acceptance, r.acceptance.c.ended_at.is_(None))
        await connection.execute(
            update(r.acceptance)
            .where(closed, spent, r.acceptance.c.scope == {})
            .values(ended_at=binding.ended_at, ended_by="parity", why=binding.why)
        )


async def bindings_of(
    connection: AsyncConnection,
    *,
    acceptances: Collection[str],
    comparisons: Collection[str] | None = None,
    services: Collection[str] | None = None,
) -> dict[tuple[str, Key], list[Binding]]:
    """Return the bindings of some acceptances by what they hold for, ended ones included."""
    found: dict[tuple[str, Key], list[Binding]] = {}
    query = select(r.acceptance_binding).order_by(r.acceptance_binding.c.acceptance)
    if comparisons is not None:
        query = query.where(r.acceptance_binding.c.comparison.in_(comparisons))
    if services is not None:
        query = query.where(r.acceptance_binding.c.service.in_(services))
    for row in await connection.execute(query):
        if row.acceptance in acceptances:
            binding = _binding(row)
            found.setdefault((binding.comparison, binding.key), []).append(binding)
    return found


async def last_binding(
    connection: AsyncConnection, comparison: str, key: Key, *, at: datetime
) -> Binding | None:
    """Return the newest binding of one item up to a time, also one that ended."""
    b = r.acceptance_binding.c
    mine = (b.comparison == comparison, *(b[name] == word for name, word in key._asdict().items()))
    query = select(r.acceptance_binding).where(*mine, b.bound_at <= at).order_by(b.bound_at.desc())
    row = (await connection.execute(query.limit(1))).one_or_none()
    return None if row is None else _binding(row)


def _row(binding: Binding) -> dict[str, Any]:
    return {
        "acceptance": binding.acceptance,
        "comparison": binding.comparison,
        **binding.key._asdict(),
        "until": binding.until,
        "bound": binding.bound.document(),
        "bound_at": binding.bound_at,
        "ended_at": binding.ended_at,
        "why": binding.why,
    }


def _binding(row: Row[Any]) -> Binding:
    return Binding(
        acceptance=row.acceptance,
        comparison=row.comparison,
        key=Key(row.service, row.component, row.section, row.item, row.kind),
        until=row.until,
        bound=Bound(**row.bound),
        bound_at=row.bound_at,
        ended_at=row.ended_at,
        why=row.why,
    )
