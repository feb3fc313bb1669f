"""Reading history: the values of items over time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, null, select, union, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.canonical import value_bytes
from detector.model.facts import Value
from detector.model.records import Interval
from detector.model.words import SECTIONS, Basis
from detector.store import tables as t
from detector.store.columns import micros, moment
from detector.store.database import Database
from detector.store.interning import Interning, ItemName, chunks, find_items
from detector.store.timeline import Span

#: service, component, section, item
FactKey = tuple[str, str, str, str]
#: (stream, item) -> spans, newest first.
Spans = dict[tuple[int, int], list[Span]]
_EVER: Final = 1 << 62
#: Streams that one statement asks of.
_TOGETHER: Final = 50
#: What is idle has no part in what an environment was.
_TAKES_TRAFFIC: Final = t.stream.c.traffic == "live"


class History:
    """Reads intervals."""

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
        wanted = [t.service.c.name == service, _TAKES_TRAFFIC]
        if environment is not None:
            wanted.append(t.environment.c.name == environment)
        if component is not None:
            wanted.append(t.stream.c.component == component)
        names = [(name, item) for name in ([section] if section is not None else SECTIONS)]
        bound = _EVER if before is None else micros(before)
        found: list[tuple[str, str, str, Interval]] = []
        async with self._database.read() as connection:
            ids = await find_items(connection, names)
            streams = {row.id: row for row in await connection.execute(_streams(*wanted))}
            spans: Spans = {}
            for stream, id_ in product(streams, ids.values()):
                # One by one: the key of the table gives the newest without reading the others.
                spans |= await _spans(connection, [stream], [id_], before=bound, limit=limit)
            for (stream, id_), intervals in (await self._intervals(connection, streams, spans)).items():
                row, name = streams[stream], next(name for name, known in ids.items() if known == id_)
                found += [(row.environment, row.component, name[0], entry) for entry in intervals]
        found.sort(key=lambda entry: entry[3].opened, reverse=True)
        return found[:limit]

    async def values_of(self, environment: str, keys: Collection[FactKey]) -> dict[FactKey, list[Interval]]:
        """Return what each item was over time in one environment, oldest first; nothing for unknown ones."""
        found: dict[FactKey, list[Interval]] = {}
        services = {key[0] for key in keys}
        wanted = (t.environment.c.name == environment, t.service.c.name.in_(services), _TAKES_TRAFFIC)
        async with self._database.read() as connection:
            ids = await find_items(connection, sorted({(section, item) for _, _, section, item in keys}))
            names = {id_: name for name, id_ in ids.items()}
            streams = {row.id: row for row in await connection.execute(_streams(*wanted))}
            asked: dict[tuple[str, str], list[int]] = {}
            for service, component, *name in keys:
                if (id_ := ids.get((name[0], name[1]))) is not None:
                    asked.setdefault((service, component), []).append(id_)
            items = {id_: asked.get((row.service, row.component), []) for id_, row in streams.items()}
            spans = await _spans_of(connection, {id_: some for id_, some in items.items() if some})
            for (stream, id_), intervals in (await self._intervals(connection, streams, spans)).items():
                key = (streams[stream].service, streams[stream].component, *names[id_])
                found.setdefault(key, []).extend(reversed(intervals))
        for intervals in found.values():
            intervals.sort(key=lambda entry: entry.opened)
        return found

    async def timelines(
        self, items: Collection[ItemName], *, services: Collection[str] | None = None
    ) -> dict[tuple[str, FactKey], list[Interval]]:
        """Return (environment, key) -> what items were over time, oldest first, in every environment.

        Of what takes traffic alone, and not of sidecars: what a service is.
        """
        wanted = [_TAKES_TRAFFIC, t.stream.c.component_kind != "sidecar"]
        if services is not None:
            wanted.append(t.service.c.name.in_(services))
        found: dict[tuple[str, FactKey], list[Interval]] = {}
        async with self._database.read() as connection:
            ids = await find_items(connection, sorted(items))
            names = {id_: name for name, id_ in ids.items()}
            every = list(await connection.execute(_streams(*wanted)))
            for rows in chunks(every):
                streams = {row.id: row for row in rows}
                spans = await _spans(connection, list(streams), list(names))
                for (stream, id_), intervals in (await self._intervals(connection, streams, spans)).items():
                    row = streams[stream]
                    key = (row.environment, (row.service, row.component, *names[id_]))
                    found.setdefault(key, []).extend(reversed(intervals))
        for intervals in found.values():
            intervals.sort(key=lambda entry: entry.opened)
        return found

    async def item_names(self, *, service: str | None = None) -> list[str]:
        """Return the names of items that were ever seen, of one service or of all, each once."""
        query = select(t.item.c.name).distinct().order_by(t.item.c.name)
        if service is not None:
            streams = select(t.stream.c.id).join(t.service).where(t.service.c.name == service)
            seen = (
                select(table.c.item).where(table.c.stream.in_(streams)) for table in (t.fact, t.fact_past)
            )
            query = query.where(t.item.c.id.in_(union(*seen)))
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def items_named(self, names: Collection[str]) -> list[ItemName]:
        """Return (section, name) of the items of these names that were ever seen."""
        wanted = [(section, name) for section in SECTIONS for name in names]
        async with self._database.read() as connection:
            return sorted(await find_items(connection, wanted))

    async def _intervals(
        self, connection: AsyncConnection, streams: Mapping[int, Row[Any]], spans: Spans
    ) -> dict[tuple[int, int], list[Interval]]:
        """Return spans as intervals, newest first, adjoining ones of one value joined."""
        every = [span for some in spans.values() for span in some]
        values = await self._interning.values_of(connection, {span.value for span in every})
        numbers = await _numbers(connection, {span.opened_seq for span in every})
        names = await self._interning.names_of(connection, {item for _, item in spans})
        bases = await _bases(connection, self._interning, {stream for stream, _ in spans})
        found: dict[tuple[int, int], list[Interval]] = {}
        for (stream, item), some in spans.items():
            intervals: list[Interval] = []
            for span in some:
                entry = Interval(
                    value=values[span.value].value,
                    opened=moment(span.opened),
                    closed=None if span.closed is None else moment(span.closed),
                    source=streams[stream].source,
                    basis=_basis_at(bases[stream, names[item][0]], span.opened),
                    snapshot=numbers[span.opened_seq],
                )
                newer = intervals[-1] if intervals else None
                if newer is not None and newer.opened == entry.closed and _same(newer.value, entry.value):
                    # Only a hint changed, or a late observation drew a line through one value.
                    intervals[-1] = replace(entry, closed=newer.closed)
                else:
                    intervals.append(entry)
            found[stream, item] = intervals
        return found


def _same(one: Value, other: Value) -> bool:
    """Tell whether two values are one: `True` and `1` are not."""
    return value_bytes(one) == value_bytes(other)


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


async def _spans(
    connection: AsyncConnection,
    streams: Sequence[int],
    items: Sequence[int],
    *,
    before: int = _EVER,
    limit: int | None = None,
) -> Spans:
    """Return what was ever valid of items in streams, newest first. ``limit`` counts closed ones of all."""
    found: Spans = {}
    for some in chunks(items):
        still = select(t.fact).where(
            t.fact.c.stream.in_(streams), t.fact.c.item.in_(some), t.fact.c.opened < before
        )
        past = (
            select(t.fact_past)
            .where(t.fact_past.c.stream.in_(streams), t.fact_past.c.item.in_(some))
            .where(t.fact_past.c.opened < before, t.fact_past.c.closed > t.fact_past.c.opened)
            .order_by(t.fact_past.c.opened.desc())
            .limit(limit)
        )
        for query in (still, past):
            for row in (await connection.execute(query)).mappings():
                span = Span(
                    value=row["value"],
                    opened=row["opened"],
                    opened_seq=row["opened_seq"],
                    closed=row.get("closed"),
                    closed_seq=row.get("closed_seq"),
                )
                found.setdefault((row["stream"], row["item"]), []).append(span)
    return found


async def _spans_of(connection: AsyncConnection, wanted: Mapping[int, Sequence[int]]) -> Spans:
    """Return what was ever valid of some items of each stream, newest first."""
    found: Spans = {}
    names = [*(column.name for column in t.fact.c), "closed", "closed_seq"]
    columns = [t.fact_past.c[name] for name in names]
    for streams in chunks(list(wanted), _TOGETHER):
        still = [
            select(*t.fact.c, null(), null()).where(t.fact.c.stream == stream, t.fact.c.item.in_(some))
            for stream in streams
            for some in chunks(wanted[stream])
        ]
        past = [
            select(*columns)
            .where(t.fact_past.c.stream == stream, t.fact_past.c.item.in_(some))
            .where(t.fact_past.c.closed > t.fact_past.c.opened)
            for stream in streams
            for some in chunks(wanted[stream])
        ]
        rows = [row for query in (still, past) for row in await connection.execute(union_all(*query))]
        for stream, item, value, opened, opened_seq, closed, closed_seq in rows:
            span = Span(
                value=value, opened=opened, opened_seq=opened_seq, closed=closed, closed_seq=closed_seq
            )
            found.setdefault((stream, item), []).append(span)
    for spans in found.values():
        spans.sort(key=lambda span: _EVER if span.closed is None else span.opened, reverse=True)
    return found


async def _bases(
    connection: AsyncConnection, interning: Interning, streams: Collection[int]
) -> dict[tuple[int, str], list[tuple[int, Basis]]]:
    """Return from when on each section of streams had which basis, newest first."""
    rows: list[tuple[int, int, str, int]] = []
    for table in (t.coverage, t.coverage_past):
        query = select(table.c.opened, table.c.stream, table.c.section, table.c.value)
        rows += [tuple(row) for row in await connection.execute(query.where(table.c.stream.in_(streams)))]
    documents: dict[int, Any] = {
        id_: held.value
        for id_, held in (await interning.values_of(connection, {row[3] for row in rows})).items()
    }
    found: dict[tuple[int, str], list[tuple[int, Basis]]] = {}
    for opened, stream, section, value in sorted(rows, reverse=True):
        found.setdefault((stream, section), []).append((opened, documents[value]["basis"]))
    return found


def _basis_at(bases: Sequence[tuple[int, Basis]], at: int) -> Basis:
    return next((basis for opened, basis in bases if opened <= at), bases[-1][1])


async def _numbers(connection: AsyncConnection, seqs: Collection[int]) -> Mapping[int, int]:
    """Return commit number -> number of the snapshot that it made."""
    found: dict[int, int] = {}
    for some in chunks(sorted(seqs)):
        query = select(t.snapshot.c.seq, t.snapshot.c.number).where(t.snapshot.c.seq.in_(some))
        found.update((row.seq, row.number) for row in await connection.execute(query))
    return found
