"""The history of one stream, read and rewritten as spans."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Table, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.store import tables as t
from detector.store.fold import Settled
from detector.store.interning import Document, Interning
from detector.store.memory import documents_of, settled_of
from detector.store.saying import Names
from detector.store.timeline import Span

K = TypeVar("K", int, str)

FACTS = (t.fact, t.fact_past)
COVERAGE = (t.coverage, t.coverage_past)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was valid in a stream from one time on: item -> spans, section -> spans."""

    facts: Mapping[int, list[Span]]
    coverage: Mapping[str, list[Span]]
    #: (since, what states from then on held unsaid), oldest first.
    unsaid: Sequence[tuple[int, dict[str, Any]]]
    names: Names
    #: The coverages by id.
    documents: Mapping[int, Document]

    def at(self, when: int) -> Settled:
        """Return the state at one time."""
        facts: dict[str, dict[int, int]] = {}
        for item, value in _valid(self.facts, when):
            facts.setdefault(self.names[item][0], {})[item] = value
        unsaid = [document for since, document in self.unsaid if since <= when]
        coverage = dict(_valid(self.coverage, when))
        return settled_of(facts, coverage, self.documents, unsaid[-1] if unsaid else None)


async def read_past(connection: AsyncConnection, interning: Interning, stream: int, *, since: int) -> Past:
    """Return what was valid in a stream at a time, and ever after."""
    facts: dict[int, list[Span]] = await _spans(connection, FACTS, t.fact.c.item.name, stream, since)
    coverage: dict[str, list[Span]] = await _spans(connection, COVERAGE, "section", stream, since)
    unsaid = await connection.execute(
        select(t.unsaid.c.since, t.unsaid.c.document)
        .where(t.unsaid.c.stream == stream)
        .order_by(t.unsaid.c.since)
    )
    return Past(
        facts=facts,
        coverage=coverage,
        unsaid=[(start, document) for start, document in unsaid],
        names=await interning.names_of(connection, facts),
        documents=await documents_of(connection, interning, {span.value for _, span in _each(coverage)}),
    )


async def _spans(
    connection: AsyncConnection, tables: tuple[Table, Table], key: str, stream: int, since: int
) -> dict[Any, list[Span]]:
    opened, past = tables
    found: dict[Any, list[Span]] = {}
    ended = select(
        past.c[key], past.c.value, past.c.opened, past.c.opened_seq, past.c.closed, past.c.closed_seq
    ).where(past.c.stream == stream, past.c.closed >= since, past.c.closed > past.c.opened)
    for name, value, start, start_seq, end, end_seq in await connection.execute(ended):
        span = Span(value=value, opened=start, opened_seq=start_seq, closed=end, closed_seq=end_seq)
        found.setdefault(name, []).append(span)
    still = select(opened.c[key], opened.c.value, opened.c.opened, opened.c.opened_seq)
    for name, value, start, start_seq in await connection.execute(still.where(opened.c.stream == stream)):
        found.setdefault(name, []).append(Span(value=value, opened=start, opened_seq=start_seq))
    return found


async def write_spans(
    connection: AsyncConnection,
    tables: tuple[Table, Table],
    stream: int,
    *,
    old: Mapping[K, Collection[Span]],
    new: Mapping[K, Collection[Span]],
) -> None:
    """Put new spans in place of old ones."""
    opened, past = tables
    key = "item" if "item" in opened.c else "section"
    here = (opened.c.stream == stream, opened.c[key] == bindparam("k"))
    there = (
        past.c.stream == stream,
        past.c[key] == bindparam("k"),
        past.c.opened == bindparam("o"),
        past.c.opened_seq == bindparam("q"),
    )
    ended = [{"k": name, "o": s.opened, "q": s.opened_seq} for name, s in _each(old) if s.closed is not None]
    still = [{"k": name} for name, s in _each(old) if s.closed is None]
    if ended:
        await connection.execute(delete(past).where(*there), ended)
    if still:
        await connection.execute(delete(opened).where(*here), still)
    open_rows = [{"stream": stream, key: name, **_columns(s)} for name, s in _each(new) if s.closed is None]
    past_rows = [
        {"stream": stream, key: name, **_columns(s), "closed": s.closed, "closed_seq": s.closed_seq}
        for name, s in _each(new)
        if s.closed is not None
    ]
    if past_rows:
        await connection.execute(insert(past), past_rows)
    if open_rows:
        await connection.execute(insert(opened), open_rows)


def _columns(span: Span) -> dict[str, int]:
    return {"value": span.value, "opened": span.opened, "opened_seq": span.opened_seq}


def _each(spans: Mapping[K, Collection[Span]]) -> Iterator[tuple[K, Span]]:
    return ((name, span) for name, some in spans.items() for span in some)


def _valid(spans: Mapping[K, Collection[Span]], when: int) -> Iterator[tuple[K, int]]:
    for name, span in _each(spans):
        if span.opened <= when and (span.closed is None or when < span.closed):
            yield name, span.value
