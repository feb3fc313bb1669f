"""Streams in memory: what the writer must know to tell that nothing changed."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.facts import Observation
from detector.model.records import Stream
from detector.store import tables as t
from detector.store.fold import Facts, Settled
from detector.store.interning import Document, Interning
from detector.store.ring import Ring, decode

#: Facts held in memory over all streams: about 100 bytes each.
_FACTS: Final = 1_000_000


class StreamKey(NamedTuple):
    """What makes a stream: who is looked at, and by which source."""

    environment: str
    service: str
    component: str
    source: str
    traffic: str

    @staticmethod
    def of(observation: Observation | Stream) -> "StreamKey":
        """Return the stream that an observation belongs to, or that a record is of."""
        return StreamKey(
            observation.environment,
            observation.service,
            observation.component,
            observation.source,
            observation.traffic,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A stream as the writer knows it. ``ring`` may be ahead of the database until the next flush."""

    id: int
    environment: int
    component_kind: str
    ring: Ring
    settled: Settled
    changed_seq: int
    #: The number of the environment's snapshot that the last change made.
    changed_number: int
    #: Observations that came too late to be put in order.
    late: int = 0
    #: Digest of the text that brought the newest observation, where there was one; empty after a start.
    wording: bytes = b""

    def seen(self, ring: Ring, *, late: int, wording: bytes) -> "Known":
        """Return it after one more observation that changed nothing."""
        return Known(
            id=self.id,
            environment=self.environment,
            component_kind=self.component_kind,
            ring=ring,
            settled=self.settled,
            changed_seq=self.changed_seq,
            changed_number=self.changed_number,
            late=late,
            wording=wording,
        )


class Streams:
    """The least recently used streams leave first; those that wait for a flush stay."""

    def __init__(self) -> None:
        self._known: OrderedDict[StreamKey, Known] = OrderedDict()
        self._facts = 0
        #: Streams whose row in the database is behind.
        self.touched: dict[int, StreamKey] = {}

    def get(self, key: StreamKey) -> Known | None:
        """Return a stream that is in memory."""
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
        return known

    def put(self, key: StreamKey, known: Known) -> None:
        """Keep a stream."""
        self._facts += _size(known) - self._forget(key)
        self._known[key] = known
        if self._facts > _FACTS:
            self._drop()

    def touch(self, key: StreamKey, known: Known) -> None:
        """Keep a stream that was seen again, until the next flush at least: its facts are what they were."""
        self._known[key] = known
        self.touched[known.id] = key

    def forget(self, services: Collection[str]) -> None:
        """Drop every stream of some services."""
        for key in [key for key in self._known if key.service in services]:
            self.touched.pop(self._known[key].id, None)
            self._facts -= self._forget(key)

    def _forget(self, key: StreamKey) -> int:
        old = self._known.pop(key, None)
        return 0 if old is None else _size(old)

    def _drop(self) -> None:
        for key in list(self._known)[:-1]:
            if self._known[key].id not in self.touched:
                self._facts -= self._forget(key)
            if self._facts <= _FACTS:
                return


def _size(known: Known) -> int:
    return 1 + sum(map(len, known.settled.facts.values()))


async def load(connection: AsyncConnection, interning: Interning, key: StreamKey) -> Known | None:
    """Return a stream from the database, None for one that was never recorded."""
    query = (
        select(t.stream, t.stream_state)
        .join(t.stream_state, t.stream_state.c.stream == t.stream.c.id)
        .join(t.environment, t.environment.c.id == t.stream.c.environment)
        .join(t.service, t.service.c.id == t.stream.c.service)
        .where(
            t.environment.c.name == key.environment,
            t.service.c.name == key.service,
            t.stream.c.component == key.component,
            t.stream.c.source == key.source,
            t.stream.c.traffic == key.traffic,
        )
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    return Known(
        id=row["id"],
        environment=row["environment"],
        component_kind=row["component_kind"],
        ring=decode(row["ring"]),
        settled=await _settled(connection, interning, row["id"]),
        changed_seq=row["changed_seq"],
        changed_number=row["changed_number"],
        late=row["late"],
    )


async def _settled(connection: AsyncConnection, interning: Interning, stream: int) -> Settled:
    rows = (
        await connection.execute(select(t.fact.c.item, t.fact.c.value).where(t.fact.c.stream == stream))
    ).all()
    names = await interning.names_of(connection, [item for item, _ in rows])
    facts: dict[str, dict[int, int]] = {}
    for item, value in rows:
        facts.setdefault(names[item][0], {})[item] = value
    covered = await connection.execute(
        select(t.coverage.c.section, t.coverage.c.value).where(t.coverage.c.stream == stream)
    )
    coverage: dict[str, int] = {row.section: row.value for row in covered}
    documents = await documents_of(connection, interning, coverage.values())
    newest = (
        select(t.unsaid.c.document)
        .where(t.unsaid.c.stream == stream)
        .order_by(t.unsaid.c.since.desc())
        .limit(1)
    )
    return settled_of(facts, coverage, documents, (await connection.execute(newest)).scalar_one_or_none())


async def documents_of(
    connection: AsyncConnection, interning: Interning, coverages: Collection[int]
) -> dict[int, Document]:
    """Return what coverages say, by id."""
    found: dict[int, Any] = {
        id_: held.value for id_, held in (await interning.values_of(connection, set(coverages))).items()
    }
    return found


def unsaid_document(settled: Settled) -> dict[str, Any]:
    """Return what a state holds although the last observation did not say it, as JSON."""
    return {
        "held": {section: sorted(items) for section, items in sorted(settled.held.items())},
        "carried": sorted(settled.carried),
        "left_out": sorted(settled.left_out),
    }


def settled_of(
    facts: Mapping[str, Facts],
    coverage: Mapping[str, int],
    documents: Mapping[int, Document],
    unsaid: dict[str, Any] | None,
) -> Settled:
    """Return a state from what is stored of it. ``documents`` are its coverages by id."""
    failed = (section for section, id_ in coverage.items() if documents[id_]["status"] == "failed")
    unsaid = unsaid or unsaid_document(Settled())
    return Settled(
        facts=facts,
        coverage=coverage,
        held={section: frozenset(items) for section, items in unsaid["held"].items()},
        carried=frozenset(unsaid["carried"]),
        left_out=frozenset(unsaid["left_out"]),
        failed=frozenset(failed),
    )
