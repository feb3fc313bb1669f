"""The register of drifts: its rows, their append-only events, and how far commits are judged."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.engine.acceptance import Binding
from detector.model.records import Drift, DriftEvent, Key, Owed, ScoreMark
from detector.model.words import Kind, SectionName, Severity, State
from detector.store import register_tables as r
from detector.store.bindings import bind
from detector.store.database import Database, to_the_end
from detector.store.interning import chunks
from detector.store.location import upsert
from detector.store.outbox import owe
from detector.store.scores import write_mark


class Register:
    """Writes verdicts that became drift, and reads them back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @to_the_end
    async def settle(
        self,
        comparison: str,
        service: str,
        *,
        judged_through: int,
        drifts: Sequence[Drift],
        events: Sequence[tuple[str, DriftEvent]],
        owed: Sequence[Owed],
        mark: ScoreMark | None = None,
        bindings: Sequence[Binding] = (),
    ) -> None:
        """Write all that one judgement changed, in one commit.

        ``drifts`` replace the rows with their ids, ``events`` are appended to the drift they name, ``owed``
        enter the outbox, ``mark`` the trend of scores where it says something new, ``bindings`` begin or end
        what is accepted. A kill before the commit leaves ``judged_through`` behind, so it is judged again.
        """
        async with self._database.write() as connection:
            await write_drifts(connection, drifts, events)
            await bind(connection, bindings)
            await owe(connection, owed)
            if mark is not None:
                await write_mark(connection, mark)
            statement = upsert(connection, r.judged_through).values(
                comparison=comparison, service=service, seq=judged_through
            )
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["comparison", "service"],
                    set_={"seq": judged_through},
                    where=r.judged_through.c.seq < judged_through,
                )
            )

    async def judged_through(self) -> dict[tuple[str, str], int]:
        """Return (comparison, service) -> the commit number up to which it is judged."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(r.judged_through))).all()
        return {(row.comparison, row.service): row.seq for row in rows}

    async def register(  # noqa: PLR0913 - one parameter for each filter of the contract
        self,
        *,
        comparison: str | None = None,
        service: str | None = None,
        states: Collection[State] | None = None,
        severities: Collection[Severity] | None = None,
        owner: str | None = None,
        section: SectionName | None = None,
        kind: Kind | None = None,
        opened_before: datetime | None = None,
        limit: int | None = None,
        after: str | None = None,
        with_events: bool = False,
    ) -> list[Drift]:
        """Return drifts, newest id first; ``after`` an id gives those that follow it in that order."""
        query = select(r.drift).order_by(r.drift.c.id.desc()).limit(limit)
        equal = {
            "comparison": comparison,
            "service": service,
            "owner": owner,
            "section": section,
            "kind": kind,
        }
        for name, wanted in equal.items():
            if wanted is not None:
                query = query.where(r.drift.c[name] == wanted)
        if states is not None:
            query = query.where(r.drift.c.state.in_(states))
        if severities is not None:
            query = query.where(r.drift.c.severity.in_(severities))
        if opened_before is not None:
            query = query.where(r.drift.c.opened_at < opened_before)
        if after is not None:
            query = query.where(r.drift.c.id < after)
        return await self._read(query, with_events=with_events)

    async def drift(self, id: str) -> Drift | None:
        """Return one drift with its events."""
        found = await self._read(select(r.drift).where(r.drift.c.id == id), with_events=True)
        return found[0] if found else None

    async def events_of(self, ids: Sequence[str]) -> Mapping[str, list[DriftEvent]]:
        """Return drift id -> all that happened to it, oldest first."""
        async with self._database.read() as connection:
            return await _events(connection, ids)

    async def _read(self, query: Select[Any], *, with_events: bool) -> list[Drift]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
            events = await _events(connection, [row.id for row in rows]) if with_events else {}
        return [_drift(row, events.get(row.id, ())) for row in rows]


async def write_drifts(
    connection: AsyncConnection, drifts: Sequence[Drift], events: Sequence[tuple[str, DriftEvent]]
) -> None:
    """Replace rows of the register and append to their stories."""
    if drifts:
        statement = upsert(connection, r.drift)
        columns = {
            column.name: statement.excluded[column.name] for column in r.drift.c if column.name != "id"
        }
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["id"], set_=columns),
            [_drift_row(drift) for drift in drifts],
        )
    if events:
        await connection.execute(insert(r.drift_event), [_event_row(drift, event) for drift, event in events])


async def _events(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, list[DriftEvent]]:
    found: dict[str, list[DriftEvent]] = {}
    for some in chunks(ids):
        query = select(r.drift_event).where(r.drift_event.c.drift.in_(some)).order_by(r.drift_event.c.id)
        for row in await connection.execute(query):
            event = DriftEvent(
                at=row.at,
                event=row.event,
                actor=row.actor,
                left=row.left,
                right=row.right,
                snapshots=row.snapshots,
                note=row.note,
            )
            found.setdefault(row.drift, []).append(event)
    return found


def _drift_row(drift: Drift) -> dict[str, Any]:
    return {
        "id": drift.id,
        "comparison": drift.comparison,
        **drift.key._asdict(),
        "state": drift.state,
        "severity": drift.severity,
        "owner": drift.owner,
        "opened_at": drift.opened_at,
        "resolved_at": drift.resolved_at,
        "document": dict(drift.item),
        "first_left_at": drift.first_left_at,
        "first_right_at": drift.first_right_at,
        "again": drift.again,
    }


def _event_row(drift: str, event: DriftEvent) -> dict[str, Any]:
    return {
        "drift": drift,
        "at": event.at,
        "event": event.event,
        "actor": event.actor,
        "left": event.left,
        "right": event.right,
        "snapshots": dict(event.snapshots),
        "note": event.note,
    }


def _drift(row: Row[Any], events: Sequence[DriftEvent]) -> Drift:
    return Drift(
        id=row.id,
        comparison=row.comparison,
        key=Key(row.service, row.component, row.section, row.item, row.kind),
        state=row.state,
        severity=row.severity,
        owner=row.owner,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
        item=row.document,
        first_left_at=row.first_left_at,
        first_right_at=row.first_right_at,
        again=row.again,
        events=tuple(events),
    )
