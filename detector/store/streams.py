"""Reading streams: as they are, as they were at a time, as they were known at a snapshot."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import NotFoundError
from detector.model.facts import Section, Unseen
from detector.model.items import matches
from detector.model.records import Stream
from detector.model.words import SectionName, Traffic
from detector.store import tables as t
from detector.store.columns import micros, moment
from detector.store.database import Database
from detector.store.interning import Held, Interning, ItemName, chunks
from detector.store.memory import Known, StreamKey
from detector.store.milestones import PRUNED, dropped, read_milestone
from detector.store.past import COVERAGE, FACTS
from detector.store.ring import RING, Ring, decode, newest

#: Which rows of an open or a closed table are meant.
Meant = Callable[[Table], tuple[ColumnElement[bool], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """The state that is asked for: the rows that hold it, and the time that a stream cannot be newer than."""

    meant: Meant
    latest: int | None
    past: bool


class StreamReads:
    """Reads streams back as records."""

    def __init__(
        self, database: Database, interning: Interning, ahead: Callable[[], Mapping[int, Known]]
    ) -> None:
        self._database = database
        self._interning = interning
        self._ahead = ahead

    async def streams(
        self,
        *,
        environments: Collection[str] | None = None,
        services: Collection[str] | None = None,
        traffic: Collection[Traffic] | None = None,
        as_of: datetime | None = None,
        snapshot: tuple[str, int] | None = None,
        at_hand: Mapping[StreamKey, Stream] | None = None,
        items: Collection[str] | None = None,
    ) -> list[Stream]:
        """Return streams with the sections that they hold; of a past state, where they are named, only with
        the facts of some ``items``.

        What ``at_hand`` knows of the present is not read again where nothing changed since; a stream that
        was not even seen again is the very same object.

        ``as_of`` gives what was so at a time, as known now; ``snapshot`` (environment, number) what was known
        then, of that environment alone. A stream that had seen nothing is left out of both. Raises
        NotFoundError for a number that the environment has not reached, and for what is not kept any more.
        """
        async with self._database.read() as connection:
            if snapshot is not None:
                when = await _snapshot(connection, *snapshot)
                environments = [snapshot[0]]
            else:
                when = _now() if as_of is None else await _as_of(connection, as_of)
            rows = (await connection.execute(_query(environments, services, traffic))).all()
            same = _unchanged(rows, at_hand) if at_hand and not when.past else {}
            ids = [row.id for row in rows if row.id not in same]
            facts = await self._facts(connection, ids, when.meant if items is None else _of(items, when))
            coverage = await self._coverage(connection, ids, when.meant)
            unsaid = {} if when.past else await _unsaid(connection, ids)
            silent = await self._interning.names_of(
                connection, {item for document in unsaid.values() for item in _silent(document)}
            )
        ahead = {} if when.past else self._ahead()
        found: list[Stream] = []
        for row in rows:
            newer = ahead.get(row.id)
            if newer is not None and not _is_ahead(newer, row):
                newer = None
            if row.id in same:
                found.append(_seen_again(same[row.id], row, newer))
                continue
            facts_of = facts.get(row.id, {})
            sections = {
                section: _section(document, facts_of.get(section, {}))
                for section, document in coverage.get(row.id, ())
            }
            if when.past and not sections:
                continue
            document = unsaid.get(row.id, {"held": {}, "carried": []})
            held = _by_section((item for items in document["held"].values() for item in items), silent)
            carried = _in_doubt(sections) if when.past else _by_section(document["carried"], silent)
            ring = newer.ring if newer is not None else decode(row.ring)
            found.append(_stream(row, sections, ring, when, held=held, carried=carried))
        return found

    async def changed_seqs(self, *, services: Collection[str] | None = None) -> dict[tuple[str, str], int]:
        """Return (environment, service) -> the newest commit number that changed it."""
        query = (
            select(t.environment.c.name, t.service.c.name, t.stream_state.c.changed_seq)
            .select_from(t.stream_state)
            .join(t.stream, t.stream.c.id == t.stream_state.c.stream)
            .join(t.environment, t.environment.c.id == t.stream.c.environment)
            .join(t.service, t.service.c.id == t.stream.c.service)
        )
        if services is not None:
            query = query.where(t.service.c.name.in_(services))
        found: dict[tuple[str, str], int] = {}
        async with self._database.read() as connection:
            for environment, service, seq in await connection.execute(query):
                found[environment, service] = max(seq, found.get((environment, service), 0))
        return found

    async def services(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return every service with the environments that it was seen in, both by name."""
        query = (
            select(t.service.c.name, t.environment.c.name)
            .select_from(t.stream)
            .join(t.environment, t.environment.c.id == t.stream.c.environment)
            .join(t.service, t.service.c.id == t.stream.c.service)
            .distinct()
            .order_by(t.service.c.name, t.environment.c.name)
        )
        found: dict[str, list[str]] = {}
        async with self._database.read() as connection:
            for service, environment in await connection.execute(query):
                found.setdefault(service, []).append(environment)
        return [(service, tuple(environments)) for service, environments in found.items()]

    async def _facts(
        self, connection: AsyncConnection, ids: Sequence[int], meant: Meant
    ) -> dict[int, dict[str, dict[str, Held]]]:
        """Return stream -> section -> name -> value."""
        rows = await _rows(connection, FACTS, "item", ids, meant)
        names = await self._interning.names_of(connection, {item for _, item, _ in rows})
        values = await self._interning.values_of(connection, {value for _, _, value in rows})
        found: dict[int, dict[str, dict[str, Held]]] = {}
        for stream, item, value in rows:
            section, name = names[item]
            try:
                found[stream][section][name] = values[value]
            except KeyError:  # the first of a section: there are few
                found.setdefault(stream, {}).setdefault(section, {})[name] = values[value]
        return found

    async def _coverage(
        self, connection: AsyncConnection, ids: Sequence[int], meant: Meant
    ) -> dict[int, list[tuple[SectionName, Any]]]:
        """Return stream -> (section, what is said of it)."""
        rows = await _rows(connection, COVERAGE, "section", ids, meant)
        values = await self._interning.values_of(connection, {value for _, _, value in rows})
        found: dict[int, list[tuple[SectionName, Any]]] = {}
        for stream, section, value in rows:
            found.setdefault(stream, []).append((section, values[value].value))
        return found


async def _rows(
    connection: AsyncConnection, tables: tuple[Table, Table], key: str, ids: Sequence[int], meant: Meant
) -> list[tuple[int, Any, int]]:
    """Return (stream, key, value)."""
    found: list[Any] = []
    for some in chunks(ids):
        parts = [
            select(table.c.stream, table.c[key], table.c.value).where(table.c.stream.in_(some), *where)
            for table in tables
            if (where := meant(table)) or table is tables[0]
        ]
        query = union_all(*parts) if len(parts) > 1 else parts[0]
        # At once: row by row each would be a turn of the loop.
        found += (await connection.execute(query)).all()
    return found


def _unchanged(rows: Iterable[Row[Any]], at_hand: Mapping[StreamKey, Stream]) -> dict[int, Stream]:
    """Return the streams at hand that say what the database says.

    One commit and one digest is one content: what holds or carries items has another digest.
    """
    found: dict[int, Stream] = {}
    for row in rows:
        known = at_hand.get(StreamKey(row.environment, row.service, row.component, row.source, row.traffic))
        if (
            known is not None
            and known.changed_seq == row.changed_seq
            and known.digest == newest(row.ring).digest.hex()
        ):
            found[row.id] = known
    return found


def _is_ahead(newer: Known, row: Row[Any]) -> bool:
    """Tell whether a ring in memory speaks of what was read, and not of a commit after it."""
    return newer.changed_seq == row.changed_seq and newer.ring[-1].digest == newest(row.ring).digest


def _seen_again(known: Stream, row: Row[Any], newer: Known | None) -> Stream:
    """Return a stream with the times at which it was seen by now; itself where there is no new one."""
    last = newer.ring[-1] if newer is not None else newest(row.ring)
    if moment(last.at) == known.last_seen and row.component_kind == known.component_kind:
        return known
    ring = newer.ring if newer is not None else decode(row.ring)
    return replace(
        known,
        component_kind=row.component_kind,
        last_seen=moment(last.at),
        seen_at=tuple(moment(entry.at) for entry in ring[-RING:]),
    )


def _now() -> _Moment:
    return _Moment(meant=lambda _: (), latest=None, past=False)


def _of(items: Collection[str], when: _Moment) -> Meant:
    """Narrow the rows of facts to some items."""
    ids = select(t.item.c.id).where(t.item.c.name.in_(items))

    def meant(table: Table) -> tuple[ColumnElement[bool], ...]:
        return (*when.meant(table), table.c.item.in_(ids))

    return meant


async def _as_of(connection: AsyncConnection, time: datetime) -> _Moment:
    pruned = await read_milestone(connection, PRUNED)
    if pruned is not None and time < pruned.at:
        raise dropped(pruned)
    at = micros(time)

    def valid(table: Table) -> tuple[ColumnElement[bool], ...]:
        begun = table.c.opened <= at
        return (begun, table.c.closed > at) if "closed" in table.c else (begun,)

    return _Moment(meant=valid, latest=at, past=True)


async def _snapshot(connection: AsyncConnection, environment: str, number: int) -> _Moment:
    query = (
        select(t.snapshot.c.seq, t.snapshot.c.received_at)
        .join(t.environment, t.environment.c.id == t.snapshot.c.environment)
        .where(t.environment.c.name == environment, t.snapshot.c.number == number)
    )
    row = (await connection.execute(query)).one_or_none()
    pruned = await read_milestone(connection, PRUNED)
    if pruned is not None and row is not None and row.seq < (pruned.seq or 0):
        raise dropped(pruned)
    if row is None:
        raise NotFoundError(f"{environment} has no snapshot #{number}")
    seq = row.seq

    def known(table: Table) -> tuple[ColumnElement[bool], ...]:
        begun = table.c.opened_seq <= seq
        return (begun, table.c.closed_seq > seq) if "closed_seq" in table.c else (begun,)

    return _Moment(meant=known, latest=micros(row.received_at), past=True)


def _query(
    environments: Collection[str] | None,
    services: Collection[str] | None,
    traffic: Collection[Traffic] | None,
) -> Select[Any]:
    query = (
        select(
            t.stream.c.id,
            t.environment.c.name.label("environment"),
            t.service.c.name.label("service"),
            t.stream.c.component,
            t.stream.c.component_kind,
            t.stream.c.traffic,
            t.stream.c.source,
            t.stream_state.c.ring,
            t.stream_state.c.changed_seq,
        )
        .select_from(t.stream)
        .join(t.stream_state, t.stream_state.c.stream == t.stream.c.id)
        .join(t.environment, t.environment.c.id == t.stream.c.environment)
        .join(t.service, t.service.c.id == t.stream.c.service)
        .order_by(t.stream.c.id)
    )
    if environments is not None:
        query = query.where(t.environment.c.name.in_(environments))
    if services is not None:
        query = query.where(t.service.c.name.in_(services))
    if traffic is not None:
        query = query.where(t.stream.c.traffic.in_(traffic))
    return query


async def _unsaid(connection: AsyncConnection, ids: list[int]) -> dict[int, dict[str, Any]]:
    """Return what streams hold although nobody says it now: the newest row of each counts."""
    found: dict[int, dict[str, Any]] = {}
    for some in chunks(ids):
        query = select(t.unsaid.c.stream, t.unsaid.c.document).where(t.unsaid.c.stream.in_(some))
        rows = (await connection.execute(query.order_by(t.unsaid.c.since))).all()
        found.update({row.stream: row.document for row in rows})
    return found


def _silent(document: Mapping[str, Any]) -> Iterator[int]:
    """Return the items of a state that its last observation did not say."""
    yield from document["carried"]
    for items in document["held"].values():
        yield from items


def _by_section(items: Iterable[int], names: Mapping[int, ItemName]) -> dict[Any, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for item in items:
        section, name = names[item]
        found.setdefault(section, set()).add(name)
    return {section: frozenset(some) for section, some in found.items()}


def _in_doubt(sections: Mapping[SectionName, Section]) -> dict[SectionName, frozenset[str]]:
    """Return the items of a past state that stood under a part which was not seen then.

    Which of them were only remembered is not kept: each is taken for unknown, and none for seen.
    """
    found: dict[SectionName, frozenset[str]] = {}
    for name, section in sections.items():
        globs = [part.item for part in section.unseen]
        if not globs:
            continue
        if items := frozenset(item for item in section.facts if any(matches(glob, item) for glob in globs)):
            found[name] = items
    return found


def _section(document: Any, facts: Mapping[str, Held]) -> Section:
    return Section(
        basis=document["basis"],
        status=document["status"],
        facts={name: held.value for name, held in facts.items()},
        hints={name: held.hints for name, held in facts.items() if held.hints},
        covers=tuple(document["covers"]),
        sees=tuple(document["sees"]),
        unseen=tuple(Unseen(**entry) for entry in document["unseen"]),
        reads=document["reads"],
        gone=document.get("gone", False),
    )


def _stream(
    row: Row[Any],
    sections: dict[Any, Section],
    ring: Ring,
    when: _Moment,
    *,
    held: dict[Any, frozenset[str]],
    carried: dict[Any, frozenset[str]],
) -> Stream:
    seen = [entry for entry in ring[-RING:] if when.latest is None or entry.at <= when.latest]
    last_seen = ring[-1].at if when.latest is None else min(when.latest, ring[-1].at)
    return Stream(
        environment=row.environment,
        service=row.service,
        component=row.component,
        component_kind=row.component_kind,
        traffic=row.traffic,
        source=row.source,
        sections=sections,
        digest="" if when.past else ring[-1].digest.hex(),
        last_seen=moment(last_seen),
        seen_at=tuple(moment(entry.at) for entry in seen),
        changed_seq=0 if when.past else row.changed_seq,
        held=held,
        carried=carried,
    )
