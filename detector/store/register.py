"""The register of drifts: its rows, their append-only events, and how far commits are judged."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """All that one judgement of one service in one comparison changed."""

    comparison: str
    service: str
    #: The commit up to which it is judged now.
    judged_through: int
    #: Rows that take the place of those with their ids.
    drifts: Sequence[Drift] = ()
    #: What is appended to the drift that each names.
    events: Sequence[tuple[str, DriftEvent]] = ()
    #: What enters the outbox.
    owed: Sequence[Owed] = ()
    #: What enters the trend of scores where it says something new.
    mark: ScoreMark | None = None
    #: What begins or ends to be accepted.
    bindings: Sequence[Binding] = ()


class Register:
    """Writes verdicts that became drift, and reads them back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @to_the_end
    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """Write all that some judgements changed, in one commit; nothing for none.

        A kill before the commit leaves all of them behind in ``judged_through``, so each is judged again.
        """
        if not settlements:
            return
        async with self._database.write() as connection:
            await write_drifts(
                connection,
                [drift for one in settlements for drift in one.drifts],
                [event for one in settlements for event in one.events],
            )
            await bind(connection, [binding for one in settlements for binding in one.bindings])
            await owe(connection, [owed for one in settlements for owed in one.owed])
            for one in settlements:
                if one.mark is not None:
                    await write_mark(connection, one.mark)
            await _write_judged(connection, settlements)

    async def judged_through(self, *, services: Collection[str] | None = None) -> dict[tuple[str, str], int]:
        """Return (comparison, service) -> the commit number up to which it is judged."""
        query = select(r.judged_through)
        if services is not None:
            query = query.where(r.judged_through.c.service.in_(services))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {(row.comparison, row.service): row.seq for row in rows}

    async def register(  # noqa: PLR0913 - one parameter for each filter of the contract
        self,
        *,
        comparison: str | Collection[str] | None = None,
        service: str | Collection[str] | None = None,
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
        """Return drifts, newest id first; ``after`` an id gives those that follow it in that order.

        Several comparisons or services may be asked for at once.
        """
        query = select(r.drift).order_by(r.drift.c.id.desc()).limit(limit)
        equal: dict[str, str | Collection[str] | None] = {
            "comparison": comparison,
            "service": service,
            "owner": owner,
            "section": section,
            "kind": kind,
        }
        for name, wanted in equal.items():
            if isinstance(wanted, str):
                query = query.where(r.drift.c[name] == wanted)
            elif wanted is not None:
                query = query.where(r.drift.c[name].in_(wanted))
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


async def _write_judged(connection: AsyncConnection, settlements: Sequence[Settlement]) -> None:
    statement = upsert(connection, r.judged_through)
    seq = statement.excluded.seq
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["comparison", "service"], set_={"seq": seq}, where=r.judged_through.c.seq < seq
        ),
        [
            {"comparison": one.comparison, "service": one.service, "seq": one.judged_through}
            for one in settlements
        ],
    )


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
