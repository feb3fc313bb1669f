"""The outbox: alerts owed, what was tried, and the messages that can still be edited."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.records import Owed
from detector.store import register_tables as r
from detector.store.database import Database, to_the_end
from detector.store.location import upsert

#: States of an alert that nobody has heard yet: waiting, or in the hands of a try.
OWED: Final = ("due", "leased")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One try to deliver an alert. ``result`` is `delivered`, `failed` or `parked`."""

    owed: str
    comparison: str
    owner: str
    at: datetime
    result: str
    receiver: str | None
    error: str | None


async def owe(connection: AsyncConnection, owed: Sequence[Owed]) -> None:
    """Put alerts into the outbox, in the transaction that made them due."""
    if owed:
        rows = [
            {
                "id": entry.id,
                "comparison": entry.comparison,
                "owner": entry.owner,
                "created_at": entry.created_at,
                "event": entry.event,
                "drift_ids": list(entry.drift_ids),
                "state": "due",
                "next_try": entry.created_at,
                "tries": 0,
            }
            for entry in owed
        ]
        await connection.execute(insert(r.outbox), rows)


class Outbox:
    """Hands out what is owed, and keeps what became of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @to_the_end
    async def lease_owed(self, *, now: datetime, until: datetime, limit: int) -> list[tuple[Owed, int]]:
        """Return alerts that are due, oldest first, each with the number of earlier tries.

        Nobody else gets them before ``until``. A try that was neither marked delivered nor failed may have
        arrived.
        """
        due = (
            select(r.outbox)
            .where(r.outbox.c.state.in_(OWED), r.outbox.c.next_try <= now)
            .order_by(r.outbox.c.created_at, r.outbox.c.id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            if (await connection.execute(due.limit(1))).first() is None:
                return []
        async with self._database.write() as connection:
            rows = (await connection.execute(due)).all()
            await connection.execute(
                update(r.outbox)
                .where(r.outbox.c.id.in_([row.id for row in rows]))
                .values(state="leased", next_try=until, tries=r.outbox.c.tries + 1)
            )
        return [
            (
                Owed(
                    id=row.id,
                    comparison=row.comparison,
                    owner=row.owner,
                    created_at=row.created_at,
                    event=row.event,
                    drift_ids=tuple(row.drift_ids),
                ),
                row.tries,
            )
            for row in rows
        ]

    @to_the_end
    async def end_leases(self, now: datetime) -> None:
        """Give back what a process that is gone had leased: its only successor need not wait for the end."""
        async with self._database.write() as connection:
            await connection.execute(
                update(r.outbox).where(r.outbox.c.state == "leased").values(state="due", next_try=now)
            )

    @to_the_end
    async def mark_delivered(
        self,
        ids: Collection[str],
        *,
        receiver: str,
        key: str,
        handle: Mapping[str, str] | None,
        closed: bool,
        now: datetime,
    ) -> None:
        """Keep that alerts arrived at a receiver, and where the message of conversation ``key`` stands.

        ``closed`` ends the conversation: its next alert begins a new message.
        """
        async with self._database.write() as connection:
            await connection.execute(
                update(r.outbox).where(r.outbox.c.id.in_(ids)).values(state="delivered", next_try=now)
            )
            await _note(connection, ids, now, result="delivered", receiver=receiver)
            values = {
                "handle": dict(handle) if handle is not None else None,
                "closed": closed,
                "updated_at": now,
            }
            statement = upsert(connection, r.message).values(receiver=receiver, key=key, **values)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["receiver", "key"], set_=values)
            )

    @to_the_end
    async def mark_failed(
        self, ids: Collection[str], *, error: str, next_try: datetime | None, now: datetime
    ) -> None:
        """Keep that a try failed, and when to try again; None parks the alerts for a person to see."""
        result = "failed" if next_try is not None else "parked"
        values = {"state": "due", "next_try": next_try} if next_try is not None else {"state": "parked"}
        async with self._database.write() as connection:
            await connection.execute(update(r.outbox).where(r.outbox.c.id.in_(ids)).values(values))
            await _note(connection, ids, now, result=result, error=error)

    async def message_handle(self, receiver: str, key: str) -> Mapping[str, str] | None:
        """Return what an edit of the conversation's message needs; None where a new message begins."""
        query = select(r.message.c.handle).where(
            r.message.c.receiver == receiver, r.message.c.key == key, ~r.message.c.closed
        )
        async with self._database.read() as connection:
            handle: Mapping[str, str] | None = (await connection.execute(query)).scalar_one_or_none()
        return handle

    async def outbox_size(self) -> int:
        """Return how many alerts are owed: neither delivered nor parked."""
        query = select(func.count()).select_from(r.outbox).where(r.outbox.c.state.in_(OWED))
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one()

    async def backlog(self) -> tuple[int, datetime | None, int]:
        """Return how many alerts are owed, since when the oldest of them is, and how many are parked."""
        rows = select(r.outbox.c.state, func.count(), func.min(r.outbox.c.created_at)).group_by(
            r.outbox.c.state
        )
        async with self._database.read() as connection:
            found = {row[0]: (row[1], row[2]) for row in await connection.execute(rows)}
        owed = [found[state] for state in OWED if state in found]
        oldest = min((since for _, since in owed), default=None)
        return sum(count for count, _ in owed), oldest, found.get("parked", (0, None))[0]

    async def deliveries(self, limit: int = 100) -> list[Delivery]:
        """Return the last tries, newest first."""
        query = (
            select(r.delivery, r.outbox.c.comparison, r.outbox.c.owner)
            .join(r.outbox, r.outbox.c.id == r.delivery.c.owed)
            .order_by(r.delivery.c.id.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Delivery(
                owed=row.owed,
                comparison=row.comparison,
                owner=row.owner,
                at=row.at,
                result=row.result,
                receiver=row.receiver,
                error=row.error,
            )
            for row in rows
        ]


async def _note(
    connection: AsyncConnection,
    ids: Collection[str],
    now: datetime,
    *,
    result: str,
    receiver: str | None = None,
    error: str | None = None,
) -> None:
    if ids:
        await connection.execute(
            insert(r.delivery),
            [{"owed": id_, "at": now, "result": result, "receiver": receiver, "error": error} for id_ in ids],
        )
