"""Reading history: the values of items over time, and the snapshots of environments."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.records import Interval, Snapshot
from detector.model.words import SECTIONS
from detector.store import tables as t
from detector.store.columns import micros, moment
from detector.store.database import Database
from detector.store.interning import Interning, chunks, find_items
from detector.store.timeline import Span

#: service, component, section, item
FactKey = tuple[str, str, str, str]
_EVER: Final = 1 << 62


class History:
    """Reads intervals and snapshots."""

    def __init__(self, database: Database, interning: Interning) -> None:
        self._database = database
        self._interning = interning

    async def history(
        self,
        *,
        service: str,
        item: str,
        environment: str | None = None,
        section: str | None = None,
        component: str | None = None,
        limit: int,
        before: datetime | None = None,
    ) -> list[tuple[str, str, str, Interval]]:
        """Return (environment, component, section, interval) of an item, those opened last first.

        ``before`` gives only what was opened before that time.
        """
        wanted = [t.service.c.name == service]
        if environment is not None:
            wanted.append(t.environment.c.name == environment)
        if component is not None:
            wanted.append(t.stream.c.component == component)
        names = [(name, item) for name in ([section] if section is not None else SECTIONS)]
        bound = _EVER if before is None else micros(before)
        found: list[tuple[str, str, str, Interval]] = []
        async with self._database.read() as connection:
            ids = await find_items(connection, names)
            streams = (await connection.execute(_streams(*wanted))).all()
            for (name, _), id_ in ids.items():
                for stream in streams:
                    spans = await _spans(connection, stream.id, id_, bound, limit)
                    intervals = await self._intervals(connection, stream, name, spans)
                    found += [(stream.environment, stream.component, name, entry) for entry in intervals]
        found.sort(key=lambda entry: entry[3].opened, reverse=True)
        return found[:limit]

    async def values_of(self, environment: str, keys: Collection[FactKey]) -> dict[FactKey, list[Interval]]:
        """Return what each item was over time in one environment, oldest first; nothing for unknown ones."""
        found: dict[FactKey, list[Interval]] = {}
        async with self._database.read() as connection:
            ids = await find_items(connection, sorted({(section, item) for _, _, section, item in keys}))
            wanted = (t.environment.c.name == environment, t.service.c.name.in_({key[0] for key in keys}))
            streams: dict[tuple[str, str], list[Any]] = {}
            for stream in await connection.execute(_streams(*wanted)):
                streams.setdefault((stream.service, stream.component), []).append(stream)
            for key in keys:
                service, component, section, item = key
                if (id_ := ids.get((section, item))) is None:
                    continue
                for stream in streams.get((service, component), ()):
                    spans = await _spans(connection, stream.id, id_, _EVER, None)
                    found.setdefault(key, []).extend(
                        await self._intervals(connection, stream, section, spans)
                    )
        for intervals in found.values():
            intervals.sort(key=lambda entry: entry.opened)
        return {key: intervals for key, intervals in found.items() if intervals}

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

    async def _intervals(
        self, connection: AsyncConnection, stream: Any, section: str, spans: Iterable[Span]
    ) -> list[Interval]:
        spans = list(spans)
        if not spans:
            return []
        values = await self._interning.values_of(connection, {span.value for span in spans})
        bases = await _bases(connection, self._interning, stream.id, section)
        numbers = await _numbers(connection, {span.opened_seq for span in spans})
        intervals: list[Interval] = []
        for span in spans:
            entry = Interval(
                value=values[span.value].value,
                opened=moment(span.opened),
                closed=None if span.closed is None else moment(span.closed),
                source=stream.source,
                basis=next((basis for opened, basis in bases if opened <= span.opened), bases[-1][1]),
                snapshot=numbers[span.opened_seq],
            )
            newer = intervals[-1] if intervals else None
            if newer is not None and newer.opened == entry.closed and newer.value == entry.value:
                # Only a hint changed, or a late observation drew a line through one value.
                intervals[-1] = _joined(entry, newer)
            else:
                intervals.append(entry)
        return intervals


def _joined(older: Interval, newer: Interval) -> Interval:
    return Interval(
        value=older.value,
        opened=older.opened,
        closed=newer.closed,
        source=older.source,
        basis=older.basis,
        snapshot=older.snapshot,
    )


def _streams(*wanted: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            t.stream.c.id,
            t.environment.c.name.label("environment"),
            t.service.c.name.label("service"),
            t.stream.c.component,
            t.stream.c.source,
        )
        .select_from(t.stream)
        .join(t.environment, t.environment.c.id == t.stream.c.environment)
        .join(t.service, t.service.c.id == t.stream.c.service)
        .where(*wanted)
        .order_by(t.stream.c.id)
    )


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


async def _spans(
    connection: AsyncConnection, stream: int, item: int, bound: int, limit: int | None
) -> list[Span]:
    """Return what was ever valid of one item in one stream, newest first."""
    still = select(t.fact).where(t.fact.c.stream == stream, t.fact.c.item == item, t.fact.c.opened < bound)
    past = (
        select(t.fact_past)
        .where(t.fact_past.c.stream == stream, t.fact_past.c.item == item, t.fact_past.c.opened < bound)
        .where(t.fact_past.c.closed > t.fact_past.c.opened)
        .order_by(t.fact_past.c.opened.desc())
        .limit(limit)
    )
    spans = [
        Span(value=row.value, opened=row.opened, opened_seq=row.opened_seq)
        for row in await connection.execute(still)
    ]
    return spans + [
        Span(
            value=row.value,
            opened=row.opened,
            opened_seq=row.opened_seq,
            closed=row.closed,
            closed_seq=row.closed_seq,
        )
        for row in await connection.execute(past)
    ]


async def _bases(
    connection: AsyncConnection, interning: Interning, stream: int, section: str
) -> list[tuple[int, Any]]:
    """Return from when on a section had which basis, newest first."""
    rows: list[tuple[int, int]] = []
    for table in (t.coverage, t.coverage_past):
        query = select(table.c.opened, table.c.value).where(
            table.c.stream == stream, table.c.section == section
        )
        rows += [(opened, value) for opened, value in await connection.execute(query)]
    documents = await interning.values_of(connection, {value for _, value in rows})
    found: list[tuple[int, Any]] = [
        (opened, _basis(documents[value].value)) for opened, value in sorted(rows, reverse=True)
    ]
    return found


def _basis(document: Any) -> Any:
    return document["basis"]


async def _numbers(connection: AsyncConnection, seqs: Collection[int]) -> Mapping[int, int]:
    """Return commit number -> number of the snapshot that it made."""
    found: dict[int, int] = {}
    for some in chunks(sorted(seqs)):
        query = select(t.snapshot.c.seq, t.snapshot.c.number).where(t.snapshot.c.seq.in_(some))
        found.update((row.seq, row.number) for row in await connection.execute(query))
    return found
