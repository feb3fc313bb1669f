"""A late observation: put in its place, with everything that came after it settled anew.

Nothing keeps the observations of a ring; history does. What each of them said is the state after it without
what it did not say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.store import tables as t
from detector.store.fold import Settled, flat, settle
from detector.store.interning import Interning
from detector.store.memory import Known, unsaid_document
from detector.store.past import COVERAGE, FACTS, Past, read_past, write_spans
from detector.store.saying import Arrival, names_said, said_then, say
from detector.store.timeline import Span, respan

K = TypeVar("K", int, str)
Truth = dict[K, list[tuple[int, int | None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """What a late observation makes of the history of its stream."""

    past: Past
    #: Item -> from which time on it has which value, for items whose history changes.
    facts: Truth[int]
    coverage: Truth[str]
    #: The state before the late observation.
    base: Settled
    #: From the late observation on: when a state begins, and the state.
    states: Sequence[tuple[int, Settled]]

    @property
    def settled(self) -> Settled:
        """The newest state."""
        return self.states[-1][1]

    def __bool__(self) -> bool:
        """Whether history changes at all."""
        return bool(self.facts or self.coverage)


async def rewriting(
    connection: AsyncConnection, interning: Interning, known: Known, arrival: Arrival
) -> Rewriting:
    """Return what history becomes with an observation in its place."""
    entry, where = arrival.entry, arrival.where
    earlier = known.ring[: where.index]
    later = known.ring[where.index + (where.kind == "instead") :]
    past = await read_past(
        connection, interning, known.id, since=earlier[-1].at if earlier else known.ring[0].at
    )
    base = past.at(earlier[-1].at) if earlier else Settled()
    old = [past.at(later_entry.at) for later_entry in known.ring[where.index :]]
    then = old[len(old) - len(later) :]
    arrived = await say(connection, interning, arrival.observation, [past.facts])
    names = names_said(interning, arrival.observation)
    said = [arrived, *(said_then(state, past.documents, {**past.names, **names}) for state in then)]
    states: list[tuple[int, Settled]] = []
    before, previous = base, earlier[-1].digest if earlier else None
    for now, words in zip((entry, *later), said, strict=True):
        before = settle(before, words, may_hold=now.scheduled and now.digest != previous)
        states.append((now.at, before))
        previous = now.digest
    was = [(entry.at, past.at(entry.at)), *((at.at, state) for at, state in zip(later, then, strict=True))]
    return Rewriting(
        past=past,
        facts=_truth([(at, flat(s.facts)) for at, s in was], [(at, flat(s.facts)) for at, s in states]),
        coverage=_truth([(at, s.coverage) for at, s in was], [(at, s.coverage) for at, s in states]),
        base=base,
        states=states,
    )


def _truth(
    was: Sequence[tuple[int, Mapping[K, int]]], now: Sequence[tuple[int, Mapping[K, int]]]
) -> Truth[K]:
    """Return the new course of every key that differs at one of the times."""
    different: set[K] = set()
    for (_, old), (_, new) in zip(was, now, strict=True):
        different.update(name for name, value in new.items() if old.get(name) != value)
        different.update(name for name in old if name not in new)
    return {name: [(at, state.get(name)) for at, state in now] for name in different}


async def rewrite(connection: AsyncConnection, stream: int, plan: Rewriting, *, seq: int) -> None:
    """Write what history becomes, as commit ``seq``."""
    since = plan.states[0][0]
    facts = _from(plan.past.facts, plan.facts, since)
    coverage = _from(plan.past.coverage, plan.coverage, since)
    await write_spans(
        connection,
        FACTS,
        stream,
        old=facts,
        new={item: respan(facts[item], course, seq=seq) for item, course in plan.facts.items()},
    )
    await write_spans(
        connection,
        COVERAGE,
        stream,
        old=coverage,
        new={name: respan(coverage[name], course, seq=seq) for name, course in plan.coverage.items()},
    )


async def rewrite_unsaid(connection: AsyncConnection, stream: int, plan: Rewriting) -> None:
    """Write what each state from the late observation on holds unsaid."""
    mine = t.unsaid.c.stream == stream
    await connection.execute(delete(t.unsaid).where(mine, t.unsaid.c.since >= plan.states[0][0]))
    documents = [unsaid_document(plan.base), *(unsaid_document(state) for _, state in plan.states)]
    rows = [
        {"stream": stream, "since": at, "document": document}
        for (at, _), (before, document) in zip(plan.states, pairwise(documents), strict=True)
        if document != before
    ]
    if rows:
        await connection.execute(t.unsaid.insert(), rows)


def _from(spans: Mapping[K, list[Span]], course: Truth[K], since: int) -> dict[K, list[Span]]:
    """Return the spans that are valid at a time or later, or end at it."""
    return {
        name: [span for span in spans.get(name, ()) if span.closed is None or span.closed >= since]
        for name in course
    }
