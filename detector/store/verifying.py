"""Whether what is stored can be true: pages, keys, and the laws that every row of history keeps."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    and_,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

import detector.store.register_tables as r
from detector.store import tables as t
from detector.store.interning import value_digest
from detector.store.location import Location
from detector.store.milestones import PRUNED, read_milestone
from detector.store.past import COVERAGE, FACTS

_OVER: Final = ("resolved", "withdrawn")
#: Events that begin or end the state of a drift, and the states that each may leave behind.
_LEADS_TO: Final = {
    "opened": ("pending", "open"),
    "reopened": ("pending", "open"),
    "confirmed": ("open",),
    "accepted": ("accepted",),
    "resolved": ("resolved",),
    "withdrawn": ("withdrawn",),
    "backdated": ("pending", "resolved", "withdrawn"),
}
#: Rows that are read at a time.
_READ: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One law, and how many rows break it, the first of them named."""

    law: str
    broken: int = 0
    example: str = ""


async def checks(connection: AsyncConnection, location: Location) -> AsyncIterator[Check]:
    """Check everything, one law after the other."""
    damages = await location.damages(connection)
    yield Check(law="every page and key is sound", broken=len(damages), example=next(iter(damages), ""))
    yield await _values(connection)
    for tables, what in ((FACTS, "facts"), (COVERAGE, "coverages")):
        yield await _counted(connection, f"no two {what} of one item hold at one time", _overlaps(*tables))
        yield await _counted(connection, f"{what} that hold stand apart from past ones", _not_apart(*tables))
    yield await _counted(connection, "every fact is of a section that was looked at", _uncovered())
    yield await _counted(connection, "every fact came with a snapshot", _without_snapshot())
    pruned = await read_milestone(connection, PRUNED)
    since = pruned.seq if pruned is not None and pruned.seq is not None else 0
    law = "snapshots are numbered without a gap" + (", since they are kept" if since else "")
    yield await _counted(connection, law, _gaps(since))
    yield await _counted(connection, "no stream is ahead of the snapshots", _ahead())
    yield await _counted(connection, "every drift has the state that its events led to", _untold())


async def _counted(connection: AsyncConnection, law: str, query: Select[Any]) -> Check:
    found = query.subquery()
    count = (await connection.execute(select(func.count()).select_from(found))).scalar_one()
    if not count:
        return Check(law=law)
    row = (await connection.execute(select(found).limit(1))).mappings().one()
    return Check(law=law, broken=count, example=", ".join(f"{name} {word}" for name, word in row.items()))


async def _values(connection: AsyncConnection) -> Check:
    """Compare each value with the digest that it was stored under."""
    broken: list[int] = []
    last = -1
    while True:
        query = select(t.value).where(t.value.c.id > last).order_by(t.value.c.id).limit(_READ)
        rows = (await connection.execute(query)).all()
        if not rows:
            break
        last = rows[-1].id
        broken += [row.id for row in rows if row.digest != value_digest(row.body, row.hints)]
    example = f"value {broken[0]}" if broken else ""
    return Check(law="every value is as it was stored", broken=len(broken), example=example)


def _overlaps(opened: Table, past: Table) -> Select[Any]:
    """Select spans of one item that begin before another ended, in either of the two times."""
    key = "item" if "item" in opened.c else "section"
    found = []
    for begin, end in (("opened", "closed"), ("opened_seq", "closed_seq")):
        # What has an empty range in this time says nothing of it.
        spans = union_all(
            select(past.c.stream, past.c[key], past.c[begin].label("begin"), past.c[end].label("end")).where(
                past.c[end] != past.c[begin]
            ),
            select(opened.c.stream, opened.c[key], opened.c[begin], literal(None, BigInteger)),
        ).subquery()
        following = func.lead(spans.c.begin).over(
            partition_by=(spans.c.stream, spans.c[key]), order_by=spans.c.begin
        )
        each = select(spans, following.label("following")).subquery()
        found.append(
            select(each.c.stream, each.c[key], each.c.begin).where(
                or_(each.c.end > each.c.following, _endless_before(each))
            )
        )
    return select(union_all(*found).subquery())


def _endless_before(each: Any) -> ColumnElement[bool]:
    return and_(each.c.end.is_(None), each.c.following.is_not(None))


def _not_apart(opened: Table, past: Table) -> Select[Any]:
    """Select past rows that never ended, and rows of which nothing is told in either time."""
    key = "item" if "item" in opened.c else "section"
    nothing = and_(past.c.closed == past.c.opened, past.c.closed_seq == past.c.opened_seq)
    backwards = or_(past.c.closed < past.c.opened, past.c.closed_seq < past.c.opened_seq)
    return select(past.c.stream, past.c[key], past.c.opened).where(or_(nothing, backwards))


def _uncovered() -> Select[Any]:
    looked_at = exists().where(
        t.coverage.c.stream == t.fact.c.stream, t.coverage.c.section == t.item.c.section
    )
    return (
        select(t.fact.c.stream, t.fact.c.item)
        .join(t.item, t.item.c.id == t.fact.c.item)
        .where(not_(looked_at))
    )


def _without_snapshot() -> Select[Any]:
    rows = union_all(
        *(select(table.c.stream, table.c.opened_seq) for table in (t.fact, t.fact_past))
    ).subquery()
    seqs = (
        select(rows.c.opened_seq, func.min(rows.c.stream).label("stream"))
        .group_by(rows.c.opened_seq)
        .subquery()
    )
    return select(seqs).where(not_(exists().where(t.snapshot.c.seq == seqs.c.opened_seq)))


def _gaps(since: int) -> Select[Any]:
    """Select the snapshots whose number does not follow on the one before them."""
    s = t.snapshot.c
    before = func.lag(s.number).over(partition_by=s.environment, order_by=s.seq)
    each = select(s.environment, s.number, before.label("before")).where(s.seq >= since).subquery()
    first = each.c.before.is_(None) & (each.c.number != 1) if not since else each.c.before < 0
    return select(each).where(or_(each.c.number != each.c.before + 1, first))


def _ahead() -> Select[Any]:
    newest = select(func.coalesce(func.max(t.snapshot.c.seq), 0)).scalar_subquery()
    state = t.stream_state.c
    return select(state.stream, state.changed_seq).where(state.changed_seq > newest)


def _untold() -> Select[Any]:
    """Select drifts whose state is not the one that the last of their turning events led to."""
    d, e = r.drift.c, r.drift_event.c
    over = d.state.in_(_OVER)
    last = (
        select(e.drift, func.max(e.id).label("id")).where(e.event.in_(_LEADS_TO)).group_by(e.drift).subquery()
    )
    turned = or_(*(and_(e.event == event, d.state.not_in(states)) for event, states in _LEADS_TO.items()))
    other = exists().where(last.c.drift == d.id, e.id == last.c.id, turned).correlate(r.drift)
    return select(d.id, d.state).where(
        or_(over != d.resolved_at.is_not(None), not_(exists().where(e.drift == d.id)), other)
    )
