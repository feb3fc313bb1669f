"""Dropping what is over for longer than it is kept. What is open stays, and what a reader still needs.

An interval goes when it ended before the limit in both times, and when no late observation can reach it any
more. How far history reaches is kept (`PRUNED`): of the states before nothing is said, rather than a half.
Names and values stay, each of them once.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from sqlalchemy import Row, Select, Table, and_, bindparam, delete, exists, func, select, true, tuple_, union
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.clock import print_time
from detector.store import register_tables as r
from detector.store import tables as t
from detector.store.columns import micros, moment
from detector.store.database import Database, to_the_end
from detector.store.milestones import PRUNED, Milestone, read_milestone, write_milestone
from detector.store.ring import decode

#: Of the rows of a table, how many one run may drop: a wrong clock then costs little until it is seen.
MOST: Final = 0.05
#: So many it may drop at least, else a small table would never get rid of anything.
_AT_LEAST: Final = 1_000
#: Rows of one commit: whoever waits for the writer waits no longer.
_BATCH: Final = 2_000
#: A store that saw nothing for long does not age: its time is that of the newest look, and a day.
_AGES: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What a run dropped, or would drop."""

    history_before: datetime
    messages_before: datetime
    #: Table -> rows; those with none are left out.
    rows: Mapping[str, int]
    #: Whether more is due than one run may drop.
    more: bool

    def document(self) -> dict[str, Any]:
        """Return it as JSON shows it."""
        return {
            "history_before": print_time(self.history_before),
            "messages_before": print_time(self.messages_before),
            "rows": dict(self.rows),
            "more": self.more,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Rows of one table that are due, told by their primary key."""

    table: Table
    due: Select[Any]
    #: Tables whose rows go with them, by the column that refers to them.
    children: Sequence[tuple[Table, str]] = ()
    is_due: Callable[[Row[Any]], bool] = field(default=lambda _: True)
    #: Whether states of the past can be told no more without these rows.
    history: bool = False


class Pruning:
    """Drops what is over."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prune(
        self, *, now: datetime, history: timedelta, messages: timedelta, dry_run: bool = False
    ) -> Pruned:
        """Drop what has been over for longer than these spans, and return how much; ``dry_run`` only counts.

        In small commits: what is recorded meanwhile waits for none of them. Raises StoreError.
        """
        async with self._database.read() as connection:
            rings = {row.stream: decode(row.ring) for row in await connection.execute(select(t.stream_state))}
            newest = max((ring[-1].at for ring in rings.values()), default=None)
            today = now if newest is None else min(now, moment(newest) + _AGES)
            before = today - history
            seq = await _first_kept(connection, before)
            parts = [
                *_history_parts(rings, before, seq, dry_run=dry_run),
                *_register_parts(before, today - messages),
            ]
            most = {part.table.name: await _most(connection, part.table) for part in parts}
        reached = Milestone(at=before, seq=seq)
        rows = {}
        for part in parts:
            rows[part.table.name] = await self._drop(
                part, most[part.table.name], None if dry_run else reached
            )
        return Pruned(
            history_before=before,
            messages_before=today - messages,
            rows={name: count for name, count in rows.items() if count},
            more=any(count >= most[name] for name, count in rows.items()),
        )

    async def _drop(self, part: _Part, most: int, reached: Milestone | None) -> int:
        keys = list(part.table.primary_key.columns)
        count, last = 0, None
        while count < most:
            query = part.due.order_by(*keys).limit(min(_BATCH, most - count))
            if last is not None:
                query = query.where(tuple_(*keys) > last)
            async with self._database.read() as connection:
                rows = (await connection.execute(query)).all()
            if not rows:
                break
            last = tuple(rows[-1][: len(keys)])
            gone = [tuple(row[: len(keys)]) for row in rows if part.is_due(row)]
            if gone and reached is not None:
                await self._delete(part, gone, reached)
            count += len(gone)
        return count

    @to_the_end
    async def _delete(self, part: _Part, gone: Collection[tuple[Any, ...]], reached: Milestone) -> None:
        keys = list(part.table.primary_key.columns)
        statement = delete(part.table).where(*(key == bindparam(f"k_{key.name}") for key in keys))
        async with self._database.write() as connection:
            if part.history:
                # With the first of them, and before: nobody may read a state that is half gone.
                known = await read_milestone(connection, PRUNED)
                if known is None or known.at < reached.at:
                    await write_milestone(connection, PRUNED, reached)
            for table, column in part.children:
                await connection.execute(
                    delete(table).where(table.c[column] == bindparam("parent")),
                    [{"parent": key[0]} for key in gone],
                )
            rows = [{f"k_{key.name}": word for key, word in zip(keys, row, strict=True)} for row in gone]
            await connection.execute(statement, rows)


async def _first_kept(connection: AsyncConnection, before: datetime) -> int:
    """Return the commit that was the newest at the limit: its state is the first that is kept; 0 for none."""
    s = t.snapshot.c
    newest = await connection.execute(select(func.max(s.seq)).where(s.received_at <= before))
    return newest.scalar_one() or 0


async def _most(connection: AsyncConnection, table: Table) -> int:
    rows = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
    return max(_AT_LEAST, ceil(rows * MOST))


def _history_parts(rings: Mapping[int, Any], before: datetime, seq: int, *, dry_run: bool) -> list[_Part]:
    """Return what is over of facts and coverages, and the snapshots that nothing tells of any more."""
    limit = micros(before)
    # What may still be reordered is needed as far back as the ring reaches.
    floors = {stream: min(limit, ring[0].at) for stream, ring in rings.items()}

    def is_due(row: Row[Any]) -> bool:
        return bool(row.closed <= floors.get(row.stream, limit))

    over = {
        table: and_(table.c.closed <= limit, table.c.closed_seq <= seq)
        for table in (t.fact_past, t.coverage_past)
    }
    parts = [
        _Part(
            table=table,
            due=select(*table.primary_key.columns, table.c.closed).where(due),
            is_due=is_due,
            history=True,
        )
        for table, due in over.items()
    ]
    s = t.snapshot.c
    told = union(
        *(select(table.c.opened_seq) for table in (t.fact, t.coverage)),
        # A run drops facts before it looks for the snapshots that told of them; who only counts cannot.
        *(select(table.c.opened_seq).where(~due if dry_run else true()) for table, due in over.items()),
        select(t.stream_state.c.changed_seq),
        select(func.max(s.seq)).group_by(s.environment),
    )
    marked = exists().where(t.label.c.environment == s.environment, t.label.c.number == s.number)
    snapshots = select(s.seq).where(s.seq < seq, s.seq.not_in(told), ~marked)
    return [*parts, _Part(table=t.snapshot, due=snapshots, history=True)]


def _register_parts(before: datetime, messages: datetime) -> list[_Part]:
    """Return what is over of drifts, scores and messages. What is parked waits for a person."""
    d, o, m = r.drift.c, r.outbox.c, r.message.c
    later = r.score.alias("later")
    # The last score before the limit holds until the first one after it.
    overtaken = exists().where(
        *(later.c[name] == r.score.c[name] for name in ("comparison", "service")),
        later.c.at > r.score.c.at,
        later.c.at <= before,
    )
    return [
        _Part(
            table=r.drift,
            due=select(d.id).where(d.state.in_(("resolved", "withdrawn")), d.resolved_at < before),
            children=((r.drift_event, "drift"),),
        ),
        _Part(
            table=r.score,
            due=select(*r.score.primary_key.columns).where(r.score.c.at < before, overtaken),
        ),
        _Part(
            table=r.outbox,
            due=select(o.id).where(o.state == "delivered", o.created_at < messages),
            children=((r.delivery, "owed"),),
        ),
        _Part(
            table=r.message,
            due=select(*r.message.primary_key.columns).where(m.closed, m.updated_at < messages),
        ),
    ]
